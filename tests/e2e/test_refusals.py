"""Who is refused, by what word, and what of it is written down."""
import base64
import hashlib
import json
import sqlite3
import threading
import time

import pytest
from cryptography import x509

from world import Officer, Refused, make_csr

NO_PROCEDURE = "No such procedure"


def refusals(house):
    house.wait_sequenced()
    lines = [json.loads(line) for line in house.export().splitlines()]
    bodies = [line["body"] for line in lines if line["type"] == "leaf"]
    return [b for b in (json.loads(b) if isinstance(b, str) else b for b in bodies) if b["kind"] == "refusal"]


def with_one_event_thread(house):
    house.stop()
    ini = house.dir / "chancery.ini"
    text = ini.read_text()
    if "threads = 1\n" not in text:
        ini.write_text(text.replace("[listener]\n", "[listener]\nthreads = 1\n"))
    house.start()


def test_a_refusal_holds_up_nobody(sqlite_house):
    """While the disk is slow, the refused one waits for the leaf, and the one event thread serves the others."""
    house = sqlite_house
    with_one_event_thread(house)
    token, ended = house.open_session(), []

    def refused():
        with pytest.raises(Refused) as e:
            house.issue(token, make_csr(None, sans=["slow.example.org"])[0], procedure=NO_PROCEDURE)
        ended.append(e.value)

    before = len(refusals(house))
    slow = sqlite3.connect(house.dir / "chancery.db", isolation_level=None)
    slow.execute("BEGIN IMMEDIATE")
    client = threading.Thread(target=refused)
    client.start()
    try:
        time.sleep(0.5)
        begun = time.monotonic()
        for _ in range(5):
            assert house.raw("GET", "/healthz")[0] == 200
        assert time.monotonic() - begun < 1
        assert not ended, "the answer waits until the leaf is durable"
    finally:
        slow.execute("ROLLBACK")
        slow.close()
        client.join()
    assert ended[0].status == 404, ended
    leaves = refusals(house)[before:]
    assert [leaf["rule"] for leaf in leaves] == ["token-procedure"], leaves


def test_signing_time(sqlite_house):
    """A signature of the future, or of before the request, does not count, and the text says what to do."""
    house, rosa = sqlite_house, sqlite_house.officers["rosa"]
    body = {"token_procedure": "TLS server",
            "requests": [{"csr": base64.b64encode(make_csr(None, sans=["time.example.org"])[0]).decode(), "name": "time"}]}
    request, now, before = house.prepare(rosa, "certificate.issue", body), time.time(), len(refusals(house))
    content = base64.b64decode(request["to_sign"])
    bring = lambda at: house.call("POST", f"/api/v1/requests/{request['id']}/signatures",  # noqa: E731
                                  {"signatures": [base64.b64encode(rosa.sign(content, at=at)).decode()]}, rosa)
    for at in (now + 400, now - 400, now - 86400):
        with pytest.raises(Refused) as e:
            bring(at)
        assert (e.value.status, e.value.code) == (403, "CHY-1620"), e.value
        assert "set the clock" in e.value.problem["detail"]
    assert [leaf["code"] for leaf in refusals(house)[before:]] == [1620] * 3
    assert bring(now + 200)["state"] == "done", "clocks may differ a little"


UNREADABLE = [b"", b"{", b'{"act":"\xff"}', b'{"act":1,"act":2}', b"[]", b'{"requests":"' + b"x" * 5000 + b'\n"}', b'{"\xc3\xa9\xc3": 1}']


