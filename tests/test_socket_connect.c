/* Connecting, where it fails: what the connection keeps of it, and how long it waits. */
#include "pair.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Binds a socket to a free port and does not listen there, or does, with a full backlog. */
static int closed_port(int32_t *port, bool listens)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQUAL(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    CHECK(!listens || listen(fd, 0) == 0);
    CHECK_EQUAL(0, getsockname(fd, (struct sockaddr *)&address, &len));
    *port = ntohs(address.sin_port);
    return fd;
}

/* Nothing of the host that could not be reached is checked or sent when another one is. */
static void a_failed_one_is_forgotten(void)
{
    fssl_handle ctx = pair_client_ctx(&(struct pair_plan){0});
    fssl_handle server_ctx = pair_server_ctx(&(struct pair_plan){0}), listener, client, server;
    int32_t refusing, port;
    int fd = closed_port(&refusing, false);

    listener = CHECK_MADE(fssl_conn_new(server_ctx, FSSL_NO_FD, &err));
    CHECK_OK(fssl_conn_bind(listener, "127.0.0.1", 9, 0, &err));
    CHECK_OK(fssl_conn_listen(listener, 1, &err));
    CHECK_GIVES(fssl_conn_getsockname(listener, NULL, 0, &port, &err));
    client = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_connect(client, "localhost", 9, refusing, &err));
    CHECK_TEXT("", text_of(fssl_conn_host, client));
    CHECK_OK(fssl_conn_connect(client, "127.0.0.1", 9, port, &err));
    CHECK_TEXT("127.0.0.1", text_of(fssl_conn_host, client));
    server = CHECK_MADE(fssl_conn_accept(listener, &err));
    CHECK_OK(fssl_conn_set_timeout(client, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(client, &err));
    CHECK_OK(fssl_conn_set_timeout(server, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(server, &err));
    CHECK_TEXT("", text_of(fssl_conn_server_name, server));
    check_close(server);
    check_close(client);
    check_close(listener);
    check_close(server_ctx);
    check_close(ctx);
    close(fd);
}

/* One that was set by hand stays. */
static void a_host_of_ones_own_stays(void)
{
    fssl_handle ctx = pair_client_ctx(&(struct pair_plan){0});
    fssl_handle client = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));
    int32_t refusing;
    int fd = closed_port(&refusing, false);

    CHECK_OK(fssl_conn_set_host(client, "elsewhere.test", 14, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_connect(client, "127.0.0.1", 9, refusing, &err));
    CHECK_TEXT("elsewhere.test", text_of(fssl_conn_host, client));
    check_close(client);
    check_close(ctx);
    close(fd);
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Makes connections until the listener takes no more, so that the next one has to wait. */
static void fill_backlog(int32_t port, int *fds, int count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, sizeof address);
    }
}

/* A timeout of 0 never waits, one of 100 ms waits so long, where nobody answers. */
static void no_time_to_connect(void)
{
    static const int64_t timeouts[] = {0, 100};
    fssl_handle ctx = pair_client_ctx(&(struct pair_plan){0});
    int32_t port;
    int fd = closed_port(&port, true), waiting[4];

    fill_backlog(port, waiting, COUNT_OF(waiting));
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        fssl_handle client = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));
        int64_t start = milliseconds(), waited;

        CHECK_OK(fssl_conn_set_timeout(client, timeouts[i], &err));
        CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_connect(client, "127.0.0.1", 9, port, &err));
        waited = milliseconds() - start;
        CHECK(waited >= timeouts[i] && waited < timeouts[i] + 900);
        CHECK_TEXT("", text_of(fssl_conn_host, client));
        check_close(client);
    }
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        close(waiting[i]);
    check_close(ctx);
    close(fd);
}

static const struct check_case cases[] = {
    {"a failed one is forgotten", a_failed_one_is_forgotten},
    {"a host of one's own stays", a_host_of_ones_own_stays},
    {"no time to connect", no_time_to_connect},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
