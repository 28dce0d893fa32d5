"""flatssl.SSL.Connection: each method of the seed does what its reference says."""

import errno
import os
import socket
import threading

import pytest

from ssl_pair import (  # fixtures among them
    client_context,
    ends,
    handshake,
    pair,
    pair12,
    pump,
    server_context,
    settle,
    tls12,
)

from flatssl import SSL, crypto


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


def test_memory_has_no_bound(pair):
    """What does not fit into the library waits in Python, in both directions."""
    client, server = pair
    data = os.urandom(5_000_000)
    assert client.sendall(data) == len(data)
    hidden = b""
    while len(hidden) < len(data):
        hidden += client.bio_read(1 << 20)
    pump(client, server)
    for piece in hidden[:3_000_000], hidden[3_000_000:]:
        assert server.bio_write(piece) == len(piece)
    received = b""
    while len(received) < len(data):
        received += server.recv(1 << 20)
    assert received == data
    with pytest.raises(SSL.WantReadError):
        server.recv(1)


def test_settings_of_one_connection(certs, client_context):
    """Certificate, key, verification, options and info callback of a connection alone."""
    steps = []
    client, server = ends(client_context, SSL.Context(SSL.TLS_METHOD))
    server.use_certificate(crypto.load_certificate(
        crypto.FILETYPE_PEM, certs.rsa.cert.read_bytes()))
    server.use_privatekey(crypto.load_privatekey(crypto.FILETYPE_PEM, certs.rsa.key.read_bytes()))
    assert server.set_options(SSL.OP_NO_TICKET) & SSL.OP_NO_TICKET
    assert client.get_verify_mode() == SSL.VERIFY_NONE
    client.set_verify(SSL.VERIFY_PEER)
    assert client.get_verify_mode() == SSL.VERIFY_PEER
    client.set_info_callback(lambda connection, where, result: steps.append((connection, where)))
    handshake(client, server)
    assert client.get_peer_certificate() == server.get_certificate()
    assert (client, SSL.SSL_CB_HANDSHAKE_DONE) in steps
    with pytest.raises(SSL.Error):
        server.use_privatekey(crypto.load_privatekey(
            crypto.FILETYPE_PEM, certs.client.key.read_bytes()))


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
