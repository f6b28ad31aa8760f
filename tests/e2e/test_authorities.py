"""Authorities: their fields, name constraints, renewal, cross-certification both ways, external roots and subordinates, closing,
keys in several tokens. Foreign CAs are played by Python; what comes out is judged by OpenSSL and GnuTLS."""
import base64
import datetime
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import fixtures
import world
from world import Refused, make_csr

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(1)


def b64(der):
    return base64.b64encode(der).decode()


def name(cn, o="Foreign"):
    return x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, o), x509.NameAttribute(x509.NameOID.COMMON_NAME, cn)])


class Foreign:
    """A CA elsewhere."""

    def __init__(self, cn, key=None, up=None, path=None, start=NOW - DAY, end=NOW + 4000 * DAY, ca=True, algorithm=None):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.subject = name(cn)
        self.cert = (up or self).certify(self.subject, self.key.public_key(), path, start, end, ca, algorithm)

    def certify(self, subject, public, path=None, start=NOW - DAY, end=NOW + 3000 * DAY, ca=True, algorithm=None, ski=True):
        b = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.subject).public_key(public)
             .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
             .add_extension(x509.BasicConstraints(ca, path if ca else None), True)
             .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False))
        if ski:
            b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        if ca:
            b = b.add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
        return b.sign(self.key, algorithm or hashes.SHA256())

    @property
    def der(self):
        return self.cert.public_bytes(DER)

    def request(self):
        return x509.CertificateSigningRequestBuilder().subject_name(self.subject).sign(self.key, hashes.SHA256()).public_bytes(DER)


@pytest.fixture(scope="module")
def house(sqlite_house):
    return sqlite_house


def both(house):
    return house.officers["anna"], house.officers["ben"]


def body_of(house, cid):
    return house.call("GET", f"/api/v1/documents/authority/{cid}", officer=house.officers["anna"])["body"]


def key(house, called, algorithm="p-256", **more):
    house.act("ca-key.create", {"name": called, "algorithm": algorithm, **more}, *both(house))
    return called


def make(house, **body):
    done = house.act("authority.create", body, *both(house))
    assert done["state"] == "done", done
    return done["result"]["id"]


def root(house, called, algorithm="p-256", **more):
    body = {"name": called, "type": "root", "ca_key": key(house, called + " key", algorithm), "subject": f"CN={called},O=Test",
            "format": "CA certificate", "validity": "P20Y"}
    return make(house, **{k: v for k, v in {**body, **more}.items() if v is not None})


def cert_of(house, cid, version=None):
    query = f"?version={version}" if version else ""
    der = house.raw("GET", f"/api/v1/authorities/{cid}/certificate{query}", headers={"Accept": "application/pkix-cert"})[2]
    return x509.load_der_x509_certificate(der)


def procedures(house, authority, called, **more):
    anna, ben = both(house)
    house.act("certificate-procedure.create",
              {"name": called, "authority": authority, "format": "TLS server", "key_usage": ["digitalSignature"],
               "extended_key_usage": ["serverAuth"], "validity": "P90D", **more}, anna, ben)
    house.act("token-procedure.create", {"name": called, "storage_profile": "pkcs10", "issuer_certificates": "none",
                                         "certificate_procedures": [called]}, anna, ben)
    return house.open_session(procedures=(called,))


def issue(house, token, procedure, *names, cn=None):
    made = house.issue(token, make_csr(cn, sans=names)[0], procedure)
    return x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))


