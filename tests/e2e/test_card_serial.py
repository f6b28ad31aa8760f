"""The serial number of the card that a certificate is on: imported, given when it is issued, searched by, shown, exported, and bound by the
journal; on both databases."""
import base64
import csv
import io
import json
import subprocess
import time

import http.client

import pytest
from cryptography.hazmat.primitives import serialization

import world
from cli import Cli
from publishing import refused
from test_authorities import Foreign, b64
from test_import import leaf
from world import Refused, make_csr

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
GOOD = ("0049 7011-A", "4711", "x", "#" * 64, "a/b:c_d%e,f\"g")
BAD = ("", " 1", "1 ", "#" * 65, "4711*", "47\t11", "47\n11", "47\u00e911", "\u2603", "\x7f", 4711, ["4711"])


@pytest.fixture(scope="module")
def desk(house, module_scratch):
    anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
    house.act("officer-profile.create", {"name": "Importer", "entity_type": "dynamic-token", "roles": [
        "use-clients", "import-certificates", "issue-certificate", "revoke-certificate"]}, anna, ben)
    house.officers["ida"] = house.make_officer("Ida Importer", "Importer", anna, ben, issuer=rosa)
    house.foreign = Foreign("Foreign root")
    house.act("authority.create", {"name": "Foreign root", "type": "external-root", "certificate": b64(house.foreign.der)}, anna, ben)
    folder = module_scratch / f"cli-{house.engine}"
    folder.mkdir()
    house.cli = Cli(house, folder, ida=house.officers["ida"], anna=anna, ben=ben)
    house.session = house.open_session()
    return house


def bring_in(desk, *items):
    return desk.act("certificate.import", {"authority": "Foreign root", "certificates": list(items)}, desk.officers["ida"])["result"]["certificates"]


def item(cert, card=None):
    return {"certificate": b64(cert.public_bytes(DER)), **({} if card is None else {"card_serial": card})}


def by_act(desk, *cards):
    requests = [{"csr": base64.b64encode(make_csr(None, sans=["card.example.org"])[0]).decode(), **({} if c is None else {"card_serial": c})}
                for c in cards]
    return desk.act("certificate.issue", {"token_procedure": "TLS server", "requests": requests}, desk.officers["rosa"])["result"]["certificates"]


def by_session(desk, card, key=None, csr=None):
    body = {"token_procedure": "TLS server", "request": base64.b64encode(csr or make_csr(None, sans=["card.example.org"])[0]).decode()}
    if card is not None:
        body["card_serial"] = card
    return desk.call("POST", "/api/v1/certificates", body, token=desk.session, headers={"Idempotency-Key": key} if key else {})


def search(desk, accept=None, **query):
    return desk.call("POST", "/api/v1/certificates/search", query, desk.officers["ida"], headers={"Accept": accept} if accept else {})


def ids(desk, **query):
    return sorted(x["id"] for x in search(desk, **query)["items"])


def card_of(desk, number):
    return desk.call("GET", f"/api/v1/certificates/{number}", officer=desk.officers["ida"])["card_serial"]


def test_found_by_the_card(desk):
    """However a certificate came here; several on one card; not by free text. rows=CM-R-23"""
    sign, logon, other, none = (leaf(desk.foreign) for _ in range(4))
    outcomes = bring_in(desk, item(sign, "0049 7011-A"), item(logon, "0049 7011-A"), item(other, "0049 7012-A"), item(none))
    imported = [o["certificate"] for o in outcomes]
    issued = by_act(desk, "0049 7011-A", None)
    acted, plain = (o["certificate"] for o in issued)
    session = by_session(desk, "0049 7011-A")["id"]
    both = sorted([imported[0], imported[1], acted, session])
    assert ids(desk, card_serial="0049 7011-A") == both and ids(desk, card_serial="0049 7011-a") == both
    assert ids(desk, card_serial="0049 7012-A") == [imported[2]] and ids(desk, card_serial="0049 7013-A") == []
    assert ids(desk, card_serial="0049 701*") == sorted(both + [imported[2]]) and ids(desk, card_serial="*7012*") == [imported[2]]
    assert ids(desk, card_serial="0049 7011-A", subject_type="EE", alternative_name="card.example.org") == sorted([acted, session])
    assert ids(desk, text="0049") == [] and ids(desk, field1="0049 7011-A") == []
    for number, card in zip([*imported, acted, plain, session], ["0049 7011-A"] * 2 + ["0049 7012-A", None, "0049 7011-A", None, "0049 7011-A"]):
        assert card_of(desk, number) == card
        [found] = search(desk, sha256=desk.call("GET", f"/api/v1/certificates/{number}", officer=desk.officers["ida"])["sha256"])["items"]
        assert found["card_serial"] == card


