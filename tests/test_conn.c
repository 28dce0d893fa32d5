#include "pair.h"

static void handshake(void)
{
    static const struct pair_plan plans[] = {
        {.version = FSSL_TLS1_2_VERSION, .server = ID_EC},
        {.version = FSSL_TLS1_3_VERSION, .server = ID_RSA},
        {.version = FSSL_TLS1_3_VERSION, .client = ID_CLIENT},
        {.version = FSSL_TLS1_3_VERSION, .sockets = true},
    };
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct pair pair = pair_established(&plans[i]);
        CHECK(pair_transfer(&pair, pair.client, (const uint8_t *)"hello", 5));
        pair_shutdown(&pair);
        pair_close(&pair);
    }
}

static const struct check_case cases[] = {
    {"handshake", handshake},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
