/* Whose the fd of a connection is, and what it may be beside a socket. */
#define _GNU_SOURCE /* posix_openpt */

#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const struct pair_plan sockets = {.sockets = true};
static const uint8_t text[] = "through the fd";

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* ---- whose it is ---- */

static void borrowed(void)
{
    struct pair pair = pair_established(&sockets);

    CHECK_IS(pair.client_fd, fssl_conn_fileno(pair.client, &err));
    check_close(pair.client);
    pair.client = 0;
    CHECK(is_open(pair.client_fd));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_fileno(pair.client, &err));
}

static void owned(void)
{
    struct pair pair = pair_established(&sockets);

    CHECK_OK(fssl_conn_own_fd(pair.client, &err));
    CHECK_OK(fssl_conn_own_fd(pair.client, &err));
    check_close(pair.client);
    CHECK(!is_open(pair.client_fd));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_own_fd(pair.client, &err));
    pair.client = 0;
    pair.client_fd = -1;
    pair_close(&pair);
}

static void detached(void)
{
    struct pair pair = pair_established(&sockets);

    CHECK_OK(fssl_conn_own_fd(pair.client, &err));
    CHECK_IS(pair.client_fd, fssl_conn_detach(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_fileno(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_own_fd(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_send(pair.client, text, 1, &err));
    check_close(pair.client);
    pair.client = 0;
    CHECK(is_open(pair.client_fd)); /* it is the caller's again */
    pair_close(&pair);
}

static void none_in_memory(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_fileno(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_own_fd(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_detach(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_setblocking(pair.client, 1, &err));
    pair_close(&pair);
}

static void blocking_mode(void)
{
    struct pair pair = pair_established(&sockets);

    CHECK_OK(fssl_conn_setblocking(pair.client, 1, &err));
    CHECK_EQUAL(0, fcntl(pair.client_fd, F_GETFL) & O_NONBLOCK);
    CHECK_OK(fssl_conn_setblocking(pair.client, 0, &err));
    CHECK_EQUAL(O_NONBLOCK, fcntl(pair.client_fd, F_GETFL) & O_NONBLOCK);
    CHECK(pair_transfer(&pair, pair.client, text, sizeof text));
    CHECK_EQUAL(O_NONBLOCK, fcntl(pair.client_fd, F_GETFL) & O_NONBLOCK);
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_setblocking(pair.client, 1, &err));
}

static void an_fd_that_was_closed(void)
{
    struct pair pair = pair_established(&sockets);
    uint8_t byte;
    int64_t result;

    close(pair.client_fd);
    pair.client_fd = -1;
    result = CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    CHECK_EQUAL(EBADF, error_int(result, FSSL_ERROR_ERRNO));
    pair_close(&pair);
}

/* ---- what is no socket ---- */

/* Opens both ends of a terminal that passes all bytes on: no sockets, yet two ways. */
static bool open_terminal(int *master, int *slave)
{
    struct termios raw;

    *master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (*master < 0 || grantpt(*master) || unlockpt(*master))
        return false;
    *slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (*slave < 0 || tcgetattr(*slave, &raw))
        return false;
    cfmakeraw(&raw);
    return tcsetattr(*slave, TCSANOW, &raw) == 0;
}

static void over_a_terminal(void)
{
    static uint8_t data[50000];
    struct pair pair;

    pair_contexts(&pair, &sockets);
    if (CHECK(open_terminal(&pair.client_fd, &pair.server_fd))) {
        pair.client = CHECK_MADE(fssl_conn_new(pair.client_ctx, pair.client_fd, &err));
        pair.server = CHECK_MADE(fssl_conn_new(pair.server_ctx, pair.server_fd, &err));
        CHECK_OK(fssl_conn_set_host(pair.client, "localhost", 9, &err));
        CHECK(pair_handshake(&pair));
        memset(data, 't', sizeof data);
        CHECK(pair_transfer(&pair, pair.client, data, sizeof data));
        CHECK(pair_transfer(&pair, pair.server, data, sizeof data));
        pair_shutdown(&pair);
    }
    pair_close(&pair);
}

/* A server that finds a client's first words in a file comes to its end. */
static void over_a_file(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    uint8_t first[4096];
    int64_t len;

    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair.client, &err));
    len = CHECK_GIVES(fssl_conn_bio_read(pair.client, first, sizeof first, &err));
    check_close(pair.server);
    pair.server_fd = open(scratch_file(first, (size_t)len), O_RDONLY);
    pair.server = CHECK_MADE(fssl_conn_new(pair.server_ctx, pair.server_fd, &err));
    /* it cannot be written: that is told, not that it has ended */
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_do_handshake(pair.server, &err));
    pair_close(&pair);
}

static void over_an_empty_file(void)
{
    struct pair pair;

    pair_contexts(&pair, &sockets);
    pair.server_fd = open("/dev/null", O_RDWR);
    pair.server = CHECK_MADE(fssl_conn_new(pair.server_ctx, pair.server_fd, &err));
    CHECK_FAILS(FSSL_E_EOF, fssl_conn_do_handshake(pair.server, &err));
    pair_close(&pair);
}

static void write_to_a_broken_pipe(void *argument)
{
    sigset_t pending;

    signal(SIGPIPE, SIG_DFL);
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_do_handshake(*(fssl_handle *)argument, &err));
    CHECK_EQUAL(0, sigpending(&pending));
    CHECK_EQUAL(0, sigismember(&pending, SIGPIPE));
    pthread_sigmask(SIG_SETMASK, NULL, &pending);
    CHECK_EQUAL(0, sigismember(&pending, SIGPIPE));
}

