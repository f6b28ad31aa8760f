"""Publication: officers' acts, the outbox, the distributor, and files and web servers at the other end."""
import base64
import datetime
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import targets
import world
from publishing import Desk, open_desk, refused, serial_of, stored_serial



@pytest.fixture(scope="module")
def desk(module_scratch):
    d = open_desk(module_scratch)
    try:
        yield d
    finally:
        d.house.stop()


@pytest.fixture(scope="module")
def authority():
    return targets.Authority()


@pytest.fixture(scope="module")
def web(module_scratch, authority):
    w = targets.Web(targets.free_folder(module_scratch / "web"), authority)
    try:
        yield w
    finally:
        w.stop()


# ---- files ----

def test_a_certificate_goes_into_a_file(desk):
    """One act, one procedure, many certificates; each in its form. rows=CM-P-03,CM-P-04"""
    folder = desk.public / "a"
    folder.mkdir()
    desk.file_rule("Files a", folder, "{serial}.cer")
    for form in ("der", "pem", "pem-chain"):
        desk.procedure(f"Files a, {form}", "Files a", form=form)
    made = [desk.certificate() for _ in range(3)]
    outcomes = desk.publish("Files a, der", *[i for i, _ in made])
    assert [o["certificate"] for o in outcomes] == [i for i, _ in made] and all(len(o["deliveries"]) == 1 for o in outcomes)
    for number, der in made:
        assert desk.wait(number)["Files a"]["state"] == "done"
        assert (folder / f"{stored_serial(der)}.cer").read_bytes() == der
    number, der = made[0]
    desk.publish("Files a, pem", number)
    desk.wait(number)
    text = (folder / f"{stored_serial(der)}.cer").read_bytes()
    assert x509.load_pem_x509_certificate(text).public_bytes(serialization.Encoding.DER) == der
    desk.publish("Files a, pem-chain", number)
    desk.wait(number)
    end = b"-----END CERTIFICATE-----\n"
    chain = [x509.load_pem_x509_certificate(p + end) for p in (folder / f"{stored_serial(der)}.cer").read_bytes().split(end) if p]
    assert [c.subject.rfc4514_string() for c in chain[1:]] == ["CN=Issuing CA,O=Test", "CN=Root CA,O=Test"]
    assert not [p for p in folder.iterdir() if p.name.startswith(".")], "nothing half-written is left"


def test_unpublish_and_publish_again(desk):
    """By the certificate's id, or by serial number in either notation. rows=CM-P-23"""
    folder = desk.public / "b"
    folder.mkdir()
    desk.file_rule("Files b", folder)
    desk.procedure("Files b", "Files b")
    number, der = desk.certificate()
    path, serial = folder / f"{stored_serial(der)}.cer", x509.load_der_x509_certificate(der).serial_number
    desk.publish("Files b", number)
    desk.wait(number)
    assert path.exists()
    desk.publish("Files b", {"authority": "Issuing CA", "serial": stored_serial(der)}, act="certificate.unpublish")
    desk.wait(number)
    assert not path.exists()
    desk.publish("Files b", {"authority": "Issuing CA", "serial_decimal": str(serial)})
    desk.wait(number)
    assert path.read_bytes() == der
    found = desk.deliveries(certificate=number)
    assert [d["removal"] for d in found] == [False, True, False] and all(d["state"] == "done" for d in found)
    refused("CHY-1921", desk.publish, "Files b", {"authority": "Issuing CA", "serial_decimal": str(serial + 1)})
    refused("CHY-1015", desk.publish, "Files b", {"authority": "Issuing CA", "serial_decimal": "12a"})


