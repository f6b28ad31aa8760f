"""Revocation lists at their destinations: a directory, a web server, files. Each new one goes out by itself, and being away there keeps
none from being built here."""
import http.server
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from test_crl import leaves, number, reasons

import targets
import world
from fixtures import postgres
from publishing import open_desk
from world import Refused

DER = serialization.Encoding.DER


@pytest.fixture(scope="module")
def authority():
    return targets.Authority()


@pytest.fixture(scope="module")
def web(module_scratch, authority):
    w = targets.Web(targets.free_folder(module_scratch / "web"), authority)
    yield w
    w.stop()


@pytest.fixture(scope="module")
def directory(module_scratch, authority):
    d = targets.Directory(targets.free_folder(module_scratch / "directory"), authority)
    yield d
    d.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(request, module_scratch, web, directory, authority):
    folder = module_scratch / request.param
    folder.mkdir()
    if request.param == "sqlite":
        d = open_desk(folder)
        yield prepare(d, request.param, web, directory, authority)
        d.house.stop()
        return
    with postgres() as pg:
        d = open_desk(folder, store=pg[0])
        yield prepare(d, request.param, web, directory, authority)
        d.house.stop()


def prepare(d, name, web, directory, authority):
    d.name = name
    d.secret("directory", directory.url, directory.password)
    d.rule("Web", protocol="http", address=web.url, path=f"/open/{name}/{{crl}}", trust=authority.trust, timeout_seconds=3)
    d.file_rule("Files", d.public, "{issuer.cn}/{crl}")
    d.rule("Directory", protocol="ldap", address=directory.url, trust=authority.trust, bind_dn="cn=admin,o=Example", secret="directory",
           dn=f"cn={name} {{crl}},ou=people,o=Example", create=True, object_classes=["cRLDistributionPoint"])
    for slot, roles in (("status", ["use-clients", "issue-certificate", "revoke-certificate"]), ("keeper", ["use-awb", "manual-build"])):
        d.document("officer-profile", name=slot, entity_type="dynamic-token", roles=roles)
        d.house.officers[slot] = d.house.make_officer(slot, slot, d.anna, d.ben, issuer=d.rosa)
    return d


def procedure(desk, name, where, **more):
    url = f"http://127.0.0.1:{desk.house.plain_port}/crl/{where}"
    if "delta_interval" in more:
        more["delta_points"] = [f"{url}-delta.crl"]
    return desk.document("crl-procedure", name=name, authority="Issuing CA", interval="P1D", distribution_points=[f"{url}.crl"],
                         include=True, **more)


def revoke(desk, n=1):
    made = [desk.certificate() for _ in range(n)]
    done = desk.house.act("certificate.revoke", {"certificates": [i for i, _ in made], "reason": "superseded"}, desk.house.officers["status"])
    assert done["state"] == "done", done
    return {x509.load_der_x509_certificate(der).serial_number for _, der in made}


def build(desk, p, **more):
    desk.house.act("crl.build", {"crl_procedure": p, **more}, desk.house.officers["keeper"])


def served(desk, name):
    status, _, body = desk.house.raw("GET", f"/crl/{name}.crl")
    return x509.load_der_x509_crl(body) if status == 200 else None


def wait_served(desk, name, good):
    def what():
        crl = served(desk, name)
        return [crl] if crl is not None and good(crl) else None  # a list without entries is no false
    return desk.wait_until(what)[0]


def places(desk, web, directory, name, attribute):
    """The list's octets at each destination; None: nothing there."""
    read = lambda p: p.read_bytes() if p.exists() else None  # noqa: E731
    dn = f"cn={desk.name} {name}.crl,ou=people,o=Example"
    values = directory.search(dn, scope="base").get(dn, {}).get(attribute, [])
    assert len(values) <= 1, "a newer list takes the place of the older one"
    return [read(web.root / "open" / desk.name / f"{name}.crl"), read(desk.public / "Root CA" / f"{name}.crl"), values[0] if values else None]


def everywhere(desk, web, directory, crl, name, attribute="certificateRevocationList;binary"):
    der = crl.public_bytes(DER)
    try:
        desk.wait_until(lambda: places(desk, web, directory, name, attribute) == [der, der, der], wait=60)
    except AssertionError as e:
        got = [x == der for x in places(desk, web, directory, name, attribute)]
        raise AssertionError((name, got, desk.deliveries())) from e


