"""Processes die while a soft token is made; the token is neither lost nor made twice, on both databases."""
import base64
import hashlib
import sqlite3
import subprocess
import time

import pytest

import world
from test_choices import prepare, stored, waiting_secrets
from test_tokens import SUBJECT, bring, form_of, issue, opened, tokens  # noqa: F401
from world import Refused

POINTS = ["factory.before-signature", "factory.after-signature", "factory.before-sign", "factory.after-sign", "factory.token-certified",
          "factory.token-built", "factory.after-work", "store.before-commit", "store.after-commit"]


def bring_anyway(house, officer, request, secrets=None):
    """The answer may be lost; the request says what became of it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            shown = house.call("GET", f"/api/v1/requests/{request['id']}", officer=officer)
            if shown["state"] == "done":
                return shown["result"]
            if shown["state"] == "prepared":
                bring(house, officer, request, secrets)
        except Refused as e:
            assert e.status in (409, 429, 502, 503, 504), e
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(house.log.read_text()[-2000:])


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_a_token_is_made(tokens, point):  # noqa: F811
    """rows=CM-I-21"""
    house, rosa, anna = tokens, tokens.officers["rosa"], tokens.officers["anna"]
    name = f"Token {point} end"
    request = house.prepare(rosa, "token.issue", {"token_procedure": "Soft none", "input": {**SUBJECT, "subject.common-name": name}})
    house.stop()
    mark = len(house.log.read_text())
    slug = "token-" + point.replace(".", "-")
    house.start(CHANCERY_FAULT=f"{point}@1=kill" if point.startswith("factory") else f"{point}@4=kill",
                CHANCERY_FAULT_ONCE=str(house.dir / "signer" / slug))
    try:
        result = bring_anyway(house, rosa, request)
        house.wait_killed(mark)
        for _ in range(300):
            try:
                got = house.call("GET", f"/api/v1/tokens/{result['token']}/file", officer=rosa)
                break
            except (Refused, OSError):
                time.sleep(0.2)
        keys, certs = opened(base64.b64decode(got["file"]), got["pin"])
        assert len(keys) == len(certs) == 2
    finally:
        house.stop()
        house.start()
    items = house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"]
    assert len([i for i in items if name in i["subject"]]) == 2, "one token, its two certificates"
    assert house.call("GET", "/api/v1/journal/reconciliation", officer=anna)["missing_in_store"] == 0


def run_out(house, request, mark):
    """The token's result and its file, once the killed program is there again."""
    rosa = house.officers["rosa"]
    result, got = bring_anyway(house, rosa, request), None
    for _ in range(300):
        try:
            got = house.call("GET", f"/api/v1/tokens/{result['token']}/file", officer=rosa)
            break
        except (Refused, OSError):
            time.sleep(0.2)
    assert got is not None, house.log.read_text()[-2000:]
    house.wait_killed(mark)
    return result, got


TWICE = ["signer.token-before-key", "signer.token-after-key", "signer.token-before-open", "signer.after-sign-certificate",
         "signer.after-sync-certificate"]  # two keys, two certificates, file and PIN
ONCE = ["signer.token-before-pin", "signer.token-before-file", "signer.token-after-file"]


