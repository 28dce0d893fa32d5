"""The peers: programs that do the same work with one TLS library each (protocol.h says how the
runner talks with them), each in a process of its own."""

import os
import select
import shutil
import subprocess
import typing

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "release", "bench")
HERE = os.path.join(ROOT, "bench", "peers")


class Kind(typing.NamedTuple):
    label: str
    language: str
    command: typing.List[str]
    package: str = ""  # Debian's, of what it needs beyond flatssl
    binding: bool = True  # to OpenSSL; else it is a TLS of its own

    @property
    def ours(self):
        return self.label.startswith("flatssl")


def _built(name):
    return [os.path.join(BUILD, "peer_" + name)]


def _script(program, name):
    return [program, os.path.join(HERE, name)]


PYTHON = "/usr/bin/python3"

# How glibc copies: in a loop of its own. With `rep movsb` some processors (AMD's of family 25) need
# thirty times as long where the target lies up to 31 bytes behind the source, whole pages aside.
# Where malloc puts the buffers decides that, and would decide whole figures.
COPIES = "glibc.cpu.x86_rep_movsb_threshold=1000000000"

KINDS = {
    "raw": Kind("OpenSSL", "C", _built("raw")),
    "flatssl": Kind("flatssl", "C", _built("flatssl")),
    "libtls": Kind("libretls", "C", _built("libtls"), "libtls-dev"),
    "gnutls": Kind("GnuTLS", "C", _built("gnutls"), "libgnutls28-dev", False),
    "python": Kind("flatssl, Python", "Python", _script(PYTHON, "python_flatssl.py")),
    "python_ssl": Kind("Python ssl", "Python", _script(PYTHON, "python_ssl.py")),
    "pyopenssl": Kind("pyOpenSSL", "Python", _script(PYTHON, "python_pyopenssl.py"),
                      "python3-openssl"),
    "luajit": Kind("flatssl, LuaJIT", "Lua", _script("luajit", "lua_flatssl.lua"), "luajit"),
    "lua": Kind("flatssl, Lua 5.4", "Lua", _script("lua5.4", "lua_flatssl.lua"), "lua5.4"),
    "luasec": Kind("LuaSec", "Lua", _script("lua5.4", "lua_luasec.lua"), "lua-sec"),
    "luaossl": Kind("luaossl", "Lua", _script("lua5.4", "lua_luaossl.lua"), "lua-luaossl"),
    "ruby": Kind("flatssl, Ruby", "Ruby", _script("/usr/bin/ruby", "ruby_flatssl.rb"), "ruby-ffi"),
    "ruby_openssl": Kind("Ruby openssl", "Ruby", _script("/usr/bin/ruby", "ruby_openssl.rb"),
                         "ruby"),
    "go": Kind("flatssl, Go", "Go", _built("go") + ["flatssl"], "golang-go"),
    "go_tls": Kind("Go crypto/tls", "Go", _built("go") + ["crypto"], "golang-go", False),
}


class Refused(Exception):
    """The peer cannot do what it was asked for; why is the text."""


class Peer:
    """One of the programs, running."""

    def __init__(self, kind: Kind, folder: str, patience: float):
        program = kind.command[0]
        if not (os.path.exists(program) or shutil.which(program)):
            raise Refused(f"{kind.package or program} is not installed")
        environment = dict(os.environ, OPENSSL_CONF=os.path.join(folder, "openssl.cnf"),
                           GLIBC_TUNABLES=COPIES)
        self._kind, self._patience, self.stuck = kind, patience, False
        self._process = subprocess.Popen(
            ["timeout", "--kill-after=5", "3600", *kind.command, folder], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def ask(self, subject: str, count: int) -> typing.List[float]:
        """Returns the numbers that the peer answers."""
        try:
            self._process.stdin.write(f"{subject} {count}\n")
            self._process.stdin.flush()
            answer = self._answer(subject)
        except BrokenPipeError:
            answer = ""
        if not answer:
            said, status = self._process.stderr.read(), self._process.wait()
            raise RuntimeError(f"{self._kind.label}, {subject}: exit status {status}\n{said}")
        if answer.startswith("- "):
            raise Refused(answer[2:].strip())
        return [float(number) for number in answer.split()]

    def _answer(self, subject):
        """Returns the peer's answer, "" if it has ended. One that is stuck is ended."""
        if select.select([self._process.stdout], [], [], self._patience)[0]:
            return self._process.stdout.readline()
        self._process.terminate()
        self._process.wait()
        self.stuck = True
        raise RuntimeError(f"{self._kind.label}, {subject}: no answer in {self._patience} s")

    def ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()


class Peers:
    """The peers that run, each once for a kind of key, started when first asked for."""

    def __init__(self, folder: str, patience: float):
        self.missing = {}  # name: why
        self._folder, self._patience, self._running = folder, patience, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name, key in list(self._running):
            self.stop(name, key)

    def get(self, name: str, key: str = "ec") -> Peer:
        if name in self.missing:
            raise Refused(self.missing[name])
        running = self._running.get((name, key))
        if running and running.ended():
            if running.stuck:
                self.missing[name] = "it gave no answer in time"
            self.stop(name, key)
            return self.get(name, key)
        try:
            if (name, key) not in self._running:
                self._running[name, key] = self.fresh(name, key)
        except Refused as refused:
            self.missing[name] = str(refused)
            raise
        return self._running[name, key]

    def fresh(self, name: str, key: str = "ec") -> Peer:
        """Starts one more, for the caller to close."""
        return Peer(KINDS[name], os.path.join(self._folder, key), self._patience)

    def stop(self, name: str, key: str) -> None:
        if (name, key) in self._running:
            self._running.pop((name, key)).close()
