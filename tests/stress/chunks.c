/* Exchanges whose ciphertext goes between the ends one byte at a time, and in random pieces: they
   must end as they do in whole flights. Each seed is another exchange: version, roles, amounts,
   pieces, and for each end whether it is driven by its own calls, by fssl_conn_pump, or on a
   socket.

       chunks [--short | --long] [--seed N] [bytewise | random] */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "figure.h"
#include "pair.h"
#include "party.h"

enum carrier_kind { BY_CALLS, BY_PUMP, ON_SOCKET };
enum { WAY_SIZE = 32768, IDLE_STEPS = 60, TALK_MAX = 60000, PIECE_MAX = 16384 };
enum { CLIENT, SERVER };

struct way {
    uint8_t data[WAY_SIZE];
    int64_t len;
};

struct end {
    struct party party;
    enum carrier_kind kind;
    int near, far;
    struct way out; /* what it has for the other end */
};

struct exchange {
    struct dice dice;
    int version; /* 0 for 1.2, 1 for 1.3 */
    bool client_certificate;
    int64_t chunk; /* at most so many bytes go on at once */
    struct end end[2];
};

static struct pair contexts[2][2]; /* by version and client certificate */

static void must(bool held, const char *what)
{
    if (held)
        return;
    perror(what);
    exit(2);
}

/* ---- the way ---- */

static int64_t some(struct exchange *exchange, int64_t most)
{
    int64_t limit = most < exchange->chunk ? most : exchange->chunk;

    return limit > 1 ? 1 + dice_below(&exchange->dice, limit) : limit;
}

static void way_add(struct way *way, const uint8_t *data, int64_t len)
{
    memcpy(way->data + way->len, data, (size_t)len);
    way->len += len;
}

static void way_drop(struct way *way, int64_t len)
{
    way->len -= len;
    memmove(way->data, way->data + len, (size_t)way->len);
}

/* Takes from an end what it has to send. */
static int64_t drain(struct exchange *exchange, struct end *end)
{
    uint8_t piece[WAY_SIZE];
    int64_t room = some(exchange, WAY_SIZE - end->out.len);
    int64_t got = 0;

    if (room > 0 && end->kind == ON_SOCKET)
        got = recv(end->far, piece, (size_t)room, 0);
    else if (room > 0)
        got = fssl_conn_bio_read(end->party.conn, piece, room, NULL);
    if (got > 0)
        way_add(&end->out, piece, got);
    return got > 0 ? got : 0;
}

/* Gives an end what the other one sent. */
static int64_t feed(struct exchange *exchange, struct end *end, struct way *way)
{
    int64_t len = some(exchange, way->len);
    int64_t taken = 0;

    if (len > 0 && end->kind == ON_SOCKET)
        taken = send(end->far, way->data, (size_t)len, MSG_NOSIGNAL);
    else if (len > 0)
        taken = fssl_conn_bio_write(end->party.conn, way->data, len, NULL);
    if (taken > 0)
        way_drop(way, taken);
    return taken > 0 ? taken : 0;
}

static bool pump(struct exchange *exchange, struct end *end, struct way *way)
{
    uint8_t out[WAY_SIZE];
    struct packet packet = {.in = way->data, .in_len = some(exchange, way->len), .out = out};
    bool moved;

    packet.out_cap = some(exchange, WAY_SIZE - end->out.len);
    moved = party_pump(&end->party, &packet);
    way_drop(way, packet.taken);
    way_add(&end->out, out, packet.given);
    return moved;
}

static bool advance(struct exchange *exchange, struct end *end, struct way *way)
{
    bool moved = false;

    if (end->kind == BY_PUMP && end->party.stage < SHUTS_DOWN)
        return pump(exchange, end, way);
    moved |= feed(exchange, end, way) > 0;
    moved |= party_step(&end->party);
    moved |= drain(exchange, end) > 0;
    return moved;
}

/* ---- one exchange ---- */

static void open_end(struct exchange *exchange, int side)
{
    struct pair *pair = &contexts[exchange->version][exchange->client_certificate];
    fssl_handle ctx = side == CLIENT ? pair->client_ctx : pair->server_ctx;
    struct end *end = &exchange->end[side];
    int ends[2] = {-1, -1};

    fssl_ctx_set_read_ahead(ctx, dice_below(&exchange->dice, 2) * 20000, NULL);
    fssl_ctx_set_buffer_release(ctx, (int32_t)dice_below(&exchange->dice, 2), NULL);
    if (end->kind == ON_SOCKET)
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
                 fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 &&
                 fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0,
             "socketpair");
    end->near = ends[0];
    end->far = ends[1];
    end->party.conn = end->kind == ON_SOCKET ? fssl_conn_new(ctx, end->near, NULL)
                                             : fssl_conn_new_memory(ctx, NULL);
    if (side == CLIENT)
        fssl_conn_set_host(end->party.conn, "localhost", FSSL_NUL_TERMINATED, NULL);
}

