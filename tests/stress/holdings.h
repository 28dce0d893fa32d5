/* What the process holds: it must stay as it was, however often something is repeated. */
#ifndef FLATSSL_HOLDINGS_H
#define FLATSSL_HOLDINGS_H

#include <stdint.h>

struct holdings {
    int64_t memory; /* bytes that are in RAM */
    int64_t handles;
    int64_t fds;
};

struct holdings holdings_now(void);

/* Fails the figure if there are other handles or fds than before, or a MiB more memory;
   notes all. */
void holdings_compare(struct holdings before);

#endif
