/* Blocks of settings: a context that is changed while connections hold its block leaves theirs as
   it was, and takes all that was in it over into its own. */
#include "builder.h"
#include "pair.h"

#include <string.h>

static const uint8_t key[32] = {1, 2, 3};
static const struct pair_plan plan = {.client = ID_CLIENT};

/* Contexts of which the server's holds something of each kind, and a name that leads elsewhere: in
   its block, not in OpenSSL's context, as it is in use already. */
static struct pair filled(void)
{
    fssl_handle ca = identity_cert_handle(ID_CA), store = CHECK_MADE(fssl_store_new(&err));
    fssl_handle elsewhere = pair_server_ctx(&(struct pair_plan){.server = ID_WILDCARD});
    struct pair pair;
    fssl_handle ctx;

    pair = pair_open(&plan);
    ctx = pair.server_ctx;
    pair_disconnect(&pair);
    CHECK_OK(fssl_store_add_cert(store, ca, &err));
    CHECK_OK(fssl_ctx_set_cert_store(ctx, store, &err));
    CHECK_OK(fssl_ctx_add_extra_chain_cert(ctx, ca, &err));
    CHECK_OK(fssl_ctx_add_client_ca(ctx, ca, &err));
    CHECK_OK(fssl_ctx_add_server_name(ctx, TEXT("*.example.test"), elsewhere, &err));
    CHECK_OK(fssl_ctx_add_psk(ctx, TEXT("another"), (const uint8_t *)"x", 1, &err));
    CHECK_OK(fssl_ctx_add_psk(ctx, TEXT("me"), key, sizeof key, &err));
    CHECK_OK(fssl_ctx_set_alpn_protos(pair.client_ctx, BYTES("\1a\1b"), &err));
    check_close(elsewhere);
    check_close(store);
    check_close(ca);
    return pair;
}

static void change(struct pair *pair)
{
    CHECK_OK(fssl_ctx_set_alpn_preference(pair->server_ctx, BYTES("\1b"), &err));
}

/* The server trusts, names its authorities and shows its chain as it was told before. */
static void see_whole(struct pair *pair, const char *proto)
{
    CHECK(pair_handshake(pair));
    CHECK_TEXT(proto, (const char *)bytes_of(fssl_conn_alpn_proto, pair->client)->data);
    CHECK_IS(2, fssl_conn_peer_chain_count(pair->client, &err));
    CHECK_IS(1, fssl_conn_client_ca_count(pair->client, &err));
    pair_disconnect(pair);
}

static void former_connections_keep_theirs(void)
{
    struct pair pair = filled();

    pair_connect(&pair, &plan);
    change(&pair);
    see_whole(&pair, "");
    pair_connect(&pair, &plan);
    see_whole(&pair, "b");
    pair_close(&pair);
}

static void names_are_taken_over(void)
{
    const struct pair_plan named = {.host = "a.example.test"};
    struct pair pair = filled();

    pair_connect(&pair, &plan);
    change(&pair);
    pair_disconnect(&pair);
    pair_connect(&pair, &named);
    CHECK(pair_handshake(&pair));
    pair_close(&pair);
}

static void keys_are_taken_over(void)
{
    struct pair pair = filled();

    pair_connect(&pair, &plan);
    change(&pair);
    pair_disconnect(&pair);
    CHECK_OK(fssl_ctx_add_psk(pair.client_ctx, TEXT("me"), key, sizeof key, &err));
    CHECK_OK(fssl_ctx_set_ciphersuites(pair.client_ctx, TEXT("TLS_AES_128_GCM_SHA256"), &err));
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    CHECK_IS(0, fssl_conn_peer_certificate(pair.client, &err)); /* by key, not by certificate */
    pair_close(&pair);
}

/* A connection's own changes are its own. */
static void a_connection_has_its_own(void)
{
    struct pair pair = filled();

    pair_connect(&pair, &plan);
    CHECK_OK(fssl_conn_set_alpn_preference(pair.server, BYTES("\1a"), &err));
    see_whole(&pair, "a");
    pair_connect(&pair, &plan);
    CHECK_OK(fssl_conn_set_alpn_preference(pair.server, BYTES("\1a"), &err));
    CHECK_OK(fssl_conn_set_alpn_preference(pair.server, NULL, 0, &err)); /* takes it back */
    see_whole(&pair, "");
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"former connections keep theirs", former_connections_keep_theirs},
    {"names are taken over", names_are_taken_over},
    {"keys are taken over", keys_are_taken_over},
    {"a connection has its own", a_connection_has_its_own},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
