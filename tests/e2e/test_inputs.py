"""What is filled in when a certificate is issued: which input goes where by the format, and what the input view demands."""
import base64
import datetime
import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from test_cli import Cli
from test_documents import create, modify, refused, show
from test_tokens import bring, fetch, opened
from world import make_csr

STAFF = "1.3.6.1.4.1.99999.7"
QC = "1.3.6.1.5.5.7.1.3"
QC_YEARS, QC_SSCD, QC_TYPE = (bytes.fromhex(x) for x in ("060604008e46010302010a", "060604008e460104", "060604008e460106"))


@pytest.fixture(scope="module")
def house(sqlite_house):
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    guide = (Path(__file__).resolve().parents[2] / "docs/guide/formats.md").read_text()
    body = json.loads(re.search(r"^```json\n(.*?)^```$", guide, re.M | re.S)[1])
    assert body["name"] == "Device" and body["input_extensions"][0]["oid"] == STAFF
    create(house, "format", **dict(body, empty_subject=True, key_usage="procedure"))
    create(house, "certificate-procedure", name="Device", authority="Issuing CA", format="Device", validity="P90D",
           key_usage=["digitalSignature"])
    view = create(house, "input-view", name="Device", fields=[
        {"input": "device.fqdn", "mandatory": True, "modifiers": ["trim"]}, {"input": "device.ip"}, {"input": "person.number"},
        {"input": "person.department", "label": "Owner", "default": "Field work"}, {"input": "validity.not_after"}])
    house.number = create(house, "token-procedure", name="Device", storage_profile="pkcs10", issuer_certificates="none",
                          certificate_procedures=["Device"], input_view=view)
    create(house, "token-procedure", name="Device without view", storage_profile="pkcs10", issuer_certificates="none",
           certificate_procedures=["Device"])
    house.act("pin-procedure.create", {"name": "Shown", "method": "shown"}, anna, ben)
    house.token = house.open_session(procedures=("Device", "Device without view", "TLS server"))
    return house


def csr(name="request.example.org", **more):
    return make_csr(name, sans=["request.example.org"], **more)[0]


def parsed(der):
    return x509.load_der_x509_certificate(der)


def by_session(house, filled, procedure="Device", **more):
    got = house.issue(house.token, csr(), procedure=procedure, input=filled, **more)
    return parsed(base64.b64decode(got["certificate"]))


def by_officer(house, *filled, procedure="Device"):
    rosa = house.officers["rosa"]
    items = [{"csr": base64.b64encode(csr()).decode(), "name": str(i), **({} if f is None else {"input": f})}
             for i, f in enumerate(filled)]
    return house.act("certificate.issue", {"token_procedure": procedure, "requests": items}, rosa)["result"]["certificates"]


def says(cert):
    """Subject, alternative names and the extension of the staff number."""
    names = []
    try:
        san = cert.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        names = san.get_values_for_type(x509.DNSName) + [str(a) for a in san.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        pass
    staff = [e.value.value for e in cert.extensions if e.oid.dotted_string == STAFF]
    return cert.subject.rfc4514_string(), names, staff


FULL = {"device.fqdn": " WWW.Example.org ", "device.ip": ["10.0.0.1", "fd00::1"], "person.number": "4711"}
FULL_SAYS = ("CN=host www,OU=Field work,C=SE", ["www.example.org", "10.0.0.1", "fd00::1"], [b"\x16\x05E4711"])


def test_inputs_go_where_the_format_says(house):
    """By a session, by an officer, with a view and without one; the request's own names are the format's to leave out."""
    assert says(by_session(house, FULL)) == FULL_SAYS
    good, bare = by_officer(house, FULL, {"device.fqdn": "a.example.org", "person.department": "Sales"})
    assert says(parsed(base64.b64decode(good["der"]))) == FULL_SAYS
    assert says(parsed(base64.b64decode(bare["der"]))) == ("CN=host a,OU=Sales,C=SE", ["a.example.org"], [])
    without = by_session(house, {"device.fqdn": "b.example.org"}, procedure="Device without view")
    assert says(without) == ("CN=host b,OU=Operations,C=SE", ["b.example.org"], []), "the format's default, not the view's"
    until = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 5 * 86400))
    cert = by_session(house, {**FULL, "validity.not_after": until})
    assert cert.not_valid_after.isoformat() + "Z" == until


