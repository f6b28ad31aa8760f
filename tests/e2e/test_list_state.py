"""How it stands with revocation and issuance lists: what officers see of them, and what is told where one is late or fails."""
import datetime
import json
import sqlite3
import time

import pytest
from cryptography.hazmat.primitives import hashes

from cli import Cli
from test_crl import ca_certificate, change, issue, make_desk, wait_for
from world import Refused


@pytest.fixture(scope="module")
def desk(sqlite_house, module_scratch):
    house = make_desk(sqlite_house)
    house.cli = Cli(house, module_scratch, **{n: house.officers[n] for n in ("anna", "ben", "keeper", "rosa", "desk")})
    return house


def create(house, kind, **body):
    return house.act(f"{kind}.create", {"authority": "Issuing CA", "interval": "P1D", **body}, house.officers["anna"], house.officers["ben"])["result"]["id"]


def crl(house, name, **more):
    where = f"http://127.0.0.1:{house.plain_port}/crl/{name}"
    if "delta_interval" in more:
        more["delta_points"] = [f"{where}-delta.crl"]
    return create(house, "crl-procedure", name=f"CRL {name}", include=True, distribution_points=[f"{where}.crl"], **more)


def state(house, number, kind="crls"):
    items = house.call("GET", f"/api/v1/{kind}?procedure={number}", officer=house.officers["anna"])["items"]
    assert [x["procedure"] for x in items] == [number]
    return items[0]


def until(house, number, good, kind="crls"):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        item = state(house, number, kind)
        if good(item):
            return item
        time.sleep(0.1)
    raise AssertionError(item)


def test_a_list_that_was_wanted_is_shown(desk):
    """`crl build` waits for the list and tells number, end and entries; list, show and REST tell the same."""
    number = crl(desk, "told", delta_interval="PT6H")
    until(desk, number, lambda x: x["complete"]["lists"] == 1 and x["delta"]["lists"] == 1)
    change(desk, "revoke", [issue(desk, "told1")[0], issue(desk, "told2")[0]])
    before = state(desk, number)["complete"]["number"]
    built = json.loads(desk.cli.run("crl", "build", "CRL told", "--json", who="keeper").stdout)
    now = state(desk, number)
    assert built["state"] == "done" and built["list"]["number"] == now["complete"]["number"] > before
    assert built["list"]["entries"] >= 2 and built["list"]["next_update"] == now["complete"]["next_update"]
    served = desk.raw("GET", "/crl/told.crl")[2]
    assert now["complete"]["octets"] == len(served) and now["complete"]["state"] == "good" and not now["complete"]["late"]
    assert now["complete"]["due_at"] > now["complete"]["this_update"] and now["failure"] is None
    assert now["issuer"].startswith("CN=Issuing CA") and now["indirect"] is False and now["partitions"] is None
    text = desk.cli.run("crl", "build", "CRL told", "--delta", who="keeper").stdout
    after = until(desk, number, lambda x: not x["delta"]["wanted"])
    assert "Delta list" in text and f"number {after['delta']['number']} of " in text and "good until" in text
    listed = [line for line in desk.cli.run("crl", "list", who="anna").stdout.splitlines() if "CRL told" in line]
    assert len(listed) == 2 and " full " in listed[0] and " delta " in listed[1] and after["complete"]["next_update"] in listed[0]
    assert f"number {after['complete']['number']} of" in desk.cli.run("crl-procedure", "show", "CRL told", who="anna").stdout
    desk.cli.run("crl", "build", "CRL told", "--wait", "0", who="keeper")
    assert "at most 3600" in desk.cli.run("crl", "build", "CRL told", "--wait", "3601", who="keeper", code=2).stderr


def test_partitions_are_one_group(desk):
    number = crl(desk, "part-{partition}", partitions=3)
    item = until(desk, number, lambda x: x["complete"]["lists"] == 3)
    assert item["partitions"] == 3 and item["complete"]["state"] == "good" and item["complete"]["octets"] > 0
    text = desk.cli.run("crl", "build", "CRL part-{partition}", who="keeper").stdout
    assert "3 of 3" in text
    again = state(desk, number)["complete"]
    assert again["number"] > item["complete"]["number"]
    assert "full, 3 partitions" in desk.cli.run("crl", "list", who="anna").stdout


def test_issuance_lists(desk):
    """Number, end and size of what is in force, and of what was wanted."""
    number = create(desk, "cil-procedure", name="CIL told", served_as="told", per_file=100)
    first = until(desk, number, lambda x: x["complete"]["lists"] == 1, "cils")
    assert first["complete"]["octets"] == len(desk.raw("GET", "/cil/told")[2])
    built = desk.cli.run("cil", "build", "CIL told", who="keeper").stdout
    now = state(desk, number, "cils")
    assert f"number {now['complete']['number']} of" in built and now["complete"]["number"] > first["complete"]["number"]
    assert now["delta"] is None and "CIL told" in desk.cli.run("cil", "list", who="anna").stdout
    assert "good until" in desk.cli.run("cil-procedure", "show", "CIL told", who="anna").stdout


