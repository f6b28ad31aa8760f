"""Every route of the table with every kind of caller, and every act with every officer: exactly who gets in.

What is expected stands here a second time, by hand: a route that appears or changes its door must be looked at.
"""
import base64
import datetime
import hashlib
import json
import re
import sqlite3
from collections import Counter

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import world
from world import Refused, make_csr

# The log is refused by the use case, not at the door, so that the journal has the refusal.
PUBLIC, OFFICER, AUDITOR, LOG_READER, POLICY, SESSION = "public", "officer", "auditor", "log reader", "policy", "session"
PUBLISHER = "publisher"  # or who has CA and Key tasks

ROUTES = {
    ("get", "/healthz"): PUBLIC,
    ("get", "/readyz"): PUBLIC,
    ("get", "/metrics"): PUBLIC,
    ("get", "/api/openapi.json"): PUBLIC,
    ("get", "/ocsp/{request}"): PUBLIC,
    ("post", "/ocsp"): PUBLIC,
    ("get", "/crl/{name}"): PUBLIC,
    ("get", "/ca/{name}"): PUBLIC,
    ("get", "/cil/{name}"): PUBLIC,
    ("get", "/cil/{name}/{segment}"): PUBLIC,
    ("get", "/cil/{name}/delta/{segment}"): PUBLIC,
    ("get", "/api/v1/status"): PUBLIC,
    ("get", "/api/v1/root"): PUBLIC,
    ("get", "/api/v1/authorities/{id}/certificate"): PUBLIC,
    ("get", "/api/v1/authorities/{id}/certificates"): PUBLIC,
    ("get", "/api/v1/authorities/{id}/chain"): PUBLIC,
    ("get", "/api/v1/kinds"): PUBLIC,
    ("get", "/api/v1/kinds/{kind}/schema"): PUBLIC,
    ("get", "/api/v1/whoami"): OFFICER,
    ("get", "/api/v1/documents/{kind}"): OFFICER,
    ("get", "/api/v1/documents/{kind}/{id}"): OFFICER,
    ("get", "/api/v1/documents/{kind}/{id}/references"): OFFICER,
    ("get", "/api/v1/token-procedures/{id}/input"): OFFICER,
    ("get", "/api/v1/card-serial-ranges"): POLICY,
    ("get", "/api/v1/issuing-sessions"): OFFICER,
    ("get", "/api/v1/crls"): OFFICER,
    ("get", "/api/v1/cils"): OFFICER,
    ("get", "/api/v1/drafts"): OFFICER,
    ("get", "/api/v1/drafts/{kind}"): OFFICER,
    ("post", "/api/v1/drafts/{kind}"): OFFICER,
    ("get", "/api/v1/drafts/{kind}/{id}"): OFFICER,
    ("put", "/api/v1/drafts/{kind}/{id}"): OFFICER,
    ("delete", "/api/v1/drafts/{kind}/{id}"): OFFICER,
    ("get", "/api/v1/selections"): OFFICER,
    ("post", "/api/v1/selections"): OFFICER,
    ("get", "/api/v1/selections/{id}"): OFFICER,
    ("post", "/api/v1/selections/{id}/certificates"): OFFICER,
    ("post", "/api/v1/selections/{id}/submit"): OFFICER,
    ("delete", "/api/v1/selections/{id}"): OFFICER,
    ("post", "/api/v1/requests"): OFFICER,
    ("get", "/api/v1/requests"): OFFICER,
    ("get", "/api/v1/requests/{id}"): OFFICER,
    ("post", "/api/v1/requests/{id}/signatures"): OFFICER,
    ("post", "/api/v1/certificates"): SESSION,
    ("get", "/api/v1/certificates"): OFFICER,
    ("post", "/api/v1/certificates/search"): OFFICER,
    ("get", "/api/v1/certificates/summary"): OFFICER,
    ("get", "/api/v1/certificates/{id}"): OFFICER,
    ("get", "/api/v1/certificates/{id}/explanation"): OFFICER,
    ("get", "/api/v1/certificates/{id}/proof"): OFFICER,
    ("get", "/api/v1/tokens"): OFFICER,
    ("get", "/api/v1/tokens/{id}"): OFFICER,
    ("get", "/api/v1/tokens/{id}/file"): OFFICER,
    ("delete", "/api/v1/tokens/{id}/file"): OFFICER,
    ("get", "/api/v1/deliveries"): PUBLISHER,
    ("get", "/api/v1/destinations"): PUBLISHER,
    ("get", "/api/v1/publications"): PUBLISHER,
    ("get", "/api/v1/journal/head"): OFFICER,
    ("get", "/api/v1/journal/export"): AUDITOR,
    ("get", "/api/v1/journal/witness"): AUDITOR,
    ("get", "/api/v1/journal/reconciliation"): AUDITOR,
    ("get", "/api/v1/log"): LOG_READER,
    ("post", "/api/v1/policy/simulation"): OFFICER,
    ("post", "/api/v1/policy/preview"): OFFICER,
}

