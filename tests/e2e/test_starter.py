"""The starter set: from an empty house to working procedures for every common case, and a certificate by each of them.

Who judges what. Debian has no program that calls itself a linter of certificates; its X.509 libraries check paths, extensions and purposes, each by
its own code:

* openssl verify -x509_strict -purpose ...: RFC 5280's rules on paths and extensions; TLS, S/MIME, any signature, OCSP, code signing.
* openssl ocsp: whether an answer signed with the responder's key is accepted (RFC 6960 4.2.2.2).
* certtool --verify --verify-purpose: GnuTLS, for every certificate that has an extended key usage, once for each of them.
* certutil -V -u: NSS, for the usages that it knows: TLS client and server, mail signer and recipient, OCSP responder, objects.
* Java's PKIX with a revocation-free path and X509Certificate.getExtendedKeyUsage: reads every certificate, refuses critical extensions that it
  does not know.
* Python: what stands in each certificate, read by cryptography, against what the standard of the case asks.
* Our own lints, by the auditor: no finding at all.
"""
import base64
import json
import shutil
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtensionOID

import world
from test_policy_code import Cli

FASC_N = "d4e739d821086c1084210d8360d8210842108421804210c3f3"
UUID = "urn:uuid:00112233-4455-6677-8899-aabbccddeeff"
EC, RSA = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["-newkey", "rsa:3072"]
EKU = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2", "codeSigning": "1.3.6.1.5.5.7.3.3",
       "emailProtection": "1.3.6.1.5.5.7.3.4", "OCSPSigning": "1.3.6.1.5.5.7.3.9", "smartcard": "1.3.6.1.4.1.311.20.2.2",
       "pkinit": "1.3.6.1.5.2.3.4", "document": "1.3.6.1.5.5.7.3.36", "pivCardAuth": "2.16.840.1.101.3.6.8"}
PERSON = "C=SE/O=Example/SN=Andersson/GN=Anna"


class Case:
    """A certificate that is asked for: what the request says, what stands in the certificate, and who accepts it for what."""

    def __init__(self, procedure, subject, san, usage, eku, openssl=(), nss="", key=EC, asked=None, made_by=None, extra=()):
        self.procedure, self.subject, self.san, self.key, self.asked = procedure, subject, san, key, asked
        self.usage, self.eku, self.openssl, self.nss = set(usage.split()), [EKU[x] for x in eku.split()], openssl, nss
        self.made_by, self.extra = made_by or procedure, extra


