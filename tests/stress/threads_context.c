/* Handshakes on contexts that eight threads share and a ninth changes, full ones and resumed ones,
   TLS 1.2 and 1.3, each in a few packets that fssl_conn_pump makes. */
#include <string.h>

#include "check.h"
#include "identity.h"
#include "threads.h"

enum { WORKERS = 8, PACKET = 16384, TURNS = 4 };

struct worker {
    int number;
    int64_t rounds;
    int64_t resumed;
    fssl_handle session[2]; /* by version */
    struct dice dice;
};

/* The two ends of one handshake, and what is on the way to each. */
struct meeting {
    fssl_handle conn[2];
    uint8_t packet[2][PACKET];
    int64_t len[2];
    int64_t result[2];
    uint8_t plain[64];
};

static atomic_int working;

/* ---- one handshake ---- */

/* One turn of an end: takes the packet that came, leaves one for the other end. */
static void turn(struct meeting *meeting, int side, int64_t plain_cap)
{
    int64_t taken = 0, given = 0;

    meeting->result[side] =
        fssl_conn_pump(meeting->conn[side], meeting->packet[side], meeting->len[side], &taken,
                       meeting->plain, plain_cap, meeting->packet[!side], PACKET, &given, NULL);
    if (taken < meeting->len[side])
        figure_failed("%lld of %lld bytes were taken", (long long)taken,
                      (long long)meeting->len[side]);
    meeting->len[side] = 0;
    meeting->len[!side] = given;
}

static bool shake_hands(struct meeting *meeting)
{
    meeting->result[CLIENT] = meeting->result[SERVER] = -FSSL_E_WANT_READ;
    for (int i = 0; i < TURNS && (meeting->result[CLIENT] || meeting->result[SERVER]); i++) {
        turn(meeting, CLIENT, 0);
        turn(meeting, SERVER, 0);
    }
    for (int side = CLIENT; side <= SERVER; side++) {
        if (meeting->result[side] != 0)
            figure_failed("the %s's handshake: %s", side ? "server" : "client",
                          error_text(meeting->result[side]));
    }
    return meeting->result[CLIENT] == 0 && meeting->result[SERVER] == 0;
}

/* The client reads what follows the handshake, tickets among it, and is answered. */
static void talk_a_little(struct meeting *meeting)
{
    turn(meeting, CLIENT, sizeof meeting->plain);
    fssl_conn_send(meeting->conn[CLIENT], (const uint8_t *)"ping", 4, NULL);
    turn(meeting, CLIENT, sizeof meeting->plain);
    turn(meeting, SERVER, sizeof meeting->plain);
    if (meeting->result[SERVER] != 4 || memcmp(meeting->plain, "ping", 4) != 0)
        figure_failed("the server receives %lld bytes", (long long)meeting->result[SERVER]);
}

/* ---- a worker ---- */

static void open_meeting(struct meeting *meeting, const struct contexts *of, fssl_handle session)
{
    meeting->len[CLIENT] = meeting->len[SERVER] = 0;
    for (int side = CLIENT; side <= SERVER; side++)
        meeting->conn[side] = fssl_conn_new_memory(of->ctx[side], NULL);
    fssl_conn_set_host(meeting->conn[CLIENT], "localhost", FSSL_NUL_TERMINATED, NULL);
    if (session)
        fssl_conn_set_session(meeting->conn[CLIENT], session, NULL);
}

static void meet(struct worker *worker)
{
    static _Thread_local struct meeting meeting;
    int newer = (int)dice_below(&worker->dice, 2);
    bool resumes = dice_below(&worker->dice, 2);

    open_meeting(&meeting, &contexts[newer], resumes ? worker->session[newer] : 0);
    if (shake_hands(&meeting)) {
        talk_a_little(&meeting);
        if (fssl_conn_verify_result(meeting.conn[CLIENT], NULL) != 0)
            figure_failed("the server was not verified");
        worker->resumed += fssl_conn_session_reused(meeting.conn[CLIENT], NULL);
        fssl_handle_close(worker->session[newer], NULL);
        worker->session[newer] = fssl_conn_session(meeting.conn[CLIENT], NULL);
    }
    for (int side = CLIENT; side <= SERVER; side++)
        fssl_handle_close(meeting.conn[side], NULL);
    watch_moved();
    figure_points(1);
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    worker->dice = dice_of(stress_seed() + 2, (uint64_t)worker->number);
    for (int64_t i = 0; i < worker->rounds; i++)
        meet(worker);
    for (int newer = 0; newer < 2; newer++)
        fssl_handle_close(worker->session[newer], NULL);
    atomic_fetch_sub(&working, 1);
    return NULL;
}

/* ---- what is changed meanwhile ---- */

static void must_be_done(int64_t result)
{
    if (result < 0)
        figure_failed("a setter fails: %s", error_text(result));
}

static void change(fssl_handle ctx, struct dice *dice)
{
    static const char *const ciphers[] = {"HIGH", "ECDHE+AESGCM", "ECDHE+CHACHA20:ECDHE+AESGCM"};
    static const char *const groups[] = {"X25519:P-256", "P-256", "P-256:X25519"};
    struct encoded pem = identity_cert_pem(dice_below(dice, 2) ? ID_CA : ID_OTHER_CA);
    int64_t which = dice_below(dice, 3);

    must_be_done(fssl_ctx_set_cipher_list(ctx, ciphers[which], FSSL_NUL_TERMINATED, NULL));
    must_be_done(fssl_ctx_set_groups(ctx, groups[which], FSSL_NUL_TERMINATED, NULL));
    must_be_done(fssl_ctx_set_timeout(ctx, 200 + which, NULL));
    must_be_done(
        fssl_ctx_set_alpn_preference(ctx, (const uint8_t *)"\2h2\2h1", which ? 3 : 6, NULL));
    must_be_done(fssl_ctx_set_options(ctx, FSSL_OP_NO_TICKET, NULL));
    must_be_done(fssl_ctx_clear_options(ctx, FSSL_OP_NO_TICKET, NULL));
    must_be_done(fssl_ctx_load_verify_pem(ctx, pem.data, pem.len, NULL));
}

static void *change_contexts(void *unused)
{
    struct dice dice = dice_of(stress_seed() + 3, 0);

    while (atomic_load(&working) > 0) {
        change(contexts[dice_below(&dice, 2)].ctx[dice_below(&dice, 2)], &dice);
        pause_us(500);
    }
    return unused;
}

void handshakes_on_shared_contexts(void)
{
    struct worker workers[WORKERS];
    struct group group = {.count = 0};
    int64_t resumed = 0;

    figure_begin("threads: handshakes on shared contexts");
    memset(workers, 0, sizeof workers);
    atomic_store(&working, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        workers[i].number = i;
        workers[i].rounds = stress_amount(1000, 20000, 100000) / WORKERS;
        group_start(&group, work, &workers[i]);
    }
    group_start(&group, change_contexts, NULL);
    group_join(&group);
    for (int i = 0; i < WORKERS; i++)
        resumed += workers[i].resumed;
    if (resumed == 0)
        figure_failed("no session was resumed");
    figure_note("%lld of them resumed", (long long)resumed);
    figure_end();
}
