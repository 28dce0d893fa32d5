/* What OpenSSL calls back, and what it finds there.

   Every SSL_CTX gets the same trampolines once, when it is made, and they never change: OpenSSL
   reads its callback pointers without a lock while handshakes run. What a trampoline does is
   decided by the connection's block of settings: a function of the caller's is called, data
   answers, or it answers as if there were no callback. (Those whose mere presence changes the
   protocol or costs time, such as NPN's and the key log's, are installed when first needed.)

   A connection is found by SSL_get_app_data; its lock belongs to the thread inside OpenSSL. A
   function of the caller's gets the caller's own handle and may come back in on it: acquire then
   only counts deeper. It answers 1 (yes, or it has called fssl_conn_answer) or 0 (no, or nothing to
   choose); anything else is a failure. A failure of one that decides is fatal: the handshake ends
   with an alert, and its caller gets FSSL_E_CALLBACK. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

enum { ANSWER_NO = 0, ANSWER_YES = 1 };

/* Returns the connection that an SSL is of, found by its BIO: the SSL's own place for such things
   would take 100 bytes more. NULL for one that only tries something out. */
struct conn *conn_of(const SSL *ssl)
{
    BIO *bio = SSL_get_rbio(ssl);

    return bio ? (struct conn *)(void *)((char *)BIO_get_data(bio) - offsetof(struct conn, carrier))
               : NULL;
}

/* Forgets the last answer before a function of the caller's is called. */
static fssl_handle ask(struct conn *conn)
{
    blob_drop(conn->answer);
    conn->answer = NULL;
    return conn->object.self;
}

/* Notes which callback failed the handshake. Returns what tells OpenSSL so. */
static int refused(struct conn *conn, const char *callback, int fatal)
{
    conn->refused_by = callback;
    return fatal;
}

/* ---- verification ---- */

static int call_verify(struct conn *conn, const struct push *push, X509_STORE_CTX *store, int ok)
{
    int error = X509_STORE_CTX_get_error(store);
    int answer;

    conn->verifying = store;
    answer = ((fssl_verify_callback)push->fn)(push->token, ask(conn), error,
                                              X509_STORE_CTX_get_error_depth(store), ok);
    conn->verifying = NULL;
    if (answer == ANSWER_YES) {
        if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
            conn->host_waived = true;
        conn->waived = conn->waived || error != X509_V_OK;
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    if (error == X509_V_OK)
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return answer == ANSWER_NO ? 0 : refused(conn, "verify", 0);
}

static int verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct conn *conn = conn_of(ssl);
    const struct push *push = &conn->settings->on_verify;

    return push->fn ? call_verify(conn, push, store, ok) : question_verify(conn, ok, store);
}

/* ---- names and protocols ---- */

/* Calls the caller's server name callback. False if it failed. */
bool call_server_name(struct conn *conn, const struct push *push)
{
    int answer = ((fssl_server_name_callback)push->fn)(push->token, ask(conn));

    if (answer != ANSWER_YES && answer != ANSWER_NO)
        return refused(conn, "server name", false);
    conn->name_known = answer == ANSWER_YES;
    return true;
}

