"""Who is refused, by what word, and what of it is written down."""
import base64
import json
import sqlite3
import threading
import time

import pytest

from world import Refused, make_csr

NO_PROCEDURE = "No such procedure"


def refusals(house):
    house.wait_sequenced()
    lines = [json.loads(line) for line in house.export().splitlines()]
    bodies = [line["body"] for line in lines if line["type"] == "leaf"]
    return [b for b in (json.loads(b) if isinstance(b, str) else b for b in bodies) if b["kind"] == "refusal"]


def with_one_event_thread(house):
    house.stop()
    ini = house.dir / "chancery.ini"
    text = ini.read_text()
    if "threads = 1\n" not in text:
        ini.write_text(text.replace("[listener]\n", "[listener]\nthreads = 1\n"))
    house.start()


def test_a_refusal_holds_up_nobody(sqlite_house):
    """While the disk is slow, the refused one waits for the leaf, and the one event thread serves the others."""
    house = sqlite_house
    with_one_event_thread(house)
    token, ended = house.open_session(), []

    def refused():
        with pytest.raises(Refused) as e:
            house.issue(token, make_csr(None, sans=["slow.example.org"])[0], procedure=NO_PROCEDURE)
        ended.append(e.value)

    before = len(refusals(house))
    slow = sqlite3.connect(house.dir / "chancery.db", isolation_level=None)
    slow.execute("BEGIN IMMEDIATE")
    client = threading.Thread(target=refused)
    client.start()
    try:
        time.sleep(0.5)
        begun = time.monotonic()
        for _ in range(5):
            assert house.raw("GET", "/healthz")[0] == 200
        assert time.monotonic() - begun < 1
        assert not ended, "the answer waits until the leaf is durable"
    finally:
        slow.execute("ROLLBACK")
        slow.close()
        client.join()
    assert ended[0].status == 404, ended
    leaves = refusals(house)[before:]
    assert [leaf["rule"] for leaf in leaves] == ["token-procedure"], leaves


def test_signing_time(sqlite_house):
    """A signature of the future, or of before the request, does not count, and the text says what to do. rows=CM-O-21"""
    house, rosa = sqlite_house, sqlite_house.officers["rosa"]
    body = {"token_procedure": "TLS server",
            "requests": [{"csr": base64.b64encode(make_csr(None, sans=["time.example.org"])[0]).decode(), "name": "time"}]}
    request, now, before = house.prepare(rosa, "certificate.issue", body), time.time(), len(refusals(house))
    content = base64.b64decode(request["to_sign"])
    bring = lambda at: house.call("POST", f"/api/v1/requests/{request['id']}/signatures",  # noqa: E731
                                  {"signatures": [base64.b64encode(rosa.sign(content, at=at)).decode()]}, rosa)
    for at in (now + 400, now - 400, now - 86400):
        with pytest.raises(Refused) as e:
            bring(at)
        assert (e.value.status, e.value.code) == (403, "CHY-1620"), e.value
        assert "set the clock" in e.value.problem["detail"]
    assert [leaf["code"] for leaf in refusals(house)[before:]] == [1620] * 3
    assert bring(now + 200)["state"] == "done", "clocks may differ a little"


UNREADABLE = [b"", b"{", b'{"act":"\xff"}', b'{"act":1,"act":2}', b"[]", b'{"requests":"' + b"x" * 5000 + b'\n"}', b'{"\xc3\xa9\xc3": 1}']


def test_what_cannot_be_read_is_written_down(sqlite_house):
    """Of an officer and of a session, whatever they sent; of a stranger nothing. rows=CM-O-08"""
    house, rosa, token = sqlite_house, sqlite_house.officers["rosa"], sqlite_house.open_session()
    before, expected = len(refusals(house)), []
    for body in UNREADABLE[1:]:
        for path, who, act, by in (
                ("/api/v1/requests", {"officer": rosa}, "unknown", {"officer": rosa.id}),
                ("/api/v1/requests/7/signatures", {"officer": rosa}, "unknown", {"officer": rosa.id}),
                ("/api/v1/certificates", {"token": token}, "certificate.issue", None)):
            with pytest.raises(Refused) as e:
                house.call("POST", path, body, headers={"Content-Type": "application/json"}, **who)
            assert e.value.status in (400, 422), (path, body, e.value)
            expected.append((act, by, int(e.value.code[4:])))
            with pytest.raises(Refused) as e:
                house.call("POST", path, body, headers={"Content-Type": "application/json"}, tls=True)
            assert e.value.status == 401, (path, body, e.value)
            with pytest.raises(Refused) as e:
                house.call("POST", path, body, headers={"Content-Type": "application/json"}, token="A" * 43)
            assert e.value.status == 401, (path, body, e.value)
    got = refusals(house)[before:]
    assert [leaf["code"] for leaf in got] == [code for _, _, code in expected]
    for leaf, (act, by, _) in zip(got, expected):
        assert leaf["act"] == act and (leaf["by"] == by if by else leaf["by"]["session"] > 0), leaf
        assert 0 < len(leaf["text"].encode()) <= 320 and len(leaf["field"]) <= 96


def test_signatures_for_no_request(sqlite_house):
    """An officer who signs what is not there has tried it all the same. rows=CM-O-08"""
    house, rosa = sqlite_house, sqlite_house.officers["rosa"]
    before = len(refusals(house))
    with pytest.raises(Refused) as e:
        house.call("POST", "/api/v1/requests/4711/signatures", {"signatures": [base64.b64encode(rosa.sign(b"{}")).decode()]}, rosa)
    assert e.value.status == 404, e.value
    got = refusals(house)[before:]
    assert [(leaf["by"], leaf["code"]) for leaf in got] == [({"officer": rosa.id}, 1460)]
