"""X509Store and X509StoreContext, as OpenSSL.crypto has them."""

import calendar
import datetime
import typing

from .. import _abi, certificate, errors
from ..types import Path
from .cert import X509


class X509Store(certificate.Store):
    """Whom is trusted, and how is verified."""

    def add_cert(self, cert: certificate.Certificate) -> None:
        if not isinstance(cert, certificate.Certificate):
            raise TypeError("cert must be an X509 instance")
        super().add_cert(cert)

    def add_crl(self, crl: typing.Any) -> None:
        from .crl import crl_of

        _abi.store_add_crl(self, crl_of(crl))

    def set_flags(self, flags: int) -> None:
        """Adds X509StoreFlags."""
        _abi.store_set_flags(self, flags)

    def set_time(self, vfy_time: datetime.datetime) -> None:
        """Verifies as of a time, a datetime in UTC."""
        if not isinstance(vfy_time, datetime.date):
            raise TypeError("vfy_time must be a datetime")
        _abi.store_set_time(self, calendar.timegm(vfy_time.timetuple()))

    def load_locations(self, cafile: "Path | None", capath: "Path | None" = None) -> None:
        """Trusts the certificates of a PEM file, of a hashed directory, or of both."""
        _abi.store_load_locations(self, cafile, capath)


class X509StoreContextError(Exception):
    """A certificate was refused: its errors are (code, depth, text), and which it was."""

    def __init__(self, message: str, details: "list[typing.Any]", refused: "X509 | None") -> None:
        super().__init__(message)
        self.errors = details
        self.certificate = refused


class X509StoreContext:
    """The verification of one certificate against a store."""

    def __init__(
        self,
        store: certificate.Store,
        cert: certificate.Certificate,
        chain: "typing.Sequence[certificate.Certificate] | None" = None,
    ) -> None:
        self.set_store(store)
        if not isinstance(cert, certificate.Certificate):
            raise TypeError("certificate must be an X509 instance")
        self._cert = cert
        self._chain = self._checked(chain)

    @staticmethod
    def _checked(
        chain: "typing.Sequence[certificate.Certificate] | None"
    ) -> "list[certificate.Certificate]":
        for cert in chain or ():
            if not isinstance(cert, certificate.Certificate):
                raise TypeError("One of the elements is not an X509 instance")
        return list(chain or ())

    def set_store(self, store: certificate.Store) -> None:
        if not isinstance(store, certificate.Store):
            raise TypeError("store must be an X509Store instance")
        self._store = store

    def _verified(self) -> certificate.Chain:
        """Returns the verification, which succeeded."""
        made = certificate.Chain(self._store, self._cert)
        for cert in self._chain:
            made.add_untrusted(cert)
        try:
            made.verify()
        except errors.VerifyError as error:
            refused = X509._wrap(_abi.chain_refused_certificate(made))
            reason = error.lines[0].reason
            details = [error.verify_code, made.refused_depth(), reason]
            raise X509StoreContextError(reason, details, refused) from None
        return made

    def verify_certificate(self) -> None:
        """Raises X509StoreContextError unless the certificate is trusted."""
        self._verified()

    def get_verified_chain(self) -> "list[X509]":
        """Verifies, and returns the chain from the certificate to a trusted one."""
        made = self._verified()
        return [X509._wrap(_abi.chain_item(made, i)) for i in range(_abi.chain_count(made))]
