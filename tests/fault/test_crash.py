"""Processes die at every named point and at random; nothing that a client was told is lost, nothing is issued twice."""
import base64
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter

import pytest
from cryptography import x509

import world
from world import Refused, make_csr

POINTS = ["factory.before-sign", "factory.after-sign", "factory.before-commit", "store.before-begin", "store.before-commit",
          "store.after-commit", "factory.after-commit", "signer.after-read", "signer.after-sign", "signer.after-append",
          "signer.after-sync", "signer.after-answer"]


def insist(house, token, csr, key, until):
    """As a good client does: the same request with the same key until there is an answer."""
    while time.monotonic() < until:
        try:
            return house.issue(token, csr, key=key)["certificate"]
        except Refused as e:
            assert e.status in (429, 502, 503, 504), e
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{key}: no answer; " + house.log.read_text()[-2000:])


def certificates_of(house, suffix):
    """All stored certificates whose subject or name ends so, by DER."""
    found, after = [], 0
    while True:
        page = house.call("GET", f"/api/v1/certificates?limit=1000&after={after}", officer=house.officers["anna"])
        for item in page["items"]:
            if suffix in item["subject"]:
                der = house.raw("GET", f"/api/v1/certificates/{item['id']}", officer=house.officers["anna"],
                                headers={"Accept": "application/pkix-cert"})[2]
                found.append(base64.b64encode(der).decode())
        if page["next"] is None:
            return found
        after = page["next"]


def account(house, told, suffix):
    """What clients were told, the store, the signer's journal and the journal's tree all say the same."""
    stored = certificates_of(house, suffix)
    assert Counter(stored) == Counter(told.values()), f"{len(stored)} stored, {len(told)} told"
    serials = [x509.load_der_x509_certificate(base64.b64decode(d)).serial_number for d in stored]
    assert len(set(serials)) == len(serials)
    report = house.call("GET", "/api/v1/journal/reconciliation", officer=house.officers["anna"])
    assert report["missing_in_store"] == 0 and report["certificates"] > 0
    assert "auditor.disagreement" not in house.log.read_text(), [l for l in house.log.read_text().splitlines() if "disagreement" in l]
    export = house.folder / "export.jsonl"
    export.write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--file", export, "--root", house.dir / "root.pem"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point(house, point):
    """rows=CM-I-21"""
    slug = point.replace(".", "-")
    token = house.open_session()
    requests = {f"{slug}-{i}": make_csr(f"{slug}-{i}.example.org", sans=[f"{slug}-{i}.example.org"])[0] for i in range(12)}
    house.stop()
    mark = len(house.log.read_text())
    # in the signer's own folder, the only place where its sandbox lets it write
    house.start(CHANCERY_FAULT=f"{point}@7=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / slug))
    try:
        until = time.monotonic() + 60
        told = {key: insist(house, token, csr, key, until) for key, csr in requests.items()}
        house.wait_killed(mark)
        # the same again: each key still has its certificate
        for key, csr in requests.items():
            assert insist(house, token, csr, key, until) == told[key]
    finally:
        house.stop()
        house.start()
    account(house, told, slug + "-")


def test_killed_at_random_under_load(sqlite_house):
    """200 kills of whichever process, four clients: nothing lost, nothing twice."""
    house, told, stop = sqlite_house, {}, threading.Event()
    kills = int(os.environ.get("CHANCERY_TEST_KILLS", "200"))
    token = house.open_session()
    random.seed(7)
    begun = time.monotonic()

    def client(n):
        i = 0
        while not stop.is_set():
            key = f"random-{n}-{i}"
            csr = make_csr(f"{key}.example.org", sans=[f"{key}.example.org"])[0]
            told[key] = insist(house, token, csr, key, begun + 600)  # unlucky for as long as there are kills
            i += 1

    clients = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(4)]
    for c in clients:
        c.start()
    done = 0
    while done < kills and time.monotonic() - begun < 500:
        time.sleep(random.uniform(0.02, 0.4))
        children = house.pids()[1:]
        if children:
            try:
                os.kill(random.choice(children), signal.SIGKILL)
                done += 1
            except ProcessLookupError:
                pass
    stop.set()
    end = time.monotonic() + 90
    for c in clients:
        c.join(max(0, end - time.monotonic()))
    assert not any(c.is_alive() for c in clients), "no answer though nobody is killed any more"
    assert done == kills, f"only {done} kills in the time, {len(told)} certificates"
    house.wait_ready(60)
    account(house, told, "random-")
