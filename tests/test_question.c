/* Questions: asked, read, answered, refused. How they wait is in test_question_late.c. */
#include <string.h>

#include <openssl/x509_vfy.h>

#include "pair.h"

enum { ALL = FSSL_ASK_CLIENT_HELLO | FSSL_ASK_CERTIFICATE | FSSL_ASK_VERIFY };
enum { ACCESS_DENIED = 49, ALERTS = 256, ROUNDS = 400 };

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

/* Advances one end once. Returns the code it stops with. */
static int32_t advance(fssl_handle conn)
{
    int32_t code = FSSL_OK;

    fssl_conn_do_handshake(conn, &code);
    return code;
}

/* Advances both ends until `conn` asks, or until both are done or one has failed. */
static int32_t until_asked(struct pair *pair, fssl_handle conn)
{
    int32_t code = FSSL_E_WANT_READ, other = FSSL_E_WANT_READ;
    fssl_handle peer = conn == pair->client ? pair->server : pair->client;

    for (int i = 0; i < ROUNDS; i++) {
        code = advance(conn);
        other = advance(peer);
        pair_carry(pair);
        if (code != FSSL_E_WANT_READ && code != FSSL_OK)
            return code;
        if (code == FSSL_OK && other == FSSL_OK)
            return FSSL_OK;
    }
    return code;
}

static struct pair asking(int32_t version, bool server, int32_t mask, enum identity_name trust,
                          enum identity_name client)
{
    struct pair_plan plan = {.version = version, .trust = trust, .client = client};
    struct pair pair = pair_open(&plan);

    CHECK_OK(fssl_conn_ask(server ? pair.server : pair.client, mask, &err));
    return pair;
}

/* ---- the client hello ---- */

static int64_t hello_len(fssl_handle conn, int32_t part)
{
    static uint8_t buf[16384];

    return CHECK_GIVES(fssl_conn_hello_bytes(conn, part, buf, sizeof buf, &err));
}

static void hello_is_read(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = asking(versions[i], true, FSSL_ASK_CLIENT_HELLO, ID_CA, ID_NONE);
        uint8_t raw[4096], random[32];
        int64_t len;

        CHECK_OK(fssl_conn_set_alpn_protos(pair.client, (const uint8_t *)"\x02h2", 3, &err));
        CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
        CHECK_IS(32, fssl_conn_hello_bytes(pair.server, FSSL_HELLO_RANDOM, random, 32, &err));
        len =
            CHECK_GIVES(fssl_conn_hello_bytes(pair.server, FSSL_HELLO_RAW, raw, sizeof raw, &err));
        CHECK(len > 100 && memcmp(raw + 2, random, 32) == 0);
        CHECK_IS(3, fssl_conn_hello_bytes(pair.server, FSSL_HELLO_ALPN, raw, sizeof raw, &err));
        CHECK_BYTES("\x02h2", raw, 3);
        CHECK(hello_len(pair.server, FSSL_HELLO_VERSIONS) >= 2);
        CHECK(hello_len(pair.server, FSSL_HELLO_CIPHERS) >= 2);
        CHECK(hello_len(pair.server, FSSL_HELLO_GROUPS) >= 2);
        CHECK(hello_len(pair.server, FSSL_HELLO_SIGNATURE_ALGORITHMS) >= 2);
        CHECK(hello_len(pair.server, FSSL_HELLO_EXTENSIONS) >= 10);
        hello_len(pair.server, FSSL_HELLO_SESSION_ID);
        CHECK_IS(5, fssl_conn_hello_ext(pair.server, 16, raw, sizeof raw, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_hello_ext(pair.server, 4711, raw, 1, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_hello_bytes(pair.server, 99, raw, 1, &err));
        CHECK_FAILS(FSSL_E_BUFFER,
                    fssl_conn_hello_bytes(pair.server, FSSL_HELLO_RAW, raw, 10, &err));
        CHECK_TEXT("localhost", text_of(fssl_conn_server_name, pair.server));
        CHECK_OK(fssl_conn_answer_hello(pair.server, 0, &err));
        CHECK_FAILS(FSSL_E_STATE,
                    fssl_conn_hello_bytes(pair.server, FSSL_HELLO_RAW, raw, 10, &err));
        CHECK(pair_handshake(&pair));
        pair_close(&pair);
    }
}

static void hello_is_refused(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = asking(versions[i], true, FSSL_ASK_CLIENT_HELLO, ID_CA, ID_NONE);
        struct pair_result result;

        CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_answer_hello(pair.server, -1, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_answer_hello(pair.server, 256, &err));
        CHECK_OK(fssl_conn_answer_hello(pair.server, ACCESS_DENIED, &err));
        result = pair_handshake_results(&pair);
        CHECK_EQUAL(FSSL_E_TLS, fssl_error_code(result.server, NULL));
        CHECK_EQUAL(FSSL_E_ALERT, fssl_error_code(result.client, NULL));
        CHECK_EQUAL(ACCESS_DENIED, error_int(result.client, FSSL_ERROR_ALERT));
        pair_close(&pair);
    }
}

