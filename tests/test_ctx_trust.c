#include "pair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509.h>

static const struct pair_plan plain = {0};

/* Shakes hands between a client of this context and an ordinary server. Returns the code of what
   the client got. */
static int64_t verdict(fssl_handle client_ctx)
{
    struct pair pair = {.client_fd = -1, .server_fd = -1, .piece = PAIR_RING};
    int64_t result;

    pair.client_ctx = client_ctx;
    pair.server_ctx = pair_server_ctx(&plain);
    pair_connect(&pair, &plain);
    CHECK_OK(fssl_conn_set_connect_state(pair.client, &err));
    result = pair_handshake_results(&pair).client;
    pair.client_ctx = 0;
    pair_close(&pair);
    return fssl_error_code(result, NULL);
}

static const char *ca_file(enum identity_name name)
{
    struct encoded pem = identity_cert_pem(name);

    return scratch_file(pem.data, (size_t)pem.len);
}

/* A context that verifies and trusts nobody yet. */
static fssl_handle verifying_ctx(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));

    CHECK_OK(fssl_ctx_set_verify(ctx, FSSL_VERIFY_PEER, &err));
    return ctx;
}

/* ---- whom to trust ---- */

static void files(void)
{
    fssl_handle ctx = verifying_ctx();
    const char *path = ca_file(ID_CA);

    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx));
    CHECK_OK(fssl_ctx_load_verify_locations(ctx, ca_file(ID_OTHER_CA), FSSL_NUL_TERMINATED, NULL, 0,
                                            &err));
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx));
    CHECK_OK(fssl_ctx_load_verify_locations(ctx, path, (int64_t)strlen(path), NULL, 0, &err));
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    check_close(ctx);
}

static void a_hashed_directory(void)
{
    fssl_handle ctx = verifying_ctx();
    char folder[] = "/tmp/flatssl-XXXXXX", path[64];
    const char *file = ca_file(ID_CA);

    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%08lx.0", folder,
             X509_subject_name_hash(identity(ID_CA)->cert));
    CHECK_EQUAL(0, symlink(file, path));
    CHECK_OK(fssl_ctx_load_verify_locations(ctx, NULL, 0, folder, FSSL_NUL_TERMINATED, &err));
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    unlink(path);
    rmdir(folder);
    check_close(ctx);
}

/* A file that cannot be read or is partly bad is an error, and adds nothing. */
static void bad_locations(void)
{
    fssl_handle ctx = verifying_ctx();
    struct encoded good = identity_cert_pem(ID_CA), bad = identity_cert_pem(ID_OTHER_CA);
    const char *partly;
    int64_t result;

    bad.data[bad.len / 2] = '!';
    good = encoded_join(good, bad);
    partly = scratch_file(good.data, (size_t)good.len);
    CHECK_FAILS(FSSL_E_PARSE,
                fssl_ctx_load_verify_locations(ctx, partly, FSSL_NUL_TERMINATED, NULL, 0, &err));
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx));
    result =
        CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_load_verify_locations(ctx, "/none", 5, NULL, 0, &err));
    CHECK_EQUAL(ENOENT, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_TEXT("/none", error_str(result, FSSL_ERROR_DATA));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_load_verify_locations(ctx, NULL, 0, "/none", 5, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_load_verify_locations(ctx, scratch_file("", 0),
                                                             FSSL_NUL_TERMINATED, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_verify_locations(ctx, NULL, 0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_verify_locations(ctx, "", 0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_verify_locations(ctx, NULL, 0, "", 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_verify_locations(ctx, "a\0b", 3, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_verify_locations(ctx, "/", -1, NULL, 0, &err));
    check_close(ctx);
}

/* A good file with a bad directory, and the other way round: neither is trusted. */
static void all_or_nothing(void)
{
    fssl_handle ctx = verifying_ctx();

    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_load_verify_locations(
                                    ctx, ca_file(ID_CA), FSSL_NUL_TERMINATED, "/none", 5, &err));
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx));
    check_close(ctx);
}

static void pem_in_memory(void)
{
    fssl_handle ctx = verifying_ctx();
    struct encoded two = encoded_join(identity_cert_pem(ID_CA), identity_cert_pem(ID_MIDDLE_CA));
    struct encoded key = identity_key_pem(ID_CA, NULL);

    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_load_verify_pem(ctx, key.data, key.len, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_load_verify_pem(ctx, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_verify_pem(ctx, NULL, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_verify_pem(ctx, two.data, -1, &err));
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx));
    CHECK_IS(2, fssl_ctx_load_verify_pem(ctx, two.data, two.len, &err));
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    check_close(ctx);
}

static void what_the_platform_trusts(void)
{
    fssl_handle ctx = verifying_ctx(), safe = CHECK_MADE(fssl_ctx_new_client(&err));
    fssl_handle store;

    CHECK_OK(fssl_ctx_set_default_verify_paths(ctx, &err));
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx)); /* our CA is not the platform's */
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(safe));
    pair_trust(safe, ID_CA);
    CHECK_EQUAL(FSSL_OK, verdict(safe));
    check_close(safe);

    safe = CHECK_MADE(fssl_ctx_new_client(&err)); /* what was added to one is not in the next */
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(safe));
    store = CHECK_MADE(fssl_ctx_cert_store(safe, &err));
    CHECK_GIVES(fssl_store_count(store, &err));
    check_close(store);
    check_close(ctx);
    check_close(safe);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_default_verify_paths(ctx, &err));
}

