"""Selections: certificates gathered for one act, by REST and by the command line, on both databases."""
import base64
import hashlib
import json
import threading

import pytest

import fixtures
from cli import Cli
from publishing import open_desk, refused
from test_tokens import form_of
from world import Refused, make_csr

ROLES = ["use-clients", "issue-certificate", "publish-certificate", "revoke-certificate", "revoke-certificate-with-password"]


def furnished(desk, folder):
    desk.file_rule("Files", desk.public)
    desk.procedure("Files", "Files")
    desk.procedure("Others", "Files")
    desk.document("officer-profile", name="Desk", entity_type="dynamic-token", roles=ROLES)
    desk.document("officer-profile", name="Both", entity_type="dynamic-token", roles=ROLES + ["manage-revocation-password"])
    for slot, name, profile in (("dora", "Dora Desk", "Desk"), ("emil", "Emil Desk", "Desk"), ("bo", "Bo Both", "Both")):
        desk.house.officers[slot] = desk.house.make_officer(name, profile, desk.anna, desk.ben, issuer=desk.rosa)
        setattr(desk, slot, desk.house.officers[slot])
    desk.cli = Cli(desk.house, folder, **{n: desk.house.officers[n] for n in ("dora", "emil", "bo", "anna", "ben")})
    desk.token = desk.house.open_session()
    return desk


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(request, module_scratch):
    folder = module_scratch / request.param
    folder.mkdir()
    if request.param == "sqlite":
        d = open_desk(folder)
        try:
            yield furnished(d, folder)
        finally:
            d.house.stop()
        return
    with fixtures.postgres() as (url, _, _):
        d = open_desk(folder, store=url)
        try:
            yield furnished(d, folder)
        finally:
            d.house.stop()


def some(desk, n, at="example.org"):
    made = []
    for _ in range(n):
        desk.made += 1
        made.append(desk.house.issue(desk.token, make_csr(None, sans=[f"s{desk.made}.{at}"])[0])["id"])
    return made


def select(desk, act, body=None, officer=None, **more):
    return desk.house.call("POST", "/api/v1/selections", {"act": f"certificate.{act}", "body": body or {}, **more}, officer or desk.dora)


def publishing(desk, *certificates, officer=None, **more):
    return select(desk, "publish", {"publication_procedure": "Files"}, officer, certificates=list(certificates), **more)


def change(desk, number, officer=None, **what):
    return desk.house.call("POST", f"/api/v1/selections/{number}/certificates", what, officer or desk.dora)


def show(desk, number, officer=None):
    return desk.house.call("GET", f"/api/v1/selections/{number}", officer=officer or desk.dora)


def submit(desk, number, officer=None, **body):
    return desk.house.call("POST", f"/api/v1/selections/{number}/submit", {"body": body} if body else {}, officer or desk.dora)


def drop(desk, number, officer=None):
    return desk.house.call("DELETE", f"/api/v1/selections/{number}", officer=officer or desk.dora)


def signed(request):
    return json.loads(base64.b64decode(request["to_sign"]))


def problems(answer):
    return {r["certificate"]: r["problem"]["code"] for r in answer["refused"]}


def test_only_what_was_added_is_submitted(desk):
    """Added, one taken out again, one put back; what is signed is what would be with these ids in the act's body. rows=CM-P-05,CM-P-04"""
    a, b, c, left = some(desk, 4)
    made = publishing(desk, a, b)
    number = made["id"]
    assert made["selected"] == 2 and made["added"] == 2 and made["refused"] == []
    assert change(desk, number, add=[c, a])["already"] == 1
    assert change(desk, number, remove=[b, left])["removed"] == 1
    assert [x["id"] for x in show(desk, number)["certificates"]] == [a, c]
    change(desk, number, add=[b])
    assert change(desk, number, remove=[a])["selected"] == 2
    shown = show(desk, number)
    assert [x["id"] for x in shown["certificates"]] == [c, b] and not any("problem" in x for x in shown["certificates"])
    assert shown["act"] == "certificate.publish" and shown["body"] == {"publication_procedure": "Files"}
    assert all(x["serial"] and x["not_after"] for x in shown["certificates"])
    request = submit(desk, number)
    plain = desk.house.prepare(desk.dora, "certificate.publish", {"publication_procedure": "Files", "certificates": [c, b]})
    for member in ("act", "body", "base", "format", "prepared_by"):
        assert signed(request)[member] == signed(plain)[member], member
    assert request["difference"] == plain["difference"] and request["signatures_needed"] == plain["signatures_needed"]
    refused("CHY-1460", show, desk, number)  # it is gone, and sends nothing again
    refused("CHY-1460", submit, desk, number)
    done = desk.house.bring(desk.dora, request, desk.dora)
    assert [(x["certificate"], len(x["deliveries"])) for x in done["result"]["certificates"]] == [(c, 1), (b, 1)]
    assert desk.deliveries(certificate=a) == [] and desk.deliveries(certificate=left) == []