@pytest.mark.parametrize("filled,code,rule,field", [
    (None, "CHY-1762", "input-view", "input.device.fqdn"),
    ({}, "CHY-1762", "input-view", "input.device.fqdn"),
    ({"device.ip": "10.0.0.1"}, "CHY-1762", "input-view", "input.device.fqdn"),
    ({**FULL, "person.name": "Anna"}, "CHY-1761", "input-view", "input.person.name"),
    ({**FULL, "subject.common-name": "x"}, "CHY-1761", "input-view", "input.subject.common-name"),
    ({**FULL, "device.colour": "red"}, "CHY-1760", "input-view", "input.device.colour"),
    ({**FULL, "device.fqdn": 7}, "CHY-1760", "input-view", "input.device.fqdn"),
    ({**FULL, "device.fqdn": "a\u0000.example.org"}, "CHY-", None, None),
    ({**FULL, "device.fqdn": "www.example.com"}, "CHY-1594", "alternative-names", "csr.subject_alternative_names"),
    ({**FULL, "person.number": "E1"}, "CHY-1594", "extensions", "input.person.number"),
    ({**FULL, "device.ip": "10.0.0"}, "CHY-1576", "alternative-names", "csr.subject_alternative_names"),
], ids=range(11))
def test_what_is_refused(house, filled, code, rule, field):
    """With the field and the rule, to a session as to an officer, and nothing is issued."""
    before = len(house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"])
    with pytest.raises(Exception, match=code) as e:
        house.issue(house.token, csr(), procedure="Device", **({} if filled is None else {"input": filled}))
    if rule is not None:
        assert (e.value.problem["rule"], e.value.problem["field"]) == (rule, field)
        problem = by_officer(house, filled)[0]["problem"]
        assert (problem["code"], problem["rule"], problem["field"]) == (code, rule, field)
    assert len(house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]) == before


def test_an_input_that_is_no_object(house):
    for bad in ([], "x", 7):
        refused("CHY-1008", house.issue, house.token, csr(), procedure="Device", input=bad)


def test_what_is_shown_is_what_is_demanded(house):
    """rows=CM-T-34"""
    got = house.call("GET", f"/api/v1/token-procedures/{house.number}/input", officer=house.officers["rosa"])
    assert [(f["input"], f["label"], f["mandatory"]) for f in got["fields"]] == [
        ("device.fqdn", "Host name of the device", True), ("device.ip", "IP address of the device", False),
        ("person.number", "Number of the person", False), ("person.department", "Owner", False), ("validity.not_after", "Valid to", False)]
    for f in got["fields"]:
        if f["mandatory"]:
            refused("CHY-1762", house.issue, house.token, csr(), procedure="Device",
                    input={k: v for k, v in FULL.items() if k != f["input"]})


def test_the_same_key_for_another_input(house):
    first = house.issue(house.token, csr(), procedure="Device", input=FULL, key="one")
    same = csr()
    again = house.issue(house.token, same, procedure="Device", input=FULL, key="two")
    assert house.issue(house.token, same, procedure="Device", input=FULL, key="two")["id"] == again["id"] != first["id"]
    refused("CHY-1717", house.issue, house.token, same, procedure="Device", input={**FULL, "person.number": "1"}, key="two")


@pytest.fixture(scope="module")
def cli(house):
    c = Cli(house)
    for who in ("anna", "ben", "rosa"):
        o, out, pin = house.officers[who], c.dir / f"{who}.p12", c.dir / f"{who}.pin"
        pin.write_text("secret\n")
        subprocess.run(["openssl", "pkcs12", "-export", "-inkey", o.key_file, "-in", o.cert_file, "-out", out, "-passout", "pass:secret"],
                       check=True, capture_output=True)
        c.officers[who] = (out, pin)
    return c


def test_at_the_command_line(house, cli):
    request, out, session = cli.csr("device"), cli.dir / "device.pem", cli.dir / "session"
    session.write_text(house.token)
    filled = ["--input", "device.fqdn=www.example.org", "--input", "device.ip=10.0.0.1", "--input", "device.ip=fd00::1",
              "--input", "person.number=4711"]
    cli.as_("rosa", "certificate", "issue", "--procedure", "Device", request, "--out", out, *filled)
    assert says(x509.load_pem_x509_certificate(out.read_bytes())) == FULL_SAYS
    cli.run("certificate", "issue", "--procedure", "Device", request, "--out", out, "--session", session, "--input",
            "device.fqdn=c.example.org")
    assert says(x509.load_pem_x509_certificate(out.read_bytes()))[1] == ["c.example.org"]
    failed = cli.as_("rosa", "certificate", "issue", "--procedure", "Device", request, "--out", out, code=1).stderr
    assert "CHY-1762" in failed and "Host name of the device" in failed and "input.device.fqdn" in failed
    for wrong in ("device.fqdn", "=x", "device.fqdn="):
        assert "NAME=VALUE" in cli.as_("rosa", "certificate", "issue", "--procedure", "Device", request, "--input", wrong, code=2).stderr
    shown = cli.as_("anna", "token-procedure", "input", "Device").stdout
    assert "device.fqdn" in shown and "(mandatory)" in shown
    got = cli.as_("anna", "format", "create", "--name", "Typed", "--subject", "attribute=CN,input=device.fqdn,modifiers=upper-case",
                  co="ben", code=0).stdout
    assert "Typed" in got
    bad = cli.as_("anna", "format", "create", "--name", "Typed wrongly", "--subject", "attribute=CN,modifiers=reverse", co="ben",
                  code=1).stderr
    assert "CHY-1507" in bad and "subject[0].modifiers[0]" in bad


