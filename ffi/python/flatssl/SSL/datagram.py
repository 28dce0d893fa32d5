"""What connections of DTLS have beside the rest, as OpenSSL.SSL has it."""

import typing

from .. import _abi
from .memory import Memory


class Datagrams(Memory):
    """A connection that may be over datagrams."""

    def _run(self, method: typing.Callable, *arguments: typing.Any) -> typing.Any:
        raise NotImplementedError

    def DTLSv1_listen(self) -> None:
        """Answers clients with cookies until one brings its cookie back. WantReadError until
        then."""
        self._run(_abi.conn_dtls_listen, self)

    def DTLSv1_get_timeout(self) -> "float | None":
        """Returns in how many seconds DTLSv1_handle_timeout is due, None for never."""
        milliseconds = _abi.conn_dtls_timeout(self)
        return None if milliseconds < 0 else milliseconds / 1000

    def DTLSv1_handle_timeout(self) -> bool:
        """Sends the last flight of the handshake again if that is due. Returns whether it was."""
        return bool(self._run(_abi.conn_handle_dtls_timeout, self))

    def get_selected_srtp_profile(self) -> bytes:
        """Returns the name of the profile of SRTP that both ends have, empty for none."""
        return _abi.conn_srtp_profile_name(self).encode()

    def set_ciphertext_mtu(self, mtu: int) -> None:
        """Sets how long a datagram may be."""
        if not isinstance(mtu, int):
            raise TypeError("mtu must be an integer")
        _abi.conn_set_ciphertext_mtu(self, mtu)

    def get_cleartext_mtu(self) -> int:
        """Returns how much plaintext fits in one."""
        return _abi.conn_cleartext_mtu(self)
