"""Revoking, holding, reinstating: who may, with which proof, and what is left of it in the journal."""
import base64
import hashlib
import json
import os
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from cryptography import x509

import world
from world import Refused, make_csr

PROFILES = {
    "free": ["use-clients", "issue-certificate", "revoke-certificate"],
    "password": ["use-clients", "issue-certificate", "revoke-certificate-with-password"],
    "both": ["use-clients", "issue-certificate", "revoke-certificate", "revoke-certificate-with-password"],
    "attribute": ["use-clients", "issue-certificate", "issue-attribute-certificate", "revoke-attribute-certificate"],
    "nothing": ["use-clients", "issue-certificate"],
}
PASSWORD = "Widerruf-4711"


def refused(code, call, *args, **more):
    with pytest.raises(Refused) as e:
        call(*args, **more)
    assert e.value.code == code, e.value
    return e.value.problem


@pytest.fixture(scope="module")
def desk(house):
    """An officer for each level of security."""
    anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
    for name, roles in PROFILES.items():
        house.act("officer-profile.create", {"name": f"Desk {name}", "entity_type": "dynamic-token", "roles": roles}, anna, ben)
        house.officers[name] = house.make_officer(f"Desk {name}", f"Desk {name}", anna, ben, issuer=rosa)
    house.token = house.open_session()
    return house


count = iter(range(10000))


def one(house, name=None):
    """A certificate without a password."""
    return house.issue(house.token, make_csr(None, sans=[name or f"s{next(count)}.example.org"])[0])["id"]


def with_password(house, password=PASSWORD):
    salt = os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32)
    form = "$scrypt$ln=15,r=8,p=1$" + "$".join(base64.b64encode(x).decode().rstrip("=") for x in (salt, made))
    csr = base64.b64encode(make_csr(None, sans=[f"p{next(count)}.example.org"])[0]).decode()
    request = house.prepare(house.officers["rosa"], "certificate.issue",
                            {"token_procedure": "TLS server", "requests": [{"csr": csr, "name": "p"}],
                             "revocation_password_sha256": hashlib.sha256(form.encode()).hexdigest()})
    return bring(house, house.officers["rosa"], request, {"revocation_password": form})["result"]["certificates"][0]["certificate"]


def signed(officer, request):
    return base64.b64encode(officer.sign(base64.b64decode(request["to_sign"]))).decode()


def bring(house, officer, request, secrets=None, cms=None):
    body = {"signatures": [cms or signed(officer, request)]}
    if secrets is not None:
        body["secrets"] = secrets
    return house.call("POST", f"/api/v1/requests/{request['id']}/signatures", body, officer)


def act(house, who, verb, ids, secrets=None, **more):
    officer = house.officers[who] if isinstance(who, str) else who
    if verb == "revoke":
        more.setdefault("reason", "superseded")
    return bring(house, officer, house.prepare(officer, f"certificate.{verb}", {"certificates": ids, **more}), secrets)


def status(house, number):
    return house.call("GET", f"/api/v1/certificates/{number}", officer=house.officers["anna"])["status"]


def history(house, number):
    return house.call("GET", f"/api/v1/certificates/{number}/explanation", officer=house.officers["anna"])["status"]["history"]


def verify(house, folder):
    export = folder / f"journal{next(count)}.jsonl"
    export.write_bytes(house.export())
    return subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export],
                          capture_output=True, text=True)


def counters(house):
    text = house.call("GET", "/metrics")
    return text


# ---- states ----

