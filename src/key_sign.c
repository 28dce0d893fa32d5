/* Keys: signing with them and proving them. */
#include "internal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { GROUP_TEXT = 80 };

int64_t take_digest_at(fssl_handle h, const char *function, const char *digest, int64_t len,
                       const EVP_MD **out, int32_t *err)
{
    char *name;
    int64_t failed = take_text_at(h, function, "digest", digest, len, &name, err);

    if (failed)
        return failed;
    *out = EVP_get_digestbyname(name);
    OPENSSL_free(name);
    return *out ? 0 : fail_at(h, FSSL_E_ARGUMENT, function, "bad argument", "digest", err);
}

/* As take_digest_at, but an empty name stands for the key's own digest, NULL. */
static int64_t take_own_digest(fssl_handle h, const char *function, const char *digest, int64_t len,
                               const EVP_MD **out, int32_t *err)
{
    *out = NULL;
    if (len == 0 || (digest && len == FSSL_NUL_TERMINATED && !*digest))
        return 0;
    return take_digest_at(h, function, digest, len, out, err);
}

int64_t take_signing_at(const char *function, fssl_handle key, const char *digest, int64_t len,
                        struct signing *out, int32_t *err)
{
    struct key *signer;
    int64_t failed = acquire(key, KIND_KEY, &signer, err);

    if (failed)
        return failed;
    if (!signer->has_private)
        return fail_at(key, FSSL_E_STATE, function, "the key has no private part", NULL, err);
    failed = take_own_digest(key, function, digest, len, &out->md, err);
    if (failed)
        return failed;
    if (!EVP_PKEY_up_ref(signer->pkey))
        return fail(key, FSSL_E_OPENSSL, err);
    out->pkey = signer->pkey;
    return finish(key, 0, err);
}

int64_t finish_verified_at(fssl_handle h, const char *function, int ok, int32_t *err)
{
    if (ok == 1)
        return finish(h, 0, err);
    return fail_at(h, FSSL_E_VERIFY, function, "the signature does not match", NULL, err);
}

/* ---- data ---- */

/* Signs; *len is the room in `signature`, then the length. A signature's length can differ from
   one time to the next, so without room it is the most that it can be. */
static bool sign(EVP_PKEY *pkey, const EVP_MD *md, const uint8_t *data, size_t data_len,
                 uint8_t *signature, size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestSignInit(context, NULL, md, NULL, pkey) == 1 &&
              EVP_DigestSign(context, signature, len, data, data_len) == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

static int64_t finish_signature(fssl_handle h, const struct signing *signing, const uint8_t *data,
                                size_t data_len, uint8_t *buf, int64_t cap, int32_t *err)
{
    uint8_t *signature;
    size_t len = 0;
    int64_t result;

    if (!sign(signing->pkey, signing->md, data, data_len, NULL, &len))
        return fail(h, FSSL_E_OPENSSL, err);
    if (cap == 0)
        return finish(h, (int64_t)len, err);
    signature = OPENSSL_malloc(len);
    if (signature && sign(signing->pkey, signing->md, data, data_len, signature, &len))
        result = finish_bytes(h, signature, (int64_t)len, buf, cap, err);
    else
        result = fail(h, FSSL_E_OPENSSL, err);
    OPENSSL_free(signature);
    return result;
}

int64_t fssl_key_sign(fssl_handle h, const uint8_t *data, int64_t len, const char *digest,
                      int64_t digest_len, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct key *key;
    struct signing signing;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    if (!bytes_given(data, len))
        return refuse(h, "data", err);
    if (!key->has_private)
        return refuse_state(h, "the key has no private part", err);
    failed = take_own_digest(h, __func__, digest, digest_len, &signing.md, err);
    if (failed)
        return failed;
    signing.pkey = key->pkey;
    return finish_signature(h, &signing, data, (size_t)len, buf, cap, err);
}

int64_t fssl_key_verify(fssl_handle h, const uint8_t *signature, int64_t signature_len,
                        const uint8_t *data, int64_t len, const char *digest, int64_t digest_len,
                        int32_t *err)
{
    struct key *key;
    const EVP_MD *md;
    EVP_MD_CTX *context;
    int ok = 0;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    if (!bytes_given(signature, signature_len))
        return refuse(h, "signature", err);
    if (!bytes_given(data, len))
        return refuse(h, "data", err);
    failed = take_own_digest(h, __func__, digest, digest_len, &md, err);
    if (failed)
        return failed;
    context = EVP_MD_CTX_new();
    if (context && EVP_DigestVerifyInit(context, NULL, md, NULL, key->pkey) == 1)
        ok = EVP_DigestVerify(context, signature, (size_t)signature_len, data, (size_t)len);
    EVP_MD_CTX_free(context);
    return finish_verified(h, ok, err);
}

/* ---- asking ---- */

int64_t fssl_key_check(fssl_handle h, int32_t *err)
{
    struct key *key;
    EVP_PKEY_CTX *context;
    int ok;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    if (!key->has_private)
        return refuse_state(h, "the key has no private part", err);
    context = EVP_PKEY_CTX_new(key->pkey, NULL);
    ok = context ? EVP_PKEY_check(context) : 0;
    EVP_PKEY_CTX_free(context);
    if (ok == -2)
        return fail(h, FSSL_E_UNSUPPORTED, err);
    return finish_done(h, ok, err);
}

int64_t fssl_key_to_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct key *key;
    BIO *bio;
    int ok = 0;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_secmem());
    if (bio)
        ok = key->has_private ? EVP_PKEY_print_private(bio, key->pkey, 0, NULL)
                              : EVP_PKEY_print_public(bio, key->pkey, 0, NULL);
    return finish_bio(h, bio, ok, buf, cap, err);
}

int64_t fssl_key_curve(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct key *key;
    char name[GROUP_TEXT];
    size_t len = 0;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    if (EVP_PKEY_get_id(key->pkey) == EVP_PKEY_EC &&
        !EVP_PKEY_get_group_name(key->pkey, name, sizeof name, &len))
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_bytes(h, name, (int64_t)len, buf, cap, err);
}
