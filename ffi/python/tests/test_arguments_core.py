"""Every argument of every method of flatssl's own classes, with a wrong type, an empty value, one
that is too long, and one with a NUL: a clear error, after which the object still works."""

import contextlib
import inspect

import pytest

import flatssl
from arguments import HUGE, LONG, cases_of, methods_with_arguments, refused
from conftest import carry, connected

CONTEXT = {
    "use": ["path", "path", "passphrase"],
    "trust": ["path", "folder", "pem"],
    "connect": ["host", "integer"],
    "listen": ["host", "integer", "integer"],
    "wrap": ["socket", "host"],
    "server": ["path", "path"],
    "use_certificate": ["cert"],
    "use_certificate_file": ["path", "integer"],
    "use_certificate_chain_file": ["path"],
    "use_certificate_chain": ["pem"],
    "add_extra_chain_cert": ["cert"],
    "use_private_key": ["key"],
    "use_private_key_file": ["path", "integer"],
    "set_passphrase": ["passphrase"],
    "set_cert_store": ["store"],
    "load_client_ca": ["path"],
    "set_client_cas": ["name list"],
    "add_client_ca": ["cert"],
    "add_pin": ["pin"],
    "set_verify": ["integer"],
    "set_verify_depth": ["integer"],
    "set_options": ["integer"],
    "clear_options": ["integer"],
    "set_mode": ["integer"],
    "clear_mode": ["integer"],
    "set_cipher_list": ["text"],
    "set_ciphersuites": ["text"],
    "set_groups": ["text"],
    "load_tmp_dh": ["path"],
    "set_min_proto_version": ["integer"],
    "set_max_proto_version": ["integer"],
    "set_security_level": ["integer"],
    "set_alpn_protos": ["proto names"],
    "set_alpn_preference": ["proto names"],
    "set_npn_advertised": ["proto names"],
    "set_npn_preference": ["proto names"],
    "set_read_ahead": ["integer"],
    "set_resumption": ["integer"],
    "set_buffer_release": ["integer"],
    "add_server_name": ["host", "core context"],
    "set_ocsp_response": ["data"],
    "set_dtls_cookie_secret": ["data"],
    "set_srtp_profiles": ["text"],
    "add_psk": ["text", "data"],
    "require_psk": ["integer"],
    "set_session_id_context": ["data"],
    "set_session_cache_mode": ["integer"],
    "set_timeout": ["integer"],
    "set_ticket_keys": ["data"],
    "set_num_tickets": ["integer"],
    "set_queue": ["integer", "integer"],
    "queue_count": ["integer"],
    "queue_dropped": ["integer"],
    "set_keylog_fd": ["integer"],
}
CONNECTION = {
    "connect": ["host", "integer"],
    "bind": ["host", "integer"],
    "listen": ["integer"],
    "unconnected": ["core context"],
    "settimeout": ["seconds"],
    "setblocking": ["integer"],
    "getsockopt": ["integer", "integer"],
    "setsockopt": ["integer", "integer", "option"],
    "sock_shutdown": ["integer"],
    "recv": ["integer", "integer"],
    "recv_into": ["buffer", "integer", "integer"],
    "send": ["data"],
    "set_coalescing": ["integer"],
    "sendall": ["data"],
    "set_shutdown_state": ["integer"],
    "pump": ["data", "integer"],
    "seal": ["data"],
    "set_coalescing": ["integer"],
    "set_dtls_peer": ["data"],
    "set_ciphertext_mtu": ["integer"],
    "makefile": ["mode", "integer"],
    "set_host": ["host"],
    "set_server_name": ["host"],
    "set_context": ["core context"],
    "set_session": ["session"],
    "export_keying_material": ["text", "integer", "data"],
    "bio_read": ["integer"],
    "bio_write": ["data"],
    "ask": ["integer"],
    "hello_bytes": ["integer"],
    "hello_ext": ["integer"],
    "answer_hello": ["integer"],
    "answer_certificate": ["integer"],
    "answer_verify": ["integer"],
    "waive_verify_error": ["integer"],
    "use_certificate": ["cert"],
    "use_private_key": ["key"],
    "set_verify": ["integer"],
    "set_options": ["integer"],
    "set_min_proto_version": ["integer"],
    "set_max_proto_version": ["integer"],
    "set_alpn_protos": ["proto names"],
    "set_alpn_preference": ["proto names"],
    "set_ocsp_response": ["data"],
}
SESSION = {"from_bytes": ["core context", "data"]}
STORE = {"add_cert": ["cert"], "add_pem": ["pem"]}
CHAIN = {
    "set_store": ["store"],
    "add_untrusted": ["cert"],
    "set_flags": ["integer"],
    "set_time": ["integer"],
    "set_purpose": ["integer"],
    "set_depth": ["integer"],
    "set_security_level": ["integer"],
    "set_host": ["host"],
}


