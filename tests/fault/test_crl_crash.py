"""Killed at every point between gathering a revocation list and putting it into force; clocks that jump; a list of many pieces."""
import base64
import datetime
import http.client
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import CRLEntryExtensionOID

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from world import Refused, make_csr, or_killed  # noqa: E402
from test_crl_partitions import close, list_of  # noqa: E402
from test_crl_partitions import create as partitioned  # noqa: E402
from test_crl import build, change, fetch, issue, leaves, make_desk, number, procedure, reasons, wait_for  # noqa: E402

POINTS = ["crl.gathered", "crl.planned", "crl.signed", "crl.in-force"]  # the signer's own: tests/contract/test_signer_status.c


@pytest.fixture(scope="module")
def desk(sqlite_house):
    return make_desk(sqlite_house)


@pytest.mark.parametrize("point", POINTS)
def test_killed(desk, point):
    """No number is left out and none is given twice, and what was revoked before stands in the next list. rows=CM-A-19"""
    slug = point.replace(".", "-")
    p = procedure(desk, slug, interval="P7D")
    before = number(wait_for(desk, slug, lambda c: True))
    revoked = issue(desk, slug)
    change(desk, "revoke", [revoked[0]])
    desk.stop()
    mark = len(desk.log.read_text())
    once = desk.dir / "signer" / slug
    desk.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(once))
    or_killed(lambda: build(desk, p))  # the wish is seen as soon as it is committed
    crl = wait_for(desk, slug, lambda c: number(c) > before, wait=40)
    desk.wait_killed(mark, within=30)  # a list is served before the job is at crl.in-force
    assert number(crl) == before + 1 and revoked[1].serial_number in reasons(crl)
    desk.stop()
    desk.start()
    build(desk, p)
    assert number(wait_for(desk, slug, lambda c: number(c) > before + 1)) == before + 2
    desk.wait_sequenced()
    numbers = [leaf["number"] for leaf in leaves(desk.export())]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_partitions(desk, point):
    """Of a procedure with partitions no list is left out, and none has a gap in its numbers. rows=CM-A-19"""
    slug = "part-" + point.replace(".", "-")
    desk.stop()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(desk.dir / "signer" / slug))
    or_killed(lambda: partitioned(desk, slug, slug + "-{partition}", partitions=5, delta_interval="P2D", interval="P7D"))
    lists = [f"{slug}-{i}{delta}" for i in range(1, 6) for delta in ("", "-delta")]
    for name in lists:
        wait_for(desk, name, lambda c: True, wait=40)
    desk.wait_killed(mark, within=30)
    desk.wait_ready()
    procedures = desk.call("GET", "/api/v1/documents/crl-procedure", officer=desk.officers["anna"])["items"]
    p, = [d["id"] for d in procedures if d["body"]["name"] == f"CRL {slug}"]
    revoked = [issue(desk, f"{slug}-{i}") for i in range(6)]
    change(desk, "revoke", [i for i, _ in revoked])
    build(desk, p)
    for _, cert in revoked:
        wait_for(desk, list_of(cert, slug), lambda c: cert.serial_number in reasons(c))
    numbers = {}
    end = time.monotonic() + 40  # the one that was killed still has its turn at the sequencer
    while sum(len(n) for n in numbers.values()) < 2 * len(lists) and time.monotonic() < end:
        time.sleep(0.5)
        numbers = {}
        for leaf in leaves(desk.export()):
            if leaf["procedure"] == p:
                numbers.setdefault(leaf["partition"], []).append(leaf["number"])
    assert set(numbers) == set(range(1, 6)), numbers
    assert all(sorted(n) == list(range(1, len(n) + 1)) for n in numbers.values()), numbers
    close(desk, f"CRL {slug}")


def test_adopted_with_its_partition(desk):
    """Killed between signature and store: what is adopted from the signer's journal is on the list that it points to. rows=CM-A-19"""
    p = partitioned(desk, "adopted", "adopted-{partition}", partitions=6, interval="P7D")
    wait_for(desk, "adopted-6", lambda c: True)
    csr = make_csr(None, sans=["adopted.example.org"])[0]
    desk.stop()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_FAULT="factory.after-sign=kill", CHANCERY_FAULT_ONCE=str(desk.dir / "signer" / "adopted"))
    made, end = None, time.monotonic() + 60
    while made is None and time.monotonic() < end:
        try:
            made = desk.issue(desk.token, csr, key="adopted-1")
        except (OSError, http.client.HTTPException, Refused):
            time.sleep(0.3)
    assert made is not None, desk.log.read_text()[-2000:]
    desk.wait_killed(mark)
    cert = x509.load_der_x509_certificate(base64.b64decode(made.get("certificate") or made["der"]))
    change(desk, "revoke", [made["id"]])
    build(desk, p)
    mine = list_of(cert, "adopted")
    wait_for(desk, mine, lambda c: cert.serial_number in reasons(c))
    for i in range(1, 7):
        if f"adopted-{i}" != mine:
            assert cert.serial_number not in reasons(fetch(desk, f"adopted-{i}"))
    close(desk, "CRL adopted")


