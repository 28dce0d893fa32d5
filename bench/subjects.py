"""What is measured: the subjects, what each is compared with, and the goals."""

import typing


class Run(typing.NamedTuple):
    """What a peer is asked for, and which of its numbers counts."""

    peer: str
    subject: str
    number: int = 0

    @property
    def key(self):
        """The kind of key that the certificates have."""
        return "rsa" if "_rsa_" in self.subject else "ec"

    @property
    def asked(self):
        """What the peer knows the subject as."""
        return self.subject.replace("_rsa_", "_")


class Comparison(typing.NamedTuple):
    """Two runs that take turns: how many times as fast the second is."""

    name: str
    base: Run
    other: Run


# What every peer is asked for, and what a person calls it.
STREAMS = {
    "handshake_memory": "full handshake in memory",
    "handshake_loopback": "full handshake over loopback",
    "handshake_rsa_memory": "full handshake with RSA 2048 in memory",
    "handshake_rsa_loopback": "full handshake with RSA 2048 over loopback",
    "mutual_memory": "mutual handshake in memory",
    "mutual_loopback": "mutual handshake over loopback",
    "echo_memory": "echo of 64 B in memory",
    "echo_loopback": "echo of 64 B over loopback",
    "bulk_64_memory": "64 B messages in memory",
    "bulk_64_loopback": "64 B messages over loopback",
    "bulk_1k_memory": "1 KiB messages in memory",
    "bulk_1k_loopback": "1 KiB messages over loopback",
    "bulk_16k_memory": "16 KiB messages in memory",
    "bulk_16k_loopback": "16 KiB messages over loopback",
    "bulk_1m_memory": "1 MiB messages in memory",
    "bulk_1m_loopback": "1 MiB messages over loopback",
}

# The short form leaves out the sizes between, and the other kind of key.
LEFT_OUT = ("handshake_rsa", "bulk_64", "bulk_1k", "bulk_1m")
SHORT = [name for name in STREAMS if not name.startswith(LEFT_OUT)]

LEVELS = ("10", "100", "1000", "10000", "100000")  # live connections


def _own(name, before, after, number=0):
    """Compares two ways of flatssl's own."""
    return Comparison(name, Run("flatssl", before, number), Run("flatssl", after, number))


# What flatssl saves a C program that does not know better, and what OpenSSL saves it.
FEATURES = [
    Comparison(f"resumed {version} {way}", Run("raw", f"connect{number}_{way}"),
               Run("flatssl", f"reconnect{number}_{way}"))
    for version, number in (("TLS 1.3", 13), ("TLS 1.2", 12))
    for way in ("memory", "loopback")
] + [
    Comparison(f"resumed {version} memory raw", Run("raw", f"connect{number}_memory"),
               Run("raw", f"reconnect{number}_memory"))
    for version, number in (("TLS 1.3", 13), ("TLS 1.2", 12))
] + [
    _own("coalesced", "messages_plain", "messages_coalesced"),
    _own("read-ahead", "messages_plain", "messages_read_ahead", 1),
    _own("two threads", "threads_one", "threads_two"),
    _own("two threads apart", "threads_one", "threads_apart"),
    Comparison("two threads raw", Run("raw", "threads_one"), Run("raw", "threads_two")),
    Comparison("two threads raw apart", Run("raw", "threads_one"), Run("raw", "threads_apart")),
]


class Goal(typing.NamedTuple):
    """A figure, which side of the bound it has to be on, and how it is written."""

    text: str
    figure: str
    least: bool
    bound: float
    unit: str = ""
    why: str = ""  # said where it is not met


def _stream(peer, subject, bound, language, why=""):
    return Goal(f"{STREAMS[subject]}, {language}", f"{subject}: {peer}", True, bound, "", why)


LOCK = ("to find the slot, compare generation and kind and note the owner, and to undo that, "
        "with an atomic step each way: without these two it is hardly faster")
CALLS = "the handles, locks and looks at the error queue of four calls"
LUA = "the same four calls as in C, and LuaJIT's own"
PYTHON = "the interpreter, its lock and the bytes that it makes"
RESUMED = "OpenSSL alone gains by resuming what stands below as raw"


GOALS = [
    Goal("handle resolved and held, 1 thread", "handle: held", False, 2, "ns", LOCK),
    Goal("the same, 2 threads", "handle: held, 2 threads", False, 3, "ns", LOCK),
    Goal("a call that enters OpenSSL, above OpenSSL's own", "handle: call", False, 60, "ns"),
    _stream("flatssl", "handshake_memory", 0.98, "C"),
    _stream("python", "handshake_memory", 0.93, "Python"),
    _stream("luajit", "handshake_memory", 0.97, "LuaJIT"),
    Goal("mutual handshake in memory, C", "mutual_memory: flatssl", True, 1.25),
    Goal("repeated connect, TLS 1.3", "resumed TLS 1.3 memory", True, 2.0, "", RESUMED),
    Goal("repeated connect, TLS 1.2", "resumed TLS 1.2 memory", True, 11, "", RESUMED),
    Goal("second context with system trust", "trust: second", False, 0.3, "ms"),
    _stream("flatssl", "bulk_16k_memory", 0.98, "C"),
    _stream("flatssl", "bulk_16k_loopback", 0.97, "C"),
    _stream("python", "bulk_16k_memory", 0.95, "Python"),
    _stream("python", "bulk_16k_loopback", 0.93, "Python"),
    _stream("luajit", "bulk_16k_memory", 0.95, "LuaJIT"),
    _stream("luajit", "bulk_16k_loopback", 0.93, "LuaJIT"),
    _stream("flatssl", "echo_memory", 0.97, "C", CALLS),
    _stream("luajit", "echo_memory", 0.97, "LuaJIT", LUA),
    _stream("python", "echo_memory", 0.70, "Python", PYTHON),
    Goal("many 64 B messages, one call each, coalesced", "coalesced", True, 20),
    Goal("small records from an fd, with read-ahead", "read-ahead", True, 1.4),
    Goal("idle server connection on a socket", "idle: server, socket", False, 14.5, "KB"),
    Goal("idle server connection in memory", "idle: server, memory", False, 15, "KB"),
    Goal("handshakes on two threads", "two threads", True, 1.6),
    Goal("the same, each with a library context", "two threads apart", True, 1.85),
]
