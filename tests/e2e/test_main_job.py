"""The main job: two officers sign a token procedure, and a certificate is issued by it."""
import base64
import hashlib
import json
import subprocess
import time

import pytest
from cryptography import x509

import world
from world import Refused, make_csr


def refused(code=None):
    return pytest.raises(Refused, match=code)


TLS = {"name": "TLS server", "storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


def test_two_officers_in_two_steps(house, record_property):
    """rows=CM-T-01,CM-O-17,CM-T-02"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    done = house.act_in_two_steps("token-procedure.create", dict(TLS, name="Two steps"), anna, ben)
    assert done["state"] == "done" and sorted(done["signatures"]) == sorted([anna.id, ben.id])
    names = [d["name"] for d in house.call("GET", "/api/v1/documents/token-procedure", officer=anna)["items"]]
    assert "Two steps" in names


def test_two_officers_in_one_step(house):
    """rows=CM-O-16"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    assert house.act("token-procedure.create", dict(TLS, name="One step"), anna, ben)["state"] == "done"


def test_one_officer_twice_is_refused(house):
    """rows=CM-O-21"""
    anna = house.officers["anna"]
    with refused("CHY-1613"):
        house.act("token-procedure.create", dict(TLS, name="Twice"), anna, anna)
    request = house.prepare(anna, "token-procedure.create", dict(TLS, name="Twice"))
    assert house.bring(anna, request, anna)["state"] == "waiting"
    with refused("CHY-1613"):
        house.bring(anna, request, anna)


def test_an_officer_without_the_role_is_refused(house):
    """rows=CM-O-08"""
    with refused("403"):
        house.prepare(house.officers["rosa"], "token-procedure.create", dict(TLS, name="Rosa's"))
    anna, rosa = house.officers["anna"], house.officers["rosa"]
    request = house.prepare(anna, "token-procedure.create", dict(TLS, name="Rosa's"))
    house.bring(anna, request, anna)
    with refused("403"):
        house.bring(anna, request, rosa)


def test_boot_officers_are_closed(house):
    """Neither login nor signature of an officer whose document is closed."""
    with refused("403 CHY-1605"):
        house.call("GET", "/api/v1/whoami", officer=house.officers["boot1"])
    anna = house.officers["anna"]
    request = house.prepare(anna, "token-procedure.create", dict(TLS, name="Boot's"))
    with refused("403 CHY-1605"):
        house.bring(anna, request, house.officers["boot1"])


def test_void_when_the_base_changed(house):
    """rows=CM-O-20"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    made = house.act("token-procedure.create", dict(TLS, name="Base"), anna, ben)["result"]
    body = house.call("GET", f"/api/v1/documents/token-procedure/{made['id']}", officer=anna)["body"]
    first = house.prepare(anna, "token-procedure.modify", dict(body, name="Base A"), made["id"])
    house.bring(anna, first, anna)
    house.act("token-procedure.modify", dict(body, name="Base B"), anna, ben, obj=made["id"])
    with refused("CHY-16"):
        house.bring(ben, first, ben)
    shown = house.call("GET", f"/api/v1/requests/{first['id']}", officer=anna)
    assert shown["state"] == "void"
    assert house.call("GET", f"/api/v1/documents/token-procedure/{made['id']}", officer=anna)["name"] == "Base B"


def test_the_second_signer_sees_the_difference(house):
    """rows=CM-O-22"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    made = house.act("token-procedure.create", dict(TLS, name="Difference"), anna, ben)["result"]
    body = house.call("GET", f"/api/v1/documents/token-procedure/{made['id']}", officer=anna)["body"]
    request = house.prepare(anna, "token-procedure.modify", dict(body, name="Other name"), made["id"])
    house.bring(anna, request, anna)
    shown = house.call("GET", f"/api/v1/requests/{request['id']}", officer=ben)
    assert [(d["field"], d["old"], d["new"]) for d in shown["difference"]] == [("name", "Difference", "Other name")]
    assert json.loads(base64.b64decode(shown["to_sign"]))["body"]["name"] == "Other name"


def test_altered_replayed_and_foreign_signatures(house):
    anna, ben = house.officers["anna"], house.officers["ben"]
    one = house.prepare(anna, "token-procedure.create", dict(TLS, name="One"))
    two = house.prepare(anna, "token-procedure.create", dict(TLS, name="Two"))
    content = base64.b64decode(one["to_sign"])
    path = f"/api/v1/requests/{two['id']}/signatures"
    replayed = base64.b64encode(anna.sign(content)).decode()
    with refused("CHY-1720"):
        house.call("POST", path, {"signatures": [replayed]}, anna)
    altered = bytearray(anna.sign(base64.b64decode(two["to_sign"])))
    altered[altered.index(b"chancery-request")] ^= 1
    with refused("CHY-12"):
        house.call("POST", path, {"signatures": [base64.b64encode(bytes(altered)).decode()]}, anna)
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    import datetime
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Anna Admin")])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(5)
            .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9)).sign(key, hashes.SHA256()))
    stranger = world.Officer(house.keys, "Stranger", key, cert)
    with refused("CHY-1711"):
        house.call("POST", path, {"signatures": [base64.b64encode(stranger.sign(base64.b64decode(two["to_sign"]))).decode()]}, anna)
    with refused("403"):
        house.call("GET", "/api/v1/whoami", officer=stranger)
    for junk in (b"", b"\x30\x00", b"\x30\x80\x00\x00", b"A" * 5000):
        with refused("CHY-"):
            house.call("POST", path, {"signatures": [base64.b64encode(junk).decode()]}, anna)
    assert house.call("GET", f"/api/v1/requests/{two['id']}", officer=anna)["state"] == "prepared"


