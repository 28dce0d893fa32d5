"""Connection: a TLS connection over a socket or over memory, as OpenSSL.SSL has it."""

import typing
import warnings

from .. import _abi, errors
from .._load import NULL, lib
from ..certificate import Session
from ..types import AnyCert, AnyKey, Buffer
from . import callbacks
from .callbacks import InfoCallback, VerifyCallback
from .context import Context, certificate_of, function, integer, key_of, protocols_in
from .datagram import Datagrams

SEND_MAX = 2**31 - 1
INTERNAL_ERROR = 80  # the alert for a callback that failed
NO_APPLICATION_PROTOCOL = 120  # the alert for one that selects nothing
STATUS_REQUEST = 5  # the extension by which a client asks for an OCSP response


def sendable(data):
    """Takes any buffer, and text as old programs give it, with a warning."""
    if isinstance(data, str):
        warnings.warn("str for buf is no longer accepted, use bytes", DeprecationWarning, 3)
        data = data.encode("utf-8")
    try:
        return memoryview(data).cast("B")
    except TypeError:
        raise TypeError("data must be a memoryview, buffer or byte string") from None


def fd_of(sock):
    fd = sock.fileno() if hasattr(sock, "fileno") else sock
    if not isinstance(fd, int):
        raise TypeError("argument must be an int, or have a fileno() method.")
    return fd


PLAIN = (errors.SysCallError, errors.WantReadError, errors.WantWriteError,
         errors.WantX509LookupError, errors.ZeroReturnError)


def plain(error):
    """Returns an exception as one of OpenSSL.SSL's six: programs compare their classes."""
    class_ = next((one for one in PLAIN if isinstance(error, one)), errors.Error)
    if type(error) is class_:
        return error
    same = class_(*error.args)
    vars(same).update(vars(error))
    return same


def certificate_out(handle, as_cryptography=False):
    from ..crypto import X509

    cert = X509._wrap(handle)
    return cert.to_cryptography() if cert and as_cryptography else cert


