/* Making sockets: connect, bind, listen and accept for a language that has no sockets of its own.
   A socket that is made here closes on exec, has no Nagle delay, and belongs to its connection. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

enum { PORT_MAX = 65535, PORT_TEXT = 8 };

/* The family of the socket that there is: only such addresses are for it. */
static int family_of(const struct conn *conn)
{
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof own;

    if (conn->carrier.fd == FSSL_NO_FD || getsockname(fd_of(conn), (struct sockaddr *)&own, &len))
        return AF_UNSPEC;
    return own.ss_family;
}

static int socket_type(const struct conn *conn)
{
    return conn->carrier.datagram ? SOCK_DGRAM : SOCK_STREAM;
}

/* Resolves without the connection's lock: a name server may take its time. */
static int resolve(struct conn *conn, const char *host, int32_t port, int flags,
                   struct addrinfo **list)
{
    struct addrinfo hints = {.ai_family = family_of(conn), .ai_socktype = socket_type(conn)};
    char service[PORT_TEXT];
    int answer;

    hints.ai_flags = flags | AI_NUMERICSERV;
    snprintf(service, sizeof service, "%d", (int)port);
    lock_give(&conn->object.lock);
    answer = getaddrinfo(*host ? host : NULL, service, &hints, list);
    lock_take(&conn->object.lock);
    return answer;
}

static int64_t socket_failed(int error, const char *function, int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, FSSL_E_SYSCALL);
    fault.system_errno = error;
    fault_say(&fault, function, "the operating system refused", NULL);
    return fault_publish(&fault, err);
}

static int socket_make(const struct conn *conn, int family)
{
    int fd = socket(family, socket_type(conn), 0);
    int one = 1;

    if (fd < 0)
        return -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#endif
    return fd;
}

/* ---- connect ---- */

/* Waits until an fd can be written. Others who use the connection may wake this thread before. */
static int32_t connect_poll(struct conn *conn, int fd, int64_t deadline)
{
    struct pollfd set = {fd, POLLOUT, 0};
    int32_t code = FSSL_OK;

    while (code == FSSL_OK && !conn->closing && poll(&set, 1, 0) == 0)
        code = wait_poll(&conn->object, &conn->waiters, fd, POLLOUT, deadline);
    return conn->closing ? FSSL_E_CANCELLED : code;
}

