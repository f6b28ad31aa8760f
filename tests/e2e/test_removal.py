"""Certificates that leave the store: which may, who says so, what the journal keeps, and that nothing brings them back."""
import base64
import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

import world
from cli import Cli
from test_crl import authority, change, issue, make_desk
from world import Refused

DAY_MS = 86400 * 1000


def refused(code, call, *args, **more):
    with pytest.raises(Refused) as e:
        call(*args, **more)
    assert e.value.code == code, e.value
    return e.value.problem


def remove(desk, ids, *signers):
    return desk.act("certificate.remove", {"certificates": ids, "reason": "retention is over"}, *(signers or (desk.first, desk.second)))


def verify(desk, scratch, code=0):
    desk.wait_sequenced()
    export = scratch / "journal.jsonl"
    export.write_bytes(desk.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", export], capture_output=True, text=True)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def seen(desk, number):
    status, _, _ = desk.raw("GET", f"/api/v1/certificates/{number}", officer=desk.first)
    found = desk.call("POST", "/api/v1/certificates/search", {"text": "removal"}, officer=desk.first)["items"]
    return status, number in [i["id"] for i in found]


def kinds(desk, number):
    """Kinds of the leaves about a certificate, from the log."""
    page = desk.call("GET", f"/api/v1/log?object={number}&limit=100", officer=desk.officers["anna"])
    return [i["kind"] for i in page["items"]]


@pytest.fixture(scope="module")
def desk(house):
    desk = make_desk(house)
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    desk.first = desk.officers["desk"]
    desk.second = desk.make_officer("Second", "Status desk", anna, ben, issuer=rosa)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=Removal root,O=Foreign")
    root = certify(name, name, key, key.public_key(), ca=True)
    desk.act("officer-profile.create", {"name": "Importer", "entity_type": "dynamic-token", "roles": ["use-clients", "import-certificates"]}, anna, ben)
    desk.importer = desk.make_officer("Importer", "Importer", anna, ben, issuer=rosa)
    desk.foreign = desk.act("authority.create", {"name": "Removal root", "type": "external-root", "certificate": base64.b64encode(
        root.public_bytes(Encoding.DER)).decode()}, anna, ben)["result"]["id"]
    desk.certify = lambda cn: certify(x509.Name.from_rfc4514_string(f"CN={cn}"), name, key, ec.generate_private_key(ec.SECP256R1()).public_key())
    return desk


def certify(subject, issuer, key, public, ca=False):
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(900))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False).sign(key, hashes.SHA256()))


def bring(desk, cert, **state):
    item = {"certificate": base64.b64encode(cert.public_bytes(Encoding.DER)).decode(), **state}
    return desk.act("certificate.import", {"authority": desk.foreign, "certificates": [item]}, desk.importer)["result"]["certificates"][0]


def test_by_the_command_line(desk, scratch):
    """Two officers, one step; named by a file. rows=CM-R-24"""
    cert = desk.certify("typed-removal.example")
    number = bring(desk, cert)["certificate"]
    (scratch / "typed.pem").write_bytes(cert.public_bytes(Encoding.PEM))
    cli = Cli(desk, scratch, first=desk.first, second=desk.second)
    told = cli.run("certificate", "remove", "typed.pem", "--because", "retention is over", who="first", co="second").stdout
    assert str(number) in told and "removed" in told, told
    assert seen(desk, number)[0] == 404


def test_foreign_certificate(desk, scratch):
    """It goes with its state and all that it is found by; the journal keeps what it says of it, and one leaf more; it may come again.
    rows=CM-R-24"""
    cert = desk.certify("removal.example")
    number = bring(desk, cert, state="revoked", since="2026-03-01T00:00:00Z")["certificate"]
    desk.wait_sequenced()
    assert seen(desk, number) == (200, True)
    done = remove(desk, [number])
    assert done["state"] == "done" and done["result"]["certificates"] == [{"certificate": number, "outcome": "removed"}]
    assert seen(desk, number) == (404, False)
    verify(desk, scratch)
    assert {"imported", "certificate-state", "removed"} <= set(kinds(desk, number))
    again = bring(desk, cert)
    assert again["outcome"] == "imported" and again["certificate"] != number and again["state"] == "valid"
    desk.wait_sequenced()
    assert seen(desk, again["certificate"]) == (200, True)
    verify(desk, scratch)


