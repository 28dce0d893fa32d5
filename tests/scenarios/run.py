"""Runs the scenarios of a directory from Python. Prints a line for each: its number and the code
with which the handshake of a fresh client ended."""

import pathlib
import sys

import flatssl
from flatssl import _abi
from flatssl._load import lib

ROUNDS = 100


def client_context(folder, number, crl):
    context = flatssl.Context.client(cadata=(folder / f"{number}.trust").read_bytes())
    if crl:
        _abi.store_set_flags(context.cert_store(), lib.FSSL_STORE_CRL_CHECK)
    return context


def server_context(folder, number):
    """A server as lax as can be: what it shows is for the client to judge."""
    context = flatssl.Context(lib.FSSL_TLS_SERVER_METHOD)
    context.set_security_level(0)
    context.use_certificate_chain_file(folder / f"{number}.chain")
    context.use_private_key_file(folder / f"{number}.key")
    return context


def carry(source, target):
    try:
        target.bio_write(source.bio_read(1 << 18))
    except flatssl.WantReadError:
        pass


def advance(end):
    """Takes one step of a handshake. Returns the code with which it ended, None if it goes on."""
    try:
        end.do_handshake()
    except flatssl.WantReadError:
        return None
    except flatssl.Error as error:
        return error.name
    return "FSSL_OK"


def run(folder, number, host, crl):
    theirs = flatssl.Connection(server_context(folder, number))
    theirs.set_accept_state()
    try:
        ours = flatssl.Connection(client_context(folder, number, crl), host=host)
    except flatssl.Error as error:
        return error.name
    for _ in range(ROUNDS):
        code = advance(ours)
        if code:
            return code
        carry(ours, theirs)
        advance(theirs)
        carry(theirs, ours)
    return "no end"


FOLDER = pathlib.Path(sys.argv[1])
for line in (FOLDER / "scenarios.tsv").read_text("utf-8").splitlines():
    number, _, _, host, crl = line.split("\t")
    print(number, run(FOLDER, number, host, crl == "1"), sep="\t")
