/* Whom a client expects: what it may say, and what a certificate must say. */
#include "pair.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>

static fssl_handle ctx, conn;

static void new_conn(void)
{
    ctx = CHECK_MADE(fssl_ctx_new_client(&err));
    conn = CHECK_MADE(fssl_conn_new_memory(ctx, &err));
}

static void close_conn(void)
{
    check_close(conn);
    check_close(ctx);
}

static void hosts(void)
{
    static const struct {
        const char *host;
        const char *kept;
    } rows[] = {
        {"localhost", "localhost"},
        {"LocalHost", "LocalHost"},
        {"example.test.", "example.test"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"with_underscore.example", "with_underscore.example"},
        {"127.0.0.1", "127.0.0.1"},
        {"::1", "::1"},
        {"2001:db8::7", "2001:db8::7"},
    };

    new_conn();
    CHECK_TEXT("", text_of(fssl_conn_host, conn));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].host);
        CHECK_OK(fssl_conn_set_host(conn, rows[i].host, FSSL_NUL_TERMINATED, &err));
        CHECK_TEXT(rows[i].kept, text_of(fssl_conn_host, conn));
        CHECK_OK(fssl_conn_set_host(conn, rows[i].host, (int64_t)strlen(rows[i].host), &err));
        CHECK_TEXT(rows[i].kept, text_of(fssl_conn_host, conn));
    }
    close_conn();
}

static void hosts_that_are_none(void)
{
    static char too_long[1000];
    static const struct {
        const char *name;
        const char *host;
        int64_t len;
    } rows[] = {
        {"empty", "", 0},
        {"empty, by NUL", "", FSSL_NUL_TERMINATED},
        {"NULL", NULL, 0},
        {"NULL, by NUL", NULL, FSSL_NUL_TERMINATED},
        {"NULL with a length", NULL, 9},
        {"a NUL inside", "localhost\0.evil.test", 20},
        {"a NUL at the end", "localhost", 10},
        {"a negative length", "localhost", -1},
        {"not ASCII",
         "b\xc3\xbc"
         "cher.example",
         FSSL_NUL_TERMINATED},
        {"Latin-1",
         "b\xfc"
         "cher.example",
         FSSL_NUL_TERMINATED},
        {"a space", "local host", FSSL_NUL_TERMINATED},
        {"a line feed", "localhost\n", FSSL_NUL_TERMINATED},
        {"a delete", "local\x7fhost", FSSL_NUL_TERMINATED},
        {"only a dot", ".", FSSL_NUL_TERMINATED},
        {"two dots at the end", "example.test..", FSSL_NUL_TERMINATED},
        {"two dots inside", "example..test", FSSL_NUL_TERMINATED},
        {"a hyphen at the end", "example-.test", FSSL_NUL_TERMINATED},
        {"a label of 64", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test",
         FSSL_NUL_TERMINATED},
        {"a dot in front", ".example.test", FSSL_NUL_TERMINATED},
        {"too long", too_long, sizeof too_long},
    };

    new_conn();
    memset(too_long, 'a', sizeof too_long);
    CHECK_OK(fssl_conn_set_host(conn, "localhost", 9, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t result;

        check_row(rows[i].name);
        result =
            CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_host(conn, rows[i].host, rows[i].len, &err));
        CHECK_TEXT("host", error_str(result, FSSL_ERROR_DATA));
        CHECK_TEXT("localhost", text_of(fssl_conn_host, conn)); /* as it was */
    }
    close_conn();
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_host(conn, "localhost", 9, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_host(conn, NULL, 0, &err));
}

/* ---- what the peer's certificate says ---- */

static const struct {
    enum identity_name server;
    const char *host;
    int32_t code;
} verdicts[] = {
    {ID_EC, "localhost", FSSL_OK},
    {ID_EC, "LOCALHOST", FSSL_OK},
    {ID_EC, "localhost.", FSSL_OK},
    {ID_EC, "127.0.0.1", FSSL_OK},
    {ID_EC, "::1", FSSL_OK},
    {ID_EC, "0:0::1", FSSL_OK},
    {ID_EC, "localhost.localdomain", FSSL_E_HOST},
    {ID_EC, "ocalhost", FSSL_E_HOST},
    {ID_EC, "127.0.0.2", FSSL_E_HOST},
    {ID_EC, "::2", FSSL_E_HOST},
    {ID_EC, "127.1", FSSL_E_HOST}, /* no address, and no name in the certificate */
    {ID_WILDCARD, "a.example.test", FSSL_OK},
    {ID_WILDCARD, "xn--a.EXAMPLE.test", FSSL_OK},
    {ID_WILDCARD, "a.b.example.test", FSSL_E_HOST},
    {ID_WILDCARD, "example.test", FSSL_E_HOST},
    {ID_WILDCARD, "a.example.test.evil", FSSL_E_HOST},
    {ID_WILDCARD, "1.2.3.4", FSSL_E_HOST},
    {ID_WILDCARD, "wildcard", FSSL_E_HOST},
    {ID_COMMON_NAME, "localhost", FSSL_E_HOST}, /* the common name counts for nothing */
    {ID_COMMON_NAME, "elsewhere.test", FSSL_OK},
};

