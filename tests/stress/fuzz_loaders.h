/* Loading what was changed: the part of fuzz_bytes that feeds the functions which read a format. */
#ifndef FLATSSL_FUZZ_LOADERS_H
#define FLATSSL_FUZZ_LOADERS_H

#include "fuzz.h"

/* Makes what is to be changed. */
void loaders_begin(void);

/* Changes one of them, has it read, and asks what was read for everything. Returns whether it
   was. */
bool load_harmed(struct tape *tape);

#endif
