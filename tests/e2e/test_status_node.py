"""Status nodes: another server tells relying parties the status of certificates, with OCSP keys of its own, on the issuing server's
PostgreSQL; officers admit it. The issuing server goes away, and the database, and what the node tells stays true."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

import world
from cli import Cli
from fixtures import postgres
from test_ocsp import answer_by, ask, ca_certificate, cert_id, change, get, issue, request, until, verify
from world import Refused


class Node(world.World):
    """The second server's folder and process."""

    def __init__(self, folder, store, number=1, **more):
        super().__init__(folder, setup=False)
        self.dir.mkdir(parents=True)
        (self.dir / "passphrase").write_text("correct horse battery\n")
        (self.dir / "passphrase").chmod(0o600)
        (self.dir / "chancery.ini").write_text(
            f"[store]\nurl = {store}\n[signer]\ndirectory = {self.dir}/signer\npassphrase_file = {self.dir}/passphrase\n"
            f"[listener]\ntls = none\nplain = 127.0.0.1:{self.plain_port}\n[node]\nrole = status\nnumber = {number}\n"
            "[serve]\nrestart_ms_max = 100\n" + "".join(f"[{k}]\n{v}\n" for k, v in more.items()))

    def launch(self, wait=30, **env):
        """Without waiting for readiness, which may be the officers' matter."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([world.CHANCERY, "serve", "--config", self.dir / "chancery.ini"], stdout=log, stderr=log,
                                            env=dict(self.env, **env), start_new_session=True)
        until(lambda: self.process.poll() is not None or self.answers(), self, wait)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def answers(self):
        try:
            return self.raw("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def readiness(self):
        status, _, body = self.raw("GET", "/readyz")
        return status, {c["name"]: c for c in json.loads(body)["checks"]}

    def key(self):
        return re.findall(r"node\.key .*?sha256=\"?([0-9a-f]{64})", self.log.read_text())[-1]


GUIDE = world.Path(__file__).resolve().parents[2] / "docs/guide/status-nodes.md"


def role_of_guide(url):
    """A database role that may do what the guide grants, and its URL."""
    granted = re.findall(r"^GRANT .*$", GUIDE.read_text(), re.M)
    assert len(granted) == 3
    subprocess.run(["psql", "-q", url, "-c", "CREATE ROLE status LOGIN", *(a for g in granted for a in ("-c", g))], check=True)
    return re.sub(r"user=[a-z]+", "user=status", url)


def admit_as_guide(house, node):
    """By the guide's command."""
    (command,) = re.findall(r"^chancery (status-node create .*)$", GUIDE.read_text(), re.M)
    args = shlex.split(command.split(" --officer")[0].replace("FINGERPRINT", node.key()))
    (house.folder / "cli").mkdir()
    cli = Cli(house, house.folder / "cli", anna=house.officers["anna"], ben=house.officers["ben"])
    cli.run(*args, who="anna", co="ben")
    (made,) = house.call("GET", "/api/v1/documents/status-node", officer=house.officers["anna"])["items"]
    return made["id"]


@pytest.fixture(scope="module")
def pair(module_scratch):
    """The issuing server with a CA that answers OCSP, and a node that officers have admitted."""
    with postgres() as (url, _, pid):
        house = world.World(module_scratch / "house", store=url)
        house.database, house.url = pid, url
        node = None
        try:
            house.start().make_officers().make_ca()
            node = Node(module_scratch / "node", role_of_guide(url))
            house.token = house.open_session()
            house.ca = answer_by(house)
            anna, ben, rosa = (house.officers[n] for n in ("anna", "ben", "rosa"))
            house.act("officer-profile.create", {"name": "Desk", "entity_type": "dynamic-token",
                                                 "roles": ["use-clients", "issue-certificate", "revoke-certificate"]}, anna, ben)
            house.officers["desk"] = house.make_officer("Desk", "Desk", anna, ben, issuer=rosa)
            node.launch()
            node.before = until(lambda: (r := node.readiness())[1]["node"].get("code") == "CHY-1695" and r, node)
            node.id = admit_as_guide(house, node)
            node.wait_ready()
            yield house, node
        finally:
            if node:
                node.stop()
            house.stop()


