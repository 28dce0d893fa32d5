"""CRL and Revoked, as OpenSSL.crypto has them."""

import re
import time
import typing

from .. import _abi, certificate, errors
from ..types import Buffer
from .cert import signing
from .constants import FILETYPE_ASN1, FILETYPE_PEM, FILETYPE_TEXT
from .key import data_of
from .name import X509Name

if typing.TYPE_CHECKING:
    from cryptography import x509

REASONS = (0, 1, 2, 3, 4, 5, 6)  # those that pyOpenSSL names
DAY = 24 * 60 * 60
WORDS = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"  # where one ends and the next begins


def when_of(function, owner, when):
    """Sets a time from b"YYYYMMDDhhmmssZ"."""
    if not isinstance(when, bytes):
        raise TypeError("when must be a byte string")
    try:
        function(owner, when)
    except errors.ArgumentError:
        raise ValueError("Invalid string") from None


class Revoked(_abi.Handle):
    """An entry of a CRL."""

    def __init__(self) -> None:
        self._handle = _abi.revoked_new()

    def set_serial(self, hex_str: bytes) -> None:
        """Sets the serial number, in hexadecimal digits as bytes."""
        if not isinstance(hex_str, (bytes, str)):
            raise TypeError("hex_str must be a byte string")
        try:
            _abi.revoked_set_serial(self, hex_str, 16)
        except errors.ArgumentError:
            raise ValueError("bad hex string") from None

    def get_serial(self) -> bytes:
        digits = _abi.revoked_serial(self)
        return digits.zfill(len(digits) + len(digits) % 2).encode()

    def set_reason(self, reason: "bytes | None") -> None:
        """Sets why, by name; None takes the reason away."""
        if reason is None:
            _abi.revoked_set_reason(self, -1)
            return
        if not isinstance(reason, bytes):
            raise TypeError("reason must be None or a byte string")
        wanted = reason.lower().replace(b" ", b"")
        for number, name in enumerate(self.all_reasons()):
            if name.lower().replace(b" ", b"") == wanted:
                _abi.revoked_set_reason(self, REASONS[number])
                return
        raise ValueError("bad reason string")

    def get_reason(self) -> "bytes | None":
        """Returns why, such as b"Key Compromise"; None if that is not said."""
        reason = _abi.revoked_reason(self)
        if reason < 0:
            return None
        name = _abi.revoked_reason_name(reason)
        return re.sub(WORDS, " ", name[0].upper() + name[1:]).encode()

    @staticmethod
    def all_reasons() -> "list[bytes]":
        """Returns the names that set_reason takes."""
        return [_abi.revoked_reason_name(reason).encode() for reason in REASONS]

    def set_rev_date(self, when: bytes) -> None:
        when_of(_abi.revoked_set_date_text, self, when)

    def get_rev_date(self) -> "bytes | None":
        return _abi.revoked_date_text(self).encode() or None


class CRL(_abi.Handle):
    """A list of revoked certificates."""

    def __init__(self) -> None:
        self._handle = _abi.crl_new()

    @classmethod
    def from_cryptography(cls, crypto_crl: "x509.CertificateRevocationList") -> "CRL":
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        if not isinstance(crypto_crl, x509.CertificateRevocationList):
            raise TypeError("Must be a certificate revocation list")
        return cls._wrap(_abi.crl_from_der(crypto_crl.public_bytes(Encoding.DER)))

    def to_cryptography(self) -> "x509.CertificateRevocationList":
        from cryptography.x509 import load_der_x509_crl

        return load_der_x509_crl(_abi.crl_to_der(self))

    def get_revoked(self) -> "tuple[Revoked, ...] | None":
        """Returns the entries as a tuple; None if there are none."""
        count = _abi.crl_revoked_count(self)
        return tuple(Revoked._wrap(_abi.crl_revoked_item(self, i)) for i in range(count)) or None

    def add_revoked(self, revoked: Revoked) -> None:
        _abi.crl_add_revoked(self, revoked)

    def get_issuer(self) -> X509Name:
        return X509Name._wrap(_abi.crl_issuer(self))

    def set_version(self, version: int) -> None:
        _abi.crl_set_version(self, version)

    def set_lastUpdate(self, when: bytes) -> None:
        when_of(_abi.crl_set_last_update_text, self, when)

    def set_nextUpdate(self, when: bytes) -> None:
        when_of(_abi.crl_set_next_update_text, self, when)

    def sign(
        self,
        issuer_cert: certificate.Certificate,
        issuer_key: certificate.Key,
        digest: "str | bytes",
    ) -> None:
        """Takes the issuer's name from its certificate and signs with its key."""
        if not isinstance(issuer_cert, certificate.Certificate):
            raise TypeError("issuer_cert must be an X509 instance")
        _abi.crl_set_issuer(self, issuer_cert.subject())
        signing(_abi.crl_sign, self, issuer_key, digest)

    def export(
        self,
        cert: certificate.Certificate,
        key: certificate.Key,
        type: int = FILETYPE_PEM,
        days: int = 100,
        digest: "str | bytes | None" = None,
    ) -> bytes:
        """Dates the CRL from now for some days, signs it and writes it."""
        if not isinstance(cert, certificate.Certificate):
            raise TypeError("cert must be an X509 instance")
        if not isinstance(key, certificate.Key):
            raise TypeError("key must be a PKey instance")
        if digest is None:
            raise TypeError("digest must be provided")
        if not key._handle:
            raise errors.Error([("flatssl", "export", "the key has no value")])
        now = int(time.time())
        _abi.crl_set_last_update(self, now)
        _abi.crl_set_next_update(self, now + days * DAY)
        self.sign(cert, key, digest)
        return dump_crl(type, self)


def crl_of(crl):
    """Takes a CRL, or one of the cryptography package."""
    return crl if isinstance(crl, CRL) else CRL.from_cryptography(crl)


def load_crl(type: int, buffer: "Buffer | str") -> CRL:
    if type == FILETYPE_PEM:
        return CRL._wrap(_abi.crl_from_pem(data_of(buffer)))
    if type == FILETYPE_ASN1:
        return CRL._wrap(_abi.crl_from_der(data_of(buffer)))
    raise ValueError("type argument must be FILETYPE_PEM or FILETYPE_ASN1")


def dump_crl(type: int, crl: CRL) -> bytes:
    if type == FILETYPE_PEM:
        return _abi.crl_to_pem(crl)
    if type == FILETYPE_ASN1:
        return _abi.crl_to_der(crl)
    if type == FILETYPE_TEXT:
        return _abi.crl_to_text(crl).encode("utf-8", "surrogateescape")
    raise ValueError("type argument must be FILETYPE_PEM, FILETYPE_ASN1, or FILETYPE_TEXT")
