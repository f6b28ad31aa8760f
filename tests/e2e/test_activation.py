"""Listening sockets from systemd, by its protocol (LISTEN_FDS) without systemd: names, connections that wait, notifications."""
import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from world import CHANCERY, World

# Puts the descriptors to where sd_listen_fds(3) looks for them, as the process that is to find them.
STARTER = """
import os, sys
n = int(sys.argv[1])
for i, fd in enumerate(int(a) for a in sys.argv[2:2 + n]):
    os.dup2(fd, 3 + i)
    os.set_inheritable(3 + i, True)
os.environ.update(LISTEN_FDS=str(n), LISTEN_PID=str(os.getpid()), WATCHDOG_PID=str(os.getpid()))
os.execv(sys.argv[2 + n], sys.argv[2 + n:])
"""


def listening(kind=socket.SOCK_STREAM, listen=True):
    s = socket.socket(socket.AF_INET, kind)
    s.bind(("127.0.0.1", 0))
    if listen:
        s.listen(64)
    # far from 3 and 4, so that putting one into its place does not overwrite the other
    high = fcntl.fcntl(s.fileno(), fcntl.F_DUPFD_CLOEXEC, 64)
    s.close()
    return socket.socket(fileno=high)


class Unit:
    """The installation as a service: its sockets are ours."""

    def __init__(self, world):
        self.world = world
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(world.folder / "notify"))
        self.notify.settimeout(60)
        self.said = []

    def start(self, sockets, names):
        env = dict(self.world.env, NOTIFY_SOCKET=str(self.world.folder / "notify"), WATCHDOG_USEC="300000", LISTEN_FDNAMES=names)
        fds = [s.fileno() for s in sockets]
        with open(self.world.log, "ab") as log:
            self.world.process = subprocess.Popen(
                [sys.executable, "-c", STARTER, str(len(fds)), *map(str, fds), str(CHANCERY), "serve", "--config",
                 str(self.world.dir / "chancery.ini")], env=env, stdout=log, stderr=log, pass_fds=fds, start_new_session=True)

    def hear(self, what, count=1):
        """Waits until systemd has been told so often."""
        while sum(what in m for m in self.said) < count:
            self.said.append(self.notify.recv(4096).decode())


@pytest.fixture
def unit(scratch):
    w = World(scratch)
    u = Unit(w)
    yield u
    w.stop()
    u.notify.close()


def port(s):
    return s.getsockname()[1]


def refused(unit):
    assert unit.world.process.wait(60) == 1
    return unit.world.log.read_text()


def test_sockets_of_both_names_and_a_restart_that_refuses_nobody(unit):
    w = unit.world
    with listening() as tls, listening() as plain, listening() as plain2:
        # the addresses of chancery.ini are not to be opened
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", w.tls_port))
            taken.listen()
            unit.start([plain, tls, plain2], "plain:tls:plain")
            w.plain_port, w.tls_port = port(plain), port(tls)
            assert w.raw("GET", "/readyz")[0] == 200  # came before it listened, and waited
            unit.hear("READY=1")
        assert w.call("GET", "/api/v1/whoami", officer=w.officers["boot1"])["name"]
        w.plain_port = port(plain2)
        assert w.raw("GET", "/healthz")[0] == 200
        unit.hear("WATCHDOG=1", 3)
        factory, signer = w.pids("chancery-factory"), w.pids("chancery-signer")
        assert len(factory) == len(signer) == 1
        # the signer, where the keys are, has none of them
        links = [os.readlink(f) for f in Path(f"/proc/{signer[0]}/fd").iterdir()]
        assert not any(link == os.readlink(f"/proc/self/fd/{s.fileno()}") for s in (tls, plain, plain2) for link in links)
        os.kill(factory[0], signal.SIGKILL)
        assert w.raw("GET", "/healthz")[0] == 200  # waits for the next factory
        assert w.pids("chancery-factory") != factory
        assert w.call("GET", "/api/v1/whoami", officer=w.officers["boot1"])["name"]
        w.process.send_signal(signal.SIGTERM)
        unit.hear("STOPPING=1")
        assert w.process.wait(60) == 0


def test_one_socket_and_one_address(unit):
    w = unit.world
    with listening() as tls:
        unit.start([tls], "tls")
        w.tls_port = port(tls)
        unit.hear("READY=1")
        assert w.raw("GET", "/readyz")[0] == 200
        assert w.raw("GET", "/readyz", tls=True)[0] == 200


@pytest.mark.parametrize("names", ["http", "tls:tls", ""])
def test_names_that_are_none_of_ours(unit, names):
    with listening() as one:
        unit.start([one], names)
        assert "CHY-1864" in refused(unit)


def test_what_is_no_listening_socket(unit):
    with listening(socket.SOCK_DGRAM, False) as udp:
        unit.start([udp], "plain")
        assert "CHY-1864" in refused(unit)
    with listening(listen=False) as idle:
        unit.start([idle], "plain")
        assert "CHY-1864" in refused(unit)


def test_units_are_what_systemd_reads(tmp_path, source):
    """The files are whole: every setting known, names as serve wants them."""
    units = source / "packaging/systemd"
    names = {re.search(r"^FileDescriptorName=(\w+)$", f.read_text(), re.M).group(1) for f in units.glob("*.socket")}
    assert names == {"tls", "plain"}
    text = (units / "chancery.service").read_text()
    assert "Type=notify" in text
    for f in units.glob("*.socket"):
        assert f.name in re.search(r"^Sockets=(.*)$", text, re.M).group(1)
    with contextlib.suppress(FileNotFoundError):  # where systemd is installed it reads them itself
        for f in units.iterdir():
            (tmp_path / f.name).write_text(f.read_text().replace("/usr/bin/chancery ", f"{CHANCERY} "))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, tmp_path.iterdir())],
                              capture_output=True, text=True, check=False)
        complaints = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "chancery" in line.split(":")[0]]
        assert not complaints, complaints
