/* Sessions that safe clients resume by themselves, and under which circumstances never. */
#include "pair.h"

#include <string.h>
#include <time.h>

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

static struct pair pair;
static struct pair_plan plan;

static void open_version(int32_t version)
{
    check_row(version == FSSL_TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    plan = (struct pair_plan){.version = version};
    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_set_resumption(pair.client_ctx, 256, &err));
}

static void carry_data(void)
{
    CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"hi", 2));
}

/* Shakes hands on the connections there are. Returns whether a session was resumed. */
static bool shaken(void)
{
    int64_t client, server;

    if (!CHECK(pair_handshake(&pair)))
        return false;
    client = CHECK_GIVES(fssl_conn_session_reused(pair.client, &err));
    server = CHECK_GIVES(fssl_conn_session_reused(pair.server, &err));
    CHECK_EQUAL(client, server);
    return client == 1;
}

static void connect_anew(void)
{
    pair_disconnect(&pair);
    pair_connect(&pair, &plan);
}

/* Connects, and reads what brings tickets. Returns whether a session was resumed. */
static bool resumes(void)
{
    bool resumed;

    connect_anew();
    resumed = shaken();
    carry_data();
    return resumed;
}

static void by_default(void)
{
    fssl_handle safe = CHECK_MADE(fssl_ctx_new_client(&err));

    CHECK_IS(FSSL_SESS_CACHE_SERVER, fssl_ctx_session_cache_mode(safe, &err));
    check_close(safe);
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        CHECK(!resumes());
        for (int k = 0; k < 5; k++) {
            fssl_handle cert;

            CHECK(resumes());
            CHECK_IS(0, fssl_conn_verify_result(pair.client, &err));
            cert = CHECK_MADE(fssl_conn_peer_certificate(pair.client, &err));
            check_close(cert);
        }
        pair_close(&pair);
    }
}

/* TLS 1.3: two tickets are good for two connections that receive no more. */
static void tickets_are_used_once(void)
{
    open_version(FSSL_TLS1_3_VERSION);
    CHECK(!resumes());
    for (int i = 0; i < 3; i++) {
        connect_anew();
        CHECK_EQUAL(i < 2, shaken());
    }
    pair_close(&pair);
}

static void off_and_on(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        CHECK(!resumes());
        CHECK_OK(fssl_ctx_set_resumption(pair.client_ctx, 0, &err)); /* forgets */
        CHECK(!resumes());
        CHECK_OK(fssl_ctx_set_resumption(pair.client_ctx, 256, &err));
        CHECK(!resumes());
        CHECK(resumes());
        pair_close(&pair);
    }
}

static void no_more_than_asked(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        CHECK_OK(fssl_ctx_set_resumption(pair.client_ctx, 1, &err));
        CHECK(!resumes());
        plan.host = "127.0.0.1";
        CHECK(!resumes());
        plan.host = "localhost";
        CHECK(!resumes()); /* the other took its place */
        CHECK(resumes());
        pair_close(&pair);
    }
}

