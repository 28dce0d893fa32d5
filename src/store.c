/* Stores of trusted certificates. The system's own is loaded once a process and shared; it is
   never handed out or changed: who wants to add to it gets a copy. */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

_Static_assert(FSSL_STORE_CRL_CHECK == X509_V_FLAG_CRL_CHECK, "verify flag");
_Static_assert(FSSL_STORE_CRL_CHECK_ALL == X509_V_FLAG_CRL_CHECK_ALL, "verify flag");
_Static_assert(FSSL_STORE_IGNORE_CRITICAL == X509_V_FLAG_IGNORE_CRITICAL, "verify flag");
_Static_assert(FSSL_STORE_X509_STRICT == X509_V_FLAG_X509_STRICT, "verify flag");
_Static_assert(FSSL_STORE_ALLOW_PROXY_CERTS == X509_V_FLAG_ALLOW_PROXY_CERTS, "verify flag");
_Static_assert(FSSL_STORE_POLICY_CHECK == X509_V_FLAG_POLICY_CHECK, "verify flag");
_Static_assert(FSSL_STORE_EXPLICIT_POLICY == X509_V_FLAG_EXPLICIT_POLICY, "verify flag");
_Static_assert(FSSL_STORE_INHIBIT_ANY == X509_V_FLAG_INHIBIT_ANY, "verify flag");
_Static_assert(FSSL_STORE_INHIBIT_MAP == X509_V_FLAG_INHIBIT_MAP, "verify flag");
_Static_assert(FSSL_STORE_NOTIFY_POLICY == X509_V_FLAG_NOTIFY_POLICY, "verify flag");
_Static_assert(FSSL_STORE_EXTENDED_CRL_SUPPORT == X509_V_FLAG_EXTENDED_CRL_SUPPORT, "verify flag");
_Static_assert(FSSL_STORE_USE_DELTAS == X509_V_FLAG_USE_DELTAS, "verify flag");
_Static_assert(FSSL_STORE_CHECK_SS_SIGNATURE == X509_V_FLAG_CHECK_SS_SIGNATURE, "verify flag");
_Static_assert(FSSL_STORE_TRUSTED_FIRST == X509_V_FLAG_TRUSTED_FIRST, "verify flag");
_Static_assert(FSSL_STORE_SUITEB_128_LOS_ONLY == X509_V_FLAG_SUITEB_128_LOS_ONLY, "verify flag");
_Static_assert(FSSL_STORE_SUITEB_192_LOS == X509_V_FLAG_SUITEB_192_LOS, "verify flag");
_Static_assert(FSSL_STORE_PARTIAL_CHAIN == X509_V_FLAG_PARTIAL_CHAIN, "verify flag");
_Static_assert(FSSL_STORE_NO_ALT_CHAINS == X509_V_FLAG_NO_ALT_CHAINS, "verify flag");
_Static_assert(FSSL_STORE_NO_CHECK_TIME == X509_V_FLAG_NO_CHECK_TIME, "verify flag");

/* What a caller may set. X509_V_FLAG_USE_CHECK_TIME is not among them: it comes with a time. */
enum {
    KNOWN_FLAGS = FSSL_STORE_CRL_CHECK | FSSL_STORE_CRL_CHECK_ALL | FSSL_STORE_IGNORE_CRITICAL |
                  FSSL_STORE_X509_STRICT | FSSL_STORE_ALLOW_PROXY_CERTS | FSSL_STORE_POLICY_CHECK |
                  FSSL_STORE_EXPLICIT_POLICY | FSSL_STORE_INHIBIT_ANY | FSSL_STORE_INHIBIT_MAP |
                  FSSL_STORE_NOTIFY_POLICY | FSSL_STORE_EXTENDED_CRL_SUPPORT |
                  FSSL_STORE_USE_DELTAS | FSSL_STORE_CHECK_SS_SIGNATURE | FSSL_STORE_TRUSTED_FIRST |
                  FSSL_STORE_SUITEB_128_LOS_ONLY | FSSL_STORE_SUITEB_192_LOS |
                  FSSL_STORE_PARTIAL_CHAIN | FSSL_STORE_NO_ALT_CHAINS | FSSL_STORE_NO_CHECK_TIME
};

static pthread_mutex_t system_lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *system_store;

void store_free(struct object *object)
{
    X509_STORE_free(((struct store *)object)->store);
}

/* Makes a store's object of an X509_STORE, which it takes over, also on failure. */
struct store *store_wrap(X509_STORE *x509_store)
{
    struct store *store = x509_store ? object_new(KIND_STORE, sizeof *store) : NULL;

    if (!store) {
        X509_STORE_free(x509_store);
        return NULL;
    }
    store->store = x509_store;
    return store;
}

/* Takes a reference to the X509_STORE of a handle; on failure returns a result. */
int64_t take_store(fssl_handle h, X509_STORE **out, int32_t *err)
{
    struct store *store;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    if (!X509_STORE_up_ref(store->store))
        return fail(h, FSSL_E_OPENSSL, err);
    *out = store->store;
    return finish(h, 0, err);
}

