/* Pushed callbacks: each called, answered yes and no, failing, and what works inside. */
#include <string.h>

#include <openssl/ssl.h>

#include "pair.h"

enum { TOKEN = 7, YES = 1, NO = 0, BROKEN = -1 };

static int32_t reply;  /* what the callbacks of a case return */
static int calls;      /* how often one was called */
static int64_t inside; /* a result of a call made inside one */
static uint8_t seen[64];
static int64_t seen_len;

static void expect(int32_t answer)
{
    reply = answer;
    calls = 0;
    inside = 0;
    seen_len = 0;
}

static void see(const void *data, int64_t len)
{
    seen_len = len < (int64_t)sizeof seen ? len : (int64_t)sizeof seen;
    if (seen_len > 0)
        memcpy(seen, data, (size_t)seen_len);
}

/* ---- verify ---- */

static int32_t on_verify(int64_t token, fssl_handle conn, int32_t error, int32_t depth, int32_t ok)
{
    fssl_handle cert = fssl_conn_verify_cert(conn, NULL);

    calls++;
    CHECK(token == TOKEN && depth >= 0 && (ok ? error == 0 : error > 0));
    inside = fssl_conn_recv(conn, seen, 1, 0, NULL);
    check_close(cert);
    return reply;
}

static void verify_row(bool on_context, int32_t answer, int32_t code)
{
    struct pair_plan plan = {.trust = ID_OTHER_CA};
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    expect(answer);
    if (on_context)
        CHECK_OK(fssl_ctx_set_verify_callback(pair.client_ctx, on_verify, TOKEN, &err));
    pair_connect(&pair, &plan);
    if (!on_context)
        CHECK_OK(fssl_conn_set_verify_callback(pair.client, on_verify, TOKEN, &err));
    CHECK_EQUAL(code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
    CHECK(calls > 0);
    CHECK_EQUAL(FSSL_E_IN_CALLBACK, fssl_error_code(inside, NULL));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_verify_cert(pair.client, &err));
    pair_close(&pair);
}

static void verify(void)
{
    for (int on_context = 0; on_context < 2; on_context++) {
        verify_row(on_context, YES, FSSL_OK);
        verify_row(on_context, NO, FSSL_E_VERIFY);
        verify_row(on_context, BROKEN, FSSL_E_CALLBACK);
        verify_row(on_context, 2, FSSL_E_CALLBACK);
    }
}

/* ---- protocols ---- */

static const uint8_t offered[] = "\x02h2\x08http/1.1";
enum { OFFERED = sizeof offered - 1 };
static const char *picked;
static int64_t picked_len;

static int32_t on_protos(int64_t token, fssl_handle conn, const uint8_t *protos, int64_t len)
{
    calls++;
    CHECK_EQUAL(TOKEN, token);
    see(protos, len);
    if (picked_len >= 0)
        inside = fssl_conn_answer(conn, (const uint8_t *)picked, picked_len, NULL);
    return reply;
}

struct row {
    int32_t reply;
    const char *picked;
    int64_t picked_len; /* -1 for no answer */
    int32_t code;       /* of the end that asked */
    int64_t chosen;     /* length of the protocol that came of it */
};

static void alpn_select(void)
{
    static const struct row rows[] = {
        {YES, "h2", 2, FSSL_OK, 2},          {NO, NULL, -1, FSSL_OK, 0},
        {YES, NULL, -1, FSSL_E_CALLBACK, 0}, {BROKEN, "h2", 2, FSSL_E_CALLBACK, 0},
        {YES, NULL, 0, FSSL_E_CALLBACK, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair pair;
        struct pair_plan plan = {0};

        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &plan);
        expect(rows[i].reply);
        picked = rows[i].picked;
        picked_len = rows[i].picked_len;
        CHECK_OK(fssl_ctx_set_alpn_select_callback(pair.server_ctx, on_protos, TOKEN, &err));
        CHECK_OK(fssl_ctx_set_alpn_protos(pair.client_ctx, offered, OFFERED, &err));
        pair_connect(&pair, &plan);
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).server, NULL));
        CHECK_EQUAL(1, calls);
        CHECK_BYTES(offered, seen, OFFERED);
        CHECK_EQUAL(rows[i].chosen, bytes_of(fssl_conn_alpn_proto, pair.client)->len);
        pair_close(&pair);
    }
}

