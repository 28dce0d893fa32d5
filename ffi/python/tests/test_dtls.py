"""DTLS: on memory, and on UDP against other programs, as client and as server."""

import contextlib
import re
import socket
import subprocess
import threading
import time

import pytest

import flatssl
from flatssl import _abi
from flatssl._load import NULL, ffi, lib

SECONDS = 20
SECRET = b"a secret of thirty-two bytes ..."


@pytest.fixture
def dtls_client(certs):
    context = flatssl.Context._wrap(_abi.ctx_new_dtls_client())
    context.set_cert_store(flatssl.Store())
    context.trust(certs.ca.cert)
    return context


@pytest.fixture
def dtls_server(certs):
    context = flatssl.Context._wrap(_abi.ctx_new_dtls_server())
    context.use(certs.ecdsa.cert, certs.ecdsa.key)
    return context


def datagrams(connection):
    with contextlib.suppress(flatssl.WantReadError):
        while True:
            yield connection.bio_read(16384)


def carry(source, target):
    for datagram in datagrams(source):
        target.bio_write(datagram)


def step(connection):
    try:
        connection.do_handshake()
    except flatssl.WantReadError:
        return False
    return True


def shake_hands(client, server):
    done = [False, False]
    for _ in range(10):
        for at, (one, other) in enumerate([(client, server), (server, client)]):
            done[at] = done[at] or step(one)
            carry(one, other)
    assert all(done)


# ---- over memory ----


def listened(client, server):
    """Has the server listen until the client has shown its cookie."""
    assert not step(client)
    carry(client, server)
    with pytest.raises(flatssl.WantReadError):
        _abi.conn_dtls_listen(server)
    carry(server, client)
    assert not step(client)
    carry(client, server)
    return _abi.conn_dtls_listen(server)


def test_secret(dtls_client, dtls_server):
    _abi.ctx_set_dtls_cookie_secret(dtls_server, SECRET)
    with pytest.raises(ValueError):
        _abi.ctx_set_dtls_cookie_secret(dtls_server, b"short")
    client, server = dtls_client.wrap(None, host="localhost"), dtls_server.wrap(None)
    _abi.conn_set_dtls_peer(server, b"192.0.2.1:5684")
    with pytest.raises(ValueError):
        _abi.conn_set_dtls_peer(server, b"")
    assert listened(client, server) == 1
    with pytest.raises(flatssl.UsageError):
        _abi.conn_dtls_listen(server)
    shake_hands(client, server)
    assert client.protocol_version_name() == "DTLSv1.2"
    assert _abi.conn_protocol_version(server) == lib.FSSL_DTLS1_2_VERSION


@ffi.callback("fssl_protos_callback")
def generate(token, connection, data, length):
    return 1 if lib.fssl_conn_answer(connection, b"cookie", token, NULL) == 0 else -1


@ffi.callback("fssl_protos_callback")
def verify(token, connection, data, length):
    return ffi.buffer(data, length)[:] == b"cookie"[:token]


@pytest.mark.parametrize("length", [6, 1])
def test_callbacks(dtls_client, dtls_server, length):
    handle = dtls_server._handle
    _abi.call(lib.fssl_ctx_set_cookie_generate_callback, handle, generate, length)
    _abi.call(lib.fssl_ctx_set_cookie_verify_callback, handle, verify, length)
    for install in (
        lib.fssl_ctx_set_cookie_generate_callback, lib.fssl_ctx_set_cookie_verify_callback
    ):
        with pytest.raises(flatssl.Error):
            _abi.call(install, 0, NULL, 0)
    client, server = dtls_client.wrap(None, host="localhost"), dtls_server.wrap(None)
    assert listened(client, server) == 1
    shake_hands(client, server)


