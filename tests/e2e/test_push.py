"""Pushes to identity management: what arrives at a real web server, what it refuses, and what comes again."""
import base64
import hashlib
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import targets
from cli import Cli
from publishing import open_desk, refused
from world import Refused, free_port


class Receiver:
    """A web server with TLS that keeps what is posted; `answers` is what it answers next: a status, or None to hang up."""

    def __init__(self, folder, authority, user="ca", password="a pass:word"):
        self.got, self.answers, self.lock = [], [], threading.Lock()
        self.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with outer.lock:
                    status = outer.answers.pop(0) if outer.answers else 200
                    if self.path.startswith("/login") and self.headers.get("Authorization") != outer.login:
                        status = 401
                    outer.got.append((self.command, self.path, dict(self.headers), body, status))
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT = do_DELETE = any

            def log_message(self, *args):
                pass

        cert, key = authority.issue(folder, "receiver")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.port = free_port()
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def of(self, certificate):
        """(method, path, headers, message, status) of all that came about a certificate."""
        found = [(m, p, h, json.loads(b), s) for m, p, h, b, s in self.got]
        return [x for x in found if x[3]["object"] == certificate]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def authority():
    return targets.Authority()


@pytest.fixture(scope="module")
def receiver(module_scratch, authority):
    r = Receiver(module_scratch, authority)
    yield r
    r.stop()


@pytest.fixture(scope="module")
def desk(module_scratch, receiver, authority):
    d = open_desk(module_scratch)
    try:
        d.push = {"protocol": "http", "address": receiver.url, "trust": authority.trust, "content": "push"}
        d.rule("Push", **d.push, path="/push", template="Staff", process="Welcome", tenant="Example")
        d.procedure("Push", "Push")
        yield d
    finally:
        d.house.stop()


def test_what_arrives(desk, receiver):
    """The certificate with template, process and tenant, and again when it is taken back. rows=CM-P-26"""
    number, der = desk.certificate()
    desk.publish("Push", number)
    [d] = desk.wait(number).values()
    assert d["state"] == "done"
    [(method, path, headers, message, _)] = receiver.of(number)
    root = x509.load_pem_x509_certificate((desk.house.dir / "root.pem").read_bytes()).public_bytes(serialization.Encoding.DER)
    instance = hashlib.sha256(root).hexdigest()
    assert (method, path, headers["Content-Type"]) == ("POST", "/push", "application/json")
    assert headers["Idempotency-Key"] == f'"{instance}-{d["id"]}"'
    assert message == {
        "format": "chancery-push/1", "instance": instance, "delivery": d["id"], "object": number, "event": "published", "kind": "certificate",
        "certificate": base64.b64encode(der).decode(), "sha256": hashlib.sha256(der).hexdigest(), "status": {"state": "valid"},
        "template": "Staff", "process": "Welcome", "tenant": "Example"}
    raw = next(b for _, _, _, b, _ in receiver.got if json.loads(b)["object"] == number)
    assert raw.decode() == json.dumps(message, separators=(",", ":"), sort_keys=True), "canonical"
    desk.house.act("certificate.hold", {"certificates": [{"certificate": number}], "cause": "card lost"}, desk.rosa)
    desk.house.act("certificate.revoke", {"certificates": [{"certificate": number}], "reason": "key-compromise"}, desk.rosa)
    desk.publish("Push", number, act="certificate.unpublish")
    desk.wait(number)
    (method, path, _, message, _) = receiver.of(number)[1]
    assert (method, path, message["event"], message["template"]) == ("POST", "/push", "withdrawn", "Staff")
    assert message["status"]["state"] == "revoked" and message["status"]["reason"] == "key-compromise" and message["status"]["since"]
    assert message["certificate"] == base64.b64encode(der).decode() and "card lost" not in json.dumps(message)


