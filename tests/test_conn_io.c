/* Sending and receiving. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct pair_plan memory = {0};
static const struct pair_plan sockets = {.sockets = true};
static const uint8_t text[] = "some text of some length";

/* Bytes that repeat only after 251, so that a piece out of place is noticed. */
static void fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i % 251);
}

/* Brings what was sent to where recv finds it. */
static void bring(struct pair *pair)
{
    pair_settle(pair);
}

static void send_and_recv(void)
{
    struct pair pair = pair_established(&memory);
    uint8_t got[64];

    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
    CHECK_IS(sizeof text, fssl_conn_send(pair.client, text, sizeof text, &err));
    bring(&pair);
    CHECK_IS(5, fssl_conn_recv(pair.server, got, 5, 0, &err));
    CHECK_IS(sizeof text - 5, fssl_conn_pending(pair.server, &err));
    CHECK_IS(sizeof text - 5, fssl_conn_recv(pair.server, got + 5, sizeof got - 5, 0, &err));
    CHECK_BYTES(text, got, sizeof text);
    CHECK_IS(0, fssl_conn_pending(pair.server, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
    pair_close(&pair);
}

static void peek(void)
{
    struct pair pair = pair_established(&memory);
    uint8_t got[64];

    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.server, got, 9, FSSL_MSG_PEEK, &err));
    CHECK_IS(sizeof text, fssl_conn_send(pair.client, text, sizeof text, &err));
    bring(&pair);
    for (int i = 0; i < 3; i++) {
        memset(got, 0, sizeof got);
        CHECK_IS(9, fssl_conn_recv(pair.server, got, 9, FSSL_MSG_PEEK, &err));
        CHECK_BYTES(text, got, 9);
    }
    CHECK_IS(sizeof text, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
    CHECK_BYTES(text, got, sizeof text);
    pair_close(&pair);
}

static void nothing_at_all(void)
{
    struct pair pair = pair_open(&memory);
    int64_t sent = 5;

    CHECK_IS(0, fssl_conn_send(pair.client, NULL, 0, &err)); /* not even a handshake */
    CHECK_IS(0, fssl_conn_recv(pair.client, NULL, 0, 0, &err));
    CHECK_OK(fssl_conn_send_all(pair.client, NULL, 0, &sent, &err));
    CHECK_EQUAL(0, sent);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_bio_read(pair.client, pair.to_server.data, 1, &err));
    CHECK(pair_handshake(&pair));
    CHECK_IS(0, fssl_conn_send(pair.client, text, 0, &err));
    CHECK_IS(0, fssl_conn_pending(pair.client, &err));
    pair_close(&pair);
}

