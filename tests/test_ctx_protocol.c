#include "pair.h"

#include <string.h>

#include <openssl/dh.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

static const struct pair_plan tls12 = {.version = FSSL_TLS1_2_VERSION};
static const struct pair_plan tls13 = {.version = FSSL_TLS1_3_VERSION};

static struct pair pair;

/* Connects anew with what the contexts say now. Returns whether the handshake succeeded. */
static bool connects(const struct pair_plan *plan)
{
    struct pair_result results;

    pair_disconnect(&pair);
    pair_connect(&pair, plan);
    results = pair_handshake_results(&pair);
    return results.client == 0 && results.server == 0;
}

/* ---- ciphers ---- */

static void cipher_list(void)
{
    pair_contexts(&pair, &tls12);
    CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "ECDHE-ECDSA-AES128-GCM-SHA256",
                                      FSSL_NUL_TERMINATED, &err));
    CHECK(connects(&tls12));
    CHECK_TEXT("ECDHE-ECDSA-AES128-GCM-SHA256", text_of(fssl_conn_cipher_name, pair.server));
    CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "ECDHE+CHACHA20:!RSA", 19, &err));
    CHECK(connects(&tls12)); /* after the context came into use */
    CHECK_TEXT("ECDHE-ECDSA-CHACHA20-POLY1305", text_of(fssl_conn_cipher_name, pair.server));
    CHECK_OK(fssl_ctx_set_cipher_list(pair.server_ctx, "AES256", 6, &err));
    CHECK(!connects(&tls12)); /* none in common */
    pair_close(&pair);
}

static void bad_cipher_lists(void)
{
    static const char *const bad[] = {"NONE", "", "TLS_AES_128_GCM_SHA256", "!ALL", "\xff\xff"};

    pair_contexts(&pair, &tls12);
    for (int used = 0; used < 2; used++) {
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
            check_row(bad[i]);
            CHECK_FAILS(FSSL_E_CIPHER, fssl_ctx_set_cipher_list(pair.client_ctx, bad[i],
                                                                (int64_t)strlen(bad[i]), &err));
            check_row(NULL);
        }
        CHECK(connects(&tls12)); /* it is as it was */
    }
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_cipher_list(pair.client_ctx, "ALL\0ALL", 7, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_cipher_list(pair.client_ctx, NULL, 7, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_cipher_list(pair.client_ctx, "ALL", -1, &err));
    pair_close(&pair);
}

static void ciphersuites(void)
{
    pair_contexts(&pair, &tls13);
    CHECK_OK(fssl_ctx_set_ciphersuites(pair.server_ctx, "TLS_CHACHA20_POLY1305_SHA256",
                                       FSSL_NUL_TERMINATED, &err));
    CHECK(connects(&tls13));
    CHECK_TEXT("TLS_CHACHA20_POLY1305_SHA256", text_of(fssl_conn_cipher_name, pair.client));
    CHECK_OK(fssl_ctx_set_ciphersuites(pair.server_ctx, "TLS_AES_128_GCM_SHA256", 22, &err));
    CHECK_FAILS(FSSL_E_CIPHER, fssl_ctx_set_ciphersuites(pair.server_ctx, "TLS_NONE", 8, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_ciphersuites(pair.server_ctx, NULL, 8, &err));
    CHECK(connects(&tls13)); /* after the context came into use */
    CHECK_TEXT("TLS_AES_128_GCM_SHA256", text_of(fssl_conn_cipher_name, pair.client));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_ciphersuites(0, "TLS_AES_128_GCM_SHA256", 22, &err));
}

static void groups(void)
{
    pair_contexts(&pair, &tls13);
    CHECK_OK(fssl_ctx_set_groups(pair.client_ctx, "P-384:X25519", FSSL_NUL_TERMINATED, &err));
    CHECK_OK(fssl_ctx_set_groups(pair.server_ctx, "P-384", 5, &err));
    CHECK(connects(&tls13));
    CHECK_TEXT("secp384r1", text_of(fssl_conn_group_name, pair.client));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_groups(pair.client_ctx, "P-999", 5, &err));
#if !OPENSSL_VERSION_PREREQ(4, 0) /* which does not say it any more */
    CHECK_CONTAINS("'P-999'", error_text(fssl_ctx_set_groups(pair.client_ctx, "P-999", 5, &err)));
#endif
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_groups(pair.client_ctx, "", 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_groups(pair.client_ctx, "P-384", -1, &err));
    CHECK_OK(fssl_ctx_set_groups(pair.client_ctx, "X25519", 6, &err));
    CHECK(!connects(&tls13));
    pair_close(&pair);
}

/* Returns a PEM file with the parameters of a named group. */
static const char *dh_file(const char *group)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    EVP_PKEY *params = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    const char *path;
    char *pem;
    long len;

    CHECK(EVP_PKEY_paramgen_init(context) == 1 &&
          EVP_PKEY_CTX_set_group_name(context, group) == 1 &&
          EVP_PKEY_paramgen(context, &params) == 1 && PEM_write_bio_Parameters(bio, params) == 1);
    len = BIO_get_mem_data(bio, &pem);
    path = scratch_file(pem, (size_t)len);
    EVP_PKEY_free(params);
    EVP_PKEY_CTX_free(context);
    BIO_free(bio);
    return path;
}