PIV = f"otherName:2.16.840.1.101.3.6.6;FORMAT:HEX,OCT:{FASC_N} | URI:{UUID}"
UPN = "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:anna@corp.example"
CASES = {
    "tls-server": Case("TLS server", "CN=www.example.org", "DNS:www.example.org | DNS:example.org", "digital_signature", "serverAuth",
                       ["sslserver"], "V"),
    "tls-server-rsa": Case("TLS server", "O=Nobody verified this", "DNS:www.example.org | IP:192.0.2.1",
                           "digital_signature key_encipherment", "serverAuth", ["sslserver"], "V", RSA),
    "tls-client": Case("TLS client", "C=SE/O=Example/CN=Door 7", "DNS:door7.example.org", "digital_signature", "clientAuth",
                       ["sslclient"], "C"),
    "mail-signing": Case("Secure mail", PERSON + "/CN=Anna Andersson", "email:anna@example.org", "digital_signature", "emailProtection",
                         ["smimesign"], "S", asked="digitalSignature", made_by="Secure mail signing"),
    "mail-encryption": Case("Secure mail", PERSON + "/CN=Anna Andersson", "email:anna@example.org", "key_agreement", "emailProtection",
                            ["any"], "R", asked="keyAgreement", made_by="Secure mail encryption"),
    "mail-encryption-rsa": Case("Secure mail", PERSON + "/CN=Anna Andersson", "email:anna@example.org", "key_encipherment",
                                "emailProtection", ["smimeencrypt"], "R", RSA, asked="keyEncipherment", made_by="Secure mail encryption"),
    "code-signing": Case("Code signing", "C=SE/L=Lund/O=Example AB/CN=Example AB", None, "digital_signature", "codeSigning",
                         ["any"], "J", RSA),
    "ocsp": Case("OCSP responder", "O=Example/CN=Responder 1", None, "digital_signature", "OCSPSigning", ["ocsphelper"], "O"),
    "smart-card-logon": Case("Smart card logon", "CN=Anna Andersson", UPN, "digital_signature", "clientAuth smartcard", ["sslclient"], "C",
                             RSA),
    "piv-authentication": Case("PIV authentication", "C=SE/O=Example/CN=Anna Andersson", f"{PIV} | {UPN}", "digital_signature",
                               "clientAuth smartcard pkinit", ["sslclient"], "C", RSA),
    "piv-card-authentication": Case("PIV card authentication", "C=SE/O=Example/serialNumber=0011", PIV, "digital_signature",
                                    "pivCardAuth", ["any"]),
    "piv-digital-signature": Case("PIV digital signature", "C=SE/O=Example/CN=Anna Andersson", "email:anna@example.org",
                                  "digital_signature content_commitment", "emailProtection document", ["smimesign"], "S"),
    "piv-key-management": Case("PIV key management", "C=SE/O=Example/CN=Anna Andersson", "email:anna@example.org", "key_encipherment",
                               "emailProtection", ["smimeencrypt"], "R", RSA),
    "qualified-signature": Case("Qualified signature", PERSON + "/serialNumber=PNOSE-196408233234/CN=Anna Andersson", None,
                                "content_commitment", "", ["any"], "", RSA),
    "qualified-seal": Case("Qualified seal", "C=SE/O=Example AB/organizationIdentifier=NTRSE-5560123456/CN=Example AB", None,
                           "content_commitment", "", ["any"], "", RSA),
}


def run(*command, **kw):
    done = subprocess.run([str(x) for x in command], capture_output=True, text=True, timeout=120, **kw)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


