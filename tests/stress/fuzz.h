/* What a fuzzing program is made of. It defines the first four; fuzz_dice.c drives it by dice,
   fuzz_guided.c by clang's libFuzzer, which looks for inputs that reach new code. */
#ifndef FLATSSL_FUZZ_H
#define FLATSSL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figure.h"

extern const char *const fuzz_name;
extern const struct fuzz_amounts {
    int64_t points[3];  /* for --short, neither and --long, by dice */
    int64_t seconds[3]; /* at most by dice */
    int64_t guided[3];  /* seconds, guided */
    int64_t longest;    /* input, in bytes */
} fuzz_amounts;
void fuzz_begin(void);

/* Tries one input; counts its points and failures. */
void fuzz_one(const uint8_t *data, size_t len);

#endif
