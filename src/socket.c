/* The calls of sockets, on a connection's fd: what a language without sockets of its own needs. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PORT_TEXT = 8, OPTION_MAX = 65536 };

/* Acquires a connection that has an fd. */
int64_t acquire_fd(fssl_handle h, struct conn **conn, int32_t *err)
{
    int64_t failed = acquire_own(h, KIND_CONN, conn, err);

    if (!failed && (*conn)->carrier.fd == FSSL_NO_FD)
        return refuse_state(h, "the connection has no fd", err);
    return failed;
}

int fd_of(const struct conn *conn)
{
    return (int)conn->carrier.fd;
}

bool fd_blocks(int fd, bool blocks)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) == 0;
}

int64_t unresolved(int answer, int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, answer == EAI_MEMORY ? FSSL_E_MEMORY : FSSL_E_RESOLVE);
    fault_say(&fault, "getaddrinfo", gai_strerror(answer), NULL);
    return fault_publish(&fault, err);
}

/* ---- whose the fd is ---- */

int64_t fssl_conn_fileno(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    return finish_own(h, conn->carrier.fd, err);
}

int64_t fssl_conn_own_fd(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    conn->owns_fd = true;
    return finish_own(h, 0, err);
}

int64_t fssl_conn_detach(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t fd;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (conn->object.lock.depth > 1)
        return refuse_at(h, FSSL_E_IN_CALLBACK, __func__, "detach inside a callback", NULL, err);
    fd = conn->carrier.fd;
    conn->carrier.fd = FSSL_NO_FD;
    conn->owns_fd = false;
    wait_cancel(conn->waiters);
    while (conn->fd_users > 0)
        wait_poll(&conn->object, &conn->waiters, FSSL_NO_FD, WAIT_TURN, -1);
    return finish_own(h, fd, err);
}

int64_t fssl_conn_adopt(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_own(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->epoch)
        conn->epoch = fork_epoch();
    return finish_own(h, 0, err);
}

/* ---- options and addresses ---- */

int64_t fssl_conn_setblocking(fssl_handle h, int32_t flag, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (conn->listens)
        conn->blocks = flag != 0;
    else if (!fd_blocks(fd_of(conn), flag != 0))
        return fail_system(h, errno, "fcntl", err);
    return finish_own(h, 0, err);
}

static int64_t finish_path(fssl_handle h, const struct sockaddr_storage *address, socklen_t len,
                           char *buf, int64_t cap, int32_t *err)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)(const void *)address;

    if (len <= offsetof(struct sockaddr_un, sun_path))
        return finish_text(h, "", buf, cap, err);
    return finish_bytes(h, local->sun_path,
                        (int64_t)strnlen(local->sun_path, sizeof local->sun_path), buf, cap, err);
}

static int64_t finish_address(fssl_handle h, const struct sockaddr_storage *address, socklen_t len,
                              char *buf, int64_t cap, int32_t *port, int32_t *err)
{
    char host[NI_MAXHOST], service[PORT_TEXT] = "0";
    int64_t result;
    int answer;

    if (address->ss_family == AF_UNIX) {
        result = finish_path(h, address, len, buf, cap, err);
    } else {
        answer = getnameinfo((const struct sockaddr *)address, len, host, sizeof host, service,
                             sizeof service, NI_NUMERICHOST | NI_NUMERICSERV);
        if (answer)
            return abandon(h, unresolved(answer, err), err);
        result = finish_text(h, host, buf, cap, err);
    }
    if (port && result >= 0)
        *port = (int32_t)strtol(service, NULL, 10);
    return result;
}

int64_t fssl_conn_getpeername(fssl_handle h, char *buf, int64_t cap, int32_t *port, int32_t *err)
{
    struct conn *conn;
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (getpeername(fd_of(conn), (struct sockaddr *)&address, &len))
        return fail_system(h, errno, "getpeername", err);
    return finish_address(h, &address, len, buf, cap, port, err);
}

int64_t fssl_conn_getsockname(fssl_handle h, char *buf, int64_t cap, int32_t *port, int32_t *err)
{
    struct conn *conn;
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (getsockname(fd_of(conn), (struct sockaddr *)&address, &len))
        return fail_system(h, errno, "getsockname", err);
    return finish_address(h, &address, len, buf, cap, port, err);
}

int64_t fssl_conn_getsockopt(fssl_handle h, int32_t level, int32_t option, uint8_t *buf,
                             int64_t cap, int32_t *err)
{
    struct conn *conn;
    socklen_t len = (socklen_t)cap;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (!buf || cap < 1 || cap > OPTION_MAX)
        return refuse(h, "buf", err);
    if (getsockopt(fd_of(conn), level, option, buf, &len))
        return fail_system(h, errno, "getsockopt", err);
    return finish(h, (int64_t)len, err);
}

int64_t fssl_conn_setsockopt(fssl_handle h, int32_t level, int32_t option, const uint8_t *value,
                             int64_t value_len, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (!bytes_given(value, value_len) || value_len > OPTION_MAX)
        return refuse(h, "value", err);
    if (setsockopt(fd_of(conn), level, option, value, (socklen_t)value_len))
        return fail_system(h, errno, "setsockopt", err);
    return finish(h, 0, err);
}

int64_t fssl_conn_sock_shutdown(fssl_handle h, int32_t how, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (how < FSSL_SHUT_RD || how > FSSL_SHUT_RDWR)
        return refuse(h, "how", err);
    if (shutdown(fd_of(conn), how))
        return fail_system(h, errno, "shutdown", err);
    if (conn->carrier.datagram)
        conn->carrier.datagram->shut = datagram_shut(&conn->carrier);
    return finish(h, 0, err);
}
