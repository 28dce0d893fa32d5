/* What OpenSSL calls back, and what it finds there.

   Every SSL_CTX gets the same trampolines once, when it is made, and they never change: OpenSSL
   reads its callback pointers without a lock while handshakes run. What a trampoline does is
   decided by the connection's block of settings, which is immutable while the connection holds
   it. A trampoline without a setting answers as if there were no callback.

   A connection is found by SSL_get_app_data, and the thread inside OpenSSL holds its lock. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

/* ---- blobs: bytes that settings share ---- */

struct blob *blob_new(const uint8_t *data, size_t len)
{
    struct blob *blob = OPENSSL_zalloc(sizeof *blob + len + 1); /* ends in a NUL, for text */

    if (!blob)
        return NULL;
    blob->refs = 1;
    blob->len = len;
    if (len > 0)
        memcpy(blob->data, data, len);
    return blob;
}

struct blob *blob_hold(struct blob *blob)
{
    if (blob)
        atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    return blob;
}

void blob_drop(struct blob *blob)
{
    if (blob && atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel) == 1)
        OPENSSL_clear_free(blob, sizeof *blob + blob->len + 1);
}

/* ---- settings ---- */

struct settings *settings_new(void)
{
    struct settings *settings = OPENSSL_zalloc(sizeof *settings);

    if (settings)
        settings->refs = 1;
    return settings;
}

struct settings *settings_copy(const struct settings *from)
{
    struct settings *copy = settings_new();

    if (!copy)
        return NULL;
    copy->safe = from->safe;
    copy->read_ahead = from->read_ahead;
    copy->alpn_preference = blob_hold(from->alpn_preference);
    copy->cipher_list = blob_hold(from->cipher_list);
    copy->ciphersuites = blob_hold(from->ciphersuites);
    if (from->trust && X509_STORE_up_ref(from->trust))
        copy->trust = from->trust;
    if (from->extra_chain)
        copy->extra_chain = X509_chain_up_ref(from->extra_chain);
    if ((from->trust && !copy->trust) || (from->extra_chain && !copy->extra_chain)) {
        settings_drop(copy);
        return NULL;
    }
    return copy;
}

struct settings *settings_hold(struct settings *settings)
{
    atomic_fetch_add_explicit(&settings->refs, 1, memory_order_relaxed);
    return settings;
}

void settings_drop(struct settings *settings)
{
    if (!settings || atomic_fetch_sub_explicit(&settings->refs, 1, memory_order_acq_rel) > 1)
        return;
    blob_drop(settings->alpn_preference);
    blob_drop(settings->cipher_list);
    blob_drop(settings->ciphersuites);
    X509_STORE_free(settings->trust);
    certs_free(settings->extra_chain);
    OPENSSL_free(settings);
}

/* ---- trampolines ---- */

struct conn *conn_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* Picks, in our order of preference, what the client offers too. */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned int offered_len, void *unused)
{
    const struct blob *ours = conn_of(ssl)->settings->alpn_preference;
    unsigned char *chosen;

    (void)unused;
    if (!ours)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&chosen, out_len, ours->data, (unsigned int)ours->len, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

void install_trampolines(SSL_CTX *ssl)
{
    SSL_CTX_set_alpn_select_cb(ssl, select_alpn, NULL);
}
