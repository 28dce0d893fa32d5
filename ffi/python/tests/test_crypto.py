"""flatssl.crypto: keys, names, certificates, requests, CRLs and containers made, written and
read."""

import datetime

import pytest

from flatssl import crypto

DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def key():
    made = crypto.PKey()
    made.generate_key(crypto.TYPE_RSA, 2048)
    return made


def make_cert(key, name="made", ca=False, issuer=None, issuer_key=None):
    cert = crypto.X509()
    cert.set_version(2)
    cert.set_serial_number(0x1234567890ABCDEF1234)
    cert.get_subject().CN = name
    cert.set_issuer((issuer or cert).get_subject())
    cert.gmtime_adj_notBefore(-DAY)
    cert.gmtime_adj_notAfter(DAY)
    cert.set_pubkey(key)
    cert.add_extensions([
        crypto.X509Extension(b"basicConstraints", True, b"CA:TRUE" if ca else b"CA:FALSE"),
        crypto.X509Extension(b"subjectKeyIdentifier", False, b"hash", subject=cert),
    ])
    if ca:
        cert.add_extensions([crypto.X509Extension(b"keyUsage", True, b"keyCertSign, cRLSign")])
    cert.sign(issuer_key or key, "sha256")
    return cert


@pytest.fixture(scope="module")
def ca(key):
    return make_cert(key, "the CA", ca=True)


@pytest.fixture(autouse=True)
def no_handle_left():
    """Keys and certificates of this module outlive its tests."""


# ---- keys ----


def test_generated(key):
    assert (key.type(), key.bits()) == (crypto.TYPE_RSA, 2048) and key.check()
    assert crypto.PKey().bits() == 0
    for bad, error in ((("rsa", 1024), TypeError), ((crypto.TYPE_RSA, "1"), TypeError),
                       ((crypto.TYPE_RSA, -1), ValueError), ((99, 1024), crypto.Error)):
        with pytest.raises(error):
            crypto.PKey().generate_key(*bad)


def test_key_forms(key):
    for form in crypto.FILETYPE_PEM, crypto.FILETYPE_ASN1:
        assert crypto.load_privatekey(form, crypto.dump_privatekey(form, key)).bits() == 2048
        public = crypto.load_publickey(form, crypto.dump_publickey(form, key))
        assert public.bits() == 2048
        with pytest.raises(TypeError):
            public.check()
    assert b"modulus:" in crypto.dump_privatekey(crypto.FILETYPE_TEXT, key)
    with pytest.raises(ValueError):
        crypto.load_privatekey(99, b"")
    with pytest.raises(crypto.Error):
        crypto.load_privatekey(crypto.FILETYPE_PEM, b"no key")


def test_encrypted_key(key):
    pem = crypto.dump_privatekey(crypto.FILETYPE_PEM, key, "aes-256-cbc", b"secret")
    assert crypto.load_privatekey(crypto.FILETYPE_PEM, pem, b"secret").bits() == 2048
    asked = []
    crypto.load_privatekey(crypto.FILETYPE_PEM, pem, lambda *_: asked.append(_) or b"secret")
    assert len(asked) == 1
    for wrong in b"wrong", lambda *_: b"", lambda *_: b"wrong":
        with pytest.raises(crypto.Error):
            crypto.load_privatekey(crypto.FILETYPE_PEM, pem, wrong)
    with pytest.raises(ValueError):
        crypto.load_privatekey(crypto.FILETYPE_PEM, pem, lambda *_: b"x" * 1025)
    with pytest.raises(ValueError):
        crypto.dump_privatekey(crypto.FILETYPE_PEM, key, "no-cipher", b"secret")
    with pytest.raises(TypeError):
        crypto.dump_privatekey(crypto.FILETYPE_PEM, key, "aes-256-cbc")
    with pytest.raises(ValueError):  # rather than as plain DER
        crypto.dump_privatekey(crypto.FILETYPE_ASN1, key, "aes-256-cbc", b"secret")


def test_signature(key, ca):
    signature = crypto.sign(key, b"data", "sha256")
    crypto.verify(ca, signature, b"data", "sha256")
    with pytest.raises(crypto.Error):
        crypto.verify(ca, signature, b"tampered", "sha256")


def test_curves():
    curves = crypto.get_elliptic_curves()
    assert crypto.get_elliptic_curve("prime256v1") in curves
    with pytest.raises(ValueError):
        crypto.get_elliptic_curve("no curve")


# ---- names and extensions ----


def test_name(key):
    name = make_cert(key).get_subject()
    name = crypto.X509Name(name)
    name.O, name.emailAddress, name.organizationalUnitName = "Org", "a@b.example", "Unit"
    name.commonName = "umlaut \u00fc"
    assert (name.O, name.OU, name.CN) == ("Org", "Unit", "umlaut \u00fc")
    assert (b"O", b"Org") in name.get_components()
    assert name.L is None
    assert name == crypto.X509Name(name) and name.hash() and name.der()
    with pytest.raises(AttributeError):
        name.noSuchThing
    with pytest.raises(AttributeError):
        name.noSuchThing = "x"
    with pytest.raises((crypto.Error, ValueError)):
        name.CN = "nul\0inside"


