/* What the sources of flatssl share. A call runs one way: a handle is acquired (handle.c), which
   holds its object and locks it (lock.c); OpenSSL is called; a tail (finish.c) turns the answer
   into a result, gives the object back and leaves OpenSSL's error queue empty. */
#ifndef FLATSSL_INTERNAL_H
#define FLATSSL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

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
    KIND_REVOKED = FSSL_TYPE_REVOKED,
    KIND_PKCS7 = FSSL_TYPE_PKCS7,
    KIND_SPKI = FSSL_TYPE_SPKI,
    KIND_LIMIT
};

/* ---- lock.c: who may use an object ---- */

/* Bits of the word that tells who holds a lock. Beside them a slot keeps its users. */
#define LOCK_HELD (UINT64_C(1) << 30)
#define LOCK_WANTED (UINT64_C(1) << 29)

/* Where the compiler is known to have the thread's own address; to have the builtin says little. */
#if defined(__linux__) && (defined(__aarch64__) || defined(__x86_64__)) && \
    (__GNUC__ >= 11 || __clang_major__ >= 14)
#define FSSL_THREAD_POINTER 1
#endif

struct lock {
    atomic_uint_fast64_t *word; /* `own`, or that of the slot of the object's only handle */
    atomic_uint_fast64_t own;
    atomic_uintptr_t owner;
    int depth;
    uint32_t first_place; /* of those in line, whom `moved` tells that they may move on */
    uint32_t last_place;
    int witness; /* plain on purpose: see witness() */
    pthread_mutex_t line;
    pthread_cond_t moved;
};

bool lock_init(struct lock *lock);
void lock_destroy(struct lock *lock);
void lock_take(struct lock *lock);
void lock_give(struct lock *lock);
bool lock_yield(struct lock *lock);
bool lock_mine(struct lock *lock);
void lock_release(struct lock *lock);

/* Tells threads apart: cheaper than pthread_self, where that is possible. */
static inline uintptr_t this_thread(void)
{
#ifdef FSSL_THREAD_POINTER
    return (uintptr_t)__builtin_thread_pointer();
#else
    return (uintptr_t)pthread_self();
#endif
}

/* Notes that this thread has just come to hold it. */
static inline void lock_entered(struct lock *lock)
{
    atomic_store_explicit(&lock->owner, this_thread(), memory_order_relaxed);
    lock->depth = 1;
}

/* Notes that this thread is about to give it up. */
static inline void lock_leaving(struct lock *lock)
{
    lock->depth = 0;
    atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
}

/* ---- object.c: what stands behind handles ---- */

struct object {
    atomic_int refs;
    int16_t kind;
    bool readonly;
    fssl_handle self; /* the handle by which it was last acquired: what callbacks get */
    struct lock lock;
};

void *object_new(int32_t kind, size_t size);
void *object_hold(void *object);
void object_drop(void *object);
void object_closing(void *object);

/* Debug builds write a plain field beside every use of an object, so that ThreadSanitizer, which
   sees nothing of an uninstrumented OpenSSL, reports two threads that use it at once. */
static inline void witness(struct object *object)
{
#ifdef FSSL_WITNESS
    object->lock.witness++;
#else
    (void)object;
#endif
}

/* ---- handle.c: the table ---- */

void handle_start(void);
fssl_handle handle_open(void *object);
int32_t handle_hold(fssl_handle h, struct object **out);
int64_t acquire_own(fssl_handle h, int32_t kind, void *out, int32_t *err);
int64_t acquire(fssl_handle h, int32_t kind, void *out, int32_t *err);
int64_t finish_own(fssl_handle h, int64_t value, int32_t *err);
void handle_leave(fssl_handle h);
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
void queue_is_empty(void);
void queue_refill(const struct fault *fault);
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
int64_t finish_value_at(fssl_handle h, const char *function, const char *name, int64_t value,
                        int64_t *out, int32_t *err);
int64_t finish_handle(fssl_handle h, void *object, int32_t *err);
int64_t finish_code(fssl_handle h, int32_t code, int32_t *err);
int64_t finish_fault(fssl_handle h, const struct fault *fault, int32_t *err);
int64_t abandon(fssl_handle h, int64_t failed, int32_t *err);
int64_t fail_at(fssl_handle h, int32_t code, const char *function, const char *reason,
                const char *data, int32_t *err);
int64_t refuse_at(fssl_handle h, int32_t code, const char *function, const char *reason,
                  const char *data, int32_t *err);
int64_t fail_system_at(fssl_handle h, int error, const char *function, const char *data,
                       int32_t *err);
