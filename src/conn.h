/* Connections. Part of internal.h. */
#ifndef FLATSSL_CONN_H
#define FLATSSL_CONN_H

#include "ctx.h"

struct sender {
    struct sender *next;
};

/* Small messages that wait to become one record: see conn_coalesce.c. */
struct gathered {
    uint8_t *data; /* RECORD_MAX bytes, NULL until something is gathered */
    size_t count;
    size_t bound; /* at which they are sent, 0 to gather none */
};

enum { VERIFY_ERRORS = 32 };

struct verify_error {
    int32_t code;
    int32_t depth;
    bool waived;
};

/* What a connection asks, and what it was answered: see question.c. */
struct inquiry {
    int32_t mask;
    int32_t answered;
    int32_t open;    /* the question that waits for its answer, or 0 */
    int32_t refusal; /* an alert or a verify code */
    int32_t error_count;
    int tickets_due; /* to be sent once the peer is accepted */
    bool collecting; /* OpenSSL verifies, for the question about the peer */
    bool settled;    /* the answer about the peer has had its effect */
    struct verify_error errors[VERIFY_ERRORS];
};

struct conn {
    struct object object;
    SSL *ssl;
    SSL_CTX *store; /* of the context that it was made of: keeps its sessions, and ssl holds it */
    struct ctx *ctx;
    struct settings *settings;
    struct carrier carrier;
    struct gathered gathered;
    struct ring early; /* plaintext that came while a renegotiation had to be brought to its end */
    int64_t timeout;
    int64_t app_data;
    uint32_t epoch; /* the fork epoch in which its handshake began, 0 before */
    int32_t want;   /* FSSL_WANT_ bits of the last call */
    int32_t failed; /* the code that ended it, or FSSL_OK */
    int useless;    /* messages handled since the last plaintext */
    int renegotiations;
    int fd_users; /* calls that wait with the fd */
    bool client;
    bool server;
    bool owns_fd;
    bool closing;
    bool listens; /* its fd is kept non-blocking; blocks says how accept waits */
    bool blocks;
    bool stirred;      /* more was done in OpenSSL, or by others, than pass data on */
    bool renegotiable; /* what was negotiated knows renegotiations: not TLS 1.3 */
    bool established;  /* its first handshake has ended, the peer passed every check due */
    bool host_is_ip;
    bool hello_seen;
    bool name_known;          /* the server name led somewhere: acknowledge it */
    bool waived;              /* an error of the peer's certificates was */
    bool host_waived;         /* the verify callback took another host's certificate */
    char *hello_name;         /* the client's server name */
    struct inquiry *inquiry;  /* NULL for one that does not ask */
    struct session *offered;  /* a client's, until its handshake begins */
    struct policy *policy;    /* under which a session may be remembered, or NULL: see resume.c */
    const SSL_SESSION *seen;  /* which session it had when resume.c last looked: compared only */
    SSL_SESSION *provided;    /* a server's, fetched from elsewhere for this client */
    struct blob *ticket_keys; /* of the context that it was made of */
    const char *refused_by;   /* the callback that failed its handshake */
    struct blob *answer;      /* what a callback answered */
    X509_STORE_CTX *verifying;
    char *host;          /* whom a client expects */
    struct fault *fault; /* what ended it; NULL if memory ran out for it */
    int64_t fault_result;
    struct waiter *waiters;
    struct sender *senders; /* those who send, in order; the first has its turn */
};

/* Tells whether OpenSSL may be entered for I/O. */
static inline bool conn_ready(const struct conn *conn)
{
    return conn->object.lock.depth == 1 && !conn->failed && !conn->closing &&
           (!conn->epoch || conn->epoch == fork_epoch()) && (conn->client || conn->server) &&
           (conn->carrier.memory || conn->carrier.fd != FSSL_NO_FD);
}

/* How long a call may wait: looked up when it first has to. */
struct patience {
    bool known;
    bool none;
    int64_t deadline;
};

struct conn *conn_of(const SSL *ssl);
struct conn *conn_make(struct ctx *ctx, int64_t fd, bool memory);
struct settings *conn_change(struct conn *conn);
void conn_set_side(struct conn *conn, bool server);
void conn_free(struct object *object);
void conn_closing(struct object *object);
int64_t conn_say(struct conn *conn, int32_t code, const char *function, const char *reason,
                 int32_t *err);
