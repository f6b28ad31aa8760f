"""OCSP: what relying parties are told, by POST and GET, judged by OpenSSL, GnuTLS, Java and Python cryptography."""
import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from email.utils import parsedate_to_datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

import world
from world import Refused, make_csr

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
count = iter(range(10000))


# ---- setting up ----

def authority(house, name):
    for a in house.call("GET", "/api/v1/documents/authority", officer=house.officers["anna"])["items"]:
        if a["body"]["name"] == name:
            return a
    raise AssertionError(name)


def ca_certificate(house, name):
    body = house.raw("GET", f"/api/v1/authorities/{authority(house, name)['id']}/certificate", headers={"Accept": "application/pkix-cert"},
                     officer=house.officers["anna"])[2]
    return x509.load_der_x509_certificate(body)


def answer_by(house, name="Issuing CA", **more):
    """Has the authority answer OCSP, and waits until it does."""
    a = authority(house, name)
    body = {**a["body"], "ocsp": True, **more}
    body.setdefault("ocsp_urls", [f"http://127.0.0.1:{house.plain_port}/ocsp"])
    house.act("authority.modify", {k: v for k, v in body.items() if v is not None}, house.officers["anna"], house.officers["ben"], obj=a["id"])
    ca = ca_certificate(house, name)
    probe = request(cert_id(ca, 77, "sha256"))
    until(lambda: ask(house, probe).response_status == ocsp.OCSPResponseStatus.SUCCESSFUL, house)
    return ca


def until(good, house=None, wait=20):
    end = time.monotonic() + wait
    while time.monotonic() < end:
        got = good()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError("it does not come about" + (house.log.read_text()[-3000:] if house else ""))


@pytest.fixture(scope="module")
def desk(house):
    house.token = house.open_session()
    house.ca = answer_by(house)
    anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
    house.act("officer-profile.create", {"name": "Desk", "entity_type": "dynamic-token", "roles":
                                         ["use-clients", "issue-certificate", "revoke-certificate", "activate-ocsp"]}, anna, ben)
    house.officers["desk"] = house.make_officer("Desk", "Desk", anna, ben, issuer=rosa)
    return house


def issue(house, name=None):
    made = house.issue(house.token, make_csr(None, sans=[name or f"o{next(count)}.example.org"])[0])
    return made["id"], x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))


def change(house, verb, ids, **more):
    if verb == "revoke":
        more.setdefault("reason", "superseded")
    done = house.act(f"certificate.{verb}", {"certificates": ids, **more}, house.officers["desk"])
    assert done["state"] == "done", done
    return done


# ---- asking ----

def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 0x80 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + body


OIDS = {"sha1": "2b0e03021a", "sha256": "608648016503040201", "sha384": "608648016503040202", "sha512": "608648016503040203"}


def cert_id(issuer, serial, algorithm="sha1"):
    key = issuer.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return tlv(0x30, tlv(0x30, tlv(6, bytes.fromhex(OIDS[algorithm])), tlv(5)),
               tlv(4, hashlib.new(algorithm, issuer.subject.public_bytes()).digest()),
               tlv(4, hashlib.new(algorithm, key_bits(key)).digest()), tlv(2, number))


def request(*ids, nonce=None, more=b""):
    """An OCSPRequest; nonce: octets."""
    extensions = b""
    if nonce is not None:
        extensions = tlv(0xa2, tlv(0x30, tlv(0x30, tlv(6, bytes.fromhex("2b0601050507300102")), tlv(4, tlv(4, nonce)))))
    return tlv(0x30, tlv(0x30, tlv(0x30, *[tlv(0x30, i) for i in ids]), extensions, more))


def key_bits(spki):
    """The octets of the BIT STRING of a SubjectPublicKeyInfo."""
    head, _ = world.der_length(spki, 0)
    inner, length = world.der_length(spki, head)
    at = head + inner + length
    bits, _ = world.der_length(spki, at)
    return spki[at + bits + 1:]


def post(house, body, **headers):
    headers.setdefault("Content-Type", "application/ocsp-request")
    return house.raw("POST", "/ocsp", body, headers)


def ask(house, der):
    status, headers, body = post(house, der)
    assert status == 200 and headers["Content-Type"] == "application/ocsp-response", (status, body)
    return ocsp.load_der_ocsp_response(body)


def get(house, der, quote=True, **headers):
    text = base64.b64encode(der).decode()
    if quote:
        text = text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return house.raw("GET", f"/ocsp/{text}", headers=headers)


