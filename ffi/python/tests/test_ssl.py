"""flatssl.SSL: each name of the seed does what its reference says. docs/seed.md maps rows to these."""

import errno
import socket
import threading

import pytest

from flatssl import SSL, crypto
from flatssl._abi import Handle


def pump(*ends):
    """Carries ciphertext between two ends until nothing moves."""
    moved = True
    while moved:
        moved = False
        for one, other in (ends, ends[::-1]):
            try:
                other.bio_write(one.bio_read(1 << 16))
                moved = True
            except SSL.WantReadError:
                pass


def handshake(client, server):
    waiting = [client, server]
    for _ in range(20):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except SSL.WantReadError:
                pass
            pump(client, server)
        if not waiting:
            return
    raise AssertionError("the handshake does not end")


def settle(client, server):
    """Lets both read what is no data: tickets, or a renegotiation."""
    for _ in range(6):
        for end in client, server:
            try:
                end.recv(1)
            except SSL.WantReadError:
                pass
        pump(client, server)


def ends(client_context, server_context, name=b"localhost"):
    client = SSL.Connection(client_context, None)
    client.set_connect_state()
    client.set_tlsext_host_name(name)
    server = SSL.Connection(server_context, None)
    server.set_accept_state()
    return client, server


def let_go(owner):
    """Closes what pytest still holds, and drops its callbacks with what they hold."""
    Handle.close(owner)
    vars(owner).clear()


@pytest.fixture
def server_context(certs):
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.use_certificate_chain_file(bytes(certs.rsa.cert))
    context.use_privatekey_file(bytes(certs.rsa.key))
    yield context
    let_go(context)


@pytest.fixture
def client_context(certs):
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.load_verify_locations(bytes(certs.ca.cert))
    yield context
    let_go(context)


def established(client_context, server_context):
    """Two ends whose handshake is done, for a test; Connection.close would be the socket's."""
    client, server = ends(client_context, server_context)
    handshake(client, server)
    yield client, server
    let_go(client)
    let_go(server)


@pytest.fixture
def pair(client_context, server_context):
    yield from established(client_context, server_context)


def tls12(context):
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    return context


@pytest.fixture
def pair12(client_context, server_context):
    yield from established(tls12(client_context), server_context)


# ---- constants and versions ----

CONSTANTS = {
    "SSLv2_METHOD": 1, "SSLv3_METHOD": 2, "SSLv23_METHOD": 3, "TLSv1_METHOD": 4,
    "TLSv1_1_METHOD": 5, "TLSv1_2_METHOD": 6, "VERIFY_NONE": 0, "VERIFY_PEER": 1,
    "VERIFY_FAIL_IF_NO_PEER_CERT": 2, "VERIFY_CLIENT_ONCE": 4, "FILETYPE_PEM": 1,
    "FILETYPE_ASN1": 2, "OP_SINGLE_DH_USE": 0, "OP_SINGLE_ECDH_USE": 0, "OP_EPHEMERAL_RSA": 0,
    "OP_NO_TICKET": 0x4000, "OP_NO_COMPRESSION": 0x20000, "OP_NO_SSLv2": 0,
    "OP_NO_SSLv3": 0x2000000, "OP_NO_TLSv1": 0x4000000, "OP_NO_TLSv1_1": 0x10000000,
    "OP_NO_TLSv1_2": 0x8000000, "SSLEAY_VERSION": 0, "SSLEAY_CFLAGS": 1, "SSLEAY_BUILT_ON": 2,
    "SSLEAY_PLATFORM": 3, "SSLEAY_DIR": 4, "SESS_CACHE_OFF": 0, "SESS_CACHE_CLIENT": 1,
    "SESS_CACHE_SERVER": 2, "SESS_CACHE_BOTH": 3, "SESS_CACHE_NO_AUTO_CLEAR": 0x80,
    "SESS_CACHE_NO_INTERNAL_LOOKUP": 0x100, "SESS_CACHE_NO_INTERNAL_STORE": 0x200,
    "SESS_CACHE_NO_INTERNAL": 0x300, "SENT_SHUTDOWN": 1, "RECEIVED_SHUTDOWN": 2,
    "MODE_RELEASE_BUFFERS": 0x10,
}


def test_constants():
    assert {name: getattr(SSL, name) for name in CONSTANTS} == CONSTANTS


