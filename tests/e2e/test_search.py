"""The search for certificates: every field, free text, in any combination, sorted and page by page, for who may see them."""
import base64
import csv
import hashlib
import io
import itertools
import json
import random
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

import world
from test_status import act, bring, desk, with_password  # noqa: F401
from world import Refused, make_csr

PEOPLE = [("Anna", "Müller"), ("Ben", "Smith"), ("Cleo", "O'Neill"), ("Dora", "100% sure"), ("Emil", "under_score")]
COUNTRIES = ["DE", "FR", "SE"]


def ms(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module")
def found(desk):  # noqa: F811
    """Thirty people with names of many kinds; some revoked, some on hold, some with a chosen validity."""
    house = desk
    anna, ben = house.officers["anna"], house.officers["ben"]
    subject = [{"attribute": a, "source": "request"} for a in ("CN", "GN", "SN", "O", "OU", "serialNumber", "C")]
    house.act("format.create", {"name": "Found", "purpose": "end-entity", "subject": subject,
                                "san": [{"type": "dns", "source": "request"}, {"type": "email", "source": "request"}]}, anna, ben)
    house.act("certificate-procedure.create", {"name": "Found", "authority": "Issuing CA", "format": "Found", "validity": "P90D",
                                               "key_usage": ["digitalSignature"], "requested_validity": True}, anna, ben)
    house.act("token-procedure.create", {"name": "Found", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                         "certificate_procedures": ["Found"]}, anna, ben)
    token = house.open_session(procedures=["Found"])
    key = ec.generate_private_key(ec.SECP256R1())
    for i in range(30):
        given, surname = PEOPLE[i % 5]
        N = x509.NameOID
        name = x509.Name([x509.NameAttribute(N.COUNTRY_NAME, COUNTRIES[i % 3]), x509.NameAttribute(N.ORGANIZATION_NAME, f"Org {i % 4}"),
                          x509.NameAttribute(N.ORGANIZATIONAL_UNIT_NAME, f"Unit {i % 2}"),
                          x509.NameAttribute(N.COMMON_NAME, f"{given} {surname} {i}"), x509.NameAttribute(N.GIVEN_NAME, given),
                          x509.NameAttribute(N.SURNAME, surname), x509.NameAttribute(N.SERIAL_NUMBER, f"P-{i:04}")])
        from cryptography.hazmat.primitives import hashes, serialization
        csr = (x509.CertificateSigningRequestBuilder().subject_name(name)
               .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"h{i}.found.example.org"), x509.RFC822Name(f"p{i}@mail.example")]),
                              False).sign(key, hashes.SHA256()))
        more = {}
        if i % 6 == 5:
            more["validity"] = {"not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400 * (2 + i)))}
        house.issue(token, csr.public_bytes(serialization.Encoding.DER), procedure="Found", **more)
    house.everything = everything(house)
    mine = [c["id"] for c in house.everything if "serialNumber=P-" in c["subject"]]
    assert len(mine) == 30
    act(house, "free", "revoke", mine[:4], reason="key-compromise")
    act(house, "free", "revoke", mine[4:6], reason="superseded")
    act(house, "free", "hold", mine[6:9])
    house.everything = everything(house)
    house.mine = mine
    return house


def everything(house):
    """All rows as the list and the certificates themselves tell."""
    anna = house.officers["anna"]
    return [dict(house.call("GET", f"/api/v1/certificates/{c['id']}", officer=anna), **{"subject": c["subject"], "id": c["id"]})
            for c in house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"]]


def search(house, who="anna", **query):
    return house.call("POST", "/api/v1/certificates/search", query, house.officers[who] if isinstance(who, str) else who)


def ids(house, who="anna", **query):
    """Of all pages; the total is told on the first: exact, or what was counted while that was quick."""
    out, page = [], search(house, who, **query)
    total, more = page["total"], page["more"]
    while True:
        out += [c["id"] for c in page["items"]]
        if page["next"] is None:
            break
        page = search(house, who, **dict(query, after=page["next"]))
    assert len(out) == len(set(out))
    assert 0 < total <= min(len(out), 1000) if more else total == len(out)
    return out


def subject_of(c):
    return dict(part.split("=", 1) for part in c["subject"].split(",") if "=" in part)


def want(house, test):
    return sorted(c["id"] for c in house.everything if test(c))


@pytest.mark.parametrize("field,value,test", [
    ("common_name", "anna müller 0", lambda s: s.get("CN") == "Anna Müller 0"),
    ("common_name", "ANNA MÜLLER 0", lambda s: s.get("CN") == "Anna Müller 0"),
    ("surname", "MÜL*", lambda s: s.get("SN") == "Müller"),
    ("common_name", "ANNA*", lambda s: s.get("CN", "").startswith("Anna")),
    ("given_name", "Ben", lambda s: s.get("GN") == "Ben"),
    ("surname", "O'Neill", lambda s: s.get("SN") == "O'Neill"),
    ("surname", "100% sure", lambda s: s.get("SN") == "100% sure"),
    ("surname", "*_score", lambda s: s.get("SN") == "under_score"),
    ("organisation", "org 3", lambda s: s.get("O") == "Org 3"),
    ("organisational_unit", "Unit 1", lambda s: s.get("OU") == "Unit 1"),
    ("subject_serial_number", "P-0007", lambda s: s.get("serialNumber") == "P-0007"),
    ("country", "se", lambda s: s.get("C") == "SE"),
])
def test_attributes_of_the_subject(found, field, value, test):
    """rows=CM-R-01"""
    expected = want(found, lambda c: test(subject_of(c)))
    assert expected and sorted(ids(found, **{field: value})) == expected


def test_free_text_over_subject_and_alternative_names(found):
    """rows=CM-R-01"""
    assert sorted(ids(found, text="found.example")) == sorted(found.mine)
    assert sorted(ids(found, text="h17.FOUND")) == [found.mine[17]]
    assert sorted(ids(found, text="smith p6@mail")) == [found.mine[6]]
    assert sorted(ids(found, text="100%")) == want(found, lambda c: "100%" in c["subject"])
    assert sorted(ids(found, text="*under*score*")) == want(found, lambda c: "under_score" in c["subject"])
    assert ids(found, text="no such thing anywhere") == [] and ids(found, text="%%%") == [] and ids(found, text="___") == []
    assert sorted(ids(found, text="MÜLLER")) == want(found, lambda c: "Müller" in c["subject"]) != []
    assert sorted(ids(found, text="ÜL")) == want(found, lambda c: "Müller" in c["subject"])
    assert sorted(ids(found, text="ül")) == want(found, lambda c: "Müller" in c["subject"])  # shorter than the index knows
    assert sorted(ids(found, email="p3@mail.example")) == [found.mine[3]]
    assert sorted(ids(found, alternative_name="h*.found.example.org")) == sorted(found.mine)


def test_numbers_and_digests(found):
    """rows=CM-R-01"""
    c = next(x for x in found.everything if x["id"] == found.mine[11])
    cert = x509.load_der_x509_certificate(base64.b64decode(c["der"]))
    ski = cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()
    aki = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier.hex()
    assert ids(found, serial=c["serial"]) == [c["id"]] and ids(found, sha256=c["sha256"]) == [c["id"]]
    assert ids(found, serial=c["serial"], state="revoked") == [] and ids(found, serial="00" * 8) == []
    assert sorted(ids(found, subject_key_identifier=ski)) == sorted(found.mine)  # they share one key
    assert ids(found, sha256=c["sha256"], subject_key_identifier=ski) == [c["id"]]
    assert ids(found, sha256=c["sha256"], subject_key_identifier="00" + ski[2:]) == []
    last = max((x for x in found.everything if x["id"] not in found.mine), key=lambda x: x["not_after"])
    assert ids(found, valid_to_from=last["not_after"]) and ids(found, subject_key_identifier=ski, valid_to_from=last["not_after"]) == []
    same = want(found, lambda x: x["authority"] == c["authority"])
    assert sorted(ids(found, authority_key_identifier=aki)) == same == sorted(ids(found, issuer="CN=Issuing CA,O=Test"))
    assert sorted(ids(found, authority=c["authority"])) == same
    assert ids(found, issuer="CN=Nobody") == []
    assert sorted(ids(found, token_procedure=c["token_procedure"])) == sorted(found.mine)
    assert sorted(ids(found, certificate_procedure=c["certificate_procedure"])) == sorted(found.mine)


def test_states_reasons_and_times(found):
    """rows=CM-R-01,CM-R-03"""
    assert sorted(ids(found, state="held")) == want(found, lambda c: c["state"] == "held")
    assert sorted(ids(found, state=["held", "revoked"], text="found.example")) == sorted(found.mine[:9])
    assert sorted(ids(found, is_not_revoked=True, text="found.example")) == sorted(found.mine[6:])
    assert sorted(ids(found, is_not_revoked=False, text="found.example")) == sorted(found.mine[:6])
    assert sorted(ids(found, reason="superseded", text="found.example")) == sorted(found.mine[4:6])
    assert sorted(ids(found, reason=["superseded", "key-compromise"], token_procedure=token_procedure(found))) == sorted(found.mine[:6])
    assert sorted(ids(found, reason="certificate-hold", text="found.example")) == sorted(found.mine[6:9])
    since = sorted(c["status"]["since"] for c in found.everything if c["id"] in found.mine[4:6])[0]
    assert set(ids(found, revoked_from=since, text="found.example")) == set(found.mine[4:9])
    assert set(ids(found, revoked_to=since, text="found.example")) == set(found.mine[:4])
    short = want(found, lambda c: c["id"] in found.mine and ms(c["not_after"]) < time.time() + 86400 * 60)
    limit = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400 * 60))
    assert len(short) == 5 and sorted(ids(found, valid_to_to=limit, text="found.example")) == short
    assert sorted(ids(found, valid_to_from=limit, text="found.example")) == sorted(set(found.mine) - set(short))
    assert sorted(ids(found, valid_from_from="2020-01-01T00:00:00Z", text="found.example")) == sorted(found.mine)
    assert ids(found, valid_from_to="2020-01-01T00:00:00Z") == [] and ids(found, is_expired=True, text="found.example") == []
    assert sorted(ids(found, is_expired=False, is_not_yet_valid=False, text="found.example")) == sorted(found.mine)
    item = next(x for x in search(found, text="h2.found")["items"] if x["id"] == found.mine[2])
    assert (item["state"], item["reason"], item["validity"], item["subject_type"]) == ("revoked", "key-compromise", "valid", "EE")
    assert item["since"] and item["not_after"] and item["publication_allowed"] is True


