"""The HTTP server of the gateway under bad input, bad manners and many clients (http_server.c is the server)."""
import concurrent.futures
import json
import re
import socket
import ssl
import subprocess
import time

import pytest


class Server:
    def __init__(self, build, *args):
        self.process = subprocess.Popen([str(build / "tests/e2e/http_server"), *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port, self.tls_port = map(int, self.process.stdout.readline().split())

    def connect(self, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def send(self, raw, timeout=10):
        """Sends raw bytes, reads until the server closes or the answer is whole."""
        with self.connect(timeout) as s:
            s.sendall(raw)
            return read_answer(s)

    def end(self):
        """Lets it drain; gives what it said of that."""
        said, _ = self.process.communicate("", timeout=30)
        assert self.process.returncode == 0 and said == "drained 1\n"
        return said

    def descriptors(self):
        import os
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        assert self.headers["content-type"] == "application/problem+json", self.headers
        assert self.json["status"] == self.status
        return self.json["code"]


def read_answer(s, buffer=None, head_only=False):
    """One answer from a socket. buffer: what came already, left with what follows the answer."""
    buffer = bytearray() if buffer is None else buffer

    def more():
        got = s.recv(65536)
        buffer.extend(got)
        return bool(got)

    while b"\r\n\r\n" not in buffer:
        if not more():
            return None
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z ]+", lines[0])
    assert match, lines[0]
    status = int(match[1])
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    del buffer[:len(head) + 4]
    if status == 100:
        return read_answer(s, buffer, head_only)
    if head_only or status == 204:
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, read_chunks(buffer, more))
    if "content-length" not in headers:
        while more():
            pass
        body = bytes(buffer)
        buffer.clear()
        return Answer(status, headers, body)
    n = int(headers["content-length"])
    while len(buffer) < n:
        if not more():
            break
    body = bytes(buffer[:n])
    del buffer[:n]
    return Answer(status, headers, body)


def read_chunks(buffer, more):
    body = bytearray()
    while True:
        while b"\r\n" not in buffer:
            if not more():
                raise EOFError("the answer breaks off")
        size, _, _ = bytes(buffer).partition(b"\r\n")
        n = int(size, 16)
        while len(buffer) < len(size) + 2 + n + 2:
            if not more():
                raise EOFError("the answer breaks off")
        body += buffer[len(size) + 2:len(size) + 2 + n]
        del buffer[:len(size) + 2 + n + 2]
        if n == 0:
            return bytes(body)


def post(path, body=b"", *headers, type="application/octet-stream"):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path, *headers, method="GET"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers]).encode() + b"\r\n\r\n"


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    d = tmp_path_factory.mktemp("certs")
    for name in ("server", "client"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", d / f"{name}.key", "-out", d / f"{name}.pem", "-subj", f"/CN={name}", "-days", "2"],
                       check=True, capture_output=True)
    return d


@pytest.fixture(scope="module")
def server(build, certs):
    s = Server(build, "--cert", str(certs / "server.pem"), "--key", str(certs / "server.key"), "--connections", "3000")
    yield s
    s.end()


def tls(server, certs, client=True, session=None):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.load_verify_locations(certs / "server.pem")
    if client:
        ctx.load_cert_chain(certs / "client.pem", certs / "client.key")
    return ctx.wrap_socket(socket.create_connection(("127.0.0.1", server.tls_port), 10))


@pytest.mark.parametrize("path", ["/echo", "/echo-worker", "/later?ms=20"])
@pytest.mark.parametrize("size", [1, 1000, 4096, 70000, 1 << 20])
def test_bodies_come_back_whole(server, path, size):
    body = bytes(i * 7 % 251 for i in range(size))
    a = server.send(post(path, body))
    assert a.status == 200 and a.body == body


def test_chunked_bodies_come_back_whole(server):
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    with server.connect() as s:
        for _ in range(3):
            s.sendall(head)
            for piece in (b"a" * 10, b"b" * 5000, b"c"):
                s.sendall(b"%x\r\n" % len(piece))
                s.sendall(piece + b"\r\n")
            s.sendall(b"0\r\n\r\n")
            assert read_answer(s).body == b"a" * 10 + b"b" * 5000 + b"c"


