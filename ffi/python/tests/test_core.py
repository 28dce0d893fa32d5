"""Loading, calling by rule, handles, text and bytes, and what contexts and certificates do."""

import copy
import gc
import os
import pickle
import subprocess
import sys

import pytest

import flatssl
from conftest import connected
from flatssl import _abi, _load
from flatssl.question import protocol_list

PRINT_VERSION = "import flatssl; print(flatssl.__version__)"


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


# ---- loading ----


def test_declarations_are_made_once_and_remade_for_another_header(tmp_path):
    header, cache = tmp_path / "decl.h", tmp_path / "cache"
    text = open(_load.header_path(), encoding="utf-8").read()
    found = []
    for change in ("", "", "\n/* changed */\n"):
        header.write_text(text + change)
        places = {"FLATSSL_HEADER": str(header), "FLATSSL_CACHE": str(cache)}
        ended = run_python(PRINT_VERSION, **places)
        assert ended.stdout == "1.0.0\n", ended.stderr
        found.append({path: path.stat().st_mtime_ns for path in cache.glob("declared_*.py")})
    assert len(found[0]) == 1 and found[0] == found[1]
    assert len(found[2]) == 2 and found[0].items() <= found[2].items()


def test_many_processes_make_the_declarations_at_once(tmp_path):
    environment = {**os.environ, "FLATSSL_CACHE": str(tmp_path)}
    running = [
        subprocess.Popen([sys.executable, "-c", PRINT_VERSION], env=environment, stdout=-1)
        for _ in range(8)
    ]
    assert [process.communicate(timeout=60)[0] for process in running] == [b"1.0.0\n"] * 8
    assert len(list(tmp_path.glob("declared_*.py"))) == 1
    assert not list(tmp_path.glob("making-*"))


def test_a_cache_that_others_can_write_is_not_used(tmp_path):
    tmp_path.chmod(0o777)
    ended = run_python(PRINT_VERSION, FLATSSL_CACHE=str(tmp_path))
    assert ended.stdout == "1.0.0\n", ended.stderr
    assert not list(tmp_path.iterdir())


def test_import_does_not_parse():
    code = "import flatssl, sys; print('pycparser' in sys.modules, 'cffi' in sys.modules)"
    assert run_python(code).stdout == "False False\n"


@pytest.mark.parametrize("variable", ["FLATSSL_LIBRARY", "FLATSSL_HEADER"])
def test_what_is_missing_is_named(variable):
    ended = run_python("import flatssl", **{variable: "/nowhere/it.is"})
    assert ended.returncode != 0
    assert "ImportError: flatssl:" in ended.stderr and "/nowhere/it.is" in ended.stderr


def test_versions():
    assert flatssl.__version__ == _abi.version_text()
    assert flatssl.openssl_version().startswith("OpenSSL ")


# ---- functions by rule ----


def test_every_function_of_the_header_has_a_shape():
    assert len(_load.SHAPES) > 150
    for name in _load.SHAPES:
        assert hasattr(_load.lib, "fssl_" + name) and callable(getattr(_abi, name))


@pytest.mark.parametrize(
    "name, shape",
    [
        ("handle_close", "h"),
        ("conn_recv", "hBi"),
        ("conn_cipher_name", "hT"),
        ("cert_alt_name_item", "hioB"),
        ("conn_getpeername", "hTo"),
        ("ctx_verify_depth", "hO"),
        ("conn_verify_error_item", "hior"),
        ("cert_from_pem", "br"),
    ],
)
def test_shapes(name, shape):
    assert _load.SHAPES[name] == shape


def test_an_unknown_function_is_no_attribute():
    with pytest.raises(AttributeError, match="fssl_nonsense"):
        _abi.nonsense
    with pytest.raises(AttributeError):
        flatssl.E_NONSENSE


def test_a_wrong_number_of_arguments_is_a_type_error():
    with pytest.raises(TypeError, match="version_text takes 0 arguments, 1 were given"):
        _abi.version_text(1)


def test_a_long_output_is_read_whole(certs):
    key = flatssl.Key.from_pem(certs.rsa.key.read_bytes())
    assert len(key.to_pem()) > 1600 > _abi.FIRST_CAPACITY
    assert key.to_pem().endswith(b"-----END PRIVATE KEY-----\n")


# ---- handles ----


