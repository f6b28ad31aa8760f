"""Policy tried before it is signed: selection preview, and changed documents on past requests."""
import base64
import datetime
import json
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from test_policy_code import Cli
from world import Refused, make_csr

USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
          "crl_sign", "encipher_only", "decipher_only")


def preview(house, who="anna", **call):
    return house.call("POST", "/api/v1/policy/preview", call, house.officers[who])


def simulate(house, who="anna", **call):
    return house.call("POST", "/api/v1/policy/simulation", call, house.officers[who])


def rows(house):
    """What is stored, as far as officers see it."""
    anna = house.officers["anna"]
    return [house.call("GET", f"/api/v1/{path}?limit=1000", officer=anna)["items"]
            for path in ("requests", "certificates", "drafts/token-procedure", "documents/token-procedure")] + \
           [house.wait_sequenced()]


@pytest.fixture(scope="module")
def keys(house):
    """Token procedures over [sign], [none], [encipher], [all]."""
    anna, ben = house.officers["anna"], house.officers["ben"]
    base = house.call("GET", "/api/v1/documents/certificate-procedure?name=TLS%20server", officer=anna)["items"][0]["body"]
    every = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
             "encipherOnly", "decipherOnly"]
    for name, usage in (("A sign", ["digitalSignature"]), ("B none", []), ("C encipher", ["keyEncipherment"]), ("D all", every)):
        house.act("certificate-procedure.create", dict(base, name=name, key_usage=usage), anna, ben)
    house.lists = {"abc": ["A sign", "B none", "C encipher"], "ac": ["A sign", "C encipher"], "ad": ["A sign", "D all"],
                   "ca": ["C encipher", "A sign"]}
    for name, procedures in house.lists.items():
        house.act("token-procedure.create", {"name": name, "storage_profile": "pkcs10", "issuer_certificates": "none",
                                             "certificate_procedures": procedures}, anna, ben)
    return house


def chosen(house, name, *usages):
    """What each key gets; None: no key usage in the request."""
    answer = preview(house, token_procedure=name, keys=[{} if u is None else {"key_usage": u} for u in usages])
    return [k["chosen"] and k["chosen"]["name"] for k in answer["keys"]]


def test_no_usage_gets_the_first(keys):
    """rows=CM-T-25"""
    assert chosen(keys, "abc", None) == ["A sign"] and chosen(keys, "ca", None) == ["C encipher"]
    considered = preview(keys, token_procedure="ca")["keys"][0]["considered"]
    assert [c["reason"] for c in considered] == ["first-in-list", "not-first"]


def test_a_usage_gets_the_first_that_matches(keys):
    """rows=CM-T-26"""
    assert chosen(keys, "ca", ["digitalSignature"]) == ["A sign"]
    assert chosen(keys, "ac", ["keyEncipherment"]) == ["C encipher"]
    considered = preview(keys, token_procedure="ac", keys=[{"key_usage": ["keyEncipherment"]}])["keys"][0]["considered"]
    assert [(c["reason"], c["chosen"]) for c in considered] == [("usage-lacks", False), ("usage-matches", True)]
    assert "it lacks keyEncipherment" == considered[0]["text"]


def test_without_usages_matches_all(keys):
    """rows=CM-T-27,CM-T-29"""
    assert chosen(keys, "abc", ["keyEncipherment"], ["cRLSign", "decipherOnly"]) == ["B none", "B none"]
    considered = preview(keys, token_procedure="abc", keys=[{"key_usage": ["keyEncipherment"]}])["keys"][0]["considered"]
    assert [c["reason"] for c in considered] == ["usage-lacks", "no-usage-set", "behind-chosen"]


def test_with_all_usages_matches_all(keys):
    """rows=CM-T-28"""
    assert chosen(keys, "ad", ["keyAgreement", "cRLSign"]) == ["D all"]
    considered = preview(keys, token_procedure="ad", keys=[{"key_usage": ["cRLSign"]}])["keys"][0]["considered"]
    assert considered[1]["reason"] == "all-usages-set"


def test_none_matches(keys):
    """rows=CM-T-30"""
    key = preview(keys, token_procedure="ac", keys=[{"name": "card key 2", "key_usage": ["keyAgreement"]}])["keys"][0]
    assert key["chosen"] is None and key["problem"]["code"] == "CHY-1562"
    assert "card key 2" in key["problem"]["detail"] and "keyAgreement" in key["problem"]["detail"]


