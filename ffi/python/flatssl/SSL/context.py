"""Context: what connections have in common, as OpenSSL.SSL has it."""

import os
import typing
import warnings

from .. import _abi, errors
from .._abi import Handle, call
from .._load import NULL, lib
from ..certificate import Certificate, Key, Name
from ..question import protocol_list
from ..types import AnyCert, AnyKey, Path
from . import callbacks
from .callbacks import (
    AdvertiseCallback,
    AlpnCallback,
    CookieCallback,
    CookieCheck,
    InfoCallback,
    KeylogCallback,
    NameCallback,
    PassphraseCallback,
    SelectCallback,
    StapleCallback,
    StapledCallback,
    VerifyCallback,
)
from .constants import FILETYPE_PEM, NO_OVERLAPPING_PROTOCOLS

if typing.TYPE_CHECKING:
    from ..crypto import X509Store

PASSPHRASE_MAX = 1024
METHODS = range(lib.FSSL_SSLV2_METHOD, lib.FSSL_DTLS_CLIENT_METHOD + 1)


class Curve(typing.Protocol):
    """A curve of flatssl.crypto or of the cryptography package."""

    @property
    def name(self) -> str: ...


def integer(value, what):
    if not isinstance(value, int):
        raise TypeError(f"{what} must be an integer")
    return value


def function(value, what="callback"):
    if not callable(value):
        raise TypeError(f"{what} must be callable")
    return value


def path_of(path, what="path"):
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"{what} must be a byte string, text or path, not {type(path).__name__}")
    return os.fsencode(path)


def bytes_of(value, what):
    """Takes bytes, and text as old programs give it, with a warning."""
    if isinstance(value, str):
        warnings.warn(f"str for {what} is no longer accepted, use bytes", DeprecationWarning, 3)
        return value.encode("utf-8")
    if not isinstance(value, bytes):
        raise TypeError(f"{what} must be a byte string")
    return value


def certificate_of(cert, what="cert"):
    """Takes an X509, or a certificate of the cryptography package."""
    if isinstance(cert, Certificate):
        return cert
    if hasattr(cert, "public_bytes") and hasattr(cert, "tbs_certificate_bytes"):
        from ..crypto import X509

        return X509.from_cryptography(cert)
    raise TypeError(f"{what} must be an X509 instance")


def key_of(pkey):
    """Takes a PKey, or a private key of the cryptography package."""
    if isinstance(pkey, Key):
        return pkey
    if hasattr(pkey, "private_bytes"):
        from ..crypto import PKey

        return PKey.from_cryptography_key(pkey)
    raise TypeError("pkey must be a PKey instance")


def protocols_in(protos):
    """Takes a list of protocols. Returns the form that goes over the wire."""
    protos = list(protos)
    for proto in protos:
        if not isinstance(proto, bytes):
            raise TypeError("a protocol must be a byte string")
    if not protos:
        raise ValueError("at least one protocol must be specified")
    return protocol_list(protos)


