/* Verification of a certificate: the chain from it to one that a store trusts.

   The handle holds what is to be verified and by which rules; fssl_chain_verify may be called any
   number of times, and what the last call found can then be asked for. "Verified" is said where
   OpenSSL says so twice, by its return and by its error code, and where the host was checked once
   more: 3.0 returns failure with the code OK for some certificates, and skips its host check when
   an allocation fails at the wrong place. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

struct chain {
    struct object object;
    X509_STORE *store;
    X509 *leaf;
    STACK_OF(X509) *untrusted;
    X509_VERIFY_PARAM *param;
    char *host; /* NULL for any */
    bool host_is_ip;
    int32_t purpose; /* 0 before it is set */
    bool timed;      /* else the time is the store's, or now */
    time_t time;
    /* what the last verification found */
    STACK_OF(X509) *built; /* NULL before, and if it failed */
    X509 *refused;         /* the certificate that did not pass, NULL if none is to blame */
    int code;
    int depth;
};

enum { LEVEL_MAX = 5 };

_Static_assert(FSSL_PURPOSE_SSL_CLIENT == X509_PURPOSE_SSL_CLIENT, "purpose");
_Static_assert(FSSL_PURPOSE_SSL_SERVER == X509_PURPOSE_SSL_SERVER, "purpose");
_Static_assert(FSSL_PURPOSE_ANY == X509_PURPOSE_ANY, "purpose");

static void chain_forget(struct chain *chain)
{
    certs_free(chain->built);
    X509_free(chain->refused);
    chain->built = NULL;
    chain->refused = NULL;
    chain->code = X509_V_ERR_UNSPECIFIED;
    chain->depth = 0;
}

void chain_free(struct object *object)
{
    struct chain *chain = (struct chain *)object;

    chain_forget(chain);
    X509_STORE_free(chain->store);
    X509_free(chain->leaf);
    certs_free(chain->untrusted);
    X509_VERIFY_PARAM_free(chain->param);
    OPENSSL_free(chain->host);
}

/* Makes a verification of a certificate and a store, which it takes over, also on failure. */
static struct chain *chain_make(X509_STORE *store, X509 *leaf)
{
    struct chain *chain = object_new(KIND_CHAIN, sizeof *chain);

    if (!chain) {
        X509_STORE_free(store);
        X509_free(leaf);
        return NULL;
    }
    chain->store = store;
    chain->leaf = leaf;
    chain->untrusted = sk_X509_new_null();
    chain->param = X509_VERIFY_PARAM_new();
    chain_forget(chain);
    if (chain->untrusted && chain->param)
        return chain;
    object_drop(chain);
    return NULL;
}

int64_t fssl_chain_new(fssl_handle store, fssl_handle cert, int32_t *err)
{
    X509_STORE *trusted;
    X509 *leaf;
    int64_t failed = take_store(store, &trusted, err);

    if (failed)
        return failed;
    failed = take_cert(cert, &leaf, err);
    if (failed) {
        X509_STORE_free(trusted);
        return failed;
    }
    return finish_handle(0, chain_make(trusted, leaf), err);
}

int64_t fssl_chain_set_store(fssl_handle h, fssl_handle store, int32_t *err)
{
    struct chain *chain;
    X509_STORE *trusted;
    int64_t failed = take_store(store, &trusted, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CHAIN, &chain, err);
    if (failed) {
        X509_STORE_free(trusted);
        return failed;
    }
    X509_STORE_free(chain->store);
    chain->store = trusted;
    return finish(h, 0, err);
}

int64_t fssl_chain_add_untrusted(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct chain *chain;
    X509 *x509;
    int64_t failed = take_cert(cert, &x509, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CHAIN, &chain, err);
    if (failed) {
        X509_free(x509);
        return failed;
    }
    if (sk_X509_push(chain->untrusted, x509))
        return finish(h, 0, err);
    X509_free(x509);
    return fail(h, FSSL_E_MEMORY, err);
}

/* ---- rules ---- */

int64_t fssl_chain_set_flags(fssl_handle h, int64_t flags, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    if (!verify_flags_known(flags))
        return refuse(h, "flags", err);
    return finish_done(h, X509_VERIFY_PARAM_set_flags(chain->param, (unsigned long)flags), err);
}

int64_t fssl_chain_set_time(fssl_handle h, int64_t seconds, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    if (!seconds_valid(seconds))
        return refuse(h, "seconds", err);
    chain->timed = true;
    chain->time = (time_t)seconds;
    return finish(h, 0, err);
}

int64_t fssl_chain_set_purpose(fssl_handle h, int32_t purpose, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    if (purpose != FSSL_PURPOSE_SSL_CLIENT && purpose != FSSL_PURPOSE_SSL_SERVER &&
        purpose != FSSL_PURPOSE_ANY)
        return refuse(h, "purpose", err);
    chain->purpose = purpose;
    return finish(h, 0, err);
}

int64_t fssl_chain_set_depth(fssl_handle h, int32_t depth, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    if (depth < 0)
        return refuse(h, "depth", err);
    X509_VERIFY_PARAM_set_depth(chain->param, depth);
    return finish(h, 0, err);
}

int64_t fssl_chain_set_security_level(fssl_handle h, int32_t level, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    if (level < 0 || level > LEVEL_MAX)
        return refuse(h, "level", err);
    X509_VERIFY_PARAM_set_auth_level(chain->param, level);
    return finish(h, 0, err);
}

