/* What a handshake leaves behind: randoms, keys, finished messages. */
#include "internal.h"

#include <openssl/crypto.h>

enum { FINISHED_MAX = 64, EXPORT_MAX = 65536 };

int64_t fssl_conn_client_random(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    uint8_t random[SSL3_RANDOM_SIZE];
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!SSL_get_session(conn->ssl))
        return finish_bytes(h, NULL, 0, buf, cap, err);
    SSL_get_client_random(conn->ssl, random, sizeof random);
    return finish_bytes(h, random, sizeof random, buf, cap, err);
}

int64_t fssl_conn_server_random(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    uint8_t random[SSL3_RANDOM_SIZE];
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!SSL_get_session(conn->ssl))
        return finish_bytes(h, NULL, 0, buf, cap, err);
    SSL_get_server_random(conn->ssl, random, sizeof random);
    return finish_bytes(h, random, sizeof random, buf, cap, err);
}

int64_t fssl_conn_master_key(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    uint8_t key[SSL_MAX_MASTER_KEY_LENGTH];
    const SSL_SESSION *session;
    size_t len = 0;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    session = SSL_get_session(conn->ssl);
    if (session)
        len = SSL_SESSION_get_master_key(session, key, sizeof key);
    failed = finish_bytes(h, key, (int64_t)len, buf, cap, err);
    OPENSSL_cleanse(key, sizeof key);
    return failed;
}

int64_t fssl_conn_finished(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    uint8_t message[FINISHED_MAX];
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_bytes(h, message, (int64_t)SSL_get_finished(conn->ssl, message, sizeof message),
                        buf, cap, err);
}

int64_t fssl_conn_peer_finished(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    uint8_t message[FINISHED_MAX];
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_bytes(h, message,
                        (int64_t)SSL_get_peer_finished(conn->ssl, message, sizeof message), buf,
                        cap, err);
}

static int export_key(struct conn *conn, uint8_t *out, int64_t len, const char *label,
                      const uint8_t *context, int64_t context_len)
{
    return SSL_export_keying_material(conn->ssl, out, (size_t)len, label, strlen(label), context,
                                      (size_t)context_len, context != NULL);
}

int64_t fssl_conn_export_keying_material(fssl_handle h, const char *label, int64_t label_len,
                                         const uint8_t *context, int64_t context_len, uint8_t *buf,
                                         int64_t len, int32_t *err)
{
    struct conn *conn;
    char *text;
    int ok;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (!buf || len < 1 || len > EXPORT_MAX)
        return refuse(h, "buf", err);
    if (!bytes_given(context, context_len))
        return refuse(h, "context", err);
    if (!conn->established)
        return refuse_state(h, "the handshake has not ended", err);
    failed = take_text(h, "label", label, label_len, &text, err);
    if (failed)
        return failed;
    ok = export_key(conn, buf, len, text, context, context_len);
    OPENSSL_free(text);
    return ok == 1 ? finish(h, len, err) : fail(h, FSSL_E_OPENSSL, err);
}
