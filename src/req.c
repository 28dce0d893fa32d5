/* Certificate signing requests. */
#include "internal.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

void req_free(struct object *object)
{
    X509_REQ_free(((struct req *)object)->x509_req);
}

/* Makes a request's object of an X509_REQ, which it takes over, also on failure. */
static struct req *req_wrap(X509_REQ *x509_req)
{
    struct req *req = x509_req ? object_new(KIND_REQ, sizeof *req) : NULL;

    if (!req) {
        X509_REQ_free(x509_req);
        return NULL;
    }
    req->x509_req = x509_req;
    return req;
}

/* Acquires a request to change it: it is to be encoded anew, which the setters of 3.0 forget. */
static int64_t change(fssl_handle h, struct req **req, int32_t *err)
{
    int64_t failed = acquire(h, KIND_REQ, req, err);

    if (failed)
        return failed;
    i2d_re_X509_REQ_tbs((*req)->x509_req, NULL);
    queue_empty();
    return 0;
}

/* ---- making, reading and writing ---- */

int64_t fssl_req_new(int32_t *err)
{
    X509_REQ *x509_req;

    start();
    x509_req = X509_REQ_new();
    if (x509_req && !X509_REQ_set_version(x509_req, 0)) {
        X509_REQ_free(x509_req);
        x509_req = NULL;
    }
    return finish_handle(0, req_wrap(x509_req), err);
}

int64_t fssl_req_from_pem(const uint8_t *pem, int64_t len, int32_t *err)
{
    struct passphrase none = {.asked = false};
    X509_REQ *x509_req;
    BIO *bio;

    start();
    if (!bytes_given(pem, len) || len > INT_MAX)
        return refuse(0, "pem", err);
    bio = bio_over(pem, (size_t)len);
    x509_req = bio ? PEM_read_bio_X509_REQ(bio, NULL, passphrase_give, &none) : NULL;
    BIO_free(bio);
    return finish_handle(0, req_wrap(x509_req), err);
}

int64_t fssl_req_from_der(const uint8_t *der, int64_t len, int32_t *err)
{
    const uint8_t *at = der;
    X509_REQ *x509_req;

    start();
    if (!bytes_given(der, len) || len > LONG_MAX)
        return refuse(0, "der", err);
    x509_req = d2i_X509_REQ(NULL, &at, (long)len);
    if (x509_req && at != der + len) {
        X509_REQ_free(x509_req);
        return fail(0, FSSL_E_PARSE, err);
    }
    return finish_handle(0, req_wrap(x509_req), err);
}

int64_t fssl_req_to_pem(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct req *req;
    BIO *bio;
    int64_t failed = acquire(h, KIND_REQ, &req, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && PEM_write_bio_X509_REQ(bio, req->x509_req), buf, cap, err);
}

int64_t fssl_req_to_der(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct req *req;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_REQ, &req, err);

    if (failed)
        return failed;
    len = i2d_X509_REQ(req->x509_req, &der);
    return finish_der(h, der, len, buf, cap, err);
}

int64_t fssl_req_to_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct req *req;
    BIO *bio;
    int64_t failed = acquire(h, KIND_REQ, &req, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && X509_REQ_print_ex(bio, req->x509_req, 0, 0), buf, cap, err);
}

/* ---- its parts ---- */

int64_t fssl_req_version(fssl_handle h, int32_t *err)
{
    struct req *req;
    int64_t failed = acquire(h, KIND_REQ, &req, err);

    if (failed)
        return failed;
    return finish(h, X509_REQ_get_version(req->x509_req), err);
}

int64_t fssl_req_set_version(fssl_handle h, int32_t version, int32_t *err)
{
    struct req *req;
    int64_t failed = change(h, &req, err);

    if (failed)
        return failed;
    if (version != X509_REQ_VERSION_1)
        return refuse(h, "version", err);
    return finish_done(h, X509_REQ_set_version(req->x509_req, version), err);
}

int64_t fssl_req_subject(fssl_handle h, int32_t *err)
{
    struct req *req;
    int64_t failed = acquire(h, KIND_REQ, &req, err);

    if (failed)
        return failed;
    return finish_handle(h, name_of(req, false), err);
}

/* Sets the subject as a view of it does. Returns a code. */
int32_t req_set_name(struct req *req, const X509_NAME *name)
{
    i2d_re_X509_REQ_tbs(req->x509_req, NULL);
    queue_empty();
    return X509_REQ_set_subject_name(req->x509_req, name) ? FSSL_OK : FSSL_E_OPENSSL;
}

