"""What the ABI guard reads: header, map and abi/ of a tree, and libraries through readelf."""

import pathlib
import re
import subprocess

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FUNCTION = re.compile(r"^(\w[\w ]*[ *])(fssl_\w+)\s*(\([^;{}]*\))\s*;", re.MULTILINE)
TYPEDEF = re.compile(r"^typedef\s[^;]*?\b(fssl_\w+)\)?\s*(?:\([^;]*\))?\s*;", re.MULTILINE)
CONSTANTS = re.compile(r"\benum\s*\{([^}]*)\}")
NODE = re.compile(r"(FLATSSL_\d+\.\d+)\s*\{([^}]*)\}\s*(FLATSSL_\d+\.\d+)?\s*;")
SYMBOL = re.compile(r"\s*\d+: \w+ +\w+ +\w+ +(\w+) +\w+ +(\w+) +([\w.]+)(@@?)?([\w.]+)?")


def declarations(text):
    """Returns the functions and the types that a text without comments declares, {name: text}."""
    functions = {
        name: " ".join(f"{returns}{name}{parameters};".split())
        for returns, name, parameters in FUNCTION.findall(text)
    }
    types = {match[1]: " ".join(match[0].split()) for match in TYPEDEF.finditer(text)}
    return functions, types


class Node:
    """A version of symbols.map."""

    def __init__(self, name, symbols, parent):
        self.name = name
        self.symbols = symbols
        self.parent = parent


class Tree:
    """The sources' side of the ABI. Declarations are texts without spare spaces, by name; names of
    parameters belong to them, since bindings are made from those."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.abi = self.root / "abi"
        self.baseline = self.abi / "flatssl.abi"
        self.table = self.abi / "constants.tsv"
        self._read_header((self.abi / "flatssl_decl.h").read_text(encoding="utf-8"))
        listed = (self.root / "symbols.map").read_text(encoding="utf-8")
        self.nodes = [
            Node(name, re.findall(r"\b(fssl_\w+);", body), parent)
            for name, body, parent in NODE.findall(listed)
        ]
        self.released = [node for node in self.nodes if self.frozen_list(node).exists()]
        self.newest = self.nodes[-1]

    def _read_header(self, header):
        header = COMMENT.sub(" ", header)
        self.functions, self.typedefs = declarations(header)
        self.constants = {}
        for body in CONSTANTS.findall(header):
            for member in filter(None, map(str.strip, body.split(","))):
                name, value = member.split("=")  # every value is written out
                self.constants[name.strip()] = int(value, 0)

    def frozen_list(self, node):
        """Returns the path of what a node that was released declares."""
        return self.abi / "released" / node.name

    def frozen(self, node):
        """Returns functions and types as they were released."""
        return declarations(self.frozen_list(node).read_text(encoding="ascii"))

    def is_open(self):
        """Tells whether there is a node to which functions may still be added."""
        return self.newest not in self.released

    def exports(self):
        """Returns what a library must export, as readelf shows it."""
        return {f"{name}@@{node.name}" for node in self.nodes for name in node.symbols}

    def constants_table(self):
        """Returns {name: (value, since)} as committed."""
        rows = [line.split("\t") for line in self.table.read_text(encoding="ascii").splitlines()]
        return {name: (int(value), since) for name, value, since in rows[1:]}


class Library:
    """The binary's side."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.exports = set()
        self.imports = set()  # those that must be found when it is loaded
        for binding, section, name, at, version in self._rows(SYMBOL, "--dyn-syms"):
            if section == "UND":
                if binding != "WEAK":
                    self.imports.add(name + at + version)
            elif section != "ABS":  # the nodes themselves
                self.exports.add(name + at + version)
        self.needed = self._rows(re.compile(r".*\(NEEDED\).*\[(.*)\]"), "--dynamic")
        self.soname = self._rows(re.compile(r".*\(SONAME\).*\[(.*)\]"), "--dynamic")
        self.sections = self._rows(re.compile(r" *\[ *\d+\] (\S+)"), "--sections")

    def _rows(self, pattern, option):
        command = ["readelf", "--wide", option, self.path]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [groups for line in text.splitlines() for groups in pattern.findall(line)]