def test_timers(dtls_client, dtls_server):
    client = dtls_client.wrap(None, host="localhost")
    assert _abi.conn_dtls_timeout(client) == -1
    assert not step(client)
    assert len(list(datagrams(client))) == 1
    assert _abi.conn_handle_dtls_timeout(client) == 0
    time.sleep(_abi.conn_dtls_timeout(client) / 1000)
    assert _abi.conn_handle_dtls_timeout(client) == 1
    assert len(list(datagrams(client))) == 1


def test_lengths(dtls_client, dtls_server):
    client, server = dtls_client.wrap(None, host="localhost"), dtls_server.wrap(None)
    _abi.conn_set_ciphertext_mtu(client, 500)
    with pytest.raises(ValueError):
        _abi.conn_set_ciphertext_mtu(client, 100)
    shake_hands(client, server)
    fits = _abi.conn_cleartext_mtu(client)
    assert 400 < fits < 500
    client.send(b"x" * fits)
    client.send(b"y")
    with pytest.raises(ValueError):
        client.send(b"z" * 20000)
    assert max(map(len, sent := list(datagrams(client)))) <= 500
    for datagram in reversed(sent):
        server.bio_write(datagram)
    assert server.recv() == b"y"
    assert server.recv() == b"x" * fits


def test_not_for_streams(client_context, server_context):
    client, server = client_context.wrap(None, host="localhost"), server_context.wrap(None)
    for call in (
        _abi.conn_dtls_timeout, _abi.conn_handle_dtls_timeout, _abi.conn_cleartext_mtu,
    ):
        with pytest.raises(flatssl.UsageError):
            call(client)
    with pytest.raises(flatssl.UsageError):
        _abi.conn_dtls_listen(server)
    with pytest.raises(flatssl.UsageError):
        _abi.ctx_set_dtls_cookie_secret(server_context, SECRET)


