"""Soft tokens: keys made by the server, their files, PINs, archive and recovery."""
import base64
import hashlib
import json
import os
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

import world
from world import Refused

SUBJECT = {"subject.common-name": "Erika Muster", "subject.organisation": "Test"}


def refused(code):
    return pytest.raises(Refused, match=code)


@pytest.fixture(scope="module")
def tokens(house):
    """Procedures for soft tokens, and an officer who may recover keys."""
    anna, ben = house.officers["anna"], house.officers["ben"]

    def make(kind, **body):
        return house.act(f"{kind}.create", body, anna, ben)["result"]["id"]

    def mine(name):
        return [d for d in house.call("GET", "/api/v1/documents/format", officer=anna)["items"] if d["name"] == name]

    subject = [{"attribute": a, "source": "request", "mandatory": a == "CN"} for a in ("CN", "O", "serialNumber")]
    if not mine("Person"):
        make("format", name="Person", purpose="end-entity", subject=subject, san=[{"type": "email", "source": "request"}])
    make("certificate-procedure", name="Signature", authority="Issuing CA", format="Person", validity="P1Y",
         key_usage=["digitalSignature"], extended_key_usage=["emailProtection"], key_algorithm="p-256")
    make("certificate-procedure", name="Encryption", authority="Issuing CA", format="Person", validity="P1Y",
         key_usage=["keyEncipherment"], extended_key_usage=["emailProtection"], key_algorithm="rsa-2048")
    make("pin-procedure", name="Shown", method="shown", characters="digits", length_min=6, length_max=8, generated_length=8)
    make("pin-procedure", name="Entered", method="entered", characters="letters-and-digits", length_min=6, length_max=12)
    make("key-procedure", name="Archive", action="archive")
    make("key-procedure", name="Recover latest", action="recover", certificate="reuse", keys="latest")
    make("key-procedure", name="Recover all", action="recover", certificate="reuse", keys="all")
    make("key-procedure", name="Recover anew", action="recover", certificate="new", keys="latest",
         certificate_procedure="Encryption")
    for issuers in ("all", "none", "root", "issuing"):
        make("token-procedure", name=f"Soft {issuers}", storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates=issuers,
             certificate_procedures=["Signature", "Encryption"], key_procedures=["Archive"])
    make("token-procedure", name="Entered", storage_profile="pkcs12", pin_procedure="Entered", issuer_certificates="none",
         certificate_procedures=["Signature"])
    make("token-procedure", name="Legacy", storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates="none",
         certificate_procedures=["Signature"], encryption="legacy")
    for name in ("Recover latest", "Recover all"):
        make("token-procedure", name=name, storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates="all",
             key_procedures=[name])
    for issuers in ("issuing", "root", "all"):
        make("token-procedure", name=f"Recovered CAs {issuers}", storage_profile="pkcs12", pin_procedure="Shown",
             issuer_certificates=issuers, key_procedures=["Recover latest"], cas_for_recovered_certificates=True)
    make("token-procedure", name="Both actions", storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates="none",
         certificate_procedures=["Encryption"], key_procedures=["Archive", "Recover latest", "Recover all"])
    make("token-procedure", name="No action", storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates="none",
         certificate_procedures=["Signature", "Encryption"])
    make("token-procedure", name="Recover anew", storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates="none",
         certificate_procedures=["Signature"], key_procedures=["Recover anew"])
    make("officer-profile", name="Recovery officer", entity_type="static-token",
         roles=["use-clients", "issue-certificate", "recover-key"])
    house.officers["rita"] = recovery_officer(house)
    return house


def recovery_officer(house):
    csr, key = world.make_csr("Rita Recovery")
    rosa, anna, ben = (house.officers[n] for n in ("rosa", "anna", "ben"))
    import hashlib
    item = house.act("certificate.issue", {"token_procedure": "Officer", "requests": [
        {"csr": base64.b64encode(csr).decode(), "name": "rita"}]}, rosa)["result"]["certificates"][0]
    der = base64.b64decode(item["der"])
    made = house.act("officer.create", {"name": "Rita Recovery", "profile": "Recovery officer", "certificate": item["certificate"],
                                        "certificate_sha256": hashlib.sha256(der).hexdigest()}, anna, ben)
    return world.Officer(house.keys, "Rita Recovery", key, x509.load_der_x509_certificate(der), made["result"]["id"])


