"""Revocation lists: built when they are due or wanted, signed, served, and judged by OpenSSL, GnuTLS, NSS, Java and cryptography."""
import base64
import json
import subprocess
import time
from email.utils import parsedate_to_datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

import world
from world import Refused, make_csr

PEM = serialization.Encoding.PEM


def procedure(house, name="issuing", **more):
    where = f"http://127.0.0.1:{house.plain_port}/crl/{name}"
    body = {"name": f"CRL {name}", "authority": "Issuing CA", "distribution_points": [f"{where}.crl"], "include": True,
            "interval": "P1D", **more}
    if "delta_interval" in more:
        body["delta_points"] = [f"{where}-delta.crl"]
    return house.act("crl-procedure.create", body, house.officers["anna"], house.officers["ben"])["result"]["id"]


def fetch(house, name):
    status, headers, body = house.raw("GET", f"/crl/{name}.crl")
    return x509.load_der_x509_crl(body) if status == 200 else None


def number(crl):
    return crl.extensions.get_extension_for_oid(ExtensionOID.CRL_NUMBER).value.crl_number


def wait_for(house, name, good, wait=20):
    end, crl = time.monotonic() + wait, None
    while time.monotonic() < end:
        try:
            crl = fetch(house, name)
        except OSError:  # it is being started again
            crl = None
        if crl is not None and good(crl):
            return crl
        time.sleep(0.1)
    raise AssertionError(f"no such list {name}: {crl and (number(crl), reasons(crl))} " + house.log.read_text()[-2000:])


def reasons(crl):
    """serial -> name of the reason; None: none stands there."""
    found = {}
    for r in crl:
        try:
            found[r.serial_number] = r.extensions.get_extension_for_oid(CRLEntryExtensionOID.CRL_REASON).value.reason.name
        except x509.ExtensionNotFound:
            found[r.serial_number] = None
    return found


def build(house, number_):
    return house.act("crl.build", {"crl_procedure": number_}, house.officers["keeper"])


@pytest.fixture(scope="module")
def desk(house):
    return make_desk(house)


def make_desk(house):
    anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
    for slot, roles in (("desk", ["use-clients", "issue-certificate", "revoke-certificate"]), ("keeper", ["use-awb", "manual-build"])):
        house.act("officer-profile.create", {"name": f"Status {slot}", "entity_type": "dynamic-token", "roles": roles}, anna, ben)
        house.officers[slot] = house.make_officer(f"Status {slot}", f"Status {slot}", anna, ben, issuer=rosa)
    house.token = house.open_session()
    return house


def issue(house, name):
    made = house.issue(house.token, make_csr(None, sans=[f"{name}.example.org"])[0])
    cert = x509.load_der_x509_certificate(base64.b64decode(made["certificate"])) if "certificate" in made else None
    if cert is None:
        cert = x509.load_der_x509_certificate(base64.b64decode(made["der"]))
    return made["id"], cert


def change(house, verb, ids, **more):
    if verb == "revoke":
        more.setdefault("reason", "superseded")
    done = house.act(f"certificate.{verb}", {"certificates": ids, **more}, house.officers["desk"])
    assert done["state"] == "done", done


def authority(house, name):
    for a in house.call("GET", "/api/v1/documents/authority", officer=house.officers["anna"])["items"]:
        if a["body"]["name"] == name:
            return a["id"]
    raise AssertionError(name)


def ca_certificate(house, name):
    chain = house.raw("GET", f"/api/v1/authorities/{authority(house, name)}/certificate", officer=house.officers["anna"])
    assert chain[0] == 200, chain
    body = chain[2]
    if b"BEGIN" in body:
        return x509.load_pem_x509_certificate(body)
    try:
        return x509.load_der_x509_certificate(body)
    except ValueError:
        return x509.load_der_x509_certificate(base64.b64decode(json.loads(body)["der"]))


