"""DTLS: flatssl's own classes over memory and UDP, and the names of OpenSSL.SSL."""

import socket

import pytest

import flatssl
from conftest import shake_hands
from flatssl import SSL
from ssl_pair import handshake, let_go, pump

SECRET = b"a secret of 16 b"


def contexts(certs):
    client = flatssl.Context.client(cafile=certs.ca.cert, dtls=True)
    return client, flatssl.Context.server(certs.rsa.cert, certs.rsa.key, dtls=True)


# ---- flatssl's own classes ----


def test_memory(certs):
    client_context, server_context = contexts(certs)
    client = flatssl.Connection(client_context, None, host="localhost")
    server = flatssl.Connection(server_context, None)
    assert client.dtls_timeout() is None and client.cleartext_mtu() == 0
    client.set_ciphertext_mtu(600)
    server.set_ciphertext_mtu(600)
    shake_hands(client, server)
    assert client.protocol_version_name() == "DTLSv1.2"
    assert 400 < client.cleartext_mtu() < 600
    client.send(b"one")
    client.send(b"two")
    packet = client.bio_read(1000)
    server.bio_write(client.bio_read(1000))
    server.bio_write(packet)
    assert [server.recv(), server.recv()] == [b"two", b"one"]
    for bad in 1, 1 << 20:
        with pytest.raises(flatssl.ArgumentError):
            client.set_ciphertext_mtu(bad)


def test_a_lost_flight_is_sent_again(certs):
    client = flatssl.Connection(contexts(certs)[0], None, host="localhost")
    with pytest.raises(flatssl.WantReadError):
        client.do_handshake()
    client.bio_read(2000)
    assert 0 < client.dtls_timeout() <= 1 and client.handle_dtls_timeout() is False
    with pytest.raises(flatssl.WantReadError):
        client.bio_read(2000)


def test_cookies(certs):
    client_context, server_context = contexts(certs)
    server_context.set_dtls_cookie_secret(SECRET)
    with pytest.raises(flatssl.ArgumentError):
        server_context.set_dtls_cookie_secret(b"short")
    client = flatssl.Connection(client_context, None, host="localhost")
    server = flatssl.Connection(server_context, None)
    server.set_dtls_peer(b"127.0.0.1:4433")
    hellos = 0
    while True:
        with pytest.raises(flatssl.WantReadError):
            client.do_handshake()
        server.bio_write(client.bio_read(2000))
        hellos += 1
        try:
            server.dtls_listen()
            break
        except flatssl.WantReadError:
            client.bio_write(server.bio_read(2000))
    assert hellos == 2
    shake_hands(client, server)


def test_udp(certs, background):
    client_context, server_context = contexts(certs)
    server_context.set_dtls_cookie_secret(SECRET)
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(20)

    def serve():
        with server_context.wrap(listening) as server:
            server.dtls_listen()
            server.do_handshake()
            server.send(server.recv().upper())

    serving = background(serve)
    with flatssl.connect("127.0.0.1", listening.getsockname()[1], context=client_context,
                         timeout=20) as client:
        client.send(b"shout")
        assert client.recv() == b"SHOUT"
    serving.join()


def test_srtp(certs):
    client_context, server_context = contexts(certs)
    client_context.set_srtp_profiles("SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM")
    server_context.set_srtp_profiles("SRTP_AEAD_AES_128_GCM")
    for bad in "", "NONE", "SRTP_AEAD_AES_128_GCM:":
        with pytest.raises(flatssl.ArgumentError):
            server_context.set_srtp_profiles(bad)
    client = flatssl.Connection(client_context, None, host="localhost")
    server = flatssl.Connection(server_context, None)
    assert client.srtp_profile() == 0 and client.srtp_profile_name() == ""
    shake_hands(client, server)
    keys = [end.export_keying_material("EXTRACTOR-dtls_srtp", 56) for end in (client, server)]
    assert keys[0] == keys[1]
    for end in client, server:
        assert (end.srtp_profile(), end.srtp_profile_name()) == (7, "SRTP_AEAD_AES_128_GCM")
    client.close()
    with pytest.raises(flatssl.UsageError):
        client.srtp_profile_name()


def test_streams_have_none_of_it(certs):
    client = flatssl.Connection(flatssl.Context.client(cafile=certs.ca.cert))
    for call in (client.dtls_listen, client.dtls_timeout, client.handle_dtls_timeout,
                 client.cleartext_mtu, lambda: client.set_dtls_peer(b"x"),
                 lambda: client.set_ciphertext_mtu(1000)):
        with pytest.raises(flatssl.UsageError) as caught:
            call()
        assert caught.value.code == flatssl.E_STATE


