"""Certificates and revocation lists of foreign CAs: imported by signed acts, each with its outcome, and never taken for our own."""
import base64
import datetime
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import world
from test_authorities import Foreign, b64, name
from world import Refused, make_csr

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
NOW = datetime.datetime.utcnow().replace(microsecond=0)
HOUR = datetime.timedelta(hours=1)
ROLES = ["use-clients", "import-certificates", "revoke-certificate"]
count = iter(range(100000))


def text(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def refused(code, call, *args, **more):
    with pytest.raises(Refused) as e:
        call(*args, **more)
    assert e.value.code == code, e.value
    return e.value.problem


def leaf(ca, cn=None, key=None, ca_cert=False):
    return ca.certify(name(cn or f"Host {next(count)}"), (key or ec.generate_private_key(ec.SECP256R1())).public_key(), ca=ca_cert)


def crl(ca, entries=(), this=None, key=None, extensions=(), number=None, issuer=None):
    """entries: (certificate, reason or None, since)."""
    this = this or NOW - HOUR + datetime.timedelta(seconds=next(count))
    b = (x509.CertificateRevocationListBuilder().issuer_name(issuer or ca.subject).last_update(this).next_update(this + 24 * HOUR)
         .add_extension(x509.CRLNumber(number or next(count) + 1), False)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), False))
    for e, critical in extensions:
        b = b.add_extension(e, critical)
    for cert, reason, since in entries:
        r = x509.RevokedCertificateBuilder().serial_number(cert.serial_number).revocation_date(since)
        if reason:
            r = r.add_extension(x509.CRLReason(getattr(x509.ReasonFlags, reason)), False)
        b = b.add_revoked_certificate(r.build())
    return b.sign(key or ca.key, hashes.SHA256()).public_bytes(DER)


@pytest.fixture(scope="module")
def desk(house):
    """An officer who imports, and a foreign CA that is here as an external root."""
    anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
    house.act("officer-profile.create", {"name": "Importer", "entity_type": "dynamic-token", "roles": ROLES}, anna, ben)
    house.officers["ida"] = house.make_officer("Ida Importer", "Importer", anna, ben, issuer=rosa)
    house.foreign = Foreign("Foreign root")
    house.root_id = house.act("authority.create", {"name": "Foreign root", "type": "external-root",
                                                   "certificate": b64(house.foreign.der)}, anna, ben)["result"]["id"]
    house.authorities = {d["name"]: d["id"] for d in house.call("GET", "/api/v1/documents/authority", officer=anna)["items"]}
    return house


def bring_in(house, certs, authority="Foreign root", officer="ida", **state):
    """Outcomes of one request; certs: certificates, or what stands in their place."""
    items = [c if isinstance(c, dict) else {"certificate": c if isinstance(c, str) else b64(c.public_bytes(DER)), **state} for c in certs]
    return house.act("certificate.import", {"authority": authority, "certificates": items},
                     house.officers[officer])["result"]["certificates"]


def bring_list(house, der, authority="Foreign root"):
    return house.act("crl.import", {"authority": authority, "crl": b64(der)}, house.officers["ida"])["result"]


def status(house, number):
    return house.call("GET", f"/api/v1/certificates/{number}", officer=house.officers["anna"])["status"]


def verify(house, folder, expect=0):
    house.wait_sequenced()
    export = folder / f"journal{next(count)}.jsonl"
    export.write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export],
                          capture_output=True, text=True)
    assert done.returncode == expect, done.stdout + done.stderr
    return export, done


