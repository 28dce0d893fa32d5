"""Every argument of every method, with a wrong type, an empty value, one that is too long, and one
with a NUL: a clear error, after which the object still works.

The tables say what each argument is. A value that is bad for its kind but good for one method is
listed with that method, with the reason.
"""

import inspect

import pytest

import flatssl
from flatssl import SSL, crypto

LONG = 1 << 20
HUGE = 1 << 70
CLEAR = (TypeError, ValueError, OverflowError, SSL.Error)

# For each kind of argument: values of a wrong type, which are a TypeError, and bad values.
WRONG = {
    "path": [5, 1.5, [], object()],
    "integer": ["1", None, 1.5, b"1", object()],
    "function": ["name", 5, b"", object()],
    "bytes": [5, 1.5, None, object(), ["x"]],
    "cert": [None, 5, "x", b"x", object()],
    "key": [None, 5, "x", b"x", object()],
    "names": [5, None, ["x"], [None]],
    "protos": [5, None, [5], [None]],
    "session": [None, 5, "x", object()],
    "context": [None, 5, "x", object()],
    "text": [5, None, 1.5, object()],
    "buffer": [None, 5, "x", b"read only"],
}
BAD = {
    "path": ["", b"", "a\0b", "x" * LONG, "/nowhere/it.is"],
    "integer": [HUGE, -HUGE],
    "function": [],
    "bytes": [b"", b"a\0b", b"x" * LONG],
    "cert": [],
    "key": [],
    "names": [],
    "protos": [[], [b""], [b"x" * 256], [b"x" * 255] * 300],
    "session": [],
    "context": [],
    "text": ["", "a\0b", "x" * LONG],
    "buffer": [],
}

CONTEXT = {
    "set_min_proto_version": ["integer"],
    "set_max_proto_version": ["integer"],
    "set_options": ["integer"],
    "set_mode": ["integer"],
    "clear_mode": ["integer"],
    "set_cipher_list": ["bytes"],
    "set_tls13_ciphersuites": ["bytes"],
    "load_tmp_dh": ["path"],
    "set_alpn_protos": ["protos"],
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
}
CONNECTION = {
    "send": ["bytes"],
    "sendall": ["bytes"],
    "recv": ["integer"],
    "recv_into": ["buffer", "integer"],
    "bio_read": ["integer"],
    "bio_write": ["bytes"],
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


def value(kind, certs):
    """Returns a good value of a kind."""
    return {
        "path": bytes(certs.rsa.cert),
        "integer": 1,
        "function": lambda *_: True,
        "bytes": b"x",
        "cert": crypto.load_certificate(crypto.FILETYPE_PEM, certs.rsa.cert.read_bytes()),
        "key": crypto.load_privatekey(crypto.FILETYPE_PEM, certs.rsa.key.read_bytes()),
        "names": [],
        "protos": [b"h2"],
        "context": SSL.Context(SSL.TLS_METHOD),
        "session": None,
        "text": "x",
        "buffer": bytearray(9),
    }[kind]


def cases(table):
    for method, kinds in table.items():
        for place, kind in enumerate(kinds):
            for bad in WRONG[kind] + BAD[kind]:
                name = f"{method}-{place}-{type(bad).__name__}-{str(bad)[:12]!r}"
                yield pytest.param(method, place, bad, id=name)


def is_good(method, place, bad):
    return isinstance(bad, (bytes, int, type(None))) and (method, place, bad) in GOOD


def refused(owner, method, place, bad, kinds, certs):
    """Calls with one bad argument among good ones, which is refused clearly or is no error."""
    arguments = [value(kind, certs) for kind in kinds]
    arguments[place] = bad
    expected = TypeError if any(bad is one for one in WRONG[kinds[place]]) else CLEAR
    try:
        getattr(owner, method)(*arguments)
    except SSL.WantReadError:
        assert is_good(method, place, bad)
    except expected as error:
        assert not is_good(method, place, bad), repr(error)
        assert str(error)
    else:
        assert is_good(method, place, bad)


@pytest.mark.parametrize("method, place, bad", cases(CONTEXT))
def test_context(method, place, bad, certs):
    context = SSL.Context(SSL.TLS_METHOD)
    refused(context, method, place, bad, CONTEXT[method], certs)
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
    from ssl_pair import ends, handshake

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
    from ssl_pair import pump

    client, server = shaken()
    refused(client, method, place, bad, CONNECTION[method], certs)
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
        (SSL.Context, CONTEXT, {"set_app_data", "set_tmp_ecdh"}),
        (SSL.Connection, CONNECTION, {"connect", "connect_ex", "sock_shutdown", "set_app_data",
                                      "makefile", "write", "read"}),
    ],
)
def test_no_method_is_left_out(class_, table, rest):
    takes = {
        name
        for name, method in inspect.getmembers(class_, inspect.isfunction)
        if not name.startswith("_")
        and [one for one in inspect.signature(method).parameters.values() if one.name != "self"
             and one.kind is not one.KEYWORD_ONLY]
    }
    assert takes - rest - set(table) == set()


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