def test_hold_reinstate_revoke(desk):
    """One life: normal, on hold, normal, on hold, revoked; and what is not possible between. rows=CM-R-12,CM-R-13,CM-R-14,CM-R-15"""
    c = one(desk)
    assert status(desk, c) == {"state": "valid"}
    refused("CHY-1670", act, desk, "free", "reinstate", [c])
    done = act(desk, "free", "hold", [c])
    assert done["state"] == "done" and done["result"]["certificates"][0]["state"] == "held"
    held = status(desk, c)
    assert (held["state"], held["reason"]) == ("held", "certificate-hold") and [h["cause"] for h in held["holds"]] == ["officer"]
    assert refused("CHY-1670", act, desk, "free", "hold", [c])["field"] == "certificates[0]"
    assert act(desk, "free", "reinstate", [c])["result"]["certificates"][0]["state"] == "valid"
    assert status(desk, c) == {"state": "valid"}
    refused("CHY-1670", act, desk, "free", "reinstate", [c])
    act(desk, "free", "hold", [c])
    since = status(desk, c)["since"]
    time.sleep(0.01)
    act(desk, "free", "revoke", [c], reason="key-compromise", invalid_at="2026-01-01T00:00:00Z")
    now = status(desk, c)
    assert now == {"state": "revoked", "reason": "key-compromise", "since": since, "invalid_at": "2026-01-01T00:00:00Z"}
    for verb in ("revoke", "hold", "reinstate"):
        refused("CHY-1670", act, desk, "free", verb, [c])
    told = history(desk, c)
    assert [(h["act"], h["from"], h["to"]) for h in told] == [
        ("revoke", "held", "revoked"), ("hold", "valid", "held"), ("reinstate", "held", "valid"), ("hold", "valid", "held")]
    assert told[0]["officers"] == [{"id": desk.officers["free"].id, "name": "Desk free"}]


def test_each_cause_is_lifted_by_itself(desk):
    """rows=CM-R-12,CM-R-13"""
    c = one(desk)
    act(desk, "free", "hold", [c], cause="card lost")
    refused("CHY-1670", act, desk, "free", "hold", [c])  # without a cause: only what is normal
    act(desk, "free", "hold", [c], cause="inquiry")
    refused("CHY-1678", act, desk, "free", "hold", [c], cause="inquiry")
    refused("CHY-1678", act, desk, "free", "reinstate", [c])
    act(desk, "free", "reinstate", [c], cause="card lost")
    assert status(desk, c)["state"] == "held" and [h["cause"] for h in status(desk, c)["holds"]] == ["inquiry"]
    act(desk, "free", "reinstate", [c], cause="inquiry")
    assert status(desk, c) == {"state": "valid"}


def test_many_together_each_by_its_own_causes(desk):
    """What is held for several causes, for another, not at all, and what is not there: each by itself, in whatever order and however
    it is named. rows=CM-R-12,CM-R-13"""
    both, lost, inquiry, normal = (one(desk) for _ in range(4))
    act(desk, "free", "hold", [both, lost], cause="card lost")
    act(desk, "free", "hold", [inquiry, both], cause="inquiry")
    assert refused("CHY-1678", act, desk, "free", "reinstate", [lost, inquiry, both], cause="card lost")["field"] == "certificates[1]"
    assert refused("CHY-1670", act, desk, "free", "reinstate", [lost, normal], cause="card lost")["field"] == "certificates[1]"
    assert refused("CHY-1679", act, desk, "free", "reinstate", [lost, both + 1, both], cause="card lost")["field"] == "certificates[1]"
    assert refused("CHY-1511", act, desk, "free", "reinstate", [lost, both, lost], cause="card lost")["field"] == "certificates[2]"
    shown = desk.call("GET", f"/api/v1/certificates/{both}", officer=desk.officers["anna"])
    done = act(desk, "free", "reinstate", [{"authority": shown["authority"], "serial": shown["serial"]}, lost], cause="card lost")
    assert [(c["certificate"], c["state"]) for c in done["result"]["certificates"]] == [(both, "held"), (lost, "valid")]
    free = desk.officers["free"]
    request = desk.prepare(free, "certificate.revoke", {"certificates": [normal, both, lost], "reason": "superseded"})
    act(desk, "free", "revoke", [both])
    told = bring(desk, free, request)["result"]["certificates"]
    assert [c["certificate"] for c in told] == [normal, both, lost]
    assert [c.get("state", c.get("problem", {}).get("code")) for c in told] == ["revoked", "CHY-1670", "revoked"]
    assert [status(desk, c)["state"] for c in (both, lost, inquiry, normal)] == ["revoked", "revoked", "held", "revoked"]


@pytest.mark.parametrize("reason", ["unspecified", "key-compromise", "affiliation-changed", "superseded", "cessation-of-operation",
                                    "privilege-withdrawn"])
def test_reasons(desk, reason):
    """rows=CM-R-05,CM-R-06"""
    pair = [one(desk), one(desk)]
    act(desk, "free", "revoke", pair, reason=reason)
    assert {status(desk, c)["reason"] for c in pair} == {reason}


