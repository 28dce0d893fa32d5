/* Connections: their making and ending, and what is set on them. conn_policy.c has what they take
   from contexts, conn_host.c knows whom they expect. conn_io.c shakes hands, reads and ends,
   conn_send.c sends, with conn_coalesce.c, in the steps and waits of conn_step.c; conn_memory.c has
   the calls of memory, socket.c those of sockets. conn_info.c and conn_secret.c tell of it.

   Any number of threads may use a connection. Each call holds its lock (acquire) while it is
   inside OpenSSL and gives it back while it waits, so a thread that waits in recv does not keep
   another from send. A call that changed something wakes those whom it may concern.

   A connection that failed stays failed: OpenSSL is not entered again, and every later call gives
   the same error, whose fault it keeps to publish anew when the record has been overwritten. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

void conn_free(struct object *object)
{
    struct conn *conn = (struct conn *)object;

    /* OpenSSL takes a session out of its cache when a connection is freed without a shutdown. */
    if (conn->established && !conn->failed)
        SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(conn->ssl);
    if (conn->owns_fd && conn->carrier.fd != FSSL_NO_FD)
        close((int)conn->carrier.fd);
    carrier_free(&conn->carrier);
    OPENSSL_clear_free(conn->gathered.data, RECORD_MAX);
    OPENSSL_clear_free(conn->early.data, conn->early.size);
    settings_drop(conn->settings);
    object_drop(conn->ctx);
    blob_drop(conn->answer);
    blob_drop(conn->ticket_keys);
    object_drop(conn->offered);
    SSL_SESSION_free(conn->provided);
    policy_drop(conn->policy);
    OPENSSL_free(conn->inquiry);
    OPENSSL_free(conn->hello_name);
    OPENSSL_free(conn->host);
    OPENSSL_free(conn->fault);
}

void conn_closing(struct object *object)
{
    struct conn *conn = (struct conn *)object;

    lock_take(&object->lock);
    conn->closing = true;
    wait_cancel(conn->waiters);
    lock_give(&object->lock);
}

void conn_set_side(struct conn *conn, bool server)
{
    if (server)
        SSL_set_accept_state(conn->ssl);
    else
        SSL_set_connect_state(conn->ssl);
    conn->server = server;
    conn->client = !server;
}

static bool conn_start(struct conn *conn)
{
    BIO *bio;

    conn->ssl = ctx_make_ssl(conn->ctx, &conn->settings);
    bio = conn->ssl ? carrier_bio_new(&conn->carrier) : NULL;
    if (!bio)
        return false;
    conn->store = conn->ctx->ssl;
    SSL_set_bio(conn->ssl, bio, bio);
    conn->ticket_keys = blob_hold(conn->settings->ticket_keys);
    conn->early.secret = true;
    if (conn->ctx->dtls && !datagram_start(&conn->carrier, conn->ssl))
        return false;
    conn->carrier.read_ahead = (size_t)conn->settings->read_ahead;
    if (conn->ctx->client || conn->ctx->server)
        conn_set_side(conn, conn->ctx->server);
    return true;
}

/* Makes a connection of a context, which is locked. NULL on failure; the fd stays as it is. */
struct conn *conn_make(struct ctx *ctx, int64_t fd, bool memory)
{
    struct conn *conn = object_new(KIND_CONN, sizeof *conn);

    if (!conn)
        return NULL;
    conn->ctx = object_hold(ctx);
    conn->carrier.fd = fd;
    conn->carrier.memory = memory;
    conn->timeout = FSSL_TIMEOUT_AS_FD;
    if (conn_start(conn))
        return conn;
    object_drop(conn);
    return NULL;
}

int64_t fssl_conn_new(fssl_handle h, int64_t fd, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (fd < FSSL_NO_FD || fd > INT_MAX)
        return refuse(h, "fd", err);
    if (fd != FSSL_NO_FD && fcntl((int)fd, F_GETFD) < 0)
        return fail_system(h, errno, "fd", err);
    if (fd != FSSL_NO_FD && ctx->dtls && !datagram_fd((int)fd))
        return fail_at(h, FSSL_E_ARGUMENT, __func__, "not a socket of datagrams", "fd", err);
    return finish_handle(h, conn_make(ctx, fd, false), err);
}

int64_t fssl_conn_new_memory(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish_handle(h, conn_make(ctx, FSSL_NO_FD, true), err);
}

/* ---- its failure ---- */

/* Publishes a failure that leaves the connection usable. Returns the result. */
int64_t conn_say(struct conn *conn, int32_t code, const char *function, const char *reason,
                 int32_t *err)
{
    struct fault fault;

    (void)conn;
    fault_begin(&fault, code);
    fault_say(&fault, function, reason, NULL);
    return fault_publish(&fault, err);
}

/* Ends the connection with a fault. Returns the result. */
int64_t conn_fail(struct conn *conn, const struct fault *fault, int32_t *err)
{
    resume_fail(conn);
    conn->failed = fault->code;
    conn->fault = OPENSSL_memdup(fault, sizeof *fault);
    conn->fault_result = fault_publish(fault, err);
    conn->want = 0;
    wait_wake(conn->waiters, WAIT_ANY);
    return conn->fault_result;
}

