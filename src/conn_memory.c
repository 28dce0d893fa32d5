/* The two ends of the memory carrier, and the one call that an event loop needs for each packet
   that comes, and for each message that goes. */
#include "internal.h"

#include <openssl/crypto.h>

/* In a callback of a pump or seal, what comes before and after what the caller has is still with
   that call. Another thread finds their buffers lent only where they are used up (conn_yield). */
static int64_t acquire_memory(fssl_handle h, struct conn **conn, int32_t *err)
{
    int64_t failed = acquire_own(h, KIND_CONN, conn, err);

    if (failed)
        return failed;
    if (!(*conn)->carrier.memory)
        return refuse_state(h, "the connection is not on memory", err);
    if ((*conn)->object.lock.depth > 1 && ((*conn)->carrier.feed || (*conn)->carrier.drain))
        return abandon(h, conn_usable(*conn, err), err);
    return 0;
}

/* Has what was gathered join the ciphertext that is about to be taken. A failure is the
   connection's own: it is for the next send to tell. */
static void pass_gathered(struct conn *conn)
{
    if (conn->gathered.count == 0)
        return;
    queue_empty();
    conn_pass_gathered(conn, NULL);
    queue_empty();
}

/* Gives the first datagram whole, or for capacity 0 its length. */
static int64_t read_datagram(fssl_handle h, struct conn *conn, uint8_t *buf, int64_t cap,
                             int32_t *err)
{
    size_t next = datagram_next(&conn->carrier.out);

    if (next == 0)
        return finish_code(h, FSSL_E_WANT_READ, err);
    if (cap > 0 && (size_t)cap < next)
        return finish_code(h, FSSL_E_BUFFER, err);
    if (cap > 0)
        datagram_take(&conn->carrier.out, buf, next);
    return finish(h, (int64_t)next, err);
}

/* Takes a datagram whole. */
static int64_t write_datagram(fssl_handle h, struct conn *conn, const uint8_t *data, int64_t len,
                              int32_t *err)
{
    struct ring *in = &conn->carrier.in;
    size_t before = in->count;

    if (len > DATAGRAM_MAX)
        return refuse(h, "data", err);
    if (!datagram_put(in, data, (size_t)len, CARRIER_IN_MAX))
        return refuse_at(h, FSSL_E_MEMORY, __func__, "out of memory", NULL, err);
    if (in->count > before || len == 0)
        return finish(h, len, err);
    return refuse_at(h, FSSL_E_LIMIT, __func__, "the input is full: recv makes room", NULL, err);
}

int64_t fssl_conn_bio_read(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    size_t got;
    int64_t failed = acquire_memory(h, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(buf, cap))
        return refuse(h, "buf", err);
    pass_gathered(conn);
    if (conn->carrier.datagram)
        return read_datagram(h, conn, buf, cap, err);
    got = ring_read(&conn->carrier.out, buf, (size_t)cap);
    if (got == 0 && cap > 0)
        return finish_own(h, -FSSL_E_WANT_READ, err);
    return finish_own(h, (int64_t)got, err);
}

int64_t fssl_conn_bio_write(fssl_handle h, const uint8_t *data, int64_t len, int32_t *err)
{
    struct conn *conn;
    size_t taken;
    int64_t failed = acquire_memory(h, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(data, len))
        return refuse(h, "data", err);
    if (conn->carrier.datagram)
        return write_datagram(h, conn, data, len, err);
    taken = ring_write(&conn->carrier.in, data, (size_t)len, CARRIER_IN_MAX);
    if (taken > 0 || len == 0)
        return finish_own(h, (int64_t)taken, err);
    if (conn->carrier.in.count < CARRIER_IN_MAX)
        return refuse_at(h, FSSL_E_MEMORY, __func__, "out of memory", NULL, err);
    return refuse_at(h, FSSL_E_LIMIT, __func__, "the input is full: recv makes room", NULL, err);
}

int64_t fssl_conn_bio_shutdown(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_memory(h, &conn, err);

    if (failed)
        return failed;
    conn->carrier.eof = true;
    return finish_own(h, 0, err);
}

int64_t fssl_conn_leftover(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(buf, cap))
        return refuse(h, "buf", err);
    if (conn->carrier.datagram)
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "not with datagrams", NULL, err);
    if (!(SSL_get_shutdown(conn->ssl) & SSL_RECEIVED_SHUTDOWN))
        return refuse_state(h, "the peer has not sent close_notify", err);
    return finish(h, (int64_t)ring_read(&conn->carrier.in, buf, (size_t)cap), err);
}

/* ---- one call for a packet, or for a message ---- */

