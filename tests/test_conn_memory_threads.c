/* Connections on memory that several threads use at once. */
#include <stdatomic.h>
#include <string.h>

#include "pair.h"

enum { PACKET = 65536, TICKETS = 150, ROUNDS = 12 };

static fssl_handle client;
static atomic_bool pumped;
static uint8_t flight[PACKET];
static int64_t flight_len;

/* One turn of an event loop: takes the flight and leaves the next. */
static void turn(fssl_handle conn)
{
    static uint8_t out[PACKET];
    int64_t taken, given;

    fssl_conn_pump(conn, flight, flight_len, &taken, NULL, 0, out, PACKET, &given, &err);
    CHECK_EQUAL(flight_len, taken);
    memcpy(flight, out, (size_t)given);
    flight_len = given;
}

/* Pumps the tickets one by one: a message each, and no plaintext. */
static void pump_tickets(void *argument)
{
    uint8_t plain[8];
    int64_t at = 0, len, taken, given;

    (void)argument;
    for (; at + 5 <= flight_len; at += len) {
        len = 5 + (flight[at + 3] << 8 | flight[at + 4]);
        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_pump(client, flight + at, len, &taken, plain,
                                                     sizeof plain, NULL, 0, &given, &err));
        if (!CHECK_EQUAL(len, taken))
            break;
    }
    atomic_store(&pumped, true);
}

static void carry_meanwhile(void *argument)
{
    uint8_t out[16];
    int64_t given = 0;
    bool held = true;

    (void)argument;
    while (held && !atomic_load(&pumped)) {
        held = CHECK_EQUAL(-FSSL_E_WANT_READ, fssl_conn_bio_read(client, out, 1, NULL)) &&
               CHECK_EQUAL(0, fssl_conn_bio_write(client, NULL, 0, NULL)) &&
               CHECK_EQUAL(0, fssl_conn_seal(client, NULL, 0, out, sizeof out, &given, NULL)) &&
               CHECK_EQUAL(0, given);
    }
}

/* A pump that has handled a message lets other threads have the connection before the next: they
   are none of its callbacks, and take nothing of its lock or handle with them. */
static void carried_meanwhile(void)
{
    static const struct check_thread threads[] = {{pump_tickets, NULL}, {carry_meanwhile, NULL}};
    struct pair_plan plan = {.version = FSSL_TLS1_3_VERSION};
    struct pair pair;

    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_set_num_tickets(pair.server_ctx, TICKETS, &err));
    for (int64_t round = 0; round < check_rounds(ROUNDS); round++) {
        pair_connect(&pair, &plan);
        client = pair.client;
        flight_len = 0;
        for (int turns = 0; turns < 2; turns++) {
            turn(pair.client);
            turn(pair.server);
        }
        CHECK(flight_len > TICKETS * 100);
        atomic_store(&pumped, false);
        check_threads(threads, COUNT_OF(threads));
        CHECK(pair_transfer(&pair, pair.client, flight, 1000));
        pair_disconnect(&pair);
    }
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"carried meanwhile", carried_meanwhile},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
