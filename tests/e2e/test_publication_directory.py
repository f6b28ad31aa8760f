"""Publication in a directory (OpenLDAP's slapd) and by mail: entries, update policies, searches, TLS, secrets, and names that try to
be more than a value."""
import base64
import email
import email.policy

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

import targets
from publishing import open_desk, stored_serial

UID = ObjectIdentifier("0.9.2342.19200300.100.1.1")


@pytest.fixture(scope="module")
def authority():
    return targets.Authority()


@pytest.fixture(scope="module")
def directory(module_scratch, authority):
    d = targets.Directory(targets.free_folder(module_scratch / "directory"), authority)
    try:
        yield d
    finally:
        d.stop()


@pytest.fixture(scope="module")
def mail(module_scratch, authority):
    m = targets.Mail(module_scratch / "mail", authority)
    try:
        yield m
    finally:
        m.stop()


@pytest.fixture(scope="module")
def desk(module_scratch, directory, authority):
    d = open_desk(module_scratch)
    try:
        d.document("format", name="Person", subject=[{"attribute": "CN", "source": "request", "mandatory": True},
                                                     {"attribute": "UID", "source": "request"},
                                                     {"attribute": "SN", "source": "request"}],
                   san=[{"type": "email", "source": "request"}])
        d.document("certificate-procedure", name="Person", authority="Issuing CA", format="Person", key_usage=["digitalSignature"],
                   validity="P90D")
        d.document("token-procedure", name="Person", storage_profile="pkcs10", issuer_certificates="none", certificate_procedures=["Person"])
        d.secret("directory", directory.url, directory.password)
        d.secret("directory-tls", directory.tls_url, directory.password)
        yield d
    finally:
        d.house.stop()


def ldap_rule(desk, directory, authority, name, **more):
    rule = dict(protocol="ldap", address=directory.url, trust=authority.trust, bind_dn="cn=admin,o=Example", secret="directory",
                dn="uid={uid},ou=people,o=Example", create=True, object_classes=["inetOrgPerson"],
                attributes=[{"type": "cn", "value": "{cn}"}, {"type": "sn", "value": "{sn|cn}"}])
    rule.update(more)
    desk.rule(name, **{k: v for k, v in rule.items() if v is not None})
    return desk.procedure(name, name)


def person(desk, cn, uid=None, email_address=None):
    return desk.person(cn, [(UID, uid)] if uid else [], email_address)


def test_an_entry_is_made_with_class_and_attributes(desk, directory, authority):
    """Over StartTLS; the certificate in userCertificate;binary. rows=CM-P-16"""
    ldap_rule(desk, directory, authority, "People")
    number, der = person(desk, "Alice Ärmel", "alice")
    desk.publish("People", number)
    assert desk.wait(number)["People"]["state"] == "done"
    entry = directory.search("uid=alice,ou=people,o=Example", scope="base")["uid=alice,ou=people,o=Example"]
    assert entry["objectClass"] == [b"inetOrgPerson"] and entry["cn"] == ["Alice Ärmel".encode()] and entry["uid"] == [b"alice"]
    assert entry["userCertificate;binary"] == [der]


def test_update_policies(desk, directory, authority):
    """Add keeps what is there, replace does not, delete takes the attribute out; twice changes nothing. rows=CM-P-18"""
    name = "uid=bob,ou=people,o=Example"
    ldap_rule(desk, directory, authority, "Add")
    ldap_rule(desk, directory, authority, "Replace", update="replace")
    ldap_rule(desk, directory, authority, "Delete", update="delete", create=None, object_classes=None, attributes=None)
    made = [person(desk, f"Bob {i}", "bob") for i in range(3)]
    values = lambda: directory.search(name, scope="base")[name].get("userCertificate;binary", [])  # noqa: E731
    for number, _ in made[:2] + made[:1]:
        desk.publish("Add", number)
        desk.wait(number)
    assert sorted(values()) == sorted(der for _, der in made[:2])
    for _ in range(2):
        desk.publish("Replace", made[2][0])
        desk.wait(made[2][0])
        assert values() == [made[2][1]] and directory.search(name, scope="base")[name]["cn"] == [b"Bob 2"]
    desk.publish("Delete", made[0][0])
    desk.wait(made[0][0])
    assert values() == []


