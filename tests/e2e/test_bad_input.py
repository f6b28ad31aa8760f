"""Bad input on the calls that make things: always a problem document with its code, never anything stored."""
import base64
import json
import random
import re
import socket
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from world import make_csr

CERTIFICATES, REQUESTS = "/api/v1/certificates", "/api/v1/requests"
TLS = {"name": "TLS server", "storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}


# ---- a little DER, as wrong as wanted ----

def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytes([first * 40 + second])
    for arc in rest:
        digits = [arc & 127]
        while arc := arc >> 7:
            digits.insert(0, 128 | arc & 127)
        out += bytes(digits)
    return tlv(6, out)


NAME = tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(12, b"bad.example.org"))))
SHA256_RSA = tlv(0x30, oid("1.2.840.113549.1.1.11"), tlv(5))
SHA256_EC = tlv(0x30, oid("1.2.840.10045.4.3.2"))


def csr_of(spki, sigalg, signature):
    return tlv(0x30, tlv(0x30, integer(0), NAME, spki, tlv(0xA0)), sigalg, tlv(3, b"\0", signature))


def rsa_csr(n, e=65537):
    key = tlv(0x30, integer(n), integer(e))
    spki = tlv(0x30, tlv(0x30, oid("1.2.840.113549.1.1.1"), tlv(5)), tlv(3, b"\0", key))
    return csr_of(spki, SHA256_RSA, b"\1" * ((n.bit_length() + 7) // 8))


def ec_csr(parameters, point):
    spki = tlv(0x30, tlv(0x30, oid("1.2.840.10045.2.1"), parameters), tlv(3, b"\0", point))
    return csr_of(spki, SHA256_EC, tlv(0x30, integer(1), integer(1)))


def is_prime(n):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)):
        return False
    return all(pow(a, n - 1, n) == 1 for a in (2, 3, 5))


def prime_after(n):
    n |= 1
    while not is_prime(n):
        n += 2
    return n


def roca_prime(rng):
    """k * M + 65537^a mod M, M the product of the first 126 primes (CVE-2017-15361)."""
    m = 1
    for p in (c for c in range(2, 702) if all(c % d for d in range(2, int(c ** 0.5) + 1))):
        m *= p
    bits = 1024 - m.bit_length()
    while True:
        p = (3 << (bits - 2) | rng.getrandbits(bits - 2)) * m + pow(65537, rng.getrandbits(200), m)
        if is_prime(p):
            return p


def weak_keys():
    rng = random.Random(11)
    p = prime_after(3 << 1022 | rng.getrandbits(1022))
    good = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    p256, off = oid("1.2.840.10045.3.1.7"), point[:-1] + bytes([point[-1] ^ 1])
    prime = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
    explicit = tlv(0x30, integer(1), tlv(0x30, oid("1.2.840.10045.1.1"), integer(prime)),
                   tlv(0x30, tlv(4, (prime - 3).to_bytes(32, "big")), tlv(4, b"\x5a" * 32)), tlv(4, point), integer(prime - 2))
    openssl = ["openssl", "req", "-new", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=bad.example.org", "-outform", "DER",
               "-newkey", "ec", "-pkeyopt"]
    made = {c: subprocess.run(openssl + [f"ec_paramgen_curve:{c}"], capture_output=True, check=True).stdout
            for c in ("prime192v1", "secp256k1")}
    return {
        "RSA 1024": (make_csr("bad.example.org", rsa.generate_private_key(65537, 1024))[0], "CHY-1220"),
        "RSA exponent 3": (make_csr("bad.example.org", rsa.generate_private_key(3, 2048))[0], "CHY-1222"),
        "RSA exponent 1": (rsa_csr(good, 1), "CHY-1(142|222)"),
        "RSA even exponent": (rsa_csr(good, 65536), "CHY-1(142|222)"),
        "RSA even modulus": (rsa_csr(good + 1), "CHY-1(143|144|223)"),
        "RSA 16384 bits": (rsa_csr((1 << 16383) + 1), "CHY-1(143|221)"),
        "RSA close primes": (rsa_csr(p * prime_after(p + 2)), "CHY-1226"),
        "RSA of ROCA's structure": (rsa_csr(roca_prime(rng) * roca_prime(rng)), "CHY-1225"),
        "P-192": (made["prime192v1"], "CHY-1(140|227)"),
        "secp256k1": (made["secp256k1"], "CHY-1(140|227)"),
        "explicit parameters": (ec_csr(explicit, point), "CHY-1141"),
        "point not on the curve": (ec_csr(p256, off), "CHY-1228"),
        "point at infinity": (ec_csr(p256, b"\0"), "CHY-1(144|143|228)"),
        "point too short": (ec_csr(p256, point[:40]), "CHY-1(144|143|228)"),
    }


