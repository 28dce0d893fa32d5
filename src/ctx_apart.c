/* Contexts apart: in a library context of OpenSSL's other than the process's own.

   Whatever OpenSSL looks up while it shakes hands (digests, ciphers, key types, random numbers, its
   providers) sits in a library context behind a few locks, which all threads share. Threads whose
   contexts are in different places share none of them.

   A place is never freed. Keys and certificates hold on to the library context that they were made
   or used in without a count, whoever they belong to, and so does what OpenSSL keeps for each
   thread until that ends. So there is a fixed number of them, made when first asked for. */
#include "internal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

enum { PLACES = 256 };

static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;
static OSSL_LIB_CTX *places_made[PLACES];

static int load_too(OSSL_PROVIDER *provider, void *library)
{
    return OSSL_PROVIDER_load(library, OSSL_PROVIDER_get0_name(provider)) != NULL;
}

/* Makes a library context that knows what the process's own does. The configuration is not read
   again: OpenSSL keeps a part of it in memory that is no library context's, without a lock. */
static OSSL_LIB_CTX *library_new(void)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

    if (library && OSSL_PROVIDER_do_all(NULL, load_too, library) &&
        (!EVP_default_properties_is_fips_enabled(NULL) ||
         EVP_default_properties_enable_fips(library, 1)))
        return library;
    OSSL_LIB_CTX_free(library);
    return NULL;
}

/* Makes the first context of a place, and with it the place. If that fails the library context goes
   too, while nothing refers to it: OpenSSL 3.0 would lack in it for ever what it found no memory
   for. */
static struct ctx *make_first(int32_t method, OSSL_LIB_CTX **at)
{
    OSSL_LIB_CTX *library = library_new();
    struct ctx *ctx = library ? ctx_make(method, library) : NULL;

    if (ctx)
        *at = library;
    else
        OSSL_LIB_CTX_free(library);
    return ctx;
}

static struct ctx *make_at(int32_t method, OSSL_LIB_CTX **at)
{
    struct ctx *ctx = NULL;
    OSSL_LIB_CTX *library;

    pthread_mutex_lock(&places_lock);
    library = *at;
    if (!library)
        ctx = make_first(method, at);
    pthread_mutex_unlock(&places_lock);
    return library ? ctx_make(method, library) : ctx;
}

int64_t fssl_ctx_new_apart(int32_t method, int64_t place, int32_t *err)
{
    int32_t code = method_code(method);

    start();
    if (code == FSSL_E_ARGUMENT)
        return refuse(0, "method", err);
    if (code)
        return fail_at(0, code, __func__, "unsupported protocol", NULL, err);
    if (place < 0 || place > PLACES)
        return refuse(0, "place", err);
    return finish_handle(
        0, place ? make_at(method, &places_made[place - 1]) : ctx_make(method, NULL), err);
}
