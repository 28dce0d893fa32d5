#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pemerr.h>
#include <openssl/ssl.h>

#include "surface.h"

enum { RECORDS = 1024, FIRST_RECORD = 65536, UNKNOWN_CODE = 699 };

/* ---- codes ---- */

static int64_t name_of(fssl_handle code, char *buf, int64_t cap, int32_t *error)
{
    return fssl_error_name((int32_t)code, buf, cap, error);
}

static bool is_code(const struct surface_constant *constant)
{
    return strncmp(constant->name, "FSSL_E_", 7) == 0 || strcmp(constant->name, "FSSL_OK") == 0;
}

static void every_code_has_name_text_and_kind(void)
{
    int codes = 0;

    for (size_t i = 0; i < COUNT_OF(surface_constants); i++) {
        const struct surface_constant *code = &surface_constants[i];

        if (!is_code(code))
            continue;
        codes++;
        check_row(code->name);
        CHECK_TEXT(code->name, text_of(name_of, code->value));
        CHECK_IS(code->value / 100, fssl_error_kind((int32_t)code->value, &err));
        CHECK_IS(code->value, fssl_error_code(-code->value, &err));
        CHECK(strlen(error_text(-code->value)) > 5);
        CHECK(!strstr(error_text(-code->value), "unknown"));
    }
    CHECK(codes > 30);
}

static void codes_that_nobody_knows(void)
{
    static const int32_t unknown[] = {1, 99, 100, UNKNOWN_CODE, INT32_MAX, -1, INT32_MIN};
    char name[64];

    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_name(unknown[i], name, sizeof name, &err));
    CHECK_IS(FSSL_KIND_USAGE, fssl_error_kind(UNKNOWN_CODE, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_kind(-FSSL_E_TLS, &err));
    CHECK_IS(UNKNOWN_CODE, fssl_error_code(-UNKNOWN_CODE, &err));
    CHECK_CONTAINS("unknown", error_text(-UNKNOWN_CODE));
    CHECK_IS(FSSL_OK, fssl_error_code(INT64_MAX, &err));
    CHECK_TEXT("success", error_text(17));
}

/* ---- what records hold ---- */

static int64_t bad_argument(void)
{
    return CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_new(1234, &err));
}

static void a_bad_argument_is_named(void)
{
    int64_t result = bad_argument();

    CHECK(result <= -FIRST_RECORD && result > -(INT64_C(1) << 53));
    CHECK_IS(1, fssl_error_count(result, &err));
    CHECK_TEXT("flatssl", error_str(result, FSSL_ERROR_LIBRARY));
    CHECK_TEXT("fssl_ctx_new", error_str(result, FSSL_ERROR_FUNCTION));
    CHECK_TEXT("bad argument", error_str(result, FSSL_ERROR_REASON));
    CHECK_TEXT("method", error_str(result, FSSL_ERROR_DATA));
    CHECK_EQUAL(-1, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_EQUAL(-1, error_int(result, FSSL_ERROR_ALERT));
    CHECK_EQUAL(-1, error_int(result, FSSL_ERROR_VERIFY_CODE));
    CHECK_EQUAL(0, error_int(result, FSSL_ERROR_OPENSSL_CODE));
    CHECK_CONTAINS("fssl_ctx_new: bad argument: method", error_text(result));
}

static void a_line_of_openssl(void)
{
    int64_t result =
        CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_pem((const uint8_t *)"no PEM", 6, &err));
    int64_t code = error_int(result, FSSL_ERROR_OPENSSL_CODE);

    CHECK_IS(1, fssl_error_count(result, &err));
    CHECK_EQUAL(ERR_LIB_PEM, ERR_GET_LIB((unsigned long)code));
    CHECK_EQUAL(PEM_R_NO_START_LINE, ERR_GET_REASON((unsigned long)code));
    CHECK_TEXT("PEM routines", error_str(result, FSSL_ERROR_LIBRARY));
    CHECK_TEXT("no start line", error_str(result, FSSL_ERROR_REASON));
    CHECK(*error_str(result, FSSL_ERROR_FUNCTION));
    CHECK_CONTAINS("Expecting: ", error_str(result, FSSL_ERROR_DATA));
    CHECK_CONTAINS(".c", error_str(result, FSSL_ERROR_SOURCE_FILE));
    CHECK(error_int(result, FSSL_ERROR_SOURCE_LINE) > 0);
}

