/* Connecting to a host of several addresses, within one deadline: some refuse, some never answer.
   The names are resolved here, since the program defines how. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum address_kind { NONE, LISTENS, REFUSES, HANGS, ADDRESSES = 3 };
enum { FILLERS = 4, DEADLINE = 1200 };

/* What the addresses of a host do, and where they are. */
static struct sockaddr_in address[ADDRESSES];
static int address_count;

/* ---- how names are resolved ---- */

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    struct addrinfo **next = list;

    (void)service;
    (void)hints;
    if (strcmp(host, "localhost") != 0)
        return EAI_NONAME;
    for (int i = 0; i < address_count; i++) {
        *next = calloc(1, sizeof **next);
        (*next)->ai_family = AF_INET;
        (*next)->ai_socktype = SOCK_STREAM;
        (*next)->ai_addr = (struct sockaddr *)&address[i];
        (*next)->ai_addrlen = sizeof address[i];
        next = &(*next)->ai_next;
    }
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;

        free(list);
        list = next;
    }
}

/* ---- addresses ---- */

static int listeners[ADDRESSES];
static int fillers[ADDRESSES][FILLERS];

/* Fills the queue of those who wait to be accepted: who comes then gets no answer. */
static void fill(int i)
{
    for (int k = 0; k < FILLERS; k++) {
        fillers[i][k] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(fillers[i][k], F_SETFL, O_NONBLOCK);
        if (connect(fillers[i][k], (struct sockaddr *)&address[i], sizeof address[i]))
            CHECK_EQUAL(EINPROGRESS, errno);
    }
}

static void open_address(int i, enum address_kind kind)
{
    struct sockaddr_in *at = &address[i];
    socklen_t len = sizeof *at;

    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQUAL(0, bind(listeners[i], (struct sockaddr *)at, sizeof *at));
    CHECK_EQUAL(0, getsockname(listeners[i], (struct sockaddr *)at, &len));
    if (kind != REFUSES)
        CHECK_EQUAL(0, listen(listeners[i], kind == HANGS ? 0 : 5));
    if (kind == HANGS)
        fill(i);
}

static void open_addresses(const enum address_kind *kinds)
{
    memset(fillers, -1, sizeof fillers);
    for (address_count = 0; address_count < ADDRESSES && kinds[address_count]; address_count++)
        open_address(address_count, kinds[address_count]);
}

static void close_addresses(void)
{
    for (int i = 0; i < address_count; i++) {
        close(listeners[i]);
        for (int k = 0; k < FILLERS; k++) {
            if (fillers[i][k] >= 0)
                close(fillers[i][k]);
        }
    }
}

/* ---- what comes of it ---- */

static const struct {
    const char *name;
    enum address_kind kinds[ADDRESSES];
    int32_t code;
    int64_t least; /* milliseconds that it takes */
} rows[] = {
    {"one that listens", {LISTENS}, FSSL_OK, 0},
    {"none that listens", {REFUSES, REFUSES}, FSSL_E_SYSCALL, 0},
    {"the second listens", {REFUSES, LISTENS}, FSSL_OK, 0},
    {"the third listens", {HANGS, REFUSES, LISTENS}, FSSL_OK, DEADLINE / 4},
    {"none that answers", {HANGS, HANGS, HANGS}, FSSL_E_TIMEOUT, DEADLINE - 50},
    {"the last refuses", {HANGS, REFUSES}, FSSL_E_SYSCALL, DEADLINE / 3},
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static fssl_handle new_client(fssl_handle ctx, int64_t timeout)
{
    fssl_handle conn = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));

    CHECK_OK(fssl_conn_set_timeout(conn, timeout, &err));
    return conn;
}

static int64_t connect_now(fssl_handle conn)
{
    return fssl_conn_connect(conn, "localhost", FSSL_NUL_TERMINATED, 443, &err);
}

/* A connection that could not be made may be made later. */
static void connects_later(fssl_handle conn)
{
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_fileno(conn, &err));
    CHECK_TEXT("", text_of(fssl_conn_host, conn));
    close_addresses();
    open_addresses((const enum address_kind[ADDRESSES]){LISTENS});
    CHECK_OK(connect_now(conn));
}

static void all_addresses(void)
{
    fssl_handle ctx = pair_client_ctx(&(struct pair_plan){0});

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle conn = new_client(ctx, DEADLINE);
        int64_t began = now_ms(), took;

        check_row(rows[i].name);
        open_addresses(rows[i].kinds);
        CHECK_EQUAL(rows[i].code, fssl_error_code(connect_now(conn), NULL));
        took = now_ms() - began;
        CHECK(took >= rows[i].least && took < 5 * DEADLINE);
        if (rows[i].code)
            connects_later(conn);
        CHECK_TEXT("localhost", text_of(fssl_conn_host, conn));
        check_close(conn);
        close_addresses();
    }
    check_row(NULL);
    check_close(ctx);
}

/* ---- those who end it ---- */

static void wait_for_answer(void *argument)
{
    const fssl_handle *conn = argument;

    CHECK_FAILS(FSSL_E_CANCELLED, connect_now(*conn));
}

static void end_soon(void *argument)
{
    const struct timespec pause = {0, 100000000};
    const fssl_handle *conn = argument;

    nanosleep(&pause, NULL);
    if (conn[1])
        check_close(*conn);
    else
        CHECK_OK(fssl_conn_cancel(*conn, &err));
}

/* Neither another address is tried then, nor does the fd stay. */
static void ended_by_another(void)
{
    fssl_handle ctx = pair_client_ctx(&(struct pair_plan){0});

    for (int closes = 0; closes < 2; closes++) {
        fssl_handle conn[2] = {new_client(ctx, FSSL_TIMEOUT_NONE), closes};
        const struct check_thread threads[] = {{wait_for_answer, conn}, {end_soon, conn}};

        open_addresses((const enum address_kind[ADDRESSES]){HANGS, LISTENS});
        check_threads(threads, COUNT_OF(threads));
        if (!closes) {
            connects_later(conn[0]);
            check_close(conn[0]);
        }
        close_addresses();
    }
    check_close(ctx);
}

static void shake_hands_too_early(void *argument)
{
    const struct timespec pause = {0, 100000000};
    const fssl_handle *conn = argument;

    nanosleep(&pause, NULL);
    CHECK(fssl_conn_do_handshake(*conn, &err) < 0);
}

static void connect_in_vain(void *argument)
{
    const fssl_handle *conn = argument;

    CHECK_FAILS(FSSL_E_TIMEOUT, connect_now(*conn));
}

/* What another thread does with a socket that is being connected does not make it connected. */
static void used_too_early(void)
{
    fssl_handle ctx = pair_client_ctx(&(struct pair_plan){0});
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    fssl_handle conn = CHECK_MADE(fssl_conn_new(ctx, fd, &err));
    const struct check_thread threads[] = {{connect_in_vain, &conn},
                                           {shake_hands_too_early, &conn}};

    CHECK_OK(fssl_conn_set_timeout(conn, DEADLINE / 2, &err));
    CHECK_OK(fssl_conn_set_host(conn, "localhost", FSSL_NUL_TERMINATED, &err));
    open_addresses((const enum address_kind[ADDRESSES]){HANGS});
    check_threads(threads, COUNT_OF(threads));
    close_addresses();
    check_close(conn);
    check_close(ctx);
    close(fd);
}

static const struct check_case cases[] = {
    {"all addresses", all_addresses},
    {"ended by another", ended_by_another},
    {"used too early", used_too_early},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