def test_one_reason_and_that_a_right_one(desk):
    """rows=CM-R-05,CM-R-06"""
    c = one(desk)
    refused("CHY-1507", act, desk, "free", "revoke", [c], reason="because")
    refused("CHY-1671", act, desk, "free", "revoke", [c], reason="ca-compromise")
    refused("CHY-1671", act, desk, "free", "revoke", [c], reason="certificate-hold")
    with pytest.raises(Refused):
        act(desk, "free", "revoke", [{"certificate": c, "reason": "superseded"}])
    refused("CHY-1681", act, desk, "free", "revoke", [c], invalid_at="2036-01-01T00:00:00Z")
    assert status(desk, c) == {"state": "valid"}


def test_reasons_are_enabled_by_the_revocation_policy(desk):
    """rows=CM-R-07"""
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    made = desk.act("revocation-policy.create", {"name": "Few", "reasons": ["key-compromise"]}, anna, ben)["result"]["id"]
    body = desk.call("GET", f"/api/v1/documents/revocation-policy/{made}", officer=anna)["body"]
    try:
        assert body["unclaimed_after"] == "P7D"
        refused("CHY-1683", desk.prepare, anna, "revocation-policy.create", {"name": "Second", "reasons": ["superseded"]})
        c = one(desk)
        refused("CHY-1671", act, desk, "free", "revoke", [c])
        refused("CHY-1671", act, desk, "free", "hold", [c])
        act(desk, "free", "revoke", [c], reason="key-compromise")
    finally:
        desk.act("revocation-policy.modify", dict(body, state="closed"), anna, ben, obj=made)
    act(desk, "free", "hold", [one(desk)])


# ---- who may ----

def test_three_levels_of_security(desk):
    """rows=CM-R-08,CM-R-09,CM-R-10"""
    first, second, third, fourth, bare = (*(with_password(desk) for _ in range(4)), one(desk))
    act(desk, "free", "hold", [first])  # low: nothing is asked
    refused("CHY-1676", act, desk, "free", "reinstate", [first], verification="password")
    # high: with the password, and the right one
    refused("CHY-1672", act, desk, "password", "revoke", [second])
    refused("CHY-1672", act, desk, "password", "revoke", [second], verification="manual", verification_note="I know her")
    refused("CHY-1672", act, desk, "password", "revoke", [second], verification="password")
    refused("CHY-1674", act, desk, "password", "revoke", [second], {"revocation_password": "wrong-4711"}, verification="password")
    refused("CHY-1673", act, desk, "password", "revoke", [bare], {"revocation_password": PASSWORD}, verification="password")
    assert status(desk, second) == {"state": "valid"}
    act(desk, "password", "hold", [second], {"revocation_password": PASSWORD}, verification="password")
    act(desk, "password", "reinstate", [second], {"revocation_password": PASSWORD}, verification="password")
    act(desk, "password", "revoke", [second], {"revocation_password": PASSWORD}, verification="password")
    assert status(desk, second)["state"] == "revoked"
    # medium: the password, or a check that the officer confirms
    refused("CHY-1676", act, desk, "both", "revoke", [third])
    assert refused("CHY-1502", act, desk, "both", "revoke", [third], verification="manual")["field"] == "verification_note"
    act(desk, "both", "revoke", [third], verification="manual", verification_note="called back at the known number")
    act(desk, "both", "revoke", [fourth], {"revocation_password": PASSWORD}, verification="password")
    assert {status(desk, c)["state"] for c in (third, fourth)} == {"revoked"}
    assert [h.get("verification") for h in history(desk, third)] == ["manual"]
    # none
    refused("CHY-1601", act, desk, "nothing", "revoke", [bare])
    refused("CHY-1601", act, desk, "attribute", "revoke", [bare])
    refused("CHY-1772", act, desk, "free", "revoke", [bare], {"revocation_password": PASSWORD})


