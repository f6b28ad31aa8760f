"""Officers among themselves: inbox, withdrawing, rejecting, the last pair, whom a profile's change touches."""
import base64
import hashlib
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import world
from world import Refused, make_csr

TLS = {"storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


def waiting(house, name):
    """A request that Anna has signed and that waits for a second officer."""
    anna = house.officers["anna"]
    request = house.prepare(anna, "token-procedure.create", dict(TLS, name=name))
    assert house.bring(anna, request, anna)["state"] == "waiting"
    return request


def shown(house, request):
    return house.call("GET", f"/api/v1/requests/{request['id']}", officer=house.officers["anna"])


def verify(house, scratch):
    house.wait_sequenced()
    (scratch / "export.jsonl").write_bytes(house.export())
    return subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file",
                           scratch / "export.jsonl"], capture_output=True, text=True, check=False)


def inbox(house, officer):
    return [item["id"] for item in house.call("GET", "/api/v1/requests?inbox=true", officer=house.officers[officer])["items"]]


def test_an_inbox_holds_what_its_owner_may_sign(house):
    """rows=CM-O-17"""
    request = waiting(house, "For the inbox")
    assert request["id"] in inbox(house, "ben")
    assert request["id"] not in inbox(house, "anna"), "she has signed it"
    assert request["id"] not in inbox(house, "rosa"), "her roles do not sign procedures"
    ben = house.officers["ben"]
    assert house.bring(ben, shown(house, request), ben)["state"] == "done"
    assert inbox(house, "ben") == []


def test_withdrawing_is_for_who_prepared_it(house):
    """rows=CM-O-23"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    request = waiting(house, "To be withdrawn")
    body = {"request": request["id"], "reason": "a wrong name"}
    for other in (ben, rosa):
        with pytest.raises(Refused) as e:
            house.act("request.withdraw", body, other)
        assert (e.value.status, e.value.code) == (403, "CHY-1616")
    mine = house.prepare(anna, "request.withdraw", body)
    with pytest.raises(Refused) as e:
        house.bring(anna, mine, ben)
    assert e.value.code == "CHY-1616", "asked again of whoever signed it"
    assert house.bring(anna, mine, anna)["result"]["state"] == "withdrawn"
    end = shown(house, request)
    assert end["state"] == "withdrawn" and end["result"] == {"reason": "a wrong name", "by": {"request": mine["id"]}}
    with pytest.raises(Refused) as e:
        house.bring(ben, request, ben)
    assert e.value.code == "CHY-1610"
    with pytest.raises(Refused) as e:
        house.act("request.withdraw", body, anna)
    assert e.value.code == "CHY-1610", "once"


def test_rejecting_is_for_who_could_sign_it(house, scratch):
    """rows=CM-O-23"""
    ben, rosa = house.officers["ben"], house.officers["rosa"]
    request = waiting(house, "To be rejected")
    body = {"request": request["id"], "reason": "nobody needs it"}
    with pytest.raises(Refused) as e:
        house.act("request.reject", body, rosa)
    assert e.value.code == "CHY-1601"
    for bad, status, field in (({"request": request["id"]}, 400, "reason"), (dict(body, reason="  "), 400, "reason"),
                               (dict(body, reason="x" * 1001), 400, "reason"), (dict(body, request=4711), 404, "request"),
                               (dict(body, more=1), 400, "more"), (dict(body, request="x"), 400, "request")):
        with pytest.raises(Refused) as e:
            house.act("request.reject", bad, ben)
        assert (e.value.status, e.value.problem.get("field")) == (status, field), e.value
    assert house.act("request.reject", body, ben)["result"] == {"request": request["id"], "state": "rejected"}
    assert shown(house, request)["state"] == "rejected"
    names = [d["body"]["name"] for d in house.call("GET", "/api/v1/documents/token-procedure", officer=ben)["items"]]
    assert "To be rejected" not in names
    done = verify(house, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_profile_says_whom_it_touches(house):
    """rows=CM-O-07"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    profile = next(d for d in house.call("GET", "/api/v1/documents/officer-profile", officer=anna)["items"]
                   if d["body"]["name"] == "Registration officer")
    body = dict(profile["body"], roles=profile["body"]["roles"] + ["manage-pin-letters"])
    request = house.prepare(anna, "officer-profile.modify", body, obj=profile["id"])
    touched = [o["name"] for o in request["affected_officers"]]
    assert touched == ["Rosa Registrar"]
    assert house.bring(anna, request, anna)["state"] == "waiting"
    assert [o["name"] for o in shown(house, request)["affected_officers"]] == touched, "the second signer sees it too"
    assert house.bring(ben, request, ben)["state"] == "done"


