"""The exceptions: one class for each code that a program may want to catch, below one for each
kind.

A plain Error holds, as its first argument, the list of (library, function, reason) that the library
recorded. The names and arguments of those that OpenSSL.SSL has are as there.
"""

import errno
import typing

from ._load import NULL, ffi, lib

TEXT_CAPACITY = 8192  # what the longest text of a record needs


class Line(typing.NamedTuple):
    """One line of an error's record."""

    library: str
    function: str
    reason: str
    data: str


class Error(Exception):
    """What every failure of the library raises."""

    code: int = lib.FSSL_E_OPENSSL
    """The FSSL_E_ code."""
    lines: typing.Tuple[Line, ...] = ()
    """What OpenSSL and the library tell about the cause, the first cause first."""
    text: str = ""
    """The same for a person."""
    errno: int = -1
    """The errno of the operating system, -1 if it is not the cause."""
    alert: int = -1
    """The TLS alert that the peer sent, -1 for none."""
    verify_code: int = -1
    """The X509_V_ code for which a certificate was refused, -1 for none."""
    sent: int = 0
    """How many bytes sendall had sent."""

    @property
    def kind(self) -> int:
        """The FSSL_KIND_ of the code."""
        return self.code // 100

    @property
    def name(self) -> str:
        """The name of the code, such as FSSL_E_TLS."""
        return _text(lib.fssl_error_name, self.code)

    def __str__(self) -> str:
        return self.text or super().__str__() or _text(lib.fssl_error_text, -self.code)

    @classmethod
    def _arguments(cls, details):
        return ([line[:3] for line in details["lines"]],)


class WantError(Error):
    """The call has to be made again later, when what the class names has happened."""

    @classmethod
    def _arguments(cls, details):
        return ()


class WantReadError(WantError):
    """The carrier has to become readable first."""


class WantWriteError(WantError):
    """The carrier has to become writable first."""


class WantClientHelloError(WantError):
    """The question about the client's hello has to be answered first."""


class WantX509LookupError(WantError):
    """The question about the own certificate has to be answered first."""


class WantVerifyError(WantError):
    """The question about the peer's certificate has to be answered first."""


class ClosedError(Error):
    """The stream or the call has ended."""


class ZeroReturnError(ClosedError):
    """The peer has ended the stream, as it should."""

    @classmethod
    def _arguments(cls, details):
        return ()


class CancelledError(ClosedError):
    """The call was ended by cancel, detach or close."""


class ForkedError(ClosedError):
    """The connection is the parent process's."""


class SysCallError(Error):
    """The operating system refused: the arguments are errno and its name."""

    @classmethod
    def _arguments(cls, details):
        return details["errno"], errno.errorcode.get(details["errno"])


class TruncatedError(SysCallError, ClosedError):
    """The stream ended without a sign of its end: somebody may have cut it off."""

    @classmethod
    def _arguments(cls, details):
        return -1, "Unexpected EOF"


class TimedOutError(Error, TimeoutError):
    """A call took longer than the connection's timeout."""

    @classmethod
    def _arguments(cls, details):
        return ("timed out",)


class ResolveError(Error):
    """The name of a host has no address."""


class TLSError(Error):
    """The protocol failed."""


class AlertError(TLSError):
    """The peer sent a fatal alert."""


class CertificateError(Error):
    """A certificate, key or name was refused."""


class VerifyError(CertificateError):
    """The peer's certificate is not trusted."""


class HostError(VerifyError):
    """The peer's certificate is for another host."""


class ParseError(CertificateError):
    """A certificate, key or other object cannot be read."""


class PassphraseError(CertificateError):
    """The passphrase of a key is missing or wrong."""


class UsageError(Error):
    """The call was wrong; the object is as it was."""


class ArgumentError(UsageError, ValueError):
    """An argument has a bad value; lines[0].data names it."""


class InternalError(Error):
    """The library or OpenSSL failed inside."""


