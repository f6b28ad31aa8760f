"""Who is refused over and over is held back: nothing that he asks is looked at for a while, and the journal does not grow by it."""
import json

import pytest

from test_officers import TLS
from world import Refused, make_csr


@pytest.fixture
def strict(house):
    """One refusal a minute: a second one is more than there are to spend."""
    house.stop()
    house.start(CHANCERY_LISTENER_REFUSALS_PER_MINUTE="1")
    yield house
    house.stop()
    house.start()


def refused(call, *args, **more):
    with pytest.raises(Refused) as e:
        call(*args, **more)
    return e.value.status, e.value.code


def journaled(house):
    house.wait_sequenced()
    leaves = (json.loads(line) for line in house.export().splitlines())
    return sum(json.loads(x["body"])["kind"] == "refusal" for x in leaves if x["type"] == "leaf")


def held_back(house):
    _, _, text = house.raw("GET", "/metrics")
    return next(int(line.split()[1]) for line in text.decode().splitlines() if line.startswith("chancery_http_held_back_total "))


def test_an_officer_who_is_refused_over_and_over(strict):
    house, rosa, anna = strict, strict.officers["rosa"], strict.officers["anna"]
    wrong = ("token-procedure.create", dict(TLS, name="Not hers"))
    before = journaled(house)
    for _ in range(2):
        assert refused(house.prepare, rosa, *wrong)[0] == 403
    once = journaled(house)
    assert once == before + 2
    for _ in range(10):
        assert refused(house.prepare, rosa, *wrong) == (429, "CHY-1830")
    assert refused(house.call, "GET", "/api/v1/requests", officer=rosa) == (429, "CHY-1830"), "whatever is asked"
    status, headers, _ = house.raw("POST", "/api/v1/requests", b"{" * 1000, {"Content-Type": "application/json"}, rosa)
    assert status == 429 and int(headers["Retry-After"]) >= 1
    assert journaled(house) == once, "nothing more is written down"
    assert held_back(house) == 12
    assert house.call("GET", "/api/v1/requests", officer=anna)["items"], "others go on"


def test_what_is_carried_out_gives_one_back(strict):
    """A client of whose many calls some are refused goes on."""
    house, anna = strict, strict.officers["anna"]
    for i in range(5):
        assert refused(house.prepare, anna, "token-procedure.create", dict(TLS, name="Nothing", certificate_procedures=["Nowhere"]))[0] == 404
        assert refused(house.prepare, anna, "token-procedure.create", {"name": 7})[0] == 400
        house.prepare(anna, "token-procedure.create", dict(TLS, name=f"Right {i}"))


def test_sessions_and_strangers(strict):
    """A session is held back by itself; tokens that nobody has are not looked for any more, while known ones go on."""
    house, rosa = strict, strict.officers["rosa"]
    token, other = house.open_session(), house.open_session()
    csr = make_csr(None, sans=["held-back.example.org"])[0]
    assert house.issue(token, csr)["id"] and house.issue(other, csr)["id"]  # both are in memory
    for _ in range(2):
        assert refused(house.issue, token, make_csr("no names")[0])[0] == 403
    assert refused(house.issue, token, csr) == (429, "CHY-1830")
    for _ in range(2):
        assert refused(house.issue, "x" * 43, csr) == (401, "CHY-1829")
    for i in range(5):
        assert refused(house.issue, f"{i}" * 43, csr) == (429, "CHY-1830")
    assert house.issue(other, csr)["id"], "from the same address"
    assert house.call("GET", "/api/v1/requests", officer=rosa)["items"] is not None