def made_context(certs):
    return flatssl.Context.server(certs.rsa.cert, certs.rsa.key)


def context_works(context, certs):
    context.use_certificate_chain_file(certs.rsa.cert)
    context.use_private_key_file(certs.rsa.key)
    context.check_private_key()
    assert flatssl.Connection(context).want_read() is False


def made_connection(certs):
    client, server = connected(flatssl.Context.client(cafile=certs.ca.cert), made_context(certs))
    client.peer = server
    return client


def connection_works(client, certs):
    with contextlib.suppress(flatssl.WantReadError):
        while client.bio_read(1 << 20):  # what a method has sent
            pass
    client.peer.send(b"still there")
    carry(client.peer, client)
    assert client.recv() == b"still there"


def made_session(certs):
    return made_connection(certs).session()


def session_works(session, certs):
    assert len(session.to_bytes()) > 100


def made_store(certs):
    store = flatssl.Store()
    store.add_pem(certs.ca.cert.read_bytes())
    return store


def store_works(store, certs):
    made_chain(certs, store).verify()


def made_chain(certs, store=None):
    leaf = flatssl.Certificate.from_pem(certs.rsa.cert.read_bytes())
    return flatssl.Chain(store or made_store(certs), leaf)


def chain_works(chain, certs):
    chain.set_store(made_store(certs))
    chain.verify()


CLASSES = {
    flatssl.Context: (CONTEXT, made_context, context_works),
    flatssl.Connection: (CONNECTION, made_connection, connection_works),
    flatssl.Session: (SESSION, made_session, session_works),
    flatssl.Store: (STORE, made_store, store_works),
    flatssl.Chain: (CHAIN, made_chain, chain_works),
}
OF_CRYPTO = {flatssl.Certificate, flatssl.Key, flatssl.Name}  # by test_arguments_crypto

