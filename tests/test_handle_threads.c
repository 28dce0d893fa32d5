/* Handles under threads: what is closed while others use it, and what many open at once. */
#include "pair.h"

#include <sched.h>
#include <stdatomic.h>

enum { USERS = 3, SHARED = 8 };

/* ---- one handle, used by some and closed by one ---- */

struct shared {
    fssl_handle h;
    atomic_int inside;  /* users that have made their first call */
    atomic_int closed;  /* calls of close that succeeded */
    atomic_int strange; /* results that no call may have */
};

static bool told_closed(int64_t result)
{
    return result == -FSSL_E_HANDLE;
}

static void use_cert(void *argument)
{
    struct shared *shared = argument;
    uint8_t pem[4096];
    int64_t got;
    bool gone = false;

    do {
        got = fssl_cert_to_pem(shared->h, pem, sizeof pem, NULL);
        atomic_fetch_add(&shared->inside, 1);
        gone = told_closed(got);
        if (!gone && got < 100)
            atomic_fetch_add(&shared->strange, 1);
    } while (!gone);
    if (!told_closed(fssl_handle_type(shared->h, NULL)))
        atomic_fetch_add(&shared->strange, 1);
}

static void close_it(void *argument)
{
    struct shared *shared = argument;
    int64_t result;

    while (atomic_load(&shared->inside) < USERS)
        sched_yield();
    result = fssl_handle_close(shared->h, NULL);
    if (result == 0)
        atomic_fetch_add(&shared->closed, 1);
    else if (!told_closed(result))
        atomic_fetch_add(&shared->strange, 1);
}

static void closed_while_others_are_inside(void)
{
    int64_t rounds = check_rounds(100);

    for (int64_t i = 0; i < rounds; i++) {
        struct shared shared = {.h = identity_cert_handle(ID_EC)};
        const struct check_thread threads[] = {{use_cert, &shared},
                                               {use_cert, &shared},
                                               {use_cert, &shared},
                                               {close_it, &shared},
                                               {close_it, &shared}};

        check_threads(threads, COUNT_OF(threads));
        CHECK_EQUAL(1, atomic_load(&shared.closed));
        CHECK_EQUAL(0, atomic_load(&shared.strange));
    }
}

/* ---- many handles, opened and closed by all ---- */

struct exchange {
    fssl_handle cert;
    _Atomic(fssl_handle) place[SHARED]; /* names that anyone may use or close */
    atomic_int strange;
    int64_t rounds;
};

static void open_and_exchange(void *argument)
{
    struct exchange *exchange = argument;
    uint32_t random = (uint32_t)(uintptr_t)&random; /* another one in each thread */

    for (int64_t i = 0; i < exchange->rounds; i++) {
        fssl_handle old, made = fssl_cert_subject(exchange->cert, NULL);
        int64_t count;

        random = random * 1664525 + 1013904223;
        count = fssl_name_count(atomic_load(&exchange->place[random >> 16 & (SHARED - 1)]), NULL);
        if (made <= 0 || (count != 2 && !told_closed(count)))
            atomic_fetch_add(&exchange->strange, 1);
        old = atomic_exchange(&exchange->place[random >> 24 & (SHARED - 1)], made);
        if (old && fssl_handle_close(old, NULL))
            atomic_fetch_add(&exchange->strange, 1);
    }
}

static void opened_used_and_closed_by_all(void)
{
    struct exchange exchange = {.cert = identity_cert_handle(ID_EC), .rounds = check_rounds(20000)};
    const struct check_thread threads[] = {{open_and_exchange, &exchange},
                                           {open_and_exchange, &exchange},
                                           {open_and_exchange, &exchange},
                                           {open_and_exchange, &exchange}};

    check_threads(threads, COUNT_OF(threads));
    CHECK_EQUAL(0, atomic_load(&exchange.strange));
    for (int i = 0; i < SHARED; i++) {
        fssl_handle left = atomic_load(&exchange.place[i]);

        if (left)
            check_close(left);
    }
    check_close(exchange.cert);
}

/* ---- lists and comparisons meanwhile ---- */

struct census {
    atomic_bool done;
    fssl_handle cert;
    int64_t rounds;
    atomic_int strange;
};

static void open_and_close(void *argument)
{
    struct census *census = argument;

    for (int64_t i = 0; i < census->rounds; i++) {
        fssl_handle copy = fssl_cert_copy(census->cert, NULL);

        if (fssl_handle_same(copy, census->cert, NULL) != 0 || fssl_handle_close(copy, NULL))
            atomic_fetch_add(&census->strange, 1);
    }
    atomic_store(&census->done, true);
}

static void count_and_list(void *argument)
{
    struct census *census = argument;

    while (!atomic_load(&census->done)) {
        fssl_handle h = 0;
        int64_t count = fssl_handle_count(FSSL_TYPE_CERT, NULL);

        if (count < 1 || count > 2)
            atomic_fetch_add(&census->strange, 1);
        while ((h = fssl_handle_next(FSSL_TYPE_ANY, h, NULL)) > 0) {
            int64_t type = fssl_handle_type(h, NULL);

            if (type != FSSL_TYPE_CERT && !told_closed(type))
                atomic_fetch_add(&census->strange, 1);
        }
    }
}

static void counted_while_opened_and_closed(void)
{
    struct census census = {.cert = identity_cert_handle(ID_EC), .rounds = check_rounds(5000)};
    const struct check_thread threads[] = {{open_and_close, &census}, {count_and_list, &census}};

    check_threads(threads, COUNT_OF(threads));
    CHECK_EQUAL(0, atomic_load(&census.strange));
    check_close(census.cert);
}

/* ---- what is closed, and what it holds ---- */

struct use_of_context {
    fssl_handle ctx;
    atomic_int strange;
};

static void make_connections(void *argument)
{
    struct use_of_context *use = argument;
    fssl_handle conn;

    while ((conn = fssl_conn_new_memory(use->ctx, NULL)) > 0) {
        fssl_handle ctx = fssl_conn_context(conn, NULL);

        if (ctx <= 0 || fssl_handle_close(ctx, NULL) || fssl_handle_close(conn, NULL))
            atomic_fetch_add(&use->strange, 1);
    }
    if (!told_closed(conn))
        atomic_fetch_add(&use->strange, 1);
}

static void close_context(void *argument)
{
    struct use_of_context *use = argument;

    for (int i = 0; i < 10; i++)
        fssl_ctx_set_options(use->ctx, FSSL_OP_NO_TICKET, NULL);
    if (fssl_handle_close(use->ctx, NULL))
        atomic_fetch_add(&use->strange, 1);
}

static void a_context_closed_while_connections_are_made(void)
{
    int64_t rounds = check_rounds(40);

    for (int64_t i = 0; i < rounds; i++) {
        struct use_of_context use = {.ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err))};
        const struct check_thread threads[] = {
            {make_connections, &use}, {make_connections, &use}, {close_context, &use}};

        check_threads(threads, COUNT_OF(threads));
        CHECK_EQUAL(0, atomic_load(&use.strange));
    }
}

static const struct check_case cases[] = {
    {"closed while others are inside", closed_while_others_are_inside},
    {"opened, used and closed by all", opened_used_and_closed_by_all},
    {"counted while opened and closed", counted_while_opened_and_closed},
    {"a context closed while connections are made", a_context_closed_while_connections_are_made},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
