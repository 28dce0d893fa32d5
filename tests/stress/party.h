/* One end of a scripted exchange: it shakes hands, sends so much, receives so much, and shuts down.
   What it sends is known by position, so that the other end can check every byte without keeping
   any. It goes on step by step and never waits, whatever carries its bytes. */
#ifndef FLATSSL_PARTY_H
#define FLATSSL_PARTY_H

#include <stdbool.h>
#include <stdint.h>

#include "flatssl.h"

enum stage { SHAKES_HANDS, TALKS, SHUTS_DOWN, ENDED };

struct party {
    fssl_handle conn;
    uint8_t voice;   /* tells its data from the other end's */
    int64_t to_send; /* bytes */
    int64_t to_recv;
    int64_t piece; /* at most so much in one send or recv */
    bool stays;    /* does not shut down by itself, but when the other end has */
    bool blocks;   /* its calls wait: a failed send is its end */
    enum stage stage;
    int64_t sent;
    int64_t received;
    int64_t result; /* of the last call; once ENDED 0 for a clean end, or the failure */
    int64_t send_failure;
    bool wrong; /* data came that the other end did not send */
};

/* Does what can be done now. Returns whether it got anywhere. */
bool party_step(struct party *party);

/* The same by fssl_conn_pump, with ciphertext in and out. Returns whether it got anywhere. */
struct packet {
    const uint8_t *in;
    int64_t in_len;
    int64_t taken;
    uint8_t *out;
    int64_t out_cap;
    int64_t given;
};
bool party_pump(struct party *party, struct packet *packet);

bool party_wants(int64_t result);

/* Byte i of what a voice says. */
uint8_t party_byte(uint8_t voice, int64_t i);

/* Tells what holds after any failure: the connection stays failed with the same code, and nothing
   of it is ever a success. Returns NULL if all is well, else what is not. */
const char *party_stays_failed(const struct party *party);

#endif
