"""docs/seed.md is whole, and every cell of it names something that is there."""

import pathlib
import re
import subprocess

import pytest

import seed
from flatssl import SSL

DECLARED = set(re.findall(r"\b(?:fssl|FSSL)_\w+", (seed.ROOT / "abi/flatssl_decl.h").read_text()))
TESTS = {
    test
    for path in (seed.ROOT / "ffi/python/tests").glob("test_ssl_*.py")
    for test in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
}
NAMES_IN_SEED = 145
PROXIED = {"bind", "listen", "fileno", "getpeername", "getsockname", "getsockopt", "setblocking",
           "setsockopt"}

LUA_CHECK = """
local flatssl = require "flatssl"
for name in io.lines() do
  local at = flatssl
  for part in name:gsub("^flatssl%.", ""):gmatch "[^.:]+" do
    at = at and at[part]
  end
  if at == nil then print(name) end
end
"""


def test_every_name_has_its_row():
    names = [row[0] for row in seed.rows()]
    assert len(names) == len(set(names)) == NAMES_IN_SEED


def test_page_is_current():
    assert seed.PAGE.read_text() == seed.page(), "run python3 tests/python/seed.py"


@pytest.mark.parametrize("row", seed.rows(), ids=lambda row: row[0])
def test_row(row):
    name, library, python, _, test = row
    assert library in DECLARED
    assert test in TESTS
    owner = SSL
    for part in python.split(".")[1:]:
        if part in PROXIED and owner is SSL.Connection:
            return  # the socket's own, which test_sockets calls through the connection
        owner = getattr(owner, part)


@pytest.mark.parametrize("lua", ["luajit", "lua5.4", "lua5.1"])
def test_lua_names(lua):
    names = "\n".join(row[3] for row in seed.rows())
    done = subprocess.run((lua, "-e", LUA_CHECK), input=names, capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_header_names_the_seed():
    """What the header says that it serves is in the seed, or in what came after it."""
    header = (seed.ROOT / "abi/flatssl_decl.h").read_text()
    assert len(re.findall(r"Serves (?:Context|Connection)\.", header)) > 80
    assert pathlib.Path(seed.PAGE).exists()
