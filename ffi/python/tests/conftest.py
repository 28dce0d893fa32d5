"""What the tests stand on: certificates made for the run, servers in threads, and open handles."""

import gc
import socket
import subprocess
import threading
import types

import pytest

import calls  # comes before flatssl
import flatssl
from flatssl import _abi

LEAF = """
basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""
NEW_KEY = {"rsa": ["rsa:2048"], "ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]}


def openssl(*arguments, **options):
    return subprocess.run(
        ["openssl", *map(str, arguments)], check=True, capture_output=True, **options
    ).stdout


def make_ca(folder, name):
    files = types.SimpleNamespace(cert=folder / f"{name}.pem", key=folder / f"{name}.key")
    openssl(
        *("req", "-x509", "-newkey", *NEW_KEY["rsa"], "-nodes", "-days", "2"),
        *("-subj", f"/CN={name}", "-keyout", files.key, "-out", files.cert),
        *("-addext", "basicConstraints=critical,CA:TRUE"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    return files


def make_leaf(folder, name, ca, names, kind="rsa"):
    """Makes a certificate; names are alternative names such as DNS:localhost."""
    files = types.SimpleNamespace(cert=folder / f"{name}.pem", key=folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(LEAF.format(names=names))
    openssl(
        *("req", "-newkey", *NEW_KEY[kind], "-nodes", "-subj", f"/CN={name}"),
        *("-keyout", files.key, "-out", request),
    )
    openssl(
        *("x509", "-req", "-days", "2", "-in", request, "-CA", ca.cert, "-CAkey", ca.key),
        *("-CAcreateserial", "-extfile", extensions, "-out", files.cert),
    )
    return files


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    """A CA, server certificates of both kinds for localhost, a client's, and an unknown CA's."""
    folder = tmp_path_factory.mktemp("certs")
    made = types.SimpleNamespace(folder=folder)
    made.ca, made.other_ca = make_ca(folder, "ca"), make_ca(folder, "other-ca")
    local = "DNS:localhost,IP:127.0.0.1"
    made.rsa = make_leaf(folder, "rsa", made.ca, local)
    made.ecdsa = make_leaf(folder, "ecdsa", made.ca, local, "ecdsa")
    made.client = make_leaf(folder, "client", made.ca, "email:client@example.org")
    made.untrusted = make_leaf(folder, "untrusted", made.other_ca, local)
    made.elsewhere = make_leaf(folder, "elsewhere", made.ca, "DNS:elsewhere.example")
    made.encrypted = folder / "encrypted.key"
    made.passphrase = b"open sesame"
    openssl(
        *("pkey", "-in", made.rsa.key, "-aes256", "-passout", "pass:open sesame"),
        *("-out", made.encrypted),
    )
    return made


@pytest.fixture
def server_context(certs):
    return flatssl.Context.server(certs.rsa.cert, certs.rsa.key)


@pytest.fixture
def client_context(certs):
    return flatssl.Context.client(cafile=certs.ca.cert)


@pytest.fixture
def background():
    """Runs functions in threads; each has to end within the test, and its exception is raised."""
    running = []

    def run(function, *arguments):
        outcome = types.SimpleNamespace(value=None, error=None)

        def body():
            try:
                outcome.value = function(*arguments)
            except BaseException as error:
                outcome.error = error

        def join():
            thread.join(20)
            assert not thread.is_alive(), f"{function} did not end"
            running.remove(thread)
            if outcome.error is not None:
                raise outcome.error
            return outcome.value

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        running.append(thread)
        outcome.join = join
        return outcome

    yield run
    for thread in running:
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def socket_pair():
    """Two connected TCP sockets, which close with the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=20)
        server, _ = listener.accept()
    client.settimeout(20)
    server.settimeout(20)
    with client, server:
        yield client, server


def connected(client_context, server_context, host="localhost"):
    """Returns a client and a server on memory, their handshake done."""
    client = flatssl.Connection(client_context, None, host=host)
    server = flatssl.Connection(server_context, None)
    shake_hands(client, server)
    return client, server


def carry(source, target):
    """Carries what waits in one memory connection to another. Returns whether there was any."""
    try:
        target.bio_write(source.bio_read(1 << 16))
    except flatssl.WantReadError:
        return False
    return True


def shake_hands(client, server):
    waiting = [client, server]
    moved = True
    while waiting:
        assert moved, "the handshake stands still"
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except flatssl.WantReadError:
                pass
        moved = carry(client, server) | carry(server, client)


@pytest.fixture(autouse=True)
def no_handle_left(request):
    """Every handle that a test opened is closed once Python has let go of its objects."""
    before = _abi.handle_count(flatssl.TYPE_ANY)
    yield
    request.node.funcargs.clear()
    if _abi.handle_count(flatssl.TYPE_ANY) > before:  # what refers to itself goes later
        gc.collect()
    assert _abi.handle_count(flatssl.TYPE_ANY) <= before


# ---- what the tests called ----


def pytest_collection_modifyitems(items):
    """test_calls.py comes last: it looks at what the others called."""
    items.sort(key=lambda item: item.path.stem == "test_calls")


def pytest_terminal_summary(terminalreporter):
    called = calls.succeeded | calls.failed
    terminalreporter.write_line(
        f"{len(called)} of the library's {len(calls.shapes)} functions were called:"
        f" {len(calls.succeeded)} succeeded once, {len(calls.failed)} failed once"
    )