static int64_t conn_failed_before(struct conn *conn, int32_t *err)
{
    if (conn->fault && !record_live(conn->fault_result))
        conn->fault_result = fault_publish(conn->fault, err);
    if (err)
        *err = conn->failed;
    return conn->fault ? conn->fault_result : -(int64_t)conn->failed;
}

/* Says why I/O may not go on, to conn_usable. */
int64_t conn_unusable(struct conn *conn, int32_t *err)
{
    if (conn->object.lock.depth > 1)
        return conn_say(conn, FSSL_E_IN_CALLBACK, __func__, "I/O inside a callback", err);
    if (conn->closing)
        return code_only(FSSL_E_CANCELLED, err);
    if (conn->failed)
        return conn_failed_before(conn, err);
    if (conn->epoch && conn->epoch != fork_epoch())
        return conn_say(conn, FSSL_E_FORKED, __func__, "the parent's connection", err);
    if (!conn->carrier.memory && conn->carrier.fd == FSSL_NO_FD)
        return conn_say(conn, FSSL_E_STATE, __func__, "the connection has no socket", err);
    if (!conn->client && !conn->server)
        return conn_say(conn, FSSL_E_STATE, __func__, "connection type not set", err);
    return 0;
}

/* ---- what is set on it ---- */

int64_t fssl_conn_set_app_data(fssl_handle h, int64_t data, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    conn->app_data = data;
    return finish_own(h, 0, err);
}

int64_t fssl_conn_app_data(fssl_handle h, int64_t *data, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!data)
        return refuse(h, "data", err);
    *data = conn->app_data;
    return finish_own(h, 0, err);
}

static int64_t set_side(fssl_handle h, bool server, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->epoch)
        return refuse_state(h, "the handshake has begun", err);
    if (server ? conn->ctx->client : conn->ctx->server)
        return refuse_state(h, "the context is for the other side", err);
    conn_set_side(conn, server);
    return finish(h, 0, err);
}

int64_t fssl_conn_set_connect_state(fssl_handle h, int32_t *err)
{
    return set_side(h, false, err);
}

int64_t fssl_conn_set_accept_state(fssl_handle h, int32_t *err)
{
    return set_side(h, true, err);
}

int64_t fssl_conn_set_alpn_protos(fssl_handle h, const uint8_t *protos, int64_t protos_len,
                                  int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!protos_valid(protos, protos_len))
        return refuse(h, "protos", err);
    /* unlike its neighbours, this one answers 0 for success */
    return finish_done(h, !SSL_set_alpn_protos(conn->ssl, protos, (unsigned int)protos_len), err);
}

int64_t fssl_conn_set_timeout(fssl_handle h, int64_t milliseconds, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (milliseconds < FSSL_TIMEOUT_AS_FD)
        return refuse(h, "milliseconds", err);
    conn->timeout = milliseconds;
    return finish_own(h, 0, err);
}

/* On a server: keeps a session for when OpenSSL looks for it. */
static int provide(struct conn *conn, SSL_SESSION *ssl)
{
    if (!SSL_SESSION_up_ref(ssl))
        return 0;
    SSL_SESSION_free(conn->provided);
    conn->provided = ssl;
    return 1;
}

/* On a client: keeps it until the handshake begins, when the host is known. */
static int offer(struct conn *conn, struct session *session)
{
    object_drop(conn->offered);
    conn->offered = object_hold(session);
    return SSL_set_session(conn->ssl, session->ssl);
}

int64_t fssl_conn_set_session(fssl_handle h, fssl_handle session, int32_t *err)
{
    struct conn *conn;
    struct session *taken;
    int ok;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    failed = take_session(session, &taken, conn->ctx, err);
    if (failed)
        return abandon(h, failed, err);
    if (conn->server)
        ok = provide(conn, taken->ssl);
    else if (conn->epoch)
        ok = -1;
    else
        ok = offer(conn, taken);
    object_drop(taken);
    return ok < 0 ? refuse_state(h, "the handshake has begun", err) : finish_done(h, ok, err);
}

int64_t fssl_conn_set_shutdown_state(fssl_handle h, int32_t state, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (state & ~(FSSL_SENT_SHUTDOWN | FSSL_RECEIVED_SHUTDOWN))
        return refuse(h, "state", err);
    SSL_set_shutdown(conn->ssl, state);
    return finish(h, 0, err);
}

/* ---- renegotiation ---- */

int64_t fssl_conn_renegotiate(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->carrier.datagram)
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "not with datagrams", NULL, err);
    if (SSL_renegotiate_pending(conn->ssl))
        return finish(h, 0, err);
    if (SSL_renegotiate(conn->ssl) != 1)
        return fail(h, FSSL_E_OPENSSL, err);
    return finish(h, 1, err);
}

int64_t fssl_conn_renegotiate_pending(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, SSL_renegotiate_pending(conn->ssl), err);
}

int64_t fssl_conn_total_renegotiations(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, SSL_total_renegotiations(conn->ssl), err);
}
