"""OCSP over HTTP, the whole way: answers that are signed ahead, by GET and POST, beside nginx serving a static file of the same size,
and beside cfssl ocspserve, which has the very same answers; answers signed on demand, with a nonce, beside the library's bare signatures
on all cores. All are measured in turn, round by round, and the others stand still meanwhile; the median of the quiet rounds counts."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import tempfile
import time
import urllib.parse
import urllib.request

from common import RESULTS, SOURCE, Server, call, free_port, median_of, quiet_rounds, row
from issue import Ours, make_requests, openssl_speed

CERTIFICATES = 2000
CONNECTIONS = 32
MANY = 512  # an answer with a nonce waits for a sync: a few clients cannot keep both cores at work meanwhile
PAIRS = 3  # times the rounds: the ratio with the nearest goal, of two that a busy host slows differently


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = (n.bit_length() + 7) // 8
    return bytes([tag]) + (bytes([n]) if n < 0x80 else bytes([0x80 | size]) + n.to_bytes(size, "big")) + body


def ocsp_request(issuer, serial, nonce=None):
    """issuer: (hash of the name, hash of the key), SHA-1; serial: the INTEGER's octets."""
    one = tlv(0x30, tlv(0x30, tlv(6, bytes.fromhex("2b0e03021a")), tlv(5)), tlv(4, issuer[0]), tlv(4, issuer[1]), tlv(2, serial))
    more = b""
    if nonce:
        more = tlv(0xa2, tlv(0x30, tlv(0x30, tlv(6, bytes.fromhex("2b0601050507300102")), tlv(4, tlv(4, nonce)))))
    return tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x30, one)), more))


class Nginx:
    def __init__(self, folder, content):
        self.port = free_port()
        (folder / "www").mkdir(parents=True)
        (folder / "www" / "answer.der").write_bytes(content)
        os.chmod(folder, 0o755)
        conf = folder / "nginx.conf"
        conf.write_text("""
daemon off; worker_processes 2; pid %(f)s/pid; error_log %(f)s/error.log;
%(user)s
events { worker_connections 512; }
http {
	types { application/ocsp-response der; }
	access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; open_file_cache max=10;
	client_body_temp_path %(f)s/b; proxy_temp_path %(f)s/p; fastcgi_temp_path %(f)s/c; uwsgi_temp_path %(f)s/u; scgi_temp_path %(f)s/s;
	server { listen 127.0.0.1:%(port)d; root %(f)s/www; }
}
""" % {"f": folder, "port": self.port, "user": "user root;" if os.getuid() == 0 else ""})
        self.url = "http://127.0.0.1:%d/answer.der" % self.port
        self.server = Server(["nginx", "-c", conf, "-p", folder], folder / "log")
        self.server.wait_for(self.url)


class Cfssl:
    """The same answers by `cfssl ocspserve`, from a file that it reads into memory when it starts (a line each). By POST: to RFC 5019's GET
    this version says 400, with base64 escaped or not."""

    def __init__(self, folder, answers):
        (folder / "answers").write_text("".join(base64.b64encode(a).decode() + "\n" for a in answers))
        port = free_port()
        self.url = "http://127.0.0.1:%d" % port
        self.server = Server(["cfssl", "ocspserve", "-port", port, "-responses", folder / "answers", "-loglevel", 5], folder / "cfssl.log")
        self.server.wait_for(self.url)


def wrk(url, seconds, kind, lines=None, connections=CONNECTIONS):
    env = dict(os.environ, BENCH_KIND=kind, BENCH_LINES=str(lines or ""))
    said = call("wrk", "-t1", "-c%d" % connections, "-d%gs" % seconds, "--timeout", "10s", "-s", SOURCE / "bench/ocsp.lua", url, env=env)
    return json.loads(said.strip().splitlines()[-1])


def fetch(url, body=None):
    headers = {"Content-Type": "application/ocsp-request"} if body else {}
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=10) as r:
        return r.read()


def rows_of(ours, question, *values):
    with sqlite3.connect("file:%s?mode=ro" % next(ours.folder.rglob("*.db")), uri=True) as db:
        return db.execute(question, values).fetchall()


def wait_for_rest(ours):
    """Until what is done behind issuing is over: it is not what is measured."""
    left = "SELECT (SELECT count(*) FROM value_todo) + (SELECT count(*) FROM certificate_todo) + (SELECT count(*) FROM verdict_todo)"
    for _ in range(1800):
        if rows_of(ours, left) == [(0,)]:
            return
        time.sleep(0.1)
    raise SystemExit("certificates are still entered for search, or judged")


