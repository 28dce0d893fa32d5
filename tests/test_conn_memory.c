/* The memory carrier: one call for a packet, bounds, the end, and what lies behind it. */
#include <string.h>
#include <unistd.h>

#include "pair.h"

enum { PACKET = 65536, INPUT_MAX = 1 << 20 };

static uint8_t packet[PACKET];
static int64_t packet_len;

/* One turn of an event loop: takes the packet and leaves the next. */
static int64_t turn(fssl_handle conn, uint8_t *plain, int64_t plain_cap)
{
    static uint8_t out[PACKET];
    int64_t taken, given;
    int64_t result = fssl_conn_pump(conn, packet, packet_len, &taken, plain, plain_cap, out, PACKET,
                                    &given, &err);

    CHECK_EQUAL(packet_len, taken);
    memcpy(packet, out, (size_t)given);
    packet_len = given;
    return result;
}

static void pump(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = pair_open(&(struct pair_plan){.version = versions[i]});
        int64_t client = -1, server = -1;
        int turns = 0;
        uint8_t plain[64];

        packet_len = 0;
        for (; (client < 0 || server < 0) && turns < 8; turns++) {
            client = turn(pair.client, NULL, 0);
            server = turn(pair.server, NULL, 0);
        }
        CHECK(client == 0 && server == 0 && turns <= 4);
        CHECK_EQUAL(-FSSL_E_WANT_READ, turn(pair.client, plain, sizeof plain)); /* tickets */
        CHECK_IS(4, fssl_conn_send(pair.client, (const uint8_t *)"ping", 4, &err));
        CHECK_EQUAL(-FSSL_E_WANT_READ, turn(pair.client, plain, sizeof plain));
        CHECK_IS(4, turn(pair.server, plain, sizeof plain));
        CHECK_BYTES("ping", plain, 4);
        pair_close(&pair);
    }
}

/* An alert comes out of the call that fails. */
static void pump_fails(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    memcpy(packet, "\x16\3\1\0\5\5\0\0\1\0", 10); /* a handshake message out of place */
    packet_len = 10;
    CHECK_FAILS(FSSL_E_TLS, turn(pair.server, NULL, 0));
    CHECK(packet_len > 0 && packet[0] == 21);
    pair_close(&pair);
}

/* A record names the argument, outputs by their own names. */
static void arguments(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    fssl_handle conn = pair.client;
    int64_t n;
    const struct {
        const char *name;
        int64_t result;
    } rows[] = {
        {"in", fssl_conn_pump(conn, NULL, 1, &n, NULL, 0, NULL, 0, &n, NULL)},
        {"taken", fssl_conn_pump(conn, NULL, 0, NULL, NULL, 0, NULL, 0, &n, NULL)},
        {"plain", fssl_conn_pump(conn, NULL, 0, &n, NULL, 1, NULL, 0, &n, NULL)},
        {"out", fssl_conn_pump(conn, NULL, 0, &n, NULL, 0, NULL, 1, &n, NULL)},
        {"given", fssl_conn_pump(conn, NULL, 0, &n, NULL, 0, NULL, 0, NULL, NULL)},
        {"data", fssl_conn_seal(conn, NULL, 1, NULL, 0, &n, NULL)},
        {"out", fssl_conn_seal(conn, packet, 1, NULL, 1, &n, NULL)},
        {"given", fssl_conn_seal(conn, packet, 1, NULL, 0, NULL, NULL)},
        {"data", fssl_conn_app_data(conn, NULL, NULL)},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_EQUAL(FSSL_E_ARGUMENT, fssl_error_code(rows[i].result, NULL));
        CHECK_TEXT(rows[i].name, error_str(rows[i].result, FSSL_ERROR_DATA));
    }
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_bio_read(conn, packet, 1, &err)); /* none did a thing */
    pair_close(&pair);
}

static int32_t pumps_too(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    int64_t taken = -1, given = -1;

    (void)token, (void)where, (void)result;
    CHECK_FAILS(FSSL_E_IN_CALLBACK, fssl_conn_pump(conn, (const uint8_t *)"x", 1, &taken, NULL, 0,
                                                   NULL, 0, &given, &err));
    CHECK_EQUAL(0, taken);
    CHECK_EQUAL(0, given);
    return 1;
}

