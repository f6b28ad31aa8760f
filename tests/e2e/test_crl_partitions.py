"""Revocation lists with partitions, and indirect ones, as OpenSSL, Java and GnuTLS make of them."""
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID
from test_crl import build, ca_certificate, change, fetch, issue, leaves, make_desk, number, reasons, wait_for

import world
from world import Refused

PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def desk(house):
    return make_desk(house)


def body(house, name, where, **more):
    made = {"name": f"CRL {name}", "authority": "Issuing CA", "include": True, "interval": "P1D",
            "distribution_points": [f"http://127.0.0.1:{house.plain_port}/crl/{where}.crl"], **more}
    if "delta_interval" in more:
        made["delta_points"] = [f"http://127.0.0.1:{house.plain_port}/crl/{where}-delta.crl"]
    return made


def create(house, name, where, **more):
    return house.act("crl-procedure.create", body(house, name, where, **more), house.officers["anna"], house.officers["ben"])["result"]["id"]


def close(house, name):
    """Certificates that are issued from now on do not point to it."""
    anna, ben = house.officers["anna"], house.officers["ben"]
    for d in house.call("GET", "/api/v1/documents/crl-procedure", officer=anna)["items"]:
        if d["body"]["name"] == name:
            house.act("crl-procedure.modify", {**d["body"], "state": "closed"}, anna, ben, obj=d["id"])


def points(cert):
    return [p for p in cert.extensions.get_extension_for_oid(ExtensionOID.CRL_DISTRIBUTION_POINTS).value]


def list_of(cert, prefix):
    """The name of the list with partitions that it points to."""
    found = [n.value.rsplit("/", 1)[1] for p in points(cert) for n in p.full_name]
    one, = [n for n in found if n.startswith(prefix)]
    return one.removesuffix(".crl")


