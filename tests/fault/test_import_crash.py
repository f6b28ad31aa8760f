"""The factory dies while an import takes effect: all of it is there, or nothing, and the same signature brings it."""
import datetime
import subprocess

import pytest

import world
from test_authorities import Foreign, b64
from test_import import bring_in, crl, desk, leaf  # noqa: F401
from world import Refused


@pytest.fixture(scope="module")
def house(sqlite_house):
    return sqlite_house


def killed(house, point, work):
    house.stop()
    mark = len(house.log.read_text())
    house.start(CHANCERY_FAULT=f"{point}@1=kill", CHANCERY_FAULT_ONCE=str(house.dir / "signer" / f"{point}-{work.__name__}".replace(".", "-")))
    try:
        with pytest.raises((OSError, Refused)):
            work()
        house.wait_killed(mark)
        house.wait_ready()
    finally:
        house.stop()
        house.start()


def account(house):
    house.wait_sequenced()
    export = house.folder / "import-export.jsonl"
    export.write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--file", export, "--root", house.dir / "root.pem"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("point,after", [("factory.before-import", False), ("factory.after-signature", True)])
def test_all_or_nothing(desk, point, after):  # noqa: F811
    """rows=CM-I-22"""
    ida = desk.officers["ida"]
    certs = [leaf(desk.foreign) for _ in range(5)]
    body = {"authority": "Foreign root", "certificates": [{"certificate": b64(c.public_bytes(world.serialization.Encoding.DER))} for c in certs]}
    request = desk.prepare(ida, "certificate.import", body)
    counts = lambda: len(desk.call("GET", "/api/v1/certificates?limit=1000", officer=ida)["items"])  # noqa: E731
    before = counts()

    def certificates():
        desk.bring(ida, request, ida)
    killed(desk, point, certificates)
    assert counts() == before + (5 if after else 0)
    if not after:
        assert [o["outcome"] for o in desk.bring(ida, request, ida)["result"]["certificates"]] == ["imported"] * 5
    assert [o["outcome"] for o in bring_in(desk, certs)] == ["known"] * 5
    account(desk)


@pytest.mark.parametrize("point,after", [("factory.before-import", False), ("factory.after-signature", True)])
def test_a_list_as_a_whole(desk, point, after):  # noqa: F811
    certs = [leaf(desk.foreign) for _ in range(5)]
    ids = [o["certificate"] for o in bring_in(desk, certs)]
    now = datetime.datetime.utcnow().replace(microsecond=0)
    request = desk.prepare(desk.officers["ida"], "crl.import", {"authority": "Foreign root", "crl": b64(
        crl(desk.foreign, [(c, "superseded", now - datetime.timedelta(days=1)) for c in certs]))})
    states = lambda: {desk.call("GET", f"/api/v1/certificates/{i}", officer=desk.officers["ida"])["state"] for i in ids}  # noqa: E731

    def a_list():
        desk.bring(desk.officers["ida"], request, desk.officers["ida"])
    killed(desk, point, a_list)
    assert states() == ({"revoked"} if after else {"valid"})
    if not after:
        assert desk.bring(desk.officers["ida"], request, desk.officers["ida"])["result"]["changed"] == 5
    assert states() == {"revoked"} and Foreign
    account(desk)