/* A pump inside a callback takes nothing from the one that caused it. */
static void pump_in_a_callback(void)
{
    struct pair_plan plan = {0};
    struct pair pair;
    int64_t client = -1, server = -1;

    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_set_info_callback(pair.client_ctx, pumps_too, 0, &err));
    pair_connect(&pair, &plan);
    packet_len = 0;
    for (int turns = 0; (client < 0 || server < 0) && turns < 4; turns++) {
        client = turn(pair.client, NULL, 0);
        server = turn(pair.server, NULL, 0);
    }
    CHECK(client == 0 && server == 0);
    pair_close(&pair);
}

/* Seals a message for the peer, which opens it. Returns how much of it was accepted. */
static int64_t sealed(struct pair *pair, const char *text, int64_t len, int64_t cap)
{
    static uint8_t plain[PACKET];
    int64_t sent =
        fssl_conn_seal(pair->client, (const uint8_t *)text, len, packet, cap, &packet_len, &err);
    int64_t got = turn(pair->server, plain, sizeof plain);

    CHECK(sent < 0 || got == sent || (sent == 0 && got == -FSSL_E_WANT_READ));
    CHECK(got < 0 || memcmp(text, plain, (size_t)got) == 0);
    packet_len = 0;
    return sent;
}

static void seal(void)
{
    static const char text[20000] = "a long message";
    struct pair pair = pair_established(&(struct pair_plan){0});
    uint8_t plain[8];

    CHECK_EQUAL(4, sealed(&pair, "ping", 4, PACKET));
    CHECK_EQUAL(sizeof text, sealed(&pair, text, sizeof text, PACKET)); /* two records */
    CHECK_EQUAL(0, sealed(&pair, NULL, 0, PACKET));
    CHECK_OK(fssl_conn_set_coalescing(pair.client, 100, &err));
    CHECK_IS(2, fssl_conn_send(pair.client, (const uint8_t *)"ab", 2, &err));
    CHECK_IS(2,
             fssl_conn_seal(pair.client, (const uint8_t *)"cd", 2, packet, 7, &packet_len, &err));
    CHECK_EQUAL(7, packet_len); /* what does not fit stays, in its order */
    CHECK_IS(0, fssl_conn_seal(pair.client, NULL, 0, packet + 7, PACKET - 7, &packet_len, &err));
    packet_len += 7;
    CHECK_EQUAL(4, turn(pair.server, plain, sizeof plain));
    CHECK_BYTES("abcd", plain, 4);
    pair_close(&pair);
}

/* No more is accepted than the caller takes ciphertext for, whatever its length. */
static void seal_is_bounded(void)
{
    static uint8_t text[1 << 20];
    struct pair pair = pair_established(&(struct pair_plan){0});
    int64_t done = 0, taken, given;

    while (done < (int64_t)sizeof text) {
        int64_t got = 0,
                sent = fssl_conn_seal(pair.client, text + done, (int64_t)sizeof text - done, packet,
                                      20000, &packet_len, &err);

        CHECK(sent > 0 && sent <= 2 * 16384);
        CHECK(packet_len > 0 && packet_len <= 20000);
        done += sent;
        CHECK_IS(packet_len, fssl_conn_bio_write(pair.server, packet, packet_len, &err));
        while (got >= 0)
            got = fssl_conn_recv(pair.server, packet, PACKET, 0, &err);
    }
    CHECK_EQUAL(-FSSL_E_WANT_READ, fssl_conn_pump(pair.client, NULL, 0, &taken, text, 1, packet,
                                                  PACKET, &given, &err));
    CHECK(given < 17000);
    pair_close(&pair);
}

static void seal_fails(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    int64_t given = -1;

    /* a handshake is begun, and its first flight comes out */
    CHECK_FAILS(FSSL_E_WANT_READ,
                fssl_conn_seal(pair.client, (const uint8_t *)"x", 1, packet, PACKET, &given, &err));
    CHECK(given > 0 && packet[0] == 22);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_seal(pair.client, NULL, 1, packet, 1, &given, &err));
    CHECK_EQUAL(0, given);
    pair_close(&pair);
}