def test_only_candidates_are_taken(desk):
    """Each that is not is told why, and the others are taken. rows=CM-R-04,CM-P-27"""
    good, gone = some(desk, 2)
    private, _ = desk.certificate(publication_allowed=False)
    desk.house.act("certificate.revoke", {"certificates": [{"certificate": gone}], "reason": "superseded", "verification": "manual",
                                          "verification_note": "called"}, desk.dora)
    made = publishing(desk, gone, good, private, 999999999)
    assert problems(made) == {gone: "CHY-1917", private: "CHY-1916", 999999999: "CHY-1921"}
    assert made["selected"] == 1 and show(desk, made["id"])["certificates"][0]["id"] == good
    drop(desk, made["id"])
    hold = select(desk, "hold", {"cause": "card lost"}, certificates=[gone, good])
    assert problems(hold) == {gone: "CHY-1670"} and hold["selected"] == 1
    assert problems(select(desk, "reinstate", {"cause": "card lost"}, certificates=[good, gone])) == {good: "CHY-1670", gone: "CHY-1670"}
    # no certificate can be revoked for it: refused before anything is gathered
    for reason in ("ca-compromise", "certificate-hold"):
        assert refused("CHY-1671", select, desk, "revoke", {"reason": reason}, certificates=[good])["field"] == "reason"
    for selection in desk.house.call("GET", "/api/v1/selections", officer=desk.dora)["items"]:
        drop(desk, selection["id"])


def test_what_is_found_is_added(desk):
    """By any search; as many as the act takes; what is there already is not there twice. rows=CM-P-05,CM-R-04"""
    found, others = some(desk, 3, "found.example"), some(desk, 2, "elsewhere.example")
    desk.house.act("certificate.revoke", {"certificates": [{"certificate": found[0]}], "reason": "superseded", "verification": "manual",
                                          "verification_note": "called"}, desk.dora)
    made = publishing(desk, found[1])
    got = change(desk, made["id"], search={"alternative_name": "*.found.example"})
    assert problems(got) == {found[0]: "CHY-1917"} and (got["added"], got["already"], got["searched"]) == (1, 1, 3)
    assert got["next"] is None and got["full"] is False
    assert sorted(x["id"] for x in show(desk, made["id"])["certificates"]) == sorted(found[1:])
    assert change(desk, made["id"], remove=[found[1]], add=[others[0]], search={"sha256": "00" * 32})["selected"] == 2
    refused("CHY-1010", change, desk, made["id"], search={"no_such_field": "x"})
    some(desk, 103, "many.example")
    got = change(desk, made["id"], search={"alternative_name": "*.many.example"})
    assert got["selected"] == 100 and got["full"] is True and got["added"] == 98
    refused("CHY-1002", change, desk, made["id"], add=[others[1]])
    assert show(desk, made["id"])["selected"] == 100, "what was refused has changed nothing"
    request = submit(desk, made["id"])
    assert len(signed(request)["body"]["certificates"]) == 100


def test_no_candidate_any_more(desk):
    """What happened since is shown; publishing leaves it out, and a revocation says which one it is. rows=CM-P-05,CM-R-04"""
    a, b = some(desk, 2)
    first = publishing(desk, a, b)["id"]
    second = select(desk, "revoke", {"reason": "superseded"}, certificates=[a, b])["id"]
    desk.house.act("certificate.revoke", {"certificates": [{"certificate": a}], "reason": "key-compromise", "verification": "manual",
                                          "verification_note": "called"}, desk.emil)
    for number, code in ((first, "CHY-1917"), (second, "CHY-1670")):
        shown = {x["id"]: x.get("problem", {}).get("code") for x in show(desk, number)["certificates"]}
        assert shown == {a: code, b: None}
    done = desk.house.bring(desk.dora, submit(desk, first), desk.dora)["result"]["certificates"]
    assert done[0]["problem"]["code"] == "CHY-1917" and done[1]["deliveries"]
    manual = {"verification": "manual", "verification_note": "called back"}
    problem = refused("CHY-1670", submit, desk, second, **manual)
    assert problem["field"].startswith("certificates[0]")
    change(desk, second, remove=[a])  # it is there still
    request = submit(desk, second, **manual)
    assert signed(request)["body"] == signed(desk.house.prepare(desk.dora, "certificate.revoke", {
        "certificates": [{"certificate": b}], "reason": "superseded", **manual}))["body"]
    assert desk.house.bring(desk.dora, request, desk.dora)["result"]["certificates"][0]["state"] == "revoked"


