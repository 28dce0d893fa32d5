"""flatssl.Connection over memory: its stream, its end, and one call for a packet."""

import socket

import pytest

import flatssl
from conftest import carry, connected, shake_hands


@pytest.mark.parametrize("version", [flatssl.TLS1_2_VERSION, flatssl.TLS1_3_VERSION])
def test_memory(client_context, server_context, version):
    client_context.set_max_proto_version(version)
    client, server = connected(client_context, server_context)
    assert client.protocol_version() == server.protocol_version() == version
    for data in (b"bytes", bytearray(b"bytearray"), memoryview(b"-memoryview-")[1:-1]):
        assert client.send(data) == len(data)
        carry(client, server)
        assert server.recv() == bytes(data)
    with pytest.raises(flatssl.WantReadError):
        server.recv()
    assert server.want_read() and not server.want_write()


def test_coalescing(client_context, server_context):
    client, server = connected(client_context, server_context)
    client.set_coalescing(4096)
    for _ in range(10):
        assert client.send(b"ping") == 4
    with pytest.raises(flatssl.ArgumentError):
        client.set_coalescing(-1)
    assert len(record := client.bio_read(4096)) < 100
    server.bio_write(record)
    assert server.recv() == b"ping" * 10


def test_memory_has_no_socket(client_context):
    client = flatssl.Connection(client_context, None, host="localhost")
    for attempt in (client.fileno, client.getpeername, client.detach):
        with pytest.raises(flatssl.UsageError) as caught:
            attempt()
        assert caught.value.code == flatssl.E_STATE


def test_peek_and_pending(client_context, server_context):
    client, server = connected(client_context, server_context)
    client.send(b"abcdef")
    carry(client, server)
    assert server.recv(3, socket.MSG_PEEK) == b"abc" and server.pending() == 6
    assert server.recv(2) == b"ab" and server.pending() == 4
    buffer = bytearray(b"........")
    assert server.recv_into(buffer, 1) == 1 and server.recv_into(memoryview(buffer)[4:]) == 3
    assert buffer == b"c...def." and server.pending() == 0


def test_recv_into_wants_a_writable_buffer(client_context, server_context):
    _, server = connected(client_context, server_context)
    for bad in (b"read-only", "text", 5):
        with pytest.raises((TypeError, BufferError)):
            server.recv_into(bad)


def test_an_empty_send_and_receive(client_context, server_context):
    client, _ = connected(client_context, server_context)
    assert client.send(b"") == 0 and client.sendall(b"") is None
    assert client.recv_into(bytearray()) == 0


@pytest.mark.parametrize("method", ["send", "sendall", "recv_into", "bio_write"])
def test_a_failure_does_not_hold_the_buffer(client_context, method):
    """Not even while its traceback is kept: a buffer that is held cannot change its size."""
    closed = flatssl.Connection(client_context, None, host="localhost")
    closed.close()
    data = bytearray(100)
    with pytest.raises(flatssl.UsageError) as caught:
        getattr(closed, method)(data)
    assert caught.traceback
    data.clear()


def test_the_stream_ends_by_shutdown(client_context, server_context):
    client, server = connected(client_context, server_context)
    assert client.shutdown() is False
    carry(client, server)
    assert server.recv() == b"" and server.recv_into(bytearray(4)) == 0
    assert server.shutdown() is True
    carry(server, client)
    assert client.shutdown() is True


def test_a_stream_that_is_cut_off_is_no_end(client_context, server_context):
    _, server = connected(client_context, server_context)
    server.bio_shutdown()
    with pytest.raises(flatssl.TruncatedError) as caught:
        server.recv()
    assert caught.value.args == (-1, "Unexpected EOF") and caught.value.code == flatssl.E_EOF


def test_seal(client_context, server_context):
    client, server = flatssl.Connection(client_context), flatssl.Connection(server_context)
    client.set_host("localhost")
    sealed = client.seal(b"hello")
    assert isinstance(sealed.error, flatssl.WantReadError) and sealed.sent == 0
    packet = client.pump(server.pump(sealed.out).out).out
    assert isinstance(server.pump(packet).error, flatssl.WantReadError)
    for data in (b"hello", bytearray(b"hello"), b"x" * 20000):
        sealed = client.seal(data)
        assert sealed.sent == len(data) and sealed.error is None
        assert server.pump(sealed.out, 1 << 16).plain == data
    client.close()
    assert client.seal(b"x").error.code == flatssl.E_HANDLE
    with pytest.raises(TypeError):
        server.seal("text")


def test_pump(client_context, server_context):
    """One call for a packet: what came, what goes, and what it means."""
    ends = [flatssl.Connection(client_context, None, host="localhost"),
            flatssl.Connection(server_context, None)]
    packets = [b"", b""]
    for turn in range(20):
        here, there = turn % 2, 1 - turn % 2
        pumped = ends[here].pump(packets[here], 0)
        packets[here] = packets[here][pumped.taken :]
        packets[there] += pumped.out
        assert pumped.error is None or isinstance(pumped.error, flatssl.WantReadError)
    assert pumped.error is None and ends[1].protocol_version_name() == "TLSv1.3"
    ends[1].send(b"hello")
    while out := ends[1].pump().out:
        pumped = ends[0].pump(bytearray(out))
        assert pumped.taken == len(out)
    assert pumped.plain == b"hello" and pumped.error is None
    ends[1].shutdown()
    assert isinstance(ends[0].pump(ends[1].pump().out).error, flatssl.ZeroReturnError)
    ends[0].close()
    assert ends[0].pump().error.code == flatssl.E_HANDLE
    with pytest.raises(TypeError):
        ends[1].pump("text")


def test_what_follows_the_stream_is_not_lost(client_context, server_context):
    client, server = connected(client_context, server_context)
    with pytest.raises(flatssl.UsageError):
        server.leftover()
    client.shutdown()
    carry(client, server)
    clear = b"in the clear" * 1000
    server.bio_write(clear)
    assert server.recv() == b"" and server.leftover() == clear
    assert server.leftover() == b""


def test_settings_of_one_connection(client_context, server_context):
    client = flatssl.Connection(client_context, None, host="localhost")
    client.set_min_proto_version(flatssl.TLS1_2_VERSION)
    client.set_max_proto_version(flatssl.TLS1_2_VERSION)
    assert client.set_options(flatssl.OP_NO_TICKET) == client.options()
    assert client.options() & flatssl.OP_NO_TICKET
    client.set_verify(flatssl.VERIFY_NONE)
    assert client.verify_mode() == flatssl.VERIFY_NONE
    assert "ECDHE-RSA-AES128-GCM-SHA256" in client.ciphers()
    server = flatssl.Connection(server_context, None)
    shake_hands(client, server)
    assert client.protocol_version() == flatssl.TLS1_2_VERSION
    assert client.export_keying_material("EXPORTER-x", 32) == server.export_keying_material(
        "EXPORTER-x", 32)
    with pytest.raises(flatssl.Error, match="no renegotiation"):
        client.renegotiate()  # which the safe contexts do not allow
    assert not client.renegotiate_pending() and client.total_renegotiations() == 0
    client.set_shutdown_state(flatssl.SENT_SHUTDOWN)
    assert client.shutdown_state() == flatssl.SENT_SHUTDOWN
    for bad in (client.set_max_proto_version, 1), (client.set_options, -1), (
        client.export_keying_material, "x", -1), (client.set_shutdown_state, 99):
        with pytest.raises((flatssl.ArgumentError, flatssl.UsageError, ValueError)):
            bad[0](*bad[1:])
