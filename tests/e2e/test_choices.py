"""What is chosen when a certificate is issued: may it be published, and by which password can it be revoked."""
import base64
import hashlib
import os
import sqlite3
import subprocess

import pytest

import world
from test_tokens import SUBJECT, bring, fetch, form_of, issue as issue_token, opened, recovery_officer, tokens  # noqa: F401
from world import Refused, make_csr

PASSWORD = "Widerruf-0815"


def refused(code):
    return pytest.raises(Refused, match=code)


def stored(house, certificate):
    """(publication allowed, the stored form) as the database has it; None: no row."""
    sql = f"SELECT publication, revocation_password FROM certificate_choice WHERE certificate = {certificate}"
    if house.engine == "sqlite":
        return sqlite3.connect(house.dir / "chancery.db", timeout=20).execute(sql).fetchone()
    out = subprocess.run(["psql", "-At", "-F", "\t", "-d", house.postgres[0], "-c", sql], capture_output=True, text=True, check=True)
    line = out.stdout.strip("\n")
    return (int(line.split("\t")[0]), line.split("\t")[1]) if line else None


def waiting_secrets(house):
    sql = "SELECT count(*) FROM request_secret"
    if house.engine == "sqlite":
        return sqlite3.connect(house.dir / "chancery.db", timeout=20).execute(sql).fetchone()[0]
    return int(subprocess.run(["psql", "-At", "-d", house.postgres[0], "-c", sql], capture_output=True, text=True, check=True).stdout)


def is_password(form, password):
    """Python's own scrypt says so, from the stored form alone."""
    _, name, cost, salt, digest = form.split("$")
    cost = dict(pair.split("=") for pair in cost.split(","))
    made = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt + "=="), n=1 << int(cost["ln"]), r=int(cost["r"]),
                          p=int(cost["p"]), maxmem=1 << 28, dklen=32)
    return name == "scrypt" and made == base64.b64decode(digest + "==")


def explained(house, certificate):
    return house.call("GET", f"/api/v1/certificates/{certificate}/explanation", officer=house.officers["anna"])


def leaf_of(house, certificate):
    house.wait_sequenced()
    import json
    for line in house.export().splitlines():
        if f'"id":{certificate},"kind":"certificate"'.encode() in line or f'\\"id\\":{certificate},\\"kind\\":\\"certificate\\"'.encode() in line:
            return line.decode()
    raise AssertionError("no leaf")


def prepare(house, name, **more):
    csr, _ = make_csr(f"{name}.example.org", sans=[f"{name}.example.org"])
    return house.prepare(house.officers["rosa"], "certificate.issue", {
        "token_procedure": "TLS server", "requests": [{"csr": base64.b64encode(csr).decode(), "name": name}], **more})


def test_of_signed_requests(tokens):  # noqa: F811
    """The form beside the signature, its digest in what is signed and in the leaf; stored with the certificate. rows=CM-I-11"""
    house, rosa = tokens, tokens.officers["rosa"]
    form = form_of(PASSWORD)
    digest = hashlib.sha256(form.encode()).hexdigest()
    request = prepare(house, "chosen", publication_allowed=False, revocation_password_sha256=digest)
    assert PASSWORD.encode() not in base64.b64decode(request["to_sign"]) and form.encode() not in base64.b64decode(request["to_sign"])
    done = bring(house, rosa, request, {"revocation_password": form})
    certificate = done["result"]["certificates"][0]["certificate"]
    assert stored(house, certificate) == (0, form) and is_password(form, PASSWORD) and not is_password(form, PASSWORD + "x")
    assert explained(house, certificate)["choices"] == {"publication_allowed": False, "revocation_password": True}
    leaf = leaf_of(house, certificate)
    assert digest in leaf and "publication_allowed" in leaf and form not in leaf
    assert form.encode() not in house.export(), "nothing to guess a password with"
    assert waiting_secrets(house) == 0
    plain = bring(house, rosa, prepare(house, "unchosen"))["result"]["certificates"][0]["certificate"]
    assert stored(house, plain) is None
    assert explained(house, plain)["choices"] == {"publication_allowed": True, "revocation_password": False}


def test_of_sessions(tokens):  # noqa: F811
    """rows=CM-I-11"""
    house, form = tokens, form_of(PASSWORD)
    token = house.open_session()
    csr, _ = make_csr(None, sans=["session-choice.example.org"])
    made = house.issue(token, csr, key="choice-1", publication_allowed=False, revocation_password=form)
    assert stored(house, made["id"]) == (0, form)
    assert hashlib.sha256(form.encode()).hexdigest() in leaf_of(house, made["id"])
    again = house.issue(token, csr, key="choice-1", publication_allowed=False, revocation_password=form_of(PASSWORD))
    assert again["id"] == made["id"] and again["repeated"], "each try salts anew"
    with refused("CHY-1717"):
        house.issue(token, csr, key="choice-1", publication_allowed=True, revocation_password=form)
    with refused("CHY-1717"):
        house.issue(token, csr, key="choice-1")
    yes = house.issue(token, csr, publication_allowed=True)
    assert stored(house, yes["id"]) == (1, "")


