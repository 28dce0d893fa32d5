"""flatssl as client and as server against the programs of OpenSSL and GnuTLS: each version and kind
of key, mutual authentication, ALPN, resumption, and every cipher of the default list."""

import contextlib
import pathlib
import sys
import tempfile
import threading

import flatssl
import peers
from flatssl import _abi
from flatssl._load import lib

NUMBERS = {"TLSv1.2": lib.FSSL_TLS1_2_VERSION, "TLSv1.3": lib.FSSL_TLS1_3_VERSION}
SERVERS = {"openssl": peers.openssl_server, "gnutls": peers.gnutls_server}
CHECKS = ("data", "mutual", "ALPN", "resumed")

passed = failed = 0


def cell(check, *arguments, **options):
    """Runs one check. Returns what its cell says."""
    global passed, failed
    try:
        check(*arguments, **options)
    except Exception as error:
        failed += 1
        print(f"FAILED: {check.__name__} {arguments[1:]} {options}: {error!r:.600}")
        return "FAILED"
    passed += 1
    return "ok"


def held_to(context, version):
    context.set_min_proto_version(NUMBERS[version])
    context.set_max_proto_version(NUMBERS[version])
    return context


# ---- flatssl as client ----


def client_context(folder, version, kind=None, cipher=None):
    files = {}
    if kind:
        files = {"certificate": folder / f"{kind}.pem", "key": folder / f"{kind}.key"}
    context = held_to(flatssl.Context.client(cafile=folder / "ca.pem", alpn=[peers.PROTOCOL],
                                             **files), version)
    if cipher and version == "TLSv1.3":
        context.set_ciphersuites(cipher)
    elif cipher:
        context.set_cipher_list(cipher)
    return context


def visit(context, port, session=None):
    """Sends a line and reads one. Returns the connection, which is still open."""
    connection = flatssl.Connection.unconnected(context)
    connection.settimeout(peers.SECONDS)
    if session:
        connection.set_session(session)
    connection.connect("localhost", port)
    connection.sendall(peers.LINE)
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv()
    assert line in (peers.LINE, peers.LINE.strip()[::-1] + b"\n"), line
    return connection


def client_data(folder, port, version, **options):
    with contextlib.closing(visit(client_context(folder, version, **options), port)) as connection:
        assert connection.protocol_version_name() == version
        cipher = options.get("cipher")
        assert cipher in (None, connection.cipher_name()), connection.cipher_name()


def client_alpn(folder, port, version):
    with contextlib.closing(visit(client_context(folder, version), port)) as connection:
        assert connection.alpn_proto() == peers.PROTOCOL, connection.alpn_proto()


def client_resumed(folder, port, version):
    context = client_context(folder, version)
    with visit(context, port) as connection:
        session = connection.session()
    with visit(context, port, session) as connection:
        assert connection.session_reused()


def as_client(folder, program, kind):
    """The rows of flatssl's client for one kind of the server's key."""
    rows = {}
    with SERVERS[program](folder, kind, False) as port:
        for version in NUMBERS:
            rows[version] = {"data": cell(client_data, folder, port, version),
                             "ALPN": cell(client_alpn, folder, port, version),
                             "resumed": cell(client_resumed, folder, port, version)}
    with SERVERS[program](folder, kind, True) as port:
        for version in NUMBERS:
            rows[version]["mutual"] = cell(client_data, folder, port, version, kind=kind)
    return rows


# ---- flatssl as server ----


@contextlib.contextmanager
def serving(folder, kind, mutual=False):
    """A server of flatssl's that says each client's line again, until the block ends."""
    context = flatssl.Context.server(
        folder / f"{kind}.pem", folder / f"{kind}.key", alpn=[peers.PROTOCOL],
        client_ca=folder / "ca.pem" if mutual else None)
    _abi.ctx_load_tmp_dh(context, folder / "dh.pem")
    listener = context.listen("127.0.0.1", 0)
    ending = threading.Event()

    def serve():
        while not ending.is_set():
            with contextlib.suppress(flatssl.Error, OSError), listener.accept() as connection:
                connection.settimeout(peers.SECONDS)
                connection.sendall(connection.recv())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    ending.set()
    listener.cancel()
    listener.close()
    thread.join(peers.SECONDS)


