/* Fails every recv, send, read, write and poll of a connection in turn, with EAGAIN, EINTR,
   ECONNRESET, EPIPE, EIO, 0 and a single byte, for both roles and versions, on sockets that block
   and that do not, and on what is no socket. What is no failure loses nothing; a failure is
   reported with its errno, 0 as the end of the stream; nothing hangs.

   The calls of the library come here because the program defines them.

       io-faults [--short | --long] */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "figure.h"
#include "pair.h"
#include "party.h"

enum fault { NO_FAULT, AGAIN, INTERRUPT, RESET, PIPE_GONE, BROKEN, ZERO, SHORT, FAULTS };
enum call_kind { INPUT, OUTPUT, POLL };
enum { IDLE_STEPS = 60, TALK_BYTES = 20000, DEADLINE = 5000 };

static const char *const fault_name[] = {"nothing", "EAGAIN", "EINTR", "ECONNRESET",
                                         "EPIPE",   "EIO",    "0",     "one byte"};
static const char *const kind_name[] = {"input", "output", "poll"};
static const int fault_errno[] = {0, EAGAIN, EINTR, ECONNRESET, EPIPE, EIO, 0, 0};

/* What happens to the calls on one fd. */
static struct {
    int fd;
    bool no_socket;
    enum call_kind kind;
    int64_t at;
    int64_t count[3];
    enum fault fault;
    bool struck;
} plan = {.fd = -1};

/* ---- the calls ---- */

/* Counts a call and tells whether it is the one that fails. */
static bool strikes(int fd, enum call_kind kind)
{
    if (fd != plan.fd)
        return false;
    if (++plan.count[kind] != plan.at || kind != plan.kind || plan.fault == NO_FAULT)
        return false;
    plan.struck = true;
    return true;
}

/* Fails, or makes the call shorter. Returns 1 if it is to be made, else its result is *result. */
static bool spoil(int fd, enum call_kind kind, size_t *len, ssize_t *result)
{
    if (!strikes(fd, kind))
        return true;
    if (plan.fault == SHORT) {
        *len = *len > 1 ? 1 : *len;
        return true;
    }
    *result = plan.fault == ZERO ? 0 : -1;
    errno = fault_errno[plan.fault];
    return false;
}

static bool is_no_socket(int fd)
{
    if (fd != plan.fd || !plan.no_socket)
        return false;
    errno = ENOTSOCK;
    return true;
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    ssize_t result = -1;

    if (is_no_socket(fd) || !spoil(fd, INPUT, &len, &result))
        return result;
    return recvfrom(fd, buf, len, flags, NULL, NULL);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    ssize_t result = -1;

    if (is_no_socket(fd) || !spoil(fd, OUTPUT, &len, &result))
        return result;
    return sendto(fd, data, len, flags, NULL, 0);
}

ssize_t read(int fd, void *buf, size_t len)
{
    ssize_t result = -1;

    if (!spoil(fd, INPUT, &len, &result))
        return result;
    return syscall(SYS_read, fd, buf, len);
}

ssize_t write(int fd, const void *data, size_t len)
{
    ssize_t result = -1;

    if (!spoil(fd, OUTPUT, &len, &result))
        return result;
    return syscall(SYS_write, fd, data, len);
}

int poll(struct pollfd *set, nfds_t count, int timeout)
{
    struct timespec time = {timeout / 1000, timeout % 1000 * 1000000L};
    size_t len = 2;
    ssize_t result = -1;

    for (nfds_t i = 0; i < count; i++) {
        if (set[i].fd == plan.fd && !spoil(plan.fd, POLL, &len, &result))
            return (int)result;
    }
    return (int)syscall(SYS_ppoll, set, count, timeout < 0 ? NULL : &time, NULL, 0);
}

/* ---- one exchange ---- */

struct exchange {
    bool client; /* whom it happens to */
    int version; /* 0 for 1.2, 1 for 1.3 */
    bool blocks;
    bool no_socket;
    struct party victim, peer;
    int near, far;
};