def test_a_selection_is_its_officers_alone(desk):
    """Neither seen nor changed nor submitted nor dropped by another; two may select the same certificate."""
    [a] = some(desk, 1)
    mine, other = publishing(desk, a)["id"], publishing(desk, a, officer=desk.emil)["id"]
    for officer, number in ((desk.emil, mine), (desk.dora, other)):
        for call in (show, submit, drop):
            refused("CHY-1460", call, desk, number, officer)
        refused("CHY-1460", change, desk, number, officer, remove=[a])
        assert number not in [x["id"] for x in desk.house.call("GET", "/api/v1/selections", officer=officer)["items"]]
    [listed] = [x for x in desk.house.call("GET", "/api/v1/selections?limit=1", officer=desk.emil)["items"]]
    assert listed["id"] == other and listed["selected"] == 1 and "certificates" not in listed
    for officer, number in ((desk.dora, mine), (desk.emil, other)):
        done = desk.house.bring(officer, submit(desk, number, officer), officer)["result"]["certificates"]
        assert done[0]["deliveries"], done


def test_what_is_no_selection(desk):
    [a] = some(desk, 1)
    refused("CHY-1600", select, desk, "no-such-act")
    for act in ("issue", "import"):
        refused("CHY-1544", select, desk, act)
    refused("CHY-1544", desk.house.call, "POST", "/api/v1/selections", {"act": "token-procedure.create"}, desk.dora)
    assert refused("CHY-1010", select, desk, "publish", {"publication_procedure": "Files", "certificates": [a]})["field"] == "body.certificates"
    assert refused("CHY-1009", select, desk, "publish")["field"] == "publication_procedure"
    assert refused("CHY-1530", select, desk, "publish", {"publication_procedure": "None such"})["field"] == "publication_procedure"
    assert refused("CHY-1009", select, desk, "revoke")["field"] == "reason"
    refused("CHY-1010", select, desk, "hold", {"reason": "superseded"})
    refused("CHY-1601", publishing, desk, a, officer=desk.anna)
    made = publishing(desk, a)["id"]
    for bad in ([0], [str(a)], [{"certificate": a}], a):
        refused("CHY-1008", change, desk, made, add=bad)
    refused("CHY-1010", change, desk, made, certificates=[a])
    refused("CHY-1002", change, desk, made, add=list(range(1, 103)))
    for body in ({"publication_procedure": "Others"}, {"certificates": [a]}):
        refused("CHY-1518", submit, desk, made, **body)
    change(desk, made, remove=[a])
    refused("CHY-1002", submit, desk, made)  # nothing is in it
    drop(desk, made)
    refused("CHY-1460", show, desk, made)


def test_the_act_cannot_be_done_any_more(desk):
    """Its procedure was closed: the selection says so, is not submitted, and can be dropped."""
    [a] = some(desk, 1)
    closing = desk.procedure("Closing", "Files")
    number = select(desk, "publish", {"publication_procedure": "Closing"}, certificates=[a])["id"]
    desk.modify("publication-procedure", closing, state="closed")
    shown = show(desk, number)
    assert shown["problem"]["code"] in ("CHY-1920", "CHY-1532") and [x["id"] for x in shown["certificates"]] == [a]
    assert set(shown["certificates"][0]) == {"id"}
    refused(shown["problem"]["code"], submit, desk, number)
    drop(desk, number)


