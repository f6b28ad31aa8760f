"""A rescue that is killed in the middle: nothing or all of it, and applied again it comes to its end."""
import json
import sqlite3

import pytest

import world
from test_officers_expiry import verify
from test_rescue import Rescue, later, whoami


@pytest.fixture
def own(scratch):
    house = world.World(scratch / "house")
    house.start().make_officers()
    yield house
    house.stop()


@pytest.mark.parametrize("point,made", [("factory.before-sign", False), ("factory.after-sign", False), ("factory.before-rescue", False),
                                        ("store.before-commit", None), ("store.after-commit", None),  # others commit there too
                                        ("factory.after-rescue", True)])
def test_killed_in_the_middle(own, scratch, point, made):
    anna, ben = own.officers["anna"], own.officers["ben"]
    own.stop()
    rescue = Rescue(own, scratch, anna, ben).sign(anna, ben)
    once = scratch / "once"
    rescue.apply(code=1, CHANCERY_FAULT=f"{point}=kill", CHANCERY_FAULT_ONCE=str(once))
    assert once.exists(), "the point was never reached"
    later(own)
    assert rescued(own) in {None: (0, 2), True: (2,), False: (0,)}[made], "nothing or all of it"
    own.stop()
    new = rescue.officers(rescue.apply())
    later(own)
    assert whoami(own, new[0]) and whoami(own, new[1])
    own.officers["anna"] = new[0]
    done = verify(own, scratch)
    assert done.returncode == 0, done.stdout + done.stderr


def rescued(house):
    """How many certificates the store has on the word of a rescue."""
    with sqlite3.connect(house.dir / "chancery.db", timeout=20) as db:
        bodies = db.execute("SELECT body FROM journal_leaf WHERE kind = 'certificate'").fetchall()
    return sum("rescue" in json.loads(b)["by"] for (b,) in bodies)
