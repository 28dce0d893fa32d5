"""Every argument of every method of flatssl.SSL, with a wrong type, an empty value, one that is too
long, and one with a NUL: a clear error, after which the object still works."""

import pytest

import flatssl
from arguments import HUGE, LONG, cases, methods_with_arguments, refused
from flatssl import SSL
from ssl_pair import ends, handshake, pump

CONTEXT = {
    "set_min_proto_version": ["integer"],
    "set_max_proto_version": ["integer"],
    "set_options": ["integer"],
    "set_mode": ["integer"],
    "clear_mode": ["integer"],
    "set_cipher_list": ["bytes"],
    "set_tls13_ciphersuites": ["bytes"],
    "load_tmp_dh": ["path"],
    "set_tmp_ecdh": ["curve"],
    "set_alpn_protos": ["protos"],
    "set_tlsext_use_srtp": ["bytes"],
    "use_certificate": ["cert"],
    "use_certificate_file": ["path", "integer"],
    "use_certificate_chain_file": ["path"],
    "add_extra_chain_cert": ["cert"],
    "use_privatekey": ["key"],
    "use_privatekey_file": ["path", "integer"],
    "set_passwd_cb": ["function"],
    "load_verify_locations": ["path", "path"],
    "set_verify": ["integer", "function"],
    "set_verify_depth": ["integer"],
    "load_client_ca": ["path"],
    "set_client_ca_list": ["names"],
    "add_client_ca": ["cert"],
    "set_session_id": ["bytes"],
    "set_session_cache_mode": ["integer"],
    "set_timeout": ["integer"],
    "set_info_callback": ["function"],
    "set_keylog_callback": ["function"],
    "set_tlsext_servername_callback": ["function"],
    "set_alpn_select_callback": ["function"],
    "set_npn_advertise_callback": ["function"],
    "set_npn_select_callback": ["function"],
    "set_ocsp_server_callback": ["function"],
    "set_ocsp_client_callback": ["function"],
    "set_cookie_generate_callback": ["function"],
    "set_cookie_verify_callback": ["function"],
}
CONNECTION = {
    "send": ["data"],
    "sendall": ["data"],
    "recv": ["integer"],
    "recv_into": ["buffer", "integer"],
    "bio_read": ["integer"],
    "bio_write": ["data"],
    "set_context": ["context"],
    "set_options": ["integer"],
    "set_verify": ["integer", "function"],
    "set_info_callback": ["function"],
    "use_certificate": ["cert"],
    "use_privatekey": ["key"],
    "set_alpn_protos": ["protos"],
    "set_tlsext_host_name": ["bytes"],
    "set_session": ["session"],
    "set_shutdown": ["integer"],
    "set_ciphertext_mtu": ["integer"],
    "export_keying_material": ["bytes", "integer"],
}

# What is good although its kind says that it is bad.
GOOD = {
    ("set_tls13_ciphersuites", 0, b""): "no suite, and so no TLS 1.3",
    ("set_session_id", 0, b""): "no context at all",
    ("set_session_id", 0, b"a\0b"): "bytes, of any value",
    ("load_verify_locations", 1, None): "the file alone",
    ("set_verify", 1, None): "no callback",
    ("recv_into", 1, None): "as much as the buffer holds",
    ("send", 0, b""): "nothing to send",
    ("sendall", 0, b""): "nothing to send",
    ("bio_write", 0, b""): "nothing came",
    ("send", 0, b"a\0b"): "data",
    ("sendall", 0, b"a\0b"): "data",
    ("bio_write", 0, b"a\0b"): "data, which the next call finds to be no TLS",
    ("send", 0, b"x" * LONG): "data",
    ("sendall", 0, b"x" * LONG): "data",
    ("bio_write", 0, b"x" * LONG): "data",
    ("recv", 0, HUGE): "no more than there is",
    ("recv_into", 1, HUGE): "no more than the buffer holds",
    ("bio_read", 0, HUGE): "no more than there is",
    ("export_keying_material", 0, b""): "a label, of which RFC 5705 says nothing",
}


@pytest.mark.parametrize("method, place, bad", cases(CONTEXT))
def test_context(method, place, bad, certs):
    context = SSL.Context(SSL.TLS_METHOD)
    refused(getattr(context, method), method, place, bad, CONTEXT, GOOD, certs)
    context.use_certificate_chain_file(bytes(certs.rsa.cert))
    context.use_privatekey_file(bytes(certs.rsa.key))
    context.check_privatekey()
    SSL.Connection(context, None).set_accept_state()


@pytest.mark.parametrize("method", [name for name, kinds in CONTEXT.items() if "path" in kinds])
def test_no_path(method):
    context = SSL.Context(SSL.TLS_METHOD)
    with pytest.raises(SSL.Error if method == "load_verify_locations" else TypeError):
        getattr(context, method)(None)


@pytest.fixture(scope="module")
def shaken(certs):
    """Two ends whose handshake is done, for each of the tests below."""
    server_context = SSL.Context(SSL.TLS_METHOD)
    server_context.use_certificate_chain_file(bytes(certs.rsa.cert))
    server_context.use_privatekey_file(bytes(certs.rsa.key))

    def make():
        made = ends(SSL.Context(SSL.TLS_METHOD), server_context)
        handshake(*made)
        return made

    return make


@pytest.mark.parametrize("method, place, bad", cases(CONNECTION))
def test_connection(method, place, bad, certs, shaken):
    client, server = shaken()
    refused(getattr(client, method), method, place, bad, CONNECTION, GOOD, certs)
    if method == "bio_write":
        return  # what came is no TLS, and there is no way back from that
    try:
        client.bio_read(1 << 20)
    except SSL.WantReadError:
        pass
    server.send(b"still there")
    pump(client, server)
    assert client.recv(100) == b"still there"


@pytest.mark.parametrize(
    "class_, table, rest",
    [
        (SSL.Context, CONTEXT, {"set_app_data"}),
        (SSL.Connection, CONNECTION, {"connect", "connect_ex", "sock_shutdown", "set_app_data",
                                      "makefile", "write", "read"}),
    ],
)
def test_no_method_is_left_out(class_, table, rest):
    assert methods_with_arguments(class_) - rest == set(table)


# ---- what makes the objects ----


@pytest.mark.parametrize("bad", ["", None, 1.5, b"", object()])
def test_method_of_a_context(bad):
    with pytest.raises(TypeError):
        SSL.Context(bad)


@pytest.mark.parametrize("bad", [0, -1, 99, HUGE])
def test_unknown_method_of_a_context(bad):
    with pytest.raises(ValueError):
        SSL.Context(bad)


@pytest.mark.parametrize("bad", [None, 5, "x", flatssl.Context(), object()])
def test_context_of_a_connection(bad):
    with pytest.raises(TypeError):
        SSL.Connection(bad, None)


@pytest.mark.parametrize("bad", ["x", b"x", 1.5, object(), []])
def test_socket_of_a_connection(bad):
    with pytest.raises(TypeError):
        SSL.Connection(SSL.Context(SSL.TLS_METHOD), bad)


@pytest.mark.parametrize("bad", [-2, 1 << 20, HUGE])
def test_fd_of_a_connection(bad):
    with pytest.raises((SSL.Error, ValueError, OverflowError)):
        SSL.Connection(SSL.Context(SSL.TLS_METHOD), bad)
