#include "builder.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool trusts(fssl_handle store, fssl_handle cert)
{
    fssl_handle chain = CHECK_MADE(fssl_chain_new(store, cert, &err));
    bool verified;

    CHECK_OK(fssl_chain_set_time(chain, BUILT_FROM + 1, &err));
    verified = fssl_chain_verify(chain, NULL) == 0;
    check_close(chain);
    return verified;
}

static void certificates_and_crls(void)
{
    fssl_handle key = build_key(), ca = build_ca("stored", key);
    fssl_handle crl = build_crl(ca, key, false);
    fssl_handle store = CHECK_MADE(fssl_store_new(&err)), first, second;

    CHECK_IS(0, fssl_store_count(store, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_item(store, 0, &err));
    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    CHECK_OK(fssl_store_add_crl(store, crl, &err));
    CHECK_IS(2, fssl_store_count(store, &err));
    first = CHECK_MADE(fssl_store_item(store, 0, &err));
    second = CHECK_MADE(fssl_store_item(store, 1, &err));
    CHECK_EQUAL(FSSL_TYPE_CERT + FSSL_TYPE_CRL,
                fssl_handle_type(first, NULL) + fssl_handle_type(second, NULL));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_item(store, 2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_item(store, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_item(store, INT64_C(1) << 32, &err));
    check_close(store); /* what it gave out stays */
    CHECK(fssl_handle_type(first, NULL) != FSSL_TYPE_CERT ||
          fssl_cert_to_der(first, NULL, 0, NULL) > 0);
    check_close(second);
    check_close(first);
    check_close(crl);
    check_close(ca);
    check_close(key);
}

/* A certificate that is changed after it was added is still trusted as it was. */
static void a_change_does_not_reach_the_store(void)
{
    fssl_handle key = build_key(), ca = build_ca("before", key);
    fssl_handle same = CHECK_MADE(fssl_cert_copy(ca, &err));
    fssl_handle store = CHECK_MADE(fssl_store_new(&err)), item, subject;

    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    subject = CHECK_MADE(fssl_cert_subject(ca, &err));
    CHECK_OK(fssl_name_set_item(subject, TEXT("CN"), BYTES("after"), &err));
    CHECK(trusts(store, same));
    CHECK(!trusts(store, ca));
    item = CHECK_MADE(fssl_store_item(store, 0, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_cert_set_public_key(item, key, &err));
    check_close(item);
    check_close(subject);
    check_close(store);
    check_close(same);
    check_close(ca);
    check_close(key);
}

static void pem_in_memory(void)
{
    fssl_handle key = build_key(), ca = build_ca("from PEM", key);
    fssl_handle store = CHECK_MADE(fssl_store_new(&err));
    struct bytes pem = *bytes_of(fssl_cert_to_pem, ca);
    size_t len = (size_t)pem.len;

    CHECK_IS(1, fssl_store_add_pem(store, pem.data, pem.len, &err));
    CHECK(trusts(store, ca));
    CHECK_FAILS(FSSL_E_PARSE, fssl_store_add_pem(store, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_add_pem(store, NULL, 1, &err));
    memcpy(pem.data + len, pem.data, len);
    pem.data[len + 40] = '*';
    CHECK_FAILS(FSSL_E_PARSE, fssl_store_add_pem(store, pem.data, 2 * pem.len, &err));
    CHECK_IS(1, fssl_store_count(store, &err));
    check_close(store);
    check_close(ca);
    check_close(key);
}

static void a_file(void)
{
    fssl_handle key = build_key(), ca = build_ca("from a file", key);
    fssl_handle store = CHECK_MADE(fssl_store_new(&err));
    struct bytes pem = *bytes_of(fssl_cert_to_pem, ca);
    const char *path = scratch_file(pem.data, (size_t)pem.len);
    const char *garbage = scratch_file("garbage", 7);

    CHECK_FAILS(FSSL_E_SYSCALL, fssl_store_load_locations(store, TEXT("/nowhere"), NULL, 0, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_store_load_locations(store, NULL, 0, TEXT("/nowhere"), &err));
    CHECK_FAILS(FSSL_E_SYSCALL,
                fssl_store_load_locations(store, TEXT(path), TEXT("/nowhere"), &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_store_load_locations(store, TEXT(garbage), NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_load_locations(store, NULL, 0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_load_locations(store, TEXT(""), NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_load_locations(store, TEXT(path), TEXT(""), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_load_locations(store, "a\0b", 3, NULL, 0, &err));
    CHECK_IS(0, fssl_store_count(store, &err));
    CHECK_OK(fssl_store_load_locations(store, TEXT(path), NULL, 0, &err));
    CHECK_IS(1, fssl_store_count(store, &err));
    CHECK(trusts(store, ca));
    check_close(store);
    check_close(ca);
    check_close(key);
}

/* A directory in which certificates are found by the hash of their names. */
static void a_directory(void)
{
    fssl_handle key = build_key(), ca = build_ca("from a directory", key);
    fssl_handle leaf = build_leaf("host.test", key, ca, key);
    fssl_handle store = CHECK_MADE(fssl_store_new(&err));
    struct bytes pem = *bytes_of(fssl_cert_to_pem, ca);
    char dir[300], path[400];
    FILE *file;

    snprintf(dir, sizeof dir, "%s.dir", scratch_file("", 0));
    CHECK_EQUAL(0, mkdir(dir, 0700));
    snprintf(path, sizeof path, "%s/%08llx.0", dir,
             (unsigned long long)CHECK_GIVES(fssl_cert_subject_name_hash(ca, &err)));
    file = fopen(path, "w");
    CHECK(file && fwrite(pem.data, (size_t)pem.len, 1, file) == 1);
    CHECK(file && fclose(file) == 0);
    CHECK(!trusts(store, leaf));
    CHECK_OK(fssl_store_load_locations(store, NULL, 0, TEXT(dir), &err));
    CHECK(trusts(store, leaf));
    unlink(path);
    rmdir(dir);
    check_close(store);
    check_close(leaf);
    check_close(ca);
    check_close(key);
}

static void rules(void)
{
    fssl_handle key = build_key(), ca = build_ca("ruled", key);
    fssl_handle store = CHECK_MADE(fssl_store_new(&err)),
                timeless = CHECK_MADE(fssl_store_new(&err));
    fssl_handle chain;

    CHECK_OK(fssl_cert_set_not_after(ca, BUILT_FROM + 10, &err));
    CHECK_OK(fssl_cert_sign(ca, key, TEXT("sha256"), &err));
    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    CHECK_OK(fssl_store_add_cert(timeless, ca, &err));
    chain = CHECK_MADE(fssl_chain_new(store, ca, &err));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_chain_verify(chain, &err)); /* it has expired by now */
    CHECK_OK(fssl_store_set_time(store, BUILT_FROM + 5, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_store_set_time(store, -1, &err));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_chain_set_store(chain, timeless, &err));
    CHECK_OK(fssl_store_set_flags(timeless, FSSL_STORE_NO_CHECK_TIME, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_set_flags(store, 2, &err)); /* of set_time */
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_set_flags(store, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_store_set_time(store, INT64_MIN, &err));
    check_close(chain);
    check_close(timeless);
    check_close(store);
    check_close(ca);
    check_close(key);
}

static void other_handles_are_refused(void)
{
    fssl_handle store = CHECK_MADE(fssl_store_new(&err)), key = build_key();

    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_store_add_cert(store, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_store_add_cert(store, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_store_add_cert(key, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_store_add_crl(store, key, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_store_count(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_store_set_time(0, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_store_set_flags(0, 0, &err));
    check_close(key);
    check_close(store);
}

/* ---- from threads ---- */

static fssl_handle shared_store;
static fssl_handle shared_cert;

static void verify_often(void *unused)
{
    (void)unused;
    for (int64_t i = check_rounds(300); i > 0; i--)
        CHECK(trusts(shared_store, shared_cert));
}

static void add_often(void *unused)
{
    (void)unused;
    for (int64_t i = check_rounds(300); i > 0; i--) {
        fssl_handle subject = CHECK_MADE(fssl_cert_issuer(shared_cert, &err));

        CHECK_OK(fssl_store_add_cert(shared_store, shared_cert, &err));
        check_close(CHECK_MADE(fssl_store_item(shared_store, 0, &err)));
        check_close(subject);
    }
}

static void from_threads(void)
{
    static const struct check_thread threads[] = {
        {verify_often, NULL}, {add_often, NULL}, {verify_often, NULL}, {add_often, NULL}};
    fssl_handle key = build_key();

    shared_cert = build_ca("shared", key);
    shared_store = CHECK_MADE(fssl_store_new(&err));
    CHECK_OK(fssl_store_add_cert(shared_store, shared_cert, &err));
    check_threads(threads, COUNT_OF(threads));
    check_close(shared_store);
    check_close(shared_cert);
    check_close(key);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"certificates and CRLs", certificates_and_crls},
        {"a change does not reach the store", a_change_does_not_reach_the_store},
        {"PEM in memory", pem_in_memory},
        {"a file", a_file},
        {"a directory", a_directory},
        {"rules", rules},
        {"other handles are refused", other_handles_are_refused},
        {"from threads", from_threads},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