# ---- what must hold of each refusal ----

@pytest.fixture(scope="module")
def token(sqlite_house):
    return sqlite_house.open_session()


def stored(house):
    anna = house.officers["anna"]
    return [[item["id"] for item in house.call("GET", f"{path}?limit=1000", officer=anna)["items"]] for path in (CERTIFICATES, REQUESTS)]


@pytest.fixture(autouse=True)
def nothing_is_stored(sqlite_house, token):
    """Whatever a test here sends, nothing comes of it, and the server lives and works afterwards."""
    before, pids = stored(sqlite_house), sqlite_house.pids()
    yield
    assert stored(sqlite_house) == before
    assert sqlite_house.pids() == pids, "a process died"
    assert sqlite_house.call("GET", "/readyz")["ready"] is True


def problem(status, headers, data):
    assert status >= 400, (status, data[:200])
    assert headers.get("Content-Type") == "application/problem+json", (status, headers.get("Content-Type"), data[:200])
    value = json.loads(data)
    assert re.fullmatch(r"CHY-\d{4}", value["code"]) and value["status"] == status and value["title"], value
    return status, value


def post(house, path, body, token=None, officer=None, kind="application/json", **more):
    headers = {"Content-Type": kind, **more}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return problem(*house.raw("POST", path, body, headers, officer))


def post_csr(house, token, csr):
    """As JSON and bare: both must be refused for the same reason."""
    one = post(house, CERTIFICATES, json.dumps({"token_procedure": "TLS server", "request": base64.b64encode(csr).decode()}).encode(), token)
    two = post(house, CERTIFICATES + "?token-procedure=TLS%20server", csr, token, kind="application/pkcs10")
    assert one[1]["code"] == two[1]["code"], (one, two)
    return one


def test_truncated_and_prolonged_requests(sqlite_house, token):
    csr, _ = make_csr("cut.example.org", sans=["cut.example.org", "other.example.org"])
    for n in list(range(1, len(csr), 7)) + [len(csr) - 1]:
        status, p = post_csr(sqlite_house, token, csr[:n])
        assert status == 400 and p["code"].startswith("CHY-11"), (n, p)
    assert post_csr(sqlite_house, token, csr + b"\0")[1]["code"] == "CHY-1104"


def test_every_altered_octet(sqlite_house, token):
    """A request with one wrong octet is not well-formed, not allowed or not signed by its key."""
    csr, _ = make_csr("flip.example.org", sans=["flip.example.org"])
    for n in range(0, len(csr), 5):
        wrong = csr[:n] + bytes([csr[n] ^ 0x20]) + csr[n + 1:]
        status, p = post_csr(sqlite_house, token, wrong)
        assert status in (400, 403), (n, p)


def test_not_der(sqlite_house, token):
    csr, _ = make_csr("ber.example.org")
    inner = csr[4:] if csr[1] == 0x82 else csr[3:]
    deep = b""
    for _ in range(2000):
        deep = tlv(0x30, deep)
    long = csr[:1] + b"\x84" + len(inner).to_bytes(4, "big") + inner
    for what, der in {"indefinite": b"\x30\x80" + inner + b"\0\0", "long length": long, "recursive": deep,
                      "indefinite and recursive": b"\x30\x80" * 5000, "huge length": b"\x30\x84\x7f\xff\xff\xff",
                      "endless length": b"\x30" + b"\xff" * 130}.items():
        status, p = post_csr(sqlite_house, token, der)
        assert status == 400 and p["code"].startswith("CHY-11"), (what, p)
    for what, der in {"text": b"Please issue!", "certificate": (sqlite_house.officers["anna"].cert.public_bytes(serialization.Encoding.DER)),
                      "key": ec.generate_private_key(ec.SECP256R1()).private_bytes(
                          serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())}.items():
        assert post_csr(sqlite_house, token, der)[0] == 400, what


