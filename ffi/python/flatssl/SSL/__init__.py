"""OpenSSL.SSL over flatssl: the seed's names, and what pyOpenSSL has since.

The exceptions are flatssl's own, so a program may catch either module's. Two things differ for the
better: a callback that fails always ends its handshake with an alert, and the exception comes out
of the call that caused it; and no callback from C decides names and protocols.
"""

from ..certificate import Session
from ..errors import (
    Error,
    SysCallError,
    WantReadError,
    WantWriteError,
    WantX509LookupError,
    ZeroReturnError,
)
from ..crypto import PKey, X509, X509Name, X509Store, X509VerificationCodes
from .connection import Connection
from .constants import *  # noqa: F403
from .context import Context

ContextType = Context
ConnectionType = Connection
