"""What is filled in only to be searched by: field1 to field6 of an input view, in no certificate, found again exactly."""
import base64
import http.client
import json
import subprocess
import time

import pytest
from cryptography import x509
from test_search import ids, search

import world
from world import Refused, make_csr


@pytest.fixture(scope="module")
def shop(house):
    anna, ben = house.officers["anna"], house.officers["ben"]
    house.act("input-view.create", {"name": "Orders", "purpose": "issue", "fields": [
        {"input": "field1", "modifiers": ["trim"]}, {"input": "field2", "default": "no team"}, {"input": "field6"}]}, anna, ben)
    procedures = [d for d in house.call("GET", "/api/v1/documents/certificate-procedure", officer=anna)["items"] if d["body"]["name"] == "TLS server"]
    house.act("token-procedure.create", {"name": "Orders", "storage_profile": "pkcs10", "issuer_certificates": "none", "input_view": "Orders",
                                         "certificate_procedures": [procedures[0]["id"]]}, anna, ben)
    house.token = house.open_session(procedures=("Orders", "TLS server"))
    return house


def by_session(house, name, filled, **more):
    csr = make_csr(None, sans=[f"{name}.fields.example.org"])[0]
    return house.issue(house.token, csr, procedure="Orders", input=filled, **more)


def test_found_by_their_fields(shop):
    """By a session and by an officer; the view's default too; one field is not another, and free text does not look there. rows=CM-R-01"""
    one = by_session(shop, "one", {"field1": "  Order 4711 ", "field6": "Grüße"})
    two = by_session(shop, "two", {"field1": "order 4712", "field2": "Team *"})
    csr = base64.b64encode(make_csr(None, sans=["three.fields.example.org"])[0]).decode()
    done = shop.act("certificate.issue", {"token_procedure": "Orders", "requests": [{"csr": csr, "input": {"field1": "Order 4711"}}]},
                    shop.officers["rosa"])
    three = done["result"]["certificates"][0]["certificate"]
    assert b"4711" not in base64.b64decode(one["certificate"])
    assert sorted(ids(shop, field1="ORDER 4711")) == sorted([one["id"], three])
    assert sorted(ids(shop, field1="order 47*")) == sorted([one["id"], two["id"], three])
    assert ids(shop, field1="*711", field6="GRÜßE") == [one["id"]] and ids(shop, field1="*711", field6="grüSSe") == []
    assert ids(shop, field1="*711", field6="GRüßE") == [one["id"]]
    assert sorted(ids(shop, field2="no team")) == sorted([one["id"], three]) and ids(shop, field2="team *", field1="order 4712") == [two["id"]]
    assert ids(shop, field2="order 4711") == [] and ids(shop, field3="*") == [] and ids(shop, text="4711") == []
    assert ids(shop, text="one.fields", field1="order 4711") == [one["id"]] and ids(shop, text="two.fields", field1="order 4711") == []
    assert sorted(ids(shop, field1="order 47*", state="valid", subject_type="EE")) == sorted([one["id"], two["id"], three])
    assert search(shop, field1="order 4711", limit=1)["next"] is not None


def test_what_may_be_filled_in(shop):
    with pytest.raises(Refused):
        by_session(shop, "long", {"field1": "x" * 257})
    with pytest.raises(Refused):
        by_session(shop, "many", {"field1": ["a", "b"]})
    with pytest.raises(Refused):
        by_session(shop, "other", {"field3": "not in the view"})
    csr = make_csr(None, sans=["plain.fields.example.org"])[0]
    with pytest.raises(Refused):
        shop.issue(shop.token, csr, input={"field1": "no view"})


def test_adopted_with_its_fields(shop, scratch):
    """Killed between signature and store; the journal has them, and verifies."""
    shop.stop()
    mark = len(shop.log.read_text())
    shop.start(CHANCERY_FAULT="factory.after-sign=kill", CHANCERY_FAULT_ONCE=str(shop.dir / "signer" / "fields"))
    made, end = None, time.monotonic() + 60
    csr = make_csr(None, sans=["adopted.fields.example.org"])[0]
    while made is None and time.monotonic() < end:
        try:
            made = shop.issue(shop.token, csr, procedure="Orders", input={"field1": "adopted \"1\""}, key="adopted-fields")
        except (OSError, http.client.HTTPException, Refused):
            time.sleep(0.3)
    assert made is not None and "signal=9" in shop.log.read_text()[mark:], "the point was never reached"
    assert ids(shop, field1="adopted \"1\"") == [made["id"]]
    assert x509.load_der_x509_certificate(base64.b64decode(made["certificate"]))
    shop.wait_sequenced()
    export = shop.export()
    (scratch / "journal.jsonl").write_bytes(export)
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", shop.dir / "root.pem", "--file", scratch / "journal.jsonl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b'Order 4711' in export


def test_the_journal_binds_what_was_filled_in(shop, scratch):
    """Fields in the store that are not those of the certificate's leaf are found; an export of before fields were in its rows verifies."""
    one = by_session(shop, "bound", {"field1": "Order 4713"})["id"]
    plain = shop.issue(shop.token, make_csr(None, sans=["unbound.fields.example.org"])[0])["id"]
    lines = []
    for _ in range(50):  # until both have their places under a head
        lines = [json.loads(line) for line in shop.export().splitlines()]
        if {one, plain} <= {x["id"] for x in lines if x["type"] == "certificate"}:
            break
        time.sleep(0.2)

    def verified(change):
        out = scratch / "bound.jsonl"
        with open(out, "w") as f:
            for line in lines:
                row = line["row"] if line["type"] == "certificate" else None
                changed = dict(line, row=change(line["id"], dict(row))) if row is not None else line
                f.write(json.dumps(changed, separators=(",", ":"), ensure_ascii=False) + "\n")
        done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", shop.dir / "root.pem", "--file", out], capture_output=True,
                              text=True)
        return done.returncode, done.stdout + done.stderr

    def with_fields(number, fields):
        return lambda i, row: dict(row, fields=fields) if i == number else row

    filled = {"field1": "Order 4713", "field2": "no team"}
    assert next(x["row"]["fields"] for x in lines if x["type"] == "certificate" and x["id"] == one) == filled
    assert verified(lambda i, row: row)[0] == 0
    assert verified(lambda i, row: {k: v for k, v in row.items() if k != "fields"})[0] == 0
    for number, fields in ((one, dict(filled, field1="Order 4714")), (one, {}), (one, dict(filled, field3="x")),
                           (one, {"field1": "no team", "field2": "Order 4713"}), (plain, filled)):
        code, said = verified(with_fields(number, fields))
        assert code == 1 and f"certificate {number}" in said and "filled in" in said, said
