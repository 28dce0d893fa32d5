/* Bytes that came to harm. Handshakes of both versions, with and without a client's certificate,
   one message of which is changed on its way: the end that receives it must never think the
   handshake done. And certificates, keys, CRLs, requests, containers and sessions, changed, cut or
   joined: what is still read must not verify, and every getter must stand it.

       fuzz_bytes [--short | --long] [--seed N]
       fuzz_bytes_guided [--short | --long] [--seed N] [INPUT] */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "fuzz_loaders.h"
#include "pair.h"

enum { WAY_SIZE = 65536, IDLE_STEPS = 8, HEADER = 5, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };
enum { CLIENT, SERVER };

const char *const fuzz_name = "fuzz-bytes";
const struct fuzz_amounts fuzz_amounts = {.points = {8000, 100000, 1000000},
                                          .seconds = {60, 600, 7200},
                                          .guided = {10, 120, 1800},
                                          .longest = 64};

static struct pair contexts[4];
static int64_t harmed_handshakes, still_read;

/* ---- a handshake with one change ---- */

struct way {
    uint8_t data[WAY_SIZE];
    int64_t len;
};

struct exchange {
    struct pair *pair;
    struct tape *tape;
    int from;       /* whose message is changed */
    int64_t record; /* which of its records: 0 is the first */
    int64_t seen;
    bool changed; /* a byte of a handshake message, before its receiver was done */
    bool mangled; /* anything else: a header, a record of another type, a length */
    int64_t result[2];
};

static bool done(const struct exchange *exchange, int side)
{
    return exchange->result[side] == 0;
}

/* Changes one byte of the record's content, which no handshake may survive. */
static void change_content(struct exchange *exchange, uint8_t *record, int64_t len)
{
    uint8_t type = record[0];
    int64_t at = HEADER + (int64_t)(tape_number(exchange->tape, 2) % (uint64_t)(len - HEADER));

    record[at] ^= (uint8_t)(1 + tape_below(exchange->tape, 255));
    if (type == RECORD_HANDSHAKE || type == RECORD_DATA)
        exchange->changed = !done(exchange, !exchange->from);
    else
        exchange->mangled = true;
}

/* Changes the record in another way: it may be of no account, but not a crash. */
static void mangle(struct exchange *exchange, struct way *way, int64_t at, int64_t len)
{
    struct tape *tape = exchange->tape;
    int64_t many = 1 + tape_below(tape, 64);

    exchange->mangled = true;
    if (tape_below(tape, 3) == 0) {
        way->data[at + tape_below(tape, HEADER)] ^= (uint8_t)(1 + tape_below(tape, 255));
    } else if (tape_below(tape, 2) && way->len + len < WAY_SIZE) { /* twice */
        memmove(way->data + at + len, way->data + at, (size_t)(way->len - at));
        way->len += len;
    } else { /* without its end */
        many = many < len ? many : len;
        memmove(way->data + at + len - many, way->data + at + len, (size_t)(way->len - at - len));
        way->len -= many;
    }
}

/* Looks for the record that is to be changed among those that lie on the way. */
static void harm(struct exchange *exchange, struct way *way)
{
    for (int64_t at = 0; at + HEADER < way->len;) {
        int64_t len = HEADER + (way->data[at + 3] << 8 | way->data[at + 4]);

        if (at + len > way->len || len == HEADER)
            return;
        if (exchange->seen++ == exchange->record) {
            if (tape_below(exchange->tape, 4))
                change_content(exchange, way->data + at, len);
            else
                mangle(exchange, way, at, len);
            return;
        }
        at += len;
    }
}

static bool pass_on(struct exchange *exchange, int from)
{
    fssl_handle source = from == CLIENT ? exchange->pair->client : exchange->pair->server;
    fssl_handle target = from == CLIENT ? exchange->pair->server : exchange->pair->client;
    static struct way way;
    int64_t got = fssl_conn_bio_read(source, way.data, WAY_SIZE / 2, NULL);

    if (got <= 0)
        return false;
    way.len = got;
    if (from == exchange->from)
        harm(exchange, &way);
    fssl_conn_bio_write(target, way.data, way.len, NULL);
    return true;
}

static void advance(struct exchange *exchange, int side)
{
    fssl_handle conn = side == CLIENT ? exchange->pair->client : exchange->pair->server;

    if (exchange->result[side] == -FSSL_E_WANT_READ)
        exchange->result[side] = fssl_conn_do_handshake(conn, NULL);
}

static void play(struct exchange *exchange)
{
    for (int idle = 0; idle < IDLE_STEPS; idle++) {
        bool moved = false;

        for (int side = CLIENT; side <= SERVER; side++) {
            advance(exchange, side);
            moved |= pass_on(exchange, side);
        }
        if (moved)
            idle = 0;
    }
}

static void judge(const struct exchange *exchange)
{
    static const char *const names[] = {"client", "server"};
    int receiver = !exchange->from;

    harmed_handshakes += exchange->changed;
    if (exchange->changed && done(exchange, receiver))
        figure_failed("record %lld of the %s was changed, and the %s is content",
                      (long long)exchange->record, names[exchange->from], names[receiver]);
    if (!exchange->changed && !exchange->mangled && (!done(exchange, 0) || !done(exchange, 1)))
        figure_failed("nothing was changed, and there is no connection: %s",
                      error_text(exchange->result[done(exchange, 0) ? 1 : 0]));
}

static void harm_handshake(struct tape *tape)
{
    int64_t which = tape_below(tape, 4);
    struct pair pair = contexts[which];
    struct exchange exchange = {.pair = &pair, .tape = tape};

    exchange.from = (int)tape_below(tape, 2);
    exchange.record = tape_below(tape, which < 2 ? 5 : 7);
    exchange.result[CLIENT] = exchange.result[SERVER] = -FSSL_E_WANT_READ;
    pair_connect(&pair, &(struct pair_plan){0});
    play(&exchange);
    judge(&exchange);
    pair_disconnect(&pair);
}

/* ---- the program ---- */

void fuzz_one(const uint8_t *data, size_t len)
{
    struct tape tape = {data, len, 0};
    int64_t before = fssl_handle_count(FSSL_TYPE_ANY, NULL), after;

    if (tape_below(&tape, 4) == 0)
        harm_handshake(&tape);
    else
        still_read += load_harmed(&tape);
    after = fssl_handle_count(FSSL_TYPE_ANY, NULL);
    if (after != before)
        figure_failed("%lld handles became %lld", (long long)before, (long long)after);
    if (ERR_peek_error())
        figure_failed("an error is left in OpenSSL's queue");
    ERR_clear_error();
    figure_points(1);
    figure_note("%lld handshakes had a byte changed, %lld changed files were read",
                (long long)harmed_handshakes, (long long)still_read);
}

void fuzz_begin(void)
{
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    for (int i = 0; i < 4; i++) {
        struct pair_plan plan = {.version = i & 2 ? FSSL_TLS1_3_VERSION : FSSL_TLS1_2_VERSION,
                                 .client = i & 1 ? ID_CLIENT : ID_NONE};

        pair_contexts(&contexts[i], &plan);
    }
    loaders_begin();
}
