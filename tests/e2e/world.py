"""An installation of Chancery in a scratch folder, with officers, for end-to-end tests.

Everything goes over the wire: the real programs, TLS with officers' certificates, signatures made by openssl cms.
"""
import base64
import calendar
import contextlib
import hashlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
import urllib.parse
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

BUILD = Path(os.environ.get("CHANCERY_BUILD", Path(__file__).resolve().parents[2] / "build"))
PROGRAMS = BUILD / "src" / "programs"
CHANCERY = PROGRAMS / "chancery"


def ports_of_this_process():
    """Below those that the kernel gives to connections, so that nobody takes one between now and its use; another range for
    each process of one test run, and another beginning in each for several test runs on one machine."""
    size, worker = 2000, int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    for i in itertools.count(os.getpid() * 31):
        yield 12000 + worker * size + i % size


PORTS = ports_of_this_process()


def free_port():
    for port in PORTS:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass  # somebody listens there


class Refused(Exception):
    """A problem document (RFC 9457)."""

    def __init__(self, status, problem):
        super().__init__(f"{status} {problem.get('code')} {problem.get('field', '')}: {problem.get('detail')}")
        self.status, self.problem, self.code = status, problem, problem.get("code")


class Officer:
    """A key and a certificate as PEM files, and the name that the policy knows."""

    def __init__(self, folder, name, key, cert, officer_id=None):
        self.name, self.id = name, officer_id
        self.slug = name.lower().replace(" ", "-")
        self.key_file, self.cert_file = Path(folder) / f"{self.slug}.key", Path(folder) / f"{self.slug}.crt"
        self.key_file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        self.cert = cert

    @classmethod
    def from_p12(cls, folder, name, path, pin):
        key, cert, _ = pkcs12.load_key_and_certificates(Path(path).read_bytes(), pin)
        return cls(folder, name, key, cert)

    def sha256(self):
        return self.cert.fingerprint(hashes.SHA256()).hex()

    def sign(self, content, at=None):
        """CMS SignedData over the bytes, as docs/formats/request.md wants it; signed at the time `at` (seconds since 1970).

        Without `at`: now, or when the request was prepared where the server's clock is another one: officers' clocks are right.
        """
        cms = subprocess.run(
            ["openssl", "cms", "-sign", "-binary", "-nodetach", "-cades", "-md", "sha256", "-nosmimecap", "-signer", self.cert_file,
             "-inkey", self.key_file, "-outform", "DER"], input=content, capture_output=True, check=True).stdout
        if at is None:
            found = re.search(rb'"prepared_at":"([0-9T:-]{19})', content)
            prepared = calendar.timegm(time.strptime(found[1].decode(), "%Y-%m-%dT%H:%M:%S")) if found else time.time()
            at = prepared if abs(prepared - time.time()) > 1800 else None
        return cms if at is None else self.sign_again(cms, at)

    def sign_again(self, cms, at):
        """The same with another signing-time: openssl has no option for it. All lengths stay as they are."""
        oid = bytes.fromhex("06092a864886f70d010905310f170d")
        where = cms.index(oid) + len(oid)
        cms = cms[:where] + time.strftime("%y%m%d%H%M%SZ", time.gmtime(at)).encode() + cms[where + 13:]
        attributes = max(i for i in range(where) if cms[i] == 0xa0 and set_reaches(cms, i, where))
        head, length = der_length(cms, attributes)
        algorithm = attributes + head + length
        signature = algorithm + sum(der_length(cms, algorithm))
        head, length = der_length(cms, signature)
        assert cms[signature] == 4 and signature + head + length == len(cms)
        key = serialization.load_pem_private_key(self.key_file.read_bytes(), None)
        while True:  # until it is as long as the one before
            made = key.sign(b"\x31" + cms[attributes + 1:algorithm], ec.ECDSA(hashes.SHA256()))
            if len(made) == length:
                return cms[:signature + head] + made


def or_killed(call):
    """What the call answers; None where the connection broke, as the program was killed after it had committed and before it had
    answered. Then the test must see by other means that the work was done."""
    try:
        return call()
    except (ConnectionError, ssl.SSLError, http.client.HTTPException):
        return None