def test_what_cannot_be_read_is_written_down(sqlite_house):
    """Of an officer and of a session, whatever they sent; of a stranger nothing. rows=CM-O-08"""
    house, rosa, token = sqlite_house, sqlite_house.officers["rosa"], sqlite_house.open_session()
    before, expected = len(refusals(house)), []
    for body in UNREADABLE[1:]:
        for path, who, act, by in (
                ("/api/v1/requests", {"officer": rosa}, "unknown", {"officer": rosa.id}),
                ("/api/v1/requests/7/signatures", {"officer": rosa}, "unknown", {"officer": rosa.id}),
                ("/api/v1/certificates", {"token": token}, "certificate.issue", None)):
            with pytest.raises(Refused) as e:
                house.call("POST", path, body, headers={"Content-Type": "application/json"}, **who)
            assert e.value.status in (400, 422), (path, body, e.value)
            expected.append((act, by, int(e.value.code[4:])))
            with pytest.raises(Refused) as e:
                house.call("POST", path, body, headers={"Content-Type": "application/json"}, tls=True)
            assert e.value.status == 401, (path, body, e.value)
            with pytest.raises(Refused) as e:
                house.call("POST", path, body, headers={"Content-Type": "application/json"}, token="A" * 43)
            assert e.value.status == 401, (path, body, e.value)
    got = refusals(house)[before:]
    assert [leaf["code"] for leaf in got] == [code for _, _, code in expected]
    for leaf, (act, by, _) in zip(got, expected):
        assert leaf["act"] == act and (leaf["by"] == by if by else leaf["by"]["session"] > 0), leaf
        assert 0 < len(leaf["text"].encode()) <= 320 and len(leaf["field"]) <= 96


def test_signatures_for_no_request(sqlite_house):
    """An officer who signs what is not there has tried it all the same. rows=CM-O-08"""
    house, rosa = sqlite_house, sqlite_house.officers["rosa"]
    before = len(refusals(house))
    with pytest.raises(Refused) as e:
        house.call("POST", "/api/v1/requests/4711/signatures", {"signatures": [base64.b64encode(rosa.sign(b"{}")).decode()]}, rosa)
    assert e.value.status == 404, e.value
    got = refusals(house)[before:]
    assert [(leaf["by"], leaf["code"]) for leaf in got] == [({"officer": rosa.id}, 1460)]


def refusal_of(call):
    try:
        call()
    except Refused as e:
        return e.status, e.code
    return None


def becomes(call, expected):
    """What is refused how, after a second at the latest (and some for a slow machine)."""
    end = time.monotonic() + 6
    while (got := refusal_of(call)) != expected and time.monotonic() < end:
        time.sleep(0.2)
    assert got == expected, got


@pytest.fixture(scope="module")
def rita(sqlite_house):
    """One more registration officer, whose rights are taken away here."""
    house, (anna, ben, rosa) = sqlite_house, (sqlite_house.officers[n] for n in ("anna", "ben", "rosa"))
    csr, key = make_csr("Rita Registrar")
    done = house.act("certificate.issue", {"token_procedure": "Officer",
                                           "requests": [{"csr": base64.b64encode(csr).decode(), "name": "Rita"}]}, rosa)
    item = done["result"]["certificates"][0]
    der = base64.b64decode(item["der"])
    made = house.act("officer.create", {"name": "Rita Registrar", "profile": "Registration officer", "certificate": item["certificate"],
                                        "certificate_sha256": hashlib.sha256(der).hexdigest()}, anna, ben)
    officer = Officer(house.keys, "Rita Registrar", key, x509.load_der_x509_certificate(der), made["result"]["id"])
    officer.certificate_id = item["certificate"]
    return officer


def set_status(house, certificate, status):
    db = sqlite3.connect(house.dir / "chancery.db", timeout=10, isolation_level=None)
    assert db.execute("UPDATE certificate SET status = ? WHERE id = ?", (status, certificate)).rowcount == 1
    db.close()


