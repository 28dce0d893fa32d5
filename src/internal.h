/* What the sources of flatssl share. A call runs one way: a handle is acquired (handle.c), which
   holds its object and locks it (object.c); OpenSSL is called; a tail (finish.c) turns the answer
   into a result, gives the object back and leaves OpenSSL's error queue empty. */
#ifndef FLATSSL_INTERNAL_H
#define FLATSSL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "../abi/flatssl.h"

enum {
    KIND_CTX = FSSL_TYPE_CTX,
    KIND_CONN = FSSL_TYPE_CONN,
    KIND_SESSION = FSSL_TYPE_SESSION,
    KIND_CERT = FSSL_TYPE_CERT,
    KIND_KEY = FSSL_TYPE_KEY,
    KIND_NAME = FSSL_TYPE_NAME,
    KIND_STORE = FSSL_TYPE_STORE,
    KIND_EXT = FSSL_TYPE_EXT,
    KIND_REQ = FSSL_TYPE_REQ,
    KIND_CRL = FSSL_TYPE_CRL,
    KIND_PKCS12 = FSSL_TYPE_PKCS12,
    KIND_CHAIN = FSSL_TYPE_CHAIN,
    KIND_LIMIT
};

/* ---- object.c: what stands behind handles ---- */

struct lock {
    pthread_mutex_t mutex;
    pthread_mutex_t gate; /* held by the next in line, so that lock_yield lets it in */
    atomic_int wanted;    /* threads that wait for the mutex */
    atomic_uintptr_t owner;
    int depth;
};

struct object {
    atomic_int refs;
    int32_t kind;
    bool readonly;
    fssl_handle self; /* the handle by which it was last acquired: what callbacks get */
    struct lock lock;
    int witness; /* plain on purpose: see witness() */
};

bool lock_init(struct lock *lock);
void lock_take(struct lock *lock);
void lock_give(struct lock *lock);
void lock_yield(struct lock *lock);
bool lock_mine(struct lock *lock);

void *object_new(int32_t kind, size_t size);
void *object_hold(void *object);
void object_drop(void *object);
void object_closing(void *object);
bool object_same(struct object *a, struct object *b);

/* Debug builds write a plain field beside every use of an object, so that ThreadSanitizer, which
   sees nothing of an uninstrumented OpenSSL, reports two threads that use it at once. */
static inline void witness(struct object *object)
{
#ifdef FSSL_WITNESS
    object->witness++;
#else
    (void)object;
#endif
}

/* ---- handle.c: the table ---- */

void handle_start(void);
fssl_handle handle_open(void *object);
int64_t acquire(fssl_handle h, int32_t kind, void *out, int32_t *err);
void *handle_object(fssl_handle h);
void handle_release(fssl_handle h);

/* ---- error.c, error_text.c: codes and records ---- */

enum { FAULT_LINES = 16, FAULT_TEXT = 3072 };

struct fault_line {
    unsigned long openssl_code;
    int source_line;
    uint16_t field[FSSL_ERROR_SOURCE_FILE + 1]; /* offsets into text, 0 for none */
};

struct fault {
    int32_t code;
    int32_t system_errno;
    int32_t alert;
    int32_t verify_code;
    int32_t count;
    uint16_t used;
    struct fault_line line[FAULT_LINES];
    char text[FAULT_TEXT];
};

struct record {
    pthread_mutex_t mutex;
    int64_t id;
    struct fault fault;
};

enum { FIRST_RECORD = 65536 };

void fault_begin(struct fault *fault, int32_t code);
void fault_say(struct fault *fault, const char *function, const char *reason, const char *data);
void fault_collect(struct fault *fault);
int64_t fault_publish(const struct fault *fault, int32_t *err);
bool record_live(int64_t result);
struct record *record_open(int64_t result);
void record_close(struct record *record);
void queue_empty(void);
bool queue_ends_pem(void);
void error_start(void);

/* ---- finish.c: the heads and tails of calls ---- */

void start(void);
int64_t code_only(int32_t code, int32_t *err);
int64_t finish(fssl_handle h, int64_t value, int32_t *err);
int64_t finish_done(fssl_handle h, int64_t ok, int32_t *err);
int64_t finish_bytes(fssl_handle h, const void *data, int64_t len, void *buf, int64_t cap,
                     int32_t *err);
