"""`chancery doctor`: the addresses that certificates carry, with a server on which one thing after another is wrong, and with our own."""
import datetime
import http.server
import json
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

import world
from test_crl import change, issue, make_desk, procedure, wait_for
from test_ocsp import answer_by, until

DAY = datetime.timedelta(1)


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


class World:
    """A CA, a certificate, and the web server that the certificate points to: what stands there is `pages`."""

    def __init__(self):
        self.pages, self.answer, self.log = {}, None, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self, body=None):
                outer.log.append((self.command, self.path))
                if self.path.startswith("/ocsp") and outer.answer is not None:
                    status, kind, data = outer.answer(self.command, self.path, body)
                    headers = {}
                else:
                    status, kind, data, *rest = outer.pages.get(self.path, (404, "text/plain", b"nothing"))
                    headers = rest[0] if rest else {}
                self.send_response_only(status)
                for name, value in {"Date": self.date_time_string(), "Content-Type": kind, **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                self.reply()

            def do_POST(self):
                self.reply(self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self.certify("Tested CA", self.key.public_key(), ca=True)
        self.other_key = ec.generate_private_key(ec.SECP256R1())
        self.leaf_key = ec.generate_private_key(ec.SECP256R1())
        self.leaf = self.certify("leaf", self.leaf_key.public_key(), pointers=True)

    def name(self, cn):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])

    def certify(self, cn, public, ca=False, pointers=False, begin=None, end=None, key=None, eku=None):
        b = (x509.CertificateBuilder().subject_name(self.name(cn)).issuer_name(self.name("Tested CA")).public_key(public)
             .serial_number(x509.random_serial_number()).not_valid_before(begin or now() - DAY).not_valid_after(end or now() + 9 * DAY)
             .add_extension(x509.BasicConstraints(ca, None), True))
        if eku:
            b = b.add_extension(x509.ExtendedKeyUsage([eku]), False)
        if pointers:
            uri = x509.UniformResourceIdentifier
            b = b.add_extension(x509.AuthorityInformationAccess([
                x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{self.url}/ca.crt")),
                x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri(f"{self.url}/ocsp"))]), False)
            b = b.add_extension(x509.CRLDistributionPoints([x509.DistributionPoint([uri(f"{self.url}/ca.crl")], None, None, None)]), False)
            b = b.add_extension(x509.FreshestCRL([x509.DistributionPoint([uri(f"{self.url}/delta.crl")], None, None, None)]), False)
        return b.sign(key or self.key, hashes.SHA256())

    def crl(self, revoked=(), this=None, following=None, key=None, issuer="Tested CA", number=5, base=None, point=None):
        b = (x509.CertificateRevocationListBuilder().issuer_name(self.name(issuer)).last_update(this or now() - datetime.timedelta(hours=1))
             .next_update(following or now() + 5 * DAY).add_extension(x509.CRLNumber(number), False))
        if base is not None:
            b = b.add_extension(x509.DeltaCRLIndicator(base), True)
        if point:
            b = b.add_extension(x509.IssuingDistributionPoint([x509.UniformResourceIdentifier(point)], None, False, False, None, False, False), True)
        for serial in revoked:
            b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now() - DAY).build())
        return b.sign(key or self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def responder(self, status=ocsp.OCSPCertStatus.GOOD, key=None, cert=None, other=False, this=None, following=None, how=None, spoil=False):
        kind = "application/ocsp-response"

        def answer(method, path, body):
            if how is not None:
                r = ocsp.OCSPResponseBuilder.build_unsuccessful(how)
                return 200, kind, r.public_bytes(Encoding.DER)
            about = self.ca if other else self.leaf
            b = ocsp.OCSPResponseBuilder().add_response(
                cert=about, issuer=self.ca, algorithm=hashes.SHA1(), cert_status=status, this_update=this or now() - datetime.timedelta(hours=1),
                next_update=following or now() + DAY, revocation_time=now() - DAY if status == ocsp.OCSPCertStatus.REVOKED else None,
                revocation_reason=None).responder_id(ocsp.OCSPResponderEncoding.NAME, cert or self.ca)
            if cert is not None:
                b = b.certificates([cert])
            done = b.sign(key or self.key, hashes.SHA256()).public_bytes(Encoding.DER)
            if spoil:
                done = done[:-1] + bytes([done[-1] ^ 1])
            return 200, kind, done
        return answer

    def well(self):
        self.pages = {"/ca.crt": (200, "application/pkix-cert", self.ca.public_bytes(Encoding.DER)),
                      "/ca.crl": (200, "application/pkix-crl", self.crl()),
                      "/delta.crl": (200, "application/pkix-crl", self.crl(number=6, base=5))}
        self.answer = self.responder()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def net():
    w = World()
    yield w
    w.close()


def doctor(*args, rc=None, **env):
    done = subprocess.run([world.CHANCERY, "doctor", *map(str, args), "--json"], capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **env})
    assert done.returncode in (0, 1) and (rc is None or done.returncode == rc), done
    assert done.stdout, done
    return json.loads(done.stdout)