def bring(house, officer, request, secrets=None):
    cms = base64.b64encode(officer.sign(base64.b64decode(request["to_sign"]))).decode()
    body = {"signatures": [cms]}
    if secrets is not None:
        body["secrets"] = secrets
    return house.call("POST", f"/api/v1/requests/{request['id']}/signatures", body, officer)


def form_of(password):
    """The scrypt form of a password, as an officer's program makes it."""
    salt = os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32)
    return "$scrypt$ln=15,r=8,p=1$" + "$".join(base64.b64encode(x).decode().rstrip("=") for x in (salt, made))


def issue(house, procedure, officer="rosa", secrets=None, password=None, **more):
    officer = house.officers[officer]
    body = {"token_procedure": procedure, "input": {**SUBJECT, **more}}
    if password is not None:
        body["revocation_password_sha256"] = hashlib.sha256(password.encode()).hexdigest()
        secrets = {**(secrets or {}), "revocation_password": password}
    request = house.prepare(officer, "token.issue", body)
    done = bring(house, officer, request, secrets)
    assert done["state"] == "done", done
    return done["result"]


def fetch(house, token, officer="rosa"):
    return house.call("GET", f"/api/v1/tokens/{token}/file", officer=house.officers[officer])


def opened(file, pin):
    """{common usage: (key, certificate)} and the other certificates, as openssl sees them."""
    pem = subprocess.run(["openssl", "pkcs12", "-in", "/dev/stdin", "-passin", f"pass:{pin}", "-nodes", "-legacy"], input=file,
                         capture_output=True)
    assert pem.returncode == 0, pem.stderr
    text = pem.stdout
    keys = [serialization.load_pem_private_key(b"-----BEGIN PRIVATE KEY-----" + k.split(b"-----END")[0] + b"-----END PRIVATE KEY-----\n",
                                               None) for k in text.split(b"-----BEGIN PRIVATE KEY-----")[1:]]
    certs = [x509.load_pem_x509_certificate(b"-----BEGIN CERTIFICATE-----" + c.split(b"-----END")[0] + b"-----END CERTIFICATE-----\n")
             for c in text.split(b"-----BEGIN CERTIFICATE-----")[1:]]
    return keys, certs


def spki(x):
    k = x.public_key() if hasattr(x, "public_key") else x
    return k.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def names(certs):
    return sorted(c.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for c in certs)


def test_keys_and_usages_follow_from_the_procedures(tokens):
    """rows=CM-T-42,CM-C-07,CM-I-10"""
    made = issue(tokens, "Soft none")
    got = fetch(tokens, made["token"])
    assert len(got["pin"]) == 8 and got["pin"].isdigit()
    keys, certs = opened(base64.b64decode(got["file"]), got["pin"])
    assert len(keys) == len(certs) == len(made["certificates"]) == 2
    assert {spki(k) for k in keys} == {spki(c) for c in certs}
    usages = {type(c.public_key()).__name__: c.extensions.get_extension_for_class(x509.KeyUsage).value for c in certs}
    by = {("sign" if u.digital_signature else "encrypt"): k for k, u in usages.items()}
    assert "EllipticCurve" in by["sign"] and "RSA" in by["encrypt"], "each key of its procedure's algorithm and usage"


@pytest.mark.parametrize("issuers,expected", [("all", ["Issuing CA", "Root CA"]), ("none", []), ("root", ["Root CA"]),
                                              ("issuing", ["Issuing CA"])])
def test_issuer_certificates(tokens, issuers, expected):
    """rows=CM-T-15,CM-T-16,CM-T-17,CM-T-18"""
    got = fetch(tokens, issue(tokens, f"Soft {issuers}")["token"])
    _, certs = opened(base64.b64decode(got["file"]), got["pin"])
    assert names(certs) == sorted(expected + ["Erika Muster"] * 2)


