"""A program outside the project that uses the installed package: a handshake in memory."""

import os
import sys

import flatssl
from flatssl import SSL, transfer

prefix = os.path.realpath(sys.argv[1])
assert os.path.realpath(flatssl.__file__).startswith(prefix), flatssl.__file__
assert transfer.COMPILED == (os.environ["FLATSSL_COMPILED"] == "1"), transfer.REASON
assert SSL.Context(SSL.TLS_METHOD)
client = flatssl.Connection(flatssl.Context.client(), host="localhost")
hello = client.pump(size=0)
assert isinstance(hello.error, flatssl.WantReadError) and hello.out[0] == 22
