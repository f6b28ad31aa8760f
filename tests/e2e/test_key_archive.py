"""The key archive's key in a PKCS#11 token: chosen in the settings, and a module that cannot do it."""
import base64
import re

import pytest

import world
from fixtures import SoftHsm
from test_tokens import SUBJECT, bring, fetch, issue, opened, recovery_officer, spki, tokens  # noqa: F401
from world import Refused


@pytest.fixture(scope="module")
def hsm(module_scratch):
    h = SoftHsm(module_scratch / "hsm")
    h.token("archive")
    return h


@pytest.fixture(scope="module")
def house(module_scratch, hsm):
    w = world.World(module_scratch / "house", modules=[hsm.module], env=hsm.env)
    w.engine = "sqlite"
    try:
        yield w.start().make_officers().make_ca()
    finally:
        w.stop()


def keep_in(house, place, **conf):
    """Restarted with the archive's key at this place."""
    house.stop()
    ini = house.dir / "chancery.ini"
    text = re.sub(r"^key_archive = .*\n", "", ini.read_text(), flags=re.M)
    ini.write_text(text.replace("[signer]\n", f"[signer]\nkey_archive = {place}\n") if place else text)
    house.start()


def archived(house, certificate):
    key = house.call("GET", f"/api/v1/certificates/{certificate}/explanation", officer=house.officers["anna"])["key"]
    return key["archived"]["archive"]


def test_chosen_changed_and_refused(tokens, hsm):  # noqa: F811
    """Keys go to the place that is chosen, stay readable when it is changed, and none is sealed where it could not be opened."""
    house = tokens
    in_software = issue(house, "Soft none", **{"subject.common-name": "Sina Soft"})
    assert archived(house, in_software["archived"][0]) == "key-archive"

    keep_in(house, "pkcs11:token=archive")
    who = {"subject.common-name": "Hanna Hard"}
    made = issue(house, "Soft none", **who)
    label = archived(house, made["archived"][0])
    assert label != "key-archive" and label.startswith("key-archive-")
    objects = list((hsm.folder / "tokens").rglob("*.object"))
    assert any(label.encode() in o.read_bytes() for o in objects), "the key is in the token"
    first = fetch(house, made["token"])
    keys, _ = opened(base64.b64decode(first["file"]), first["pin"])

    keep_in(house, None)  # back to software: what is in the token is still to be had
    got = fetch(house, issue(house, "Recover latest", "rita", **who)["token"], "rita")
    again, _ = opened(base64.b64decode(got["file"]), got["pin"])
    assert len(again) == 1 and spki(again[0]) in {spki(k) for k in keys}
    got = fetch(house, issue(house, "Recover latest", "rita", **{"subject.common-name": "Sina Soft"})["token"], "rita")
    assert len(opened(base64.b64decode(got["file"]), got["pin"])[0]) == 1

    hsm.token("weak")
    before = len(list((hsm.folder / "tokens").rglob("*.object")))
    hsm.conf.write_text(hsm.conf.read_text() + "slots.mechanisms = -CKM_DES_CBC,CKM_ECDH1_DERIVE\n")  # the first is overlooked by 2.6.1
    keep_in(house, "pkcs11:token=weak")
    who = {"subject.common-name": "Nina Never"}
    certificates = len(house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"])
    with pytest.raises(Refused, match="CHY-1408") as e:
        issue(house, "Soft none", **who)
    assert "CKM_ECDH1_DERIVE" in e.value.problem["detail"] and e.value.problem["field"] == "key_archive"
    assert len(list((hsm.folder / "tokens").rglob("*.object"))) == before, "no key was made"
    assert len(house.call("GET", "/api/v1/certificates?limit=1000", officer=house.officers["anna"])["items"]) == certificates
    issue(house, "Legacy", **who)  # nothing is archived: nothing is in the way

    keep_in(house, "pkcs11:token=nowhere")
    with pytest.raises(Refused, match="CHY-140[39]"):
        issue(house, "Soft none", **who)
    keep_in(house, "no place at all")
    with pytest.raises(Refused, match="CHY-1400"):
        issue(house, "Soft none", **who)