def test_officers_whose_certificate_or_document_ends(sqlite_house, rita):
    """Neither login, nor signature, nor what sessions issue in the officer's name: held, revoked, closed. rows=CM-O-31"""
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    token = house.open_session(officer=rita)
    issue = lambda: house.issue(token, make_csr(None, sans=["rita.example.org"])[0])  # noqa: E731
    login = lambda: house.call("GET", "/api/v1/whoami", officer=rita)  # noqa: E731
    body = {"token_procedure": "TLS server",
            "requests": [{"csr": base64.b64encode(make_csr(None, sans=["signed.example.org"])[0]).decode(), "name": "one"}]}
    request = house.prepare(rita, "certificate.issue", body)
    cms = base64.b64encode(rita.sign(base64.b64decode(request["to_sign"]))).decode()
    sign = lambda: house.call("POST", f"/api/v1/requests/{request['id']}/signatures", {"signatures": [cms]}, anna)  # noqa: E731
    count = lambda: len(house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"])  # noqa: E731
    assert issue()["id"] and login()
    for status, code in ((1, "CHY-1608"), (2, "CHY-1607")):
        set_status(house, rita.certificate_id, status)
        becomes(issue, (403, "CHY-1715"))
        assert refusal_of(login) == (403, code) and refusal_of(sign) == (403, code)
        before = count()
        assert refusal_of(issue) == (403, "CHY-1715") and count() == before
        set_status(house, rita.certificate_id, 0)
        becomes(issue, None)
        assert login()
    document = house.call("GET", f"/api/v1/documents/officer/{rita.id}", officer=anna)
    house.act("officer.modify", dict(document["body"], state="closed"), anna, ben, obj=rita.id)
    before = count()
    assert refusal_of(issue) == (403, "CHY-1715"), "from the moment on that the officer is closed"
    assert refusal_of(login) == (403, "CHY-1605") and refusal_of(sign) == (403, "CHY-1605")
    assert count() == before


def test_first_signer_revoked_meanwhile(sqlite_house):
    """What a revoked officer has signed first, the second signature does not complete. rows=CM-O-31"""
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    request = house.prepare(anna, "token-procedure.create", {
        "name": "Half signed", "storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]})
    assert house.bring(anna, request, anna)["state"] == "waiting"
    certificate = house.call("GET", f"/api/v1/documents/officer/{anna.id}", officer=ben)["body"]["certificate"]
    set_status(house, certificate, 2)
    try:
        assert refusal_of(lambda: house.bring(ben, request, ben)) == (403, "CHY-1607")
    finally:
        set_status(house, certificate, 0)
    assert house.bring(ben, request, ben)["state"] == "done"


def test_first_signer_of_a_certificate_that_is_bound_no_more(sqlite_house):
    """Gina has another certificate since: the one that she signed with counts all the same, held or revoked."""
    house, (anna, ben, rosa) = sqlite_house, (sqlite_house.officers[n] for n in ("anna", "ben", "rosa"))
    gina = house.make_officer("Gina", "Administration officer", anna, ben, issuer=rosa)
    request = house.prepare(gina, "token-procedure.create", {
        "name": "Before the change", "storage_profile": "pkcs10", "issuer_certificates": "none",
        "certificate_procedures": ["TLS server"]})
    assert house.bring(gina, request, gina)["state"] == "waiting"
    body = house.call("GET", f"/api/v1/documents/officer/{gina.id}", officer=anna)["body"]
    item = house.act("certificate.issue", {"token_procedure": "Officer", "requests": [
        {"csr": base64.b64encode(make_csr("Gina Again")[0]).decode()}]}, rosa)["result"]["certificates"][0]
    house.act("officer.modify", dict(body, certificate=item["certificate"], certificate_sha256=hashlib.sha256(
        base64.b64decode(item["der"])).hexdigest()), anna, ben, obj=gina.id)
    for status, code in ((1, "CHY-1608"), (2, "CHY-1607")):
        set_status(house, body["certificate"], status)
        assert refusal_of(lambda: house.bring(ben, request, ben)) == (403, code)
    set_status(house, body["certificate"], 0)
    assert house.bring(ben, request, ben)["state"] == "done"
