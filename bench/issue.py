"""Durable issuance by REST, on SQLite and PostgreSQL, at 1, 8 and 32 connections, plain and TLS, beside cfssl on the same
requests and databases, and `openssl speed`. All are measured in turn, round by round, so that what else the machine does
hits all alike, and the others stand still meanwhile; the median of the rounds counts. A third installation of ours has its
database and its signer's journal on a file system in memory: the same path, but that nothing is ever brought to a disk."""
import json
import os
import pathlib
import re
import shutil
import tempfile

from common import (PROGRAMS, RESULTS, Postgres, Server, call, free_port, median_of, report, row, wrk)

REQUESTS = 3000
CONNECTIONS = [1, 8, 32]
MEMORY = "memory"


def both(one, two):
    return ["--officer", one + ".p12", "--pin-file", one + ".pin", "--co-officer", two + ".p12", "--co-pin-file", two + ".pin"]


BOOT = both("officers/boot-1", "officers/boot-2")
BOTH = both("anna", "ben")


def make_requests(path):
    """PKCS#10 requests of different P-256 keys with two DNS names, kept from run to run."""
    if path.exists():
        return json.loads(path.read_text())
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    made = []
    for i in range(REQUESTS):
        name = "host%d.example.org" % i
        builder = x509.CertificateSigningRequestBuilder().subject_name(
            x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName("www." + name)]), False)
        csr = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        made.append(csr.public_bytes(serialization.Encoding.PEM).decode())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made))
    return made


def write_bodies(path, requests, body):
    path.write_text("".join(json.dumps(body(r)) + "\n" for r in requests))
    return path


class Ours:
    """An installation with a software P-256 CA, and an issuing session."""

    def __init__(self, folder, store_url, requests):
        self.folder = folder
        self.tls, self.plain = ("127.0.0.1:%d" % free_port() for _ in range(2))
        call(PROGRAMS / "chancery", "setup", folder, "--organisation", "Bench", "--tls", self.tls, "--plain", self.plain,
             *(["--store", store_url] if store_url else []))
        self.server = Server([PROGRAMS / "chancery", "serve", "--config", folder / "chancery.ini"], folder / "log")
        self.server.wait_for("http://%s/readyz" % self.plain)
        self.make_officers()
        self.say("ca-key", "create", "--name", "Key", "--algorithm", "p-256", "--place", "software")
        self.say("authority", "create", "--name", "CA", "--type", "root", "--ca-key", "Key", "--subject", "CN=Bench CA",
                 "--format", "CA certificate", "--validity", "P10Y")
        self.say("certificate-procedure", "create", "--name", "Server", "--authority", "CA", "--format", "TLS server",
                 "--key-usage", "digitalSignature", "--extended-key-usage", "serverAuth", "--validity", "P90D")
        self.say("token-procedure", "create", "--name", "Server", "--storage-profile", "pkcs10",
                 "--certificate-procedures", "Server")
        self.chancery(*BOTH[:4], "issuing-session", "open", "--procedure", "Server", "--max", "10000000", "--out", "token")
        self.token = (folder / "token").read_text().strip()
        self.bodies = write_bodies(folder / "bodies", requests,
                                   lambda r: {"token_procedure": "Server", "request": r})

    def chancery(self, *args):
        return call(PROGRAMS / "chancery", "--server", "https://" + self.tls, "--ca", "root.pem", *args, cwd=self.folder)

    def say(self, *args):
        return self.chancery(*BOTH, *args)

    def make_officers(self):
        """Officers of its own: nothing is produced before those of the boot ceremony are closed."""
        for name in ("anna", "ben"):
            pin, p12 = self.folder / (name + ".pin"), self.folder / (name + ".p12")
            pin.write_text("bench-%s" % name)
            call("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
                 "-subj", "/CN=" + name, "-out", name + ".csr", cwd=self.folder)
            self.chancery(*BOOT[:4], "certificate", "issue", "--procedure", "Officer", name + ".csr", "--out", name + ".pem")
            call("openssl", "pkcs12", "-export", "-inkey", name + ".key", "-in", name + ".pem", "-passout", "file:%s" % pin,
                 "-out", p12, cwd=self.folder)
            self.chancery(*BOOT, "officer", "create", "--name", name, "--profile", "Boot officer", "--certificate-file", name + ".pem")
        for n in "12":
            self.say("officer", "close", "Boot officer " + n)

    def measure(self, connections, seconds, tls=False):
        url = ("https://" + self.tls if tls else "http://" + self.plain) + "/api/v1/certificates"
        return wrk(url, self.bodies, connections, seconds, self.token)

    def issued(self):
        return int(re.search(r"^issued +(\d+)", self.chancery(*BOTH[:4], "status"), re.M)[1])