@pytest.mark.parametrize("chain,issuers,expected", [
    (None, "all", ["Issuing CA", "Root CA"]), (["Issuing CA"], "all", ["Issuing CA"]),
    (["Issuing CA", "Root CA"], "all", ["Issuing CA", "Root CA"]), (["Issuing CA"], "root", ["Issuing CA"]),
    (["Issuing CA", "Root CA"], "issuing", ["Issuing CA"]), (["Issuing CA", "Root CA"], "none", [])])
def test_the_chain_of_a_procedure_comes_with_a_token(tokens, chain, issuers, expected):
    """One that the procedure names, or as the authorities issued each other. rows=CM-C-05"""
    anna, ben = tokens.officers["anna"], tokens.officers["ben"]
    name = f"Chain {issuers} {len(chain or [])}"
    tokens.act("certificate-procedure.create", dict(
        name=name, authority="Issuing CA", format="Person", validity="P1Y", key_usage=["digitalSignature"], key_algorithm="p-256",
        **({"authority_chain": chain} if chain else {})), anna, ben)
    tokens.act("token-procedure.create", dict(name=name, storage_profile="pkcs12", pin_procedure="Shown", issuer_certificates=issuers,
                                              certificate_procedures=[name]), anna, ben)
    got = fetch(tokens, issue(tokens, name)["token"])
    _, certs = opened(base64.b64decode(got["file"]), got["pin"])
    assert names(certs) == sorted(expected + ["Erika Muster"])


def test_until_it_is_confirmed(tokens):
    """The file can be fetched again until its requester has it; nobody else gets it."""
    made = issue(tokens, "Legacy")
    first, second = fetch(tokens, made["token"]), fetch(tokens, made["token"])
    assert first == second
    with refused("CHY-1768"):
        fetch(tokens, made["token"], "anna")
    rosa = tokens.officers["rosa"]
    assert tokens.call("DELETE", f"/api/v1/tokens/{made['token']}/file", officer=rosa)["state"] == "delivered"
    assert tokens.call("DELETE", f"/api/v1/tokens/{made['token']}/file", officer=rosa)["state"] == "delivered"
    with refused("CHY-1769"):
        fetch(tokens, made["token"])


def test_the_same_request_twice(tokens):
    """rows=CM-I-21"""
    rosa = tokens.officers["rosa"]
    request = tokens.prepare(rosa, "token.issue", {"token_procedure": "Soft none", "input": SUBJECT})
    done = bring(tokens, rosa, request)
    with pytest.raises(Refused) as e:
        bring(tokens, rosa, request)
    assert e.value.status == 409
    shown = tokens.call("GET", f"/api/v1/requests/{request['id']}", officer=rosa)
    assert shown["state"] == "done" and shown["result"] == done["result"]


def test_entered_pins(tokens):
    """rows=CM-I-10"""
    made = issue(tokens, "Entered", secrets={"pin": "Geheim77"})
    got = fetch(tokens, made["token"])
    assert "pin" not in got, "who chose it knows it"
    assert len(opened(base64.b64decode(got["file"]), "Geheim77")[0]) == 1
    for pin, code in (("kurz1", "CHY-1765"), ("x" * 13, "CHY-1765"), ("geheim 77", "CHY-1766"), (None, "CHY-1763"),
                      ("1" * (1 << 19), "CHY-1765")):
        with refused(code):
            issue(tokens, "Entered", secrets={"pin": pin} if pin else None)
    with refused("CHY-1764"):
        issue(tokens, "Soft none", secrets={"pin": "12345678"})
    with refused("CHY-1010"):
        issue(tokens, "Soft none", secrets={"pni": "12345678"})


