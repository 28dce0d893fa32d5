"""Every argument of every method and function of flatssl.crypto, with a wrong type, an empty value,
one that is too long, and one with a NUL: a clear error, after which the object still works."""

import inspect

import pytest

from arguments import (
    CLEAR,
    HUGE,
    LONG,
    cases,
    cases_of,
    methods_with_arguments,
    refused,
    value,
)
from flatssl import crypto

KEY = {
    "generate_key": ["integer", "integer"],
    "generate": ["integer", "integer", "text"],
    "to_pem": ["text", "passphrase"],
    "sign": ["data", "digest"],
    "verify": ["data", "data", "digest"],
    "from_pem": ["data", "passphrase"],
    "from_der": ["data"],
    "public_from_pem": ["data"],
    "public_from_der": ["data"],
    "from_cryptography_key": ["foreign"],
}
CERT = {
    "set_version": ["integer"],
    "set_serial_number": ["integer"],
    "gmtime_adj_notBefore": ["integer"],
    "gmtime_adj_notAfter": ["integer"],
    "set_notBefore": ["when"],
    "set_notAfter": ["when"],
    "set_subject": ["name"],
    "set_issuer": ["name"],
    "set_pubkey": ["key"],
    "add_extensions": ["extensions"],
    "get_extension": ["integer"],
    "sign": ["key", "digest"],
    "digest": ["digest"],
    "verify": ["key"],
    "check_private_key": ["key"],
    "matches_host": ["text"],
    "from_pem": ["data"],
    "from_der": ["data"],
    "from_cryptography": ["foreign"],
}
REQUEST = {
    "set_version": ["integer"],
    "set_pubkey": ["key"],
    "add_extensions": ["extensions"],
    "sign": ["key", "digest"],
    "verify": ["key"],
    "from_cryptography": ["foreign"],
}
NAME = {"from_der": ["data"]}
STORE = {
    "add_cert": ["cert"],
    "add_crl": ["crl"],
    "add_pem": ["data"],
    "set_flags": ["integer"],
    "set_time": ["datetime"],
    "load_locations": ["path", "path"],
}
STORE_CONTEXT = {"set_store": ["store"]}
CRL = {
    "add_revoked": ["revoked"],
    "set_version": ["integer"],
    "set_lastUpdate": ["when"],
    "set_nextUpdate": ["when"],
    "sign": ["cert", "key", "digest"],
    "export": ["cert", "key", "form", "integer", "digest"],
    "from_cryptography": ["foreign"],
}
REVOKED = {"set_serial": ["hex"], "set_reason": ["reason"], "set_rev_date": ["when"]}
PKCS12 = {
    "set_certificate": ["cert"],
    "set_privatekey": ["key"],
    "set_ca_certificates": ["certs"],
    "set_friendlyname": ["bytes"],
    "export": ["passphrase", "integer", "integer"],
}
SPKI = {"sign": ["key", "digest"], "verify": ["key"], "set_pubkey": ["key"]}


def made_key(certs):
    return value("key", certs)


def key_works(key, certs):
    assert key.check() and key.bits() == 2048


def made_cert(certs):
    return value("cert", certs)


def cert_works(cert, certs):
    cert.sign(value("key", certs), "sha256")
    pem = crypto.dump_certificate(crypto.FILETYPE_PEM, cert)
    assert crypto.load_certificate(crypto.FILETYPE_PEM, pem).get_subject().CN == "rsa"


def made_request(certs):
    request = crypto.X509Req()
    request.set_pubkey(value("key", certs))
    request.sign(value("key", certs), "sha256")
    return request


def request_works(request, certs):
    request.sign(value("key", certs), "sha256")
    assert request.verify(value("key", certs)) and request.get_extensions() == []


def made_name(certs):
    return value("name", certs)


def name_works(name, certs):
    assert name.CN == "rsa"


def made_store(certs):
    store = crypto.X509Store()
    store.load_locations(certs.ca.cert)
    return store


def store_works(store, certs):
    crypto.X509StoreContext(store, value("cert", certs)).verify_certificate()


def made_context(certs):
    return crypto.X509StoreContext(made_store(certs), value("cert", certs))


def context_works(context, certs):
    context.verify_certificate()


def made_crl(certs):
    return crypto.CRL()


def crl_works(crl, certs):
    pem = crl.export(value("cert", certs), value("key", certs), digest=b"sha256")
    assert crypto.load_crl(crypto.FILETYPE_PEM, pem).get_issuer().CN == "rsa"


def made_revoked(certs):
    return crypto.Revoked()


def revoked_works(revoked, certs):
    revoked.set_serial(b"0a")
    revoked.set_reason(None)
    assert revoked.get_serial() == b"0A" and revoked.get_reason() is None


def made_pkcs12(certs):
    container = crypto.PKCS12()
    container.set_certificate(value("cert", certs))
    container.set_privatekey(value("key", certs))
    return container


def pkcs12_works(container, certs):
    container.set_privatekey(value("key", certs))
    container.set_certificate(value("cert", certs))
    container.set_friendlyname(b"friend")
    der = container.export(b"secret", iter=1)
    assert crypto.load_pkcs12(der, b"secret").get_certificate() == container.get_certificate()


def made_spki(certs):
    spki = crypto.NetscapeSPKI()
    spki.set_pubkey(value("key", certs))
    spki.sign(value("key", certs), "sha256")
    return spki


def spki_works(spki, certs):
    assert spki.verify(value("key", certs))


