#define _GNU_SOURCE /* program_invocation_name */

#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

static fssl_handle plain_ctx(void)
{
    return CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
}

/* ---- making ---- */

static void methods(void)
{
    static const struct {
        int32_t method;
        const char *name;
        int64_t version; /* at both ends, 0 for any */
    } rows[] = {
        {FSSL_SSLV23_METHOD, "SSLv23", 0},
        {FSSL_TLS_METHOD, "TLS", 0},
        {FSSL_TLS_CLIENT_METHOD, "TLS client", 0},
        {FSSL_TLS_SERVER_METHOD, "TLS server", 0},
        {FSSL_TLSV1_METHOD, "TLSv1", FSSL_TLS1_VERSION},
        {FSSL_TLSV1_1_METHOD, "TLSv1.1", FSSL_TLS1_1_VERSION},
        {FSSL_TLSV1_2_METHOD, "TLSv1.2", FSSL_TLS1_2_VERSION},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle ctx;

        check_row(rows[i].name);
        ctx = CHECK_MADE(fssl_ctx_new(rows[i].method, &err));
        if (rows[i].version) {
            CHECK_IS(rows[i].version, fssl_ctx_min_proto_version(ctx, &err));
            CHECK_IS(rows[i].version, fssl_ctx_max_proto_version(ctx, &err));
        }
        CHECK_IS(FSSL_VERIFY_NONE, fssl_ctx_verify_mode(ctx, &err));
        check_close(ctx);
    }
}