static void the_peers_certificate(void)
{
    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        struct pair pair;
        char row[64];
        int64_t result;

        snprintf(row, sizeof row, "%s of %d", verdicts[i].host, (int)verdicts[i].server);
        check_row(row);
        pair =
            pair_open(&(struct pair_plan){.server = verdicts[i].server, .host = verdicts[i].host});
        result = pair_handshake_results(&pair).client;
        CHECK_EQUAL(verdicts[i].code, fssl_error_code(result, NULL));
        pair_close(&pair);
        check_row(NULL);
    }
}

/* The same without a connection. */
static void a_certificate_alone(void)
{
    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        fssl_handle cert;

        check_row(verdicts[i].host);
        cert = identity_cert_handle(verdicts[i].server);
        CHECK_IS(verdicts[i].code == FSSL_OK,
                 fssl_cert_matches_host(cert, verdicts[i].host, FSSL_NUL_TERMINATED, &err));
        check_close(cert);
    }
}

/* The host that was set last is the one that counts. */
static void set_again(void)
{
    static const struct {
        const char *first;
        const char *second;
    } rows[] = {{"127.0.0.2", "localhost"},
                {"elsewhere.test", "127.0.0.1"},
                {"elsewhere.test", "localhost"},
                {"127.0.0.2", "::1"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair pair;

        check_row(rows[i].second);
        pair = pair_open(&(struct pair_plan){.host = rows[i].first});
        CHECK_OK(fssl_conn_set_host(pair.client, rows[i].second, FSSL_NUL_TERMINATED, &err));
        CHECK(pair_handshake(&pair));
        pair_disconnect(&pair);
        pair_connect(&pair, &(struct pair_plan){.host = rows[i].second});
        CHECK_OK(fssl_conn_set_host(pair.client, rows[i].first, FSSL_NUL_TERMINATED, &err));
        CHECK_EQUAL(FSSL_E_HOST, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
    }
}

static void too_late(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_host(pair.client, "elsewhere.test", 14, &err));
    CHECK_TEXT("localhost", text_of(fssl_conn_host, pair.client));
    pair_close(&pair);
}

/* ---- a peer that OpenSSL has taken ---- */

/* Suites without certificates, which a program may choose, do not stand for a verified peer. */
static void nobody_shows_a_certificate(void)
{
    static const struct {
        const char *who;
        int32_t client_mode;
        int32_t server_mode;
        int32_t code; /* of the client; it is OpenSSL's that refuses to be asked */
    } rows[] = {
        {"the client verifies", FSSL_VERIFY_PEER, FSSL_VERIFY_NONE, FSSL_E_VERIFY},
        {"the server insists", FSSL_VERIFY_NONE,
         FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT, FSSL_E_TLS},
        {"neither", FSSL_VERIFY_NONE, FSSL_VERIFY_PEER, FSSL_OK},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair pair = pair_open(&(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
        fssl_handle contexts[] = {pair.client_ctx, pair.server_ctx};

        check_row(rows[i].who);
        pair_disconnect(&pair);
        for (int side = 0; side < 2; side++)
            CHECK_OK(fssl_ctx_set_cipher_list(contexts[side], "AECDH:@SECLEVEL=0",
                                              FSSL_NUL_TERMINATED, &err));
        pair_connect(&pair, &(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
        CHECK_OK(fssl_conn_set_verify(pair.client, rows[i].client_mode, &err));
        CHECK_OK(fssl_conn_set_verify(pair.server, rows[i].server_mode, &err));
        CHECK_EQUAL(rows[i].code, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
        check_row(NULL);
    }
}

/* A session that was made when nobody demanded a client's certificate brings none along. */
static void a_session_without_a_certificate(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

    for (size_t i = 0; i < 2 * COUNT_OF(versions); i++) {
        struct pair pair = pair_established(&(struct pair_plan){.version = versions[i / 2]});
        int32_t mode = i % 2 ? FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
        fssl_handle session;
        uint8_t byte;

        fssl_conn_recv(pair.client, &byte, 1, 0, NULL);
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        pair_disconnect(&pair);
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK_OK(fssl_conn_set_verify(pair.server, mode, &err));
        CHECK_EQUAL(mode ? FSSL_E_VERIFY : FSSL_OK,
                    fssl_error_code(pair_handshake_results(&pair).server, NULL));
        check_close(session);
        pair_close(&pair);
    }
}

/* Asks for verification when the certificate has come already. */
static int32_t verify_from_now_on(int64_t token, fssl_handle h, int32_t where, int32_t result)
{
    (void)token, (void)result;
    if (where & SSL_CB_HANDSHAKE_DONE)
        fssl_conn_set_verify(h, FSSL_VERIFY_PEER, NULL);
    return 0;
}

/* What OpenSSL found counts, also where verification was off when it looked. */
static void verification_that_comes_late(void)
{
    static const struct {
        enum identity_name trust;
        int32_t code;
    } rows[] = {{ID_CA, FSSL_OK}, {ID_OTHER_CA, FSSL_E_VERIFY}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair pair = pair_open(&(struct pair_plan){.trust = rows[i].trust});
        int64_t result;

        CHECK_OK(fssl_conn_set_verify(pair.client, FSSL_VERIFY_NONE, &err));
        CHECK_OK(fssl_conn_set_info_callback(pair.client, verify_from_now_on, 0, &err));
        result = pair_handshake_results(&pair).client;
        CHECK_EQUAL(rows[i].code, fssl_error_code(result, NULL));
        if (rows[i].code)
            CHECK_EQUAL(20, error_int(result, FSSL_ERROR_VERIFY_CODE)); /* no issuer */
        pair_close(&pair);
    }
}

/* A context that is not a safe one may verify a chain for whatever host. */
static void no_host(void)
{
    static const enum identity_name trusted[] = {ID_CA, ID_OTHER_CA};

    for (size_t i = 0; i < COUNT_OF(trusted); i++) {
        struct pair pair = pair_open(&(struct pair_plan){.version = FSSL_TLS1_3_VERSION});
        int64_t result;

        check_close(pair.client);
        check_close(pair.client_ctx);
        pair.client_ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_CLIENT_METHOD, &err));
        CHECK_OK(fssl_ctx_set_verify(pair.client_ctx, FSSL_VERIFY_PEER, &err));
        pair_trust(pair.client_ctx, trusted[i]);
        pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
        result = pair_handshake_results(&pair).client;
        CHECK_EQUAL(i ? FSSL_E_VERIFY : FSSL_OK, fssl_error_code(result, NULL));
        pair_close(&pair);
    }
}

/* ---- the server name ---- */

static const char *server_name_for(const char *host, const char *name)
{
    static char sent[256];
    struct pair pair = pair_open(&(struct pair_plan){.host = host});

    if (name)
        CHECK_OK(fssl_conn_set_server_name(pair.client, name, FSSL_NUL_TERMINATED, &err));
    CHECK(pair_handshake(&pair));
    snprintf(sent, sizeof sent, "%s", text_of(fssl_conn_server_name, pair.server));
    pair_close(&pair);
    return sent;
}

static void server_names(void)
{
    static char too_long[300];

    CHECK_TEXT("localhost", server_name_for("localhost", NULL));
    CHECK_TEXT("localhost", server_name_for("localhost.", NULL));
    CHECK_TEXT("", server_name_for("127.0.0.1", NULL)); /* addresses are not sent, RFC 6066 */
    CHECK_TEXT("elsewhere.test", server_name_for("localhost", "elsewhere.test"));
    CHECK_TEXT("elsewhere.test", server_name_for("127.0.0.1", "elsewhere.test"));
    new_conn();
    memset(too_long, 'a', sizeof too_long);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_server_name(conn, "", 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_server_name(conn, "a\0b", 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_server_name(conn, NULL, 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_server_name(conn, "a", -3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_server_name(conn, too_long, sizeof too_long, &err));
    close_conn();
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_server_name(conn, NULL, 0, &err));
}

/* A name that was replaced by an address is not sent any more. */
static void a_name_replaced_by_an_address(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.host = "elsewhere.test"});

    CHECK_OK(fssl_conn_set_host(pair.client, "127.0.0.1", 9, &err));
    CHECK(pair_handshake(&pair));
    CHECK_TEXT("", text_of(fssl_conn_server_name, pair.server));
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"hosts", hosts},
    {"CVE-2026-19553 RUSTSEC-2023-0044 LuaSec-161 trap-host hosts that are none",
     hosts_that_are_none},
    {"CVE-2026-48618 CVE-2026-48928 CVE-2014-0139 the peer's certificate", the_peers_certificate},
    {"a certificate alone", a_certificate_alone},
    {"set again", set_again},
    {"too late", too_late},
    {"trap-result nobody shows a certificate", nobody_shows_a_certificate},
    {"a session without a certificate", a_session_without_a_certificate},
    {"verification that comes late", verification_that_comes_late},
    {"no host", no_host},
    {"server names", server_names},
    {"a name replaced by an address", a_name_replaced_by_an_address},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
