"""Whoever writes to the database takes nothing back that the signer has signed a head over; a restore says so openly."""
import shutil
import sqlite3
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

import world
from world import Refused, make_csr


def chancery(*args):
    return subprocess.run([world.CHANCERY, *map(str, args)], capture_output=True, text=True, timeout=120)


def verify(house, *more):
    """`chancery journal verify` of the live server, by an auditor."""
    anna, p12, pin = house.officers["anna"], house.keys / "anna.p12", house.keys / "anna.pin"
    if not p12.exists():
        key = serialization.load_pem_private_key(anna.key_file.read_bytes(), None)
        p12.write_bytes(pkcs12.serialize_key_and_certificates(b"anna", key, anna.cert, None,
                                                              serialization.BestAvailableEncryption(b"a long secret")))
        pin.write_bytes(b"a long secret")
        pin.chmod(0o600)
    return chancery("journal", "verify", "--server", f"https://localhost:{house.tls_port}", "--ca", house.dir / "root.pem",
                    "--officer", p12, "--pin-file", pin, *more)


def head(house):
    return house.call("GET", "/api/v1/journal/head", officer=house.officers["anna"])["size"]


def make_leaf(house):
    """One leaf that nothing else knows: a refusal."""
    with pytest.raises(Refused):
        house.prepare(house.officers["rosa"], "domain.create", {"name": "Not Rosa's"})
        house.act("domain.create", {"name": "Not Rosa's"}, house.officers["rosa"])


