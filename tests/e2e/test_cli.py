"""The command line against a real installation: what officers, operators and auditors type, and what they see."""
import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from world import CHANCERY, World

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("CHANCERY_") or k in ("CHANCERY_BUILD", "CHANCERY_SOURCE")}


class Cli:
    """The command line of one installation, in a folder with the officers' files."""

    def __init__(self, world):
        self.world, self.dir = world, world.folder / "cli"
        self.dir.mkdir()
        self.env = dict(CLEAN, HOME=str(self.dir), CHANCERY_SERVER=f"https://localhost:{world.tls_port}",
                        CHANCERY_CA=str(world.dir / "root.pem"))
        self.officers = {}
        for i in (1, 2):
            self.officers[f"boot{i}"] = (world.dir / f"officers/boot-{i}.p12", world.dir / f"officers/boot-{i}.pin")

    def run(self, *args, code=0, env=None, stdin=None):
        done = subprocess.run([CHANCERY, *map(str, args)], capture_output=True, text=True, cwd=self.dir, timeout=120,
                              env=dict(self.env, **(env or {})), stdin=stdin or subprocess.DEVNULL, check=False)
        assert done.returncode == code, f"{args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def as_(self, who, *args, co=None, code=0, **more):
        officer, pin = self.officers[who]
        call = [*args, "--officer", officer, "--pin-file", pin]
        if co:
            call += ["--co-officer", self.officers[co][0], "--co-pin-file", self.officers[co][1]]
        return self.run(*call, code=code, **more)

    def json(self, who, *args, **more):
        return json.loads(self.as_(who, *args, "--json", **more).stdout)

    def csr(self, name, san=True, folder=None):
        out = Path(folder or self.dir) / f"{name}.csr"
        key = self.dir / "tls.key"
        if not key.exists():
            subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                           check=True, capture_output=True)
        more = ["-addext", f"subjectAltName=DNS:{name}.example"] if san else []
        subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}.example", "-out", out, *more],
                       check=True, capture_output=True)
        return out

    def new_officer(self, name, profile, by, co, *more, issuer=None):
        pin = self.dir / f"{name}.pin"
        pin.write_text(f"secret of {name}\n")
        self.run("officer", "keygen", "--out", f"{name}.key", "--subject", f"CN={name}", "--request", f"{name}.csr",
                 "--pin-file", pin)
        self.as_(issuer or by, "certificate", "issue", "--procedure", "Officer", f"{name}.csr", "--out", f"{name}.crt")
        self.run("officer", "p12", "--key", f"{name}.key", "--certificate", f"{name}.crt", "--out", f"{name}.p12",
                 "--pin-file", pin)
        self.as_(by, "officer", "create", "--name", name, "--profile", profile, "--certificate-file", f"{name}.crt", *more,
                 co=co)
        self.officers[name] = (self.dir / f"{name}.p12", pin)


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("cli"))
    try:
        world.start()
        c = Cli(world)
        for name, profile in (("anna", "Administration officer"), ("ben", "Administration officer"),
                              ("rosa", "Registration officer")):
            c.new_officer(name, profile, "boot1", "boot2")
        for name in ("Boot officer 1", "Boot officer 2"):
            c.as_("anna", "officer", "close", name, co="ben")
        for name in ("Root", "Issuing"):
            c.as_("anna", "ca-key", "create", "--name", f"{name} key", "--algorithm", "p-256", co="ben")
        c.as_("anna", "authority", "create", "--name", "Root CA", "--type", "root", "--ca-key", "Root key", "--subject",
              "CN=Root CA,O=Test", "--format", "CA certificate", "--validity", "P20Y", "--path-length", 1, co="ben")
        c.as_("anna", "authority", "create", "--name", "Issuing CA", "--type", "subordinate", "--issuing-authority", "Root CA",
              "--ca-key", "Issuing key", "--subject", "CN=Issuing CA,O=Test", "--format", "CA certificate", "--validity", "P10Y",
              "--path-length", 0, co="ben")
        c.as_("anna", "certificate-procedure", "create", "--name", "TLS server", "--authority", "Issuing CA", "--format",
              "TLS server", "--key-usage", "digitalSignature", "--extended-key-usage", "serverAuth", "--validity", "P90D", co="ben")
        c.as_("anna", "token-procedure", "create", "--name", "TLS server", "--storage-profile", "pkcs10",
              "--issuer-certificates", "none", "--certificate-procedures", "TLS server", co="ben")
        yield c
    finally:
        world.stop()


def rest(cli):
    """Until the journal's leaves all have their places."""
    cli.world.wait_sequenced(head=lambda: cli.json("anna", "journal", "head")["size"])


# ---- officers' acts ----

def test_boot_officers_are_closed(cli):
    done = cli.as_("boot1", "whoami", code=1)
    assert "refused (CHY-" in done.stderr
    states = {o["body"]["name"]: o["body"]["state"] for o in cli.json("anna", "officer", "list")}
    assert states == {"Boot officer 1": "closed", "Boot officer 2": "closed", "anna": "active", "ben": "active",
                      "rosa": "active"}


