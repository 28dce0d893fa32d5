/* A client and a server in one thread.

   In memory, all that they send goes through two rings of 512 bytes, so that every message is met
   in parts and every direction fills up. With sockets they hold the ends of a socketpair, which
   does not block until pair_block. */
#ifndef FLATSSL_PAIR_H
#define FLATSSL_PAIR_H

#include "check.h"
#include "identity.h"

enum { PAIR_RING = 512 };

/* What is wanted; all zero is a good default: a server with an ECDSA certificate, a client that
   verifies it for localhost, and the newest protocol. */
struct pair_plan {
    bool sockets;
    int32_t version;           /* an FSSL_..._VERSION to which both ends are held */
    enum identity_name server; /* whose certificate the server shows: ID_EC */
    enum identity_name trust;  /* whom the client trusts: ID_CA */
    enum identity_name client; /* whose certificate the client shows; the server demands it */
    const char *host;          /* whom the client expects: "localhost" */
    int64_t client_place;      /* of fssl_ctx_new_apart */
    int64_t server_place;
};

struct pair_ring {
    uint8_t data[PAIR_RING];
    int64_t start;
    int64_t count;
};

struct pair {
    fssl_handle client_ctx;
    fssl_handle server_ctx;
    fssl_handle client;
    fssl_handle server;
    int client_fd; /* -1 in memory; they are the pair's to close */
    int server_fd;
    int64_t piece; /* at most so many bytes go on at once: PAIR_RING */
    int64_t carried;
    struct pair_ring to_server;
    struct pair_ring to_client;
};

/* Makes contexts, then connections of them. Parts of a pair may be closed and replaced (0 for
   none) before pair_close closes what there is. */
struct pair pair_open(const struct pair_plan *plan);
void pair_contexts(struct pair *pair, const struct pair_plan *plan);
void pair_connect(struct pair *pair, const struct pair_plan *plan);
void pair_disconnect(struct pair *pair);
void pair_close(struct pair *pair);

/* Opens a pair and brings its handshake to its end, tickets included. */
struct pair pair_established(const struct pair_plan *plan);

fssl_handle pair_client_ctx(const struct pair_plan *plan);
fssl_handle pair_server_ctx(const struct pair_plan *plan);
void pair_use_identity(fssl_handle ctx, enum identity_name name);
void pair_trust(fssl_handle ctx, enum identity_name name);

/* Carries what fits through both rings. Returns how many bytes moved. */
int64_t pair_carry(struct pair *pair);

/* Carries until nothing moves. */
void pair_settle(struct pair *pair);

/* Advances both handshakes until they end or fail. Returns whether both succeeded; the results of
   their last steps, 0 or negative, tell how. */
struct pair_result {
    int64_t client;
    int64_t server;
};
bool pair_handshake(struct pair *pair);
struct pair_result pair_handshake_results(struct pair *pair);

/* Sends all of data one way and receives it at the other end. Returns whether it arrived whole. */
bool pair_transfer(struct pair *pair, fssl_handle from, const uint8_t *data, int64_t len);

/* Sends or receives what can be had now, carrying as needed. Returns as the library's call. */
int64_t pair_send(struct pair *pair, fssl_handle from, const void *data, int64_t len);
int64_t pair_recv(struct pair *pair, fssl_handle to, void *buf, int64_t cap);

/* Shuts both directions down in order. */
void pair_shutdown(struct pair *pair);

/* From now on both sockets block. */
void pair_block(struct pair *pair);

#endif
