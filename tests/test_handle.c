#define _GNU_SOURCE /* dladdr */

#include "pair.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

/* ---- a handle of each type ---- */

static fssl_handle make_ctx(void)
{
    return CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
}

static fssl_handle make_conn(void)
{
    fssl_handle ctx = make_ctx();
    fssl_handle conn = CHECK_MADE(fssl_conn_new_memory(ctx, &err));

    check_close(ctx);
    return conn;
}

static fssl_handle make_session(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
    fssl_handle session = CHECK_MADE(fssl_conn_session(pair.client, &err));

    pair_close(&pair);
    return session;
}

static fssl_handle make_cert(void)
{
    return identity_cert_handle(ID_EC);
}

static fssl_handle make_key(void)
{
    return identity_key_handle(ID_EC);
}

static fssl_handle make_name(void)
{
    fssl_handle cert = make_cert();
    fssl_handle name = CHECK_MADE(fssl_cert_subject(cert, &err));

    check_close(cert);
    return name;
}

static fssl_handle make_store(void)
{
    return CHECK_MADE(fssl_store_new(&err));
}

static const struct {
    int32_t type;
    const char *name;
    fssl_handle (*make)(void);
} kinds[] = {
    {FSSL_TYPE_CTX, "ctx", make_ctx},
    {FSSL_TYPE_CONN, "conn", make_conn},
    {FSSL_TYPE_SESSION, "session", make_session},
    {FSSL_TYPE_CERT, "cert", make_cert},
    {FSSL_TYPE_KEY, "key", make_key},
    {FSSL_TYPE_NAME, "name", make_name},
    {FSSL_TYPE_STORE, "store", make_store},
};

static void opens_and_closes(void)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        fssl_handle h;

        check_row(kinds[i].name);
        h = kinds[i].make();
        CHECK_IS(kinds[i].type, fssl_handle_type(h, &err));
        CHECK_IS(1, fssl_handle_count(kinds[i].type, &err));
        CHECK_IS(1, fssl_handle_count(FSSL_TYPE_ANY, &err));
        CHECK_IS(h, fssl_handle_next(kinds[i].type, 0, &err));
        CHECK_IS(1, fssl_handle_same(h, h, &err));
        check_close(h);
        CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_close(h, &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_type(h, &err));
        CHECK_IS(0, fssl_handle_count(kinds[i].type, &err));
    }
}

static void wrong_type(void)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        bool cert = kinds[i].type == FSSL_TYPE_CERT, ctx = kinds[i].type == FSSL_TYPE_CTX;
        fssl_handle h;

        check_row(kinds[i].name);
        h = kinds[i].make();
        if (!cert)
            CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_cert_to_der(h, NULL, 0, &err));
        if (!ctx)
            CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_options(h, &err));
        CHECK_IS(kinds[i].type, fssl_handle_type(h, &err));
        check_close(h);
    }
}

static void bad_values(void)
{
    fssl_handle live = make_store(), stale = make_store();
    const fssl_handle bad[] = {
        0,
        1,
        -1,
        -live,
        INT64_MIN,
        INT64_MAX,
        (1 << 24) - 1,
        stale,
        live + (1 << 24), /* another generation of its slot */
        live - (1 << 24),
        live ^ (INT64_C(1) << 52),
        live | INT64_C(1) << 53,
        live | INT64_C(1) << 62,
        (live & ~INT64_C(0xffffff)) | 0xffffff, /* a slot that was never made */
        INT64_C(1) << 53,
        (INT64_C(1) << 53) + 1,
        -FSSL_E_WANT_READ, /* a failed result that nobody looked at */
        -65536,
    };

    check_close(stale);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char row[32];

        snprintf(row, sizeof row, "%#llx", (unsigned long long)bad[i]);
        check_row(row);
        CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_close(bad[i], &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_type(bad[i], &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_same(bad[i], live, &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_same(live, bad[i], &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_store_count(bad[i], &err));
        check_row(NULL);
    }
    CHECK_IS(0, fssl_store_count(live, &err));
    check_close(live);
}

/* A connection is entered in a way of its own. */
static void no_connection(void)
{
    fssl_handle conn = make_conn();

    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_pending(-conn, &err));
    for (int bit = 24; bit < 63; bit++)
        CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_pending(conn ^ (INT64_C(1) << bit), &err));
    CHECK_IS(0, fssl_conn_pending(conn, &err));
    check_close(conn);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_pending(conn, &err));
}

