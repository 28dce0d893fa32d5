/* An allocator that fails on demand and knows what is left.

   libcrypto hands on the file and line of each allocation, and flatssl allocates through
   OPENSSL_malloc: so a block tells whose it is. Blocks whose allocation is that of an OpenSSL
   object (SSL_new's own, X509_new's own, ...) are told by their place too: each object is made
   once at the start, and where its block comes from is noted. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

struct block {
    _Alignas(16) struct block *next; /* what malloc aligns stays aligned */
    struct block *before;
    const char *file;
    size_t size;
    int line;
    int mark;
};

enum { OBJECT_KINDS = 16, NOTED = 1 << 17 };

static struct block blocks = {.next = &blocks, .before = &blocks};
static int mark;
static bool counting;
static enum memory_plan plan;
static int64_t fail_index, counted;
static char failed_at[256];
static bool noted[NOTED]; /* by number: flatssl made this allocation itself */

static struct {
    const char *file;
    int line;
    size_t size;
} object_place[OBJECT_KINDS];
static int object_places;

/* ---- the allocator ---- */

static bool is_source(const char *file)
{
    return file && strstr(file, FLATSSL_SOURCES);
}

static bool fails(const char *file, int line)
{
    if (!counting)
        return false;
    counted++;
    if (plan == FAIL_NEVER && counted < NOTED)
        noted[counted] = is_source(file);
    if (plan == FAIL_NEVER || counted < fail_index || (plan == FAIL_ONCE && counted > fail_index))
        return false;
    if (!*failed_at)
        snprintf(failed_at, sizeof failed_at, "%s:%d", file ? file : "?", line);
    return true;
}

static void link_block(struct block *block, size_t size, const char *file, int line)
{
    block->size = size;
    block->file = file ? file : "?";
    block->line = line;
    block->mark = mark;
    block->next = blocks.next;
    block->before = &blocks;
    blocks.next->before = block;
    blocks.next = block;
}

static void unlink_block(struct block *block)
{
    block->next->before = block->before;
    block->before->next = block->next;
}

static void *take(size_t size, const char *file, int line)
{
    struct block *block;

    if (fails(file, line))
        return NULL;
    block = malloc(sizeof *block + size);
    if (!block)
        abort(); /* the machine's own memory is not under test */
    link_block(block, size, file, line);
    return block + 1;
}

static void give(void *data, const char *file, int line)
{
    struct block *block = (struct block *)data - 1;

    (void)file;
    (void)line;
    if (!data)
        return;
    unlink_block(block);
    memset(data, 0xdd, block->size);
    free(block);
}

static void *retake(void *data, size_t size, const char *file, int line)
{
    struct block *block = (struct block *)data - 1;
    void *moved;

    if (!data)
        return take(size, file, line);
    if (size == 0) {
        give(data, file, line);
        return NULL;
    }
    moved = take(size, file, line);
    if (!moved)
        return NULL;
    memcpy(moved, data, block->size < size ? block->size : size);
    give(data, file, line);
    return moved;
}

/* ---- whose a block is ---- */

static bool is_ours(const struct block *block)
{
    return is_source(block->file);
}

/* The table's chunks stay. */
static bool is_for_life(const struct block *block)
{
    return strstr(block->file, "/handle.c") != NULL;
}

static bool is_object(const struct block *block)
{
    for (int i = 0; i < object_places; i++) {
        if (block->line == object_place[i].line && block->size == object_place[i].size &&
            strcmp(block->file, object_place[i].file) == 0)
            return true;
    }
    return false;
}

static void note_object(void *object)
{
    const struct block *block = (struct block *)object - 1;

    if (!object || object_places == OBJECT_KINDS) {
        printf("cannot make OpenSSL's objects\n");
        exit(2);
    }
    object_place[object_places].file = block->file;
    object_place[object_places].line = block->line;
    object_place[object_places].size = block->size;
    object_places++;
}

static void note_objects(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    EVP_PKEY *key = EVP_PKEY_new();
    X509_STORE *store = X509_STORE_new();
    SSL_SESSION *session = SSL_SESSION_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();

    note_object(ctx);
    note_object(ssl);
    note_object(key);
    note_object(store);
    note_object(session);
    note_object(bio);
    note_object(cert);
    note_object(name);
    X509_NAME_free(name);
    X509_free(cert);
    BIO_free(bio);
    SSL_SESSION_free(session);
    X509_STORE_free(store);
    EVP_PKEY_free(key);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

void memory_install(void)
{
    if (CRYPTO_set_mem_functions(take, retake, give) != 1) {
        printf("libcrypto has allocated already\n");
        exit(2);
    }
    note_objects();
}

/* ---- plans ---- */

void memory_plan(enum memory_plan chosen, int64_t index)
{
    plan = chosen;
    fail_index = index;
    counted = 0;
    counting = false;
    failed_at[0] = '\0';
}

void memory_on(bool on)
{
    counting = on;
}

int64_t memory_counted(void)
{
    return counted;
}

bool memory_ours(int64_t index)
{
    return index < NOTED && noted[index];
}

const char *memory_failed_at(void)
{
    return failed_at;
}

void memory_mark(void)
{
    mark++;
}

int memory_left(void (*see)(const char *file, int line, size_t size))
{
    int count = 0;

    for (struct block *block = blocks.next; block != &blocks; block = block->next) {
        if (block->mark != mark || is_for_life(block) || !(is_ours(block) || is_object(block)))
            continue;
        count++;
        see(block->file, block->line, block->size);
    }
    return count;
}

size_t memory_openssl_left(void)
{
    size_t bytes = 0;

    for (struct block *block = blocks.next; block != &blocks; block = block->next) {
        if (block->mark == mark && !is_ours(block))
            bytes += block->size;
    }
    return bytes;
}