int64_t take_text_at(fssl_handle h, const char *function, const char *name, const char *text,
                     int64_t len, char **out, int32_t *err);

/* Ends a call whose argument `name` is bad; whose state forbids it; whose system call failed; or
   whose OpenSSL call failed, with `code` where the error queue tells nothing better. */
#define refuse(h, name, err) refuse_at(h, FSSL_E_ARGUMENT, __func__, "bad argument", name, err)
#define refuse_state(h, why, err) refuse_at(h, FSSL_E_STATE, __func__, why, NULL, err)
#define fail_system(h, error, data, err) fail_system_at(h, error, __func__, data, err)
#define fail(h, code, err) fail_at(h, code, __func__, NULL, NULL, err)

/* Ends a call with 0 and a value, which may be negative, in the argument `out`. */
#define finish_value(h, value, out, err) finish_value_at(h, __func__, #out, value, out, err)

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
int64_t deadline_in(int64_t milliseconds);
void wait_start(void);
int32_t wait_poll(struct object *object, struct waiter **list, int64_t fd, int events,
                  int64_t deadline);
void wait_wake(struct waiter *list, int events);
void wait_cancel(struct waiter *list);

extern atomic_uint fork_count;

/* Rises in every child of fork. */
static inline uint32_t fork_epoch(void)
{
    return atomic_load_explicit(&fork_count, memory_order_relaxed);
}

/* ---- ring.c: rings of bytes ---- */

struct ring {
    uint8_t *data;
    size_t size; /* allocated */
    size_t start;
    size_t count;
    bool secret; /* its memory is cleared before it is given back */
};

bool ring_grow(struct ring *ring, size_t need);
uint8_t *ring_at(const struct ring *ring, size_t count, size_t *piece);
size_t ring_write(struct ring *ring, const uint8_t *data, size_t len, size_t max);
void ring_drop(struct ring *ring, size_t len);
size_t ring_peek(const struct ring *ring, uint8_t *buf, size_t len);
size_t ring_read(struct ring *ring, uint8_t *buf, size_t len);
void ring_release(struct ring *ring);

/* ---- bio.c, bio_datagram.c: where bytes enter and leave ---- */

/* What a carrier of datagrams has beside the rest: see bio_datagram.c. */
struct datagram {
    const SSL *ssl;
    bool listening; /* the peer is whoever sent last */
    bool listened;  /* a client has shown its cookie */
    bool shut;      /* nothing more will come to the socket */
    int budget;     /* how many may still be read at once */
    long mtu;       /* as the caller set it, or 0 */
    struct blob *peer_name;
    socklen_t peer_len;
    struct sockaddr_storage peer;
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
    uint8_t *drain; /* room of the caller's for ciphertext, during one call */
    size_t drain_len;
    bool spilled; /* a record did not fit there */
    struct ring in;
    struct ring out;
    struct datagram *datagram; /* NULL for a stream */
};

enum {
    CARRIER_IN_MAX = 1 << 20,
    CARRIER_APP_MAX = 1 << 20, /* queued in memory when application data must wait */
    CARRIER_OUT_MAX = 1 << 22,
    RECORD_MAX = 16384,
    DATAGRAM_MAX = 65535,
    FLIGHT_MAX = 4096 /* OpenSSL gathers a flight in so many bytes, and splits a larger record */
};

ssize_t plain_write(int fd, const struct iovec *parts, int count);
BIO *carrier_bio_new(struct carrier *carrier);
void carrier_free(struct carrier *carrier);
void carrier_send_queue(struct carrier *carrier);
void carrier_release(struct carrier *carrier);
bool carrier_has_record(const struct carrier *carrier);

/* Sends what is queued as far as the socket takes it. */
static inline void carrier_flush(struct carrier *carrier)
{
    if (carrier->out.count > 0 && !carrier->memory)
        carrier_send_queue(carrier);
}

bool datagram_start(struct carrier *carrier, const SSL *ssl);
bool datagram_fd(int fd);
ssize_t datagram_read(struct carrier *carrier, uint8_t *buf, size_t len);
void datagram_write(struct carrier *carrier, const uint8_t *data, size_t len);
bool datagram_shut(const struct carrier *carrier);
void datagram_flush(struct carrier *carrier);
long datagram_ctrl(const struct carrier *carrier, int command);
int datagram_connect(struct carrier *carrier);
size_t datagram_next(const struct ring *ring);
size_t datagram_take(struct ring *ring, uint8_t *buf, size_t len);
bool datagram_put(struct ring *ring, const uint8_t *data, size_t len, size_t max);

#include "conn.h"

#endif
