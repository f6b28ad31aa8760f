"""A revocation list of a million entries (crl.py) beside `openssl ca -gencrl`; OCSP responses beside the library's bare signing; OCSP over HTTP
beside nginx (ocsp.py); how soon a revocation is seen (nodes.py)."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import crl
import nodes
import ocsp
from common import BUILD, PROGRAMS, call, report, row

ENTRIES = int(os.environ.get("CHANCERY_BENCH_ENTRIES", 1000000))
CONFIG = """[ca]
default_ca = one
[one]
database = index.txt
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_crl_days = 1
crl_extensions = ext
[ext]
authorityKeyIdentifier = keyid
"""


def peer(folder):
    """(seconds, MB) of the same list by openssl, from its own database."""
    (folder / "openssl.cnf").write_text(CONFIG)
    (folder / "crlnumber").write_text("01\n")
    (folder / "index.txt.attr").write_text("unique_subject = no\n")
    with open(folder / "index.txt", "w") as f:
        for i in range(ENTRIES):
            f.write(f"R\t360101000000Z\t231114221320Z,keyCompromise\t0197{i:08X}{0:020X}\tunknown\t/CN=c\n")
    call("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
         "-subj", "/CN=Issuing", "-days", "30", cwd=folder)
    begun = time.monotonic()
    p = subprocess.Popen(["openssl", "ca", "-gencrl", "-config", "openssl.cnf", "-out", "list.pem"], cwd=folder, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    assert status == 0
    return time.monotonic() - begun, used.ru_maxrss / 1024


def run(seconds, rounds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-bench."))
    try:
        took, memory = peer(folder)
        said = {}
        for line in call(BUILD / "bench" / "bench_status", PROGRAMS / "chancery-signer", folder / "signer", ENTRIES, seconds).splitlines():
            name, value = line.split()
            said.setdefault(name, []).append(float(value))
        by_server = crl.rows(folder, ENTRIES, took, memory)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = by_server + [
        row(f"list of {ENTRIES} entries, from memory to the signer", sorted(said["list_ms"])[len(said["list_ms"]) // 2], "ms", "openssl ca -gencrl", took * 1000,
            "", better="less"),
        row("memory of who builds it so", said["memory_mb"][0], "MB", "openssl ca -gencrl", memory, "flat", better="less"),
        row("memory of the signer", said["signer_memory_mb"][0], "MB", "openssl ca -gencrl", memory, "flat", better="less"),
        row("OCSP on demand, journaled and synced", said["on_demand"][0], "/s", "bare signing, one thread", said["bare"][0], "a third of two threads'"),
        row("OCSP beforehand, 200 at once", said["beforehand"][0], "/s", "bare signing, one thread", said["bare"][0], ""),
    ]
    report("status", rows + ocsp.rows(seconds, rounds) + nodes.rows())
