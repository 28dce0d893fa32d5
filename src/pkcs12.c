/* PKCS#12: a certificate, its private key and the certificates above it in one file. The handle
   holds the parts; the file is made of them when it is written. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/pkcs12.h>

struct pkcs12 {
    struct object object;
    X509 *cert;
    EVP_PKEY *pkey;
    STACK_OF(X509) *ca;
    char *friendly_name; /* NULL for none */
    size_t friendly_len;
};

enum { DEFAULT_ITERATIONS = 2048 };

void pkcs12_free(struct object *object)
{
    struct pkcs12 *pkcs12 = (struct pkcs12 *)object;

    X509_free(pkcs12->cert);
    EVP_PKEY_free(pkcs12->pkey);
    certs_free(pkcs12->ca);
    OPENSSL_free(pkcs12->friendly_name);
}

static struct pkcs12 *pkcs12_make(void)
{
    struct pkcs12 *pkcs12 = object_new(KIND_PKCS12, sizeof *pkcs12);

    if (!pkcs12)
        return NULL;
    pkcs12->ca = sk_X509_new_null();
    if (pkcs12->ca)
        return pkcs12;
    object_drop(pkcs12);
    return NULL;
}

int64_t fssl_pkcs12_new(int32_t *err)
{
    start();
    return finish_handle(0, pkcs12_make(), err);
}

/* ---- reading ---- */

/* Makes a NUL-terminated copy of a passphrase; on failure the call has ended. OpenSSL takes no
   other, so one with a NUL within would count only up to it. */
static int64_t take_passphrase_at(fssl_handle h, const char *function, const uint8_t *passphrase,
                                  int64_t len, char **out, int32_t *err)
{
    if (len == FSSL_NUL_TERMINATED)
        return fail_at(h, FSSL_E_ARGUMENT, function, "bad argument", "passphrase", err);
    return take_text_at(h, function, "passphrase", (const char *)passphrase, len, out, err);
}

static bool friendly_set(struct pkcs12 *pkcs12, const void *name, size_t len)
{
    char *copy = len ? OPENSSL_zalloc(len + 1) : NULL;

    if (len && !copy)
        return false;
    if (len)
        memcpy(copy, name, len);
    OPENSSL_free(pkcs12->friendly_name);
    pkcs12->friendly_name = copy;
    pkcs12->friendly_len = len;
    return true;
}

static bool parse(struct pkcs12 *pkcs12, PKCS12 *file, const char *passphrase)
{
    const uint8_t *name;
    int len = 0;

    if (!PKCS12_parse(file, passphrase, &pkcs12->pkey, &pkcs12->cert, &pkcs12->ca))
        return false;
    if (!pkcs12->ca)
        pkcs12->ca = sk_X509_new_null();
    name = pkcs12->cert ? X509_alias_get0(pkcs12->cert, &len) : NULL;
    return pkcs12->ca && (!name || friendly_set(pkcs12, name, (size_t)len));
}

/* "No passphrase" and "the empty one" are two in PKCS#12; who gives neither means either. */
static bool passphrase_fits(PKCS12 *file, const char *passphrase)
{
    if (!PKCS12_mac_present(file) || PKCS12_verify_mac(file, passphrase, -1) == 1)
        return true;
    return !*passphrase && PKCS12_verify_mac(file, NULL, 0) == 1;
}

static int64_t finish_file(PKCS12 *file, const char *passphrase, int32_t *err)
{
    struct pkcs12 *pkcs12;

    if (!passphrase_fits(file, passphrase))
        return fail(0, *passphrase ? FSSL_E_PASSPHRASE_WRONG : FSSL_E_PASSPHRASE_NEEDED, err);
    queue_empty();
    pkcs12 = object_new(KIND_PKCS12, sizeof *pkcs12);
    if (pkcs12 && parse(pkcs12, file, passphrase))
        return finish_handle(0, pkcs12, err);
    object_drop(pkcs12);
    return fail(0, FSSL_E_OPENSSL, err);
}

int64_t fssl_pkcs12_from_der(const uint8_t *der, int64_t len, const uint8_t *passphrase,
                             int64_t passphrase_len, int32_t *err)
{
    const uint8_t *at = der;
    char *text;
    PKCS12 *file;
    int64_t result;

    start();
    if (!bytes_given(der, len) || len > LONG_MAX)
        return refuse(0, "der", err);
    result = take_passphrase_at(0, __func__, passphrase, passphrase_len, &text, err);
    if (result)
        return result;
    file = d2i_PKCS12(NULL, &at, (long)len);
    result = file && at == der + len ? finish_file(file, text, err) : fail(0, FSSL_E_PARSE, err);
    PKCS12_free(file);
    OPENSSL_clear_free(text, strlen(text));
    return result;
}

/* ---- its parts ---- */

static int64_t finish_cert(fssl_handle h, X509 *x509, int32_t *err)
{
    struct cert *cert;

    if (!x509)
        return finish(h, 0, err);
    if (!X509_up_ref(x509))
        return fail(h, FSSL_E_OPENSSL, err);
    cert = cert_wrap(x509, false);
    if (cert)
        cert->shared = true;
    return finish_handle(h, cert, err);
}

int64_t fssl_pkcs12_certificate(fssl_handle h, int32_t *err)
{
    struct pkcs12 *pkcs12;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    return finish_cert(h, pkcs12->cert, err);
}

