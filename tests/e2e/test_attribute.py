"""Attribute certificates: to a certificate that is there, and with the certificate itself; judged by programs that are not ours."""
import base64
import os
import subprocess
import time

import pytest
from asn1crypto import cms as asn1cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

import world
from world import Refused, make_csr

ROLES = ["use-clients", "issue-certificate", "issue-attribute-certificate"]


def make_policy(house):
    """An authority for attribute certificates, two procedures, a token that is the file alone and one that has both."""
    anna, ben = house.officers["anna"], house.officers["ben"]
    house.act("ca-key.create", {"name": "Attribute key", "algorithm": "p-384", "place": "software"}, anna, ben)
    house.act("authority.create", {"name": "Attribute CA", "type": "subordinate", "issuing_authority": "Root CA",
                                   "ca_key": "Attribute key", "subject": "CN=Attribute CA,O=Test", "format": "CA certificate",
                                   "validity": "P5Y", "path_length": 0, "attribute_certificates": True}, anna, ben)
    house.act("format.create", {"name": "Roles", "purpose": "attribute-certificate",
                                "attributes": [{"type": "role", "mandatory": True, "max_count": 2}, {"type": "clearance"}]}, anna, ben)
    house.act("format.create", {"name": "Nothing asked", "purpose": "attribute-certificate"}, anna, ben)
    house.act("attribute-certificate-procedure.create",
              {"name": "Clerks", "authority": "Attribute CA", "format": "Roles", "validity": "P30D",
               "key_usage": ["digitalSignature"], "attributes": [{"type": "group", "values": ["staff", "night"]}]}, anna, ben)
    house.act("attribute-certificate-procedure.create",
              {"name": "Charges", "authority": "Attribute CA", "format": "Nothing asked", "validity": "P7D",
               "ocsp_urls": ["http://ocsp.example/"],
               "attributes": [{"type": "charging-identity", "values": ["dept 7"]}]}, anna, ben)
    house.act("token-procedure.create", {"name": "Statement", "storage_profile": "attribute-certificate-file",
                                         "attribute_certificate_procedures": ["Clerks"]}, anna, ben)
    house.act("token-procedure.create", {"name": "Both", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                         "certificate_procedures": ["TLS server"],
                                         "attribute_certificate_procedures": ["Clerks", "Charges"]}, anna, ben)
    house.act("officer-profile.create", {"name": "Attribute officer", "entity_type": "dynamic-token", "roles": ROLES}, anna, ben)
    house.officers["dora"] = house.make_officer("Dora Attributes", "Attribute officer", anna, ben,
                                                issuer=house.officers["rosa"])
    return house


@pytest.fixture(scope="module")
def house(sqlite_house):
    return make_policy(sqlite_house)


def one(house, name):
    """A certificate by the TLS procedure: (id, parsed)."""
    made = house.issue(house.open_session(), make_csr(None, sans=[name])[0])
    return made["id"], x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))


def ask(base, **more):
    return {"token_procedure": "Statement", "base": base, "attributes": [{"type": "role", "values": ["urn:role:clerk"]}], **more}


def issue(house, base, officer="dora", **more):
    done = house.act("attribute-certificate.issue", ask(base, **more), house.officers[officer])
    assert done["state"] == "done", done
    return done["result"]["attribute_certificates"]


def authority(house, name):
    found = [d for d in house.call("GET", "/api/v1/documents/authority", officer=house.officers["anna"])["items"]
             if d["name"] == name]
    status, _, pem = house.raw("GET", f"/api/v1/authorities/{found[0]['id']}/certificate", headers={"Accept": "application/pkix-cert"})
    assert status == 200
    return found[0]["id"], x509.load_der_x509_certificate(pem)


def judge(house, der, base):
    """Read by asn1crypto, its signature verified by cryptography; it names its base and has no key."""
    ac = asn1cms.AttributeCertificateV2.load(der, strict=True)
    info = ac["ac_info"]
    assert info.native and ac.dump(force=True) == der
    _, ca = authority(house, "Attribute CA")
    ca.public_key().verify(ac["signature"].native, info.dump(), ec.ECDSA(hashes.SHA384()))
    assert info["issuer"].chosen["issuer_name"][0].chosen.untag().dump() == ca.subject.public_bytes()
    named = info["holder"]["base_certificate_id"]
    assert named["serial"].native == base.serial_number
    assert named["issuer"][0].chosen.untag().dump() == base.issuer.public_bytes()
    key_id = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    extensions = {e["extn_id"].native: e for e in info["extensions"]}
    assert extensions["authority_key_identifier"]["extn_value"].parsed["key_identifier"].native == key_id
    assert not {"key_usage", "key_identifier", "basic_constraints"} & set(extensions)
    assert ca.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature  # RFC 5755 4.5
    return info