def token_procedure(house):
    return next(c["token_procedure"] for c in house.everything if c["id"] == house.mine[0])


def test_kinds_and_publication(found):
    """What was said at issue of its publication; where nothing was, it is allowed. rows=CM-R-01,CM-R-03,CM-P-15"""
    authorities = want(found, lambda c: "basicConstraints" in json.dumps(c) and c["token_procedure"] == 0)
    cas = ids(found, subject_type="CA")
    assert set(cas) >= {i for i in authorities} and not set(cas) & set(found.mine)
    assert set(ids(found, subject_type="EE")) >= set(found.mine) and not set(ids(found, subject_type="EE")) & set(cas)
    assert ids(found, subject_type="AC") == []
    csr = base64.b64encode(make_csr(None, sans=["published.example.org"])[0]).decode()
    made = found.act("certificate.issue", {"token_procedure": "TLS server", "requests": [{"csr": csr, "name": "p"}],
                                           "publication_allowed": False}, found.officers["rosa"])
    number = made["result"]["certificates"][0]["certificate"]
    assert number in ids(found, publication_allowed=False) and number not in ids(found, publication_allowed=True)
    assert set(ids(found, publication_allowed=True)) >= set(found.mine) and not set(ids(found, publication_allowed=False)) & set(found.mine)
    item = search(found, text="published.example")["items"][0]
    assert item["publication_allowed"] is False and item["published_at"] is None
    assert number not in ids(found, published_from="2020-01-01T00:00:00Z")


