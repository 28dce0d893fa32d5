/* Rings of bytes: ciphertext that waits between OpenSSL and a carrier, as a stream or as datagrams
   (bio_datagram.c), and plaintext that waits for recv. Their sizes are powers of two. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>

enum { RING_FIRST = 512, RING_KEPT = 512 };

static void ring_free(struct ring *ring)
{
    if (ring->secret)
        OPENSSL_clear_free(ring->data, ring->size);
    else
        OPENSSL_free(ring->data);
}

/* Makes room for `need` bytes in all. */
bool ring_grow(struct ring *ring, size_t need)
{
    size_t size = ring->size ? ring->size : RING_FIRST;
    size_t tail = ring->size - ring->start;
    uint8_t *data;

    while (size < need)
        size *= 2;
    data = OPENSSL_malloc(size);
    if (!data)
        return false;
    if (ring->count <= tail && ring->count > 0)
        memcpy(data, ring->data + ring->start, ring->count);
    if (ring->count > tail) {
        memcpy(data, ring->data + ring->start, tail);
        memcpy(data + tail, ring->data, ring->count - tail);
    }
    ring_free(ring);
    ring->data = data;
    ring->size = size;
    ring->start = 0;
    return true;
}

/* Returns where `count` bytes on, the ring goes on, and how much lies in one piece there. */
uint8_t *ring_at(const struct ring *ring, size_t count, size_t *piece)
{
    size_t at = (ring->start + count) & (ring->size - 1);

    *piece = ring->size - at;
    return ring->data + at;
}

/* Adds bytes as far as `max` allows. Returns how many, 0 also if memory ran out. */
size_t ring_write(struct ring *ring, const uint8_t *data, size_t len, size_t max)
{
    size_t room = max > ring->count ? max - ring->count : 0;
    size_t piece;
    uint8_t *at;

    if (len > room)
        len = room;
    if (len == 0 || (ring->count + len > ring->size && !ring_grow(ring, ring->count + len)))
        return 0;
    at = ring_at(ring, ring->count, &piece);
    if (piece > len)
        piece = len;
    memcpy(at, data, piece);
    memcpy(ring->data, data + piece, len - piece);
    ring->count += len;
    return len;
}

/* Drops bytes from the front; a large ring that is empty gives its memory back. */
void ring_drop(struct ring *ring, size_t len)
{
    ring->start = (ring->start + len) & (ring->size - 1);
    ring->count -= len;
    if (ring->count > 0)
        return;
    ring->start = 0;
    if (ring->size > RING_KEPT)
        ring_release(ring);
}

/* Gives the memory of an empty ring back. A secret ring stays one. */
void ring_release(struct ring *ring)
{
    if (ring->count > 0)
        return;
    ring_free(ring);
    ring->data = NULL;
    ring->size = 0;
    ring->start = 0;
}

/* Copies bytes from the front. Returns how many. */
size_t ring_peek(const struct ring *ring, uint8_t *buf, size_t len)
{
    size_t piece;
    const uint8_t *at;

    if (len > ring->count)
        len = ring->count;
    if (len == 0)
        return 0;
    at = ring_at(ring, 0, &piece);
    if (piece > len)
        piece = len;
    memcpy(buf, at, piece);
    memcpy(buf + piece, ring->data, len - piece);
    return len;
}

/* The same, and drops them. */
size_t ring_read(struct ring *ring, uint8_t *buf, size_t len)
{
    size_t got = ring_peek(ring, buf, len);

    if (got > 0)
        ring_drop(ring, got);
    return got;
}
