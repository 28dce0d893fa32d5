/* Contexts in library contexts other than the process's own: they do all that others do, with keys,
   certificates and stores that were made elsewhere. */
#define _GNU_SOURCE /* program_invocation_name */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

enum { PLACES = 256 };

static fssl_handle server_at(int64_t place)
{
    return CHECK_MADE(fssl_ctx_new_apart(FSSL_SAFE | FSSL_TLS_SERVER_METHOD, place, &err));
}

/* ---- making ---- */

static void methods(void)
{
    static const struct {
        const char *name;
        int32_t method;
        int64_t verify_mode;
        int64_t lowest;
    } rows[] = {
        {"TLS", FSSL_TLS_METHOD, FSSL_VERIFY_NONE, 0},
        {"TLS 1.2", FSSL_TLSV1_2_METHOD, FSSL_VERIFY_NONE, FSSL_TLS1_2_VERSION},
        {"client", FSSL_TLS_CLIENT_METHOD, FSSL_VERIFY_NONE, 0},
        {"safe client", FSSL_SAFE | FSSL_TLS_CLIENT_METHOD, FSSL_VERIFY_PEER, FSSL_TLS1_2_VERSION},
        {"safe server", FSSL_SAFE | FSSL_TLS_SERVER_METHOD, FSSL_VERIFY_NONE, FSSL_TLS1_2_VERSION},
        {"DTLS", FSSL_DTLS_METHOD, FSSL_VERIFY_NONE, 0},
        {"safe DTLS client", FSSL_SAFE | FSSL_DTLS_CLIENT_METHOD, FSSL_VERIFY_PEER,
         FSSL_DTLS1_2_VERSION},
        {"safe DTLS server", FSSL_SAFE | FSSL_DTLS_SERVER_METHOD, FSSL_VERIFY_NONE,
         FSSL_DTLS1_2_VERSION},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int64_t place = 0; place <= 1; place++) {
            fssl_handle ctx;

            check_row(rows[i].name);
            ctx = CHECK_MADE(fssl_ctx_new_apart(rows[i].method, place, &err));
            CHECK_IS(rows[i].verify_mode, fssl_ctx_verify_mode(ctx, &err));
            CHECK_IS(rows[i].lowest, fssl_ctx_min_proto_version(ctx, &err));
            check_close(ctx);
        }
    }
}

static void refused(void)
{
    static const int32_t methods[] = {
        0,
        -1,
        13,
        FSSL_SAFE,
        FSSL_SAFE | FSSL_TLS_METHOD,
        FSSL_SAFE | FSSL_SSLV2_METHOD,
        FSSL_SAFE | 13,
        0x200 | FSSL_TLS_METHOD,
        INT32_MIN,
        INT32_MAX,
    };
    static const int64_t places[] = {-1, PLACES + 1, INT64_MIN, INT64_MAX, (int64_t)1 << 32};

    for (size_t i = 0; i < COUNT_OF(methods); i++)
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new_apart(methods[i], 1, &err));
    for (size_t i = 0; i < COUNT_OF(places); i++)
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new_apart(FSSL_TLS_METHOD, places[i], &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_new_apart(FSSL_SSLV3_METHOD, 1, &err));
    CHECK_CONTAINS("place", error_text(fssl_ctx_new_apart(FSSL_TLS_METHOD, -1, NULL)));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(FSSL_SAFE | FSSL_TLS_CLIENT_METHOD, &err));
}

/* ---- whole connections ---- */

static const struct {
    const char *name;
    int64_t client, server;
} places[] = {{"the same", 1, 1},
              {"two", 1, 2},
              {"client in the process's", 0, 3},
              {"server in the process's", 3, 0},
              {"the last", PLACES, PLACES}};

static void talk(const struct pair_plan *plan)
{
    static const uint8_t words[] = "from place to place";
    struct pair pair = pair_established(plan);

    CHECK(pair_transfer(&pair, pair.client, words, sizeof words));
    CHECK(pair_transfer(&pair, pair.server, words, sizeof words));
    CHECK_IS(0, fssl_conn_verify_result(pair.client, &err));
    pair_shutdown(&pair);
    pair_close(&pair);
}

