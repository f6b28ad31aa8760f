"""The factory dies while certificates are revoked, held and reinstated: each act is there with its leaf, or not at all."""
import sqlite3
import subprocess
import threading
import time

import pytest

import world
from test_status import PASSWORD, act, bring, desk, history, one, status, with_password  # noqa: F401
from world import Refused, until

POINTS = ["factory.before-signature", "factory.before-status", "factory.after-status", "factory.after-signature",
          "store.before-commit", "store.after-commit"]
CHANGES = [("hold", "valid", "held"), ("revoke", "held", "revoked")]


def verify(house, folder):
    house.wait_sequenced()
    export = folder / "journal.jsonl"
    export.write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def bring_anyway(house, officer, request, secrets=None):
    """The answer may be lost; the request says what became of it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            shown = house.call("GET", f"/api/v1/requests/{request['id']}", officer=officer)
            if shown["state"] == "done":
                return shown["result"]
            if shown["state"] == "prepared":
                bring(house, officer, request, secrets)
        except Refused as e:
            assert e.status in (409, 429, 502, 503, 504), e
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(house.log.read_text()[-2000:])


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_states_change(desk, scratch, point):  # noqa: F811
    """rows=CM-R-14"""
    house, free = desk, desk.officers["free"]
    pair = [one(house), one(house)]
    for i, (verb, before, after) in enumerate(CHANGES):
        assert {status(house, c)["state"] for c in pair} == {before}
        more = {"reason": "superseded"} if verb == "revoke" else {}
        request = house.prepare(free, f"certificate.{verb}", {"certificates": pair, **more})
        house.stop()
        mark = len(house.log.read_text())
        slug = f"status-{i}-" + point.replace(".", "-")
        house.start(CHANCERY_FAULT=f"{point}@{1 if point.startswith('factory') else 3}=kill",
                    CHANCERY_FAULT_ONCE=str(house.dir / "signer" / slug))
        result = bring_anyway(house, free, request)
        house.wait_killed(mark)
        assert [x["state"] for x in result["certificates"]] == [after, after]
        house.wait_ready()
        assert {status(house, c)["state"] for c in pair} == {after}
        assert len(history(house, pair[0])) == i + 1, "once"
    verify(house, scratch)


@pytest.mark.parametrize("point", ["factory.before-password-wrong", "factory.after-password-wrong"])
def test_killed_while_a_wrong_password_is_counted(desk, point):  # noqa: F811
    """Nobody learns that a password was wrong without its being counted. rows=CM-R-19"""
    house, officer = desk, desk.officers["password"]
    c = with_password(house)
    request = house.prepare(officer, "certificate.revoke", {"certificates": [c], "reason": "superseded", "verification": "password"})
    house.stop()
    house.start(CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / ("wrong-" + point)))
    try:
        with pytest.raises((Refused, OSError)) as e:
            bring(house, officer, request, {"revocation_password": "a wrong password"})
        assert not isinstance(e.value, Refused) or e.value.code != "CHY-1674", "no answer without its count"
        house.wait_ready()
        for _ in range(300):
            try:
                assert status(house, c) == {"state": "valid"}
                break
            except (OSError, Refused):
                time.sleep(0.2)
        else:
            raise AssertionError("the state is never shown: " + house.log.read_text()[-2000:])
    finally:
        house.stop()
        house.start()
    if house.engine == "sqlite":
        with sqlite3.connect(f"file:{house.dir}/chancery.db?mode=ro", uri=True) as db:
            counted = db.execute("SELECT tries FROM password_wrong WHERE certificate = ?", (c,)).fetchone()
        assert counted == ((1,) if "after" in point else None)


def test_a_guess_holds_up_nobody(desk):  # noqa: F811
    """While one revocation password is compared, more than there are workers are refused at once, and all else goes on. rows=CM-R-19"""
    house, officer = desk, desk.officers["password"]
    c, free = with_password(house), one(house)
    requests = [house.prepare(officer, "certificate.revoke", {"certificates": [c], "reason": "superseded", "verification": "password"})
                for _ in range(8)]
    held = house.dir / "signer" / "comparing"
    house.stop()
    house.start(CHANCERY_FAULT="factory.comparing-password@1=wait", CHANCERY_FAULT_ONCE=str(held))
    house.wait_ready()
    house.token = house.open_session()
    first = []
    thread = threading.Thread(target=lambda: first.append(bring(house, officer, requests[0], {"revocation_password": PASSWORD})))
    thread.start()
    try:
        until(held.exists, 60, "the password is not being compared")
        for request in requests[1:]:
            with pytest.raises(Refused) as e:
                bring(house, officer, request, {"revocation_password": PASSWORD})
            assert (e.value.status, e.value.code) == (503, "CHY-1693")
        act(house, "free", "hold", [free])
        assert status(house, one(house)) == {"state": "valid"}, "issued meanwhile"
        assert first == [], "still being compared"
    finally:
        held.unlink(missing_ok=True)
        thread.join(60)
    assert first[0]["state"] == "done" and status(house, c)["state"] == "revoked"
    with pytest.raises(Refused) as e:
        bring(house, officer, requests[1], {"revocation_password": PASSWORD})
    assert e.value.code != "CHY-1693", "nobody is comparing any more"
    house.stop()
    house.start()
