/* The calls of sockets, over TCP on this machine. */
#include "pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct pair_plan plan = {0};
static const uint8_t text[] = "over TCP";

static fssl_handle client_ctx, server_ctx, listener;
static int32_t port;

/* Listens on a free port of 127.0.0.1. */
static void listen_here(void)
{
    char address[64];

    client_ctx = pair_client_ctx(&plan);
    server_ctx = pair_server_ctx(&plan);
    listener = CHECK_MADE(fssl_conn_new(server_ctx, FSSL_NO_FD, &err));
    CHECK_OK(fssl_conn_bind(listener, "127.0.0.1", 9, 0, &err));
    CHECK_OK(fssl_conn_listen(listener, 5, &err));
    CHECK_IS(9, fssl_conn_getsockname(listener, address, sizeof address, &port, &err));
    CHECK_BYTES("127.0.0.1", address, 9);
    CHECK(port > 0 && port < 65536);
}

static void stop(void)
{
    check_close(listener);
    check_close(client_ctx);
    check_close(server_ctx);
}

static fssl_handle new_client(void)
{
    return CHECK_MADE(fssl_conn_new(client_ctx, FSSL_NO_FD, &err));
}

/* ---- connect and accept ---- */

static void serve_one(void *unused)
{
    fssl_handle conn = CHECK_MADE(fssl_conn_accept(listener, &err));
    uint8_t got[64];

    (void)unused;
    CHECK_IS(sizeof text, fssl_conn_recv(conn, got, sizeof got, 0, &err));
    CHECK_IS(sizeof text, fssl_conn_send(conn, got, sizeof text, &err));
    CHECK_GIVES(fssl_conn_shutdown(conn, &err));
    CHECK_IS(1, fssl_conn_shutdown(conn, &err));
    check_close(conn);
}

static void connect_to(void *argument)
{
    const char *host = argument;
    fssl_handle conn = new_client();
    uint8_t got[64];

    CHECK_OK(fssl_conn_set_timeout(conn, 20000, &err));
    CHECK_OK(fssl_conn_connect(conn, host, FSSL_NUL_TERMINATED, port, &err));
    CHECK_TEXT(host, text_of(fssl_conn_host, conn));
    CHECK_IS(sizeof text, fssl_conn_send(conn, text, sizeof text, &err));
    CHECK_IS(sizeof text, fssl_conn_recv(conn, got, sizeof got, 0, &err));
    CHECK_BYTES(text, got, sizeof text);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(conn, got, sizeof got, 0, &err));
    CHECK_IS(1, fssl_conn_shutdown(conn, &err));
    check_close(conn);
}

static void connect_and_accept(void)
{
    static char *const hosts[] = {(char *)"localhost", (char *)"127.0.0.1"};

    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const struct check_thread threads[] = {{serve_one, NULL}, {connect_to, hosts[i]}};

        listen_here();
        check_threads(threads, COUNT_OF(threads));
        stop();
    }
}

static void addresses(void)
{
    fssl_handle client, server;
    char address[64];
    int32_t here = 0, there = 0;

    listen_here();
    client = new_client();
    CHECK_OK(fssl_conn_connect(client, "127.0.0.1", 9, port, &err));
    server = CHECK_MADE(fssl_conn_accept(listener, &err));
    CHECK_IS(9, fssl_conn_getpeername(client, address, sizeof address, &there, &err));
    CHECK_BYTES("127.0.0.1", address, 9);
    CHECK_EQUAL(port, there);
    CHECK_IS(9, fssl_conn_getpeername(server, NULL, 0, &there, &err));
    CHECK_IS(9, fssl_conn_getsockname(client, address, sizeof address, &here, &err));
    CHECK_EQUAL(here, there);
    CHECK_IS(9, fssl_conn_getsockname(client, address, sizeof address, NULL, &err));
    there = -5;
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_getpeername(client, address, 8, &there, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_getsockname(client, address, 1, &there, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_getpeername(client, NULL, 8, &there, &err));
    CHECK_EQUAL(-5, there); /* nothing is written by a call that fails */
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_getpeername(listener, address, 64, NULL, &err));
    check_close(client);
    check_close(server);
    stop();
}