class House:
    """An installation in which Anna and Ben have signed the whole starter set."""

    def __init__(self, folder):
        self.folder = folder
        self.world = world.World(folder / "world")

    def start(self):
        self.world.start().make_officers()
        anna, ben = self.world.officers["anna"], self.world.officers["ben"]
        self.cli = Cli(self.world, self.folder / "cli")
        for name in ("Root", "Issuing"):
            self.world.act("ca-key.create", {"name": name, "algorithm": "rsa-3072" if name == "Root" else "p-256"}, anna, ben)
        where = {"crl_urls": ["http://pki.example.org/issuing.crl"], "ca_issuers_urls": ["http://pki.example.org/issuing.cer"],
                 "ocsp_urls": ["http://ocsp.example.org/"]}
        self.world.act("authority.create", {"name": "Example Root", "type": "root", "ca_key": "Root", "format": "CA certificate",
                                            "subject": "CN=Example Root,O=Example,C=SE", "validity": "P20Y", "path_length": 1,
                                            "crl_urls": ["http://pki.example.org/root.crl"]}, anna, ben)
        made = self.world.act("authority.create", {"name": "Example Issuing", "type": "subordinate", "issuing_authority": "Example Root",
                                                   "ca_key": "Issuing", "format": "CA certificate", "validity": "P10Y", "path_length": 0,
                                                   "subject": "CN=Example Issuing,O=Example,C=SE", **where}, anna, ben)
        chain = self.world.raw("GET", f"/api/v1/authorities/{made['result']['id']}/chain")[2]
        self.issuing, self.root = [x509.load_pem_x509_certificate(b"-----BEGIN" + p) for p in chain.split(b"-----BEGIN")[1:]]
        for name, cert in (("root", self.root), ("issuing", self.issuing)):
            (self.folder / f"{name}.pem").write_bytes(cert.public_bytes(world.serialization.Encoding.PEM))
        (self.folder / "chain.pem").write_bytes((self.folder / "issuing.pem").read_bytes() + (self.folder / "root.pem").read_bytes())
        self.said = self.cli.run("policy", "starter", "--authority", "Example Issuing", "--disclosure",
                                 "https://pki.example.org/pds.pdf", self.folder / "policy").stdout
        self.applied = self.cli.json("policy", "apply", "--yes", self.folder / "policy", co="ben")
        self.token = self.world.open_session(procedures=sorted({c.procedure for c in CASES.values()}))
        self.nss = self.folder / "nss"
        self.nss.mkdir()
        run("certutil", "-N", "-d", self.nss, "--empty-password")
        run("certutil", "-A", "-d", self.nss, "-n", "root", "-t", "CT,C,C", "-i", self.folder / "root.pem")
        # for objects NSS takes only authorities that say so in Netscape's own extension, or that are trusted by hand
        run("certutil", "-A", "-d", self.nss, "-n", "issuing", "-t", ",,C", "-i", self.folder / "issuing.pem")
        return self

    def request(self, name, case):
        config = self.folder / f"{name}.cnf"
        lines = ["[req]", "distinguished_name=dn", "prompt=no", "string_mask=utf8only", "req_extensions=ext", "utf8=yes", "[dn]"]
        lines += [f"{i}.{part}" for i, part in enumerate(case.subject.split("/"))]
        lines += ["[ext]"] + (["subjectAltName=@san"] if case.san else []) + ([f"keyUsage={case.asked}"] if case.asked else [])
        lines += ["subjectKeyIdentifier=hash", "[san]"]
        lines += ["{0}.{2}={1}".format(*part.split(":", 1), i) for i, part in enumerate(case.san.split(" | ") if case.san else [])]
        config.write_text("\n".join(lines) + "\n")
        out = self.folder / f"{name}.csr"
        run("openssl", "req", "-new", "-nodes", "-config", config, *case.key, "-keyout", self.folder / f"{name}.key", "-outform", "DER",
            "-out", out)
        return out.read_bytes()

    def to_nss(self, name):
        """A database for each: NSS keeps certificates of one subject under one name."""
        database = self.folder / f"nss-{name}"
        if not database.exists():
            shutil.copytree(self.nss, database)
            run("certutil", "-A", "-d", database, "-n", "leaf", "-t", ",,", "-i", self.folder / f"{name}.pem")
        return database

    def issue(self, name, case):
        made = self.world.issue(self.token, self.request(name, case), case.procedure)
        cert = x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))
        (self.folder / f"{name}.pem").write_bytes(cert.public_bytes(world.serialization.Encoding.PEM))
        return made["id"], cert


@pytest.fixture(scope="module")
def house(module_scratch):
    h = House(module_scratch)
    try:
        yield h.start()
    finally:
        h.world.stop()


@pytest.fixture(scope="module")
def issued(house):
    return {name: house.issue(name, case) for name, case in CASES.items()}


def test_two_officers_sign_the_whole_set(house):
    """rows=CM-T-01"""
    outcomes = {x["outcome"] for x in house.applied}
    kinds = [x["kind"] for x in house.applied]
    assert outcomes == {"done"}, house.applied
    assert kinds.count("certificate-procedure") == kinds.count("token-procedure") == 13 and kinds.count("pin-procedure") == 1
    assert "format" not in kinds and "input-view" not in kinds  # they came with setup
    plan = house.cli.json("policy", "plan", house.folder / "policy")
    assert plan == []


def test_lists_say_what_they_are_for(house):
    listed = house.cli.run("format", "list").stdout
    assert "DESCRIPTION" in listed and "S/MIME (RFC 8550)" in listed and "FIPS 201-3 4.2.2.2" in listed
    assert "Answers for this authority (RFC 6960 4.2.2.2)" in house.cli.run("certificate-procedure", "list").stdout
    assert "What a PIV authentication certificate takes" in house.cli.run("input-view", "list").stdout


def test_every_procedure_can_be_used(house):
    """The lints over each sample certificate have condemned none."""
    for kind in ("format", "certificate-procedure", "token-procedure", "input-view", "pin-procedure"):
        for d in house.world.call("GET", f"/api/v1/documents/{kind}?limit=200", officer=house.world.officers["anna"])["items"]:
            assert not d.get("unusable"), d


