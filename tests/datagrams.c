#include "datagrams.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { STEPS = 2000 };

/* ---- the time ---- */

static _Atomic int64_t ahead; /* milliseconds */

/* What OpenSSL's timers read, in place of the C library's. */
int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec truly;
    int64_t moved = atomic_load(&ahead);

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &truly);
    now->tv_sec = truly.tv_sec + moved / 1000;
    now->tv_usec = truly.tv_nsec / 1000 + moved % 1000 * 1000;
    if (now->tv_usec >= 1000000) {
        now->tv_sec++;
        now->tv_usec -= 1000000;
    }
    return 0;
}

void datagrams_wait(int64_t milliseconds)
{
    atomic_fetch_add(&ahead, milliseconds);
}

/* ---- making ---- */

struct datagrams *datagrams_contexts(const struct pair_plan *plan)
{
    struct datagrams *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    d->client_ctx = CHECK_MADE(fssl_ctx_new_dtls_client(&err));
    d->server_ctx = CHECK_MADE(fssl_ctx_new_dtls_server(&err));
    pair_trust(d->client_ctx, plan->trust ? plan->trust : ID_CA);
    pair_use_identity(d->server_ctx, plan->server ? plan->server : ID_EC);
    if (!plan->client)
        return d;
    pair_use_identity(d->client_ctx, plan->client);
    pair_trust(d->server_ctx, ID_CA);
    CHECK_OK(fssl_ctx_set_verify(d->server_ctx, FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                 &err));
    return d;
}

void datagrams_connect(struct datagrams *d, const struct pair_plan *plan)
{
    d->client = CHECK_MADE(fssl_conn_new_memory(d->client_ctx, &err));
    d->server = CHECK_MADE(fssl_conn_new_memory(d->server_ctx, &err));
    CHECK_OK(fssl_conn_set_host(d->client, plan->host ? plan->host : "localhost",
                                FSSL_NUL_TERMINATED, &err));
}

struct datagrams *datagrams_open(const struct pair_plan *plan)
{
    struct datagrams *d = datagrams_contexts(plan);

    datagrams_connect(d, plan);
    return d;
}

struct datagrams *datagrams_established(const struct pair_plan *plan)
{
    struct datagrams *d = datagrams_open(plan);

    CHECK(datagrams_handshake(d));
    return d;
}

void datagrams_close(struct datagrams *d)
{
    check_close(d->client);
    check_close(d->server);
    check_close(d->client_ctx);
    check_close(d->server_ctx);
    free(d);
}

/* ---- carrying ---- */

int dice(struct weather *weather, int below)
{
    weather->seed = weather->seed * 1664525 + 1013904223;
    return (int)((weather->seed >> 8) % (unsigned int)below);
}

int64_t datagrams_next(fssl_handle from, uint8_t *buf)
{
    int64_t got = fssl_conn_bio_read(from, buf, DATAGRAM, &err);

    return got < 0 ? 0 : got;
}

static void link_put(struct link *link, const uint8_t *data, int64_t len, int at)
{
    if (link->count == LINK_SLOTS)
        return;
    for (int i = link->count; i > at; i--) {
        memcpy(link->data[i], link->data[i - 1], (size_t)link->len[i - 1]);
        link->len[i] = link->len[i - 1];
    }
    memcpy(link->data[at], data, (size_t)len);
    link->len[at] = len;
    link->count++;
}

static void fill(struct datagrams *d, struct link *link, fssl_handle from)
{
    static uint8_t data[DATAGRAM];
    int64_t len;

    while ((len = datagrams_next(from, data)) > 0) {
        d->longest = len > d->longest ? len : d->longest;
        if (dice(&d->weather, 100) < d->weather.lost)
            continue;
        link_put(link, data, len,
                 link->count > 0 && dice(&d->weather, 100) < d->weather.swapped
                     ? dice(&d->weather, link->count)
                     : link->count);
        if (dice(&d->weather, 100) < d->weather.doubled)
            link_put(link, data, len, dice(&d->weather, link->count));
    }
}

static int drain(struct link *link, fssl_handle to)
{
    int count = link->count;

    for (int i = 0; i < count; i++)
        CHECK_IS(link->len[i], fssl_conn_bio_write(to, link->data[i], link->len[i], &err));
    link->count = 0;
    return count;
}

int datagrams_carry(struct datagrams *d)
{
    int arrived = 0;

    fill(d, &d->to_server, d->client);
    arrived += drain(&d->to_server, d->server);
    fill(d, &d->to_client, d->server);
    arrived += drain(&d->to_client, d->client);
    return arrived;
}

/* ---- handshake ---- */

/* Nothing moves: moves the time on to the next timer. */
static void pass_time(struct datagrams *d)
{
    fssl_handle ends[] = {d->client, d->server};
    int64_t left, least = -1;

    d->late++;

    for (int i = 0; i < 2; i++) {
        CHECK_OK(fssl_conn_dtls_timeout(ends[i], &left, &err));
        if (left >= 0 && (least < 0 || left < least))
            least = left;
    }
    datagrams_wait(least > 0 ? least : 0);
    for (int i = 0; i < 2; i++)
        fssl_conn_handle_dtls_timeout(ends[i], &err);
}

struct pair_result datagrams_handshake_results(struct datagrams *d)
{
    struct pair_result results = {-FSSL_E_WANT_READ, -FSSL_E_WANT_READ};
    uint8_t byte;

    for (int i = 0; i < STEPS; i++) {
        if (results.client == -FSSL_E_WANT_READ)
            results.client = fssl_conn_do_handshake(d->client, &err);
        else if (results.client == 0) /* the server may still need its last flight again */
            fssl_conn_recv(d->client, &byte, 1, FSSL_MSG_PEEK, &err);
        if (results.server == -FSSL_E_WANT_READ)
            results.server = fssl_conn_do_handshake(d->server, &err);
        else if (results.server == 0)
            fssl_conn_recv(d->server, &byte, 1, FSSL_MSG_PEEK, &err);
        if (results.client != -FSSL_E_WANT_READ && results.server != -FSSL_E_WANT_READ)
            break;
        if (datagrams_carry(d) == 0)
            pass_time(d);
    }
    return results;
}

bool datagrams_handshake(struct datagrams *d)
{
    struct pair_result results = datagrams_handshake_results(d);

    return CHECK_EQUAL(0, results.client) && CHECK_EQUAL(0, results.server);
}
