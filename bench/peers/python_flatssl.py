"""A peer (see protocol.h): flatssl from Python."""

import socket
import sys
import time

import flatssl

FOLDER = sys.argv[1]
PACKET = 1 << 16
SIZES = {"64": 64, "1k": 1 << 10, "16k": 1 << 14, "1m": 1 << 20}


def context(server, mutual):
    ca, own = f"{FOLDER}/ca.pem", f"{FOLDER}/{'server' if server else 'client'}.pem"
    if server:
        made = flatssl.Context.server(own, client_ca=ca if mutual else None)
    else:
        made = flatssl.Context.client(cafile=ca, certificate=own if mutual else None)
        made.set_resumption(0)
    made.set_min_proto_version(flatssl.TLS1_3_VERSION)
    made.set_cipher_list("ECDHE-ECDSA-AES128-GCM-SHA256")
    made.set_ciphersuites("TLS_AES_128_GCM_SHA256")
    made.set_groups("X25519:P-256")
    return made


CONTEXTS = {mutual: (context(False, mutual), context(True, mutual)) for mutual in (False, True)}
WANTS = (flatssl.WantReadError, flatssl.WantWriteError)
listener = socket.create_server(("127.0.0.1", 0))


def try_handshake(end):
    try:
        end.do_handshake()
        return True
    except WANTS:
        return False


class Memory:
    """Both ends on memory."""

    def __init__(self, mutual=False):
        client, server = CONTEXTS[mutual]
        self.client = flatssl.Connection(client, host="localhost")
        self.server = flatssl.Connection(server)
        packet, client_done, server_done = b"", False, False
        while not (client_done and server_done):
            _, packet, _, error = self.client.pump(packet, 0)
            client_done = error is None
            if not server_done:
                _, packet, _, error = self.server.pump(packet, 0)
                server_done = error is None
        self.client.bio_write(packet)

    def close(self):
        self.client.close()
        self.server.close()

    def forth(self, message):
        sealed = self.client.seal(message)
        left = len(message) - len(self.server.pump(sealed[0])[0])
        if left:
            self.rest(memoryview(message)[sealed[1] :], left)

    def rest(self, unsent, left):
        """Carries what was more than a packet."""
        while left:
            packet, sent, _ = self.client.seal(unsent)
            unsent = unsent[sent:]
            left -= len(self.server.pump(packet, PACKET).plain)

    def back(self, message):
        return self.client.pump(self.server.seal(message)[0])[0]


class Loopback:
    """Both ends on TCP, none of which blocks."""

    def __init__(self, mutual=False):
        client, server = CONTEXTS[mutual]
        near = socket.create_connection(listener.getsockname())
        far = listener.accept()[0]
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = client.wrap(near, host="localhost")
        self.server = server.wrap(far)
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
            except WANTS:
                pass

    def back(self, message):
        self.server.send(message)
        while True:
            try:
                return self.client.recv(len(message))
            except WANTS:
                pass


kept = {}


def link(way):
    """Returns the link that stays, its ends as agreed."""
    if way not in kept:
        made = kept[way] = way()
        for end in (made.client, made.server):
            assert end.cipher_name() == "TLS_AES_128_GCM_SHA256"
            assert end.group_name() == "x25519"
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
