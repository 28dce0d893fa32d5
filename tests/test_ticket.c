/* Ticket keys shared by servers, and rotated; sessions bound to context, host and policy. */
#include <string.h>

#include "pair.h"

enum { KEY = 80 };

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};
static const uint8_t shared_id[] = "shared";

/* A server's context that shares its keys and session id context with others. */
static fssl_handle server_ctx(const uint8_t *keys, int64_t len)
{
    fssl_handle ctx = pair_server_ctx(&(struct pair_plan){0});

    CHECK_OK(fssl_ctx_set_session_id_context(ctx, shared_id, sizeof shared_id, &err));
    CHECK_OK(fssl_ctx_set_ticket_keys(ctx, keys, len, &err));
    return ctx;
}

/* Connects a client of pair's client context to a server, offering a session (0 for none). Returns
   whether it was resumed; *ticket is the session afterwards. */
static bool visit(struct pair *pair, fssl_handle server, fssl_handle offered, fssl_handle *ticket)
{
    bool resumed;
    uint8_t byte;

    pair->client = CHECK_MADE(fssl_conn_new_memory(pair->client_ctx, &err));
    pair->server = CHECK_MADE(fssl_conn_new_memory(server, &err));
    CHECK_OK(fssl_conn_set_host(pair->client, "localhost", FSSL_NUL_TERMINATED, &err));
    if (offered)
        CHECK_OK(fssl_conn_set_session(pair->client, offered, &err));
    CHECK(pair_handshake(pair));
    pair_settle(pair);
    fssl_conn_recv(pair->client, &byte, 1, 0, NULL);
    resumed = CHECK_GIVES(fssl_conn_session_reused(pair->client, &err));
    if (ticket)
        *ticket = CHECK_MADE(fssl_conn_session(pair->client, &err));
    pair_disconnect(pair);
    return resumed;
}

static void shared_and_rotated(void)
{
    uint8_t keys[2 * KEY];

    memset(keys, 1, KEY);
    memset(keys + KEY, 2, KEY);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i]};
        fssl_handle first = server_ctx(keys + KEY, KEY), second = server_ctx(keys, sizeof keys);
        fssl_handle stranger = server_ctx(keys, KEY), old, new;
        struct pair pair = {.piece = PAIR_RING, .client_fd = -1, .server_fd = -1};

        pair.client_ctx = pair_client_ctx(&plan);
        CHECK(!visit(&pair, first, 0, &old));
        CHECK(visit(&pair, second, old, &new));    /* a key that is no longer the first */
        CHECK(!visit(&pair, stranger, old, NULL)); /* a key that is gone */
        CHECK(visit(&pair, stranger, new, NULL));  /* renewed under the first key */
        check_close(old);
        check_close(new);
        check_close(first);
        check_close(second);
        check_close(stranger);
        check_close(pair.client_ctx);
    }
}

/* Keys are found in the context that the server name leads to and in the one that the connection
   was made of: a ticket of either is good in front of both. */
static void found_behind_a_name(void)
{
    uint8_t keys[2 * KEY];

    memset(keys, 3, KEY);
    memset(keys + KEY, 4, KEY);
    for (size_t i = 0; i < 4 * COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i / 4]};
        fssl_handle maker = server_ctx(keys, KEY), front = pair_server_ctx(&plan),
                    behind = pair_server_ctx(&plan), old, new;
        struct pair pair = {.piece = PAIR_RING, .client_fd = -1, .server_fd = -1};
        bool front_has = i % 4 == 1 || i % 4 == 3, behind_has = i % 4 >= 2;

        pair.client_ctx = pair_client_ctx(&plan);
        CHECK_OK(fssl_ctx_set_session_id_context(behind, shared_id, sizeof shared_id, &err));
        if (front_has)
            CHECK_OK(fssl_ctx_set_ticket_keys(front, keys, KEY, &err));
        if (behind_has)
            CHECK_OK(fssl_ctx_set_ticket_keys(behind, front_has ? keys + KEY : keys, KEY, &err));
        CHECK_OK(fssl_ctx_add_server_name(front, "localhost", FSSL_NUL_TERMINATED, behind, &err));
        CHECK(!visit(&pair, maker, 0, &old));
        CHECK_EQUAL(front_has || behind_has, visit(&pair, front, old, &new));
        CHECK(visit(&pair, front, new, NULL)); /* what it has made itself */
        CHECK_EQUAL(front_has != behind_has, visit(&pair, maker, new, NULL));
        for (size_t c = 0; c < 6; c++)
            check_close((fssl_handle[]){old, new, front, behind, maker, pair.client_ctx}[c]);
    }
}