# ---- OpenSSL.SSL ----


@pytest.fixture
def pair(certs):
    server_context = SSL.Context(SSL.DTLS_METHOD)
    server_context.use_certificate_chain_file(bytes(certs.rsa.cert))
    server_context.use_privatekey_file(bytes(certs.rsa.key))
    server_context.set_cookie_generate_callback(lambda connection: b"xyzzy")
    server_context.set_cookie_verify_callback(lambda connection, cookie: cookie == b"xyzzy")
    client_context = SSL.Context(SSL.DTLS_METHOD)
    client, server = SSL.Connection(client_context, None), SSL.Connection(server_context, None)
    client.set_connect_state()
    server.set_accept_state()
    for end in client, server:
        end.get_context().set_options(SSL.OP_NO_QUERY_MTU)
        end.set_ciphertext_mtu(1200)
    yield client, server
    for owner in client, server, client_context, server_context:
        let_go(owner)


def listened(client, server):
    """Carries hellos until the client has brought its cookie back. Returns how many."""
    for count in range(1, 5):
        with pytest.raises(SSL.WantReadError):
            client.do_handshake()
        pump(client, server)
        try:
            server.DTLSv1_listen()
            return count
        except SSL.WantReadError:
            pump(client, server)
    raise AssertionError("no cookie came back")


def test_listen(pair):
    client, server = pair
    assert listened(client, server) == 2
    handshake(client, server)
    assert client.get_protocol_version_name() == "DTLSv1.2"
    assert 500 < client.get_cleartext_mtu() < 1200
    client.send(b"hello")
    pump(client, server)
    assert server.recv(100) == b"hello"


@pytest.mark.parametrize("profiles, selected", [
    ((b"SRTP_AES128_CM_SHA1_80", b"SRTP_AES128_CM_SHA1_80"), b"SRTP_AES128_CM_SHA1_80"),
    ((b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", b"SRTP_AEAD_AES_128_GCM"),
     b"SRTP_AEAD_AES_128_GCM"),
    ((b"SRTP_AES128_CM_SHA1_80", b"SRTP_AEAD_AES_128_GCM"), b""),
    ((), b""),
])
def test_selected_srtp_profile(pair, profiles, selected):
    for end, names in zip(pair, profiles):
        context = end.get_context()
        context.set_tlsext_use_srtp(names)
        end.set_context(context)
    assert [end.get_selected_srtp_profile() for end in pair] == [b"", b""]
    listened(*pair)
    handshake(*pair)
    assert [end.get_selected_srtp_profile() for end in pair] == [selected, selected]


@pytest.mark.parametrize("method", [SSL.SSLv23_METHOD, SSL.DTLS_METHOD])
def test_use_srtp(method):
    context = SSL.Context(method)
    assert context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80") is None
    with pytest.raises(TypeError):
        context.set_tlsext_use_srtp("SRTP_AES128_CM_SHA1_80")
    for bad in b"SRTP_BOGUS", b"":
        with pytest.raises(SSL.Error) as caught:
            context.set_tlsext_use_srtp(bad)
        assert caught.value.args[0][0][2] == "srtp unknown protection profile"


def test_timeout(pair):
    client, _ = pair
    assert client.DTLSv1_get_timeout() is None
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    assert 0 < client.DTLSv1_get_timeout() <= 1
    assert client.DTLSv1_handle_timeout() is False


@pytest.mark.parametrize("name", ["generate", "verify"])
def test_exception_in_cookie_callback(pair, name):
    client, server = pair
    getattr(server.get_context(), f"set_cookie_{name}_callback")(lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        listened(client, server)


@pytest.mark.parametrize("cookie", [b"", b"x" * 256, "text", None])
def test_cookies_that_are_none(pair, cookie):
    """One of 256 bytes must neither overflow nor be cut."""
    client, server = pair
    server.get_context().set_cookie_generate_callback(lambda connection: cookie)
    with pytest.raises((SSL.Error, TypeError)):
        listened(client, server)


def test_a_wrong_cookie_is_not_taken(pair):
    client, server = pair
    server.get_context().set_cookie_verify_callback(lambda *_: False)
    with pytest.raises((SSL.Error, AssertionError)):
        listened(client, server)
