"""Connections for asyncio: questions that are answered by what was awaited."""

import asyncio
import time

import pytest

import flatssl
from flatssl import aio

VERSIONS = pytest.mark.parametrize("version", [flatssl.TLS1_2_VERSION, flatssl.TLS1_3_VERSION])
LATE = 0.2
APPLICATION_VERIFICATION, ACCESS_DENIED = 50, 49


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


async def echo(listener):
    """Serves one client. Returns the connection, closed, or what it failed with."""
    async with await listener.accept() as connection:
        data = await connection.recv()
        while data:
            await connection.sendall(data)
            data = await connection.recv()
    return connection


async def ends(client_context, server_context, *, client=None, **decisions):
    """Connects and says hello. Returns what became of the client and of the server."""
    listener = aio.Listener(server_context, **decisions)

    async def visit():
        async with await aio.connect(
            client_context, "localhost", listener.port(), **(client or {})
        ) as connection:
            await connection.sendall(b"hello")
            return await connection.recv()

    try:
        return await asyncio.gather(visit(), echo(listener), return_exceptions=True)
    finally:
        listener.close()


@VERSIONS
def test_a_server_name_is_looked_up(client_context, server_context, certs, version):
    client_context.set_max_proto_version(version)
    names, asked = {"localhost": server_context}, []

    async def lookup(connection):
        asked.append(connection.server_name())
        await asyncio.sleep(LATE)
        connection.set_context(names[connection.server_name()])

    empty = flatssl.Context()
    client, server = run(ends(client_context, empty, client_hello=lookup))
    assert client == b"hello" and asked == ["localhost"] and isinstance(server, aio.Connection)


def test_lookups_run_at_once(client_context, server_context):
    count = 20

    async def slow(connection):
        await asyncio.sleep(LATE)

    async def many():
        listener = aio.Listener(server_context, client_hello=slow)

        async def visit():
            async with await aio.connect(client_context, "localhost", listener.port()) as conn:
                await conn.sendall(b"hello")
                return await conn.recv()

        async def serve():
            return await asyncio.gather(*[echo(listener) for _ in range(count)])

        try:
            return (await asyncio.gather(serve(), *[visit() for _ in range(count)]))[1:]
        finally:
            listener.close()

    began = time.monotonic()
    assert run(many()) == [b"hello"] * count
    assert time.monotonic() - began < count * LATE / 2


@VERSIONS
@pytest.mark.parametrize("raises", [False, True])
def test_a_hello_is_refused(client_context, server_context, version, raises):
    client_context.set_max_proto_version(version)

    async def refuse(connection):
        await asyncio.sleep(0)
        if raises:
            raise KeyError(connection.server_name())
        return ACCESS_DENIED

    client, server = run(ends(client_context, server_context, client_hello=refuse))
    assert isinstance(client, flatssl.AlertError)
    assert client.alert == (80 if raises else ACCESS_DENIED)
    assert isinstance(server, KeyError if raises else flatssl.TLSError)


@VERSIONS
@pytest.mark.parametrize("taken", [False, True])
def test_a_client_decides_about_the_server(client_context, certs, version, taken):
    client_context.set_max_proto_version(version)
    untrusted = flatssl.Context.server(certs.untrusted.cert, certs.untrusted.key)

    async def verify(connection):
        await asyncio.sleep(LATE)
        assert connection.verify_errors()
        connection.waive_verify_error()
        return None if taken else APPLICATION_VERIFICATION

    client, server = run(ends(client_context, untrusted, client={"verify": verify}))
    if taken:
        assert client == b"hello"
    else:
        assert isinstance(client, flatssl.VerifyError)
        assert client.verify_code == APPLICATION_VERIFICATION
        assert isinstance(server, flatssl.AlertError)


@VERSIONS
@pytest.mark.parametrize("known", [False, True])
def test_certificates_of_clients(client_context, server_context, certs, version, known):
    client_context.set_max_proto_version(version)
    server_context.set_verify(flatssl.VERIFY_PEER)
    files = certs.client if known else certs.untrusted

    async def certificate(connection):
        await asyncio.sleep(LATE)
        connection.use_certificate(flatssl.Certificate.from_pem(files.cert.read_bytes()))
        connection.use_private_key(flatssl.Key.from_pem(files.key.read_bytes()))
        return True

    async def verify(connection):
        await asyncio.sleep(LATE)
        connection.waive_verify_error()
        mine = flatssl.Certificate.from_pem(certs.client.cert.read_bytes())
        same = connection.peer_certificate().to_der() == mine.to_der()
        return None if same else APPLICATION_VERIFICATION

    client, server = run(
        ends(client_context, server_context, client={"certificate": certificate}, verify=verify)
    )
    if known:
        assert client == b"hello"
    else:
        assert isinstance(client, flatssl.AlertError)
        assert isinstance(server, flatssl.VerifyError)


@VERSIONS
def test_both_directions_at_once(client_context, server_context, version):
    client_context.set_max_proto_version(version)
    sent = bytes(range(256)) * 16384

    async def flood():
        listener = aio.Listener(server_context)
        serving = asyncio.create_task(echo(listener))
        async with await aio.connect(client_context, "localhost", listener.port()) as connection:
            sending = asyncio.create_task(connection.sendall(sent))
            got = b""
            while len(got) < len(sent):
                got += await connection.recv(65536)
            await sending
        await serving
        listener.close()
        return got

    assert run(flood()) == sent


def test_a_wait_ends_when_it_is_cancelled_or_closed(client_context, server_context):
    async def wait():
        listener = aio.Listener(server_context)
        serving = asyncio.create_task(echo(listener))
        connection = await aio.connect(client_context, "localhost", listener.port())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(connection.recv(), LATE)
        await connection.sendall(b"goes on")
        assert await connection.recv() == b"goes on"
        waiting = asyncio.create_task(connection.recv())
        await asyncio.sleep(0)
        connection.close()
        with pytest.raises(flatssl.Error):
            await waiting
        with pytest.raises(flatssl.Error):
            await serving  # cut off
        listener.close()

    run(wait())


def test_nobody_there(client_context):
    async def connect():
        with pytest.raises(ConnectionRefusedError):
            await aio.connect(client_context, "127.0.0.1", 1)

    run(connect())
