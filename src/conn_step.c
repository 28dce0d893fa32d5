/* One step of OpenSSL at a time under a connection's lock, and the waiting between steps.

   A step ends done, failed, or wanting something of the carrier. OpenSSL handles one message a
   step (SSL_MODE_AUTO_RETRY is off), so a read that handled a ticket or key update comes back
   wanting a read although the carrier may hold more: then the step is taken again at once, others
   having had the lock between, up to a bound. What is wanted in earnest is waited for, or
   returned where the connection does not block.

   Waiting obeys the connection's timeout, fssl_conn_cancel, detach and close. Ciphertext that is
   still queued is part of every wait, so that no peer is left waiting for it. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include <openssl/err.h>

enum { USELESS_MAX = 1000 }; /* messages without plaintext; 50,000 key updates take OpenSSL 1.2 s */

/* ---- one step ---- */

struct moment {
    uint64_t bytes_in;
    size_t queued;
    OSSL_HANDSHAKE_STATE state;
};

static struct moment moment_now(const struct conn *conn)
{
    struct moment now = {conn->carrier.bytes_in, conn->carrier.out.count, SSL_get_state(conn->ssl)};

    return now;
}

/* Wakes those whom it concerns what a step has changed: all, if the handshake moved; readers, if
   bytes were taken from the carrier (theirs may lie in OpenSSL now, where no poll shows them) or
   if there is now a queue for them to watch; writers, if the queue went out. */
static void tell_others(struct conn *conn, const struct moment *before)
{
    struct moment now = moment_now(conn);
    int events = 0;

    if (now.state != before->state)
        events = WAIT_ANY;
    if (now.bytes_in != before->bytes_in || (now.queued > 0 && before->queued == 0))
        events |= POLLIN;
    if (now.queued == 0 && before->queued > 0)
        events |= POLLOUT;
    wait_wake(conn->waiters, events);
}

static void fault_of_step(struct conn *conn, struct fault *fault)
{
    const struct carrier *carrier = &conn->carrier;

    fault_begin(fault, FSSL_E_TLS);
    fault_collect(fault);
    if (fault->code == FSSL_E_VERIFY) {
        fault->verify_code = (int32_t)SSL_get_verify_result(conn->ssl);
        if (fault->verify_code == X509_V_ERR_HOSTNAME_MISMATCH ||
            fault->verify_code == X509_V_ERR_IP_ADDRESS_MISMATCH)
            fault->code = FSSL_E_HOST;
    }
    if (conn->refused_by) {
        fault->code = FSSL_E_CALLBACK;
        fault_say(fault, "callback", "the callback failed", conn->refused_by);
    } else if (carrier->overflow) {
        fault->code = FSSL_E_LIMIT;
    } else if (carrier->read_error) {
        fault->code = carrier->read_error == ENOMEM ? FSSL_E_MEMORY : FSSL_E_SYSCALL;
        fault->system_errno = carrier->read_error;
    } else if (carrier->eof && fault->count == 0) {
        fault->code = FSSL_E_EOF;
    }
    if (fault->count == 0)
        fault_say(fault, "fault_of_step", "the carrier failed", NULL);
}

/* A write failed before, and now the peer's answer to it would have to come. */
static int64_t write_failed(struct conn *conn, int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, FSSL_E_SYSCALL);
    fault.system_errno = conn->carrier.write_error;
    fault_say(&fault, __func__, "the handshake could not be sent", NULL);
    return conn_fail(conn, &fault, err);
}

static int64_t step_failed(struct conn *conn, int32_t *err)
{
    struct fault fault;

    fault_of_step(conn, &fault);
    if (fault.code == FSSL_E_EOF && conn->carrier.write_error && !conn->established)
        return write_failed(conn, err); /* the peer had gone before it was spoken to */
    if (fault.code / 100 == FSSL_KIND_USAGE && !SSL_in_init(conn->ssl))
        return fault_publish(&fault, err);
    return conn_fail(conn, &fault, err);
}

