#include "check.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>

enum { SPOILT = -7777, CASE_SECONDS = 300, SCRATCH_MAX = 64, THREADS_MAX = 64, OUTPUTS = 4 };

_Thread_local int32_t err = SPOILT;

static _Thread_local const char *row;
static const char *running = "outside of a case";
static atomic_int failures; /* of the running case */
static const char *skipped;
static char scratch[SCRATCH_MAX][64];
static int scratch_count;

/* ---- failures ---- */

__attribute__((format(printf, 4, 5))) static void failed(const char *file, int line,
                                                         const char *what, const char *format, ...)
{
    va_list arguments;

    atomic_fetch_add(&failures, 1);
    flockfile(stdout);
    printf("FAILED %s%s%s%s\n  %s:%d: %s\n  ", running, row ? " [" : "", row ? row : "",
           row ? "]" : "", file, line, what);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
    funlockfile(stdout);
}

void check_row(const char *name)
{
    row = name;
}

void check_skip(const char *why)
{
    skipped = why;
}

const char *error_text(int64_t result)
{
    static _Thread_local char text[8192];
    int64_t len = fssl_error_text(result, text, sizeof text - 1, NULL);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

const char *error_str(int64_t result, int32_t field)
{
    static _Thread_local char text[2][4096];
    static _Thread_local int next;
    char *buf = text[next++ % 2];
    int64_t len = fssl_error_str(result, field, 0, buf, sizeof *text - 1, NULL);

    buf[len > 0 ? len : 0] = '\0';
    return buf;
}

int64_t error_int(int64_t result, int32_t field)
{
    int64_t value = SPOILT;

    fssl_error_int(result, field, 0, &value, NULL);
    return value;
}

static const char *code_name(int64_t code)
{
    static _Thread_local char name[2][64];
    static _Thread_local int next;
    char *text = name[next++ % 2];
    int64_t len = fssl_error_name((int32_t)code, text, sizeof *name - 1, NULL);

    if (len > 0)
        text[len] = '\0';
    else
        snprintf(text, sizeof *name, "code %lld", (long long)code);
    return text;
}

/* ---- checks of calls ---- */

/* What holds after every call: err says what the result says, and the error queue is empty. */
static void call_ended(const char *file, int line, const char *what, int64_t result)
{
    int32_t written = err;
    unsigned long queued = ERR_peek_error();
    int64_t code = fssl_error_code(result, NULL);

    err = SPOILT;
    if (queued)
        failed(file, line, what, "left OpenSSL's error queue with %s",
               ERR_reason_error_string(queued));
    ERR_clear_error();
    if (written == SPOILT)
        failed(file, line, what, "did not write err (is &err passed?)");
    else if (written != code && code != FSSL_E_EXPIRED)
        failed(file, line, what, "err is %s but the result is %s", code_name(written),
               code_name(code));
}

int64_t check_is(const char *file, int line, const char *what, int64_t expected, int64_t result)
{
    call_ended(file, line, what, result);
    if (result != expected && result < 0)
        failed(file, line, what, "expected %lld, got %s: %s", (long long)expected,
               code_name(fssl_error_code(result, NULL)), error_text(result));
    else if (result != expected)
        failed(file, line, what, "expected %lld, got %lld", (long long)expected, (long long)result);
    return result;
}

int64_t check_gives(const char *file, int line, const char *what, int64_t result)
{
    return check_is(file, line, what, result < 0 ? 0 : result, result);
}

int64_t check_made(const char *file, int line, const char *what, int64_t result)
{
    call_ended(file, line, what, result);
    if (result < 0)
        failed(file, line, what, "expected a handle, got %s: %s",
               code_name(fssl_error_code(result, NULL)), error_text(result));
    else if (result < 1 << 24 || result >= INT64_C(1) << 53)
        failed(file, line, what, "%lld is no handle", (long long)result);
    return result;
}

int64_t check_fails(const char *file, int line, const char *what, int32_t code, int64_t result)
{
    int64_t got = fssl_error_code(result, NULL);

    call_ended(file, line, what, result);
    if (result >= 0)
        failed(file, line, what, "expected %s, got %lld", code_name(code), (long long)result);
    else if (got != code)
        failed(file, line, what, "expected %s, got %s: %s", code_name(code), code_name(got),
               error_text(result));
    return result;
}

void check_close(fssl_handle h)
{
    CHECK_OK(fssl_handle_close(h, &err));
}

/* ---- other checks ---- */

bool check_true(const char *file, int line, const char *what, bool held)
{
    if (!held)
        failed(file, line, what, "expected true, got false");
    return held;
}

bool check_equal(const char *file, int line, const char *what, int64_t expected, int64_t actual)
{
    if (expected != actual)
        failed(file, line, what, "expected %lld, got %lld", (long long)expected, (long long)actual);
    return expected == actual;
}

bool check_text(const char *file, int line, const char *what, const char *expected,
                const char *actual)
{
    bool held = actual && strcmp(expected, actual) == 0;

    if (!held)
        failed(file, line, what, "expected \"%s\", got \"%s\"", expected, actual ? actual : "");
    return held;
}

bool check_contains(const char *file, int line, const char *what, const char *part,
                    const char *actual)
{
    bool held = actual && strstr(actual, part);

    if (!held)
        failed(file, line, what, "expected something with \"%s\", got \"%s\"", part,
               actual ? actual : "");
    return held;
}

bool check_bytes(const char *file, int line, const char *what, const void *expected,
                 const void *actual, size_t len)
{
    const uint8_t *first = expected, *second = actual;

    for (size_t i = 0; i < len; i++) {
        if (first[i] != second[i]) {
            failed(file, line, what, "byte %zu of %zu: expected 0x%02x, got 0x%02x", i, len,
                   first[i], second[i]);
            return false;
        }
    }
    return true;
}

/* ---- getters ---- */

struct getter {
    text_getter *text;
    bytes_getter *bytes;
};

static int64_t get(struct getter getter, fssl_handle h, void *buf, int64_t cap)
{
    return getter.text ? getter.text(h, buf, cap, &err) : getter.bytes(h, buf, cap, &err);
}

static const struct bytes *output_of(struct getter getter, fssl_handle h)
{
    static _Thread_local struct bytes outputs[OUTPUTS];
    static _Thread_local int next;
    struct bytes *out = &outputs[next++ % OUTPUTS];
    int64_t len;

    memset(out->data, 0xa5, sizeof out->data);
    len = get(getter, h, NULL, 0);
    out->len = CHECK_GIVES(len);
    if (!CHECK(len < (int64_t)sizeof out->data))
        return out;
    if (len > 1) {
        CHECK_FAILS(FSSL_E_BUFFER, get(getter, h, out->data, len - 1));
        CHECK(out->data[0] == 0xa5 && out->data[len - 2] == 0xa5);
    }
    if (len > 0)
        CHECK_IS(len, get(getter, h, out->data, len));
    if (len >= 0) {
        CHECK_EQUAL(0xa5, out->data[len]);
        out->data[len] = '\0';
    }
    return out;
}

const char *text_of(text_getter *getter, fssl_handle h)
{
    return (const char *)output_of((struct getter){getter, NULL}, h)->data;
}

const struct bytes *bytes_of(bytes_getter *getter, fssl_handle h)
{
    return output_of((struct getter){NULL, getter}, h);
}

/* ---- parts ---- */

int64_t check_rounds(int64_t full)
{
    const char *brief = getenv("FLATSSL_SHORT");

    if (!brief || !*brief)
        return full;
    return full / 50 + 1;
}

void check_child(void (*part)(void *), void *argument)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        atomic_store(&failures, 0);
        alarm(CASE_SECONDS);
        part(argument);
        fflush(stdout);
        _exit(atomic_load(&failures) ? 1 : 0);
    }
    CHECK(child > 0);
    CHECK_EQUAL(child, waitpid(child, &status, 0));
    if (WIFSIGNALED(status))
        failed(__FILE__, __LINE__, "the child of fork", "was killed by signal %d",
               WTERMSIG(status));
    else if (WEXITSTATUS(status))
        failed(__FILE__, __LINE__, "the child of fork", "failed");
}

