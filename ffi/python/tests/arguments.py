"""What arguments may be: for each kind a good value, values of a wrong type, and bad values.

The tables of the tests say of which kind each argument of a method is. A value that is bad for its
kind but good for one method is listed with that method, with the reason.
"""

import datetime
import inspect
import socket

import pytest

import flatssl
from flatssl import SSL, crypto

LONG = 1 << 20
HUGE = 1 << 70
CLEAR = (TypeError, ValueError, OverflowError, IndexError, SSL.Error)
NO_OBJECT = [None, 5, "x", b"x", object()]

# Values of a wrong type, which are a TypeError.
WRONG = {
    "path": [5, 1.5, [], object()],
    "integer": ["1", None, 1.5, b"1", object()],
    "function": ["name", 5, b"", object()],
    "bytes": [5, 1.5, None, object(), ["x"]],
    "data": [5, 1.5, object(), ["x"]],
    "cert": NO_OBJECT,
    "key": NO_OBJECT,
    "names": [5, None, ["x"], [None]],
    "protos": [5, None, [5], [None]],
    "session": [None, 5, "x", object()],
    "context": [None, 5, "x", object()],
    "text": [5, 1.5, object()],
    "buffer": [None, 5, "x", b"read only"],
    "name": NO_OBJECT,
    "extensions": [5, None],
    "certs": [5, "x", ["x"], [None]],
    "digest": [5, 1.5, object()],
    "when": [5, "20260101000000Z", None, object()],
    "hex": [5, None, 1.5, object()],
    "reason": [5, "keyCompromise", 1.5, object()],
    "revoked": NO_OBJECT,
    "crl": NO_OBJECT,
    "store": NO_OBJECT,
    "chain": [5, ["x"], [None]],
    "datetime": [None, 5, "x", object()],
    "passphrase": [5, 1.5, object()],
    "foreign": NO_OBJECT,
    "curve": NO_OBJECT,
    "curve name": [],
    "request": NO_OBJECT,
    "form": [],
    "pem": [5, 1.5, object(), "x"],
    "host": [5, 1.5, object()],
    "socket": [5, "x", b"x", object()],
    "name list": [5, None, ["x"], [None]],
    "folder": [5, 1.5, [], object()],
    "pin": [5, 1.5, "x", object()],
    "proto names": [5, None, [None], [1.5]],
    "core context": NO_OBJECT,
    "seconds": ["1", object(), b"1"],
    "option": [1.5, None, "x", object()],
    "mode": [5, None, object()],
}
# Values of the right type, empty, too long, with a NUL or without sense, which are a clear error.
BAD = {
    "path": ["", b"", "a\0b", "x" * LONG, "/nowhere/it.is"],
    "pem": [None, b"", b"a\0b", b"x" * LONG],
    "host": [None, "", "a\0b", "x" * LONG, "b\xfccher.example"],
    "folder": ["", b"", "a\0b", "x" * LONG],
    "pin": [None, b"", b"a\0b", b"x" * LONG],
    "proto names": [[""], ["x" * 256], ["\xfc"], ["x" * 255] * 300],
    "seconds": [-1, HUGE, float("nan"), float("inf")],
    "option": [b"", HUGE],
    "mode": ["", "x", "a\0b"],
    "curve name": ["", "a\0b", "x" * LONG, b"x", None, 5, 1.5],
    "integer": [HUGE, -HUGE],
    "bytes": [b"", b"a\0b", b"x" * LONG],
    "data": [None, b"", b"a\0b", b"x" * LONG],
    "protos": [[], [b""], [b"x" * 256], [b"x" * 255] * 300],
    "text": [None, "", "a\0b", "x" * LONG],
    "extensions": [["x"], [None]],
    "digest": [None, "", "a\0b", "x" * LONG, "no digest", b"", b"a\0b", "sha\xfc256"],
    "when": [b"", b"a\0b", b"x" * LONG, b"2026", b"20260101000000Z\0"],
    "hex": [b"", b"a\0b", b"x" * LONG, b"no hex"],
    "reason": [b"", b"a\0b", b"x" * LONG, b"no reason"],
    "passphrase": [b"x" * LONG],
    "form": [0, 99, -1, HUGE, "PEM", None, 1.5],
}