def test_of_tokens(tokens):  # noqa: F811
    """Each certificate of the token has them. rows=CM-I-11"""
    form = form_of(PASSWORD)
    made = issue_token(tokens, "Soft none", password=form, publication=False, **{"subject.common-name": "Cara Choice"})
    assert len(made["certificates"]) == 2
    for certificate in made["certificates"]:
        assert stored(tokens, certificate) == (0, form)
        leaf = leaf_of(tokens, certificate)
        assert hashlib.sha256(form.encode()).hexdigest() in leaf and "publication_allowed" in leaf


@pytest.mark.parametrize("form", [
    "Widerruf-0815", "", "$scrypt$ln=15,r=8,p=1$c2FsdA$aGFzaA", "$scrypt$ln=10,r=8,p=1$" + "A" * 22 + "$" + "A" * 43,
    "$scrypt$ln=15,r=8,p=1$" + "A" * 11 + "$" + "A" * 43, "$scrypt$ln=31,r=8,p=1$" + "A" * 22 + "$" + "A" * 43,
    "$scrypt$ln=15,r=8,p=1$" + "A" * 22 + "$" + "A" * 400,
])
def test_what_is_no_form(tokens, form):  # noqa: F811
    """The password itself, and forms that are damaged or cheap to guess, are refused everywhere."""
    house, rosa = tokens, tokens.officers["rosa"]
    digest = hashlib.sha256(form.encode()).hexdigest()
    with refused("CHY-1771"):
        bring(house, rosa, prepare(house, "no-form", revocation_password_sha256=digest), {"revocation_password": form})
    with refused("CHY-1771"):
        issue_token(house, "Soft none", password=form)
    if form:
        csr, _ = make_csr(None, sans=["no-form.example.org"])
        with refused("CHY-1771"):
            house.issue(house.open_session(), csr, revocation_password=form)


def test_the_signature_binds_the_password(tokens):  # noqa: F811
    """Not another one than was signed, none where one was signed, none where none was."""
    house, rosa = tokens, tokens.officers["rosa"]
    signed, other = form_of(PASSWORD), form_of("another password")
    digest = hashlib.sha256(signed.encode()).hexdigest()
    for secrets in ({"revocation_password": other}, {}, None):
        with refused("CHY-1771"):
            bring(house, rosa, prepare(house, "bound", revocation_password_sha256=digest), secrets)
    with refused("CHY-1771"):
        bring(house, rosa, prepare(house, "bound"), {"revocation_password": signed})
    with refused("CHY-1010"):
        bring(house, rosa, prepare(house, "bound"), {"pin": "123456"})
    for bad in ("0" * 63, "G" * 64, "A" * 64, "0" * 65):
        with refused("CHY-1771"):
            prepare(house, "bound", revocation_password_sha256=bad)
    for bad in ("no", 0, [False]):
        with refused("CHY-1008"):
            prepare(house, "bound", publication_allowed=bad)


def test_the_input_view_decides(tokens):  # noqa: F811
    """A field that the view does not have cannot be chosen, a mandatory one must be, a default holds. rows=CM-I-11"""
    house = tokens
    rosa, anna, ben = (house.officers[n] for n in ("rosa", "anna", "ben"))
    views = {
        "Without": [{"input": "san.dns", "label": "Host"}],
        "Must": [{"input": "san.dns", "label": "Host"}, {"input": "publication", "label": "Public", "mandatory": True},
                 {"input": "revocation_password", "label": "Password", "mandatory": True}],
        "Default": [{"input": "san.dns", "label": "Host"}, {"input": "publication", "label": "Public", "default": "no"}],
    }
    for name, fields in views.items():
        house.act("input-view.create", {"name": f"Choice {name}", "purpose": "issue", "fields": fields}, anna, ben)
        house.act("token-procedure.create", {"name": f"Choice {name}", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                             "certificate_procedures": ["TLS server"], "input_view": f"Choice {name}"}, anna, ben)
    token = house.open_session(procedures=[f"Choice {n}" for n in views])
    csr, _ = make_csr(None, sans=["view.example.org"])
    form = form_of(PASSWORD)

    def by_session(name, **kw):
        return house.issue(token, csr, procedure=f"Choice {name}", **kw)

    with refused("CHY-1761") as e:
        by_session("Without", publication_allowed=True)
    assert e.value.problem["rule"] == "choices"
    with refused("CHY-1761"):
        by_session("Without", revocation_password=form)
    with refused("CHY-1762"):
        by_session("Must", publication_allowed=True)
    with refused("CHY-1762"):
        by_session("Must", revocation_password=form)
    with refused("CHY-1762"):
        prepare(house, "view", token_procedure="Choice Must")
    assert stored(house, by_session("Must", publication_allowed=True, revocation_password=form)["id"]) == (1, form)
    assert stored(house, by_session("Default")["id"]) == (0, "")
    assert stored(house, by_session("Default", publication_allowed=True)["id"]) == (1, "")