int64_t fssl_req_set_subject(fssl_handle h, fssl_handle name, int32_t *err)
{
    struct req *req;
    X509_NAME *subject;
    int64_t failed = take_name(name, &subject, err);

    if (failed)
        return failed;
    failed = change(h, &req, err);
    if (!failed)
        failed = finish_done(h, X509_REQ_set_subject_name(req->x509_req, subject), err);
    X509_NAME_free(subject);
    return failed;
}

int64_t fssl_req_public_key(fssl_handle h, int32_t *err)
{
    struct req *req;
    int64_t failed = acquire(h, KIND_REQ, &req, err);

    if (failed)
        return failed;
    return finish_handle(h, key_wrap(X509_REQ_get_pubkey(req->x509_req), false), err);
}

int64_t fssl_req_set_public_key(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct req *req;
    EVP_PKEY *pkey;
    int64_t failed = take_key(key, &pkey, err);

    if (failed)
        return failed;
    failed = change(h, &req, err);
    if (!failed)
        failed = finish_done(h, X509_REQ_set_pubkey(req->x509_req, pkey), err);
    EVP_PKEY_free(pkey);
    return failed;
}

/* ---- extensions asked for ---- */

static void exts_free(STACK_OF(X509_EXTENSION) *exts)
{
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

/* Puts extensions in the place of those that the request asks for. They stand in one attribute,
   and there must be no second; if memory runs out for the new one, the old is put back. */
static int exts_put(X509_REQ *x509_req, STACK_OF(X509_EXTENSION) *exts)
{
    int at = X509_REQ_get_attr_by_NID(x509_req, NID_ext_req, -1);
    X509_ATTRIBUTE *old = at >= 0 ? X509_REQ_delete_attr(x509_req, at) : NULL;
    int ok = X509_REQ_add_extensions(x509_req, exts);

    if (!ok && old)
        X509_REQ_add1_attr(x509_req, old);
    X509_ATTRIBUTE_free(old);
    return ok;
}

/* Adds an extension, which it takes over. */
static int add_ext(X509_REQ *x509_req, X509_EXTENSION *x509_ext)
{
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(x509_req);
    int ok = 0;

    if (!exts)
        exts = sk_X509_EXTENSION_new_null();
    if (exts && sk_X509_EXTENSION_push(exts, x509_ext))
        ok = exts_put(x509_req, exts);
    else
        X509_EXTENSION_free(x509_ext);
    exts_free(exts);
    return ok;
}

int64_t fssl_req_add_ext(fssl_handle h, fssl_handle ext, int32_t *err)
{
    struct req *req;
    X509_EXTENSION *x509_ext;
    int64_t failed = take_ext(ext, &x509_ext, err);

    if (failed)
        return failed;
    failed = change(h, &req, err);
    if (failed) {
        X509_EXTENSION_free(x509_ext);
        return failed;
    }
    return finish_done(h, add_ext(req->x509_req, x509_ext), err);
}

int64_t fssl_req_ext_count(fssl_handle h, int32_t *err)
{
    struct req *req;
    STACK_OF(X509_EXTENSION) *exts;
    int count;
    int64_t failed = acquire(h, KIND_REQ, &req, err);

    if (failed)
        return failed;
    exts = X509_REQ_get_extensions(req->x509_req);
    count = exts ? sk_X509_EXTENSION_num(exts) : 0;
    exts_free(exts);
    return finish(h, count, err);
}

int64_t fssl_req_ext_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct req *req;
    STACK_OF(X509_EXTENSION) *exts;
    int64_t result = acquire(h, KIND_REQ, &req, err);

    if (result)
        return result;
    exts = X509_REQ_get_extensions(req->x509_req);
    result = finish_ext_item(h, exts, i, err);
    exts_free(exts);
    return result;
}

/* ---- signing ---- */

int64_t fssl_req_sign(fssl_handle h, fssl_handle key, const char *digest, int64_t digest_len,
                      int32_t *err)
{
    struct req *req;
    struct signing signing;
    int64_t failed = take_signing(key, digest, digest_len, &signing, err);

    if (failed)
        return failed;
    failed = change(h, &req, err);
    if (!failed)
        failed = finish_done(h, X509_REQ_sign(req->x509_req, signing.pkey, signing.md), err);
    EVP_PKEY_free(signing.pkey);
    return failed;
}

int64_t fssl_req_verify(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct req *req;
    EVP_PKEY *pkey;
    int64_t failed = take_key(key, &pkey, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_REQ, &req, err);
    if (!failed)
        failed = finish_verified(h, X509_REQ_verify(req->x509_req, pkey), err);
    EVP_PKEY_free(pkey);
    return failed;
}