@pytest.mark.parametrize("point,nth", [(p, n) for p in TWICE for n in (1, 2)] + [(p, 1) for p in ONCE])
def test_signer_killed_while_a_token_is_made(tokens, point, nth):  # noqa: F811
    """The signer's own points, at the first and at the second of its kind: keys, PIN, certificates, file. rows=CM-I-21,CM-T-42"""
    house, rosa, anna = tokens, tokens.officers["rosa"], tokens.officers["anna"]
    name = f"Signer {point} {nth} end"
    request = house.prepare(rosa, "token.issue", {"token_procedure": "Soft none", "input": {**SUBJECT, "subject.common-name": name}})
    house.stop()
    mark = len(house.log.read_text())
    slug = f"signer-{nth}-" + point.replace(".", "-")
    house.start(CHANCERY_FAULT=f"{point}@{nth}=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / slug))
    try:
        _, got = run_out(house, request, mark)
        keys, certs = opened(base64.b64decode(got["file"]), got["pin"])
        assert len(keys) == len(certs) == 2
    finally:
        house.stop()
        house.start()
    items = house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"]
    assert len([i for i in items if name in i["subject"]]) == 2, "one token, its two certificates"
    assert house.call("GET", "/api/v1/journal/reconciliation", officer=anna)["missing_in_store"] == 0


@pytest.mark.parametrize("point", ["signer.token-before-recovered", "signer.token-after-recovered", "signer.token-after-file"])
def test_signer_killed_while_a_key_is_recovered(tokens, point):  # noqa: F811
    """What leaves the archive has its line before it leaves; the token comes once."""
    house, rita, anna = tokens, tokens.officers["rita"], tokens.officers["anna"]
    name = f"Recovered {point} end"
    issue(house, "Soft none", **{"subject.common-name": name})
    request = house.prepare(rita, "token.issue", {"token_procedure": "Recover latest",
                                                  "input": {**SUBJECT, "subject.common-name": name}})
    house.stop()
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / ("rec-" + point.replace(".", "-"))))
    try:
        result = bring_anyway(house, rita, request)
        house.wait_killed(mark)
    finally:
        house.stop()
        house.start()
    got = house.call("GET", f"/api/v1/tokens/{result['token']}/file", officer=rita)
    assert len(opened(base64.b64decode(got["file"]), got["pin"])[0]) == 1
    explained = house.call("GET", f"/api/v1/certificates/{result['recovered'][0]}/explanation", officer=anna)
    assert [r["token"] for r in explained["key"]["recoveries"]] == [result["token"]]


@pytest.mark.parametrize("point", ["factory.before-signature", "factory.after-signature", "factory.before-sign", "signer.after-sign-certificate",
                                   "signer.after-sync-certificate", "factory.after-sign", "factory.before-commit", "factory.after-commit",
                                   "factory.after-work"])
def test_killed_with_a_password_on_its_way(tokens, point):  # noqa: F811
    """The request finds the form again; certificate and choices are stored together, once. rows=CM-I-11,CM-I-21"""
    house, rosa, anna = tokens, tokens.officers["rosa"], tokens.officers["anna"]
    slug, form = "choice-" + point.replace(".", "-"), form_of("Widerruf-0815")
    request = prepare(house, slug, publication_allowed=False, revocation_password_sha256=hashlib.sha256(form.encode()).hexdigest())
    house.stop()
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / slug))
    try:
        result = bring_anyway(house, rosa, request, {"revocation_password": form})
        house.wait_killed(mark)
    finally:
        house.stop()
        house.start()
    items = house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"]
    ours = [i["id"] for i in items if f"{slug}.example.org" in i["subject"]]
    assert stored(house, result["certificates"][0]["certificate"]) == (0, form)
    assert ours == [result["certificates"][0]["certificate"]] and waiting_secrets(house) == 0
    assert house.call("GET", "/api/v1/journal/reconciliation", officer=anna)["missing_in_store"] == 0


def until(what):
    """Asked again and again, also while the server is away; False: never."""
    for _ in range(500):
        try:
            if what():
                return True
        except (Refused, OSError):
            pass
        time.sleep(0.2)
    return False


def orphans(house):
    """Choices for certificates that there are not, of tokens that are not under way."""
    sql = ("SELECT count(*) FROM certificate_choice h WHERE NOT EXISTS (SELECT 1 FROM certificate c WHERE c.id = h.certificate) "
           "AND NOT EXISTS (SELECT 1 FROM token_key k WHERE k.certificate = h.certificate)")
    if house.engine == "sqlite":
        return sqlite3.connect(house.dir / "chancery.db", timeout=20).execute(sql).fetchone()[0]
    return int(subprocess.run(["psql", "-At", "-d", house.postgres[0], "-c", sql], capture_output=True, text=True, check=True).stdout)


def reconciliation(house):
    return house.call("GET", "/api/v1/journal/reconciliation", officer=house.officers["anna"])


def named(house, name):
    items = house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]
    return [i["id"] for i in items if name in i["subject"]]


def test_nothing_is_signed_twice_where_a_commit_fails(tokens):  # noqa: F811
    """The token's certificates are signed, the database refuses: they are taken over and found, not signed again. rows=CM-I-21"""
    house, rosa = tokens, tokens.officers["rosa"]
    name = "Signed Once"
    request = house.prepare(rosa, "token.issue", {"token_procedure": "Soft none", "input": {**SUBJECT, "subject.common-name": name}})
    house.stop()
    house.start(CHANCERY_FAULT="factory.commit-work@1=fail")
    house.wait_ready()
    before = reconciliation(house)["certificates"]
    try:
        bring_anyway(house, rosa, request)
        after = reconciliation(house)
        assert len(named(house, name)) == 2
        assert (after["certificates"] - before, after["missing_in_store"]) == (2, 0), "in the signer's journal"
    finally:
        house.stop()
        house.start()