static void errno_and_path(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    int64_t result = CHECK_FAILS(
        FSSL_E_SYSCALL, fssl_ctx_use_certificate_chain_file(ctx, "/no/such/file", 13, &err));

    CHECK_EQUAL(ENOENT, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_TEXT("/no/such/file", error_str(result, FSSL_ERROR_DATA));
    CHECK_CONTAINS("No such file", error_text(result));
    check_close(ctx);
}

static void alert_and_verify_code(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.server = ID_OTHER});
    struct pair_result results = pair_handshake_results(&pair);

    CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(results.client, NULL));
    CHECK_EQUAL(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                error_int(results.client, FSSL_ERROR_VERIFY_CODE));
    CHECK_CONTAINS("unable to get local issuer certificate", error_text(results.client));
    CHECK_EQUAL(FSSL_E_ALERT, fssl_error_code(results.server, NULL));
    CHECK_EQUAL(SSL_AD_UNKNOWN_CA, error_int(results.server, FSSL_ERROR_ALERT));
    CHECK_CONTAINS("unknown CA", error_text(results.server));
    pair_close(&pair);
}

static void codes_without_a_record(void)
{
    fssl_handle store = CHECK_MADE(fssl_store_new(&err));
    uint8_t byte;
    char text[8];
    int64_t value;
    const int64_t results[] = {fssl_store_count(1, NULL), fssl_ctx_options(store, NULL),
                               fssl_version_text(text, 1, NULL), -FSSL_E_WANT_READ};

    CHECK_EQUAL(-FSSL_E_HANDLE, results[0]);
    CHECK_EQUAL(-FSSL_E_HANDLE_TYPE, results[1]);
    CHECK_EQUAL(-FSSL_E_BUFFER, results[2]);
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        CHECK_IS(0, fssl_error_count(results[i], &err));
        CHECK_OK(fssl_error_int(results[i], FSSL_ERROR_ERRNO, 0, &value, &err));
        CHECK_EQUAL(-1, value);
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_error_str(results[i], FSSL_ERROR_REASON, 0, (char *)&byte, 1, &err));
    }
    check_close(store);
}

static void bad_questions(void)
{
    int64_t result = bad_argument(), value = 5;
    char text[64];

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_int(result, 0, 0, &value, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_int(result, 1000, 0, &value, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_int(result, FSSL_ERROR_ERRNO, 0, NULL, &err));
    CHECK_OK(fssl_error_int(result, FSSL_ERROR_SOURCE_LINE, 16, &value, &err));
    CHECK_EQUAL(-1, value);
    CHECK_OK(fssl_error_int(result, FSSL_ERROR_SOURCE_LINE, INT64_MIN, &value, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_str(result, 0, 0, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_str(result, 6, 0, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_error_str(result, FSSL_ERROR_REASON, 1, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_error_str(result, FSSL_ERROR_REASON, -1, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_error_str(result, FSSL_ERROR_REASON, 0, text, 3, &err));
    CHECK_IS(12, fssl_error_str(result, FSSL_ERROR_REASON, 0, NULL, 0, &err));
    CHECK_IS(12, fssl_error_str(result, FSSL_ERROR_REASON, 0, text, 12, &err));
    CHECK_IS((int64_t)strlen(error_text(result)), fssl_error_text(result, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_text(result, NULL, 10, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_error_text(result, text, 10, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_error_text(result, text, -1, &err));
}

static void a_text_too_long_for_its_record(void)
{
    static char path[100000];
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    int64_t result;

    memset(path, 'p', sizeof path);
    result = CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_use_certificate_file(ctx, path, sizeof path,
                                                                       FSSL_FILETYPE_PEM, &err));
    CHECK_EQUAL(ENAMETOOLONG, error_int(result, FSSL_ERROR_ERRNO));
    CHECK(strlen(error_str(result, FSSL_ERROR_DATA)) > 2000);
    CHECK(memcmp(error_str(result, FSSL_ERROR_DATA), path, 2000) == 0);
    check_close(ctx);
}

/* What others left in the thread's queue is no part of a record, and is gone afterwards. */
static void errors_of_others(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    int64_t result;

    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE);
    result = CHECK_FAILS(FSSL_E_CIPHER, fssl_ctx_set_cipher_list(ctx, "NONE", 4, &err));
    CHECK_IS(1, fssl_error_count(result, &err));
    CHECK_TEXT("no cipher match", error_str(result, FSSL_ERROR_REASON));
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE);
    result = CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_der((const uint8_t *)"x", 1, &err));
    CHECK(!strstr(error_text(result), "bad signature"));
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE);
    CHECK_GIVES(fssl_ctx_options(ctx, &err));
    check_close(ctx);
}

/* A call that does not enter OpenSSL leaves the queue alone, and a refusal has only its own
   line. */
static void errors_of_others_and_own_state(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    int64_t data = 1;

    CHECK_OK(fssl_ctx_set_app_data(ctx, 5, &err));
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE);
    CHECK(fssl_ctx_app_data(ctx, &data, NULL) == 0 && data == 5);
    CHECK(fssl_error_code(-FSSL_E_WANT_READ, NULL) == FSSL_E_WANT_READ);
    CHECK_EQUAL(SSL_R_BAD_SIGNATURE, ERR_GET_REASON(ERR_peek_error()));
    data = CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_app_data(ctx, NULL, &err));
    CHECK_IS(1, fssl_error_count(data, &err));
    check_close(ctx);
}

static void errors_of_others_and_datagrams(void)
{
    static const uint8_t datagram[60000];
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_dtls_server(&err));
    fssl_handle conn = CHECK_MADE(fssl_conn_new_memory(ctx, &err));
    int64_t result;

    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE);
    result = CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_set_coalescing(conn, 5, &err));
    CHECK_IS(1, fssl_error_count(result, &err));
    while ((result = fssl_conn_bio_write(conn, datagram, sizeof datagram, &err)) > 0)
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE);
    CHECK_FAILS(FSSL_E_LIMIT, result);
    CHECK_IS(1, fssl_error_count(result, &err));
    check_close(conn);
    check_close(ctx);
}

