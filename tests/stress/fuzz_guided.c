/* Drives a fuzzing program by clang's libFuzzer, whose options it makes of ours. The inputs that it
   kept are in build/stress/<program>, from where a later run goes on; one that fails is left beside
   them and named, and is repeated by naming it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { CORPUS = 16 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void end(void)
{
    figure_end();
    fflush(stdout);
    _Exit(stress_end());
}

static char *option(const char *format, int64_t value)
{
    char *text = malloc(64);

    snprintf(text, 64, format, (long long)value);
    return text;
}

/* Inputs to begin with, as long as those that dice give. */
static void make_corpus(const char *folder)
{
    int64_t len = fuzz_amounts.longest;
    uint8_t *data = malloc((size_t)len);

    for (uint64_t round = 0; round < CORPUS; round++) {
        struct dice dice = dice_of(stress_seed(), round);
        char path[192];
        FILE *file;

        snprintf(path, sizeof path, "%s/dice%llu", folder, (unsigned long long)round);
        dice_fill(&dice, data, len);
        file = fopen(path, "w");
        if (!file || fwrite(data, 1, (size_t)len, file) != (size_t)len || fclose(file) != 0)
            abort();
    }
    free(data);
}

static char **options(const char *program, const char *input)
{
    static char folder[128], artifacts[160];
    static char *made[16];
    const int64_t *seconds = fuzz_amounts.guided;
    int count = 0;

    snprintf(folder, sizeof folder, "build/stress/%s", fuzz_name);
    snprintf(artifacts, sizeof artifacts, "-artifact_prefix=build/stress/%s-", fuzz_name);
    mkdir("build/stress", 0755);
    mkdir(folder, 0755);
    make_corpus(folder);
    made[count++] = (char *)(uintptr_t)program;
    made[count++] = option("-seed=%lld", (int64_t)(stress_seed() & INT32_MAX));
    made[count++] =
        option("-max_total_time=%lld", stress_amount(seconds[0], seconds[1], seconds[2]));
    made[count++] = option("-max_len=%lld", fuzz_amounts.longest);
    made[count++] = option("-len_control=%lld", 0);
    made[count++] =
        option("-reduce_inputs=%lld", 0); /* a long one makes more calls for its start */
    made[count++] = option("-print_final_stats=%lld", 0);
    made[count++] = option("-timeout=%lld", 60);
    made[count++] = option("-rss_limit_mb=%lld", 4096);
    made[count++] = artifacts;
    made[count++] = input ? (char *)(uintptr_t)input : folder;
    return made;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *last = (*argv)[*argc - 1];
    struct stat file;
    bool repeats = *argc > 1 && stat(last, &file) == 0;

    stress_begin(*argc, *argv);
    *argv = options((*argv)[0], repeats ? last : NULL);
    for (*argc = 0; (*argv)[*argc];)
        ++*argc;
    fuzz_begin();
    figure_begin("%s guided", fuzz_name);
    atexit(end);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_one(data, len);
    if (figure_failures())
        abort(); /* libFuzzer keeps the input */
    return 0;
}
