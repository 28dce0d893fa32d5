/* Sessions, which belong to the context, the host and the policy that they were made under. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

enum { MARK = 4, HEAD = MARK + 3 };

static const char mark[MARK + 1] = "FSS1";

void session_free(struct object *object)
{
    struct session *session = (struct session *)object;

    SSL_SESSION_free(session->ssl);
    object_drop(session->ctx);
    OPENSSL_free(session->host);
}

/* Notes under which policy a connection has made a session. */
static bool session_bind(struct session *session, const struct conn *conn)
{
    session->verified = (SSL_get_verify_mode(conn->ssl) & SSL_VERIFY_PEER) &&
                        SSL_get_verify_result(conn->ssl) == X509_V_OK && !conn->waived;
    if (conn->host)
        session->host = OPENSSL_strdup(conn->host);
    return !conn->host || session->host;
}

/* Makes a session's object of an SSL_SESSION, which it takes over, also on failure. Context and
   connection may be NULL. */
struct session *session_wrap(SSL_SESSION *ssl, struct ctx *ctx, const struct conn *conn)
{
    struct session *session = ssl ? object_new(KIND_SESSION, sizeof *session) : NULL;

    if (!session) {
        SSL_SESSION_free(ssl);
        return NULL;
    }
    session->ssl = ssl;
    if (ctx)
        session->ctx = object_hold(ctx);
    if (!conn || session_bind(session, conn))
        return session;
    object_drop(session);
    return NULL;
}

/* Tells whether a connection still offers the cipher of a session, which a server demands; TLS 1.3
   asks for its hash alone, and OpenSSL sees to that. */
static bool offers_cipher(const SSL_SESSION *session, const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher(session);
    const STACK_OF(SSL_CIPHER) *offered = SSL_get_ciphers(ssl);

    if (!cipher ||
        (!SSL_is_dtls(ssl) && SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION))
        return true;
    for (int i = 0; i < sk_SSL_CIPHER_num(offered); i++) {
        if (SSL_CIPHER_get_id(sk_SSL_CIPHER_value(offered, i)) == SSL_CIPHER_get_id(cipher))
            return true;
    }
    return false;
}

/* Tells whether a client may offer a session: to the same host, and where it verifies its peer, one
   that was verified. */
bool session_fits(const struct session *session, const struct conn *conn)
{
    if (session->ctx != conn->ctx || conn->settings->pins) /* no chain is kept to look for pins */
        return false;
    if (!session->host != !conn->host || (conn->host && strcmp(session->host, conn->host) != 0))
        return false;
    if (!offers_cipher(session->ssl, conn->ssl))
        return false;
    return session->verified || !(SSL_get_verify_mode(conn->ssl) & SSL_VERIFY_PEER);
}

/* ---- where a context keeps them ----

   OpenSSL before 3.6.3 keeps a session for which memory ran out on the list of its cache and gives
   up the reference that the list needs, so that it soon leads to freed memory. Its own storing is
   off, therefore, and we store when it tells of a new session: there such a session stays
   referenced, until the list lets go of it, by its age or with the context. An older branch that
   was mended since leaks it instead. Those fetched from elsewhere are not stored. */

static const unsigned long list_mended = 0x30600030L;

static bool is_stored(const struct conn *conn)
{
    if (SSL_CTX_get_session_cache_mode(conn->store) & CACHE_STORES_NONE)
        return false;
    /* what a ticket of TLS 1.3 says needs not be kept */
    return conn->client || SSL_version(conn->ssl) != TLS1_3_VERSION ||
           (SSL_get_options(conn->ssl) & SSL_OP_NO_TICKET);
}

/* OpenSSL's callback for new sessions. Returns 1 if the reference that came with it is kept. */
int new_session(SSL *ssl, SSL_SESSION *session)
{
    struct conn *conn = conn_of(ssl);

    queue_session(conn, session);
    return is_stored(conn) && !SSL_CTX_add_session(conn->store, session) &&
           OpenSSL_version_num() < list_mended;
}

/* Takes a reference to the session of a handle, which must be of this context; on failure returns
   a result. */
int64_t take_session(fssl_handle h, struct session **out, const struct ctx *ctx, int32_t *err)
{
    struct session *session;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    if (session->ctx != ctx)
        return fail_at(h, FSSL_E_ARGUMENT, __func__, "the session is of another context", "session",
                       err);
    *out = object_hold(session);
    return finish(h, 0, err);
}

/* ---- as bytes: a mark, whether it was verified, its host, then OpenSSL's DER ---- */

static bool head_read(struct session *session, const uint8_t *head, size_t host_len)
{
    session->verified = head[MARK];
    if (host_len == 0)
        return true;
    session->host = OPENSSL_strndup((const char *)head + HEAD, host_len);
    return session->host && strlen(session->host) == host_len;
}

static struct session *session_read(const uint8_t *data, size_t len, struct ctx *ctx)
{
    size_t host_len = len >= HEAD ? (size_t)data[MARK + 1] << 8 | data[MARK + 2] : 0;
    const uint8_t *at;
    struct session *session;

    if (len < HEAD + host_len || memcmp(data, mark, MARK) != 0 || data[MARK] > 1)
        return NULL;
    at = data + HEAD + host_len;
    session = session_wrap(d2i_SSL_SESSION(NULL, &at, (long)(len - HEAD - host_len)), ctx, NULL);
    if (session && at == data + len && head_read(session, data, host_len))
        return session;
    object_drop(session);
    return NULL;
}

int64_t fssl_session_from_bytes(fssl_handle h, const uint8_t *data, int64_t len, int32_t *err)
{
    struct ctx *ctx;
    struct session *session;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(data, len) || len > INT_MAX)
        return refuse(h, "data", err);
    session = session_read(data, (size_t)len, ctx);
    return session ? finish_handle(h, session, err) : fail(h, FSSL_E_PARSE, err);
}

int64_t fssl_session_to_bytes(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct session *session;
    size_t host_len;
    uint8_t *bytes, *at;
    int len;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    host_len = session->host ? strlen(session->host) : 0;
    len = i2d_SSL_SESSION(session->ssl, NULL);
    bytes = len > 0 ? OPENSSL_malloc(HEAD + host_len + (size_t)len) : NULL;
    if (!bytes)
        return fail(h, FSSL_E_OPENSSL, err);
    memcpy(bytes, mark, MARK);
    bytes[MARK] = session->verified;
    bytes[MARK + 1] = (uint8_t)(host_len >> 8);
    bytes[MARK + 2] = (uint8_t)host_len;
    if (host_len > 0)
        memcpy(bytes + HEAD, session->host, host_len);
    at = bytes + HEAD + host_len;
    i2d_SSL_SESSION(session->ssl, &at);
    return finish_der(h, bytes, (int)(HEAD + host_len) + len, buf, cap, err);
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

/* Returns when a session was made, in seconds since 1970. */
int64_t session_made(const SSL_SESSION *session)
{
#if OPENSSL_VERSION_PREREQ(3, 3)
    return SSL_SESSION_get_time_ex(session);
#else
    return SSL_SESSION_get_time(session);
#endif
}

int64_t fssl_session_time(fssl_handle h, int64_t *seconds, int32_t *err)
{
    struct session *session;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    return finish_value(h, session_made(session->ssl), seconds, err);
}

int64_t fssl_session_timeout(fssl_handle h, int32_t *err)
{
    struct session *session;
    int64_t failed = acquire(h, KIND_SESSION, &session, err);

    if (failed)
        return failed;
    return finish(h, SSL_SESSION_get_timeout(session->ssl), err);
}
