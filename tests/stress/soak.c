/* Very many connections, one after another, and very many that fail: what the process holds must
   stay as it was after the first ones. Memory may grow by a MiB, handles and fds by none.

       soak [--short | --long] [--seed N] [connections | failures] */
#include <stdlib.h>

#include "figure.h"
#include "holdings.h"
#include "pair.h"

enum { DATA = 3000, WARM_UP = 10 }; /* of the rounds, one in so many */

static uint8_t data[DATA];

/* ---- those that succeed ---- */

struct kind {
    const char *name;
    struct pair_plan plan;
    struct pair pair;
    fssl_handle session; /* offered by the next one */
};

static struct kind good[] = {
    {.name = "TLS 1.3 in memory", .plan = {.version = FSSL_TLS1_3_VERSION}},
    {.name = "TLS 1.2 in memory", .plan = {.version = FSSL_TLS1_2_VERSION}},
    {.name = "TLS 1.3 on sockets", .plan = {.version = FSSL_TLS1_3_VERSION, .sockets = true}},
    {.name = "TLS 1.2 on sockets", .plan = {.version = FSSL_TLS1_2_VERSION, .sockets = true}},
    {.name = "a client's certificate", .plan = {.client = ID_CLIENT}},
    {.name = "a chain", .plan = {.server = ID_CHAINED, .trust = ID_MIDDLE_CA}},
};

static void keep_session(struct kind *kind)
{
    fssl_handle session = fssl_conn_session(kind->pair.client, NULL);

    if (kind->session > 0)
        fssl_handle_close(kind->session, NULL);
    kind->session = session;
}

static void connect_once(struct kind *kind, int64_t round)
{
    struct pair *pair = &kind->pair;

    pair_connect(pair, &kind->plan);
    if (kind->session > 0 && round % 3)
        fssl_conn_set_session(pair->client, kind->session, NULL);
    if (!pair_handshake(pair) || !pair_transfer(pair, pair->client, data, DATA) ||
        !pair_transfer(pair, pair->server, data, DATA))
        figure_failed("round %lld, %s: no connection", (long long)round, kind->name);
    if (round % 5)
        pair_shutdown(pair);
    keep_session(kind);
    pair_disconnect(pair);
    figure_points(1);
}

static void try_connections(int64_t rounds)
{
    struct holdings before = {0};

    for (size_t i = 0; i < COUNT_OF(good); i++)
        pair_contexts(&good[i].pair, &good[i].plan);
    for (int64_t round = 0; round < rounds && figure_failures() == 0; round++) {
        if (round == rounds / WARM_UP)
            before = holdings_now();
        connect_once(&good[(size_t)round % COUNT_OF(good)], round);
    }
    if (figure_failures() == 0)
        holdings_compare(before);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (good[i].session > 0)
            fssl_handle_close(good[i].session, NULL);
        pair_close(&good[i].pair);
    }
}

/* ---- those that fail ---- */

static int32_t fails(int64_t token, fssl_handle conn, int32_t error, int32_t depth, int32_t ok)
{
    (void)token, (void)conn, (void)error, (void)depth, (void)ok;
    return -1;
}

static void callback_fails(struct pair *pair)
{
    fssl_conn_set_verify_callback(pair->client, fails, 0, NULL);
}

static void cut_off(struct pair *pair)
{
    fssl_conn_do_handshake(pair->client, NULL);
    pair_carry(pair);
    fssl_conn_do_handshake(pair->server, NULL);
    pair_carry(pair);
    fssl_conn_bio_shutdown(pair->client, NULL);
    fssl_conn_bio_shutdown(pair->server, NULL);
}

static void garbage(struct pair *pair)
{
    fssl_conn_bio_write(pair->server, data, DATA, NULL);
    fssl_conn_bio_write(pair->client, data, DATA, NULL);
}

static void no_certificate(struct pair *pair)
{
    fssl_conn_set_verify(pair->server, FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

/* Whatever is wrong with the context goes with it. */
static const struct bad_kind {
    const char *name;
    struct pair_plan plan;
    void (*spoil)(struct pair *pair);
} bad[] = {
    {"a wrong host", {.host = "elsewhere.test"}, NULL},
    {"a wrong address", {.host = "127.0.0.2"}, NULL},
    {"nobody trusted", {.trust = ID_OTHER_CA}, NULL},
    {"an expired certificate", {.server = ID_EXPIRED, .sockets = true}, NULL},
    {"no client certificate", {.version = FSSL_TLS1_3_VERSION}, no_certificate},
    {"no client certificate", {.version = FSSL_TLS1_2_VERSION}, no_certificate},
    {"a failing callback", {.version = FSSL_TLS1_2_VERSION}, callback_fails},
    {"a failing callback", {.version = FSSL_TLS1_3_VERSION}, callback_fails},
    {"an end in the middle", {0}, cut_off},
    {"garbage", {0}, garbage},
};

static void fail_once(const struct bad_kind *kind, int64_t round)
{
    struct pair pair = pair_open(&kind->plan);
    struct pair_result result;

    if (kind->spoil)
        kind->spoil(&pair);
    result = pair_handshake_results(&pair);
    if (result.client >= 0 && result.server >= 0)
        figure_failed("round %lld: a connection in spite of %s", (long long)round, kind->name);
    pair_close(&pair);
    figure_points(1);
}

static void try_failures(int64_t rounds)
{
    struct holdings before = {0};

    for (int64_t round = 0; round < rounds && figure_failures() == 0; round++) {
        if (round == rounds / WARM_UP)
            before = holdings_now();
        fail_once(&bad[(size_t)round % COUNT_OF(bad)], round);
    }
    if (figure_failures() == 0)
        holdings_compare(before);
}

int main(int argc, char **argv)
{
    struct dice dice;

    stress_begin(argc, argv);
    dice = dice_of(stress_seed(), 0);
    dice_fill(&dice, data, DATA);
    setenv("SSL_CERT_FILE", "/nonexistent", 1); /* the system's trust costs time and memory */
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    if (stress_chosen("connections")) {
        figure_begin("soak: connections");
        try_connections(stress_amount(3000, 20000, 100000));
        figure_end();
    }
    if (stress_chosen("failures")) {
        figure_begin("soak: failing connections");
        try_failures(stress_amount(1000, 5000, 10000));
        figure_end();
    }
    return stress_end();
}
