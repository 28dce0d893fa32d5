"""OpenSSL's and GnuTLS's command-line programs as the other end, and certificates for both."""

import contextlib
import pathlib
import socket
import subprocess
import time

SECONDS = 20
LINE = b"hello\n"
PROTOCOL = "h2"
KEYS = {
    "RSA": ["rsa:2048"],
    "ECDSA": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "Ed25519": ["ed25519"],
}
EXTENSIONS = """basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth,clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost
"""
# What GnuTLS's servers and clients take, beyond what they take unasked.
PRIORITY = "NORMAL:+AES-128-CBC:+AES-256-CBC:+SHA256:+SHA384:+RSA:+DHE-RSA"
GNUTLS_VERSIONS = {"TLSv1.2": "-VERS-ALL:+VERS-TLS1.2", "TLSv1.3": "-VERS-ALL:+VERS-TLS1.3"}
OPENSSL_VERSIONS = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                   timeout=SECONDS)


def make_certificates(folder):
    """An authority, and for each kind of key a certificate that it signed, for either side."""
    (folder / "extensions").write_text(EXTENSIONS)
    openssl("req", "-x509", "-newkey", *KEYS["ECDSA"], "-nodes", "-days", 2, "-subj", "/CN=ca",
            "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for kind, arguments in KEYS.items():
        openssl("req", "-newkey", *arguments, "-nodes", "-subj", f"/CN={kind}",
                "-keyout", folder / f"{kind}.key", "-out", folder / f"{kind}.csr")
        openssl("x509", "-req", "-days", 2, "-in", folder / f"{kind}.csr", "-CA", folder / "ca.pem",
                "-CAkey", folder / "ca.key", "-CAcreateserial",
                "-extfile", folder / "extensions", "-out", folder / f"{kind}.pem")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextlib.contextmanager
def started(command, port):
    """A server as a process, once it listens, until the block ends."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def openssl_server(folder, kind, mutual):
    """Says each line backwards."""
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-rev", "-quiet",
               "-cert", folder / f"{kind}.pem", "-key", folder / f"{kind}.key", "-alpn", PROTOCOL,
               "-cipher", "ALL:@SECLEVEL=1", "-dhparam", folder / "dh.pem"]
    if mutual:
        command += ["-Verify", "2", "-verify_return_error", "-CAfile", folder / "ca.pem"]
    return started(command, port)


def gnutls_server(folder, kind, mutual):
    """Says each line again."""
    port = free_port()
    command = ["gnutls-serv", "--quiet", "--echo", "--port", port, "--priority", PRIORITY,
               "--x509certfile", folder / f"{kind}.pem", "--x509keyfile", folder / f"{kind}.key",
               f"--alpn={PROTOCOL}", "--disable-client-cert"]
    if mutual:
        command[-1:] = ["--require-client-cert", "--verify-client-cert",
                        "--x509cafile", folder / "ca.pem"]
    return started(command, port)


def said(*command):
    """What a client says that sends a line and waits for the end."""
    done = subprocess.run(list(map(str, command)), input=LINE, capture_output=True, timeout=SECONDS)
    return done.stdout + done.stderr


def openssl_client(folder, port, version, *arguments, kind=None, cipher=None):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
               "-CAfile", folder / "ca.pem", "-verify_return_error", "-verify_hostname",
               "localhost", "-ign_eof", OPENSSL_VERSIONS[version], "-alpn", PROTOCOL, *arguments]
    if kind:
        command += ["-cert", folder / f"{kind}.pem", "-key", folder / f"{kind}.key"]
    if cipher:
        command += ["-ciphersuites" if version == "TLSv1.3" else "-cipher", cipher]
    return said(*command)


def gnutls_client(folder, port, version, *arguments, kind=None):
    command = ["gnutls-cli", "--x509cafile", folder / "ca.pem", "--port", port, "localhost",
               "--priority", f"{PRIORITY}:{GNUTLS_VERSIONS[version]}", f"--alpn={PROTOCOL}",
               "--logfile", folder / "log", *arguments]
    if kind:
        command += ["--x509certfile", folder / f"{kind}.pem",
                    "--x509keyfile", folder / f"{kind}.key"]
    (folder / "log").write_bytes(b"")
    heard = said(*command)
    return heard + pathlib.Path(folder, "log").read_bytes()
