/* Cuts the peer off, by the end of the stream and by a reset, after every byte that it has sent of
   a whole exchange (handshake, data both ways, close_notify), for both roles and versions, on a
   socket and in memory. Truncation is never a clean end: only the whole exchange is.

       cuts [--short | --long] */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "figure.h"
#include "pair.h"
#include "party.h"

enum cut_kind { BY_END, BY_RESET, IN_MEMORY };
enum { STEPS = 4000, IDLE_STEPS = 40, PIECE = 4096, TALK_BYTES = 700, READ_AHEAD = 16384 };

static const char *const kind_name[] = {"end", "reset", "end in memory"};

struct cut {
    enum cut_kind kind;
    bool client; /* whom it happens to */
    int32_t version;
    int64_t after; /* bytes of the peer's */
    int near, far; /* the ends of the socket */
    int64_t passed;
    bool done;  /* the cut was made */
    bool whole; /* all came before it */
    struct party victim, peer;
};

static struct pair contexts[2]; /* by whether the version is 1.3 */
static int listener = -1;

/* ---- the socket ---- */

static void must(bool held, const char *what)
{
    if (held)
        return;
    perror(what);
    exit(2);
}

static struct sockaddr_in listen_here(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof here;

    if (listener < 0) {
        listener = socket(AF_INET, SOCK_STREAM, 0);
        must(listener >= 0 && bind(listener, (struct sockaddr *)&here, sizeof here) == 0 &&
                 listen(listener, 8) == 0,
             "listen");
    }
    must(getsockname(listener, (struct sockaddr *)&here, &len) == 0, "getsockname");
    return here;
}