def issue_some(ours):
    while True:
        ours.measure(32, 1)
        rows = rows_of(ours, "SELECT serial FROM certificate WHERE certificate_procedure <> 0 AND token_procedure <> 0 "
                             "ORDER BY id DESC LIMIT ?", CERTIFICATES)
        if len(rows) == CERTIFICATES:
            return [bytes(r[0]) for r in rows]


def issuer_of(ours):
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    der = rows_of(ours, "SELECT d.der FROM certificate c JOIN certificate_der d ON d.id = c.id WHERE c.authority <> 0 "
                        "ORDER BY c.id DESC LIMIT 1")[0][0]
    ca = x509.load_der_x509_certificate(bytes(der))
    bits = ca.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return hashlib.sha1(ca.subject.public_bytes()).digest(), hashlib.sha1(bits).digest()


def set_up(folder):
    ours = Ours(folder / "ours", None, make_requests(RESULTS / "requests.json"))
    ours.say("authority", "modify", "CA", "--ocsp")
    serials, issuer = issue_some(ours), issuer_of(ours)
    plain = [ocsp_request(issuer, s) for s in serials]
    url = "http://%s/ocsp" % ours.plain
    for _ in range(600):
        answer = fetch(url, plain[0])
        if len(answer) > 5:
            break
        time.sleep(0.1)
    wait_for_rest(ours)
    answers = [fetch(url, der) for der in plain]  # all of them are in memory before anything is measured
    (folder / "paths").write_text("".join("/ocsp/%s\n" % urllib.parse.quote(base64.b64encode(d).decode(), safe="") for d in plain))
    (folder / "posts").write_text("".join(d.hex() + "\n" for d in plain))
    (folder / "nonces").write_text("".join(ocsp_request(issuer, s, os.urandom(32)).hex() + "\n" for s in serials))
    return ours, url, answers


def one_round(ours, nginx, cfssl, url, folder, seconds):
    found = {}
    nginx.server.rest()
    cfssl.server.rest()
    found["get"] = wrk(url, seconds, "GET", folder / "paths")
    found["post"] = wrk(url, seconds, "POST", folder / "posts")
    found["nonce"] = wrk(url, seconds, "POST", folder / "nonces")
    ours.server.rest()
    nginx.server.go()
    found["nginx"] = wrk(nginx.url, seconds, "GET")
    nginx.server.rest()
    cfssl.server.go()
    found["cfssl"] = wrk(cfssl.url, seconds, "POST", folder / "posts")
    ours.server.go()
    nginx.server.go()
    return found


def by_what(measured):
    return {what: [m[what] for m in measured] for what in measured[0]}


def one_pair(ours, url, folder, seconds):
    many = wrk(url, seconds, "POST", folder / "nonces", MANY)
    ours.server.rest()
    raw = openssl_speed()
    ours.server.go()
    return {"many": many, "raw": raw}


def rows(seconds, rounds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-bench."))
    os.chmod(folder, 0o755)
    servers = []
    try:
        ours, url, answers = set_up(folder)
        servers.append(ours.server)
        nginx = Nginx(folder / "nginx", answers[0])
        servers.append(nginx.server)
        cfssl = Cfssl(folder, answers)
        servers.append(cfssl.server)
        found = by_what(quiet_rounds(rounds, lambda: one_round(ours, nginx, cfssl, url, folder, seconds)))
        nginx.server.rest()
        cfssl.server.rest()
        found |= by_what(quiet_rounds(PAIRS * rounds, lambda: one_pair(ours, url, folder, seconds)))
        bad = sum(m.get("errors", 0) for runs in found.values() for m in runs)
        if bad:
            raise SystemExit("%d errors" % bad)
        rate = {what: median_of(runs, "rate") for what, runs in found.items()}
        size = "nginx, file of %d bytes" % len(answers[0])
        return [
            row("pre-signed OCSP by GET, %d connections" % CONNECTIONS, rate["get"], "/s", size, rate["nginx"], ">= 0.9"),
            row("pre-signed OCSP by POST, %d connections" % CONNECTIONS, rate["post"], "/s", size, rate["nginx"], ">= 0.9"),
            row("the same", rate["post"], "/s", "cfssl ocspserve 1.2", rate["cfssl"], ""),
            row("OCSP signed on demand with nonce, %d connections" % CONNECTIONS, rate["nonce"], "/s", "bare P-256 signatures",
                rate["raw"], ""),
            row("the same, %d connections" % MANY, rate["many"], "/s", "bare P-256 signatures", rate["raw"], ">= 0.33"),
        ]
    finally:
        for s in servers:
            s.stop()
        shutil.rmtree(folder, ignore_errors=True)