def test_one_of_many_submits(desk):
    """Sent twice at the same moment, it is prepared once."""
    number, answers = publishing(desk, *some(desk, 3))["id"], []

    def send():
        try:
            answers.append(submit(desk, number)["state"])
        except Refused as e:
            answers.append(e.code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers.count("prepared") == 1 and set(answers) <= {"prepared", "CHY-1460", "CHY-1543"}, answers


def test_an_officer_has_so_many(desk):
    made = []
    with pytest.raises(Refused) as e:
        for _ in range(101):
            made.append(publishing(desk, officer=desk.emil)["id"])
    assert e.value.code == "CHY-1002" and len(made) <= 100
    assert len(desk.house.call("GET", "/api/v1/selections?limit=1000", officer=desk.emil)["items"]) == 100
    publishing(desk)  # another officer's are others
    for number in made:
        drop(desk, number, desk.emil)


def test_passwords_are_chosen_at_the_end(desk):
    """Who manages them is not held up by a certificate without one before it is submitted. rows=CM-P-08,CM-P-12"""
    [a] = some(desk, 1)
    number = publishing(desk, a, officer=desk.bo)["id"]
    refused("CHY-1919", submit, desk, number, desk.bo)
    form = form_of("four words of a song")
    request = submit(desk, number, desk.bo, revocation_password="set", revocation_password_sha256=hashlib.sha256(form.encode()).hexdigest())
    cms = base64.b64encode(desk.bo.sign(base64.b64decode(request["to_sign"]))).decode()
    done = desk.house.call("POST", f"/api/v1/requests/{request['id']}/signatures", {"signatures": [cms], "secrets": {"revocation_password": form}},
                           desk.bo)
    assert done["result"]["certificates"][0]["deliveries"]
    keep = select(desk, "publish", {"publication_procedure": "Files", "revocation_password": "delete"}, desk.bo, certificates=[a])
    assert problems(keep) == {a: "CHY-1919"}


def test_removal_needs_two(desk):
    """Both sign what was selected; what cannot be removed is not taken."""
    foreign = some(desk, 1)
    made = select(desk, "remove", {"reason": "tidying"}, certificates=foreign)
    assert problems(made) == {foreign[0]: "CHY-1688"} and made["selected"] == 0


# ---- the command line ----

def test_from_the_command_line(desk):
    """What a person types, from the first certificate to the deliveries. rows=CM-P-05"""
    cli = desk.cli
    a, b, c = some(desk, 3, "cli.example")
    made = json.loads(cli.run("selection", "create", "publish", "--procedure", "Files", a, "--json", who="dora").stdout)
    number = made["id"]
    text = cli.run("selection", "add", number, "--alternative-name", "*.cli.example", who="dora").stdout
    assert f"Selection {number}: 3 selected" in text
    assert f"Selection {number}: 2 selected" in cli.run("selection", "remove", number, b, who="dora").stdout
    assert str(number) in cli.run("selection", "list", who="dora").stdout and str(number) not in cli.run("selection", "list", who="emil").stdout
    text = cli.run("selection", "show", number, who="dora").stdout
    assert str(a) in text and str(c) in text and str(b) not in text and "publication_procedure" in text and "Files" in text
    assert "CHY-1460" in cli.run("selection", "submit", number, who="emil", code=1).stderr
    text = cli.run("selection", "submit", number, who="dora").stdout
    assert text.count("is queued: 1 delivery") == 2 and f"Certificate {b}" not in text
    assert "CHY-1460" in cli.run("selection", "show", number, who="dora", code=1).stderr
    assert desk.deliveries(certificate=b) == []


def test_revoking_a_selection_from_the_command_line(desk):
    cli = desk.cli
    a, b = some(desk, 2)
    number = json.loads(cli.run("selection", "create", "revoke", "--reason", "superseded", a, b, "--json", who="dora").stdout)["id"]
    assert "CHY-1676" in cli.run("selection", "submit", number, who="dora", code=1).stderr
    assert cli.run("selection", "submit", number, "--delete-revocation-password", who="dora", code=2).stderr
    done = cli.run("selection", "submit", number, "--checked", "called back", who="dora").stdout
    assert done.count("revoked") >= 2
    again = cli.run("selection", "create", "revoke", "--reason", "superseded", a, who="dora", code=1)
    assert "CHY-1670" in again.stdout and "not taken" in again.stderr


def test_mistakes_at_the_command_line(desk):
    cli = desk.cli
    number = json.loads(cli.run("selection", "create", "publish", "--procedure", "Files", "--json", who="dora").stdout)["id"]
    assert "publication_procedure" in cli.run("selection", "create", "publish", who="dora", code=1).stderr
    assert cli.run("selection", "create", "issue", who="dora", code=2).stderr
    assert "searched" in cli.run("selection", "add", number, who="dora", code=2).stderr
    assert "CHY-1002" in cli.run("selection", "submit", number, who="dora", code=1).stderr
    assert f"Selection {number} is dropped" in cli.run("selection", "drop", number, who="dora").stdout
    assert "CHY-1460" in cli.run("selection", "drop", number, who="dora", code=1).stderr


def test_a_password_from_the_command_line(desk):
    (desk.cli.folder / "password").write_text("four words of a song\n")
    [a] = some(desk, 1)
    number = json.loads(desk.cli.run("selection", "create", "publish", "--procedure", "Files", a, "--json", who="bo").stdout)["id"]
    assert "CHY-1919" in desk.cli.run("selection", "submit", number, who="bo", code=1).stderr
    assert "is queued" in desk.cli.run("selection", "submit", number, "--revocation-password-file", "password", who="bo").stdout
