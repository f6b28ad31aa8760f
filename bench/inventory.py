"""Searching many certificates, on SQLite and PostgreSQL: a generator fills the store (CHANCERY_BENCH_CERTIFICATES, a million), the server
enters them for search, and an officer asks by REST over one connection. What counts is the slowest of ten askings of a page,
each for other values, on a server that has run for a while: as much of the database is in memory as fits. And how many certificates are
revoked in a second, by acts of a thousand."""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import sqlite3
import ssl
import sys
import tempfile
import time

from common import BUILD, SOURCE, Postgres, call, report, row

sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
CERTIFICATES = int(os.environ.get("CHANCERY_BENCH_CERTIFICATES", 1000000))
ISSUED = 50000  # of them the last, as the server does it
TIMES = 10
BULK = 1000


def stamp(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


# What is asked, by a number that each asking draws anew.
QUESTIONS = {
    "newest": lambda n: {},
    "serial number": lambda n: {"serial": "01%034x" % n},
    "common name": lambda n: {"common_name": f"host-{n % CERTIFICATES}.example.org"},
    "beginning of a common name": lambda n: {"common_name": f"host-{n % (CERTIFICATES // 100)}*"},
    "text, somewhere in a rare value": lambda n: {"text": f"son {n % CERTIFICATES}"},
    "text, somewhere in a common value": lambda n: {"text": "example.org"},
    "two words": lambda n: {"text": f"organisation {n % 500}"},
    "organisation": lambda n: {"organisation": f"Organisation {n % 500}"},
    "organisation, revoked, by date": lambda n: {"organisation": f"Organisation {n % 500}", "state": "revoked", "order": "since"},
    "unit and issuer": lambda n: {"organisational_unit": f"Unit {n % 500}.{n % 20}", "issuer": "CN=Issuing CA,O=Test"},
    "organisation and issuer": lambda n: {"organisation": f"Organisation {n % 500}", "issuer": "CN=Issuing CA,O=Test"},
    "unit, valid": lambda n: {"organisational_unit": f"Unit {n % 500}.{n % 20}", "state": "valid"},
    "unit, revoked": lambda n: {"organisational_unit": f"Unit {n % 500}.{n % 20}", "state": "revoked"},
    "unit, ending in a month": lambda n: {"organisational_unit": f"Unit {n % 500}.{n % 20}", "valid_to_from": stamp(n % 300),
                                          "valid_to_to": stamp(n % 300 + 31)},
    "mail address": lambda n: {"email": f"person.{n % CERTIFICATES // 4 * 4 + 3}@*"},
    "expiring in a week, by end": lambda n: {"valid_to_from": stamp(n % 300), "valid_to_to": stamp(n % 300 + 7), "order": "valid_to"},
    "revoked in a week": lambda n: {"state": "revoked", "revoked_from": stamp(-n % 900 - 7), "revoked_to": stamp(-n % 900), "order": "since"},
    "revoked, newest": lambda n: {"state": "revoked"},
    "changed in a day": lambda n: {"revoked_from": stamp(-n % 900 - 1), "revoked_to": stamp(-n % 900), "order": "since"},
    "valid, of one procedure": lambda n: {"state": "valid", "is_expired": False, "order": "valid_from"},
}


# Made behind all else: row by row it takes longer to keep these indexes than all the others.
BEFORE = {"postgresql": ["DROP INDEX search_text", "DROP INDEX search_number_grams"], "sqlite": ["DROP INDEX search_value_begin"]}
BEHIND = {"postgresql": ["SET maintenance_work_mem = '1GB'", "CREATE INDEX search_text ON search_value USING gin (value gin_trgm_ops)",
                         "CREATE INDEX search_number_grams ON search_number USING gin (grams)"],
          "sqlite": ["PRAGMA cache_size = -1000000", "CREATE INDEX search_value_begin ON search_value (substr(value, 1, 64))",
                     "INSERT INTO search_text (search_text) VALUES ('rebuild')"]}
DONE_AT_ONCE = ("verdict_todo", "certificate_todo", "value_todo")


def sql(house, url, *statements):
    if url.startswith("postgres"):
        call("psql", "-q", url, *(a for s in statements for a in ("-c", s)))
    else:
        with contextlib.closing(sqlite3.connect(house.dir / "chancery.db")) as db, db:
            for s in statements:
                db.execute(s)


def fill(house, url):
    """Stores them: most of them at once, the last as the server does it, where that is measured (rows/s stored, entered). The auditor,
    who would look at each, is told that there is nothing to do. What lies in PostgreSQL for days its autovacuum has seen."""
    made = house.issue(house.open_session(), house.csr)
    (house.folder / "one.der").write_bytes(base64.b64decode(made["certificate"]))
    ids = [house.document(kind, name) for kind, name in (("authority", "Issuing CA"), ("token-procedure", "TLS server"),
                                                        ("certificate-procedure", "TLS server"))]
    house.stop()
    postgres, many = url.startswith("postgres"), max(0, CERTIFICATES - ISSUED)
    if many:
        engine = "postgresql" if postgres else "sqlite"
        sql(house, url, *BEFORE[engine])
        call(BUILD / "bench" / "bench_inventory", "many", url, 0, many, *ids, house.folder / "one.der")
        sql(house, url, *BEHIND[engine])
    said = call(BUILD / "bench" / "bench_inventory", "issued", url, many, CERTIFICATES, *ids, house.folder / "one.der").split()
    sql(house, url, *[f"DELETE FROM {table}" for table in DONE_AT_ONCE], *["VACUUM (ANALYZE)"] * postgres)
    house.start(wait=300)
    return float(said[1]), float(said[3])


def warm(house, url):
    """Reads what the search goes by, once; the certificates themselves it does not look at."""
    files = [house.dir / "chancery.db"]
    if url:
        data = pathlib.Path(url.split("host=")[1].split("&")[0]) / "data"
        paths = call("psql", "-Atq", url, "-c", "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relkind IN ('r', 'i') AND relpages > 0 "
                     "AND relname NOT LIKE 'certificate_der%' AND relname NOT LIKE 'certificate_search%'").split()
        files = [f for p in paths for f in [data / p, *(data / p).parent.glob(pathlib.Path(p).name + ".[0-9]*")]]
    for file in files:
        with open(file, "rb", buffering=0) as f:
            while f.read(1 << 20):
                pass


def ask(house, connection, query):
    """(milliseconds, answer)"""
    begun = time.monotonic()
    connection.request("POST", "/api/v1/certificates/search", json.dumps(dict(query, limit=50)), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    took = (time.monotonic() - begun) * 1000
    if answer.status != 200:
        raise SystemExit(f"{query}: {answer.status} {body[:500]}")
    return took, json.loads(body)


def slowest(house, officer, question):
    context = ssl.create_default_context(cafile=str(house.dir / "root.pem"))
    context.load_cert_chain(officer.cert_file, officer.key_file)
    connection = http.client.HTTPSConnection("localhost", house.tls_port, timeout=120, context=context)
    ask(house, connection, {})
    took, found = [], 0
    for _ in range(TIMES):
        ms, answer = ask(house, connection, question(random.randrange(10 ** 9)))
        took.append(ms)
        found += len(answer["items"])
    connection.close()
    return max(took), sorted(took)[TIMES // 2], found / TIMES


def summary(house):
    """Milliseconds, the slowest of ten."""
    took = []
    for _ in range(TIMES):
        begun = time.monotonic()
        house.call("GET", "/api/v1/certificates/summary", officer=house.officers["anna"])
        took.append((time.monotonic() - begun) * 1000)
    return max(took)


def revoke(house, officer):
    """Certificates a second, by three acts of a thousand."""
    connection = house.call("POST", "/api/v1/certificates/search", {"state": "valid", "limit": 1000}, officer=officer)
    ids, took = [c["id"] for c in connection["items"]], 0
    after = connection.get("next")
    for _ in range(3):
        begun = time.monotonic()
        done = house.act("certificate.revoke", {"certificates": ids[:BULK], "reason": "superseded"}, officer)
        took += time.monotonic() - begun
        assert done["state"] == "done", done
        page = house.call("POST", "/api/v1/certificates/search", {"state": "valid", "limit": 1000, "after": after}, officer=officer)
        ids, after = [c["id"] for c in page["items"]], page.get("next")
    return 3 * BULK / took


def measure(engine, url, folder):
    import world

    class House(world.World):
        csr = world.make_csr(None, sans=["one.example.org"])[0]

        def document(self, kind, name):
            items = self.call("GET", f"/api/v1/documents/{kind}", officer=self.officers["anna"])["items"]
            return next(d["id"] for d in items if d["name"] == name)

    house = House(folder / engine, store=url)
    house.start().make_officers().make_ca()
    try:
        stored, entered = fill(house, url or f"sqlite:{house.dir}/chancery.db")
        rows = [row(f"{engine}: rows stored", stored, "/s", "", None, ""),
                row(f"{engine}: rows entered for search", entered, "/s", "", None, "")]
        warm(house, url)
        for name, question in QUESTIONS.items():
            worst, median, found = slowest(house, house.officers["rosa"], question)
            print(f"{engine:11} {name:40} median {median:8.2f} ms, slowest {worst:8.2f} ms, {found:.0f} on the page", flush=True)
            rows.append(row(f"{engine}: {name}", worst, "ms", "goal", 10, "10 ms", better="less"))
        rows.append(row(f"{engine}: summary", summary(house), "ms", "goal", 50, "50 ms", better="less"))
        rows.append(row(f"{engine}: revocations, durable", revoke(house, house.officers["rosa"]), "/s", "goal", 10000, "10,000/s"))
        return rows
    finally:
        house.stop()


def run(seconds, rounds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-bench."))
    postgres = Postgres()
    try:
        rows = measure("SQLite", None, folder) + measure("PostgreSQL", postgres.database("inventory"), folder)
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{CERTIFICATES} certificates")
    report("inventory", rows)
