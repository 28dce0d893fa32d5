/* Contexts: making them, and what they set for their connections' protocol. Certificates and keys
   are in ctx_credential.c, trust and verification in ctx_trust.c. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

enum {
    SESSION_ID_CONTEXT = 32,
    ALWAYS_MODE = 0x3,
    KNOWN_MODES = FSSL_MODE_ENABLE_PARTIAL_WRITE | FSSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                  FSSL_MODE_AUTO_RETRY | FSSL_MODE_NO_AUTO_CHAIN | FSSL_MODE_RELEASE_BUFFERS |
                  SSL_MODE_SEND_FALLBACK_SCSV,
    REMEMBERED = 256,     /* sessions of a safe client */
    SESSION_SECONDS = 300 /* what the seed promises; OpenSSL's own default is 7,200 */
};

#define PIN(name, value) _Static_assert((int64_t)(name) == (int64_t)(value), #name)
PIN(FSSL_OP_LEGACY_SERVER_CONNECT, SSL_OP_LEGACY_SERVER_CONNECT);
PIN(FSSL_OP_IGNORE_UNEXPECTED_EOF, SSL_OP_IGNORE_UNEXPECTED_EOF);
PIN(FSSL_OP_ALLOW_CLIENT_RENEGOTIATION, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
PIN(FSSL_OP_DONT_INSERT_EMPTY_FRAGMENTS, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
PIN(FSSL_OP_NO_QUERY_MTU, SSL_OP_NO_QUERY_MTU);
PIN(FSSL_OP_COOKIE_EXCHANGE, SSL_OP_COOKIE_EXCHANGE);
PIN(FSSL_OP_NO_TICKET, SSL_OP_NO_TICKET);
PIN(FSSL_OP_NO_COMPRESSION, SSL_OP_NO_COMPRESSION);
PIN(FSSL_OP_NO_ENCRYPT_THEN_MAC, SSL_OP_NO_ENCRYPT_THEN_MAC);
PIN(FSSL_OP_PRIORITIZE_CHACHA, SSL_OP_PRIORITIZE_CHACHA);
PIN(FSSL_OP_CIPHER_SERVER_PREFERENCE, SSL_OP_CIPHER_SERVER_PREFERENCE);
PIN(FSSL_OP_TLS_ROLLBACK_BUG, SSL_OP_TLS_ROLLBACK_BUG);
PIN(FSSL_OP_NO_SSLV3, SSL_OP_NO_SSLv3);
PIN(FSSL_OP_NO_TLSV1, SSL_OP_NO_TLSv1);
PIN(FSSL_OP_NO_TLSV1_1, SSL_OP_NO_TLSv1_1);
PIN(FSSL_OP_NO_TLSV1_2, SSL_OP_NO_TLSv1_2);
PIN(FSSL_OP_NO_TLSV1_3, SSL_OP_NO_TLSv1_3);
PIN(FSSL_OP_NO_RENEGOTIATION, SSL_OP_NO_RENEGOTIATION);
PIN(FSSL_MODE_ENABLE_PARTIAL_WRITE, SSL_MODE_ENABLE_PARTIAL_WRITE);
PIN(FSSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
PIN(FSSL_MODE_AUTO_RETRY, SSL_MODE_AUTO_RETRY);
PIN(FSSL_MODE_NO_AUTO_CHAIN, SSL_MODE_NO_AUTO_CHAIN);
PIN(FSSL_MODE_RELEASE_BUFFERS, SSL_MODE_RELEASE_BUFFERS);
PIN(FSSL_SESS_CACHE_BOTH, SSL_SESS_CACHE_BOTH);
PIN(FSSL_SESS_CACHE_NO_AUTO_CLEAR, SSL_SESS_CACHE_NO_AUTO_CLEAR);
PIN(FSSL_SESS_CACHE_NO_INTERNAL, SSL_SESS_CACHE_NO_INTERNAL);
PIN(FSSL_TLS1_VERSION, TLS1_VERSION);
PIN(FSSL_TLS1_3_VERSION, TLS1_3_VERSION);
PIN(FSSL_DTLS1_VERSION, DTLS1_VERSION);
PIN(FSSL_DTLS1_2_VERSION, DTLS1_2_VERSION);
PIN(FSSL_FILETYPE_PEM, SSL_FILETYPE_PEM);
PIN(FSSL_FILETYPE_ASN1, SSL_FILETYPE_ASN1);

/* Every bit that OpenSSL 3.0 knows. */
static const uint64_t known_options =
    SSL_OP_NO_EXTENDED_MASTER_SECRET | SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_LEGACY_SERVER_CONNECT |
    SSL_OP_ENABLE_KTLS | SSL_OP_TLSEXT_PADDING | SSL_OP_SAFARI_ECDHE_ECDSA_BUG |
    SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_CLIENT_RENEGOTIATION |
    SSL_OP_DISABLE_TLSEXT_CA_NAMES | SSL_OP_ALLOW_NO_DHE_KEX | SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS |
    SSL_OP_NO_QUERY_MTU | SSL_OP_COOKIE_EXCHANGE | SSL_OP_NO_TICKET | SSL_OP_CISCO_ANYCONNECT |
    SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
    SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_NO_ENCRYPT_THEN_MAC |
    SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CIPHER_SERVER_PREFERENCE |
    SSL_OP_TLS_ROLLBACK_BUG | SSL_OP_NO_ANTI_REPLAY | SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 |
    SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_3 | SSL_OP_NO_DTLSv1 |
    SSL_OP_NO_RENEGOTIATION | SSL_OP_CRYPTOPRO_TLSEXT_BUG;

struct method {
    const SSL_METHOD *(*make)(void);
    int version; /* both ends pinned, 0 for any */
    bool client;
    bool server;
    bool dtls;
};

static const struct method methods[] = {
    [FSSL_SSLV23_METHOD] = {TLS_method, 0, false, false, false},
    [FSSL_TLSV1_METHOD] = {TLS_method, TLS1_VERSION, false, false, false},
    [FSSL_TLSV1_1_METHOD] = {TLS_method, TLS1_1_VERSION, false, false, false},
    [FSSL_TLSV1_2_METHOD] = {TLS_method, TLS1_2_VERSION, false, false, false},
    [FSSL_TLS_METHOD] = {TLS_method, 0, false, false, false},
    [FSSL_TLS_SERVER_METHOD] = {TLS_server_method, 0, false, true, false},
    [FSSL_TLS_CLIENT_METHOD] = {TLS_client_method, 0, true, false, false},
    [FSSL_DTLS_METHOD] = {DTLS_method, 0, false, false, true},
    [FSSL_DTLS_SERVER_METHOD] = {DTLS_server_method, 0, false, true, true},
    [FSSL_DTLS_CLIENT_METHOD] = {DTLS_client_method, 0, true, false, true},
};

void ctx_free(struct object *object)
{
    struct ctx *ctx = (struct ctx *)object;

    SSL_CTX_free(ctx->ssl);
    settings_drop(ctx->settings);
    for (int i = FSSL_QUEUE_KEYLOG; i <= FSSL_QUEUE_INFO; i++)
        queue_free(&ctx->queue[i]);
    memory_free(&ctx->memory);
    blob_drop(ctx->passphrase);
}

/* Tells whether there is such a method, FSSL_SAFE with it or not: FSSL_OK, or the code that says
   why not. */
int32_t method_code(int32_t method)
{
    int32_t bare = method & ~FSSL_SAFE;

    if (bare < FSSL_SSLV2_METHOD || bare > FSSL_DTLS_CLIENT_METHOD)
        return FSSL_E_ARGUMENT;
    if (method != bare && !methods[bare].client && !methods[bare].server)
        return FSSL_E_ARGUMENT;
    return methods[bare].make ? FSSL_OK : FSSL_E_UNSUPPORTED;
}

static bool ctx_start(struct ctx *ctx, const struct method *method, OSSL_LIB_CTX *library)
{
    uint8_t id[SESSION_ID_CONTEXT];

    for (int i = FSSL_QUEUE_KEYLOG; i <= FSSL_QUEUE_INFO; i++)
        queue_start(&ctx->queue[i]);
    memory_start(&ctx->memory);
    ctx->ssl = SSL_CTX_new_ex(library, NULL, method->make());
    ctx->settings = settings_new();
    if (!ctx->ssl || !ctx->settings || RAND_bytes(id, sizeof id) != 1)
        return false;
    ctx->dtls = method->dtls;
    ctx->client = method->client;
    ctx->server = method->server;
    SSL_CTX_clear_mode(ctx->ssl, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(ctx->ssl, ALWAYS_MODE);
    ctx->mode = ALWAYS_MODE;
    SSL_CTX_set_timeout(ctx->ssl, SESSION_SECONDS);
    install_trampolines(ctx->ssl);
    if (method->dtls)
        SSL_CTX_set_options(ctx->ssl, SSL_OP_NO_RENEGOTIATION);
    if (method->version && (!SSL_CTX_set_min_proto_version(ctx->ssl, method->version) ||
                            !SSL_CTX_set_max_proto_version(ctx->ssl, method->version)))
        return false;
    return SSL_CTX_set_session_id_context(ctx->ssl, id, sizeof id) == 1;
}

/* Where a cipher is no AEAD, OpenSSL 3 ends a connection of DTLS over one forged record. */
#define DTLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:AESGCM:CHACHA20:AESCCM:!aNULL"

/* Sets by code all that the system's openssl.cnf could set otherwise. */
static bool ctx_set_safe(SSL_CTX *ssl, bool dtls)
{
    SSL_CTX_clear_options(ssl, SSL_CTX_get_options(ssl));
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_security_level(ssl, 2);
    if (!SSL_CTX_set_min_proto_version(ssl, dtls ? DTLS1_2_VERSION : TLS1_2_VERSION) ||
        !SSL_CTX_set_max_proto_version(ssl, 0) ||
        !SSL_CTX_set_cipher_list(ssl, dtls ? DTLS_CIPHERS : OSSL_default_cipher_list()) ||
        !SSL_CTX_set_ciphersuites(ssl, OSSL_default_ciphersuites()))
        return false;
    if (!SSL_CTX_set1_groups_list(ssl, "X25519MLKEM768:X25519:P-256:X448:P-384:P-521") &&
        !SSL_CTX_set1_groups_list(ssl, "X25519:P-256:X448:P-384:P-521"))
        return false;
    return SSL_CTX_set1_sigalgs_list(
               ssl, "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:RSA-PSS+SHA256:"
                    "RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512") == 1;
}

/* The flags with which OpenSSL agrees most with public certificate test vectors. */
static void ctx_set_strict(SSL_CTX *ssl)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl);

    X509_VERIFY_PARAM_set_hostflags(param, HOST_FLAGS);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
}

/* What a safe context is beyond its method. */
static bool ctx_start_safe(struct ctx *ctx)
{
    if (!ctx_set_safe(ctx->ssl, ctx->dtls))
        return false;
    ctx_set_strict(ctx->ssl);
    ctx->settings->safe = true;
    if (ctx->server)
        return true;
    SSL_CTX_set_verify(ctx->ssl, SSL_VERIFY_PEER, SSL_CTX_get_verify_callback(ctx->ssl));
    ctx->memory.capacity = ctx->dtls ? 0 : REMEMBERED;
    return ctx_trust_system(ctx);
}

/* Makes a context of a method that method_code knows. Its OpenSSL objects belong to a library
   context: NULL is the process's own. */
struct ctx *ctx_make(int32_t method, OSSL_LIB_CTX *library)
{
    struct ctx *ctx = object_new(KIND_CTX, sizeof *ctx);

    if (ctx && ctx_start(ctx, &methods[method & ~FSSL_SAFE], library) &&
        (!(method & FSSL_SAFE) || ctx_start_safe(ctx)))
        return ctx;
    object_drop(ctx);
    return NULL;
}

int64_t fssl_ctx_new(int32_t method, int32_t *err)
{
    int32_t code = method_code(method);

    start();
    if (code == FSSL_E_ARGUMENT || (method & FSSL_SAFE))
        return refuse(0, "method", err);
    if (code)
        return fail_at(0, code, __func__, "unsupported protocol", NULL, err);
    return finish_handle(0, ctx_make(method, NULL), err);
}

int64_t fssl_ctx_new_client(int32_t *err)
{
    start();
    return finish_handle(0, ctx_make(FSSL_SAFE | FSSL_TLS_CLIENT_METHOD, NULL), err);
}

int64_t fssl_ctx_new_server(int32_t *err)
{
    start();
    return finish_handle(0, ctx_make(FSSL_SAFE | FSSL_TLS_SERVER_METHOD, NULL), err);
}

int64_t fssl_ctx_new_dtls_client(int32_t *err)
{
    start();
    return finish_handle(0, ctx_make(FSSL_SAFE | FSSL_DTLS_CLIENT_METHOD, NULL), err);
}

int64_t fssl_ctx_new_dtls_server(int32_t *err)
{
    start();
    return finish_handle(0, ctx_make(FSSL_SAFE | FSSL_DTLS_SERVER_METHOD, NULL), err);
}

/* Returns the block of settings to change: the current one while only the context holds it, else
   a copy that takes its place. NULL if memory ran out. */
struct settings *ctx_change(struct ctx *ctx)
{
    struct settings *copy;

    if (atomic_load_explicit(&ctx->settings->refs, memory_order_acquire) == 1)
        return ctx->settings;
    copy = settings_copy(ctx->settings);
    if (!copy)
        return NULL;
    settings_drop(ctx->settings);
    ctx->settings = copy;
    return copy;
}

/* Gives a connection what was changed after the context came into use. */
bool settings_apply(const struct settings *settings, SSL *ssl)
{
    if (settings->cipher_list &&
        !SSL_set_cipher_list(ssl, (const char *)settings->cipher_list->data))
        return false;
    if (settings->ciphersuites &&
        !SSL_set_ciphersuites(ssl, (const char *)settings->ciphersuites->data))
        return false;
    if (settings->extra_chain && !SSL_set1_chain(ssl, settings->extra_chain))
        return false;
    if (settings->client_cas) {
        STACK_OF(X509_NAME) *names = SSL_dup_CA_list(settings->client_cas);

        if (!names)
            return false;
        SSL_set_client_CA_list(ssl, names);
    }
    install_on(ssl, settings);
    if (settings->psk_required) { /* a ticket would stand for a key that was never shown */
        SSL_set_num_tickets(ssl, 0);
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
    }
    return !settings->trust || (SSL_set1_verify_cert_store(ssl, settings->trust) &&
                                SSL_set1_chain_cert_store(ssl, settings->trust));
}

/* Makes the SSL of a new connection and holds the settings it goes by. The context is locked. */
SSL *ctx_make_ssl(struct ctx *ctx, struct settings **settings)
{
    SSL *ssl = SSL_new(ctx->ssl);

    if (!ssl)
        return NULL;
    if (!settings_apply(ctx->settings, ssl)) {
        SSL_free(ssl);
        return NULL;
    }
    ctx->used = true;
    *settings = settings_hold(ctx->settings);
    return ssl;
}

int64_t fssl_ctx_set_app_data(fssl_handle h, int64_t data, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire_own(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    ctx->app_data = data;
    return finish_own(h, 0, err);
}

int64_t fssl_ctx_app_data(fssl_handle h, int64_t *data, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire_own(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!data)
        return refuse(h, "data", err);
    *data = ctx->app_data;
    return finish_own(h, 0, err);
}

/* ---- options and mode ---- */

/* Tells whether this OpenSSL has all of these option bits. */
bool options_known(int64_t options)
{
    return options >= 0 && !((uint64_t)options & ~known_options);
}

int64_t fssl_ctx_set_options(fssl_handle h, int64_t options, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!options_known(options))
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "unknown option", "options", err);
    return finish(h, (int64_t)SSL_CTX_set_options(ctx->ssl, (uint64_t)options), err);
}

int64_t fssl_ctx_clear_options(fssl_handle h, int64_t options, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (options < 0)
        return refuse(h, "options", err);
    return finish(h, (int64_t)SSL_CTX_clear_options(ctx->ssl, (uint64_t)options), err);
}

int64_t fssl_ctx_options(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish(h, (int64_t)SSL_CTX_get_options(ctx->ssl), err);
}

int64_t fssl_ctx_option_value(int32_t which, int32_t *err)
{
    start();
    switch (which) {
    case FSSL_OPTION_ALL:
        return finish(0, (int64_t)SSL_OP_ALL, err);
    case FSSL_OPTION_CRYPTOPRO_TLSEXT_BUG:
        return finish(0, (int64_t)SSL_OP_CRYPTOPRO_TLSEXT_BUG, err);
    case FSSL_OPTION_ENABLE_KTLS:
        return finish(0, (int64_t)SSL_OP_ENABLE_KTLS, err);
    default:
        return refuse(0, "which", err);
    }
}

/* Brings the SSL_CTX to what the caller sees, but for what connections rely on. */
static int64_t ctx_use_mode(struct ctx *ctx, int64_t mode)
{
    long real = (long)(mode | ALWAYS_MODE) & ~(long)SSL_MODE_AUTO_RETRY;

    ctx->mode = mode | ALWAYS_MODE;
    SSL_CTX_clear_mode(ctx->ssl, ~real);
    SSL_CTX_set_mode(ctx->ssl, real);
    return ctx->mode;
}

int64_t fssl_ctx_set_mode(fssl_handle h, int64_t mode, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (mode < 0 || mode > INT32_MAX)
        return refuse(h, "mode", err);
    if (mode & ~KNOWN_MODES) /* SSL_MODE_ASYNC would run handshakes on stacks of their own */
        return fail_at(h, FSSL_E_UNSUPPORTED, __func__, "unknown mode", "mode", err);
    return finish(h, ctx_use_mode(ctx, ctx->mode | mode), err);
}

int64_t fssl_ctx_clear_mode(fssl_handle h, int64_t mode, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (mode < 0 || mode > INT32_MAX)
        return refuse(h, "mode", err);
    return finish(h, ctx_use_mode(ctx, ctx->mode & ~mode), err);
}

int64_t fssl_ctx_mode(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire_own(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    return finish_own(h, ctx->mode, err);
}
