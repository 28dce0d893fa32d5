"""X509 and X509Req, as OpenSSL.crypto has them."""

import calendar
import datetime
import time
import typing

from .. import _abi, certificate, errors
from ..types import Buffer
from .constants import FILETYPE_ASN1, FILETYPE_PEM, FILETYPE_TEXT
from .key import PKey, data_of, digest_of, text_of
from .name import X509Extension, X509Name

if typing.TYPE_CHECKING:
    from cryptography import x509

CERTIFICATE_TYPES = "type argument must be FILETYPE_PEM, FILETYPE_ASN1, or FILETYPE_TEXT"


def signing(function, made, pkey, digest):
    """Signs a certificate, request or CRL."""
    if not isinstance(pkey, certificate.Key):
        raise TypeError("pkey must be a PKey instance")
    if not pkey._handle:
        raise ValueError("Key is uninitialized")
    if not pkey.is_private():
        raise ValueError("Key has only public part")
    try:
        function(made, pkey, digest_of(digest))
    except errors.ArgumentError:
        raise ValueError("No such digest method") from None


class X509(certificate.Certificate):
    """A certificate; one that is made by X509() has to be built and signed."""

    def __init__(self) -> None:
        self._handle = _abi.cert_new()

    @property
    def _x509(self) -> int:
        """What pyOpenSSL keeps there; urllib3 takes it for the sign of a version that is new."""
        return self._handle

    @classmethod
    def from_cryptography(cls, crypto_cert: "x509.Certificate") -> "X509":
        """Takes a certificate of the cryptography package."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        if not isinstance(crypto_cert, x509.Certificate):
            raise TypeError("Must be a certificate")
        return cls.from_der(crypto_cert.public_bytes(Encoding.DER))

    def to_cryptography(self) -> "x509.Certificate":
        """Returns the certificate as one of the cryptography package."""
        from cryptography.x509 import load_der_x509_certificate

        return load_der_x509_certificate(self.to_der())

    # ---- version, serial number, time ----

    def get_version(self) -> int:
        return _abi.cert_version(self)

    def set_version(self, version: int) -> None:
        if not isinstance(version, int):
            raise TypeError("version must be an integer")
        _abi.cert_set_version(self, version)

    def get_serial_number(self) -> int:
        return int(_abi.cert_serial(self), 16)

    def set_serial_number(self, serial: int) -> None:
        if not isinstance(serial, int):
            raise TypeError("serial must be an integer")
        _abi.cert_set_serial(self, str(serial), 10)

    def gmtime_adj_notBefore(self, amount: int) -> None:
        """Sets when it becomes valid, in seconds from now."""
        if not isinstance(amount, int):
            raise TypeError("amount must be an integer")
        _abi.cert_set_not_before(self, int(time.time()) + amount)

    def gmtime_adj_notAfter(self, amount: int) -> None:
        """Sets when it ceases to be valid, in seconds from now."""
        if not isinstance(amount, int):
            raise TypeError("amount must be an integer")
        _abi.cert_set_not_after(self, int(time.time()) + amount)

    def get_notBefore(self) -> "bytes | None":
        """Returns when it becomes valid, as b"YYYYMMDDhhmmssZ"; None if that is not set."""
        return _abi.cert_not_before_text(self).encode() or None

    def get_notAfter(self) -> "bytes | None":
        return _abi.cert_not_after_text(self).encode() or None

    def set_notBefore(self, when: bytes) -> None:
        self._set_time(_abi.cert_set_not_before_text, when)

    def set_notAfter(self, when: bytes) -> None:
        self._set_time(_abi.cert_set_not_after_text, when)

    def _set_time(self, function: typing.Callable, when: bytes) -> None:
        if not isinstance(when, bytes):
            raise TypeError("when must be a byte string")
        try:
            function(self, when)
        except errors.ArgumentError:
            raise ValueError("Invalid string") from None

    def has_expired(self) -> bool:
        """Tells whether the time at which it ceases to be valid has passed."""
        text = self.get_notAfter()
        if text is None:
            raise ValueError("Unable to determine notAfter")
        end = datetime.datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ")
        return calendar.timegm(end.timetuple()) < time.time()

    # ---- names and key ----

    def get_subject(self) -> X509Name:
        """Returns the subject's name; setting its attributes changes the certificate."""
        return X509Name._wrap(_abi.cert_subject(self))

    def get_issuer(self) -> X509Name:
        return X509Name._wrap(_abi.cert_issuer(self))

    def set_subject(self, subject: certificate.Name) -> None:
        if not isinstance(subject, certificate.Name):
            raise TypeError("name must be an X509Name")
        _abi.cert_set_subject(self, subject)

    def set_issuer(self, issuer: certificate.Name) -> None:
        if not isinstance(issuer, certificate.Name):
            raise TypeError("name must be an X509Name")
        _abi.cert_set_issuer(self, issuer)

    def subject_name_hash(self) -> int:
        return _abi.cert_subject_name_hash(self)

    def get_pubkey(self) -> PKey:
        return PKey._wrap(_abi.cert_public_key(self))

    def set_pubkey(self, pkey: certificate.Key) -> None:
        if not isinstance(pkey, certificate.Key):
            raise TypeError("pkey must be a PKey instance")
        _abi.cert_set_public_key(self, pkey)

    # ---- extensions ----

    def get_extension_count(self) -> int:
        return _abi.cert_ext_count(self)

    def add_extensions(self, extensions: typing.Iterable[X509Extension]) -> None:
        for extension in extensions:
            if not isinstance(extension, X509Extension):
                raise ValueError("One of the elements is not an X509Extension")
            _abi.cert_add_ext(self, extension)

    def get_extension(self, index: int) -> X509Extension:
        if not 0 <= index < self.get_extension_count():
            raise IndexError("extension index out of bounds")
        return X509Extension._wrap(_abi.cert_ext_item(self, index))

    # ---- signature ----

    def sign(self, pkey: certificate.Key, digest: "str | bytes") -> None:
        """Signs with a private key and the name of a digest, such as "sha256"."""
        signing(_abi.cert_sign, self, pkey, digest)

    def get_signature_algorithm(self) -> bytes:
        name = _abi.cert_signature_algorithm(self)
        if not name or name[0].isdigit():  # a number in dots, which OpenSSL has no name for
            raise ValueError("Undefined signature algorithm")
        return name.encode()

    def digest(self, digest_name: "str | bytes") -> bytes:  # type: ignore[override]
        """Returns the digest of the certificate as b"AA:BB:..."."""
        try:
            digest = super().digest(text_of(digest_name, "digest_name"))
        except errors.ArgumentError:
            raise ValueError("No such digest method") from None
        return digest.hex(":").upper().encode()