FIELDS = {"organisation": "Org 1", "country": "DE", "state": "revoked", "organisational_unit": "Unit 0", "text": "found.example",
          "is_expired": False, "subject_type": "EE"}


def test_any_combination_is_and(found):
    """rows=CM-R-01"""
    tests = {"organisation": lambda c: subject_of(c).get("O") == "Org 1", "country": lambda c: subject_of(c).get("C") == "DE",
             "state": lambda c: c["state"] == "revoked", "organisational_unit": lambda c: subject_of(c).get("OU") == "Unit 0",
             "text": lambda c: c["id"] in found.mine, "is_expired": lambda c: True, "subject_type": lambda c: True}
    for n in (2, 3):
        for some in itertools.combinations(FIELDS, n):
            got = sorted(ids(found, **{k: FIELDS[k] for k in some}, authority=found.everything[-1]["authority"]))
            expected = want(found, lambda c: all(tests[k](c) for k in some) and c["authority"] == found.everything[-1]["authority"])
            if "organisation" in some or "text" in some or "country" in some:
                assert got == expected, some


@pytest.mark.parametrize("order,key", [("id", lambda c: c["id"]), ("subject", lambda c: c["subject"].encode()),
                                       ("serial", lambda c: bytes.fromhex(c["serial"])), ("valid_to", lambda c: ms(c["not_after"])),
                                       ("valid_from", lambda c: ms(c["not_before"]))])