def test_process_and_tenant_are_optional(desk, receiver):
    """A rule without them sends none; without a template there is no such rule, and elsewhere they mean nothing. rows=CM-P-26"""
    desk.rule("Bare", **desk.push, path="/bare/{serial}", template="Bare")
    desk.procedure("Bare", "Bare", form="pem-chain")
    number, der = desk.certificate()
    desk.publish("Bare", number)
    desk.wait(number)
    [(_, path, _, message, _)] = receiver.of(number)
    assert message["template"] == "Bare" and not {"process", "tenant"} & set(message)
    assert path == f"/bare/{x509.load_der_x509_certificate(der).serial_number:036x}"
    subjects = [x509.load_der_x509_certificate(base64.b64decode(c)).subject.rfc4514_string() for c in message["chain"]]
    assert subjects == ["CN=Issuing CA,O=Test", "CN=Root CA,O=Test"]
    rule = {k: v for k, v in desk.push.items() if k != "content"}
    assert refused("CHY-1502", desk.rule, "No template", **desk.push, path="/push")["field"] == "template"
    for wrong in ({"template": "x"}, {"process": "x"}, {"tenant": "x"}):
        assert refused("CHY-1508", desk.rule, "A file", **rule, path="/push", **wrong)["field"] == list(wrong)[0]
    assert refused("CHY-1508", desk.rule, "Put", **desk.push, path="/push", template="x", method="put")["field"] == "method"
    assert refused("CHY-1508", desk.rule, "In a folder", protocol="file", folder=str(desk.public), file_name="x", content="push", template="x")
    for bad in ("", "x" * 201, "two\nlines"):
        assert refused_any(desk.rule, "Bad", **desk.push, path="/push", template=bad)["field"] == "template"


def refused_any(call, *args, **more):
    with pytest.raises(Refused) as e:
        call(*args, **more)
    assert e.value.code.startswith("CHY-15"), e.value
    return e.value.problem


def test_what_is_not_taken_now_comes_again(desk, receiver):
    """503, then the line goes dead before the answer, then it is taken: the same message under the same key, thrice. rows=CM-P-26,CM-P-22"""
    number, _ = desk.certificate()
    receiver.answers[:] = [503, None, 204]
    desk.publish("Push", number)
    [d] = desk.wait(number).values()
    assert d["state"] == "done"
    came = receiver.of(number)
    assert [s for *_, s in came] == [503, None, 204] and d["attempts"] >= 2
    assert len({h["Idempotency-Key"] for _, _, h, _, _ in came}) == 1 and all(m == came[0][3] for _, _, _, m, _ in came)


def test_what_is_refused_is_a_dead_letter(desk, receiver):
    """And is sent again when an officer says so. A withdrawal of what the receiver has not is done."""
    number, _ = desk.certificate()
    receiver.answers[:] = [422]
    desk.publish("Push", number)
    [d] = desk.wait(number).values()
    assert d["state"] == "dead" and d["error"].startswith("CHY-1908")
    desk.house.act("delivery.retry", {"deliveries": [d["id"]]}, desk.rosa)
    assert [x["state"] for x in desk.wait(number).values()] == ["done"]
    assert [s for *_, s in receiver.of(number)] == [422, 200]
    receiver.answers[:] = [404]
    desk.publish("Push", number, act="certificate.unpublish")
    assert [x["state"] for x in desk.wait(number).values()] == ["done"]
    receiver.answers[:] = [404]
    desk.publish("Push", number)
    desk.wait(number)
    assert desk.deliveries(certificate=number)[-1]["state"] == "dead"


def test_in_order(desk, receiver):
    """What is withdrawn while the publication still waits goes out behind it."""
    number, _ = desk.certificate()
    receiver.answers[:] = [503, 503]
    desk.publish("Push", number)
    desk.publish("Push", number, act="certificate.unpublish")
    desk.wait(number)
    came = [m["event"] for *_, m, s in receiver.of(number) if s == 200]
    assert came == ["published", "withdrawn"]


def test_a_sealed_password(desk, receiver, authority):
    """As other web servers get it; nobody who has it not is let in. rows=CM-P-21"""
    desk.secret("receiver", receiver.url, "a pass:word")
    desk.rule("Login", **desk.push, path="/login", template="Staff", user="ca", secret="receiver")
    desk.rule("No login", **desk.push, path="/login", template="Staff")
    desk.procedure("Login", "Login")
    desk.procedure("No login", "No login")
    number, _ = desk.certificate()
    desk.publish("Login", number)
    assert desk.wait(number)["Login"]["state"] == "done"
    other, _ = desk.certificate()
    desk.publish("No login", other)
    desk.wait_until(lambda: (desk.deliveries(certificate=other)[0]["error"] or "").startswith("CHY-1906"))
    waiting = desk.deliveries(certificate=other)[0]
    desk.house.act("delivery.drop", {"deliveries": [waiting["id"]]}, desk.rosa)


