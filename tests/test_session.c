#include "pair.h"

#include <string.h>
#include <time.h>

/* Each way in which a session is resumed. */
static const struct {
    const char *name;
    int32_t version;
    int64_t options;
} ways[] = {
    {"TLS 1.2, ticket", FSSL_TLS1_2_VERSION, 0},
    {"TLS 1.2, id", FSSL_TLS1_2_VERSION, FSSL_OP_NO_TICKET},
    {"TLS 1.3, ticket", FSSL_TLS1_3_VERSION, 0},
    {"TLS 1.3, ticket that names a cached session", FSSL_TLS1_3_VERSION, FSSL_OP_NO_TICKET},
};

static struct pair pair;
static struct pair_plan plan;

static void open_way(size_t way)
{
    check_row(ways[way].name);
    plan = (struct pair_plan){.version = ways[way].version};
    pair_contexts(&pair, &plan);
    CHECK_GIVES(fssl_ctx_set_options(pair.server_ctx, ways[way].options, &err));
}

/* Connects, offering a session if one is given. Returns whether it was resumed. */
static bool resumes(fssl_handle session)
{
    int64_t client, server;

    pair_disconnect(&pair);
    pair_connect(&pair, &plan);
    if (session)
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
    if (!CHECK(pair_handshake(&pair)))
        return false;
    CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"hi", 2));
    client = CHECK_GIVES(fssl_conn_session_reused(pair.client, &err));
    server = CHECK_GIVES(fssl_conn_session_reused(pair.server, &err));
    CHECK_EQUAL(client, server);
    return client == 1;
}

/* Connects anew and ends in order. Returns the client's session. */
static fssl_handle new_session(void)
{
    fssl_handle session;

    CHECK(!resumes(0));
    session = CHECK_MADE(fssl_conn_session(pair.client, &err));
    CHECK_IS(1, fssl_session_resumable(session, &err));
    pair_shutdown(&pair);
    return session;
}

static void resumed(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session;

        open_way(i);
        session = new_session();
        CHECK(resumes(session));
        CHECK_IS(0, fssl_conn_peer_certificate(pair.server, &err));
        CHECK_IS(0, fssl_conn_verify_result(pair.client, &err)); /* still the verified peer */
        check_close(session);
        pair_close(&pair);
    }
}

/* Whoever closes without a word, of two ends that were well, loses no session. */
static void resumed_without_shutdown(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session;

        open_way(i);
        CHECK(!resumes(0));
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        CHECK(resumes(session)); /* which has closed both ends of the first connection */
        check_close(session);
        pair_close(&pair);
    }
}

static void resumed_from_bytes(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session, copy;
        const struct bytes *data;

        open_way(i);
        session = new_session();
        data = bytes_of(fssl_session_to_bytes, session);
        copy = CHECK_MADE(fssl_session_from_bytes(pair.client_ctx, data->data, data->len, &err));
        CHECK_EQUAL(bytes_of(fssl_session_id, session)->len, bytes_of(fssl_session_id, copy)->len);
        check_close(session);
        CHECK(resumes(copy));
        check_close(copy);
        pair_close(&pair);
    }
}

static void bytes_that_are_none(void)
{
    fssl_handle session;
    struct bytes data;

    open_way(0);
    session = new_session();
    data = *bytes_of(fssl_session_to_bytes, session);
    for (int64_t cut = 0; cut < data.len; cut++)
        CHECK_FAILS(FSSL_E_PARSE, fssl_session_from_bytes(pair.client_ctx, data.data, cut, &err));
    data.data[data.len] = 0;
    CHECK_FAILS(FSSL_E_PARSE,
                fssl_session_from_bytes(pair.client_ctx, data.data, data.len + 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_session_from_bytes(pair.client_ctx, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_session_from_bytes(pair.client_ctx, NULL, 9, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_session_from_bytes(pair.client_ctx, data.data, -1, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_session_from_bytes(session, data.data, data.len, &err));
    check_close(session);
    pair_close(&pair);
}

/* ---- where a session is not resumed ---- */

static void of_another_context(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session, other;

        open_way(i);
        session = new_session();
        other = pair_client_ctx(&plan);
        pair_disconnect(&pair);
        check_close(pair.client_ctx);
        pair.client_ctx = other;
        pair_connect(&pair, &plan);
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_session(pair.client, session, &err));
        CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_set_session(pair.client, other, &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_session(pair.client, 0, &err));
        CHECK(pair_handshake(&pair)); /* it is as it was */
        check_close(session);
        pair_close(&pair);
    }
}

static void of_another_host(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session;

        open_way(i);
        session = new_session();
        plan.host = "127.0.0.1";
        CHECK(!resumes(session));
        plan.host = "localhost";
        CHECK(resumes(session));
        check_close(session);
        pair_close(&pair);
    }
}

/* A session that nobody verified is no way round verification. */
static void of_a_laxer_policy(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session;

        open_way(i);
        CHECK_OK(fssl_ctx_set_verify(pair.client_ctx, FSSL_VERIFY_NONE, &err));
        session = new_session();
        CHECK(resumes(session));
        CHECK_OK(fssl_ctx_set_verify(pair.client_ctx, FSSL_VERIFY_PEER, &err));
        CHECK(!resumes(session));
        check_close(session);
        pair_close(&pair);
    }
}

