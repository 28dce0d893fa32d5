"""Programs written for pyOpenSSL do over flatssl what they do over Debian's python3-openssl."""

import pytest

from conftest import output, started
from https_server import serving

MODULES = (
    "twisted.test.test_ssl",
    "twisted.protocols.test.test_tls",
    "twisted.test.test_sslverify",
)
EXPECTED_TESTS = {"test_ssl": 15, "test_tls": 50, "test_sslverify": 110}
SECONDS = 900


def outcomes(lines):
    return dict(line.split(" ", 1) for line in lines)


@pytest.mark.parametrize("module", MODULES)
def test_twisted(module, tmp_path):
    """No test of Twisted's fails over flatssl that passes over Debian's."""
    running = {
        over: started(over, "trial_outcomes.py", tmp_path / over, module)
        for over in ("debian", "flatssl")
    }
    found = {over: outcomes(output(process, SECONDS)) for over, process in running.items()}
    passing = {over: sum(one == "passes" for one in found[over].values()) for over in found}
    print(module, passing)
    worse = [
        f"{name} {found['flatssl'].get(name)}"
        for name, outcome in found["debian"].items()
        if outcome == "passes" and found["flatssl"].get(name) != "passes"
    ]
    assert worse == []
    assert len(found["flatssl"]) >= EXPECTED_TESTS[module.rpartition(".")[2]]
    assert passing["flatssl"] >= passing["debian"] > 30 or "test_ssl" in module


def test_it_is_flatssl_that_stands_in():
    for over, module in ("flatssl", "flatssl.SSL.context"), ("debian", "OpenSSL.SSL"):
        assert output(started(over, "which.py"), 60) == [module]


def same_over_both(seconds, program, *arguments):
    found = {over: output(started(over, program, *arguments), seconds)
             for over in ("debian", "flatssl")}
    assert found["flatssl"] == found["debian"]
    return found["flatssl"]


def test_urllib3(certs):
    with serving(certs / "server.pem", certs / "server.key") as port, serving(
        certs / "server.pem", certs / "server.key", certs / "ca.pem"
    ) as refusing:
        lines = same_over_both(
            120,
            "get_urllib3.py",
            *(certs / "ca.pem", certs / "other.pem", certs / "client.pem", certs / "client.key"),
            *(port, refusing),
        )
    assert "get (200, b'hello nobody')" in lines and "post True" in lines


@pytest.mark.parametrize("kind", ["server", "rsa"])
def test_eventlet(certs, kind):
    lines = same_over_both(
        120, "echo_eventlet.py", certs / f"{kind}.pem", certs / f"{kind}.key", certs / "ca.pem"
    )
    assert lines == [
        "one True",
        f"many at once {[True] * 20}",
        "untrusted certificate verify failed",
    ]
