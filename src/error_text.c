/* Codes and records as text. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

enum { KIND_STEP = 100 };

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

int64_t fssl_error_kind(int32_t code, int32_t *err)
{
    start();
    if (code < 0)
        return refuse(0, "code", err);
    return finish_own(0, code / KIND_STEP, err);
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

/* ---- a record for a person ---- */

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
