/* DTLS: what its connections have beside those of TLS. Their carrier is in bio_datagram.c.

   The flights of a handshake are sent again until they are answered. OpenSSL keeps the timer: a
   call that waits wakes for it (conn_wait), one that does not wait leaves it to the caller, and a
   handshake that is called again sends what is due by itself.

   A cookie shows that a client receives what is sent to its address. It is a MAC of that address
   under the context's secret, so nothing is kept for a client that has shown none. The secret
   before the current one is good for cookies too, so that it can be changed at any time. */
#include "internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum {
    SECRET_MIN = 16,
    SECRET_MAX = 1024,
    PEER_NAME_MAX = 256,
    COOKIE = 32,
    MTU_MIN = 208, /* what OpenSSL takes at least */
    MTU_MAX = 65507
};

/* Acquires a connection of DTLS. */
static int64_t acquire_dtls(fssl_handle h, struct conn **conn, int32_t *err)
{
    int64_t failed = acquire(h, KIND_CONN, conn, err);

    if (!failed && !(*conn)->carrier.datagram)
        return refuse_state(h, "not a connection of DTLS", err);
    return failed;
}

/* ---- cookies ---- */

/* Writes the bytes that name a peer: as the caller has it, else its address and port. Returns how
   many, 0 if it is not known. */
static size_t peer_name(const struct conn *conn, uint8_t *name)
{
    const struct datagram *datagram = conn->carrier.datagram;
    struct sockaddr_storage peer = datagram->peer;
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)&peer;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)&peer;
    socklen_t len = sizeof peer;

    if (datagram->peer_name) {
        memcpy(name, datagram->peer_name->data, datagram->peer_name->len);
        return datagram->peer_name->len;
    }
    if (conn->carrier.memory)
        return 0;
    if (!datagram->listening && getpeername(fd_of(conn), (struct sockaddr *)&peer, &len))
        return 0;
    switch (peer.ss_family) {
    case AF_INET:
        memcpy(name, &ipv4->sin_port, sizeof ipv4->sin_port);
        memcpy(name + sizeof ipv4->sin_port, &ipv4->sin_addr, sizeof ipv4->sin_addr);
        return sizeof ipv4->sin_port + sizeof ipv4->sin_addr;
    case AF_INET6:
        memcpy(name, &ipv6->sin6_port, sizeof ipv6->sin6_port);
        memcpy(name + sizeof ipv6->sin6_port, &ipv6->sin6_addr, sizeof ipv6->sin6_addr);
        return sizeof ipv6->sin6_port + sizeof ipv6->sin6_addr;
    default:
        return 0;
    }
}

static bool cookie_of(const struct conn *conn, const struct blob *secret, uint8_t *cookie)
{
    uint8_t name[PEER_NAME_MAX];
    size_t len = secret ? peer_name(conn, name) : 0;
    unsigned int cookie_len = COOKIE;

    return len > 0 && HMAC(EVP_sha256(), secret->data, (int)secret->len, name, len, cookie,
                           &cookie_len) != NULL;
}

/* Writes the cookie for a connection's peer. 0 if it cannot be made. */
int cookie_make(const struct conn *conn, uint8_t *cookie, unsigned int *len)
{
    *len = COOKIE;
    return cookie_of(conn, conn->settings->cookie_secret, cookie);
}

/* Tells whether a cookie is one that this peer was sent. */
int cookie_known(const struct conn *conn, const uint8_t *cookie, unsigned int len)
{
    const struct settings *settings = conn->settings;
    uint8_t ours[COOKIE];

    if (len != COOKIE)
        return 0;
    if (cookie_of(conn, settings->cookie_secret, ours) && !CRYPTO_memcmp(ours, cookie, COOKIE))
        return 1;
    return cookie_of(conn, settings->cookie_former, ours) && !CRYPTO_memcmp(ours, cookie, COOKIE);
}

int64_t fssl_ctx_set_dtls_cookie_secret(fssl_handle h, const uint8_t *secret, int64_t secret_len,
                                        int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    struct blob *blob;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!ctx->dtls)
        return refuse_state(h, "not a context of DTLS", err);
    if (!bytes_given(secret, secret_len) || secret_len < SECRET_MIN || secret_len > SECRET_MAX)
        return refuse(h, "secret", err);
    settings = ctx_change(ctx);
    blob = settings ? blob_new(secret, (size_t)secret_len) : NULL;
    if (!blob)
        return fail(h, FSSL_E_MEMORY, err);
    blob_drop(settings->cookie_former);
    settings->cookie_former = settings->cookie_secret;
    settings->cookie_secret = blob;
    SSL_CTX_set_options(ctx->ssl, SSL_OP_COOKIE_EXCHANGE);
    return finish(h, 0, err);
}

int64_t fssl_conn_set_dtls_peer(fssl_handle h, const uint8_t *peer, int64_t peer_len, int32_t *err)
{
    struct conn *conn;
    struct blob *blob;
    int64_t failed = acquire_dtls(h, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(peer, peer_len) || peer_len == 0 || peer_len > PEER_NAME_MAX)
        return refuse(h, "peer", err);
    blob = blob_new(peer, (size_t)peer_len);
    if (!blob)
        return fail(h, FSSL_E_MEMORY, err);
    blob_drop(conn->carrier.datagram->peer_name);
    conn->carrier.datagram->peer_name = blob;
    return finish(h, 0, err);
}

