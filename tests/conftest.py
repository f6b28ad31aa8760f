"""What the Python tests share: the programs as built, scratch folders, tokens, a database.

A test names the requirement rows it shows in its docstring, `rows=CM-T-25 CM-T-26`, or by the marker
`@pytest.mark.rows("CM-T-25")`; both go to the results file, where `./dev rows` reads them.
"""
import os
import pathlib
import re
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("CHANCERY_SOURCE") or pathlib.Path(__file__).resolve().parents[1])
BUILD = pathlib.Path(os.environ.get("CHANCERY_BUILD") or SOURCE / "build")
ROW = re.compile(r"rows=([A-Z]{2}-[A-Z0-9-]+(?:[ ,]+[A-Z]{2}-[A-Z0-9-]+)*)")
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"


def pytest_configure(config):
    config.addinivalue_line("markers", "rows(*ids): the requirement rows that the test shows")


def pytest_collection_modifyitems(items):
    for item in items:
        rows = [r for mark in item.iter_markers("rows") for r in mark.args]
        for found in ROW.findall(item.function.__doc__ or ""):
            rows += re.split(r"[ ,]+", found)
        if rows:
            item.user_properties.append(("rows", " ".join(rows)))


@pytest.fixture(scope="session")
def source():
    return SOURCE


@pytest.fixture(scope="session")
def build():
    return BUILD


@pytest.fixture(scope="session")
def program():
    """The path of a built program: program("chancery")."""
    def path(name):
        found = BUILD / "src" / "programs" / name
        assert found.exists(), f"{found} is not built"
        return str(found)
    return path


@pytest.fixture
def run():
    """Runs a command and gives its standard output; fails with all it said where it did not end with `code`."""
    def call(*args, code=0, **more):
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=120, check=False, **more)
        assert done.returncode == code, f"{args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout
    return call


@pytest.fixture
def softhsm(tmp_path, monkeypatch):
    """A private SoftHSM: new_token(label, pin) makes a token; .module is the library. SOFTHSM2_CONF is set."""
    tokens = tmp_path / "softhsm"
    tokens.mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))

    class Hsm:
        module = SOFTHSM
        directory = tokens

        @staticmethod
        def new_token(label, pin="1234"):
            subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin",
                            "12345678"], check=True, capture_output=True)
    return Hsm


class Postgres:
    """A cluster of its own that a test may stop and start again."""

    def __init__(self, url, data, pid):
        self.url, self.data, self.pid = url, data, pid


@pytest.fixture(scope="session")
def postgres():
    """The URL of a private, empty PostgreSQL database; the server ends with the tests."""
    holder = subprocess.Popen([str(SOURCE / "tools/with-postgres"), "sh", "-c",
                               'echo "$CHANCERY_TEST_POSTGRES"; echo "$CHANCERY_TEST_POSTGRES_DATA"; '
                               'echo "$CHANCERY_TEST_POSTGRES_PID"; exec cat'],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url, data, pid = (holder.stdout.readline().strip() for _ in range(3))
    assert url, "no PostgreSQL"
    yield Postgres(url, data, int(pid))
    holder.stdin.close()
    holder.wait(30)
