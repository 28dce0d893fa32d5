"""Which functions of the library the tests call: noted in the loader, below everything else.

To be imported before flatssl, whose modules then take the functions from here.
"""

import importlib.util
import pathlib
import sys

succeeded, failed = set(), set()


class Noted:
    """The library, each of whose functions notes how its calls end."""

    def __init__(self, lib):
        self._lib = lib

    def __getattr__(self, name):
        found = getattr(self._lib, name)
        if name.startswith("fssl_"):
            found = noting(name[len("fssl_") :], found)
        setattr(self, name, found)
        return found


def noting(name, function):
    def call(*arguments):
        result = function(*arguments)
        (succeeded if result >= 0 else failed).add(name)
        return result

    return call


def install():
    """Puts the loader in place. Returns the functions with the shapes of their arguments."""
    path = pathlib.Path(importlib.util.find_spec("flatssl").origin).with_name("_load.py")
    spec = importlib.util.spec_from_file_location("flatssl._load", path)
    loader = sys.modules["flatssl._load"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    loader.lib = Noted(loader.lib)
    return loader.SHAPES


shapes = install()
