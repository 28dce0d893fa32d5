"""What a connection is in both of its forms, flatssl.Connection and flatssl.SSL.Connection.

Any number of threads may use one. No lock of Python's is held in a call, and none is needed.
"""

from ._abi import call
from ._load import lib
from .transfer import Transfer


class Stream(Transfer):
    """A TLS connection: its handshake, its plaintext and its end."""

    def do_handshake(self) -> None:
        """Brings the handshake to its end."""
        call(lib.fssl_conn_do_handshake, self._handle)

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

    def bio_shutdown(self) -> None:
        """Says that the peer of a memory connection sends no more."""
        call(lib.fssl_conn_bio_shutdown, self._handle)
