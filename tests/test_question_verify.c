/* What a waived error of the peer's certificates stands for, and for how long; and hellos that are
   as large as they may be. */
#include "builder.h"
#include "pair.h"

#include <stdio.h>
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

/* ---- several errors ---- */

enum { TOO_LATE = 2524608000 }; /* 2050, when nothing that a test makes is valid any more */

/* Gives a client's context its authority again, for another time. */
static void see_from(fssl_handle ctx, fssl_handle ca, int64_t seconds)
{
    fssl_handle store = CHECK_MADE(fssl_store_new(&err));

    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    CHECK_OK(fssl_store_set_time(store, seconds, &err));
    CHECK_OK(fssl_ctx_set_cert_store(ctx, store, &err));
    check_close(store);
}

/* A client to which a server's certificate, the one above and the root are all expired. */
static struct pair asking_too_late(void)
{
    fssl_handle ca = identity_cert_handle(ID_CA), middle = identity_cert_handle(ID_MIDDLE_CA);
    struct pair pair;

    pair_contexts(&pair, &(struct pair_plan){.server = ID_CHAINED});
    CHECK_OK(fssl_ctx_add_extra_chain_cert(pair.server_ctx, middle, &err));
    see_from(pair.client_ctx, ca, TOO_LATE);
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_VERIFY, &err));
    CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair));
    check_close(middle);
    check_close(ca);
    return pair;
}

/* Each error of each certificate is waived by itself. */
static void errors_are_waived_one_by_one(void)
{
    for (int64_t kept = -1; kept < 3; kept++) {
        struct pair pair = asking_too_late();
        int32_t depths = 0;

        CHECK_IS(3, fssl_conn_verify_error_count(pair.client, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_verify_error_item(pair.client, -1, NULL, &err));
        for (int64_t i = 0; i < 3; i++) {
            int32_t depth = -1;

            CHECK_IS(X509_V_ERR_CERT_HAS_EXPIRED,
                     fssl_conn_verify_error_item(pair.client, i, NULL, &err));
            CHECK_GIVES(fssl_conn_verify_error_item(pair.client, i, &depth, &err));
            depths |= 1 << depth;
            if (i != kept)
                CHECK_OK(fssl_conn_waive_verify_error(pair.client, i, &err));
        }
        CHECK_EQUAL(7, depths);
        CHECK_OK(fssl_conn_answer_verify(pair.client, 0, &err));
        CHECK_EQUAL(kept < 0 ? FSSL_OK : FSSL_E_VERIFY,
                    fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
    }
}

/* A wrong address is waived like a wrong name, and once only. */
static void a_wrong_host_is_waived(void)
{
    static const char *const hosts[] = {"elsewhere.test", "127.0.0.2"};

    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct pair pair = pair_open(&(struct pair_plan){.host = hosts[i]});

        CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_VERIFY, &err));
        waive(&pair);
        pair_disconnect(&pair);
        pair_connect(&pair, &(struct pair_plan){.host = hosts[i]});
        CHECK_EQUAL(FSSL_E_HOST, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
    }
}

/* A chain with more errors than can be shown is refused without a question. */
static void more_errors_than_are_shown(void)
{
    enum { LONG = 34 };
    fssl_handle ca_key = build_key(), ca = build_ca("root", ca_key), above = ca;
    fssl_handle made[LONG], leaf;
    struct pair pair;

    pair_contexts(&pair, &(struct pair_plan){0});
    see_from(pair.client_ctx, ca, TOO_LATE + 315360000);
    for (int i = 0; i < LONG; i++) {
        char name[32];

        snprintf(name, sizeof name, "between %d", i);
        above = made[i] = build_middle_ca(name, ca_key, above, ca_key);
        CHECK_OK(fssl_ctx_add_extra_chain_cert(pair.server_ctx, above, &err));
    }
    leaf = build_leaf("localhost", ca_key, above, ca_key);
    CHECK_OK(fssl_ctx_use_certificate(pair.server_ctx, leaf, &err));
    CHECK_OK(fssl_ctx_use_private_key(pair.server_ctx, ca_key, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_VERIFY, &err));
    CHECK_EQUAL(FSSL_E_VERIFY, until_asked(&pair));
    for (int i = 0; i < LONG; i++)
        check_close(made[i]);
    check_close(leaf);
    check_close(ca);
    check_close(ca_key);
    pair_close(&pair);
}

/* A server that verifies nobody asks about nobody. */
static void a_server_without_verification(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    CHECK_OK(fssl_conn_ask(pair.server, FSSL_ASK_VERIFY, &err));
    CHECK(pair_handshake(&pair));
    pair_close(&pair);
}

/* A resumed session brings what was wrong with its certificate along. */
static void a_resumed_session_is_asked_about(void)
{
    static const struct {
        enum identity_name trust;
        bool waived;
        int32_t code;
    } rows[] = {
        {ID_OTHER_CA, false, FSSL_E_VERIFY}, {ID_OTHER_CA, true, FSSL_OK}, {ID_CA, false, FSSL_OK}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair_plan plan = {.version = FSSL_TLS1_2_VERSION, .trust = rows[i].trust};
        struct pair pair = pair_open(&plan);
        fssl_handle session;

        CHECK_OK(fssl_conn_set_verify(pair.client, FSSL_VERIFY_NONE, &err));
        CHECK(pair_handshake(&pair));
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        pair_disconnect(&pair);
        pair_connect(&pair, &plan);
        CHECK_OK(fssl_conn_set_verify(pair.client, FSSL_VERIFY_NONE, &err));
        CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_VERIFY, &err));
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair));
        CHECK_IS(1, fssl_conn_session_reused(pair.client, &err));
        CHECK_FAILS(FSSL_E_WANT_VERIFY, fssl_conn_do_handshake(pair.client, &err));
        CHECK_IS(rows[i].trust != ID_CA, fssl_conn_verify_error_count(pair.client, &err));
        if (rows[i].waived)
            CHECK_OK(fssl_conn_waive_verify_error(pair.client, 0, &err));
        CHECK_OK(fssl_conn_answer_verify(pair.client, 0, &err));
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        check_close(session);
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
    {"errors are waived one by one", errors_are_waived_one_by_one},
    {"a wrong host is waived", a_wrong_host_is_waived},
    {"more errors than are shown", more_errors_than_are_shown},
    {"a server without verification", a_server_without_verification},
    {"a resumed session is asked about", a_resumed_session_is_asked_about},
    {"the largest hello is read", the_largest_hello_is_read},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
