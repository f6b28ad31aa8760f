"""The factory dies while the second officer's signature is brought: the act is done once or waits to be signed again, never in
part, whatever kind of document it makes or changes, on both databases."""
import base64
import hashlib
import json
import threading
import time

import pytest

from test_officers import verify
from world import Refused, make_csr, until



def created(kind, **body):
    return lambda house, slug: (f"{kind}.create", {"name": f"Crash {slug}", **body}, None)


def changed(kind, make, **members):
    """Of a document that is there already, so its second version."""
    def prepare(house, slug):
        anna, ben = house.officers["anna"], house.officers["ben"]
        done = house.act(*make(house, slug)[:2], anna, ben)
        there = document(house, kind, done["result"]["id"])
        return f"{kind}.modify", dict(there["body"], **members), there["id"]
    return prepare


def officer(house, slug):
    csr, _ = make_csr(f"Crash {slug}")
    done = house.act("certificate.issue",
                     {"token_procedure": "Officer", "requests": [{"csr": base64.b64encode(csr).decode(), "name": slug}]},
                     house.officers["rosa"])
    item = done["result"]["certificates"][0]
    return "officer.create", {"name": f"Crash {slug}", "profile": "Registration officer", "certificate": item["certificate"],
                              "certificate_sha256": hashlib.sha256(base64.b64decode(item["der"])).hexdigest()}, None


PROFILE = {"entity_type": "subject", "roles": ["use-clients", "issue-certificate"]}
CERTIFICATE = {"authority": "Issuing CA", "format": "TLS server", "key_usage": ["digitalSignature"],
               "extended_key_usage": ["serverAuth"], "validity": "P90D"}
TOKEN = {"storage_profile": "pkcs10", "issuer_certificates": "none", "certificate_procedures": ["TLS server"]}
ACTS = {
    "domain": created("domain"),
    "domain closed": changed("domain", created("domain"), state="closed"),
    "profile": created("officer-profile", **PROFILE),
    "officer": officer,
    "officer closed": changed("officer", officer, state="closed"),
    "certificate procedure": created("certificate-procedure", **CERTIFICATE),
    "certificate procedure changed": changed("certificate-procedure", created("certificate-procedure", **CERTIFICATE),
                                             validity="P30D"),
    "token procedure": created("token-procedure", **TOKEN),
}
KEY = {"key": created("ca-key", algorithm="p-256", place="software")}  # the signer's work comes before the document
ALL = {**ACTS, **KEY}
POINTS = [  # and in which states the requests may be found
    ("factory.before-signature", ALL, {"waiting"}),
    ("store.before-commit", ALL, {"waiting", "signed", "done"}),  # other commits come by there too
    ("store.after-commit", ALL, {"waiting", "signed", "done"}),
    ("factory.after-signature", ACTS, {"done"}),  # signatures, document and state are one commit
    ("factory.after-signature", KEY, {"signed", "done"}),
    ("factory.after-work", KEY, {"signed", "done"}),
]


def document(house, kind, number):
    return house.call("GET", f"/api/v1/documents/{kind}/{number}", officer=house.officers["anna"])


def shown(house, request):
    """The request as it is once the killed program is there again."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            return house.call("GET", f"/api/v1/requests/{request['id']}", officer=house.officers["anna"])
        except Refused as e:
            assert e.status in (429, 502, 503, 504), e
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(house.log.read_text()[-2000:])


def bring(house, request):
    """Ben's signature; True where it was answered."""
    try:
        house.bring(house.officers["ben"], request, house.officers["ben"])
    except Refused as e:
        assert e.status in (409, 502, 503, 504), e
        return False
    except OSError:
        return False
    return True


def settled(house, request):
    """Signed again for as long as it waits; what is signed goes on by itself."""
    first, end = shown(house, request), time.monotonic() + 60
    now = first
    while now["state"] != "done" and time.monotonic() < end:
        assert now["state"] in ("waiting", "signed"), now
        assert len(now["signatures"]) == (1 if now["state"] == "waiting" else 2)
        if now["state"] == "waiting":
            bring(house, now)
        time.sleep(0.05)
        now = shown(house, request)
    assert now["state"] == "done" and len(now["signatures"]) == 2, now
    return first["state"], now


