/* Every allocation of the crypto nouns fails in turn, once and then for ever after: nothing
   crashes, nothing is left, and what must not be verified never is. */
#include "builder.h"
#include "identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

static int64_t made;          /* allocations since the counter was reset */
static int64_t fails_at = -1; /* which of them fails; -1 for none */
static bool for_ever;         /* and all after it */
static int64_t live;          /* blocks that are not freed */
static int64_t points;        /* at which something failed */

static bool fails_now(void)
{
    int64_t at = made++;

    return fails_at >= 0 && (for_ever ? at >= fails_at : at == fails_at);
}

static void *failing_malloc(size_t size, const char *file, int line)
{
    void *block = fails_now() ? NULL : malloc(size);

    (void)file;
    (void)line;
    live += block != NULL;
    return block;
}

static void *failing_realloc(void *block, size_t size, const char *file, int line)
{
    void *moved = fails_now() ? NULL : realloc(block, size);

    (void)file;
    (void)line;
    live += !block && moved;
    return moved;
}

static void counting_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    live -= block != NULL;
    free(block);
}

/* ---- scenarios: each does what it can and closes what it made ---- */

/* Made once, before anything fails. */
static fssl_handle ca_key, ca, key, leaf, crl, store;
static struct bytes leaf_der, crl_der, req_der, pkcs12_der;
static char spki_text[1024];
static bool verified; /* by a scenario that must not be */

static void done(int64_t h)
{
    if (h > 0)
        fssl_handle_close(h, NULL);
}

static void building(void)
{
    int64_t cert = fssl_cert_new(NULL);
    int64_t name = fssl_name_new(NULL), subject;
    int64_t ext =
        fssl_ext_new(TEXT("subjectAltName"), 0, TEXT("DNS:a.test,IP:1.2.3.4"), 0, 0, NULL);

    fssl_name_add_item(name, TEXT("CN"), BYTES("a name"), NULL);
    fssl_name_set_item(name, TEXT("CN"), BYTES("another"), NULL);
    fssl_cert_set_serial(cert, TEXT("1234567890abcdef"), 16, NULL);
    fssl_cert_set_not_before(cert, BUILT_FROM, NULL);
    fssl_cert_set_not_after_text(cert, TEXT("20400101000000Z"), NULL);
    fssl_cert_set_subject(cert, name, NULL);
    fssl_cert_set_issuer(cert, name, NULL);
    fssl_cert_set_public_key(cert, key, NULL);
    fssl_cert_add_ext(cert, ext, NULL);
    done(fssl_ext_new(TEXT("subjectKeyIdentifier"), 0, TEXT("hash"), cert, cert, NULL));
    subject = fssl_cert_subject(cert, NULL);
    fssl_name_set_item(subject, TEXT("O"), BYTES("through the view"), NULL);
    fssl_cert_sign(cert, key, TEXT("sha256"), NULL);
    fssl_cert_to_pem(cert, NULL, 0, NULL);
    fssl_cert_to_text(cert, NULL, 0, NULL);
    done(subject);
    done(ext);
    done(name);
    done(cert);
}

static void reading(void)
{
    int64_t cert = fssl_cert_from_der(leaf_der.data, leaf_der.len, NULL);
    int64_t issuer = fssl_cert_issuer(cert, NULL), ext = fssl_cert_ext_item(cert, 0, NULL);
    int64_t public = fssl_cert_public_key(cert, NULL), copy = fssl_cert_copy(cert, NULL);
    int64_t seconds;
    char text[256];

    fssl_name_item_type(issuer, 0, text, sizeof text, NULL);
    fssl_name_item_value(issuer, 0, (uint8_t *)text, sizeof text, NULL);
    fssl_name_text(issuer, text, sizeof text, NULL);
    fssl_name_hash(issuer, NULL);
    fssl_ext_text(ext, text, sizeof text, NULL);
    fssl_cert_alt_name_item(cert, 0, NULL, (uint8_t *)text, sizeof text, NULL);
    fssl_cert_not_before(cert, &seconds, NULL);
    fssl_cert_not_after_text(cert, text, sizeof text, NULL);
    fssl_cert_serial(cert, text, sizeof text, NULL);
    fssl_cert_verify(copy, ca_key, NULL);
    fssl_key_to_text(public, NULL, 0, NULL);
    done(copy);
    done(public);
    done(ext);
    done(issuer);
    done(cert);
}

