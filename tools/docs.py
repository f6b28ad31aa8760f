"""Writes the reference pages to BUILD/docs: error codes, settings, commands (man pages stand in BUILD/src/programs/man)."""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CODE = re.compile(r'^CODE\((\d+), (\w+), RC_(\w+), "((?:[^"\\]|\\.)*)"\)', re.M)


def codes():
    with open(os.path.join(TOP, "src/base/codes.def"), encoding="utf-8") as f:
        rows = sorted(CODE.findall(f.read()), key=lambda row: int(row[0]))
    yield "# Error codes\n\nA code is given once and never changes its meaning.\n\n| code | means | result |\n|---|---|---|"
    for number, name, rc, title in rows:
        yield "| CHY-%s `%s` | %s | %s |" % (number, name, title.replace('\\"', '"'), rc.lower().replace("_", "-"))


def said(build, *args):
    return subprocess.run([os.path.join(build, "src/programs/chancery"), *args], capture_output=True, text=True,
                          check=True).stdout


def commands(build):
    overview = said(build, "help")
    yield "# Commands\n\n```\n%s```" % overview
    for line in said(build, "help").splitlines():
        found = re.match(r"  ([a-z0-9-]+(?: [a-z0-9-]+)?)  +\w", line)
        if found and not found[1].startswith("-"):
            yield "\n## %s\n\n```\n%s```" % (found[1], said(build, "help", *found[1].split()))


def write(build, name, text):
    path = os.path.join(build, "docs", name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    print(path)


def main(build):
    os.makedirs(os.path.join(build, "docs"), exist_ok=True)
    write(build, "codes.md", "\n".join(codes()) + "\n")
    write(build, "chancery.ini", said(build, "config", "reference"))
    write(build, "commands.md", "\n".join(commands(build)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
