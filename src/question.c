/* Questions: what a connection asks of its caller in place of calling back. A connection that was
   told to ask (fssl_conn_ask) returns from the handshake with one of three codes; the caller reads
   the question through accessors, answers with a call, from any thread and whenever it likes, and
   calls the handshake again.

   OpenSSL suspends a handshake at the client hello, for a certificate, and on a client for
   verification, which runs again after the answer: the first run collects the errors, the second
   goes by what was answered, and an error that is new in it is refused. On a server verification
   cannot be suspended: there, and where a session was resumed, the question comes when the
   handshake has ended, before any application byte and before any ticket. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>

enum { ASK_ALL = FSSL_ASK_CLIENT_HELLO | FSSL_ASK_CERTIFICATE | FSSL_ASK_VERIFY };

/* ---- asking ---- */

/* Tells whether a connection has this question still to be answered. */
static bool asks(const struct conn *conn, int32_t ask)
{
    const struct inquiry *inquiry = conn->inquiry;

    return inquiry && (inquiry->mask & ask) && !(inquiry->answered & ask);
}

/* The client hello was read. 1 to go on, 0 to refuse with the alert, -1 to wait for the answer. */
int question_client_hello(struct conn *conn, int *alert)
{
    if (asks(conn, FSSL_ASK_CLIENT_HELLO)) {
        conn->inquiry->open = FSSL_ASK_CLIENT_HELLO;
        return -1;
    }
    if (!conn->inquiry || !conn->inquiry->refusal)
        return 1;
    *alert = conn->inquiry->refusal;
    return 0;
}

/* A certificate of our own is wanted. */
int question_certificate(SSL *ssl, void *unused)
{
    struct conn *conn = conn_of(ssl);

    (void)unused;
    if (!asks(conn, FSSL_ASK_CERTIFICATE))
        return 1;
    conn->inquiry->open = FSSL_ASK_CERTIFICATE;
    return -1;
}

static bool errors_add(struct inquiry *inquiry, int32_t code, int32_t depth)
{
    struct verify_error *error;

    if (inquiry->error_count == VERIFY_ERRORS)
        return false;
    error = &inquiry->errors[inquiry->error_count++];
    error->code = code;
    error->depth = depth;
    error->waived = false;
    return true;
}

static bool waived(const struct inquiry *inquiry, int32_t code, int32_t depth)
{
    for (int i = 0; i < inquiry->error_count; i++) {
        if (inquiry->errors[i].code == code && inquiry->errors[i].depth == depth)
            return inquiry->errors[i].waived;
    }
    return false;
}

static int verify_answered(struct conn *conn, int ok, X509_STORE_CTX *store)
{
    int32_t code = X509_STORE_CTX_get_error(store);

    if (conn->inquiry->refusal) {
        X509_STORE_CTX_set_error(store, conn->inquiry->refusal);
        return 0;
    }
    if (ok)
        return 1;
    if (!waived(conn->inquiry, code, X509_STORE_CTX_get_error_depth(store)))
        return 0;
    if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH)
        conn->host_waived = true;
    conn->waived = true;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* Stands in for OpenSSL's verdict on a certificate of the peer, where there is a question. */
int question_verify(struct conn *conn, int ok, X509_STORE_CTX *store)
{
    struct inquiry *inquiry = conn->inquiry;

    if (conn->established) /* what was waived was another handshake's */
        return ok;
    if (!asks(conn, FSSL_ASK_VERIFY))
        return inquiry && (inquiry->mask & FSSL_ASK_VERIFY) ? verify_answered(conn, ok, store) : ok;
    if (!inquiry->collecting)
        inquiry->error_count = 0;
    inquiry->collecting = true;
    if (!conn->server) {
        inquiry->open = FSSL_ASK_VERIFY;
        SSL_set_retry_verify(conn->ssl);
    }
    return ok || errors_add(inquiry, X509_STORE_CTX_get_error(store),
                            X509_STORE_CTX_get_error_depth(store));
}

/* A handshake has ended: tells whether the question about the peer is still to be answered. */
bool question_at_end(struct conn *conn)
{
    int32_t result = (int32_t)SSL_get_verify_result(conn->ssl);
    struct inquiry *inquiry = conn->inquiry;

    if (!asks(conn, FSSL_ASK_VERIFY))
        return false;
    if (conn->server && !(SSL_get_verify_mode(conn->ssl) & SSL_VERIFY_PEER))
        return false;
    /* where it is open, another thread has ended this handshake, too */
    if (inquiry->open != FSSL_ASK_VERIFY && !inquiry->collecting && result != X509_V_OK)
        errors_add(inquiry, result, 0);
    inquiry->open = FSSL_ASK_VERIFY;
    return true;
}

/* Sends a fatal alert when no handshake is left to fail. OpenSSL has no call for that, but answers
   a record that cannot be with one; with DTLS it drops that, and close_notify has to do. */
void conn_alert(struct conn *conn)
{
    static const uint8_t impossible[] = {0xff, 3, 3, 0, 1, 0};
    struct carrier *carrier = &conn->carrier;
    uint8_t byte;

    carrier->in.count = 0;
    carrier->feed = impossible;
    carrier->feed_len = carrier->datagram ? 0 : sizeof impossible;
    if (carrier->datagram)
        SSL_shutdown(conn->ssl);
    else
        SSL_read(conn->ssl, &byte, sizeof byte);
    carrier->feed = NULL;
    carrier->feed_len = 0;
    SSL_CTX_remove_session(conn->store, SSL_get_session(conn->ssl));
    queue_empty();
}