def heard(text, *parts):
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        assert part in text, (part, text[-600:])


def openssl_data(folder, port, version, **options):
    text = peers.openssl_client(folder, port, version, **options)
    heard(text, peers.LINE, b"Verification: OK")
    # behind "New" stands the first version that had the cipher, with TLS 1.2
    heard(text, f"New, {version}" if version == "TLSv1.3" else f"Protocol  : {version}")
    if options.get("cipher"):
        heard(text, f"Cipher is {options['cipher']}")


def openssl_alpn(folder, port, version):
    heard(peers.openssl_client(folder, port, version), b"ALPN protocol: h2")


def openssl_resumed(folder, port, version):
    peers.openssl_client(folder, port, version, "-sess_out", folder / "session")
    heard(peers.openssl_client(folder, port, version, "-sess_in", folder / "session"), b"Reused, ")


def gnutls_data(folder, port, version, **options):
    heard(peers.gnutls_client(folder, port, version, **options), b"hello",
          b"The certificate is trusted", version.replace("v", ""))


def gnutls_alpn(folder, port, version):
    heard(peers.gnutls_client(folder, port, version), b"Application protocol: h2")


def gnutls_resumed(folder, port, version):
    heard(peers.gnutls_client(folder, port, version, "--resume", "--waitresumption"),
          b"This is a resumed session")


CLIENTS = {"openssl": (openssl_data, openssl_alpn, openssl_resumed),
           "gnutls": (gnutls_data, gnutls_alpn, gnutls_resumed)}


def as_server(folder, program, kind):
    """The rows of flatssl's server for one kind of its key."""
    data, alpn, resumed = CLIENTS[program]
    rows = {}
    with serving(folder, kind) as port:
        for version in NUMBERS:
            rows[version] = {"data": cell(data, folder, port, version),
                             "ALPN": cell(alpn, folder, port, version),
                             "resumed": cell(resumed, folder, port, version)}
    with serving(folder, kind, mutual=True) as port:
        for version in NUMBERS:
            rows[version]["mutual"] = cell(data, folder, port, version, kind=kind)
    return rows


# ---- every cipher ----


def default_ciphers():
    """The ciphers that a fresh client offers to a server with a certificate, each with its version
    and the kind of key that it needs. Those by shared keys or passwords need these first."""
    connection = flatssl.Connection(flatssl.Context.client(), host="localhost")
    for i in range(_abi.conn_cipher_list_count(connection)):
        name = _abi.conn_cipher_list_item(connection, i)
        if "PSK" not in name and "SRP" not in name:
            yield (name, "TLSv1.3" if name.startswith("TLS_") else "TLSv1.2",
                   "ECDSA" if "ECDSA" in name else "RSA")


def all_ciphers(folder):
    """Each cipher of the list, with OpenSSL at the other end, in both roles."""
    with contextlib.ExitStack() as stack:
        theirs = {kind: stack.enter_context(peers.openssl_server(folder, kind, False))
                  for kind in ("RSA", "ECDSA")}
        ours = {kind: stack.enter_context(serving(folder, kind)) for kind in ("RSA", "ECDSA")}
        for name, version, kind in default_ciphers():
            client = cell(client_data, folder, theirs[kind], version, cipher=name)
            server = cell(openssl_data, folder, ours[kind], version, cipher=name)
            print(f"{name:32} {version} {kind:8} {client:8} {server:8}")


def main():
    print(f"{'flatssl is':10} {'peer':8} {'version':8} {'key':8}", *(f"{c:8}" for c in CHECKS))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        peers.make_certificates(folder)
        peers.openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048",
                      "-out", folder / "dh.pem")
        for side, run in (("client", as_client), ("server", as_server)):
            for program in SERVERS:
                for kind in peers.KEYS:
                    for version, row in run(folder, program, kind).items():
                        print(f"{side:10} {program:8} {version:8} {kind:8}",
                              *(f"{row[check]:8}" for check in CHECKS))
        print(f"\n{'cipher, with OpenSSL':32} {'version':7} {'key':8} {'client':8} {'server':8}")
        all_ciphers(folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