def openssl(house, leaf, roots, between=()):
    """OpenSSL's verdict, None or its words."""
    for called, certs in (("roots", roots), ("between", between), ("leaf", [leaf])):
        (house.folder / f"{called}.pem").write_bytes(b"".join(c.public_bytes(PEM) for c in certs))
    command = ["openssl", "verify", "-CAfile", house.folder / "roots.pem", "-no-CApath", "-no-CAstore", "-x509_strict"]
    if between:
        command += ["-untrusted", house.folder / "between.pem"]
    done = subprocess.run([*command, house.folder / "leaf.pem"], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stdout + done.stderr


def gnutls(house, leaf, roots, between=()):
    (house.folder / "g-roots.pem").write_bytes(b"".join(c.public_bytes(PEM) for c in roots))
    (house.folder / "g-chain.pem").write_bytes(b"".join(c.public_bytes(PEM) for c in [leaf, *between]))
    done = subprocess.run(["certtool", "--verify", "--load-ca-certificate", house.folder / "g-roots.pem", "--infile",
                           house.folder / "g-chain.pem"], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stdout + done.stderr


def refused(code, fn, *args, **kw):
    with pytest.raises(Refused) as e:
        fn(*args, **kw)
    assert e.value.code == code, e.value
    return e.value


def test_fields(house):
    """Every field of the dialog comes out in the certificate, to the minute; one officer alone makes no authority.
    rows=CM-A-01 rows=CM-A-02 rows=CM-A-03"""
    anna, ben = both(house)
    cid = root(house, "Fields CA", "p-384", validity=None, not_before="2026-01-02T03:04:00Z", not_after="2041-05-06T07:08:00Z",
               path_length=2, signature_algorithm="ecdsa-sha384", permitted_names=["dns:example.org", "ip:10.0.0.0/8"],
               excluded_names=["email:example.com"])
    cert = cert_of(house, cid)
    assert (cert.not_valid_before, cert.not_valid_after) == (datetime.datetime(2026, 1, 2, 3, 4), datetime.datetime(2041, 5, 6, 7, 8))
    assert cert.issuer == cert.subject and cert.signature_hash_algorithm.name == "sha384"
    assert cert.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 2
    nc = cert.extensions.get_extension_for_class(x509.NameConstraints)
    assert nc.critical and [g.value for g in nc.value.excluded_subtrees] == ["example.com"]
    assert [str(g.value) for g in nc.value.permitted_subtrees] == ["example.org", "10.0.0.0/8"]
    sub = make(house, name="Below Fields", type="subordinate", issuing_authority="Fields CA", ca_key=key(house, "Below key"),
               subject="CN=Below,O=Test", format="CA certificate", validity="P1Y", path_length=1)
    assert cert_of(house, sub).issuer == cert.subject and openssl(house, cert_of(house, sub), [cert]) is None
    body = {"name": "Alone", "type": "root", "ca_key": key(house, "Alone key"), "subject": "CN=Alone", "format": "CA certificate",
            "validity": "P1Y"}
    assert house.act("authority.create", body, anna)["state"] == "waiting"
    assert "Alone" not in [d["name"] for d in house.call("GET", "/api/v1/documents/authority", officer=anna)["items"]]
    refused("CHY-1588", make, house, name="Too deep", type="subordinate", issuing_authority="Below Fields",
            ca_key=key(house, "Deep key"), subject="CN=Deep", format="CA certificate", validity="P1M", path_length=1)
    refused("CHY-1601", house.prepare, house.officers["rosa"], "authority.create", body)


def test_name_constraints(house):
    """What an authority above does not permit is refused before it is signed, by its own code; the rest verifies."""
    up = root(house, "Bound Root", permitted_names=["dns:example.org", "dir:O=Test"], excluded_names=["dns:secret.example.org"])
    sub = make(house, name="Bound CA", type="subordinate", issuing_authority="Bound Root", ca_key=key(house, "Bound key"),
               subject="CN=Bound CA,O=Test", format="CA certificate", validity="P5Y", path_length=0)
    token = procedures(house, "Bound CA", "Bound TLS")
    leaf = issue(house, token, "Bound TLS", "www.example.org")
    chain = [cert_of(house, sub)], [cert_of(house, up)]
    assert openssl(house, leaf, chain[1], chain[0]) is None and gnutls(house, leaf, chain[1], chain[0]) is None
    for wrong, says in (("www.example.com", "dns:example.org"), ("a.secret.example.org", "dns:secret.example.org")):
        e = refused("CHY-1591", issue, house, token, "Bound TLS", wrong)
        assert says in str(e) and "Bound Root" in str(e) and e.problem["rule"] == "name-constraints"
    body = dict({"name": "Stray", "type": "subordinate", "issuing_authority": "Bound Root", "path_length": 0,
                                          "ca_key": key(house, "Stray key"), "subject": "CN=Stray,O=Other",
                                          "format": "CA certificate", "validity": "P1Y"})
    refused("CHY-1591", make, house, **body)


def renew(house, cid, **change):
    body = {k: v for k, v in {**body_of(house, cid), **change}.items() if v is not None}
    return house.act("authority.renew", body, *both(house), obj=cid)


def test_renewal(house):
    """Same key and name, another validity and algorithm; certificates of before verify with the new one and those of after with
    the old one; the old one stays. rows=CM-A-04 rows=CM-A-05 rows=CM-A-06"""
    up = root(house, "Renewed Root", "rsa-2048", validity=None, not_before="2024-01-01T00:00:00Z", not_after="2036-01-01T00:00:00Z")
    token = procedures(house, "Renewed Root", "Renewed TLS")
    before, old = issue(house, token, "Renewed TLS", "before.example.org"), cert_of(house, up)
    done = renew(house, up, not_before=None, not_after="2038-06-01T00:01:00Z", signature_algorithm="rsa-pkcs1-sha512")
    assert (done["state"], done["result"]["version"]) == ("done", 2)
    new = cert_of(house, up)
    assert (new.public_key().public_numbers(), new.subject) == (old.public_key().public_numbers(), old.subject)
    assert new.serial_number != old.serial_number and new.not_valid_after == datetime.datetime(2038, 6, 1, 0, 1)
    assert (old.signature_hash_algorithm.name, new.signature_hash_algorithm.name) == ("sha256", "sha512")
    after = issue(house, token, "Renewed TLS", "after.example.org")
    for leaf in (before, after):
        for anchor in (old, new):
            assert openssl(house, leaf, [anchor]) is None and gnutls(house, leaf, [anchor]) is None
    items = house.call("GET", f"/api/v1/authorities/{up}/certificates")["items"]
    assert [(i["number"], i["origin"], i["current"]) for i in items] == [(1, "issued", False), (2, "issued", True)]
    assert cert_of(house, up, 1) == old and cert_of(house, up, 2) == new
    refused("CHY-1460", house.call, "GET", f"/api/v1/authorities/{up}/certificate?version=3")
    assert body_of(house, up)["signature_algorithm"] == "rsa-pkcs1-sha512"
    # the signer holds the key to what it was made for, and a name or key cannot be changed
    refused("CHY-1738", renew, house, up, not_after="2060-01-01T00:00:00Z")
    refused("CHY-1517", renew, house, up, subject="CN=Another")
    refused("CHY-1581", renew, house, up, not_before="2030-01-01T00:00:00Z")
    refused("CHY-1581", renew, house, up, not_after="2020-01-01T00:00:00Z")


def test_second_officer_sees_what_a_renewal_comes_to(house):
    """A renewal or request whose document stays as it is shows what will be made all the same."""
    anna, ben = both(house)
    up = root(house, "Shown Root", validity=None, not_after="2036-01-01T00:00:00Z")

    def waiting(act, **change):
        asked = house.prepare(anna, act, {**body_of(house, up), **change}, up)
        house.bring(anna, asked, anna)
        shown = house.call("GET", f"/api/v1/requests/{asked['id']}", officer=ben)
        assert shown["difference"] == asked["difference"], shown
        return asked, shown["difference"]

    asked, lines = waiting("authority.renew")
    assert lines == [{"field": "certificate", "label": "New certificate", "old": "until 2036-01-01T00:00:00Z",
                      "new": "until 2036-01-01T00:00:00Z, for the same key, issued by Shown Root"}]
    house.bring(ben, asked, ben)
    serial = cert_of(house, up).serial_number
    made = serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex()
    shown = house.call("GET", f"/api/v1/requests/{asked['id']}", officer=ben)["difference"]
    assert [(x["old"], x["new"]) for x in shown] == [(None, f"until 2036-01-01T00:00:00Z, serial number {made}")]
    _, lines = waiting("authority.renew", not_after="2035-01-01T00:00:00Z")
    assert [x["field"] for x in lines] == ["not_after", "certificate"] and lines[1]["new"].startswith("until 2035-01-01T00:00:00Z")
    _, lines = waiting("authority.request")
    assert lines[0]["new"] == "PKCS#10, for CN=Shown Root,O=Test, by the key Shown Root key; the authority stays as it is"


def cross_body(house, request, **more):
    return {"name": "Partner", "type": "cross", "issuing_authority": "Root CA", "request": b64(request), "format": "CA certificate",
            "validity": "P2Y", "path_length": 0, "permitted_names": ["dns:partner.example"], **more}


def test_cross_certifying_a_foreign_ca(house):
    """Its request imported, signed by two officers with constraints, exported: its certificates verify with our root.
    rows=CM-A-07"""
    partner = Foreign("Partner CA")
    made = make(house, **cross_body(house, partner.request()))
    cross = cert_of(house, made)
    ours = cert_of(house, next(d["id"] for d in house.call("GET", "/api/v1/documents/authority", officer=house.officers["anna"])["items"]
                               if d["name"] == "Root CA"))
    assert cross.subject == partner.subject and cross.public_key().public_numbers() == partner.key.public_key().public_numbers()
    leaf_key = ec.generate_private_key(ec.SECP256R1()).public_key()

    def leaf(host):
        return (x509.CertificateBuilder().subject_name(name("Host")).issuer_name(partner.subject).public_key(leaf_key).serial_number(9)
                .not_valid_before(NOW).not_valid_after(NOW + 9 * DAY)
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(partner.key.public_key()), False)
                .sign(partner.key, hashes.SHA256()))

    assert openssl(house, leaf("a.partner.example"), [ours], [cross]) is None
    assert "permitted subtree" in openssl(house, leaf("a.example.org"), [ours], [cross])
    # it cannot issue here, and is renewed like others
    refused("CHY-1592", procedures, house, "Partner", "By partner")
    assert renew(house, made, validity="P3Y")["state"] == "done" and cert_of(house, made).not_valid_after > cross.not_valid_after
    # a self-signed certificate of the foreign CA does as well
    assert make(house, **cross_body(house, Foreign("Other CA").der, name="Other partner"))


def bad_cross():
    good, weak = Foreign("Good"), Foreign("Weak", key=rsa.generate_private_key(65537, 1024))
    altered = bytearray(good.request())
    altered[-1] ^= 1
    sha1 = Foreign("Old", key=rsa.generate_private_key(65537, 2048), algorithm=hashes.SHA1())
    return {
        "possession": (bytes(altered), "CHY-1735"),
        "trailing": (good.request() + b"\0", "CHY-1540"),
        "nothing": (b"\x05\x00", "CHY-1730"),
        "weak key": (weak.request(), "CHY-1736"),
        "weak signature": (sha1.der, "CHY-1736"),
        "not a CA": (Foreign("Leaf", ca=False).der, "CHY-1733"),
        "expired": (Foreign("Late", start=NOW - 9 * DAY, end=NOW - DAY).der, "CHY-1734"),
        "not self-signed": (Foreign("Sub", up=good).der, "CHY-1735"),
        "too long": (b"\x04\x82\x50\x00" + bytes(0x5000), "CHY-1504"),
    }


@pytest.mark.parametrize("what", ["possession", "trailing", "nothing", "weak key", "weak signature", "not a CA", "expired", "not self-signed",
                                  "too long"])
def test_bad_requests_of_foreign_cas(house, what):
    der, code = bad_cross()[what]
    refused(code, house.prepare, house.officers["anna"], "authority.create", cross_body(house, der, name="Bad " + what))


def test_a_megabyte_is_not_imported(house):
    with pytest.raises(Refused) as e:
        house.prepare(house.officers["anna"], "authority.create", cross_body(house, bytes(1 << 20), name="Big"))
    assert e.value.status in (400, 413)


@pytest.fixture(scope="module")
def external(house):
    """An external subordinate with its request, and the foreign CAs that shall issue its certificate."""
    top = Foreign("Top Root", path=3)
    middle = Foreign("Middle CA", up=top, path=1)
    make(house, name="Top Root", type="external-root", certificate=b64(top.der))
    cid = make(house, name="External CA", type="external-subordinate", issuing_authority="Top Root", path_length=0,
               ca_key=key(house, "External key"), subject="CN=External CA,O=Test")
    token = procedures(house, "External CA", "External TLS")
    done = house.act("authority.request", body_of(house, cid), *both(house), obj=cid)
    return top, middle, cid, token, x509.load_der_x509_csr(base64.b64decode(done["result"]["request"]))


def bring(house, cid, cert, chain=()):
    ders = {"certificate": b64(cert.public_bytes(DER)), "chain": [b64(c.public_bytes(DER)) for c in chain]}
    return house.act("authority.modify", {**body_of(house, cid), **ders}, *both(house), obj=cid)


def test_external_subordinate(house, external):
    """Its request, by our key and signed by two officers, is certified elsewhere; before the import it says what is to be done."""
    top, middle, cid, token, csr = external
    e = refused("CHY-1560", issue, house, token, "External TLS", "a.example.org")
    assert "import" in str(e)
    assert csr.is_signature_valid and csr.subject.rfc4514_string() == "CN=External CA,O=Test"
    assert csr.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    theirs = middle.certify(csr.subject, csr.public_key(), 0)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    bad = {
        "another key": (middle.certify(csr.subject, other, 0), [middle.cert], "CHY-1731"),
        "another name": (middle.certify(name("Else"), csr.public_key(), 0), [middle.cert], "CHY-1732"),
        "expired": (middle.certify(csr.subject, csr.public_key(), 0, NOW - 9 * DAY, NOW - DAY), [middle.cert], "CHY-1734"),
        "not yet": (middle.certify(csr.subject, csr.public_key(), 0, NOW + DAY, NOW + 9 * DAY), [middle.cert], "CHY-1734"),
        "no CA": (middle.certify(csr.subject, csr.public_key(), ca=False), [middle.cert], "CHY-1733"),
        "no identifier": (middle.certify(csr.subject, csr.public_key(), 0, ski=False), [middle.cert], "CHY-1730"),
        "chain missing": (theirs, [], "CHY-1737"),
        "wrong signature": (theirs, [Foreign("Middle CA", up=top, path=1).cert], "CHY-1735"),
        "chain in disorder": (theirs, [top.cert, middle.cert], "CHY-1737"),
    }
    narrow = Foreign("Narrow CA", up=Foreign("Path Root", key=top.key, path=0), path=0)
    path = Foreign("Below", up=narrow, path=0)
    bad["path length"] = (path.certify(csr.subject, csr.public_key(), 0), [path.cert, narrow.cert], "CHY-1737")
    for what, (cert, chain, code) in bad.items():
        with pytest.raises(Refused) as x:
            bring(house, cid, cert, chain)
        assert x.value.code == code, (what, x.value)
    assert bring(house, cid, theirs, [middle.cert])["state"] == "done"
    leaf = issue(house, token, "External TLS", "a.example.org")
    assert openssl(house, leaf, [top.cert], [theirs, middle.cert]) is None
    assert gnutls(house, leaf, [top.cert], [theirs, middle.cert]) is None
    pem = house.raw("GET", f"/api/v1/authorities/{cid}/chain")[2]
    assert pem == b"".join(c.public_bytes(PEM) for c in (theirs, middle.cert, top.cert))
    # a renewed certificate from there; the one before stays in the list
    again = middle.certify(csr.subject, csr.public_key(), 0, end=NOW + 3500 * DAY)
    bring(house, cid, again, [middle.cert])
    items = house.call("GET", f"/api/v1/authorities/{cid}/certificates")["items"]
    assert [(i["origin"], i["current"]) for i in items] == [("imported", False), ("imported", True)]
    assert cert_of(house, cid) == again and cert_of(house, cid, 1) == theirs
    refused("CHY-1740", renew, house, cid)


def test_external_root(house):
    """A trust anchor: no key, issues nothing, never changes."""
    good = Foreign("Anchor")
    cid = make(house, name="Anchor", type="external-root", certificate=good.cert.public_bytes(PEM).decode())
    assert cert_of(house, cid) == good.cert
    refused("CHY-1592", procedures, house, "Anchor", "By anchor")
    refused("CHY-1739", house.act, "authority.request", body_of(house, cid), *both(house), obj=cid)
    refused("CHY-1517", house.act, "authority.modify", {**body_of(house, cid), "certificate": b64(Foreign("Anchor").der)},
            *both(house), obj=cid)
    refused("CHY-1592", make, house, name="Under anchor", type="subordinate", issuing_authority="Anchor", ca_key="Root key",
            subject="CN=U", format="CA certificate", validity="P1Y")
    for what, (der, code) in {"no root": (Foreign("S", up=good).der, "CHY-1735"), "no CA": (Foreign("L", ca=False).der, "CHY-1733"),
                              "expired": (Foreign("E", start=NOW - 3 * DAY, end=NOW - DAY).der, "CHY-1734")}.items():
        refused(code, make, house, name="Bad anchor " + what, type="external-root", certificate=b64(der))


def test_our_ca_cross_certified_elsewhere(house):
    """Our request, their certificate of our key and name: imported as another certificate, checked to be ours and theirs.
    rows=CM-A-07"""
    up = root(house, "Crossed Root", path_length=1)
    token = procedures(house, "Crossed Root", "Crossed TLS")
    done = house.act("authority.request", body_of(house, up), *both(house), obj=up)
    csr = x509.load_der_x509_csr(base64.b64decode(done["result"]["request"]))
    bridge = Foreign("Bridge CA")
    theirs = bridge.certify(csr.subject, csr.public_key(), 1)

    def take(cert):
        return house.act("authority.modify", {**body_of(house, up), "cross_certificates": [b64(cert.public_bytes(DER))]}, *both(house),
                         obj=up)

    refused("CHY-1737", take, theirs)  # nobody here knows the bridge
    make(house, name="Bridge", type="external-root", certificate=b64(bridge.der))
    refused("CHY-1735", take, Foreign("Bridge CA").certify(csr.subject, csr.public_key(), 1))
    refused("CHY-1731", take, bridge.certify(csr.subject, bridge.key.public_key(), 1))
    refused("CHY-1732", take, bridge.certify(name("Not ours"), csr.public_key(), 1))
    assert take(theirs)["state"] == "done"
    items = house.call("GET", f"/api/v1/authorities/{up}/certificates")["items"]
    assert [(i["origin"], i["current"]) for i in items] == [("issued", True), ("cross", False)]
    assert cert_of(house, up, 2) == theirs and cert_of(house, up) != theirs
    leaf = issue(house, token, "Crossed TLS", "x.example.org")
    assert openssl(house, leaf, [bridge.cert], [theirs]) is None and openssl(house, leaf, [cert_of(house, up)]) is None


@pytest.mark.parametrize("point,act", [("factory.after-sign-authority", "authority.renew"), ("factory.after-work", "authority.renew"),
                                       ("factory.after-sign-authority", "cross"), ("factory.after-work", "cross"),
                                       ("factory.after-sign-request", "authority.request"), ("factory.after-work", "external"),
                                       ("factory.before-signature", "import"), ("factory.after-signature", "import")])
def test_killed_between_signature_and_effect(house, point, act):
    """kill -9: the act takes effect all the same, once; or nothing of it is there and it is done again."""
    called = f"{act} {point}"
    cid, base = None, root(house, called + " base")
    if act == "cross":
        kind, body = "authority.create", cross_body(house, Foreign(called).request(), name=called, issuing_authority=called + " base")
    elif act == "external":
        kind, body = "authority.create", {"name": called, "type": "external-subordinate", "ca_key": key(house, called),
                                          "subject": f"CN={called},O=Test"}
    elif act == "import":
        kind, top = "authority.modify", Foreign(called)
        cid = make(house, name=called, type="external-subordinate", ca_key=key(house, called), subject=f"CN={called},O=Test")
        done = house.act("authority.request", body_of(house, cid), *both(house), obj=cid)
        csr = x509.load_der_x509_csr(base64.b64decode(done["result"]["request"]))
        body = {**body_of(house, cid), "certificate": b64(top.certify(csr.subject, csr.public_key(), 0).public_bytes(DER)),
                "chain": [b64(top.der)]}
    else:
        kind, cid, body = act, base, body_of(house, base)
    request = house.prepare(house.officers["anna"], kind, body, cid)
    house.stop()
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / called.replace(" ", "-")))
    try:
        with pytest.raises((Refused, OSError)):
            house.bring(house.officers["anna"], request, *both(house))
        house.wait_ready()
        end = time.monotonic() + 40
        while time.monotonic() < end:
            try:
                state = house.call("GET", f"/api/v1/requests/{request['id']}", officer=house.officers["anna"])["state"]
                if state == "prepared":
                    house.bring(house.officers["anna"], request, *both(house))
                elif state == "done":
                    break
            except (Refused, OSError):
                pass
            time.sleep(0.3)
        assert state == "done" and "signal=9" in house.log.read_text()[mark:], (state, house.log.read_text()[-2000:])
    finally:
        house.stop()
        house.start()
    made = cid or request["id"]
    count = len(house.call("GET", f"/api/v1/authorities/{made}/certificates")["items"])
    assert count == {"authority.renew": 2, "cross": 1, "authority.request": 1, "external": 0, "import": 1}[act]
    report = house.call("GET", "/api/v1/journal/reconciliation", officer=house.officers["anna"])
    assert report["missing_in_store"] == 0


