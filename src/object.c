/* What stands behind handles: counted objects, each with a lock (lock.c).

   An object lives as long as a handle or another object holds it (connection -> context, session
   -> context), so handles may be closed in any order. */
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
    object->kind = (int16_t)kind;
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
    lock_destroy(&dropped->lock);
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

static bool is_same(struct object *a, struct object *b)
{
    return a->kind == b->kind && object_core(a) == object_core(b);
}

/* ---- what a handle tells of its object ---- */

int64_t fssl_handle_type(fssl_handle h, int32_t *err)
{
    struct object *object;
    int32_t code = handle_hold(h, &object);
    int32_t kind;

    if (code)
        return code_only(code, err);
    kind = object->kind;
    handle_release(h);
    return finish_own(0, kind, err);
}

int64_t fssl_handle_same(fssl_handle a, fssl_handle b, int32_t *err)
{
    struct object *first, *second;
    int32_t code = handle_hold(a, &first);
    bool same;

    if (code)
        return code_only(code, err);
    code = handle_hold(b, &second);
    if (code) {
        handle_release(a);
        return code_only(code, err);
    }
    same = is_same(first, second);
    handle_release(a);
    handle_release(b);
    return finish(0, same, err);
}
