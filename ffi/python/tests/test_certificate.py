"""Certificates, keys, names and stores of flatssl's own, and the verification of chains."""

import time

import pytest

import flatssl
from flatssl import _abi, crypto

NO_ISSUER, EXPIRED, TOO_WEAK = 20, 10, 66  # OpenSSL's codes
CENTURY = 100 * 365 * 24 * 3600


def load(files):
    return flatssl.Certificate.from_pem(files.cert.read_bytes())


def key_of(files):
    return flatssl.Key.from_pem(files.key.read_bytes())


@pytest.fixture
def store(certs):
    made = flatssl.Store()
    made.add_cert(load(certs.ca))
    return made


# ---- signatures ----


def test_signed_by_whom(certs):
    leaf, ca = load(certs.rsa), load(certs.ca)
    leaf.verify(ca.public_key())
    with pytest.raises(flatssl.VerifyError):
        leaf.verify(leaf.public_key())


def test_the_key_of_a_certificate(certs):
    leaf = load(certs.rsa)
    leaf.check_private_key(key_of(certs.rsa))
    with pytest.raises(flatssl.CertificateError) as caught:
        leaf.check_private_key(key_of(certs.client))
    assert caught.value.code == flatssl.E_KEY_MISMATCH
    with pytest.raises(flatssl.UsageError):
        leaf.check_private_key(leaf.public_key())


@pytest.mark.parametrize(
    "type, bits, curve, digest",
    [(flatssl.KEY_EC, 0, "P-256", "sha256"), (flatssl.KEY_ED25519, 0, None, None)],
)
def test_signatures_of_data(type, bits, curve, digest):
    key = flatssl.Key.generate(type, bits, curve)
    assert key.curve() == ("prime256v1" if curve else "")
    signature = key.sign(b"data", digest)
    key.verify(signature, bytearray(b"data"), digest)
    with pytest.raises(flatssl.VerifyError):
        key.verify(signature, b"other data", digest)
    with pytest.raises(flatssl.Error):
        key.sign(b"data", "no digest")


# ---- forms ----

FORMS = [
    flatssl.Certificate.from_der,
    flatssl.Key.from_der,
    flatssl.Key.public_from_der,
    flatssl.Key.public_from_pem,
    flatssl.Name.from_der,
    lambda data: crypto.load_crl(crypto.FILETYPE_PEM, data),
    lambda data: crypto.load_crl(crypto.FILETYPE_ASN1, data),
    lambda data: crypto.load_certificate_request(crypto.FILETYPE_PEM, data),
    lambda data: crypto.load_certificate_request(crypto.FILETYPE_ASN1, data),
    lambda data: crypto.load_pkcs7_data(crypto.FILETYPE_PEM, data),
    lambda data: crypto.load_pkcs7_data(crypto.FILETYPE_ASN1, data),
]


@pytest.mark.parametrize("read", FORMS)
def test_nonsense_is_not_read(read):
    for nonsense in b"", b"x", bytes(1000):
        with pytest.raises(flatssl.ParseError):
            read(nonsense)


def test_a_name_from_its_der(certs):
    name = load(certs.rsa).subject()
    assert flatssl.Name.from_der(name.to_der()).items() == name.items() == [("CN", b"rsa")]
    with pytest.raises(flatssl.ParseError):
        flatssl.Name.from_der(name.to_der() + b"x")


# ---- stores ----


def test_what_a_store_holds(certs, store):
    assert store.add_pem(certs.other_ca.cert.read_bytes()) == 1
    names = sorted(str(item.subject()) for item in store.items())
    assert len(store) == 2 and names == ["CN=ca", "CN=other-ca"]
    with pytest.raises(flatssl.ParseError):
        store.add_pem(certs.ca.cert.read_bytes() + b"-----BEGIN CERTIFICATE-----\nx")
    assert len(store) == 2


def test_a_store_holds_crls(certs):
    issuer = crypto.load_certificate(crypto.FILETYPE_PEM, certs.ca.cert.read_bytes())
    key = crypto.load_privatekey(crypto.FILETYPE_PEM, certs.ca.key.read_bytes())
    store = flatssl.Store()
    store.add_pem(crypto.CRL().export(issuer, key, digest=b"sha256"))
    assert [type(item) for item in store.items()] == [_abi.Handle]


