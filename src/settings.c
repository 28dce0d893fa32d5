/* The blocks of settings that connections take from their contexts, and the bytes in them. Both are
   counted, and immutable while more than one holds them. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

struct blob *blob_new(const uint8_t *data, size_t len)
{
    struct blob *blob = OPENSSL_zalloc(sizeof *blob + len + 1); /* ends in a NUL, for text */

    if (!blob)
        return NULL;
    blob->refs = 1;
    blob->len = len;
    if (data && len > 0)
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

/* Takes references to all that a byte-wise copy of a block points to. */
static bool settings_share(struct settings *copy, const struct settings *from)
{
    blob_hold(copy->alpn_preference);
    blob_hold(copy->npn_advertised);
    blob_hold(copy->npn_preference);
    blob_hold(copy->ticket_keys);
    blob_hold(copy->cookie_secret);
    blob_hold(copy->cookie_former);
    blob_hold(copy->ocsp_response);
    blob_hold(copy->pins);
    blob_hold(copy->srtp_profiles);
    blob_hold(copy->cipher_list);
    blob_hold(copy->ciphersuites);
    copy->trust = from->trust && X509_STORE_up_ref(from->trust) ? from->trust : NULL;
    copy->extra_chain = from->extra_chain ? X509_chain_up_ref(from->extra_chain) : NULL;
    copy->names = from->names ? names_copy(from->names) : NULL;
    copy->client_cas = from->client_cas ? SSL_dup_CA_list(from->client_cas) : NULL;
    return psk_copy(from->psk, &copy->psk) && !from->trust == !copy->trust &&
           !from->names == !copy->names && !from->extra_chain == !copy->extra_chain &&
           !from->client_cas == !copy->client_cas;
}

struct settings *settings_copy(const struct settings *from)
{
    struct settings *copy = settings_new();
    size_t head = offsetof(struct settings, safe); /* the count, which others change meanwhile */

    if (!copy)
        return NULL;
    memcpy((char *)copy + head, (const char *)from + head, sizeof *from - head);
    if (settings_share(copy, from))
        return copy;
    settings_drop(copy);
    return NULL;
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
    blob_drop(settings->npn_advertised);
    blob_drop(settings->npn_preference);
    blob_drop(settings->ticket_keys);
    blob_drop(settings->cookie_secret);
    blob_drop(settings->cookie_former);
    blob_drop(settings->ocsp_response);
    blob_drop(settings->pins);
    blob_drop(settings->srtp_profiles);
    blob_drop(settings->cipher_list);
    blob_drop(settings->ciphersuites);
    X509_STORE_free(settings->trust);
    psk_free(settings->psk);
    names_free(settings->names);
    certs_free(settings->extra_chain);
    sk_X509_NAME_pop_free(settings->client_cas, X509_NAME_free);
    OPENSSL_free(settings);
}
