"""PKey, elliptic curves, and signatures, as OpenSSL.crypto has them."""

import typing
import warnings

from .. import _abi, certificate, errors
from .._load import lib
from ..types import Buffer
from .constants import FILETYPE_ASN1, FILETYPE_PEM, FILETYPE_TEXT, TYPE_DSA, TYPE_RSA

PASSPHRASE_MAX = 1024

Passphrase = typing.Union[bytes, typing.Callable[..., bytes]]

SIGNING_TYPES = (
    TYPE_RSA,
    TYPE_DSA,
    lib.FSSL_KEY_EC,
    lib.FSSL_KEY_ED25519,
    lib.FSSL_KEY_ED448,
)


def warned(value, what):
    """Takes bytes, and text as old programs give it, with a warning."""
    if isinstance(value, str):
        warnings.warn(f"str for {what} is no longer accepted, use bytes", DeprecationWarning, 3)
        return value.encode("utf-8")
    return value


def data_of(buffer):
    """Takes PEM or DER, as bytes or ASCII text."""
    if isinstance(buffer, str):
        return buffer.encode("ascii")
    return bytes(memoryview(buffer))


def text_of(value, what):
    """Takes the name of a digest or type, as text or bytes."""
    if isinstance(value, bytes):
        value = value.decode("ascii")
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, not {type(value).__name__}")
    return value


def digest_of(digest):
    """Takes the name of a digest as old and new programs give it."""
    name = text_of(digest, "digest")
    if not name.isascii() or not name:
        raise ValueError("No such digest method")
    return name


class PKey(certificate.Key):
    """A private or public key; one that is made by PKey() has to be generated."""

    def generate_key(self, type: int, bits: int) -> None:
        """Makes a new key pair of TYPE_RSA or TYPE_DSA."""
        if not isinstance(type, int):
            raise TypeError("type must be an integer")
        if not isinstance(bits, int):
            raise TypeError("bits must be an integer")
        if type not in (TYPE_RSA, TYPE_DSA):
            raise errors.Error("No such key type")
        if bits <= 0:
            raise ValueError("Invalid number of bits")
        made = _abi.key_generate(type, bits, None)
        self.close()
        self._handle = made

    def type(self) -> int:
        return super().type() if self._handle else 0

    def bits(self) -> int:
        return super().bits() if self._handle else 0

    def check(self) -> bool:
        """Returns True if the private key is sound, raises Error if not."""
        if not self._handle or not self.is_private():
            raise TypeError("public key only")
        if self.type() != TYPE_RSA:
            raise TypeError("Only RSA keys can currently be checked.")
        _abi.key_check(self)
        return True

    def to_cryptography_key(self) -> typing.Any:
        """Returns the key as one of the cryptography package."""
        from cryptography.hazmat.primitives import serialization

        if self.is_private():
            return serialization.load_der_private_key(self.to_der(), None)
        return serialization.load_der_public_key(self.public_to_der())

    @classmethod
    def from_cryptography_key(cls, crypto_key: typing.Any) -> "PKey":
        """Takes a key of the cryptography package."""
        from cryptography.hazmat.primitives import serialization as forms

        if hasattr(crypto_key, "private_bytes"):
            der = crypto_key.private_bytes(
                forms.Encoding.DER, forms.PrivateFormat.PKCS8, forms.NoEncryption()
            )
            pkey = cls.from_der(der)
        elif hasattr(crypto_key, "public_bytes"):
            der = crypto_key.public_bytes(
                forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo
            )
            pkey = cls.public_from_der(der)
        else:
            raise TypeError("Unsupported key type")
        if pkey.type() not in SIGNING_TYPES:
            raise TypeError("Unsupported key type")
        return pkey


