/* What a handshake leaves behind, the same at both ends. */
#include <string.h>

#include "pair.h"

enum { RANDOM = 32, EXPORTED = 40 };

static void nothing_before(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    uint8_t buf[EXPORTED];

    CHECK_EQUAL(0, bytes_of(fssl_conn_client_random, pair.client)->len);
    CHECK_EQUAL(0, bytes_of(fssl_conn_server_random, pair.client)->len);
    CHECK_EQUAL(0, bytes_of(fssl_conn_master_key, pair.client)->len);
    CHECK_EQUAL(0, bytes_of(fssl_conn_finished, pair.client)->len);
    CHECK_EQUAL(0, bytes_of(fssl_conn_peer_finished, pair.client)->len);
    CHECK_EQUAL(0, bytes_of(fssl_conn_next_proto, pair.client)->len);
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_export_keying_material(pair.client, "l", 1, NULL, 0, buf,
                                                               EXPORTED, &err));
    pair_close(&pair);
}

static void same(bytes_getter *one, fssl_handle a, bytes_getter *other, fssl_handle b, int64_t len)
{
    const struct bytes *first = bytes_of(one, a), *second = bytes_of(other, b);

    CHECK(first->len == second->len && (len == 0 || first->len == len));
    CHECK_BYTES(first->data, second->data, (size_t)first->len);
}

static void same_at_both_ends(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = pair_established(&(struct pair_plan){.version = versions[i]});
        uint8_t a[EXPORTED] = "abc", b[EXPORTED];

        same(fssl_conn_client_random, pair.client, fssl_conn_client_random, pair.server, RANDOM);
        same(fssl_conn_server_random, pair.client, fssl_conn_server_random, pair.server, RANDOM);
        if (versions[i] == FSSL_TLS1_2_VERSION)
            same(fssl_conn_master_key, pair.client, fssl_conn_master_key, pair.server, 48);
        same(fssl_conn_finished, pair.client, fssl_conn_peer_finished, pair.server, 0);
        same(fssl_conn_finished, pair.server, fssl_conn_peer_finished, pair.client, 0);
        CHECK_IS(EXPORTED,
                 fssl_conn_export_keying_material(pair.client, "EXPERIMENTAL x",
                                                  FSSL_NUL_TERMINATED, a, 3, a, EXPORTED, &err));
        CHECK_IS(EXPORTED,
                 fssl_conn_export_keying_material(pair.server, "EXPERIMENTAL x",
                                                  FSSL_NUL_TERMINATED, NULL, 0, b, EXPORTED, &err));
        CHECK(memcmp(a, b, EXPORTED) != 0); /* another context */
        CHECK_IS(EXPORTED,
                 fssl_conn_export_keying_material(pair.client, "EXPERIMENTAL x",
                                                  FSSL_NUL_TERMINATED, NULL, 0, a, EXPORTED, &err));
        CHECK_BYTES(a, b, EXPORTED);
        pair_close(&pair);
    }
}

static void bad_arguments(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
    uint8_t buf[EXPORTED];

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_export_keying_material(pair.client, "a\0b", 3, NULL, 0,
                                                                  buf, EXPORTED, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_export_keying_material(pair.client, "l", 1, NULL, 2, buf,
                                                                  EXPORTED, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_export_keying_material(pair.client, "l", 1, NULL, 0,
                                                                  NULL, EXPORTED, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_export_keying_material(pair.client, "l", 1, NULL, 0, buf, 0, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_client_random(pair.client, buf, 31, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_server_random(pair.client, buf, 31, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_master_key(pair.client, buf, 1, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_finished(pair.client, buf, 1, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_peer_finished(pair.client, buf, 1, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_next_proto(0, buf, 1, &err));
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"nothing before", nothing_before},
    {"same at both ends", same_at_both_ends},
    {"bad arguments", bad_arguments},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