static void of_another_copy(void)
{
    Dl_info ours;
    uint8_t *image;
    const char *path;
    void *library = dlopen("libflatssl.so.1", RTLD_NOW | RTLD_NOLOAD), *copy;
    FILE *file;
    fssl_handle foreign = 0, own = make_store();
    size_t len = 0, room = 1 << 26;
    fssl_handle (*make)(int32_t *);

    CHECK(library && dladdr(dlsym(library, "fssl_version_number"), &ours));
    image = malloc(room);
    file = fopen(ours.dli_fname, "rb");
    if (CHECK(image && file))
        len = fread(image, 1, room, file);
    path = scratch_file(image, len);
    copy = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (CHECK(copy)) {
        *(void **)&make = dlsym(copy, "fssl_store_new");
        foreign = make(NULL);
        CHECK(foreign > 0 && foreign != own);
        CHECK_FAILS(FSSL_E_HANDLE, fssl_store_count(foreign, &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_close(foreign, &err));
    }
    fclose(file);
    free(image);
    dlclose(library);
    check_close(own);
}

/* ---- counting and comparing ---- */

static void count_and_next(void)
{
    fssl_handle ctx = make_ctx();
    fssl_handle stores[5], h = 0;
    int found = 0;

    for (size_t i = 0; i < COUNT_OF(stores); i++)
        stores[i] = make_store();
    CHECK_IS(5, fssl_handle_count(FSSL_TYPE_STORE, &err));
    CHECK_IS(6, fssl_handle_count(FSSL_TYPE_ANY, &err));
    while ((h = CHECK_GIVES(fssl_handle_next(FSSL_TYPE_STORE, h, &err))) > 0) {
        for (size_t i = 0; i < COUNT_OF(stores); i++)
            found += stores[i] == h;
        CHECK(found <= 5);
        check_close(h); /* the next may be asked for all the same */
    }
    CHECK_EQUAL(5, found);
    CHECK_IS(ctx, fssl_handle_next(FSSL_TYPE_ANY, 0, &err));
    CHECK_IS(0, fssl_handle_next(FSSL_TYPE_ANY, ctx, &err));
    CHECK_IS(0, fssl_handle_next(FSSL_TYPE_CONN, 0, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_handle_count(-1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_handle_count(1000, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_handle_next(-1, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_handle_next(INT32_MAX, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_handle_next(FSSL_TYPE_ANY, -1, &err));
}

static void same_object(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    fssl_handle ctx = CHECK_MADE(fssl_conn_context(pair.client, &err));
    fssl_handle store = CHECK_MADE(fssl_ctx_cert_store(ctx, &err));
    fssl_handle again = CHECK_MADE(fssl_ctx_cert_store(pair.client_ctx, &err));

    CHECK(ctx != pair.client_ctx && store != again);
    CHECK_IS(1, fssl_handle_same(ctx, pair.client_ctx, &err));
    CHECK_IS(0, fssl_handle_same(ctx, pair.server_ctx, &err));
    CHECK_IS(0, fssl_handle_same(ctx, pair.client, &err));
    CHECK_IS(1, fssl_handle_same(store, again, &err));
    check_close(ctx);
    check_close(store);
    check_close(again);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_same(ctx, pair.client_ctx, &err));
    pair_close(&pair);
}

/* ---- values ---- */

static int by_value(const void *a, const void *b)
{
    fssl_handle first = *(const fssl_handle *)a, second = *(const fssl_handle *)b;

    return (first > second) - (first < second);
}

/* Returns how many values occur more than once. */
static int repeated(fssl_handle *values, int64_t count)
{
    int found = 0;

    qsort(values, (size_t)count, sizeof *values, by_value);
    for (int64_t i = 1; i < count; i++)
        found += values[i] == values[i - 1];
    return found;
}

static void a_million_values(void)
{
    int64_t rounds = check_rounds(1000000);
    fssl_handle *values = calloc((size_t)rounds, sizeof *values);
    fssl_handle cert = make_cert();

    for (int64_t i = 0; CHECK(values) && i < rounds; i++) {
        values[i] = fssl_cert_subject(cert, NULL);
        if (values[i] <= 0 || fssl_handle_close(values[i], NULL))
            break;
    }
    CHECK_EQUAL(0, repeated(values, rounds));
    CHECK(values[0] >= 1 << 24 && values[rounds - 1] < INT64_C(1) << 53);
    check_close(cert);
    free(values);
}

static void many_at_once(void)
{
    enum { MANY = 5000 }; /* more than one chunk of slots */
    static fssl_handle handles[MANY];
    fssl_handle cert = make_cert();

    for (int i = 0; i < MANY; i++)
        handles[i] = fssl_cert_subject(cert, NULL);
    CHECK_IS(MANY, fssl_handle_count(FSSL_TYPE_NAME, &err));
    for (int i = 0; i < MANY; i++) {
        if (fssl_name_count(handles[i], NULL) != 2 || fssl_handle_close(handles[i], NULL))
            CHECK(false);
    }
    CHECK_EQUAL(0, repeated(handles, MANY));
    check_close(cert);
}

/* ---- where memory runs out ---- */

enum { CHUNK_LEAST = 1 << 16 }; /* only the table asks for so much at once */

static bool table_fails;

static void *allocate(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return table_fails && size > CHUNK_LEAST ? NULL : malloc(size);
}

static void *allocate_again(void *block, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(block, size);
}

static void give_back(void *block, const char *file, int line)
{
    (void)file, (void)line;
    free(block);
}

/* The slots that there are go on being used, and the table grows when it can again. */
static void no_room_in_the_table(void)
{
    enum { MOST = 20000 };
    static fssl_handle handles[MOST];
    fssl_handle one;
    int64_t count = 0;

    table_fails = true;
    while (count < MOST && (handles[count] = fssl_name_new(&err)) > 0)
        count++;
    if (CHECK(count < MOST))
        CHECK_FAILS(FSSL_E_MEMORY, fssl_name_new(&err));
    CHECK_IS(count, fssl_handle_count(FSSL_TYPE_NAME, &err));
    table_fails = false;
    one = CHECK_MADE(fssl_name_new(&err));
    check_close(one);
    for (int64_t i = 0; i < count; i++)
        check_close(handles[i]);
}

/* ---- lifetimes ---- */

static void any_order_of_closing(void)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct pair pair = pair_established(&(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
        fssl_handle parts[3] = {pair.client, pair.client_ctx, 0};

        parts[2] = CHECK_MADE(fssl_conn_session(pair.client, &err));
        for (int k = 0; k < 3; k++)
            check_close(parts[orders[i][k]]);
        pair.client = pair.client_ctx = 0;
        pair_close(&pair);
    }
}

static void contexts_closed_before_the_handshake(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    check_close(pair.client_ctx);
    check_close(pair.server_ctx);
    pair.client_ctx = pair.server_ctx = 0;
    CHECK(pair_handshake(&pair));
    CHECK(pair_transfer(&pair, pair.server, (const uint8_t *)"still here", 10));
    pair_close(&pair);
}

static void use_in_child(void *argument)
{
    fssl_handle cert = *(fssl_handle *)argument;
    fssl_handle name = CHECK_MADE(fssl_cert_subject(cert, &err));

    CHECK_IS(2, fssl_name_count(name, &err));
    check_close(name);
    check_close(cert);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_cert_copy(cert, &err));
}

static void a_child_of_fork_has_its_own(void)
{
    fssl_handle cert = make_cert();

    check_child(use_in_child, &cert);
    CHECK_IS(FSSL_TYPE_CERT, fssl_handle_type(cert, &err));
    check_close(cert);
}

static const struct check_case cases[] = {
    {"opens and closes", opens_and_closes},
    {"wrong type", wrong_type},
    {"bad values", bad_values},
    {"no connection", no_connection},
    {"of another copy of the library", of_another_copy},
    {"count and next", count_and_next},
    {"same object", same_object},
    {"a million values, none twice", a_million_values},
    {"many at once", many_at_once},
    {"no room in the table", no_room_in_the_table},
    {"CVE-2018-1000807 any order of closing", any_order_of_closing},
    {"CVE-2026-19445 contexts closed before the handshake", contexts_closed_before_the_handshake},
    {"a child of fork has its own", a_child_of_fork_has_its_own},
};

int main(int argc, char **argv)
{
    CRYPTO_set_mem_functions(allocate, allocate_again, give_back);
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