def verify(response, ca):
    """The responder's certificate is the CA's own, for this, and the signature is its."""
    responder = response.certificates[0]
    ca.public_key().verify(responder.signature, responder.tbs_certificate_bytes, ec.ECDSA(responder.signature_hash_algorithm))
    assert responder.issuer == ca.subject
    assert ExtendedKeyUsageOID.OCSP_SIGNING in responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    responder.extensions.get_extension_for_oid(ExtensionOID.OCSP_NO_CHECK)
    responder.public_key().verify(response.signature, response.tbs_response_bytes, ec.ECDSA(response.signature_hash_algorithm))
    return responder


def status(house, cert, issuer=None, algorithm="sha1", nonce=None):
    r = ask(house, request(cert_id(issuer or house.ca, cert if isinstance(cert, int) else cert.serial_number, algorithm), nonce=nonce))
    verify(r, issuer or house.ca)
    return r


GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


# ---- what is told ----

@pytest.mark.parametrize("algorithm", list(OIDS))
def test_one_life(desk, algorithm):
    """Good, on hold, good again, revoked with time and reason; with and without nonce alike."""
    number, cert = issue(desk)
    nonce = os.urandom(32)

    def both():
        plain, fresh = status(desk, cert, algorithm=algorithm), status(desk, cert, algorithm=algorithm, nonce=nonce)
        assert fresh.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
        assert plain.serial_number == fresh.serial_number == cert.serial_number
        assert plain.certificate_status == fresh.certificate_status and plain.revocation_time == fresh.revocation_time
        assert plain.revocation_reason == fresh.revocation_reason and plain.this_update <= fresh.this_update < plain.next_update
        return plain
    assert both().certificate_status == GOOD
    change(desk, "hold", [number])
    held = both()  # at once
    assert held.certificate_status == REVOKED
    assert held.revocation_reason == x509.ReasonFlags.certificate_hold
    change(desk, "reinstate", [number])
    assert both().certificate_status == GOOD
    change(desk, "revoke", [number], reason="key-compromise")
    gone = both()
    assert gone.certificate_status == REVOKED
    assert gone.revocation_reason == x509.ReasonFlags.key_compromise
    since = desk.call("GET", f"/api/v1/certificates/{number}", officer=desk.officers["anna"])["status"]["since"]
    assert gone.revocation_time.strftime("%Y-%m-%dT%H:%M:%S") == since[:19]


def test_what_was_not_issued(desk):
    """Never good for what has no record here; another CA's certificates are not ours to answer for."""
    stranger = 0x7fffffff00112233
    r = status(desk, stranger, nonce=os.urandom(32))
    assert r.certificate_status == UNKNOWN and r.serial_number == stranger
    assert status(desk, stranger).certificate_status == UNKNOWN
    number, cert = issue(desk)
    root = ca_certificate(desk, "Root CA")  # which does not answer
    for ids in ([cert_id(root, cert.serial_number)], [cert_id(desk.ca, cert.serial_number), cert_id(root, 5)],
                [tlv(0x30, tlv(0x30, tlv(6, bytes.fromhex("2a0304"))), tlv(4, b"x" * 32), tlv(4, b"y" * 32), tlv(2, b"\1"))]):
        assert ask(desk, request(*ids)).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_several_in_one(desk):
    """Each certificate of a request has its own answer, in the request's order, under one signature."""
    certs = [issue(desk) for _ in range(4)]
    change(desk, "revoke", [certs[1][0], certs[3][0]])
    serials = [c.serial_number for _, c in certs] + [4711]
    for nonce in (None, b"n"):
        body = request(*[cert_id(desk.ca, s, a) for s, a in zip(serials, ("sha1", "sha256", "sha1", "sha512", "sha1"))], nonce=nonce)
        r = ask(desk, body)
        verify(r, desk.ca)
        assert [(x.serial_number, x.certificate_status) for x in r.responses] == list(zip(serials, (GOOD, REVOKED, GOOD, REVOKED, UNKNOWN)))
    most = ask(desk, request(*[cert_id(desk.ca, 10 ** 9 + i) for i in range(50)]))
    assert len(list(most.responses)) == 50


def test_journal_accounts_for_it(desk):
    """The responder's certificate is stored, journaled, explained, and verified offline: back to the officers who signed for it."""
    _, cert = issue(desk)
    responder = status(desk, cert).certificates[0]
    where = f"authority={authority(desk, 'Issuing CA')['id']}&serial={responder.serial_number:036x}"
    found = desk.call("GET", f"/api/v1/certificates?{where}", officer=desk.officers["anna"])["items"]
    assert len(found) == 1, found
    told = desk.call("GET", f"/api/v1/certificates/{found[0]['id']}/explanation", officer=desk.officers["anna"])
    assert told["rules"] == ["authority", "key", "subject", "validity", "serial-number"]
    assert {s["name"] for s in told["signatures"]} == {"Anna Admin", "Ben Admin"}
    desk.wait_sequenced()
    export = desk.folder / "journal.jsonl"
    export.write_bytes(desk.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", export], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