def test_issuing_publishes_by_itself(desk):
    """A certificate procedure's distribution rules, by officer and by session; both rows stand with the certificate.
    rows=CM-C-12"""
    for name in ("c1", "c2"):
        (desk.public / name).mkdir()
        desk.file_rule(f"Files {name}", desk.public / name, "{dns}.cer")
    desk.document("certificate-procedure", name="Published", authority="Issuing CA", format="TLS server",
                  key_usage=["digitalSignature"], extended_key_usage=["serverAuth"], validity="P90D",
                  distribution_rules=["Files c1", "Files c2"])
    desk.document("token-procedure", name="Published", storage_profile="pkcs10", issuer_certificates="none",
                  certificate_procedures=["Published"])
    number, der = desk.certificate(sans=["auto.example.org"], procedure="Published")
    assert {d["state"] for d in desk.wait(number).values()} == {"done"}
    for name in ("c1", "c2"):
        assert (desk.public / name / "auto.example.org.cer").read_bytes() == der
    token = desk.house.open_session(procedures=["Published"])
    made = desk.house.issue(token, world.make_csr(None, sans=["machine.example.org"])[0], procedure="Published")
    desk.wait(made["id"])
    assert (desk.public / "c1" / "machine.example.org.cer").read_bytes() == base64.b64decode(made["certificate"])


def test_not_allowed_is_for_ever(desk):
    """Neither by itself nor by an act, now or later. rows=CM-P-07"""
    if not (desk.public / "c1").exists():
        pytest.skip("needs the procedure of the test before")
    desk.procedure("Files c", "Files c1")
    number, _ = desk.certificate(sans=["private.example.org"], procedure="Published", publication_allowed=False)
    other, _ = desk.certificate(sans=["public.example.org"])
    time.sleep(1)
    assert desk.deliveries(certificate=number) == [] and not (desk.public / "c1" / "private.example.org.cer").exists()
    problem = refused("CHY-1916", desk.publish, "Files c", number)
    assert problem["rule"] == "publication-allowed"
    outcomes = desk.publish("Files c", number, other)
    assert outcomes[0]["problem"]["code"] == "CHY-1916" and "deliveries" not in outcomes[0] and outcomes[1]["deliveries"]
    assert desk.wait(other) and not (desk.public / "c1" / "private.example.org.cer").exists()


def test_publication_comes_later(desk):
    """What is to go out later waits in the queue; what is revoked by then does not go out. rows=CM-P-06"""
    folder = desk.public / "d"
    folder.mkdir()
    desk.file_rule("Files d", folder)
    desk.procedure("Files d", "Files d")
    number, der = desk.certificate()
    at = (datetime.datetime.utcnow() + datetime.timedelta(seconds=15)).strftime("%Y-%m-%dT%H:%M:%SZ")
    desk.publish("Files d", number, publish_at=at)
    waiting = desk.deliveries(certificate=number)[0]
    assert waiting["state"] == "waiting" and waiting["next_at"][:19] == at[:19] and not list(folder.iterdir())
    desk.wait(number, 60)
    assert (folder / f"{stored_serial(der)}.cer").read_bytes() == der


# ---- roles and the revocation password ----

def test_who_may_publish(desk):
    """rows=CM-P-01"""
    number, _ = desk.certificate()
    refused("CHY-1601", desk.publish, "Files d", number, officer=desk.anna)
    for path in ("/api/v1/deliveries", "/api/v1/destinations"):
        assert desk.house.call("GET", path, officer=desk.anna)["items"] is not None  # CA and Key tasks
    names = [d["name"] for d in desk.house.call("GET", "/api/v1/documents/publication-procedure", officer=desk.rosa)["items"]]
    assert "Files d" in names, "who publishes sees the procedures there are"


def test_distribution_rules_are_key_officers_matter(desk):
    """CA and Key tasks, two signatures. rows=CM-P-25"""
    body = {"name": "One signature", "protocol": "file", "folder": "/srv", "file_name": "x"}
    refused("CHY-1601", desk.house.prepare, desk.rosa, "distribution-rule.create", body)
    request = desk.house.prepare(desk.anna, "distribution-rule.create", body)
    assert request["signatures_needed"] == 2
    assert desk.house.bring(desk.anna, request, desk.anna)["state"] == "waiting"


def test_a_procedure_has_a_name_and_a_format(desk):
    """rows=CM-P-24"""
    for body, field in (({"format": "der"}, "name"), ({"name": "No format"}, "format")):
        assert refused("CHY-1502", desk.house.prepare, desk.anna, "publication-procedure.create", body)["field"] == field
    desk.procedure("Leads nowhere")
    refused("CHY-1920", desk.publish, "Leads nowhere", desk.certificate()[0])


# ---- web servers ----