def told(node, house, cert, **more):
    """The answer; asked for again while it is "try later", as a node says that the database has kept waiting for three seconds."""
    der, later = request(cert_id(house.ca, cert.serial_number), **more), ocsp.OCSPResponseStatus.TRY_LATER
    return until(lambda: (r := ask(node, der)).response_status != later and r, node, 60)


def responder(response):
    return response.certificates[0]


def test_admitted_by_officers(pair):
    """Before, it answers nothing and says what is missing; its key is the one that two officers sign."""
    house, node = pair
    status, checks = node.before
    assert status == 503 and checks["node"]["code"] == "CHY-1695" and node.key() in checks["node"]["detail"]
    with pytest.raises(Refused) as twice:
        house.act("status-node.create", {"name": "Again", "key_sha256": node.key()}, house.officers["anna"], house.officers["ben"])
    assert "has this key" in str(twice.value)


def test_own_key_same_word(pair):
    """The node signs with another key than the issuing server, by a certificate of the same CA."""
    house, node = pair
    _, cert = issue(house)
    here, there = (told(s, house, cert) for s in (house, node))
    for response in (here, there):
        verify(response, house.ca)
        assert response.certificate_status == ocsp.OCSPCertStatus.GOOD
    keys = [responder(r).public_key().public_numbers() for r in (here, there)]
    assert keys[0] != keys[1]
    nonce = os.urandom(16)
    fresh = told(node, house, cert, nonce=nonce)
    assert fresh.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    assert told(node, house, x509_of_nobody()).certificate_status == ocsp.OCSPCertStatus.UNKNOWN
    done = subprocess.run(["openssl", "ocsp", "-issuer", pem(house, "Issuing CA"), "-CAfile", pem(house, "Root CA"), "-verify_other",
                           pem(house, "Issuing CA"), "-serial", hex(cert.serial_number), "-url", f"http://127.0.0.1:{node.plain_port}/ocsp"],
                          capture_output=True, text=True)
    assert f"{hex(cert.serial_number)}: good" in done.stdout and "OK" in done.stderr, done


def x509_of_nobody():
    class Nobody:
        serial_number = 4711
    return Nobody


def pem(house, name):
    path = house.folder / f"{name.replace(' ', '-')}.pem"
    path.write_bytes(ca_certificate(house, name).public_bytes(world.serialization.Encoding.PEM))
    return path


def test_change_of_status_comes_at_once(pair):
    """What the node has signed ahead and keeps is dropped when an officer's act is committed at the other server."""
    house, node = pair
    made = [issue(house) for _ in range(20)]
    for _, cert in made:
        assert told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.GOOD
        assert get(node, request(cert_id(house.ca, cert.serial_number)))[1]["Cache-Control"].startswith("max-age=")  # kept
    change(house, "revoke", [i for i, _ in made])
    for _, cert in made:
        response = until(lambda: (r := told(node, house, cert)).certificate_status == ocsp.OCSPCertStatus.REVOKED and r, node, 30)
        assert response.revocation_reason == x509.ReasonFlags.superseded
        assert told(node, house, cert, nonce=b"12345678").certificate_status == ocsp.OCSPCertStatus.REVOKED


def test_nothing_else(pair):
    """No acts, no questions of officers, no sessions; health and figures."""
    house, node = pair
    for method, path in (("GET", "/api/v1/status"), ("POST", "/api/v1/certificates"), ("POST", "/api/v1/requests"), ("GET", "/api/v1/log"),
                         ("PUT", "/api/v1/documents/domain/1"), ("DELETE", "/api/v1/drafts/1")):
        with pytest.raises(Refused) as e:
            node.call(method, path, b"{}" if method != "GET" else None, token="x" * 43)
        assert e.value.code == "CHY-1696", (method, path, e.value)
    assert b"chancery_ocsp_answers_total" in node.raw("GET", "/metrics")[2]
    assert node.raw("GET", "/no/such")[0] == 404