def test_extension(ca):
    extension = ca.get_extension(0)
    assert extension.get_short_name() == b"basicConstraints" and extension.get_critical()
    assert str(extension) == "CA:TRUE" and extension.get_data()
    assert ca.get_extension_count() == 3
    with pytest.raises(IndexError):
        ca.get_extension(3)
    for bad in ((b"basicConstraints", False, b"nonsense"), (b"noSuchThing", False, b"x"),
                (b"subjectAltName", False, b"@section"), (b"nsComment", False, b"a\nb")):
        with pytest.raises(crypto.Error):
            crypto.X509Extension(*bad)
    with pytest.raises(TypeError):
        crypto.X509Extension("text", False, b"x")


# ---- certificates and requests ----


def test_certificate(key, ca):
    cert = make_cert(key, "leaf", issuer=ca)
    assert cert.get_version() == 2 and cert.get_serial_number() == 0x1234567890ABCDEF1234
    assert cert.get_issuer().CN == "the CA" and cert.get_subject().CN == "leaf"
    assert not cert.has_expired() and cert.get_signature_algorithm() == b"sha256WithRSAEncryption"
    assert cert.get_pubkey().bits() == 2048 and cert.subject_name_hash()
    assert len(cert.digest("sha256").split(b":")) == 32
    cert.set_notBefore(b"20200101000000Z")
    cert.set_notAfter(b"20210101000000Z")
    assert cert.get_notAfter() == b"20210101000000Z" and cert.has_expired()
    with pytest.raises(ValueError):
        cert.set_notBefore(b"yesterday")
    for setter in cert.set_version, cert.set_serial_number, cert.set_pubkey, cert.set_subject:
        with pytest.raises(TypeError):
            setter("wrong")
    with pytest.raises(ValueError):
        cert.sign(key, "no-digest")


def test_certificate_forms(ca):
    for form in crypto.FILETYPE_PEM, crypto.FILETYPE_ASN1:
        again = crypto.load_certificate(form, crypto.dump_certificate(form, ca))
        assert again == ca
    assert b"the CA" in crypto.dump_certificate(crypto.FILETYPE_TEXT, ca)
    with pytest.raises(crypto.Error):
        crypto.load_certificate(crypto.FILETYPE_PEM, b"no certificate")
    with pytest.raises(ValueError):
        crypto.dump_certificate(99, ca)


def test_request(key):
    request = crypto.X509Req()
    request.get_subject().CN = "asks"
    request.set_pubkey(key)
    request.set_version(0)
    assert request.get_pubkey().bits() == 2048
    with pytest.raises(ValueError):
        request.set_version(1)
    request.add_extensions([crypto.X509Extension(b"subjectAltName", False, b"DNS:asks.example")])
    request.sign(key, "sha256")
    assert request.verify(key) and request.get_version() == 0
    for form in crypto.FILETYPE_PEM, crypto.FILETYPE_ASN1:
        again = crypto.load_certificate_request(
            form, crypto.dump_certificate_request(form, request))
        assert again.get_subject().CN == "asks" and len(again.get_extensions()) == 1
    assert b"asks" in crypto.dump_certificate_request(crypto.FILETYPE_TEXT, request)
    other = crypto.PKey()
    other.generate_key(crypto.TYPE_RSA, 2048)
    with pytest.raises(crypto.Error):
        request.verify(other)


def test_objects_of_the_cryptography_package(key, ca):
    request, crl = crypto.X509Req(), crypto.CRL()
    request.set_pubkey(key)
    request.sign(key, "sha256")
    crl.export(ca, key, digest=b"sha256")
    for made, dump in (
        (ca, crypto.dump_certificate),
        (request, crypto.dump_certificate_request),
        (crl, crypto.dump_crl),
    ):
        again = type(made).from_cryptography(made.to_cryptography())
        assert dump(crypto.FILETYPE_ASN1, again) == dump(crypto.FILETYPE_ASN1, made)
        with pytest.raises(TypeError):
            type(made).from_cryptography(made)
    private = crypto.PKey.from_cryptography_key(key.to_cryptography_key())
    public = crypto.PKey.from_cryptography_key(ca.get_pubkey().to_cryptography_key())
    assert private.to_der() == key.to_der() and not public.is_private()
    with pytest.raises(TypeError):
        crypto.PKey.from_cryptography_key(key)
    assert ca.get_subject().to_cryptography() == ca.to_cryptography().subject


# ---- trust ----