def test_due_by_the_clock(desk):
    """The next list comes when its time has come, also where the server slept through it; a list from the future is replaced. rows=CM-A-09"""
    procedure(desk, "clock", interval="PT6H", overlap="PT2H")
    first = wait_for(desk, "clock", lambda c: True)
    assert (first.next_update - first.last_update).total_seconds() == 8 * 3600
    time.sleep(2.5)
    assert number(fetch(desk, "clock")) == number(first)
    desk.stop()
    desk.start(CHANCERY_CLOCK_OFFSET_MS=str(7 * 3600 * 1000))
    second = wait_for(desk, "clock", lambda c: number(c) > number(first))
    assert (second.last_update - first.last_update).total_seconds() >= 7 * 3600
    desk.stop()
    desk.start()
    third = wait_for(desk, "clock", lambda c: number(c) > number(second))
    assert third.last_update < second.last_update


def test_a_clock_that_ran_ahead_ends_nobody(desk):
    """A list was made by a clock years ahead: who is revoked and has not expired by the right one stands in the next list.
    rows=CM-A-09"""
    p = procedure(desk, "ahead", interval="P1D", delta_interval="PT12H")
    revoked = issue(desk, "ahead")
    change(desk, "revoke", [revoked[0]])
    build(desk, p)
    first = wait_for(desk, "ahead", lambda c: revoked[1].serial_number in reasons(c))
    desk.stop()
    desk.start(CHANCERY_CLOCK_OFFSET_MS=str(400 * 86400 * 1000))
    second = wait_for(desk, "ahead", lambda c: number(c) > number(first))
    assert (second.last_update - first.last_update).days > 300
    desk.stop()
    desk.start()
    third = wait_for(desk, "ahead", lambda c: c.last_update < second.last_update)
    assert revoked[1].serial_number in reasons(third)
    close(desk, "CRL ahead")


def test_partitions_due_by_the_clock(desk):
    """What is not due is not built again, not when something is revoked and not at a start; when the time has come, each list is built
    once more. rows=CM-A-09,CM-A-19"""
    count = 48
    p = partitioned(desk, "timed", "timed-{partition}", partitions=count, interval="P2D")

    def lists():
        return [x.split(" number=")[1].split()[0] for x in desk.log.read_text().splitlines() if "crl.built" in x and f" procedure={p} " in x]

    def all_built(times):
        end = time.monotonic() + 60
        while time.monotonic() < end and len(lists()) < times * count:
            time.sleep(0.2)
        time.sleep(2.5)  # the job comes by every second
        return sorted(lists()) == sorted(str(n) for n in range(1, times + 1) for _ in range(count))

    assert all_built(1), lists()
    change(desk, "revoke", [issue(desk, "timed")[0]])
    desk.stop()
    desk.start()
    assert all_built(1), lists()
    desk.stop()
    desk.start(CHANCERY_CLOCK_OFFSET_MS=str(49 * 3600 * 1000))
    assert all_built(2), lists()
    close(desk, "CRL timed")
    desk.stop()
    desk.start()


def test_many_pieces(desk, scratch):
    """5,000 entries are several pieces; the list is one."""
    p = procedure(desk, "long", interval="P7D")
    before = wait_for(desk, "long", lambda c: True)
    issuer = None
    desk.stop()
    with sqlite3.connect(desk.dir / "chancery.db") as db:
        issuer, seq = db.execute("SELECT issuer, max(seq) FROM certificate_status GROUP BY issuer ORDER BY 2 DESC LIMIT 1").fetchone()
        later = int(time.time() * 1000) + 10**10
        for i in range(5000):
            db.execute("INSERT INTO certificate_status (id, issuer, serial, state, reason, at, invalid_at, not_after, seq, leaf) "
                       "VALUES (?, ?, ?, 2, 1, 1700000000000, 0, ?, ?, 0)", (i + 1, issuer, (2**120 + i).to_bytes(16, "big"), later, seq + 1 + i))
        db.execute("UPDATE status_seq SET value = value + 5000 WHERE issuer = ?", (issuer,))
    db.close()
    desk.start()
    build(desk, p)
    crl = wait_for(desk, "long", lambda c: number(c) > number(before), wait=40)
    found = reasons(crl)
    assert len(found) >= 5000 and found[2**120 + 4999] == "key_compromise" and found[2**120] == "key_compromise"
    (scratch / "list.der").write_bytes(desk.raw("GET", "/crl/long.crl")[2])
    done = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", scratch / "list.der", "-noout", "-crlnumber"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    status = json.loads(desk.raw("GET", "/readyz")[2])
    assert status["ready"]


