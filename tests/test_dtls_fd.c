/* DTLS on sockets: handshakes that lose a datagram, waiting, listening. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "builder.h"
#include "udp.h"

enum { DATAGRAM = 20000, FLIGHTS = 2 };

static void pause_ms(long milliseconds)
{
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* ---- a datagram is lost ---- */

/* Carries between two sockets, and loses one datagram of one way. */
struct relay {
    int fds[2];
    struct sockaddr_in ends[2];
    int lost_way;
    int lost;
    atomic_bool over;
    int64_t took;
};

static void relay_run(struct relay *relay)
{
    uint8_t data[DATAGRAM];
    int count[2] = {0, 0};

    while (!atomic_load(&relay->over)) {
        struct pollfd set[2] = {{relay->fds[0], POLLIN, 0}, {relay->fds[1], POLLIN, 0}};

        poll(set, 2, 20);
        for (int way = 0; way < 2; way++) {
            ssize_t got = recv(relay->fds[way], data, sizeof data, MSG_DONTWAIT);

            if (got > 0 && !(way == relay->lost_way && count[way]++ == relay->lost))
                send(relay->fds[!way], data, (size_t)got, MSG_DONTWAIT);
        }
    }
}

static void *relay_thread(void *relay)
{
    relay_run(relay);
    return NULL;
}

static void relay_make(struct relay *relay, int fds[2])
{
    struct sockaddr_in inner[2];

    for (int i = 0; i < 2; i++) {
        fds[i] = udp_socket(&relay->ends[i]);
        relay->fds[i] = udp_socket(&inner[i]);
        udp_join(fds[i], &inner[i]);
        udp_join(relay->fds[i], &relay->ends[i]);
    }
}

static void ask(void *conn)
{
    uint8_t buf[64];

    CHECK_OK(fssl_conn_do_handshake(*(fssl_handle *)conn, &err));
    CHECK_IS(4, fssl_conn_send(*(fssl_handle *)conn, BYTES("ping"), &err));
    CHECK_IS(4, fssl_conn_recv(*(fssl_handle *)conn, buf, sizeof buf, 0, &err));
}

static void answer(void *conn)
{
    uint8_t buf[64];

    CHECK_IS(4, fssl_conn_recv(*(fssl_handle *)conn, buf, sizeof buf, 0, &err));
    CHECK_IS(4, fssl_conn_send(*(fssl_handle *)conn, buf, 4, &err));
}

/* Brings a handshake about and sends a message each way, by calls that only wait. */
static void one_lost(void *argument)
{
    struct relay *relay = argument;
    struct ends ends;
    const struct check_thread both[] = {{ask, &ends.client}, {answer, &ends.server}};
    pthread_t thread;
    int fds[2];
    int64_t start = now_ms();

    relay_make(relay, fds);
    ends = ends_on(fds[0], fds[1]);
    CHECK_EQUAL(0, pthread_create(&thread, NULL, relay_thread, relay));
    CHECK_OK(fssl_conn_set_timeout(ends.client, 20000, &err));
    CHECK_OK(fssl_conn_set_timeout(ends.server, 20000, &err));
    check_threads(both, 2);
    relay->took = now_ms() - start;
    atomic_store(&relay->over, true);
    pthread_join(thread, NULL);
    ends_close(&ends);
    close(relay->fds[0]);
    close(relay->fds[1]);
}

/* Each datagram of the handshake is lost in turn, all at the same time. */
static void flights_lost(void)
{
    struct relay relays[2 * FLIGHTS] = {{.lost = 0}};
    struct check_thread threads[2 * FLIGHTS];

    for (int i = 0; i < 2 * FLIGHTS; i++) {
        relays[i].lost_way = i / FLIGHTS;
        relays[i].lost = i % FLIGHTS;
        threads[i] = (struct check_thread){one_lost, &relays[i]};
    }
    check_threads(threads, COUNT_OF(threads));
    for (int i = 0; i < 2 * FLIGHTS; i++)
        CHECK(relays[i].took >= 900 && relays[i].took < 15000);
}

/* ---- waiting ---- */

static void gives_up(void)
{
    struct sockaddr_in address;
    int silent = udp_socket(&address), fds[2];
    uint8_t data[DATAGRAM];
    struct ends ends;
    int64_t start;
    int hellos = 0;

    udp_pair(fds);
    udp_join(fds[0], &address);
    ends = ends_on(fds[0], fds[1]);
    CHECK_OK(fssl_conn_set_timeout(ends.client, 1300, &err));
    start = now_ms();
    CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_do_handshake(ends.client, &err));
    CHECK(now_ms() - start >= 1300 && now_ms() - start < 5000);
    while (recv(silent, data, sizeof data, MSG_DONTWAIT) > 0)
        hellos++;
    CHECK_EQUAL(2, hellos);
    CHECK_OK(fssl_conn_set_timeout(ends.client, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(ends.client, &err));
    ends_close(&ends);
    close(silent);
}

static void recv_cancelled(void *conn)
{
    uint8_t byte;

    CHECK_FAILS(FSSL_E_CANCELLED, fssl_conn_recv(*(fssl_handle *)conn, &byte, 1, 0, &err));
}

static void cancel_soon(void *conn)
{
    pause_ms(100);
    CHECK_OK(fssl_conn_cancel(*(fssl_handle *)conn, &err));
}

