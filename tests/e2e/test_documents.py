"""Policy documents as officers meet them: over REST and at the command line."""
import base64
import json
import re
import sqlite3
import subprocess

import pytest

from test_cli import Cli
from world import Refused, make_csr

CARD = {"storage_profile": "smart-card", "card_serial_number": True, "pin_procedure": "PIN", "certificate_procedures": ["TLS server"]}
TLS = {"storage_profile": "pkcs10", "certificate_procedures": ["TLS server"]}


@pytest.fixture(scope="module")
def house(sqlite_house):
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    house.act("pin-procedure.create", {"name": "PIN", "method": "shown"}, anna, ben)
    return house


def create(house, kind, **body):
    """The id of a new document, signed by both."""
    done = house.act(f"{kind}.create", body, house.officers["anna"], house.officers["ben"])
    assert done["state"] == "done", done
    return done["result"]["id"]


def show(house, kind, number):
    return house.call("GET", f"/api/v1/documents/{kind}/{number}", officer=house.officers["anna"])


def modify(house, kind, number, **more):
    body = dict(show(house, kind, number)["body"], **more)
    return house.act(f"{kind}.modify", {k: v for k, v in body.items() if v is not None}, house.officers["anna"],
                     house.officers["ben"], obj=number)


def refused(code, call, *args, **more):
    with pytest.raises(Refused) as e:
        call(*args, **more)
    assert e.value.code == code, e.value
    return e.value.problem


@pytest.mark.parametrize("kind,body", [
    ("key-procedure", {"action": "archive"}),
    ("key-procedure", {"action": "recover", "certificate": "new", "certificate_procedure": "TLS server", "keys": "all"}),
    ("pin-procedure", {"method": "entered", "characters": "digits", "length_min": 4, "length_max": 8}),
    ("crl-procedure", {"authority": "Issuing CA", "distribution_points": ["http://crl.example/1"], "include": False}),
    ("distribution-rule", {"protocol": "ldap", "address": "ldap://directory.example:389", "dn": "cn={cn},o=Example"}),
    ("publication-procedure", {"format": "der"}),
    ("cil-procedure", {"authority": "Issuing CA", "served_as": "kinds", "interval": "P1D"}),
    ("revocation-policy", {"reasons": ["key-compromise", "superseded"], "unclaimed_after": "P2D"}),
    ("input-view", {"fields": [{"input": "subject.common-name", "mandatory": True}]}),
])
def test_every_new_kind_is_made_changed_closed_and_kept(house, kind, body):
    """Two officers each time; nothing is ever deleted. rows=CM-T-01,CM-T-40"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    name = f"{kind} {len(body)}"
    refused("CHY-1601", house.prepare, rosa, f"{kind}.create", dict(body, name=name))
    request = house.prepare(anna, f"{kind}.create", dict(body, name=name))
    refused("CHY-1613", lambda: (house.bring(anna, request, anna), house.bring(anna, request, anna)))
    number = house.bring(ben, request, ben)["result"]["id"]
    assert show(house, kind, number)["body"].items() >= {"name": name, "state": "active"}.items()
    both = [house.prepare(o, f"{kind}.modify", dict(show(house, kind, number)["body"], name=f"{name} {o.name}"), number)
            for o in (anna, ben)]
    house.bring(ben, both[1], ben)  # waits for its second officer ...
    assert house.bring(anna, both[0], anna, ben)["state"] == "done"
    refused("CHY-1612", house.bring, anna, both[1], anna)  # ... who comes after the base has changed
    assert house.call("GET", f"/api/v1/requests/{both[1]['id']}", officer=ben)["state"] == "void"
    assert show(house, kind, number)["name"] == f"{name} {anna.name}"
    modify(house, kind, number, state="closed")
    for path in (f"/api/v1/documents/{kind}/{number}", f"/api/v1/documents/{kind}"):
        refused("CHY-1816", house.call, "DELETE", path, officer=anna)
    assert show(house, kind, number)["version"] == 3
    assert number in [d["id"] for d in house.call("GET", f"/api/v1/documents/{kind}?state=closed", officer=anna)["items"]]


# ---- serial numbers ----

def test_ranges_in_use(house):
    """Every range with its procedure, over REST and at the command line. rows=CM-T-08"""
    anna, rosa = house.officers["anna"], house.officers["rosa"]
    b = create(house, "token-procedure", name="Cards B", serial_number_from=2000, serial_number_to=2999, **CARD)
    a = create(house, "token-procedure", name="Cards A", serial_number_from=1000, serial_number_to=1999, **CARD)
    items = house.call("GET", "/api/v1/card-serial-ranges", officer=anna)["items"]
    assert items == [{"token_procedure": n, "name": name, "state": "active", "from": f, "to": f + 999, "next": f, "left": 1000}
                     for n, name, f in ((a, "Cards A", 1000), (b, "Cards B", 2000))]
    refused("CHY-1820", house.call, "GET", "/api/v1/card-serial-ranges", officer=rosa)


def test_overlap_is_refused_when_signed(house):
    """Also when the other came between preparation and signature; it is named. rows=CM-T-09"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    request = house.prepare(anna, "token-procedure.create",
                            dict(CARD, name="Late", serial_number_from=5000, serial_number_to=5999))
    house.bring(anna, request, anna)
    early = create(house, "token-procedure", name="Early", serial_number_from=5999, serial_number_to=6001, **CARD)
    assert "Early" in refused("CHY-1537", house.bring, ben, request, ben)["detail"]
    assert "Early" in refused("CHY-1537", house.prepare, anna, "token-procedure.create",
                              dict(CARD, name="Late", serial_number_from=5000, serial_number_to=5999))["detail"]
    modify(house, "token-procedure", early, state="closed")
    assert house.bring(ben, request, ben)["state"] == "done", "a closed procedure's range is free"
    reopen = dict(show(house, "token-procedure", early)["body"], state="active")
    assert "Late" in refused("CHY-1537", house.prepare, anna, "token-procedure.modify", reopen, early)["detail"]


