/* What the table of the header says, in libffi's terms. */
#ifndef FLATSSL_FFI_DESCRIBE_H
#define FLATSSL_FFI_DESCRIBE_H

#include <stdbool.h>

#include <ffi.h>

#include "surface.h"

ffi_type *ffi_type_of(enum surface_kind kind);

/* Describes a function's parameters; types must live as long as cif. Returns whether libffi can
   call it. */
bool ffi_describe(const struct surface_function *function, ffi_type *result, ffi_type **types,
                  ffi_cif *cif);

#endif
