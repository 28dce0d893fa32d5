/* DTLS on memory: handshakes, also in bad weather, versions, resumption, questions. */
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "datagrams.h"

enum { MESSAGES = 20 };

static uint8_t buf[DATAGRAM];

static void fails(struct datagrams *d, int32_t client, int32_t server)
{
    struct pair_result results = datagrams_handshake_results(d);

    CHECK_EQUAL(client, fssl_error_code(results.client, NULL));
    CHECK_EQUAL(server, fssl_error_code(results.server, NULL));
}

/* Which end does depends on OpenSSL: the client since 4.0. */
static void one_refuses(struct datagrams *d)
{
    struct pair_result results = datagrams_handshake_results(d);

    CHECK_EQUAL(FSSL_E_TLS + FSSL_E_ALERT,
                fssl_error_code(results.client, NULL) + fssl_error_code(results.server, NULL));
}

/* ---- handshakes ---- */

static void handshake(void)
{
    struct datagrams *d = datagrams_established(&(struct pair_plan){.client = ID_CLIENT});

    CHECK_TEXT("DTLSv1.2", text_of(fssl_conn_protocol_version_name, d->client));
    CHECK_IS(FSSL_DTLS1_2_VERSION, fssl_conn_protocol_version(d->server, &err));
    CHECK_IS(4, fssl_conn_send(d->client, BYTES("ping"), &err));
    datagrams_carry(d);
    CHECK_IS(4, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_BYTES("ping", buf, 4);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_IS(0, fssl_conn_shutdown(d->client, &err));
    datagrams_carry(d);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_IS(1, fssl_conn_shutdown(d->server, &err));
    datagrams_carry(d);
    CHECK_IS(1, fssl_conn_shutdown(d->client, &err));
    datagrams_close(d);
}

static void peers_refused(void)
{
    static const struct {
        struct pair_plan plan;
        int32_t client;
    } rows[] = {
        {{.host = "elsewhere.test"}, FSSL_E_HOST},
        {{.trust = ID_OTHER_CA}, FSSL_E_VERIFY},
        {{.server = ID_EXPIRED}, FSSL_E_VERIFY},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct datagrams *d = datagrams_open(&rows[i].plan);

        fails(d, rows[i].client, FSSL_E_ALERT);
        datagrams_close(d);
    }
}

/* Every message that arrives is one that was sent, and none arrives twice. */
static void messages(struct datagrams *d, fssl_handle from, fssl_handle to)
{
    int seen[MESSAGES] = {0};
    char text[24];
    int64_t got;

    for (int i = 0; i < MESSAGES; i++) {
        snprintf(text, sizeof text, "message %02d", i);
        CHECK_IS(10, fssl_conn_send(from, (const uint8_t *)text, 10, &err));
    }
    datagrams_carry(d);
    while ((got = fssl_conn_recv(to, buf, sizeof buf, 0, &err)) > 0) {
        buf[got] = 0;
        CHECK(got == 10 && memcmp(buf, "message ", 8) == 0);
        CHECK_EQUAL(1, ++seen[atoi((char *)buf + 8) % MESSAGES]);
    }
    CHECK_FAILS(FSSL_E_WANT_READ, got);
}

static void bad_weather(void)
{
    static const struct weather kinds[] = {
        {.lost = 30}, {.doubled = 50}, {.swapped = 60}, {20, 20, 40, 0}, {35, 10, 20, 0},
    };
    int64_t rounds = check_rounds(40);

    for (int64_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
            struct datagrams *d = datagrams_open(&(struct pair_plan){.client = ID_CLIENT});

            d->weather = kinds[i];
            d->weather.seed = (unsigned int)(round * 16 + (int64_t)i + 1);
            if (CHECK(datagrams_handshake(d))) {
                d->weather.lost = 10;
                messages(d, d->client, d->server);
                messages(d, d->server, d->client);
            }
            datagrams_close(d);
        }
    }
}

