/* Codes and records of errors. The only file that reads OpenSSL's error queue.

   A failure with more to tell than its code is written as a fault on the failing call's stack and
   published: copied into a ring of records whose running number, from 65,536 up, is the negative
   result. So any thread can read it, nothing has to be freed, and a record that was overwritten
   answers FSSL_E_EXPIRED. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pemerr.h>
#include <openssl/sslerr.h>
#include <openssl/x509err.h>

enum { RECORDS = 1024, FIRST_RECORD = 65536, ALERT_REASON = 1000, KIND_STEP = 100 };

struct record {
    pthread_mutex_t mutex;
    int64_t id;
    struct fault fault;
};

static struct record records[RECORDS];
static atomic_int_fast64_t last_id = FIRST_RECORD - 1;

static const struct {
    int32_t code;
    const char *name;
    const char *text;
} codes[] = {
    {FSSL_OK, "FSSL_OK", "success"},
    {FSSL_E_WANT_READ, "FSSL_E_WANT_READ", "call again when the carrier has input"},
    {FSSL_E_WANT_WRITE, "FSSL_E_WANT_WRITE", "call again when the carrier takes output"},
    {FSSL_E_WANT_CLIENT_HELLO, "FSSL_E_WANT_CLIENT_HELLO", "the client hello awaits an answer"},
    {FSSL_E_WANT_CERTIFICATE, "FSSL_E_WANT_CERTIFICATE", "a certificate is asked for"},
    {FSSL_E_WANT_VERIFY, "FSSL_E_WANT_VERIFY", "the peer's certificate awaits a verdict"},
    {FSSL_E_INTERRUPTED, "FSSL_E_INTERRUPTED", "a signal interrupted the wait; call again"},
    {FSSL_E_ZERO_RETURN, "FSSL_E_ZERO_RETURN", "the peer closed the connection in order"},
    {FSSL_E_EOF, "FSSL_E_EOF", "the stream ended without close_notify"},
    {FSSL_E_CANCELLED, "FSSL_E_CANCELLED", "the call was cancelled or its handle closed"},
    {FSSL_E_FORKED, "FSSL_E_FORKED", "the connection belongs to the parent process"},
    {FSSL_E_SYSCALL, "FSSL_E_SYSCALL", "the operating system refused"},
    {FSSL_E_TIMEOUT, "FSSL_E_TIMEOUT", "the timeout of the connection has passed"},
    {FSSL_E_RESOLVE, "FSSL_E_RESOLVE", "the host name was not resolved"},
    {FSSL_E_TLS, "FSSL_E_TLS", "the protocol failed"},
    {FSSL_E_ALERT, "FSSL_E_ALERT", "the peer sent a fatal alert"},
    {FSSL_E_CIPHER, "FSSL_E_CIPHER", "no cipher matches"},
    {FSSL_E_CALLBACK, "FSSL_E_CALLBACK", "a callback failed or answered out of range"},
    {FSSL_E_FLOOD, "FSSL_E_FLOOD", "the peer sent too many messages without data"},
    {FSSL_E_VERIFY, "FSSL_E_VERIFY", "the peer's certificate was not verified"},
    {FSSL_E_HOST, "FSSL_E_HOST", "the peer's certificate is for another host"},
    {FSSL_E_KEY_MISMATCH, "FSSL_E_KEY_MISMATCH", "key and certificate do not belong together"},
    {FSSL_E_PARSE, "FSSL_E_PARSE", "the data was not understood"},
    {FSSL_E_PASSPHRASE_NEEDED, "FSSL_E_PASSPHRASE_NEEDED", "the key needs a passphrase"},
    {FSSL_E_PASSPHRASE_WRONG, "FSSL_E_PASSPHRASE_WRONG", "the passphrase is wrong"},
    {FSSL_E_HANDLE, "FSSL_E_HANDLE", "no such open handle"},
    {FSSL_E_HANDLE_TYPE, "FSSL_E_HANDLE_TYPE", "a handle of another type"},
    {FSSL_E_ARGUMENT, "FSSL_E_ARGUMENT", "a bad argument"},
    {FSSL_E_BUFFER, "FSSL_E_BUFFER", "the buffer is too small"},
    {FSSL_E_STATE, "FSSL_E_STATE", "not possible in this state"},
    {FSSL_E_READONLY, "FSSL_E_READONLY", "the object is read-only"},
    {FSSL_E_UNSUPPORTED, "FSSL_E_UNSUPPORTED", "this OpenSSL cannot do it"},
    {FSSL_E_IN_CALLBACK, "FSSL_E_IN_CALLBACK", "not possible inside a callback"},
    {FSSL_E_EXPIRED, "FSSL_E_EXPIRED", "the record was overwritten by later ones"},
    {FSSL_E_MEMORY, "FSSL_E_MEMORY", "out of memory"},
    {FSSL_E_LIMIT, "FSSL_E_LIMIT", "a limit was reached"},
    {FSSL_E_OPENSSL, "FSSL_E_OPENSSL", "OpenSSL failed"},
};

/* Which of OpenSSL's reasons have codes of their own. */
static const struct {
    int library;
    int reason;
    int32_t code;
} reasons[] = {
    {ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, FSSL_E_VERIFY},
    {ERR_LIB_SSL, SSL_R_NO_CIPHER_MATCH, FSSL_E_CIPHER},
    {ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING, FSSL_E_EOF},
    {ERR_LIB_SSL, SSL_R_CALLBACK_FAILED, FSSL_E_CALLBACK},
    {ERR_LIB_SSL, SSL_R_UNSUPPORTED_SSL_VERSION, FSSL_E_UNSUPPORTED},
    {ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_ASSIGNED, FSSL_E_STATE},
    {ERR_LIB_SSL, SSL_R_NO_PRIVATE_KEY_ASSIGNED, FSSL_E_STATE},
    {ERR_LIB_SSL, SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY, FSSL_E_STATE},
    {ERR_LIB_SSL, SSL_R_PROTOCOL_IS_SHUTDOWN, FSSL_E_STATE},
    {ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH, FSSL_E_KEY_MISMATCH},
    {ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH, FSSL_E_KEY_MISMATCH},
    {ERR_LIB_X509, X509_R_NO_CERTIFICATE_FOUND, FSSL_E_PARSE},
    {ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND, FSSL_E_PARSE},
    {ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ, FSSL_E_PASSPHRASE_NEEDED},
    {ERR_LIB_PEM, PEM_R_BAD_DECRYPT, FSSL_E_PASSPHRASE_WRONG},
    {ERR_LIB_PEM, 0, FSSL_E_PARSE},
    {ERR_LIB_ASN1, 0, FSSL_E_PARSE},
    {ERR_LIB_OSSL_DECODER, 0, FSSL_E_PARSE},
};