CERTDB = """
CREATE TABLE certificates (serial_number {b} NOT NULL, authority_key_identifier {b} NOT NULL, ca_label {b},
  status {b} NOT NULL, reason int, expiry {t}, revoked_at {t}, pem {b} NOT NULL,
  PRIMARY KEY (serial_number, authority_key_identifier));
CREATE TABLE ocsp_responses (serial_number {b} NOT NULL, authority_key_identifier {b} NOT NULL, body {b} NOT NULL,
  expiry {t}, PRIMARY KEY (serial_number, authority_key_identifier),
  FOREIGN KEY (serial_number, authority_key_identifier)
  REFERENCES certificates (serial_number, authority_key_identifier));
"""


class Cfssl:
    """cfssl serve with its certificate database and a P-256 CA."""

    def __init__(self, folder, postgres, requests):
        folder.mkdir()
        (folder / "ca.json").write_text(json.dumps({"CN": "Bench CA", "key": {"algo": "ecdsa", "size": 256}}))
        made = json.loads(call("cfssl", "gencert", "-initca", folder / "ca.json"))
        (folder / "ca.pem").write_text(made["cert"])
        (folder / "ca.key").write_text(made["key"])
        (folder / "config.json").write_text(json.dumps({"signing": {"default": {
            "usages": ["digital signature", "server auth"], "expiry": "2160h"}}}))
        (folder / "db.json").write_text(json.dumps(self.database(folder, postgres)))
        self.address = "127.0.0.1:%d" % free_port()
        self.server = Server(["cfssl", "serve", "-address", "127.0.0.1", "-port", self.address.split(":")[1],
                              "-ca", folder / "ca.pem", "-ca-key", folder / "ca.key", "-config", folder / "config.json",
                              "-db-config", folder / "db.json", "-loglevel", "4"], folder / "log", cwd=folder)
        self.server.wait_for("http://%s/" % self.address)
        self.bodies = write_bodies(folder / "bodies", requests, lambda r: {"certificate_request": r})

    @staticmethod
    def database(folder, postgres):
        if postgres:
            url = postgres.database("cfssl")
            call("psql", "-q", url, "-c", CERTDB.format(b="bytea", t="timestamptz"))
            return {"driver": "postgres",
                    "data_source": "host=%s user=chancery dbname=cfssl sslmode=disable" % postgres.host}
        call("sqlite3", folder / "certs.db", CERTDB.format(b="blob", t="timestamp"))
        return {"driver": "sqlite3", "data_source": str(folder / "certs.db")}

    def measure(self, connections, seconds, tls=False):
        return wrk("http://%s/api/v1/cfssl/sign" % self.address, self.bodies, connections, seconds)


def openssl_speed():
    """P-256 signatures a second on all cores."""
    said = call("openssl", "speed", "-seconds", "2", "-multi", str(os.cpu_count()), "ecdsap256")
    return {"rate": float(re.findall(r"256 bits ecdsa.* ([\d.]+) +[\d.]+\s*$", said, re.M)[-1])}


def measure_one(found, number, name_and_database, server, seconds):
    name, database = name_and_database
    for connections in [CONNECTIONS[-1]] if database == MEMORY else CONNECTIONS:
        for tls in [False, True] if name == "ours" and database != MEMORY else [False]:
            got = server.measure(connections, seconds, tls)
            found.setdefault((name, database, connections, tls), []).append(got)
            print("round %d  %-6s %-10s %2d connections %-5s %8.0f/s  p50 %7.3f ms  p99 %8.3f ms%s" % (
                number + 1, name, database, connections, "TLS" if tls else "plain", got["rate"], got["p50_ms"],
                got["p99_ms"], "  %d errors" % got["errors"] if got["errors"] else ""), flush=True)


