"""Functions called by rule alone, for which Python has another way or no need of one."""

import pytest

import calls
import flatssl
from conftest import connected, shake_hands
from flatssl import _abi, crypto
from flatssl._load import NULL, ffi, lib

GIVEN = {"i": 0, "t": "x", "b": b"x", "f": NULL}
ANY_TYPE = {"handle_close", "handle_type", "handle_same"}
BY_HAND = {"conn_pump"}  # has two outputs, which the rule does not know
ON_HANDLES = [name for name, shape in calls.shapes.items() if shape[:1] == "h"]


def code_of(name, handle):
    """Calls a function on a handle, with arguments of the right kinds. Returns the code with which
    it fails."""
    kinds = [kind for kind in calls.shapes[name] if kind in GIVEN or kind == "h"]
    arguments = [handle if kind == "h" else GIVEN[kind] for kind in kinds]
    try:
        getattr(_abi, name)(*arguments)
    except flatssl.Error as error:
        return error.code
    return flatssl.OK


def test_a_closed_handle_is_refused_everywhere():
    store = flatssl.Store()
    handle = store._handle
    store.close()
    codes = {name: code_of(name, handle) for name in ON_HANDLES if name not in BY_HAND}
    assert {name for name, code in codes.items() if code != flatssl.E_HANDLE} == set()


def test_a_handle_of_another_type_is_refused_everywhere():
    store, context = flatssl.Store(), flatssl.Context()
    names = set(ON_HANDLES) - ANY_TYPE - BY_HAND
    codes = {name: code_of(name, context if name.startswith("store_") else store) for name in names}
    assert {name for name, code in codes.items() if code != flatssl.E_HANDLE_TYPE} == set()


# ---- handles ----


def test_what_handles_tell():
    store, other = flatssl.Store(), flatssl.Store()
    assert _abi.handle_type(store) == flatssl.TYPE_STORE
    context = flatssl.Context()
    assert _abi.handle_same(context.cert_store(), context.cert_store()) == 1
    assert _abi.handle_same(store, other) == 0
    found, handle = set(), 0
    while handle := _abi.handle_next(flatssl.TYPE_STORE, handle):
        found.add(handle)
    assert {store._handle, other._handle} <= found
    for bad in (_abi.handle_next, 99, 0), (_abi.handle_count, 99):
        with pytest.raises(flatssl.ArgumentError):
            bad[0](*bad[1:])


def test_versions_and_names():
    number = _abi.version_number()
    with pytest.raises(flatssl.ArgumentError):
        _abi.ctx_option_value(99)
    assert _abi.version_text() == f"{number // 10000}.{number // 100 % 100}.{number % 100}"


@pytest.mark.parametrize("noun", ["ctx", "conn"])
def test_app_data(noun):
    context = flatssl.Context()
    owner = context if noun == "ctx" else flatssl.Connection(context)
    get, put = getattr(_abi, noun + "_app_data"), getattr(_abi, noun + "_set_app_data")
    assert get(owner) == 0
    for data in 1, -1, 1 << 62:
        put(owner, data)
        assert get(owner) == data


def test_context_of_a_connection():
    context = flatssl.Context()
    taken = flatssl.Context._wrap(_abi.conn_context(flatssl.Connection(context)))
    assert _abi.handle_same(taken, context) == 1


def test_an_fd_that_the_connection_owns(socket_pair):
    connection = flatssl.Connection._wrap(
        _abi.conn_new(flatssl.Context(), socket_pair[0].detach()))
    _abi.conn_own_fd(connection)
    connection.close()
    assert socket_pair[1].recv(1) == b""  # which says that the other end is closed


# ---- CRLs, requests and keys ----


@pytest.fixture
def issuer(certs):
    cert = crypto.load_certificate(crypto.FILETYPE_PEM, certs.ca.cert.read_bytes())
    return cert, crypto.load_privatekey(crypto.FILETYPE_PEM, certs.ca.key.read_bytes())