def test_what_was_signed_for_a_token_that_fails_is_revoked(tokens, scratch):  # noqa: F811
    """Killed behind a signature, and refused when it is carried on with: the certificate that there is has no key any more and is
    revoked as what nobody claims; what was chosen for one that there is not is gone. rows=CM-I-21"""
    house, rosa, anna, ben = tokens, *(tokens.officers[n] for n in ("rosa", "anna", "ben"))
    form, name = form_of("Widerruf-0815"), "Half Made"
    who = {**SUBJECT, "subject.common-name": name, "validity.not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))}
    request = house.prepare(rosa, "token.issue", {"token_procedure": "Soft none", "input": who,
                                                  "revocation_password_sha256": hashlib.sha256(form.encode()).hexdigest()})
    policy = house.act("revocation-policy.create", {"name": "At once", "unclaimed_after": "PT1S"}, anna, ben)["result"]["id"]
    house.stop()
    house.start(CHANCERY_FAULT="factory.after-sign@1=kill")  # each time that it is carried on with
    try:
        with pytest.raises((Refused, OSError)):
            bring(house, rosa, request, {"revocation_password": form})
        house.stop()
        house.start(CHANCERY_CLOCK_OFFSET_MS=str(2 * 86400 * 1000))
        assert until(lambda: house.call("GET", f"/api/v1/requests/{request['id']}", officer=rosa)["state"] != "signed")
        assert house.call("GET", f"/api/v1/requests/{request['id']}", officer=rosa)["state"] == "failed"
        made = named(house, name)
        assert made and {stored(house, c) for c in made} == {(1, form)}
        assert orphans(house) == 0
        time.sleep(1.5)  # longer than the policy leaves for claiming it
        house.stop()
        house.start(CHANCERY_CLOCK_OFFSET_MS=str(2 * 86400 * 1000))  # the job runs when it starts
        for c in made:
            assert until(lambda: house.call("GET", f"/api/v1/certificates/{c}", officer=anna)["status"]["state"] == "revoked")  # noqa: B023
        assert reconciliation(house)["missing_in_store"] == 0
        house.wait_sequenced()
        export = scratch / "failed-token.jsonl"
        export.write_bytes(house.export())
        done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export], capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        house.stop()
        house.start()
        body = house.call("GET", f"/api/v1/documents/revocation-policy/{policy}", officer=anna)["body"]
        house.act("revocation-policy.modify", dict(body, state="closed"), anna, ben, obj=policy)


def test_a_token_that_fails_leaves_nothing(tokens):  # noqa: F811
    """Interrupted behind the signature, and refused when it is carried on with: its validity is over by then."""
    house, rosa, anna = tokens, tokens.officers["rosa"], tokens.officers["anna"]
    who = {**SUBJECT, "subject.common-name": "Too Late", "validity.not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                                                                time.gmtime(time.time() + 86400))}
    request = house.prepare(rosa, "token.issue", {"token_procedure": "Soft none", "input": who})
    house.stop()
    house.start(CHANCERY_FAULT="factory.before-sign@1=kill")  # each time that it is carried on with
    try:
        with pytest.raises((Refused, OSError)):
            bring(house, rosa, request)
        house.stop()
        house.start(CHANCERY_CLOCK_OFFSET_MS=str(2 * 86400 * 1000))
        for _ in range(300):
            state = house.call("GET", f"/api/v1/requests/{request['id']}", officer=rosa)["state"]
            if state != "signed":
                break
            time.sleep(0.2)
        assert state == "failed", state
        assert house.call("GET", f"/api/v1/tokens/{request['id']}", officer=rosa)["state"] == "failed"
        with pytest.raises(Refused) as e:
            house.call("GET", f"/api/v1/tokens/{request['id']}/file", officer=rosa)
        assert e.value.code == "CHY-1769"
        assert not [i for i in house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"] if "Too Late" in i["subject"]]
    finally:
        house.stop()
        house.start()
