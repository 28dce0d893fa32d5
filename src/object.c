/* What stands behind handles: counted objects, each with a lock.

   An object lives as long as a handle or another object holds it (connection -> context, session
   -> context), so handles may be closed in any order. Between acquire and the tail of a call its
   lock belongs to the calling thread; a callback may come back in on the same thread, which only
   counts deeper.

   The lock is a mutex with a gate before it. A thread that works for long on one connection, such
   as one that swallows a flood of key updates, calls lock_yield: it passes the gate anew, behind
   whoever waits there, where a bare unlock and lock would nearly always win the race. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

static const struct {
    void (*free)(struct object *object);
    void (*closing)(struct object *object);
    size_t core; /* where the OpenSSL object is that makes two of them the same; 0: the object */
} kinds[KIND_LIMIT] = {
    [KIND_CTX] = {ctx_free, NULL, 0},
    [KIND_CONN] = {conn_free, conn_closing, 0},
    [KIND_SESSION] = {session_free, NULL, offsetof(struct session, ssl)},
    [KIND_CERT] = {cert_free, NULL, offsetof(struct cert, x509)},
    [KIND_KEY] = {key_free, NULL, offsetof(struct key, pkey)},
    [KIND_NAME] = {name_free, NULL, 0},
    [KIND_STORE] = {store_free, NULL, offsetof(struct store, store)},
    [KIND_EXT] = {ext_free, NULL, 0},
    [KIND_REQ] = {req_free, NULL, 0},
    [KIND_CRL] = {crl_free, NULL, 0},
    [KIND_CHAIN] = {chain_free, NULL, 0},
    [KIND_REVOKED] = {revoked_free, NULL, 0},
    [KIND_PKCS12] = {pkcs12_free, NULL, 0},
    [KIND_PKCS7] = {pkcs7_free, NULL, 0},
    [KIND_SPKI] = {spki_free, NULL, 0},
};

bool lock_init(struct lock *lock)
{
    if (pthread_mutex_init(&lock->mutex, NULL))
        return false;
    if (pthread_mutex_init(&lock->gate, NULL)) {
        pthread_mutex_destroy(&lock->mutex);
        return false;
    }
    return true;
}

/* A test alone builds without the mutexes: ThreadSanitizer must then report that calls overlap. */
#ifdef FSSL_NO_LOCK
#define pthread_mutex_lock(mutex) ((void)(mutex))
#define pthread_mutex_trylock(mutex) ((void)(mutex), 0)
#define pthread_mutex_unlock(mutex) ((void)(mutex))
#endif

static uintptr_t self(void)
{
    return (uintptr_t)pthread_self();
}

bool lock_mine(struct lock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == self();
}

static void lock_owned(struct lock *lock, uintptr_t owner, int depth)
{
    atomic_store_explicit(&lock->owner, owner, memory_order_relaxed);
    lock->depth = depth;
}

static void lock_in_line(struct lock *lock)
{
    pthread_mutex_lock(&lock->gate);
    pthread_mutex_lock(&lock->mutex);
    pthread_mutex_unlock(&lock->gate);
}

void lock_take(struct lock *lock)
{
    if (lock_mine(lock)) {
        lock->depth++;
        return;
    }
    if (pthread_mutex_trylock(&lock->mutex)) {
        atomic_fetch_add(&lock->wanted, 1);
        lock_in_line(lock);
        atomic_fetch_sub(&lock->wanted, 1);
    }
    lock_owned(lock, self(), 1);
}

void lock_give(struct lock *lock)
{
    if (--lock->depth)
        return;
    lock_owned(lock, 0, 0);
    pthread_mutex_unlock(&lock->mutex);
}

/* Lets those who wait have the lock first. */
void lock_yield(struct lock *lock)
{
    int depth = lock->depth;

    if (!atomic_load_explicit(&lock->wanted, memory_order_relaxed) || depth != 1)
        return;
    lock_owned(lock, 0, 0);
    pthread_mutex_unlock(&lock->mutex);
    lock_in_line(lock);
    lock_owned(lock, self(), depth);
}

/* Makes an object, zeroed, with one reference. Every object begins with a struct object. */
void *object_new(int32_t kind, size_t size)
{
    struct object *object = OPENSSL_zalloc(size);

    if (!object)
        return NULL;
    if (!lock_init(&object->lock)) {
        OPENSSL_free(object);
        return NULL;
    }
    object->refs = 1;
    object->kind = kind;
    return object;
}

void *object_hold(void *object)
{
    struct object *held = object;

    atomic_fetch_add_explicit(&held->refs, 1, memory_order_relaxed);
    return object;
}

void object_drop(void *object)
{
    struct object *dropped = object;

    if (!object || atomic_fetch_sub_explicit(&dropped->refs, 1, memory_order_acq_rel) > 1)
        return;
    kinds[dropped->kind].free(dropped);
    pthread_mutex_destroy(&dropped->lock.mutex);
    pthread_mutex_destroy(&dropped->lock.gate);
    OPENSSL_free(dropped);
}

/* Its handle is being closed: whoever waits on it must wake. */
void object_closing(void *object)
{
    struct object *closed = object;

    if (kinds[closed->kind].closing)
        kinds[closed->kind].closing(closed);
}

static const void *object_core(struct object *object)
{
    size_t core = kinds[object->kind].core;
    const void *pointer = object;

    if (core) {
        lock_take(&object->lock);
        memcpy(&pointer, (const char *)object + core, sizeof pointer);
        lock_give(&object->lock);
    }
    return pointer;
}

bool object_same(struct object *a, struct object *b)
{
    return a->kind == b->kind && object_core(a) == object_core(b);
}