def test_imported_and_told_apart(desk, scratch):
    """Found and shown like others, with where it is from; known when it comes again. rows=CM-I-22"""
    ida = desk.officers["ida"]
    c = leaf(desk.foreign, "Very foreign")
    [first] = bring_in(desk, [c])
    assert (first["outcome"], first["state"]) == ("imported", "valid")
    [again] = bring_in(desk, [c])
    assert (again["outcome"], again["certificate"]) == ("known", first["certificate"])
    shown = desk.call("GET", f"/api/v1/certificates/{first['certificate']}", officer=ida)
    assert shown["imported"] is True and shown["authority"] == desk.root_id and shown["subject"] == "CN=Very foreign,O=Foreign"
    assert base64.b64decode(shown["der"]) == c.public_bytes(DER) and shown["token_procedure"] == 0
    serial = f"{c.serial_number:x}".rjust(40, "0")
    for query in (f"sha256={c.fingerprint(hashes.SHA256()).hex()}", f"authority={desk.root_id}&serial={serial}"):
        [item] = desk.call("GET", f"/api/v1/certificates?{query}", officer=ida)["items"]
        assert item["id"] == first["certificate"] and item["imported"] is True
    own = desk.issue(desk.open_session(), make_csr(None, sans=["own.example.org"])[0])["id"]
    assert desk.call("GET", f"/api/v1/certificates/{own}", officer=ida)["imported"] is False
    told = desk.call("GET", f"/api/v1/certificates/{first['certificate']}/explanation", officer=ida)
    assert told["imported"] is True and [s["name"] for s in told["signatures"]] == ["Ida Importer"]
    assert told["lints"]["state"] == "not judged"
    desk.wait_sequenced()
    assert desk.call("GET", f"/api/v1/certificates/{first['certificate']}/proof", officer=ida)["leaf"]
    verify(desk, scratch)


def test_each_certificate_has_its_outcome(desk):
    """Bad ones do not stop good ones. rows=CM-I-22"""
    other, weak = Foreign("Another root"), rsa.generate_private_key(65537, 2048)
    good, [stranger] = leaf(desk.foreign), [leaf(other)]
    impostor = Foreign("Foreign root")  # the name, but not the key
    forged = leaf(impostor)
    flipped = bytearray(good.public_bytes(DER))
    flipped[-5] ^= 1
    twin = (x509.CertificateBuilder().subject_name(name("Twin")).issuer_name(desk.foreign.subject).public_key(weak.public_key())
            .serial_number(good.serial_number).not_valid_before(NOW).not_valid_after(NOW + HOUR).sign(desk.foreign.key, hashes.SHA256()))
    got = bring_in(desk, [good, stranger, forged, b64(bytes(flipped)), "AAAA", "!!!", good, twin, leaf(desk.foreign)])
    assert [(g["outcome"], g.get("problem", {}).get("code")) for g in got] == [
        ("imported", None), ("refused", "CHY-1791"), ("refused", "CHY-1791"), ("refused", "CHY-1735"), ("refused", "CHY-1730"),
        ("refused", "CHY-1012"), ("known", None), ("refused", "CHY-1511"), ("imported", None)], got
    assert got[6]["certificate"] == got[0]["certificate"] and got[6]["state"] == "valid"
    [got] = bring_in(desk, [twin])
    assert got["problem"]["code"] == "CHY-1792"
    # without a key identifier only the signature tells
    unsaid = (x509.CertificateBuilder().subject_name(name("x")).issuer_name(desk.foreign.subject).public_key(weak.public_key())
              .serial_number(77).not_valid_before(NOW).not_valid_after(NOW + HOUR).sign(impostor.key, hashes.SHA256()))
    assert bring_in(desk, [unsaid])[0]["problem"]["code"] == "CHY-1735"


def test_only_foreign_authorities_and_only_importers(desk):
    ida = desk.officers["ida"]
    c = {"certificate": b64(leaf(desk.foreign).public_bytes(DER))}
    for own in ("Issuing CA", "Root CA", "System CA"):
        refused("CHY-1790", desk.prepare, ida, "certificate.import", {"authority": own, "certificates": [c]})
        refused("CHY-1790", desk.prepare, ida, "crl.import", {"authority": own, "crl": b64(crl(desk.foreign))})
    refused("CHY-1530", desk.prepare, ida, "certificate.import", {"authority": "Nobody", "certificates": [c]})
    for who in ("rosa", "anna"):
        refused("CHY-1601", desk.prepare, desk.officers[who], "certificate.import", {"authority": "Foreign root", "certificates": [c]})
        refused("CHY-1601", desk.prepare, desk.officers[who], "crl.import", {"authority": "Foreign root", "crl": b64(crl(desk.foreign))})
    for bad, code in (([], "CHY-1002"), ([c] * 501, "CHY-1002"), ([dict(c, state="gone")], "CHY-1507"),
                      ([dict(c, state="revoked")], "CHY-1502"), ([dict(c, since=text(NOW))], "CHY-1508"),
                      ([dict(c, state="held", since=text(NOW), reason="superseded")], "CHY-1508"),
                      ([dict(c, state="revoked", since=text(NOW), reason="certificate-hold")], "CHY-1507"),
                      ([dict(c, state="revoked", since=text(NOW + 9 * HOUR))], "CHY-1681"), ([dict(c, more=1)], "CHY-1010"), ([7], "CHY-1008")):
        with pytest.raises(Refused) as e:
            desk.prepare(ida, "certificate.import", {"authority": "Foreign root", "certificates": bad})
        assert e.value.code == code, (bad[:1], e.value)


