"""What moves bytes, by C and by Python: both do the same, and each is chosen where it is to be."""

import gc
import os
import pathlib
import subprocess
import sys
import weakref

import pytest

import flatssl
from conftest import carry, connected
from flatssl import transfer

WAYS = {"c": transfer.Transfer, "python": transfer.Interpreted}
SIZES = (0, 1, 64, 4096, 4097, 16000, 16384, 16384, 16383, 5000, 40000, 1, 16384)
PACKAGE = pathlib.Path(flatssl.__file__).parents[1]
PATTERN = os.urandom(1 << 16)


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.fixture
def ends(client_context, server_context):
    return connected(client_context, server_context)


def test_the_stream(way, ends):
    client, server = ends
    for data in (b"bytes", bytearray(b"bytearray"), memoryview(b"-memoryview-")[1:-1]):
        assert way.send(client, data) == len(data)
        assert way.bio_write(server, bytearray(way.bio_read(client, 1 << 20))) > len(data)
        assert way.recv(server, 3, flatssl.MSG_PEEK) == bytes(data)[:3]
        assert way.recv(server, 1 << 70) == bytes(data)
    assert way.sendall(client, PATTERN) is None
    way.bio_write(server, way.bio_read(client, 1 << 20))
    room = bytearray(1 << 16)
    assert way.recv_into(server, room, 10) == 10 and way.recv_into(server, room) > 10
    for method, argument in (way.recv, 5), (way._read, 5), (way.recv_into, room):
        while server.pending():
            method(server, argument)
        with pytest.raises(flatssl.WantReadError):
            method(server, argument)
    with pytest.raises(flatssl.WantReadError):
        way.bio_read(client, 5)


@pytest.mark.parametrize("size", [1 << 16, 16384])
def test_packets_of_all_sizes(way, ends, size):
    client, server = ends
    for length in SIZES:
        data = PATTERN[:length]
        sealed = way._seal(client, data)
        assert sealed.sent == length and sealed.error is None
        pumped = way._pump(server, memoryview(sealed.out), size)
        assert pumped.taken == len(sealed.out) and type(pumped) is transfer.Pumped
        plain = pumped.plain
        while len(plain) < length:
            plain += way.recv(server, size)
        assert plain == data


def test_a_result_stays_what_it_was(way, ends):
    """One that is held, whatever becomes of the others, which may be made of the same memory."""
    client, server = ends
    held = []
    for length in (*range(1, 40), 2000, 5, 1280, 1281, 6):
        sealed = way._seal(client, PATTERN[:length])
        pumped = way._pump(server, sealed.out)
        assert hash(sealed) == hash(tuple(sealed)) and hash(pumped) == hash(tuple(pumped))
        assert pumped == (PATTERN[:length], b"", len(sealed.out), None)
        if length % 3 == 0:
            held.append((sealed, tuple(sealed), pumped, tuple(pumped)))
        waited = way._pump(server)
        assert waited[:3] == (b"", b"", 0) and isinstance(waited.error, flatssl.WantReadError)
    for sealed, was_sealed, pumped, was_pumped in held:
        assert sealed == was_sealed and pumped == was_pumped


class Local:
    """What a function has while it fails."""


def test_a_failure_is_held_by_nothing(way, ends):
    def fails():
        local = Local()
        seen.append(weakref.ref(local))
        raise way._pump(ends[0]).error

    seen = []
    way._pump(ends[1], way._seal(ends[0], b"x").out)
    with pytest.raises(flatssl.WantReadError) as caught:
        fails()
    del caught
    gc.collect()
    assert seen[0]() is None


def test_a_datagram_is_sealed_whole(way, certs):
    client = flatssl.Context.client(cafile=certs.ca.cert, dtls=True)
    server = flatssl.Context.server(certs.rsa.cert, certs.rsa.key, dtls=True)
    ends = connected(client, server)
    ends[0].set_ciphertext_mtu(17000)
    for length in (5000, 4097, 16000, 100):
        packet = way._seal(ends[0], PATTERN[:length]).out
        assert way._pump(ends[1], packet).plain == PATTERN[:length]


def test_more_than_was_expected_comes_too(way, ends):
    """What waits before a message comes in one packet with it, and in order."""
    client, server = ends
    for length in (5000, 5000):
        way._pump(server, way._seal(client, PATTERN[:length]).out)
    client.send(PATTERN[:9000])
    packet = way._seal(client, PATTERN[9000:14000]).out
    assert way._pump(server, packet, 1 << 16).plain == PATTERN[:14000]
    with pytest.raises(flatssl.WantReadError):
        client.bio_read(100)


def test_the_end(way, ends):
    client, server = ends
    client.shutdown()
    carry(client, server)
    assert way._read(server) == b"" and way._read_into(server, bytearray(4)) == 0
    for method, argument in (way.recv, 5), (way.recv_into, bytearray(4)):
        with pytest.raises(flatssl.ZeroReturnError):
            method(server, argument)