def test_a_list_of_elsewhere(desk):
    number = desk.act("crl-procedure.create", {"name": "CRL theirs", "authority": "Issuing CA", "distribution_points": ["http://pki.example.org/their.crl"]},
                      desk.officers["anna"], desk.officers["ben"])["result"]["id"]
    assert state(desk, number)["complete"]["state"] == "elsewhere"
    assert any("built elsewhere" in x for x in desk.cli.run("crl", "list", who="anna").stdout.splitlines() if "CRL theirs" in x)


def test_authorities_say_what_their_certificates_are(desk):
    """Subject, issuer, serial number, fingerprint, key, begin, end and days left, as the certificate itself has them."""
    listed = json.loads(desk.cli.run("authority", "list", "--json", who="anna").stdout)
    item = next(x for x in listed if x["name"] == "Issuing CA")
    cert = ca_certificate(desk, "Issuing CA")
    told = item["ca_certificate"]
    assert told["subject"].startswith("CN=Issuing CA") and told["issuer"] != told["subject"]
    assert int(told["serial_number"], 16) == cert.serial_number and told["sha256"] == cert.fingerprint(hashes.SHA256()).hex()
    assert told["not_before"][:19] == cert.not_valid_before.isoformat() and told["not_after"][:19] == cert.not_valid_after.isoformat()
    assert told["key_algorithm"] == f"p-{cert.public_key().curve.key_size}"
    left = (cert.not_valid_after - datetime.datetime.utcnow()).days
    assert told["days_left"] in (left, left + 1)
    text = desk.cli.run("authority", "list", who="anna").stdout
    line = next(x for x in text.splitlines() if " Issuing CA " in x)
    shown = desk.cli.run("authority", "show", "Issuing CA", who="anna").stdout
    for value in (told["sha256"], told["serial_number"], told["not_after"], told["issuer"], told["key_algorithm"], str(told["days_left"])):
        assert value in line and value in shown, value
    assert all(x["ca_certificate"] is None or x["ca_certificate"]["sha256"] for x in listed)


def test_pages_and_who_may_not_look(desk):
    anna = desk.officers["anna"]
    every = [x["procedure"] for x in desk.call("GET", "/api/v1/crls", officer=anna)["items"]]
    found, after = [], 0
    for _ in range(len(every) + 1):
        page = desk.call("GET", f"/api/v1/crls?limit=1&after={after}", officer=anna)
        found += [x["procedure"] for x in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == every and len(every) > 1
    unseen = desk.call("GET", "/api/v1/crls", officer=desk.officers["desk"])
    assert unseen["items"] == [] and unseen["unseen"]
    with pytest.raises(Refused):
        desk.call("GET", "/api/v1/crls?limit=0", officer=anna)


def figure(house, name):
    text = house.raw("GET", "/metrics")[2].decode()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(name + " ")))


def test_late_and_failing_is_told(desk):
    """A list that cannot be stored: the failure with its code, late from a minute on; in list, show, build, status and metrics."""
    number = crl(desk, "broken")
    wait_for(desk, "broken", lambda c: True)
    with sqlite3.connect(desk.dir / "chancery.db", timeout=20) as db:
        db.execute(f"CREATE TRIGGER broken BEFORE INSERT ON crl WHEN NEW.procedure_id = {number} BEGIN SELECT RAISE(ABORT, 'no room'); END")
        db.execute("UPDATE crl SET this_update = this_update - 3*86400000, next_update = next_update - 3*86400000 WHERE procedure_id = ? AND state = 2",
                   (number,))
    item = until(desk, number, lambda x: x["failure"])
    assert item["complete"]["state"] == "ended" and item["complete"]["late"] and item["failure"]["code"].startswith("CHY-") and item["failure"]["since"]
    code = f"{item['failure']['code']} {item['failure']['title']}: "
    assert code in next(x for x in desk.cli.run("crl", "list", who="anna").stdout.splitlines() if "CRL broken" in x)
    assert code in desk.cli.run("crl-procedure", "show", "CRL broken", who="anna").stdout
    refused = desk.cli.run("crl", "build", "CRL broken", who="keeper", code=1)
    assert "CHY-1891" in refused.stderr and code in refused.stderr
    end = time.monotonic() + 40
    while 0 in (figure(desk, "chancery_crls_late"), figure(desk, "chancery_crls_failing")) and time.monotonic() < end:
        time.sleep(0.2)
    assert (figure(desk, "chancery_crls_late"), figure(desk, "chancery_crls_failing"), figure(desk, "chancery_cils_late")) == (1, 1, 0)
    told = desk.cli.run("status")
    assert "ATTENTION: the revocation lists of 1 procedures are late" in told.stderr and "cannot be built" in told.stderr
    assert "issuance" not in told.stderr
    assert desk.call("GET", "/api/v1/status")["crls"] == {"late": 1, "failing": 1}
    with sqlite3.connect(desk.dir / "chancery.db", timeout=20) as db:
        db.execute("DROP TRIGGER broken")
    item = until(desk, number, lambda x: x["failure"] is None)
    assert item["complete"]["state"] == "good" and not item["complete"]["wanted"]
