"""flatssl.Connection over sockets of both makes: in threads, timeouts, files, and its end."""

import io
import os
import signal
import socket
import struct
import time

import pytest

import calls
import flatssl
from conftest import carry, connected, shake_hands

LOTS = 3_000_000


def over_sockets(client_context, server_context, sockets, background):
    """Returns a client and a server over Python's sockets, their handshake done."""
    client = client_context.wrap(sockets[0], host="localhost")
    server = server_context.wrap(sockets[1])
    shaking = background(server.do_handshake)
    client.do_handshake()
    shaking.join()
    return client, server


@pytest.fixture
def pair(client_context, server_context, socket_pair, background):
    client, server = over_sockets(client_context, server_context, socket_pair, background)
    yield client, server
    client.close()
    server.close()


def received(connection, size):
    """Receives that many bytes."""
    parts = []
    while size:
        parts.append(connection.recv(min(size, 16384)))
        assert parts[-1], "the stream has ended"
        size -= len(parts[-1])
    return b"".join(parts)


# ---- over sockets ----


def test_data_goes_both_ways_at_once(pair, background):
    """Each end sends and receives in two threads of its own, on one connection."""
    sent = {end: os.urandom(LOTS) for end in pair}
    receiving = {end: background(received, end, LOTS) for end in pair}
    sending = [background(end.sendall, sent[end]) for end in pair]
    for thread in sending:
        thread.join()
    client, server = pair
    assert receiving[client].join() == sent[server]
    assert receiving[server].join() == sent[client]


def test_many_threads_send_on_one_connection(pair, background):
    """Each send is whole: what 8 threads send in turn does not mix within a record."""
    client, server = pair
    size, turns = 1000, 50
    receiving = background(received, server, 8 * size * turns)

    def send(letter):
        for _ in range(turns):
            client.sendall(letter * size)

    for thread in [background(send, bytes([letter])) for letter in b"abcdefgh"]:
        thread.join()
    data = receiving.join()
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert all(len(set(piece)) == 1 for piece in pieces)
    assert sorted(piece[0] for piece in pieces) == sorted(b"abcdefgh" * turns)


def test_a_timeout_leaves_the_connection_usable(pair):
    client, server = pair
    client.settimeout(0.05)
    with pytest.raises(flatssl.TimedOutError) as caught:
        client.recv()
    assert isinstance(caught.value, TimeoutError)
    server.sendall(b"late")
    client.settimeout(10)
    assert client.recv() == b"late"


def test_without_waiting_there_is_a_want(pair):
    client, _ = pair
    client.settimeout(0)
    with pytest.raises(flatssl.WantReadError):
        client.recv()
    with pytest.raises(flatssl.WantWriteError):
        while True:
            client.sendall(bytes(1 << 20))