@pytest.mark.parametrize("method", [SSL.SSLv2_METHOD, SSL.SSLv3_METHOD])
def test_old_methods_raise(method):
    with pytest.raises(SSL.Error, match="unsupported"):
        SSL.Context(method)


@pytest.mark.parametrize("method, version", [
    (SSL.SSLv23_METHOD, "TLSv1.3"), (SSL.TLSv1_METHOD, "TLSv1"), (SSL.TLSv1_1_METHOD, "TLSv1.1"),
    (SSL.TLSv1_2_METHOD, "TLSv1.2"),
])
def test_methods(method, version, certs):
    server_context, client_context = SSL.Context(method), SSL.Context(method)
    server_context.use_certificate_file(bytes(certs.rsa.cert))
    server_context.use_privatekey_file(bytes(certs.rsa.key))
    for context in server_context, client_context:
        context.set_cipher_list(b"ALL:@SECLEVEL=0")  # what TLS before 1.2 needs
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert client.get_protocol_version_name() == version


def test_versions():
    assert SSL.OPENSSL_VERSION_NUMBER >= 0x30000020
    assert SSL.SSLeay_version(SSL.SSLEAY_VERSION).startswith(b"OpenSSL ")
    assert b"OPENSSLDIR" in SSL.SSLeay_version(SSL.SSLEAY_DIR)
    for which in SSL.SSLEAY_CFLAGS, SSL.SSLEAY_BUILT_ON, SSL.SSLEAY_PLATFORM:
        assert SSL.SSLeay_version(which)
    with pytest.raises(SSL.Error):
        SSL.SSLeay_version(99)


def test_names_of_classes():
    assert SSL.ContextType is SSL.Context and SSL.ConnectionType is SSL.Connection
    with pytest.raises(TypeError):
        SSL.Context("SSLv23_METHOD")
    with pytest.raises(ValueError):
        SSL.Context(42)
    with pytest.raises(TypeError):
        SSL.Connection("context", None)
    with pytest.raises(TypeError, match="must be an int, or have a fileno"):
        SSL.Connection(SSL.Context(SSL.SSLv23_METHOD), "socket")


# ---- exceptions ----


def test_error_has_what_openssl_says():
    with pytest.raises(SSL.Error) as caught:
        SSL.Context(SSL.SSLv23_METHOD).set_cipher_list(b"nothing")
    ((library, function, reason), *_) = caught.value.args[0]
    assert (library, reason) == ("SSL routines", "no cipher match") and function


def test_zero_return(pair):
    client, server = pair
    client.shutdown()
    pump(client, server)
    with pytest.raises(SSL.ZeroReturnError):
        server.recv(1)
    assert issubclass(SSL.ZeroReturnError, SSL.Error)


def test_wants(pair):
    client, _ = pair
    with pytest.raises(SSL.WantReadError):
        client.recv(1)
    assert client.want_read() and not client.want_write()
    with pytest.raises(SSL.WantWriteError):
        while True:
            client.send(b"x" * 65536)
    assert client.want_write()


def test_want_x509_lookup(client_context, server_context):
    from flatssl import _abi
    from flatssl._load import lib

    client, server = ends(client_context, server_context)
    _abi.conn_ask(server, lib.FSSL_ASK_CERTIFICATE)
    with pytest.raises(SSL.WantX509LookupError):
        handshake(client, server)
    _abi.conn_answer_certificate(server, 1)
    handshake(client, server)


def test_unexpected_eof(pair):
    client, _ = pair
    client.bio_shutdown()
    with pytest.raises(SSL.SysCallError) as caught:
        client.recv(1)
    assert caught.value.args == (-1, "Unexpected EOF")


def test_syscall_error(client_context):
    one, other = socket.socketpair()
    connection = SSL.Connection(client_context, one)
    connection.set_connect_state()
    other.close()
    with pytest.raises(SSL.SysCallError) as caught:
        connection.do_handshake()
    assert caught.value.args == (errno.EPIPE, "EPIPE")
    one.close()


# ---- Context ----