/* Whatever alert is not refused as an answer arrives, or its stand-in in this version. */
static void every_alert(void)
{
    int sent = 0;

    for (int32_t alert = 1; alert < ALERTS; alert++) {
        struct pair pair = asking(versions[alert % 2], true, FSSL_ASK_CLIENT_HELLO, ID_CA, ID_NONE);
        int32_t code = FSSL_OK;
        struct pair_result result;

        CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
        if (fssl_conn_answer_hello(pair.server, alert, &code) == 0) {
            result = pair_handshake_results(&pair);
            CHECK_EQUAL(FSSL_E_ALERT, fssl_error_code(result.client, NULL));
            sent++;
        } else {
            CHECK_EQUAL(FSSL_E_ARGUMENT, code);
        }
        pair_close(&pair);
    }
    CHECK_EQUAL(30, sent);
}

/* The context, protocols and certificate that are set while the question is open are used. */
static void hello_decides(void)
{
    struct pair pair = asking(FSSL_TLS1_3_VERSION, true, FSSL_ASK_CLIENT_HELLO, ID_CA, ID_NONE);
    struct pair_plan other_plan = {.server = ID_RSA};
    fssl_handle other = pair_server_ctx(&other_plan), key, cert;

    CHECK_OK(fssl_conn_set_alpn_protos(pair.client, (const uint8_t *)"\x02h2\x01x", 5, &err));
    CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
    CHECK_OK(fssl_conn_set_context(pair.server, other, &err));
    CHECK_OK(fssl_conn_set_alpn_preference(pair.server, (const uint8_t *)"\x01x", 2, &err));
    CHECK_OK(fssl_conn_set_max_proto_version(pair.server, FSSL_TLS1_3_VERSION, &err));
    CHECK_OK(fssl_conn_set_min_proto_version(pair.server, FSSL_TLS1_2_VERSION, &err));
    CHECK_OK(fssl_conn_answer_hello(pair.server, 0, &err));
    CHECK(pair_handshake(&pair));
    CHECK_BYTES("x", bytes_of(fssl_conn_alpn_proto, pair.client)->data, 1);
    cert = CHECK_MADE(fssl_conn_peer_certificate(pair.client, &err));
    key = CHECK_MADE(fssl_cert_public_key(cert, &err));
    CHECK_IS(FSSL_KEY_RSA, fssl_key_type(key, &err));
    check_close(key);
    check_close(cert);
    check_close(other);
    pair_close(&pair);
}

/* ---- a certificate ---- */

