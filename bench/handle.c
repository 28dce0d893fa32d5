/* What a handle costs: resolving it with the object's lock, and opening and closing one. Prints
   nanoseconds per operation, the best of several rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"

enum { ROUNDS = 200, OPERATIONS = 20000, THREADS_MAX = 2 };

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

/* Holds the object and releases it. */
static void *resolve(void *handle)
{
    fssl_handle h = *(fssl_handle *)handle;
    struct object *object;

    for (int i = 0; i < OPERATIONS; i++) {
        if (handle_hold(h, KIND_STORE, &object))
            abort();
        handle_release(h);
    }
    return NULL;
}

/* What every call does beside its OpenSSL call: holds and locks the object, looks twice whether
   OpenSSL's error queue is empty, and gives the object back. */
static void *whole_call(void *handle)
{
    fssl_handle h = *(fssl_handle *)handle;
    void *object;

    for (int i = 0; i < OPERATIONS; i++) {
        if (acquire(h, KIND_STORE, &object, NULL))
            abort();
        finish(h, 0, NULL);
    }
    return NULL;
}

/* The same of a call that does not enter OpenSSL. */
static void *own_call(void *handle)
{
    fssl_handle h = *(fssl_handle *)handle;
    void *object;

    for (int i = 0; i < OPERATIONS; i++) {
        if (acquire_own(h, KIND_STORE, &object, NULL))
            abort();
        finish_own(h, 0, NULL);
    }
    return NULL;
}

static void *open_and_close(void *unused)
{
    for (int i = 0; i < OPERATIONS; i++) {
        fssl_handle h = handle_open(object_new(KIND_NAME, sizeof(struct name)));

        if (!h || fssl_handle_close(h, NULL))
            abort();
    }
    return unused;
}

/* Returns the best time of one operation, with as many threads as there are handles. */
static double best(void *(*work)(void *), fssl_handle *handles, int threads, int operations)
{
    double least = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        pthread_t made[THREADS_MAX];
        double start_time = now(), took;

        for (int i = 0; i < threads; i++)
            pthread_create(&made[i], NULL, work, &handles[i]);
        for (int i = 0; i < threads; i++)
            pthread_join(made[i], NULL);
        took = (now() - start_time) / operations;
        least = took < least ? took : least;
    }
    return least;
}

int main(void)
{
    fssl_handle one = fssl_store_new(NULL), two = fssl_store_new(NULL);
    fssl_handle distinct[] = {one, two}, same[] = {one, one};

    printf("resolve, 1 thread             %7.1f ns\n", best(resolve, distinct, 1, OPERATIONS));
    printf("resolve, 2 threads, 2 handles %7.1f ns\n", best(resolve, distinct, 2, OPERATIONS));
    printf("resolve, 2 threads, 1 handle  %7.1f ns\n", best(resolve, same, 2, OPERATIONS));
    printf("a call around nothing         %7.1f ns\n", best(whole_call, distinct, 1, OPERATIONS));
    printf("one that needs no OpenSSL     %7.1f ns\n", best(own_call, distinct, 1, OPERATIONS));
    printf("open and close, 1 thread      %7.1f ns\n",
           best(open_and_close, distinct, 1, OPERATIONS));
    printf("open and close, 2 threads     %7.1f ns\n",
           best(open_and_close, distinct, 2, OPERATIONS));
    return fssl_handle_close(one, NULL) || fssl_handle_close(two, NULL);
}
