"""The callbacks that OpenSSL makes in the middle of its own work, and what becomes of exceptions.

Names, protocols and OCSP responses of a server are decided between two steps of the handshake, by
the library's question about the client hello (see Connection): no callback from C is needed there.
The rest, verification above all, calls back: through one C function for each kind, made once and
never freed, with a token that finds the Python object. An unknown token fails closed.

An exception in a callback is kept with its connection, fails the handshake if it was for the
callback to decide, and is raised anew by the call that caused it; where that call has data to give,
by the next one.
"""

import functools
import itertools
import typing
import weakref

from .._load import NULL, ffi, lib
from ..question import protocol_list

if typing.TYPE_CHECKING:
    from ..crypto import X509
    from .connection import Connection

YES, NO, FAILED = 1, 0, -1

VerifyCallback = typing.Callable[["Connection", "X509", int, int, int], typing.Any]
InfoCallback = typing.Callable[["Connection", int, int], typing.Any]
KeylogCallback = typing.Callable[["Connection", bytes], typing.Any]
PassphraseCallback = typing.Callable[[int, int, typing.Any], typing.Optional[bytes]]
NameCallback = typing.Callable[["Connection"], typing.Any]
AlpnCallback = typing.Callable[["Connection", typing.List[bytes]], typing.Any]
AdvertiseCallback = typing.Callable[["Connection"], typing.Sequence[bytes]]
SelectCallback = typing.Callable[["Connection", typing.List[bytes]], bytes]
StapleCallback = typing.Callable[["Connection", typing.Any], bytes]
CookieCallback = typing.Callable[["Connection"], bytes]
CookieCheck = typing.Callable[["Connection", bytes], typing.Any]
StapledCallback = typing.Callable[["Connection", bytes, typing.Any], typing.Any]

# the contexts and connections that have callbacks
tokens: "weakref.WeakValueDictionary[int, typing.Any]" = weakref.WeakValueDictionary()
# by handle
connections: "weakref.WeakValueDictionary[int, Connection]" = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


def token_of(owner):
    """Returns the number by which C knows a context or connection."""
    if not owner._token:
        owner._token = next(_numbers)
        tokens[owner._token] = owner
    return owner._token


def _deciding(function):
    """Makes a callback of C that keeps an exception and then fails."""

    @functools.wraps(function)
    def guarded(token, handle, *arguments):
        owner, connection = tokens.get(token), connections.get(handle)
        if owner is None or connection is None:
            return FAILED
        try:
            return YES if function(owner, connection, *arguments) else NO
        except BaseException as error:
            connection._raised = error
            return FAILED

    return guarded


def _notified(function):
    """Makes a callback of C that keeps its first exception: it cannot fail the handshake."""

    @functools.wraps(function)
    def guarded(token, handle, *arguments):
        owner, connection = tokens.get(token), connections.get(handle)
        if owner is not None and connection is not None:
            try:
                function(owner, connection, *arguments)
            except BaseException as error:
                connection._raised = connection._raised or error
        return YES

    return guarded


def _answer(connection, data):
    if lib.fssl_conn_answer(connection._handle, data, len(data), NULL) < 0:
        raise MemoryError("an answer was not taken")
    return True


def protocols_of(data):
    """Returns the protocols in bytes where each has its length before it."""
    found = []
    while data:
        length = data[0]
        found.append(data[1 : 1 + length])
        data = data[1 + length :]
    return found


def _bytes_at(pointer, length):
    return ffi.buffer(pointer, length)[:] if length else b""


@ffi.callback("fssl_verify_callback")
@_deciding
def verify(owner, connection, error, depth, ok):
    from ..crypto import X509

    certificate = X509._wrap(lib.fssl_conn_verify_cert(connection._handle, NULL))
    return connection._on_verify(connection, certificate, error, depth, ok)


@ffi.callback("fssl_info_callback")
@_notified
def info(owner, connection, where, result):
    owner._on_info(connection, where, result)


@ffi.callback("fssl_text_callback")
@_notified
def keylog(owner, connection, text, length):
    owner._on_keylog(connection, _bytes_at(text, length))


@ffi.callback("fssl_protos_callback")
@_deciding
def npn_advertise(owner, connection, protos, length):
    return _answer(connection, protocol_list(owner._on_npn_advertise(connection)))


@ffi.callback("fssl_protos_callback")
@_deciding
def npn_select(owner, connection, protos, length):
    offered = protocols_of(_bytes_at(protos, length))
    return _answer(connection, owner._on_npn_select(connection, offered))


@ffi.callback("fssl_protos_callback")
@_deciding
def ocsp_client(owner, connection, response, length):
    callback, data = owner._on_ocsp_client
    return callback(connection, _bytes_at(response, length), data)


@ffi.callback("fssl_protos_callback")
@_deciding
def cookie_generate(owner, connection, cookie, length):
    return _answer(connection, owner._on_cookie_generate(connection))


@ffi.callback("fssl_protos_callback")
@_deciding
def cookie_verify(owner, connection, cookie, length):
    return owner._on_cookie_verify(connection, _bytes_at(cookie, length))
