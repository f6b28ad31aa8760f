"""Destinations of deliveries, real and private: nginx, slapd, and a small SMTP server. All on loopback, ended with the test.

Each may be stopped and started again on the same port, so that a test can take it away for a while.
"""
import base64
import datetime
import ipaddress
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from world import free_port


def pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """A CA of its own, for servers and clients of destinations."""

    def __init__(self, name="Target CA"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.cert = self._sign(self.name, self.key.public_key(), True, [])

    def _sign(self, subject, public, ca, sans):
        now = datetime.datetime.utcnow()
        b = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public)
             .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
             .not_valid_after(now + datetime.timedelta(9)).add_extension(x509.BasicConstraints(ca, None), True))
        if sans:
            b = b.add_extension(x509.SubjectAlternativeName(sans), False)
        return b.sign(self.key, hashes.SHA256())

    def issue(self, folder, name, host="localhost"):
        """(certificate file, key file) for a server of this name, or a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        sans = [x509.DNSName(host)] + ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if host == "localhost" else [])
        cert = self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key(), False, sans)
        paths = Path(folder) / f"{name}.crt", Path(folder) / f"{name}.key"
        paths[0].write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(pem_key(key))
        return paths

    def pem(self, folder):
        path = Path(folder) / "target-ca.pem"
        path.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))
        return path

    @property
    def trust(self):
        """As a distribution rule has it."""
        return [base64.b64encode(self.cert.public_bytes(serialization.Encoding.DER)).decode()]


def wait_for_port(port, process=None):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process is None or process.poll() is None, "the server ended"
            time.sleep(0.05)
    raise AssertionError("the server does not listen")


class Process:
    process = None

    def run(self, *command, **more):
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *map(str, command)], **more)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(20)
        self.process = None


class Web(Process):
    """nginx that takes PUT and DELETE: /open/ from everybody, /basic/ with a password, /client/ with a certificate, /post as a
    responder would, and some that answer with what a test wants."""

    def __init__(self, folder, authority, user="publisher", password="a pass:word", host="localhost"):
        self.folder, self.port, self.plain_port = Path(folder), free_port(), free_port()
        self.root = self.folder / "root"
        (self.root / "open").mkdir(parents=True)
        for name in ("basic", "client"):
            (self.root / name).mkdir()
        cert, key = authority.issue(self.folder, "web", host)
        hashed = subprocess.run(["openssl", "passwd", "-apr1", password], capture_output=True, text=True, check=True).stdout
        (self.folder / "users").write_text(f"{user}:{hashed}")
        dav = "dav_methods PUT DELETE; create_full_put_path on; dav_access user:rw group:r all:r;"
        self.conf = self.folder / "nginx.conf"
        self.conf.write_text(f"""