# ---- closing ----

def test_closing_names_the_users_and_uses_name_the_closed(house):
    """Closing is allowed, with a warning; what uses it is refused by its name. rows=CM-T-03,CM-T-40"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    view = create(house, "input-view", name="Hosts", fields=[{"input": "san.dns"}])
    number = create(house, "token-procedure", name="With a view", input_view="Hosts", **TLS)
    token = house.open_session(procedures=["With a view"])
    references = house.call("GET", f"/api/v1/documents/input-view/{view}/references", officer=anna)["items"]
    assert references == [{"kind": "token-procedure", "id": number, "name": "With a view", "field": "input_view", "state": "active"}]
    body = dict(show(house, "input-view", view)["body"], state="closed")
    request = house.prepare(anna, "input-view.modify", body, view)
    assert [(w["field"], w["kind"], w["document"]) for w in request["warnings"]] == [("state", "token-procedure", number)]
    assert "With a view" in request["warnings"][0]["text"]
    assert house.bring(anna, request, anna)["state"] == "waiting"
    shown = house.call("GET", f"/api/v1/requests/{request['id']}", officer=ben)
    assert shown["warnings"] == request["warnings"], "the second officer is told too"
    csr = make_csr(None, sans=["view.example.org"])[0]
    house.issue(token, csr, procedure="With a view")
    house.bring(ben, request, ben)
    problem = refused("CHY-1556", house.issue, token, csr, procedure="With a view")
    assert "Hosts" in problem["detail"] and "closed" in problem["detail"]
    problem = refused("CHY-1532", house.prepare, anna, "token-procedure.create", dict(TLS, name="Another", input_view="Hosts"))
    assert problem["field"] == "input_view" and "Hosts" in problem["detail"]
    assert "Hosts" in show(house, "token-procedure", number)["unusable"]


def test_key_usage_of_officers_soft_tokens(house):
    """A warning, from both sides; nothing is refused. rows=CM-C-08"""
    anna = house.officers["anna"]
    login = {"authority": "Issuing CA", "format": "TLS server", "validity": "P90D", "extended_key_usage": ["clientAuth"]}
    used = create(house, "certificate-procedure", name="Login", key_usage=["digitalSignature"], **login)
    soft = {"name": "Soft", "storage_profile": "pkcs12", "pin_procedure": "PIN", "certificate_procedures": ["Login"]}
    warnings = house.prepare(anna, "token-procedure.create", soft)["warnings"]
    assert [(w["field"], w["document"]) for w in warnings] == [("certificate_procedures", used)] and "Login" in warnings[0]["text"]
    assert house.prepare(anna, "token-procedure.create", dict(soft, storage_profile="pkcs10", pin_procedure=None))["warnings"] == []
    assert house.prepare(anna, "token-procedure.create", dict(soft, certificate_procedures=["TLS server"]))["warnings"] == []
    free = create(house, "certificate-procedure", name="Free", **login)
    number = create(house, "token-procedure", **dict(soft, certificate_procedures=["Free"]))
    body = dict(show(house, "certificate-procedure", free)["body"], key_usage=["digitalSignature"])
    warnings = house.prepare(anna, "certificate-procedure.modify", body, free)["warnings"]
    assert [(w["field"], w["document"]) for w in warnings] == [("key_usage", number)]


# ---- lists, drafts ----

def test_token_procedures_by_medium(house):
    """rows=CM-T-43"""
    anna, rosa = house.officers["anna"], house.officers["rosa"]
    for officer in (anna, rosa):
        whole = house.call("GET", "/api/v1/documents/token-procedure?limit=1000", officer=officer)["items"]
        media = {d["body"]["storage_profile"] for d in whole}
        assert {"pkcs10", "smart-card"} <= media
        for medium in ("smart-card", "pkcs12", "pkcs10", "attribute-certificate-file"):
            items = house.call("GET", f"/api/v1/documents/token-procedure?limit=1000&storage_profile={medium}", officer=officer)["items"]
            assert items == [d for d in whole if d["body"]["storage_profile"] == medium]
    refused("CHY-1507", house.call, "GET", "/api/v1/documents/token-procedure?storage_profile=floppy", officer=anna)
    refused("CHY-1508", house.call, "GET", "/api/v1/documents/format?storage_profile=pkcs12", officer=anna)


def test_a_draft_is_nobodys_policy(house):
    """Kept incomplete and unsigned, reopened, completed; until then nothing issues by it. rows=CM-T-35,CM-T-36"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    draft = house.call("POST", "/api/v1/drafts/token-procedure", {"name": "Half done", "card_serial_number": True}, anna)
    assert draft["body"] == {"name": "Half done", "card_serial_number": True}
    token = house.open_session()
    csr = make_csr(None, sans=["draft.example.org"])[0]
    refused("CHY-1553", house.issue, token, csr, procedure="Half done")
    refused("CHY-1553", house.issue, token, csr, procedure=str(draft["id"]))
    names = [d["name"] for d in house.call("GET", "/api/v1/documents/token-procedure?limit=1000", officer=anna)["items"]]
    assert "Half done" not in names
    refused("CHY-1502", house.prepare, anna, "token-procedure.create", draft["body"])
    again = house.call("PUT", f"/api/v1/drafts/token-procedure/{draft['id']}", dict(TLS, name="Half done"), ben)
    assert house.act("token-procedure.create", again["body"], anna, ben)["state"] == "done"
    house.call("DELETE", f"/api/v1/drafts/token-procedure/{draft['id']}", officer=anna)
    house.issue(house.open_session(procedures=["Half done"]), csr, procedure="Half done")


