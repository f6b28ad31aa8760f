"""A list of a million entries by the server, on its own database: gathered as a whole, and made anew after each of several revocations.
The figures are what the server says of a list that it has built, from when it is begun until it is in force."""
import re
import sqlite3
import sys
import time

from common import SOURCE, row

sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
REBUILDS = 9


def fill(house, entries):
    """Of the only authority's certificates so many are revoked, as the store has them."""
    with sqlite3.connect(house.dir / "chancery.db") as db:
        issuer, seq = db.execute("SELECT issuer, max(seq) FROM certificate_status GROUP BY issuer").fetchone()
        now = int(time.time() * 1000)
        db.executemany("INSERT INTO certificate_status (id, issuer, serial, state, reason, at, invalid_at, not_after, seq, leaf) "
                       "VALUES (?, ?, ?, 2, 1, ?, 0, ?, ?, 0)",
                       ((i + 1, issuer, (2**120 + i * 7919).to_bytes(16, "big"), now - 10**10 + i * 1000, now + 10**10, seq + 1 + i)
                        for i in range(entries)))
        db.execute("UPDATE status_seq SET value = value + ? WHERE issuer = ?", (entries, issuer))
    db.close()


def built(house, number):
    """{"ms", "shared", ...} of the list of this number."""
    for _ in range(3000):
        for line in house.log.read_text().splitlines():
            if "crl.built" in line and f" number={number} " in line:
                return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
        time.sleep(0.02)
    raise SystemExit("the list was not built\n" + house.log.read_text()[-2000:])


def most(house, program):
    """The most memory that it ever had resident, in MB."""
    pid, = house.pids(program)
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


def rows(folder, entries, took, memory):
    """took, memory: of the peer, in seconds and MB."""
    import test_crl
    import world

    house = world.World(folder / "house")
    house.start().make_officers().make_ca()
    try:
        test_crl.make_desk(house)
        certificates = [test_crl.issue(house, f"c{i}")[0] for i in range(REBUILDS + 1)]
        test_crl.change(house, "revoke", certificates[:1])
        house.stop()
        fill(house, entries)
        house.start()
        procedure = test_crl.procedure(house, "big", interval="P7D")
        whole, again = built(house, 1), []
        for i in range(REBUILDS):
            test_crl.change(house, "revoke", [certificates[1 + i]])
            test_crl.build(house, procedure)
            again.append(built(house, 2 + i))
            assert again[-1]["entries"] == entries + 2 + i, again[-1]
        peer = ("openssl ca -gencrl", took * 1000)
        return [row(f"list of {entries} entries, by the server, as a whole", whole["ms"], "ms", *peer, "", better="less"),
                row("the same, made anew after a revocation", sorted(x["ms"] for x in again)[REBUILDS // 2], "ms", *peer, "100 ms", better="less"),
                row("memory of the factory", most(house, "chancery-factory"), "MB", peer[0], memory, "flat", better="less")]
    finally:
        house.stop()