static void connect_ends(struct cut *cut)
{
    struct sockaddr_in here = listen_here();
    int at_once = 1;

    cut->near = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(cut->near, (struct sockaddr *)&here, sizeof here) == 0, "connect");
    cut->far = accept(listener, NULL, NULL);
    setsockopt(cut->near, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    setsockopt(cut->far, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    must(cut->far >= 0 && fcntl(cut->near, F_SETFL, O_NONBLOCK) == 0 &&
             fcntl(cut->far, F_SETFL, O_NONBLOCK) == 0,
         "accept");
}

/* Closes the far end: what the near end has not read is lost to nobody. */
static void reset_far(struct cut *cut)
{
    struct linger none = {1, 0};

    setsockopt(cut->far, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(cut->far);
    cut->far = -1;
}

/* ---- the way between ---- */

static int64_t from_victim(struct cut *cut)
{
    uint8_t piece[PIECE];
    int64_t got;

    if (cut->kind == IN_MEMORY)
        got = fssl_conn_bio_read(cut->victim.conn, piece, sizeof piece, NULL);
    else
        got = cut->far < 0 ? 0 : recv(cut->far, piece, sizeof piece, 0);
    return got > 0 ? fssl_conn_bio_write(cut->peer.conn, piece, got, NULL) : 0;
}

static void make_cut(struct cut *cut)
{
    uint8_t none;

    cut->done = true;
    cut->whole = cut->peer.stage >= SHUTS_DOWN && cut->passed > 0 &&
                 fssl_conn_bio_read(cut->peer.conn, &none, 1, NULL) < 0 &&
                 (fssl_conn_shutdown_state(cut->peer.conn, NULL) & FSSL_SENT_SHUTDOWN);
    if (cut->kind == IN_MEMORY)
        fssl_conn_bio_shutdown(cut->victim.conn, NULL);
    else if (cut->kind == BY_RESET)
        reset_far(cut);
    else
        shutdown(cut->far, SHUT_WR);
}

static int64_t to_victim(struct cut *cut)
{
    uint8_t piece[PIECE];
    int64_t room = cut->after - cut->passed;
    int64_t got;

    if (cut->done)
        return 0;
    got = fssl_conn_bio_read(cut->peer.conn, piece, room < PIECE ? room : PIECE, NULL);
    if (got > 0 && cut->kind == IN_MEMORY)
        must(fssl_conn_bio_write(cut->victim.conn, piece, got, NULL) == got, "bio_write");
    else if (got > 0)
        must(send(cut->far, piece, (size_t)got, MSG_NOSIGNAL) == got, "send");
    cut->passed += got > 0 ? got : 0;
    return got;
}

/* ---- one cut ---- */

static fssl_handle make_conn(const struct cut *cut, bool client, int fd)
{
    const struct pair *pair = &contexts[cut->version == FSSL_TLS1_3_VERSION];
    fssl_handle ctx = client ? pair->client_ctx : pair->server_ctx;
    fssl_handle conn;

    fssl_ctx_set_read_ahead(ctx, cut->after % 2 ? READ_AHEAD : 0, NULL);
    conn = fd < 0 ? fssl_conn_new_memory(ctx, NULL) : fssl_conn_new(ctx, fd, NULL);
    if (client)
        fssl_conn_set_host(conn, "localhost", FSSL_NUL_TERMINATED, NULL);
    return conn;
}

static void begin(struct cut *cut)
{
    struct party party = {.to_send = TALK_BYTES, .to_recv = TALK_BYTES, .piece = TALK_BYTES / 3};

    cut->near = cut->far = -1;
    if (cut->kind != IN_MEMORY)
        connect_ends(cut);
    cut->victim = cut->peer = party;
    cut->victim.voice = 1;
    cut->peer.voice = (uint8_t)~1;
    cut->victim.stays = true; /* so that the peer's close_notify is part of what may be cut */
    cut->victim.conn = make_conn(cut, cut->client, cut->near);
    cut->peer.conn = make_conn(cut, !cut->client, -1);
}

static void finish(struct cut *cut)
{
    fssl_handle_close(cut->victim.conn, NULL);
    fssl_handle_close(cut->peer.conn, NULL);
    if (cut->far >= 0)
        reset_far(cut);
    if (cut->near >= 0)
        close(cut->near);
}

/* Nothing can be done now: the system may still be carrying something. */
static void wait_a_little(const struct cut *cut)
{
    struct pollfd ends[2] = {{cut->near, POLLIN, 0}, {cut->far, POLLIN, 0}};

    poll(ends, 2, cut->kind == IN_MEMORY ? 0 : 5);
}

static void play(struct cut *cut)
{
    int idle = 0;

    for (int i = 0; i < STEPS && idle < IDLE_STEPS && cut->victim.stage != ENDED; i++) {
        bool moved = party_step(&cut->victim);

        moved |= from_victim(cut) > 0;
        moved |= party_step(&cut->peer);
        moved |= to_victim(cut) > 0;
        if (!cut->done && cut->passed == cut->after) {
            make_cut(cut);
            moved = true;
        }
        idle = moved ? 0 : idle + 1;
        if (idle)
            wait_a_little(cut);
    }
}

static bool was_reset(int64_t result)
{
    int64_t number = 0;

    fssl_error_int(result, FSSL_ERROR_ERRNO, 0, &number, NULL);
    return fssl_error_code(result, NULL) == FSSL_E_SYSCALL &&
           (number == ECONNRESET || number == EPIPE);
}

/* A reset that the system has told to a send, a recv sees as the end of the stream. */
static bool acceptable(const struct cut *cut)
{
    int64_t result = cut->victim.result, failure = cut->victim.send_failure;

    if (failure && (cut->kind != BY_RESET || !was_reset(failure)))
        return false;
    if (!cut->done || cut->whole)
        return result == 0 || result == -FSSL_E_ZERO_RETURN || (cut->done && was_reset(result));
    if (fssl_error_code(result, NULL) == FSSL_E_EOF)
        return cut->kind != BY_RESET || failure;
    return cut->kind == BY_RESET && was_reset(result);
}

static void blame(const struct cut *cut, const char *what)
{
    figure_failed(
        "cut after %lld bytes (read ahead %s), stage %d, received %lld, the peer stage %d, "
        "received %lld: %s: %s",
        (long long)cut->after, cut->after % 2 ? "on" : "off", (int)cut->victim.stage,
        (long long)cut->victim.received, (int)cut->peer.stage, (long long)cut->peer.received, what,
        error_text(cut->victim.result));
}

static void judge(const struct cut *cut)
{
    const char *later = NULL;

    if (cut->victim.stage != ENDED)
        blame(cut, "it never ends");
    else if (!acceptable(cut))
        blame(cut, cut->whole ? "the whole came" : "ended otherwise than by truncation");
    else if (cut->victim.result < 0)
        later = party_stays_failed(&cut->victim);
    if (later)
        blame(cut, later);
    if (cut->victim.wrong || cut->peer.wrong)
        blame(cut, "data came wrong");
}

/* Returns whether all of the exchange came before the cut. */
static bool try_cut(struct cut cut)
{
    begin(&cut);
    play(&cut);
    judge(&cut);
    finish(&cut);
    figure_points(1);
    return cut.whole || (!cut.done && cut.victim.stage == ENDED);
}

static void try_all(enum cut_kind kind, bool client, int32_t version)
{
    int64_t step = stress_amount(37, 1, 1);
    int64_t after = (int64_t)(stress_seed() % (uint64_t)step);
    int whole = 0;

    figure_begin("cuts: %s of a TLS 1.%d %s's peer", kind_name[kind],
                 version == FSSL_TLS1_3_VERSION ? 3 : 2, client ? "client" : "server");
    for (; whole < 3; after += step) {
        struct cut cut = {.kind = kind, .client = client, .version = version, .after = after};

        whole += try_cut(cut);
    }
    figure_note("an exchange of about %lld bytes", (long long)after);
    if (fssl_handle_count(FSSL_TYPE_CONN, NULL) > 0)
        figure_failed("connections are left");
    figure_end();
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (int newer = 0; newer < 2; newer++) {
        struct pair_plan plan = {.version = newer ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION};

        pair_contexts(&contexts[newer], &plan);
    }
    for (enum cut_kind kind = BY_END; kind <= IN_MEMORY; kind++) {
        for (int which = 0; which < 4; which++)
            try_all(kind, which % 2, which / 2 ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION);
    }
    for (int newer = 0; newer < 2; newer++)
        pair_close(&contexts[newer]);
    return stress_end();
}
