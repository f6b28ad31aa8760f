"""Revoking, holding and reinstating by the command line."""
import json

import pytest

import world
from cli import Cli
from test_cli import terminal
from world import make_csr


@pytest.fixture(scope="module")
def desk(sqlite_house, module_scratch):
    """An officer with both roles, as a PKCS#12 file."""
    house = sqlite_house
    anna, ben = house.officers["anna"], house.officers["ben"]
    house.act("officer-profile.create", {"name": "Desk", "entity_type": "dynamic-token", "roles": [
        "use-clients", "issue-certificate", "revoke-certificate", "revoke-certificate-with-password"]}, anna, ben)
    house.officers["dora"] = house.make_officer("Dora Desk", "Desk", anna, ben, issuer=house.officers["rosa"])
    house.cli = Cli(house, module_scratch, **{name: house.officers[name] for name in ("dora", "anna", "ben")})
    house.cli_dir = module_scratch
    return house


def run(house, *args, who="dora", code=0):
    return house.cli.run(*args, who=who, code=code)


def one(house):
    house.n = getattr(house, "n", 0) + 1
    return house.issue(house.open_session(), make_csr(None, sans=[f"cli{house.n}.example.org"])[0])["id"]


def test_hold_reinstate_revoke(desk):
    """rows=CM-R-10,CM-R-12,CM-R-13"""
    first, second = one(desk), one(desk)
    assert "CHY-1676" in run(desk, "certificate", "hold", first, code=1).stderr
    text = run(desk, "certificate", "hold", first, second, "--checked", "called back").stdout
    assert text.count("held") == 2
    assert "on hold" in run(desk, "certificate", "hold", first, "--checked", "called back", code=1).stderr
    assert "Held for: card lost" in run(desk, "certificate", "hold", first, "--cause", "card lost", "--checked", "called back").stdout
    assert json.loads(run(desk, "certificate", "status", first, "--json").stdout)["state"] == "held"
    lifted = run(desk, "certificate", "reinstate", first, "--checked", "called back").stdout
    assert "No longer held for: officer" in lifted
    assert "Held for" in run(desk, "certificate", "status", first).stdout
    run(desk, "certificate", "reinstate", first, "--cause", "card lost", "--checked", "called back")
    done = run(desk, "certificate", "revoke", first, second, "--reason", "key-compromise", "--invalid-at", "2026-01-02T03:04:05Z",
               "--checked", "he came by", "--json")
    assert [x["state"] for x in json.loads(done.stdout)["result"]["certificates"]] == ["revoked", "revoked"]
    # a request that is over says what came of it, and compares with nothing of today
    shown = desk.call("GET", f"/api/v1/requests/{json.loads(done.stdout)['id']}", officer=desk.officers["dora"])["difference"]
    assert [(x["old"], x["new"]) for x in shown] == [(None, "revoked"), (None, "revoked"), (None, "Key compromise")]
    text = run(desk, "certificate", "status", first).stdout
    assert "revoked" in text and "2026-01-02T03:04:05" in text and text.count("Dora Desk") == 5
    explained = run(desk, "explain", first).stdout
    assert "Its status" in explained and "Key out since" in explained and explained.count("Dora Desk") == 5
    assert run(desk, "certificate", "revoke", first, code=2).stderr  # no reason


def test_a_terminal_asks_before_it_revokes(desk):
    """Revoking is final: on a terminal "n" leaves the certificate as it is, --yes asks nothing."""
    env = desk.cli.env
    first, second = one(desk), one(desk)

    def revoke(number, answers, *more):
        return terminal(["certificate", "revoke", number, "--reason", "superseded", "--checked", "called back", "--officer", "dora.p12",
                         "--pin-file", "pin", *more], answers, env, desk.cli_dir)

    def state(number):
        return json.loads(run(desk, "certificate", "status", number, "--json").stdout)["state"]

    code, seen = revoke(first, [("Revoke for good? [y/N]", "n")])
    assert code == 1 and "valid -> revoked" in seen and "nothing was signed" in seen and state(first) == "valid"
    code, seen = revoke(first, [("Revoke for good? [y/N]", "y")])
    assert code == 0 and state(first) == "revoked", seen
    code, seen = revoke(second, [], "--yes")
    assert code == 0 and "[y/N]" not in seen and state(second) == "revoked"


def test_an_officers_certificate_says_whose_it_is(desk):
    """Who revokes it, and who looks at the request, is told of the officer whom it touches."""
    olga = desk.make_officer("Olga Officer", "Desk", desk.officers["anna"], desk.officers["ben"], issuer=desk.officers["rosa"])
    other = one(desk)
    said = run(desk, "certificate", "hold", olga.cert_file, other, "--cause", "on leave", "--checked", "she called").stdout
    assert "Officers that this touches" in said and said.count("Olga Officer") == 2, said
    assert "touches" not in run(desk, "certificate", "revoke", other, "--reason", "superseded", "--checked", "x").stdout
    dora = desk.officers["dora"]
    certificate = desk.call("GET", f"/api/v1/documents/officer/{olga.id}", officer=desk.officers["anna"])["body"]["certificate"]
    asked = desk.prepare(dora, "certificate.revoke", {"reason": "superseded", "verification": "manual", "verification_note": "x",
                                                      "certificates": [certificate]})
    assert [(o["id"], o["name"]) for o in asked["affected_officers"]] == [(olga.id, "Olga Officer")]
    shown = desk.call("GET", f"/api/v1/requests/{asked['id']}", officer=dora)
    assert shown["affected_officers"] == asked["affected_officers"]

    def listed():
        return next(line for line in run(desk, "officer", "list", who="anna").stdout.splitlines() if "Olga Officer" in line)

    assert listed().rstrip().endswith("on hold")
    desk.bring(dora, asked, dora)
    assert listed().rstrip().endswith("revoked")
    document = json.loads(run(desk, "officer", "show", "Olga Officer", "--json", who="anna").stdout)
    assert (document["acts_until"], document["acts_not"]) == (None, "revoked")


