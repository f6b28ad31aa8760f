"""Killed at every point between signing an issuance list's first segment and putting the list into force."""
import sqlite3
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from test_cil import all_of, build, close, fetch, issue, procedure, wait_for  # noqa: E402
from test_crl import make_desk  # noqa: E402
from world import or_killed  # noqa: E402

POINTS = ["cil.signed", "cil.stored", "cil.in-force"]


@pytest.fixture(scope="module")
def desk(sqlite_house):
    return make_desk(sqlite_house)


@pytest.mark.parametrize("point", POINTS)
def test_killed(desk, point):
    """The list before is served until a whole new one is there; numbers go on, none is given twice, and nothing is left behind."""
    slug = point.replace(".", "-")
    p = procedure(desk, slug, per_file=3)
    wait_for(desk, slug)
    before = all_of(desk, slug)
    cert = issue(desk, slug)[1]
    desk.stop()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(desk.dir / "signer" / slug))
    or_killed(lambda: build(desk, p))  # the wish is seen as soon as it is committed
    wait_for(desk, slug, lambda s: s.number > before[0].number, wait=40)
    desk.wait_killed(mark, within=30)  # a list is served before the job is at cil.in-force
    desk.wait_ready()
    after = all_of(desk, slug)
    assert after[0].number > before[-1].number
    assert cert.serial_number in {n for s in after for n in s.entries}
    desk.stop()
    desk.start()
    time.sleep(2.5)
    assert fetch(desk, slug).number == after[0].number  # it is not built a second time
    build(desk, p)
    wait_for(desk, slug, lambda s: s.number > after[0].number, wait=40)
    with sqlite3.connect(f"file:{desk.dir / 'chancery.db'}?mode=ro", uri=True) as db:
        builds = {b for b, in db.execute("SELECT DISTINCT build FROM cil_file")}
        assert builds == {b for b, in db.execute("SELECT build FROM cil")}
    db.close()
    close(desk, p)
