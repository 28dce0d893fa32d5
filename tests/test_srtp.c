/* DTLS-SRTP: lists, what two of them come to, keys, and contexts that are switched. */
#include <string.h>

#include "builder.h"
#include "datagrams.h"

#define GCM "SRTP_AEAD_AES_128_GCM"
#define SHA1_80 "SRTP_AES128_CM_SHA1_80"
#define SHA1_32 "SRTP_AES128_CM_SHA1_32"

enum { GCM_NUMBER = 7, SHA1_80_NUMBER = 1, SHA1_32_NUMBER = 2, MATERIAL = 60 };

static const struct pair_plan plain;

/* Sets the profiles of a context; NULL sets none. */
static void use(fssl_handle ctx, const char *profiles)
{
    if (profiles)
        CHECK_OK(fssl_ctx_set_srtp_profiles(ctx, profiles, FSSL_NUL_TERMINATED, &err));
}

static void agreed(const struct datagrams *d, const char *name, int64_t number)
{
    const fssl_handle ends[] = {d->client, d->server};

    for (int i = 0; i < 2; i++) {
        CHECK_IS(number, fssl_conn_srtp_profile(ends[i], &err));
        CHECK_TEXT(name, text_of(fssl_conn_srtp_profile_name, ends[i]));
    }
}

static struct datagrams *established(const char *client, const char *server)
{
    struct datagrams *d = datagrams_contexts(&plain);

    use(d->client_ctx, client);
    use(d->server_ctx, server);
    datagrams_connect(d, &plain);
    CHECK(datagrams_handshake(d));
    return d;
}

/* ---- what two lists come to ---- */

