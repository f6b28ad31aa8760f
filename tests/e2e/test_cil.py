"""Issuance lists: what an authority has issued, in signed segments, judged by openssl and cryptography with nothing of ours."""
import base64
import datetime
import hashlib
import json
import re
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding

import world
from test_crl import authority, ca_certificate, change, issue, make_desk
from world import Refused

CERT_HASH = bytes.fromhex("2b2408030d")  # 1.3.36.8.3.13


def read_tlv(data, at=0):
    """(tag, contents, the whole, where the next begins)"""
    tag, n, p = data[at], data[at + 1], at + 2
    if n & 0x80:
        k = n & 0x7f
        n, p = int.from_bytes(data[p:p + k], "big"), p + k
    return tag, data[p:p + n], data[at:p + n], p + n


def items(data):
    found, at = [], 0
    while at < len(data):
        tag, contents, whole, at = read_tlv(data, at)
        found.append((tag, contents, whole))
    return found


class Segment:
    def __init__(self, der):
        assert read_tlv(der)[3] == len(der)
        (_, _, self.tbs), _, (_, bits, _) = items(read_tlv(der)[1])
        self.signature = bits[1:]
        parts = items(read_tlv(self.tbs)[1])
        assert parts[0][1] == CERT_HASH and parts[1][1] == b"\x01"
        self.segment, self.last = int.from_bytes(parts[2][1], "big"), parts[3][1] == b"\xff"
        self.issuer, self.this_update, self.next_update = parts[5][2], parts[6][1].decode(), parts[7][1].decode()
        self.entries = {}
        rest = parts[8:]
        if rest[0][0] == 0x30:
            for _, entry, _ in items(rest.pop(0)[1]):
                serial, _, exts = items(entry)
                _, ext, _ = items(exts[1])[0]
                oid, value = items(ext)
                assert oid[1] == CERT_HASH
                cert_hash = items(read_tlv(value[1])[1])
                self.entries[int.from_bytes(serial[1], "big")] = cert_hash[1][1]
        exts = {items(x)[0][1].hex(): items(x)[-1][1] for _, x, _ in items(read_tlv(rest[0][1])[1])}
        self.number = int.from_bytes(read_tlv(exts["551d14"])[1], "big")
        self.base = int.from_bytes(read_tlv(exts["551d1b"])[1], "big") if "551d1b" in exts else None

    def verify(self, key):
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(self.signature, self.tbs, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(self.signature, self.tbs, padding.PKCS1v15(), hashes.SHA256())


def procedure(house, name, **more):
    body = {"name": f"CIL {name}", "authority": "Issuing CA", "served_as": name, "interval": "P7D", **more}
    return house.act("cil-procedure.create", body, house.officers["anna"], house.officers["ben"])["result"]["id"]


def modify(house, number, **more):
    anna, ben = house.officers["anna"], house.officers["ben"]
    body = dict(house.call("GET", f"/api/v1/documents/cil-procedure/{number}", officer=anna)["body"], **more)
    for name in [n for n, v in more.items() if v is None]:
        del body[name]
    house.act("cil-procedure.modify", body, anna, ben, obj=number)


def close(house, number):
    modify(house, number, state="closed")


def build(house, number):
    return house.act("cil.build", {"cil_procedure": number}, house.officers["keeper"])


def fetch(house, path):
    status, headers, body = house.raw("GET", f"/cil/{path}")
    assert status in (200, 404), body
    return Segment(body) if status == 200 else None


def wait_for(house, path, good=lambda s: True, wait=20):
    end, got = time.monotonic() + wait, None
    while time.monotonic() < end:
        try:
            got = fetch(house, path)
        except OSError:  # it is being started again
            got = None
        if got is not None and good(got):
            return got
        time.sleep(0.1)
    raise AssertionError(f"no such list {path}: {got and vars(got)} " + house.log.read_text()[-2000:])


def all_of(house, name):
    """Every segment of one list."""
    while True:
        first = fetch(house, name)
        found = [first]
        while not found[-1].last:
            found.append(fetch(house, f"{name}/{len(found) + 1}"))
            if found[-1] is None:
                break
        if None not in found and all(s.number == first.number + i and s.segment == i + 1 for i, s in enumerate(found)):
            return found


def fingerprint(cert):
    return cert.fingerprint(hashes.SHA256())


@pytest.fixture(scope="module")
def desk(house):
    return make_desk(house)


@pytest.fixture
def only(desk):
    """Closes what a test opened: an authority has one open procedure."""
    opened = []
    yield opened
    for number in opened:
        close(desk, number)


def test_all_that_was_issued(desk, only, scratch):
    """Each certificate with its hash, whatever became of it; signed by the authority; judged by openssl."""
    certs = [issue(desk, f"all{i}") for i in range(3)]
    change(desk, "revoke", [certs[0][0]])
    only.append(procedure(desk, "all"))
    ca = ca_certificate(desk, "Issuing CA")
    got = wait_for(desk, "all")
    for _, cert in certs:
        assert got.entries[cert.serial_number] == fingerprint(cert)
    assert list(got.entries) == sorted(got.entries) and got.segment == 1 and got.last and got.base is None
    got.verify(ca.public_key())
    assert got.issuer == ca.subject.public_bytes()
    later = issue(desk, "all-later")
    build(desk, only[0])
    more = wait_for(desk, "all", lambda s: s.number > got.number)
    assert later[1].serial_number in more.entries and set(got.entries) <= set(more.entries)
    status, headers, der = desk.raw("GET", "/cil/all")
    assert desk.raw("GET", "/cil/all", headers={"If-None-Match": headers["ETag"]})[0] == 304
    file, pem = scratch / "all.cil", scratch / "ca.pem"
    file.write_bytes(der)
    pem.write_bytes(ca.public_bytes(Encoding.PEM))
    judged_by_openssl(file, pem, scratch, later[1])
    kept = scratch / "later.der"
    kept.write_bytes(later[1].public_bytes(Encoding.DER))
    shown = show(file, "--issuer", pem, "--certificate", kept)
    assert f"Issued certificates: {len(more.entries)}" in shown.stdout and "stands on the list" in shown.stdout + shown.stderr
    assert json.loads(show(file, "--json").stdout)["count"] == len(more.entries)
    kept.write_bytes(ca.public_bytes(Encoding.DER))
    assert "CHY-1686" in show(file, "--certificate", kept, rc=1).stderr
    broken = bytearray(der)
    broken[-3] ^= 1
    file.write_bytes(broken)
    show(file, "--issuer", pem, rc=1)


def show(file, *args, rc=0):
    done = subprocess.run([world.CHANCERY, "cil", "show", file, *args], capture_output=True, text=True)
    assert done.returncode == rc, done
    return done


def judged_by_openssl(file, pem, scratch, cert):
    """The whole is DER, the entry is where we say, and the signature over the second value is the CA's."""
    text = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", file], capture_output=True, text=True, check=True).stdout
    octets = cert.serial_number.to_bytes((cert.serial_number.bit_length() + 7) // 8, "big")
    assert f"INTEGER           :{octets.hex().upper()}" in text and fingerprint(cert).hex().upper() in text
    lines = text.splitlines()
    tbs = re.match(r"\s*(\d+):d=1", lines[1])[1]
    bits = re.match(r"\s*(\d+):d=1", lines[-1])[1]
    for at, name in ((tbs, "tbs"), (bits, "sig")):
        subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", file, "-strparse", at, "-noout", "-out", scratch / name]
                       if name == "sig" else ["openssl", "asn1parse", "-inform", "DER", "-in", file, "-offset", at, "-length", length_of(lines[1]),
                                              "-noout", "-out", scratch / name], check=True)
    subprocess.run(["openssl", "x509", "-in", pem, "-pubkey", "-noout", "-out", scratch / "key"], check=True)
    done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", scratch / "key", "-signature", scratch / "sig", scratch / "tbs"],
                          capture_output=True, text=True)
    assert done.stdout.strip() == "Verified OK", done
    refused = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", file, "-noout"], capture_output=True)
    assert refused.returncode != 0