/* Acknowledges the server name or not, as was decided when the client hello came (hello.c). */
static int server_name(SSL *ssl, int *alert, void *unused)
{
    (void)alert;
    (void)unused;
    return conn_of(ssl)->name_known ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* Picks, in our order of preference, what the other side offers too. */
static bool prefer(const struct blob *ours, const uint8_t *offered, unsigned int offered_len,
                   const uint8_t **out, unsigned char *out_len)
{
    unsigned char *chosen, len;

    /* without an overlap it gives the other side's first, which must go nowhere */
    if (SSL_select_next_proto(&chosen, &len, ours->data, (unsigned int)ours->len, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return false;
    *out = chosen;
    *out_len = len;
    return true;
}

/* Takes a callback's answer as the protocol. */
static int answered(struct conn *conn, int answer, const char *callback, const uint8_t **out,
                    unsigned char *out_len)
{
    if (answer == ANSWER_NO)
        return SSL_TLSEXT_ERR_NOACK;
    if (answer != ANSWER_YES || !conn->answer || conn->answer->len == 0 || conn->answer->len > 255)
        return refused(conn, callback, SSL_TLSEXT_ERR_ALERT_FATAL);
    *out = conn->answer->data;
    *out_len = (unsigned char)conn->answer->len;
    return SSL_TLSEXT_ERR_OK;
}

static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned int offered_len, void *unused)
{
    struct conn *conn = conn_of(ssl);
    const struct settings *settings = conn->settings;
    const struct push *push = &settings->on_alpn_select;

    (void)unused;
    if (push->fn)
        return answered(
            conn, ((fssl_protos_callback)push->fn)(push->token, ask(conn), offered, offered_len),
            "ALPN select", out, out_len);
    if (!settings->alpn_preference)
        return SSL_TLSEXT_ERR_NOACK;
    return prefer(settings->alpn_preference, offered, offered_len, out, out_len)
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

#ifndef OPENSSL_NO_NEXTPROTONEG

static int npn_advertise(SSL *ssl, const unsigned char **out, unsigned int *out_len, void *unused)
{
    struct conn *conn = conn_of(ssl);
    const struct settings *settings = conn->settings;
    const struct push *push = &settings->on_npn_advertise;
    const struct blob *protos = settings->npn_advertised;
    int answer = ANSWER_YES;

    (void)unused;
    if (push->fn) {
        answer = ((fssl_protos_callback)push->fn)(push->token, ask(conn), NULL, 0);
        protos = conn->answer;
    }
    if (answer == ANSWER_NO || (!protos && !push->fn))
        return SSL_TLSEXT_ERR_NOACK;
    if (answer != ANSWER_YES || !protos || !protos_valid(protos->data, (int64_t)protos->len))
        return refused(conn, "NPN advertise", SSL_TLSEXT_ERR_ALERT_FATAL);
    *out = protos->data;
    *out_len = (unsigned int)protos->len;
    return SSL_TLSEXT_ERR_OK;
}

static int npn_select(SSL *ssl, unsigned char **out, unsigned char *out_len,
                      const unsigned char *offered, unsigned int offered_len, void *unused)
{
    struct conn *conn = conn_of(ssl);
    const struct settings *settings = conn->settings;
    const struct push *push = &settings->on_npn_select;
    const uint8_t *chosen = (const uint8_t *)"";
    int answer = SSL_TLSEXT_ERR_OK;

    (void)unused;
    *out_len = 0;
    if (push->fn)
        answer = answered(
            conn, ((fssl_protos_callback)push->fn)(push->token, ask(conn), offered, offered_len),
            "NPN select", &chosen, out_len);
    else if (settings->npn_preference &&
             !prefer(settings->npn_preference, offered, offered_len, &chosen, out_len)) {
        chosen = settings->npn_preference->data + 1; /* NPN has no way to choose none */
        *out_len = settings->npn_preference->data[0];
    }
    *out = (unsigned char *)(uintptr_t)chosen;
    return answer == SSL_TLSEXT_ERR_ALERT_FATAL ? answer : SSL_TLSEXT_ERR_OK;
}

#endif

/* Calls the caller's OCSP callback of either side. Returns whether it said yes. */
bool call_ocsp(struct conn *conn, const struct push *push, const uint8_t *der, int64_t len)
{
    int answer = ((fssl_protos_callback)push->fn)(push->token, ask(conn), der, len);

    if (answer != ANSWER_YES && answer != ANSWER_NO)
        return refused(conn, "OCSP", false);
    return answer == ANSWER_YES;
}

/* Finds a session that the caller has fetched from elsewhere (see fssl_conn_set_session). */
static SSL_SESSION *get_session(SSL *ssl, const unsigned char *id, int id_len, int *copy)
{
    SSL_SESSION *provided = conn_of(ssl)->provided;
    const uint8_t *its;
    unsigned int len;

    *copy = 1;
    if (!provided)
        return NULL;
    its = SSL_SESSION_get_id(provided, &len);
    return len == (unsigned int)id_len && memcmp(its, id, len) == 0 ? provided : NULL;
}

/* ---- cookies of DTLS ---- */

static int cookie_generate(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    struct conn *conn = conn_of(ssl);
    const struct push *push = &conn->settings->on_cookie_generate;
    int answer;

    if (conn->refused_by)
        return 0;
    if (!push->fn)
        return cookie_make(conn, cookie, len);
    answer = ((fssl_protos_callback)push->fn)(push->token, ask(conn), NULL, 0);
    if (answer != ANSWER_YES || !conn->answer || conn->answer->len == 0 ||
        conn->answer->len > DTLS1_COOKIE_LENGTH)
        return refused(conn, "cookie generate", 0);
    memcpy(cookie, conn->answer->data, conn->answer->len);
    *len = (unsigned int)conn->answer->len;
    return 1;
}

/* OpenSSL takes all but 0 for a yes. */
static int cookie_verify(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    struct conn *conn = conn_of(ssl);
    const struct push *push = &conn->settings->on_cookie_verify;
    int answer;

    if (!push->fn)
        return cookie_known(conn, cookie, len);
    answer = ((fssl_protos_callback)push->fn)(push->token, ask(conn), cookie, len);
    if (answer == ANSWER_YES || answer == ANSWER_NO)
        return answer;
    return refused(conn, "cookie verify", 0);
}

/* ---- notifications ---- */

/* Tells of an alert after its cause was queued: the calls that the caller makes here must find the
   queue empty, and leave the cause to be reported. */
static void info(const SSL *ssl, int where, int result)
{
    struct conn *conn = conn_of(ssl);
    const struct push *push = &conn->settings->on_info;
    struct fault cause;

    queue_info(conn, where, result);
    conn->stirred = true;
    if (!push->fn)
        return;
    fault_begin(&cause, FSSL_OK);
    fault_collect(&cause);
    ((fssl_info_callback)push->fn)(push->token, conn->object.self, where, result);
    queue_empty(); /* it may have used OpenSSL by other means */
    queue_refill(&cause);
    conn->stirred = true;
}

static void keylog(const SSL *ssl, const char *line)
{
    struct conn *conn = conn_of(ssl);
    const struct push *push = &conn->settings->on_keylog;

    queue_keylog(conn, line);
    if (push->fn)
        ((fssl_text_callback)push->fn)(push->token, conn->object.self, line, (int64_t)strlen(line));
    conn->stirred = true;
}

/* ---- installing ---- */

void install_trampolines(SSL_CTX *ssl)
{
    SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, verify);
    SSL_CTX_set_client_hello_cb(ssl, client_hello, NULL);
    /* not on the connections that ask: one that switches its context has that one's */
    SSL_CTX_set_cert_cb(ssl, question_certificate, NULL);
    SSL_CTX_set_tlsext_servername_callback(ssl, server_name);
    SSL_CTX_set_alpn_select_cb(ssl, alpn_select, NULL);
    SSL_CTX_set_tlsext_status_cb(ssl, ocsp_status);
    SSL_CTX_sess_set_get_cb(ssl, get_session);
    SSL_CTX_sess_set_new_cb(ssl, new_session);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, ticket_key);
    SSL_CTX_set_cookie_generate_cb(ssl, cookie_generate);
    SSL_CTX_set_cookie_verify_cb(ssl, cookie_verify);
#ifndef OPENSSL_NO_NEXTPROTONEG
    SSL_CTX_set_next_protos_advertised_cb(ssl, npn_advertise, NULL);
#endif
}

/* Installs in a context what changes the protocol or costs time by its mere presence. */
void install_late(SSL_CTX *ssl, const struct settings *settings)
{
#ifndef OPENSSL_NO_NEXTPROTONEG
    if (settings->on_npn_select.fn || settings->npn_preference)
        SSL_CTX_set_next_proto_select_cb(ssl, npn_select, NULL);
#endif
    if (settings->on_keylog.fn || (settings->queues & 1 << FSSL_QUEUE_KEYLOG))
        SSL_CTX_set_keylog_callback(ssl, keylog);
}

/* Installs on a connection what only some want. */
void install_on(SSL *ssl, const struct settings *settings)
{
    if (settings->on_info.fn || (settings->queues & 1 << FSSL_QUEUE_INFO))
        SSL_set_info_callback(ssl, info);
}