def test_two_officers_in_two_steps(cli):
    first = cli.json("anna", "token-procedure", "create", "--name", "Two steps", "--storage-profile", "pkcs10",
                     "--issuer-certificates", "none", "--certificate-procedures", "TLS server")
    assert first["state"] == "waiting"
    number = first["id"]
    assert first["expires_at"] == cli.json("anna", "request", "show", number)["expires_at"]
    assert str(number) in cli.as_("ben", "request", "list", "--state", "waiting").stdout
    shown = cli.as_("ben", "request", "show", number).stdout
    assert "Two steps" in shown and "anna" in shown and "Storage profile: PKCS#10" in shown
    # nobody to ask, and not told to go on: wrong usage; the same officer again: refused
    assert "--yes" in cli.as_("ben", "request", "sign", number, code=2).stderr
    assert "has signed it" in cli.as_("anna", "request", "sign", number, "--yes", code=1).stderr
    done = cli.json("ben", "request", "sign", number, "--yes")
    assert done["state"] == "done"
    assert "pkcs10" in cli.as_("anna", "token-procedure", "show", "Two steps").stdout


def create_in_two_steps(cli, name):
    return cli.json("anna", "token-procedure", "create", "--name", name, "--storage-profile", "pkcs10",
                    "--issuer-certificates", "none", "--certificate-procedures", "TLS server")["id"]


def test_many_requests_are_signed_at_once(cli):
    """rows=CM-O-18"""
    numbers = [create_in_two_steps(cli, f"Bulk {i}") for i in range(3)]
    listed = cli.as_("ben", "request", "inbox").stdout
    assert all(str(n) in listed for n in numbers)
    done = cli.as_("ben", "request", "sign", *numbers, "--yes").stdout
    assert done.count("done") == 3
    assert [cli.json("ben", "request", "show", n)["state"] for n in numbers] == ["done"] * 3
    assert not [n for n in numbers if str(n) in cli.as_("ben", "request", "inbox").stdout]


def test_a_list_says_what_a_second_signer_asks(cli):
    """Whose, since when, what about, whose signature is missing; the newest first, the inbox the oldest first."""
    numbers = [create_in_two_steps(cli, f"Listed {i}") for i in range(3)]
    listed = cli.json("ben", "request", "list")
    assert [r["id"] for r in listed[:3]] == numbers[::-1]
    first = listed[0]
    assert (first["prepared_by_name"], first["about"], first["signed_by"]) == ("anna", "Listed 2", ["anna"])
    pages = [r["id"] for r in cli.json("ben", "request", "list", "--limit", 2, "--after", listed[1]["id"])]
    assert pages == [r["id"] for r in listed[2:4]]
    row = next(line for line in cli.as_("ben", "request", "list").stdout.splitlines() if "Listed 2" in line)
    assert "anna" in row and "token-procedure.create" in row and "signature 2 of 2: use-awb, policy-tasks" in row
    # the second officer has 30 days from the first signature on, and is told so
    prepared, until = (datetime.fromisoformat(first[m].replace("Z", "+00:00")) for m in ("prepared_at", "expires_at"))
    assert until - prepared >= timedelta(days=30)
    assert cli.json("ben", "request", "show", numbers[2])["expires_at"] == first["expires_at"]
    assert row.count(first["expires_at"]) == 1
    inbox = [r["id"] for r in cli.json("ben", "request", "inbox")]
    assert [n for n in inbox if n in numbers] == numbers
    cli.as_("ben", "request", "sign", *numbers, "--yes")
    cli.csr("about")
    cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "about.csr", "--out", "about.pem")
    assert cli.json("anna", "request", "list", "--limit", 1)[0]["about"] == "TLS server, 1 request"


def test_a_second_officer_who_cannot_sign_leaves_nothing_behind(cli):
    """A wrong file or PIN ends it before anything is prepared; a refusal says how to go on."""
    def newest():
        return cli.json("anna", "request", "list", "--limit", 1)[0]["id"]

    before, call = newest(), ["domain", "create", "--name", "Left over"]
    (cli.dir / "wrong.pin").write_text("no such PIN\n")
    for co, pin in (("nobody.p12", "wrong.pin"), (cli.officers["ben"][0], "wrong.pin")):
        assert Path(co).name in cli.as_("anna", *call, "--co-officer", co, "--co-pin-file", pin, code=1).stderr
        assert newest() == before
    done = cli.as_("anna", *call, co="rosa", code=1)
    left = newest()
    assert left != before and f"chancery request sign {left}" in done.stderr and f"chancery request withdraw {left}" in done.stderr
    assert cli.json("anna", "request", "show", left)["state"] == "prepared"
    assert "done" in cli.as_("anna", "request", "sign", left, "--yes", co="ben").stdout
    done = cli.as_("anna", "domain", "create", "--name", "Taken back", co="rosa", code=1)
    cli.as_("anna", "request", "withdraw", newest(), "--reason", "the wrong second officer")


