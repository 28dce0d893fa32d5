/* handle [rounds]: what a handle costs. Prints lines "name number": nanoseconds of one operation,
   by the best of so many rounds. What stands above SSL_pending is the difference to calling that
   alone; every thread of a pair has its own connection, unless "same" is said. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "internal.h"

enum { OPERATIONS = 50000, THREADS_MAX = 2, MILLION = 1000000 };

static fssl_handle conns[THREADS_MAX];
static SSL *bare[THREADS_MAX];

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static void *pending(void *thread)
{
    SSL *ssl = bare[(intptr_t)thread];

    for (int i = 0; i < OPERATIONS; i++) {
        if (SSL_pending(ssl))
            abort();
    }
    return NULL;
}

/* Resolves the handle, holds its object alone, and gives it back. */
static void *held(void *thread)
{
    fssl_handle h = conns[(intptr_t)thread];
    struct conn *conn;

    for (int i = 0; i < OPERATIONS; i++) {
        if (acquire_own(h, KIND_CONN, &conn, NULL) || SSL_pending(conn->ssl))
            abort();
        finish_own(h, 0, NULL);
    }
    return NULL;
}

static void *held_same(void *unused)
{
    (void)unused;
    return held((void *)0);
}

/* A whole call that enters OpenSSL. */
static void *called(void *thread)
{
    fssl_handle h = conns[(intptr_t)thread];

    for (int i = 0; i < OPERATIONS; i++) {
        if (fssl_conn_pending(h, NULL))
            abort();
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

/* Returns the best time of one operation, on so many threads. */
static double best(void *(*work)(void *), int threads, int rounds)
{
    double least = 1e18;

    for (int round = 0; round < rounds; round++) {
        pthread_t made[THREADS_MAX];
        double start_time = now(), took;

        for (intptr_t i = 0; i < threads; i++)
            pthread_create(&made[i], NULL, work, (void *)i);
        for (int i = 0; i < threads; i++)
            pthread_join(made[i], NULL);
        took = (now() - start_time) / OPERATIONS;
        least = took < least ? took : least;
    }
    return least;
}

/* Opens and closes a million: the time of the last hundred thousand beside the first shows whether
   it grows, the memory what is lost. */
static void million(void)
{
    enum { PARTS = MILLION / OPERATIONS };
    double took[PARTS];
    struct mallinfo2 before = mallinfo2();

    for (int i = 0; i < PARTS; i++) {
        double start_time = now();

        open_and_close(NULL);
        took[i] = (now() - start_time) / OPERATIONS;
    }
    printf("a_million,_the_first %.1f\n", took[0] < took[1] ? took[0] : took[1]);
    printf("a_million,_the_last %.1f\n",
           took[PARTS - 1] < took[PARTS - 2] ? took[PARTS - 1] : took[PARTS - 2]);
    printf("a_million,_bytes_left %.0f\n", (double)mallinfo2().uordblks - (double)before.uordblks);
}

static void connections_make(void)
{
    fssl_handle ctx = fssl_ctx_new_client(NULL);
    SSL_CTX *bare_ctx = SSL_CTX_new(TLS_client_method());

    for (int i = 0; i < THREADS_MAX; i++) {
        conns[i] = fssl_conn_new_memory(ctx, NULL);
        bare[i] = SSL_new(bare_ctx);
        if (conns[i] < 0 || !bare[i])
            abort();
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 50;
    double one, two;

    connections_make();
    one = best(pending, 1, rounds);
    two = best(pending, 2, rounds);
    printf("SSL_pending %.1f\n", one);
    printf("held %.1f\n", best(held, 1, rounds) - one);
    printf("held,_2_threads %.1f\n", best(held, 2, rounds) - two);
    printf("held,_2_threads,_same %.1f\n", best(held_same, 2, rounds) - two);
    printf("call %.1f\n", best(called, 1, rounds) - one);
    printf("open_and_close %.1f\n", best(open_and_close, 1, rounds));
    printf("open_and_close,_2_threads %.1f\n", best(open_and_close, 2, rounds));
    million();
    return 0;
}
