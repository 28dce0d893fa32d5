"""Connections over a socket of the library's or of Python's, or over memory."""

import io
import sys
import typing

from . import _abi
from ._abi import allocate
from ._load import ffi, lib
from .certificate import Certificate, Session
from .errors import Error
from .question import Questions
from .transfer import STREAM_MAX, Pumped as Pumped, Sealed as Sealed, Transfer
from .types import Address, Buffer

if typing.TYPE_CHECKING:
    import socket

    from .context import Context


class Connection(Questions):
    """A TLS connection. As a context manager it ends the stream and closes.

    Make one with flatssl.connect, Context.connect, Context.listen(...).accept() or Context.wrap.
    """

    _context: typing.Any = None
    _socket: typing.Any = None

    def __init__(
        self,
        context: "Context",
        sock: "socket.socket | None" = None,
        *,
        host: "str | None" = None,
    ) -> None:
        """Makes a connection over a connected socket, with its timeout; over memory without one.

        The connection closes the socket when it is closed.
        """
        if sock is None:
            self._handle = _abi.conn_new_memory(context)
        elif not hasattr(sock, "fileno"):
            raise TypeError(f"a socket is required, not {sock!r:.100}")
        else:
            self._handle = _abi.conn_new(context, sock.fileno())
            self.settimeout(sock.gettimeout())
        self._context, self._socket = context, sock
        if host is not None:
            self.set_host(host)

    @classmethod
    def unconnected(cls, context: "Context") -> "Connection":
        """Makes a connection for connect, or for bind and listen."""
        self = cls._wrap(_abi.conn_new(context, lib.FSSL_NO_FD))
        self._context = context
        return self

    @property
    def context(self) -> "Context":
        return self._context

    # ---- its life ----

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, error_type: typing.Any, error: typing.Any, traceback: typing.Any) -> None:
        try:
            if error is None and self._handle:
                self.shutdown()
        except Error:
            pass  # the peer has gone first, or there was no handshake
        finally:
            self.close()

    def close(self) -> None:
        """Closes at once, the socket too. The peer sees a truncated stream unless shutdown came
        first."""
        if self._socket is not None and self._handle:
            _abi.conn_detach(self)
            self._socket.close()
        super().close()

    def detach(self) -> int:
        """Gives the fd back, which is now the caller's to close."""
        fd = _abi.conn_detach(self)
        if self._socket is not None:
            self._socket.detach()
            self._socket = None
        return fd

    def cancel(self) -> None:
        """Ends the calls that wait on this connection in other threads."""
        _abi.conn_cancel(self)

    def adopt(self) -> None:
        """Says, in a child of fork, that the parent has given the connection up."""
        _abi.conn_adopt(self)

    def settimeout(self, seconds: "float | None") -> None:
        """Sets how long a call may wait: None for ever, 0 not at all."""
        milliseconds = lib.FSSL_TIMEOUT_NONE if seconds is None else round(seconds * 1000)
        _abi.conn_set_timeout(self, milliseconds)

    # ---- sockets ----

    def connect(self, host: str, port: int) -> None:
        _abi.conn_connect(self, host, port)

    def bind(self, host: str, port: int) -> None:
        _abi.conn_bind(self, host, port)

    def listen(self, backlog: int = 128) -> None:
        _abi.conn_listen(self, backlog)

    def accept(self) -> "Connection":
        """Waits for a client. Its handshake happens with the first recv or send, so that a slow
        client keeps nobody waiting."""
        accepted = type(self)._wrap(_abi.conn_accept(self))
        accepted._context = self._context
        return accepted

    def fileno(self) -> int:
        return _abi.conn_fileno(self)

    def getpeername(self) -> Address:
        return _abi.conn_getpeername(self)

    def getsockname(self) -> Address:
        return _abi.conn_getsockname(self)

    def setblocking(self, flag: bool) -> None:
        _abi.conn_setblocking(self, flag)

    def getsockopt(self, level: int, option: int, size: int = 0) -> "int | bytes":
        """Returns an option of the socket as a number, or for a size as bytes."""
        value = _abi.conn_getsockopt(self, level, option)
        return value[:size] if size else int.from_bytes(value, sys.byteorder, signed=True)

    def setsockopt(self, level: int, option: int, value: "int | Buffer") -> None:
        """Sets an option of the socket, from a number or bytes."""
        if isinstance(value, int):
            value = value.to_bytes(4, sys.byteorder, signed=True)
        _abi.conn_setsockopt(self, level, option, _abi.required(value))

    def sock_shutdown(self, how: int) -> None:
        """Shuts the socket down, SHUT_RD, SHUT_WR or SHUT_RDWR, under the TLS stream."""
        _abi.conn_sock_shutdown(self, how)

    # ---- the stream ----

    # At the end of the stream recv returns no bytes, and recv_into 0.
    recv = Transfer._read
    recv_into = Transfer._read_into
    seal = Transfer._seal
    pump = Transfer._pump

    def set_coalescing(self, size: int) -> None:
        """Gathers small sends until they make a record of that size, 0 for none: much faster. They
        go out before a recv waits, at flush and at shutdown."""
        _abi.conn_set_coalescing(self, size)

    def flush(self) -> None:
        """Writes out what was gathered, and what the carrier would not take before."""
        _abi.conn_flush(self)

    def leftover(self) -> bytes:
        """Takes what was read behind the peer's end of the TLS stream, for a protocol that goes on
        in the clear."""
        return _abi.stream_out(lib.fssl_conn_leftover, STREAM_MAX, self._handle)

    def shutdown_state(self) -> int:
        return _abi.conn_shutdown_state(self)

    def set_shutdown_state(self, state: int) -> None:
        _abi.conn_set_shutdown_state(self, state)

    def makefile(
        self, mode: str = "rb", buffering: int = -1, **text_options: typing.Any
    ) -> typing.Any:
        """Returns a file of the connection, as a socket's makefile does. Closing it does not close
        the connection."""
        raw = _Raw(self, "r" in mode, "w" in mode)
        if buffering == 0:
            return raw
        size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
        if "r" in mode and "w" in mode:
            file: typing.Any = io.BufferedRWPair(raw, raw, size)
        else:
            file = io.BufferedReader(raw, size) if "r" in mode else io.BufferedWriter(raw, size)
        return file if "b" in mode else io.TextIOWrapper(file, **text_options)

    # ---- whom it expects and what it offers ----

    def set_host(self, host: str) -> None:
        """Sets the name or address that a client expects: sent, and checked in the certificate."""
        _abi.conn_set_host(self, host)

    def host(self) -> str:
        return _abi.conn_host(self)

    def set_server_name(self, name: str) -> None:
        _abi.conn_set_server_name(self, name)

    def server_name(self) -> str:
        return _abi.conn_server_name(self)

    def set_connect_state(self) -> None:
        _abi.conn_set_connect_state(self)

    def set_accept_state(self) -> None:
        _abi.conn_set_accept_state(self)

    def set_context(self, context: "Context") -> None:
        _abi.conn_set_context(self, context)
        self._context = context

    def set_session(self, session: Session) -> None:
        _abi.conn_set_session(self, session)

    # ---- datagrams ----

    def dtls_listen(self) -> None:
        """Waits, on a server's bound UDP socket, for a client that brings its cookie back; the
        socket is then connected to it."""
        _abi.conn_dtls_listen(self)

    def set_dtls_peer(self, peer: Buffer) -> None:
        """Names the peer of a memory connection for its cookie, such as by address and port."""
        _abi.conn_set_dtls_peer(self, peer)

    def dtls_timeout(self) -> "float | None":
        """Returns in how many seconds handle_dtls_timeout is due, None for never."""
        milliseconds = _abi.conn_dtls_timeout(self)
        return None if milliseconds < 0 else milliseconds / 1000

    def handle_dtls_timeout(self) -> bool:
        """Sends the last flight of the handshake again if that is due. Returns whether it was."""
        return bool(_abi.conn_handle_dtls_timeout(self))

    def set_ciphertext_mtu(self, size: int) -> None:
        """Sets how long a datagram may be."""
        _abi.conn_set_ciphertext_mtu(self, size)

    def cleartext_mtu(self) -> int:
        """Returns how much plaintext fits in one; 0 before a cipher is chosen."""
        return _abi.conn_cleartext_mtu(self)

    # ---- renegotiation, before TLS 1.3 ----

    def renegotiate(self) -> bool:
        """Begins a renegotiation. Returns whether it did, False if one is under way."""
        return bool(_abi.conn_renegotiate(self))

    def renegotiate_pending(self) -> bool:
        return bool(_abi.conn_renegotiate_pending(self))

    def total_renegotiations(self) -> int:
        return _abi.conn_total_renegotiations(self)

    # ---- what was negotiated ----

    def protocol_version(self) -> int:
        return _abi.conn_protocol_version(self)

    def protocol_version_name(self) -> str:
        return _abi.conn_protocol_version_name(self)

    def cipher_name(self) -> str:
        return _abi.conn_cipher_name(self)

    def cipher_bits(self) -> int:
        return _abi.conn_cipher_bits(self)

    def cipher_version(self) -> str:
        return _abi.conn_cipher_version(self)

    def group_name(self) -> str:
        return _abi.conn_group_name(self)

    def alpn_proto(self) -> str:
        """Returns the protocol that ALPN selected, empty for none."""
        return _abi.conn_alpn_proto(self).decode("ascii", "backslashreplace")

    def next_proto(self) -> str:
        """Returns the protocol that NPN selected, empty for none."""
        return _abi.conn_next_proto(self).decode("ascii", "backslashreplace")

    def srtp_profile(self) -> int:
        """Returns the registered number of the profile of SRTP that both ends have, 0 for none."""
        return _abi.conn_srtp_profile(self)

    def srtp_profile_name(self) -> str:
        """Returns its name, empty for none."""
        return _abi.conn_srtp_profile_name(self)

    def ciphers(self) -> typing.List[str]:
        """Returns the names of the ciphers that it may use."""
        count = _abi.conn_cipher_list_count(self)
        return [_abi.conn_cipher_list_item(self, i) for i in range(count)]

    def export_keying_material(
        self, label: str, size: int, context: "Buffer | None" = None
    ) -> bytes:
        """Returns size bytes of keying material for a label (RFC 5705)."""
        buffer = allocate("uint8_t[]", size)
        pointers = (*_abi.text_in(label), *_abi.bytes_in(context))
        _abi.call(lib.fssl_conn_export_keying_material, self._handle, *pointers, buffer, size)
        return ffi.buffer(buffer)[:]

    def state_string(self) -> str:
        return _abi.conn_state_string(self)

    def session(self) -> "Session | None":
        return Session._wrap(_abi.conn_session(self))

    def session_reused(self) -> bool:
        return bool(_abi.conn_session_reused(self))

    # ---- the peer ----

    def verify_result(self) -> int:
        return _abi.conn_verify_result(self)

    def certificate(self) -> "Certificate | None":
        return Certificate._wrap(_abi.conn_certificate(self))

    def peer_certificate(self) -> "Certificate | None":
        return Certificate._wrap(_abi.conn_peer_certificate(self))

    def peer_chain(self) -> typing.List[Certificate]:
        """Returns the certificates that the peer sent, its own first."""
        count = _abi.conn_peer_chain_count(self)
        return [Certificate._wrap(_abi.conn_peer_chain_item(self, i)) for i in range(count)]

    def verified_chain(self) -> typing.List[Certificate]:
        """Returns the certificates from the peer's own to a trusted one."""
        count = _abi.conn_verified_chain_count(self)
        return [Certificate._wrap(_abi.conn_verified_chain_item(self, i)) for i in range(count)]


class _Raw(io.RawIOBase):
    """A connection as a raw file."""

    def __init__(self, connection: Connection, reads: bool, writes: bool) -> None:
        self._connection, self._reads, self._writes = connection, reads, writes

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def readinto(self, buffer: typing.Any) -> int:
        return self._connection.recv_into(buffer)

    def write(self, data: typing.Any) -> int:
        return self._connection.send(data)
