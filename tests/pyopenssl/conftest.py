"""What programs written for pyOpenSSL are run on: Debian's python3-openssl, or flatssl."""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
COMPAT = HERE.parents[1] / "ffi/python/compat"


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    """The folder that tests/certificates makes."""
    folder = tmp_path_factory.mktemp("certs")
    subprocess.run([HERE.parent / "certificates", folder], check=True, capture_output=True)
    return folder


def started(over, program, *arguments):
    """Starts a program over "flatssl" or "debian"."""
    environment = dict(os.environ, PYTHONWARNINGS="ignore")
    places = environment.pop("PYTHONPATH", "")
    if over == "flatssl":
        environment["PYTHONPATH"] = f"{COMPAT}:{places}"
    return subprocess.Popen(
        [sys.executable, HERE / program, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process, seconds):
    """Returns the lines that a program prints, which must end well."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"the program did not end\n{out}\n{err}")
    assert process.returncode == 0, out + err
    return out.splitlines()