def test_unpublish_takes_one_value_out(desk, directory, authority):
    """Others stay, optional attributes are edited at the same time. rows=CM-P-19"""
    name = "uid=dora,ou=people,o=Example"
    ldap_rule(desk, directory, authority, "Take back", attributes=[{"type": "cn", "value": "{cn}"}, {"type": "sn", "value": "{cn}"},
                                                                   {"type": "description", "value": "last {serial}"}])
    first, second = person(desk, "Dora", "dora"), person(desk, "Dora", "dora")
    for number, _ in (first, second):
        desk.publish("Take back", number)
        desk.wait(number)
    desk.publish("Take back", first[0], act="certificate.unpublish")
    desk.wait(first[0])
    entry = directory.search(name, scope="base")[name]
    assert entry["userCertificate;binary"] == [second[1]]
    assert entry["description"] == [f"last {stored_serial(first[1])}".encode()]
    desk.publish("Take back", first[0], act="certificate.unpublish")
    assert desk.wait(first[0])["Take back"]["state"] == "done", "what is gone is not taken away twice, and that is no failure"


def test_an_entry_is_searched(desk, directory, authority):
    """By a filter whose value is the certificate's; over ldaps; none and several are refused. rows=CM-P-17"""
    ldap_rule(desk, directory, authority, "Search", dn=None, create=None, object_classes=None, attributes=None, address=directory.tls_url,
              secret="directory-tls", search_base="ou=people,o=Example", search_filter="(&(objectClass=inetOrgPerson)(mail={email}))")
    number, der = person(desk, "Carol", None, "carol@example.org")
    desk.publish("Search", number)
    assert desk.wait(number)["Search"]["state"] == "done"
    assert directory.search("uid=carol,ou=people,o=Example", scope="base")["uid=carol,ou=people,o=Example"]["userCertificate;binary"] == [der]
    number, _ = person(desk, "Nobody", None, "nobody@example.org")
    desk.publish("Search", number)
    got = desk.wait(number)["Search"]
    assert got["state"] == "dead" and got["error"].startswith("CHY-1908 ") and "no entry" in got["error"]
    ldap_rule(desk, directory, authority, "Everybody", dn=None, create=None, object_classes=None, attributes=None,
              search_base="o=Example", search_filter="(objectClass=*)")
    desk.publish("Everybody", number)
    got = next(d for d in desk.deliveries(certificate=number) if d["destination"]["name"] == "Everybody") and desk.wait(number)["Everybody"]
    assert got["state"] == "dead" and "several" in got["error"]


EVIL = ["*", "*)(uid=*", "x,ou=admins", "x+cn=root", "\\2a", "a\\,b", "#0c0161", " led", "x\"<>;=y", "nul\\00", "é,o=Example", "(&)", "x)(|(cn=*"]


@pytest.mark.parametrize("value", EVIL)
def test_a_name_stays_a_value(desk, directory, authority, value):
    """Whatever a certificate says, in the name, the filter and the attributes: one entry below people, bearing just this value.
    rows=CM-P-17"""
    if not hasattr(desk, "evil"):
        ldap_rule(desk, directory, authority, "Evil", dn="cn={cn},ou=people,o=Example", attributes=[
            {"type": "uid", "value": "{cn}"}, {"type": "sn", "value": "{cn}"}, {"type": "description", "value": "for {cn}"}])
        ldap_rule(desk, directory, authority, "Evil search", dn=None, create=None, object_classes=None, attributes=None,
                  search_base="ou=people,o=Example", search_filter="(&(objectClass=inetOrgPerson)(cn={cn}))")
        desk.evil = True
    before = set(directory.search())
    number, der = person(desk, value)
    desk.publish("Evil", number)
    assert desk.wait(number)["Evil"]["state"] == "done"
    new = set(directory.search()) - before
    assert len(new) == 1, new
    entry = directory.search()[new.pop()]
    exact = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value.encode()
    assert entry["cn"] == [exact] and entry["description"] == [b"for " + exact] and entry["userCertificate;binary"] == [der]
    assert not directory.search("ou=admins,o=Example", "(objectClass=inetOrgPerson)")
    other, der2 = person(desk, value)
    desk.publish("Evil search", other)
    assert desk.wait(other)["Evil search"]["state"] == "done", "the filter finds just this entry"
    holders = [dn for dn, e in directory.search().items() if der2 in e.get("userCertificate;binary", [])]
    assert len(holders) == 1 and directory.search()[holders[0]]["cn"] == [exact]


def test_a_ca_certificate(desk, directory, authority):
    ldap_rule(desk, directory, authority, "CAs", dn="cn={cn},ou=people,o=Example", object_classes=["inetOrgPerson", "pkiCA"],
              attributes=[{"type": "sn", "value": "{cn}"}])
    ca = desk.house.call("GET", "/api/v1/documents/authority", officer=desk.anna)["items"]
    number = next(d["id"] for d in ca if d["name"] == "Issuing CA")
    items = desk.house.call("GET", "/api/v1/certificates?limit=1000", officer=desk.anna)["items"]
    mine = next(i["id"] for i in items if i["subject"] == "CN=Issuing CA,O=Test")
    desk.publish("CAs", mine)
    assert desk.wait(mine)["CAs"]["state"] == "done"
    der = desk.house.raw("GET", f"/api/v1/authorities/{number}/certificate", headers={"Accept": "application/pkix-cert"})[2]
    entry = directory.search("cn=Issuing CA,ou=people,o=Example", scope="base")["cn=Issuing CA,ou=people,o=Example"]
    assert entry["cACertificate;binary"] == [der]


