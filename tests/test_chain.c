#include "builder.h"

#include <string.h>

#include <openssl/x509_vfy.h>

enum { NOW = BUILT_FROM + 1000 };

/* A root, what it issued, and a store that trusts it. */
struct world {
    fssl_handle root_key;
    fssl_handle root;
    fssl_handle key;
    fssl_handle leaf;
    fssl_handle store;
};

static struct world opened(void)
{
    struct world world;

    world.root_key = build_key();
    world.root = build_ca("root", world.root_key);
    world.key = build_key();
    world.leaf = build_leaf("host.test", world.key, world.root, world.root_key);
    world.store = CHECK_MADE(fssl_store_new(&err));
    CHECK_OK(fssl_store_add_cert(world.store, world.root, &err));
    CHECK_OK(fssl_store_set_time(world.store, NOW, &err));
    return world;
}

static void closed(struct world *world)
{
    check_close(world->store);
    check_close(world->leaf);
    check_close(world->key);
    check_close(world->root);
    check_close(world->root_key);
}

/* Verification fails with an X509_V_ code, which record and getter tell, and leaves no chain. */
static void refused(fssl_handle chain, int32_t code, int verify_code)
{
    int64_t result = CHECK_FAILS(code, fssl_chain_verify(chain, &err));

    CHECK_EQUAL(verify_code, error_int(result, FSSL_ERROR_VERIFY_CODE));
    CHECK_TEXT(X509_verify_cert_error_string(verify_code), error_str(result, FSSL_ERROR_REASON));
    CHECK_IS(verify_code, fssl_chain_verify_code(chain, &err));
    CHECK_IS(0, fssl_chain_count(chain, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_item(chain, 0, &err));
}

static void same_cert(fssl_handle expected, fssl_handle got)
{
    CHECK_IS(1, fssl_handle_same(expected, got, &err));
    check_close(got);
}

static void a_verified_chain(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));

    CHECK_IS(X509_V_ERR_UNSPECIFIED, fssl_chain_verify_code(chain, &err));
    CHECK_IS(0, fssl_chain_count(chain, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_IS(0, fssl_chain_verify_code(chain, &err));
    CHECK_IS(2, fssl_chain_count(chain, &err));
    same_cert(world.leaf, CHECK_MADE(fssl_chain_item(chain, 0, &err)));
    same_cert(world.root, CHECK_MADE(fssl_chain_item(chain, 1, &err)));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_item(chain, 2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_item(chain, -1, &err));
    CHECK_IS(0, fssl_chain_refused_certificate(chain, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_IS(2, fssl_chain_count(chain, &err));
    check_close(chain);
    closed(&world);
}

static void an_untrusted_one(void)
{
    struct world world = opened();
    fssl_handle empty = CHECK_MADE(fssl_store_new(&err));
    fssl_handle chain = CHECK_MADE(fssl_chain_new(empty, world.leaf, &err));

    refused(chain, FSSL_E_VERIFY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    CHECK_IS(0, fssl_chain_refused_depth(chain, &err));
    same_cert(world.leaf, CHECK_MADE(fssl_chain_refused_certificate(chain, &err)));
    CHECK_OK(fssl_chain_add_untrusted(chain, world.root, &err));
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    CHECK_IS(1, fssl_chain_refused_depth(chain, &err));
    same_cert(world.root, CHECK_MADE(fssl_chain_refused_certificate(chain, &err)));
    CHECK_OK(fssl_chain_set_store(chain, world.store, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    check_close(empty);
    check_close(chain);
    closed(&world);
}

static void one_between(void)
{
    struct world world = opened();
    fssl_handle middle_key = build_key();
    fssl_handle middle = build_leaf("middle", middle_key, world.root, world.root_key);
    fssl_handle leaf = build_leaf("host.test", world.key, middle, middle_key);
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, leaf, &err));

    refused(chain, FSSL_E_VERIFY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    CHECK_OK(fssl_chain_add_untrusted(chain, middle, &err));
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_INVALID_CA); /* a server is no authority */
    check_close(chain);
    check_close(leaf);
    check_close(middle);
    check_close(middle_key);
    closed(&world);
}

static void times(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));

    CHECK_OK(fssl_store_set_time(world.store, BUILT_FROM - 1, &err));
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_CERT_NOT_YET_VALID);
    CHECK_OK(fssl_chain_set_time(chain, NOW, &err)); /* goes before the store's */
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_chain_set_time(chain, INT64_C(4000000000), &err));
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_CERT_HAS_EXPIRED);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_time(chain, INT64_MAX, &err));
    check_close(chain);
    closed(&world);
}

