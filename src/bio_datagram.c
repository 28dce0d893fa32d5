/* Where datagrams enter and leave: what bio.c has for streams, for the connections of DTLS.

   One read of OpenSSL's is one datagram, as is one write, and none is ever joined with another or
   split. In memory each lies in its ring with its length, two bytes, before it. A datagram may be
   lost, so nothing here fails for good: one for which there is no room is dropped, and what the
   system refuses (an ICMP answer, a route that is gone) is kept in read_error or write_error, to be
   told once (dtls.c).

   While a socket listens its peer is whoever sent last. When that one has shown its cookie the
   socket is connected to it, and the kernel keeps others' datagrams away. */
#include "internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>

#include <openssl/crypto.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* there SO_NOSIGPIPE is set on the socket */
#endif

enum { LENGTH = 2, BUDGET = 1024, RECORD_HEADER = 13, TAG = 16, NONCE = 8 };

/* What IP and UDP add to a datagram, and what may be sent where nothing is known of the path: each
   host must take IPv4 packets of 576 bytes and IPv6 packets of 1280. */
enum {
    OVERHEAD_IPV4 = 28,
    OVERHEAD_IPV6 = 48,
    FALLBACK_IPV4 = 576 - OVERHEAD_IPV4,
    FALLBACK_IPV6 = 1280 - OVERHEAD_IPV6
};

bool datagram_start(struct carrier *carrier, const SSL *ssl)
{
    carrier->datagram = OPENSSL_zalloc(sizeof *carrier->datagram);
    if (!carrier->datagram)
        return false;
    carrier->datagram->ssl = ssl;
    carrier->datagram->budget = BUDGET;
    return true;
}

/* Tells whether an fd is a socket of datagrams. */
bool datagram_fd(int fd)
{
    int type = 0;
    socklen_t len = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM;
}

/* ---- in memory ---- */

/* Returns the length of the first datagram in a ring, 0 if there is none. */
size_t datagram_next(const struct ring *ring)
{
    uint8_t length[LENGTH];

    if (ring_peek(ring, length, LENGTH) < LENGTH)
        return 0;
    return (size_t)length[0] << 8 | length[1];
}

/* Takes the first datagram, and drops what of it does not fit. */
size_t datagram_take(struct ring *ring, uint8_t *buf, size_t len)
{
    size_t next = datagram_next(ring);
    uint8_t length[LENGTH];

    if (next == 0)
        return 0;
    ring_read(ring, length, LENGTH);
    len = ring_peek(ring, buf, len < next ? len : next);
    ring_drop(ring, next);
    return len;
}

/* Adds a datagram, whole or not at all. False if memory ran out. */
bool datagram_put(struct ring *ring, const uint8_t *data, size_t len, size_t max)
{
    uint8_t length[LENGTH] = {(uint8_t)(len >> 8), (uint8_t)len};

    if (len == 0 || ring->count + LENGTH + len > max)
        return true;
    if (ring_write(ring, length, LENGTH, max) < LENGTH)
        return false;
    if (ring_write(ring, data, len, max) == len)
        return true;
    ring->count -= LENGTH;
    return false;
}

static ssize_t memory_read(struct carrier *carrier, uint8_t *buf, size_t len)
{
    size_t got = datagram_take(&carrier->in, buf, len);

    if (got == 0 && carrier->feed_len > 0) {
        got = len < carrier->feed_len ? len : carrier->feed_len;
        memcpy(buf, carrier->feed, got);
        carrier->feed_len = 0;
    }
    if (got > 0 || carrier->eof)
        return (ssize_t)got;
    errno = EAGAIN;
    return -1;
}

/* ---- the socket ---- */

static bool again(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

/* Tells whether the socket was shut down: recv does not, and poll would wake for it for ever. */
bool datagram_shut(const struct carrier *carrier)
{
#ifdef __linux__
    struct pollfd set = {(int)carrier->fd, 0x2000, 0}; /* POLLRDHUP, which POSIX does not know */

    return poll(&set, 1, 0) > 0 && (set.revents & 0x2000);
#else
    (void)carrier;
    return false;
#endif
}

static ssize_t fd_receive(struct carrier *carrier, uint8_t *buf, size_t len)
{
    struct datagram *datagram = carrier->datagram;
    struct sockaddr *from = datagram->listening ? (struct sockaddr *)&datagram->peer : NULL;
    ssize_t got = 0;

    while (datagram->budget-- > 0) {
        datagram->peer_len = from ? sizeof datagram->peer : 0;
        got = recvfrom((int)carrier->fd, buf, len, MSG_DONTWAIT, from,
                       from ? &datagram->peer_len : NULL);
        if (got > 0)
            return got;
        if (got < 0 && errno != EINTR)
            break;
    }
    datagram->budget = BUDGET;
    if (datagram->shut)
        return 0;
    if (got < 0 && !again(errno))
        carrier->read_error = errno;
    errno = EAGAIN;
    return -1;
}

/* ---- reading ---- */

/* Tells whether a protected record is too short for the cipher. OpenSSL would not drop it as RFC
   6347 has it, but end the connection, which anybody could then do who can forge an address. */
static bool too_short(const struct datagram *datagram, size_t len)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(datagram->ssl);

    if (len >= NONCE + TAG || (cipher && !SSL_CIPHER_is_aead(cipher)))
        return false;
    if (cipher && (SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305 ||
                   strstr(SSL_CIPHER_get_name(cipher), "CCM8")))
        return len < TAG; /* the one has no nonce in the record, the other half a tag */
    return true;
}

