/* Certificate revocation lists: the time for which they are made. */
#include "internal.h"

#include <openssl/x509.h>

static const ASN1_TIME *time_now(const struct crl *crl, bool next)
{
    return next ? X509_CRL_get0_nextUpdate(crl->x509_crl) : X509_CRL_get0_lastUpdate(crl->x509_crl);
}

static int64_t get_seconds(fssl_handle h, bool next, int64_t *seconds, int32_t *err)
{
    struct crl *crl;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    return finish_time(h, time_now(crl, next), seconds, err);
}

static int64_t get_text(fssl_handle h, bool next, char *buf, int64_t cap, int32_t *err)
{
    struct crl *crl;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    return finish_time_text(h, time_now(crl, next), buf, cap, err);
}

/* Ends with a time put in place, which it takes over. */
static int64_t finish_update(fssl_handle h, struct crl *crl, ASN1_TIME *when, bool next,
                             int32_t *err)
{
    int ok = next ? X509_CRL_set1_nextUpdate(crl->x509_crl, when)
                  : X509_CRL_set1_lastUpdate(crl->x509_crl, when);

    ASN1_TIME_free(when);
    return finish_done(h, ok, err);
}

static int64_t set_seconds(fssl_handle h, int64_t seconds, bool next, int32_t *err)
{
    struct crl *crl;
    ASN1_TIME *when;
    int64_t failed = change_crl(h, &crl, err);

    if (failed)
        return failed;
    failed = take_seconds(h, seconds, &when, err);
    return failed ? failed : finish_update(h, crl, when, next, err);
}

static int64_t set_text(fssl_handle h, const char *text, int64_t text_len, bool next, int32_t *err)
{
    struct crl *crl;
    ASN1_TIME *when;
    int64_t failed = change_crl(h, &crl, err);

    if (failed)
        return failed;
    failed = take_time(h, text, text_len, &when, err);
    return failed ? failed : finish_update(h, crl, when, next, err);
}

int64_t fssl_crl_last_update(fssl_handle h, int64_t *seconds, int32_t *err)
{
    return get_seconds(h, false, seconds, err);
}

int64_t fssl_crl_next_update(fssl_handle h, int64_t *seconds, int32_t *err)
{
    return get_seconds(h, true, seconds, err);
}

int64_t fssl_crl_last_update_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    return get_text(h, false, buf, cap, err);
}

int64_t fssl_crl_next_update_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    return get_text(h, true, buf, cap, err);
}

int64_t fssl_crl_set_last_update(fssl_handle h, int64_t seconds, int32_t *err)
{
    return set_seconds(h, seconds, false, err);
}

int64_t fssl_crl_set_next_update(fssl_handle h, int64_t seconds, int32_t *err)
{
    return set_seconds(h, seconds, true, err);
}

int64_t fssl_crl_set_last_update_text(fssl_handle h, const char *text, int64_t text_len,
                                      int32_t *err)
{
    return set_text(h, text, text_len, false, err);
}

int64_t fssl_crl_set_next_update_text(fssl_handle h, const char *text, int64_t text_len,
                                      int32_t *err)
{
    return set_text(h, text, text_len, true, err);
}