@pytest.mark.parametrize("name,body,code", [
    ("a field that there is not", {"subject.shoe-size": "42"}, "CHY-1760"),
    ("one that no format takes", {"san.dns": ["a.example.org"]}, "CHY-1761"),
    ("a number", {"subject.organisation": 5}, "CHY-1760"),
    ("too long", {"subject.organisation": "x" * (1 << 19)}, "CHY-"),
    ("a PIN among what is signed", {"pin": "123456"}, "CHY-1760"),
    ("a password among what is signed", {"revocation_password": "verysecret"}, "CHY-1760"),
    ("no time", {"validity.not_after": "tomorrow"}, "CHY-1014"),
])
def test_bad_input(tokens, name, body, code):
    with refused(code):
        tokens.prepare(tokens.officers["rosa"], "token.issue", {"token_procedure": "Soft none", "input": {**SUBJECT, **body}})


def test_other_profiles_and_roles(tokens):
    """Recovering needs the role for it."""
    rosa = tokens.officers["rosa"]
    with refused("CHY-1770"):
        tokens.prepare(rosa, "token.issue", {"token_procedure": "TLS server", "input": SUBJECT})
    with refused("CHY-1601"):
        tokens.prepare(rosa, "token.issue", {"token_procedure": "Recover latest", "input": SUBJECT})
    with refused("CHY-1601"):
        tokens.prepare(tokens.officers["anna"], "token.issue", {"token_procedure": "Soft none", "input": SUBJECT})


def test_nothing_is_made_of_a_refused_token(tokens):
    """All certificates or none: a mandatory attribute is missing."""
    rosa = tokens.officers["rosa"]
    before = len(tokens.call("GET", "/api/v1/certificates?limit=1000", officer=tokens.officers["anna"])["items"])
    request = tokens.prepare(rosa, "token.issue", {"token_procedure": "Soft none", "input": {"subject.organisation": "Test"}})
    with pytest.raises(Refused):
        bring(tokens, rosa, request)
    assert len(tokens.call("GET", "/api/v1/certificates?limit=1000", officer=tokens.officers["anna"])["items"]) == before


def test_recovery(tokens):
    """rows=CM-T-14,CM-T-41,CM-I-06,CM-I-08,CM-I-09"""
    who = {"subject.common-name": "Renate Recover"}
    old = issue(tokens, "Soft none", **who)
    new = issue(tokens, "Soft none", **who)
    assert len(old["archived"]) == len(new["archived"]) == 1, "one action of archiving: the encryption key"
    latest = issue(tokens, "Recover latest", "rita", **who)
    assert latest["recovered"] == new["archived"] and latest["certificates"] == []
    both = issue(tokens, "Recover all", "rita", **who)
    assert sorted(both["recovered"]) == sorted(old["archived"] + new["archived"])
    file = fetch(tokens, new["token"])
    keys, certs = opened(base64.b64decode(file["file"]), file["pin"])
    got = fetch(tokens, latest["token"], "rita")
    again, again_certs = opened(base64.b64decode(got["file"]), got["pin"])
    assert spki(again[0]) in {spki(k) for k in keys}
    reused = [c for c in again_certs if spki(c) == spki(again[0])]
    assert reused[0] in certs, "with the certificate that it had"
    anew = issue(tokens, "Recover anew", "rita", **who)
    assert anew["recovered"] == new["archived"] and len(anew["certificates"]) == 2
    got = fetch(tokens, anew["token"], "rita")
    anew_keys, anew_certs = opened(base64.b64decode(got["file"]), got["pin"])
    assert spki(again[0]) in {spki(k) for k in anew_keys}
    assert [c for c in anew_certs if spki(c) == spki(again[0])][0] != reused[0], "with a new certificate"
    with refused("CHY-1767"):
        issue(tokens, "Recover latest", "rita", **{"subject.common-name": "Nobody Ever"})


