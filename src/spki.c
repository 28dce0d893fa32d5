/* Netscape's signed public keys (SPKAC): what browsers once sent to authorities. */
#include "internal.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

struct spki {
    struct object object;
    NETSCAPE_SPKI *signed_key;
};

void spki_free(struct object *object)
{
    NETSCAPE_SPKI_free(((struct spki *)object)->signed_key);
}

/* Makes an object of a NETSCAPE_SPKI, which it takes over, also on failure. */
static struct spki *spki_wrap(NETSCAPE_SPKI *signed_key)
{
    struct spki *spki = signed_key ? object_new(KIND_SPKI, sizeof *spki) : NULL;

    if (!spki) {
        NETSCAPE_SPKI_free(signed_key);
        return NULL;
    }
    spki->signed_key = signed_key;
    return spki;
}

int64_t fssl_spki_new(int32_t *err)
{
    start();
    return finish_handle(0, spki_wrap(NETSCAPE_SPKI_new()), err);
}

int64_t fssl_spki_from_base64(const char *text, int64_t text_len, int32_t *err)
{
    NETSCAPE_SPKI *signed_key;
    char *copy;
    int64_t failed;

    start();
    failed = take_text(0, "text", text, text_len, &copy, err);
    if (failed)
        return failed;
    signed_key = NETSCAPE_SPKI_b64_decode(copy, -1);
    OPENSSL_free(copy);
    if (!signed_key)
        return fail(0, FSSL_E_PARSE, err);
    return finish_handle(0, spki_wrap(signed_key), err);
}

/* Tells whether there is a whole request to encode. Where a signature failed, OpenSSL leaves it
   empty, and then writes a byte more than it has made room for. */
static bool is_signed(const NETSCAPE_SPKI *signed_key)
{
    return ASN1_STRING_length(signed_key->signature) > 0 && i2d_NETSCAPE_SPKI(signed_key, NULL) > 0;
}

int64_t fssl_spki_to_base64(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct spki *spki;
    char *text;
    int64_t result = acquire(h, KIND_SPKI, &spki, err);

    if (result)
        return result;
    if (!is_signed(spki->signed_key))
        return fail(h, FSSL_E_STATE, err);
    text = NETSCAPE_SPKI_b64_encode(spki->signed_key);
    if (!text)
        return fail(h, FSSL_E_OPENSSL, err);
    result = finish_text(h, text, buf, cap, err);
    OPENSSL_free(text);
    return result;
}

int64_t fssl_spki_public_key(fssl_handle h, int32_t *err)
{
    struct spki *spki;
    int64_t failed = acquire(h, KIND_SPKI, &spki, err);

    if (failed)
        return failed;
    return finish_handle(h, key_wrap(NETSCAPE_SPKI_get_pubkey(spki->signed_key), false), err);
}

int64_t fssl_spki_set_public_key(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct spki *spki;
    EVP_PKEY *pkey;
    int64_t failed = take_key(key, &pkey, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_SPKI, &spki, err);
    if (!failed)
        failed = finish_done(h, NETSCAPE_SPKI_set_pubkey(spki->signed_key, pkey), err);
    EVP_PKEY_free(pkey);
    return failed;
}

int64_t fssl_spki_sign(fssl_handle h, fssl_handle key, const char *digest, int64_t digest_len,
                       int32_t *err)
{
    struct spki *spki;
    struct signing signing;
    int64_t failed = take_signing(key, digest, digest_len, &signing, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_SPKI, &spki, err);
    if (!failed)
        failed =
            finish_done(h, NETSCAPE_SPKI_sign(spki->signed_key, signing.pkey, signing.md), err);
    EVP_PKEY_free(signing.pkey);
    return failed;
}

int64_t fssl_spki_verify(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct spki *spki;
    EVP_PKEY *pkey;
    int64_t failed = take_key(key, &pkey, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_SPKI, &spki, err);
    if (!failed)
        failed = finish_verified(h, NETSCAPE_SPKI_verify(spki->signed_key, pkey), err);
    EVP_PKEY_free(pkey);
    return failed;
}
