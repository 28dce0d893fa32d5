#include "fuzz_value.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "identity.h"
#include "live.h"

enum { BYTES_MAX = 16, SCRATCH_FILES = 4 };
enum { KEY_BITS_MOST = 512, ITERATIONS_MOST = 1000 };

static const int64_t HUGE_LEN = (INT64_C(1) << 32) + 4096;
static uint8_t *huge; /* memory that long, of which nothing is there until it is written */

static struct bytes samples[BYTES_MAX];
static int sample_count;
static struct bytes last_output;

static char folder[64];
static char paths[SCRATCH_FILES][96];

/* ---- handles ---- */

void pool_add(struct pool *pool, fssl_handle h)
{
    int64_t type = h >= 1 << 24 ? fssl_handle_type(h, NULL) : -1;
    int at = pool->count;

    for (int i = 0; i < pool->count; i++) {
        if (pool->open[i] == h)
            return;
    }
    if (type <= 0)
        return;
    if (at == POOL_SIZE) {
        at = (int)tape_below(pool->tape, POOL_SIZE);
        fssl_handle_close(pool->open[at], NULL);
    } else {
        pool->count++;
    }
    pool->open[at] = h;
    pool->type[at] = type;
}

void pool_sort(struct pool *pool)
{
    for (int i = 0; i < pool->count;) {
        if (fssl_handle_type(pool->open[i], NULL) > 0) {
            i++;
            continue;
        }
        pool->stale[pool->stale_count++ % POOL_STALE] = pool->open[i];
        pool->open[i] = pool->open[--pool->count];
        pool->type[i] = pool->type[pool->count];
    }
}

static fssl_handle open_of_type(struct pool *pool, int64_t type)
{
    int start = (int)tape_below(pool->tape, pool->count + 1);

    for (int i = 0; i < pool->count; i++) {
        int at = (start + i) % pool->count;

        if (type == FSSL_TYPE_ANY || pool->type[at] == type)
            return pool->open[at];
    }
    return 0;
}

static fssl_handle forged(struct pool *pool)
{
    fssl_handle near = open_of_type(pool, FSSL_TYPE_ANY);

    switch (tape_below(pool->tape, 6)) {
    case 0:
        return (fssl_handle)(tape_number(pool->tape, 8) >> 11);
    case 1:
        return (fssl_handle)tape_number(pool->tape, 8);
    case 2:
        return near + (1 << 24);
    case 3:
        return near ^ INT64_C(1) << tape_below(pool->tape, 63);
    case 4:
        return -near;
    default:
        return tape_below(pool->tape, 3) - 1;
    }
}

static fssl_handle choose_handle(struct pool *pool, const char *name)
{
    int64_t chance = tape_below(pool->tape, 64);

    if (chance < 56)
        return open_of_type(pool, live_type_named(name));
    if (chance < 59)
        return open_of_type(pool, FSSL_TYPE_ANY);
    if (chance < 61)
        return pool->stale[tape_below(pool->tape, POOL_STALE)];
    return forged(pool);
}

/* ---- numbers ---- */

static int64_t any_number(struct tape *tape)
{
    static const int64_t numbers[] = {
        0,  1,    2,         3,         4,         7,         16,         32,
        64, 255,  256,       4096,      16384,     65535,     1 << 20,    -1,
        -2, -255, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1767268800, INT64_C(1) << 32};
    int64_t chance = tape_below(tape, 16);

    if (chance < 8)
        return tape_below(tape, 4);
    if (chance < 15)
        return numbers[tape_below(tape, COUNT_OF(numbers))];
    return (int64_t)tape_number(tape, 8);
}

/* Numbers that would only cost time, in a call that does as it is told, are taken small. */
static int64_t number_for(struct tape *tape, const char *name, bool wide)
{
    static const int64_t types[] = {FSSL_KEY_RSA, FSSL_KEY_EC, FSSL_KEY_ED25519, FSSL_KEY_ED448};
    int64_t number = wide ? any_number(tape) : (int32_t)any_number(tape);

    if (strcmp(name, "bits") == 0 && number > KEY_BITS_MOST && number < INT32_MAX)
        return KEY_BITS_MOST;
    if (strstr(name, "iterations") && number > ITERATIONS_MOST)
        return ITERATIONS_MOST;
    if (strcmp(name, "type") == 0 && number == FSSL_KEY_DSA)
        return 0;
    if (strcmp(name, "type") == 0 && tape_below(tape, 2))
        return types[tape_below(tape, COUNT_OF(types))];
    if (strcmp(name, "port") == 0 && number > 0 && number <= 65535)
        return 0; /* never somebody's service */
    if (strcmp(name, "fd") == 0 && tape_below(tape, 4))
        return FIRST_FD + tape_below(tape, POOL_FDS);
    if (strcmp(name, "fd") == 0 && number >= 0 && number < 1024)
        return FSSL_NO_FD; /* not one that is another's */
    return number;
}

/* ---- texts and bytes ---- */

