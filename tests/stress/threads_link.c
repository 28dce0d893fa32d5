/* Links and the threads that talk over them. What a talker says is known word by word from its
   voice and position, so that the other end checks every byte and keeps none. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"
#include "threads.h"

enum {
    BUFFER = 16384, /* of a socket, each way */
    LEAST = 500,
    SEND_MOST = 100000,
    RECV_MOST = 40000,
    WORD = sizeof(uint64_t),
    WAIT_MS = 3,
    PATIENCE_S = 90
};

struct contexts contexts[2];

static void must(bool held, const char *what)
{
    if (held)
        return;
    perror(what);
    exit(2);
}

void pause_us(int64_t microseconds)
{
    const struct timespec pause = {microseconds / 1000000, microseconds % 1000000 * 1000};

    nanosleep(&pause, NULL);
}

/* ---- the watch ---- */

static atomic_llong moves;

void watch_moved(void)
{
    atomic_fetch_add_explicit(&moves, 1, memory_order_relaxed);
}

static void *watch(void *unused)
{
    long long before = -1;
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (int still = 0; still < PATIENCE_S; still++) {
        long long now = atomic_load(&moves);

        if (now != before)
            still = 0;
        before = now;
        pause_us(1000000);
    }
    figure_failed("nothing has moved for %d s", PATIENCE_S);
    figure_end();
    stress_end();
    _exit(1);
    return unused;
}

void watch_start(void)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, watch, NULL) == 0, "pthread_create");
    pthread_detach(thread);
}

/* ---- threads ---- */

void group_start(struct group *group, void *(*run)(void *), void *argument)
{
    must(group->count < THREADS_MAX &&
             pthread_create(&group->id[group->count], NULL, run, argument) == 0,
         "pthread_create");
    group->count++;
}

void group_join(struct group *group)
{
    for (int i = 0; i < group->count; i++)
        pthread_join(group->id[i], NULL);
    group->count = 0;
}

/* ---- contexts ---- */

void contexts_open(void)
{
    for (int newer = 0; newer < 2; newer++) {
        struct pair_plan plan = {.version = newer ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION};
        struct pair pair;

        pair_contexts(&pair, &plan);
        contexts[newer] = (struct contexts){{pair.client_ctx, pair.server_ctx}};
    }
}

void contexts_close(void)
{
    for (int newer = 0; newer < 2; newer++) {
        fssl_handle_close(contexts[newer].ctx[CLIENT], NULL);
        fssl_handle_close(contexts[newer].ctx[SERVER], NULL);
    }
}

/* ---- links ---- */

static int small_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int size = BUFFER;

    must(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0 &&
             setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0,
         "socket");
    return fd;
}

static void connect_fds(int fd[2])
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof here;
    int listener = small_socket();

    must(bind(listener, (struct sockaddr *)&here, sizeof here) == 0 && listen(listener, 1) == 0 &&
             getsockname(listener, (struct sockaddr *)&here, &len) == 0,
         "listen");
    fd[CLIENT] = small_socket();
    must(connect(fd[CLIENT], (struct sockaddr *)&here, sizeof here) == 0, "connect");
    fd[SERVER] = accept(listener, NULL, NULL);
    must(fd[SERVER] >= 0, "accept");
    close(listener);
}

void link_open(struct link *link, const struct contexts *of, enum manner manner)
{
    link->manner = manner;
    connect_fds(link->fd);
    for (int side = CLIENT; side <= SERVER; side++) {
        fssl_handle conn = fssl_conn_new(of->ctx[side], link->fd[side], NULL);

        must(conn > 0, "fssl_conn_new");
        if (side == CLIENT)
            fssl_conn_set_host(conn, "localhost", FSSL_NUL_TERMINATED, NULL);
        if (manner == POLLS)
            fcntl(link->fd[side], F_SETFL, O_NONBLOCK);
        if (manner == TIMES_OUT)
            fssl_conn_set_timeout(conn, WAIT_MS, NULL);
        link->conn[side] = conn;
    }
}

void link_close(struct link *link)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        fssl_handle_close(link->conn[side], NULL);
        if (link->fd[side] >= 0)
            close(link->fd[side]);
    }
}

/* ---- one talker ---- */

uint8_t *spoken(uint64_t *words, uint8_t voice, int64_t at, int64_t len)
{
    uint64_t first = (uint64_t)at / WORD, last = (uint64_t)(at + len) / WORD;

    for (uint64_t i = first; i <= last; i++) {
        uint64_t mixed = (i ^ (uint64_t)voice << 56) * 0x9e3779b97f4a7c15;

        words[i - first] = mixed ^ mixed >> 29;
    }
    return (uint8_t *)words + at % WORD;
}

static void count(struct talker *talker, int64_t len)
{
    if (len <= 0)
        return;
    atomic_fetch_add(&talker->done, len);
    watch_moved();
}