static void connections(void)
{
    int64_t ctx = fssl_ctx_new(FSSL_TLS_CLIENT_METHOD, NULL);
    int64_t conn = fssl_conn_new_memory(ctx, NULL), other = fssl_ctx_new_client(NULL);

    fssl_conn_set_host(conn, TEXT("a.test"), NULL);
    fssl_conn_set_server_name(conn, TEXT("b.test"), NULL);
    fssl_conn_set_context(conn, other, NULL);
    fssl_conn_do_handshake(conn, NULL);
    done(conn);
    done(fssl_conn_new(ctx, FSSL_NO_FD, NULL));
    done(other);
    done(ctx);
}

static void requests(void)
{
    int64_t req = fssl_req_from_der(req_der.data, req_der.len, NULL);
    int64_t subject = fssl_req_subject(req, NULL), ext = fssl_req_ext_item(req, 0, NULL);

    fssl_name_set_item(subject, TEXT("CN"), BYTES("changed"), NULL);
    fssl_req_add_ext(req, ext, NULL);
    fssl_req_sign(req, key, TEXT("sha256"), NULL);
#if OPENSSL_VERSION_PREREQ(3, 7) || !OPENSSL_VERSION_PREREQ(3, 6)
    fssl_req_to_text(req, NULL, 0, NULL); /* 3.6's X509_REQ_print_ex loses the extensions */
#endif
    fssl_req_verify(req, key, NULL);
    done(ext);
    done(subject);
    done(req);
}

static void lists(void)
{
    int64_t list = fssl_crl_from_der(crl_der.data, crl_der.len, NULL);
    int64_t entry = fssl_crl_revoked_item(list, 0, NULL), issuer = fssl_crl_issuer(list, NULL);
    int64_t reason;

    fssl_revoked_set_serial(entry, TEXT("77"), 10, NULL);
    fssl_revoked_set_reason(entry, FSSL_REASON_SUPERSEDED, NULL);
    fssl_revoked_reason(entry, &reason, NULL);
    fssl_crl_add_revoked(list, entry, NULL);
    fssl_crl_set_next_update_text(list, TEXT("20400101000000Z"), NULL);
    fssl_crl_set_issuer(list, issuer, NULL);
    fssl_crl_sign(list, ca_key, TEXT("sha256"), NULL);
    fssl_crl_to_pem(list, NULL, 0, NULL);
    fssl_crl_verify(list, ca_key, NULL);
    done(issuer);
    done(entry);
    done(list);
}

static int64_t verify(fssl_handle trusted, const char *host, int64_t flags)
{
    int64_t chain = fssl_chain_new(trusted, leaf, NULL), result = -1, item;

    fssl_chain_add_untrusted(chain, ca, NULL);
    if (chain > 0 && fssl_chain_set_time(chain, BUILT_FROM + 5, NULL) == 0 &&
        fssl_chain_set_purpose(chain, FSSL_PURPOSE_SSL_SERVER, NULL) == 0 &&
        fssl_chain_set_flags(chain, flags, NULL) == 0 &&
        fssl_chain_set_host(chain, TEXT(host), NULL) == 0)
        result = fssl_chain_verify(chain, NULL);
    item = fssl_chain_item(chain, 1, NULL);
    CHECK(result == 0 || item < 0);
    done(item);
    done(fssl_chain_refused_certificate(chain, NULL));
    done(chain);
    return result;
}

static void verifying(void)
{
    verify(store, "host.test", FSSL_STORE_X509_STRICT);
}

static void wrong_host(void)
{
    verified |= verify(store, "other.test", FSSL_STORE_X509_STRICT) >= 0;
}

