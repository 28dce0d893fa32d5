"""A server whose clients may come back to any other like it: sessions and ticket keys are in Redis.

    python3 shared_sessions.py CERTIFICATE KEY POLICY [REDIS_PORT]   serves, on a port it prints
    python3 shared_sessions.py rotate REDIS_PORT                     puts a new ticket key in front

Servers of one POLICY resume each other's sessions, in whatever language they are: see
shared_sessions.lua. Without Redis a server keeps its sessions to itself. Who can read that Redis
can decrypt what the sessions protect.
"""

import os
import sys
import threading

import flatssl

TICKET_KEY, KEPT = 80, 3  # bytes of a key, and how many keys decrypt
SECONDS = 300


class Shared:
    """What the servers have in common."""

    def __init__(self, port: int):
        import redis

        self._redis = redis.Redis("127.0.0.1", port)

    def rotate(self) -> None:
        keys = self._redis.get("ticket_keys") or b""
        self._redis.set("ticket_keys", os.urandom(TICKET_KEY) + keys[: TICKET_KEY * (KEPT - 1)])

    def find(self, session_id: bytes) -> "tuple[bytes, bytes | None]":
        """Returns the ticket keys, and the session with this id if there is one."""
        self._redis.set("ticket_keys", os.urandom(TICKET_KEY), nx=True)
        return self._redis.mget("ticket_keys", b"session:" + session_id)

    def keep(self, session: flatssl.Session) -> None:
        self._redis.set(b"session:" + session.id(), session.to_bytes(), ex=SECONDS)


class Server:
    def __init__(self, certificate: str, key: str, policy: str, redis_port: "str | None" = None):
        self._context = flatssl.Context.server(certificate, key)
        self._context.set_session_id_context(policy.encode())
        self._shared = Shared(int(redis_port)) if redis_port else None
        self._keys, self._changing = b"", threading.Lock()

    def run(self) -> None:
        listener = self._context.listen()
        print("listening on", listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=self._serve, args=[listener.accept()], daemon=True).start()

    def _serve(self, connection: flatssl.Connection) -> None:
        try:
            with connection:
                self._handshake(connection)
                connection.recv()
                how = "resumed" if connection.session_reused() else "full"
                connection.sendall(f"{connection.protocol_version_name()} {how}\n".encode())
        except flatssl.Error as error:
            print(str(error).splitlines()[0], file=sys.stderr)

    def _handshake(self, connection: flatssl.Connection) -> None:
        connection.settimeout(10)
        if self._shared:
            connection.ask(flatssl.ASK_CLIENT_HELLO)
        try:
            connection.do_handshake()
        except flatssl.WantClientHelloError:
            self._prepare(connection)
            connection.do_handshake()
        self._keep(connection)

    def _prepare(self, connection: flatssl.Connection) -> None:
        """Gives a connection the newest ticket keys, and the session that its client asks for."""
        keys, session = self._shared.find(connection.hello_bytes(flatssl.HELLO_SESSION_ID))
        with self._changing:
            if keys != self._keys:
                self._context.set_ticket_keys(keys)
                self._keys = keys
        connection.set_context(self._context)
        if session:
            connection.set_session(flatssl.Session.from_bytes(self._context, session))
        connection.answer_hello()

    def _keep(self, connection: flatssl.Connection) -> None:
        """Keeps a new session of TLS 1.2 whose client takes no tickets; a ticket needs nothing."""
        if not self._shared or connection.session_reused():
            return
        session = connection.session()
        if connection.protocol_version() == flatssl.TLS1_2_VERSION and session.id():
            self._shared.keep(session)


if __name__ == "__main__":
    if sys.argv[1] == "rotate":
        Shared(int(sys.argv[2])).rotate()
    else:
        Server(*sys.argv[1:]).run()
