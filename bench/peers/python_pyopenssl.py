"""A peer (see protocol.h): pyOpenSSL."""

import socket
import sys
import time

from OpenSSL import SSL

FOLDER = sys.argv[1]
PACKET = 1 << 15
SIZES = {"64": 64, "1k": 1 << 10, "16k": 1 << 14, "1m": 1 << 20}


def context(server, mutual):
    made = SSL.Context(SSL.TLS_SERVER_METHOD if server else SSL.TLS_CLIENT_METHOD)
    made.set_min_proto_version(SSL.TLS1_3_VERSION)
    made.set_cipher_list(b"ECDHE-ECDSA-AES128-GCM-SHA256")
    if server or mutual:
        path = f"{FOLDER}/{'server' if server else 'client'}.pem"
        made.use_certificate_chain_file(path)
        made.use_privatekey_file(path)
    if mutual or not server:
        made.load_verify_locations(f"{FOLDER}/ca.pem")
        made.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
    made.set_session_id(b"bench")
    return made


CONTEXTS = {mutual: (context(False, mutual), context(True, mutual)) for mutual in (False, True)}
WANTS = (SSL.WantReadError, SSL.WantWriteError)
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
        self.client, self.server = SSL.Connection(client), SSL.Connection(server)
        self.client.set_tlsext_host_name(b"localhost")
        self.client.set_connect_state()
        self.server.set_accept_state()
        done = False
        while not done:
            done = try_handshake(self.client)
            self.carry(self.client, self.server)
            done = try_handshake(self.server) and done
            if not done:
                self.carry(self.server, self.client)

    def close(self):
        pass

    @staticmethod
    def carry(one, other):
        try:
            other.bio_write(one.bio_read(PACKET))
        except SSL.WantReadError:
            pass

    def forth(self, message):
        rest = message
        while rest:
            size = self.client.send(rest)
            rest = memoryview(rest)[size:]
            self.server.bio_write(self.client.bio_read(PACKET))
            while size:
                size -= len(self.server.recv(size))

    def back(self, message):
        self.server.send(message)
        self.client.bio_write(self.server.bio_read(PACKET))
        return self.client.recv(len(message))


class Loopback:
    """Both ends on TCP, none of which blocks."""

    def __init__(self, mutual=False):
        client, server = CONTEXTS[mutual]
        near = socket.create_connection(listener.getsockname())
        far = listener.accept()[0]
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client, self.server = SSL.Connection(client, near), SSL.Connection(server, far)
        self.client.set_tlsext_host_name(b"localhost")
        self.client.set_connect_state()
        self.server.set_accept_state()
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
            assert end.get_cipher_name() == "TLS_AES_128_GCM_SHA256"
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
