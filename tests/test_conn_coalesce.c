/* Coalescing: what is gathered, and when it goes out. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const struct pair_plan memory = {0};
static const struct pair_plan sockets = {.sockets = true};

enum { SMALL = 64 };

static uint8_t message[SMALL];

/* A pair whose client gathers. */
static struct pair gathering(const struct pair_plan *plan, int64_t bytes)
{
    struct pair pair = pair_established(plan);

    for (int i = 0; i < SMALL; i++)
        message[i] = (uint8_t)i;
    CHECK_OK(fssl_conn_set_coalescing(pair.client, bytes, &err));
    return pair;
}

static void send_small(const struct pair *pair, int count)
{
    for (int i = 0; i < count; i++)
        CHECK_IS(SMALL, fssl_conn_send(pair->client, message, SMALL, &err));
}

/* What the server can read now is that many messages, whole and in order. */
static void server_gets(const struct pair *pair, int count)
{
    uint8_t got[4096];

    if (count == 0) {
        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair->server, got, sizeof got, 0, &err));
        return;
    }
    CHECK_IS(count * SMALL, fssl_conn_recv(pair->server, got, sizeof got, 0, &err));
    for (int i = 0; i < count; i++)
        CHECK_BYTES(message, got + i * SMALL, SMALL);
}

static void one_record_of_many(void)
{
    enum { MANY = 50, ROOM = MANY * SMALL + 100 };
    struct pair pair = gathering(&memory, 16384);
    uint8_t wire[ROOM];
    int64_t len;

    send_small(&pair, MANY - 1);
    CHECK_IS(0, fssl_conn_send(pair.client, NULL, 0, &err));
    CHECK_OK(fssl_conn_send_all(pair.client, NULL, 0, &len, &err));
    CHECK_OK(fssl_conn_send_all(pair.client, message, SMALL, &len, &err));
    len = CHECK_GIVES(fssl_conn_bio_read(pair.client, wire, ROOM, &err));
    CHECK(len < ROOM && len > MANY * SMALL);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_bio_read(pair.client, wire, ROOM, &err));
    CHECK_IS(len, fssl_conn_bio_write(pair.server, wire, len, &err));
    server_gets(&pair, MANY);
    pair_close(&pair);
}

static void the_bound_sends(void)
{
    struct pair pair = gathering(&sockets, 4 * SMALL);

    send_small(&pair, 3);
    server_gets(&pair, 0);
    send_small(&pair, 1);
    server_gets(&pair, 4);
    CHECK_IS(1, fssl_conn_send(pair.client, message, 1, &err));
    CHECK_IS(SMALL - 1, fssl_conn_send(pair.client, message + 1, SMALL - 1, &err));
    send_small(&pair, 4); /* fills the bound, and begins anew */
    server_gets(&pair, 4);
    server_gets(&pair, 0);
    CHECK_OK(fssl_conn_flush(pair.client, &err));
    server_gets(&pair, 1);
    pair_close(&pair);
}

static void a_read_that_would_wait_sends(void)
{
    struct pair pair = gathering(&sockets, 16384);
    uint8_t got[SMALL];

    CHECK_IS(2, fssl_conn_send(pair.server, message, 2, &err));
    send_small(&pair, 2);
    CHECK_IS(2, fssl_conn_recv(pair.client, got, sizeof got, 0, &err)); /* need not wait */
    server_gets(&pair, 0);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, got, 1, FSSL_MSG_PEEK, &err));
    server_gets(&pair, 2);
    pair_close(&pair);
}

static void pump_sends(void)
{
    struct pair pair = gathering(&memory, 16384);
    uint8_t plain[16], wire[400];
    int64_t taken, given;

    send_small(&pair, 2);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_pump(pair.client, NULL, 0, &taken, plain, sizeof plain,
                                                 wire, sizeof wire, &given, &err));
    CHECK(given > 2 * SMALL);
    CHECK_IS(given, fssl_conn_bio_write(pair.server, wire, given, &err));
    server_gets(&pair, 2);
    pair_close(&pair);
}

static void shutdown_sends(void)
{
    struct pair pair = gathering(&sockets, 16384);

    send_small(&pair, 3);
    CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
    server_gets(&pair, 3);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(pair.server, message, SMALL, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_send(pair.client, message, SMALL, &err));
    pair_close(&pair);
}

/* Larger data is not copied, and stays in order with what was gathered before it. */
static void large_behind_small(void)
{
    static uint8_t data[40000], got[40000 + SMALL];
    struct pair pair = gathering(&sockets, 100);
    int64_t sent, len = 0, more;

    memset(data, 'd', sizeof data);
    send_small(&pair, 1);
    CHECK_OK(fssl_conn_send_all(pair.client, data, sizeof data, &sent, &err));
    CHECK_EQUAL(sizeof data, sent);
    CHECK_OK(fssl_conn_flush(pair.client, &err));
    while ((more = fssl_conn_recv(pair.server, got + len, (int64_t)sizeof got - len, 0, NULL)) > 0)
        len += more;
    CHECK_EQUAL(sizeof got, len);
    CHECK_BYTES(message, got, SMALL);
    CHECK_BYTES(data, got + SMALL, sizeof data);
    pair_close(&pair);
}

static void off_again(void)
{
    struct pair pair = gathering(&sockets, 16384);

    send_small(&pair, 1);
    CHECK_OK(fssl_conn_set_coalescing(pair.client, 0, &err));
    server_gets(&pair, 0);
    send_small(&pair, 1);
    server_gets(&pair, 1);
    server_gets(&pair, 1);
    pair_close(&pair);
}

