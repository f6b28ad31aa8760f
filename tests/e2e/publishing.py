"""What tests of publication share: rules, procedures, acts, and waiting for deliveries."""
import base64
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import world
from world import Refused, make_csr


class Desk:
    """An installation with what publishing needs."""

    def __init__(self, house, folder):
        self.house, self.folder, self.made = house, folder, 0
        self.anna, self.ben, self.rosa = (house.officers[o] for o in ("anna", "ben", "rosa"))

    def document(self, kind, **body):
        return self.house.act(f"{kind}.create", body, self.anna, self.ben)["result"]["id"]

    def modify(self, kind, number, **more):
        body = dict(self.house.call("GET", f"/api/v1/documents/{kind}/{number}", officer=self.anna)["body"], **more)
        return self.house.act(f"{kind}.modify", {k: v for k, v in body.items() if v is not None}, self.anna, self.ben, obj=number)

    def rule(self, name, **body):
        return self.document("distribution-rule", name=name, **body)

    def file_rule(self, name, folder, file_name="{serial}.cer", **more):
        return self.rule(name, protocol="file", folder=str(folder), file_name=file_name, **more)

    def procedure(self, name, *rules, form="der", **more):
        return self.document("publication-procedure", name=name, format=form, distribution_rules=list(rules), **more)

    def secret(self, name, address, password=None, pem=None):
        command = [world.CHANCERY, "secret", "seal", name, "--address", address, "--config", self.house.dir / "chancery.ini"]
        if pem is not None:
            path = self.folder / "identity.pem"
            path.write_bytes(pem)
            command += ["--client-certificate-file", path]
        else:
            path = self.folder / "password"
            path.write_text(password + "\n")
            command += ["--password-file", path]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
        path.unlink()
        assert done.returncode == 0, done.stderr
        return name

    def certificate(self, cn=None, sans=(), officer=None, procedure="TLS server", **more):
        """(id, DER) of a new certificate by an officer's act."""
        self.made += 1
        csr, _ = make_csr(cn, sans=sans or [f"host{self.made}.example.org"])
        body = {"token_procedure": procedure, "requests": [{"csr": base64.b64encode(csr).decode()}], **more}
        item = self.house.act("certificate.issue", body, officer or self.rosa)["result"]["certificates"][0]
        assert "certificate" in item, item
        return item["certificate"], base64.b64decode(item["der"])

    def person(self, cn, attributes=(), email=None):
        """The same for a person, by the procedure "Person"."""
        self.made += 1
        key = None
        csr, _ = make_csr(cn, key, attributes=attributes) if email is None else person_csr(cn, email, attributes)
        body = {"token_procedure": "Person", "requests": [{"csr": base64.b64encode(csr).decode()}]}
        item = self.house.act("certificate.issue", body, self.rosa)["result"]["certificates"][0]
        assert "certificate" in item, item
        return item["certificate"], base64.b64decode(item["der"])

    def publish(self, procedure, *certificates, officer=None, act="certificate.publish", **more):
        done = self.house.act(act, {"publication_procedure": procedure, "certificates": list(certificates), **more}, officer or self.rosa)
        assert done["state"] == "done", done
        return done["result"]["certificates"]

    def deliveries(self, officer=None, **query):
        text = "&".join(f"{k}={v}" for k, v in {"limit": 1000, **query}.items())
        return self.house.call("GET", f"/api/v1/deliveries?{text}", officer=officer or self.rosa)["items"]

    def wait(self, certificate, wait=30, **want):
        """Until all deliveries of a certificate are over; their states by the name of the destination."""
        end = time.monotonic() + wait
        while time.monotonic() < end:
            found = self.deliveries(certificate=certificate)
            if found and all(d["state"] != "waiting" for d in found):
                return {d["destination"]["name"]: d for d in found}
            time.sleep(0.1)
        raise AssertionError([(d["destination"]["name"], d["state"], d["attempts"], d["error"]) for d in found])

    def wait_until(self, what, wait=30):
        end = time.monotonic() + wait
        while time.monotonic() < end:
            got = what()
            if got:
                return got
            time.sleep(0.1)
        raise AssertionError("it does not come about: " + self.house.log.read_text(errors="replace")[-2000:])


def refused(code, call, *args, **more):
    with pytest.raises(Refused) as e:
        call(*args, **more)
    assert e.value.code == code, e.value
    return e.value.problem


def person_csr(cn, email, attributes=()):
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(oid, value) for oid, value in attributes] + [x509.NameAttribute(NameOID.COMMON_NAME, cn)]
    b = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    b = b.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(email)]), critical=False)
    return b.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER), key


def serial_of(der):
    return format(x509.load_der_x509_certificate(der).serial_number, "x")


def stored_serial(der):
    n = x509.load_der_x509_certificate(der).serial_number
    text = format(n, "x")
    return text if len(text) % 2 == 0 else "0" + text


def open_desk(folder, store=None):
    house = world.World(folder / "house", store=store)
    public = folder / "public"
    public.mkdir()
    with open(house.dir / "chancery.ini", "a") as f:
        f.write(f"\n[distributor]\nfolders = {public}\nlongest_rest_seconds = 1\n")
    desk = None
    try:
        house.start().make_officers().make_ca()
        desk = Desk(house, folder)
        desk.public = public
        return desk
    except BaseException:
        house.stop()
        raise
