"""What the house stands on goes away and comes back: the database, a token, the disk, the time, the signer."""
import base64
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509

import world
from cli import Cli
from fixtures import SoftHsm, postgres
from test_crash import account, insist
from world import Refused, make_csr, until


def csr_for(name):
    return make_csr(name, sans=[name])[0]


def load(house, token, prefix, clients, told, stop):
    """Clients that issue until told to stop, each request insisted on."""
    def client(n):
        i = 0
        while not stop.is_set():
            key = f"{prefix}{n}-{i}"
            told[key] = insist(house, token, csr_for(f"{key}.example.org"), key, time.monotonic() + 180)
            i += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for t in threads:
        t.start()
    return threads


def refused_issue(house, token, name, key):
    csr = csr_for(name)
    with pytest.raises(Refused) as e:
        house.issue(token, csr, key=key)
    assert e.value.status == 503 and e.value.code and e.value.problem["detail"], e.value
    return e.value, csr


def start_postgres(data):
    """The same cluster again, as tools/with-postgres had started it."""
    bin_ = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    command = ["setpriv", "--pdeathsig", "INT"]
    if os.getuid() == 0:
        command += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    home = str(Path(data).parent)
    p = subprocess.Popen(command + [bin_ / "postgres", "-D", data, "-k", home, "-c", "listen_addresses=", "-c",
                                    "unix_socket_permissions=0700", "-c", "max_connections=60"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home)
    end = time.monotonic() + 60  # it recovers first
    while time.monotonic() < end:
        if subprocess.run([bin_ / "pg_isready", "-q", "-h", home, "-U", "chancery", "-d", "postgres"]).returncode == 0:
            return p
        time.sleep(0.05)
    p.kill()
    raise AssertionError("PostgreSQL did not come back")


def gone(pid):
    """Ended; a child that its parent has not asked after is, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_postgresql_stopped_and_started_under_load(scratch):
    """Orderly, then as by a power failure: clear answers meanwhile, then all is as clients were told. rows=CM-I-21"""
    with postgres() as (url, data, pid):
        house, server, stop, told, threads = world.World(scratch / "pg", store=url), None, threading.Event(), {}, []
        try:
            house.start().make_officers().make_ca()
            token = house.open_session()
            threads = load(house, token, "pg-", 3, told, stop)
            for how in (signal.SIGINT, signal.SIGQUIT):
                time.sleep(1)
                os.kill(pid, how)
                end = time.monotonic() + 60
                while not gone(pid) and server is None and time.monotonic() < end or server is not None and server.poll() is None:
                    time.sleep(0.05)
                refused_issue(house, token, f"away-{how}.example.org", f"away-{how}")
                assert house.raw("GET", "/healthz")[0] == 200
                assert house.raw("GET", "/readyz")[0] == 503
                told_of = Cli(house, scratch).run("status").stderr
                assert "ATTENTION: the server cannot do its work: store: " in told_of and "(CHY-" in told_of
                assert "store: " in Cli(house, scratch).run("doctor", code=1).stdout
                server = start_postgres(data)
                pid = server.pid
                house.wait_ready(60)
            assert "cannot do its work" not in Cli(house, scratch).run("status").stderr
            until(lambda: len(told) > 20, 60, "clients are hardly ever answered")
            time.sleep(1)
            stop.set()
            for t in threads:
                t.join()
            account(house, told, "pg-")
        finally:
            stop.set()
            for t in threads:
                t.join()
            house.stop()
            if server is not None:
                server.send_signal(signal.SIGINT)
                server.wait(20)


def test_token_removed_and_brought_back(scratch):
    """rows=CM-I-21"""
    hsm = SoftHsm(scratch / "hsm")
    uri = hsm.token("ca")
    house = world.World(scratch / "house", modules=[hsm.module], env=hsm.env)
    away = scratch / "away"
    try:
        house.start().make_officers().make_ca(uri=uri)
        token, told = house.open_session(), {}
        told["token-0"] = insist(house, token, csr_for("token-0.example.org"), "token-0", time.monotonic() + 20)
        pids = house.pids()
        (hsm.folder / "tokens").rename(away)
        (hsm.folder / "tokens").mkdir()
        why, csr = refused_issue(house, token, "token-1.example.org", "token-1")
        assert why.code.startswith(("CHY-13", "CHY-14")), why
        (hsm.folder / "tokens").rmdir()
        away.rename(hsm.folder / "tokens")
        told["token-1"] = insist(house, token, csr, "token-1", time.monotonic() + 30)
        for i in range(2, 6):
            key = f"token-{i}"
            told[key] = insist(house, token, csr_for(f"{key}.example.org"), key, time.monotonic() + 20)
        assert house.pids() == pids, "nothing had to be started again"
        account(house, told, "token-")
    finally:
        house.stop()


@pytest.mark.skipif(os.getuid() != 0, reason="a small file system can only be mounted by root")
def test_full_disk(scratch):
    """A clear refusal; nothing half done; all goes on when there is room again."""
    place = scratch / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=320m", "tmpfs", place], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here: " + done.stderr)
    house = None
    try:
        house = world.World(place / "house")
        house.start().make_officers().make_ca()
        token, told, waiting = house.open_session(), {}, {}
        told["disk-0"] = insist(house, token, csr_for("disk-0.example.org"), "disk-0", time.monotonic() + 20)
        with open(place / "filler", "wb") as filler:
            try:
                while True:
                    filler.write(b"\0" * (1 << 20))
                    filler.flush()
            except OSError:
                pass
        for i in range(1, 400):
            key = f"disk-{i}"
            csr = csr_for(f"{key}.{'x' * 40}.example.org")
            try:
                told[key] = house.issue(token, csr, key=key)["certificate"]
            except Refused as e:
                assert e.status == 503 and e.code.startswith("CHY-"), e
                waiting[key] = csr
                if len(waiting) > 5:
                    break
        assert waiting, "the disk was never full"
        (place / "filler").unlink()
        for key, csr in waiting.items():
            told[key] = insist(house, token, csr, key, time.monotonic() + 40)
        house.wait_ready()
        account(house, told, "disk-")
    finally:
        if house is not None:
            house.stop()
        subprocess.run(["umount", place], check=False)


def test_commits_that_fail(sqlite_house):
    """Without a commit nobody is told of a certificate; what was signed meanwhile is found again."""
    house = sqlite_house
    token, told = house.open_session(), {}
    house.stop()
    house.start(CHANCERY_FAULT="store.commit@9=fail,store.commit@10=fail,store.commit@11=fail")
    try:
        for i in range(12):
            key = f"commit-{i}"
            told[key] = insist(house, token, csr_for(f"{key}.example.org"), key, time.monotonic() + 40)
        account(house, told, "commit-")
    finally:
        house.stop()
        house.start()


def ids_of(house):
    return {item["id"] for item in house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]}


def test_clock_set_back_an_hour(scratch):
    """Ids still ascend and serials stay unique; an authority that is not valid yet at that time would sign nothing. rows=CM-C-27"""
    hour = 3600 * 1000
    house = world.World(scratch / "house", env={"CHANCERY_CLOCK_OFFSET_MS": str(-2 * hour)})
    try:
        house.start().make_officers().make_ca()
        house.stop()
        house.start(CHANCERY_CLOCK_OFFSET_MS="0")
        token, told = house.open_session(), {}
        for i in range(5):
            told[f"clock-{i}"] = insist(house, token, csr_for(f"clock-{i}.example.org"), f"clock-{i}", time.monotonic() + 20)
        house.wait_sequenced()
        before = ids_of(house)
        house.stop()
        house.start(CHANCERY_CLOCK_OFFSET_MS=str(-hour))
        for i in range(5, 10):
            told[f"clock-{i}"] = insist(house, token, csr_for(f"clock-{i}.example.org"), f"clock-{i}", time.monotonic() + 20)
        made = house.act("token-procedure.create", {"name": "Set back", "storage_profile": "pkcs10", "issuer_certificates": "none",
                                                    "certificate_procedures": ["TLS server"]},
                         house.officers["anna"], house.officers["ben"])
        assert made["state"] == "done"
        new = ids_of(house) - before
        assert len(new) == 5 and min(new) > max(before) and made["result"]["id"] > max(new)
        certs = [x509.load_der_x509_certificate(base64.b64decode(c)) for c in told.values()]
        assert len({c.serial_number for c in certs}) == 10
        assert certs[-1].not_valid_before < certs[0].not_valid_before, "the clock was set back"
        account(house, told, "clock-")
    finally:
        house.stop()


@pytest.mark.parametrize("point", ["factory.after-sign-authority", "factory.after-signature", "factory.after-work",
                                   "signer.after-sign-certificate", "signer.after-sync-certificate"])
def test_killed_while_an_authority_is_made(sqlite_house, point):
    """Two officers have signed: the act is carried on with, and there is exactly one CA certificate. rows=CM-O-17"""
    house, anna, ben = sqlite_house, sqlite_house.officers["anna"], sqlite_house.officers["ben"]
    slug = point.replace(".", "-")
    house.act("ca-key.create", {"name": f"{slug} key", "algorithm": "p-256", "place": "software"}, anna, ben)
    request = house.prepare(anna, "authority.create", {
        "name": slug, "type": "subordinate", "issuing_authority": "Root CA", "ca_key": f"{slug} key", "subject": f"CN={slug},O=Test",
        "format": "CA certificate", "validity": "P5Y", "path_length": 0})
    house.bring(anna, request, anna)
    signed = house.call("GET", "/api/v1/journal/reconciliation", officer=anna)["certificates"]
    house.stop()
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / slug))
    try:
        try:
            house.bring(ben, request, ben)
        except (Refused, OSError):
            pass
        end, state = time.monotonic() + 60, None
        while state != "done" and time.monotonic() < end:
            time.sleep(0.2)
            try:
                state = house.call("GET", f"/api/v1/requests/{request['id']}", officer=anna)["state"]
            except (Refused, OSError):
                pass
        house.wait_killed(mark)
        assert state == "done"
        items = house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"]
        assert len([i for i in items if i["subject"].startswith(f"CN={slug},")]) == 1, items
        report = house.call("GET", "/api/v1/journal/reconciliation", officer=anna)
        assert (report["certificates"], report["missing_in_store"]) == (signed + 1, 0), "signed once, and not twice"
        authorities = [d for d in house.call("GET", "/api/v1/documents/authority", officer=anna)["items"] if d["name"] == slug]
        assert len(authorities) == 1
        pem = house.raw("GET", f"/api/v1/authorities/{authorities[0]['id']}/certificate")[2]
        assert b"BEGIN CERTIFICATE" in pem
    finally:
        house.stop()
        house.start()
    account(house, {}, f"no-{slug}-certificate")