def test_an_empty_list_says_that_it_is_not_to_be_seen(desk):
    """Dora's roles show her no officers at all: told, and not taken for an installation without any."""
    done = run(desk, "officer", "list")
    assert "Not to be seen" in done.stdout + done.stderr and "anna" not in done.stdout.lower()
    assert "Not to be seen" not in (lambda x: x.stdout + x.stderr)(run(desk, "officer", "list", who="anna"))


def test_password_from_a_file(desk):
    """rows=CM-R-09,CM-R-10"""
    (desk.cli_dir / "password").write_text("Widerruf-4711\n")
    (desk.cli_dir / "wrong").write_text("Widerruf-4712\n")
    csr, _ = make_csr(None, sans=["password.example.org"])
    (desk.cli_dir / "p.csr").write_bytes(csr)
    run(desk, "certificate", "issue", "--procedure", "TLS server", "p.csr", "--out", "p.pem", "--revocation-password-file", "password")
    assert "CHY-1674" in run(desk, "certificate", "revoke", "p.pem", "--reason", "superseded", "--password-file", "wrong", code=1).stderr
    run(desk, "certificate", "revoke", "p.pem", "--reason", "superseded", "--password-file", "password")
    assert run(desk, "certificate", "revoke", "p.pem", "--reason", "superseded", "--password-file", "password", "--checked", "x",
               code=2).stderr
    run(desk, "journal", "verify", who="anna")


def issue(house, csr, *more, code=0):
    return run(house, "certificate", "issue", "--procedure", "TLS server", csr, *more, "--json", code=code)


def test_asked_for_again_within_a_day(desk):
    """The same certificate as long as it is good; of one that is not, a refusal that names it and says what to do."""
    (desk.cli_dir / "again.csr").write_bytes(make_csr(None, sans=["again.example.org"])[0])
    first = json.loads(issue(desk, "again.csr").stdout)[0]["certificate"]
    assert json.loads(issue(desk, "again.csr").stdout)[0]["certificate"] == first
    other = json.loads(issue(desk, "again.csr", "--not-after", "2090-01-01T00:00:00Z", code=1).stdout)[0]
    assert other["code"] == "CHY-1717" and "another validity" in other["detail"] and str(first) in other["detail"]
    run(desk, "certificate", "hold", first, "--checked", "called back")
    assert "is on hold" in issue(desk, "again.csr", code=1).stdout
    run(desk, "certificate", "reinstate", first, "--checked", "called back")
    assert json.loads(issue(desk, "again.csr").stdout)[0]["certificate"] == first
    run(desk, "certificate", "revoke", first, "--reason", "superseded", "--checked", "called back")
    gone = json.loads(issue(desk, "again.csr", code=1).stdout)[0]
    assert gone["code"] == "CHY-1723" and f"certificate {first}" in gone["detail"] and "is revoked" in gone["detail"]
    assert "--again" in gone["detail"]
    assert json.loads(issue(desk, "again.csr", "--again").stdout)[0]["certificate"] != first


def test_an_idempotency_key_says_what_it_was_used_for(desk):
    token = desk.open_session()
    csr = make_csr(None, sans=["key.example.org"])[0]
    made = desk.issue(token, csr, key="mine")
    for kw, what in (({"csr": make_csr(None, sans=["key.example.org"])[0]}, "another key"),
                     ({"validity": {"not_after": "2090-01-01T00:00:00Z"}}, "another validity"),
                     ({"publication_allowed": False}, "something else besides")):
        with pytest.raises(world.Refused, match=f"CHY-1717.*{what}.*{made['id']}"):
            desk.issue(token, kw.pop("csr", csr), key="mine", **kw)
    run(desk, "certificate", "revoke", made["id"], "--reason", "superseded", "--checked", "x")
    with pytest.raises(world.Refused, match="CHY-1723.*is revoked"):
        desk.issue(token, csr, key="mine")
    assert desk.issue(token, csr, key="another")["id"] != made["id"]


def test_an_authority_by_two(desk):
    anna, ben = desk.officers["anna"], desk.officers["ben"]
    desk.act("ca-key.create", {"name": "Short key", "algorithm": "p-256", "place": "software"}, anna, ben)
    made = desk.act("authority.create", {"name": "Short CA", "type": "subordinate", "issuing_authority": "Root CA", "ca_key": "Short key",
                                         "subject": "CN=Short CA,O=Test", "format": "CA certificate", "validity": "P5Y",
                                         "path_length": 0}, anna, ben)["result"]["id"]
    der = desk.call("GET", f"/api/v1/authorities/{made}/certificate", headers={"Accept": "application/pkix-cert"})
    (desk.cli_dir / "ca.der").write_bytes(der)
    text = run(desk, "authority", "revoke", "ca.der", "--reason", "ca-compromise", "--co-officer", "ben.p12", "--co-pin-file", "pin",
               who="anna").stdout
    assert "revoked" in text and "ca-compromise" in text
    # what is always refused is not offered
    for command, offered in ((("certificate", "revoke"), 0), (("selection", "create"), 0), (("authority", "revoke"), 1)):
        text = desk.cli.run("help", *command).stdout
        text = text[text.index("--reason"):]
        assert text.split("--invalid-at")[0].count("ca-compromise") == offered
        assert "certificate-hold" not in text and "privilege-withdrawn" in text
    assert "is none of" in run(desk, "certificate", "revoke", "4711", "--reason", "certificate-hold", code=2).stderr