static void certificate_is_given(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i], .client = ID_CLIENT};
        struct pair pair = pair_open(&plan);
        fssl_handle cert = identity_cert_handle(ID_CLIENT), key = identity_key_handle(ID_CLIENT);
        fssl_handle bare, got;

        check_close(pair.client);
        bare = pair_client_ctx(&(struct pair_plan){.version = versions[i]});
        pair.client = CHECK_MADE(fssl_conn_new_memory(bare, &err));
        CHECK_OK(fssl_conn_set_host(pair.client, "localhost", FSSL_NUL_TERMINATED, &err));
        CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_CERTIFICATE, &err));
        CHECK_EQUAL(FSSL_E_WANT_CERTIFICATE, until_asked(&pair, pair.client));
        CHECK(bytes_of(fssl_conn_peer_signature_algorithms, pair.client)->len >= 2);
        CHECK_OK(fssl_conn_use_certificate(pair.client, cert, &err));
        CHECK_OK(fssl_conn_use_private_key(pair.client, key, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_answer_certificate(pair.client, 2, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_answer_certificate(pair.client, -1, &err));
        CHECK_OK(fssl_conn_answer_certificate(pair.client, 1, &err));
        CHECK_FAILS(FSSL_E_STATE, fssl_conn_answer_certificate(pair.client, 1, &err));
        CHECK(pair_handshake(&pair));
        got = CHECK_MADE(fssl_conn_peer_certificate(pair.server, &err));
        check_close(got);
        check_close(bare);
        check_close(cert);
        check_close(key);
        pair_close(&pair);
    }
}

/* None is sent, although the context has one: the server demands it and refuses. */
static void certificate_is_withheld(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = asking(versions[i], false, FSSL_ASK_CERTIFICATE, ID_CA, ID_CLIENT);
        struct pair_result result;

        CHECK_EQUAL(FSSL_E_WANT_CERTIFICATE, until_asked(&pair, pair.client));
        CHECK_OK(fssl_conn_answer_certificate(pair.client, 0, &err));
        result = pair_handshake_results(&pair);
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(result.server, NULL));
        pair_close(&pair);
    }
}

static void server_certificate_is_given(void)
{
    struct pair pair = asking(0, true, FSSL_ASK_CERTIFICATE, ID_CA, ID_NONE);
    fssl_handle cert = identity_cert_handle(ID_RSA), key = identity_key_handle(ID_RSA);

    CHECK_EQUAL(FSSL_E_WANT_CERTIFICATE, until_asked(&pair, pair.server));
    CHECK_OK(fssl_conn_use_certificate(pair.server, cert, &err));
    CHECK_OK(fssl_conn_use_private_key(pair.server, key, &err));
    CHECK_OK(fssl_conn_answer_certificate(pair.server, 1, &err));
    CHECK(pair_handshake(&pair));
    check_close(cert);
    check_close(key);
    pair_close(&pair);
}

/* The question is there behind another context, too, whether a name or the caller led to it. */
static void asked_behind_another_context(void)
{
    for (size_t i = 0; i < 2 * COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i / 2]};
        struct pair pair = pair_open(&plan);
        fssl_handle other = pair_server_ctx(&plan);

        if (i % 2) {
            check_close(pair.server);
            CHECK_OK(fssl_ctx_add_server_name(pair.server_ctx, "localhost", FSSL_NUL_TERMINATED,
                                              other, &err));
            pair.server = CHECK_MADE(fssl_conn_new_memory(pair.server_ctx, &err));
        }
        CHECK_OK(fssl_conn_ask(pair.server, FSSL_ASK_CLIENT_HELLO | FSSL_ASK_CERTIFICATE, &err));
        CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
        if (i % 2 == 0)
            CHECK_OK(fssl_conn_set_context(pair.server, other, &err));
        CHECK_OK(fssl_conn_answer_hello(pair.server, 0, &err));
        CHECK_EQUAL(FSSL_E_WANT_CERTIFICATE, until_asked(&pair, pair.server));
        CHECK_OK(fssl_conn_answer_certificate(pair.server, 1, &err));
        CHECK(pair_handshake(&pair));
        check_close(other);
        pair_close(&pair);
    }
}

