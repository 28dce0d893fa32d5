/* Both ends of a connection, in one thread: in memory, or on TCP sockets that do not block. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "engine.h"

enum { MESSAGE_MAX = 1 << 20 };

struct link {
    struct end *client, *server;
    int fds[2];
    bool memory;
};

/* What is sent, and where it arrives. */
extern uint8_t message[MESSAGE_MAX], received[MESSAGE_MAX];

struct link link_new(const struct plan *plan, bool memory);
void link_free(struct link *link);

/* Brings the handshake to its end. What the server has sent behind it, its tickets, waits for
   link_settle. */
void link_shake(struct link *link);
void link_settle(struct link *link);

/* Makes a link whose ends have shaken hands, as was agreed, and have nothing on the way. */
struct link link_ready(const struct plan *plan, bool memory);

/* Returns a link with TLS 1.3 that is made once. */
struct link *link_kept(bool memory);

/* Sends a message from one end, and reads it at the other. */
void link_carry(struct link *link, bool from_server, long len);

/* Frees what a thread's links have used. */
void link_thread_ends(void);

#endif
