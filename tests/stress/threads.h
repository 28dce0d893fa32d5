/* The parts of the program that has threads share connections: links and the threads that talk over
   them (threads_link.c), the same on memory (threads_packets.c), ends at any moment
   (threads_end.c), floods (threads_flood.c), shared contexts (threads_context.c) and the driver
   (threads.c). */
#ifndef FLATSSL_THREADS_H
#define FLATSSL_THREADS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "figure.h"
#include "flatssl.h"

enum { CLIENT, SERVER };

/* How a program waits: in the library, by a poll of its own, or in the library for a few
   milliseconds at a time. */
enum manner { BLOCKS, POLLS, TIMES_OUT, MANNERS };

/* ---- contexts, by whether the version is 1.3 ---- */

struct contexts {
    fssl_handle ctx[2]; /* by side */
};

extern struct contexts contexts[2];

void contexts_open(void);
void contexts_close(void);

/* ---- links: a loopback TCP connection with small buffers, and the library at both ends ---- */

struct link {
    fssl_handle conn[2]; /* by side */
    int fd[2];           /* -1: the connection's own */
    enum manner manner;
};

void link_open(struct link *link, const struct contexts *of, enum manner manner);

/* Brings both handshakes to their end, in two threads. */
void link_establish(struct link *link);
void link_close(struct link *link);

/* ---- talkers: threads of which each sends or receives ---- */

struct talker {
    fssl_handle conn;
    int fd;
    enum manner manner;
    int poll_ms; /* its own poll's timeout, -1 for none */
    bool sends;
    int64_t len;  /* ends after so many bytes */
    int64_t most; /* in one call */
    uint8_t voice;
    struct dice dice;
    atomic_llong done; /* bytes */
    atomic_bool ended;
    int64_t calls;
    int64_t interrupted;
    int64_t flushed; /* what fssl_conn_flush gave after all */
    int64_t result;  /* its last call's; -1 (no such code) if data came wrong */
};

enum { TALKERS = 4 };

/* The talkers of a link: both of its ends send and receive. */
void talkers_of(struct talker *talkers, const struct link *link, uint64_t round, int64_t len);
void *talk(void *talker);

/* Fills words with what a voice says from byte `at` on. Returns where that begins. */
uint8_t *spoken(uint64_t *words, uint8_t voice, int64_t at, int64_t len);

/* Says whether a talker that should have all of its bytes has not. */
void talker_is_whole(const struct talker *talker, const char *where);

/* ---- threads ---- */

struct thread {
    void *(*run)(void *argument);
    void *argument;
};

enum { THREADS_MAX = 40 };

struct group {
    pthread_t id[THREADS_MAX];
    int count;
};

void group_start(struct group *group, void *(*run)(void *), void *argument);
void group_join(struct group *group);
void pause_us(int64_t microseconds);

/* ---- the watch: ends the program if nothing has moved for long ---- */

void watch_start(void);
void watch_moved(void);

/* ---- parts ---- */

void packets(void);
void ends_at_any_moment(void);
void floods(void);
void polls_for_input_alone(void);
void handshakes_on_shared_contexts(void);

#endif