def test_requests_are_withdrawn_and_rejected(cli):
    """rows=CM-O-23"""
    mine, theirs = create_in_two_steps(cli, "Withdrawn"), create_in_two_steps(cli, "Rejected")
    assert "refused" in cli.as_("ben", "request", "withdraw", mine, "--reason", "not his", code=1).stderr
    cli.as_("anna", "request", "withdraw", mine, "--reason", "a wrong name")
    cli.as_("ben", "request", "reject", theirs, "--reason", "nobody needs it")
    assert cli.json("anna", "request", "show", mine)["state"] == "withdrawn"
    shown = cli.json("anna", "request", "show", theirs)
    assert shown["state"] == "rejected" and shown["result"]["reason"] == "nobody needs it"
    assert (shown["ended"]["by_name"], shown["ended"]["reason"]) == ("ben", "nobody needs it") and shown["ended"]["at"]
    for number, words in ((theirs, ("rejected by", "ben", "rejected at", "nobody needs it")),
                          (mine, ("withdrawn by", "anna", "withdrawn at", "a wrong name"))):
        text = cli.as_("ben", "request", "show", number).stdout
        assert all(w in text for w in words), text
    assert "reason" in cli.as_("ben", "request", "reject", mine, code=2).stderr


def test_a_domain_view_narrows_lists(cli):
    """rows=CM-O-15"""
    cli.as_("anna", "domain", "create", "--name", "North", co="ben")
    cli.as_("anna", "domain", "create", "--name", "Harbour", "--parent", "North", co="ben")
    for name, domain in (("Of north", "North"), ("Of harbour", "Harbour")):
        cli.as_("anna", "officer-profile", "create", "--name", name, "--entity-type", "subject", "--domain", domain, co="ben")

    def names(*args, noun="officer-profile", **more):
        return {d["name"] for d in cli.json("anna", noun, "list", *args, **more)}

    home = names()
    assert {"Of north", "Of harbour", "Administration officer"} <= home
    assert names("--domain-view", "North") == {"Of north", "Of harbour"}
    assert names(env={"CHANCERY_DOMAIN_VIEW": "Harbour"}) == {"Of harbour"}
    assert names("--domain-view", "home", env={"CHANCERY_DOMAIN_VIEW": "Harbour"}) == home
    assert names("--domain-view", "North", noun="domain") == {"North", "Harbour"}
    assert "domain" in cli.as_("anna", "officer-profile", "list", "--domain-view", "Nowhere", code=1).stderr


def test_a_changed_profile_says_whom_it_touches(cli):
    """rows=CM-O-07"""
    cli.as_("anna", "officer-profile", "create", "--name", "Touched", "--entity-type", "static-token", "--roles", "use-clients",
            co="ben")
    cli.new_officer("tina", "Touched", "anna", "ben", issuer="rosa")
    said = cli.as_("anna", "officer-profile", "modify", "Touched", "--roles", "use-awb", co="ben").stdout
    assert "Officers that this touches" in said and "tina" in said


def test_nested_lists_say_how_they_are_written(cli):
    """member=value cannot say issuer constraints: error and help show the JSON that can."""
    call = ["officer-profile", "create", "--name", "Narrow", "--entity-type", "subject", "--issuer-constraints"]
    refused = cli.as_("anna", *call, "CN=Example Issuing", code=2).stderr
    assert "--file" in refused and '{"tests": [{"attribute": ...' in refused
    assert '{"tests": [{"attribute": ...' in cli.run("help", "officer-profile", "create").stdout.replace("\n", " ").replace("  ", "")
    cli.as_("anna", *call, '{"tests": [{"attribute": "CN", "test": "is", "value": "Example Issuing"}]}', co="ben")
    assert "Example Issuing" in cli.as_("anna", "officer-profile", "show", "Narrow").stdout


def test_a_mistyped_name_is_guessed(cli):
    """Among the names that the officer may see; of one that is like none nothing is guessed."""
    missed = cli.as_("anna", "token-procedure", "show", "TSL server", code=1).stderr
    assert 'there is no token-procedure "TSL server"; did you mean "TLS server"?' in missed
    assert "did you mean" not in cli.as_("anna", "token-procedure", "show", "Quite another thing", code=1).stderr
    assert "did you mean" not in cli.as_("rosa", "certificate-procedure", "show", "TSL server", code=1).stderr


def test_who_acts_is_asked_for(cli):
    """The server wants a credential: the command line says which option gives it."""
    refused = cli.run("officer", "list", code=1).stderr
    assert "CHY-1818" in refused and "--officer" in refused


def test_a_changed_list_is_told_item_by_item(cli):
    """Of three roles one is taken away and one comes: those two stand there, and no other."""
    cli.as_("anna", "officer-profile", "create", "--name", "Several", "--entity-type", "subject", "--roles",
            "use-clients", "--roles", "use-awb", "--roles", "audit-tasks", co="ben")
    said = cli.as_("anna", "officer-profile", "modify", "Several", "--roles", "use-clients", "--roles", "use-awb", "--roles", "policy-tasks",
                 co="ben").stdout
    changed = said.split("Roles:\n")[1].splitlines()
    assert [line[:6] for line in changed[:2]] == ["    - ", "    + "] and not changed[2].startswith("    "), said
    assert "udit" in changed[0] and "olicy" in changed[1]


def test_waiting_request_is_void_when_its_base_changes(cli):
    cli.as_("anna", "domain", "create", "--name", "Changing", co="ben")
    waiting = cli.json("anna", "domain", "modify", "Changing", "--name", "Changed first")
    cli.as_("anna", "domain", "modify", "Changing", "--name", "Changed at once", co="ben")
    done = cli.as_("ben", "request", "sign", waiting["id"], "--yes", code=1)
    assert "conflict" in done.stderr and "version" in done.stderr
    text = cli.as_("ben", "request", "show", waiting["id"]).stdout
    assert "void at" in text and "it changes version 1, and version 2 is in force (CHY-" in text
    assert cli.json("ben", "request", "show", waiting["id"])["state"] == "void"


