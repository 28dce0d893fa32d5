/* Ticket keys as data: a ring of keys that servers on many machines can share. The first encrypts
   new tickets, all decrypt; so keys are rotated by putting a new one in front. */
#include "internal.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

enum { KEY_NAME = 16, KEY_MAC = 32, KEY_CIPHER = 32, KEY_ALL = 80, IV = 16, KEYS_MAX = 64 };
enum { TICKET_FAILED = -1, TICKET_UNKNOWN = 0, TICKET_OK = 1, TICKET_RENEW = 2 };

static bool set_mac(EVP_MAC_CTX *mac, const uint8_t *key)
{
    OSSL_PARAM params[3];

    params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                                  (void *)(uintptr_t)(key + KEY_NAME), KEY_MAC);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0);
    params[2] = OSSL_PARAM_construct_end();
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int seal(const uint8_t *key, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                EVP_MAC_CTX *mac)
{
    memcpy(name, key, KEY_NAME);
    if (RAND_bytes(iv, IV) == 1 && set_mac(mac, key) &&
        EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), key + KEY_NAME + KEY_MAC, iv, NULL) == 1)
        return TICKET_OK;
    return TICKET_FAILED;
}

static const uint8_t *find_key(const struct blob *keys, const uint8_t *name)
{
    for (size_t at = 0; at < keys->len; at += KEY_ALL) {
        if (memcmp(keys->data + at, name, KEY_NAME) == 0)
            return keys->data + at;
    }
    return NULL;
}

static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int encrypt)
{
    const struct blob *keys = conn_of(ssl)->settings->ticket_keys;
    const uint8_t *key;

    if (!keys)
        return TICKET_UNKNOWN;
    if (encrypt)
        return seal(keys->data, name, iv, cipher, mac);
    key = find_key(keys, name);
    if (!key)
        return TICKET_UNKNOWN;
    if (!set_mac(mac, key) ||
        EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key + KEY_NAME + KEY_MAC, iv, NULL) != 1)
        return TICKET_FAILED;
    /* a ticket of TLS 1.3 is used once, so its client always needs another */
    return key == keys->data && SSL_version(ssl) < TLS1_3_VERSION ? TICKET_OK : TICKET_RENEW;
}

int64_t fssl_ctx_set_ticket_keys(fssl_handle h, const uint8_t *keys, int64_t keys_len, int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    struct blob *blob;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(keys, keys_len) || keys_len == 0 || keys_len % KEY_ALL ||
        keys_len > KEYS_MAX * KEY_ALL)
        return refuse(h, "keys", err);
    settings = ctx_change(ctx);
    blob = settings ? blob_new(keys, (size_t)keys_len) : NULL;
    if (!blob)
        return fail(h, FSSL_E_MEMORY, err);
    blob_drop(settings->ticket_keys);
    settings->ticket_keys = blob;
    return finish_done(h, SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx->ssl, ticket_key), err);
}

int64_t fssl_ctx_set_num_tickets(fssl_handle h, int32_t count, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (count < 0 || count > UINT8_MAX)
        return refuse(h, "count", err);
    return finish_done(h, SSL_CTX_set_num_tickets(ctx->ssl, (size_t)count), err);
}