def test_issued_by_session_and_judged_by_others(house, scratch):
    """rows=CM-T-38"""
    token = house.open_session()
    csr, key = make_csr("www.example.org", sans=["www.example.org", "example.org"])
    made = house.issue(token, csr)
    cert = x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))
    assert cert.public_key().public_numbers() == key.public_key().public_numbers()
    assert cert.serial_number.bit_length() > 96 and (cert.serial_number.bit_length() + 8) // 8 <= 20
    anna = house.officers["anna"]
    authorities = {d["name"]: d["id"] for d in house.call("GET", "/api/v1/documents/authority", officer=anna)["items"]}
    chain = house.raw("GET", f"/api/v1/authorities/{authorities['Issuing CA']}/chain")[2]
    leaf, bundle = scratch / "leaf.pem", scratch / "chain.pem"
    leaf.write_bytes(cert.public_bytes(x509.base.serialization.Encoding.PEM))
    bundle.write_bytes(chain)
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "www.example.org",
                           "-CAfile", bundle, leaf], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    both = scratch / "both.pem"
    both.write_bytes(leaf.read_bytes() + chain)
    done = subprocess.run(["certtool", "--verify-chain", "--infile", both], capture_output=True, text=True)
    assert done.returncode == 0 and "Verified" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("form", ["json-pem", "der", "pem"])
def test_requests_in_every_form(house, form):
    token = house.open_session(5)
    csr, _ = make_csr(None, sans=[f"{form}.example.org"])
    pem = "-----BEGIN CERTIFICATE REQUEST-----\n" + "\n".join(
        base64.b64encode(csr).decode()[i:i + 64] for i in range(0, len(base64.b64encode(csr)), 64)) + "\n-----END CERTIFICATE REQUEST-----\n"
    if form == "json-pem":
        made = house.call("POST", "/api/v1/certificates", {"token_procedure": "TLS server", "request": pem}, token=token)
        der = base64.b64decode(made["certificate"])
    else:
        body, kind = (csr, "application/pkcs10") if form == "der" else (pem.encode(), "application/x-pem-file")
        der = house.call("POST", "/api/v1/certificates?token-procedure=TLS%20server", body, token=token,
                         headers={"Content-Type": kind, "Accept": "application/pkix-cert"})
    assert x509.load_der_x509_certificate(der)


def test_the_same_request_twice_gives_one_certificate(house):
    """rows=CM-I-21"""
    token = house.open_session()
    csr, _ = make_csr(None, sans=["once.example.org"])
    first, again = (house.issue(token, csr, key="order-17") for _ in range(2))
    assert first["certificate"] == again["certificate"] and again["repeated"] and not first["repeated"]
    other, _ = make_csr(None, sans=["other.example.org"])
    with refused("CHY-1717"):
        house.issue(token, other, key="order-17")