DAY = 24 * 3600 * 1000
BASE = 2**120 + 2**60  # of serial numbers


def entries_of(crl):
    """serial number -> (when, reason or None)"""
    found = reasons(crl)
    return {r.serial_number: (int(r.revocation_date.replace(tzinfo=datetime.timezone.utc).timestamp()), found[r.serial_number]) for r in crl}


def entries_due(db, issuer, left_at):
    """The same by the store: what each entry must be, whatever the list before had."""
    names = {0: None, 1: "key_compromise", 4: "superseded", 6: "certificate_hold"}
    return {int.from_bytes(serial, "big"): (at // 1000, names[reason]) for serial, at, reason in db.execute(
        "SELECT serial, at, reason FROM certificate_status WHERE issuer = ? AND state <> 0 AND not_after >= ?", (issuer, left_at))}


def change_some(db, issuer, round_, now):
    """By the store, as revocations and reinstatements do it: in the middle, at both ends, and at the seams of the pieces."""
    seq, = db.execute("SELECT value FROM status_seq WHERE issuer = ?", (issuer,)).fetchone()
    seams = [last for last, in db.execute("SELECT last FROM crl_part WHERE crl = (SELECT max(id) FROM crl WHERE state = 2 AND entries > 10000) ORDER BY n")]
    changed = []
    for state, serials in ((0, seams[round_:round_ + 1]),  # reinstated
                           (2, [(0x100 + round_).to_bytes(2, "big"), (2**121 + round_).to_bytes(16, "big"), (BASE + 7919 * 9000 + 3 + round_).to_bytes(16, "big")])):
        changed += [(state, s) for s in serials]
    gone = {1: "serial > ? AND serial <= ?", 2: "serial > ? AND serial <= ?", 5: "serial <= ?"}.get(round_)
    if gone:  # a whole piece is empty then, at the end the first one
        changed += [(0, s) for s, in db.execute(f"SELECT serial FROM certificate_status WHERE issuer = {issuer} AND {gone}",
                                                seams[2:4] if round_ < 5 else seams[:1])]
    for state, serial in changed:
        seq += 1
        done = db.execute("UPDATE certificate_status SET state = ?, at = ?, seq = ? WHERE issuer = ? AND serial = ?", (state, now, seq, issuer, serial))
        if done.rowcount == 0:
            db.execute("INSERT INTO certificate_status (id, issuer, serial, state, reason, at, invalid_at, not_after, seq, leaf) "
                       "VALUES (?, ?, ?, ?, 4, ?, 0, ?, ?, 0)", (10**7 + seq, issuer, serial, state, now, now + 100 * DAY, seq))
    db.execute("UPDATE status_seq SET value = ? WHERE issuer = ?", (seq, issuer))


def built(house, mark):
    """(pieces, shared) of the last complete list since."""
    line = [x for x in house.log.read_text()[mark:].splitlines() if "crl.built" in x and " delta=0" in x][-1]
    return tuple(int(line.split(f" {name}=")[1].split()[0]) for name in ("pieces", "shared"))


