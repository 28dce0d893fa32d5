#include "builder.h"
#include "identity.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

/* Makes a message of a kind, as OpenSSL does. */
static PKCS7 *message(int kind)
{
    PKCS7 *pkcs7 = NULL;
    BIO *content = BIO_new_mem_buf("content", -1);
    STACK_OF(X509) *certs = sk_X509_new_null();

    sk_X509_push(certs, identity(ID_RSA)->cert);
    if (kind == NID_pkcs7_signed)
        pkcs7 = PKCS7_sign(identity(ID_RSA)->cert, identity(ID_RSA)->key, NULL, content, 0);
    if (kind == NID_pkcs7_enveloped)
        pkcs7 = PKCS7_encrypt(certs, content, EVP_aes_128_cbc(), 0);
    if (kind == NID_pkcs7_data) {
        pkcs7 = PKCS7_new();
        PKCS7_set_type(pkcs7, NID_pkcs7_data);
        ASN1_OCTET_STRING_set(pkcs7->d.data, (const uint8_t *)"content", 7);
    }
    sk_X509_free(certs);
    BIO_free(content);
    CHECK(pkcs7 != NULL);
    return pkcs7;
}

static void each_kind_is_told(void)
{
    static const struct {
        int kind;
        const char *name;
    } rows[] = {
        {NID_pkcs7_signed, "pkcs7-signedData"},
        {NID_pkcs7_enveloped, "pkcs7-envelopedData"},
        {NID_pkcs7_data, "pkcs7-data"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        PKCS7 *pkcs7 = message(rows[i].kind);
        BIO *bio = BIO_new(BIO_s_mem());
        uint8_t *der = NULL;
        int len = i2d_PKCS7(pkcs7, &der);
        char *pem;
        long pem_len;
        fssl_handle from_der, from_pem;

        check_row(rows[i].name);
        PEM_write_bio_PKCS7(bio, pkcs7);
        pem_len = BIO_get_mem_data(bio, &pem);
        from_der = CHECK_MADE(fssl_pkcs7_from_der(der, len, &err));
        from_pem = CHECK_MADE(fssl_pkcs7_from_pem((const uint8_t *)pem, pem_len, &err));
        CHECK_TEXT(rows[i].name, text_of(fssl_pkcs7_type_name, from_der));
        CHECK_TEXT(rows[i].name, text_of(fssl_pkcs7_type_name, from_pem));
        CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs7_from_der(der, len - 1, &err));
        CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs7_from_pem(der, len, &err));
        check_close(from_pem);
        check_close(from_der);
        BIO_free(bio);
        OPENSSL_free(der);
        PKCS7_free(pkcs7);
    }
}

static void bad_input(void)
{
    static const uint8_t null_and_more[] = {0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                            0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0x00};
    fssl_handle key = build_key();

    CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs7_from_der(null_and_more, sizeof null_and_more, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs7_from_der(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs7_from_der(NULL, 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_pkcs7_from_pem(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_pkcs7_from_pem(null_and_more, -1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_pkcs7_type_name(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_pkcs7_type_name(key, NULL, 0, &err));
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"each kind is told", each_kind_is_told},
        {"bad input", bad_input},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