def wrong_ones(export, c):
    """The leaves about wrong passwords of a certificate: each is counted, and none was compared before its wait was over."""
    leaves = [json.loads(x["body"]) for x in map(json.loads, export.splitlines()) if x["type"] == "leaf"]
    wrong = [x for x in leaves if x["kind"] == "revocation-password" and x["certificate"] == c]
    assert [x["tries"] for x in wrong] == list(range(1, len(wrong) + 1))
    until = [datetime.fromisoformat(x["until"].replace("Z", "+00:00")) for x in wrong]
    for n in range(2, len(wrong) + 1):
        wait = timedelta(seconds=1 << (n - 3) if n >= 3 else 0)
        assert until[n - 1] - wait >= until[n - 2], wrong
    return wrong


def test_wrong_passwords_are_counted_slowed_and_journaled(desk, scratch):
    """rows=CM-R-19,CM-R-20"""
    c, officer = with_password(desk), desk.officers["password"]
    # signed before it is too late for it: the right one is to come while the five wrong ones' wait, four seconds, lasts
    right, *wrong = (desk.prepare(officer, "certificate.revoke", {"certificates": [c], "reason": "superseded", "verification": "password"})
                     for _ in range(6))
    cms, end = signed(officer, right), time.monotonic() + 60
    for i, request in enumerate(wrong):
        code = "CHY-1675"
        while code in ("CHY-1675", "CHY-1693"):  # its wait; the one before is still being let go
            assert time.monotonic() < end
            with pytest.raises(Refused) as e:
                bring(desk, officer, request, {"revocation_password": f"guess-{i}-guess"})
            code = e.value.code
            assert code in ("CHY-1674", "CHY-1693") or (code == "CHY-1675" and i >= 3), e.value
    code = "CHY-1693"
    while code == "CHY-1693":
        with pytest.raises(Refused) as e:
            bring(desk, officer, right, {"revocation_password": PASSWORD}, cms)
        code = e.value.code
    assert code == "CHY-1675", e.value
    other = with_password(desk)  # another's is not slowed
    act(desk, "password", "revoke", [other], {"revocation_password": PASSWORD}, verification="password")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            act(desk, "password", "revoke", [c], {"revocation_password": PASSWORD}, verification="password")
            break
        except Refused as e:
            assert e.code in ("CHY-1675", "CHY-1693")
            time.sleep(0.2)
    assert status(desk, c)["state"] == "revoked"
    desk.wait_sequenced()
    export = desk.export()
    wrong = wrong_ones(export, c)
    assert [x["tries"] for x in wrong] == [1, 2, 3, 4, 5] and all(x["officer"] == officer.id for x in wrong)
    assert PASSWORD.encode() not in export and b"guess-1-guess" not in export
    if desk.engine == "sqlite":
        with sqlite3.connect(f"file:{desk.dir}/chancery.db?mode=ro", uri=True) as db:
            (stored,) = db.execute("SELECT revocation_password FROM certificate_choice WHERE certificate = ?", (c,)).fetchone()
            assert stored.startswith("$scrypt$") and PASSWORD not in stored
            assert db.execute("SELECT count(*) FROM password_wrong WHERE certificate = ?", (c,)).fetchone() == (0,)


def test_guesses_at_once_are_all_counted(desk):
    """rows=CM-R-19"""
    c, officer = with_password(desk), desk.officers["password"]
    requests = [desk.prepare(officer, "certificate.revoke", {"certificates": [c], "reason": "superseded", "verification": "password"})
                for _ in range(6)]

    def guess(request):
        for _ in range(600):
            try:
                bring(desk, officer, request, {"revocation_password": f"guess-{request['id']}"})
            except Refused as e:
                if e.code != "CHY-1693":  # another one is being compared
                    return e.code
            time.sleep(0.05)
        return None

    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(guess, requests))
    compared = codes.count("CHY-1674")  # three; more where they come so slowly that the wait is over
    assert compared >= 3 and codes == ["CHY-1674"] * compared + ["CHY-1675"] * (6 - compared)
    assert status(desk, c) == {"state": "valid"}
    desk.wait_sequenced()
    assert len(wrong_ones(desk.export(), c)) == compared


