"""Acts over many certificates: by lists in files, in several requests, going on without those that are refused."""
import json
import subprocess

import pytest
import world

from cli import Cli
from publishing import Desk
from test_cli import terminal
from test_stale import leaves_of
from world import Refused, make_csr


@pytest.fixture(scope="module")
def desk(sqlite_house, module_scratch):
    house = sqlite_house
    anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
    house.act("officer-profile.create", {"name": "Desk", "entity_type": "dynamic-token", "roles": [
        "use-clients", "issue-certificate", "revoke-certificate", "publish-certificate"]}, anna, ben)
    house.officers["dora"] = house.make_officer("Dora Desk", "Desk", anna, ben, issuer=rosa)
    house.cli = Cli(house, module_scratch, dora=house.officers["dora"], anna=anna, ben=ben)
    house.token, house.csr = house.open_session(maximum=5000), make_csr(None, sans=["bulk.example.org"])[0]
    return house


def one(house):
    return house.issue(house.token, house.csr)["id"]


def certificate(house, number):
    return house.call("GET", f"/api/v1/certificates/{number}", officer=house.officers["dora"])


def state(house, number):
    return json.loads(house.cli.run("certificate", "status", number, "--json", who="dora").stdout)["state"]


def write(house, name, *lines):
    (house.cli.folder / name).write_text("".join(f"{x}\n" for x in lines))
    return name


def rows(text):
    """CERTIFICATE -> STATE of the table at the end."""
    table = text[text.index("CERTIFICATE"):].splitlines()[1:]
    return {line.split()[0]: line.split()[1] for line in table}


def test_a_list_names_them_as_people_do(desk):
    """Ids, serial numbers and fingerprints with and without colons, remarks and blank lines; beside those of the command line."""
    a, b, c, d = (one(desk) for _ in range(4))
    serial, sum_ = certificate(desk, b)["serial"], certificate(desk, c)["sha256"]
    colons = ":".join(sum_[i:i + 2].upper() for i in range(0, 64, 2))
    name = write(desk, "list", "# of today", "", f"  {a}   # the first", f"0x{serial}", colons, a)
    done = desk.cli.run("certificate", "hold", d, "--from", name, who="dora")
    assert rows(done.stdout) == {str(x): "held" for x in (a, b, c, d)} and "1 certificates stand there more than once" in done.stdout
    assert "CHY-1886" in desk.cli.run("certificate", "hold", "--from", write(desk, "none", "ab" * 32), who="dora", code=1).stderr
    assert "neither" in desk.cli.run("certificate", "hold", "--from", write(desk, "junk", "list"), who="dora", code=2).stderr
    assert "which certificates" in desk.cli.run("certificate", "hold", who="dora", code=2).stderr
    assert "which certificates" in desk.cli.run("certificate", "hold", "--from", write(desk, "empty", "# nothing"), who="dora", code=2).stderr
    # standard input
    told = subprocess.run([world.CHANCERY, "certificate", "reinstate", "--from", "-", "--officer", "dora.p12", "--pin-file", "pin"],
                          input=f"{a}\n{b}\n", capture_output=True, text=True, cwd=desk.cli.folder, env=desk.cli.env, check=True)
    assert rows(told.stdout) == {str(a): "valid", str(b): "valid"}


def test_every_certificate_of_a_file(desk):
    """A file of PEM certificates given by --from means all of them; as an operand it is the first one with its chain."""
    both = [one(desk) for _ in range(2)]
    text = "".join(desk.cli.run("certificate", "export", x, who="dora").stdout for x in both)
    assert text.count("BEGIN CERTIFICATE") == 2
    (desk.cli.folder / "both.pem").write_text(text)
    assert set(rows(desk.cli.run("certificate", "hold", "both.pem", who="dora").stdout)) == {str(both[0])}
    assert rows(desk.cli.run("certificate", "hold", "--cause", "lost", "--from", "both.pem", who="dora").stdout) == {str(x): "held" for x in both}
    deep = desk.cli.folder / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    (deep / "both.pem").write_text(text)
    assert set(rows(desk.cli.run("certificate", "reinstate", deep / "both.pem", who="dora").stdout)) == {str(both[0])}
    (desk.cli.folder / "torn.pem").write_text(text[:len(text) - 200])
    assert "torn.pem" in desk.cli.run("certificate", "hold", "--from", "torn.pem", who="dora", code=1).stderr


