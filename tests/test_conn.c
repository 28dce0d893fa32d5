#include "pair.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509_vfy.h>

static const uint8_t hello[] = "hello over there";

/* ---- handshakes ---- */

static const struct {
    const char *name;
    struct pair_plan plan;
} handshakes[] = {
    {"TLS 1.2, ECDSA", {.version = FSSL_TLS1_2_VERSION}},
    {"TLS 1.2, RSA", {.version = FSSL_TLS1_2_VERSION, .server = ID_RSA}},
    {"TLS 1.2, client certificate", {.version = FSSL_TLS1_2_VERSION, .client = ID_CLIENT}},
    {"TLS 1.2, sockets", {.version = FSSL_TLS1_2_VERSION, .sockets = true}},
    {"TLS 1.3, ECDSA", {.version = FSSL_TLS1_3_VERSION}},
    {"TLS 1.3, RSA", {.version = FSSL_TLS1_3_VERSION, .server = ID_RSA}},
    {"TLS 1.3, client certificate", {.version = FSSL_TLS1_3_VERSION, .client = ID_CLIENT}},
    {"TLS 1.3, sockets", {.version = FSSL_TLS1_3_VERSION, .sockets = true}},
    {"by address", {.host = "127.0.0.1"}},
};

static void both_ways(struct pair *pair)
{
    CHECK(pair_transfer(pair, pair->client, hello, sizeof hello));
    CHECK(pair_transfer(pair, pair->server, hello, sizeof hello));
    pair_shutdown(pair);
}

static void shake_hands(void)
{
    for (size_t i = 0; i < COUNT_OF(handshakes); i++) {
        struct pair pair;

        check_row(handshakes[i].name);
        pair = pair_established(&handshakes[i].plan);
        if (handshakes[i].plan.version)
            CHECK_IS(handshakes[i].plan.version, fssl_conn_protocol_version(pair.server, &err));
        CHECK_OK(fssl_conn_do_handshake(pair.client, &err)); /* again changes nothing */
        both_ways(&pair);
        pair_close(&pair);
    }
}

static void one_byte_at_a_time(void)
{
    for (size_t i = 0; i < COUNT_OF(handshakes); i++) {
        struct pair pair;

        check_row(handshakes[i].name);
        pair = pair_open(&handshakes[i].plan);
        pair.piece = 1;
        CHECK(pair_handshake(&pair));
        both_ways(&pair);
        pair_close(&pair);
    }
}

/* send and recv bring the handshake to its end themselves. */
static void without_a_word(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    CHECK(pair_transfer(&pair, pair.client, hello, sizeof hello));
    CHECK(pair_transfer(&pair, pair.server, hello, sizeof hello));
    pair_close(&pair);
}

static void refused(void)
{
    static const struct {
        const char *name;
        struct pair_plan plan;
        int32_t code;
        int64_t verify_code;
    } rows[] = {
        {"untrusted",
         {.server = ID_OTHER},
         FSSL_E_VERIFY,
         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {"expired", {.server = ID_EXPIRED}, FSSL_E_VERIFY, X509_V_ERR_CERT_HAS_EXPIRED},
        {"an issuer is missing",
         {.server = ID_CHAINED},
         FSSL_E_VERIFY,
         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {"a client's certificate",
         {.server = ID_CLIENT},
         FSSL_E_VERIFY,
         X509_V_ERR_INVALID_PURPOSE},
        {"another host", {.host = "elsewhere.test"}, FSSL_E_HOST, X509_V_ERR_HOSTNAME_MISMATCH},
        {"another address", {.host = "127.0.0.2"}, FSSL_E_HOST, X509_V_ERR_IP_ADDRESS_MISMATCH},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair pair;
        int64_t result;
        uint8_t byte = 1;

        check_row(rows[i].name);
        pair = pair_open(&rows[i].plan);
        result = pair_handshake_results(&pair).client;
        CHECK_EQUAL(rows[i].code, fssl_error_code(result, NULL));
        CHECK_EQUAL(rows[i].verify_code, error_int(result, FSSL_ERROR_VERIFY_CODE));
        CHECK_FAILS(rows[i].code, fssl_conn_send(pair.client, &byte, 1, &err));
        CHECK_FAILS(rows[i].code, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
        CHECK_FAILS(rows[i].code, fssl_conn_do_handshake(pair.client, &err));
        CHECK_FAILS(rows[i].code, fssl_conn_shutdown(pair.client, &err));
        pair_close(&pair);
    }
}

static void clients_refused(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};
    static const enum identity_name clients[] = {ID_NONE, ID_OTHER, ID_EC};

    for (size_t i = 0; i < COUNT_OF(versions) * COUNT_OF(clients); i++) {
        struct pair_plan server = {.version = versions[i % 2], .client = ID_CLIENT};
        struct pair_plan client = {.version = versions[i % 2], .client = clients[i / 2]};
        struct pair pair;
        struct pair_result results;
        uint8_t byte;

        pair_contexts(&pair, &server);
        check_close(pair.client_ctx);
        pair.client_ctx = pair_client_ctx(&client);
        pair_connect(&pair, &client);
        results = pair_handshake_results(&pair);
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(results.server, NULL));
        CHECK_EQUAL(FSSL_E_ALERT, fssl_error_code(pair_recv(&pair, pair.client, &byte, 1), NULL));
        pair_close(&pair);
    }
}

static void not_tls(void)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct pair pair = pair_open(&(struct pair_plan){0});
    uint8_t byte;
    int64_t first;

    CHECK_IS(sizeof http,
             fssl_conn_bio_write(pair.server, (const uint8_t *)http, sizeof http, &err));
    first = CHECK_FAILS(FSSL_E_TLS, fssl_conn_do_handshake(pair.server, &err));
    CHECK_TEXT("http request", error_str(first, FSSL_ERROR_REASON));
    CHECK_EQUAL(first, fssl_conn_recv(pair.server, &byte, 1, 0, NULL));
    pair_close(&pair);
}

