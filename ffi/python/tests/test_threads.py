"""Connections that threads share: each end has one that sends and one that receives, in pieces of
random size, while others close, cancel, detach and shut down at random moments."""

import errno
import os
import random
import socket
import threading
import time

import pytest

import flatssl

PATTERN = os.urandom(1 << 20)
TWICE = PATTERN * 2  # any piece of what is said lies in it as a whole
SMALL = 16384  # of a socket's buffers
CONNECTIONS, SIZE, MOST = 8, 1 << 20, 60000
ROUNDS, MOMENT = 15, 0.03
GONE = (errno.EPIPE, errno.ECONNRESET)


def spoken(voice, at, size):
    """What a voice says from a byte on."""
    begin = (at + voice * 7919) % len(PATTERN)
    return TWICE[begin : begin + size]


class Talker:
    """One direction at one end: says or hears so much, all for None, and keeps how that ended."""

    def __init__(self, connection, voice, sends, size=None):
        self.connection, self.voice, self.sends, self.size = connection, voice, sends, size
        self.done, self.right, self.end = 0, True, None
        self.random = random.Random(os.urandom(8))
        self.thread = threading.Thread(target=self._talk, daemon=True)

    def _talk(self):
        try:
            while self.done != self.size and self.right and self._piece():
                pass
        except flatssl.Error as error:
            self.end = error

    def _piece(self):
        most = self.random.randrange(1, MOST)
        size = most if self.size is None else min(most, self.size - self.done)
        try:
            return self._say(size) if self.sends else self._hear(size)
        except flatssl.CancelledError:
            return True  # the next call tells whether there is more to come

    def _say(self, size):
        data = bytearray(spoken(self.voice, self.done, size))
        try:
            self.connection.sendall(data)
        except flatssl.Error as error:
            self.done += error.sent
            raise
        data[:] = bytes(size)  # the buffer is ours again
        self.done += size
        return True

    def _hear(self, size):
        data = self.connection.recv(size)
        self.right = data == spoken(self.voice, self.done, len(data))
        self.done += len(data)
        return data != b""

    def join(self):
        self.thread.join(30)
        assert not self.thread.is_alive(), "a thread stayed behind"
        assert self.right, "wrong data came"


def small_sockets():
    """Returns the two ends of a TCP connection with small buffers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        ends = [socket.socket()]
        for end in (listener, ends[0]):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        ends[0].connect(listener.getsockname())
        ends.append(listener.accept()[0])
    return ends


@pytest.fixture(params=[flatssl.TLS1_2_VERSION, flatssl.TLS1_3_VERSION], ids=["1.2", "1.3"])
def ends_of(client_context, server_context, request):
    """Makes the two ends of a connection, which shake hands when they talk."""
    client_context.set_max_proto_version(request.param)

    def make():
        client, server = small_sockets()
        return client_context.wrap(client, host="localhost"), server_context.wrap(server)

    return make


def talkers_of(ends, size=None):
    """Returns the four talkers of a connection, by end and by whether they send."""
    return {
        (side, sends): Talker(end, side if sends else 1 - side, sends, size)
        for side, end in enumerate(ends)
        for sends in (False, True)
    }


def test_full_duplex_on_many_connections(ends_of):
    connections = [ends_of() for _ in range(CONNECTIONS)]
    talkers = [talker for ends in connections for talker in talkers_of(ends, SIZE).values()]
    for talker in talkers:
        talker.thread.start()
    for talker in talkers:
        talker.join()
        assert talker.end is None and talker.done == SIZE
    for ends in connections:
        for end in ends:
            end.close()


# ---- ends at random moments ----


def close(end, talkers, side):
    end.close()


def cancel(end, talkers, side):
    """Ends the calls that wait, but not the connection."""
    end.cancel()
    before = {talker: talker.done for talker in talkers.values()}
    deadline = time.monotonic() + 20
    while any(talker.done == done for talker, done in before.items()):
        assert time.monotonic() < deadline, "a thread does not go on"
        time.sleep(0.001)


def detach(end, talkers, side):
    os.close(end.detach())


def shutdown(end, talkers, side):
    try:
        end.shutdown()
    except flatssl.UsageError as error:  # in the midst of the handshake
        assert error.code == flatssl.E_STATE
    else:
        talkers[1 - side, False].join()
        assert talkers[1 - side, False].end is None  # the end of the stream


def shut_socket(end, talkers, side):
    end._socket.shutdown(socket.SHUT_RDWR)


def belongs(act, error, own, sends):
    """Tells whether a call may end so: data and the stream's end apart, which are no error."""
    if error is None:
        return act is shutdown and not own and not sends
    if isinstance(error, flatssl.TruncatedError):
        return True  # this end was shut down, or the other has closed
    if isinstance(error, flatssl.SysCallError):
        return error.errno in GONE
    gone = flatssl.E_HANDLE, flatssl.E_STATE
    return isinstance(error, flatssl.UsageError) and error.code in gone


@pytest.mark.parametrize("act", [close, cancel, detach, shutdown, shut_socket])
def test_ends_at_random_moments(ends_of, act):
    for _ in range(ROUNDS):
        ends, side = ends_of(), random.randrange(2)
        talkers = talkers_of(ends)
        for talker in talkers.values():
            talker.thread.start()
        time.sleep(random.random() * MOMENT)
        act(ends[side], talkers, side)
        for end in ends:
            end.close()
        for (at, sends), talker in talkers.items():
            talker.join()
            assert belongs(act, talker.end, at == side, sends), repr(talker.end)
