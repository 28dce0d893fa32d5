#include "builder.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

/* The item that the getters below ask for. */
static int64_t at;

static int64_t type_at(fssl_handle name, char *buf, int64_t cap, int32_t *error)
{
    return fssl_name_item_type(name, at, buf, cap, error);
}

static int64_t value_at(fssl_handle name, uint8_t *buf, int64_t cap, int32_t *error)
{
    return fssl_name_item_value(name, at, buf, cap, error);
}

static void has_item(fssl_handle name, int64_t i, const char *type, const char *value)
{
    const struct bytes *bytes;

    at = i;
    CHECK_TEXT(type, text_of(type_at, name));
    bytes = bytes_of(value_at, name);
    CHECK_TEXT(value, (const char *)bytes->data);
}

static int64_t add(fssl_handle name, const char *type, const char *value)
{
    return fssl_name_add_item(name, TEXT(type), (const uint8_t *)value, (int64_t)strlen(value),
                              &err);
}

static int64_t set(fssl_handle name, const char *type, const char *value)
{
    return fssl_name_set_item(name, TEXT(type), (const uint8_t *)value, (int64_t)strlen(value),
                              &err);
}

static void items_in_order(void)
{
    fssl_handle name = CHECK_MADE(fssl_name_new(&err));

    CHECK_IS(0, fssl_name_count(name, &err));
    CHECK_TEXT("", text_of(fssl_name_text, name));
    CHECK_OK(add(name, "C", "AT"));
    CHECK_OK(add(name, "organizationName", "flatssl"));
    CHECK_OK(add(name, "OU", "one"));
    CHECK_OK(add(name, "OU", "two"));
    CHECK_OK(add(name, "2.5.4.3", "caf\xc3\xa9"));
    CHECK_OK(add(name, "1.2.3.4.5", "odd"));
    CHECK_IS(6, fssl_name_count(name, &err));
    has_item(name, 0, "C", "AT");
    has_item(name, 1, "O", "flatssl");
    has_item(name, 2, "OU", "one");
    has_item(name, 3, "OU", "two");
    has_item(name, 4, "CN", "caf\xc3\xa9");
    has_item(name, 5, "1.2.3.4.5", "odd");
    CHECK_CONTAINS("OU=two,OU=one", text_of(fssl_name_text, name));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_name_item_type(name, 6, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_name_item_value(name, -1, NULL, 0, &err));
    check_close(name);
}

/* As the seed's X509Name does: the first item of the type goes, the new one comes last. */
static void setting_replaces_the_first(void)
{
    fssl_handle name = CHECK_MADE(fssl_name_new(&err));

    CHECK_OK(add(name, "OU", "one"));
    CHECK_OK(add(name, "OU", "two"));
    CHECK_OK(add(name, "CN", "host"));
    CHECK_OK(set(name, "OU", "three"));
    CHECK_IS(3, fssl_name_count(name, &err));
    has_item(name, 0, "OU", "two");
    has_item(name, 1, "CN", "host");
    has_item(name, 2, "OU", "three");
    CHECK_OK(set(name, "emailAddress", "a@b.test"));
    has_item(name, 3, "emailAddress", "a@b.test");
    check_close(name);
}