/* ---- what must be set first ---- */

static void no_side(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    fssl_handle conn = CHECK_MADE(fssl_conn_new_memory(ctx, &err));
    uint8_t byte = 0;

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(conn, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_send(conn, &byte, 1, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_recv(conn, &byte, 1, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_shutdown(conn, &err));
    CHECK_OK(fssl_conn_set_accept_state(conn, &err));
    CHECK_OK(fssl_conn_set_connect_state(conn, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(conn, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_accept_state(conn, &err)); /* it has begun */
    check_close(conn);
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_do_handshake(conn, &err));
}

static void no_socket(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_server(&err));
    fssl_handle conn = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(conn, &err));
    check_close(conn);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_new(ctx, -2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_new(ctx, INT64_C(1) << 32, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_new(ctx, 100000, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_new(0, FSSL_NO_FD, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_new_memory(0, &err));
    check_close(ctx);
}

static void a_safe_client_without_a_host(void)
{
    struct pair pair;
    int64_t result;

    pair_contexts(&pair, &(struct pair_plan){0});
    pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
    pair.server = CHECK_MADE(fssl_conn_new_memory(pair.server_ctx, &err));
    result = CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(pair.client, &err));
    CHECK_CONTAINS("host", error_text(result));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_bio_read(pair.client, pair.to_server.data, 1, &err));
    CHECK_OK(fssl_conn_set_host(pair.client, "localhost", 9, &err));
    CHECK(pair_handshake(&pair)); /* nothing was lost */
    pair_close(&pair);
}

static void app_data(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    int64_t data = 5;

    CHECK_OK(fssl_conn_app_data(pair.client, &data, &err));
    CHECK_EQUAL(0, data);
    CHECK_OK(fssl_conn_set_app_data(pair.client, INT64_MIN, &err));
    CHECK_OK(fssl_conn_app_data(pair.client, &data, &err));
    CHECK_EQUAL(INT64_MIN, data);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_app_data(pair.client, NULL, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_set_app_data(pair.client_ctx, 1, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_app_data(pair.client, &data, &err));
}

/* ---- its context ---- */

static void another_context(void)
{
    struct pair_plan plan = {.server = ID_OTHER};
    struct pair pair = pair_open(&plan);
    fssl_handle good = pair_server_ctx(&(struct pair_plan){0}), got;

    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_context(pair.server, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_set_context(pair.server, pair.server, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_context(pair.server, pair.client_ctx, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_context(pair.client, good, &err));
    CHECK_OK(fssl_conn_set_context(pair.server, good, &err));
    got = CHECK_MADE(fssl_conn_context(pair.server, &err));
    CHECK_IS(1, fssl_handle_same(got, good, &err));
    check_close(got);
    check_close(good);
    CHECK(pair_handshake(&pair)); /* with the certificate of the second one */
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_context(pair.server, &err));
}

/* A server that demands client certificates must go on to after a switch. */
static void another_context_brings_its_policy(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    fssl_handle strict = pair_server_ctx(&(struct pair_plan){.client = ID_CLIENT});

    CHECK_IS(FSSL_VERIFY_NONE, fssl_conn_verify_mode(pair.server, &err));
    CHECK_GIVES(fssl_ctx_set_options(strict, FSSL_OP_NO_TICKET, &err));
    CHECK_OK(fssl_conn_set_context(pair.server, strict, &err));
    CHECK_IS(FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
             fssl_conn_verify_mode(pair.server, &err));
    CHECK_EQUAL(FSSL_OP_NO_TICKET, fssl_conn_options(pair.server, &err) & FSSL_OP_NO_TICKET);
    CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).server, NULL));
    check_close(strict);
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"shake hands", shake_hands},
    {"RUSTSEC-2024-0399 one byte at a time", one_byte_at_a_time},
    {"without a word", without_a_word},
    {"trap-flags refused", refused},
    {"clients refused", clients_refused},
    {"not TLS", not_tls},
    {"no side", no_side},
    {"no socket", no_socket},
    {"CVE-2014-7143 a safe client without a host", a_safe_client_without_a_host},
    {"app data", app_data},
    {"another context", another_context},
    {"another context brings its policy", another_context_brings_its_policy},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
