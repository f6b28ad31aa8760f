"""JUnit results of `./dev test`: collect, note, count, summary. Standard library only.

	results.py collect RESULTS LABEL TESTLOG.XML    takes over what `meson test` wrote
	results.py note RESULTS SUITE NAME RC LOGFILE   writes a step's result
	results.py count RESULTS SUITE                  "12 passed" or "11 passed, 1 failed: a, b"
	results.py summary RESULTS SUITE...             names what failed and ends "N passed, N failed"; 1 where any failed
"""
import glob
import os
import re
import sys
import xml.etree.ElementTree as ET

OWN_FILE = {"e2e", "fault"}  # Meson tests whose cases stand in a file of their own (tools/pytest.py)


def clean(text):
    """Without the characters that XML cannot hold."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd]", "?", text)


def failed(case):
    return any(case.find(tag) is not None for tag in ("failure", "error"))


def skipped(case):
    return case.find("skipped") is not None


def skips_said(suite):
    """Numbers of the cases that TAP says are skipped: cmocka says "not ok 3 # SKIP", which Meson takes for a failure."""
    said = "".join(out.text or "" for out in suite.findall("system-out"))
    return set(re.findall(r"^(?:not )?ok (\d+) # SKIP", said, re.M))


def cases(path):
    for suite in ET.parse(path).getroot().iter("testsuite"):
        for case in suite.findall("testcase"):
            yield suite, case


def files(results, suite):
    """Files of one suite: SUITE.xml, SUITE-*.xml."""
    return sorted(glob.glob(os.path.join(results, suite + ".xml")) + glob.glob(os.path.join(results, suite + "-*.xml")))


def test_of(case):
    """The Meson test's name, which stands behind its project and suites."""
    return case.get("name", "").split(" / ")[-1]


def own_file_tells(results, case):
    """The program's own file has the case's story, so that the case itself would count twice."""
    path = os.path.join(results, test_of(case) + ".xml")
    if test_of(case) not in OWN_FILE or not os.path.exists(path):
        return False
    return not failed(case) or any(failed(c) for _, c in cases(path))


def tell_crash(suite):
    """A program that ended before its plan was through has cases that nobody tells of, and Meson's file names none of them."""
    said = "".join(out.text or "" for out in suite.findall("system-out"))
    plan = re.search(r"^1\.\.(\d+)", said, re.M)
    told = len(set(re.findall(r"^(?:not )?ok (\d+)\b", said, re.M)))
    ended = re.search(r"^\(test program exited with .*\)$", "".join(e.text or "" for e in suite.findall("system-err")), re.M)
    if plan and told < int(plan[1]):
        name = "%s of %s cases, then it ended" % (told, plan[1])
    elif ended and not any(failed(case) for case in suite.findall("testcase")):
        name = ended[0]
    else:
        return
    case = ET.SubElement(suite, "testcase", classname=suite.get("name", ""), name=name)
    ET.SubElement(case, "failure", message=name)
    tell_output(suite, case)


def collect(results, label, testlog):
    if not os.path.exists(testlog):
        write_case(results, label, "meson", 1, "meson test left no results: see log/" + label + ".log")
        return
    tree = ET.parse(testlog)
    for suite in tree.getroot().iter("testsuite"):
        skips, own = skips_said(suite), any(test_of(case) in OWN_FILE for case in suite.findall("testcase"))
        for case in list(suite.findall("testcase")):
            if case.get("name", "").split(" ")[0] in skips:
                suite.remove(case)
            elif own_file_tells(results, case) or (skipped(case) and test_of(case) in OWN_FILE):
                suite.remove(case)
            else:
                tell_output(suite, case)
        if not own:
            tell_crash(suite)
    tree.write(os.path.join(results, label + "-meson.xml"), encoding="utf-8", xml_declaration=True)


def tell_output(suite, case):
    """A failure carries what its program said."""
    if not failed(case):
        return
    said = "".join(part.text or "" for part in (*suite.findall("system-out"), *suite.findall("system-err"),
                                                *case.findall("system-out"), *case.findall("system-err")))
    for fault in (*case.findall("failure"), *case.findall("error")):
        fault.text = clean((fault.text or "") + "\n" + said)


def write_case(results, suite, name, rc, text):
    root = ET.Element("testsuite", name=suite)
    case = ET.SubElement(root, "testcase", classname=suite, name=name)
    if rc != 0:
        ET.SubElement(case, "failure", message="ended with %d" % rc).text = clean(text)
    ET.ElementTree(root).write(os.path.join(results, "%s-%s.xml" % (suite, name)), encoding="utf-8",
                               xml_declaration=True)


def note(results, suite, name, rc, logfile):
    with open(logfile, encoding="utf-8", errors="replace") as log:
        write_case(results, suite, name, int(rc), log.read()[-20000:])


def tally(results, suites):
    good, bad = 0, []
    for suite in suites:
        for path in files(results, suite):
            for parent, case in cases(path):
                if failed(case):
                    where = case.get("classname") or parent.get("name") or suite
                    bad.append((suite, "%s: %s" % (where, case.get("name")), case))
                elif not skipped(case):
                    good += 1
    return good, bad


def count(results, suite):
    good, bad = tally(results, [suite])
    text = "%d passed" % good
    if bad:
        text += ", %d FAILED: %s" % (len(bad), ", ".join(name for _, name, _ in bad[:8]))
    print(text)


def summary(results, *suites):
    good, bad = tally(results, suites)
    for suite, name, case in bad:
        print("\nFAILED (%s) %s" % (suite, name))
        for fault in (*case.findall("failure"), *case.findall("error")):
            text = (fault.text or fault.get("message") or "").strip().splitlines()
            print("\n".join("    " + line for line in text[-40:]))
    print("%d passed, %d failed" % (good, len(bad)))
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit({"collect": collect, "note": note, "count": count, "summary": summary}[sys.argv[1]](*sys.argv[2:]))
