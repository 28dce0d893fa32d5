/* Entries of CRLs: which certificate is revoked, when and why. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509v3.h>

_Static_assert(FSSL_REASON_UNSPECIFIED == CRL_REASON_UNSPECIFIED, "reason");
_Static_assert(FSSL_REASON_CERTIFICATE_HOLD == CRL_REASON_CERTIFICATE_HOLD, "reason");
_Static_assert(FSSL_REASON_REMOVE_FROM_CRL == CRL_REASON_REMOVE_FROM_CRL, "reason");
_Static_assert(FSSL_REASON_AA_COMPROMISE == CRL_REASON_AA_COMPROMISE, "reason");

/* RFC 5280, 5.3.1; there is no 7. */
static const char *const reasons[] = {
    [FSSL_REASON_UNSPECIFIED] = "unspecified",
    [FSSL_REASON_KEY_COMPROMISE] = "keyCompromise",
    [FSSL_REASON_CA_COMPROMISE] = "CACompromise",
    [FSSL_REASON_AFFILIATION_CHANGED] = "affiliationChanged",
    [FSSL_REASON_SUPERSEDED] = "superseded",
    [FSSL_REASON_CESSATION_OF_OPERATION] = "cessationOfOperation",
    [FSSL_REASON_CERTIFICATE_HOLD] = "certificateHold",
    [FSSL_REASON_REMOVE_FROM_CRL] = "removeFromCRL",
    [FSSL_REASON_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
    [FSSL_REASON_AA_COMPROMISE] = "AACompromise",
};

void revoked_free(struct object *object)
{
    X509_REVOKED_free(((struct revoked *)object)->x509_revoked);
}

/* Makes an entry's object of an X509_REVOKED, which it takes over, also on failure. */
struct revoked *revoked_wrap(X509_REVOKED *x509_revoked)
{
    struct revoked *revoked = x509_revoked ? object_new(KIND_REVOKED, sizeof *revoked) : NULL;

    if (!revoked) {
        X509_REVOKED_free(x509_revoked);
        return NULL;
    }
    revoked->x509_revoked = x509_revoked;
    return revoked;
}

/* Takes a copy of the X509_REVOKED of a handle; on failure returns a result. */
int64_t take_revoked(fssl_handle h, X509_REVOKED **out, int32_t *err)
{
    struct revoked *revoked;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    *out = X509_REVOKED_dup(revoked->x509_revoked);
    return *out ? finish(h, 0, err) : refuse_state(h, "the entry has no date", err);
}

int64_t fssl_revoked_new(int32_t *err)
{
    start();
    return finish_handle(0, revoked_wrap(X509_REVOKED_new()), err);
}

int64_t fssl_revoked_serial(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct revoked *revoked;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    return finish_serial(h, X509_REVOKED_get0_serialNumber(revoked->x509_revoked), buf, cap, err);
}

int64_t fssl_revoked_set_serial(fssl_handle h, const char *serial, int64_t serial_len, int32_t base,
                                int32_t *err)
{
    struct revoked *revoked;
    ASN1_INTEGER *number;
    int ok;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    failed = take_serial(h, serial, serial_len, base, &number, err);
    if (failed)
        return failed;
    ok = X509_REVOKED_set_serialNumber(revoked->x509_revoked, number);
    ASN1_INTEGER_free(number);
    return finish_done(h, ok, err);
}

/* ---- when ---- */

int64_t fssl_revoked_date(fssl_handle h, int64_t *seconds, int32_t *err)
{
    struct revoked *revoked;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    return finish_time(h, X509_REVOKED_get0_revocationDate(revoked->x509_revoked), seconds, err);
}

int64_t fssl_revoked_date_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct revoked *revoked;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    return finish_time_text(h, X509_REVOKED_get0_revocationDate(revoked->x509_revoked), buf, cap,
                            err);
}

/* Ends with a date put in place, which it takes over. */
static int64_t finish_date(fssl_handle h, struct revoked *revoked, ASN1_TIME *when, int32_t *err)
{
    int ok = X509_REVOKED_set_revocationDate(revoked->x509_revoked, when);

    ASN1_TIME_free(when);
    return finish_done(h, ok, err);
}

int64_t fssl_revoked_set_date(fssl_handle h, int64_t seconds, int32_t *err)
{
    struct revoked *revoked;
    ASN1_TIME *when;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    failed = take_seconds(h, seconds, &when, err);
    return failed ? failed : finish_date(h, revoked, when, err);
}

int64_t fssl_revoked_set_date_text(fssl_handle h, const char *text, int64_t text_len, int32_t *err)
{
    struct revoked *revoked;
    ASN1_TIME *when;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    failed = take_time(h, text, text_len, &when, err);
    return failed ? failed : finish_date(h, revoked, when, err);
}

/* ---- why ---- */

static const char *reason_name(int32_t reason)
{
    bool within = reason >= 0 && (size_t)reason < sizeof reasons / sizeof *reasons;

    return within ? reasons[reason] : NULL;
}

int64_t fssl_revoked_reason_name(int32_t reason, char *buf, int64_t cap, int32_t *err)
{
    start();
    if (!reason_name(reason))
        return refuse(0, "reason", err);
    return finish_text(0, reason_name(reason), buf, cap, err);
}

int64_t fssl_revoked_reason(fssl_handle h, int64_t *reason, int32_t *err)
{
    struct revoked *revoked;
    ASN1_ENUMERATED *found;
    int64_t number = FSSL_REASON_NONE;
    int flag;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    found = X509_REVOKED_get_ext_d2i(revoked->x509_revoked, NID_crl_reason, &flag, NULL);
    if (!found && flag != -1)
        return fail(h, FSSL_E_PARSE, err);
    if (found && !ASN1_ENUMERATED_get_int64(&number, found)) {
        ASN1_ENUMERATED_free(found);
        return fail(h, FSSL_E_PARSE, err);
    }
    ASN1_ENUMERATED_free(found);
    return finish_value(h, number, reason, err);
}

static int put_reason(X509_REVOKED *x509_revoked, int32_t reason)
{
    ASN1_ENUMERATED *number = ASN1_ENUMERATED_new();
    int ok =
        number && ASN1_ENUMERATED_set(number, reason)
            ? X509_REVOKED_add1_ext_i2d(x509_revoked, NID_crl_reason, number, 0, X509V3_ADD_REPLACE)
            : 0;

    ASN1_ENUMERATED_free(number);
    return ok;
}

static int drop_reason(X509_REVOKED *x509_revoked)
{
    int at = X509_REVOKED_get_ext_by_NID(x509_revoked, NID_crl_reason, -1);

    if (at >= 0)
        X509_EXTENSION_free(X509_REVOKED_delete_ext(x509_revoked, at));
    return 1;
}

int64_t fssl_revoked_set_reason(fssl_handle h, int32_t reason, int32_t *err)
{
    struct revoked *revoked;
    int64_t failed = acquire(h, KIND_REVOKED, &revoked, err);

    if (failed)
        return failed;
    if (reason != FSSL_REASON_NONE && !reason_name(reason))
        return refuse(h, "reason", err);
    return finish_done(h,
                       reason == FSSL_REASON_NONE ? drop_reason(revoked->x509_revoked)
                                                  : put_reason(revoked->x509_revoked, reason),
                       err);
}
