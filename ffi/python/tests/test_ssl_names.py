"""flatssl.SSL: constants, versions and exceptions, as docs/seed.md lists them."""

import errno
import socket

import pytest

from ssl_pair import (  # fixtures among them
    client_context,
    ends,
    handshake,
    pair,
    pump,
    server_context,
)

from flatssl import SSL


# ---- constants and versions ----

CONSTANTS = {
    "SSLv2_METHOD": 1, "SSLv3_METHOD": 2, "SSLv23_METHOD": 3, "TLSv1_METHOD": 4,
    "TLSv1_1_METHOD": 5, "TLSv1_2_METHOD": 6, "VERIFY_NONE": 0, "VERIFY_PEER": 1,
    "VERIFY_FAIL_IF_NO_PEER_CERT": 2, "VERIFY_CLIENT_ONCE": 4, "FILETYPE_PEM": 1,
    "FILETYPE_ASN1": 2, "OP_SINGLE_DH_USE": 0, "OP_SINGLE_ECDH_USE": 0, "OP_EPHEMERAL_RSA": 0,
    "OP_NO_TICKET": 0x4000, "OP_NO_COMPRESSION": 0x20000, "OP_NO_SSLv2": 0,
    "OP_NO_SSLv3": 0x2000000, "OP_NO_TLSv1": 0x4000000, "OP_NO_TLSv1_1": 0x10000000,
    "OP_NO_TLSv1_2": 0x8000000, "SSLEAY_VERSION": 0, "SSLEAY_CFLAGS": 1, "SSLEAY_BUILT_ON": 2,
    "SSLEAY_PLATFORM": 3, "SSLEAY_DIR": 4, "SESS_CACHE_OFF": 0, "SESS_CACHE_CLIENT": 1,
    "SESS_CACHE_SERVER": 2, "SESS_CACHE_BOTH": 3, "SESS_CACHE_NO_AUTO_CLEAR": 0x80,
    "SESS_CACHE_NO_INTERNAL_LOOKUP": 0x100, "SESS_CACHE_NO_INTERNAL_STORE": 0x200,
    "SESS_CACHE_NO_INTERNAL": 0x300, "SENT_SHUTDOWN": 1, "RECEIVED_SHUTDOWN": 2,
    "MODE_RELEASE_BUFFERS": 0x10,
}


def test_constants():
    assert {name: getattr(SSL, name) for name in CONSTANTS} == CONSTANTS


@pytest.mark.parametrize("method", [SSL.SSLv2_METHOD, SSL.SSLv3_METHOD])
def test_old_methods_raise(method):
    with pytest.raises(SSL.Error, match="unsupported"):
        SSL.Context(method)


@pytest.mark.parametrize("method, version", [
    (SSL.SSLv23_METHOD, "TLSv1.3"), (SSL.TLSv1_METHOD, "TLSv1"), (SSL.TLSv1_1_METHOD, "TLSv1.1"),
    (SSL.TLSv1_2_METHOD, "TLSv1.2"),
])
def test_methods(method, version, certs):
    server_context, client_context = SSL.Context(method), SSL.Context(method)
    server_context.use_certificate_file(bytes(certs.rsa.cert))
    server_context.use_privatekey_file(bytes(certs.rsa.key))
    for context in server_context, client_context:
        context.set_cipher_list(b"ALL:@SECLEVEL=0")  # what TLS before 1.2 needs
    client, server = ends(client_context, server_context)
    handshake(client, server)
    assert client.get_protocol_version_name() == version


def test_versions():
    assert SSL.OPENSSL_VERSION_NUMBER >= 0x30000020
    assert SSL.SSLeay_version(SSL.SSLEAY_VERSION).startswith(b"OpenSSL ")
    assert b"OPENSSLDIR" in SSL.SSLeay_version(SSL.SSLEAY_DIR)
    for which in SSL.SSLEAY_CFLAGS, SSL.SSLEAY_BUILT_ON, SSL.SSLEAY_PLATFORM:
        assert SSL.SSLeay_version(which)
    with pytest.raises(SSL.Error):
        SSL.SSLeay_version(99)


def test_names_of_classes():
    assert SSL.ContextType is SSL.Context and SSL.ConnectionType is SSL.Connection
    with pytest.raises(TypeError):
        SSL.Context("SSLv23_METHOD")
    with pytest.raises(ValueError):
        SSL.Context(42)
    with pytest.raises(TypeError):
        SSL.Connection("context", None)
    with pytest.raises(TypeError, match="must be an int, or have a fileno"):
        SSL.Connection(SSL.Context(SSL.SSLv23_METHOD), "socket")


