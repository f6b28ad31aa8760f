"""A token hangs while it makes keys: what does not need it goes on, and once it has ended each request has been carried out once."""
import base64
import os
import signal
import threading
import time

import pytest

import world
from fixtures import SoftHsm
from test_document_crash import rows_of
from world import Refused, make_csr


class SlowHsm(SoftHsm):
    """Makes keys only while its gate is open: tests/fault/slow_pkcs11.c."""

    def __init__(self, folder, gate):
        super().__init__(folder)
        self.gate = gate
        self.env["SLOW_PKCS11_GATE"] = str(gate)

    @property
    def module(self):
        return f"slow={world.BUILD}/tests/fault/slow_pkcs11.so,{self.pin_file}"


@pytest.fixture
def slow(scratch):
    hsm = SlowHsm(scratch / "hsm", scratch / "house/ca/signer/gate")  # where the signer's sandbox lets it look
    house = world.World(scratch / "house", modules=[hsm.module], env=hsm.env)
    house.slow, house.uri = hsm, hsm.token("slow")
    try:
        yield house.start().make_officers().make_ca()
    finally:
        hsm.gate.unlink(missing_ok=True)
        house.stop()


def state_of(house, request):
    return house.call("GET", f"/api/v1/requests/{request['id']}", officer=house.officers["anna"])["state"]


def bring_aside(house, request, signer):
    """The signature is brought by a thread: the call waits as long as the token."""
    def bring():
        try:
            house.bring(signer, request, signer)
        except (Refused, OSError):
            pass  # the request says what became of it
    t = threading.Thread(target=bring)
    t.start()
    return t


def wait_for(what, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if what():
                return True
        except (Refused, OSError):
            pass
        time.sleep(0.1)
    return False


def ask_for_keys(house, names):
    """Two officers have signed for keys in the token; their requests and the threads that wait for them."""
    anna, ben, requests = house.officers["anna"], house.officers["ben"], {}
    for name in names:
        requests[name] = house.prepare(anna, "ca-key.create", {"name": name, "algorithm": "p-256", "place": "pkcs11",
                                                               "pkcs11_uri": house.uri})
        house.bring(anna, requests[name], anna)
    threads = [bring_aside(house, r, ben) for r in requests.values()]
    for name, request in requests.items():
        assert wait_for(lambda: state_of(house, request) == "signed"), name  # noqa: B023
    return requests, threads


def others_go_on(house, slug, waiting=()):
    """What the signer and the factory do for others: a machine's certificate, an officer's, a key, an authority, the head. The
    first of officers' acts before any of those who wait for the token has given up."""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    assert house.issue(house.open_session(), make_csr(f"{slug}.example.org", sans=[f"{slug}.example.org"])[0])["certificate"]
    csr = base64.b64encode(make_csr(f"o-{slug}.example.org", sans=[f"o-{slug}.example.org"])[0]).decode()
    done = house.act("certificate.issue", {"token_procedure": "TLS server", "requests": [{"csr": csr, "name": slug}]}, rosa)
    assert done["state"] == "done" and "certificate" in done["result"]["certificates"][0]
    assert all(t.is_alive() for t in waiting), "one request waits for no other"
    key = house.act("ca-key.create", {"name": f"Soft {slug}", "algorithm": "p-256", "place": "software"}, anna, ben)
    assert key["state"] == "done"
    made = house.act("authority.create", {"name": f"CA {slug}", "type": "subordinate", "issuing_authority": "Root CA",
                                          "ca_key": f"Soft {slug}", "subject": f"CN=CA {slug},O=Test", "format": "CA certificate",
                                          "validity": "P5Y", "path_length": 0}, anna, ben)
    assert made["state"] == "done"
    house.wait_sequenced()


def each_was_done_once(house, scratch, requests):
    documents, _ = rows_of(house, scratch)
    keys = [d for d in documents if d["kind"] == "ca-key"]
    for name, request in requests.items():
        assert [d["version"] for d in keys if d["body"]["name"] == name] == [1]
        shown = house.call("GET", f"/api/v1/requests/{request['id']}", officer=house.officers["anna"])
        assert shown["result"]["id"] == [d["id"] for d in keys if d["body"]["name"] == name][0]
    # a public and a private object each, beside the token itself
    assert len(list((house.slow.folder / "tokens").rglob("*.object"))) == 1 + 2 * len(requests)


def test_others_go_on_while_a_token_hangs(slow, scratch):
    """rows=CM-I-21"""
    slow.slow.gate.touch()
    requests, threads = ask_for_keys(slow, ["Hung one", "Hung two"])
    others_go_on(slow, "meanwhile", threads)
    assert [state_of(slow, r) for r in requests.values()] == ["signed", "signed"], "they wait for the token"
    slow.slow.gate.unlink()
    for t in threads:
        t.join(60)
    for name, request in requests.items():
        assert wait_for(lambda: state_of(slow, request) == "done"), name  # noqa: B023
    each_was_done_once(slow, scratch, requests)


def test_a_key_on_its_way_is_not_made_twice(slow, scratch):
    """Who asks again, because the factory was killed meanwhile or its patience is over, does not get a second key."""
    slow.slow.gate.touch()
    requests, threads = ask_for_keys(slow, ["Hung"])
    (pid,) = slow.pids("chancery-factory")
    os.kill(pid, signal.SIGKILL)
    for t in threads:
        t.join(60)
    slow.wait_ready()
    others_go_on(slow, "again")
    assert state_of(slow, requests["Hung"]) == "signed"
    slow.slow.gate.unlink()
    assert wait_for(lambda: state_of(slow, requests["Hung"]) == "done")
    each_was_done_once(slow, scratch, requests)