def test_oversized_request(sqlite_house, token):
    csr, _ = make_csr("large.example.org", sans=[f"{'a' * 60}.{i}.example.org" for i in range(900)])
    assert len(csr) > 64 << 10
    status, p = post_csr(sqlite_house, token, csr)
    assert status == 400 and p["code"] == "CHY-1151", p


def test_wrong_proof_of_possession(sqlite_house, token):
    """rows=CM-C-26"""
    one, _ = make_csr("pop.example.org")
    key = ec.generate_private_key(ec.SECP256R1())
    other, _ = make_csr("pop.example.org", key)
    info = lambda der: x509.load_der_x509_csr(der)  # noqa: E731
    alg = SHA256_EC
    mixed = tlv(0x30, info(one).tbs_certrequest_bytes, alg, tlv(3, b"\0", info(other).signature))
    status, p = post_csr(sqlite_house, token, mixed)
    assert status in (400, 403) and p["rule"] == "proof-of-possession", p
    zero = tlv(0x30, info(one).tbs_certrequest_bytes, alg, tlv(3, b"\0", tlv(0x30, integer(0), integer(0))))
    assert post_csr(sqlite_house, token, zero)[0] in (400, 403)


def test_weak_keys(sqlite_house, token):
    wrong = {}
    for what, (csr, code) in weak_keys().items():
        status, p = post_csr(sqlite_house, token, csr)
        # policy's rule on weak keys says which check it was that refused
        assert p["code"] != "CHY-1551" or p["rule"] == "weak-key", p
        told = p["cause"] if p["code"] == "CHY-1551" else p["code"]
        if status not in (400, 403) or not re.fullmatch(code, told):
            wrong[what] = p
    assert not wrong


def json_cases(good):
    text = json.dumps(good)
    member = next(iter(good))
    deep = b'{"a":' * 40 + b"1" + b"}" * 40
    return {
        "nothing": (b"", ("CHY-1827", "CHY-1004")), "not JSON": (b"hello", "CHY-1004"), "cut": (text[:-1].encode(), "CHY-1004"),
        "more behind": ((text + "{}").encode(), "CHY-1004"), "array": (b"[]", "CHY-1008"), "null": (b"null", "CHY-1008"),
        "unknown member": (json.dumps(dict(good, colour="red")).encode(), "CHY-1010"),
        "duplicate": (('{"%s":"x",' % member + text[1:]).encode(), "CHY-1005"),
        "missing": (b"{}", "CHY-1009"), "wrong type": (json.dumps({k: [] for k in good}).encode(), "CHY-1008"),
        "float": (json.dumps(dict(good, **{member: 1.5})).encode(), "CHY-1007"),
        "exponent": (text.replace(json.dumps(good[member]), "1e3", 1).encode(), "CHY-1007"),
        "great number": (json.dumps(dict(good, **{member: 1 << 70})).encode(), "CHY-1007"),
        "deep objects": (deep, "CHY-1006"), "deep arrays": (b"[" * 100000, "CHY-1006"),
        "not UTF-8": (b'{"%s":"\xff\xfe"}' % member.encode(), "CHY-1011"),
        "lone surrogate": (b'{"%s":"\\ud800"}' % member.encode(), ("CHY-1011", "CHY-1004")),
        "comment": (b"/* x */" + text.encode(), "CHY-1004"), "byte order mark": (b"\xef\xbb\xbf" + text.encode(), "CHY-1004"),
        "trailing comma": (text[:-1].encode() + b",}", "CHY-1004"),
    }


