/* Every question in both versions and on both sides, answered late and from another thread, to
   accept and to refuse; meanwhile other connections of the same contexts go on. */
#include <time.h>

#include <openssl/x509_vfy.h>

#include "pair.h"

enum { ROUNDS = 400, ACCESS_DENIED = 49, LATE = 200000000 /* nanoseconds */ };

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

struct question {
    const char *name;
    int32_t ask;
    int32_t want;
    bool server;                       /* who asks */
    void (*answer)(fssl_handle, bool); /* accepts or refuses */
    struct pair_plan plan;             /* of a handshake that succeeds if accepted */
    bool server_refuses;
    int32_t refused; /* the code at the end that refuses */
};

static void answer_hello(fssl_handle conn, bool accept)
{
    CHECK_OK(fssl_conn_answer_hello(conn, accept ? 0 : ACCESS_DENIED, &err));
}

static void answer_certificate(fssl_handle conn, bool accept)
{
    CHECK_OK(fssl_conn_answer_certificate(conn, accept, &err));
}

static void answer_verify(fssl_handle conn, bool accept)
{
    CHECK(CHECK_GIVES(fssl_conn_verify_error_count(conn, &err)) > 0);
    CHECK_OK(fssl_conn_waive_verify_error(conn, -1, &err));
    CHECK_OK(fssl_conn_answer_verify(conn, accept ? 0 : X509_V_ERR_CERT_REVOKED, &err));
}

static const struct question questions[] = {
    {.name = "client hello",
     .ask = FSSL_ASK_CLIENT_HELLO,
     .want = FSSL_E_WANT_CLIENT_HELLO,
     .server = true,
     .answer = answer_hello,
     .server_refuses = true,
     .refused = FSSL_E_TLS},
    {.name = "a client's certificate",
     .ask = FSSL_ASK_CERTIFICATE,
     .want = FSSL_E_WANT_CERTIFICATE,
     .answer = answer_certificate,
     .plan = {.client = ID_CLIENT},
     .server_refuses = true,
     .refused = FSSL_E_VERIFY},
    {.name = "a server's certificate",
     .ask = FSSL_ASK_CERTIFICATE,
     .want = FSSL_E_WANT_CERTIFICATE,
     .server = true,
     .answer = answer_certificate,
     .server_refuses = true,
     .refused = FSSL_E_TLS},
    {.name = "a server is verified",
     .ask = FSSL_ASK_VERIFY,
     .want = FSSL_E_WANT_VERIFY,
     .answer = answer_verify,
     .plan = {.trust = ID_OTHER_CA},
     .refused = FSSL_E_VERIFY},
    {.name = "a client is verified",
     .ask = FSSL_ASK_VERIFY,
     .want = FSSL_E_WANT_VERIFY,
     .server = true,
     .answer = answer_verify,
     .plan = {.client = ID_OTHER},
     .server_refuses = true,
     .refused = FSSL_E_VERIFY},
};

/* A question that is open. */
struct open_question {
    const struct question *question;
    struct pair pair;
    fssl_handle conn; /* that asks */
    bool accept;
};

/* Advances both ends until one asks. Returns whether it did so with the code that is due. */
static bool until_asked(struct open_question *open)
{
    int32_t code = FSSL_OK;

    for (int i = 0; i < ROUNDS; i++) {
        fssl_handle peer = open->conn == open->pair.client ? open->pair.server : open->pair.client;

        if (fssl_conn_do_handshake(open->conn, &code) == 0 || code != FSSL_E_WANT_READ)
            break;
        fssl_conn_do_handshake(peer, NULL);
        pair_carry(&open->pair);
    }
    return CHECK_EQUAL(open->question->want, code);
}

static void answer_late(void *argument)
{
    struct open_question *open = argument;
    struct timespec late = {0, LATE};

    nanosleep(&late, NULL);
    open->question->answer(open->conn, open->accept);
}

/* Asks again and again, and gets no other answer; nobody waits for the question. */
static void stay_open(void *argument)
{
    struct open_question *open = argument;
    struct pair other = open->pair;

    for (int i = 0; i < 10; i++)
        CHECK_FAILS(open->question->want, fssl_conn_do_handshake(open->conn, &err));
    pair_connect(&other, &open->question->plan);
    CHECK_OK(fssl_conn_set_verify(other.client, FSSL_VERIFY_NONE, &err));
    CHECK_OK(fssl_conn_set_verify(other.server, FSSL_VERIFY_NONE, &err));
    CHECK(pair_handshake(&other));
    pair_disconnect(&other);
}

/* Returns how the handshake ended, or what came after one that seemed to succeed. */
static int32_t outcome(fssl_handle conn, int64_t handshake)
{
    uint8_t byte;

    if (handshake == 0)
        handshake = fssl_conn_recv(conn, &byte, 1, 0, NULL);
    return (int32_t)fssl_error_code(handshake, NULL);
}

static void check_end(struct open_question *open)
{
    struct pair_result result = pair_handshake_results(&open->pair);
    int32_t client, server;

    pair_settle(&open->pair);
    client = outcome(open->pair.client, result.client);
    server = outcome(open->pair.server, result.server);
    if (open->accept) {
        CHECK_EQUAL(FSSL_E_WANT_READ, client);
        CHECK_EQUAL(FSSL_E_WANT_READ, server);
        CHECK(pair_transfer(&open->pair, open->conn, (const uint8_t *)"accepted", 8));
    } else {
        CHECK_EQUAL(open->question->server_refuses ? FSSL_E_ALERT : open->question->refused,
                    client);
        CHECK_EQUAL(open->question->server_refuses ? open->question->refused : FSSL_E_ALERT,
                    server);
    }
}

static void answer_one(const struct question *question, int32_t version, bool accept)
{
    struct pair_plan plan = question->plan;
    struct open_question open = {.question = question, .accept = accept};
    struct check_thread threads[] = {{answer_late, &open}, {stay_open, &open}};

    plan.version = version;
    open.pair = pair_open(&plan);
    open.conn = question->server ? open.pair.server : open.pair.client;
    CHECK_OK(fssl_conn_ask(open.conn, question->ask, &err));
    if (until_asked(&open)) {
        check_threads(threads, COUNT_OF(threads));
        check_end(&open);
    }
    pair_close(&open.pair);
}

static void answer_all(bool accept)
{
    for (size_t i = 0; i < COUNT_OF(versions) * COUNT_OF(questions); i++) {
        check_row(questions[i / 2].name);
        answer_one(&questions[i / 2], versions[i % 2], accept);
    }
    check_row(NULL);
}

static void accepted(void)
{
    answer_all(true);
}

static void refused(void)
{
    answer_all(false);
}

static const struct check_case cases[] = {
    {"accepted", accepted},
    {"refused", refused},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