static void bad_arguments(void)
{
    fssl_handle server = CHECK_MADE(fssl_ctx_new_server(&err));
    fssl_handle plain = CHECK_MADE(fssl_ctx_new(FSSL_TLS_CLIENT_METHOD, &err));
    fssl_handle safe = CHECK_MADE(fssl_ctx_new_client(&err));
    fssl_handle datagrams = CHECK_MADE(fssl_ctx_new_dtls_client(&err));

    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_set_resumption(server, 1, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_set_resumption(plain, 1, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_set_resumption(datagrams, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_resumption(safe, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_resumption(safe, INT64_MAX, &err));
    CHECK_OK(fssl_ctx_set_resumption(safe, 0, &err));
    check_close(server);
    check_close(plain);
    check_close(datagrams);
    check_close(safe);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_resumption(safe, 1, &err));
}

/* ---- under another policy ---- */

static void other_depth(void)
{
    CHECK_OK(fssl_ctx_set_verify_depth(pair.client_ctx, 3, &err));
}

static void other_mode(void)
{
    CHECK_OK(fssl_ctx_set_verify(pair.client_ctx, FSSL_VERIFY_NONE, &err));
}

static void other_options(void)
{
    CHECK_GIVES(fssl_ctx_set_options(pair.client_ctx, FSSL_OP_CIPHER_SERVER_PREFERENCE, &err));
}

static void other_versions(void)
{
    CHECK_OK(fssl_ctx_set_min_proto_version(pair.client_ctx, FSSL_TLS1_1_VERSION, &err));
}

static void other_level(void)
{
    CHECK_OK(fssl_ctx_set_security_level(pair.client_ctx, 1, &err));
}

static void own_certificate(void)
{
    pair_use_identity(pair.client_ctx, ID_CLIENT);
}

static void more_trust(void)
{
    pair_trust(pair.client_ctx, ID_OTHER_CA);
}

/* Whoever holds the store may have added a revocation list. */
static void trust_through_the_store(void)
{
    fssl_handle store = CHECK_MADE(fssl_ctx_cert_store(pair.client_ctx, &err));
    fssl_handle cert = identity_cert_handle(ID_OTHER_CA);

    CHECK_GIVES(fssl_store_add_cert(store, cert, &err));
    check_close(cert);
    check_close(store);
}

static void other_ciphers(void)
{
    CHECK_OK(fssl_ctx_set_ciphersuites(pair.client_ctx, "TLS_AES_256_GCM_SHA384",
                                       FSSL_NUL_TERMINATED, &err));
}

static void a_key_of_its_own(void)
{
    CHECK_OK(
        fssl_ctx_add_psk(pair.client_ctx, "me", 2, (const uint8_t *)"0123456789abcdef", 16, &err));
}

static int32_t takes_all(int64_t token, fssl_handle conn, int32_t error, int32_t depth, int32_t ok)
{
    (void)token, (void)conn, (void)error, (void)depth, (void)ok;
    return 1;
}

static void a_callback(void)
{
    CHECK_OK(fssl_ctx_set_verify_callback(pair.client_ctx, takes_all, 0, &err));
}

static const struct {
    const char *name;
    void (*change)(void);
} policies[] = {
    {"depth", other_depth},          {"mode", other_mode},
    {"options", other_options},      {"versions", other_versions},
    {"level", other_level},          {"own certificate", own_certificate},
    {"more trust", more_trust},      {"the store", trust_through_the_store},
    {"ciphers", other_ciphers},      {"pre-shared key", a_key_of_its_own},
    {"verify callback", a_callback},
};

static void never_under_another_policy(void)
{
    for (size_t i = 0; i < 2 * COUNT_OF(policies); i++) {
        open_version(versions[i % 2]);
        check_row(policies[i / 2].name);
        CHECK(!resumes());
        policies[i / 2].change();
        CHECK(!resumes());
        pair_close(&pair);
    }
}

static void never_after_a_lax_connection(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        other_mode();
        CHECK(!resumes());
        CHECK_OK(fssl_ctx_set_verify(pair.client_ctx, FSSL_VERIFY_PEER, &err));
        CHECK(!resumes());
        CHECK(resumes());
        pair_close(&pair);
    }
}

static void never_to_another_name(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        CHECK(!resumes());
        connect_anew();
        CHECK_OK(fssl_conn_set_server_name(pair.client, "front", 5, &err));
        CHECK(!shaken());
        pair_close(&pair);
    }
}

static void never_where_the_caller_decides(void)
{
    open_version(FSSL_TLS1_3_VERSION);
    CHECK(!resumes());
    connect_anew();
    CHECK_OK(fssl_conn_request_ocsp(pair.client, &err));
    CHECK(!shaken());
    connect_anew();
    CHECK_OK(fssl_conn_ask(pair.client, FSSL_ASK_CERTIFICATE, &err));
    CHECK(!shaken());
    connect_anew();
    CHECK_OK(fssl_conn_set_verify(pair.client, FSSL_VERIFY_NONE, &err));
    CHECK(!shaken());
    CHECK(resumes()); /* what there was is still there */
    pair_close(&pair);
}

/* A session that the caller offers is the caller's, and so is what comes of it. */
static void never_what_the_caller_offered(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        fssl_handle session;

        open_version(versions[i]);
        CHECK(!resumes());
        session = CHECK_MADE(fssl_conn_session(pair.client, &err));
        trust_through_the_store();
        connect_anew();
        CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
        CHECK(shaken());
        carry_data();
        CHECK(!resumes());
        CHECK(resumes());
        check_close(session);
        pair_close(&pair);
    }
}

static void never_too_late(void)
{
    const struct timespec past = {2, 100000000};

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        CHECK_IS(300, fssl_ctx_set_timeout(pair.client_ctx, 1, &err));
        CHECK(!resumes());
        nanosleep(&past, NULL);
        CHECK(!resumes());
        pair_close(&pair);
    }
}

