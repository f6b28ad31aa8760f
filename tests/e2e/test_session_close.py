"""Issuing sessions that are ended before their time."""
import subprocess

import pytest
from cli import Cli
from test_log_domains import tenants  # noqa: F401
from test_session_list import listed

import world
from world import Refused, make_csr


def newest(house, who):
    return listed(house, who)["items"][-1]["id"]


def close(house, who, number):
    return house.act("issuing-session.close", {"session": number, "reason": "the token got out"}, house.officers[who])


def test_closing_a_session(tenants, scratch):  # noqa: F811
    """By who opened it or who may change that officer, with a reason; at once, also for who has just issued by it; the journal holds it.
    rows=CM-O-12"""
    house = tenants
    token = house.open_session(procedures=("TLS server",), officer=house.officers["nina"])
    number = newest(house, "nina")
    assert house.issue(token, make_csr(None, sans=["before.example.org"])[0])["id"]
    for who in ("sven", "rosa"):  # of another domain, and without the right to change officers
        with pytest.raises(Refused) as e:
            close(house, who, number)
        assert e.value.code == "CHY-1460", e.value
    with pytest.raises(Refused) as e:
        house.act("issuing-session.close", {"session": number, "reason": " "}, house.officers["nina"])
    assert e.value.code == "CHY-1505", e.value
    late = house.prepare(house.officers["nina"], "issuing-session.close", {"session": number, "reason": "twice"})
    assert close(house, "nora", number)["state"] == "done"
    with pytest.raises(Refused) as e:
        house.issue(token, make_csr(None, sans=["after.example.org"])[0])
    assert e.value.code == "CHY-1717" or "has ended" in str(e.value), e.value
    with pytest.raises(Refused):  # another was faster
        house.bring(house.officers["nina"], late, house.officers["nina"])
    assert [s["state"] for s in listed(house, "nina")["items"] if s["id"] == number] == ["closed"]
    # its own officer's, by the command line; a new session of the same officer is another one
    again = house.open_session(procedures=("TLS server",), officer=house.officers["nina"])
    cli, second = Cli(house, scratch, nina=house.officers["nina"]), newest(house, "nina")
    assert str(second) in cli.run("issuing-session", "list", who="nina").stdout
    assert "done" in cli.run("issuing-session", "close", second, "--reason", "no longer needed", who="nina").stdout
    with pytest.raises(Refused):
        house.issue(again, make_csr(None, sans=["again.example.org"])[0])
    house.wait_sequenced()
    (scratch / "export.jsonl").write_bytes(house.export())
    done = subprocess.run([world.CHANCERY, "journal", "verify", "--root", house.dir / "root.pem", "--file", scratch / "export.jsonl"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
