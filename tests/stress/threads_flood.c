/* Floods of renegotiations, key updates and tickets while a thread of each end writes and another
   reads: a read then has to write, and a write to read. After each of them all four must go on.
   And a program that has said much to a slow peer and then waits for input alone. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h" /* before check.h, whose err its functions would shadow */

#include "check.h"
#include "threads.h"

enum flood_kind { RENEGOTIATIONS, KEY_UPDATES, TICKETS, FLOOD_KINDS };
enum { BURST = 40 };

static const char *const flood_name[] = {"renegotiations", "key updates", "tickets"};

/* ---- one flood ---- */

static int run_key_updates(SSL *ssl, struct step *step)
{
    int answer = 1;

    for (size_t i = 0; i < step->len && answer == 1; i++) {
        answer =
            SSL_key_update(ssl, i % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
        if (answer == 1)
            answer = SSL_do_handshake(ssl);
    }
    return answer;
}

static int run_tickets(SSL *ssl, struct step *step)
{
    for (size_t i = 0; i < step->len; i++)
        SSL_new_session_ticket(ssl);
    return SSL_do_handshake(ssl);
}

/* Has OpenSSL send messages, for which the library has no call. */
static int64_t send_messages(fssl_handle h, enum flood_kind kind, size_t count)
{
    struct step step = {kind == TICKETS ? run_tickets : run_key_updates, NULL, count, 0};
    struct conn *conn;
    int32_t want = FSSL_OK;
    int64_t failed = acquire(h, KIND_CONN, &conn, NULL);

    if (failed)
        return failed;
    failed = conn_step(conn, &step, &want, NULL);
    return failed ? abandon(h, failed, NULL) : finish(h, -(int64_t)want, NULL);
}

static int64_t renegotiate(fssl_handle conn)
{
    int64_t begun = fssl_conn_renegotiate(conn, NULL);

    return begun < 0 ? begun : fssl_conn_do_handshake(conn, NULL);
}

static int64_t flood(const struct link *link, enum flood_kind kind, struct dice *dice)
{
    int side = kind == TICKETS ? SERVER : (int)dice_below(dice, 2);

    if (kind == RENEGOTIATIONS)
        return renegotiate(link->conn[side]);
    return send_messages(link->conn[side], kind, 1 + (size_t)dice_below(dice, BURST));
}

/* ---- while all of them talk ---- */

/* Waits until each talker has moved. Returns false once one has ended. */
static bool all_move(struct talker *talkers)
{
    int64_t before[TALKERS];

    for (int i = 0; i < TALKERS; i++)
        before[i] = talkers[i].done;
    for (int i = 0; i < TALKERS; i++) {
        while (talkers[i].done == before[i]) {
            if (talkers[i].ended)
                return false;
            pause_us(50);
        }
    }
    return true;
}

static void flood_often(struct link *link, struct talker *talkers, enum flood_kind kind)
{
    struct dice dice = dice_of(stress_seed() + 4, kind);
    int64_t rounds = stress_amount(200, 1000, 10000);

    for (int64_t i = 0; i < rounds; i++) {
        int64_t result = flood(link, kind, &dice);

        if (result < 0) {
            figure_failed("round %lld: %s", (long long)i, error_text(result));
            return;
        }
        if (!all_move(talkers))
            return;
        figure_points(1);
    }
}

/* Every talker ends because its handle is closed, and for no other reason. */
static void ended_by_closing(const struct talker *talkers)
{
    for (int i = 0; i < TALKERS; i++) {
        if (talkers[i].result != -FSSL_E_HANDLE && talkers[i].result != -FSSL_E_CANCELLED)
            figure_failed(
                "%s at the %s: %s", talkers[i].sends ? "send" : "recv", i / 2 ? "server" : "client",
                talkers[i].result == -1 ? "wrong data came" : error_text(talkers[i].result));
    }
}

static void talk_during(enum flood_kind kind)
{
    struct talker talkers[TALKERS];
    struct link link;
    struct group group = {.count = 0};

    figure_begin("threads: %s while all talk", flood_name[kind]);
    link_open(&link, &contexts[kind != RENEGOTIATIONS], BLOCKS);
    link_establish(&link);
    talkers_of(talkers, &link, (uint64_t)kind, INT64_MAX);
    for (int i = 0; i < TALKERS; i++)
        group_start(&group, talk, &talkers[i]);
    flood_often(&link, talkers, kind);
    for (int side = CLIENT; side <= SERVER; side++)
        fssl_handle_close(link.conn[side], NULL);
    group_join(&group);
    link_close(&link);
    ended_by_closing(talkers);
    figure_end();
}

void floods(void)
{
    for (int side = CLIENT; side <= SERVER; side++)
        fssl_ctx_clear_options(contexts[0].ctx[side], FSSL_OP_NO_RENEGOTIATION, NULL);
    fssl_ctx_set_options(contexts[0].ctx[SERVER], FSSL_OP_ALLOW_CLIENT_RENEGOTIATION, NULL);
    for (enum flood_kind kind = RENEGOTIATIONS; kind < FLOOD_KINDS; kind++)
        talk_during(kind);
}

/* ---- waiting for input alone ---- */

enum { QUESTION = 300000, SIP = 700, SIP_US = 20, ANSWER = 4, WAIT_MS = 60000 };

struct question {
    struct link link;
    atomic_llong accepted; /* bytes of the question; -1 before it was put */
    int64_t heard;
    int64_t result; /* the peer's */
};

/* Begins to read when all was said, by small sips, and answers when it has heard all. */
static void *hear_and_answer(void *argument)
{
    struct question *question = argument;
    uint8_t buf[SIP];

    while (atomic_load(&question->accepted) < 0)
        pause_us(SIP_US);
    while (question->heard < atomic_load(&question->accepted)) {
        question->result = fssl_conn_recv(question->link.conn[SERVER], buf, SIP, 0, NULL);
        if (question->result < 0)
            return NULL;
        question->heard += question->result;
        watch_moved();
        pause_us(SIP_US);
    }
    question->result = fssl_conn_send_all(question->link.conn[SERVER], buf, ANSWER, NULL, NULL);
    return NULL;
}

/* Waits in recv, or polls for what recv says: for output only where it says so. */
static int64_t await_answer(const struct question *question)
{
    fssl_handle conn = question->link.conn[CLIENT];
    struct pollfd set = {question->link.fd[CLIENT], POLLIN, 0};
    uint8_t buf[ANSWER];
    int64_t got = fssl_conn_recv(conn, buf, sizeof buf, 0, NULL);

    while (got == -FSSL_E_WANT_READ || got == -FSSL_E_WANT_WRITE) {
        set.events = got == -FSSL_E_WANT_READ ? POLLIN : POLLIN | POLLOUT;
        if (poll(&set, 1, WAIT_MS) <= 0)
            return got;
        got = fssl_conn_recv(conn, buf, sizeof buf, 0, NULL);
    }
    return got;
}

/* Says what is taken without waiting. Returns whether ciphertext is left for later. */
static bool put(struct question *question)
{
    static const uint8_t words[QUESTION];
    fssl_handle conn = question->link.conn[CLIENT];
    int64_t sent = 0, left;

    fssl_conn_set_timeout(conn, 0, NULL);
    fssl_conn_send_all(conn, words, sizeof words, &sent, NULL);
    left = fssl_conn_want(conn, NULL) & FSSL_WANT_WRITE;
    fssl_conn_set_timeout(conn, question->link.manner == BLOCKS ? WAIT_MS : 0, NULL);
    atomic_store(&question->accepted, sent);
    return left;
}

static bool ask(int version, enum manner manner)
{
    struct question question = {.accepted = -1};
    struct group group = {.count = 0};
    bool left;
    int64_t got;

    link_open(&question.link, &contexts[version], BLOCKS);
    link_establish(&question.link);
    question.link.manner = manner;
    group_start(&group, hear_and_answer, &question);
    left = put(&question);
    got = await_answer(&question);
    if (got != ANSWER)
        figure_failed("no answer, TLS 1.%d, the %s waits: %s", 2 + version,
                      manner == BLOCKS ? "library" : "program", error_text(got));
    fssl_conn_sock_shutdown(question.link.conn[CLIENT], FSSL_SHUT_RDWR, NULL);
    group_join(&group);
    link_close(&question.link);
    return left;
}

void polls_for_input_alone(void)
{
    int64_t rounds = stress_amount(4, 40, 400), left = 0;

    figure_begin("threads: a slow peer, and a program that waits for its answer");
    for (int64_t i = 0; i < rounds; i++) {
        left += ask((int)(i % 2), i / 2 % 2 ? POLLS : BLOCKS);
        figure_points(1);
    }
    if (left == 0)
        figure_failed("nothing was left to be written");
    figure_note("%lld times ciphertext was left to be written", (long long)left);
    figure_end();
}
