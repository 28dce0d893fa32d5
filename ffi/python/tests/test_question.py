"""Decisions without callbacks: questions, what is decided beforehand, and queues."""

import hashlib
import os

import pytest

import flatssl
from flatssl import SSL
from conftest import carry, connected, shake_hands

VERSIONS = pytest.mark.parametrize("version", [flatssl.TLS1_2_VERSION, flatssl.TLS1_3_VERSION])
UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 112, 120  # alerts
NO_ISSUER = 20  # OpenSSL's code for a certificate whose issuer is unknown
STAPLE = b"\x30\x03\x0a\x01\x01"  # an OCSP response without any: malformedRequest
SECRET = b"k" * 32


def two_ends(client_context, server_context):
    client = flatssl.Connection(client_context, None, host="localhost")
    return client, flatssl.Connection(server_context, None)


def until(wanted, client, server):
    """Goes on with the handshake until one end asks. Returns that end."""
    for _ in range(20):
        for end in client, server:
            try:
                end.do_handshake()
            except wanted:
                return end
            except flatssl.WantReadError:
                pass
        carry(client, server)
        carry(server, client)
    raise AssertionError(f"no {wanted.__name__}")


def state_is_wrong(call, *arguments):
    with pytest.raises(flatssl.UsageError) as caught:
        call(*arguments)
    assert caught.value.code == flatssl.E_STATE


# ---- questions ----


@VERSIONS
def test_a_client_hello_is_read_and_answered(client_context, certs, version):
    client_context.set_max_proto_version(version)
    client, server = two_ends(client_context, flatssl.Context())
    server.set_accept_state()
    server.ask(flatssl.ASK_CLIENT_HELLO)
    client.set_alpn_protos(["h2", "http/1.1"])
    for early in (server.hello_bytes, flatssl.HELLO_RAW), (server.hello_ext, 0), (
        server.answer_hello,
    ):
        state_is_wrong(*early)
    assert until(flatssl.WantClientHelloError, client, server) is server
    assert server.server_name() == "localhost" and b"localhost" in server.hello_ext(0)
    assert len(server.hello_bytes(flatssl.HELLO_RANDOM)) == 32
    assert server.hello_bytes(flatssl.HELLO_ALPN) == b"\x02h2\x08http/1.1"
    for bad in (server.hello_ext, 12345), (server.hello_bytes, 99), (server.answer_hello, -1):
        with pytest.raises(flatssl.ArgumentError):
            bad[0](*bad[1:])
    server.use_certificate(flatssl.Certificate.from_pem(certs.rsa.cert.read_bytes()))
    server.use_private_key(flatssl.Key.from_pem(certs.rsa.key.read_bytes()))
    server.set_alpn_preference(["http/1.1"])
    server.answer_hello()
    shake_hands(client, server)
    assert client.alpn_proto() == "http/1.1" and client.protocol_version() == version


def test_a_client_hello_is_refused(client_context, server_context):
    client, server = two_ends(client_context, server_context)
    server.ask(flatssl.ASK_CLIENT_HELLO)
    until(flatssl.WantClientHelloError, client, server).answer_hello(UNRECOGNIZED_NAME)
    with pytest.raises(flatssl.TLSError):
        server.do_handshake()
    carry(server, client)
    with pytest.raises(flatssl.AlertError) as caught:
        client.do_handshake()
    assert caught.value.alert == UNRECOGNIZED_NAME


@VERSIONS
@pytest.mark.parametrize("sends", [True, False])
def test_a_client_is_asked_for_its_certificate(certs, version, sends):
    context = flatssl.Context.client(cafile=certs.ca.cert)
    context.set_max_proto_version(version)
    demanding = flatssl.Context.server(certs.rsa.cert, certs.rsa.key, client_ca=certs.ca.cert)
    demanding.load_client_ca(certs.ca.cert)
    client, server = two_ends(context, demanding)
    client.ask(flatssl.ASK_CERTIFICATE)
    state_is_wrong(client.answer_certificate)
    assert until(flatssl.WantX509LookupError, client, server) is client
    assert [str(name) for name in client.client_cas()] == ["CN=ca"]
    assert len(client.peer_signature_algorithms()) > 2
    client.use_certificate(flatssl.Certificate.from_pem(certs.client.cert.read_bytes()))
    client.use_private_key(flatssl.Key.from_pem(certs.client.key.read_bytes()))
    client.answer_certificate(sends)
    if sends:
        shake_hands(client, server)
        assert str(server.peer_certificate().subject()) == "CN=client"
    else:
        with pytest.raises(flatssl.Error):
            shake_hands(client, server)


@VERSIONS
@pytest.mark.parametrize("taken", [True, False])
def test_a_peer_is_verified_by_the_program(certs, client_context, version, taken):
    client_context.set_max_proto_version(version)
    other = flatssl.Context.server(certs.untrusted.cert, certs.untrusted.key)
    client, server = two_ends(client_context, other)
    client.ask(flatssl.ASK_VERIFY)
    state_is_wrong(client.verify_errors)
    state_is_wrong(client.answer_verify)
    assert until(flatssl.WantVerifyError, client, server) is client
    assert (NO_ISSUER, 0) in client.verify_errors()
    with pytest.raises(flatssl.ArgumentError):
        client.waive_verify_error(99)
    if taken:
        client.waive_verify_error()
        client.answer_verify()
        shake_hands(client, server)
    else:
        client.answer_verify()
        with pytest.raises(flatssl.VerifyError):
            client.do_handshake()


def test_bad_questions(client_context):
    client = flatssl.Connection(client_context, None, host="localhost")
    with pytest.raises(flatssl.ArgumentError):
        client.ask(64)


# ---- decided beforehand ----