/* A server would refuse a client that offers a session but not its cipher. */
static void of_a_cipher_that_is_no_longer_offered(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session;
        bool newer;

        open_way(i);
        newer = plan.version == FSSL_TLS1_3_VERSION; /* whose ciphers are another list */
        CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "AES128", FSSL_NUL_TERMINATED, &err));
        session = new_session();
        CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "AES256", FSSL_NUL_TERMINATED, &err));
        CHECK_EQUAL(newer, resumes(session));
        check_close(session);
        pair_close(&pair);
    }
}

/* A server that does not know the session shakes hands in full. */
static void of_another_server(void)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session;

        open_way(i);
        session = new_session();
        pair_disconnect(&pair);
        check_close(pair.server_ctx);
        pair.server_ctx = pair_server_ctx(&plan);
        CHECK(!resumes(session));
        check_close(session);
        pair_close(&pair);
    }
}

static void of_another_session_id_context(void)
{
    static const uint8_t id[33] = "another service";

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        fssl_handle session;

        open_way(i);
        session = new_session();
        CHECK_OK(fssl_ctx_set_session_id_context(pair.server_ctx, id, 32, &err));
        CHECK(!resumes(session));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_session_id_context(pair.server_ctx, id, 33, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_session_id_context(pair.server_ctx, NULL, 1, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_session_id_context(pair.server_ctx, id, -1, &err));
        check_close(session);
        pair_close(&pair);
    }
}

static void too_old(void)
{
    const struct timespec past = {2, 100000000};

    for (size_t i = 0; i < COUNT_OF(ways); i += 2) {
        fssl_handle session;

        open_way(i);
        CHECK_IS(300, fssl_ctx_set_timeout(pair.server_ctx, 1, &err));
        CHECK_IS(300, fssl_ctx_set_timeout(pair.client_ctx, 1, &err));
        session = new_session();
        nanosleep(&past, NULL);
        CHECK(!resumes(session));
        check_close(session);
        pair_close(&pair);
    }
}

/* ---- what a session tells ---- */

static void its_properties(void)
{
    time_t now = time(NULL);
    fssl_handle session;
    int64_t made = 0;

    open_way(1);
    session = new_session();
    CHECK_EQUAL(32, bytes_of(fssl_session_id, session)->len);
    CHECK_OK(fssl_session_time(session, &made, &err));
    CHECK(made >= now - 1 && made <= now + 60);
    CHECK_IS(300, fssl_session_timeout(session, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_session_time(session, NULL, &err));
    check_close(session);
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_session_time(session, &made, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_session_timeout(session, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_session_resumable(session, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_session_id(session, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_session_to_bytes(session, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_session(pair.client, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_session_reused(pair.client, &err));
}

static void none_yet(void)
{
    fssl_handle session;

    open_way(2);
    pair_connect(&pair, &plan);
    CHECK_IS(0, fssl_conn_session(pair.client, &err));
    CHECK_IS(0, fssl_conn_session_reused(pair.client, &err));
    CHECK(pair_handshake(&pair));
    session = CHECK_MADE(fssl_conn_session(pair.client, &err));
    CHECK_IS(0, fssl_session_resumable(session, &err)); /* before a ticket was received */
    check_close(session);
    pair_close(&pair);
}

static void cache_modes(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));

    CHECK_IS(FSSL_SESS_CACHE_SERVER, fssl_ctx_session_cache_mode(ctx, &err));
    CHECK_IS(FSSL_SESS_CACHE_SERVER,
             fssl_ctx_set_session_cache_mode(ctx, FSSL_SESS_CACHE_OFF, &err));
    CHECK_IS(FSSL_SESS_CACHE_OFF,
             fssl_ctx_set_session_cache_mode(
                 ctx, FSSL_SESS_CACHE_BOTH | FSSL_SESS_CACHE_NO_INTERNAL, &err));
    CHECK_IS(FSSL_SESS_CACHE_BOTH | FSSL_SESS_CACHE_NO_INTERNAL,
             fssl_ctx_session_cache_mode(ctx, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_session_cache_mode(ctx, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_session_cache_mode(ctx, 1 << 30, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_session_cache_mode(ctx, &err));
    open_way(1);
    CHECK_GIVES(fssl_ctx_set_session_cache_mode(pair.server_ctx, FSSL_SESS_CACHE_OFF, &err));
    CHECK(!resumes(0));
    ctx = CHECK_MADE(fssl_conn_session(pair.client, &err));
    CHECK(!resumes(ctx));
    check_close(ctx);
    pair_close(&pair);
}

static void timeouts(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));

    CHECK_IS(300, fssl_ctx_timeout(ctx, &err));
    CHECK_IS(300, fssl_ctx_set_timeout(ctx, 77, &err));
    CHECK_IS(77, fssl_ctx_set_timeout(ctx, 0, &err));
    CHECK_IS(0, fssl_ctx_timeout(ctx, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_timeout(ctx, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_timeout(ctx, INT64_MIN, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_timeout(ctx, &err));
}

static const struct check_case cases[] = {
    {"resumed", resumed},
    {"trap-session resumed without shutdown", resumed_without_shutdown},
    {"resumed from bytes", resumed_from_bytes},
    {"bytes that are none", bytes_that_are_none},
    {"CVE-2016-5419 of another context", of_another_context},
    {"CVE-2021-22890 of another host", of_another_host},
    {"CVE-2025-68121 of a laxer policy", of_a_laxer_policy},
    {"of a cipher that is no longer offered", of_a_cipher_that_is_no_longer_offered},
    {"of another server", of_another_server},
    {"of another session id context", of_another_session_id_context},
    {"too old", too_old},
    {"its properties", its_properties},
    {"none yet", none_yet},
    {"cache modes", cache_modes},
    {"timeouts", timeouts},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