/* The server prefers. Who finds no common profile has none, and goes on. */
static void selection(void)
{
    static const struct {
        const char *client, *server, *name;
        int64_t number;
    } rows[] = {
        {GCM, GCM, GCM, GCM_NUMBER},
        {GCM ":" SHA1_80, SHA1_80 ":" GCM, SHA1_80, SHA1_80_NUMBER},
        {SHA1_80 ":" GCM, GCM ":" SHA1_80, GCM, GCM_NUMBER},
        {SHA1_32 ":" SHA1_80 ":" GCM, SHA1_32, SHA1_32, SHA1_32_NUMBER},
        {SHA1_80, GCM ":" SHA1_32 ":" SHA1_80, SHA1_80, SHA1_80_NUMBER},
        {GCM, SHA1_80 ":" SHA1_32, "", 0},
        {GCM, NULL, "", 0},
        {NULL, GCM, "", 0},
        {NULL, NULL, "", 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct datagrams *d = established(rows[i].client, rows[i].server);

        agreed(d, rows[i].name, rows[i].number);
        datagrams_close(d);
    }
}

static void material(fssl_handle conn, uint8_t *out)
{
    CHECK_IS(MATERIAL, fssl_conn_export_keying_material(conn, TEXT("EXTRACTOR-dtls_srtp"), NULL, 0,
                                                        out, MATERIAL, &err));
}

static void both_have_the_keys(void)
{
    struct datagrams *d = established(SHA1_80, SHA1_80);
    uint8_t client[MATERIAL], server[MATERIAL];

    material(d->client, client);
    material(d->server, server);
    CHECK_BYTES(client, server, MATERIAL);
    datagrams_close(d);
}

/* A peer that has still to be judged has no profile yet. */
static void none_before_the_end(void)
{
    struct datagrams *d = datagrams_contexts(&(struct pair_plan){.client = ID_CLIENT});

    use(d->client_ctx, GCM);
    use(d->server_ctx, GCM);
    datagrams_connect(d, &plain);
    agreed(d, "", 0);
    CHECK_OK(fssl_conn_ask(d->server, FSSL_ASK_VERIFY, &err));
    CHECK_EQUAL(-FSSL_E_WANT_VERIFY, datagrams_handshake_results(d).server);
    CHECK_IS(GCM_NUMBER, fssl_conn_srtp_profile(d->client, &err));
    CHECK_IS(0, fssl_conn_srtp_profile(d->server, &err));
    CHECK_TEXT("", text_of(fssl_conn_srtp_profile_name, d->server));
    CHECK_OK(fssl_conn_answer_verify(d->server, 0, &err));
    CHECK_OK(fssl_conn_do_handshake(d->server, &err));
    agreed(d, GCM, GCM_NUMBER);
    datagrams_close(d);
}

/* A hello that comes twice, for the cookie, and a session that is resumed: the profile is that of
   the handshake. */
static void cookies_and_resumption(void)
{
    struct datagrams *d = datagrams_contexts(&plain);
    fssl_handle session;

    CHECK_OK(fssl_ctx_set_dtls_cookie_secret(d->server_ctx, BYTES("0123456789abcdef"), &err));
    use(d->client_ctx, GCM);
    use(d->server_ctx, GCM ":" SHA1_80);
    datagrams_connect(d, &plain);
    CHECK_OK(fssl_conn_set_dtls_peer(d->server, BYTES("peer"), &err));
    CHECK(datagrams_handshake(d));
    agreed(d, GCM, GCM_NUMBER);
    session = CHECK_MADE(fssl_conn_session(d->client, &err));
    check_close(d->client);
    check_close(d->server);
    use(d->client_ctx, SHA1_80);
    datagrams_connect(d, &plain);
    CHECK_OK(fssl_conn_set_dtls_peer(d->server, BYTES("peer"), &err));
    CHECK_OK(fssl_conn_set_session(d->client, session, &err));
    CHECK(datagrams_handshake(d));
    CHECK_IS(1, fssl_conn_session_reused(d->client, &err));
    agreed(d, SHA1_80, SHA1_80_NUMBER);
    check_close(session);
    datagrams_close(d);
}

static void not_with_tls(void)
{
    struct pair pair;

    pair_contexts(&pair, &plain);
    use(pair.client_ctx, GCM);
    use(pair.server_ctx, GCM);
    pair_connect(&pair, &plain);
    CHECK(pair_handshake(&pair));
    CHECK_IS(0, fssl_conn_srtp_profile(pair.client, &err));
    CHECK_TEXT("", text_of(fssl_conn_srtp_profile_name, pair.server));
    pair_close(&pair);
}

/* ---- lists ---- */

/* What fails leaves the list that was set. */
static void bad_lists(void)
{
    static const char *const bad[] = {
        "",
        "NONE",
        GCM ":",
        ":" GCM,
        GCM "::" SHA1_80,
        GCM " ",
        "gcm",
        GCM ":SRTP_AES128_CM_SHA1_8O",
        GCM "," SHA1_80,
        GCM ":" SHA1_80 ":" GCM,
    };
    struct datagrams *d = datagrams_contexts(&plain);
    fssl_handle ctx = d->client_ctx;

    use(ctx, SHA1_80);
    use(d->server_ctx, GCM ":" SHA1_80);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_row(bad[i]);
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_srtp_profiles(ctx, bad[i], FSSL_NUL_TERMINATED, &err));
    }
    check_row(NULL);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_srtp_profiles(ctx, GCM "\0", sizeof GCM, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_srtp_profiles(ctx, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_srtp_profiles(ctx, NULL, 7, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_srtp_profiles(ctx, GCM, -1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_srtp_profiles(0, TEXT(GCM), &err));
    CHECK_CONTAINS("unknown", error_text(fssl_ctx_set_srtp_profiles(ctx, TEXT("NONE"), &err)));
    datagrams_connect(d, &plain);
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_srtp_profiles(d->client, TEXT(GCM), &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_srtp_profile(ctx, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_srtp_profile_name(0, NULL, 0, &err));
    CHECK(datagrams_handshake(d));
    agreed(d, SHA1_80, SHA1_80_NUMBER);
    datagrams_close(d);
}

/* A connection has the list with which it was made. */
static void changed_later(void)
{
    struct datagrams *d = datagrams_contexts(&plain);

    use(d->server_ctx, GCM ":" SHA1_80);
    use(d->client_ctx, GCM);
    datagrams_connect(d, &plain);
    use(d->client_ctx, SHA1_80);
    use(d->server_ctx, SHA1_80);
    CHECK(datagrams_handshake(d));
    agreed(d, GCM, GCM_NUMBER);
    check_close(d->client);
    check_close(d->server);
    datagrams_connect(d, &plain);
    CHECK(datagrams_handshake(d));
    agreed(d, SHA1_80, SHA1_80_NUMBER);
    datagrams_close(d);
}

/* ---- contexts that are switched ---- */

enum by { NAME, QUESTION, CLIENT, WAYS };

static void switched_by(enum by way, struct datagrams *d, fssl_handle other)
{
    if (way == NAME)
        CHECK_OK(fssl_ctx_add_server_name(d->server_ctx, TEXT("localhost"), other, &err));
    datagrams_connect(d, &plain);
    if (way == CLIENT)
        CHECK_OK(fssl_conn_set_context(d->client, other, &err));
    if (way != QUESTION)
        return;
    CHECK_OK(fssl_conn_ask(d->server, FSSL_ASK_CLIENT_HELLO, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
    datagrams_carry(d);
    CHECK_FAILS(FSSL_E_WANT_CLIENT_HELLO, fssl_conn_do_handshake(d->server, &err));
    CHECK_OK(fssl_conn_set_context(d->server, other, &err));
    CHECK_OK(fssl_conn_answer_hello(d->server, 0, &err));
}

/* The profiles are those of the context that is come to, also where it has none. */
static void switched(void)
{
    static const struct {
        const char *former, *other, *name;
        int64_t number;
    } rows[] = {
        {SHA1_80, GCM, GCM, GCM_NUMBER},
        {NULL, GCM, GCM, GCM_NUMBER},
        {GCM ":" SHA1_80, SHA1_80, SHA1_80, SHA1_80_NUMBER},
        {GCM, NULL, "", 0},
    };

    for (size_t i = 0; i < WAYS * COUNT_OF(rows); i++) {
        enum by way = (enum by)(i % WAYS);
        size_t at = i / WAYS;
        struct datagrams *d = datagrams_contexts(&plain), *others = datagrams_contexts(&plain);
        fssl_handle from = way == CLIENT ? d->client_ctx : d->server_ctx;
        fssl_handle other = way == CLIENT ? others->client_ctx : others->server_ctx;

        use(from, rows[at].former);
        use(other, rows[at].other);
        use(way == CLIENT ? d->server_ctx : d->client_ctx, GCM ":" SHA1_80);
        switched_by(way, d, other);
        CHECK(datagrams_handshake(d));
        agreed(d, rows[at].name, rows[at].number);
        others->client = CHECK_MADE(fssl_conn_new_memory(others->client_ctx, &err));
        others->server = CHECK_MADE(fssl_conn_new_memory(others->server_ctx, &err));
        datagrams_close(d);
        datagrams_close(others);
    }
}

static const struct check_case cases[] = {
    {"selection", selection},
    {"both have the keys", both_have_the_keys},
    {"none before the end", none_before_the_end},
    {"cookies and resumption", cookies_and_resumption},
    {"not with TLS", not_with_tls},
    {"bad lists", bad_lists},
    {"changed later", changed_later},
    {"switched", switched},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