int64_t finish_text(fssl_handle h, const char *text, char *buf, int64_t cap, int32_t *err);
int64_t finish_value(fssl_handle h, int64_t value, int64_t *out, int32_t *err);
int64_t finish_handle(fssl_handle h, void *object, int32_t *err);
int64_t finish_code(fssl_handle h, int32_t code, int32_t *err);
int64_t finish_fault(fssl_handle h, const struct fault *fault, int32_t *err);
int64_t abandon(fssl_handle h, int64_t failed, int32_t *err);
int64_t fail_at(fssl_handle h, int32_t code, const char *function, const char *reason,
                const char *data, int32_t *err);
int64_t fail_system_at(fssl_handle h, int error, const char *function, const char *data,
                       int32_t *err);
int64_t take_text_at(fssl_handle h, const char *function, const char *name, const char *text,
                     int64_t len, char **out, int32_t *err);

/* Ends a call whose argument `name` is bad; whose state forbids it; whose system call failed; or
   whose OpenSSL call failed, with `code` where the error queue tells nothing better. */
#define refuse(h, name, err) fail_at(h, FSSL_E_ARGUMENT, __func__, "bad argument", name, err)
#define refuse_state(h, why, err) fail_at(h, FSSL_E_STATE, __func__, why, NULL, err)
#define fail_system(h, error, data, err) fail_system_at(h, error, __func__, data, err)
#define fail(h, code, err) fail_at(h, code, __func__, NULL, NULL, err)

/* Makes a NUL-terminated copy of a text argument; on failure the call has ended. */
#define take_text(h, name, text, len, out, err) take_text_at(h, __func__, name, text, len, out, err)

static inline bool bytes_given(const void *data, int64_t len)
{
    return len >= 0 && (data || len == 0);
}

/* ---- wait.c: waiting for an fd, a deadline or another thread ---- */

enum { WAIT_TURN = 1 << 14, WAIT_ANY = -1 }; /* beside POLLIN and POLLOUT */

struct waiter {
    struct waiter *next;
    int wake_fd;
    int events;
    bool woken;
    bool cancelled;
};

int64_t clock_ms(void);
void wait_start(void);
int32_t wait_poll(struct object *object, struct waiter **list, int64_t fd, int events,
                  int64_t deadline);
void wait_wake(struct waiter *list, int events);
void wait_cancel(struct waiter *list);
uint32_t fork_epoch(void);

/* ---- bio.c: where bytes enter and leave ---- */

struct ring {
    uint8_t *data;
    size_t size; /* allocated */
    size_t start;
    size_t count;
};

struct carrier {
    int64_t fd; /* FSSL_NO_FD for memory */
    bool memory;
    bool plain;    /* no socket: read and write serve it */
    bool eof;      /* the peer will send no more */
    bool blocked;  /* the last read found nothing */
    bool overflow; /* more protocol messages than the peer took */
    int read_error;
    int write_error;
    size_t read_ahead;
    uint64_t bytes_in;
    const uint8_t *feed; /* the caller's ciphertext, during one call */
    size_t feed_len;
    struct ring in;
    struct ring out;
};

enum {
    CARRIER_IN_MAX = 1 << 20,
    CARRIER_APP_MAX = 1 << 20, /* queued in memory when application data must wait */
    CARRIER_OUT_MAX = 1 << 22,
    RECORD_MAX = 16384
};

BIO *carrier_bio_new(struct carrier *carrier);
void carrier_free(struct carrier *carrier);
void carrier_flush(struct carrier *carrier);
bool carrier_has_record(const struct carrier *carrier);
size_t ring_write(struct ring *ring, const uint8_t *data, size_t len, size_t max);
size_t ring_read(struct ring *ring, uint8_t *buf, size_t len);

/* ---- settings.c ---- */

struct blob {
    atomic_int refs;
    size_t len;
    uint8_t data[];
};

struct blob *blob_new(const uint8_t *data, size_t len);
struct blob *blob_hold(struct blob *blob);
void blob_drop(struct blob *blob);

/* A function of the caller's, cast back to its type where it is called. */
struct push {
    void (*fn)(void);
    int64_t token;
};

/* Where server names lead: see server_name.c. */
struct names {
    size_t count;
    struct {
        struct blob *pattern;
        struct ctx *ctx;
    } item[];
};

struct names *names_copy(const struct names *from);
void names_free(struct names *names);

/* What connections take from a context. Each holds the block that was current when it was made;
   a setter changes the block only while nobody else holds it, and else replaces it (ctx_change).
   The members from cipher_list on are set once the context is in use: OpenSSL reads the context's
   own lists without a lock while handshakes run, so from then on each new connection gets them
   as its own. */
