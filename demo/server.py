"""A small HTTPS server over flatssl: serves one page on 127.0.0.1 to any number of clients.

    python3 server.py CERTIFICATE-CHAIN PRIVATE-KEY

Prints its port, then serves until its standard input ends.
"""

import sys
import threading

import flatssl

PAGE = b"""<!doctype html>
<title>flatssl</title>
<p>This page came over TLS: from Python, through libflatssl, to you.
"""


def serve(connection):
    """Answers one request."""
    with connection:
        request = connection.makefile("rb")
        while request.readline() not in (b"\r\n", b"\n", b""):
            pass
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n"
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + PAGE)


def answer(connection):
    try:
        serve(connection)
    except flatssl.Error as error:  # a client that refuses us is its own right
        print(f"server: {str(error).splitlines()[0]}", file=sys.stderr)


def accept_all(listener):
    while True:
        try:
            connection = listener.accept()
        except flatssl.Error:
            return
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def main(chain, key):
    context = flatssl.Context.server(chain, key)
    listener = context.listen("127.0.0.1", 0)
    threading.Thread(target=accept_all, args=(listener,), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    listener.close()


main(*sys.argv[1:])