# What is good although its kind says that it is bad.
GOOD = {
    (flatssl.Context, "listen", 0, None): "every address",
    (flatssl.Context, "listen", 0, ""): "every address",
    (flatssl.Context, "wrap", 1, None): "no host yet",
    (flatssl.Context, "set_ciphersuites", 0, None): "no suite, and so no TLS 1.3",
    (flatssl.Context, "set_ciphersuites", 0, ""): "the same",
    (flatssl.Context, "set_ocsp_response", 0, None): "none",
    (flatssl.Context, "set_ocsp_response", 0, b""): "none",
    (flatssl.Context, "set_ocsp_response", 0, b"a\0b"): "bytes, of any value",
    (flatssl.Context, "add_psk", 1, b"a\0b"): "bytes, of any value",
    (flatssl.Context, "set_session_id_context", 0, None): "no context at all",
    (flatssl.Context, "set_session_id_context", 0, b""): "the same",
    (flatssl.Context, "set_session_id_context", 0, b"a\0b"): "bytes, of any value",
    (flatssl.Context, "trust", 2, None): "the files alone",
    (flatssl.Connection, "recv", 0, HUGE): "no more than there is",
    (flatssl.Connection, "recv", 1, HUGE): "flags, of which one is known",
    (flatssl.Connection, "recv", 1, -HUGE): "the same",
    (flatssl.Connection, "recv_into", 1, None): "as much as the buffer holds",
    (flatssl.Connection, "recv_into", 1, HUGE): "no more than the buffer holds",
    (flatssl.Connection, "recv_into", 2, HUGE): "flags, of which one is known",
    (flatssl.Connection, "recv_into", 2, -HUGE): "the same",
    (flatssl.Connection, "bio_read", 0, HUGE): "no more than there is",
    (flatssl.Connection, "pump", 1, HUGE): "no more than there is",
    (flatssl.Connection, "makefile", 1, -HUGE): "as any negative number, the usual size",
    (flatssl.Connection, "set_server_name", 0, "b\xfccher.example"): "it is sent, not checked",
    (flatssl.Connection, "export_keying_material", 0, None): "no label, as RFC 5705 allows",
    (flatssl.Connection, "export_keying_material", 0, ""): "the same",
    (flatssl.Connection, "export_keying_material", 2, None): "no context",
    (flatssl.Connection, "export_keying_material", 2, b""): "an empty one",
    (flatssl.Connection, "export_keying_material", 2, b"a\0b"): "bytes, of any value",
    (flatssl.Connection, "export_keying_material", 2, b"x" * LONG): "bytes, of any length",
    (flatssl.Connection, "set_ocsp_response", 0, None): "none",
    (flatssl.Connection, "set_ocsp_response", 0, b""): "none",
    (flatssl.Connection, "set_ocsp_response", 0, b"a\0b"): "bytes, of any value",
    **{
        (flatssl.Connection, method, 0, data): "data"
        for method in ("send", "sendall", "bio_write", "pump", "seal")
        for data in (b"", b"a\0b", b"x" * LONG)
    },
}
# What is no TLS ends a connection.
NO_TLS = {(method, data) for method in ("bio_write", "pump") for data in (b"a\0b", b"x" * LONG)}
NO_TLS.add(("pump", HUGE))  # a size, with data that is no TLS


@pytest.mark.parametrize("class_, method, place, bad", cases_of(CLASSES))
def test_methods(class_, method, place, bad, certs):
    table, make, works = CLASSES[class_]
    made = make(certs)
    good = {key[1:] for key in GOOD if key[0] is class_}
    refused(getattr(made, method), method, place, bad, table, good, certs)
    if not isinstance(bad, (bytes, int)) or (method, bad) not in NO_TLS:
        works(made, certs)


@pytest.mark.parametrize("class_", CLASSES)
def test_no_method_is_left_out(class_):
    assert methods_with_arguments(class_) == set(CLASSES[class_][0])


def test_no_class_is_left_out():
    found = {made for _, made in inspect.getmembers(flatssl, inspect.isclass)
             if not issubclass(made, Exception)}
    assert found == set(CLASSES) | OF_CRYPTO


# ---- what is given by name, and what makes the objects ----


@pytest.mark.parametrize("bad", ["", b"", "a\0b", "x" * LONG, "/nowhere/it.is", 5, 1.5, object()])
@pytest.mark.parametrize("name", ["cafile", "capath", "certificate", "client_ca"])
def test_files_of_contexts(name, bad, certs):
    server = (certs.rsa.cert, certs.rsa.key)
    make = flatssl.Context.server if name == "client_ca" else flatssl.Context.client
    with pytest.raises((TypeError, ValueError, flatssl.Error)) as caught:
        make(*(server if name == "client_ca" else ()), **{name: bad})
    assert str(caught.value)


@pytest.mark.parametrize("bad", ["x", None, 1.5, b"x", object(), 0, -1, 99, HUGE])
def test_method_of_a_context(bad):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        flatssl.Context(bad)


@pytest.mark.parametrize("bad", [None, 5, "x", flatssl.Store(), object()])
def test_context_of_a_connection(bad, socket_pair):
    for sock in None, socket_pair[0]:
        with pytest.raises((TypeError, flatssl.UsageError)):
            flatssl.Connection(bad, sock)


@pytest.mark.parametrize("bad", [5, "x", b"x", object(), []])
def test_socket_of_a_connection(bad):
    with pytest.raises((TypeError, AttributeError)):
        flatssl.Connection(flatssl.Context(), bad)