def test_complete_list(desk, scratch):
    """Due at once, with what is revoked and on hold and nothing else; what is reinstated leaves it. rows=CM-R-16,CM-A-09"""
    p = procedure(desk, "complete")
    first = wait_for(desk, "complete", lambda c: True)
    ca = ca_certificate(desk, "Issuing CA")
    assert first.is_signature_valid(ca.public_key()) and first.issuer == ca.subject
    certs = [issue(desk, f"c{i}") for i in range(4)]
    change(desk, "revoke", [certs[0][0]], reason="key-compromise", invalid_at="2026-01-01T00:00:00Z")
    change(desk, "hold", [certs[1][0]])
    change(desk, "revoke", [certs[2][0]], reason="unspecified")
    build(desk, p)
    second = wait_for(desk, "complete", lambda c: number(c) > number(first))
    assert number(second) == number(first) + 1
    found = reasons(second)
    assert found[certs[0][1].serial_number] == "key_compromise" and found[certs[1][1].serial_number] == "certificate_hold"
    assert found[certs[2][1].serial_number] is None and certs[3][1].serial_number not in found
    entry = second.get_revoked_certificate_by_serial_number(certs[0][1].serial_number)
    invalid = entry.extensions.get_extension_for_oid(CRLEntryExtensionOID.INVALIDITY_DATE).value.invalidity_date
    assert invalid.isoformat() == "2026-01-01T00:00:00"
    change(desk, "reinstate", [certs[1][0]])
    build(desk, p)
    third = wait_for(desk, "complete", lambda c: number(c) == number(second) + 1)
    assert certs[1][1].serial_number not in reasons(third) and certs[0][1].serial_number in reasons(third)
    judge(desk, scratch, "complete", certs[0][1], certs[1][1])
    shown(scratch)


def test_list_after_a_change(desk):
    """Without waiting for the interval, and without anybody's wish; where nothing changes, no list is made."""
    procedure(desk, "soon", after_change="PT1S")
    first = wait_for(desk, "soon", lambda c: True)
    i, cert = issue(desk, "soon")
    change(desk, "hold", [i])
    second = wait_for(desk, "soon", lambda c: cert.serial_number in reasons(c))
    change(desk, "reinstate", [i])
    third = wait_for(desk, "soon", lambda c: cert.serial_number not in reasons(c))
    assert number(first) < number(second) < number(third)
    issue(desk, "soon-2")  # which is no change of a status
    time.sleep(3)
    assert number(fetch(desk, "soon")) == number(third)


def test_delta_list_after_a_change(desk):
    """The complete list stays as it is."""
    procedure(desk, "soon2", after_change="PT1S", delta_interval="PT12H")
    complete = wait_for(desk, "soon2", lambda c: True)
    wait_for(desk, "soon2-delta", lambda c: True)
    i, cert = issue(desk, "soon-3")
    change(desk, "revoke", [i])
    delta = wait_for(desk, "soon2-delta", lambda c: cert.serial_number in reasons(c))
    assert number(fetch(desk, "soon2")) == number(complete) < number(delta)


def shown(folder):
    """By our own command, of what `judge` has written: whose it is, and whether a certificate stands on it."""
    def show(*args, rc=0):
        done = subprocess.run([world.CHANCERY, "crl", "show", "list.der", *args], cwd=folder, capture_output=True, text=True)
        assert done.returncode == rc, done
        return done.stdout + done.stderr

    told = show("--issuer", "ca.pem", "--certificate", "revoked.pem")
    assert "The signature is the CA's." in told and "stands on the list since 20" in told and told.rstrip().endswith(": keyCompromise.")
    assert "CHY-1776" in show("--certificate", "good.pem", rc=1)
    assert "another authority" in show("--issuer", "root.pem", rc=1)
    assert "CHY-1776" in show("--certificate", "root.pem", rc=1)
    altered = bytearray((folder / "list.der").read_bytes())
    altered[-1] ^= 1
    (folder / "list.der").write_bytes(altered)
    assert "CHY-" in show("--issuer", "ca.pem", rc=1)


def judge(desk, folder, name, revoked, good):
    """What others make of it."""
    ca, root = ca_certificate(desk, "Issuing CA"), ca_certificate(desk, "Root CA")
    (folder / "list.der").write_bytes(desk.raw("GET", f"/crl/{name}.crl")[2])
    for file, cert in (("ca.pem", ca), ("root.pem", root), ("revoked.pem", revoked), ("good.pem", good)):
        (folder / file).write_bytes(cert.public_bytes(PEM))
    run = lambda *c: subprocess.run(c, cwd=folder, capture_output=True, text=True)  # noqa: E731
    done = run("openssl", "crl", "-inform", "DER", "-in", "list.der", "-CAfile", "ca.pem", "-noout", "-text")
    assert done.returncode == 0 and "verify OK" in done.stderr, done.stderr
    assert run("openssl", "crl", "-inform", "DER", "-in", "list.der", "-out", "list.pem").returncode == 0
    check = ("openssl", "verify", "-crl_check", "-partial_chain", "-trusted", "ca.pem", "-CRLfile", "list.pem")
    assert run(*check, "good.pem").returncode == 0
    done = run(*check, "revoked.pem")
    assert done.returncode != 0 and "certificate revoked" in done.stdout + done.stderr
    done = run("certtool", "--inder", "--crl-info", "--infile", "list.der")
    assert done.returncode == 0 and f"{revoked.serial_number:x}" in done.stdout.replace(" ", ""), done.stderr
    done = run("certtool", "--verify-crl", "--infile", "list.pem", "--load-ca-certificate", "ca.pem")
    assert done.returncode == 0 and "Verified" in done.stdout, done.stdout + done.stderr
    assert run("certutil", "-N", "-d", "sql:.", "--empty-password").returncode == 0
    for nick, file in (("root", "root.pem"), ("ca", "ca.pem")):
        assert run("certutil", "-A", "-d", "sql:.", "-n", nick, "-t", "CT,,", "-i", file).returncode == 0
    done = run("crlutil", "-I", "-d", "sql:.", "-i", "list.der", "-t", "1")
    assert done.returncode == 0, done.stderr
    assert run("crlutil", "-L", "-d", "sql:.", "-n", "ca").stdout.count("Serial Number") == len(reasons(fetch(desk, name)))
    for file, told in (("good.pem", "Chain is good!"), ("revoked.pem", "Peer's Certificate has been revoked")):
        done = run("vfychain", "-d", "sql:.", "-pp", "-u", "1", "-g", "leaf", "-m", "crl", "-s", "requireInfo,forbidFetching", "-a", file, "ca.pem")
        assert told in done.stdout + done.stderr, done.stdout + done.stderr
    done = run("keytool", "-printcrl", "-file", "list.der")
    assert done.returncode == 0 and done.stdout.count("SerialNumber") == len(reasons(fetch(desk, name))), done.stdout