static void temporary_dh(void)
{
    static const struct pair_plan rsa = {.version = FSSL_TLS1_2_VERSION, .server = ID_RSA};

    pair_contexts(&pair, &rsa);
    CHECK_OK(
        fssl_ctx_load_tmp_dh(pair.server_ctx, dh_file("ffdhe2048"), FSSL_NUL_TERMINATED, &err));
    CHECK_OK(fssl_ctx_set_cipher_list(pair.client_ctx, "DHE-RSA-AES128-GCM-SHA256", 25, &err));
    CHECK(connects(&rsa));
    CHECK_TEXT("DHE-RSA-AES128-GCM-SHA256", text_of(fssl_conn_cipher_name, pair.client));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_load_tmp_dh(pair.server_ctx, scratch_file("none", 4),
                                                   FSSL_NUL_TERMINATED, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_load_tmp_dh(pair.server_ctx, "/none", 5, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_load_tmp_dh(pair.server_ctx, NULL, 5, &err));
    pair_close(&pair);
}

/* ---- versions ---- */

static void versions(void)
{
    static const int32_t known[] = {FSSL_TLS1_VERSION, FSSL_TLS1_1_VERSION, FSSL_TLS1_2_VERSION,
                                    FSSL_TLS1_3_VERSION, 0};
    static const int32_t unknown[] = {-1, 1, 0x0305, 0xfefd, INT32_MAX, INT32_MIN};
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        CHECK_OK(fssl_ctx_set_min_proto_version(ctx, known[i], &err));
        CHECK_IS(known[i], fssl_ctx_min_proto_version(ctx, &err));
        CHECK_OK(fssl_ctx_set_max_proto_version(ctx, known[i], &err));
        CHECK_IS(known[i], fssl_ctx_max_proto_version(ctx, &err));
    }
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_min_proto_version(ctx, unknown[i], &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_max_proto_version(ctx, unknown[i], &err));
    }
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_set_min_proto_version(ctx, FSSL_SSL3_VERSION, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_set_max_proto_version(ctx, FSSL_SSL3_VERSION, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_min_proto_version(ctx, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_max_proto_version(ctx, &err));
}

static void no_version_in_common(void)
{
    pair_contexts(&pair, &tls12);
    CHECK_OK(fssl_ctx_set_max_proto_version(pair.client_ctx, 0, &err));
    CHECK_OK(fssl_ctx_set_min_proto_version(pair.client_ctx, FSSL_TLS1_3_VERSION, &err));
    CHECK(!connects(&tls12));
    CHECK_OK(fssl_ctx_set_max_proto_version(pair.server_ctx, 0, &err));
    CHECK(connects(&tls12));
    CHECK_IS(FSSL_TLS1_3_VERSION, fssl_conn_protocol_version(pair.client, &err));
    pair_close(&pair);
}

static void security_levels(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));

    for (int32_t level = 0; level <= 5; level++) {
        CHECK_OK(fssl_ctx_set_security_level(ctx, level, &err));
        CHECK_IS(level, fssl_ctx_security_level(ctx, &err));
    }
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_security_level(ctx, 6, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_security_level(ctx, -1, &err));
    CHECK_IS(5, fssl_ctx_security_level(ctx, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_security_level(ctx, &err));
    pair_contexts(&pair, &(struct pair_plan){.server = ID_RSA});
    CHECK_OK(fssl_ctx_set_security_level(pair.client_ctx, 3, &err)); /* 2,048 bits are too few */
    CHECK(!connects(&(struct pair_plan){.server = ID_RSA}));
    pair_close(&pair);
}

/* ---- application protocols ---- */

#define H2 "\x02h2"
#define HTTP11 "\x08http/1.1"

static const uint8_t *bytes(const char *text)
{
    return (const uint8_t *)text;
}

/* Returns a protocol as text; one with a NUL is longer than it looks. */
static const char *whole_text(bytes_getter *getter, fssl_handle conn)
{
    const struct bytes *got = bytes_of(getter, conn);

    CHECK_EQUAL((int64_t)strlen((const char *)got->data), got->len);
    return (const char *)got->data;
}

static const char *alpn_with(const char *offered, const char *preferred)
{
    CHECK_OK(
        fssl_ctx_set_alpn_protos(pair.client_ctx, bytes(offered), (int64_t)strlen(offered), &err));
    CHECK_OK(fssl_ctx_set_alpn_preference(pair.server_ctx, bytes(preferred),
                                          (int64_t)strlen(preferred), &err));
    if (!connects(&tls13))
        return "refused";
    CHECK_EQUAL(bytes_of(fssl_conn_alpn_proto, pair.client)->len,
                bytes_of(fssl_conn_alpn_proto, pair.server)->len);
    return whole_text(fssl_conn_alpn_proto, pair.client);
}

