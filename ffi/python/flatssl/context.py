"""Contexts: what connections have in common."""

import typing

from . import _abi
from ._abi import Handle
from ._load import lib
from .certificate import Certificate, Key, Name, Session, Store
from .connection import Connection
from .question import protocol_list
from .types import Buffer, Path, Text

if typing.TYPE_CHECKING:
    import socket


class Context(Handle):
    """The settings of clients or of a server. Make one with client() or server()."""

    def __init__(self, method: int = lib.FSSL_TLS_METHOD) -> None:
        """Makes a context without a check of the peer: for experts."""
        self._handle = _abi.ctx_new(method)

    @classmethod
    def client(
        cls,
        *,
        cafile: "Path | None" = None,
        capath: "Path | None" = None,
        cadata: "Buffer | None" = None,
        certificate: "Path | None" = None,
        key: "Path | None" = None,
        passphrase: "Buffer | None" = None,
        alpn: typing.Iterable[Text] = (),
        dtls: bool = False,
        place: int = 0,
    ) -> "Context":
        """Makes the context of a client: TLS 1.2 or later, the server and its name verified.

        Trusts what the system trusts, or else only cafile, capath and cadata. The certificate
        and key files, in PEM, are for a server that wants to know the client. With dtls its
        connections are over datagrams. Threads with a place each, 1 to 256, do not wait for one
        another.
        """
        method = lib.FSSL_DTLS_CLIENT_METHOD if dtls else lib.FSSL_TLS_CLIENT_METHOD
        self = cls._wrap(_abi.ctx_new_apart(lib.FSSL_SAFE | method, place))
        if (cafile, capath, cadata) != (None, None, None):
            self.set_cert_store(Store())
            self.trust(cafile, capath, cadata)
        if certificate is not None:
            self.use(certificate, key, passphrase)
        self.set_alpn_protos(alpn)
        return self

    @classmethod
    def server(
        cls,
        certificate: Path,
        key: "Path | None" = None,
        *,
        passphrase: "Buffer | None" = None,
        client_ca: "Path | None" = None,
        alpn: typing.Iterable[Text] = (),
        dtls: bool = False,
        place: int = 0,
    ) -> "Context":
        """Makes the context of a server: TLS 1.2 or later, with a PEM file of its certificate and
        chain, and one of its key, or both in one file.

        With client_ca, a PEM file, clients must have a certificate that it vouches for.
        """
        method = lib.FSSL_DTLS_SERVER_METHOD if dtls else lib.FSSL_TLS_SERVER_METHOD
        self = cls._wrap(_abi.ctx_new_apart(lib.FSSL_SAFE | method, place))
        self.use(certificate, key, passphrase)
        if client_ca is not None:
            self.trust(client_ca)
            self.set_verify(lib.FSSL_VERIFY_PEER | lib.FSSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        self.set_alpn_preference(alpn)
        return self

    def use(
        self,
        certificate: Path,
        key: "Path | None" = None,
        passphrase: "Buffer | None" = None,
    ) -> None:
        """Uses a PEM file of a certificate and its chain, and the private key of another."""
        self.set_passphrase(passphrase)
        self.use_certificate_chain_file(certificate)
        self.use_private_key_file(certificate if key is None else key)
        self.set_passphrase(None)

    def trust(
        self,
        cafile: "Path | None" = None,
        capath: "Path | None" = None,
        cadata: "Buffer | None" = None,
    ) -> None:
        """Trusts the certificates of a PEM file, of a hashed directory and of PEM in memory."""
        if (cafile, capath) != (None, None):
            _abi.ctx_load_verify_locations(self, cafile, capath)
        if cadata is not None:
            _abi.ctx_load_verify_pem(self, cadata)

    # ---- making connections ----

    def connect(
        self, host: str, port: int, *, timeout: "float | None" = None
    ) -> Connection:
        """Connects to a server and returns the connection, its handshake done."""
        connection = Connection.unconnected(self)
        try:
            connection.settimeout(timeout)
            connection.connect(host, port)
            connection.do_handshake()
        except BaseException:
            connection.close()
            raise
        return connection

    def listen(self, host: str = "127.0.0.1", port: int = 0, backlog: int = 128) -> Connection:
        """Listens on an address (port 0: a free one). Returns what has accept()."""
        listener = Connection.unconnected(self)
        try:
            listener.bind(host, port)
            listener.listen(backlog)
        except BaseException:
            listener.close()
            raise
        return listener

    def wrap(self, sock: "socket.socket", host: "str | None" = None) -> Connection:
        """Makes a connection over a connected socket; host is whom a client expects."""
        return Connection(self, sock, host=host)

    # ---- credentials ----

    def use_certificate(self, certificate: Certificate) -> None:
        _abi.ctx_use_certificate(self, certificate)

    def use_certificate_file(self, path: Path, filetype: int = lib.FSSL_FILETYPE_PEM) -> None:
        _abi.ctx_use_certificate_file(self, path, filetype)

    def use_certificate_chain_file(self, path: Path) -> None:
        _abi.ctx_use_certificate_chain_file(self, path)

    def use_certificate_chain(self, pem: Buffer) -> None:
        _abi.ctx_use_certificate_chain(self, pem)

    def add_extra_chain_cert(self, certificate: Certificate) -> None:
        _abi.ctx_add_extra_chain_cert(self, certificate)

    def use_private_key(self, key: Key) -> None:
        _abi.ctx_use_private_key(self, key)

    def use_private_key_file(self, path: Path, filetype: int = lib.FSSL_FILETYPE_PEM) -> None:
        _abi.ctx_use_private_key_file(self, path, filetype)

    def set_passphrase(self, passphrase: "Buffer | None") -> None:
        """Sets what later private key files are read with; None forgets it."""
        _abi.ctx_set_passphrase(self, passphrase)

    def check_private_key(self) -> None:
        _abi.ctx_check_private_key(self)

    # ---- trust ----

    def set_default_verify_paths(self) -> None:
        _abi.ctx_set_default_verify_paths(self)

    def cert_store(self) -> Store:
        return Store._wrap(_abi.ctx_cert_store(self))

    def set_cert_store(self, store: Store) -> None:
        _abi.ctx_set_cert_store(self, store)

    def load_client_ca(self, path: Path) -> None:
        """Sends a PEM file's subjects as the issuers whose certificates a server takes."""
        _abi.ctx_load_client_ca(self, path)

    def set_client_cas(self, names: typing.Iterable[Name]) -> None:
        """Sends these names as those issuers."""
        names = list(names)
        if not all(isinstance(name, Name) for name in names):
            raise TypeError("the issuers are given as Names")
        _abi.ctx_set_client_ca_list(self, b"".join(name.to_der() for name in names))

    def add_client_ca(self, certificate: Certificate) -> None:
        """Adds the subject of a certificate to those issuers."""
        _abi.ctx_add_client_ca(self, certificate)

    def add_pin(self, sha256: Buffer) -> None:
        """Pins a public key, by the SHA-256 of its DER: a peer without a pinned key is refused."""
        _abi.ctx_add_pin(self, sha256)

    def set_verify(self, mode: int) -> None:
        _abi.ctx_set_verify(self, mode)

    def verify_mode(self) -> int:
        return _abi.ctx_verify_mode(self)

    def set_verify_depth(self, depth: int) -> None:
        _abi.ctx_set_verify_depth(self, depth)

    def verify_depth(self) -> int:
        return _abi.ctx_verify_depth(self)

    # ---- protocol ----

    def set_options(self, options: int) -> int:
        return _abi.ctx_set_options(self, options)

    def clear_options(self, options: int) -> int:
        return _abi.ctx_clear_options(self, options)

    def options(self) -> int:
        return _abi.ctx_options(self)

    def set_mode(self, mode: int) -> int:
        return _abi.ctx_set_mode(self, mode)

    def clear_mode(self, mode: int) -> int:
        return _abi.ctx_clear_mode(self, mode)

    def mode(self) -> int:
        return _abi.ctx_mode(self)

    def set_cipher_list(self, ciphers: str) -> None:
        _abi.ctx_set_cipher_list(self, ciphers)

    def set_ciphersuites(self, suites: str) -> None:
        _abi.ctx_set_ciphersuites(self, suites)

    def set_groups(self, groups: str) -> None:
        _abi.ctx_set_groups(self, groups)

    def load_tmp_dh(self, path: Path) -> None:
        """Loads parameters for ephemeral Diffie-Hellman from a PEM file."""
        _abi.ctx_load_tmp_dh(self, path)

    def set_min_proto_version(self, version: int) -> None:
        _abi.ctx_set_min_proto_version(self, version)

    def min_proto_version(self) -> int:
        return _abi.ctx_min_proto_version(self)

    def set_max_proto_version(self, version: int) -> None:
        _abi.ctx_set_max_proto_version(self, version)

    def max_proto_version(self) -> int:
        return _abi.ctx_max_proto_version(self)

    def set_security_level(self, level: int) -> None:
        _abi.ctx_set_security_level(self, level)

    def security_level(self) -> int:
        return _abi.ctx_security_level(self)

    def set_alpn_protos(self, protos: typing.Iterable[Text]) -> None:
        """Sets the protocols that a client offers."""
        _abi.ctx_set_alpn_protos(self, protocol_list(protos))

    def set_alpn_preference(self, protos: typing.Iterable[Text]) -> None:
        """Sets the protocols that a server accepts, the best first."""
        _abi.ctx_set_alpn_preference(self, protocol_list(protos))

    def set_npn_advertised(self, protos: typing.Iterable[Text]) -> None:
        """Sets the protocols that a server advertises by NPN, before TLS 1.3."""
        _abi.ctx_set_npn_advertised(self, protocol_list(protos))

    def set_npn_preference(self, protos: typing.Iterable[Text]) -> None:
        """Sets the protocols from which a client selects by NPN, the best first."""
        _abi.ctx_set_npn_preference(self, protocol_list(protos))

    def set_resumption(self, sessions: int) -> None:
        """Sets how many sessions a client's context remembers and resumes by itself, 0 for none."""
        _abi.ctx_set_resumption(self, sessions)

    def set_read_ahead(self, size: int) -> None:
        """Sets how much a connection on a socket reads at once. With it ask pending() before you
        wait on the socket yourself."""
        _abi.ctx_set_read_ahead(self, size)

    def set_buffer_release(self, flag: bool) -> None:
        """Sets whether idle connections give their buffers back."""
        _abi.ctx_set_buffer_release(self, flag)

    # ---- what a server or client decides beforehand ----

    def add_server_name(self, name: str, target: "Context") -> None:
        """Has a server name, such as "www.example.org" or "*.example.org", lead to another
        context."""
        _abi.ctx_add_server_name(self, name, target)

    def set_ocsp_response(self, der: "Buffer | None") -> None:
        """Sets the OCSP response that a server staples; None for none."""
        _abi.ctx_set_ocsp_response(self, der)

    def add_psk(self, identity: str, key: Buffer) -> None:
        """Adds a pre-shared key: a client offers its first, a server takes any."""
        _abi.ctx_add_psk(self, identity, key)

    def require_psk(self, flag: bool = True) -> None:
        """Sets whether a handshake without a pre-shared key fails."""
        _abi.ctx_require_psk(self, flag)

    def set_dtls_cookie_secret(self, secret: Buffer) -> None:
        """Sets the secret, 16 bytes or more, by which a server of DTLS knows a client's address
        to be true. The one before it still counts."""
        _abi.ctx_set_dtls_cookie_secret(self, secret)

    def set_srtp_profiles(self, profiles: str) -> None:
        """Sets the profiles of SRTP that a client of DTLS offers, or from which a server selects,
        the best first, such as "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"."""
        _abi.ctx_set_srtp_profiles(self, profiles)

    # ---- sessions ----

    def set_session_id_context(self, context_id: Buffer) -> None:
        _abi.ctx_set_session_id_context(self, context_id)

    def set_session_cache_mode(self, mode: int) -> int:
        return _abi.ctx_set_session_cache_mode(self, mode)

    def session_cache_mode(self) -> int:
        return _abi.ctx_session_cache_mode(self)

    def set_timeout(self, seconds: int) -> int:
        return _abi.ctx_set_timeout(self, seconds)

    def timeout(self) -> int:
        return _abi.ctx_timeout(self)

    def set_ticket_keys(self, keys: Buffer) -> None:
        """Sets the keys of session tickets, 80 random bytes each: the first encrypts, all
        decrypt."""
        _abi.ctx_set_ticket_keys(self, keys)

    def set_num_tickets(self, count: int) -> None:
        """Sets how many tickets a TLS 1.3 server sends after a full handshake."""
        _abi.ctx_set_num_tickets(self, count)

    # ---- queues: what happened, to be read when convenient ----

    def set_queue(self, queue: int, capacity: int) -> None:
        """Keeps up to so many items of a QUEUE_; 0, as at first, keeps none."""
        _abi.ctx_set_queue(self, queue, capacity)

    def queue_count(self, queue: int) -> int:
        return _abi.ctx_queue_count(self, queue)

    def queue_dropped(self, queue: int) -> int:
        """Returns how many items did not fit."""
        return _abi.ctx_queue_dropped(self, queue)

    def next_keylog(self) -> str:
        """Takes the next line of the key log, in NSS's form; empty if there is none."""
        return _abi.ctx_next_keylog(self)

    def set_keylog_fd(self, fd: int) -> None:
        """Has key log lines written to an fd too, of which a copy is kept; NO_FD ends it."""
        _abi.ctx_set_keylog_fd(self, fd)

    def next_session(self) -> "Session | None":
        """Takes the next new session."""
        return Session._wrap(_abi.ctx_next_session(self))

    def next_info(self) -> "typing.Tuple[int, int, int] | None":
        """Takes the next event of a handshake: the number of its connection, OpenSSL's SSL_CB_
        numbers, and the result."""
        there, connection, where, result = _abi.ctx_next_info(self)
        return (connection, where, result) if there else None