def test_delta_list(desk, scratch):
    """A delta list follows each complete one; what was put on hold and reinstated since says removeFromCRL."""
    held, _ = issue(desk, "d-held"), None
    change(desk, "hold", [held[0]])
    p = procedure(desk, "pair", delta_interval="PT12H")
    complete = wait_for(desk, "pair", lambda c: held[1].serial_number in reasons(c))
    empty = wait_for(desk, "pair-delta", lambda c: True)
    base = empty.extensions.get_extension_for_oid(ExtensionOID.DELTA_CRL_INDICATOR)
    assert base.critical and base.value.crl_number == number(complete) and number(empty) == number(complete) + 1 and not list(empty)
    points = complete.extensions.get_extension_for_oid(ExtensionOID.FRESHEST_CRL).value
    assert points[0].full_name[0].value.endswith("/crl/pair-delta.crl")
    with pytest.raises(x509.ExtensionNotFound):
        empty.extensions.get_extension_for_oid(ExtensionOID.FRESHEST_CRL)
    new = issue(desk, "d-new")
    change(desk, "reinstate", [held[0]])
    change(desk, "revoke", [new[0]], reason="cessation-of-operation")
    desk.act("crl.build", {"crl_procedure": p, "delta": True}, desk.officers["keeper"])
    delta = wait_for(desk, "pair-delta", lambda c: number(c) > number(empty))
    assert reasons(delta) == {held[1].serial_number: "remove_from_crl", new[1].serial_number: "cessation_of_operation"}
    assert number(fetch(desk, "pair")) == number(complete)
    ca = ca_certificate(desk, "Issuing CA")
    for file, crl in (("list.pem", complete), ("delta.pem", delta)):
        (scratch / file).write_bytes(crl.public_bytes(PEM))
    (scratch / "both.pem").write_bytes(complete.public_bytes(PEM) + delta.public_bytes(PEM))
    (scratch / "ca.pem").write_bytes(ca.public_bytes(PEM))
    for who, crls, want in ((held, "list.pem", 1), (held, "both.pem", 0), (new, "list.pem", 0), (new, "both.pem", 1)):
        (scratch / "one.pem").write_bytes(who[1].public_bytes(PEM))
        done = subprocess.run(["openssl", "verify", "-crl_check", "-use_deltas", "-extended_crl", "-partial_chain", "-trusted", "ca.pem",
                               "-CRLfile", crls, "one.pem"], cwd=scratch, capture_output=True, text=True)
        assert (done.returncode != 0) == bool(want), (crls, done.stdout, done.stderr)