def test_modify_unset_and_older_versions(cli):
    cli.as_("anna", "certificate-procedure", "create", "--name", "Short", "--authority", "Issuing CA", "--format", "TLS server",
            "--extended-key-usage", "serverAuth", "--extended-key-usage", "clientAuth", "--validity", "P9D", co="ben")
    cli.as_("anna", "certificate-procedure", "modify", "Short", "--validity", "P8D", "--unset", "extended-key-usage", co="ben")
    now = cli.json("anna", "certificate-procedure", "show", "Short")
    assert now["version"] == 2 and now["body"]["validity"] == "P8D" and not now["body"].get("extended_key_usage")
    before = cli.json("anna", "certificate-procedure", "show", now["id"], "--document-version", 1)
    assert before["body"]["validity"] == "P9D" and len(before["body"]["extended_key_usage"]) == 2
    assert "no field" in cli.as_("anna", "certificate-procedure", "modify", "Short", "--unset", "nothing", code=2).stderr


def test_issuing_sessions_are_listed(cli):
    cli.as_("rosa", "issuing-session", "open", "--procedure", "TLS server", "--max", "7", "--name", "For the list")
    for who in ("rosa", "anna"):
        line = next(line for line in cli.as_(who, "issuing-session", "list").stdout.splitlines() if "For the list" in line)
        assert "0 of 7" in line and "open" in line
        assert cli.json(who, "issuing-session", "list")[-1]["certificates_max"] == 7


def test_draft_is_kept_and_completed(cli):
    draft = cli.json("anna", "token-procedure", "create", "--draft", "--name", "From a draft", "--storage-profile", "pkcs10")
    for kind in (["token-procedure"], []):
        listed = cli.as_("anna", "draft", "list", *kind).stdout
        assert "From a draft" in listed and "token-procedure" in listed
    cli.as_("anna", "token-procedure", "create", "--from-draft", draft["id"], "--draft", "--issuer-certificates", "none")
    assert "none" in cli.as_("anna", "draft", "show", "token-procedure", draft["id"]).stdout
    done = cli.json("anna", "token-procedure", "create", "--from-draft", draft["id"], "--certificate-procedures", "TLS server",
                    co="ben")
    assert done["state"] == "done"
    assert "From a draft" not in cli.as_("anna", "draft", "list", "token-procedure").stdout


def test_registration_officer_may_not_administer(cli):
    done = cli.as_("rosa", "domain", "create", "--name", "Mine", code=1)
    assert "refused (CHY-" in done.stderr and "role" in done.stderr
    problem = json.loads(cli.as_("rosa", "domain", "create", "--name", "Mine", "--json", code=1).stderr)
    assert problem["code"].startswith("CHY-") and "detail" in problem


# ---- issuing ----

def test_issue_by_officer_and_judge_by_openssl(cli):
    cli.csr("web")
    cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "web.csr", "--out", "web.pem")
    cli.as_("anna", "authority", "certificate", "Issuing CA", "--with-chain", "--out", "chain.pem")
    assert "CN=Issuing CA" in cli.as_("anna", "authority", "certificates", "Issuing CA").stdout
    verified = subprocess.run(["openssl", "verify", "-CAfile", "chain.pem", "-purpose", "sslserver", "web.pem"], cwd=cli.dir,
                              capture_output=True, text=True, check=False)
    assert verified.stdout.strip() == "web.pem: OK", verified.stderr
    assert cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "web.csr").stdout.startswith("-----BEGIN CERT")


def test_what_was_issued_is_told_with_its_chain(cli):
    """Number, serial number and end; the authorities' certificates behind it, which openssl follows up."""
    cli.csr("chained")
    told = cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "chained.csr", "--out", "chained.pem", "--with-chain").stdout
    certificate = cli.json("rosa", "certificate", "show", "chained.pem")
    listed = cli.json("rosa", "certificate", "search", "chained.example")[0]
    assert told == f"chained.pem: certificate {listed['id']}, serial number {listed['serial']}, valid until {listed['not_after']}\n"
    outcome = cli.json("rosa", "certificate", "issue", "--procedure", "TLS server", "chained.csr", "--out", "again.pem")[0]
    assert (outcome["certificate"], outcome["serial"], outcome["not_after"]) == (listed["id"], listed["serial"], listed["not_after"])
    assert cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "chained.csr", "--out", "again.pem", "--quiet").stdout == ""
    cli.as_("rosa", "certificate", "export", certificate["id"], "--with-chain", "--out", "exported.pem")
    assert (cli.dir / "exported.pem").read_text() == (cli.dir / "chained.pem").read_text()
    pems = [x + "-----END CERTIFICATE-----\n" for x in (cli.dir / "chained.pem").read_text().split("-----END CERTIFICATE-----\n")[:-1]]
    assert len(pems) == 3 and pems[0] == (cli.dir / "again.pem").read_text()
    for name, text in zip(("leaf", "middle", "top"), pems):
        (cli.dir / f"chain-{name}.pem").write_text(text)
    subprocess.run(["openssl", "verify", "-CAfile", "chain-top.pem", "-untrusted", "chain-middle.pem", "chain-leaf.pem"], cwd=cli.dir,
                   check=True, capture_output=True)
    assert "PEM only" in cli.as_("rosa", "certificate", "export", "again.pem", "--with-chain", "--form", "der", code=2).stderr