def test_a_folder_of_its_own_is_a_part(house, tmp_path):
    """What is in force and not in it is no difference; what is changed in it is; an exported folder is none."""
    house.cli.run("policy", "starter", "--authority", "Example Issuing", "--case", "piv", tmp_path / "p")
    assert house.cli.json("policy", "diff", tmp_path / "p") == []
    mine = tmp_path / "p/certificate-procedure/PIV authentication.json"
    mine.write_text(json.dumps(dict(json.loads(mine.read_text()), validity="P1Y")))
    differs = house.cli.json("policy", "diff", tmp_path / "p", code=1)
    assert [(d["path"], [x["field"] for x in d["difference"]]) for d in differs] == [("PIV authentication", ["validity"])]
    house.cli.run("policy", "export", tmp_path / "whole")
    (tmp_path / "whole/format/Officer.json").unlink()
    assert [d["state"] for d in house.cli.json("policy", "diff", tmp_path / "whole", code=1)] == ["only-in-force"]


def test_files_that_are_there_are_kept(house, tmp_path):
    house.cli.run("policy", "starter", "--authority", "Example Issuing", "--case", "piv", tmp_path / "p")
    files = sorted(str(p.relative_to(tmp_path / "p")) for p in (tmp_path / "p").rglob("*.json"))
    assert files and all("PIV" in f or f == "policy.json" for f in files)
    mine = tmp_path / "p/certificate-procedure/PIV authentication.json"
    mine.write_text(json.dumps(dict(json.loads(mine.read_text()), validity="P1Y")))
    before = mine.read_text()
    assert 'certificate-procedure.modify "PIV authentication"' in house.cli.run("policy", "plan", tmp_path / "p").stdout
    said = house.cli.run("policy", "starter", "--authority", "Other", "--case", "piv", "--case", "ocsp", tmp_path / "p").stdout
    assert mine.read_text() == before and "kept  certificate-procedure/PIV authentication.json" in said
    assert json.loads((tmp_path / "p/certificate-procedure/OCSP responder.json").read_text())["authority"] == "Other"


def test_what_could_not_issue_says_so_before_it_is_signed(house, tmp_path):
    """A qualified procedure of an authority that has no address for its certificate: EN 319 412-2 4.4.1. Both signers read it, and
    whoever looks at it afterwards."""
    w = house.world
    anna, ben = w.officers["anna"], w.officers["ben"]
    w.act("ca-key.create", {"name": "Silent", "algorithm": "p-256"}, anna, ben)
    w.act("authority.create", {"name": "Silent", "type": "subordinate", "issuing_authority": "Example Root", "ca_key": "Silent",
                               "format": "CA certificate", "validity": "P10Y", "path_length": 0, "subject": "CN=Silent,O=Example,C=SE",
                               "crl_urls": ["http://pki.example.org/silent.crl"]}, anna, ben)
    body = next(d for d in w.call("GET", "/api/v1/documents/certificate-procedure?limit=1000", officer=anna)["items"]
                if d["name"] == "Qualified signature")["body"]
    good = w.prepare(anna, "certificate-procedure.create", dict(body, name="Qualified again"))
    assert good["warnings"] == []
    bad = w.prepare(anna, "certificate-procedure.create", dict(body, name="Qualified silence", authority="Silent"))
    assert ["en319412-2-4.4.1-ca-issuers" in x["text"] for x in bad["warnings"]] == [True]
    w.bring(anna, bad, anna)
    shown = w.call("GET", f"/api/v1/requests/{bad['id']}", officer=ben)
    assert shown["warnings"] == bad["warnings"]
    w.bring(ben, bad, ben)
    told = house.cli.run("certificate-procedure", "show", "Qualified silence").stdout
    assert "Cannot be used" in told and "en319412-2-4.4.1-ca-issuers" in told
    row = next(r for r in house.cli.run("certificate-procedure", "list").stdout.splitlines() if "Qualified silence" in r)
    assert "active, unusable" in row
    # as policy as code does it, where a folder of them is applied at once
    house.cli.run("policy", "starter", "--authority", "Silent", "--disclosure", "https://pki.example.org/pds.pdf", tmp_path / "policy")
    seal = tmp_path / "policy/certificate-procedure/Qualified seal.json"
    quiet = json.dumps(dict(json.loads(seal.read_text()), name="Quiet seal"))
    for path in (tmp_path / "policy").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    seal.parent.mkdir()
    (seal.parent / "Quiet seal.json").write_text(quiet)
    said = house.cli.run("policy", "apply", "--yes", tmp_path / "policy", co="ben").stdout
    assert "Warning: No certificate can be issued by it" in said


