"""Selections: the factory dies around the submission, two change one at once, and what nobody touches for a day is forgotten."""
import http.client
import sqlite3
import threading

import pytest

from publishing import open_desk
from world import Refused, make_csr, until


@pytest.fixture(scope="module")
def desk(module_scratch):
    d = open_desk(module_scratch)
    try:
        d.file_rule("Files", d.public)
        d.procedure("Files", "Files")
        yield d
    finally:
        d.house.stop()


def selected(desk):
    made = desk.house.issue(desk.house.open_session(), make_csr(None, sans=["crash.example.org"])[0])["id"]
    return desk.house.call("POST", "/api/v1/selections", {"act": "certificate.publish", "body": {"publication_procedure": "Files"},
                                                          "certificates": [made]}, desk.rosa)


def submit(desk, number):
    return desk.house.call("POST", f"/api/v1/selections/{number}/submit", {}, desk.rosa)


def rows(desk):
    """Selections, and requests to publish that nobody has signed."""
    db = sqlite3.connect(f"file:{desk.house.dir}/chancery.db?mode=ro", uri=True)
    try:
        return ([i for (i,) in db.execute("SELECT id FROM selection")],
                db.execute("SELECT count(*) FROM request WHERE act = 'certificate.publish' AND state = 'prepared'").fetchone()[0])
    finally:
        db.close()


def restart(desk, **env):
    desk.house.stop()
    desk.house.start(**env)


@pytest.mark.parametrize("point", ["before", "after"])
def test_submitted_or_not(desk, point):
    """The request is prepared and the selection gone, or neither."""
    number = selected(desk)["id"]
    selections, requests = rows(desk)
    once = desk.house.dir / "signer" / f"submission-{point}"
    restart(desk, CHANCERY_FAULT=f"factory.{point}-submission=kill", CHANCERY_FAULT_ONCE=str(once))
    with pytest.raises((OSError, http.client.HTTPException)):
        submit(desk, number)
    assert once.exists()
    restart(desk)
    if point == "after":
        assert rows(desk) == ([i for i in selections if i != number], requests + 1)
        with pytest.raises(Refused) as e:
            submit(desk, number)
        assert e.value.code == "CHY-1460"
    else:
        assert rows(desk) == (selections, requests)
        assert submit(desk, number)["state"] == "prepared" and rows(desk) == ([i for i in selections if i != number], requests + 1)


@pytest.mark.parametrize("other", ["change", "submit", "drop"])
def test_one_that_was_changed_meanwhile(desk, other):
    """Between reading a selection and writing it somebody is faster: refused, and what the other call did stays."""
    made = selected(desk)
    number, path = made["id"], f"/api/v1/selections/{made['id']}"
    held = desk.house.dir / "signer" / f"selection-{other}"
    restart(desk, CHANCERY_FAULT="factory.before-selection=wait", CHANCERY_FAULT_ONCE=str(held))
    certificates = desk.house.call("GET", path, officer=desk.rosa)["certificates"]
    told = []

    def slow():
        try:
            told.append(desk.house.call("POST", f"{path}/certificates", {"add": []}, desk.rosa)["selected"])
        except Refused as e:
            told.append((e.status, e.code))

    thread = threading.Thread(target=slow)
    try:
        thread.start()
        until(held.exists, 60, "the slow one did not come by")
        if other == "change":
            desk.house.call("POST", f"{path}/certificates", {"remove": [certificates[0]["id"]]}, desk.rosa)
        elif other == "submit":
            assert submit(desk, number)["state"] == "prepared"
        else:
            desk.house.call("DELETE", path, officer=desk.rosa)
    finally:
        held.unlink(missing_ok=True)
        thread.join(60)
        restart(desk)
    assert told == [(409, "CHY-1543")]
    if other == "change":
        assert desk.house.call("GET", path, officer=desk.rosa)["certificates"] == []


def test_forgotten_after_a_day(desk):
    """Neither shown nor submitted, and out of the database without anybody asking; one that was touched since stays."""
    hour = 3600 * 1000
    old, touched = selected(desk)["id"], selected(desk)["id"]
    restart(desk, CHANCERY_CLOCK_OFFSET_MS=str(12 * hour))
    desk.house.call("POST", f"/api/v1/selections/{touched}/certificates", {"add": []}, desk.rosa)
    assert {old, touched} <= set(rows(desk)[0])
    restart(desk, CHANCERY_CLOCK_OFFSET_MS=str(25 * hour))
    with pytest.raises(Refused) as e:
        submit(desk, old)
    assert e.value.code == "CHY-1460"
    desk.wait_until(lambda: old not in rows(desk)[0])
    assert [x["id"] for x in desk.house.call("GET", "/api/v1/selections", officer=desk.rosa)["items"]] == [touched]
    assert submit(desk, touched)["state"] == "prepared"
