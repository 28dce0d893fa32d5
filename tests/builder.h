/* Certificates and requests that a test builds through the library itself. */
#ifndef FLATSSL_BUILDER_H
#define FLATSSL_BUILDER_H

#include "check.h"

/* 2026-01-01 12:00 UTC, from which on what is built here is valid for ten years. */
enum { BUILT_FROM = 1767268800 };

/* Each makes a handle, for the caller to close. */
fssl_handle build_key(void); /* of the curve P-256 */
fssl_handle build_public(fssl_handle key);
fssl_handle build_name(const char *common_name);
fssl_handle build_ext(const char *name, const char *value, fssl_handle subject, fssl_handle issuer);

/* A certificate that is signed and passes strict checks: a CA where it is its own issuer, else a
   server's for its subject as DNS name. */
fssl_handle build_ca(const char *common_name, fssl_handle key);
fssl_handle build_middle_ca(const char *common_name, fssl_handle key, fssl_handle ca,
                            fssl_handle ca_key);
fssl_handle build_leaf(const char *common_name, fssl_handle key, fssl_handle ca,
                       fssl_handle ca_key);

void build_add_ext(fssl_handle cert, const char *name, const char *value, fssl_handle issuer);

/* A CRL of a CA that revokes the serial numbers 7 and 0x1234567890abcdef (that of every certificate
   built here) if asked to, and 9. */
fssl_handle build_crl(fssl_handle ca, fssl_handle ca_key, bool revokes);

/* A text argument, as pointer and length. */
#define TEXT(text) text, FSSL_NUL_TERMINATED
#define BYTES(text) (const uint8_t *)(text), (int64_t)(sizeof(text) - 1)

#endif
