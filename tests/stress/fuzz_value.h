/* The values with which fuzz_abi calls functions: handles, texts, bytes, buffers, numbers and fds,
   good and hostile, chosen by a tape. */
#ifndef FLATSSL_FUZZ_VALUE_H
#define FLATSSL_FUZZ_VALUE_H

#include "fuzz.h"
#include "through_ffi.h"

enum { POOL_SIZE = 48, POOL_STALE = 16 };

/* Handles that a sequence has, or has had. */
struct pool {
    struct tape *tape;
    fssl_handle open[POOL_SIZE];
    int64_t type[POOL_SIZE];
    int count;
    fssl_handle stale[POOL_STALE];
    int stale_count;
};

void pool_add(struct pool *pool, fssl_handle h);

/* Moves what has been closed to the stale ones. */
void pool_sort(struct pool *pool);

/* A call and what its arguments point to: blocks of exactly the length that the call is told, so
   that AddressSanitizer finds a byte beyond them, and a use of them after the call. */
struct fuzz_call {
    struct call call;
    void *blocks[SURFACE_PARAMETERS];
    int count;
};

void value_fill(struct pool *pool, struct fuzz_call *call, const struct surface_function *function);
void value_drop(struct fuzz_call *call);

/* Makes the files, bytes and memory that values are taken from, and the fds of each sequence. */
void value_begin(void);
void value_open_fds(void);
void value_close_fds(void);

enum { FIRST_FD = 200, POOL_FDS = 6 }; /* those of the harness */

/* The path of a PEM file of one certificate. */
const char *value_cert_file(void);

/* Adds bytes to those that values are taken from. */
void value_add_bytes(const uint8_t *data, int64_t len);

#endif