/* A context of the server's that no name leads to sends no alert where nobody asked for ALPN. */
static void answer_is_refused_elsewhere(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_answer(pair.client, (const uint8_t *)"h2", 2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_answer(pair.client, NULL, 2, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_answer_passphrase(pair.client_ctx, seen, 2, &err));
    pair_close(&pair);
}

static void npn(void)
{
    struct pair_plan plan = {.version = FSSL_TLS1_2_VERSION};
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    expect(YES);
    picked = (const char *)offered;
    picked_len = OFFERED;
    CHECK_OK(fssl_ctx_set_npn_advertise_callback(pair.server_ctx, on_protos, TOKEN, &err));
    CHECK_OK(
        fssl_ctx_set_npn_preference(pair.client_ctx, (const uint8_t *)"\x08http/1.1", 9, &err));
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    CHECK_EQUAL(8, bytes_of(fssl_conn_next_proto, pair.server)->len);
    pair_disconnect(&pair);

    CHECK_OK(fssl_ctx_set_npn_advertise_callback(pair.server_ctx, NULL, 0, &err));
    CHECK_OK(fssl_ctx_set_npn_advertised(pair.server_ctx, offered, OFFERED, &err));
    CHECK_OK(fssl_ctx_set_npn_select_callback(pair.client_ctx, on_protos, TOKEN, &err));
    picked = "h2";
    picked_len = 2;
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    CHECK_BYTES(offered, seen, OFFERED);
    CHECK_EQUAL(2, bytes_of(fssl_conn_next_proto, pair.client)->len);
    pair_disconnect(&pair);

    reply = BROKEN;
    pair_connect(&pair, &plan);
    CHECK_EQUAL(FSSL_E_CALLBACK, fssl_error_code(pair_handshake_results(&pair).client, NULL));
    pair_close(&pair);
}

/* ---- server name ---- */

static fssl_handle other;

static int32_t on_server_name(int64_t token, fssl_handle conn)
{
    char name[64];
    int64_t len = fssl_conn_server_name(conn, name, sizeof name, NULL);

    calls++;
    CHECK_EQUAL(TOKEN, token);
    see(name, len);
    if (other)
        inside = fssl_conn_set_context(conn, other, NULL);
    return reply;
}

/* A server that switches to a context that demands a certificate refuses a client without one. */
static void server_name(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i]};
        struct pair_plan demanding = {.server = ID_RSA, .client = ID_CLIENT};
        struct pair pair;

        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &plan);
        CHECK_OK(fssl_ctx_set_server_name_callback(pair.server_ctx, on_server_name, TOKEN, &err));
        other = 0;
        expect(YES);
        pair_connect(&pair, &plan);
        CHECK(pair_handshake(&pair));
        CHECK_EQUAL(1, calls);
        CHECK_BYTES("localhost", seen, 9);
        pair_disconnect(&pair);

        other = pair_server_ctx(&demanding);
        pair_connect(&pair, &plan);
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).server, NULL));
        CHECK_EQUAL(0, inside);
        pair_disconnect(&pair);

        expect(BROKEN);
        pair_connect(&pair, &plan);
        CHECK_EQUAL(FSSL_E_CALLBACK, fssl_error_code(pair_handshake_results(&pair).server, NULL));
        pair_close(&pair);
        check_close(other);
    }
}

/* ---- OCSP ---- */

static const char try_later[] = "\x30\x03\x0a\x01\x03"; /* an OCSPResponse in DER */

static int32_t on_staple(int64_t token, fssl_handle conn, const uint8_t *der, int64_t len)
{
    calls++;
    CHECK_EQUAL(TOKEN, token);
    see(der, len);
    return conn > 0 ? reply : BROKEN;
}

static void ocsp_client(void)
{
    static const struct row rows[] = {
        {YES, NULL, -1, FSSL_OK, 0},
        {NO, NULL, -1, FSSL_E_TLS, 0},
        {BROKEN, NULL, -1, FSSL_E_CALLBACK, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair_plan plan = {0};
        struct pair pair;

        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &plan);
        expect(rows[i].reply);
        CHECK_OK(fssl_ctx_set_ocsp_response(pair.server_ctx, (const uint8_t *)try_later, 5, &err));
        CHECK_OK(fssl_ctx_set_ocsp_client_callback(pair.client_ctx, on_staple, TOKEN, &err));
        pair_connect(&pair, &plan);
        CHECK_OK(fssl_conn_request_ocsp(pair.client, &err));
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        CHECK_EQUAL(1, calls);
        CHECK_BYTES(try_later, seen, 5);
        pair_close(&pair);
    }
}

