"""flatssl against other TLS programs, as client and as server: TLS 1.2 and 1.3, RSA and ECDSA."""

import contextlib
import re
import shutil
import socket
import ssl
import subprocess

import pytest

import flatssl
from flatssl import _abi
from flatssl._load import lib

SECONDS = 20
REQUEST = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
PAGE = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
NAMES = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}
NUMBERS = {"1.2": lib.FSSL_TLS1_2_VERSION, "1.3": lib.FSSL_TLS1_3_VERSION}

versions = pytest.mark.parametrize("version", NAMES)
kinds = pytest.mark.parametrize("kind", ["rsa", "ecdsa"])


def held_to(context, version):
    _abi.ctx_set_min_proto_version(context, NUMBERS[version])
    _abi.ctx_set_max_proto_version(context, NUMBERS[version])
    return context


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextlib.contextmanager
def program(*command):
    """A server as a process of its own, which ends with the test."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def connect(context, port):
    """Connects as soon as a program has started to listen."""
    for _ in range(100):
        try:
            return context.connect("localhost", port, timeout=SECONDS)
        except flatssl.SysCallError:
            import time

            time.sleep(0.05)
    raise AssertionError("nobody listens")


@contextlib.contextmanager
def serving(background, context, clients=1):
    """A server of flatssl's that answers requests with a page. Gives its port."""
    listener = context.listen("127.0.0.1", 0)
    listener.settimeout(SECONDS)

    def serve():
        for _ in range(clients):
            with listener.accept() as connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv()
                connection.sendall(PAGE)

    served = background(serve)
    yield listener.getsockname()[1]
    served.join()
    listener.close()


def run(*command, stdin=b""):
    done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True,
                          timeout=SECONDS)
    return done.stdout + done.stderr


# ---- flatssl as client ----


@versions
@kinds
def test_openssl_server(version, kind, certs):
    files, port = getattr(certs, kind), free_port()
    context = held_to(flatssl.Context.client(cafile=certs.ca.cert), version)
    with program("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-cert",
                 files.cert, "-key", files.key), connect(context, port) as connection:
        assert connection.protocol_version_name() == NAMES[version]
        connection.sendall(REQUEST)
        assert b"HTTP/1.0 200 ok" in connection.makefile("rb").read()


@versions
@kinds
@pytest.mark.skipif(not shutil.which("gnutls-serv"), reason="gnutls-serv is not installed")
def test_gnutls_server(version, kind, certs):
    files, port = getattr(certs, kind), free_port()
    context = held_to(flatssl.Context.client(cafile=certs.ca.cert), version)
    with program("gnutls-serv", "--quiet", "--http", "--port", port, "--x509certfile", files.cert,
                 "--x509keyfile", files.key), connect(context, port) as connection:
        connection.sendall(REQUEST)
        assert b"HTTP/1.0 200 OK" in connection.recv()


@versions
@kinds
def test_python_server(version, kind, certs, background):
    files = getattr(certs, kind)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(files.cert, files.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            client, _ = listener.accept()
            with theirs.wrap_socket(client, server_side=True) as connection:
                connection.sendall(connection.recv(100).upper())
                connection.unwrap()

        served = background(serve)
        context = held_to(flatssl.Context.client(cafile=certs.ca.cert), version)
        with context.connect("localhost", listener.getsockname()[1], timeout=SECONDS) as connection:
            connection.sendall(b"shout")
            assert connection.makefile("rb").read() == b"SHOUT"
        served.join()


# ---- flatssl as server ----


def server_of(certs, kind, version):
    files = getattr(certs, kind)
    return held_to(flatssl.Context.server(files.cert, files.key), version)


@versions
@kinds
def test_openssl_client(version, kind, certs, background):
    with serving(background, server_of(certs, kind, version)) as port:
        said = run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile",
                   certs.ca.cert, "-verify_return_error", "-verify_hostname", "localhost",
                   "-ign_eof", stdin=REQUEST)
    assert b"hello" in said and b"Verification: OK" in said
    assert re.search(rb"New, (\S+),", said)[1].decode() == NAMES[version]


@versions
@kinds
@pytest.mark.skipif(not shutil.which("gnutls-cli"), reason="gnutls-cli is not installed")
def test_gnutls_client(version, kind, certs, background):
    with serving(background, server_of(certs, kind, version)) as port:
        said = run("gnutls-cli", "--x509cafile", certs.ca.cert, "--port", port, "localhost",
                   "--logfile=/dev/null", stdin=REQUEST)
    assert b"hello" in said


@versions
@kinds
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl(version, kind, certs, background):
    with serving(background, server_of(certs, kind, version)) as port:
        said = run("curl", "-sS", "--cacert", certs.ca.cert, f"https://localhost:{port}/")
    assert said == b"hello"


@versions
@kinds
def test_python_client(version, kind, certs, background):
    theirs = ssl.create_default_context(cafile=certs.ca.cert)
    with serving(background, server_of(certs, kind, version)) as port:
        with socket.create_connection(("127.0.0.1", port)) as carrier, theirs.wrap_socket(
            carrier, server_hostname="localhost"
        ) as connection:
            assert connection.version() == NAMES[version]
            connection.sendall(REQUEST)
            said = b""
            while data := connection.recv(1000):
                said += data
    assert said == PAGE


# ---- both demand certificates ----


def test_mutual(certs, background):
    context = flatssl.Context.server(certs.rsa.cert, certs.rsa.key, client_ca=certs.ca.cert)
    with serving(background, context) as port:
        said = run("curl", "-sS", "--cacert", certs.ca.cert, "--cert", certs.client.cert, "--key",
                   certs.client.key, f"https://localhost:{port}/")
    assert said == b"hello"


def test_client_without_certificate_is_refused(certs, background):
    context = flatssl.Context.server(certs.rsa.cert, certs.rsa.key, client_ca=certs.ca.cert)
    listener = context.listen("127.0.0.1", 0)
    listener.settimeout(SECONDS)

    def serve():
        with listener.accept() as connection, pytest.raises(flatssl.VerifyError):
            connection.do_handshake()

    served = background(serve)
    said = run("curl", "-sS", "--cacert", certs.ca.cert,
               f"https://localhost:{listener.getsockname()[1]}/")
    assert b"curl: (" in said and b"hello" not in said  # the alert, or the reset behind it
    served.join()
    listener.close()