def rows_of(house, scratch):
    """The export, which verifies: its documents and its signatures. Who was killed held the sequencer's lease."""
    end, left = time.monotonic() + 60, 1
    while left > 0 and time.monotonic() < end:
        done = verify(house, scratch)
        assert done.returncode == 0, done.stdout + done.stderr
        rows = [json.loads(line) for line in (scratch / "export.jsonl").read_text().splitlines()]
        left = rows[-1]["left_out"]
    assert left == 0 and "auditor.disagreement" not in house.log.read_text()
    return [r for r in rows if r["type"] == "document"], [r for r in rows if r["type"] == "request-signature"]


def killed(house, point, name, make, once):
    """One act, with the factory killed at the point once Anna has signed and Ben's signature is on its way: the request's state
    when the factory was there again, and what must be in the journal: (request, kind, id, version, name)."""
    anna = house.officers["anna"]
    act, body, obj = make(house, f"{name} {point.replace('.', '-')}")
    kind = act.split(".")[0]
    before = document(house, kind, obj)["version"] if obj else 0
    request = house.prepare(anna, act, body, obj)
    assert house.bring(anna, request, anna)["state"] == "waiting"
    mark = len(house.log.read_text())
    once.unlink()
    answered = bring(house, request)
    first, now = settled(house, request)
    house.wait_killed(mark)
    assert not answered or point.startswith("store."), "killed before the answer"
    return first, (request["id"], kind, now["result"]["id"], before + 1, body["name"])


def kill_each(house, point, acts):
    """The states in which the acts were found, and what must be in the journal."""
    once = house.dir / "signer" / f"documents-{len(acts)}-{point.replace('.', '-')}"
    once.touch()  # the first process that reaches the point without it makes it, and dies
    house.stop()
    house.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(once))
    try:
        done = [killed(house, point, name, make, once) for name, make in acts.items()]
    finally:
        house.stop()
        house.start()
    return {first for first, _ in done}, [made for _, made in done]


def test_killed_while_the_second_signature_is_brought(house, scratch):
    """rows=CM-O-17"""
    made = []
    for point, acts, states in POINTS:
        found, more = kill_each(house, point, acts)
        assert found <= states, point
        made += more
    documents, signatures = rows_of(house, scratch)
    for request, kind, number, version, name in made:
        same = [d for d in documents if d["kind"] == kind and d["body"]["name"] == name]
        assert [(d["id"], d["version"]) for d in same] == [(number, v + 1) for v in range(version)], f"{name}: each version once"
        assert len([s for s in signatures if s["request"] == request]) == 2, name
        assert document(house, kind, number)["version"] == version, name


@pytest.mark.parametrize("other", ["PUT", "DELETE"])
def test_a_draft_that_was_changed_meanwhile(house, other):
    """Between reading a draft, and whether it may be changed, and writing it somebody else is faster: refused, and what the other one
    did stays. rows=CM-O-12"""
    anna = house.officers["anna"]
    path = f"/api/v1/drafts/token-procedure/{house.call('POST', '/api/v1/drafts/token-procedure', {'name': 'First'}, anna)['id']}"
    held = house.dir / "signer" / f"draft-{other}"
    house.stop()
    house.start(CHANCERY_FAULT="factory.before-draft=wait", CHANCERY_FAULT_ONCE=str(held))
    told = []

    def slow():
        try:
            told.append(house.call("PUT", path, {"name": "Slow"}, anna)["name"])
        except Refused as e:
            told.append((e.status, e.code))

    thread = threading.Thread(target=slow)
    try:
        house.wait_ready()
        thread.start()
        until(held.exists, 60, "the slow one did not come by")
        house.call(other, path, {"name": "Fast"} if other == "PUT" else None, anna)
    finally:
        held.unlink(missing_ok=True)
        thread.join(60)
        house.stop()
        house.start()
    assert told == [(409, "CHY-1542")]
    if other == "PUT":
        assert house.call("GET", path, officer=anna)["name"] == "Fast"
    else:
        with pytest.raises(Refused) as e:
            house.call("GET", path, officer=anna)
        assert e.value.code == "CHY-1460"