static void wrong_address(void)
{
    verified |= verify(store, "10.0.0.1", FSSL_STORE_X509_STRICT) >= 0;
}

static void untrusted(void)
{
    int64_t empty = fssl_store_new(NULL);

    verified |= verify(empty, "host.test", FSSL_STORE_X509_STRICT) >= 0;
    done(empty);
}

static void revoked(void)
{
    int64_t own = fssl_store_new(NULL);

    if (fssl_store_add_cert(own, ca, NULL) == 0 && fssl_store_add_crl(own, crl, NULL) == 0)
        verified |= verify(own, "host.test", FSSL_STORE_CRL_CHECK) >= 0;
    done(fssl_store_item(own, 1, NULL));
    done(own);
}

static void other_signatures(void)
{
    verified |= fssl_cert_verify(leaf, key, NULL) >= 0;
    verified |= fssl_crl_verify(crl, key, NULL) >= 0;
    verified |= fssl_key_verify(key, BYTES("no signature"), BYTES("x"), TEXT("sha256"), NULL) >= 0;
    verified |= fssl_cert_check_private_key(leaf, ca_key, NULL) >= 0;
}

static void containers(void)
{
    int64_t file = fssl_pkcs12_from_der(pkcs12_der.data, pkcs12_der.len, BYTES("secret"), NULL);

    done(fssl_pkcs12_certificate(file, NULL));
    done(fssl_pkcs12_private_key(file, NULL));
    done(fssl_pkcs12_ca_item(file, 0, NULL));
    fssl_pkcs12_set_friendly_name(file, BYTES("another name"), NULL);
    fssl_pkcs12_add_ca(file, ca, NULL);
    fssl_pkcs12_to_der(file, BYTES("secret"), 1, 1, NULL, 0, NULL);
    done(file);
}

static void signatures(void)
{
    uint8_t signature[256];
    int64_t len = fssl_key_sign(key, BYTES("data"), TEXT("sha256"), signature, 256, NULL);
    int64_t spki = fssl_spki_from_base64(TEXT(spki_text), NULL);
    char name[64];

    if (len > 0)
        fssl_key_verify(key, signature, len, BYTES("data"), TEXT("sha256"), NULL);
    fssl_key_check(key, NULL);
    fssl_key_curve(key, name, sizeof name, NULL);
    fssl_curve_item(0, name, sizeof name, NULL);
    fssl_spki_set_public_key(spki, key, NULL);
    fssl_spki_sign(spki, key, TEXT("sha256"), NULL);
    fssl_spki_to_base64(spki, NULL, 0, NULL);
    done(fssl_spki_public_key(spki, NULL));
    done(spki);
}

/* ---- running them ---- */

static void prepare(void)
{
    fssl_handle req = CHECK_MADE(fssl_req_new(&err)), ext, spki, file;

    ca_key = build_key();
    ca = build_ca("authority", ca_key);
    key = build_key();
    leaf = build_leaf("host.test", key, ca, ca_key);
    leaf_der = *bytes_of(fssl_cert_to_der, leaf);
    crl = build_crl(ca, ca_key, true);
    crl_der = *bytes_of(fssl_crl_to_der, crl);
    store = CHECK_MADE(fssl_store_new(&err));
    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    ext = build_ext("subjectAltName", "DNS:a.test", 0, 0);
    CHECK_OK(fssl_req_set_public_key(req, key, &err));
    CHECK_OK(fssl_req_add_ext(req, ext, &err));
    CHECK_OK(fssl_req_sign(req, key, TEXT("sha256"), &err));
    req_der = *bytes_of(fssl_req_to_der, req);
    spki = CHECK_MADE(fssl_spki_new(&err));
    CHECK_OK(fssl_spki_set_public_key(spki, key, &err));
    CHECK_OK(fssl_spki_sign(spki, key, TEXT("sha256"), &err));
    strcpy(spki_text, text_of(fssl_spki_to_base64, spki));
    file = CHECK_MADE(fssl_pkcs12_new(&err));
    CHECK_OK(fssl_pkcs12_set_certificate(file, leaf, &err));
    CHECK_OK(fssl_pkcs12_set_private_key(file, key, &err));
    CHECK_OK(fssl_pkcs12_add_ca(file, ca, &err));
    CHECK_OK(fssl_pkcs12_set_friendly_name(file, BYTES("a name"), &err));
    pkcs12_der.len = CHECK_GIVES(fssl_pkcs12_to_der(file, BYTES("secret"), 1, 1, pkcs12_der.data,
                                                    sizeof pkcs12_der.data, &err));
    check_close(file);
    check_close(spki);
    check_close(ext);
    check_close(req);
}

