"""How long a policy of 10,000 certificate procedures takes to come into force, beside reading the same rows, and its size in memory."""
import json
import pathlib
import re
import shutil
import sqlite3
import sys
import tempfile

from common import SOURCE, report, row

sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
MANY = 10000


def put(house, bodies):
    """Straight into the tables: signing 10,000 documents is another measurement."""
    db = sqlite3.connect(house.dir / "chancery.db")
    rows = [(10 ** 12 + i, b["name"], json.dumps(b)) for i, b in enumerate(bodies)]
    db.execute("UPDATE document_stamp SET value = value + 1")
    for table in ("document", "document_current"):
        db.execute(f"DELETE FROM {table} WHERE id >= ? AND id < ?", (10 ** 12, 10 ** 12 + MANY))
    db.executemany("INSERT INTO document (id, version, kind, name, state, domain, body, at, request_id, stamp) SELECT ?, 1, "
                   "'certificate-procedure', ?, 'active', 0, ?, 1790000000000, 0, value FROM document_stamp", rows)
    db.executemany("INSERT INTO document_current (id, kind, name, state, domain, version) VALUES (?, 'certificate-procedure', ?, "
                   "'active', 0, 1)", [r[:2] for r in rows])
    db.commit()
    db.close()


def loaded(house, bodies):
    house.stop()
    put(house, bodies)
    house.start(wait=120)
    line = re.findall(r"policy.in-force.*", house.log.read_text())[-1]
    return {name: int(re.search(rf'\b{name}"?[=:] ?(\d+)', line)[1]) for name in ("documents", "octets", "judged", "read_us", "us")}


def run(seconds, rounds):
    import world
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-bench."))
    house = world.World(folder / "house")
    rows = []
    try:
        house.start().make_officers().make_ca()
        items = house.call("GET", "/api/v1/documents/certificate-procedure", officer=house.officers["anna"])["items"]
        body = next(d["body"] for d in items if d["name"] == "TLS server")
        for what, more in (("alike", lambda i: {}), ("all different", lambda i: {"ocsp_urls": [f"http://ocsp-{i}.example"]})):
            best = min((loaded(house, [dict(body, name=f"P{i}", **more(i)) for i in range(MANY)]) for _ in range(rounds)),
                       key=lambda m: m["us"])
            rows.append(row(f"{MANY} procedures, {what}: in force", best["us"] / 1000, "ms", "reading the rows",
                            best["read_us"] / 1000, "below 1000 ms", better="less"))
            rows.append(row(f"{MANY} procedures, {what}: in memory", best["octets"] / 1e6, "MB", "", None, ""))
            print(f"{what}: {best['judged']} samples judged")
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)
    report("policy", rows)