def test_attribute_certificates_have_their_own_roles(desk):
    """rows=CM-R-11"""
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    desk.act("ca-key.create", {"name": "AA key", "algorithm": "p-256", "place": "software"}, anna, ben)
    desk.act("authority.create", {"name": "AA", "type": "subordinate", "issuing_authority": "Root CA", "ca_key": "AA key",
                                  "subject": "CN=AA,O=Test", "format": "CA certificate", "validity": "P5Y", "path_length": 0,
                                  "attribute_certificates": True}, anna, ben)
    desk.act("format.create", {"name": "Roles", "purpose": "attribute-certificate", "attributes": [{"type": "role"}]}, anna, ben)
    desk.act("attribute-certificate-procedure.create", {"name": "Clerks", "authority": "AA", "format": "Roles", "validity": "P30D"},
             anna, ben)
    desk.act("token-procedure.create", {"name": "Statement", "storage_profile": "attribute-certificate-file",
                                        "attribute_certificate_procedures": ["Clerks"]}, anna, ben)
    base = one(desk)
    made = desk.act("attribute-certificate.issue", {"token_procedure": "Statement", "base": {"certificate": base},
                                                    "attributes": [{"type": "role", "values": ["urn:role:clerk"]}]},
                    desk.officers["attribute"])["result"]["attribute_certificates"][0]["certificate"]
    refused("CHY-1601", act, desk, "free", "revoke", [made])
    act(desk, "attribute", "hold", [made])
    act(desk, "attribute", "revoke", [made])
    assert status(desk, made)["state"] == "revoked" and status(desk, base) == {"state": "valid"}


def test_issuer_and_name_constraints_limit_revocation(desk):
    """rows=CM-R-21"""
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))

    def officer(name, **more):
        desk.act("officer-profile.create", {"name": name, "entity_type": "dynamic-token", "roles": PROFILES["free"], **more}, anna, ben)
        return desk.make_officer(name, name, anna, ben, issuer=rosa)

    def rule(value):
        return {"issuer_constraints": [{"tests": [{"attribute": "CN", "test": "is", "value": value}]}]}

    c, d = one(desk), one(desk, "in.allowed.example")
    refused("CHY-1618", act, desk, officer("Other CA only", **rule("Elsewhere CA")), "revoke", [c])
    act(desk, officer("This CA only", **rule("Issuing CA")), "revoke", [c])
    assert status(desk, c)["state"] == "revoked"
    names = officer("Allowed names", permitted_names=["dns:allowed.example"])
    refused("CHY-1629", act, desk, names, "revoke", [one(desk)])
    act(desk, names, "revoke", [d])


def test_what_is_not_there_or_not_seen(desk):
    """rows=CM-R-04,CM-R-22"""
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    there = one(desk)
    assert refused("CHY-1679", act, desk, "free", "revoke", [there, 4711])["field"] == "certificates[1]"
    assert refused("CHY-1511", act, desk, "free", "revoke", [there, there])["field"] == "certificates[1]"
    refused("CHY-1679", act, desk, "free", "revoke", [{"certificate": there, "certificate_sha256": "00" * 32}])
    with pytest.raises(Refused):
        act(desk, "free", "revoke", [])
    domain = desk.act("domain.create", {"name": "Far away"}, anna, ben)["result"]["id"]
    desk.act("officer-profile.create", {"name": "Far", "entity_type": "dynamic-token", "roles": PROFILES["free"]}, anna, ben)
    csr, key = make_csr("Fay Far")
    item = desk.act("certificate.issue", {"token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode()}]},
                    rosa)["result"]["certificates"][0]
    der = base64.b64decode(item["der"])
    fay = desk.act("officer.create", {"name": "Fay Far", "profile": "Far", "domain": domain, "certificate": item["certificate"],
                                      "certificate_sha256": hashlib.sha256(der).hexdigest()}, anna, ben)["result"]["id"]
    fay = world.Officer(desk.keys, "Fay Far", key, x509.load_der_x509_certificate(der), fay)
    unseen = dict(desk.call("GET", "/api/v1/documents/token-procedure", officer=anna)["items"][0])
    assert unseen
    # Root's documents are used from everywhere, those of another domain are not
    other = desk.act("domain.create", {"name": "Elsewhere"}, anna, ben)["result"]["id"]
    desk.act("token-procedure.create", {"name": "Elsewhere", "domain": other, "storage_profile": "pkcs10", "issuer_certificates": "none",
                                        "certificate_procedures": ["TLS server"]}, anna, ben)
    token = desk.open_session(procedures=["Elsewhere"])
    hidden = desk.issue(token, make_csr(None, sans=["hidden.example.org"])[0], procedure="Elsewhere")["id"]
    refused("CHY-1679", act, desk, fay, "revoke", [hidden])
    with pytest.raises(Refused):
        desk.call("GET", f"/api/v1/certificates/{hidden}", officer=fay)
    # what Root's officers had made is seen, and not Fay's to change
    assert desk.call("GET", f"/api/v1/certificates/{there}", officer=fay)["id"] == there
    refused("CHY-1602", act, desk, fay, "revoke", [there])


# ---- many, and at once ----

def test_outcome_of_each_when_some_fail(desk):
    """rows=CM-R-18"""
    free = desk.officers["free"]
    good, taken = one(desk), one(desk)
    request = desk.prepare(free, "certificate.hold", {"certificates": [good, taken]})
    act(desk, "both", "revoke", [taken], verification="manual", verification_note="she asked")
    done = bring(desk, free, request)
    assert done["state"] == "done"
    first, second = done["result"]["certificates"]
    assert (first["certificate"], first["state"]) == (good, "held")
    assert second["certificate"] == taken and second["problem"]["code"] == "CHY-1670" and second["problem"]["rule"] == "state"
    assert status(desk, taken)["state"] == "revoked"


def test_what_has_changed_makes_a_request_void(desk):
    free = desk.officers["free"]
    c = one(desk)
    request = desk.prepare(free, "certificate.hold", {"certificates": [c]})
    act(desk, "free", "revoke", [c])
    refused("CHY-1680", bring, desk, free, request)
    assert desk.call("GET", f"/api/v1/requests/{request['id']}", officer=free)["state"] == "void"
    refused("CHY-1610", bring, desk, free, request)


def test_a_thousand_in_one_request(desk):
    ids = []
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: one(desk), range(300)))
    done = act(desk, "free", "revoke", ids)
    assert [x["state"] for x in done["result"]["certificates"]] == ["revoked"] * 300
    with pytest.raises(Refused):
        act(desk, "free", "revoke", list(range(1, 1003)))


