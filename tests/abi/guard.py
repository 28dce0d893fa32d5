"""The ABI guard: compares header, map and library with each other and with what was released.

    guard.py <tree> <build> check    runs the checks
    guard.py <tree> <build> update   writes abi/flatssl.abi and abi/constants.tsv anew
    guard.py <tree> <build> release  freezes the open nodes: writes their lists in abi/released/

A node of symbols.map is released when abi/released/ has a file of its name: the declarations of its
functions, which stay as they are. While the newest node is open, functions and constants may be
added at will, and what update writes may lag behind; any other change has to be written there.
"""

import re
import subprocess
import sys
import tempfile

import tree

SONAME = "libflatssl.so.1"
OF_LIBC = r"libc\.(so\.6|musl-\w+\.so\.1)|ld-(linux|musl)-[\w-]+\.so\.\d"
OF_OPENSSL = r"lib(ssl|crypto)\.so\.\d+"
BASELINE = ["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
             "--no-parameter-names", "--exported-interfaces-only", "--drop-undefined-syms",
            "--type-id-style", "hash"]


class Trouble(Exception):
    """What is wrong, in lines."""


class Guard:
    """A tree, and the libraries that were built of it."""

    def __init__(self, root, build):
        self.tree = tree.Tree(root)
        self.library = tree.Library(f"{build}/libflatssl.so.1")
        self.private = tree.Library(f"{build}/libflatssl_private.so.1")


def none(lines):
    """Ends a check: it has found nothing, or these lines."""
    lines = [str(line) for line in lines]
    if lines:
        raise Trouble("\n".join(lines))


def differences(kind, name, left, right):
    """Returns in words what only one of two sets has."""
    return [f"only {kind} has {item}" for item in sorted(left - right)] + [
        f"only {name} has {item}" for item in sorted(right - left)
    ]


# ---- the checks ----


def header_is_map(guard):
    listed = [name for node in guard.tree.nodes for name in node.symbols]
    twice = {name for name in listed if listed.count(name) > 1}
    found = differences("the header", "symbols.map", set(guard.tree.functions), set(listed))
    none(found + [f"symbols.map has {name} twice" for name in sorted(twice)])


def nodes_in_order(guard):
    found = []
    before = None
    for node in guard.tree.nodes:
        if node.symbols != sorted(node.symbols):
            found.append(f"{node.name} is not sorted")
        if (node.parent or None) != before:
            found.append(f"{node.name} does not follow {before}")
        before = node.name
    none(found)


def map_is_library(guard):
    none(differences("symbols.map", "the library", guard.tree.exports(), guard.library.exports))


def released_nodes_frozen(guard):
    found = []
    now = {**guard.tree.functions, **guard.tree.typedefs}
    for node in guard.tree.released:
        functions, types = guard.tree.frozen(node)
        title = f"released {node.name}"
        found += differences(title, "symbols.map", set(functions), set(node.symbols))
        for name, text in {**functions, **types}.items():
            if now.get(name) != text:
                found.append(f"released was  {text}\nthere is    {now.get(name)}")
    gone = {path.name for path in (guard.tree.abi / "released").glob("*")}
    gone -= {node.name for node in guard.tree.nodes}
    none(found + [f"released {name} is not in symbols.map" for name in sorted(gone)])


def soname_kept(guard):
    none([f"the soname is {name}" for name in guard.library.soname if name != SONAME])
    none([] if guard.library.soname else ["there is no soname"])


def types_described(guard):
    if ".debug_info" not in guard.library.sections:
        raise Trouble("the library has no DWARF: abidiff would compare nothing")
    described = guard.tree.baseline.read_text(encoding="utf-8").count("<function-decl ")
    if described == 0:
        raise Trouble("the baseline describes no function")