def visit(net, scratch, cert=None, *more, rc=None):
    file = scratch / "leaf.pem"
    file.write_bytes((cert or net.leaf).public_bytes(Encoding.PEM))
    return doctor(file, *more, rc=rc)[0]


def texts(found, level):
    return [f"{x['what']}: {x['text']}" for x in found["findings"] if x["level"] == level]


def test_all_is_well(net, scratch):
    """Everything was fetched, once as a list, twice as an answer; nothing is wrong; and the summary says what the world says."""
    net.well()
    net.log.clear()
    found = visit(net, scratch, rc=0)
    assert texts(found, "wrong") == texts(found, "doubtful") == [], found
    assert (found["crl"], found["ocsp"]) == ("valid", "valid")
    assert [p for m, p in net.log if m == "GET"][:3] == ["/ca.crt", "/ca.crl", "/delta.crl"]
    assert sorted({(m, p[:5]) for m, p in net.log if p.startswith("/ocsp")}) == [("GET", "/ocsp"), ("POST", "/ocsp")]


def page(path, status, kind, data, *headers):
    return lambda w: w.pages.__setitem__(path, (status, kind, data(w) if callable(data) else data, *headers))


def responder(**how):
    def do(w):
        w.answer = w.responder(**{k: v(w) if callable(v) and k in ("key", "cert") else v for k, v in how.items()})
    return do


