/* Contexts: the own certificate, its chain and its key. Files are read here and parsed from
   memory, so that a file and its bytes fail alike. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>

enum { PASSPHRASE_MAX = 1024, FILE_MAX = 1 << 26, FILE_FIRST = 16384 };

static bool file_rest(FILE *file, uint8_t **data, size_t *len)
{
    size_t size = FILE_FIRST, got;
    uint8_t *buf = OPENSSL_malloc(size), *larger;

    *len = 0;
    while (buf && (got = fread(buf + *len, 1, size - *len, file)) > 0) {
        *len += got;
        if (*len < size)
            continue;
        larger = size < FILE_MAX ? OPENSSL_clear_realloc(buf, size, size * 2) : NULL;
        if (!larger)
            OPENSSL_clear_free(buf, size);
        buf = larger;
        size *= 2;
    }
    if (!buf) {
        errno = size > FILE_MAX ? EFBIG : ENOMEM;
    } else if (ferror(file)) {
        OPENSSL_clear_free(buf, size);
        buf = NULL;
    }
    *data = buf;
    return buf != NULL;
}

/* Reads a file of at most 64 MiB, which the caller frees. On failure errno says why. */
bool file_read(const char *path, uint8_t **data, size_t *len)
{
    FILE *file = fopen(path, "rbe");
    bool ok;
    int error;

    if (!file)
        return false;
    ok = file_rest(file, data, len);
    error = errno;
    fclose(file);
    errno = error;
    return ok;
}

/* Reads the file that an argument names; on failure the call has ended. */
int64_t take_file(fssl_handle h, const char *path, int64_t path_len, uint8_t **data, size_t *len,
                  int32_t *err)
{
    char *text;
    int64_t failed = take_text(h, "path", path, path_len, &text, err);

    if (failed)
        return failed;
    if (!file_read(text, data, len))
        failed = fail_system(h, errno, text, err);
    OPENSSL_free(text);
    return failed;
}

int64_t fssl_ctx_use_certificate(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct ctx *ctx;
    X509 *x509;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_cert(cert, &x509, err);
    if (failed)
        return abandon(h, failed, err);
    ok = SSL_CTX_use_certificate(ctx->ssl, x509);
    X509_free(x509);
    return finish_done(h, ok, err);
}

int64_t fssl_ctx_use_certificate_file(fssl_handle h, const char *path, int64_t path_len,
                                      int32_t filetype, int32_t *err)
{
    struct ctx *ctx;
    uint8_t *data;
    size_t len;
    X509 *x509;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (filetype != FSSL_FILETYPE_PEM && filetype != FSSL_FILETYPE_ASN1)
        return refuse(h, "filetype", err);
    failed = take_file(h, path, path_len, &data, &len, err);
    if (failed)
        return failed;
    x509 = filetype == FSSL_FILETYPE_PEM ? cert_from_pem(data, len) : cert_from_der(data, len);
    OPENSSL_free(data);
    ok = x509 && SSL_CTX_use_certificate(ctx->ssl, x509);
    X509_free(x509);
    return finish_done(h, ok, err);
}

/* Uses the first certificate and makes the others its chain, all or nothing. */
static int use_chain(SSL_CTX *ssl, STACK_OF(X509) *certs)
{
    X509 *own = sk_X509_shift(certs);
    int ok = own && SSL_CTX_use_certificate(ssl, own) && SSL_CTX_set1_chain(ssl, certs);

    X509_free(own);
    return ok;
}

static int64_t finish_chain(fssl_handle h, struct ctx *ctx, const uint8_t *pem, size_t len,
                            int32_t *err)
{
    STACK_OF(X509) *certs = certs_from_pem(pem, len);
    int ok = certs && use_chain(ctx->ssl, certs);

    certs_free(certs);
    return finish_done(h, ok, err);
}

int64_t fssl_ctx_use_certificate_chain_file(fssl_handle h, const char *path, int64_t path_len,
                                            int32_t *err)
{
    struct ctx *ctx;
    uint8_t *data;
    size_t len;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_file(h, path, path_len, &data, &len, err);
    if (failed)
        return failed;
    failed = finish_chain(h, ctx, data, len, err);
    OPENSSL_free(data);
    return failed;
}

int64_t fssl_ctx_use_certificate_chain(fssl_handle h, const uint8_t *pem, int64_t pem_len,
                                       int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(pem, pem_len) || pem_len > FILE_MAX)
        return refuse(h, "pem", err);
    return finish_chain(h, ctx, pem, (size_t)pem_len, err);
}