# ---- crypto ----

READERS = [
    crypto.load_certificate,
    crypto.load_certificate_request,
    crypto.load_privatekey,
    crypto.load_publickey,
    crypto.load_crl,
    crypto.load_pkcs7_data,
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("bad", [b"", b"x", b"a\0b", b"x" * LONG, "", "x"])
def test_readers(read, bad):
    for form in crypto.FILETYPE_PEM, crypto.FILETYPE_ASN1:
        with pytest.raises(crypto.Error) as caught:
            read(form, bad)
        assert str(caught.value)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("bad", [None, 5, 1.5, object()])
def test_readers_want_bytes(read, bad):
    for form in crypto.FILETYPE_PEM, crypto.FILETYPE_ASN1:
        with pytest.raises(TypeError):
            read(form, bad)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("bad", [0, 99, -1, HUGE, "PEM", None])
def test_readers_want_a_form(read, bad):
    with pytest.raises((ValueError, TypeError)):
        read(bad, b"x")


CERT = {
    "set_version": ["integer"],
    "set_serial_number": ["integer"],
    "gmtime_adj_notBefore": ["integer"],
    "gmtime_adj_notAfter": ["integer"],
    "set_notBefore": ["bytes"],
    "set_notAfter": ["bytes"],
    "set_pubkey": ["key"],
    "sign": ["key", "text"],
    "digest": ["text"],
}


@pytest.mark.parametrize("method, place, bad", cases(CERT))
def test_certificate(method, place, bad, certs):
    cert = crypto.load_certificate(crypto.FILETYPE_PEM, certs.rsa.cert.read_bytes())
    kinds = CERT[method]
    arguments = [value(kind, certs) for kind in kinds]
    arguments[place] = bad
    try:
        getattr(cert, method)(*arguments)
    except CLEAR as error:
        assert str(error)
    else:
        assert method == "set_serial_number" and abs(bad) == HUGE  # a number of any size
    cert.sign(value("key", certs), "sha256")
    assert crypto.load_certificate(
        crypto.FILETYPE_PEM, crypto.dump_certificate(crypto.FILETYPE_PEM, cert)
    ).get_subject().CN == "rsa"


@pytest.mark.parametrize("bad", [5, None, "a\0b", b"a\0b", "x" * LONG, 1.5])
def test_items_of_a_name(bad, certs):
    name = crypto.X509Name(value("cert", certs).get_subject())
    with pytest.raises(CLEAR):
        name.CN = bad
    assert name.CN == "rsa"
    for unknown in "", "no such type", "x" * 1000:
        with pytest.raises(AttributeError):
            setattr(name, unknown, "x")


@pytest.mark.parametrize(
    "name, content",
    [
        (b"", b"x"),
        (b"noSuchName", b"x"),
        (b"basicConstraints", b""),
        (b"basicConstraints", b"CA:TRUE\0,pathlen:0"),
        (b"basic\0Constraints", b"CA:TRUE"),
        (b"basicConstraints", b"CA:MAYBE"),
        (b"subjectAltName", b"x" * LONG),
        (b"subjectAltName", b"DNS:a\nDNS:b"),
        (b"subjectAltName", b"@section"),
        ("basicConstraints", b"CA:TRUE"),
        (b"basicConstraints", "CA:TRUE"),
        (5, b"x"),
        (b"basicConstraints", None),
    ],
)
def test_extensions(name, content):
    with pytest.raises(CLEAR) as caught:
        crypto.X509Extension(name, False, content)
    assert str(caught.value)