def test_key_and_certificate(certs):
    context = SSL.Context(SSL.SSLv23_METHOD)
    with pytest.raises(SSL.Error):
        context.check_privatekey()
    pem = certs.rsa.cert.read_bytes()
    cert = crypto.load_certificate(crypto.FILETYPE_PEM, pem)
    key = crypto.load_privatekey(crypto.FILETYPE_PEM, certs.rsa.key.read_bytes())
    context.use_certificate(cert)
    context.use_privatekey(key)
    context.check_privatekey()
    context.add_extra_chain_cert(cert)
    wrong = crypto.load_privatekey(crypto.FILETYPE_PEM, certs.client.key.read_bytes())
    with pytest.raises(SSL.Error):
        context.use_privatekey(wrong)
    for setter in context.use_certificate, context.use_privatekey, context.add_extra_chain_cert:
        with pytest.raises(TypeError):
            setter("no object")


def test_files(certs, tmp_path):
    context = SSL.Context(SSL.SSLv23_METHOD)
    der = tmp_path / "cert.der"
    der.write_bytes(crypto.dump_certificate(crypto.FILETYPE_ASN1, crypto.load_certificate(
        crypto.FILETYPE_PEM, certs.rsa.cert.read_bytes())))
    context.use_certificate_file(str(der), SSL.FILETYPE_ASN1)
    context.use_certificate_file(certs.rsa.cert)
    context.use_certificate_chain_file(certs.rsa.cert)
    context.use_privatekey_file(certs.rsa.key, SSL.FILETYPE_PEM)
    context.check_privatekey()
    with pytest.raises(TypeError):
        context.use_certificate_file(certs.rsa.cert, "pem")
    with pytest.raises(TypeError):
        context.use_privatekey_file(certs.rsa.key, object())
    with pytest.raises(SSL.Error):
        context.use_certificate_chain_file(b"/no/such/file")


def test_passphrase(certs):
    asked = []

    def give(maximum, verify, userdata):
        asked.append((maximum, verify, userdata))
        return certs.passphrase

    context = SSL.Context(SSL.SSLv23_METHOD)
    with pytest.raises(SSL.Error):
        context.use_privatekey_file(certs.encrypted)
    context.set_passwd_cb(give, "userdata")
    context.use_privatekey_file(certs.encrypted)
    assert asked == [(1024, 0, "userdata")]
    context.set_passwd_cb(lambda *_: b"")
    with pytest.raises(SSL.Error):
        context.use_privatekey_file(certs.encrypted)
    context.set_passwd_cb(lambda *_: "text")
    with pytest.raises(ValueError):
        context.use_privatekey_file(certs.encrypted)


def test_app_data(pair, client_context):
    client, _ = pair
    for owner in client_context, client:
        assert owner.get_app_data() is None
        thing = object()
        owner.set_app_data(thing)
        assert owner.get_app_data() is thing


def test_trust(certs, server_context):
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.set_verify(SSL.VERIFY_PEER)
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        handshake(*ends(context, server_context))
    ca = crypto.load_certificate(crypto.FILETYPE_PEM, certs.ca.cert.read_bytes())
    context.get_cert_store().add_cert(ca)
    handshake(*ends(context, server_context))
    context.set_default_verify_paths()
    for bad in (None, None), (b"/no/such/file", None), (None, b"/no/such/directory"):
        with pytest.raises((SSL.Error, TypeError)):
            context.load_verify_locations(*bad)


def test_verify_settings():
    context = SSL.Context(SSL.SSLv23_METHOD)
    assert context.get_verify_mode() == SSL.VERIFY_NONE
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_CLIENT_ONCE, lambda *_: True)
    assert context.get_verify_mode() == 5
    context.set_verify_depth(11)
    assert context.get_verify_depth() == 11
    with pytest.raises(TypeError):
        context.set_verify("peer", lambda *_: True)
    with pytest.raises(TypeError):
        context.set_verify(SSL.VERIFY_PEER, "no function")


def test_verify_callback(client_context, server_context):
    seen = []

    def verify(connection, cert, error, depth, ok):
        seen.append((connection.get_context() is client_context, type(cert), error, depth, ok))
        return ok

    client_context.set_verify(SSL.VERIFY_PEER, verify)
    handshake(*ends(client_context, server_context))
    assert seen == [(True, crypto.X509, 0, 1, 1), (True, crypto.X509, 0, 0, 1)]
    client_context.set_verify(SSL.VERIFY_PEER, lambda *_: False)
    with pytest.raises(SSL.Error):
        handshake(*ends(client_context, server_context))