def test_answers_one_byte_at_a_time(server):
    with server.connect() as s:
        for c in post("/echo", b"slow but whole"):
            s.sendall(bytes([c]))
            time.sleep(0.001)
        assert read_answer(s).body == b"slow but whole"


def test_pipelined_requests_are_answered_in_order(server):
    with server.connect() as s:
        paths = ["/echo", "/later?ms=30", "/echo-worker", "/echo"] * 50
        s.sendall(b"".join(post(p, b"%d" % i) for i, p in enumerate(paths)))
        buffer = bytearray()
        for i in range(len(paths)):
            assert read_answer(s, buffer).body == b"%d" % i
        assert not buffer


def test_pipelining_more_than_fits(server):
    with server.connect(30) as s, concurrent.futures.ThreadPoolExecutor(1) as pool:
        body = b"x" * 50000
        sender = pool.submit(s.sendall, post("/echo", body) * 200)
        buffer = bytearray()
        for _ in range(200):
            assert read_answer(s, buffer).body == body
        sender.result()


def test_a_body_over_the_limit_is_refused_before_it_comes(server):
    """100 MB announced, or sent all the same: a problem document, and soon."""
    with server.connect() as s:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 104857600\r\n\r\n")
        a = read_answer(s)
        assert (a.status, a.code) == (413, "CHY-1807")
        assert a.headers["connection"] == "close"
    assert server.send(post("/echo-small", b"x" * 100)).status == 200
    assert server.send(post("/echo-small", b"x" * 101)).code == "CHY-1807"
    began = time.time()
    with server.connect(30) as s:
        try:
            s.sendall(post("/echo", b"x" * 104857600))
        except OSError:
            pass  # it need not take it all
        try:
            assert read_answer(s).status == 413
        except ConnectionError:
            pass
    assert time.time() - began < 10


def test_a_chunked_body_over_the_limit_is_refused(server):
    head = b"POST /echo-small HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert server.send(head + b"fffffff\r\n").code == "CHY-1807"
    with server.connect() as s:
        s.sendall(head + b"1\r\nx\r\n" * 101)
        assert read_answer(s).code == "CHY-1807"


def test_expect_continue(server):
    with server.connect() as s:
        s.sendall(post("/echo", b"", "Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 5"))
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(b"hello")
        assert read_answer(s).body == b"hello"
    with server.connect() as s:  # refused without asking for the body
        s.sendall(post("/echo-small", b"", "Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 500"))
        assert read_answer(s).status == 413