/* While nothing of it is taken a bounded amount is accepted; behind the end nothing is. */
static void seal_waits(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});
    int64_t sealed_in_all = 0, got, given;

    while ((got = fssl_conn_seal(pair.client, packet, PACKET, NULL, 0, &given, &err)) > 0)
        sealed_in_all += got;
    CHECK_FAILS(FSSL_E_WANT_WRITE, got);
    CHECK(sealed_in_all >= INPUT_MAX && sealed_in_all < INPUT_MAX + PACKET);
    CHECK_IS(1, fssl_conn_seal(pair.client, packet, 1, packet, PACKET, &given, &err));
    CHECK_EQUAL(PACKET, given);
    CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_seal(pair.client, packet, 1, packet, 1, &given, &err));
    CHECK_EQUAL(1, given);
    CHECK_IS(0, fssl_conn_seal(pair.client, NULL, 0, packet, PACKET, &given, &err));
    CHECK_EQUAL(PACKET, given);
    pair_close(&pair);
}

static int32_t carries_too(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    uint8_t byte;
    int64_t given = -1;

    (void)token, (void)where, (void)result;
    CHECK_FAILS(FSSL_E_IN_CALLBACK, fssl_conn_bio_read(conn, &byte, 1, &err));
    CHECK_FAILS(FSSL_E_IN_CALLBACK, fssl_conn_bio_write(conn, &byte, 1, &err));
    CHECK_FAILS(FSSL_E_IN_CALLBACK, fssl_conn_seal(conn, &byte, 1, &byte, 1, &given, &err));
    CHECK_EQUAL(0, given);
    return 1;
}

/* What a pump has lent comes before what a callback could take or bring. */
static void carrying_in_a_callback(void)
{
    struct pair_plan plan = {0};
    struct pair pair;

    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_set_info_callback(pair.client_ctx, carries_too, 0, &err));
    pair_connect(&pair, &plan);
    packet_len = 0;
    CHECK_EQUAL(-FSSL_E_WANT_READ, turn(pair.client, NULL, 0));
    CHECK(packet_len > 0);
    pair_close(&pair);
}

static void input_is_bounded(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    int64_t taken = 0, got;

    while ((got = fssl_conn_bio_write(pair.server, packet, PACKET, &err)) > 0)
        taken += got;
    CHECK_FAILS(FSSL_E_LIMIT, got);
    CHECK_EQUAL(INPUT_MAX, taken);
    CHECK_IS(0, fssl_conn_bio_write(pair.server, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_bio_write(pair.server, NULL, 1, &err));
    pair_close(&pair);
}

static void output_is_bounded(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});
    int64_t sent = 0, got;

    while ((got = fssl_conn_send(pair.client, packet, PACKET, &err)) > 0)
        sent += got;
    CHECK_FAILS(FSSL_E_WANT_WRITE, got);
    CHECK(sent >= INPUT_MAX && sent < 2 * INPUT_MAX);
    CHECK_IS(0, fssl_conn_bio_read(pair.client, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_bio_read(pair.client, NULL, 1, &err));
    while (sent > 0) { /* and nothing of it is lost */
        got = pair_recv(&pair, pair.server, packet, PACKET);
        if (!CHECK(got > 0))
            break;
        sent -= got;
    }
    CHECK_EQUAL(0, sent);
    pair_close(&pair);
}

static void ends(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});
    uint8_t byte;

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_leftover(pair.server, &byte, 1, &err));
    CHECK_OK(fssl_conn_bio_shutdown(pair.client, &err));
    CHECK_FAILS(FSSL_E_EOF, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    CHECK_FAILS(FSSL_E_EOF, fssl_conn_send(pair.client, &byte, 1, &err));
    pair_close(&pair);
}

/* A protocol that goes on in the clear behind close_notify loses nothing. */
static void leftover(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});
    uint8_t buf[16];

    CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
    pair_settle(&pair);
    CHECK_IS(5, fssl_conn_bio_write(pair.server, (const uint8_t *)"clear", 5, &err));
    CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(pair.server, buf, 16, 0, &err));
    CHECK_IS(5, fssl_conn_leftover(pair.server, buf, 16, &err));
    CHECK_BYTES("clear", buf, 5);
    CHECK_IS(0, fssl_conn_leftover(pair.server, buf, 16, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_leftover(pair.server, NULL, 1, &err));
    pair_close(&pair);
}

