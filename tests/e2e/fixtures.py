"""Installations for the tests: SQLite, PostgreSQL, keys in SoftHSM; each started once per module."""
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

import world

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@contextmanager
def postgres():
    """A PostgreSQL of our own, (URL, data folder, process id); gone afterwards."""
    script = 'echo "$CHANCERY_TEST_POSTGRES"; echo "$CHANCERY_TEST_POSTGRES_DATA"; echo "$CHANCERY_TEST_POSTGRES_PID"; read _'
    p = subprocess.Popen([TOOLS / "with-postgres", "bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url, data, pid = (p.stdout.readline().strip() for _ in range(3))
        assert url, "PostgreSQL did not start"
        yield url, data, int(pid)
    finally:
        p.stdin.close()
        p.wait(30)


SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"


class SoftHsm:
    """Tokens of their own in a folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        (self.folder / "tokens").mkdir(parents=True)
        self.pin_file = self.folder / "pin"
        self.pin_file.write_text("271828\n")
        self.conf = self.folder / "softhsm2.conf"
        self.conf.write_text(f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.env = {"SOFTHSM2_CONF": str(self.conf)}

    def token(self, label):
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "271828", "--so-pin", "314159"],
                       env=dict(os.environ, **self.env), check=True, capture_output=True)
        return f"pkcs11:token={label}"

    @property
    def module(self):
        return f"softhsm={SOFTHSM},{self.pin_file}"


@pytest.fixture
def scratch():
    d = tempfile.mkdtemp(prefix="chancery-e2e.")
    yield Path(d)
    shutil.rmtree(d, ignore_errors=True)


@pytest.fixture(scope="module")
def module_scratch():
    d = tempfile.mkdtemp(prefix="chancery-e2e.")
    yield Path(d)
    shutil.rmtree(d, ignore_errors=True)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request, module_scratch):
    """A running installation with officers, a CA and procedures, on each database."""
    if request.param == "sqlite":
        w = world.World(module_scratch / "sqlite")
        w.engine, w.postgres = "sqlite", None
        try:
            yield w.start().make_officers().make_ca()
        finally:
            w.stop()
        return
    with postgres() as pg:
        w = world.World(module_scratch / "postgresql", store=pg[0])
        w.engine, w.postgres = "postgresql", pg
        try:
            yield w.start().make_officers().make_ca()
        finally:
            w.stop()


@pytest.fixture(scope="module")
def sqlite_house(module_scratch):
    w = world.World(module_scratch / "one")
    w.engine = "sqlite"
    try:
        yield w.start().make_officers().make_ca()
    finally:
        w.stop()