class X509Req(_abi.Handle):
    """A certificate signing request; one that is made by X509Req() has to be built and signed."""

    def __init__(self) -> None:
        self._handle = _abi.req_new()

    @classmethod
    def from_cryptography(cls, crypto_req: "x509.CertificateSigningRequest") -> "X509Req":
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        if not isinstance(crypto_req, x509.CertificateSigningRequest):
            raise TypeError("Must be a certificate signing request")
        return cls._wrap(_abi.req_from_der(crypto_req.public_bytes(Encoding.DER)))

    def to_cryptography(self) -> "x509.CertificateSigningRequest":
        from cryptography.x509 import load_der_x509_csr

        return load_der_x509_csr(_abi.req_to_der(self))

    def set_version(self, version: int) -> None:
        if not isinstance(version, int):
            raise TypeError("version must be an int")
        if version != 0:
            raise ValueError("Invalid version. The only valid version for X509Req is 0.")
        _abi.req_set_version(self, version)

    def get_version(self) -> int:
        return _abi.req_version(self)

    def get_subject(self) -> X509Name:
        """Returns the subject's name; setting its attributes changes the request."""
        return X509Name._wrap(_abi.req_subject(self))

    def get_pubkey(self) -> PKey:
        return PKey._wrap(_abi.req_public_key(self))

    def set_pubkey(self, pkey: certificate.Key) -> None:
        if not isinstance(pkey, certificate.Key):
            raise TypeError("pkey must be a PKey instance")
        _abi.req_set_public_key(self, pkey)

    def add_extensions(self, extensions: typing.Iterable[X509Extension]) -> None:
        for extension in extensions:
            if not isinstance(extension, X509Extension):
                raise ValueError("One of the elements is not an X509Extension")
            _abi.req_add_ext(self, extension)

    def get_extensions(self) -> "list[X509Extension]":
        count = _abi.req_ext_count(self)
        return [X509Extension._wrap(_abi.req_ext_item(self, i)) for i in range(count)]

    def sign(self, pkey: certificate.Key, digest: "str | bytes") -> None:
        signing(_abi.req_sign, self, pkey, digest)

    def verify(self, pkey: certificate.Key) -> bool:
        """Returns True if the request was signed with this key, raises Error if not."""
        if not isinstance(pkey, certificate.Key):
            raise TypeError("pkey must be a PKey instance")
        _abi.req_verify(self, pkey)
        return True


# ---- reading and writing ----


def load_certificate(type: int, buffer: "Buffer | str") -> X509:
    if type == FILETYPE_PEM:
        return X509.from_pem(data_of(buffer))
    if type == FILETYPE_ASN1:
        return X509.from_der(data_of(buffer))
    raise ValueError("type argument must be FILETYPE_PEM or FILETYPE_ASN1")


def dump_certificate(type: int, cert: certificate.Certificate) -> bytes:
    if not isinstance(cert, certificate.Certificate):
        raise TypeError("cert must be an X509 instance")
    if type == FILETYPE_PEM:
        return cert.to_pem()
    if type == FILETYPE_ASN1:
        return cert.to_der()
    if type == FILETYPE_TEXT:
        return _abi.cert_to_text(cert).encode("utf-8", "surrogateescape")
    raise ValueError(CERTIFICATE_TYPES)


def load_certificate_request(type: int, buffer: "Buffer | str") -> X509Req:
    if type == FILETYPE_PEM:
        return X509Req._wrap(_abi.req_from_pem(data_of(buffer)))
    if type == FILETYPE_ASN1:
        return X509Req._wrap(_abi.req_from_der(data_of(buffer)))
    raise ValueError("type argument must be FILETYPE_PEM or FILETYPE_ASN1")


def dump_certificate_request(type: int, req: X509Req) -> bytes:
    if type == FILETYPE_PEM:
        return _abi.req_to_pem(req)
    if type == FILETYPE_ASN1:
        return _abi.req_to_der(req)
    if type == FILETYPE_TEXT:
        return _abi.req_to_text(req).encode("utf-8", "surrogateescape")
    raise ValueError(CERTIFICATE_TYPES)