def test_order_and_pages(found, order, key):
    """rows=CM-R-02"""
    rows = {c["id"]: c for c in found.everything}
    for descending in (False, True):
        for limit in (1, 4, 7, 30, 100):
            got = ids(found, text="found.example", order=order, descending=descending, limit=limit)
            keys = [key(rows[i]) for i in got]
            assert sorted(got) == sorted(found.mine) and keys == sorted(keys, reverse=descending)


def test_order_by_since_and_without_conditions(found):
    """rows=CM-R-02"""
    rows = {c["id"]: c for c in found.everything}
    got = ids(found, state="revoked", order="since", limit=2)
    assert [rows[i]["status"]["since"] for i in got] == sorted(rows[i]["status"]["since"] for i in got) and set(found.mine[:6]) <= set(got)
    for order in ("id", "valid_to", "valid_from", "since", "subject", "serial"):
        assert sorted(ids(found, order=order, limit=9)) == sorted(i["id"] for i in everything(found))
    valid = ids(found, state="valid", order="subject", limit=9)
    rows = {c["id"]: c for c in everything(found)}
    assert sorted(valid) == sorted(i for i in rows if rows[i]["status"]["state"] == "valid")
    assert [rows[i]["subject"].encode() for i in valid] == sorted(rows[i]["subject"].encode() for i in valid)


def test_what_is_no_search(found):
    for query in ({"nonsense": 1}, {"state": "lost"}, {"reason": 5}, {"order": "colour"}, {"limit": 0}, {"limit": 1001}, {"serial": "xyz"},
                  {"valid_to_to": "yesterday"}, {"after": "zz"}, {"after": "00.x"}, {"text": "x" * 600}, {"text": "a " * 40},
                  {"common_name": 5}, {"subject_type": "XX"}):
        with pytest.raises(Refused) as e:
            search(found, **query)
        assert e.value.status in (400, 422), (query, e.value)


