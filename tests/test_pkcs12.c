#include "builder.h"
#include "identity.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#define SECRET BYTES("s\xc3\xa9same")

/* What the getter below encrypts with. */
static bool with_passphrase;

static int64_t to_der(fssl_handle pkcs12, uint8_t *buf, int64_t cap, int32_t *error)
{
    return fssl_pkcs12_to_der(pkcs12, (const uint8_t *)(with_passphrase ? "s\xc3\xa9same" : NULL),
                              with_passphrase ? 7 : 0, 0, 0, buf, cap, error);
}

struct parts {
    fssl_handle ca_key;
    fssl_handle ca;
    fssl_handle key;
    fssl_handle cert;
    fssl_handle pkcs12;
};

static struct parts opened(void)
{
    struct parts parts;

    parts.ca_key = build_key();
    parts.ca = build_ca("above", parts.ca_key);
    parts.key = build_key();
    parts.cert = build_leaf("host.test", parts.key, parts.ca, parts.ca_key);
    parts.pkcs12 = CHECK_MADE(fssl_pkcs12_new(&err));
    CHECK_OK(fssl_pkcs12_set_certificate(parts.pkcs12, parts.cert, &err));
    CHECK_OK(fssl_pkcs12_set_private_key(parts.pkcs12, parts.key, &err));
    CHECK_OK(fssl_pkcs12_add_ca(parts.pkcs12, parts.ca, &err));
    CHECK_OK(fssl_pkcs12_set_friendly_name(parts.pkcs12, BYTES("my caf\xc3\xa9"), &err));
    with_passphrase = true;
    return parts;
}

static void closed(struct parts *parts)
{
    check_close(parts->pkcs12);
    check_close(parts->cert);
    check_close(parts->key);
    check_close(parts->ca);
    check_close(parts->ca_key);
}

static void same_bytes(bytes_getter *getter, fssl_handle expected, fssl_handle got)
{
    const struct bytes *first = bytes_of(getter, expected), *second = bytes_of(getter, got);

    CHECK_EQUAL(first->len, second->len);
    CHECK_BYTES(first->data, second->data, (size_t)first->len);
    check_close(got);
}

static void has_parts(fssl_handle pkcs12, const struct parts *parts)
{
    same_bytes(fssl_cert_to_der, parts->cert, CHECK_MADE(fssl_pkcs12_certificate(pkcs12, &err)));
    same_bytes(fssl_key_to_der, parts->key, CHECK_MADE(fssl_pkcs12_private_key(pkcs12, &err)));
    CHECK_IS(1, fssl_pkcs12_ca_count(pkcs12, &err));
    same_bytes(fssl_cert_to_der, parts->ca, CHECK_MADE(fssl_pkcs12_ca_item(pkcs12, 0, &err)));
    CHECK_TEXT("my caf\xc3\xa9", (const char *)bytes_of(fssl_pkcs12_friendly_name, pkcs12)->data);
}

/* Written, read, written again (the friendly name must not double) and read again. */
static void round_trips(void)
{
    struct parts parts = opened();
    const struct bytes *der = bytes_of(to_der, parts.pkcs12);
    fssl_handle first = CHECK_MADE(fssl_pkcs12_from_der(der->data, der->len, SECRET, &err)), second;

    has_parts(parts.pkcs12, &parts);
    has_parts(first, &parts);
    der = bytes_of(to_der, first);
    second = CHECK_MADE(fssl_pkcs12_from_der(der->data, der->len, SECRET, &err));
    has_parts(second, &parts);
    check_close(second);
    check_close(first);
    closed(&parts);
}

static void openssl_reads_it(void)
{
    struct parts parts = opened();
    const struct bytes *der = bytes_of(to_der, parts.pkcs12);
    const uint8_t *at = der->data;
    PKCS12 *file = d2i_PKCS12(NULL, &at, der->len);
    EVP_PKEY *pkey = NULL;
    X509 *x509 = NULL;
    STACK_OF(X509) *above = NULL;

    CHECK_EQUAL(1, PKCS12_parse(file, "s\xc3\xa9same", &pkey, &x509, &above));
    CHECK_EQUAL(1, X509_check_private_key(x509, pkey));
    CHECK_EQUAL(1, sk_X509_num(above));
    sk_X509_pop_free(above, X509_free);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    PKCS12_free(file);
    closed(&parts);
}

