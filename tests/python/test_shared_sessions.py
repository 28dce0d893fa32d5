"""The examples that share sessions: servers in processes of their own, in Python and Lua, and a
real Redis between them."""

import itertools
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

import flatssl

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 30
RECONNECTS = 100
KEY_NAME = 16  # bytes

COMMANDS = {
    "python": [sys.executable, ROOT / "examples/shared_sessions.py"],
    "luajit": ["luajit", ROOT / "examples/shared_sessions.lua"],
    "lua5.4": ["lua5.4", ROOT / "examples/shared_sessions.lua"],
}
PAIRS = [("python", "python"), ("luajit", "luajit"), ("python", "lua5.4")]
KINDS = ["TLS 1.2 by id", "TLS 1.2 by ticket", "TLS 1.3 by ticket"]
TICKETS = KINDS[1:]


def start(command, ready, stop):
    """Starts a program that ends with the test. Returns the first line that has `ready` in it."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)

    def end():
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
        process.stdout.close()

    stop(end)
    for line in process.stdout:
        if ready in line:
            return line
    raise AssertionError(f"{command} ended")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def redis_port(request, tmp_path):
    port = free_port()
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
               "--dir", tmp_path]
    start(command, "Ready to accept connections", request.addfinalizer)
    return port


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run([ROOT / "tests/certificates", folder], check=True, timeout=SECONDS)
    return folder


@pytest.fixture
def serve(request, certificates):
    """Starts a server of a language. Returns its port."""

    def run(language, policy, *redis):
        command = [*COMMANDS[language], certificates / "server.pem", certificates / "server.key"]
        line = start([*command, policy, *redis], "listening on", request.addfinalizer)
        return int(line.split()[-1])

    return run


class Client:
    def __init__(self, certificates, kind):
        self.context = flatssl.Context.client(cafile=certificates / "ca.pem")
        self.context.set_resumption(0)  # sessions are offered here, or not
        version = flatssl.TLS1_3_VERSION if kind == KINDS[2] else flatssl.TLS1_2_VERSION
        self.context.set_min_proto_version(version)
        self.context.set_max_proto_version(version)
        if kind == KINDS[0]:
            self.context.set_options(flatssl.OP_NO_TICKET)

    def visit(self, port, session=None):
        """Connects. Returns whether the session was resumed, and the session afterwards."""
        connection = flatssl.Connection.unconnected(self.context)
        try:
            connection.settimeout(SECONDS)
            connection.connect("localhost", port)
            if session:
                connection.set_session(session)
            connection.sendall(b"?")
            answer = connection.makefile("r").readline()
            resumed = connection.session_reused()
            assert answer.split()[1] == ("resumed" if resumed else "full"), answer
            connection.shutdown()
            return resumed, connection.session()
        finally:
            connection.close()


def first_key_name(port):
    import redis

    with redis.Redis(port=port) as shared:
        return shared.get("ticket_keys")[:KEY_NAME]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("languages", PAIRS, ids="-".join)
def test_each_reconnect_to_the_other_process_is_resumed(
    serve, certificates, redis_port, languages, kind
):
    ports = [serve(language, "shared", redis_port) for language in languages]
    client, resumed = Client(certificates, kind), 0
    for here, there in itertools.islice(itertools.cycle([ports, ports[::-1]]), RECONNECTS):
        first, session = client.visit(here)
        assert not first
        resumed += client.visit(there, session)[0]
    assert resumed == RECONNECTS


@pytest.mark.parametrize("kind", TICKETS)
@pytest.mark.parametrize("languages", PAIRS[1:], ids="-".join)
def test_ticket_keys_are_rotated(serve, certificates, redis_port, languages, kind):
    here, there = [serve(language, "shared", redis_port) for language in languages]
    client = Client(certificates, kind)
    _, old = client.visit(here)
    old_name = first_key_name(redis_port)
    assert old_name in old.to_bytes()

    rotate = [*COMMANDS["python"], "rotate", redis_port]
    subprocess.run([str(part) for part in rotate], check=True, timeout=SECONDS)
    new_name = first_key_name(redis_port)
    assert new_name != old_name
    for port in here, there:
        resumed, new = client.visit(port, old)
        assert resumed
        assert new_name in new.to_bytes() and old_name not in new.to_bytes()
        assert client.visit(here, new)[0] and client.visit(there, new)[0]
        assert new_name in client.visit(port)[1].to_bytes()

    for _ in range(2):  # then no server has the old key any more
        subprocess.run([str(part) for part in rotate], check=True, timeout=SECONDS)
    assert not client.visit(here, old)[0]
    assert client.visit(there, new)[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", COMMANDS)
def test_another_policy_resumes_nothing(serve, certificates, redis_port, language, kind):
    mine, same, other = [
        serve(language, policy, redis_port) for policy in ("mine", "mine", "other")
    ]
    client = Client(certificates, kind)
    for _ in range(10):
        _, session = client.visit(mine)
        assert not client.visit(other, session)[0]  # though it has the keys and the sessions
        assert client.visit(same, session)[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", COMMANDS)
def test_without_redis_a_server_resumes_its_own(serve, certificates, language, kind):
    here, there = serve(language, "shared"), serve(language, "shared")
    client = Client(certificates, kind)
    _, session = client.visit(here)
    assert not client.visit(there, session)[0]
    assert client.visit(here, session)[0]
