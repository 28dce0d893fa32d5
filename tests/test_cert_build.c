#include "builder.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

static X509 *parsed(fssl_handle cert)
{
    const struct bytes *der = bytes_of(fssl_cert_to_der, cert);
    const uint8_t *at = der->data;
    X509 *x509 = d2i_X509(NULL, &at, der->len);

    CHECK(x509 != NULL);
    return x509;
}

/* Returns OpenSSL's verdict on a leaf, by strict rules and for a server. */
static int verdict(X509 *ca, X509 *leaf)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int result;

    X509_STORE_add_cert(store, ca);
    X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_init(context, store, leaf, NULL);
    X509_STORE_CTX_set_default(context, "ssl_server");
    X509_STORE_CTX_set_time(context, 0, BUILT_FROM + 1);
    X509_verify_cert(context);
    result = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return result;
}

static void a_chain_that_openssl_takes(void)
{
    fssl_handle ca_key = build_key(), key = build_key();
    fssl_handle ca = build_ca("a root", ca_key);
    fssl_handle leaf = build_leaf("host.test", key, ca, ca_key);
    X509 *root = parsed(ca), *server = parsed(leaf);
    fssl_handle ca_public = CHECK_MADE(fssl_cert_public_key(ca, &err));

    CHECK_EQUAL(X509_V_OK, verdict(root, server));
    CHECK_EQUAL(1, X509_check_host(server, "host.test", 0, 0, NULL));
    CHECK_EQUAL(X509_VERSION_3, X509_get_version(server));
    CHECK_OK(fssl_cert_verify(leaf, ca_public, &err));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_cert_verify(leaf, key, &err));
    CHECK_OK(fssl_cert_check_private_key(leaf, key, &err));
    CHECK_FAILS(FSSL_E_KEY_MISMATCH, fssl_cert_check_private_key(leaf, ca_key, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_cert_check_private_key(ca, ca_public, &err));
    CHECK_TEXT("ecdsa-with-SHA256", text_of(fssl_cert_signature_algorithm, leaf));
    CHECK_IS((int64_t)X509_subject_name_hash(server), fssl_cert_subject_name_hash(leaf, &err));
    CHECK_CONTAINS("DNS:host.test", text_of(fssl_cert_to_text, leaf));
    X509_free(root);
    X509_free(server);
    check_close(ca_public);
    check_close(leaf);
    check_close(ca);
    check_close(key);
    check_close(ca_key);
}

static void a_new_certificate_lacks_everything(void)
{
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));
    fssl_handle copy = CHECK_MADE(fssl_cert_copy(cert, &err));
    fssl_handle certs[] = {cert, copy};
    int64_t seconds = 5;

    for (size_t i = 0; i < COUNT_OF(certs); i++) {
        check_row(i ? "copy" : "new");
        CHECK_IS(0, fssl_cert_version(certs[i], &err));
        CHECK_TEXT("0", text_of(fssl_cert_serial, certs[i]));
        CHECK_TEXT("", text_of(fssl_cert_not_before_text, certs[i]));
        CHECK_TEXT("", text_of(fssl_cert_not_after_text, certs[i]));
        CHECK_FAILS(FSSL_E_STATE, fssl_cert_not_before(certs[i], &seconds, &err));
        CHECK_FAILS(FSSL_E_STATE, fssl_cert_not_after(certs[i], &seconds, &err));
        CHECK_EQUAL(5, seconds);
        CHECK_TEXT("", text_of(fssl_cert_signature_algorithm, certs[i]));
        CHECK_IS(0, fssl_cert_ext_count(certs[i], &err));
        CHECK_FAILS(FSSL_E_PARSE, fssl_cert_to_der(certs[i], NULL, 0, &err));
        CHECK_FAILS(FSSL_E_PARSE, fssl_cert_to_pem(certs[i], NULL, 0, &err));
        CHECK_FAILS(FSSL_E_OPENSSL, fssl_cert_public_key(certs[i], &err));
        CHECK_CONTAINS("Certificate:", text_of(fssl_cert_to_text, certs[i]));
    }
    check_close(copy);
    check_close(cert);
}

