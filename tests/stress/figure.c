#include "figure.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum form { SHORT, FULL, LONG };
enum { PRINTED_FAILURES = 20, PROGRESS_SECONDS = 5 };

/* Shared with children of fork. */
struct figure {
    atomic_llong points;
    atomic_llong failures;
    atomic_llong progress_due; /* in milliseconds */
};

static enum form form = FULL;
static uint64_t seed;
static char **parts;
static int part_count;
static int passed, bad, left_out;

static struct figure *figure;
static char name[128];
static char note[512];
static double began;

double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- options ---- */

static int take_option(int argc, char **argv, int i)
{
    if (strcmp(argv[i], "--short") == 0)
        form = SHORT;
    else if (strcmp(argv[i], "--long") == 0)
        form = LONG;
    else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
        seed = strtoull(argv[++i], NULL, 0);
    else if (argv[i][0] == '-') {
        fprintf(stderr, "unknown option %s\n", argv[i]);
        exit(2);
    } else
        parts[part_count++] = argv[i];
    return i;
}

void stress_begin(int argc, char **argv)
{
    const char *program = strrchr(argv[0], '/');

    setvbuf(stdout, NULL, _IOLBF, 0);
    parts = calloc((size_t)argc + 1, sizeof *parts);
    figure = mmap(NULL, sizeof *figure, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!parts || figure == MAP_FAILED) {
        perror("stress");
        exit(2);
    }
    seed = (uint64_t)time(NULL) * 1000003 ^ (uint64_t)getpid();
    for (int i = 1; i < argc; i++)
        i = take_option(argc, argv, i);
    printf("%s: --seed %llu repeats this run\n", program ? program + 1 : argv[0],
           (unsigned long long)seed);
}

bool stress_chosen(const char *part)
{
    for (int i = 0; i < part_count; i++) {
        if (strcmp(parts[i], part) == 0)
            return true;
    }
    return part_count == 0;
}

int64_t stress_amount(int64_t brief, int64_t full, int64_t longest)
{
    return form == SHORT ? brief : form == FULL ? full : longest;
}

uint64_t stress_seed(void)
{
    return seed;
}

int stress_end(void)
{
    if (passed + bad + left_out == 0) {
        printf("no part of that name\n");
        bad = 1;
    }
    printf("%d passed, %d failed, %d skipped\n", passed, bad, left_out);
    return bad ? 1 : 0;
}

/* ---- figures ---- */

static void say_progress(const char *how, long long points)
{
    fprintf(stderr, "  %s: %s%lld points, %lld failed, %.0f s\n", name, how, points,
            (long long)atomic_load(&figure->failures), seconds_now() - began);
}

void figure_begin(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    note[0] = '\0';
    began = seconds_now();
    atomic_store(&figure->points, 0);
    atomic_store(&figure->failures, 0);
    atomic_store(&figure->progress_due, (long long)(began + PROGRESS_SECONDS) * 1000);
}

void figure_points(int64_t count)
{
    long long points = atomic_fetch_add(&figure->points, count) + count;
    long long due = atomic_load(&figure->progress_due);
    long long now = (long long)(seconds_now() * 1000);

    if (now >= due &&
        atomic_compare_exchange_strong(&figure->progress_due, &due, now + PROGRESS_SECONDS * 1000))
        say_progress("", points);
}

void figure_failed(const char *format, ...)
{
    va_list arguments;

    if (atomic_fetch_add(&figure->failures, 1) >= PRINTED_FAILURES)
        return;
    flockfile(stdout);
    printf("FAILED %s: ", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    funlockfile(stdout);
}

void figure_note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(note, sizeof note, format, arguments);
    va_end(arguments);
}

int64_t figure_tried(void)
{
    return atomic_load(&figure->points);
}

int64_t figure_failures(void)
{
    return atomic_load(&figure->failures);
}

void figure_end(void)
{
    long long points = atomic_load(&figure->points);
    long long failures = atomic_load(&figure->failures);

    if (points == 0)
        figure_failed("nothing was tried");
    failures = atomic_load(&figure->failures);
    printf("figure | %s | %lld points | %lld failed | %.1f s | %s\n", name, points, failures,
           seconds_now() - began, note);
    if (failures)
        bad++;
    else
        passed++;
}

void figure_skip(const char *skipped, const char *why)
{
    printf("skipped %s: %s\n", skipped, why);
    printf("figure | %s | skipped | | | %s\n", skipped, why);
    left_out++;
}

/* ---- dice ---- */

/* Steele, Lea and Flood's SplitMix64. */
uint64_t dice_roll(struct dice *dice)
{
    uint64_t mixed = dice->state += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

struct dice dice_of(uint64_t start, uint64_t round)
{
    struct dice dice = {start};

    dice.state = dice_roll(&dice) + round;
    dice.state = dice_roll(&dice);
    return dice;
}

int64_t dice_below(struct dice *dice, int64_t below)
{
    return (int64_t)(dice_roll(dice) % (uint64_t)below);
}

void dice_fill(struct dice *dice, uint8_t *data, int64_t len)
{
    for (int64_t i = 0; i < len; i++)
        data[i] = (uint8_t)dice_roll(dice);
}

/* ---- tapes ---- */

bool tape_ended(const struct tape *tape)
{
    return tape->at >= tape->len;
}

uint64_t tape_number(struct tape *tape, int bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < bytes && tape->at < tape->len; i++)
        number = number << 8 | tape->data[tape->at++];
    return number;
}

int64_t tape_below(struct tape *tape, int64_t below)
{
    return (int64_t)(tape_number(tape, below > 256 ? 2 : 1) % (uint64_t)below);
}