def test_an_attribute_certificate(desk, directory, authority):
    """At issue, by its procedure's rules: the entry is named by its base's subject, the serial number is its own. In an attribute of
    octets, for slapd's own type wants the issuer by baseCertificateID, which RFC 5755 4.2.3 forbids: officers and the dead letter are told.
    rows=CM-P-03"""
    anna, ben = desk.anna, desk.ben
    ldap_rule(desk, directory, authority, "Statements", dn="cn={cn},ou=people,o=Example", object_classes=["inetOrgPerson", "statementHolder"], attribute="statement",
              attributes=[{"type": "sn", "value": "{cn}"}, {"type": "description", "value": "{serial}"}])
    desk.document("ca-key", name="Attribute key", algorithm="p-256", place="software")
    desk.document("authority", name="Attribute CA", type="subordinate", issuing_authority="Root CA", ca_key="Attribute key",
                  subject="CN=Attribute CA,O=Test", format="CA certificate", validity="P5Y", path_length=0, attribute_certificates=True)
    desk.document("format", name="Roles", purpose="attribute-certificate", attributes=[{"type": "role", "mandatory": True}])
    desk.document("attribute-certificate-procedure", name="Roles", authority="Attribute CA", format="Roles", validity="P30D",
                  distribution_rules=["Statements"])
    desk.document("token-procedure", name="Roles", storage_profile="attribute-certificate-file", attribute_certificate_procedures=["Roles"])
    ldap_rule(desk, directory, authority, "Their type", dn="cn={cn},ou=people,o=Example", object_classes=["inetOrgPerson", "pmiUser"],
              attributes=[{"type": "sn", "value": "{cn}"}])
    for rules, told in ((["Statements"], 0), (["Statements", "Their type"], 1)):
        asked = desk.house.prepare(anna, "attribute-certificate-procedure.create",
                                   {"name": "Others", "authority": "Attribute CA", "format": "Roles", "validity": "P30D", "distribution_rules": rules})
        assert [w["field"] for w in asked["warnings"]] == ["distribution_rules"] * told
    desk.document("officer-profile", name="Attribute officer", entity_type="dynamic-token",
                  roles=["use-clients", "issue-certificate", "issue-attribute-certificate", "publish-certificate"])
    dora = desk.house.make_officer("Dora Attributes", "Attribute officer", anna, ben, issuer=desk.rosa)
    base, _ = person(desk, "Heidi")
    done = desk.house.act("attribute-certificate.issue", {"token_procedure": "Roles", "base": {"certificate": base},
                                                          "attributes": [{"type": "role", "values": ["urn:role:clerk"]}]}, dora)
    made = done["result"]["attribute_certificates"][0]
    got = desk.wait(made["certificate"])["Statements"]
    assert got["state"] == "done", got["error"]
    entry = directory.search("cn=Heidi,ou=people,o=Example", scope="base")["cn=Heidi,ou=people,o=Example"]
    assert entry["statement"] == [base64.b64decode(made["der"])]
    desk.publish("Statements", made["certificate"], officer=dora)
    assert desk.wait(made["certificate"])["Statements"]["state"] == "done"
    assert len(directory.search("cn=Heidi,ou=people,o=Example", scope="base")["cn=Heidi,ou=people,o=Example"][
        "statement"]) == 1
    desk.publish("Their type", made["certificate"], officer=dora)
    got = desk.wait(made["certificate"])["Their type"]
    assert got["state"] == "dead" and got["error"].startswith("CHY-1908 ") and "RFC 5755" in got["error"], got


def test_directories_that_are_not_trusted(desk, module_scratch, authority):
    stranger = targets.Directory(targets.free_folder(module_scratch / "stranger"), targets.Authority("Stranger CA"))
    misnamed = targets.Directory(targets.free_folder(module_scratch / "misnamed"), authority, host="elsewhere.example")
    try:
        rules = []
        for name, d in (("Stranger", stranger), ("Misnamed", misnamed)):
            for scheme, url in (("StartTLS", d.url), ("ldaps", d.tls_url)):
                secret = f"{name}-{scheme}".lower()
                desk.secret(secret, url, d.password)
                desk.rule(f"{name}, {scheme}", protocol="ldap", address=url, trust=authority.trust, bind_dn="cn=admin,o=Example", secret=secret,
                          dn="uid=x,ou=people,o=Example", create=True, object_classes=["inetOrgPerson"])
                rules.append(f"{name}, {scheme}")
        desk.procedure("Untrusted directories", *rules)
        number, _ = person(desk, "Trusting")
        desk.publish("Untrusted directories", number)
        found = desk.wait_until(lambda: all(d["attempts"] >= 2 for d in desk.deliveries(certificate=number)) and
                                desk.deliveries(certificate=number))
        assert all(d["state"] == "waiting" and d["error"][:9] in ("CHY-1904 ", "CHY-1905 ") for d in found), found
        for d in (stranger, misnamed):
            assert not d.search("uid=x,ou=people,o=Example", scope="base")
    finally:
        stranger.stop()
        misnamed.stop()