static void versions(void)
{
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));

    CHECK_OK(fssl_cert_set_version(cert, 2, &err));
    CHECK_IS(2, fssl_cert_version(cert, &err));
    CHECK_OK(fssl_cert_set_version(cert, 0, &err));
    CHECK_IS(0, fssl_cert_version(cert, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_set_version(cert, -1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_version(0, &err));
    check_close(cert);
}

static void serial_numbers(void)
{
    static const struct {
        const char *given;
        int32_t base;
        const char *hex; /* NULL: refused */
    } rows[] = {
        {"0", 10, "0"},
        {"255", 10, "FF"},
        {"ff", 16, "FF"},
        {"-1", 10, "-01"},
        {"00000000000000000000000000000000000001", 16, "01"},
        {"7fffffffffffffffffffffffffffffffffffffff", 16,
         "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
        {"18446744073709551616", 10, "010000000000000000"},
        {"", 10, NULL},
        {"", 16, NULL},
        {"-", 10, NULL},
        {"-", 16, NULL},
        {"12a", 10, NULL},
        {"0x12", 16, NULL},
        {"12 ", 10, NULL},
        {"12", 8, NULL},
    };
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));
    char long_one[1100];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].given);
        if (!rows[i].hex) {
            CHECK_FAILS(FSSL_E_ARGUMENT,
                        fssl_cert_set_serial(cert, TEXT(rows[i].given), rows[i].base, &err));
            continue;
        }
        CHECK_OK(fssl_cert_set_serial(cert, TEXT(rows[i].given), rows[i].base, &err));
        CHECK_TEXT(rows[i].hex, text_of(fssl_cert_serial, cert));
    }
    memset(long_one, '7', sizeof long_one);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_set_serial(cert, long_one, sizeof long_one, 10, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_set_serial(cert, "1\0002", 3, 10, &err));
    CHECK_TEXT("010000000000000000", text_of(fssl_cert_serial, cert));
    check_close(cert);
}

static void times_in_seconds(void)
{
    static const struct {
        int64_t seconds;
        const char *text; /* NULL: refused */
    } rows[] = {
        {0, "19700101000000Z"},
        {-1, "19691231235959Z"},
        {BUILT_FROM, "20260101120000Z"},
        {2524607999, "20491231235959Z"},
        {2524608000, "20500101000000Z"},
        {253402300799, "99991231235959Z"},
        {-62167219200, "00000101000000Z"},
        {253402300800, NULL},
        {-62167219201, NULL},
        {INT64_MAX, NULL},
        {INT64_MIN, NULL},
    };
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));
    int64_t seconds;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].text);
        if (!rows[i].text) {
            CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_set_not_before(cert, rows[i].seconds, &err));
            CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_set_not_after(cert, rows[i].seconds, &err));
            continue;
        }
        CHECK_OK(fssl_cert_set_not_before(cert, rows[i].seconds, &err));
        CHECK_OK(fssl_cert_set_not_after(cert, rows[i].seconds, &err));
        CHECK_TEXT(rows[i].text, text_of(fssl_cert_not_before_text, cert));
        CHECK_TEXT(rows[i].text, text_of(fssl_cert_not_after_text, cert));
        CHECK_OK(fssl_cert_not_before(cert, &seconds, &err));
        CHECK_EQUAL(rows[i].seconds, seconds);
        CHECK_OK(fssl_cert_not_after(cert, &seconds, &err));
        CHECK_EQUAL(rows[i].seconds, seconds);
    }
    check_close(cert);
}

static void times_as_text(void)
{
    static const struct {
        const char *given;
        const char *text; /* NULL: refused */
    } rows[] = {
        {"20040203040506Z", "20040203040506Z"},
        {"040203040506Z", "20040203040506Z"},
        {"20040203040506+0530", "20040203040506+0530"},
        {"20040203040506-0115", "20040203040506-0115"},
        {"20600203040506Z", "20600203040506Z"},
        {"", NULL},
        {"foo bar", NULL},
        {"20040203040506", NULL},
        {"20041303040506Z", NULL},
        {"20040203040506Zx", NULL},
    };
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].given);
        if (!rows[i].text) {
            CHECK_FAILS(FSSL_E_ARGUMENT,
                        fssl_cert_set_not_before_text(cert, TEXT(rows[i].given), &err));
            CHECK_FAILS(FSSL_E_ARGUMENT,
                        fssl_cert_set_not_after_text(cert, TEXT(rows[i].given), &err));
            continue;
        }
        CHECK_OK(fssl_cert_set_not_before_text(cert, TEXT(rows[i].given), &err));
        CHECK_OK(fssl_cert_set_not_after_text(cert, TEXT(rows[i].given), &err));
        CHECK_TEXT(rows[i].text, text_of(fssl_cert_not_before_text, cert));
        CHECK_TEXT(rows[i].text, text_of(fssl_cert_not_after_text, cert));
    }
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_not_before_text(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_not_after_text(0, NULL, 0, &err));
    check_close(cert);
}