int64_t fssl_pkcs12_set_certificate(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct pkcs12 *pkcs12;
    X509 *x509 = NULL;
    int64_t failed = cert ? take_cert(cert, &x509, err) : 0;

    if (failed)
        return failed;
    failed = acquire(h, KIND_PKCS12, &pkcs12, err);
    if (failed) {
        X509_free(x509);
        return failed;
    }
    X509_free(pkcs12->cert);
    pkcs12->cert = x509;
    return finish(h, 0, err);
}

int64_t fssl_pkcs12_private_key(fssl_handle h, int32_t *err)
{
    struct pkcs12 *pkcs12;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    if (!pkcs12->pkey)
        return finish(h, 0, err);
    if (!EVP_PKEY_up_ref(pkcs12->pkey))
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_handle(h, key_wrap(pkcs12->pkey, true), err);
}

int64_t fssl_pkcs12_set_private_key(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct pkcs12 *pkcs12;
    struct signing signing = {NULL, NULL};
    int64_t failed = key ? take_signing(key, NULL, 0, &signing, err) : 0;

    if (failed)
        return failed;
    failed = acquire(h, KIND_PKCS12, &pkcs12, err);
    if (failed) {
        EVP_PKEY_free(signing.pkey);
        return failed;
    }
    EVP_PKEY_free(pkcs12->pkey);
    pkcs12->pkey = signing.pkey;
    return finish(h, 0, err);
}

int64_t fssl_pkcs12_ca_count(fssl_handle h, int32_t *err)
{
    struct pkcs12 *pkcs12;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    return finish(h, sk_X509_num(pkcs12->ca), err);
}

int64_t fssl_pkcs12_ca_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct pkcs12 *pkcs12;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    if (i < 0 || i >= sk_X509_num(pkcs12->ca))
        return refuse(h, "i", err);
    return finish_cert(h, sk_X509_value(pkcs12->ca, (int)i), err);
}

int64_t fssl_pkcs12_add_ca(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct pkcs12 *pkcs12;
    X509 *x509;
    int64_t failed = take_cert(cert, &x509, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_PKCS12, &pkcs12, err);
    if (!failed && sk_X509_push(pkcs12->ca, x509))
        return finish(h, 0, err);
    X509_free(x509);
    return failed ? failed : fail(h, FSSL_E_MEMORY, err);
}

int64_t fssl_pkcs12_clear_ca(fssl_handle h, int32_t *err)
{
    struct pkcs12 *pkcs12;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    while (sk_X509_num(pkcs12->ca) > 0)
        X509_free(sk_X509_pop(pkcs12->ca));
    return finish(h, 0, err);
}

int64_t fssl_pkcs12_friendly_name(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct pkcs12 *pkcs12;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    return finish_bytes(h, pkcs12->friendly_name, (int64_t)pkcs12->friendly_len, buf, cap, err);
}

int64_t fssl_pkcs12_set_friendly_name(fssl_handle h, const uint8_t *name, int64_t name_len,
                                      int32_t *err)
{
    struct pkcs12 *pkcs12;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    if (!bytes_given(name, name_len) || name_len > INT_MAX ||
        (name_len > 0 && memchr(name, '\0', (size_t)name_len)))
        return refuse(h, "name", err);
    if (!friendly_set(pkcs12, name, (size_t)name_len))
        return fail(h, FSSL_E_MEMORY, err);
    return finish(h, 0, err);
}

/* ---- writing ---- */

/* A certificate that was read from a PKCS#12 file carries its friendly name, which OpenSSL would
   write beside the one that it is given: a copy does not. */
static PKCS12 *file_of(const struct pkcs12 *pkcs12, const char *passphrase, int iterations,
                       int mac_iterations)
{
    X509 *cert = pkcs12->cert ? X509_dup(pkcs12->cert) : NULL;
    PKCS12 *file = NULL;

    if (cert || !pkcs12->cert)
        file = PKCS12_create(passphrase, pkcs12->friendly_name, pkcs12->pkey, cert, pkcs12->ca, 0,
                             0, iterations, mac_iterations, 0);
    X509_free(cert);
    return file;
}

int64_t fssl_pkcs12_to_der(fssl_handle h, const uint8_t *passphrase, int64_t passphrase_len,
                           int32_t iterations, int32_t mac_iterations, uint8_t *buf, int64_t cap,
                           int32_t *err)
{
    struct pkcs12 *pkcs12;
    char *text;
    PKCS12 *file;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_PKCS12, &pkcs12, err);

    if (failed)
        return failed;
    if (iterations < 0 || mac_iterations < 0)
        return refuse(h, iterations < 0 ? "iterations" : "mac_iterations", err);
    if (!pkcs12->cert && !pkcs12->pkey && sk_X509_num(pkcs12->ca) == 0)
        return refuse_state(h, "there is nothing to write", err);
    failed = take_passphrase_at(h, __func__, passphrase, passphrase_len, &text, err);
    if (failed)
        return failed;
    file = file_of(pkcs12, text, iterations ? iterations : DEFAULT_ITERATIONS,
                   mac_iterations ? mac_iterations : DEFAULT_ITERATIONS);
    OPENSSL_clear_free(text, strlen(text));
    len = file ? i2d_PKCS12(file, &der) : -1;
    PKCS12_free(file);
    return finish_der(h, der, len, buf, cap, err);
}
