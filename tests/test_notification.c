/* Pushed notifications: info callbacks and the key log. What they return counts for nothing. */
#include <string.h>

#include <openssl/ssl.h>

#include "pair.h"

enum { TOKEN = 7 };

static int calls;
static uint8_t seen[64];

static int32_t on_info(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    (void)result;
    calls += token == TOKEN && conn > 0 && (where & SSL_CB_HANDSHAKE_DONE);
    return -1; /* which nobody heeds */
}

static int32_t on_line(int64_t token, fssl_handle conn, const char *line, int64_t len)
{
    calls += token == TOKEN && conn > 0;
    memcpy(seen, line, len < (int64_t)sizeof seen ? (size_t)len : sizeof seen);
    return -1;
}

static void handshakes_and_keys(void)
{
    struct pair_plan plan = {.version = FSSL_TLS1_2_VERSION};
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    calls = 0;
    CHECK_OK(fssl_ctx_set_info_callback(pair.server_ctx, on_info, TOKEN, &err));
    pair_connect(&pair, &plan);
    CHECK_OK(fssl_conn_set_info_callback(pair.client, on_info, TOKEN, &err));
    CHECK(pair_handshake(&pair));
    CHECK_EQUAL(2, calls);
    pair_disconnect(&pair);

    CHECK_OK(fssl_ctx_set_info_callback(pair.server_ctx, NULL, 0, &err));
    CHECK_OK(fssl_ctx_set_keylog_callback(pair.client_ctx, on_line, TOKEN, &err));
    calls = 0;
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    CHECK_EQUAL(1, calls);
    CHECK_BYTES("CLIENT_RANDOM ", seen, 14);
    pair_close(&pair);
}

/* What is called and fails inside a notification takes nothing from the failure that it tells
   of. */
static int32_t on_alert(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    (void)result;
    if (where & SSL_CB_ALERT) {
        calls += token == TOKEN;
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_timeout(conn, -7, &err));
        CHECK_GIVES(fssl_conn_protocol_version(conn, &err));
    }
    return 1;
}

static void the_cause_outlives_one(void)
{
    struct pair_plan plan = {.trust = ID_OTHER_CA};
    struct pair pair;
    int64_t result;
    char text[64] = "";

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    calls = 0;
    pair_connect(&pair, &plan);
    CHECK_OK(fssl_conn_set_info_callback(pair.client, on_alert, TOKEN, &err));
    result = pair_handshake_results(&pair).client;
    CHECK_EQUAL(1, calls);
    CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(result, NULL));
    CHECK_GIVES(fssl_error_str(result, FSSL_ERROR_REASON, 0, text, sizeof text, &err));
    CHECK_TEXT("certificate verify failed", text);
    CHECK_GIVES(fssl_error_str(result, FSSL_ERROR_FUNCTION, 0, text, sizeof text, &err));
    CHECK_TEXT("tls_post_process_server_certificate", text);
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"handshakes and keys", handshakes_and_keys},
    {"the cause outlives one", the_cause_outlives_one},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