def test_the_last_pair_stays(house):
    """rows=CM-O-29"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    officers = {d["body"]["name"]: d for d in house.call("GET", "/api/v1/documents/officer", officer=anna)["items"]}
    profile = next(d for d in house.call("GET", "/api/v1/documents/officer-profile", officer=anna)["items"]
                   if d["body"]["name"] == "Administration officer")
    mine = officers["Ben Admin"]
    for act, body, obj in (
            ("officer.modify", dict(mine["body"], state="closed"), mine["id"]),
            ("officer.modify", dict(mine["body"], profile=officers["Rosa Registrar"]["body"]["profile"]), mine["id"]),
            ("officer-profile.modify", dict(profile["body"], state="closed"), profile["id"]),
            ("officer-profile.modify", dict(profile["body"], roles=[r for r in profile["body"]["roles"] if r != "policy-tasks"]),
             profile["id"])):
        with pytest.raises(Refused) as e:
            house.act(act, body, anna, ben, obj=obj)
        assert (e.value.status, e.value.code) == (409, "CHY-1619"), (act, e.value)
    third = house.make_officer("Third Admin", "Administration officer", anna, ben, issuer=house.officers["rosa"])
    # with a third one, two requests may be right each, and the second of them wrong once the first is done
    first = house.prepare(anna, "officer.modify", dict(mine["body"], state="closed"), obj=mine["id"])
    other = next(d for d in house.call("GET", "/api/v1/documents/officer", officer=anna)["items"] if d["id"] == third.id)
    second = house.prepare(anna, "officer.modify", dict(other["body"], state="closed"), obj=other["id"])
    assert house.bring(anna, first, anna, third)["state"] == "done"
    with pytest.raises(Refused) as e:
        house.bring(anna, second, anna, third)
    assert e.value.code == "CHY-1619"
    again = house.call("GET", f"/api/v1/documents/officer/{mine['id']}", officer=anna)
    assert house.act("officer.modify", dict(again["body"], state="active"), anna, third, obj=mine["id"])["state"] == "done"


def test_a_renewed_certificate_of_a_subject_works_at_once(house, scratch):
    """rows=CM-O-01,CM-O-04"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    roles = ["use-awb", "policy-tasks", "use-clients", "issue-certificate"]
    for entity in ("subject", "static-token"):
        house.act("officer-profile.create", {"name": f"By {entity}", "entity_type": entity, "roles": roles}, anna, ben)
    sara = house.make_officer("Sara Subject", "By subject", anna, ben, issuer=rosa)
    stan = house.make_officer("Stan Static", "By static-token", anna, ben, issuer=rosa)
    shown = house.call("GET", f"/api/v1/documents/officer/{sara.id}", officer=anna)["body"]
    assert shown["subject"] == "CN=Sara Subject" and shown["certificate_procedure"]

    new_sara, new_stan = house.new_certificate("Sara Subject", sara), house.new_certificate("Stan Static", rosa)
    assert house.call("GET", "/api/v1/whoami", officer=new_sara)["officer"] == sara.id
    with pytest.raises(Refused) as e:
        house.call("GET", "/api/v1/whoami", officer=new_stan)
    assert e.value.status in (401, 403)
    assert house.call("GET", "/api/v1/whoami", officer=stan)["officer"] == stan.id

    # she signs with the new one, and is still one person with the old one
    body = dict(TLS, name="By a renewed certificate")
    request = house.prepare(new_sara, "token-procedure.create", body)
    assert house.bring(new_sara, request, new_sara)["state"] == "waiting"
    with pytest.raises(Refused) as e:
        house.bring(sara, request, sara)
    assert e.value.code == "CHY-1613"
    assert house.bring(ben, request, ben)["state"] == "done"

    # an officer of the boot ceremony would stop all production
    with pytest.raises(Refused) as e:
        house.act("officer.create", dict(name="Booted", profile="By subject", boot=True, certificate_sha256=new_sara.sha256()), anna, ben)
    assert (e.value.code, e.value.problem["field"]) == ("CHY-1508", "boot")

    # the same subject by another procedure is somebody else, and nobody else is bound to the subject
    with pytest.raises(Refused) as e:
        house.act("officer.create", dict(name="Sara again", profile="By subject", certificate_sha256=new_sara.sha256()), anna, ben)
    assert e.value.code == "CHY-1538"
    procedure = next(d for d in house.call("GET", "/api/v1/documents/certificate-procedure", officer=anna)["items"]
                     if d["body"]["name"] == "Officer")
    house.act("certificate-procedure.create", dict(procedure["body"], name="Officer 2"), anna, ben)
    house.act("token-procedure.create", dict(TLS, name="Officer 2", certificate_procedures=["Officer 2"]), anna, ben)
    other = house.new_certificate("Sara Subject", new_sara, procedure="Officer 2")
    with pytest.raises(Refused) as e:
        house.call("GET", "/api/v1/whoami", officer=other)
    assert e.value.status in (401, 403)
    done = verify(house, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_renewed_certificate_of_a_subject_opens_sessions(house):
    """rows=CM-O-01,CM-O-04"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    house.act("officer-profile.create",
              {"name": "Issuer by subject", "entity_type": "subject", "roles": ["use-clients", "issue-certificate"]}, anna, ben)
    ida = house.make_officer("Ida Issuer", "Issuer by subject", anna, ben, issuer=rosa)
    renewed = house.new_certificate("IDA  Issuer", ida)  # one name, RFC 5280 7.1
    for who in (ida, renewed):
        token = house.open_session(officer=who)
        for name in ("one.example.org", "two.example.org"):
            assert house.issue(token, make_csr(None, sans=[name])[0])["id"]


def certificate_for(house, name, key, procedure="Officer", by=None):
    """One more certificate for a key that has one: the officer's files with it; or the refusal's code."""
    csr, _ = make_csr(name, key=key)
    done = house.act("certificate.issue", {"token_procedure": procedure, "requests": [{"csr": base64.b64encode(csr).decode()}]},
                     by or house.officers["rosa"])
    item = done["result"]["certificates"][0]
    if "problem" in item:
        return item["problem"]["code"]
    cert = x509.load_der_x509_certificate(base64.b64decode(item["der"]))
    return world.Officer(house.keys, f"{name} {cert.serial_number}", key, cert)


SOFT = {"storage_profile": "pkcs12", "issuer_certificates": "none"}


def can_act(house, officer):
    try:
        return house.call("GET", "/api/v1/whoami", officer=officer)["officer"]
    except Refused as e:
        assert (e.status, e.code) == (403, "CHY-1711"), e
        return None


def from_soft_token(house, scratch, name, procedure, by):
    """The files that a soft token comes with, or the refusal."""
    request = house.prepare(by, "token.issue", {"token_procedure": procedure, "input": {"subject.common-name": name}})
    cms = [base64.b64encode(by.sign(base64.b64decode(request["to_sign"]))).decode()]
    done = house.call("POST", f"/api/v1/requests/{request['id']}/signatures",
                      {"signatures": cms, "secrets": {"pin": "12345678"}}, by)["result"]
    got = house.call("GET", f"/api/v1/tokens/{done['token']}/file", officer=by)
    (scratch / "token.p12").write_bytes(base64.b64decode(got["file"]))
    return world.Officer.from_p12(house.keys, f"{name} {done['token']}", scratch / "token.p12", b"12345678")


def test_no_officer_is_bound_to_what_is_nobodys(house):
    """An authority's certificate, the root and the server's own are no person's."""
    anna = house.officers["anna"]
    profile = house.call("GET", f"/api/v1/documents/officer/{anna.id}", officer=anna)["body"]["profile"]
    root = x509.load_pem_x509_certificate((house.dir / "root.pem").read_bytes())
    issuing = next(d for d in house.call("GET", "/api/v1/documents/authority", officer=anna)["items"] if d["body"]["name"] == "Issuing CA")
    ca = house.call("GET", f"/api/v1/authorities/{issuing['id']}/certificates")["items"][0]
    for fingerprint in (hashlib.sha256(root.public_bytes(serialization.Encoding.DER)).hexdigest(), ca["sha256"]):
        with pytest.raises(Refused) as e:
            house.prepare(anna, "officer.create", {"name": "Nobody", "profile": profile, "certificate_sha256": fingerprint})
        assert e.value.code == "CHY-1712" and "not a person's" in str(e.value), e.value


def test_who_issues_cannot_become_another_officer(house, scratch):
    """Of an officer who is bound by the subject one registration officer alone makes no second one for himself, neither before nor
    after, by no way; the officer's own renewal works, with a request as with a soft token. rows=CM-O-04"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    house.act("officer-profile.create", {"name": "Boss", "entity_type": "subject", "roles": [
        "use-awb", "officer-tasks", "profile-tasks", "policy-tasks", "use-clients", "issue-certificate"]}, anna, ben)
    house.act("pin-procedure.create", {"name": "Chosen", "method": "entered", "characters": "digits", "length_min": 8,
                                       "length_max": 8}, anna, ben)
    house.act("token-procedure.create", dict(SOFT, name="Officer in a file", pin_procedure="Chosen",
                                             certificate_procedures=["Officer"]), anna, ben)
    ahead = house.new_certificate("Vera Victim", rosa)
    in_file = from_soft_token(house, scratch, "Vera Victim", "Officer in a file", rosa)
    session = house.open_session(procedures=["Officer"])
    by_session = issued_by_session(house, session, "Vera Victim")
    vera = house.make_officer("Vera Victim", "Boss", anna, ben, issuer=rosa)
    assert can_act(house, vera) == vera.id
    for other in (ahead, in_file, by_session):
        assert can_act(house, other) is None, "made ahead: nobody asked for it who was this officer"

    for name in ("Vera Victim", "VERA victim", " Vera  Victim "):
        assert certificate_for(house, name, key_of(ahead)) == "CHY-1656", name
    with pytest.raises(Refused) as e:
        house.issue(session, make_csr("Vera Victim")[0], procedure="Officer")
    assert (e.value.status, e.value.code) == (403, "CHY-1656") and "Vera Victim" in e.value.problem["detail"]
    with pytest.raises(Refused) as e:
        from_soft_token(house, scratch, "vera victim", "Officer in a file", rosa)
    assert e.value.code == "CHY-1656"
    with pytest.raises(Refused) as e:  # not her word for this very one
        house.issue(house.open_session(procedures=["Officer"], officer=vera), make_csr("Vera Victim")[0], procedure="Officer")
    assert e.value.code == "CHY-1656"

    # her own renewals, one by the other
    newer = house.new_certificate("Vera Victim", vera)
    assert can_act(house, newer) == vera.id
    newest = from_soft_token(house, scratch, "Vera Victim", "Officer in a file", newer)
    assert can_act(house, newest) == vera.id
    request = house.prepare(newest, "token-procedure.create", dict(TLS, name="By the newest"))
    assert house.bring(newest, request, newest, ben)["state"] == "done"

    # a lost token: two officers close her, another one is made, two officers bind it; what else was made meanwhile is nobody's
    document = house.call("GET", f"/api/v1/documents/officer/{vera.id}", officer=anna)["body"]
    house.act("officer.modify", dict(document, state="closed"), anna, ben, obj=vera.id)
    bound, meanwhile = house.new_certificate("Vera Victim", rosa), house.new_certificate("Vera Victim", rosa)
    house.act("officer.modify", dict(document, certificate=None, certificate_sha256=bound.sha256()), anna, ben, obj=vera.id)
    assert can_act(house, bound) == vera.id
    for other in (meanwhile, ahead, in_file, by_session):
        assert can_act(house, other) is None
    for other in (newer, newest):
        assert can_act(house, other) is None, "her own, but on the lost card, perhaps: older than the one that was bound then"
    assert certificate_for(house, "Vera Victim", key_of(meanwhile)) == "CHY-1656"
    # her document given to somebody else's subject, who had asked for that before: not asked as whom it was bound to
    other = house.new_certificate("Vera Second", bound)
    second = house.new_certificate("Vera Second", rosa)
    house.act("officer.modify", dict(document, certificate=None, certificate_sha256=second.sha256()), anna, ben, obj=vera.id)
    assert can_act(house, second) == vera.id
    assert can_act(house, other) is None
    done = verify(house, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def issued_by_session(house, session, name):
    csr, key = make_csr(name)
    made = house.issue(session, csr, procedure="Officer")
    cert = x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))
    return world.Officer(house.keys, f"{name} {cert.serial_number}", key, cert)


def key_of(officer):
    return serialization.load_pem_private_key(officer.key_file.read_bytes(), None)


def profile_of(house, entity, name):
    house.act("officer-profile.create", {"name": name, "entity_type": entity,
                                         "roles": ["use-awb", "policy-tasks", "use-clients", "issue-certificate"]},
              house.officers["anna"], house.officers["ben"])


def test_a_new_certificate_on_a_dynamic_token_works_at_once(house, scratch):
    """The token is what has the key: whatever is issued for that later is the officer's too. rows=CM-O-05"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    profile_of(house, "dynamic-token", "By a token")
    dina = house.make_officer("Dina Dynamic", "By a token", anna, ben, issuer=rosa)
    body = house.call("GET", f"/api/v1/documents/officer/{dina.id}", officer=anna)["body"]
    spki = dina.cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert body["keys"] == [hashlib.sha256(spki).hexdigest()]
    newer = certificate_for(house, "Dina Married", key_of(dina))  # another subject, the same token
    for who in (dina, newer):
        assert house.call("GET", "/api/v1/whoami", officer=who)["officer"] == dina.id
    request = house.prepare(newer, "token-procedure.create", dict(TLS, name="By a newer certificate"))
    assert house.bring(newer, request, newer)["state"] == "waiting"
    with pytest.raises(Refused) as e:
        house.bring(dina, request, dina)
    assert e.value.code == "CHY-1613"
    assert house.bring(ben, request, ben)["state"] == "done"
    token = house.open_session(officer=newer)
    assert house.issue(token, make_csr(None, sans=["dina.example.org"])[0])["id"]
    # the same name with another key is another token
    with pytest.raises(Refused) as e:
        house.call("GET", "/api/v1/whoami", officer=house.new_certificate("Dina Dynamic", rosa))
    assert e.value.status in (401, 403)
    # a second officer in one token is no second person (decision 7)
    other = certificate_for(house, "Dora Double", key_of(dina))
    double = house.act("officer.create", dict(name="Dora Double", profile="By a token", certificate_sha256=other.sha256()), anna, ben)
    request = house.prepare(dina, "token-procedure.create", dict(TLS, name="By one token"))
    house.bring(dina, request, dina)
    with pytest.raises(Refused) as e:
        house.bring(other, request, other)
    assert double["state"] == "done" and e.value.code == "CHY-1614"
    house.act("officer.modify", dict(body, state="closed"), anna, ben, obj=dina.id)
    done = verify(house, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_token_is_stopped_with_the_certificate_that_binds(house):
    """Another certificate of the token does not go round that, unless the bound one was superseded. rows=CM-O-05"""
    rosa = house.officers["rosa"]
    profile_of(house, "dynamic-token", "By a stopped token")
    dan = house.make_officer("Dan Dynamic", "By a stopped token", house.officers["anna"], house.officers["ben"], issuer=rosa)
    newer = certificate_for(house, "Dan Dynamic", key_of(dan))
    body = house.call("GET", f"/api/v1/documents/officer/{dan.id}", officer=house.officers["anna"])["body"]
    bound = {"certificates": [{"certificate": body["certificate"]}]}

    def stopped(who, code):
        with pytest.raises(Refused) as e:
            house.call("GET", "/api/v1/whoami", officer=who)
        assert e.value.code == code

    session = house.open_session(officer=newer)
    house.act("certificate.hold", bound, rosa)
    stopped(newer, "CHY-1608")
    stopped(dan, "CHY-1608")
    with pytest.raises(Refused) as e:
        house.issue(session, make_csr(None, sans=["held.example.org"])[0])
    assert e.value.status in (401, 403), e.value
    house.act("certificate.reinstate", bound, rosa)
    assert house.call("GET", "/api/v1/whoami", officer=newer)["officer"] == dan.id
    house.act("certificate.revoke", dict(bound, reason="superseded"), rosa)
    stopped(dan, "CHY-1607")
    assert house.call("GET", "/api/v1/whoami", officer=newer)["officer"] == dan.id

    dave = house.make_officer("Dave Dynamic", "By a stopped token", house.officers["anna"], house.officers["ben"], issuer=rosa)
    newer = certificate_for(house, "Dave Dynamic", key_of(dave))
    body = house.call("GET", f"/api/v1/documents/officer/{dave.id}", officer=house.officers["anna"])["body"]
    house.act("certificate.revoke", {"certificates": [{"certificate": body["certificate"]}], "reason": "key-compromise"}, rosa)
    stopped(newer, "CHY-1607")


def test_nothing_is_issued_to_a_static_token_while_it_is_bound(house):
    """rows=CM-O-06"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    profile_of(house, "static-token", "By a fixed token")
    stig = house.make_officer("Stig Static", "By a fixed token", anna, ben, issuer=rosa)
    key = key_of(stig)
    assert certificate_for(house, "Stig Static", key) == "CHY-1655"
    session = house.open_session()
    with pytest.raises(Refused) as e:
        house.issue(session, make_csr(None, key=key, sans=["stig.example.org"])[0])
    assert (e.value.code, e.value.status) == ("CHY-1655", 409) and "Stig Static" in e.value.problem["detail"]
    assert house.call("GET", "/api/v1/whoami", officer=stig)["officer"] == stig.id
    body = house.call("GET", f"/api/v1/documents/officer/{stig.id}", officer=anna)["body"]
    house.act("officer.modify", dict(body, state="closed"), anna, ben, obj=stig.id)
    newer = certificate_for(house, "Stig Static", key)  # the binding is over
    assert house.issue(session, make_csr(None, key=key, sans=["stig.example.org"])[0])["id"]
    house.act("officer.modify", dict(body, certificate=None, certificate_sha256=newer.sha256(), state="active"), anna, ben, obj=stig.id)
    assert certificate_for(house, "Stig Static", key) == "CHY-1655"
    assert house.call("GET", "/api/v1/whoami", officer=newer)["officer"] == stig.id
    with pytest.raises(Refused):
        house.call("GET", "/api/v1/whoami", officer=stig)


def test_name_constraints_limit_for_whom_an_officer_issues(house):
    """rows=CM-O-11"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    house.act("officer-profile.create",
              {"name": "Of the north", "entity_type": "static-token", "roles": ["use-clients", "issue-certificate"],
               "permitted_names": ["dns:north.example.org"], "excluded_names": ["dns:secret.north.example.org"]}, anna, ben)
    nora = house.make_officer("Nora North", "Of the north", anna, ben, issuer=rosa)
    token = house.open_session(officer=nora)

    def issue(*names):
        return house.issue(token, make_csr(None, sans=names)[0])

    assert issue("a.north.example.org", "north.example.org")["id"]
    for names in (["a.south.example.org"], ["a.north.example.org", "b.example.org"], ["x.secret.north.example.org"],
                  ["notnorth.example.org"]):
        with pytest.raises(Refused) as e:
            issue(*names)
        assert (e.value.status, e.value.code) == (403, "CHY-1629"), e.value
        assert "Nora North" in e.value.problem["detail"]
    csr = base64.b64encode(make_csr(None, sans=["a.south.example.org"])[0]).decode()
    refused = house.act("certificate.issue", {"token_procedure": "TLS server", "requests": [{"csr": csr, "name": "south"}]}, nora)
    assert "CHY-1629" in str(refused["result"]["certificates"][0])
    for bad in ("rid:1.2.3", "north.example.org", "ip:10.0.0.0/99"):
        with pytest.raises(Refused) as e:
            house.prepare(anna, "officer-profile.create",
                          {"name": "Bad", "entity_type": "subject", "permitted_names": [bad]})
        assert (e.value.status, e.value.problem["field"]) == (400, "permitted_names[0]"), (bad, e.value)


def connects(house, officer=None, **kw):
    """None, or what the connection is refused with, in the same way by each route."""
    codes = set()
    for path in ("/api/v1/whoami", "/api/v1/documents/domain", "/api/v1/requests", "/api/v1/certificates"):
        try:
            house.call("GET", path, officer=officer, **kw)
            codes.add(None)
        except Refused as e:
            codes.add((e.status, e.code))
    assert len(codes) == 1, codes
    return codes.pop()


def test_a_connection_needs_an_officer_with_a_bench(house):
    """An officer's certificate, and with its profile Use clients or Use AWB, as the profile stands now. rows=CM-O-30"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    assert connects(house, tls=True)[0] == 401, "no certificate"
    assert connects(house, house.new_certificate("Nobody", rosa))[0] in (401, 403), "one that no officer has"
    made = house.act("officer-profile.create", {"name": "No bench", "entity_type": "subject",
                                                "roles": ["issue-certificate", "audit-tasks"]}, anna, ben)["result"]["id"]
    nora = house.make_officer("Nora No Bench", "No bench", anna, ben, issuer=rosa)
    for bench in (None, "use-clients", None, "use-awb"):
        profile = house.call("GET", f"/api/v1/documents/officer-profile/{made}", officer=anna)
        roles = ["issue-certificate", "audit-tasks"] + ([bench] if bench else [])
        if profile["body"]["roles"] != roles:
            house.act("officer-profile.modify", dict(profile["body"], roles=roles), anna, ben, obj=made)
        if bench is None:
            assert connects(house, nora) == (403, "CHY-1601")
            with pytest.raises(Refused) as e:
                house.prepare(nora, "certificate.issue", {"token_procedure": "TLS server", "requests": []})
            assert e.value.code == "CHY-1601"
        else:
            assert house.call("GET", "/api/v1/whoami", officer=nora)["name"] == "Nora No Bench"


def test_an_expired_certificate_is_refused(scratch):
    """At login and at signing, when somebody else brings the signature. rows=CM-O-31"""
    day, house = 86400, world.World(scratch / "house")
    try:
        house.start().make_officers()
        anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
        csr, key = make_csr("Short")
        done = house.act("certificate.issue", {
            "token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode()}],
            "validity": {"not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + day))}}, rosa)
        item = done["result"]["certificates"][0]
        der = base64.b64decode(item["der"])
        house.act("officer.create", {"name": "Short", "profile": "Registration officer", "certificate": item["certificate"],
                                     "certificate_sha256": hashlib.sha256(der).hexdigest()}, anna, ben)
        short = world.Officer(house.keys, "Short", key, x509.load_der_x509_certificate(der))
        assert connects(house, short) is None
        house.stop()
        house.start(CHANCERY_CLOCK_OFFSET_MS=str(2 * day * 1000))
        assert connects(house, short) == (403, "CHY-1606")
        csr = base64.b64encode(make_csr("late")[0]).decode()
        request = house.prepare(rosa, "certificate.issue", {"token_procedure": "Officer", "requests": [{"csr": csr}]})
        with pytest.raises(Refused) as e:
            house.bring(rosa, request, short)
        assert (e.value.status, e.value.code) == (403, "CHY-1606")
        assert house.bring(rosa, request, rosa)["state"] == "done", "whose certificate is valid still"
    finally:
        house.stop()
