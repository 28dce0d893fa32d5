/* Waiting for an fd, a deadline or another thread, with the object's lock given back meanwhile.

   Each waiting thread has a wake fd of its own (an eventfd, elsewhere a pipe), kept for its later
   waits. A waiter joins the list before it gives the lock back, and those who change something do
   so under the lock, so no wake-up is lost; and as no two waiters share a wake fd, none swallows
   another's. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

struct wake {
    bool made;
    uint32_t epoch; /* a child of fork must not share its parent's */
    int read_fd;
    int write_fd;
};

static _Thread_local struct wake thread_wake;
static pthread_key_t wake_key; /* only for its destructor at a thread's end */
atomic_uint fork_count = 1;

static void in_child(void)
{
    atomic_fetch_add(&fork_count, 1);
}

static void wake_close(void *closed)
{
    struct wake *wake = closed;

    if (wake->made) {
        close(wake->read_fd);
        if (wake->write_fd != wake->read_fd)
            close(wake->write_fd);
    }
    wake->made = false;
}

void wait_start(void)
{
    pthread_key_create(&wake_key, wake_close);
    pthread_atfork(NULL, NULL, in_child);
}

#ifdef __linux__
static bool wake_fds(struct wake *wake)
{
    wake->read_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wake->write_fd = wake->read_fd;
    return wake->read_fd >= 0;
}
#else
static bool wake_fds(struct wake *wake)
{
    int ends[2];

    if (pipe(ends))
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    wake->read_fd = ends[0];
    wake->write_fd = ends[1];
    return true;
}
#endif

static struct wake *wake_of_thread(void)
{
    struct wake *wake = &thread_wake;

    if (wake->made && wake->epoch == fork_epoch())
        return wake;
    wake_close(wake);
    if (!wake_fds(wake))
        return NULL;
    wake->made = true;
    wake->epoch = fork_epoch();
    pthread_setspecific(wake_key, wake);
    return wake;
}

static void wake_drain(const struct wake *wake)
{
    uint64_t count;

    while (read(wake->read_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

static void waiter_wake(struct waiter *waiter)
{
    uint64_t one = 1;

    if (waiter->woken)
        return;
    waiter->woken = true;
    while (write(waiter->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Wakes those who wait for any of these events. Call with the lock held, as wait_cancel. */
void wait_wake(struct waiter *list, int events)
{
    for (; list; list = list->next) {
        if (list->events & events)
            waiter_wake(list);
    }
}

/* Ends every wait of now. */
void wait_cancel(struct waiter *list)
{
    for (; list; list = list->next) {
        list->cancelled = true;
        waiter_wake(list);
    }
}

int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns when so many milliseconds will have passed, -1 (never) if that is past all time. */
int64_t deadline_in(int64_t milliseconds)
{
    int64_t now = clock_ms();

    return milliseconds > INT64_MAX - now ? -1 : now + milliseconds;
}

static int time_left(int64_t deadline)
{
    int64_t left;

    if (deadline < 0)
        return -1;
    left = deadline - clock_ms();
    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/* Polls without the lock. Returns poll's answer, with errno. */
static int poll_unlocked(struct object *object, const struct wake *wake, int64_t fd, int events,
                         int64_t deadline)
{
    struct pollfd set[2] = {{wake->read_fd, POLLIN, 0},
                            {(int)fd, (short)(events & (POLLIN | POLLOUT)), 0}};
    int ready, error;

    lock_give(&object->lock);
    ready = poll(set, fd >= 0 ? 2 : 1, time_left(deadline));
    error = errno;
    lock_take(&object->lock);
    witness(object);
    errno = error;
    return ready;
}

static void waiter_unlink(struct waiter **list, struct waiter *waiter)
{
    while (*list != waiter)
        list = &(*list)->next;
    *list = waiter->next;
}

/* Waits, the lock of the object given back, until the fd (or FSSL_NO_FD) has one of the events,
   another thread wakes this one, or the deadline (-1 for none) passes. Returns FSSL_OK,
   FSSL_E_TIMEOUT, FSSL_E_INTERRUPTED, FSSL_E_CANCELLED or, with errno, FSSL_E_SYSCALL. */
int32_t wait_poll(struct object *object, struct waiter **list, int64_t fd, int events,
                  int64_t deadline)
{
    struct wake *wake = wake_of_thread();
    struct waiter waiter = {*list, 0, events, false, false};
    int ready, error;

    if (!wake)
        return FSSL_E_SYSCALL;
    waiter.wake_fd = wake->write_fd;
    *list = &waiter;
    ready = poll_unlocked(object, wake, fd, events, deadline);
    error = errno;
    waiter_unlink(list, &waiter);
    if (waiter.woken)
        wake_drain(wake);
    errno = error;
    if (waiter.cancelled)
        return FSSL_E_CANCELLED;
    if (ready < 0)
        return error == EINTR ? FSSL_E_INTERRUPTED : FSSL_E_SYSCALL;
    return ready == 0 && !waiter.woken ? FSSL_E_TIMEOUT : FSSL_OK;
}