static void its_sockets(void)
{
    fssl_handle client, server;
    int64_t client_fd, server_fd;
    int nodelay = 0;
    socklen_t len = sizeof nodelay;

    listen_here();
    CHECK_OK(fssl_conn_set_timeout(listener, 1234, &err));
    client = new_client();
    CHECK_OK(fssl_conn_connect(client, "127.0.0.1", 9, port, &err));
    server = CHECK_MADE(fssl_conn_accept(listener, &err));
    client_fd = CHECK_GIVES(fssl_conn_fileno(client, &err));
    server_fd = CHECK_GIVES(fssl_conn_fileno(server, &err));
    CHECK_EQUAL(FD_CLOEXEC, fcntl((int)client_fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(FD_CLOEXEC, fcntl((int)server_fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(0, fcntl((int)client_fd, F_GETFL) & O_NONBLOCK);
    getsockopt((int)client_fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
    CHECK(nodelay != 0);
    check_close(client); /* it owns its socket, and so does what was accepted */
    check_close(server);
    CHECK_EQUAL(-1, fcntl((int)client_fd, F_GETFD));
    CHECK_EQUAL(-1, fcntl((int)server_fd, F_GETFD));
    stop();
}

static void an_ipv6_address(void)
{
    fssl_handle client, server, six;
    char address[64];

    client_ctx = pair_client_ctx(&plan);
    server_ctx = pair_server_ctx(&plan);
    six = CHECK_GIVES(fssl_conn_new(server_ctx, FSSL_NO_FD, &err));
    if (fssl_conn_bind(six, "::1", 3, 0, NULL) != 0) {
        check_skip("no IPv6 here");
    } else {
        CHECK_OK(fssl_conn_listen(six, 5, &err));
        CHECK_IS(3, fssl_conn_getsockname(six, address, sizeof address, &port, &err));
        client = new_client();
        CHECK_OK(fssl_conn_connect(client, "::1", 3, port, &err));
        server = CHECK_MADE(fssl_conn_accept(six, &err));
        check_close(client);
        check_close(server);
    }
    check_close(six);
    check_close(client_ctx);
    check_close(server_ctx);
}

/* ---- what fails ---- */

static void bad_hosts_and_ports(void)
{
    fssl_handle conn;
    int64_t result;

    listen_here();
    conn = new_client();
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_connect(conn, "", 0, port, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_connect(conn, "a\0b", 3, port, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_connect(conn, NULL, 3, port, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_connect(conn, "localhost", -9, port, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_connect(conn, "localhost", 9, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_connect(conn, "localhost", 9, 65536, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_connect(conn, "localhost", 9, -1, &err));
    CHECK_FAILS(FSSL_E_RESOLVE, fssl_conn_connect(conn, "no-such-host.invalid", 20, port, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_bind(listener, "127.0.0.1", 9, 65536, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_bind(listener, "127.0.0.1", 9, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_bind(listener, NULL, 9, 0, &err));
    check_close(conn);
    conn = new_client();
    result = CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_bind(conn, "127.0.0.1", 9, port, &err));
    CHECK_EQUAL(EADDRINUSE, error_int(result, FSSL_ERROR_ERRNO));
    check_close(conn);
    stop();
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_connect(conn, "localhost", 9, port, &err));
}

static void nobody_listens(void)
{
    fssl_handle conn;
    int64_t result;

    listen_here();
    check_close(listener);
    conn = new_client();
    result = CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_connect(conn, "127.0.0.1", 9, port, &err));
    CHECK_EQUAL(ECONNREFUSED, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_fileno(conn, &err)); /* it made none */
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(conn, &err));
    check_close(conn);
    check_close(client_ctx);
    check_close(server_ctx);
}

static void in_the_wrong_state(void)
{
    struct pair pair = pair_established(&plan);

    listen_here();
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_connect(pair.client, "localhost", 9, port, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_connect(listener, "localhost", 9, port, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_bind(pair.client, "127.0.0.1", 9, 0, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_listen(pair.client, 5, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_accept(pair.server, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_getpeername(pair.client, NULL, 0, NULL, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_getsockname(pair.client, NULL, 0, NULL, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_sock_shutdown(pair.client, FSSL_SHUT_WR, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_listen(listener, -1, &err));
    pair_close(&pair);
    stop();
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_accept(listener, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_listen(listener, 5, &err));
}

static void a_client_context_accepts_nobody(void)
{
    fssl_handle conn;

    client_ctx = pair_client_ctx(&plan);
    conn = new_client();
    CHECK_OK(fssl_conn_bind(conn, "127.0.0.1", 9, 0, &err));
    CHECK_OK(fssl_conn_listen(conn, 5, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_accept(conn, &err));
    check_close(conn);
    check_close(client_ctx);
}

/* ---- accept that waits ---- */

static void accept_without_waiting(void)
{
    fssl_handle client, server;
    uint8_t byte;

    listen_here();
    CHECK_OK(fssl_conn_setblocking(listener, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_accept(listener, &err));
    CHECK_OK(fssl_conn_set_timeout(listener, 20, &err));
    CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_accept(listener, &err));
    CHECK_OK(fssl_conn_set_timeout(listener, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_accept(listener, &err));
    client = new_client();
    CHECK_OK(fssl_conn_connect(client, "127.0.0.1", 9, port, &err));
    server = CHECK_MADE(fssl_conn_accept(listener, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(server, &byte, 1, 0, &err)); /* as the listener */
    check_close(client);
    check_close(server);
    stop();
}

static void *accept_until_closed(void *result)
{
    *(int64_t *)result = fssl_conn_accept(listener, NULL);
    return NULL;
}

static void close_wakes_accept(void)
{
    pthread_t thread;
    int64_t result = 0;

    listen_here();
    CHECK_EQUAL(0, pthread_create(&thread, NULL, accept_until_closed, &result));
    usleep(20000);
    stop();
    pthread_join(thread, NULL);
    CHECK(result == -FSSL_E_CANCELLED || result == -FSSL_E_HANDLE);
}

static void serve_in_child(void *unused)
{
    const struct check_thread threads[] = {{serve_one, NULL},
                                           {connect_to, (void *)(uintptr_t) "localhost"}};

    (void)unused;
    check_threads(threads, COUNT_OF(threads));
    stop();
}

/* A server that forks before it accepts: listener and contexts go on in each process. */
static void accept_in_a_child_of_fork(void)
{
    listen_here();
    for (int i = 0; i < 3; i++)
        check_child(serve_in_child, NULL);
    serve_in_child(NULL);
}

/* ---- an fd that the caller made ---- */

static void connect_an_fd(void)
{
    for (int blocks = 0; blocks < 2; blocks++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        fssl_handle conn, server;
        int64_t result;

        listen_here();
        fcntl(fd, F_SETFL, blocks ? 0 : O_NONBLOCK);
        conn = CHECK_MADE(fssl_conn_new(client_ctx, fd, &err));
        result = fssl_conn_connect(conn, "127.0.0.1", 9, port, &err);
        while (!blocks && result == -FSSL_E_WANT_WRITE)
            result = fssl_conn_connect(conn, "127.0.0.1", 9, port, &err);
        CHECK_OK(result);
        CHECK_EQUAL(blocks ? 0 : O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
        server = CHECK_MADE(fssl_conn_accept(listener, &err));
        check_close(server);
        check_close(conn);
        CHECK_EQUAL(0, close(fd)); /* still the caller's */
        stop();
    }
}

/* Of a name's addresses only those of the socket's family are for it. */
static void family_of_an_fd(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET6, SOCK_STREAM, 0);
    fssl_handle conn, server;

    listen_here();
    conn = CHECK_MADE(fssl_conn_new(client_ctx, fd, &err));
    CHECK_OK(fssl_conn_connect(conn, "localhost", 9, port, &err));
    server = CHECK_MADE(fssl_conn_accept(listener, &err));
    check_close(server);
    check_close(conn);
    if (other >= 0) {
        conn = CHECK_MADE(fssl_conn_new(client_ctx, other, &err));
        CHECK_FAILS(FSSL_E_RESOLVE, fssl_conn_connect(conn, "127.0.0.1", 9, port, &err));
        CHECK_FAILS(FSSL_E_RESOLVE, fssl_conn_bind(conn, "127.0.0.1", 9, 0, &err));
        check_close(conn);
        close(other);
    }
    close(fd);
    stop();
}

/* ---- options and shutdown ---- */

static void options(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.sockets = true});
    int value = 0, big[100];
    uint8_t *bytes = (uint8_t *)&value;

    CHECK_IS(sizeof value,
             fssl_conn_getsockopt(pair.client, SOL_SOCKET, SO_TYPE, bytes, sizeof value, &err));
    CHECK_EQUAL(SOCK_STREAM, value);
    value = 1;
    CHECK_OK(
        fssl_conn_setsockopt(pair.client, SOL_SOCKET, SO_KEEPALIVE, bytes, sizeof value, &err));
    CHECK_IS(sizeof value, fssl_conn_getsockopt(pair.client, SOL_SOCKET, SO_KEEPALIVE,
                                                (uint8_t *)big, sizeof big, &err));
    CHECK_EQUAL(1, big[0]);
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_getsockopt(pair.client, SOL_SOCKET, SO_TYPE, NULL, 4, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_getsockopt(pair.client, SOL_SOCKET, SO_TYPE, bytes, -4, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_setsockopt(pair.client, SOL_SOCKET, SO_KEEPALIVE, NULL, 4, &err));
    CHECK_FAILS(FSSL_E_SYSCALL,
                fssl_conn_setsockopt(pair.client, SOL_SOCKET, SO_KEEPALIVE, bytes, 1, &err));
    CHECK_FAILS(FSSL_E_SYSCALL,
                fssl_conn_getsockopt(pair.client, SOL_SOCKET, 12345, bytes, 4, &err));
    pair_close(&pair);
}

static void shutdown_of_the_socket(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.sockets = true});
    uint8_t byte;

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_sock_shutdown(pair.client, 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_sock_shutdown(pair.client, -1, &err));
    CHECK_OK(fssl_conn_sock_shutdown(pair.client, FSSL_SHUT_WR, &err));
    CHECK_FAILS(FSSL_E_EOF, fssl_conn_recv(pair.server, &byte, 1, 0, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_sock_shutdown(pair.client, FSSL_SHUT_WR, &err));
}

static void local_sockets_have_paths(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = scratch_file("", 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    fssl_handle conn;
    char got[128];

    unlink(path);
    strcpy(address.sun_path, path);
    CHECK_EQUAL(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    server_ctx = pair_server_ctx(&plan);
    conn = CHECK_MADE(fssl_conn_new(server_ctx, fd, &err));
    CHECK_IS((int64_t)strlen(path), fssl_conn_getsockname(conn, got, sizeof got, NULL, &err));
    CHECK_BYTES(path, got, strlen(path));
    check_close(conn);
    check_close(server_ctx);
    close(fd);
}

static const struct check_case cases[] = {
    {"connect and accept", connect_and_accept},
    {"addresses", addresses},
    {"its sockets", its_sockets},
    {"an IPv6 address", an_ipv6_address},
    {"bad hosts and ports", bad_hosts_and_ports},
    {"nobody listens", nobody_listens},
    {"in the wrong state", in_the_wrong_state},
    {"a client context accepts nobody", a_client_context_accepts_nobody},
    {"accept without waiting", accept_without_waiting},
    {"close wakes accept", close_wakes_accept},
    {"accept in a child of fork", accept_in_a_child_of_fork},
    {"connect an fd", connect_an_fd},
    {"family of an fd", family_of_an_fd},
    {"options", options},
    {"shutdown of the socket", shutdown_of_the_socket},
    {"local sockets have paths", local_sockets_have_paths},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
