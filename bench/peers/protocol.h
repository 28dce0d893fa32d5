/* What a peer and the runner say to each other: the runner writes "subject count", the peer does
   the work so many times and answers with one or more numbers, or with "- " and why not. */
#ifndef BENCH_PROTOCOL_H
#define BENCH_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

enum { NUMBERS_MAX = 2 };

/* Seconds of this process's processor time, which others on the machine do not lengthen, and
   seconds of the world's. */
double now(void);
double now_outside(void);
void must(bool done, const char *what);
const char *file_path(const char *name);
void loopback_pair(int fds[2]);
size_t memory_used(void);

/* Does the work of a subject. NULL, or why not. */
typedef const char *work_function(const char *subject, long count, double *numbers);

/* Answers until the runner has no more to ask; argv[1] is the folder of the certificates. */
int serve(int argc, char **argv, work_function *work);

#endif