def test_a_server_name_leads_to_another_context(certs, client_context, server_context):
    elsewhere = flatssl.Context.server(certs.elsewhere.cert, certs.elsewhere.key)
    server_context.add_server_name("Elsewhere.Example", elsewhere)
    client = flatssl.Connection(client_context, None, host="elsewhere.example")
    server = flatssl.Connection(server_context, None)
    shake_hands(client, server)
    assert client.peer_certificate().matches_host("elsewhere.example")
    connected(client_context, server_context)
    for bad in "", "a\0b", "x" * 300:
        with pytest.raises(flatssl.ArgumentError):
            server_context.add_server_name(bad, elsewhere)


@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["h2"]])
def test_npn(certs, offered):
    client_context = flatssl.Context.client(cafile=certs.ca.cert)
    server_context = flatssl.Context.server(certs.rsa.cert, certs.rsa.key)
    client_context.set_max_proto_version(flatssl.TLS1_2_VERSION)
    server_context.set_npn_advertised(offered)
    client_context.set_npn_preference(["http/1.1"])
    client, server = connected(client_context, server_context)
    assert client.next_proto() == server.next_proto() == "http/1.1"
    for setter in server_context.set_npn_advertised, client_context.set_npn_preference:
        with pytest.raises(ValueError):
            setter([""])


@VERSIONS
def test_pre_shared_keys(version):
    contexts = flatssl.Context(), flatssl.Context()
    for context in contexts:
        context.set_max_proto_version(version)
        context.set_cipher_list("PSK")
        context.set_ciphersuites("TLS_AES_128_GCM_SHA256")
        context.require_psk()
        context.add_psk("me", SECRET)
        for bad in ("", SECRET), ("a\0b", SECRET), ("me", b""), ("x" * 200, SECRET):
            with pytest.raises(flatssl.ArgumentError):
                context.add_psk(*bad)
    client, server = (flatssl.Connection(context, None) for context in contexts)
    client.set_connect_state()
    server.set_accept_state()
    shake_hands(client, server)
    assert client.peer_certificate() is None


def test_pins(certs, client_context, server_context):
    key = flatssl.Certificate.from_pem(certs.rsa.cert.read_bytes()).public_key()
    client_context.add_pin(bytes(32))
    with pytest.raises(flatssl.VerifyError):
        connected(client_context, server_context)
    client_context.add_pin(hashlib.sha256(key.public_to_der()).digest())
    connected(client_context, server_context)
    with pytest.raises(flatssl.ArgumentError):
        client_context.add_pin(b"short")


def test_stapled_responses(client_context, server_context):
    server_context.set_ocsp_response(STAPLE)
    for own, expected in (None, STAPLE), (STAPLE[:-1] + b"\x02", STAPLE[:-1] + b"\x02"):
        client, server = two_ends(client_context, server_context)
        client.request_ocsp()
        if own:
            server.set_ocsp_response(own)
        shake_hands(client, server)
        assert client.ocsp_response() == expected
    client, _ = connected(client_context, server_context)
    assert client.ocsp_response() == b""  # which it had not asked for


@VERSIONS
def test_ticket_keys(certs, client_context, version):
    """What one server issued another one resumes, for as long as it has the key."""
    client_context.set_max_proto_version(version)
    old, new = os.urandom(80), os.urandom(80)

    def server(*keys):
        context = flatssl.Context.server(certs.rsa.cert, certs.rsa.key)
        context.set_session_id_context(b"shared")
        context.set_ticket_keys(b"".join(keys))
        context.set_num_tickets(1)
        return context

    client_context.set_queue(flatssl.QUEUE_SESSION, 8)
    client, other = connected(client_context, server(old))
    other.send(b"with it the tickets")
    carry(other, client)
    client.recv()
    session = client_context.next_session()
    assert session.resumable() and client_context.next_session() is None
    for keys, reused in (((new, old), True), ((new,), False)):
        client, other = two_ends(client_context, server(*keys))
        client.set_session(session)
        shake_hands(client, other)
        assert client.session_reused() is reused
    for bad in b"x" * 79, b"x" * 81:
        with pytest.raises(flatssl.ArgumentError):
            server(bad)
    with pytest.raises(flatssl.ArgumentError):
        flatssl.Context().set_num_tickets(-1)


# ---- queues ----


@VERSIONS
def test_queues(client_context, server_context, version, tmp_path):
    client_context.set_max_proto_version(version)
    client_context.set_queue(flatssl.QUEUE_KEYLOG, 100)
    client_context.set_queue(flatssl.QUEUE_INFO, 3)
    assert client_context.next_keylog() == "" and client_context.next_info() is None
    with open(tmp_path / "keys", "wb") as file:
        client_context.set_keylog_fd(file.fileno())
    client, _ = connected(client_context, server_context)
    count = client_context.queue_count(flatssl.QUEUE_KEYLOG)
    lines = [client_context.next_keylog() for _ in range(count)]
    assert any("CLIENT_RANDOM" in line or "TRAFFIC_SECRET" in line for line in lines)
    assert (tmp_path / "keys").read_text().split("\n")[:-1] == lines
    assert client_context.queue_dropped(flatssl.QUEUE_INFO) > 0
    connection, where, result = client_context.next_info()
    assert (connection, where, result) == (client._handle, SSL.SSL_CB_HANDSHAKE_START, 1)
    client_context.set_keylog_fd(flatssl.NO_FD)
    for bad in (client_context.set_queue, 99, 1), (client_context.queue_count, 99), (
        client_context.queue_dropped, 99), (client_context.set_keylog_fd, -2):
        with pytest.raises((flatssl.ArgumentError, flatssl.SysCallError)):
            bad[0](*bad[1:])