def test_a_closed_ca_issues_nothing(house):
    """rows=CM-C-24"""
    cid = root(house, "Closing Root")
    token = procedures(house, "Closing Root", "Closing TLS")
    issue(house, token, "Closing TLS", "open.example.org")
    house.act("authority.modify", {**body_of(house, cid), "state": "closed"}, *both(house), obj=cid)
    refused("CHY-1558", issue, house, token, "Closing TLS", "shut.example.org")
    assert cert_of(house, cid)  # still served
    house.act("authority.modify", {**body_of(house, cid), "state": "active"}, *both(house), obj=cid)
    issue(house, token, "Closing TLS", "again.example.org")


def test_the_journal_accounts_for_all_of_it(house):
    """Offline: every certificate of an authority goes back to two officers' signatures."""
    house.wait_sequenced()
    (house.folder / "export.jsonl").write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--file", house.folder / "export.jsonl", "--root", house.dir / "root.pem"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_keys_in_two_tokens_at_once(scratch):
    """Two CAs whose keys are in different tokens issue side by side, beside one in software. rows=CM-A-16"""
    hsm = fixtures.SoftHsm(scratch / "hsm")
    uris = [hsm.token("first"), hsm.token("second")]
    w = world.World(scratch / "house", modules=[hsm.module], env=hsm.env)
    try:
        w.start().make_officers().make_ca()
        tokens = []
        for i, uri in enumerate(uris):
            where = key(w, f"Key in token {i}", place="pkcs11", pkcs11_uri=uri)
            cid = make(w, name=f"Token CA {i}", type="root", ca_key=where, subject=f"CN=Token CA {i}", format="CA certificate", validity="P5Y")
            tokens.append((cid, procedures(w, f"Token CA {i}", f"Token TLS {i}"), f"Token TLS {i}"))
        for cid, token, procedure in tokens * 2:
            assert openssl(w, issue(w, token, procedure, "t.example.org"), [cert_of(w, cid)]) is None
        issue(w, w.open_session(), "TLS server", "soft.example.org")
        for label in ("first", "second"):
            done = subprocess.run(["pkcs11-tool", "--module", fixtures.SOFTHSM, "--token-label", label, "--login", "--pin", "271828", "-O",
                                   "--type", "privkey"], env={**w.env}, capture_output=True, text=True)
            if done.returncode == 0:
                assert done.stdout.count("Private Key Object") == 1, done.stdout
    finally:
        w.stop()