def test_requested_validity(house):
    """By a session and by an officer: as asked within the procedure's limits, refused beyond. rows=CM-I-18"""
    rosa, token = house.officers["rosa"], house.open_session()
    csr, _ = make_csr(None, sans=["validity.example.org"])

    def at(days):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((int(time.time()) // 60 + days * 1440) * 60))

    def by_officer(validity):
        item = house.act("certificate.issue", {"token_procedure": "TLS server", "validity": validity, "requests": [
            {"csr": base64.b64encode(csr).decode()}]}, rosa)["result"]["certificates"][0]
        return item["der"] if "der" in item else item["problem"]["cause" if "cause" in item["problem"] else "code"]

    def by_session(validity):
        try:
            return house.issue(token, csr, validity=validity)["certificate"]
        except Refused as e:
            return e.problem.get("cause", e.code)

    for way in (by_officer, by_session):
        begin, end = at(2), at(9)  # once: the next minute may begin meanwhile
        cert = x509.load_der_x509_certificate(base64.b64decode(way({"not_before": begin, "not_after": end})))
        shape = "%Y-%m-%dT%H:%M:%SZ"
        assert cert.not_valid_before.strftime(shape) == begin and cert.not_valid_after.strftime(shape) == end
        for wrong in ({"not_after": at(91)}, {"not_before": at(-2)}, {"not_before": at(9), "not_after": at(2)}):
            assert way(wrong).startswith("CHY-"), wrong


def test_serials_are_never_the_same(house):
    """rows=CM-C-27"""
    token = house.open_session()
    csr, _ = make_csr(None, sans=["serial.example.org"])
    serials = [x509.load_der_x509_certificate(base64.b64decode(house.issue(token, csr)["certificate"])).serial_number for _ in range(50)]
    times = [s >> 96 for s in serials]  # milliseconds; two within one are in no order
    assert len(set(serials)) == 50 and times == sorted(times), "ordered in time"
    low = [s & ((1 << 96) - 1) for s in serials]
    assert len(set(low)) == 50 and max(low).bit_length() > 88


def test_proof_of_possession(house):
    """rows=CM-C-26"""
    token = house.open_session()
    csr, _ = make_csr(None, sans=["pop.example.org"])
    broken = bytearray(csr)
    broken[-3] ^= 1
    with refused("CHY-") as e:
        house.issue(token, bytes(broken))
    assert e.value.problem["rule"] == "proof-of-possession"


def test_a_closed_procedure_cannot_issue(house):
    """rows=CM-T-03"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    made = house.act("token-procedure.create", dict(TLS, name="To close"), anna, ben)["result"]
    token = house.open_session(procedures=["To close"])
    csr, _ = make_csr(None, sans=["closed.example.org"])
    assert house.issue(token, csr, procedure="To close")
    body = house.call("GET", f"/api/v1/documents/token-procedure/{made['id']}", officer=anna)["body"]
    house.act("token-procedure.modify", dict(body, state="closed"), anna, ben, obj=made["id"])
    with refused("CHY-15") as e:
        house.issue(token, csr, procedure="To close")
    assert e.value.problem["rule"]


def test_a_session_ends(house):
    token = house.open_session(2)
    for i in range(2):
        house.issue(token, make_csr(None, sans=[f"s{i}.example.org"])[0])
    with refused("CHY-"):
        house.issue(token, make_csr(None, sans=["s3.example.org"])[0])
    with refused("401"):
        house.issue("A" * 43, make_csr(None, sans=["s4.example.org"])[0])


def test_a_draft_is_no_policy(house):
    """rows=CM-T-35,CM-T-36"""
    anna = house.officers["anna"]
    draft = house.call("POST", "/api/v1/drafts/token-procedure", {"name": "Half done"}, anna)
    assert house.call("GET", f"/api/v1/drafts/token-procedure/{draft['id']}", officer=anna)["body"]["name"] == "Half done"
    with refused("CHY-"):
        house.open_session(procedures=["Half done"])
    house.call("PUT", f"/api/v1/drafts/token-procedure/{draft['id']}", dict(TLS, name="Half done"), anna)
    house.call("DELETE", f"/api/v1/drafts/token-procedure/{draft['id']}", officer=anna)
    with refused("404"):
        house.call("GET", f"/api/v1/drafts/token-procedure/{draft['id']}", officer=anna)


def test_explained(house):
    """rows=CM-T-44"""
    token = house.open_session()
    made = house.issue(token, make_csr(None, sans=["explain.example.org"])[0])
    house.wait_sequenced()
    told = house.call("GET", f"/api/v1/certificates/{made['id']}/explanation", officer=house.officers["anna"])
    assert told["procedures"]["token"]["name"] == "TLS server" and told["procedures"]["token"]["version"] == 1
    assert told["considered"][0]["reason"] and "proof-of-possession" in told["rules"]
    assert [s["name"] for s in told["signatures"]] == ["Rosa Registrar"] and told["signatures"][0]["signature"] == "verified"
    assert told["journal"]["index"] > 0


def test_the_export_verifies_with_the_root_alone(house, scratch):
    """rows=CM-O-28"""
    house.wait_sequenced()
    export = scratch / "export.jsonl"
    export.write_bytes(house.export())
    verify = [world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file"]
    done = subprocess.run([*verify, export], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = export.read_bytes().splitlines(keepends=True)
    leaves = [i for i, l in enumerate(lines) if l.startswith(b'{"type":"leaf"')]
    mid = leaves[len(leaves) // 2]
    cases = {
        "removed leaf": lines[:mid] + lines[mid + 1:],
        "swapped leaves": lines[:mid] + [lines[mid + 1], lines[mid]] + lines[mid + 2:],
        "inserted leaf": lines[:mid] + [lines[mid]] + lines[mid:],
        "cut end": lines[:-1],
        "removed certificate": [l for i, l in enumerate(lines)
                                if i != max(j for j, x in enumerate(lines) if x.startswith(b'{"type":"certificate"'))],
        "altered document": [l.replace(b'"TLS server"', b'"TLS serves"') if l.startswith(b'{"type":"document"') else l for l in lines],
    }
    for what, altered in cases.items():
        export.write_bytes(b"".join(altered))
        done = subprocess.run([*verify, export], capture_output=True, text=True)
        assert done.returncode == 1, what + done.stdout


def test_openapi_names_every_route(house):
    doc = house.call("GET", "/api/openapi.json")
    assert doc["openapi"].startswith("3.1")
    for path in ("/api/v1/requests/{id}/signatures", "/api/v1/certificates/{id}/proof", "/api/v1/kinds/{kind}/schema"):
        assert path in doc["paths"], path


def test_metrics_and_health(house):
    assert b"chancery_certificates_issued_total" in house.raw("GET", "/metrics")[2]
    assert house.raw("GET", "/healthz")[0] == 200
    assert house.call("GET", "/readyz")["ready"] is True


def test_a_hundred_requests_by_one_signature(house):
    requests = [{"csr": base64.b64encode(make_csr(None, sans=[f"bulk{i}.example.org"])[0]).decode()} for i in range(100)]
    requests[41]["csr"] = base64.b64encode(make_csr("no alternative name")[0]).decode()
    done = house.act("certificate.issue", {"token_procedure": "TLS server", "requests": requests}, house.officers["rosa"])
    outcomes = done["result"]["certificates"]
    assert [i for i, o in enumerate(outcomes) if "problem" in o] == [41] and outcomes[41]["problem"]["code"].startswith("CHY-")
    assert len({o["certificate"] for o in outcomes if "certificate" in o}) == 99
    with refused("CHY-1002"):
        house.act("certificate.issue", {"token_procedure": "TLS server", "requests": requests + requests[:1]}, house.officers["rosa"])


def test_backup_while_running_and_restore(scratch):
    w = world.World(scratch / "ca-house")
    try:
        w.start().make_officers().make_ca()
        token = w.open_session()
        before = w.issue(token, make_csr(None, sans=["before.example.org"])[0])
        config, copy = w.dir / "chancery.ini", scratch / "copy.db"
        run = lambda *a: subprocess.run([world.CHANCERY, "store", *a], capture_output=True, text=True)
        done = run("backup", "--config", config, copy)
        assert done.returncode == 0, done.stderr
        after = w.issue(token, make_csr(None, sans=["after.example.org"])[0])
        w.stop()
        done = run("restore", "--config", config, "--yes", copy)
        assert done.returncode == 0, done.stderr
        w.start()
        # what is younger than the backup is in the signer's journal, and taken over from there
        for made in (before, after):
            der = w.raw("GET", f"/api/v1/certificates/{made['id']}", officer=w.officers["anna"],
                        headers={"Accept": "application/pkix-cert"})[2]
            assert base64.b64encode(der).decode() == made["certificate"]
        assert run("backup", "--config", config, copy).returncode == 1, "never over a file that is there"
    finally:
        w.stop()