def test_refusal_names_field_and_rule(cli):
    cli.csr("nameless", san=False)
    done = cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "nameless.csr", "--out", "nameless.pem", code=1)
    assert re.search(r"refused \(CHY-\d+\) csr\.subject_alternative_names: .* — alternative-names", done.stderr)
    assert not (cli.dir / "nameless.pem").exists()


def test_a_killed_batch_of_an_officer_issues_nothing_twice(cli):
    """rows=CM-I-21"""
    folder, out = cli.dir / "killed-in", cli.dir / "killed-out"
    folder.mkdir()
    for i in range(30):
        cli.csr(f"k{i}", folder=folder)
    officer, pin = cli.officers["rosa"]
    call = [CHANCERY, "certificate", "issue", "--procedure", "TLS server", "--folder", folder, "--out", out, "--officer", officer,
            "--pin-file", pin]

    def issued():
        return int(next(line.split()[1] for line in cli.as_("anna", "status").stdout.splitlines() if line.startswith("issued ")))

    before = issued()

    for wait in (0.05, 0.15, 0.3, 0.5, 0.8):
        one = subprocess.Popen(list(map(str, call)), cwd=cli.dir, env=cli.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        one.kill()
        one.wait()
    cli.as_("rosa", *call[1:9])
    assert issued() - before == 30 and len(list(out.glob("*.crt"))) == 30
    for f in out.glob("*.crt"):
        f.unlink()  # as if it had been killed after the answer came
    cli.as_("rosa", *call[1:9])
    assert issued() - before == 30 and len(list(out.glob("*.crt"))) == 30


def test_folder_by_session_goes_on_where_it_stopped(cli):
    folder, out = cli.dir / "in", cli.dir / "out"
    folder.mkdir()
    for i in range(12):
        cli.csr(f"h{i}", folder=folder)
    (folder / "broken.csr").write_text("no request")
    (folder / "notes.txt").write_text("not looked at")
    cli.as_("rosa", "issuing-session", "open", "--procedure", "TLS server", "--max", 20, "--hours", 1, "--out", "token")
    assert (cli.dir / "token").stat().st_mode & 0o777 == 0o600
    done = cli.run("certificate", "issue", "--session", "token", "--procedure", "TLS server", "--folder", folder, "--out", out,
                   code=1)
    assert "12 issued, 1 refused, 0 were there already" in done.stdout and "broken.csr" in done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if ".csr" in line]
    assert [line[1] for line in lines].count("issued") == 12 and all(line[4].endswith("Z") and line[5:] == ["-"] for line in lines if line[1] == "issued")
    assert [(line[1], line[5]) for line in lines if line[0].endswith("broken.csr")] == [("refused", "CHY-1100")]
    names = {p.name for p in out.iterdir()}
    assert names == {f"h{i}.crt" for i in range(12)}
    # one lost on the way: the very same certificate comes again
    before = (out / "h3.crt").read_text()
    (out / "h3.crt").unlink()
    (folder / "broken.csr").unlink()
    done = cli.run("certificate", "issue", "--session", "token", "--procedure", "TLS server", "--folder", folder, "--out", out)
    assert "1 issued, 0 refused, 11 were there already" in done.stdout
    assert (out / "h3.crt").read_text() == before


def test_folder_by_officer_in_one_signature(cli):
    folder, out = cli.dir / "in-officer", cli.dir / "out-officer"
    folder.mkdir()
    for i in range(5):
        cli.csr(f"o{i}", folder=folder)
    cli.csr("bad", san=False, folder=folder)
    items = json.loads(cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "--folder", folder, "--out", out,
                               "--json", code=1).stdout)
    assert sum("certificate" in i for i in items) == 5 and len(items) == 6
    assert {p.name for p in out.iterdir()} == {f"o{i}.crt" for i in range(5)}