def until(what, seconds, otherwise):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


def der_length(der, at):
    """(octets of tag and length, octets of the value) of the DER value at this place."""
    if der[at + 1] < 0x80:
        return 2, der[at + 1]
    n = der[at + 1] & 0x7f
    return 2 + n, int.from_bytes(der[at + 2:at + 2 + n], "big")


def set_reaches(der, at, where):
    """Do signed attributes begin here: attributes only, over `where`, and a SEQUENCE behind them?"""
    if der[at + 1] > 0x84 or der[at + 1] == 0x80:
        return False
    head, length = der_length(der, at)
    end, i = at + head + length, at + head
    while i < end <= len(der) - 1 and der[i] == 0x30:
        i += sum(der_length(der, i))
    return i == end and end > where and der[end] == 0x30


def make_csr(cn, key=None, sans=(), attributes=()):
    """A PKCS#10 request in DER, and its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(oid, value) for oid, value in attributes]
    if cn is not None:
        names.append(x509.NameAttribute(NameOID.COMMON_NAME, cn))
    b = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    if sans:
        b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName(s) for s in sans]), critical=False)
    return b.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER), key


class World:
    def __init__(self, folder, store=None, modules=(), env=None, setup=True):
        self.folder, self.store = Path(folder), store
        self.dir = self.folder / "ca"
        self.tls_port, self.plain_port = free_port(), free_port()
        # tests are refused for a living; test_refusals.py is the one about the limit
        self.env = {"CHANCERY_LISTENER_REFUSALS_PER_MINUTE": "0", **os.environ, **(env or {})}
        self.process = None
        self.log = self.folder / "serve.log"
        self.keys = self.folder / "keys"
        self.keys.mkdir(parents=True, exist_ok=True)
        self.officers = {}
        if setup:
            self.setup(store, modules)

    # ---- the programs ----

    def setup(self, store=None, modules=()):
        command = [CHANCERY, "setup", self.dir, "--organisation", "Test & Söhne", "--tls", f"127.0.0.1:{self.tls_port}",
                   "--plain", f"127.0.0.1:{self.plain_port}", "--server-name", "dns:localhost", "--server-name", "ip:127.0.0.1"]
        if store:
            command += ["--store", store]
        for m in modules:
            command += ["--pkcs11", m]
        done = subprocess.run(command, capture_output=True, text=True, env=self.env)
        assert done.returncode == 0, done.stderr + done.stdout
        with open(self.dir / "chancery.ini", "a") as f:
            f.write("\n[serve]\nrestart_ms_max = 100\n")  # tests kill often, and do not want to wait
        for i in (1, 2):
            pin = (self.dir / f"officers/boot-{i}.pin").read_bytes().strip()
            self.officers[f"boot{i}"] = Officer.from_p12(self.keys, f"Boot officer {i}", self.dir / f"officers/boot-{i}.p12", pin)

    def start(self, wait=30, **env):
        self.once = Path(env.get("CHANCERY_FAULT_ONCE", "/nonexistent"))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([CHANCERY, "serve", "--config", self.dir / "chancery.ini"], stdout=log, stderr=log,
                                            env=dict(self.env, **env), start_new_session=True)
        self.wait_ready(wait)
        return self

    def wait_ready(self, wait=30):
        end = time.monotonic() + wait
        while time.monotonic() < end:
            try:
                if self.raw("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.05)
        raise AssertionError("not ready: " + self.log.read_text()[-3000:])

    def wait_killed(self, mark, within=0):
        """Until the log has behind `mark` that a program was killed: the parent writes it a moment after others have noticed. It must
        have come to the point by now, or within so many seconds where what the test has waited for is seen before that."""
        until(self.once.exists, within, "the point was never reached")
        until(lambda: "signal=9" in self.log.read_text()[mark:], 30, "nobody was killed at the point")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def kill_all(self):
        """As if the power failed: every process of the installation at once."""
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def pids(self, name=None):
        """The parent's and its children's process ids; of one program by name."""
        pids = [self.process.pid]
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids += [int(p) for p in children.read_text().split()]
        if name is None:
            return pids
        return [p for p in pids if Path(f"/proc/{p}/comm").read_text().strip() == name[:15]]

    # ---- HTTP ----

    def raw(self, method, path, body=None, headers=None, officer=None, tls=False, timeout=60):
        """(status, headers, body) over the plain listener, or over TLS as an officer or anonymously."""
        if officer or tls:
            context = ssl.create_default_context(cafile=str(self.dir / "root.pem"))
            if officer:
                context.load_cert_chain(officer.cert_file, officer.key_file)
            c = http.client.HTTPSConnection("localhost", self.tls_port, timeout=timeout, context=context)
        else:
            c = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=timeout)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def call(self, method, path, body=None, officer=None, token=None, headers=None, **kw):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        status, got, data = self.raw(method, path, body, headers, officer, **kw)
        kind = got.get("Content-Type", "")
        value = json.loads(data) if "json" in kind and "jsonl" not in kind and data else data
        if status >= 400:
            raise Refused(status, value if isinstance(value, dict) else {"detail": repr(value[:200])})
        return value

    # ---- acts ----

    def prepare(self, officer, act, body, obj=None):
        call = {"act": act, "body": body}
        if obj is not None:
            call["object"] = obj
        return self.call("POST", "/api/v1/requests", call, officer)

    def bring(self, officer, request, *signers):
        content = base64.b64decode(request["to_sign"])
        cms = [base64.b64encode(s.sign(content)).decode() for s in signers]
        return self.call("POST", f"/api/v1/requests/{request['id']}/signatures", {"signatures": cms}, officer)

    def act(self, act, body, *signers, obj=None):
        """Prepared by the first signer; all signatures in one call."""
        return self.bring(signers[0], self.prepare(signers[0], act, body, obj), *signers)

    def act_in_two_steps(self, act, body, first, second, obj=None):
        request = self.prepare(first, act, body, obj)
        waiting = self.bring(first, request, first)
        assert waiting["state"] == "waiting", waiting
        shown = self.call("GET", f"/api/v1/requests/{request['id']}", officer=second)
        return self.bring(second, shown, second)

    def new_certificate(self, name, by, procedure="Officer"):
        """An officer's files with a new key and certificate; no document."""
        csr, key = make_csr(name)
        done = self.act("certificate.issue",
                        {"token_procedure": procedure, "requests": [{"csr": base64.b64encode(csr).decode(), "name": name}]}, by)
        cert = x509.load_der_x509_certificate(base64.b64decode(done["result"]["certificates"][0]["der"]))
        return Officer(self.keys, f"{name} {cert.serial_number}", key, cert)

    def make_officer(self, name, profile, *signers, key=None, issuer=None):
        """A certificate by the procedure "Officer", issued by the first signer or by another officer, and the officer's document."""
        csr, key = make_csr(name, key=key)
        done = self.act("certificate.issue",
                        {"token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode(), "name": name}]},
                        issuer or signers[0])
        item = done["result"]["certificates"][0]
        assert "certificate" in item, item
        cert = x509.load_der_x509_certificate(base64.b64decode(item["der"]))
        made = self.act("officer.create", {"name": name, "profile": profile, "certificate": item["certificate"],
                                           "certificate_sha256": hashlib.sha256(base64.b64decode(item["der"])).hexdigest()},
                        *signers)
        assert made["state"] == "done", made
        return Officer(self.keys, name, key, cert, made["result"]["id"])

    def make_officers(self):
        """Two administration officers and a registration officer; then the boot officers are closed."""
        b1, b2 = self.officers["boot1"], self.officers["boot2"]
        for slot, name, profile in (("anna", "Anna Admin", "Administration officer"), ("ben", "Ben Admin", "Administration officer"),
                                    ("rosa", "Rosa Registrar", "Registration officer")):
            self.officers[slot] = self.make_officer(name, profile, b1, b2)
        anna, ben = self.officers["anna"], self.officers["ben"]
        for d in self.call("GET", "/api/v1/documents/officer", officer=anna)["items"]:
            if d["body"].get("boot"):
                self.act("officer.modify", dict(d["body"], state="closed"), anna, ben, obj=d["id"])
        return self

    def make_ca(self, place="software", uri=None):
        """A root, an issuing CA, and procedures for TLS servers by it."""
        anna, ben = self.officers["anna"], self.officers["ben"]
        where = {"place": place} if uri is None else {"place": "pkcs11", "pkcs11_uri": uri}
        for n in ("Root", "Issuing"):
            self.act("ca-key.create", {"name": f"{n} key", "algorithm": "p-256", **where}, anna, ben)
        self.act("authority.create", {"name": "Root CA", "type": "root", "ca_key": "Root key", "subject": "CN=Root CA,O=Test",
                                      "format": "CA certificate", "validity": "P20Y", "path_length": 1}, anna, ben)
        self.act("authority.create", {"name": "Issuing CA", "type": "subordinate", "issuing_authority": "Root CA",
                                      "ca_key": "Issuing key", "subject": "CN=Issuing CA,O=Test", "format": "CA certificate",
                                      "validity": "P10Y", "path_length": 0}, anna, ben)
        self.act("certificate-procedure.create",
                 {"name": "TLS server", "authority": "Issuing CA", "format": "TLS server", "key_usage": ["digitalSignature"],
                  "extended_key_usage": ["serverAuth"], "validity": "P90D"}, anna, ben)
        self.act_in_two_steps("token-procedure.create",
                              {"name": "TLS server", "storage_profile": "pkcs10", "issuer_certificates": "none",
                               "certificate_procedures": ["TLS server"]}, anna, ben)
        return self

    def open_session(self, maximum=1000000, procedures=("TLS server",), officer=None, days=1):
        """A bearer token for machine issuance, granted by the registration officer's signature."""
        officer = officer or self.officers["rosa"]
        token = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
        self.act("issuing-session.open", {"token_procedures": list(procedures), "certificates_max": maximum, "expires_at": until,
                                          "token_sha256": hashlib.sha256(token.encode()).hexdigest(), "name": "test"}, officer)
        return token

    def issue(self, token, csr, procedure="TLS server", key=None, **kw):
        headers = {"Idempotency-Key": key} if key else {}
        return self.call("POST", "/api/v1/certificates",
                         {"token_procedure": procedure, "request": base64.b64encode(csr).decode(), **kw}, token=token, headers=headers)

    # ---- the journal ----

    def places(self):
        """(leaves without a place, leaves that have one, the newest signed head's size), as the database has it at one moment."""
        sql = ("SELECT (SELECT count(*) FROM journal_todo), (SELECT count(*) FROM journal_seq), "
               "(SELECT coalesce(max(size), 0) FROM journal_head)")
        if self.store:
            done = subprocess.run(["psql", "-qtA", "-F", " ", "-d", self.store, "-c", sql], capture_output=True, text=True, check=True)
            return tuple(map(int, done.stdout.split()))
        with contextlib.closing(sqlite3.connect(f"file:{self.dir}/chancery.db?mode=ro", uri=True, timeout=20)) as db:
            return db.execute(sql).fetchone()

    def wait_sequenced(self, wait=60, head=None, still=True):
        """Until every leaf has its place under a signed head, and no more have come for a while (`still`; where lists are made every
        second that never comes); the head's size.

        That the head stays is not enough: the sequencer may be held up. `head`: another way to ask for its size.
        """
        head = head or (lambda: self.call("GET", "/api/v1/journal/head", officer=self.officers["anna"])["size"])
        end, before = time.monotonic() + wait, None
        while time.monotonic() < end:
            now = head()
            places = self.places()
            if places == (0, now, now) and (now == before or not still):
                return now
            before = now
            time.sleep(0.7)
        raise AssertionError(f"the journal does not come to rest: {places}, {now}")

    def export(self):
        return self.raw("GET", "/api/v1/journal/export", officer=self.officers["anna"])[2]