# ---- over UDP, against other programs ----


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """Another program, whose output a thread reads. It ends with the test."""

    def __init__(self, *command):
        self.output = b""
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while chunk := self.process.stdout.read1(4096):
            self.output += chunk

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for(self, text):
        for _ in range(SECONDS * 50):
            if text in self.output:
                return True
            time.sleep(0.02)
        raise AssertionError(self.output.decode(errors="replace"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


def connect(context, port):
    """Connects as soon as a program listens."""
    for _ in range(100):
        connection = flatssl.Connection.unconnected(context)
        connection.settimeout(SECONDS)
        connection.set_host("localhost")
        try:
            connection.connect("127.0.0.1", port)
            connection.do_handshake()
            return connection
        except flatssl.SysCallError:  # refused
            connection.close()
            time.sleep(0.05)
    raise AssertionError("nobody listens")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
@pytest.mark.parametrize("cookies", [True, False])
def test_client_of_openssl(certs, dtls_client, kind, cookies):
    files, port = getattr(certs, kind), free_port()
    with Program(
        "openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}", "-cert", files.cert,
        "-key", files.key, *(["-listen"] if cookies else []),
    ) as server:
        with connect(dtls_client, port) as client:
            client.send(b"from the client\n")
            server.wait_for(b"from the client")
            server.write(b"from the server\n")
            assert client.recv() == b"from the server\n"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_client_of_gnutls(certs, dtls_client, kind):
    files, port = getattr(certs, kind), free_port()
    with Program(
        "gnutls-serv", "--udp", "--echo", "--port", port, "--x509certfile", files.cert,
        "--x509keyfile", files.key,
    ):
        with connect(dtls_client, port) as client:
            client.send(b"there and back\n")
            assert client.recv() == b"there and back\n"


@contextlib.contextmanager
def listening(context, certs, kind):
    """A server's connection on a free port."""
    _abi.ctx_set_dtls_cookie_secret(context, SECRET)
    context.use(getattr(certs, kind).cert, getattr(certs, kind).key)
    with flatssl.Connection.unconnected(context) as connection:
        connection.settimeout(SECONDS)
        connection.bind("127.0.0.1", 0)
        yield connection, connection.getsockname()[1]


def serve(connection, program):
    assert _abi.conn_dtls_listen(connection) == 1
    connection.do_handshake()
    program.write(b"from the client\n")
    assert connection.recv() == b"from the client\n"
    connection.send(b"from the server\n")
    assert program.wait_for(b"from the server")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_server_of_openssl(certs, dtls_server, kind):
    with listening(dtls_server, certs, kind) as (connection, port), Program(
        "openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-CAfile",
        certs.ca.cert, "-verify_return_error", "-verify_hostname", "localhost",
    ) as program:
        serve(connection, program)
        program.wait_for(b"Verify return code: 0 (ok)")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_server_of_gnutls(certs, dtls_server, kind):
    with listening(dtls_server, certs, kind) as (connection, port), Program(
        "gnutls-cli", "--udp", "-p", port, "--x509cafile", certs.ca.cert, "--verify-hostname",
        "localhost", "127.0.0.1",
    ) as program:
        serve(connection, program)


# ---- profiles of SRTP ----

GCM, SHA1_80, SHA1_32 = "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80", "SRTP_AES128_CM_SHA1_32"
LABEL = "EXTRACTOR-dtls_srtp"
MATERIAL = ("-keymatexport", LABEL, "-keymatexportlen", 60)
# What the client has, what the server, and what that comes to.
SRTP = pytest.mark.parametrize("client, server, profile", [
    (GCM, GCM, GCM),
    (f"{SHA1_80}:{GCM}", f"{GCM}:{SHA1_80}", GCM),
    (f"{GCM}:{SHA1_80}", f"{SHA1_32}:{SHA1_80}", SHA1_80),
    (GCM, SHA1_80, ""),
    (GCM, "", ""),
    ("", GCM, ""),
])


def use_srtp(context, profiles):
    if profiles:
        context.set_srtp_profiles(profiles)


def srtp_option(profiles):
    return ("-use_srtp", profiles) if profiles else ()


def agree(connection, program, profile):
    """Both ends tell the same profile and the same keys."""
    assert connection.srtp_profile_name() == profile
    keys = connection.export_keying_material(LABEL, 60)
    program.wait_for(b"Keying material: " + keys.hex().upper().encode())
    told = re.findall(rb"SRTP Extension negotiated, profile=(\S+)", program.output)
    assert told == ([profile.encode()] if profile else [])


@SRTP
def test_srtp_client_of_openssl(certs, dtls_client, client, server, profile):
    use_srtp(dtls_client, client)
    port = free_port()
    with Program(
        "openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}", "-cert",
        certs.ecdsa.cert, "-key", certs.ecdsa.key, *MATERIAL, *srtp_option(server),
    ) as program, connect(dtls_client, port) as connection:
        agree(connection, program, profile)


@SRTP
def test_srtp_server_of_openssl(certs, dtls_server, client, server, profile):
    use_srtp(dtls_server, server)
    with listening(dtls_server, certs, "ecdsa") as (connection, port), Program(
        "openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", *MATERIAL,
        *srtp_option(client),
    ) as program:
        _abi.conn_dtls_listen(connection)
        connection.do_handshake()
        agree(connection, program, profile)


@pytest.mark.parametrize("offered, profile", [("SRTP_AES128_CM_HMAC_SHA1_32", SHA1_32),
                                              ("SRTP_NULL_HMAC_SHA1_80", "")])
def test_srtp_server_of_gnutls(certs, dtls_server, offered, profile):
    use_srtp(dtls_server, f"{SHA1_80}:{SHA1_32}")
    with listening(dtls_server, certs, "ecdsa") as (connection, port), Program(
        "gnutls-cli", "--udp", "-p", port, "--x509cafile", certs.ca.cert, "--verify-hostname",
        "localhost", "--srtp-profiles", offered, "127.0.0.1",
    ) as program:
        serve(connection, program)
        assert connection.srtp_profile_name() == profile
        assert (f"SRTP profile: {offered}".encode() in program.output) == bool(profile)
