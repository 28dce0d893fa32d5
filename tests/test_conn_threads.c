/* Connections that several threads use at once, over a socketpair that blocks. */
#include "pair.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct pair_plan plans[] = {{.sockets = true, .version = FSSL_TLS1_2_VERSION},
                                         {.sockets = true, .version = FSSL_TLS1_3_VERSION}};

/* ---- full duplex ---- */

/* A stream of numbered bytes, the same whatever pieces it is sent in. */
static uint8_t stream_at(int64_t at)
{
    return (uint8_t)(at % 251 + at / 100003);
}

struct stream {
    fssl_handle conn;
    int64_t len;
    int64_t piece;
    int64_t done;
    int64_t result;
    atomic_bool
        *gate; /* if given, the last byte goes when it opens, so readers are there till then */
};

/* Lets no other thread wait for a stream that has failed. */
static void stream_ends(const struct stream *stream)
{
    if (stream->result < 0)
        fssl_conn_sock_shutdown(stream->conn, FSSL_SHUT_RDWR, NULL);
}

static int64_t sendable_now(const struct stream *stream)
{
    const struct timespec pause = {0, 1000000};
    int64_t left = stream->len - stream->done;

    if (!stream->gate)
        return left;
    while (left == 1 && !atomic_load(stream->gate))
        nanosleep(&pause, NULL);
    return left > 1 ? left - 1 : left;
}

static void send_stream(void *argument)
{
    struct stream *stream = argument;
    uint8_t *piece = malloc((size_t)stream->piece);

    while (stream->done < stream->len && stream->result >= 0) {
        int64_t len = sendable_now(stream), sent = 0;

        if (len > stream->piece)
            len = stream->piece;
        for (int64_t i = 0; i < len; i++)
            piece[i] = stream_at(stream->done + i);
        stream->result = fssl_conn_send_all(stream->conn, piece, len, &sent, NULL);
        stream->done += sent;
    }
    if (stream->result >= 0)
        stream->result = fssl_conn_flush(stream->conn, NULL); /* the last may be gathered */
    stream_ends(stream);
    free(piece);
}

static void recv_stream(void *argument)
{
    struct stream *stream = argument;
    uint8_t *piece = malloc((size_t)stream->piece);

    while (stream->done < stream->len) {
        stream->result = fssl_conn_recv(stream->conn, piece, stream->piece, 0, NULL);
        if (stream->result < 0)
            break;
        for (int64_t i = 0; i < stream->result; i++) {
            if (piece[i] != stream_at(stream->done + i))
                stream->result = -1; /* no such code */
        }
        stream->done += stream->result;
    }
    stream_ends(stream);
    free(piece);
}

static void streams_ended(const struct stream *streams, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_TEXT("success", error_text(streams[i].result));
        CHECK_EQUAL(streams[i].len, streams[i].done);
    }
}

static void full_duplex_with(int64_t coalescing, int64_t len)
{
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct pair pair = pair_established(&plans[i]);
        struct stream streams[] = {{.conn = pair.client, .len = len, .piece = 50000},
                                   {.conn = pair.client, .len = len, .piece = 3000},
                                   {.conn = pair.server, .len = len, .piece = 70000},
                                   {.conn = pair.server, .len = len, .piece = 20000}};
        const struct check_thread threads[] = {{send_stream, &streams[0]},
                                               {recv_stream, &streams[1]},
                                               {send_stream, &streams[2]},
                                               {recv_stream, &streams[3]}};

        pair_block(&pair);
        CHECK_OK(fssl_conn_set_coalescing(pair.client, coalescing, &err));
        CHECK_OK(fssl_conn_set_coalescing(pair.server, coalescing, &err));
        check_threads(threads, COUNT_OF(threads));
        streams_ended(streams, COUNT_OF(streams));
        pair_close(&pair);
    }
}

static void full_duplex(void)
{
    full_duplex_with(0, check_rounds(8000000));
}

static void full_duplex_coalesced(void)
{
    full_duplex_with(16384, check_rounds(4000000));
    full_duplex_with(100, check_rounds(200000));
}

static void recv_and_answer(void *argument)
{
    const struct stream *stream = argument;

    recv_stream(argument);
    fssl_conn_send(stream->conn, (const uint8_t[]){stream_at(0)}, 1, NULL);
}

/* ---- renegotiation meanwhile: reads that write and writes that read ---- */

struct renegotiating {
    fssl_handle conn;
    int64_t rounds;
    int64_t begun;
    int64_t result;
    atomic_bool ended;
};

static void renegotiate(void *argument)
{
    struct renegotiating *work = argument;

    for (int64_t i = 0; i < work->rounds && work->result >= 0; i++) {
        int64_t begun = fssl_conn_renegotiate(work->conn, NULL);

        work->begun += begun == 1;
        work->result = begun < 0 ? begun : fssl_conn_do_handshake(work->conn, NULL);
    }
    atomic_store(&work->ended, true);
}

