/* Any sequence of exported functions: a tape says which, and with what (fuzz_value.c). Among them
   the two ends of a pair go on with their handshake, so that calls meet connections in every state;
   callbacks make calls of their own, and answer what they may and may not.

   After each call err and result must agree and OpenSSL's error queue be empty; after each sequence
   no handle may be left, and now and then a fresh handshake must work.

       fuzz_abi [--short | --long] [--seed N]
       fuzz_abi_guided [--short | --long] [--seed N] [INPUT] */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "fuzz_value.h"
#include "live.h"
#include "pair.h"

enum { HANDSHAKE_EVERY = 500, TICK_MS = 5, NESTED = 2 };

const char *const fuzz_name = "fuzz-abi";
const struct fuzz_amounts fuzz_amounts = {.points = {1000000, 10000000, 100000000},
                                          .seconds = {120, 900, 14400},
                                          .guided = {15, 120, 3600},
                                          .longest = 32768};

static struct pool pool;
static struct pair pair;
static int depth; /* of calls made by callbacks */

/* ---- one call ---- */

/* Tells whether a code has no place in what came back: nothing fails to allocate here, but the
   system has a bound of its own for what a socket's options take. */
static bool out_of_place(const char *name, int64_t code)
{
    if (code == FSSL_E_MEMORY)
        return strcmp(name, "fssl_conn_setsockopt") != 0;
    return code == FSSL_E_EXPIRED && strncmp(name, "fssl_error_", 11) != 0;
}

/* Tells whether what came back is as every function promises. */
static void judge(const struct call *call, int64_t result)
{
    const char *name = call->function->name;
    int last = call->function->count - 1;
    int64_t code = fssl_error_code(result, NULL);
    int32_t error = (int32_t)code;

    if (call->values[last].pointer)
        memcpy(&error, &call->numbers[last], sizeof error);
    if (error != code)
        figure_failed("%s: %lld with err %d", name, (long long)result, error);
    if (result < 0 && (fssl_error_kind((int32_t)code, NULL) < FSSL_KIND_WANT ||
                       fssl_error_kind((int32_t)code, NULL) > FSSL_KIND_INTERNAL))
        figure_failed("%s: %lld is no result", name, (long long)result);
    if (out_of_place(name, code))
        figure_failed("%s: %s", name, error_text(result));
    if (depth == 0 && ERR_peek_error()) {
        figure_failed("%s leaves an error in OpenSSL's queue", name);
        ERR_clear_error();
    }
}

static void set_callback(struct call *call);

/* Closes an fd that the library made and has given away. */
static void close_given(int64_t fd)
{
    if (fd >= 0 && (fd < FIRST_FD || fd >= FIRST_FD + POOL_FDS))
        close((int)fd);
}

static void call_one(const struct surface_function *function)
{
    struct fuzz_call call;
    int64_t result;

    value_fill(&pool, &call, function);
    set_callback(&call.call);
    result = invoke(&call.call);
    judge(&call.call, result);
    value_drop(&call);
    if (strcmp(function->name, "fssl_conn_detach") == 0)
        close_given(result);
    pool_add(&pool, result);
    if (strcmp(function->name, "fssl_handle_close") == 0)
        pool_sort(&pool);
    figure_points(1);
}

/* Some functions take a hundred times as long as the others: they are called less often. */
static bool is_slow(const char *name)
{
    static const char *const slow[] = {
        "fssl_key_from_",      "fssl_key_public_from_", "fssl_ctx_new",   "fssl_key_to_",
        "fssl_key_public_to_", "_set_public_key",       "fssl_cert_copy", "fssl_key_generate",
        "fssl_pkcs12_",        "fssl_ctx_load_",        "_to_text",       "_sign",
        "_private_key_file"};

    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        if (strstr(name, slow[i]))
            return true;
    }
    return false;
}

static void call_any(void)
{
    const struct surface_function *function =
        &surface_functions[tape_below(pool.tape, COUNT_OF(surface_functions))];

    if (is_slow(function->name) && tape_below(pool.tape, 8))
        return;
    call_one(function);
}

/* ---- callbacks ---- */

static int32_t called_back(fssl_handle h)
{
    static const int32_t answers[] = {1, 1, 1, 1, 0, 0, 2, -1};
    uint8_t answer[64];
    int64_t len = tape_below(pool.tape, sizeof answer);

    for (int64_t i = 0; i < len; i++)
        answer[i] = (uint8_t)tape_number(pool.tape, 1);
    if (fssl_handle_type(h, NULL) == FSSL_TYPE_CTX)
        fssl_ctx_answer_passphrase(h, answer, len, NULL);
    else
        fssl_conn_answer(h, answer, len, NULL);
    if (depth == 0) {
        depth++;
        for (int i = 0; i < NESTED; i++)
            call_any();
        depth--;
    }
    return answers[tape_below(pool.tape, COUNT_OF(answers))];
}

static int32_t on_verify(int64_t token, fssl_handle conn, int32_t error, int32_t at, int32_t ok)
{
    (void)token, (void)error, (void)at, (void)ok;
    return called_back(conn);
}

