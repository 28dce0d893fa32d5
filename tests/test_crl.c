#include "builder.h"

#include <string.h>

#include <openssl/x509v3.h>

struct authority {
    fssl_handle key;
    fssl_handle cert;
    fssl_handle crl;
};

static struct authority opened(void)
{
    fssl_handle key = build_key(), cert = build_ca("crl issuer", key);

    return (struct authority){key, cert, build_crl(cert, key, true)};
}

static void closed(struct authority *authority)
{
    check_close(authority->crl);
    check_close(authority->cert);
    check_close(authority->key);
}

static X509_CRL *parsed(fssl_handle crl)
{
    const struct bytes *der = bytes_of(fssl_crl_to_der, crl);
    const uint8_t *at = der->data;
    X509_CRL *x509_crl = d2i_X509_CRL(NULL, &at, der->len);

    CHECK(x509_crl != NULL);
    return x509_crl;
}

static void a_crl_that_openssl_takes(void)
{
    struct authority authority = opened();
    X509_CRL *x509_crl = parsed(authority.crl);
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(x509_crl);

    CHECK_EQUAL(X509_CRL_VERSION_2, X509_CRL_get_version(x509_crl));
    CHECK_EQUAL(3, sk_X509_REVOKED_num(list));
    CHECK_EQUAL(7,
                ASN1_INTEGER_get(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(list, 0))));
    CHECK_EQUAL(2, X509_CRL_get_ext_count(x509_crl));
    CHECK_OK(fssl_crl_verify(authority.crl, authority.key, &err));
    X509_CRL_free(x509_crl);
    closed(&authority);
}

static void its_parts(void)
{
    struct authority authority = opened();
    fssl_handle issuer = CHECK_MADE(fssl_crl_issuer(authority.crl, &err));
    fssl_handle ext = CHECK_MADE(fssl_crl_ext_item(authority.crl, 1, &err));
    int64_t seconds;

    CHECK_IS(1, fssl_crl_version(authority.crl, &err));
    CHECK_TEXT("CN=crl issuer,O=flatssl", text_of(fssl_name_text, issuer));
    CHECK_OK(fssl_crl_last_update(authority.crl, &seconds, &err));
    CHECK_EQUAL(BUILT_FROM, seconds);
    CHECK_OK(fssl_crl_next_update(authority.crl, &seconds, &err));
    CHECK_EQUAL(2082628800, seconds);
    CHECK_TEXT("20260101120000Z", text_of(fssl_crl_last_update_text, authority.crl));
    CHECK_TEXT("20351230120000Z", text_of(fssl_crl_next_update_text, authority.crl));
    CHECK_IS(2, fssl_crl_ext_count(authority.crl, &err));
    CHECK_TEXT("crlNumber", text_of(fssl_ext_name, ext));
    CHECK_TEXT("7", text_of(fssl_ext_text, ext));
    CHECK_CONTAINS("Key Compromise", text_of(fssl_crl_to_text, authority.crl));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_ext_item(authority.crl, 2, &err));
    check_close(ext);
    check_close(issuer);
    closed(&authority);
}

