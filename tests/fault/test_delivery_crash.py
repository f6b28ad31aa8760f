"""Processes die at every step of a delivery, destinations go away and come back: nothing is lost, nothing comes in another order, and
issuing goes on."""
import os
import signal
import time

import pytest

import targets
from publishing import open_desk, stored_serial
from world import Refused, make_csr, or_killed

FACTORY = ["factory.before-signature", "factory.after-signature", "outbox.before-send", "outbox.after-send", "outbox.before-outcome"]
DISTRIBUTOR = ["distributor.before-delivery", "distributor.before-http", "distributor.after-http", "distributor.before-rename",
               "distributor.after-delivery"]


@pytest.fixture(scope="module")
def authority():
    return targets.Authority()


@pytest.fixture(scope="module")
def web(module_scratch, authority):
    w = targets.Web(targets.free_folder(module_scratch / "web"), authority)
    try:
        yield w
    finally:
        w.stop()


@pytest.fixture(scope="module")
def desk(module_scratch, web, authority):
    d = open_desk(module_scratch)
    try:
        d.rule("Web", protocol="http", address=web.url, path="/open/{serial}.cer", trust=authority.trust, timeout_seconds=3)
        d.file_rule("Files", d.public)
        d.procedure("Both", "Web", "Files")
        d.procedure("Web", "Web")
        d.document("certificate-procedure", name="Published", authority="Issuing CA", format="TLS server", key_usage=["digitalSignature"],
                   extended_key_usage=["serverAuth"], validity="P90D", distribution_rules=["Web", "Files"])
        d.document("token-procedure", name="Published", storage_profile="pkcs10", issuer_certificates="none",
                   certificate_procedures=["Published"])
        yield d
    finally:
        d.house.stop()


def restart(desk, **env):
    desk.house.stop()
    mark = len(desk.house.log.read_text())
    desk.house.start(**env)
    return mark


def everywhere(desk, web, der):
    name = f"{stored_serial(der)}.cer"
    return (web.root / "open" / name).read_bytes() == der and (desk.public / name).read_bytes() == der


def patient(call):
    end = time.monotonic() + 60
    while True:
        try:
            return call()
        except (OSError, Refused) as e:
            assert not isinstance(e, Refused) or e.status in (409, 502, 503, 504), e
            assert time.monotonic() < end
            time.sleep(0.2)


@pytest.mark.parametrize("point", FACTORY + DISTRIBUTOR)
def test_killed_on_the_way(desk, web, point):
    """Killed once at the point: the certificate arrives at both destinations all the same, and each delivery ends once."""
    number, der = desk.certificate()
    request = desk.house.prepare(desk.rosa, "certificate.publish", {"publication_procedure": "Both", "certificates": [number]})
    once = desk.public / ("once-" + point)  # where the distributor may write
    mark = restart(desk, CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(once))
    try:
        def signed():
            if desk.house.call("GET", f"/api/v1/requests/{request['id']}", officer=desk.rosa)["state"] == "prepared":
                desk.house.bring(desk.rosa, request, desk.rosa)
            return True
        patient(signed)
        found = patient(lambda: desk.wait(number))
        desk.house.wait_killed(mark)
        assert {d["state"] for d in found.values()} == {"done"} and len(found) == 2
        assert everywhere(desk, web, der)
        assert not [p for p in desk.public.iterdir() if p.name.startswith(".")], "the second try takes the first one's place"
    finally:
        restart(desk)


