"""clang-tidy over the C files of src/ in the build's compile commands, JOBS at a time.

	tools/tidy.py BUILD JOBS

A file that passed is not looked at again until it, a header of src/ or .clang-tidy changes (BUILD/tidy/ remembers).
"""
import concurrent.futures
import glob
import hashlib
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def digest(paths):
    h = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as f:
            h.update(f.read())
    return h


def commands(build):
    """{file: command}, each file once."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        entries = json.load(f)
    files = {os.path.normpath(os.path.join(e["directory"], e["file"])): e["command"] for e in entries}
    return {path: command for path, command in files.items() if path.startswith(os.path.join(TOP, "src", ""))}


def tidy(build, path):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", build, "--extra-arg=-Wno-unknown-warning-option", path],
                          capture_output=True, text=True, check=False)
    return path, done.returncode, done.stdout


def main():
    build, jobs = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    seen = os.path.join(build, "tidy")
    os.makedirs(seen, exist_ok=True)
    headers = sorted(glob.glob(os.path.join(TOP, "src/*/*.h")) + glob.glob(os.path.join(TOP, "src/base/*.def")))
    common = digest(headers + [os.path.join(TOP, ".clang-tidy")])
    stamps, bad = {}, 0
    for path, command in sorted(commands(build).items()):
        h = common.copy()
        h.update(digest([path]).digest() + command.encode())
        stamps[path] = os.path.join(seen, h.hexdigest())
    todo = [p for p, stamp in stamps.items() if not os.path.exists(stamp)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for path, code, said in pool.map(lambda p: tidy(build, p), todo):
            if code == 0 and not said.strip():
                open(stamps[path], "w", encoding="utf-8").close()
            else:
                bad += 1
                print(said.strip() or "%s: clang-tidy ended with %d" % (path, code))
    for old in set(os.listdir(seen)) - {os.path.basename(s) for s in stamps.values()}:
        os.unlink(os.path.join(seen, old))
    print("%d files, %d looked at, %d with warnings" % (len(stamps), len(todo), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
