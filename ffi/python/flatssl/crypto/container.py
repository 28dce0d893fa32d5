"""PKCS12, PKCS7 and NetscapeSPKI, as OpenSSL.crypto had them."""

import typing

from .. import _abi, certificate
from ..types import Buffer
from .cert import X509, signing
from .constants import FILETYPE_ASN1, FILETYPE_PEM
from .key import PKey, data_of, warned

MAC_ITERATIONS = 2048


class PKCS12(_abi.Handle):
    """A certificate with its key and issuers, in one container."""

    def __init__(self) -> None:
        self._handle = _abi.pkcs12_new()
        self._read()

    def _read(self) -> None:
        """Makes the objects that the getters return, always the same ones."""
        self._cert = X509._wrap(_abi.pkcs12_certificate(self))
        self._pkey = PKey._wrap(_abi.pkcs12_private_key(self))
        count = _abi.pkcs12_ca_count(self)
        cacerts = tuple(X509._wrap(_abi.pkcs12_ca_item(self, i)) for i in range(count))
        self._cacerts = cacerts or None

    def get_certificate(self) -> "X509 | None":
        return self._cert

    def set_certificate(self, cert: "certificate.Certificate | None") -> None:
        if cert is not None and not isinstance(cert, certificate.Certificate):
            raise TypeError("cert must be an X509 instance")
        _abi.pkcs12_set_certificate(self, cert or 0)
        self._cert = cert

    def get_privatekey(self) -> "PKey | None":
        return self._pkey

    def set_privatekey(self, pkey: "certificate.Key | None") -> None:
        if pkey is not None and not isinstance(pkey, certificate.Key):
            raise TypeError("pkey must be a PKey instance")
        _abi.pkcs12_set_private_key(self, pkey or 0)
        self._pkey = pkey

    def get_ca_certificates(self) -> "tuple[X509, ...] | None":
        """Returns the issuers as a tuple; None if there are none."""
        return self._cacerts

    def set_ca_certificates(
        self, cacerts: "typing.Iterable[certificate.Certificate] | None"
    ) -> None:
        certs = list(cacerts or ())
        for cert in certs:
            if not isinstance(cert, certificate.Certificate):
                raise TypeError("iterable must only contain X509 instances")
        _abi.pkcs12_clear_ca(self)
        for cert in certs:
            _abi.pkcs12_add_ca(self, cert)
        self._cacerts = None if cacerts is None else tuple(certs)

    def set_friendlyname(self, name: "bytes | None") -> None:
        if name is not None and not isinstance(name, bytes):
            raise TypeError("name must be a byte string or None")
        _abi.pkcs12_set_friendly_name(self, name)

    def get_friendlyname(self) -> "bytes | None":
        return _abi.pkcs12_friendly_name(self) or None

    def export(
        self, passphrase: "bytes | None" = None, iter: int = MAC_ITERATIONS, maciter: int = 1
    ) -> bytes:
        """Returns the container as DER, encrypted with the passphrase."""
        return _abi.pkcs12_to_der(self, warned(passphrase, "passphrase"), iter, maciter)


def load_pkcs12(buffer: "Buffer | str", passphrase: "bytes | None" = None) -> PKCS12:
    passphrase = warned(passphrase, "passphrase")
    made = PKCS12._wrap(_abi.pkcs12_from_der(data_of(buffer), passphrase))
    made._read()
    return made


class PKCS7(_abi.Handle):
    """A PKCS#7 message, of which its type can be asked."""

    def get_type_name(self) -> bytes:
        return _abi.pkcs7_type_name(self).encode()

    def type_is_signed(self) -> bool:
        return self.get_type_name() == b"pkcs7-signedData"

    def type_is_enveloped(self) -> bool:
        return self.get_type_name() == b"pkcs7-envelopedData"

    def type_is_signedAndEnveloped(self) -> bool:
        return self.get_type_name() == b"pkcs7-signedAndEnvelopedData"

    def type_is_data(self) -> bool:
        return self.get_type_name() == b"pkcs7-data"


def load_pkcs7_data(type: int, buffer: "Buffer | str") -> PKCS7:
    if type == FILETYPE_PEM:
        return PKCS7._wrap(_abi.pkcs7_from_pem(data_of(buffer)))
    if type == FILETYPE_ASN1:
        return PKCS7._wrap(_abi.pkcs7_from_der(data_of(buffer)))
    raise ValueError("type argument must be FILETYPE_PEM or FILETYPE_ASN1")


class NetscapeSPKI(_abi.Handle):
    """A signed public key in Netscape's form."""

    def __init__(self) -> None:
        self._handle = _abi.spki_new()

    def sign(self, pkey: certificate.Key, digest: "str | bytes") -> None:
        signing(_abi.spki_sign, self, pkey, digest)

    def verify(self, key: certificate.Key) -> bool:
        """Returns True if it was signed with this key, raises Error if not."""
        _abi.spki_verify(self, key)
        return True

    def b64_encode(self) -> bytes:
        return _abi.spki_to_base64(self).encode()

    def get_pubkey(self) -> PKey:
        return PKey._wrap(_abi.spki_public_key(self))

    def set_pubkey(self, pkey: certificate.Key) -> None:
        _abi.spki_set_public_key(self, pkey)