def test_with_the_certificate_or_not_at_all(desk, web):
    """Rows of the outbox are in the certificate's own commit, also where it is adopted from the signer's journal."""
    for point in ("factory.after-sign", "store.before-commit", "store.after-commit"):
        mark = restart(desk, CHANCERY_FAULT=f"{point}@6=kill", CHANCERY_FAULT_ONCE=str(desk.house.dir / f"issue-{point}"))
        token, made = patient(lambda: desk.house.open_session(procedures=["Published"])), []
        for i in range(8):
            csr = make_csr(None, sans=[f"{point}-{i}.example.org"])[0]
            made.append(patient(lambda c=csr, k=f"{point}-{i}": desk.house.issue(token, c, procedure="Published", key=k))["id"])
        desk.house.wait_killed(mark)
        for number in made:
            assert {d["state"] for d in patient(lambda n=number: desk.wait(n)).values()} == {"done"}
            assert len(desk.deliveries(certificate=number)) == 2, "no more, no fewer"
    restart(desk)


def test_a_destination_is_away_under_load(desk, web):
    """Issuing goes on at its pace, everything waits in the queue, the other destination is served, and when it is back nothing is
    missing. rows=CM-P-22"""
    token = desk.house.open_session(procedures=["Published"])
    web.stop()
    away, made = time.monotonic(), []
    for i in range(150):
        made.append(desk.house.issue(token, make_csr(None, sans=[f"load{i}.example.org"])[0], procedure="Published")["id"])
    state = desk.wait_until(lambda: next((d for d in desk.house.call("GET", "/api/v1/destinations", officer=desk.anna)["items"]
                                          if d["name"] == "Web" and d["failing_since"] and d["waiting"] >= 150), None))
    assert state["error"].startswith("CHY-1904 ") and state["dead"] == 0
    desk.wait_until(lambda: all(d["state"] == "done" for n in made for d in desk.deliveries(certificate=n)
                                if d["destination"]["name"] == "Files"), 60)
    waiting = desk.deliveries(state="waiting")
    tried = sum(d["attempts"] for d in waiting)  # some at once when it went, then one each second
    assert tried < 60 + time.monotonic() - away, "they are not all tried again and again: the destination rests"
    web.start()
    for number in made:
        assert desk.wait(number, 60)["Web"]["state"] == "done"
    state = next(d for d in desk.house.call("GET", "/api/v1/destinations", officer=desk.anna)["items"] if d["name"] == "Web")
    assert state["waiting"] == 0 and state["failing_since"] is None and state["error"] is None


def test_a_slow_destination_slows_nobody(desk, web, authority, module_scratch):
    """One that takes a connection and says nothing holds up its own lane alone."""
    slow = targets.Web(targets.free_folder(module_scratch / "slow"), authority)
    slow.process.send_signal(signal.SIGSTOP)
    try:
        for pid in open(f"/proc/{slow.process.pid}/task/{slow.process.pid}/children").read().split():
            os.kill(int(pid), signal.SIGSTOP)
        desk.rule("Slow", protocol="http", address=slow.url, path="/open/{serial}.cer", trust=authority.trust, timeout_seconds=5)
        desk.procedure("Slow and quick", "Slow", "Files")
        made = [desk.certificate() for _ in range(20)]
        desk.publish("Slow and quick", *[n for n, _ in made])
        desk.wait_until(lambda: all(d["state"] == "done" for n, _ in made for d in desk.deliveries(certificate=n)
                                    if d["destination"]["name"] == "Files"))
        assert any(d["state"] == "waiting" for n, _ in made for d in desk.deliveries(certificate=n))
        more, _ = desk.certificate()
        assert more, "and certificates are issued"
        for pid in open(f"/proc/{slow.process.pid}/task/{slow.process.pid}/children").read().split():
            os.kill(int(pid), signal.SIGCONT)
        slow.process.send_signal(signal.SIGCONT)
        for number, _ in made:
            assert desk.wait(number, 60)["Slow"]["state"] == "done"
    finally:
        slow.stop()


