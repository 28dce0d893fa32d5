"""Certificates, keys, names, sessions, and whom is trusted."""

import typing

from . import _abi
from ._abi import Handle, Made
from ._load import lib
from .types import Buffer

if typing.TYPE_CHECKING:
    from .context import Context


class Session(Handle):
    """A TLS session, which a later connection of the same context may resume."""

    @classmethod
    def from_bytes(cls: typing.Type[Made], context: "Context", data: Buffer) -> Made:
        return cls._wrap(_abi.session_from_bytes(context, data))

    def to_bytes(self) -> bytes:
        """Returns the session, its secrets included."""
        return _abi.session_to_bytes(self)

    def id(self) -> bytes:
        return _abi.session_id(self)

    def resumable(self) -> bool:
        return bool(_abi.session_resumable(self))

    def time(self) -> int:
        """Returns when it was made, in seconds since 1970."""
        return _abi.session_time(self)

    def timeout(self) -> int:
        """Returns for how long it may be resumed, in seconds."""
        return _abi.session_timeout(self)


class Name(Handle):
    """The name of a certificate's subject or issuer."""

    @classmethod
    def from_der(cls: typing.Type[Made], der: Buffer) -> Made:
        return cls._wrap(_abi.name_from_der(der))

    def items(self) -> typing.List[typing.Tuple[str, bytes]]:
        """Returns its (type, value) pairs, such as ("CN", b"localhost")."""
        return [
            (_abi.name_item_type(self, i), _abi.name_item_value(self, i))
            for i in range(_abi.name_count(self))
        ]

    def to_der(self) -> bytes:
        return _abi.name_to_der(self)

    def __str__(self) -> str:
        return _abi.name_text(self)

    def __repr__(self) -> str:
        return f"<Name {self}>"


class Key(Handle):
    """A private or public key."""

    @classmethod
    def from_pem(cls: typing.Type[Made], pem: Buffer, passphrase: "Buffer | None" = None) -> Made:
        return cls._wrap(_abi.key_from_pem(pem, passphrase))

    @classmethod
    def from_der(cls: typing.Type[Made], der: Buffer) -> Made:
        return cls._wrap(_abi.key_from_der(der))

    @classmethod
    def public_from_pem(cls: typing.Type[Made], pem: Buffer) -> Made:
        return cls._wrap(_abi.key_public_from_pem(pem))

    @classmethod
    def public_from_der(cls: typing.Type[Made], der: Buffer) -> Made:
        return cls._wrap(_abi.key_public_from_der(der))

    @classmethod
    def generate(
        cls: typing.Type[Made], type: int, bits: int = 0, curve: "str | None" = None
    ) -> Made:
        """Makes a key pair: type is an FSSL_KEY_, bits for RSA, curve (such as "P-256") for EC."""
        return cls._wrap(_abi.key_generate(type, bits, curve))

    def to_pem(self, cipher: "str | None" = None, passphrase: "Buffer | None" = None) -> bytes:
        """Writes the private key as PKCS#8, encrypted by a cipher such as "aes-256-cbc"."""
        if not cipher and (cipher is not None or passphrase is not None):
            raise ValueError("a passphrase needs the name of a cipher")
        return _abi.key_to_pem(self, cipher, passphrase)

    def to_der(self) -> bytes:
        return _abi.key_to_der(self)

    def public_to_pem(self) -> bytes:
        return _abi.key_public_to_pem(self)

    def public_to_der(self) -> bytes:
        return _abi.key_public_to_der(self)

    def type(self) -> int:
        return _abi.key_type(self)

    def bits(self) -> int:
        return _abi.key_bits(self)

    def curve(self) -> str:
        """Returns the name of an EC key's curve, empty for a key of another type."""
        return _abi.key_curve(self)

    def is_private(self) -> bool:
        return bool(_abi.key_is_private(self))

    def sign(self, data: Buffer, digest: "str | None" = "sha256") -> bytes:
        """Returns a signature; digest None stands for the key's own, as Ed25519 wants."""
        return _abi.key_sign(self, _abi.required(data), digest)

    def verify(self, signature: Buffer, data: Buffer, digest: "str | None" = "sha256") -> None:
        """Raises VerifyError unless the signature is this key's."""
        _abi.key_verify(self, signature, _abi.required(data), digest)


