#include "builder.h"
#include "identity.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

/* With what the getter below encrypts. */
static const char *cipher;

static int64_t to_pem(fssl_handle key, uint8_t *buf, int64_t cap, int32_t *error)
{
    return fssl_key_to_pem(key, cipher, cipher ? FSSL_NUL_TERMINATED : 0,
                           (const uint8_t *)(cipher ? "sesame" : NULL), cipher ? 6 : 0, buf, cap,
                           error);
}

static void generated(void)
{
    static const struct {
        const char *name;
        int32_t type;
        int32_t bits;
        const char *curve;
        int64_t expected; /* bits */
    } rows[] = {
        {"RSA", FSSL_KEY_RSA, 1024, "", 1024},     {"DSA", FSSL_KEY_DSA, 1024, "", 1024},
        {"P-256", FSSL_KEY_EC, 0, "P-256", 256},   {"secp384r1", FSSL_KEY_EC, 0, "secp384r1", 384},
        {"Ed25519", FSSL_KEY_ED25519, 0, "", 253}, {"Ed448", FSSL_KEY_ED448, 0, "", 456},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle key =
            CHECK_MADE(fssl_key_generate(rows[i].type, rows[i].bits, TEXT(rows[i].curve), &err));
        int64_t bits = CHECK_GIVES(fssl_key_bits(key, &err));

        check_row(rows[i].name);
        CHECK_IS(rows[i].type, fssl_key_type(key, &err));
        CHECK(bits == rows[i].expected || (rows[i].expected == 253 && bits == 256));
        CHECK_IS(1, fssl_key_is_private(key, &err));
        check_close(key);
    }
}

static void not_generated(void)
{
    static const struct {
        int32_t type;
        int32_t bits;
        const char *curve;
    } rows[] = {
        {FSSL_KEY_RSA, 0, ""},
        {FSSL_KEY_RSA, 100, ""},
        {FSSL_KEY_RSA, 1 << 20, ""},
        {FSSL_KEY_RSA, -1, ""},
        {FSSL_KEY_RSA, 1024, "P-256"},
        {FSSL_KEY_EC, 0, ""},
        {FSSL_KEY_EC, 256, "P-256"},
        {FSSL_KEY_ED25519, 256, ""},
        {FSSL_KEY_DH, 1024, ""},
        {0, 0, ""},
        {-1, 1024, ""},
        {999999, 1024, ""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_key_generate(rows[i].type, rows[i].bits, TEXT(rows[i].curve), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_generate(FSSL_KEY_EC, 0, TEXT("no such curve"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_generate(FSSL_KEY_EC, 0, "P-256\0", 6, &err));
}

static void private_forms(void)
{
    static const enum identity_name names[] = {ID_EC, ID_RSA};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct encoded pem = identity_key_pem(names[i], NULL);
        struct encoded der = identity_key_der(names[i]);
        fssl_handle from_pem = CHECK_MADE(fssl_key_from_pem(pem.data, pem.len, NULL, 0, &err));
        fssl_handle from_der = CHECK_MADE(fssl_key_from_der(der.data, der.len, &err));
        const struct bytes *first, *second;

        cipher = NULL;
        first = bytes_of(to_pem, from_pem);
        second = bytes_of(to_pem, from_der);
        CHECK_CONTAINS("-----BEGIN PRIVATE KEY-----", (const char *)first->data);
        CHECK_EQUAL(first->len, second->len);
        CHECK_BYTES(first->data, second->data, (size_t)first->len);
        first = bytes_of(fssl_key_to_der, from_pem);
        second = bytes_of(fssl_key_to_der, from_der);
        CHECK_BYTES(first->data, second->data, (size_t)first->len);
        check_close(from_der);
        check_close(from_pem);
    }
}

static void encrypted(void)
{
    fssl_handle key = identity_key_handle(ID_EC), again;
    struct bytes pem;

    cipher = "aes-256-cbc";
    pem = *bytes_of(to_pem, key);
    CHECK_CONTAINS("-----BEGIN ENCRYPTED PRIVATE KEY-----", (const char *)pem.data);
    again = CHECK_MADE(fssl_key_from_pem(pem.data, pem.len, BYTES("sesame"), &err));
    check_close(again);
    CHECK_FAILS(FSSL_E_PASSPHRASE_NEEDED, fssl_key_from_pem(pem.data, pem.len, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG,
                fssl_key_from_pem(pem.data, pem.len, BYTES("sesam"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_from_pem(pem.data, pem.len, NULL, 5, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_key_to_pem(key, TEXT("nonsense"), BYTES("sesame"), NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_to_pem(key, TEXT("aes-256-cbc"), NULL, 0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_to_pem(key, TEXT("aes-256-cbc"), NULL, 4, NULL, 0, &err));
    check_close(key);
}

static void public_forms(void)
{
    fssl_handle key = identity_key_handle(ID_EC);
    struct bytes pem = *bytes_of(fssl_key_public_to_pem, key);
    struct bytes der = *bytes_of(fssl_key_public_to_der, key);
    fssl_handle from[] = {CHECK_MADE(fssl_key_public_from_pem(pem.data, pem.len, &err)),
                          CHECK_MADE(fssl_key_public_from_der(der.data, der.len, &err))};

    CHECK_CONTAINS("-----BEGIN PUBLIC KEY-----", (const char *)pem.data);
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        CHECK_IS(0, fssl_key_is_private(from[i], &err));
        CHECK_EQUAL(der.len, bytes_of(fssl_key_public_to_der, from[i])->len);
        CHECK_BYTES(der.data, bytes_of(fssl_key_public_to_der, from[i])->data, (size_t)der.len);
        CHECK_FAILS(FSSL_E_STATE, fssl_key_to_der(from[i], NULL, 0, &err));
        CHECK_FAILS(FSSL_E_STATE, fssl_key_to_pem(from[i], NULL, 0, NULL, 0, NULL, 0, &err));
        check_close(from[i]);
    }
    check_close(key);
}

static void garbage(void)
{
    struct encoded der = identity_key_der(ID_EC), cert = identity_cert_pem(ID_EC);
    fssl_handle key = identity_key_handle(ID_EC), cert_handle = identity_cert_handle(ID_EC);
    struct bytes public = *bytes_of(fssl_key_public_to_der, key);

    CHECK_FAILS(FSSL_E_PARSE, fssl_key_from_der(der.data, der.len - 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_from_der(der.data, der.len + 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_from_der(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_from_der(NULL, 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_from_pem(cert.data, cert.len, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_from_pem(NULL, 0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_from_pem(cert.data, -1, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_public_from_pem(cert.data, cert.len, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_public_from_pem(NULL, 2, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_public_from_der(public.data, public.len - 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_public_from_der(public.data, public.len + 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_public_from_der(NULL, 2, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_key_type(cert_handle, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_bits(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_is_private(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_public_to_pem(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_public_to_der(0, NULL, 0, &err));
    check_close(cert_handle);
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"generated", generated},         {"not generated", not_generated},
        {"private forms", private_forms}, {"encrypted", encrypted},
        {"public forms", public_forms},   {"garbage", garbage},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
