"""X509Name and X509Extension, as OpenSSL.crypto has them."""

import typing

from .. import _abi, certificate, errors
from .._load import lib

if typing.TYPE_CHECKING:
    from cryptography import x509

QUICK_KEY = (lib.FSSL_KEY_EC, 0, "P-256")

FULL_NAMES = {
    "countryName": "C",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "commonName": "CN",
}


class X509Name(certificate.Name):
    """A name; its attributes are its items: name.CN, name.commonName, name.emailAddress."""

    def __init__(self, name: certificate.Name) -> None:
        """Makes a copy that can be changed."""
        self._handle = _abi.name_copy(name)

    def __getattr__(self, name: str) -> "str | None":
        if name.startswith("_"):
            raise AttributeError(name)
        wanted = FULL_NAMES.get(name, name)
        for type, value in self.items():
            if type == wanted:
                return value.decode("utf-8")
        try:  # an unknown type has no value, and an unknown name is no attribute
            probe = certificate.Name._wrap(_abi.name_new())
            _abi.name_add_item(probe, name, b"AB")
        except errors.ArgumentError:
            raise AttributeError("No such attribute") from None
        except errors.Error:
            pass
        return None

    def __setattr__(self, name: str, value: "str | bytes") -> None:
        if name.startswith("_"):
            return super().__setattr__(name, value)
        if type(name) is not str:
            raise TypeError(f"attribute name must be string, not '{type(name).__name__:.200}'")
        data = value.encode("utf-8") if isinstance(value, str) else value
        try:
            _abi.name_set_item(self, name, data)
        except errors.ArgumentError as error:
            if any(line.data == "type" for line in error.lines):
                raise AttributeError("No such attribute") from None
            raise

    def get_components(self) -> "list[tuple[bytes, bytes]]":
        """Returns the items as (type, value) pairs of bytes."""
        return [(type.encode(), value) for type, value in self.items()]

    def hash(self) -> int:
        """Returns the hash by which OpenSSL finds the name in a directory."""
        return _abi.name_hash(self)

    def der(self) -> bytes:
        return self.to_der()

    def to_cryptography(self) -> "x509.Name":
        """Returns the name as one of the cryptography package."""
        from cryptography.x509 import load_der_x509_csr

        # which reads no name by itself: it gets one in a request
        request = _abi.Handle._wrap(_abi.req_new())
        key = certificate.Key._wrap(_abi.key_generate(*QUICK_KEY))
        _abi.req_set_subject(request, self)
        _abi.req_set_public_key(request, key)
        _abi.req_sign(request, key, "sha256")
        return load_der_x509_csr(_abi.req_to_der(request)).subject

    def _order(self, other: certificate.Name) -> int:
        return _abi.name_compare(self, other)

    def __eq__(self, other: object) -> typing.Any:
        return self._order(other) == 0 if isinstance(other, X509Name) else NotImplemented

    def __lt__(self, other: object) -> typing.Any:
        return self._order(other) < 0 if isinstance(other, X509Name) else NotImplemented

    def __le__(self, other: object) -> typing.Any:
        return self._order(other) <= 0 if isinstance(other, X509Name) else NotImplemented

    def __gt__(self, other: object) -> typing.Any:
        return self._order(other) > 0 if isinstance(other, X509Name) else NotImplemented

    def __ge__(self, other: object) -> typing.Any:
        return self._order(other) >= 0 if isinstance(other, X509Name) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        parts = "".join(f"/{type}={value.decode('utf-8', 'replace')}" for type, value in
                        self.items())
        return f"<X509Name object '{parts}'>"


class X509Extension(_abi.Handle):
    """An extension of a certificate, from its name and value in the language of OpenSSL's
    config: X509Extension(b"basicConstraints", True, b"CA:TRUE")."""

    def __init__(
        self,
        type_name: bytes,
        critical: bool,
        value: bytes,
        subject: "certificate.Certificate | None" = None,
        issuer: "certificate.Certificate | None" = None,
    ) -> None:
        if not isinstance(type_name, bytes) or not isinstance(value, bytes):
            raise TypeError("type_name and value must be byte strings")
        for cert, what in (subject, "subject"), (issuer, "issuer"):
            if cert is not None and not isinstance(cert, certificate.Certificate):
                raise TypeError(f"{what} must be an X509 instance")
        try:
            self._handle = _abi.ext_new(type_name, bool(critical), value, subject or 0, issuer or 0)
        except errors.ArgumentError as error:
            raise errors.Error([line[:3] for line in error.lines]) from None

    def get_critical(self) -> bool:
        return bool(_abi.ext_critical(self))

    def get_short_name(self) -> bytes:
        return _abi.ext_name(self).encode()

    def get_data(self) -> bytes:
        return _abi.ext_data(self)

    def __str__(self) -> str:
        return _abi.ext_text(self)
