/* Answers that OpenSSL does not have today: SSL_get_error is replaced, and whatever it says must be
   read as the end of the connection, never as success and never as a reason to try again. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "internal.h"
#include "pair.h"

#include <dlfcn.h>

enum { TRUTH = 100 };

static int odd = TRUTH; /* what SSL_get_error answers */
static int asked;       /* how often it was */

int SSL_get_error(const SSL *ssl, int result)
{
    int (*real)(const SSL *, int);

    asked++;
    if (odd != TRUTH)
        return odd;
    *(void **)&real = dlsym(RTLD_NEXT, "SSL_get_error");
    return real(ssl, result);
}

static void unknown_answers(void)
{
    static const int answers[] = {SSL_ERROR_NONE,
                                  SSL_ERROR_WANT_CONNECT,
                                  SSL_ERROR_WANT_ACCEPT,
                                  SSL_ERROR_WANT_ASYNC,
                                  SSL_ERROR_WANT_ASYNC_JOB,
                                  13,
                                  99,
                                  -1};

    for (size_t i = 0; i < COUNT_OF(answers) * 2; i++) {
        struct pair pair =
            i % 2 ? pair_established(&(struct pair_plan){0}) : pair_open(&(struct pair_plan){0});
        int64_t first;
        uint8_t byte;

        odd = answers[i / 2];
        asked = 0;
        first = CHECK_FAILS(FSSL_E_TLS, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
        CHECK_EQUAL(1, asked);
        CHECK_EQUAL(first, fssl_conn_do_handshake(pair.client, NULL));
        CHECK_EQUAL(first, fssl_conn_shutdown(pair.client, NULL));
        CHECK_EQUAL(1, asked);
        odd = TRUTH;
        pair_close(&pair);
    }
}

static const struct check_case cases[] = {
    {"CVE-2021-4044 unknown answers", unknown_answers},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