static X509_STORE *store_load_system(void)
{
    X509_STORE *store = X509_STORE_new();

    if (store && X509_STORE_set_default_paths(store))
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* Returns a reference to the system's store, loaded at first use; NULL on failure. */
X509_STORE *store_of_system(void)
{
    X509_STORE *store;

    pthread_mutex_lock(&system_lock);
    if (!system_store)
        system_store = store_load_system();
    store = system_store && X509_STORE_up_ref(system_store) ? system_store : NULL;
    pthread_mutex_unlock(&system_lock);
    return store;
}

static bool copy_objects(X509_STORE *from, X509_STORE *copy)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(from);

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        const X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
        X509 *cert = X509_OBJECT_get0_X509(object);
        X509_CRL *crl = X509_OBJECT_get0_X509_CRL(object);

        if ((cert && !X509_STORE_add_cert(copy, cert)) || (crl && !X509_STORE_add_crl(copy, crl)))
            return false;
    }
    return true;
}

/* Looks certificates up in the system's hashed directory, as the system's store does. */
static bool look_up_system(X509_STORE *store)
{
    const char *dir = getenv(X509_get_default_cert_dir_env());

    return X509_STORE_load_path(store, dir ? dir : X509_get_default_cert_dir()) == 1;
}

/* Returns a copy of the system's store, to be freed. */
X509_STORE *store_copy_system(void)
{
    X509_STORE *from = store_of_system();
    X509_STORE *copy = from ? X509_STORE_new() : NULL;
    bool ok = false;

    if (copy) {
        X509_STORE_lock(from);
        ok = copy_objects(from, copy);
        X509_STORE_unlock(from);
    }
    X509_STORE_free(from);
    if (ok && look_up_system(copy))
        return copy;
    X509_STORE_free(copy);
    return NULL;
}

/* ---- adding ---- */

static int64_t add_all(X509_STORE *store, STACK_OF(X509_INFO) *infos)
{
    int64_t count = 0;

    for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
        const X509_INFO *info = sk_X509_INFO_value(infos, i);

        if ((info->x509 && !X509_STORE_add_cert(store, info->x509)) ||
            (info->crl && !X509_STORE_add_crl(store, info->crl)))
            return -1;
        count += (info->x509 != NULL) + (info->crl != NULL);
    }
    if (count == 0)
        ERR_raise(ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND);
    return count > 0 ? count : -1;
}

/* Adds the certificates and CRLs of a PEM. Returns how many, or < 0 with nothing added. */
int64_t store_add_pem(X509_STORE *store, const uint8_t *pem, size_t len)
{
    struct passphrase none = {.asked = false};
    BIO *bio = bio_over(pem, len);
    STACK_OF(X509_INFO) *infos =
        bio ? PEM_X509_INFO_read_bio(bio, NULL, passphrase_give, &none) : NULL;
    int64_t count = infos ? add_all(store, infos) : -1;

    sk_X509_INFO_pop_free(infos, X509_INFO_free);
    BIO_free(bio);
    return count;
}

/* ---- places ---- */

static bool dir_opens(const char *path)
{
    DIR *dir = opendir(path);

    if (dir)
        closedir(dir);
    return dir != NULL;
}

static int64_t read_places(fssl_handle h, const char *file, const char *dir, struct places *places,
                           int32_t *err)
{
    if (dir && !*dir)
        return refuse(h, "dir", err);
    if (file && !*file)
        return refuse(h, "file", err);
    if (dir && !dir_opens(dir))
        return fail_system(h, errno, dir, err);
    if (file && !file_read(file, &places->data, &places->len))
        return fail_system(h, errno, file, err);
    return 0;
}

/* Reads what a store is to trust; on failure the call has ended. Both places are looked at before
   either is trusted. */
int64_t take_places(fssl_handle h, const char *file, int64_t file_len, const char *dir,
                    int64_t dir_len, struct places *out, int32_t *err)
{
    char *file_text, *dir_text;
    int64_t failed;

    memset(out, 0, sizeof *out);
    if (!file && !dir)
        return refuse(h, "file", err);
    failed = take_text(h, "file", file, file_len, &file_text, err);
    if (failed)
        return failed;
    failed = take_text(h, "dir", dir, dir_len, &dir_text, err);
    if (!failed) {
        failed = read_places(h, file ? file_text : NULL, dir ? dir_text : NULL, out, err);
        if (!failed && dir)
            out->dir = dir_text;
        else
            OPENSSL_free(dir_text);
    }
    OPENSSL_free(file_text);
    return failed;
}

bool places_add(const struct places *places, X509_STORE *store)
{
    return (!places->data || store_add_pem(store, places->data, places->len) >= 0) &&
           (!places->dir || X509_STORE_load_path(store, places->dir));
}

void places_free(struct places *places)
{
    OPENSSL_free(places->data);
    OPENSSL_free(places->dir);
}

/* ---- calls ---- */

