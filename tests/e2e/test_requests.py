"""Signed requests when something is in their way: what is done stays done, what competes is judged one after the other."""
import base64
import sqlite3
import subprocess
import threading
import time

from cryptography.hazmat.primitives.asymmetric import rsa

import world
from world import Refused, make_csr

TLS = {"storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


def verify(house, scratch):
    house.wait_sequenced()
    (scratch / "export.jsonl").write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file",
                           scratch / "export.jsonl"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def restarted(house, **env):
    house.stop()
    house.start(**env)


def in_force(house, kind, name):
    """Does the policy know it?"""
    return name in [d["body"]["name"] for d in house.call("GET", f"/api/v1/documents/{kind}", officer=house.officers["anna"])["items"]]


def until(what, seconds=15):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.1)
    assert what()


def test_what_is_done_stays_done_when_the_policy_cannot_be_read(sqlite_house, scratch):
    """The effect is committed: neither the officer nor the request is told otherwise, and the policy follows by itself."""
    house, (anna, ben) = sqlite_house, (sqlite_house.officers[o] for o in ("anna", "ben"))
    restarted(house, CHANCERY_FAULT="factory.load-after-act=fail")
    try:
        plain = house.act("token-procedure.create", dict(TLS, name="Read late"), anna, ben)
        worked = house.act("ca-key.create", {"name": "Read late", "algorithm": "p-256", "place": "software"}, anna, ben)
        assert house.log.read_text().count("policy.not-in-force") >= 2
        until(lambda: in_force(house, "token-procedure", "Read late") and in_force(house, "ca-key", "Read late"))
        for made in (plain, worked):
            assert made["state"] == "done"
            assert house.call("GET", f"/api/v1/requests/{made['id']}", officer=anna)["state"] == "done"
        verify(house, scratch)
    finally:
        restarted(house)