def types_as_baseline(guard):
    command = ["abidiff", "--no-show-locs"]
    if guard.tree.is_open():
        command.append("--no-added-syms")
    done = subprocess.run([*command, guard.tree.baseline, guard.library.path],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    none([f"abidiff answers {done.returncode}", done.stdout] if done.returncode else [])


def constants_as_table(guard):
    declared = guard.tree.constants
    table = guard.tree.constants_table()
    found = [f"{name} is gone" for name in table if name not in declared]
    for name, value in declared.items():
        if name not in table:
            if not guard.tree.is_open():
                found.append(f"{name} is new, and no node is open")
        elif table[name][0] != value:
            found.append(f"{name} was {table[name][0]} and is {value}")
    none(found)


def constants_pinned(guard):
    """The compiler's own view of the table, through the header that C programs include."""
    rows = guard.tree.constants_table().items()
    pins = [f'_Static_assert({name} == {value}, "{name}");' for name, (value, _) in rows]
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write("\n".join(['#include "flatssl.h"', *pins, ""]))
        source.flush()
        command = ["cc", "-std=c11", "-fsyntax-only", f"-I{guard.tree.abi}", source.name]
        done = subprocess.run(command, capture_output=True, text=True)
    none([done.stderr] if done.returncode else [])


def needs_only(library, allowed):
    """What a library needs that is not of the libraries allowed."""
    found = [f"needs {name}" for name in library.needed if not re.fullmatch(allowed, name)]
    versioned = [name for name in library.imports if "@" in name]
    for name in sorted(library.imports if versioned else []):  # musl has no versions
        if not re.search(r"@(GLIBC|OPENSSL)_", name):
            found.append(f"takes {name} from no library that is known")
    return found


def needs_libc_and_openssl(guard):
    none(needs_only(guard.library, f"{OF_LIBC}|{OF_OPENSSL}"))


def private_hides_openssl(guard):
    found = needs_only(guard.private, OF_LIBC)
    found += [f"takes {name}" for name in sorted(guard.private.imports) if "@OPENSSL_" in name]
    none(found + differences("symbols.map", "the private build", guard.tree.exports(),
                             guard.private.exports))


CHECKS = {
    "header == symbols.map": header_is_map,
    "nodes of symbols.map are sorted, and follow each other": nodes_in_order,
    "symbols.map == dynamic symbols": map_is_library,
    "released nodes are frozen": released_nodes_frozen,
    "the soname is kept": soname_kept,
    "library and baseline describe types": types_described,
    "types as in the baseline": types_as_baseline,
    "constants as in the table": constants_as_table,
    "constants pinned by the compiler": constants_pinned,
    "only libc and OpenSSL are needed": needs_libc_and_openssl,
    "the private build hides OpenSSL": private_hides_openssl,
}


# ---- what can be done ----


def troubles(guard):
    """Runs the checks. Returns {title: what is wrong} of those that found something."""
    found = {}
    for title, check in CHECKS.items():
        try:
            check(guard)
        except Trouble as trouble:
            found[title] = str(trouble)
    return found


def check(guard):
    found = troubles(guard)
    for title in CHECKS:
        print(f"FAILED {title}\n{found[title]}" if title in found else f"passed {title}")
    print(f"{len(CHECKS) - len(found)} passed, {len(found)} failed, 0 skipped")
    return bool(found)


def update(guard):
    """Refuses what breaks a released node; constants keep the node that they came with."""
    released = [node.name for node in guard.tree.released]
    table = guard.tree.constants_table() if guard.tree.table.exists() else {}
    declared = guard.tree.constants
    released_nodes_frozen(guard)
    none(f"{name} of {since} may not change" for name, (value, since) in table.items()
         if since in released and declared.get(name) != value)
    lines = ["name\tvalue\tsince"]
    for name, value in declared.items():
        lines.append(f"{name}\t{value}\t{table.get(name, (0, guard.tree.newest.name))[1]}")
    guard.tree.table.write_text("\n".join(lines) + "\n", encoding="ascii")
    command = ["abidw", *BASELINE, guard.library.path]
    baseline = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    baseline = baseline.replace(f"{guard.tree.root.resolve()}/", "")
    guard.tree.baseline.write_text(baseline, encoding="utf-8")


def release(guard):
    """Freezes the open nodes, and with them the types that functions take or give."""
    update(guard)
    nodes = [node for node in guard.tree.nodes if node not in guard.tree.released]
    none([] if nodes else ["no node is open"])
    known = {name for node in guard.tree.released for name in guard.tree.frozen(node)[1]}
    types = [text for name, text in guard.tree.typedefs.items() if name not in known]
    for node in nodes:
        lines = types + [guard.tree.functions[name] for name in node.symbols]
        types = []
        guard.tree.frozen_list(node).parent.mkdir(exist_ok=True)
        guard.tree.frozen_list(node).write_text("\n".join(lines) + "\n", encoding="ascii")


def main(root, build, command):
    try:
        return {"check": check, "update": update, "release": release}[command](Guard(root, build))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
