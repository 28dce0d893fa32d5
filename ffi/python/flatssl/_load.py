"""Loads what the binding stands on: the declarations of abi/flatssl_decl.h, and the library.

cffi needs about 150 ms to parse the declarations, so what it makes of them is kept in a cache
directory, in a file named after their digest: a changed header has another name, and two processes
that make the file at once make the same one, each put in place whole. The header is looked for
where FLATSSL_HEADER says, in the tree of the sources, beside this file, and where it is installed;
the library where FLATSSL_LIBRARY says, or as the dynamic linker does (LD_LIBRARY_PATH).
"""

import hashlib
import importlib.util
import os
import re
import sys

FORM = "3"  # of what make() writes
HERE = os.path.dirname(os.path.realpath(__file__))
HEADER = "flatssl_decl.h"

DECLARATION = re.compile(
    r"/\*(?P<comment>(?:(?!\*/).)*)\*/\s*"
    r"int64_t\s+fssl_(?P<name>\w+)\s*\((?P<parameters>[^;{}]*)\)\s*;",
    re.DOTALL,
)

# Each parameter's kind as a letter; a buffer or text stands for two parameters, err for none. The
# letter r at the end says that the result is no mere success or length.
KINDS = {
    "fssl_handle": "h",
    "int32_t": "i",
    "int64_t": "i",
    "const char *": "t",
    "const uint8_t *": "b",
    "char *": "T",
    "uint8_t *": "B",
    "int64_t *": "O",
    "int32_t *": "o",
}


def header_path():
    given = os.environ.get("FLATSSL_HEADER")
    places = [os.path.join(HERE, "..", "..", "..", "abi", HEADER), os.path.join(HERE, HEADER)]
    places += [os.path.join(root, "include", HEADER) for root in (sys.prefix, "/usr/local", "/usr")]
    for path in [given] if given else places:
        if os.path.isfile(path):
            return path
    raise ImportError(f"flatssl: no {HEADER} at {given or ', '.join(places)}")


def shape_of(parameters, comment):
    """Returns the letters of a declaration, such as "hB" for (handle, buffer, capacity, err)."""
    letters = ""
    rest = [" ".join(parameter.split()) for parameter in parameters.split(",")]
    while len(rest) > 1:
        letters += KINDS.get(re.sub(r"\w+$", "", rest.pop(0)).strip(), "f")
        if letters[-1] in "tbTB":
            rest.pop(0)
    if "T" not in letters and "B" not in letters and re.search("Returns|Makes", comment):
        letters += "r"
    return letters


def shapes(header):
    found = DECLARATION.finditer(header)
    return {one["name"]: shape_of(one["parameters"], one["comment"]) for one in found}


def make(header, path):
    """Writes the module for the text of a header."""
    import cffi
    import cffi.recompiler

    ffi = cffi.FFI()
    ffi.cdef(header)
    ffi.set_source("flatssl._declared", None)
    cffi.recompiler.make_py_source(ffi, "flatssl._declared", path)
    with open(path, "a", encoding="ascii") as module:
        module.write(f"\nSHAPES = {shapes(header)!r}\n")


def load(path):
    spec = importlib.util.spec_from_file_location("flatssl._declared", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cache_directory():
    """Returns the cache directory, or None where there is none that only this user can write."""
    given = os.environ.get("FLATSSL_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    directory = given or os.path.join(base, "flatssl")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        found = os.stat(directory)
    except OSError:
        return None
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        return None  # what lies there is run: others must not be able to put it there
    return directory


def make_cached(header, path):
    import tempfile

    with tempfile.TemporaryDirectory(prefix="making-", dir=os.path.dirname(path)) as directory:
        fresh = os.path.join(directory, "declared.py")
        make(header, fresh)
        os.replace(fresh, path)


def load_uncached(header):
    import tempfile

    with tempfile.TemporaryDirectory(prefix="flatssl-") as directory:
        path = os.path.join(directory, "declared.py")
        make(header, path)
        return load(path)


def declared():
    """Returns the module of the declarations: ffi and SHAPES."""
    import _cffi_backend

    with open(header_path(), encoding="utf-8") as file:
        header = file.read()
    stamp = "\0".join([FORM, _cffi_backend.__version__, header]).encode()
    directory = cache_directory()
    if not directory:
        return load_uncached(header)
    path = os.path.join(directory, f"declared_{hashlib.sha256(stamp).hexdigest()[:24]}.py")
    try:
        if not os.path.exists(path):
            make_cached(header, path)
    except OSError:  # the disk is full, or may only be read
        return load_uncached(header)
    return load(path)


def opened(ffi):
    """Returns the library."""
    given = os.environ.get("FLATSSL_LIBRARY")
    name = "libflatssl.1.dylib" if sys.platform == "darwin" else "libflatssl.so.1"
    tried = []
    for path in [given] if given else [name, os.path.join("/usr/local/lib", name)]:
        try:
            return ffi.dlopen(path)
        except OSError as error:
            tried.append(str(error))
    raise ImportError("flatssl: the library is not found: " + "; ".join(tried))


def address(name):
    """Returns where a function of the library is, for C to call."""
    return int(ffi.cast("uintptr_t", ffi.addressof(_opened, name)))


_declared = declared()
ffi = _declared.ffi
SHAPES = _declared.SHAPES
lib = _opened = opened(ffi)
NULL = ffi.NULL
