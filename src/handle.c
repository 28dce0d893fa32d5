/* The table of handles.

   A handle is generation << 24 | slot. Slots sit in chunks that are never moved or freed, found
   through an array of pointers, so resolving one takes no lock. Each slot has one atomic word:

       generation (29 bits) << 32 | closing << 31 | held << 30 | wanted << 29 | users (29 bits)

   While a handle is open the table itself is one of the users. acquire adds a user if the
   generation is the handle's and closing is not set; handle_release takes one away; closing sets
   the bit and takes the table's own away. Whoever takes away the last user frees the object and
   puts the slot, with its next generation, on the free list: so a handle may be closed while
   other threads are inside calls on it. A free slot has closing set and no users, and so refuses
   by the same test.

   No value is used twice: a slot whose generations are used up is retired. The first generation
   is random for each loaded copy of the library, so that a handle of one copy is hardly ever one
   of another.

   held and wanted are those of the object's lock (lock.c), if this is the only handle that it will
   ever have: then acquire becomes a user and takes the lock in one step, and the tail of the call
   leaves both in one. Where nobody else is inside, which is nearly always, both words are known
   beforehand from the handle, and each step is one comparison. Another kind's lock has a word of
   its own.

   Opening and freeing take the table's mutex. acquire and release do not. */
#include "internal.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

enum {
    SLOT_BITS = 24,
    CHUNK_BITS = 10,
    CHUNK_SLOTS = 1 << CHUNK_BITS,
    CHUNKS = 1 << (SLOT_BITS - CHUNK_BITS),
    GENERATION_LAST = (1 << 29) - 1,
    NO_SLOT = 1 << SLOT_BITS
};

#define CLOSING (UINT64_C(1) << 31)
#define USERS (LOCK_WANTED - 1)

/* What a user adds to the word who takes the lock, too. */
#ifdef FSSL_NO_LOCK
#define WITH_LOCK 1
#else
#define WITH_LOCK (LOCK_HELD + 1)
#endif

struct slot {
    _Alignas(64) atomic_uint_fast64_t word; /* a cache line each: distinct handles share none */
    void *object;
    int32_t kind;
    uint32_t next_free;
};

struct chunk {
    struct slot slot[CHUNK_SLOTS];
    void *allocated;
};

static _Atomic(struct chunk *) chunks[CHUNKS];
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static uint32_t first_free = NO_SLOT;
static uint32_t slots_made;
static uint64_t first_generation = 1;
static int64_t open_handles[KIND_LIMIT];

/* Chooses the first generation, in the lower half so that each slot lasts for 2^28 handles. */
void handle_start(void)
{
    uint32_t seed;

    if (getentropy(&seed, sizeof seed))
        seed = (uint32_t)time(NULL) ^ ((uint32_t)getpid() << 12);
    first_generation = 1 + (seed & (GENERATION_LAST >> 1));
}

static struct slot *slot_at(uint32_t index)
{
    struct chunk *chunk = atomic_load_explicit(&chunks[index >> CHUNK_BITS], memory_order_acquire);

    return chunk ? &chunk->slot[index & (CHUNK_SLOTS - 1)] : NULL;
}

static uint32_t index_of(fssl_handle h)
{
    return (uint32_t)h & (NO_SLOT - 1);
}

static struct slot *slot_of(fssl_handle h)
{
    return slot_at(index_of(h));
}

static uint64_t generation_of(fssl_handle h)
{
    return (uint64_t)h >> SLOT_BITS;
}

/* The word of an open handle inside which nobody is. */
static uint64_t idle_word(fssl_handle h)
{
    return generation_of(h) << 32 | 1;
}

/* Tells whether each object of this kind has one handle only. */
static bool one_handle(int32_t kind)
{
    return kind == KIND_CONN;
}

static bool chunk_add(uint32_t index)
{
    size_t line = _Alignof(struct chunk);
    char *memory = OPENSSL_zalloc(sizeof(struct chunk) + line);
    struct chunk *chunk;

    if (!memory)
        return false;
    chunk = (struct chunk *)(void *)(memory + (line - (uintptr_t)memory % line));
    chunk->allocated = memory;
    for (int i = 0; i < CHUNK_SLOTS; i++)
        chunk->slot[i].word = first_generation << 32 | CLOSING;
    atomic_store_explicit(&chunks[index], chunk, memory_order_release);
    return true;
}

static uint32_t slot_take(void)
{
    uint32_t index = first_free;

    if (index != NO_SLOT) {
        first_free = slot_at(index)->next_free;
        return index;
    }
    if (slots_made == NO_SLOT)
        return NO_SLOT;
    if (!slot_at(slots_made) && !chunk_add(slots_made >> CHUNK_BITS))
        return NO_SLOT;
    return slots_made++;
}

/* Opens a handle for an object, whose reference it takes over. Returns 0 if there is no room, and
   then the reference is dropped. */
