/* What a connection has of its own beside its context's: verification, options, certificate,
   versions, protocols; and renegotiation. */
#include <string.h>

#include "pair.h"

static void own_verification(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.trust = ID_OTHER_CA});

    CHECK_IS(FSSL_VERIFY_PEER, fssl_conn_verify_mode(pair.client, &err));
    CHECK_OK(fssl_conn_set_verify(pair.client, FSSL_VERIFY_NONE, &err));
    CHECK_IS(FSSL_VERIFY_NONE, fssl_conn_verify_mode(pair.client, &err));
    CHECK(pair_handshake(&pair)); /* although nobody vouches for the server */
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_verify(pair.client, 8, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_verify_mode(pair.client_ctx, &err));
    pair_close(&pair);
}

/* A connection goes over to a context that serves its side, or any where it has none yet. */
static void contexts_for_a_side(void)
{
    static const struct {
        const char *name;
        int32_t method;
        bool starts; /* as the client */
        bool server; /* what it goes over to */
        int32_t code;
    } rows[] = {
        {"a client, to a client's", FSSL_TLS_METHOD, true, false, FSSL_OK},
        {"a client, to a server's", FSSL_TLS_METHOD, true, true, FSSL_E_ARGUMENT},
        {"no side yet, to a client's", FSSL_TLS_METHOD, false, false, FSSL_OK},
        {"no side yet, to a server's", FSSL_TLS_METHOD, false, true, FSSL_OK},
        {"a server, to a client's", FSSL_TLS_SERVER_METHOD, false, false, FSSL_E_ARGUMENT},
        {"a server, to a server's", FSSL_TLS_SERVER_METHOD, false, true, FSSL_OK},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle ctx = CHECK_MADE(fssl_ctx_new(rows[i].method, &err));
        fssl_handle conn = CHECK_MADE(fssl_conn_new_memory(ctx, &err));
        fssl_handle other = rows[i].server ? CHECK_MADE(fssl_ctx_new_server(&err))
                                           : CHECK_MADE(fssl_ctx_new_client(&err));
        int64_t result;

        check_row(rows[i].name);
        if (rows[i].starts)
            CHECK_OK(fssl_conn_set_connect_state(conn, &err));
        result = fssl_conn_set_context(conn, other, &err);
        CHECK_EQUAL(rows[i].code, fssl_error_code(result, NULL));
        check_close(other);
        check_close(conn);
        check_close(ctx);
    }
}

static void own_options(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    int64_t before = CHECK_GIVES(fssl_conn_options(pair.server, &err));

    CHECK_IS(before | FSSL_OP_NO_TICKET,
             fssl_conn_set_options(pair.server, FSSL_OP_NO_TICKET, &err));
    CHECK_IS(before, fssl_ctx_options(pair.server_ctx, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_set_options(pair.server, INT64_C(1) << 60, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_set_options(pair.server, -1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_options(0, &err));
    pair_close(&pair);
}

static void own_certificate(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.server = ID_EC});
    fssl_handle cert = identity_cert_handle(ID_RSA), key = identity_key_handle(ID_RSA);
    fssl_handle wrong = identity_key_handle(ID_CA), got;

    CHECK_OK(fssl_conn_use_certificate(pair.server, cert, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_use_certificate(pair.server, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_use_private_key(pair.server, cert, &err));
    CHECK_OK(fssl_conn_use_private_key(pair.server, key, &err));
    got = CHECK_MADE(fssl_conn_certificate(pair.server, &err));
    CHECK_IS(1, fssl_handle_same(got, cert, &err));
    check_close(got);
    CHECK(pair_handshake(&pair));
    check_close(cert);
    check_close(key);
    check_close(wrong);
    pair_close(&pair);
}

static void own_versions(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    CHECK_OK(fssl_conn_set_max_proto_version(pair.client, FSSL_TLS1_2_VERSION, &err));
    CHECK_OK(fssl_conn_set_min_proto_version(pair.client, FSSL_TLS1_2_VERSION, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_max_proto_version(pair.client, 7, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_min_proto_version(pair.client, 7, &err));
    CHECK(pair_handshake(&pair));
    CHECK_IS(FSSL_TLS1_2_VERSION, fssl_conn_protocol_version(pair.server, &err));
    pair_close(&pair);
}

static void own_protocols(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    CHECK_OK(fssl_conn_set_alpn_protos(pair.client, (const uint8_t *)"\1a\1b", 4, &err));
    CHECK_OK(fssl_conn_set_alpn_preference(pair.server, (const uint8_t *)"\1b", 2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_set_alpn_preference(pair.server, (const uint8_t *)"\2b", 2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_ocsp_response(pair.server, NULL, 1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_request_ocsp(0, &err));
    CHECK(pair_handshake(&pair));
    CHECK_BYTES("b", bytes_of(fssl_conn_alpn_proto, pair.client)->data, 1);
    pair_close(&pair);
}

/* ---- renegotiation ---- */

static void renegotiation(void)
{
    struct pair_plan plan = {.version = FSSL_TLS1_2_VERSION};
    struct pair pair;
    uint8_t byte;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    CHECK_GIVES(fssl_ctx_clear_options(pair.server_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    CHECK_GIVES(fssl_ctx_clear_options(pair.client_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    CHECK_IS(0, fssl_conn_renegotiate_pending(pair.server, &err));
    CHECK_IS(1, fssl_conn_renegotiate(pair.server, &err));
    CHECK_IS(1, fssl_conn_renegotiate_pending(pair.server, &err));
    CHECK_IS(0, fssl_conn_renegotiate(pair.server, &err)); /* one is under way */
    CHECK(pair_handshake(&pair));
    for (int i = 0; i < 40 && fssl_conn_renegotiate_pending(pair.server, NULL); i++) {
        pair_recv(&pair, pair.client, &byte, 1);
        pair_recv(&pair, pair.server, &byte, 1);
    }
    CHECK_IS(0, fssl_conn_renegotiate_pending(pair.server, &err));
    CHECK_IS(1, fssl_conn_total_renegotiations(pair.client, &err));
    CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"after", 5));
    pair_close(&pair);
}

static void no_renegotiation(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.version = FSSL_TLS1_3_VERSION});

    CHECK_FAILS(FSSL_E_OPENSSL, fssl_conn_renegotiate(pair.server, &err));
    CHECK_CONTAINS("wrong ssl version",
                   error_str(fssl_conn_renegotiate(pair.server, NULL), FSSL_ERROR_REASON));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_renegotiate_pending(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_total_renegotiations(0, &err));
    CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"usable", 6));
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"own verification", own_verification}, {"contexts for a side", contexts_for_a_side},
    {"own options", own_options},           {"own certificate", own_certificate},
    {"own versions", own_versions},         {"own protocols", own_protocols},
    {"renegotiation", renegotiation},       {"no renegotiation", no_renegotiation},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
