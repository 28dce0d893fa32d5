/* A connection that changes its context: what comes along, what stays behind, and when it is too
   late. */
#include "pair.h"

#include <string.h>

#include <openssl/x509v3.h>

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

/* Shakes hands and receives the tickets. Returns the client's session. */
static fssl_handle session_of(struct pair *pair)
{
    uint8_t byte;

    CHECK(pair_handshake(pair));
    pair_settle(pair);
    fssl_conn_recv(pair->client, &byte, 1, 0, NULL);
    return CHECK_MADE(fssl_conn_session(pair->client, &err));
}

/* A session that was set before the switch is of the former context, and is not offered: what that
   one trusts is nothing to the new one. */
static void sessions_stay_behind(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair_plan plan = {.version = versions[i]};
        fssl_handle stricter =
            pair_client_ctx(&(struct pair_plan){.version = versions[i], .trust = ID_OTHER_CA});
        struct pair pair = pair_open(&plan);
        fssl_handle session = session_of(&pair);

        pair_disconnect(&pair);
        pair_connect(&pair, &plan);
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK_OK(fssl_conn_set_context(pair.client, stricter, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_session(pair.client, session, &err));
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        CHECK_IS(0, fssl_conn_session_reused(pair.client, &err));
        check_close(session);
        check_close(stricter);
        pair_close(&pair);
    }
}

/* Once the peer was judged by one policy, there is no other. */
static void too_late(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = pair_established(&(struct pair_plan){.version = versions[i]});

        CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_context(pair.client, pair.client_ctx, &err));
        CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_context(pair.server, pair.server_ctx, &err));
        CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"as it was", 9));
        pair_close(&pair);
    }
}

/* ---- verify flags ---- */

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    CHECK(extension && X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

/* A server's certificate that does not say which key signed it, which strict checks refuse. */
static fssl_handle loose_certificate(void)
{
    X509 *cert = X509_dup(identity(ID_EC)->cert);
    fssl_handle made;
    uint8_t *der = NULL;
    int len;

    while (X509_get_ext_count(cert) > 0)
        X509_EXTENSION_free(X509_delete_ext(cert, 0));
    add_extension(cert, NID_subject_alt_name, "DNS:localhost");
    CHECK(X509_sign(cert, identity(ID_CA)->key, EVP_sha256()) > 0);
    len = i2d_X509(cert, &der);
    made = CHECK_MADE(fssl_cert_from_der(der, len, &err));
    OPENSSL_free(der);
    X509_free(cert);
    return made;
}

static fssl_handle loose_client(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_CLIENT_METHOD, &err));

    CHECK_OK(fssl_ctx_set_verify(ctx, FSSL_VERIFY_PEER, &err));
    pair_trust(ctx, ID_CA);
    return ctx;
}

/* The new context's strictness counts, neither more nor less. */
static void verify_flags_change(void)
{
    fssl_handle cert = loose_certificate(), key = identity_key_handle(ID_EC);
    fssl_handle strict = pair_client_ctx(&(struct pair_plan){0}), loose = loose_client();
    const struct {
        fssl_handle first;
        fssl_handle second;
        int32_t code;
    } rows[] = {{loose, loose, FSSL_OK},
                {strict, loose, FSSL_OK},
                {loose, strict, FSSL_E_VERIFY},
                {strict, strict, FSSL_E_VERIFY}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair pair;

        pair_contexts(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_ctx_use_certificate(pair.server_ctx, cert, &err));
        CHECK_OK(fssl_ctx_use_private_key(pair.server_ctx, key, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        check_close(pair.client);
        pair.client = CHECK_MADE(fssl_conn_new_memory(rows[i].first, &err));
        CHECK_OK(fssl_conn_set_connect_state(pair.client, &err));
        CHECK_OK(fssl_conn_set_host(pair.client, "localhost", 9, &err));
        CHECK_OK(fssl_conn_set_context(pair.client, rows[i].second, &err));
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
    }
    check_close(cert);
    check_close(key);
    check_close(strict);
    check_close(loose);
}

static const struct check_case cases[] = {
    {"CVE-2016-5419 CVE-2021-22890 sessions stay behind", sessions_stay_behind},
    {"too late", too_late},
    {"verify flags change", verify_flags_change},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
