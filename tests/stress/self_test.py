"""Plants faults in a copy of the tree, one at a time, and sees whether the stress programs find
them.

    self_test.py <copy> [NAME...]

Each fault is a change of one place, and names the program that must fail with it, and must not fail
without. The copy is made and built below <copy>, which a later run uses again.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = "1"
SECONDS = 600

SOAK = ("release", "stress/soak", "--short", "--seed", SEED, "connections")
FAILURES = ("release", "stress/soak", "--short", "--seed", SEED, "failures")
WRONG_HOST = ("release", "stress/oom", "--long", "--seed", SEED, "wrong host 1.2")
CHUNKS = ("release", "stress/chunks", "--short", "--seed", SEED)
FUZZ_ABI = ("asan", "stress/fuzz_abi", "--short", "--seed", SEED)
CLOSING = ("asan", "test_handle_threads")

# name: (file, what stands there, what is put there, the program that must find it, how it says so)
FAULTS = {
    "a missing release": (
        "src/session.c",
        "    *out = object_hold(session);\n    return finish(h, 0, err);",
        "    *out = object_hold(session);\n    return finish(0, 0, err);",
        SOAK,
        rb"connections: \d+ handles became \d+",
    ),
    "a skipped host check": (
        "src/conn_host.c",
        "    if (!conn->client || !conn->host ||",
        "    if (true || !conn->client || !conn->host ||",
        WRONG_HOST,
        rb"wrong host 1.2, failing once: .*the peer was let in",
    ),
    "a swallowed callback error": (
        "src/callback.c",
        '    return answer == ANSWER_NO ? 0 : refused(conn, "verify", 0);',
        "    X509_STORE_CTX_set_error(store, X509_V_OK);\n    return answer != ANSWER_NO;",
        FAILURES,
        rb"a connection in spite of a failing callback",
    ),
    "a truncated length": (
        "src/ring.c",
        "    memcpy(ring->data, data + piece, len - piece);",
        "    memcpy(ring->data, data + piece, (uint8_t)(len - piece));",
        CHUNKS,
        rb"random pieces: round .*\n.*bad record mac",
    ),
    "a race in close": (
        "src/handle.c",
        "    object_closing(slot->object);\n    handle_release(h);",
        "    object_closing(slot->object);\n    slot_free(slot, (uint32_t)h & (NO_SLOT - 1));",
        CLOSING,
        rb"(?s)AddressSanitizer: heap-use-after-free|access within null pointer of type 'struct|"
        rb"AddressSanitizer: SEGV.* in fssl_\w+ .*/src/",  # OpenSSL, in what was freed
    ),
    "a leak on an error path": (
        "src/chain.c",
        '        OPENSSL_free(text);\n        return refuse(h, "host", err);',
        '        return refuse(h, "host", err);',
        FUZZ_ABI,
        rb"(?s)LeakSanitizer: detected memory leaks.*in fssl_chain_set_host",
    ),
}


def copy_tree(copy):
    """Copies what git knows of, or would; leaves what has not changed, for the builds' sake."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, copy / name
        if not source.is_file():
            continue
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def build(copy, preset, program):
    target = program.replace("/", "_")
    words = [copy / "dev.d" / "build", preset, target]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def outcome(copy, part):
    """Builds a program and runs it. Returns its exit status (None: it hung) and what it printed."""
    preset, program, *arguments = part
    build(copy, preset, program)
    fixed = ["setarch", "-R"] if shutil.which("setarch") and can_fix() else []
    words = [*fixed, f"build/{preset}/tests/{program}", *arguments]
    try:
        ended = subprocess.run(
            words, cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as hung:
        return None, hung.stdout or b""
    return ended.returncode, ended.stdout


def can_fix():
    return subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL).returncode == 0


def plant(copy, name, before, after):
    text = (ROOT / name).read_text(encoding="utf-8")
    if text.count(before) != 1:
        return False
    (copy / name).write_text(text.replace(before, after), encoding="utf-8")
    return True


def try_fault(copy, name):
    """Returns what is wrong with the search for a fault, None if it was caught."""
    source, before, after, part, sign = FAULTS[name]
    copy_tree(copy)
    status, printed = outcome(copy, part)
    if status != 0:
        return f"{part[1]} fails without it"
    if not plant(copy, source, before, after):
        return f"{source} has changed: it cannot be planted"
    status, printed = outcome(copy, part)
    (copy / "build" / f"{name.replace(' ', '_')}.log").write_bytes(printed)
    copy_tree(copy)
    if status is None:
        return f"{part[1]} hangs"
    if status == 0:
        return f"{part[1]} does not see it"
    return None if re.search(sign, printed) else f"{part[1]} fails of something else"


def main(arguments):
    copy = pathlib.Path(arguments[0])
    chosen = arguments[1:] or list(FAULTS)
    caught = 0
    copy_tree(copy)
    for name in chosen:
        began = time.monotonic()
        wrong = try_fault(copy, name)
        caught += wrong is None
        print(f"{'FAILED ' if wrong else ''}{name}: {wrong or 'caught'} "
              f"({time.monotonic() - began:.0f} s)", flush=True)
    print(f"caught {caught} of {len(chosen)}")
    print(f"{caught} passed, {len(chosen) - caught} failed, 0 skipped")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