def test_each_key_by_itself_and_as_issuing_does(keys):
    """rows=CM-T-31"""
    assert chosen(keys, "ac", ["digitalSignature"], None, ["keyEncipherment"], ["cRLSign"]) == [
        "A sign", "A sign", "C encipher", None]
    key = ec.generate_private_key(ec.SECP256R1())
    b = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(
        x509.SubjectAlternativeName([x509.DNSName("usage.example.org")]), critical=False).add_extension(
        x509.KeyUsage(**{u: u == "digital_signature" for u in USAGES}), critical=True)
    csr = base64.b64encode(b.sign(key, hashes.SHA256()).public_bytes(__import__("cryptography").hazmat.primitives.serialization
                                                                     .Encoding.DER)).decode()
    assert preview(keys, token_procedure="ca", keys=[{"request": csr}])["keys"][0]["chosen"]["name"] == "A sign"
    done = keys.act("certificate.issue", {"token_procedure": "ca", "requests": [{"csr": csr}]}, keys.officers["rosa"])
    made = done["result"]["certificates"][0]["certificate"]
    said = keys.call("GET", f"/api/v1/certificates/{made}/explanation", officer=keys.officers["anna"])
    assert said["procedures"]["certificate"]["name"] == "A sign"


def test_all_that_a_procedure_makes(keys):
    """Without keys: a request of each sort, and every certificate with authority, validity and usages; of a soft token each key that is made."""
    answer = preview(keys, token_procedure="abc")
    assert [(k["name"], k["key_usage"], k["chosen"]["name"]) for k in answer["keys"]] == [
        ("a request without key usage", None, "A sign"), ("a request for", ["digitalSignature"], "A sign"),
        ("a request for", ["keyEncipherment"], "B none")]
    made = answer["certificates"]
    assert [(c["name"], c["key_usage"], c["key"], c["archived"], c["warning"]) for c in made] == [
        ("A sign", ["digitalSignature"], None, False, None), ("B none", [], None, False, None), ("C encipher", ["keyEncipherment"], None, False, None)]
    assert all(c["authority"]["name"] == "Issuing CA" and c["validity"].startswith("P") and c["format"]["name"] for c in made)
    assert answer["attribute_certificates"] == [] == answer["recovers"]
    soft = preview(keys, body={"name": "soft", "storage_profile": "pkcs12", "certificate_procedures": ["A sign", "C encipher"]})
    assert [(k["name"], k["chosen"]["name"], k["considered"]) for k in soft["keys"]] == [("key 1", "A sign", []), ("key 2", "C encipher", [])]
    assert [c["key"] for c in soft["certificates"]] == ["p-256", "p-256"]
    assert len(preview(keys, token_procedure="abc", keys=[{}])["keys"]) == 1


