"""Python's _ssl, libflatssl and its private build in one process, each talking with each.

    python.py first|last <plain library> <private library> <folder of certificates>

Python's ssl module is imported first, or last. Ends in "N passed, N failed, N skipped".
"""

import pathlib
import sys
import traceback

import cffi

HEADER = pathlib.Path(__file__).resolve().parents[2] / "abi" / "flatssl_decl.h"
BUFFER = 65536


class PythonEnd:
    """One end of a connection on memory, by Python's ssl module."""

    def __init__(self, ssl, folder, server, name="localhost"):
        self.ssl = ssl
        protocol = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
        context = ssl.SSLContext(protocol)
        if server:
            context.load_cert_chain(folder / "server.pem", folder / "server.key")
        else:
            context.load_verify_locations(folder / "ca.pem")
        self.input, self.output = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.stream = context.wrap_bio(
            self.input, self.output, server_side=server, server_hostname=None if server else name
        )

    def shake(self):
        try:
            self.stream.do_handshake()
        except self.ssl.SSLWantReadError:
            return False
        return True

    def send(self, data):
        self.stream.write(data)

    def receive(self):
        return self.stream.read(BUFFER)

    def drain(self):
        return self.output.read()

    def feed(self, data):
        self.input.write(data)

    def close(self):
        self.stream = None


class Failure(Exception):
    """What flatssl refused; code is its FSSL_E_ code."""


class Flatssl:
    """One loaded copy of the library."""

    def __init__(self, path):
        self.ffi = cffi.FFI()
        self.ffi.cdef(HEADER.read_text(encoding="utf-8"))
        self.lib = self.ffi.dlopen(str(path))

    def call(self, name, *arguments):
        """Calls a function; a str or bytes goes in with its length."""
        flat = []
        for argument in arguments:
            if isinstance(argument, (str, pathlib.Path)):
                argument = str(argument).encode()
            flat += [argument, len(argument)] if isinstance(argument, bytes) else [argument]
        err = self.ffi.new("int32_t *")
        result = getattr(self.lib, name)(*flat, err)
        if result < 0:
            failure = Failure(f"{name}: {err[0]}")
            failure.code = err[0]
            raise failure
        return result

    def end(self, folder, server, name="localhost"):
        return FlatsslEnd(self, folder, server, name)


class FlatsslEnd:
    """The same by a copy of flatssl."""

    def __init__(self, library, folder, server, name):
        self.library, self.call = library, library.call
        context = self.call(f"fssl_ctx_new_{'server' if server else 'client'}")
        if server:
            self.call("fssl_ctx_use_certificate_chain_file", context, folder / "server.pem")
            self.call("fssl_ctx_use_private_key_file", context, folder / "server.key", 1)
        else:
            nothing = library.ffi.NULL
            self.call("fssl_ctx_load_verify_locations", context, folder / "ca.pem", nothing, 0)
        self.conn = self.call("fssl_conn_new_memory", context)
        self.call("fssl_handle_close", context)
        if not server:
            self.call("fssl_conn_set_host", self.conn, name)

    def shake(self):
        try:
            self.call("fssl_conn_do_handshake", self.conn)
        except Failure as failure:
            if failure.code == self.library.lib.FSSL_E_WANT_READ:
                return False
            raise
        return True

    def send(self, data):
        self.call("fssl_conn_send_all", self.conn, data, self.library.ffi.NULL)

    def receive(self):
        return self._read("fssl_conn_recv", 0)

    def drain(self):
        try:
            return self._read("fssl_conn_bio_read")
        except Failure:
            return b""

    def feed(self, data):
        self.call("fssl_conn_bio_write", self.conn, data)

    def close(self):
        self.call("fssl_handle_close", self.conn)

    def _read(self, name, *after):
        buffer = self.library.ffi.new("uint8_t[]", BUFFER)
        got = self.call(name, self.conn, buffer, BUFFER, *after)
        return bytes(self.library.ffi.buffer(buffer, got))


# ---- what is tried ----


def shake(client, server):
    for _ in range(10):
        done = [client.shake()]
        server.feed(client.drain())
        done.append(server.shake())
        client.feed(server.drain())
        if all(done):
            return
    raise AssertionError("the handshake does not end")


def talk(client, server):
    """Shakes hands and sends a word each way."""
    shake(client, server)
    client.send(b"there")
    server.feed(client.drain())
    assert server.receive() == b"there"
    server.send(b"and back")
    client.feed(server.drain())
    assert client.receive() == b"and back"
    client.close()
    server.close()


def refused(client, server):
    """Tells whether the client refuses the server; the failure must leave nothing to the others."""
    try:
        shake(client, server)
    except Failure as failure:
        return failure.code == client.library.lib.FSSL_E_HOST
    except OSError as failure:
        return "certificate verify failed" in str(failure)
    finally:
        client.close()
        server.close()
    return False


def foreign(one, other):
    """Tells whether a copy refuses the handle of another."""
    context = one.call("fssl_ctx_new_client")
    try:
        other.call("fssl_handle_type", context)
    except Failure as failure:
        return failure.code == other.lib.FSSL_E_HANDLE
    finally:
        one.call("fssl_handle_close", context)
    return False


def cases(ssl, copies, folder):
    """Yields (title, whether it went well) for each."""
    ends = {name: copy.end for name, copy in copies.items()}
    ends["Python"] = lambda *arguments: PythonEnd(ssl, *arguments)
    for client, make_client in ends.items():
        for server, make_server in ends.items():
            talk(make_client(folder, False), make_server(folder, True))
            yield f"{client} talks with {server}", True
            good = refused(make_client(folder, False, "wrong.example"), make_server(folder, True))
            yield f"{client} refuses {server} of another name", good
    plain, private = copies.values()
    yield "a copy refuses the other's handle", foreign(plain, private) and foreign(private, plain)
    for name, copy in copies.items():
        yield f"{name} leaves no handle", copy.call("fssl_handle_count", 0) == 0


def main(order, plain, private, folder):
    if order == "first":
        import ssl
    copies = {"plain": Flatssl(plain), "private": Flatssl(private)}
    if order == "last":
        import ssl
    counts = {True: 0, False: 0}
    try:
        for title, good in cases(ssl, copies, pathlib.Path(folder)):
            counts[good] += 1
            print(f"{'passed' if good else 'FAILED'} {title}")
    except Exception:
        traceback.print_exc()
        counts[False] += 1
    print(f"{counts[True]} passed, {counts[False]} failed, 0 skipped")
    return counts[False] != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