def test_revoke_and_hold_at_once(desk):
    """Two officers, and a hundred requests: one state comes out, and every request has a true outcome."""
    free, both = desk.officers["free"], desk.officers["both"]
    c = one(desk)
    requests = [(who, desk.prepare(who, f"certificate.{verb}", {"certificates": [c], **more}))
                for i in range(50)
                for who, verb, more in ((free, "revoke", {"reason": "superseded"}),
                                        (both, "hold", {"cause": f"cause {i}", "verification": "manual", "verification_note": "asked"}))]

    def sign(x):
        try:
            return bring(desk, x[0], x[1])["result"]["certificates"][0]["state"]
        except Refused as e:
            return e.code

    with ThreadPoolExecutor(20) as pool:
        out = list(pool.map(sign, requests))
    assert out.count("revoked") == 1 and set(out) <= {"revoked", "held", "CHY-1680"}, out
    told = history(desk, c)
    assert len(told) == 1 + out.count("held") and told[0]["to"] == "revoked"
    assert status(desk, c)["state"] == "revoked" and "holds" not in status(desk, c)


# ---- officers and authorities ----

def test_an_officers_certificate_that_is_held_or_revoked_is_refused_at_once(desk):
    """At login, at signing, and for who issues in the officer's name. rows=CM-O-31"""
    anna, ben, rosa = (desk.officers[n] for n in ("anna", "ben", "rosa"))
    tom = desk.make_officer("Tom Temporary", "Registration officer", anna, ben, issuer=rosa)
    number = next(d["body"]["certificate"] for d in desk.call("GET", "/api/v1/documents/officer", officer=anna)["items"]
                  if d["id"] == tom.id)
    session = desk.open_session(officer=tom)
    request = desk.prepare(tom, "certificate.revoke", {"certificates": [one(desk)], "reason": "superseded"})
    desk.issue(session, make_csr(None, sans=["tom.example.org"])[0])
    act(desk, "free", "hold", [number])
    refused("CHY-1608", desk.call, "GET", "/api/v1/whoami", officer=tom)
    refused("CHY-1608", desk.bring, rosa, request, tom)
    assert refused("CHY-1715", desk.issue, session, make_csr(None, sans=["tom2.example.org"])[0])
    act(desk, "free", "reinstate", [number])
    assert desk.call("GET", "/api/v1/whoami", officer=tom)
    desk.issue(session, make_csr(None, sans=["tom3.example.org"])[0])
    act(desk, "free", "revoke", [number])
    refused("CHY-1607", desk.call, "GET", "/api/v1/whoami", officer=tom)
    refused("CHY-1607", desk.bring, rosa, request, tom)


