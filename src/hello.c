/* The client hello: what OpenSSL calls back with it, and what is read of it while the question
   about it is open.

   Everything that depends on the server name happens here, before OpenSSL looks for a session to
   resume: so a session is looked for under the policy of the context that the name leads to. In
   OpenSSL's own server name callback it would be too late (nginx CVE-2025-23419). */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

enum {
    EXT_SERVER_NAME = 0,
    EXT_GROUPS = 10,
    EXT_SIGNATURE_ALGORITHMS = 13,
    EXT_ALPN = 16,
    EXT_SUPPORTED_VERSIONS = 43,
    NAME_HEADER = 5,    /* list length, type, name length */
    HELLO_MAX = 1 << 18 /* twice what OpenSSL lets through */
};

/* Finds the name in a server_name extension with just one host name, as RFC 6066 has it. */
static bool name_in(const uint8_t *ext, size_t len, const uint8_t **name, size_t *name_len)
{
    if (len < NAME_HEADER || ext[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    *name_len = (size_t)ext[3] << 8 | ext[4];
    *name = ext + NAME_HEADER;
    return *name_len > 0 && *name_len <= len - NAME_HEADER &&
           *name_len <= TLSEXT_MAXLEN_host_name && !memchr(*name, '\0', *name_len);
}

/* Keeps the client's server name for those who ask before OpenSSL would tell. */
static bool keep_name(struct conn *conn)
{
    const uint8_t *ext, *name;
    size_t len, name_len;

    OPENSSL_free(conn->hello_name);
    conn->hello_name = NULL;
    if (!SSL_client_hello_get0_ext(conn->ssl, EXT_SERVER_NAME, &ext, &len) ||
        !name_in(ext, len, &name, &name_len))
        return true;
    conn->hello_name = OPENSSL_strndup((const char *)name, name_len);
    return conn->hello_name != NULL;
}

static bool offers_tls13(SSL *ssl)
{
    int highest = (int)SSL_get_max_proto_version(ssl);
    const uint8_t *ext;
    size_t len;

    if (SSL_is_dtls(ssl) || (highest && highest < TLS1_3_VERSION) ||
        (SSL_get_options(ssl) & SSL_OP_NO_TLSv1_3))
        return false;
    if (!SSL_client_hello_get0_ext(ssl, EXT_SUPPORTED_VERSIONS, &ext, &len))
        return false;
    for (size_t i = 1; i + 1 < len; i += 2) {
        if (ext[i] == TLS1_3_VERSION >> 8 && ext[i + 1] == (TLS1_3_VERSION & 0xff))
            return true;
    }
    return false;
}

/* Where the verdict on a client comes after the handshake, so must its tickets: those of TLS 1.3
   can be put off, those of TLS 1.2 only be left out. Which it will be is known once the question
   about the hello, which may change versions and context, is answered. */
static void hold_tickets(struct conn *conn)
{
    struct inquiry *inquiry = conn->inquiry;

    if (!inquiry || !(inquiry->mask & FSSL_ASK_VERIFY))
        return;
    if (offers_tls13(conn->ssl)) {
        inquiry->tickets_due += (int)SSL_get_num_tickets(conn->ssl);
        SSL_set_num_tickets(conn->ssl, 0);
    } else {
        SSL_set_options(conn->ssl, SSL_OP_NO_TICKET);
    }
}

static int hello_first(struct conn *conn)
{
    conn->hello_seen = true;
    if (!keep_name(conn))
        return SSL_CLIENT_HELLO_ERROR;
    if (!server_name_decide(conn))
        return SSL_CLIENT_HELLO_ERROR;
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* OpenSSL's client hello callback. It comes again after an answer and a HelloRetryRequest. */
int client_hello(SSL *ssl, int *alert, void *unused)
{
    struct conn *conn = conn_of(ssl);

    (void)unused;
    *alert = SSL_AD_INTERNAL_ERROR;
    if (!conn->hello_seen && hello_first(conn) != SSL_CLIENT_HELLO_SUCCESS)
        return SSL_CLIENT_HELLO_ERROR;
    switch (question_client_hello(conn, alert)) {
    case 1:
        hold_tickets(conn);
        return srtp_use(conn) ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
    case 0:
        return SSL_CLIENT_HELLO_ERROR;
    default:
        return SSL_CLIENT_HELLO_RETRY;
    }
}

/* ---- reading it ---- */

int64_t fssl_conn_hello_ext(fssl_handle h, int32_t type, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const uint8_t *ext;
    size_t len;
    int64_t failed = acquire_asking(h, FSSL_ASK_CLIENT_HELLO, &conn, err);

    if (failed)
        return failed;
    if (type < 0 || !SSL_client_hello_get0_ext(conn->ssl, (unsigned int)type, &ext, &len))
        return refuse(h, "type", err);
    return finish_bytes(h, ext, (int64_t)len, buf, cap, err);
}

/* Finds an extension's list behind a length of `header` bytes; none if it is not there. */
static size_t ext_list(SSL *ssl, unsigned int type, size_t header, const uint8_t **list)
{
    size_t len;

    if (!SSL_client_hello_get0_ext(ssl, type, list, &len) || len < header)
        return 0;
    *list += header;
    return len - header;
}

static int64_t finish_versions(fssl_handle h, SSL *ssl, uint8_t *buf, int64_t cap, int32_t *err)
{
    unsigned int legacy = SSL_client_hello_get0_legacy_version(ssl);
    uint8_t only[2] = {(uint8_t)(legacy >> 8), (uint8_t)legacy};
    const uint8_t *list;
    size_t len = ext_list(ssl, EXT_SUPPORTED_VERSIONS, 1, &list);

    if (len == 0)
        return finish_bytes(h, only, sizeof only, buf, cap, err);
    return finish_bytes(h, list, (int64_t)len, buf, cap, err);
}

/* Writes the types of the extensions, in the client's order. */
static int64_t finish_types(fssl_handle h, SSL *ssl, uint8_t *buf, int64_t cap, int32_t *err)
{
    uint8_t types[512];
    size_t count, len = 0;
    int *present;

    if (SSL_client_hello_get1_extensions_present(ssl, &present, &count) != 1)
        return fail(h, FSSL_E_OPENSSL, err);
    for (size_t i = 0; i < count && len < sizeof types; i++) {
        types[len++] = (uint8_t)(present[i] >> 8);
        types[len++] = (uint8_t)present[i];
    }
    OPENSSL_free(present);
    return finish_bytes(h, types, (int64_t)len, buf, cap, err);
}

/* Writes the hello anew: OpenSSL keeps its parts, but no extension that it does not know. */
static size_t raw_put(uint8_t *raw, size_t at, const uint8_t *data, size_t len, int prefix)
{
    for (int i = prefix; i > 0; i--)
        raw[at++] = (uint8_t)(len >> 8 * (i - 1));
    if (len > 0)
        memcpy(raw + at, data, len);
    return at + len;
}

static size_t raw_extensions(SSL *ssl, uint8_t *raw, size_t at)
{
    size_t count, len, start = at + 2;
    const uint8_t *data;
    int *present;

    if (SSL_client_hello_get1_extensions_present(ssl, &present, &count) != 1 || count == 0)
        return at;
    at = start;
    for (size_t i = 0; i < count; i++) {
        SSL_client_hello_get0_ext(ssl, (unsigned int)present[i], &data, &len);
        raw[at++] = (uint8_t)(present[i] >> 8);
        raw[at++] = (uint8_t)present[i];
        at = raw_put(raw, at, data, len, 2);
    }
    OPENSSL_free(present);
    raw[start - 2] = (uint8_t)((at - start) >> 8);
    raw[start - 1] = (uint8_t)(at - start);
    return at;
}

static int64_t finish_raw(fssl_handle h, SSL *ssl, uint8_t *buf, int64_t cap, int32_t *err)
{
    unsigned int version = SSL_client_hello_get0_legacy_version(ssl);
    uint8_t *raw = OPENSSL_malloc(HELLO_MAX);
    const uint8_t *data;
    size_t at = 0, len;
    int64_t result;

    if (!raw)
        return fail(h, FSSL_E_MEMORY, err);
    raw[at++] = (uint8_t)(version >> 8);
    raw[at++] = (uint8_t)version;
    len = SSL_client_hello_get0_random(ssl, &data);
    at = raw_put(raw, at, data, len, 0);
    len = SSL_client_hello_get0_session_id(ssl, &data);
    at = raw_put(raw, at, data, len, 1);
    len = SSL_client_hello_get0_ciphers(ssl, &data);
    at = raw_put(raw, at, data, len, 2);
    len = SSL_client_hello_get0_compression_methods(ssl, &data);
    at = raw_put(raw, at, data, len, 1);
    at = raw_extensions(ssl, raw, at);
    result = finish_bytes(h, raw, (int64_t)at, buf, cap, err);
    OPENSSL_free(raw);
    return result;
}

/* Finds a part that lies in the hello as it is asked for. False for another. */
static bool hello_part(SSL *ssl, int32_t part, const uint8_t **data, size_t *len)
{
    switch (part) {
    case FSSL_HELLO_RANDOM:
        *len = SSL_client_hello_get0_random(ssl, data);
        return true;
    case FSSL_HELLO_SESSION_ID:
        *len = SSL_client_hello_get0_session_id(ssl, data);
        return true;
    case FSSL_HELLO_CIPHERS:
        *len = SSL_client_hello_get0_ciphers(ssl, data);
        return true;
    case FSSL_HELLO_ALPN:
        *len = ext_list(ssl, EXT_ALPN, 2, data);
        return true;
    case FSSL_HELLO_GROUPS:
        *len = ext_list(ssl, EXT_GROUPS, 2, data);
        return true;
    case FSSL_HELLO_SIGNATURE_ALGORITHMS:
        *len = ext_list(ssl, EXT_SIGNATURE_ALGORITHMS, 2, data);
        return true;
    default:
        return false;
    }
}

int64_t fssl_conn_hello_bytes(fssl_handle h, int32_t part, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const uint8_t *data = NULL;
    size_t len = 0;
    int64_t failed = acquire_asking(h, FSSL_ASK_CLIENT_HELLO, &conn, err);

    if (failed)
        return failed;
    if (hello_part(conn->ssl, part, &data, &len))
        return finish_bytes(h, data, (int64_t)len, buf, cap, err);
    switch (part) {
    case FSSL_HELLO_VERSIONS:
        return finish_versions(h, conn->ssl, buf, cap, err);
    case FSSL_HELLO_EXTENSIONS:
        return finish_types(h, conn->ssl, buf, cap, err);
    case FSSL_HELLO_RAW:
        return finish_raw(h, conn->ssl, buf, cap, err);
    default:
        return refuse(h, "part", err);
    }
}
