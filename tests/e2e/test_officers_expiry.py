"""Officers whose certificates expire: who is expired is gone, who is warned, who has a new one."""
import base64
import os
import re
import subprocess
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


CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("CHANCERY_") or k in ("CHANCERY_BUILD", "CHANCERY_SOURCE")}


def pkcs12(house, officer, path):
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", officer.key_file, "-in", officer.cert_file, "-out", path,
                    "-passout", "pass:4711 secret"], check=True, capture_output=True)
    (path.parent / "pin").write_text("4711 secret\n")
    return path


def cli(house, scratch, *args, who=None, days=0, code=0):
    command = [world.CHANCERY, *map(str, args)] + (["--officer", who, "--pin-file", "pin"] if who else [])
    done = subprocess.run(command, capture_output=True, text=True, cwd=scratch, timeout=60, stdin=subprocess.DEVNULL, check=False,
                          env=dict(CLEAN, HOME=str(scratch), CHANCERY_SERVER=f"https://localhost:{house.tls_port}",
                                   CHANCERY_CA=str(house.dir / "root.pem"), CHANCERY_CLOCK_OFFSET_MS=str(days * DAY * 1000)))
    assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def figure(house, name):
    text = house.raw("GET", "/metrics")[2].decode()
    return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])


def until(house, condition):
    """What the job has seen: it looks once a second."""
    for _ in range(100):
        seen = house.call("GET", "/api/v1/status")["officers"]
        if condition(seen):
            return seen
        time.sleep(0.1)
    raise AssertionError(seen)


def test_the_end_is_told_ahead(own, scratch):
    """Ninety days before the end of an officer's last certificate, and louder where the last pair ends with it."""
    anna = own.officers["anna"]
    annas = pkcs12(own, anna, scratch / "anna.p12")
    end = anna.cert.not_valid_after.strftime("%Y-%m-%dT%H:%M:%S")
    seen = until(own, lambda o: o["pair_until"])
    assert (seen["ending"], seen["ended"], seen["pair_ends"]) == (0, 0, False)
    assert cli(own, scratch, "whoami", who=annas).stderr == ""
    assert end in cli(own, scratch, "officer", "list", who=annas).stdout
    short = short_officer(own, "Short Admin", "Administration officer", days=5)

    later(own, 4)  # hers only: two others are left
    seen = until(own, lambda o: o["ending"])
    assert (seen["ending"], seen["ended"], seen["pair_ends"]) == (1, 0, False)
    assert cli(own, scratch, "status", who=annas, days=4).stderr == ""
    warned = cli(own, scratch, "whoami", who=pkcs12(own, short, scratch / "short.p12"), days=4).stderr
    assert warned.count("\n") == 1 and "chancery officer renew" in warned and "CN=Short Admin" in warned

    later(own, 1010)
    seen = until(own, lambda o: o["ending"])
    assert (seen["ending"], seen["ended"], seen["pair_ends"]) == (3, 1, True) and seen["pair_until"].startswith(end[:10])
    assert [figure(own, f"chancery_officers_{x}") for x in ("ending", "ended", "pair_ends")] == [3, 1, 1]
    assert "ATTENTION" in cli(own, scratch, "status", who=annas, days=1010).stderr
    shown = cli(own, scratch, "officer", "list", who=annas, days=1010).stdout
    assert end in shown and "expired" in shown
    assert end in cli(own, scratch, "officer", "show", "Anna Admin", who=annas, days=1010).stdout
    assert "no certificate acts" in cli(own, scratch, "officer", "show", "Short Admin", who=annas, days=1010).stdout
    told = own.log.read_text()
    assert told.count("officers.last-pair-ends") == 1
    assert sorted(re.findall(r"officer.certificate-ends.*?(Anna|Ben|Rosa|Short)", told)) == ["Anna", "Ben", "Rosa", "Short"]
    assert cli(own, scratch, "whoami", "--json", who=annas, days=1010).stderr == ""

    later(own, 1200)  # too late
    seen = until(own, lambda o: o["ended"] == 4)
    assert seen == {"ending": 0, "ended": 4, "pair_until": None, "pair_ends": True}
    assert "fewer than two" in cli(own, scratch, "status", days=1200).stderr
