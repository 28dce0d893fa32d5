#include "builder.h"
#include "identity.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static int64_t sha256_of(fssl_handle cert, uint8_t *buf, int64_t cap, int32_t *error)
{
    return fssl_cert_digest(cert, TEXT("sha256"), buf, cap, error);
}

static void read_and_written(void)
{
    struct encoded pem = identity_cert_pem(ID_EC), der = identity_cert_der(ID_EC);
    fssl_handle from[] = {CHECK_MADE(fssl_cert_from_pem(pem.data, pem.len, &err)),
                          CHECK_MADE(fssl_cert_from_der(der.data, der.len, &err))};

    for (size_t i = 0; i < COUNT_OF(from); i++) {
        const struct bytes *as_pem = bytes_of(fssl_cert_to_pem, from[i]);
        const struct bytes *as_der = bytes_of(fssl_cert_to_der, from[i]);

        CHECK_EQUAL(pem.len, as_pem->len);
        CHECK_BYTES(pem.data, as_pem->data, (size_t)pem.len);
        CHECK_EQUAL(der.len, as_der->len);
        CHECK_BYTES(der.data, as_der->data, (size_t)der.len);
        check_close(from[i]);
    }
}

static void garbage(void)
{
    struct encoded der = identity_cert_der(ID_EC), key = identity_key_pem(ID_EC, NULL);

    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_der(der.data, der.len - 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_der(der.data, der.len + 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_der(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_from_der(NULL, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_from_der(der.data, -1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_pem(der.data, der.len, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_pem(key.data, key.len, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_pem(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_from_pem(NULL, 1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_to_pem(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_to_der(0, NULL, 0, &err));
}

static void its_parts(void)
{
    fssl_handle cert = identity_cert_handle(ID_EC);
    X509 *x509 = identity(ID_EC)->cert;
    fssl_handle subject = CHECK_MADE(fssl_cert_subject(cert, &err));
    fssl_handle issuer = CHECK_MADE(fssl_cert_issuer(cert, &err));
    fssl_handle key = CHECK_MADE(fssl_cert_public_key(cert, &err));
    uint8_t digest[EVP_MAX_MD_SIZE];
    const struct bytes *got = bytes_of(sha256_of, cert);
    int64_t before, after;

    CHECK_TEXT("CN=localhost,O=flatssl", text_of(fssl_name_text, subject));
    CHECK_TEXT("CN=flatssl test CA,O=flatssl", text_of(fssl_name_text, issuer));
    CHECK_IS(0, fssl_key_is_private(key, &err));
    CHECK_TEXT("1004", text_of(fssl_cert_serial, cert));
    CHECK_OK(fssl_cert_not_before(cert, &before, &err));
    CHECK_OK(fssl_cert_not_after(cert, &after, &err));
    CHECK_EQUAL(40 * 86400, after - before);
    X509_digest(x509, EVP_sha256(), digest, NULL);
    CHECK_EQUAL(32, got->len);
    CHECK_BYTES(digest, got->data, 32);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_digest(cert, TEXT("nonsense"), NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_digest(cert, "sha256\0", 7, NULL, 0, &err));
    check_close(key);
    check_close(issuer);
    check_close(subject);
    check_close(cert);
}

static void alternative_names(void)
{
    static const struct {
        int32_t kind;
        const char *value;
        int64_t len;
    } rows[] = {
        {2, "one.test", 8},
        {1, "two@test", 8},
        {6, "https://three.test/", 19},
        {7, "\x0a\x01\x02\x03", 4},
        {7, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16},
        {8, "\x88\x03\x2a\x03\x04", 5},
    };
    fssl_handle cert = identity_cert_handle(ID_MANY_NAMES), ca = identity_cert_handle(ID_CA);
    uint8_t value[64];
    int32_t kind;

    CHECK_IS(COUNT_OF(rows), fssl_cert_alt_name_count(cert, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t at = (int64_t)i;

        check_row(rows[i].value);
        kind = -1;
        CHECK_IS(rows[i].len, fssl_cert_alt_name_item(cert, at, &kind, value, 64, &err));
        CHECK_BYTES(rows[i].value, value, (size_t)rows[i].len);
        CHECK_EQUAL(rows[i].kind, kind);
        kind = -1;
        CHECK_FAILS(FSSL_E_BUFFER,
                    fssl_cert_alt_name_item(cert, at, &kind, value, rows[i].len - 1, &err));
        CHECK_EQUAL(-1, kind);
        CHECK_IS(rows[i].len, fssl_cert_alt_name_item(cert, at, NULL, NULL, 0, &err));
    }
    check_row(NULL);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_alt_name_item(cert, 6, &kind, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_alt_name_item(cert, -1, &kind, NULL, 0, &err));
    CHECK_IS(0, fssl_cert_alt_name_count(ca, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_alt_name_item(ca, 0, &kind, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_alt_name_count(0, &err));
    check_close(ca);
    check_close(cert);
}

/* Names that are not there and names that cannot be read are not the same. */
static void malformed_alternative_names(void)
{
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err)), ext;
    int32_t kind;

    ext = CHECK_MADE(fssl_ext_from_der(TEXT("subjectAltName"), 0, BYTES("\x30\x05\x82"), &err));
    CHECK_IS(0, fssl_cert_alt_name_count(cert, &err));
    CHECK_OK(fssl_cert_add_ext(cert, ext, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_alt_name_count(cert, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_cert_alt_name_item(cert, 0, &kind, NULL, 0, &err));
    check_close(ext);
    check_close(cert);
}

/* What was asked for before a change is read again after it. */
static void alternative_names_follow_changes(void)
{
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));

    CHECK_IS(0, fssl_cert_alt_name_count(cert, &err));
    build_add_ext(cert, "subjectAltName", "DNS:a.test,DNS:b.test", 0);
    CHECK_IS(2, fssl_cert_alt_name_count(cert, &err));
    check_close(cert);
}

static void ten_thousand_names(void)
{
    enum { MANY = 10000, EACH = 16 };
    static char names[MANY * EACH + 1];
    fssl_handle key = build_key(), cert = build_ca("many", key), ext;
    uint8_t value[32];
    char expected[32];
    int64_t len;

    for (int i = 0; i < MANY; i++)
        snprintf(names + strlen(names), EACH, "%sDNS:n%d.test", i ? "," : "", i);
    ext = CHECK_MADE(fssl_ext_new(TEXT("subjectAltName"), 0, TEXT(names), 0, 0, &err));
    CHECK_OK(fssl_cert_add_ext(cert, ext, &err));
    CHECK_OK(fssl_cert_sign(cert, key, TEXT("sha256"), &err));
    CHECK_IS(MANY, fssl_cert_alt_name_count(cert, &err));
    for (int i = 0; i < MANY; i++) {
        int n = snprintf(expected, sizeof expected, "n%d.test", i);

        len = fssl_cert_alt_name_item(cert, i, NULL, value, sizeof value, NULL);
        if (!CHECK_EQUAL(n, len) || !CHECK_BYTES(expected, value, (size_t)n))
            break;
    }
    CHECK(CHECK_GIVES(fssl_cert_to_text(cert, NULL, 0, &err)) > MANY * 10);
    CHECK(CHECK_GIVES(fssl_ext_text(ext, NULL, 0, &err)) > MANY * 10);
    CHECK_IS(1, fssl_cert_matches_host(cert, TEXT("n9999.test"), &err));
    check_close(ext);
    check_close(cert);
    check_close(key);
}

static void hosts(void)
{
    static const struct {
        enum identity_name name;
        const char *host;
        int64_t expected; /* -1: refused */
    } rows[] = {
        {ID_EC, "localhost", 1},
        {ID_EC, "LOCALHOST", 1},
        {ID_EC, "localhost.", 1},
        {ID_EC, "127.0.0.1", 1},
        {ID_EC, "::1", 1},
        {ID_EC, "127.0.0.2", 0},
        {ID_EC, "other.test", 0},
        {ID_WILDCARD, "a.example.test", 1},
        {ID_WILDCARD, "a.b.example.test", 0},
        {ID_WILDCARD, "example.test", 0},
        {ID_WILDCARD, ".example.test", -1},
        {ID_COMMON_NAME, "elsewhere.test", 1},
        {ID_COMMON_NAME, "localhost", 0},
        {ID_EC, "", -1},
        {ID_EC, ".", -1},
        {ID_EC, "local host", -1},
        {ID_EC,
         "l\xc3\xb6"
         "calhost",
         -1},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle cert = identity_cert_handle(rows[i].name);

        check_row(rows[i].host);
        if (rows[i].expected < 0)
            CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_matches_host(cert, TEXT(rows[i].host), &err));
        else
            CHECK_IS(rows[i].expected, fssl_cert_matches_host(cert, TEXT(rows[i].host), &err));
        check_row(NULL);
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_cert_matches_host(cert, "localhost\0", 10, &err));
        check_close(cert);
    }
}

/* Every getter on every mutation of one byte: an answer or an error, and no crash. */
static void mutated(void)
{
    struct encoded der = identity_cert_der(ID_MANY_NAMES);
    int64_t step = check_rounds(50) == 50 ? 1 : 7;
    char buf[4096];
    uint8_t *bytes = (uint8_t *)buf;
    int64_t seconds;

    for (int64_t i = 0; i < der.len; i += step) {
        fssl_handle cert, subject;

        der.data[i] ^= (uint8_t)(1 << (i % 8));
        cert = fssl_cert_from_der(der.data, der.len, NULL);
        der.data[i] ^= (uint8_t)(1 << (i % 8));
        if (cert < 0)
            continue;
        subject = CHECK_MADE(fssl_cert_subject(cert, &err));
        for (int64_t at = 0; at < fssl_name_count(subject, NULL); at++)
            fssl_name_item_value(subject, at, bytes, sizeof buf, NULL);
        fssl_name_text(subject, buf, sizeof buf, NULL);
        for (int64_t at = 0; at < fssl_cert_alt_name_count(cert, NULL); at++)
            fssl_cert_alt_name_item(cert, at, NULL, bytes, sizeof buf, NULL);
        for (int64_t at = 0; at < fssl_cert_ext_count(cert, NULL); at++) {
            fssl_handle ext = CHECK_MADE(fssl_cert_ext_item(cert, at, &err));

            CHECK_GIVES(fssl_ext_text(ext, buf, sizeof buf, &err));
            fssl_ext_name(ext, buf, sizeof buf, NULL);
            check_close(ext);
        }
        fssl_cert_not_before(cert, &seconds, NULL);
        fssl_cert_not_after_text(cert, buf, sizeof buf, NULL);
        fssl_cert_serial(cert, buf, sizeof buf, NULL);
        fssl_cert_to_text(cert, buf, sizeof buf, NULL);
        fssl_cert_signature_algorithm(cert, buf, sizeof buf, NULL);
        fssl_cert_matches_host(cert, TEXT("one.test"), NULL);
        fssl_cert_set_version(cert, 2, NULL);
        fssl_cert_to_der(cert, bytes, sizeof buf, NULL);
        check_close(subject);
        check_close(cert);
    }
}

static void other_handles_are_refused(void)
{
    fssl_handle key = build_key();
    int64_t seconds;

    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_subject(key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_issuer(key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_serial(key, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_not_before(key, &seconds, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_copy(key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_public_key(key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_matches_host(key, TEXT("x"), &err));
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"read and written", read_and_written},
        {"garbage", garbage},
        {"its parts", its_parts},
        {"CVE-2021-44532 alternative names", alternative_names},
        {"CVE-2013-4238 malformed alternative names", malformed_alternative_names},
        {"alternative names follow changes", alternative_names_follow_changes},
        {"CVE-2024-28835 ten thousand names", ten_thousand_names},
        {"hosts", hosts},
        {"mutated", mutated},
        {"other handles are refused", other_handles_are_refused},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
