/* Certificates. What a handle holds may be shared with contexts and connections, which read it
   without a lock: so a change first makes the handle a copy of its own (cert_change). */
#include "internal.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

void cert_free(struct object *object)
{
    struct cert *cert = (struct cert *)object;

    X509_free(cert->x509);
    GENERAL_NAMES_free(cert->alt_names);
}

/* Makes a certificate's object of an X509, which it takes over, also on failure. */
struct cert *cert_wrap(X509 *x509, bool readonly)
{
    struct cert *cert = x509 ? object_new(KIND_CERT, sizeof *cert) : NULL;

    if (!cert) {
        X509_free(x509);
        return NULL;
    }
    cert->x509 = x509;
    cert->object.readonly = readonly;
    return cert;
}

/* Takes a reference to the X509 of a handle; on failure returns a result. */
int64_t take_cert(fssl_handle h, X509 **out, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    if (!X509_up_ref(cert->x509))
        return fail(h, FSSL_E_OPENSSL, err);
    cert->shared = true;
    *out = cert->x509;
    return finish(h, 0, err);
}

void certs_free(STACK_OF(X509) *certs)
{
    sk_X509_pop_free(certs, X509_free);
}

/* ---- reading and writing ---- */

/* Returns a BIO that reads from memory. OpenSSL refuses NULL, even with nothing to read. */
BIO *bio_over(const uint8_t *data, size_t len)
{
    return len > INT_MAX ? NULL : BIO_new_mem_buf(data ? (const void *)data : "", (int)len);
}

X509 *cert_from_pem(const uint8_t *pem, size_t len)
{
    struct passphrase none = {.asked = false};
    BIO *bio = bio_over(pem, len);
    X509 *x509 = bio ? PEM_read_bio_X509_AUX(bio, NULL, passphrase_give, &none) : NULL;

    BIO_free(bio);
    return x509;
}

X509 *cert_from_der(const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    X509 *x509 = len > LONG_MAX ? NULL : d2i_X509(NULL, &at, (long)len);

    if (!x509 || at == der + len)
        return x509;
    X509_free(x509);
    ERR_raise(ERR_LIB_ASN1, ASN1_R_TOO_LONG);
    return NULL;
}

static bool certs_read(BIO *bio, STACK_OF(X509) *certs)
{
    struct passphrase none = {.asked = false};
    X509 *x509;

    while ((x509 = PEM_read_bio_X509_AUX(bio, NULL, passphrase_give, &none))) {
        if (!sk_X509_push(certs, x509)) {
            X509_free(x509);
            return false;
        }
    }
    return queue_ends_pem() && sk_X509_num(certs) > 0;
}

/* Reads all certificates of a PEM; NULL if one is bad or there is none. */
STACK_OF(X509) *certs_from_pem(const uint8_t *pem, size_t len)
{
    BIO *bio = bio_over(pem, len);
    STACK_OF(X509) *certs = sk_X509_new_null();

    if (!bio || !certs || !certs_read(bio, certs)) {
        certs_free(certs);
        certs = NULL;
    }
    BIO_free(bio);
    return certs;
}

int64_t fssl_cert_from_pem(const uint8_t *pem, int64_t len, int32_t *err)
{
    X509 *x509;

    start();
    if (!bytes_given(pem, len))
        return refuse(0, "pem", err);
    x509 = cert_from_pem(pem, (size_t)len);
    if (!x509)
        return fail(0, FSSL_E_OPENSSL, err);
    return finish_handle(0, cert_wrap(x509, false), err);
}

int64_t fssl_cert_from_der(const uint8_t *der, int64_t len, int32_t *err)
{
    X509 *x509;

    start();
    if (!bytes_given(der, len))
        return refuse(0, "der", err);
    x509 = cert_from_der(der, (size_t)len);
    if (!x509)
        return fail(0, FSSL_E_OPENSSL, err);
    return finish_handle(0, cert_wrap(x509, false), err);
}