static void bad_arguments(void)
{
    struct pair pair = pair_established(&memory);
    uint8_t got[8];
    int64_t sent = 5;

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send(pair.client, NULL, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send(pair.client, text, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send(pair.client, NULL, INT64_MAX, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send_all(pair.client, NULL, 1, &sent, &err));
    CHECK_EQUAL(0, sent);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send_all(pair.client, text, INT64_MIN, NULL, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_recv(pair.client, NULL, 1, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_recv(pair.client, got, -1, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_recv(pair.client, got, 8, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_recv(pair.client, got, 8, -1, &err));
    CHECK(pair_transfer(&pair, pair.client, text, sizeof text));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_recv(pair.client, got, 8, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_pending(pair.client, &err));
}

/* ---- much ---- */

static void large_data(void)
{
    enum { LARGE = 300000 };
    static uint8_t data[LARGE];
    static const struct pair_plan plans[] = {
        {.version = FSSL_TLS1_2_VERSION}, {.version = FSSL_TLS1_3_VERSION}, {.sockets = true}};

    fill(data, LARGE);
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct pair pair = pair_established(&plans[i]);

        CHECK(pair_transfer(&pair, pair.client, data, LARGE));
        CHECK(pair_transfer(&pair, pair.server, data, LARGE));
        pair_close(&pair);
    }
}

/* Both send at once, and neither reads before the other has sent. */
static void both_at_once(void)
{
    enum { MUCH = 60000 };
    static uint8_t data[MUCH], got[MUCH];
    struct pair pair = pair_established(&memory);
    int64_t client = 0, server = 0, result;

    fill(data, MUCH);
    CHECK_IS(MUCH, fssl_conn_send(pair.client, data, MUCH, &err));
    CHECK_IS(MUCH, fssl_conn_send(pair.server, data, MUCH, &err));
    while (client < MUCH && (result = pair_recv(&pair, pair.client, got + client, 7000)) > 0)
        client += result;
    CHECK_BYTES(data, got, MUCH);
    while (server < MUCH && (result = pair_recv(&pair, pair.server, got + server, 7000)) > 0)
        server += result;
    CHECK_BYTES(data, got, MUCH);
    CHECK(client == MUCH && server == MUCH);
    pair_close(&pair);
}

/* Sends from memory that is spoilt at once. */
static int64_t send_copy(fssl_handle conn, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len);
    int64_t result;

    memcpy(copy, data, len);
    result = fssl_conn_send(conn, copy, (int64_t)len, &err);
    memset(copy, 0x55, len);
    free(copy);
    return result;
}

/* What a send returned is sent, whatever becomes of the caller's buffer; what it refused is not. */
static void the_buffer_is_the_callers_again(void)
{
    enum { PIECE = 30000 };
    static uint8_t data[PIECE], got[PIECE];
    struct pair pair = pair_established(&sockets);
    int64_t sent = 0, received = 0, result;

    fill(data, sizeof data);
    while ((result = send_copy(pair.client, data + sent % 251, 20000)) > 0)
        sent += result;
    CHECK_FAILS(FSSL_E_WANT_WRITE, result);
    CHECK(sent > 0);
    CHECK_EQUAL(FSSL_WANT_WRITE, fssl_conn_want(pair.client, &err) & FSSL_WANT_WRITE);
    while (received < sent) {
        result = fssl_conn_recv(pair.server, got, PIECE, 0, &err);
        if (result == -FSSL_E_WANT_READ)
            result = fssl_conn_flush(pair.client, &err);
        else if (result > 0 && !CHECK_BYTES(data + received % 251, got, (size_t)result))
            break;
        if (result < 0 && result != -FSSL_E_WANT_WRITE)
            break;
        received += result > 0 ? result : 0;
    }
    CHECK_EQUAL(sent, received);
    pair_close(&pair);
}

static void flush(void)
{
    static uint8_t data[8192], got[8192];
    struct pair pair = pair_established(&sockets);
    int64_t result, sent = 0;

    CHECK_OK(fssl_conn_flush(pair.client, &err));
    while ((result = fssl_conn_send(pair.client, data, sizeof data, NULL)) > 0)
        sent += result;
    CHECK_FAILS(FSSL_E_WANT_WRITE, fssl_conn_flush(pair.client, &err));
    while ((result = fssl_conn_recv(pair.server, got, sizeof got, 0, NULL)) > 0)
        sent -= result;
    CHECK_OK(fssl_conn_flush(pair.client, &err));
    while ((result = fssl_conn_recv(pair.server, got, sizeof got, 0, NULL)) > 0)
        sent -= result;
    CHECK_EQUAL(0, sent);
    CHECK_IS(0, fssl_conn_want(pair.client, &err) & FSSL_WANT_WRITE);
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_flush(pair.client, &err));
}

static void send_all_tells_how_far_it_came(void)
{
    static uint8_t data[4000000];
    struct pair pair = pair_established(&sockets);
    int64_t sent = 0;

    CHECK_OK(fssl_conn_send_all(pair.client, text, sizeof text, &sent, &err));
    CHECK_EQUAL(sizeof text, sent);
    CHECK_FAILS(FSSL_E_WANT_WRITE, fssl_conn_send_all(pair.client, data, sizeof data, &sent, &err));
    CHECK(sent > 0 && sent < (int64_t)sizeof data);
    CHECK_FAILS(FSSL_E_WANT_WRITE, fssl_conn_send_all(pair.client, data, 10, NULL, &err));
    pair_close(&pair);
}

/* ---- several records in one call ---- */

static void three_records(const struct pair *pair)
{
    CHECK_IS(4, fssl_conn_send(pair->client, (const uint8_t *)"one ", 4, &err));
    CHECK_IS(4, fssl_conn_send(pair->client, (const uint8_t *)"two ", 4, &err));
    CHECK_IS(5, fssl_conn_send(pair->client, (const uint8_t *)"three", 5, &err));
}

static void recv_fills(void)
{
    struct pair pair = pair_established(&memory);
    uint8_t got[64];

    three_records(&pair);
    CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
    bring(&pair);
    CHECK_IS(4, fssl_conn_recv(pair.server, got, sizeof got, FSSL_MSG_PEEK, &err));
    CHECK_IS(6, fssl_conn_recv(pair.server, got, 6, 0, &err));
    CHECK_IS(7, fssl_conn_recv(pair.server, got + 6, sizeof got - 6, 0, &err));
    CHECK_BYTES("one two three", got, 13);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
    pair_close(&pair);
}

/* What comes behind the data that a call returns is told by the next. */
static void recv_fills_up_to_a_failure(void)
{
    struct pair pair = pair_established(&memory);
    uint8_t got[64];

    three_records(&pair);
    bring(&pair);
    CHECK_GIVES(fssl_conn_bio_write(pair.server, text, sizeof text, &err));
    CHECK_IS(13, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
    pair_close(&pair);
}

/* From a socket, records come together by read-ahead; and no call waits for more than it has. */
static void recv_fills_from_read_ahead(void)
{
    for (int ahead = 0; ahead < 2; ahead++) {
        struct pair pair;
        uint8_t got[64];

        pair_contexts(&pair, &sockets);
        CHECK_OK(fssl_ctx_set_read_ahead(pair.server_ctx, ahead * 4096, &err));
        pair_connect(&pair, &sockets);
        CHECK(pair_handshake(&pair));
        pair_block(&pair);
        three_records(&pair);
        CHECK_IS(ahead ? 13 : 4, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
        CHECK_BYTES("one two three", got, ahead ? 13 : 4);
        pair_close(&pair);
    }
}

static void pump_fills(void)
{
    struct pair pair = pair_established(&memory);
    uint8_t got[64], wire[500], out[64];
    int64_t len, taken, given;

    three_records(&pair);
    len = CHECK_GIVES(fssl_conn_bio_read(pair.client, wire, sizeof wire, &err));
    CHECK_IS(5, fssl_conn_bio_write(pair.server, wire, 5, &err)); /* a header, the rest is fed */
    CHECK_IS(13, fssl_conn_pump(pair.server, wire + 5, len - 5, &taken, got, sizeof got, out,
                                sizeof out, &given, &err));
    CHECK_EQUAL(len - 5, taken);
    CHECK_BYTES("one two three", got, 13);
    pair_close(&pair);
}

/* ---- what to poll for ---- */

static void want_bits(void)
{
    static uint8_t data[20000], got[20000];
    struct pair pair = pair_open(&sockets);

    CHECK_IS(0, fssl_conn_want(pair.client, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair.client, &err));
    CHECK_IS(FSSL_WANT_READ, fssl_conn_want(pair.client, &err));
    CHECK(pair_handshake(&pair));
    CHECK_IS(0, fssl_conn_want(pair.client, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, got, 1, 0, &err));
    CHECK_IS(FSSL_WANT_READ, fssl_conn_want(pair.client, &err));
    while (fssl_conn_send(pair.client, data, sizeof data, NULL) > 0)
        ;
    CHECK_IS(FSSL_WANT_WRITE, fssl_conn_want(pair.client, &err));
    /* a peer that waits for the queue must not be waited for: recv says so */
    CHECK_FAILS(FSSL_E_WANT_WRITE, fssl_conn_recv(pair.client, got, 1, 0, &err));
    CHECK_IS(FSSL_WANT_READ | FSSL_WANT_WRITE, fssl_conn_want(pair.client, &err));
    while (fssl_conn_recv(pair.server, got, sizeof got, 0, NULL) > 0)
        ;
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, got, 1, 0, &err));
    CHECK_IS(FSSL_WANT_READ, fssl_conn_want(pair.client, &err));
    CHECK_IS(5, fssl_conn_send(pair.client, text, 5, &err));
    CHECK_IS(0, fssl_conn_want(pair.client, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_want(pair.client, &err));
}

/* Nothing of what comes before the end of the handshake is data. */
static void no_data_before_the_handshake(void)
{
    struct pair pair = pair_open(&memory);
    uint8_t got[100];

    CHECK_GIVES(fssl_conn_bio_write(pair.server, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_recv(pair.server, got, sizeof got, 0, &err));
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_recv(pair.server, got, sizeof got, FSSL_MSG_PEEK, &err));
    pair_close(&pair);
}

/* ---- data in the midst of a renegotiation ---- */

static struct pair renegotiating(fssl_handle *by, bool client)
{
    struct pair pair;

    pair_contexts(&pair, &(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
    CHECK_GIVES(fssl_ctx_clear_options(pair.client_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    CHECK_GIVES(fssl_ctx_clear_options(pair.server_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    CHECK_GIVES(fssl_ctx_set_options(pair.server_ctx, FSSL_OP_ALLOW_CLIENT_RENEGOTIATION, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    *by = client ? pair.client : pair.server;
    CHECK_IS(1, fssl_conn_renegotiate(*by, &err));
    return pair;
}

/* What the server sent before it saw the client's hello reaches the client behind its own. */
static void data_overtakes(struct pair *pair)
{
    uint8_t got[64], record[512];
    int64_t len;

    CHECK_IS(4, fssl_conn_send(pair->server, (const uint8_t *)"one ", 4, &err));
    CHECK_IS(3, fssl_conn_send(pair->server, (const uint8_t *)"two", 3, &err));
    len = CHECK_GIVES(fssl_conn_bio_read(pair->server, record, sizeof record, &err));
    CHECK_IS(len, fssl_conn_bio_write(pair->client, record, len, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_send(pair->client, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair->client, &err));
    CHECK_IS(7, fssl_conn_pending(pair->client, &err));
    CHECK_IS(7, fssl_conn_recv(pair->client, got, sizeof got, FSSL_MSG_PEEK, &err));
    CHECK_IS(5, fssl_conn_recv(pair->client, got, 5, 0, &err));
    CHECK_IS(2, fssl_conn_recv(pair->client, got + 5, sizeof got - 5, 0, &err));
    CHECK_BYTES("one two", got, 7);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair->client, got, sizeof got, 0, &err));
}

static void data_in_the_midst_of_a_renegotiation(void)
{
    for (int client = 0; client < 2; client++) {
        fssl_handle by;
        struct pair pair = renegotiating(&by, client);
        uint8_t byte;

        if (client) {
            CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair.client, &err));
        } else {
            CHECK_OK(fssl_conn_do_handshake(pair.server, &err));
            pair_settle(&pair);
            CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
        }
        data_overtakes(&pair);
        CHECK(pair_transfer(&pair, pair.client, text, sizeof text));
        CHECK(pair_transfer(&pair, pair.server, text, sizeof text));
        CHECK_IS(0, fssl_conn_renegotiate_pending(pair.client, &err));
        pair_shutdown(&pair);
        pair_close(&pair);
    }
}

/* The fd stays as it was: a blocking one is only waited for where the timeout allows. */
static void zero_timeout_on_a_blocking_fd(void)
{
    struct pair pair = pair_established(&sockets);
    uint8_t byte;

    pair_block(&pair);
    CHECK_OK(fssl_conn_set_timeout(pair.client, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    CHECK_IS(5, fssl_conn_send(pair.server, text, 5, &err));
    CHECK_IS(1, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    CHECK_EQUAL(text[0], byte);
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"send and recv", send_and_recv},
    {"peek", peek},
    {"trap-empty nothing at all", nothing_at_all},
    {"bad arguments", bad_arguments},
    {"large data", large_data},
    {"both at once", both_at_once},
    {"the buffer is the caller's again", the_buffer_is_the_callers_again},
    {"flush", flush},
    {"send_all tells how far it came", send_all_tells_how_far_it_came},
    {"recv fills", recv_fills},
    {"recv fills up to a failure", recv_fills_up_to_a_failure},
    {"recv fills from read-ahead", recv_fills_from_read_ahead},
    {"pump fills", pump_fills},
    {"want bits", want_bits},
    {"CVE-2023-40217 CVE-2021-23222 no data before the handshake", no_data_before_the_handshake},
    {"data in the midst of a renegotiation", data_in_the_midst_of_a_renegotiation},
    {"zero timeout on a blocking fd", zero_timeout_on_a_blocking_fd},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