static const char *const texts[] = {"",
                                    "localhost",
                                    "example.test",
                                    "127.0.0.1",
                                    "::1",
                                    "*.example.test",
                                    "P-256",
                                    "sha256",
                                    "sha1",
                                    "aes-256-cbc",
                                    "HIGH",
                                    "ECDHE-ECDSA-AES128-GCM-SHA256",
                                    "TLS_AES_128_GCM_SHA256",
                                    "X25519:P-256",
                                    "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80",
                                    "1234567890abcdef",
                                    "-0",
                                    "CN",
                                    "2.5.4.3",
                                    "basicConstraints",
                                    "CA:TRUE",
                                    "subjectAltName",
                                    "DNS:localhost,IP:::1",
                                    "keyUsage",
                                    "digitalSignature",
                                    "20260101000000Z",
                                    "an identity",
                                    "a passphrase",
                                    "\xff\xfe",
                                    "@section",
                                    "EXPORTER-test"};

/* A path, and where a call would ask the network, nothing but numbers. */
static const char *text_for(struct tape *tape, const struct surface_function *function,
                            const char *name)
{
    static const char *const addresses[] = {"127.0.0.1", "::1", "", "127.0.0.1.1\n"};
    bool resolves = strcmp(function->name, "fssl_conn_connect") == 0 ||
                    strcmp(function->name, "fssl_conn_bind") == 0;

    if (resolves)
        return addresses[tape_below(tape, COUNT_OF(addresses))];
    if (strcmp(name, "path") == 0 || strcmp(name, "file") == 0 || strcmp(name, "dir") == 0)
        return paths[tape_below(tape, SCRATCH_FILES)];
    return texts[tape_below(tape, COUNT_OF(texts))];
}

static void *block(struct fuzz_call *call, const void *data, int64_t len)
{
    void *made = malloc(len > 0 ? (size_t)len : 1);

    if (data && len > 0)
        memcpy(made, data, (size_t)len);
    else if (len > 0)
        memset(made, 0xa5, (size_t)len);
    call->blocks[call->count++] = made;
    return made;
}

static void put(struct fuzz_call *call, int i, const void *pointer, int64_t len)
{
    call->call.values[i].pointer = pointer;
    call->call.values[i + 1].number64 = len;
}

/* Lengths that no call may believe, and memory as long as it is told. */
static void put_hostile(struct tape *tape, struct fuzz_call *call, int i)
{
    static const int64_t lengths[] = {INT32_MAX - 1, INT64_C(1) << 31, INT64_C(1) << 32,
                                      (INT64_C(1) << 32) + 5};

    switch (tape_below(tape, 8)) {
    case 0:
        put(call, i, NULL, lengths[tape_below(tape, COUNT_OF(lengths))]);
        break;
    case 1:
        put(call, i, NULL, any_number(tape));
        break;
    case 2:
        put(call, i, block(call, "x", 1), -1 - tape_below(tape, 65536));
        break;
    case 3:
        if (tape_below(tape, 256) == 0) { /* such calls take long */
            put(call, i, huge, lengths[tape_below(tape, COUNT_OF(lengths))]);
            break;
        } /* fall through */
    default:
        put(call, i, NULL, 0);
    }
}

static void put_text(struct tape *tape, struct fuzz_call *call, int i)
{
    const struct surface_function *function = call->call.function;
    const char *text = text_for(tape, function, function->parameters[i].name);
    int64_t len = (int64_t)strlen(text), chance = tape_below(tape, 16);

    if (chance == 0)
        put_hostile(tape, call, i);
    else if (chance < 5)
        put(call, i, block(call, text, len + 1), FSSL_NUL_TERMINATED);
    else if (chance == 5)
        put(call, i, block(call, text, len + 1), len + 1); /* with its NUL */
    else
        put(call, i, block(call, text, len), len);
}

static void put_bytes(struct tape *tape, struct fuzz_call *call, int i)
{
    const struct bytes *sample = &samples[tape_below(tape, sample_count)];
    int64_t chance = tape_below(tape, 16), len;
    uint8_t *made;

    if (chance == 0) {
        put_hostile(tape, call, i);
        return;
    }
    if (chance < 5)
        sample = &last_output;
    len = chance == 6 ? tape_below(tape, sample->len + 1) : sample->len;
    made = block(call, sample->data, len);
    if (chance > 12 && len > 0)
        made[tape_below(tape, len)] ^= (uint8_t)(1 << tape_below(tape, 8));
    put(call, i, made, len);
}

static void put_output(struct tape *tape, struct fuzz_call *call, int i)
{
    static const int64_t caps[] = {0, 1, 2, 16, 31, 32, 48, 256, 4096, 4096, 65536, 65536};
    int64_t cap = caps[tape_below(tape, COUNT_OF(caps))];

    if (tape_below(tape, 16) == 0)
        put_hostile(tape, call, i);
    else
        put(call, i, block(call, NULL, cap), cap);
}

/* ---- a whole call ---- */