def length_of(line):
    m = re.search(r"hl=(\d+)\s+l=\s*(\d+)", line)
    return str(int(m[1]) + int(m[2]))


def test_one_open_procedure(desk, only):
    """A second one for the authority is refused when it is prepared, and when two were prepared side by side, when the second is
    signed. rows=CM-A-11"""
    anna, ben = desk.officers["anna"], desk.officers["ben"]

    def body(name):
        return {"name": f"CIL {name}", "authority": "Issuing CA", "served_as": name, "interval": "P7D"}
    first, second = (desk.prepare(anna, "cil-procedure.create", body(n)) for n in ("first", "second"))
    desk.bring(anna, first, anna)
    desk.bring(anna, second, anna)
    only.append(desk.bring(ben, first, ben)["result"]["id"])
    with pytest.raises(Refused) as e:
        desk.bring(ben, second, ben)
    assert e.value.code == "CHY-1685"
    with pytest.raises(Refused) as e:
        desk.prepare(anna, "cil-procedure.create", body("third"))
    assert e.value.code == "CHY-1685"
    close(desk, only.pop())
    only.append(procedure(desk, "fourth"))


def test_only_of_an_authority_whose_key_is_here(desk):
    """A list that nobody here could sign is refused with its procedure."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=Elsewhere")
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(now).not_valid_after(now + datetime.timedelta(9)).add_extension(x509.BasicConstraints(True, None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False).sign(key, hashes.SHA256()))
    desk.act("authority.create", {"name": "Elsewhere", "type": "external-root", "certificate": base64.b64encode(
        cert.public_bytes(Encoding.DER)).decode()}, desk.officers["anna"], desk.officers["ben"])
    with pytest.raises(Refused) as e:
        procedure(desk, "elsewhere", authority="Elsewhere")
    assert e.value.code == "CHY-1592", e.value


def test_settings_that_change_build_anew(desk, only):
    """And with a time of day the list bears the last regular time, also one that an officer has built in between. rows=CM-A-12"""
    p = procedure(desk, "timed", interval="P1D", margin="PT2H")
    only.append(p)
    first = wait_for(desk, "timed")
    modify(desk, p, margin="PT3H")
    second = wait_for(desk, "timed", lambda s: s.number > first.number)
    assert second.next_update != first.next_update
    hour = (time.gmtime().tm_hour + 2) % 24  # not now, so that the last regular time is another day's or hours ago
    modify(desk, p, build_at=f"{hour:02d}:30")
    third = wait_for(desk, "timed", lambda s: s.number > second.number)
    assert third.this_update[6:] == f"{hour:02d}3000Z" and third.next_update[6:10] == f"{(hour + 3) % 24:02d}30"
    certs = [issue(desk, "timed")]
    build(desk, p)
    fourth = wait_for(desk, "timed", lambda s: s.number > third.number)
    assert fourth.this_update == third.this_update and certs[0][1].serial_number in fourth.entries
    modify(desk, p, description="Nothing that a list is built by")
    time.sleep(2.5)
    assert fetch(desk, "timed").number == fourth.number


def test_segments(desk, only):
    """So many certificates a file; another number cuts anew; together they are all, each once. rows=CM-A-13"""
    certs = [issue(desk, f"seg{i}") for i in range(7)]
    p = procedure(desk, "cut", per_file=3)
    only.append(p)
    first = wait_for(desk, "cut")
    found = all_of(desk, "cut")
    ca = ca_certificate(desk, "Issuing CA")
    for s in found:
        s.verify(ca.public_key())
    assert [len(s.entries) for s in found[:-1]] == [3] * (len(found) - 1) and 1 <= len(found[-1].entries) <= 3
    serials = [n for s in found for n in s.entries]
    assert serials == sorted(set(serials)) and {c.serial_number for _, c in certs} <= set(serials)
    assert fetch(desk, f"cut/{len(found) + 1}") is None and fetch(desk, "cut/0") is None and fetch(desk, "cut/x") is None
    modify(desk, p, per_file=5)
    wait_for(desk, "cut", lambda s: s.number > first.number)
    again = all_of(desk, "cut")
    assert [len(s.entries) for s in again[:-1]] == [5] * (len(again) - 1)
    assert [n for s in again for n in s.entries] == serials
    assert [s.number for s in again] == list(range(again[0].number, again[0].number + len(again)))


def test_delta(desk, only):
    """What came after the complete list, whichever the order in which it became visible; a new complete list takes it away."""
    p = procedure(desk, "delta", delta_interval="PT1S", per_file=2)
    only.append(p)
    complete = wait_for(desk, "delta")
    whole = all_of(desk, "delta")
    certs = [issue(desk, f"delta{i}")[1] for i in range(3)]
    desk.wait_sequenced(still=False)
    wanted = {c.serial_number: fingerprint(c) for c in certs}
    first = wait_for(desk, "delta/delta", lambda s: set(s.entries) <= set(wanted) and len(s.entries) == 2)
    second = wait_for(desk, "delta/delta/2", lambda s: len(s.entries) == 1)
    assert first.base == second.base == whole[-1].number and first.number > first.base
    assert fetch(desk, "delta").number == complete.number
    modify(desk, p, delta_interval=None)
    new = wait_for(desk, "delta", lambda s: s.number > complete.number)
    assert fetch(desk, "delta/delta") is None
    entries = {n: h for s in all_of(desk, "delta") for n, h in s.entries.items()}
    assert all(entries[n] == h for n, h in wanted.items()) and new.base is None


def test_who_may_build(desk, only):
    """Who has the role, and only by an open procedure."""
    p = procedure(desk, "role")
    with pytest.raises(Refused) as e:
        desk.act("cil.build", {"cil_procedure": p}, desk.officers["desk"])
    assert e.value.code == "CHY-1601", e.value
    close(desk, p)
    with pytest.raises(Refused):
        build(desk, p)
    assert fetch(desk, "role") is None


def test_journal_accounts_for_the_lists(desk, only, scratch):
    """Each file that is served has its leaf, with the hash of what was signed; the journal verifies."""
    p = procedure(desk, "leaf", per_file=4)
    only.append(p)
    wait_for(desk, "leaf")
    found = all_of(desk, "leaf")
    desk.wait_sequenced()
    bodies = [json.loads(v["body"]) for v in map(json.loads, desk.export().splitlines()) if v["type"] == "leaf"]
    mine = [x for x in bodies if x["kind"] == "cil" and x["procedure"] == p]
    assert [(x["number"], x["segment"], x["last"], x["sha256"]) for x in mine] == [
        (s.number, s.segment, s.last, hashlib.sha256(s.tbs).hexdigest()) for s in found]
    assert mine[0]["authority"] == authority(desk, "Issuing CA")
    export = scratch / "journal.jsonl"
    export.write_bytes(desk.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", export], capture_output=True, text=True)
    assert done.returncode == 0, done