static void *thread_main(void *argument)
{
    const struct check_thread *thread = argument;

    thread->part(thread->argument);
    return NULL;
}

void check_threads(const struct check_thread *threads, size_t count)
{
    pthread_t started[THREADS_MAX];
    size_t running_now = 0;

    while (running_now < count && CHECK(running_now < THREADS_MAX) &&
           CHECK_EQUAL(0, pthread_create(&started[running_now], NULL, thread_main,
                                         (void *)(uintptr_t)&threads[running_now])))
        running_now++;
    while (running_now > 0)
        pthread_join(started[--running_now], NULL);
}

const char *scratch_file(const void *data, size_t len)
{
    const char *folder = getenv("TMPDIR");
    char *path = scratch[scratch_count];
    int fd;

    if (!CHECK(scratch_count < SCRATCH_MAX))
        return "";
    snprintf(path, sizeof *scratch, "%.40s/flatssl-XXXXXX", folder ? folder : "/tmp");
    fd = mkstemp(path);
    if (CHECK(fd >= 0))
        scratch_count++;
    CHECK_EQUAL((int64_t)len, write(fd, data, len));
    close(fd);
    return path;
}

/* ---- running ---- */

static void too_long(int signal)
{
    static const char text[] = "a case took too long; the last line names it\n";
    ssize_t written = write(STDOUT_FILENO, text, sizeof text - 1);

    (void)signal;
    written += write(STDOUT_FILENO, running, strlen(running)); /* the program ends either way */
    _exit(written > 0 ? 1 : 2);
}

