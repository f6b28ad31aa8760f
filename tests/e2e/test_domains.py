"""Two tenants, North and South, who share the authorities: what an officer of one can learn of the other's, or do to it."""
import hashlib

import pytest

from test_log_domains import issue as issue_tls, make_officer, tenants  # noqa: F401 (a fixture)
from test_tokens import issue, refused, tokens  # noqa: F401
from world import Refused, make_csr


@pytest.fixture(scope="module")
def house(sqlite_house):
    return sqlite_house


def requests(house, who, **filters):
    query = "&".join(f"{k}={v}" for k, v in dict(filters, limit=1000).items())
    return [i["id"] for i in house.call("GET", f"/api/v1/requests?{query}", officer=house.officers[who])["items"]]


def test_requests_of_others_are_not_there(tenants):  # noqa: F811
    """By list and by number: what the auditor's role and the act's roles allow ends at the domain. rows=CM-O-12"""
    mine, rejected = tenants.made["issue"], tenants.made["rejected"]  # of Harbour, below North; of South
    for who, own, foreign in (("nora", mine, rejected), ("hanna", mine, rejected), ("sven", rejected, mine)):
        assert own in requests(tenants, who) and foreign not in requests(tenants, who)
        assert tenants.call("GET", f"/api/v1/requests/{own}", officer=tenants.officers[who])["id"] == own
        with pytest.raises(Refused) as e:
            tenants.call("GET", f"/api/v1/requests/{foreign}", officer=tenants.officers[who])
        assert (e.value.status, e.value.code) == (404, "CHY-1603")
    assert {mine, rejected} <= set(requests(tenants, "anna"))
    by_certificate = tenants.act("certificate.hold", {"certificates": [{"certificate": tenants.made["south"]}]}, tenants.officers["rosa"])
    tenants.act("certificate.reinstate", {"certificates": [{"certificate": tenants.made["south"]}]}, tenants.officers["rosa"])
    assert by_certificate["id"] in requests(tenants, "sven") and by_certificate["id"] not in requests(tenants, "nora")


def test_an_authority_is_not_for_every_domain_to_keep(tenants):  # noqa: F811
    """Who may not revoke it may not reject its revocation either; the second officer sees what is to be signed. rows=CM-O-23"""
    anna, ben, sven = (tenants.officers[o] for o in ("anna", "ben", "sven"))
    authority = next(d for d in tenants.call("GET", "/api/v1/documents/authority", officer=anna)["items"] if d["name"] == "Issuing CA")
    der = tenants.call("GET", f"/api/v1/authorities/{authority['id']}/certificate", headers={"Accept": "application/pkix-cert"})
    own = tenants.call("GET", f"/api/v1/certificates?sha256={hashlib.sha256(der).hexdigest()}", officer=anna)["items"][0]
    request = tenants.prepare(anna, "authority.revoke", {"certificates": [{"certificate": own["id"]}], "reason": "superseded"})
    assert tenants.bring(anna, request, anna)["state"] == "waiting"
    with pytest.raises(Refused) as e:
        tenants.act("request.reject", {"request": request["id"], "reason": "not in the south"}, sven)
    assert e.value.code == "CHY-1602"
    assert request["id"] not in requests(tenants, "sven", inbox="true")
    assert request["id"] in requests(tenants, "ben", inbox="true")
    shown = tenants.call("GET", f"/api/v1/requests/{request['id']}", officer=ben)
    assert shown["difference"] == request["difference"] != []
    tenants.act("request.reject", {"request": request["id"], "reason": "it stays"}, ben)


def test_what_is_hidden_is_not_told_apart(tenants):  # noqa: F811
    """rows=CM-O-12"""
    nina, anna = tenants.officers["nina"], tenants.officers["anna"]
    row = tenants.call("GET", f"/api/v1/certificates/{tenants.made['south']}", officer=anna)
    told = set()
    for item in ({"certificate": row["id"]}, {"certificate": 1},
                 {"authority": row["authority"], "serial": row["serial"]}, {"authority": row["authority"], "serial": "4711"},
                 {"authority": 4711, "serial": "4711"}):
        with pytest.raises(Refused) as e:
            tenants.prepare(nina, "certificate.hold", {"certificates": [item]})
        told.add((e.value.status, e.value.code, e.value.problem["detail"], e.value.problem["field"]))
    assert len(told) == 1, told


