/* Sending.

   A send is accepted a record at a time, and only while nothing is queued (in memory: while little
   is): so whatever it returns, the caller's buffer is free, and what was not accepted was never
   encrypted. Where the connection blocks, a send returns when all is with the kernel.

   Threads that send take turns, first come, first served, so that none interleaves with another's
   data. The one whose turn it is may wait for the carrier; the others wait for it. With coalescing,
   small messages are gathered first: see conn_coalesce.c. */
#include "internal.h"

#include <errno.h>
#include <poll.h>

#include <openssl/crypto.h>

/* ---- turns ---- */

static void turn_end(struct conn *conn, struct sender *sender)
{
    struct sender **at = &conn->senders;

    while (*at != sender)
        at = &(*at)->next;
    *at = sender->next;
    wait_wake(conn->waiters, WAIT_TURN);
}

/* Joins the line and waits for its turn. On failure it has left the line. */
static int64_t turn_begin(struct conn *conn, struct sender *sender, struct patience *patience,
                          int32_t *err)
{
    struct sender **at = &conn->senders;
    int64_t failed = 0;

    while (*at)
        at = &(*at)->next;
    *at = sender;
    while (!failed && conn->senders != sender)
        failed = conn_wait(conn, FSSL_OK, patience, err);
    if (failed)
        turn_end(conn, sender);
    return failed;
}

/* ---- sending ---- */

static int run_write(SSL *ssl, struct step *step)
{
    return SSL_write_ex(ssl, step->buf, step->len, &step->done);
}

/* Ends a call that had to send what the carrier did not take; the connection stays usable. */
int64_t conn_write_refused(struct conn *conn, int32_t *err)
{
    struct fault fault;

    if (conn->carrier.datagram)
        return dtls_refused(conn, err);
    fault_begin(&fault, FSSL_E_SYSCALL);
    fault.system_errno = conn->carrier.write_error;
    fault_say(&fault, __func__, "the carrier takes no more", NULL);
    return fault_publish(&fault, err);
}

/* Tells whether application data must wait. To memory some may be queued; but of what the caller
   takes at once, only the record that its room does not hold. */
bool conn_queue_full(const struct conn *conn)
{
    const struct carrier *carrier = &conn->carrier;

    return carrier->spilled || carrier->out.count > (carrier->memory ? CARRIER_APP_MAX : 0);
}

/* Waits until there is room for a record. */
static int64_t room_wait(struct conn *conn, struct patience *patience, int32_t *err)
{
    int64_t failed = conn_establish(conn, patience, err);

    carrier_flush(&conn->carrier);
    while (!failed && conn_queue_full(conn)) {
        failed = conn_wait(conn, FSSL_E_WANT_WRITE, patience, err);
        carrier_flush(&conn->carrier);
    }
    if (!failed && conn->carrier.write_error)
        return conn_write_refused(conn, err);
    return failed;
}

/* Waits until OpenSSL and the carrier take a record. */
int64_t conn_record_wait(struct conn *conn, struct patience *patience, int32_t *err)
{
    int64_t failed;

    do {
        failed = conn_renegotiating(conn) ? conn_renegotiated(conn, patience, err) : 0;
        if (!failed)
            failed = room_wait(conn, patience, err);
    } while (!failed && conn_renegotiating(conn));
    return failed;
}

static int64_t send_record(struct conn *conn, const uint8_t *data, size_t len, size_t *sent,
                           struct patience *patience, int32_t *err)
{
    struct step step = {run_write, (void *)(uintptr_t)data, len < RECORD_MAX ? len : RECORD_MAX, 0};
    int32_t want;
    int64_t failed = conn_record_wait(conn, patience, err);

    if (!failed)
        failed = conn_step(conn, &step, &want, err);
    if (failed)
        return failed;
    if (want)
        return conn_wait(conn, want, patience, err);
    if (conn->carrier.write_error)
        return conn_write_refused(conn, err);
    *sent += step.done;
    return 0;
}

/* Waits, where the connection blocks, until what is queued has gone out. */
int64_t conn_drain(struct conn *conn, struct patience *patience, int32_t *err)
{
    int64_t failed = 0;

    while (!failed && conn->carrier.out.count > 0 && !conn->carrier.memory) {
        failed = conn_wait(conn, FSSL_E_WANT_WRITE, patience, err);
        if (failed == -FSSL_E_WANT_WRITE)
            return 0; /* it does not block: the next call goes on */
        carrier_flush(&conn->carrier);
    }
    return failed;
}

