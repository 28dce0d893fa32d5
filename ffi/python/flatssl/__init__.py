"""flatssl: TLS over the flat C ABI of libflatssl.

    with flatssl.connect("example.org", 443) as connection:
        connection.sendall(b"GET / HTTP/1.0\\r\\nHost: example.org\\r\\n\\r\\n")
        page = connection.makefile().read()

Context and Connection are for new programs. flatssl.SSL and flatssl.crypto have the interface of
OpenSSL.SSL and OpenSSL.crypto.
"""

from . import _abi
from ._load import lib
from .certificate import Certificate, Chain, Key, Name, Session, Store
from .connection import Connection
from .context import Context
from .errors import (
    AlertError,
    ArgumentError,
    CancelledError,
    CertificateError,
    ClosedError,
    Error,
    ForkedError,
    HostError,
    InternalError,
    OutOfMemoryError,
    ParseError,
    PassphraseError,
    ResolveError,
    SysCallError,
    TimedOutError,
    TLSError,
    TruncatedError,
    UsageError,
    VerifyError,
    WantClientHelloError,
    WantError,
    WantReadError,
    WantVerifyError,
    WantWriteError,
    WantX509LookupError,
    ZeroReturnError,
)


def __getattr__(name):
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
