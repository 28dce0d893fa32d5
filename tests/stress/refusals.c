/* Very many peers that are refused, by each question of a handshake, in both versions: each learns
   it by an alert, and the process holds no more than before. One refusal in four is a connection
   that is closed while its question is open.

       refusals [--short | --long] [--seed N] */
#include <stdlib.h>

#include <openssl/x509_vfy.h>

#include "figure.h"
#include "holdings.h"
#include "pair.h"

enum { ROUNDS = 400, ACCESS_DENIED = 49, WARM_UP = 10 /* of the rounds, one in so many */ };

static int64_t refuse_hello(fssl_handle conn)
{
    return fssl_conn_answer_hello(conn, ACCESS_DENIED, NULL);
}

static int64_t refuse_certificate(fssl_handle conn)
{
    return fssl_conn_answer_certificate(conn, 0, NULL);
}

static int64_t refuse_peer(fssl_handle conn)
{
    return fssl_conn_answer_verify(conn, X509_V_ERR_CERT_REVOKED, NULL);
}

static struct kind {
    const char *name;
    int32_t ask;
    int32_t want;
    bool server; /* who asks */
    int64_t (*refuse)(fssl_handle conn);
    struct pair_plan plan;
    struct pair pair;
} kinds[] = {
    {.name = "client hello",
     .ask = FSSL_ASK_CLIENT_HELLO,
     .want = FSSL_E_WANT_CLIENT_HELLO,
     .server = true,
     .refuse = refuse_hello},
    {.name = "a client's certificate",
     .ask = FSSL_ASK_CERTIFICATE,
     .want = FSSL_E_WANT_CERTIFICATE,
     .refuse = refuse_certificate,
     .plan = {.client = ID_CLIENT}},
    {.name = "a server's certificate",
     .ask = FSSL_ASK_CERTIFICATE,
     .want = FSSL_E_WANT_CERTIFICATE,
     .server = true,
     .refuse = refuse_certificate},
    {.name = "a server is verified",
     .ask = FSSL_ASK_VERIFY,
     .want = FSSL_E_WANT_VERIFY,
     .refuse = refuse_peer},
    {.name = "a client is verified",
     .ask = FSSL_ASK_VERIFY,
     .want = FSSL_E_WANT_VERIFY,
     .server = true,
     .refuse = refuse_peer,
     .plan = {.client = ID_CLIENT}},
};

/* Advances both ends until one asks. Returns the code of its last call. */
static int32_t until_asked(struct kind *kind, fssl_handle conn)
{
    fssl_handle peer = kind->server ? kind->pair.client : kind->pair.server;
    int32_t code = FSSL_OK;

    for (int i = 0; i < ROUNDS; i++) {
        if (fssl_conn_do_handshake(conn, &code) == 0 || code != FSSL_E_WANT_READ)
            break;
        fssl_conn_do_handshake(peer, NULL);
        pair_carry(&kind->pair);
    }
    return code;
}

/* Returns how the handshake ended, or what came after one that seemed to succeed. */
static int32_t outcome(fssl_handle conn, int64_t handshake)
{
    uint8_t byte;

    if (handshake == 0)
        handshake = fssl_conn_recv(conn, &byte, 1, 0, NULL);
    return (int32_t)fssl_error_code(handshake, NULL);
}

/* One end refuses, with a code of its own; the other learns it by an alert. */
static void check_end(struct kind *kind, int64_t round)
{
    struct pair_result result = pair_handshake_results(&kind->pair);
    int32_t client, server;

    pair_settle(&kind->pair);
    client = outcome(kind->pair.client, result.client);
    server = outcome(kind->pair.server, result.server);
    if ((client == FSSL_E_ALERT) == (server == FSSL_E_ALERT) || client < FSSL_E_TLS ||
        server < FSSL_E_TLS)
        figure_failed("round %lld, %s: the client has %d, the server %d", (long long)round,
                      kind->name, client, server);
}

static void refuse_once(struct kind *kind, int64_t round)
{
    fssl_handle *conn = kind->server ? &kind->pair.server : &kind->pair.client;

    kind->plan.version = round % 2 ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION;
    pair_connect(&kind->pair, &kind->plan);
    fssl_conn_set_min_proto_version(kind->pair.client, FSSL_TLS1_2_VERSION, NULL);
    fssl_conn_set_max_proto_version(kind->pair.client, kind->plan.version, NULL);
    fssl_conn_ask(*conn, kind->ask, NULL);
    if (until_asked(kind, *conn) != kind->want)
        figure_failed("round %lld, %s: no question", (long long)round, kind->name);
    else if (round / 2 % 4 == 0)
        *conn = fssl_handle_close(*conn, NULL);
    else if (kind->refuse(*conn) == 0)
        check_end(kind, round);
    else
        figure_failed("round %lld, %s: no answer taken", (long long)round, kind->name);
    pair_disconnect(&kind->pair);
    figure_points(1);
}

static void try_refusals(int64_t rounds)
{
    struct holdings before = {0};

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        pair_contexts(&kinds[i].pair, &kinds[i].plan);
    for (int64_t round = 0; round < rounds && figure_failures() == 0; round++) {
        if (round == rounds / WARM_UP)
            before = holdings_now();
        refuse_once(&kinds[(size_t)round % COUNT_OF(kinds)], round);
    }
    holdings_compare(before);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        pair_close(&kinds[i].pair);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv);
    setenv("SSL_CERT_FILE", "/nonexistent", 1); /* the system's trust costs time and memory */
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    figure_begin("refusals");
    try_refusals(stress_amount(2000, 10000, 100000));
    figure_end();
    return stress_end();
}
