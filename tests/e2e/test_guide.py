"""The guide's chapters do what they say: their code blocks, run in order in an empty folder."""
import os
import re
import subprocess

import pytest

import world

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
                         "Audit - Administration - token-procedure")),
    ("soft-tokens.md", ("dora.p12", "PrivateKeyEntry", "delivered", "Key Encipherment", "archived at ", "by rita (officer ",
                        "Publication allowed")),
])
def test_a_chapter(chapter, said, scratch):
    """rows=CM-T-01,CM-T-26,CM-O-17,CM-O-25"""
    text = "set -eu -o pipefail\n" + END + script(chapter)
    for port in ("8443", "8080"):
        assert port in text
        text = text.replace(port, str(world.free_port()))
    env = {k: v for k, v in os.environ.items() if not k.startswith("CHANCERY_")}
    env.update(PATH=f"{world.PROGRAMS}:{env['PATH']}", HOME=str(scratch), XDG_CONFIG_HOME=str(scratch / "config"))
    done = subprocess.run(["bash", "-c", text], cwd=scratch, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for line in said:
        assert line in done.stdout, line + "\n" + done.stdout
