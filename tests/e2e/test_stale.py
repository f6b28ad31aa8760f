"""What was prepared must be signed soon, and its signature is good for nothing else."""
import base64
import json

import pytest

from test_bad_input import TLS
from world import Refused


def leaves_of(house, kind):
    house.wait_sequenced()
    lines = [json.loads(line) for line in house.export().splitlines()]
    bodies = [line["body"] for line in lines if line["type"] == "leaf"]
    return [b for b in (json.loads(b) if isinstance(b, str) else b for b in bodies) if b["kind"] == kind]


def test_replayed_signature_of_another_request(sqlite_house):
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    one, two = (house.prepare(anna, "token-procedure.create", dict(TLS, name="Replay")) for _ in range(2))
    used = [base64.b64encode(o.sign(base64.b64decode(one["to_sign"]))).decode() for o in (anna, ben)]
    before = len(leaves_of(house, "refusal"))
    with pytest.raises(Refused) as e:
        house.call("POST", f"/api/v1/requests/{two['id']}/signatures", {"signatures": used}, anna)
    assert (e.value.status, e.value.code) == (403, "CHY-1720")
    assert [leaf["code"] for leaf in leaves_of(house, "refusal")[before:]] == [1720]
    path = f"/api/v1/requests/{one['id']}/signatures"
    assert house.call("POST", path, {"signatures": used}, anna)["state"] == "done"
    with pytest.raises(Refused) as e:
        house.call("POST", path, {"signatures": used}, anna)
    assert e.value.status == 409, "what is done is not done again"
    assert house.call("GET", f"/api/v1/requests/{two['id']}", officer=anna)["state"] == "prepared"


def test_stale_request(sqlite_house):
    """A request of an hour ago, with good signatures, comes too late: void, and a refusal in the journal."""
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    request = house.prepare(anna, "token-procedure.create", dict(TLS, name="Stale"))
    before = len(leaves_of(house, "refusal"))
    house.stop()
    house.start(CHANCERY_CLOCK_OFFSET_MS=str(3600 * 1000))
    try:
        with pytest.raises(Refused) as e:
            house.bring(anna, request, anna, ben)
        assert e.value.status == 409 and e.value.code in ("CHY-1610", "CHY-1611"), e.value
        assert house.call("GET", f"/api/v1/requests/{request['id']}", officer=anna)["state"] == "expired"
        assert len(leaves_of(house, "refusal")) == before + 1
        names = [d["name"] for d in house.call("GET", "/api/v1/documents/token-procedure", officer=anna)["items"]]
        assert "Stale" not in names
    finally:
        house.stop()
        house.start()