/* Lets other threads have the connection first, unless their pump or seal would lend its own
   buffers where this call's still are. */
void conn_yield(struct conn *conn)
{
    if (conn->carrier.feed_len == 0 && !conn->carrier.drain && lock_yield(&conn->object.lock))
        conn->stirred = true;
}

/* A message was handled, no plaintext came, and there may be more. */
static int64_t step_again(struct conn *conn, int32_t *err)
{
    struct fault fault;

    if (++conn->useless <= USELESS_MAX) {
        conn_yield(conn);
        return conn_usable(conn, err);
    }
    fault_begin(&fault, FSSL_E_FLOOD);
    fault_say(&fault, __func__, "too many messages without data", NULL);
    return conn_fail(conn, &fault, err);
}

/* Tells whether OpenSSL holds a record of which not all has come, or not all was read. */
bool conn_in_record(const struct conn *conn)
{
    return SSL_has_pending(conn->ssl) || strcmp(SSL_rstate_string(conn->ssl), "RB") == 0;
}

/* Gives back OpenSSL's buffers, if nothing is in them: before 3.0.14 it does not see that a record
   of which it has only the header, or plaintext that was not read, still needs them
   (CVE-2024-4741). */
void conn_release(struct conn *conn)
{
    if (!conn_in_record(conn))
        SSL_free_buffers(conn->ssl);
}

static int64_t step_wants(struct conn *conn, int ssl_error, int32_t *want, int32_t *err)
{
    switch (ssl_error) {
    case SSL_ERROR_WANT_READ:
        if (conn->carrier.blocked && conn->carrier.datagram)
            return dtls_wants(conn, want, err);
        if (conn->carrier.blocked && conn->carrier.write_error && !conn->established)
            return write_failed(conn, err);
        if (conn->carrier.blocked) {
            if (conn->settings->buffer_release) {
                conn_release(conn);
                carrier_release(&conn->carrier);
            }
            *want = FSSL_E_WANT_READ;
            return 0;
        }
        *want = FSSL_OK;
        return step_again(conn, err);
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
    case SSL_ERROR_WANT_X509_LOOKUP:
    case SSL_ERROR_WANT_RETRY_VERIFY:
        return code_only(question_code(conn), err);
    case SSL_ERROR_ZERO_RETURN:
        return code_only(FSSL_E_ZERO_RETURN, err);
    default: /* one that is not known is fatal too */
        return step_failed(conn, err);
    }
}

/* Takes a step until it is done (step->done or the result of run tells what came), failed (then a
   negative result) or wants something (then *want). The lock is held. */
int64_t conn_step(struct conn *conn, struct step *step, int32_t *want, int32_t *err)
{
    int64_t failed = 0;

    *want = FSSL_OK;
    while (!failed) {
        struct moment before = {0};
        int answer;

        carrier_flush(&conn->carrier);
        if (conn->waiters)
            before = moment_now(conn);
        conn->carrier.blocked = false;
        answer = step->run(conn->ssl, step);
        witness(&conn->object);
        conn->stirred |= answer <= 0 || conn->policy;
        if (conn->policy)
            resume_look(conn);
        if (conn->waiters)
            tell_others(conn, &before);
        if (answer > 0)
            return 0;
        failed = step_wants(conn, SSL_get_error(conn->ssl, answer), want, err);
        if (*want)
            return 0;
    }
    return failed;
}

/* Ends I/O that went well. OpenSSL's records leave nothing in the error queue where they pass data
   on at once, so that it need not be looked at then. */
int64_t conn_done(fssl_handle h, struct conn *conn, int64_t value, int32_t *err)
{
    if (conn->stirred)
        return finish(h, value, err);
    queue_is_empty();
    return finish_own(h, value, err);
}

/* ---- waiting ---- */

