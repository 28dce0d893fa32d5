/* A client and a server of DTLS in one thread, on memory, with a link between them that loses,
   doubles and reorders datagrams by dice.

   Time is the test's own: OpenSSL's timers read gettimeofday, for which datagrams.c has another, so
   a lost flight is sent again as soon as nothing else moves. */
#ifndef FLATSSL_DATAGRAMS_H
#define FLATSSL_DATAGRAMS_H

#include "pair.h"

enum { LINK_SLOTS = 64, DATAGRAM = 20000 };

/* What happens to datagrams, each in per cent. */
struct weather {
    int lost;
    int doubled;
    int swapped;
    unsigned int seed;
};

struct link {
    int64_t len[LINK_SLOTS];
    uint8_t data[LINK_SLOTS][DATAGRAM];
    int count;
};

struct datagrams {
    fssl_handle client_ctx;
    fssl_handle server_ctx;
    fssl_handle client;
    fssl_handle server;
    struct weather weather;
    int64_t longest; /* of all datagrams that were carried */
    int late;        /* how often time had to pass in a handshake */
    struct link to_server;
    struct link to_client;
};

/* Makes contexts as a pair has them, then connections. There is one at a time. */
struct datagrams *datagrams_open(const struct pair_plan *plan);
struct datagrams *datagrams_contexts(const struct pair_plan *plan);
void datagrams_connect(struct datagrams *d, const struct pair_plan *plan);
struct datagrams *datagrams_established(const struct pair_plan *plan);
void datagrams_close(struct datagrams *d);

/* Carries all that both have sent. Returns how many datagrams arrived. */
int datagrams_carry(struct datagrams *d);

/* Advances both handshakes to their ends, the time too. */
bool datagrams_handshake(struct datagrams *d);
struct pair_result datagrams_handshake_results(struct datagrams *d);

/* Moves the next datagram of one end into buf. Returns its length, 0 if there is none. */
int64_t datagrams_next(fssl_handle from, uint8_t *buf);

/* Moves the time of OpenSSL's timers on. */
void datagrams_wait(int64_t milliseconds);

/* Returns a number from 0 to below - 1. */
int dice(struct weather *weather, int below);

#endif