/* ---- faults ---- */

void fault_begin(struct fault *fault, int32_t code)
{
    fault->code = code;
    fault->system_errno = -1;
    fault->alert = -1;
    fault->verify_code = -1;
    fault->count = 0;
    fault->used = 1; /* offset 0 stands for no text */
    fault->text[0] = '\0';
}

static uint16_t fault_text(struct fault *fault, const char *text)
{
    size_t room = (size_t)(FAULT_TEXT - fault->used);
    size_t len = text ? strnlen(text, room - 1) : 0;
    uint16_t at = fault->used;

    if (len == 0)
        return 0;
    memcpy(fault->text + at, text, len);
    fault->text[at + len] = '\0';
    fault->used = (uint16_t)(at + len + (len + 1 < room));
    return at;
}

static struct fault_line *fault_line(struct fault *fault)
{
    struct fault_line *line;

    if (fault->count == FAULT_LINES)
        return NULL;
    line = &fault->line[fault->count++];
    memset(line, 0, sizeof *line);
    return line;
}

/* Adds a line of our own. */
void fault_say(struct fault *fault, const char *function, const char *reason, const char *data)
{
    struct fault_line *line = fault_line(fault);

    if (!line)
        return;
    line->field[FSSL_ERROR_LIBRARY] = fault_text(fault, "flatssl");
    line->field[FSSL_ERROR_FUNCTION] = fault_text(fault, function);
    line->field[FSSL_ERROR_REASON] = fault_text(fault, reason);
    line->field[FSSL_ERROR_DATA] = fault_text(fault, data);
}

static int32_t code_of(unsigned long error)
{
    int reason = ERR_GET_REASON(error);

    if (ERR_SYSTEM_ERROR(error))
        return FSSL_E_SYSCALL;
    if (reason == ERR_R_MALLOC_FAILURE)
        return FSSL_E_MEMORY;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= ALERT_REASON)
        return FSSL_E_ALERT;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].library == ERR_GET_LIB(error) &&
            (reasons[i].reason == reason || reasons[i].reason == 0))
            return reasons[i].code;
    }
    return FSSL_OK;
}