def test_folder_loses_no_request(cli, tmp_path):
    """Names that differ in the ending only are refused before anything is signed; there already is what has the request's key."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    call = ["certificate", "issue", "--procedure", "TLS server", "--folder", folder, "--out", out]

    def other(path):
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "key",
                        "-subj", "/CN=other", "-addext", "subjectAltName=DNS:other.example", "-out", path], check=True, capture_output=True)

    first, between = cli.csr("a", folder=folder), cli.csr("a.b", folder=folder)
    other(folder / "a.req")
    done = cli.as_("rosa", *call, code=2)
    assert "would become one a.crt" in done.stderr and "a.csr" in done.stderr and "a.req" in done.stderr and list(out.iterdir()) == []
    # named one by one into a folder as well
    done = cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", first, folder / "a.req", "--out", out, code=2)
    assert "would become one a.crt" in done.stderr and list(out.iterdir()) == []
    (folder / "a.req").unlink()
    assert "2 issued, 0 refused, 0 were there already" in cli.as_("rosa", *call, "--with-chain").stdout
    assert "0 issued, 0 refused, 2 were there already" in cli.as_("rosa", *call).stdout
    # another request in its place, beside a new one
    before = (out / "a.crt").read_text()
    other(first)
    cli.csr("new", folder=folder)
    done = cli.as_("rosa", *call, code=1)
    assert "1 issued, 1 refused, 1 were there already" in done.stdout and "another key" in done.stderr and "a.crt" in done.stderr
    assert (out / "a.crt").read_text() == before and (out / "new.crt").exists()
    # what is there is no certificate
    (out / "a.b.crt").write_text("notes")
    cli.as_("rosa", "issuing-session", "open", "--procedure", "TLS server", "--max", 20, "--hours", 1, "--out", tmp_path / "token")
    done = cli.run(*call, "--session", tmp_path / "token", code=1)
    assert "0 issued, 2 refused, 1 were there already" in done.stdout and "holds no certificate" in done.stderr
    assert (out / "a.b.crt").read_text() == "notes" and between.exists()


def test_explain_by_file_serial_and_id(cli):
    cli.csr("explained")
    cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "explained.csr", "--out", "explained.pem")
    by_file = cli.json("rosa", "explain", "explained.pem")
    serial = subprocess.run(["openssl", "x509", "-in", cli.dir / "explained.pem", "-noout", "-serial"], capture_output=True,
                            text=True, check=True).stdout.strip().split("=")[1]
    number = by_file["certificate"]["id"]
    for how in (serial, ":".join(re.findall("..", serial)).lower(), number):
        assert cli.json("rosa", "explain", how)["certificate"]["id"] == number
    text = cli.as_("rosa", "explain", number).stdout
    for part in ("first-in-list", "+ proof-of-possession", "TLS server, version 1", "rosa", "signature verified", "position"):
        assert part in text
    assert "CHY-" in cli.as_("rosa", "explain", "00ff", code=1).stderr
    assert "neither a file" in cli.as_("rosa", "explain", "what is this", code=2).stderr


# ---- the journal ----

def test_journal_verifies_live_and_elsewhere(cli):
    cli.csr("proven")
    cli.as_("rosa", "certificate", "issue", "--procedure", "TLS server", "proven.csr", "--out", "proven.pem")
    rest(cli)
    done = cli.as_("anna", "journal", "verify")
    assert "Everything holds" in done.stdout and "account for each other" in done.stdout
    cli.as_("anna", "journal", "export", "--out", "export.jsonl")
    alone = {k: v for k, v in cli.env.items() if k not in ("CHANCERY_SERVER", "CHANCERY_CA")}
    done = subprocess.run([CHANCERY, "journal", "verify", "--file", "export.jsonl", "--root", cli.world.dir / "root.pem"],
                          cwd=cli.dir, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Everything holds" in done.stdout, done.stdout + done.stderr
    assert "Proven: certificate" in cli.as_("anna", "journal", "prove", "proven.pem").stdout
    # another root; a line less; an altered one
    assert cli.run("journal", "verify", "--file", "export.jsonl", "--root", "proven.pem", code=1).stderr
    lines = (cli.dir / "export.jsonl").read_text().splitlines(True)
    for i in range(1, len(lines) - 1, 7):
        if lines[i].startswith('{"type":"head"') and not lines[i + 1].startswith('{"type":"document"'):
            continue
        (cli.dir / "less.jsonl").write_text("".join(lines[:i] + lines[i + 1:]))
        cli.run("journal", "verify", "--file", "less.jsonl", code=1)
        spoilt = lines[i][:-20] + ("A" if lines[i][-20] != "A" else "B") + lines[i][-19:]
        (cli.dir / "other.jsonl").write_text("".join(lines[:i] + [spoilt] + lines[i + 1:]))
        cli.run("journal", "verify", "--file", "other.jsonl", code=1)


def test_wrong_root_is_refused_by_tls(cli):
    cli.csr("alien")
    subprocess.run(["openssl", "req", "-x509", "-key", "tls.key", "-subj", "/CN=Another root", "-days", "5", "-out",
                    "alien.pem"], cwd=cli.dir, check=True, capture_output=True)
    done = cli.run("status", "--ca", "alien.pem", code=1)
    assert "not trusted" in done.stderr and "--ca FILE" in done.stderr


# ---- PINs, settings, usage ----

def terminal(args, answers, env, cwd):
    """Runs on a terminal of its own and types the answers as they are asked for; (exit code, what was seen)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(str(CHANCERY), [str(a) for a in [CHANCERY, *args]], {k: str(v) for k, v in env.items()})
    seen, end = "", time.monotonic() + 60
    for prompt, answer in answers:
        while prompt not in seen.split("\0")[-1] and time.monotonic() < end:
            if select.select([fd], [], [], 0.2)[0]:
                seen += os.read(fd, 4096).decode()
        time.sleep(0.2)
        os.write(fd, (answer + "\n").encode())
        seen += "\0"
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data.decode()
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen


