"""Changed documents tried on past soft tokens and attribute certificates."""
import pytest

import test_attribute
from test_policy_try import rows, simulate
from test_tokens import SUBJECT, bring, issue, tokens  # noqa: F401 (tokens is a fixture)
from world import Refused


@pytest.fixture(scope="module")
def house(sqlite_house):
    return sqlite_house


@pytest.fixture(scope="module")
def past(tokens):  # noqa: F811
    """One token with two keys, one that is refused; an attribute certificate."""
    issue(tokens, "Soft none")
    anna, ben = tokens.officers["anna"], tokens.officers["ben"]
    tokens.act("certificate-procedure.create", dict(body(tokens, "certificate-procedure", "Signature"), name="Third"), anna, ben)
    rosa = tokens.officers["rosa"]
    request = tokens.prepare(rosa, "token.issue", {"token_procedure": "Entered", "input": SUBJECT})
    with pytest.raises(Refused):
        bring(tokens, rosa, request)  # without a PIN: not signed, so not asked
    test_attribute.make_policy(tokens)
    test_attribute.issue(tokens, {"subject": tokens.officers["dora"].cert.subject.rfc4514_string()})
    return tokens


def body(house, kind, name):
    return house.call("GET", f"/api/v1/documents/{kind}?name={name.replace(' ', '%20')}", officer=house.officers["anna"])["items"][0]["body"]


def tried(house, kind, name, **changes):
    return simulate(house, kind=kind, body=dict(body(house, kind, name), **changes))


def changed(item):
    return {d["label"]: (d["old"], d["new"]) for d in item["difference"]}


def test_no_change_changes_nothing(past):
    before = rows(past)
    answer = tried(past, "token-procedure", "Soft none")
    assert answer["same"] == answer["tried"] >= 3 and answer["items"] == []
    assert rows(past) == before, "nothing is signed, nothing is stored"


def test_a_key_of_a_token_comes_out_different(past):
    (item,) = tried(past, "certificate-procedure", "Encryption", validity="P30D")["items"]
    assert item["outcome"] == "different" and set(changed(item)) == {"Valid until"} and "Erika Muster" in item["subject"]
    (item,) = tried(past, "certificate-procedure", "Encryption", key_algorithm="rsa-3072")["items"]
    assert "Key" in changed(item) and item["now"]["issued"] and item["then"]["issued"]


def test_keys_that_are_made_no_more_and_anew(past):
    answer = tried(past, "token-procedure", "Soft none", certificate_procedures=["Signature"])
    (item,) = answer["items"]
    assert answer["refused"] == 1 and item["now"]["procedure"] == "Encryption" and item["then"]["code"] == "CHY-1562"
    answer = tried(past, "token-procedure", "Soft none", certificate_procedures=["Signature", "Encryption", "Third"])
    (item,) = answer["items"]
    assert answer["accepted"] == 1 and item["then"] == {"issued": True, "procedure": "Third"}


def test_what_an_input_no_longer_allows(past):
    form = body(past, "format", "Person")
    subject = [dict(a, mandatory=True) if a["attribute"] == "2.5.4.5" else a for a in form["subject"]]
    answer = simulate(past, kind="format", body=dict(form, subject=subject))
    assert answer["refused"] == 2
    assert {i["then"]["rule"] for i in answer["items"]} == {"subject"}
    past.act("input-view.create", {"name": "Bare", "fields": [{"input": "subject.common-name"}]}, past.officers["anna"], past.officers["ben"])
    answer = tried(past, "token-procedure", "Soft none", input_view="Bare")
    assert answer["refused"] == 2 and {i["then"]["rule"] for i in answer["items"]} == {"token-input"}
    assert tried(past, "token-procedure", "Soft none", state="closed")["refused"] == 2


def test_attribute_certificates(past):
    (item,) = tried(past, "attribute-certificate-procedure", "Clerks", validity="P1D",
                    attributes=[{"type": "group", "values": ["staff"]}])["items"]
    assert item["outcome"] == "different" and set(changed(item)) == {"Valid until", "Attributes"}
    assert "staff, night" in changed(item)["Attributes"][0] and "night" not in changed(item)["Attributes"][1]
    (item,) = tried(past, "attribute-certificate-procedure", "Clerks", state="closed")["items"]
    assert item["outcome"] == "refused" and item["then"]["rule"] == "token-procedure"
    (item,) = tried(past, "attribute-certificate-procedure", "Clerks", audit_identity=True)["items"]
    assert item["outcome"] == "different" and item["then"]["issued"], item["then"]  # the pseudonym is made with the installation's key
    assert tried(past, "token-procedure", "Statement", attribute_certificate_procedures=["Charges"])["refused"] == 1
    assert tried(past, "token-procedure", "Statement", attribute_certificate_procedures=["Clerks", "Charges"])["accepted"] == 1
