/* Records of errors under threads: whoever fails reads its own text, whoever else may read it. */
#include "pair.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct failing {
    int number;
    int64_t rounds;
    atomic_int foreign; /* texts of other threads */
    atomic_int expired;
};

/* Fails with a path of its own, and looks at the record at once. */
static void fail_with_own_text(void *argument)
{
    struct failing *failing = argument;
    fssl_handle ctx = fssl_ctx_new(FSSL_TLS_METHOD, NULL);

    for (int64_t i = 0; i < failing->rounds; i++) {
        char path[64], data[64] = "";
        int32_t code = 0;
        int64_t len = snprintf(path, sizeof path, "/none/%d/%d", failing->number, (int)i);
        int64_t result = fssl_ctx_use_certificate_chain_file(ctx, path, len, &code);
        int64_t got = fssl_error_str(result, FSSL_ERROR_DATA, 0, data, sizeof data - 1, NULL);

        if (got == -FSSL_E_EXPIRED)
            atomic_fetch_add(&failing->expired, 1);
        else if (code != FSSL_E_SYSCALL || got != len || strcmp(data, path) != 0)
            atomic_fetch_add(&failing->foreign, 1);
    }
    fssl_handle_close(ctx, NULL);
}

static void each_thread_reads_its_own(void)
{
    struct failing failing[4];
    struct check_thread threads[COUNT_OF(failing)];
    int expired = 0;

    for (size_t i = 0; i < COUNT_OF(failing); i++) {
        failing[i] = (struct failing){.number = (int)i, .rounds = check_rounds(20000)};
        threads[i] = (struct check_thread){fail_with_own_text, &failing[i]};
    }
    check_threads(threads, COUNT_OF(threads));
    for (size_t i = 0; i < COUNT_OF(failing); i++) {
        CHECK_EQUAL(0, atomic_load(&failing[i].foreign));
        expired += atomic_load(&failing[i].expired);
    }
    CHECK(expired < (int)failing[0].rounds); /* only a thread that slept for 1,024 failures */
}

/* ---- a record of another thread ---- */

static void read_it(void *argument)
{
    const int64_t *result = argument;

    CHECK_IS(FSSL_E_ARGUMENT, fssl_error_code(*result, &err));
    CHECK_IS(1, fssl_error_count(*result, &err));
    CHECK_TEXT("fssl_ctx_new", error_str(*result, FSSL_ERROR_FUNCTION));
    CHECK_TEXT("method", error_str(*result, FSSL_ERROR_DATA));
}

static void read_from_another_thread(void)
{
    int64_t result = CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(99, &err));

    check_threads(&(struct check_thread){read_it, &result}, 1);
}

/* ---- records that are overwritten while they are read ---- */

struct moving {
    atomic_llong newest;
    atomic_bool done;
    int64_t rounds;
    atomic_int broken;
};

/* Two kinds of failures take turns in the ring, with texts of different lengths. */
static void overwrite(void *argument)
{
    struct moving *moving = argument;

    for (int64_t i = 0; i < moving->rounds; i++) {
        int64_t result = i % 2 ? fssl_cert_from_pem(NULL, 7, NULL) : fssl_ctx_new(99, NULL);

        atomic_store(&moving->newest, result);
    }
    atomic_store(&moving->done, true);
}

static bool whole(const char *function, const char *data)
{
    return (strcmp(function, "fssl_ctx_new") == 0 && strcmp(data, "method") == 0) ||
           (strcmp(function, "fssl_cert_from_pem") == 0 && strcmp(data, "pem") == 0);
}

static void read_on(void *argument)
{
    struct moving *moving = argument;

    while (!atomic_load(&moving->done)) {
        int64_t result = atomic_load(&moving->newest) + 1023; /* about to be overwritten */
        char function[64] = "", data[64] = "";
        int64_t first = fssl_error_str(result, FSSL_ERROR_FUNCTION, 0, function, 63, NULL);
        int64_t second = fssl_error_str(result, FSSL_ERROR_DATA, 0, data, 63, NULL);

        if (first > 0 && second > 0 && !whole(function, data))
            atomic_fetch_add(&moving->broken, 1);
        if ((first < 0 && first != -FSSL_E_EXPIRED) || (second < 0 && second != -FSSL_E_EXPIRED))
            atomic_fetch_add(&moving->broken, 1);
    }
}

static void overwritten_while_read(void)
{
    struct moving moving = {.rounds = check_rounds(200000)};
    const struct check_thread threads[] = {
        {overwrite, &moving}, {read_on, &moving}, {read_on, &moving}};

    for (int i = 0; i < 1024; i++)
        atomic_store(&moving.newest, fssl_ctx_new(99, NULL));
    check_threads(threads, COUNT_OF(threads));
    CHECK_EQUAL(0, atomic_load(&moving.broken));
}

static const struct check_case cases[] = {
    {"each thread reads its own", each_thread_reads_its_own},
    {"read from another thread", read_from_another_thread},
    {"overwritten while read", overwritten_while_read},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
