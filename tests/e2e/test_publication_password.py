"""Publication by an officer who manages revocation passwords too, and the command line."""
import hashlib
import sqlite3
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

import world
from publishing import open_desk, refused, stored_serial
from test_cli import Cli
from test_tokens import bring, form_of



@pytest.fixture(scope="module")
def desk(module_scratch):
    d = open_desk(module_scratch)
    try:
        d.file_rule("Files", d.public)
        d.procedure("Files", "Files")
        d.procedure("Freely", "Files", password_needed=False)
        d.document("officer-profile", name="Both", entity_type="dynamic-token",
                   roles=["use-clients", "issue-certificate", "publish-certificate", "manage-revocation-password"])
        d.document("officer-profile", name="Passwords alone", entity_type="dynamic-token", roles=["use-clients", "manage-revocation-password"])
        for slot, name, profile in (("bo", "Bo Both", "Both"), ("pia", "Pia Password", "Passwords alone")):
            d.house.officers[slot] = d.house.make_officer(name, profile, d.anna, d.ben, issuer=d.rosa)
        d.bo = d.house.officers["bo"]
        yield d
    finally:
        d.house.stop()


def password_of(desk, certificate):
    db = sqlite3.connect(f"file:{desk.house.dir}/chancery.db?mode=ro", uri=True)
    try:
        row = db.execute("SELECT revocation_password, publication FROM certificate_choice WHERE certificate = ?", (certificate,)).fetchone()
    finally:
        db.close()
    return row


def publish_with(desk, *certificates, password=None, choice=None, officer=None, procedure="Files", forged=None):
    body = {"publication_procedure": procedure, "certificates": list(certificates)}
    form = form_of(password) if password else None
    if form:
        body.update(revocation_password="set", revocation_password_sha256=hashlib.sha256(form.encode()).hexdigest())
    elif choice:
        body["revocation_password"] = choice
    officer = officer or desk.bo
    request = desk.house.prepare(officer, "certificate.publish", body)
    done = bring(desk.house, officer, request, {"revocation_password": forged or form} if form else None)
    return done["result"]["certificates"], form


def test_set_stores_and_overwrites(desk):
    """rows=CM-P-09"""
    made = [desk.certificate()[0] for _ in range(2)]
    _, first = publish_with(desk, *made, password="first password")
    assert [password_of(desk, n) for n in made] == [(first, 1)] * 2
    _, second = publish_with(desk, made[0], password="second password")
    assert password_of(desk, made[0])[0] == second and password_of(desk, made[1])[0] == first


def test_delete_removes(desk):
    """By the same rule what is published afterwards has one: only where the procedure says otherwise. rows=CM-P-10,CM-P-12"""
    number, _ = desk.certificate()
    publish_with(desk, number, password="a password")
    problem = refused("CHY-1919", publish_with, desk, number, choice="delete")
    assert problem["rule"] == "revocation-password" and password_of(desk, number)[0]
    publish_with(desk, number, choice="delete", procedure="Freely")
    assert password_of(desk, number) == ("", 1)


def test_keep_changes_nothing(desk):
    """rows=CM-P-11,CM-P-12"""
    number, _ = desk.certificate()
    refused("CHY-1919", publish_with, desk, number, choice="keep")
    refused("CHY-1919", publish_with, desk, number)
    _, form = publish_with(desk, number, password="a password")
    for choice in ("keep", None):
        publish_with(desk, number, choice=choice)
        assert password_of(desk, number)[0] == form
    bare, _ = desk.certificate()
    publish_with(desk, bare, choice="keep", procedure="Freely")
    assert password_of(desk, bare) is None


def test_some_have_one_and_some_do_not(desk):
    """Each has its own outcome. rows=CM-P-12"""
    one, other = desk.certificate()[0], desk.certificate()[0]
    publish_with(desk, one, password="a password")
    outcomes, _ = publish_with(desk, one, other, choice="keep")
    assert outcomes[0]["deliveries"] and outcomes[1]["problem"]["code"] == "CHY-1919"
    assert desk.deliveries(certificate=other) == []


def test_only_who_manages_passwords_chooses(desk):
    """rows=CM-P-08"""
    number, _ = desk.certificate()
    for choice in ("delete", "set"):
        body = {"publication_procedure": "Files", "certificates": [number], "revocation_password": choice}
        if choice == "set":
            body["revocation_password_sha256"] = "0" * 64
        refused("CHY-1601", desk.house.prepare, desk.rosa, "certificate.publish", body)
    desk.publish("Files", number)  # hers goes out without a password
    assert password_of(desk, number) is None
    refused("CHY-1601", publish_with, desk, number, officer=desk.house.officers["pia"])


def test_the_signature_binds_the_password(desk):
    number, _ = desk.certificate()
    refused("CHY-1771", publish_with, desk, number, password="a password", forged=form_of("another password"))
    assert password_of(desk, number) is None and desk.deliveries(certificate=number) == []


def test_the_journal_has_the_choice(desk):
    number, _ = desk.certificate()
    _, form = publish_with(desk, number, password="a password for the journal")
    desk.house.wait_sequenced()
    export = desk.house.export().decode()
    assert form not in export and "a password for the journal" not in export
    assert '\\"revocation_password\\":\\"set\\"' in export or '"revocation_password":"set"' in export