def verify(folder, cert, crl):
    """What OpenSSL says with this list alone."""
    (folder / "one.pem").write_bytes(cert.public_bytes(PEM))
    (folder / "crl.pem").write_bytes(crl.public_bytes(PEM))
    done = subprocess.run(["openssl", "verify", "-crl_check", "-extended_crl", "-partial_chain", "-trusted", "ca.pem",
                           "-CRLfile", "crl.pem", "one.pem"], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def idp(crl):
    e = crl.extensions.get_extension_for_oid(ExtensionOID.ISSUING_DISTRIBUTION_POINT)
    assert e.critical
    return e.value


def issue_to_all(desk, name, lists, at_least):
    """As many certificates as it takes until some point to each of the lists: which one is up to chance."""
    certs = []
    while len(certs) < at_least or {list_of(c, "split-") for _, c in certs} < lists:
        assert len(certs) < 400, "after so many by chance: less than once in 10^22 runs"
        certs.append(issue(desk, f"{name}{len(certs)}"))
    return certs


def test_partitions(desk, scratch):
    """Every certificate stands on the list that it points to and on no other, also after there are more partitions. rows=CM-A-08,CM-A-19"""
    (scratch / "ca.pem").write_bytes(ca_certificate(desk, "Issuing CA").public_bytes(PEM))
    p = create(desk, "split", "split-{partition}", partitions=4, delta_interval="PT12H")
    for i in range(1, 5):
        assert number(wait_for(desk, f"split-{i}", lambda c: True)) == 1
    assert fetch(desk, "split-5") is None and fetch(desk, "split-0") is None and fetch(desk, "split-01") is None
    lists = {f"split-{i}" for i in range(1, 5)}
    certs = issue_to_all(desk, "s", lists, 24)
    where = {c.serial_number: list_of(c, "split-") for _, c in certs}
    assert set(where.values()) == lists, where
    change(desk, "revoke", [i for i, _ in certs])
    build(desk, p)
    for i in range(1, 5):
        mine = {s for s, name in where.items() if name == f"split-{i}"}
        crl = wait_for(desk, f"split-{i}", lambda c: len(reasons(c)) == len(mine))
        assert set(reasons(crl)) == mine and number(crl) > 1
        url = f"http://127.0.0.1:{desk.plain_port}/crl/split-{i}.crl"
        assert [n.value for n in idp(crl).full_name] == [url] and not idp(crl).indirect_crl
        fresh = crl.extensions.get_extension_for_oid(ExtensionOID.FRESHEST_CRL).value
        assert fresh[0].full_name[0].value == url.replace(".crl", "-delta.crl")
        delta = wait_for(desk, f"split-{i}-delta", lambda c: base_of(c) == number(crl))
        assert idp(delta) == idp(crl) and not reasons(delta)
    one = certs[0][1]
    assert "certificate revoked" in verify(scratch, one, fetch(desk, where[one.serial_number]))
    other = next(n for n in where.values() if n != where[one.serial_number])
    assert "different crl scope" in verify(scratch, one, fetch(desk, other)).lower()

    change_partitions(desk, p, 8)
    for i in range(1, 9):
        wait_for(desk, f"split-{i}", lambda c: True)
    lists = {f"split-{i}" for i in range(1, 9)}
    late = issue_to_all(desk, "t", lists, 40)
    held, gone = late[0], late[1:]
    assert {list_of(c, "split-") for _, c in late} == lists
    change(desk, "revoke", [i for i, _ in gone])
    change(desk, "hold", [held[0]])
    build(desk, p)
    all_ = {**where, **{c.serial_number: list_of(c, "split-") for _, c in late}}
    for i in range(1, 9):
        mine = {s for s, name in all_.items() if name == f"split-{i}"}
        assert set(reasons(wait_for(desk, f"split-{i}", lambda c: len(reasons(c)) == len(mine)))) == mine, i
    mine = list_of(held[1], "split-")
    complete = fetch(desk, mine)
    wait_for(desk, f"{mine}-delta", lambda c: base_of(c) == number(complete))
    change(desk, "reinstate", [held[0]])
    desk.act("crl.build", {"crl_procedure": p, "delta": True}, desk.officers["keeper"])
    delta = wait_for(desk, f"{mine}-delta", lambda c: reasons(c))
    assert reasons(delta) == {held[1].serial_number: "remove_from_crl"} and number(fetch(desk, mine)) == number(complete)
    with pytest.raises(Refused):
        change_partitions(desk, p, 3)
    desk.wait_sequenced()
    numbers = {}
    for leaf in leaves(desk.export()):
        if leaf["procedure"] == p:
            numbers.setdefault(leaf["partition"], []).append(leaf["number"])
    assert set(numbers) == set(range(1, 9))
    assert all(sorted(n) == list(range(1, len(n) + 1)) for n in numbers.values()), numbers
    (scratch / "journal.jsonl").write_bytes(desk.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", scratch / "journal.jsonl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    close(desk, "CRL split")


def base_of(crl):
    return crl.extensions.get_extension_for_oid(ExtensionOID.DELTA_CRL_INDICATOR).value.crl_number


def change_partitions(house, p, n):
    anna = house.officers["anna"]
    d = house.call("GET", f"/api/v1/documents/crl-procedure/{p}", officer=anna)
    done = house.act("crl-procedure.modify", {**d["body"], "partitions": n}, anna, house.officers["ben"], obj=d["id"])
    assert done["state"] == "done", done


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
			c.setOptions(EnumSet.of(PKIXRevocationChecker.Option.ONLY_END_ENTITY, PKIXRevocationChecker.Option.NO_FALLBACK,
				PKIXRevocationChecker.Option.PREFER_CRLS));
			PKIXBuilderParameters p = new PKIXBuilderParameters(Set.of(new TrustAnchor(load("root.pem"), null)), new X509CertSelector());
			List<Object> more = new ArrayList<>(List.of(load("ca.pem")));
			if (a.length > 0) more.add(load(a[0]));
			if (a.length > 1) more.add(CertificateFactory.getInstance("X.509").generateCRL(Files.newInputStream(Paths.get(a[1]))));
			p.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(more)));
			p.addCertPathChecker(c);
			CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(List.of(load(name), load("ca.pem")));
			try { v.validate(path, p); System.out.println(name + " valid"); }
			catch (CertPathValidatorException e) { System.out.println(name + " " + e.getReason() + " " + e.getMessage()); }
		}
	}
}
"""


def judge_by_java(folder, good, gone, *more):
    """PKIX fetches the list itself, from where the certificate says that it is."""
    (folder / "good.pem").write_bytes(good.public_bytes(PEM))
    (folder / "gone.pem").write_bytes(gone.public_bytes(PEM))
    if shutil.which("javac") is None:
        return
    (folder / "Judge.java").write_text(JAVA)
    done = subprocess.run(["java", "-Dcom.sun.security.enableCRLDP=true", "Judge.java", *more], cwd=folder, capture_output=True, text=True)
    assert "good.pem valid" in done.stdout and "gone.pem REVOKED" in done.stdout, done.stdout + done.stderr


def chain(house, folder):
    for file, name in (("ca.pem", "Issuing CA"), ("root.pem", "Root CA")):
        (folder / file).write_bytes(ca_certificate(house, name).public_bytes(PEM))


def test_partitions_by_java(desk, scratch):
    p = create(desk, "judged", "judged-{partition}", partitions=2)
    chain(desk, scratch)
    good, gone = issue(desk, "j-good")[1], issue(desk, "j-gone")
    change(desk, "revoke", [gone[0]])
    build(desk, p)
    wait_for(desk, list_of(gone[1], "judged-"), lambda c: gone[1].serial_number in reasons(c))
    wait_for(desk, list_of(good, "judged-"), lambda c: True)
    judge_by_java(scratch, good, gone[1])
    close(desk, "CRL judged")


def test_indirect(desk, scratch):
    """Another authority signs the list; certificates, list and entries say whose it is. rows=CM-A-08"""
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    desk.act("ca-key.create", {"name": "Status key", "algorithm": "p-256", "place": "software"}, anna, ben)
    desk.act("authority.create", {"name": "Status CA", "type": "subordinate", "issuing_authority": "Root CA", "ca_key": "Status key",
                                  "subject": "CN=Status CA,O=Test", "ca_issuers_urls": ["http://pki.example/ca/status.crt"], "format": "CA certificate", "validity": "P5Y", "path_length": 0}, anna, ben)
    with pytest.raises(Refused):
        create(desk, "own", "own", crl_issuer="Issuing CA")
    p = create(desk, "indirect", "indirect", crl_issuer="Status CA", delta_interval="PT6H")
    status = ca_certificate(desk, "Status CA")
    first = wait_for(desk, "indirect", lambda c: True)
    assert first.issuer == status.subject and first.is_signature_valid(status.public_key()) and idp(first).indirect_crl and number(first) == 1
    access = first.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS)  # RFC 5280 5.2.7
    assert not access.critical and [a.access_location.value for a in access.value] == ["http://pki.example/ca/status.crt"]
    chain(desk, scratch)
    (scratch / "status.pem").write_bytes(status.public_bytes(PEM))
    good, gone, more = issue(desk, "i-good")[1], issue(desk, "i-gone"), issue(desk, "i-more")
    mine, = [p_ for p_ in points(good) if p_.crl_issuer]
    assert mine.crl_issuer[0].value == status.subject and mine.full_name[0].value.endswith("/crl/indirect.crl")
    change(desk, "revoke", [gone[0], more[0]])
    build(desk, p)
    crl = wait_for(desk, "indirect", lambda c: {gone[1].serial_number, more[1].serial_number} <= set(reasons(c)))
    named = [e.value for r in crl for e in r.extensions if e.oid == CRLEntryExtensionOID.CERTIFICATE_ISSUER]
    issuing = ca_certificate(desk, "Issuing CA")
    assert [n.value for v in named for n in v] == [issuing.subject]  # the first entry's alone, which holds for all behind it
    delta = wait_for(desk, "indirect-delta", lambda c: base_of(c) == number(crl))
    assert delta.issuer == status.subject and idp(delta) == idp(crl)
    (scratch / "ca.pem").write_bytes(issuing.public_bytes(PEM))
    for cert, want in ((good, "one.pem: OK"), (gone[1], "certificate revoked"), (more[1], "certificate revoked")):
        (scratch / "one.pem").write_bytes(cert.public_bytes(PEM))
        (scratch / "crl.pem").write_bytes(crl.public_bytes(PEM))
        done = subprocess.run(["openssl", "verify", "-crl_check", "-extended_crl", "-CAfile", "root.pem", "-untrusted", "ca.pem",
                               "-untrusted", "status.pem", "-CRLfile", "crl.pem", "one.pem"], cwd=scratch, capture_output=True, text=True)
        assert want in done.stdout + done.stderr, done.stdout + done.stderr
    # Java asks whether the list's issuer is revoked, too
    create(desk, "root", "root", authority="Root CA", include=False)
    (scratch / "root.crl").write_bytes(wait_for(desk, "root", lambda c: True).public_bytes(PEM))
    judge_by_java(scratch, good, gone[1], "status.pem", "root.crl")
    done = subprocess.run(["certtool", "--verify-crl", "--infile", "crl.pem", "--load-ca-certificate", "status.pem"], cwd=scratch,
                          capture_output=True, text=True)
    assert "Verified" in done.stdout, done.stdout + done.stderr
    close(desk, "CRL indirect")


def test_told_before_it_is_signed(desk):
    """Where the authority has issued already, officers are told what the list can not be. rows=CM-A-10"""
    anna = desk.officers["anna"]
    warned = desk.prepare(anna, "crl-procedure.create", body(desk, "late", "late", crl_issuer="Root CA", include=False))["warnings"]
    assert [w["field"] for w in warned] == ["crl_issuer"] and "nobody can know" in warned[0]["text"]
    warned = desk.prepare(anna, "crl-procedure.create", body(desk, "later", "later-{partition}", partitions=3))["warnings"]
    assert [w["field"] for w in warned] == ["partitions"]
    assert not desk.prepare(anna, "crl-procedure.create", body(desk, "plain", "plain"))["warnings"]
    young = body(desk, "young", "young", authority="Status CA", crl_issuer="Root CA", include=False)
    assert not desk.prepare(anna, "crl-procedure.create", young)["warnings"]