static void passphrases(void)
{
    struct parts parts = opened();
    struct bytes locked = *bytes_of(to_der, parts.pkcs12), open;
    fssl_handle pkcs12;

    with_passphrase = false;
    open = *bytes_of(to_der, parts.pkcs12);
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG,
                fssl_pkcs12_from_der(locked.data, locked.len, BYTES("wrong"), &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_NEEDED,
                fssl_pkcs12_from_der(locked.data, locked.len, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG,
                fssl_pkcs12_from_der(open.data, open.len, BYTES("any"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_pkcs12_from_der(locked.data, locked.len, BYTES("s\0same"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs12_from_der(locked.data, locked.len, NULL, 3, &err));
    pkcs12 = CHECK_MADE(fssl_pkcs12_from_der(open.data, open.len, NULL, 0, &err));
    has_parts(pkcs12, &parts);
    check_close(pkcs12);
    closed(&parts);
}

static void garbage(void)
{
    struct parts parts = opened();
    struct bytes der = *bytes_of(to_der, parts.pkcs12);

    CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs12_from_der(der.data, der.len - 1, SECRET, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs12_from_der(der.data, der.len + 1, SECRET, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs12_from_der(NULL, 0, SECRET, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs12_from_der(NULL, 9, SECRET, &err));
    der.data[der.len / 2] ^= 1;
    CHECK(fssl_pkcs12_from_der(der.data, der.len, SECRET, NULL) < 0);
    closed(&parts);
}

static void nothing_and_parts(void)
{
    fssl_handle pkcs12 = CHECK_MADE(fssl_pkcs12_new(&err)), again;
    struct parts parts = opened();
    const struct bytes *der;

    CHECK_IS(0, fssl_pkcs12_certificate(pkcs12, &err));
    CHECK_IS(0, fssl_pkcs12_private_key(pkcs12, &err));
    CHECK_IS(0, fssl_pkcs12_ca_count(pkcs12, &err));
    CHECK_EQUAL(0, bytes_of(fssl_pkcs12_friendly_name, pkcs12)->len);
    CHECK_FAILS(FSSL_E_STATE, fssl_pkcs12_to_der(pkcs12, SECRET, 0, 0, NULL, 0, &err));
    CHECK_OK(fssl_pkcs12_add_ca(pkcs12, parts.ca, &err));
    der = bytes_of(to_der, pkcs12);
    again = CHECK_MADE(fssl_pkcs12_from_der(der->data, der->len, SECRET, &err));
    CHECK_IS(1, fssl_pkcs12_ca_count(again, &err));
    CHECK_IS(0, fssl_pkcs12_private_key(again, &err));
    CHECK_OK(fssl_pkcs12_set_certificate(parts.pkcs12, 0, &err));
    CHECK_OK(fssl_pkcs12_set_private_key(parts.pkcs12, 0, &err));
    CHECK_OK(fssl_pkcs12_clear_ca(parts.pkcs12, &err));
    CHECK_OK(fssl_pkcs12_set_friendly_name(parts.pkcs12, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, to_der(parts.pkcs12, NULL, 0, &err));
    CHECK_EQUAL(0, bytes_of(fssl_pkcs12_friendly_name, parts.pkcs12)->len);
    check_close(again);
    closed(&parts);
    check_close(pkcs12);
}

/* What a container gives out can be changed, and does not change the container. */
static void what_it_gives_out_is_apart(void)
{
    struct parts parts = opened();
    fssl_handle cert = CHECK_MADE(fssl_pkcs12_certificate(parts.pkcs12, &err));

    CHECK_OK(fssl_cert_set_version(cert, 0, &err));
    has_parts(parts.pkcs12, &parts);
    check_close(cert);
    closed(&parts);
}

static void bad_arguments(void)
{
    struct parts parts = opened();
    fssl_handle public = build_public(parts.key);
    uint8_t buf[16];

    CHECK_OK(fssl_pkcs12_set_private_key(parts.pkcs12, parts.ca_key, &err));
    CHECK_FAILS(FSSL_E_KEY_MISMATCH, to_der(parts.pkcs12, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_pkcs12_set_private_key(parts.pkcs12, public, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_pkcs12_set_private_key(parts.pkcs12, parts.ca, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_pkcs12_set_certificate(parts.pkcs12, public, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_pkcs12_set_certificate(0, parts.ca, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_pkcs12_add_ca(parts.pkcs12, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_pkcs12_add_ca(0, parts.ca, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_pkcs12_clear_ca(0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs12_ca_item(parts.pkcs12, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs12_ca_item(parts.pkcs12, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs12_set_friendly_name(parts.pkcs12, BYTES("a\0b"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs12_set_friendly_name(parts.pkcs12, NULL, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_pkcs12_to_der(parts.pkcs12, SECRET, -1, 0, buf, sizeof buf, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_pkcs12_to_der(parts.pkcs12, SECRET, 0, -1, buf, sizeof buf, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_pkcs12_to_der(parts.pkcs12, BYTES("a\0"), 0, 0, buf, sizeof buf, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_pkcs12_certificate(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_pkcs12_private_key(public, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_pkcs12_ca_count(public, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_pkcs12_friendly_name(public, NULL, 0, &err));
    check_close(public);
    closed(&parts);
}

/* A file as older programs wrote them, with a cipher that only a provider of its own still has. */
static int64_t legacy_file(uint8_t **der)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(library, "legacy");
    OSSL_PROVIDER *normal = OSSL_PROVIDER_load(library, "default");
    const struct identity *who = identity(ID_EC);
    PKCS12 *file = NULL;
    int len = -1;

    if (legacy && normal)
        file = PKCS12_create_ex("old", "old", who->key, who->cert, NULL,
                                NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
                                NID_pbe_WithSHA1And40BitRC2_CBC, 2048, 2048, 0, library, NULL);
    if (file)
        len = i2d_PKCS12(file, der);
    PKCS12_free(file);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(normal);
    OSSL_LIB_CTX_free(library);
    ERR_clear_error();
    return len;
}

static void a_file_of_old(void)
{
    uint8_t *der = NULL;
    int64_t len = legacy_file(&der);

    if (len < 0) {
        check_skip("this OpenSSL has no legacy provider to make the file with");
        return;
    }
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_pkcs12_from_der(der, len, BYTES("old"), &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG, fssl_pkcs12_from_der(der, len, BYTES("new"), &err));
    OPENSSL_free(der);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"round trips", round_trips},
        {"OpenSSL reads it", openssl_reads_it},
        {"passphrases", passphrases},
        {"garbage", garbage},
        {"nothing and parts", nothing_and_parts},
        {"what it gives out is apart", what_it_gives_out_is_apart},
        {"bad arguments", bad_arguments},
        {"a file of old", a_file_of_old},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
