"""flatssl.SSL.Context: each method of the seed does what its reference says."""

import gc
import weakref

import pytest

from ssl_pair import (  # fixtures among them
    client_context,
    ends,
    handshake,
    pair,
    pump,
    server_context,
    tls12,
)

from flatssl import SSL, crypto


# ---- Context ----


def test_key_and_certificate(certs):
    context = SSL.Context(SSL.SSLv23_METHOD)
    with pytest.raises(SSL.Error):
        context.check_privatekey()
    pem = certs.rsa.cert.read_bytes()
    cert = crypto.load_certificate(crypto.FILETYPE_PEM, pem)
    key = crypto.load_privatekey(crypto.FILETYPE_PEM, certs.rsa.key.read_bytes())
    context.use_certificate(cert)
    context.use_privatekey(key)
    context.check_privatekey()
    context.add_extra_chain_cert(cert)
    wrong = crypto.load_privatekey(crypto.FILETYPE_PEM, certs.client.key.read_bytes())
    with pytest.raises(SSL.Error):
        context.use_privatekey(wrong)
    for setter in context.use_certificate, context.use_privatekey, context.add_extra_chain_cert:
        with pytest.raises(TypeError):
            setter("no object")


def test_files(certs, tmp_path):
    context = SSL.Context(SSL.SSLv23_METHOD)
    der = tmp_path / "cert.der"
    der.write_bytes(crypto.dump_certificate(crypto.FILETYPE_ASN1, crypto.load_certificate(
        crypto.FILETYPE_PEM, certs.rsa.cert.read_bytes())))
    context.use_certificate_file(str(der), SSL.FILETYPE_ASN1)
    context.use_certificate_file(certs.rsa.cert)
    context.use_certificate_chain_file(certs.rsa.cert)
    context.use_privatekey_file(certs.rsa.key, SSL.FILETYPE_PEM)
    context.check_privatekey()
    with pytest.raises(TypeError):
        context.use_certificate_file(certs.rsa.cert, "pem")
    with pytest.raises(TypeError):
        context.use_privatekey_file(certs.rsa.key, object())
    with pytest.raises(SSL.Error):
        context.use_certificate_chain_file(b"/no/such/file")


def test_passphrase(certs):
    asked = []

    def give(maximum, verify, userdata):
        asked.append((maximum, verify, userdata))
        return certs.passphrase

    context = SSL.Context(SSL.SSLv23_METHOD)
    with pytest.raises(SSL.Error):
        context.use_privatekey_file(certs.encrypted)
    context.set_passwd_cb(give, "userdata")
    context.use_privatekey_file(certs.encrypted)
    assert asked == [(1024, 0, "userdata")]
    context.set_passwd_cb(lambda *_: b"")
    with pytest.raises(SSL.Error):
        context.use_privatekey_file(certs.encrypted)
    context.set_passwd_cb(lambda *_: "text")
    with pytest.raises(ValueError):
        context.use_privatekey_file(certs.encrypted)


def test_app_data(pair, client_context):
    client, _ = pair
    for owner in client_context, client:
        assert owner.get_app_data() is None
        thing = object()
        owner.set_app_data(thing)
        assert owner.get_app_data() is thing


def test_trust(certs, server_context):
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.set_verify(SSL.VERIFY_PEER)
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        handshake(*ends(context, server_context))
    ca = crypto.load_certificate(crypto.FILETYPE_PEM, certs.ca.cert.read_bytes())
    context.get_cert_store().add_cert(ca)
    handshake(*ends(context, server_context))
    context.set_default_verify_paths()
    for bad in (None, None), (b"/no/such/file", None), (None, b"/no/such/directory"):
        with pytest.raises((SSL.Error, TypeError)):
            context.load_verify_locations(*bad)


def test_verify_settings():
    context = SSL.Context(SSL.SSLv23_METHOD)
    assert context.get_verify_mode() == SSL.VERIFY_NONE
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_CLIENT_ONCE, lambda *_: True)
    assert context.get_verify_mode() == 5
    context.set_verify_depth(11)
    assert context.get_verify_depth() == 11
    with pytest.raises(TypeError):
        context.set_verify("peer", lambda *_: True)
    with pytest.raises(TypeError):
        context.set_verify(SSL.VERIFY_PEER, "no function")


