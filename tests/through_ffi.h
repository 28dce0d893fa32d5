/* Calls of the library through libffi alone, as a language without a compiler makes them. */
#ifndef FLATSSL_THROUGH_FFI_H
#define FLATSSL_THROUGH_FFI_H

#include <stdbool.h>
#include <stdint.h>

#include <ffi.h>

#include "surface.h"

enum { CALL_BUFFER = 4096, CALL_POISON = -123456789 };

union value {
    int32_t number32;
    int64_t number64;
    const void *pointer;
};

struct call {
    const struct surface_function *function;
    union value values[SURFACE_PARAMETERS];
    int64_t numbers[SURFACE_PARAMETERS]; /* what the outputs of numbers point to */
};

extern uint8_t call_buffer[CALL_BUFFER]; /* what the outputs of text and bytes point to */

/* Prepares a call with live handles (live.h), texts that get far, 0 for numbers, err. The call
   must stay where it is: its outputs point into it. */
void call_fill(struct call *call, const struct surface_function *function);

/* The same by name and, if the function takes one first, with a handle. */
void call_name(struct call *call, const char *name, fssl_handle h);

int64_t invoke(struct call *call);

/* Tells whether a parameter of this kind is passed as a pointer. */
bool is_pointer(enum surface_kind kind);

#endif