def value(kind, certs):
    """Returns a good value of a kind."""
    cert = crypto.load_certificate(crypto.FILETYPE_PEM, certs.rsa.cert.read_bytes())
    values = {
        "path": lambda: bytes(certs.rsa.cert),
        "integer": lambda: 1,
        "function": lambda: lambda *_: True,
        "bytes": lambda: b"x",
        "data": lambda: b"x",
        "cert": lambda: cert,
        "key": lambda: crypto.load_privatekey(
            crypto.FILETYPE_PEM, certs.rsa.key.read_bytes()),
        "names": list,
        "protos": lambda: [b"h2"],
        "context": lambda: SSL.Context(SSL.TLS_METHOD),
        "session": lambda: None,
        "text": lambda: "x",
        "buffer": lambda: bytearray(9),
        "name": cert.get_subject,
        "extensions": list,
        "certs": lambda: [cert],
        "digest": lambda: "sha256",
        "when": lambda: b"20260101000000Z",
        "hex": lambda: b"10ab",
        "reason": lambda: b"keyCompromise",
        "revoked": crypto.Revoked,
        "store": crypto.X509Store,
        "chain": lambda: [cert],
        "datetime": lambda: datetime.datetime(2026, 1, 1),
        "passphrase": lambda: b"x",
        "form": lambda: crypto.FILETYPE_PEM,
        "foreign": lambda: None,
        "crl": lambda: crypto.load_crl(crypto.FILETYPE_PEM, crypto.CRL().export(
            cert, value("key", certs), digest=b"sha256")),
        "request": crypto.X509Req,
        "pem": certs.rsa.cert.read_bytes,
        "host": lambda: "localhost",
        "socket": lambda: socket.socket(),
        "folder": lambda: certs.folder,
        "name list": lambda: [cert.subject()],
        "pin": lambda: bytes(32),
        "proto names": lambda: ["h2"],
        "core context": flatssl.Context,
        "seconds": lambda: 1,
        "option": lambda: 1,
        "mode": lambda: "rb",
        "curve name": lambda: "prime256v1",
        "curve": lambda: crypto.get_elliptic_curve("prime256v1"),
    }
    return values[kind]()


def cases(table):
    for method, kinds in table.items():
        for place, kind in enumerate(kinds):
            for bad in WRONG[kind] + BAD.get(kind, []):
                name = f"{method}-{place}-{type(bad).__name__}-{str(bad)[:12]!r}"
                yield pytest.param(method, place, bad, id=name)


def cases_of(classes):
    """The same for tables of classes."""
    for class_, (table, _, _) in classes.items():
        for case in cases(table):
            yield pytest.param(class_, *case.values, id=f"{class_.__name__}.{case.id}")


def refused(call, method, place, bad, table, good, certs):
    """Calls with one bad argument among good ones, which is refused clearly or is no error."""
    kinds = table[method]
    arguments = [bad if at == place else value(kind, certs) for at, kind in enumerate(kinds)]
    is_good = isinstance(bad, (bytes, str, int, type(None))) and (method, place, bad) in good
    expected = TypeError if any(bad is one for one in WRONG[kinds[place]]) else CLEAR
    try:
        call(*arguments)
    except SSL.WantReadError:
        assert is_good
    except expected as error:
        assert not is_good, repr(error)
        assert str(error)
    else:
        assert is_good


def methods_with_arguments(class_):
    """Returns the names of a class's methods that take arguments, its initialiser not."""
    return {
        name
        for name, method in inspect.getmembers(class_, inspect.isroutine)
        if not name.startswith("_")
        and [one for one in inspect.signature(method).parameters.values() if one.name != "self"
             and one.kind is not one.KEYWORD_ONLY]
    }
