/* Every function of the header, called through libffi alone with what it must refuse: the tables
   that surface.py makes say what each takes, so a new function is swept as soon as it is
   declared. */
#include <stdio.h>
#include <string.h>

#include "live.h"
#include "pair.h"
#include "through_ffi.h"

/* Where fewer rounds are asked for, every fifth function has to do. */
static size_t stride(void)
{
    return check_rounds(5) == 5 ? 1 : 5;
}

static void row_for(const struct call *call, int i, const char *what)
{
    static char row[128];

    snprintf(row, sizeof row, "%s, %s %s", call->function->name, call->function->parameters[i].name,
             what);
    check_row(row);
}

/* Whatever came of a call: err and result agree and the error queue is empty (CHECK_FAILS,
   CHECK_GIVES), and a handle that it made is one. */
static int32_t sound(int64_t result)
{
    int32_t code = (int32_t)fssl_error_code(result, NULL);

    if (result < 0) {
        CHECK_FAILS(code, result);
        return code;
    }
    CHECK_GIVES(result);
    for (int i = 0; i < LIVE_TYPES; i++) {
        if (live[i] == result && result > 0)
            return FSSL_OK;
    }
    if (result >= 1 << 24 && fssl_handle_type(result, NULL) > 0)
        check_close(result);
    return FSSL_OK;
}

/* ---- handles ---- */

static void refused_handle(struct call *call, int i, fssl_handle bad, int32_t code)
{
    const char *name = call->function->parameters[i].name;
    int64_t result;
    int32_t got;

    call->values[i].number64 = bad;
    result = invoke(call);
    if (i == 0) {
        CHECK_FAILS(code, result);
        return;
    }
    got = sound(result); /* a second handle may be refused after something else, and 0 be none */
    if (bad != 0 && strcmp(name, "previous") != 0)
        CHECK_EQUAL(FSSL_KIND_USAGE, got / 100);
}

static void sweep_handle(struct call *call, int i)
{
    fssl_handle good = call->values[i].number64;
    int64_t type = live_type_named(call->function->parameters[i].name);
    const fssl_handle bad[] = {0,
                               -1,
                               INT64_MIN,
                               INT64_MAX,
                               live_stale,
                               good + (1 << 24),
                               -good,
                               1,
                               (INT64_C(1) << 53) + 1,
                               -FSSL_E_WANT_READ,
                               -65540};

    for (size_t k = 0; k < COUNT_OF(bad); k++) {
        char what[32];

        snprintf(what, sizeof what, "%#llx", (unsigned long long)bad[k]);
        row_for(call, i, what);
        refused_handle(call, i, bad[k], FSSL_E_HANDLE);
    }
    row_for(call, i, "of another type");
    if (type != FSSL_TYPE_ANY)
        refused_handle(call, i, live[type == FSSL_TYPE_STORE ? FSSL_TYPE_KEY : FSSL_TYPE_STORE],
                       FSSL_E_HANDLE_TYPE);
    call->values[i].number64 = good;
}

/* Outputs are written only on success, but for those that say how far a call came. */
static void outputs_untouched(const struct call *call)
{
    static const char *const always[] = {"sent", "taken", "given"};

    for (int i = 0; i < call->function->count; i++) {
        bool may = false;

        for (size_t k = 0; k < COUNT_OF(always); k++)
            may = may || strcmp(always[k], call->function->parameters[i].name) == 0;
        if (!may)
            CHECK_EQUAL(CALL_POISON, call->numbers[i]);
    }
}

static void bad_handles(void)
{
    live_open();
    for (size_t i = 0; i < COUNT_OF(surface_functions); i += stride()) {
        struct call call;

        call_fill(&call, &surface_functions[i]);
        for (int k = 0; k < call.function->count; k++) {
            if (call.function->parameters[k].kind == SURFACE_HANDLE)
                sweep_handle(&call, k);
        }
        outputs_untouched(&call);
        check_row(NULL);
        live_renew();
    }
    live_close();
}