static void fault_note(struct fault *fault, unsigned long error)
{
    int32_t code = code_of(error);

    if (code == FSSL_E_SYSCALL)
        fault->system_errno = ERR_GET_REASON(error);
    if (code == FSSL_E_ALERT)
        fault->alert = ERR_GET_REASON(error) - ALERT_REASON;
    if (code && (fault->code == FSSL_E_OPENSSL || fault->code == FSSL_E_TLS))
        fault->code = code;
}

/* Moves OpenSSL's error queue into the fault, and lets it choose the code where the caller knew
   nothing better than FSSL_E_OPENSSL or FSSL_E_TLS. */
void fault_collect(struct fault *fault)
{
    const char *file, *function, *data;
    unsigned long error;
    int source_line, flags;

    while ((error = ERR_get_error_all(&file, &source_line, &function, &data, &flags))) {
        struct fault_line *line = fault_line(fault);

        fault_note(fault, error);
        if (!line)
            continue;
        line->openssl_code = error;
        line->source_line = source_line;
        line->field[FSSL_ERROR_LIBRARY] = fault_text(fault, ERR_lib_error_string(error));
        line->field[FSSL_ERROR_FUNCTION] = fault_text(fault, function);
        line->field[FSSL_ERROR_REASON] = fault_text(fault, ERR_reason_error_string(error));
        if (flags & ERR_TXT_STRING)
            line->field[FSSL_ERROR_DATA] = fault_text(fault, data);
        line->field[FSSL_ERROR_SOURCE_FILE] = fault_text(fault, file);
    }
}

/* Empties the thread's error queue. Peeking first costs a seventh of clearing. */
void queue_empty(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

static struct record *record_at(int64_t id)
{
    return &records[id % RECORDS];
}

/* Copies a fault into the ring. Returns the negative result that names it. */
int64_t fault_publish(const struct fault *fault, int32_t *err)
{
    int64_t id = atomic_fetch_add(&last_id, 1) + 1;
    struct record *record = record_at(id);

    pthread_mutex_lock(&record->mutex);
    if (record->id < id) { /* else this thread slept while the ring went round */
        memcpy(&record->fault, fault, offsetof(struct fault, text) + fault->used);
        record->fault.text[FAULT_TEXT - 1] = '\0';
        record->id = id;
    }
    pthread_mutex_unlock(&record->mutex);
    if (err)
        *err = fault->code;
    return -id;
}

/* ---- reading records ---- */

void error_start(void)
{
    for (int i = 0; i < RECORDS; i++)
        pthread_mutex_init(&records[i].mutex, NULL);
}

/* Locks and returns the record of a result, NULL if it has none or was overwritten. */
static struct record *record_open(int64_t result)
{
    struct record *record;

    if (result > -FIRST_RECORD || result < -atomic_load(&last_id))
        return NULL;
    record = record_at(-result);
    pthread_mutex_lock(&record->mutex);
    if (record->id == -result)
        return record;
    pthread_mutex_unlock(&record->mutex);
    return NULL;
}

static void record_close(struct record *record)
{
    pthread_mutex_unlock(&record->mutex);
}

/* Tells whether the record of a result still stands. */
bool record_live(int64_t result)
{
    struct record *record = record_open(result);

    if (record)
        record_close(record);
    return record != NULL;
}

int64_t fssl_error_code(int64_t result, int32_t *err)
{
    struct record *record;
    int64_t code;

    start();
    if (result >= 0)
        return finish(0, FSSL_OK, err);
    if (result > -FIRST_RECORD)
        return finish(0, -result, err);
    record = record_open(result);
    if (!record)
        return finish(0, FSSL_E_EXPIRED, err);
    code = record->fault.code;
    record_close(record);
    return finish(0, code, err);
}

int64_t fssl_error_kind(int32_t code, int32_t *err)
{
    start();
    if (code < 0)
        return refuse(0, "code", err);
    return finish(0, code / KIND_STEP, err);
}

static const char *code_text(int32_t code, bool name)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].code == code)
            return name ? codes[i].name : codes[i].text;
    }
    return NULL;
}

int64_t fssl_error_name(int32_t code, char *buf, int64_t cap, int32_t *err)
{
    const char *name = code_text(code, true);

    start();
    if (!name)
        return refuse(0, "code", err);
    return finish_text(0, name, buf, cap, err);
}

