/* Setting functions of the caller's, and what they call to answer. callback.c calls them. */
#include "internal.h"

#include <string.h>

enum { ANSWER_MAX = 65535 };

typedef void (*any_function)(void);

#define PLACE(member) offsetof(struct settings, member)

/* Puts a function at a place in the settings; NULL takes it away. False if there are none. */
static bool push_put(struct settings *settings, size_t place, any_function fn, int64_t token)
{
    struct push push = {fn, token};

    if (settings)
        memcpy((char *)settings + place, &push, sizeof push);
    return settings != NULL;
}

static int64_t set_ctx(fssl_handle h, size_t place, any_function fn, int64_t token, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!push_put(ctx_change(ctx), place, fn, token))
        return fail(h, FSSL_E_MEMORY, err);
    install_late(ctx->ssl, ctx->settings);
    return finish(h, 0, err);
}

static int64_t set_conn(fssl_handle h, size_t place, any_function fn, int64_t token, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!push_put(conn_change(conn), place, fn, token))
        return fail(h, FSSL_E_MEMORY, err);
    install_on(conn->ssl, conn->settings);
    return finish(h, 0, err);
}

int64_t fssl_ctx_set_verify_callback(fssl_handle h, fssl_verify_callback fn, int64_t token,
                                     int32_t *err)
{
    return set_ctx(h, PLACE(on_verify), (any_function)fn, token, err);
}

int64_t fssl_conn_set_verify_callback(fssl_handle h, fssl_verify_callback fn, int64_t token,
                                      int32_t *err)
{
    return set_conn(h, PLACE(on_verify), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_info_callback(fssl_handle h, fssl_info_callback fn, int64_t token,
                                   int32_t *err)
{
    return set_ctx(h, PLACE(on_info), (any_function)fn, token, err);
}

int64_t fssl_conn_set_info_callback(fssl_handle h, fssl_info_callback fn, int64_t token,
                                    int32_t *err)
{
    return set_conn(h, PLACE(on_info), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_server_name_callback(fssl_handle h, fssl_server_name_callback fn,
                                          int64_t token, int32_t *err)
{
    return set_ctx(h, PLACE(on_server_name), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_alpn_select_callback(fssl_handle h, fssl_protos_callback fn, int64_t token,
                                          int32_t *err)
{
    return set_ctx(h, PLACE(on_alpn_select), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_npn_advertise_callback(fssl_handle h, fssl_protos_callback fn, int64_t token,
                                            int32_t *err)
{
    return set_ctx(h, PLACE(on_npn_advertise), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_npn_select_callback(fssl_handle h, fssl_protos_callback fn, int64_t token,
                                         int32_t *err)
{
    return set_ctx(h, PLACE(on_npn_select), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_keylog_callback(fssl_handle h, fssl_text_callback fn, int64_t token,
                                     int32_t *err)
{
    return set_ctx(h, PLACE(on_keylog), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_ocsp_server_callback(fssl_handle h, fssl_protos_callback fn, int64_t token,
                                          int32_t *err)
{
    return set_ctx(h, PLACE(on_ocsp_server), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_ocsp_client_callback(fssl_handle h, fssl_protos_callback fn, int64_t token,
                                          int32_t *err)
{
    return set_ctx(h, PLACE(on_ocsp_client), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_cookie_generate_callback(fssl_handle h, fssl_protos_callback fn, int64_t token,
                                              int32_t *err)
{
    return set_ctx(h, PLACE(on_cookie_generate), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_cookie_verify_callback(fssl_handle h, fssl_protos_callback fn, int64_t token,
                                            int32_t *err)
{
    return set_ctx(h, PLACE(on_cookie_verify), (any_function)fn, token, err);
}

int64_t fssl_ctx_set_passphrase_callback(fssl_handle h, fssl_passphrase_callback fn, int64_t token,
                                         int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    ctx->on_passphrase.fn = (any_function)fn;
    ctx->on_passphrase.token = token;
    return finish(h, 0, err);
}

/* ---- answers ---- */

int64_t fssl_conn_answer(fssl_handle h, const uint8_t *data, int64_t len, int32_t *err)
{
    struct conn *conn;
    struct blob *blob;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(data, len) || len > ANSWER_MAX)
        return refuse(h, "data", err);
    if (conn->object.lock.depth < 2)
        return refuse_state(h, "not inside a callback", err);
    blob = blob_new(data, (size_t)len);
    if (!blob)
        return fail(h, FSSL_E_MEMORY, err);
    blob_drop(conn->answer);
    conn->answer = blob;
    return finish(h, 0, err);
}

/* The thread that asks is the one that answers. */
static struct asking *asking_now(const struct ctx *ctx)
{
    struct asking *asking = ctx->asking;

    while (asking && !pthread_equal(asking->thread, pthread_self()))
        asking = asking->next;
    return asking;
}

int64_t fssl_ctx_answer_passphrase(fssl_handle h, const uint8_t *passphrase, int64_t passphrase_len,
                                   int32_t *err)
{
    struct ctx *ctx;
    struct asking *asking;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(passphrase, passphrase_len))
        return refuse(h, "passphrase", err);
    asking = asking_now(ctx);
    if (!asking)
        return refuse_state(h, "not inside a passphrase callback", err);
    if (passphrase_len > asking->size)
        return refuse(h, "passphrase", err);
    if (passphrase_len > 0)
        memcpy(asking->buf, passphrase, (size_t)passphrase_len);
    asking->len = (int)passphrase_len;
    return finish(h, 0, err);
}

int64_t fssl_conn_verify_cert(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    X509 *x509;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!conn->verifying)
        return refuse_state(h, "not inside a verify callback", err);
    x509 = X509_STORE_CTX_get_current_cert(conn->verifying);
    if (!x509)
        return finish(h, 0, err);
    if (!X509_up_ref(x509))
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_handle(h, cert_wrap(x509, true), err);
}
