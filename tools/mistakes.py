"""Greps for mistakes that were made once, or that hurt elsewhere; sizes; names that do not belong in a public project.

Each mistake is one line of the table: where it is looked for, what it looks like, what to do instead. A line that has a
reason to do it anyway ends with the comment `lint: REASON`.
"""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIP = re.compile(r"^(build[^/]*|\.git|web/node_modules|.*__pycache__)$")
EXCUSED = re.compile(r"lint: \w+")
LINES_MAX, TEST_LINES_MAX = 800, 1000  # a test's tables of cases are long, and read from top to bottom
C = r"\.[ch]$"
SLOW = "|".join(["d2i_X509", "d2i_X509_REQ", "X509_set_pubkey", "d2i_PUBKEY", "X509_sign", "X509_REQ_verify",
                 "EVP_MD_CTX_copy_ex"])

MISTAKES = [
    # (paths, but not, pattern, what to do)
    (r"^src/.*" + C, None, r"\balloca\s*\(", "an array of a known size, or the arena"),
    (r"^src/.*" + C, None, r"\bmalloc\s*\([^()]*\*|\brealloc\s*\(.*\*\s*sizeof",
     "arena_array, calloc or reallocarray: the product may overflow"),
    (r"^src/.*\.c$", r"^src/(crypto/(judge|chain|cms|p12|softkey|tls|key|foreign|x509)|gateway/)", r"\b(?:%s)\s*\(" % SLOW,
     "our own parser and EVP_PKEY_fromdata: 100 us a call on the hot path"),
    (r"^src/.*" + C, r"^src/base/clock\.c$", r"\b(?:time|gettimeofday|ftime)\s*\(\s*(?:NULL|&|0)", "clock_now_ms, or an argument"),
    (r"^src/.*" + C, r"^src/base/clock\.c$", r"\b(?:localtime(?:_r)?|gmtime|mktime|asctime|ctime)\s*\(", "civil_of"),
    (r"^src/.*" + C, None, r"\b(?:rand|srand|random|drand48)\s*\(", "rand_bytes of crypto/rand.h"),
    (r"^src/.*" + C, None, r"\b(?:system|popen)\s*\(", "fork and execve"),
    (r"^src/.*" + C, None, r"\bstrerror_r\b|\bgetenv\s*\(\s*[a-z]", "a literal name"),
    (r"^src/.*" + C, None, r"\bsscanf\s*\(|\bscanf\s*\(", "text_cut and int_parse"),
    (r"^src/.*" + C, None, r"\bmemcmp\s*\([^;\"]*\b(?:secret|hmac|password|token)s?\b(?!\")", "bytes_eq_secret: memcmp tells by its time"),
    (r"^src/.*" + C, None, r"#\s*pragma\s+GCC\s+diagnostic ignored(?! \"-Wdeprecated-decl)", "mend the cause"),
    (r"^src/(?:base|pki|crypto|model|policy|store)/.*\.c$", r"^src/base/log\.c$", r"\bLOG\s*\(|\blog_write\s*\(",
     "libraries fill in a struct err, they never log"),
    (r"^(?:src|tests|bench)/.*" + C, None, r"\b(?:TODO|FIXME|XXX)\b|not implemented", "do it, or say it in an error"),
    (r"^(?:src|tests|tools|bench|docs|dev|[A-Z]+\.md)", r"^tools/mistakes\.py$",
     r"/(?:wor[k]|tm[p]/wt|tm[p]/brief)/|https?://(?:deb|registry)\.", "names of a workplace do not belong in the project"),
]


def sources():
    for root, dirs, names in os.walk(TOP):
        here = os.path.relpath(root, TOP)
        dirs[:] = sorted(d for d in dirs if not SKIP.match(os.path.normpath(os.path.join(here, d))))
        for name in sorted(names):
            path = os.path.normpath(os.path.join(here, name))
            if not path.startswith("tests/fuzz/corpus/") and not os.path.islink(os.path.join(TOP, path)):
                yield path


def read(path):
    try:
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            return f.read()
    except UnicodeDecodeError:
        return ""


def mistakes_in(path, text):
    for paths, but_not, pattern, instead in MISTAKES:
        if not re.search(paths, path) or (but_not and re.search(but_not, path)):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(pattern, line) and not EXCUSED.search(line):
                yield "%s:%d: %s\n    instead: %s" % (path, number, line.strip(), instead)


def size_of(path, text):
    lines, most = text.count("\n"), TEST_LINES_MAX if path.startswith("tests/") else LINES_MAX
    if re.match(r"(src|tests|tools|bench)/.*\.(c|h|py|sh)$", path) and lines > most:
        yield "%s: %d lines, the limit is %d" % (path, lines, most)


def main():
    wrong, n = [], 0
    for path in sources():
        text = read(path)
        n += 1
        wrong += [*mistakes_in(path, text), *size_of(path, text)]
    print("\n".join(wrong) if wrong else "%d files, none of %d mistakes" % (n, len(MISTAKES)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