def test_a_closed_connection(way, ends):
    ends[0].close()
    for method, argument in (
        (way.send, b"x"), (way.sendall, b"x"), (way.recv, 1), (way._read, 1), (way.bio_read, 1),
        (way.bio_write, b"x"), (way.recv_into, bytearray(1)), (way._read_into, bytearray(1)),
    ):
        with pytest.raises(flatssl.UsageError) as caught:
            method(ends[0], argument)
        assert caught.value.code == flatssl.E_HANDLE
    for made in (way._pump(ends[0], b"x"), way._seal(ends[0], b"x")):
        assert made.error.code == flatssl.E_HANDLE


def test_sendall_tells_how_much_was_sent(way, client_context, server_context):
    client, _ = connected(client_context, server_context)
    with pytest.raises(flatssl.WantWriteError) as caught:
        way.sendall(client, bytes(1 << 23))
    assert 0 < caught.value.sent < 1 << 23


def test_arguments_by_name(way, ends):
    client, server = ends
    server.bio_write(way._seal(client, data=b"named").out)
    assert way.recv(server, flags=flatssl.MSG_PEEK, bufsize=2) == b"na"
    assert way._read(server, bufsize=2) == b"na"
    assert way.recv_into(server, nbytes=None, buffer=bytearray(1)) == 1
    assert way._pump(server, size=10).plain == b"ed"


@pytest.mark.parametrize("name, positions, names", [
    ("send", (), {}), ("send", (b"x", 0, 0), {}), ("send", (b"x",), {"data": b"x"}),
    ("recv", (), {"bufsize": 1, "size": 1}), ("recv", ("1",), {}), ("recv", (1, "1"), {}),
    ("recv_into", (b"read-only",), {}), ("recv_into", (bytearray(2), "1"), {}),
    ("send", ("text",), {}), ("bio_write", (5,), {}), ("_pump", (5,), {}), ("_seal", (None,), {}),
    ("sendall", (), {"flags": 0}), ("bio_read", (1.5,), {}), ("_read", (1, 0, 0), {}),
])
def test_wrong_arguments(way, ends, name, positions, names):
    with pytest.raises(TypeError):
        getattr(way, name)(ends[0], *positions, **names)


def test_a_negative_size(way, ends):
    for method in (way.recv, way._read, way.bio_read):
        with pytest.raises((flatssl.ArgumentError, ValueError)):
            method(ends[0], -1)
        with pytest.raises(OverflowError):
            method(ends[0], -1 << 70)
    assert isinstance(way._pump(ends[0], b"", -1).error, flatssl.ArgumentError)


def moved(way, ends):
    """Calls each method, with success and without."""
    client, server = ends
    for data in (bytes(64), bytearray(16384)):
        way._pump(server, way._seal(client, data).out)
        way.send(client, data)
        way.bio_write(server, way.bio_read(client, 1 << 17))
        way.recv(server, 1 << 14)
    for call in (lambda: way.recv(server, 5), lambda: way.recv_into(server, bytearray(5)),
                 lambda: way.bio_read(client, 5), lambda: way.send(client, "text"),
                 lambda: way.recv(server, size=1), lambda: way._pump(server, "text")):
        with pytest.raises((flatssl.WantReadError, TypeError)):
            call()


def test_nothing_is_left(way, ends):
    for _ in range(20):
        moved(way, ends)
    before = sys.getallocatedblocks()
    for _ in range(300):
        moved(way, ends)
    assert sys.getallocatedblocks() - before < 150


# ---- which of the two ----


def chosen(folders, **environment):
    """Returns what a program of its own says, for which Python looks in these folders."""
    program = "import flatssl.transfer as found; print(found.COMPILED, found.REASON)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), **environment})
    return (done.stdout or done.stderr.splitlines()[-1]).strip()


def test_python_where_there_is_no_module():
    said = chosen([PACKAGE], FLATSSL_COMPILED="")
    assert said == "False No module named '_flatssl'"
    said = chosen([PACKAGE], FLATSSL_COMPILED="1")
    assert said == "ModuleNotFoundError: No module named '_flatssl'"


def test_python_where_the_module_is_another(tmp_path):
    (tmp_path / "_flatssl.py").write_text("FORM = 0\n")
    said = chosen([tmp_path, PACKAGE], FLATSSL_COMPILED="")
    assert said == f"False _flatssl is of form 0, not {transfer.FORM}: build it anew"


def test_python_where_it_is_asked_for():
    said = chosen(sys.path, FLATSSL_COMPILED="0")
    assert said == "False FLATSSL_COMPILED=0 asks for the interpreted form"


def test_c_where_it_is_asked_for():
    if os.environ.get("FLATSSL_COMPILED") == "1":
        assert transfer.COMPILED and not transfer.REASON
        assert type(transfer.Transfer.send).__name__ == "method_descriptor"
    else:
        assert transfer.COMPILED == (not transfer.REASON)
