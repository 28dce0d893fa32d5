/* How connections shake hands, read and end: loops of steps (conn_step.c). No plaintext is
   exchanged before the first handshake has ended and the peer has passed every check that is due;
   a renegotiation checks it anew. */
#include "internal.h"

enum { EARLY_MAX = 1 << 20 };

/* ---- handshake ---- */

static int run_handshake(SSL *ssl, struct step *step)
{
    (void)step;
    return SSL_do_handshake(ssl);
}

/* What waits until the side, the context and the host are settled. */
static void settle(struct conn *conn)
{
    if (conn->offered && !session_fits(conn->offered, conn))
        SSL_set_session(conn->ssl, NULL);
    resume_begin(conn, conn->offered != NULL);
    object_drop(conn->offered);
    conn->offered = NULL;
    /* OpenSSL gives the session of a pre-shared key no session id context, and a TLS 1.3 client
       that has one would then refuse its own; take_session does what it is there for */
    if (conn->client)
        SSL_set_session_id_context(conn->ssl, (const unsigned char *)"", 0);
}

static int64_t handshake_begin(struct conn *conn, int32_t *err)
{
    int64_t failed = conn_usable(conn, err);

    if (failed)
        return failed;
    if (conn->inquiry && conn->inquiry->open)
        return code_only(question_code(conn), err);
    if (conn->client && conn->settings->safe && !conn->host && !conn->settings->psk &&
        (SSL_get_verify_mode(conn->ssl) & SSL_VERIFY_PEER))
        return conn_say(conn, FSSL_E_STATE, __func__, "no host is set to verify", err);
    if (!conn->epoch && conn->carrier.datagram)
        failed = dtls_ready(conn, err);
    if (failed)
        return failed;
    if (!conn->epoch) {
        conn->epoch = fork_epoch();
        settle(conn);
    }
    return 0;
}

/* Sends the session tickets that were held back until the peer was accepted. */
static void send_tickets(struct conn *conn)
{
    int due = conn->inquiry ? conn->inquiry->tickets_due : 0;

    for (; due > 0; due--)
        SSL_new_session_ticket(conn->ssl);
    if (conn->inquiry && conn->inquiry->tickets_due > 0)
        SSL_do_handshake(conn->ssl); /* writes them; our BIO takes all */
    if (conn->inquiry)
        conn->inquiry->tickets_due = 0;
}

static int64_t handshake_end(struct conn *conn, int32_t *err)
{
    struct fault fault;

    if (question_at_end(conn))
        return code_only(FSSL_E_WANT_VERIFY, err);
    if (!question_settled(conn, &fault))
        return conn_fail(conn, &fault, err);
    if (!conn_verify_peer(conn, &fault)) {
        conn_alert(conn); /* OpenSSL took the peer, which must not believe so */
        return conn_fail(conn, &fault, err);
    }
    send_tickets(conn);
    conn->stirred = true;
    conn->established = true;
    resume_end(conn);
    conn->useless = 0;
    conn->renegotiations = (int)SSL_num_renegotiations(conn->ssl);
    conn->renegotiable = SSL_version(conn->ssl) != TLS1_3_VERSION;
    return 0;
}

/* Brings a handshake to its end, waiting as the connection does. */
int64_t conn_handshake(struct conn *conn, struct patience *patience, int32_t *err)
{
    struct step step = {run_handshake, NULL, 0, 0};
    int64_t failed = handshake_begin(conn, err);
    int32_t want = FSSL_OK;

    conn->stirred = true;
    if (!failed)
        failed = conn_renegotiated(conn, patience, err);
    while (!failed) {
        failed = conn_step(conn, &step, &want, err);
        if (!failed && !want)
            return handshake_end(conn, err);
        if (!failed)
            failed = conn_wait(conn, want, patience, err);
    }
    return failed;
}

/* Sees to it that the first handshake has ended and that the peer is still the verified one. */
int64_t conn_establish(struct conn *conn, struct patience *patience, int32_t *err)
{
    int64_t failed = conn_usable(conn, err);

    if (failed)
        return failed;
    if (!conn->established)
        return conn_handshake(conn, patience, err);
    if (!conn_renewed(conn) || SSL_in_init(conn->ssl))
        return 0;
    return handshake_end(conn, err);
}

int64_t fssl_conn_do_handshake(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    struct patience patience = {false, false, -1};
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    conn->want = 0;
    failed = conn_handshake(conn, &patience, err);
    return failed ? abandon(h, failed, err) : finish(h, 0, err);
}

/* ---- renegotiation ---- */

static int run_read(SSL *ssl, struct step *step)
{
    return SSL_read_ex(ssl, step->buf, step->len, &step->done);
}