class Context(Handle):
    """The parameters of connections: Context(method) with one of the METHOD constants."""

    _token = 0
    _on_verify: "VerifyCallback | None" = None
    _on_info: "InfoCallback | None" = None
    _on_keylog: "KeylogCallback | None" = None
    _on_server_name: "NameCallback | None" = None
    _on_alpn_select: typing.Any = None
    _on_npn_advertise: "AdvertiseCallback | None" = None
    _on_npn_select: "SelectCallback | None" = None
    _on_ocsp_server: typing.Any = None
    _on_cookie_generate: "CookieCallback | None" = None
    _on_cookie_verify: "CookieCheck | None" = None
    _on_ocsp_client: "tuple[StapledCallback, typing.Any] | None" = None
    _passphrase: "tuple[PassphraseCallback, typing.Any] | None" = None
    _app_data: typing.Any = None

    def __init__(self, method: int) -> None:
        if integer(method, "method") not in METHODS:
            raise ValueError("No such protocol")
        self._handle = _abi.ctx_new(method)

    @property
    def _context(self) -> "Context":
        """What programs that reach behind pyOpenSSL hand to its C functions: Twisted does."""
        return self

    # ---- protocol ----

    def set_min_proto_version(self, version: int) -> None:
        """Sets the lowest version, a TLS..._VERSION; 0 for the lowest that there is."""
        _abi.ctx_set_min_proto_version(self, version)

    def set_max_proto_version(self, version: int) -> None:
        """Sets the highest version; 0 for the highest that there is."""
        _abi.ctx_set_max_proto_version(self, version)

    def set_options(self, options: int) -> int:
        """Adds options. Returns all that are set."""
        return _abi.ctx_set_options(self, integer(options, "options"))

    def set_mode(self, mode: int) -> int:
        """Adds modes. Returns all that are set."""
        return _abi.ctx_set_mode(self, integer(mode, "mode"))

    def clear_mode(self, mode: int) -> int:
        """Takes modes away. Returns all that are set."""
        return _abi.ctx_clear_mode(self, integer(mode, "mode"))

    def set_cipher_list(self, cipher_list: "bytes | str") -> None:
        """Sets the ciphers of TLS 1.2 and earlier, in OpenSSL's list language."""
        if isinstance(cipher_list, str):
            cipher_list = cipher_list.encode("ascii")
        if not isinstance(cipher_list, bytes):
            raise TypeError("cipher_list must be a byte string.")
        _abi.ctx_set_cipher_list(self, cipher_list)

    def set_tls13_ciphersuites(self, ciphersuites: bytes) -> None:
        """Sets the suites of TLS 1.3, parted by colons."""
        if not isinstance(ciphersuites, bytes):
            raise TypeError("ciphersuites must be a byte string")
        _abi.ctx_set_ciphersuites(self, ciphersuites)

    def load_tmp_dh(self, dhfile: Path) -> None:
        """Loads parameters for ephemeral Diffie-Hellman from a PEM file."""
        _abi.ctx_load_tmp_dh(self, path_of(dhfile, "dhfile"))

    def set_tmp_ecdh(self, curve: "Curve") -> None:
        """Selects the curve for ECDHE, one of crypto.get_elliptic_curves(). One that TLS has no
        use for changes nothing."""
        if not hasattr(curve, "name"):
            raise TypeError("curve must be an elliptic curve")
        try:
            _abi.ctx_set_groups(self, curve.name)
        except errors.ArgumentError:
            pass

    def set_alpn_protos(self, protos: typing.Sequence[bytes]) -> None:
        """Sets the protocols that a client offers by ALPN."""
        _abi.ctx_set_alpn_protos(self, protocols_in(protos))

    def set_tlsext_use_srtp(self, profiles: bytes) -> None:
        """Sets the profiles of SRTP for DTLS, parted by colons."""
        if not isinstance(profiles, bytes):
            raise TypeError("profiles must be a byte string.")
        _abi.ctx_set_srtp_profiles(self, profiles)

    # ---- certificate and key ----

    def use_certificate(self, cert: AnyCert) -> None:
        _abi.ctx_use_certificate(self, certificate_of(cert))

    def use_certificate_file(self, certfile: Path, filetype: int = FILETYPE_PEM) -> None:
        path = path_of(certfile, "certfile")
        _abi.ctx_use_certificate_file(self, path, integer(filetype, "filetype"))

    def use_certificate_chain_file(self, certfile: Path) -> None:
        _abi.ctx_use_certificate_chain_file(self, path_of(certfile, "certfile"))

    def add_extra_chain_cert(self, certobj: AnyCert) -> None:
        _abi.ctx_add_extra_chain_cert(self, certificate_of(certobj, "certobj"))

    def use_privatekey(self, pkey: AnyKey) -> None:
        _abi.ctx_use_private_key(self, key_of(pkey))

    def use_privatekey_file(self, keyfile: Path, filetype: int = FILETYPE_PEM) -> None:
        """Uses the key of a file, whose passphrase the callback of set_passwd_cb gives."""
        path = path_of(keyfile, "keyfile")
        integer(filetype, "filetype")
        try:
            _abi.ctx_use_private_key_file(self, path, filetype)
        except errors.PassphraseError:
            if not self._passphrase:
                raise
            self._use_encrypted(path, filetype, *self._passphrase)

    def _use_encrypted(
        self, path: bytes, filetype: int, callback: PassphraseCallback, userdata: typing.Any
    ) -> None:
        passphrase = callback(PASSPHRASE_MAX, 0, userdata)
        if passphrase and not isinstance(passphrase, bytes):
            raise ValueError("Bytes expected")
        _abi.ctx_set_passphrase(self, (passphrase or b"")[:PASSPHRASE_MAX])
        try:
            _abi.ctx_use_private_key_file(self, path, filetype)
        finally:
            _abi.ctx_set_passphrase(self, None)

    def set_passwd_cb(
        self, callback: PassphraseCallback, userdata: "typing.Any | None" = None
    ) -> None:
        """Sets what gives the passphrase of a key: callback(maximum length, False, userdata)."""
        self._passphrase = function(callback), userdata

    def check_privatekey(self) -> None:
        """Raises Error unless the private key belongs to the certificate."""
        _abi.ctx_check_private_key(self)

    # ---- trust ----

    def load_verify_locations(self, cafile: "Path | None", capath: "Path | None" = None) -> None:
        """Trusts the certificates of a file, of a directory, or of both."""
        file = None if cafile is None else path_of(cafile, "cafile")
        directory = None if capath is None else path_of(capath, "capath")
        _abi.ctx_load_verify_locations(self, file, directory)

    def set_default_verify_paths(self) -> None:
        """Trusts what the platform trusts."""
        _abi.ctx_set_default_verify_paths(self)

    def get_cert_store(self) -> "X509Store":
        """Returns the X509Store of what is trusted, to which can be added."""
        from ..crypto import X509Store

        return X509Store._wrap(_abi.ctx_cert_store(self))

    def set_verify(self, mode: int, callback: "VerifyCallback | None" = None) -> None:
        """Sets the VERIFY_ mode, and a callback(connection, x509, error, depth, ok) that returns
        whether a certificate is taken."""
        integer(mode, "mode")
        if callback is not None:
            function(callback)
        self._on_verify = callback
        _abi.ctx_set_verify(self, mode)
        self._push(lib.fssl_ctx_set_verify_callback, callbacks.verify, callback)

    def get_verify_mode(self) -> int:
        return _abi.ctx_verify_mode(self)

    def set_verify_depth(self, depth: int) -> None:
        _abi.ctx_set_verify_depth(self, integer(depth, "depth"))

    def get_verify_depth(self) -> int:
        return _abi.ctx_verify_depth(self)

    def load_client_ca(self, cafile: Path) -> None:
        """Sends a PEM file's subjects as the issuers whose certificates a server takes."""
        if isinstance(cafile, str):
            warnings.warn("str for cafile is deprecated, use bytes", DeprecationWarning, 2)
        _abi.ctx_load_client_ca(self, path_of(cafile, "cafile"))

    def set_client_ca_list(self, certificate_authorities: typing.Iterable[Name]) -> None:
        """Sends these names, a sequence of X509Name, as those issuers."""
        names = list(certificate_authorities)
        for name in names:
            if not isinstance(name, Name):
                raise TypeError(f"client CAs must be X509Name objects, not {type(name).__name__}")
        _abi.ctx_set_client_ca_list(self, b"".join(name.to_der() for name in names))

    def add_client_ca(self, certificate_authority: AnyCert) -> None:
        """Adds the subject of a certificate to those issuers."""
        cert = certificate_of(certificate_authority, "certificate_authority")
        _abi.ctx_add_client_ca(self, cert)

    # ---- sessions ----

    def set_session_id(self, buf: bytes) -> None:
        """Sets the context within which sessions are resumed, at most 32 bytes."""
        buf = bytes_of(buf, "buf")
        try:
            _abi.ctx_set_session_id_context(self, buf)
        except errors.ArgumentError as error:
            raise errors.Error([line[:3] for line in error.lines]) from None

    def set_session_cache_mode(self, mode: int) -> int:
        """Sets SESS_CACHE_ bits. Returns the former ones."""
        return _abi.ctx_set_session_cache_mode(self, integer(mode, "mode"))

    def get_session_cache_mode(self) -> int:
        return _abi.ctx_session_cache_mode(self)

    def set_timeout(self, timeout: int) -> int:
        """Sets for how long a session can be resumed, in seconds. Returns the former value."""
        return _abi.ctx_set_timeout(self, integer(timeout, "timeout"))

    def get_timeout(self) -> int:
        return _abi.ctx_timeout(self)

    # ---- callbacks ----

    def _push(
        self, install: typing.Any, trampoline: typing.Any, callback: "typing.Callable | None"
    ) -> None:
        token = callbacks.token_of(self) if callback else 0
        call(install, self._handle, trampoline if callback else NULL, token)

    def set_info_callback(self, callback: InfoCallback) -> None:
        """Sets a callback(connection, where, result) for the steps of handshakes."""
        self._on_info = function(callback)
        self._push(lib.fssl_ctx_set_info_callback, callbacks.info, callback)

    def set_keylog_callback(self, callback: KeylogCallback) -> None:
        """Sets a callback(connection, line) for the lines of a key log in NSS's form."""
        self._on_keylog = function(callback)
        self._push(lib.fssl_ctx_set_keylog_callback, callbacks.keylog, callback)

    def set_tlsext_servername_callback(self, callback: NameCallback) -> None:
        """Sets a callback(connection) of a server for the client's server name, which may switch
        the connection's context."""
        self._on_server_name = function(callback)

    def set_alpn_select_callback(self, callback: AlpnCallback) -> None:
        """Sets a callback(connection, protocols) of a server that returns the one it selects, or
        NO_OVERLAPPING_PROTOCOLS."""
        self._on_alpn_select = function(callback)

    def set_npn_advertise_callback(self, callback: AdvertiseCallback) -> None:
        """Sets a callback(connection) of a server that returns the protocols for NPN."""
        self._on_npn_advertise = function(callback)
        self._push(lib.fssl_ctx_set_npn_advertise_callback, callbacks.npn_advertise, callback)

    def set_npn_select_callback(self, callback: SelectCallback) -> None:
        """Sets a callback(connection, protocols) of a client that returns the one it selects."""
        self._on_npn_select = function(callback)
        self._push(lib.fssl_ctx_set_npn_select_callback, callbacks.npn_select, callback)

    def set_ocsp_server_callback(
        self, callback: StapleCallback, data: "typing.Any | None" = None
    ) -> None:
        """Sets a callback(connection, data) of a server that returns the response to staple."""
        self._on_ocsp_server = function(callback), data

    def set_ocsp_client_callback(
        self, callback: StapledCallback, data: "typing.Any | None" = None
    ) -> None:
        """Sets a callback(connection, response, data) of a client that returns whether it takes
        the stapled response."""
        self._on_ocsp_client = function(callback), data
        self._push(lib.fssl_ctx_set_ocsp_client_callback, callbacks.ocsp_client, callback)

    def set_cookie_generate_callback(self, callback: CookieCallback) -> None:
        """Sets a callback(connection) of a DTLS server that returns a client's cookie, 1 to 255
        bytes."""
        self._on_cookie_generate = function(callback)
        self._push(lib.fssl_ctx_set_cookie_generate_callback, callbacks.cookie_generate, callback)

    def set_cookie_verify_callback(self, callback: CookieCheck) -> None:
        """Sets a callback(connection, cookie) of a DTLS server that returns whether it is the
        client's."""
        self._on_cookie_verify = function(callback)
        self._push(lib.fssl_ctx_set_cookie_verify_callback, callbacks.cookie_verify, callback)

    # ---- what the server decides at the client hello ----

    def _decides_hello(self) -> typing.Any:
        return self._on_server_name or self._on_alpn_select or self._on_ocsp_server

    def _select_alpn(self, connection: typing.Any, offered: "list[bytes]") -> "bytes | None":
        """Returns what the ALPN callback selects, None for nothing."""
        chosen = self._on_alpn_select(connection, offered)
        if chosen is NO_OVERLAPPING_PROTOCOLS:
            return None
        if not isinstance(chosen, bytes):
            raise TypeError("ALPN callback must return a byte string or the special value "
                            "NO_OVERLAPPING_PROTOCOLS")
        return chosen

    def _staple(self, connection: typing.Any) -> bytes:
        callback, data = self._on_ocsp_server
        response = callback(connection, data)
        if not isinstance(response, bytes):
            raise TypeError("OCSP callback must return a byte string")
        return response

    # ---- app data ----

    def set_app_data(self, data: typing.Any) -> None:
        self._app_data = data

    def get_app_data(self) -> typing.Any:
        return self._app_data