def test_in_what_is_exported(desk):
    """As CSV and as lines of JSON. rows=CM-R-23"""
    number = by_session(desk, "=1+1, \"x\"")["id"]
    [row] = list(csv.DictReader(io.StringIO(search(desk, "text/csv", card_serial="=1+1, \"x\"").decode())))
    assert (row["id"], row["card_serial"]) == (str(number), "'=1+1, \"x\"")
    [line] = [json.loads(x) for x in search(desk, "application/jsonl", card_serial="=1+1, \"x\"").splitlines()]
    assert line["card_serial"] == "=1+1, \"x\""


def test_what_a_serial_number_is(desk):
    """Printable ASCII, at most 64; what is none is refused before anybody signs, or at the session's call. rows=CM-R-23"""
    ida = desk.officers["ida"]
    for card in GOOD:
        assert card_of(desk, by_session(desk, card)["id"]) == card
        [o] = bring_in(desk, item(leaf(desk.foreign), card))
        assert o["outcome"] == "imported" and card_of(desk, o["certificate"]) == card
    for card in BAD:
        code = "CHY-1522" if isinstance(card, str) else "CHY-1008"
        assert refused(code, by_session, desk, card)["field"] == "card_serial"
        problem = refused(code, desk.prepare, ida, "certificate.import",
                          {"authority": "Foreign root", "certificates": [item(leaf(desk.foreign), card)]})
        assert "card_serial" in problem["field"] or "certificates[0]" in problem["field"]
        refused(code, by_act, desk, card)
    assert card_of(desk, by_session(desk, None)["id"]) is None


def test_it_is_signed(desk):
    """It stands in the bytes to sign, in what the officer is shown, and in the leaf. rows=CM-R-23"""
    request = desk.prepare(desk.officers["ida"], "certificate.import", {"authority": "Foreign root", "certificates": [item(leaf(desk.foreign), "4712")]})
    assert json.loads(base64.b64decode(request["to_sign"]))["body"]["certificates"][0]["card_serial"] == "4712"
    assert ("Card serial number", "4712") in [(d["label"], d["new"]) for d in request["difference"]]
    csr = base64.b64encode(make_csr(None, sans=["card.example.org"])[0]).decode()
    request = desk.prepare(desk.officers["rosa"], "certificate.issue",
                           {"token_procedure": "TLS server", "requests": [{"csr": csr, "card_serial": "4713"}]})
    assert json.loads(base64.b64decode(request["to_sign"]))["body"]["requests"][0]["card_serial"] == "4713"
    assert ("Card serial number", "4713") in [(d["label"], d["new"]) for d in request["difference"]]


def test_what_is_known_stays_on_its_card(desk):
    """The same again is known; another card, or one where none was said, is refused, and nothing has changed."""
    with_card, without = leaf(desk.foreign), leaf(desk.foreign)
    first = bring_in(desk, item(with_card, "4720"), item(without))
    again = bring_in(desk, item(with_card, "4720"), item(with_card), item(without))
    assert [o["outcome"] for o in again] == ["known"] * 3
    twice, bare = leaf(desk.foreign), leaf(desk.foreign)
    made = bring_in(desk, item(twice, "4723"), item(twice, "4723"), item(twice, "4724"), item(twice), item(bare), item(bare, "4725"))
    assert [o["outcome"] for o in made] == ["imported", "known", "refused", "known", "imported", "refused"]
    assert {made[i]["problem"]["code"] for i in (2, 5)} == {"CHY-1511"}
    assert [card_of(desk, made[i]["certificate"]) for i in (0, 4)] == ["4723", None]
    other = bring_in(desk, item(with_card, "4721"), item(without, "4722"))
    assert [o["problem"]["code"] for o in other] == ["CHY-1796"] * 2
    assert [card_of(desk, o["certificate"]) for o in first] == ["4720", None] and ids(desk, card_serial="4721") == []


