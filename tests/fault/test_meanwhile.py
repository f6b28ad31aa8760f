"""Who reads twice, and what changes in between: the reader is held at a point (`wait`), something is done, and it is let go on."""
import contextlib
import datetime
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import world  # noqa: E402
from publishing import Desk, stored_serial  # noqa: E402
from test_crl import build, change, issue, make_desk, number, procedure, reasons, wait_for  # noqa: E402
from test_delivery_crash import authority, web  # noqa: E402,F401 (fixtures)
from test_removal import DAY_MS, remove, verify  # noqa: E402
from world import Refused, make_csr, until  # noqa: E402


@pytest.fixture(scope="module")
def desk(sqlite_house):
    return make_desk(sqlite_house)


@contextlib.contextmanager
def held_at(house, point, also="", **env):
    """In a server that stops once at the point (name@passage): the function that waits until it stands there. It goes on at the end of the
    block, and the server is an ordinary one again afterwards."""
    once = house.dir / "signer" / ("held-" + point)
    house.stop()
    house.start(CHANCERY_FAULT=f"{point}=wait{also}", CHANCERY_FAULT_ONCE=str(once), **env)
    house.wait_ready()

    def there():
        until(once.exists, 60, f"{point} was never reached")
        came.append(time.monotonic())
    came = []
    try:
        yield there
        assert time.monotonic() < came[0] + 50, "it went on by itself (src/base/fault.c), and shows nothing"
    finally:
        once.unlink(missing_ok=True)


def restart(house, **env):
    house.stop()
    house.start(**env)
    house.wait_ready()


class Asking(threading.Thread):
    """Asks in a thread of its own; `said` is the answer, or the exception."""

    def __init__(self, ask):
        super().__init__()
        self.ask, self.said = ask, None
        self.start()

    def run(self):
        try:
            self.said = self.ask()
        except (OSError, Refused) as e:
            self.said = e

    def answer(self):
        self.join(60)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


@pytest.mark.parametrize("delta", [True, False])
def test_a_status_changes_again_while_changes_are_read(desk, delta):
    """What was held after the complete list is revoked while the next one is made: it stands in that one, and once. rows=CM-A-19"""
    slug = f"again-{delta}".lower()
    name = slug + "-delta" * delta
    p = procedure(desk, slug, interval="P7D", delta_interval="P2D")
    there = issue(desk, slug + "-there")
    change(desk, "revoke", [there[0]])
    build(desk, p)
    wait_for(desk, slug, lambda c: there[1].serial_number in reasons(c))
    moved = issue(desk, slug + "-moved")
    change(desk, "hold", [moved[0]])
    before = number(wait_for(desk, name, lambda c: True))
    with held_at(desk, "crl.changes@1") as wait_there:
        desk.act("crl.build", {"crl_procedure": p, "delta": delta}, desk.officers["keeper"])
        wait_there()
        change(desk, "revoke", [moved[0]])
    crl = wait_for(desk, name, lambda c: number(c) > before, wait=40)
    assert reasons(crl).get(moved[1].serial_number) == "superseded"
    assert len(list(crl)) == len(reasons(crl))
    restart(desk)


def test_a_list_is_replaced_while_it_is_served(desk):
    """Who fetches it gets the new one, and no cache is told to keep an error. rows=CM-A-18"""
    p = procedure(desk, "served", interval="P7D")
    revoked = issue(desk, "served")
    change(desk, "revoke", [revoked[0]])
    build(desk, p)
    first = wait_for(desk, "served", lambda c: revoked[1].serial_number in reasons(c))
    second = issue(desk, "served-again")
    change(desk, "revoke", [second[0]])
    with held_at(desk, "crl.serving@1") as wait_there:
        asking = Asking(lambda: desk.raw("GET", "/crl/served.crl"))
        wait_there()
        build(desk, p)
        served = lambda: x509.load_der_x509_crl(desk.raw("GET", "/crl/served.crl")[2])  # noqa: E731
        until(lambda: number(served()) > number(first), 60, "no new list")
    status, headers, body = asking.answer()
    assert status == 200 and number(x509.load_der_x509_crl(body)) > number(first)
    assert f'"{number(x509.load_der_x509_crl(body))}-' in headers["ETag"] and "max-age" in headers["Cache-Control"]
    restart(desk)
    status, headers, _ = desk.raw("GET", "/crl/nowhere.crl")
    assert status == 404 and headers["Cache-Control"] == "no-store" and "ETag" not in headers


def test_a_certificate_is_removed_while_the_journal_is_exported(desk, scratch):
    """Its row stands in the export and its removal has no place yet: both are true. rows=CM-R-24"""
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    desk.first, desk.second = desk.officers["desk"], desk.make_officer("Second", "Status desk", anna, ben, issuer=rosa)
    old, cert = issue(desk, "exported")
    desk.wait_sequenced()
    left = (cert.not_valid_after - datetime.datetime.utcnow()).total_seconds()
    later = {"CHANCERY_CLOCK_OFFSET_MS": str(int(left * 1000) + 2 * DAY_MS)}
    with held_at(desk, "journal.exported-certificates@1", **later) as wait_there:
        asking = Asking(desk.export)
        wait_there()
        assert remove(desk, [old])["state"] == "done"
    (scratch / "journal.jsonl").write_bytes(asking.answer())
    assert b'"type":"removed"' in (scratch / "journal.jsonl").read_bytes()
    done = world.subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", scratch / "journal.jsonl"],
                                capture_output=True, text=True)
    assert done.returncode == 0, done
    verify(desk, scratch)
    restart(desk)