def later(**duration):
    return (datetime.datetime.utcnow() + datetime.timedelta(**duration)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_validity_beyond_the_authority(keys):
    """Told before anybody signs: of the procedure, in its preview, and of a request by it."""
    anna, ben, rosa = (keys.officers[n] for n in ("anna", "ben", "rosa"))
    base = keys.call("GET", "/api/v1/documents/certificate-procedure?name=TLS%20server", officer=anna)["items"][0]["body"]
    for beyond, text in (("cut", "are cut to end with it at"), ("refuse", "are refused (CHY-1583)")):
        body = dict(base, name=f"Long, {beyond}", validity="P90Y", beyond_authority=beyond, requested_validity=True)
        asked = keys.prepare(anna, "certificate-procedure.create", body)
        assert [(w["field"], text in w["text"]) for w in asked["warnings"]] == [("validity", True)], asked["warnings"]
        shown = keys.call("GET", f"/api/v1/requests/{keys.bring(anna, asked, anna)['id']}", officer=ben)
        assert any(text in w["text"] for w in shown["warnings"])
        keys.bring(ben, shown, ben)
        name = f"Long token, {beyond}"
        keys.act("token-procedure.create", {"name": name, "storage_profile": "pkcs10", "issuer_certificates": "none",
                                            "certificate_procedures": [body["name"]]}, anna, ben)
        assert text in preview(keys, token_procedure=name)["certificates"][0]["warning"]
        csr = base64.b64encode(make_csr("long")[0]).decode()
        asked = keys.prepare(rosa, "certificate.issue", {"token_procedure": name, "requests": [{"csr": csr}, {"csr": csr}]})
        assert len(asked["warnings"]) == 1 and text in asked["warnings"][0]["text"]
        within = keys.prepare(rosa, "certificate.issue", {"token_procedure": name, "requests": [{"csr": csr}], "validity": {"not_after": later(days=30)}})
        assert "warnings" not in within
    assert "warnings" not in keys.prepare(rosa, "certificate.issue", {"token_procedure": "abc", "requests": [{"csr": csr}]})


def test_a_preview_of_a_draft(keys):
    """rows=CM-T-31"""
    anna = keys.officers["anna"]
    draft = keys.call("POST", "/api/v1/drafts/token-procedure", {"name": "Unfinished", "certificate_procedures": ["C encipher"]}, anna)
    before = rows(keys)
    answer = preview(keys, draft=draft["id"], keys=[{"key_usage": ["keyEncipherment"]}, {"key_usage": ["cRLSign"]}])
    assert [k["chosen"] and k["chosen"]["name"] for k in answer["keys"]] == ["C encipher", None]
    answer = preview(keys, body={"name": "ac", "certificate_procedures": ["A sign", "B none"]}, keys=[{"key_usage": ["cRLSign"]}])
    assert answer["keys"][0]["chosen"]["name"] == "B none"
    assert rows(keys) == before
    with pytest.raises(Refused, match="CHY-1601"):
        preview(keys, "rosa", draft=draft["id"])
    assert preview(keys, "rosa", token_procedure="ac")["keys"][0]["chosen"]["name"] == "A sign"


@pytest.mark.parametrize("call,code", [
    ({}, "CHY-"), ({"token_procedure": "no such"}, "CHY-1530"), ({"token_procedure": "ac", "keys": []}, "CHY-1512"),
    ({"token_procedure": "ac", "keys": [{"key_usage": ["flying"]}]}, "CHY-1507"), ({"token_procedure": "ac", "keys": [7]}, "CHY-"),
    ({"token_procedure": "ac", "keys": [{"key_usage": [], "request": "x"}]}, "CHY-1518"),
    ({"token_procedure": "ac", "keys": [{"request": "!!"}]}, "CHY-"), ({"token_procedure": "ac", "more": 1}, "CHY-"),
    ({"draft": 1}, "CHY-1460"), ({"body": {"certificate_procedures": ["nothing"]}}, "CHY-1530"),
], ids=range(10))
def test_a_preview_of_nonsense(keys, call, code):
    with pytest.raises(Refused, match=code):
        preview(keys, **call)


# ---- simulation ----

@pytest.fixture(scope="module")
def past(keys):
    """Requests of officers and sessions, issued and refused."""
    anna, ben, rosa = (keys.officers[o] for o in ("anna", "ben", "rosa"))
    body = keys.call("GET", "/api/v1/documents/certificate-procedure?name=TLS%20server", officer=anna)["items"][0]["body"]
    keys.act("certificate-procedure.create", dict(body, name="Tried", requested_validity=False), anna, ben)
    keys.act("token-procedure.create", {"name": "Tried", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                        "certificate_procedures": ["Tried"]}, anna, ben)
    keys.act("certificate.issue", {"token_procedure": "Tried", "requests": [
        {"csr": base64.b64encode(make_csr(None, sans=[f"s{i}.example.org"])[0]).decode()} for i in range(3)]}, rosa)
    token = keys.open_session(procedures=("Tried",))
    keys.issue(token, make_csr(None, sans=["m.example.org"])[0], procedure="Tried")
    with pytest.raises(Refused):
        keys.issue(token, make_csr(None, sans=["n.example.org"])[0], procedure="Tried",
                   validity={"not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))})
    keys.body = keys.call("GET", "/api/v1/documents/certificate-procedure?name=Tried", officer=anna)["items"][0]["body"]
    end = time.monotonic() + 60
    while simulate(keys, kind="certificate-procedure", body=keys.body)["tried"] < 5 + 1:  # and the one of the preview's test
        assert time.monotonic() < end, "sessions' requests are remembered"
        time.sleep(0.3)
    return keys


def tried(house, **changes):
    return simulate(house, kind="certificate-procedure", body=dict(house.body, **changes))


def test_no_change_changes_nothing(past):
    before = rows(past)
    answer = tried(past)
    assert answer["same"] == answer["tried"] >= 6 and answer["items"] == []
    assert rows(past) == before, "nothing is signed, nothing is stored"


def test_what_would_come_out_different_and_how(past):
    answer = tried(past, validity="P30D", extended_key_usage=["serverAuth", "clientAuth"])
    assert answer["different"] == 4 and {i["outcome"] for i in answer["items"]} == {"different"}
    assert {"request", "session"} <= {k for i in answer["items"] for k in i}
    for item in answer["items"]:
        changed = {d["label"]: d for d in item["difference"]}
        assert set(changed) == {"Valid until", "extKeyUsage"} or "Valid until" in changed and len(changed) == 2
        assert changed["Valid until"]["new"] < changed["Valid until"]["old"]


def test_what_would_be_refused(past):
    closed = tried(past, state="closed")
    assert closed["refused"] == 4
    assert {i["then"]["code"] for i in closed["items"] if i["outcome"] == "refused"} == {"CHY-1557"}
    assert {i["then"]["rule"] for i in closed["items"] if i["outcome"] == "refused"} == {"certificate-procedure"}
    other = simulate(past, kind="certificate-procedure", object="Tried", body=dict(past.body, name="Renamed", format="Officer"))
    assert other["refused"] + other["different"] >= 4


def test_what_would_be_accepted(past):
    answer = tried(past, requested_validity=True)
    assert answer["accepted"] == 1
    item = next(i for i in answer["items"] if i["outcome"] == "accepted")
    assert item["now"]["code"] == "CHY-1580" and item["then"]["issued"] and "session" in item


def test_another_choice_of_procedure_is_told(past):
    answer = simulate(past, kind="token-procedure", body={
        "name": "Tried", "storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["B none", "Tried"]})
    changed = [d for i in answer["items"] for d in i["difference"] if d["field"] == "certificate_procedure"]
    assert changed and {(d["old"], d["new"]) for d in changed} == {("Tried", "B none")}


def test_a_draft_and_a_range(past):
    anna = past.officers["anna"]
    draft = past.call("POST", "/api/v1/drafts/certificate-procedure", dict(past.body, validity="P1D"), anna)
    answer = simulate(past, kind="certificate-procedure", draft=draft["id"])
    assert answer["different"] == 4
    assert simulate(past, kind="certificate-procedure", draft=draft["id"], last=1)["tried"] == 1
    late = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    assert simulate(past, kind="certificate-procedure", draft=draft["id"], since=late)["tried"] == 0


def test_a_new_document_changes_nothing_yet(past):
    answer = simulate(past, kind="certificate-procedure", body=dict(past.body, name="Quite new"))
    assert answer["same"] == answer["tried"]


@pytest.mark.parametrize("call,code", [
    ({}, "CHY-"), ({"kind": "floppy", "body": {}}, "CHY-1500"), ({"kind": "certificate-procedure"}, "CHY-"),
    ({"kind": "certificate-procedure", "body": {"name": "x"}}, "CHY-1502"), ({"kind": "certificate-procedure", "draft": 5}, "CHY-1460"),
    ({"kind": "certificate-procedure", "body": {}, "last": 0}, "CHY-"), ({"kind": "certificate-procedure", "body": {}, "last": 1001}, "CHY-"),
    ({"kind": "certificate-procedure", "body": {}, "since": "yesterday"}, "CHY-"),
    ({"kind": "certificate-procedure", "body": {}, "object": "no such"}, "CHY-1530"),
], ids=range(9))
def test_a_simulation_of_nonsense(past, call, code):
    with pytest.raises(Refused, match=code):
        simulate(past, **call)


def test_who_may_not_change_may_not_try(past):
    """rows=CM-O-08"""
    with pytest.raises(Refused, match="CHY-1601"):
        simulate(past, "rosa", kind="certificate-procedure", body=past.body)


def test_the_command_line(past, tmp_path):
    """rows=CM-T-26"""
    cli = Cli(past, tmp_path / "cli")
    (tmp_path / "tried.json").write_text(json.dumps(dict(past.body, validity="P30D")))
    shown = cli.run("policy", "simulate", "certificate-procedure", "--file", tmp_path / "tried.json").stdout
    assert "different" in shown and "Valid until: " in shown
    answer = cli.json("policy", "simulate", "certificate-procedure", "--file", tmp_path / "tried.json", "--last", "2")
    assert answer["tried"] == 2
    shown = cli.run("token-procedure", "preview", "abc", "--key-usage", "keyEncipherment", "--key-usage", "digitalSignature").stdout
    assert "  * B none" in shown and "  * A sign" in shown and "it lacks keyEncipherment" in shown
    csr = tmp_path / "web.csr"
    csr.write_bytes(make_csr("x")[0])
    assert cli.json("token-procedure", "preview", "ca", "--request", csr)["keys"][0]["chosen"]["name"] == "C encipher"
    whole = cli.run("token-procedure", "preview", "abc").stdout
    assert whole.count("Certificate ") == 3 and "Issuing CA" in whole and "a request without key usage" in whole
    assert "which token procedure?" in cli.run("token-procedure", "preview", code=2).stderr
    assert "one of them is enough" in cli.run("token-procedure", "preview", "abc", "--file", "abc.json", code=2).stderr
    cli.run("policy", "simulate", "certificate-procedure", code=2)
