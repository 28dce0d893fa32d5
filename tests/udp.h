/* A client and a server of DTLS on sockets. */
#ifndef FLATSSL_UDP_H
#define FLATSSL_UDP_H

#include <netinet/in.h>

#include "pair.h"

struct ends {
    fssl_handle client;
    fssl_handle server;
    int fds[2];
};

fssl_handle udp_client_ctx(void);
fssl_handle udp_server_ctx(void);

/* Makes a UDP socket on a free port of 127.0.0.1. */
int udp_socket(struct sockaddr_in *address);
void udp_join(int fd, const struct sockaddr_in *peer);

/* Two ends of UDP that are connected with each other. */
void udp_pair(int fds[2]);

/* Makes both connections on sockets, which are closed with them. */
struct ends ends_on(int client_fd, int server_fd);
void ends_close(struct ends *ends);

/* Brings the handshake about, in two threads that wait. */
void shake_both(struct ends *ends);

int64_t now_ms(void);

#endif