static void ocsp_server(void)
{
    struct pair_plan plan = {0};
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    expect(YES);
    picked = try_later;
    picked_len = 5;
    CHECK_OK(fssl_ctx_set_ocsp_server_callback(pair.server_ctx, on_protos, TOKEN, &err));
    pair_connect(&pair, &plan);
    CHECK_OK(fssl_conn_request_ocsp(pair.client, &err));
    CHECK(pair_handshake(&pair));
    CHECK_BYTES(try_later, bytes_of(fssl_conn_ocsp_response, pair.client)->data, 5);
    pair_disconnect(&pair);
    reply = BROKEN;
    pair_connect(&pair, &plan);
    CHECK_OK(fssl_conn_request_ocsp(pair.client, &err));
    CHECK_EQUAL(FSSL_E_CALLBACK, fssl_error_code(pair_handshake_results(&pair).server, NULL));
    pair_close(&pair);
}

/* ---- passphrase ---- */

static int32_t on_passphrase(int64_t token, fssl_handle ctx, int32_t max, int32_t verify_twice)
{
    calls++;
    CHECK(token == TOKEN && max >= 1024 && !verify_twice);
    if (picked_len >= 0)
        inside = fssl_ctx_answer_passphrase(ctx, (const uint8_t *)picked, picked_len, NULL);
    return reply;
}

static void passphrase(void)
{
    static const struct row rows[] = {
        {YES, "secret", 6, FSSL_OK, 0},
        {YES, "wrong", 5, FSSL_E_PASSPHRASE_WRONG, 0},
        {NO, NULL, -1, FSSL_E_PASSPHRASE_WRONG, 0},
        {BROKEN, "secret", 6, FSSL_E_CALLBACK, 0},
    };
    struct encoded key = identity_key_pem(ID_EC, "secret");
    const char *path = scratch_file(key.data, (size_t)key.len);
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));

    CHECK_OK(fssl_ctx_set_passphrase_callback(ctx, on_passphrase, TOKEN, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect(rows[i].reply);
        picked = rows[i].picked;
        picked_len = rows[i].picked_len;
        CHECK_EQUAL(rows[i].code,
                    fssl_error_code(fssl_ctx_use_private_key_file(ctx, path, FSSL_NUL_TERMINATED,
                                                                  FSSL_FILETYPE_PEM, &err),
                                    NULL));
        CHECK_EQUAL(1, calls);
    }
    check_close(ctx);
}

/* Closing inside a callback takes effect after it. */
static int32_t on_close(int64_t token, fssl_handle conn)
{
    inside = fssl_handle_close(conn, NULL);
    return token == TOKEN ? YES : BROKEN;
}

static void closed_inside(void)
{
    struct pair_plan plan = {0};
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_set_server_name_callback(pair.server_ctx, on_close, TOKEN, &err));
    pair_connect(&pair, &plan);
    expect(YES);
    pair_handshake_results(&pair);
    CHECK_EQUAL(0, inside);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_want(pair.server, &err));
    pair.server = 0;
    pair_close(&pair);
}

static void bad_handles(void)
{
    fssl_handle store = CHECK_MADE(fssl_store_new(&err));

    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_verify_callback(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_verify_callback(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_info_callback(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_info_callback(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_server_name_callback(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_alpn_select_callback(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_npn_advertise_callback(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_npn_select_callback(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_keylog_callback(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_ocsp_server_callback(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_ocsp_client_callback(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_passphrase_callback(store, NULL, 0, &err));
    check_close(store);
}

static const struct check_case cases[] = {
    {"verify", verify},
    {"ALPN select", alpn_select},
    {"answer is refused elsewhere", answer_is_refused_elsewhere},
    {"NPN", npn},
    {"server name", server_name},
    {"OCSP client", ocsp_client},
    {"OCSP server", ocsp_server},
    {"passphrase", passphrase},
    {"CVE-2021-22901 closed inside", closed_inside},
    {"bad handles", bad_handles},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
