/* The client CA list: the names of issuers that a server sends when it asks for a certificate. It
   is kept in the settings and given to each connection, since OpenSSL reads a context's own list
   without a lock while handshakes run. */
#include "internal.h"

#include <limits.h>

#include <openssl/crypto.h>

typedef STACK_OF(X509_NAME) names;

static void list_free(names *list)
{
    sk_X509_NAME_pop_free(list, X509_NAME_free);
}

static int put_names(struct ctx *ctx, names *list)
{
    struct settings *settings = list ? ctx_change(ctx) : NULL;

    if (!settings) {
        list_free(list);
        return 0;
    }
    list_free(settings->client_cas);
    settings->client_cas = list;
    return 1;
}

/* Adds a name, which is copied. */
static bool names_add(names *list, const X509_NAME *name)
{
    X509_NAME *copy = X509_NAME_dup(name);

    if (copy && sk_X509_NAME_push(list, copy))
        return true;
    X509_NAME_free(copy);
    return false;
}

static names *names_of_certs(STACK_OF(X509) *certs)
{
    names *list = certs ? sk_X509_NAME_new_null() : NULL;

    for (int i = 0; list && i < sk_X509_num(certs); i++) {
        if (names_add(list, X509_get_subject_name(sk_X509_value(certs, i))))
            continue;
        list_free(list);
        return NULL;
    }
    return list;
}

int64_t fssl_ctx_load_client_ca(fssl_handle h, const char *path, int64_t path_len, int32_t *err)
{
    struct ctx *ctx;
    STACK_OF(X509) *certs;
    uint8_t *data;
    size_t len;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_file(h, path, path_len, &data, &len, err);
    if (failed)
        return failed;
    certs = certs_from_pem(data, len);
    OPENSSL_free(data);
    ok = put_names(ctx, names_of_certs(certs));
    certs_free(certs);
    return finish_done(h, ok, err);
}

/* Reads names in DER, one after another. */
static names *names_from_der(const uint8_t *der, int64_t len)
{
    const uint8_t *at = der;
    names *list = sk_X509_NAME_new_null();

    while (list && len > 0) {
        const uint8_t *start = at;
        X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)len);

        len -= at - start;
        if (name && sk_X509_NAME_push(list, name))
            continue;
        X509_NAME_free(name);
        list_free(list);
        return NULL;
    }
    return list;
}

int64_t fssl_ctx_set_client_ca_list(fssl_handle h, const uint8_t *der, int64_t der_len,
                                    int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!bytes_given(der, der_len) || der_len > INT_MAX)
        return refuse(h, "der", err);
    return finish_done(h, put_names(ctx, names_from_der(der, der_len)), err);
}

int64_t fssl_ctx_add_client_ca(fssl_handle h, fssl_handle cert, int32_t *err)
{
    struct ctx *ctx;
    struct settings *settings;
    X509 *x509;
    int ok;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_cert(cert, &x509, err);
    if (failed)
        return abandon(h, failed, err);
    settings = ctx_change(ctx);
    if (settings && !settings->client_cas)
        settings->client_cas = sk_X509_NAME_new_null();
    ok = settings && settings->client_cas &&
         names_add(settings->client_cas, X509_get_subject_name(x509));
    X509_free(x509);
    return finish_done(h, ok, err);
}

/* ---- what a connection sends, or has been sent ---- */

static const names *conn_names(const struct conn *conn)
{
    return conn->client ? SSL_get0_peer_CA_list(conn->ssl) : conn->settings->client_cas;
}

int64_t fssl_conn_client_ca_count(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    const names *list;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    list = conn_names(conn);
    return finish(h, list ? sk_X509_NAME_num(list) : 0, err);
}

int64_t fssl_conn_client_ca_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct conn *conn;
    const names *list;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    list = conn_names(conn);
    if (!list || i < 0 || i >= sk_X509_NAME_num(list))
        return refuse(h, "i", err);
    return finish_handle(h, name_wrap(X509_NAME_dup(sk_X509_NAME_value(list, (int)i)), true), err);
}