static struct pair contexts[2];

static void must(bool held, const char *what)
{
    if (held)
        return;
    perror(what);
    exit(2);
}

static fssl_handle make_conn(const struct exchange *exchange, bool client, int fd)
{
    const struct pair *pair = &contexts[exchange->version];
    fssl_handle ctx = client ? pair->client_ctx : pair->server_ctx;
    fssl_handle conn = fssl_conn_new(ctx, fd, NULL);

    if (client)
        fssl_conn_set_host(conn, "localhost", FSSL_NUL_TERMINATED, NULL);
    fssl_conn_set_timeout(conn, exchange->blocks ? DEADLINE : FSSL_TIMEOUT_AS_FD, NULL);
    return conn;
}

static void open_exchange(struct exchange *exchange)
{
    struct party party = {.to_send = TALK_BYTES, .to_recv = TALK_BYTES, .piece = TALK_BYTES / 3};
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | (exchange->blocks ? 0 : SOCK_NONBLOCK), 0, ends) == 0,
         "socketpair");
    exchange->near = ends[0];
    exchange->far = ends[1];
    party.blocks = exchange->blocks;
    exchange->victim = exchange->peer = party;
    exchange->victim.voice = 1;
    exchange->peer.voice = (uint8_t)~1;
    exchange->victim.conn = make_conn(exchange, exchange->client, exchange->near);
    exchange->peer.conn = make_conn(exchange, !exchange->client, exchange->far);
    plan.fd = exchange->near;
    plan.no_socket = exchange->no_socket;
    plan.struck = false;
    memset(plan.count, 0, sizeof plan.count);
}

static void close_exchange(struct exchange *exchange)
{
    plan.fd = -1;
    fssl_handle_close(exchange->victim.conn, NULL);
    fssl_handle_close(exchange->peer.conn, NULL);
    close(exchange->near);
    if (exchange->far >= 0)
        close(exchange->far);
}

/* Both ends by turns, in one thread. */
static void play(struct exchange *exchange)
{
    int idle = 0;

    while (idle < IDLE_STEPS) {
        bool moved = party_step(&exchange->victim);

        moved |= party_step(&exchange->peer);
        idle = moved ? 0 : idle + 1;
    }
}

/* One end, in a thread of its own, until it has ended. */
static void *play_end(void *argument)
{
    struct party *party = argument;

    while (party->stage != ENDED)
        party_step(party);
    return NULL;
}

/* The peer's thread ends because its socket does. */
static void play_in_threads(struct exchange *exchange)
{
    pthread_t peer;

    must(pthread_create(&peer, NULL, play_end, &exchange->peer) == 0, "pthread_create");
    play_end(&exchange->victim);
    shutdown(exchange->near, SHUT_RDWR);
    pthread_join(peer, NULL);
}

/* ---- what must come of it ---- */

static bool says(int64_t result, int32_t code, int number)
{
    int64_t value = 0;

    if (fssl_error_code(result, NULL) != code)
        return false;
    fssl_error_int(result, FSSL_ERROR_ERRNO, 0, &value, NULL);
    return code != FSSL_E_SYSCALL || value == number;
}

static bool is_failure(void)
{
    switch (plan.fault) {
    case NO_FAULT:
    case SHORT:
    case INTERRUPT:
        return false;
    case AGAIN:
        return plan.kind == POLL;
    case ZERO:
        return plan.kind != OUTPUT;
    default:
        return true;
    }
}

static bool reported(const struct party *party)
{
    int number = fault_errno[plan.fault];

    if (plan.fault == ZERO)
        return says(party->result, plan.kind == INPUT ? FSSL_E_EOF : FSSL_E_TIMEOUT, 0) ||
               says(party->send_failure, FSSL_E_TIMEOUT, 0);
    return says(party->result, FSSL_E_SYSCALL, number) ||
           says(party->send_failure, FSSL_E_SYSCALL, number);
}