def test_past_requests_are_tried_with_what_was_filled_in(house):
    """Of officers and of sessions: the same input, another format."""
    anna = house.officers["anna"]
    body = house.call("GET", "/api/v1/documents/format?name=Device", officer=anna)["items"][0]["body"]
    changed = dict(body, subject=[dict(a, modifiers=["upper-case"]) if a["attribute"] == "2.5.4.3" else a for a in body["subject"]])
    end = time.monotonic() + 60

    def simulate(b):
        return house.call("POST", "/api/v1/policy/simulation", {"kind": "format", "object": "Device", "body": {k: v for k, v in b.items() if v is not None}}, anna)

    by_officer(house, FULL)
    by_session(house, {"device.fqdn": "remembered.example.org"})
    while True:
        got = simulate(changed)
        sides = [i for i in got["items"] if any(d["new"] and "CN=REMEMBERED.EXAMPLE.ORG" in str(d["new"]) for d in i["difference"])]
        if any("session" in i for i in sides):
            break
        assert time.monotonic() < end, got
        time.sleep(0.3)
    assert any("CN=WWW.EXAMPLE.ORG" in json.dumps(i) and "request" in i for i in got["items"]), "an officer's request"
    same = simulate(body)
    assert same["different"] == same["refused"] == same["accepted"] == 0, "what was filled in is not forgotten"


def test_a_soft_token_takes_them_too(house):
    rosa = house.officers["rosa"]
    create(house, "format", name="Person", key_usage="procedure",
           subject=[{"attribute": "serialNumber", "input": "person.number", "mandatory": True, "modifiers": ["prefix:E"]},
                    {"attribute": "CN", "mandatory": True}],
           san=[{"type": "upn", "input": "person.user-name", "modifiers": ["suffix:@ad.example.org"]}])
    create(house, "certificate-procedure", name="Person", authority="Issuing CA", format="Person", validity="P90D",
           key_usage=["digitalSignature"])
    create(house, "token-procedure", name="Person", storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates="none",
           certificate_procedures=["Person"])
    filled = {"subject.common-name": "Erika Muster", "person.number": "4711", "person.user-name": "erika"}

    def make(given):
        return bring(house, rosa, house.prepare(rosa, "token.issue", {"token_procedure": "Person", "input": given}))["result"]

    file = fetch(house, make(filled)["token"])
    _, certs = opened(base64.b64decode(file["file"]), file["pin"])
    assert certs[0].subject.rfc4514_string() == "CN=Erika Muster,2.5.4.5=E4711"
    assert b"erika@ad.example.org" in certs[0].extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value.public_bytes()
    refused("CHY-1569", make, {"subject.common-name": "Erika Muster"})
    refused("CHY-1761", make, {**filled, "device.fqdn": "a.example.org"})


# ---- certificate procedures ----

def qc_of(cert):
    value = next(e.value.value for e in cert.extensions if e.oid.dotted_string == QC)
    return [name for name, oid in (("ten years", QC_YEARS), ("device", QC_SSCD), ("type", QC_TYPE)) if oid in value]


def test_both_sets_of_qc_statements(house):
    """The procedure's stay, those of the registration officer are added. rows=CM-C-13,CM-C-14"""
    create(house, "format", name="Qualified", subject=[{"attribute": "CN"}], unknown_san="drop", qc_mandatory=True,
           request_extensions=[{"oid": "qcStatements"}])
    create(house, "certificate-procedure", name="Qualified", authority="Issuing CA", format="Qualified", validity="P90D",
           qc_statements={"retention_years": 10})
    number = create(house, "token-procedure", name="Qualified", storage_profile="pkcs10", issuer_certificates="none",
                    certificate_procedures=["Qualified"])
    fields = [f["input"] for f in house.call("GET", f"/api/v1/token-procedures/{number}/input", officer=house.officers["rosa"])["fields"]]
    assert "qc_statements" in fields
    own, more, less, bad = by_officer(house, None, {"qc_statements": {"device": True, "types": ["esign"]}},
                                      {"qc_statements": {"retention_years": 1, "device": True}}, {"qc_statements": {"gold": True}},
                                      procedure="Qualified")
    assert "problem" not in own, own
    assert qc_of(parsed(base64.b64decode(own["der"]))) == ["ten years"]
    assert qc_of(parsed(base64.b64decode(more["der"]))) == ["ten years", "device", "type"]
    assert qc_of(parsed(base64.b64decode(less["der"]))) == ["ten years", "device"], "what the procedure says cannot be taken away"
    assert (bad["problem"]["code"], bad["problem"]["field"]) == ("CHY-1760", "input.qc_statements")