def measure_all(servers, seconds, rounds):
    """{(name, database, connections, tls): [measurements]}"""
    found = {}
    for server in servers.values():
        server.server.rest()
    for number in range(rounds):
        for key, server in servers.items():
            server.server.go()
            measure_one(found, number, key, server, seconds)
            server.server.rest()
        found.setdefault("openssl", []).append(openssl_speed())
    for server in servers.values():
        server.server.go()
    return found


def rows_of(found):
    rows = []
    speed = median_of(found["openssl"], "rate")
    for database in ["SQLite", "PostgreSQL"]:
        for connections in CONNECTIONS:
            ours, tls, peer = (found[key] for key in [("ours", database, connections, False),
                                                      ("ours", database, connections, True),
                                                      ("cfssl", database, connections, False)])
            what = "issue, %s, %d connection%s" % (database, connections, "" if connections == 1 else "s")
            rows.append(row(what, median_of(ours, "rate"), "/s", "cfssl 1.2, " + database, median_of(peer, "rate"),
                            "ratio 10" if connections == 32 else ""))
            rows.append(row(what + ", TLS", median_of(tls, "rate"), "/s", "the same, plain", median_of(ours, "rate"),
                            "ratio 0.8"))
            if connections == 1:
                rows.append(row(what + ", median", median_of(ours, "p50_ms"), "ms", "cfssl 1.2, " + database,
                                median_of(peer, "p50_ms"), "0.5 ms", better="less"))
            rows.append(row(what + ", 99th percentile", median_of(ours, "p99_ms"), "ms", "cfssl 1.2, " + database,
                            median_of(peer, "p99_ms"), "", better="less"))
        rows.append(row("issue, %s, 32 connections, of no persistence" % database,
                        median_of(found["ours", database, 32, False], "rate"), "/s", "the same in memory",
                        median_of(found["ours", MEMORY, 32, False], "rate"), "ratio 0.65"))
        rows.append(row("issue, %s, 32 connections, of raw signatures" % database,
                        median_of(found["ours", database, 32, False], "rate"), "/s", "openssl speed, all cores", speed, ""))
    return rows


def check(servers, found):
    """Every answer that a client was given is in the store, and nothing failed."""
    for (name, database), server in servers.items():
        told = sum(m["answers"] - m["errors"] for key, ms in found.items() if key[:2] == (name, database) for m in ms)
        errors = sum(m["errors"] for key, ms in found.items() if key[:2] == (name, database) for m in ms)
        if name == "ours":
            print("ours, %s: clients were told of %d certificates, %d are stored, %d errors" % (
                database, told, server.issued(), errors))
        elif errors:
            print("cfssl, %s: %d errors" % (database, errors))


def run(seconds, rounds):
    requests = make_requests(RESULTS / "requests.json")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-bench."))
    memory = pathlib.Path(tempfile.mkdtemp(prefix="chancery-bench.", dir="/dev/shm"))
    postgres, servers = Postgres(), {}
    try:
        servers["ours", "SQLite"] = Ours(folder / "ours-sqlite", None, requests)
        servers["ours", "PostgreSQL"] = Ours(folder / "ours-postgres", postgres.database("ours"), requests)
        servers["ours", MEMORY] = Ours(memory / "ours", None, requests)
        servers["cfssl", "SQLite"] = Cfssl(folder / "cfssl-sqlite", None, requests)
        servers["cfssl", "PostgreSQL"] = Cfssl(folder / "cfssl-postgres", postgres, requests)
        found = measure_all(servers, seconds, rounds)
        check(servers, found)
    finally:
        for server in servers.values():
            server.server.stop()
        postgres.stop()
        for scratch in (folder, memory):
            shutil.rmtree(scratch, ignore_errors=True)
    report("issue", rows_of(found))
