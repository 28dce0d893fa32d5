#include "check.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/opensslv.h>

static int64_t own_text(fssl_handle unused, char *buf, int64_t cap, int32_t *error)
{
    (void)unused;
    return fssl_version_text(buf, cap, error);
}

/* The number stands where a handle stands for the others. */
static int64_t openssl_text(fssl_handle which, char *buf, int64_t cap, int32_t *error)
{
    return fssl_version_openssl_text((int32_t)which, buf, cap, error);
}

static void own_number_and_text_agree(void)
{
    int64_t number = CHECK_GIVES(fssl_version_number(&err));
    char text[32];

    CHECK(number >= 10000);
    snprintf(text, sizeof text, "%d.%d.%d", (int)(number / 10000), (int)(number / 100 % 100),
             (int)(number % 100));
    CHECK_TEXT(text, text_of(own_text, 0));
    CHECK_EQUAL(number, fssl_version_number(NULL));
}

static void number_of_openssl(void)
{
    CHECK_IS((int64_t)OpenSSL_version_num(), fssl_version_openssl(&err));
    CHECK_EQUAL(OPENSSL_VERSION_MAJOR, fssl_version_openssl(NULL) >> 28);
}

static void texts_of_openssl(void)
{
    static const struct {
        int32_t ours;
        int theirs;
        const char *part;
    } rows[] = {
        {FSSL_OPENSSL_VERSION, OPENSSL_VERSION, "OpenSSL"},
        {FSSL_OPENSSL_CFLAGS, OPENSSL_CFLAGS, "compiler: "},
        {FSSL_OPENSSL_BUILT_ON, OPENSSL_BUILT_ON, "built on: "},
        {FSSL_OPENSSL_PLATFORM, OPENSSL_PLATFORM, "platform: "},
        {FSSL_OPENSSL_DIR, OPENSSL_DIR, "OPENSSLDIR: "},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].part);
        CHECK_TEXT(OpenSSL_version(rows[i].theirs), text_of(openssl_text, rows[i].ours));
        CHECK_CONTAINS(rows[i].part, text_of(openssl_text, rows[i].ours));
    }
}

static void unknown_texts(void)
{
    static const int32_t unknown[] = {-1, 5, 1000, INT32_MIN, INT32_MAX};
    char text[16];

    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        int64_t result = CHECK_FAILS(
            FSSL_E_ARGUMENT, fssl_version_openssl_text(unknown[i], text, sizeof text, &err));

        CHECK_CONTAINS("which", error_text(result));
    }
}

static void bad_buffers(void)
{
    char text[16];

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_version_text(NULL, 16, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_version_text(text, -1, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_version_text(text, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_version_openssl_text(0, NULL, INT64_MAX, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_version_openssl_text(0, text, INT64_MIN, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_version_openssl_text(0, text, 1, &err));
}

static const struct check_case cases[] = {
    {"own number and text agree", own_number_and_text_agree},
    {"number of OpenSSL", number_of_openssl},
    {"texts of OpenSSL", texts_of_openssl},
    {"unknown texts", unknown_texts},
    {"bad buffers", bad_buffers},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
