"""The request log of officers of a domain: what is about that domain and those below it, nothing else."""
import base64

import pytest

from world import Refused, make_csr

TLS = {"storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


def make_officer(house, slot, name, profile, domain):
    """An officer who lies in a domain."""
    anna, ben = house.officers["anna"], house.officers["ben"]
    officer = house.new_certificate(name, house.officers["rosa"])
    item = house.call("GET", f"/api/v1/certificates?sha256={officer.sha256()}", officer=anna)["items"][0]
    made = house.act("officer.create", {"name": name, "profile": profile, "domain": domain, "certificate": item["id"],
                                        "certificate_sha256": officer.sha256()}, anna, ben)
    officer.id = made["result"]["id"]
    house.officers[slot] = officer
    return officer


def pages(house, who, limit=1000, **filters):
    """All pages of a question."""
    found, after = [], 0
    while after is not None:
        query = "&".join(f"{k}={v}" for k, v in dict(filters, after=after, limit=limit).items())
        page = house.call("GET", f"/api/v1/log?{query}", officer=house.officers[who])
        found += page["items"]
        after = page["next"]
    return found


def ids(entries):
    return [i["id"] for i in entries]


def issue(house, who, procedure, name):
    csr = base64.b64encode(make_csr(None, sans=[name])[0]).decode()
    done = house.act("certificate.issue", {"token_procedure": procedure, "requests": [{"csr": csr}]}, house.officers[who])
    return done["result"]["certificates"][0]["certificate"], done["id"]


@pytest.fixture(scope="module")
def tenants(house):
    """North with Harbour below it, and South; things happen in each of them and in Root."""
    anna, ben = house.officers["anna"], house.officers["ben"]
    for name, parent in (("North", None), ("Harbour", "North"), ("South", None)):
        house.act("domain.create", {"name": name, **({"parent": parent} if parent else {})}, anna, ben)
    d = {x["name"]: x["id"] for x in house.call("GET", "/api/v1/documents/domain", officer=anna)["items"]}
    for slot, name, profile, domain in (("nora", "Nora North", "Administration officer", "North"),
                                        ("nils", "Nils North", "Administration officer", "North"),
                                        ("hanna", "Hanna Harbour", "Administration officer", "Harbour"),
                                        ("sven", "Sven South", "Administration officer", "South"),
                                        ("nina", "Nina Northern", "Registration officer", "North")):
        make_officer(house, slot, name, profile, domain)
    made = {}
    for name in ("North", "Harbour", "South"):
        made[name] = house.act("token-procedure.create", dict(TLS, name=f"TLS {name}", domain=name), anna, ben)["result"]["id"]
    made["cert"], made["issue"] = issue(house, "rosa", "TLS Harbour", "harbour.example.org")
    made["shared"], _ = issue(house, "nina", "TLS server", "shared.example.org")  # an officer of North by what all may use
    made["south"], _ = issue(house, "rosa", "TLS South", "south.example.org")
    made["root"], _ = issue(house, "rosa", "TLS server", "root.example.org")
    token = house.open_session(procedures=("TLS South",))
    made["machine"] = house.issue(token, make_csr(None, sans=["machine.example.org"])[0], procedure="TLS South")["id"]
    with pytest.raises(Refused):
        house.issue(token, make_csr("no names")[0], procedure="TLS South")
    with pytest.raises(Refused):
        house.prepare(house.officers["nina"], "token-procedure.create", dict(TLS, name="Not hers", domain="North"))
    rejected = house.prepare(anna, "token-procedure.modify", dict(TLS, name="TLS South", domain="South", issuer_certificates="root"),
                             made["South"])
    house.bring(anna, rejected, anna)
    house.act("request.reject", {"request": rejected["id"], "reason": "not in the south"}, ben)
    made["rejected"] = rejected["id"]
    house.act("token-procedure.create", dict(TLS, name="Moved", domain="South"), anna, ben)
    moved = house.call("GET", "/api/v1/documents/token-procedure?name=Moved", officer=anna)["items"][0]["id"]
    house.act("token-procedure.modify", dict(TLS, name="Moved", domain="Harbour"), anna, ben, obj=moved)
    made["moved"] = moved
    house.domains, house.made = d, made
    return house


def test_each_auditor_sees_the_own_domain_and_below(tenants):
    """rows=CM-O-12,CM-O-24"""
    d, whole = tenants.domains, pages(tenants, "anna")
    below = {"nora": {d["North"], d["Harbour"]}, "hanna": {d["Harbour"]}, "sven": {d["South"]}}
    for who, own in below.items():
        want = [i["id"] for i in whole if own & set(i["domains"])]
        got = ids(pages(tenants, who))
        assert [i for i in got if i <= whole[0]["id"]] == want, who
        assert 0 < len(want) < len(whole)
    assert {i["kind"] for i in whole if not i["domains"]} >= {"genesis", "document", "signature", "certificate"}


def test_what_each_thing_is_about(tenants):
    """rows=CM-O-12,CM-O-25"""
    d, m = tenants.domains, tenants.made
    whole = {i["id"]: i for i in pages(tenants, "anna")}
    assert whole[m["cert"]]["domains"] == [d["Harbour"]]
    assert whole[m["shared"]]["domains"] == [d["North"]]
    assert whole[m["south"]]["domains"] == [d["South"]]
    assert whole[m["machine"]]["domains"] == [d["South"]]
    assert whole[m["root"]]["domains"] == []
    created = [i for i in whole.values() if i["kind"] == "document" and d["Harbour"] in i["objects"]]
    assert [sorted(i["domains"]) for i in created] == [sorted([d["North"], d["Harbour"]])]  # and of the one that it was put into
    refused = [i for i in whole.values() if i["kind"] == "refusal"]
    assert [d["South"]] in [i["domains"] for i in refused if i["act"] == "certificate.issue"]
    assert [d["North"]] in [i["domains"] for i in refused if i["act"] == "token-procedure.create"]
    session = [i for i in whole.values() if i["kind"] == "session"]
    assert [d["South"]] in [i["domains"] for i in session]
    moved = [i for i in whole.values() if i["kind"] == "document" and m["moved"] in i["objects"]]
    assert sorted(sorted(i["domains"]) for i in moved) == sorted([[d["South"]], sorted([d["South"], d["Harbour"]])])


def test_ending_a_request_is_about_what_it_would_have_done(tenants):
    """rows=CM-O-12,CM-O-23"""
    about = pages(tenants, "sven", object=tenants.made["rejected"])
    assert {i["kind"] for i in about} == {"signature", "request-state"}
    assert {i["act"] for i in about} == {"token-procedure.modify", "request.reject"}
    assert {i["category"] for i in about} == {"administration.policy"}
    assert pages(tenants, "nora", object=tenants.made["rejected"]) == []


def test_questions_about_an_object_of_others_find_nothing(tenants):
    """rows=CM-O-12,CM-O-25"""
    m = tenants.made
    for what in ("cert", "Harbour", "issue"):
        assert pages(tenants, "hanna", object=m[what]) == pages(tenants, "nora", object=m[what]) == \
               pages(tenants, "anna", object=m[what]) != []
        assert pages(tenants, "sven", object=m[what]) == []
    for what in ("south", "machine", "root", "South"):
        assert pages(tenants, "nora", object=m[what]) == pages(tenants, "hanna", object=m[what]) == [], what


def test_filters_combine_within_the_domain(tenants):
    """rows=CM-O-12,CM-O-25"""
    d = tenants.domains
    mine = pages(tenants, "nora")
    for filters in ({"category": "certificates"}, {"category": "certificates.issued"}, {"failed": "true"},
                    {"officer": tenants.officers["anna"].id}, {"category": "administration", "officer": tenants.officers["ben"].id},
                    {"from": mine[len(mine) // 2]["at"]}):
        whole = [i for i in pages(tenants, "anna", **filters) if {d["North"], d["Harbour"]} & set(i["domains"])]
        assert ids(pages(tenants, "nora", **filters)) == ids(whole), filters
    by_nina = pages(tenants, "nora", officer="Nina%20Northern")
    assert by_nina and all(tenants.officers["nina"].id in [o["id"] for o in i["officers"]] for i in by_nina)
    with pytest.raises(Refused, match="CHY-1530"):
        pages(tenants, "nora", officer="Sven%20South")
    assert pages(tenants, "nora", officer=tenants.officers["sven"].id) == []


def test_pages_are_stable_while_more_happens(tenants):
    """rows=CM-O-12,CM-O-25"""
    anna, ben, whole = tenants.officers["anna"], tenants.officers["ben"], ids(pages(tenants, "nora"))
    seen, after, n = [], 0, 0
    while after is not None:
        page = tenants.call("GET", f"/api/v1/log?limit=5&after={after}", officer=tenants.officers["nora"])
        assert page["next"] is None or len(page["items"]) == 5
        seen += ids(page["items"])
        after, n = page["next"], n + 1
        if n < 3:
            tenants.act("domain.create", {"name": f"Between {n}", "parent": "Harbour"}, anna, ben)
    assert seen == whole
    assert len(pages(tenants, "nora")) > len(whole)


def test_the_view_is_narrowed_to_a_domain_below_and_no_other(tenants):
    """rows=CM-O-15"""
    harbour = ids(pages(tenants, "nora", domain="Harbour"))
    assert harbour == ids(pages(tenants, "hanna")) == ids(pages(tenants, "anna", domain=tenants.domains["Harbour"]))
    assert set(harbour) < set(ids(pages(tenants, "nora"))) and ids(pages(tenants, "nora", domain="North")) == ids(pages(tenants, "nora"))
    for domain in ("South", tenants.domains["South"]):
        with pytest.raises(Refused, match="CHY-1"):
            pages(tenants, "nora", domain=domain)
    with pytest.raises(Refused, match="CHY-1"):
        pages(tenants, "hanna", domain="North")


def test_the_whole_journal_is_for_those_who_see_all(tenants):
    """rows=CM-O-12"""
    status, _, body = tenants.raw("GET", "/api/v1/journal/export", officer=tenants.officers["nora"])
    assert status == 403 and b"CHY-16" in body
    assert tenants.raw("GET", "/api/v1/journal/export", officer=tenants.officers["anna"])[0] == 200


def test_a_domain_that_moves_takes_its_future_with_it(tenants):
    """What happened below the old parent stays with it; what happens later is also the new one's. rows=CM-O-12"""
    anna, ben = tenants.officers["anna"], tenants.officers["ben"]
    tenants.act("domain.create", {"name": "Island", "parent": "North"}, anna, ben)
    island = tenants.call("GET", "/api/v1/documents/domain?name=Island", officer=anna)["items"][0]["id"]
    before = ids(pages(tenants, "nora", object=island))
    assert len(before) == 3 and pages(tenants, "sven", object=island) == []
    tenants.act("domain.modify", {"name": "Island", "parent": "South"}, anna, ben, obj=island)
    tenants.act("domain.create", {"name": "Beach", "parent": "Island"}, anna, ben)
    beach = tenants.call("GET", "/api/v1/documents/domain?name=Beach", officer=anna)["items"][0]["id"]
    assert len(pages(tenants, "sven", object=beach)) == 3 and pages(tenants, "nora", object=beach) == []
    assert set(before) <= set(ids(pages(tenants, "nora", object=island)))