def test_states_by_hand(desk, scratch):
    """Imported as revoked or on hold; said again, it changes, but never back from revoked. rows=CM-I-22"""
    c, h = leaf(desk.foreign), leaf(desk.foreign)
    since = NOW - 48 * HOUR
    [got] = bring_in(desk, [c], state="revoked", reason="key-compromise", since=text(since), invalid_at=text(since - HOUR))
    assert got["state"] == "revoked"
    assert status(desk, got["certificate"]) == {"state": "revoked", "reason": "key-compromise", "since": text(since),
                                                "invalid_at": text(since - HOUR)}
    [back] = bring_in(desk, [c], state="valid")
    assert back["problem"]["code"] == "CHY-1793" and status(desk, got["certificate"])["state"] == "revoked"
    assert bring_in(desk, [c], state="revoked", since=text(since))[0]["outcome"] == "known"
    [held] = bring_in(desk, [h], state="held", since=text(since))
    assert status(desk, held["certificate"])["state"] == "held"
    assert [x["cause"] for x in status(desk, held["certificate"])["holds"]] == ["import"]
    assert bring_in(desk, [h], state="valid")[0]["outcome"] == "changed"
    assert status(desk, held["certificate"]) == {"state": "valid"}
    assert bring_in(desk, [h], state="revoked", since=text(NOW))[0]["outcome"] == "changed"
    verify(desk, scratch)


def test_states_by_lists(desk, scratch):
    """A list revokes, holds and reinstates what is here, and what comes later; an older one does not. rows=CM-I-22"""
    a, b, c, later = (leaf(desk.foreign) for _ in range(4))
    ia, ib, ic = (x["certificate"] for x in bring_in(desk, [a, b, c]))
    since = NOW - 30 * HOUR
    first = crl(desk.foreign, [(a, "superseded", since), (b, "certificate_hold", since), (later, None, since)])
    result = bring_list(desk, first)
    assert (result["entries"], result["here"], result["changed"]) == (3, 2, 2), result
    assert {x["certificate"]: (x["state"], x["reason"]) for x in result["certificates"]} == {
        ia: ("revoked", "superseded"), ib: ("held", "certificate-hold")}
    assert status(desk, ia)["since"][:19] == text(since)[:19]
    assert [h["cause"] for h in status(desk, ib)["holds"]] == ["crl"] and status(desk, ic) == {"state": "valid"}
    [late] = bring_in(desk, [later])
    assert (late["outcome"], late["state"], late["reason"]) == ("imported", "revoked", "unspecified")
    refused("CHY-1795", bring_list, desk, first)
    refused("CHY-1795", bring_list, desk, crl(desk.foreign, this=NOW - 100 * HOUR))
    # the next list has forgotten the revoked one (it expired there) and lifts the hold
    result = bring_list(desk, crl(desk.foreign, [(c, "key_compromise", NOW - HOUR)]))
    assert {x["certificate"]: x["state"] for x in result["certificates"]} == {ib: "valid", ic: "revoked"}
    assert status(desk, ia)["state"] == "revoked" and status(desk, ib) == {"state": "valid"}
    told = desk.call("GET", f"/api/v1/certificates/{ib}/explanation", officer=desk.officers["ida"])["status"]["history"]
    assert [(h["act"], h["from"], h["to"]) for h in told] == [("reinstate", "held", "valid"), ("hold", "valid", "held")]
    assert told[0]["officers"][0]["name"] == "Ida Importer"
    verify(desk, scratch)


