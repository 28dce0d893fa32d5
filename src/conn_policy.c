/* What connections take from their contexts, and may have of their own: certificate, verification,
   options. */
#include "internal.h"

enum {
    VERIFY_MODES = FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT | FSSL_VERIFY_CLIENT_ONCE
};

int64_t fssl_conn_context(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_handle(h, object_hold(conn->ctx), err);
}

/* Returns the connection's own block of settings, to be changed; NULL if memory ran out. */
struct settings *conn_change(struct conn *conn)
{
    struct settings *copy;

    if (atomic_load_explicit(&conn->settings->refs, memory_order_acquire) == 1)
        return conn->settings;
    copy = settings_copy(conn->settings);
    if (!copy)
        return NULL;
    settings_drop(conn->settings);
    conn->settings = copy;
    return copy;
}

/* Brings over what SSL_set_SSL_CTX leaves behind: a server that demands client certificates on one
   name would silently stop to. The host that was set on the connection stays. */
static bool use_policy(struct conn *conn, const struct ctx *ctx)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(conn->ssl);
    uint64_t held;

    SSL_set_verify(conn->ssl, SSL_CTX_get_verify_mode(ctx->ssl),
                   SSL_CTX_get_verify_callback(ctx->ssl));
    SSL_set_verify_depth(conn->ssl, SSL_CTX_get_verify_depth(ctx->ssl));
    X509_VERIFY_PARAM_clear_flags(param, X509_VERIFY_PARAM_get_flags(param));
    X509_VERIFY_PARAM_set_flags(param, X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(ctx->ssl)));
    held = conn->inquiry ? SSL_get_options(conn->ssl) & SSL_OP_NO_TICKET : 0; /* see hello.c */
    SSL_clear_options(conn->ssl, SSL_get_options(conn->ssl));
    SSL_set_options(conn->ssl, SSL_CTX_get_options(ctx->ssl) | held);
    SSL_set_client_CA_list(conn->ssl, NULL);
    return settings_apply(ctx->settings, conn->ssl);
}

/* Takes the keys of the context that the connection was made of anew, where it is still that one:
   one that was taken out of the ring in between must open nothing more. */
static void renew_keys(struct conn *conn, const struct ctx *ctx)
{
    if (conn->ctx != ctx || conn->ticket_keys != conn->settings->ticket_keys)
        return;
    blob_drop(conn->ticket_keys);
    conn->ticket_keys = blob_hold(ctx->settings->ticket_keys);
}

/* Switches to a context, which is locked. */
bool conn_use_context(struct conn *conn, struct ctx *ctx)
{
    struct ctx *former = conn->ctx;
    struct settings *before = conn->settings;

    if (!SSL_set_SSL_CTX(conn->ssl, ctx->ssl) || !use_policy(conn, ctx))
        return false;
    ctx->used = true;
    renew_keys(conn, ctx);
    conn->ctx = object_hold(ctx); /* first: the former one may be all that holds it, by a name */
    conn->settings = settings_hold(ctx->settings);
    settings_drop(before);
    object_drop(former);
    return true;
}

int64_t fssl_conn_set_context(fssl_handle h, fssl_handle ctx, int32_t *err)
{
    struct conn *conn;
    struct ctx *other;
    bool ok;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->established)
        return refuse_state(h, "the handshake has ended", err);
    failed = acquire(ctx, KIND_CTX, &other, err);
    if (failed)
        return abandon(h, failed, err);
    if (other->dtls != conn->ctx->dtls ||
        (conn->server ? other->client : other->server && conn->client)) {
        failed = refuse(ctx, "ctx", err);
        return abandon(h, failed, err);
    }
    ok = conn_use_context(conn, other);
    failed = finish_done(ctx, ok, err);
    return failed ? abandon(h, failed, err) : finish(h, 0, err);
}

/* ---- its own ---- */

int64_t fssl_conn_set_verify(fssl_handle h, int32_t mode, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (mode & ~VERIFY_MODES)
        return refuse(h, "mode", err);
    SSL_set_verify(conn->ssl, mode, SSL_get_verify_callback(conn->ssl));
    return finish(h, 0, err);
}

int64_t fssl_conn_verify_mode(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, SSL_get_verify_mode(conn->ssl), err);
}

int64_t fssl_conn_set_options(fssl_handle h, int64_t options, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!options_known(options))
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "unknown option", "options", err);
    return finish(h, (int64_t)SSL_set_options(conn->ssl, (uint64_t)options), err);
}

int64_t fssl_conn_options(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, (int64_t)SSL_get_options(conn->ssl), err);
}

int64_t fssl_conn_use_certificate(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct conn *conn;
    X509 *x509;
    int ok;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    failed = take_cert(cert, &x509, err);
    if (failed)
        return abandon(h, failed, err);
    ok = SSL_use_certificate(conn->ssl, x509);
    X509_free(x509);
    return finish_done(h, ok, err);
}

int64_t fssl_conn_use_private_key(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct conn *conn;
    EVP_PKEY *pkey;
    int ok;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    failed = take_key(key, &pkey, err);
    if (failed)
        return abandon(h, failed, err);
    ok = SSL_use_PrivateKey(conn->ssl, pkey);
    EVP_PKEY_free(pkey);
    return finish_done(h, ok, err);
}

static int64_t set_version(fssl_handle h, int32_t version, bool lowest, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!version_known(version, conn->ctx->dtls))
        return refuse(h, "version", err);
    if (lowest)
        return finish_done(h, SSL_set_min_proto_version(conn->ssl, version), err);
    return finish_done(h, SSL_set_max_proto_version(conn->ssl, version), err);
}

int64_t fssl_conn_set_min_proto_version(fssl_handle h, int32_t version, int32_t *err)
{
    return set_version(h, version, true, err);
}

int64_t fssl_conn_set_max_proto_version(fssl_handle h, int32_t version, int32_t *err)
{
    return set_version(h, version, false, err);
}

int64_t fssl_conn_set_alpn_preference(fssl_handle h, const uint8_t *protos, int64_t protos_len,
                                      int32_t *err)
{
    struct conn *conn;
    struct settings *settings;
    struct blob *blob = NULL;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!protos_valid(protos, protos_len))
        return refuse(h, "protos", err);
    settings = conn_change(conn);
    if (settings && protos_len > 0)
        blob = blob_new(protos, (size_t)protos_len);
    if (!settings || (protos_len > 0 && !blob))
        return fail(h, FSSL_E_MEMORY, err);
    blob_drop(settings->alpn_preference);
    settings->alpn_preference = blob;
    return finish(h, 0, err);
}