def test_verify_callback(client_context, server_context):
    seen = []

    def verify(connection, cert, error, depth, ok):
        seen.append((connection.get_context() is client_context, type(cert), error, depth, ok))
        return ok

    client_context.set_verify(SSL.VERIFY_PEER, verify)
    handshake(*ends(client_context, server_context))
    assert seen == [(True, crypto.X509, 0, 1, 1), (True, crypto.X509, 0, 0, 1)]
    client_context.set_verify(SSL.VERIFY_PEER, lambda *_: False)
    with pytest.raises(SSL.Error):
        handshake(*ends(client_context, server_context))


def test_cve_2026_27448_exception_in_verify_callback(client_context, server_context):
    client_context.set_verify(SSL.VERIFY_PEER, lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        handshake(*ends(client_context, server_context))


def test_a_connection_keeps_the_verify_callback_that_it_was_made_with(client_context,
                                                                      server_context):
    kept, later = [], []
    client_context.set_verify(SSL.VERIFY_PEER, lambda *_: kept.append(_) or True)
    client, server = ends(client_context, server_context)
    client_context.set_verify(SSL.VERIFY_PEER, lambda *_: later.append(_) or True)
    handshake(client, server)
    assert len(kept) == 2 and not later


def test_verify_callback_of_a_connection(client_context, server_context):
    client, server = ends(client_context, server_context)
    client.set_verify(SSL.VERIFY_PEER, lambda *_: False)
    with pytest.raises(SSL.Error):
        handshake(client, server)
    client_context.set_verify(SSL.VERIFY_PEER, lambda *_: False)
    client, server = ends(client_context, server_context)
    client.set_verify(SSL.VERIFY_PEER)
    handshake(client, server)


@pytest.mark.parametrize("install", ["set_info_callback", "set_keylog_callback"])
def test_cve_2026_27448_exception_in_a_notification(client_context, server_context, install):
    """It cannot fail the handshake, and comes out of the call that caused it, once."""
    calls = []

    def fail_once(*_):
        calls.append(_)
        if len(calls) == 1:
            raise LookupError

    getattr(client_context, install)(fail_once)
    client, server = ends(client_context, server_context)
    with pytest.raises(LookupError):
        handshake(client, server)
    handshake(client, server)
    assert len(calls) > 1


def test_client_cas(certs, client_context, server_context):
    ca = crypto.load_certificate(crypto.FILETYPE_PEM, certs.ca.cert.read_bytes())
    other = crypto.load_certificate(crypto.FILETYPE_PEM, certs.other_ca.cert.read_bytes())
    server_context.set_verify(SSL.VERIFY_PEER)

    def sent():
        client, server = ends(client_context, server_context)
        assert client.get_client_ca_list() == []
        handshake(client, server)
        assert client.get_client_ca_list() == server.get_client_ca_list()
        assert [name.rfc4514_string() for name in client.get_client_ca_list(
            as_cryptography=True)] == [str(name) for name in client.get_client_ca_list()]
        return client.get_client_ca_list()

    assert sent() == []
    server_context.set_client_ca_list([ca.get_subject()])
    server_context.add_client_ca(other)
    assert sent() == [ca.get_subject(), other.get_subject()]
    server_context.load_client_ca(bytes(certs.other_ca.cert))
    assert sent() == [other.get_subject()]
    with pytest.raises(TypeError):
        server_context.set_client_ca_list(["no name"])
    with pytest.raises(TypeError):
        server_context.add_client_ca("no certificate")
    assert sent() == [other.get_subject()]


def test_temporary_keys(client_context, server_context, tmp_path):
    from conftest import openssl

    params = tmp_path / "dh.pem"
    openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out",
            params)
    tls12(client_context).set_cipher_list(b"DHE-RSA-AES128-GCM-SHA256")
    server_context.load_tmp_dh(bytes(params))
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert client.get_cipher_name() == "DHE-RSA-AES128-GCM-SHA256"
    for curve in crypto.get_elliptic_curves():
        SSL.Context(SSL.SSLv23_METHOD).set_tmp_ecdh(curve)  # none of them raises
    context = SSL.Context(SSL.SSLv23_METHOD)
    context.set_tmp_ecdh(crypto.get_elliptic_curve("prime256v1"))
    client, server = ends(context, server_context)
    handshake(client, server)
    assert client.get_group_name() in ("prime256v1", "secp256r1")
    with pytest.raises(SSL.Error):
        server_context.load_tmp_dh(b"/no/such/file")


