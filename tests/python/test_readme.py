"""The clients in README.md, run as they stand there against a real server."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 30


def block(language):
    """Returns the one block of this language in README.md."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


def openssl(*arguments, **options):
    subprocess.run(("openssl", *map(str, arguments)), check=True, capture_output=True,
                   timeout=SECONDS, **options)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A page served by openssl s_server. Gives its folder and port."""
    folder = tmp_path_factory.mktemp("server")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", 2,
            "-addext", "subjectAltName=DNS:localhost", "-addext", "keyUsage=critical,keyCertSign,"
            "digitalSignature", "-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    process = subprocess.Popen(
        ("openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", folder / "cert.pem",
         "-key", folder / "key.pem"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        found = re.match(r"ACCEPT \S*:(\d+)", line)
        if found:
            break
    yield folder, found[1]
    process.kill()
    process.wait()


def fetch(command, server):
    folder, port = server
    return subprocess.run((*command, "localhost", port, folder / "cert.pem"), capture_output=True,
                          text=True, timeout=SECONDS)


def write(folder, name, language):
    path = folder / name
    path.write_text(block(language))
    return path


@pytest.mark.parametrize("command, name, language", [
    (("/usr/bin/python3",), "client.py", "python"),
    (("luajit",), "client.lua", "lua"),
    (("lua5.4",), "client.lua", "lua"),
])
def test_script(command, name, language, server, tmp_path):
    done = fetch((*command, write(tmp_path, name, language)), server)
    assert done.returncode == 0, done.stderr
    assert "HTTP/1.0 200 ok" in done.stdout


def test_c(server, tmp_path):
    source, program = write(tmp_path, "client.c", "c"), tmp_path / "client"
    flags = subprocess.run(("pkg-config", "--cflags", "--libs", "flatssl"), capture_output=True,
                           text=True, check=True).stdout.split()
    subprocess.run((os.environ.get("CC", "cc"), "-Wall", "-Werror", source, *flags, "-o", program),
                   check=True, timeout=SECONDS)
    done = fetch((program,), server)
    assert done.returncode == 0, done.stdout
    assert "HTTP/1.0 200 ok" in done.stdout


def test_a_stranger_is_refused(server, tmp_path):
    """The same client without the file that names whom to trust."""
    script = write(tmp_path, "client.py", "python")
    done = subprocess.run(("/usr/bin/python3", script, "localhost", server[1]),
                          capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode != 0 and "HTTP/1.0 200 ok" not in done.stdout
