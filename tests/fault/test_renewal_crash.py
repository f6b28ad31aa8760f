"""The factory dies while an officer's certificate is renewed: one certificate comes of it, or the request waits to be signed again."""
import base64

import pytest
from cryptography import x509

import world
from test_document_crash import bring, settled
from test_officers import verify
from world import make_csr

POINTS = (("factory.before-signature", {"waiting"}), ("factory.after-signature", {"signed", "done"}),
          ("factory.before-sign", {"signed", "done"}), ("factory.after-sign", {"signed", "done"}),
          ("factory.before-commit", {"signed", "done"}), ("factory.after-commit", {"signed", "done"}),
          ("factory.after-work", {"signed", "done"}))


@pytest.mark.parametrize("point,states", POINTS)
def test_killed_while_it_is_renewed(sqlite_house, scratch, point, states):
    house, anna = sqlite_house, sqlite_house.officers["anna"]
    csr, key = make_csr("Anna Admin")
    request = house.prepare(anna, "officer.renew", {"csr": base64.b64encode(csr).decode()})
    assert house.bring(anna, request, anna)["state"] == "waiting"
    mark, once = len(house.log.read_text()), house.dir / "signer" / f"renewal-{point}"
    house.stop()
    house.start(CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(once))
    bring(house, request)
    first, now = settled(house, request)
    house.wait_killed(mark)
    assert first in states
    cert = x509.load_der_x509_certificate(base64.b64decode(now["result"]["der"]))
    new = world.Officer(house.keys, f"Anna {cert.serial_number}", key, cert)
    assert house.call("GET", "/api/v1/whoami", officer=new)["officer"] == now["result"]["officer"]
    same = [c for c in house.call("GET", "/api/v1/certificates?limit=1000", officer=anna)["items"]
            if c["serial"].lstrip("0") == f"{cert.serial_number:x}".lstrip("0")]
    assert len(same) == 1
    house.stop()
    house.start()
    done = verify(house, scratch)
    assert done.returncode == 0, done.stdout + done.stderr