/* With a bad first handle nothing else is looked at. */
static void nothing_but_bad(void)
{
    for (size_t i = 0; i < COUNT_OF(surface_functions); i += stride()) {
        struct call call = {.function = &surface_functions[i]};
        const struct surface_function *function = call.function;

        if (function->parameters[0].kind != SURFACE_HANDLE)
            continue;
        check_row(function->name);
        memset(call.values, 0xff, sizeof call.values);
        for (int k = 0; k < function->count; k++) {
            enum surface_kind kind = function->parameters[k].kind;

            if (is_pointer(kind))
                call.values[k].pointer = kind == SURFACE_ERR ? &err : NULL;
        }
        CHECK_FAILS(FSSL_E_HANDLE, invoke(&call));
    }
}

/* ---- texts, bytes and buffers ---- */

static bool is_input(enum surface_kind kind)
{
    return kind == SURFACE_TEXT || kind == SURFACE_BYTES;
}

static bool is_buffer(enum surface_kind kind)
{
    return kind == SURFACE_TEXT_OUT || kind == SURFACE_BYTES_OUT;
}

/* What no pointer with a length may be. */
static const struct {
    const char *what;
    bool null;
    int64_t len;
} bad_lengths[] = {
    {"NULL with a length", true, 5},        {"-1 long", false, -1},
    {"as long as a result", false, -65540}, {"endlessly short", false, INT64_MIN},
    {"NULL and endless", true, INT64_MAX},  {"NULL and 4 GiB", true, INT64_C(1) << 32},
};

static void sweep_lengths(struct call *call, int i)
{
    const union value pointer = call->values[i], len = call->values[i + 1];

    for (size_t k = 0; k < COUNT_OF(bad_lengths); k++) {
        row_for(call, i, bad_lengths[k].what);
        call->values[i].pointer = bad_lengths[k].null ? NULL : pointer.pointer;
        call->values[i + 1].number64 = bad_lengths[k].len;
        CHECK_EQUAL(FSSL_KIND_USAGE, sound(invoke(call)) / 100);
    }
    call->values[i] = pointer;
    call->values[i + 1] = len;
}

static void sweep_nul(struct call *call, int i)
{
    const union value pointer = call->values[i], len = call->values[i + 1];

    row_for(call, i, "with a NUL inside");
    call->values[i].pointer = "P-256\0x";
    call->values[i + 1].number64 = 7;
    CHECK_EQUAL(FSSL_KIND_USAGE, sound(invoke(call)) / 100);
    call->values[i] = pointer;
    call->values[i + 1] = len;
}

static void bad_texts_and_buffers(void)
{
    for (size_t i = 0; i < 2 * COUNT_OF(surface_functions); i += stride()) {
        struct call call;

        live_open();
        if (i % 2)
            live_use_memory(0);
        call_fill(&call, &surface_functions[i / 2]);
        for (int k = 0; k < call.function->count; k++) {
            enum surface_kind kind = call.function->parameters[k].kind;

            if (is_input(kind) || is_buffer(kind))
                sweep_lengths(&call, k);
            if (kind == SURFACE_TEXT)
                sweep_nul(&call, k);
        }
        outputs_untouched(&call);
        check_row(NULL);
        live_close();
    }
}

/* ---- numbers ---- */

/* Any number is taken or refused, in a way that can be told; what is made is closed. */
static void sweep_numbers(struct call *call, int i)
{
    static const int64_t numbers[] = {0,         1,         -1,        2,         7,
                                      INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1 << 16};
    bool wide = call->function->parameters[i].kind == SURFACE_INT64;
    union value before = call->values[i];

    for (size_t k = 0; k < COUNT_OF(numbers); k++) {
        char what[32];

        snprintf(what, sizeof what, "%lld", (long long)numbers[k]);
        row_for(call, i, what);
        if (wide)
            call->values[i].number64 = numbers[k];
        else
            call->values[i].number32 = (int32_t)numbers[k];
        sound(invoke(call));
    }
    call->values[i] = before;
}

