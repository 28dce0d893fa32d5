/* Pre-shared keys as data, for TLS 1.2 and 1.3. A client offers its first one; a server takes any
   of its own.

   OpenSSL binds such a key to SHA-256 in TLS 1.3, and drops it without a word where the chosen
   suite has another hash; the handshake then goes on by certificate. So a context that requires a
   key looks for it when the handshake has ended. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

enum { KEY_MAX = 256, IDENTITY_MAX = 128, PSKS_MAX = 4096 };

void psk_free(struct psk *psk)
{
    while (psk) {
        struct psk *next = psk->next;

        blob_drop(psk->identity);
        blob_drop(psk->key);
        OPENSSL_free(psk);
        psk = next;
    }
}

static struct psk *psk_new(struct blob *identity, struct blob *key)
{
    struct psk *psk = identity && key ? OPENSSL_zalloc(sizeof *psk) : NULL;

    if (!psk) {
        blob_drop(identity);
        blob_drop(key);
        return NULL;
    }
    psk->identity = identity;
    psk->key = key;
    return psk;
}

/* Copies a list; false if memory ran out. */
bool psk_copy(const struct psk *from, struct psk **copy)
{
    struct psk **end = copy;

    *copy = NULL;
    for (; from; from = from->next) {
        *end = psk_new(blob_hold(from->identity), blob_hold(from->key));
        if (!*end) {
            psk_free(*copy);
            *copy = NULL;
            return false;
        }
        end = &(*end)->next;
    }
    return true;
}

static unsigned int give(const struct psk *psk, unsigned char *key, unsigned int max)
{
    if (!psk || psk->key->len > max)
        return 0;
    memcpy(key, psk->key->data, psk->key->len);
    return (unsigned int)psk->key->len;
}

static unsigned int psk_client(SSL *ssl, const char *hint, char *identity,
                               unsigned int identity_max, unsigned char *key, unsigned int max)
{
    const struct psk *psk = conn_of(ssl)->settings->psk;

    (void)hint;
    if (!psk || psk->identity->len + 1 > identity_max)
        return 0;
    memcpy(identity, psk->identity->data, psk->identity->len + 1);
    return give(psk, key, max);
}

static unsigned int psk_server(SSL *ssl, const char *identity, unsigned char *key, unsigned int max)
{
    const struct psk *psk = conn_of(ssl)->settings->psk;

    while (psk && strcmp((const char *)psk->identity->data, identity) != 0)
        psk = psk->next;
    return give(psk, key, max);
}

/* Tells whether the handshake was authenticated by a pre-shared key. */
bool psk_used(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);

    if (SSL_get0_peer_certificate(ssl) || !cipher)
        return false;
    if (!SSL_is_dtls(ssl) && SSL_version(ssl) >= TLS1_3_VERSION)
        return SSL_session_reused(ssl);
    switch (SSL_CIPHER_get_kx_nid(cipher)) {
    case NID_kx_psk:
    case NID_kx_dhe_psk:
    case NID_kx_ecdhe_psk:
        return true;
    default:
        return false;
    }
}

/* Adds to the end of the list. False if memory ran out. */
static bool psk_add(struct settings *settings, const char *identity, const uint8_t *key, size_t len)
{
    struct psk **end = settings ? &settings->psk : NULL;

    if (!settings)
        return false;
    while (*end)
        end = &(*end)->next;
    *end = psk_new(blob_new((const uint8_t *)identity, strlen(identity)), blob_new(key, len));
    return *end != NULL;
}

int64_t fssl_ctx_add_psk(fssl_handle h, const char *identity, int64_t identity_len,
                         const uint8_t *key, int64_t key_len, int32_t *err)
{
    struct ctx *ctx;
    char *text;
    bool fits, ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(key, key_len) || key_len == 0 || key_len > KEY_MAX)
        return refuse(h, "key", err);
    failed = take_text(h, "identity", identity, identity_len, &text, err);
    if (failed)
        return failed;
    fits = *text && strlen(text) <= IDENTITY_MAX;
    ok = fits && psk_add(ctx_change(ctx), text, key, (size_t)key_len);
    OPENSSL_free(text);
    if (!fits)
        return refuse(h, "identity", err);
    if (!ok)
        return fail(h, FSSL_E_MEMORY, err);
    SSL_CTX_set_psk_client_callback(ctx->ssl, psk_client);
    SSL_CTX_set_psk_server_callback(ctx->ssl, psk_server);
    return finish(h, 0, err);
}

int64_t fssl_ctx_require_psk(fssl_handle h, int32_t flag, int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    settings = ctx_change(ctx);
    if (!settings)
        return fail(h, FSSL_E_MEMORY, err);
    settings->psk_required = flag != 0;
    return finish(h, 0, err);
}
