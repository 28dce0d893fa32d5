/* Contexts: ciphers, versions, protocols and sessions. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>

enum { PROTOS_MAX = 65535, SESSION_ID_CONTEXT_MAX = 32, READ_AHEAD_MAX = 1 << 20 };

static int ssl_set_list(SSL *ssl, const char *list, bool tls13)
{
    return tls13 ? SSL_set_ciphersuites(ssl, list) : SSL_set_cipher_list(ssl, list);
}

/* Tells whether OpenSSL takes a list, by a connection that is never used: a context would lose the
   list that it has over one that is refused. */
static bool list_taken(struct ctx *ctx, const char *list, bool tls13)
{
    SSL *probe = SSL_new(ctx->ssl);
    bool taken = probe && ssl_set_list(probe, list, tls13) == 1;

    SSL_free(probe);
    return taken;
}

/* Puts a list in the settings, for each later connection to set. */
static int list_override(struct ctx *ctx, const char *list, bool tls13)
{
    struct settings *settings = ctx_change(ctx);
    struct blob *blob = settings ? blob_new((const uint8_t *)list, strlen(list)) : NULL;
    struct blob **place;

    if (!blob)
        return 0;
    place = tls13 ? &settings->ciphersuites : &settings->cipher_list;
    blob_drop(*place);
    *place = blob;
    return 1;
}

static int64_t set_list(fssl_handle h, struct ctx *ctx, const char *list, bool tls13, int32_t *err)
{
    if (!list_taken(ctx, list, tls13))
        return fail(h, FSSL_E_OPENSSL, err);
    if (ctx->used)
        return finish_done(h, list_override(ctx, list, tls13), err);
    if (tls13)
        return finish_done(h, SSL_CTX_set_ciphersuites(ctx->ssl, list), err);
    return finish_done(h, SSL_CTX_set_cipher_list(ctx->ssl, list), err);
}

int64_t fssl_ctx_set_cipher_list(fssl_handle h, const char *list, int64_t list_len, int32_t *err)
{
    struct ctx *ctx;
    char *text;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_text(h, "list", list, list_len, &text, err);
    if (failed)
        return failed;
    failed = set_list(h, ctx, text, false, err);
    OPENSSL_free(text);
    return failed;
}

int64_t fssl_ctx_set_ciphersuites(fssl_handle h, const char *list, int64_t list_len, int32_t *err)
{
    struct ctx *ctx;
    char *text;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_text(h, "list", list, list_len, &text, err);
    if (failed)
        return failed;
    failed = set_list(h, ctx, text, true, err);
    OPENSSL_free(text);
    return failed;
}

int64_t fssl_ctx_set_groups(fssl_handle h, const char *list, int64_t list_len, int32_t *err)
{
    struct ctx *ctx;
    char *text;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_text(h, "list", list, list_len, &text, err);
    if (failed)
        return failed;
    ok = *text && SSL_CTX_set1_groups_list(ctx->ssl, text) == 1; /* 3.5 takes an empty list */
    OPENSSL_free(text);
    if (!ok) /* OpenSSL says which group */
        return fail_at(h, FSSL_E_ARGUMENT, __func__, "bad argument", "list", err);
    return finish(h, 0, err);
}

/* ---- temporary keys ---- */

int64_t fssl_ctx_load_tmp_dh(fssl_handle h, const char *path, int64_t path_len, int32_t *err)
{
    struct ctx *ctx;
    EVP_PKEY *params;
    uint8_t *data;
    size_t len;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_file(h, path, path_len, &data, &len, err);
    if (failed)
        return failed;
    params = params_from_pem(data, len);
    OPENSSL_free(data);
    if (!params)
        return fail(h, FSSL_E_PARSE, err);
    if (SSL_CTX_set0_tmp_dh_pkey(ctx->ssl, params) == 1)
        return finish(h, 0, err);
    EVP_PKEY_free(params);
    return fail(h, FSSL_E_OPENSSL, err);
}

/* ---- versions ---- */

bool version_known(int32_t version, bool dtls)
{
    if (version == 0)
        return true;
    if (dtls)
        return version == DTLS1_VERSION || version == DTLS1_2_VERSION;
    return version >= TLS1_VERSION && version <= TLS1_3_VERSION;
}

int64_t fssl_ctx_set_min_proto_version(fssl_handle h, int32_t version, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (version == FSSL_SSL3_VERSION)
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "unsupported protocol", NULL, err);
    if (!version_known(version, ctx->dtls))
        return refuse(h, "version", err);
    return finish_done(h, SSL_CTX_set_min_proto_version(ctx->ssl, version), err);
}

int64_t fssl_ctx_set_max_proto_version(fssl_handle h, int32_t version, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (version == FSSL_SSL3_VERSION)
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "unsupported protocol", NULL, err);
    if (!version_known(version, ctx->dtls))
        return refuse(h, "version", err);
    return finish_done(h, SSL_CTX_set_max_proto_version(ctx->ssl, version), err);
}

int64_t fssl_ctx_min_proto_version(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish(h, SSL_CTX_get_min_proto_version(ctx->ssl), err);
}

int64_t fssl_ctx_max_proto_version(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish(h, SSL_CTX_get_max_proto_version(ctx->ssl), err);
}

int64_t fssl_ctx_set_security_level(fssl_handle h, int32_t level, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (level < 0 || level > 5)
        return refuse(h, "level", err);
    SSL_CTX_set_security_level(ctx->ssl, level);
    return finish(h, 0, err);
}

