"""Signed requests when something is in their way: what is done stays done, what competes is judged one after the other."""
import subprocess
import time

import world
from world import Refused

TLS = {"storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


def verify(house, scratch):
    house.wait_sequenced()
    (scratch / "export.jsonl").write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file",
                           scratch / "export.jsonl"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def restarted(house, **env):
    house.stop()
    house.start(**env)


def in_force(house, kind, name):
    """Does the policy know it?"""
    return name in [d["body"]["name"] for d in house.call("GET", f"/api/v1/documents/{kind}", officer=house.officers["anna"])["items"]]


def until(what, seconds=15):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.1)
    assert what()


def test_what_is_done_stays_done_when_the_policy_cannot_be_read(sqlite_house, scratch):
    """The effect is committed: neither the officer nor the request is told otherwise, and the policy follows by itself."""
    house, (anna, ben) = sqlite_house, (sqlite_house.officers[o] for o in ("anna", "ben"))
    restarted(house, CHANCERY_FAULT="factory.load-after-act=fail")
    try:
        plain = house.act("token-procedure.create", dict(TLS, name="Read late"), anna, ben)
        worked = house.act("ca-key.create", {"name": "Read late", "algorithm": "p-256", "place": "software"}, anna, ben)
        assert house.log.read_text().count("policy.not-in-force") >= 2
        until(lambda: in_force(house, "token-procedure", "Read late") and in_force(house, "ca-key", "Read late"))
        for made in (plain, worked):
            assert made["state"] == "done"
            assert house.call("GET", f"/api/v1/requests/{made['id']}", officer=anna)["state"] == "done"
        verify(house, scratch)
    finally:
        restarted(house)
