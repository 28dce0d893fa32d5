"""flatssl: TLS over the flat C ABI of libflatssl.

    with flatssl.connect("example.org", 443) as connection:
        connection.sendall(b"GET / HTTP/1.0\\r\\nHost: example.org\\r\\n\\r\\n")
        page = connection.makefile().read()

Context and Connection are for new programs. flatssl.SSL and flatssl.crypto have the interface of
OpenSSL.SSL and OpenSSL.crypto.
"""

from . import _abi
from ._load import lib
from .certificate import (
    Certificate as Certificate,
    Chain as Chain,
    Key as Key,
    Name as Name,
    Session as Session,
    Store as Store,
)
from .connection import Connection as Connection
from .context import Context as Context
from .errors import (
    AlertError as AlertError,
    ArgumentError as ArgumentError,
    CancelledError as CancelledError,
    CertificateError as CertificateError,
    ClosedError as ClosedError,
    Error as Error,
    ForkedError as ForkedError,
    HostError as HostError,
    InternalError as InternalError,
    OutOfMemoryError as OutOfMemoryError,
    ParseError as ParseError,
    PassphraseError as PassphraseError,
    ResolveError as ResolveError,
    SysCallError as SysCallError,
    TimedOutError as TimedOutError,
    TLSError as TLSError,
    TruncatedError as TruncatedError,
    UsageError as UsageError,
    VerifyError as VerifyError,
    WantClientHelloError as WantClientHelloError,
    WantError as WantError,
    WantReadError as WantReadError,
    WantVerifyError as WantVerifyError,
    WantWriteError as WantWriteError,
    WantX509LookupError as WantX509LookupError,
    ZeroReturnError as ZeroReturnError,
)


__version__: str


def __getattr__(name: str) -> int:
    """Gives every constant of the header under its name without the prefix: flatssl.E_TLS."""
    if name == "__version__":  # asked for later, since the first call starts OpenSSL
        return _abi.version_text()
    try:
        value = getattr(lib, "FSSL_" + name) if name.isupper() else None
    except AttributeError:
        value = None
    if value is None:
        raise AttributeError(f"module 'flatssl' has no attribute {name!r}")
    return value


def connect(
    host: str, port: int = 443, *, context: "Context | None" = None, timeout: "float | None" = None
) -> Connection:
    """Connects to a server that the system trusts, or as the context says. Returns the
    connection, its handshake done and the server's name verified."""
    return (context or Context.client()).connect(host, port, timeout=timeout)


def openssl_version() -> str:
    """Returns the version of the OpenSSL in use."""
    return _abi.version_openssl_text(lib.FSSL_OPENSSL_VERSION)
