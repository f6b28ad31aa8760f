"""Policy as code: export, diff, plan, apply, and what hostile folders do to them (nothing)."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import world


class Cli:
    """Officers' files and the command line of an installation."""

    def __init__(self, house, folder):
        self.house, self.dir = house, Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / "pin").write_text("secret")

    def p12(self, who):
        officer, out = self.house.officers[who], self.dir / f"{who}.p12"
        if not out.exists():
            subprocess.run(["openssl", "pkcs12", "-export", "-inkey", officer.key_file, "-in", officer.cert_file, "-out", out,
                            "-passout", "pass:secret"], check=True)
        return out

    def run(self, *args, code=0, who="anna", co=None):
        call = [world.CHANCERY, "--server", f"https://localhost:{self.house.tls_port}", "--ca", self.house.dir / "root.pem",
                "--officer", self.p12(who), "--pin-file", self.dir / "pin", *args]
        if co:
            call += ["--co-officer", self.p12(co), "--co-pin-file", self.dir / "pin"]
        done = subprocess.run([str(x) for x in call], capture_output=True, text=True, timeout=300, env=self.house.env)
        assert done.returncode == code, f"{args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *args, **kw):
        return json.loads(self.run(*args, "--json", **kw).stdout)


@pytest.fixture(scope="module")
def cli(sqlite_house):
    house = sqlite_house
    anna, ben = house.officers["anna"], house.officers["ben"]
    sweden = house.act("domain.create", {"name": "Sweden"}, anna, ben)["result"]["id"]
    house.act("domain.create", {"name": "A/B ~ 100%", "parent": sweden}, anna, ben)
    house.act("token-procedure.create", {"name": "TLS server", "domain": sweden, "storage_profile": "pkcs10",
                                         "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}, anna, ben)
    house.act("token-procedure.create", {"name": "../../etc/passwd", "storage_profile": "pkcs10",
                                         "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}, anna, ben)
    house.act("token-procedure.create", {"name": "ö" * 200, "storage_profile": "pkcs10",
                                         "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}, anna, ben)
    return Cli(house, house.folder / "cli")


@pytest.fixture
def folder(cli, tmp_path):
    cli.run("policy", "export", tmp_path / "policy")
    return tmp_path / "policy"


def edit(path, **members):
    body = json.loads(path.read_text())
    body.update(members)
    path.write_text(json.dumps({k: v for k, v in body.items() if v is not None}))


def new(folder, kind, name, like=None, **members):
    path = folder / kind / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    body = json.loads((folder / kind / f"{like}.json").read_text()) if like else {}
    body.update(members, name=name)
    path.write_text(json.dumps(body))
    return path


def test_an_export_is_readable(cli, folder):
    text = (folder / "token-procedure/TLS server.json").read_text()
    body = json.loads(text)
    assert body["certificate_procedures"] == ["TLS server"] and "id" not in body and "domain" not in body
    assert list(body) == sorted(body), "the order of RFC 8785"
    assert text.startswith('{\n  "') and text.endswith("}\n")
    assert (folder / "domain/Sweden/A%2FB %7E 100%25.json").exists()
    assert (folder / "token-procedure/Sweden/TLS server.json").exists()
    assert (folder / "token-procedure/%2E.%2F..%2Fetc%2Fpasswd.json").exists()
    long = [p.name for p in (folder / "token-procedure").iterdir() if p.name.startswith("ö")]
    assert len(long) == 1 and len(long[0].encode()) < 255 and "~" in long[0]
    for kind in ("ca-key", "authority", "officer", "officer-profile", "format", "certificate-procedure"):
        assert any((folder / kind).iterdir()), kind
    assert "certificate" not in json.loads((folder / "officer/Anna Admin.json").read_text())
    assert not list(folder.rglob("*.tmp")) and not (folder.parent / "etc").exists()


def test_an_export_is_no_difference_and_again_the_same_bytes(cli, folder):
    assert cli.json("policy", "diff", folder) == []
    before = {p: p.read_bytes() for p in folder.rglob("*.json")}
    (folder / "token-procedure/gone.json").write_text('{"name": "gone"}')
    cli.run("policy", "export", folder)
    assert {p: p.read_bytes() for p in folder.rglob("*.json")} == before, "and what is no more was removed"


def test_diff_shows_each_member_and_ends_as_diff_does(cli, folder):
    edit(folder / "certificate-procedure/TLS server.json", validity="P30D", key_usage=["digitalSignature", "keyAgreement"])
    (folder / "token-procedure/Sweden/TLS server.json").unlink()
    new(folder, "token-procedure", "Quite new", like="TLS server")
    found = {d["file"]: d for d in cli.json("policy", "diff", folder, code=1)}
    assert {f: d["state"] for f, d in found.items()} == {
        "certificate-procedure/TLS server.json": "modify", "token-procedure/Sweden/TLS server.json": "only-in-force",
        "token-procedure/Quite new.json": "create"}
    changed = {d["field"]: (d["in_force"], d["folder"]) for d in found["certificate-procedure/TLS server.json"]["difference"]}
    assert changed == {"validity": ("P90D", "P30D"), "key_usage": (["digitalSignature"], ["digitalSignature", "keyAgreement"])}
    shown = cli.run("policy", "diff", folder, code=1).stdout
    assert "validity: P90D -> P30D" in shown
    cli.run("policy", "diff", folder, "--only", "authority")
    cli.run("policy", "diff", folder.parent / "nowhere", code=2)


def test_defaults_and_other_writings_are_no_difference(cli, folder):
    path = folder / "token-procedure/TLS server.json"
    edit(path, state=None, visible_in_subdomain=None)
    edit(folder / "certificate-procedure/TLS server.json", extended_key_usage=["1.3.6.1.5.5.7.3.1"])
    cli.run("policy", "diff", folder)


def test_plan_and_apply_in_the_order_of_need(cli, folder):
    """Two officers, one after the other: what needs the first one's documents comes later."""
    new(folder, "token-procedure", "Later", like="TLS server", certificate_procedures=["Needed"])
    new(folder, "certificate-procedure", "Needed", like="TLS server", validity="P10D")
    new(folder, "certificate-procedure", "Unfinished", like="TLS server", validity=None)
    path = folder / "certificate-procedure/Unfinished.json"
    edit(path, validity=None)
    plan = cli.json("policy", "plan", folder)
    assert [(p["file"], p["act"], p["signatures"], p["step"], p["waits_for"]) for p in plan] == [
        ("certificate-procedure/Needed.json", "certificate-procedure.create", 2, 1, None),
        ("certificate-procedure/Unfinished.json", "certificate-procedure.create", 0, 1, None),
        ("token-procedure/Later.json", "token-procedure.create", 2, 2, "certificate-procedure/Needed.json")]
    assert plan[0]["roles"] == ["use-awb", "policy-tasks"] and plan[1]["state"] == "incomplete"
    first = {o["file"]: o for o in cli.json("policy", "apply", folder, "--yes")}
    assert first["certificate-procedure/Needed.json"]["outcome"] == "waiting"
    assert first["certificate-procedure/Unfinished.json"]["outcome"] == "draft"
    assert first["token-procedure/Later.json"]["outcome"] == "later"
    again = {o["file"]: o for o in cli.json("policy", "apply", folder, "--yes")}
    assert again["certificate-procedure/Needed.json"]["outcome"] == "waits", "not asked for twice"
    edit(folder / "certificate-procedure/Needed.json", validity="P11D")
    other = {o["file"]: o for o in cli.json("policy", "apply", folder, "--yes", code=1)}
    assert other["certificate-procedure/Needed.json"]["outcome"] == "refused", "what waits is not what the folder says"
    assert str(first["certificate-procedure/Needed.json"]["request"]) in other["certificate-procedure/Needed.json"]["why"]
    edit(folder / "certificate-procedure/Needed.json", validity="P10D")
    drafts = cli.house.call("GET", "/api/v1/drafts/certificate-procedure", officer=cli.house.officers["anna"])["items"]
    assert [d["name"] for d in drafts].count("Unfinished") == 1
    cli.run("request", "sign", first["certificate-procedure/Needed.json"]["request"], "--yes", who="ben")
    third = {o["file"]: o for o in cli.json("policy", "apply", folder, "--yes")}
    assert third["token-procedure/Later.json"]["outcome"] == "waiting" and "certificate-procedure/Needed.json" not in third
    cli.run("request", "sign", third["token-procedure/Later.json"]["request"], "--yes", who="ben")
    path.unlink()
    cli.run("policy", "diff", folder)


def test_both_officers_at_one_desk_apply_all_at_once(cli, folder):
    new(folder, "domain", "Norway")
    (folder / "domain/Norway").mkdir()
    new(folder, "domain/Norway", "Oslo")
    (folder / "token-procedure/Norway/Oslo").mkdir(parents=True)
    new(folder / "token-procedure", "Norway/Oslo", "Web", storage_profile="pkcs10", issuer_certificates="none",
        certificate_procedures=["Norway web"])
    new(folder, "certificate-procedure", "Norway web", like="TLS server")
    edit(folder / "token-procedure/TLS server.json", issuer_certificates="root")
    outcome = cli.json("policy", "apply", folder, "--yes", co="ben")
    assert {o["outcome"] for o in outcome} == {"done"} and len(outcome) == 5
    cli.run("policy", "diff", folder)
    edit(folder / "token-procedure/TLS server.json", issuer_certificates="none")
    cli.run("policy", "apply", folder, "--yes", co="ben")


def test_an_officer_without_the_role_applies_nothing(cli, folder):
    edit(folder / "token-procedure/TLS server.json", issuer_certificates="all")
    done = cli.run("policy", "apply", folder, "--yes", who="rosa", code=1)
    assert "CHY-1601" in done.stderr and "use-awb" in done.stderr


# ---- hostile folders ----

def broken(cli, folder, *expected, verbs=("diff", "plan", "apply")):
    """Every verb refuses, names what is wrong, and asks the server for nothing."""
    before = cli.house.call("GET", "/api/v1/requests?limit=1000", officer=cli.house.officers["anna"])
    for verb in verbs:
        done = cli.run("policy", verb, folder, *(["--yes"] if verb == "apply" else []), code=2 if verb == "diff" else 1)
        for text in expected:
            assert text in done.stderr, (verb, done.stderr)
    assert cli.house.call("GET", "/api/v1/requests?limit=1000", officer=cli.house.officers["anna"]) == before


TOKEN = "token-procedure/TLS server.json"


@pytest.mark.parametrize("members,expected", [
    ({"nonsense": 1}, ("nonsense",)),
    ({"storage_profile": "floppy"}, ("storage_profile",)),
    ({"certificate_procedures": ["No such"]}, ("certificate_procedures[0]", "No such")),
    ({"certificate_procedures": ["../TLS server"]}, ("certificate_procedures[0]",)),
    ({"certificate_procedures": [{"a": 1}]}, ("certificate_procedures[0]",)),
    ({"certificate_procedures": "TLS server"}, ("certificate_procedures",)),
    ({"name": "Another"}, ("name", "Another.json")),
    ({"name": 7}, ("name",)),
    ({"name": None}, ("name",)),
    ({"domain": "Sweden"}, ("domain",)),
    ({"state": "sleeping"}, ("state",)),
    ({"storage_profile": None}, ("storage_profile",)),
], ids=range(12))
def test_an_error_names_file_and_field(cli, folder, members, expected):
    edit(folder / TOKEN, **members)
    broken(cli, folder, TOKEN, *expected, verbs=("diff", "apply"))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": "TLS server", "name": "TLS server"}', '{"name": "TLS server"} x', "\x00",
                                  '{"name": "\ud800"}', "[" * 10000, '{"name": 1e3}', " " * (2 << 20)],
                         ids=range(10))
def test_what_is_no_document(cli, folder, text):
    (folder / TOKEN).write_bytes(text.encode("utf-8", "surrogatepass"))
    broken(cli, folder, TOKEN, verbs=("diff",))


def test_links_devices_and_strangers(cli, folder):
    (folder / TOKEN).unlink()
    (folder / TOKEN).symlink_to("/etc/passwd")
    broken(cli, folder, TOKEN, "symbolic link")
    (folder / TOKEN).unlink()
    os.mkfifo(folder / TOKEN)
    broken(cli, folder, TOKEN, verbs=("diff",))
    (folder / TOKEN).unlink()
    (folder / "token-procedure/Nowhere").mkdir()
    new(folder / "token-procedure", "Nowhere", "Web", storage_profile="pkcs10", issuer_certificates="none",
        certificate_procedures=["TLS server"])
    broken(cli, folder, "token-procedure/Nowhere/Web.json", 'no domain "Nowhere"', verbs=("diff",))
    shutil.rmtree(folder / "token-procedure/Nowhere")
    (folder / "token-procedure/notes.txt").write_text("hello")
    broken(cli, folder, "token-procedure/notes.txt", verbs=("diff",))
    (folder / "token-procedure/notes.txt").unlink()
    (folder / "tokens").mkdir()
    broken(cli, folder, "tokens", verbs=("diff",))
    (folder / "tokens").rmdir()
    (folder / "format").rename(folder.parent / "elsewhere")
    (folder / "format").symlink_to(folder.parent / "elsewhere")
    broken(cli, folder, "format", verbs=("diff",))
    (folder / "policy.json").write_text('{"format": "chancery-policy/9"}')
    broken(cli, folder, "policy.json", verbs=("diff",))


def test_an_export_writes_through_no_link_and_into_no_stranger(cli, folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / TOKEN).unlink()
    (folder / TOKEN).symlink_to(victim)
    cli.run("policy", "export", folder)
    assert victim.read_text() == "precious" and not (folder / TOKEN).is_symlink()
    shutil.rmtree(folder / "token-procedure")
    (tmp_path / "other").mkdir()
    (folder / "token-procedure").symlink_to(tmp_path / "other")
    cli.run("policy", "export", folder, code=1)
    assert not any((tmp_path / "other").iterdir())
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").write_text("dear")
    assert "policy.json" in cli.run("policy", "export", tmp_path / "home", code=1).stderr
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["letter"]


def test_circles(cli, folder):
    """Two new authorities that issue each other."""
    for name, other in (("Hen", "Egg"), ("Egg", "Hen")):
        new(folder, "authority", name, like="Issuing CA", issuing_authority=other, subject=f"CN={name}", path_length=None)
    broken(cli, folder, "authority/", "need one another", verbs=("diff", "plan"))


def test_keys_are_named_but_not_copied(cli, folder):
    new(folder, "ca-key", "Another key", like="Root key")
    new(folder, "authority", "Another CA", like="Issuing CA", ca_key="Another key", subject="CN=Another CA")
    new(folder, "certificate-procedure", "By another", like="TLS server", authority="Another CA")
    plan = {p["file"]: p for p in cli.json("policy", "plan", folder)}
    assert plan["ca-key/Another key.json"]["state"] == plan["authority/Another CA.json"]["state"] == "by-hand"
    outcome = {o["file"]: o["outcome"] for o in cli.json("policy", "apply", folder, "--yes", co="ben")}
    assert outcome == {"ca-key/Another key.json": "by hand", "authority/Another CA.json": "by hand",
                       "certificate-procedure/By another.json": "later"}
    assert "cannot be copied" in cli.run("policy", "plan", folder).stdout


def test_ten_thousand_files(cli, folder):
    for i in range(10000):
        new(folder, "pin-procedure" if i % 2 else "domain", f"Many {i}", **({} if i % 2 == 0 else {
            "method": "shown", "length_min": 4, "length_max": 8, "generated_length": 6}))
    found = cli.json("policy", "diff", folder, code=1)
    assert len([d for d in found if d["path"].startswith("Many ")]) == 10000
    edit(folder / "domain/Many 5000.json", name="Many 4998")
    broken(cli, folder, "domain/Many 5000.json", "name", verbs=("plan",))


def test_round_trip_into_an_empty_installation(cli, folder, tmp_path):
    """Everything but the officers, whose certificates are the other installation's; keys are made anew."""
    other = world.World(tmp_path / "other")
    try:
        other.start().make_officers()
        there = Cli(other, tmp_path / "other-cli")
        assert there.run("policy", "diff", folder, "--without", "officer", code=1).stdout.count("by hand") >= 4
        there.run("policy", "apply", folder, "--yes", "--new-keys", "--without", "officer", co="ben")
        there.run("policy", "diff", folder, "--without", "officer")
        there.run("policy", "export", tmp_path / "second")
        for kind in folder.iterdir():
            if kind.is_dir() and kind.name != "officer":
                for path in kind.rglob("*.json"):
                    assert (tmp_path / "second" / path.relative_to(folder)).read_bytes() == path.read_bytes(), path
    finally:
        other.stop()