static void patience_begin(struct conn *conn, struct patience *patience)
{
    int flags;

    patience->known = true;
    patience->deadline = -1;
    if (conn->timeout >= 0)
        patience->deadline = deadline_in(conn->timeout);
    patience->none = conn->carrier.memory || conn->timeout == 0;
    if (conn->timeout == FSSL_TIMEOUT_AS_FD && !conn->carrier.memory) {
        flags = fcntl((int)conn->carrier.fd, F_GETFL);
        patience->none = flags < 0 || (flags & O_NONBLOCK);
    }
}

static int64_t not_waited(struct conn *conn, int32_t want, int32_t *err)
{
    conn->want = want == FSSL_E_WANT_WRITE ? FSSL_WANT_WRITE : FSSL_WANT_READ;
    if (want == FSSL_E_WANT_READ && conn->carrier.out.count > 0 && !conn->carrier.memory) {
        conn->want |= FSSL_WANT_WRITE;
        want = FSSL_E_WANT_WRITE;
    }
    return code_only(want, err);
}

/* Waits as the rest does, but wakes for the handshake's timer too; and where there is always more
   to be read, the deadline still counts. */
static int32_t wait_datagram(struct conn *conn, int events, int64_t deadline)
{
    int64_t until = dtls_deadline(conn, deadline);
    int32_t code;

    if (deadline >= 0 && clock_ms() >= deadline)
        return FSSL_E_TIMEOUT;
    code = wait_poll(&conn->object, &conn->waiters, conn->carrier.fd, events, until);
    return code == FSSL_E_TIMEOUT && until != deadline ? FSSL_OK : code;
}

static int64_t waited_datagram(struct conn *conn, int32_t *err)
{
    int64_t failed = conn_usable(conn, err);

    conn->carrier.datagram->shut = datagram_shut(&conn->carrier);
    if (!failed && SSL_in_init(conn->ssl))
        failed = dtls_retransmit(conn, err);
    return failed < 0 ? failed : 0;
}

static int64_t waited(struct conn *conn, int32_t code, int32_t *err)
{
    struct fault fault;

    if (code == FSSL_OK && conn->carrier.datagram)
        return waited_datagram(conn, err);
    if (code == FSSL_OK)
        return conn_usable(conn, err);
    if (code == FSSL_E_CANCELLED || code == FSSL_E_INTERRUPTED)
        return code_only(code, err);
    fault_begin(&fault, code);
    if (code == FSSL_E_SYSCALL)
        fault.system_errno = errno;
    fault_say(&fault, __func__, code == FSSL_E_TIMEOUT ? "timed out" : "waiting failed", NULL);
    return fault_publish(&fault, err);
}

/* Waits for what a step wants, or for FSSL_OK until WAIT_TURN is woken. Returns 0 to go on, or the
   result with which the call ends. */
int64_t conn_wait(struct conn *conn, int32_t want, struct patience *patience, int32_t *err)
{
    int64_t fd = want ? conn->carrier.fd : FSSL_NO_FD;
    int events = want == FSSL_E_WANT_WRITE ? POLLOUT : POLLIN;
    int32_t code;

    if (conn->closing || (!conn->carrier.memory && conn->carrier.fd == FSSL_NO_FD))
        return code_only(FSSL_E_CANCELLED, err);
    if (!patience->known)
        patience_begin(conn, patience);
    if (patience->none)
        return not_waited(conn, want ? want : FSSL_E_WANT_WRITE, err);
    if (conn->carrier.out.count > 0)
        events |= POLLOUT;
    conn->fd_users++;
    if (conn->carrier.datagram && want)
        code = wait_datagram(conn, events, patience->deadline);
    else
        code = wait_poll(&conn->object, &conn->waiters, fd, want ? events : WAIT_TURN,
                         patience->deadline);
    conn->fd_users--;
    conn->stirred = true; /* by others, meanwhile */
    if (conn->carrier.fd != FSSL_NO_FD && !conn->closing)
        return waited(conn, code, err);
    wait_wake(conn->waiters, WAIT_TURN); /* fssl_conn_detach waits for the fd's last user */
    return code_only(FSSL_E_CANCELLED, err);
}
