#include "ffi_describe.h"

ffi_type *ffi_type_of(enum surface_kind kind)
{
    switch (kind) {
    case SURFACE_HANDLE:
    case SURFACE_INT64:
    case SURFACE_LENGTH:
    case SURFACE_CAPACITY:
        return &ffi_type_sint64;
    case SURFACE_INT32:
        return &ffi_type_sint32;
    default:
        return &ffi_type_pointer;
    }
}

bool ffi_describe(const struct surface_function *function, ffi_type *result, ffi_type **types,
                  ffi_cif *cif)
{
    for (int i = 0; i < function->count; i++)
        types[i] = ffi_type_of(function->parameters[i].kind);
    return ffi_prep_cif(cif, FFI_DEFAULT_ABI, (unsigned int)function->count, result, types) ==
           FFI_OK;
}