static bool digest_agrees(fssl_handle cert)
{
    const struct bytes *der = bytes_of(fssl_cert_to_der, cert);
    uint8_t expected[EVP_MAX_MD_SIZE], got[EVP_MAX_MD_SIZE];
    size_t len = 0;

    EVP_Q_digest(NULL, "SHA1", NULL, der->data, (size_t)der->len, expected, &len);
    CHECK_IS((int64_t)len, fssl_cert_digest(cert, TEXT("sha1"), got, sizeof got, &err));
    return CHECK_BYTES(expected, got, len);
}

/* OpenSSL 3.0 keeps the encoding with which a certificate was read, and the digest of one that it
   has verified, when either is changed. */
static void changes_of_a_loaded_certificate_show(void)
{
    fssl_handle key = build_key();
    fssl_handle built = build_ca("before", key), after = build_name("after");
    const struct bytes *der = bytes_of(fssl_cert_to_der, built);
    fssl_handle cert = CHECK_MADE(fssl_cert_from_der(der->data, der->len, &err));
    fssl_handle store = CHECK_MADE(fssl_store_new(&err));
    X509 *x509;

    CHECK_OK(fssl_cert_set_subject(cert, after, &err));
    CHECK(digest_agrees(cert));
    CHECK_OK(fssl_store_add_cert(store, cert, &err));
    CHECK_OK(fssl_cert_set_issuer(cert, after, &err));
    CHECK(digest_agrees(cert));
    x509 = parsed(cert);
    CHECK_EQUAL(0, X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)));
    CHECK_EQUAL(0, X509_self_signed(x509, 1)); /* it is to be signed again */
    X509_free(x509);
    CHECK_OK(fssl_cert_sign(cert, key, TEXT("sha384"), &err));
    CHECK(digest_agrees(cert));
    CHECK_OK(fssl_cert_verify(cert, key, &err));
    CHECK_TEXT("ecdsa-with-SHA384", text_of(fssl_cert_signature_algorithm, cert));
    check_close(store);
    check_close(cert);
    check_close(after);
    check_close(built);
    check_close(key);
}

/* What a store holds is not changed with the handle that it came from; a certificate that lacks
   fields, so that it has no DER, is copied all the same. */
static void what_others_hold_stays(void)
{
    fssl_handle key = build_key(), name = build_name("a name");
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));
    fssl_handle ext = build_ext("basicConstraints", "CA:TRUE", cert, cert);
    fssl_handle hash =
        CHECK_MADE(fssl_ext_new(TEXT("basicConstraints"), 0, TEXT("CA:TRUE"), cert, cert, &err));

    CHECK_OK(fssl_cert_set_subject(cert, name, &err));
    CHECK_OK(fssl_cert_set_serial(cert, TEXT("77"), 10, &err));
    CHECK_OK(fssl_cert_set_not_after(cert, BUILT_FROM, &err));
    CHECK_OK(fssl_cert_add_ext(cert, ext, &err));
    check_close(CHECK_MADE(
        fssl_ext_new(TEXT("keyUsage"), 0, TEXT("keyCertSign"), cert, cert, &err))); /* shares it */
    CHECK_OK(fssl_cert_set_public_key(cert, key, &err));
    check_close(build_ext("subjectKeyIdentifier", "hash", cert, 0)); /* shares it again */
    CHECK_OK(fssl_cert_set_version(cert, 2, &err));
    CHECK_TEXT("4D", text_of(fssl_cert_serial, cert));
    CHECK_TEXT("20260101120000Z", text_of(fssl_cert_not_after_text, cert));
    CHECK_TEXT("", text_of(fssl_cert_not_before_text, cert));
    CHECK_IS(1, fssl_cert_ext_count(cert, &err));
    check_close(CHECK_MADE(fssl_cert_public_key(cert, &err)));
    check_close(hash);
    check_close(ext);
    check_close(cert);
    check_close(name);
    check_close(key);
}