# What pyOpenSSL has got since the seed.
NEWER = {
    SSL: """
    OPENSSL_VERSION OPENSSL_CFLAGS OPENSSL_PLATFORM OPENSSL_DIR OPENSSL_BUILT_ON TLS_METHOD
    TLS_SERVER_METHOD TLS_CLIENT_METHOD DTLS_METHOD DTLS_SERVER_METHOD DTLS_CLIENT_METHOD
    SSL3_VERSION TLS1_VERSION TLS1_1_VERSION TLS1_2_VERSION TLS1_3_VERSION OP_NO_TLSv1_3
    OP_MICROSOFT_SESS_ID_BUG OP_NETSCAPE_CHALLENGE_BUG OP_NETSCAPE_REUSE_CIPHER_CHANGE_BUG
    OP_SSLREF2_REUSE_CERT_TYPE_BUG OP_MICROSOFT_BIG_SSLV3_BUFFER OP_MSIE_SSLV2_RSA_PADDING
    OP_SSLEAY_080_CLIENT_DH_BUG OP_TLS_D5_BUG OP_TLS_BLOCK_PADDING_BUG
    OP_DONT_INSERT_EMPTY_FRAGMENTS OP_CIPHER_SERVER_PREFERENCE OP_TLS_ROLLBACK_BUG
    OP_PKCS1_CHECK_1 OP_PKCS1_CHECK_2 OP_NETSCAPE_CA_DN_BUG OP_NETSCAPE_DEMO_CIPHER_CHANGE_BUG
    OP_NO_QUERY_MTU OP_COOKIE_EXCHANGE OP_NO_RENEGOTIATION OP_IGNORE_UNEXPECTED_EOF
    OP_LEGACY_SERVER_CONNECT OP_ALL NO_OVERLAPPING_PROTOCOLS X509VerificationCodes OpenSSL_version
    """,
    SSL.Context: """
    set_min_proto_version set_max_proto_version set_tls13_ciphersuites set_keylog_callback
    clear_mode set_ocsp_server_callback set_ocsp_client_callback set_cookie_generate_callback
    set_cookie_verify_callback
    """,
    SSL.Connection: """
    set_options set_verify get_verify_mode use_certificate use_privatekey set_ciphertext_mtu
    get_cleartext_mtu write read DTLSv1_listen DTLSv1_get_timeout DTLSv1_handle_timeout makefile
    export_keying_material get_certificate get_verified_chain get_group_name request_ocsp
    set_info_callback
    """,
}


@pytest.mark.parametrize("owner", NEWER)
def test_newer_names(owner):
    assert [name for name in NEWER[owner].split() if not hasattr(owner, name)] == []


# ---- exceptions ----


def test_error_has_what_openssl_says():
    with pytest.raises(SSL.Error) as caught:
        SSL.Context(SSL.SSLv23_METHOD).set_cipher_list(b"nothing")
    ((library, function, reason), *_) = caught.value.args[0]
    assert (library, reason) == ("SSL routines", "no cipher match") and function


def test_zero_return(pair):
    client, server = pair
    client.shutdown()
    pump(client, server)
    with pytest.raises(SSL.ZeroReturnError):
        server.recv(1)
    assert issubclass(SSL.ZeroReturnError, SSL.Error)


def test_wants(pair):
    client, _ = pair
    with pytest.raises(SSL.WantReadError):
        client.recv(1)
    assert client.want_read() and not client.want_write()
    with pytest.raises(SSL.WantWriteError):
        while True:
            client.send(b"x" * 65536)
    assert client.want_write()


def test_want_x509_lookup(client_context, server_context):
    from flatssl import _abi
    from flatssl._load import lib

    client, server = ends(client_context, server_context)
    _abi.conn_ask(server, lib.FSSL_ASK_CERTIFICATE)
    with pytest.raises(SSL.WantX509LookupError):
        handshake(client, server)
    _abi.conn_answer_certificate(server, 1)
    handshake(client, server)


def test_unexpected_eof(pair):
    client, _ = pair
    client.bio_shutdown()
    with pytest.raises(SSL.SysCallError) as caught:
        client.recv(1)
    assert caught.value.args == (-1, "Unexpected EOF")


def test_syscall_error(client_context):
    one, other = socket.socketpair()
    connection = SSL.Connection(client_context, one)
    connection.set_connect_state()
    other.close()
    with pytest.raises(SSL.SysCallError) as caught:
        connection.do_handshake()
    assert caught.value.args == (errno.EPIPE, "EPIPE")
    one.close()
