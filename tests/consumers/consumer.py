"""A script made against FLATSSL_1.0, as it was then. See consumer.c for what it does.

It loads the library by cffi from the declarations of FLATSSL_HEADER, without the binding.
"""

import os
import sys

import cffi

PATIENCE = 20000

ffi = cffi.FFI()
with open(os.environ["FLATSSL_HEADER"], encoding="utf-8") as header:
    ffi.cdef(header.read())
lib = ffi.dlopen("libflatssl.so.1")
NULL = ffi.NULL


def text_of(write, *arguments):
    buffer = ffi.new("char[4096]")
    length = checked(write(*arguments, buffer, len(buffer), NULL))
    return ffi.string(buffer, length).decode()


def checked(result):
    if result < 0:
        sys.exit(text_of(lib.fssl_error_text, result))
    return result


def text(value):
    data = value.encode()
    return data, len(data)


def trusting(ca):
    ctx = checked(lib.fssl_ctx_new_client(NULL))
    checked(lib.fssl_ctx_load_verify_locations(ctx, *text(ca), NULL, 0, NULL))
    return ctx


def connected(ctx, host, port, name):
    """Makes a connection, and gives the context to it."""
    conn = checked(lib.fssl_conn_new(ctx, lib.FSSL_NO_FD, NULL))
    checked(lib.fssl_handle_close(ctx, NULL))
    checked(lib.fssl_conn_set_timeout(conn, PATIENCE, NULL))
    checked(lib.fssl_conn_set_host(conn, *text(name), NULL))
    checked(lib.fssl_conn_connect(conn, *text(host), int(port), NULL))
    return conn


def show(conn, count):
    protocol = text_of(lib.fssl_conn_protocol_version_name, conn)
    print(f"{protocol} {text_of(lib.fssl_conn_cipher_name, conn)}, {count} bytes")


def received(conn, most):
    """Reads until so much has come, or the peer ends."""
    data = bytearray()
    while len(data) < most:
        buffer = ffi.new("uint8_t[]", most - len(data))
        err = ffi.new("int32_t *")
        got = lib.fssl_conn_recv(conn, buffer, len(buffer), 0, err)
        if err[0] == lib.FSSL_E_ZERO_RETURN:
            break
        data += ffi.buffer(buffer, checked(got))
    return bytes(data)


def close(conn):
    checked(lib.fssl_handle_close(conn, NULL))
    return checked(lib.fssl_handle_count(lib.FSSL_TYPE_ANY, NULL)) == 0


def get(host, port, ca):
    conn = connected(trusting(ca), host, port, host)
    request = b"GET / HTTP/1.0\r\n\r\n"
    checked(lib.fssl_conn_do_handshake(conn, NULL))
    verified = lib.fssl_conn_verify_result(conn, NULL) == 0
    checked(lib.fssl_conn_send_all(conn, request, len(request), NULL, NULL))
    page = received(conn, 1 << 16)
    show(conn, len(page))
    return close(conn) and verified and page.startswith(b"HTTP/1.0 200 ")


def echo(host, port, ca, certificate, key):
    ctx = trusting(ca)
    checked(lib.fssl_ctx_use_certificate_chain_file(ctx, *text(certificate), NULL))
    checked(lib.fssl_ctx_use_private_key_file(ctx, *text(key), lib.FSSL_FILETYPE_PEM, NULL))
    conn = connected(ctx, host, port, host)
    said = os.urandom(10000)
    sent = ffi.new("int64_t *")
    checked(lib.fssl_conn_send_all(conn, said, len(said), sent, NULL))
    heard = received(conn, len(said))
    show(conn, len(heard))
    checked(lib.fssl_conn_shutdown(conn, NULL))
    return close(conn) and sent[0] == len(said) and heard == said


def refuse(host, port, ca, name):
    conn = connected(trusting(ca), host, port, name)
    err = ffi.new("int32_t *")
    result = lib.fssl_conn_do_handshake(conn, err)
    why = text_of(lib.fssl_error_text, result).split("\n")[0]
    print(f"{name} refused: {why}")
    codes = err[0], lib.fssl_error_code(result, NULL)
    return close(conn) and result < 0 and codes == (lib.FSSL_E_HOST, lib.FSSL_E_HOST)


SCENARIOS = {"get": get, "echo": echo, "refuse": refuse}

if __name__ == "__main__":
    sys.exit(not SCENARIOS[sys.argv[1]](*sys.argv[2:]))
