/* PKCS#7 messages: reading them and telling what they are. */
#include "internal.h"

#include <limits.h>

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

struct pkcs7 {
    struct object object;
    PKCS7 *message;
};

void pkcs7_free(struct object *object)
{
    PKCS7_free(((struct pkcs7 *)object)->message);
}

/* Makes a message's object of a PKCS7, which it takes over, also on failure. */
static struct pkcs7 *pkcs7_wrap(PKCS7 *message)
{
    struct pkcs7 *pkcs7 = message ? object_new(KIND_PKCS7, sizeof *pkcs7) : NULL;

    if (!pkcs7) {
        PKCS7_free(message);
        return NULL;
    }
    pkcs7->message = message;
    return pkcs7;
}

int64_t fssl_pkcs7_from_pem(const uint8_t *pem, int64_t len, int32_t *err)
{
    struct passphrase none = {.asked = false};
    PKCS7 *message;
    BIO *bio;

    start();
    if (!bytes_given(pem, len) || len > INT_MAX)
        return refuse(0, "pem", err);
    bio = bio_over(pem, (size_t)len);
    message = bio ? PEM_read_bio_PKCS7(bio, NULL, passphrase_give, &none) : NULL;
    BIO_free(bio);
    return finish_handle(0, pkcs7_wrap(message), err);
}

int64_t fssl_pkcs7_from_der(const uint8_t *der, int64_t len, int32_t *err)
{
    const uint8_t *at = der;
    PKCS7 *message;

    start();
    if (!bytes_given(der, len) || len > LONG_MAX)
        return refuse(0, "der", err);
    message = d2i_PKCS7(NULL, &at, (long)len);
    if (message && at != der + len) {
        PKCS7_free(message);
        return fail(0, FSSL_E_PARSE, err);
    }
    return finish_handle(0, pkcs7_wrap(message), err);
}

int64_t fssl_pkcs7_type_name(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct pkcs7 *pkcs7;
    int64_t failed = acquire(h, KIND_PKCS7, &pkcs7, err);

    if (failed)
        return failed;
    return finish_object(h, pkcs7->message->type, false, buf, cap, err);
}