def test_store(key, ca):
    leaf = make_cert(key, "leaf", issuer=ca)
    store = crypto.X509Store()
    with pytest.raises(crypto.X509StoreContextError) as caught:
        crypto.X509StoreContext(store, leaf).verify_certificate()
    assert caught.value.errors[0] == 20 and caught.value.certificate.get_subject().CN == "leaf"
    store.add_cert(ca)
    context = crypto.X509StoreContext(store, leaf)
    context.verify_certificate()
    assert [cert.get_subject().CN for cert in context.get_verified_chain()] == ["leaf", "the CA"]
    store.set_time(datetime.datetime(2040, 1, 1))
    with pytest.raises(crypto.X509StoreContextError, match="expired"):
        context.verify_certificate()


def test_store_from_files(key, ca, tmp_path):
    (tmp_path / "ca.pem").write_bytes(crypto.dump_certificate(crypto.FILETYPE_PEM, ca))
    (tmp_path / "bad.pem").write_bytes(b"no certificate")
    store = crypto.X509Store()
    for bad in (tmp_path / "bad.pem", None), (tmp_path / "missing.pem", None):
        with pytest.raises(crypto.Error):
            store.load_locations(*bad)
    store.load_locations(tmp_path / "ca.pem", tmp_path)
    crypto.X509StoreContext(store, make_cert(key, "leaf", issuer=ca)).verify_certificate()


def test_revoked():
    revoked = crypto.Revoked()
    assert revoked.get_serial() == b"00"
    assert revoked.get_rev_date() is None and revoked.get_reason() is None
    revoked.set_serial(b"10b")
    assert revoked.get_serial() == b"010B"
    for name in revoked.all_reasons():
        for again in name, name.upper():
            revoked.set_reason(again)
            reason = revoked.get_reason()
            assert reason.replace(b" ", b"").lower() == name.lower()
            revoked.set_reason(reason)
    revoked.set_reason(None)
    assert revoked.get_reason() is None


def test_crl(key, ca):
    revoked = crypto.Revoked()
    revoked.set_serial(b"1234567890ABCDEF1234")
    revoked.set_rev_date(b"20200101000000Z")
    revoked.set_reason(b"keyCompromise")
    assert revoked.get_serial() == b"1234567890ABCDEF1234"
    assert revoked.get_rev_date() == b"20200101000000Z"
    assert revoked.get_reason() == b"Key Compromise"
    crl = crypto.CRL()
    crl.add_revoked(revoked)
    pem = crl.export(ca, key, days=20, digest=b"sha256")
    again = crypto.load_crl(crypto.FILETYPE_PEM, pem)
    assert again.get_issuer().CN == "the CA" and len(again.get_revoked()) == 1
    assert b"Revoked" in crypto.dump_crl(crypto.FILETYPE_TEXT, again)
    store = crypto.X509Store()
    store.add_cert(ca)
    store.add_crl(again)
    store.set_flags(crypto.X509StoreFlags.CRL_CHECK)
    with pytest.raises(crypto.X509StoreContextError, match="revoked"):
        crypto.X509StoreContext(store, make_cert(key, "leaf", issuer=ca)).verify_certificate()
    with pytest.raises(ValueError):
        revoked.set_serial(b"not hex")
    with pytest.raises(ValueError):
        revoked.set_reason(b"no reason")


# ---- containers ----


def test_pkcs12(key, ca):
    leaf = make_cert(key, "leaf", issuer=ca)
    container = crypto.PKCS12()
    container.set_certificate(leaf)
    container.set_privatekey(key)
    container.set_ca_certificates([ca])
    container.set_friendlyname(b"friend")
    assert container.get_certificate() is leaf and container.get_privatekey() is key
    der = container.export(b"secret")
    again = crypto.load_pkcs12(der, b"secret")
    assert again.get_certificate() == leaf and again.get_privatekey().bits() == 2048
    assert again.get_ca_certificates() == (ca,) and again.get_friendlyname() == b"friend"
    with pytest.raises(crypto.Error):
        crypto.load_pkcs12(der, b"wrong")


def test_spki(key):
    spki = crypto.NetscapeSPKI()
    spki.set_pubkey(key)
    spki.sign(key, "sha256")
    assert spki.verify(key) and spki.b64_encode() and spki.get_pubkey().bits() == 2048


def test_pkcs7(ca, tmp_path):
    from conftest import openssl

    source = tmp_path / "ca.pem"
    source.write_bytes(crypto.dump_certificate(crypto.FILETYPE_PEM, ca))
    message = openssl("crl2pkcs7", "-nocrl", "-certfile", source)
    der = openssl("crl2pkcs7", "-nocrl", "-certfile", source, "-outform", "DER")
    for form, data in (crypto.FILETYPE_PEM, message), (crypto.FILETYPE_ASN1, der):
        loaded = crypto.load_pkcs7_data(form, data)
        assert loaded.type_is_signed() and loaded.get_type_name() == b"pkcs7-signedData"
        assert not (loaded.type_is_data() or loaded.type_is_enveloped()
                    or loaded.type_is_signedAndEnveloped())
    with pytest.raises(crypto.Error):
        crypto.load_pkcs7_data(crypto.FILETYPE_ASN1, b"garbage")