def test_put_and_delete_on_a_web_server(desk, web, authority):
    """rows=CM-P-20"""
    desk.rule("Web", protocol="http", address=web.url, path="/open/{issuer.cn}/{serial}.cer", trust=authority.trust)
    desk.procedure("Web", "Web")
    number, der = desk.certificate()
    desk.publish("Web", number)
    assert desk.wait(number)["Web"]["state"] == "done"
    path = web.root / "open" / "Issuing CA" / f"{stored_serial(der)}.cer"
    assert path.read_bytes() == der
    put = f"PUT /open/Issuing CA/{stored_serial(der)}.cer application/pkix-cert"
    desk.wait_until(lambda: any(line.startswith(put) for line in web.seen()))  # it writes its log when it has answered
    desk.publish("Web", number, act="certificate.unpublish")
    desk.wait(number)
    assert not path.exists()


def test_passwords_and_client_certificates(desk, web, authority, module_scratch):
    """Sealed on the server, given to their address only, seen nowhere. rows=CM-P-21"""
    password, user = "a pass:word", "publisher"
    desk.secret("web-1", web.url, password)
    cert, key = authority.issue(module_scratch, "client")
    desk.secret("web-2", web.url, pem=key.read_bytes() + cert.read_bytes())
    desk.rule("Web, basic", protocol="http", address=web.url, path="/basic/{serial}.cer", trust=authority.trust, user=user, secret="web-1")
    desk.rule("Web, client", protocol="http", address=web.url, path="/client/{serial}.cer", trust=authority.trust, client_certificate="web-2")
    desk.procedure("Web, both", "Web, basic", "Web, client")
    number, der = desk.certificate()
    desk.publish("Web, both", number)
    assert {d["state"] for d in desk.wait(number).values()} == {"done"}
    for place in ("basic", "client"):
        assert (web.root / place / f"{stored_serial(der)}.cer").read_bytes() == der
    for who in (f" {user} ", "CN=client"):
        desk.wait_until(lambda who=who: any(stored_serial(der) in line and who in line for line in web.seen()))
    sealed = b"".join(p.read_bytes() for p in (desk.house.dir / "distributor").iterdir())
    everywhere = [sealed, desk.house.log.read_bytes(), desk.house.export(), (desk.house.dir / "chancery.db").read_bytes(),
                  (desk.house.dir / "chancery.db-wal").read_bytes()]
    for text in everywhere:
        for form in (password.encode(), base64.b64encode(f"{user}:{password}".encode()), b"PRIVATE KEY"):
            assert form not in text


def test_a_password_is_not_sent_elsewhere(desk, web, authority, module_scratch):
    """A rule that names another's secret with an address of its own gets nothing. rows=CM-P-21"""
    desk.secret("bound", web.url, "a pass:word")
    other = targets.Web(targets.free_folder(module_scratch / "other"), authority)
    try:
        desk.rule("Thief", protocol="http", address=other.url, path="/basic/{serial}.cer", trust=authority.trust, user="publisher",
                  secret="bound")
        desk.procedure("Thief", "Thief")
        number, _ = desk.certificate()
        desk.publish("Thief", number)
        error = desk.wait_until(lambda: desk.deliveries(certificate=number)[0]["error"])
        assert error.startswith("CHY-1910 ") and "another address" in error
        assert not [line for line in other.seen() if "/basic/" in line]
    finally:
        other.stop()


def test_servers_that_are_not_trusted(desk, module_scratch, authority):
    """Another authority, another name: nothing is handed over, and it is tried again."""
    stranger = targets.Authority("Stranger CA")
    folders = [targets.free_folder(module_scratch / n) for n in ("stranger", "misnamed")]
    webs = [targets.Web(folders[0], stranger), targets.Web(folders[1], authority, host="elsewhere.example")]
    try:
        for name, w in zip(("Stranger", "Misnamed"), webs):
            desk.rule(name, protocol="http", address=w.url, path="/open/{serial}.cer", trust=authority.trust)
        desk.procedure("Untrusted", "Stranger", "Misnamed")
        number, _ = desk.certificate()
        desk.publish("Untrusted", number)
        found = desk.wait_until(lambda: all(d["attempts"] >= 2 for d in desk.deliveries(certificate=number)) and
                                desk.deliveries(certificate=number))
        assert all(d["state"] == "waiting" and d["error"].startswith("CHY-1905 ") for d in found), found
        assert not any(list((w.root / "open").iterdir()) for w in webs)
    finally:
        for w in webs:
            w.stop()


