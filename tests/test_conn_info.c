/* What a connection tells of itself and of its peer. */
#include "pair.h"

#include <string.h>

#include <openssl/x509_vfy.h>

static struct pair pair;

/* ---- before the handshake ---- */

static void nothing_yet(void)
{
    pair = pair_open(&(struct pair_plan){0});
    CHECK_TEXT("Unknown", text_of(fssl_conn_protocol_version_name, pair.client));
    CHECK_GIVES(fssl_conn_protocol_version(pair.client, &err));
    CHECK_TEXT("", text_of(fssl_conn_cipher_name, pair.client));
    CHECK_TEXT("", text_of(fssl_conn_cipher_version, pair.client));
    CHECK_IS(0, fssl_conn_cipher_bits(pair.client, &err));
    CHECK_TEXT("", text_of(fssl_conn_group_name, pair.client));
    CHECK_EQUAL(0, bytes_of(fssl_conn_alpn_proto, pair.client)->len);
    CHECK_TEXT("before SSL initialization", text_of(fssl_conn_state_string, pair.server));
    CHECK_IS(0, fssl_conn_peer_certificate(pair.client, &err));
    CHECK_IS(0, fssl_conn_certificate(pair.client, &err));
    CHECK_IS(0, fssl_conn_peer_chain_count(pair.client, &err));
    CHECK_IS(0, fssl_conn_verified_chain_count(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_verify_result(pair.client, &err));
    CHECK_IS(0, fssl_conn_session_reused(pair.client, &err));
    pair_close(&pair);
}

/* ---- protocol and cipher ---- */

static void protocol_and_cipher(void)
{
    static const struct {
        struct pair_plan plan;
        const char *name;
        const char *cipher;
        const char *cipher_version;
    } rows[] = {
        {{.version = FSSL_TLS1_2_VERSION}, "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2"},
        {{.version = FSSL_TLS1_3_VERSION}, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "TLSv1.3"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].name);
        memset(&pair, 0, sizeof pair);
        pair_contexts(&pair, &rows[i].plan);
        CHECK_OK(fssl_ctx_set_groups(pair.client_ctx, "X25519:P-256", 12, &err));
        pair_connect(&pair, &rows[i].plan);
        CHECK(pair_handshake(&pair));
        CHECK_IS(rows[i].plan.version, fssl_conn_protocol_version(pair.client, &err));
        CHECK_TEXT(rows[i].name, text_of(fssl_conn_protocol_version_name, pair.client));
        CHECK_TEXT(rows[i].name, text_of(fssl_conn_protocol_version_name, pair.server));
        CHECK_TEXT(rows[i].cipher, text_of(fssl_conn_cipher_name, pair.client));
        CHECK_TEXT(rows[i].cipher, text_of(fssl_conn_cipher_name, pair.server));
        CHECK_TEXT(rows[i].cipher_version, text_of(fssl_conn_cipher_version, pair.client));
        CHECK_IS(256, fssl_conn_cipher_bits(pair.client, &err));
        CHECK_TEXT("x25519", text_of(fssl_conn_group_name, pair.client));
        CHECK_TEXT("x25519", text_of(fssl_conn_group_name, pair.server));
        CHECK_TEXT("SSL negotiation finished successfully",
                   text_of(fssl_conn_state_string, pair.client));
        pair_close(&pair);
    }
}

static void ciphers_that_may_be_used(void)
{
    char name[64];
    int64_t count, len;

    pair_contexts(&pair, &(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
    CHECK_OK(fssl_ctx_set_ciphersuites(pair.client_ctx, "TLS_AES_128_GCM_SHA256", 22, &err));
    CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "ECDHE-ECDSA-AES128-GCM-SHA256", 29, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    count = CHECK_GIVES(fssl_conn_cipher_list_count(pair.client, &err));
    CHECK_EQUAL(2, count);
    len = CHECK_GIVES(fssl_conn_cipher_list_item(pair.client, 0, name, sizeof name, &err));
    CHECK_EQUAL(22, len);
    CHECK_BYTES("TLS_AES_128_GCM_SHA256", name, 22);
    len = CHECK_GIVES(fssl_conn_cipher_list_item(pair.client, 1, name, sizeof name, &err));
    CHECK_BYTES("ECDHE-ECDSA-AES128-GCM-SHA256", name, (size_t)len);
    CHECK_IS(len, fssl_conn_cipher_list_item(pair.client, 1, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_cipher_list_item(pair.client, 1, name, 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_cipher_list_item(pair.client, 2, name, 64, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_cipher_list_item(pair.client, -1, name, 64, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_cipher_list_item(pair.client, INT64_MAX, name, 64, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_cipher_list_count(pair.client, &err));
}

static void alpn(void)
{
    pair_contexts(&pair, &(struct pair_plan){0});
    CHECK_OK(
        fssl_ctx_set_alpn_preference(pair.server_ctx, (const uint8_t *)"\x02h2\x01x", 5, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_set_alpn_protos(pair.client, (const uint8_t *)"\x03h2", 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_alpn_protos(pair.client, NULL, 3, &err));
    CHECK_OK(fssl_conn_set_alpn_protos(pair.client, (const uint8_t *)"\x01x", 2, &err));
    CHECK(pair_handshake(&pair));
    CHECK_EQUAL(1, bytes_of(fssl_conn_alpn_proto, pair.client)->len);
    CHECK_BYTES("x", bytes_of(fssl_conn_alpn_proto, pair.server)->data, 1);
    pair_close(&pair);
}

/* ---- certificates ---- */

static bool is_cert_of(fssl_handle cert, enum identity_name name)
{
    struct encoded der = identity_cert_der(name);
    const struct bytes *got = bytes_of(fssl_cert_to_der, cert);
    bool same = got->len == der.len && memcmp(got->data, der.data, (size_t)der.len) == 0;

    check_close(cert);
    return same;
}

static void certificates_of_both(void)
{
    pair = pair_established(&(struct pair_plan){.client = ID_CLIENT});
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_certificate(pair.client, &err)), ID_CLIENT));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_certificate(pair.server, &err)), ID_EC));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_peer_certificate(pair.client, &err)), ID_EC));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_peer_certificate(pair.server, &err)), ID_CLIENT));
    CHECK_IS(X509_V_OK, fssl_conn_verify_result(pair.client, &err));
    CHECK_IS(X509_V_OK, fssl_conn_verify_result(pair.server, &err));
    CHECK_IS(2, fssl_conn_peer_chain_count(pair.server, &err)); /* OpenSSL adds the issuer */
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_peer_chain_item(pair.server, 0, &err)), ID_CLIENT));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_peer_chain_item(pair.server, 1, &err)), ID_CA));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_peer_chain_item(pair.server, 2, &err));
    pair_close(&pair);
}

