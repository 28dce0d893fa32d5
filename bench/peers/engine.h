/* A TLS library as work.c sees it. One C file for each library defines these. */
#ifndef BENCH_ENGINE_H
#define BENCH_ENGINE_H

#include <stdint.h>

#include "protocol.h"

enum {
    PACKET = 1 << 21, /* room for the records of the largest message */
    APART_MAX = 2     /* threads */
};

/* How both ends of a link are made. */
struct plan {
    int version;     /* 12 or 13 */
    bool mutual;     /* the client shows a certificate */
    bool resumed;    /* the client offers the session that end_remember kept */
    bool read_ahead; /* several records with one system call */
    bool coalesced;  /* several messages in one record */
    bool thrifty;    /* no buffers for what is idle */
    int apart;       /* whose library contexts: 0 for the process's, else those of a thread */
};

struct end;

bool engine_can(const struct plan *plan);

/* Makes a context that trusts what the system trusts, and frees it. */
bool engine_trust(void);

/* Makes an end on a socket, or with fd -1 on memory. */
struct end *end_new(bool server, const struct plan *plan, int fd);
void end_free(struct end *end);

/* Keeps the session of a client, for later ones. */
void end_remember(struct end *end);
bool end_resumed(struct end *end);

/* Whether TLS_AES_128_GCM_SHA256 (or its like in TLS 1.2) and X25519 were negotiated. */
bool end_as_agreed(struct end *end);

/* On sockets. Each returns 0 where it would have to wait; send and recv return how many bytes. */
bool end_handshake(struct end *end);
long end_send(struct end *end, const uint8_t *data, long len);
long end_recv(struct end *end, uint8_t *buf, long cap);
void end_flush(struct end *end);

/* On memory, a packet at a time. shake and open take ciphertext; shake and seal return how much
   there is for the peer in out, open how much plaintext. */
long end_shake(struct end *end, const uint8_t *in, long in_len, uint8_t *out, bool *done);
long end_seal(struct end *end, const uint8_t *data, long len, long *sent, uint8_t *out);
long end_open(struct end *end, const uint8_t *in, long in_len, uint8_t *plain, long cap);

#endif