static bool forged(const struct datagram *datagram, const uint8_t *data, size_t len)
{
    while (len >= RECORD_HEADER) {
        size_t body = (size_t)data[RECORD_HEADER - 2] << 8 | data[RECORD_HEADER - 1];
        bool is_protected = data[3] || data[4]; /* its epoch */

        if (is_protected && too_short(datagram, body))
            return true;
        if (body > len - RECORD_HEADER)
            return false;
        data += RECORD_HEADER + body;
        len -= RECORD_HEADER + body;
    }
    return false;
}

/* Reads a datagram, or returns 0 at the end, or -1 with EAGAIN if there is none, or if so many were
   read at once that others must have the connection. */
ssize_t datagram_read(struct carrier *carrier, uint8_t *buf, size_t len)
{
    ssize_t got;

    do {
        got = carrier->memory ? memory_read(carrier, buf, len) : fd_receive(carrier, buf, len);
    } while (got > 0 && forged(carrier->datagram, buf, (size_t)got));
    return got;
}

/* ---- writing to the socket ---- */

/* Sends a datagram that lies in one piece or two. False if the socket takes none now. */
static bool fd_send(struct carrier *carrier, struct iovec *pieces, size_t count)
{
    struct datagram *datagram = carrier->datagram;
    struct msghdr message = {0};
    bool told = false; /* what an earlier one met */
    ssize_t sent;

    message.msg_iov = pieces;
    message.msg_iovlen = count;
    if (datagram->listening && datagram->peer_len > 0) {
        message.msg_name = &datagram->peer;
        message.msg_namelen = datagram->peer_len;
    }
    do {
        sent = sendmsg((int)carrier->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == ECONNREFUSED && !told) {
            told = true;
            errno = EINTR;
        }
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && again(errno))
        return false;
    if (sent < 0)
        carrier->write_error = errno;
    return true;
}

void datagram_write(struct carrier *carrier, const uint8_t *data, size_t len)
{
    struct iovec piece = {(void *)(uintptr_t)data, len};

    if (!carrier->memory && carrier->out.count == 0 && fd_send(carrier, &piece, 1))
        return;
    if (!carrier->memory && carrier->datagram->listening) /* what is next may be for another */
        return;
    if (!datagram_put(&carrier->out, data, len, CARRIER_OUT_MAX))
        carrier->write_error = ENOMEM;
}

/* Sends what is queued as far as the socket takes it. */
void datagram_flush(struct carrier *carrier)
{
    while (carrier->out.count > 0 && !carrier->memory) {
        size_t len = datagram_next(&carrier->out), first;
        uint8_t *at = ring_at(&carrier->out, LENGTH, &first);
        struct iovec pieces[2] = {{at, first < len ? first : len},
                                  {carrier->out.data, first < len ? len - first : 0}};

        if (!fd_send(carrier, pieces, 2))
            return;
        ring_drop(&carrier->out, LENGTH + len);
    }
}

/* Connects the socket to the peer that it listened to. What others sent until now is lost to them
   and comes again. Returns the errno. */
int datagram_connect(struct carrier *carrier)
{
    struct datagram *datagram = carrier->datagram;
    uint8_t byte;

    datagram->listening = false;
    if (carrier->memory)
        return 0;
    if (connect((int)carrier->fd, (struct sockaddr *)&datagram->peer, datagram->peer_len))
        return errno;
    for (int i = 0; i < BUDGET && recv((int)carrier->fd, &byte, 1, MSG_DONTWAIT) >= 0; i++)
        ;
    return 0;
}

/* ---- what OpenSSL asks ---- */

static int family_of(const struct carrier *carrier)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;

    if (!carrier->memory)
        getsockname((int)carrier->fd, (struct sockaddr *)&address, &len);
    return address.ss_family;
}

/* Returns how long a datagram may be on the way to the peer, as far as the system knows. */
static long path_mtu(const struct carrier *carrier, int family)
{
    int mtu = 0;
#ifdef IP_MTU
    socklen_t len = sizeof mtu;
    bool ipv6 = family == AF_INET6;

    if ((ipv6 || family == AF_INET) &&
        getsockopt((int)carrier->fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_MTU : IP_MTU,
                   &mtu, &len) == 0)
        mtu -= ipv6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4;
#endif
    if (mtu <= 0)
        return family == AF_INET ? FALLBACK_IPV4 : FALLBACK_IPV6;
    return mtu < FLIGHT_MAX ? mtu : FLIGHT_MAX;
}

long datagram_ctrl(const struct carrier *carrier, int command)
{
    int family;

    switch (command) {
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return OVERHEAD_IPV6; /* so that the least MTU is the same everywhere */
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        family = family_of(carrier);
        if (command == BIO_CTRL_DGRAM_QUERY_MTU)
            return path_mtu(carrier, family);
        return family == AF_INET6 ? FALLBACK_IPV6 : FALLBACK_IPV4;
    default:
        return 0;
    }
}
