"""Two officers change one document at once, of each kind: the first change counts, what was signed on the old version is void."""
import pytest

from world import Refused

CHANGES = [("domain", "Contested", {}), ("officer-profile", "Registration officer", {"roles": ["use-clients", "use-awb", "issue-certificate"]}),
           ("officer", "Rosa Registrar", {"token": "card 1"}), ("format", "TLS server", {"rsa_bits_max": 8192}),
           ("certificate-procedure", "TLS server", {"validity": "P60D"}), ("token-procedure", "TLS server", {"issuer_certificates": "root"})]


def document(house, kind, name):
    found = house.call("GET", f"/api/v1/documents/{kind}?name={name.replace(' ', '%20')}", officer=house.officers["anna"])["items"]
    return found[0]


@pytest.mark.parametrize("kind,name,change", CHANGES, ids=[c[0] for c in CHANGES])
def test_the_second_signature_after_the_base_changed(house, kind, name, change):
    """rows=CM-O-17"""
    anna, ben = house.officers["anna"], house.officers["ben"]
    if kind == "domain":
        house.act("domain.create", {"name": name}, anna, ben)
    d = document(house, kind, name)
    first = house.prepare(anna, f"{kind}.modify", dict(d["body"], **(change or {"name": "Renamed first"})), obj=d["id"])
    second = house.prepare(ben, f"{kind}.modify", dict(d["body"], name=f"{name} by Ben"), obj=d["id"])
    assert house.bring(anna, first, anna)["state"] == house.bring(ben, second, ben)["state"] == "waiting"
    assert house.bring(ben, first, ben)["state"] == "done"
    with pytest.raises(Refused) as e:
        house.bring(anna, second, anna)
    assert e.value.status == 409
    assert house.call("GET", f"/api/v1/requests/{second['id']}", officer=anna)["state"] == "void"
    now = house.call("GET", f"/api/v1/documents/{kind}/{d['id']}", officer=anna)
    assert now["version"] == d["version"] + 1 and now["name"] != f"{name} by Ben"
    with pytest.raises(Refused):  # it stays so
        house.bring(anna, second, anna)