/* ---- sends ---- */

/* Gathers or sends a piece of data, or what was gathered before it. */
static int64_t send_piece(struct conn *conn, const uint8_t *data, size_t len, size_t *sent,
                          struct patience *patience, int32_t *err)
{
    const struct gathered *gathered = &conn->gathered;
    bool gathers = gathered->bound > 0 && conn_may_gather(conn);

    if (gathered->count == 0 && (!gathers || len >= gathered->bound))
        return send_record(conn, data, len, sent, patience, err);
    if (gathers && gathered->count < gathered->bound)
        return conn_gather(conn, data, len, sent, err);
    return conn_send_gathered(conn, patience, err);
}

/* Sends what fills the bound. What has to wait was accepted all the same. */
static int64_t send_full(struct conn *conn, struct patience *patience, int32_t *err)
{
    int64_t failed = 0;

    if (conn->gathered.count >= conn->gathered.bound || !conn_may_gather(conn))
        failed = conn_send_gathered(conn, patience, err);
    return failed == -FSSL_E_WANT_READ || failed == -FSSL_E_WANT_WRITE ? 0 : failed;
}

/* Sends as the connection does, counting what was accepted. */
int64_t conn_send(struct conn *conn, const uint8_t *data, size_t len, size_t *sent, int32_t *err)
{
    struct patience patience = {false, false, -1};
    struct sender sender = {NULL};
    int64_t failed = conn_usable(conn, err);

    conn->want = 0;
    if (!failed && conn->carrier.datagram)
        failed = dtls_sendable(conn, len, err);
    if (!failed)
        failed = turn_begin(conn, &sender, &patience, err);
    if (failed)
        return failed;
    while (!failed && *sent < len) {
        failed = send_piece(conn, data + *sent, len - *sent, sent, &patience, err);
        conn_yield(conn);
    }
    if (!failed)
        failed = send_full(conn, &patience, err);
    if (!failed)
        failed = conn_drain(conn, &patience, err);
    turn_end(conn, &sender);
    return failed;
}

int64_t fssl_conn_send(fssl_handle h, const uint8_t *data, int64_t len, int32_t *err)
{
    struct conn *conn;
    size_t sent = 0;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(data, len))
        return refuse(h, "data", err);
    if (len == 0 || conn_gather_at_once(conn, data, (size_t)len))
        return finish_own(h, len, err);
    queue_empty();
    conn->stirred = false;
    failed = conn_send(conn, data, (size_t)len, &sent, err);
    return failed && sent == 0 ? abandon(h, failed, err) : conn_done(h, conn, (int64_t)sent, err);
}

int64_t fssl_conn_send_all(fssl_handle h, const uint8_t *data, int64_t len, int64_t *sent,
                           int32_t *err)
{
    struct conn *conn;
    size_t done = 0;
    int64_t failed;

    if (sent)
        *sent = 0;
    failed = acquire(h, KIND_CONN, &conn, err);
    if (failed)
        return failed;
    if (!bytes_given(data, len))
        return refuse(h, "data", err);
    conn->stirred = false;
    if (len > 0 && conn_gather_at_once(conn, data, (size_t)len))
        done = (size_t)len;
    else if (len > 0)
        failed = conn_send(conn, data, (size_t)len, &done, err);
    if (sent)
        *sent = (int64_t)done;
    return failed ? abandon(h, failed, err) : conn_done(h, conn, 0, err);
}

int64_t fssl_conn_flush(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    struct patience patience = {false, false, -1};
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    conn->want = 0;
    carrier_flush(&conn->carrier); /* an alert may be owed by a connection that failed */
    if (conn->carrier.out.count + conn->gathered.count == 0 && !conn->carrier.write_error)
        return finish(h, 0, err);
    failed = conn_usable(conn, err);
    if (!failed)
        failed = conn_send_gathered(conn, &patience, err);
    while (!failed && conn->carrier.out.count > 0) {
        failed = conn_wait(conn, FSSL_E_WANT_WRITE, &patience, err);
        carrier_flush(&conn->carrier);
    }
    if (!failed && conn->carrier.write_error)
        failed = conn_write_refused(conn, err);
    return failed ? abandon(h, failed, err) : finish(h, 0, err);
}