static void alpn(void)
{
    pair_contexts(&pair, &tls13);
    CHECK_TEXT("h2", alpn_with(HTTP11 H2, H2 HTTP11)); /* the server prefers */
    CHECK_TEXT("http/1.1", alpn_with(HTTP11 H2, HTTP11));
    CHECK_TEXT("", alpn_with("", H2));
    CHECK_TEXT("", alpn_with(H2, ""));
    CHECK_TEXT("refused", alpn_with(H2, HTTP11));
    CHECK_EQUAL(120, error_int(fssl_conn_do_handshake(pair.client, NULL), FSSL_ERROR_ALERT));
    pair_close(&pair);
}

static void bad_protocols(void)
{
    static uint8_t many[65536 + 2];
    static const struct {
        const char *name;
        const char *data;
        int64_t len;
    } rows[] = {
        {"an empty protocol", "\0", 1},
        {"one in the middle",
         "\x01"
         "a\0\x01"
         "b",
         5},
        {"cut off", "\x05h2", 3},
        {"a length too many", "\x02h2\x01", 4},
        {"NULL", NULL, 3},
        {"a negative length", H2, -1},
    };

    pair_contexts(&pair, &tls13);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const uint8_t *data = bytes(rows[i].data);

        check_row(rows[i].name);
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_alpn_protos(pair.client_ctx, data, rows[i].len, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_alpn_preference(pair.server_ctx, data, rows[i].len, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_npn_advertised(pair.server_ctx, data, rows[i].len, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_npn_preference(pair.client_ctx, data, rows[i].len, &err));
    }
    check_row(NULL);
    memset(many, 1, sizeof many);
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_ctx_set_alpn_protos(pair.client_ctx, many, sizeof many, &err));
    CHECK_OK(fssl_ctx_set_alpn_preference(pair.server_ctx, many, 65534, &err));
    CHECK(connects(&tls13));
    pair_close(&pair);
}

static const char *npn_with(const char *advertised, const char *preferred)
{
    CHECK_OK(fssl_ctx_set_npn_advertised(pair.server_ctx, bytes(advertised),
                                         (int64_t)strlen(advertised), &err));
    CHECK_OK(fssl_ctx_set_npn_preference(pair.client_ctx, bytes(preferred),
                                         (int64_t)strlen(preferred), &err));
    if (!connects(&tls12))
        return "refused";
    return whole_text(fssl_conn_next_proto, pair.server);
}

static void npn(void)
{
    pair_contexts(&pair, &tls12);
    CHECK_TEXT("http/1.1", npn_with(H2 HTTP11, HTTP11 H2)); /* the client prefers */
    CHECK_TEXT("h2", npn_with(H2, HTTP11 H2));
    CHECK_TEXT("http/1.1", npn_with(H2, HTTP11)); /* none in common */
    CHECK_TEXT("", npn_with("", H2));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_next_proto(0, NULL, 0, &err));
}

/* ---- buffers ---- */

static void read_ahead(void)
{
    static const struct pair_plan sockets = {.sockets = true};
    static uint8_t data[5000];
    uint8_t got[1000];

    pair_contexts(&pair, &sockets);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_read_ahead(pair.client_ctx, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_read_ahead(pair.client_ctx, 1 << 21, &err));
    CHECK_OK(fssl_ctx_set_read_ahead(pair.client_ctx, 16384, &err));
    CHECK(connects(&sockets));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, got, 1, 0, &err)); /* the tickets */
    memset(data, 'r', sizeof data);
    for (int i = 0; i < 3; i++)
        CHECK_IS(1000, fssl_conn_send(pair.server, data, 1000, &err));
    CHECK_IS(1000, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    CHECK_IS(1000, fssl_conn_pending(pair.client, &err)); /* read ahead, and complete */
    CHECK_IS(1000, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    CHECK_IS(1000, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    CHECK_IS(0, fssl_conn_pending(pair.client, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, got, 1, 0, &err));
    pair_close(&pair);
}

static void buffer_release(void)
{
    static uint8_t data[20000];

    pair_contexts(&pair, &tls13);
    CHECK_OK(fssl_ctx_set_buffer_release(pair.server_ctx, 1, &err));
    CHECK(connects(&tls13));
    for (int i = 0; i < 3; i++) {
        memset(data, 'a' + i, sizeof data);
        CHECK(pair_transfer(&pair, pair.client, data, sizeof data));
        CHECK(pair_transfer(&pair, pair.server, data, sizeof data));
    }
    CHECK_OK(fssl_ctx_set_buffer_release(pair.server_ctx, 0, &err));
    CHECK(connects(&tls13));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_buffer_release(0, 1, &err));
}

static const struct check_case cases[] = {
    {"cipher list", cipher_list},
    {"bad cipher lists", bad_cipher_lists},
    {"ciphersuites", ciphersuites},
    {"groups", groups},
    {"temporary DH", temporary_dh},
    {"versions", versions},
    {"no version in common", no_version_in_common},
    {"security levels", security_levels},
    {"ALPN", alpn},
    {"CVE-2024-5535 bad protocols", bad_protocols},
    {"CVE-2024-5535 NPN", npn},
    {"read ahead", read_ahead},
    {"buffer release", buffer_release},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
