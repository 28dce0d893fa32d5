/* Certificate revocation lists. A handle is the only one that holds its X509_CRL: stores get
   copies, since OpenSSL works out what a CRL covers only when it reads one. */
#include "internal.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { VERSION_2 = 1 };

void crl_free(struct object *object)
{
    X509_CRL_free(((struct crl *)object)->x509_crl);
}

/* Makes a CRL's object of an X509_CRL, which it takes over, also on failure. */
struct crl *crl_wrap(X509_CRL *x509_crl, bool readonly)
{
    struct crl *crl = x509_crl ? object_new(KIND_CRL, sizeof *crl) : NULL;

    if (!crl) {
        X509_CRL_free(x509_crl);
        return NULL;
    }
    crl->x509_crl = x509_crl;
    crl->object.readonly = readonly;
    return crl;
}

/* Takes a copy of the X509_CRL of a handle; on failure returns a result. */
int64_t take_crl(fssl_handle h, X509_CRL **out, int32_t *err)
{
    struct crl *crl;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    *out = X509_CRL_dup(crl->x509_crl);
    return *out ? finish(h, 0, err) : refuse_state(h, "the CRL is not signed", err);
}

/* What every change of a CRL begins with: it is to be encoded anew, which the setters of OpenSSL
   3.0 forget. Returns a code. */
static int32_t crl_change(struct crl *crl)
{
    if (crl->object.readonly)
        return FSSL_E_READONLY;
    i2d_re_X509_CRL_tbs(crl->x509_crl, NULL);
    queue_empty();
    return FSSL_OK;
}

/* Acquires a CRL to change it. */
int64_t change_crl(fssl_handle h, struct crl **crl, int32_t *err)
{
    int64_t failed = acquire(h, KIND_CRL, crl, err);
    int32_t code;

    if (failed)
        return failed;
    code = crl_change(*crl);
    return code ? fail(h, code, err) : 0;
}

/* ---- making, reading and writing ---- */

int64_t fssl_crl_new(int32_t *err)
{
    start();
    return finish_handle(0, crl_wrap(X509_CRL_new(), false), err);
}

int64_t fssl_crl_from_pem(const uint8_t *pem, int64_t len, int32_t *err)
{
    struct passphrase none = {.asked = false};
    X509_CRL *x509_crl;
    BIO *bio;

    start();
    if (!bytes_given(pem, len) || len > INT_MAX)
        return refuse(0, "pem", err);
    bio = bio_over(pem, (size_t)len);
    x509_crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, passphrase_give, &none) : NULL;
    BIO_free(bio);
    return finish_handle(0, crl_wrap(x509_crl, false), err);
}

int64_t fssl_crl_from_der(const uint8_t *der, int64_t len, int32_t *err)
{
    const uint8_t *at = der;
    X509_CRL *x509_crl;

    start();
    if (!bytes_given(der, len) || len > LONG_MAX)
        return refuse(0, "der", err);
    x509_crl = d2i_X509_CRL(NULL, &at, (long)len);
    if (x509_crl && at != der + len) {
        X509_CRL_free(x509_crl);
        return fail(0, FSSL_E_PARSE, err);
    }
    return finish_handle(0, crl_wrap(x509_crl, false), err);
}

int64_t fssl_crl_to_pem(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct crl *crl;
    BIO *bio;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && PEM_write_bio_X509_CRL(bio, crl->x509_crl), buf, cap, err);
}

int64_t fssl_crl_to_der(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct crl *crl;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    len = i2d_X509_CRL(crl->x509_crl, &der);
    return finish_der(h, der, len, buf, cap, err);
}

int64_t fssl_crl_to_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct crl *crl;
    BIO *bio;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && X509_CRL_print(bio, crl->x509_crl), buf, cap, err);
}

/* ---- its parts ---- */

int64_t fssl_crl_version(fssl_handle h, int32_t *err)
{
    struct crl *crl;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    return finish(h, X509_CRL_get_version(crl->x509_crl), err);
}

int64_t fssl_crl_set_version(fssl_handle h, int32_t version, int32_t *err)
{
    struct crl *crl;
    int64_t failed = change_crl(h, &crl, err);

    if (failed)
        return failed;
    if (version < X509_CRL_VERSION_1 || version > X509_CRL_VERSION_2)
        return refuse(h, "version", err);
    return finish_done(h, X509_CRL_set_version(crl->x509_crl, version), err);
}

int64_t fssl_crl_issuer(fssl_handle h, int32_t *err)
{
    struct crl *crl;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    return finish_handle(h, name_of(crl, true), err);
}

/* Sets the issuer as a view of it does, or fssl_crl_set_issuer. Returns a code. */
int32_t crl_set_name(struct crl *crl, const X509_NAME *name)
{
    int32_t code = crl_change(crl);

    if (code)
        return code;
    return X509_CRL_set_issuer_name(crl->x509_crl, name) ? FSSL_OK : FSSL_E_OPENSSL;
}

