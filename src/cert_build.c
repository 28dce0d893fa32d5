/* Certificates: building and signing them. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { SERIAL_TEXT_MAX = 1024, VERSION_3 = 2 };

/* ---- changing ---- */

static bool copy_exts(X509 *copy, const X509 *from)
{
    for (int i = 0; i < X509_get_ext_count(from); i++) {
        if (!X509_add_ext(copy, X509_get_ext(from, i), -1))
            return false;
    }
    return true;
}

static bool copy_fields(X509 *copy, const X509 *from)
{
    EVP_PKEY *pkey = X509_get0_pubkey(from);

    return X509_set_version(copy, X509_get_version(from)) &&
           X509_set_serialNumber(copy, (ASN1_INTEGER *)X509_get0_serialNumber(from)) &&
           X509_set_subject_name(copy, X509_get_subject_name(from)) &&
           X509_set_issuer_name(copy, X509_get_issuer_name(from)) &&
           X509_set1_notBefore(copy, X509_get0_notBefore(from)) &&
           X509_set1_notAfter(copy, X509_get0_notAfter(from)) &&
           (!pkey || X509_set_pubkey(copy, pkey)) && copy_exts(copy, from);
}

/* X509_dup goes by way of DER, which a certificate has only when every field is set. One that
   lacks a field is copied field by field; a signature, which cannot be copied so, is lost, as the
   change that comes makes it void anyway. */
X509 *cert_dup(const X509 *from)
{
    X509 *copy = X509_dup((X509 *)from);

    if (copy)
        return copy;
    copy = X509_new();
    if (copy && copy_fields(copy, from))
        return copy;
    X509_free(copy);
    return NULL;
}

/* What every change of a certificate begins with. Returns a code.

   The copy is also what keeps OpenSSL's memory of a certificate right: it remembers digest and
   extensions of one that was verified, and would go on to after a change. And the setters of 3.0
   leave it the encoding with which it was read, unless it is told to encode anew. */
int32_t cert_change(struct cert *cert)
{
    X509 *copy;

    if (cert->object.readonly)
        return FSSL_E_READONLY;
    if (cert->shared) {
        copy = cert_dup(cert->x509);
        if (!copy)
            return FSSL_E_MEMORY;
        X509_free(cert->x509);
        cert->x509 = copy;
        cert->shared = false;
        cert->changed = false;
    }
    if (!cert->changed)
        i2d_re_X509_tbs(cert->x509, NULL);
    cert->changed = true;
    GENERAL_NAMES_free(cert->alt_names);
    cert->alt_names = NULL;
    queue_empty();
    return FSSL_OK;
}

/* Acquires a certificate to change it. */
static int64_t change(fssl_handle h, struct cert **cert, int32_t *err)
{
    int64_t failed = acquire(h, KIND_CERT, cert, err);
    int32_t code;

    if (failed)
        return failed;
    code = cert_change(*cert);
    return code ? fail(h, code, err) : 0;
}

int64_t fssl_cert_new(int32_t *err)
{
    start();
    return finish_handle(0, cert_wrap(X509_new(), false), err);
}

int64_t fssl_cert_version(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish(h, X509_get_version(cert->x509), err);
}

int64_t fssl_cert_set_version(fssl_handle h, int32_t version, int32_t *err)
{
    struct cert *cert;
    int64_t failed = change(h, &cert, err);

    if (failed)
        return failed;
    if (version < 0)
        return refuse(h, "version", err);
    return finish_done(h, X509_set_version(cert->x509, version), err);
}

/* ---- serial number ---- */

/* Reads all of a text as a number in base 10 or 16; NULL if it is none. */
static BIGNUM *number_from_text(const char *text, int32_t base)
{
    BIGNUM *number = NULL;
    size_t len = strlen(text);
    int read = 0;

    if (len <= SERIAL_TEXT_MAX)
        read = base == 16 ? BN_hex2bn(&number, text) : BN_dec2bn(&number, text);
    if (read > 0 && (size_t)read == len && strcmp(text, "-"))
        return number;
    BN_free(number);
    return NULL;
}

/* Makes a serial number of a text, to be freed; on failure the call has ended. */
int64_t take_serial(fssl_handle h, const char *text, int64_t len, int32_t base, ASN1_INTEGER **out,
                    int32_t *err)
{
    char *copy;
    BIGNUM *number;
    int64_t failed;

    if (base != 10 && base != 16)
        return refuse(h, "base", err);
    failed = take_text(h, "serial", text, len, &copy, err);
    if (failed)
        return failed;
    number = number_from_text(copy, base);
    OPENSSL_free(copy);
    if (!number)
        return refuse(h, "serial", err);
    *out = BN_to_ASN1_INTEGER(number, NULL);
    BN_free(number);
    return *out ? 0 : fail(h, FSSL_E_OPENSSL, err);
}

/* Ends with a serial number in hexadecimal digits. */
int64_t finish_serial(fssl_handle h, const ASN1_INTEGER *serial, char *buf, int64_t cap,
                      int32_t *err)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    int64_t result = hex ? finish_text(h, hex, buf, cap, err) : fail(h, FSSL_E_OPENSSL, err);

    BN_free(number);
    OPENSSL_free(hex);
    return result;
}

int64_t fssl_cert_serial(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_serial(h, X509_get0_serialNumber(cert->x509), buf, cap, err);
}

int64_t fssl_cert_set_serial(fssl_handle h, const char *serial, int64_t serial_len, int32_t base,
                             int32_t *err)
{
    struct cert *cert;
    ASN1_INTEGER *number;
    int ok;
    int64_t failed = change(h, &cert, err);

    if (failed)
        return failed;
    failed = take_serial(h, serial, serial_len, base, &number, err);
    if (failed)
        return failed;
    ok = X509_set_serialNumber(cert->x509, number);
    ASN1_INTEGER_free(number);
    return finish_done(h, ok, err);
}