def test_each_scope_has_its_own_holds(desk, scratch):
    """Lists for parts of a CA's certificates follow each other, each by itself."""
    def part(n):
        point = x509.IssuingDistributionPoint([x509.UniformResourceIdentifier(f"http://f.example/{n}.crl")], None, False, False, None, False, False)
        return [(point, True)]
    h = leaf(desk.foreign)
    [got] = bring_in(desk, [h])
    bring_list(desk, crl(desk.foreign, [(h, "certificate_hold", NOW - HOUR)], extensions=part(1)))
    bring_list(desk, crl(desk.foreign, extensions=part(2)))
    assert status(desk, got["certificate"])["state"] == "held", "another part's silence lifts nothing"
    bring_list(desk, crl(desk.foreign, extensions=part(1)))
    assert status(desk, got["certificate"]) == {"state": "valid"}
    verify(desk, scratch)


def test_lists_that_are_not_taken(desk):
    """Forged, of others, deltas, indirect ones, of the future, with what nobody knows; and nothing is changed by them."""
    c = leaf(desk.foreign)
    [got] = bring_in(desk, [c])
    entry, other = [(c, "superseded", NOW - HOUR)], Foreign("Foreign root")
    good = bytearray(crl(desk.foreign, entry))
    good[-3] ^= 1
    indirect = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
    attribute = x509.IssuingDistributionPoint(None, None, False, False, None, False, True)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    for der, code in ((bytes(good), "CHY-1735"), (crl(other, entry), "CHY-1791"), (crl(desk.foreign, entry, key=other.key), "CHY-1735"),
                      (crl(desk.foreign, entry, issuer=name("Somebody else")), "CHY-1791"),
                      (crl(desk.foreign, entry, extensions=[(x509.DeltaCRLIndicator(1), True)]), "CHY-1794"),
                      (crl(desk.foreign, entry, extensions=[(indirect, True)]), "CHY-1794"),
                      (crl(desk.foreign, entry, extensions=[(attribute, True)]), "CHY-1794"),
                      (crl(desk.foreign, entry, extensions=[(unknown, True)]), "CHY-1794"),
                      (crl(desk.foreign, entry, this=NOW + 3 * HOUR), "CHY-1734"),
                      (c.public_bytes(DER), "CHY-1730"), (b"\x30\x00", "CHY-1730"), (b"", "CHY-1730")):
        with pytest.raises(Refused) as e:
            bring_list(desk, der)
        assert e.value.code == code, e.value
    big = crl(desk.foreign, [(leaf_number(i), None, NOW) for i in range(12000)])
    assert refused("CHY-1002", bring_list, desk, big)["field"] == "crl"
    assert status(desk, got["certificate"]) == {"state": "valid"}


class leaf_number:
    """Stands for a certificate in a list."""

    def __init__(self, n):
        self.serial_number = (1 << 120) + n


def test_a_long_list(desk, scratch):
    """Thousands of entries in one act."""
    certs = [leaf(desk.foreign, key=desk.foreign.key) for _ in range(300)]
    assert [x["outcome"] for x in bring_in(desk, certs)] == ["imported"] * 300
    entries = [(leaf_number(i), None, NOW - HOUR) for i in range(5000)] + [(c, "superseded", NOW - HOUR) for c in certs]
    result = bring_list(desk, crl(desk.foreign, entries))
    assert (result["entries"], result["here"], result["changed"]) == (5300, 300, 300)
    verify(desk, scratch)


