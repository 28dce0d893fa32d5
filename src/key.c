/* Keys: private ones and public ones, of every type that OpenSSL has. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum { RSA_BITS_MIN = 512, KEY_BITS_MAX = 16384, DSA_BITS_MIN = 512 };

_Static_assert(FSSL_KEY_RSA == EVP_PKEY_RSA, "key type");
_Static_assert(FSSL_KEY_DSA == EVP_PKEY_DSA, "key type");
_Static_assert(FSSL_KEY_DH == EVP_PKEY_DH, "key type");
_Static_assert(FSSL_KEY_EC == EVP_PKEY_EC, "key type");
_Static_assert(FSSL_KEY_ED25519 == EVP_PKEY_ED25519, "key type");
_Static_assert(FSSL_KEY_ED448 == EVP_PKEY_ED448, "key type");

void key_free(struct object *object)
{
    EVP_PKEY_free(((struct key *)object)->pkey);
}

/* Makes a key's object of an EVP_PKEY, which it takes over, also on failure. */
struct key *key_wrap(EVP_PKEY *pkey, bool has_private)
{
    struct key *key = pkey ? object_new(KIND_KEY, sizeof *key) : NULL;

    if (!key) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    key->pkey = pkey;
    key->has_private = has_private;
    return key;
}

/* Takes a reference to the EVP_PKEY of a handle; on failure returns a result. */
int64_t take_key(fssl_handle h, EVP_PKEY **out, int32_t *err)
{
    struct key *key;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    if (!EVP_PKEY_up_ref(key->pkey))
        return fail(h, FSSL_E_OPENSSL, err);
    *out = key->pkey;
    return finish(h, 0, err);
}

/* The passphrase callback of every PEM that is read. */
int passphrase_give(char *buf, int size, int writing, void *passphrase)
{
    struct passphrase *given = passphrase;

    if (given->ask && given->asked)
        return -1; /* nobody is asked twice for one key, as OpenSSL would after a wrong answer */
    given->asked = true;
    if (given->ask)
        return given->ask(buf, size, writing, passphrase);
    if (!given->data || given->len > (size_t)size)
        return -1;
    memcpy(buf, given->data, given->len);
    return (int)given->len;
}

EVP_PKEY *key_from_pem(const uint8_t *pem, size_t len, struct passphrase *passphrase)
{
    BIO *bio = bio_over(pem, len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, passphrase) : NULL;

    BIO_free(bio);
    return pkey;
}

/* Reads parameters for key exchange from PEM. */
EVP_PKEY *params_from_pem(const uint8_t *pem, size_t len)
{
    BIO *bio = bio_over(pem, len);
    EVP_PKEY *params = bio ? PEM_read_bio_Parameters(bio, NULL) : NULL;

    BIO_free(bio);
    return params;
}

EVP_PKEY *key_from_der(const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    EVP_PKEY *pkey = len > LONG_MAX ? NULL : d2i_AutoPrivateKey(NULL, &at, (long)len);

    if (!pkey || at == der + len)
        return pkey;
    EVP_PKEY_free(pkey);
    ERR_raise(ERR_LIB_ASN1, ASN1_R_TOO_LONG);
    return NULL;
}

/* Returns the code for a key that could not be read. */
int32_t key_failure(const struct passphrase *passphrase)
{
    if (passphrase->failed)
        return FSSL_E_CALLBACK;
    if (!passphrase->asked)
        return FSSL_E_PARSE;
    return passphrase->data || passphrase->ask ? FSSL_E_PASSPHRASE_WRONG : FSSL_E_PASSPHRASE_NEEDED;
}

int64_t fssl_key_from_pem(const uint8_t *pem, int64_t len, const uint8_t *passphrase,
                          int64_t passphrase_len, int32_t *err)
{
    struct passphrase given = {.data = passphrase, .len = (size_t)passphrase_len};
    EVP_PKEY *pkey;

    start();
    if (!bytes_given(pem, len))
        return refuse(0, "pem", err);
    if (!bytes_given(passphrase, passphrase_len))
        return refuse(0, "passphrase", err);
    pkey = key_from_pem(pem, (size_t)len, &given);
    if (!pkey)
        return fail(0, key_failure(&given), err);
    return finish_handle(0, key_wrap(pkey, true), err);
}

int64_t fssl_key_from_der(const uint8_t *der, int64_t len, int32_t *err)
{
    EVP_PKEY *pkey;

    start();
    if (!bytes_given(der, len))
        return refuse(0, "der", err);
    pkey = key_from_der(der, (size_t)len);
    return pkey ? finish_handle(0, key_wrap(pkey, true), err) : fail(0, FSSL_E_PARSE, err);
}

int64_t fssl_key_public_from_pem(const uint8_t *pem, int64_t len, int32_t *err)
{
    struct passphrase none = {.asked = false};
    EVP_PKEY *pkey;
    BIO *bio;

    start();
    if (!bytes_given(pem, len) || len > INT_MAX)
        return refuse(0, "pem", err);
    bio = bio_over(pem, (size_t)len);
    pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, passphrase_give, &none) : NULL;
    BIO_free(bio);
    return pkey ? finish_handle(0, key_wrap(pkey, false), err) : fail(0, FSSL_E_PARSE, err);
}

int64_t fssl_key_public_from_der(const uint8_t *der, int64_t len, int32_t *err)
{
    const uint8_t *at = der;
    EVP_PKEY *pkey;

    start();
    if (!bytes_given(der, len) || len > LONG_MAX)
        return refuse(0, "der", err);
    pkey = d2i_PUBKEY(NULL, &at, (long)len);
    if (pkey && at != der + len) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    return pkey ? finish_handle(0, key_wrap(pkey, false), err) : fail(0, FSSL_E_PARSE, err);
}