def test_a_wrong_password_is_tried_again_and_told_nowhere(desk, directory, authority):
    wrong = "never-right-48151623"
    desk.secret("wrong", directory.url, wrong)
    ldap_rule(desk, directory, authority, "Wrong", secret="wrong")
    number, _ = person(desk, "Erin", "erin")
    desk.publish("Wrong", number)
    error = desk.wait_until(lambda: desk.deliveries(certificate=number)[0]["error"])
    assert error.startswith("CHY-1906 ")
    desk.secret("wrong", directory.url, directory.password)
    assert desk.wait(number)["Wrong"]["state"] == "done", "sealed anew, it is used at the next attempt"
    for text in (desk.house.log.read_text(errors="replace"), desk.house.export().decode(), error):
        assert wrong not in text and directory.password not in text


# ---- mail ----

def test_a_mail_with_the_certificate(desk, mail, authority):
    desk.secret("mail", mail.url, mail.password)
    desk.rule("Mail", protocol="mail", address=mail.url, trust=authority.trust, user=mail.user, secret="mail", sender="ca@example.org",
              recipients=["{email}", "archive@example.org"], subject="Zertifikat für {cn}", text="Liebe Grüße an {cn}.")
    desk.procedure("Mail", "Mail")
    desk.procedure("Mail, PEM", "Mail", form="pem")
    number, der = person(desk, "Fay Übermaß", None, "fay@example.org")
    desk.publish("Mail", number)
    assert desk.wait(number)["Mail"]["state"] == "done"
    sender, recipients, text = mail.letters[-1]
    assert (sender, recipients) == ("<ca@example.org>", ["<fay@example.org>", "<archive@example.org>"]) and mail.logins[-1] == mail.user
    letter = email.message_from_bytes(text, policy=email.policy.default)
    assert letter["Subject"] == "Zertifikat für Fay Übermaß" and letter["To"] == "fay@example.org, archive@example.org"
    parts = list(letter.iter_parts())
    assert parts[0].get_content().strip() == "Liebe Grüße an Fay Übermaß."
    assert parts[1].get_content_type() == "application/pkix-cert" and parts[1].get_content() == der
    desk.publish("Mail, PEM", number)
    desk.wait(number)
    parts = list(email.message_from_bytes(mail.letters[-1][2], policy=email.policy.default).iter_parts())
    assert x509.load_pem_x509_certificate(parts[1].get_payload(decode=True)).public_bytes(Encoding.DER) == der
    desk.publish("Mail", number, act="certificate.unpublish")
    got = desk.wait(number)["Mail"]
    assert got["state"] == "dead" and got["error"].startswith("CHY-1912 ")


def test_what_a_mail_server_says(desk, mail):
    """4xx is tried again, 5xx is a dead letter."""
    number, _ = person(desk, "Gus", None, "gus@example.org")
    mail.answer = "450 come back"
    desk.publish("Mail", number)
    assert desk.wait_until(lambda: desk.deliveries(certificate=number)[0]["error"]).startswith("CHY-1907 ")
    mail.answer = None
    assert desk.wait(number)["Mail"]["state"] == "done"
    mail.answer = "550 never"
    number, _ = person(desk, "Gus", None, "gus@example.org")
    desk.publish("Mail", number)
    got = desk.wait(number)["Mail"]
    mail.answer = None
    assert got["state"] == "dead" and got["error"].startswith("CHY-1908 ")


def test_no_header_is_injected(desk, mail, authority):
    desk.rule("Mail, fixed", protocol="mail", address=mail.url, trust=authority.trust, sender="ca@example.org",
              recipients=["fixed@example.org"], subject="For {cn}")
    desk.procedure("Mail, fixed", "Mail, fixed")
    number, _ = person(desk, "x" * 40 + " =?UTF-8?Q?a?=")
    desk.publish("Mail, fixed", number)
    assert desk.wait(number)["Mail, fixed"]["state"] == "done"
    letter = email.message_from_bytes(mail.letters[-1][2], policy=email.policy.default)
    assert set(letter.keys()) == {"Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "Content-Type", "Mime-Version"}