fssl_handle handle_open(void *object)
{
    struct slot *slot;
    uint32_t index;
    uint64_t generation;
    int32_t kind;
    fssl_handle h;

    pthread_mutex_lock(&table);
    index = slot_take();
    if (index == NO_SLOT) {
        pthread_mutex_unlock(&table);
        object_drop(object);
        return 0;
    }
    slot = slot_at(index);
    slot->object = object;
    kind = ((struct object *)object)->kind;
    slot->kind = kind;
    open_handles[kind]++;
    generation = atomic_load_explicit(&slot->word, memory_order_relaxed) >> 32;
    h = (fssl_handle)(generation << SLOT_BITS | index);
    if (one_handle(kind)) {
        ((struct object *)object)->self = h;
        ((struct object *)object)->lock.word = &slot->word;
    }
    atomic_store_explicit(&slot->word, idle_word(h), memory_order_release);
    pthread_mutex_unlock(&table);
    return h;
}

/* Takes the last user's place: frees the object and the slot. */
static void slot_free(struct slot *slot, uint32_t index)
{
    struct object *object = slot->object;
    uint64_t generation = (atomic_load_explicit(&slot->word, memory_order_relaxed) >> 32) + 1;

    if (one_handle(object->kind))
        object->lock.word = &object->lock.own;
    pthread_mutex_lock(&table);
    open_handles[object->kind]--;
    slot->object = NULL;
    atomic_store_explicit(&slot->word, generation << 32 | CLOSING, memory_order_release);
    if (generation <= GENERATION_LAST) {
        slot->next_free = first_free;
        first_free = index;
    }
    pthread_mutex_unlock(&table);
    object_drop(object);
}

/* Becomes a user: adds `most`, which is 1 or WITH_LOCK, or only 1 where the lock is held. Returns
   what was added, 0 if the slot is not that generation's any more. */
static uint64_t slot_enter(struct slot *slot, uint64_t generation, uint64_t most)
{
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    uint64_t added;

    do {
        if (word >> 32 != generation || (word & CLOSING))
            return 0;
        added = word & LOCK_HELD ? 1 : most;
    } while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, word + added,
                                                    memory_order_acquire, memory_order_relaxed));
    return added;
}

static void slot_leave(struct slot *slot, uint32_t index, uint64_t added)
{
    uint64_t before = atomic_fetch_sub_explicit(&slot->word, added, memory_order_acq_rel);

    if ((before & USERS) == 1)
        slot_free(slot, index);
}

/* Leaves and gives the lock up in one step. Returns false if somebody has to be woken. */
static bool slot_leave_with_lock(struct slot *slot, uint32_t index)
{
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);

    do {
        if (word & LOCK_WANTED)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, word - WITH_LOCK,
                                                    memory_order_acq_rel, memory_order_relaxed));
    if ((word & USERS) == 1)
        slot_free(slot, index);
    return true;
}

/* Holds the object of a handle of any kind until handle_release. Returns FSSL_OK, or why it is not
   to be had. */
int32_t handle_hold(fssl_handle h, struct object **out)
{
    struct slot *slot = h > 0 ? slot_of(h) : NULL;

    if (!slot || !slot_enter(slot, generation_of(h), 1))
        return FSSL_E_HANDLE;
    *out = slot->object;
    return FSSL_OK;
}

/* Enters and locks an object that has this handle only and that nobody uses, in one step. Fails
   for any other. What kind it is can only be told from inside. */