# Who is let in by which door; for the others the status and the code.
IN = None
NOBODY, UNKNOWN, CLOSED, OTHER_CREDENTIAL, NO_ROLE = ((401, "CHY-1818"), (403, "CHY-1711"), (403, "CHY-1605"), (401, "CHY-1819"),
                                                     (403, "CHY-1820"))
EXPECTED = {
    "nobody": {PUBLIC: IN, OFFICER: NOBODY, AUDITOR: NOBODY, SESSION: NOBODY},
    "nobody, TLS": {PUBLIC: IN, OFFICER: NOBODY, AUDITOR: NOBODY, SESSION: NOBODY},
    "stranger": {PUBLIC: IN, OFFICER: UNKNOWN, AUDITOR: UNKNOWN, SESSION: OTHER_CREDENTIAL},
    "closed officer": {PUBLIC: IN, OFFICER: CLOSED, AUDITOR: CLOSED, SESSION: OTHER_CREDENTIAL},
    "unknown token": {PUBLIC: IN, OFFICER: OTHER_CREDENTIAL, AUDITOR: OTHER_CREDENTIAL, SESSION: (401, "CHY-1829")},
    "session": {PUBLIC: IN, OFFICER: OTHER_CREDENTIAL, AUDITOR: OTHER_CREDENTIAL, SESSION: IN},
    "registration": {PUBLIC: IN, OFFICER: IN, AUDITOR: NO_ROLE, SESSION: OTHER_CREDENTIAL},
    "administration": {PUBLIC: IN, OFFICER: IN, AUDITOR: IN, SESSION: OTHER_CREDENTIAL},
}
for who, doors in EXPECTED.items():
    doors[LOG_READER] = (403, "CHY-1601") if who == "registration" else doors[OFFICER]
    doors[POLICY] = doors[AUDITOR]  # administration has both
    doors[PUBLISHER] = doors[OFFICER]  # each of the two has one of the roles
METHODS = ("get", "put", "post", "delete", "patch", "options")