def test_keys_of_others_stay_in_the_archive(tenants, tokens):  # noqa: F811
    """An officer of North recovers nothing that was archived in South, by whatever name. rows=CM-I-06,CM-O-12"""
    anna, ben = tokens.officers["anna"], tokens.officers["ben"]
    body = next(d for d in tokens.call("GET", "/api/v1/documents/token-procedure", officer=anna)["items"] if d["name"] == "Soft none")["body"]
    for name in ("North", "South"):
        tokens.act("token-procedure.create", dict(body, name=f"Soft {name}", domain=name), anna, ben)
    make_officer(tokens, "rina", "Rina North", "Recovery officer", "North")
    who = {"subject.common-name": "Paula Person"}
    south = issue(tokens, "Soft South", **who)["archived"]
    with refused("CHY-1767"):
        issue(tokens, "Recover latest", "rina", **who)
    with refused("CHY-1767"):
        issue(tokens, "Recover all", "rina", **who)
    north = issue(tokens, "Soft North", **who)["archived"]
    issue(tokens, "Soft South", **who)  # the newest is not hers
    assert issue(tokens, "Recover latest", "rina", **who)["recovered"] == north
    assert issue(tokens, "Recover all", "rina", **who)["recovered"] == north
    assert len(issue(tokens, "Recover all", "rita", **who)["recovered"]) == 3 and south != north


def test_what_root_procedures_made_is_changed_by_who_had_it_made(tenants):  # noqa: F811
    """By a procedure of Root that all tenants use: each changes its own alone, and none what Root's officers made; the domain above does.
    rows=CM-O-13"""
    anna, ben, rosa, nina = (tenants.officers[o] for o in ("anna", "ben", "rosa", "nina"))
    sam = make_officer(tenants, "sam", "Sam Southern", "Registration officer", "South")
    hugo = make_officer(tenants, "hugo", "Hugo Harbour", "Registration officer", "Harbour")
    token = tenants.open_session(procedures=("TLS server",), officer=hugo)
    by_session = tenants.issue(token, make_csr(None, sans=["session.example.org"])[0])["id"]
    by_sam, _ = issue_tls(tenants, "sam", "TLS server", "sam.example.org")
    by_root, by_nina = tenants.made["root"], tenants.made["shared"]
    rule = tenants.act("distribution-rule.create", {"name": "Shared web", "protocol": "http", "address": "http://127.0.0.1:9",
                                                    "path": "/{serial}"}, anna, ben)["result"]["id"]
    tenants.act("publication-procedure.create", {"name": "Shared", "format": "der", "distribution_rules": [rule]}, anna, ben)
    for who, own, others in ((nina, (by_nina, by_session), (by_root, by_sam)), (sam, (by_sam,), (by_root, by_nina, by_session)),
                             (hugo, (by_session,), (by_root, by_nina, by_sam)), (rosa, (by_root, by_nina, by_sam, by_session), ())):
        for number in others:
            assert tenants.call("GET", f"/api/v1/certificates/{number}", officer=who)["id"] == number, "seen all the same"
            for act, more in (("certificate.hold", {}), ("certificate.revoke", {"reason": "superseded"}),
                              ("certificate.publish", {"publication_procedure": "Shared"}),
                              ("certificate.unpublish", {"publication_procedure": "Shared"})):
                item = number if more.get("publication_procedure") else {"certificate": number}
                with pytest.raises(Refused) as e:
                    tenants.prepare(who, act, dict(more, certificates=[item]))
                assert (e.value.status, e.value.code) == (403, "CHY-1602"), (act, number)
        for number in own:
            body = {"certificates": [{"certificate": number}]}
            tenants.act("certificate.hold", body, who)
            tenants.act("certificate.reinstate", body, who)
            tenants.act("certificate.publish", {"certificates": [number], "publication_procedure": "Shared"}, who)
    delivery = next(d["id"] for d in tenants.call("GET", "/api/v1/deliveries?limit=1000", officer=rosa)["items"] if d["object"] == by_nina)
    published = lambda who: {i["certificate"] for i in tenants.call(  # noqa: E731
        "GET", "/api/v1/publications?procedure=Shared&limit=1000", officer=tenants.officers[who])["items"]}
    tenants.act("certificate.publish", {"certificates": [tenants.made["south"]], "publication_procedure": "Shared"}, rosa)
    assert published("rosa") - published("nina") == {tenants.made["south"]} and by_nina in published("nina")
    for act in ("delivery.drop", "delivery.retry"):
        with pytest.raises(Refused) as e:
            tenants.prepare(sam, act, {"deliveries": [delivery]})
        assert e.value.code == "CHY-1602"


