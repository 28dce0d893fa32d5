"""What the seed's memory connections do: hold as much as they are given, in both directions.

The library bounds what waits in a connection, so what goes past that waits here. As in the seed,
the memory of a connection is for one thread at a time.
"""

from .. import errors
from .._load import lib
from ..stream import Stream
from ..types import Buffer

PIECE = 1 << 20


class Memory(Stream):
    """A connection that may be over memory, and then has no bound."""

    _incoming = bytearray()  # ciphertext that the library has no room for yet
    _outgoing = bytearray()  # ciphertext that was taken out of the library to make room for more

    def bio_write(self, buf: Buffer) -> int:
        taken = 0 if self._incoming else self._give(buf)
        if taken < len(buf):
            self._incoming = bytearray(self._incoming) + memoryview(buf)[taken:]
        return len(buf)

    def _give(self, data: Buffer) -> int:
        """Gives ciphertext to the library. Returns how much it took."""
        try:
            return super().bio_write(data)
        except errors.InternalError as error:
            if error.code != lib.FSSL_E_LIMIT:
                raise
            return 0

    def _feed(self) -> bool:
        """Gives the library what it had no room for. Returns whether it took any."""
        if not self._incoming:
            return False
        taken = self._give(self._incoming)
        del self._incoming[:taken]
        return taken > 0

    def bio_read(self, bufsize: int) -> bytes:
        if not self._outgoing:
            return super().bio_read(bufsize)
        data = bytes(self._outgoing[:bufsize])
        del self._outgoing[:bufsize]
        return data

    def _make_room(self) -> bool:
        """Takes out of the library what waits to be read. Returns whether there was any."""
        before = len(self._outgoing)
        self._outgoing = bytearray(self._outgoing)
        try:
            while True:
                self._outgoing += super().bio_read(PIECE)
        except errors.WantReadError:
            return len(self._outgoing) > before
