#include "builder.h"

#include <string.h>

static void values_as_text(void)
{
    static const struct {
        const char *name;
        const char *value;
        const char *said; /* a part of the text for a person */
    } rows[] = {
        {"basicConstraints", "CA:TRUE,pathlen:0", "CA:TRUE, pathlen:0"},
        {"keyUsage", "digitalSignature, keyEncipherment", "Digital Signature, Key Encipherment"},
        {"extendedKeyUsage", "serverAuth,1.2.3.4", "TLS Web Server Authentication, 1.2.3.4"},
        {"subjectAltName", "DNS:a.test,IP:10.0.0.1,URI:http://u@b.test:80/LEADER:DER",
         "DNS:a.test"},
        {"subjectAltName", "email:somebody@example.test", "email:somebody@example.test"},
        {"subjectAltName", "DNS:move.test,DNS:remove", "DNS:move.test, DNS:remove"},
        {"subjectAltName", "RID:1.2.3.4", "Registered ID:1.2.3.4"},
        {"issuerAltName", "DNS:issuer.test", "DNS:issuer.test"},
        {"subjectKeyIdentifier", "0102030405", "01:02:03:04:05"},
        {"nameConstraints", "permitted;DNS:.a.test,excluded;IP:10.0.0.0/255.0.0.0", "DNS:.a.test"},
        {"crlDistributionPoints", "URI:http://c.test/crl", "http://c.test/crl"},
        {"authorityInfoAccess", "OCSP;URI:http://o.test/", "OCSP - URI:http://o.test/"},
        {"subjectInfoAccess", "1.3.6.1.5.5.7.48.5;URI:http://r.test/", "http://r.test/"},
        {"certificatePolicies", "1.2.3.4,2.23.140.1.2.1", "Policy: 1.2.3.4"},
        {"policyConstraints", "requireExplicitPolicy:3", "Require Explicit Policy:3"},
        {"policyMappings", "1.2.3.4:1.2.3.5", "1.2.3.4:1.2.3.5"},
        {"inhibitAnyPolicy", "2", "2"},
        {"tlsfeature", "status_request", "status_request"},
        {"noCheck", "ignored", ""},
        {"nsComment", "made by a test", "made by a test"},
        {"nsCertType", "server", "SSL Server"},
        {"freshestCRL", "URI:http://c.test/delta", "http://c.test/delta"},
        {"issuingDistributionPoint", "onlyuser:TRUE", "Only User Certificates"},
        {"nsBaseUrl", "http://n.test/", "http://n.test/"},
        {"nsRevocationUrl", "http://n.test/", "http://n.test/"},
        {"nsCaRevocationUrl", "http://n.test/", "http://n.test/"},
        {"nsRenewalUrl", "http://n.test/", "http://n.test/"},
        {"nsCaPolicyUrl", "http://n.test/", "http://n.test/"},
        {"nsSslServerName", "n.test", "n.test"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle ext;

        check_row(rows[i].name);
        ext = CHECK_MADE(fssl_ext_new(TEXT(rows[i].name), 0, TEXT(rows[i].value), 0, 0, &err));
        CHECK_TEXT(rows[i].name, text_of(fssl_ext_name, ext));
        CHECK_CONTAINS(rows[i].said, text_of(fssl_ext_text, ext));
        CHECK_IS(0, fssl_ext_critical(ext, &err));
        CHECK(bytes_of(fssl_ext_data, ext)->len > 0);
        check_close(ext);
    }
}

static void refused(void)
{
    static const struct {
        const char *name;
        const char *value;
        int32_t code;
    } rows[] = {
        {"nonsense", "x", FSSL_E_ARGUMENT},
        {"", "x", FSSL_E_ARGUMENT},
        {"2.5.29.19", "CA:TRUE", FSSL_E_ARGUMENT},
        {"crlNumber", "7", FSSL_E_ARGUMENT},
        {"proxyCertInfo", "language:id-ppl-anyLanguage,pathlen:0,policy:file:/etc/passwd",
         FSSL_E_ARGUMENT},
        {"nsComment\n", "x", FSSL_E_ARGUMENT},
        {"basicConstraints", "@section", FSSL_E_ARGUMENT},
        {"basicConstraints", "critical,@section", FSSL_E_ARGUMENT},
        {"basicConstraints", "critical, DER:30:00", FSSL_E_ARGUMENT},
        {"basicConstraints", "DER:30:00", FSSL_E_ARGUMENT},
        {"basicConstraints", "\tder:30:00", FSSL_E_ARGUMENT},
        {"basicConstraints", "ASN1:NULL", FSSL_E_ARGUMENT},
        {"subjectAltName", "dirName:section", FSSL_E_ARGUMENT},
        {"subjectAltName", "otherName:1.2.3;UTF8:x", FSSL_E_ARGUMENT},
        {"subjectAltName", "email: move", FSSL_E_ARGUMENT},
        {"subjectAltName", "email:move,DNS:a", FSSL_E_ARGUMENT},
        {"subjectAltName", "DNS:a\nDNS:b", FSSL_E_ARGUMENT},
        {"subjectAltName", "DNS:a\rDNS:b", FSSL_E_ARGUMENT},
        {"certificatePolicies", "1.2.3.4,@section", FSSL_E_ARGUMENT},
        {"nameConstraints", "permitted;dirName:section", FSSL_E_ARGUMENT},
        {"crlDistributionPoints", "section", FSSL_E_PARSE},
        {"basicConstraints", "", FSSL_E_PARSE},
        {"basicConstraints", "CA:PERHAPS", FSSL_E_PARSE},
        {"keyUsage", "everything", FSSL_E_PARSE},
        {"subjectAltName", "IP:300.1.1.1", FSSL_E_PARSE},
        {"subjectKeyIdentifier", "hash", FSSL_E_PARSE},
        {"authorityKeyIdentifier", "keyid:always", FSSL_E_PARSE},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].value);
        CHECK_FAILS(rows[i].code,
                    fssl_ext_new(TEXT(rows[i].name), 0, TEXT(rows[i].value), 0, 0, &err));
    }
    check_row(NULL);
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_ext_new(TEXT("subjectAltName"), 0, "DNS:good\0.evil", 14, 0, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_new("nsComment\0", 10, 0, TEXT("x"), 0, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_new(NULL, 1, 0, TEXT("x"), 0, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_new(TEXT("nsComment"), 0, NULL, -1, 0, 0, &err));
}

static void identifiers_of_keys(void)
{
    fssl_handle key = build_key(), ca = build_ca("identified", key);
    fssl_handle own = build_ext("subjectKeyIdentifier", "hash", ca, 0);
    fssl_handle issuer = build_ext("authorityKeyIdentifier", "keyid:always,issuer:always", 0, ca);
    const struct bytes *hash = bytes_of(fssl_ext_data, own);
    const struct bytes *both = bytes_of(fssl_ext_data, issuer);

    CHECK_EQUAL(22, hash->len); /* a SHA-1 within an OCTET STRING */
    CHECK_BYTES(hash->data + 2, both->data + 4, 20);
    CHECK_CONTAINS("serial:1", text_of(fssl_ext_text, issuer)); /* in hex; decimal since 4.0 */
    CHECK_FAILS(FSSL_E_HANDLE_TYPE,
                fssl_ext_new(TEXT("subjectKeyIdentifier"), 0, TEXT("hash"), key, ca, &err));
    CHECK_FAILS(FSSL_E_HANDLE,
                fssl_ext_new(TEXT("subjectKeyIdentifier"), 0, TEXT("hash"), ca, 77, &err));
    check_close(issuer);
    check_close(own);
    check_close(ca);
    check_close(key);
}

/* The address of the subject goes into the extension and stays in the subject. */
static void address_of_the_subject(void)
{
    fssl_handle cert = CHECK_MADE(fssl_cert_new(&err));
    fssl_handle subject = CHECK_MADE(fssl_cert_subject(cert, &err)), ext;

    CHECK_OK(fssl_name_add_item(subject, TEXT("emailAddress"), BYTES("a@b.test"), &err));
    ext = build_ext("subjectAltName", "email:copy", cert, 0);
    CHECK_TEXT("email:a@b.test", text_of(fssl_ext_text, ext));
    CHECK_IS(1, fssl_name_count(subject, &err));
    check_close(ext);
    check_close(subject);
    check_close(cert);
}

static void criticality(void)
{
    static const struct {
        int32_t critical;
        const char *value;
        int expected;
    } rows[] = {
        {0, "CA:FALSE", 0},
        {1, "CA:FALSE", 1},
        {-3, "CA:FALSE", 1},
        {0, "critical,CA:FALSE", 1},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle ext = CHECK_MADE(fssl_ext_new(TEXT("basicConstraints"), rows[i].critical,
                                                  TEXT(rows[i].value), 0, 0, &err));

        CHECK_IS(rows[i].expected, fssl_ext_critical(ext, &err));
        check_close(ext);
    }
}

static void from_der(void)
{
    static const uint8_t alt_name[] = {0x30, 0x0b, 0x82, 0x09, 'g', 'o', 'o',
                                       'd',  0,    'e',  'v',  'i', 'l'};
    static const struct {
        const char *type;
        const char *name;
        int64_t len;
    } rows[] = {
        {"subjectAltName", "subjectAltName", sizeof alt_name},
        {"X509v3 Subject Alternative Name", "subjectAltName", sizeof alt_name},
        {"2.5.29.17", "subjectAltName", sizeof alt_name},
        {"1.2.3.4.5.6", "1.2.3.4.5.6", sizeof alt_name},
        {"1.2.3.4.5.6", "1.2.3.4.5.6", 0},
        {"basicConstraints", "basicConstraints", 3}, /* what is in it is the caller's own affair */
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fssl_handle ext =
            CHECK_MADE(fssl_ext_from_der(TEXT(rows[i].type), 1, alt_name, rows[i].len, &err));
        const struct bytes *data = bytes_of(fssl_ext_data, ext);

        check_row(rows[i].type);
        CHECK_TEXT(rows[i].name, text_of(fssl_ext_name, ext));
        CHECK_EQUAL(rows[i].len, data->len);
        CHECK_BYTES(alt_name, data->data, (size_t)rows[i].len);
        CHECK_IS(1, fssl_ext_critical(ext, &err));
        if (rows[i].len == sizeof alt_name)
            CHECK_CONTAINS("evil", text_of(fssl_ext_text, ext));
        check_close(ext);
    }
    check_row(NULL);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_from_der(TEXT("nonsense"), 0, alt_name, 13, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_from_der(TEXT(""), 0, alt_name, 13, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_from_der(TEXT("1.2.3"), 0, NULL, 13, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_from_der(TEXT("1.2.3"), 0, alt_name, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ext_from_der("1.2\0003", 5, 0, alt_name, 13, &err));
}

static void a_long_type(void)
{
    char type[800] = "1.2", *end = type + 3;
    fssl_handle ext;

    while (end < type + 780)
        end = strcpy(end, ".1234567890") + 11;
    ext = CHECK_MADE(fssl_ext_from_der(TEXT(type), 0, BYTES("x"), &err));
    CHECK_TEXT(type, text_of(fssl_ext_name, ext));
    check_close(ext);
}

static void other_handles_are_refused(void)
{
    fssl_handle key = build_key();

    CHECK_FAILS(FSSL_E_HANDLE, fssl_ext_name(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ext_critical(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ext_data(key, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ext_text(key, NULL, 0, &err));
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"values as text", values_as_text},
        {"RUSTSEC-2023-0023 refused", refused},
        {"identifiers of keys", identifiers_of_keys},
        {"address of the subject", address_of_the_subject},
        {"criticality", criticality},
        {"from DER", from_der},
        {"a long type", a_long_type},
        {"other handles are refused", other_handles_are_refused},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