static void connections(void)
{
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        check_row(places[i].name);
        talk(&(struct pair_plan){.client_place = places[i].client,
                                 .server_place = places[i].server,
                                 .client = ID_CLIENT});
        talk(&(struct pair_plan){.client_place = places[i].client,
                                 .server_place = places[i].server,
                                 .version = FSSL_TLS1_2_VERSION,
                                 .server = ID_RSA});
    }
}

static void strangers_stay_out(void)
{
    static const struct {
        const char *name;
        struct pair_plan plan;
    } rows[] = {
        {"untrusted", {.trust = ID_OTHER_CA}},
        {"expired", {.server = ID_EXPIRED}},
        {"another host", {.host = "elsewhere.test"}},
        {"no client certificate", {.client = ID_OTHER}},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair_plan plan = rows[i].plan;
        struct pair_result result;
        struct pair pair;

        check_row(rows[i].name);
        plan.client_place = 1;
        plan.server_place = 2;
        pair = pair_open(&plan);
        result = pair_handshake_results(&pair);
        CHECK(result.client < 0 || result.server < 0);
        pair_close(&pair);
    }
}

/* A server name leads from one place to another. */
static void names_lead_elsewhere(void)
{
    for (int64_t other = 0; other < 3; other++) {
        struct pair pair = pair_open(&(struct pair_plan){.client_place = 1, .server_place = 2});
        fssl_handle ctx = server_at(other);

        pair_use_identity(ctx, ID_RSA);
        CHECK_OK(fssl_ctx_add_server_name(pair.server_ctx, "localhost", 9, ctx, &err));
        check_close(ctx);
        check_close(pair.server);
        pair.server = CHECK_MADE(fssl_conn_new_memory(pair.server_ctx, &err));
        CHECK(pair_handshake(&pair));
        pair_settle(&pair);
        CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"here", 4));
        pair_close(&pair);
    }
}

static void sessions_resume(void)
{
    for (int version = FSSL_TLS1_2_VERSION; version <= FSSL_TLS1_3_VERSION; version++) {
        struct pair_plan plan = {.version = version, .client_place = 1, .server_place = 2};
        struct pair pair = pair_established(&plan);
        fssl_handle session;

        check_row(version == FSSL_TLS1_3_VERSION ? "TLS 1.3" : "TLS 1.2");
        CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"ticket", 6));
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        pair_disconnect(&pair);
        pair_connect(&pair, &plan);
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK(pair_handshake(&pair));
        CHECK_IS(1, fssl_conn_session_reused(pair.client, &err));
        check_close(session);
        pair_close(&pair);
    }
}

/* ---- lifetimes ---- */

/* What came out of a place is of use when nothing else of it is left. */
static void what_outlives_its_context(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.client_place = 4, .server_place = 4});
    fssl_handle cert = CHECK_MADE(fssl_conn_peer_certificate(pair.client, &err));
    fssl_handle session = CHECK_MADE(fssl_conn_session(pair.client, &err));
    fssl_handle key = CHECK_MADE(fssl_cert_public_key(cert, &err));
    fssl_handle store = CHECK_MADE(fssl_ctx_cert_store(pair.client_ctx, &err));
    fssl_handle ca_key = identity_key_handle(ID_CA);

    check_close(pair.client_ctx);
    check_close(pair.server_ctx);
    pair.client_ctx = pair.server_ctx = 0;
    CHECK(pair_transfer(&pair, pair.client, (const uint8_t *)"still", 5));
    pair_close(&pair);
    CHECK_IS(256, fssl_key_bits(key, &err));
    CHECK_OK(fssl_cert_verify(cert, ca_key, &err));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_cert_verify(cert, key, &err));
    CHECK_GIVES(fssl_session_to_bytes(session, NULL, 0, &err));
    CHECK_GIVES(fssl_store_count(store, &err));
    check_close(store);
    check_close(session);
    check_close(cert);
    check_close(key);
    check_close(ca_key);
}