def test_sendall_says_how_far_it_came(pair):
    client, server = pair
    client.settimeout(0.2)
    data = os.urandom(1 << 25)
    with pytest.raises(flatssl.TimedOutError) as caught:
        client.sendall(data)
    sent = caught.value.sent
    assert 0 < sent < len(data)
    server.settimeout(10)
    assert received(server, sent // 2) == data[: sent // 2]


@pytest.mark.parametrize("end", ["cancel", "close", "detach"])
def test_a_waiting_call_is_ended_from_another_thread(pair, background, end):
    client, _ = pair
    waiting = background(client.recv)
    time.sleep(0.1)
    fd = getattr(client, end)()
    with pytest.raises(flatssl.CancelledError):
        waiting.join()
    if end == "detach":
        os.close(fd)


def test_the_connection_closes_the_socket(client_context, socket_pair):
    connection = client_context.wrap(socket_pair[0], host="localhost")
    connection.close()
    assert socket_pair[0].fileno() == -1
    with pytest.raises(flatssl.UsageError):
        connection.recv()


def test_a_timeout_of_the_socket_is_kept(client_context, socket_pair):
    socket_pair[0].settimeout(0.05)
    connection = client_context.wrap(socket_pair[0], host="localhost")
    with pytest.raises(flatssl.TimedOutError):
        connection.do_handshake()
    connection.close()


class Rang(Exception):
    pass


@pytest.fixture
def bell():
    """Rings SIGALRM every 50 ms; its handler raises after so many rings."""
    state = {"rings": 0, "raise_at": 3}

    def ring(number, frame):
        state["rings"] += 1
        if state["rings"] == state["raise_at"]:
            raise Rang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    yield state
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_signal_handlers_run_and_may_raise(pair, bell):
    client, server = pair
    with pytest.raises(Rang):
        client.recv()
    assert bell["rings"] == 3
    server.sendall(b"after")
    assert client.recv() == b"after"


def test_a_signal_loses_nothing(pair, bell, background):
    client, server = pair
    bell["raise_at"] = 0
    data = os.urandom(LOTS)

    def slowly():
        parts = []
        while sum(map(len, parts)) < LOTS:
            parts.append(server.recv())
            time.sleep(0.002)
        return b"".join(parts)

    receiving = background(slowly)
    client.sendall(data)
    assert receiving.join() == data and bell["rings"] > 0


# ---- the library's own sockets ----


def test_listen_connect_and_the_context_manager(client_context, server_context, background):
    def serve(listener):
        with listener.accept() as connection:
            request = connection.makefile("rw", encoding="ascii", newline="\n")
            request.write("you said " + request.readline())
            request.flush()

    with server_context.listen() as listener:
        host, port = listener.getsockname()
        serving = background(serve, listener)
        with flatssl.connect("localhost", port, context=client_context, timeout=20) as client:
            assert client.getpeername() == (host, port) and client.context is client_context
            client.sendall(b"hello\n")
            assert client.makefile().read() == b"you said hello\n"
        serving.join()
    with pytest.raises(flatssl.UsageError):
        listener.accept()


def test_connect_refuses_what_it_should(certs, background):
    def serve(listener):
        with pytest.raises(flatssl.AlertError):
            listener.accept().do_handshake()

    for names, expected in ((certs.elsewhere, flatssl.HostError),
                            (certs.untrusted, flatssl.VerifyError)):
        with flatssl.Context.server(names.cert, names.key).listen() as listener:
            serving = background(serve, listener)
            context = flatssl.Context.client(cafile=certs.ca.cert)
            with pytest.raises(expected) as caught:
                flatssl.connect("localhost", listener.getsockname()[1], context=context, timeout=20)
            serving.join()
        assert type(caught.value) is expected and caught.value.verify_code > 0


@pytest.mark.parametrize(
    "host, port, expected",
    [
        ("localhost", 1, flatssl.SysCallError),
        ("name.invalid", 443, flatssl.ResolveError),
        ("", 443, ValueError),
        ("local\0host", 443, ValueError),
        ("bücher.example", 443, ValueError),
        ("localhost", 0, ValueError),
        ("localhost", 1 << 40, OverflowError),
        (5, 443, TypeError),
        ("localhost", "https", TypeError),
    ],
)
def test_connect_to_nowhere(host, port, expected):
    with pytest.raises(expected):
        flatssl.connect(host, port, timeout=20)


def test_options_of_the_socket(client_context, server_context, background):
    with server_context.listen() as listener:
        waiting = background(listener.accept)
        client = flatssl.Connection.unconnected(client_context)
        with pytest.raises(flatssl.UsageError):
            client.fileno()
        with socket.create_connection(listener.getsockname()) as sock:
            client = client_context.wrap(sock, host="localhost")
            assert client.fileno() == sock.fileno()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            linger = struct.pack("ii", 1, 7)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            assert client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == linger
            client.setblocking(False)
            assert not os.get_blocking(sock.fileno())
            client.flush()
            client.sock_shutdown(socket.SHUT_WR)
            with waiting.join() as server:
                with pytest.raises(flatssl.TruncatedError):
                    server.do_handshake()
            with pytest.raises(flatssl.SysCallError):
                client.getsockopt(-1, -1)
            with pytest.raises(flatssl.ArgumentError):
                client.sock_shutdown(99)
            client.close()


def test_a_port_that_is_taken(server_context):
    with server_context.listen() as listener:
        with pytest.raises(flatssl.SysCallError) as caught:
            server_context.listen(port=listener.getsockname()[1])
        assert caught.value.args[1] == "EADDRINUSE"


def test_a_client_certificate(certs, background):
    server_context = flatssl.Context.server(
        certs.rsa.cert, certs.rsa.key, client_ca=certs.ca.cert
    )

    def serve(listener):
        with listener.accept() as connection:
            connection.do_handshake()
            connection.sendall(connection.peer_certificate().subject().items()[0][1])

    with server_context.listen() as listener:
        port = listener.getsockname()[1]
        serving = background(serve, listener)
        known = flatssl.Context.client(
            cafile=certs.ca.cert, certificate=certs.client.cert, key=certs.client.key
        )
        with flatssl.connect("localhost", port, context=known, timeout=20) as client:
            assert client.makefile().read() == b"client"
        serving.join()
        serving = background(serve, listener)
        unknown = flatssl.Context.client(cafile=certs.ca.cert)
        with pytest.raises(flatssl.AlertError):
            flatssl.connect("localhost", port, context=unknown, timeout=20).recv()
        with pytest.raises(flatssl.VerifyError):
            serving.join()


# ---- what was negotiated ----


def test_what_a_connection_tells(client_context, server_context):
    client_context.set_alpn_protos(["h2", "http/1.1"])
    server_context.set_alpn_preference(["http/1.1"])
    client, server = connected(client_context, server_context)
    assert (client.alpn_proto(), server.alpn_proto()) == ("http/1.1", "http/1.1")
    assert client.protocol_version_name() == "TLSv1.3" and client.cipher_bits() in (128, 256)
    assert client.cipher_name().startswith("TLS_") and client.cipher_version() == "TLSv1.3"
    assert client.group_name().lower() == "x25519" and "success" in client.state_string()
    assert (client.host(), server.server_name()) == ("localhost", "localhost")
    assert client.verify_result() == 0 and client.peer_certificate() == server.certificate()
    assert len(client.peer_chain()) == 1 and len(client.verified_chain()) == 2
    assert server.peer_certificate() is None and server.peer_chain() == []


def test_a_session_is_resumed(client_context, server_context):
    client, server = connected(client_context, server_context)
    server.send(b"with tickets")
    carry(server, client)
    client.recv()
    session = client.session()
    assert session.resumable() and len(session.id()) > 0
    assert abs(session.time() - time.time()) < 60 and session.timeout() > 0
    kept = flatssl.Session.from_bytes(client_context, session.to_bytes())
    again = flatssl.Connection(client_context, None, host="localhost")
    again.set_session(kept)
    other = flatssl.Connection(server_context, None)
    shake_hands(again, other)
    assert again.session_reused() and other.session_reused() and not client.session_reused()


# ---- files ----


def test_files_of_a_connection(pair, background):
    client, server = pair
    with server.makefile("wb") as file:
        file.write(b"one\ntwo\n")
        file.flush()
    reader = client.makefile("rb")
    assert reader.readline() == b"one\n" and reader.readline() == b"two\n"
    assert isinstance(client.makefile("rb", buffering=0), io.RawIOBase)
    with pytest.raises(io.UnsupportedOperation):
        client.makefile("rb").write(b"no")
    writer = client.makefile("w", encoding="utf-8")
    writer.write("grüße")
    writer.flush()
    assert server.recv().decode() == "grüße"


# ---- fork ----


def test_a_child_does_not_go_on_with_the_parents_connection(pair):
    client, server = pair
    child = os.fork()
    if not child:
        try:
            client.sendall(b"from the child")
            os._exit(1)
        except flatssl.ForkedError:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.sendall(b"from the parent")
    assert server.recv() == b"from the parent"


def test_a_child_goes_on_with_what_the_parent_gave_up(pair):
    """As a daemon does, whose parent ends."""
    client, server = pair
    said, told = os.pipe()
    child = os.fork()
    if not child:
        client.adopt()
        client.sendall(b"from the child")
        os.write(told, " ".join(calls.succeeded).encode())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    calls.succeeded.update(os.read(said, 1 << 16).decode().split())
    os.close(said)
    os.close(told)
    assert server.recv() == b"from the child"