static void a_server_without_a_client_certificate(void)
{
    pair = pair_established(&(struct pair_plan){0});
    CHECK_IS(0, fssl_conn_peer_certificate(pair.server, &err));
    CHECK_IS(0, fssl_conn_peer_chain_count(pair.server, &err));
    CHECK_IS(0, fssl_conn_verified_chain_count(pair.server, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_verify_result(pair.server, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_peer_chain_item(pair.server, 0, &err));
    pair_close(&pair);
}

static void chains(void)
{
    fssl_handle middle = identity_cert_handle(ID_MIDDLE_CA);

    pair_contexts(&pair, &(struct pair_plan){.server = ID_CHAINED});
    CHECK_OK(fssl_ctx_add_extra_chain_cert(pair.server_ctx, middle, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    CHECK_IS(2, fssl_conn_peer_chain_count(pair.client, &err));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_peer_chain_item(pair.client, 0, &err)), ID_CHAINED));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_peer_chain_item(pair.client, 1, &err)), ID_MIDDLE_CA));
    CHECK_IS(3, fssl_conn_verified_chain_count(pair.client, &err));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_verified_chain_item(pair.client, 0, &err)), ID_CHAINED));
    CHECK(is_cert_of(CHECK_MADE(fssl_conn_verified_chain_item(pair.client, 2, &err)), ID_CA));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_peer_chain_item(pair.client, 2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_peer_chain_item(pair.client, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_verified_chain_item(pair.client, 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_verified_chain_item(pair.client, INT64_MIN, &err));
    check_close(middle);
    pair_close(&pair);
}

/* A chain that was not verified is none, whatever OpenSSL has built. */
static void unverified(void)
{
    pair_contexts(&pair, &(struct pair_plan){.server = ID_OTHER});
    CHECK_OK(fssl_ctx_set_verify(pair.client_ctx, FSSL_VERIFY_NONE, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    CHECK_IS(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
             fssl_conn_verify_result(pair.client, &err));
    CHECK_IS(1, fssl_conn_peer_chain_count(pair.client, &err));
    CHECK_IS(0, fssl_conn_verified_chain_count(pair.client, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_verified_chain_item(pair.client, 0, &err));
    pair_close(&pair);
}

/* What a connection gave outlives it. */
static void kept_after_the_connection(void)
{
    fssl_handle cert;

    pair = pair_established(&(struct pair_plan){0});
    cert = CHECK_MADE(fssl_conn_peer_certificate(pair.client, &err));
    pair_close(&pair);
    CHECK(is_cert_of(cert, ID_EC));
}

/* ---- bad handles ---- */

static void closed(void)
{
    fssl_handle conn;

    pair = pair_established(&(struct pair_plan){0});
    conn = pair.client;
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_protocol_version(conn, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_protocol_version_name(conn, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_cipher_name(conn, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_cipher_version(conn, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_cipher_bits(conn, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_group_name(conn, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_alpn_proto(conn, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_state_string(conn, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_certificate(conn, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_peer_certificate(conn, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_peer_chain_count(conn, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_verified_chain_count(conn, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_ocsp_response(conn, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_peer_signature_algorithms(conn, NULL, 0, &err));
}

static const struct check_case cases[] = {
    {"nothing yet", nothing_yet},
    {"protocol and cipher", protocol_and_cipher},
    {"ciphers that may be used", ciphers_that_may_be_used},
    {"ALPN", alpn},
    {"certificates of both", certificates_of_both},
    {"trap-result a server without a client certificate", a_server_without_a_client_certificate},
    {"chains", chains},
    {"unverified", unverified},
    {"kept after the connection", kept_after_the_connection},
    {"closed", closed},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