def test_cipher_list(client_context, server_context):
    tls12(client_context).set_cipher_list(b"ECDHE-RSA-AES256-GCM-SHA384")
    client, server = ends(client_context, server_context)
    assert "ECDHE-RSA-AES256-GCM-SHA384" in client.get_cipher_list()
    handshake(client, server)
    assert client.get_cipher_name() == "ECDHE-RSA-AES256-GCM-SHA384"
    assert client.get_cipher_bits() == 256 and client.get_cipher_version() == "TLSv1.2"
    with pytest.raises(TypeError):
        client_context.set_cipher_list(object())


def test_info_callback(client_context, server_context):
    seen = []
    client_context.set_info_callback(lambda *arguments: seen.append(arguments))
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert all(connection is client for connection, _, _ in seen)
    assert any(where & SSL.SSL_CB_HANDSHAKE_DONE for _, where, _ in seen)


def test_options_and_mode(client_context):
    options = client_context.set_options(SSL.OP_NO_TLSv1_2 | SSL.OP_NO_TICKET)
    assert options & SSL.OP_NO_TICKET and client_context.set_options(0) == options
    assert client_context.set_mode(SSL.MODE_RELEASE_BUFFERS) & SSL.MODE_RELEASE_BUFFERS
    assert not client_context.clear_mode(SSL.MODE_RELEASE_BUFFERS) & SSL.MODE_RELEASE_BUFFERS
    for setter in client_context.set_options, client_context.set_mode:
        with pytest.raises(TypeError):
            setter("1")


def test_session_settings(client_context):
    assert client_context.get_session_cache_mode() == SSL.SESS_CACHE_SERVER
    assert client_context.set_session_cache_mode(SSL.SESS_CACHE_OFF) == SSL.SESS_CACHE_SERVER
    assert client_context.get_timeout() == 300
    assert client_context.set_timeout(42) == 300 and client_context.get_timeout() == 42
    client_context.set_session_id(b"here")
    with pytest.raises(SSL.Error):
        client_context.set_session_id(b"x" * 33)
    with pytest.raises(TypeError):
        client_context.set_timeout("long")


def test_servername(client_context, server_context):
    seen = []
    other = SSL.Context(SSL.SSLv23_METHOD)
    other.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)

    def switch(connection):
        seen.append(connection.get_servername())
        if seen[-1] == b"strict":
            connection.set_context(other)

    server_context.set_tlsext_servername_callback(switch)
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert server.get_servername() == b"localhost" and server.get_context() is server_context
    with pytest.raises(SSL.Error):
        handshake(*ends(client_context, server_context, b"strict"))
    assert seen == [b"localhost", b"strict"]
    with pytest.raises(TypeError):
        client.set_context("no context")
    for bad in "localhost", b"a\0b":
        with pytest.raises(TypeError):
            client.set_tlsext_host_name(bad)


