"""TLS in an asyncio program: flatssl works in memory, asyncio carries its bytes.

    python3 asyncio_tls.py fetch HOST PORT CA       fetches a page over HTTPS
    python3 asyncio_tls.py echo CHAIN KEY CLIENTS   prints its port, says to so many clients in
                                                    capitals what they say, and ends
"""

import asyncio
import contextlib
import sys

import flatssl

PACKET = 1 << 16


class Stream:
    """A TLS stream over asyncio's reader and writer. One task may read while another writes."""

    def __init__(self, connection, reader, writer):
        self.connection, self.reader, self.writer = connection, reader, writer

    async def handshake(self):
        await self._pump(0)

    async def read(self, size=PACKET):
        """Returns what has come, at least a byte, or none at the end of the stream."""
        return await self._pump(size)

    async def write(self, data):
        view = memoryview(data)
        while view:
            with contextlib.suppress(flatssl.WantWriteError):  # 1 MiB of ciphertext waits
                view = view[self.connection.send(view) :]
            await self._flush()

    async def close(self):
        """Ends the stream in order."""
        with contextlib.suppress(flatssl.Error, OSError):
            self.connection.shutdown()
            await self._flush()
        self.connection.close()
        self.writer.close()

    async def _pump(self, size):
        """Goes on packet by packet until there is what was asked for."""
        packet = b""
        while True:
            plain, out, _, error = self.connection.pump(packet, size)
            self.writer.write(out)  # also where it failed: an alert
            await self.writer.drain()
            if error is None or isinstance(error, flatssl.ZeroReturnError):
                return plain
            if not isinstance(error, flatssl.WantError):
                raise error
            packet = await self.reader.read(PACKET)
            if not packet:
                self.connection.bio_shutdown()

    async def _flush(self):
        with contextlib.suppress(flatssl.WantReadError):  # no more of it
            while True:
                self.writer.write(self.connection.bio_read(PACKET))
        await self.writer.drain()


# ---- a client ----


async def fetch(host, port, ca):
    """Fetches a page of a server that the CA vouches for."""
    connection = flatssl.Connection(flatssl.Context.client(cafile=ca), None, host=host)
    stream = Stream(connection, *await asyncio.open_connection(host, int(port)))
    try:
        await stream.handshake()
        await stream.write(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        while data := await stream.read():
            sys.stdout.buffer.write(data)
    finally:
        await stream.close()


# ---- a server ----


async def answer(stream):
    await stream.handshake()
    while data := await stream.read():
        await stream.write(data.upper())


async def echo(chain, key, clients):
    """Serves so many clients, all at once."""
    context = flatssl.Context.server(chain, key)
    left, done = int(clients), asyncio.Event()

    async def serve(reader, writer):
        nonlocal left
        stream = Stream(flatssl.Connection(context, None), reader, writer)
        try:
            await answer(stream)
        except (flatssl.Error, OSError) as error:
            print(f"a client was lost: {error}", file=sys.stderr)
        finally:
            await stream.close()
            left -= 1
            if left == 0:
                done.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await done.wait()


def main():
    try:
        asyncio.run({"fetch": fetch, "echo": echo}[sys.argv[1]](*sys.argv[2:]))
    except flatssl.Error as error:
        sys.exit(f"{error.name}: {error}")


main()
