/* What a connection tells of itself and of its peer. */
#include "internal.h"

#include <openssl/crypto.h>

enum { SIGALGS_MAX = 256 };

_Static_assert(FSSL_SENT_SHUTDOWN == SSL_SENT_SHUTDOWN, "shutdown state");
_Static_assert(FSSL_RECEIVED_SHUTDOWN == SSL_RECEIVED_SHUTDOWN, "shutdown state");

int64_t fssl_conn_session(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    SSL_SESSION *ssl;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    ssl = SSL_get1_session(conn->ssl);
    return ssl ? finish_handle(h, session_wrap(ssl, conn->ctx, conn), err) : finish(h, 0, err);
}

int64_t fssl_conn_session_reused(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, SSL_session_reused(conn->ssl), err);
}

int64_t fssl_conn_shutdown_state(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, SSL_get_shutdown(conn->ssl), err);
}

int64_t fssl_conn_state_string(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_text(h, SSL_state_string_long(conn->ssl), buf, cap, err);
}

/* ---- protocol and cipher ---- */

int64_t fssl_conn_protocol_version(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, SSL_version(conn->ssl), err);
}

int64_t fssl_conn_protocol_version_name(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_text(h, conn->established ? SSL_get_version(conn->ssl) : "Unknown", buf, cap,
                       err);
}

int64_t fssl_conn_cipher_name(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const SSL_CIPHER *cipher;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    cipher = SSL_get_current_cipher(conn->ssl);
    return finish_text(h, cipher ? SSL_CIPHER_get_name(cipher) : NULL, buf, cap, err);
}

int64_t fssl_conn_cipher_bits(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, SSL_CIPHER_get_bits(SSL_get_current_cipher(conn->ssl), NULL), err);
}

int64_t fssl_conn_cipher_version(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const SSL_CIPHER *cipher;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    cipher = SSL_get_current_cipher(conn->ssl);
    return finish_text(h, cipher ? SSL_CIPHER_get_version(cipher) : NULL, buf, cap, err);
}

int64_t fssl_conn_group_name(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    int group;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    group = conn->established ? (int)SSL_get_negotiated_group(conn->ssl) : 0;
    return finish_text(h, group ? SSL_group_to_name(conn->ssl, group) : NULL, buf, cap, err);
}

int64_t fssl_conn_alpn_proto(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const uint8_t *proto;
    unsigned int len;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    SSL_get0_alpn_selected(conn->ssl, &proto, &len);
    return finish_bytes(h, proto, len, buf, cap, err);
}

int64_t fssl_conn_next_proto(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const uint8_t *proto = NULL;
    unsigned int len = 0;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
#ifndef OPENSSL_NO_NEXTPROTONEG
    SSL_get0_next_proto_negotiated(conn->ssl, &proto, &len);
#endif
    return finish_bytes(h, proto, len, buf, cap, err);
}

int64_t fssl_conn_peer_signature_algorithms(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    uint8_t list[SIGALGS_MAX * 2];
    uint8_t sign, hash;
    int count, len = 0;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    count = SSL_get_sigalgs(conn->ssl, 0, NULL, NULL, NULL, &sign, &hash);
    for (int i = 0; i < count && i < SIGALGS_MAX; i++) {
        SSL_get_sigalgs(conn->ssl, i, NULL, NULL, NULL, &sign, &hash);
        list[len++] = hash;
        list[len++] = sign;
    }
    return finish_bytes(h, list, len, buf, cap, err);
}

int64_t fssl_conn_cipher_list_count(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    STACK_OF(SSL_CIPHER) *list;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    list = SSL_get_ciphers(conn->ssl);
    return finish(h, list ? sk_SSL_CIPHER_num(list) : 0, err);
}

int64_t fssl_conn_cipher_list_item(fssl_handle h, int64_t i, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    STACK_OF(SSL_CIPHER) *list;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    list = SSL_get_ciphers(conn->ssl);
    if (!list || i < 0 || i >= sk_SSL_CIPHER_num(list))
        return refuse(h, "i", err);
    return finish_text(h, SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, (int)i)), buf, cap, err);
}

/* ---- certificates ---- */

int64_t fssl_conn_verify_result(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!SSL_get0_peer_certificate(conn->ssl)) /* OpenSSL would say OK */
        return refuse_state(h, "the peer sent no certificate", err);
    return finish(h, SSL_get_verify_result(conn->ssl), err);
}

/* Ends with a read-only handle of a certificate that stays the connection's; 0 for NULL. */
static int64_t finish_cert(fssl_handle h, X509 *x509, int32_t *err)
{
    if (!x509)
        return finish(h, 0, err);
    if (!X509_up_ref(x509))
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_handle(h, cert_wrap(x509, true), err);
}

int64_t fssl_conn_certificate(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_cert(h, SSL_get_certificate(conn->ssl), err);
}

int64_t fssl_conn_peer_certificate(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_cert(h, SSL_get0_peer_certificate(conn->ssl), err);
}

/* OpenSSL keeps a client's own certificate out of the chain that its server sees. */
static int peer_extra(const struct conn *conn)
{
    return conn->server && SSL_get0_peer_certificate(conn->ssl) ? 1 : 0;
}

static int64_t peer_count(const struct conn *conn)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(conn->ssl);

    return peer_extra(conn) + (chain ? sk_X509_num(chain) : 0);
}

int64_t fssl_conn_peer_chain_count(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish(h, peer_count(conn), err);
}

int64_t fssl_conn_peer_chain_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct conn *conn;
    int extra;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (i < 0 || i >= peer_count(conn))
        return refuse(h, "i", err);
    extra = peer_extra(conn);
    if (i < extra)
        return finish_cert(h, SSL_get0_peer_certificate(conn->ssl), err);
    return finish_cert(h, sk_X509_value(SSL_get_peer_cert_chain(conn->ssl), (int)i - extra), err);
}

/* The chain that OpenSSL built, if the verification succeeded. */
static STACK_OF(X509) *verified_chain(const struct conn *conn)
{
    if (SSL_get_verify_result(conn->ssl) != X509_V_OK)
        return NULL;
    return SSL_get0_verified_chain(conn->ssl);
}

int64_t fssl_conn_verified_chain_count(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    STACK_OF(X509) *chain;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    chain = verified_chain(conn);
    return finish(h, chain ? sk_X509_num(chain) : 0, err);
}

int64_t fssl_conn_verified_chain_item(fssl_handle h, int64_t i, int32_t *err)
{
    struct conn *conn;
    STACK_OF(X509) *chain;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    chain = verified_chain(conn);
    if (!chain || i < 0 || i >= sk_X509_num(chain))
        return refuse(h, "i", err);
    return finish_cert(h, sk_X509_value(chain, (int)i), err);
}
