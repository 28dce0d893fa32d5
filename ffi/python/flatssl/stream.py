"""What a connection is in both of its forms, flatssl.Connection and flatssl.SSL.Connection.

Any number of threads may use one. No lock of Python's is held in a call, and none is needed.
"""

from . import errors
from ._abi import INTERRUPTED, Handle, call, stream_out, view_of
from ._load import NULL, ffi, lib

RECORD_MAX = 16384  # what one call to recv returns at most


class Stream(Handle):
    """A TLS connection: its handshake, its plaintext and its end."""

    def do_handshake(self) -> None:
        """Brings the handshake to its end."""
        call(lib.fssl_conn_do_handshake, self._handle)

    def send(self, data, flags: int = 0) -> int:
        """Sends some of data. Returns how many bytes."""
        with view_of(data) as view:
            return call(lib.fssl_conn_send, self._handle, view, len(view))

    def sendall(self, data, flags: int = 0) -> None:
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
        size = min(bufsize, RECORD_MAX)
        return stream_out(lib.fssl_conn_recv, size, self._handle, flags & lib.FSSL_MSG_PEEK)

    def recv_into(self, buffer, nbytes: "int | None" = None, flags: int = 0) -> int:
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
        size = min(bufsize, 1 << 20)
        return stream_out(lib.fssl_conn_bio_read, size, self._handle)

    def bio_write(self, data) -> int:
        """Gives ciphertext from the peer to a memory connection. Returns how much it took."""
        with view_of(data) as view:
            return call(lib.fssl_conn_bio_write, self._handle, view, len(view))

    def bio_shutdown(self) -> None:
        """Says that the peer of a memory connection sends no more."""
        call(lib.fssl_conn_bio_shutdown, self._handle)