def test_partial_lists(desk, scratch):
    """One sort of certificates each, said so critically with the addresses; other sorts do not stand there nor point there."""
    p = procedure(desk, "users", type="partial", covers="end-entities")
    procedure(desk, "cas", type="partial", covers="authorities")
    assert number(wait_for(desk, "users", lambda c: True)) == 1
    one, two = issue(desk, "p-one"), issue(desk, "p-two")
    change(desk, "revoke", [one[0]])
    build(desk, p)
    users = wait_for(desk, "users", lambda c: one[1].serial_number in reasons(c))
    cas = wait_for(desk, "cas", lambda c: True)
    assert not list(cas) and number(cas) == 1 and number(users) == 2
    for crl, name, flag in ((users, "users", "only_contains_user_certs"), (cas, "cas", "only_contains_ca_certs")):
        e = crl.extensions.get_extension_for_oid(ExtensionOID.ISSUING_DISTRIBUTION_POINT)
        assert e.critical and getattr(e.value, flag) and e.value.full_name[0].value.endswith(f"/crl/{name}.crl")
        assert sum((e.value.only_contains_user_certs, e.value.only_contains_ca_certs, e.value.only_contains_attribute_certs)) == 1
    points = [n.value for d in two[1].extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value for n in d.full_name]
    assert any(n.endswith("/crl/users.crl") for n in points) and not any(n.endswith("/crl/cas.crl") for n in points)
    (scratch / "ca.pem").write_bytes(ca_certificate(desk, "Issuing CA").public_bytes(PEM))
    for file, crl in (("users.pem", users), ("cas.pem", cas)):
        (scratch / file).write_bytes(crl.public_bytes(PEM))
    for who, crl, want in ((one, "users.pem", "certificate revoked"), (two, "users.pem", "OK"), (two, "cas.pem", "Different CRL scope")):
        (scratch / "one.pem").write_bytes(who[1].public_bytes(PEM))
        done = subprocess.run(["openssl", "verify", "-crl_check", "-extended_crl", "-partial_chain", "-trusted", "ca.pem", "-CRLfile", crl, "one.pem"],
                              cwd=scratch, capture_output=True, text=True)
        assert want.lower() in (done.stdout + done.stderr).lower(), (crl, done.stdout, done.stderr)
    with pytest.raises(Refused):
        procedure(desk, "none", type="partial")


def test_http(desk):
    """Validators, freshness, HEAD, what is not there; CA certificates."""
    procedure(desk, "http")
    crl = wait_for(desk, "http", lambda c: True)
    status, headers, body = desk.raw("GET", "/crl/http.crl")
    assert status == 200 and headers["Content-Type"] == "application/pkix-crl"
    assert parsedate_to_datetime(headers["Last-Modified"]).replace(tzinfo=None) == crl.last_update
    assert parsedate_to_datetime(headers["Expires"]).replace(tzinfo=None) == crl.next_update
    age = int(headers["Cache-Control"].split("max-age=")[1])
    assert 60 <= age <= (crl.next_update - crl.last_update).total_seconds()
    status, again, empty = desk.raw("GET", "/crl/http.crl", headers={"If-None-Match": headers["ETag"]})
    assert status == 304 and empty == b"" and again["ETag"] == headers["ETag"]
    assert desk.raw("GET", "/crl/http.crl", headers={"If-None-Match": '"other"'})[0] == 200
    assert desk.raw("GET", "/crl/http.crl", headers={"Accept": "text/html, *; q=.2, */*; q=.2"})[0] == 200, "Java before 19"
    assert desk.raw("GET", "/crl/http.crl", headers={"If-Modified-Since": headers["Last-Modified"]})[0] == 304
    status, head, empty = desk.raw("HEAD", "/crl/http.crl")
    assert status == 200 and empty == b"" and int(head["Content-Length"]) == len(body)
    for path in ("/crl/none.crl", "/crl/crl", "/crl/http.crl/x", "/ca/none.cer"):
        assert desk.raw("GET", path)[0] == 404
    assert desk.raw("POST", "/crl/http.crl", body=b"x")[0] == 405


def test_who_may(desk):
    """Building by hand needs its role. rows=CM-A-09"""
    p = procedure(desk, "role")
    for who in ("rosa", "desk"):
        with pytest.raises(Refused) as e:
            desk.act("crl.build", {"crl_procedure": p}, desk.officers[who])
        assert e.value.status == 403
    with pytest.raises(Refused):
        build(desk, 99999999)
    assert build(desk, p)["state"] == "done"


def test_journal(desk, scratch):
    """Every list has its leaf; the journal verifies; numbers are without gaps. rows=CM-A-19"""
    desk.wait_sequenced()
    export = desk.export()
    (scratch / "journal.jsonl").write_bytes(export)
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", scratch / "journal.jsonl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    scopes = {}
    for leaf in leaves(export):
        body = desk.call("GET", f"/api/v1/documents/crl-procedure/{leaf['procedure']}", officer=desk.officers["anna"])["body"]
        scopes.setdefault(body["name"] if body["type"] == "partial" else "complete", []).append(leaf["number"])
    assert len(scopes) == 3 and len(scopes["complete"]) > 5
    for numbers in scopes.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


def leaves(export):
    for line in export.splitlines():
        v = json.loads(line)
        if v["type"] == "leaf":
            body = json.loads(v["body"])
            if body["kind"] == "crl":
                yield body