static bool enter_alone(struct slot *slot, fssl_handle h, int32_t kind)
{
    uint64_t idle = idle_word(h);

    if (!one_handle(kind) || generation_of(h) > GENERATION_LAST ||
        !atomic_compare_exchange_strong_explicit(&slot->word, &idle, idle + WITH_LOCK,
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    if (slot->kind == kind)
        return true;
    slot_leave(slot, index_of(h), WITH_LOCK);
    return false;
}

/* Leaves it and gives the lock up, likewise. */
static bool leave_alone(struct slot *slot, fssl_handle h, struct lock *lock)
{
    uint64_t alone = idle_word(h) + WITH_LOCK;

    if (lock->depth > 1 || lock->word != &slot->word)
        return false;
    lock_leaving(lock);
    return atomic_compare_exchange_strong_explicit(&slot->word, &alone, alone - WITH_LOCK,
                                                   memory_order_release, memory_order_relaxed);
}

/* Enters where others may be, and waits for the lock; or says what is wrong with a handle. Not
   inline, or the quick way would save registers for it. */
__attribute__((noinline)) static int64_t acquire_among(struct slot *slot, fssl_handle h,
                                                       int32_t kind, void *out, int32_t *err)
{
    uint64_t most = one_handle(kind) ? WITH_LOCK : 1, added;
    struct object *object;

    added = slot ? slot_enter(slot, generation_of(h), most) : 0;
    if (!added)
        return code_only(FSSL_E_HANDLE, err);
    if (slot->kind != kind) {
        slot_leave(slot, index_of(h), added);
        return code_only(FSSL_E_HANDLE_TYPE, err);
    }
    object = slot->object;
    memcpy(out, &object, sizeof object);
    if (added > 1)
        lock_entered(&object->lock);
    else
        lock_take(&object->lock);
    object->self = h;
    witness(object);
    return 0;
}

/* Holds the object of a handle, locks it and stores it in *out, for a call that mostly does not
   enter OpenSSL: where one does after all, it calls queue_empty first. finish_own gives the object
   back, or one of the other tails where the call has entered OpenSSL or fails. */
int64_t acquire_own(fssl_handle h, int32_t kind, void *out, int32_t *err)
{
    struct slot *slot = h > 0 ? slot_of(h) : NULL;
    struct object *object;

    if (!slot || !enter_alone(slot, h, kind))
        return acquire_among(slot, h, kind, out, err);
    object = slot->object;
    lock_entered(&object->lock);
    witness(object);
    memcpy(out, &object, sizeof object);
    return 0;
}

/* The same for every other call, with the thread's error queue empty. A tail of finish.c gives the
   object back. */
int64_t acquire(fssl_handle h, int32_t kind, void *out, int32_t *err)
{
    int64_t failed = acquire_own(h, kind, out, err);

    if (!failed)
        queue_empty();
    return failed;
}

__attribute__((noinline)) static void leave_among(struct slot *slot, fssl_handle h,
                                                  struct lock *lock)
{
    if (lock->depth > 1 || lock->word != &slot->word) {
        lock_give(lock);
        slot_leave(slot, index_of(h), 1);
        return;
    }
    lock_leaving(lock);
    if (slot_leave_with_lock(slot, index_of(h)))
        return;
    lock_release(lock);
    slot_leave(slot, index_of(h), 1);
}

/* Gives back what acquire took. */
void handle_leave(fssl_handle h)
{
    struct slot *slot = slot_of(h);
    struct lock *lock = &((struct object *)slot->object)->lock;

    if (!leave_alone(slot, h, lock))
        leave_among(slot, h, lock);
}

/* Ends a call that has not entered OpenSSL, or has left nothing in its queue, with a value >= 0, or
   with minus a code that has no record. The error queue, on which the caller's own use of OpenSSL
   may have left something, is not looked at: that would be the larger part of such a call. */
int64_t finish_own(fssl_handle h, int64_t value, int32_t *err)
{
    if (err)
        *err = value < 0 ? (int32_t)-value : FSSL_OK;
    if (h)
        handle_leave(h);
    return value;
}

/* Takes this call's use of a handle back, without its lock. */
void handle_release(fssl_handle h)
{
    slot_leave(slot_of(h), index_of(h), 1);
}

int64_t fssl_handle_close(fssl_handle h, int32_t *err)
{
    struct slot *slot = h > 0 ? slot_of(h) : NULL;
    uint64_t word;

    if (!slot)
        return code_only(FSSL_E_HANDLE, err);
    word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    do {
        if (word >> 32 != generation_of(h) || (word & CLOSING))
            return code_only(FSSL_E_HANDLE, err);
    } while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, word | CLOSING,
                                                    memory_order_acquire, memory_order_relaxed));
    object_closing(slot->object);
    handle_release(h);
    return finish(0, 0, err);
}

int64_t fssl_handle_count(int32_t type, int32_t *err)
{
    int64_t count = 0;

    start();
    if (type < FSSL_TYPE_ANY || type >= KIND_LIMIT)
        return refuse(0, "type", err);
    pthread_mutex_lock(&table);
    for (int32_t kind = 0; kind < KIND_LIMIT; kind++) {
        if (type == FSSL_TYPE_ANY || type == kind)
            count += open_handles[kind];
    }
    pthread_mutex_unlock(&table);
    return finish_own(0, count, err);
}

static fssl_handle slot_handle(uint32_t index, int32_t type)
{
    struct slot *slot = slot_at(index);
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);

    if ((word & CLOSING) || (type != FSSL_TYPE_ANY && slot->kind != type))
        return 0;
    return (fssl_handle)(word >> 32 << SLOT_BITS | index);
}

int64_t fssl_handle_next(int32_t type, fssl_handle previous, int32_t *err)
{
    fssl_handle found = 0;
    uint32_t index = previous ? index_of(previous) + 1 : 0;

    start();
    if (type < FSSL_TYPE_ANY || type >= KIND_LIMIT)
        return refuse(0, "type", err);
    if (previous < 0)
        return refuse(0, "previous", err);
    pthread_mutex_lock(&table);
    for (; index < slots_made && !found; index++)
        found = slot_handle(index, type);
    pthread_mutex_unlock(&table);
    return finish_own(0, found, err);
}
