/* Whom a client expects, and the checks that a peer must pass before a byte is exchanged.

   OpenSSL checks chain and host during the handshake. flatssl looks again when it has ended: 3.0
   skips its host check when an allocation fails at the wrong place, and "verified" must mean that
   the result is OK and that there is a certificate at all. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { SHA256_SIZE = 32 };

/* Makes OpenSSL check a host. It would check a name and an address both, so the one that is not
   meant any more is taken back. */
static bool param_use_host(struct conn *conn, const char *host, bool ip)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(conn->ssl);

    X509_VERIFY_PARAM_set_hostflags(param, HOST_FLAGS);
    if (!ip)
        return X509_VERIFY_PARAM_set1_ip(param, NULL, 0) == 1 &&
               X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
               SSL_set_tlsext_host_name(conn->ssl, host) == 1;
    if (conn->host && !conn->host_is_ip && SSL_set_tlsext_host_name(conn->ssl, NULL) != 1)
        return false;
    return X509_VERIFY_PARAM_set1_host(param, NULL, 0) == 1 &&
           X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
}

/* Sets the host that a client expects, and sends and checks. Returns a code. */
int32_t conn_use_host(struct conn *conn, const char *host)
{
    char *prepared = OPENSSL_strdup(host);
    int32_t code = FSSL_OK;
    bool ip;

    if (!prepared)
        return FSSL_E_MEMORY;
    if (!host_prepare(prepared, &ip))
        code = FSSL_E_ARGUMENT;
    else if (!param_use_host(conn, prepared, ip))
        code = FSSL_E_MEMORY;
    if (code) {
        OPENSSL_free(prepared);
        return code;
    }
    OPENSSL_free(conn->host);
    conn->host = prepared;
    conn->host_is_ip = ip;
    return FSSL_OK;
}

/* Takes a host back: nothing of it is checked or sent any more. */
void conn_forget_host(struct conn *conn)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(conn->ssl);

    X509_VERIFY_PARAM_set1_host(param, NULL, 0);
    X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
    if (!conn->host_is_ip)
        SSL_set_tlsext_host_name(conn->ssl, NULL);
    OPENSSL_free(conn->host);
    conn->host = NULL;
}

int64_t fssl_conn_set_host(fssl_handle h, const char *host, int64_t host_len, int32_t *err)
{
    struct conn *conn;
    char *text;
    int32_t code;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->epoch)
        return refuse_state(h, "the handshake has begun", err);
    failed = take_text(h, "host", host, host_len, &text, err);
    if (failed)
        return failed;
    code = conn_use_host(conn, text);
    OPENSSL_free(text);
    if (code)
        return fail_at(h, code, __func__, "cannot use the host", "host", err);
    return finish(h, 0, err);
}

int64_t fssl_conn_host(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    return finish_text(h, conn->host, buf, cap, err);
}

int64_t fssl_conn_set_server_name(fssl_handle h, const char *name, int64_t name_len, int32_t *err)
{
    struct conn *conn;
    char *text;
    bool fits, ok;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    failed = take_text(h, "name", name, name_len, &text, err);
    if (failed)
        return failed;
    fits = *text && strlen(text) <= TLSEXT_MAXLEN_host_name;
    ok = fits && SSL_set_tlsext_host_name(conn->ssl, text) == 1;
    OPENSSL_free(text);
    return fits ? finish_done(h, ok, err) : refuse(h, "name", err);
}

int64_t fssl_conn_server_name(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const char *name;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    name = SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name);
    return finish_text(h, name ? name : conn->hello_name, buf, cap, err);
}

/* ---- the checks after a handshake ---- */

static bool fault_verify(struct fault *fault, int32_t code, int32_t verify_code)
{
    fault_begin(fault, code);
    fault->verify_code = verify_code;
    fault_say(fault, "conn_verify_peer", X509_verify_cert_error_string(verify_code), NULL);
    return false;
}

static bool host_checked(struct conn *conn, X509 *cert, struct fault *fault)
{
    if (!conn->client || !conn->host || conn->host_waived ||
        cert_is_for(cert, conn->host, conn->host_is_ip) == 1)
        return true;
    return fault_verify(fault, FSSL_E_HOST,
                        conn->host_is_ip ? X509_V_ERR_IP_ADDRESS_MISMATCH
                                         : X509_V_ERR_HOSTNAME_MISMATCH);
}

static bool fault_peer(struct fault *fault, const char *why)
{
    fault_begin(fault, FSSL_E_VERIFY);
    fault->verify_code = X509_V_ERR_APPLICATION_VERIFICATION;
    fault_say(fault, "conn_verify_peer", why, NULL);
    return false;
}

static bool fault_callback(struct fault *fault, const char *callback)
{
    fault_begin(fault, FSSL_E_CALLBACK);
    fault_say(fault, "conn_verify_peer", "the callback failed", callback);
    return false;
}

static bool is_pin(const struct blob *pins, X509 *cert)
{
    uint8_t digest[SHA256_SIZE];
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL);

    OPENSSL_free(der);
    for (size_t at = 0; ok && at < pins->len; at += SHA256_SIZE) {
        if (memcmp(pins->data + at, digest, SHA256_SIZE) == 0)
            return true;
    }
    return false;
}

/* Tells whether a key of the peer is pinned: of the chain that was verified, or the peer's own. */
static bool pinned(const struct conn *conn)
{
    X509 *cert = SSL_get0_peer_certificate(conn->ssl);
    STACK_OF(X509) *chain =
        SSL_get_verify_result(conn->ssl) == X509_V_OK ? SSL_get0_verified_chain(conn->ssl) : NULL;

    for (int i = 0; chain && i < sk_X509_num(chain); i++) {
        if (is_pin(conn->settings->pins, sk_X509_value(chain, i)))
            return true;
    }
    return cert && is_pin(conn->settings->pins, cert);
}

/* Tells whether the peer passed all checks that the verify mode asks for; else fills the fault. */
bool conn_verify_peer(struct conn *conn, struct fault *fault)
{
    int mode = SSL_get_verify_mode(conn->ssl);
    long result = SSL_get_verify_result(conn->ssl);
    X509 *cert = SSL_get0_peer_certificate(conn->ssl);
    bool by_psk = conn->settings->psk && psk_used(conn->ssl);

    if (conn->refused_by)
        return fault_callback(fault, conn->refused_by);
    if (conn->settings->psk_required && !by_psk)
        return fault_peer(fault, "the peer did not use a pre-shared key");
    if (conn->settings->pins && !by_psk && !pinned(conn))
        return fault_peer(fault, "no key of the peer's chain is pinned");
    if (by_psk || !(mode & SSL_VERIFY_PEER))
        return true;
    if (conn->client && conn->settings->safe && !conn->host)
        return fault_peer(fault, "the peer did not use the pre-shared key, and no host is set");
    if (!cert && (conn->client || (mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT)))
        return fault_verify(fault, FSSL_E_VERIFY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT);
    if (!cert)
        return true;
    if (result != X509_V_OK)
        return fault_verify(fault, FSSL_E_VERIFY, (int32_t)result);
    return host_checked(conn, cert, fault);
}
