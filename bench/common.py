"""What the benchmarks share: scratch folders, servers that end with the run, wrk, medians, the table and the JSON file."""
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import time
import urllib.request

SOURCE = pathlib.Path(os.environ["CHANCERY_SOURCE"])
BUILD = pathlib.Path(os.environ["CHANCERY_BUILD"])
PROGRAMS = BUILD / "src" / "programs"
RESULTS = BUILD / "bench"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def call(*args, **more):
    """A command's standard output; fails with all it said."""
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise SystemExit("%s\nended with %d: %s%s" % (" ".join(map(str, args)), done.returncode, done.stdout, done.stderr))
    return done.stdout


def family(pid):
    """A process and all that come of it, parents first."""
    children = pathlib.Path("/proc/%d/task/%d/children" % (pid, pid))
    return [pid] + [one for child in children.read_text().split() for one in family(int(child))]


class Server:
    """A process, with its children, that is ended when the run ends."""

    def __init__(self, args, log, **more):
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen([str(a) for a in args], stdout=out, stderr=out, **more)

    def rest(self):
        """Nothing runs until go(): what one server does behind its answers must not slow another's."""
        for pid in family(self.process.pid):
            os.kill(pid, signal.SIGSTOP)

    def go(self):
        for pid in family(self.process.pid):
            os.kill(pid, signal.SIGCONT)

    def wait_for(self, url):
        for _ in range(200):
            try:
                urllib.request.urlopen(url, timeout=1).close()
                return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise SystemExit("no answer from %s\n%s" % (url, pathlib.Path(self.log).read_text()[-3000:]))

    def stop(self):
        self.go()
        self.process.terminate()
        self.process.wait(30)


class Postgres:
    """A private cluster with its defaults (fsync on), by tools/with-postgres; a database for each user."""

    def __init__(self):
        self.holder = subprocess.Popen([SOURCE / "tools/with-postgres", "sh", "-c",
                                        'echo "$CHANCERY_TEST_POSTGRES"; exec cat'],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.holder.stdout.readline().strip()
        self.host = self.url.split("host=")[1].split("&")[0]

    def database(self, name):
        call("createdb", "-h", self.host, "-U", "chancery", name)
        return self.url.replace(":///chancery", ":///" + name)

    def stop(self):
        self.holder.stdin.close()
        self.holder.wait(60)


def wrk(url, bodies, connections, seconds, token=None):
    """{"rate", "p50_ms", "p99_ms", "errors", "answers"} of POSTing the bodies, one a line, in turn."""
    env = dict(os.environ, BENCH_BODIES=str(bodies), BENCH_TOKEN=token or "")
    said = call("wrk", "-t1", "-c%d" % connections, "-d%gs" % seconds, "--timeout", "10s", "-s",
                SOURCE / "bench/post.lua", url, env=env)
    return json.loads(said.strip().splitlines()[-1])


STOLEN = 0.01  # the share of the processors' time that a round may lack


def processors_time():
    """(taken by the host for others, all of it) in ticks since the start (proc_stat(5))."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(v) for v in f.readline().split()[1:9]]
    return ticks[7], sum(ticks)


def quiet_rounds(rounds, measure):
    """What measure() says, so many times. On a virtual machine the host takes processors away, and who waits for another process
    loses more by that than a peer who only computes: such a round is measured again, up to three times as many in all, and the
    quietest count."""
    done = []
    while sum(share <= STOLEN for share, _ in done) < rounds and len(done) < 3 * rounds:
        taken, total = processors_time()
        found = measure()
        taken_now, total_now = processors_time()
        done.append(((taken_now - taken) / max(1, total_now - total), found))
        if done[-1][0] > STOLEN:
            print("the host took %.1f %% of the processors during this round" % (100 * done[-1][0]), flush=True)
    done.sort(key=lambda one: one[0])
    return [found for _, found in done[:rounds]]


def median_of(measured, what):
    return statistics.median(m[what] for m in measured)


def row(what, ours, unit, peer, peer_value, goal, better="more"):
    ratio = (ours / peer_value if better == "more" else peer_value / ours) if ours and peer_value else None
    return {"what": what, "ours": ours, "unit": unit, "peer": peer, "peer_value": peer_value,
            "ratio": ratio and round(ratio, 3), "goal": goal}


def figure(value):
    if value is None:
        return "-"
    return "%.0f" % value if value >= 100 else "%.2f" % value


def report(name, rows):
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / (name + ".json")
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("\n%-58s %9s %-6s %9s %-28s %7s  %s" % ("what", "ours", "", "peer", "", "ratio", "goal"))
    for r in rows:
        print("%-58s %9s %-6s %9s %-28s %7s  %s" % (r["what"], figure(r["ours"]), r["unit"], figure(r["peer_value"]),
                                                    r["peer"], figure(r["ratio"]), r["goal"]))
    print("written to %s" % path)