def test_qualified_cases_need_a_disclosure_statement(house, tmp_path):
    done = house.cli.run("policy", "starter", "--authority", "X", "--case", "qualified-seal", tmp_path / "p", code=2)
    assert "--disclosure" in done.stderr and not (tmp_path / "p").exists()
    house.cli.run("policy", "starter", "--authority", "X", "--disclosure", "http://pki.example.org", tmp_path / "p", code=2)
    said = house.cli.run("policy", "starter", "--authority", "X", tmp_path / "p").stdout
    assert "qualified cases need --disclosure" in said
    assert not [p for p in (tmp_path / "p").rglob("Qualified*")]


@pytest.mark.parametrize("name", CASES)
def test_openssl(house, issued, name):
    for purpose in CASES[name].openssl:
        said = run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-policy_check", "-CAfile", house.folder / "root.pem",
                   "-no-CApath", "-no-CAstore", "-untrusted", house.folder / "issuing.pem", house.folder / f"{name}.pem")
        assert said.strip().endswith("OK"), said


@pytest.mark.parametrize("name", CASES)
def test_gnutls(house, issued, name):
    both = house.folder / f"{name}.chain.pem"
    both.write_bytes((house.folder / f"{name}.pem").read_bytes() + (house.folder / "issuing.pem").read_bytes())
    for purpose in CASES[name].eku or [None]:
        said = run("certtool", "--verify", "--load-ca-certificate", house.folder / "root.pem", "--infile", both,
                   *(["--verify-purpose", purpose] if purpose else []))
        assert "Verified. The certificate is trusted." in said, said


def refused(*command):
    return subprocess.run([str(x) for x in command], capture_output=True, text=True, timeout=120).returncode != 0


def test_judges_refuse_the_wrong_purpose(house, issued):
    """They can fail: a client's certificate is no server's, a responder's no client's."""
    folder = house.folder
    for name, purpose, nss in (("tls-client", "sslserver", "V"), ("mail-signing", "smimeencrypt", "J"), ("ocsp", "sslclient", "C")):
        assert refused("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", folder / "root.pem", "-untrusted",
                       folder / "issuing.pem", folder / f"{name}.pem")
        assert refused("certutil", "-V", "-d", house.to_nss(name), "-n", "leaf", "-u", nss)
    chain = folder / "wrong.pem"
    chain.write_bytes((folder / "tls-client.pem").read_bytes() + (folder / "issuing.pem").read_bytes())
    assert refused("certtool", "--verify", "--load-ca-certificate", folder / "root.pem", "--infile", chain, "--verify-purpose",
                   EKU["serverAuth"])


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.nss])
def test_nss(house, issued, name):
    said = run("certutil", "-V", "-d", house.to_nss(name), "-n", "leaf", "-e", "-u", CASES[name].nss)
    assert "certificate is valid" in said


JAVA = """
import java.io.*; import java.security.cert.*; import java.util.*;
public class Judge {
  static X509Certificate read(String file) throws Exception {
    try (InputStream in = new FileInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }
  public static void main(String[] args) throws Exception {
    Set<TrustAnchor> anchors = Set.of(new TrustAnchor(read(args[0]), null));
    X509Certificate issuing = read(args[1]);
    for (int i = 2; i < args.length; i++) {
      X509Certificate leaf = read(args[i]);
      CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(List.of(leaf, issuing));
      PKIXParameters p = new PKIXParameters(anchors);
      p.setRevocationEnabled(false);
      // whoever understands an extended key usage has to say so where it is critical
      p.addCertPathChecker(new PKIXCertPathChecker() {
        public void init(boolean forward) {}
        public boolean isForwardCheckingSupported() { return false; }
        public Set<String> getSupportedExtensions() { return Set.of("2.5.29.37"); }
        public void check(Certificate c, Collection<String> open) { open.remove("2.5.29.37"); }
      });
      CertPathValidator.getInstance("PKIX").validate(path, p);
      System.out.println(args[i] + " " + leaf.getExtendedKeyUsage() + " " + leaf.getSubjectAlternativeNames());
    }
  }
}
"""


