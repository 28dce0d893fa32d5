/* Pre-shared keys, pins and OCSP responses as data. */
#include <string.h>

#include <openssl/evp.h>

#include "builder.h"
#include "pair.h"

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};
static const uint8_t key[32] = {1, 2, 3};
static const uint8_t wrong[32] = {9, 9, 9};

static struct pair contexts(int32_t version)
{
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &(struct pair_plan){.version = version});
    return pair;
}

static void add(fssl_handle ctx, const char *identity, const uint8_t *secret)
{
    CHECK_OK(fssl_ctx_add_psk(ctx, identity, FSSL_NUL_TERMINATED, secret, sizeof key, &err));
}

/* A client without trust, certificate or host gets in by its key. */
static void by_key(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = contexts(versions[i]);

        add(pair.server_ctx, "another", wrong);
        add(pair.server_ctx, "me", key);
        add(pair.client_ctx, "me", key);
        CHECK_OK(fssl_ctx_require_psk(pair.client_ctx, 1, &err));
        CHECK_OK(fssl_ctx_require_psk(pair.server_ctx, 1, &err));
        /* the suite's hash must be the key's, which is SHA-256 */
        CHECK_OK(fssl_ctx_set_ciphersuites(pair.client_ctx, "TLS_AES_128_GCM_SHA256",
                                           FSSL_NUL_TERMINATED, &err));
        CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "PSK", FSSL_NUL_TERMINATED, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK(pair_handshake(&pair));
        CHECK_IS(0, fssl_conn_peer_certificate(pair.client, &err));
        CHECK(pair_transfer(&pair, pair.client, key, sizeof key));
        pair_close(&pair);
    }
}

static void wrong_key(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = contexts(versions[i]);
        int64_t code;

        add(pair.server_ctx, "me", key);
        add(pair.client_ctx, "me", wrong);
        CHECK_OK(fssl_ctx_set_ciphersuites(pair.client_ctx, "TLS_AES_128_GCM_SHA256",
                                           FSSL_NUL_TERMINATED, &err));
        CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "PSK", FSSL_NUL_TERMINATED, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        code = fssl_error_code(pair_handshake_results(&pair).server, NULL);
        CHECK_EQUAL(FSSL_E_TLS, code);
        pair_close(&pair);
    }
}

/* OpenSSL drops a key whose hash differs from the suite's without a word, and goes on by
   certificate: a context that requires one refuses. */
static void dropped_without_a_word(void)
{
    struct pair pair = contexts(FSSL_TLS1_3_VERSION);

    add(pair.server_ctx, "me", key);
    add(pair.client_ctx, "me", key);
    CHECK_OK(fssl_ctx_set_ciphersuites(pair.client_ctx, "TLS_AES_256_GCM_SHA384",
                                       FSSL_NUL_TERMINATED, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair)); /* by certificate */
    pair_disconnect(&pair);
    CHECK_OK(fssl_ctx_require_psk(pair.client_ctx, 1, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).client, NULL));
    pair_close(&pair);
}

/* Brings the handshake to its end and receives the tickets. Returns the client's session. */
static fssl_handle session_of(struct pair *pair)
{
    uint8_t byte;

    CHECK(pair_handshake(pair));
    pair_settle(pair);
    fssl_conn_recv(pair->client, &byte, 1, 0, NULL);
    return CHECK_MADE(fssl_conn_session(pair->client, &err));
}

/* A ticket of TLS 1.3 comes as a pre-shared key too, but stands for no key that was shown. */
static void a_ticket_is_no_key(void)
{
    for (int by_client = 0; by_client < 2; by_client++) {
        struct pair pair = contexts(FSSL_TLS1_3_VERSION);
        struct pair_result results;
        fssl_handle session;

        pair_connect(&pair, &(struct pair_plan){0});
        session = session_of(&pair);
        pair_disconnect(&pair);
        add(pair.server_ctx, "me", key);
        CHECK_OK(fssl_ctx_require_psk(by_client ? pair.client_ctx : pair.server_ctx, 1, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        results = pair_handshake_results(&pair);
        CHECK_EQUAL(FSSL_E_VERIFY,
                    fssl_error_code(by_client ? results.client : results.server, NULL));
        check_close(session);
        pair_close(&pair);
    }
}

/* A safe client that relied on its key has no host to check a certificate against. */
static void without_key_and_host(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = contexts(versions[i]);
        int64_t result;

        add(pair.client_ctx, "me", key);
        pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
        pair.server = CHECK_MADE(fssl_conn_new_memory(pair.server_ctx, &err));
        result = pair_handshake_results(&pair).client;
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(result, NULL));
        CHECK_CONTAINS("no host is set", error_text(result));
        CHECK_FAILS(FSSL_E_VERIFY, fssl_conn_send(pair.client, key, 1, &err));
        pair_close(&pair);
    }
}