/* Waits for a connect that is under way. Returns 0, or the errno. */
static int connect_wait(struct conn *conn, int fd, int64_t deadline)
{
    int error = 0;
    socklen_t len = sizeof error;

    switch (connect_poll(conn, fd, deadline)) {
    case FSSL_OK:
        break;
    case FSSL_E_TIMEOUT:
        return ETIMEDOUT;
    case FSSL_E_CANCELLED:
        return ECANCELED;
    case FSSL_E_INTERRUPTED:
        return EINTR;
    default:
        return errno;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? errno : error;
}

/* Connects a socket of our own, which does not block meanwhile. Returns the errno. */
static int connect_new(struct conn *conn, const struct addrinfo *address, int64_t deadline,
                       int *made)
{
    int fd = socket_make(conn, address->ai_family);
    int error = 0;

    if (fd < 0)
        return errno;
    if (!fd_blocks(fd, false) || connect(fd, address->ai_addr, address->ai_addrlen))
        error = errno;
    if (error == EINPROGRESS)
        error = connect_wait(conn, fd, deadline);
    if (!error && !fd_blocks(fd, true))
        error = errno;
    if (error)
        close(fd);
    else
        *made = fd;
    return error;
}

/* Tries each address, each within its share of the time that is left. Returns the last errno. */
static int connect_any(struct conn *conn, const struct addrinfo *list, int64_t deadline, int *made)
{
    int64_t left = 0;
    int error = EADDRNOTAVAIL;

    for (const struct addrinfo *at = list; at; at = at->ai_next)
        left++;
    for (; list; list = list->ai_next, left--) {
        int64_t now = deadline < 0 ? 0 : clock_ms();

        error = connect_new(conn, list, deadline < 0 ? -1 : now + (deadline - now) / left, made);
        if (error == 0 || error == ECANCELED || error == EINTR)
            return error;
    }
    return error;
}

/* Connects the fd that there is, as its blocking mode says. Returns the errno. */
static int connect_given(struct conn *conn, const struct addrinfo *list, int64_t deadline)
{
    int fd = fd_of(conn);
    int flags = fcntl(fd, F_GETFL);
    int error;

    if (flags < 0 || !fd_blocks(fd, false))
        return errno;
    conn->fd_users++;
    error = connect(fd, list->ai_addr, list->ai_addrlen) ? errno : 0;
    if ((error == EINPROGRESS || error == EALREADY) && !(flags & O_NONBLOCK))
        error = connect_wait(conn, fd, deadline);
    if (!(flags & O_NONBLOCK))
        fd_blocks(fd, true);
    conn->fd_users--;
    wait_wake(conn->waiters, WAIT_TURN); /* fssl_conn_detach waits for the fd's last user */
    return error == EISCONN ? 0 : error;
}

static int64_t connect_failed(int error, int32_t *err)
{
    switch (error) {
    case EINPROGRESS:
    case EALREADY:
        return code_only(FSSL_E_WANT_WRITE, err);
    case ECANCELED:
        return code_only(FSSL_E_CANCELLED, err);
    case EINTR:
        return code_only(FSSL_E_INTERRUPTED, err);
    case ETIMEDOUT:
        return conn_say(NULL, FSSL_E_TIMEOUT, "connect", "timed out", err);
    default:
        return socket_failed(error, "connect", err);
    }
}

static int64_t conn_connect(struct conn *conn, const char *host, int32_t port, int32_t *err)
{
    int64_t deadline = conn->timeout >= 0 ? deadline_in(conn->timeout) : -1;
    struct addrinfo *list;
    int answer = resolve(conn, host, port, 0, &list);
    int made = FSSL_NO_FD, error;

    if (answer)
        return unresolved(answer, err);
    if (conn->carrier.fd != FSSL_NO_FD)
        error = connect_given(conn, list, deadline);
    else
        error = connect_any(conn, list, deadline, &made);
    freeaddrinfo(list);
    if (error)
        return connect_failed(error, err);
    if (made != FSSL_NO_FD && (conn->carrier.fd != FSSL_NO_FD || conn->closing)) {
        close(made); /* another thread was faster */
        return connect_failed(conn->closing ? ECANCELED : EISCONN, err);
    }
    if (made != FSSL_NO_FD) {
        conn->carrier.fd = made;
        conn->owns_fd = true;
    }
    return 0;
}

static int64_t connect_to(fssl_handle h, struct conn *conn, const char *host, int32_t port,
                          int32_t *err)
{
    bool fresh = !conn->host;
    int32_t code = fresh ? conn_use_host(conn, host) : FSSL_OK;
    int64_t failed;

    if (code)
        return fail_at(h, code, __func__, "cannot use the host", "host", err);
    failed = conn_connect(conn, host, port, err);
    if (failed && failed != -FSSL_E_WANT_WRITE && fresh)
        conn_forget_host(conn); /* the next may be another */
    if (failed)
        return abandon(h, failed, err);
    conn_set_side(conn, false);
    return finish(h, 0, err);
}

int64_t fssl_conn_connect(fssl_handle h, const char *host, int64_t host_len, int32_t port,
                          int32_t *err)
{
    struct conn *conn;
    char *text;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->carrier.memory || conn->epoch || conn->listens || conn->ctx->server)
        return refuse_state(h, "not a client's connection before its handshake", err);
    if (conn->object.lock.depth > 1)
        return fail_at(h, FSSL_E_IN_CALLBACK, __func__, "I/O inside a callback", NULL, err);
    if (port < 1 || port > PORT_MAX)
        return refuse(h, "port", err);
    failed = take_text(h, "host", host, host_len, &text, err);
    if (failed)
        return failed;
    failed = connect_to(h, conn, text, port, err);
    OPENSSL_free(text);
    return failed;
}

/* ---- bind, listen, accept ---- */

/* Binds the fd, or one that is made for it. Returns the errno. */
static int bind_to(struct conn *conn, const struct addrinfo *address)
{
    int fd = fd_of(conn);
    int one = 1, error;

    if (fd == FSSL_NO_FD)
        fd = socket_make(conn, address->ai_family);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0) {
        conn->owns_fd = conn->owns_fd || conn->carrier.fd == FSSL_NO_FD;
        conn->carrier.fd = fd;
        return 0;
    }
    error = errno;
    if (conn->carrier.fd == FSSL_NO_FD)
        close(fd);
    return error;
}