def test_revoking_removes_nothing_and_removing_needs_two(desk):
    """Revoking and removing are two acts; one officer alone removes nothing, and neither does who has no role. rows=CM-R-24"""
    number, _ = issue(desk, "removal-stays")
    change(desk, "revoke", [number])
    assert seen(desk, number)[0] == 200
    foreign = bring(desk, desk.certify("removal-two.example"))["certificate"]
    request = desk.prepare(desk.first, "certificate.remove", {"certificates": [foreign], "reason": "x"})
    assert desk.bring(desk.first, request, desk.first)["state"] != "done"
    assert seen(desk, foreign)[0] == 200
    refused("CHY-1601", desk.prepare, desk.importer, "certificate.remove", {"certificates": [foreign], "reason": "x"})
    assert desk.bring(desk.second, request, desk.second)["state"] == "done"
    assert seen(desk, foreign)[0] == 404
    refused("CHY-1679", desk.prepare, desk.first, "certificate.remove", {"certificates": [foreign], "reason": "x"})


def test_name_constraints_of_officers_hold(desk):
    """Who may not revoke a certificate because of its names does not remove it."""
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    desk.act("officer-profile.create", {"name": "Own names", "entity_type": "dynamic-token", "permitted_names": ["dir:O=Elsewhere"],
                                        "roles": ["use-clients", "issue-certificate", "revoke-certificate"]}, anna, ben)
    narrow = desk.make_officer("Own names", "Own names", anna, ben, issuer=rosa)
    number = bring(desk, desk.certify("Removal narrow"))["certificate"]
    refused("CHY-1629", remove, desk, [number], narrow, desk.second)
    assert remove(desk, [number])["state"] == "done"


def test_what_is_needed_stays(desk):
    """What is ours and has not expired, what is an authority's or an officer's, and what the list does not say why of."""
    number, _ = issue(desk, "removal-early")
    refused("CHY-1688", desk.prepare, desk.first, "certificate.remove", {"certificates": [number], "reason": "x"})
    page = desk.call("GET", "/api/v1/certificates?limit=200", officer=desk.officers["anna"])
    own = [i for i in page["items"] if "Issuing CA" in i["subject"]]
    bound = [i for i in page["items"] if "Second" in i["subject"]]
    assert own and bound
    for item in own[:1] + bound[:1]:
        refused("CHY-1687", desk.prepare, desk.first, "certificate.remove", {"certificates": [item["id"]], "reason": "x"})
    with pytest.raises(Refused):
        desk.prepare(desk.first, "certificate.remove", {"certificates": [number]})


def test_while_a_delivery_waits_it_stays(desk):
    """Taken back, but its destination has not heard of it: it would have it for good. rows=CM-R-24"""
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    number = bring(desk, desk.certify("Removal delivered"))["certificate"]
    desk.act("distribution-rule.create", {"name": "Away", "protocol": "http", "address": "http://127.0.0.1:9", "path": "/{serial}"}, anna, ben)
    desk.act("publication-procedure.create", {"name": "Away", "format": "der", "distribution_rules": ["Away"]}, anna, ben)
    body = {"publication_procedure": "Away", "certificates": [number]}
    for act in ("certificate.publish", "certificate.unpublish"):
        desk.act(act, body, rosa)
        refused("CHY-1687", desk.prepare, desk.first, "certificate.remove", {"certificates": [number], "reason": "x"})
    waiting = desk.call("GET", f"/api/v1/deliveries?certificate={number}&state=waiting", officer=rosa)["items"]
    desk.act("delivery.drop", {"deliveries": [d["id"] for d in waiting]}, rosa)
    assert remove(desk, [number])["state"] == "done"


def test_expired_certificates_of_ours(desk, scratch):
    """A day after its end it goes, revoked or not, and a start does not bring it back. rows=CM-R-24"""
    number, cert = issue(desk, "removal-old")
    revoked, _ = issue(desk, "removal-revoked")
    change(desk, "revoke", [revoked])
    desk.wait_sequenced()
    left = int((cert.not_valid_after - datetime.datetime.utcnow()).total_seconds() * 1000)
    desk.stop()
    desk.start(CHANCERY_CLOCK_OFFSET_MS=str(left + 2 * DAY_MS))
    try:
        assert remove(desk, [number, revoked])["state"] == "done"
        assert seen(desk, number) == (404, False) and seen(desk, revoked) == (404, False)
        desk.stop()
        desk.start(CHANCERY_CLOCK_OFFSET_MS=str(left + 2 * DAY_MS))
        assert seen(desk, number) == (404, False)
        assert {"certificate", "removed"} <= set(kinds(desk, number))
        verify(desk, scratch)
    finally:
        desk.stop()
        desk.start()