def test_exception_in_verify_callback(client_context, server_context):
    client_context.set_verify(SSL.VERIFY_PEER, lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        handshake(*ends(client_context, server_context))


def test_client_cas(certs, client_context, server_context):
    ca = crypto.load_certificate(crypto.FILETYPE_PEM, certs.ca.cert.read_bytes())
    other = crypto.load_certificate(crypto.FILETYPE_PEM, certs.other_ca.cert.read_bytes())
    server_context.set_verify(SSL.VERIFY_PEER)

    def sent():
        client, server = ends(client_context, server_context)
        assert client.get_client_ca_list() == []
        handshake(client, server)
        assert client.get_client_ca_list() == server.get_client_ca_list()
        return client.get_client_ca_list()

    assert sent() == []
    server_context.set_client_ca_list([ca.get_subject()])
    server_context.add_client_ca(other)
    assert sent() == [ca.get_subject(), other.get_subject()]
    server_context.load_client_ca(bytes(certs.other_ca.cert))
    assert sent() == [other.get_subject()]
    with pytest.raises(TypeError):
        server_context.set_client_ca_list(["no name"])
    with pytest.raises(TypeError):
        server_context.add_client_ca("no certificate")
    assert sent() == [other.get_subject()]


def test_temporary_keys(client_context, server_context, tmp_path):
    from conftest import openssl

    params = tmp_path / "dh.pem"
    openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out",
            params)
    tls12(client_context).set_cipher_list(b"DHE-RSA-AES128-GCM-SHA256")
    server_context.load_tmp_dh(bytes(params))
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert client.get_cipher_name() == "DHE-RSA-AES128-GCM-SHA256"
    for curve in crypto.get_elliptic_curves():
        SSL.Context(SSL.SSLv23_METHOD).set_tmp_ecdh(curve)  # none of them raises
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.set_tmp_ecdh(crypto.get_elliptic_curve("prime256v1"))
    client, server = ends(context, server_context)
    handshake(client, server)
    assert client.get_group_name() in ("prime256v1", "secp256r1")
    with pytest.raises(SSL.Error):
        server_context.load_tmp_dh(b"/no/such/file")


def test_cipher_list(client_context, server_context):
    tls12(client_context).set_cipher_list(b"ECDHE-RSA-AES256-GCM-SHA384")
    client, server = ends(client_context, server_context)
    assert "ECDHE-RSA-AES256-GCM-SHA384" in client.get_cipher_list()
    handshake(client, server)
    assert client.get_cipher_name() == "ECDHE-RSA-AES256-GCM-SHA384"
    assert client.get_cipher_bits() == 256 and client.get_cipher_version() == "TLSv1.2"
    with pytest.raises(TypeError):
        client_context.set_cipher_list(object())


def test_info_callback(client_context, server_context):
    seen = []
    client_context.set_info_callback(lambda *arguments: seen.append(arguments))
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert all(connection is client for connection, _, _ in seen)
    assert any(where & SSL.SSL_CB_HANDSHAKE_DONE for _, where, _ in seen)


def test_options_and_mode(client_context):
    options = client_context.set_options(SSL.OP_NO_TLSv1_2 | SSL.OP_NO_TICKET)
    assert options & SSL.OP_NO_TICKET and client_context.set_options(0) == options
    assert client_context.set_mode(SSL.MODE_RELEASE_BUFFERS) & SSL.MODE_RELEASE_BUFFERS
    assert not client_context.clear_mode(SSL.MODE_RELEASE_BUFFERS) & SSL.MODE_RELEASE_BUFFERS
    for setter in client_context.set_options, client_context.set_mode:
        with pytest.raises(TypeError):
            setter("1")


def test_session_settings(client_context):
    assert client_context.get_session_cache_mode() == SSL.SESS_CACHE_SERVER
    assert client_context.set_session_cache_mode(SSL.SESS_CACHE_OFF) == SSL.SESS_CACHE_SERVER
    assert client_context.get_timeout() == 300
    assert client_context.set_timeout(42) == 300 and client_context.get_timeout() == 42
    client_context.set_session_id(b"here")
    with pytest.raises(SSL.Error):
        client_context.set_session_id(b"x" * 33)
    with pytest.raises(TypeError):
        client_context.set_timeout("long")