def test_when_it_was_published(desk):
    """Stored, and certificates are found by it. rows=CM-P-14"""
    number, _ = desk.certificate()
    procedure = desk.procedure("By time", "Files")
    outcomes = desk.publish("By time", number)
    assert outcomes
    items = desk.house.call("GET", f"/api/v1/publications?procedure={procedure}", officer=desk.rosa)["items"]
    assert [(i["certificate"], i["withdrawn"]) for i in items] == [(number, False)]
    at = items[0]["at"]
    for query, found in ((f"from={at}", 1), (f"to={at}", 0), ("from=2039-01-01T00:00:00Z", 0), ("from=2020-01-01T00:00:00Z&to=2039-01-01T00:00:00Z", 1)):
        assert len(desk.house.call("GET", f"/api/v1/publications?procedure={procedure}&{query}", officer=desk.rosa)["items"]) == found, query
    desk.publish("By time", number, act="certificate.unpublish")
    assert desk.house.call("GET", f"/api/v1/publications?procedure={procedure}", officer=desk.rosa)["items"][0]["withdrawn"]


# ---- the command line ----

@pytest.fixture(scope="module")
def cli(desk):
    c = Cli(desk.house)
    for slot in ("rosa", "bo", "anna", "ben"):
        o = desk.house.officers[slot]
        key = serialization.load_pem_private_key(o.key_file.read_bytes(), None)
        pin, path = c.dir / f"{slot}.pin", c.dir / f"{slot}.p12"
        pin.write_text("a pin\n")
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, o.cert, None, serialization.BestAvailableEncryption(b"a pin")))
        c.officers[slot] = (path, pin)
    return c


def test_at_the_command_line(desk, cli):
    """The actions there are, publishing by one of them, the queue, how it ends. rows=CM-P-02"""
    listed = cli.as_("rosa", "publication-procedure", "list").stdout
    assert "Files" in listed and "Freely" in listed
    number, der = desk.certificate()
    told = cli.as_("rosa", "certificate", "publish", "--procedure", "Files", number)
    assert "Publish - Files" in told.stdout + told.stderr and f"Certificate {number} is queued: 1 delivery" in told.stdout
    desk.wait(number)
    assert (desk.public / f"{stored_serial(der)}.cer").exists()
    rows = cli.json("rosa", "publication", "list", "--certificate", number)
    assert [r["state"] for r in rows] == ["done"]
    listed = cli.as_("rosa", "publication", "list", "--certificate", number).stdout
    assert "Files" in listed and " publish " in listed
    cli.as_("rosa", "certificate", "export", number, "--out", "listed.pem")
    assert cli.json("rosa", "publication", "list", "--certificate", "listed.pem") == rows
    assert cli.json("anna", "publication", "list", "--certificate", "listed.pem", "--destination", "Files") == rows
    assert "Files" in cli.as_("anna", "publication", "destinations").stdout
    assert str(number) in cli.as_("rosa", "publication", "published", "--procedure", "Files").stdout
    explained = cli.as_("rosa", "explain", number).stdout
    assert "Published" in explained and "Files" in explained
    cli.as_("rosa", "certificate", "unpublish", "--procedure", "Files", stored_serial(der))
    desk.wait(number)
    assert not (desk.public / f"{stored_serial(der)}.cer").exists()


def test_a_wrong_pin_sends_nothing(desk, cli):
    """rows=CM-P-13"""
    number, _ = desk.certificate()
    wrong = cli.dir / "wrong.pin"
    wrong.write_text("another pin\n")
    cli.run("certificate", "publish", "--procedure", "Files", number, "--officer", cli.officers["rosa"][0], "--pin-file", wrong, code=1)
    assert desk.deliveries(certificate=number) == []


def test_passwords_at_the_command_line(desk, cli):
    number, _ = desk.certificate()
    done = cli.as_("bo", "certificate", "publish", "--procedure", "Files", number, code=1)
    assert "CHY-1919" in done.stderr
    password = cli.dir / "revocation"
    password.write_text("a password of hers\n")
    cli.as_("bo", "certificate", "publish", "--procedure", "Files", "--revocation-password-file", password, number)
    assert password_of(desk, number)[0].startswith("$scrypt$")
    cli.as_("bo", "certificate", "publish", "--procedure", "Freely", "--delete-revocation-password", number)
    assert password_of(desk, number)[0] == ""
    cli.as_("bo", "certificate", "publish", "--procedure", "Freely", "--delete-revocation-password", "--keep-revocation-password", number, code=2)


def test_dead_letters_at_the_command_line(desk, cli):
    desk.file_rule("Elsewhere", "/nowhere", "{email}.cer")
    desk.procedure("Elsewhere", "Elsewhere")
    number, _ = desk.certificate()
    cli.as_("rosa", "certificate", "publish", "--procedure", "Elsewhere", number)
    desk.wait(number)
    dead = cli.json("rosa", "publication", "list", "--state", "dead")
    assert [d["object"] for d in dead] == [number]
    cli.as_("rosa", "publication", "retry", dead[0]["id"])
    desk.wait(number)
    cli.as_("rosa", "publication", "drop", dead[0]["id"])
    assert desk.wait(number)["Elsewhere"]["state"] == "dropped"