struct settings {
    atomic_int refs;
    bool safe; /* of fssl_ctx_new_client or _server */
    bool buffer_release;
    int64_t read_ahead;
    struct push on_verify;
    struct push on_info;
    struct push on_server_name;
    struct push on_alpn_select;
    struct push on_npn_advertise;
    struct push on_npn_select;
    struct push on_keylog;
    struct blob *alpn_preference;
    struct blob *npn_advertised;
    struct blob *npn_preference;
    struct names *names;
    STACK_OF(X509_NAME) *client_cas;
    struct blob *cipher_list;
    struct blob *ciphersuites;
    STACK_OF(X509) *extra_chain;
    X509_STORE *trust;
};

struct settings *settings_new(void);
struct settings *settings_copy(const struct settings *from);
struct settings *settings_hold(struct settings *settings);
void settings_drop(struct settings *settings);

/* ---- callback.c: our trampolines, installed once in every SSL_CTX ---- */

void install_trampolines(SSL_CTX *ssl);
void install_on(SSL *ssl, const struct settings *settings);
void install_late(SSL_CTX *ssl, const struct settings *settings);

/* ---- ctx.c, ctx_credential.c, ctx_trust.c ---- */

struct ctx {
    struct object object;
    SSL_CTX *ssl;
    struct settings *settings;
    bool used;         /* a connection was made of it */
    bool system_trust; /* its store is the shared one of the system */
    bool named;        /* a server name of another context leads to it */
    bool client;       /* its method allows only this side */
    bool server;
    int64_t mode; /* as the caller sees it */
    int64_t app_data;
    struct blob *passphrase;
    struct push on_passphrase;
    struct asking *asking; /* threads inside on_passphrase */
};

struct settings *ctx_change(struct ctx *ctx);
SSL *ctx_make_ssl(struct ctx *ctx, struct settings **settings);
bool settings_apply(const struct settings *settings, SSL *ssl);
void ctx_free(struct object *object);
bool options_known(int64_t options);
bool protos_valid(const uint8_t *protos, int64_t len);
int ctx_trust_system(struct ctx *ctx);
bool file_read(const char *path, uint8_t **data, size_t *len);
int64_t take_file(fssl_handle h, const char *path, int64_t path_len, uint8_t **data, size_t *len,
                  int32_t *err);

/* A thread inside the passphrase callback of a context. */
struct asking {
    struct asking *next;
    pthread_t thread;
    char *buf;
    int size;
    int len;
};

/* A passphrase for PEM, or whom to ask for it, and whether OpenSSL wanted one. Always given, so
   that OpenSSL never asks on the terminal. */
struct passphrase {
    const uint8_t *data;
    size_t len;
    int (*ask)(char *buf, int size, int writing, void *passphrase);
    struct ctx *ctx;
    fssl_handle h;
    bool asked;
    bool failed;
};

int passphrase_give(char *buf, int size, int writing, void *passphrase);
X509 *cert_from_pem(const uint8_t *pem, size_t len);
X509 *cert_from_der(const uint8_t *der, size_t len);
STACK_OF(X509) *certs_from_pem(const uint8_t *pem, size_t len);
EVP_PKEY *key_from_pem(const uint8_t *pem, size_t len, struct passphrase *passphrase);
EVP_PKEY *params_from_pem(const uint8_t *pem, size_t len);
EVP_PKEY *key_from_der(const uint8_t *der, size_t len);
int32_t key_failure(const struct passphrase *passphrase);

/* ---- store.c, cert.c, key.c, name.c, session.c ---- */

struct cert {
    struct object object;
    X509 *x509;
    bool shared; /* others hold x509 too: cert_change copies it first */
};

struct key {
    struct object object;
    EVP_PKEY *pkey;
    bool has_private;
};

struct name {
    struct object object;
    X509_NAME *own;
    struct cert *cert; /* whose subject or issuer it is, where it owns none */
    bool issuer;
};

struct store {
    struct object object;
    X509_STORE *store;
};

struct session {
    struct object object;
    SSL_SESSION *ssl;
    struct ctx *ctx;
};

enum { HOST_FLAGS = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS };

struct cert *cert_wrap(X509 *x509, bool readonly);
int64_t take_cert(fssl_handle h, X509 **out, int32_t *err);
void certs_free(STACK_OF(X509) *certs);
bool host_prepare(char *host, bool *ip);
int cert_is_for(X509 *x509, const char *host, bool ip);
int64_t finish_bio(fssl_handle h, BIO *bio, int written, void *buf, int64_t cap, int32_t *err);
int64_t finish_der(fssl_handle h, uint8_t *der, int len, void *buf, int64_t cap, int32_t *err);
int64_t finish_time(fssl_handle h, const ASN1_TIME *when, int64_t *seconds, int32_t *err);
void cert_free(struct object *object);
struct key *key_wrap(EVP_PKEY *pkey, bool has_private);
int64_t take_key(fssl_handle h, EVP_PKEY **out, int32_t *err);
void key_free(struct object *object);
struct name *name_wrap(X509_NAME *own, bool readonly);
struct name *name_of_cert(struct cert *cert, bool issuer);
void name_free(struct object *object);
struct store *store_wrap(X509_STORE *store);
X509_STORE *store_of_system(void);
X509_STORE *store_copy_system(void);
int64_t take_store(fssl_handle h, X509_STORE **out, int32_t *err);
int64_t store_add_pem(X509_STORE *store, const uint8_t *pem, size_t len);
void store_free(struct object *object);
struct session *session_wrap(SSL_SESSION *ssl, struct ctx *ctx);
void session_free(struct object *object);

