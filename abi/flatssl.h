/* flatssl for C and C++: the declarations of flatssl_decl.h with what a compiler needs around
   them. Every other language reads flatssl_decl.h itself. */
#ifndef FLATSSL_H
#define FLATSSL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

#include "flatssl_decl.h"

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
