/* One live handle of each type, for tests that call whatever there is. */
#ifndef FLATSSL_LIVE_H
#define FLATSSL_LIVE_H

#include <stdint.h>

#include "flatssl.h"

enum { LIVE_TYPES = 32 };

extern fssl_handle live[LIVE_TYPES]; /* by FSSL_TYPE_; 0 where nothing makes one */
extern fssl_handle live_stale;       /* one that was closed */

void live_open(void);
void live_close(void);

/* Closes what is left after calls that may have changed or closed some, and makes all anew. */
void live_renew(void);

/* Puts a connection without a socket, or one in memory, in the place of the connection. */
void live_use_memory(int memory);

/* Returns the FSSL_TYPE_ of handles that parameters of this name take, 0 for those of any. */
int64_t live_type_named(const char *parameter);

#endif