static int64_t conn_bind(struct conn *conn, const char *host, int32_t port, int32_t *err)
{
    struct addrinfo *list;
    int answer = resolve(conn, host, port, AI_PASSIVE, &list);
    int error = EADDRNOTAVAIL;

    if (answer)
        return unresolved(answer, err);
    for (const struct addrinfo *at = list; at && error; at = at->ai_next)
        error = bind_to(conn, at);
    freeaddrinfo(list);
    return error ? socket_failed(error, "bind", err) : 0;
}

int64_t fssl_conn_bind(fssl_handle h, const char *host, int64_t host_len, int32_t port,
                       int32_t *err)
{
    struct conn *conn;
    char *text;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    if (conn->carrier.memory)
        return refuse_state(h, "the connection is on memory", err);
    if (port < 0 || port > PORT_MAX)
        return refuse(h, "port", err);
    failed = take_text(h, "host", host, host_len, &text, err);
    if (failed)
        return failed;
    failed = conn_bind(conn, text, port, err);
    OPENSSL_free(text);
    return failed ? abandon(h, failed, err) : finish(h, 0, err);
}

/* The fd itself must not block, whoever else has set it to: between poll and accept another process
   may take the client, and the connection's lock is held. */
static bool listener_prepare(struct conn *conn)
{
    int flags = fcntl(fd_of(conn), F_GETFL);

    if (flags < 0)
        return false;
    if (!conn->listens)
        conn->blocks = !(flags & O_NONBLOCK);
    conn->listens = (flags & O_NONBLOCK) || fd_blocks(fd_of(conn), false);
    return conn->listens;
}

int64_t fssl_conn_listen(fssl_handle h, int32_t backlog, int32_t *err)
{
    struct conn *conn;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (conn->carrier.datagram)
        return refuse_at(h, FSSL_E_UNSUPPORTED, __func__, "not with datagrams", NULL, err);
    if (backlog < 0)
        return refuse(h, "backlog", err);
    if (listen(fd_of(conn), backlog) || !listener_prepare(conn))
        return fail_system(h, errno, "listen", err);
    return finish(h, 0, err);
}

static int accept_now(struct conn *conn)
{
    return listener_prepare(conn) ? accept(fd_of(conn), NULL, NULL) : -1;
}

static int64_t accept_wait(struct conn *conn, int *client, int32_t *err)
{
    struct patience patience = {true, conn->timeout == 0, -1};
    int64_t failed = 0;

    if (conn->timeout == FSSL_TIMEOUT_AS_FD)
        patience.none = !conn->blocks;
    if (conn->timeout > 0)
        patience.deadline = deadline_in(conn->timeout);
    while (!failed && (*client = accept_now(conn)) < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            failed = conn_wait(conn, FSSL_E_WANT_READ, &patience, err);
        else if (errno != EINTR && errno != ECONNABORTED)
            failed = socket_failed(errno, "accept", err);
    }
    return failed;
}

/* Makes the client's connection. The listener's lock is held, and then its context's. */
static struct conn *accepted(struct conn *listener, int client)
{
    struct conn *conn;
    int one = 1;

    fcntl(client, F_SETFD, FD_CLOEXEC);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    lock_take(&listener->ctx->object.lock);
    conn = conn_make(listener->ctx, client, false);
    lock_give(&listener->ctx->object.lock);
    if (!conn) {
        close(client);
        return NULL;
    }
    conn->owns_fd = true;
    conn->timeout = listener->timeout;
    conn_set_side(conn, true);
    return conn;
}

int64_t fssl_conn_accept(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    int client;
    int64_t failed = acquire_fd(h, &conn, err);

    if (failed)
        return failed;
    if (conn->object.lock.depth > 1)
        return refuse_at(h, FSSL_E_IN_CALLBACK, __func__, "I/O inside a callback", NULL, err);
    if (conn->ctx->client)
        return refuse_state(h, "the context is for clients", err);
    if (conn->carrier.datagram)
        return refuse_at(h, FSSL_E_UNSUPPORTED, __func__, "not with datagrams", NULL, err);
    if (!listener_prepare(conn))
        return fail_system(h, errno, "accept", err);
    failed = accept_wait(conn, &client, err);
    if (failed)
        return abandon(h, failed, err);
    queue_empty();
    return finish_handle(h, accepted(conn, client), err);
}
