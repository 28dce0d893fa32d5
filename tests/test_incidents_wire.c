/* What went wrong elsewhere with what a peer sends: alerts in any state, long chains, sessions
   offered under another policy. */
#include "builder.h"
#include "pair.h"

#include <stdio.h>
#include <string.h>

enum { CALLS = 50, STATES = 5, WARNING = 1, FATAL = 2, USER_CANCELED = 90 };

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

/* ---- alerts ---- */

/* Brings both ends a number of flights forward. */
static void advance(struct pair *pair, int flights)
{
    for (int i = 0; i < flights; i++) {
        fssl_conn_do_handshake(pair->client, NULL);
        fssl_conn_do_handshake(pair->server, NULL);
        pair_settle(pair);
    }
}

/* Calls until nothing changes any more. Returns the last code, which must come soon. */
static int32_t settled_code(fssl_handle conn)
{
    int32_t code = FSSL_OK;
    uint8_t byte;

    for (int i = 0; i < CALLS; i++) {
        int64_t result = fssl_conn_recv(conn, &byte, 1, 0, &code);

        CHECK(result < 0);
    }
    return code;
}

static void alert(int32_t version, bool to_server, int flights, uint8_t level, uint8_t what)
{
    const uint8_t record[] = {0x15, 3, 3, 0, 2, level, what};
    struct pair pair = pair_open(&(struct pair_plan){.version = version});
    fssl_handle conn = to_server ? pair.server : pair.client;
    int32_t code;

    advance(&pair, flights);
    CHECK_IS(sizeof record, fssl_conn_bio_write(conn, record, sizeof record, &err));
    code = settled_code(conn);
    CHECK(code != FSSL_OK);
    if (level == FATAL && what != USER_CANCELED) /* which TLS 1.3 passes over */
        CHECK(code / 100 == FSSL_KIND_TLS || code == FSSL_E_ZERO_RETURN || code == FSSL_E_EOF);
    pair_close(&pair);
}

/* Each alert there is, and some that are not, in each state: no hang, no data, no success. */
static void every_alert_in_every_state(void)
{
    static const uint8_t others[] = {0,   10,  20,  21,  22,  30,  40,  41,  42,  43,  44, 45,
                                     46,  47,  48,  49,  50,  51,  60,  70,  71,  80,  86, 90,
                                     100, 109, 110, 111, 112, 113, 114, 115, 116, 120, 1,  255};

    size_t step = check_rounds(9) == 9 ? 1 : 9;

    for (size_t i = 0; i < COUNT_OF(others); i += step) {
        for (int state = 0; state < STATES * 4; state++) {
            alert(versions[state % 2], state / 2 % 2, state / 4, FATAL, others[i]);
            alert(versions[state % 2], state / 2 % 2, state / 4, WARNING, others[i]);
        }
    }
}

/* Messages that bring nothing are not looped on: an endless row of them ends the connection. */
static void an_endless_row_of_warnings(void)
{
    static uint8_t flood[7 * 20000];

    for (size_t i = 0; i < sizeof flood; i += 7)
        memcpy(flood + i, "\x15\3\3\0\2\1\x5a", 7); /* user_canceled */
    for (size_t i = 0; i < COUNT_OF(versions) * 2; i++) {
        struct pair pair = pair_open(&(struct pair_plan){.version = versions[i % 2]});
        fssl_handle conn = i / 2 ? pair.server : pair.client;
        int32_t code;

        advance(&pair, 1);
        CHECK_GIVES(fssl_conn_bio_write(conn, flood, sizeof flood, &err));
        code = settled_code(conn);
        CHECK_EQUAL(FSSL_KIND_TLS, code / 100);
        pair_close(&pair);
    }
}

/* ---- long chains ---- */

enum { LONGEST = 100, TOO_LONG = LONGEST + 2 };

static fssl_handle authorities[TOO_LONG];