/* Ends with what was written to a memory BIO, which it frees. */
int64_t finish_bio(fssl_handle h, BIO *bio, int written, void *buf, int64_t cap, int32_t *err)
{
    char *data;
    long len;
    int64_t result;

    if (!bio || written <= 0) {
        BIO_free(bio);
        return fail(h, FSSL_E_OPENSSL, err);
    }
    len = BIO_get_mem_data(bio, &data);
    result = finish_bytes(h, data, len, buf, cap, err);
    BIO_free(bio);
    return result;
}

/* Ends with what an i2d function of OpenSSL has allocated, which it frees. */
int64_t finish_der(fssl_handle h, uint8_t *der, int len, void *buf, int64_t cap, int32_t *err)
{
    int64_t result;

    if (len < 0)
        return fail(h, FSSL_E_OPENSSL, err);
    result = finish_bytes(h, der, len, buf, cap, err);
    OPENSSL_clear_free(der, (size_t)len);
    return result;
}

int64_t fssl_cert_to_pem(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct cert *cert;
    BIO *bio;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && PEM_write_bio_X509(bio, cert->x509), buf, cap, err);
}

int64_t fssl_cert_to_der(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct cert *cert;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    len = i2d_X509(cert->x509, &der);
    return finish_der(h, der, len, buf, cap, err);
}

int64_t fssl_cert_to_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct cert *cert;
    BIO *bio;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && X509_print_ex(bio, cert->x509, 0, 0), buf, cap, err);
}

int64_t fssl_cert_copy(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_handle(h, cert_wrap(cert_dup(cert->x509), false), err);
}

/* ---- its parts ---- */

int64_t fssl_cert_subject(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_handle(h, name_of(cert, false), err);
}

int64_t fssl_cert_issuer(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_handle(h, name_of(cert, true), err);
}

int64_t fssl_cert_not_before(fssl_handle h, int64_t *seconds, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_time(h, X509_get0_notBefore(cert->x509), seconds, err);
}

int64_t fssl_cert_not_after(fssl_handle h, int64_t *seconds, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_time(h, X509_get0_notAfter(cert->x509), seconds, err);
}

int64_t fssl_cert_digest(fssl_handle h, const char *algorithm, int64_t algorithm_len, uint8_t *buf,
                         int64_t cap, int32_t *err)
{
    struct cert *cert;
    const EVP_MD *md;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int len;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    failed = take_digest(h, algorithm, algorithm_len, &md, err);
    if (failed)
        return failed;
    if (!X509_digest(cert->x509, md, digest, &len))
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_bytes(h, digest, len, buf, cap, err);
}

int64_t fssl_cert_public_key(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    EVP_PKEY *pkey;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    pkey = X509_get_pubkey(cert->x509);
    return pkey ? finish_handle(h, key_wrap(pkey, false), err) : fail(h, FSSL_E_OPENSSL, err);
}

int64_t fssl_cert_signature_algorithm(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct cert *cert;
    const ASN1_OBJECT *algorithm;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    X509_ALGOR_get0(&algorithm, NULL, NULL, X509_get0_tbs_sigalg(cert->x509));
    if (OBJ_length(algorithm) == 0)
        return finish_text(h, NULL, buf, cap, err);
    return finish_object(h, algorithm, true, buf, cap, err);
}

int64_t fssl_cert_subject_name_hash(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish(h, (int64_t)X509_subject_name_hash(cert->x509), err);
}

/* ---- keys that belong to it ---- */

int64_t fssl_cert_verify(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct cert *cert;
    EVP_PKEY *pkey;
    int64_t failed = take_key(key, &pkey, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CERT, &cert, err);
    if (!failed)
        failed = finish_verified(h, X509_verify(cert->x509, pkey), err);
    EVP_PKEY_free(pkey);
    return failed;
}

int64_t fssl_cert_check_private_key(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct cert *cert;
    struct signing signing;
    int64_t failed = take_signing(key, NULL, 0, &signing, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CERT, &cert, err);
    if (!failed)
        failed = X509_check_private_key(cert->x509, signing.pkey) == 1
                     ? finish(h, 0, err)
                     : fail(h, FSSL_E_KEY_MISMATCH, err);
    EVP_PKEY_free(signing.pkey);
    return failed;
}