static void purposes(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));

    CHECK_OK(fssl_chain_set_purpose(chain, FSSL_PURPOSE_SSL_SERVER, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_chain_set_purpose(chain, FSSL_PURPOSE_SSL_CLIENT, &err));
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_INVALID_PURPOSE);
    CHECK_OK(fssl_chain_set_purpose(chain, FSSL_PURPOSE_ANY, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_purpose(chain, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_purpose(chain, 99, &err));
    check_close(chain);
    closed(&world);
}

static void hosts(void)
{
    static const struct {
        const char *host;
        int32_t code;
        int verify_code;
    } rows[] = {
        {"host.test", FSSL_OK, X509_V_OK},
        {"HOST.test.", FSSL_OK, X509_V_OK},
        {"other.test", FSSL_E_HOST, X509_V_ERR_HOSTNAME_MISMATCH},
        {"10.0.0.1", FSSL_E_HOST, X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"::1", FSSL_E_HOST, X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"host.test", FSSL_OK, X509_V_OK}, /* the address before it is forgotten */
        {"", FSSL_E_ARGUMENT, 0},
        {"h\xc3\xb6st.test", FSSL_E_ARGUMENT, 0},
    };
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check_row(rows[i].host);
        if (rows[i].code == FSSL_E_ARGUMENT) {
            CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_host(chain, TEXT(rows[i].host), &err));
            continue;
        }
        CHECK_OK(fssl_chain_set_host(chain, TEXT(rows[i].host), &err));
        if (rows[i].code == FSSL_OK)
            CHECK_OK(fssl_chain_verify(chain, &err));
        else
            refused(chain, rows[i].code, rows[i].verify_code);
    }
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_host(chain, "host.test\0.evil", 15, &err));
    CHECK_OK(fssl_chain_verify(chain, &err)); /* by the host that was set last */
    check_close(chain);
    closed(&world);
}

static void depth_and_level(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));

    CHECK_OK(fssl_chain_set_depth(chain, 0, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_chain_set_security_level(chain, 3, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_chain_set_security_level(chain, 5, &err)); /* asks for more than P-256 */
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_EE_KEY_TOO_SMALL);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_security_level(chain, 6, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_security_level(chain, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_depth(chain, -1, &err));
    check_close(chain);
    closed(&world);
}

/* A root that was made without what X509_STRICT demands is found out by it alone. */
static void strictness(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));
    fssl_handle lax = CHECK_MADE(fssl_cert_new(&err)), name = build_name("lax"), lax_chain;

    CHECK_OK(fssl_chain_set_flags(chain, FSSL_STORE_X509_STRICT, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_cert_set_subject(lax, name, &err));
    CHECK_OK(fssl_cert_set_issuer(lax, name, &err));
    CHECK_OK(fssl_cert_set_not_before(lax, BUILT_FROM, &err));
    CHECK_OK(fssl_cert_set_not_after(lax, NOW + 10, &err));
    CHECK_OK(fssl_cert_set_public_key(lax, world.key, &err));
    CHECK_OK(fssl_cert_sign(lax, world.key, TEXT("sha256"), &err));
    CHECK_OK(fssl_store_add_cert(world.store, lax, &err));
    lax_chain = CHECK_MADE(fssl_chain_new(world.store, lax, &err));
    CHECK_OK(fssl_chain_verify(lax_chain, &err));
    build_add_ext(lax, "basicConstraints", "CA:TRUE", 0);
    CHECK_OK(fssl_chain_verify(lax_chain, &err)); /* it holds the certificate as it was */
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_flags(chain, 2, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_chain_set_flags(chain, INT64_C(1) << 40, &err));
    check_close(lax_chain);
    check_close(name);
    check_close(lax);
    check_close(chain);
    closed(&world);
}

