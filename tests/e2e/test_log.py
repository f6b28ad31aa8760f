"""The request log: who asked for what, and what came of it."""
import base64
import json
import subprocess
import time

import pytest

import world
from world import Refused, make_csr

TLS = {"name": "TLS server", "storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


def log(house, who="anna", **filters):
    query = "&".join(f"{k}={v}" for k, v in filters.items())
    return house.call("GET", f"/api/v1/log?{query}", officer=house.officers[who])


def items(house, **filters):
    return log(house, **filters)["items"]


@pytest.fixture(scope="module")
def lived(house):
    """A house in which something of each kind has happened."""
    anna, ben, rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))
    made = house.act("token-procedure.create", dict(TLS, name="Logged"), anna, ben)["result"]
    house.act("token-procedure.modify", dict(TLS, name="Logged", issuer_certificates="root"), anna, ben, obj=made["id"])
    csr = base64.b64encode(make_csr(None, sans=["signed.example.org"])[0]).decode()
    issued = house.act("certificate.issue", {"token_procedure": "Logged", "requests": [{"csr": csr}]}, rosa)
    token = house.open_session(procedures=("Logged",))
    machine = house.issue(token, make_csr(None, sans=["machine.example.org"])[0], procedure="Logged")
    with pytest.raises(Refused):
        house.issue(token, make_csr("no names")[0], procedure="Logged")
    with pytest.raises(Refused):
        house.prepare(rosa, "token-procedure.create", dict(TLS, name="Rosa's"))
    house.prepare(anna, "domain.create", {"name": "Never signed"})
    house.act("domain.create", {"name": "Signed"}, anna, ben)
    house.lived = {"procedure": made["id"], "signed": issued["result"]["certificates"][0]["certificate"], "machine": machine["id"],
                   "issue": issued["id"]}
    return house


def test_only_audit_tasks_read_it_and_a_refusal_is_itself_logged(lived):
    """rows=CM-O-24"""
    before = items(lived, failed="true", officer=lived.officers["rosa"].id)
    with pytest.raises(Refused, match="CHY-1601"):
        log(lived, "rosa")
    after = items(lived, failed="true", officer=lived.officers["rosa"].id)
    assert len(after) == len(before) + 1
    assert after[0]["act"] == "log.read" and after[0]["code"] == "CHY-1601"
    assert [o["name"] for o in after[0]["officers"]] == ["Rosa Registrar"]


def test_by_category(lived):
    """rows=CM-O-25"""
    for category, kinds in (("certificates.issued", {"certificate", "signature", "refusal"}),
                            ("certificates.session", {"session", "signature"}),
                            ("administration.domain", {"document", "signature"}),
                            ("administration.ca", {"document", "signature", "ca-certificate"}),
                            ("administration.key", {"document", "signature"}),
                            ("administration.officer", {"document", "signature"})):
        found = items(lived, category=category, limit=1000)
        assert {i["category"] for i in found} == {category}, category
        assert {i["kind"] for i in found} == kinds, category
    group = items(lived, category="certificates", limit=1000)
    assert {i["category"] for i in group} == {"certificates.issued", "certificates.session"}
    everything = items(lived, limit=1000)
    for name in ("certificates", "keys", "administration", "card-production"):
        assert [i["id"] for i in items(lived, category=name, limit=1000)] == \
               [i["id"] for i in everything if i["category"].startswith(name + ".")], name
    refused = items(lived, category="certificates.refused")
    assert refused and all(i["failed"] and i["category"].startswith("certificates.") for i in refused)
    with pytest.raises(Refused, match="CHY-1722"):
        log(lived, category="nonsense")


def test_failures_stand_beside_successes(lived):
    """rows=CM-O-26"""
    policy = items(lived, category="administration.policy", limit=1000)
    failed = [i for i in policy if i["failed"]]
    assert any(i["act"] == "token-procedure.create" and i["code"] == "CHY-1601" for i in failed)
    assert any(i["kind"] == "document" and not i["failed"] for i in policy)
    issued = items(lived, category="certificates.issued", failed="true")
    assert issued and all(i["kind"] == "refusal" for i in issued)
    assert [i["id"] for i in failed] == [i["id"] for i in items(lived, category="administration.policy", failed="true")]


