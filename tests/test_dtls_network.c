/* DTLS on sockets: what the network does to it. */
#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builder.h"
#include "udp.h"

enum { DATAGRAM = 20000 };

static void refused_is_told_once(void)
{
    struct ends ends;
    int64_t result;
    uint8_t byte;
    int fds[2];

    udp_pair(fds);
    ends = ends_on(fds[0], fds[1]);
    close(fds[1]);
    result = CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_do_handshake(ends.client, &err));
    CHECK_EQUAL(ECONNREFUSED, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_OK(fssl_conn_set_timeout(ends.client, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(ends.client, &err));
    check_close(ends.server);
    udp_pair(ends.fds);
    close(fds[0]);
    check_close(ends.client);
    ends = ends_on(ends.fds[0], ends.fds[1]);
    shake_both(&ends);
    CHECK_OK(fssl_conn_set_timeout(ends.client, 0, &err));
    check_close(ends.server);
    close(ends.fds[1]);
    CHECK_IS(1, fssl_conn_send(ends.client, (const uint8_t *)"x", 1, &err));
    CHECK_IS(1, fssl_conn_send(ends.client, (const uint8_t *)"x", 1, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_recv(ends.client, &byte, 1, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(ends.client, &byte, 1, 0, &err));
    check_close(ends.client);
    close(ends.fds[0]);
}

/* Empty datagrams and forged ones are no end. */
static void odd_datagrams(void)
{
    struct ends ends;
    uint8_t byte;
    int fds[2];

    udp_pair(fds);
    ends = ends_on(fds[0], fds[1]);
    shake_both(&ends);
    CHECK_OK(fssl_conn_set_timeout(ends.client, 0, &err));
    for (int i = 0; i < 50; i++) {
        CHECK_EQUAL(0, send(fds[1], "", 0, 0));
        CHECK_EQUAL(20, send(fds[1], "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\7forged.", 20, 0));
    }
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(ends.client, &byte, 1, 0, &err));
    CHECK_IS(1, fssl_conn_send(ends.server, (const uint8_t *)"x", 1, &err));
    CHECK_IS(1, fssl_conn_recv(ends.client, &byte, 1, 0, &err));
    ends_close(&ends);
}

/* A socket that is shut down has an end, also behind the library's back. */
static void shut_down(void)
{
    for (int known = 0; known < 2; known++) {
        struct ends ends;
        uint8_t byte;
        int fds[2];

        udp_pair(fds);
        ends = ends_on(fds[0], fds[1]);
        shake_both(&ends);
        CHECK_IS(1, fssl_conn_send(ends.client, (const uint8_t *)"x", 1, &err));
        CHECK_OK(fssl_conn_set_timeout(ends.server, 5000, &err));
        if (known)
            CHECK_OK(fssl_conn_sock_shutdown(ends.server, FSSL_SHUT_RD, &err));
        else
            CHECK_EQUAL(0, shutdown(fds[1], SHUT_RD));
        CHECK_IS(1, fssl_conn_recv(ends.server, &byte, 1, 0, &err));
        CHECK_FAILS(FSSL_E_EOF, fssl_conn_recv(ends.server, &byte, 1, 0, &err));
        ends_close(&ends);
    }
}

static atomic_bool flooding;

static void flood(void *fd)
{
    while (atomic_load(&flooding))
        send(*(int *)fd, "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\x20 0123456789abcdef0123456789abcde", 45,
             MSG_DONTWAIT);
}

static void recv_in_flood(void *conn)
{
    int64_t start = now_ms();
    uint8_t byte;

    CHECK_FAILS(FSSL_E_TIMEOUT, fssl_conn_recv(*(fssl_handle *)conn, &byte, 1, 0, &err));
    CHECK(now_ms() - start < 5000);
    atomic_store(&flooding, false);
}

static void deadline_in_flood(void)
{
    struct ends ends;
    int fds[2];
    const struct check_thread threads[] = {
        {flood, &fds[1]}, {flood, &fds[1]}, {recv_in_flood, &ends.client}};

    udp_pair(fds);
    ends = ends_on(fds[0], fds[1]);
    shake_both(&ends);
    CHECK_OK(fssl_conn_set_timeout(ends.client, 200, &err));
    atomic_store(&flooding, true);
    check_threads(threads, 3);
    ends_close(&ends);
}

/* Local datagrams fill up, and have a longest. */
static void full_and_too_long(void)
{
    static const uint8_t data[16384];
    struct ends ends;
    uint8_t buf[DATAGRAM];
    int64_t sent = 0, got;
    int fds[2], size = 8192;

    CHECK_EQUAL(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    ends = ends_on(fds[0], fds[1]);
    shake_both(&ends);
    CHECK_OK(fssl_conn_setblocking(ends.client, 0, &err));
    CHECK_OK(fssl_conn_setblocking(ends.server, 0, &err));
    while (sent < 10000 && (got = fssl_conn_send(ends.client, data, 10, &err)) == 10)
        sent += got;
    CHECK_FAILS(FSSL_E_WANT_WRITE, got);
    CHECK_IS(FSSL_WANT_WRITE, fssl_conn_want(ends.client, &err));
    while ((got = fssl_conn_recv(ends.server, buf, sizeof buf, 0, &err)) > 0) {
        sent -= got;
        fssl_conn_flush(ends.client, &err);
    }
    CHECK_EQUAL(0, sent);
    CHECK_EQUAL(0, setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
    got = CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send(ends.client, data, sizeof data, &err));
    CHECK_EQUAL(-1, error_int(got, FSSL_ERROR_ALERT));
    CHECK_IS(10, fssl_conn_send(ends.client, data, 10, &err));
    CHECK_IS(10, fssl_conn_recv(ends.server, buf, sizeof buf, 0, &err));
    ends_close(&ends);
}

static const struct check_case cases[] = {
    {"refused is told once", refused_is_told_once},
    {"odd datagrams", odd_datagrams},
    {"shut down", shut_down},
    {"deadline in flood", deadline_in_flood},
    {"full and too long", full_and_too_long},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
