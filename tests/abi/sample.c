/* What the guard's self-test builds into a copy of the library, and breaks. */
#include "internal.h"

int64_t fssl_sample_add(int64_t a, int64_t b, int32_t *err)
{
    start();
    return finish(0, a + b, err);
}

int64_t fssl_sample_ask(fssl_sample_callback fn, int64_t token, int32_t colour, int32_t *err)
{
    start();
    return finish(0, fn(token, colour), err);
}

int64_t fssl_sample_count(int32_t *err)
{
    start();
    return finish(0, FSSL_SAMPLE_GREEN, err);
}
