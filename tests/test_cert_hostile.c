/* Certificates that somebody has tampered with: every getter may meet them. */
#include "builder.h"
#include "pair.h"

static void look_at_all(fssl_handle h)
{
    static uint8_t buf[20000];
    int64_t number;
    int32_t kind;
    fssl_handle part[3], ext;

    fssl_cert_serial(h, (char *)buf, sizeof buf, NULL);
    fssl_cert_not_before(h, &number, NULL);
    fssl_cert_not_after(h, &number, NULL);
    fssl_cert_digest(h, "sha256", 6, buf, sizeof buf, NULL);
    fssl_cert_matches_host(h, "localhost", 9, NULL);
    fssl_cert_matches_host(h, "127.0.0.1", 9, NULL);
    number = fssl_cert_alt_name_count(h, NULL);
    for (int64_t i = 0; i < number; i++)
        fssl_cert_alt_name_item(h, i, &kind, buf, sizeof buf, NULL);
    fssl_cert_to_text(h, (char *)buf, sizeof buf, NULL);
    number = fssl_cert_ext_count(h, NULL);
    for (int64_t i = 0; i < number; i++) {
        ext = fssl_cert_ext_item(h, i, NULL);
        fssl_ext_name(ext, (char *)buf, sizeof buf, NULL);
        fssl_ext_text(ext, (char *)buf, sizeof buf, NULL);
        fssl_handle_close(ext, NULL);
    }
    part[0] = fssl_cert_subject(h, NULL);
    part[1] = fssl_cert_issuer(h, NULL);
    part[2] = fssl_cert_public_key(h, NULL);
    for (int i = 0; i < 2; i++) {
        fssl_name_text(part[i], (char *)buf, sizeof buf, NULL);
        number = fssl_name_count(part[i], NULL);
        for (int64_t k = 0; k < number; k++)
            fssl_name_item_value(part[i], k, buf, sizeof buf, NULL);
    }
    fssl_key_bits(part[2], NULL);
    for (int i = 0; i < 3; i++)
        fssl_handle_close(part[i], NULL);
}

/* One byte changed, at each place in turn: refused or readable, and never a crash or a leak. */
static void mutated(void)
{
    struct encoded der = identity_cert_der(ID_MANY_NAMES);
    int64_t step = check_rounds(3) == 3 ? 1 : 7, made = 0;

    for (int64_t at = 0; at < der.len; at += step) {
        for (int bit = 0; bit < 8; bit++) {
            fssl_handle h;

            der.data[at] ^= (uint8_t)(1 << bit);
            h = fssl_cert_from_der(der.data, der.len, NULL);
            if (h > 0) {
                look_at_all(h);
                check_close(h);
                made++;
            }
            der.data[at] ^= (uint8_t)(1 << bit);
        }
    }
    CHECK(made > der.len / step);
}

/* Cut off at each byte in turn. */
static void cut_off(void)
{
    struct encoded der = identity_cert_der(ID_MANY_NAMES), pem = identity_cert_pem(ID_MANY_NAMES);

    for (int64_t len = 0; len < der.len; len++)
        CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_der(der.data, len, &err));
    for (int64_t len = 0; len < pem.len - 2; len += 7) /* the dashes and the line's end count */
        CHECK_FAILS(FSSL_E_PARSE, fssl_cert_from_pem(pem.data, len, &err));
}

/* Lists with nothing in them, and things with no part that might be set. */
static void with_nothing_in_them(void)
{
    static const struct {
        const char *name;
        const char *der;
        int64_t len;
    } rows[] = {
        {"crlDistributionPoints", "\x30\0", 2},
        {"crlDistributionPoints", "\x30\2\x30\0", 4},
        {"crlDistributionPoints", "\x30\4\x30\2\xa0\0", 6},
        {"subjectAltName", "\x30\0", 2},
        {"subjectAltName", "\x30\2\xa4\0", 4},
        {"nameConstraints", "\x30\0", 2},
        {"certificatePolicies", "\x30\2\x30\0", 4},
        {"authorityInfoAccess", "\x30\0", 2},
        {"authorityKeyIdentifier", "\x30\0", 2},
        {"extendedKeyUsage", "\x30\0", 2},
        {"basicConstraints", "", 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle key = build_key(), cert = build_ca("empty", key);
        fssl_handle ext = CHECK_MADE(fssl_ext_from_der(
            TEXT(rows[i].name), 0, (const uint8_t *)rows[i].der, rows[i].len, &err));

        check_row(rows[i].name);
        CHECK_OK(fssl_cert_add_ext(cert, ext, &err));
        CHECK_OK(fssl_cert_sign(cert, key, TEXT("sha256"), &err));
        look_at_all(cert);
        check_close(ext);
        check_close(cert);
        check_close(key);
    }
    check_row(NULL);
}

static const struct check_case cases[] = {
    {"CVE-2019-5010 mutated", mutated},
    {"cut off", cut_off},
    {"CVE-2019-5010 with nothing in them", with_nothing_in_them},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