static void event_loops_are_told(void)
{
    struct pair pair = gathering(&sockets, 16384);

    CHECK_IS(0, fssl_conn_want(pair.client, &err));
    send_small(&pair, 1);
    CHECK_IS(FSSL_WANT_WRITE, fssl_conn_want(pair.client, &err));
    CHECK_OK(fssl_conn_flush(pair.client, &err));
    CHECK_IS(0, fssl_conn_want(pair.client, &err));
    pair_close(&pair);
}

/* The first message finds the handshake still due. */
static void before_the_handshake(void)
{
    struct pair pair = pair_open(&sockets);

    CHECK_OK(fssl_conn_set_coalescing(pair.client, 1000, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_send(pair.client, message, SMALL, &err));
    CHECK(pair_handshake(&pair));
    send_small(&pair, 2);
    CHECK_OK(fssl_conn_flush(pair.client, &err));
    server_gets(&pair, 2);
    pair_close(&pair);
}

/* ---- failures ---- */

static void a_lost_carrier_is_told(void)
{
    struct pair pair = gathering(&sockets, 16384);

    send_small(&pair, 2);
    close(pair.server_fd);
    pair.server_fd = -1;
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_flush(pair.client, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_send(pair.client, message, SMALL, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_flush(pair.client, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_shutdown(pair.client, &err));
    pair_close(&pair);
}

static void a_failed_connection_tells(void)
{
    struct pair pair = gathering(&memory, 16384);
    uint8_t wire[400];

    send_small(&pair, 2);
    CHECK_IS(SMALL, fssl_conn_bio_write(pair.client, message, SMALL, &err)); /* no record */
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_recv(pair.client, wire, 1, 0, &err));
    CHECK(fssl_conn_bio_read(pair.client, wire, sizeof wire, &err) < 2 * SMALL); /* an alert */
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_flush(pair.client, &err));
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_send(pair.client, message, SMALL, &err));
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_shutdown(pair.client, &err));
    pair_close(&pair);
}

/* A peer that does not read: what was accepted waits its turn, and no more is accepted. */
static void a_full_carrier(void)
{
    static uint8_t data[4096], got[4096];
    struct pair pair = gathering(&sockets, 4096);
    int64_t accepted = 0, arrived = 0, more;

    while ((more = fssl_conn_send(pair.client, data, 1000, &err)) > 0)
        accepted += more;
    CHECK_EQUAL(-FSSL_E_WANT_WRITE, more);
    CHECK_IS(FSSL_WANT_WRITE, fssl_conn_want(pair.client, &err));
    CHECK_FAILS(FSSL_E_WANT_WRITE, fssl_conn_flush(pair.client, &err));
    while (arrived < accepted) {
        while ((more = fssl_conn_recv(pair.server, got, sizeof got, 0, NULL)) > 0)
            arrived += more;
        if (fssl_conn_flush(pair.client, NULL) < 0 && more != -FSSL_E_WANT_READ)
            break;
    }
    CHECK_EQUAL(accepted, arrived);
    CHECK_OK(fssl_conn_flush(pair.client, &err));
    pair_close(&pair);
}

static void bad_arguments(void)
{
    struct pair pair = pair_open(&memory);

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_coalescing(pair.client, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_coalescing(pair.client, 16385, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_set_coalescing(pair.client_ctx, 1, &err));
    CHECK_OK(fssl_conn_set_coalescing(pair.client, 16384, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_coalescing(pair.client, 1, &err));
}

/* ---- threads ---- */

static void wait_for_a_byte(void *argument)
{
    const struct pair *pair = argument;
    uint8_t byte = 0;

    CHECK_IS(1, fssl_conn_recv(pair->client, &byte, 1, 0, &err));
    CHECK_EQUAL(7, byte);
}

/* A message sent while another thread waits to read, and maybe for its very answer. */
static void answer_a_message(void *argument)
{
    const struct timespec pause = {0, 50000000};
    const struct pair *pair = argument;
    uint8_t got[SMALL];

    nanosleep(&pause, NULL);
    CHECK_IS(SMALL, fssl_conn_send(pair->client, message, SMALL, &err));
    CHECK_IS(SMALL, fssl_conn_recv(pair->server, got, SMALL, 0, &err));
    CHECK_IS(1, fssl_conn_send(pair->server, &(uint8_t){7}, 1, &err));
}

static void while_a_reader_waits(void)
{
    struct pair pair = gathering(&sockets, 16384);
    const struct check_thread threads[] = {{wait_for_a_byte, &pair}, {answer_a_message, &pair}};

    pair_block(&pair);
    check_threads(threads, COUNT_OF(threads));
    pair_close(&pair);
}

/* Idle connections give the buffer back, and go on as before. */
static void with_buffer_release(void)
{
    struct pair pair;

    pair_contexts(&pair, &sockets);
    CHECK_OK(fssl_ctx_set_buffer_release(pair.client_ctx, 1, &err));
    pair_connect(&pair, &sockets);
    CHECK(pair_handshake(&pair));
    CHECK_OK(fssl_conn_set_coalescing(pair.client, 1000, &err));
    for (int i = 0; i < 3; i++) {
        send_small(&pair, 2);
        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, message, 1, 0, &err));
        server_gets(&pair, 2);
    }
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"one record of many", one_record_of_many},
    {"the bound sends", the_bound_sends},
    {"a read that would wait sends", a_read_that_would_wait_sends},
    {"pump sends", pump_sends},
    {"shutdown sends", shutdown_sends},
    {"large behind small", large_behind_small},
    {"off again", off_again},
    {"event loops are told", event_loops_are_told},
    {"before the handshake", before_the_handshake},
    {"a lost carrier is told", a_lost_carrier_is_told},
    {"a failed connection tells", a_failed_connection_tells},
    {"a full carrier", a_full_carrier},
    {"bad arguments", bad_arguments},
    {"while a reader waits", while_a_reader_waits},
    {"with buffer release", with_buffer_release},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