def test_never_confused_with_ours(desk):
    """Neither revoked here, nor anybody's word, nor an officer's certificate. rows=CM-I-22"""
    ida, anna = desk.officers["ida"], desk.officers["anna"]
    key = ec.generate_private_key(ec.SECP256R1())
    c = desk.foreign.certify(name("Ida Importer"), key.public_key(), ca=False)
    [got] = bring_in(desk, [c])
    for act, more in (("revoke", {"reason": "superseded"}), ("hold", {}), ("reinstate", {})):
        refused("CHY-1689", desk.prepare, ida, f"certificate.{act}", {"certificates": [got["certificate"]], **more})
    for how in ({"certificate": got["certificate"]}, {"certificate_sha256": c.fingerprint(hashes.SHA256()).hex()}):
        refused("CHY-1712", desk.prepare, anna, "officer.create", {"name": "Foreign officer", "profile": "Importer", **how})
    # a foreign CA's certificate for the key in an officer's token
    own = serialization.load_pem_private_key(ida.key_file.read_bytes(), None)
    again = desk.foreign.certify(name("Ida"), own.public_key(), ca=False)
    bring_in(desk, [again])
    stranger = world.Officer(desk.keys, "Ida foreign", own, again)
    request = desk.prepare(ida, "certificate.import", {"authority": "Foreign root", "certificates": [{"certificate": b64(leaf(desk.foreign).public_bytes(DER))}]})
    with pytest.raises(Refused) as e:
        desk.bring(ida, request, stranger)
    assert e.value.status == 403, e.value


def test_under_a_cross_certified_authority(desk, scratch):
    """A foreign CA that an authority here has certified."""
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    partner = Foreign("Partner CA")
    made = desk.act("authority.create", {"name": "Partner", "type": "cross", "issuing_authority": "Root CA", "request": b64(partner.der),
                                         "format": "CA certificate", "validity": "P2Y", "path_length": 0}, anna, ben)
    assert made["state"] == "done", made
    c = leaf(partner)
    [got] = bring_in(desk, [c], authority="Partner")
    assert got["outcome"] == "imported", got
    bring_list(desk, crl(partner, [(c, "superseded", NOW - HOUR)]), authority="Partner")
    assert status(desk, got["certificate"])["state"] == "revoked"
    verify(desk, scratch)


def test_two_at_once(desk, scratch):
    """The same certificate by ten requests at once: one imports it."""
    c = leaf(desk.foreign)
    body = {"authority": "Foreign root", "certificates": [{"certificate": b64(c.public_bytes(DER))}]}
    requests = [desk.prepare(desk.officers["ida"], "certificate.import", body) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda r: desk.bring(desk.officers["ida"], r, desk.officers["ida"]), requests))
    outcomes = [d["result"]["certificates"][0]["outcome"] for d in done]
    assert sorted(outcomes) == ["imported"] + ["known"] * 9
    verify(desk, scratch)


def test_the_log(desk):
    """Leaves of a category of their own."""
    anna = desk.officers["anna"]
    bring_in(desk, [leaf(desk.foreign)])
    bring_list(desk, crl(desk.foreign))
    desk.wait_sequenced()
    for _ in range(50):
        page = desk.call("GET", "/api/v1/log?category=certificates.imported&limit=20", officer=anna)
        if page.get("behind", 0) == 0:
            break
    assert {i["kind"] for i in page["items"]} >= {"imported", "imported-crl", "signature"}

def test_altered_imports_are_found(desk, scratch):
    """A state that no import says, or another certificate in place of the one that was signed."""
    a, b = leaf(desk.foreign), leaf(desk.foreign)
    ia, ib = (x["certificate"] for x in bring_in(desk, [a, b]))
    bring_list(desk, crl(desk.foreign, [(a, "superseded", NOW - HOUR)]))
    export, _ = verify(desk, scratch)
    lines = [json.loads(x) for x in export.read_text().splitlines()]
    for line in lines:
        if line["type"] == "certificate" and line["id"] == ib:
            line["row"]["status"] = 2
            line["row"]["changed"] = {"invalid_at": 0, "leaf": ia, "reason": 1, "since": 5, "state": 2}
        if line["type"] == "certificate" and line["id"] == ia:
            line["row"]["changed"]["reason"] = 1
    export.write_text("".join(json.dumps(x) + "\n" for x in lines))
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", export],
                          capture_output=True, text=True)
    assert done.returncode == 1 and str(ia) in done.stdout + done.stderr and str(ib) in done.stdout + done.stderr


