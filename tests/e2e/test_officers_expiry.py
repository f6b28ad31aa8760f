"""Officers whose certificates expire: who is expired is gone, who is warned, who has a new one."""
import base64
import json
import pathlib
import re
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import world
from cli import Cli
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




def pkcs12(house, officer, path):
    Cli(house, path.parent).add(path.stem, officer)
    return path


def cli(house, scratch, *args, who=None, days=0, code=0):
    who = who and pathlib.Path(who).stem
    return Cli(house, scratch).run(*args, who=who, code=code, CHANCERY_CLOCK_OFFSET_MS=str(days * DAY * 1000))


def figure(house, name):
    text = house.raw("GET", "/metrics")[2].decode()
    return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])


def until(house, condition, of="officers"):
    """What the job has seen: it looks once a second."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        seen = house.call("GET", "/api/v1/status")[of]
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

    assert "authorities" not in cli(own, scratch, "status", days=1010).stderr

    later(own, 1200)  # too late
    seen = until(own, lambda o: o["ended"] == 4)
    assert seen == {"ending": 0, "ended": 4, "pair_until": None, "pair_ends": True}
    assert "fewer than two" in cli(own, scratch, "status", days=1200).stderr


def verify(house, scratch):
    house.wait_sequenced()
    (scratch / "export.jsonl").write_bytes(house.export())
    return subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file",
                           scratch / "export.jsonl"], capture_output=True, text=True, check=False)


def renewal(name, **kw):
    csr, key = make_csr(name, **kw)
    return {"csr": base64.b64encode(csr).decode()}, key


def renewed(house, done, name, key):
    cert = x509.load_der_x509_certificate(base64.b64decode(done["result"]["der"]))
    return world.Officer(house.keys, f"{name} {cert.serial_number}", key, cert, done["result"]["officer"])


def refused(code, field, call, *args, **kw):
    with pytest.raises(Refused) as e:
        call(*args, **kw)
    assert (e.value.code, e.value.problem.get("field") or None) == (code, field), e.value


def whoami(house, officer):
    return house.call("GET", "/api/v1/whoami", officer=officer)["officer"]


def test_an_officer_renews(own, scratch):
    """By the own signature first and another officer's, without the right to issue; what comes of it stands for the officer beyond the
    end of the bound one, and for nobody else."""
    anna, ben, rosa, boot = (own.officers[o] for o in ("anna", "ben", "rosa", "boot1"))
    body, key = renewal("Anna Admin")
    request = own.prepare(anna, "officer.renew", body)
    assert request["signatures_needed"] == 2 and [x["label"] for x in request["difference"]] == [
        "Officer", "Certificate for", "SHA-256 of the key"]
    refused("CHY-1623", None, own.bring, ben, request, ben)  # hers begins
    refused("CHY-1623", None, own.bring, ben, request, ben, anna)
    assert own.bring(anna, request, anna)["state"] == "waiting"
    refused("CHY-1613", None, own.bring, anna, request, anna)
    refused("CHY-1601", None, own.bring, rosa, request, rosa)  # may not change her
    inbox = lambda o: [x["id"] for x in own.call("GET", "/api/v1/requests?inbox=true", officer=o)["items"]]  # noqa: E731
    assert inbox(ben) == [request["id"]] and inbox(rosa) == inbox(anna) == []
    shown = own.call("GET", f"/api/v1/requests/{request['id']}", officer=ben)
    assert shown["difference"] == request["difference"] and shown["about"] == "Anna Admin"
    done = own.bring(ben, shown, ben)
    assert done["state"] == "done"
    newer = renewed(own, done, "Anna Admin", key)
    assert whoami(own, newer) == whoami(own, anna) == done["result"]["officer"]
    # signed by the new one; a registration officer renews, too, and a second time by the renewed one
    made = own.act("officer-profile.create", {"name": "Made by it", "entity_type": "subject"}, newer, ben)
    assert made["state"] == "done"
    body, key = renewal("Rosa Registrar")
    refused("CHY-1623", "officer", own.prepare, anna, "officer.renew", dict(body, officer=whoami(own, rosa)))
    done = own.act("officer.renew", body, rosa, newer)
    rosa2 = renewed(own, done, "Rosa Registrar", key)
    body, key = renewal("Rosa Registrar")
    rosa3 = renewed(own, own.act("officer.renew", dict(body, officer=whoami(own, rosa)), rosa2, ben), "Rosa Registrar", key)
    assert whoami(own, rosa3) == whoami(own, rosa)
    # nothing else than the own certificate once more
    other = make_csr("Anna Admin", sans=["anna.example.org"])[0]
    for bad, code, field in (
            (renewal("Ben Admin")[0], "CHY-1656", "subject"), (renewal("Somebody New")[0], "CHY-1657", "subject"),
            ({"csr": base64.b64encode(other).decode()}, "CHY-1573", "csr.subject_alternative_names"),
            ({"csr": "MAA="}, None, "csr"), ({}, None, "csr"), (dict(body, more=1), None, "more"), (dict(body, csr=7), None, "csr")):
        with pytest.raises(Refused) as e:
            own.prepare(anna, "officer.renew", bad)
        assert e.value.problem["field"] == field and code in (None, e.value.code), (bad, e.value)
    refused("CHY-1550", "csr", own.prepare, anna, "officer.renew", forged("Anna Admin"))
    refused("CHY-1605", None, own.prepare, boot, "officer.renew", renewal("Boot officer 1")[0])
    done = verify(own, scratch)
    assert done.returncode == 0, done.stdout + done.stderr

    later(own, 1094)
    assert whoami(own, newer) and whoami(own, ben)
    later(own, 1096)  # Ben has none any more; Anna's and Rosa's ended a little after his
    refused("CHY-1606", None, whoami, own, ben)


def forged(name):
    """A request that another key has signed."""
    csr, _ = make_csr(name)
    return {"csr": base64.b64encode(csr[:-3] + bytes([csr[-3] ^ 1]) + csr[-2:]).decode()}


def test_who_cannot_renew(own):
    """The bound certificate's procedure must be open, an expired certificate begins nothing, and a static token stays as it is."""
    anna, ben, rosa = (own.officers[o] for o in ("anna", "ben", "rosa"))
    own.act("officer-profile.create", {"name": "Fixed", "entity_type": "static-token", "roles": ADMIN}, anna, ben)
    stig = own.make_officer("Stig Static", "Fixed", anna, ben, issuer=rosa)
    refused("CHY-1624", None, own.prepare, stig, "officer.renew", renewal("Stig Static")[0])
    short = short_officer(own, "Short Admin", "Administration officer")
    body, key = renewal("Short Admin")
    request = own.prepare(short, "officer.renew", body)
    own.bring(short, request, short)
    procedure = next(d for d in own.call("GET", "/api/v1/documents/token-procedure", officer=anna)["items"] if d["name"] == "Officer")
    own.act("token-procedure.modify", dict(procedure["body"], state="closed"), anna, ben, obj=procedure["id"])
    refused("CHY-1554", "token_procedure", own.prepare, anna, "officer.renew", renewal("Anna Admin")[0])
    refused("CHY-1554", "token_procedure", own.bring, ben, request, ben)
    shown = own.call("GET", f"/api/v1/requests/{request['id']}", officer=anna)
    assert shown["state"] == "failed" and shown["ended"]["at"]
    assert shown["ended"]["problem"]["code"] == "CHY-1554" and shown["ended"]["problem"]["field"] == "token_procedure"
    assert shown["ended"]["reason"] == shown["ended"]["problem"]["detail"]
    own.act("token-procedure.modify", procedure["body"], anna, ben, obj=procedure["id"])
    request = own.prepare(short, "officer.renew", body)
    own.bring(short, request, short)
    later(own, 2)
    # signed in time, it holds; what was not signed in time, does not
    done = own.bring(ben, own.call("GET", f"/api/v1/requests/{request['id']}", officer=ben), ben)
    assert whoami(own, renewed(own, done, "Short Admin", key)) == short.id
    refused("CHY-1606", None, own.prepare, short, "officer.renew", renewal("Short Admin")[0])