def test_handles_close_once_and_with_their_object():
    before = _abi.handle_count(flatssl.TYPE_STORE)
    store, forgotten = flatssl.Store(), flatssl.Store()
    assert _abi.handle_count(flatssl.TYPE_STORE) == before + 2
    store.close()
    store.close()
    del forgotten
    gc.collect()
    assert _abi.handle_count(flatssl.TYPE_STORE) == before
    with pytest.raises(flatssl.UsageError) as caught:
        len(store)
    assert caught.value.code == flatssl.E_HANDLE


def test_handles_are_neither_copied_nor_pickled():
    store = flatssl.Store()
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot copy or pickle a Store"):
            attempt(store)


def test_a_handle_of_another_type_is_refused():
    with pytest.raises(flatssl.UsageError) as caught:
        _abi.ctx_options(flatssl.Store())
    assert caught.value.code == flatssl.E_HANDLE_TYPE


# ---- text and bytes ----


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_buffer_goes_in(certs, kind):
    pem = certs.rsa.cert.read_bytes()
    assert flatssl.Certificate.from_pem(kind(pem)).subject().items() == [("CN", b"rsa")]


def test_a_buffer_is_free_again_after_the_call(certs):
    pem = bytearray(certs.rsa.cert.read_bytes())
    flatssl.Certificate.from_pem(pem)
    pem.clear()  # a buffer that is still in use cannot change its size
    with pytest.raises(flatssl.ParseError):
        flatssl.Certificate.from_pem(pem)


@pytest.mark.parametrize("bad", ["text", 5, 1.5, object(), memoryview(b"abcdef")[::2]])
def test_what_is_no_buffer_is_refused(bad):
    with pytest.raises((TypeError, BufferError)):
        flatssl.Certificate.from_pem(bad)


@pytest.mark.parametrize("kind", [str, os.fsencode, lambda path: path])
def test_every_kind_of_path_goes_in(certs, kind):
    context = flatssl.Context.server(kind(certs.rsa.cert), kind(certs.rsa.key))
    context.check_private_key()


@pytest.mark.parametrize("protos, wire", [([], b""), (["h2", b"http/1.1"], b"\2h2\x08http/1.1")])
def test_protocol_lists(protos, wire):
    assert protocol_list(protos) == wire


@pytest.mark.parametrize("bad", [[""], ["x" * 256], ["h2", ""]])
def test_bad_protocol_lists(bad):
    with pytest.raises(ValueError):
        protocol_list(bad)


# ---- contexts ----


def test_safe_contexts_are_safe(certs):
    client, server = flatssl.Context.client(), flatssl.Context.server(certs.rsa.cert, certs.rsa.key)
    assert client.verify_mode() == flatssl.VERIFY_PEER
    assert server.verify_mode() == flatssl.VERIFY_NONE
    for context in (client, server):
        assert context.min_proto_version() == flatssl.TLS1_2_VERSION
        assert context.options() & flatssl.OP_NO_RENEGOTIATION


def test_a_given_trust_takes_the_place_of_the_systems(certs):
    context = flatssl.Context.client(cafile=certs.ca.cert)
    assert len(context.cert_store()) == 1
    context.trust(cadata=certs.other_ca.cert.read_bytes())
    assert len(context.cert_store()) == 2


def test_a_context_keeps_what_is_set():
    context = flatssl.Context()
    assert context.verify_depth() < 0 or context.verify_depth() == 100
    context.set_verify_depth(7)
    assert context.verify_depth() == 7
    assert context.set_options(flatssl.OP_NO_TICKET) & flatssl.OP_NO_TICKET
    assert not context.clear_options(flatssl.OP_NO_TICKET) & flatssl.OP_NO_TICKET
    context.set_max_proto_version(flatssl.TLS1_2_VERSION)
    assert context.max_proto_version() == flatssl.TLS1_2_VERSION
    assert context.set_timeout(10) == 300 and context.timeout() == 10
    context.set_security_level(3)
    assert context.security_level() == 3
    assert context.set_mode(flatssl.MODE_RELEASE_BUFFERS) == context.mode()
    assert context.mode() & flatssl.MODE_RELEASE_BUFFERS
    assert not context.clear_mode(flatssl.MODE_RELEASE_BUFFERS) & flatssl.MODE_RELEASE_BUFFERS
    context.set_buffer_release(True)
    context.set_read_ahead(65536)
    flatssl.Context.client().set_resumption(5)
    with pytest.raises(flatssl.UsageError):
        context.set_resumption(5)
    for bad in (context.set_read_ahead, -1), (context.set_mode, -1):
        with pytest.raises(flatssl.ArgumentError):
            bad[0](bad[1])
    context.set_session_cache_mode(flatssl.SESS_CACHE_BOTH)
    assert context.session_cache_mode() == flatssl.SESS_CACHE_BOTH


