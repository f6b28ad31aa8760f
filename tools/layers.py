"""Checks the #include lines of src/ against tools/layers.txt, and that each folder has its README and its library."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)
LIBC = re.compile(r"^(arpa/|asm/|linux/|net/|netinet/|sys/|bits/)|^[a-z_0-9]+\.h$")


def read_rules(path):
    """{section: {key: [words]}}; the first section is called "folders"."""
    rules, section = {"folders": {}}, "folders"
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.split("#")[0].strip()
            if line.startswith("["):
                section = line.strip("[]")
                rules[section] = {}
            elif line:
                key, colon, words = line.partition(": ") if ": " in line else (line.rstrip(":"), ":", "")
                if not colon or key in rules[section]:
                    sys.exit("%s:%d: not understood, or given twice" % (path, number))
                rules[section][key.strip()] = words.split()
    return rules


def may(words, header):
    """One of the words is the header itself, or the folder that it stands in."""
    return any(header == w or header.startswith(w + "/") for w in words)


def check_own(rules, folder, header):
    if "/" not in header:
        return "include own headers by their path from src/"
    if header.split("/")[0] not in rules["folders"]:
        return "no such folder"
    if not may([folder] + rules["folders"][folder], header):
        return "%s may not include %s (tools/layers.txt)" % (folder, header)
    return None


def check_foreign(rules, folder, header):
    for start, folders in rules["foreign"].items():
        if header.startswith(start):
            return None if folder in folders else "%s belongs to %s alone" % (header, ", ".join(folders))
    return None if LIBC.match(header) else "unknown foreign header: name who may include it in tools/layers.txt"


def check_pure(rules, folder, header):
    pure = rules["pure"]
    if folder in pure["folders"] and any(header.startswith(never) for never in pure["never"]):
        return "%s is pure: no I/O, clock, random source or log" % folder
    return None


def check_file(rules, path, folder):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for found in INCLUDE.finditer(text):
        kind, header = found.groups()
        wrong = (check_own if kind == '"' else check_foreign)(rules, folder, header) or check_pure(rules, folder, header)
        if wrong:
            yield "%s:%d: %s" % (os.path.relpath(path, TOP), text.count("\n", 0, found.start() + 1) + 1, wrong)
    first = INCLUDE.search(text)
    if path.endswith(".c") and (not first or first.group(2) != "base/base.h") and folder != "base":
        yield '%s: begins with #include "base/base.h"' % os.path.relpath(path, TOP)


def check_folder(rules, folder):
    path = os.path.join(TOP, "src", folder)
    sources = []
    for root, _, names in os.walk(path):
        sources += [os.path.join(root, n) for n in names if n.endswith((".c", ".h"))]
    if folder not in rules["folders"]:
        yield "src/%s: not in tools/layers.txt" % folder
        return
    if sources and not os.path.exists(os.path.join(path, "README.md")):
        yield "src/%s: has no README.md" % folder
    for source in sorted(sources):
        yield from check_file(rules, source, folder)


def main():
    rules = read_rules(os.path.join(TOP, "tools", "layers.txt"))
    src = os.path.join(TOP, "src")
    wrong = [w for folder in sorted(os.listdir(src)) if os.path.isdir(os.path.join(src, folder))
             for w in check_folder(rules, folder)]
    print("\n".join(wrong) if wrong else "every include is within its layer")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
