/* What the stress programs share: options, figures, progress, dice and tapes.

   A program measures figures, one after another. Each counts points and failures while it runs,
   also in threads and in children of fork, shows how far it is, and ends in a line that
   dev.d/stress gathers:

       figure | oom client once | 4711 points | 0 failed | 12.3 s | a note

   A program takes --short (what ./dev test runs), --long (what a release needs), --seed N, which
   repeats a run, and the names of the parts to run, all if none is named. */
#ifndef FLATSSL_FIGURE_H
#define FLATSSL_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

void stress_begin(int argc, char **argv);

/* Prints "N passed, N failed". Returns main's result. */
int stress_end(void);

/* Tells whether a part is named on the command line, or none is. */
bool stress_chosen(const char *part);

/* Returns how much to do: the first for --short, the last for --long. */
int64_t stress_amount(int64_t brief, int64_t full, int64_t longest);

uint64_t stress_seed(void);

/* ---- figures ---- */

__attribute__((format(printf, 1, 2))) void figure_begin(const char *name, ...);

/* Counts points that were tried, and shows progress now and then. */
void figure_points(int64_t count);

/* Counts a failure and says which; only the first few are printed. */
__attribute__((format(printf, 1, 2))) void figure_failed(const char *format, ...);

__attribute__((format(printf, 1, 2))) void figure_note(const char *format, ...);

/* How many points and failures the figure has had. */
int64_t figure_tried(void);
int64_t figure_failures(void);

void figure_end(void);

/* A figure that cannot be measured here. */
void figure_skip(const char *name, const char *why);

double seconds_now(void);

/* ---- dice ---- */

struct dice {
    uint64_t state;
};

/* Dice for round `round` of a run: a round can be repeated without those before it. */
struct dice dice_of(uint64_t seed, uint64_t round);
uint64_t dice_roll(struct dice *dice);

/* Returns a number from 0 to below - 1. */
int64_t dice_below(struct dice *dice, int64_t below);
void dice_fill(struct dice *dice, uint8_t *data, int64_t len);

/* ---- tapes ---- */

/* An input that is read as numbers; 0 when it has ended. */
struct tape {
    const uint8_t *data;
    size_t len;
    size_t at;
};

bool tape_ended(const struct tape *tape);
uint64_t tape_number(struct tape *tape, int bytes);

/* Returns a number from 0 to below - 1, below being at most 65,536. */
int64_t tape_below(struct tape *tape, int64_t below);

#endif
