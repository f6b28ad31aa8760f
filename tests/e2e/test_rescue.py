"""Rescue: all officers who could renew the others have expired; two of them sign with their expired keys, and an operator applies it."""
import base64
import sqlite3
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import world
from cli import CLEAN
from test_officers_expiry import DAY, verify
from world import make_csr

LATE = 1200  # days, when the certificates of three years have ended


@pytest.fixture
def own(scratch):
    house = world.World(scratch / "house")
    house.start().make_officers()
    yield house
    house.stop()


def chancery(house, scratch, *args, days=LATE, code=0, **env):
    done = subprocess.run([world.CHANCERY, *map(str, args)], capture_output=True, text=True, cwd=scratch, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, env=dict(CLEAN, HOME=str(scratch), CHANCERY_CLOCK_OFFSET_MS=str(days * DAY * 1000), **env))
    assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Rescue:
    """A document over these officers, signed by whom it takes, and applied."""

    def __init__(self, house, scratch, *officers, days=LATE, names=None):
        self.house, self.scratch, self.days, self.keys, call = house, scratch, days, [], []
        for i, o in enumerate(officers):
            csr, key = make_csr((names or {}).get(o.name, o.name))
            (scratch / f"{i}.csr").write_bytes(csr)
            self.keys.append((o, key))
            call += ["--certificate", o.cert_file, "--request", f"{i}.csr"]
        chancery(house, scratch, "rescue", "prepare", "--root", house.dir / "root.pem", *call, "--out", "rescue.json", days=days)

    def sign(self, *officers, days=None):
        self.signed = []
        for i, o in enumerate(officers):
            subprocess.run(["openssl", "pkcs12", "-export", "-inkey", o.key_file, "-in", o.cert_file, "-out", self.scratch / f"{i}.p12",
                            "-passout", "pass:4711 secret"], check=True, capture_output=True)
            (self.scratch / "pin").write_text("4711 secret\n")
            chancery(self.house, self.scratch, "rescue", "sign", "rescue.json", "--officer", f"{i}.p12", "--pin-file", "pin", "--out",
                     f"{i}.cms", days=self.days if days is None else days)
            self.signed.append(f"{i}.cms")
        return self

    def apply(self, days=None, code=0, **env):
        done = chancery(self.house, self.scratch, "rescue", "apply", "--config", self.house.dir / "chancery.ini", "--out-dir", "new",
                        *self.signed, days=self.days if days is None else days, code=code, **env)
        return done

    def officers(self, done):
        """The officers with the certificates that were made, in the document's order."""
        files = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("new/")]
        assert len(files) == len(self.keys)
        return [world.Officer(self.house.keys, f"{o.name} rescued", key, x509.load_pem_x509_certificate((self.scratch / f).read_bytes()))
                for f, (o, key) in zip(files, self.keys)]


def later(house, days=LATE):
    house.stop()
    house.start(CHANCERY_CLOCK_OFFSET_MS=str(days * DAY * 1000))


def whoami(house, officer):
    return house.call("GET", "/api/v1/whoami", officer=officer)["officer"]


def test_two_expired_officers_rescue_the_installation(own, scratch):
    """They are officers again, with the one who signed nothing; the journal says so, and verifies."""
    anna, ben, rosa = (own.officers[o] for o in ("anna", "ben", "rosa"))
    ids = [whoami(own, o) for o in (anna, ben, rosa)]
    own.stop()
    rescue = Rescue(own, scratch, anna, ben, rosa).sign(anna, ben)
    new = rescue.officers(rescue.apply())
    later(own)
    assert [whoami(own, o) for o in new] == ids
    own.officers["anna"], own.officers["ben"], own.officers["rosa"] = new
    assert own.act("officer-profile.create", {"name": "Made after it", "entity_type": "subject"}, new[0], new[1])["state"] == "done"
    assert own.new_certificate("Somebody", new[2])
    done = verify(own, scratch)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "were rescued" in done.stdout
    log = own.call("GET", "/api/v1/log?category=administration.officer&limit=100", officer=new[0])["items"]
    assert log
    own.stop()
    assert [o.cert for o in rescue.officers(rescue.apply())] == [o.cert for o in new], "applied once; told again"
    again = Rescue(own, scratch, anna, ben).sign(anna, ben)
    assert "CHY-1625" in again.apply(code=1).stderr, "they are there again"


