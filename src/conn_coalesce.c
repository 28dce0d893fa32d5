/* Coalescing: small messages that are gathered and become one record.

   They go out when they fill the bound, at a flush, at the shutdown, when ciphertext is taken from
   memory, and before a read waits. While one waits nothing is gathered, as its peer may be waiting
   for just that. What was accepted is never lost without a word: it stays until it is encrypted,
   and where that cannot be any more, every later send, flush and shutdown fails. */
#include "internal.h"

#include <poll.h>
#include <string.h>

#include <openssl/crypto.h>

/* Takes the bytes out as it encrypts them, so that none is sent twice where threads take turns. */
static int run_gathered(SSL *ssl, struct step *step)
{
    struct gathered *gathered = step->buf;
    int answer = 1;

    if (gathered->count > 0)
        answer = SSL_write_ex(ssl, gathered->data, gathered->count, &step->done);
    if (answer == 1 && gathered->count > 0) {
        gathered->count -= step->done; /* some stay where the peer takes short records only */
        memmove(gathered->data, gathered->data + step->done, gathered->count);
    }
    return answer;
}

/* Sends what was gathered, waiting as the connection does. */
int64_t conn_send_gathered(struct conn *conn, struct patience *patience, int32_t *err)
{
    int64_t failed = 0;

    while (!failed && conn->gathered.count > 0) {
        struct step step = {run_gathered, &conn->gathered, 0, 0};
        int32_t want = FSSL_OK;

        failed = conn_record_wait(conn, patience, err);
        if (!failed)
            failed = conn_step(conn, &step, &want, err);
        if (!failed && want)
            failed = conn_wait(conn, want, patience, err);
        if (!failed && conn->carrier.write_error)
            failed = conn_write_refused(conn, err);
    }
    return failed;
}

static bool can_pass(const struct conn *conn)
{
    return conn->gathered.count > 0 && conn_ready(conn) && !conn_renegotiating(conn) &&
           !conn_queue_full(conn) && !conn->carrier.write_error;
}

/* Sends of what was gathered as much as the carrier takes now; the rest stays for later. That the
   carrier takes no more is for the next send to tell: there may still be something to read. */
int64_t conn_pass_gathered(struct conn *conn, int32_t *err)
{
    struct gathered *gathered = &conn->gathered;
    int32_t want = FSSL_OK;
    int64_t failed = 0;

    while (!failed && !want && can_pass(conn)) {
        struct step step = {run_gathered, gathered, 0, 0};

        failed = conn_step(conn, &step, &want, err);
    }
    if (gathered->data && gathered->count == 0 && conn->settings->buffer_release) {
        conn_release(conn);
        OPENSSL_clear_free(gathered->data, RECORD_MAX);
        gathered->data = NULL;
    }
    return failed;
}

static bool reader_waits(const struct conn *conn)
{
    const struct waiter *waiter = conn->waiters;

    while (waiter && !(waiter->events & POLLIN))
        waiter = waiter->next;
    return waiter != NULL;
}

/* Tells whether messages may be gathered now. What could not be sent is not: it shall fail. */
bool conn_may_gather(const struct conn *conn)
{
    return conn->established && !conn->carrier.write_error && !reader_waits(conn) &&
           !(SSL_get_shutdown(conn->ssl) & SSL_SENT_SHUTDOWN);
}

/* Gathers as much of a message as the bound leaves room for. */
int64_t conn_gather(struct conn *conn, const uint8_t *data, size_t len, size_t *sent, int32_t *err)
{
    struct gathered *gathered = &conn->gathered;
    size_t room = gathered->bound - gathered->count;

    if (!gathered->data)
        gathered->data = OPENSSL_malloc(RECORD_MAX);
    if (!gathered->data) {
        conn->stirred = true;
        return conn_say(conn, FSSL_E_MEMORY, __func__, "out of memory", err);
    }
    if (len > room)
        len = room;
    memcpy(gathered->data + gathered->count, data, len);
    gathered->count += len;
    *sent += len;
    return 0;
}

/* Gathers a message, if it is one that only has to be copied. */
bool conn_gather_at_once(struct conn *conn, const uint8_t *data, size_t len)
{
    struct gathered *gathered = &conn->gathered;

    if (!gathered->data || gathered->count >= gathered->bound ||
        len >= gathered->bound - gathered->count || conn->senders || !conn_ready(conn) ||
        !conn_may_gather(conn))
        return false;
    conn->want = 0;
    memcpy(gathered->data + gathered->count, data, len);
    gathered->count += len;
    return true;
}

int64_t fssl_conn_set_coalescing(fssl_handle h, int64_t bytes, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->carrier.datagram)
        return refuse_at(h, FSSL_E_UNSUPPORTED, __func__, "not with datagrams", NULL, err);
    if (bytes < 0 || bytes > RECORD_MAX)
        return refuse(h, "bytes", err);
    conn->gathered.bound = (size_t)bytes;
    return finish_own(h, 0, err);
}