def test_drafts_lie_in_domains(house):
    """An officer of a domain neither sees, changes nor drops drafts of other domains, whatever they are asked by. rows=CM-O-12"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    for name, parent in (("Draft west", None), ("Draft port", "Draft west"), ("Draft east", None)):
        house.act("domain.create", {"name": name, **({"parent": parent} if parent else {})}, anna, ben)
    house.act("officer-profile.create", {"name": "Drafter", "entity_type": "static-token", "roles": [
        "use-awb", "policy-tasks", "domain-tasks"]}, anna, ben)
    wanda, pete, erik = (drafter(house, name, f"Draft {name.split()[1]}") for name in ("Wanda west", "Pete port", "Erik east"))

    def path(draft, kind="token-procedure"):
        return f"/api/v1/drafts/{kind}/{draft['id']}"

    def new(who, **body):
        return house.call("POST", "/api/v1/drafts/token-procedure", body, who)

    def seen(who):
        return {d["id"] for d in house.call("GET", "/api/v1/drafts/token-procedure?limit=1000", officer=who)["items"]}

    roots, wests = new(anna, name="Of Root"), new(wanda, name="Unfinished")
    ports, easts = new(wanda, name="For the port", domain="Draft port"), new(erik, name="Of the east", domain="Draft east")
    assert (wests["owner"], wests["officer"]) == (wanda.id, wanda.id)
    every = {d["id"] for d in (roots, wests, ports, easts)}
    for who, sees in ((anna, every), (wanda, {wests["id"], ports["id"]}), (pete, {ports["id"]}), (erik, {easts["id"]})):
        assert seen(who) & every == sees
        for draft in (roots, wests, ports, easts):
            if draft["id"] in sees:
                assert house.call("GET", path(draft), officer=who)["name"] == draft["name"]
                continue
            for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
                refused("CHY-1460", house.call, method, path(draft), body, who)
            refused("CHY-1460", house.call, "POST", "/api/v1/policy/preview", {"draft": draft["id"], "keys": [{}]}, who)
    # the cursor is one of the drafts that are seen, whatever others lie between and behind them, in one kind as in all
    for address in ("/api/v1/drafts/token-procedure", "/api/v1/drafts"):
        for who, sees in ((wanda, [wests["id"], ports["id"]]), (pete, [ports["id"]]), (erik, [easts["id"]])):
            after, found = 0, []
            for _ in range(10):
                got = house.call("GET", f"{address}?limit=1&after={after}", officer=who)
                found += [d["id"] for d in got["items"]]
                after = got["next"]
                assert after is None or after == found[-1]
                if after is None:
                    break
            assert found == sees, address
            assert house.call("GET", f"{address}?limit=2&after={sees[-1]}", officer=who) == {"items": [], "next": None}
    assert house.call("GET", "/api/v1/drafts", officer=rosa)["items"] == [], "of kinds that she has nothing to do with"
    # nor does anybody put one where no rights of theirs are; what Root's officer writes into another's stays where it was
    for body in ({"name": "x", "domain": "Draft east"}, {"name": "x", "domain": "Draft west"}):
        assert refused("CHY-1602", new, pete, **body)["field"] == "domain"
        refused("CHY-1602", house.call, "PUT", path(ports), body, pete)
    again = house.call("PUT", path(wests), {"name": "Still unfinished"}, anna)
    assert (again["owner"], again["officer"]) == (wanda.id, anna.id)
    assert wests["id"] in seen(wanda) and wests["id"] not in seen(erik)
    house.call("PUT", path(wests), {"name": "Moved", "domain": "Draft east"}, anna)
    assert wests["id"] in seen(erik) and wests["id"] not in seen(wanda)
    house.call("DELETE", path(wests), officer=erik)
    # a domain lies below its parent
    below = house.call("POST", "/api/v1/drafts/domain", {"name": "Pier", "parent": "Draft port"}, wanda)
    assert house.call("GET", path(below, "domain"), officer=pete)["owner"] == wanda.id
    refused("CHY-1460", house.call, "GET", path(below, "domain"), None, erik)


def drafter(house, name, domain):
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    officer = house.new_certificate(name, rosa)
    made = house.act("officer.create", {"name": name, "profile": "Drafter", "domain": domain, "certificate_sha256": officer.sha256()},
                     anna, ben)
    officer.id = made["result"]["id"]
    return officer


def test_everybody_sees_what_was_signed(house):
    """At once, in sessions that stand open, without a restart. rows=CM-T-02,CM-T-38"""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    token = house.open_session(procedures=["TLS server"])
    csr = make_csr(None, sans=["at-once.example.org"])[0]
    before = house.issue(token, csr)
    number = next(d["id"] for d in house.call("GET", "/api/v1/documents/token-procedure", officer=rosa)["items"]
                  if d["name"] == "TLS server")
    modify(house, "token-procedure", number, name="TLS server, renamed")
    try:
        refused("CHY-1553", house.issue, token, csr)
        house.issue(token, csr, procedure="TLS server, renamed")
        for officer in (anna, ben, rosa):
            names = [d["name"] for d in house.call("GET", "/api/v1/documents/token-procedure", officer=officer)["items"]]
            assert "TLS server, renamed" in names and "TLS server" not in names
        assert house.call("GET", f"/api/v1/certificates/{before['id']}", officer=anna)["id"] == before["id"]
    finally:
        modify(house, "token-procedure", number, name="TLS server")


# ---- input views ----

def inputs(house, number, officer="rosa"):
    return house.call("GET", f"/api/v1/token-procedures/{number}/input", officer=house.officers[officer])


def test_the_view_decides_what_is_filled_in(house):
    """The default view has all that the formats take; an own one has its fields in its order. rows=CM-T-32,CM-T-34"""
    number = create(house, "token-procedure", name="Viewed", **TLS)
    got = inputs(house, number)
    assert (got["view"], got["name"], got["purpose"]) == (None, "Default", "issue")
    assert [(f["input"], f["mandatory"]) for f in got["fields"]] == [
        ("subject.common-name", False), ("san.dns", True), ("san.ip", False), ("validity.not_before", False),
        ("validity.not_after", False)]
    view = create(house, "input-view", name="Own", fields=[
        {"input": "san.dns", "label": "Host", "default": "www.example.org", "modifiers": ["trim", "lower-case"]},
        {"input": "validity.not_after", "mandatory": True}])
    modify(house, "token-procedure", number, input_view=view)
    got = inputs(house, number)
    assert (got["view"], got["name"]) == (view, "Own")
    assert got["fields"] == [
        {"input": "san.dns", "label": "Host", "mandatory": True, "default": "www.example.org", "modifiers": ["trim", "lower-case"]},
        {"input": "validity.not_after", "label": "Valid to", "mandatory": True, "modifiers": []}], "the format demands the DNS name"


def test_predefined_views(house):
    """Preregistration views come with the installation and can be chosen. rows=CM-T-33"""
    anna = house.officers["anna"]
    views = {d["name"]: d for d in house.call("GET", "/api/v1/documents/input-view?limit=1000", officer=anna)["items"]}
    predefined = {n: v for n, v in views.items() if v["body"]["purpose"] == "preregistration" and v["request"] is None}
    assert set(predefined) == {"Preregistration: ACME", "Preregistration: CMP", "Preregistration: EST", "Preregistration: SCEP"}
    for name, view in predefined.items():
        number = create(house, "token-procedure", name=name, input_view=name, **TLS)
        got = inputs(house, number)
        assert (got["view"], got["purpose"]) == (view["id"], "preregistration")
        assert [f["input"] for f in got["fields"]] == [f["input"] for f in view["body"]["fields"]]


def test_qc_statements_are_shown_to_who_chooses(house):
    """rows=CM-C-16"""
    statements = {"compliance": True, "types": ["esign"]}
    create(house, "certificate-procedure", name="Qualified", authority="Issuing CA", format="TLS server", validity="P90D",
           key_usage=["nonRepudiation"], qc_statements=statements)
    number = create(house, "token-procedure", name="Both", **dict(TLS, certificate_procedures=["Qualified", "TLS server"]))
    got = {p["name"]: p for p in inputs(house, number)["certificate_procedures"]}
    assert list(got) == ["Qualified", "TLS server"]
    assert got["Qualified"]["qc_statements"].items() >= statements.items() and got["Qualified"]["key_usage"] == ["nonRepudiation"]
    assert "qc_statements" not in got["TLS server"]


# ---- the command line ----

@pytest.fixture(scope="module")
def cli(house):
    c = Cli(house)
    for who in ("anna", "ben"):
        o, out, pin = house.officers[who], c.dir / f"{who}.p12", c.dir / f"{who}.pin"
        pin.write_text("secret\n")
        subprocess.run(["openssl", "pkcs12", "-export", "-inkey", o.key_file, "-in", o.cert_file, "-out", out, "-passout", "pass:secret"],
                       check=True, capture_output=True)
        c.officers[who] = (out, pin)
    return c


def test_moving_a_certificate_procedure(house, cli):
    """Up, down and to a place; the order is kept as it was made. rows=CM-T-24"""
    for name in ("One", "Two", "Three"):
        create(house, "certificate-procedure", name=name, authority="Issuing CA", format="TLS server", validity="P90D")
    number = create(house, "token-procedure", name="Ordered", **dict(TLS, certificate_procedures=["Two", "One", "Three"]))

    def order():
        ids = show(house, "token-procedure", number)["body"]["certificate_procedures"]
        return [show(house, "certificate-procedure", i)["name"] for i in ids]

    assert order() == ["Two", "One", "Three"]
    for name, how, want in (("One", ["--up"], ["One", "Two", "Three"]), ("One", ["--down"], ["Two", "One", "Three"]),
                            ("Three", ["--to", "1"], ["Three", "Two", "One"]), ("Three", ["--to", "3"], ["Two", "One", "Three"])):
        cli.as_("anna", "token-procedure", "move", "Ordered", "--certificate-procedure", name, *how, co="ben")
        assert order() == want
    for name, how, code in (("Two", ["--up"], 2), ("Three", ["--down"], 2), ("Two", ["--to", "4"], 2), ("Two", [], 2),
                            ("Two", ["--up", "--down"], 2), ("TLS server", ["--up"], 1)):
        cli.as_("anna", "token-procedure", "move", "Ordered", "--certificate-procedure", name, *how, co="ben", code=code)
    assert order() == ["Two", "One", "Three"]


def test_where_used_ranges_and_input_at_the_command_line(house, cli):
    """rows=CM-T-08"""
    create(house, "token-procedure", name="Cards C", serial_number_from=70000, serial_number_to=70009, **CARD)
    lines = cli.as_("anna", "token-procedure", "serial-ranges").stdout.splitlines()
    assert any(line.split() == ["70000", "70009", "70000", "10", "Cards", "C", "active"] for line in lines), lines
    used = cli.json("anna", "pin-procedure", "where-used", "PIN")
    assert "Cards C" in [u["name"] for u in used] and {u["field"] for u in used} == {"pin_procedure"}
    assert "Cards C" in cli.as_("anna", "pin-procedure", "where-used", "PIN").stdout
    shown = cli.as_("anna", "token-procedure", "input", "TLS server").stdout
    assert "san.dns" in shown and "(mandatory)" in shown and "Certificate procedure TLS server" in shown
    request = cli.as_("anna", "pin-procedure", "close", "PIN").stdout
    assert "Warning: token-procedure \"Cards C\" refers to it (pin_procedure)" in request


# ---- many ----

MANY = 10000


def test_ten_thousand_procedures(house):
    """All are listed, page by page, and in force; their samples are judged once for all that are alike, not one by one."""
    anna = house.officers["anna"]
    template = show(house, "certificate-procedure", create(
        house, "certificate-procedure", name="Many", authority="Issuing CA", format="TLS server", validity="P90D"))
    house.stop()
    db = sqlite3.connect(house.dir / "chancery.db")
    first, kind, at = 10 ** 12, "certificate-procedure", 1790000000000
    bodies = [(first + i, f"Many {i:05}", json.dumps(dict(template["body"], name=f"Many {i:05}"))) for i in range(MANY)]
    db.execute("UPDATE document_stamp SET value = value + 1")
    db.executemany(
        "INSERT INTO document (id, version, kind, name, state, domain, body, at, request_id, stamp) "
        f"SELECT ?, 1, '{kind}', ?, 'active', 0, ?, {at}, 0, value FROM document_stamp", bodies)
    db.executemany(f"INSERT INTO document_current (id, kind, name, state, domain, version) VALUES (?, '{kind}', ?, 'active', 0, 1)",
                   [b[:2] for b in bodies])
    db.commit()
    db.close()
    house.start(wait=60)
    seen, after, pages = [], 0, 0
    while after is not None:
        page = house.call("GET", f"/api/v1/documents/{kind}?limit=1000&after={after}", officer=anna)
        seen += [d["id"] for d in page["items"]]
        after, pages = page["next"], pages + 1
    assert len(set(seen)) == len(seen) >= MANY and seen == sorted(seen) and pages == len(seen) // 1000 + 1
    loads = re.findall(r"policy.in-force.*", house.log.read_text())
    documents, judged = (int(re.search(rf'{name}"?[=:] ?(\d+)', loads[-1])[1]) for name in ("documents", "judged"))
    assert documents > MANY and 2 <= judged < 50, loads[-1]
    refers = house.call("GET", f"/api/v1/documents/authority/{template['body']['authority']}/references?limit=1000&after=9000", officer=anna)
    assert len(refers["items"]) == 1000 and refers["next"] == 10000