class Certificate(Handle):
    """An X.509 certificate."""

    @classmethod
    def from_pem(cls: typing.Type[Made], pem: Buffer) -> Made:
        return cls._wrap(_abi.cert_from_pem(pem))

    @classmethod
    def from_der(cls: typing.Type[Made], der: Buffer) -> Made:
        return cls._wrap(_abi.cert_from_der(der))

    def copy(self: Made) -> Made:
        """Makes a copy that can be changed."""
        return type(self)._wrap(_abi.cert_copy(self))

    def to_pem(self) -> bytes:
        return _abi.cert_to_pem(self)

    def to_der(self) -> bytes:
        return _abi.cert_to_der(self)

    def subject(self) -> Name:
        return Name._wrap(_abi.cert_subject(self))

    def issuer(self) -> Name:
        return Name._wrap(_abi.cert_issuer(self))

    def serial(self) -> int:
        return int(_abi.cert_serial(self), 16)

    def not_before(self) -> int:
        """Returns from when it is valid, in seconds since 1970."""
        return _abi.cert_not_before(self)

    def not_after(self) -> int:
        """Returns until when it is valid, in seconds since 1970."""
        return _abi.cert_not_after(self)

    def digest(self, algorithm: str = "sha256") -> bytes:
        return _abi.cert_digest(self, algorithm)

    def public_key(self) -> Key:
        return Key._wrap(_abi.cert_public_key(self))

    def alt_names(self) -> typing.List[typing.Tuple[int, bytes]]:
        """Returns its alternative names as (kind, value): kind 2 for a DNS name, 7 for an IP."""
        found = (_abi.cert_alt_name_item(self, i) for i in range(_abi.cert_alt_name_count(self)))
        return [(kind, value) for value, kind in found]

    def matches_host(self, host: str) -> bool:
        return bool(_abi.cert_matches_host(self, host))

    def verify(self, key: Key) -> None:
        """Raises VerifyError unless it was signed with this key. Says nothing of trust: see
        Chain."""
        _abi.cert_verify(self, key)

    def check_private_key(self, key: Key) -> None:
        """Raises CertificateError unless the private key belongs to it."""
        _abi.cert_check_private_key(self, key)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Certificate):
            return NotImplemented
        return self.to_der() == other.to_der()

    def __hash__(self) -> int:
        return hash(self.to_der())


def _item(handle):
    is_cert = _abi.handle_type(handle) == lib.FSSL_TYPE_CERT
    return (Certificate if is_cert else Handle)._wrap(handle)


class Store(Handle):
    """Trusted certificates, and CRLs."""

    def __init__(self) -> None:
        self._handle = _abi.store_new()

    def add_cert(self, certificate: Certificate) -> None:
        _abi.store_add_cert(self, certificate)

    def add_pem(self, pem: Buffer) -> int:
        """Adds certificates and CRLs. Returns how many."""
        return _abi.store_add_pem(self, pem)

    def items(self) -> typing.List[Handle]:
        """Returns what it holds: a Certificate for each, and for a CRL its Handle."""
        return [_item(_abi.store_item(self, i)) for i in range(len(self))]

    def __len__(self) -> int:
        return _abi.store_count(self)


class Chain(Handle):
    """The verification of a certificate against a store, by the store's rules and its own."""

    def __init__(self, store: Store, certificate: Certificate) -> None:
        self._handle = _abi.chain_new(store, certificate)

    def set_store(self, store: Store) -> None:
        _abi.chain_set_store(self, store)

    def add_untrusted(self, certificate: Certificate) -> None:
        """Adds what may stand between the certificate and a trusted one."""
        _abi.chain_add_untrusted(self, certificate)

    def set_flags(self, flags: int) -> None:
        """Adds STORE_ bits to those of the store."""
        _abi.chain_set_flags(self, flags)

    def set_time(self, seconds: int) -> None:
        """Sets as of when, in seconds since 1970."""
        _abi.chain_set_time(self, seconds)

    def set_purpose(self, purpose: int) -> None:
        """Sets for what the certificate must be good, a PURPOSE_."""
        _abi.chain_set_purpose(self, purpose)

    def set_depth(self, depth: int) -> None:
        """Sets how many certificates may stand between it and a trusted one."""
        _abi.chain_set_depth(self, depth)

    def set_security_level(self, level: int) -> None:
        _abi.chain_set_security_level(self, level)

    def set_host(self, host: str) -> None:
        """Sets the DNS name or IP address that the certificate must be for."""
        _abi.chain_set_host(self, host)

    def verify(self) -> None:
        """Raises VerifyError, or HostError, unless the certificate is trusted."""
        _abi.chain_verify(self)

    def verify_code(self) -> int:
        """Returns the X509_V_ code of the last verification, 0 for verified."""
        return _abi.chain_verify_code(self)

    def refused_depth(self) -> int:
        return _abi.chain_refused_depth(self)

    def refused_certificate(self) -> "Certificate | None":
        return Certificate._wrap(_abi.chain_refused_certificate(self))

    def certificates(self) -> typing.List[Certificate]:
        """Returns the verified chain, down to the trusted certificate; empty if not verified."""
        count = _abi.chain_count(self)
        return [Certificate._wrap(_abi.chain_item(self, i)) for i in range(count)]
