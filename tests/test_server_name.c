/* Server names as data: matching, switching, and what a switch brings along. */
#include <string.h>

#include <openssl/ssl.h>

#include "pair.h"

static const struct {
    const char *pattern;
    const char *name;
    bool leads;
} rows[] = {
    {"one.test", "one.test", true},     {"one.test", "ONE.Test", true},
    {"One.TEST.", "one.test", true},    {"one.test", "two.test", false},
    {"*.test", "one.test", true},       {"*.test", "a.b.test", false},
    {"*.test", "test", false},          {"one.test", "one.test.evil", false},
    {"*.one.test", "a.one.test", true}, {"*.one.test", "one.test", false},
};

/* Returns whether a name led to the other context, by which protocol it selected. */
static bool led(struct pair *pair, const char *name)
{
    bool to_other;

    pair_connect(pair, &(struct pair_plan){0});
    CHECK_OK(fssl_conn_set_server_name(pair->client, name, FSSL_NUL_TERMINATED, &err));
    CHECK(pair_handshake(pair));
    to_other = memcmp(bytes_of(fssl_conn_alpn_proto, pair->client)->data, "other", 5) == 0;
    pair_disconnect(pair);
    return to_other;
}

static void matching(void)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle other = pair_server_ctx(&(struct pair_plan){0});
        struct pair pair;

        check_row(rows[i].pattern);
        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &(struct pair_plan){0});
        CHECK_OK(
            fssl_ctx_set_alpn_protos(pair.client_ctx, (const uint8_t *)"\5other\4this", 11, &err));
        CHECK_OK(fssl_ctx_set_alpn_preference(pair.server_ctx, (const uint8_t *)"\4this", 5, &err));
        CHECK_OK(fssl_ctx_set_alpn_preference(other, (const uint8_t *)"\5other", 6, &err));
        CHECK_OK(fssl_ctx_add_server_name(pair.server_ctx, rows[i].pattern, FSSL_NUL_TERMINATED,
                                          other, &err));
        check_close(other); /* the map holds it */
        CHECK_EQUAL(rows[i].leads, led(&pair, rows[i].name));
        pair_close(&pair);
    }
    check_row(NULL);
}

/* A name that leads to a context which demands a client's certificate: who has none is refused, and
   sees an alert. */
static void a_certificate_is_demanded(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

    for (size_t i = 0; i < 2 * COUNT_OF(versions); i++) {
        enum identity_name shown = i % 2 ? ID_CLIENT : ID_NONE;
        struct pair_plan lax = {.version = versions[i / 2]};
        struct pair pair = {.client_ctx = pair_client_ctx(&lax),
                            .server_ctx = pair_server_ctx(&lax)};
        fssl_handle strict = pair_server_ctx(&(struct pair_plan){.client = ID_CLIENT});
        int64_t result;
        uint8_t byte;

        if (shown)
            pair_use_identity(pair.client_ctx, shown);
        pair.client_fd = pair.server_fd = -1;
        pair.piece = PAIR_RING;
        CHECK_OK(fssl_ctx_add_server_name(pair.server_ctx, "strict.test", FSSL_NUL_TERMINATED,
                                          strict, &err));
        pair_connect(&pair, &lax);
        CHECK_OK(fssl_conn_set_server_name(pair.client, "strict.test", FSSL_NUL_TERMINATED, &err));
        result = pair_handshake_results(&pair).server;
        CHECK_EQUAL(shown ? FSSL_OK : FSSL_E_VERIFY, fssl_error_code(result, NULL));
        pair_settle(&pair);
        result = fssl_conn_recv(pair.client, &byte, 1, 0, &err);
        CHECK_EQUAL(shown ? FSSL_E_WANT_READ : FSSL_E_ALERT, fssl_error_code(result, NULL));
        check_close(strict);
        pair_close(&pair);
    }
}

/* No session of one policy is resumed under the other's, whichever way it is kept. */
static void no_resumption_across(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        fssl_handle other = pair_server_ctx(&(struct pair_plan){.client = ID_CLIENT});
        struct pair pair;
        fssl_handle session;

        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &(struct pair_plan){.version = versions[i]});
        CHECK_OK(fssl_ctx_add_server_name(pair.server_ctx, "strict.test", FSSL_NUL_TERMINATED,
                                          other, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK(pair_handshake(&pair));
        pair_settle(&pair);
        fssl_conn_recv(pair.client, (uint8_t[1]){0}, 1, 0, NULL);
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        pair_disconnect(&pair);

        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK_OK(fssl_conn_set_server_name(pair.client, "strict.test", FSSL_NUL_TERMINATED, &err));
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).server, NULL));
        check_close(session);
        check_close(other);
        pair_close(&pair);
    }
}

/* ---- versions ---- */

enum by { MAP, CALLBACK, QUESTION, WAYS };

static fssl_handle target;
static int32_t own_highest; /* to be set on the connection too, or 0 */

