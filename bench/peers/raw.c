/* OpenSSL alone, as a good C program uses it: contexts kept, no callback, BIOs in memory. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "engine.h"

struct end {
    SSL *ssl;
};

static SSL_SESSION *sessions[2]; /* of TLS 1.2 and 1.3 */

static void use(SSL_CTX *ctx, const char *file)
{
    must(SSL_CTX_use_certificate_chain_file(ctx, file_path(file)) == 1 &&
             SSL_CTX_use_PrivateKey_file(ctx, file_path(file), SSL_FILETYPE_PEM) == 1,
         file);
}

static void verify(SSL_CTX *ctx, int mode)
{
    must(SSL_CTX_load_verify_locations(ctx, file_path("ca.pem"), NULL) == 1, "ca.pem");
    SSL_CTX_set_verify(ctx, mode, NULL);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
}

static SSL_CTX *context_make(bool server, const struct plan *plan)
{
    OSSL_LIB_CTX *library = plan->apart ? OSSL_LIB_CTX_new() : NULL;
    SSL_CTX *ctx =
        SSL_CTX_new_ex(library, NULL, server ? TLS_server_method() : TLS_client_method());
    int number = plan->version == 12 ? TLS1_2_VERSION : TLS1_3_VERSION;

    must(ctx && SSL_CTX_set_min_proto_version(ctx, number) &&
             SSL_CTX_set_max_proto_version(ctx, number) &&
             SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") &&
             SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256") &&
             SSL_CTX_set1_groups_list(ctx, "X25519:P-256"), /* TLS 1.2 needs the certificate's */
         "a context");
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"bench", 5);
    if (server)
        use(ctx, "server.pem");
    else if (plan->mutual)
        use(ctx, "client.pem");
    if (!server)
        verify(ctx, SSL_VERIFY_PEER);
    else if (plan->mutual)
        verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    return ctx;
}

/* Makes each context once, before threads need it. */
static SSL_CTX *context_of(bool server, const struct plan *plan)
{
    static SSL_CTX *made[2][2][APART_MAX + 1][2];
    SSL_CTX **at = &made[plan->version == 13][plan->mutual][plan->apart][server];

    if (!*at)
        *at = context_make(server, plan);
    return *at;
}

bool engine_can(const struct plan *plan)
{
    return !plan->coalesced;
}

bool engine_trust(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool done = SSL_CTX_set_default_verify_paths(ctx) == 1;

    SSL_CTX_free(ctx);
    return done;
}

/* ---- ends ---- */

struct end *end_new(bool server, const struct plan *plan, int fd)
{
    SSL *ssl = SSL_new(context_of(server, plan));

    must(ssl, "SSL_new");
    if (plan->thrifty)
        SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_set_read_ahead(ssl, plan->read_ahead);
    if (fd >= 0)
        SSL_set_fd(ssl, fd);
    else
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (server) {
        SSL_set_accept_state(ssl);
        return (struct end *)(void *)ssl;
    }
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, "localhost");
    X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), "localhost", 0);
    if (plan->resumed && sessions[plan->version == 13])
        SSL_set_session(ssl, sessions[plan->version == 13]);
    return (struct end *)(void *)ssl;
}

static SSL *ssl_of(struct end *end)
{
    return (SSL *)(void *)end;
}

void end_free(struct end *end)
{
    SSL_set_shutdown(ssl_of(end), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_of(end));
}

void end_remember(struct end *end)
{
    SSL_SESSION **session = &sessions[SSL_version(ssl_of(end)) == TLS1_3_VERSION];

    SSL_SESSION_free(*session);
    *session = SSL_get1_session(ssl_of(end));
}

bool end_resumed(struct end *end)
{
    return SSL_session_reused(ssl_of(end)) == 1;
}

bool end_as_agreed(struct end *end)
{
    bool new = SSL_version(ssl_of(end)) == TLS1_3_VERSION;
    const char *cipher = SSL_get_cipher_name(ssl_of(end));

    return !strcmp(cipher, new ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256") &&
           (end_resumed(end) || SSL_get_negotiated_group(ssl_of(end)) == NID_X25519);
}

/* Returns whether something was done; stops at what is no mere wish to wait. */
static bool went_on(struct end *end, int answer)
{
    int error = answer > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_of(end), answer);

    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        ERR_print_errors_fp(stderr);
    must(error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE,
         "OpenSSL");
    return answer > 0;
}

bool end_handshake(struct end *end)
{
    return went_on(end, SSL_do_handshake(ssl_of(end)));
}

long end_send(struct end *end, const uint8_t *data, long len)
{
    size_t done = 0;

    went_on(end, SSL_write_ex(ssl_of(end), data, (size_t)len, &done));
    return (long)done;
}

long end_recv(struct end *end, uint8_t *buf, long cap)
{
    size_t done = 0;

    went_on(end, SSL_read_ex(ssl_of(end), buf, (size_t)cap, &done));
    return (long)done;
}

void end_flush(struct end *end)
{
    (void)end;
}

/* ---- memory ---- */

static long end_rest(struct end *end, uint8_t *out)
{
    int got = BIO_read(SSL_get_wbio(ssl_of(end)), out, PACKET);

    return got > 0 ? got : 0;
}

static void feed(struct end *end, const uint8_t *in, long in_len)
{
    if (in_len > 0)
        must(BIO_write(SSL_get_rbio(ssl_of(end)), in, (int)in_len) == in_len, "BIO_write");
}

long end_shake(struct end *end, const uint8_t *in, long in_len, uint8_t *out, bool *done)
{
    feed(end, in, in_len);
    *done = end_handshake(end);
    return end_rest(end, out);
}

long end_seal(struct end *end, const uint8_t *data, long len, long *sent, uint8_t *out)
{
    *sent = end_send(end, data, len);
    return end_rest(end, out);
}

long end_open(struct end *end, const uint8_t *in, long in_len, uint8_t *plain, long cap)
{
    feed(end, in, in_len);
    return end_recv(end, plain, cap);
}
