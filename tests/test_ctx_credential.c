#include "pair.h"

#include <errno.h>
#include <string.h>

static fssl_handle ctx;

static void new_ctx(void)
{
    ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
}

static void new_ctx_with_cert(enum identity_name name)
{
    fssl_handle cert = identity_cert_handle(name);

    new_ctx();
    CHECK_OK(fssl_ctx_use_certificate(ctx, cert, &err));
    check_close(cert);
}

static const char *file_of(struct encoded encoded)
{
    return scratch_file(encoded.data, (size_t)encoded.len);
}

/* ---- certificates ---- */

static void certificate_and_key(void)
{
    fssl_handle key = identity_key_handle(ID_EC);

    new_ctx_with_cert(ID_EC);
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_check_private_key(ctx, &err));
    CHECK_OK(fssl_ctx_use_private_key(ctx, key, &err));
    CHECK_OK(fssl_ctx_check_private_key(ctx, &err));
    check_close(key);
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_check_private_key(ctx, &err));
}

static void handles_that_are_none(void)
{
    fssl_handle key = identity_key_handle(ID_EC), cert = identity_cert_handle(ID_EC);

    new_ctx();
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_use_certificate(ctx, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_use_certificate(ctx, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_use_certificate(cert, cert, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_use_private_key(ctx, -5, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_use_private_key(ctx, ctx, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_add_extra_chain_cert(ctx, 1, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_add_extra_chain_cert(ctx, key, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_check_private_key(ctx, &err));
    check_close(key);
    check_close(cert);
    check_close(ctx);
}

static void a_key_of_another_certificate(void)
{
    fssl_handle other = identity_key_handle(ID_CLIENT), rsa = identity_key_handle(ID_RSA);

    new_ctx_with_cert(ID_EC);
    CHECK_FAILS(FSSL_E_KEY_MISMATCH, fssl_ctx_use_private_key(ctx, other, &err));
    CHECK_OK(fssl_ctx_use_private_key(ctx, rsa, &err)); /* a second pair has begun */
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_check_private_key(ctx, &err));
    check_close(other);
    check_close(rsa);
    check_close(ctx);
}

static void certificate_files(void)
{
    const char *pem = file_of(identity_cert_pem(ID_EC)), *der = file_of(identity_cert_der(ID_EC));
    const char *text = scratch_file("no certificate", 14), *empty = scratch_file("", 0);
    int64_t result;

    new_ctx();
    CHECK_OK(fssl_ctx_use_certificate_file(ctx, pem, FSSL_NUL_TERMINATED, FSSL_FILETYPE_PEM, &err));
    CHECK_OK(
        fssl_ctx_use_certificate_file(ctx, der, (int64_t)strlen(der), FSSL_FILETYPE_ASN1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_file(ctx, der, FSSL_NUL_TERMINATED,
                                                            FSSL_FILETYPE_PEM, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_file(ctx, pem, FSSL_NUL_TERMINATED,
                                                            FSSL_FILETYPE_ASN1, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_file(ctx, text, FSSL_NUL_TERMINATED,
                                                            FSSL_FILETYPE_PEM, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_file(ctx, empty, FSSL_NUL_TERMINATED,
                                                            FSSL_FILETYPE_PEM, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_certificate_file(ctx, pem, FSSL_NUL_TERMINATED,
                                                               FSSL_FILETYPE_TEXT, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_certificate_file(ctx, "a\0b", 3, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_certificate_file(ctx, NULL, 3, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_certificate_file(ctx, pem, -1, 1, &err));
    result = CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_use_certificate_file(ctx, "/", 1, 1, &err));
    CHECK_EQUAL(EISDIR, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_use_certificate_file(ctx, "", 0, 1, &err));
    check_close(ctx);
}

/* ---- chains ---- */

static int64_t chain_that_arrives(fssl_handle server_ctx)
{
    struct pair pair;
    int64_t count;

    pair_contexts(&pair, &(struct pair_plan){0});
    check_close(pair.server_ctx);
    pair.server_ctx = server_ctx;
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_OK(fssl_conn_set_accept_state(pair.server, &err));
    CHECK(pair_handshake(&pair));
    count = CHECK_GIVES(fssl_conn_peer_chain_count(pair.client, &err));
    pair.server_ctx = 0;
    pair_close(&pair);
    return count;
}

static void use_chained_key(void)
{
    fssl_handle key = identity_key_handle(ID_CHAINED);

    CHECK_OK(fssl_ctx_use_private_key(ctx, key, &err));
    check_close(key);
}

static void chains(void)
{
    struct encoded pem =
        encoded_join(identity_cert_pem(ID_CHAINED), identity_cert_pem(ID_MIDDLE_CA));
    const char *path = file_of(pem);

    new_ctx();
    CHECK_OK(fssl_ctx_use_certificate_chain(ctx, pem.data, pem.len, &err));
    use_chained_key();
    CHECK_EQUAL(2, chain_that_arrives(ctx));
    check_close(ctx);

    new_ctx();
    CHECK_OK(fssl_ctx_use_certificate_chain_file(ctx, path, FSSL_NUL_TERMINATED, &err));
    use_chained_key();
    CHECK_EQUAL(2, chain_that_arrives(ctx));
    check_close(ctx);
}

static void bad_chains(void)
{
    struct encoded good = identity_cert_pem(ID_CHAINED), bad = good, cut = good;
    struct encoded key = identity_key_pem(ID_CHAINED, NULL);

    new_ctx();
    bad.data[bad.len / 2] = '!';
    bad = encoded_join(good, bad);
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_chain(ctx, bad.data, bad.len, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_chain(ctx, cut.data, cut.len / 2, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_chain(ctx, key.data, key.len, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_use_certificate_chain(ctx, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_certificate_chain(ctx, NULL, 10, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_certificate_chain(ctx, good.data, -10, &err));
    CHECK_FAILS(FSSL_E_PARSE,
                fssl_ctx_use_certificate_chain_file(ctx, file_of(bad), FSSL_NUL_TERMINATED, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_use_certificate_chain_file(ctx, "/none", 5, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_certificate_chain_file(ctx, NULL, 5, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_ctx_check_private_key(ctx, &err)); /* nothing was used */
    check_close(ctx);
}

static void extra_chain_certificates(void)
{
    fssl_handle middle = identity_cert_handle(ID_MIDDLE_CA), root = identity_cert_handle(ID_CA);

    new_ctx_with_cert(ID_CHAINED);
    use_chained_key();
    CHECK_OK(fssl_ctx_add_extra_chain_cert(ctx, middle, &err));
    CHECK_EQUAL(2, chain_that_arrives(ctx));
    CHECK_OK(fssl_ctx_add_extra_chain_cert(ctx, root, &err)); /* after the context came into use */
    CHECK_EQUAL(3, chain_that_arrives(ctx));
    check_close(middle);
    check_close(root);
    check_close(ctx);
}

static void a_certificate_for_later_connections(void)
{
    struct pair pair = pair_open(&(struct pair_plan){.trust = ID_CA});

    pair_use_identity(pair.server_ctx, ID_OTHER);
    CHECK(pair_handshake(&pair)); /* this one was made before */
    pair_disconnect(&pair);
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).client, NULL));
    pair_close(&pair);
}

/* ---- keys ---- */

static int64_t use_key_file(struct encoded encoded, int32_t filetype)
{
    const char *path = file_of(encoded);

    return fssl_ctx_use_private_key_file(ctx, path, FSSL_NUL_TERMINATED, filetype, &err);
}

static void key_files(void)
{
    struct encoded pem = identity_key_pem(ID_EC, NULL), der = identity_key_der(ID_EC);

    new_ctx_with_cert(ID_EC);
    CHECK_OK(use_key_file(pem, FSSL_FILETYPE_PEM));
    CHECK_OK(fssl_ctx_check_private_key(ctx, &err));
    CHECK_OK(use_key_file(der, FSSL_FILETYPE_ASN1));
    CHECK_FAILS(FSSL_E_PARSE, use_key_file(pem, FSSL_FILETYPE_ASN1));
    CHECK_FAILS(FSSL_E_PARSE, use_key_file(der, FSSL_FILETYPE_PEM));
    CHECK_FAILS(FSSL_E_PARSE, use_key_file(identity_cert_pem(ID_EC), FSSL_FILETYPE_PEM));
    CHECK_FAILS(FSSL_E_ARGUMENT, use_key_file(pem, 3));
    CHECK_FAILS(FSSL_E_KEY_MISMATCH,
                use_key_file(identity_key_pem(ID_CLIENT, NULL), FSSL_FILETYPE_PEM));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_use_private_key_file(ctx, "/none", 5, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_use_private_key_file(ctx, "a\0b", 3, 1, &err));
    CHECK_OK(fssl_ctx_check_private_key(ctx, &err)); /* it kept the good one */
    check_close(ctx);
}

static void passphrases(void)
{
    static const uint8_t longest[1025] = {'x'};
    struct encoded locked = identity_key_pem(ID_EC, "open sesame");

    new_ctx_with_cert(ID_EC);
    CHECK_FAILS(FSSL_E_PASSPHRASE_NEEDED, use_key_file(locked, FSSL_FILETYPE_PEM));
    CHECK_OK(fssl_ctx_set_passphrase(ctx, (const uint8_t *)"wrong", 5, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG, use_key_file(locked, FSSL_FILETYPE_PEM));
    CHECK_OK(fssl_ctx_set_passphrase(ctx, (const uint8_t *)"open sesame!", 11, &err));
    CHECK_OK(use_key_file(locked, FSSL_FILETYPE_PEM));
    CHECK_OK(fssl_ctx_check_private_key(ctx, &err));
    CHECK_OK(fssl_ctx_set_passphrase(ctx, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_NEEDED, use_key_file(locked, FSSL_FILETYPE_PEM));
    CHECK_OK(fssl_ctx_set_passphrase(ctx, longest, 1024, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG, use_key_file(locked, FSSL_FILETYPE_PEM));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_passphrase(ctx, longest, 1025, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_passphrase(ctx, NULL, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_passphrase(ctx, longest, -1, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_passphrase(ctx, longest, 1, &err));
}

static const struct check_case cases[] = {
    {"certificate and key", certificate_and_key},
    {"handles that are none", handles_that_are_none},
    {"a key of another certificate", a_key_of_another_certificate},
    {"certificate files", certificate_files},
    {"chains", chains},
    {"bad chains", bad_chains},
    {"extra chain certificates", extra_chain_certificates},
    {"a certificate for later connections", a_certificate_for_later_connections},
    {"key files", key_files},
    {"passphrases", passphrases},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
