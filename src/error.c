/* Records of errors. The only file that reads OpenSSL's error queue.

   A failure with more to tell than its code is written as a fault on the failing call's stack and
   published: copied into a ring of records whose running number, from 65,536 up, is the negative
   result. So any thread can read it, nothing has to be freed, and a record that was overwritten
   answers FSSL_E_EXPIRED. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pemerr.h>
#include <openssl/sslerr.h>
#include <openssl/x509err.h>

enum { RECORDS = 1024, ALERT_REASON = 1000, ALERT_LAST = ALERT_REASON + 255 };

static struct record records[RECORDS];
static atomic_int_fast64_t last_id = FIRST_RECORD - 1;

/* Which of OpenSSL's reasons have codes of their own. */
static const struct {
    int library;
    int reason;
    int32_t code;
} reasons[] = {
    {ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED, FSSL_E_VERIFY},
    {ERR_LIB_SSL, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, FSSL_E_VERIFY},
    {ERR_LIB_SSL, SSL_R_NO_CIPHER_MATCH, FSSL_E_CIPHER},
    {ERR_LIB_SSL, SSL_R_INVALID_COMMAND, FSSL_E_CIPHER},
    {ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING, FSSL_E_EOF},
    {ERR_LIB_SSL, SSL_R_UNSUPPORTED_SSL_VERSION, FSSL_E_UNSUPPORTED},
    {ERR_LIB_SSL, SSL_R_NO_CERTIFICATE_ASSIGNED, FSSL_E_STATE},
    {ERR_LIB_SSL, SSL_R_NO_PRIVATE_KEY_ASSIGNED, FSSL_E_STATE},
    {ERR_LIB_SSL, SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY, FSSL_E_STATE},
    {ERR_LIB_SSL, SSL_R_PROTOCOL_IS_SHUTDOWN, FSSL_E_STATE},
    {ERR_LIB_SSL, SSL_R_SRTP_COULD_NOT_ALLOCATE_PROFILES, FSSL_E_MEMORY},
    {ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH, FSSL_E_KEY_MISMATCH},
    {ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH, FSSL_E_KEY_MISMATCH},
    {ERR_LIB_X509, X509_R_NO_CERTIFICATE_FOUND, FSSL_E_PARSE},
    {ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND, FSSL_E_PARSE},
    {ERR_LIB_EVP, ERR_R_UNSUPPORTED, FSSL_E_UNSUPPORTED},
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
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= ALERT_REASON && reason <= ALERT_LAST)
        return FSSL_E_ALERT; /* above are the reasons that all libraries share, ERR_R_ */
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
    if (code == FSSL_E_VERIFY && fault->code == FSSL_E_PARSE)
        fault->code = code; /* a signature that does not fit begins as an error of ASN.1 */
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

/* Puts errors back that fault_collect has taken. */
void queue_refill(const struct fault *fault)
{
    for (int i = 0; i < fault->count; i++) {
        const struct fault_line *line = &fault->line[i];
        const char *data = fault->text + line->field[FSSL_ERROR_DATA];

        ERR_new();
        ERR_set_debug(fault->text + line->field[FSSL_ERROR_SOURCE_FILE], line->source_line,
                      fault->text + line->field[FSSL_ERROR_FUNCTION]);
        ERR_set_error(ERR_GET_LIB(line->openssl_code), ERR_GET_REASON(line->openssl_code),
                      *data ? "%s" : NULL, data);
    }
}

/* Tells whether reading PEM ended because there is no block left. */
bool queue_ends_pem(void)
{
    unsigned long error = ERR_peek_last_error();

    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* Empties the thread's error queue. Peeking first costs a seventh of clearing. */
void queue_empty(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

/* Says that the thread's error queue is empty: debug builds look. */
void queue_is_empty(void)
{
#ifdef FSSL_WITNESS
    if (ERR_peek_error())
        abort();
#endif
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
struct record *record_open(int64_t result)
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

void record_close(struct record *record)
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

    if (result >= 0)
        return finish_own(0, FSSL_OK, err);
    if (result > -FIRST_RECORD)
        return finish_own(0, -result, err);
    record = record_open(result);
    if (!record)
        return finish_own(0, FSSL_E_EXPIRED, err);
    code = record->fault.code;
    record_close(record);
    return finish_own(0, code, err);
}

int64_t fssl_error_count(int64_t result, int32_t *err)
{
    struct record *record;
    int64_t count;

    record = record_open(result);
    if (!record)
        return code_only(result <= -FIRST_RECORD ? FSSL_E_EXPIRED : FSSL_OK, err);
    count = record->fault.count;
    record_close(record);
    return finish_own(0, count, err);
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