@pytest.mark.parametrize("slug", ["shared", "indirect"])
def test_shared_pieces(desk, slug):
    """A list has the pieces of the one before in which nothing has changed, and each list is what the store says all the same: after
    revocations and reinstatements anywhere, when entries end, and when the server is killed in between. rows=CM-R-16,CM-A-09"""
    if slug == "indirect":
        anna, ben = desk.officers["anna"], desk.officers["ben"]
        desk.act("ca-key.create", {"name": "Status key", "algorithm": "p-256", "place": "software"}, anna, ben)
        desk.act("authority.create", {"name": "Status CA", "type": "subordinate", "issuing_authority": "Root CA", "ca_key": "Status key",
                                      "subject": "CN=Status CA,O=Test", "format": "CA certificate", "validity": "P5Y", "path_length": 0}, anna, ben)
    p = procedure(desk, slug, interval="P7D", **({"crl_issuer": "Status CA"} if slug == "indirect" else {}))
    before = wait_for(desk, slug, lambda c: True)
    change(desk, "revoke", [issue(desk, slug)[0]])
    now = int(time.time()) * 1000
    desk.stop()
    with sqlite3.connect(desk.dir / "chancery.db") as db:
        issuer, seq = db.execute("SELECT issuer, max(seq) FROM certificate_status GROUP BY issuer ORDER BY 2 DESC LIMIT 1").fetchone()
        db.execute("DELETE FROM certificate_status WHERE id BETWEEN 1000000 AND 100000000")
        for i in range(20000):  # those of one stretch end in an hour
            end = now + (3600 * 1000 if 16000 <= i < 16500 else 100 * DAY)
            db.execute("INSERT INTO certificate_status (id, issuer, serial, state, reason, at, invalid_at, not_after, seq, leaf) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, 0)",
                       (10**6 + i, issuer, (BASE + i * 7919).to_bytes(16, "big"), 2 if i % 7 else 1, 1 if i % 7 else 6, now - 10**9 + i * 1000, end, seq + 1 + i))
        db.execute("UPDATE status_seq SET value = value + 20000 WHERE issuer = ?", (issuer,))
    db.close()
    hours, previous = 0, before
    for round_, fault in enumerate(("", "crl.gathered=kill", "crl.planned=kill", "crl.signed=kill", "crl.in-force=kill", "", "")):
        hours += 2 if round_ in (4, 5) else 0  # the list after the hour still has them, the next one does not
        mark = len(desk.log.read_text())
        desk.start(CHANCERY_CLOCK_OFFSET_MS=str(hours * 3600 * 1000),
                   **({"CHANCERY_FAULT": fault, "CHANCERY_FAULT_ONCE": str(desk.dir / "signer" / f"{slug}-{round_}")} if fault else {}))
        answer = or_killed(lambda: build(desk, p))
        assert fault or answer is not None
        crl = wait_for(desk, slug, lambda c: number(c) > number(previous), wait=60)
        if fault:
            desk.wait_killed(mark, within=30)
        desk.stop()
        with sqlite3.connect(desk.dir / "chancery.db") as db:
            left_at = int(previous.last_update.replace(tzinfo=datetime.timezone.utc).timestamp()) * 1000
            due, found = entries_due(db, issuer, left_at), entries_of(crl)
            assert found == due, (round_, set(found.items()) ^ set(due.items()))
            who = [any(x.oid == CRLEntryExtensionOID.CERTIFICATE_ISSUER for x in r.extensions) for r in crl]
            assert sum(who) == who[0] == (slug == "indirect")  # the first entry's alone, which holds for all behind it
            assert list(found) == sorted(found, key=lambda s: s.to_bytes(s.bit_length() // 8 + 1, "big"))
            unused, = db.execute("SELECT count(*) FROM crl_piece k WHERE NOT EXISTS (SELECT 1 FROM crl_part p WHERE p.made_by = k.crl AND p.made_n = k.n)").fetchone()
            assert unused == 0
            if round_ != 6:
                change_some(db, issuer, round_, now + hours * 3600 * 1000)
        db.close()
        if not fault:
            pieces, shared = built(desk, mark)
            assert round_ == 0 or 0 < shared < pieces, (round_, pieces, shared)
        previous = crl
    assert not any(16000 <= (s - BASE) // 7919 < 16500 and (s - BASE) % 7919 == 0 for s in entries_of(previous))
    last = number(previous)
    for statement in ("DELETE FROM crl_piece WHERE (crl, n) IN (SELECT made_by, made_n FROM crl_part WHERE crl = ? AND n = 3)",
                      "UPDATE crl_piece SET entries = zeroblob(length(entries)) WHERE (crl, n) IN (SELECT made_by, made_n FROM crl_part WHERE crl = ? AND n = 4)"):
        with sqlite3.connect(desk.dir / "chancery.db") as db:
            done = db.execute(statement, db.execute("SELECT max(id) FROM crl WHERE state = 2 AND entries > 10000").fetchone())
            assert done.rowcount == 1
        db.close()
        crl = after_damage(desk, p, slug, last)
        assert entries_of(crl) == entries_of(previous)
        last = number(crl)
    desk.start()


def after_damage(desk, p, slug, last):
    """Whatever became of pieces of the list, there is a next one, whole."""
    mark, crl, end = len(desk.log.read_text()), None, time.monotonic() + 60
    desk.start(CHANCERY_CLOCK_OFFSET_MS=str(4 * 3600 * 1000))
    build(desk, p)
    while time.monotonic() < end and (crl is None or number(crl) <= last):
        time.sleep(0.3)
        try:
            crl = fetch(desk, slug)
        except (OSError, ValueError, http.client.HTTPException):  # what is damaged is served so
            crl = None
    desk.stop()
    assert number(crl) == last + 1 and built(desk, mark)[1] == 0
    return crl
