"""A status node gets its responder's certificate whoever is killed on the way: the node itself or the issuing server."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import test_ocsp as t  # noqa: E402
import world  # noqa: E402
from fixtures import postgres  # noqa: E402
from test_ocsp_crash import answers, is_good, verify  # noqa: E402
from test_status_node import Node  # noqa: E402

NODE, ISSUING = ["node.before-wish", "node.after-wish"], ["ocsp.before-sign-responder", "ocsp.after-sign-responder"]


def admitted(house, node):
    house.act("status-node.create", {"name": "Node", "key_sha256": node.key()}, house.officers["anna"], house.officers["ben"])


@pytest.mark.parametrize("point", NODE + ISSUING)
def test_killed_on_the_way(scratch, point):
    with postgres() as (url, _, _):
        house, node = world.World(scratch / "house", store=url), Node(scratch / "node", url)
        once = {"CHANCERY_FAULT": f"{point}@1=kill", "CHANCERY_FAULT_ONCE": str(scratch / "once")}
        try:
            house.start().make_officers().make_ca()
            house.token = house.open_session()
            house.ca = t.answer_by(house)
            if point in ISSUING:  # the next one that it makes is the node's
                house.stop()
                house.start(**once)
            killed = house if point in ISSUING else node
            node.launch(**once if point in NODE else {})
            admitted(house, node)
            t.until(lambda: "signal=9" in killed.log.read_text(), killed, wait=60)
            node.wait_ready(60)
            house.wait_ready()
            _, cert = t.issue(house)
            t.until(lambda: is_good(answers_by(node, house, cert)), node)
            verify(house, scratch)
        finally:
            node.stop()
            house.stop()


def answers_by(node, house, cert):
    node.ca = house.ca
    return answers(node, cert, nonce=b"12345678")