def test_an_encrypted_key_needs_its_passphrase(certs):
    flatssl.Context.server(certs.rsa.cert, certs.encrypted, passphrase=certs.passphrase)
    for passphrase in (None, b"wrong"):
        with pytest.raises(flatssl.PassphraseError):
            flatssl.Context.server(certs.rsa.cert, certs.encrypted, passphrase=passphrase)


def test_a_chain_from_memory(certs):
    context = flatssl.Context()
    context.use_certificate_chain(certs.rsa.cert.read_bytes() + certs.ca.cert.read_bytes())
    context.use_private_key_file(certs.rsa.key)
    context.check_private_key()
    with pytest.raises(flatssl.ParseError):
        context.use_certificate_chain(b"no chain")


def test_issuers_that_a_server_takes(certs):
    context = flatssl.Context.server(certs.rsa.cert, certs.rsa.key, client_ca=certs.ca.cert)
    ca, other = (flatssl.Certificate.from_pem(files.cert.read_bytes())
                 for files in (certs.ca, certs.other_ca))
    context.set_client_cas([ca.subject()])
    context.add_client_ca(other)
    client, _ = connected(flatssl.Context.client(
        cafile=certs.ca.cert, certificate=certs.client.cert, key=certs.client.key), context)
    assert [str(name) for name in client.client_cas()] == ["CN=ca", "CN=other-ca"]
    with pytest.raises(flatssl.Error):
        context.load_client_ca("/nowhere/it.is")


def test_contexts_apart(certs):
    server = flatssl.Context.server(certs.rsa.cert, certs.rsa.key, place=1)
    client, _ = connected(flatssl.Context.client(cafile=certs.ca.cert, place=2), server)
    assert client.peer_certificate().matches_host("localhost")
    for make in (_abi.ctx_new_client, _abi.ctx_new_server):
        flatssl.Context._wrap(make()).close()
    with pytest.raises(flatssl.UsageError):
        flatssl.Context.client(place=257)


def test_a_key_that_does_not_fit_is_refused(certs):
    with pytest.raises(flatssl.CertificateError) as caught:
        flatssl.Context.server(certs.rsa.cert, certs.client.key)
    assert caught.value.code == flatssl.E_KEY_MISMATCH


# ---- certificates and keys ----


def test_what_a_certificate_tells(certs):
    cert = flatssl.Certificate.from_pem(certs.rsa.cert.read_bytes())
    assert cert.alt_names() == [(2, b"localhost"), (7, b"\x7f\0\0\1")]
    assert cert.issuer().items() == [("CN", b"ca")] and str(cert.subject()) == "CN=rsa"
    assert cert.not_after() - cert.not_before() == 2 * 24 * 3600
    assert cert.serial() > 0 and len(cert.digest()) == 32
    assert cert.matches_host("localhost") and not cert.matches_host("other.example")
    same = flatssl.Certificate.from_der(cert.to_der())
    assert same == cert and hash(same) == hash(cert) and same.to_pem() == cert.to_pem()
    assert same != flatssl.Certificate.from_pem(certs.ecdsa.cert.read_bytes())
    assert cert.public_key().public_to_der() == same.copy().public_key().public_to_der()


def test_keys_are_made_and_written():
    key = flatssl.Key.generate(flatssl.KEY_EC, curve="P-256")
    assert (key.type(), key.bits(), key.is_private()) == (flatssl.KEY_EC, 256, True)
    again = flatssl.Key.from_pem(key.to_pem("aes-256-cbc", b"secret"), b"secret")
    assert again.to_der() == key.to_der() and flatssl.Key.from_der(key.to_der()).is_private()
    public = flatssl.Key.public_from_pem(key.public_to_pem())
    assert not public.is_private()
    assert flatssl.Key.public_from_der(public.public_to_der()).bits() == 256
    with pytest.raises(flatssl.Error):
        flatssl.Key.generate(flatssl.KEY_EC, curve="no curve")
