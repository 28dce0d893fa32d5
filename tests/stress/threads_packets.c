/* Connections on memory, of which one thread pumps the packets that come while another seals what
   is to be said. One of the two takes what is to be sent, so that it stays in order: the other
   gives no room for it. Where it is the pump, data waits in the library's queue. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "threads.h"

enum { WIRES = 1 << 16, PACKET_MOST = 20000, SAID_MOST = 40000, MEETINGS = 4, MEBI = 1 << 20 };

/* What is on the way to one end. One thread writes it, another reads. */
struct wire {
    pthread_mutex_t mutex;
    uint8_t data[WIRES];
    int64_t count;
};

/* A thread that pumps or seals. */
struct hand {
    struct talker talker;
    struct wire *in;
    struct wire *out;          /* NULL: it gives no room */
    const struct talker *peer; /* who hears what goes out */
    atomic_bool *over;         /* a thread of the meeting has failed */
    uint8_t *packet[2];        /* that came, that goes */
};

struct meeting {
    fssl_handle conn[2];
    struct wire wire[2]; /* by the side that reads it */
    struct hand hand[TALKERS];
    atomic_bool over;
};

/* ---- wires ---- */

static int64_t wire_room(struct wire *wire)
{
    int64_t room;

    pthread_mutex_lock(&wire->mutex);
    room = WIRES - wire->count;
    pthread_mutex_unlock(&wire->mutex);
    return room;
}

static void wire_write(struct wire *wire, const uint8_t *data, int64_t len)
{
    pthread_mutex_lock(&wire->mutex);
    memcpy(wire->data + wire->count, data, (size_t)len);
    wire->count += len;
    pthread_mutex_unlock(&wire->mutex);
}

/* Copies up to `most` bytes, which stay until they are dropped. */
static int64_t wire_peek(struct wire *wire, uint8_t *packet, int64_t most)
{
    int64_t len;

    pthread_mutex_lock(&wire->mutex);
    len = wire->count < most ? wire->count : most;
    memcpy(packet, wire->data, (size_t)len);
    pthread_mutex_unlock(&wire->mutex);
    return len;
}

static void wire_drop(struct wire *wire, int64_t len)
{
    pthread_mutex_lock(&wire->mutex);
    wire->count -= len;
    memmove(wire->data, wire->data + len, (size_t)wire->count);
    pthread_mutex_unlock(&wire->mutex);
}

/* ---- a thread ---- */

/* How much room this call gives for what is to be sent. */
static int64_t room(struct hand *hand)
{
    int64_t most = 1 + dice_below(&hand->talker.dice, PACKET_MOST);
    int64_t free = hand->out ? wire_room(hand->out) : 0;

    return free < most ? free : most;
}

static void moved(struct hand *hand, int64_t plain, int64_t taken, int64_t given)
{
    if (given > 0)
        wire_write(hand->out, hand->packet[1], given);
    if (plain > 0)
        atomic_fetch_add(&hand->talker.done, plain);
    if (plain > 0 || taken > 0 || given > 0)
        watch_moved();
    else
        pause_us(100);
}

static int64_t seal_piece(struct hand *hand, uint64_t *words, int64_t len)
{
    struct talker *talker = &hand->talker;
    const uint8_t *data = spoken(words, talker->voice, talker->done, len);
    int64_t given,
        sent = fssl_conn_seal(talker->conn, data, len, hand->packet[1], room(hand), &given, NULL);

    memset(words, 0, (size_t)len); /* the buffer is ours again */
    moved(hand, sent, 0, given);
    return sent == 0 && len > 0 ? -1 : sent; /* no such answer */
}

static int64_t pump_piece(struct hand *hand, uint64_t *words, uint8_t *plain, int64_t len)
{
    struct talker *talker = &hand->talker;
    int64_t came = wire_peek(hand->in, hand->packet[0], 1 + dice_below(&talker->dice, PACKET_MOST));
    int64_t taken, given, got;

    got = fssl_conn_pump(talker->conn, hand->packet[0], came, &taken, plain, len, hand->packet[1],
                         room(hand), &given, NULL);
    if (got > 0 && memcmp(plain, spoken(words, talker->voice, talker->done, got), (size_t)got) != 0)
        return -1; /* no such code */
    wire_drop(hand->in, taken);
    moved(hand, got, taken, given);
    return got;
}