/* Keys, certificates and stores go from place to place, and back. */
static void what_places_share(void)
{
    fssl_handle cert = identity_cert_handle(ID_EC), key = identity_key_handle(ID_EC);
    fssl_handle first = server_at(1), second = server_at(2), home = server_at(0);
    fssl_handle all[] = {first, second, home, first};

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct pair pair;

        CHECK_OK(fssl_ctx_use_certificate(all[i], cert, &err));
        CHECK_OK(fssl_ctx_use_private_key(all[i], key, &err));
        CHECK_OK(fssl_ctx_check_private_key(all[i], &err));
        pair_contexts(&pair, &(struct pair_plan){.client_place = 2});
        check_close(pair.server_ctx);
        pair.server_ctx = all[i];
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK(pair_handshake(&pair));
        pair.server_ctx = 0;
        pair_close(&pair);
    }
    check_close(first);
    check_close(second);
    check_close(home);
    check_close(cert);
    check_close(key);
}

/* ---- threads and processes ---- */

static void visit(void *number)
{
    int64_t place = 10 + *(const int *)number / 2; /* two threads in each, at once */

    for (int64_t i = check_rounds(20); i > 0; i--)
        talk(&(struct pair_plan){.client_place = place, .server_place = place});
}

static void threads(void)
{
    static const int numbers[] = {0, 1, 2, 3};
    struct check_thread threads[COUNT_OF(numbers)];

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        threads[i] = (struct check_thread){visit, (void *)(uintptr_t)&numbers[i]};
    check_threads(threads, COUNT_OF(threads));
}

static void talk_in(void *plan)
{
    talk(plan);
}

static void children(void)
{
    struct pair_plan plan = {.client_place = 1, .server_place = 1};

    talk(&plan);
    check_child(talk_in, &plan);
    plan.client_place = plan.server_place = 20; /* which the parent has not made */
    check_child(talk_in, &plan);
    talk(&plan);
}

/* ---- openssl.cnf ---- */

static const char configured[] = "openssl_conf = everything\n"
                                 "[everything]\n"
                                 "ssl_conf = modules\n"
                                 "providers = both\n"
                                 "[modules]\n"
                                 "system_default = strict\n"
                                 "[strict]\n"
                                 "MinProtocol = TLSv1.3\n"
                                 "[both]\n"
                                 "default = on\n"
                                 "base = on\n"
                                 "[on]\n"
                                 "activate = 1\n";

static void as_in_the_process(void)
{
    fssl_handle home = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    fssl_handle apart = CHECK_MADE(fssl_ctx_new_apart(FSSL_TLS_METHOD, 1, &err));

    CHECK_IS(fssl_ctx_min_proto_version(home, NULL), fssl_ctx_min_proto_version(apart, &err));
    CHECK_IS(fssl_ctx_options(home, NULL), fssl_ctx_options(apart, &err));
    if (getenv("FLATSSL_CONFIGURED"))
        CHECK_IS(FSSL_TLS1_3_VERSION, fssl_ctx_min_proto_version(apart, &err));
    check_close(home);
    check_close(apart);
    talk(&(struct pair_plan){.client_place = 1, .server_place = 1});
}

static void run_with(void *path)
{
    setenv("OPENSSL_CONF", path, 1);
    setenv("FLATSSL_CONFIGURED", "yes", 1);
    CHECK_EQUAL(
        0, execl(program_invocation_name, "test_ctx_apart", "as in the process", (char *)NULL));
}

static void configuration(void)
{
    check_child(run_with, (void *)(uintptr_t)scratch_file(configured, sizeof configured - 1));
}

static const struct check_case cases[] = {
    {"methods", methods},
    {"refused", refused},
    {"connections", connections},
    {"strangers stay out", strangers_stay_out},
    {"names lead elsewhere", names_lead_elsewhere},
    {"sessions resume", sessions_resume},
    {"what outlives its context", what_outlives_its_context},
    {"what places share", what_places_share},
    {"threads", threads},
    {"children", children},
    {"as in the process", as_in_the_process},
    {"configuration", configuration},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
