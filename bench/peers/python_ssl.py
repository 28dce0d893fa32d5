"""A peer (see protocol.h): Python's own ssl module."""

import socket
import ssl
import sys
import time

FOLDER = sys.argv[1]
SIZES = {"64": 64, "1k": 1 << 10, "16k": 1 << 14, "1m": 1 << 20}


def context(server, mutual):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    if server or mutual:
        made.load_cert_chain(f"{FOLDER}/{'server' if server else 'client'}.pem")
    if mutual or not server:
        made.load_verify_locations(f"{FOLDER}/ca.pem")
        made.verify_mode = ssl.CERT_REQUIRED
    return made


CONTEXTS = {mutual: (context(False, mutual), context(True, mutual)) for mutual in (False, True)}
listener = socket.create_server(("127.0.0.1", 0))


def try_handshake(end):
    try:
        end.do_handshake()
        return True
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False


class Memory:
    """Both ends on memory."""

    def __init__(self, mutual=False):
        client, server = CONTEXTS[mutual]
        self.to_server, self.to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.from_client, self.from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.to_client, self.from_client,
                                      server_hostname="localhost")
        self.server = server.wrap_bio(self.to_server, self.from_server, server_side=True)
        done = False
        while not done:
            done = try_handshake(self.client)
            self.to_server.write(self.from_client.read())
            done = try_handshake(self.server) and done
            if not done:
                self.to_client.write(self.from_server.read())

    def close(self):
        pass

    def forth(self, message):
        size = len(message)
        self.client.write(message)
        self.to_server.write(self.from_client.read())
        while size:
            size -= len(self.server.read(size))

    def back(self, message):
        self.server.write(message)
        self.to_client.write(self.from_server.read())
        return self.client.read(len(message))


class Loopback:
    """Both ends on TCP, none of which blocks."""

    def __init__(self, mutual=False):
        client, server = CONTEXTS[mutual]
        near = socket.create_connection(listener.getsockname())
        far = listener.accept()[0]
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = client.wrap_socket(near, server_hostname="localhost",
                                         do_handshake_on_connect=False)
        self.server = server.wrap_socket(far, server_side=True, do_handshake_on_connect=False)
        client_done = server_done = False
        while not (client_done and server_done):
            client_done = client_done or try_handshake(self.client)
            server_done = server_done or try_handshake(self.server)

    def close(self):
        self.client.close()
        self.server.close()

    def forth(self, message):
        rest, size = memoryview(message), len(message)
        while size:
            try:
                if rest:
                    rest = rest[self.client.send(rest):]
                while size:
                    size -= len(self.server.recv(size))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass

    def back(self, message):
        self.server.send(message)
        while True:
            try:
                return self.client.recv(len(message))
            except ssl.SSLWantReadError:
                pass


kept = {}


def link(way):
    """Returns the link that stays, its ends as agreed."""
    if way not in kept:
        made = kept[way] = way()
        for end in (made.client, made.server):
            assert end.cipher()[0] == "TLS_AES_128_GCM_SHA256" and end.version() == "TLSv1.3"
        made.forth(b"x")
        made.back(b"x")
    return kept[way]


def run(subject, count):
    what, _, way = subject.rpartition("_")
    way = {"memory": Memory, "loopback": Loopback}[way]
    made = link(way)
    start = time.process_time()
    if what in ("handshake", "mutual"):
        for _ in range(count):
            way(what == "mutual").close()
    elif what == "echo":
        message = b"m" * 64
        for _ in range(count):
            made.forth(message)
            made.back(message)
    else:
        message = b"m" * SIZES[what.removeprefix("bulk_")]
        for _ in range(count):
            made.forth(message)
    return time.process_time() - start


for line in sys.stdin:
    name, times = line.split()
    try:
        print(run(name, int(times)), flush=True)
    except KeyError:
        print("- no such subject", flush=True)