/* The same on a socket that is read ahead; where it is not, nothing is read behind the end. */
static void leftover_on_a_socket(void)
{
    for (int ahead = 0; ahead < 2; ahead++) {
        struct pair_plan plan = {.sockets = true};
        struct pair pair;
        uint8_t buf[16];

        pair_contexts(&pair, &plan);
        CHECK_OK(fssl_ctx_set_read_ahead(pair.server_ctx, ahead ? 20000 : 0, &err));
        pair_connect(&pair, &plan);
        CHECK(pair_handshake(&pair));
        CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
        CHECK_EQUAL(5, write(pair.client_fd, "clear", 5));
        CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(pair.server, buf, 16, 0, &err));
        CHECK_IS(ahead ? 5 : 0, fssl_conn_leftover(pair.server, buf, 16, &err));
        if (!ahead)
            CHECK_EQUAL(5, read(pair.server_fd, buf, 16));
        CHECK_BYTES("clear", buf, 5);
        pair_close(&pair);
    }
}

static void not_on_memory(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.sockets = true});
    int64_t n;

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_bio_read(pair.client, packet, 1, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_bio_write(pair.client, packet, 1, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_bio_shutdown(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_pump(pair.client, NULL, 0, &n, NULL, 0, NULL, 0, &n, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_seal(pair.client, NULL, 0, NULL, 0, &n, &err));
    pair_close(&pair);
}

/* One of which OpenSSL has seen only the header, or part of the plaintext, still needs them. */
static void buffers_in_use(struct pair *pair)
{
    uint8_t wire[128], buf[100];
    int64_t len;

    CHECK_IS(100, fssl_conn_send(pair->client, packet, 100, &err));
    len = CHECK_GIVES(fssl_conn_bio_read(pair->client, wire, sizeof wire, &err));
    for (int64_t at = 0, piece = 5; at < len; at += piece, piece = len - at) {
        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair->server, buf, 1, 0, &err));
        CHECK_IS(piece, fssl_conn_bio_write(pair->server, wire + at, piece, &err));
    }
    CHECK_IS(100, fssl_conn_pending(pair->server, &err)); /* though recv had met a part of it */
    CHECK_IS(10, fssl_conn_recv(pair->server, buf, 10, 0, &err));
    CHECK_OK(fssl_conn_set_coalescing(pair->server, 50, &err));
    CHECK_IS(9, fssl_conn_send(pair->server, packet, 9, &err));
    CHECK_GIVES(fssl_conn_bio_read(pair->server, wire, sizeof wire, &err));
    CHECK_IS(90, fssl_conn_recv(pair->server, buf + 10, 90, 0, &err));
    CHECK_BYTES(packet, buf, 100);
}

/* Idle connections that give their buffers back work on. */
static void buffers_released(void)
{
    struct pair pair;
    struct pair_plan plan = {0};

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_set_buffer_release(pair.client_ctx, 1, &err));
    CHECK_OK(fssl_ctx_set_buffer_release(pair.server_ctx, 1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_buffer_release(0, 1, &err));
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    for (int i = 0; i < 10; i++) {
        CHECK(pair_transfer(&pair, pair.client, packet, PACKET));
        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.server, packet, 1, 0, &err));
        CHECK(pair_transfer(&pair, pair.server, packet, 100));
    }
    buffers_in_use(&pair);
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"pump", pump},
    {"pump fails", pump_fails},
    {"arguments", arguments},
    {"pump in a callback", pump_in_a_callback},
    {"seal", seal},
    {"seal is bounded", seal_is_bounded},
    {"seal fails", seal_fails},
    {"seal waits", seal_waits},
    {"carrying in a callback", carrying_in_a_callback},
    {"trap-carrier input is bounded", input_is_bounded},
    {"trap-carrier output is bounded", output_is_bounded},
    {"ends", ends},
    {"leftover", leftover},
    {"leftover on a socket", leftover_on_a_socket},
    {"not on memory", not_on_memory},
    {"buffers released", buffers_released},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
