"""Which issuing sessions there are, as those see them who have opened them and those who could close their officers."""
from test_log_domains import tenants  # noqa: F401
from world import make_csr


def listed(house, who, query="limit=1000"):
    return house.call("GET", f"/api/v1/issuing-sessions?{query}", officer=house.officers[who])


def test_issuing_sessions(tenants):  # noqa: F811
    """An officer's own, and those of officers in the own domain or below, by pages whose cursors tell nothing of the others. rows=CM-O-12"""
    house = tenants
    anna, ben = house.officers["anna"], house.officers["ben"]
    tokens = {}
    for who in ("rosa", "nina", "rosa", "nina"):
        tokens[who] = house.open_session(maximum=2, procedures=("TLS server",), officer=house.officers[who])
    for name in ("one", "two"):
        house.issue(tokens["nina"], make_csr(None, sans=[f"{name}.example.org"])[0])
    every = listed(house, "anna")["items"]
    of = {who: [s["id"] for s in every if s["officer"] == house.officers[who].id] for who in ("rosa", "nina")}
    assert len(of["nina"]) == 2 and len(of["rosa"]) >= 3 and len(every) == len(of["nina"]) + len(of["rosa"])
    last = every[-1]
    assert (last["officer_name"], last["name"], last["state"]) == ("Nina Northern", "test", "used-up")
    assert (last["certificates_made"], last["certificates_max"]) == (2, 2)
    assert [p["path"] for p in last["token_procedures"]] == ["TLS server"]
    for who, sees in (("nina", of["nina"]), ("nora", of["nina"]), ("rosa", of["rosa"]), ("sven", []), ("hanna", [])):
        assert [s["id"] for s in listed(house, who)["items"]] == sees, who
        after, found = 0, []
        for _ in range(len(sees) + 1):
            page = listed(house, who, f"limit=1&after={after}")
            found += [s["id"] for s in page["items"]]
            after = page["next"]
            assert after is None or after == found[-1]
            if after is None:
                break
        assert found == sees, who
    # the token and its hash are nobody's to read
    assert "token" not in str([list(s) for s in every]).replace("token_procedures", "")
    # closing the officer closes them
    nina = next(d for d in house.call("GET", "/api/v1/documents/officer?limit=1000", officer=anna)["items"] if d["name"] == "Nina Northern")
    house.act("officer.modify", dict(nina["body"], state="closed"), anna, ben, obj=nina["id"])
    assert {s["state"] for s in listed(house, "anna")["items"] if s["officer"] == house.officers["nina"].id} == {"closed"}
