"""The demo is the main job as a person sees it; every step of it checks itself."""
import os
import subprocess


def test_demo_does_the_main_job(source, build, tmp_path):
    """Two officers sign a token procedure, the same one twice is refused, certificates are issued by it and verified by
    openssl, GnuTLS and NSS; the journal holds and an altered export is found out. rows=CM-T-01"""
    env = dict(os.environ, CHANCERY_BUILD=str(build), TMPDIR=str(tmp_path), TERM="dumb")
    done = subprocess.run([source / "tools/demo.sh"], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    for said in ["web.pem: OK", "mail.pem: OK", "certificate is valid", "Everything holds", "CHY-1613", "CHY-1551"]:
        assert said in done.stdout
    assert not list(tmp_path.iterdir()), "the demo leaves nothing behind"