class _EllipticCurve:
    """An elliptic curve by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<Curve {self.name!r}>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _EllipticCurve):
            return self.name == other.name
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)


def get_elliptic_curves() -> "set[_EllipticCurve]":
    """Returns the set of the curves that OpenSSL has."""
    return {_EllipticCurve(_abi.curve_item(i)) for i in range(_abi.curve_count())}


def get_elliptic_curve(name: str) -> _EllipticCurve:
    """Returns the curve of a name; ValueError for an unknown one."""
    for curve in get_elliptic_curves():
        if curve.name == name:
            return curve
    raise ValueError("unknown curve name", name)


def passphrase_of(passphrase, twice):
    """Takes a passphrase as bytes, or asks a callable for it."""
    if callable(passphrase):
        passphrase = passphrase(twice)
    if passphrase is None or isinstance(passphrase, bytes):
        if passphrase and len(passphrase) > PASSPHRASE_MAX:
            raise ValueError("passphrase returned by callback is too long")
        return passphrase
    raise ValueError("Bytes expected")


def _checked(passphrase, type):
    if passphrase is not None and type != FILETYPE_PEM:
        raise ValueError("only FILETYPE_PEM key format supports encryption")
    if passphrase is not None and not callable(passphrase) and not isinstance(passphrase, bytes):
        raise TypeError("Last argument must be a byte string or a callable.")
    return passphrase


def load_privatekey(
    type: int, buffer: "Buffer | str", passphrase: "Passphrase | None" = None
) -> PKey:
    """Reads a private key of FILETYPE_PEM or _ASN1; the passphrase may be a callable."""
    _checked(passphrase, type)
    data = data_of(buffer)
    if type == FILETYPE_ASN1:
        return PKey.from_der(data)
    if type != FILETYPE_PEM:
        raise ValueError("type argument must be FILETYPE_PEM or FILETYPE_ASN1")
    if not callable(passphrase):
        return PKey.from_pem(data, passphrase)
    try:
        return PKey.from_pem(data)
    except errors.PassphraseError:
        return PKey.from_pem(data, passphrase_of(passphrase, False) or b"")


def dump_privatekey(
    type: int,
    pkey: certificate.Key,
    cipher: "str | None" = None,
    passphrase: "Passphrase | None" = None,
) -> bytes:
    """Writes a private key, as PEM encrypted by a cipher if one is named."""
    if not isinstance(pkey, certificate.Key):
        raise TypeError("pkey must be a PKey")
    if cipher is not None and passphrase is None:
        raise TypeError("if a value is given for cipher one must also be given for passphrase")
    _checked(passphrase, type)
    if type == FILETYPE_PEM:
        return _dump_pem(pkey, cipher, passphrase)
    if type == FILETYPE_ASN1:
        return pkey.to_der()
    if type == FILETYPE_TEXT:
        if pkey.type() != TYPE_RSA:
            raise TypeError("Only RSA keys are supported for FILETYPE_TEXT")
        return _abi.key_to_text(pkey).encode()
    raise ValueError("type argument must be FILETYPE_PEM, FILETYPE_ASN1, or FILETYPE_TEXT")


def _dump_pem(
    pkey: certificate.Key, cipher: "str | None", passphrase: "Passphrase | None"
) -> bytes:
    if cipher is None:
        return pkey.to_pem()
    if not cipher:
        raise ValueError("Invalid cipher name")
    try:
        return pkey.to_pem(text_of(cipher, "cipher"), passphrase_of(passphrase, True) or b"")
    except errors.ArgumentError as error:
        if error.lines[0].data == "cipher":
            raise ValueError("Invalid cipher name") from None
        raise errors.Error([line[:3] for line in error.lines]) from None


def load_publickey(type: int, buffer: "Buffer | str") -> PKey:
    """Reads a public key of FILETYPE_PEM or _ASN1."""
    if type == FILETYPE_PEM:
        return PKey.public_from_pem(data_of(buffer))
    if type == FILETYPE_ASN1:
        return PKey.public_from_der(data_of(buffer))
    raise ValueError("type argument must be FILETYPE_PEM or FILETYPE_ASN1")


def dump_publickey(type: int, pkey: certificate.Key) -> bytes:
    """Writes the public part of a key."""
    if not isinstance(pkey, certificate.Key):
        raise TypeError("pkey must be a PKey")
    if type == FILETYPE_PEM:
        return pkey.public_to_pem()
    if type == FILETYPE_ASN1:
        return pkey.public_to_der()
    raise ValueError("type argument must be FILETYPE_PEM or FILETYPE_ASN1")


def sign(pkey: certificate.Key, data: "Buffer | str", digest: "str | bytes") -> bytes:
    """Returns a signature of data by a private key and a digest's name."""
    if not isinstance(pkey, certificate.Key):
        raise TypeError("pkey must be a PKey instance")
    return pkey.sign(warned(data, "data"), digest_of(digest))


def verify(
    cert: certificate.Certificate, signature: Buffer, data: "Buffer | str", digest: "str | bytes"
) -> None:
    """Raises Error unless the signature is by the key of this certificate."""
    if not isinstance(cert, certificate.Certificate):
        raise TypeError("cert must be an X509 instance")
    cert.public_key().verify(_abi.required(signature), warned(data, "data"), digest_of(digest))