/* A second hello, which the server has asked for, brings no second question. */
static void asked_once_for_two_hellos(void)
{
    struct pair pair = asking(FSSL_TLS1_3_VERSION, true, ALL, ID_CA, ID_CLIENT);

    check_close(pair.client);
    CHECK_OK(fssl_ctx_set_groups(pair.client_ctx, "P-521:P-256", FSSL_NUL_TERMINATED, &err));
    CHECK_OK(fssl_ctx_set_queue(pair.client_ctx, FSSL_QUEUE_SESSION, 9, &err));
    pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
    CHECK_OK(fssl_conn_set_host(pair.client, "localhost", FSSL_NUL_TERMINATED, &err));
    check_close(pair.server);
    CHECK_OK(fssl_ctx_set_groups(pair.server_ctx, "P-256", FSSL_NUL_TERMINATED, &err));
    pair.server = CHECK_MADE(fssl_conn_new_memory(pair.server_ctx, &err));
    CHECK_OK(fssl_conn_ask(pair.server, ALL, &err));
    CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
    CHECK_OK(fssl_conn_answer_hello(pair.server, 0, &err));
    CHECK_EQUAL(FSSL_E_WANT_CERTIFICATE, until_asked(&pair, pair.server));
    CHECK_OK(fssl_conn_answer_certificate(pair.server, 1, &err));
    CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair, pair.server));
    CHECK_OK(fssl_conn_answer_verify(pair.server, 0, &err));
    CHECK(pair_handshake(&pair));
    CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"accepted", 8));
    CHECK_IS(2, fssl_ctx_queue_count(pair.client_ctx, FSSL_QUEUE_SESSION, &err)); /* as always */
    pair_close(&pair);
}

/* ---- verification ---- */

struct verdict {
    const char *name;
    bool waive;
    int32_t refusal;
    int32_t code; /* of the end that asks */
};

static const struct verdict verdicts[] = {
    {"all errors waived", true, 0, FSSL_OK},
    {"nothing waived", false, 0, FSSL_E_VERIFY},
    {"refused with a code", true, X509_V_ERR_CERT_REVOKED, FSSL_E_VERIFY},
};

static void answer(fssl_handle conn, const struct verdict *verdict)
{
    int32_t depth = -1;
    int64_t count = CHECK_GIVES(fssl_conn_verify_error_count(conn, &err));

    CHECK(count > 0);
    CHECK(CHECK_GIVES(fssl_conn_verify_error_item(conn, 0, &depth, &err)) > 0 && depth >= 0);
    CHECK(CHECK_GIVES(fssl_conn_peer_chain_count(conn, &err)) > 0);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_verify_error_item(conn, count, &depth, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_waive_verify_error(conn, count, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_waive_verify_error(conn, -2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_answer_verify(conn, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_answer_verify(conn, 100000, &err));
    if (verdict->waive)
        CHECK_OK(fssl_conn_waive_verify_error(conn, -1, &err));
    CHECK_OK(fssl_conn_answer_verify(conn, verdict->refusal, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_answer_verify(conn, 0, &err));
}

static void judge(int32_t version, bool server, const struct verdict *verdict)
{
    struct pair pair = server ? asking(version, true, FSSL_ASK_VERIFY, ID_CA, ID_OTHER)
                              : asking(version, false, FSSL_ASK_VERIFY, ID_OTHER_CA, ID_NONE);
    fssl_handle conn = server ? pair.server : pair.client;
    struct pair_result result;
    uint8_t byte;

    CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair, conn));
    CHECK_EQUAL(FSSL_E_WANT_VERIFY, advance(conn)); /* unanswered */
    answer(conn, verdict);
    result = pair_handshake_results(&pair);
    CHECK_EQUAL(verdict->code, fssl_error_code(server ? result.server : result.client, NULL));
    if (!verdict->code) {
        CHECK_IS(0, fssl_conn_verify_result(conn, &err));
        CHECK(pair_transfer(&pair, conn, (const uint8_t *)"accepted", 8));
    } else {
        pair_settle(&pair);
        CHECK_FAILS(FSSL_E_ALERT,
                    fssl_conn_recv(server ? pair.client : pair.server, &byte, 1, 0, &err));
    }
    pair_close(&pair);
}

static void verification_is_judged(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        for (size_t v = 0; v < COUNT_OF(verdicts); v++) {
            check_row(verdicts[v].name);
            judge(versions[i], false, &verdicts[v]);
            judge(versions[i], true, &verdicts[v]);
        }
    }
    check_row(NULL);
}

/* What was refused is not resumed, and no ticket of TLS 1.3 goes out before the answer. */
static void refusal_gives_no_ticket(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = asking(versions[i], true, FSSL_ASK_VERIFY, ID_CA, ID_OTHER);
        uint8_t byte;

        CHECK_OK(fssl_ctx_set_queue(pair.client_ctx, FSSL_QUEUE_SESSION, 8, &err));
        CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair, pair.server));
        pair_settle(&pair);
        fssl_conn_recv(pair.client, &byte, 1, 0, NULL);
        if (versions[i] == FSSL_TLS1_3_VERSION)
            CHECK_IS(0, fssl_ctx_queue_count(pair.client_ctx, FSSL_QUEUE_SESSION, &err));
        CHECK_OK(fssl_conn_answer_verify(pair.server, 1, &err));
        pair_handshake_results(&pair);
        pair_close(&pair);
    }
}