def test_pin_is_asked_without_echo(cli):
    officer, pin = cli.officers["anna"]
    secret = pin.read_text().strip()
    code, seen = terminal(["whoami", "--officer", officer], [(f"Password for {officer}", secret)], cli.env, cli.dir)
    assert code == 0 and "anna" in seen and secret not in seen, seen
    code, seen = terminal(["whoami", "--officer", officer], [("Password for", "wrong")], cli.env, cli.dir)
    assert code == 1 and "CHY-" in seen
    code, seen = terminal(["officer", "keygen", "--out", "asked.key"], [("New password", "one"), ("once more", "two")], cli.env,
                          cli.dir)
    assert code == 1 and "not the same" in seen and not (cli.dir / "asked.key").exists()


def test_second_officer_is_asked_on_the_terminal(cli):
    waiting = cli.json("anna", "domain", "create", "--name", "Asked")
    officer, pin = cli.officers["ben"]
    args = ["request", "sign", waiting["id"], "--officer", officer, "--pin-file", pin]
    code, seen = terminal(args, [("[y/N]", "n")], cli.env, cli.dir)
    assert code == 1 and "nothing was signed" in seen
    code, seen = terminal(args, [("[y/N]", "y")], cli.env, cli.dir)
    assert code == 0 and "done" in seen and "Name: Asked" in seen