static void ends_of_waiting(void)
{
    struct ends ends;
    uint8_t byte;
    int fds[2];
    const struct check_thread threads[] = {{recv_cancelled, &ends.client},
                                           {cancel_soon, &ends.client}};

    udp_pair(fds);
    ends = ends_on(fds[0], fds[1]);
    shake_both(&ends);
    check_threads(threads, 2);
    CHECK_OK(fssl_conn_set_timeout(ends.client, 50, &err));
    CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_recv(ends.client, &byte, 1, 0, &err));
    CHECK_IS(0, fssl_conn_shutdown(ends.server, &err));
    CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(ends.client, &byte, 1, 0, &err));
    ends_close(&ends);
}

/* Two threads of each end send and receive at once. */
static void send_many(void *conn)
{
    uint8_t data[100] = {0};

    for (int i = 0; i < 2000; i++) {
        data[0] = (uint8_t)i;
        CHECK_IS(sizeof data, fssl_conn_send(*(fssl_handle *)conn, data, sizeof data, &err));
    }
}

static void recv_many(void *conn)
{
    uint8_t data[DATAGRAM];
    int count = 0;
    int64_t got;

    while ((got = fssl_conn_recv(*(fssl_handle *)conn, data, sizeof data, 0, &err)) > 0) {
        CHECK_EQUAL(100, got);
        count++;
    }
    CHECK_FAILS(FSSL_E_TIMEOUT, got);
    CHECK(count > 100); /* the kernel may drop some */
}

static void full_duplex(void)
{
    struct ends ends;
    int fds[2];
    const struct check_thread threads[] = {{send_many, &ends.client},
                                           {recv_many, &ends.client},
                                           {send_many, &ends.server},
                                           {recv_many, &ends.server}};

    udp_pair(fds);
    ends = ends_on(fds[0], fds[1]);
    shake_both(&ends);
    CHECK_OK(fssl_conn_set_timeout(ends.client, 500, &err));
    CHECK_OK(fssl_conn_set_timeout(ends.server, 500, &err));
    check_threads(threads, 4);
    ends_close(&ends);
}

/* ---- listening ---- */

struct server {
    fssl_handle ctx;
    fssl_handle conn;
    int32_t port;
};

static void bind_server(struct server *server)
{
    server->conn = CHECK_MADE(fssl_conn_new(server->ctx, FSSL_NO_FD, &err));
    CHECK_OK(fssl_conn_bind(server->conn, TEXT("127.0.0.1"), server->port, &err));
}

/* Serves two clients, each on a socket of its own at the same port. */
static void serve_two(void *argument)
{
    struct server *server = argument;
    uint8_t buf[64];

    for (int i = 0; i < 2; i++) {
        fssl_handle conn = server->conn;

        CHECK_OK(fssl_conn_set_timeout(conn, 20000, &err));
        CHECK_IS(1, fssl_conn_dtls_listen(conn, &err));
        bind_server(server);
        CHECK_OK(fssl_conn_do_handshake(conn, &err));
        CHECK_IS(5, fssl_conn_recv(conn, buf, sizeof buf, 0, &err));
        CHECK_IS(5, fssl_conn_send(conn, buf, 5, &err));
        CHECK_FAILS(FSSL_E_ZERO_RETURN, fssl_conn_recv(conn, buf, sizeof buf, 0, &err));
        check_close(conn);
    }
}

static void two_clients(void *argument)
{
    const struct server *server = argument;
    fssl_handle ctx = udp_client_ctx();
    uint8_t buf[64];

    for (int i = 0; i < 2; i++) {
        fssl_handle conn = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));

        CHECK_OK(fssl_conn_connect(conn, TEXT("127.0.0.1"), server->port, &err));
        CHECK_OK(fssl_conn_set_timeout(conn, 20000, &err));
        CHECK_IS(5, fssl_conn_send(conn, BYTES("hello"), &err));
        CHECK_IS(5, fssl_conn_recv(conn, buf, sizeof buf, 0, &err));
        CHECK_IS(0, fssl_conn_shutdown(conn, &err));
        check_close(conn);
    }
    check_close(ctx);
}

static void listens(void)
{
    struct server server = {udp_server_ctx(), 0, 0};
    char host[64];
    const struct check_thread threads[] = {{serve_two, &server}, {two_clients, &server}};

    CHECK_OK(fssl_ctx_set_dtls_cookie_secret(server.ctx, BYTES("0123456789abcdef"), &err));
    bind_server(&server);
    CHECK_GIVES(fssl_conn_getsockname(server.conn, host, sizeof host, &server.port, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_listen(server.conn, 1, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_accept(server.conn, &err));
    check_threads(threads, 2);
    CHECK_OK(fssl_conn_setblocking(server.conn, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_dtls_listen(server.conn, &err));
    check_close(server.conn);
    check_close(server.ctx);
}

static void not_datagrams(void)
{
    fssl_handle ctx = udp_client_ctx(), conn;
    int fds[2], pipes[2];

    CHECK_EQUAL(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    CHECK_EQUAL(0, pipe(pipes));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_new(ctx, fds[0], &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_new(ctx, pipes[0], &err));
    conn = CHECK_MADE(fssl_conn_new(ctx, FSSL_NO_FD, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(conn, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(conn, &err));
    check_close(conn);
    check_close(ctx);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(pipes[i]);
    }
}

static const struct check_case cases[] = {
    {"flights lost", flights_lost}, {"gives up", gives_up}, {"ends of waiting", ends_of_waiting},
    {"full duplex", full_duplex},   {"listens", listens},   {"not datagrams", not_datagrams},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
