/* The heads and tails of calls: what every exported function must do, in one place, beside acquire
   and finish_own of handle.c. A tail turns an answer into a result, gives the object of h back
   (h 0: there is none), writes *err and leaves the thread's error queue empty. */
#include "internal.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_once(void)
{
    error_start();
    handle_start();
    wait_start();
}

/* Begins a call that acquires nothing. Every handle was made by such a call. */
void start(void)
{
    pthread_once(&once, start_once);
    queue_empty();
}

static void leave(fssl_handle h)
{
    if (h)
        handle_leave(h);
    queue_empty();
}

/* Ends a call that holds nothing and whose code says all. */
int64_t code_only(int32_t code, int32_t *err)
{
    if (err)
        *err = code;
    return -(int64_t)code;
}

/* Ends with a code that has no record, or with 0 for FSSL_OK. */
int64_t finish_code(fssl_handle h, int32_t code, int32_t *err)
{
    leave(h);
    return code_only(code, err);
}

int64_t finish_fault(fssl_handle h, const struct fault *fault, int32_t *err)
{
    int64_t result = fault_publish(fault, err);

    leave(h);
    return result;
}

/* Ends a call whose second handle or part has already failed with a result of its own. */
int64_t abandon(fssl_handle h, int64_t failed, int32_t *err)
{
    (void)err; /* written by whoever made the result */
    leave(h);
    return failed;
}

/* Ends with `code`, or with what OpenSSL's queue tells where the code is FSSL_E_OPENSSL. */
int64_t fail_at(fssl_handle h, int32_t code, const char *function, const char *reason,
                const char *data, int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, code);
    fault_collect(&fault);
    if (reason || fault.count == 0)
        fault_say(&fault, function, reason ? reason : "no reason was given", data);
    return finish_fault(h, &fault, err);
}

/* Ends with a cause of our own, of which OpenSSL's queue tells nothing. */
int64_t refuse_at(fssl_handle h, int32_t code, const char *function, const char *reason,
                  const char *data, int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, code);
    fault_say(&fault, function, reason, data);
    return finish_fault(h, &fault, err);
}

/* Ends with FSSL_E_SYSCALL and an errno. */
int64_t fail_system_at(fssl_handle h, int error, const char *function, const char *data,
                       int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, error == ENOMEM ? FSSL_E_MEMORY : FSSL_E_SYSCALL);
    fault.system_errno = error;
    fault_say(&fault, function, "the operating system refused", data);
    return finish_fault(h, &fault, err);
}

/* Ends with a value >= 0; a negative one is OpenSSL's failure. */
int64_t finish(fssl_handle h, int64_t value, int32_t *err)
{
    if (value < 0)
        return fail(h, FSSL_E_OPENSSL, err);
    leave(h);
    if (err)
        *err = FSSL_OK;
    return value;
}

/* Ends with 0 if OpenSSL answered 1 (or more), else as its failure. */
int64_t finish_done(fssl_handle h, int64_t ok, int32_t *err)
{
    return finish(h, ok > 0 ? 0 : -1, err);
}

/* Ends with the length of bytes, which are copied out if there is room for all of them. */
int64_t finish_bytes(fssl_handle h, const void *data, int64_t len, void *buf, int64_t cap,
                     int32_t *err)
{
    if (!bytes_given(buf, cap))
        return refuse(h, "buf", err);
    if (cap == 0)
        return finish(h, len, err);
    if (len > cap)
        return finish_code(h, FSSL_E_BUFFER, err);
    if (len > 0)
        memcpy(buf, data, (size_t)len);
    return finish(h, len, err);
}

int64_t finish_text(fssl_handle h, const char *text, char *buf, int64_t cap, int32_t *err)
{
    return finish_bytes(h, text, text ? (int64_t)strlen(text) : 0, buf, cap, err);
}

/* Ends with 0 and a value that may be negative in *out, the caller's argument `name`. */
int64_t finish_value_at(fssl_handle h, const char *function, const char *name, int64_t value,
                        int64_t *out, int32_t *err)
{
    if (!out)
        return refuse_at(h, FSSL_E_ARGUMENT, function, "bad argument", name, err);
    *out = value;
    return finish(h, 0, err);
}

/* Ends with a new handle of an object, whose reference it takes over; NULL is OpenSSL's failure. */
int64_t finish_handle(fssl_handle h, void *object, int32_t *err)
{
    fssl_handle made;

    if (!object)
        return fail(h, FSSL_E_OPENSSL, err);
    made = handle_open(object);
    if (!made)
        return fail(h, FSSL_E_MEMORY, err);
    return finish(h, made, err);
}

int64_t take_text_at(fssl_handle h, const char *function, const char *name, const char *text,
                     int64_t len, char **out, int32_t *err)
{
    if (len == FSSL_NUL_TERMINATED && text)
        len = (int64_t)strlen(text);
    if (!bytes_given(text, len) || (len > 0 && memchr(text, '\0', (size_t)len)))
        return fail_at(h, FSSL_E_ARGUMENT, function, "bad argument", name, err);
    *out = OPENSSL_zalloc((size_t)len + 1);
    if (!*out)
        return fail_at(h, FSSL_E_MEMORY, function, "out of memory", name, err);
    if (len > 0)
        memcpy(*out, text, (size_t)len);
    return 0;
}