def test_what_is_no_rescue(own, scratch):
    """Each reason by itself, with its code; nothing comes of any, and the right one still works."""
    anna, ben, rosa = (own.officers[o] for o in ("anna", "ben", "rosa"))
    carl = own.make_officer("Carl Closed", "Administration officer", anna, ben, issuer=rosa)
    rita = own.make_officer("Rita Revoked", "Administration officer", anna, ben, issuer=rosa)
    hans = own.make_officer("Hans Held", "Administration officer", anna, ben, issuer=rosa)
    csr, key = make_csr("Rosa Registrar")
    stranger = own.new_certificate("Stranger", rosa)
    documents = {d["body"]["name"]: d for d in own.call("GET", "/api/v1/documents/officer", officer=anna)["items"]}
    own.act("officer.modify", dict(documents["Carl Closed"]["body"], state="closed"), anna, ben, obj=carl.id)
    number = {n: documents[n]["body"]["certificate"] for n in ("Rita Revoked", "Hans Held")}
    own.act("certificate.revoke", {"certificates": [{"certificate": number["Rita Revoked"]}], "reason": "key-compromise"}, rosa)
    own.act("certificate.hold", {"certificates": [{"certificate": number["Hans Held"]}]}, rosa)
    later(own, 1000)
    done = own.act("officer.renew", {"csr": base64.b64encode(csr).decode()}, rosa, anna)
    rosa2 = world.Officer(own.keys, "Rosa 2", key, x509.load_der_x509_certificate(base64.b64decode(done["result"]["der"])))
    own.stop()

    def refused(code, *officers, by=(anna, ben), days=LATE, applied=None, **kw):
        assert code in Rescue(own, scratch, *officers, days=days, **kw).sign(*by).apply(days=applied, code=1).stderr

    refused("CHY-1625", anna, days=1000)  # they renew
    for one in ((anna,), (anna, ben, rosa2)):
        refused("CHY-1626", anna, by=one)
    refused("CHY-1614", anna, by=(anna, anna))
    refused("CHY-1626", anna, by=(anna, rosa2))
    refused("CHY-1627", anna, by=(anna, rosa))  # who has a newer one
    refused("CHY-1605", anna, by=(anna, carl))
    refused("CHY-1607", anna, by=(anna, rita))
    refused("CHY-1608", anna, by=(anna, hans))
    refused("CHY-1604", anna, by=(anna, stranger))
    refused("CHY-1630", anna, applied=LATE + 31)
    refused("CHY-1630", anna, applied=LATE - 1)
    refused("CHY-1627", rosa2)  # not expired
    refused("CHY-1627", rosa)  # not the newest
    refused("CHY-1605", carl)
    refused("CHY-1607", rita)
    refused("CHY-1608", hans)
    refused("CHY-1627", stranger)
    refused("CHY-1627", foreign(own))
    refused("CHY-1657", anna, names={"Anna Admin": "Anna Other"})

    rescue = Rescue(own, scratch, anna).sign(anna, ben)
    first = (scratch / "0.cms").read_bytes()
    other = Rescue(own, scratch, anna).sign(anna, ben)
    (scratch / "0.cms").write_bytes(first)
    assert "CHY-1720" in other.apply(code=1).stderr, "two documents"
    (scratch / "0.cms").write_bytes(first[:-5] + bytes([first[-5] ^ 1]) + first[-4:])
    assert "CHY-" in rescue.apply(code=1).stderr
    elsewhere = own.dir / "root.pem"
    kept = elsewhere.read_bytes()
    elsewhere.write_bytes(anna.cert_file.read_bytes())
    rescue = Rescue(own, scratch, anna)
    elsewhere.write_bytes(kept)
    assert "CHY-1628" in rescue.sign(anna, ben).apply(code=1).stderr
    (scratch / "rescue.json").write_bytes((scratch / "rescue.json").read_bytes() + b"\n")
    assert "CHY-1628" in chancery(own, scratch, "rescue", "sign", "rescue.json", "--officer", "0.p12", "--pin-file", "pin", "--out", "x.cms",
                                  code=1).stderr

    rescue = Rescue(own, scratch, anna, ben).sign(anna, ben)
    later(own)
    assert "Does a server run" in rescue.apply(code=1).stderr
    own.stop()
    new = rescue.officers(rescue.apply())
    later(own)
    own.officers["anna"] = new[0]
    assert whoami(own, new[1]) and whoami(own, new[0])
    done = verify(own, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def foreign(house):
    """An officer's files that nobody here has issued."""
    key = serialization.load_pem_private_key(house.officers["anna"].key_file.read_bytes(), None)
    name = x509.Name.from_rfc4514_string("CN=Anna Admin")
    start = house.officers["anna"].cert.not_valid_before
    cert = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(5).not_valid_before(
        start).not_valid_after(house.officers["anna"].cert.not_valid_after).sign(key, hashes.SHA256())
    return world.Officer(house.keys, "Foreign", key, cert)


def test_who_is_bound_to_a_token_counts_as_left(own, scratch):
    """What else was made for keys in it, the journal does not tell: then nobody can be sure that none is left."""
    anna, ben, rosa = (own.officers[o] for o in ("anna", "ben", "rosa"))
    own.act("officer-profile.create", {"name": "By a token", "entity_type": "dynamic-token", "roles": ["use-awb", "officer-tasks"]}, anna, ben)
    for name in ("Dan Dynamic", "Dina Dynamic"):
        own.make_officer(name, "By a token", anna, ben, issuer=rosa)
    own.stop()
    assert "CHY-1625" in Rescue(own, scratch, anna, ben).sign(anna, ben).apply(code=1).stderr


def test_an_older_journal_says_from_where_on_it_is_new(own, scratch):
    """Once, at the first start of this version on it; one that begins with it needs no such leaf."""
    count = lambda: sum(b'"kind":"form"' in (b if isinstance(b, bytes) else b.encode()) for b in bodies(own))  # noqa: E731
    assert count() == 0
    own.stop()
    with sqlite3.connect(own.dir / "chancery.db", timeout=20) as db:
        assert db.execute("DELETE FROM setting WHERE name = 'journal-form'").rowcount == 1
    for _ in range(2):
        own.start()
        assert count() == 1
        done = verify(own, scratch)
        assert done.returncode == 0, done.stdout + done.stderr
        own.stop()


def bodies(house):
    with sqlite3.connect(house.dir / "chancery.db", timeout=20) as db:
        return [b for (b,) in db.execute("SELECT body FROM journal_leaf")]