/* Applies the answer to a question that came at the end of a handshake. False, with the fault, if
   it was to refuse. */
bool question_settled(struct conn *conn, struct fault *fault)
{
    struct inquiry *inquiry = conn->inquiry;
    int32_t code;

    if (!inquiry || !(inquiry->answered & FSSL_ASK_VERIFY) || inquiry->settled)
        return true;
    inquiry->settled = true;
    code = inquiry->refusal;
    for (int i = 0; !code && i < inquiry->error_count; i++) {
        if (!inquiry->errors[i].waived)
            code = inquiry->errors[i].code;
    }
    if (!code) {
        conn->waived = conn->waived || inquiry->error_count > 0;
        SSL_set_verify_result(conn->ssl, X509_V_OK);
        return true;
    }
    fault_begin(fault, FSSL_E_VERIFY);
    fault->verify_code = code;
    fault_say(fault, "question_settled", X509_verify_cert_error_string(code), NULL);
    conn_alert(conn);
    return false;
}

/* Returns the code with which the handshake tells the open question. */
int32_t question_code(const struct conn *conn)
{
    switch (conn->inquiry->open) {
    case FSSL_ASK_CLIENT_HELLO:
        return FSSL_E_WANT_CLIENT_HELLO;
    case FSSL_ASK_CERTIFICATE:
        return FSSL_E_WANT_CERTIFICATE;
    default:
        return FSSL_E_WANT_VERIFY;
    }
}

int64_t fssl_conn_ask(fssl_handle h, int32_t mask, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (mask & ~ASK_ALL)
        return refuse(h, "mask", err);
    if (conn->epoch)
        return refuse_state(h, "the handshake has begun", err);
    if (!conn->inquiry)
        conn->inquiry = OPENSSL_zalloc(sizeof *conn->inquiry);
    if (!conn->inquiry)
        return fail(h, FSSL_E_MEMORY, err);
    conn->inquiry->mask = mask;
    return finish(h, 0, err);
}

/* ---- answering ---- */

/* Acquires a connection whose open question is this one. */
int64_t acquire_asking(fssl_handle h, int32_t ask, struct conn **conn, int32_t *err)
{
    int64_t failed = acquire(h, KIND_CONN, conn, err);

    if (!failed && (!(*conn)->inquiry || (*conn)->inquiry->open != ask))
        return refuse_state(h, "no such question is open", err);
    return failed;
}

static int64_t finish_answer(fssl_handle h, struct conn *conn, int32_t *err)
{
    conn->inquiry->answered |= conn->inquiry->open;
    conn->inquiry->open = 0;
    return finish(h, 0, err);
}

/* Tells whether OpenSSL sends this alert and clients take it as a refusal: an unknown one would end
   the connection without a word. */
static bool alert_refuses(int32_t alert)
{
    static const uint8_t known[] = {10, 20,  21,  22,  30,  40,  42,  43,  44,  45,
                                    46, 47,  48,  49,  50,  51,  60,  70,  71,  80,
                                    86, 109, 110, 111, 112, 113, 114, 115, 116, 120};

    return alert > 0 && alert <= UINT8_MAX && memchr(known, alert, sizeof known);
}

int64_t fssl_conn_answer_hello(fssl_handle h, int32_t alert, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_asking(h, FSSL_ASK_CLIENT_HELLO, &conn, err);

    if (failed)
        return failed;
    if (alert && !alert_refuses(alert))
        return refuse(h, "alert", err);
    conn->inquiry->refusal = alert;
    return finish_answer(h, conn, err);
}

int64_t fssl_conn_answer_certificate(fssl_handle h, int32_t send, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_asking(h, FSSL_ASK_CERTIFICATE, &conn, err);

    if (failed)
        return failed;
    if (send != 0 && send != 1)
        return refuse(h, "send", err);
    if (!send)
        SSL_certs_clear(conn->ssl);
    return finish_answer(h, conn, err);
}

int64_t fssl_conn_verify_error_count(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_asking(h, FSSL_ASK_VERIFY, &conn, err);

    if (failed)
        return failed;
    return finish(h, conn->inquiry->error_count, err);
}

int64_t fssl_conn_verify_error_item(fssl_handle h, int64_t i, int32_t *depth, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_asking(h, FSSL_ASK_VERIFY, &conn, err);

    if (failed)
        return failed;
    if (i < 0 || i >= conn->inquiry->error_count)
        return refuse(h, "i", err);
    if (depth)
        *depth = conn->inquiry->errors[i].depth;
    return finish(h, conn->inquiry->errors[i].code, err);
}

int64_t fssl_conn_waive_verify_error(fssl_handle h, int64_t i, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_asking(h, FSSL_ASK_VERIFY, &conn, err);

    if (failed)
        return failed;
    if (i < -1 || i >= conn->inquiry->error_count)
        return refuse(h, "i", err);
    for (int at = 0; at < conn->inquiry->error_count; at++) {
        if (i == -1 || i == at)
            conn->inquiry->errors[at].waived = true;
    }
    return finish(h, 0, err);
}

static bool code_known(int32_t code)
{
    const char *unknown = X509_verify_cert_error_string(INT_MAX);

    return strcmp(X509_verify_cert_error_string(code), unknown) != 0;
}

int64_t fssl_conn_answer_verify(fssl_handle h, int32_t refusal, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_asking(h, FSSL_ASK_VERIFY, &conn, err);

    if (failed)
        return failed;
    if (refusal < 0 || !code_known(refusal))
        return refuse(h, "refusal", err);
    conn->inquiry->refusal = refusal;
    return finish_answer(h, conn, err);
}