def test_crl(issuer):
    cert, key = issuer
    crl = crypto.CRL()
    for read in _abi.crl_last_update, _abi.crl_next_update:
        with pytest.raises(flatssl.UsageError):
            read(crl)
    assert _abi.crl_last_update_text(crl) == _abi.crl_next_update_text(crl) == ""
    crl.set_lastUpdate(b"20260101000000Z")
    crl.set_nextUpdate(b"20270101000000Z")
    assert _abi.crl_last_update_text(crl) == "20260101000000Z"
    assert _abi.crl_next_update_text(crl) == "20270101000000Z"
    assert _abi.crl_next_update(crl) - _abi.crl_last_update(crl) == 365 * 24 * 3600
    crl.set_version(1)
    assert _abi.crl_version(crl) == 1
    number = _abi.Handle._wrap(_abi.ext_from_der("crlNumber", False, b"\x02\x01\x07"))
    _abi.crl_add_ext(crl, number)
    crl.sign(cert, key, b"sha256")
    assert _abi.crl_ext_count(crl) == 1
    again = crypto.load_crl(crypto.FILETYPE_ASN1, crypto.dump_crl(crypto.FILETYPE_ASN1, crl))
    extension = crypto.X509Extension._wrap(_abi.crl_ext_item(again, 0))
    assert extension.get_short_name() == b"crlNumber" and str(extension) == "7"
    _abi.crl_verify(again, cert.get_pubkey())
    with pytest.raises(flatssl.VerifyError):
        _abi.crl_verify(again, flatssl.Key.generate(flatssl.KEY_ED25519))
    with pytest.raises(flatssl.ArgumentError):
        _abi.crl_ext_item(again, 1)
    with pytest.raises(flatssl.ArgumentError):
        _abi.ext_from_der("no such type", False, b"")


def test_date_of_an_entry():
    revoked = crypto.Revoked()
    with pytest.raises(flatssl.UsageError):
        _abi.revoked_date(revoked)
    _abi.revoked_set_date(revoked, 1577836800)
    assert _abi.revoked_date(revoked) == 1577836800
    assert revoked.get_rev_date() == b"20200101000000Z"
    with pytest.raises(flatssl.ArgumentError):
        _abi.revoked_reason_name(7)  # which RFC 5280 leaves out


def test_signed_public_key_from_text(issuer):
    spki = crypto.NetscapeSPKI()
    spki.set_pubkey(issuer[1])
    spki.sign(issuer[1], "sha256")
    again = crypto.NetscapeSPKI._wrap(_abi.spki_from_base64(spki.b64_encode()))
    assert again.verify(issuer[1])
    with pytest.raises(flatssl.ParseError):
        _abi.spki_from_base64("no base64")


def test_curves_of_tls():
    assert _abi.curve_in_tls("P-256") == 1 and _abi.curve_in_tls("sect113r1") == 0
    with pytest.raises(flatssl.ArgumentError):
        _abi.curve_in_tls("no curve")
    for bad in -1, 1 << 40:
        with pytest.raises(flatssl.ArgumentError):
            _abi.curve_item(bad)


# ---- callbacks that the binding does without ----


def test_a_callback_chooses_by_server_name(client_context, server_context):
    seen = []

    @ffi.callback("fssl_server_name_callback")
    def on_name(token, handle):
        seen.append((token, handle))
        return 1

    _abi.ctx_set_server_name_callback(server_context, on_name, 7)
    _, server = connected(client_context, server_context)
    assert seen == [(7, server._handle)]


@pytest.mark.parametrize("answer, selected", [(b"h2", "h2"), (None, "")])
def test_a_callback_selects_by_alpn(client_context, server_context, answer, selected):
    @ffi.callback("fssl_protos_callback")
    def on_alpn(token, handle, protos, length):
        assert ffi.buffer(protos, length)[:] == b"\x02h2"
        return lib.fssl_conn_answer(handle, answer, len(answer), NULL) == 0 if answer else 0

    _abi.ctx_set_alpn_select_callback(server_context, on_alpn, 0)
    client_context.set_alpn_protos(["h2"])
    client, _ = connected(client_context, server_context)
    assert client.alpn_proto() == selected


def test_a_callback_staples(client_context, server_context):
    @ffi.callback("fssl_protos_callback")
    def on_ocsp(token, handle, response, length):
        return lib.fssl_conn_answer(handle, b"a response", 10, NULL) == 0

    _abi.ctx_set_ocsp_server_callback(server_context, on_ocsp, 0)
    client = flatssl.Connection(client_context, None, host="localhost")
    client.request_ocsp()
    shake_hands(client, flatssl.Connection(server_context, None))
    assert client.ocsp_response() == b"a response"


@pytest.mark.parametrize("given, error", [(b"open sesame", None), (b"x", flatssl.PassphraseError)])
def test_a_callback_gives_the_passphrase(certs, given, error):
    context = flatssl.Context()

    @ffi.callback("fssl_passphrase_callback")
    def on_passphrase(token, handle, most, verify):
        assert lib.fssl_ctx_answer_passphrase(handle, given, most + 1, NULL) < 0
        return lib.fssl_ctx_answer_passphrase(handle, given, len(given), NULL) == 0

    _abi.ctx_set_passphrase_callback(context, on_passphrase, 0)
    if error:
        with pytest.raises(error):
            context.use_private_key_file(certs.encrypted)
    else:
        context.use_private_key_file(certs.encrypted)