/* Keeps plaintext for recv. */
static int64_t keep(struct conn *conn, const struct step *step, int32_t *err)
{
    struct fault fault;

    if (ring_write(&conn->early, step->buf, step->done, EARLY_MAX) == step->done)
        return 0;
    fault_begin(&fault, FSSL_E_MEMORY);
    fault_say(&fault, __func__, "out of memory", NULL);
    return conn_fail(conn, &fault, err);
}

/* The same, once the peer of a renegotiation that has ended has passed. */
static int64_t keep_early(struct conn *conn, const struct step *step, struct patience *patience,
                          int32_t *err)
{
    int64_t failed = conn_establish(conn, patience, err);

    return failed ? failed : keep(conn, step, err);
}

/* Brings a renegotiation to its end. The peer's data may come in its midst: OpenSSL lets it pass
   while a read drives the handshake, and fails the connection where a write does. So reads drive
   it, and what they read is kept. */
int64_t conn_renegotiated(struct conn *conn, struct patience *patience, int32_t *err)
{
    uint8_t buf[RECORD_MAX];
    struct step step = {run_read, buf, sizeof buf, 0};
    int32_t want = FSSL_OK;
    int64_t failed = conn_usable(conn, err);

    while (!failed && conn_renegotiating(conn)) {
        if (conn->early.count > EARLY_MAX - RECORD_MAX) {
            failed = conn_wait(conn, FSSL_OK, patience, err); /* until recv takes some */
            continue;
        }
        failed = conn_step(conn, &step, &want, err);
        if (!failed && !want)
            failed = keep_early(conn, &step, patience, err);
        else if (!failed && conn_renegotiating(conn))
            failed = conn_wait(conn, want, patience, err);
    }
    return failed;
}

/* ---- reading ---- */

static int run_peek(SSL *ssl, struct step *step)
{
    return SSL_peek_ex(ssl, step->buf, step->len, &step->done);
}

static int64_t take_early(struct conn *conn, uint8_t *buf, size_t cap, int32_t flags)
{
    if (flags & FSSL_MSG_PEEK)
        return (int64_t)ring_peek(&conn->early, buf, cap);
    wait_wake(conn->waiters, WAIT_TURN);
    return (int64_t)ring_read(&conn->early, buf, cap);
}

/* Goes on reading into the rest of a buffer as long as OpenSSL or the carrier holds whole records.
   What ends this (a failure, the peer's end) is kept by the connection, for the next call to tell.
   Returns how much is in the buffer then. */
static size_t fill(struct conn *conn, uint8_t *buf, size_t cap, size_t got)
{
    while (got < cap && !conn_renegotiating(conn) && !conn->carrier.datagram &&
           (SSL_pending(conn->ssl) > 0 || carrier_has_record(&conn->carrier))) {
        struct step step = {run_read, buf + got, cap - got, 0};
        int32_t want = FSSL_OK;

        if (conn_step(conn, &step, &want, NULL) || want)
            break;
        if (conn->early.count > 0 || conn_renewed(conn)) {
            keep(conn, &step, NULL); /* behind that, or until the peer was checked anew */
            break;
        }
        got += step.done;
    }
    return got;
}

/* Ends a read during which another thread's send, in a renegotiation, has kept what came before. */
static int64_t behind_early(struct conn *conn, const struct step *step, int32_t flags, size_t cap,
                            int32_t *err)
{
    uint8_t *buf = step->buf;
    int64_t failed = flags & FSSL_MSG_PEEK ? 0 : keep(conn, step, err);

    return failed ? failed : take_early(conn, buf, cap, flags);
}

/* Reads plaintext. Returns how much, or the result of the failure. */
int64_t conn_recv(struct conn *conn, uint8_t *buf, size_t cap, int32_t flags, int32_t *err)
{
    struct step step = {flags & FSSL_MSG_PEEK ? run_peek : run_read, buf, cap, 0};
    struct patience patience = {false, false, -1};
    int32_t want = FSSL_OK;
    int64_t failed;

    conn->want = 0;
    do {
        failed = conn_establish(conn, &patience, err);
        if (!failed && conn->early.count > 0)
            return take_early(conn, buf, cap, flags);
        if (!failed)
            failed = conn_step(conn, &step, &want, err);
        if (!failed && want)
            failed = conn_pass_gathered(conn, err);
        if (!failed && want)
            failed = conn_wait(conn, want, &patience, err);
    } while (!failed && (want || step.done == 0)); /* a record of DTLS may be empty */
    if (!failed && conn_renewed(conn))
        failed = conn_establish(conn, &patience, err); /* a renegotiation has ended */
    conn->useless = 0;
    if (failed && step.done > 0 && !(flags & FSSL_MSG_PEEK))
        keep(conn, &step, NULL); /* until the peer was checked anew */
    if (failed)
        return failed;
    if (conn->early.count > 0)
        return behind_early(conn, &step, flags, cap, err);
    if (flags & FSSL_MSG_PEEK)
        return (int64_t)step.done;
    return (int64_t)fill(conn, buf, cap, step.done);
}

