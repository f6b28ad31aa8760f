"""Killed at every point between gathering a revocation list and putting it into force; clocks that jump; a list of many pieces."""
import base64
import http.client
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from world import Refused, make_csr  # noqa: E402
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
    build(desk, p)
    crl = wait_for(desk, slug, lambda c: number(c) > before, wait=40)
    assert "signal=9" in desk.log.read_text()[mark:], "the point was never reached"
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
    p = partitioned(desk, slug, slug + "-{partition}", partitions=5, delta_interval="P2D", interval="P7D")
    lists = [f"{slug}-{i}{delta}" for i in range(1, 6) for delta in ("", "-delta")]
    for name in lists:
        wait_for(desk, name, lambda c: True, wait=40)
    assert "signal=9" in desk.log.read_text()[mark:], "the point was never reached"
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
    assert made is not None and "signal=9" in desk.log.read_text()[mark:], "the point was never reached"
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