/* Adds to the chain that later connections send; see struct settings. */
static int extra_override(struct ctx *ctx, X509 *x509)
{
    struct settings *settings = ctx_change(ctx);
    STACK_OF(X509) *chain = NULL;

    if (!settings)
        return 0;
    if (!settings->extra_chain) {
        SSL_CTX_get_extra_chain_certs(ctx->ssl, &chain);
        settings->extra_chain = chain ? X509_chain_up_ref(chain) : sk_X509_new_null();
    }
    return settings->extra_chain &&
           X509_add_cert(settings->extra_chain, x509, X509_ADD_FLAG_UP_REF);
}

static int extra_add(struct ctx *ctx, X509 *x509)
{
    if (ctx->used)
        return extra_override(ctx, x509);
    if (!X509_up_ref(x509))
        return 0;
    if (SSL_CTX_add_extra_chain_cert(ctx->ssl, x509))
        return 1;
    X509_free(x509);
    return 0;
}

int64_t fssl_ctx_add_extra_chain_cert(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct ctx *ctx;
    X509 *x509;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_cert(cert, &x509, err);
    if (failed)
        return abandon(h, failed, err);
    ok = extra_add(ctx, x509);
    X509_free(x509);
    return finish_done(h, ok, err);
}

/* ---- the key ---- */

int64_t fssl_ctx_use_private_key(fssl_handle h, fssl_handle key, int32_t *err)
{
    struct ctx *ctx;
    EVP_PKEY *pkey;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_key(key, &pkey, err);
    if (failed)
        return abandon(h, failed, err);
    ok = SSL_CTX_use_PrivateKey(ctx->ssl, pkey);
    EVP_PKEY_free(pkey);
    return finish_done(h, ok, err);
}

/* Calls the caller's passphrase callback, the context's lock given back meanwhile. */
static int ask_passphrase(char *buf, int size, int writing, void *asked)
{
    struct passphrase *passphrase = asked;
    struct ctx *ctx = passphrase->ctx;
    struct push push = ctx->on_passphrase;
    struct asking asking = {ctx->asking, pthread_self(), buf, size, 0};
    struct asking **at = &ctx->asking;
    int answer;

    ctx->asking = &asking;
    lock_give(&ctx->object.lock);
    answer = ((fssl_passphrase_callback)push.fn)(push.token, passphrase->h, size, writing);
    lock_take(&ctx->object.lock);
    while (*at != &asking)
        at = &(*at)->next;
    *at = asking.next;
    passphrase->failed = answer != 0 && answer != 1;
    return answer == 1 && asking.len > 0 ? asking.len : -1;
}

static int64_t finish_key(fssl_handle h, struct ctx *ctx, const uint8_t *data, size_t len,
                          int32_t filetype, int32_t *err)
{
    struct passphrase passphrase = {.h = h, .ctx = ctx};
    EVP_PKEY *pkey;
    int ok;

    if (ctx->passphrase) {
        passphrase.data = ctx->passphrase->data;
        passphrase.len = ctx->passphrase->len;
    } else if (ctx->on_passphrase.fn) {
        passphrase.ask = ask_passphrase;
    }
    pkey = filetype == FSSL_FILETYPE_PEM ? key_from_pem(data, len, &passphrase)
                                         : key_from_der(data, len);
    if (!pkey)
        return fail(h, key_failure(&passphrase), err);
    ok = SSL_CTX_use_PrivateKey(ctx->ssl, pkey);
    EVP_PKEY_free(pkey);
    return finish_done(h, ok, err);
}

int64_t fssl_ctx_use_private_key_file(fssl_handle h, const char *path, int64_t path_len,
                                      int32_t filetype, int32_t *err)
{
    struct ctx *ctx;
    uint8_t *data;
    size_t len;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (filetype != FSSL_FILETYPE_PEM && filetype != FSSL_FILETYPE_ASN1)
        return refuse(h, "filetype", err);
    failed = take_file(h, path, path_len, &data, &len, err);
    if (failed)
        return failed;
    failed = finish_key(h, ctx, data, len, filetype, err);
    OPENSSL_clear_free(data, len);
    return failed;
}

int64_t fssl_ctx_set_passphrase(fssl_handle h, const uint8_t *passphrase, int64_t passphrase_len,
                                int32_t *err)
{
    struct ctx *ctx;
    struct blob *blob = NULL;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(passphrase, passphrase_len) || passphrase_len > PASSPHRASE_MAX)
        return refuse(h, "passphrase", err);
    if (passphrase_len > 0) {
        blob = blob_new(passphrase, (size_t)passphrase_len);
        if (!blob)
            return fail(h, FSSL_E_MEMORY, err);
    }
    blob_drop(ctx->passphrase);
    ctx->passphrase = blob;
    return finish(h, 0, err);
}

int64_t fssl_ctx_check_private_key(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish_done(h, SSL_CTX_check_private_key(ctx->ssl), err);
}