@pytest.mark.parametrize("raw, status, code", [
    (b"GET /hello HTTP/1.1\r\n\r\n", 400, "CHY-1800"),
    (b"GET /hello HTTP/1.1\nHost: x\n\n", None, None),
    (b"BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n", 501, "CHY-1801"),
    (b"GET /hello HTTP/3.0\r\nHost: x\r\n\r\n", 505, "CHY-1802"),
    (b"GET hello HTTP/1.1\r\nHost: x\r\n\r\n", 400, "CHY-1803"),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "CHY-1804"),
    (b"GET /hello HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 17000 + b"\r\n\r\n", 431, "CHY-1805"),
    (b"GET /hello HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431, "CHY-1805"),
    (b"GET /hello HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 17000, 431, "CHY-1805"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "CHY-1800"),
    (b"\x00", 400, "CHY-1800"),
    (get("/" + "a" * 5000), 400, "CHY-1803"),
    (get("/nope"), 404, "CHY-1815"),
    (get("/"), 404, "CHY-1815"),
    (get("/hello/"), 400, "CHY-1810"),
    (get("//hello"), 400, "CHY-1810"),
    (get("/items/../hello"), 400, "CHY-1810"),
    (get("/items/%2e%2e/hello"), 400, "CHY-1810"),
    (get("/items/1/a%2fb"), 400, "CHY-1810"),
    (get("/items/1/%00"), 400, "CHY-1810"),
    (get("/items/1/%ff"), 400, "CHY-1810"),
    (get("/items/0/x"), 400, "CHY-1015"),
    (get("/items/-1/x"), 400, "CHY-1015"),
    (get("/items/9007199254740992/x"), 400, "CHY-1015"),
    (get("/items/1x/x"), 400, "CHY-1015"),
    (get("/items/1/x?limit=0"), 400, "CHY-1015"),
    (get("/items/1/x?limit=1&limit=1"), 400, "CHY-1811"),
    (get("/items/1/x?other=1"), 400, "CHY-1811"),
    (get("/items/1/x?all=1"), 400, "CHY-1811"),
    (get("/items/1/x?from=yesterday"), 400, "CHY-1014"),
    (get("/items/1/x", "Accept: text/html"), 406, "CHY-1812"),
    (get("/items/1/x", "Accept: ;"), 400, "CHY-1809"),
    (get("/hello", method="PUT"), 405, "CHY-1816"),
    (get("/hello", method="DELETE"), 405, "CHY-1816"),
    (post("/items/1/x"), 405, "CHY-1816"),
    (get("/hello", "Content-Length: 1") + b"x", 400, "CHY-1828"),
    (post("/echo", b"x", type="text/plain"), 415, "CHY-1813"),
    (post("/echo", b"x", "Content-Type: application/octet-stream"), 415, "CHY-1813"),
    (post("/echo"), 400, "CHY-1827"),
    (get("/officer"), 401, "CHY-1818"),
    (get("/session"), 401, "CHY-1818"),
    (get("/session", "Authorization: Bearer bad"), 401, "CHY-1829"),
    (get("/session", "Authorization: Basic Z29vZA=="), 401, "CHY-1814"),
    (get("/session", "Authorization: Bearer good", "Authorization: Bearer good"), 400, "CHY-1809"),
    (get("/officer", "Authorization: Bearer good"), 401, "CHY-1819"),
], ids=lambda v: re.sub(r"[^ -~]+", " ", v[:60].decode("latin-1")) if isinstance(v, bytes) else None)
def test_bad_requests_get_problem_documents(server, raw, status, code):
    if status is None:  # never whole: bare line feeds do not end a head
        with server.connect(0.5) as s:
            s.sendall(raw)
            with pytest.raises(TimeoutError):
                s.recv(1)
        return
    a = server.send(raw)
    assert (a.status, a.code) == (status, code)
    if status == 405:
        assert "OPTIONS" in a.headers["allow"]
    if status == 401:
        assert a.headers["www-authenticate"].startswith("Bearer")


def test_parameters_reach_the_handler(server):
    a = server.send(get("/items/42/caf%C3%A9?limit=7&text=a%20b%26c&all=true&from=2026-01-01T00:00:00Z", "Accept: text/plain"))
    assert a.json == {"method": "GET", "id": 42, "name": "café", "remote": "127.0.0.1", "tls": False, "cert": 0, "limit": 7,
                      "query": {"limit": "7", "text": "a b&c", "all": "true", "from": "2026-01-01T00:00:00Z"},
                      "accept": 1}


def test_head_and_options(server):
    with server.connect() as s:
        s.sendall(get("/hello", method="HEAD"))
        a = read_answer(s, head_only=True)
        assert a.status == 200 and a.headers["content-length"] == "29"
        s.sendall(get("/hello", method="OPTIONS"))  # were a body sent with HEAD, this would read it
        a = read_answer(s)
        assert a.status == 204 and a.headers["allow"].split(", ") == ["POST", "GET", "HEAD", "OPTIONS"]
        s.sendall(get("/stream?lines=5", method="HEAD"))
        assert read_answer(s, head_only=True).status == 200
        s.sendall(get("/hello"))
        assert read_answer(s).status == 200


def test_http_1_0(server):
    with server.connect() as s:
        s.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
        a = read_answer(s)
        assert a.status == 200 and a.headers["connection"] == "close" and s.recv(1) == b""
    with server.connect() as s:
        s.sendall(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert read_answer(s).headers["connection"] == "keep-alive"
        s.sendall(b"GET /stream?lines=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert len(read_answer(s).body) == 3000


def test_streams(server):
    a = server.send(get("/stream?lines=3000"), timeout=60)
    assert a.body == b"".join(b"%0999d\n" % i for i in range(3000))
    with server.connect() as s:  # two on one connection
        for _ in range(2):
            s.sendall(get("/stream?lines=2"))
            assert len(read_answer(s).body) == 2000
    with pytest.raises(EOFError):  # a failure in the middle shows
        server.send(get("/stream?lines=10&fail=5"))


def test_a_stream_waits_for_its_client(server):
    """A gigabyte for a client that takes nothing does not fill the memory; when he goes the worker is free again."""
    def resident():
        status = open(f"/proc/{server.process.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024

    before = resident()
    for _ in range(4):  # more than there are workers
        with server.connect() as s:
            s.sendall(get("/stream?lines=1000000"))
            time.sleep(0.5)
            assert resident() - before < 40
    assert server.send(post("/echo-worker", b"x")).body == b"x"


def test_clients_that_leave_do_no_harm(server):
    """The answer comes when the client has gone; also in the middle of a body, a head, and a stream."""
    for i in range(100):
        s = server.connect()
        s.sendall([post("/later?ms=100", b"x"), post("/echo", b"x" * 100000)[:50000], b"GET /he", get("/stream?lines=10000"),
                   post("/echo-worker", b"y")][i % 5])
        if i % 2:  # reset in place of an orderly end
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        s.close()
    time.sleep(0.5)
    assert server.send(post("/later?ms=1", b"alive")).body == b"alive"


def test_a_client_may_close_his_half(server):
    with server.connect() as s:
        s.sendall(post("/later?ms=100", b"x"))
        s.shutdown(socket.SHUT_WR)
        assert read_answer(s).body == b"x"


def test_a_thousand_connections(server):
    sockets = [server.connect() for _ in range(1000)]
    try:
        for i, s in enumerate(sockets):
            s.sendall(post("/echo", b"%d" % i))
        for i, s in enumerate(sockets):
            assert read_answer(s).body == b"%d" % i
        for i, s in enumerate(sockets):
            s.sendall(post("/echo-worker", b"%d" % i))
        answers = [read_answer(s) for s in sockets]
        assert all(a.body == b"%d" % i for i, a in enumerate(answers) if a.status == 200)
        assert all(a.code == "CHY-1021" for a in answers if a.status != 200)  # the workers' queue is full
    finally:
        for s in sockets:
            s.close()


def test_tls_with_and_without_client_certificate(server, certs):
    with tls(server, certs, client=False) as s:
        assert s.version() == "TLSv1.3"
        s.sendall(get("/items/1/x"))
        assert read_answer(s).json["tls"] is True
        s.sendall(get("/officer"))
        assert read_answer(s).code == "CHY-1818"
        s.sendall(get("/either", "Authorization: Bearer good"))
        assert read_answer(s).json == {"officer": 7, "session": 9}
    with tls(server, certs) as s:
        s.sendall(get("/items/1/x"))
        der = ssl.PEM_cert_to_DER_cert((certs / "client.pem").read_text())
        assert read_answer(s).json["cert"] == len(der)
        s.sendall(get("/officer"))
        assert read_answer(s).json == {"officer": 7, "session": 0}
        s.sendall(get("/auditor"))
        a = read_answer(s)
        assert (a.status, a.code) == (403, "CHY-1820") and "audit-tasks" in a.json["detail"]
        s.sendall(get("/session"))
        assert read_answer(s).code == "CHY-1819"


@pytest.mark.parametrize("path", ["/echo", "/echo-worker"])
def test_tls_large_and_pipelined(server, certs, path):
    with tls(server, certs) as s:  # one thread: Python's sockets must not read and write TLS at once
        body = bytes(range(256)) * 1000
        s.sendall(post(path, body))
        assert read_answer(s).body == body
        s.sendall(b"".join(post(path, b"%d" % i) for i in range(300)))
        buffer = bytearray()
        for i in range(300):
            assert read_answer(s, buffer).body == b"%d" % i
        s.sendall(get("/stream?lines=3000"))
        assert len(read_answer(s).body) == 3000000


def test_tls_garbage_and_plain_text_on_the_tls_port(server):
    for raw in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 100, b""):
        with socket.create_connection(("127.0.0.1", server.tls_port), 10) as s:
            s.sendall(raw)
            if raw:
                s.shutdown(socket.SHUT_WR)
                while s.recv(1000):
                    pass


def test_slow_clients_are_cut(build):
    s = Server(build, "--body-seconds", "1", "--idle-seconds", "1")
    with s.connect() as head, s.connect() as body, s.connect() as idle, s.connect() as trickle:
        head.sendall(b"GET /hello HTTP/1.1\r\nHo")
        body.sendall(post("/echo", b"x" * 1000)[:-500])
        began = time.time()
        while time.time() - began < 0.9:  # bytes that keep coming are no excuse
            trickle.sendall(b"P" if time.time() == began else b"X")
            time.sleep(0.05)
        for c in (head, body, trickle):
            a = read_answer(c)
            assert (a.status, a.code) == (408, "CHY-1808")
            assert c.recv(100) == b""
        assert idle.recv(100) == b""  # nothing was asked, nothing is said
        assert time.time() - began < 15  # they are 20 and 75 seconds where nobody says
    s.end()


def test_too_many_connections(build):
    s = Server(build, "--connections", "10", "--threads", "1")
    held = [s.connect() for _ in range(10)]
    for c in held:
        c.sendall(post("/echo", b"x"))
        assert read_answer(c).status == 200
    a = s.send(post("/echo", b"x"))
    assert (a.status, a.code) == (503, "CHY-1822") and a.headers["retry-after"] == "1"
    held.pop().close()
    end = time.monotonic() + 10
    while (a := s.send(post("/echo", b"x"))).status == 503 and time.monotonic() < end:  # it has to see first that one is gone
        assert a.code == "CHY-1822"
        time.sleep(0.05)
    assert a.status == 200
    for c in held:
        c.close()
    s.end()


def test_a_full_queue_is_said(build):
    s = Server(build, "--workers", "1", "--queue", "1")
    busy = [s.connect() for _ in range(6)]
    for c in busy:
        c.sendall(get("/stream?lines=100000"))  # nobody reads: the worker waits
        time.sleep(0.1)
    a = s.send(get("/stream"))
    assert (a.status, a.code) == (503, "CHY-1021")
    for c in busy:
        c.close()
    s.end()


def test_draining_finishes_what_is_open(build):
    s = Server(build, "--drain", "30000")
    with s.connect() as open_call, s.connect() as idle, concurrent.futures.ThreadPoolExecutor(1) as pool:
        open_call.sendall(post("/later?ms=4000", b"x"))
        time.sleep(1)
        ended = pool.submit(s.end)
        a = read_answer(open_call)
        assert a.body == b"x" and a.headers["connection"] == "close"
        assert idle.recv(1) == b""
        assert "drained 1" in ended.result()


def at_rest(read):
    """What it reads, once that has been the same for a second."""
    seen, since = read(), time.monotonic()
    end = since + 30
    while time.monotonic() - since < 1:
        assert time.monotonic() < end
        time.sleep(0.05)
        if (now := read()) != seen:
            seen, since = now, time.monotonic()
    return seen


def test_no_descriptor_is_lost(build, certs):
    s = Server(build, "--cert", str(certs / "server.pem"), "--key", str(certs / "server.key"))
    assert s.send(get("/hello")).status == 200
    before = at_rest(s.descriptors)
    for _ in range(50):
        assert s.send(get("/hello", "Connection: close")).status == 200
        assert s.send(get("/nope")).status == 404
        with tls(s, certs) as c:
            c.sendall(get("/hello"))
            assert read_answer(c).status == 200
    end = time.monotonic() + 10  # it may see late that the last ones are gone
    while s.descriptors() != before and time.monotonic() < end:
        time.sleep(0.05)
    assert s.descriptors() == before
    s.end()


def test_openapi_names_every_route(server):
    a = server.send(get("/api/openapi.json"))
    doc = a.json
    assert doc["openapi"] == "3.1.0"
    assert set(doc["paths"]) == {"/echo", "/echo-worker", "/echo-small", "/hello", "/later", "/stream", "/items/{id}/{name}",
                                 "/officer", "/auditor", "/session", "/either", "/api/openapi.json", "/metrics",
                                 "/healthz", "/readyz"}
    assert set(doc["paths"]["/hello"]) == {"get", "post"}
    item = doc["paths"]["/items/{id}/{name}"]["get"]
    assert [(p["name"], p["in"], p["required"]) for p in item["parameters"]] == [
        ("id", "path", True), ("name", "path", True), ("limit", "query", False), ("from", "query", False),
        ("all", "query", False), ("text", "query", False)]
    assert doc["paths"]["/auditor"]["get"]["x-roles-any"] == ["audit-tasks"]
    assert doc["paths"]["/either"]["get"]["security"] == [{"officer": []}, {"session": []}]
    assert doc["paths"]["/hello"]["get"]["security"] == []
    operations = [op["operationId"] for path in doc["paths"].values() for op in path.values()]
    assert len(set(operations)) == len(operations)
    check_openapi(doc)


def check_openapi(doc):
    """The structure that OpenAPI 3.1 demands, and each schema by JSON Schema's own meta-schema."""
    from jsonschema import Draft202012Validator

    for path, item in doc["paths"].items():
        assert path.startswith("/")
        names = set(re.findall(r"{(\w+)}", path))
        for method, op in item.items():
            assert method in {"get", "put", "post", "delete"}
            assert op["responses"] and op["summary"]
            parameters = op.get("parameters", [])
            assert {p["name"] for p in parameters if p["in"] == "path"} == names
            for p in parameters:
                Draft202012Validator.check_schema(p["schema"])
            for scheme in op["security"]:
                assert set(scheme) <= set(doc["components"]["securitySchemes"])
    for schema in doc["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for ref in re.findall(r'"\$ref": "([^"]+)"', json.dumps(doc)):
        target = doc
        for part in ref.removeprefix("#/").split("/"):
            target = target[part]


def test_problems_fit_their_schema(server):
    from jsonschema import Draft202012Validator

    schema = server.send(get("/api/openapi.json")).json["components"]["schemas"]
    for raw in (get("/nope"), get("/items/0/x"), b"\x00", get("/officer")):
        Draft202012Validator(schema["Problem"]).validate(server.send(raw).json)
    Draft202012Validator(schema["Readiness"]).validate(server.send(get("/readyz")).json)


def test_metrics_count_by_route_and_status(server):
    def value(text, series):
        found = re.search("^" + re.escape(series) + r" (\d+)$", text, re.M)
        return int(found[1]) if found else 0

    series = 'chancery_http_requests_total{method="GET",route="/items/{id}/{name}",status="400"}'
    before = value(server.send(get("/metrics")).body.decode(), series)
    for _ in range(3):
        server.send(get("/items/0/x"))
    a = server.send(get("/metrics"))
    text = a.body.decode()
    assert value(text, series) == before + 3
    assert "chancery_build_info{version=" in text and "process_resident_memory_bytes" in text
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)*\})? -?[0-9.]+', line), line
    for count, inf in re.findall(r'_bucket{[^}]*le="\+Inf"} (\d+)\n\w+_sum[^\n]*\n\w+_count[^\n]* (\d+)', text):
        assert count == inf


def test_any_allocation_of_a_request_may_fail(build, monkeypatch):
    """Memory that runs out somewhere in a request gives 503 or a closed connection: no wrong answer, no crash, no call lost."""
    requests = (post("/echo", b"x" * 3000), get("/items/1/x?text=a%20b"), get("/nope"), get("/stream?lines=5"), get("/metrics"))

    def start(n):
        monkeypatch.setenv("CHANCERY_FAULT", f"base.alloc@{n}=fail")
        return Server(build)

    def starts(n):
        try:
            start(n).end()
            return True
        except ValueError:  # it said no ports
            return False

    below, first = 0, 1 << 20  # the first allocation behind those of the start
    while first - below > 1:
        middle = (below + first) // 2
        below, first = (below, middle) if starts(middle) else (middle, first)
    refused = 0
    for n in range(first, first + 60, 2):
        s = start(n)
        for raw in requests:
            with s.connect() as c:
                c.sendall(raw)
                a = read_answer(c)
            if a is None or a.status == 503:
                refused += 1
            else:
                assert a.status == (404 if raw == requests[2] else 200)
        s.end()
    assert refused > 10