/* A root and those that each issued the next, all with one key. */
static void make_authorities(fssl_handle key)
{
    char name[32];

    authorities[0] = build_ca("authority 0", key);
    for (int i = 1; i < TOO_LONG; i++) {
        snprintf(name, sizeof name, "authority %d", i);
        authorities[i] = build_middle_ca(name, key, authorities[i - 1], key);
    }
}

/* A server whose chain has so many authorities beside the root, and the client's verdict. */
static void chain_of(int middle, fssl_handle key, int32_t code)
{
    fssl_handle leaf = build_leaf("localhost", key, authorities[middle], key);
    struct pair pair = {.client_fd = -1, .server_fd = -1, .piece = PAIR_RING};
    fssl_handle store;

    pair.server_ctx = CHECK_MADE(fssl_ctx_new_server(&err));
    pair.client_ctx = CHECK_MADE(fssl_ctx_new_client(&err));
    CHECK_OK(fssl_ctx_use_certificate(pair.server_ctx, leaf, &err));
    CHECK_OK(fssl_ctx_use_private_key(pair.server_ctx, key, &err));
    for (int i = middle; i > 0; i--)
        CHECK_OK(fssl_ctx_add_extra_chain_cert(pair.server_ctx, authorities[i], &err));
    store = CHECK_MADE(fssl_ctx_cert_store(pair.client_ctx, &err));
    CHECK_OK(fssl_store_add_cert(store, authorities[0], &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_EQUAL(code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
    if (!code) {
        CHECK_IS(middle + 1, fssl_conn_peer_chain_count(pair.client, &err));
        CHECK_IS(middle + 2, fssl_conn_verified_chain_count(pair.client, &err));
    }
    check_close(store);
    check_close(leaf);
    pair_close(&pair);
}

static void chains_of_1_to_100(void)
{
    int step = check_rounds(9) == 9 ? 1 : 9;
    fssl_handle key = build_key();

    make_authorities(key);
    for (int middle = 0; middle <= LONGEST; middle += step)
        chain_of(middle, key, FSSL_OK);
    chain_of(LONGEST + 1, key, FSSL_E_VERIFY);
    for (int i = 0; i < TOO_LONG; i++)
        check_close(authorities[i]);
    check_close(key);
}

/* ---- sessions under another policy ---- */

enum { SERVERS = 5, ROUTES = 3, DIRECT = 0, BY_NAME = 1, BY_ANSWER = 2 };

static const struct {
    const char *name;
    int32_t version;
    int64_t options;
} ways[] = {
    {"TLS 1.2, id", FSSL_TLS1_2_VERSION, FSSL_OP_NO_TICKET},
    {"TLS 1.2, ticket", FSSL_TLS1_2_VERSION, 0},
    {"TLS 1.3", FSSL_TLS1_3_VERSION, 0},
};

static const char *const names[SERVERS] = {"lax.test", "strict.test", "lax2.test", "key1.test",
                                           "key2.test"};
static fssl_handle servers[SERVERS], front, client_ctx;

/* Lax and strict, another lax one, and two that share their ticket keys but not their service. */
static void make_servers(size_t way)
{
    uint8_t keys[80];

    memset(keys, 7, sizeof keys);
    front = pair_server_ctx(&(struct pair_plan){.version = ways[way].version});
    CHECK_GIVES(fssl_ctx_set_options(front, ways[way].options, &err));
    for (int i = 0; i < SERVERS; i++) {
        servers[i] = pair_server_ctx(&(struct pair_plan){.version = ways[way].version,
                                                         .client = i == 1 ? ID_CLIENT : ID_NONE});
        CHECK_GIVES(fssl_ctx_set_options(servers[i], ways[way].options, &err));
        CHECK_OK(fssl_ctx_add_server_name(front, TEXT(names[i]), servers[i], &err));
        if (i < 3)
            continue;
        CHECK_OK(fssl_ctx_set_ticket_keys(servers[i], keys, sizeof keys, &err));
        CHECK_OK(fssl_ctx_set_session_id_context(servers[i], (const uint8_t *)names[i], 9, &err));
    }
    client_ctx =
        pair_client_ctx(&(struct pair_plan){.version = ways[way].version, .client = ID_CLIENT});
}

static void close_servers(void)
{
    for (int i = 0; i < SERVERS; i++)
        check_close(servers[i]);
    check_close(front);
    check_close(client_ctx);
}

/* Has the server switch at the question about the client hello. */
static void answer_hello(struct pair *pair, fssl_handle to)
{
    CHECK_OK(fssl_conn_ask(pair->server, FSSL_ASK_CLIENT_HELLO, &err));
    for (int i = 0; i < CALLS; i++) {
        fssl_conn_do_handshake(pair->client, NULL);
        pair_settle(pair);
        if (fssl_conn_do_handshake(pair->server, NULL) == -FSSL_E_WANT_CLIENT_HELLO)
            break;
    }
    CHECK_OK(fssl_conn_set_context(pair->server, to, &err));
    CHECK_OK(fssl_conn_answer_hello(pair->server, 0, &err));
}

/* Visits a server by a route, offering a session if one is given. Returns whether it was resumed;
   *session, where wanted, is the one that came of it. */
static bool visit(int to, int route, fssl_handle offered, fssl_handle *session)
{
    struct pair pair = {.client_fd = -1, .server_fd = -1, .piece = PAIR_RING};
    bool resumed;
    uint8_t byte;

    pair.client = CHECK_MADE(fssl_conn_new_memory(client_ctx, &err));
    pair.server = CHECK_MADE(fssl_conn_new_memory(route == DIRECT ? servers[to] : front, &err));
    CHECK_OK(fssl_conn_set_host(pair.client, TEXT("localhost"), &err));
    CHECK_OK(fssl_conn_set_server_name(pair.client, TEXT(route == BY_NAME ? names[to] : "x.test"),
                                       &err));
    if (offered)
        CHECK_OK(fssl_conn_set_session(pair.client, offered, &err));
    if (route == BY_ANSWER)
        answer_hello(&pair, servers[to]);
    CHECK(pair_handshake(&pair));
    pair_settle(&pair);
    fssl_conn_recv(pair.client, &byte, 1, 0, NULL);
    resumed = CHECK_GIVES(fssl_conn_session_reused(pair.server, &err));
    CHECK_EQUAL(resumed, fssl_conn_session_reused(pair.client, NULL));
    if (session)
        *session = CHECK_MADE(fssl_conn_session(pair.client, &err));
    pair_disconnect(&pair);
    return resumed;
}

static void no_resumption_across_policies(void)
{
    int across = 0, within = 0;

    for (size_t way = 0; way < COUNT_OF(ways); way++) {
        check_row(ways[way].name);
        make_servers(way);
        for (int at = 0; at < SERVERS * SERVERS * ROUTES * ROUTES; at++) {
            int from = at % SERVERS, to = at / SERVERS % SERVERS;
            int first = at / (SERVERS * SERVERS) % ROUTES,
                second = at / (SERVERS * SERVERS * ROUTES);
            fssl_handle session;

            CHECK(!visit(from, first, 0, &session));
            if (visit(to, second, session, NULL))
                *(from == to ? &within : &across) += 1;
            check_close(session);
        }
        close_servers();
    }
    check_row(NULL);
    CHECK_EQUAL(0, across);
    CHECK(within >= (int)COUNT_OF(ways) * SERVERS); /* what may be resumed is: directly, at least */
}

static const struct check_case cases[] = {
    {"RUSTSEC-2024-0336 every alert in every state", every_alert_in_every_state},
    {"RUSTSEC-2024-0399 an endless row of warnings", an_endless_row_of_warnings},
    {"CVE-2024-28835 chains of 1 to 100", chains_of_1_to_100},
    {"CVE-2025-68121 CVE-2025-23419 CVE-2026-48934 no resumption across policies",
     no_resumption_across_policies},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