/* ---- before the handshake ---- */

static int64_t cookies_ready(struct conn *conn, int32_t *err)
{
    const struct settings *settings = conn->settings;

    if (settings->on_cookie_generate.fn && settings->on_cookie_verify.fn)
        return 0;
    if (!settings->cookie_secret)
        return conn_say(conn, FSSL_E_STATE, __func__, "no cookie secret is set", err);
    if (conn->carrier.memory && !conn->carrier.datagram->peer_name)
        return conn_say(conn, FSSL_E_STATE, __func__, "no peer is set for the cookie", err);
    return 0;
}

/* Tells whether a handshake can begin, where OpenSSL would only say that it failed, and gives a
   client its profiles. */
int64_t dtls_ready(struct conn *conn, int32_t *err)
{
    uint64_t options = SSL_get_options(conn->ssl);

    if (conn->carrier.datagram->listening)
        return conn_say(conn, FSSL_E_STATE, __func__, "no client has shown its cookie yet", err);
    if ((options & SSL_OP_NO_QUERY_MTU) && conn->carrier.datagram->mtu == 0)
        return conn_say(conn, FSSL_E_STATE, __func__, "no MTU is set, and none may be asked", err);
    if (conn->server && (options & SSL_OP_COOKIE_EXCHANGE))
        return cookies_ready(conn, err);
    if (conn->client && !srtp_use(conn))
        return conn_say(conn, FSSL_E_MEMORY, __func__, "out of memory", err);
    return 0;
}

/* ---- what the carrier met ---- */

/* Ends a call with what the system refused. It is told once, and the connection goes on. */
int64_t dtls_refused(struct conn *conn, int32_t *err)
{
    struct carrier *carrier = &conn->carrier;
    int error = carrier->write_error ? carrier->write_error : carrier->read_error;
    struct fault fault;

    carrier->read_error = carrier->write_error = 0;
    fault_begin(&fault, FSSL_E_SYSCALL);
    if (error == EMSGSIZE)
        fault.code = FSSL_E_ARGUMENT;
    else if (error == ENOMEM)
        fault.code = FSSL_E_MEMORY;
    fault.system_errno = error;
    fault_say(&fault, __func__,
              error == EMSGSIZE ? "the datagram is too long" : "the operating system refused",
              NULL);
    return fault_publish(&fault, err);
}

/* A flight was too long for the path: the next one is not. */
static void shrink(struct conn *conn)
{
    long mtu = datagram_ctrl(&conn->carrier, BIO_CTRL_DGRAM_QUERY_MTU);
    long least = datagram_ctrl(&conn->carrier, BIO_CTRL_DGRAM_GET_FALLBACK_MTU);

    conn->carrier.write_error = 0;
    SSL_set_mtu(conn->ssl, mtu < least ? mtu : least);
}

/* Nothing more is to be read: goes on wanting, or tells what the carrier met. */
int64_t dtls_wants(struct conn *conn, int32_t *want, int32_t *err)
{
    if (conn->carrier.write_error == EMSGSIZE)
        shrink(conn);
    if (conn->carrier.write_error || conn->carrier.read_error)
        return dtls_refused(conn, err);
    *want = FSSL_E_WANT_READ;
    return 0;
}

/* Tells whether a datagram can be sent. */
int64_t dtls_sendable(struct conn *conn, size_t len, int32_t *err)
{
    if (conn->carrier.write_error == EMSGSIZE)
        shrink(conn);
    if (len > RECORD_MAX)
        return conn_say(conn, FSSL_E_ARGUMENT, __func__, "the datagram is too long", err);
    return 0;
}

/* ---- the timer ---- */

/* Returns in how many milliseconds the last flight is to be sent again, -1 for never. */
static int64_t timer_left(const struct conn *conn)
{
    struct timeval left;

    if (!DTLSv1_get_timeout(conn->ssl, &left))
        return -1;
    return (int64_t)left.tv_sec * 1000 + (left.tv_usec + 999) / 1000;
}

/* Returns when a wait until a deadline has to end for the timer, if that comes first. */
int64_t dtls_deadline(const struct conn *conn, int64_t deadline)
{
    int64_t left = timer_left(conn);
    int64_t due = left < 0 ? -1 : deadline_in(left);

    return due >= 0 && (deadline < 0 || due < deadline) ? due : deadline;
}

/* Sends the last flight again if that is due. Returns whether it was. */
int64_t dtls_retransmit(struct conn *conn, int32_t *err)
{
    struct fault fault;
    int answer = (int)DTLSv1_handle_timeout(conn->ssl);

    witness(&conn->object);
    if (answer >= 0)
        return answer;
    fault_begin(&fault, FSSL_E_TLS);
    fault_collect(&fault);
    if (fault.count == 0)
        fault_say(&fault, __func__, "cannot send the flight again", NULL);
    return conn_fail(conn, &fault, err);
}

