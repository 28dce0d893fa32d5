/* Where bytes enter and leave: the BIO under every connection, over its carrier.

   A socket is read and written without waiting and without SIGPIPE, whatever its blocking mode; a
   file or pipe by read and write once poll says that it is ready. In memory, ciphertext comes in
   through the ring `in` and goes out through the ring `out`; a call that both feeds and drains
   lends its buffers for as long as it lasts (`feed`, `drain`), and the rings take what is over.

   A write never makes OpenSSL wait: what the socket does not take is queued in `out`, and
   conn_send.c lets application data in only while that queue is short. So OpenSSL never holds a
   half-written record of which it would want the same buffer again. Protocol messages may queue
   up to CARRIER_OUT_MAX; past it the connection fails.

   Nor does a failed write reach OpenSSL: it is kept in write_error for those who send. Data that
   the peer sent before it closed can then still be read, where OpenSSL would fail the connection
   because a session ticket met EPIPE.

   With read-ahead a socket is read through `in`, several records a system call. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/crypto.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* there SO_NOSIGPIPE is set on the socket */
#endif

enum { PIPE_PIECE = 4096, TLS_HEADER = 5 };

static _Atomic(BIO_METHOD *) method;

/* ---- the file descriptor ---- */

/* Tells whether a call on the fd would not wait; else errno says why, as the call would. */
static bool plain_ready(int fd, short event)
{
    struct pollfd set = {fd, event, 0};
    int ready = poll(&set, 1, 0);

    if (ready == 0)
        errno = EAGAIN;
    return ready > 0;
}

static ssize_t plain_read(int fd, void *buf, size_t len)
{
    return plain_ready(fd, POLLIN) ? read(fd, buf, len) : -1;
}

/* Writes to a pipe without the SIGPIPE that MSG_NOSIGNAL keeps away from sockets: the signal is
   held back and, if this write raised it, taken. */
static ssize_t write_quietly(int fd, const struct iovec *parts, int count)
{
    sigset_t pipe_signal, before, pending;
    ssize_t sent;
    int error, taken;
    bool waiting;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    waiting = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
    sent = writev(fd, parts, count);
    error = errno;
    if (sent < 0 && error == EPIPE && !waiting && sigpending(&pending) == 0 &&
        sigismember(&pending, SIGPIPE))
        sigwait(&pipe_signal, &taken);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return sent;
}

/* Never waits: what cannot be written now gives EAGAIN. */
ssize_t plain_write(int fd, const struct iovec *parts, int count)
{
    return plain_ready(fd, POLLOUT) ? write_quietly(fd, parts, count) : -1;
}

