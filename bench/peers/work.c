/* The work that is measured, the same for each TLS library. A subject's name ends in how it
   travels; its first number is the seconds that the count took, or what is said beside it. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link.h"

enum { SMALL = 64, BATCH = 256, ECHOES = 20000 };

struct subject {
    const char *name;
    void (*run)(const struct subject *subject, long count, double *numbers);
    bool memory;
    struct plan plan;
    long size; /* of a message, or how many threads */
};

/* ---- handshakes ---- */

static void handshakes(const struct subject *subject, long count, double *numbers)
{
    struct link link = link_ready(&subject->plan, subject->memory);
    double start;

    link_free(&link);
    start = now();
    for (long i = 0; i < count; i++) {
        link = link_new(&subject->plan, subject->memory);
        link_shake(&link);
        link_free(&link);
    }
    numbers[0] = now() - start;
}

/* Connects again and again, each time with a short question and answer. */
static void connects(const struct subject *subject, long count, double *numbers)
{
    double start = 0;

    for (long i = -2; i < count; i++) {
        struct link link = link_new(&subject->plan, subject->memory);

        if (i == 0)
            start = now();
        link_shake(&link);
        link_settle(&link);
        link_carry(&link, false, SMALL);
        link_carry(&link, true, SMALL);
        must(i < 0 || end_resumed(link.client) == subject->plan.resumed, "what was agreed");
        if (subject->plan.resumed)
            end_remember(link.client);
        link_free(&link);
    }
    numbers[0] = now() - start;
}

struct share {
    struct plan plan;
    long count;
};

static void *thread_run(void *given)
{
    const struct share *share = given;

    for (long i = 0; i < share->count; i++) {
        struct link link = link_new(&share->plan, true);

        link_shake(&link);
        link_free(&link);
    }
    link_thread_ends();
    return NULL;
}

/* What one thread has to do, once its contexts are there. */
static struct share share_of(const struct subject *subject, long count, int thread)
{
    struct share share = {subject->plan, count / subject->size};
    struct link link;

    if (share.plan.apart)
        share.plan.apart += thread;
    link = link_ready(&share.plan, true);
    link_free(&link);
    return share;
}

/* Makes so many handshakes in all, in the world's time. */
static void threads(const struct subject *subject, long count, double *numbers)
{
    pthread_t made[APART_MAX];
    struct share share[APART_MAX];
    double start;

    for (int i = 0; i < subject->size; i++)
        share[i] = share_of(subject, count, i);
    start = now_outside();
    for (int i = 0; i < subject->size; i++)
        must(!pthread_create(&made[i], NULL, thread_run, &share[i]), "pthread_create");
    for (int i = 0; i < subject->size; i++)
        pthread_join(made[i], NULL);
    numbers[0] = now_outside() - start;
}

/* ---- streams ---- */

static void stream(const struct subject *subject, long count, double *numbers)
{
    struct link *link = link_kept(subject->memory);
    double start = now();

    for (long i = 0; i < count; i++)
        link_carry(link, false, subject->size);
    numbers[0] = now() - start;
}

static void echo(const struct subject *subject, long count, double *numbers)
{
    struct link *link = link_kept(subject->memory);
    double start = now();

    for (long i = 0; i < count; i++) {
        link_carry(link, false, subject->size);
        link_carry(link, true, subject->size);
    }
    numbers[0] = now() - start;
}

/* Sends so many small messages, one call each, and reads them in batches. The second number is how
   long the reading alone took. */
static void messages(const struct subject *subject, long count, double *numbers)
{
    struct link link = link_ready(&subject->plan, false);
    double start = now(), reading = 0;

    for (long left = count; left > 0; left -= BATCH) {
        long batch = left < BATCH ? left : BATCH, got = 0;
        double at;

        for (long i = 0; i < batch; i++)
            must(end_send(link.client, message, SMALL) == SMALL, "a send");
        end_flush(link.client);
        at = now();
        while (got < batch * SMALL)
            got += end_recv(link.server, received, MESSAGE_MAX);
        reading += now() - at;
    }
    numbers[0] = now() - start;
    numbers[1] = reading;
    link_free(&link);
}

/* ---- memory ---- */

/* Lets both ends, which have sent and received, find nothing to read. */
static void link_idle(struct link *link)
{
    struct end *ends[] = {link->client, link->server};
    uint8_t byte;

    for (int i = 0; i < 2; i++)
        must((link->memory ? end_open(ends[i], NULL, 0, &byte, 1) : end_recv(ends[i], &byte, 1)) ==
                 0,
             "idleness");
}

/* Returns the bytes of an idle end of so many. Each one's other end is freed at once. */
static double idle_bytes(const struct subject *subject, struct link *links, long count, bool client)
{
    size_t before = memory_used();
    double each;

    for (long i = 0; i < count; i++) {
        links[i] = link_ready(&subject->plan, subject->memory);
        link_idle(&links[i]);
        end_free(client ? links[i].server : links[i].client);
        close(links[i].fds[client]);
    }
    each = (double)(memory_used() - before) / (double)count;
    for (long i = 0; i < count; i++) {
        end_free(client ? links[i].client : links[i].server);
        close(links[i].fds[!client]);
    }
    return each;
}

