/* A frame for tests that are tables of cases.

   A case runs by itself or with others, checks what it finds, and goes on after a failure; it has
   failed if any check did, or if it left a handle, a file descriptor or an OpenSSL error behind.
   The calls under test write their code to `err`, which the checks of calls compare with the
   result and then spoil, so that a call that forgets to write it is found. */
#ifndef FLATSSL_CHECK_H
#define FLATSSL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flatssl.h"

struct check_case {
    const char *name;
    void (*run)(void);
};

/* Runs the cases that are named on the command line, or all. Its last line is "N passed, N failed"
   (and, if any was, "N skipped"). Returns main's result. */
int check_run(const struct check_case *cases, size_t count, int argc, char **argv);

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

extern _Thread_local int32_t err;

/* The code of a call, for each kind of call that a test makes:
       CHECK_IS(5, fssl_conn_pending(conn, &err))
       CHECK_OK(fssl_conn_cancel(conn, &err))                          0
       len = CHECK_GIVES(fssl_conn_recv(conn, buf, cap, 0, &err))      any result >= 0
       conn = CHECK_MADE(fssl_conn_new_memory(ctx, &err))              a handle
       CHECK_FAILS(FSSL_E_HANDLE, fssl_handle_close(0, &err))
   Each also demands that err agrees and that OpenSSL's error queue is empty, and returns the
   call's result. */
#define CHECK_IS(expected, call) check_is(__FILE__, __LINE__, #call, expected, call)
#define CHECK_OK(call) check_is(__FILE__, __LINE__, #call, 0, call)
#define CHECK_GIVES(call) check_gives(__FILE__, __LINE__, #call, call)
#define CHECK_MADE(call) check_made(__FILE__, __LINE__, #call, call)
#define CHECK_FAILS(code, call) check_fails(__FILE__, __LINE__, #call, code, call)

/* Everything else. Each returns whether it held. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, condition)
#define CHECK_EQUAL(expected, actual) check_equal(__FILE__, __LINE__, #actual, expected, actual)
#define CHECK_TEXT(expected, actual) check_text(__FILE__, __LINE__, #actual, expected, actual)
#define CHECK_CONTAINS(part, actual) check_contains(__FILE__, __LINE__, #actual, part, actual)
#define CHECK_BYTES(expected, actual, len) \
    check_bytes(__FILE__, __LINE__, #actual, expected, actual, len)

int64_t check_is(const char *file, int line, const char *what, int64_t expected, int64_t result);
int64_t check_gives(const char *file, int line, const char *what, int64_t result);
int64_t check_made(const char *file, int line, const char *what, int64_t result);
int64_t check_fails(const char *file, int line, const char *what, int32_t code, int64_t result);
bool check_true(const char *file, int line, const char *what, bool held);
bool check_equal(const char *file, int line, const char *what, int64_t expected, int64_t actual);
bool check_text(const char *file, int line, const char *what, const char *expected,
                const char *actual);
bool check_contains(const char *file, int line, const char *what, const char *part,
                    const char *actual);
bool check_bytes(const char *file, int line, const char *what, const void *expected,
                 const void *actual, size_t len);

/* Closes a handle, which must be open. */
void check_close(fssl_handle h);

/* Names the row of a table that this thread is at, for its failures; NULL ends it. */
void check_row(const char *row);

/* Counts the running case as skipped, not as passed. */
void check_skip(const char *why);

/* Returns how often to repeat something: all of full, or fewer where the environment's
   FLATSSL_SHORT asks for it. */
int64_t check_rounds(int64_t full);

/* Runs a part of the case in a child of fork. Its failures are the case's, its death by a signal
   too. */
void check_child(void (*part)(void *), void *argument);

/* Runs parts of the case in threads of their own, and waits for them. */
struct check_thread {
    void (*part)(void *);
    void *argument;
};
void check_threads(const struct check_thread *threads, size_t count);

/* Writes a file that is removed when the case ends. Returns its path, good until then. */
const char *scratch_file(const void *data, size_t len);

/* What a getter of text or bytes gives, NUL-terminated and good until the thread's next four.
   Every use checks the contract of outputs: capacity 0 asks for the length, one byte too few gives
   FSSL_E_BUFFER with nothing written, and no byte past the result is touched. */
typedef int64_t text_getter(fssl_handle h, char *buf, int64_t cap, int32_t *error);
typedef int64_t bytes_getter(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *error);

struct bytes {
    uint8_t data[16384];
    int64_t len; /* -1 if the getter failed */
};

const char *text_of(text_getter *getter, fssl_handle h);
const struct bytes *bytes_of(bytes_getter *getter, fssl_handle h);

/* What the record of a result holds: its whole text, a text of its first line, a number. The texts
   are good until the thread's next. */
const char *error_text(int64_t result);
const char *error_str(int64_t result, int32_t field);
int64_t error_int(int64_t result, int32_t field);

#endif