def test_a_token_is_renewed_by_its_own_key(own, scratch):
    anna, ben, rosa = (own.officers[o] for o in ("anna", "ben", "rosa"))
    own.act("officer-profile.create", {"name": "By a token", "entity_type": "dynamic-token", "roles": ADMIN}, anna, ben)
    dina = own.make_officer("Dina Dynamic", "By a token", anna, ben, issuer=rosa)
    refused("CHY-1657", "csr.key", own.prepare, dina, "officer.renew", renewal("Dina Dynamic")[0])
    key = serialization.load_pem_private_key(dina.key_file.read_bytes(), None)
    done = own.act("officer.renew", renewal("Dina Dynamic", key=key)[0], dina, ben)
    assert whoami(own, renewed(own, done, "Dina Dynamic", key)) == dina.id
    assert own.act("officer-profile.create", {"name": "Made by it", "entity_type": "subject"},
                   renewed(own, done, "Dina Dynamic", key), ben)["state"] == "done"
    done = verify(own, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def test_renewing_by_the_command_line(own, scratch):
    """In one step with a second officer, in two, and with a request made elsewhere; the end of each is a file that logs in."""
    for name in ("anna", "ben"):
        pkcs12(own, own.officers[name], scratch / f"{name}.p12")
    (scratch / "new.pin").write_text("another secret\n")
    both = ("--co-officer", "ben.p12", "--co-pin-file", "pin")
    fresh = ("officer", "renew", "--new-pin-file", "new.pin", "--key")
    done = cli(own, scratch, *fresh, "anna-2.key", "--out", "anna-2.p12", *both, who="anna.p12")
    assert "anna-2.p12 holds the new key" in done.stdout + done.stderr
    me = cli(own, scratch, "whoami", "--officer", "anna-2.p12", "--pin-file", "new.pin").stdout
    assert "Anna Admin" in me
    assert "anna-2.key is there already" in cli(own, scratch, *fresh, "anna-2.key", *both, who="anna.p12", code=1).stderr
    assert "--key" in cli(own, scratch, "officer", "renew", *both, who="anna.p12", code=2).stderr

    waiting = json.loads(cli(own, scratch, *fresh, "anna-3.key", "--json", who="anna.p12").stdout)
    assert waiting["state"] == "waiting"
    signed = json.loads(cli(own, scratch, "request", "sign", waiting["id"], "--yes", "--json", who="ben.p12").stdout)
    signed = signed[0] if isinstance(signed, list) else signed
    number = own.call("GET", f"/api/v1/requests/{waiting['id']}", officer=own.officers["ben"])["result"]["certificate"]
    cli(own, scratch, "certificate", "export", number, "--out", "anna-3.pem", who="ben.p12")
    cli(own, scratch, "officer", "p12", "--key", "anna-3.key", "--certificate", "anna-3.pem", "--out", "anna-3.p12", "--pin-file", "new.pin")
    assert "Anna Admin" in cli(own, scratch, "whoami", "--officer", "anna-3.p12", "--pin-file", "new.pin").stdout

    (scratch / "card.csr").write_bytes(make_csr("Anna Admin")[0])
    cli(own, scratch, "officer", "renew", "--request", "card.csr", "--certificate", "card.pem", *both, who="anna.p12")
    assert "Anna Admin" in cli(own, scratch, "certificate", "show", "card.pem", who="ben.p12").stdout
    assert "CHY-1657" in cli(own, scratch, "officer", "renew", "--request", other_request(scratch), *both, who="anna.p12", code=1).stderr


def other_request(scratch):
    (scratch / "other.csr").write_bytes(make_csr("Another Name")[0])
    return "other.csr"


def test_the_end_of_authorities_is_told_ahead(own, scratch):
    """Half a year before an authority's certificate ends, in status, metrics and log; and that it has ended."""
    annas = pkcs12(own, own.officers["anna"], scratch / "anna.p12")
    seen = until(own, lambda x: x["next_end"], of="authorities")
    assert (seen["ending"], seen["ended"]) == (0, 0) and cli(own, scratch, "status").stderr == ""
    listed = json.loads(cli(own, scratch, "authority", "list", "--json", who=annas).stdout)
    ends = sorted((x["ca_certificate"]["not_after"], x["ca_certificate"]["days_left"], x["name"]) for x in listed if x["ca_certificate"])
    assert seen["next_end"] == ends[0][0]
    first = [x for x in ends if x[1] == ends[0][1]]
    later(own, ends[0][1] - 100)
    seen = until(own, lambda x: x["ending"], of="authorities")
    assert (seen["ending"], seen["ended"]) == (len(first), 0)
    told = cli(own, scratch, "status").stderr
    assert f"ATTENTION: the certificates of {len(first)} authorities end soon, the first at {ends[0][0]}" in told
    assert figure(own, "chancery_authorities_ending") == len(first) and own.log.read_text().count("authority.certificate-ends") >= len(first)
    later(own, ends[0][1] + 2)
    seen = until(own, lambda x: x["ended"], of="authorities")
    assert seen["ended"] == len(first) and f"{len(first)} authorities have ended" in cli(own, scratch, "status").stderr
