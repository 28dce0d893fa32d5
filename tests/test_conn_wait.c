/* Calls that wait, and what ends their waiting. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const struct pair_plan sockets = {.sockets = true};

static void pause_ms(long milliseconds)
{
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct pair blocking_pair(void)
{
    struct pair pair = pair_established(&sockets);
    uint8_t byte;

    while (fssl_conn_recv(pair.client, &byte, 1, 0, NULL) > 0)
        ;
    pair_block(&pair);
    return pair;
}

/* A thread that waits in recv, or in another call on the same connection. */
struct waiting {
    fssl_handle conn;
    int64_t (*call)(fssl_handle conn);
    int64_t result;
    int32_t code;
    atomic_bool started;
    atomic_bool ended;
    pthread_t thread;
};

static int64_t call_recv(fssl_handle conn)
{
    uint8_t byte;

    return fssl_conn_recv(conn, &byte, 1, 0, &err);
}

static int64_t call_send(fssl_handle conn)
{
    static const uint8_t data[4000000];
    int64_t sent;

    return fssl_conn_send_all(conn, data, sizeof data, &sent, &err);
}

static void *wait_in_call(void *argument)
{
    struct waiting *waiting = argument;

    atomic_store(&waiting->started, true);
    waiting->result = waiting->call(waiting->conn);
    waiting->code = err;
    atomic_store(&waiting->ended, true);
    return NULL;
}

static void waiting_begin(struct waiting *waiting)
{
    CHECK_EQUAL(0, pthread_create(&waiting->thread, NULL, wait_in_call, waiting));
    while (!atomic_load(&waiting->started))
        pause_ms(1);
    pause_ms(20); /* most likely it waits by now, but no check may rely on it */
}

/* Joins the thread. Its call must have ended with this code, or with that of a call that has only
   begun when the connection was gone. */
static void waiting_ended(struct waiting *waiting, int32_t code, int32_t late)
{
    pthread_join(waiting->thread, NULL);
    if (waiting->code == late)
        code = late;
    CHECK_EQUAL(code, fssl_error_code(waiting->result, NULL));
    CHECK_EQUAL(code, waiting->code);
}

static void waiting_ends(struct waiting *waiting, int32_t code)
{
    waiting_ended(waiting, code, code);
}

/* ---- data ---- */

static void waits_for_data(void)
{
    struct pair pair = blocking_pair();
    struct waiting waiting = {.conn = pair.client, .call = call_recv};

    waiting_begin(&waiting);
    CHECK(!atomic_load(&waiting.ended));
    CHECK_IS(1, fssl_conn_send(pair.server, (const uint8_t *)"x", 1, &err));
    waiting_ends(&waiting, FSSL_OK);
    CHECK_EQUAL(1, waiting.result);
    pair_close(&pair);
}

static void handshake_in(void *argument)
{
    CHECK_OK(fssl_conn_do_handshake(*(fssl_handle *)argument, &err));
}

static void waits_for_the_handshake(void)
{
    struct pair pair = pair_open(&sockets);
    const struct check_thread threads[] = {{handshake_in, &pair.client},
                                           {handshake_in, &pair.server}};

    pair_block(&pair);
    check_threads(threads, COUNT_OF(threads));
    pair_close(&pair);
}

/* ---- timeouts ---- */

static void times_out(void)
{
    static const uint8_t data[4000000];
    struct pair pair = blocking_pair();
    int64_t begin = now_ms(), sent = 0, result, took;
    uint8_t byte;

    CHECK_OK(fssl_conn_set_timeout(pair.client, 50, &err));
    result = CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    took = now_ms() - begin;
    CHECK(took >= 49 && took < 5000);
    CHECK_CONTAINS("timed out", error_text(result));
    CHECK_IS(1, fssl_conn_send(pair.server, (const uint8_t *)"x", 1, &err));
    CHECK_IS(1, fssl_conn_recv(pair.client, &byte, 1, 0, &err)); /* it is still usable */
    CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_send_all(pair.client, data, sizeof data, &sent, &err));
    CHECK(sent > 0 && sent < (int64_t)sizeof data);
    pair_close(&pair);
}

static void times_out_on_a_nonblocking_fd(void)
{
    struct pair pair = pair_open(&sockets);
    int64_t begin = now_ms();

    CHECK_OK(fssl_conn_set_timeout(pair.client, 30, &err));
    CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_do_handshake(pair.client, &err));
    CHECK(now_ms() - begin >= 29);
    CHECK_OK(fssl_conn_set_timeout(pair.client, FSSL_TIMEOUT_AS_FD, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair.client, &err));
    CHECK(pair_handshake(&pair));
    pair_close(&pair);
}

static void timeouts_that_are_none(void)
{
    struct pair pair = blocking_pair();
    struct waiting waiting = {.conn = pair.client, .call = call_recv};

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_timeout(pair.client, -3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_timeout(pair.client, INT64_MIN, &err));
    CHECK_OK(fssl_conn_set_timeout(pair.client, FSSL_TIMEOUT_NONE, &err));
    CHECK_OK(fssl_conn_set_timeout(pair.client, INT64_MAX, &err)); /* as good as for ever */
    waiting_begin(&waiting);
    CHECK(!atomic_load(&waiting.ended));
    CHECK_IS(1, fssl_conn_send(pair.server, (const uint8_t *)"x", 1, &err));
    waiting_ends(&waiting, FSSL_OK);
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_timeout(pair.client, 1, &err));
}