def test_a_repeated_call(desk):
    """Under the same key the same card gets the same certificate; another card is another request."""
    csr = make_csr(None, sans=["repeated.example.org"])[0]
    made = by_session(desk, "4730", "card-key", csr)["id"]
    assert by_session(desk, "4730", "card-key", csr)["id"] == made
    for card in ("4731", None):
        refused(desk_other(desk), by_session, desk, card, "card-key", csr)
    assert ids(desk, card_serial="4731") == []


def desk_other(desk):
    """The code of an Idempotency-Key that was used for something else."""
    with pytest.raises(Refused) as e:
        desk.issue(desk.session, make_csr(None, sans=["x.example.org"])[0], key="card-key")
    return e.value.code


def verify(desk, folder, change=lambda line: line):
    desk.wait_sequenced()
    path = folder / "cards.jsonl"
    with open(path, "w") as f:
        for text in desk.export().splitlines():
            f.write(json.dumps(change(json.loads(text)), separators=(",", ":"), ensure_ascii=False) + "\n")
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.dir / "root.pem", "--file", path], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_journal_binds_it(desk, scratch):
    """A card in the store that is not the one that was signed is found. rows=CM-R-23"""
    [o] = bring_in(desk, item(leaf(desk.foreign), "4740"))
    imported, issued, plain = o["certificate"], by_session(desk, "4741")["id"], by_session(desk, None)["id"]

    def with_fields(number, fields):
        def change(line):
            if line["type"] == "certificate" and line["id"] == number:
                assert line["row"]["fields"] == {imported: {"card_serial": "4740"}, issued: {"card_serial": "4741"}, plain: {}}[number]
                line["row"]["fields"] = fields
            return line
        return change

    code, said = verify(desk, scratch)
    assert code == 0, said
    for number, fields in ((imported, {"card_serial": "4749"}), (imported, {}), (issued, {"card_serial": "4740"}), (issued, {}),
                           (plain, {"card_serial": "4740"})):
        code, said = verify(desk, scratch, with_fields(number, fields))
        assert code == 1 and f"certificate {number}" in said, said


def test_gone_with_the_certificate(desk):
    """Removed, it is not found by its card any more, and another import has its own."""
    cert = leaf(desk.foreign)
    [o] = bring_in(desk, item(cert, "4750"))
    assert ids(desk, card_serial="4750") == [o["certificate"]]
    desk.act("officer-profile.create", {"name": "Remover", "entity_type": "dynamic-token", "roles": ["use-clients", "revoke-certificate"]},
             desk.officers["anna"], desk.officers["ben"])
    rita = desk.make_officer("Rita", "Remover", desk.officers["anna"], desk.officers["ben"], issuer=desk.officers["rosa"])
    done = desk.act("certificate.remove", {"certificates": [o["certificate"]], "reason": "moved"}, desk.officers["ida"], rita)
    assert done["state"] == "done" and ids(desk, card_serial="4750") == []
    [again] = bring_in(desk, item(cert, "4751"))
    assert again["outcome"] == "imported" and ids(desk, card_serial="475*") == [again["certificate"]]


