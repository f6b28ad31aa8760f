"""The parent: starts, links, restarts and ends its children. They are scripts here, so that each can be made to fail as a
test wants it; what they do with the descriptors that they get is what the real ones do."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

CHILD = r'''
import array, json, os, signal, socket, sys, time

name = os.path.basename(sys.argv[0])
folder = os.environ["TEST_FOLDER"]
mode = open(os.path.join(folder, name + ".mode")).read().strip()


def say(what, **more):
    line = json.dumps(dict(more, program=name, what=what, pid=os.getpid())) + "\n"
    fd = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, line.encode())
    os.close(fd)


say("started", argv=sys.argv[1:], fds=sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1],
    group=os.getpgrp() == os.getpid())
if mode == "refuse":
    sys.exit(1)
if mode == "peer died":
    sys.exit(os.EX_TEMPFAIL)
if mode == "crash":
    os.kill(os.getpid(), signal.SIGKILL)

if name == "chancery-distributor":
    link = socket.socket(fileno=3)
    while True:
        got = link.recv(100)
        if not got:
            say("link closed")
            sys.exit(0)
        link.sendall(b"out: " + got)

if name == "chancery-signer":
    say("passphrase", text=os.read(4, 100).decode())
    link = socket.socket(fileno=3)
    while True:
        got = link.recv(100)
        if not got:
            say("link closed")
            sys.exit(0)
        link.sendall(got.upper())

control = socket.socket(fileno=3)
if mode == "deaf":
    signal.signal(signal.SIGTERM, lambda *a: say("terminated"))
while True:
    data, ancillary, _, _ = control.recvmsg(300, socket.CMSG_SPACE(4))
    if not data or data[0] == 2:
        say("stop" if data else "parent gone")
        if mode == "deaf" and data:
            while True:
                time.sleep(1)
        time.sleep(0.3)  # finishing open requests
        say("finished")
        sys.exit(0)
    if data[0] in (1, 5):
        fds = array.array("i")
        fds.frombytes(ancillary[0][2])
    if data[0] == 5:
        out = socket.socket(fileno=fds[0])
        try:
            out.sendall(b"letter")
            say("out-linked", answer=out.recv(100).decode())
        except OSError:
            pass
    if data[0] == 1:
        link = socket.socket(fileno=fds[0])
        try:
            link.sendall(b"hello")
            answer = link.recv(100).decode()
        except OSError:
            answer = ""
        if not answer:
            continue  # the signer is gone already: another one comes
        say("linked", answer=answer)
        control.send(b"\x03127.0.0.1:1")
'''


class Site:
    def __init__(self, build, folder):
        self.driver = build / "tests/e2e/serve_driver"
        self.folder = folder
        self.libexec = folder / "libexec"
        self.libexec.mkdir()
        (folder / "pass").write_text("secret\n")
        self.config = folder / "chancery.ini"
        self.config.write_text(f"[store]\nurl = sqlite:x.db\n[signer]\ndirectory = {folder}\npassphrase_file = pass\n"
                               "[serve]\ndrain_seconds = 1\n")
        for name in ("chancery-factory", "chancery-signer", "chancery-distributor"):
            self.mode(name, "good")
            program = self.libexec / name
            program.write_text(f"#!{sys.executable} -B\n" + CHILD)
            program.chmod(0o755)
        self.process = None
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify"))
        self.notify.settimeout(10)

    def mode(self, name, mode):
        (self.folder / f"{name}.mode").write_text(mode)

    def start(self):
        env = dict(os.environ, CHANCERY_LIBEXEC=str(self.libexec), TEST_FOLDER=str(self.folder),
                   NOTIFY_SOCKET=str(self.folder / "notify"))
        self.process = subprocess.Popen([str(self.driver), str(self.config)], env=env, stderr=subprocess.PIPE, text=True)
        return self

    def events(self, program=None, what=None):
        log = self.folder / "log"
        all_ = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [e for e in all_ if program in (None, e["program"]) and what in (None, e["what"])]

    def wait(self, program, what, count=1, seconds=15):
        end = time.time() + seconds
        while time.time() < end:
            found = self.events(program, what)
            if len(found) >= count:
                return found[-1]
            time.sleep(0.02)
        raise AssertionError(f"{program} did not {what} {count} times: {self.events()}")

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.over()

    def over(self):
        _, said = self.process.communicate(timeout=30)
        for e in self.events(what="started"):
            assert not pathlib.Path(f"/proc/{e['pid']}").exists(), "a child is left"
        return self.process.returncode, said


@pytest.fixture
def site(build, tmp_path):
    s = Site(build, tmp_path)
    yield s
    if s.process and s.process.poll() is None:
        s.process.kill()
        s.process.wait()


def test_starts_links_and_ends_in_order(site):
    site.start()
    assert site.wait("chancery-factory", "linked")["answer"] == "HELLO"
    assert site.notify.recv(1000).decode().startswith("READY=1")
    assert site.wait("chancery-factory", "out-linked")["answer"] == "out: letter"
    for name, fds in (("chancery-factory", [0, 1, 2, 3]), ("chancery-signer", [0, 1, 2, 3, 4]), ("chancery-distributor", [0, 1, 2, 3])):
        started = site.wait(name, "started")
        assert started["argv"] == ["--config", str(site.config)]
        assert started["fds"] == fds and started["group"]
    assert site.wait("chancery-signer", "passphrase")["text"] == "secret\n"
    code, said = site.stop()
    assert code == 0, said
    assert site.notify.recv(1000).decode().startswith("STOPPING=1")
    order = [(e["program"], e["what"]) for e in site.events() if e["what"] in ("stop", "finished", "link closed")]
    assert order[:2] == [("chancery-factory", "stop"), ("chancery-factory", "finished")]


def test_a_killed_signer_is_replaced_and_linked_anew(site):
    site.start()
    for i in range(1, 4):
        site.wait("chancery-factory", "linked", i)
        os.kill(site.wait("chancery-signer", "started", i)["pid"], signal.SIGKILL)
    site.wait("chancery-factory", "linked", 4)
    assert len(site.events("chancery-factory", "started")) == 1
    assert site.stop()[0] == 0


def test_a_killed_factory_is_replaced_with_a_new_signer(site):
    site.start()
    site.wait("chancery-factory", "linked")
    os.kill(site.wait("chancery-factory", "started")["pid"], signal.SIGKILL)
    site.wait("chancery-signer", "link closed")
    site.wait("chancery-factory", "linked", 2)
    assert site.stop()[0] == 0


def test_restarts_back_off(site):
    site.start()
    site.wait("chancery-factory", "linked")
    site.mode("chancery-signer", "crash")
    os.kill(site.wait("chancery-signer", "started")["pid"], signal.SIGKILL)
    time.sleep(4)  # at once, then after 1 and 2 seconds
    assert 3 <= len(site.events("chancery-signer", "started")) <= 4
    site.mode("chancery-signer", "good")
    site.wait("chancery-factory", "linked", 2)
    assert site.stop()[0] == 0


def test_a_killed_distributor_is_replaced_and_nobody_else(site):
    site.start()
    for i in range(1, 4):
        site.wait("chancery-factory", "out-linked", i)
        os.kill(site.wait("chancery-distributor", "started", i)["pid"], signal.SIGKILL)
    site.wait("chancery-factory", "out-linked", 4)
    assert len(site.events("chancery-factory", "started")) == len(site.events("chancery-signer", "started")) == 1
    assert site.stop()[0] == 0


@pytest.mark.parametrize("mode", ["refuse", "crash"])
def test_a_distributor_that_does_not_run_keeps_nobody_from_working(site, mode):
    site.mode("chancery-distributor", mode)
    site.start()
    site.wait("chancery-factory", "linked")
    site.wait("chancery-distributor", "started", 3)
    site.mode("chancery-distributor", "good")
    assert site.wait("chancery-factory", "out-linked")["answer"] == "out: letter"
    assert site.stop()[0] == 0


@pytest.mark.parametrize("name", ["chancery-factory", "chancery-signer"])
def test_a_child_that_refuses_ends_the_start(site, name):
    site.mode(name, "refuse")
    code, said = site.start().over()
    assert code == 1 and "serve.failed" in said and name in said


def test_a_factory_whose_signer_died_starts_again(site):
    site.mode("chancery-factory", "peer died")
    site.start()
    site.wait("chancery-factory", "started", 2)
    site.mode("chancery-factory", "good")
    site.wait("chancery-factory", "linked")
    assert site.stop()[0] == 0


def test_a_child_that_always_crashes_ends_the_start(site):
    site.mode("chancery-signer", "crash")
    code, said = site.start().over()
    assert code == 1 and len(site.events("chancery-signer", "started")) == 5, said


def test_a_factory_that_does_not_end_is_killed(site):
    site.mode("chancery-factory", "deaf")
    site.start()
    site.wait("chancery-factory", "linked")
    began = time.time()
    code, said = site.stop(signal.SIGINT)
    assert code == 0 and "serve.killing" in said
    assert site.events("chancery-factory", "terminated")
    assert 5 < time.time() - began < 20


def test_children_end_when_the_parent_is_killed(site):
    site.start()
    site.wait("chancery-factory", "linked")
    site.process.kill()
    site.process.wait()
    end = time.time() + 10
    while time.time() < end and any(pathlib.Path(f"/proc/{e['pid']}").exists() for e in site.events(what="started")):
        time.sleep(0.05)
    site.over()


@pytest.mark.parametrize("text, says", [
    ("[store]\nurl = sqlite:x.db\nurll = x\n[log]\nlevel = loud\n", ["CHY-1852", "line 3", "CHY-1853", "line 5"]),
    ("[signer]\npassphrase_file = missing\n", ["CHY-1856", "missing"]),
])
def test_a_wrong_configuration_is_said(site, text, says):
    site.config.write_text(text)
    code, said = site.start().over()
    assert code == 1
    for word in says:
        assert word in said


def test_a_missing_program_is_said(site):
    (site.libexec / "chancery-factory").unlink()
    code, said = site.start().over()
    assert code == 1 and "CHY-1861" in said and "chancery-factory" in said
