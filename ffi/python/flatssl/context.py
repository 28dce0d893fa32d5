"""Contexts: what connections have in common."""

import os
import typing

from . import _abi
from ._abi import Handle
from ._load import lib
from .certificate import Certificate, Key, Store
from .connection import Connection

Path = typing.Union[str, bytes, "os.PathLike[str]"]


def protocol_list(protos) -> bytes:
    """Returns protocol names in the form of ALPN: each with its length in a byte before it."""
    names = [name.encode("ascii") if isinstance(name, str) else bytes(name) for name in protos]
    for name in names:
        if not 0 < len(name) < 256:
            raise ValueError(f"a protocol's name has 1 to 255 bytes: {name!r}")
    return b"".join(bytes([len(name)]) + name for name in names)


class Context(Handle):
    """The settings of clients or of a server. Make one with client() or server()."""

    def __init__(self, method: int = lib.FSSL_TLS_METHOD):
        """Makes a context without a check of the peer: for experts."""
        self._handle = _abi.ctx_new(method)

    @classmethod
    def client(
        cls,
        *,
        cafile: "Path | None" = None,
        capath: "Path | None" = None,
        cadata: "bytes | None" = None,
        certificate: "Path | None" = None,
        key: "Path | None" = None,
        passphrase: "bytes | None" = None,
        alpn: typing.Iterable[str] = (),
    ) -> "Context":
        """Makes the context of a client: TLS 1.2 or later, the server and its name verified.

        Trusts what the system trusts, or else only cafile, capath and cadata. The certificate
        and key files, in PEM, are for a server that wants to know the client.
        """
        self = cls._wrap(_abi.ctx_new_client())
        if cafile or capath or cadata:
            self.set_cert_store(Store())
            self.trust(cafile, capath, cadata)
        if certificate:
            self.use(certificate, key, passphrase)
        self.set_alpn_protos(alpn)
        return self

    @classmethod
    def server(
        cls,
        certificate: Path,
        key: "Path | None" = None,
        *,
        passphrase: "bytes | None" = None,
        client_ca: "Path | None" = None,
        alpn: typing.Iterable[str] = (),
    ) -> "Context":
        """Makes the context of a server: TLS 1.2 or later, with a PEM file of its certificate and
        chain, and one of its key, or both in one file.

        With client_ca, a PEM file, clients must have a certificate that it vouches for.
        """
        self = cls._wrap(_abi.ctx_new_server())
        self.use(certificate, key, passphrase)
        if client_ca:
            self.trust(client_ca)
            self.set_verify(lib.FSSL_VERIFY_PEER | lib.FSSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        self.set_alpn_preference(alpn)
        return self

    def use(self, certificate: Path, key: "Path | None" = None, passphrase=None) -> None:
        """Uses a PEM file of a certificate and its chain, and the private key of another."""
        self.set_passphrase(passphrase)
        self.use_certificate_chain_file(certificate)
        self.use_private_key_file(key or certificate)
        self.set_passphrase(None)

    def trust(self, cafile=None, capath=None, cadata=None) -> None:
        """Trusts the certificates of a PEM file, of a hashed directory and of PEM in memory."""
        if cafile or capath:
            _abi.ctx_load_verify_locations(self, cafile, capath)
        if cadata:
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

    def wrap(self, sock, host: "str | None" = None) -> Connection:
        """Makes a connection over a connected socket; host is whom a client expects."""
        return Connection(self, sock, host=host)

    # ---- credentials ----

    def use_certificate(self, certificate: Certificate) -> None:
        _abi.ctx_use_certificate(self, certificate)

    def use_certificate_file(self, path: Path, filetype: int = lib.FSSL_FILETYPE_PEM) -> None:
        _abi.ctx_use_certificate_file(self, path, filetype)

    def use_certificate_chain_file(self, path: Path) -> None:
        _abi.ctx_use_certificate_chain_file(self, path)

    def use_certificate_chain(self, pem) -> None:
        _abi.ctx_use_certificate_chain(self, pem)

    def add_extra_chain_cert(self, certificate: Certificate) -> None:
        _abi.ctx_add_extra_chain_cert(self, certificate)

    def use_private_key(self, key: Key) -> None:
        _abi.ctx_use_private_key(self, key)

    def use_private_key_file(self, path: Path, filetype: int = lib.FSSL_FILETYPE_PEM) -> None:
        _abi.ctx_use_private_key_file(self, path, filetype)

    def set_passphrase(self, passphrase) -> None:
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

    def set_cipher_list(self, ciphers: str) -> None:
        _abi.ctx_set_cipher_list(self, ciphers)

    def set_ciphersuites(self, suites: str) -> None:
        _abi.ctx_set_ciphersuites(self, suites)

    def set_groups(self, groups: str) -> None:
        _abi.ctx_set_groups(self, groups)

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

    def set_alpn_protos(self, protos: typing.Iterable[str]) -> None:
        """Sets the protocols that a client offers."""
        _abi.ctx_set_alpn_protos(self, protocol_list(protos))

    def set_alpn_preference(self, protos: typing.Iterable[str]) -> None:
        """Sets the protocols that a server accepts, the best first."""
        _abi.ctx_set_alpn_preference(self, protocol_list(protos))

    def set_read_ahead(self, size: int) -> None:
        _abi.ctx_set_read_ahead(self, size)

    # ---- sessions ----

    def set_session_id_context(self, context_id) -> None:
        _abi.ctx_set_session_id_context(self, context_id)

    def set_session_cache_mode(self, mode: int) -> int:
        return _abi.ctx_set_session_cache_mode(self, mode)

    def session_cache_mode(self) -> int:
        return _abi.ctx_session_cache_mode(self)

    def set_timeout(self, seconds: int) -> int:
        return _abi.ctx_set_timeout(self, seconds)

    def timeout(self) -> int:
        return _abi.ctx_timeout(self)