def test_nothing_is_produced_while_boot_officers_are_active(scratch):
    """rows=CM-A-17"""
    w = world.World(scratch / "boot")
    try:
        w.start()
        b1, b2 = w.officers["boot1"], w.officers["boot2"]
        w.officers.update(anna=b1, ben=b2, rosa=b1)
        real = w.make_officer("Rita Registrar", "Boot officer", b1, b2)  # the system's own CA makes officers
        other = w.make_officer("Otto Officer", "Boot officer", b1, b2)
        w.make_ca_plain = None
        w.act("ca-key.create", {"name": "K", "algorithm": "p-256"}, b1, b2)
        make(w, name="P", type="root", ca_key="K", subject="CN=P", format="CA certificate", validity="P1Y")
        token = procedures(w, "P", "P TLS")
        e = refused("CHY-1590", issue, w, token, "P TLS", "a.example.org")
        assert "Boot officer" in str(e) and e.problem["rule"] == "production"
        for d in w.call("GET", "/api/v1/documents/officer", officer=real)["items"]:
            if d["body"].get("boot"):
                w.act("officer.modify", dict(d["body"], state="closed"), real, other, obj=d["id"])
        issue(w, w.open_session(procedures=("P TLS",), officer=real), "P TLS", "a.example.org")
    finally:
        w.stop()


