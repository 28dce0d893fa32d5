/* The library's functions again, each of which calls the real one through libffi, and has the real
   one call back through closures of libffi. Preloaded, it turns a test program into one of a
   language that knows the library by its header's table alone: what passes there passes here.

   FFI_SHIM_LOG names a file to which each process adds, at its end, the functions that it called,
   with "good" where one succeeded and "bad" where one failed. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ffi_describe.h"

enum { COUNT = sizeof surface_functions / sizeof *surface_functions, CLOSURES = 256 };

/* A caller's function and the closure that stands for it. */
struct stand_in {
    void *fn;
    const struct surface_function *callback;
    ffi_cif cif;
    ffi_type *types[SURFACE_PARAMETERS];
    void *code;
};

static struct prepared {
    void (*real)(void);
    ffi_cif cif;
    ffi_type *types[SURFACE_PARAMETERS];
    atomic_bool good, bad;
} prepared[COUNT];

static struct stand_in stand_ins[CLOSURES];
static int stand_in_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t shim_call(int at, void **values);

#include "ffi_shim.inc"

static void fatal(const char *what, const char *name)
{
    fprintf(stderr, "ffi_shim: %s: %s\n", what, name);
    abort();
}

__attribute__((constructor)) static void prepare(void)
{
    for (int i = 0; i < COUNT; i++) {
        *(void **)&prepared[i].real = dlsym(RTLD_NEXT, shim_names[i]);
        if (!prepared[i].real)
            fatal("not in the library", shim_names[i]);
        if (!ffi_describe(&surface_functions[i], &ffi_type_sint64, prepared[i].types,
                          &prepared[i].cif))
            fatal("libffi cannot call", shim_names[i]);
    }
}

/* ---- callbacks ---- */

static void call_caller(ffi_cif *cif, void *result, void **arguments, void *data)
{
    const struct stand_in *stand_in = data;

    ffi_call(cif, FFI_FN(stand_in->fn), result, arguments);
}

static const struct surface_function *callback_of(const char *setter)
{
    for (size_t i = 0; i < sizeof surface_callbacks / sizeof *surface_callbacks; i++) {
        if (strcmp(surface_callbacks[i].name, setter) == 0)
            return &surface_callbacks[i];
    }
    fatal("no callback is known", setter);
    return NULL;
}

static void stand_in_make(struct stand_in *made, void *fn, const struct surface_function *callback)
{
    ffi_closure *memory = ffi_closure_alloc(sizeof *memory, &made->code);

    made->fn = fn;
    made->callback = callback;
    if (!memory || !ffi_describe(callback, &ffi_type_sint32, made->types, &made->cif) ||
        ffi_prep_closure_loc(memory, &made->cif, call_caller, made, made->code) != FFI_OK)
        fatal("no closure", callback->name);
}

/* Returns the closure that stands for fn, made when it is first met and kept for ever. */
static void *stand_in_for(void *fn, const char *setter)
{
    const struct surface_function *callback = callback_of(setter);
    struct stand_in *found = NULL;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < stand_in_count && !found; i++) {
        if (stand_ins[i].fn == fn && stand_ins[i].callback == callback)
            found = &stand_ins[i];
    }
    if (!found && stand_in_count < CLOSURES) {
        found = &stand_ins[stand_in_count++];
        stand_in_make(found, fn, callback);
    }
    pthread_mutex_unlock(&lock);
    if (!found)
        fatal("too many callbacks", setter);
    return found->code;
}

/* ---- calls ---- */

static int64_t shim_call(int at, void **values)
{
    const struct surface_function *function = &surface_functions[at];
    int64_t result = 0;

    for (int i = 0; i < function->count; i++) {
        if (function->parameters[i].kind == SURFACE_CALLBACK && *(void **)values[i])
            *(void **)values[i] = stand_in_for(*(void **)values[i], function->name);
    }
    ffi_call(&prepared[at].cif, prepared[at].real, &result, values);
    atomic_store_explicit(result < 0 ? &prepared[at].bad : &prepared[at].good, true,
                          memory_order_relaxed);
    return result;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("FFI_SHIM_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;

    for (int i = 0; file && i < COUNT; i++) {
        if (atomic_load(&prepared[i].good))
            fprintf(file, "%s good\n", shim_names[i]);
        if (atomic_load(&prepared[i].bad))
            fprintf(file, "%s bad\n", shim_names[i]);
    }
    if (file)
        fclose(file);
}
