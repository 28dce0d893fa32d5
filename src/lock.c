/* The lock of an object. Between acquire and the tail of a call it belongs to the calling thread; a
   callback may come back in on the same thread, which only counts deeper.

   Who holds it is one bit of an atomic word, LOCK_HELD. An object that has one handle for ever, as
   a connection has, keeps that bit in the word of the handle's slot, where handle.c enters the slot
   and takes the lock in one step, and leaves both in one. Any other keeps it in a word of its own.

   Whoever finds it held gets in line. The first in line sets LOCK_WANTED and sleeps until the one
   that gives the lock up, which sees that bit, wakes it; a thread that comes just then may still be
   quicker. A thread that works for long on one connection, such as one that swallows a flood of
   key updates, calls lock_yield: it gets in line anew, behind whoever waits there, where a bare
   release would nearly always be followed by its own return. */
#include "internal.h"

bool lock_init(struct lock *lock)
{
    if (pthread_mutex_init(&lock->line, NULL))
        return false;
    if (pthread_cond_init(&lock->moved, NULL)) {
        pthread_mutex_destroy(&lock->line);
        return false;
    }
    lock->word = &lock->own;
    return true;
}

void lock_destroy(struct lock *lock)
{
    pthread_cond_destroy(&lock->moved);
    pthread_mutex_destroy(&lock->line);
}

bool lock_mine(struct lock *lock)
{
    return atomic_load_explicit(&lock->owner, memory_order_relaxed) == this_thread();
}

/* ---- the word ---- */

#ifndef FSSL_NO_LOCK

static bool word_take(atomic_uint_fast64_t *word)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);

    while (!(seen & LOCK_HELD)) {
        if (atomic_compare_exchange_weak_explicit(word, &seen, seen | LOCK_HELD,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    }
    return false;
}

/* The same for the first in line, which says that it waits where it finds the lock held. */
static bool word_take_or_want(atomic_uint_fast64_t *word)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t next;

    do {
        next = seen & LOCK_HELD ? seen | LOCK_WANTED : (seen | LOCK_HELD) & ~LOCK_WANTED;
    } while (!atomic_compare_exchange_weak_explicit(word, &seen, next, memory_order_acquire,
                                                    memory_order_relaxed));
    return !(seen & LOCK_HELD);
}

/* Tells whether somebody has to be woken. */
static bool word_release(atomic_uint_fast64_t *word)
{
    return atomic_fetch_and_explicit(word, ~LOCK_HELD, memory_order_release) & LOCK_WANTED;
}

#else /* a test alone is built so: ThreadSanitizer must then report that calls overlap */

static bool word_take(atomic_uint_fast64_t *word)
{
    return word != NULL;
}

static bool word_take_or_want(atomic_uint_fast64_t *word)
{
    return word != NULL;
}

static bool word_release(atomic_uint_fast64_t *word)
{
    return word == NULL;
}

#endif

/* ---- taking and giving ---- */

static void lock_in_line(struct lock *lock)
{
    uint32_t place;

    pthread_mutex_lock(&lock->line);
    place = lock->last_place++;
    while (place != lock->first_place || !word_take_or_want(lock->word))
        pthread_cond_wait(&lock->moved, &lock->line);
    lock->first_place++;
    if (lock->first_place != lock->last_place)
        pthread_cond_broadcast(&lock->moved);
    pthread_mutex_unlock(&lock->line);
}

void lock_take(struct lock *lock)
{
    if (lock_mine(lock)) {
        lock->depth++;
        return;
    }
    if (!word_take(lock->word))
        lock_in_line(lock);
    lock_entered(lock);
}

/* Gives it up, after lock_leaving. */
void lock_release(struct lock *lock)
{
    if (!word_release(lock->word))
        return;
    pthread_mutex_lock(&lock->line); /* the first in line sleeps, or has not yet looked */
    pthread_cond_broadcast(&lock->moved);
    pthread_mutex_unlock(&lock->line);
}

void lock_give(struct lock *lock)
{
    if (lock->depth > 1) {
        lock->depth--;
        return;
    }
    lock_leaving(lock);
    lock_release(lock);
}

/* Lets those who wait have the lock first. Tells whether there were any. */
bool lock_yield(struct lock *lock)
{
    if (lock->depth != 1 || !(atomic_load_explicit(lock->word, memory_order_relaxed) & LOCK_WANTED))
        return false;
    lock_leaving(lock);
    lock_release(lock);
    lock_in_line(lock);
    lock_entered(lock);
    return true;
}
