#include "builder.h"

#include <string.h>

static int64_t reason_name(fssl_handle reason, char *buf, int64_t cap, int32_t *error)
{
    return fssl_revoked_reason_name((int32_t)reason, buf, cap, error);
}

static void reasons_have_names(void)
{
    static const struct {
        int32_t reason;
        const char *name; /* NULL: there is no such reason */
    } rows[] = {
        {FSSL_REASON_UNSPECIFIED, "unspecified"},
        {FSSL_REASON_KEY_COMPROMISE, "keyCompromise"},
        {FSSL_REASON_CA_COMPROMISE, "CACompromise"},
        {FSSL_REASON_AFFILIATION_CHANGED, "affiliationChanged"},
        {FSSL_REASON_SUPERSEDED, "superseded"},
        {FSSL_REASON_CESSATION_OF_OPERATION, "cessationOfOperation"},
        {FSSL_REASON_CERTIFICATE_HOLD, "certificateHold"},
        {7, NULL},
        {FSSL_REASON_REMOVE_FROM_CRL, "removeFromCRL"},
        {FSSL_REASON_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn"},
        {FSSL_REASON_AA_COMPROMISE, "AACompromise"},
        {11, NULL},
        {-2, NULL},
        {INT32_MAX, NULL},
        {INT32_MIN, NULL},
    };
    fssl_handle revoked = CHECK_MADE(fssl_revoked_new(&err));
    int64_t reason = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].name);
        if (!rows[i].name) {
            CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_reason_name(rows[i].reason, NULL, 0, &err));
            CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_set_reason(revoked, rows[i].reason, &err));
            continue;
        }
        CHECK_TEXT(rows[i].name, text_of(reason_name, rows[i].reason));
        CHECK_OK(fssl_revoked_set_reason(revoked, rows[i].reason, &err));
        CHECK_OK(fssl_revoked_reason(revoked, &reason, &err));
        CHECK_EQUAL(rows[i].reason, reason);
    }
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_reason_name(FSSL_REASON_NONE, NULL, 0, &err));
    CHECK_OK(fssl_revoked_set_reason(revoked, FSSL_REASON_NONE, &err));
    CHECK_OK(fssl_revoked_set_reason(revoked, FSSL_REASON_NONE, &err));
    CHECK_OK(fssl_revoked_reason(revoked, &reason, &err));
    CHECK_EQUAL(FSSL_REASON_NONE, reason);
    check_close(revoked);
}

static void a_new_entry_lacks_everything(void)
{
    fssl_handle revoked = CHECK_MADE(fssl_revoked_new(&err));
    fssl_handle crl = CHECK_MADE(fssl_crl_new(&err));
    int64_t value = 5;

    CHECK_TEXT("0", text_of(fssl_revoked_serial, revoked));
    CHECK_TEXT("", text_of(fssl_revoked_date_text, revoked));
    CHECK_FAILS(FSSL_E_STATE, fssl_revoked_date(revoked, &value, &err));
    CHECK_EQUAL(5, value);
    CHECK_OK(fssl_revoked_reason(revoked, &value, &err));
    CHECK_EQUAL(FSSL_REASON_NONE, value);
    CHECK_FAILS(FSSL_E_STATE, fssl_crl_add_revoked(crl, revoked, &err));
    check_close(crl);
    check_close(revoked);
}

static void serial_and_date(void)
{
    fssl_handle revoked = CHECK_MADE(fssl_revoked_new(&err));
    int64_t seconds;

    CHECK_OK(fssl_revoked_set_serial(revoked, TEXT("1234567890abcdef1234567890abcdef"), 16, &err));
    CHECK_TEXT("1234567890ABCDEF1234567890ABCDEF", text_of(fssl_revoked_serial, revoked));
    CHECK_OK(fssl_revoked_set_serial(revoked, TEXT("16"), 10, &err));
    CHECK_TEXT("10", text_of(fssl_revoked_serial, revoked));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_set_serial(revoked, TEXT("x"), 16, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_set_serial(revoked, TEXT("1"), 2, &err));
    CHECK_OK(fssl_revoked_set_date(revoked, BUILT_FROM, &err));
    CHECK_TEXT("20260101120000Z", text_of(fssl_revoked_date_text, revoked));
    CHECK_OK(fssl_revoked_set_date_text(revoked, TEXT("20270203040506Z"), &err));
    CHECK_OK(fssl_revoked_date(revoked, &seconds, &err));
    CHECK_EQUAL(1801627506, seconds);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_set_date(revoked, INT64_MAX, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_set_date_text(revoked, TEXT("later"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_revoked_date(revoked, NULL, &err));
    check_close(revoked);
}

static void other_handles_are_refused(void)
{
    fssl_handle key = build_key();
    int64_t value;

    CHECK_FAILS(FSSL_E_HANDLE, fssl_revoked_serial(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_revoked_date(key, &value, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_revoked_date_text(key, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_revoked_reason(key, &value, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_revoked_set_reason(key, 0, &err));
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"reasons have names", reasons_have_names},
        {"a new entry lacks everything", a_new_entry_lacks_everything},
        {"serial and date", serial_and_date},
        {"other handles are refused", other_handles_are_refused},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