int64_t fssl_conn_dtls_timeout(fssl_handle h, int64_t *milliseconds, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_dtls(h, &conn, err);

    if (failed)
        return failed;
    return finish_value(h, timer_left(conn), milliseconds, err);
}

int64_t fssl_conn_handle_dtls_timeout(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t result = acquire_dtls(h, &conn, err);

    if (result)
        return result;
    if (timer_left(conn) != 0)
        return finish(h, 0, err);
    result = conn_usable(conn, err);
    if (!result)
        result = dtls_retransmit(conn, err);
    if (result > 0 && conn->carrier.write_error && conn->carrier.write_error != EMSGSIZE)
        result = dtls_refused(conn, err);
    return result < 0 ? abandon(h, result, err) : finish(h, result, err);
}

/* ---- listening ---- */

/* A client has shown its cookie: from now on the connection is its own. */
static int64_t listened(struct conn *conn, int32_t *err)
{
    struct fault fault;
    int error = datagram_connect(&conn->carrier);

    conn->carrier.datagram->listened = true;
    if (!error)
        return 0;
    fault_begin(&fault, FSSL_E_SYSCALL);
    fault.system_errno = error;
    fault_say(&fault, "connect", "the operating system refused", NULL);
    return conn_fail(conn, &fault, err);
}

static int64_t listen_failed(struct conn *conn, int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, conn->refused_by ? FSSL_E_CALLBACK : FSSL_E_TLS);
    fault_collect(&fault);
    fault_say(&fault, "DTLSv1_listen", "no cookie was made or taken", conn->refused_by);
    if (!conn->refused_by)
        return fault_publish(&fault, err);
    fault.code = FSSL_E_CALLBACK;
    return conn_fail(conn, &fault, err);
}

/* Reads hellos until one has a good cookie, and answers the others with theirs. */
static int64_t listen_step(struct conn *conn, int32_t *want, int32_t *err)
{
    BIO_ADDR *unused = BIO_ADDR_new();
    int answer = unused ? 0 : -1;

    *want = FSSL_OK;
    conn->carrier.blocked = false;
    while (unused && answer == 0 && !conn->carrier.blocked) {
        queue_empty(); /* of what was wrong with others' datagrams */
        answer = DTLSv1_listen(conn->ssl, unused);
        witness(&conn->object);
    }
    BIO_ADDR_free(unused);
    if (answer > 0)
        return listened(conn, err);
    if (answer < 0 || conn->refused_by)
        return listen_failed(conn, err);
    return dtls_wants(conn, want, err);
}

static int64_t conn_listen(struct conn *conn, int32_t *err)
{
    struct patience patience = {false, false, -1};
    int32_t want = FSSL_E_WANT_READ;
    int64_t failed = conn_usable(conn, err);

    if (!failed)
        failed = cookies_ready(conn, err);
    if (failed)
        return failed;
    conn->carrier.datagram->listening = true;
    while (!failed && want) {
        failed = listen_step(conn, &want, err);
        if (!failed && want)
            failed = conn_wait(conn, want, &patience, err);
        if (!failed && want && conn->carrier.datagram->listened)
            return conn_say(conn, FSSL_E_STATE, __func__, "another thread was faster", err);
    }
    return failed ? failed : 1;
}

int64_t fssl_conn_dtls_listen(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t result = acquire_dtls(h, &conn, err);

    if (result)
        return result;
    if (conn->client || conn->ctx->client)
        return refuse_state(h, "the connection is a client", err);
    if (conn->epoch || conn->carrier.datagram->listened)
        return refuse_state(h, "the handshake has begun", err);
    if (!conn->server)
        conn_set_side(conn, true);
    conn->want = 0;
    result = conn_listen(conn, err);
    return result < 0 ? abandon(h, result, err) : finish(h, result, err);
}

/* ---- the MTU ---- */

static long flight_mtu(long bytes)
{
    return bytes < FLIGHT_MAX ? bytes : FLIGHT_MAX;
}

int64_t fssl_conn_set_ciphertext_mtu(fssl_handle h, int64_t bytes, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_dtls(h, &conn, err);

    if (failed)
        return failed;
    if (bytes < MTU_MIN || bytes > MTU_MAX)
        return refuse(h, "bytes", err);
    conn->carrier.datagram->mtu = (long)bytes;
    SSL_set_options(conn->ssl, SSL_OP_NO_QUERY_MTU); /* or OpenSSL forgets it and asks */
    return finish_done(h, SSL_set_mtu(conn->ssl, flight_mtu((long)bytes)), err);
}

int64_t fssl_conn_cleartext_mtu(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    size_t fits;
    long mtu;
    int64_t failed = acquire_dtls(h, &conn, err);

    if (failed)
        return failed;
    mtu = conn->carrier.datagram->mtu;
    if (mtu)
        SSL_set_mtu(conn->ssl, mtu);
    fits = DTLS_get_data_mtu(conn->ssl);
    if (mtu)
        SSL_set_mtu(conn->ssl, flight_mtu(mtu));
    return finish(h, fits < RECORD_MAX ? (int64_t)fits : RECORD_MAX, err);
}
