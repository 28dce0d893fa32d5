/* Queues of a context: key log lines, new sessions and handshake events, read when convenient in
   place of calling back. Each is off until it is given a capacity; what does not fit is counted,
   not kept. A queue has a mutex of its own, the innermost of all locks. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/crypto.h>

enum { CAPACITY_MAX = 1 << 20 };

struct queue_item {
    struct queue_item *next;
    struct blob *line;
    struct session *session;
    fssl_handle conn;
    int32_t where;
    int32_t result;
};

void queue_start(struct queue *queue)
{
    pthread_mutex_init(&queue->mutex, NULL);
    queue->fd = -1;
}

static void item_free(struct queue_item *item)
{
    blob_drop(item->line);
    object_drop(item->session);
    OPENSSL_free(item);
}

/* Takes the first item out, or returns NULL. The queue is locked. */
static struct queue_item *shift(struct queue *queue)
{
    struct queue_item *item = queue->first;

    if (!item)
        return NULL;
    queue->first = item->next;
    queue->count--;
    if (!queue->first)
        queue->last = NULL;
    return item;
}

static void list_free(struct queue_item *item)
{
    while (item) {
        struct queue_item *next = item->next;

        item_free(item);
        item = next;
    }
}

void queue_free(struct queue *queue)
{
    list_free(queue->first);
    if (queue->fd >= 0)
        close(queue->fd);
    pthread_mutex_destroy(&queue->mutex);
}

/* Adds what an item holds, which is taken over; NULL parts mean that memory ran out. */
static void push(struct queue *queue, struct queue_item filled, bool whole)
{
    struct queue_item *item = whole ? OPENSSL_memdup(&filled, sizeof filled) : NULL;
    bool kept;

    pthread_mutex_lock(&queue->mutex);
    kept = item && queue->count < queue->capacity;
    if (kept && queue->last)
        queue->last->next = item;
    else if (kept)
        queue->first = item;
    if (kept) {
        queue->last = item;
        queue->count++;
    } else {
        queue->dropped++;
    }
    pthread_mutex_unlock(&queue->mutex);
    if (!kept) {
        blob_drop(filled.line);
        object_drop(filled.session);
        OPENSSL_free(item);
    }
}

/* ---- what OpenSSL calls ---- */

static bool is_on(struct queue *queue)
{
    return atomic_load_explicit(&queue->on, memory_order_relaxed);
}

static bool write_line(int fd, const char *line)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)line, strlen(line)}, {"\n", 1}};
    ssize_t len = (ssize_t)(parts[0].iov_len + parts[1].iov_len), written;

    do {
        written = plain_write(fd, parts, 2);
    } while (written < 0 && errno == EINTR);
    return written == len;
}

void queue_keylog(struct conn *conn, const char *line)
{
    struct queue *queue = &conn->ctx->queue[FSSL_QUEUE_KEYLOG];
    struct queue_item item = {0};
    bool kept;

    if (!is_on(queue))
        return;
    pthread_mutex_lock(&queue->mutex);
    if (queue->fd >= 0 && !write_line(queue->fd, line))
        queue->dropped++;
    kept = queue->capacity > 0;
    pthread_mutex_unlock(&queue->mutex);
    if (!kept)
        return;
    item.line = blob_new((const uint8_t *)line, strlen(line));
    push(queue, item, item.line != NULL);
}

void queue_info(struct conn *conn, int where, int result)
{
    struct queue *queue = &conn->ctx->queue[FSSL_QUEUE_INFO];
    struct queue_item item = {.conn = conn->object.self, .where = where, .result = result};

    if (is_on(queue))
        push(queue, item, true);
}

void queue_session(struct conn *conn, SSL_SESSION *session)
{
    struct queue *queue = &conn->ctx->queue[FSSL_QUEUE_SESSION];
    struct queue_item item = {0};

    if (!is_on(queue))
        return;
    /* without its context, which holds the queue: that comes when it is taken out */
    if (SSL_SESSION_up_ref(session))
        item.session = session_wrap(session, NULL, conn);
    push(queue, item, item.session != NULL);
}

/* ---- switching on ---- */

static int64_t acquire_queue(fssl_handle h, int32_t which, struct ctx **ctx, int32_t *err)
{
    int64_t failed = acquire(h, KIND_CTX, ctx, err);

    if (!failed && (which < FSSL_QUEUE_KEYLOG || which > FSSL_QUEUE_INFO))
        return refuse(h, "queue", err);
    return failed;
}

/* Has OpenSSL call us for what is wanted. */
static void install(struct ctx *ctx, int32_t which)
{
    long mode = SSL_CTX_get_session_cache_mode(ctx->ssl);

    ctx->settings->queues |= 1 << which;
    install_late(ctx->ssl, ctx->settings);
    if (which == FSSL_QUEUE_SESSION)
        SSL_CTX_set_session_cache_mode(ctx->ssl, mode | SSL_SESS_CACHE_BOTH);
}

