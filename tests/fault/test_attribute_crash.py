"""Processes die while attribute certificates are made: with their base both or neither are valid, by themselves each is made once."""
import base64
import subprocess
import time

import pytest
from asn1crypto import cms as asn1cms
from cryptography import x509

import world
from test_attribute import ask, make_policy, one
from world import Refused, make_csr

BOTH = ["factory.before-sign-attribute", "factory.after-sign-attribute", "factory.before-sign", "factory.after-sign",
        "factory.before-commit", "factory.after-commit", "signer.after-sync"]
ALONE = ["factory.before-sign-attribute", "factory.after-sign-attribute", "factory.before-commit-attribute",
         "factory.after-commit-attribute"]
VOIDS = {"factory.after-sign-attribute": 1, "factory.before-sign": 2}  # signed, and then nobody was left to make the base
ROLE = [{"type": "role", "values": ["urn:role:clerk"]}]


@pytest.fixture(scope="module")
def house(sqlite_house):
    return make_policy(sqlite_house)


def insist(house, token, csr, key, until):
    while time.monotonic() < until:
        try:
            return house.issue(token, csr, procedure="Both", key=key, attributes=ROLE)
        except Refused as e:
            assert e.status in (429, 502, 503, 504), e
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{key}: no answer; " + house.log.read_text()[-2000:])


def shown(house, number):
    return house.call("GET", f"/api/v1/certificates/{number}", officer=house.officers["anna"])


def account(house):
    """Every valid attribute certificate has a base in the store; the journal and the store account for each other."""
    listed = house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]
    serials = {i["serial"] for i in listed if i["base"] is None}
    for item in listed:
        if item["base"] is not None:
            ac = shown(house, item["id"])
            assert (ac["state"] == "valid") == (ac["holder"]["serial"] in serials), ac
    house.wait_sequenced()
    export = house.folder / "attribute-export.jsonl"
    export.write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--file", export, "--root", house.dir / "root.pem"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "auditor.disagreement" not in house.log.read_text()
    return listed


def with_fault(house, point, nth, work):
    slug = f"{point}-{nth}".replace(".", "-")
    house.stop()
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}@{nth}=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / f"{slug}-{work.__name__}"))
    try:
        result = work()
        house.wait_killed(mark)
        return result
    finally:
        house.stop()
        house.start()


@pytest.mark.parametrize("point", BOTH)
def test_both_or_neither(house, point):
    """A client that asks again with the same key gets the certificate with its two attribute certificates. rows=CM-I-13"""
    token = house.open_session(procedures=("Both",), officer=house.officers["dora"])
    keys = {f"{point}-{i}": make_csr(None, sans=[f"x{i}.example.org"])[0] for i in range(4)}
    until = time.monotonic() + 60

    def both():
        return {key: insist(house, token, csr, key, until) for key, csr in keys.items()}

    told = with_fault(house, point, 3, both)
    void = [i for i in account(house) if i["base"] is not None and shown(house, i["id"])["state"] == "revoked"]
    seen, house.void = getattr(house, "void", 0), len(void)
    if not point.startswith("signer."):  # which signature of the signer's it was is not known there
        assert house.void - seen == VOIDS.get(point, 0), (seen, void)
    for key, made in told.items():
        base = x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))
        acs = house.call("GET", f"/api/v1/certificates?base={made['id']}", officer=house.officers["anna"])["items"]
        assert len(acs) == 2, (key, acs)
        for ac in acs:
            assert shown(house, ac["id"])["state"] == "valid"
            assert int(shown(house, ac["id"])["holder"]["serial"], 16) == base.serial_number
    account(house)


@pytest.mark.parametrize("point", ALONE)
def test_each_once(house, point):
    """An officer's act that was interrupted is carried on with: one attribute certificate, whatever died. rows=CM-I-12"""
    base_id, base = one(house, point.replace(".", "-") + ".example.org")
    dora = house.officers["dora"]

    def alone():
        request = house.prepare(dora, "attribute-certificate.issue", ask({"certificate": base_id}))
        try:
            house.bring(dora, request, dora)
        except (Refused, OSError):
            pass
        house.wait_ready(60)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                now = house.call("GET", f"/api/v1/requests/{request['id']}", officer=dora)
                if now["state"] == "done":
                    return now
            except (Refused, OSError):
                pass
            time.sleep(0.3)
        raise AssertionError("never done: " + house.log.read_text()[-2000:])

    done = with_fault(house, point, 1, alone)
    acs = house.call("GET", f"/api/v1/certificates?base={base_id}", officer=house.officers["anna"])["items"]
    assert [a["id"] for a in acs] == [a["certificate"] for a in done["result"]["attribute_certificates"]]
    der = base64.b64decode(done["result"]["attribute_certificates"][0]["der"])
    named = asn1cms.AttributeCertificateV2.load(der, strict=True)["ac_info"]["holder"]["base_certificate_id"]
    assert named["serial"].native == base.serial_number
    account(house)