def test_dead_letters(desk, web, authority):
    """What the destination refuses is a dead letter, that an officer tries again or drops by a signed act. rows=CM-P-22"""
    rules = {"Refuses": "/bad/{serial}", "Moved": "/moved/{serial}", "Nobody": "/open/{email}"}
    for name, path in rules.items():
        desk.rule(name, protocol="http", address=web.url, path=path, trust=authority.trust)
    desk.procedure("Dead", *rules)
    number, der = desk.certificate()
    desk.publish("Dead", number)
    found = desk.wait(number)
    assert {n: d["error"][:8] for n, d in found.items()} == {"Refuses": "CHY-1908", "Moved": "CHY-1908", "Nobody": "CHY-1902"}
    assert {d["state"] for d in found.values()} == {"dead"}
    ids = {n: d["id"] for n, d in found.items()}
    refused("CHY-1601", desk.house.act, "delivery.drop", {"deliveries": list(ids.values())}, desk.anna)
    desk.house.act("delivery.drop", {"deliveries": [ids["Moved"], ids["Nobody"]]}, desk.rosa)
    rule = next(d["id"] for d in desk.house.call("GET", "/api/v1/documents/distribution-rule", officer=desk.anna)["items"]
                if d["name"] == "Refuses")
    desk.modify("distribution-rule", rule, path="/open/mended-{serial}")
    desk.house.act("delivery.retry", {"deliveries": [ids["Refuses"]]}, desk.rosa)
    states = {n: d["state"] for n, d in desk.wait(number).items()}
    assert states == {"Refuses": "done", "Moved": "dropped", "Nobody": "dropped"}
    assert (web.root / "open" / f"mended-{stored_serial(der)}").read_bytes() == der
    refused("CHY-1922", desk.house.act, "delivery.retry", {"deliveries": [ids["Moved"]]}, desk.rosa)
    refused("CHY-1460", desk.house.act, "delivery.drop", {"deliveries": [1]}, desk.rosa)


def test_an_older_one_does_not_undo_a_younger(desk, web, authority):
    desk.rule("Overtaken", protocol="http", address=web.url, path="/bad/{serial}", trust=authority.trust)
    desk.procedure("Overtaken", "Overtaken")
    number, _ = desk.certificate()
    desk.publish("Overtaken", number)
    desk.wait(number)
    desk.publish("Overtaken", number, act="certificate.unpublish")
    desk.wait(number)
    first = desk.deliveries(certificate=number)[0]
    refused("CHY-1923", desk.house.act, "delivery.retry", {"deliveries": [first["id"]]}, desk.rosa)


# ---- what is told of it ----

def test_journal_and_explanation(desk):
    """Each publication and each delivery is a leaf; the whole verifies offline; explain shows where it went."""
    number, _ = desk.certificate()
    desk.publish("Files d", number)
    desk.wait(number)
    told = desk.house.call("GET", f"/api/v1/certificates/{number}/explanation", officer=desk.rosa)
    assert [d["state"] for d in told["deliveries"]] == ["done"] and told["publications"][0]["procedure"]["name"] == "Files d"
    desk.house.wait_sequenced()
    export = desk.house.export()
    leaves = [json.loads(json.loads(line)["body"]) if isinstance(json.loads(line).get("body"), str) else json.loads(line).get("body")
              for line in export.splitlines() if json.loads(line)["type"] == "leaf"]
    mine = [leaf for leaf in leaves if leaf.get("certificate") == number]
    assert {leaf["kind"] for leaf in mine} == {"publication", "delivery"}
    assert next(leaf for leaf in mine if leaf["kind"] == "delivery")["outcome"] == "done"
    with tempfile.NamedTemporaryFile() as f:
        f.write(export)
        f.flush()
        done = subprocess.run([world.CHANCERY, "journal", "verify", "--file", f.name, "--root", desk.house.dir / "root.pem"],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    log = desk.house.call("GET", f"/api/v1/log?category=certificates.published&object={number}", officer=desk.anna)["items"]
    assert {e["kind"] for e in log} >= {"publication", "delivery"}
