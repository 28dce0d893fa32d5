"""Green threads over eventlet.green.OpenSSL on both sides: prints what each exchange came to.

    python3 echo_eventlet.py CERTIFICATE KEY CA-FILE
"""

import sys

import eventlet
from eventlet.green import socket
from eventlet.green.OpenSSL import SSL

CLIENTS = 20
BIG = bytes(range(256)) * 2048  # 512 KiB: more than a socket takes at once


def context_of(*credentials):
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.set_options(SSL.OP_NO_SSLv2 | SSL.OP_NO_SSLv3)
    if credentials:
        context.use_certificate_file(credentials[0])
        context.use_privatekey_file(credentials[1])
        context.check_privatekey()
    return context


def received(connection, size):
    data = b""
    while len(data) < size:
        data += connection.recv(min(65536, size - len(data)))
    return data


def serve(listener, context):
    while True:
        client, _ = listener.accept()
        connection = SSL.Connection(context, client)
        connection.set_accept_state()
        eventlet.spawn_n(answer, connection)


def answer(connection):
    try:
        size = int(received(connection, 8))
        connection.sendall(received(connection, size))
        connection.shutdown()
        connection.close()
    except SSL.Error:
        pass  # a client that refuses us


def ask(port, context, data):
    sock = socket.socket()
    sock.connect(("127.0.0.1", port))
    connection = SSL.Connection(context, sock)
    connection.set_connect_state()
    connection.do_handshake()
    connection.sendall(b"%08d" % len(data) + data)
    echo = received(connection, len(data))
    connection.shutdown()
    connection.close()
    return echo == data


def main(cert, key, ca):
    listener = eventlet.listen(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    eventlet.spawn_n(serve, listener, context_of(cert, key))
    trusting = context_of()
    trusting.load_verify_locations(ca)
    trusting.set_verify(SSL.VERIFY_PEER, lambda conn, cert, error, depth, ok: ok)
    print("one", ask(port, trusting, b"hello"))
    with eventlet.Timeout(60):
        pile = eventlet.GreenPile(CLIENTS)
        for number in range(CLIENTS):
            pile.spawn(ask, port, trusting, bytes([number]) + BIG)
        print("many at once", list(pile))
    refusing = context_of()
    refusing.set_verify(SSL.VERIFY_PEER, lambda conn, cert, error, depth, ok: ok)
    try:
        ask(port, refusing, b"hello")
    except SSL.Error as error:
        print("untrusted", error.args[0][0][2])


main(*sys.argv[1:])
