"""A second factory on the same PostgreSQL is told so, and the first one is not disturbed."""
import shutil
import subprocess
import time

import world
from fixtures import postgres
from world import make_csr


def test_second_factory_does_not_start(scratch):
    """Neither while the first runs, nor is anything in its way after the first one's crash."""
    with postgres() as (url, _, _):
        house, second = world.World(scratch / "one", store=url), None
        try:
            house.start().make_officers().make_ca()
            token = house.open_session()
            other, ports = scratch / "two", (world.free_port(), world.free_port())
            shutil.copytree(house.dir, other)
            ini = (other / "chancery.ini").read_text().replace(str(house.dir), str(other))
            for old, new in zip((house.tls_port, house.plain_port), ports):
                ini = ini.replace(f":{old}", f":{new}")
            (other / "chancery.ini").write_text(ini)
            with open(scratch / "second.log", "ab") as log:
                second = subprocess.Popen([world.CHANCERY, "serve", "--config", other / "chancery.ini"], stdout=log, stderr=log)
            end = time.monotonic() + 20
            while "CHY-1472" not in (scratch / "second.log").read_text() and time.monotonic() < end:
                time.sleep(0.1)
            said = (scratch / "second.log").read_text()
            assert "CHY-1472" in said and "only one at a time" in said, said
            for i in range(10):
                assert house.issue(token, make_csr(None, sans=[f"alone-{i}.example.org"])[0], key=f"alone-{i}")["id"]
            second.terminate()
            second.wait(20)
            second = None
            house.kill_all()
            house.start()
            assert house.issue(token, make_csr(None, sans=["again.example.org"])[0])["id"]
        finally:
            if second is not None:
                second.kill()
                second.wait()
            house.stop()