def values(info, kind):
    return [a["values"].native for a in info["attributes"] if a["type"].native == kind][0]


def test_to_an_existing_certificate(house):
    """By its id; signed by another authority than the base's; the token is the file. rows=CM-I-12,CM-C-19,CM-C-20,CM-C-21,CM-T-05"""
    base_id, base = one(house, "by-id.example.org")
    (made,) = issue(house, {"certificate": base_id})
    der = base64.b64decode(made["der"])
    info = judge(house, der, base)
    assert authority(house, "Attribute CA")[1].subject != base.issuer
    assert values(info, "role")[0]["role_name"] == "urn:role:clerk"
    assert values(info, "group")[0]["values"] == ["staff", "night"]
    times = info["att_cert_validity_period"].native
    assert (times["not_after_time"] - times["not_before_time"]).total_seconds() == 30 * 86400 - 1
    dump = subprocess.run(["openssl", "asn1parse", "-inform", "DER"], input=der, capture_output=True, check=True).stdout
    assert b"2026" in dump or b"GENERALIZEDTIME" in dump
    status, head, again = house.raw("GET", f"/api/v1/certificates/{made['certificate']}", officer=house.officers["anna"],
                                    headers={"Accept": "application/pkix-attr-cert"})
    assert (status, head["Content-Type"], again) == (200, "application/pkix-attr-cert", der)
    shown = house.call("GET", f"/api/v1/certificates/{made['certificate']}", officer=house.officers["anna"])
    assert shown["base"] == base_id and shown["holder"]["serial"] == f"{base.serial_number:x}".zfill(36)
    listed = house.call("GET", f"/api/v1/certificates?base={base_id}", officer=house.officers["anna"])["items"]
    assert [i["id"] for i in listed] == [made["certificate"]]


def test_base_by_serial_and_by_subject(house):
    """rows=CM-I-12"""
    base_id, base = one(house, "by-serial.example.org")
    issuing, _ = authority(house, "Issuing CA")
    (made,) = issue(house, {"authority": issuing, "serial": f"{base.serial_number:036x}"})
    judge(house, base64.b64decode(made["der"]), base)
    officer = house.officers["dora"].cert
    (made,) = issue(house, {"subject": officer.subject.rfc4514_string()})
    judge(house, base64.b64decode(made["der"]), officer)
    request = house.prepare(house.officers["dora"], "attribute-certificate.issue", ask({"certificate": base_id}))
    assert any(d["new"] == "uri:urn:role:clerk" for d in request["difference"]), request["difference"]


def refused(house, officer, body):
    with pytest.raises(Refused) as e:
        house.act("attribute-certificate.issue", body, house.officers[officer])
    return e.value.code


def test_several_and_none(house):
    """Of several hits none is taken: the refusal lists them. rows=CM-I-12"""
    rosa = house.officers["rosa"]
    serials = [house.new_certificate("Twin", rosa).cert.serial_number for _ in range(2)]
    with pytest.raises(Refused) as e:
        house.act("attribute-certificate.issue", ask({"subject": "CN=Twin"}), house.officers["dora"])
    assert e.value.code == "CHY-1652", e.value.problem
    listed = house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]
    twins = [i["id"] for i in listed if int(i["serial"], 16) in serials]
    assert len(twins) == 2 and all(str(i) in e.value.problem["detail"] for i in twins), e.value.problem
    assert refused(house, "dora", ask({"subject": "CN=Nobody"})) == "CHY-1651"
    assert refused(house, "dora", ask({"certificate": 1})) == "CHY-1651"
    issuing, _ = authority(house, "Issuing CA")
    assert refused(house, "dora", ask({"authority": issuing, "serial": "0102"})) == "CHY-1651"


def test_refusals(house):
    base_id, _ = one(house, "refused.example.org")
    (made,) = issue(house, {"certificate": base_id})
    base = {"certificate": base_id}
    assert refused(house, "rosa", ask(base)) == "CHY-1601"
    assert refused(house, "dora", dict(ask(base), token_procedure="TLS server")) == "CHY-1640"
    assert refused(house, "dora", dict(ask(base), attributes=[])) == "CHY-1648"
    assert refused(house, "dora", ask(base, validity={"not_after": "2099-01-01T00:00:00Z"})) == "CHY-1582"
    assert refused(house, "dora", ask({"certificate": made["certificate"]})) == "CHY-1653"