/* The peer that has ended its handshake sends its last flight again when asked by the other's. */
static void last_flight_lost(void)
{
    struct datagrams *d = datagrams_open(&(struct pair_plan){0});

    for (int i = 0; i < 4 && fssl_conn_do_handshake(d->server, &err) != 0; i++) {
        fssl_conn_do_handshake(d->client, &err);
        datagrams_carry(d);
    }
    while (datagrams_next(d->server, buf) > 0)
        ;
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

static void safe_contexts(void)
{
    fssl_handle client = CHECK_MADE(fssl_ctx_new_dtls_client(&err));
    fssl_handle server = CHECK_MADE(fssl_ctx_new_dtls_server(&err));
    fssl_handle conn = CHECK_MADE(fssl_conn_new_memory(client, &err));

    CHECK_IS(FSSL_DTLS1_2_VERSION, fssl_ctx_min_proto_version(client, &err));
    CHECK_IS(FSSL_DTLS1_2_VERSION, fssl_ctx_min_proto_version(server, &err));
    CHECK_IS(FSSL_VERIFY_PEER, fssl_ctx_verify_mode(client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(conn, &err)); /* no host is set */
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_accept_state(conn, &err));
    check_close(conn);
    check_close(client);
    check_close(server);
}

/* Contexts as the seed makes them, without verification. */
static struct datagrams *seed_contexts(int32_t client, int32_t server)
{
    struct datagrams *d = calloc(1, sizeof *d);

    d->client_ctx = CHECK_MADE(fssl_ctx_new(client, &err));
    d->server_ctx = CHECK_MADE(fssl_ctx_new(server, &err));
    pair_use_identity(d->server_ctx, ID_RSA);
    return d;
}

static void seed_connect(struct datagrams *d)
{
    d->client = CHECK_MADE(fssl_conn_new_memory(d->client_ctx, &err));
    d->server = CHECK_MADE(fssl_conn_new_memory(d->server_ctx, &err));
    CHECK_OK(fssl_conn_set_connect_state(d->client, &err));
    CHECK_OK(fssl_conn_set_accept_state(d->server, &err));
}

static void seed_methods(void)
{
    struct datagrams *d = seed_contexts(FSSL_DTLS_METHOD, FSSL_DTLS_METHOD);

    seed_connect(d);
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
    d = seed_contexts(FSSL_DTLS_CLIENT_METHOD, FSSL_DTLS_SERVER_METHOD);
    seed_connect(d);
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

/* OpenSSL allows DTLS 1.0 at level 0 alone. */
static void versions(void)
{
    for (int level = 0; level <= 2; level++) {
        struct datagrams *d = seed_contexts(FSSL_DTLS_METHOD, FSSL_DTLS_METHOD);

        CHECK_OK(fssl_ctx_set_security_level(d->client_ctx, level, &err));
        CHECK_OK(fssl_ctx_set_security_level(d->server_ctx, level, &err));
        CHECK_OK(fssl_ctx_set_min_proto_version(d->server_ctx, FSSL_DTLS1_VERSION, &err));
        CHECK_OK(fssl_ctx_set_max_proto_version(d->client_ctx, FSSL_DTLS1_VERSION, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_min_proto_version(d->client_ctx, FSSL_TLS1_2_VERSION, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_max_proto_version(d->client_ctx, FSSL_DTLS1_VERSION - 1, &err));
        seed_connect(d);
        if (level > 0)
            one_refuses(d);
        else if (CHECK(datagrams_handshake(d)))
            CHECK_IS(FSSL_DTLS1_VERSION, fssl_conn_protocol_version(d->client, &err));
        datagrams_close(d);
    }
}

static void resumes(void)
{
    struct pair_plan plan = {0};
    struct datagrams *d = datagrams_established(&plan);
    fssl_handle session = CHECK_MADE(fssl_conn_session(d->client, &err));

    check_close(d->client);
    check_close(d->server);
    datagrams_connect(d, &plan);
    CHECK_OK(fssl_conn_set_session(d->client, session, &err));
    CHECK(datagrams_handshake(d));
    CHECK_IS(1, fssl_conn_session_reused(d->client, &err));
    CHECK_IS(1, fssl_conn_session_reused(d->server, &err));
    check_close(session);
    datagrams_close(d);
}

/* A server would refuse a client that offers a session but not its cipher. */
static void not_without_the_cipher(void)
{
    struct pair_plan plan = {0};
    struct datagrams *d = datagrams_contexts(&plan);
    fssl_handle session;

    CHECK_OK(fssl_ctx_set_cipher_list(d->client_ctx, "AES128", FSSL_NUL_TERMINATED, &err));
    datagrams_connect(d, &plan);
    CHECK(datagrams_handshake(d));
    session = CHECK_MADE(fssl_conn_session(d->client, &err));
    check_close(d->client);
    check_close(d->server);
    CHECK_OK(fssl_ctx_set_cipher_list(d->client_ctx, "AES256", FSSL_NUL_TERMINATED, &err));
    datagrams_connect(d, &plan);
    CHECK_OK(fssl_conn_set_session(d->client, session, &err));
    CHECK(datagrams_handshake(d));
    CHECK_IS(0, fssl_conn_session_reused(d->client, &err));
    check_close(session);
    datagrams_close(d);
}

static void pre_shared_key(void)
{
    struct pair_plan plan = {0};
    struct datagrams *d = datagrams_contexts(&plan);
    fssl_handle ends[] = {d->client_ctx, d->server_ctx};

    for (int i = 0; i < 2; i++) {
        CHECK_OK(fssl_ctx_add_psk(ends[i], TEXT("meter 7"), BYTES("0123456789abcdef"), &err));
        CHECK_OK(fssl_ctx_require_psk(ends[i], 1, &err));
        CHECK_OK(fssl_ctx_set_cipher_list(ends[i], TEXT("PSK"), &err));
    }
    datagrams_connect(d, &plan);
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

/* ---- questions ---- */

static int32_t handshake_code(struct datagrams *d, fssl_handle conn)
{
    fssl_handle other = conn == d->client ? d->server : d->client;
    int64_t result = -FSSL_E_WANT_READ;

    for (int i = 0; i < 10 && result == -FSSL_E_WANT_READ; i++) {
        datagrams_carry(d);
        fssl_conn_do_handshake(other, &err);
        datagrams_carry(d);
        result = fssl_conn_do_handshake(conn, &err);
    }
    return (int32_t)fssl_error_code(result, NULL);
}

static void questions(void)
{
    for (int refused = 0; refused < 2; refused++) {
        struct datagrams *d =
            datagrams_open(&(struct pair_plan){.client = ID_CLIENT, .trust = ID_CA});

        CHECK_OK(fssl_conn_ask(d->server, FSSL_ASK_CLIENT_HELLO | FSSL_ASK_VERIFY, &err));
        CHECK_OK(fssl_conn_ask(d->client, FSSL_ASK_CERTIFICATE | FSSL_ASK_VERIFY, &err));
        CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, handshake_code(d, d->server));
        CHECK_IS(2, fssl_conn_hello_bytes(d->server, FSSL_HELLO_VERSIONS, buf, sizeof buf, &err));
        CHECK_BYTES("\xfe\xfd", buf, 2);
        CHECK_OK(fssl_conn_answer_hello(d->server, 0, &err));
        CHECK_EQUAL(FSSL_E_WANT_VERIFY, handshake_code(d, d->client));
        CHECK_OK(fssl_conn_answer_verify(d->client, 0, &err));
        CHECK_EQUAL(FSSL_E_WANT_CERTIFICATE, handshake_code(d, d->client));
        CHECK_OK(fssl_conn_answer_certificate(d->client, 1, &err));
        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
        CHECK_EQUAL(FSSL_E_WANT_VERIFY, handshake_code(d, d->server));
        CHECK_OK(fssl_conn_answer_verify(d->server, refused ? 18 : 0, &err));
        CHECK_EQUAL(refused ? FSSL_E_VERIFY : 0, handshake_code(d, d->server));
        CHECK_EQUAL(0, handshake_code(d, d->client));
        datagrams_carry(d);
        CHECK_FAILS(refused ? FSSL_E_ZERO_RETURN : FSSL_E_WANT_READ,
                    fssl_conn_recv(d->client, buf, sizeof buf, 0, &err));
        datagrams_close(d);
    }
}

static const struct check_case cases[] = {
    {"handshake", handshake},
    {"peers refused", peers_refused},
    {"bad weather", bad_weather},
    {"last flight lost", last_flight_lost},
    {"safe contexts", safe_contexts},
    {"seed methods", seed_methods},
    {"versions", versions},
    {"resumes", resumes},
    {"not without the cipher", not_without_the_cipher},
    {"pre-shared key", pre_shared_key},
    {"questions", questions},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
