"""Come last: what the other tests called. Every function of the library has worked and failed."""

import pytest

import calls
from flatssl import _abi

# Functions that nothing given to them makes fail.
NEVER_FAIL = {name for name, shape in calls.shapes.items() if not set(shape) & set("hitbf")}
NEVER_FAIL.add("error_code")


def test_every_function_succeeded():
    assert " ".join(sorted(set(calls.shapes) - calls.succeeded)) == ""


def test_every_function_failed():
    assert " ".join(sorted(set(calls.shapes) - calls.failed - NEVER_FAIL)) == ""


def test_a_call_that_is_missing_would_be_seen():
    with pytest.raises(AttributeError):
        calls.Noted(_abi.lib).fssl_nonsense
    assert "nonsense" not in calls.succeeded | calls.failed
