"""What moves bytes: the methods that a program calls again and again.

They are here twice. transfer.c has them as the module _flatssl, which cmake builds with
-DFLATSSL_PYTHON=ON where Python's headers are; Interpreted has them for where that module is not.
FLATSSL_COMPILED=0 asks for the latter, 1 refuses it; REASON says why it was taken, and is empty
where it was not.
"""

import os
import typing

from . import errors
from ._abi import INTERRUPTED, Handle, allocate, call, stream_out, view_of
from ._load import NULL, address, ffi, lib
from .types import Buffer

FORM = 1  # of what transfer.c and this file know of each other
RECORD_MAX = 16384  # the plaintext of one record of TLS
STREAM_MAX = 1 << 16  # what one call returns at most
TAKEN_MAX = 1 << 20  # the same, of ciphertext

PEEK = lib.FSSL_MSG_PEEK

# Functions of the hot paths, looked up once.
_send, _recv = lib.fssl_conn_send, lib.fssl_conn_recv
_pump, _seal = lib.fssl_conn_pump, lib.fssl_conn_seal
_bio_read, _bio_write = lib.fssl_conn_bio_read, lib.fssl_conn_bio_write


class Pumped(typing.NamedTuple):
    """What one pump moved, and why it stopped: error is raised nowhere."""

    plain: bytes
    out: bytes
    taken: int
    error: typing.Optional[errors.Error]


class Sealed(typing.NamedTuple):
    """What one seal moved, and why it stopped: error is raised nowhere."""

    out: bytes
    sent: int
    error: typing.Optional[errors.Error]


def make_room():
    """Returns memory, as C has it and as Python reads it."""
    memory = allocate("uint8_t[]", STREAM_MAX)
    return memory, ffi.buffer(memory)


def make_packet():
    """Returns what pump writes: how much was taken, plaintext, ciphertext and its length."""
    return (ffi.new("int64_t *"), *make_room(), *make_room(), ffi.new("int64_t *"))


# What calls write into, made once: one that nobody uses is borrowed, and appended after.
_rooms: typing.List[tuple] = []
_packets: typing.List[tuple] = []
_give, _give_packet, _new = _rooms.append, _packets.append, tuple.__new__


def borrow(spare, make):
    """Returns one of those that nobody uses, or a new one."""
    try:
        return spare.pop()
    except IndexError:
        return make()


def again(result):
    """Raises the exception for a negative result, unless the call is to be made again: a signal
    interrupted it, and Python has run its handlers by now."""
    if result != INTERRUPTED:
        raise errors.from_result(result)


class Interpreted(Handle):
    """A connection's bytes, by Python."""

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
        size = bufsize if bufsize < STREAM_MAX else STREAM_MAX
        memory, view = room = borrow(_rooms, make_room)
        try:
            while (result := _recv(self._handle, memory, size, flags & PEEK, NULL)) < 0:
                again(result)
            return view[:result]
        finally:
            _give(room)

    def recv_into(self, buffer: Buffer, nbytes: "int | None" = None, flags: int = 0) -> int:
        """Receives into a writable buffer, at most nbytes bytes or what it holds."""
        with view_of(buffer, writable=True) as view:
            size = min(nbytes or len(view), len(view))
            return call(_recv, self._handle, view, size, flags & PEEK)

    def _read(self, bufsize: int = RECORD_MAX, flags: int = 0) -> bytes:
        """Receives at most bufsize bytes; none when the peer has ended the stream."""
        try:
            return Interpreted.recv(self, bufsize, flags)
        except errors.ZeroReturnError:
            return b""

    def _read_into(self, buffer: Buffer, nbytes: "int | None" = None, flags: int = 0) -> int:
        """Receives into a buffer; 0 when the peer has ended the stream."""
        try:
            return Interpreted.recv_into(self, buffer, nbytes, flags)
        except errors.ZeroReturnError:
            return 0

    def bio_read(self, bufsize: int) -> bytes:
        """Takes at most bufsize bytes of ciphertext for the peer of a memory connection."""
        if bufsize > STREAM_MAX:
            return stream_out(_bio_read, min(bufsize, TAKEN_MAX), self._handle)
        memory, view = room = borrow(_rooms, make_room)
        try:
            if (result := _bio_read(self._handle, memory, bufsize, NULL)) < 0:
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

    def _pump(self, data: Buffer = b"", size: int = RECORD_MAX) -> Pumped:
        """Gives ciphertext to a memory connection, advances it and takes what it has to send: all
        that an event loop does for a packet. At most size bytes of plaintext come back; with 0 only
        the handshake is advanced, and the error is None once it is done."""
        packet = borrow(_packets, make_packet)
        taken, plain, plain_view, out, out_view, given = packet
        try:
            size = size if size < STREAM_MAX else STREAM_MAX
            if type(data) is bytes:  # it never waits, and so is not interrupted
                result = _pump(self._handle, data, len(data), taken, plain, size,
                               out, STREAM_MAX, given, NULL)
            else:
                with view_of(data) as view:
                    result = _pump(self._handle, view, len(view), taken, plain, size,
                                   out, STREAM_MAX, given, NULL)
            error = None if result >= 0 else errors.from_result(result)
            received, sent = plain_view[:result] if result > 0 else b"", given[0]
            return _new(Pumped, (received, out_view[:sent] if sent else b"", taken[0], error))
        finally:
            _give_packet(packet)

    def _seal(self, data: Buffer) -> Sealed:
        """Sends over a memory connection and takes what is to be sent: all that an event loop does
        for a message. Of a long one a part is sent; what does not fit into one packet comes out of
        the next seal or pump."""
        packet = borrow(_packets, make_packet)
        out, out_view, given = packet[3:]
        try:
            if type(data) is bytes:
                result = _seal(self._handle, data, len(data), out, STREAM_MAX, given, NULL)
            else:
                with view_of(data) as view:
                    result = _seal(self._handle, view, len(view), out, STREAM_MAX, given, NULL)
            error, sent = (None, result) if result >= 0 else (errors.from_result(result), 0)
            return _new(Sealed, (out_view[: given[0]], sent, error))
        finally:
            _give_packet(packet)


def compiled() -> "tuple[typing.Any, str]":
    """Returns the class of the module _flatssl, or None and why it is not used."""
    wish = os.environ.get("FLATSSL_COMPILED", "")
    if wish == "0":
        return None, "FLATSSL_COMPILED=0 asks for the interpreted form"
    try:
        import _flatssl  # type: ignore[import]

        if _flatssl.FORM != FORM:
            raise ImportError(f"_flatssl is of form {_flatssl.FORM}, not {FORM}: build it anew")
        return _flatssl.bind(address), ""
    except ImportError as error:
        if wish == "1":
            raise
        return None, str(error)


_class, REASON = compiled()
COMPILED = not REASON

if typing.TYPE_CHECKING or not COMPILED:
    Transfer = Interpreted
else:

    class Transfer(_class, Handle):
        """A connection's bytes, by C."""

        _failure = staticmethod(errors.from_result)
        _Pumped = Pumped
        _Sealed = Sealed
