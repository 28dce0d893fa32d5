"""OpenSSL.SSL over flatssl: the seed's names, and what pyOpenSSL has since.

The exceptions are flatssl's own, so a program may catch either module's. Two things differ for the
better: a callback that fails always ends its handshake with an alert, and the exception comes out
of the call that caused it; and no callback from C decides names and protocols.
"""

from ..certificate import Session as Session
from ..errors import (
    Error as Error,
    SysCallError as SysCallError,
    WantReadError as WantReadError,
    WantWriteError as WantWriteError,
    WantX509LookupError as WantX509LookupError,
    ZeroReturnError as ZeroReturnError,
)
from ..crypto import (
    PKey as PKey,
    X509 as X509,
    X509Name as X509Name,
    X509Store as X509Store,
    X509VerificationCodes as X509VerificationCodes,
)
from .connection import Connection as Connection
from .constants import *  # noqa: F403
from .context import Context as Context

ContextType = Context
ConnectionType = Connection