def test_parent_rests(pair):
    """Nothing goes out: there is no distributor, and the parent does not wait for one all the time."""
    _, node = pair
    assert node.pids("chancery-distributor") == []
    (parent,) = node.pids("chancery")
    spent = lambda: sum(map(int, open(f"/proc/{parent}/stat").read().rsplit(") ", 1)[1].split()[11:13]))
    before = spent()
    time.sleep(2)
    assert spent() - before <= 10, "of two hundred ticks, which a loop without rest takes as far as it gets them"


def test_lists_and_ca_certificates(pair):
    house, node = pair
    house.act("crl-procedure.create", {"name": "Revoked", "authority": "Issuing CA", "interval": "P1D",
                                       "distribution_points": [f"http://127.0.0.1:{node.plain_port}/crl/issuing.crl"]},
              house.officers["anna"], house.officers["ben"])
    i, cert = issue(house)
    change(house, "revoke", [i])
    house.act("crl.build", {"crl_procedure": "Revoked"}, house.officers["anna"])
    for server in (house, node):
        crl = until(lambda s=server: list_with(s, cert), server)
        assert crl.is_signature_valid(house.ca.public_key())


def list_with(server, cert):
    """The list, once the certificate stands on it: the first one was built as soon as there was a procedure."""
    status, headers, der = server.raw("GET", "/crl/issuing.crl")
    if status != 200:
        return None
    assert headers["Content-Type"] == "application/pkix-crl"
    crl = x509.load_der_x509_crl(der)
    return crl if crl.get_revoked_certificate_by_serial_number(cert.serial_number) is not None else None


def test_issuing_server_away(pair):
    """The node goes on; the issuing server finds it when it is back, and nothing is adopted or lost."""
    house, node = pair
    i, cert = issue(house)
    assert told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.GOOD
    house.kill_all()
    for nonce in (None, b"12345678"):
        assert told(node, house, cert, nonce=nonce).certificate_status == ocsp.OCSPCertStatus.GOOD
    node.kill_all()
    node.start()  # ready again without the issuing server: it has its keys and their certificates
    assert told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.GOOD
    house.start()
    change(house, "revoke", [i])
    until(lambda: told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.REVOKED, node, 30)


def test_database_away(pair):
    """What is signed and good is told on; what would have to be signed now is not, for the status may be another by now."""
    house, node = pair
    _, cert = issue(house)
    kept = request(cert_id(house.ca, cert.serial_number))
    assert told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.GOOD
    stopped = [house.database, *children(house.database)]
    for p in stopped:
        os.kill(p, signal.SIGSTOP)
    try:
        until(lambda: node.readiness()[0] == 503, node)
        assert ask(node, kept).certificate_status == ocsp.OCSPCertStatus.GOOD
        for _ in range(20):  # nobody waits for the database, which hangs
            assert refused(node, house, cert) == ocsp.OCSPResponseStatus.TRY_LATER
            status, _, body = node.raw("GET", "/crl/issuing.crl", timeout=5)
            assert status == 503 and json.loads(body)["code"] == "CHY-1454"
        assert node.readiness()[1]["node"]["code"] == "CHY-1454"
    finally:
        for p in stopped:
            try:
                os.kill(p, signal.SIGCONT)
            except ProcessLookupError:
                pass
    node.wait_ready()
    until(lambda: told(node, house, cert, nonce=b"12345678").certificate_status == ocsp.OCSPCertStatus.GOOD, node)


def refused(node, house, cert):
    """What is answered in place of a signature as of now."""
    _, _, body = node.raw("POST", "/ocsp", request(cert_id(house.ca, cert.serial_number), nonce=b"12345678"),
                          {"Content-Type": "application/ocsp-request"}, timeout=5)
    return ocsp.load_der_ocsp_response(body).response_status


def children(pid):
    return [int(p) for t in (f"/proc/{pid}/task/{pid}/children",) for p in open(t).read().split()]