int64_t fssl_error_count(int64_t result, int32_t *err)
{
    struct record *record;
    int64_t count;

    start();
    record = record_open(result);
    if (!record)
        return finish_code(0, result <= -FIRST_RECORD ? FSSL_E_EXPIRED : FSSL_OK, err);
    count = record->fault.count;
    record_close(record);
    return finish(0, count, err);
}

static bool record_number(const struct fault *fault, int32_t field, int64_t *value)
{
    switch (field) {
    case FSSL_ERROR_ERRNO:
        *value = fault->system_errno;
        return true;
    case FSSL_ERROR_ALERT:
        *value = fault->alert;
        return true;
    case FSSL_ERROR_VERIFY_CODE:
        *value = fault->verify_code;
        return true;
    default:
        return false;
    }
}

static int64_t line_number(const struct fault *fault, int32_t field, int64_t at)
{
    if (at < 0 || at >= fault->count)
        return -1;
    if (field == FSSL_ERROR_SOURCE_LINE)
        return fault->line[at].source_line;
    return (int64_t)fault->line[at].openssl_code;
}

int64_t fssl_error_int(int64_t result, int32_t field, int64_t line, int64_t *value, int32_t *err)
{
    struct record *record;
    int64_t number = -1;

    start();
    if (field < FSSL_ERROR_ERRNO || field > FSSL_ERROR_SOURCE_LINE)
        return refuse(0, "field", err);
    record = record_open(result);
    if (!record && result <= -FIRST_RECORD)
        return code_only(FSSL_E_EXPIRED, err);
    if (record) {
        if (!record_number(&record->fault, field, &number))
            number = line_number(&record->fault, field, line);
        record_close(record);
    }
    return finish_value(0, number, value, err);
}

int64_t fssl_error_str(int64_t result, int32_t field, int64_t line, char *buf, int64_t cap,
                       int32_t *err)
{
    char text[FAULT_TEXT] = "";
    struct record *record;
    bool there = false;

    start();
    if (field < FSSL_ERROR_LIBRARY || field > FSSL_ERROR_SOURCE_FILE)
        return refuse(0, "field", err);
    record = record_open(result);
    if (!record && result <= -FIRST_RECORD)
        return code_only(FSSL_E_EXPIRED, err);
    if (record) {
        there = line >= 0 && line < record->fault.count;
        if (there && record->fault.line[line].field[field])
            strcpy(text, record->fault.text + record->fault.line[line].field[field]);
        record_close(record);
    }
    if (!there)
        return refuse(0, "line", err);
    return finish_text(0, text, buf, cap, err);
}

/* ---- the text for a person ---- */

struct page {
    char text[2 * FAULT_TEXT];
    size_t len;
};

static void page_add(struct page *page, const char *before, const char *text)
{
    int n;

    if (!*text || page->len >= sizeof page->text)
        return;
    n = snprintf(page->text + page->len, sizeof page->text - page->len, "%s%s", before, text);
    page->len += n > 0 ? (size_t)n : 0;
}

static void page_fault(struct page *page, const struct fault *fault)
{
    char number[64];

    if (fault->system_errno > 0) {
        strerror_r(fault->system_errno, number, sizeof number);
        page_add(page, ": ", number);
    }
    if (fault->alert >= 0)
        page_add(page, ": ", SSL_alert_desc_string_long(fault->alert));
    if (fault->verify_code > 0)
        page_add(page, ": ", X509_verify_cert_error_string(fault->verify_code));
    for (int i = 0; i < fault->count; i++) {
        const uint16_t *field = fault->line[i].field;

        page_add(page, "\n  ", fault->text + field[FSSL_ERROR_LIBRARY]);
        page_add(page, ": ", fault->text + field[FSSL_ERROR_FUNCTION]);
        page_add(page, ": ", fault->text + field[FSSL_ERROR_REASON]);
        page_add(page, ": ", fault->text + field[FSSL_ERROR_DATA]);
    }
}

int64_t fssl_error_text(int64_t result, char *buf, int64_t cap, int32_t *err)
{
    struct page page = {"", 0};
    struct record *record;
    int32_t code = result < 0 && result > -FIRST_RECORD ? (int32_t)-result : FSSL_OK;
    const char *text;

    start();
    record = record_open(result);
    if (!record && result <= -FIRST_RECORD)
        code = FSSL_E_EXPIRED;
    if (record)
        code = record->fault.code;
    text = code_text(code, false);
    page_add(&page, "", text ? text : "an unknown code");
    if (record) {
        page_fault(&page, &record->fault);
        record_close(record);
    }
    return finish_text(0, page.text, buf, cap, err);
}