def with_base(house, token, name, key=None, attributes=({"type": "role", "values": ["urn:role:clerk"]},)):
    csr, _ = make_csr(None, sans=[name])
    return house.issue(token, csr, procedure="Both", key=key, **({"attributes": list(attributes)} if attributes else {}))


def test_both_in_one_request(house):
    """rows=CM-I-13,CM-T-21"""
    token = house.open_session(procedures=("Both",), officer=house.officers["dora"])
    made = with_base(house, token, "both.example.org", key="both")
    base = x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))
    acs = [base64.b64decode(a["certificate"]) for a in made["attribute_certificates"]]
    infos = [judge(house, der, base) for der in acs]
    assert values(infos[0], "role")[0]["role_name"] == "urn:role:clerk"
    assert values(infos[1], "charging_identity")[0]["values"] == ["dept 7"]
    listed = house.call("GET", f"/api/v1/certificates?base={made['id']}", officer=house.officers["anna"])["items"]
    assert sorted(i["id"] for i in listed) == sorted(a["id"] for a in made["attribute_certificates"])
    done = house.act("certificate.issue", {"token_procedure": "Both", "requests": [{"csr": base64.b64encode(
        make_csr(None, sans=["act.example.org"])[0]).decode()}], "attributes": [{"type": "role", "values": ["urn:role:a"]}]},
        house.officers["dora"])
    assert len(done["result"]["certificates"][0]["attribute_certificates"]) == 2, done


def test_neither_when_one_is_refused(house):
    """The mandatory role is missing: the certificate is not issued either. The officer's role counts for both. rows=CM-I-13"""
    token = house.open_session(procedures=("Both",), officer=house.officers["dora"])
    before = len(house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"])
    with pytest.raises(Refused) as e:
        with_base(house, token, "neither.example.org", attributes=())
    assert e.value.code == "CHY-1648"
    with pytest.raises(Refused) as e:
        with_base(house, token, "neither.example.org", attributes=({"type": "access-identity", "values": ["uri:a:b email:a@b.c"]},))
    assert e.value.code == "CHY-1647"
    other = house.open_session(procedures=("Both",))  # Rosa's, who may not issue attribute certificates
    with pytest.raises(Refused) as e:
        with_base(house, other, "neither.example.org")
    assert e.value.code == "CHY-1601"
    assert len(house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]) == before


def test_targets_and_audit_identity(house):
    """For named servers only, and under a pseudonym that leads back to the holder here (RFC 5755 4.3.1, 4.3.2). rows=CM-C-19"""
    anna, ben, dora = (house.officers[o] for o in ("anna", "ben", "dora"))
    house.act("attribute-certificate-procedure.create",
              {"name": "For the file servers", "authority": "Attribute CA", "format": "Roles", "validity": "P30D",
               "targets": ["dns:files.example.org", "uri:https://mail.example.org/"], "target_groups": ["dns:intern.example.org"],
               "audit_identity": True}, anna, ben)
    house.act("token-procedure.create", {"name": "Targeted", "storage_profile": "attribute-certificate-file",
                                         "attribute_certificate_procedures": ["For the file servers"]}, anna, ben)
    rosa = house.new_certificate("Rosa Holder", house.officers["rosa"]).cert.subject.rfc4514_string()
    seen = []
    for subject in (dora.cert.subject.rfc4514_string(), dora.cert.subject.rfc4514_string(), rosa):
        (made,) = issue(house, {"subject": subject}, token_procedure="Targeted")
        info = asn1cms.AttributeCertificateV2.load(base64.b64decode(made["der"]), strict=True)["ac_info"]
        extensions = {e["extn_id"].dotted: e for e in info["extensions"]}
        targets, audit = extensions["2.5.29.55"], extensions["1.3.6.1.5.5.7.1.4"]
        assert targets["critical"].native is True and audit["critical"].native is True
        der = targets["extn_value"].contents
        assert der[:1] == b"\x30" and [n in der for n in (b"\xa0\x13\x82\x11files.example.org", b"https://mail.example.org/",
                                                          b"\xa1\x14\x82\x12intern.example.org")] == [True] * 3
        value = audit["extn_value"].contents
        assert value[:2] == b"\x04\x14" and len(value) == 22
        seen.append((made["certificate"], value[2:].hex()))
    assert seen[0][1] == seen[1][1] != seen[2][1]
    found = house.call("GET", f"/api/v1/certificates?audit_identity={seen[0][1]}", officer=anna)["items"]
    assert {seen[0][0], seen[1][0]} <= {i["id"] for i in found} and {i["subject"] for i in found} == {dora.cert.subject.rfc4514_string()}
    assert house.call("GET", f"/api/v1/certificates?audit_identity={'00' * 20}", officer=anna)["items"] == []
    house.stop()
    house.start()  # the pseudonyms last
    (made,) = issue(house, {"subject": rosa}, token_procedure="Targeted")
    assert bytes.fromhex(seen[2][1]) in base64.b64decode(made["der"])
    base_id, _ = one(house, "without-a-subject.example.org")
    assert refused(house, "dora", ask({"certificate": base_id}, token_procedure="Targeted")) == "CHY-1654"