/* Takes one piece further. Both calls that send must keep what they say. */
static int64_t send_piece(struct talker *talker, uint64_t *words, int64_t len)
{
    const uint8_t *data = spoken(words, talker->voice, talker->done, len);
    int64_t sent = 0, result;

    if (dice_below(&talker->dice, 2)) {
        result = fssl_conn_send(talker->conn, data, len, NULL);
        sent = result;
    } else {
        result = fssl_conn_send_all(talker->conn, data, len, &sent, NULL);
    }
    memset(words, 0, (size_t)len); /* the buffer is ours again */
    count(talker, sent);
    return result;
}

static int64_t recv_piece(struct talker *talker, uint64_t *words, uint8_t *buf, int64_t len)
{
    int64_t got = fssl_conn_recv(talker->conn, buf, len, 0, NULL);

    if (got <= 0)
        return got;
    if (memcmp(buf, spoken(words, talker->voice, talker->done, got), (size_t)got) != 0)
        return -1; /* no such code */
    count(talker, got);
    return got;
}

/* Waits as a program does that polls: a recv that wants to write is still there to read. */
static void poll_as_told(const struct talker *talker, int64_t result)
{
    struct pollfd set = {talker->fd, POLLIN, 0};

    if (result == -FSSL_E_WANT_WRITE)
        set.events = talker->sends ? POLLOUT : POLLIN | POLLOUT;
    poll(&set, 1, talker->poll_ms);
}

/* Tells whether a talker goes on after a call. One that was cancelled does: the next call tells. */
static bool goes_on(struct talker *talker, int64_t result)
{
    int64_t code = fssl_error_code(result, NULL);

    talker->calls++;
    if (result >= 0 || code == FSSL_E_CANCELLED)
        return true;
    talker->interrupted += code == FSSL_E_INTERRUPTED;
    if (code == FSSL_E_INTERRUPTED || (code == FSSL_E_TIMEOUT && talker->manner == TIMES_OUT))
        return true;
    if (talker->manner != POLLS || (code != FSSL_E_WANT_READ && code != FSSL_E_WANT_WRITE))
        return false;
    poll_as_told(talker, result);
    return true;
}

/* Takes the next piece. Once all was accepted, a program that polls has to see that it goes out. */
static int64_t talk_on(struct talker *talker, uint64_t *words, uint8_t *buf)
{
    int64_t left = talker->len - talker->done;
    int64_t piece = 1 + dice_below(&talker->dice, talker->most);

    if (piece > left)
        piece = left;
    if (!talker->sends)
        return recv_piece(talker, words, buf, piece);
    if (left)
        return send_piece(talker, words, piece);
    talker->flushed = fssl_conn_flush(talker->conn, NULL);
    return talker->flushed;
}

static bool has_ended(const struct talker *talker)
{
    return talker->done == talker->len && (!talker->sends || talker->flushed == 0);
}

void *talk(void *argument)
{
    struct talker *talker = argument;
    uint64_t *words = calloc(1, (size_t)talker->most + 2 * WORD);
    uint8_t *buf = malloc((size_t)talker->most);

    must(words && buf, "malloc");
    do {
        talker->result = talk_on(talker, words, buf);
    } while (goes_on(talker, talker->result) && !has_ended(talker));
    atomic_store(&talker->ended, true);
    watch_moved();
    free(words);
    free(buf);
    return NULL;
}

void talkers_of(struct talker *talkers, const struct link *link, uint64_t round, int64_t len)
{
    for (int i = 0; i < TALKERS; i++) {
        struct talker *talker = &talkers[i];
        int side = i / 2;

        memset(talker, 0, sizeof *talker);
        talker->conn = link->conn[side];
        talker->fd = link->fd[side];
        talker->manner = link->manner;
        talker->poll_ms = -1;
        talker->flushed = -1;
        talker->sends = i % 2;
        talker->len = len;
        talker->voice = (uint8_t)(talker->sends ? side : !side);
        talker->dice = dice_of(stress_seed(), round * TALKERS + (uint64_t)i);
        talker->most = LEAST + dice_below(&talker->dice, talker->sends ? SEND_MOST : RECV_MOST);
    }
}

void talker_is_whole(const struct talker *talker, const char *where)
{
    if (talker->done == talker->len && talker->result >= 0)
        return;
    figure_failed("%s: %lld of %lld bytes %s: %s", where, (long long)talker->done,
                  (long long)talker->len, talker->sends ? "sent" : "received",
                  talker->result == -1 ? "they are wrong" : error_text(talker->result));
}

/* ---- handshakes ---- */

static void *shake_hands(void *argument)
{
    struct talker *talker = argument;

    do {
        talker->result = fssl_conn_do_handshake(talker->conn, NULL);
    } while (talker->result < 0 && goes_on(talker, talker->result));
    return NULL;
}

void link_establish(struct link *link)
{
    struct talker talkers[TALKERS];
    struct group group = {.count = 0};

    talkers_of(talkers, link, 0, 0);
    group_start(&group, shake_hands, &talkers[2 * CLIENT]);
    group_start(&group, shake_hands, &talkers[2 * SERVER]);
    group_join(&group);
    for (int side = CLIENT; side <= SERVER; side++) {
        if (talkers[2 * side].result < 0)
            figure_failed("the handshake failed: %s", error_text(talkers[2 * side].result));
    }
}