@pytest.mark.parametrize("path", [CERTIFICATES, REQUESTS])
def test_bad_json(sqlite_house, token, path):
    csr = base64.b64encode(make_csr("json.example.org")[0]).decode()
    if path == CERTIFICATES:
        good, who = {"token_procedure": "TLS server", "request": csr}, {"token": token}
    else:
        good, who = {"act": "token-procedure.create", "body": dict(TLS, name="Bad JSON")}, {"officer": sqlite_house.officers["anna"]}
    wrong = {}
    for what, (body, codes) in json_cases(good).items():
        status, p = post(sqlite_house, path, body, **who)
        if status not in (400, 422) or p["code"] not in codes:
            wrong[what] = p
    assert not wrong
    assert post(sqlite_house, path, json.dumps(good).encode(), kind="text/plain", **who)[0] == 415


def test_bad_members(sqlite_house, token):
    csr = base64.b64encode(make_csr("members.example.org")[0]).decode()
    for change, field in (({"request": "%%%"}, "request"), ({"request": csr[:-1] + "!"}, "request"),
                          ({"validity": {"not_before": "yesterday"}}, "validity.not_before"),
                          ({"validity": {"colour": 1}}, "colour"), ({"validity": 5}, "validity")):
        body = dict({"token_procedure": "TLS server", "request": csr}, **change)
        status, p = post(sqlite_house, CERTIFICATES, json.dumps(body).encode(), token)
        assert status == 400 and field in p.get("field", ""), p
    anna = sqlite_house.officers["anna"]
    for body in ({"act": "token-procedure.destroy", "body": {}}, {"act": "", "body": {}}, {"act": "officer.create", "body": []},
                 {"act": "token-procedure.create", "body": dict(TLS, name="X", colour="red")},
                 {"act": "token-procedure.create", "body": dict(TLS, name=5)},
                 {"act": "token-procedure.create", "body": dict(TLS, name="X", certificate_procedures=["None such"])},
                 {"act": "token-procedure.create", "body": dict(TLS, name="X" * 100000)},
                 {"act": "token-procedure.modify", "body": dict(TLS), "object": 987654321}):
        status, p = post(sqlite_house, REQUESTS, json.dumps(body).encode(), officer=anna)
        assert status in (400, 404, 409), p


# ---- bodies that are too long, or too slow ----

def talk(house, head, chunks=(), wait=30):
    """What comes back on a bare connection, whatever the server thinks of it; and the seconds that it took."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", house.plain_port), timeout=wait) as s:
        try:
            s.sendall(head)
            for c in chunks:
                s.sendall(c)
        except OSError:
            pass
        got = b""
        try:
            while part := s.recv(65536):
                got += part
        except OSError:
            assert got, "cut off without a word"
    return got, time.monotonic() - began


def problem_of(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, raw[:300]
    p = json.loads(body)
    assert int(head.split()[1]) == p["status"]
    return p


@pytest.mark.parametrize("how", ["announced", "announced and sent", "chunked"])
def test_100_megabytes(sqlite_house, token, how):
    head = f"POST {CERTIFICATES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    piece = b"[" * (1 << 20)
    if how == "chunked":
        head += "Transfer-Encoding: chunked\r\n\r\n"
        chunks = (b"100000\r\n" + piece + b"\r\n" for _ in range(100))
    else:
        head += f"Content-Length: {100 << 20}\r\n\r\n"
        chunks = (piece for _ in range(100)) if how != "announced" else ()
    raw, seconds = talk(sqlite_house, head.encode(), chunks)
    p = problem_of(raw)
    assert p["status"] == 413 and p["code"] == "CHY-1807" and seconds < 15, (p, seconds)


def test_a_slow_body(sqlite_house, token):
    """An octet now and then does not hold a connection for ever, nor others up."""
    head = f"POST {CERTIFICATES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"

    def trickle():
        for _ in range(22):
            time.sleep(1)
            assert sqlite_house.raw("GET", "/healthz", timeout=5)[0] == 200
            yield b" "

    raw, seconds = talk(sqlite_house, head.encode(), trickle())
    p = problem_of(raw)
    assert p["status"] == 408 and p["code"] == "CHY-1808" and seconds < 40, (p, seconds)


def test_unclear_framing(sqlite_house, token):
    line = (f"POST {CERTIFICATES} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\n")
    for more in ("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Content-Length: -1\r\n\r\n", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                 "Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
        assert problem_of(talk(sqlite_house, (line + more).encode())[0])["status"] == 400, more