def test_command_line(house):
    """Issued and shown by the commands; the base by a file and by its subject."""
    dora = house.officers["dora"]
    base = house.keys / "base-of-command.pem"
    _, cert = one(house, "command.example.org")
    base.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    p12, out = house.keys / "dora-command.p12", house.keys / "command-ac.pem"
    key = serialization.load_pem_private_key(dora.key_file.read_bytes(), None)
    p12.write_bytes(pkcs12.serialize_key_and_certificates(b"dora", key, dora.cert, None,
                                                          serialization.BestAvailableEncryption(b"1234")))
    pin = house.keys / "dora.pin"
    pin.write_text("1234")
    env = dict(os.environ, HOME=str(house.keys))
    options = ["--server", f"https://localhost:{house.tls_port}", "--ca", house.dir / "root.pem", "--officer", p12, "--pin-file", pin]

    def run(*args):
        done = subprocess.run([world.CHANCERY, *options, "attribute-certificate", *args], capture_output=True, text=True, env=env,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("issue", "--yes", "--procedure", "Statement", "--certificate", base, "--attribute", "role=urn:role:clerk", "--attribute",
        "clearance=1.2.3 secret", "--out", out)
    der = base64.b64decode("".join(out.read_text().split("-----")[2].split()))
    info = judge(house, der, cert)
    assert values(info, "clearance")[0]["class_list"] == {"secret"}
    shown = run("show", f"{info['serial_number'].native:036x}")
    assert "uri:urn:role:clerk" in shown and "1.2.3 secret" in shown
    run("issue", "--yes", "--procedure", "Targeted", "--subject", dora.cert.subject.rfc4514_string(), "--attribute",
        "role=urn:role:clerk", "--out", out)
    info = asn1cms.AttributeCertificateV2.load(base64.b64decode("".join(out.read_text().split("-----")[2].split())))["ac_info"]
    shown = run("show", f"{info['serial_number'].native:036x}")
    assert "dns:files.example.org" in shown and "group dns:intern.example.org" in shown and "uri:https://mail.example.org/" in shown
    identity = {e["extn_id"].dotted: e for e in info["extensions"]}["1.3.6.1.5.5.7.1.4"]["extn_value"].contents[2:].hex()
    assert identity in shown and "Dora Attributes" in run("holder", "--identity", identity)
    run("issue", "--yes", "--procedure", "Statement", "--subject", dora.cert.subject.rfc4514_string(), "--attribute", "role=urn:a:b",
        "--out", out)
    judge(house, base64.b64decode("".join(out.read_text().split("-----")[2].split())), dora.cert)


def test_judged_explained_and_verified(house):
    """The auditor judges them, explain tells how they came about, the exported journal accounts for them."""
    base_id, _ = one(house, "explained.example.org")
    (made,) = issue(house, {"certificate": base_id})
    end = time.monotonic() + 30
    while True:
        told = house.call("GET", f"/api/v1/certificates/{made['certificate']}/explanation", officer=house.officers["anna"])
        if told["lints"]["state"] != "waiting" or time.monotonic() > end:
            break
        time.sleep(0.5)
    assert told["lints"]["state"] == "good", told["lints"]
    assert "base-key-usage" in told["rules"] and told["procedures"]["attribute"]["name"] == "Clerks"
    assert told["signatures"][0]["signature"] == "verified" and told["certificate"]["base"] == base_id
    assert "auditor.disagreement" not in house.log.read_text()
    house.wait_sequenced()
    export = house.folder / "export.jsonl"
    export.write_bytes(house.export())
    got = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export],
                         capture_output=True, text=True)
    assert got.returncode == 0, got.stdout + got.stderr