/* Nor does one of TLS 1.2, however it comes that this version is spoken: the refused client would
   come back with it. */
static void refusal_gives_no_ticket_when_lowered(void)
{
    for (int by_answer = 0; by_answer < 2; by_answer++) {
        struct pair pair =
            asking(0, true, FSSL_ASK_CLIENT_HELLO | FSSL_ASK_VERIFY, ID_CA, ID_OTHER);
        fssl_handle session;

        if (!by_answer)
            CHECK_GIVES(fssl_conn_set_options(pair.server, FSSL_OP_NO_TLSV1_3, &err));
        CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
        if (by_answer)
            CHECK_OK(fssl_conn_set_max_proto_version(pair.server, FSSL_TLS1_2_VERSION, &err));
        CHECK_OK(fssl_conn_answer_hello(pair.server, 0, &err));
        CHECK_EQUAL(FSSL_E_WANT_VERIFY, until_asked(&pair, pair.server));
        pair_settle(&pair);
        advance(pair.client);
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        CHECK_OK(fssl_conn_answer_verify(pair.server, 1, &err));
        pair_handshake_results(&pair);
        pair_disconnect(&pair);
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_conn_set_max_proto_version(pair.client, FSSL_TLS1_2_VERSION, &err));
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        pair_handshake_results(&pair);
        CHECK_IS(0, fssl_conn_session_reused(pair.client, &err));
        check_close(session);
        pair_close(&pair);
    }
}

/* ---- the rules ---- */

static void rules(void)
{
    struct pair pair = asking(0, true, ALL, ID_CA, ID_NONE);
    int32_t depth;

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_ask(pair.server, 8, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_answer_hello(pair.server, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_verify_error_count(pair.server, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_verify_error_item(pair.server, 0, &depth, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_waive_verify_error(pair.server, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_hello_ext(pair.server, 0, NULL, 0, &err));
    CHECK_EQUAL(FSSL_E_WANT_CLIENT_HELLO, until_asked(&pair, pair.server));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_ask(pair.server, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_answer_verify(pair.server, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_answer_certificate(pair.server, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_answer_hello(pair.client, 0, &err));
    pair_close(&pair); /* while the question is open */
}

static const struct check_case cases[] = {
    {"hello is read", hello_is_read},
    {"hello is refused", hello_is_refused},
    {"every alert", every_alert},
    {"hello decides", hello_decides},
    {"certificate is given", certificate_is_given},
    {"certificate is withheld", certificate_is_withheld},
    {"server certificate is given", server_certificate_is_given},
    {"asked behind another context", asked_behind_another_context},
    {"asked once for two hellos", asked_once_for_two_hellos},
    {"verification is judged", verification_is_judged},
    {"refusal gives no ticket", refusal_gives_no_ticket},
    {"refusal gives no ticket when lowered", refusal_gives_no_ticket_when_lowered},
    {"rules", rules},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