class OutOfMemoryError(InternalError, MemoryError):
    """Memory ran out."""


BY_KIND: "dict[int, type[Error]]" = {
    lib.FSSL_KIND_WANT: WantError,
    lib.FSSL_KIND_CLOSED: ClosedError,
    lib.FSSL_KIND_SYSTEM: SysCallError,
    lib.FSSL_KIND_TLS: TLSError,
    lib.FSSL_KIND_CERTIFICATE: CertificateError,
    lib.FSSL_KIND_USAGE: UsageError,
    lib.FSSL_KIND_INTERNAL: InternalError,
}

BY_CODE: "dict[int, type[Error]]" = {
    lib.FSSL_E_WANT_READ: WantReadError,
    lib.FSSL_E_WANT_WRITE: WantWriteError,
    lib.FSSL_E_WANT_CLIENT_HELLO: WantClientHelloError,
    lib.FSSL_E_WANT_CERTIFICATE: WantX509LookupError,
    lib.FSSL_E_WANT_VERIFY: WantVerifyError,
    lib.FSSL_E_ZERO_RETURN: ZeroReturnError,
    lib.FSSL_E_EOF: TruncatedError,
    lib.FSSL_E_CANCELLED: CancelledError,
    lib.FSSL_E_FORKED: ForkedError,
    lib.FSSL_E_TIMEOUT: TimedOutError,
    lib.FSSL_E_RESOLVE: ResolveError,
    lib.FSSL_E_ALERT: AlertError,
    lib.FSSL_E_VERIFY: VerifyError,
    lib.FSSL_E_HOST: HostError,
    lib.FSSL_E_PARSE: ParseError,
    lib.FSSL_E_PASSPHRASE_NEEDED: PassphraseError,
    lib.FSSL_E_PASSPHRASE_WRONG: PassphraseError,
    lib.FSSL_E_ARGUMENT: ArgumentError,
    lib.FSSL_E_MEMORY: OutOfMemoryError,
}

WANTS = {-code: class_ for code, class_ in BY_CODE.items() if issubclass(class_, WantError)}

NUMBERS = {
    "errno": lib.FSSL_ERROR_ERRNO,
    "alert": lib.FSSL_ERROR_ALERT,
    "verify_code": lib.FSSL_ERROR_VERIFY_CODE,
}

FIELDS = (
    lib.FSSL_ERROR_LIBRARY,
    lib.FSSL_ERROR_FUNCTION,
    lib.FSSL_ERROR_REASON,
    lib.FSSL_ERROR_DATA,
)


def _text(function, *arguments):
    """Reads a text of a record; it is empty once the record has been overwritten."""
    buffer = ffi.new("char[]", TEXT_CAPACITY)
    length = function(*arguments, buffer, TEXT_CAPACITY, NULL)
    return ffi.buffer(buffer, max(length, 0))[:].decode("utf-8", "replace")


def _number(result, field):
    cell = ffi.new("int64_t *", -1)
    lib.fssl_error_int(result, field, 0, cell, NULL)
    return cell[0]


def _details(result):
    details = {name: _number(result, field) for name, field in NUMBERS.items()}
    details["text"] = _text(lib.fssl_error_text, result)
    details["lines"] = tuple(
        Line(*(_text(lib.fssl_error_str, result, field, at) for field in FIELDS))
        for at in range(lib.fssl_error_count(result, NULL))
    )
    return details


def from_result(result: int) -> Error:
    """Makes the exception for a negative result."""
    wanted = WANTS.get(result)
    if wanted:  # the hot path: the code is all there is
        error: Error = wanted()
        error.code = -result
        return error
    code = lib.fssl_error_code(result, NULL)
    class_ = BY_CODE.get(code, BY_KIND.get(code // 100, Error))
    details = _details(result)
    error = class_(*class_._arguments(details))
    vars(error).update(details)
    error.code = code
    return error
