"""Officers whose RSA key is in a PKCS#11 token: TLS 1.3 by RSA-PSS, signed acts, and what the command line says when the token
refuses, is gone, or cannot do what TLS 1.3 wants."""
import ctypes
import os
import subprocess

import pytest

from test_cli import Cli
from world import World

PIN = "4711"
CKA_SIGN = 0x108
CKO_PRIVATE_KEY = 3


class Attribute(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("length", ctypes.c_ulong)]


def attribute(kind, value):
    return Attribute(kind, ctypes.cast(ctypes.byref(value), ctypes.c_void_p), ctypes.sizeof(value))


def forbid_signing(module):
    """Sets CKA_SIGN of every private key in the first token to false: no tool of Debian's does."""
    p11 = ctypes.CDLL(module)
    good = lambda rv: rv == 0 or pytest.fail(f"PKCS#11 error {rv:#x}")
    slots, n = (ctypes.c_ulong * 8)(), ctypes.c_ulong(8)
    session, found, count = ctypes.c_ulong(), (ctypes.c_ulong * 8)(), ctypes.c_ulong()
    private, no = ctypes.c_ulong(CKO_PRIVATE_KEY), ctypes.c_ubyte(0)
    good(p11.C_Initialize(None))
    try:
        good(p11.C_GetSlotList(ctypes.c_ubyte(1), slots, ctypes.byref(n)))
        good(p11.C_OpenSession(ctypes.c_ulong(slots[0]), ctypes.c_ulong(6), None, None, ctypes.byref(session)))
        good(p11.C_Login(session, ctypes.c_ulong(1), PIN.encode(), ctypes.c_ulong(len(PIN))))
        good(p11.C_FindObjectsInit(session, ctypes.byref(attribute(0, private)), ctypes.c_ulong(1)))
        good(p11.C_FindObjects(session, found, ctypes.c_ulong(8), ctypes.byref(count)))
        good(p11.C_FindObjectsFinal(session))
        assert count.value > 0
        for key in found[:count.value]:
            good(p11.C_SetAttributeValue(session, ctypes.c_ulong(key), ctypes.byref(attribute(CKA_SIGN, no)), ctypes.c_ulong(1)))
    finally:
        p11.C_Finalize(None)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Officers rsa-2048 and rsa-3072 with their keys as PKCS#8 files, for any token."""
    world = World(tmp_path_factory.mktemp("rsa"))
    try:
        world.start()
        cli = Cli(world)
        for bits in (2048, 3072):
            name = f"rsa-{bits}"
            for call in (["genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", "-out", f"{name}.p8"],
                         ["req", "-new", "-key", f"{name}.p8", "-subj", f"/CN={name}", "-out", f"{name}.csr"],
                         ["rsa", "-in", f"{name}.p8", "-outform", "DER", "-out", f"{name}.der"]):
                subprocess.run(["openssl", *call], cwd=cli.dir, check=True, capture_output=True)
            cli.as_("boot1", "certificate", "issue", "--procedure", "Officer", f"{name}.csr", "--out", f"{name}.crt")
            cli.as_("boot1", "officer", "create", "--name", name, "--profile", "Administration officer", "--certificate-file",
                    f"{name}.crt", co="boot2")
        (cli.dir / "pin").write_text(PIN + "\n")
        yield cli
    finally:
        world.stop()


def put(cli, softhsm, name, *more):
    """A token that holds the officer's key and certificate; (options, environment) of calls with it."""
    softhsm.new_token(name, PIN)
    tool = ["pkcs11-tool", "--module", softhsm.module, "--login", "--pin", PIN, "--token-label", name, "--id", "b1", "--label", name]
    for what in (["--write-object", f"{name}.der", "--type", "privkey", "--usage-sign", *more],
                 ["--write-object", f"{name}.crt", "--type", "cert"]):
        done = subprocess.run(tool + what, cwd=cli.dir, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return ["--officer", f"pkcs11:token={name};object={name}", "--pkcs11-module", softhsm.module, "--pin-file", "pin"], \
        {"SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"]}


@pytest.mark.parametrize("name", ["rsa-2048", "rsa-3072"])
def test_logs_in_and_signs(house, softhsm, name):
    key, env = put(house, softhsm, name)
    assert name in house.run("whoami", *key, env=env).stdout
    house.run("domain", "create", "--name", f"By {name}", *key, "--co-officer", house.officers["boot2"][0], "--co-pin-file",
              house.officers["boot2"][1], env=env)
    assert f"By {name}" in house.as_("boot1", "domain", "list").stdout
    house.run("journal", "verify", *key, env=env)  # its signatures too


def test_a_token_without_the_bare_operation_logs_in_by_tls_12(house, softhsm):
    conf = os.environ["SOFTHSM2_CONF"]
    key, env = put(house, softhsm, "rsa-2048")
    with open(conf, "a", encoding="utf-8") as f:
        f.write("slots.mechanisms = -CKM_RSA_X_509\n")
    assert "rsa-2048" in house.run("whoami", *key, env=env).stdout


def test_a_key_bound_to_pkcs1_logs_in_by_tls_12(house, softhsm):
    key, env = put(house, softhsm, "rsa-2048", "--allowed-mechanisms", "RSA-PKCS,SHA256-RSA-PKCS")
    assert "rsa-2048" in house.run("whoami", *key, env=env).stdout


def test_wrong_pin(house, softhsm):
    key, env = put(house, softhsm, "rsa-2048")
    (house.dir / "wrong.pin").write_text("0000\n")
    said = house.run("whoami", *key[:-1], "wrong.pin", env=env, code=1).stderr
    assert "CHY-1405" in said and "0000" not in said
    assert "rsa-2048" in house.run("whoami", *key, env=env).stdout


def test_removed_token(house, softhsm):
    key, env = put(house, softhsm, "rsa-2048")
    assert "rsa-2048" in house.run("whoami", *key, env=env).stdout
    # away between login and signature, and for good
    assert "CHY-1409" in house.run("whoami", *key, env=dict(env, CHANCERY_FAULT="pkcs11.sign=fail"), code=1).stderr
    # away for one signature: the connection is made anew
    assert "rsa-2048" in house.run("whoami", *key, env=dict(env, CHANCERY_FAULT="pkcs11.sign@1=fail")).stdout
    subprocess.run(["softhsm2-util", "--delete-token", "--token", "rsa-2048"], check=True, capture_output=True)
    assert "CHY-1403" in house.run("whoami", *key, env=env, code=1).stderr


def test_a_key_that_may_not_sign(house, softhsm):
    key, env = put(house, softhsm, "rsa-2048")
    forbid_signing(softhsm.module)
    said = house.run("whoami", *key, env=env, code=1).stderr
    assert "CHY-1412" in said, said
