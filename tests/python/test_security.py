"""docs/security.md is true: each test that it names exists, each row's incidents are in the names
of its tests, and no test names an incident that the page does not."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
IDS = re.compile(r"(?:CVE|RUSTSEC)-\d{4}-\d+|LuaSec-\d+|gh-\d+|trap-[a-z]+")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/security.md").read_text().splitlines()
    if line.startswith("|") and IDS.search(line.split("|")[1])
]
ROWS_IN_PAGE = 29


def c_cases():
    """The cases of the C tests, as "program: case"."""
    for path in (ROOT / "tests").glob("test_*.c"):
        program = path.stem.removeprefix("test_")
        tables = "".join(re.findall(r"struct check_case cases\[\] = \{(.*?)\};", path.read_text(),
                                    re.DOTALL))
        for name in re.findall(r'\{"([^"]+)",', tables):
            yield f"{program}: {name}"


def lua_cases():
    for path in (ROOT / "ffi/lua/tests").glob("test_*.lua"):
        for name in re.findall(r'^check\.case\("([^"]+)"', path.read_text(), re.MULTILINE):
            yield f"lua: {name}"


def python_cases():
    for folder in ("ffi/python/tests", "tests/python"):
        for path in (ROOT / folder).glob("test_*.py"):
            for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE):
                yield f"{path.relative_to(ROOT)}: {name}"


CASES = {*c_cases(), *lua_cases(), *python_cases()}


def ids_in(name):
    """The incidents that a test names; Python's names have underscores for the hyphens."""
    return {found.upper() for found in IDS.findall(name)} | {
        found.upper().replace("_", "-") for found in re.findall(r"cve_\d{4}_\d+", name)}


def test_rows_are_all_there():
    assert len(ROWS) == ROWS_IN_PAGE
    assert len(CASES) > 500


@pytest.mark.parametrize("row", ROWS, ids=lambda row: IDS.search(row[0])[0])
def test_row(row):
    named = re.findall(r"`([^`]+)`", row[2])
    assert named
    assert [test for test in named if test not in CASES] == []
    proven = set().union(*map(ids_in, named))
    assert ids_in(row[0]) <= proven


def test_every_named_incident_has_its_row():
    rows = set().union(*(ids_in(row[0]) for row in ROWS))
    assert {case for case in CASES if not ids_in(case) <= rows} == set()


def test_cve_2020_25657_no_decryption():
    """Bleichenbacher's oracle needs a caller's ciphertext and a key: no function takes both."""
    header = (ROOT / "abi/flatssl_decl.h").read_text()
    functions = re.findall(r"^int64_t (fssl_\w+)\(", header, re.MULTILINE)
    assert len(functions) > 300
    assert [name for name in functions if re.search("decrypt|decipher|_rsa_|unwrap", name)] == []