static void switch_to_target(fssl_handle conn)
{
    CHECK_OK(fssl_conn_set_context(conn, target, &err));
    if (own_highest)
        CHECK_OK(fssl_conn_set_max_proto_version(conn, own_highest, &err));
}

static int32_t on_server_name(int64_t token, fssl_handle conn)
{
    (void)token;
    switch_to_target(conn);
    return 0;
}

static void lead(enum by way, struct pair *pair)
{
    if (way == MAP)
        CHECK_OK(fssl_ctx_add_server_name(pair->server_ctx, "localhost", 9, target, &err));
    if (way == CALLBACK)
        CHECK_OK(fssl_ctx_set_server_name_callback(pair->server_ctx, on_server_name, 0, &err));
    pair_connect(pair, &(struct pair_plan){0});
    if (way != QUESTION)
        return;
    CHECK_OK(fssl_conn_ask(pair->server, FSSL_ASK_CLIENT_HELLO, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair->client, &err));
    for (int i = 0; i < 10; i++) {
        pair_carry(pair);
        fssl_conn_do_handshake(pair->server, &err);
    }
    CHECK_FAILS(FSSL_E_WANT_CLIENT_HELLO, fssl_conn_do_handshake(pair->server, &err));
    switch_to_target(pair->server);
    CHECK_OK(fssl_conn_answer_hello(pair->server, 0, &err));
}

/* A context that is come to brings no versions and no groups; the connection may be given versions
   of its own, which count. */
static void versions_stay(void)
{
    for (int i = 0; i < 2 * WAYS; i++) {
        enum by way = (enum by)(i % WAYS);
        struct pair pair;
        fssl_handle got;

        own_highest = i < WAYS || way == MAP ? 0 : FSSL_TLS1_2_VERSION;
        pair_contexts(&pair, &(struct pair_plan){0});
        target =
            pair_server_ctx(&(struct pair_plan){.server = ID_RSA, .version = FSSL_TLS1_2_VERSION});
        CHECK_OK(fssl_ctx_set_groups(target, "P-521", 5, &err));
        lead(way, &pair);
        CHECK(pair_handshake(&pair));
        CHECK_IS(own_highest ? FSSL_TLS1_2_VERSION : FSSL_TLS1_3_VERSION,
                 fssl_conn_protocol_version(pair.client, &err));
        CHECK_CONTAINS("25519", text_of(fssl_conn_group_name, pair.client));
        got = CHECK_MADE(fssl_conn_context(pair.server, &err));
        CHECK_IS(1, fssl_handle_same(got, target, &err));
        check_close(got);
        check_close(target);
        pair_close(&pair);
    }
}

/* OpenSSL's own switch, of which the contract tells. */
static void versions_stay_in_openssl(void)
{
    SSL_CTX *from = SSL_CTX_new(TLS_server_method()), *to = SSL_CTX_new(TLS_server_method());
    SSL *ssl;

    CHECK(SSL_CTX_set_min_proto_version(from, TLS1_2_VERSION));
    CHECK(SSL_CTX_set_min_proto_version(to, TLS1_3_VERSION));
    CHECK(SSL_CTX_set_max_proto_version(to, TLS1_3_VERSION));
    ssl = SSL_new(from);
    CHECK(SSL_set_SSL_CTX(ssl, to) == to);
    CHECK_EQUAL(TLS1_2_VERSION, SSL_get_min_proto_version(ssl));
    CHECK_EQUAL(SSL_CTX_get_max_proto_version(from), SSL_get_max_proto_version(ssl));
    SSL_free(ssl);
    SSL_CTX_free(from);
    SSL_CTX_free(to);
}

static void bad_arguments(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_server(&err));
    fssl_handle other = CHECK_MADE(fssl_ctx_new_server(&err));
    static const char *const bad[] = {"", ".", "127.0.0.1", "a*.test", "*.*.test", "b\xc3\xbc.de"};

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_add_server_name(ctx, bad[i], FSSL_NUL_TERMINATED, other, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_add_server_name(ctx, "a\0b", 3, other, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_add_server_name(ctx, "a.test", 6, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_add_server_name(ctx, "a.test", 6, ctx, &err));
    check_close(ctx);
    ctx = CHECK_MADE(fssl_ctx_new_server(&err));
    CHECK_OK(fssl_ctx_add_server_name(ctx, "a.test", 6, other, &err));
    CHECK_OK(fssl_ctx_add_server_name(ctx, "A.test", 6, other, &err)); /* in its place */
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_add_server_name(other, "b.test", 6, ctx, &err));
    check_close(ctx);
    check_close(other);
}

static const struct check_case cases[] = {
    {"matching", matching},
    {"a certificate is demanded", a_certificate_is_demanded},
    {"CVE-2025-23419 no resumption across", no_resumption_across},
    {"versions stay", versions_stay},
    {"versions stay in OpenSSL", versions_stay_in_openssl},
    {"bad arguments", bad_arguments},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