/* ---- cancel, close, detach ---- */

static void cancelled(void)
{
    static int64_t (*const calls[])(fssl_handle) = {call_recv, call_send};

    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        struct pair pair = blocking_pair();
        struct waiting waiting = {.conn = pair.client, .call = calls[i]};

        CHECK_OK(fssl_conn_cancel(pair.client, &err)); /* nobody waits: it does nothing */
        waiting_begin(&waiting);
        while (!atomic_load(&waiting.ended)) {
            CHECK_OK(fssl_conn_cancel(pair.client, &err));
            pause_ms(5);
        }
        waiting_ends(&waiting, FSSL_E_CANCELLED);
        CHECK_IS(1, fssl_conn_send(pair.server, (const uint8_t *)"x", 1, &err));
        CHECK_IS(1, call_recv(pair.client)); /* later calls are not cancelled */
        pair_close(&pair);
        CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_cancel(pair.client, &err));
    }
}

static void closed(void)
{
    static int64_t (*const calls[])(fssl_handle) = {call_recv, call_send};

    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        struct pair pair = blocking_pair();
        struct waiting first = {.conn = pair.client, .call = call_recv};
        struct waiting second = {.conn = pair.client, .call = calls[i]};

        waiting_begin(&first);
        waiting_begin(&second);
        CHECK(!atomic_load(&first.ended) && !atomic_load(&second.ended));
        check_close(pair.client);
        waiting_ended(&first, FSSL_E_CANCELLED, FSSL_E_HANDLE);
        waiting_ended(&second, FSSL_E_CANCELLED, FSSL_E_HANDLE);
        CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_want(pair.client, &err));
        pair.client = 0;
        pair_close(&pair);
    }
}

static void detached(void)
{
    struct pair pair = blocking_pair();
    struct waiting first = {.conn = pair.client, .call = call_recv};
    struct waiting second = {.conn = pair.client, .call = call_send};

    waiting_begin(&first);
    waiting_begin(&second);
    CHECK_IS(pair.client_fd, fssl_conn_detach(pair.client, &err));
    waiting_ended(&first, FSSL_E_CANCELLED, FSSL_E_STATE);
    waiting_ended(&second, FSSL_E_CANCELLED, FSSL_E_STATE);
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_detach(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_recv(pair.client, (uint8_t *)&first, 1, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_fileno(pair.client, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_detach(pair.client, &err));
}

/* ---- signals ---- */

static void take_signal(int signal)
{
    (void)signal;
}

static void interrupted(void)
{
    struct pair pair = blocking_pair();
    struct waiting waiting = {.conn = pair.client, .call = call_recv};
    struct sigaction action = {.sa_handler = take_signal}, before;

    sigaction(SIGUSR1, &action, &before);
    waiting_begin(&waiting);
    while (!atomic_load(&waiting.ended)) {
        pthread_kill(waiting.thread, SIGUSR1);
        pause_ms(5);
    }
    waiting_ends(&waiting, FSSL_E_INTERRUPTED);
    CHECK_IS(1, fssl_conn_send(pair.server, (const uint8_t *)"x", 1, &err));
    CHECK_IS(1, call_recv(pair.client)); /* nothing was lost */
    sigaction(SIGUSR1, &before, NULL);
    pair_close(&pair);
}

/* The peer's end wakes a reader too. */
static void the_peer_ends(void)
{
    struct pair pair = blocking_pair();
    struct waiting waiting = {.conn = pair.client, .call = call_recv};

    waiting_begin(&waiting);
    CHECK_IS(0, fssl_conn_shutdown(pair.server, &err));
    waiting_ends(&waiting, FSSL_E_ZERO_RETURN);
    pair_close(&pair);

    pair = blocking_pair();
    waiting = (struct waiting){.conn = pair.client, .call = call_recv};
    waiting_begin(&waiting);
    shutdown(pair.server_fd, SHUT_RDWR);
    waiting_ends(&waiting, FSSL_E_EOF);
    pair_close(&pair);
}

/* The listening fd may be shared with somebody who wants it to block: a wait ends all the same. */
static void accept_on_an_fd_that_blocks(void)
{
    fssl_handle ctx = pair_server_ctx(&(struct pair_plan){0});
    fssl_handle listener = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));

    CHECK_OK(fssl_conn_bind(listener, "127.0.0.1", 9, 0, &err));
    CHECK_OK(fssl_conn_listen(listener, 1, &err));
    CHECK_OK(fssl_conn_set_timeout(listener, 50, &err));
    CHECK_EQUAL(0, fcntl((int)fssl_conn_fileno(listener, &err), F_SETFL, 0));
    CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_accept(listener, &err));
    check_close(listener);
    check_close(ctx);
}

static const struct check_case cases[] = {
    {"waits for data", waits_for_data},
    {"waits for the handshake", waits_for_the_handshake},
    {"times out", times_out},
    {"times out on a nonblocking fd", times_out_on_a_nonblocking_fd},
    {"timeouts that are none", timeouts_that_are_none},
    {"cancelled", cancelled},
    {"closed", closed},
    {"detached", detached},
    {"interrupted", interrupted},
    {"the peer ends", the_peer_ends},
    {"accept on an fd that blocks", accept_on_an_fd_that_blocks},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
