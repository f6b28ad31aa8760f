"""The guide's chapters do what they say: their code blocks, run in order in an empty folder."""
import os
import re
import shlex
import subprocess

import pytest

import world
from test_cli import Cli

GUIDE = world.Path(__file__).resolve().parents[2] / "docs/guide"
END = """
end() { trap - EXIT; kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; }
trap 'status=$?; end; exit $status' EXIT
"""


def script(chapter):
    blocks = re.findall(r"^```sh\n(.*?)^```$", (GUIDE / chapter).read_text(), re.M | re.S)
    assert blocks
    return "\n".join(blocks)


@pytest.mark.parametrize("chapter,said", [
    ("from-nothing.md", ("token-procedure.create \"Web/Web server\"", "  * Web signing", "  * Web any", "Valid until: ",
                         "The folder and the policy in force are the same.", "Domain                Web", "Web/Short-lived",
                         "token-procedure.create signed")),
    ("soft-tokens.md", ("dora.p12", "PrivateKeyEntry", "delivered", "Key Encipherment", "archived at ", "by rita (officer ",
                        "Publication allowed")),
    ("from-nothing.md rest.md", ("subject=CN = api.example.org", '"act":"certificate.revoke"', '"state":"revoked"')),
])
def test_a_chapter(chapter, said, scratch):
    """A chapter that goes on where others end is run behind them. rows=CM-T-01,CM-T-26,CM-O-17,CM-O-25"""
    text = "set -eu -o pipefail\n" + END + "\n".join(script(c) for c in chapter.split())
    for port in ("8443", "8080"):
        assert port in text
        text = text.replace(port, str(world.free_port()))
    env = {k: v for k, v in os.environ.items() if not k.startswith("CHANCERY_")}
    env.update(PATH=f"{world.PROGRAMS}:{env['PATH']}", HOME=str(scratch), XDG_CONFIG_HOME=str(scratch / "config"))
    done = subprocess.run(["bash", "-c", text], cwd=scratch, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for line in said:
        assert line in done.stdout, line + "\n" + done.stdout


# ---- single commands of chapters that cannot run as a whole ----

def commands(chapter):
    """Each command of the chapter's blocks, in order, as it is copied."""
    text = "".join(re.findall(r"^```\n(.*?)^```$", (GUIDE / chapter).read_text(), re.M | re.S)).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.startswith("chancery ")]


def command(chapter, begin, number=0):
    return [c for c in commands(chapter) if c.startswith(f"chancery {begin}")][number]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Officers as the chapters name them; what they make next is the chapters' own."""
    house = world.World(tmp_path_factory.mktemp("guide"))
    try:
        house.start()
        c = Cli(house)
        for name, profile in (("anna", "Administration officer"), ("bert", "Administration officer"),
                              ("carl", "Registration officer")):
            c.new_officer(name, profile, "boot1", "boot2")
        for name in ("Boot officer 1", "Boot officer 2"):
            c.as_("anna", "officer", "close", name, co="bert")
        yield c
    finally:
        house.stop()


def copied(desk, text, code=0, **instead):
    """Run as it stands in the guide, but that PINs come from files; `...` is who may, and words of the chapter's example others."""
    for old, new in {"...": "--officer anna.p12 --co-officer bert.p12", **instead}.items():
        text = text.replace(old, new)
    text = re.sub(r"--officer (\w+)\.p12", r"--officer \1.p12 --pin-file \1.pin", text)
    text = re.sub(r"--co-officer (\w+)\.p12", r"--co-officer \1.p12 --co-pin-file \1.pin", text)
    return desk.run(*shlex.split(text, comments=True)[1:], code=code)


def test_first_steps(desk):
    text = (GUIDE / "first-steps.md").read_text()
    settings = re.search(r"^```\n(\[cli\]\n.*?)^```$", text, re.M | re.S)[1]
    folder = desk.dir / ".config/chancery"
    folder.mkdir(parents=True)
    for old, new in (("https://127.0.0.1:8443", desk.env["CHANCERY_SERVER"]), ("/srv/chancery/root.pem", desk.env["CHANCERY_CA"]),
                     ("/home/anna/anna.p12", str(desk.dir / "anna.p12"))):
        assert old in settings
        settings = settings.replace(old, new)
    (folder / "cli.ini").write_text(settings + f"pin_file = {desk.dir}/anna.pin\n")
    bare = {k: v for k, v in desk.env.items() if not k.startswith("CHANCERY_")}
    who = subprocess.run([world.CHANCERY, "request", "list"], env=bare, capture_output=True, text=True)
    assert who.returncode == 0, who.stderr
    (folder / "cli.ini").unlink()

    token = ' --place pkcs11 --pkcs11-uri "pkcs11:token=Example%20HSM"'
    assert token in command("first-steps.md", "ca-key create")
    copied(desk, command("first-steps.md", "ca-key create").replace(token, ""))
    for begin in ("authority create", "certificate-procedure create", "token-procedure create"):
        copied(desk, command("first-steps.md", begin))
    [waiting] = [r for r in desk.json("bert", "request", "list") if r["state"] == "waiting"]
    copied(desk, command("first-steps.md", "request sign") + " --yes", ID=str(waiting["id"]))
    desk.csr("web")
    copied(desk, command("first-steps.md", "certificate issue", 1))
    assert "Web server, version 1" in copied(desk, command("first-steps.md", "explain")).stdout


def test_authorities(desk):
    """As many years again, then an end of its own."""
    for number in (0, 1):
        copied(desk, command("authorities.md", "authority renew", number), **{"Root CA": "Example Root"})


def test_publication(desk):
    (desk.dir / "web-ca.pem").write_bytes((desk.world.dir / "root.pem").read_bytes())
    for begin in ("distribution-rule create", "publication-procedure create"):
        copied(desk, command("publication.md", begin) + " --officer anna.p12 --co-officer bert.p12")
    copied(desk, command("publication.md", "distribution-rule create", 1) + " --officer anna.p12 --co-officer bert.p12")
    named = {c["subject"]: str(c["id"]) for c in desk.json("carl", "certificate", "search", "--authority", "System CA")}
    found = [named["CN=carl"], named["CN=bert"]]
    words = {"rosa": "carl", "text example": "text bert", "210453": found[0], "210454": found[1]}
    words["210800"] = re.search(r"Selection (\d+): 1 selected", copied(desk, command("publication.md", "selection create"), **words).stdout)[1]
    for begin, said in (("add", "selected"), ("remove", "selected"), ("show", found[0]), ("submit", f"Certificate {found[0]} is queued")):
        shown = copied(desk, command("publication.md", f"selection {begin}"), **words).stdout
        assert said in shown and (begin not in ("show", "submit") or found[1] not in shown), shown


def test_setup_names_where_settings_are_listed(desk):
    said = re.search(r"All settings: chancery (.*)", (desk.world.dir / "chancery.ini").read_text())[1]
    assert "[listener]" in desk.run(*said.split()).stdout