def certificate_of(house, name):
    anna = house.officers["anna"]
    return next(d["body"]["certificate"] for d in house.call("GET", "/api/v1/documents/officer", officer=anna)["items"]
                if d["name"] == name)


def test_the_last_pair_stays(desk):
    """Nor can one of the last two be closed while the other's certificate is on hold. rows=CM-O-29"""
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    numbers = [certificate_of(desk, n) for n in ("Anna Admin", "Ben Admin")]
    refused("CHY-1619", act, desk, "free", "revoke", numbers)
    refused("CHY-1619", act, desk, "free", "revoke", numbers[1:])
    refused("CHY-1619", act, desk, "free", "hold", numbers[:1])
    spare = desk.make_officer("Zoe Spare", "Administration officer", anna, ben, issuer=desk.officers["rosa"])
    act(desk, "free", "hold", numbers[:1])
    refused("CHY-1619", act, desk, "free", "hold", numbers[1:])
    doc = next(d for d in desk.call("GET", "/api/v1/documents/officer", officer=ben)["items"] if d["id"] == spare.id)
    refused("CHY-1619", desk.prepare, ben, "officer.modify", dict(doc["body"], state="closed"), spare.id)
    act(desk, "free", "reinstate", numbers[:1])
    desk.act("officer.modify", dict(doc["body"], state="closed"), anna, ben, obj=spare.id)


def test_of_the_last_three_not_two_at_once(desk):
    """Two requests that are each right by themselves."""
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    spare = desk.make_officer("Yves Spare", "Administration officer", anna, ben, issuer=desk.officers["rosa"])
    free = desk.officers["free"]
    requests = [desk.prepare(free, "certificate.hold", {"certificates": [certificate_of(desk, n)]}) for n in ("Anna Admin", "Yves Spare")]
    with ThreadPoolExecutor(2) as pool:
        def sign(request):
            try:
                return bring(desk, free, request)["state"]
            except Refused as e:
                return e.code
        assert sorted(pool.map(sign, requests)) == ["CHY-1619", "done"]
    for n in ("Anna Admin", "Yves Spare"):
        if status_by(desk, ben, certificate_of_by(desk, ben, n))["state"] == "held":
            act(desk, "free", "reinstate", [certificate_of_by(desk, ben, n)])
    doc = next(d for d in desk.call("GET", "/api/v1/documents/officer", officer=anna)["items"] if d["id"] == spare.id)
    desk.act("officer.modify", dict(doc["body"], state="closed"), anna, ben, obj=spare.id)


def certificate_of_by(house, who, name):
    return next(d["body"]["certificate"] for d in house.call("GET", "/api/v1/documents/officer", officer=who)["items"] if d["name"] == name)


def status_by(house, who, number):
    return house.call("GET", f"/api/v1/certificates/{number}", officer=who)["status"]


def test_authorities_are_revoked_by_two_and_issue_no_more(desk):
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    desk.act("ca-key.create", {"name": "Doomed key", "algorithm": "p-256", "place": "software"}, anna, ben)
    made = desk.act("authority.create", {"name": "Doomed CA", "type": "subordinate", "issuing_authority": "Root CA", "ca_key": "Doomed key",
                                         "subject": "CN=Doomed CA,O=Test", "format": "CA certificate", "validity": "P5Y",
                                         "path_length": 0}, anna, ben)["result"]["id"]
    desk.act("certificate-procedure.create", {"name": "Doomed", "authority": "Doomed CA", "format": "TLS server",
                                              "key_usage": ["digitalSignature"], "extended_key_usage": ["serverAuth"],
                                              "validity": "P9D"}, anna, ben)
    desk.act("token-procedure.create", {"name": "Doomed", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                        "certificate_procedures": ["Doomed"]}, anna, ben)
    token = desk.open_session(procedures=["Doomed"])
    desk.issue(token, make_csr(None, sans=["before.example.org"])[0], procedure="Doomed")
    der = desk.call("GET", f"/api/v1/authorities/{made}/certificate", headers={"Accept": "application/pkix-cert"})
    number = desk.call("GET", f"/api/v1/certificates?sha256={hashlib.sha256(der).hexdigest()}", officer=anna)["items"][0]["id"]
    refused("CHY-1677", act, desk, "free", "revoke", [number])
    refused("CHY-1677", desk.prepare, anna, "authority.revoke", {"certificates": [one(desk)], "reason": "superseded"})
    body = {"certificates": [number], "reason": "ca-compromise"}
    refused("CHY-1601", desk.prepare, desk.officers["free"], "authority.revoke", body)
    request = desk.prepare(anna, "authority.revoke", body)
    assert desk.bring(anna, request, anna)["state"] == "waiting" and status(desk, number) == {"state": "valid"}
    assert desk.bring(ben, request, ben)["state"] == "done"
    assert status(desk, number)["reason"] == "ca-compromise"
    with pytest.raises(Refused) as e:
        desk.issue(token, make_csr(None, sans=["after.example.org"])[0], procedure="Doomed")
    assert e.value.status in (403, 409), e.value


