/* Connections over which four threads talk end at a random moment, from a fifth thread, in every
   way that there is. Each call then ends in data or in a code that belongs to that end, what
   arrived is a beginning of what was sent, and no thread stays behind. */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "threads.h"

enum act { CLOSES, CANCELS, DETACHES, SHUTS_DOWN, SHUTS_SOCKET, ACTS };
enum { MOMENT_US = 30000, POLL_MS = 5 };

static const char *const act_name[] = {"close", "cancel", "detach", "shutdown",
                                       "shutdown of the socket"};

struct ending {
    struct link link;
    struct talker talkers[TALKERS];
    struct dice dice;
    enum act act;
    int side; /* whose end it is */
    bool owned;
    bool told; /* close_notify was sent */
};

static struct talker *talker_of(struct ending *ending, int side, bool sends)
{
    return &ending->talkers[2 * side + sends];
}

/* ---- the act ---- */

/* Closes the handle. An fd that is its own is closed with it. */
static void close_side(struct ending *ending, int side)
{
    bool detached = ending->act == DETACHES && side == ending->side;

    fssl_handle_close(ending->link.conn[side], NULL);
    if (ending->owned && !detached)
        ending->link.fd[side] = -1;
    ending->link.conn[side] = 0;
}

static void detach(struct ending *ending)
{
    int64_t fd = fssl_conn_detach(ending->link.conn[ending->side], NULL);

    if (fd != talker_of(ending, ending->side, true)->fd)
        figure_failed("detach gives %s", error_text(fd));
    ending->link.fd[ending->side] = (int)fd;
}

static void own_fds(struct ending *ending)
{
    for (int side = CLIENT; ending->owned && side <= SERVER; side++)
        fssl_conn_own_fd(ending->link.conn[side], NULL);
}

static void shut_down(struct ending *ending)
{
    fssl_handle conn = ending->link.conn[ending->side];
    int64_t result = fssl_conn_shutdown(conn, NULL), code = fssl_error_code(result, NULL);

    ending->told = fssl_conn_shutdown_state(conn, NULL) & FSSL_SENT_SHUTDOWN;
    if (result < 0 && code != FSSL_E_STATE && code != FSSL_E_TIMEOUT && code != FSSL_E_WANT_WRITE)
        figure_failed("shutdown gives %s", error_text(result));
}

/* Waits until all talkers have moved, or one has ended. */
static void wait_for_moves(struct ending *ending)
{
    int64_t before[TALKERS];

    for (int i = 0; i < TALKERS; i++)
        before[i] = ending->talkers[i].done;
    for (int i = 0; i < TALKERS; i++) {
        while (ending->talkers[i].done == before[i] && !ending->talkers[i].ended)
            pause_us(100);
    }
}

static void act(struct ending *ending)
{
    fssl_handle conn = ending->link.conn[ending->side];

    switch (ending->act) {
    case CLOSES:
        close_side(ending, ending->side);
        break;
    case CANCELS:
        if (fssl_conn_cancel(conn, NULL) != 0)
            figure_failed("cancel fails");
        wait_for_moves(ending); /* it ended the calls, not the connection */
        break;
    case DETACHES:
        detach(ending);
        break;
    case SHUTS_DOWN:
        shut_down(ending);
        while (ending->told && !talker_of(ending, !ending->side, false)->ended)
            pause_us(100);
        break;
    default:
        if (fssl_conn_sock_shutdown(conn, FSSL_SHUT_RDWR, NULL) != 0)
            figure_failed("shutdown of the socket fails");
    }
}

/* ---- what may come of it ---- */

/* The socket went away under a call. */
static bool is_cut(int64_t result)
{
    int64_t code = fssl_error_code(result, NULL), number = 0;

    fssl_error_int(result, FSSL_ERROR_ERRNO, 0, &number, NULL);
    return code == FSSL_E_EOF ||
           (code == FSSL_E_SYSCALL && (number == EPIPE || number == ECONNRESET));
}

/* What comes of a socket that the other end closes, or that one of them shuts down, and what comes
   of a stale handle, is met at all ends: every ending ends in closing. */
static bool belongs(const struct ending *ending, int i)
{
    const struct talker *talker = &ending->talkers[i];
    int64_t code = fssl_error_code(talker->result, NULL);
    bool own = i / 2 == ending->side;

    if (ending->told && !own && !talker->sends)
        return code == FSSL_E_ZERO_RETURN;
    if (code == FSSL_E_HANDLE || (code == FSSL_E_CANCELLED && ending->act != CANCELS))
        return true;
    if (is_cut(talker->result))
        return ending->owned || ending->act == SHUTS_SOCKET;
    if (code == FSSL_E_STATE)
        return own && (ending->act == DETACHES || (ending->told && talker->sends));
    return false;
}

/* What one end has received, the other has sent: of a piece that was not accepted as a whole, what
   went out may not be counted. */
static void judge(const struct ending *ending, uint64_t round)
{
    for (int i = 0; i < TALKERS; i++) {
        const struct talker *talker = &ending->talkers[i];

        if (talker->result == -1)
            figure_failed("round %llu, %s: wrong data came", (unsigned long long)round,
                          act_name[ending->act]);
        else if (!belongs(ending, i))
            figure_failed("round %llu, %s: %s of %s end gives %s", (unsigned long long)round,
                          act_name[ending->act], talker->sends ? "send" : "recv",
                          i / 2 == ending->side ? "this" : "the other", error_text(talker->result));
        figure_points(talker->calls);
    }
}

/* ---- one round ---- */

static void begin(struct ending *ending, uint64_t round)
{
    struct dice *dice = &ending->dice;

    memset(ending, 0, sizeof *ending);
    *dice = dice_of(stress_seed() + 1, round);
    ending->act = (enum act)(round % ACTS);
    ending->side = (int)dice_below(dice, 2);
    ending->owned = dice_below(dice, 2);
    link_open(&ending->link, &contexts[dice_below(dice, 2)],
              (enum manner)dice_below(dice, MANNERS));
    talkers_of(ending->talkers, &ending->link, round, INT64_MAX);
    own_fds(ending);
    for (int i = 0; i < TALKERS; i++)
        ending->talkers[i].poll_ms = POLL_MS;
}

static void try_ending(uint64_t round)
{
    struct ending ending;
    struct group group = {.count = 0};

    begin(&ending, round);
    for (int i = 0; i < TALKERS; i++)
        group_start(&group, talk, &ending.talkers[i]);
    pause_us(dice_below(&ending.dice, 1 + dice_below(&ending.dice, MOMENT_US)));
    act(&ending);
    for (int i = 0; i < 2; i++)
        close_side(&ending, (int)(round + (uint64_t)i) % 2);
    group_join(&group);
    link_close(&ending.link);
    judge(&ending, round);
}

void ends_at_any_moment(void)
{
    int64_t rounds = stress_amount(300, 2000, 20000);

    figure_begin("threads: ends at any moment");
    for (uint64_t round = 0; round < (uint64_t)rounds; round++)
        try_ending(round);
    figure_note("%lld ends", (long long)rounds);
    figure_end();
}
