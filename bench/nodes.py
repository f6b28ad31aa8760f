"""How long after an officer's answer a revocation is seen: by who asks the issuing server, and by who asks a status node beside it."""
import pathlib
import shutil
import sys
import tempfile
import time

from common import SOURCE, Postgres, row

sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
REVOCATIONS = 50


def slowest(house, node, ocsp):
    """(ms at the issuing server, ms at the node), of so many revocations the slowest."""
    import test_ocsp as t

    worst = [0.0, 0.0]
    for n in range(2 * REVOCATIONS):
        server, (number, cert) = (house, node)[n % 2], t.issue(house)
        question = t.request(t.cert_id(house.ca, cert.serial_number))
        t.until(lambda: t.ask(server, question).certificate_status == ocsp.OCSPCertStatus.GOOD)
        t.change(house, "revoke", [number])
        begun = time.monotonic()
        while t.ask(server, question).certificate_status != ocsp.OCSPCertStatus.REVOKED:
            if time.monotonic() - begun > 10:
                raise SystemExit("a revocation is not seen")
        worst[n % 2] = max(worst[n % 2], (time.monotonic() - begun) * 1000)
    return worst


def rows():
    import test_ocsp as t
    import world
    from cryptography.x509 import ocsp
    from test_status_node import Node

    folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-bench."))
    postgres, node = Postgres(), None
    url = postgres.database("nodes")
    house = world.World(folder / "house", store=url)
    try:
        house.start().make_officers().make_ca()
        house.token = house.open_session()
        house.ca = t.answer_by(house)
        anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
        house.act("officer-profile.create", {"name": "Desk", "entity_type": "dynamic-token",
                                             "roles": ["use-clients", "issue-certificate", "revoke-certificate"]}, anna, ben)
        house.officers["desk"] = house.make_officer("Desk", "Desk", anna, ben, issuer=rosa)
        node = Node(folder / "node", url).launch()
        house.act("status-node.create", {"name": "Node", "key_sha256": node.key()}, anna, ben)
        node.wait_ready()
        here, there = slowest(house, node, ocsp)
        return [row(f"revocation seen at the issuing server, slowest of {REVOCATIONS}", here, "ms", "goal", 100, "100 ms", better="less"),
                row(f"revocation seen at a status node, slowest of {REVOCATIONS}", there, "ms", "goal", 100, "100 ms", better="less")]
    finally:
        if node:
            node.stop()
        house.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
