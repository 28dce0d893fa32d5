#include "udp.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "builder.h"

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

fssl_handle udp_client_ctx(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_dtls_client(&err));

    pair_trust(ctx, ID_CA);
    return ctx;
}

fssl_handle udp_server_ctx(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_dtls_server(&err));

    pair_use_identity(ctx, ID_EC);
    return ctx;
}

int udp_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof *address;

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQUAL(0, bind(fd, (struct sockaddr *)address, sizeof *address));
    CHECK_EQUAL(0, getsockname(fd, (struct sockaddr *)address, &len));
    return fd;
}

void udp_join(int fd, const struct sockaddr_in *peer)
{
    CHECK_EQUAL(0, connect(fd, (const struct sockaddr *)peer, sizeof *peer));
}

void udp_pair(int fds[2])
{
    struct sockaddr_in addresses[2];

    for (int i = 0; i < 2; i++)
        fds[i] = udp_socket(&addresses[i]);
    udp_join(fds[0], &addresses[1]);
    udp_join(fds[1], &addresses[0]);
}

struct ends ends_on(int client_fd, int server_fd)
{
    fssl_handle client = udp_client_ctx(), server = udp_server_ctx();
    struct ends ends = {.fds = {client_fd, server_fd}};

    ends.client = CHECK_MADE(fssl_conn_new(client, client_fd, &err));
    ends.server = CHECK_MADE(fssl_conn_new(server, server_fd, &err));
    CHECK_OK(fssl_conn_set_host(ends.client, TEXT("localhost"), &err));
    check_close(client);
    check_close(server);
    return ends;
}

void ends_close(struct ends *ends)
{
    check_close(ends->client);
    check_close(ends->server);
    close(ends->fds[0]);
    close(ends->fds[1]);
}

static void shake(void *conn)
{
    CHECK_OK(fssl_conn_do_handshake(*(fssl_handle *)conn, &err));
}

void shake_both(struct ends *ends)
{
    const struct check_thread threads[] = {{shake, &ends->client}, {shake, &ends->server}};

    check_threads(threads, 2);
}
