#include "through_ffi.h"

#include <string.h>

#include "check.h"
#include "ffi_describe.h"
#include "live.h"

uint8_t call_buffer[CALL_BUFFER];

int64_t invoke(struct call *call)
{
    ffi_cif cif;
    ffi_type *types[SURFACE_PARAMETERS];
    void *values[SURFACE_PARAMETERS];
    int64_t result = CALL_POISON;

    CHECK(ffi_describe(call->function, &ffi_type_sint64, types, &cif));
    for (int i = 0; i < call->function->count; i++)
        values[i] = &call->values[i];
    ffi_call(&cif, FFI_FN(call->function->call), &result, values);
    return result;
}

/* Texts that make calls get as far as they can. */
static const char *text_for(const char *parameter)
{
    static const char *const texts[][2] = {
        {"host", "localhost"}, {"curve", "P-256"}, {"digest", "sha256"}, {"algorithm", "sha256"},
        {"cipher", ""},        {"path", "/none"},  {"file", "/none"},    {"dir", "/none"},
        {"list", "HIGH"},      {"serial", "1234"}, {"type", "CN"},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (strcmp(texts[i][0], parameter) == 0)
            return texts[i][1];
    }
    return "text";
}

static void fill_value(struct call *call, int i)
{
    const char *name = call->function->parameters[i].name;
    union value *value = &call->values[i];
    int64_t type;

    memset(value, 0, sizeof *value);
    call->numbers[i] = CALL_POISON;
    switch (call->function->parameters[i].kind) {
    case SURFACE_HANDLE:
        type = live_type_named(name);
        value->number64 = type < LIVE_TYPES ? live[type ? type : FSSL_TYPE_CERT] : 0;
        break;
    case SURFACE_TEXT:
    case SURFACE_BYTES:
        value->pointer = text_for(name);
        break;
    case SURFACE_LENGTH:
        value->number64 = (int64_t)strlen(call->values[i - 1].pointer);
        break;
    case SURFACE_TEXT_OUT:
    case SURFACE_BYTES_OUT:
        value->pointer = call_buffer;
        break;
    case SURFACE_CAPACITY:
        value->number64 = CALL_BUFFER;
        break;
    case SURFACE_INT32_OUT:
    case SURFACE_INT64_OUT:
        value->pointer = &call->numbers[i];
        break;
    case SURFACE_ERR:
        value->pointer = &err;
        break;
    default:
        break; /* 0 or NULL */
    }
}

void call_fill(struct call *call, const struct surface_function *function)
{
    call->function = function;
    for (int i = 0; i < function->count; i++)
        fill_value(call, i);
}

void call_name(struct call *call, const char *name, fssl_handle h)
{
    size_t i = 0;

    while (i < COUNT_OF(surface_functions) - 1 && strcmp(surface_functions[i].name, name) != 0)
        i++;
    CHECK_TEXT(name, surface_functions[i].name);
    call_fill(call, &surface_functions[i]);
    if (call->function->parameters[0].kind == SURFACE_HANDLE)
        call->values[0].number64 = h;
}

bool is_pointer(enum surface_kind kind)
{
    return ffi_type_of(kind) == &ffi_type_pointer;
}
