/* The functions and constants of flatssl_decl.h as tables, which surface.py writes at build time.
   surface_callbacks has the setters of callbacks, with the parameters that each callback takes. */
#ifndef FLATSSL_SURFACE_H
#define FLATSSL_SURFACE_H

#include <stdint.h>

#include "flatssl.h"

enum surface_kind {
    SURFACE_HANDLE,
    SURFACE_INT32,
    SURFACE_INT64,
    SURFACE_TEXT, /* followed by its length */
    SURFACE_BYTES,
    SURFACE_LENGTH,
    SURFACE_TEXT_OUT, /* followed by its capacity */
    SURFACE_BYTES_OUT,
    SURFACE_CAPACITY,
    SURFACE_INT32_OUT,
    SURFACE_INT64_OUT,
    SURFACE_CALLBACK,
    SURFACE_ERR,
    SURFACE_UNKNOWN
};

enum { SURFACE_PARAMETERS = 16 };

typedef void (*surface_call)(void);

struct surface_function {
    const char *name;
    surface_call call;
    int count;
    struct {
        enum surface_kind kind;
        const char *name;
    } parameters[SURFACE_PARAMETERS];
};

struct surface_constant {
    const char *name;
    int64_t value;
};

#include "surface.inc"

#endif