CRL, CERT = "application/pkix-crl", "application/pkix-cert"
DER = Encoding.DER
BROKEN = {
    "no issuer": (page("/ca.crt", 404, "text/plain", b""), "caIssuers: the server answers with status 404"),
    "issuer in PEM": (page("/ca.crt", 200, CERT, lambda w: w.ca.public_bytes(Encoding.PEM)), "caIssuers: it is PEM"),
    "no certificate": (page("/ca.crt", 200, CERT, b"<html>"), "caIssuers: what stands there is no certificate"),
    "another key's issuer": (page("/ca.crt", 200, CERT, lambda w: w.certify("Tested CA", w.other_key.public_key(), True, key=w.other_key).public_bytes(DER)),
                             "caIssuers: the certificate there has not issued this one"),
    "no CA": (page("/ca.crt", 200, CERT, lambda w: w.certify("Tested CA", w.key.public_key()).public_bytes(DER)), "caIssuers: the certificate there has not"),
    "expired issuer": (page("/ca.crt", 200, CERT, lambda w: w.certify("Tested CA", w.key.public_key(), True, begin=now() - 9 * DAY, end=now() - DAY)
                            .public_bytes(DER)), "caIssuers: the CA's certificate there is not valid now"),
    "no list": (page("/ca.crl", 500, CRL, b""), "CRL: the server answers with status 500"),
    "list is rubbish": (page("/ca.crl", 200, CRL, b"\x30\x03\x02\x01\x01"), "CRL: what stands there is no revocation list"),
    "list of another": (page("/ca.crl", 200, CRL, lambda w: w.crl(issuer="Other CA")), "CRL: the list there is another CA's"),
    "list by another key": (page("/ca.crl", 200, CRL, lambda w: w.crl(key=w.other_key)), "CRL: its signature is not that of the CA"),
    "list is over": (page("/ca.crl", 200, CRL, lambda w: w.crl(this=now() - 3 * DAY, following=now() - DAY)), "CRL: it is over since"),
    "list of tomorrow": (page("/ca.crl", 200, CRL, lambda w: w.crl(this=now() + DAY, following=now() + 2 * DAY)), "CRL: it was made in the future"),
    "list for another point": (page("/ca.crl", 200, CRL, lambda w: w.crl(point="http://elsewhere.example/x.crl")), "CRL: the list says that it is for another"),
    "delta for complete": (page("/ca.crl", 200, CRL, lambda w: w.crl(base=4)), "CRL: a delta stands where the complete list should"),
    "complete for delta": (page("/delta.crl", 200, CRL, lambda w: w.crl()), "delta CRL: a complete list stands where a delta should"),
    "delta to a list to come": (page("/delta.crl", 200, CRL, lambda w: w.crl(number=9, base=8)), "delta CRL: it builds on list 8"),
    "responder away": (lambda w: setattr(w, "answer", lambda *_: (503, "text/plain", b"")), "OCSP: POST with a nonce: the server answers with status 503"),
    "no answer": (lambda w: setattr(w, "answer", lambda *_: (200, "application/ocsp-response", b"<html>")), "OCSP: POST with a nonce: what comes is no OCSP"),
    "unauthorized": (responder(how=ocsp.OCSPResponseStatus.UNAUTHORIZED), "OCSP: POST with a nonce: the responder refuses"),
    "unknown": (responder(status=ocsp.OCSPCertStatus.UNKNOWN), "OCSP: POST with a nonce: the responder does not know the certificate"),
    "answer with another signature": (responder(spoil=True), "OCSP: POST with a nonce: the signature is neither"),
    "about another": (responder(other=True), "OCSP: POST with a nonce: it answers for another certificate"),
    "answer is over": (responder(this=now() - 2 * DAY, following=now() - DAY), "OCSP: POST with a nonce: the answer is over"),
    "answer of tomorrow": (responder(this=now() + DAY, following=now() + 2 * DAY), "OCSP: POST with a nonce: the answer is of the future"),
    "responder without the usage": (responder(key=lambda w: w.leaf_key, cert=lambda w: w.certify("R", w.leaf_key.public_key())),
                                    "OCSP: POST with a nonce: the responder's certificate is not for OCSP"),
    "responder is over": (responder(key=lambda w: w.leaf_key, cert=lambda w: w.certify(
        "R", w.leaf_key.public_key(), eku=ExtendedKeyUsageOID.OCSP_SIGNING, begin=now() - 9 * DAY, end=now() - DAY)),
        "OCSP: POST with a nonce: the responder's certificate is not valid now"),
    "responder of another": (responder(key=lambda w: w.other_key, cert=lambda w: w.certify(
        "R", w.other_key.public_key(), eku=ExtendedKeyUsageOID.OCSP_SIGNING, key=w.other_key)),
        "OCSP: POST with a nonce: the responder's certificate is not by the CA"),
    "list and answer differ": (responder(status=ocsp.OCSPCertStatus.UNKNOWN), "certificate: the list says valid and the responder says unknown"),
    "redirects for ever": (page("/ca.crl", 302, CRL, b"", {"Location": "/ca.crl"}), "CRL: Maximum (3) redirects followed"),
    "far too much": (page("/ca.crt", 200, CERT, bytes(1 << 20)), "caIssuers: it sends more than"),
    "too slow": (lambda w: setattr(w, "answer", lambda *_: time.sleep(4) or (200, "application/ocsp-response", b"")), "OCSP: POST with a nonce: Operation timed out"),
    "redirect to a file": (page("/ca.crl", 302, CRL, b"", {"Location": "file:///etc/passwd"}), "CRL: "),
}