int64_t fssl_ctx_set_queue(fssl_handle h, int32_t which, int64_t capacity, int32_t *err)
{
    struct ctx *ctx;
    struct queue *queue;
    struct queue_item *old = NULL;
    int64_t failed = acquire_queue(h, which, &ctx, err);

    if (failed)
        return failed;
    if (capacity < 0 || capacity > CAPACITY_MAX)
        return refuse(h, "capacity", err);
    if (!ctx_change(ctx))
        return fail(h, FSSL_E_MEMORY, err);
    queue = &ctx->queue[which];
    pthread_mutex_lock(&queue->mutex);
    queue->capacity = capacity;
    if (capacity == 0) {
        old = queue->first;
        queue->first = queue->last = NULL;
        queue->count = 0;
    }
    atomic_store(&queue->on, capacity > 0 || queue->fd >= 0);
    pthread_mutex_unlock(&queue->mutex);
    list_free(old);
    if (capacity > 0)
        install(ctx, which);
    return finish(h, 0, err);
}

int64_t fssl_ctx_set_keylog_fd(fssl_handle h, int64_t fd, int32_t *err)
{
    struct ctx *ctx;
    struct queue *queue;
    int old, copy = -1;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (fd < FSSL_NO_FD || fd > INT_MAX)
        return refuse(h, "fd", err);
    if (!ctx_change(ctx))
        return fail(h, FSSL_E_MEMORY, err);
    if (fd != FSSL_NO_FD && (copy = fcntl((int)fd, F_DUPFD_CLOEXEC, 0)) < 0)
        return fail_system(h, errno, "fd", err);
    queue = &ctx->queue[FSSL_QUEUE_KEYLOG];
    pthread_mutex_lock(&queue->mutex);
    old = queue->fd;
    queue->fd = copy;
    atomic_store(&queue->on, queue->capacity > 0 || copy >= 0);
    pthread_mutex_unlock(&queue->mutex);
    if (old >= 0)
        close(old);
    install(ctx, FSSL_QUEUE_KEYLOG);
    return finish(h, 0, err);
}

/* ---- reading ---- */

int64_t fssl_ctx_queue_count(fssl_handle h, int32_t which, int32_t *err)
{
    struct ctx *ctx;
    int64_t count;
    int64_t failed = acquire_queue(h, which, &ctx, err);

    if (failed)
        return failed;
    pthread_mutex_lock(&ctx->queue[which].mutex);
    count = ctx->queue[which].count;
    pthread_mutex_unlock(&ctx->queue[which].mutex);
    return finish(h, count, err);
}

int64_t fssl_ctx_queue_dropped(fssl_handle h, int32_t which, int32_t *err)
{
    struct ctx *ctx;
    int64_t dropped;
    int64_t failed = acquire_queue(h, which, &ctx, err);

    if (failed)
        return failed;
    pthread_mutex_lock(&ctx->queue[which].mutex);
    dropped = ctx->queue[which].dropped;
    pthread_mutex_unlock(&ctx->queue[which].mutex);
    return finish(h, dropped, err);
}

static struct queue_item *next_item(struct queue *queue)
{
    struct queue_item *item;

    pthread_mutex_lock(&queue->mutex);
    item = shift(queue);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

int64_t fssl_ctx_next_keylog(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct ctx *ctx;
    struct queue *queue;
    struct queue_item *item;
    struct blob *line;
    int64_t result;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    queue = &ctx->queue[FSSL_QUEUE_KEYLOG];
    pthread_mutex_lock(&queue->mutex);
    line = queue->first ? blob_hold(queue->first->line) : NULL;
    item = line && buf && (int64_t)line->len <= cap ? shift(queue) : NULL;
    pthread_mutex_unlock(&queue->mutex);
    result =
        finish_bytes(h, line ? line->data : NULL, line ? (int64_t)line->len : 0, buf, cap, err);
    if (item)
        item_free(item);
    blob_drop(line);
    return result;
}

int64_t fssl_ctx_next_session(fssl_handle h, int32_t *err)
{
    struct ctx *ctx;
    struct queue_item *item;
    struct session *session;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    item = next_item(&ctx->queue[FSSL_QUEUE_SESSION]);
    if (!item)
        return finish(h, 0, err);
    session = object_hold(item->session);
    session->ctx = object_hold(ctx);
    item_free(item);
    return finish_handle(h, session, err);
}

int64_t fssl_ctx_next_info(fssl_handle h, int64_t *conn, int32_t *where, int32_t *result,
                           int32_t *err)
{
    struct ctx *ctx;
    struct queue_item *item;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (!conn || !where || !result)
        return refuse(h, !conn ? "conn" : !where ? "where" : "result", err);
    item = next_item(&ctx->queue[FSSL_QUEUE_INFO]);
    if (!item)
        return finish(h, 0, err);
    *conn = item->conn;
    *where = item->where;
    *result = item->result;
    item_free(item);
    return finish(h, 1, err);
}