static struct pair renegotiating_pair(void)
{
    struct pair pair;

    pair_contexts(&pair, &plans[0]);
    CHECK_GIVES(fssl_ctx_clear_options(pair.client_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    CHECK_GIVES(fssl_ctx_clear_options(pair.server_ctx, FSSL_OP_NO_RENEGOTIATION, &err));
    CHECK_GIVES(fssl_ctx_set_options(pair.server_ctx, FSSL_OP_ALLOW_CLIENT_RENEGOTIATION, &err));
    pair_connect(&pair, &plans[0]);
    CHECK(pair_handshake(&pair));
    pair_block(&pair);
    return pair;
}

static void full_duplex_while_renegotiating(void)
{
    int64_t len = check_rounds(4000000), rounds = check_rounds(5);

    for (int i = 0; i < 2; i++) { /* begun by the server, by the client */
        struct pair pair = renegotiating_pair();
        struct renegotiating work = {.conn = i ? pair.client : pair.server, .rounds = rounds};
        struct stream streams[] = {
            {.conn = pair.client, .len = len, .piece = 20000, .gate = &work.ended},
            {.conn = pair.client, .len = len, .piece = 5000},
            {.conn = pair.server, .len = len, .piece = 20000, .gate = &work.ended},
            {.conn = pair.server, .len = len, .piece = 5000}};
        const struct check_thread threads[] = {{send_stream, &streams[0]},
                                               {recv_stream, &streams[1]},
                                               {send_stream, &streams[2]},
                                               {recv_stream, &streams[3]},
                                               {renegotiate, &work}};

        check_threads(threads, COUNT_OF(threads));
        streams_ended(streams, COUNT_OF(streams));
        CHECK(work.result >= 0 && work.begun > 0);
        pair_close(&pair);
    }
}

/* The client's reader meets the server's requests, its writer the handshakes that follow. */
static void sends_go_on_while_renegotiating(void)
{
    int64_t len = check_rounds(4000000);
    struct pair pair = renegotiating_pair();
    struct renegotiating work = {.conn = pair.server, .rounds = check_rounds(5)};
    struct stream streams[] = {
        {.conn = pair.client, .len = len, .piece = 20000, .gate = &work.ended},
        {.conn = pair.client, .len = 1, .piece = 1},
        {.conn = pair.server, .len = len, .piece = 5000}};
    const struct check_thread threads[] = {{send_stream, &streams[0]},
                                           {recv_stream, &streams[1]},
                                           {recv_and_answer, &streams[2]},
                                           {renegotiate, &work}};

    check_threads(threads, COUNT_OF(threads));
    streams_ended(streams, COUNT_OF(streams));
    CHECK(work.result >= 0 && work.begun > 0);
    pair_close(&pair);
}

/* ---- many senders, many readers ---- */

enum { MESSAGE = 40000, SENDERS = 4 };

struct message {
    fssl_handle conn;
    int64_t rounds;
    uint8_t mark;
    int64_t result;
};

/* A message is longer than a record, and whole at the other end all the same. */
static void send_messages(void *argument)
{
    struct message *message = argument;
    uint8_t *data = malloc(MESSAGE);

    memset(data, message->mark, MESSAGE);
    for (int64_t i = 0; i < message->rounds && message->result >= 0; i++)
        message->result = fssl_conn_send_all(message->conn, data, MESSAGE, NULL, NULL);
    free(data);
}

static int64_t recv_exactly(fssl_handle conn, uint8_t *data, int64_t len)
{
    int64_t done = 0, got = 0;

    while (done < len && (got = fssl_conn_recv(conn, data + done, len - done, 0, NULL)) > 0)
        done += got;
    return got < 0 ? got : done;
}

static void recv_messages(void *argument)
{
    struct message *message = argument;
    uint8_t *data = malloc(MESSAGE);

    for (int64_t i = 0; i < message->rounds; i++) {
        message->result = recv_exactly(message->conn, data, MESSAGE);
        if (message->result < 0 || memcmp(data, data + 1, MESSAGE - 1) != 0)
            break;
        message->mark++;
    }
    free(data);
}

static void messages_stay_whole(void)
{
    int64_t rounds = check_rounds(30);

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct pair pair = pair_established(&plans[i]);
        struct message sent[SENDERS], received = {pair.server, rounds * SENDERS, 0, 0};
        struct check_thread threads[SENDERS + 1] = {{recv_messages, &received}};

        for (int k = 0; k < SENDERS; k++) {
            sent[k] = (struct message){pair.client, rounds, (uint8_t)('a' + k), 0};
            threads[k + 1] = (struct check_thread){send_messages, &sent[k]};
        }
        pair_block(&pair);
        check_threads(threads, COUNT_OF(threads));
        for (int k = 0; k < SENDERS; k++)
            CHECK_EQUAL(0, sent[k].result);
        CHECK_EQUAL(rounds * SENDERS, received.mark);
        pair_close(&pair);
    }
}

struct sharing {
    fssl_handle conn;
    atomic_llong bytes;
    atomic_llong sum;
};

static void recv_share(void *argument)
{
    struct sharing *sharing = argument;
    uint8_t data[1000];
    int64_t got;

    while ((got = fssl_conn_recv(sharing->conn, data, sizeof data, 0, NULL)) > 0) {
        atomic_fetch_add(&sharing->bytes, got);
        for (int64_t i = 0; i < got; i++)
            atomic_fetch_add(&sharing->sum, data[i]);
    }
    if (got != -FSSL_E_ZERO_RETURN)
        atomic_store(&sharing->sum, -1);
}

static void send_and_end(void *argument)
{
    struct stream *stream = argument;

    send_stream(stream);
    if (stream->result >= 0)
        stream->result = fssl_conn_shutdown(stream->conn, NULL);
}

/* Each byte reaches one of the readers, and all of them see the end. */
static void readers_share(void)
{
    int64_t len = check_rounds(500000), sum = 0;
    struct pair pair = pair_established(&plans[1]);
    struct stream stream = {.conn = pair.client, .len = len, .piece = 7000};
    struct sharing sharing = {.conn = pair.server};
    const struct check_thread threads[] = {{recv_share, &sharing},
                                           {recv_share, &sharing},
                                           {recv_share, &sharing},
                                           {send_and_end, &stream}};

    for (int64_t i = 0; i < len; i++)
        sum += stream_at(i);
    pair_block(&pair);
    check_threads(threads, COUNT_OF(threads));
    CHECK_EQUAL(len, atomic_load(&sharing.bytes));
    CHECK_EQUAL(sum, atomic_load(&sharing.sum));
    pair_close(&pair);
}

/* ---- one context for all ---- */

struct busy {
    struct pair_plan plan;
    fssl_handle client_ctx;
    fssl_handle server_ctx;
    int64_t rounds;
    atomic_int done;
};

static void shake_hands_often(void *argument)
{
    struct busy *busy = argument;

    for (int64_t i = 0; i < busy->rounds; i++) {
        struct pair pair = {.client_ctx = busy->client_ctx,
                            .server_ctx = busy->server_ctx,
                            .client_fd = -1,
                            .server_fd = -1,
                            .piece = PAIR_RING};

        pair_connect(&pair, &busy->plan);
        CHECK(pair_handshake(&pair));
        CHECK(pair_transfer(&pair, pair.client, (const uint8_t *)"hi", 2));
        pair_disconnect(&pair);
    }
    atomic_fetch_add(&busy->done, 1);
}

/* Changes what can be changed while connections are made of the contexts. */
static void change_contexts(void *argument)
{
    static const char *const lists[] = {"HIGH", "ECDHE+AESGCM", "ECDHE+CHACHA20:ECDHE+AESGCM"};
    struct busy *busy = argument;

    for (int i = 0; atomic_load(&busy->done) < 2; i++) {
        fssl_handle contexts[] = {busy->client_ctx, busy->server_ctx};
        fssl_handle ctx = contexts[i / 3 % 2];

        CHECK_OK(fssl_ctx_set_cipher_list(ctx, lists[i % 3], FSSL_NUL_TERMINATED, &err));
        CHECK_OK(fssl_ctx_set_alpn_preference(ctx, (const uint8_t *)"\x02h2", 3, &err));
        CHECK_OK(
            fssl_ctx_set_srtp_profiles(ctx, "SRTP_AEAD_AES_128_GCM", FSSL_NUL_TERMINATED, &err));
        CHECK_OK(fssl_ctx_set_read_ahead(ctx, i % 2 ? 0 : 5000, &err));
        CHECK_GIVES(fssl_ctx_set_options(ctx, FSSL_OP_NO_TICKET, &err));
        CHECK_GIVES(fssl_ctx_clear_options(ctx, FSSL_OP_NO_TICKET, &err));
        pair_trust(ctx, i % 2 ? ID_OTHER_CA : ID_CA);
    }
}

static void contexts_changed_in_use(void)
{
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct busy busy = {.plan = plans[i], .rounds = check_rounds(60)};
        const struct check_thread threads[] = {
            {shake_hands_often, &busy}, {shake_hands_often, &busy}, {change_contexts, &busy}};

        busy.plan.sockets = false;
        busy.client_ctx = pair_client_ctx(&busy.plan);
        busy.server_ctx = pair_server_ctx(&busy.plan);
        check_threads(threads, COUNT_OF(threads));
        check_close(busy.client_ctx);
        check_close(busy.server_ctx);
    }
}

static const struct check_case cases[] = {
    {"full duplex", full_duplex},
    {"full duplex, coalesced", full_duplex_coalesced},
    {"full duplex while renegotiating", full_duplex_while_renegotiating},
    {"sends go on while renegotiating", sends_go_on_while_renegotiating},
    {"messages stay whole", messages_stay_whole},
    {"readers share", readers_share},
    {"contexts changed in use", contexts_changed_in_use},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