def test_cve_2026_27448_exception_in_servername_callback(client_context, server_context):
    server_context.set_tlsext_servername_callback(lambda _: 1 // 0)
    client, server = ends(client_context, server_context)
    with pytest.raises(ZeroDivisionError):
        handshake(client, server)
    pump(client, server)
    with pytest.raises(SSL.Error, match="alert"):
        client.do_handshake()


def test_npn(client_context, server_context):
    server_context.set_npn_advertise_callback(lambda connection: [b"http/1.1", b"spdy/2"])
    tls12(client_context).set_npn_select_callback(lambda connection, offered: offered[1])
    client, server = ends(client_context, server_context)
    assert client.get_next_proto_negotiated() == b""
    handshake(client, server)
    assert client.get_next_proto_negotiated() == server.get_next_proto_negotiated() == b"spdy/2"


def test_cve_2026_27448_exception_in_npn_callback(client_context, server_context):
    server_context.set_npn_advertise_callback(lambda connection: [b"http/1.1"])
    tls12(client_context).set_npn_select_callback(lambda connection, offered: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        handshake(*ends(client_context, server_context))


def test_alpn(client_context, server_context):
    seen = []
    client_context.set_alpn_protos([b"http/1.1", b"spdy/2"])
    server_context.set_alpn_select_callback(lambda _, offered: seen.append(offered) or b"spdy/2")
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert seen == [[b"http/1.1", b"spdy/2"]]
    assert client.get_alpn_proto_negotiated() == server.get_alpn_proto_negotiated() == b"spdy/2"
    client, server = ends(client_context, server_context)
    client.set_alpn_protos([b"spdy/2"])
    handshake(client, server)
    assert seen[1] == [b"spdy/2"]
    server_context.set_alpn_select_callback(lambda *_: SSL.NO_OVERLAPPING_PROTOCOLS)
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert client.get_alpn_proto_negotiated() == b""
    for owner in client_context, client:
        with pytest.raises(ValueError):
            owner.set_alpn_protos([])
        with pytest.raises(TypeError):
            owner.set_alpn_protos(["text"])


def test_cve_2026_27448_exception_in_alpn_callback(client_context, server_context):
    client_context.set_alpn_protos([b"h2"])
    server_context.set_alpn_select_callback(lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        handshake(*ends(client_context, server_context))


# ---- stapled OCSP responses ----


@pytest.mark.parametrize("taken", [True, False])
def test_ocsp(client_context, server_context, taken):
    seen = []
    server_context.set_ocsp_server_callback(lambda connection, data: b"response " + data, b"data")
    client_context.set_ocsp_client_callback(
        lambda connection, response, data: seen.append((connection, response, data)) or taken, 5)
    client, server = ends(client_context, server_context)
    client.request_ocsp()
    if taken:
        handshake(client, server)
    else:
        with pytest.raises(SSL.Error):
            handshake(client, server)
    assert seen == [(client, b"response data", 5)]


@pytest.mark.parametrize("side", ["client", "server"])
def test_cve_2026_27448_exception_in_ocsp_callback(client_context, server_context, side):
    server_context.set_ocsp_server_callback(
        lambda connection, data: 1 // 0 if side == "server" else b"response")
    client_context.set_ocsp_client_callback(lambda *_: 1 // 0)
    client, server = ends(client_context, server_context)
    client.request_ocsp()
    with pytest.raises(ZeroDivisionError):
        handshake(client, server)


def test_ocsp_callback_that_gives_no_bytes(client_context, server_context):
    server_context.set_ocsp_server_callback(lambda *_: "text")
    client, server = ends(client_context, server_context)
    client.request_ocsp()
    with pytest.raises(TypeError, match="byte string"):
        handshake(client, server)


# ---- what holds callbacks ----


class Callback:
    """A callback of which can be told whether it is still held."""

    def __call__(self, *arguments):
        return True


INSTALL = [name for name in dir(SSL.Context) if name.endswith("_callback")] + ["set_passwd_cb"]


@pytest.mark.parametrize("name", INSTALL)
def test_callbacks_go_with_their_context(name):
    context, callback = SSL.Context(SSL.TLS_METHOD), Callback()
    getattr(context, name)(callback)
    held = weakref.ref(callback)
    del callback
    gc.collect()
    assert held() is not None
    del context
    gc.collect()
    assert held() is None


def test_callbacks_go_with_their_connection(client_context, server_context):
    client, server = ends(client_context, server_context)
    verify, info = Callback(), Callback()
    client.set_verify(SSL.VERIFY_PEER, verify)
    client.set_info_callback(info)
    handshake(client, server)
    held = weakref.ref(verify), weakref.ref(info)
    del verify, info, client
    gc.collect()
    assert [one() for one in held] == [None, None]


def test_a_callback_that_is_replaced_is_let_go(client_context):
    callback = Callback()
    client_context.set_verify(SSL.VERIFY_PEER, callback)
    held = weakref.ref(callback)
    del callback
    client_context.set_verify(SSL.VERIFY_PEER, Callback())
    assert held() is None