def test_key_usage_as_ticked(house):
    """None, or those that are ticked: they stand in the certificate, where the request has none. rows=CM-C-06"""
    number = create(house, "certificate-procedure", name="Ticked", authority="Issuing CA", format="TLS server", validity="P90D")
    create(house, "token-procedure", name="Ticked", storage_profile="pkcs10", issuer_certificates="none",
           certificate_procedures=["Ticked"])
    assert show(house, "certificate-procedure", number)["body"]["key_usage"] == []

    def usage():
        cert = parsed(base64.b64decode(by_officer(house, None, procedure="Ticked")[0]["der"]))
        try:
            u = cert.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            return None
        return u.digital_signature, u.content_commitment, u.key_agreement

    assert usage() is None
    modify(house, "certificate-procedure", number, key_usage=["keyAgreement", "digitalSignature"])
    assert usage() == (True, False, True)
    modify(house, "certificate-procedure", number, key_usage=[])
    assert usage() is None


def test_any_number_of_distribution_rules(house):
    """rows=CM-C-12"""
    rules = [create(house, "distribution-rule", name=f"Rule {i}", protocol="http", address=f"http://a{i}.example.org/", path="/{serial}.cer") for i in range(3)]
    number = create(house, "certificate-procedure", name="Distributed", authority="Issuing CA", format="TLS server", validity="P90D",
                    distribution_rules=[rules[2], "Rule 0"])
    assert show(house, "certificate-procedure", number)["body"]["distribution_rules"] == [rules[2], rules[0]], "in their order"
    for wanted in (rules, rules[:1], []):
        modify(house, "certificate-procedure", number, distribution_rules=wanted)
        assert show(house, "certificate-procedure", number)["body"]["distribution_rules"] == wanted
        for i, rule in enumerate(rules):
            users = house.call("GET", f"/api/v1/documents/distribution-rule/{rule}/references", officer=house.officers["anna"])["items"]
            assert [u["id"] for u in users] == ([number] if rule in wanted else []), i


def test_modifying_leaves_what_was_issued(house):
    """Two officers again, and what was issued before says what it said. rows=CM-T-39"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    create(house, "certificate-procedure", name="Short", authority="Issuing CA", format="TLS server", validity="P1D",
           key_usage=["digitalSignature"])
    number = create(house, "token-procedure", name="Changing", storage_profile="pkcs10", issuer_certificates="none",
                    certificate_procedures=["TLS server"])
    first = by_officer(house, None, procedure="Changing")[0]
    told = house.call("GET", f"/api/v1/certificates/{first['certificate']}/explanation", officer=anna)
    body = {k: v for k, v in show(house, "token-procedure", number)["body"].items() if v is not None}
    request = house.prepare(anna, "token-procedure.modify", dict(body, certificate_procedures=["Short"]), number)
    assert house.bring(anna, request, anna)["state"] == "waiting"
    refused("CHY-1613", house.bring, anna, request, anna)
    assert show(house, "token-procedure", number)["version"] == 1, "one signature changes nothing"
    meanwhile = by_officer(house, None, procedure="Changing")[0]
    assert parsed(base64.b64decode(meanwhile["der"])).not_valid_after > parsed(base64.b64decode(first["der"])).not_valid_before + \
        datetime.timedelta(days=2)
    assert house.bring(ben, request, ben)["state"] == "done"
    assert show(house, "token-procedure", number)["version"] == 2
    after = parsed(base64.b64decode(by_officer(house, None, procedure="Changing")[0]["der"]))
    assert (after.not_valid_after - after.not_valid_before).days < 2
    raw = house.raw("GET", f"/api/v1/certificates/{first['certificate']}", None, {"Accept": "application/pkix-cert"}, anna)[2]
    assert raw == base64.b64decode(first["der"]), "not an octet"
    now = house.call("GET", f"/api/v1/certificates/{first['certificate']}/explanation", officer=anna)
    later = {"journal": None, "lints": None}  # its place in the tree and the verdict come after it
    assert {**now, **later} == {**told, **later}, "made by version 1"
