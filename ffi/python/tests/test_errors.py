"""The exceptions: from the negative result alone, each with what the library knows."""

import pytest

import flatssl
from flatssl import _abi, errors
from flatssl._load import lib

CODES = sorted(
    getattr(lib, name)
    for name in dir(lib)
    if name.startswith("FSSL_E_") and name != "FSSL_E_INTERRUPTED"
)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_exception(code):
    error = errors.from_result(-code)
    assert isinstance(error, flatssl.Error) and error.code == code
    assert error.kind == code // 100 == _abi.error_kind(code)
    assert error.name == _abi.error_name(code) and error.name.startswith("FSSL_E_")
    assert type(error) is errors.BY_CODE.get(code, errors.BY_KIND[error.kind])
    assert error.lines == () and str(error)


def test_a_code_from_a_newer_library_has_its_kind():
    error = errors.from_result(-499)
    assert type(error) is flatssl.TLSError and error.code == 499
    assert type(errors.from_result(-999)) is flatssl.Error


def test_a_code_that_is_none():
    assert errors.from_result(-499).name == ""
    with pytest.raises(flatssl.ArgumentError):
        _abi.error_kind(-1)


def test_texts_do_not_fit_anywhere():
    result = lib.fssl_ctx_new(99, _abi.NULL)
    small = _abi.allocate("char[]", 1)
    assert lib.fssl_error_text(result, small, 1, _abi.NULL) == _abi.SHORT
    assert lib.fssl_error_str(result, lib.FSSL_ERROR_REASON, 0, small, 1, _abi.NULL) == _abi.SHORT
    for field, line in (99, 0), (lib.FSSL_ERROR_REASON, 9):
        assert lib.fssl_error_str(result, field, line, small, 1, _abi.NULL) < 0


def test_codes_and_kinds_stand_in_the_table_once():
    assert len(set(errors.BY_CODE.values())) >= 18
    kinds = [getattr(lib, name) for name in dir(lib) if name.startswith("FSSL_KIND_")]
    assert sorted(errors.BY_KIND) == sorted(kinds)
    for code, exception in errors.BY_CODE.items():
        assert issubclass(exception, errors.BY_KIND[code // 100]) or code // 100 == 3


def test_a_record_tells_lines_and_numbers(tmp_path):
    with pytest.raises(flatssl.SysCallError) as caught:
        flatssl.Context.client(cafile=tmp_path / "missing.pem")
    error = caught.value
    assert error.args == (2, "ENOENT") and error.errno == 2
    assert str(tmp_path / "missing.pem") in str(error) and error.lines[-1].data
    assert error.verify_code == error.alert == -1


@pytest.mark.parametrize(
    "exception, call",
    [
        (flatssl.ParseError, lambda: flatssl.Certificate.from_pem(b"junk")),
        (flatssl.ParseError, lambda: flatssl.Key.from_der(b"junk")),
        (flatssl.TLSError, lambda: flatssl.Context().set_cipher_list("NO-SUCH-CIPHER")),
    ],
)
def test_openssls_lines_name_library_function_and_reason(exception, call):
    with pytest.raises(exception) as caught:
        call()
    assert all(all(part for part in line[:3]) for line in caught.value.lines)
    assert caught.value.args[0] == [line[:3] for line in caught.value.lines]


def test_a_bad_argument_is_named_and_is_a_value_error():
    with pytest.raises(ValueError) as caught:
        flatssl.Context(99)
    assert isinstance(caught.value, flatssl.ArgumentError)
    assert caught.value.lines[0].data == "method"


def test_what_openssl_lacks_is_unsupported():
    for method in (flatssl.SSLV2_METHOD, flatssl.SSLV3_METHOD):
        with pytest.raises(flatssl.UsageError) as caught:
            flatssl.Context(method)
        assert caught.value.code == flatssl.E_UNSUPPORTED


def test_an_overwritten_record_is_expired_and_no_others():
    result = lib.fssl_ctx_new(99, _abi.NULL)
    for _ in range(1024):
        lib.fssl_ctx_new(98, _abi.NULL)
    error = errors.from_result(result)
    assert error.code == flatssl.E_EXPIRED and error.lines == ()


def test_errors_of_many_threads_are_not_mixed_up(background):
    """Each thread fails in a way of its own, and always gets its own lines."""

    def fail(method):
        found = []
        for _ in range(300):
            with pytest.raises(flatssl.UsageError) as caught:
                _abi.ctx_new(method)
            found.append((caught.value.code, len(caught.value.lines)))
        return {one for one in found if one[1]}  # the others expired

    expected = {1: {(flatssl.E_UNSUPPORTED, 1)}, 99: {(flatssl.E_ARGUMENT, 1)}}
    threads = [(method, background(fail, method)) for method in [1, 99] * 4]
    assert all(thread.join() == expected[method] for method, thread in threads)


def test_wants_are_cheap_and_empty(client_context):
    client = flatssl.Connection(client_context, None, host="localhost")
    with pytest.raises(flatssl.WantReadError) as caught:
        client.do_handshake()
    assert caught.value.args == () and vars(caught.value) == {"code": flatssl.E_WANT_READ}
