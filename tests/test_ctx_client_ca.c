/* The client CA list: set in each way, sent, replaced while connections live. */
#include <string.h>

#include "pair.h"

/* The names of these identities in DER, one after another. */
static struct encoded names_of(enum identity_name first, enum identity_name second)
{
    enum identity_name each[] = {first, second};
    struct encoded der = {.len = 0};

    for (size_t i = 0; i < COUNT_OF(each); i++) {
        uint8_t *at = der.data + der.len;

        if (each[i] != ID_NONE)
            der.len += i2d_X509_NAME(X509_get_subject_name(identity(each[i])->cert), &at);
    }
    return der;
}

/* Connects a client that is asked for a certificate. Returns how many names it was sent. */
static int64_t sent(struct pair *pair)
{
    int64_t count;

    pair_connect(pair, &(struct pair_plan){0});
    CHECK_OK(fssl_conn_set_verify(pair->server, FSSL_VERIFY_PEER, &err));
    CHECK(pair_handshake(pair));
    count = CHECK_GIVES(fssl_conn_client_ca_count(pair->client, &err));
    CHECK_IS(count, fssl_conn_client_ca_count(pair->server, &err));
    if (count > 0) {
        fssl_handle name = CHECK_MADE(fssl_conn_client_ca_item(pair->client, count - 1, &err));

        CHECK_CONTAINS("CN=", text_of(fssl_name_text, name));
        check_close(name);
    }
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_client_ca_item(pair->client, count, &err));
    pair_disconnect(pair);
    return count;
}

static void set_and_sent(void)
{
    struct pair pair;
    struct encoded der = names_of(ID_CA, ID_OTHER_CA), pem;
    fssl_handle cert = identity_cert_handle(ID_MIDDLE_CA);
    const char *path;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &(struct pair_plan){0});
    CHECK_EQUAL(0, sent(&pair));
    CHECK_OK(fssl_ctx_set_client_ca_list(pair.server_ctx, der.data, der.len, &err));
    CHECK_EQUAL(2, sent(&pair));
    CHECK_OK(fssl_ctx_add_client_ca(pair.server_ctx, cert, &err));
    CHECK_EQUAL(3, sent(&pair));
    pem = identity_cert_pem(ID_CA);
    path = scratch_file(pem.data, (size_t)pem.len);
    CHECK_OK(fssl_ctx_load_client_ca(pair.server_ctx, path, FSSL_NUL_TERMINATED, &err));
    CHECK_EQUAL(1, sent(&pair));
    CHECK_OK(fssl_ctx_set_client_ca_list(pair.server_ctx, NULL, 0, &err));
    CHECK_EQUAL(0, sent(&pair));
    check_close(cert);
    pair_close(&pair);
}

/* A bad list leaves the one before. */
static void bad_lists(void)
{
    struct pair pair;
    struct encoded der = names_of(ID_CA, ID_NONE);

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &(struct pair_plan){0});
    CHECK_OK(fssl_ctx_set_client_ca_list(pair.server_ctx, der.data, der.len, &err));
    CHECK_FAILS(FSSL_E_PARSE,
                fssl_ctx_set_client_ca_list(pair.server_ctx, der.data, der.len - 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_client_ca_list(pair.server_ctx, NULL, 1, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_load_client_ca(pair.server_ctx, "/nowhere/ca.pem",
                                                        FSSL_NUL_TERMINATED, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_ctx_load_client_ca(pair.server_ctx, scratch_file("garbage", 7),
                                                      FSSL_NUL_TERMINATED, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_add_client_ca(pair.server_ctx, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_ctx_add_client_ca(pair.server_ctx, pair.client_ctx, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_client_ca_count(pair.client_ctx, &err));
    CHECK_EQUAL(1, sent(&pair));
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"set and sent", set_and_sent},
    {"bad lists", bad_lists},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