static bool whole(const struct party *party)
{
    return party->stage == ENDED && (party->result == 0 || party->result == -FSSL_E_ZERO_RETURN) &&
           party->received == party->to_recv && party->sent == party->to_send;
}

/* A failure may leave nothing undone: of a close_notify to a peer that has sent its own, of waiting
   for what has been accepted already. */
static bool harmless(const struct exchange *exchange)
{
    if (plan.kind == POLL)
        return whole(&exchange->victim) && whole(&exchange->peer);
    return plan.kind == OUTPUT && whole(&exchange->victim) &&
           exchange->peer.received == exchange->peer.to_recv;
}

static void blame(const struct exchange *exchange, const char *what)
{
    const struct party *victim = &exchange->victim;

    figure_failed("%s %lld gives %s (%s, TLS 1.%d, %s%s): %s; stage %d, sent %lld, received %lld: "
                  "%s; send: %s",
                  kind_name[plan.kind], (long long)plan.at, fault_name[plan.fault],
                  exchange->client ? "client" : "server", 2 + exchange->version,
                  exchange->blocks ? "blocking" : "not blocking",
                  exchange->no_socket ? ", no socket" : "", what, (int)victim->stage,
                  (long long)victim->sent, (long long)victim->received,
                  victim->result < 0 ? error_text(victim->result) : "success",
                  victim->send_failure ? "failed" : "success");
}

static void judge(const struct exchange *exchange)
{
    const struct party *victim = &exchange->victim, *peer = &exchange->peer;

    if (victim->wrong || peer->wrong)
        blame(exchange, "data came wrong");
    if (is_failure() && plan.struck) {
        if (!reported(victim) && !harmless(exchange))
            blame(exchange, "the failure was not reported");
    } else if (!whole(victim) || !whole(peer)) {
        blame(exchange, "something was lost");
    }
    if (peer->stage == ENDED && peer->result == 0 && peer->received < peer->to_recv)
        blame(exchange, "the peer saw a clean end");
}

static struct exchange *running;

static void too_long(int signal)
{
    (void)signal;
    blame(running, "hangs");
    _exit(1);
}

static bool try_fault(struct exchange *exchange)
{
    running = exchange;
    alarm(60);
    open_exchange(exchange);
    if (exchange->blocks)
        play_in_threads(exchange);
    else
        play(exchange);
    judge(exchange);
    close_exchange(exchange);
    alarm(0);
    figure_points(1);
    return plan.struck;
}

/* Every call of a kind in turn, until there are no more. */
static void try_all(struct exchange *exchange, enum call_kind kind)
{
    int64_t step = stress_amount(7, 1, 1);

    figure_begin("io-faults: %s of a TLS 1.%d %s, %s%s", kind_name[kind], 2 + exchange->version,
                 exchange->client ? "client" : "server",
                 exchange->blocks ? "blocking" : "not blocking",
                 exchange->no_socket ? ", no socket" : "");
    for (enum fault fault = NO_FAULT; fault < FAULTS; fault++) {
        plan.at = 1 + (int64_t)(stress_seed() % (uint64_t)step);
        plan.kind = kind;
        plan.fault = fault;
        while (try_fault(exchange))
            plan.at += step;
    }
    figure_note("%lld calls in an exchange", (long long)plan.count[kind]);
    figure_end();
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv);
    signal(SIGALRM, too_long);
    for (int version = 0; version < 2; version++) {
        struct pair_plan wanted = {.version = version ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION};

        pair_contexts(&contexts[version], &wanted);
    }
    for (int which = 0; which < 16; which++) {
        struct exchange exchange = {.client = which & 1,
                                    .version = which >> 1 & 1,
                                    .blocks = which >> 2 & 1,
                                    .no_socket = which >> 3 & 1};

        try_all(&exchange, INPUT);
        try_all(&exchange, OUTPUT);
        if (exchange.blocks || exchange.no_socket)
            try_all(&exchange, POLL);
    }
    for (int version = 0; version < 2; version++)
        pair_close(&contexts[version]);
    return stress_end();
}
