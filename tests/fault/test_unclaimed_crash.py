"""What was signed and never answered is taken over, and revoked where nobody asks for it again. It waits most of the time, so it has a file."""
import time

import pytest

from test_status import desk, history, status  # noqa: F401
from test_status_crash import verify
from world import Refused, make_csr


def adopt_one(house, name, key=None):
    """A certificate whose client was never answered; the id that it was stored under."""
    token = house.open_session()
    before = {i["id"] for i in house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]}
    house.stop()
    house.start(CHANCERY_FAULT="factory.after-sign@1=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / f"adopt-{name}"))
    csr = make_csr(None, sans=[f"{name}.example.org"])[0]
    with pytest.raises((Refused, OSError)):
        house.issue(token, csr, key=key)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            now = house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]
            found = [i["id"] for i in now if i["id"] not in before]
            if found:
                return token, csr, found[0]
        except (OSError, Refused):
            pass
        time.sleep(0.2)
    raise AssertionError(house.log.read_text()[-2000:])


def until_state(house, number, state, seconds=150):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if status(house, number)["state"] == state:
                return state
        except (OSError, Refused):
            pass
        time.sleep(0.3)
    return status(house, number)["state"]


def test_what_nobody_claims_is_revoked(desk, scratch):  # noqa: F811
    """And what its client has asked for again is not."""
    house = desk
    anna, ben = house.officers["anna"], house.officers["ben"]
    token, csr, claimed = adopt_one(house, "claimed", key="claim me")
    assert house.issue(token, csr, key="claim me")["id"] == claimed
    _, _, lost = adopt_one(house, "lost", key="never again")
    made = house.act("revocation-policy.create", {"name": "Soon", "unclaimed_after": "PT1S"}, anna, ben)["result"]["id"]
    try:
        house.stop()
        house.start()  # the job runs when it starts
        assert until_state(house, lost, "revoked") == "revoked"
        assert status(house, lost)["reason"] == "cessation-of-operation"
        assert status(house, claimed) == {"state": "valid"}
        assert list(history(house, lost)[0]["by"]) == ["adopted"]
        verify(house, scratch)
        # killed between, it is done once
        _, _, third = adopt_one(house, "third")
        house.stop()
        house.start(CHANCERY_FAULT="factory.before-unclaimed@1=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / "unclaimed"))
        assert until_state(house, third, "revoked") == "revoked" and len(history(house, third)) == 1
        verify(house, scratch)
    finally:
        house.stop()
        house.start()
        body = house.call("GET", f"/api/v1/documents/revocation-policy/{made}", officer=anna)["body"]
        house.act("revocation-policy.modify", dict(body, state="closed"), anna, ben, obj=made)