def test_zz_the_journal_accounts_for_every_change(desk, scratch):
    """And sees what nobody has signed. rows=CM-R-14"""
    desk.wait_sequenced()
    good = verify(desk, scratch)
    assert good.returncode == 0, good.stdout + good.stderr
    c = one(desk)
    act(desk, "free", "hold", [c])
    desk.wait_sequenced()
    lines = [json.loads(x) for x in desk.export().splitlines()]
    row = next(x for x in lines if x["type"] == "certificate" and x["id"] == c)
    assert row["row"]["status"] == 1 and row["row"]["changed"]["reason"] == 6
    for change in ({"status": 0}, {"status": 2}, {"changed": None}, {"changed": dict(row["row"]["changed"], reason=1)},
                   {"changed": dict(row["row"]["changed"], since=5)}, {"changed": {"unplaced": 5}}):
        altered = [dict(x, row={k: v for k, v in dict(x["row"], **change).items() if v is not None}) if x is row else x for x in lines]
        file = scratch / "altered.jsonl"
        file.write_text("".join(json.dumps(x) + "\n" for x in altered))
        got = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", file],
                             capture_output=True, text=True)
        assert got.returncode == 1 and "CHY-1882" in got.stdout + got.stderr, (change, got.stdout, got.stderr)


def test_zz_the_journal_binds_revocation_passwords(desk, scratch):
    """Whoever puts another form into the database, or takes one away, is found out; and so is who allows publication. rows=CM-R-20"""
    secret, bare = with_password(desk), one(desk)
    csr = base64.b64encode(make_csr(None, sans=[f"z{next(count)}.example.org"])[0]).decode()
    kept = desk.act("certificate.issue", {"token_procedure": "TLS server", "requests": [{"csr": csr, "name": "k"}],
                                          "publication_allowed": False}, desk.officers["rosa"])["result"]["certificates"][0]["certificate"]
    desk.wait_sequenced()
    lines = [json.loads(x) for x in desk.export().splitlines()]
    rows = {x["id"]: x["row"] for x in lines if x["type"] == "certificate"}
    assert len(rows[secret]["choice"]["revocation_password_sha256"]) == 64 and "choice" not in rows[bare]
    assert rows[kept]["choice"] == {"publication_allowed": False}
    other = dict(rows[secret]["choice"], revocation_password_sha256="ab" * 32)
    for number, choice, code in ((secret, rows[secret]["choice"], 0), (secret, other, 1), (secret, None, 1), (bare, other, 1),
                                 (secret, {"publication_allowed": True}, 1), (kept, {"publication_allowed": True}, 1), (kept, None, 1),
                                 (secret, {"unplaced": 5}, 1)):
        altered = [dict(x, row={k: v for k, v in dict(x["row"], choice=choice).items() if v is not None})
                   if x["type"] == "certificate" and x["id"] == number else x for x in lines]
        file = scratch / "altered.jsonl"
        file.write_text("".join(json.dumps(x) + "\n" for x in altered))
        got = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", file],
                             capture_output=True, text=True)
        assert got.returncode == code and ("CHY-1882" in got.stdout + got.stderr) == bool(code), (number, choice, got.stdout, got.stderr)