def test_pin_sources(cli):
    officer, pin = cli.officers["anna"]
    with open(pin, encoding="utf-8") as f:
        fd = f.fileno()
        done = subprocess.run([CHANCERY, "whoami", "--officer", officer, "--pin-fd", str(fd)], env=cli.env, pass_fds=[fd],
                              capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "anna" in done.stdout
    assert "everybody on this machine" in cli.run("whoami", "--officer", officer, "--pin", "x", code=2).stderr
    (cli.dir / "empty.pin").write_text("\n")
    assert "empty" in cli.run("whoami", "--officer", officer, "--pin-file", "empty.pin", code=1).stderr
    detached = subprocess.run([CHANCERY, "whoami", "--officer", officer], env=cli.env, stdin=subprocess.DEVNULL,
                              start_new_session=True, capture_output=True, text=True, check=False)
    assert detached.returncode == 1 and "no terminal" in detached.stderr


def test_settings_file(cli):
    folder = cli.dir / ".config/chancery"
    folder.mkdir(parents=True)
    officer, pin = cli.officers["anna"]
    (folder / "cli.ini").write_text(f"[cli]\nserver = {cli.env['CHANCERY_SERVER']}\nca = {cli.env['CHANCERY_CA']}\n"
                                    f"officer = {officer}\npin_file = {pin}\n")
    bare = {k: v for k, v in cli.env.items() if not k.startswith("CHANCERY_")}
    done = subprocess.run([CHANCERY, "doctor"], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "as anna" in done.stdout, done.stdout + done.stderr
    (folder / "cli.ini").write_text("[cli]\nserver = x\npin = 1234\n")
    done = subprocess.run([CHANCERY, "status"], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "1234" not in done.stderr and "CHY-1877" in done.stderr
    (folder / "cli.ini").unlink()


def test_wrong_usage_of_every_command_ends_with_2(cli, tmp_path):
    cli.run("help", "--man", tmp_path)
    commands = set()
    for page in tmp_path.glob("chancery-*.1"):
        for line in page.read_text().splitlines():
            if line.startswith(".SS chancery "):
                words = line.replace("\\-", "-").replace("[", "").split()[2:]
                commands.add(tuple(w for w in words if re.fullmatch("[a-z][a-z0-9-]*", w)))
    assert len(commands) > 70
    for words in commands:
        done = cli.run(*words, "--no-such-option", code=2)
        assert done.stderr.startswith("chancery: ") and not done.stdout
        assert cli.run(*words, "--help").stdout.startswith(f"Usage: chancery {' '.join(words)}")
    assert "did you mean" in cli.run("tokn-procedure", "list", code=2).stderr
    assert 'did you mean "token-procedure"' in cli.run("help", "tokn-procedure", code=2).stderr
    assert 'did you mean "issue"' in cli.run("help", "certificate", "isue", code=2).stderr


def test_answers_for_programs_are_json(cli):
    for call in (["status"], ["whoami"], ["officer", "list"], ["request", "list"], ["journal", "head"], ["doctor"],
                 ["format", "show", "TLS server"], ["domain", "list"]):
        cli.json("anna", *call)
    assert len(cli.json("anna", "officer", "list", "--limit", 2)) == 2
    readiness = cli.json("anna", "status")["readiness"]
    assert readiness["ready"] is True and all(check["ok"] for check in readiness["checks"]) and readiness["checks"]


def test_a_reader_who_goes_ends_it_quietly(cli, tmp_path):
    """As behind "| head": by SIGPIPE, without a word; a full disk is a failure still."""
    for args in (["help"], ["officer", "list", "--officer", cli.officers["anna"][0], "--pin-file", cli.officers["anna"][1]]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([CHANCERY, *map(str, args)], stdout=writing, stderr=subprocess.PIPE, text=True, cwd=cli.dir, env=cli.env,
                              timeout=60)
        os.close(writing)
        assert (done.returncode, done.stderr) == (-signal.SIGPIPE, "")
    with open("/dev/full", "w") as full:
        done = subprocess.run([CHANCERY, "help"], stdout=full, stderr=subprocess.PIPE, text=True, env=cli.env, timeout=60)
    assert done.returncode == 1 and "CHY-1019" in done.stderr
    # what fails is told although nobody reads the rest
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([CHANCERY, "officer", "show", "Nobody", "--officer", str(cli.officers["anna"][0]), "--pin-file",
                           str(cli.officers["anna"][1])], stdout=writing, stderr=subprocess.PIPE, text=True, cwd=cli.dir, env=cli.env,
                          timeout=60)
    os.close(writing)
    assert done.returncode == 1 and "CHY-" in done.stderr


def test_shell_completion_works_in_bash(cli):
    script = cli.run("completion", "bash").stdout
    ask = script + '\nCOMP_WORDS=(chancery token-procedure cr) COMP_CWORD=2; _chancery; echo "${COMPREPLY[@]}"\n' \
                   'COMP_WORDS=(chancery token-procedure create --stor) COMP_CWORD=3; _chancery; echo "${COMPREPLY[@]}"\n' \
                   'COMP_WORDS=(chancery token-procedure create --storage-profile pkcs1) COMP_CWORD=4; _chancery; ' \
                   'echo "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash"], input=ask, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["create", "--storage-profile", "pkcs12 pkcs10"]


# ---- keys in tokens ----

def test_officer_with_a_key_in_a_token(cli, softhsm):
    cli.run("officer", "keygen", "--out", "carla.key", "--subject", "CN=carla", "--request", "carla.csr", "--pin-file",
            cli.officers["anna"][1])
    cli.as_("rosa", "certificate", "issue", "--procedure", "Officer", "carla.csr", "--out", "carla.crt")
    pem = subprocess.run(["openssl", "pkcs8", "-in", "carla.key", "-passin", f"file:{cli.officers['anna'][1]}"], cwd=cli.dir,
                         check=True, capture_output=True).stdout
    (cli.dir / "carla.p8").write_bytes(pem)
    softhsm.new_token("carla-2", "4711")
    subprocess.run(["softhsm2-util", "--import", "carla.p8", "--token", "carla-2", "--label", "carla", "--id", "b1", "--pin",
                    "4711"], cwd=cli.dir, check=True, capture_output=True)
    subprocess.run(["pkcs11-tool", "--module", softhsm.module, "--login", "--pin", "4711", "--token-label", "carla-2",
                    "--write-object", "carla.crt", "--type", "cert", "--id", "b1", "--label", "carla"], cwd=cli.dir, check=True,
                   capture_output=True)
    cli.as_("anna", "officer", "create", "--name", "carla", "--profile", "Registration officer", "--certificate-file",
            "carla.crt", co="ben")
    (cli.dir / "carla.pin").write_text("4711\n")
    env = {"SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"]}
    key = ["--officer", "pkcs11:token=carla-2;object=carla", "--pkcs11-module", softhsm.module]
    assert "carla" in cli.run("whoami", *key, "--pin-file", "carla.pin", env=env).stdout
    cli.csr("by-token")
    cli.run("certificate", "issue", "--procedure", "TLS server", "by-token.csr", "--out", "by-token.pem", *key, "--pin-file",
            "carla.pin", env=env)
    (cli.dir / "wrong.pin").write_text("0000\n")
    assert "CHY-1405" in cli.run("whoami", *key, "--pin-file", "wrong.pin", env=env, code=1).stderr
    assert "pin-value" in cli.run("whoami", "--officer", "pkcs11:token=carla-2;object=carla?pin-value=4711", env=env,
                                  code=1).stderr
    gone = ["--officer", "pkcs11:token=nobody;object=carla", "--pkcs11-module", softhsm.module]
    assert "CHY-14" in cli.run("whoami", *gone, "--pin-file", "carla.pin", env=env, code=1).stderr


def test_session_token_is_shown_once_and_limited(cli):
    cli.csr("limited")
    token = cli.as_("rosa", "issuing-session", "open", "--procedure", "TLS server", "--max", 1, "--quiet").stdout.split()[-1]
    (cli.dir / "one").write_text(token)
    cli.run("certificate", "issue", "--session", "one", "--procedure", "TLS server", "limited.csr", "--out", "limited.pem")
    cli.csr("second")
    done = cli.run("certificate", "issue", "--session", "one", "--procedure", "TLS server", "second.csr", code=1)
    assert "refused (CHY-" in done.stderr


# ---- altered behind the server's back; last, for nothing heals it ----

def test_altered_store_is_found(cli):
    rest(cli)
    cli.as_("anna", "journal", "verify")
    db = sqlite3.connect(cli.world.dir / "chancery.db", timeout=20)
    row, der = db.execute("SELECT rowid, der FROM certificate_der ORDER BY rowid DESC LIMIT 1").fetchone()
    db.execute("UPDATE certificate_der SET der = ? WHERE rowid = ?", (der[:-1] + bytes([der[-1] ^ 1]), row))
    db.commit()
    done = cli.as_("anna", "journal", "verify", code=1)
    assert "what the store has is not what the journal says" in done.stdout
    findings = [json.loads(line) for line in cli.as_("anna", "journal", "verify", "--json", code=1).stdout.splitlines()]
    assert findings[0]["code"] == "CHY-1882" and findings[-1]["findings"] == 1
    db.execute("UPDATE certificate_der SET der = ? WHERE rowid = ?", (der, row))
    db.commit()
    cli.as_("anna", "journal", "verify")
    db.close()