def test_signer_loses_its_key(pair):
    """Another key is made and asked for; nobody has to do anything."""
    house, node = pair
    _, cert = issue(house)
    old = responder(until(lambda: told_or_none(node, house, cert), node)).serial_number  # it has just heard of its database again
    (lost,) = (node.dir / "signer" / "keys").glob("ocsp-*")
    lost.unlink()
    (signer,) = node.pids("chancery-signer")
    os.kill(signer, signal.SIGKILL)
    _, other = issue(house)
    new = until(lambda: asked_anew(node, house, other, old), node, 60)
    verify(new, house.ca)


def asked_anew(node, house, cert, old):
    response = told_or_none(node, house, cert)
    return response and responder(response).serial_number != old and response


def told_or_none(node, house, cert):
    status, _, body = node.raw("POST", "/ocsp", request(cert_id(house.ca, cert.serial_number), nonce=os.urandom(8)),
                               {"Content-Type": "application/ocsp-request"})
    response = ocsp.load_der_ocsp_response(body)
    return response if response.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL else None


@pytest.mark.parametrize("offset", [-3600, 864000])
def test_wrong_clock(pair, offset):
    """A node that lives in another time says nothing, and asks for no certificates."""
    house, node = pair
    _, cert = issue(house)
    node.stop()
    mark = len(node.log.read_text())
    node.launch(CHANCERY_CLOCK_OFFSET_MS=str(offset * 1000))
    try:
        until(lambda: "CHY-1698" in node.log.read_text()[mark:], node)
        until(lambda: node.readiness()[1]["node"].get("code") == "CHY-1698", node)  # first it may not have heard of its database
        assert refused(node, house, cert) == ocsp.OCSPResponseStatus.TRY_LATER
        assert "node.asks" not in node.log.read_text()[mark:]
    finally:
        node.stop()
        node.start()
    assert told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.GOOD


def test_copied_folder(pair):
    """Two nodes with one folder's keys take the certificate from each other: they find out, stop, and say so."""
    house, node = pair
    twin = Node(house.folder / "twin", house.url, number=2)
    shutil.copytree(node.dir / "signer", twin.dir / "signer")
    twin.launch()
    try:
        twin.wait_ready()
        revoke_responder(house)
        out = until(lambda: next((n for n in (node, twin) if n.readiness()[1]["node"].get("code") == "CHY-1699"), None), node, 120)
        assert refused(out, house, x509_of_nobody()) == ocsp.OCSPResponseStatus.TRY_LATER
    finally:
        twin.stop()
    node.stop()
    revoke_responder(house)
    node.start(60)
    _, cert = issue(house)
    assert told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.GOOD


def revoke_responder(house):
    """The node's certificate, so that the next one is made with the next key; one in ten seconds at most."""
    time.sleep(10)
    change(house, "revoke", [int(psql(house.url, "SELECT max(certificate) FROM responder WHERE node <> ''"))])


def psql(url, query):
    return subprocess.run(["psql", "-qtA", url, "-c", query], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("setting,code", [("[store]\nurl = sqlite:x.db", "CHY-1853"), ("[listener]\nplain = none", "CHY-1855")])
def test_settings_of_another_role(pair, scratch, setting, code):
    house, _ = pair
    other = Node(scratch / "other", house.url)
    ini = (other.dir / "chancery.ini").read_text()
    section, line = setting.split("\n")
    key = line.split(" = ")[0]
    (other.dir / "chancery.ini").write_text(re.sub(rf"(?m)^{key} = .*$", line, ini))
    done = subprocess.run([world.CHANCERY, "serve", "--config", other.dir / "chancery.ini"], capture_output=True, text=True, timeout=60,
                          env=other.env)
    assert done.returncode == 1 and code in done.stderr + done.stdout, (section, done)
    assert not list(other.dir.glob("*.db"))


def test_forged_wish(pair):
    """Whoever can write the database gets no responder's certificate without the key that officers have signed."""
    house, node = pair
    sql = lambda q: psql(house.url, q)
    count = lambda: sql("SELECT count(*) FROM responder WHERE node <> ''")
    before = count()
    honest = sql("SELECT label FROM node_key")
    for label, why in ((honest + "0", "another certificate than its next one"),  # as of an old wish that is put back
                       ("ocsp-" + sql("SELECT authority || '-' || max(certificate) FROM responder WHERE node <> '' GROUP BY authority"),
                        "signature")):
        sql(f"UPDATE node_key SET label = '{label}'")
        until(lambda w=why: re.search(f"CHY-1697.*{w}", house.log.read_text()), house)
        sql(f"UPDATE node_key SET label = '{honest}'")
        time.sleep(5)  # the same trouble is told once, until a round goes without
    assert count() == before


def test_journal_accounts_for_it(pair):
    """The verifier follows the certificate to the officers' two documents and to the node's signature."""
    house, node = pair
    export = house.folder / "export.jsonl"
    export.write_bytes(house.raw("GET", "/api/v1/journal/export", officer=house.officers["anna"])[2])
    verify_export = lambda: subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", export],
                                           capture_output=True, text=True)
    done = verify_export()
    assert done.returncode == 0, done.stdout + done.stderr
    leaves = [json.loads(line)["body"] for line in export.read_text().splitlines() if '"type":"leaf"' in line]
    assert sum('"node":{' in leaf for leaf in leaves) >= 2