class Connection(Datagrams):
    """A connection: Connection(context, socket), with None for memory. What it does not know
    itself, it asks the socket."""

    _token = 0
    # what a callback has raised, until the call that caused it ends
    _raised: "BaseException | None" = None
    _begun = False
    _server = False
    _socket: typing.Any = None
    _app_data: typing.Any = None
    _on_info: "InfoCallback | None" = None

    def __init__(self, context: Context, socket: "typing.Any | None" = None) -> None:
        if not isinstance(context, Context):
            raise TypeError("context must be a Context instance")
        if socket is None:
            self._handle = _abi.conn_new_memory(context)
        else:
            self._handle = _abi.conn_new(context, fd_of(socket))
        self._context, self._socket = context, socket
        self._on_verify = context._on_verify  # whatever the context is given later
        callbacks.connections[self._handle] = self

    def __getattr__(self, name: str) -> typing.Any:
        if self._socket is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return getattr(self._socket, name)

    # ---- the calls that may hold a handshake ----

    def _run(self, method: typing.Callable, *arguments: typing.Any) -> typing.Any:
        """Calls what may carry a handshake on, deciding for a server what it asks meanwhile."""
        if not self._begun:
            self._begin()
        self._raise_kept()
        self._feed()
        while True:
            try:
                return method(*arguments)
            except errors.WantClientHelloError:
                self._decide_hello()
            except errors.Error as error:
                if isinstance(error, errors.WantReadError) and self._feed():
                    continue
                self._raise_kept()
                raise plain(error) from None

    def _raise_kept(self) -> None:
        """Raises what a callback has raised."""
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised from None

    def _begin(self) -> None:
        self._begun = True
        if self._server and self._context._decides_hello():
            _abi.conn_ask(self, lib.FSSL_ASK_CLIENT_HELLO)

    def _decide_hello(self) -> None:
        """Asks the context's callbacks what the client hello leads to."""
        try:
            alert = self._decide_name_and_protocol()
        except BaseException:
            _abi.conn_answer_hello(self, INTERNAL_ERROR)
            lib.fssl_conn_do_handshake(self._handle, NULL)  # sends the alert
            raise
        _abi.conn_answer_hello(self, alert)

    def _decide_name_and_protocol(self) -> int:
        """Returns the alert with which to refuse, 0 to go on."""
        if self._context._on_server_name:
            self._context._on_server_name(self)
        context = self._context  # another one, if the callback has switched
        offered = callbacks.protocols_of(_abi.conn_hello_bytes(self, lib.FSSL_HELLO_ALPN))
        if offered and context._on_alpn_select:
            chosen = context._select_alpn(self, offered)
            if chosen == b"":
                return NO_APPLICATION_PROTOCOL
            _abi.conn_set_alpn_preference(self, protocols_in([chosen]) if chosen else b"")
        if context._on_ocsp_server and self._asks_for_staple():
            _abi.conn_set_ocsp_response(self, context._staple(self))
        return 0

    def _asks_for_staple(self) -> bool:
        types = _abi.conn_hello_bytes(self, lib.FSSL_HELLO_EXTENSIONS)
        wanted = STATUS_REQUEST.to_bytes(2, "big")
        return any(types[i : i + 2] == wanted for i in range(0, len(types), 2))

    def do_handshake(self) -> None:
        self._run(super().do_handshake)
        self._raise_kept()

    def send(self, buf: Buffer, flags: int = 0) -> int:
        data = sendable(buf)
        if len(buf) > SEND_MAX:
            raise ValueError("Cannot send more than 2**31-1 bytes at once.")
        return self._run(super().send, data)

    write = send

    def sendall(self, buf: Buffer, flags: int = 0) -> int:  # type: ignore[override]
        """Sends all. Returns how many bytes; an exception's `sent` says how many there were."""
        data = sendable(buf)
        sent = 0
        while sent < len(data):
            try:
                self._run(super().sendall, data[sent:])
                sent = len(data)
            except errors.WantWriteError as error:
                sent = error.sent = sent + error.sent
                if self._socket is not None or not self._make_room():
                    raise
        return sent

    def recv(self, bufsize: int, flags: "int | None" = None) -> bytes:
        return self._run(super().recv, bufsize, flags or 0)

    read = recv

    def recv_into(
        self, buffer: Buffer, nbytes: "int | None" = None, flags: "int | None" = None
    ) -> int:
        return self._run(super().recv_into, buffer, nbytes, flags or 0)

    def shutdown(self) -> bool:
        """Sends the shutdown message. Returns whether the peer's has come too."""
        ended = self._run(super().shutdown)
        self._raise_kept()
        return ended

    # ---- memory ----

    def _on_memory(self) -> None:
        if self._socket is not None:
            raise TypeError("Connection sock was not None")

    def bio_read(self, bufsize: int) -> bytes:
        self._on_memory()
        return super().bio_read(integer(bufsize, "bufsize"))

    def bio_write(self, buf: Buffer) -> int:
        self._on_memory()
        return super().bio_write(sendable(buf))

    def bio_shutdown(self) -> None:
        self._on_memory()
        super().bio_shutdown()

    # ---- the socket ----

    def accept(self) -> "tuple[Connection, typing.Any]":
        """Returns (connection, address) of the socket's next client."""
        client, address = self._socket.accept()
        connection = type(self)(self._context, client)
        connection.set_accept_state()
        return connection, address

    def connect(self, addr: typing.Any) -> typing.Any:
        self.set_connect_state()
        return self._socket.connect(addr)

    def connect_ex(self, addr: typing.Any) -> int:
        result = self._socket.connect_ex(addr)
        self.set_connect_state()
        return result

    def sock_shutdown(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        return self._socket.shutdown(*args, **kwargs)

    def close(self) -> None:
        """Closes the socket. The peer sees a truncated stream unless shutdown came first."""
        close = self.__getattr__("close")
        lib.fssl_conn_detach(self._handle, NULL)  # so that no reused fd is ever written to
        return close()

    def makefile(self, *args: typing.Any, **kwargs: typing.Any) -> typing.NoReturn:
        raise NotImplementedError("Cannot make file object of OpenSSL.SSL.Connection")

    def set_connect_state(self) -> None:
        _abi.conn_set_connect_state(self)
        self._server = False

    def set_accept_state(self) -> None:
        _abi.conn_set_accept_state(self)
        self._server = True

    # ---- its context and what it has of its own ----

    def get_context(self) -> Context:
        return self._context

    def set_context(self, context: Context) -> None:
        if not isinstance(context, Context):
            raise TypeError("context must be a Context instance")
        _abi.conn_set_context(self, context)
        self._context, self._on_verify = context, context._on_verify

    def set_app_data(self, data: typing.Any) -> None:
        self._app_data = data

    def get_app_data(self) -> typing.Any:
        return self._app_data

    def set_options(self, options: int) -> int:
        return _abi.conn_set_options(self, integer(options, "options"))

    def _push(self, install: typing.Any, trampoline: typing.Any) -> None:
        _abi.call(install, self._handle, trampoline, callbacks.token_of(self))

    def set_verify(self, mode: int, callback: "VerifyCallback | None" = None) -> None:
        """Sets VERIFY_ mode and callback as Context.set_verify, for this connection."""
        _abi.conn_set_verify(self, integer(mode, "mode"))
        self._on_verify = callback if callback is None else function(callback)
        trampoline = NULL if callback is None else callbacks.verify
        self._push(lib.fssl_conn_set_verify_callback, trampoline)

    def get_verify_mode(self) -> int:
        return _abi.conn_verify_mode(self)

    def set_info_callback(self, callback: InfoCallback) -> None:
        """Sets an info callback as Context.set_info_callback, for this connection."""
        self._on_info = function(callback)
        self._push(lib.fssl_conn_set_info_callback, callbacks.info)

    def use_certificate(self, cert: AnyCert) -> None:
        _abi.conn_use_certificate(self, certificate_of(cert))

    def use_privatekey(self, pkey: AnyKey) -> None:
        _abi.conn_use_private_key(self, key_of(pkey))

    def set_alpn_protos(self, protos: typing.Sequence[bytes]) -> None:
        _abi.conn_set_alpn_protos(self, protocols_in(protos))

    def set_tlsext_host_name(self, name: bytes) -> None:
        """Sets the server name to send, a byte string. It is not checked: see flatssl.Context."""
        if not isinstance(name, bytes):
            raise TypeError("name must be a byte string")
        if b"\0" in name:
            raise TypeError("name must not contain NUL byte")
        _abi.conn_set_server_name(self, name)

    def request_ocsp(self) -> None:
        _abi.conn_request_ocsp(self)

    def set_session(self, session: Session) -> None:
        if not isinstance(session, Session):
            raise TypeError("session must be a Session instance")
        _abi.conn_set_session(self, session)

    def set_shutdown(self, state: int) -> None:
        _abi.conn_set_shutdown_state(self, integer(state, "state"))

    def get_shutdown(self) -> int:
        return _abi.conn_shutdown_state(self)

    # ---- renegotiation ----

    def renegotiate(self) -> bool:
        """Begins a renegotiation. Returns whether it did, False if one is under way."""
        return bool(_abi.conn_renegotiate(self))

    def renegotiate_pending(self) -> bool:
        return _abi.conn_renegotiate_pending(self) == 1

    def total_renegotiations(self) -> int:
        return _abi.conn_total_renegotiations(self)

    # ---- what was negotiated ----

    def get_protocol_version(self) -> int:
        return _abi.conn_protocol_version(self)

    def get_protocol_version_name(self) -> str:
        return _abi.conn_protocol_version_name(self)

    def get_cipher_list(self) -> "list[str]":
        count = _abi.conn_cipher_list_count(self)
        return [_abi.conn_cipher_list_item(self, i) for i in range(count)]

    def get_cipher_name(self) -> "str | None":
        return _abi.conn_cipher_name(self) or None

    def get_cipher_bits(self) -> "int | None":
        return _abi.conn_cipher_bits(self) or None

    def get_cipher_version(self) -> "str | None":
        return _abi.conn_cipher_version(self) or None

    def get_group_name(self) -> "str | None":
        return _abi.conn_group_name(self) or None

    def get_alpn_proto_negotiated(self) -> bytes:
        return _abi.conn_alpn_proto(self)

    def get_next_proto_negotiated(self) -> bytes:
        return _abi.conn_next_proto(self)

    def get_servername(self) -> "bytes | None":
        return _abi.conn_server_name(self).encode("utf-8", "surrogateescape") or None

    def get_state_string(self) -> bytes:
        return _abi.conn_state_string(self).encode()

    def get_session(self) -> "Session | None":
        return Session._wrap(_abi.conn_session(self))

    def client_random(self) -> "bytes | None":
        return _abi.conn_client_random(self) or None

    def server_random(self) -> "bytes | None":
        return _abi.conn_server_random(self) or None

    def master_key(self) -> "bytes | None":
        return _abi.conn_master_key(self) or None

    def get_finished(self) -> "bytes | None":
        return _abi.conn_finished(self) or None

    def get_peer_finished(self) -> "bytes | None":
        return _abi.conn_peer_finished(self) or None

    def export_keying_material(
        self, label: bytes, olen: int, context: "bytes | None" = None
    ) -> bytes:
        """Returns olen bytes of keying material for a label (RFC 5705)."""
        if not isinstance(label, bytes):
            raise TypeError("label must be a byte string")
        buffer = bytearray(integer(olen, "olen"))
        with _abi.view_of(buffer, writable=True) as view:
            pointers = (*_abi.text_in(label), *_abi.bytes_in(context))
            _abi.call(lib.fssl_conn_export_keying_material, self._handle, *pointers, view, olen)
        return bytes(buffer)

    # ---- certificates ----

    def get_certificate(self, *, as_cryptography: bool = False) -> typing.Any:
        return certificate_out(_abi.conn_certificate(self), as_cryptography)

    def get_peer_certificate(self, *, as_cryptography: bool = False) -> typing.Any:
        return certificate_out(_abi.conn_peer_certificate(self), as_cryptography)

    def get_peer_cert_chain(self, *, as_cryptography: bool = False) -> typing.Any:
        """Returns the certificates that the peer sent; those of a client without its own."""
        count = _abi.conn_peer_chain_count(self)
        if not count:
            return None
        return [
            certificate_out(_abi.conn_peer_chain_item(self, i), as_cryptography)
            for i in range(1 if self._server else 0, count)
        ]

    def get_verified_chain(self, *, as_cryptography: bool = False) -> typing.Any:
        """Returns the certificates from the peer's own to a trusted one; None if not verified."""
        count = _abi.conn_verified_chain_count(self)
        if not count:
            return None
        return [
            certificate_out(_abi.conn_verified_chain_item(self, i), as_cryptography)
            for i in range(count)
        ]

    def get_client_ca_list(self, *, as_cryptography: bool = False) -> typing.Any:
        """Returns the names of the issuers whose certificates a server takes."""
        from ..crypto import X509Name

        count = _abi.conn_client_ca_count(self)
        names = [X509Name._wrap(_abi.conn_client_ca_item(self, i)) for i in range(count)]
        return [name.to_cryptography() for name in names] if as_cryptography else names