CLASSES = {
    crypto.PKey: (KEY, made_key, key_works),
    crypto.X509: (CERT, made_cert, cert_works),
    crypto.X509Req: (REQUEST, made_request, request_works),
    crypto.X509Name: (NAME, made_name, name_works),
    crypto.X509Extension: ({}, None, None),
    crypto.X509Store: (STORE, made_store, store_works),
    crypto.X509StoreContext: (STORE_CONTEXT, made_context, context_works),
    crypto.CRL: (CRL, made_crl, crl_works),
    crypto.Revoked: (REVOKED, made_revoked, revoked_works),
    crypto.PKCS12: (PKCS12, made_pkcs12, pkcs12_works),
    crypto.PKCS7: ({}, None, None),
    crypto.NetscapeSPKI: (SPKI, made_spki, spki_works),
}

# What is good although its kind says that it is bad.
GOOD = {
    (crypto.PKey, "sign", 0, b""): "data",
    (crypto.PKey, "sign", 0, b"a\0b"): "data",
    (crypto.PKey, "sign", 0, b"x" * LONG): "data",
    (crypto.PKey, "sign", 1, None): "the key's own digest",
    (crypto.PKey, "sign", 1, ""): "the same",
    (crypto.PKey, "sign", 1, b""): "the same",
    (crypto.X509, "set_serial_number", 0, HUGE): "a number of any size",
    (crypto.X509, "set_serial_number", 0, -HUGE): "a number of any size",
    (crypto.PKCS12, "set_certificate", 0, None): "no certificate",
    (crypto.PKCS12, "set_privatekey", 0, None): "no key",
    (crypto.PKCS12, "set_ca_certificates", 0, None): "no others",
    (crypto.PKCS12, "set_friendlyname", 0, None): "no name",
    (crypto.PKCS12, "set_friendlyname", 0, b""): "no name",
    (crypto.PKCS12, "set_friendlyname", 0, b"x" * LONG): "a name of any length",
    (crypto.PKCS12, "export", 0, b"x" * LONG): "a passphrase of any length",
    ("sign", 1, b""): "data",
    ("sign", 1, b"a\0b"): "data",
    ("sign", 1, b"x" * LONG): "data",
    ("dump_privatekey", 2, None): "no cipher",
}


@pytest.mark.parametrize("class_, method, place, bad", cases_of(CLASSES))
def test_methods(class_, method, place, bad, certs):
    table, make, works = CLASSES[class_]
    made = make(certs)
    good = {key[1:] for key in GOOD if key[0] is class_}
    refused(getattr(made, method), method, place, bad, table, good, certs)
    works(made, certs)


@pytest.mark.parametrize("class_", CLASSES)
def test_no_method_is_left_out(class_):
    assert methods_with_arguments(class_) == set(CLASSES[class_][0])


def test_no_class_is_left_out():
    found = {made for _, made in inspect.getmembers(crypto, inspect.isclass)}
    rest = {crypto.Error, crypto.X509StoreContextError, crypto.X509StoreFlags,
            crypto.X509VerificationCodes}
    assert found - rest == set(CLASSES)


# ---- functions ----

FUNCTIONS = {
    "load_certificate": ["form", "data"],
    "load_certificate_request": ["form", "data"],
    "load_privatekey": ["form", "data", "passphrase"],
    "load_publickey": ["form", "data"],
    "load_crl": ["form", "data"],
    "load_pkcs7_data": ["form", "data"],
    "load_pkcs12": ["data", "passphrase"],
    "dump_certificate": ["form", "cert"],
    "dump_certificate_request": ["form", "request"],
    "dump_privatekey": ["form", "key", "digest", "passphrase"],
    "dump_publickey": ["form", "key"],
    "dump_crl": ["form", "crl"],
    "get_elliptic_curve": ["curve name"],
    "sign": ["key", "data", "digest"],
    "verify": ["cert", "data", "data", "digest"],
}


@pytest.mark.parametrize("name, place, bad", cases(FUNCTIONS))
def test_functions(name, place, bad, certs):
    refused(getattr(crypto, name), name, place, bad, FUNCTIONS, GOOD, certs)


def test_no_function_is_left_out():
    found = {name for name, made in inspect.getmembers(crypto, inspect.isfunction)}
    assert found - {"get_elliptic_curves"} == set(FUNCTIONS)


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE-----", "\u00fc"])
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name.startswith("load_")])
def test_text_in_place_of_pem(name, text):
    with pytest.raises((crypto.Error, ValueError)) as caught:
        getattr(crypto, name)(*([crypto.FILETYPE_PEM, text] if name != "load_pkcs12" else [text]))
    assert str(caught.value)


# ---- what makes the objects ----


@pytest.mark.parametrize("bad", [5, None, "a\0b", b"a\0b", "x" * LONG, 1.5])
def test_items_of_a_name(bad, certs):
    name = crypto.X509Name(value("name", certs))
    with pytest.raises(CLEAR):
        name.CN = bad
    assert name.CN == "rsa"
    for unknown in "", "no such type", "x" * 1000:
        with pytest.raises(AttributeError):
            setattr(name, unknown, "x")


@pytest.mark.parametrize("bad", [None, 5, "x", b"x", object()])
def test_objects_that_others_are_made_of(bad, certs):
    cert, store = value("cert", certs), crypto.X509Store()
    for make in (
        lambda: crypto.X509Name(bad),
        lambda: crypto.X509StoreContext(bad, cert),
        lambda: crypto.X509StoreContext(store, bad),
        lambda: crypto.X509StoreContext(store, cert, [bad]),
    ):
        with pytest.raises(TypeError) as caught:
            make()
        assert str(caught.value)


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


@pytest.mark.parametrize("place", ["subject", "issuer"])
def test_certificates_of_extensions(place):
    for bad in 5, "x", b"x", object():
        with pytest.raises(TypeError):
            crypto.X509Extension(b"subjectKeyIdentifier", False, b"hash", **{place: bad})
