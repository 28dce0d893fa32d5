/* Stores of trusted certificates. The system's own is loaded once a process and shared; it is
   never handed out or changed: who wants to add to it gets a copy. */
#include "internal.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

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

int64_t fssl_store_count(fssl_handle h, int32_t *err)
{
    struct store *store;
    int count;
    int64_t failed = acquire(h, KIND_STORE, &store, err);

    if (failed)
        return failed;
    X509_STORE_lock(store->store);
    count = sk_X509_OBJECT_num(X509_STORE_get0_objects(store->store));
    X509_STORE_unlock(store->store);
    return finish(h, count, err);
}