static void open_exchange(struct exchange *exchange)
{
    struct dice *dice = &exchange->dice;

    for (int side = CLIENT; side <= SERVER; side++) {
        struct party *party = &exchange->end[side].party;

        *party = (struct party){.voice = side == CLIENT ? 1 : (uint8_t)~1};
        party->to_send = dice_below(dice, dice_below(dice, 3) ? 3000 : TALK_MAX);
        party->piece = 1 + dice_below(dice, PIECE_MAX);
        exchange->end[side].out.len = 0;
        open_end(exchange, side);
    }
    exchange->end[CLIENT].party.to_recv = exchange->end[SERVER].party.to_send;
    exchange->end[SERVER].party.to_recv = exchange->end[CLIENT].party.to_send;
    exchange->end[dice_below(dice, 2)].party.stays = true;
}

static void close_exchange(struct exchange *exchange)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        struct end *end = &exchange->end[side];

        fssl_handle_close(end->party.conn, NULL);
        if (end->near >= 0) {
            close(end->near);
            close(end->far);
        }
    }
}

static void play(struct exchange *exchange)
{
    struct end *client = &exchange->end[CLIENT], *server = &exchange->end[SERVER];
    int idle = 0;

    while (idle < IDLE_STEPS && !(client->party.stage == ENDED && server->party.stage == ENDED)) {
        bool moved = advance(exchange, client, &server->out);

        moved |= advance(exchange, server, &client->out);
        idle = moved ? 0 : idle + 1;
    }
}

static void judge(const struct exchange *exchange, uint64_t round)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        const struct party *party = &exchange->end[side].party;

        if (party->stage == ENDED && party->result == 0 && !party->wrong &&
            party->received == party->to_recv && party->sent == party->to_send)
            continue;
        figure_failed(
            "round %llu: the %s (%s, TLS 1.%d) is at stage %d, sent %lld of %lld, "
            "received %lld of %lld%s: %s",
            (unsigned long long)round, side == CLIENT ? "client" : "server",
            (const char *[]){"by calls", "by pump", "on a socket"}[exchange->end[side].kind],
            2 + exchange->version, (int)party->stage, (long long)party->sent,
            (long long)party->to_send, (long long)party->received, (long long)party->to_recv,
            party->wrong ? " wrong" : "", error_text(party->result));
    }
}

/* Both ends agree on what a whole flight leads to. */
static void compare(const struct exchange *exchange, uint64_t round)
{
    int32_t version = exchange->version ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION;
    char cipher[2][64];
    int64_t len[2];

    for (int side = CLIENT; side <= SERVER; side++) {
        fssl_handle conn = exchange->end[side].party.conn;

        len[side] = fssl_conn_cipher_name(conn, cipher[side], sizeof cipher[side], NULL);
        if (fssl_conn_protocol_version(conn, NULL) != version)
            figure_failed("round %llu: another version", (unsigned long long)round);
    }
    if (len[CLIENT] < 1 || len[CLIENT] != len[SERVER] ||
        memcmp(cipher[CLIENT], cipher[SERVER], (size_t)len[CLIENT]) != 0)
        figure_failed("round %llu: the ends differ in their cipher", (unsigned long long)round);
}

static void try_exchange(struct exchange *exchange, uint64_t round)
{
    open_exchange(exchange);
    play(exchange);
    judge(exchange, round);
    compare(exchange, round);
    close_exchange(exchange);
    figure_points(1);
}

static void try_random(uint64_t round)
{
    static struct exchange exchange;
    struct dice *dice = &exchange.dice;

    exchange.dice = dice_of(stress_seed(), round);
    exchange.version = (int)dice_below(dice, 2);
    exchange.client_certificate = dice_below(dice, 4) == 0;
    exchange.chunk = 1 + dice_below(dice, INT64_C(1) << dice_below(dice, 15));
    exchange.end[CLIENT].kind = (enum carrier_kind)dice_below(dice, 3);
    exchange.end[SERVER].kind = (enum carrier_kind)dice_below(dice, 3);
    try_exchange(&exchange, round);
}

static void try_bytewise(uint64_t round)
{
    static struct exchange exchange;

    exchange.dice = dice_of(stress_seed(), round);
    exchange.version = round & 1;
    exchange.client_certificate = round >> 1 & 1;
    exchange.chunk = 1;
    exchange.end[CLIENT].kind = (enum carrier_kind)(round / 4 % 3);
    exchange.end[SERVER].kind = (enum carrier_kind)(round / 12 % 3);
    try_exchange(&exchange, round);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (int which = 0; which < 4; which++) {
        struct pair_plan plan = {.version = which & 1 ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION,
                                 .client = which & 2 ? ID_CLIENT : ID_NONE};

        pair_contexts(&contexts[which & 1][which >> 1], &plan);
    }
    if (stress_chosen("bytewise")) {
        figure_begin("chunks: one byte at a time");
        for (uint64_t round = 0; round < (uint64_t)stress_amount(36, 72, 360); round++)
            try_bytewise(round);
        figure_end();
    }
    if (stress_chosen("random")) {
        figure_begin("chunks: random pieces");
        for (uint64_t round = 0; round < (uint64_t)stress_amount(500, 10000, 100000); round++)
            try_random(round);
        figure_end();
    }
    for (int which = 0; which < 4; which++)
        pair_close(&contexts[which & 1][which >> 1]);
    return stress_end();
}