def test_each_new_list_goes_out(desk, web, directory):
    """Complete and delta lists, to a directory, a web server and into files, under the names of their addresses. rows=CM-P-16,CM-P-18,CM-P-20"""
    p = procedure(desk, "All", "all", delta_interval="PT12H", distribution_rules=["Web", "Files", "Directory"])
    for name in ("all", "all-delta"):  # those that are built by themselves are not to have who is gone
        wait_served(desk, name, lambda c: True)
    for _ in range(2):
        gone = revoke(desk)
        build(desk, p)
        crl = wait_served(desk, "all", lambda c, gone=gone: gone <= set(reasons(c)))
        everywhere(desk, web, directory, crl, "all")
        delta = wait_served(desk, "all-delta", lambda c, crl=crl: number(c) == number(crl) + 1)
        everywhere(desk, web, directory, delta, "all-delta", "deltaRevocationList;binary")
    assert any("application/pkix-crl" in line and f"/open/{desk.name}/all.crl" in line for line in web.seen())
    found = [d for d in desk.deliveries() if d["kind"] == "crl"]
    assert len(found) == 6 and all(d["procedure"]["name"] == "All" for d in found), "of each list and destination the last one"
    desk.modify("crl-procedure", p, format="pem", delta_interval=None, delta_points=None)
    before = served(desk, "all")
    build(desk, p)
    crl = wait_served(desk, "all", lambda c: number(c) > number(before))
    pem = crl.public_bytes(serialization.Encoding.PEM)
    desk.wait_until(lambda: places(desk, web, directory, "all", "certificateRevocationList;binary") == [pem, pem, crl.public_bytes(DER)])


def test_partitions_and_authorities(desk, web, directory):
    """Each partition under its own name; a list of authorities' certificates in its own attribute."""
    procedure(desk, "Parts", "part-{partition}", partitions=3, distribution_rules=["Web", "Files", "Directory"])
    for i in (1, 2, 3):
        everywhere(desk, web, directory, wait_served(desk, f"part-{i}", lambda c: True), f"part-{i}")
    procedure(desk, "CAs", "cas", type="partial", covers="authorities", distribution_rules=["Web", "Files", "Directory"])
    everywhere(desk, web, directory, wait_served(desk, "cas", lambda c: True), "cas", "authorityRevocationList;binary")


