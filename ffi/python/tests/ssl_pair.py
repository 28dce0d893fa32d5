"""Two ends of flatssl.SSL over memory, and the contexts that they are made of."""

import pytest

from flatssl import SSL
from flatssl._abi import Handle


def pump(*ends):
    """Carries ciphertext between two ends until nothing moves."""
    moved = True
    while moved:
        moved = False
        for one, other in (ends, ends[::-1]):
            try:
                other.bio_write(one.bio_read(1 << 16))
                moved = True
            except SSL.WantReadError:
                pass


def handshake(client, server):
    waiting = [client, server]
    for _ in range(20):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except SSL.WantReadError:
                pass
            pump(client, server)
        if not waiting:
            return
    raise AssertionError("the handshake does not end")


def settle(client, server):
    """Lets both read what is no data: tickets, or a renegotiation."""
    for _ in range(6):
        for end in client, server:
            try:
                end.recv(1)
            except SSL.WantReadError:
                pass
        pump(client, server)


def ends(client_context, server_context, name=b"localhost"):
    client = SSL.Connection(client_context, None)
    client.set_connect_state()
    client.set_tlsext_host_name(name)
    server = SSL.Connection(server_context, None)
    server.set_accept_state()
    return client, server


def let_go(owner):
    """Closes what pytest still holds, and drops its callbacks with what they hold."""
    Handle.close(owner)
    vars(owner).clear()


@pytest.fixture
def server_context(certs):
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.use_certificate_chain_file(bytes(certs.rsa.cert))
    context.use_privatekey_file(bytes(certs.rsa.key))
    yield context
    let_go(context)


@pytest.fixture
def client_context(certs):
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.load_verify_locations(bytes(certs.ca.cert))
    yield context
    let_go(context)


def established(client_context, server_context):
    """Two ends whose handshake is done, for a test; Connection.close would be the socket's."""
    client, server = ends(client_context, server_context)
    handshake(client, server)
    yield client, server
    let_go(client)
    let_go(server)


@pytest.fixture
def pair(client_context, server_context):
    yield from established(client_context, server_context)


def tls12(context):
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    return context


@pytest.fixture
def pair12(client_context, server_context):
    yield from established(tls12(client_context), server_context)