/* A connection that takes its context anew, while it asks, has the keys of that moment. */
static void taken_anew(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
    fssl_handle session = 0;
    uint8_t keys[KEY];

    pair_disconnect(&pair);
    for (int round = 0; round < 2; round++) {
        memset(keys, 0, KEY); /* the key that round 0 ends with */
        CHECK_OK(fssl_ctx_set_ticket_keys(pair.server_ctx, keys, KEY, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_conn_ask(pair.server, FSSL_ASK_CLIENT_HELLO, &err));
        if (session)
            CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        fssl_conn_do_handshake(pair.client, NULL);
        pair_settle(&pair);
        CHECK_FAILS(FSSL_E_WANT_CLIENT_HELLO, fssl_conn_do_handshake(pair.server, &err));
        keys[0] = (uint8_t)round;
        CHECK_OK(fssl_ctx_set_ticket_keys(pair.server_ctx, keys, KEY, &err));
        CHECK_OK(fssl_conn_set_context(pair.server, pair.server_ctx, &err));
        CHECK_OK(fssl_conn_answer_hello(pair.server, 0, &err));
        CHECK(pair_handshake(&pair));
        CHECK_IS(0, fssl_conn_session_reused(pair.client, &err));
        if (!session)
            session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        pair_disconnect(&pair);
    }
    check_close(session);
    pair_close(&pair);
}

/* However often a connection goes over to another context, it keeps the ring of its first. */
static void gone_over_twice(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i]};
        struct pair pair = {.piece = PAIR_RING, .client_fd = -1, .server_fd = -1};
        uint8_t keys[2 * KEY];
        fssl_handle ticket, other;

        memset(keys, 5, KEY);
        memset(keys + KEY, 6, KEY);
        pair.client_ctx = pair_client_ctx(&plan);
        pair.server_ctx = server_ctx(keys, KEY);
        other = server_ctx(keys + KEY, KEY);
        CHECK(!visit(&pair, pair.server_ctx, 0, &ticket));
        pair_connect(&pair, &plan);
        CHECK_OK(fssl_conn_set_context(pair.server, other, &err));
        CHECK_OK(fssl_conn_set_context(pair.server, other, &err));
        CHECK_OK(fssl_conn_set_session(pair.client, ticket, &err));
        CHECK(pair_handshake(&pair));
        CHECK_IS(1, fssl_conn_session_reused(pair.client, &err));
        check_close(ticket);
        check_close(other);
        pair_close(&pair);
    }
}