def test_servername(client_context, server_context):
    seen = []
    other = SSL.Context(SSL.SSLv23_METHOD)
    other.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)

    def switch(connection):
        seen.append(connection.get_servername())
        if seen[-1] == b"strict":
            connection.set_context(other)

    server_context.set_tlsext_servername_callback(switch)
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert server.get_servername() == b"localhost" and server.get_context() is server_context
    with pytest.raises(SSL.Error):
        handshake(*ends(client_context, server_context, b"strict"))
    assert seen == [b"localhost", b"strict"]
    with pytest.raises(TypeError):
        client.set_context("no context")
    for bad in "localhost", b"a\0b":
        with pytest.raises(TypeError):
            client.set_tlsext_host_name(bad)


def test_exception_in_servername_callback(client_context, server_context):
    server_context.set_tlsext_servername_callback(lambda _: 1 // 0)
    client, server = ends(client_context, server_context)
    with pytest.raises(ZeroDivisionError):
        handshake(client, server)
    pump(client, server)
    with pytest.raises(SSL.Error, match="alert"):
        client.do_handshake()


def test_npn(client_context, server_context):
    server_context.set_npn_advertise_callback(lambda connection: [b"http/1.1", b"spdy/2"])
    tls12(client_context).set_npn_select_callback(lambda connection, offered: offered[1])
    client, server = ends(client_context, server_context)
    assert client.get_next_proto_negotiated() == b""
    handshake(client, server)
    assert client.get_next_proto_negotiated() == server.get_next_proto_negotiated() == b"spdy/2"


def test_exception_in_npn_callback(client_context, server_context):
    server_context.set_npn_advertise_callback(lambda connection: [b"http/1.1"])
    tls12(client_context).set_npn_select_callback(lambda connection, offered: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        handshake(*ends(client_context, server_context))


def test_alpn(client_context, server_context):
    seen = []
    client_context.set_alpn_protos([b"http/1.1", b"spdy/2"])
    server_context.set_alpn_select_callback(lambda _, offered: seen.append(offered) or b"spdy/2")
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert seen == [[b"http/1.1", b"spdy/2"]]
    assert client.get_alpn_proto_negotiated() == server.get_alpn_proto_negotiated() == b"spdy/2"
    client, server = ends(client_context, server_context)
    client.set_alpn_protos([b"spdy/2"])
    handshake(client, server)
    assert seen[1] == [b"spdy/2"]
    server_context.set_alpn_select_callback(lambda *_: SSL.NO_OVERLAPPING_PROTOCOLS)
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert client.get_alpn_proto_negotiated() == b""
    for owner in client_context, client:
        with pytest.raises(ValueError):
            owner.set_alpn_protos([])
        with pytest.raises(TypeError):
            owner.set_alpn_protos(["text"])


def test_exception_in_alpn_callback(client_context, server_context):
    client_context.set_alpn_protos([b"h2"])
    server_context.set_alpn_select_callback(lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        handshake(*ends(client_context, server_context))


# ---- Connection ----


def test_data(pair):
    client, server = pair
    for data in b"bytes", bytearray(b"array"), memoryview(b"view"):
        assert client.send(data) == len(data)
        pump(client, server)
        assert server.recv(2, socket.MSG_PEEK) == bytes(data)[:2]
        assert server.recv(1) == bytes(data)[:1]
        assert server.pending() == len(data) - 1
        buffer = bytearray(10)
        assert server.recv_into(buffer) == len(data) - 1
        assert buffer[: len(data) - 1] == bytes(data)[1:]
    client.sendall(b"all" * 9)
    pump(client, server)
    assert server.recv(100) == b"all" * 9
    for bad in None, 5, object():
        with pytest.raises(TypeError):
            client.send(bad)


def test_memory(pair):
    client, server = pair
    client.send(b"hidden")
    taken = client.bio_read(1 << 16)
    assert server.bio_write(taken) == len(taken)
    assert server.recv(10) == b"hidden"
    with pytest.raises(SSL.WantReadError):
        client.bio_read(10)
    with pytest.raises(AttributeError):
        client.fileno()


def test_shutdown(pair):
    client, server = pair
    assert client.get_shutdown() == 0
    assert client.shutdown() is False
    assert client.get_shutdown() == SSL.SENT_SHUTDOWN
    pump(client, server)
    assert server.shutdown() is False or server.shutdown() is True
    pump(client, server)
    assert client.shutdown() is True
    assert client.get_shutdown() == SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN
    client.set_shutdown(SSL.RECEIVED_SHUTDOWN)
    assert client.get_shutdown() & SSL.RECEIVED_SHUTDOWN
    with pytest.raises(TypeError):
        client.set_shutdown("sent")


def test_state_and_versions(client_context, server_context):
    client, server = ends(client_context, server_context)
    assert client.get_protocol_version_name() == "Unknown"
    assert client.get_cipher_name() is None and client.get_cipher_bits() is None
    assert b"before" in client.get_state_string().lower()
    handshake(client, server)
    assert client.get_protocol_version() == 0x304
    assert client.get_protocol_version_name() == "TLSv1.3"
    assert b"SSL negotiation finished" in client.get_state_string()


def test_renegotiation(pair12):
    client, server = pair12
    assert server.renegotiate_pending() is False and server.total_renegotiations() == 0
    assert server.renegotiate() is True
    assert server.renegotiate_pending() is True and server.renegotiate() is False
    server.do_handshake()
    pump(client, server)
    settle(client, server)
    assert server.renegotiate_pending() is False
    assert client.total_renegotiations() == 1


def test_no_renegotiation(pair):
    with pytest.raises(SSL.Error, match="wrong ssl version"):
        pair[0].renegotiate()


def test_randoms_and_keys(client_context, server_context):
    client, server = ends(tls12(client_context), server_context)
    for nothing in client.client_random, client.server_random, client.master_key:
        assert nothing() is None
    assert client.get_finished() is None and client.get_peer_finished() is None
    assert client.get_session() is None
    handshake(client, server)
    assert client.client_random() == server.client_random() and len(client.client_random()) == 32
    assert client.server_random() == server.server_random() != client.client_random()
    assert client.master_key() == server.master_key() and len(client.master_key()) == 48
    assert client.get_finished() == server.get_peer_finished()
    assert client.get_peer_finished() == server.get_finished()
    assert client.export_keying_material(b"LABEL", 32) == server.export_keying_material(
        b"LABEL", 32)


def test_session(client_context, server_context):
    client, server = ends(tls12(client_context), server_context)
    handshake(client, server)
    session = client.get_session()
    assert isinstance(session, SSL.Session)
    master = client.master_key()
    client, server = ends(client_context, server_context)
    client.set_session(session)
    handshake(client, server)
    assert client.master_key() == master  # which only a resumed session has
    with pytest.raises(TypeError):
        client.set_session("no session")
    stranger = SSL.Connection(SSL.Context(SSL.SSLv23_METHOD), None)
    stranger.set_connect_state()
    with pytest.raises(ValueError):
        stranger.set_session(session)


def test_certificates(pair, certs):
    client, server = pair
    cert = client.get_peer_certificate()
    assert cert.get_subject().CN == "rsa"
    assert client.get_peer_cert_chain()[0] == cert
    assert server.get_peer_certificate() is None and server.get_peer_cert_chain() is None
    assert server.get_certificate() == cert
    assert len(client.get_verified_chain()) == 2


# ---- sockets ----


def test_sockets(client_context, server_context):
    listener = SSL.Connection(server_context, socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(3)
    found = {}

    def serve():
        connection, address = listener.accept()
        found["address"] = address
        connection.sendall(connection.recv(100))
        connection.shutdown()
        connection.sock_shutdown(socket.SHUT_RDWR)
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = SSL.Connection(client_context, socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    client.connect(listener.getsockname())
    client.setblocking(True)
    assert client.getpeername() == listener.getsockname() and client.fileno() > 0
    client.do_handshake()
    client.send(b"echo")
    assert client.recv(100) == b"echo"
    with pytest.raises(SSL.ZeroReturnError):
        client.recv(1)
    thread.join()
    assert found["address"] == client.getsockname()
    client.close()
    port = listener.getsockname()
    listener.close()
    client = SSL.Connection(client_context, socket.socket())
    assert client.connect_ex(port) == errno.ECONNREFUSED
    client.close()