def test_holders_of_one_name_are_told_apart(tokens):
    """Two people of one name: none of the two gets the other's key, unless the officer says whose. rows=CM-I-06"""
    name = {"subject.common-name": "Toni Twin"}
    first = issue(tokens, "Soft none", **name, **{"subject.serial-number": "1"})
    second = issue(tokens, "Soft none", **name, **{"subject.serial-number": "2"})
    for procedure in ("Recover latest", "Recover all", "Recover anew"):
        with pytest.raises(Refused) as e:
            issue(tokens, procedure, "rita", **name)
        assert (e.value.status, e.value.code) == (409, "CHY-1775")
        for number in "12":
            assert f"serialNumber={number}" in e.value.problem["detail"] or f"2.5.4.5={number}" in e.value.problem["detail"]
    # by one more attribute
    assert issue(tokens, "Recover latest", "rita", **name, **{"subject.serial-number": "1"})["recovered"] == first["archived"]
    # by the whole subject, however it is written; what is filled in must fit still
    def recover(holder, **who):
        rita = tokens.officers["rita"]
        request = tokens.prepare(rita, "token.issue", {"token_procedure": "Recover all", "input": {**SUBJECT, **who}, "holder": holder})
        assert [d["new"] for d in request["difference"] if d["field"] == "holder"]
        return bring(tokens, rita, request)["result"]["recovered"]

    row = tokens.call("GET", f"/api/v1/certificates/{second['archived'][0]}", officer=tokens.officers["anna"])
    assert recover(row["subject"], **name) == second["archived"]
    assert recover(row["subject"].replace("Toni Twin", "TONI twin").replace(",", " , "), **name) == second["archived"]
    for holder, who in (("CN=Toni Twin", name), (row["subject"], {"subject.common-name": "Erika Muster"})):
        with refused("CHY-1767"):
            recover(holder, **who)
    # the one who has nothing else than what was filled in is meant
    third = issue(tokens, "Soft none", **name)
    assert issue(tokens, "Recover latest", "rita", **name)["recovered"] == third["archived"]
    rosa, rita = tokens.officers["rosa"], tokens.officers["rita"]
    for who, procedure, holder, code in ((rosa, "Soft none", "CN=Toni Twin", "CHY-1761"), (rita, "Recover all", "Toni", "CHY-1121")):
        with pytest.raises(Refused) as e:
            tokens.prepare(who, "token.issue", {"token_procedure": procedure, "input": SUBJECT, "holder": holder})
        assert e.value.problem["field"] == "holder" and e.value.code == code, e.value


def test_one_action_for_each_key_procedure(tokens):
    """None without one; archiving and recovering in one token, each by its own procedure. rows=CM-T-41,CM-T-14"""
    who = {"subject.common-name": "Ada Action"}
    none = issue(tokens, "No action", **who)
    assert none["archived"] == [] and none["recovered"] == []
    with refused("CHY-1767"):
        issue(tokens, "Both actions", "rita", **who)
    first, second = (issue(tokens, "Soft none", **who)["archived"][0] for _ in range(2))
    both = issue(tokens, "Both actions", "rita", **who)
    assert both["archived"] == both["certificates"] and len(both["archived"]) == 1, "the new key"
    assert both["recovered"] == [second, first], "the latest, then all; each once"
    got = fetch(tokens, both["token"], "rita")
    assert len(opened(base64.b64decode(got["file"]), got["pin"])[0]) == 3


def test_cas_of_recovered_certificates(tokens):
    """rows=CM-T-20"""
    who = {"subject.common-name": "Caro Chain"}
    issue(tokens, "Soft none", **who)
    for procedure, expected in (("Recover latest", []), ("Recovered CAs issuing", ["Issuing CA"]), ("Recovered CAs root", ["Root CA"]),
                                ("Recovered CAs all", ["Issuing CA", "Root CA"])):
        got = fetch(tokens, issue(tokens, procedure, "rita", **who)["token"], "rita")
        _, certs = opened(base64.b64decode(got["file"]), got["pin"])
        assert names(certs) == sorted(expected + ["Caro Chain"]), procedure


