
/* ---- sample: what the guard's self-test adds to a copy of the tree, and breaks ---- */

enum { FSSL_SAMPLE_RED = 1, FSSL_SAMPLE_GREEN = 2 };

typedef int32_t (*fssl_sample_callback)(int64_t token, int32_t colour);

/* Returns the sum of two numbers. */
int64_t fssl_sample_add(int64_t a, int64_t b, int32_t *err);

/* Returns what fn says to a colour. */
int64_t fssl_sample_ask(fssl_sample_callback fn, int64_t token, int32_t colour, int32_t *err);

/* Returns how many colours there are. */
int64_t fssl_sample_count(int32_t *err);