user {"root" if os.getuid() == 0 else "nobody"};
daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log; worker_processes 1;
events {{}}
http {{
  access_log {self.folder}/access.log; client_max_body_size 100m;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/p; fastcgi_temp_path {self.folder}/f;
  uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
  log_format what '$request_method $uri $content_type $remote_user $ssl_client_s_dn';
  access_log {self.folder}/what.log what;
  server {{
    listen 127.0.0.1:{self.port} ssl; listen 127.0.0.1:{self.plain_port};
    ssl_certificate {cert}; ssl_certificate_key {key};
    ssl_client_certificate {authority.pem(self.folder)}; ssl_verify_client optional;
    root {self.root};
    location /open/ {{ {dav} }}
    location /basic/ {{ {dav} auth_basic "x"; auth_basic_user_file {self.folder}/users; }}
    location /client/ {{ {dav} if ($ssl_client_verify != SUCCESS) {{ return 403; }} }}
    location /post {{ return 204; }}
    location /moved/ {{ return 302 https://elsewhere.example/; }}
    location /bad/ {{ return 422; }}
    location /later/ {{ return 503; }}
  }}
}}
""")
        self.start()

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def start(self):
        self.run("nginx", "-p", self.folder, "-e", self.folder / "error.log", "-c", self.conf)
        wait_for_port(self.port, self.process)
        return self

    def seen(self):
        path = self.folder / "what.log"
        return path.read_text().splitlines() if path.exists() else []


class Directory(Process):
    """slapd with people under o=Example; only the administrator may write, and only over TLS."""

    password = "a (secret), \\pass*word"

    def __init__(self, folder, authority, host="localhost"):
        self.folder, self.port, self.tls_port = Path(folder), free_port(), free_port()
        (self.folder / "db").mkdir(parents=True)
        cert, key = authority.issue(self.folder, "directory", host)
        self.ca = authority.pem(self.folder)
        hashed = subprocess.run(["/usr/sbin/slappasswd", "-s", self.password], capture_output=True, text=True, check=True).stdout
        self.conf = self.folder / "slapd.conf"
        self.conf.write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/pmi.schema
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'statement' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.32473.1.2 NAME 'statementHolder' AUXILIARY MAY statement )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {self.folder}/pid
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
TLSCACertificateFile {self.ca}
security update_tls=1 simple_bind=1
database mdb
maxsize 268435456
suffix "o=Example"
rootdn "cn=admin,o=Example"
rootpw {hashed.strip()}
directory {self.folder}/db
access to * by * read
""")
        subprocess.run(["/usr/sbin/slapadd", "-f", self.conf], text=True, check=True, capture_output=True, input="""
dn: o=Example
objectClass: organization
o: Example

dn: ou=people,o=Example
objectClass: organizationalUnit
ou: people

dn: ou=admins,o=Example
objectClass: organizationalUnit
ou: admins

dn: uid=carol,ou=people,o=Example
objectClass: inetOrgPerson
uid: carol
cn: Carol
sn: Carol
mail: carol@example.org
""")
        self.start()

    def start(self):
        self.run("/usr/sbin/slapd", "-f", self.conf, "-d", "0", "-h",
                 f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}", stderr=subprocess.DEVNULL)
        wait_for_port(self.tls_port, self.process)
        return self

    @property
    def url(self):
        return f"ldap://127.0.0.1:{self.port}"  # libldap takes "localhost" for the machine's own name

    @property
    def tls_url(self):
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def search(self, base="o=Example", filter_="(objectClass=*)", scope="sub", *attributes):
        """{dn: {attribute: [values as octets]}}, by ldapsearch."""
        done = subprocess.run(["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", f"ldap://127.0.0.1:{self.port}", "-b", base, "-s", scope,
                               filter_, *attributes], capture_output=True, text=True, check=False)
        found, entry = {}, None
        for line in done.stdout.splitlines():
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            value = base64.b64decode(value[1:].strip()) if value.startswith(":") else value.strip().encode()
            if name == "dn":
                entry = found.setdefault(value.decode(), {})
            else:
                entry.setdefault(name, []).append(value)
        return found


class Mail:
    """An SMTP server that keeps what it gets: (sender, recipients, text) in .letters. STARTTLS and AUTH PLAIN; tells 4xx or 5xx
    where a test sets .answer."""

    def __init__(self, folder, authority, user="mailer", password="mail word", host="localhost"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        cert, key = authority.issue(folder, "mail", host)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(cert, key)
        self.user, self.password, self.letters, self.answer, self.logins = user, password, [], None, []
        self.port, self.listener, self.thread = free_port(), None, None
        self.start()

    @property
    def url(self):
        return f"smtp://localhost:{self.port}"

    def start(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen()
        self.thread = threading.Thread(target=self._accept, args=(self.listener,), daemon=True)
        self.thread.start()

    def stop(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.thread.join(10)
        self.listener = None

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            self._talk(sock)
        except (OSError, ValueError):
            pass
        finally:
            sock.close()

    def _talk(self, sock):
        tls, sender, recipients = False, None, []
        sock.settimeout(30)
        lines = sock.makefile("rb")

        def say(text):
            sock.sendall(text.encode() + b"\r\n")
        say("220 sink")
        while True:
            line = lines.readline().decode().strip()
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                say("250-sink\r\n250-8BITMIME\r\n" + ("250 AUTH PLAIN" if tls else "250 STARTTLS"))
            elif verb == "STARTTLS":
                say("220 go")
                sock = self.context.wrap_socket(sock, server_side=True)
                lines, tls = sock.makefile("rb"), True
            elif verb == "AUTH":
                word = line.split(" ")[2] if len(line.split(" ")) > 2 else None
                if word is None:
                    say("334 ")
                    word = lines.readline().decode().strip()
                _, user, password = base64.b64decode(word).decode().split("\0")
                self.logins.append(user)
                say("235 ok" if (user, password) == (self.user, self.password) else "535 no")
            elif verb == "MAIL":
                sender, recipients = line.split(":", 1)[1].split(" ")[0], []
                say(self.answer or "250 ok")
            elif verb == "RCPT":
                recipients.append(line.split(":", 1)[1])
                say("250 ok")
            elif verb == "DATA":
                say("354 go")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += lines.readline()
                self.letters.append((sender, recipients, text[:-5]))
                say("250 kept")
            elif verb == "QUIT" or not verb:
                say("221 bye")
                return
            else:
                say("250 ok")


def free_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    Path(path).mkdir(parents=True)
    return Path(path)