/* ---- validity ---- */

/* Ends with a time put in place, which it takes over. */
static int64_t finish_validity(fssl_handle h, struct cert *cert, ASN1_TIME *when, bool after,
                               int32_t *err)
{
    int ok = after ? X509_set1_notAfter(cert->x509, when) : X509_set1_notBefore(cert->x509, when);

    ASN1_TIME_free(when);
    return finish_done(h, ok, err);
}

static int64_t set_seconds(fssl_handle h, int64_t seconds, bool after, int32_t *err)
{
    struct cert *cert;
    ASN1_TIME *when;
    int64_t failed = change(h, &cert, err);

    if (failed)
        return failed;
    failed = take_seconds(h, seconds, &when, err);
    return failed ? failed : finish_validity(h, cert, when, after, err);
}

static int64_t set_text(fssl_handle h, const char *text, int64_t text_len, bool after, int32_t *err)
{
    struct cert *cert;
    ASN1_TIME *when;
    int64_t failed = change(h, &cert, err);

    if (failed)
        return failed;
    failed = take_time(h, text, text_len, &when, err);
    return failed ? failed : finish_validity(h, cert, when, after, err);
}

int64_t fssl_cert_set_not_before(fssl_handle h, int64_t seconds, int32_t *err)
{
    return set_seconds(h, seconds, false, err);
}

int64_t fssl_cert_set_not_after(fssl_handle h, int64_t seconds, int32_t *err)
{
    return set_seconds(h, seconds, true, err);
}

int64_t fssl_cert_set_not_before_text(fssl_handle h, const char *text, int64_t text_len,
                                      int32_t *err)
{
    return set_text(h, text, text_len, false, err);
}

int64_t fssl_cert_set_not_after_text(fssl_handle h, const char *text, int64_t text_len,
                                     int32_t *err)
{
    return set_text(h, text, text_len, true, err);
}

int64_t fssl_cert_not_before_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_time_text(h, X509_get0_notBefore(cert->x509), buf, cap, err);
}

int64_t fssl_cert_not_after_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_time_text(h, X509_get0_notAfter(cert->x509), buf, cap, err);
}

/* ---- names, key, extensions ---- */

/* Sets a name as a view of it does, or fssl_cert_set_subject. Returns a code. */
int32_t cert_set_name(struct cert *cert, const X509_NAME *name, bool issuer)
{
    int32_t code = cert_change(cert);
    int ok;

    if (code)
        return code;
    ok = issuer ? X509_set_issuer_name(cert->x509, name) : X509_set_subject_name(cert->x509, name);
    return ok ? FSSL_OK : FSSL_E_OPENSSL;
}

static int64_t set_name(fssl_handle h, fssl_handle from, bool issuer, int32_t *err)
{
    struct cert *cert;
    X509_NAME *name;
    int32_t code;
    int64_t failed = take_name(from, &name, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CERT, &cert, err);
    if (!failed) {
        code = cert_set_name(cert, name, issuer);
        failed = code ? fail(h, code, err) : finish(h, 0, err);
    }
    X509_NAME_free(name);
    return failed;
}

int64_t fssl_cert_set_subject(fssl_handle h, fssl_handle name, int32_t *err)
{
    return set_name(h, name, false, err);
}

int64_t fssl_cert_set_issuer(fssl_handle h, fssl_handle name, int32_t *err)
{
    return set_name(h, name, true, err);
}

int64_t fssl_cert_set_public_key(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct cert *cert;
    EVP_PKEY *pkey;
    int64_t failed = take_key(key, &pkey, err);

    if (failed)
        return failed;
    failed = change(h, &cert, err);
    if (!failed)
        failed = finish_done(h, X509_set_pubkey(cert->x509, pkey), err);
    EVP_PKEY_free(pkey);
    return failed;
}

int64_t fssl_cert_add_ext(fssl_handle h, fssl_handle ext, int32_t *err)
{
    struct cert *cert;
    X509_EXTENSION *x509_ext;
    int64_t failed = take_ext(ext, &x509_ext, err);

    if (failed)
        return failed;
    failed = change(h, &cert, err);
    if (!failed)
        failed = finish_done(h, X509_add_ext(cert->x509, x509_ext, -1), err);
    X509_EXTENSION_free(x509_ext);
    return failed;
}

int64_t fssl_cert_ext_count(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish(h, X509_get_ext_count(cert->x509), err);
}

int64_t fssl_cert_ext_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct cert *cert;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    return finish_ext_item(h, X509_get0_extensions(cert->x509), i, err);
}

/* ---- signing ---- */

/* A version below 3 has no extensions: OpenSSL from 3.2 on corrects it in the same way. */
static int sign(X509 *x509, const struct signing *signing)
{
    if (X509_get_ext_count(x509) > 0 && X509_get_version(x509) < VERSION_3 &&
        !X509_set_version(x509, VERSION_3))
        return 0;
    return X509_sign(x509, signing->pkey, signing->md);
}

int64_t fssl_cert_sign(fssl_handle h, fssl_handle key, const char *digest, int64_t digest_len,
                       int32_t *err)
{
    struct cert *cert;
    struct signing signing;
    int64_t failed = take_signing(key, digest, digest_len, &signing, err);

    if (failed)
        return failed;
    failed = change(h, &cert, err);
    if (!failed)
        failed = finish_done(h, sign(cert->x509, &signing), err);
    EVP_PKEY_free(signing.pkey);
    return failed;
}