static void methods_that_are_not(void)
{
    int64_t result = CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_new(FSSL_SSLV2_METHOD, &err));

    CHECK_CONTAINS("unsupported protocol", error_text(result));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_new(FSSL_SSLV3_METHOD, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(13, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(-1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(INT32_MIN, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(INT32_MAX, &err));
}

static void one_side_only(void)
{
    fssl_handle client = CHECK_MADE(fssl_ctx_new(FSSL_TLS_CLIENT_METHOD, &err));
    fssl_handle server = CHECK_MADE(fssl_ctx_new_server(&err));
    fssl_handle conn = CHECK_MADE(fssl_conn_new_memory(client, &err));
    fssl_handle other = CHECK_MADE(fssl_conn_new_memory(server, &err));

    CHECK_OK(fssl_conn_set_connect_state(conn, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_accept_state(conn, &err));
    CHECK_OK(fssl_conn_set_accept_state(other, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_connect_state(other, &err));
    check_close(conn);
    check_close(other);
    check_close(client);
    check_close(server);
}

/* ---- safe defaults ---- */

static void has_safe_defaults(fssl_handle ctx)
{
    static const int64_t lax = FSSL_OP_ALLOW_CLIENT_RENEGOTIATION | FSSL_OP_LEGACY_SERVER_CONNECT |
                               FSSL_OP_IGNORE_UNEXPECTED_EOF | FSSL_OP_NO_ENCRYPT_THEN_MAC |
                               SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                               SSL_OP_NO_EXTENDED_MASTER_SECRET;
    int64_t options = CHECK_GIVES(fssl_ctx_options(ctx, &err));

    CHECK_EQUAL(0, options & lax);
    CHECK_EQUAL(FSSL_OP_NO_RENEGOTIATION, options & FSSL_OP_NO_RENEGOTIATION);
    CHECK_EQUAL(FSSL_OP_NO_COMPRESSION, options & FSSL_OP_NO_COMPRESSION);
    CHECK_IS(FSSL_TLS1_2_VERSION, fssl_ctx_min_proto_version(ctx, &err));
    CHECK_IS(0, fssl_ctx_max_proto_version(ctx, &err));
    CHECK_IS(2, fssl_ctx_security_level(ctx, &err));
}

static void safe_defaults(void)
{
    fssl_handle client = CHECK_MADE(fssl_ctx_new_client(&err));
    fssl_handle server = CHECK_MADE(fssl_ctx_new_server(&err));
    struct pair pair;

    has_safe_defaults(client);
    has_safe_defaults(server);
    CHECK_IS(FSSL_VERIFY_PEER, fssl_ctx_verify_mode(client, &err));
    CHECK_IS(FSSL_VERIFY_NONE, fssl_ctx_verify_mode(server, &err));
    check_close(client);
    check_close(server);
    pair = pair_established(&(struct pair_plan){0});
    CHECK_IS(FSSL_TLS1_3_VERSION, fssl_conn_protocol_version(pair.client, &err));
    CHECK_TEXT("TLS_AES_256_GCM_SHA384", text_of(fssl_conn_cipher_name, pair.client));
    pair_close(&pair);
}

static const char hostile[] = "openssl_conf = everything\n"
                              "[everything]\n"
                              "ssl_conf = modules\n"
                              "[modules]\n"
                              "system_default = weak\n"
                              "[weak]\n"
                              "MinProtocol = TLSv1\n"
                              "MaxProtocol = TLSv1.2\n"
                              "CipherString = AES128-SHA:@SECLEVEL=0\n"
                              "Ciphersuites = TLS_AES_128_CCM_8_SHA256\n"
                              "Groups = secp224r1\n"
                              "SignatureAlgorithms = RSA+SHA1\n"
                              "VerifyMode = Request\n"
                              "Options = UnsafeLegacyRenegotiation,ClientRenegotiation\n";

/* Runs this program's case of safe defaults with a configuration of OpenSSL. */
static void run_with(void *path)
{
    setenv("OPENSSL_CONF", path, 1);
    CHECK_EQUAL(0, execl(program_invocation_name, "test_ctx", "safe defaults", (char *)NULL));
}

static void whatever_openssl_cnf_says(void)
{
    check_child(run_with, (void *)(uintptr_t)scratch_file(hostile, sizeof hostile - 1));
    check_child(run_with, (void *)(uintptr_t)scratch_file("", 0));
    check_child(run_with, (void *)(uintptr_t)scratch_file("= nonsense [", 12));
}

/* ---- plain values ---- */

static void app_data(void)
{
    static const int64_t values[] = {0, 1, -1, INT64_MIN, INT64_MAX};
    fssl_handle ctx = plain_ctx();
    int64_t data = 5;

    CHECK_OK(fssl_ctx_app_data(ctx, &data, &err));
    CHECK_EQUAL(0, data);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        CHECK_OK(fssl_ctx_set_app_data(ctx, values[i], &err));
        CHECK_OK(fssl_ctx_app_data(ctx, &data, &err));
        CHECK_EQUAL(values[i], data);
    }
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_app_data(ctx, NULL, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_app_data(ctx, 1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_app_data(ctx, &data, &err));
}

static void options(void)
{
    fssl_handle ctx = plain_ctx();
    int64_t first = CHECK_GIVES(fssl_ctx_options(ctx, &err));
    int64_t all = CHECK_GIVES(fssl_ctx_option_value(FSSL_OPTION_ALL, &err));

    CHECK_EQUAL(0, first & FSSL_OP_NO_TLSV1_2);
    CHECK_IS(first | FSSL_OP_NO_TLSV1_2 | FSSL_OP_NO_TICKET,
             fssl_ctx_set_options(ctx, FSSL_OP_NO_TLSV1_2 | FSSL_OP_NO_TICKET, &err));
    CHECK_IS(first | FSSL_OP_NO_TICKET, fssl_ctx_clear_options(ctx, FSSL_OP_NO_TLSV1_2, &err));
    CHECK_IS(first | FSSL_OP_NO_TICKET, fssl_ctx_options(ctx, &err));
    CHECK_IS(first | FSSL_OP_NO_TICKET | all, fssl_ctx_set_options(ctx, all, &err));
    CHECK_IS(first | FSSL_OP_NO_TICKET | all, fssl_ctx_set_options(ctx, 0, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_set_options(ctx, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_clear_options(ctx, INT64_MIN, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_set_options(ctx, INT64_C(1) << 61, &err));
    CHECK_IS(first | FSSL_OP_NO_TICKET | all, fssl_ctx_options(ctx, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_options(ctx, &err));
}

static void values_of_options(void)
{
    CHECK_IS((int64_t)SSL_OP_ALL, fssl_ctx_option_value(FSSL_OPTION_ALL, &err));
    CHECK_IS((int64_t)SSL_OP_CRYPTOPRO_TLSEXT_BUG,
             fssl_ctx_option_value(FSSL_OPTION_CRYPTOPRO_TLSEXT_BUG, &err));
    CHECK_IS((int64_t)SSL_OP_ENABLE_KTLS, fssl_ctx_option_value(FSSL_OPTION_ENABLE_KTLS, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_option_value(0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_option_value(INT32_MAX, &err));
}

static void options_take_effect(void)
{
    struct pair pair;

    pair_contexts(&pair, &(struct pair_plan){0});
    CHECK_GIVES(fssl_ctx_set_options(pair.client_ctx, FSSL_OP_NO_TLSV1_3, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    CHECK_IS(FSSL_TLS1_2_VERSION, fssl_conn_protocol_version(pair.server, &err));
    pair_close(&pair);
}

static void modes(void)
{
    enum { ALWAYS = FSSL_MODE_ENABLE_PARTIAL_WRITE | FSSL_MODE_ACCEPT_MOVING_WRITE_BUFFER };
    fssl_handle ctx = plain_ctx();

    CHECK_IS(ALWAYS, fssl_ctx_mode(ctx, &err));
    CHECK_IS(ALWAYS | FSSL_MODE_AUTO_RETRY | FSSL_MODE_RELEASE_BUFFERS,
             fssl_ctx_set_mode(ctx, FSSL_MODE_AUTO_RETRY | FSSL_MODE_RELEASE_BUFFERS, &err));
    CHECK_IS(ALWAYS | FSSL_MODE_AUTO_RETRY,
             fssl_ctx_clear_mode(ctx, FSSL_MODE_RELEASE_BUFFERS | ALWAYS, &err));
    CHECK_IS(ALWAYS | FSSL_MODE_AUTO_RETRY, fssl_ctx_mode(ctx, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_mode(ctx, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_mode(ctx, INT64_C(1) << 32, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_set_mode(ctx, 0x100, &err)); /* SSL_MODE_ASYNC */
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_clear_mode(ctx, INT64_MAX, &err));
    CHECK_IS(ALWAYS | FSSL_MODE_AUTO_RETRY, fssl_ctx_mode(ctx, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_mode(ctx, &err));
}

/* Whatever mode is asked for, a send may be repeated from another place. */
static void modes_change_nothing_that_matters(void)
{
    static uint8_t data[40000];
    struct pair pair;

    pair_contexts(&pair, &(struct pair_plan){0});
    CHECK_GIVES(fssl_ctx_set_mode(pair.server_ctx, FSSL_MODE_AUTO_RETRY, &err));
    CHECK_GIVES(fssl_ctx_clear_mode(pair.server_ctx, INT32_MAX, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    memset(data, 'm', sizeof data);
    CHECK(pair_transfer(&pair, pair.server, data, sizeof data));
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"methods", methods},
    {"methods that are not", methods_that_are_not},
    {"one side only", one_side_only},
    {"safe defaults", safe_defaults},
    {"trap-config whatever openssl.cnf says", whatever_openssl_cnf_says},
    {"app data", app_data},
    {"options", options},
    {"values of options", values_of_options},
    {"options take effect", options_take_effect},
    {"modes", modes},
    {"modes change nothing that matters", modes_change_nothing_that_matters},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