# ---- chains ----


def refused(chain, code, error=flatssl.VerifyError):
    with pytest.raises(error) as caught:
        chain.verify()
    assert chain.verify_code() == caught.value.verify_code == code
    assert chain.certificates() == []


def test_a_chain(certs, store):
    leaf = load(certs.rsa)
    chain = flatssl.Chain(store, leaf)
    assert chain.verify_code() == 1  # not verified yet
    chain.set_purpose(flatssl.PURPOSE_SSL_SERVER)
    chain.set_host("localhost")
    chain.set_depth(3)
    chain.set_security_level(1)
    chain.set_flags(flatssl.STORE_X509_STRICT)
    chain.verify()
    assert chain.verify_code() == 0 and chain.refused_certificate() is None
    assert chain.certificates() == [leaf, load(certs.ca)]


def test_a_chain_that_ends_nowhere(certs):
    leaf = load(certs.rsa)
    chain = flatssl.Chain(flatssl.Store(), leaf)
    refused(chain, NO_ISSUER)
    assert chain.refused_depth() == 0 and chain.refused_certificate() == leaf
    trusting = flatssl.Store()
    trusting.add_cert(load(certs.ca))
    chain.set_store(trusting)
    chain.verify()


def test_another_time(certs, store):
    chain = flatssl.Chain(store, load(certs.rsa))
    chain.set_time(int(time.time()) + CENTURY)
    refused(chain, EXPIRED)


def test_another_host(certs, store):
    chain = flatssl.Chain(store, load(certs.rsa))
    chain.set_host("other.example")
    refused(chain, 62, flatssl.HostError)
    for bad in "", "a\0b", "x" * 300, "b\u00fccher.example":
        with pytest.raises(flatssl.ArgumentError):
            chain.set_host(bad)


def test_another_purpose(certs, store):
    chain = flatssl.Chain(store, load(certs.rsa))
    for bad in chain.set_purpose, chain.set_security_level:
        with pytest.raises(flatssl.ArgumentError):
            bad(99)
    with pytest.raises(flatssl.ArgumentError):
        chain.set_depth(-2)


def test_keys_that_are_too_weak(certs, store):
    chain = flatssl.Chain(store, load(certs.rsa))
    chain.set_security_level(5)  # 256 bits, of which RSA with 2,048 has 112
    refused(chain, TOO_WEAK)


def test_what_stands_between(certs):
    """A CA in between may be given along, or be trusted itself."""
    key = flatssl.Key.generate(flatssl.KEY_EC, curve="P-256")
    root, between, leaf = flatssl.Store(), crypto.X509(), crypto.X509()
    ca = crypto.load_certificate(crypto.FILETYPE_PEM, certs.ca.cert.read_bytes())
    ca_key = crypto.load_privatekey(crypto.FILETYPE_PEM, certs.ca.key.read_bytes())
    root.add_cert(ca)
    for cert, name, issuer, signer, constraints in (
        (between, "between", ca.get_subject(), ca_key, b"CA:TRUE"),
        (leaf, "leaf", None, key, b"CA:FALSE"),
    ):
        subject = crypto.X509Name._wrap(_abi.name_new())
        subject.CN = name
        cert.set_version(2)
        cert.set_serial_number(len(name))
        cert.set_subject(subject)
        cert.set_issuer(issuer or between.get_subject())
        cert.gmtime_adj_notBefore(-60)
        assert cert.get_notAfter() is None
        cert.gmtime_adj_notAfter(3600)
        assert cert.get_notBefore() and cert.get_notBefore() < cert.get_notAfter()
        cert.set_pubkey(key)
        cert.add_extensions([crypto.X509Extension(b"basicConstraints", True, constraints)])
        cert.sign(signer, "sha256")
    chain = flatssl.Chain(root, leaf)
    refused(chain, NO_ISSUER)
    chain.add_untrusted(between)
    chain.verify()
    assert [str(cert.subject()) for cert in chain.certificates()] == [
        "CN=leaf", "CN=between", "CN=ca"]
    assert crypto.X509StoreContext(root, leaf, [between]).get_verified_chain()[1] == between