static void any_number(void)
{
    for (size_t i = 0; i < COUNT_OF(surface_functions); i += stride()) {
        struct call call;

        live_open();
        call_fill(&call, &surface_functions[i]);
        for (int k = 0; k < call.function->count; k++) {
            enum surface_kind kind = call.function->parameters[k].kind;

            CHECK(kind != SURFACE_UNKNOWN);
            if (kind == SURFACE_INT32 || kind == SURFACE_INT64)
                sweep_numbers(&call, k);
        }
        check_row(NULL);
        live_close();
    }
}

/* ---- good calls, one of each shape ---- */

static int64_t invoke_good(const char *name, fssl_handle h)
{
    struct call call;

    call_name(&call, name, h);
    return invoke(&call);
}

static void make_ask_close(void)
{
    struct call call;
    fssl_handle made = CHECK_MADE(invoke_good("fssl_ctx_new_client", 0));

    call_name(&call, "fssl_ctx_set_app_data", made);
    call.values[1].number64 = INT64_MIN + 7;
    CHECK_OK(invoke(&call));
    call_name(&call, "fssl_ctx_app_data", made);
    CHECK_OK(invoke(&call));
    CHECK_EQUAL(INT64_MIN + 7, call.numbers[1]);
    CHECK_IS(FSSL_TLS1_2_VERSION, invoke_good("fssl_ctx_min_proto_version", made));
    CHECK_OK(invoke_good("fssl_handle_close", made));
    CHECK_FAILS(FSSL_E_HANDLE, invoke_good("fssl_handle_close", made));
}

static void texts_bytes_and_parts(void)
{
    struct encoded der = identity_cert_der(ID_CA);
    fssl_handle cert = identity_cert_handle(ID_CA), subject;

    CHECK_IS(der.len, invoke_good("fssl_cert_to_der", cert));
    CHECK_BYTES(der.data, call_buffer, (size_t)der.len);
    subject = CHECK_MADE(invoke_good("fssl_cert_subject", cert));
    CHECK_IS(28, invoke_good("fssl_name_text", subject));
    CHECK_BYTES("CN=flatssl test CA,O=flatssl", call_buffer, 28);
    check_close(subject);
    check_close(cert);
}

static int32_t called;

static int32_t count_calls(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    called += token == -5 && conn > 0 && where != 0 && result >= -1;
    return 0;
}

static void callbacks_and_data(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    const uint8_t text[] = "through libffi";
    struct call call;

    call_name(&call, "fssl_conn_set_info_callback", pair.client);
    *(fssl_info_callback *)&call.values[1] = count_calls;
    call.values[2].number64 = -5;
    CHECK_OK(invoke(&call));
    CHECK_FAILS(FSSL_E_WANT_READ, invoke_good("fssl_conn_do_handshake", pair.client));
    CHECK(called > 0);
    CHECK(pair_handshake(&pair));
    call_name(&call, "fssl_conn_send", pair.server);
    call.values[1].pointer = text;
    call.values[2].number64 = sizeof text;
    CHECK_IS(sizeof text, invoke(&call));
    pair_settle(&pair);
    CHECK_IS(sizeof text, invoke_good("fssl_conn_recv", pair.client));
    CHECK_BYTES(text, call_buffer, sizeof text);
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"bad handles", bad_handles},
    {"nothing but bad", nothing_but_bad},
    {"CVE-2026-40475 CVE-2026-48930 bad texts and buffers", bad_texts_and_buffers},
    {"any number", any_number},
    {"make, ask, close", make_ask_close},
    {"texts, bytes and parts", texts_bytes_and_parts},
    {"callbacks and data", callbacks_and_data},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
