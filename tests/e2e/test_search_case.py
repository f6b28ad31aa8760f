"""Searching is the same in upper and lower case, of every script; also of certificates that were entered before it was so."""
import hashlib
import sqlite3

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import world
from test_search import ids

NAMES = ["ÄRZTEHAUS Süd", "ΟΔΥΣΣΕΥΣ Ltd", "Журнал НОВЫЙ", "Łódź ŻUBR", "plain NAME"]
KEY = ec.generate_private_key(ec.SECP256R1())


def issue(house, cn):
    csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, cn)]))
           .add_extension(x509.SubjectAlternativeName([x509.DNSName("case.example.org")]), False).sign(KEY, hashes.SHA256()))
    return house.issue(house.token, csr.public_bytes(serialization.Encoding.DER), procedure="Cased")["id"]


def prepare(house):
    anna, ben = house.officers["anna"], house.officers["ben"]
    house.act("format.create", {"name": "Cased", "purpose": "end-entity", "subject": [{"attribute": "CN", "source": "request"}],
                                "san": [{"type": "dns", "source": "request"}]}, anna, ben)
    house.act("certificate-procedure.create", {"name": "Cased", "authority": "Issuing CA", "format": "Cased", "validity": "P90D",
                                               "key_usage": ["digitalSignature"]}, anna, ben)
    house.act("token-procedure.create", {"name": "Cased", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                         "certificate_procedures": ["Cased"]}, anna, ben)
    house.token = house.open_session(procedures=["Cased"])
    return [issue(house, cn) for cn in NAMES]


@pytest.mark.parametrize("shape", [str.lower, str.upper, str.swapcase], ids=["lower", "upper", "swapped"])
def test_every_letter(cased, shape):
    """Free text, whole names, beginnings and parts; not another letter. rows=CM-R-01"""
    house, made = cased
    for number, cn in zip(made, NAMES):
        word = cn.split()[0]
        assert ids(house, text=shape(word)) == [number], cn
        assert ids(house, text=shape(word)[1:-1]) == [number], cn
        assert ids(house, common_name=shape(cn)) == [number], cn
        assert ids(house, common_name=shape(word) + "*") == [number], cn
        assert ids(house, common_name="*" + shape(cn)[2:5] + "*") == [number], cn
    assert ids(house, text=shape("Arztehaus")) == [] and ids(house, common_name=shape("Lodz ZUBR")) == []


@pytest.fixture(scope="module")
def cased(house):
    return house, prepare(house)


def test_what_was_entered_before(scratch):
    """A store whose values have capitals beyond ASCII, as they were entered before: entered anew they are found, and by their old value no more."""
    house = world.World(scratch / "house")
    house.start().make_officers().make_ca()
    made = prepare(house)
    assert ids(house, text="ärztehaus") == [made[0]]
    house.stop()
    former = NAMES[0].translate({c: c + 32 for c in range(ord("A"), ord("Z") + 1)})
    was, now = (int.from_bytes(hashlib.sha256(b"CN\0" + text.encode()).digest()[:8], "big") & (2**63 - 1) for text in (former, NAMES[0].lower()))
    with sqlite3.connect(house.dir / "chancery.db") as db:
        assert db.execute("DELETE FROM search_link WHERE value = ? AND certificate = ?", (now, made[0])).rowcount == 1
        db.execute("INSERT INTO search_link VALUES (?, ?)", (was, made[0]))
        db.execute("INSERT INTO value_todo VALUES (?)", (made[0],))  # as schema step 028 does
    house.start()
    assert ids(house, common_name="ärztehaus süd") == [made[0]] == ids(house, text="ÄRZTEHAUS")
    house.stop()
    with sqlite3.connect(house.dir / "chancery.db") as db:
        assert db.execute("SELECT value FROM search_link WHERE certificate = ? AND value IN (?, ?)", (made[0], was, now)).fetchall() == [(now,)]
