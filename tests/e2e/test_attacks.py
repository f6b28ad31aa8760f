"""What must not be had: one test for each way that was once open."""
import base64
import hashlib
import sqlite3
import subprocess
import threading
import time

import pytest
from cryptography import x509

import world
from world import Refused, make_csr


def at_once(calls):
    """The outcome of each call, all of them started together: a value, or the refusal."""
    outcomes = [None] * len(calls)

    def run(i):
        try:
            outcomes[i] = calls[i]()
        except Refused as e:
            outcomes[i] = e
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return outcomes


def verify(house, scratch):
    house.wait_sequenced()
    export = scratch / "export.jsonl"
    export.write_bytes(house.export())
    return subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export],
                          capture_output=True, text=True)


def certificates(house):
    """How many there are."""
    n, after = 0, 0
    while True:
        page = house.call("GET", f"/api/v1/certificates?limit=100&after={after}", officer=house.officers["anna"])
        n += len(page["items"])
        if page["next"] is None:
            return n
        after = page["next"]


def test_a_session_never_signs_more_than_it_may(house, scratch):
    token = house.open_session(3)
    csrs = [make_csr(None, sans=[f"o{i}.example.org"])[0] for i in range(10)]
    before = certificates(house)
    made = at_once([lambda c=c: house.issue(token, c) for c in csrs])
    refused = [m for m in made if isinstance(m, Refused)]
    assert len(refused) == 7 and {m.code for m in refused} == {"CHY-1566"}, made
    with pytest.raises(Refused, match="CHY-1566"):
        house.issue(token, csrs[0])
    time.sleep(1.5)
    assert certificates(house) == before + 3, "nothing more was signed and adopted later"
    assert house.issue(house.open_session(1), csrs[0]), "and nobody else had to wait"
    done = verify(house, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_refused_request_does_not_use_a_session_up(house):
    token = house.open_session(1)
    broken = bytearray(make_csr(None, sans=["broken.example.org"])[0])
    broken[-3] ^= 1
    for _ in range(3):
        with pytest.raises(Refused):
            house.issue(token, bytes(broken))
    assert house.issue(token, make_csr(None, sans=["whole.example.org"])[0])


def test_one_key_in_many_calls_at_once_signs_once(house, scratch):
    """Whoever comes second waits; nothing is signed twice and nobody else is held up."""
    token = house.open_session(100)
    csr = make_csr(None, sans=["race.example.org"])[0]
    before = certificates(house)
    made = at_once([lambda: house.issue(token, csr, key="race") for _ in range(12)])
    assert {m.code for m in made if isinstance(m, Refused)} <= {"CHY-1718"}, made
    ids = {m["id"] for m in made if not isinstance(m, Refused)}
    assert len(ids) == 1 and house.issue(token, csr, key="race")["id"] in ids
    time.sleep(1.5)
    assert certificates(house) == before + 1
    assert verify(house, scratch).returncode == 0


def test_another_validity_is_another_request(house):
    token = house.open_session()
    csr = make_csr(None, sans=["validity.example.org"])[0]
    house.issue(token, csr, key="validity")
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5 * 86400))
    with pytest.raises(Refused, match="CHY-1717"):
        house.issue(token, csr, key="validity", validity={"not_after": until})


# ---- whoever writes to the database ----

@pytest.fixture
def tampered(tmp_path):
    """tampered(change): what verification says after the change was made to the stopped installation's database."""
    house = world.World(tmp_path / "house")
    house.start().make_officers().make_ca()
    anna, ben = house.officers["anna"], house.officers["ben"]
    made = next(d for d in house.call("GET", "/api/v1/documents/token-procedure", officer=anna)["items"] if d["name"] == "TLS server")
    house.act("token-procedure.modify", dict(made["body"], state="closed"), anna, ben, obj=made["id"])
    house.document = made["id"]
    house.wait_sequenced()

    def tamper(change, *values):
        house.stop()
        db = sqlite3.connect(house.dir / "chancery.db")
        with db:
            assert db.execute(change, values).rowcount > 0
        db.close()
        house.start()
        return verify(house, tmp_path)
    tamper.house = house
    try:
        yield tamper
    finally:
        house.stop()


def state_of(house):
    return house.call("GET", f"/api/v1/documents/token-procedure/{house.document}", officer=house.officers["anna"])["state"]


def test_an_old_version_does_not_come_back_into_force(tampered):
    tampered("UPDATE document_current SET version = 1, state = 'active' WHERE id = ?", tampered.house.document)
    assert state_of(tampered.house) == "closed"
    tampered("UPDATE document_current SET state = 'deleted' WHERE id = ?", tampered.house.document)
    assert state_of(tampered.house) == "closed"
    done = tampered("UPDATE document SET state = 'deleted' WHERE id = ? AND version = 2", tampered.house.document)
    assert done.returncode == 1, done.stdout + done.stderr


def test_a_document_from_the_future_is_found(tampered):
    done = tampered("INSERT INTO document SELECT id, 3, kind, name, 'active', domain, replace(body, 'closed', 'active'), 4102444800000,"
                    " request_id, stamp FROM document WHERE id = ? AND version = 2", tampered.house.document)
    assert done.returncode == 1 and "the journal does not know it" in done.stdout, done.stdout + done.stderr


def test_a_session_with_another_token_is_not_taken(tampered):
    house = tampered.house
    anna, ben = house.officers["anna"], house.officers["ben"]
    body = house.call("GET", f"/api/v1/documents/token-procedure/{house.document}", officer=anna)["body"]
    house.act("token-procedure.modify", dict(body, state="active"), anna, ben, obj=house.document)
    good, csr = house.open_session(5), make_csr(None, sans=["token.example.org"])[0]
    stolen = hashlib.sha256(b"stolen")
    tampered("UPDATE issuing_session SET token_hash = ?, body = json_set(body, '$.token_sha256', ?)", stolen.digest(), stolen.hexdigest())
    with pytest.raises(Refused, match="CHY-1"):
        house.issue("stolen", csr)
    back = hashlib.sha256(good.encode())
    tampered("UPDATE issuing_session SET token_hash = ?, body = json_set(body, '$.token_sha256', ?)", back.digest(), back.hexdigest())
    assert house.issue(good, csr)
    tampered("UPDATE issuing_session SET body = json_set(body, '$.certificates_max', 1000), maximum = 1000")
    with pytest.raises(Refused, match="CHY-1"):
        house.issue(good, csr)


def test_who_was_closed_has_not_signed(house):
    """The act of a first signer who is closed before the second one comes does not take effect."""
    anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
    csr, key = make_csr("Cy Admin")
    issued = house.act("certificate.issue", {"token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode()}]},
                       rosa)["result"]["certificates"][0]
    made = house.act("officer.create", {"name": "Cy Admin", "profile": "Administration officer", "certificate": issued["certificate"]},
                     anna, ben)
    cy = world.Officer(house.keys, "Cy Admin", key, x509.load_der_x509_certificate(base64.b64decode(issued["der"])), made["result"]["id"])
    request = house.prepare(cy, "token-procedure.create", {"name": "Cy's", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                                           "certificate_procedures": ["TLS server"]})
    assert house.bring(cy, request, cy)["state"] == "waiting"
    body = house.call("GET", f"/api/v1/documents/officer/{cy.id}", officer=anna)["body"]
    house.act("officer.modify", dict(body, state="closed"), anna, ben, obj=cy.id)
    with pytest.raises(Refused, match="403"):
        house.bring(ben, request, ben)
