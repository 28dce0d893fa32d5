#include "builder.h"

#include <string.h>

#include <openssl/x509v3.h>

static fssl_handle build_req(fssl_handle key)
{
    fssl_handle req = CHECK_MADE(fssl_req_new(&err));
    fssl_handle name = build_name("requested");
    fssl_handle alt_name = build_ext("subjectAltName", "DNS:requested", 0, 0);
    fssl_handle usage = build_ext("keyUsage", "digitalSignature", 0, 0);

    CHECK_OK(fssl_req_set_subject(req, name, &err));
    CHECK_OK(fssl_req_set_public_key(req, key, &err));
    CHECK_OK(fssl_req_add_ext(req, alt_name, &err));
    CHECK_OK(fssl_req_add_ext(req, usage, &err));
    CHECK_OK(fssl_req_sign(req, key, TEXT("sha256"), &err));
    check_close(usage);
    check_close(alt_name);
    check_close(name);
    return req;
}

static X509_REQ *parsed(fssl_handle req)
{
    const struct bytes *der = bytes_of(fssl_req_to_der, req);
    const uint8_t *at = der->data;
    X509_REQ *x509_req = d2i_X509_REQ(NULL, &at, der->len);

    CHECK(x509_req != NULL);
    return x509_req;
}

static void a_request_that_openssl_takes(void)
{
    fssl_handle key = build_key(), req = build_req(key);
    X509_REQ *x509_req = parsed(req);
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(x509_req);

    CHECK_EQUAL(1, X509_REQ_verify(x509_req, X509_REQ_get0_pubkey(x509_req)));
    CHECK_EQUAL(2, sk_X509_EXTENSION_num(exts));
    CHECK_EQUAL(1, X509_REQ_get_attr_count(x509_req));
    CHECK_EQUAL(0, X509_REQ_get_version(x509_req));
    CHECK_EQUAL(2, X509_NAME_entry_count(X509_REQ_get_subject_name(x509_req)));
    CHECK_CONTAINS("DNS:requested", text_of(fssl_req_to_text, req));
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(x509_req);
    check_close(req);
    check_close(key);
}

static void read_back(void)
{
    fssl_handle key = build_key(), other = build_key(), req = build_req(key);
    const struct bytes *pem = bytes_of(fssl_req_to_pem, req);
    const struct bytes *der = bytes_of(fssl_req_to_der, req);
    fssl_handle from[2] = {CHECK_MADE(fssl_req_from_pem(pem->data, pem->len, &err)),
                           CHECK_MADE(fssl_req_from_der(der->data, der->len, &err))};

    CHECK_CONTAINS("-----BEGIN CERTIFICATE REQUEST-----", (const char *)pem->data);
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        fssl_handle subject = CHECK_MADE(fssl_req_subject(from[i], &err));
        fssl_handle public = CHECK_MADE(fssl_req_public_key(from[i], &err));
        fssl_handle ext = CHECK_MADE(fssl_req_ext_item(from[i], 1, &err));

        CHECK_TEXT("CN=requested,O=flatssl", text_of(fssl_name_text, subject));
        CHECK_OK(fssl_req_verify(from[i], public, &err));
        CHECK_FAILS(FSSL_E_VERIFY, fssl_req_verify(from[i], other, &err));
        CHECK_IS(2, fssl_req_ext_count(from[i], &err));
        CHECK_TEXT("keyUsage", text_of(fssl_ext_name, ext));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_req_ext_item(from[i], 2, &err));
        CHECK_FAILS(FSSL_E_STATE, fssl_req_sign(from[i], public, TEXT("sha256"), &err));
        check_close(ext);
        check_close(public);
        check_close(subject);
        check_close(from[i]);
    }
    check_close(req);
    check_close(other);
    check_close(key);
}

static void changes_show_and_void_the_signature(void)
{
    fssl_handle key = build_key(), built = build_req(key);
    const struct bytes *der = bytes_of(fssl_req_to_der, built);
    fssl_handle req = CHECK_MADE(fssl_req_from_der(der->data, der->len, &err));
    fssl_handle subject = CHECK_MADE(fssl_req_subject(req, &err));
    X509_REQ *x509_req;
    BIO *text = BIO_new(BIO_s_mem());
    char name[64] = "";

    CHECK_OK(fssl_name_set_item(subject, TEXT("CN"), BYTES("after"), &err));
    x509_req = parsed(req);
    X509_NAME_print_ex(text, X509_REQ_get_subject_name(x509_req), 0, XN_FLAG_RFC2253);
    BIO_read(text, name, sizeof name - 1);
    CHECK(strstr(name, "CN=after"));
    BIO_free(text);
    X509_REQ_free(x509_req);
    CHECK_FAILS(FSSL_E_VERIFY, fssl_req_verify(req, key, &err));
    CHECK_OK(fssl_req_sign(req, key, TEXT("sha512"), &err));
    CHECK_OK(fssl_req_verify(req, key, &err));
    check_close(req); /* the view keeps it */
    CHECK_TEXT("CN=after,O=flatssl", text_of(fssl_name_text, subject));
    check_close(subject);
    check_close(built);
    check_close(key);
}

static void a_new_request_lacks_everything(void)
{
    fssl_handle req = CHECK_MADE(fssl_req_new(&err));

    CHECK_IS(0, fssl_req_version(req, &err));
    CHECK_OK(fssl_req_set_version(req, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_req_set_version(req, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_req_set_version(req, -1, &err));
    CHECK_IS(0, fssl_req_ext_count(req, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_req_ext_item(req, 0, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_req_to_der(req, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_req_to_pem(req, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_OPENSSL, fssl_req_public_key(req, &err));
    CHECK_CONTAINS("Certificate Request", text_of(fssl_req_to_text, req));
    check_close(req);
}

static void bad_input(void)
{
    fssl_handle key = build_key(), req = build_req(key), name = build_name("n");
    struct bytes der = *bytes_of(fssl_req_to_der, req);

    CHECK_FAILS(FSSL_E_PARSE, fssl_req_from_der(der.data, der.len - 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_req_from_der(der.data, der.len + 1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_req_from_der(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_req_from_der(NULL, 4, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_req_from_pem(der.data, der.len, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_req_from_pem(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_req_from_pem(der.data, -1, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_req_set_subject(req, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_req_set_subject(key, name, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_req_set_public_key(req, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_req_add_ext(req, name, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_req_sign(req, key, TEXT("nonsense"), &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_req_subject(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_req_to_text(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_req_ext_count(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_req_version(0, &err));
    check_close(name);
    check_close(req);
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a request that OpenSSL takes", a_request_that_openssl_takes},
        {"read back", read_back},
        {"changes show and void the signature", changes_show_and_void_the_signature},
        {"a new request lacks everything", a_new_request_lacks_everything},
        {"bad input", bad_input},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
