"""How people call documents: by name, by path, as seen from their own domain; and how documents are shown to them."""
import base64
import json
import shutil

import pytest

from test_log_domains import make_officer
from test_policy_code import Cli
from world import Refused, make_csr


@pytest.fixture(scope="module")
def cli(sqlite_house):
    """TLS server in Root, in Sweden, in Norway; officers of Root and of Sweden."""
    house = sqlite_house
    anna, ben = house.officers["anna"], house.officers["ben"]
    for name in ("Sweden", "Norway"):
        house.act("domain.create", {"name": name}, anna, ben)
        house.act("token-procedure.create", {"name": "TLS server", "domain": name, "storage_profile": "pkcs10",
                                             "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}, anna, ben)
        house.act("token-procedure.create", {"name": "Twice", "domain": name, "storage_profile": "pkcs10",
                                             "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}, anna, ben)
    house.act("domain.create", {"name": "Stockholm", "parent": "Sweden"}, anna, ben)
    make_officer(house, "sara", "Sara Sweden", "Administration officer", "Sweden")
    make_officer(house, "stig", "Stig Sweden", "Administration officer", "Sweden")
    return Cli(house, house.folder / "cli")


def show(cli, name, **kw):
    return cli.json("token-procedure", "show", name, **kw)


def test_the_own_domain_first(cli):
    """One's own before Root's, Root's by "/"; what two domains have is said with their paths. rows=CM-O-12"""
    assert show(cli, "TLS server")["path"] == "TLS server"
    assert show(cli, "TLS server", who="sara")["path"] == "Sweden/TLS server"
    assert show(cli, "/TLS server", who="sara")["path"] == "TLS server"
    assert show(cli, "Sweden/TLS server")["path"] == "Sweden/TLS server"
    assert "Norway/Twice, Sweden/Twice" in cli.run("token-procedure", "show", "Twice", code=1).stderr
    assert show(cli, "Twice", who="sara")["path"] == "Sweden/Twice"
    for hidden in ("Norway/Twice", "Norway/Nothing"):
        assert "CHY-1530" in cli.run("token-procedure", "show", hidden, who="sara", code=1).stderr


def test_a_path_wherever_a_document_is_named(cli):
    """Acts, references in bodies, questions."""
    house, rosa = cli.house, cli.house.officers["rosa"]
    csr = make_csr(None, sans=["path.example.org"])[0]
    (cli.dir / "path.csr").write_bytes(csr)
    cli.run("certificate", "issue", "--procedure", "Sweden/TLS server", cli.dir / "path.csr", "--out", cli.dir / "path.pem", who="rosa")
    cli.run("issuing-session", "open", "--procedure", "Sweden/TLS server", "--max", "1", "--hours", "1", "--out", cli.dir / "token",
            who="rosa")
    with pytest.raises(Refused) as e:
        house.prepare(rosa, "certificate.issue", {"token_procedure": "Sweden/Nothing", "requests": []})
    assert e.value.problem["field"] == "token_procedure"
    cli.run("token-procedure", "create", "--name", "By path", "--domain", "Sweden/Stockholm", "--storage-profile", "pkcs10",
            "--issuer-certificates", "none", "--certificate-procedures", "/TLS server", co="ben")
    made = show(cli, "Sweden/Stockholm/By path")
    assert made["path"] == "Sweden/Stockholm/By path"
    # as the lists show what lies in no domain
    cli.run("token-procedure", "modify", "Sweden/Stockholm/By path", "--domain", "Root", co="ben")
    assert show(cli, "/By path")["body"].get("domain") is None
    cli.run("token-procedure", "modify", "/By path", "--domain", "Sweden/Stockholm", co="ben")
    cli.run("token-procedure", "close", "Sweden/Stockholm/By path", co="ben")
    assert show(cli, "By path")["state"] == "closed"


def test_names_where_ids_stand(cli):
    """For people; programs get the ids, and the names beside them."""
    row = next(line for line in cli.run("domain", "list").stdout.splitlines() if " Stockholm " in line)
    assert row.split()[3] == "Sweden"
    lists = cli.run("token-procedure", "list").stdout
    assert {line.split()[4] for line in lists.splitlines() if " TLS server " in line} == {"Root", "Sweden", "Norway"}
    text = cli.run("token-procedure", "show", "Sweden/TLS server").stdout
    fields = {line[:22].strip(): line[22:].strip() for line in text.splitlines()}
    assert fields["Domain"] == "Sweden" and fields["Certificate procedures"] == "TLS server"
    body = show(cli, "Sweden/TLS server")
    assert isinstance(body["body"]["domain"], int) and body["names"][str(body["body"]["domain"])] == "Sweden"


def test_without_a_domain_the_own_one(cli):
    """rows=CM-O-12"""
    cli.run("token-procedure", "create", "--name", "Mine", "--storage-profile", "pkcs10", "--issuer-certificates", "none",
            "--certificate-procedures", "TLS server", who="sara", co="stig")
    assert show(cli, "Mine")["path"] == "Sweden/Mine"
    cli.run("domain", "create", "--name", "Uppsala", who="sara", co="stig")
    assert cli.json("domain", "show", "Uppsala")["path"] == "Sweden/Uppsala"
    sara = cli.house.officers["sara"]
    body = {"name": "By REST", "storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}
    cli.house.act("token-procedure.create", body, sara, cli.house.officers["stig"])
    assert show(cli, "By REST")["path"] == "Sweden/By REST"
    with pytest.raises(Refused):  # Root, and said so
        cli.house.prepare(sara, "token-procedure.create", dict(body, name="Not mine", domain=None))
    cli.run("token-procedure", "create", "--name", "Of Root", "--storage-profile", "pkcs10", "--issuer-certificates", "none",
            "--certificate-procedures", "TLS server", co="ben")
    assert show(cli, "Of Root")["path"] == "Of Root"


def test_a_folder_puts_nothing_where_it_does_not_lie(cli, tmp_path):
    """A file of Root's is not made the own domain's by who applies it."""
    cli.run("policy", "export", tmp_path / "policy", who="sara")
    shutil.copy(tmp_path / "policy/token-procedure/TLS server.json", tmp_path / "policy/token-procedure/For all.json")
    path = tmp_path / "policy/token-procedure/For all.json"
    path.write_text(json.dumps(dict(json.loads(path.read_text()), name="For all")))
    done = cli.run("policy", "apply", tmp_path / "policy", "--yes", who="sara", co="stig", code=1)
    assert "For all" in done.stdout + done.stderr and "altered" not in done.stdout
    assert "CHY-1530" in cli.run("token-procedure", "show", "For all", code=1).stderr


def test_an_exported_file_is_tried_as_its_own_document(cli, tmp_path):
    """Of the domain in whose folder it lies, with references from Root; elsewhere by its name."""
    house = cli.house
    token = house.open_session(procedures=["Sweden/TLS server"])
    house.issue(token, make_csr(None, sans=["tried.example.org"])[0], procedure="Sweden/TLS server")
    cli.run("policy", "export", tmp_path / "policy")
    file = tmp_path / "policy/token-procedure/Sweden/TLS server.json"
    for who in ("anna", "sara"):
        told = cli.json("policy", "simulate", "token-procedure", "--file", file, who=who)
        assert told["document"]["path"] == "Sweden/TLS server" and told["document"]["version"] == 2, who
    assert "Sweden/TLS server, as version 2" in cli.run("policy", "simulate", "token-procedure", "--file", file).stdout
    assert "is a token-procedure" in cli.run("policy", "simulate", "format", "--file", file, code=1).stderr
    elsewhere = tmp_path / "Mine.json"
    shutil.copy(tmp_path / "policy/token-procedure/Sweden/Mine.json", elsewhere)
    assert cli.json("policy", "simulate", "token-procedure", "--file", elsewhere)["document"]["path"] == "Sweden/Mine"
    shutil.copy(file, elsewhere)  # Root's own first, as everywhere
    assert cli.json("policy", "simulate", "token-procedure", "--file", elsewhere)["document"]["path"] == "TLS server"
    told = cli.json("policy", "simulate", "token-procedure", "--file", elsewhere, "--object", "Sweden/TLS server")
    assert told["document"]["path"] == "Sweden/TLS server"
    cli.run("token-procedure", "preview", "--file", file)


def test_the_newest_of_the_own_domain(cli):
    """Others' requests are not among the newest that are tried, however many there are since."""
    house, rosa = cli.house, cli.house.officers["rosa"]

    def issue(procedure, name):
        csr = base64.b64encode(make_csr(None, sans=[name])[0]).decode()
        return house.act("certificate.issue", {"token_procedure": procedure, "requests": [{"csr": csr}]}, rosa)["id"]

    mine = issue("Sweden/Twice", "mine.example.org")
    for i in range(3):
        issue("TLS server", f"other{i}.example.org")
    body = show(cli, "Sweden/Twice")["body"]
    told = house.call("POST", "/api/v1/policy/simulation", {"kind": "token-procedure", "body": dict(body, state="closed"), "last": 1},
                      house.officers["sara"])
    assert (told["tried"], told["refused"], [i["request"] for i in told["items"]]) == (1, 1, [mine])


def test_an_exported_file_as_a_new_version(cli, tmp_path):
    """modify --file: it stays where it lies."""
    cli.run("policy", "export", tmp_path / "policy")
    for file in (tmp_path / "policy/token-procedure/Sweden/Mine.json", tmp_path / "Mine.json"):
        body = json.loads((tmp_path / "policy/token-procedure/Sweden/Mine.json").read_text())
        file.write_text(json.dumps(dict(body, description=str(file.parent.name))))
        cli.run("token-procedure", "modify", "Sweden/Mine", "--file", file, co="ben")
        now = show(cli, "Sweden/Mine")
        assert now["path"] == "Sweden/Mine" and now["body"]["description"] == file.parent.name


def test_root_is_a_word_where_no_domain_has_that_name(cli):
    """What is made in Root lies in no domain; a domain of that name is what is meant where there is one."""
    cli.run("domain", "create", "--name", "Finland", "--parent", "Root", co="ben")
    cli.run("domain", "create", "--name", "Turku", "--parent", "Finland", co="ben")
    cli.run("domain", "modify", "Turku", "--parent", "Root", co="ben")
    rows = {line.split()[1]: line.split()[3] for line in cli.run("domain", "list").stdout.splitlines()}
    assert rows["Finland"] == rows["Turku"] == "Root"
    cli.run("domain", "create", "--name", "Root", "--parent", "Finland", co="ben")
    cli.run("domain", "modify", "Turku", "--parent", "Root", co="ben")
    assert json.loads(cli.run("domain", "show", "Turku", "--json").stdout)["path"] == "Finland/Root/Turku"