TLS = {"name": "TLS server", "storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


def make_stranger(house, name="Anna Admin"):
    """Somebody with a certificate of their own making that carries an officer's name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(5)
            .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9)).sign(key, hashes.SHA256()))
    return world.Officer(house.keys, "Stranger", key, cert)


@pytest.fixture(scope="module")
def callers(sqlite_house):
    house = sqlite_house
    house.officers["stranger"] = make_stranger(house)
    return {
        "nobody": {},
        "nobody, TLS": {"tls": True},
        "stranger": {"officer": house.officers["stranger"]},
        "closed officer": {"officer": house.officers["boot1"]},
        "unknown token": {"token": "A" * 43},
        "session": {"token": house.open_session()},
        "registration": {"officer": house.officers["rosa"]},
        "administration": {"officer": house.officers["anna"]},
    }


@pytest.fixture(scope="module")
def things(sqlite_house):
    """Something real behind each address."""
    house, anna = sqlite_house, sqlite_house.officers["anna"]
    made = house.issue(house.open_session(), make_csr(None, sans=["walk.example.org"])[0])
    authorities = {d["name"]: d["id"] for d in house.call("GET", "/api/v1/documents/authority", officer=anna)["items"]}
    procedure = house.call("GET", "/api/v1/documents/token-procedure", officer=anna)["items"][0]
    draft = house.call("POST", "/api/v1/drafts/token-procedure", {"name": "A draft"}, anna)
    request = house.prepare(anna, "token-procedure.create", dict(TLS, name="Walked"))
    cms = base64.b64encode(anna.sign(base64.b64decode(request["to_sign"]))).decode()
    csr = base64.b64encode(make_csr(None, sans=["walked.example.org"])[0]).decode()
    selection = house.call("POST", "/api/v1/selections", {"act": "certificate.hold"}, house.officers["rosa"])
    house.wait_sequenced()
    house.act("publication-procedure.create", {"name": "Walked", "format": "der"}, anna, house.officers["ben"])
    return {
        "queries": {("get", "/api/v1/publications"): "?procedure=Walked"},
        "ids": {"authorities": authorities["Issuing CA"], "documents": procedure["id"], "token-procedures": procedure["id"], "drafts": draft["id"], "selections": selection["id"],
                "requests": request["id"], "certificates": made["id"]},
        "bodies": {
            ("post", "/api/v1/drafts/{kind}"): {"name": "Another draft"},
            ("put", "/api/v1/drafts/{kind}/{id}"): {"name": "A changed draft"},
            ("post", "/api/v1/selections"): {"act": "certificate.hold"},
            ("post", "/api/v1/selections/{id}/certificates"): {"add": [made["id"]]},
            ("post", "/api/v1/selections/{id}/submit"): {},
            ("post", "/api/v1/requests"): {"act": "token-procedure.create", "body": dict(TLS, name="Walked again")},
            ("post", "/api/v1/requests/{id}/signatures"): {"signatures": [cms]},
            ("post", "/api/v1/certificates/search"): {"text": "example"},
            ("post", "/api/v1/certificates"): {"token_procedure": "TLS server", "request": csr},
        },
    }


def knock(house, caller, method, pattern, things):
    """(status, code) of one call with something real to do."""
    place = pattern.split("/")[3] if pattern.startswith("/api/v1/") else ""
    path = pattern.replace("{kind}", "token-procedure").replace("{id}", str(things["ids"].get(place, 1))).replace("{name}", "none").replace("{request}", "MA==").replace("{segment}", "1")
    path += things["queries"].get((method, pattern), "")
    try:
        house.call(method.upper(), path, things["bodies"].get((method, pattern)), **caller)
    except Refused as e:
        return e.status, e.code
    return 200, None


def rows(house):
    """Everything that is stored, apart from what the jobs do by themselves: rows of each table, and their bytes."""
    house.wait_sequenced()
    own = {"journal_head", "job", "counter", "commit_mark", "verdict", "verdict_todo", "certificate_todo", "certificate_search", "value_todo", "search_value", "search_link", "search_begin",
           "search_number", "search_number_data", "search_number_idx", "search_number_docsize", "search_number_config", "search_text", "search_text_data", "search_text_idx", "search_text_docsize", "search_text_config",
           "log", "log_link", "log_cursor", "remembered"}
    db = sqlite3.connect(f"file:{house.dir}/chancery.db?mode=ro", uri=True)
    try:
        tables = [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if not t.startswith("sqlite_")]
        where = {"setting": "WHERE name <> 'signer-journal.taken-over'"}  # how far a job has come that looks once a minute
        return {t: Counter(map(repr, db.execute(f"SELECT * FROM {t} {where.get(t, '')}"))) for t in tables if t not in own}
    finally:
        db.close()


def table_of(house):
    doc = house.call("GET", "/api/openapi.json")
    return {(m, path): item[m] for path, item in doc["paths"].items() for m in METHODS if m in item}


def test_the_table_is_the_one_that_is_walked(sqlite_house):
    """A new route must be given its place here, and OpenAPI tells its readers the same doors."""
    table = table_of(sqlite_house)
    assert set(table) == set(ROUTES)
    told = {PUBLIC: [], OFFICER: [{"officer": []}], AUDITOR: [{"officer": []}], LOG_READER: [{"officer": []}],
            POLICY: [{"officer": []}], PUBLISHER: [{"officer": []}], SESSION: [{"session": []}]}
    for route, op in table.items():
        assert op["security"] == told[ROUTES[route]], route
        any_of = {AUDITOR: ["audit-tasks"], PUBLISHER: ["ca-and-key-tasks", "publish-certificate"]}
        assert op.get("x-roles-any") == any_of.get(ROUTES[route]), route
        assert op.get("x-roles-all") == (["use-awb", "policy-tasks"] if ROUTES[route] == POLICY else None), route


@pytest.mark.parametrize("who", [w for w in EXPECTED if w not in ("session", "registration", "administration")])
def test_outsiders_get_in_nowhere_and_leave_nothing(sqlite_house, callers, things, who):
    """rows=CM-O-08"""
    house, before = sqlite_house, rows(sqlite_house)
    wrong = {}
    for route, door in ROUTES.items():
        got, want = knock(house, callers[who], *route, things), EXPECTED[who][door]
        if (want is IN and got[0] in (401, 403)) or (want is not IN and got != want):
            wrong[route] = (got, want)
    assert not wrong
    after = rows(house)
    assert {t: after[t] - before[t] for t in after if after[t] != before[t]} == {}


@pytest.mark.parametrize("who", ["session", "registration", "administration"])
def test_insiders_get_in_only_where_they_belong(sqlite_house, callers, things, who):
    """rows=CM-O-08"""
    house, before = sqlite_house, rows(sqlite_house)
    wrong = {}
    for route, door in ROUTES.items():
        want = EXPECTED[who][door]
        if want is IN or door == LOG_READER:
            continue
        got = knock(house, callers[who], *route, things)
        if got != want:
            wrong[route] = (got, want)
    assert not wrong
    assert rows(house) == before, "the refused stored nothing"
    if EXPECTED[who][LOG_READER] is not IN:
        assert knock(house, callers[who], "get", "/api/v1/log", things) == EXPECTED[who][LOG_READER]
    # what an officer may read, and a session may do; what officers may act on is the next test's
    for route, door in ROUTES.items():
        if EXPECTED[who][door] is IN and (route[0] == "get" or door == SESSION):
            status, code = knock(house, callers[who], *route, things)
            # of administration: its drafts and its requests are not for everybody
            hidden = who == "registration" and ("/drafts/" in route[1] or route[1] == "/api/v1/requests/{id}")
            # a token is its requester's alone, a selection its officer's
            hidden = hidden or "/tokens/" in route[1] or (who == "administration" and "/selections/" in route[1])
            none = (status, code) in ((404, "CHY-1773"), (404, "CHY-1686")) and "{name}" in route[1]  # no such list is built
            hidden = hidden and (status, code) in ((403, "CHY-1601"), (404, "CHY-1460"))
            assert status == 200 or hidden or none, (route, status, code)


def test_methods_that_no_route_has(sqlite_house, callers):
    paths = {}
    for method, path in ROUTES:
        paths.setdefault(path, set()).add(method)
    for path, known in paths.items():
        address = re.sub(r"\{id\}", "1", path).replace("{kind}", "officer").replace("{name}", "none").replace("{request}", "MA==").replace("{segment}", "1")
        for method in ("put", "post", "delete", "patch"):
            if method not in known:
                with pytest.raises(Refused) as e:
                    sqlite_house.call(method.upper(), address, officer=callers["administration"]["officer"])
                assert (e.value.status, e.value.code) in ((405, "CHY-1816"), (501, "CHY-1801")), (method, path, e.value)


def refusals(house):
    house.wait_sequenced()
    lines = [json.loads(line) for line in house.export().splitlines()]
    leaves = [json.loads(line["body"]) if isinstance(line["body"], str) else line["body"]
              for line in lines if line["type"] == "leaf"]
    return [leaf for leaf in leaves if leaf["kind"] == "refusal"]


def test_every_act_by_every_officer(sqlite_house):
    """Each act is refused to who lacks its role, and each refusal is a leaf. rows=CM-O-08"""
    house, before = sqlite_house, len(refusals(sqlite_house))
    anna, rosa = house.officers["anna"], house.officers["rosa"]
    made = house.issue(house.open_session(), make_csr(None, sans=["acts.example.org"])[0])["id"]
    requests = lambda: len(house.call("GET", "/api/v1/requests?limit=1000", officer=anna)["items"])  # noqa: E731
    made = house.issue(house.open_session(), make_csr(None, sans=["acts.example.org"])[0])["id"]
    count, expected = requests(), []
    kinds = house.call("GET", "/api/v1/kinds")["items"]
    assert len(kinds) >= 8
    for kind in kinds:
        for verb in ("create", "modify"):
            act, call = f"{kind['name']}.{verb}", {"body": {"name": "X"}}
            if verb == "modify":
                items = house.call("GET", f"/api/v1/documents/{kind['name']}", officer=anna)["items"]
                if not items:
                    continue
                call = {"body": items[0]["body"], "object": items[0]["id"]}
            with pytest.raises(Refused) as e:
                house.call("POST", "/api/v1/requests", {"act": act, **call}, rosa)
            if e.value.code not in ("CHY-1601", "CHY-1603"):
                # a body that is no body of the kind may be told before the role is looked at; nothing is prepared
                assert e.value.status in (400, 403, 404, 409), (act, e.value)
            expected.append((act, rosa.id))
    csr, _ = make_csr(None, sans=["acts.example.org"])
    body = {"token_procedure": "TLS server", "requests": [{"csr": base64.b64encode(csr).decode(), "name": "acts"}]}
    session = {"token_procedures": ["TLS server"], "certificates_max": 1, "expires_at": "2039-01-01T00:00:00Z",
               "token_sha256": hashlib.sha256(b"x").hexdigest(), "name": "hers"}
    attribute = {"token_procedure": "TLS server", "base": {"certificate": 1}}
    revoke, hold = {"certificates": [made], "reason": "superseded"}, {"certificates": [made]}
    publication = {"publication_procedure": "None", "certificates": [1]}
    for act, what in (("certificate.issue", body), ("issuing-session.open", session), ("attribute-certificate.issue", attribute),
                      ("certificate.revoke", revoke), ("certificate.hold", hold), ("certificate.reinstate", hold),
                      ("certificate.remove", {"certificates": [made], "reason": "over"}),
                      ("certificate.publish", publication), ("certificate.unpublish", publication),
                      ("delivery.retry", {"deliveries": [1]}), ("delivery.drop", {"deliveries": [1]}),
                      ("certificate.import", {"authority": "Issuing CA", "certificates": [{"certificate": "MAA="}]}),
                      ("crl.import", {"authority": "Issuing CA", "crl": "MAA="})):
        with pytest.raises(Refused) as e:
            house.prepare(anna, act, what)
        assert (e.value.status, e.value.code) == (403, "CHY-1601"), (act, e.value)
        expected.append((act, anna.id))
    assert requests() == count, "nothing was prepared"
    got = [(leaf["act"], leaf["by"].get("officer")) for leaf in refusals(house)[before:]]
    assert got == expected


def test_refused_signatures_are_leaves(sqlite_house, callers):
    """rows=CM-O-08"""
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    request = house.prepare(anna, "token-procedure.create", dict(TLS, name="Refused signatures"))
    before, content, codes = len(refusals(house)), base64.b64decode(request["to_sign"]), []
    for signer in (house.officers["rosa"], house.officers["boot1"], house.officers["stranger"]):
        with pytest.raises(Refused) as e:
            house.call("POST", f"/api/v1/requests/{request['id']}/signatures",
                       {"signatures": [base64.b64encode(signer.sign(content)).decode()]}, anna)
        assert e.value.status == 403, e.value
        codes.append(int(e.value.code[4:]))
    assert codes == [1601, 1605, 1711], codes
    shown = house.call("GET", f"/api/v1/requests/{request['id']}", officer=anna)
    assert shown["state"] == "prepared" and not shown.get("signatures")
    leaves = refusals(house)[before:]
    assert [(leaf["act"], leaf["code"]) for leaf in leaves] == [("token-procedure.create", code) for code in codes]
    assert all(leaf["by"] == {"request": request["id"]} and leaf["text"] for leaf in leaves)
    assert house.bring(anna, request, anna, ben)["state"] == "done", "the right two can still sign it"


def test_a_session_cannot_leave_its_procedures(sqlite_house):
    """A refusal of a session is a leaf that names the session."""
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    house.act("token-procedure.create", dict(TLS, name="Another procedure"), anna, ben)
    token, before = house.open_session(), len(refusals(house))
    stored = len(house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"])
    for procedure in ("Another procedure", "Officer", "No such procedure"):
        with pytest.raises(Refused) as e:
            house.issue(token, make_csr(None, sans=["leave.example.org"])[0], procedure=procedure)
        assert e.value.status in (403, 404), e.value
    assert len(house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"]) == stored
    leaves = refusals(house)[before:]
    assert [leaf["act"] for leaf in leaves] == ["certificate.issue"] * 3 and all(leaf["by"]["session"] for leaf in leaves)
