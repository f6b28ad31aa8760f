"""The command line as an officer uses it: officers of a house as PKCS#12 files."""
import os
import subprocess

import world

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("CHANCERY_") or k in ("CHANCERY_BUILD", "CHANCERY_SOURCE")}
PIN = "4711 secret"


class Cli:
    def __init__(self, house, folder, **officers):
        """officers: name -> world officer; their files are NAME.p12 in the folder, the PIN of all is in the file pin."""
        self.house, self.folder = house, folder
        self.env = dict(CLEAN, HOME=str(folder), CHANCERY_SERVER=f"https://localhost:{house.tls_port}", CHANCERY_CA=str(house.dir / "root.pem"))
        (folder / "pin").write_text(PIN + "\n")
        for name, o in officers.items():
            self.add(name, o)

    def add(self, name, officer):
        subprocess.run(["openssl", "pkcs12", "-export", "-inkey", officer.key_file, "-in", officer.cert_file, "-out", self.folder / f"{name}.p12",
                        "-passout", f"pass:{PIN}"], check=True, capture_output=True)

    def run(self, *args, who=None, co=None, code=0, **env):
        command = [world.CHANCERY, *map(str, args)]
        command += ["--officer", f"{who}.p12", "--pin-file", "pin"] if who else []
        command += ["--co-officer", f"{co}.p12", "--co-pin-file", "pin"] if co else []
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=60, stdin=subprocess.DEVNULL, check=False,
                              env=dict(self.env, **env))
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done