int64_t fssl_crl_set_issuer(fssl_handle h, fssl_handle name, int32_t *err)
{
    struct crl *crl;
    X509_NAME *issuer;
    int32_t code;
    int64_t failed = take_name(name, &issuer, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CRL, &crl, err);
    if (!failed) {
        code = crl_set_name(crl, issuer);
        failed = code ? fail(h, code, err) : finish(h, 0, err);
    }
    X509_NAME_free(issuer);
    return failed;
}

/* ---- what is revoked ---- */

int64_t fssl_crl_revoked_count(fssl_handle h, int32_t *err)
{
    struct crl *crl;
    STACK_OF(X509_REVOKED) *list;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    list = X509_CRL_get_REVOKED(crl->x509_crl);
    return finish(h, list ? sk_X509_REVOKED_num(list) : 0, err);
}

int64_t fssl_crl_revoked_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct crl *crl;
    STACK_OF(X509_REVOKED) *list;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    list = X509_CRL_get_REVOKED(crl->x509_crl);
    if (!list || i < 0 || i >= sk_X509_REVOKED_num(list))
        return refuse(h, "i", err);
    return finish_handle(h, revoked_wrap(X509_REVOKED_dup(sk_X509_REVOKED_value(list, (int)i))),
                         err);
}

int64_t fssl_crl_add_revoked(fssl_handle h, fssl_handle revoked, int32_t *err)
{
    struct crl *crl;
    X509_REVOKED *entry;
    int64_t failed = take_revoked(revoked, &entry, err);

    if (failed)
        return failed;
    failed = change_crl(h, &crl, err);
    if (failed) {
        X509_REVOKED_free(entry);
        return failed;
    }
    if (X509_CRL_add0_revoked(crl->x509_crl, entry))
        return finish(h, 0, err);
    X509_REVOKED_free(entry);
    return fail(h, FSSL_E_OPENSSL, err);
}

/* ---- extensions ---- */

int64_t fssl_crl_add_ext(fssl_handle h, fssl_handle ext, int32_t *err)
{
    struct crl *crl;
    X509_EXTENSION *x509_ext;
    int64_t failed = take_ext(ext, &x509_ext, err);

    if (failed)
        return failed;
    failed = change_crl(h, &crl, err);
    if (!failed)
        failed = finish_done(h, X509_CRL_add_ext(crl->x509_crl, x509_ext, -1), err);
    X509_EXTENSION_free(x509_ext);
    return failed;
}

int64_t fssl_crl_ext_count(fssl_handle h, int32_t *err)
{
    struct crl *crl;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    return finish(h, X509_CRL_get_ext_count(crl->x509_crl), err);
}

int64_t fssl_crl_ext_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct crl *crl;
    int64_t failed = acquire(h, KIND_CRL, &crl, err);

    if (failed)
        return failed;
    return finish_ext_item(h, X509_CRL_get0_extensions(crl->x509_crl), i, err);
}

/* ---- signing ---- */

static bool has_exts(const X509_CRL *x509_crl)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED((X509_CRL *)x509_crl);
    bool found = X509_CRL_get_ext_count(x509_crl) > 0;

    for (int i = 0; !found && list && i < sk_X509_REVOKED_num(list); i++)
        found = X509_REVOKED_get_ext_count(sk_X509_REVOKED_value(list, i)) > 0;
    return found;
}

/* A version below 2 has no extensions, and reasons are extensions. */
static int sign(X509_CRL *x509_crl, const struct signing *signing)
{
    if (has_exts(x509_crl) && X509_CRL_get_version(x509_crl) < VERSION_2 &&
        !X509_CRL_set_version(x509_crl, VERSION_2))
        return 0;
    return X509_CRL_sort(x509_crl) ? X509_CRL_sign(x509_crl, signing->pkey, signing->md) : 0;
}

int64_t fssl_crl_sign(fssl_handle h, fssl_handle key, const char *digest, int64_t digest_len,
                      int32_t *err)
{
    struct crl *crl;
    struct signing signing;
    int64_t failed = take_signing(key, digest, digest_len, &signing, err);

    if (failed)
        return failed;
    failed = change_crl(h, &crl, err);
    if (!failed)
        failed = finish_done(h, sign(crl->x509_crl, &signing), err);
    EVP_PKEY_free(signing.pkey);
    return failed;
}

int64_t fssl_crl_verify(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct crl *crl;
    EVP_PKEY *pkey;
    int64_t failed = take_key(key, &pkey, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CRL, &crl, err);
    if (!failed)
        failed = finish_verified(h, X509_CRL_verify(crl->x509_crl, pkey), err);
    EVP_PKEY_free(pkey);
    return failed;
}
