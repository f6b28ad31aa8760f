"""Runs a folder of pytest tests as a Meson test, the files on several processes: the
results go to results/NAME.xml of the build folder.

	tools/pytest.py NAME FOLDER [PYTEST ARGUMENT...]
"""
import os
import subprocess
import sys
import tempfile

NOTHING_COLLECTED = 5
PROCESSES_A_CORE = {"e2e": 3, "fault": 2}  # they wait most of the time


def main():
    name, folder, *more = sys.argv[1:]
    build = os.environ["CHANCERY_BUILD"]
    results = os.path.join(build, "results", name + ".xml")
    os.makedirs(os.path.dirname(results), exist_ok=True)
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    e2e = os.path.join(os.environ["CHANCERY_SOURCE"], "tests", "e2e")
    args = ["-p", "no:cacheprovider", "-q", "-n", str(max(2, PROCESSES_A_CORE.get(name, 1) * (os.cpu_count() or 1))), "--dist", "loadfile", "--confcutdir=" + os.path.dirname(e2e), "--junitxml=" + results]
    # short, for the sockets in it, and gone afterwards
    with tempfile.TemporaryDirectory(prefix="chy-", ignore_cleanup_errors=True) as scratch:
        args.append("--basetemp=" + os.path.join(scratch, "t"))
        code = subprocess.call([sys.executable, "-m", "pytest", *args, *more, folder], env=env)
    return 77 if code == NOTHING_COLLECTED else code  # 77: skipped, as Meson understands it


if __name__ == "__main__":
    sys.exit(main())