def test_the_others_go_on_where_one_is_refused(desk):
    """Without --skip-refused nothing is signed; with it each refused one is told with its code, and the exit code is 1."""
    a, b, c = (one(desk) for _ in range(3))
    desk.cli.run("certificate", "revoke", b, "--reason", "superseded", who="dora")
    both = ["certificate", "revoke", a, b, c, "--reason", "superseded"]
    assert f"(CHY-1670) {b}: " in desk.cli.run(*both, who="dora", code=1).stderr and state(desk, a) == "valid"
    serial = "0x" + certificate(desk, b)["serial"]
    one_by_one = desk.cli.run("certificate", "hold", "--from", write(desk, "lines", "# today", a, "", serial, c), who="dora", code=1)
    assert f"(CHY-1670) {serial} (line 4 of the list): " in one_by_one.stderr and state(desk, a) == "valid"
    unknown = desk.cli.run("certificate", "hold", "--from", write(desk, "lines", a, "9" * 15), who="dora", code=1)
    assert f"(CHY-1679) {'9' * 15} (line 2 of the list): " in unknown.stderr
    done = desk.cli.run(*both, "9" * 15, "--skip-refused", who="dora", code=1)
    assert rows(done.stdout) == {str(a): "revoked", str(b): "refused", str(c): "revoked", "9" * 15: "refused"}
    assert "CHY-1670" in next(x for x in done.stdout.splitlines() if x.startswith(f"{b} ")) and "2 of 4 certificates were refused" in done.stderr
    # nothing is left
    done = desk.cli.run(*both, "--skip-refused", who="dora", code=1)
    assert set(rows(done.stdout).values()) == {"refused"} and len(rows(done.stdout)) == 3
    # each for its own reason
    held = one(desk)
    desk.cli.run("certificate", "hold", held, "--cause", "a", who="dora")
    listed = ["certificate", "hold", "--from", write(desk, "three", b, held, "9" * 15), "--skip-refused", "--cause", "a"]
    done = desk.cli.run(*listed, who="dora", code=1)
    told = {x.split()[0]: x for x in done.stdout.splitlines() if "refused" in x}
    assert "CHY-1670" in told[str(b)] and "CHY-1671" not in told[str(held)] and "CHY-1679" in told["9" * 15] and len(told) == 3
    print(done.stdout)
    codes = [x["problem"]["code"] for x in json.loads(desk.cli.run(*listed, "--json", who="dora", code=1).stdout)["outcomes"]]
    assert len(set(codes)) == 3 and "none of" not in done.stdout and "3 of 3 certificates were refused" in done.stderr
    # not there at all
    d = one(desk)
    done = desk.cli.run("certificate", "hold", "--from", write(desk, "some", d, "ab" * 32), "--skip-refused", "--json", who="dora", code=1)
    told = json.loads(done.stdout)
    assert told["state"] == "done" and [(x["certificate"], x.get("problem", {}).get("code")) for x in told["outcomes"]] == [("ab" * 32, "CHY-1886"), (d, None)]


