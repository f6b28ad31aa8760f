"""OCSP when what it stands on goes away: the signer, its key, the time, the process itself."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import test_ocsp as t  # noqa: E402
import world  # noqa: E402
from cryptography.x509 import ocsp  # noqa: E402


@pytest.fixture
def desk(scratch):
    house = world.World(scratch / "house")
    try:
        house.start().make_officers().make_ca()
        house.token = house.open_session()
        house.ca = t.answer_by(house)
        yield house
    finally:
        house.stop()


def verify(house, folder):
    house.wait_sequenced()
    export = folder / "journal.jsonl"
    export.write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def answers(house, cert, **how):
    der = t.request(t.cert_id(house.ca, cert.serial_number), **how)
    try:
        return t.ask(house, der)
    except OSError:
        return None


def is_good(r):
    return r is not None and r.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL and r.certificate_status == t.GOOD


def test_signer_away(desk):
    """What is signed goes on being told; the rest is tryLater until the signer is back (RFC 6960 2.3)."""
    known, fresh = t.issue(desk)[1], t.issue(desk)[1]
    assert is_good(answers(desk, known))
    signer = desk.pids("chancery-signer")[0]
    os.kill(signer, signal.SIGSTOP)  # it is there and says nothing: nobody waits for it who has an answer
    assert is_good(answers(desk, known))
    os.kill(signer, signal.SIGKILL)
    seen = set()
    for _ in range(40):
        assert is_good(answers(desk, known))
        seen.add(answers(desk, fresh, nonce=os.urandom(8)).response_status)
        time.sleep(0.01)
    assert seen <= {ocsp.OCSPResponseStatus.SUCCESSFUL, ocsp.OCSPResponseStatus.TRY_LATER}
    t.until(lambda: is_good(answers(desk, fresh, nonce=b"x")), desk)


def test_key_gone(desk, scratch):
    """The responder's key is lost: another one is made, with another certificate, and the journal accounts for both."""
    cert = t.issue(desk)[1]
    before = t.status(desk, cert).certificates[0].serial_number
    desk.stop()
    gone = [p for p in (desk.dir / "signer").rglob("*") if p.is_file() and p.name.startswith("ocsp-")]
    assert gone, list((desk.dir / "signer").rglob("*"))
    for p in gone:
        p.unlink()
    desk.start()
    t.until(lambda: is_good(answers(desk, cert, nonce=b"n")), desk, wait=40)
    after = t.status(desk, cert, nonce=b"m").certificates[0].serial_number
    assert after != before
    verify(desk, scratch)


@pytest.mark.parametrize("point", ["ocsp.before-sign-responder", "ocsp.after-sign-responder"])
def test_killed_while_renewing(desk, scratch, point):
    """However far a new responder's certificate came: it is there once, and answers go on."""
    cert = t.issue(desk)[1]
    desk.stop()
    for p in (desk.dir / "signer").rglob("ocsp-*"):
        p.unlink()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(desk.dir / "signer" / "once"))
    t.until(lambda: is_good(answers(desk, cert, nonce=b"n")), desk, wait=40)
    desk.wait_killed(mark)
    desk.wait_ready()
    verify(desk, scratch)


def test_killed_while_signing_ahead(desk, scratch):
    certs = [t.issue(desk)[1] for _ in range(3)]
    desk.stop()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_FAULT="ocsp.presigned@1=kill", CHANCERY_FAULT_ONCE=str(desk.dir / "signer" / "once"))
    desk.wait_killed(mark, within=60)
    for c in certs:
        t.until(lambda: is_good(answers(desk, c)), desk)
    verify(desk, scratch)


def test_clock_jumps(desk, scratch):
    """An hour ahead and back again: nothing is told that is not good now, and a revocation is never told as of later."""
    cert = t.issue(desk)[1]
    for offset in (3600, 0):
        desk.stop()
        desk.start(CHANCERY_CLOCK_OFFSET_MS=str(offset * 1000))
        t.until(lambda: is_good(answers(desk, cert)), desk)
        for how in ({}, {"nonce": b"x"}):
            r = t.status(desk, cert, **how)
            assert r.this_update <= r.produced_at < r.next_update
            assert abs(r.this_update.timestamp() - time.timezone - (time.time() + offset)) < 1200, (r.this_update, offset)


def test_revocation_is_seen_after_faults(desk):
    """After all of the above, an answer that is kept is still dropped when its certificate is revoked."""
    number, cert = t.issue(desk)
    assert is_good(answers(desk, cert))
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    desk.act("officer-profile.create", {"name": "Desk", "entity_type": "dynamic-token", "roles":
                                        ["use-clients", "issue-certificate", "revoke-certificate"]}, anna, ben)
    desk.officers["desk"] = desk.make_officer("Desk", "Desk", anna, ben, issuer=rosa)
    t.change(desk, "revoke", [number])
    assert answers(desk, cert).certificate_status == t.REVOKED