static int32_t on_info(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    (void)token, (void)where, (void)result;
    return called_back(conn);
}

static int32_t on_server_name(int64_t token, fssl_handle conn)
{
    (void)token;
    return called_back(conn);
}

static int32_t on_protos(int64_t token, fssl_handle conn, const uint8_t *protos, int64_t len)
{
    (void)token, (void)protos, (void)len;
    return called_back(conn);
}

static int32_t on_text(int64_t token, fssl_handle conn, const char *text, int64_t len)
{
    (void)token, (void)text, (void)len;
    return called_back(conn);
}

static int32_t on_passphrase(int64_t token, fssl_handle ctx, int32_t max, int32_t verify)
{
    (void)token, (void)max, (void)verify;
    return called_back(ctx);
}

static surface_call callback_for(const char *function)
{
    static const struct {
        const char *part;
        surface_call callback;
    } callbacks[] = {{"verify_callback", (surface_call)on_verify},
                     {"info_callback", (surface_call)on_info},
                     {"server_name_callback", (surface_call)on_server_name},
                     {"keylog_callback", (surface_call)on_text},
                     {"passphrase_callback", (surface_call)on_passphrase}};

    for (size_t i = 0; i < COUNT_OF(callbacks); i++) {
        if (strstr(function, callbacks[i].part))
            return callbacks[i].callback;
    }
    return (surface_call)on_protos;
}

static void set_callback(struct call *call)
{
    for (int i = 0; i < call->function->count; i++) {
        if (call->function->parameters[i].kind == SURFACE_CALLBACK && tape_below(pool.tape, 4))
            *(surface_call *)&call->values[i] = callback_for(call->function->name);
    }
}

/* ---- a sequence ---- */

static void open_all(void)
{
    static const int32_t versions[] = {0, FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};
    struct pair_plan plan = {.version = versions[tape_below(pool.tape, COUNT_OF(versions))]};

    if (tape_below(pool.tape, 4) == 0)
        plan.client = ID_CLIENT;
    live_open();
    pair = pair_open(&plan);
    for (int i = 0; i < LIVE_TYPES; i++)
        pool_add(&pool, live[i]);
    pool_add(&pool, pair.client_ctx);
    pool_add(&pool, pair.server_ctx);
    pool_add(&pool, pair.client);
    pool_add(&pool, pair.server);
    pool.stale[pool.stale_count++] = live_stale;
}

/* The ends of the pair get a little further. */
static void advance(void)
{
    fssl_conn_do_handshake(pair.client, NULL);
    pair_carry(&pair);
    fssl_conn_do_handshake(pair.server, NULL);
    pair_carry(&pair);
}

static void close_all(void)
{
    int64_t left;

    while (pool.count > 0)
        fssl_handle_close(pool.open[--pool.count], NULL);
    left = fssl_handle_count(FSSL_TYPE_ANY, NULL);
    if (left)
        figure_failed("%lld handles are left", (long long)left);
    if (ERR_peek_error())
        figure_failed("an error is left in OpenSSL's queue");
}

static void fresh_handshake(void)
{
    struct pair fresh = pair_open(&(struct pair_plan){0});

    if (!pair_handshake(&fresh))
        figure_failed("a fresh handshake does not work");
    pair_close(&fresh);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    static int64_t rounds;
    struct tape tape = {data, len, 0};

    pool = (struct pool){.tape = &tape};
    value_open_fds();
    open_all();
    while (!tape_ended(&tape)) {
        if (tape_below(&tape, 16) == 0)
            advance();
        else
            call_any();
    }
    close_all();
    value_close_fds();
    if (++rounds % HANDSHAKE_EVERY == 0)
        fresh_handshake();
}

/* ---- the beginning ---- */

static void tick(int signal)
{
    (void)signal;
}

/* Signals end what would wait for ever. */
static void start_ticking(void)
{
    struct sigaction action = {.sa_handler = tick};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
    struct itimerspec every = {{0, TICK_MS * 1000000L}, {0, TICK_MS * 1000000L}};
    timer_t timer;

    if (sigaction(SIGURG, &action, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &every, NULL) != 0)
        abort();
}

static void add_live_bytes(void)
{
    static bytes_getter *const getters[LIVE_TYPES] = {
        [FSSL_TYPE_SESSION] = fssl_session_to_bytes,
        [FSSL_TYPE_REQ] = fssl_req_to_der,
        [FSSL_TYPE_CRL] = fssl_crl_to_der,
        [FSSL_TYPE_NAME] = fssl_name_to_der,
        [FSSL_TYPE_EXT] = fssl_ext_data,
    };

    for (int i = 0; i < LIVE_TYPES; i++) {
        if (getters[i]) {
            const struct bytes *bytes = bytes_of(getters[i], live[i]);

            value_add_bytes(bytes->data, bytes->len);
        }
    }
}

void fuzz_begin(void)
{
    value_begin();
    setenv("SSL_CERT_FILE", value_cert_file(), 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    live_open();
    add_live_bytes();
    live_close();
    fresh_handshake();
    start_ticking();
}
