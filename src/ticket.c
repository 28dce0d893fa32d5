/* Ticket keys as data: a ring of keys that servers on many machines can share. The first encrypts
   new tickets, all decrypt; so keys are rotated by putting a new one in front.

   OpenSSL asks the context that a connection was made of, also when a server name has led to
   another. So every context has the callback, which looks in the rings of both. */
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

static int unseal(const uint8_t *key, const uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    if (set_mac(mac, key) &&
        EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key + KEY_NAME + KEY_MAC, iv, NULL) == 1)
        return TICKET_OK;
    return TICKET_FAILED;
}

static const uint8_t *find_key(const struct blob *keys, const uint8_t *name)
{
    for (size_t at = 0; keys && at < keys->len; at += KEY_ALL) {
        if (memcmp(keys->data + at, name, KEY_NAME) == 0)
            return keys->data + at;
    }
    return NULL;
}

/* The key by itself that OpenSSL has made for a context, where no ring was given. */
static const uint8_t *own_key(SSL *ssl, uint8_t *key)
{
    return SSL_CTX_get_tlsext_ticket_keys(SSL_get_SSL_CTX(ssl), key, KEY_ALL) == 1 ? key : NULL;
}

static const uint8_t *first_key(SSL *ssl, uint8_t *room)
{
    const struct conn *conn = conn_of(ssl);

    if (conn->settings->ticket_keys)
        return conn->settings->ticket_keys->data;
    return conn->ticket_keys ? conn->ticket_keys->data : own_key(ssl, room);
}

static const uint8_t *named_key(SSL *ssl, const uint8_t *name, const uint8_t *first)
{
    const struct conn *conn = conn_of(ssl);
    const uint8_t *key = find_key(conn->settings->ticket_keys, name);

    if (!key)
        key = find_key(conn->ticket_keys, name);
    return !key && memcmp(first, name, KEY_NAME) == 0 ? first : key;
}

int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
               EVP_MAC_CTX *mac, int encrypt)
{
    uint8_t room[KEY_ALL];
    const uint8_t *key, *first = first_key(ssl, room);
    int result = TICKET_UNKNOWN;

    if (!first)
        return TICKET_FAILED;
    if (encrypt)
        result = seal(first, name, iv, cipher, mac);
    else if ((key = named_key(ssl, name, first)))
        result = unseal(key, iv, cipher, mac);
    /* a ticket of TLS 1.3 is used once, so its client always needs another */
    if (!encrypt && result == TICKET_OK &&
        (key != first || (!SSL_is_dtls(ssl) && SSL_version(ssl) >= TLS1_3_VERSION)))
        result = TICKET_RENEW;
    OPENSSL_cleanse(room, sizeof room);
    return result;
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
    return finish(h, 0, err);
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