static void bad_items_change_nothing(void)
{
    static const struct {
        const char *type;
        const char *value;
        int64_t len;
        int32_t code;
    } rows[] = {
        {"nonsense", "x", 1, FSSL_E_ARGUMENT},
        {"", "x", 1, FSSL_E_ARGUMENT},
        {"CN", "a\0b", 3, FSSL_E_ARGUMENT},
        {"CN", "", 1, FSSL_E_ARGUMENT},
        {"CN", "x", -1, FSSL_E_ARGUMENT},
        {"CN", NULL, 1, FSSL_E_ARGUMENT},
        {"CN", "x", INT64_C(1) << 40, FSSL_E_ARGUMENT},
        {"CN", "", 0, FSSL_E_PARSE},
        {"C", "AUT", 3, FSSL_E_PARSE},
        {"CN", "\xff\xfe", 2, FSSL_E_PARSE},
        {"CN", "65 letters are one more than RFC 5280 allows in a common name....", 65,
         FSSL_E_PARSE},
    };
    fssl_handle name = build_name("before");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const uint8_t *value = (const uint8_t *)rows[i].value;

        check_row(rows[i].type);
        if (rows[i].len > 1000000 && rows[i].code == FSSL_E_ARGUMENT)
            value = (const uint8_t *)"x"; /* refused by its length, before it is read */
        CHECK_FAILS(rows[i].code,
                    fssl_name_add_item(name, TEXT(rows[i].type), value, rows[i].len, &err));
        CHECK_FAILS(rows[i].code,
                    fssl_name_set_item(name, TEXT(rows[i].type), value, rows[i].len, &err));
        CHECK_TEXT("CN=before,O=flatssl", text_of(fssl_name_text, name));
    }
    CHECK_FAILS(FSSL_E_HANDLE, fssl_name_add_item(0, TEXT("CN"), BYTES("x"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_name_add_item(name, "C\0N", 3, BYTES("x"), &err));
    check_close(name);
}

static void der_round_trip(void)
{
    fssl_handle name = build_name("somebody");
    const struct bytes *der = bytes_of(fssl_name_to_der, name);
    fssl_handle again = CHECK_MADE(fssl_name_from_der(der->data, der->len, &err));
    int64_t order = 7;

    CHECK_OK(fssl_name_compare(name, again, &order, &err));
    CHECK_EQUAL(0, order);
    CHECK_FAILS(FSSL_E_PARSE, fssl_name_from_der(der->data, der->len - 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_name_from_der(der->data, der->len + 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_name_from_der(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_name_from_der(NULL, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_name_from_der(der->data, -1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_name_to_der(0, NULL, 0, &err));
    check_close(again);
    check_close(name);
}

/* A value that holds a NUL comes out whole: what cut it was a wrong peer taken for the right. */
static void nul_in_a_read_value(void)
{
    static const uint8_t der[] = {0x30, 0x15, 0x31, 0x13, 0x30, 0x11, 0x06, 0x03,
                                  0x55, 0x04, 0x03, 0x0c, 0x0a, 'g',  'o',  'o',
                                  'd',  0,    '.',  'e',  'v',  'i',  'l'};
    fssl_handle name = CHECK_MADE(fssl_name_from_der(der, sizeof der, &err));
    uint8_t value[16];

    CHECK_IS(10, fssl_name_item_value(name, 0, value, sizeof value, &err));
    CHECK_BYTES("good\0.evil", value, 10);
    CHECK_CONTAINS("\\00.evil", text_of(fssl_name_text, name));
    check_close(name);
}

static void comparing(void)
{
    static const struct {
        const char *first;
        const char *second;
        int order;
    } rows[] = {
        {"same", "same", 0},
        {"Same  Name", "same name", 0}, /* as RFC 5280 has it */
        {"a", "b", -1},
        {"b", "a", 1},
        {"short", "longer name", -1},
    };
    int64_t order = 9;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle first = build_name(rows[i].first), second = build_name(rows[i].second);

        check_row(rows[i].first);
        CHECK_OK(fssl_name_compare(first, second, &order, &err));
        CHECK_EQUAL(rows[i].order, order);
        CHECK(rows[i].order != 0 ||
              fssl_name_hash(first, NULL) == CHECK_GIVES(fssl_name_hash(second, &err)));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_name_compare(first, second, NULL, &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_name_compare(first, 0, &order, &err));
        CHECK_FAILS(FSSL_E_HANDLE, fssl_name_compare(0, second, &order, &err));
        check_close(first);
        check_close(second);
    }
    CHECK_FAILS(FSSL_E_HANDLE, fssl_name_hash(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_name_count(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_name_text(0, NULL, 0, &err));
}

static void copies_are_apart(void)
{
    fssl_handle key = build_key(), cert = build_ca("view", key);
    fssl_handle view = CHECK_MADE(fssl_cert_subject(cert, &err));
    fssl_handle copy = CHECK_MADE(fssl_name_copy(view, &err));

    CHECK_OK(set(copy, "CN", "changed"));
    CHECK_TEXT("CN=view,O=flatssl", text_of(fssl_name_text, view));
    CHECK_TEXT("CN=changed,O=flatssl", text_of(fssl_name_text, copy));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_name_copy(cert, &err));
    check_close(copy);
    check_close(view);
    check_close(cert);
    check_close(key);
}

static void ten_thousand_items(void)
{
    enum { MANY = 10000 };
    fssl_handle name = CHECK_MADE(fssl_name_new(&err));
    char text[32];
    uint8_t value[32];
    int64_t len;

    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "unit %d", i);
        if (!CHECK_EQUAL(0, add(name, "OU", text)))
            break;
    }
    CHECK_IS(MANY, fssl_name_count(name, &err));
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "unit %d", i);
        len = fssl_name_item_value(name, i, value, sizeof value, &err);
        if (!CHECK_EQUAL((int64_t)strlen(text), len) || !CHECK_BYTES(text, value, (size_t)len))
            break;
    }
    CHECK(fssl_name_text(name, NULL, 0, &err) > MANY * 9);
    CHECK(fssl_name_to_der(name, NULL, 0, &err) > MANY * 15);
    check_close(name);
}

/* ---- views, from threads ---- */

static fssl_handle shared_cert;

static void change_subject(void *argument)
{
    fssl_handle view = fssl_cert_subject(shared_cert, NULL);
    char text[32];

    (void)argument;
    for (int64_t i = check_rounds(2000); i > 0; i--) {
        snprintf(text, sizeof text, "name %d", (int)i);
        CHECK_OK(set(view, "CN", text));
        CHECK_IS(2, fssl_name_count(view, &err));
    }
    check_close(view);
}

static void copy_subject(void *argument)
{
    fssl_handle view = fssl_cert_subject(shared_cert, NULL);

    (void)argument;
    for (int64_t i = check_rounds(2000); i > 0; i--) {
        CHECK_OK(fssl_cert_set_issuer(shared_cert, view, &err));
        CHECK(fssl_cert_to_der(shared_cert, NULL, 0, &err) > 0);
    }
    check_close(view);
}

static void views_from_threads(void)
{
    static const struct check_thread threads[] = {
        {change_subject, NULL}, {copy_subject, NULL}, {change_subject, NULL}};
    fssl_handle key = build_key();

    shared_cert = build_ca("shared", key);
    check_threads(threads, COUNT_OF(threads));
    check_close(shared_cert);
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"CVE-2021-44532 items in order", items_in_order},
        {"setting replaces the first", setting_replaces_the_first},
        {"bad items change nothing", bad_items_change_nothing},
        {"DER round trip", der_round_trip},
        {"CVE-2013-4238 NUL in a value that was read", nul_in_a_read_value},
        {"CVE-2018-16395 comparing", comparing},
        {"copies are apart", copies_are_apart},
        {"ten thousand items", ten_thousand_items},
        {"views from threads", views_from_threads},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