/* Whoever takes what is to be sent goes on until the peer has heard all. */
static bool has_ended(const struct hand *hand)
{
    return hand->talker.done == hand->talker.len &&
           (!hand->out || atomic_load(&hand->peer->done) == hand->peer->len);
}

static void hand_on(struct hand *hand, uint64_t *words, uint8_t *plain)
{
    struct talker *talker = &hand->talker;
    int64_t left = talker->len - talker->done;
    int64_t piece = 1 + dice_below(&talker->dice, talker->most);

    if (piece > left)
        piece = left;
    talker->calls++;
    talker->result =
        talker->sends ? seal_piece(hand, words, piece) : pump_piece(hand, words, plain, piece);
    if (talker->result < 0 && talker->result != -FSSL_E_WANT_READ &&
        talker->result != -FSSL_E_WANT_WRITE)
        atomic_store(hand->over, true);
}

static void *handle_packets(void *argument)
{
    struct hand *hand = argument;
    uint64_t *words = calloc(1, (size_t)hand->talker.most + 2 * sizeof *words);
    uint8_t *plain = malloc((size_t)hand->talker.most);

    hand->packet[0] = malloc(PACKET_MOST);
    hand->packet[1] = malloc(PACKET_MOST);
    while (!has_ended(hand) && !atomic_load(hand->over))
        hand_on(hand, words, plain);
    watch_moved();
    free(hand->packet[0]);
    free(hand->packet[1]);
    free(words);
    free(plain);
    return NULL;
}

/* ---- meetings ---- */

static void meeting_open(struct meeting *meeting, int number, int64_t len)
{
    static const struct link nowhere = {.fd = {-1, -1}};
    struct link link = nowhere;
    struct talker talkers[TALKERS];

    for (int side = CLIENT; side <= SERVER; side++) {
        link.conn[side] = CHECK_MADE(fssl_conn_new_memory(contexts[number % 2].ctx[side], &err));
        meeting->conn[side] = link.conn[side];
        pthread_mutex_init(&meeting->wire[side].mutex, NULL);
        meeting->wire[side].count = 0;
    }
    fssl_conn_set_host(meeting->conn[CLIENT], "localhost", FSSL_NUL_TERMINATED, NULL);
    atomic_store(&meeting->over, false);
    talkers_of(talkers, &link, (uint64_t)number, len);
    for (int i = 0; i < TALKERS; i++) {
        struct hand *hand = &meeting->hand[i];
        int side = i / 2;
        bool takes = number / 2 % 2 == talkers[i].sends;

        hand->talker = talkers[i];
        hand->talker.most = 1 + dice_below(&hand->talker.dice, SAID_MOST);
        hand->in = &meeting->wire[side];
        hand->out = takes ? &meeting->wire[!side] : NULL;
        hand->peer = &meeting->hand[2 * !side].talker;
        hand->over = &meeting->over;
    }
}

static int64_t meeting_close(struct meeting *meeting)
{
    int64_t bytes = 0;

    for (int side = CLIENT; side <= SERVER; side++) {
        fssl_handle_close(meeting->conn[side], NULL);
        pthread_mutex_destroy(&meeting->wire[side].mutex);
    }
    for (int i = 0; i < TALKERS; i++) {
        struct talker *talker = &meeting->hand[i].talker;

        if (atomic_load(&meeting->over) || talker->done != talker->len)
            talker_is_whole(talker, "packets");
        figure_points(talker->calls);
        bytes += talker->sends ? talker->done : 0;
    }
    return bytes;
}

void packets(void)
{
    static struct meeting meetings[MEETINGS];
    struct group group = {.count = 0};
    int64_t bytes = 0, len = stress_amount(2 * MEBI, 16 * MEBI, 256 * MEBI);
    double began = seconds_now();

    figure_begin("threads: packets pumped and sealed");
    for (int i = 0; i < MEETINGS; i++)
        meeting_open(&meetings[i], i, len);
    for (int i = 0; i < MEETINGS * TALKERS; i++)
        group_start(&group, handle_packets, &meetings[i / TALKERS].hand[i % TALKERS]);
    group_join(&group);
    for (int i = 0; i < MEETINGS; i++)
        bytes += meeting_close(&meetings[i]);
    figure_note("%lld MiB each way on %d connections, %.0f MiB/s",
                (long long)(bytes / 2 / MEETINGS / MEBI), MEETINGS,
                (double)bytes / MEBI / (seconds_now() - began));
    figure_end();
}