int64_t conn_unusable(struct conn *conn, int32_t *err);
int64_t conn_fail(struct conn *conn, const struct fault *fault, int32_t *err);
int64_t conn_wait(struct conn *conn, int32_t want, struct patience *patience, int32_t *err);
int64_t conn_recv(struct conn *conn, uint8_t *buf, size_t cap, int32_t flags, int32_t *err);
int64_t conn_send(struct conn *conn, const uint8_t *data, size_t len, size_t *sent, int32_t *err);
int64_t conn_handshake(struct conn *conn, struct patience *patience, int32_t *err);
int64_t conn_establish(struct conn *conn, struct patience *patience, int32_t *err);
int64_t conn_renegotiated(struct conn *conn, struct patience *patience, int32_t *err);
bool conn_verify_peer(struct conn *conn, struct fault *fault);
int32_t conn_use_host(struct conn *conn, const char *host);
void conn_forget_host(struct conn *conn);

void policy_drop(struct policy *policy);
void resume_begin(struct conn *conn, bool offered);
void resume_look(struct conn *conn);
void resume_end(struct conn *conn);
void resume_fail(struct conn *conn);

bool conn_use_context(struct conn *conn, struct ctx *ctx);
bool call_ocsp(struct conn *conn, const struct push *push, const uint8_t *der, int64_t len);
int ocsp_status(SSL *ssl, void *unused);
void queue_keylog(struct conn *conn, const char *line);
void queue_info(struct conn *conn, int where, int result);
void queue_session(struct conn *conn, SSL_SESSION *session);
int new_session(SSL *ssl, SSL_SESSION *session);
bool call_server_name(struct conn *conn, const struct push *push);
bool server_name_decide(struct conn *conn);
int client_hello(SSL *ssl, int *alert, void *unused);
int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
               EVP_MAC_CTX *mac, int encrypt);
int question_client_hello(struct conn *conn, int *alert);
int question_certificate(SSL *ssl, void *unused);
int question_verify(struct conn *conn, int ok, X509_STORE_CTX *store);
bool question_at_end(struct conn *conn);
bool question_settled(struct conn *conn, struct fault *fault);
void conn_alert(struct conn *conn);
int32_t question_code(const struct conn *conn);
int64_t acquire_asking(fssl_handle h, int32_t ask, struct conn **conn, int32_t *err);
int64_t acquire_fd(fssl_handle h, struct conn **conn, int32_t *err);
int fd_of(const struct conn *conn);
bool fd_blocks(int fd, bool blocks);
int64_t unresolved(int answer, int32_t *err);

/* Returns 0 if I/O may go on, else the result that tells why not. Said anew after every wait. */
static inline int64_t conn_usable(struct conn *conn, int32_t *err)
{
    return conn_ready(conn) ? 0 : conn_unusable(conn, err);
}

/* Tells whether a handshake after the first is under way, or is to be begun by this client. */
static inline bool conn_renegotiating(const struct conn *conn)
{
    return conn->established && (SSL_in_init(conn->ssl) || (conn->renegotiable && conn->client &&
                                                            SSL_renegotiate_pending(conn->ssl)));
}

/* Tells whether a handshake has ended since the peer was checked. */
static inline bool conn_renewed(const struct conn *conn)
{
    return conn->renegotiable && conn->renegotiations != (int)SSL_num_renegotiations(conn->ssl);
}

/* One step of OpenSSL on a connection: what is to be done, and what came of it. */
struct step {
    int (*run)(SSL *ssl, struct step *step);
    void *buf;
    size_t len;
    size_t done;
};

int64_t conn_write_refused(struct conn *conn, int32_t *err);
int64_t dtls_ready(struct conn *conn, int32_t *err);
int64_t dtls_wants(struct conn *conn, int32_t *want, int32_t *err);
int64_t dtls_refused(struct conn *conn, int32_t *err);
int64_t dtls_sendable(struct conn *conn, size_t len, int32_t *err);
int64_t dtls_deadline(const struct conn *conn, int64_t deadline);
int64_t dtls_retransmit(struct conn *conn, int32_t *err);
bool srtp_use(struct conn *conn);
int cookie_make(const struct conn *conn, uint8_t *cookie, unsigned int *len);
int cookie_known(const struct conn *conn, const uint8_t *cookie, unsigned int len);
int64_t conn_drain(struct conn *conn, struct patience *patience, int32_t *err);
int64_t conn_record_wait(struct conn *conn, struct patience *patience, int32_t *err);
bool conn_queue_full(const struct conn *conn);
bool conn_may_gather(const struct conn *conn);
int64_t conn_gather(struct conn *conn, const uint8_t *data, size_t len, size_t *sent, int32_t *err);
bool conn_gather_at_once(struct conn *conn, const uint8_t *data, size_t len);
int64_t conn_send_gathered(struct conn *conn, struct patience *patience, int32_t *err);
int64_t conn_pass_gathered(struct conn *conn, int32_t *err);
void conn_yield(struct conn *conn);
bool conn_in_record(const struct conn *conn);
void conn_release(struct conn *conn);
int64_t conn_done(fssl_handle h, struct conn *conn, int64_t value, int32_t *err);
int64_t conn_step(struct conn *conn, struct step *step, int32_t *want, int32_t *err);

#endif