def test_the_systems_authority_makes_no_servers(house):
    """Nor is it for procedures of domains: who trusts it, trusts it for this server and for officers. rows=CM-O-13"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    officer = next(d["body"] for d in house.call("GET", "/api/v1/documents/certificate-procedure", officer=anna)["items"]
                   if d["body"]["name"] == "Officer")
    house.act("domain.create", {"name": "Systemless"}, anna, ben)
    house.act("format.create", {"name": "Any purpose", "extended_key_usage": "none",
                                "subject": [{"attribute": "CN", "mandatory": True}]}, anna, ben)
    for change, code, field in (({"domain": "Systemless"}, "CHY-1596", "domain"),
                                ({"extended_key_usage": ["serverAuth", "clientAuth"]}, "CHY-1597", "extended_key_usage"),
                                ({"extended_key_usage": ["anyExtendedKeyUsage"]}, "CHY-1597", "extended_key_usage"),
                                ({"extended_key_usage": []}, "CHY-1597", "extended_key_usage"),
                                ({"format": "Any purpose"}, "CHY-1597", "extended_key_usage")):
        e = refused(code, house.prepare, anna, "certificate-procedure.create", dict(officer, name="By the system", **change))
        assert (e.status, e.problem["field"]) == (403, field), change
    house.act("certificate-procedure.create", dict(officer, name="By the system", extended_key_usage=["clientAuth", "emailProtection"]),
              anna, ben)