def at_once(house, by, *ready):
    """Brings requests that are signed already, all in the same moment; what came of each: its state or the word of the refusal."""
    barrier, ends = threading.Barrier(len(ready)), [None] * len(ready)

    def bring(i, request, cms):
        barrier.wait()
        try:
            ends[i] = house.call("POST", f"/api/v1/requests/{request['id']}/signatures", {"signatures": cms}, by)["state"]
        except Refused as e:
            ends[i] = e.code

    threads = [threading.Thread(target=bring, args=(i, *r)) for i, r in enumerate(ready)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return ends


def ready(house, act, body, obj, *signers):
    request = house.prepare(signers[0], act, body, obj)
    content = base64.b64decode(request["to_sign"])
    return request, [base64.b64encode(s.sign(content)).decode() for s in signers]


def test_two_at_once_do_not_close_the_last_pair(sqlite_house):
    """Each of the two is right by itself. The one who signs with Anna counts for no pair: officers are all that he may change."""
    house, (anna, ben) = sqlite_house, (sqlite_house.officers[o] for o in ("anna", "ben"))
    house.act("officer-profile.create", {"name": "Officers only", "entity_type": "dynamic-token", "roles": ["use-awb", "officer-tasks"]}, anna, ben)
    sam = house.make_officer("Sam", "Officers only", anna, ben, issuer=house.officers["rosa"])
    carl = house.make_officer("Carl", "Administration officer", anna, ben, issuer=house.officers["rosa"])
    bodies = {o.id: house.call("GET", f"/api/v1/documents/officer/{o.id}", officer=anna)["body"] for o in (ben, carl)}
    for _ in range(12):
        ends = at_once(house, anna, *(ready(house, "officer.modify", dict(b, state="closed"), i, anna, sam) for i, b in bodies.items()))
        assert sorted(ends) == ["CHY-1619", "done"], ends
        closed = list(bodies)[ends.index("done")]
        house.act("officer.modify", dict(bodies[closed], state="active"), anna, sam, obj=closed)


def database(house, statement, *values):
    with sqlite3.connect(house.dir / "chancery.db", timeout=20) as db:
        found = db.execute(statement, values).fetchall()
    db.close()
    return found


def states(house):
    """Of the requests with large bodies."""
    return dict(database(house, "SELECT state, count(*) FROM request WHERE length(body) > 100000 GROUP BY state"))


def listed(house, limit):
    """The ids of all requests, page by page."""
    ids, after = [], 0
    while after is not None:
        page = house.call("GET", f"/api/v1/requests?limit={limit}&after={after}", officer=house.officers["anna"])
        ids += [item["id"] for item in page["items"]]
        after = page["next"]
    return ids


def test_many_requests_with_large_bodies(sqlite_house, scratch):
    """120 bulk requests, about 55 MB to sign: waiting leaves, export, list, restart and lapsing all take them piece by piece."""
    house, rosa = sqlite_house, sqlite_house.officers["rosa"]
    key = rsa.generate_private_key(65537, 4096)
    csr, _ = make_csr(None, key, sans=[f"{'bulk' * 10}-{i}.example.org" for i in range(38)])
    items = [{"csr": base64.b64encode(csr).decode(), "idempotency_key": f"bulk {i}"} for i in range(100)]
    body = {"token_procedure": "TLS server", "requests": items}  # the later requests find what the first one had issued
    # as if another factory had the sequencer: the leaves wait
    database(house, "UPDATE job SET owner = 1, lease_until = 1 << 60 WHERE name = 'sequencer'")
    for _ in range(120):
        done = house.act("certificate.issue", body, rosa)
        assert done["state"] == "done" and "certificate" in done["result"]["certificates"][99]
    for _ in range(5):
        house.prepare(rosa, "certificate.issue", body)
    assert database(house, "SELECT sum(length(l.body)) FROM journal_todo t JOIN journal_leaf l ON l.id = t.id")[0][0] > 64 << 20
    database(house, "DELETE FROM job WHERE name = 'sequencer'")
    until(lambda: database(house, "SELECT count(*) FROM journal_todo") == [(0,)], 300)
    verify(house, scratch)
    everything = [r[0] for r in database(house, "SELECT id FROM request ORDER BY id")]
    assert listed(house, 1000) == listed(house, 100) == everything
    house.stop()
    database(house, "UPDATE request SET state = 'signed' WHERE length(body) > 100000 AND state = 'done'")
    made = database(house, "SELECT count(*) FROM certificate")
    house.start(wait=120, CHANCERY_CLOCK_OFFSET_MS=str(16 * 60 * 1000))
    until(lambda: states(house) == {"done": 120, "expired": 5}, 300)
    assert database(house, "SELECT count(*) FROM certificate") == made, "found again, not made again"
    verify(house, scratch)
    restarted(house)


def test_requests_that_cannot_be_done_hold_up_no_other(sqlite_house):
    """A hundred that fail each time come before one that is good; of their one cause the log speaks once."""
    house, rosa = sqlite_house, sqlite_house.officers["rosa"]
    csr, _ = make_csr(None, sans=["behind.example.org"])
    good = house.act("certificate.issue", {"token_procedure": "TLS server", "requests": [{"csr": base64.b64encode(csr).decode()}]}, rosa)
    house.stop()
    columns = "act, state, object, base_version, body, prepared_by, nonce, at, expires_at, result"
    database(house, f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO request (id, {columns}) "
                    f"SELECT i, {columns.replace('state', repr('signed'), 1).replace('body', 'CAST(1 AS BLOB)')} FROM n, request WHERE id = ?",
             good["id"])
    database(house, "UPDATE request SET state = 'signed' WHERE id = ?", good["id"])
    mark = len(house.log.read_text())
    try:
        house.start()
        until(lambda: database(house, "SELECT state FROM request WHERE id = ?", good["id"]) == [("done",)], 30)
        time.sleep(6)  # the walk begins anew
        assert house.log.read_text()[mark:].count("request.not-carried-on") == 1
    finally:
        database(house, "DELETE FROM request WHERE id <= 100")
