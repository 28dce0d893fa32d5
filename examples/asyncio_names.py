"""python3 asyncio_names.py folder [port]: a web server whose certificate is looked up by the name
that a client asks for, by asyncio and without a callback.

The folder has name.pem and name.key for each name. A slow lookup keeps only its own client waiting.
"""

import asyncio
import pathlib
import re
import sys

import flatssl
from flatssl import aio

UNRECOGNIZED_NAME = 112
NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


class Names:
    """The contexts of the names that were asked for."""

    def __init__(self, folder: str):
        self._folder = pathlib.Path(folder)
        self._contexts = {}

    async def choose(self, connection: flatssl.Connection) -> "int | None":
        """Gives a connection the context of its name. Returns the alert if there is none."""
        name = connection.server_name().lower()
        if not NAME.fullmatch(name):
            return UNRECOGNIZED_NAME
        if name not in self._contexts:
            try:
                self._contexts[name] = await asyncio.to_thread(self._load, name)
            except FileNotFoundError:
                return UNRECOGNIZED_NAME
        connection.set_context(self._contexts[name])
        return None

    def _load(self, name: str) -> flatssl.Context:
        certificate = self._folder / f"{name}.pem"
        if not certificate.exists():
            raise FileNotFoundError(certificate)
        return flatssl.Context.server(certificate, self._folder / f"{name}.key")


async def serve(connection: aio.Connection) -> None:
    try:
        async with connection:
            await asyncio.wait_for(connection.recv(), 10)
            body = f"hello from {connection.connection.server_name()}\n".encode()
            await connection.sendall(
                b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
    except (flatssl.Error, asyncio.TimeoutError) as error:
        print(str(error).splitlines()[0], flush=True)


async def main(folder: str, port: int = 0) -> None:
    nameless = flatssl.Context(flatssl.TLS_SERVER_METHOD)
    nameless.set_min_proto_version(flatssl.TLS1_2_VERSION)
    listener = aio.Listener(nameless, "127.0.0.1", int(port), client_hello=Names(folder).choose)
    print("listening on", listener.port(), flush=True)
    tasks = set()
    while True:
        task = asyncio.create_task(serve(await listener.accept()))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