static void idle(const struct subject *subject, long count, double *numbers)
{
    struct link *links = calloc((size_t)count, sizeof *links);

    links[0] = link_ready(&subject->plan, subject->memory); /* what all share is there before */
    link_free(&links[0]);
    numbers[0] = idle_bytes(subject, links, count, false);
    numbers[1] = idle_bytes(subject, links, count / 2, true);
    free(links);
}

/* Seconds of an echo, each time on another of so many live connections, and bytes of each. */
static void growth(const struct subject *subject, long count, double *numbers)
{
    unsigned long pairs = (unsigned long)count / 2;
    struct link *links = calloc(pairs, sizeof *links);
    size_t before;
    double start;

    link_kept(true); /* what all share is there before */
    before = memory_used();
    for (unsigned long i = 0; i < pairs; i++)
        links[i] = link_ready(&subject->plan, true);
    numbers[1] = (double)(memory_used() - before) / (double)(pairs * 2);
    start = now();
    for (unsigned long i = 0; i < ECHOES; i++) {
        struct link *link = &links[i * 2654435761UL % pairs];

        link_carry(link, false, SMALL);
        link_carry(link, true, SMALL);
    }
    numbers[0] = (now() - start) / ECHOES;
    for (unsigned long i = 0; i < pairs; i++)
        link_free(&links[i]);
    free(links);
}

/* ---- contexts ---- */

/* Seconds of the first and of the later contexts with the system's trust, in a fresh process. */
static void trust(const struct subject *subject, long count, double *numbers)
{
    double start = now();

    (void)subject;
    must(engine_trust(), "the system's trust");
    numbers[0] = now() - start;
    start = now();
    for (long i = 0; i < count; i++)
        engine_trust();
    numbers[1] = (now() - start) / (double)count;
}

/* ---- the subjects ---- */

#define OLD .plan.version = 12
#define NEW .plan.version = 13

static const struct subject subjects[] = {
    {"handshake_memory", handshakes, true, NEW},
    {"handshake_loopback", handshakes, false, NEW},
    {"mutual_memory", handshakes, true, NEW, .plan.mutual = true},
    {"mutual_loopback", handshakes, false, NEW, .plan.mutual = true},
    {"connect12_memory", connects, true, OLD},
    {"connect13_memory", connects, true, NEW},
    {"connect12_loopback", connects, false, OLD},
    {"connect13_loopback", connects, false, NEW},
    {"reconnect12_memory", connects, true, OLD, .plan.resumed = true},
    {"reconnect13_memory", connects, true, NEW, .plan.resumed = true},
    {"reconnect12_loopback", connects, false, OLD, .plan.resumed = true},
    {"reconnect13_loopback", connects, false, NEW, .plan.resumed = true},
    {"threads_one", threads, true, NEW, .size = 1},
    {"threads_two", threads, true, NEW, .size = 2},
    {"threads_apart", threads, true, NEW, .plan.apart = 1, .size = 2},
    {"echo_memory", echo, true, NEW, .size = SMALL},
    {"echo_loopback", echo, false, NEW, .size = SMALL},
    {"bulk_64_memory", stream, true, NEW, .size = SMALL},
    {"bulk_64_loopback", stream, false, NEW, .size = SMALL},
    {"bulk_1k_memory", stream, true, NEW, .size = 1 << 10},
    {"bulk_1k_loopback", stream, false, NEW, .size = 1 << 10},
    {"bulk_16k_memory", stream, true, NEW, .size = 1 << 14},
    {"bulk_16k_loopback", stream, false, NEW, .size = 1 << 14},
    {"bulk_1m_memory", stream, true, NEW, .size = 1 << 20},
    {"bulk_1m_loopback", stream, false, NEW, .size = 1 << 20},
    {"messages_plain", messages, false, NEW},
    {"messages_coalesced", messages, false, NEW, .plan.coalesced = true},
    {"messages_read_ahead", messages, false, NEW, .plan.read_ahead = true},
    {"idle_memory", idle, true, NEW},
    {"idle_loopback", idle, false, NEW},
    {"thrifty_memory", idle, true, NEW, .plan.thrifty = true},
    {"thrifty_loopback", idle, false, NEW, .plan.thrifty = true},
    {"growth", growth, true, NEW},
    {"trust", trust, true, NEW},
};

static const char *work(const char *name, long count, double *numbers)
{
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        if (strcmp(subjects[i].name, name) != 0)
            continue;
        if (!engine_can(&subjects[i].plan))
            return "not with this library";
        subjects[i].run(&subjects[i], count, numbers);
        return NULL;
    }
    return "no such subject";
}

int main(int argc, char **argv)
{
    memset(message, 'm', sizeof message);
    return serve(argc, argv, work);
}