static void bad_keys(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_server(&err));
    uint8_t keys[2 * KEY] = {0};

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_ticket_keys(ctx, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_ticket_keys(ctx, keys, KEY - 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_ticket_keys(ctx, keys, KEY + 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_ticket_keys(ctx, keys, -KEY, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_num_tickets(ctx, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_num_tickets(ctx, 256, &err));
    CHECK_OK(fssl_ctx_set_num_tickets(ctx, 0, &err));
    check_close(ctx);
}

/* A session outlives its process as bytes, and stays bound to its host. */
static void bytes_keep_the_host(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
    fssl_handle session, restored;
    const struct bytes *bytes;

    CHECK(pair_handshake(&pair));
    session = CHECK_MADE(fssl_conn_session(pair.client, &err));
    bytes = bytes_of(fssl_session_to_bytes, session);
    restored = CHECK_MADE(fssl_session_from_bytes(pair.client_ctx, bytes->data, bytes->len, &err));
    CHECK_FAILS(FSSL_E_PARSE,
                fssl_session_from_bytes(pair.client_ctx, bytes->data, bytes->len - 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_session_from_bytes(pair.client_ctx, bytes->data, 3, &err));
    pair_disconnect(&pair);
    CHECK(visit(&pair, pair.server_ctx, restored, NULL));

    pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
    pair.server = CHECK_MADE(fssl_conn_new_memory(pair.server_ctx, &err));
    CHECK_OK(fssl_conn_set_host(pair.client, "127.0.0.1", FSSL_NUL_TERMINATED, &err));
    CHECK_OK(fssl_conn_set_session(pair.client, restored, &err));
    CHECK(pair_handshake(&pair)); /* in full */
    CHECK_IS(0, fssl_conn_session_reused(pair.client, &err));
    check_close(restored);
    check_close(session);
    pair_close(&pair);
}

/* What was made without verification is not offered where that is due. */
static void unverified_is_not_offered(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = pair_open(&(struct pair_plan){.version = versions[i]});
        fssl_handle session;

        CHECK_OK(fssl_conn_set_verify(pair.client, FSSL_VERIFY_NONE, &err));
        CHECK(pair_handshake(&pair));
        pair_settle(&pair);
        fssl_conn_recv(pair.client, (uint8_t[1]){0}, 1, 0, NULL);
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        pair_disconnect(&pair);
        CHECK(!visit(&pair, pair.server_ctx, session, NULL));
        check_close(session);
        pair_close(&pair);
    }
}

/* A server finds a session that its caller has fetched from elsewhere. */
static void provided_to_a_server(void)
{
    struct pair_plan plan = {.version = FSSL_TLS1_2_VERSION};
    struct pair pair;
    fssl_handle offered, fetched, elsewhere;
    const struct bytes *bytes;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    pair.piece = PAIR_RING;
    CHECK_GIVES(fssl_ctx_set_options(pair.server_ctx, FSSL_OP_NO_TICKET, &err));
    CHECK_OK(fssl_ctx_set_session_id_context(pair.server_ctx, shared_id, sizeof shared_id, &err));
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    offered = CHECK_MADE(fssl_conn_session(pair.client, &err));
    fetched = CHECK_MADE(fssl_conn_session(pair.server, &err));
    bytes = bytes_of(fssl_session_to_bytes, fetched);
    check_close(fetched);
    pair_disconnect(&pair);

    elsewhere = pair_server_ctx(&plan);
    CHECK_OK(fssl_ctx_set_session_id_context(elsewhere, shared_id, sizeof shared_id, &err));
    fetched = CHECK_MADE(fssl_session_from_bytes(elsewhere, bytes->data, bytes->len, &err));
    pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
    pair.server = CHECK_MADE(fssl_conn_new_memory(elsewhere, &err));
    CHECK_OK(fssl_conn_set_host(pair.client, "localhost", FSSL_NUL_TERMINATED, &err));
    CHECK_OK(fssl_conn_set_session(pair.client, offered, &err));
    CHECK_OK(fssl_conn_set_session(pair.server, fetched, &err));
    CHECK(pair_handshake(&pair));
    CHECK_IS(1, fssl_conn_session_reused(pair.server, &err));
    check_close(offered);
    check_close(fetched);
    check_close(elsewhere);
    pair_close(&pair);
}

/* Whoever was a client at first is a full server after fssl_conn_set_accept_state: its sessions are
   bound to the context's session id context, and resumed. */
static void side_was_changed(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i], .client = ID_CLIENT};
        struct pair pair = {.piece = PAIR_RING, .client_fd = -1, .server_fd = -1};
        fssl_handle session = 0;

        pair.client_ctx = pair_client_ctx(&plan);
        pair.server_ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
        pair_use_identity(pair.server_ctx, ID_EC);
        pair_trust(pair.server_ctx, ID_CA);
        CHECK_OK(fssl_ctx_set_verify(pair.server_ctx, FSSL_VERIFY_PEER, &err));
        for (int round = 0; round < 2; round++) {
            pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
            pair.server = CHECK_MADE(fssl_conn_new_memory(pair.server_ctx, &err));
            CHECK_OK(fssl_conn_set_host(pair.client, "localhost", FSSL_NUL_TERMINATED, &err));
            CHECK_OK(fssl_conn_set_connect_state(pair.server, &err));
            CHECK_OK(fssl_conn_set_accept_state(pair.server, &err));
            if (session)
                CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
            CHECK(pair_handshake(&pair));
            pair_settle(&pair);
            fssl_conn_recv(pair.client, (uint8_t[1]){0}, 1, 0, NULL);
            CHECK_IS(round, fssl_conn_session_reused(pair.server, &err));
            if (!session)
                session = CHECK_MADE(fssl_conn_session(pair.client, &err));
            pair_disconnect(&pair);
        }
        check_close(session);
        pair_close(&pair);
    }
}

static const struct check_case cases[] = {
    {"shared and rotated", shared_and_rotated},
    {"found behind a name", found_behind_a_name},
    {"taken anew", taken_anew},
    {"gone over twice", gone_over_twice},
    {"bad keys", bad_keys},
    {"bytes keep the host", bytes_keep_the_host},
    {"unverified is not offered", unverified_is_not_offered},
    {"provided to a server", provided_to_a_server},
    {"side was changed", side_was_changed},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