int64_t fssl_ctx_security_level(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish(h, SSL_CTX_get_security_level(ctx->ssl), err);
}

/* ---- ALPN ---- */

/* Tells whether bytes are protocols, each 1 to 255 bytes with its length before it. */
bool protos_valid(const uint8_t *protos, int64_t len)
{
    int64_t at = 0;

    if (!bytes_given(protos, len) || len > PROTOS_MAX)
        return false;
    while (at < len && protos[at] > 0)
        at += 1 + protos[at];
    return at == len;
}

int64_t fssl_ctx_set_alpn_protos(fssl_handle h, const uint8_t *protos, int64_t protos_len,
                                 int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!protos_valid(protos, protos_len))
        return refuse(h, "protos", err);
    /* unlike its neighbours, this one answers 0 for success */
    return finish_done(h, !SSL_CTX_set_alpn_protos(ctx->ssl, protos, (unsigned int)protos_len),
                       err);
}

/* Puts protocols at a place in the settings; none for length 0. */
static int64_t set_protos(fssl_handle h, size_t place, const uint8_t *protos, int64_t len,
                          int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    struct blob *blob = NULL, **at;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!protos_valid(protos, len))
        return refuse(h, "protos", err);
    settings = ctx_change(ctx);
    if (settings && len > 0)
        blob = blob_new(protos, (size_t)len);
    if (!settings || (len > 0 && !blob))
        return fail(h, FSSL_E_MEMORY, err);
    at = (struct blob **)(void *)((char *)settings + place);
    blob_drop(*at);
    *at = blob;
    install_late(ctx->ssl, settings);
    return finish(h, 0, err);
}

int64_t fssl_ctx_set_alpn_preference(fssl_handle h, const uint8_t *protos, int64_t protos_len,
                                     int32_t *err)
{
    return set_protos(h, offsetof(struct settings, alpn_preference), protos, protos_len, err);
}

int64_t fssl_ctx_set_npn_advertised(fssl_handle h, const uint8_t *protos, int64_t protos_len,
                                    int32_t *err)
{
    return set_protos(h, offsetof(struct settings, npn_advertised), protos, protos_len, err);
}

int64_t fssl_ctx_set_npn_preference(fssl_handle h, const uint8_t *protos, int64_t protos_len,
                                    int32_t *err)
{
    return set_protos(h, offsetof(struct settings, npn_preference), protos, protos_len, err);
}

/* ---- sessions ---- */

/* OpenSSL's own storing is always off (see session.c), and a bit that it does not know says whether
   the caller wants none either. */
static long cache_mode_inward(long mode)
{
    return mode & SSL_SESS_CACHE_NO_INTERNAL_STORE ? mode | CACHE_STORES_NONE
                                                   : mode | SSL_SESS_CACHE_NO_INTERNAL_STORE;
}

static int64_t cache_mode_outward(long mode)
{
    return mode & CACHE_STORES_NONE ? mode & ~CACHE_STORES_NONE
                                    : mode & ~SSL_SESS_CACHE_NO_INTERNAL_STORE;
}

int64_t fssl_ctx_set_session_id_context(fssl_handle h, const uint8_t *id, int64_t id_len,
                                        int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(id, id_len) || id_len > SESSION_ID_CONTEXT_MAX)
        return fail_at(h, FSSL_E_ARGUMENT, __func__, "ssl session id context too long", "id", err);
    return finish_done(h, SSL_CTX_set_session_id_context(ctx->ssl, id, (unsigned int)id_len), err);
}

int64_t fssl_ctx_set_session_cache_mode(fssl_handle h, int32_t mode, int32_t *err)
{
    struct ctx *ctx;
    long mode_before;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (mode < 0 || mode >= CACHE_STORES_NONE)
        return refuse(h, "mode", err);
    mode_before = SSL_CTX_set_session_cache_mode(ctx->ssl, cache_mode_inward(mode));
    return finish(h, cache_mode_outward(mode_before), err);
}

int64_t fssl_ctx_session_cache_mode(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish(h, cache_mode_outward(SSL_CTX_get_session_cache_mode(ctx->ssl)), err);
}

int64_t fssl_ctx_set_timeout(fssl_handle h, int64_t seconds, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (seconds < 0 || seconds > LONG_MAX)
        return refuse(h, "seconds", err);
    return finish(h, SSL_CTX_set_timeout(ctx->ssl, (long)seconds), err);
}

int64_t fssl_ctx_timeout(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish(h, SSL_CTX_get_timeout(ctx->ssl), err);
}

int64_t fssl_ctx_set_read_ahead(fssl_handle h, int64_t bytes, int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (ctx->dtls)
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "not with datagrams", NULL, err);
    if (bytes < 0 || bytes > READ_AHEAD_MAX)
        return refuse(h, "bytes", err);
    settings = ctx_change(ctx);
    if (!settings)
        return fail(h, FSSL_E_MEMORY, err);
    settings->read_ahead = bytes;
    return finish(h, 0, err);
}

int64_t fssl_ctx_set_buffer_release(fssl_handle h, int32_t flag, int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (ctx->dtls)
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "not with datagrams", NULL, err);
    settings = ctx_change(ctx);
    if (!settings)
        return fail(h, FSSL_E_MEMORY, err);
    settings->buffer_release = flag != 0;
    return finish(h, 0, err);
}