/* Host and address replace each other: one that was set before is not to be checked as well. */
static bool use_host(struct chain *chain, const char *host, bool ip)
{
    X509_VERIFY_PARAM_set_hostflags(chain->param, HOST_FLAGS);
    if (ip)
        return X509_VERIFY_PARAM_set1_host(chain->param, NULL, 0) == 1 &&
               X509_VERIFY_PARAM_set1_ip_asc(chain->param, host) == 1;
    return X509_VERIFY_PARAM_set1_ip(chain->param, NULL, 0) == 1 &&
           X509_VERIFY_PARAM_set1_host(chain->param, host, 0) == 1;
}

int64_t fssl_chain_set_host(fssl_handle h, const char *host, int64_t host_len, int32_t *err)
{
    struct chain *chain;
    char *text;
    bool ip;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    failed = take_text(h, "host", host, host_len, &text, err);
    if (failed)
        return failed;
    if (!host_prepare(text, &ip)) {
        OPENSSL_free(text);
        return refuse(h, "host", err);
    }
    OPENSSL_free(chain->host); /* from here on the new one counts, in our own check too */
    chain->host = text;
    chain->host_is_ip = ip;
    return finish_done(h, use_host(chain, text, ip), err);
}

/* ---- verifying ---- */

static void take_findings(struct chain *chain, X509_STORE_CTX *context, bool verified)
{
    X509 *refused = X509_STORE_CTX_get_current_cert(context);

    chain->depth = X509_STORE_CTX_get_error_depth(context);
    if (verified)
        chain->built = X509_STORE_CTX_get1_chain(context);
    else if (refused && X509_up_ref(refused))
        chain->refused = refused;
}

static bool use_purpose(X509_VERIFY_PARAM *param, int32_t purpose)
{
    if (!purpose || purpose == FSSL_PURPOSE_ANY)
        return true;
    return X509_VERIFY_PARAM_set_purpose(param, purpose) == 1 &&
           X509_VERIFY_PARAM_set_trust(param, purpose == FSSL_PURPOSE_SSL_CLIENT
                                                  ? X509_TRUST_SSL_CLIENT
                                                  : X509_TRUST_SSL_SERVER) == 1;
}

/* The chain's rules go before the store's; OpenSSL itself would let a time of the store stand. */
static bool prepare(struct chain *chain, X509_STORE_CTX *context)
{
    X509_VERIFY_PARAM *param;

    if (!context || !X509_STORE_CTX_init(context, chain->store, chain->leaf, chain->untrusted))
        return false;
    param = X509_STORE_CTX_get0_param(context);
    if (chain->timed)
        X509_VERIFY_PARAM_set_time(param, chain->time);
    return X509_VERIFY_PARAM_set1(param, chain->param) && use_purpose(param, chain->purpose);
}

/* Asks OpenSSL. Returns an X509_V_ code, OK for nothing but a verified chain. */
static int verdict(struct chain *chain, X509_STORE_CTX *context)
{
    int ok, code;

    if (!prepare(chain, context))
        return X509_V_ERR_OUT_OF_MEM;
    ok = X509_verify_cert(context);
    code = X509_STORE_CTX_get_error(context);
    if (ok != 1 && code == X509_V_OK)
        code = X509_V_ERR_UNSPECIFIED;
    if (code == X509_V_OK && chain->host &&
        cert_is_for(chain->leaf, chain->host, chain->host_is_ip) != 1)
        code = chain->host_is_ip ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH;
    take_findings(chain, context, code == X509_V_OK);
    if (code == X509_V_OK && !chain->built)
        code = X509_V_ERR_OUT_OF_MEM;
    return code;
}

static int32_t code_for(int verify_code)
{
    switch (verify_code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return FSSL_E_HOST;
    case X509_V_ERR_OUT_OF_MEM:
        return FSSL_E_MEMORY;
    default:
        return FSSL_E_VERIFY;
    }
}

int64_t fssl_chain_verify(fssl_handle h, int32_t *err)
{
    struct chain *chain;
    struct fault fault;
    X509_STORE_CTX *context;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    chain_forget(chain);
    context = X509_STORE_CTX_new();
    chain->code = verdict(chain, context);
    X509_STORE_CTX_free(context);
    if (chain->code == X509_V_OK)
        return finish(h, 0, err);
    fault_begin(&fault, code_for(chain->code));
    fault.verify_code = chain->code;
    fault_say(&fault, __func__, X509_verify_cert_error_string(chain->code), NULL);
    return finish_fault(h, &fault, err);
}

/* ---- what was found ---- */

int64_t fssl_chain_verify_code(fssl_handle h, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    return finish(h, chain->code, err);
}

int64_t fssl_chain_refused_depth(fssl_handle h, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    return finish(h, chain->depth, err);
}

static int64_t finish_shared(fssl_handle h, X509 *x509, int32_t *err)
{
    return X509_up_ref(x509) ? finish_handle(h, cert_wrap(x509, true), err)
                             : fail(h, FSSL_E_OPENSSL, err);
}

int64_t fssl_chain_refused_certificate(fssl_handle h, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    return chain->refused ? finish_shared(h, chain->refused, err) : finish(h, 0, err);
}

int64_t fssl_chain_count(fssl_handle h, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    return finish(h, chain->built ? sk_X509_num(chain->built) : 0, err);
}

int64_t fssl_chain_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct chain *chain;
    int64_t failed = acquire(h, KIND_CHAIN, &chain, err);

    if (failed)
        return failed;
    if (!chain->built || i < 0 || i >= sk_X509_num(chain->built))
        return refuse(h, "i", err);
    return finish_shared(h, sk_X509_value(chain->built, (int)i), err);
}
