"""What is asked of the request log while a leaf gets its place in the tree, on both databases."""
import threading
import time

import pytest

from world import Refused, until

ROUNDS = 8  # the job reads the log each second too and would hide what a question misses


def refused(house):
    with pytest.raises(Refused, match="CHY-1601"):
        house.call("GET", "/api/v1/log", officer=house.officers["rosa"])


def test_a_leaf_that_gets_its_place_while_the_log_is_read(house):
    """Between reading what waits and what has a place the leaf of a refusal changes from the one to the other: it is in the answer,
    once. rows=CM-O-24"""
    path = f"/api/v1/log?failed=true&limit=1000&officer={house.officers['rosa'].id}"
    held = house.dir / "signer" / "log-order"
    house.stop()
    house.start(CHANCERY_FAULT="factory.log-read-waiting=wait", CHANCERY_FAULT_ONCE=str(held))
    house.wait_ready()
    found = []
    for i in range(ROUNDS):
        answers = []
        refused(house)
        thread = threading.Thread(target=lambda: answers.append(house.call("GET", path, officer=house.officers["anna"])))
        try:
            thread.start()
            until(held.exists, 60, "the question did not come by")
            time.sleep(0.4)  # places are given each quarter of a second
        finally:
            held.unlink(missing_ok=True)
            thread.join(60)
        found.append(len(answers[0]["items"]))
        assert len({item["id"] for item in answers[0]["items"]}) == found[-1]
    assert found == list(range(1, ROUNDS + 1))