def test_adopted_with_its_card(desk, scratch):
    """Killed between signature and store: what is taken over from the signer's journal has it."""
    desk.stop()
    mark = len(desk.log.read_text())
    desk.start(CHANCERY_FAULT="factory.after-sign=kill", CHANCERY_FAULT_ONCE=str(desk.dir / "signer" / "card"))
    csr, made, end = make_csr(None, sans=["adopted.card.example.org"])[0], None, time.monotonic() + 60
    while made is None and time.monotonic() < end:
        try:
            made = by_session(desk, "4760", "adopted-card", csr)
        except (OSError, http.client.HTTPException, Refused):
            time.sleep(0.3)
    assert made is not None and "signal=9" in desk.log.read_text()[mark:], "the point was never reached"
    assert ids(desk, card_serial="4760") == [made["id"]] and card_of(desk, made["id"]) == "4760"
    code, said = verify(desk, scratch)
    assert code == 0, said


# ---- the command line ----

def test_from_the_command_line(desk):
    """A single file, a folder with a list of cards, issuing, and the search. rows=CM-R-23"""
    cli, folder = desk.cli, desk.cli.folder / "old-ca"
    folder.mkdir()
    one, a, b, c = (leaf(desk.foreign) for _ in range(4))
    (cli.folder / "one.pem").write_bytes(one.public_bytes(PEM))
    (folder / "a.pem").write_bytes(a.public_bytes(PEM))
    (folder / "b and c.pem").write_bytes(b.public_bytes(PEM) + c.public_bytes(PEM))
    (cli.folder / "cards.csv").write_text("a.pem,CLI 1\n\nb and c.pem , CLI 2, second \n")
    cli.run("certificate", "import", "--authority", "Foreign root", "--card-serial", "CLI 0", "one.pem", who="ida")
    cli.run("certificate", "import", "--authority", "Foreign root", "--folder", "old-ca", "--card-serials", "cards.csv", who="ida")
    for card, certs in (("CLI 0", [one]), ("CLI 1", [a]), ("CLI 2, second", [b, c]), ("CLI *", [one, a, b, c])):
        found = json.loads(cli.run("certificate", "search", "--card-serial", card, "--json", who="ida").stdout)
        assert sorted(int(x["serial"], 16) for x in found) == sorted(x.serial_number for x in certs), card
    text = cli.run("certificate", "search", "--card-serial", "CLI 1", "--csv", who="ida").stdout
    assert text.splitlines()[0].endswith(",card_serial") and text.splitlines()[1].endswith(',"CLI 1"')
    (cli.folder / "web.csr").write_bytes(make_csr(None, sans=["cli.card.example.org"])[0])
    cli.run("certificate", "issue", "--procedure", "TLS server", "--card-serial", "CLI 3", "--out", "web.pem", "web.csr", who="ida")
    assert "CLI 3" in cli.run("certificate", "search", "--card-serial", "CLI 3", "--json", who="ida").stdout


def test_mistakes_at_the_command_line(desk):
    cli, folder = desk.cli, desk.cli.folder / "mistakes"
    folder.mkdir()
    (folder / "a.pem").write_bytes(leaf(desk.foreign).public_bytes(PEM))
    lists = {"twice.csv": "a.pem,1\na.pem,2\n", "half.csv": "a.pem\n", "nobody.csv": "a.pem,1\nz.pem,2\n", "bad.csv": "a.pem,1*\n"}
    for name, text in lists.items():
        (cli.folder / name).write_text(text)
    call = ("certificate", "import", "--authority", "Foreign root", "--folder", "mistakes")
    assert "twice" in cli.run(*call, "--card-serials", "twice.csv", who="ida", code=2).stderr
    assert "line 1" in cli.run(*call, "--card-serials", "half.csv", who="ida", code=2).stderr
    assert "one FILE" in cli.run(*call, "--card-serial", "1", who="ida", code=2).stderr
    assert "CHY-1522" in cli.run(*call, "--card-serials", "bad.csv", who="ida", code=1).stderr
    assert "z.pem" in cli.run(*call, "--card-serials", "nobody.csv", who="ida", code=1).stderr
    (cli.folder / "two.csr").write_bytes(make_csr(None, sans=["two.example.org"])[0])
    assert "one REQUEST" in cli.run("certificate", "issue", "--procedure", "TLS server", "--card-serial", "1", "two.csr", "two.csr", who="ida",
                                    code=2).stderr