static void tidy(void)
{
    fssl_handle all[] = {ca_key, ca, key, leaf, crl, store};

    for (size_t i = 0; i < COUNT_OF(all); i++)
        check_close(all[i]);
}

/* Runs a scenario with one failure. Returns how many blocks it left; those that OpenSSL keeps for
   the thread, such as texts of its error queue, are given back first. The queue itself is made
   before anything fails: where that fails, OpenSSL 4.0 recurses without an end to report it. */
static int64_t run(void (*scenario)(void), int64_t at, bool ever)
{
    int64_t before;

    OPENSSL_thread_stop();
    before = live;
    ERR_clear_error();
    made = 0;
    fails_at = at;
    for_ever = ever;
    scenario();
    fails_at = -1;
    CHECK_EQUAL(0, (int64_t)ERR_peek_error());
    OPENSSL_thread_stop();
    return live - before;
}

static void fail_in_turn(void (*scenario)(void), bool ever)
{
    int64_t handles = fssl_handle_count(FSSL_TYPE_ANY, NULL);
    int64_t step = check_rounds(50) == 50 ? 1 : 13, allocations;

    run(scenario, -1, false); /* whatever is made once is made */
    CHECK_EQUAL(0, run(scenario, -1, false));
    allocations = made;
    CHECK(allocations > 10);
    for (int64_t at = 0; at < allocations; at += step) {
        points++;
        if (!CHECK_EQUAL(0, run(scenario, at, ever)) ||
            !CHECK_EQUAL(handles, fssl_handle_count(FSSL_TYPE_ANY, NULL))) {
            printf("  where allocation %lld fails%s\n", (long long)at,
                   ever ? " and all after it" : "");
            break;
        }
    }
}

static void fail(void (*scenario)(void))
{
    verified = false;
    prepare();
    fail_in_turn(scenario, false);
    fail_in_turn(scenario, true);
    CHECK(!verified);
    tidy();
}

static void building_fails(void)
{
    fail(building);
}

static void reading_fails(void)
{
    fail(reading);
}

static void connections_fails(void)
{
    fail(connections);
}

static void requests_fails(void)
{
    fail(requests);
}

static void lists_fails(void)
{
    fail(lists);
}

static void verifying_fails(void)
{
    fail(verifying);
}

static void wrong_host_fails(void)
{
    fail(wrong_host);
}

static void wrong_address_fails(void)
{
    fail(wrong_address);
}

static void untrusted_fails(void)
{
    fail(untrusted);
}

static void revoked_fails(void)
{
    fail(revoked);
}

static void other_signatures_fails(void)
{
    fail(other_signatures);
}

static void containers_fails(void)
{
    fail(containers);
}

static void signatures_fails(void)
{
    fail(signatures);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"building", building_fails},
        {"reading", reading_fails},
        {"gh-144833 connections", connections_fails},
        {"requests", requests_fails},
        {"CRLs", lists_fails},
        {"verifying", verifying_fails},
        {"wrong host", wrong_host_fails},
        {"wrong address", wrong_address_fails},
        {"untrusted", untrusted_fails},
        {"revoked", revoked_fails},
        {"other signatures", other_signatures_fails},
        {"containers", containers_fails},
        {"signatures", signatures_fails},
    };
    int result;

    CRYPTO_set_mem_functions(failing_malloc, failing_realloc, counting_free);
    result = check_run(cases, COUNT_OF(cases), argc, argv);
    fprintf(stderr, "%lld points of failure\n", (long long)points);
    return result;
}
