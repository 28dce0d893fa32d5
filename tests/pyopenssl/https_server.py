"""An HTTPS server over Python's own ssl module, for clients over pyOpenSSL."""

import contextlib
import http.server
import socket
import ssl
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1)
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.close_connection = True
            self.connection.detach_now()
            return
        peer = dict(part[0] for part in (self.connection.getpeercert() or {}).get("subject", ()))
        self.reply(("hello " + peer.get("commonName", "nobody")).encode())

    def do_POST(self):
        self.reply(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *arguments):
        pass


class Socket(ssl.SSLSocket):
    def detach_now(self):
        """Ends TCP without a word in TLS."""
        socket.socket(fileno=self.detach()).close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass  # a client that refuses us is what some tests want


@contextlib.contextmanager
def serving(cert, key, client_ca=None):
    """Serves on a free port, which it gives."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.load_cert_chain(cert, key)
    context.sslsocket_class = Socket
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)