/* Inside a callback the buffers of the pump or seal that caused it are still lent. */
static int64_t acquire_pump(fssl_handle h, struct conn **conn, int32_t *err)
{
    int64_t failed = acquire_memory(h, conn, err);

    if (!failed && (*conn)->object.lock.depth > 1)
        return abandon(h, conn_usable(*conn, err), err);
    return failed;
}

/* Lends the caller's buffers to the carrier until `take_back`. What was queued goes out first. */
static void lend(struct carrier *carrier, const uint8_t *in, size_t in_len, uint8_t *out,
                 size_t cap)
{
    size_t queued;

    carrier->feed = in;
    carrier->feed_len = in_len;
    if (carrier->datagram || cap == 0)
        return;
    queued = ring_read(&carrier->out, out, cap);
    carrier->drain = out + queued;
    carrier->drain_len = cap - queued;
}

/* Takes them back. Returns how many bytes to be sent are in out, of datagrams the first if it
   fits. */
static size_t take_back(struct carrier *carrier, uint8_t *out, size_t cap)
{
    size_t given = carrier->drain ? cap - carrier->drain_len : 0;

    carrier->drain = NULL;
    carrier->drain_len = 0;
    carrier->spilled = false;
    if (carrier->datagram && cap >= datagram_next(&carrier->out))
        return datagram_take(&carrier->out, out, cap);
    return given;
}

/* Keeps what OpenSSL has left of the caller's ciphertext. Returns how much could not be kept. */
static size_t feed_end(struct carrier *carrier)
{
    size_t before = carrier->in.count, left = carrier->feed_len;

    if (carrier->datagram && datagram_put(&carrier->in, carrier->feed, left, CARRIER_IN_MAX))
        left = carrier->in.count > before ? 0 : left;
    else if (!carrier->datagram && left > 0)
        left -= ring_write(&carrier->in, carrier->feed, left, CARRIER_IN_MAX);
    carrier->feed = NULL;
    carrier->feed_len = 0;
    return left;
}

static int64_t pump(struct conn *conn, uint8_t *plain, size_t plain_cap, int32_t *err)
{
    struct patience patience = {false, false, -1};

    if (plain_cap == 0)
        return conn_establish(conn, &patience, err);
    return conn_recv(conn, plain, plain_cap, 0, err);
}

int64_t fssl_conn_pump(fssl_handle h, const uint8_t *in, int64_t in_len, int64_t *taken,
                       uint8_t *plain, int64_t plain_cap, uint8_t *out, int64_t out_cap,
                       int64_t *given, int32_t *err)
{
    struct conn *conn;
    int64_t result;

    if (taken)
        *taken = 0;
    if (given)
        *given = 0;
    result = acquire_pump(h, &conn, err);
    if (result)
        return result;
    if (!taken || !given)
        return refuse(h, taken ? "given" : "taken", err);
    if (!bytes_given(in, in_len) || (conn->carrier.datagram && in_len > DATAGRAM_MAX))
        return refuse(h, "in", err);
    if (!bytes_given(plain, plain_cap))
        return refuse(h, "plain", err);
    if (!bytes_given(out, out_cap))
        return refuse(h, "out", err);
    queue_empty();
    conn->stirred = false;
    lend(&conn->carrier, in, (size_t)in_len, out, (size_t)out_cap);
    result = pump(conn, plain, (size_t)plain_cap, err);
    *taken = in_len - (int64_t)feed_end(&conn->carrier);
    conn->stirred |= *taken < in_len; /* memory may have run out */
    pass_gathered(conn);
    *given = (int64_t)take_back(&conn->carrier, out, (size_t)out_cap);
    return result < 0 ? abandon(h, result, err) : conn_done(h, conn, result, err);
}

int64_t fssl_conn_seal(fssl_handle h, const uint8_t *data, int64_t len, uint8_t *out,
                       int64_t out_cap, int64_t *given, int32_t *err)
{
    struct conn *conn;
    size_t sent = 0;
    int64_t failed;

    if (given)
        *given = 0;
    failed = acquire_pump(h, &conn, err);
    if (failed)
        return failed;
    if (!bytes_given(data, len))
        return refuse(h, "data", err);
    if (!bytes_given(out, out_cap))
        return refuse(h, "out", err);
    if (!given)
        return refuse(h, "given", err);
    queue_empty();
    conn->stirred = false;
    lend(&conn->carrier, NULL, 0, out, (size_t)out_cap);
    if (len > 0)
        failed = conn_send(conn, data, (size_t)len, &sent, err);
    pass_gathered(conn);
    *given = (int64_t)take_back(&conn->carrier, out, (size_t)out_cap);
    return failed && sent == 0 ? abandon(h, failed, err) : conn_done(h, conn, (int64_t)sent, err);
}