int64_t fssl_store_new(int32_t *err)
{
    start();
    return finish_handle(0, store_wrap(X509_STORE_new()), err);
}

int64_t fssl_store_add_cert(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct store *store;
    X509 *x509;
    int ok;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    failed = take_cert(cert, &x509, err);
    if (failed)
        return abandon(h, failed, err);
    ok = X509_STORE_add_cert(store->store, x509);
    X509_free(x509);
    return finish_done(h, ok, err);
}

int64_t fssl_store_add_pem(fssl_handle h, const uint8_t *pem, int64_t len, int32_t *err)
{
    struct store *store;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    if (!bytes_given(pem, len))
        return refuse(h, "pem", err);
    return finish(h, store_add_pem(store->store, pem, (size_t)len), err);
}

int64_t fssl_store_add_crl(fssl_handle h, fssl_handle crl, int32_t *err)
{
    struct store *store;
    X509_CRL *x509_crl;
    int64_t failed = take_crl(crl, &x509_crl, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_STORE, &store, err);
    if (!failed)
        failed = finish_done(h, X509_STORE_add_crl(store->store, x509_crl), err);
    X509_CRL_free(x509_crl);
    return failed;
}

int64_t fssl_store_load_locations(fssl_handle h, const char *file, int64_t file_len,
                                  const char *dir, int64_t dir_len, int32_t *err)
{
    struct store *store;
    struct places places;
    bool ok;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    failed = take_places(h, file, file_len, dir, dir_len, &places, err);
    if (failed)
        return failed;
    ok = places_add(&places, store->store);
    places_free(&places);
    return finish_done(h, ok, err);
}

/* ---- rules ---- */

bool verify_flags_known(int64_t flags)
{
    return (flags & ~(int64_t)KNOWN_FLAGS) == 0;
}

/* Connections that verify at this moment read the rules without a lock: they see the old number or
   the new one. */
int64_t fssl_store_set_flags(fssl_handle h, int64_t flags, int32_t *err)
{
    struct store *store;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    if (!verify_flags_known(flags))
        return refuse(h, "flags", err);
    return finish_done(h, X509_STORE_set_flags(store->store, (unsigned long)flags), err);
}

int64_t fssl_store_set_time(fssl_handle h, int64_t seconds, int32_t *err)
{
    struct store *store;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    if (!seconds_valid(seconds))
        return refuse(h, "seconds", err);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store->store), (time_t)seconds);
    return finish(h, 0, err);
}

/* ---- what it holds ---- */

/* Since OpenSSL 3.3 the objects can be had as copies, since 4.0 they should not be had in any
   other way. */
#if OPENSSL_VERSION_PREREQ(3, 3)
static STACK_OF(X509_OBJECT) *objects_hold(X509_STORE *store)
{
    return X509_STORE_get1_objects(store);
}

static void objects_release(X509_STORE *store, STACK_OF(X509_OBJECT) *objects)
{
    (void)store;
    sk_X509_OBJECT_pop_free(objects, X509_OBJECT_free);
}
#else
static STACK_OF(X509_OBJECT) *objects_hold(X509_STORE *store)
{
    X509_STORE_lock(store);
    return X509_STORE_get0_objects(store);
}

static void objects_release(X509_STORE *store, STACK_OF(X509_OBJECT) *objects)
{
    (void)objects;
    X509_STORE_unlock(store);
}
#endif

/* Returns how many objects a store holds, -1 if memory ran out for it. */
int store_size(X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *objects = objects_hold(store);
    int count = sk_X509_OBJECT_num(objects);

    objects_release(store, objects);
    return count;
}

int64_t fssl_store_count(fssl_handle h, int32_t *err)
{
    struct store *store;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    return finish(h, store_size(store->store), err);
}

static int64_t finish_item(fssl_handle h, const X509_OBJECT *object, int32_t *err)
{
    X509 *x509 = object ? X509_OBJECT_get0_X509(object) : NULL;
    X509_CRL *x509_crl = object ? X509_OBJECT_get0_X509_CRL((X509_OBJECT *)object) : NULL;

    if (x509)
        return X509_up_ref(x509) ? finish_handle(h, cert_wrap(x509, true), err)
                                 : fail(h, FSSL_E_OPENSSL, err);
    if (x509_crl)
        return finish_handle(h, crl_wrap(X509_CRL_dup(x509_crl), true), err);
    return refuse(h, "i", err);
}

int64_t fssl_store_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct store *store;
    X509_STORE *held;
    STACK_OF(X509_OBJECT) *objects;
    int64_t result = acquire(h, KIND_STORE, &store, err);

    if (result)
        return result;
    held = store->store;
    if (i < 0 || i > INT_MAX || !X509_STORE_up_ref(held))
        return refuse(h, "i", err);
    objects = objects_hold(held);
    result = objects ? finish_item(h, sk_X509_OBJECT_value(objects, (int)i), err)
                     : fail(h, FSSL_E_OPENSSL, err);
    objects_release(held, objects);
    X509_STORE_free(held);
    return result;
}
