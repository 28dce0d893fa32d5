"""Sends its standard input to a TLS server while it prints what comes from there: two threads, one
connection, no lock.

    python3 full_duplex.py HOST PORT CA
"""

import sys
import threading

import flatssl

PIECE = 1 << 16


def say(connection):
    """Sends the standard input, and then that it has ended."""
    while piece := sys.stdin.buffer.read1(PIECE):
        connection.sendall(piece)
    connection.shutdown()


def hear(connection):
    """Prints what comes until the server ends the stream."""
    while piece := connection.recv():
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


def main(host, port, ca):
    context = flatssl.Context.client(cafile=ca)
    with context.connect(host, int(port)) as connection:
        saying = threading.Thread(target=say, args=(connection,), daemon=True)
        saying.start()
        hear(connection)
        connection.cancel()  # if the server ended first, nobody hears the rest


try:
    main(*sys.argv[1:])
except flatssl.Error as error:
    sys.exit(f"{error.name}: {error}")
