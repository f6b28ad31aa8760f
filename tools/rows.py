"""Requirement rows and the tests that showed them, from the results of the last `./dev test`.

	rows.py RESULTS [PREFIX...]

A test shows a row by naming it: `rows=CM-T-25` in a C test case's name or in the comment right above its function, in a
Python test's docstring or marker. A row is shown when a test that names it passed and none that names it failed.
The list of rows stands in docs/requirements.tsv.
"""
import glob
import os
import re
import sys

import results as junit

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROW = r"[A-Z]{2}-[A-Z0-9]+(?:-[0-9]+)?"
NAMED = re.compile(r"rows=(%s(?:[ ,]+%s)*)" % (ROW, ROW))
ABOVE = re.compile(r"/\*((?:(?!\*/).)*rows=(?:(?!\*/).)*)\*/\s*static\s+void\s+(\w+)\(", re.S)


def rows_in(text):
    return [row for found in NAMED.findall(text) for row in re.findall(ROW, found)]


def known_rows():
    with open(os.path.join(TOP, "docs", "requirements.tsv"), encoding="utf-8") as f:
        return [line.split("\t")[0] for line in f if line.strip() and not line.startswith("#")]


def rows_of_functions():
    """C test functions whose comment names rows: (program, function) -> rows."""
    found = {}
    for path in glob.glob(os.path.join(TOP, "tests", "*", "test_*.c")):
        program = os.path.basename(path)[len("test_"):-len(".c")]
        with open(path, encoding="utf-8") as f:
            for comment, function in ABOVE.findall(f.read()):
                found[program, function] = rows_in(comment)
    return found


def rows_of_case(suite, case, functions):
    program = (suite.get("name") or "").split(".")[-1]
    function = re.sub(r"^\d+ - ", "", case.get("name") or "").split(" ")[0]
    rows = rows_in(case.get("name") or "") + functions.get((program, function), [])
    for prop in case.iter("property"):
        if prop.get("name") == "rows":
            rows += re.findall(ROW, prop.get("value") or "")
    return set(rows)


def read_results(folder):
    """row -> list of (test, passed)"""
    shown = {}
    functions = rows_of_functions()
    for path in sorted(glob.glob(os.path.join(folder, "*.xml"))):
        for suite, case in junit.cases(path):
            if junit.skipped(case):
                continue
            name = "%s: %s" % ((case.get("classname") or suite.get("name") or "").split(".")[-1],
                               NAMED.sub("", re.sub(r"^\d+ - ", "", case.get("name") or "")).strip())
            for row in rows_of_case(suite, case, functions):
                shown.setdefault(row, []).append((name, not junit.failed(case)))
    return shown


def main(folder, *prefixes):
    shown = read_results(folder)
    rows = known_rows()
    unknown = sorted(set(shown) - set(rows))
    wanted = [r for r in rows if not prefixes or any(r == p or r.startswith(p.rstrip("-") + "-") for p in prefixes)]
    good = 0
    for row in wanted:
        tests = shown.get(row, [])
        ok = bool(tests) and all(passed for _, passed in tests)
        good += ok
        said = sorted({name if passed else name + " FAILED" for name, passed in tests})
        print("%-10s %s %s" % (row, "+" if ok else "-", "; ".join(said)))
    for row in unknown:
        print("named by a test, but no such row: %s (%s)" % (row, shown[row][0][0]))
    print("%d of %d rows shown" % (good, len(wanted)))
    return 0 if wanted and good == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