int64_t fssl_conn_recv(fssl_handle h, uint8_t *buf, int64_t cap, int32_t flags, int32_t *err)
{
    struct conn *conn;
    int64_t result = acquire(h, KIND_CONN, &conn, err);

    if (result)
        return result;
    if (!bytes_given(buf, cap))
        return refuse(h, "buf", err);
    if (flags & ~FSSL_MSG_PEEK)
        return refuse(h, "flags", err);
    if (cap == 0)
        return finish(h, 0, err);
    conn->stirred = false;
    result = conn_recv(conn, buf, (size_t)cap, flags, err);
    return result < 0 ? abandon(h, result, err) : conn_done(h, conn, result, err);
}

/* Tells whether the carrier may hold what makes a record whole. */
static bool record_came(const struct conn *conn)
{
    return conn_in_record(conn) ? conn->carrier.in.count > 0 : carrier_has_record(&conn->carrier);
}

/* Decrypts a record that was read ahead as a whole, so that OpenSSL can count it. */
static void open_record(struct conn *conn)
{
    struct step step = {run_peek, NULL, 0, 0};
    uint8_t byte;
    int32_t want;

    step.buf = &byte;
    step.len = sizeof byte;
    if (conn->established && !conn->carrier.datagram && !SSL_pending(conn->ssl) &&
        !conn_usable(conn, NULL) && record_came(conn))
        conn_step(conn, &step, &want, NULL);
}

int64_t fssl_conn_pending(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    open_record(conn);
    return finish(h, SSL_pending(conn->ssl) + (int64_t)conn->early.count, err);
}

int64_t fssl_conn_want(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->carrier.out.count + conn->gathered.count > 0)
        return finish_own(h, conn->want | FSSL_WANT_WRITE, err);
    return finish_own(h, conn->want, err);
}

/* ---- ending ---- */

int64_t fssl_conn_cancel(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    wait_cancel(conn->waiters);
    return finish_own(h, 0, err);
}

static int run_shutdown(SSL *ssl, struct step *step)
{
    int answer = SSL_shutdown(ssl);

    step->done = answer == 1;
    return answer == 0 ? 1 : answer;
}

/* Waits for the peer's close_notify. SSL_shutdown would end the connection over data that comes
   before it; this leaves the data to be read. */
static int run_await_end(SSL *ssl, struct step *step)
{
    uint8_t byte;

    return SSL_peek_ex(ssl, &byte, sizeof byte, &step->done);
}

static int64_t conn_shutdown(struct conn *conn, int32_t *err)
{
    bool again = SSL_get_shutdown(conn->ssl) == SSL_SENT_SHUTDOWN;
    struct step step = {again ? run_await_end : run_shutdown, NULL, 0, 0};
    struct patience patience = {false, false, -1};
    int32_t want = FSSL_OK;
    int64_t failed = conn_usable(conn, err);

    if (!failed && (!conn->established || SSL_in_init(conn->ssl)))
        return conn_say(conn, FSSL_E_STATE, __func__, "shutdown while in init", err);
    if (!failed && again && conn->early.count > 0)
        return conn_say(conn, FSSL_E_STATE, __func__, "data is still to be read", err);
    if (!failed)
        failed = conn_send_gathered(conn, &patience, err);
    do {
        if (!failed)
            failed = conn_step(conn, &step, &want, err);
        if (!failed && want)
            failed = conn_wait(conn, want, &patience, err);
    } while (!failed && want);
    if (failed == -FSSL_E_ZERO_RETURN)
        return 1;
    if (!failed && again)
        return conn_say(conn, FSSL_E_STATE, __func__, "data is still to be read", err);
    if (!failed)
        failed = conn_drain(conn, &patience, err);
    if (!failed && !step.done && conn->carrier.write_error)
        failed = conn_write_refused(conn, err);
    return failed ? failed : (int64_t)step.done;
}

int64_t fssl_conn_shutdown(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t result = acquire(h, KIND_CONN, &conn, err);

    if (result)
        return result;
    conn->want = 0;
    result = conn_shutdown(conn, err);
    return result < 0 ? abandon(h, result, err) : finish(h, result, err);
}