static void over_a_broken_pipe(void)
{
    struct pair pair;
    int ends[2];

    pair_contexts(&pair, &sockets);
    CHECK_EQUAL(0, pipe(ends));
    close(ends[0]);
    pair.client_fd = ends[1];
    pair.client = CHECK_MADE(fssl_conn_new(pair.client_ctx, pair.client_fd, &err));
    CHECK_OK(fssl_conn_set_host(pair.client, "localhost", 9, &err));
    check_child(write_to_a_broken_pipe, &pair.client);
    write_to_a_broken_pipe(&pair.client);
    pair_close(&pair);
}

/* ---- fork ---- */

static void use_in_child(void *argument)
{
    struct pair *pair = argument;
    uint8_t byte = 0;

    CHECK_FAILS(FSSL_E_FORKED, fssl_conn_send(pair->client, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_FORKED, fssl_conn_recv(pair->client, &byte, 1, 0, &err));
    CHECK_FAILS(FSSL_E_FORKED, fssl_conn_do_handshake(pair->client, &err));
    CHECK_FAILS(FSSL_E_FORKED, fssl_conn_shutdown(pair->client, &err));
    CHECK_IS(FSSL_TLS1_3_VERSION, fssl_conn_protocol_version(pair->client, &err));
    pair->client_fd = pair->server_fd = -1;
    pair_close(pair);
}

static void a_child_keeps_its_hands_off(void)
{
    struct pair pair = pair_established(&sockets);

    check_child(use_in_child, &pair);
    CHECK(pair_transfer(&pair, pair.client, text, sizeof text));
    CHECK(pair_transfer(&pair, pair.server, text, sizeof text));
    pair_shutdown(&pair);
    pair_close(&pair);
}

static void adopt_in_child(void *argument)
{
    struct pair *pair = argument;

    CHECK_OK(fssl_conn_adopt(pair->server, &err));
    CHECK_IS(sizeof text, fssl_conn_send(pair->server, text, sizeof text, &err));
    CHECK_IS(0, fssl_conn_shutdown(pair->server, &err));
}

static void adopted(void)
{
    struct pair pair = pair_established(&sockets);
    uint8_t got[64];

    check_child(adopt_in_child, &pair);
    CHECK_IS(sizeof text, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    CHECK_BYTES(text, got, sizeof text);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_adopt(pair.server, &err));
}

static void begin_in_child(void *argument)
{
    struct pair *pair = argument;

    CHECK(pair_handshake(pair)); /* made before the fork, begun after it */
    pair_disconnect(pair);
    pair_connect(pair, &sockets);
    CHECK(pair_handshake(pair));
    CHECK(pair_transfer(pair, pair->client, text, sizeof text));
    pair_close(pair);
}

static void a_child_may_begin(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    check_child(begin_in_child, &pair);
    CHECK(pair_handshake(&pair));
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"borrowed", borrowed},
    {"owned", owned},
    {"detached", detached},
    {"none in memory", none_in_memory},
    {"blocking mode", blocking_mode},
    {"an fd that was closed", an_fd_that_was_closed},
    {"over a terminal", over_a_terminal},
    {"over a file", over_a_file},
    {"over an empty file", over_an_empty_file},
    {"over a broken pipe", over_a_broken_pipe},
    {"a child keeps its hands off", a_child_keeps_its_hands_off},
    {"adopted", adopted},
    {"a child may begin", a_child_may_begin},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