static void its_entries(void)
{
    static const struct {
        const char *serial;
        int64_t reason;
    } rows[] = {
        {"07", FSSL_REASON_SUPERSEDED},
        {"09", FSSL_REASON_NONE},
        {"1234567890ABCDEF", FSSL_REASON_KEY_COMPROMISE},
    };
    struct authority authority = opened();

    CHECK_IS(COUNT_OF(rows), fssl_crl_revoked_count(authority.crl, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle revoked = CHECK_MADE(fssl_crl_revoked_item(authority.crl, (int64_t)i, &err));
        int64_t reason;

        check_row(rows[i].serial);
        CHECK_TEXT(rows[i].serial, text_of(fssl_revoked_serial, revoked));
        CHECK_OK(fssl_revoked_reason(revoked, &reason, &err));
        CHECK_EQUAL(rows[i].reason, reason);
        CHECK_TEXT("20260101120000Z", text_of(fssl_revoked_date_text, revoked));
        CHECK_OK(fssl_revoked_set_serial(revoked, TEXT("99"), 16, &err)); /* it is a copy */
        check_close(revoked);
    }
    check_row(NULL);
    CHECK_CONTAINS("07", text_of(fssl_crl_to_text, authority.crl));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_revoked_item(authority.crl, COUNT_OF(rows), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_revoked_item(authority.crl, -1, &err));
    closed(&authority);
}

static void read_back(void)
{
    struct authority authority = opened();
    fssl_handle other = build_key();
    const struct bytes *pem = bytes_of(fssl_crl_to_pem, authority.crl);
    const struct bytes *der = bytes_of(fssl_crl_to_der, authority.crl);
    fssl_handle from[] = {CHECK_MADE(fssl_crl_from_pem(pem->data, pem->len, &err)),
                          CHECK_MADE(fssl_crl_from_der(der->data, der->len, &err))};

    CHECK_CONTAINS("-----BEGIN X509 CRL-----", (const char *)pem->data);
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        CHECK_OK(fssl_crl_verify(from[i], authority.key, &err));
        CHECK_FAILS(FSSL_E_VERIFY, fssl_crl_verify(from[i], other, &err));
        CHECK_IS(3, fssl_crl_revoked_count(from[i], &err));
        check_close(from[i]);
    }
    check_close(other);
    closed(&authority);
}

static void changes_show_and_void_the_signature(void)
{
    struct authority authority = opened();
    const struct bytes *der = bytes_of(fssl_crl_to_der, authority.crl);
    fssl_handle crl = CHECK_MADE(fssl_crl_from_der(der->data, der->len, &err));
    fssl_handle issuer = CHECK_MADE(fssl_crl_issuer(crl, &err));
    fssl_handle revoked = CHECK_MADE(fssl_crl_revoked_item(crl, 0, &err));
    fssl_handle alt_name = build_ext("issuerAltName", "DNS:issuer.test", 0, 0);
    X509_CRL *x509_crl;

    CHECK_OK(fssl_name_set_item(issuer, TEXT("CN"), BYTES("another"), &err));
    CHECK_OK(fssl_crl_set_issuer(crl, issuer, &err));
    CHECK_OK(fssl_crl_set_last_update(crl, 0, &err));
    CHECK_OK(fssl_crl_set_next_update(crl, 0, &err));
    CHECK_TEXT("19700101000000Z", text_of(fssl_crl_last_update_text, crl));
    CHECK_TEXT("19700101000000Z", text_of(fssl_crl_next_update_text, crl));
    CHECK_OK(fssl_crl_set_last_update_text(crl, TEXT("20260202000000Z"), &err));
    CHECK_OK(fssl_crl_set_next_update_text(crl, TEXT("20260303000000Z"), &err));
    CHECK_OK(fssl_revoked_set_serial(revoked, TEXT("10"), 16, &err));
    CHECK_OK(fssl_crl_add_revoked(crl, revoked, &err));
    CHECK_OK(fssl_crl_add_ext(crl, alt_name, &err));
    x509_crl = parsed(crl);
    CHECK_EQUAL(4, sk_X509_REVOKED_num(X509_CRL_get_REVOKED(x509_crl)));
    CHECK_EQUAL(3, X509_CRL_get_ext_count(x509_crl));
    X509_CRL_free(x509_crl);
    CHECK_TEXT("20260202000000Z", text_of(fssl_crl_last_update_text, crl));
    CHECK_TEXT("20260303000000Z", text_of(fssl_crl_next_update_text, crl));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_crl_verify(crl, authority.key, &err));
    CHECK_OK(fssl_crl_sign(crl, authority.key, TEXT("sha384"), &err));
    CHECK_OK(fssl_crl_verify(crl, authority.key, &err));
    check_close(crl); /* the view keeps it */
    CHECK_TEXT("CN=another,O=flatssl", text_of(fssl_name_text, issuer));
    check_close(alt_name);
    check_close(revoked);
    check_close(issuer);
    closed(&authority);
}

