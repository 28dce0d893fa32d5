"""What a connection is in both of its forms, flatssl.Connection and flatssl.SSL.Connection.

Any number of threads may use one. No lock of Python's is held in a call, and none is needed.
"""

import typing

from . import errors
from ._abi import INTERRUPTED, Handle, call, stream_out, view_of
from ._load import NULL, ffi, lib
from .types import Buffer

RECORD_MAX = 16384  # the plaintext of one record of TLS
STREAM_MAX = 1 << 16  # what one call returns at most

PEEK = lib.FSSL_MSG_PEEK

# Functions of the hot paths, looked up once.
_send, _recv = lib.fssl_conn_send, lib.fssl_conn_recv
_bio_read, _bio_write = lib.fssl_conn_bio_read, lib.fssl_conn_bio_write

_allocate = ffi.new_allocator(should_clear_after_alloc=False)


def make_room():
    """Returns memory, as C has it and as Python reads it."""
    memory = _allocate("uint8_t[]", STREAM_MAX)
    return memory, ffi.buffer(memory)


# What calls write into, made once: one that nobody uses is popped, and appended after.
_rooms: typing.List[tuple] = []
_take, _give = _rooms.pop, _rooms.append


def again(result):
    """Raises the exception for a negative result, unless the call is to be made again: a signal
    interrupted it, and Python has run its handlers by now."""
    if result != INTERRUPTED:
        raise errors.from_result(result)


class Stream(Handle):
    """A TLS connection: its handshake, its plaintext and its end."""

    def do_handshake(self) -> None:
        """Brings the handshake to its end."""
        call(lib.fssl_conn_do_handshake, self._handle)

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Sends some of data. Returns how many bytes."""
        if type(data) is bytes:  # which cannot change: C reads it as it is
            while (result := _send(self._handle, data, len(data), NULL)) < 0:
                again(result)
            return result
        with view_of(data) as view:
            return call(_send, self._handle, view, len(view))

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """Sends all of data. An exception's `sent` tells how many bytes had been sent."""
        with view_of(data) as view:
            sent = ffi.new("int64_t *")
            done, length, result = 0, len(view), INTERRUPTED
            while result == INTERRUPTED:
                result = lib.fssl_conn_send_all(
                    self._handle, view + done, length - done, sent, NULL
                )
                done += sent[0]
        if result < 0:
            error = errors.from_result(result)
            error.sent = done
            raise error

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Receives at most bufsize bytes, at least one."""
        try:
            room = _take()
        except IndexError:
            room = make_room()
        memory, view = room
        try:
            size = bufsize if bufsize < STREAM_MAX else STREAM_MAX
            while (result := _recv(self._handle, memory, size, flags & PEEK, NULL)) < 0:
                again(result)
            return view[:result]
        finally:
            _give(room)

    def recv_into(self, buffer: Buffer, nbytes: "int | None" = None, flags: int = 0) -> int:
        """Receives into a writable buffer, at most nbytes bytes or what it holds."""
        with view_of(buffer, writable=True) as view:
            size = min(nbytes or len(view), len(view))
            return call(
                lib.fssl_conn_recv, self._handle, view, size, flags & lib.FSSL_MSG_PEEK
            )

    def pending(self) -> int:
        """Returns how many bytes recv can return without reading the carrier."""
        return call(lib.fssl_conn_pending, self._handle)

    def shutdown(self) -> bool:
        """Says to the peer that no more is sent. Returns whether it has said the same."""
        return bool(call(lib.fssl_conn_shutdown, self._handle))

    def want_read(self) -> bool:
        """Tells whether the last call waits for the carrier to become readable."""
        return bool(call(lib.fssl_conn_want, self._handle) & lib.FSSL_WANT_READ)

    def want_write(self) -> bool:
        """Tells whether ciphertext waits for the carrier to become writable."""
        return bool(call(lib.fssl_conn_want, self._handle) & lib.FSSL_WANT_WRITE)

    def bio_read(self, bufsize: int) -> bytes:
        """Takes at most bufsize bytes of ciphertext for the peer of a memory connection."""
        if bufsize > STREAM_MAX:
            return stream_out(_bio_read, min(bufsize, 1 << 20), self._handle)
        try:
            room = _take()
        except IndexError:
            room = make_room()
        memory, view = room
        try:
            result = _bio_read(self._handle, memory, bufsize, NULL)
            if result < 0:
                raise errors.from_result(result)
            return view[:result]
        finally:
            _give(room)

    def bio_write(self, data: Buffer) -> int:
        """Gives ciphertext from the peer to a memory connection. Returns how much it took."""
        if type(data) is bytes:
            result = _bio_write(self._handle, data, len(data), NULL)
            if result < 0:
                raise errors.from_result(result)
            return result
        with view_of(data) as view:
            return call(_bio_write, self._handle, view, len(view))

    def bio_shutdown(self) -> None:
        """Says that the peer of a memory connection sends no more."""
        call(lib.fssl_conn_bio_shutdown, self._handle)
