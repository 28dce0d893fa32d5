/* Contexts: whom they trust and how they verify. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

enum {
    VERIFY_MODES = FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT | FSSL_VERIFY_CLIENT_ONCE
};

enum { PIN_SIZE = 32 };

_Static_assert(FSSL_VERIFY_PEER == SSL_VERIFY_PEER, "verify mode");
_Static_assert(FSSL_VERIFY_FAIL_IF_NO_PEER_CERT == SSL_VERIFY_FAIL_IF_NO_PEER_CERT, "verify mode");
_Static_assert(FSSL_VERIFY_CLIENT_ONCE == SSL_VERIFY_CLIENT_ONCE, "verify mode");

/* Returns the store that connections of now would use. */
static X509_STORE *trust_now(const struct ctx *ctx)
{
    return ctx->settings->trust ? ctx->settings->trust : SSL_CTX_get_cert_store(ctx->ssl);
}

/* Puts a store in place: in the SSL_CTX, or once connections read that, in the settings. */
static int trust_put(struct ctx *ctx, X509_STORE *store)
{
    struct settings *settings;

    if (!ctx->used) {
        SSL_CTX_set1_cert_store(ctx->ssl, store);
        return 1;
    }
    settings = ctx_change(ctx);
    if (!settings || !X509_STORE_up_ref(store))
        return 0;
    X509_STORE_free(settings->trust);
    settings->trust = store;
    return 1;
}

/* Returns the context's own store, to be changed; a copy takes the shared one's place first. */
static X509_STORE *trust_own(struct ctx *ctx)
{
    X509_STORE *copy;

    if (!ctx->system_trust)
        return trust_now(ctx);
    copy = store_copy_system();
    if (!copy || !trust_put(ctx, copy)) {
        X509_STORE_free(copy);
        return NULL;
    }
    X509_STORE_free(copy); /* the context holds it */
    ctx->system_trust = false;
    return copy;
}

int ctx_trust_system(struct ctx *ctx)
{
    X509_STORE *store = store_of_system();

    if (!store || !trust_put(ctx, store)) {
        X509_STORE_free(store);
        return 0;
    }
    X509_STORE_free(store);
    ctx->system_trust = true;
    return 1;
}

int64_t fssl_ctx_load_verify_locations(fssl_handle h, const char *file, int64_t file_len,
                                       const char *dir, int64_t dir_len, int32_t *err)
{
    struct ctx *ctx;
    struct places places;
    X509_STORE *store;
    bool ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_places(h, file, file_len, dir, dir_len, &places, err);
    if (failed)
        return failed;
    store = trust_own(ctx);
    ok = store && places_add(&places, store);
    places_free(&places);
    return finish_done(h, ok, err);
}

int64_t fssl_ctx_load_verify_pem(fssl_handle h, const uint8_t *pem, int64_t pem_len, int32_t *err)
{
    struct ctx *ctx;
    X509_STORE *store;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(pem, pem_len))
        return refuse(h, "pem", err);
    store = trust_own(ctx);
    return finish(h, store ? store_add_pem(store, pem, (size_t)pem_len) : -1, err);
}

int64_t fssl_ctx_set_default_verify_paths(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    X509_STORE *store;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    store = trust_own(ctx);
    return finish_done(h, store && X509_STORE_set_default_paths(store), err);
}

int64_t fssl_ctx_cert_store(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    X509_STORE *store;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    store = trust_own(ctx);
    if (!store || !X509_STORE_up_ref(store))
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_handle(h, store_wrap(store), err);
}

int64_t fssl_ctx_set_cert_store(fssl_handle h, fssl_handle store, int32_t *err)
{
    struct ctx *ctx;
    X509_STORE *taken;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_store(store, &taken, err);
    if (failed)
        return abandon(h, failed, err);
    ok = trust_put(ctx, taken);
    X509_STORE_free(taken);
    if (ok)
        ctx->system_trust = false;
    return finish_done(h, ok, err);
}

int64_t fssl_ctx_add_pin(fssl_handle h, const uint8_t *sha256, int64_t sha256_len, int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    struct blob *pins;
    size_t len;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!sha256 || sha256_len != PIN_SIZE)
        return refuse(h, "sha256", err);
    settings = ctx_change(ctx);
    len = settings && settings->pins ? settings->pins->len : 0;
    pins = settings ? blob_new(NULL, len + PIN_SIZE) : NULL;
    if (!pins)
        return fail(h, FSSL_E_MEMORY, err);
    if (len > 0)
        memcpy(pins->data, settings->pins->data, len);
    memcpy(pins->data + len, sha256, PIN_SIZE);
    blob_drop(settings->pins);
    settings->pins = pins;
    return finish(h, 0, err);
}

/* ---- verification ---- */

int64_t fssl_ctx_set_verify(fssl_handle h, int32_t mode, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (mode & ~VERIFY_MODES)
        return refuse(h, "mode", err);
    SSL_CTX_set_verify(ctx->ssl, mode, SSL_CTX_get_verify_callback(ctx->ssl));
    return finish(h, 0, err);
}

int64_t fssl_ctx_verify_mode(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish(h, SSL_CTX_get_verify_mode(ctx->ssl), err);
}

int64_t fssl_ctx_set_verify_depth(fssl_handle h, int32_t depth, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (depth < -1)
        return refuse(h, "depth", err);
    SSL_CTX_set_verify_depth(ctx->ssl, depth);
    return finish(h, 0, err);
}

int64_t fssl_ctx_verify_depth(fssl_handle h, int64_t *depth, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish_value(h, SSL_CTX_get_verify_depth(ctx->ssl), depth, err);
}