/* Uses a certificate for the server that is good for some two seconds more. */
static void soon_expired(void)
{
    fssl_handle cert = identity_cert_handle(ID_EC), ca_key = identity_key_handle(ID_CA);

    CHECK_OK(fssl_cert_set_not_after(cert, time(NULL) + 2, &err));
    CHECK_OK(fssl_cert_sign(cert, ca_key, "sha256", FSSL_NUL_TERMINATED, &err));
    CHECK_OK(fssl_ctx_use_certificate(pair.server_ctx, cert, &err));
    check_close(cert);
    check_close(ca_key);
}

/* Resuming renews a session for ever, but not past the certificate that it stands for. */
static void never_an_expired_peer(void)
{
    const struct timespec past = {3, 100000000};

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        soon_expired();
        CHECK(!resumes());
        CHECK(resumes());
        nanosleep(&past, NULL);
        connect_anew();
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        pair_close(&pair);
    }
}

/* A server that cannot go on with a session does not lock its clients out. */
static void a_failure_forgets(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        open_version(versions[i]);
        CHECK(!resumes());
        connect_anew();
        CHECK_GIVES(fssl_conn_bio_write(pair.client, (const uint8_t *)"no TLS at all", 13, &err));
        CHECK_EQUAL(FSSL_E_TLS, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        CHECK(!resumes());
        CHECK(resumes());
        pair_close(&pair);
    }
}

/* OpenSSL takes the newest session out of use when its connection ends without close_notify. */
static void the_next_one_after_a_truncation(void)
{
    uint8_t byte;

    open_version(FSSL_TLS1_3_VERSION);
    CHECK(!resumes());
    CHECK_OK(fssl_conn_bio_shutdown(pair.client, &err));
    CHECK_FAILS(FSSL_E_EOF, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    CHECK(resumes());
    pair_close(&pair);
}

/* The protocol is chosen anew, whatever the session had. */
static void alpn_is_negotiated_anew(void)
{
    static const uint8_t both[] = "\2h2\4http", one[] = "\4http";

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        char proto[8] = "";

        open_version(versions[i]);
        CHECK_OK(fssl_ctx_set_alpn_preference(pair.server_ctx, both, sizeof both - 1, &err));
        connect_anew();
        CHECK_OK(fssl_conn_set_alpn_protos(pair.client, both, sizeof both - 1, &err));
        CHECK(!shaken());
        carry_data();
        connect_anew();
        CHECK_OK(fssl_conn_set_alpn_protos(pair.client, one, sizeof one - 1, &err));
        CHECK(shaken());
        CHECK_IS(4, fssl_conn_alpn_proto(pair.client, (uint8_t *)proto, 8, &err));
        CHECK_TEXT("http", proto);
        pair_close(&pair);
    }
}

/* ---- threads ---- */

static void connect_often(void *argument)
{
    struct pair mine = *(const struct pair *)argument;
    int64_t rounds = check_rounds(40);

    for (int64_t i = 0; i < rounds; i++) {
        pair_connect(&mine, &(struct pair_plan){0});
        CHECK(pair_handshake(&mine));
        CHECK(pair_transfer(&mine, mine.server, (const uint8_t *)"hi", 2));
        pair_disconnect(&mine);
    }
}

static void many_threads(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        const struct check_thread threads[] = {
            {connect_often, &pair}, {connect_often, &pair}, {connect_often, &pair}};

        open_version(versions[i]);
        check_threads(threads, COUNT_OF(threads));
        CHECK(resumes());
        pair_close(&pair);
    }
}

static const struct check_case cases[] = {
    {"by default", by_default},
    {"tickets are used once", tickets_are_used_once},
    {"off and on", off_and_on},
    {"no more than asked", no_more_than_asked},
    {"bad arguments", bad_arguments},
    {"never under another policy", never_under_another_policy},
    {"never after a lax connection", never_after_a_lax_connection},
    {"never to another name", never_to_another_name},
    {"never where the caller decides", never_where_the_caller_decides},
    {"never what the caller offered", never_what_the_caller_offered},
    {"never too late", never_too_late},
    {"never an expired peer", never_an_expired_peer},
    {"a failure forgets", a_failure_forgets},
    {"the next one after a truncation", the_next_one_after_a_truncation},
    {"ALPN is negotiated anew", alpn_is_negotiated_anew},
    {"many threads", many_threads},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