static void bad_arguments(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_client(&err));
    char identity[130];

    memset(identity, 'i', sizeof identity);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_psk(ctx, "", 0, key, sizeof key, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_psk(ctx, "a\0b", 3, key, sizeof key, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_psk(ctx, identity, 129, key, sizeof key, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_psk(ctx, "a", 1, key, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_psk(ctx, "a", 1, key, 257, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_pin(ctx, key, 31, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_pin(ctx, NULL, 32, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_ocsp_response(ctx, NULL, 5, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_require_psk(ctx, 1, &err));
}

static void pin_of(enum identity_name name, uint8_t digest[32])
{
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(identity(name)->cert), &der);

    CHECK(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL));
    OPENSSL_free(der);
}

static void pins(void)
{
    static const struct {
        enum identity_name pinned;
        int32_t code;
    } rows[] = {{ID_EC, FSSL_OK}, {ID_CA, FSSL_OK}, {ID_RSA, FSSL_E_VERIFY}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair pair = contexts(0);
        uint8_t digest[32];

        CHECK_OK(fssl_ctx_add_pin(pair.client_ctx, wrong, sizeof wrong, &err));
        pin_of(rows[i].pinned, digest);
        CHECK_OK(fssl_ctx_add_pin(pair.client_ctx, digest, sizeof digest, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
    }
}

/* Without verification there is no chain: the peer's own key alone can be the pinned one. */
static void pins_without_verification(void)
{
    static const struct {
        enum identity_name pinned;
        int32_t code;
    } rows[] = {{ID_EC, FSSL_OK}, {ID_CA, FSSL_E_VERIFY}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair_plan plan = {.trust = ID_OTHER_CA};
        struct pair pair;
        uint8_t digest[32];

        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &plan);
        pin_of(rows[i].pinned, digest);
        CHECK_OK(fssl_ctx_add_pin(pair.client_ctx, digest, sizeof digest, &err));
        CHECK_OK(fssl_ctx_set_verify(pair.client_ctx, FSSL_VERIFY_NONE, &err));
        pair_connect(&pair, &plan);
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
    }
}

/* A server that pins a client's key refuses one that shows no certificate, or comes by a key. */
static void pins_of_a_client(void)
{
    static const struct {
        enum identity_name client;
        bool by_psk;
        int32_t code;
    } rows[] = {{ID_CLIENT, false, FSSL_OK}, {ID_NONE, false, FSSL_E_VERIFY}, {ID_NONE, true, 0}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair_plan plan = {.client = rows[i].client, .version = FSSL_TLS1_2_VERSION};
        struct pair pair;
        uint8_t digest[32];

        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &plan);
        pin_of(ID_CLIENT, digest);
        CHECK_OK(fssl_ctx_add_pin(pair.server_ctx, digest, sizeof digest, &err));
        if (rows[i].by_psk) {
            add(pair.server_ctx, "me", key);
            add(pair.client_ctx, "me", key);
            CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, TEXT("PSK"), &err));
        }
        pair_connect(&pair, &plan);
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).server, NULL));
        pair_close(&pair);
    }
}

/* A resumed session shows no chain, in which the key of an authority could be found that was pinned
   since: with pins nothing is resumed. */
static void pins_and_resumption(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = contexts(versions[i]);
        fssl_handle session;
        uint8_t digest[32];

        pair_connect(&pair, &(struct pair_plan){0});
        session = session_of(&pair);
        pair_disconnect(&pair);
        pin_of(ID_CA, digest);
        CHECK_OK(fssl_ctx_add_pin(pair.client_ctx, digest, sizeof digest, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK(pair_handshake(&pair));
        CHECK_IS(0, fssl_conn_session_reused(pair.client, &err));
        check_close(session);
        pair_close(&pair);
    }
}

/* OpenSSL has taken a peer whose key is not pinned: it is told that it was refused. */
static void a_refused_peer_is_told(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = contexts(versions[i]);
        uint8_t byte;

        CHECK_OK(fssl_ctx_add_pin(pair.client_ctx, wrong, sizeof wrong, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_settle(&pair);
        CHECK_FAILS(FSSL_E_ALERT, fssl_conn_recv(pair.server, &byte, 1, 0, &err));
        pair_close(&pair);
    }
}

static void staples(void)
{
    struct pair pair = contexts(0);

    CHECK_OK(fssl_ctx_set_ocsp_response(pair.server_ctx, BYTES("\x30\x03\x0a\x01\x01"), &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    CHECK_EQUAL(0, bytes_of(fssl_conn_ocsp_response, pair.client)->len); /* not asked for */
    pair_disconnect(&pair);

    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_OK(fssl_conn_request_ocsp(pair.client, &err));
    CHECK_OK(fssl_conn_set_ocsp_response(pair.server, BYTES("\x30\x03\x0a\x01\x03"), &err));
    CHECK(pair_handshake(&pair));
    CHECK_BYTES("\x30\x03\x0a\x01\x03", bytes_of(fssl_conn_ocsp_response, pair.client)->data, 5);
    CHECK_EQUAL(0, bytes_of(fssl_conn_ocsp_response, pair.server)->len);
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"by key", by_key},
    {"wrong key", wrong_key},
    {"dropped without a word", dropped_without_a_word},
    {"a ticket is no key", a_ticket_is_no_key},
    {"without key and host", without_key_and_host},
    {"bad arguments", bad_arguments},
    {"pins", pins},
    {"pins without verification", pins_without_verification},
    {"pins of a client", pins_of_a_client},
    {"pins and resumption", pins_and_resumption},
    {"a refused peer is told", a_refused_peer_is_told},
    {"staples", staples},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