def test_java(house, issued):
    """PKIX of the JDK over all of them; without a compiler keytool at least reads each."""
    files = [house.folder / f"{name}.pem" for name in CASES]
    (house.folder / "Judge.java").write_text(JAVA)
    if subprocess.run(["which", "javac"], capture_output=True).returncode == 0:
        lines = run("java", house.folder / "Judge.java", house.folder / "root.pem", house.folder / "issuing.pem", *files).splitlines()
        assert len([x for x in lines if ".pem " in x]) == len(files)
    for file in files:
        assert "Certificate fingerprints" in run("keytool", "-printcert", "-file", file)


def test_an_answer_by_the_responder_is_accepted(house, issued):
    """RFC 6960 4.2.2.2: the authority has delegated it, by extendedKeyUsage in a certificate of its own."""
    key = world.serialization.load_pem_private_key((house.folder / "ocsp.key").read_bytes(), None)
    now = issued["tls-server"][1].not_valid_before
    answer = ocsp.OCSPResponseBuilder().add_response(
        issued["tls-server"][1], house.issuing, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, now, None, None, None).responder_id(
            ocsp.OCSPResponderEncoding.HASH, issued["ocsp"][1]).certificates([issued["ocsp"][1]]).sign(key, hashes.SHA256())
    (house.folder / "answer.der").write_bytes(answer.public_bytes(world.serialization.Encoding.DER))
    said = run("openssl", "ocsp", "-respin", house.folder / "answer.der", "-issuer", house.folder / "issuing.pem", "-cert",
               house.folder / "tls-server.pem", "-CAfile", house.folder / "chain.pem", "-no_nonce")
    assert "Response verify OK" in said and ": good" in said, said


@pytest.mark.parametrize("name", CASES)
def test_what_stands_in_it(house, issued, name):
    """Usages, names and criticality as the standard of the case wants them; and by which procedure it came."""
    case, (number, cert) = CASES[name], issued[name]
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage)
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
             "crl_sign"]
    assert usage.critical and {n for n in names if getattr(usage.value, n)} == case.usage
    try:
        eku = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert [o.dotted_string for o in eku.value] == case.eku and eku.critical == (name == "piv-card-authentication")
    except x509.ExtensionNotFound:
        assert not case.eku
    told = house.world.call("GET", f"/api/v1/certificates/{number}/explanation", officer=house.world.officers["anna"])
    assert told["procedures"]["certificate"]["name"] == case.made_by, told["procedures"]


def extension(cert, oid):
    return cert.extensions.get_extension_for_oid(x509.ObjectIdentifier(oid))


def test_names_of_the_cases(issued):
    def san(name):
        return extension(issued[name][1], "2.5.29.17")

    server = san("tls-server-rsa")
    assert server.critical and issued["tls-server-rsa"][1].subject.rdns == []
    assert server.value.get_values_for_type(x509.DNSName) == ["www.example.org"]
    card = {x.type_id.dotted_string: x.value for x in san("piv-card-authentication").value.get_values_for_type(x509.OtherName)}
    assert card == {"2.16.840.1.101.3.6.6": b"\x04\x19" + bytes.fromhex(FASC_N)}
    assert san("piv-card-authentication").value.get_values_for_type(x509.UniformResourceIdentifier) == [UUID]
    assert not issued["piv-card-authentication"][1].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    logon = san("smart-card-logon").value.get_values_for_type(x509.OtherName)
    assert [(x.type_id.dotted_string, x.value) for x in logon] == [("1.3.6.1.4.1.311.20.2.3", b"\x0c\x11anna@corp.example")]
    assert san("mail-signing").value.get_values_for_type(x509.RFC822Name) == ["anna@example.org"]
    assert not issued["mail-signing"][1].subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS)
    seal = issued["qualified-seal"][1].subject.get_attributes_for_oid(x509.ObjectIdentifier("2.5.4.97"))
    assert [a.value for a in seal] == ["NTRSE-5560123456"]


