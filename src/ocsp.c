/* OCSP stapling: a server's response as data or by a callback, and what a client gets. */
#include "internal.h"

#include <openssl/crypto.h>

enum { RESPONSE_MAX = 65535 };

/* Called on a server that was asked for a staple. */
static int staple(SSL *ssl, struct conn *conn)
{
    const struct push *push = &conn->settings->on_ocsp_server;
    const struct blob *response = conn->settings->ocsp_response;
    uint8_t *copy;

    if (push->fn) {
        if (!call_ocsp(conn, push, NULL, 0))
            return conn->refused_by ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
        response = conn->answer;
    }
    if (!response || response->len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(response->data, response->len);
    if (!copy || !SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)response->len)) {
        OPENSSL_free(copy);
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* OpenSSL's callback for both sides; on a client it comes when the staple has, or has not. */
int ocsp_status(SSL *ssl, void *unused)
{
    struct conn *conn = conn_of(ssl);
    const struct push *push = &conn->settings->on_ocsp_client;
    const uint8_t *response;
    long len;

    (void)unused;
    if (conn->server)
        return staple(ssl, conn);
    if (!push->fn)
        return 1;
    len = SSL_get_tlsext_status_ocsp_resp(ssl, &response);
    return call_ocsp(conn, push, len > 0 ? response : NULL, len > 0 ? len : 0);
}

static bool put_response(struct settings *settings, const uint8_t *der, size_t len)
{
    struct blob *blob = settings && len > 0 ? blob_new(der, len) : NULL;

    if (!settings || (len > 0 && !blob))
        return false;
    blob_drop(settings->ocsp_response);
    settings->ocsp_response = blob;
    return true;
}

int64_t fssl_ctx_set_ocsp_response(fssl_handle h, const uint8_t *der, int64_t der_len, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(der, der_len) || der_len > RESPONSE_MAX)
        return refuse(h, "der", err);
    if (!put_response(ctx_change(ctx), der, (size_t)der_len))
        return fail(h, FSSL_E_MEMORY, err);
    return finish(h, 0, err);
}

int64_t fssl_conn_set_ocsp_response(fssl_handle h, const uint8_t *der, int64_t der_len,
                                    int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(der, der_len) || der_len > RESPONSE_MAX)
        return refuse(h, "der", err);
    if (!put_response(conn_change(conn), der, (size_t)der_len))
        return fail(h, FSSL_E_MEMORY, err);
    return finish(h, 0, err);
}

int64_t fssl_conn_request_ocsp(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_done(h, SSL_set_tlsext_status_type(conn->ssl, TLSEXT_STATUSTYPE_ocsp), err);
}

int64_t fssl_conn_ocsp_response(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const uint8_t *response = NULL;
    long len;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    len = conn->client ? SSL_get_tlsext_status_ocsp_resp(conn->ssl, &response) : 0;
    return finish_bytes(h, response, len > 0 ? len : 0, buf, cap, err);
}