def test_the_store_is_away_while_deliveries_are_loaded(desk, web):
    """Nothing was tried, so nothing is dead and no destination rests: they go out a moment later, with no failure told."""
    mark = restart(desk, CHANCERY_FAULT="outbox.load@1=fail,outbox.load@3=fail")
    number, der = desk.certificate()
    desk.publish("Both", number)
    found = desk.wait(number)
    assert {(d["state"], d["attempts"], d["error"]) for d in found.values()} == {("done", 0, None)} and everywhere(desk, web, der)
    log = desk.house.call("GET", f"/api/v1/log?object={number}&limit=100", officer=desk.anna)["items"]
    assert [i["outcome"] for i in log if i["kind"] == "delivery"] == ["done", "done"]
    assert "outbox.failed" not in desk.house.log.read_text()[mark:]
    restart(desk)


def test_order_of_one_object(desk, web):
    """Published and unpublished again and again while the destination is away: what was said last is what is there."""
    number, der = desk.certificate()
    path = web.root / "open" / f"{stored_serial(der)}.cer"
    web.stop()
    for i in range(5):
        desk.publish("Web", number, act="certificate.publish" if i % 2 == 0 else "certificate.unpublish")
    web.start()
    desk.wait(number, 60)
    done = [d for d in desk.deliveries(certificate=number) if d["destination"]["name"] == "Web"]
    assert [d["removal"] for d in done] == [False, True, False, True, False] and path.read_bytes() == der
    assert [d["changed_at"] for d in done] == sorted(d["changed_at"] for d in done)


def test_a_distributor_that_cannot_start_stops_nothing(desk):
    """Certificates are issued, deliveries wait, and go out when it can."""
    key = desk.house.dir / "distributor" / "key"
    key.parent.mkdir(exist_ok=True)
    key.write_bytes(b"x" * 32)
    key.chmod(0o666)
    mark = restart(desk)
    number, _ = desk.certificate()
    desk.publish("Both", number)
    desk.wait_until(lambda: "CHY-1857" in desk.house.log.read_text()[mark:], 60)
    # until it ends each new one is taken for one that works
    desk.wait_until(lambda: desk.house.call("GET", "/api/v1/destinations", officer=desk.anna)["distributor"] is False)
    assert {d["state"] for d in desk.deliveries(certificate=number)} == {"waiting"}
    key.chmod(0o600)
    assert {d["state"] for d in desk.wait(number).values()} == {"done"}


@pytest.mark.parametrize("point", ["crl.signed", "crl.in-force", "outbox.before-send", "outbox.after-send", "outbox.before-outcome"])
def test_a_list_killed_on_the_way(desk, web, point):
    """A new revocation list arrives at both destinations, and no list is left out. rows=CM-A-18,CM-A-19"""
    name = point.replace(".", "-")
    rules = ["Web lists", "File lists"]
    if point == "crl.signed":
        desk.rule(rules[0], protocol="http", address=web.url, path="/open/{crl}", trust=desk_trust(desk), timeout_seconds=3)
        desk.file_rule(rules[1], desk.public, "{crl}")
    mark = restart(desk, CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(desk.house.dir / ("list-" + point)))
    try:
        or_killed(lambda: desk.document("crl-procedure", name=name, authority="Issuing CA", interval="P1D", distribution_rules=rules,
                                        distribution_points=[f"http://127.0.0.1:{desk.house.plain_port}/crl/{name}.crl"]))
        served = lambda: patient(lambda: desk.house.raw("GET", f"/crl/{name}.crl"))  # noqa: E731
        desk.wait_until(lambda: served()[0] == 200, 60)
        der = served()[2]
        read = lambda p: p.read_bytes() if p.exists() else b""  # noqa: E731
        desk.wait_until(lambda: read(web.root / "open" / f"{name}.crl") == der and read(desk.public / f"{name}.crl") == der, 60)
        desk.house.wait_killed(mark, within=30)  # it is delivered before the job is at outbox.before-outcome
        desk.wait_until(lambda: patient(lambda: not desk.deliveries(state="waiting")), 60)
    finally:
        restart(desk)


def desk_trust(desk):
    rules = desk.house.call("GET", "/api/v1/documents/distribution-rule", officer=desk.anna)["items"]
    return next(d["body"]["trust"] for d in rules if d["body"]["name"] == "Web")