static void fill_one(struct pool *pool, struct fuzz_call *call, int i)
{
    enum surface_kind kind = call->call.function->parameters[i].kind;
    const char *name = call->call.function->parameters[i].name;
    union value *value = &call->call.values[i];

    call->call.numbers[i] = CALL_POISON;
    if (kind == SURFACE_HANDLE)
        value->number64 = choose_handle(pool, name);
    else if (kind == SURFACE_INT32)
        value->number32 = (int32_t)number_for(pool->tape, name, false);
    else if (kind == SURFACE_INT64)
        value->number64 = number_for(pool->tape, name, true);
    else if (kind == SURFACE_TEXT)
        put_text(pool->tape, call, i);
    else if (kind == SURFACE_BYTES)
        put_bytes(pool->tape, call, i);
    else if (kind == SURFACE_TEXT_OUT || kind == SURFACE_BYTES_OUT)
        put_output(pool->tape, call, i);
    else if (kind == SURFACE_INT32_OUT || kind == SURFACE_INT64_OUT)
        value->pointer = tape_below(pool->tape, 16) ? &call->call.numbers[i] : NULL;
    else if (kind == SURFACE_ERR)
        value->pointer = tape_below(pool->tape, 4) ? &call->call.numbers[i] : NULL;
}

void value_fill(struct pool *pool, struct fuzz_call *call, const struct surface_function *function)
{
    memset(call, 0, sizeof *call);
    call->call.function = function;
    for (int i = 0; i < function->count; i++)
        fill_one(pool, call, i);
}

/* Keeps an output, for a later call to take in. */
static void keep_output(const struct call *call)
{
    for (int i = 0; i + 1 < call->function->count; i++) {
        enum surface_kind kind = call->function->parameters[i].kind;
        int64_t cap = call->values[i + 1].number64;

        if ((kind != SURFACE_TEXT_OUT && kind != SURFACE_BYTES_OUT) || cap < 1 || cap > 65536 ||
            !call->values[i].pointer)
            continue;
        last_output.len = cap < (int64_t)sizeof last_output.data ? cap : 1024;
        memcpy(last_output.data, call->values[i].pointer, (size_t)last_output.len);
    }
}

void value_drop(struct fuzz_call *call)
{
    keep_output(&call->call);
    while (call->count > 0)
        free(call->blocks[--call->count]);
}

/* ---- what values are taken from ---- */

void value_add_bytes(const uint8_t *data, int64_t len)
{
    struct bytes *sample = &samples[sample_count];

    if (sample_count == BYTES_MAX || len > (int64_t)sizeof sample->data)
        abort();
    memcpy(sample->data, data, (size_t)len);
    sample->len = len;
    sample_count++;
}

static void write_file(int i, const char *name, const uint8_t *data, int64_t len)
{
    FILE *file;

    snprintf(paths[i], sizeof paths[i], "%s/%s", folder, name);
    if (!data)
        return;
    file = fopen(paths[i], "w");
    if (!file || fwrite(data, 1, (size_t)len, file) != (size_t)len || fclose(file) != 0)
        abort();
}

static void remove_files(void)
{
    for (int i = 0; i < SCRATCH_FILES; i++)
        unlink(paths[i]);
    rmdir(folder);
}

static void add_samples(void)
{
    static const uint8_t protos[] = "\x02h2\x08http/1.1";
    struct encoded cert = identity_cert_pem(ID_EC), key = identity_key_pem(ID_EC, NULL);
    struct encoded locked = identity_key_pem(ID_EC, "a passphrase");
    struct encoded cert_der = identity_cert_der(ID_EC), key_der = identity_key_der(ID_EC);

    value_add_bytes(cert.data, cert.len);
    value_add_bytes(key.data, key.len);
    value_add_bytes(locked.data, locked.len);
    value_add_bytes(cert_der.data, cert_der.len);
    value_add_bytes(key_der.data, key_der.len);
    value_add_bytes(protos, sizeof protos - 1);
    value_add_bytes((const uint8_t *)"a passphrase", 12);
    value_add_bytes(cert.data, 80); /* ticket keys */
    value_add_bytes(cert.data, 32); /* a digest, an id */
    write_file(0, "cert.pem", cert.data, cert.len);
    write_file(1, "key.pem", key.data, key.len);
    write_file(2, "part.pem", cert.data, cert.len - 100);
    write_file(3, "none", NULL, 0);
}

void value_begin(void)
{
    const char *where = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%.40s/fuzz-abi-XXXXXX", where ? where : "/tmp");
    huge = mmap(NULL, (size_t)HUGE_LEN, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!mkdtemp(folder) || huge == MAP_FAILED)
        abort();
    atexit(remove_files);
    add_samples();
}

const char *value_cert_file(void)
{
    return paths[0];
}

/* ---- fds ---- */

static void keep_fd(int i, int fd)
{
    if (fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD + i) != FIRST_FD + i)
        abort();
    close(fd);
}

/* They lie above all others, so that one that was given away and closed is nobody else's. */
void value_open_fds(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        abort();
    keep_fd(0, ends[0]);
    keep_fd(1, ends[1]);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        abort();
    keep_fd(2, ends[0]);
    keep_fd(3, ends[1]);
    if (pipe(ends) != 0)
        abort();
    keep_fd(4, ends[0]);
    keep_fd(5, ends[1]);
}

void value_close_fds(void)
{
    for (int i = 0; i < POOL_FDS; i++)
        close(FIRST_FD + i);
}