@pytest.fixture(scope="module")
def rules(desk, web, module_scratch):  # noqa: F811
    d = Desk(desk, module_scratch)
    d.rule("Web", protocol="http", address=web.url.replace("https", "http").replace(str(web.port), str(web.plain_port)),
           path="/open/{serial}.cer", timeout_seconds=20)
    d.procedure("Web", "Web")
    d.web = web
    return d


def signal_web(web, what):
    for pid in [web.process.pid, *Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text().split()]:
        os.kill(int(pid), what)


def test_a_delivery_ends_while_the_queue_is_read(rules):
    """It was found as waiting, and is at its destination when its turn comes: it does not go out again. rows=CM-P-22"""
    made, _ = rules.certificate()
    more, der = rules.certificate()
    with held_at(rules.house, "outbox.due@2") as wait_there:
        signal_web(rules.web, signal.SIGSTOP)
        try:
            rules.publish("Web", made)
            wait_there()
        finally:
            signal_web(rules.web, signal.SIGCONT)
        rules.wait(made)
    rules.publish("Web", more)
    rules.wait(more)
    put = lambda: [line.split()[1] for line in rules.web.seen() if line.startswith("PUT ")]  # noqa: E731
    last = f"/open/{stored_serial(der)}.cer"
    until(lambda: last in put(), 60, "the web server did not log it")
    assert len(put()) == 2 and put()[-1] == last, put()
    assert [d["state"] for d in rules.deliveries(certificate=made)] == ["done"]
    restart(rules.house)


def test_a_list_is_replaced_while_it_is_loaded_for_delivery(rules):
    """Nobody has dropped the older delivery for the newer one yet: it drops itself, and is not dead; the newer one arrives. rows=CM-A-18"""
    house = rules.house
    rules.rule("Lists", protocol="http", address=f"http://localhost:{rules.web.plain_port}", path="/open/{crl}", timeout_seconds=20)
    change(house, "revoke", [issue(house, "loaded")[0]])  # a list without an entry is whole by its row
    with held_at(house, "outbox.loading-list@1", also=",list.coalesce=fail") as wait_there:
        p = procedure(house, "loaded", interval="P7D", distribution_rules=["Lists"])
        first = wait_for(house, "loaded", lambda c: True)
        wait_there()
        build(house, p)
        crl = wait_for(house, "loaded", lambda c: number(c) > number(first))
    there = rules.web.root / "open" / "loaded.crl"
    until(lambda: there.exists() and number(x509.load_der_x509_crl(there.read_bytes())) == number(crl), 60, "it did not arrive")
    until(lambda: not rules.deliveries(state="waiting"), 60, "deliveries wait")
    log = house.call("GET", "/api/v1/log?limit=1000", officer=rules.anna)["items"]
    said = [i["outcome"] for i in log if i["kind"] == "delivery"]
    assert "dropped" in said and "dead" not in said, said
    restart(house)


def mend(rules, **more):
    found = [d for d in rules.house.call("GET", "/api/v1/documents/certificate-procedure", officer=rules.anna)["items"]
             if d["body"]["name"] == "Doubted"]
    rules.modify("certificate-procedure", found[0]["id"], **more)


def test_a_procedure_is_mended_while_its_last_version_is_judged(rules):
    """A certificate that another library does not take stops the version that it was issued by, and that one only."""
    rules.document("certificate-procedure", name="Doubted", authority="Issuing CA", format="TLS server", key_usage=["digitalSignature"],
                   extended_key_usage=["serverAuth"], validity="P90D")
    rules.document("token-procedure", name="Doubted", storage_profile="pkcs10", issuer_certificates="none", certificate_procedures=["Doubted"])
    token = rules.house.open_session(procedures=["Doubted"])
    made = iter(range(1000))

    def issue_one():
        return rules.house.issue(token, make_csr(None, sans=[f"doubted{next(made)}.example.org"])[0], procedure="Doubted")["id"]

    def is_stopped():
        try:
            issue_one()
        except Refused as e:
            assert e.code == "CHY-1556" and e.problem["cause"] == "CHY-1710", e.problem
            return True
        return False

    def wait_judged(certificate):
        path = f"/api/v1/certificates/{certificate}/explanation"
        until(lambda: rules.house.call("GET", path, officer=rules.rosa)["lints"]["state"] == "good", 60, "not judged")

    wait_judged(issue_one())  # and all before it: they are judged in their order
    with held_at(rules.house, "auditor.disagreed@1", also=",auditor.disagrees@1=fail") as wait_there:
        issue_one()
        wait_there()
        mend(rules, validity="P80D")
    wait_judged(issue_one())
    assert not is_stopped(), "the mended one was stopped"
    restart(rules.house, CHANCERY_FAULT="auditor.disagrees@1=fail")
    until(is_stopped, 60, "the procedure goes on")
    mend(rules, validity="P70D")
    assert not is_stopped()
    restart(rules.house)