int64_t take_session(fssl_handle h, SSL_SESSION **out, struct ctx *ctx, int32_t *err);

/* ---- conn.c, conn_policy.c, conn_host.c, conn_step.c, conn_io.c, conn_send.c, conn_memory.c, conn_info.c, socket.c,
   socket_make.c ---- */

struct sender {
    struct sender *next;
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
    bool at_end;     /* that question came after the handshake */
    struct verify_error errors[VERIFY_ERRORS];
};

struct conn {
    struct object object;
    SSL *ssl;
    struct ctx *ctx;
    struct settings *settings;
    struct carrier carrier;
    int64_t timeout;
    int64_t app_data;
    uint32_t epoch; /* the fork epoch in which its handshake began, 0 before */
    int32_t want;   /* FSSL_WANT_ bits of the last call */
    int32_t failed; /* the code that ended it, or FSSL_OK */
    bool client;
    bool server;
    bool owns_fd;
    bool closing;
    bool listens; /* its fd is kept non-blocking; blocks says how accept waits */
    bool blocks;
    bool established; /* its first handshake has ended, the peer passed every check due */
    bool host_is_ip;
    int useless; /* messages handled since the last plaintext */
    int renegotiations;
    bool hello_seen;
    bool name_known;         /* the server name led somewhere: acknowledge it */
    char *hello_name;        /* the client's server name */
    struct inquiry *inquiry; /* NULL for one that does not ask */
    bool host_waived;        /* the verify callback took another host's certificate */
    const char *refused_by;  /* the callback that failed its handshake */
    struct blob *answer;     /* what a callback answered */
    X509_STORE_CTX *verifying;
    char *host;          /* whom a client expects */
    struct fault *fault; /* what ended it; NULL if memory ran out for it */
    int64_t fault_result;
    struct waiter *waiters;
    struct sender *senders; /* those who send, in order; the first has its turn */
    int fd_users;           /* calls that wait with the fd */
};

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
int64_t conn_usable(struct conn *conn, int32_t *err);
int64_t conn_fail(struct conn *conn, const struct fault *fault, int32_t *err);
int64_t conn_wait(struct conn *conn, int32_t want, struct patience *patience, int32_t *err);
int64_t conn_recv(struct conn *conn, uint8_t *buf, size_t cap, int32_t flags, int32_t *err);
int64_t conn_handshake(struct conn *conn, struct patience *patience, int32_t *err);
int64_t conn_establish(struct conn *conn, struct patience *patience, int32_t *err);
bool conn_verify_peer(struct conn *conn, struct fault *fault);
int32_t conn_use_host(struct conn *conn, const char *host);

bool conn_use_context(struct conn *conn, struct ctx *ctx);
bool call_server_name(struct conn *conn, const struct push *push);
bool server_name_decide(struct conn *conn);
int client_hello(SSL *ssl, int *alert, void *unused);
int question_client_hello(struct conn *conn, int *alert);
int question_verify(struct conn *conn, int ok, X509_STORE_CTX *store);
bool question_at_end(struct conn *conn);
bool question_settled(struct conn *conn, struct fault *fault);
int32_t question_code(const struct conn *conn);
int64_t acquire_asking(fssl_handle h, int32_t ask, struct conn **conn, int32_t *err);
int64_t acquire_fd(fssl_handle h, struct conn **conn, int32_t *err);
int fd_of(const struct conn *conn);
bool fd_blocks(int fd, bool blocks);
int64_t unresolved(int answer, int32_t *err);

/* One step of OpenSSL on a connection: what is to be done, and what came of it. */
struct step {
    int (*run)(SSL *ssl, struct step *step);
    void *buf;
    size_t len;
    size_t done;
};

int64_t conn_drain(struct conn *conn, struct patience *patience, int32_t *err);
int64_t conn_step(struct conn *conn, struct step *step, int32_t *want, int32_t *err);

#endif