def test_what_is_left_out_is_told_and_journaled(desk):
    """By REST: indexes and problems beside the bytes to sign, which name the others alone; acts over one thing know no such member."""
    a, b = one(desk), one(desk)
    dora = desk.officers["dora"]
    body = {"certificates": [a, a, 4711, {"certificate": b}], "cause": "lost"}
    with pytest.raises(Refused, match="1511"):
        desk.call("POST", "/api/v1/requests", {"act": "certificate.hold", "body": body}, dora)
    asked = desk.call("POST", "/api/v1/requests", {"act": "certificate.hold", "body": body, "skip_refused": True}, dora)
    assert [(x["index"], x["certificate"], x["problem"]["code"]) for x in asked["refused"]] == [(1, a, "CHY-1511"), (2, 4711, "CHY-1679")]
    done = desk.bring(dora, asked, dora)
    assert [x["certificate"] for x in done["result"]["certificates"]] == [a, b]
    with pytest.raises(Refused, match="none of 1 can be done"):
        desk.call("POST", "/api/v1/requests", {"act": "certificate.hold", "body": {"certificates": [4711]}, "skip_refused": True}, dora)
    with pytest.raises(Refused, match="skip_refused"):
        desk.call("POST", "/api/v1/requests", {"act": "issuing-session.close", "body": {}, "skip_refused": True}, dora)
    assert [x["code"] for x in leaves_of(desk, "refusal") if "2 certificates were left out" in json.dumps(x)][-1:] == [1511]


def test_more_than_one_request_takes(desk):
    """1,003 certificates are two requests with one reason; on a terminal it is asked once, and --json has both. rows=CM-R-05"""
    many = [one(desk) for _ in range(1003)]
    name = write(desk, "many", *many)
    told = json.loads(desk.cli.run("certificate", "hold", "--from", name, "--json", who="dora").stdout)
    assert [len(x["result"]["certificates"]) for x in told["requests"]] == [1000, 3]
    assert [x["certificate"] for x in told["outcomes"]] == many and all(x["state"] == "held" for x in told["outcomes"])
    args = ["certificate", "revoke", "--from", name, "--reason", "superseded", "--officer", "dora.p12", "--pin-file", "pin"]
    code, seen = terminal(args, [("1003 certificates, in 2 requests. Revoke for good? [y/N]", "n")], desk.cli.env, desk.cli.folder)
    assert code == 1 and state(desk, many[0]) == "held"
    code, seen = terminal(args, [("Revoke for good? [y/N]", "y")], desk.cli.env, desk.cli.folder)
    assert code == 0 and seen.count("[y/N]") == 1 and seen.count(" revoked ") == 1003 and state(desk, many[-1]) == "revoked"


def test_publishing_many(desk, module_scratch):
    """A hundred in a request; one that is unknown is left out, one that may not be published is told."""
    made = Desk(desk, module_scratch)
    made.file_rule("Files", module_scratch / "out")
    made.procedure("Files", "Files")
    many = [one(desk) for _ in range(102)]
    desk.cli.run("certificate", "revoke", many[5], "--reason", "superseded", who="dora")
    name = write(desk, "publish", *many, "9" * 15)
    refused = desk.cli.run("certificate", "publish", "--procedure", "Files", "--from", name, who="dora", code=1)
    assert "CHY-1884" in refused.stderr and "were not tried" in refused.stderr and refused.stdout.count("is queued") == 99
    done = desk.cli.run("certificate", "publish", "--procedure", "Files", "--from", name, "--skip-refused", who="dora", code=1)
    assert done.stdout.count("is queued: 1 delivery") + done.stdout.count("refused: ") == 103
    assert f"Certificate {'9' * 15} refused: " in done.stdout
    done = desk.cli.run("certificate", "publish", "--procedure", "Files", many[5], "9" * 15, "--skip-refused", who="dora", code=1)
    lines = [x for x in done.stdout.splitlines() if "refused: " in x]
    assert len(lines) == 2 and "CHY-1917" in lines[0] and "CHY-1921" in lines[1] and "none of" not in done.stdout
    assert f"(CHY-1921) {'9' * 15}: " in desk.cli.run("certificate", "publish", "--procedure", "Files", many[0], "9" * 15, who="dora", code=1).stderr
    back = desk.cli.run("certificate", "unpublish", "--procedure", "Files", *many[:2], who="dora").stdout
    assert back.count("is queued to be taken back") == 2