static void names_are_views(void)
{
    fssl_handle key = build_key();
    fssl_handle cert = build_ca("before", key);
    fssl_handle subject = CHECK_MADE(fssl_cert_subject(cert, &err));
    fssl_handle issuer = CHECK_MADE(fssl_cert_issuer(cert, &err));
    fssl_handle again = CHECK_MADE(fssl_cert_subject(cert, &err));
    X509 *x509;

    CHECK_OK(fssl_name_set_item(subject, TEXT("CN"), BYTES("after"), &err));
    CHECK_TEXT("CN=after,O=flatssl", text_of(fssl_name_text, again));
    CHECK_TEXT("CN=before,O=flatssl", text_of(fssl_name_text, issuer));
    CHECK_OK(fssl_name_add_item(issuer, TEXT("OU"), BYTES("unit"), &err));
    CHECK_CONTAINS("CN=after", text_of(fssl_cert_to_text, cert));
    x509 = parsed(cert);
    CHECK_EQUAL(3, X509_NAME_entry_count(X509_get_issuer_name(x509)));
    X509_free(x509);
    CHECK_OK(fssl_cert_set_subject(cert, subject, &err));
    CHECK_OK(fssl_cert_set_issuer(cert, subject, &err));
    check_close(cert); /* the views keep it */
    CHECK_TEXT("CN=after,O=flatssl", text_of(fssl_name_text, issuer));
    CHECK_OK(fssl_name_set_item(issuer, TEXT("CN"), BYTES("late"), &err));
    CHECK_TEXT("CN=after,O=flatssl", text_of(fssl_name_text, subject));
    check_close(again);
    check_close(issuer);
    check_close(subject);
    check_close(key);
}

static void extensions(void)
{
    fssl_handle key = build_key();
    fssl_handle cert = build_ca("extended", key);
    fssl_handle ext;

    CHECK_IS(3, fssl_cert_ext_count(cert, &err));
    ext = CHECK_MADE(fssl_cert_ext_item(cert, 1, &err));
    CHECK_TEXT("keyUsage", text_of(fssl_ext_name, ext));
    CHECK_IS(1, fssl_ext_critical(ext, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_ext_item(cert, 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_ext_item(cert, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_ext_item(cert, INT64_C(1) << 32, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_add_ext(cert, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_add_ext(cert, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_add_ext(key, ext, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_ext_count(0, &err));
    CHECK_IS(3, fssl_cert_ext_count(cert, &err));
    check_close(ext);
    check_close(cert);
    check_close(key);
}

/* A version 1 certificate with extensions is what every verifier refuses. */
static void signing_with_extensions_makes_it_version_3(void)
{
    fssl_handle key = build_key();
    fssl_handle cert = build_ca("version 3", key);

    CHECK_OK(fssl_cert_set_version(cert, 0, &err));
    CHECK_OK(fssl_cert_sign(cert, key, TEXT("sha256"), &err));
    CHECK_IS(2, fssl_cert_version(cert, &err));
    check_close(cert);
    check_close(key);
}

static void signing_fails(void)
{
    fssl_handle key = build_key(), public = build_public(key);
    fssl_handle edwards = CHECK_MADE(fssl_key_generate(FSSL_KEY_ED25519, 0, NULL, 0, &err));
    fssl_handle cert = build_ca("signed", key);
    struct bytes before = *bytes_of(fssl_cert_to_der, cert);

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_sign(cert, key, TEXT("nonsense"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_sign(cert, key, "sha256\0", 7, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_cert_sign(cert, public, TEXT("sha256"), &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_sign(cert, cert, TEXT("sha256"), &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_sign(key, key, TEXT("sha256"), &err));
    CHECK(fssl_cert_sign(cert, edwards, TEXT("sha256"), NULL) < 0);
    CHECK_EQUAL(before.len, bytes_of(fssl_cert_to_der, cert)->len);
    CHECK_BYTES(before.data, bytes_of(fssl_cert_to_der, cert)->data, (size_t)before.len);
    CHECK_OK(fssl_cert_sign(cert, edwards, TEXT(""), &err));
    CHECK_OK(fssl_cert_verify(cert, edwards, &err));
    CHECK_TEXT("ED25519", text_of(fssl_cert_signature_algorithm, cert));
    check_close(cert);
    check_close(edwards);
    check_close(public);
    check_close(key);
}

static void other_handles_are_refused(void)
{
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err)), key = build_key();

    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_set_subject(cert, cert, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_set_issuer(cert, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_set_public_key(cert, cert, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_set_public_key(0, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_verify(cert, cert, &err));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_cert_verify(cert, key, &err)); /* nothing is signed */
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_signature_algorithm(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_subject_name_hash(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_to_text(key, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_set_serial(0, TEXT("1"), 10, &err));
    check_close(key);
    check_close(cert);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a chain that OpenSSL takes", a_chain_that_openssl_takes},
        {"a new certificate lacks everything", a_new_certificate_lacks_everything},
        {"versions", versions},
        {"serial numbers", serial_numbers},
        {"times in seconds", times_in_seconds},
        {"times as text", times_as_text},
        {"changes of a loaded certificate show", changes_of_a_loaded_certificate_show},
        {"what others hold stays", what_others_hold_stays},
        {"names are views", names_are_views},
        {"extensions", extensions},
        {"version 3", signing_with_extensions_makes_it_version_3},
        {"signing fails", signing_fails},
        {"other handles are refused", other_handles_are_refused},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