static void revocation(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));
    fssl_handle clean = build_crl(world.root, world.root_key, false);
    fssl_handle revoking = build_crl(world.root, world.root_key, true);
    fssl_handle second = CHECK_MADE(fssl_store_new(&err));

    CHECK_OK(fssl_store_set_flags(world.store, FSSL_STORE_CRL_CHECK, &err));
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_UNABLE_TO_GET_CRL);
    CHECK_OK(fssl_store_add_crl(world.store, clean, &err));
    CHECK_OK(fssl_chain_verify(chain, &err));
    CHECK_OK(fssl_store_add_cert(second, world.root, &err));
    CHECK_OK(fssl_store_add_crl(second, revoking, &err));
    CHECK_OK(fssl_chain_set_store(chain, second, &err));
    CHECK_OK(fssl_chain_set_time(chain, NOW, &err));
    CHECK_OK(fssl_chain_verify(chain, &err)); /* nobody asked for CRLs */
    CHECK_OK(fssl_chain_set_flags(chain, FSSL_STORE_CRL_CHECK, &err));
    refused(chain, FSSL_E_VERIFY, X509_V_ERR_CERT_REVOKED);
    check_close(second);
    check_close(revoking);
    check_close(clean);
    check_close(chain);
    closed(&world);
}

/* For some certificates OpenSSL 3.0 fails and says that all is well. */
static void a_certificate_with_nothing_in_it(void)
{
    struct world world = opened();
    fssl_handle nothing = CHECK_MADE(fssl_cert_new(&err));
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, nothing, &err));

    CHECK(fssl_chain_verify(chain, NULL) < 0);
    CHECK(fssl_chain_verify_code(chain, NULL) > 0);
    CHECK_OK(fssl_store_add_cert(world.store, nothing, &err));
    CHECK(fssl_chain_verify(chain, NULL) < 0);
    check_close(chain);
    check_close(nothing);
    closed(&world);
}

static void read_only(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));
    fssl_handle cert, name, copy;

    CHECK_OK(fssl_chain_verify(chain, &err));
    cert = CHECK_MADE(fssl_chain_item(chain, 0, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_cert_set_version(cert, 0, &err));
    name = CHECK_MADE(fssl_cert_subject(cert, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_name_add_item(name, TEXT("CN"), BYTES("x"), &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_cert_set_subject(cert, name, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_cert_set_not_before(cert, 0, &err));
    CHECK_FAILS(FSSL_E_READONLY, fssl_cert_sign(cert, world.key, TEXT("sha256"), &err));
    copy = CHECK_MADE(fssl_cert_copy(cert, &err));
    CHECK_OK(fssl_cert_set_version(copy, 0, &err));
    check_close(copy);
    check_close(name);
    check_close(cert);
    check_close(chain);
    closed(&world);
}

static void other_handles_are_refused(void)
{
    struct world world = opened();
    fssl_handle chain = CHECK_MADE(fssl_chain_new(world.store, world.leaf, &err));

    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_chain_new(world.leaf, world.leaf, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_chain_new(world.store, world.store, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_chain_set_store(chain, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_chain_set_store(world.store, world.store, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_chain_add_untrusted(chain, chain, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_chain_add_untrusted(world.leaf, world.leaf, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_chain_set_time(0, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_chain_verify_code(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_chain_refused_depth(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_chain_refused_certificate(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_chain_count(0, &err));
    check_close(chain);
    closed(&world);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a verified chain", a_verified_chain},
        {"an untrusted one", an_untrusted_one},
        {"one between", one_between},
        {"times", times},
        {"purposes", purposes},
        {"hosts", hosts},
        {"depth and level", depth_and_level},
        {"strictness", strictness},
        {"revocation", revocation},
        {"a certificate with nothing in it", a_certificate_with_nothing_in_it},
        {"read-only", read_only},
        {"other handles are refused", other_handles_are_refused},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