class Responder(http.server.ThreadingHTTPServer):
    """Keeps what is posted to it: (path, content type, octets)."""

    def __init__(self):
        self.got = got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                got.append((self.path, self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_a_list_is_pushed_to_a_responder(desk):
    """By POST, as OCSP responders take it; octet for octet the list that is served. rows=CM-A-14"""
    responder = Responder()
    try:
        desk.rule("Responder", protocol="http", address=f"http://127.0.0.1:{responder.server_port}", path="/crl?from={issuer.cn}", method="post",
                  timeout_seconds=3)
        p = procedure(desk, "Pushed", "pushed", distribution_rules=["Responder"])
        desk.wait_until(lambda: responder.got)
        gone = revoke(desk)
        build(desk, p)
        crl = wait_served(desk, "pushed", lambda c: gone <= set(reasons(c)))
        desk.wait_until(lambda: responder.got[-1] == ("/crl?from=Root%20CA", "application/pkix-crl", crl.public_bytes(DER)))
    finally:
        responder.shutdown()
        responder.server_close()


def served_cil(desk, path):
    status, _, body = desk.house.raw("GET", f"/cil/{path}")
    return body if status == 200 else None


def drop_dead(desk, p, again=10):
    """Listed again where one of them is gone by the time the act is done: every two seconds a newer list takes an older one's place."""
    dead = desk.wait_until(lambda: [d for d in mine(desk, p) if d["state"] == "dead"])
    assert {d["kind"] for d in dead} == {"cil"} and all("CHY-1909" in d["error"] and "name an attribute" in d["error"] for d in dead), dead
    try:
        return desk.house.act("delivery.drop", {"deliveries": [d["id"] for d in dead]}, desk.rosa)
    except Refused as e:
        if e.code not in ("CHY-1922", "CHY-1460") or again == 0:
            raise
        return drop_dead(desk, p, again - 1)


def test_issuance_lists(desk, web, directory):
    """Each segment goes out by itself, in DER, under a name of its own; a newer list takes the older one's place; to a directory only into
    an attribute that the rule names."""
    for _ in range(3):
        desk.certificate()
    p = desk.document("cil-procedure", name="Told", authority="Issuing CA", served_as="told", interval="P7D", delta_interval="PT2S", per_file=2,
                      distribution_rules=["Web", "Files", "Directory"])
    at = lambda name: [(web.root / "open" / desk.name / name), (desk.public / "Root CA" / name)]  # noqa: E731

    def out(name, path):
        want = served_cil(desk, path)
        return want is not None and all(f.exists() and f.read_bytes() == want for f in at(name))

    def out_at_web(name, path):
        return at(name)[0].read_bytes() == served_cil(desk, path)
    for name, path in (("told.cil", "told"), ("told-2.cil", "told/2"), ("told-delta.cil", "told/delta")):
        desk.wait_until(lambda name=name, path=path: out(name, path))
    assert served_cil(desk, "told") != served_cil(desk, "told/2")
    assert drop_dead(desk, p)["state"] == "done"
    desk.modify("cil-procedure", p, distribution_rules=["Web"], delta_interval=None)
    desk.wait_until(lambda: out_at_web("told.cil", "told"))
    before = served_cil(desk, "told")
    web.stop()
    for _ in range(2):
        desk.certificate()
        old = served_cil(desk, "told")
        desk.house.act("cil.build", {"cil_procedure": p}, desk.house.officers["keeper"])
        desk.wait_until(lambda old=old: served_cil(desk, "told") not in (None, old))
    assert at("told.cil")[0].read_bytes() == before
    web.start()
    desk.wait_until(lambda: out_at_web("told.cil", "told"))
    desk.house.wait_sequenced()
    told = [leaf for leaf in delivery_leaves(desk.house.export()) if leaf["what"] == "cil"]
    assert any(leaf["outcome"] == "dropped" and leaf.get("code") == 1923 for leaf in told), told
    (desk.folder / "cil-journal.jsonl").write_bytes(desk.house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.house.dir / "root.pem", "--file", desk.folder / "cil-journal.jsonl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_certificates_of_authorities(desk, web, directory, authority):
    """An authority's own certificate goes out when it is made, and again when it is renewed. rows=CM-P-16,CM-P-20"""
    desk.rule("CA web", protocol="http", address=web.url, path=f"/open/{desk.name}/{{cn}}.cer", trust=authority.trust, timeout_seconds=3)
    desk.rule("CA directory", protocol="ldap", address=directory.url, trust=authority.trust, bind_dn="cn=admin,o=Example", secret="directory",
              dn=f"cn={desk.name} {{cn}},ou=people,o=Example", create=True, update="replace", object_classes=["applicationProcess", "pkiCA"])
    desk.document("ca-key", name="Told key", algorithm="p-256", place="software")
    number_ = desk.document("authority", name="Told CA", type="subordinate", issuing_authority="Root CA", ca_key="Told key",
                            subject="CN=Told CA,O=Test", format="CA certificate", validity="P5Y", path_length=0,
                            distribution_rules=["CA web", "CA directory"])
    dn, path, seen = f"cn={desk.name} Told CA,ou=people,o=Example", web.root / "open" / desk.name / "Told CA.cer", set()

    def there():
        der = path.read_bytes() if path.exists() else b""
        return der and der not in seen and directory.search(dn, scope="base").get(dn, {}).get("cACertificate;binary") == [der] and der
    for _ in range(2):
        seen.add(desk.wait_until(there))
        body = desk.house.call("GET", f"/api/v1/documents/authority/{number_}", officer=desk.anna)["body"]
        desk.house.act("authority.renew", body, desk.anna, desk.ben, obj=number_)
    seen.add(desk.wait_until(there))
    assert len({x509.load_der_x509_certificate(der).serial_number for der in seen}) == 3


def test_away_for_a_while(desk, web, directory):
    """Lists are built and served while the destination is away; when it is back it gets the newest, and none of those between. rows=CM-A-18"""
    p = procedure(desk, "Away", "away", distribution_rules=["Web"])
    first = wait_served(desk, "away", lambda c: True)
    path = web.root / "open" / desk.name / "away.crl"
    desk.wait_until(lambda: path.exists() and path.read_bytes() == first.public_bytes(DER))
    web.stop()
    for n in range(2, 6):
        gone = revoke(desk)
        build(desk, p)
        crl = wait_served(desk, "away", lambda c, gone=gone, n=n: gone <= set(reasons(c)) and number(c) >= number(first) + n - 1)
    waiting = desk.wait_until(lambda: one_waits(desk, p))
    assert waiting["attempts"] >= 0 and path.read_bytes() == first.public_bytes(DER)
    seen = len([line for line in web.seen() if "away.crl" in line])
    web.start()
    desk.wait_until(lambda: path.read_bytes() == crl.public_bytes(DER))
    desk.wait_until(lambda: not [d for d in mine(desk, p) if d["state"] == "waiting"])
    assert len([line for line in web.seen() if "away.crl" in line]) <= seen + 2, "older ones were not delivered"
    time.sleep(0.5)
    assert path.read_bytes() == crl.public_bytes(DER)
    desk.house.wait_sequenced()
    outcomes = [leaf for leaf in delivery_leaves(desk.house.export()) if leaf["what"] == "crl"]
    assert any(leaf["outcome"] == "dropped" and leaf["code"] == 1923 for leaf in outcomes)
    assert list(leaves(desk.house.export()))
    (desk.folder / "journal.jsonl").write_bytes(desk.house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", desk.house.dir / "root.pem", "--file", desk.folder / "journal.jsonl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def mine(desk, p):
    return [d for d in desk.deliveries() if d["kind"] in ("crl", "cil") and d["procedure"]["id"] == p]


def one_waits(desk, p):
    found = [d for d in mine(desk, p) if d["state"] == "waiting"]
    return found[0] if len(found) == 1 else None


def delivery_leaves(export):
    import json
    for line in export.splitlines():
        v = json.loads(line)
        if v["type"] == "leaf":
            body = json.loads(v["body"])
            if body["kind"] == "delivery":
                yield body