def test_officers_who_move_leave_behind_what_they_had_issued(tenants):  # noqa: F811
    """A certificate stays in the domain where its asker was at home when it was issued, by a request as by a session that goes on. rows=CM-O-13"""
    anna, ben, nina = (tenants.officers[o] for o in ("anna", "ben", "nina"))
    mover = make_officer(tenants, "mona", "Mona Mover", "Registration officer", "South")
    stayer = make_officer(tenants, "stan", "Stan Stayer", "Registration officer", "South")
    token = tenants.open_session(procedures=("TLS server",), officer=mover)

    def made(name):
        return issue_tls(tenants, "mona", "TLS server", name)[0], tenants.issue(token, make_csr(None, sans=[f"s.{name}"])[0])["id"]

    before = made("before.example.org")
    mine = next(d for d in tenants.call("GET", "/api/v1/documents/officer?limit=1000", officer=anna)["items"] if d["name"] == "Mona Mover")
    tenants.act("officer.modify", dict(mine["body"], domain=tenants.domains["North"]), anna, ben, obj=mine["id"])
    after = made("after.example.org")
    for own, other, numbers in ((stayer, nina, before), (mover, stayer, after), (nina, stayer, after), (stayer, mover, before)):
        for number in numbers:
            body = {"certificates": [{"certificate": number}]}
            with pytest.raises(Refused) as e:
                tenants.prepare(other, "certificate.hold", body)
            assert (e.value.status, e.value.code) == (403, "CHY-1602"), number
            tenants.act("certificate.hold", body, own)
            tenants.act("certificate.reinstate", body, own)


def test_a_domain_binds_no_certificate_of_others(tenants):  # noqa: F811
    """Its subject and keys would be an officer's from then on, and its owner locked out: what the officers may change they bind, no other.
    rows=CM-O-13"""
    nora, nils, nina = (tenants.officers[o] for o in ("nora", "nils", "nina"))
    rosas = tenants.new_certificate("Rosa Another", tenants.officers["rosa"])
    ninas = tenants.new_certificate("Nina Another", nina)
    profile = {"name": "Northern", "entity_type": "subject", "roles": ["use-clients"], "domain": "North"}
    tenants.act("officer-profile.create", profile, nora, nils)
    body = {"name": "Northern one", "profile": "Northern", "domain": "North"}
    with pytest.raises(Refused) as e:
        tenants.prepare(nora, "officer.create", dict(body, certificate_sha256=rosas.sha256()))
    assert (e.value.status, e.value.code) == (403, "CHY-1602")
    made = tenants.act("officer.create", dict(body, certificate_sha256=ninas.sha256()), nora, nils)["result"]["id"]
    held = tenants.call("GET", f"/api/v1/documents/officer/{made}", officer=nora)["body"]
    with pytest.raises(Refused) as e:
        tenants.prepare(nora, "officer.modify", dict(held, certificate=None, certificate_sha256=rosas.sha256()), made)
    assert e.value.code == "CHY-1602"
    # the rights are asked before the body is looked at: no refusal tells what there is
    with pytest.raises(Refused) as e:
        tenants.prepare(nina, "officer.create", dict(body, name="X", certificate_sha256=rosas.sha256()))
    assert e.value.code == "CHY-1601"