/* ---- making ---- */

static EVP_PKEY *generate(EVP_PKEY_CTX *context, int bits, const char *curve)
{
    EVP_PKEY *pkey = NULL;

    if (!context || EVP_PKEY_keygen_init(context) <= 0)
        return NULL;
    if (bits && EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) <= 0)
        return NULL;
    if (*curve && EVP_PKEY_CTX_set_group_name(context, curve) <= 0)
        return NULL;
    return EVP_PKEY_generate(context, &pkey) > 0 ? pkey : NULL;
}

/* DSA keys need parameters first. */
static EVP_PKEY *generate_dsa(int bits)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
    EVP_PKEY *params = NULL, *pkey = NULL;

    if (context && EVP_PKEY_paramgen_init(context) > 0 &&
        EVP_PKEY_CTX_set_dsa_paramgen_bits(context, bits) > 0)
        EVP_PKEY_paramgen(context, &params);
    EVP_PKEY_CTX_free(context);
    if (!params)
        return NULL;
    context = EVP_PKEY_CTX_new(params, NULL);
    pkey = generate(context, 0, "");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(params);
    return pkey;
}

static bool key_spec_valid(int32_t type, int32_t bits, const char *curve)
{
    switch (type) {
    case FSSL_KEY_RSA:
        return !*curve && bits >= RSA_BITS_MIN && bits <= KEY_BITS_MAX;
    case FSSL_KEY_DSA:
        return !*curve && bits >= DSA_BITS_MIN && bits <= KEY_BITS_MAX;
    case FSSL_KEY_EC:
        return bits == 0 && curve_nid(curve) != NID_undef;
    case FSSL_KEY_ED25519:
    case FSSL_KEY_ED448:
        return !*curve && bits == 0;
    default:
        return false;
    }
}

int64_t fssl_key_generate(int32_t type, int32_t bits, const char *curve, int64_t curve_len,
                          int32_t *err)
{
    EVP_PKEY_CTX *context;
    EVP_PKEY *pkey;
    char *name;
    bool valid;
    int64_t failed;

    start();
    failed = take_text(0, "curve", curve, curve_len, &name, err);
    if (failed)
        return failed;
    valid = key_spec_valid(type, bits, name);
    context = valid && type != FSSL_KEY_DSA ? EVP_PKEY_CTX_new_id(type, NULL) : NULL;
    pkey = valid && type == FSSL_KEY_DSA ? generate_dsa(bits) : generate(context, bits, name);
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(name);
    if (!valid)
        return refuse(0, type == FSSL_KEY_EC && bits == 0 ? "curve" : "type", err);
    return pkey ? finish_handle(0, key_wrap(pkey, true), err) : fail(0, FSSL_E_OPENSSL, err);
}

/* ---- writing ---- */

static bool encryption(const char *name, const EVP_CIPHER **cipher)
{
    *cipher = *name ? EVP_get_cipherbyname(name) : NULL;
    return *cipher || !*name;
}

int64_t fssl_key_to_pem(fssl_handle h, const char *cipher, int64_t cipher_len,
                        const uint8_t *passphrase, int64_t passphrase_len, uint8_t *buf,
                        int64_t cap, int32_t *err)
{
    struct key *key;
    const EVP_CIPHER *chosen;
    char *name;
    BIO *bio;
    bool known;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    if (!bytes_given(passphrase, passphrase_len) || passphrase_len > PEM_BUFSIZE)
        return refuse(h, "passphrase", err);
    if (!key->has_private)
        return refuse_state(h, "the key has no private part", err);
    failed = take_text(h, "cipher", cipher, cipher_len, &name, err);
    if (failed)
        return failed;
    known = encryption(name, &chosen);
    OPENSSL_free(name);
    if (!known || (chosen && passphrase_len == 0))
        return refuse(h, known ? "passphrase" : "cipher", err);
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio,
                      bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, chosen,
                                                           (const char *)passphrase,
                                                           (int)passphrase_len, NULL, NULL),
                      buf, cap, err);
}

int64_t fssl_key_to_der(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct key *key;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    if (!key->has_private)
        return refuse_state(h, "the key has no private part", err);
    len = i2d_PrivateKey(key->pkey, &der);
    return finish_der(h, der, len, buf, cap, err);
}

int64_t fssl_key_public_to_pem(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct key *key;
    BIO *bio;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && PEM_write_bio_PUBKEY(bio, key->pkey), buf, cap, err);
}

int64_t fssl_key_public_to_der(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct key *key;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    len = i2d_PUBKEY(key->pkey, &der);
    return finish_der(h, der, len, buf, cap, err);
}

/* ---- asking ---- */

int64_t fssl_key_type(fssl_handle h, int32_t *err)
{
    struct key *key;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    return finish(h, EVP_PKEY_get_id(key->pkey), err);
}

int64_t fssl_key_bits(fssl_handle h, int32_t *err)
{
    struct key *key;
    int64_t failed = acquire(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    return finish(h, EVP_PKEY_get_bits(key->pkey), err);
}

int64_t fssl_key_is_private(fssl_handle h, int32_t *err)
{
    struct key *key;
    int64_t failed = acquire_own(h, KIND_KEY, &key, err);

    if (failed)
        return failed;
    return finish_own(h, key->has_private, err);
}