def test_extensions_of_the_cases(issued):
    assert extension(issued["ocsp"][1], ExtensionOID.OCSP_NO_CHECK.dotted_string) and not extension_there(issued["ocsp"][1], "2.5.29.31")
    qc = {name: extension(issued[name][1], "1.3.6.1.5.5.7.1.3").value.value for name in ("qualified-signature", "qualified-seal")}
    for name, kind, semantics, policy in (("qualified-signature", 1, 1, "0.4.0.194112.1.2"), ("qualified-seal", 2, 2, "0.4.0.194112.1.3")):
        for oid in ("0400 8e46 0101", "0400 8e46 0104", f"0400 8e46 0106 {kind:02x}", f"0400 8bec 4901 {semantics:02x}", "0400 8e46 0105"):
            assert bytes.fromhex(oid) in qc[name], (name, oid)
        assert b"https://pki.example.org/pds.pdf" in qc[name]
        policies = extension(issued[name][1], "2.5.29.32").value
        assert [p.policy_identifier.dotted_string for p in policies] == [policy]


def extension_there(cert, oid):
    return any(x.oid.dotted_string == oid for x in cert.extensions)


def test_no_lint_finds_anything(house, issued):
    waiting, end = {name: number for name, (number, _) in issued.items()}, time.monotonic() + 60
    while waiting and time.monotonic() < end:
        for name, number in list(waiting.items()):
            lints = house.world.call("GET", f"/api/v1/certificates/{number}/explanation", officer=house.world.officers["anna"])["lints"]
            if lints["state"] != "waiting":
                assert lints["state"] == "good" and lints["found"] == [], (name, lints)
                del waiting[name]
        time.sleep(0.3)
    assert not waiting
    assert "auditor.disagreement" not in house.world.log.read_text()


@pytest.mark.parametrize("procedure,subject,san,field", [
    ("TLS server", "CN=other.example.org", "DNS:www.example.org", "subject.CN"),
    ("Secure mail", "CN=Anna", "DNS:www.example.org", "input.san.email"),
    ("Smart card logon", "CN=Anna", "email:anna@example.org", "input.san.upn"),
    ("PIV authentication", "CN=Anna", PIV.replace(UUID, "https://a.example/"), "csr.subject_alternative_names"),
    ("PIV card authentication", "serialNumber=1/CN=Anna", PIV, "subject.CN"),
    ("Code signing", "C=SE/O=Example/CN=Example", None, "csr.key"),
    ("Qualified signature", "C=SE/GN=Anna/SN=Andersson/CN=Anna", None, "input.subject.serial-number"),
    ("Qualified seal", "C=SE/O=Example AB/CN=Example AB", None, "input.subject.organisation-identifier"),
])
def test_what_does_not_belong_is_refused(house, procedure, subject, san, field):
    key = ["-newkey", "rsa:2048"] if procedure == "Code signing" else EC
    with pytest.raises(world.Refused) as why:
        house.issue("refused", Case(procedure, subject, san, "", "", key=key))
    assert why.value.problem.get("field") == field, why.value


def test_a_soft_token_for_mail(house):
    """Two keys in one file, by the same procedures; what the file holds is judged where tokens are."""
    rosa = house.world.officers["rosa"]
    asked = {"subject.common-name": "Anna Andersson", "san.email": "anna@example.org"}
    done = house.world.act("token.issue", {"token_procedure": "Secure mail soft token", "input": asked}, rosa)
    assert done["state"] == "done" and len(done["result"]["certificates"]) == 2, done
    file = house.world.call("GET", f"/api/v1/tokens/{done['result']['token']}/file", officer=rosa)
    key, cert, _ = world.pkcs12.load_key_and_certificates(base64.b64decode(file["file"]), file["pin"].encode())
    assert key.key_size == 3072 and extension(cert, "2.5.29.17").value.get_values_for_type(x509.RFC822Name) == ["anna@example.org"]