/* ---- how long records last ---- */

static void fail_often(int count)
{
    for (int i = 0; i < count; i++)
        fssl_ctx_new(-1, NULL);
}

static void expiry_after_1024_failures(void)
{
    int64_t result = bad_argument(), value = 5;
    char text[100];

    fail_often(RECORDS - 1);
    CHECK_IS(FSSL_E_ARGUMENT, fssl_error_code(result, &err));
    CHECK_TEXT("method", error_str(result, FSSL_ERROR_DATA));
    fail_often(1);
    CHECK_IS(FSSL_E_EXPIRED, fssl_error_code(result, &err));
    CHECK_FAILS(FSSL_E_EXPIRED, fssl_error_count(result, &err));
    CHECK_FAILS(FSSL_E_EXPIRED, fssl_error_int(result, FSSL_ERROR_ERRNO, 0, &value, &err));
    CHECK_FAILS(FSSL_E_EXPIRED,
                fssl_error_str(result, FSSL_ERROR_DATA, 0, text, sizeof text, &err));
    CHECK_EQUAL(5, value);
    CHECK_CONTAINS("overwritten", error_text(result));
}

static void records_that_never_were(void)
{
    const int64_t newest = bad_argument();
    const int64_t never[] = {INT64_MIN, -(INT64_C(1) << 53), newest - 5000, newest - 1024,
                             newest - 1};

    for (size_t i = 0; i < COUNT_OF(never); i++) {
        CHECK_IS(FSSL_E_EXPIRED, fssl_error_code(never[i], &err));
        CHECK_FAILS(FSSL_E_EXPIRED, fssl_error_count(never[i], &err));
    }
    CHECK_IS(FIRST_RECORD - 1, fssl_error_code(1 - FIRST_RECORD, &err));
}

static void a_connection_keeps_its_own(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.server = ID_OTHER});
    int64_t first = pair_handshake_results(&pair).client, again;
    uint8_t byte;

    CHECK_EQUAL(first, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    fail_often(RECORDS + 5);
    CHECK_IS(FSSL_E_EXPIRED, fssl_error_code(first, &err));
    again = CHECK_FAILS(FSSL_E_VERIFY, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    CHECK(again != first);
    CHECK_EQUAL(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                error_int(again, FSSL_ERROR_VERIFY_CODE));
    CHECK_EQUAL(again, fssl_conn_send(pair.client, &byte, 1, NULL));
    pair_close(&pair);
}

/* ---- err may be NULL ---- */

static void without_err(void)
{
    char text[16];

    CHECK_EQUAL(-FSSL_E_HANDLE, fssl_handle_close(0, NULL));
    CHECK_EQUAL(-FSSL_E_BUFFER, fssl_version_text(text, 1, NULL));
    CHECK_EQUAL(FSSL_E_ARGUMENT, fssl_error_code(fssl_ctx_new(0, NULL), NULL));
    CHECK_EQUAL(FSSL_E_UNSUPPORTED, fssl_error_code(fssl_ctx_new(FSSL_SSLV2_METHOD, NULL), NULL));
    CHECK_EQUAL(FSSL_KIND_TLS, fssl_error_kind(FSSL_E_ALERT, NULL));
    CHECK(ERR_peek_error() == 0);
}

static const struct check_case cases[] = {
    {"every code has name, text and kind", every_code_has_name_text_and_kind},
    {"codes that nobody knows", codes_that_nobody_knows},
    {"a bad argument is named", a_bad_argument_is_named},
    {"a line of OpenSSL", a_line_of_openssl},
    {"errno and path", errno_and_path},
    {"alert and verify code", alert_and_verify_code},
    {"codes without a record", codes_without_a_record},
    {"bad questions", bad_questions},
    {"a text too long for its record", a_text_too_long_for_its_record},
    {"errors of others", errors_of_others},
    {"errors of others, own state", errors_of_others_and_own_state},
    {"errors of others, datagrams", errors_of_others_and_datagrams},
    {"expiry after 1024 failures", expiry_after_1024_failures},
    {"records that never were", records_that_never_were},
    {"a connection keeps its own", a_connection_keeps_its_own},
    {"without err", without_err},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
