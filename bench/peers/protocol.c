#include "protocol.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static const char *folder;

static double clock_read(clockid_t clock)
{
    struct timespec at;

    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

double now(void)
{
    return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

double now_outside(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

/* A peer without its means can only stop. */
void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

/* Returns the path of a file of the folder, until the next call. */
const char *file_path(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int listener_make(struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *at = (struct sockaddr_in){.sin_family = AF_INET};
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0 && !bind(fd, (struct sockaddr *)at, len) && !listen(fd, BACKLOG), "listen");
    getsockname(fd, (struct sockaddr *)at, &len);
    return fd;
}

/* Makes both ends of a TCP connection, which do not block. */
void loopback_pair(int fds[2])
{
    static struct sockaddr_in at;
    static int listener = -1;
    int on = 1;

    if (listener < 0)
        listener = listener_make(&at);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    must(!connect(fds[0], (struct sockaddr *)&at, sizeof at), "connect");
    fds[1] = accept(listener, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        must(fds[i] >= 0 && !fcntl(fds[i], F_SETFL, O_NONBLOCK), "fcntl");
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
}

/* Returns how many bytes malloc has given away. */
size_t memory_used(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

int serve(int argc, char **argv, work_function *work)
{
    char line[256], name[64];
    long count;

    must(argc > 1, "an argument, the folder of the certificates,");
    folder = argv[1];
    while (fgets(line, sizeof line, stdin)) {
        double numbers[NUMBERS_MAX] = {0};
        const char *why;

        must(sscanf(line, "%63s %ld", name, &count) == 2, "a subject and a count");
        why = work(name, count, numbers);
        if (why)
            printf("- %s\n", why);
        else
            printf("%.9g %.9g\n", numbers[0], numbers[1]);
        fflush(stdout);
    }
    return 0;
}
