#include "builder.h"

#include <string.h>

static int64_t item(fssl_handle i, char *buf, int64_t cap, int32_t *error)
{
    return fssl_curve_item(i, buf, cap, error);
}

static void every_curve_is_listed(void)
{
    static const char *const expected[] = {"prime256v1", "secp384r1", "secp521r1", "secp256k1",
                                           "brainpoolP256r1"};
    int64_t count = CHECK_GIVES(fssl_curve_count(&err));
    size_t found = 0;

    CHECK(count > (int64_t)COUNT_OF(expected));
    for (int64_t i = 0; i < count; i++) {
        const char *name = text_of(item, i);

        check_row(name);
        CHECK(strlen(name) >= 3);
        CHECK_GIVES(fssl_curve_in_tls(TEXT(name), &err));
        for (size_t at = 0; at < COUNT_OF(expected); at++)
            found += strcmp(name, expected[at]) == 0;
    }
    check_row(NULL);
    CHECK_EQUAL(COUNT_OF(expected), (int64_t)found);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_item(count, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_item(-1, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_item(INT64_MAX, NULL, 0, &err));
}

static void which_tls_has(void)
{
    static const struct {
        const char *name;
        int in_tls;
    } rows[] = {
        {"prime256v1", 1}, {"P-256", 1},           {"P-384", 1},     {"secp521r1", 1},
        {"secp256k1", 1},  {"brainpoolP256r1", 1}, {"secp112r1", 0}, {"c2pnb163v1", 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].name);
        CHECK_IS(rows[i].in_tls, fssl_curve_in_tls(TEXT(rows[i].name), &err));
    }
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_in_tls(TEXT("nonsense"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_in_tls(TEXT("CN"), &err)); /* a name, but no curve */
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_in_tls(TEXT(""), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_in_tls("P-256\0", 6, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_curve_in_tls(NULL, 4, &err));
}

static void keys_of_a_listed_curve(void)
{
    fssl_handle key = CHECK_MADE(fssl_key_generate(FSSL_KEY_EC, 0, TEXT("brainpoolP256r1"), &err));

    CHECK_TEXT("brainpoolP256r1", text_of(fssl_key_curve, key));
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"every curve is listed", every_curve_is_listed},
        {"which TLS has", which_tls_has},
        {"keys of a listed curve", keys_of_a_listed_curve},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
