/* What a waived error of the peer's certificates stands for, and for how long; and hellos that are
   as large as they may be. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

enum { ROUNDS = 400 };

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

/* Advances both ends until the client asks about the server, or until both are done. */
static int32_t until_asked(struct pair *pair)
{
    int32_t client = FSSL_OK, server = FSSL_OK;

    for (int i = 0; i < ROUNDS; i++) {
        fssl_conn_do_handshake(pair->client, &client);
        fssl_conn_do_handshake(pair->server, &server);
        pair_carry(pair);
        if (client == FSSL_E_WANT_VERIFY || (client == FSSL_OK && server == FSSL_OK))
            break;
    }
    return client;
}

/* A client that trusts another authority and asks. */
static struct pair asking(int32_t version)
{
    struct pair pair = pair_open(&(struct pair_plan){.version = version, .trust = ID_OTHER_CA});

    CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_VERIFY, &err));
    return pair;
}

static void waive(struct pair *pair)
{
    CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(pair));
    CHECK_OK(fssl_conn_waive_verify_error(pair->client, -1, &err));
    CHECK_OK(fssl_conn_answer_verify(pair->client, 0, &err));
    CHECK(pair_handshake(pair));
    pair_settle(pair);
}

/* A session that was made by waiving is not offered where nobody waives. */
static void a_waived_session_is_not_verified(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = asking(versions[i]);
        fssl_handle session;
        uint8_t byte;

        waive(&pair);
        fssl_conn_recv(pair.client, &byte, 1, 0, NULL);
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        CHECK_IS(1, fssl_session_resumable(session, &err));
        pair_disconnect(&pair);
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        check_close(session);
        pair_close(&pair);
    }
}

/* The list is that of one verification, however often the handshake is called meanwhile. */
static void the_list_does_not_grow(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = asking(versions[i]);
        int64_t count;

        CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair));
        count = CHECK_GIVES(fssl_conn_verify_error_count(pair.client, &err));
        CHECK(count > 0);
        for (int call = 0; call < 40; call++)
            CHECK_FAILS(FSSL_E_WANT_VERIFY, fssl_conn_do_handshake(pair.client, &err));
        CHECK_IS(count, fssl_conn_verify_error_count(pair.client, &err));
        pair_close(&pair);
    }
}

/* What was waived was one handshake's: the next shows the same errors to nobody, and is refused. */
static void waivers_end_with_their_handshake(void)
{
    struct pair_plan plan = {.version = FSSL_TLS1_2_VERSION, .trust = ID_OTHER_CA};
    int64_t result = -FSSL_E_WANT_READ;
    struct pair pair;
    uint8_t byte;

    pair_contexts(&pair, &plan);
    CHECK_GIVES(fssl_ctx_clear_options(pair.client_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    CHECK_GIVES(fssl_ctx_clear_options(pair.server_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    CHECK_GIVES(fssl_ctx_set_options(pair.server_ctx, FSSL_OP_NO_TICKET, &err));
    CHECK_GIVES(fssl_ctx_set_session_cache_mode(pair.server_ctx, FSSL_SESS_CACHE_OFF, &err));
    pair_connect(&pair, &plan); /* nothing is resumed, so the certificate is shown again */
    CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_VERIFY, &err));
    waive(&pair);
    CHECK_IS(1, fssl_conn_renegotiate(pair.server, &err));
    CHECK_OK(fssl_conn_do_handshake(pair.server, &err));
    for (int i = 0; i < ROUNDS && result == -FSSL_E_WANT_READ; i++) {
        fssl_conn_recv(pair.server, &byte, 1, 0, NULL);
        pair_carry(&pair);
        result = fssl_conn_recv(pair.client, &byte, 1, 0, NULL);
    }
    CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(result, NULL));
    pair_close(&pair);
}

/* A client that verifies nobody may ask all the same, and its answer counts. */
static void a_refusal_counts_without_verification(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = asking(versions[i]);
        int64_t result;

        CHECK_OK(fssl_conn_set_verify(pair.client, FSSL_VERIFY_NONE, &err));
        CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair));
        CHECK_OK(fssl_conn_answer_verify(pair.client, X509_V_ERR_CERT_REVOKED, &err));
        result = pair_handshake_results(&pair).client;
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(result, NULL));
        CHECK_EQUAL(X509_V_ERR_CERT_REVOKED, error_int(result, FSSL_ERROR_VERIFY_CODE));
        pair_close(&pair);
    }
}

/* ---- the largest hello ---- */

enum { CIPHERS = 65534, EXTENSIONS = 65535, RECORD = 16384, BODY_MAX = 1 << 18 };

static size_t put(uint8_t *at, size_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
    return (size_t)bytes;
}

/* Writes a hello body with all the ciphers, compression methods and extensions that fit. */
static size_t largest_hello(uint8_t *body)
{
    size_t at = put(body, FSSL_TLS1_2_VERSION, 2);

    memset(body + at, 'r', 32);
    at += 32;
    at += put(body + at, 32, 1);
    memset(body + at, 's', 32);
    at += 32;
    at += put(body + at, CIPHERS, 2);
    for (size_t i = 0; i < CIPHERS; i += 2)
        at += put(body + at, i == 0 ? 0xc02f : 0x0a0a, 2);
    at += put(body + at, 255, 1);
    memset(body + at, 0, 255);
    at += 255;
    at += put(body + at, EXTENSIONS, 2);
    at += put(body + at, 16, 2); /* ALPN */
    at += put(body + at, EXTENSIONS - 4, 2);
    at += put(body + at, EXTENSIONS - 6, 2);
    memset(body + at, 1, EXTENSIONS - 6);
    return at + EXTENSIONS - 6;
}

/* Sends a handshake message to a connection, in records. */
static void send_message(fssl_handle conn, const uint8_t *message, size_t len)
{
    uint8_t record[5 + RECORD] = {22, 3, 1};

    for (size_t at = 0; at < len; at += RECORD) {
        size_t piece = len - at < RECORD ? len - at : RECORD;

        put(record + 3, piece, 2);
        memcpy(record + 5, message + at, piece);
        CHECK_IS((int64_t)piece + 5, fssl_conn_bio_write(conn, record, (int64_t)piece + 5, &err));
    }
}

static void the_largest_hello_is_read(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    uint8_t *message = malloc(BODY_MAX), *raw = malloc(BODY_MAX);
    size_t len = largest_hello(message + 4);
    int32_t code = FSSL_E_WANT_READ;

    CHECK(len > 1 << 17);
    message[0] = 1;
    put(message + 1, len, 3);
    CHECK_OK(fssl_conn_ask(pair.server, FSSL_ASK_CLIENT_HELLO, &err));
    send_message(pair.server, message, len + 4);
    for (int i = 0; i < ROUNDS && code == FSSL_E_WANT_READ; i++)
        fssl_conn_do_handshake(pair.server, &code);
    CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, code);
    CHECK_IS((int64_t)len, fssl_conn_hello_bytes(pair.server, FSSL_HELLO_RAW, raw, BODY_MAX, &err));
    CHECK_BYTES(message + 4, raw, len);
    CHECK_FAILS(FSSL_E_BUFFER,
                fssl_conn_hello_bytes(pair.server, FSSL_HELLO_RAW, raw, (int64_t)len - 1, &err));
    free(message);
    free(raw);
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"a waived session is not verified", a_waived_session_is_not_verified},
    {"the list does not grow", the_list_does_not_grow},
    {"waivers end with their handshake", waivers_end_with_their_handshake},
    {"a refusal counts without verification", a_refusal_counts_without_verification},
    {"the largest hello is read", the_largest_hello_is_read},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
