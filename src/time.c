/* Times as certificates and CRLs hold them. */
#include "internal.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>

enum { DAY = 86400 };

static const int64_t year_0 = -62167219200;
static const int64_t year_9999_end = 253402300799;

/* Tells whether a number of seconds since 1970 is a time that OpenSSL can work with. */
bool seconds_valid(int64_t seconds)
{
    return seconds >= year_0 && seconds <= year_9999_end && (time_t)seconds == seconds;
}

/* Makes a time of seconds since 1970, to be freed; on failure the call has ended. */
int64_t take_seconds(fssl_handle h, int64_t seconds, ASN1_TIME **out, int32_t *err)
{
    if (!seconds_valid(seconds))
        return refuse(h, "seconds", err);
    *out = ASN1_TIME_set(NULL, (time_t)seconds);
    return *out ? 0 : fail(h, FSSL_E_OPENSSL, err);
}

/* Makes a time of a text, to be freed; on failure the call has ended. What RFC 5280 writes in two
   digits of the year gets them, whatever the caller wrote. */
int64_t take_time(fssl_handle h, const char *text, int64_t len, ASN1_TIME **out, int32_t *err)
{
    char *copy;
    bool valid;
    int64_t failed = take_text(h, "text", text, len, &copy, err);

    if (failed)
        return failed;
    *out = ASN1_TIME_new();
    valid = *out && (ASN1_TIME_set_string_X509(*out, copy) || ASN1_TIME_set_string(*out, copy));
    OPENSSL_free(copy);
    if (valid)
        return 0;
    if (!*out)
        return fail(h, FSSL_E_OPENSSL, err);
    ASN1_TIME_free(*out);
    return refuse(h, "text", err);
}

static bool time_missing(const ASN1_TIME *when)
{
    return !when || ASN1_STRING_length(when) == 0;
}

/* Ends with a time as seconds since 1970. */
int64_t finish_time(fssl_handle h, const ASN1_TIME *when, int64_t *seconds, int32_t *err)
{
    ASN1_TIME *epoch;
    int days, rest;
    int ok;

    if (time_missing(when))
        return refuse_state(h, "no time is set", err);
    epoch = ASN1_TIME_set(NULL, 0);
    ok = epoch && ASN1_TIME_diff(&days, &rest, epoch, when);
    ASN1_TIME_free(epoch);
    if (!ok)
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_value(h, (int64_t)days * DAY + rest, seconds, err);
}

/* Ends with a time as text with four digits of the year, empty if none is set. */
int64_t finish_time_text(fssl_handle h, const ASN1_TIME *when, char *buf, int64_t cap, int32_t *err)
{
    ASN1_GENERALIZEDTIME *four = NULL;
    int64_t result;

    if (time_missing(when))
        return finish_text(h, NULL, buf, cap, err);
    if (ASN1_STRING_type(when) == V_ASN1_UTCTIME) {
        four = ASN1_TIME_to_generalizedtime(when, NULL);
        if (!four)
            return fail(h, FSSL_E_OPENSSL, err);
        when = four;
    }
    result = finish_bytes(h, ASN1_STRING_get0_data(when), ASN1_STRING_length(when), buf, cap, err);
    ASN1_GENERALIZEDTIME_free(four);
    return result;
}
