"""Officers whose certificates expire: who is expired is gone, who is warned, who has a new one."""
import base64
import time

import pytest
from cryptography import x509

import world
from world import Refused, make_csr

DAY = 86400
ADMIN = ["use-awb", "officer-tasks", "profile-tasks", "policy-tasks"]


def short_certificate(house, name, by, days=1):
    """An officer's files with a certificate of that few days, and its number; no document."""
    csr, key = make_csr(name)
    done = house.act("certificate.issue", {
        "token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode()}],
        "validity": {"not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * DAY))}}, by)
    item = done["result"]["certificates"][0]
    cert = x509.load_der_x509_certificate(base64.b64decode(item["der"]))
    return world.Officer(house.keys, f"{name} {cert.serial_number}", key, cert), item["certificate"]


def short_officer(house, name, profile, days=1):
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    officer, certificate = short_certificate(house, name, rosa, days)
    made = house.act("officer.create", {"name": name, "profile": profile, "certificate": certificate,
                                        "certificate_sha256": officer.sha256()}, anna, ben)
    officer.id = made["result"]["id"]
    return officer


def document(house, name, by):
    return next(d for d in house.call("GET", "/api/v1/documents/officer", officer=by)["items"] if d["body"]["name"] == name)


@pytest.fixture
def own(scratch):
    house = world.World(scratch / "house")
    house.start().make_officers()
    yield house
    house.stop()


def later(house, days):
    house.stop()
    house.start(CHANCERY_CLOCK_OFFSET_MS=str(days * DAY * 1000))


def test_who_is_expired_is_gone(own):
    """Beside an administrator whose certificate has expired the last two stay two; with one who has renewed it they may be fewer.
    rows=CM-O-29"""
    anna, ben = own.officers["anna"], own.officers["ben"]
    short_officer(own, "Short Admin", "Administration officer")
    bens = document(own, "Ben Admin", anna)
    closing = ("officer.modify", dict(bens["body"], state="closed"))
    own.prepare(anna, *closing, obj=bens["id"])  # as long as there is a third one

    own.act("officer-profile.create", {"name": "Boss", "entity_type": "subject", "roles": ADMIN + ["use-clients", "issue-certificate"]},
            anna, ben)
    vera = short_officer(own, "Vera Victim", "Boss")
    later(own, 2)
    revoking = ("certificate.revoke", {"certificates": [{"certificate": bens["body"]["certificate"]}], "reason": "superseded"})
    for act, body, obj in ((*closing, bens["id"]), (*revoking, None)):
        with pytest.raises(Refused) as e:
            own.act(act, body, *((anna, ben) if obj else (own.officers["rosa"],)), obj=obj)
        assert (e.value.status, e.value.code) == (409, "CHY-1619"), (act, e.value)

    # back to when hers was valid: she has a new one, which stands for her beyond the end of the bound one
    later(own, 0)
    newer = own.new_certificate("Vera Victim", vera)
    later(own, 2)
    with pytest.raises(Refused) as e:
        own.call("GET", "/api/v1/whoami", officer=vera)
    assert e.value.code == "CHY-1606"
    assert own.call("GET", "/api/v1/whoami", officer=newer)["officer"] == vera.id
    assert own.act(*closing, anna, newer, obj=bens["id"])["state"] == "done"