def test_filters_combine(lived):
    """rows=CM-O-25"""
    rosa, everything = lived.officers["rosa"].id, items(lived, limit=1000)
    by_rosa = [i for i in everything if rosa in [o["id"] for o in i["officers"]]]
    assert [i["id"] for i in items(lived, officer=rosa, limit=1000)] == [i["id"] for i in by_rosa]
    assert [i["id"] for i in items(lived, officer="Rosa%20Registrar", limit=1000)] == [i["id"] for i in by_rosa]
    middle = everything[len(everything) // 2]["at"]
    want = [i["id"] for i in by_rosa if i["failed"] and i["at"] >= middle and i["category"].startswith("certificates")]
    found = items(lived, officer=rosa, failed="true", category="certificates", **{"from": middle})
    assert want and [i["id"] for i in found] == want
    earlier = items(lived, to=middle, limit=1000)
    assert earlier and all(i["at"] < middle for i in earlier)
    assert len(earlier) + len(items(lived, limit=1000, **{"from": middle})) == len(everything)
    with pytest.raises(Refused, match="CHY-1722"):
        log(lived, **{"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"})


def test_all_of_one_object(lived):
    """rows=CM-O-25"""
    document = items(lived, object=lived.lived["procedure"])
    assert [i["kind"] for i in document] == ["document", "signature", "signature"] * 2 or \
        sorted(i["kind"] for i in document) == ["document"] * 2 + ["signature"] * 4
    assert {o["name"] for i in document for o in i["officers"]} == {"Anna Admin", "Ben Admin"}
    signed = items(lived, object=lived.lived["signed"])
    assert {i["kind"] for i in signed} == {"certificate", "signature"}
    assert lived.lived["issue"] in [i["request"] for i in signed]
    machine = items(lived, object=lived.lived["machine"])
    assert {i["kind"] for i in machine} == {"certificate", "session", "signature"}
    assert {o["name"] for i in machine for o in i["officers"]} == {"Rosa Registrar"}
    assert items(lived, object=1) == []


def test_acts_over_many_side_by_side(lived):
    """Each leaf of an act tells of its own request, of whom it was signed, and of its certificate, whichever leaf stands before it."""
    rosa, anna, ben = (lived.officers[o] for o in ("rosa", "anna", "ben"))
    token = lived.open_session(procedures=("Logged",))
    many = [lived.issue(token, make_csr(None, sans=[f"many{i}.example.org"])[0], procedure="Logged")["id"] for i in range(5)]
    first = lived.act("certificate.revoke", {"certificates": many[:3], "reason": "superseded"}, rosa)["id"]
    between = lived.act("domain.create", {"name": "Between"}, anna, ben)["id"]
    second = lived.act("certificate.revoke", {"certificates": many[3:], "reason": "superseded"}, rosa)["id"]
    for number, request in zip(many, [first] * 3 + [second] * 2):
        revoked = [x for x in items(lived, object=number) if x["kind"] == "certificate-state"]
        assert [(x["request"], x["act"], [o["name"] for o in x["officers"]]) for x in revoked] == [(request, "revoke", ["Rosa Registrar"])]
        assert number in revoked[0]["objects"] and request in revoked[0]["objects"]
    everything = items(lived, limit=100)
    assert {x["request"] for x in everything if x["kind"] == "certificate-state"} >= {first, second}
    assert {x["act"] for x in everything if x["request"] == between} == {"domain.create"}


def test_pages(lived):
    """rows=CM-O-25"""
    whole, paged, after = items(lived, limit=1000), [], 0
    while True:
        page = log(lived, limit=7, after=after)
        paged += page["items"]
        after = page["next"]
        if after is None:
            break
    assert [i["id"] for i in paged][:len(whole)] == [i["id"] for i in whole]
    assert [i["id"] for i in whole] == sorted((i["id"] for i in whole), reverse=True)


def test_an_event_names_component_and_event(lived):
    """rows=CM-O-27"""
    texts = [i["notification"] for i in items(lived, limit=1000)]
    assert all(t.count(" - ") >= 2 and t.startswith("Audit - ") for t in texts)
    assert any(t.startswith("Audit - Certificates - certificate issued: ") for t in texts)
    assert 'Audit - Administration - domain "Signed" in force, version 1' in texts
    assert any(t.startswith("Audit - Administration - token-procedure.create refused: ") for t in texts)


def test_a_change_of_state_says_whose_and_why(lived):
    """The certificate, the change and the reason, with the number to look for; ending a request is no failure. rows=CM-O-26,CM-O-27"""
    anna, ben, rosa = (lived.officers[o] for o in ("anna", "ben", "rosa"))
    lived.act("certificate.hold", {"certificates": [lived.lived["machine"]]}, rosa)
    lived.act("certificate.revoke", {"certificates": [lived.lived["signed"]], "reason": "superseded"}, rosa)
    mine = (lived.lived["signed"], lived.lived["machine"])
    states = [i for i in items(lived, category="certificates.revoked") if i["kind"] == "certificate-state" and i["object"] in mine]
    assert [(i["event"], i["object"], i["outcome"], i["failed"]) for i in states] == [
        ("certificate revoke, valid -> revoked, reason superseded: dns:signed.example.org", lived.lived["signed"], "done", False),
        (states[1]["event"], lived.lived["machine"], "done", False)]
    assert states[1]["event"].startswith("certificate hold, valid -> held, ") and "machine.example.org" in states[1]["event"]
    assert states[0]["notification"] == "Audit - Certificates - " + states[0]["event"]
    assert states[0]["id"] in [i["id"] for i in items(lived, object=states[0]["object"])]
    session = next(i for i in items(lived, category="certificates.session") if i["kind"] == "session")
    assert session["event"] == "issuing session opened"
    lived.act("issuing-session.close", {"session": session["object"], "reason": "it is late"}, rosa)
    assert items(lived, category="certificates.session")[0]["event"] == "issuing session closed: it is late"
    waiting = lived.prepare(anna, "domain.create", {"name": "Not wanted"})
    lived.bring(anna, waiting, anna)
    lived.act("request.reject", {"request": waiting["id"], "reason": "no need"}, ben)
    [ended] = [i for i in items(lived, object=waiting["id"]) if i["kind"] == "request-state"]
    assert ended["outcome"] == "rejected" and ended["event"] == "domain.create rejected: no need" and not ended["failed"]
    assert ended["id"] not in [i["id"] for i in items(lived, failed="true", limit=1000)]
    assert {i["outcome"] for i in items(lived, failed="true", limit=1000)} <= {"refused", "failed", "void", "expired"}


def test_removing_an_event_shows(lived):
    """Each entry is a leaf of the journal with a proof under a signed head; rows=CM-O-28"""
    lived.wait_sequenced()
    entry = items(lived, category="certificates.issued", failed="false")[0]
    certificate = next(i for i in items(lived, category="certificates.issued") if i["kind"] == "certificate")
    proof = lived.call("GET", f"/api/v1/certificates/{certificate['id']}/proof", officer=lived.officers["anna"])
    assert json.loads(proof["leaf"])["id"] == certificate["id"] and entry["id"] >= certificate["id"]
    leaves = [json.loads(line) for line in lived.export().decode().splitlines()]
    ids = {json.loads(x["body"])["id"] for x in leaves if x["type"] == "leaf"}
    assert {i["id"] for i in items(lived, limit=1000)} <= ids | {i["id"] for i in items(lived, limit=20)}


def test_the_command_line(lived, tmp_path):
    """rows=CM-O-25,CM-O-27"""
    anna = lived.officers["anna"]
    p12 = tmp_path / "anna.p12"
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", anna.key_file, "-in", anna.cert_file, "-out", p12, "-passout",
                    "pass:secret"], check=True)
    (tmp_path / "pin").write_text("secret")
    base = [world.CHANCERY, "--server", f"https://localhost:{lived.tls_port}", "--ca", lived.dir / "root.pem", "--officer", p12,
            "--pin-file", tmp_path / "pin", "log"]
    done = subprocess.run([*base, "--category", "administration.domain", "--by", "Ben Admin"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'domain "Signed" in force' in done.stdout and "Ben Admin" in done.stdout
    line = next(x for x in done.stdout.splitlines() if 'domain "Signed" in force' in x)
    made = json.loads(subprocess.run([*base, "--category", "administration.domain", "--json"], capture_output=True, text=True).stdout)
    number = next(i["object"] for i in made if i["event"] == 'domain "Signed" in force, version 1')
    assert f" {number} " in line and " done " in line and "Audit - " not in done.stdout
    done = subprocess.run([*base, "--failed", "--json", "--object", "1"], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout) == []
    done = subprocess.run([*base, "--failed", "--json"], capture_output=True, text=True)
    assert done.returncode == 0 and all(i["failed"] for i in json.loads(done.stdout))