static void its_own_store(void)
{
    fssl_handle ctx = verifying_ctx();
    fssl_handle store = CHECK_MADE(fssl_ctx_cert_store(ctx, &err));
    fssl_handle ca = identity_cert_handle(ID_CA);

    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    check_close(store);
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    check_close(ca);
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_cert_store(ctx, &err));
}

static void another_store(void)
{
    fssl_handle ctx = verifying_ctx(), store = CHECK_MADE(fssl_store_new(&err)), own;
    fssl_handle ca = identity_cert_handle(ID_CA);

    pair_trust(ctx, ID_CA);
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    CHECK_OK(fssl_ctx_set_cert_store(ctx, store, &err)); /* after the context came into use */
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx));
    own = CHECK_MADE(fssl_ctx_cert_store(ctx, &err));
    CHECK_IS(1, fssl_handle_same(own, store, &err));
    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_cert_store(ctx, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_set_cert_store(ctx, ca, &err));
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    check_close(own);
    check_close(ca);
    check_close(store);
    check_close(ctx);
}

/* ---- how to verify ---- */

static void verify_mode(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    enum { ALL = FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT | FSSL_VERIFY_CLIENT_ONCE };

    CHECK_EQUAL(FSSL_OK, verdict(ctx)); /* it verifies nobody */
    CHECK_OK(fssl_ctx_set_verify(ctx, ALL, &err));
    CHECK_IS(ALL, fssl_ctx_verify_mode(ctx, &err));
    CHECK_EQUAL(FSSL_E_VERIFY, verdict(ctx));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_verify(ctx, 8, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_verify(ctx, -1, &err));
    CHECK_IS(ALL, fssl_ctx_verify_mode(ctx, &err));
    CHECK_OK(fssl_ctx_set_verify(ctx, FSSL_VERIFY_NONE, &err));
    CHECK_IS(FSSL_VERIFY_NONE, fssl_ctx_verify_mode(ctx, &err));
    CHECK_EQUAL(FSSL_OK, verdict(ctx));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_verify_mode(ctx, &err));
}

static int64_t chained_with_depth(int32_t depth)
{
    struct pair pair;
    fssl_handle middle = identity_cert_handle(ID_MIDDLE_CA);
    struct pair_plan plan = {.server = ID_CHAINED};
    int64_t result;

    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_add_extra_chain_cert(pair.server_ctx, middle, &err));
    CHECK_OK(fssl_ctx_set_verify_depth(pair.client_ctx, depth, &err));
    pair_connect(&pair, &plan);
    result = pair_handshake_results(&pair).client;
    pair_close(&pair);
    check_close(middle);
    return fssl_error_code(result, NULL);
}

static void verify_depth(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    int64_t depth = 5;

    CHECK_OK(fssl_ctx_verify_depth(ctx, &depth, &err));
    CHECK_EQUAL(-1, depth);
    CHECK_OK(fssl_ctx_set_verify_depth(ctx, 7, &err));
    CHECK_OK(fssl_ctx_verify_depth(ctx, &depth, &err));
    CHECK_EQUAL(7, depth);
    CHECK_OK(fssl_ctx_set_verify_depth(ctx, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_verify_depth(ctx, -2, &err));
    CHECK_CONTAINS("fssl_ctx_verify_depth: bad argument: depth",
                   error_text(fssl_ctx_verify_depth(ctx, NULL, NULL)));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_verify_depth(ctx, &depth, &err));
    CHECK_EQUAL(FSSL_E_VERIFY, chained_with_depth(0));
    CHECK_EQUAL(FSSL_OK, chained_with_depth(1));
    CHECK_EQUAL(FSSL_OK, chained_with_depth(-1));
}

static const struct check_case cases[] = {
    {"files", files},
    {"a hashed directory", a_hashed_directory},
    {"CVE-2010-4334 bad locations", bad_locations},
    {"CVE-2010-4334 all or nothing", all_or_nothing},
    {"PEM in memory", pem_in_memory},
    {"what the platform trusts", what_the_platform_trusts},
    {"its own store", its_own_store},
    {"another store", another_store},
    {"verify mode", verify_mode},
    {"verify depth", verify_depth},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