/* Counts open descriptors, wake-ups of waiting threads apart: the main thread keeps one. */
static int open_fds(int *wakes)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    *wakes = 0;
    while (folder && (entry = readdir(folder))) {
        char path[300], target[64] = "";

        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        if (readlink(path, target, sizeof target - 1) > 0 && strstr(target, "[eventfd]"))
            ++*wakes;
        else
            count++;
    }
    if (folder)
        closedir(folder);
    return count;
}

static void handles_left(void)
{
    static const char *const kinds[] = {"none",  "ctx", "conn", "session", "cert",   "key",  "name",
                                        "store", "ext", "req",  "crl",     "pkcs12", "chain"};
    int64_t left = fssl_handle_count(FSSL_TYPE_ANY, NULL);
    fssl_handle h;

    if (left == 0)
        return;
    failed(__FILE__, __LINE__, "handles left open", "expected 0, got %lld", (long long)left);
    while ((h = fssl_handle_next(FSSL_TYPE_ANY, 0, NULL)) > 0) {
        int64_t kind = fssl_handle_type(h, NULL);

        printf("  %s %#llx\n", kind > 0 && kind < (int)COUNT_OF(kinds) ? kinds[kind] : "handle",
               (unsigned long long)h);
        fssl_handle_close(h, NULL);
    }
}

static bool case_passes(const struct check_case *chosen)
{
    int wakes, before = open_fds(&wakes), after;

    running = chosen->name;
    row = NULL;
    skipped = NULL;
    atomic_store(&failures, 0);
    alarm(CASE_SECONDS);
    chosen->run();
    alarm(0);
    row = NULL;
    handles_left();
    if (ERR_peek_error())
        failed(__FILE__, __LINE__, "OpenSSL's error queue", "is not empty");
    ERR_clear_error();
    while (scratch_count > 0)
        unlink(scratch[--scratch_count]);
    after = open_fds(&wakes);
    if (after != before || wakes > 1)
        failed(__FILE__, __LINE__, "file descriptors", "expected %d, got %d, and %d of threads",
               before, after, wakes);
    if (skipped)
        printf("skipped %s: %s\n", running, skipped);
    return atomic_load(&failures) == 0;
}

static bool is_chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return argc < 2;
}

int check_run(const struct check_case *cases, size_t count, int argc, char **argv)
{
    int passed = 0, bad = 0, left_out = 0;

    signal(SIGALRM, too_long);
    for (size_t i = 0; i < count; i++) {
        if (!is_chosen(cases[i].name, argc, argv))
            continue;
        if (!case_passes(&cases[i]))
            bad++;
        else if (skipped)
            left_out++;
        else
            passed++;
    }
    if (passed + bad + left_out == 0) {
        printf("no case of that name; there are:\n");
        for (size_t i = 0; i < count; i++)
            printf("  %s\n", cases[i].name);
        bad = 1;
    }
    printf("%d passed, %d failed", passed, bad);
    if (left_out)
        printf(", %d skipped", left_out);
    printf("\n");
    return bad ? 1 : 0;
}