@pytest.mark.parametrize("what", BROKEN)
def test_one_thing_is_wrong(net, scratch, what):
    """It is found, with how it is mended, and whatever else is well is still told to be."""
    net.well()
    do, text = BROKEN[what]
    do(net)
    found = visit(net, scratch, None, "--patience", 2 if what == "too slow" else 20, rc=1)
    hits = [x for x in found["findings"] if x["level"] == "wrong" and f"{x['what']}: {x['text']}".startswith(text)]
    assert hits and all(x["mend"] for x in hits), found
    assert found["wrong"] == len(texts(found, "wrong"))
    assert not any("root:" in json.dumps(x) for x in found["findings"])
    if not text.startswith("caIssuers"):
        assert any(x["level"] == "good" and x["what"] == "caIssuers" for x in found["findings"])


def test_delegated_responder(net, scratch):
    """A responder's certificate by the CA, for OCSP signing, is as good as the CA itself."""
    net.well()
    responder(key=lambda w: w.leaf_key, cert=lambda w: w.certify("R", w.leaf_key.public_key(), eku=ExtendedKeyUsageOID.OCSP_SIGNING))(net)
    assert visit(net, scratch, rc=0)["ocsp"] == "valid"


def test_what_is_doubtful(net, scratch):
    """Media types and clocks keep nobody from a certificate, so they are told and the exit code is 0."""
    net.well()
    net.pages["/ca.crt"] = (200, "text/plain", net.ca.public_bytes(DER))
    net.pages["/ca.crl"] = (200, CRL, net.crl(), {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
    found = visit(net, scratch, rc=0)
    doubts = texts(found, "doubtful")
    assert any(t.startswith("caIssuers: its media type is \"text/plain\"") for t in doubts), doubts
    assert any(t.startswith("clock: the clock of this server is") for t in doubts), doubts


def test_revoked(net, scratch):
    """A list, a delta and a responder that say so agree; a revoked certificate is no fault of its addresses."""
    net.well()
    net.pages["/ca.crl"] = (200, CRL, net.crl([net.leaf.serial_number]))
    net.answer = net.responder(status=ocsp.OCSPCertStatus.REVOKED)
    found = visit(net, scratch, rc=0)
    assert (found["crl"], found["ocsp"]) == ("revoked", "revoked")
    net.pages["/ca.crl"] = (200, CRL, net.crl())
    net.pages["/delta.crl"] = (200, CRL, net.crl([net.leaf.serial_number], number=6, base=5))
    assert visit(net, scratch, rc=0)["crl"] == "revoked"


def test_lists_that_disagree(net, scratch):
    """Two lists, of which one does not know yet that the certificate is revoked: relying parties believe the one or the other."""
    uri = x509.UniformResourceIdentifier
    b = (x509.CertificateBuilder().subject_name(net.name("two lists")).issuer_name(net.name("Tested CA")).public_key(net.leaf_key.public_key())
         .serial_number(x509.random_serial_number()).not_valid_before(now() - DAY).not_valid_after(now() + 9 * DAY)
         .add_extension(x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{net.url}/ca.crt"))]), False)
         .add_extension(x509.CRLDistributionPoints([x509.DistributionPoint([uri(f"{net.url}/{n}.crl")], None, None, None) for n in "ab"]), False))
    cert = b.sign(net.key, hashes.SHA256())
    for first, second in (([], [cert.serial_number]), ([cert.serial_number], [])):
        net.well()
        net.pages["/a.crl"], net.pages["/b.crl"] = (200, CRL, net.crl(first)), (200, CRL, net.crl(second))
        found = visit(net, scratch, cert, rc=0)
        assert found["crl"] == "revoked" and any(t.startswith("CRL: the lists say different things") for t in texts(found, "doubtful")), found
    net.pages["/b.crl"] = (200, CRL, net.crl([cert.serial_number]))
    assert not any("different" in t for t in texts(visit(net, scratch, cert, rc=0), "doubtful"))


def test_nothing_listens(scratch):
    """The certificate's server is gone altogether: each address is told, and that nobody can learn the status."""
    gone = World()
    gone.close()
    found = visit(gone, scratch, None, "--patience", 2, rc=1)
    wrong = texts(found, "wrong")
    assert sum(t.startswith(("caIssuers: ", "CRL: ", "delta CRL: ")) for t in wrong) == 3, wrong
    assert "certificate: nobody can learn whether it is revoked" in wrong
    assert any("the issuer's certificate is not known" in t for t in texts(found, "doubtful"))


def test_expired_certificate(net, scratch):
    """The certificate's own time is told."""
    net.well()
    old = net.certify("old", net.leaf_key.public_key(), pointers=True, begin=now() - 9 * DAY, end=now() - DAY)
    assert any(t.startswith("certificate: it has expired") for t in texts(visit(net, scratch, old, rc=1), "wrong"))


def test_usage(scratch):
    """One thing is looked at; a wrong issuer's file is refused."""
    done = subprocess.run([world.CHANCERY, "doctor", "x", "--authority", "y"], capture_output=True, text=True)
    assert done.returncode == 2, done


class Indirect:
    """A certificate whose list another authority signs: the list says where that one's certificate is (/status.crt)."""

    def __init__(self, w):
        self.w, self.key = w, ec.generate_private_key(ec.SECP256R1())
        uri = x509.UniformResourceIdentifier
        self.url = f"{w.url}/indirect.crl"
        self.leaf = (x509.CertificateBuilder().subject_name(w.name("indirect leaf")).issuer_name(w.name("Tested CA")).public_key(w.leaf_key.public_key())
                     .serial_number(x509.random_serial_number()).not_valid_before(now() - DAY).not_valid_after(now() + 9 * DAY)
                     .add_extension(x509.AuthorityInformationAccess([
                         x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{w.url}/ca.crt"))]), False)
                     .add_extension(x509.CRLDistributionPoints([x509.DistributionPoint([uri(self.url)], None, None, [
                         x509.DirectoryName(w.name("Status CA"))])]), False).sign(w.key, hashes.SHA256()))

    def signer(self, name="Status CA", end=None, sign=True):
        w = self.w
        return (x509.CertificateBuilder().subject_name(w.name(name)).issuer_name(w.name("Tested CA")).public_key(self.key.public_key())
                .serial_number(7).not_valid_before(now() - 9 * DAY).not_valid_after(end or now() + 9 * DAY)
                .add_extension(x509.BasicConstraints(True, None), True)
                .add_extension(x509.KeyUsage(False, False, False, False, False, True, sign, False, False), True).sign(w.key, hashes.SHA256()))

    def list(self, key=None, says_where=True, revoked=()):
        uri = x509.UniformResourceIdentifier
        b = (x509.CertificateRevocationListBuilder().issuer_name(self.w.name("Status CA")).last_update(now() - DAY).next_update(now() + 5 * DAY)
             .add_extension(x509.CRLNumber(5), False)
             .add_extension(x509.IssuingDistributionPoint([uri(self.url)], None, False, False, None, True, False), True))
        if says_where:
            b = b.add_extension(x509.AuthorityInformationAccess([
                x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{self.w.url}/status.crt"))]), False)
        for serial in revoked:
            b = b.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now() - DAY)
                .add_extension(x509.CertificateIssuer([x509.DirectoryName(self.w.name("Tested CA"))]), True).build())
        return b.sign(key or self.key, hashes.SHA256()).public_bytes(DER)

    def visit(self, scratch, crl, signer, rc):
        self.w.well()
        self.w.pages["/indirect.crl"] = (200, CRL, crl)
        self.w.pages["/status.crt"] = (200, CERT, signer if isinstance(signer, bytes) else signer.public_bytes(DER))
        return visit(self.w, scratch, self.leaf, rc=rc)


def test_indirect_list(net, scratch):
    """The signature of a list that another authority signs is checked with the certificate that the list names. rows=CM-A-08"""
    i = Indirect(net)
    found = i.visit(scratch, i.list(), i.signer(), 0)
    assert found["crl"] == "valid" and "CRL issuer: the certificate of who signs the list" in texts(found, "good"), found
    found = i.visit(scratch, i.list(revoked=[i.leaf.serial_number]), i.signer(), 0)
    assert found["crl"] == "revoked", found
    found = i.visit(scratch, i.list(key=net.other_key), i.signer(), 1)
    assert any(t.startswith("CRL: its signature is not that of the CA") for t in texts(found, "wrong")), found
    assert found["crl"] == ""


@pytest.mark.parametrize("how,level,text", [
    (dict(signer=b"<html>"), "wrong", "CRL issuer: what stands there is no certificate"),
    (dict(signer=dict(name="Other CA")), "wrong", "CRL issuer: the certificate there is another CA's"),
    (dict(signer=dict(sign=False)), "wrong", "CRL issuer: the certificate there may sign no lists"),
    (dict(signer=dict(end=now() - DAY)), "wrong", "CRL issuer: the certificate there is not valid now"),
    (dict(says_where=False), "doubtful", "CRL: it is an indirect list that does not say where"),
], ids=["rubbish", "another", "no cRLSign", "expired", "says nothing"])
def test_indirect_list_whose_issuer_is_not_found(net, scratch, how, level, text):
    """It is told, and that the signature was not checked; what the list says is still told."""
    i = Indirect(net)
    signer = how.get("signer", {})
    found = i.visit(scratch, i.list(says_where=how.get("says_where", True)), signer if isinstance(signer, bytes) else i.signer(**signer),
                    int(level == "wrong"))
    assert any(t.startswith(text) for t in texts(found, level)), found
    assert any("signature was not checked" in t for t in texts(found, "doubtful")), found
    assert found["crl"] == "valid"


# ---- our own server ----

@pytest.fixture(scope="module")
def desk(house):
    desk = make_desk(house)
    procedure(desk, "doctored", delta_interval="P1D")
    wait_for(desk, "doctored", lambda c: True)
    answer_by(desk, ca_issuers_urls=[f"http://127.0.0.1:{desk.plain_port}/ca/issuing.crt"], ocsp_urls=[f"http://127.0.0.1:{desk.plain_port}/ocsp"])
    return desk


def test_our_own_addresses(desk, scratch):
    """What this server puts into certificates leads to what it serves, and all of it says the same."""
    number, cert = issue(desk, "doctored")
    file = scratch / "own.der"
    file.write_bytes(cert.public_bytes(DER))
    found = doctor(file, rc=0)[0]
    assert (found["crl"], found["ocsp"]) == ("valid", "valid") and texts(found, "doubtful") == [], found
    change(desk, "revoke", [number])
    until(lambda: doctor(file)[0]["ocsp"] == "revoked", desk)
    args = ("--server", f"https://localhost:{desk.tls_port}", "--ca", desk.dir / "root.pem")
    officer = desk.officers["desk"]
    p12, pin = scratch / "o.p12", scratch / "pin"
    pin.write_text("1234")
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", officer.key_file, "-in", officer.cert_file, "-out", p12, "-passout", "pass:1234"], check=True)
    issue(desk, "doctored-too")
    told = doctor("--authority", "Issuing CA", *args, "--officer", p12, "--pin-file", pin)
    assert "Issuing CA" in told[0]["subject"] and len(told) == 2, told
    everyone = doctor("--authorities", *args, "--officer", p12, "--pin-file", pin)
    assert len(everyone) >= 3
