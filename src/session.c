/* Sessions, which belong to the context they were made with. */
#include "internal.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

void session_free(struct object *object)
{
    struct session *session = (struct session *)object;

    SSL_SESSION_free(session->ssl);
    object_drop(session->ctx);
}

/* Makes a session's object of an SSL_SESSION, which it takes over, also on failure. */
struct session *session_wrap(SSL_SESSION *ssl, struct ctx *ctx)
{
    struct session *session = ssl ? object_new(KIND_SESSION, sizeof *session) : NULL;

    if (!session) {
        SSL_SESSION_free(ssl);
        return NULL;
    }
    session->ssl = ssl;
    session->ctx = object_hold(ctx);
    return session;
}

/* Takes a reference to the SSL_SESSION of a handle, which must be of this context; on failure
   returns a result. */
int64_t take_session(fssl_handle h, SSL_SESSION **out, struct ctx *ctx, int32_t *err)
{
    struct session *session;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    if (session->ctx != ctx)
        return fail_at(h, FSSL_E_ARGUMENT, __func__, "the session is of another context", "session",
                       err);
    if (!SSL_SESSION_up_ref(session->ssl))
        return fail(h, FSSL_E_OPENSSL, err);
    *out = session->ssl;
    return finish(h, 0, err);
}

int64_t fssl_session_from_bytes(fssl_handle h, const uint8_t *data, int64_t len, int32_t *err)
{
    struct ctx *ctx;
    const uint8_t *at = data;
    SSL_SESSION *ssl;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(data, len) || len > LONG_MAX)
        return refuse(h, "data", err);
    ssl = d2i_SSL_SESSION(NULL, &at, (long)len);
    if (ssl && at != data + len) {
        SSL_SESSION_free(ssl);
        ssl = NULL;
    }
    return ssl ? finish_handle(h, session_wrap(ssl, ctx), err) : fail(h, FSSL_E_PARSE, err);
}

int64_t fssl_session_to_bytes(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct session *session;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    len = i2d_SSL_SESSION(session->ssl, &der);
    return finish_der(h, der, len > 0 ? len : -1, buf, cap, err);
}

int64_t fssl_session_id(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct session *session;
    const uint8_t *id;
    unsigned int len;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    id = SSL_SESSION_get_id(session->ssl, &len);
    return finish_bytes(h, id, len, buf, cap, err);
}

int64_t fssl_session_resumable(fssl_handle h, int32_t *err)
{
    struct session *session;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    return finish(h, SSL_SESSION_is_resumable(session->ssl), err);
}

int64_t fssl_session_time(fssl_handle h, int64_t *seconds, int32_t *err)
{
    struct session *session;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    return finish_value(h, SSL_SESSION_get_time(session->ssl), seconds, err);
}

int64_t fssl_session_timeout(fssl_handle h, int32_t *err)
{
    struct session *session;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    return finish(h, SSL_SESSION_get_timeout(session->ssl), err);
}