def chancery(house, *args, **more):
    ida = house.officers["ida"]
    p12 = house.keys / "ida.p12"
    if not p12.exists():
        key = serialization.load_pem_private_key(ida.key_file.read_bytes(), None)
        from cryptography.hazmat.primitives.serialization import pkcs12
        p12.write_bytes(pkcs12.serialize_key_and_certificates(b"ida", key, ida.cert, None, serialization.BestAvailableEncryption(b"1234")))
        (house.keys / "ida.pin").write_text("1234\n")
    return subprocess.run([world.CHANCERY, *args, "--server", f"https://localhost:{house.tls_port}", "--ca", house.dir / "root.pem",
                           "--officer", p12, "--pin-file", house.keys / "ida.pin"], capture_output=True, text=True, **more)


def test_command_line(desk, scratch):
    """Bundles, folders, DER; a second run imports nothing anew; a bad file is told and the rest is done. rows=CM-I-22"""
    folder = scratch / "old-ca"
    folder.mkdir()
    certs = [leaf(desk.foreign) for _ in range(12)]
    (folder / "bundle.pem").write_bytes(b"# from the old CA\n" + b"".join(c.public_bytes(PEM) for c in certs[:8]))
    for i, c in enumerate(certs[8:]):
        (folder / f"{i}.der").write_bytes(c.public_bytes(DER))
    (folder / "notes.txt").write_text("not a certificate")
    done = chancery(desk, "certificate", "import", "--authority", "Foreign root", "--folder", folder)
    assert done.returncode == 0 and "12 imported, 0 were here already" in done.stdout, done.stdout + done.stderr
    (folder / "bad.cer").write_bytes(b"\x30\x03\x02\x01\x01")
    (folder / "other.crt").write_bytes(leaf(Foreign("Elsewhere")).public_bytes(PEM))
    done = chancery(desk, "certificate", "import", "--authority", "Foreign root", "--folder", folder, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    got = json.loads(done.stdout)
    assert sorted(o["outcome"] for o in got) == ["known"] * 12 + ["refused"] * 2
    assert {o["file"].rsplit("/", 1)[1]: o["code"] for o in got if "code" in o} == {"bad.cer": "CHY-1730", "other.crt": "CHY-1791"}
    bad = chancery(desk, "certificate", "import", "--authority", "Foreign root", folder / "other.crt")
    assert bad.returncode == 1 and "CHY-1791" in bad.stderr
    one = scratch / "one.pem"
    one.write_bytes(leaf(desk.foreign).public_bytes(PEM))
    done = chancery(desk, "certificate", "import", "--authority", "Foreign root", one, "--state", "revoked", "--reason", "superseded",
                    "--since", text(NOW - HOUR))
    assert done.returncode == 0, done.stderr
    # twice in one folder, and one that is here already
    twice = scratch / "twice"
    twice.mkdir()
    fresh = leaf(desk.foreign)
    for i, c in enumerate((fresh, fresh, certs[0])):
        (twice / f"{i}.pem").write_bytes(c.public_bytes(PEM))
    done = chancery(desk, "certificate", "import", "--authority", "Foreign root", "--folder", twice)
    assert done.returncode == 0 and "1 imported, 2 were here already, 0 changed their state, 0 refused" in done.stdout, done.stdout + done.stderr
    # but not as two things
    revoked = {"state": "revoked", "reason": "superseded", "since": text(NOW - HOUR)}
    new = b64(leaf(desk.foreign).public_bytes(DER))
    got = desk.act("certificate.import", {"authority": "Foreign root", "certificates": [{"certificate": new, **revoked}, {"certificate": new, **revoked}, {"certificate": new}]},
                   desk.officers["ida"])["result"]["certificates"]
    assert [(g["outcome"], g["state"]) for g in got[:2]] == [("imported", "revoked"), ("known", "revoked")] and got[2]["problem"]["code"] == "CHY-1511"
    verify(desk, scratch)
    listed = scratch / "foreign.crl"
    listed.write_bytes(crl(desk.foreign, [(certs[0], "key_compromise", NOW - HOUR)]))
    done = chancery(desk, "crl", "import", "--authority", "Foreign root", listed)
    assert done.returncode == 0 and "1 entries, 1 of them of certificates that are here, 1 changed." in done.stdout, done.stdout + done.stderr
    (scratch / "cert.pem").write_bytes(certs[0].public_bytes(PEM))
    shown = chancery(desk, "certificate", "show", scratch / "cert.pem")
    assert shown.returncode == 0 and "O=Foreign" in shown.stdout
