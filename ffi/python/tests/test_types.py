"""The types that the packages tell: all of them there, true to the code, and of use to programs."""

import importlib
import inspect
import os
import pathlib
import subprocess
import sys

import pytest

PYTHON = pathlib.Path(__file__).resolve().parents[1]
COMPAT = PYTHON / "compat"
MODULES = ["flatssl", "flatssl.SSL", "flatssl.crypto", "flatssl.aio"]

PROGRAM = '''
import socket

import flatssl
from OpenSSL import SSL, __version__, crypto
from OpenSSL.SSL import Connection, Context, Error, VERIFY_PEER


def verify(conn: Connection, cert: crypto.X509, error: int, depth: int, ok: int) -> bool:
    return bool(ok) and cert.get_subject().CN == "localhost"


def good(sock: socket.socket, name: bytes) -> "bytes | None":
    context = Context(SSL.TLS_METHOD)
    context.set_verify(VERIFY_PEER, verify)
    context.load_verify_locations("ca.pem")
    context.set_alpn_protos([b"h2"])
    conn = Connection(context, sock)
    conn.set_tlsext_host_name(name)
    cipher = conn.get_cipher_name()
    sent: int = conn.send(bytearray(b"data")) + conn.sendall(memoryview(b"data"))
    key = crypto.load_privatekey(crypto.FILETYPE_PEM, b"pem", lambda verify: b"secret")
    subject: "list[tuple[bytes, bytes]]" = crypto.X509().get_subject().get_components()
    print(__version__.upper(), key.bits() + sent, cipher.upper() if cipher else "", subject)
    with flatssl.connect("localhost", 443, timeout=5) as connection:
        pumped = connection.pump(b"packet")
        print(connection.peer_chain()[0].subject().items()[0][1].hex(), pumped.taken + 1)
        connection.ask(flatssl.ASK_VERIFY | flatssl.ASK_CERTIFICATE)
    try:
        return conn.recv(100)
    except (SSL.ZeroReturnError, Error) as error:
        print(error.code + 1, error.lines[0].reason.upper())
        return conn.master_key()


def wrong(context: SSL.Context, conn: SSL.Connection, cert: crypto.X509) -> None:
    SSL.Context("TLS")  # wrong
    context.set_options("1")  # wrong
    context.set_verify(1, lambda conn: True)  # wrong
    conn.send(5)  # wrong
    conn.get_cipher_name().upper()  # wrong
    conn.nothing_of_a_socket.anything()
    cert.set_version(b"2")  # wrong
    cert.nothing()  # wrong
    crypto.load_certificate(crypto.FILETYPE_PEM)  # wrong
    flatssl.Context.client(cafile=5)  # wrong
    flatssl.Context.client(trust="ca.pem")  # wrong
    flatssl.Connection(flatssl.Store())  # wrong
    flatssl.Key.from_pem("text")  # wrong
    print(flatssl.Key.generate(6, 2048).bits().upper())  # wrong
'''


def run(*arguments, **variables):
    places = f"{PYTHON}:{COMPAT}"
    imported = f"{places}:{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "MYPYPATH": places, "PYTHONPATH": imported, **variables}
    done = subprocess.run([sys.executable, "-m", *map(str, arguments)], env=environment,
                          capture_output=True, text=True, timeout=300, cwd=PYTHON)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return f"--cache-dir={tmp_path_factory.mktemp('mypy')}"


def test_the_code_keeps_to_them(cache):
    said = run("mypy", cache, "--disallow-incomplete-defs", "--no-implicit-reexport", "flatssl")
    assert said.startswith("Success"), said


def test_the_package_that_stands_in_has_the_same(cache):
    assert run("mypy.stubtest", "OpenSSL").startswith("Success")


def test_programs_are_checked(cache, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    lines = PROGRAM.split("\n")
    expected = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    said = run("mypy", cache, "--strict", "--no-error-summary", program)
    found = {int(line.split(":")[1]) for line in said.split("\n") if ": error:" in line}
    assert found == expected, said


def public_functions(module):
    for name, made in inspect.getmembers(module):
        if name.startswith("_"):
            continue
        if inspect.isfunction(made):
            yield name, made
        elif inspect.isclass(made) and made.__module__.startswith("flatssl"):
            for method, function in inspect.getmembers(made, inspect.isroutine):
                if not method.startswith("_") or method == "__init__":
                    yield f"{name}.{method}", function


def untyped(function):
    """Tells whether a function leaves out what it takes or returns."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # one of Python's own
        return False
    types = [one.annotation for one in signature.parameters.values()
             if one.name not in ("self", "cls")]
    ours = str(getattr(function, "__module__", "")).startswith("flatssl")
    return ours and inspect.Signature.empty in [*types, signature.return_annotation]


@pytest.mark.parametrize("name", MODULES)
def test_no_function_is_left_out(name):
    functions = dict(public_functions(importlib.import_module(name)))
    assert len(functions) > 15
    assert [name for name, function in functions.items() if untyped(function)] == []


@pytest.mark.parametrize("package", [PYTHON / "flatssl", COMPAT / "OpenSSL"])
def test_the_packages_say_that_they_have_them(package):
    assert (package / "py.typed").exists()