def test_closed_authority(pair):
    """A closed authority's certificates are answered for as before, by a node whose certificate has to be made anew too."""
    house, node = pair
    anna, ben = house.officers["anna"], house.officers["ben"]
    number, cert = issue(house)
    before = responder(told(node, house, cert))
    a, = [d for d in house.call("GET", "/api/v1/documents/authority", officer=anna)["items"] if d["body"]["name"] == "Issuing CA"]
    house.act("authority.modify", {**a["body"], "state": "closed"}, anna, ben, obj=a["id"])
    try:
        change(house, "revoke", [number])
        until(lambda: told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.REVOKED, node)
        gone, = house.call("GET", f"/api/v1/certificates?authority={a['id']}&serial={before.serial_number:036x}", officer=anna)["items"]
        change(house, "revoke", [gone["id"]])

        def renewed():
            answer = told(node, house, cert)
            return answer.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL and responder(answer).serial_number != before.serial_number
        until(renewed, node, 30)
        verify(told(node, house, cert), house.ca)
        assert node.readiness()[0] == 200
    finally:
        house.act("authority.modify", {**a["body"], "state": "active"}, anna, ben, obj=a["id"])


def test_grants_suffice(pair):
    """The guide's grants are all that the node needs for what it tells, and show it nothing of tokens, requests and the journal."""
    house, node = pair
    for path in ("/crl/issuing.crl", "/crl/none.crl", "/cil/none", "/ca/none"):
        node.raw("GET", path)
    assert "permission denied" not in node.log.read_text()
    url = re.sub(r"user=[a-z]+", "user=status", house.url)
    for table in ("request", "token", "token_key", "archived_key", "request_secret", "journal_leaf", "certificate_choice", "issuing_session"):
        done = subprocess.run(["psql", "-qtA", url, "-c", f"SELECT count(*) FROM {table}"], capture_output=True, text=True)
        assert "permission denied" in done.stderr, table


def test_closed(pair):
    """Officers close it: no further certificate, and it says so; opened again it goes on."""
    house, node = pair
    anna, ben = house.officers["anna"], house.officers["ben"]
    body = {"name": "Status 1", "key_sha256": node.key()}
    house.act("status-node.modify", {**body, "state": "closed"}, anna, ben, obj=node.id)
    until(lambda: node.readiness()[0] == 503, node)
    assert node.readiness()[1]["node"]["code"] == "CHY-1695"
    _, cert = issue(house)
    _, _, answer = node.raw("POST", "/ocsp", request(cert_id(house.ca, cert.serial_number)), {"Content-Type": "application/ocsp-request"})
    assert ocsp.load_der_ocsp_response(answer).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED
    house.act("status-node.modify", {**body, "state": "active"}, anna, ben, obj=node.id)
    node.wait_ready()
    assert told(node, house, cert).certificate_status == ocsp.OCSPCertStatus.GOOD
