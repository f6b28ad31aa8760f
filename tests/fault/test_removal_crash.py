"""Removal of certificates under faults: killed before it is committed, the signer's journal read again from its beginning, a row put back."""
import datetime
import sqlite3
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import world  # noqa: E402
from test_crl import issue, make_desk  # noqa: E402
from test_removal import DAY_MS, remove, verify  # noqa: E402


@pytest.fixture(scope="module")
def desk(sqlite_house):
    desk = make_desk(sqlite_house)
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    desk.first, desk.second = desk.officers["desk"], desk.make_officer("Second", "Status desk", anna, ben, issuer=rosa)
    desk.old = [issue(desk, f"removal{i}") for i in range(3)]
    desk.wait_sequenced()
    left = (desk.old[-1][1].not_valid_after - datetime.datetime.utcnow()).total_seconds()
    desk.later = str(int(left * 1000) + 2 * DAY_MS)
    desk.stop()
    desk.start(CHANCERY_CLOCK_OFFSET_MS=desk.later)
    return desk


def there(desk, number):
    return desk.raw("GET", f"/api/v1/certificates/{number}", officer=desk.first)[0] == 200


def database(desk):
    return sqlite3.connect(desk.dir / "chancery.db", timeout=20)


def test_killed_before_it_is_committed(desk, scratch):
    """Nothing is removed in part: the officers sign again."""
    number = desk.old[0][0]
    desk.stop()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_CLOCK_OFFSET_MS=desk.later, CHANCERY_FAULT="factory.before-removal=kill",
               CHANCERY_FAULT_ONCE=str(desk.dir / "signer" / "removal"))
    request = desk.prepare(desk.first, "certificate.remove", {"certificates": [number], "reason": "x"})
    with pytest.raises((OSError, world.Refused)):
        desk.bring(desk.first, request, desk.first, desk.second)
    desk.wait_killed(mark)
    desk.wait_ready()
    assert there(desk, number)
    verify(desk, scratch)
    assert desk.bring(desk.first, request, desk.first, desk.second)["state"] == "done"
    assert not there(desk, number)
    verify(desk, scratch)


def test_the_signers_journal_brings_nothing_back(desk, scratch):
    """Read again from its beginning, as after the loss of the cursor, it has nothing to give. rows=CM-R-24"""
    number = desk.old[1][0]
    assert remove(desk, [number])["state"] == "done"
    desk.stop()
    with database(desk) as db:
        assert db.execute("UPDATE setting SET value = '0' WHERE name = 'signer-journal.taken-over'").rowcount == 1
    db.close()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_CLOCK_OFFSET_MS=desk.later)
    assert not there(desk, number) and there(desk, desk.old[2][0])
    assert "adopted" not in desk.log.read_text()[mark:]
    verify(desk, scratch)


def test_a_row_that_is_put_back_is_found(desk, scratch):
    """The journal says that it was removed. Last, as nothing heals it. rows=CM-R-24"""
    number = desk.old[2][0]
    desk.wait_sequenced()
    with database(desk) as db:
        row = db.execute("SELECT * FROM certificate WHERE id = ?", (number,)).fetchone()
        der = db.execute("SELECT * FROM certificate_der WHERE id = ?", (number,)).fetchone()
    assert remove(desk, [number])["state"] == "done"
    verify(desk, scratch)
    with database(desk) as db:
        db.execute(f"INSERT INTO certificate VALUES ({', '.join('?' * len(row))})", row)
        db.execute("INSERT INTO certificate_der VALUES (?, ?)", der)
    db.close()
    assert f"certificate {number}" in verify(desk, scratch, code=1)