static void a_new_crl_lacks_everything(void)
{
    fssl_handle crl = CHECK_MADE(fssl_crl_new(&err)), store = CHECK_MADE(fssl_store_new(&err));
    int64_t seconds;

    CHECK_IS(0, fssl_crl_version(crl, &err));
    CHECK_IS(0, fssl_crl_revoked_count(crl, &err));
    CHECK_IS(0, fssl_crl_ext_count(crl, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_crl_last_update(crl, &seconds, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_crl_next_update(crl, &seconds, &err));
    CHECK_TEXT("", text_of(fssl_crl_last_update_text, crl));
    CHECK_TEXT("", text_of(fssl_crl_next_update_text, crl));
    CHECK_FAILS(FSSL_E_PARSE, fssl_crl_to_der(crl, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_crl_to_pem(crl, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_revoked_item(crl, 0, &err));
    CHECK_CONTAINS("No Revoked Certificates", text_of(fssl_crl_to_text, crl));
    CHECK_FAILS(FSSL_E_STATE, fssl_store_add_crl(store, crl, &err));
    CHECK_OK(fssl_crl_set_version(crl, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_set_version(crl, 2, &err));
    CHECK_IS(1, fssl_crl_version(crl, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_set_version(crl, -1, &err));
    check_close(store);
    check_close(crl);
}

/* A handle that a store gave out changes nothing. */
static void read_only(void)
{
    struct authority authority = opened();
    fssl_handle store = CHECK_MADE(fssl_store_new(&err)), crl, issuer, revoked, name, ext;

    CHECK_OK(fssl_store_add_crl(store, authority.crl, &err));
    crl = CHECK_MADE(fssl_store_item(store, 0, &err));
    issuer = CHECK_MADE(fssl_crl_issuer(crl, &err));
    revoked = CHECK_MADE(fssl_crl_revoked_item(crl, 0, &err));
    ext = CHECK_MADE(fssl_crl_ext_item(crl, 0, &err));
    name = build_name("name");
    CHECK_IS(FSSL_TYPE_CRL, fssl_handle_type(crl, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_set_version(crl, 1, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_set_issuer(crl, name, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_name_set_item(issuer, TEXT("CN"), BYTES("x"), &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_set_last_update(crl, 0, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_set_next_update(crl, 0, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_set_last_update_text(crl, TEXT("x"), &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_set_next_update_text(crl, TEXT("x"), &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_add_revoked(crl, revoked, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_add_ext(crl, ext, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_crl_sign(crl, authority.key, TEXT("sha256"), &err));
    CHECK_OK(fssl_crl_verify(crl, authority.key, &err));
    check_close(ext);
    check_close(name);
    check_close(revoked);
    check_close(issuer);
    check_close(crl);
    check_close(store);
    closed(&authority);
}

static void bad_input(void)
{
    struct authority authority = opened();
    struct bytes der = *bytes_of(fssl_crl_to_der, authority.crl);
    fssl_handle crl = authority.crl, key = authority.key;

    CHECK_FAILS(FSSL_E_PARSE, fssl_crl_from_der(der.data, der.len - 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_crl_from_der(der.data, der.len + 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_from_der(NULL, 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_crl_from_pem(der.data, der.len, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_crl_from_pem(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_from_pem(der.data, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_set_last_update(crl, INT64_MIN, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_set_next_update_text(crl, TEXT("never"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_last_update(crl, NULL, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_crl_set_issuer(crl, crl, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_crl_add_revoked(crl, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_crl_add_ext(crl, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_crl_sign(crl, crl, TEXT("sha256"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_crl_sign(crl, key, TEXT("nonsense"), &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_crl_version(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_crl_issuer(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_crl_to_text(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_crl_last_update_text(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_crl_next_update_text(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_crl_revoked_count(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_crl_ext_count(0, &err));
    closed(&authority);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a CRL that OpenSSL takes", a_crl_that_openssl_takes},
        {"its parts", its_parts},
        {"its entries", its_entries},
        {"read back", read_back},
        {"changes show and void the signature", changes_show_and_void_the_signature},
        {"a new CRL lacks everything", a_new_crl_lacks_everything},
        {"read-only", read_only},
        {"bad input", bad_input},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
