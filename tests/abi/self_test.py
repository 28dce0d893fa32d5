"""Whether the guard sees what it is there for: breaks a copy of the tree, one way at a time.

    self_test.py <tree>

The copy has a noun more, in sample_decl.h and sample.c, and a version that it comes with, of which
the test pretends that it was released. Each change is built and shown to the guard, which must flag
those that break programs, by the checks that are named for them, and no other. At last the programs
in tests/consumers, made against the tree as it is, run on the copy with a version more.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import guard

HERE = pathlib.Path(__file__).resolve().parent
COPIED = ["CMakeLists.txt", "abi", "cmake", "src", "symbols.map"]

HEADER = "abi/flatssl_decl.h"
SOURCE = "src/sample.c"
MAP = "symbols.map"
BUILD = "CMakeLists.txt"

RELEASED = "FLATSSL_99.0"
NEW = "FLATSSL_99.1"

NODE = f"""
{RELEASED} {{
    global:
        fssl_sample_add;
        fssl_sample_ask;
        fssl_sample_count;
}} %s;
"""
NODE_END = "        fssl_sample_count;\n}"
LISTED = "        fssl_sample_add;\n"

EXTRA_DECLARED = "int64_t fssl_sample_more(int32_t *err);\n"
EXTRA_DEFINED = """
int64_t fssl_sample_more(int32_t *err)
{
    return fssl_sample_count(err) + 1;
}
"""
INNER = """
%sint64_t %s(void)
{
    return 1;
}
"""
EXTRA = [(HEADER, None, EXTRA_DECLARED), (SOURCE, None, EXTRA_DEFINED)]


def new_node(*symbols):
    listed = "".join(f"        {symbol};\n" for symbol in symbols)
    return MAP, None, f"\n{NEW} {{\n    global:\n{listed}}} {RELEASED};\n"


def both(old, new):
    """The same edit in header and source."""
    return [(HEADER, old, new), (SOURCE, old, new)]


# title: (edits, the checks that must flag it)
# An edit is (file, what stands there once, what is put in its place), or None to append.
BREAKING = {
    "parameter of another type": (
        both("int64_t a, int64_t b", "int32_t a, int64_t b"),
        ["released nodes are frozen", "types as in the baseline"],
    ),
    "parameter added": (
        both("int64_t a, int64_t b", "int64_t a, int64_t b, int64_t c"),
        ["released nodes are frozen", "types as in the baseline"],
    ),
    "parameters in another order": (
        both("int64_t a, int64_t b", "int64_t b, int64_t a"),
        ["released nodes are frozen"],
    ),
    "result of another type": (
        both("int64_t fssl_sample_count", "int32_t fssl_sample_count")
        + [(SOURCE, "return finish(0, FSSL", "return (int32_t)finish(0, FSSL")],
        ["released nodes are frozen", "types as in the baseline"],
    ),
    "callback with another signature": (
        [(HEADER, "token, int32_t colour);", "token, int64_t colour);")],
        ["released nodes are frozen", "types as in the baseline"],
    ),
    "function removed": (
        [(HEADER, "int64_t fssl_sample_add(int64_t a, int64_t b, int32_t *err);", ""),
         (SOURCE, "int64_t fssl_sample_add(", "static inline int64_t sample_add("),
         (MAP, LISTED, "")],
        ["released nodes are frozen", "types as in the baseline"],
    ),
    "function renamed": (
        both("fssl_sample_add", "fssl_sample_all") + [(MAP, "fssl_sample_add", "fssl_sample_all")],
        ["released nodes are frozen", "types as in the baseline"],
    ),
    "function moved to another node": (
        [(MAP, LISTED, ""), new_node("fssl_sample_add")],
        ["released nodes are frozen", "types as in the baseline"],
    ),
    "function added to a frozen node": (
        EXTRA + [(MAP, NODE_END, NODE_END.replace("count;", "count;\n        fssl_sample_more;"))],
        ["released nodes are frozen"],
    ),
    "function not exported": (EXTRA, ["header == symbols.map"]),
    "constant changed": (
        [(HEADER, "FSSL_SAMPLE_GREEN = 2", "FSSL_SAMPLE_GREEN = 3")],
        ["constants as in the table", "constants pinned by the compiler"],
    ),
    "constant removed": (
        [(HEADER, "FSSL_SAMPLE_RED = 1, ", "")],
        ["constants as in the table", "constants pinned by the compiler"],
    ),
    "constant added after the release": (
        [(HEADER, "FSSL_SAMPLE_RED = 1", "FSSL_SAMPLE_BLUE = 0, FSSL_SAMPLE_RED = 1")],
        ["constants as in the table"],
    ),
    "another soname": (
        [(BUILD, "SOVERSION ${PROJECT_VERSION_MAJOR}", "SOVERSION 2")],
        ["the soname is kept", "types as in the baseline"],
    ),
    "DWARF stripped": ([], ["library and baseline describe types"]),
    "internal function exported": (
        [(SOURCE, None, INNER % ('__attribute__((visibility("default"))) ', "fssl_sample_inner")),
         new_node("fssl_sample_inner")],
        ["header == symbols.map"],
    ),
    "another library needed": (
        [(SOURCE, "#include \"internal.h\"", "#include <math.h>\n\n#include \"internal.h\""),
         (SOURCE, "a + b, err", "(int64_t)lgamma((double)a) + b, err"),
         (BUILD, "PRIVATE ${ARGN} Threads", "PRIVATE m ${ARGN} Threads")],
        ["only libc and OpenSSL are needed", "the private build hides OpenSSL"],
    ),
    "private build with OpenSSL outside": (
        [(BUILD, "${FLATSSL_LIBSSL_A} ${FLATSSL_LIBCRYPTO_A}", "OpenSSL::SSL OpenSSL::Crypto")],
        ["the private build hides OpenSSL"],
    ),
}

HARMLESS = {
    "function and constant in a new node": EXTRA + [
        (HEADER, "FSSL_SAMPLE_GREEN = 2", "FSSL_SAMPLE_GREEN = 2, FSSL_SAMPLE_BLUE = 3"),
        new_node("fssl_sample_more"),
    ],
    "comment": [(HEADER, "/* Returns the sum of two numbers. */", "/* Adds two numbers. */")],
    "inside of a function": [(SOURCE, "a + b, err", "b + a, err")],
    "internal function": [(SOURCE, None, INNER % ("", "sample_inner"))],
}


class Copy:
    """A copy of the tree with its build."""

    def __init__(self, tree, folder):
        self.root = folder / "tree"
        self.build = folder / "build"
        self.root.mkdir()
        for name in COPIED:
            source = tree / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.root / name)
        self._add_sample()
        configure = ["cmake", "-G", "Ninja", "-S", self.root, "-B", self.build]
        options = {"CMAKE_BUILD_TYPE": "Debug", "FLATSSL_PRIVATE": "ON", "FLATSSL_TESTS": "OFF"}
        quietly(*configure, *(f"-D{name}={value}" for name, value in options.items()))
        self.make()
        guard.release(guard.Guard(self.root, self.build))

    def _add_sample(self):
        shutil.copy(HERE / "sample.c", self.root / SOURCE)
        newest = guard.tree.Tree(self.root).newest.name
        self.edit(HEADER, None, (HERE / "sample_decl.h").read_text(encoding="utf-8"))
        self.edit(MAP, None, NODE % newest)
        self.edit(BUILD, "set(FLATSSL_SOURCES\n", f"set(FLATSSL_SOURCES\n    {SOURCE}\n")

    def edit(self, name, old, new):
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        if old is None:
            text += new
        elif text.count(old) == 1:
            text = text.replace(old, new)
        else:
            raise ValueError(f"{name} has {old!r} {text.count(old)} times")
        path.write_text(text, encoding="utf-8")

    def make(self):
        quietly("cmake", "--build", self.build)

    def changed(self, edits, show):
        """Makes a change, calls show with the copy and takes it back. Returns what show does."""
        before = {name: (self.root / name).read_text(encoding="utf-8")
                  for name in [HEADER, SOURCE, MAP, BUILD]}
        made = (self.root / HEADER).stat()
        try:
            for edit in edits:
                self.edit(*edit)
            # Only sample.c has to be compiled anew, since only it uses what is changed here.
            os.utime(self.root / HEADER, ns=(made.st_atime_ns, made.st_mtime_ns))
            os.utime(self.root / SOURCE)
            self.make()
            return show(self)
        finally:
            for name, text in before.items():
                if (self.root / name).read_text(encoding="utf-8") != text:
                    (self.root / name).write_text(text, encoding="utf-8")
            os.utime(self.root / HEADER, ns=(made.st_atime_ns, made.st_mtime_ns))


def quietly(*command, **options):
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}")


def verdict(title, found, good, nothing="let through"):
    print(f"{'passed' if good else 'FAILED'} {title}: {', '.join(found) or nothing}")
    return good


def guarded(copy):
    return guard.troubles(guard.Guard(copy.root, copy.build))


def stripped(copy):
    quietly("strip", "--strip-debug", copy.build / "libflatssl.so.1")
    return guarded(copy)


SHOWN = {"DWARF stripped": stripped}


def old_programs(copy):
    """Runs the programs that were linked with the library of the tree on that of the copy."""
    paths = [str(copy.build), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    environment = {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(paths)}
    try:
        quietly(HERE.parent / "consumers" / "run", env=environment)
    except RuntimeError as failure:
        return [str(failure)]
    return []


def main(tree):
    with tempfile.TemporaryDirectory(prefix="flatssl-abi-") as folder:
        copy = Copy(pathlib.Path(tree), pathlib.Path(folder))
        found = copy.changed([], guarded)
        good = [verdict("nothing changed", found, not found)]
        breaking, harmless = 0, 0
        for title, (edits, expected) in BREAKING.items():
            found = copy.changed(edits, SHOWN.get(title, guarded))
            breaking += bool(found)
            good.append(verdict(title, found, found and set(expected) <= set(found)))
        for title, edits in HARMLESS.items():
            found = copy.changed(edits, guarded)
            harmless += bool(found)
            good.append(verdict(title, found, not found))
        found = copy.changed(HARMLESS["function and constant in a new node"], old_programs)
        good.append(verdict("programs made before the new node", found, not found, "run"))
    print(f"{breaking} of {len(BREAKING)} breaking changes flagged, "
          f"{harmless} of {len(HARMLESS)} harmless ones")
    print(f"{sum(map(bool, good))} passed, {len(good) - sum(map(bool, good))} failed, 0 skipped")
    return not all(good)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