def cut(house, size):
    """Everything of the journal behind `size` leaves, as somebody does it who knows the tables."""
    db = sqlite3.connect(house.dir / "chancery.db", timeout=20, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM journal_leaf WHERE id IN (SELECT leaf_id FROM journal_seq WHERE idx >= ?)", (size,))
    db.execute("DELETE FROM journal_seq WHERE idx >= ?", (size,))
    db.execute("DELETE FROM journal_head WHERE size > ?", (size,))
    for level in range(3):
        nodes = size >> (8 * level)
        db.execute("DELETE FROM journal_tile WHERE level = ? AND idx >= ?", (level, nodes // 256 + (nodes % 256 > 0)))
        db.execute("UPDATE journal_tile SET hashes = substr(hashes, 1, ?) WHERE level = ? AND idx = ?",
                   (nodes % 256 * 32, level, nodes // 256))
    db.execute("COMMIT")
    db.close()


@pytest.fixture
def own_house(tmp_path):
    house = world.World(tmp_path / "house")
    try:
        house.start().make_officers().make_ca()
        yield house
    finally:
        house.stop()


def sizes_of_heads(house):
    db = sqlite3.connect(house.dir / "chancery.db", timeout=20)
    sizes = [r[0] for r in db.execute("SELECT size FROM journal_head ORDER BY size")]
    db.close()
    return sizes


def test_a_cut_tail_is_found_and_never_covered_up(own_house, tmp_path):
    house = own_house
    house.wait_sequenced()
    make_leaf(house)
    house.wait_sequenced()
    done = verify(house)
    assert done.returncode == 0, done.stdout + done.stderr
    full, copy = head(house), tmp_path / "whole.db"
    assert chancery("store", "backup", "--config", house.dir / "chancery.ini", copy).returncode == 0
    before = [s for s in sizes_of_heads(house) if s < full][-1]
    cut(house, before)
    done = verify(house)
    assert done.returncode == 1 and "the end of the journal was cut off" in done.stdout, done.stdout + done.stderr

    # grown again to more than it was: other leaves in the place of those
    assert "1332" in house.log.read_text()
    for _ in range(full - before + 3):
        make_leaf(house)
    time.sleep(1)
    assert head(house) == before, "no head over another journal"
    house.stop()
    house.start()
    time.sleep(1)
    assert head(house) == before
    assert verify(house).returncode == 1

    # the database as it was heals it, without the operator's word
    house.stop()
    for suffix in ("", "-wal", "-shm"):
        (house.dir / f"chancery.db{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, house.dir / "chancery.db")
    house.start()
    make_leaf(house)
    assert house.wait_sequenced() > full
    done = verify(house)
    assert done.returncode == 0 and "Restarted" not in done.stdout, done.stdout + done.stderr


def test_restored_by_other_means(own_house, tmp_path):
    """A file system's copy that is older than the last head: refused until the operator says that it was a restore."""
    house = own_house
    config, copy = house.dir / "chancery.ini", tmp_path / "old.db"
    token = house.open_session()
    house.wait_sequenced()
    assert chancery("store", "backup", "--config", config, copy).returncode == 0
    made = house.issue(token, make_csr(None, sans=["later.example.org"])[0])
    for _ in range(5):
        make_leaf(house)
    full = house.wait_sequenced()
    done = chancery("journal", "restart", "--after-restore", "--yes", "--config", config)
    assert done.returncode == 1 and "stop the server first" in done.stderr, done.stderr
    house.stop()
    for suffix in ("", "-wal", "-shm"):
        (house.dir / f"chancery.db{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, house.dir / "chancery.db")
    house.start()
    time.sleep(1)
    assert head(house) < full
    done = verify(house)
    assert done.returncode == 1 and "the end of the journal was cut off" in done.stdout, done.stdout + done.stderr
    house.stop()
    assert chancery("journal", "restart", "--config", config).returncode == 2
    done = chancery("journal", "restart", "--after-restore", "--yes", "--config", config)
    assert done.returncode == 0, done.stderr
    house.start()
    make_leaf(house)
    house.wait_sequenced()
    done = verify(house)
    assert done.returncode == 0 and f"a head over {full} leaves was given up" in done.stdout, done.stdout + done.stderr
    assert house.call("GET", f"/api/v1/certificates/{made['id']}", officer=house.officers["anna"]), "taken over again"
    # and once only
    size = head(house)
    cut(house, [s for s in sizes_of_heads(house) if s < size][-1])
    assert verify(house).returncode == 1


@pytest.mark.parametrize("point", ["factory.before-head@2", "signer.after-sign@1", "signer.after-append@1", "signer.after-sync@1",
                                   "signer.after-answer@6"])
def test_killed_around_a_head(own_house, point):
    """Heads go on after a restart, whichever of the two the last head is known to."""
    house = own_house
    house.wait_sequenced()
    house.stop()
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / "fault"))
    end = time.monotonic() + 30
    while "signal=9" not in house.log.read_text()[mark:] and time.monotonic() < end:
        try:
            house.call("POST", "/api/v1/requests", {"act": "domain.create", "body": {}}, house.officers["rosa"])
        except (Refused, OSError):
            time.sleep(0.1)
    assert "signal=9" in house.log.read_text()[mark:], "the point was never reached"
    while "signer.started" not in house.log.read_text()[house.log.read_text().rindex("signal=9"):] and point.startswith("signer") \
            and time.monotonic() < end:
        time.sleep(0.1)
    house.wait_ready()
    size = head(house)
    make_leaf(house)
    end = time.monotonic() + 15  # whoever was killed has the lease of the sequencer for three seconds
    while head(house) <= size and time.monotonic() < end:
        time.sleep(0.2)
    assert head(house) > size
    done = verify(house)
    assert done.returncode == 0, done.stdout + done.stderr


def test_columns_and_signatures_are_checked(own_house):
    """Each column of the running store that somebody changes is found, and nothing is when it is as it was."""
    house = own_house
    house.issue(house.open_session(), make_csr(None, sans=["columns.example.org"])[0])
    house.wait_sequenced()
    changes = {f"{column} of certificate": ("certificate", f"{column} = {value}", "id = (SELECT max(id) FROM certificate)")
               for column, value in {"status": "2", "subject": "'CN=other'", "not_before": "not_before - 1000",
                                     "not_after": "not_after + 1000", "issuer": "issuer + 1", "fingerprint": "zeroblob(32)",
                                     "key_hash": "zeroblob(32)", "san": "'dns:other.example.org'", "session_id": "session_id + 1",
                                     "request_id": "77", "token_procedure": "1", "certificate_procedure": "1",
                                     "authority": "1"}.items()}
    newest = "request_id = (SELECT max(request_id) FROM request_signature)"
    changes["signature exchanged"] = ("request_signature", "cms = (SELECT cms FROM request_signature LIMIT 1)", newest)
    changes["signature of another officer"] = ("request_signature", "officer_id = officer_id + 1, at = 1", newest)
    db = sqlite3.connect(house.dir / "chancery.db", timeout=20, isolation_level=None)
    for what, (table, change, where) in changes.items():
        columns = [c[1] for c in db.execute(f"PRAGMA table_info({table})")]
        [row] = db.execute(f"SELECT rowid, {', '.join(columns)} FROM {table} WHERE {where}").fetchall()
        db.execute(f"UPDATE {table} SET {change} WHERE rowid = ?", row[:1])
        done = verify(house)
        assert done.returncode == 1 and ("CHY-1882" in done.stdout), what + done.stdout + done.stderr
        db.execute(f"UPDATE {table} SET {', '.join(c + ' = ?' for c in columns)} WHERE rowid = ?", row[1:] + row[:1])
    db.close()
    done = verify(house)
    assert done.returncode == 0, done.stdout + done.stderr


def test_clock_set_back(own_house):
    """What comes after a clock that was an hour ahead is older than the last head; the journal says why."""
    house = own_house
    token = house.open_session()
    house.wait_sequenced()
    house.stop()
    house.start(CHANCERY_CLOCK_OFFSET_MS=str(3600 * 1000))
    make_leaf(house)
    house.wait_sequenced()
    house.stop()
    house.start()
    make_leaf(house)
    house.issue(token, make_csr(None, sans=["clock.example.org"])[0])
    house.wait_sequenced()
    done = verify(house)
    assert done.returncode == 0 and "clock was set back, 1 times" in done.stdout, done.stdout + done.stderr
