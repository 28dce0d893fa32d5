#include "builder.h"

#include <string.h>

#include <openssl/evp.h>

static const char message[] = "what is signed";

struct kind {
    const char *name;
    int32_t type;
    int32_t bits;
    const char *curve;
    const char *digest;
    const char *said; /* a part of the text for a person */
};

static const struct kind kinds[] = {
    {"RSA", FSSL_KEY_RSA, 2048, NULL, "sha256", "privateExponent:"},
    {"RSA by its own digest", FSSL_KEY_RSA, 2048, NULL, "", "privateExponent:"},
    {"EC", FSSL_KEY_EC, 0, "P-384", "sha384", "NIST CURVE: P-384"},
    {"Ed25519", FSSL_KEY_ED25519, 0, NULL, "", "ED25519 Private-Key:"},
    {"Ed448", FSSL_KEY_ED448, 0, NULL, NULL, "ED448 Private-Key:"},
};

static fssl_handle generated(const struct kind *kind)
{
    int64_t len = kind->curve ? FSSL_NUL_TERMINATED : 0;

    return CHECK_MADE(fssl_key_generate(kind->type, kind->bits, kind->curve, len, &err));
}

static int64_t verify(fssl_handle key, const uint8_t *signature, int64_t len, const char *data,
                      const char *digest)
{
    return fssl_key_verify(key, signature, len, (const uint8_t *)data, (int64_t)strlen(data),
                           digest, digest ? FSSL_NUL_TERMINATED : 0, &err);
}

static void signatures(const struct kind *kind)
{
    fssl_handle key = generated(kind), public = build_public(key), other = generated(kind);
    int64_t digest_len = kind->digest ? FSSL_NUL_TERMINATED : 0;
    uint8_t signature[1024];
    int64_t most, len;

    check_row(kind->name);
    most = CHECK_GIVES(fssl_key_sign(key, BYTES(message), kind->digest, digest_len, NULL, 0, &err));
    len = CHECK_GIVES(fssl_key_sign(key, BYTES(message), kind->digest, digest_len, signature,
                                    sizeof signature, &err));
    CHECK(len > 32 && len <= most);
    CHECK_FAILS(FSSL_E_BUFFER, fssl_key_sign(key, BYTES(message), kind->digest, digest_len,
                                             signature + 512, 8, &err));
    CHECK_OK(verify(public, signature, len, message, kind->digest));
    CHECK_OK(verify(key, signature, len, message, kind->digest));
    CHECK_FAILS(FSSL_E_VERIFY, verify(other, signature, len, message, kind->digest));
    CHECK_FAILS(FSSL_E_VERIFY, verify(public, signature, len, "something else", kind->digest));
    CHECK_FAILS(FSSL_E_VERIFY, verify(public, signature, len - 1, message, kind->digest));
    CHECK_FAILS(FSSL_E_VERIFY, verify(public, NULL, 0, message, kind->digest));
    signature[len / 2] ^= 1;
    CHECK_FAILS(FSSL_E_VERIFY, verify(public, signature, len, message, kind->digest));
    CHECK_FAILS(FSSL_E_STATE,
                fssl_key_sign(public, BYTES(message), kind->digest, digest_len, NULL, 0, &err));
    check_close(other);
    check_close(public);
    check_close(key);
}

static void each_kind_signs(void)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        signatures(&kinds[i]);
}

static void bad_arguments(void)
{
    fssl_handle key = build_key();
    uint8_t signature[128];

    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_key_sign(key, BYTES("x"), TEXT("nonsense"), signature, 128, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_sign(key, BYTES("x"), "sha256\0", 7, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_sign(key, NULL, 3, TEXT("sha256"), NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_sign(key, BYTES("x"), TEXT("sha256"), NULL, 128, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_sign(key, BYTES("x"), NULL, 4, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_verify(key, NULL, 5, BYTES("x"), TEXT("sha256"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_key_verify(key, BYTES("x"), NULL, -1, TEXT("sha256"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_key_verify(key, BYTES("x"), BYTES("x"), TEXT("nonsense"), &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_sign(0, BYTES("x"), TEXT("sha256"), NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_verify(0, BYTES("x"), BYTES("x"), NULL, 0, &err));
    check_close(key);
}

static void texts(void)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        fssl_handle key = generated(&kinds[i]), public = build_public(key);

        check_row(kinds[i].name);
        CHECK_CONTAINS(kinds[i].said, text_of(fssl_key_to_text, key));
        CHECK_CONTAINS("Public-Key:", text_of(fssl_key_to_text, public));
        CHECK(!strstr(text_of(fssl_key_to_text, public), "riv"));
        check_close(public);
        check_close(key);
    }
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_to_text(0, NULL, 0, &err));
}

static void curves(void)
{
    fssl_handle named = build_key();
    fssl_handle other = CHECK_MADE(fssl_key_generate(FSSL_KEY_ED25519, 0, NULL, 0, &err));

    CHECK_TEXT("prime256v1", text_of(fssl_key_curve, named));
    CHECK_TEXT("", text_of(fssl_key_curve, other));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_key_curve(0, NULL, 0, &err));
    check_close(other);
    check_close(named);
}

/* An RSA key whose private exponent was changed is read without complaint. */
static fssl_handle spoilt_key(void)
{
    fssl_handle key = CHECK_MADE(fssl_key_generate(FSSL_KEY_RSA, 1024, NULL, 0, &err)), spoilt;
    struct bytes der = *bytes_of(fssl_key_to_der, key);

    der.data[der.len - 10] ^= 0x10;
    spoilt = CHECK_MADE(fssl_key_from_der(der.data, der.len, &err));
    check_close(key);
    return spoilt;
}

static void checks(void)
{
    fssl_handle spoilt = spoilt_key();

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        fssl_handle key = generated(&kinds[i]), public = build_public(key);

        check_row(kinds[i].name);
        CHECK_OK(fssl_key_check(key, &err));
        CHECK_FAILS(FSSL_E_STATE, fssl_key_check(public, &err));
        check_close(public);
        check_close(key);
    }
    check_row("spoilt");
    CHECK_FAILS(FSSL_E_OPENSSL, fssl_key_check(spoilt, &err));
    check_close(spoilt);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"each kind signs", each_kind_signs},
        {"bad arguments", bad_arguments},
        {"texts", texts},
        {"curves", curves},
        {"checks", checks},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
