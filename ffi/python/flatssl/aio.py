"""Connections for asyncio.

    async def certificate_for(connection):
        connection.set_context(await contexts.find(connection.server_name()))

    listener = aio.Listener(context, "127.0.0.1", 4433, client_hello=certificate_for)
    async with await listener.accept() as connection:
        await connection.sendall((await connection.recv()).upper())

What a handshake asks is decided by coroutines, while other connections go on:

    client_hello(connection)  on a server; returns None to go on, or the alert to refuse with
    certificate(connection)   returns whether to send the certificate that is set by then
    verify(connection)        returns None to take the peer if every error was waived, or the
                              X509_V_ code to refuse it with

One that raises refuses the peer, and the exception comes out of the call that made the handshake.
"""

import asyncio
import socket
import typing

from . import errors
from ._load import lib
from .connection import Connection as Blocking
from .context import Context
from .types import Buffer

INTERNAL_ERROR, UNSPECIFIED = 80, 1  # an alert and an X509_V_ code, for a decision that failed

Decision = typing.Callable[[Blocking], typing.Awaitable]


class _Question(typing.NamedTuple):
    ask: int
    answer: typing.Callable
    refusal: object


QUESTIONS = {
    "client_hello": _Question(
        lib.FSSL_ASK_CLIENT_HELLO, lambda conn, alert: conn.answer_hello(alert or 0), INTERNAL_ERROR
    ),
    "certificate": _Question(
        lib.FSSL_ASK_CERTIFICATE, lambda conn, send: conn.answer_certificate(bool(send)), False
    ),
    "verify": _Question(
        lib.FSSL_ASK_VERIFY, lambda conn, code: conn.answer_verify(code or 0), UNSPECIFIED
    ),
}
ASKED_BY = {
    errors.WantClientHelloError: "client_hello",
    errors.WantX509LookupError: "certificate",
    errors.WantVerifyError: "verify",
}


class _Awaited:
    """What waits for a connection's socket. Any number of coroutines may."""

    def __init__(self, connection: Blocking):
        connection.settimeout(0)
        self.connection = connection
        self._futures: typing.Dict[bool, asyncio.Future] = {}
        self._fd = connection.fileno()
        self._loop = asyncio.get_running_loop()

    async def _ready(self) -> None:
        """Waits until the socket is as the last call wants it, or another call has got on."""
        wanted = [bool(self.connection.want_read()), bool(self.connection.want_write())]
        futures = [self._future(writes) for writes in (False, True) if wanted[writes]]
        await asyncio.wait(futures or [self._future(False)], return_when=asyncio.FIRST_COMPLETED)

    def _future(self, writes: bool) -> asyncio.Future:
        if writes not in self._futures:
            self._futures[writes] = self._loop.create_future()
            add = self._loop.add_writer if writes else self._loop.add_reader
            add(self._fd, self._wake, writes)
        return self._futures[writes]

    def _wake(self, writes: bool) -> None:
        future = self._futures.pop(writes, None)
        if future is not None:
            (self._loop.remove_writer if writes else self._loop.remove_reader)(self._fd)
            if not future.done():
                future.set_result(None)

    async def _complete(self, call, *arguments):
        """Calls until there is a result."""
        while True:
            try:
                result = call(*arguments)
            except (errors.WantReadError, errors.WantWriteError):
                await self._ready()
            else:
                self._wake_all()  # it may have read what another waits for
                return result

    def _wake_all(self) -> None:
        for writes in list(self._futures):
            self._wake(writes)

    def close(self) -> None:
        """Closes at once. Those who wait get an exception."""
        self._wake_all()
        self.connection.close()


class Connection(_Awaited):
    """A connection whose calls are awaited. Everything else is in its connection attribute."""

    def __init__(self, connection: Blocking, **decisions: "Decision | None") -> None:
        """Takes over a connection of flatssl.Context.wrap, or one that was accepted."""
        super().__init__(connection)
        self._decisions = {name: decide for name, decide in decisions.items() if decide}
        self._undecided = set(self._decisions)
        self._deciding = asyncio.Lock()
        if self._decisions:
            connection.ask(sum(QUESTIONS[name].ask for name in self._decisions))

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(
        self, error_type: typing.Any, error: typing.Any, traceback: typing.Any
    ) -> None:
        try:
            if error is None:
                await self.shutdown()
        except errors.Error:
            pass  # the peer has gone first, or there was no handshake
        finally:
            self.close()

    async def _complete(self, call, *arguments):
        while True:
            try:
                return await super()._complete(call, *arguments)
            except tuple(ASKED_BY) as question:
                await self._decide(ASKED_BY[type(question)])

    async def _decide(self, name: str) -> None:
        async with self._deciding:
            if name not in self._undecided:
                return  # by another coroutine that was asked, too
            question = QUESTIONS[name]
            try:
                answer = await self._decisions[name](self.connection)
            except Exception:
                await self._refuse(question)
                raise
            question.answer(self.connection, answer)
            self._undecided.discard(name)

    async def _refuse(self, question: _Question) -> None:
        question.answer(self.connection, question.refusal)
        try:
            self.connection.do_handshake()  # sends the alert
        except errors.Error:
            pass

    async def do_handshake(self) -> None:
        await self._complete(self.connection.do_handshake)

    async def recv(self, bufsize: int = 16384) -> bytes:
        """Receives at most bufsize bytes; none when the peer has ended the stream."""
        return await self._complete(self.connection.recv, bufsize)

    async def sendall(self, data: Buffer) -> None:
        view = memoryview(data).cast("B")
        while len(view) > 0:
            view = view[await self._complete(self.connection.send, view) :]
        await self._complete(self.connection.flush)

    async def shutdown(self) -> bool:
        """Says to the peer that no more is sent. Returns whether it has said the same."""
        return await self._complete(self.connection.shutdown)


class Listener(_Awaited):
    """Accepts clients of a server's context; the decisions are those of every connection."""

    def __init__(
        self,
        context: Context,
        host: str = "127.0.0.1",
        port: int = 0,
        **decisions: "Decision | None",
    ) -> None:
        super().__init__(context.listen(host, port))
        self._decisions = decisions

    async def accept(self) -> Connection:
        """Waits for a client. Its handshake is made by its first call."""
        return Connection(await self._complete(self.connection.accept), **self._decisions)

    def port(self) -> int:
        return self.connection.getsockname()[1]


async def connect(
    context: Context, host: str, port: int, **decisions: "Decision | None"
) -> Connection:
    """Connects to a server and returns the connection, its handshake done."""
    loop, failure = asyncio.get_running_loop(), OSError("the host has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
            continue
        connection = Connection(context.wrap(sock, host), **decisions)
        try:
            await connection.do_handshake()
        except BaseException:
            connection.close()
            raise
        return connection
    raise failure
