#include "builder.h"

#include <string.h>

enum { TEN_YEARS = 10 * 365 * 86400 };

fssl_handle build_key(void)
{
    return CHECK_MADE(fssl_key_generate(FSSL_KEY_EC, 0, TEXT("P-256"), &err));
}

fssl_handle build_public(fssl_handle key)
{
    const struct bytes *der = bytes_of(fssl_key_public_to_der, key);

    return CHECK_MADE(fssl_key_public_from_der(der->data, der->len, &err));
}

fssl_handle build_name(const char *common_name)
{
    fssl_handle name = CHECK_MADE(fssl_name_new(&err));

    CHECK_OK(fssl_name_add_item(name, TEXT("O"), BYTES("flatssl"), &err));
    CHECK_OK(fssl_name_add_item(name, TEXT("CN"), (const uint8_t *)common_name,
                                (int64_t)strlen(common_name), &err));
    return name;
}

fssl_handle build_ext(const char *name, const char *value, fssl_handle subject, fssl_handle issuer)
{
    bool critical = strcmp(name, "basicConstraints") == 0 || strcmp(name, "keyUsage") == 0;

    return CHECK_MADE(fssl_ext_new(TEXT(name), critical, TEXT(value), subject, issuer, &err));
}

void build_add_ext(fssl_handle cert, const char *name, const char *value, fssl_handle issuer)
{
    fssl_handle ext = build_ext(name, value, cert, issuer);

    CHECK_OK(fssl_cert_add_ext(cert, ext, &err));
    check_close(ext);
}

static fssl_handle build_unsigned(const char *common_name, fssl_handle key, fssl_handle issuer)
{
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));
    fssl_handle name = build_name(common_name);
    fssl_handle issuer_name =
        issuer ? CHECK_MADE(fssl_cert_subject(issuer, &err)) : build_name(common_name);

    CHECK_OK(fssl_cert_set_version(cert, 2, &err));
    CHECK_OK(fssl_cert_set_serial(cert, TEXT("1234567890abcdef"), 16, &err));
    CHECK_OK(fssl_cert_set_subject(cert, name, &err));
    CHECK_OK(fssl_cert_set_issuer(cert, issuer_name, &err));
    CHECK_OK(fssl_cert_set_not_before(cert, BUILT_FROM, &err));
    CHECK_OK(fssl_cert_set_not_after(cert, BUILT_FROM + TEN_YEARS, &err));
    CHECK_OK(fssl_cert_set_public_key(cert, key, &err));
    check_close(name);
    check_close(issuer_name);
    return cert;
}

fssl_handle build_middle_ca(const char *common_name, fssl_handle key, fssl_handle ca,
                            fssl_handle ca_key)
{
    fssl_handle cert = build_unsigned(common_name, key, ca);

    build_add_ext(cert, "basicConstraints", "CA:TRUE", 0);
    build_add_ext(cert, "keyUsage", "keyCertSign,cRLSign", 0);
    build_add_ext(cert, "subjectKeyIdentifier", "hash", 0);
    if (ca)
        build_add_ext(cert, "authorityKeyIdentifier", "keyid:always", ca);
    CHECK_OK(fssl_cert_sign(cert, ca_key, TEXT("sha256"), &err));
    return cert;
}

fssl_handle build_ca(const char *common_name, fssl_handle key)
{
    return build_middle_ca(common_name, key, 0, key);
}

fssl_handle build_leaf(const char *common_name, fssl_handle key, fssl_handle ca, fssl_handle ca_key)
{
    fssl_handle cert = build_unsigned(common_name, key, ca);
    char alt_name[80] = "DNS:";

    strncat(alt_name, common_name, sizeof alt_name - 5);
    build_add_ext(cert, "basicConstraints", "CA:FALSE", 0);
    build_add_ext(cert, "keyUsage", "digitalSignature", 0);
    build_add_ext(cert, "extendedKeyUsage", "serverAuth", 0);
    build_add_ext(cert, "subjectKeyIdentifier", "hash", 0);
    build_add_ext(cert, "authorityKeyIdentifier", "keyid:always", ca);
    build_add_ext(cert, "subjectAltName", alt_name, 0);
    CHECK_OK(fssl_cert_sign(cert, ca_key, TEXT("sha256"), &err));
    return cert;
}

static void build_revoke(fssl_handle crl, const char *serial, int32_t reason)
{
    fssl_handle revoked = CHECK_MADE(fssl_revoked_new(&err));

    CHECK_OK(fssl_revoked_set_serial(revoked, TEXT(serial), 16, &err));
    CHECK_OK(fssl_revoked_set_date(revoked, BUILT_FROM, &err));
    CHECK_OK(fssl_revoked_set_reason(revoked, reason, &err));
    CHECK_OK(fssl_crl_add_revoked(crl, revoked, &err));
    check_close(revoked);
}

fssl_handle build_crl(fssl_handle ca, fssl_handle ca_key, bool revokes)
{
    fssl_handle crl = CHECK_MADE(fssl_crl_new(&err));
    fssl_handle issuer = CHECK_MADE(fssl_cert_subject(ca, &err));
    fssl_handle key_id = build_ext("authorityKeyIdentifier", "keyid:always", 0, ca);
    fssl_handle number =
        CHECK_MADE(fssl_ext_from_der(TEXT("crlNumber"), 0, BYTES("\x02\x01\x07"), &err));

    CHECK_OK(fssl_crl_set_issuer(crl, issuer, &err));
    CHECK_OK(fssl_crl_set_last_update(crl, BUILT_FROM, &err));
    CHECK_OK(fssl_crl_set_next_update(crl, BUILT_FROM + TEN_YEARS, &err));
    CHECK_OK(fssl_crl_add_ext(crl, key_id, &err));
    CHECK_OK(fssl_crl_add_ext(crl, number, &err));
    build_revoke(crl, "9", FSSL_REASON_NONE);
    if (revokes) {
        build_revoke(crl, "1234567890abcdef", FSSL_REASON_KEY_COMPROMISE);
        build_revoke(crl, "7", FSSL_REASON_SUPERSEDED);
    }
    CHECK_OK(fssl_crl_sign(crl, ca_key, TEXT("sha256"), &err));
    check_close(number);
    check_close(key_id);
    check_close(issuer);
    return crl;
}
