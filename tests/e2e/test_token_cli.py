"""Soft tokens from the command line, with other people's programs as judges of the files."""
import json
import os
import pty
import select
import stat
import subprocess
import time

import pytest

import world
from test_choices import is_password, stored
from test_tokens import names, opened, tokens  # noqa: F401


@pytest.fixture(scope="module")
def house(sqlite_house):
    return sqlite_house


@pytest.fixture(scope="module")
def desk(tokens, module_scratch):  # noqa: F811
    return Desk(tokens, module_scratch / "desk")


class Desk:
    """An officer's folder: the key file, and the command line in it."""

    def __init__(self, house, folder):
        self.house, self.dir = house, folder
        folder.mkdir()
        (folder / "officer.pin").write_text("geheim 1234\n")
        for who in ("rosa", "rita", "anna"):
            o = house.officers[who]
            subprocess.run(["openssl", "pkcs12", "-export", "-inkey", o.key_file, "-in", o.cert_file, "-out", folder / f"{who}.p12",
                            "-passout", "file:officer.pin"], check=True, cwd=folder)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("CHANCERY_")}
        self.env.update(HOME=str(folder), CHANCERY_SERVER=f"https://localhost:{house.tls_port}", CHANCERY_CA=str(house.dir / "root.pem"))

    def call(self, *args, who="rosa"):
        return [str(world.CHANCERY), *map(str, args), "--officer", f"{who}.p12", "--pin-file", "officer.pin"]

    def run(self, *args, who="rosa", code=0, **more):
        done = subprocess.run(self.call(*args, who=who), cwd=self.dir, env=self.env, capture_output=True, text=True, timeout=120,
                              **{"stdin": subprocess.DEVNULL, **more})
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *args, **more):
        return json.loads(self.run(*args, "--json", **more).stdout)

    def issue(self, procedure, name, *more, **kw):
        return self.json("token", "issue", "--procedure", procedure, "--input", f"subject.common-name={name}", *more, **kw)

    def file(self, name):
        return self.dir / name


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_and_its_judges(desk):
    """openssl, certtool and keytool open the file with the PIN that was written beside it. rows=CM-I-10"""
    told = desk.issue("Soft all", "Judith Judge", "--input", "subject.organisation=Test", "--input", "san.email=j@example.org",
                      "--input", "san.email=judith@example.org", "--out", "j.p12", "--pin-out", "j.pin")
    assert told["file"] == "j.p12" and told["pin_file"] == "j.pin" and "pin" not in told and told["state"] == "ready"
    assert len(told["certificates"]) == 2 and len(told["archived"]) == 1 and told["recovered"] == []
    assert mode(desk.file("j.p12")) == 0o600 and mode(desk.file("j.pin")) == 0o600
    pin = desk.file("j.pin").read_text().strip()
    keys, certs = opened(desk.file("j.p12").read_bytes(), pin)
    assert len(keys) == 2 and names(certs) == ["Issuing CA", "Judith Judge", "Judith Judge", "Root CA"]
    from cryptography import x509
    ours = [c for c in certs if "Judith" in c.subject.rfc4514_string()]
    for c in ours:
        mails = c.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.RFC822Name)
        assert sorted(mails) == ["j@example.org", "judith@example.org"]
    for judge in (["certtool", "--p12-info", "--inder", "--infile", "j.p12", "--password", pin],
                  ["keytool", "-list", "-keystore", "j.p12", "-storetype", "PKCS12", "-storepass:file", "j.pin"]):
        done = subprocess.run(judge, cwd=desk.dir, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.lower().count("judith judge") >= 2 or done.stdout.count("PrivateKeyEntry") == 2, done.stdout
    wrong = subprocess.run(["openssl", "pkcs12", "-in", desk.file("j.p12"), "-passin", "pass:00000000", "-noout"], capture_output=True)
    assert wrong.returncode != 0


def test_list_fetch_and_confirm(desk):
    told = desk.issue("Soft none", "Lisa List", "--out", "l.p12")
    assert told["pin"].isdigit(), "shown where no file was asked for"
    rows = {r["id"]: r for r in desk.json("token", "list")}
    assert rows[told["token"]]["holder"] == "lisa list" and rows[told["token"]]["state"] == "ready"
    assert "lisa list" in desk.run("token", "list").stdout
    assert told["token"] not in {r["id"] for r in desk.json("token", "list", who="anna")}
    again = desk.json("token", "fetch", told["token"], "--out", "l2.p12")
    assert again["pin"] == told["pin"] and desk.file("l.p12").read_bytes() == desk.file("l2.p12").read_bytes()
    assert "CHY-1768" in desk.run("token", "fetch", told["token"], "--out", "l3.p12", who="anna", code=1).stderr
    assert "CHY-1768" in desk.run("token", "confirm", told["token"], who="anna", code=1).stderr
    assert desk.json("token", "confirm", told["token"])["state"] == "delivered"
    assert "delivered" in desk.run("token", "confirm", told["token"]).stdout, "again is nothing"
    assert "CHY-1769" in desk.run("token", "fetch", told["token"], "--out", "l3.p12", code=1).stderr
    assert not desk.file("l3.p12").exists()
    at_once = desk.issue("Soft none", "Lisa List", "--out", "l4.p12", "--confirm")
    assert at_once["state"] == "delivered"
    text = desk.run("token", "issue", "--procedure", "Soft none", "--input", "subject.common-name=Lisa List", "--out", "l5.p12").stdout
    assert "chancery token confirm" in text and "pin" in text


def test_nothing_is_overwritten(desk):
    """Refused before anything is made, unless somebody says so."""
    for taken, other in (("out", "pin-out"), ("pin-out", "out")):
        desk.file("taken").write_text("mine")
        before = len(desk.json("token", "list"))
        done = desk.run("token", "issue", "--procedure", "Soft none", "--input", "subject.common-name=Olga", f"--{taken}", "taken",
                        f"--{other}", "fresh", code=2)
        assert "taken" in done.stderr
        assert desk.file("taken").read_text() == "mine" and not desk.file("fresh").exists()
        assert len(desk.json("token", "list")) == before, "no token was made"
    for where, what in (("no/such/folder.p12", "No such file"), (".", "is a folder")):
        done = desk.run("token", "issue", "--procedure", "Soft none", "--input", "subject.common-name=Olga", "--out", where, "--force",
                        code=1)
        assert "CHY-1019" in done.stderr and what in done.stderr
        assert len(desk.json("token", "list")) == before, "no token was made that could not be written"
    told = desk.issue("Soft none", "Olga", "--out", "taken", "--force")
    assert opened(desk.file("taken").read_bytes(), told["pin"])[0]
    assert mode(desk.file("taken")) == 0o600
    desk.run("token", "fetch", told["token"], "--out", "taken", code=2)
    desk.run("token", "fetch", told["token"], "--out", "taken", "--yes")
    assert "same file" in desk.run("token", "fetch", told["token"], "--out", "x", "--pin-out", "x", code=2).stderr


def test_where_it_cannot_be_written(desk):
    """What could not be told before, as a full disk: the token is made and stays at the server, and the command says how to get it."""
    done = desk.run("token", "issue", "--procedure", "Soft none", "--input", "subject.common-name=Nora", "--out", "/dev/full",
                    "--force", code=1)
    assert "chancery token fetch" in done.stdout + done.stderr
    mine = [r for r in desk.json("token", "list") if r["holder"] == "nora"]
    assert len(mine) == 1 and mine[0]["state"] == "ready"
    desk.run("token", "fetch", mine[0]["id"], "--out", "nora.p12")


def test_a_pin_that_the_officer_chooses(desk):
    """From a file, a descriptor or the terminal; never from the command line. rows=CM-I-10"""
    desk.file("new.pin").write_text("Geheim77\n")
    told = desk.issue("Entered", "Pia Pin", "--out", "p1.p12", "--new-pin-file", "new.pin")
    assert "pin" not in told and len(opened(desk.file("p1.p12").read_bytes(), "Geheim77")[0]) == 1
    with open(desk.file("new.pin")) as f:
        desk.issue("Entered", "Pia Pin", "--out", "p2.p12", "--new-pin-fd", f.fileno(), pass_fds=[f.fileno()])
    assert opened(desk.file("p2.p12").read_bytes(), "Geheim77")[0]
    desk.file("bad.pin").write_text("kurz\n")
    assert "CHY-1765" in desk.run("token", "issue", "--procedure", "Entered", "--input", "subject.common-name=Pia", "--out", "p3.p12",
                                  "--new-pin-file", "bad.pin", code=1).stderr
    assert not desk.file("p3.p12").exists()
    assert "CHY-1764" in desk.run("token", "issue", "--procedure", "Soft none", "--input", "subject.common-name=Pia", "--out", "p3.p12",
                                  "--new-pin-file", "new.pin", code=1).stderr
    done = subprocess.run(["setsid", "-w", *desk.call("token", "issue", "--procedure", "Entered", "--input", "subject.common-name=Pia",
                                                      "--out", "p3.p12")],
                          cwd=desk.dir, env=desk.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and "no terminal" in done.stderr
    assert typed(desk, ["token", "issue", "--procedure", "Entered", "--input", "subject.common-name=Pia Pin", "--out", "p4.p12"],
                 ["Geheim88", "Geheim88"]) == 0
    assert opened(desk.file("p4.p12").read_bytes(), "Geheim88")[0]


def typed(desk, args, answers):
    """Runs the command on a terminal of its own and types the answers, one for each question."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(desk.dir)
        os.execve(world.CHANCERY, desk.call(*args), desk.env)
    said, end = b"", time.monotonic() + 60
    for a in answers:
        mark = len(said)
        while b": " not in said[mark:] and time.monotonic() < end:
            if select.select([fd], [], [], 1)[0]:
                said += os.read(fd, 4096)
        os.write(fd, a.encode() + b"\n")
    while time.monotonic() < end:
        try:
            if select.select([fd], [], [], 1)[0] and not os.read(fd, 4096):
                break
        except OSError:
            break
    for a in answers:
        assert a.encode() not in said, "not echoed"
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_choices_of_tokens_and_certificates(desk):
    """rows=CM-I-11"""
    desk.file("revocation").write_text("Widerruf-0815\n")
    told = desk.issue("Soft none", "Vera Veto", "--publication-allowed=no", "--revocation-password-file", "revocation", "--out", "v.p12")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "web.key", "-subj",
                    "/CN=veto.example.org", "-addext", "subjectAltName=DNS:veto.example.org", "-out", "web.csr"], cwd=desk.dir, check=True,
                   capture_output=True)
    by_officer = desk.json("certificate", "issue", "--procedure", "TLS server", "web.csr", "--out", "web.pem",
                           "--publication-allowed=no", "--revocation-password-file", "revocation")[0]["certificate"]
    desk.run("issuing-session", "open", "--procedure", "TLS server", "--max", "5", "--out", "session")
    done = subprocess.run([world.CHANCERY, "certificate", "issue", "--session", "session", "--procedure", "TLS server", "web.csr", "--out",
                           "web2.pem", "--json", "--publication-allowed=no", "--revocation-password-file", "revocation"],
                          cwd=desk.dir, env=desk.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    by_session = json.loads(done.stdout)[0]["certificate"]
    for certificate in (*told["certificates"], by_officer, by_session):
        publication, form = stored(desk.house, certificate)
        assert publication == 0 and is_password(form, "Widerruf-0815")
    text = desk.run("explain", by_officer).stdout
    assert "Publication allowed" in text and "Revocation password" in text and "set" in text
    for short in ("short\n", "x" * 129 + "\n"):
        desk.file("short").write_text(short)
        assert "CHY-1771" in desk.run("certificate", "issue", "--procedure", "TLS server", "web.csr", "--out", "web3.pem",
                                      "--revocation-password-file", "short", code=1).stderr
    assert typed(desk, ["certificate", "issue", "--procedure", "TLS server", "web.csr", "--out", "web4.pem", "--ask-revocation-password"],
                 ["Widerruf-4711", "Widerruf-4712"]) != 0, "the two are not the same"
    assert not desk.file("web4.pem").exists()


def test_explain_tells_of_archive_and_recovery(desk):
    """Who archived and who recovered a certificate's key, in the API and for people."""
    def issue(procedure, out, who="rosa"):
        return desk.issue(procedure, "Xenia Xplain", "--out", out, "--force", who=who)

    made = issue("Soft none", "x.p12")
    archived, plain = made["archived"][0], [c for c in made["certificates"] if c not in made["archived"]][0]
    reused, anew = issue("Recover latest", "y.p12", "rita"), issue("Recover anew", "z.p12", "rita")
    house, rita = desk.house, desk.house.officers["rita"]
    key = house.call("GET", f"/api/v1/certificates/{archived}/explanation", officer=rita)["key"]
    assert key["token"] == made["token"] and key["archived"]["archive"] == "key-archive" and key["archived"]["holder"] == "xenia xplain"
    assert [(r["token"], r["certificate"], r["officer"]) for r in key["recoveries"]] == [
        (reused["token"], archived, rita.id), (anew["token"], archived, rita.id)]
    new = [r["issued"] for r in key["recoveries"]]
    assert new[0] is None and new[1] in anew["certificates"]
    other = desk.json("explain", plain)["key"]
    assert other["archived"] is None and other["recoveries"] == []
    of_new = desk.json("explain", new[1])["key"]
    assert [r["certificate"] for r in of_new["recoveries"]] == [archived]
    text = desk.run("explain", archived).stdout
    assert "archived at" in text and f"into token {reused['token']} by Rita Recovery" in text and f"new certificate {new[1]}" in text
    assert "not archived" in desk.run("explain", plain).stdout
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "own.key", "-subj",
                    "/CN=own.example.org", "-addext", "subjectAltName=DNS:own.example.org", "-out", "own.csr"], cwd=desk.dir, check=True,
                   capture_output=True)
    own = desk.json("certificate", "issue", "--procedure", "TLS server", "own.csr", "--out", "own.pem")[0]["certificate"]
    assert "key" not in desk.json("explain", own), "its holder made the key"
