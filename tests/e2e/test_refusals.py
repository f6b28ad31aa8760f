"""Who is refused, by what word, and what of it is written down."""
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
