"""Boot officers' keys lie in memory that is locked and kept out of core dumps; the signer's: contract/test_keystores.c."""
import os
import signal
import subprocess
import time
from pathlib import Path

from world import CHANCERY, free_port


def guarded_maps(pid):
    """Flags of the process's mappings that are locked and not dumped, by their size in KiB."""
    found, size = [], 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if words[0] == "Size:":
            size = int(words[1])
        elif words[0] == "VmFlags:" and "dd" in words and "lo" in words:
            found.append(size)
    return found


def children(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_setup_guards_the_boot_officers_keys(scratch):
    env = dict(os.environ, CHANCERY_FAULT="factory.before-genesis=stop")
    setup = subprocess.Popen([CHANCERY, "setup", scratch / "ca", "--tls", f"127.0.0.1:{free_port()}", "--plain",
                              f"127.0.0.1:{free_port()}"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        stopped = None
        while stopped is None:
            assert setup.poll() is None, setup.communicate()[0]
            stopped = next((p for p in children(setup.pid) if Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"),
                           None)
            time.sleep(0.02)
        # the ceremony has begun: the boot officers' keys are made
        assert any(size >= 4096 for size in guarded_maps(setup.pid)), guarded_maps(setup.pid)
        os.kill(stopped, signal.SIGCONT)
        out, _ = setup.communicate(timeout=60)
        assert setup.returncode == 0, out
    finally:
        setup.kill()
        setup.wait()
