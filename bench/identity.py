"""The certificates that all peers use, made anew for each run by the openssl program, and its
settings: each library over OpenSSL takes from them the cipher and the group that it cannot set."""

import os
import subprocess

SETTINGS = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = peers
[peers]
Ciphersuites = TLS_AES_128_GCM_SHA256
Groups = X25519:P-256
"""

EXTENSIONS = (
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "subjectAltName=DNS:localhost",
)


KEYS = {"ec": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",)}


def _request(folder, name, *options):
    command = [
        "openssl", "req", "-x509", "-newkey", *KEYS[os.path.basename(folder)], "-noenc", "-days",
        "30", "-subj", f"/CN=bench {name}", "-keyout", f"{name}.key", "-out", f"{name}.crt",
    ]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)


def make(folder: str) -> None:
    """Makes a folder for each kind of key in this one: see _fill."""
    for key in KEYS:
        os.mkdir(os.path.join(folder, key))
        _fill(os.path.join(folder, key))


def _fill(folder):
    """Fills a folder: ca.pem, server.pem and client.pem (key, then certificate), openssl.cnf."""
    _request(folder, "ca", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    os.rename(os.path.join(folder, "ca.crt"), os.path.join(folder, "ca.pem"))
    for name in ("server", "client"):
        options = ["-CA", "ca.pem", "-CAkey", "ca.key"]
        for extension in (*EXTENSIONS, f"extendedKeyUsage={name}Auth"):
            options += ["-addext", extension]
        _request(folder, name, *options)
        with open(os.path.join(folder, name + ".pem"), "w") as whole:
            for part in (name + ".key", name + ".crt"):
                with open(os.path.join(folder, part)) as file:
                    whole.write(file.read())
    with open(os.path.join(folder, "openssl.cnf"), "w") as file:
        file.write(SETTINGS)