def test_an_officer_is_bound_to_the_whole_token(tokens):
    """Any of its keys: no certificate for the second key of a static token whose first one is the officer's. rows=CM-O-06"""
    anna, ben, rosa = (tokens.officers[o] for o in ("anna", "ben", "rosa"))
    made = issue(tokens, "Soft none")
    got = fetch(tokens, made["token"])
    keys, certs = opened(base64.b64decode(got["file"]), got["pin"])
    tokens.act("officer-profile.create", {"name": "Static soft", "entity_type": "static-token", "roles": ["use-clients"]}, anna, ben)
    done = tokens.act("officer.create", {"name": "Soft officer", "profile": "Static soft", "certificate": made["certificates"][0]}, anna, ben)
    body = tokens.call("GET", f"/api/v1/documents/officer/{done['result']['id']}", officer=anna)["body"]
    assert set(body["keys"] + body["archived_keys"]) == {hashlib.sha256(spki(c)).hexdigest() for c in certs}
    assert len(body["keys"]) == len(body["archived_keys"]) == 1
    session = tokens.open_session(officer=rosa)
    for key in keys:
        with pytest.raises(Refused) as e:
            tokens.issue(session, world.make_csr(None, key=key, sans=["soft.example.org"])[0])
        assert e.value.code == "CHY-1655"


def test_recovered_keys_are_in_the_token(tokens):
    """With the certificates that they had, or with new ones: in the token, and nobody's word. rows=CM-O-06"""
    anna, ben = tokens.officers["anna"], tokens.officers["ben"]
    who = {"subject.common-name": "Resi Recovered"}
    first = issue(tokens, "Soft none", **who)
    old = fetch(tokens, first["token"])
    archived = {hashlib.sha256(spki(c)).hexdigest() for c in opened(base64.b64decode(old["file"]), old["pin"])[1]
                if not isinstance(c.public_key(), ec.EllipticCurvePublicKey)}
    tokens.act("token-procedure.create", {"name": "Sign and recover", "storage_profile": "pkcs12", "pin_procedure": "Shown",
                                          "issuer_certificates": "none", "certificate_procedures": ["Signature"],
                                          "key_procedures": ["Recover latest"]}, anna, ben)
    tokens.act("officer-profile.create", {"name": "Static recovered", "entity_type": "static-token", "roles": ["use-clients"]}, anna, ben)
    for procedure in ("Sign and recover", "Recover anew"):
        made = issue(tokens, procedure, "rita", **who)
        assert made["recovered"] == first["archived"]
        done = tokens.act("officer.create", {"name": f"By {procedure}", "profile": "Static recovered",
                                             "certificate": made["certificates"][0]}, anna, ben)
        body = tokens.call("GET", f"/api/v1/documents/officer/{done['result']['id']}", officer=anna)["body"]
        assert set(body["archived_keys"]) == archived and len(body["keys"]) == 1, procedure
        tokens.act("officer.modify", dict(body, state="closed"), anna, ben, obj=done["result"]["id"])


