"""Writes the starter set as C: embed.py OUT FILE...; each FILE is .../CASE/KIND/NAME.json.

Documents stand in an order in which each refers only to those before it; that they are JSON, and that a file is called after the
name in it, is checked here.
"""
import json
import pathlib
import sys

KINDS = ["officer-profile", "ca-key", "format", "input-view", "authority", "certificate-procedure", "pin-procedure",
         "token-procedure"]


def place(file):
    """(kind, case, name): the order."""
    return KINDS.index(file.parent.name), file.parent.parent.name, file.name


def text_of(file):
    text = file.read_text(encoding="ascii")
    name = json.loads(text)["name"]
    assert file.stem == name.replace(":", "%3A"), f"{file}: it is the document {name!r}"
    return name, text


def literal(s):
    return '"' + s.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


files = sorted((pathlib.Path(f) for f in sys.argv[2:]), key=place)
out = ['#include "base/base.h"', '#include "policy/starter.h"', "", "const struct starter_document starter_documents[] = {"]
for file in files:
    name, text = text_of(file)
    kind = file.parent.name.upper().replace("-", "_")
    out.append(f"\t{{ {literal(file.parent.parent.name)}, KIND_{kind}, {literal(name)},")
    out += [f"\t  {literal(line)}" for line in text.splitlines()]
    out.append("\t},")
cases = sorted({file.parent.parent.name for file in files} - {"setup"})
out += ["};", f"const size_t starter_documents_n = {len(files)};", "const char *const starter_cases[] = {"]
out += [f"\t{literal(case)}," for case in cases] + ["\tNULL,", "};", ""]
pathlib.Path(sys.argv[1]).write_text("\n".join(out))