def test_attribute_certificates_come_with_their_base(desk, receiver):
    """rows=CM-P-26,CM-P-03"""
    desk.document("ca-key", name="Attribute key", algorithm="p-256", place="software")
    desk.document("authority", name="Attribute CA", type="subordinate", issuing_authority="Root CA", ca_key="Attribute key",
                  subject="CN=Attribute CA,O=Test", format="CA certificate", validity="P5Y", path_length=0, attribute_certificates=True)
    desk.document("format", name="Roles", purpose="attribute-certificate", attributes=[{"type": "role", "mandatory": True}])
    desk.document("attribute-certificate-procedure", name="Roles", authority="Attribute CA", format="Roles", validity="P30D")
    desk.document("token-procedure", name="Roles", storage_profile="attribute-certificate-file", attribute_certificate_procedures=["Roles"])
    desk.document("officer-profile", name="Roles", entity_type="dynamic-token",
                  roles=["use-clients", "issue-certificate", "issue-attribute-certificate", "publish-certificate"])
    dora = desk.house.make_officer("Dora", "Roles", desk.anna, desk.ben, issuer=desk.rosa)
    base, base_der = desk.certificate()
    done = desk.house.act("attribute-certificate.issue", {"token_procedure": "Roles", "base": {"certificate": base},
                                                          "attributes": [{"type": "role", "values": ["urn:role:clerk"]}]}, dora)
    made = done["result"]["attribute_certificates"][0]
    number, issued = made["certificate"], base64.b64decode(made["der"])
    desk.publish("Push", number, officer=dora)
    desk.wait(number)
    [(*_, message, _)] = receiver.of(number)
    der = base64.b64decode(message["certificate"])
    assert message["kind"] == "attribute-certificate" and message["base"] == base64.b64encode(base_der).decode()
    assert message["sha256"] == hashlib.sha256(der).hexdigest() and der == issued


def test_lists_are_not_pushed(desk, receiver):
    """No procedure of a list takes such a rule, and what became one later pushes none. rows=CM-P-26"""
    crl = {"name": "Pushed list", "authority": "Issuing CA", "distribution_points": ["http://pki.example/crl/pushed.crl"], "interval": "P1D"}
    cil = {"name": "Pushed list", "authority": "Issuing CA", "served_as": "pushed", "interval": "P1D"}
    for kind, body in (("crl-procedure", crl), ("cil-procedure", cil)):
        problem = refused("CHY-1518", desk.document, kind, **body, distribution_rules=["Push"])
        assert problem["field"] == "distribution_rules[0]" and "lists are not pushed" in problem["detail"]
    plain = {k: v for k, v in desk.push.items() if k != "content"}
    rule = desk.rule("Was plain", **plain, path="/push")
    receiver.answers[:] = [503] * 1000  # as often as it is tried until the rule is another
    desk.document("crl-procedure", **crl, distribution_rules=["Was plain"])
    desk.wait_until(lambda: [d for d in desk.deliveries() if "503" in (d["error"] or "")])
    desk.modify("distribution-rule", rule, content="push", template="x", method=None)
    found = desk.wait_until(lambda: [d for d in desk.deliveries() if d["state"] == "dead" and (d["error"] or "").startswith("CHY-1909")])
    assert "lists are not" in found[0]["error"]
    receiver.answers[:] = []
    receiver.got[:] = [x for x in receiver.got if x[3].startswith(b"{")]  # but for the bare list


def test_a_rule_from_the_command_line(desk, receiver, authority, module_scratch):
    """As an officer types it, with its help. rows=CM-P-26"""
    cli = Cli(desk.house, module_scratch, anna=desk.anna, ben=desk.ben, rosa=desk.rosa)
    authority.pem(module_scratch)
    cli.run("distribution-rule", "create", "--name", "Typed", "--protocol", "http", "--address", receiver.url, "--path", "/typed",
            "--trust", "target-ca.pem", "--content", "push", "--template", "Typed staff", "--process", "Greet", "--tenant", "Two words",
            who="anna", co="ben")
    cli.run("publication-procedure", "create", "--name", "Typed", "--format", "der", "--distribution-rules", "Typed", who="anna", co="ben")
    shown = cli.run("distribution-rule", "show", "Typed", who="anna").stdout
    assert "Typed staff" in shown and "Greet" in shown and "Two words" in shown
    number, _ = desk.certificate()
    cli.run("certificate", "publish", "--procedure", "Typed", number, who="rosa")
    desk.wait(number)
    [(_, _, _, message, _)] = receiver.of(number)
    assert (message["template"], message["process"], message["tenant"]) == ("Typed staff", "Greet", "Two words")
    assert "template" in cli.run("distribution-rule", "create", "--name", "None", "--protocol", "http", "--address", receiver.url, "--path", "/x",
                                 "--content", "push", who="anna", co="ben", code=1).stderr