def test_an_archived_key_is_no_officer(tokens):
    """Who takes an officer's encryption key out of the archive is not the officer with it. rows=CM-O-05"""
    anna, ben, rosa = (tokens.officers[o] for o in ("anna", "ben", "rosa"))
    who = {"subject.common-name": "Olga Owner"}
    made = issue(tokens, "Soft none", **who)
    signing = next(c for c in made["certificates"] if c not in made["archived"])
    tokens.act("officer-profile.create", {"name": "Dynamic soft", "entity_type": "dynamic-token",
                                          "roles": ["use-awb", "use-clients", "policy-tasks"]}, anna, ben)
    with refused("CHY-1622"):  # bound to what others can have
        tokens.act("officer.create", {"name": "Olga Archived", "profile": "Dynamic soft", "certificate": made["archived"][0]}, anna, ben)
    tokens.act("officer.create", {"name": "Olga Owner", "profile": "Dynamic soft", "certificate": signing}, anna, ben)
    own = fetch(tokens, made["token"])
    keys, certs = opened(base64.b64decode(own["file"]), own["pin"])

    def officers(keys, certs):
        pairs = [(k, c) for k in keys for c in certs if spki(k) == spki(c)]
        return [world.Officer(tokens.keys, f"Olga {c.serial_number}", k, c) for k, c in pairs]

    for o in officers(keys, certs):  # the one that only signs is hers, the other is nobody's
        hers = isinstance(o.cert.public_key(), ec.EllipticCurvePublicKey)
        if hers:
            assert tokens.call("GET", "/api/v1/whoami", officer=o)["name"] == "Olga Owner"
        else:
            with pytest.raises(Refused):
                tokens.call("GET", "/api/v1/whoami", officer=o)
    got = fetch(tokens, issue(tokens, "Recover latest", "rita", **who)["token"], "rita")
    (stolen,) = officers(*opened(base64.b64decode(got["file"]), got["pin"]))
    request = tokens.prepare(anna, "token-procedure.create", {"name": "By a stolen key", "storage_profile": "pkcs10",
                                                              "issuer_certificates": "none", "certificate_procedures": ["TLS server"]})
    assert bring(tokens, anna, request)["state"] == "waiting"
    cms = base64.b64encode(stolen.sign(base64.b64decode(request["to_sign"]))).decode()
    with pytest.raises(Refused) as e:
        tokens.call("POST", f"/api/v1/requests/{request['id']}/signatures", {"signatures": [cms]}, anna)
    assert e.value.code == "CHY-1711", e.value
    # with a certificate for signatures, too
    csr, _ = world.make_csr("Olga Owner", key=serialization.load_pem_private_key(stolen.key_file.read_bytes(), None))
    item = tokens.act("certificate.issue", {"token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode()}]},
                      rosa)["result"]["certificates"][0]
    newer = officers([serialization.load_pem_private_key(stolen.key_file.read_bytes(), None)],
                     [x509.load_der_x509_certificate(base64.b64decode(item["der"]))])[0]
    with pytest.raises(Refused):
        tokens.call("GET", "/api/v1/whoami", officer=newer)


def test_no_key_lies_anywhere(tokens):
    """Store, journals and logs hold neither a private key nor a PIN nor a password in the clear. rows=CM-I-20"""
    form = form_of("Widerruf-4711")
    made = issue(tokens, "Soft none", password=form, publication=False, **{"subject.common-name": "Klara Klar"})
    got = fetch(tokens, made["token"])
    keys, _ = opened(base64.b64decode(got["file"]), got["pin"])
    tokens.wait_sequenced()
    secrets = [b"Widerruf-4711"]
    for k in keys:
        numbers = k.private_numbers()
        value = getattr(numbers, "private_value", None) or numbers.p
        secrets.append(value.to_bytes((value.bit_length() + 7) // 8, "big"))
    places = [p for p in list((tokens.dir).rglob("*")) + [tokens.log] if p.is_file()]
    assert any(p.name.endswith(".sj") for p in places)
    for p in places:
        data = p.read_bytes()
        for s in secrets:
            assert s not in data and base64.b64encode(s) not in data and s.hex().encode() not in data, p
        assert b"PRIVATE KEY" not in data or "officers" in str(p), p
    export = tokens.export()
    assert form.encode() not in export and got["pin"].encode() not in export
    file = tokens.folder / "tokens-export.jsonl"
    file.write_bytes(export)
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--file", file, "--root", tokens.dir / "root.pem"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def in_memory(pid, what):
    """How often these octets stand in what a process has written."""
    found = 0
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                begin, end = (int(x, 16) for x in line.split()[0].split("-"))
                if not line.split()[1].startswith("rw") or end - begin > 256 << 20:
                    continue
                memory.seek(begin)
                found += memory.read(end - begin).count(what)
    except PermissionError:
        pytest.skip("this user may not look into other processes")
    return found


def test_no_secret_stays_in_memory(tokens):
    """Neither a PIN that an officer has chosen nor one that was fetched with its file."""
    pin = "Zebra4711Qx"
    made = issue(tokens, "Entered", secrets={"pin": pin})
    got = fetch(tokens, issue(tokens, "Soft none")["token"])
    fetch(tokens, made["token"])
    tokens.call("GET", "/api/v1/tokens", officer=tokens.officers["rosa"])  # what came before has been sent by now
    (factory,), (signer,) = tokens.pids("chancery-factory"), tokens.pids("chancery-signer")
    assert in_memory(factory, b"Erika Muster") > 0, "this sees what is there"
    for pid in (factory, signer):
        assert in_memory(pid, pin.encode()) == 0
        assert in_memory(pid, b'"pin":"' + got["pin"].encode()) == 0
        assert in_memory(pid, got["file"][300:400].encode()) == 0
