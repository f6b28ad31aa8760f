"""Processes die while the house starts: the parent starts them again until it is open, and never takes that for a refusal."""
import time

import pytest

from world import make_csr

POINTS = [f"{point}@{n}" for n in (1, 2, 3) for point in
          ("signer.after-read", "signer.after-sign", "signer.after-sync", "signer.after-answer", "store.before-commit", "store.after-commit")]


def died(house, mark):
    """Calls, each of which needs a signature for its TLS handshake, until a process has died."""
    until = time.monotonic() + 60
    while time.monotonic() < until and "signal=9" not in house.log.read_text()[mark:]:
        try:
            house.call("GET", "/api/v1/journal/head", officer=house.officers["anna"])
        except OSError:
            pass
        time.sleep(0.05)
    return "signal=9" in house.log.read_text()[mark:]


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_it_starts(house, point):
    token = house.open_session(maximum=10)
    house.issue(token, make_csr("starting.example.org", sans=["starting.example.org"])[0])
    house.kill_all()  # so that the next start has leaves to place and a head to have signed
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / ("start-" + point.replace(".", "-"))))
    try:
        assert died(house, mark), "the point was never reached"
        house.wait_ready()
        house.wait_sequenced(30)
        assert "signer.failed" not in house.log.read_text()[mark:]
    finally:
        house.stop()
        house.start()