static ssize_t fd_read(struct carrier *carrier, void *buf, size_t len)
{
    ssize_t got;

    do {
        if (!carrier->plain) {
            got = recv((int)carrier->fd, buf, len, MSG_DONTWAIT);
            if (got < 0 && errno == ENOTSOCK)
                carrier->plain = true;
        }
        if (carrier->plain)
            got = plain_read((int)carrier->fd, buf, len);
    } while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t fd_write(struct carrier *carrier, const void *data, size_t len)
{
    struct iovec piece = {(void *)(uintptr_t)data, len < PIPE_PIECE ? len : PIPE_PIECE};
    ssize_t sent;

    do {
        if (!carrier->plain) {
            sent = send((int)carrier->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent < 0 && errno == ENOTSOCK)
                carrier->plain = true;
        }
        if (carrier->plain)
            sent = plain_write((int)carrier->fd, &piece, 1);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

static bool again(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* Serves carrier_flush. */
void carrier_send_queue(struct carrier *carrier)
{
    if (carrier->fd == FSSL_NO_FD)
        return; /* detached: what is queued is nobody's */
    if (carrier->datagram) {
        datagram_flush(carrier);
        return;
    }
    while (carrier->out.count > 0 && !carrier->write_error) {
        size_t piece;
        const uint8_t *at = ring_at(&carrier->out, 0, &piece);
        ssize_t sent =
            fd_write(carrier, at, piece < carrier->out.count ? piece : carrier->out.count);

        if (sent == 0 || (sent < 0 && again(errno)))
            return;
        if (sent < 0)
            carrier->write_error = errno;
        else
            ring_drop(&carrier->out, (size_t)sent);
    }
    if (carrier->write_error)
        ring_drop(&carrier->out, carrier->out.count);
}

/* Writes past the ring, into the caller's own room. */
static size_t carrier_drain(struct carrier *carrier, const uint8_t *data, size_t len)
{
    if (len > carrier->drain_len)
        len = carrier->drain_len;
    memcpy(carrier->drain, data, len);
    carrier->drain += len;
    carrier->drain_len -= len;
    return len;
}

static ssize_t carrier_write(struct carrier *carrier, const uint8_t *data, size_t len)
{
    ssize_t sent = 0;
    size_t left;

    if (carrier->write_error)
        return (ssize_t)len;
    if (carrier->drain && carrier->out.count == 0)
        sent = (ssize_t)carrier_drain(carrier, data, len);
    else if (!carrier->memory && carrier->out.count == 0) {
        sent = fd_write(carrier, data, len);
        if (sent < 0 && !again(errno)) {
            carrier->write_error = errno;
            return (ssize_t)len;
        }
        if (sent < 0)
            sent = 0;
    }
    left = len - (size_t)sent;
    if (left == 0)
        return (ssize_t)len;
    carrier->spilled = carrier->drain != NULL;
    if (ring_write(&carrier->out, data + sent, left, CARRIER_OUT_MAX) == left)
        return (ssize_t)len;
    carrier->overflow = true;
    return -1;
}

/* Gives back the memory of what is empty, for a connection that is idle. */
void carrier_release(struct carrier *carrier)
{
    ring_release(&carrier->in);
    ring_release(&carrier->out);
}

/* Fills `in` from the socket, or says why not, as recv does. */
static ssize_t carrier_read_ahead(struct carrier *carrier)
{
    struct ring *ring = &carrier->in;
    ssize_t got;

    if (ring->size < carrier->read_ahead && !ring_grow(ring, carrier->read_ahead)) {
        errno = ENOMEM;
        return -1;
    }
    got = fd_read(carrier, ring->data, ring->size);
    if (got > 0)
        ring->count = (size_t)got;
    return got;
}

/* Reads what has come already: from the ring, then from the caller's own bytes. */
static size_t carrier_buffered(struct carrier *carrier, uint8_t *buf, size_t len)
{
    size_t got = carrier->in.count > 0 ? ring_read(&carrier->in, buf, len) : 0;

    if (got == 0 && carrier->feed_len > 0) {
        got = len < carrier->feed_len ? len : carrier->feed_len;
        memcpy(buf, carrier->feed, got);
        carrier->feed += got;
        carrier->feed_len -= got;
    }
    return got;
}

static ssize_t carrier_read(struct carrier *carrier, uint8_t *buf, size_t len)
{
    ssize_t got = (ssize_t)carrier_buffered(carrier, buf, len);

    if (got > 0 || carrier->eof)
        return got;
    if (carrier->memory || carrier->read_error) {
        errno = carrier->memory ? EAGAIN : carrier->read_error;
        return -1;
    }
    if (carrier->read_ahead == 0)
        return fd_read(carrier, buf, len);
    got = carrier_read_ahead(carrier);
    return got > 0 ? (ssize_t)carrier_buffered(carrier, buf, len) : got;
}

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *buf, size_t len, size_t *done)
{
    struct carrier *carrier = BIO_get_data(bio);
    ssize_t got = carrier->datagram ? datagram_read(carrier, (uint8_t *)buf, len)
                                    : carrier_read(carrier, (uint8_t *)buf, len);

    BIO_clear_retry_flags(bio);
    if (got > 0) {
        carrier->bytes_in += (uint64_t)got;
        *done = (size_t)got;
        return 1;
    }
    if (got == 0) {
        carrier->eof = true;
        return 0;
    }
    if (again(errno)) {
        carrier->blocked = true;
        BIO_set_retry_read(bio);
    } else {
        carrier->read_error = errno;
    }
    return -1;
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *done)
{
    struct carrier *carrier = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (carrier->datagram)
        datagram_write(carrier, (const uint8_t *)data, len);
    else if (carrier_write(carrier, (const uint8_t *)data, len) < 0)
        return -1;
    *done = len;
    return 1;
}

/* OpenSSL asks for much, and several times a record whether the kernel does TLS: that, and what
   else is not known here, ends at once. */
static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    const struct carrier *carrier;

    (void)number;
    (void)pointer;
    if (command >= BIO_CTRL_GET_KTLS_SEND)
        return 0;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        carrier = BIO_get_data(bio);
        return carrier->eof;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        carrier = BIO_get_data(bio);
        return carrier->datagram ? datagram_ctrl(carrier, command) : 0;
    default:
        return 0;
    }
}

/* Makes the method at first use, and tries again if memory ran out then. */
static BIO_METHOD *bio_method(void)
{
    BIO_METHOD *known = NULL;
    BIO_METHOD *made = atomic_load(&method);

    if (made)
        return made;
    made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "flatssl");
    if (!made || !BIO_meth_set_read_ex(made, bio_read) || !BIO_meth_set_write_ex(made, bio_write) ||
        !BIO_meth_set_ctrl(made, bio_ctrl)) {
        BIO_meth_free(made);
        return NULL;
    }
    if (atomic_compare_exchange_strong(&method, &known, made))
        return made;
    BIO_meth_free(made);
    return known;
}

/* Returns a BIO over a carrier, which must outlive it, or NULL. */
BIO *carrier_bio_new(struct carrier *carrier)
{
    BIO_METHOD *ours = bio_method();
    BIO *bio = ours ? BIO_new(ours) : NULL;

    if (bio) {
        BIO_set_data(bio, carrier);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* Returns byte `at` of what has come already: see carrier_buffered. */
static uint8_t carrier_byte(const struct carrier *carrier, size_t at)
{
    size_t piece;

    return at < carrier->in.count ? *ring_at(&carrier->in, at, &piece)
                                  : carrier->feed[at - carrier->in.count];
}

/* Tells whether a whole TLS record has come already. */
bool carrier_has_record(const struct carrier *carrier)
{
    size_t count = carrier->in.count + carrier->feed_len;

    if (count < TLS_HEADER)
        return false;
    return count - TLS_HEADER >= ((size_t)carrier_byte(carrier, 3) << 8 | carrier_byte(carrier, 4));
}

void carrier_free(struct carrier *carrier)
{
    OPENSSL_clear_free(carrier->in.data, carrier->in.size);
    OPENSSL_free(carrier->out.data);
    if (carrier->datagram)
        blob_drop(carrier->datagram->peer_name);
    OPENSSL_free(carrier->datagram);
}
