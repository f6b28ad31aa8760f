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
from cli import Cli
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


def verify_journal(desk):
    desk.wait_sequenced()
    export = desk.folder / "journal.jsonl"
    export.write_bytes(desk.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", export], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_journal_accounts_for_it(desk):
    """The responder's certificate is stored, journaled, explained, and verified offline: back to the officers who signed for it."""
    _, cert = issue(desk)
    responder = status(desk, cert).certificates[0]
    where = f"authority={authority(desk, 'Issuing CA')['id']}&serial={responder.serial_number:036x}"
    found = desk.call("GET", f"/api/v1/certificates?{where}", officer=desk.officers["anna"])["items"]
    assert len(found) == 1, found
    told = desk.call("GET", f"/api/v1/certificates/{found[0]['id']}/explanation", officer=desk.officers["anna"])
    assert told["rules"] == ["authority", "node", "key", "subject", "validity", "serial-number"]
    assert {s["name"] for s in told["signatures"]} == {"Anna Admin", "Ben Admin"}
    verify_journal(desk)


# ---- GET, and HTTP caches (RFC 5019) ----

def test_java_asks(desk):
    """What Java before 19 says that it accepts is not well-formed, and it is answered all the same."""
    _, cert = issue(desk)
    java = {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
    der = request(cert_id(desk.ca, cert.serial_number))
    ask(desk, der)
    assert get(desk, der, **java)[0] == 200
    status, headers, body = desk.raw("POST", "/ocsp", der, {"Content-Type": "application/ocsp-request", **java})
    assert status == 200 and ocsp.load_der_ocsp_response(body).certificate_status == ocsp.OCSPCertStatus.GOOD


def test_get(desk):
    """The same by GET, encoded or not, with what caches need; a conditional one has no body."""
    for _ in range(8):  # serial numbers differ: some of the addresses have '/' and '+'
        _, cert = issue(desk)
        der = request(cert_id(desk.ca, cert.serial_number))
        ask(desk, der)
        answers = [get(desk, der, quote) for quote in (True, False)] + [post(desk, der)]
        assert len({a[2] for a in answers}) == 1 and all(a[0] == 200 for a in answers)
        r = ocsp.load_der_ocsp_response(answers[0][2])
        verify(r, desk.ca)
        headers = answers[0][1]
        assert headers["Content-Type"] == "application/ocsp-response"
        assert headers["ETag"] == '"%s"' % hashlib.sha1(answers[0][2]).hexdigest()  # RFC 5019 6.2
        stamps = [parsedate_to_datetime(headers[h]).replace(tzinfo=None) for h in ("Last-Modified", "Expires")]
        assert stamps == [r.this_update, r.next_update]
        age = int(re.search(r"max-age=(\d+)", headers["Cache-Control"])[1])
        assert 0 < age < (r.next_update - r.this_update).total_seconds() and "public" in headers["Cache-Control"]
        status_, _, body = get(desk, der, **{"If-None-Match": headers["ETag"]})
        assert (status_, body) == (304, b"")
        assert get(desk, der, **{"If-None-Match": '"other"'})[0] == 200
    # what may change with the next certificate, and what is for one client alone, is for no cache
    for der in (request(cert_id(desk.ca, 991)), request(cert_id(desk.ca, cert.serial_number), nonce=b"x" * 16)):
        assert get(desk, der)[1]["Cache-Control"] == "no-store"


def test_nonces(desk):
    """RFC 9654 2.1: 1 to 128 octets come back; none and longer ones are malformed."""
    _, cert = issue(desk)
    one = cert_id(desk.ca, cert.serial_number)
    for n in (1, 16, 32, 33, 128):
        nonce = os.urandom(n)
        r = ask(desk, request(one, nonce=nonce))
        verify(r, desk.ca)
        assert r.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    for n in (0, 129, 4000):
        assert ask(desk, request(one, nonce=b"x" * n)).response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_bad_input(desk):
    """Whatever is no request is told so, and the next one is answered."""
    _, cert = issue(desk)
    one = cert_id(desk.ca, cert.serial_number)
    good = request(one)
    bad = [b"", b"\x30", b"\x00" * 100, good + b"\x00", good[:-1], b"\x30\x80" + good[2:] + b"\0\0", request(),
           request(*[one] * 51), request(*[one] * 400), b"\x30\x84\xff\xff\xff\xff" + good, b"A" * 20000,
           request(one, more=tlv(0xa2, tlv(0x30, tlv(0x30, tlv(6, b"\x2a\x03"), tlv(1, b"\xff"), tlv(4, b"")))))]
    bad += [good[:i] + bytes([good[i] ^ 0x40]) + good[i + 1:] for i in range(0, 12)]
    for b in bad[1:]:
        status_, headers, body = post(desk, b)
        assert (status_, headers["Content-Type"]) == (200, "application/ocsp-response"), b[:20]
        assert body == bytes.fromhex("30030a0101"), b[:20]
    for text in ("x", "%", "%4", "%zz", "====", "MEIw%", base64.b64encode(good).decode()[:-2], "a/../b", "/", "A" * 3000,
                 base64.b64encode(good + b"\0").decode(), base64.urlsafe_b64encode(b"\xfb\xff" * 30).decode()):
        status_, _, body = desk.raw("GET", "/ocsp/" + text)
        assert (status_, body) == (200, bytes.fromhex("30030a0101")), text
    assert post(desk, good, **{"Content-Type": "text/plain"})[0] == 415
    assert post(desk, b"A" * 100000)[0] == 413
    assert desk.raw("GET", "/ocsp")[0] == 405
    assert status(desk, cert).certificate_status == GOOD


# ---- other people's programs ----

def judged(desk, folder):
    """A chain, a good and a revoked certificate, as files."""
    good, gone = issue(desk), issue(desk)
    change(desk, "revoke", [gone[0]], reason="key-compromise")
    (folder / "root.pem").write_bytes(ca_certificate(desk, "Root CA").public_bytes(PEM))
    (folder / "ca.pem").write_bytes(desk.ca.public_bytes(PEM))
    (folder / "good.pem").write_bytes(good[1].public_bytes(PEM))
    (folder / "gone.pem").write_bytes(gone[1].public_bytes(PEM))
    return f"http://127.0.0.1:{desk.plain_port}/ocsp"


def run(folder, *args):
    return subprocess.run([str(a) for a in args], cwd=folder, capture_output=True, text=True, timeout=60)


def test_openssl(desk, scratch):
    url = judged(desk, scratch)
    for hash_ in ("-sha1", "-sha256"):
        for nonce in ("-nonce", "-no_nonce"):
            done = run(scratch, "openssl", "ocsp", "-issuer", "ca.pem", hash_, "-cert", "good.pem", "-cert", "gone.pem", "-url", url, nonce,
                       "-CAfile", "root.pem", "-verify_other", "ca.pem", "-timeout", "20")
            assert done.returncode == 0 and "good.pem: good" in done.stdout and "gone.pem: revoked" in done.stdout, done.stdout + done.stderr
            assert "Reason: keyCompromise" in done.stdout and "Response verify OK" in done.stderr, done.stderr
            assert "no nonce" not in done.stderr, done.stderr


def test_gnutls(desk, scratch):
    url = judged(desk, scratch)
    for name, told in (("good", "Certificate Status: good"), ("gone", "Certificate Status: revoked")):
        done = run(scratch, "ocsptool", f"--ask={url}", "--nonce", "--load-issuer", "ca.pem", "--load-cert", f"{name}.pem", "--load-trust", "ca.pem")
        assert told in done.stdout and "Success" in done.stdout + done.stderr, done.stdout + done.stderr


JAVA = """
import java.io.*; import java.nio.file.*; import java.security.cert.*; import java.util.*;
public class Judge {
	static X509Certificate load(String p) throws Exception {
		try (InputStream in = Files.newInputStream(Paths.get(p))) {
			return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
		}
	}
	public static void main(String[] a) throws Exception {
		for (String name : new String[] { "good.pem", "gone.pem" }) {
			CertPathValidator v = CertPathValidator.getInstance("PKIX");
			PKIXRevocationChecker c = (PKIXRevocationChecker) v.getRevocationChecker();
			c.setOptions(EnumSet.of(PKIXRevocationChecker.Option.ONLY_END_ENTITY, PKIXRevocationChecker.Option.NO_FALLBACK));
			PKIXParameters p = new PKIXParameters(Set.of(new TrustAnchor(load("root.pem"), null)));
			p.addCertPathChecker(c);
			CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(List.of(load(name), load("ca.pem")));
			try { v.validate(path, p); System.out.println(name + " valid"); }
			catch (CertPathValidatorException e) { System.out.println(name + " " + e.getReason() + " " + e.getMessage()); }
		}
	}
}
"""


def test_java(desk, scratch):
    """PKIX with revocation: it finds the responder by the address in the certificate."""
    judged(desk, scratch)
    (scratch / "Judge.java").write_text(JAVA)
    if shutil.which("javac") is None and run(scratch, "java", "Judge.java").returncode != 0:
        pytest.skip("this Java has no compiler")
    done = run(scratch, "java", "-Djava.security.debug=none", "Judge.java")
    assert "good.pem valid" in done.stdout and "gone.pem REVOKED" in done.stdout, done.stdout + done.stderr


def test_nss(desk, scratch):
    """The library under Firefox and Thunderbird: by the address in the certificate (libpkix), and by its older checker."""
    url = judged(desk, scratch)
    assert run(scratch, "certutil", "-N", "-d", "sql:.", "--empty-password").returncode == 0
    for nick, trust in (("root", "CT,C,C"), ("ca", ",,"), ("good", ",,"), ("gone", ",,")):
        assert run(scratch, "certutil", "-A", "-d", "sql:.", "-n", nick, "-t", trust, "-a", "-i", f"{nick}.pem").returncode == 0
    for name, told in (("good", "Chain is good!"), ("gone", "Peer's Certificate has been revoked")):
        done = run(scratch, "vfychain", "-d", "sql:.", "-pp", "-u", "1", "-g", "leaf", "-m", "ocsp", "-s", "requireInfo,failIfNoInfo", "-a", f"{name}.pem", "ca.pem")
        assert told in done.stdout + done.stderr, done.stdout + done.stderr
    for name, told in (("good", "succeeded"), ("gone", "revoked")):
        done = run(scratch, "ocspclnt", "-d", "sql:.", "-S", name, "-l", url, "-t", "ca")
        assert told in done.stdout + done.stderr, done.stdout + done.stderr


# ---- ahead, activation, more authorities ----

def figure(house, name):
    text = house.raw("GET", "/metrics")[2].decode()
    return int(re.search(rf"^{re.escape(name)} (\d+)", text, re.M)[1])


def test_signed_ahead(desk):
    """After a restart the answers are there before anybody asks, and answering takes no signature."""
    certs = [issue(desk)[1] for _ in range(5)]
    desk.stop()
    desk.start()
    until(lambda: figure(desk, "chancery_ocsp_presigned_total") >= len(certs), desk, 60)
    until(lambda: all(status(desk, c).certificate_status == GOOD for c in certs), desk, 60)
    before = figure(desk, 'chancery_ocsp_answers_total{from="signer"}'), figure(desk, 'chancery_ocsp_answers_total{from="memory"}')
    for c in certs:
        status(desk, c)
    assert figure(desk, 'chancery_ocsp_answers_total{from="signer"}') == before[0]
    assert figure(desk, 'chancery_ocsp_answers_total{from="memory"}') == before[1] + len(certs)
    assert figure(desk, "chancery_ocsp_kept") >= len(certs)


def test_activation(desk):
    """Where an officer activates certificates for OCSP, none is good before: signed, with its time, once. rows=CM-R-17"""
    number, cert = issue(desk)
    with pytest.raises(Refused) as e:  # rosa has not the role
        desk.act("certificate.activate-ocsp", {"certificates": [number]}, desk.officers["rosa"])
    assert e.value.code == "CHY-1601", e.value
    answer_by(desk, ocsp_activation="by-officer")
    try:
        until(lambda: status(desk, cert).certificate_status == UNKNOWN, desk)
        done = change(desk, "activate-ocsp", [number])
        at = done["result"]["certificates"][0]["ocsp_activated_at"]
        assert status(desk, cert).certificate_status == GOOD
        assert status(desk, cert, nonce=b"x").certificate_status == GOOD
        assert desk.call("GET", f"/api/v1/certificates/{number}", officer=desk.officers["anna"])["status"]["ocsp_activated_at"] == at
        with pytest.raises(Refused) as e:
            change(desk, "activate-ocsp", [number])
        assert e.value.code == "CHY-1691", e.value
        gone, other = issue(desk)
        change(desk, "revoke", [gone])
        assert status(desk, other).certificate_status == REVOKED  # that is told in any case
        with pytest.raises(Refused) as e:
            change(desk, "activate-ocsp", [gone])
        assert e.value.code == "CHY-1670", e.value
        some = [issue(desk)[0] for _ in range(2)]
        late = desk.prepare(desk.officers["desk"], "certificate.activate-ocsp", {"certificates": some})
        change(desk, "activate-ocsp", some)
        with pytest.raises(Refused) as e:  # another request was faster
            desk.bring(desk.officers["desk"], late, desk.officers["desk"])
        assert e.value.code == "CHY-1680", e.value
    finally:
        answer_by(desk, ocsp_activation="at-issue")


def test_activation_by_the_command_line(desk, scratch):
    """Officers are warned before they leave it to an officer; it holds for whoever asks after the act; then one certificate is activated by its
    file. rows=CM-R-17"""
    number, cert = issue(desk)
    assert until(lambda: status(desk, cert).certificate_status == GOOD, desk)
    body = dict(authority(desk, "Issuing CA")["body"], ocsp_activation="by-officer")
    asked = desk.prepare(desk.officers["anna"], "authority.modify", body, obj=authority(desk, "Issuing CA")["id"])
    assert any(w["field"] == "ocsp_activation" and "unknown" in w["text"] for w in asked["warnings"]), asked
    answer_by(desk, ocsp_activation="by-officer")
    try:
        assert status(desk, cert).certificate_status == UNKNOWN  # at once
        assert status(desk, issue(desk)[1]).certificate_status == UNKNOWN
        (scratch / "act.pem").write_bytes(cert.public_bytes(PEM))
        told = Cli(desk, scratch, desk=desk.officers["desk"]).run("certificate", "activate-ocsp", "act.pem", who="desk").stdout
        assert str(number) in told and "activated" in told, told
        assert status(desk, cert).certificate_status == GOOD
    finally:
        answer_by(desk, ocsp_activation="at-issue")


def test_second_authority_and_archive(desk):
    """Another authority has a responder of its own; each answer says how far back it reaches."""
    root = answer_by(desk, "Root CA", ocsp_archive_cutoff="P1Y", ocsp_answer_validity="PT1H")
    r = status(desk, desk.ca, issuer=root)
    assert r.certificate_status == GOOD and r.certificates[0].issuer == root.subject
    assert (r.next_update - r.this_update).total_seconds() == 3600
    cutoff = next(x for x in r.single_extensions if x.oid.dotted_string == "1.3.6.1.5.5.7.48.1.6") if hasattr(r, "single_extensions") else None
    text = subprocess.run(["openssl", "ocsp", "-respin", "/dev/stdin", "-resp_text", "-noverify"],
                          input=post(desk, request(cert_id(root, desk.ca.serial_number)))[2], capture_output=True).stdout.decode()
    assert cutoff is not None or "Archive Cutoff" in text, text
    both = request(cert_id(root, desk.ca.serial_number), cert_id(desk.ca, 5))
    assert ask(desk, both).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_closed_authority_goes_on_telling(desk, scratch):
    """It issues nothing more; lists, issuance lists and OCSP say what has become of what it had issued, and a new responder's certificate
    comes where one is needed. Its own certificate is not renewed."""
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    desk.act("officer-profile.create", {"name": "Keeper", "entity_type": "dynamic-token", "roles": ["use-awb", "manual-build"]}, anna, ben)
    desk.officers["keeper"] = desk.make_officer("Keeper", "Keeper", anna, ben, issuer=rosa)
    where = f"http://127.0.0.1:{desk.plain_port}/crl"
    common = {"authority": "Issuing CA", "interval": "P1D", "delta_interval": "PT6H"}
    for name, more in (("whole", {}), ("part-{partition}", {"partitions": 2})):
        desk.act("crl-procedure.create", {"name": f"CRL {name}", "distribution_points": [f"{where}/{name}.crl"], "include": True,
                                          "delta_points": [f"{where}/{name}-delta.crl"], **common, **more}, anna, ben)
    desk.act("cil-procedure.create", {"name": "CIL whole", "served_as": "whole", **common}, anna, ben)
    (first, one), (_, other) = issue(desk), issue(desk)
    responder = status(desk, one).certificates[0]
    a = authority(desk, "Issuing CA")
    cli = Cli(desk, scratch, anna=anna, ben=ben, keeper=desk.officers["keeper"])
    cli.run("authority", "modify", "Issuing CA", "--state", "closed", who="anna", co="ben")
    try:
        with pytest.raises(Refused) as no:
            issue(desk)
        assert no.value.code == "CHY-1558"
        with pytest.raises(Refused) as no:
            desk.act("authority.renew", {**a["body"], "state": "closed"}, anna, ben, obj=a["id"])
        assert no.value.code == "CHY-1558"
        change(desk, "revoke", [first])
        until(lambda: status(desk, one).certificate_status == REVOKED, desk)
        assert status(desk, other).certificate_status == GOOD

        def serials(name):
            code, _, body = desk.raw("GET", f"/crl/{name}.crl")
            return {r.serial_number for r in x509.load_der_x509_crl(body)} if code == 200 else set()

        def listed(kind):
            return json.loads(cli.run(kind, "list", "--json", who="anna").stdout)
        before, = listed("cil")
        for name in ("whole", "part-{partition}"):
            cli.run("crl", "build", f"CRL {name}", who="keeper")
        cli.run("crl", "build", "CRL whole", "--delta", who="keeper")
        cli.run("cil", "build", "CIL whole", who="keeper")
        assert one.serial_number in serials("whole") and other.serial_number not in serials("whole")
        assert one.serial_number in serials("part-1") | serials("part-2")
        for x in listed("crl") + listed("cil"):
            assert x["complete"]["state"] == "good" and x["failure"] is None, x
        assert all(x["delta"]["state"] == "good" for x in listed("crl"))
        assert listed("cil")[0]["complete"]["number"] > (before["complete"]["number"] or 0)
        gone, = desk.call("GET", f"/api/v1/certificates?authority={a['id']}&serial={responder.serial_number:036x}", officer=anna)["items"]
        change(desk, "revoke", [gone["id"]])
        asked = request(cert_id(desk.ca, other.serial_number))

        def renewed():
            r = ask(desk, asked)
            return r.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL and r.certificates[0].serial_number != responder.serial_number
        until(renewed, desk)
        assert status(desk, other).certificate_status == GOOD
        verify_journal(desk)
    finally:
        cli.run("authority", "modify", "Issuing CA", "--state", "active", who="anna", co="ben")
    issue(desk)
