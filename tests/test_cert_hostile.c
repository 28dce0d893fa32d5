/* Certificates that somebody has tampered with: every getter may meet them. */
#include "pair.h"

static void look_at_all(fssl_handle h)
{
    static uint8_t buf[20000];
    int64_t number;
    int32_t kind;
    fssl_handle part[3];

    fssl_cert_serial(h, (char *)buf, sizeof buf, NULL);
    fssl_cert_not_before(h, &number, NULL);
    fssl_cert_not_after(h, &number, NULL);
    fssl_cert_digest(h, "sha256", 6, buf, sizeof buf, NULL);
    fssl_cert_matches_host(h, "localhost", 9, NULL);
    fssl_cert_matches_host(h, "127.0.0.1", 9, NULL);
    number = fssl_cert_alt_name_count(h, NULL);
    for (int64_t i = 0; i < number; i++)
        fssl_cert_alt_name_item(h, i, &kind, buf, sizeof buf, NULL);
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

static const struct check_case cases[] = {
    {"mutated", mutated},
    {"cut off", cut_off},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