def test_an_officer_sees_the_own_domain(found):
    """rows=CM-R-22"""
    anna, ben, rosa = (found.officers[n] for n in ("anna", "ben", "rosa"))
    home = found.act("domain.create", {"name": "Search home"}, anna, ben)["result"]["id"]
    other = found.act("domain.create", {"name": "Search elsewhere"}, anna, ben)["result"]["id"]
    for name, domain in (("Home", home), ("Elsewhere tokens", other)):
        found.act("token-procedure.create", {"name": name, "domain": domain, "storage_profile": "pkcs10", "issuer_certificates": "none",
                                             "certificate_procedures": ["TLS server"]}, anna, ben)
    seen, hidden = (found.issue(found.open_session(procedures=[p]), make_csr(None, sans=[f"{p[:4]}.domain.example"])[0], procedure=p)["id"]
                    for p in ("Home", "Elsewhere tokens"))
    found.act("officer-profile.create", {"name": "Seeker", "entity_type": "dynamic-token", "roles": ["use-clients"]}, anna, ben)
    csr, key = make_csr("Sam Seeker")
    item = found.act("certificate.issue", {"token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode()}]},
                     rosa)["result"]["certificates"][0]
    der = base64.b64decode(item["der"])
    made = found.act("officer.create", {"name": "Sam Seeker", "profile": "Seeker", "domain": home, "certificate": item["certificate"],
                                        "certificate_sha256": hashlib.sha256(der).hexdigest()}, anna, ben)["result"]["id"]
    sam = world.Officer(found.keys, "Sam Seeker", key, x509.load_der_x509_certificate(der), made)
    assert ids(found, sam, text="domain.example") == [seen]
    assert sorted(ids(found, text="domain.example")) == sorted([seen, hidden])
    serial = next(c["serial"] for c in everything(found) if c["id"] == hidden)
    assert ids(found, sam, serial=serial) == []
    assert hidden not in ids(found, sam) and seen in ids(found, sam)
    with pytest.raises(Refused) as e:
        found.call("GET", "/api/v1/certificates/summary", officer=sam)
    assert e.value.code == "CHY-1602"


def test_summary(found):
    """By counters, and by when they end; who sees one domain only is not told."""
    def summary(officer="anna"):
        return found.call("GET", "/api/v1/certificates/summary", officer=found.officers[officer])
    before = summary()
    assert [x["days"] for x in before["ending"]] == [7, 30, 90] and before["ended"] == {"days": 30, "count": 0, "more": False}
    issued = [found.issue(found.open_session(), make_csr(None, sans=[f"s{i}.summary.example.org"])[0])["id"] for i in range(3)]
    act(found, "free", "revoke", issued[:1])
    after = summary()
    assert after["certificates"]["issued"] == before["certificates"]["issued"] + 3
    assert after["certificates"]["revoked"] == before["certificates"].get("revoked", 0) + 1
    now = time.time()
    ends = [ms(c["not_after"]) for c in everything(found)]
    for x in after["ending"]:
        assert x == {"days": x["days"], "count": sum(now <= end < now + 86400 * x["days"] for end in ends), "more": False}
    assert after["ending"][-1]["count"] == before["ending"][-1]["count"] + 3


def test_exports(found):
    """All that was found, streamed; no cell is a formula."""
    body = json.dumps({"text": "found.example", "limit": 7}).encode()
    anna = found.officers["anna"]
    status, head, data = found.raw("POST", "/api/v1/certificates/search", body,
                                   {"Content-Type": "application/json", "Accept": "application/jsonl"}, anna)
    lines = [json.loads(x) for x in data.splitlines()]
    assert status == 200 and sorted(x["id"] for x in lines) == sorted(found.mine)
    status, head, data = found.raw("POST", "/api/v1/certificates/search", body,
                                   {"Content-Type": "application/json", "Accept": "text/csv"}, anna)
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert head["Content-Type"].startswith("text/csv") and sorted(int(r["id"]) for r in rows) == sorted(found.mine)
    assert {r["subject"] for r in rows} == {x["subject"] for x in lines}
    found.issue(found.open_session(procedures=["Found"]), formula_csr(), procedure="Found")
    _, _, data = found.raw("POST", "/api/v1/certificates/search", json.dumps({"text": "calc"}).encode(),
                           {"Content-Type": "application/json", "Accept": "text/csv"}, anna)
    (row,) = csv.DictReader(io.StringIO(data.decode()))
    assert "calc" in row["subject"] and not any(cell[:1] in ("=", "+", "-", "@") for cell in row.values())


@pytest.fixture
def typed(found, tmp_path):
    """A search by the command line, as Anna."""
    anna, pin = found.officers["anna"], tmp_path / "pin"
    pin.write_text("1234\n")
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", anna.key_file, "-in", anna.cert_file, "-out", tmp_path / "anna.p12",
                    "-passout", "pass:1234"], check=True)

    def run(*args, code=0):
        done = subprocess.run([world.CHANCERY, "certificate", "search", *map(str, args), "--server", f"https://localhost:{found.tls_port}",
                               "--ca", found.dir / "root.pem", "--officer", tmp_path / "anna.p12", "--pin-file", pin],
                              capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr
    return run


def test_the_command_line(found, typed):
    """Names for numbers, digits as other programs show them, any of several states, dates for times. rows=CM-R-02"""
    def typed_ids(*args):
        return sorted(c["id"] for c in json.loads(typed(*args, "--limit", 1000, "--json")))

    one = next(c for c in found.everything if c["id"] == found.mine[0])
    for option, digits in (("--serial", one["serial"]), ("--sha256", hashlib.sha256(base64.b64decode(one["der"])).hexdigest())):
        assert typed_ids(option, ":".join(digits[i:i + 2] for i in range(0, len(digits), 2)).upper()) == [one["id"]]
    assert typed_ids("found.example", "--state", "revoked", "--state", "held") == sorted(found.mine[:9])
    assert typed_ids("found.example", "--not-revoked") == sorted(found.mine[6:])
    assert typed_ids("found.example", "--reason", "superseded", "--reason", "key-compromise") == sorted(found.mine[:6])
    assert typed_ids("found.example", "--not-expired") == sorted(found.mine) and typed_ids("found.example", "--expired") == []
    assert typed_ids("found.example", "--token-procedure", "Found", "--certificate-procedure", "Found", "--authority", "Issuing CA") == sorted(found.mine)
    assert typed_ids("found.example", "--authority", "Root CA") == []
    assert typed_ids("found.example", "--valid-from-from", "2020-01-31", "--revoked-to", "2999-01-01") == sorted(found.mine[:9])
    assert "no date like" in typed("--valid-to-to", "31.1.2027", code=2) and "--not-expired" in typed("--expired", "--not-expired", code=2)
    line = next(x for x in typed("found.example", "--limit", 1000).splitlines() if x.startswith(f"{one['id']} "))
    assert one["serial"] in line and "Issuing CA" in line
    rows = list(csv.DictReader(io.StringIO(typed("found.example", "--csv", "--limit", 5))))
    assert len(rows) == 5 and all(r["issuer"] == "CN=Issuing CA,O=Test" and r["authority_name"] == "Issuing CA"
                                  and r["token_procedure_name"] == r["certificate_procedure_name"] == "Found" for r in rows)
    assert len(typed("found.example", "--lines", "--limit", 7).splitlines()) == 7
    assert len(typed("found.example", "--lines").splitlines()) == 30


def formula_csr():
    return make_csr("=calc|x", sans=["calc.example"])[0]


def test_broad_questions(found):
    """More than a thousand: the total says so, pages go on, and an order that would take long is refused."""
    token = found.open_session()
    many = set()
    from concurrent.futures import ThreadPoolExecutor
    key = ec.generate_private_key(ec.SECP256R1())
    with ThreadPoolExecutor(4) as pool:
        many = {x["id"] for x in pool.map(
            lambda i: found.issue(token, make_csr(None, key=key, sans=[f"b{i}.broad.example", f"{'xy'[i % 2]}.wide.example"])[0]), range(1100))}
    page = search(found, text="broad.example", limit=10)
    while page["behind"]:
        time.sleep(0.2)
        page = search(found, text="broad.example", limit=10)
    assert page["total"] == 1000 and page["more"] is True and len(page["items"]) == 10
    assert set(ids(found, text="broad.example", limit=500)) == many
    # more than can be sorted, of two values: along them, by themselves and where another word is asked too
    page = search(found, text="wide.example", limit=10)
    assert page["total"] == 1000 and page["more"] is True and len(page["items"]) == 10
    assert set(ids(found, text="wide.example", limit=300)) == many
    assert set(ids(found, text="broad.example wide.example", limit=300)) == many
    got = ids(found, authority=found.everything[-1]["authority"], limit=1000)
    assert set(got) >= many and got == sorted(got, reverse=True)
    with pytest.raises(Refused) as e:
        search(found, text="broad.example", order="subject")
    assert e.value.code == "CHY-1684" and "narrow it" in str(e.value)
    assert len(ids(found, text="b10 broad.example", order="subject")) == 111
    # where both the text and the state are of more than a thousand, by the changes of the state
    listed = sorted(many)
    act(found, "free", "revoke", listed[:1000])
    act(found, "free", "revoke", listed[1000:1060])
    page = search(found, text="broad.example", state="revoked", order="since", limit=10)
    assert page["more"] is True and len(page["items"]) == 10 and {x["state"] for x in page["items"]} == {"revoked"}
    assert sorted(ids(found, text="broad.example", state="revoked", order="since", limit=500)) == listed[:1060]
    with pytest.raises(Refused) as e:
        search(found, text="broad.example", order="since")
    assert e.value.code == "CHY-1684"
    with pytest.raises(Refused):
        act(found, "free", "hold", [])
    # few, by several conditions that the index alone tells of
    made = {kind: {d["name"]: d["id"] for d in found.call("GET", f"/api/v1/documents/{kind}?limit=1000", officer=found.officers["anna"])["items"]}
            for kind in ("authority", "token-procedure")}
    issuing, root = made["authority"]["Issuing CA"], made["authority"]["Root CA"]
    half = ids(found, alternative_name="y.wide.example")
    page = search(found, alternative_name="y.wide.example", limit=10)
    assert page["total"] == 550 and page["more"] is False
    assert len(half) == 550 and half == sorted(half, reverse=True) and set(half) < many

    def some(**more):
        return ids(found, alternative_name="y.wide.example", limit=70, **more)
    # as many are looked at as fill a page: more of them, and where they do not, all
    assert some(authority=issuing) == half == some(authority=issuing, token_procedure=made["token-procedure"]["TLS server"])
    assert some(authority=issuing, descending=False) == half[::-1]
    assert ids(found, alternative_name="y.wide.example", authority=issuing, limit=300) == half
    assert some(authority=root) == [] == some(token_procedure=made["token-procedure"]["Found"]) == some(authority=issuing, country="SE")
    valid = [i for i in half if i not in listed[:1060]]
    assert some(authority=issuing, state="valid") == valid and 0 < len(valid) < 70
    assert some(state="revoked") == [i for i in half if i not in valid] == some(reason="superseded", descending=True)
    assert some(state="revoked", authority=issuing, descending=False) == [i for i in half[::-1] if i not in valid]
    assert some(state="held", authority=issuing) == []
    assert some(authority=issuing, text="b10 broad") == [i for i in half if i in ids(found, text="b10 broad.example")]


def test_activation_times(found):
    """When an officer activated them for OCSP. rows=CM-R-01,CM-R-17"""
    anna, ben = found.officers["anna"], found.officers["ben"]
    found.act("officer-profile.create", {"name": "Activation", "entity_type": "dynamic-token", "roles": ["use-clients", "activate-ocsp"]}, anna, ben)
    from test_ocsp import answer_by
    answer_by(found)
    dana = found.make_officer("Dana Activation", "Activation", anna, ben, issuer=found.officers["rosa"])
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
    assert ids(found, ocsp_activated_from="2020-01-01T00:00:00Z", text="found.example") == []
    done = found.act("certificate.activate-ocsp", {"certificates": found.mine[9:11]}, dana)
    assert done["state"] == "done", done
    assert sorted(ids(found, ocsp_activated_from=before, text="found.example")) == sorted(found.mine[9:11])
    assert ids(found, ocsp_activated_to=before) == []
    for item in search(found, text="found.example")["items"]:
        assert (item["ocsp_activated_at"] is not None and item["ocsp_activated_at"] >= before) == (item["id"] in found.mine[9:11])


def test_publication_times(found, scratch):
    """What was published, when, and no more what was taken back. rows=CM-R-01,CM-R-03"""
    from publishing import Desk
    publishing = Desk(found, scratch)
    (scratch / "out").mkdir(mode=0o777)
    publishing.file_rule("Found files", scratch / "out")
    publishing.procedure("Found files", "Found files")
    first, second = (publishing.certificate(sans=[f"pub{i}.published.org"])[0] for i in range(2))
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
    publishing.publish("Found files", first, second)
    assert sorted(ids(found, published_from=before, text="published.org")) == sorted([first, second])
    assert ids(found, published_to=before, text="published.org") == []
    assert all(x["published_at"] >= before for x in search(found, text="published.org")["items"])
    publishing.publish("Found files", second, act="certificate.unpublish")
    assert ids(found, published_from=before, text="published.org") == [first]


def test_numbers_in_text(found):
    """Long ones have an index of their own. rows=CM-R-01"""
    names = ["n1234567.numbers.example", "n12345.numbers.example", "n912345678.numbers.example", "n12345-67.numbers.example"]
    made = [found.issue(found.open_session(), make_csr(None, sans=[name])[0])["id"] for name in names]
    assert ids(found, text="n1234567") == [made[0]] and sorted(ids(found, text="1234567")) == sorted([made[0], made[2]])
    assert sorted(ids(found, text="12345")) == sorted(made) and ids(found, text="1234589") == [] == ids(found, text="54321")
    assert ids(found, text="12345*67") == sorted([made[0], made[2], made[3]], reverse=True)
    assert ids(found, text="numbers 12345 12345678") == [made[2]] and ids(found, alternative_name="*12345-67*") == [made[3]]


def test_long_values(found):
    """Of which the index of beginnings has a part."""
    names = [f"{'l' * 60}.{tail}.example" for tail in ("one", "other")] + ["lll.example"]
    made = [found.issue(found.open_session(), make_csr(None, sans=[name])[0])["id"] for name in names]
    assert sorted(ids(found, alternative_name="lll*")) == made and ids(found, alternative_name=f"{'l' * 60}*other.example") == [made[1]]
    assert ids(found, alternative_name="lll*e.example") == [made[0]] and ids(found, common_name="lll*") == [] == ids(found, alternative_name="lll*x")
