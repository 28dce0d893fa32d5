/* Cookies of DTLS: as data, with a secret that changes, and by callbacks; listening, on memory. */
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "datagrams.h"

enum { HELLO_VERIFY = 3, MESSAGE = 13, HELLO_COOKIE = 61, VERIFY_COOKIE = 27, COOKIE_MAX = 255 };

static const struct pair_plan plan;
static uint8_t buf[DATAGRAM];
static uint8_t reply[DATAGRAM];

static void set_secret(struct datagrams *d, const char *secret)
{
    CHECK_OK(fssl_ctx_set_dtls_cookie_secret(d->server_ctx, (const uint8_t *)secret, 16, &err));
}

static void name_peer(fssl_handle server, const char *name)
{
    CHECK_OK(fssl_conn_set_dtls_peer(server, (const uint8_t *)name, (int64_t)strlen(name), &err));
}

static struct datagrams *listening(const char *peer)
{
    struct datagrams *d = datagrams_contexts(&plan);

    set_secret(d, "0123456789abcdef");
    datagrams_connect(d, &plan);
    name_peer(d->server, peer);
    return d;
}

static void replace_server(struct datagrams *d, const char *peer)
{
    check_close(d->server);
    d->server = CHECK_MADE(fssl_conn_new_memory(d->server_ctx, &err));
    name_peer(d->server, peer);
}

/* Has the client send its next hello, into buf. */
static int64_t hello(struct datagrams *d)
{
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
    return datagrams_next(d->client, buf);
}

/* Gives the server a hello. Returns as listen. */
static int64_t listen_to(struct datagrams *d, int64_t len)
{
    CHECK_IS(len, fssl_conn_bio_write(d->server, buf, len, &err));
    return fssl_conn_dtls_listen(d->server, &err);
}

/* The server answers with a cookie and wants another hello. Returns the answer's length. */
static int64_t verify_asked(struct datagrams *d, int64_t result)
{
    int64_t len;

    CHECK_FAILS(FSSL_E_WANT_READ, result);
    len = datagrams_next(d->server, reply);
    CHECK(len > VERIFY_COOKIE && reply[MESSAGE] == HELLO_VERIFY);
    CHECK_EQUAL(0, datagrams_next(d->server, reply + len));
    return len;
}

/* Carries one hello and its answer. Returns the length of the hello with the cookie, in buf. */
static int64_t hello_with_cookie(struct datagrams *d)
{
    int64_t len = verify_asked(d, listen_to(d, hello(d)));

    CHECK_IS(len, fssl_conn_bio_write(d->client, reply, len, &err));
    return hello(d);
}

static void listens(void)
{
    struct datagrams *d = listening("192.0.2.1:5684");

    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_dtls_listen(d->server, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(d->server, &err));
    CHECK_IS(1, listen_to(d, hello_with_cookie(d)));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(d->server, &err));
    CHECK(datagrams_handshake(d));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(d->server, &err));
    datagrams_close(d);
}

/* The cookie of a hello, as a case changes it. */
static void bad_cookies(void)
{
    struct datagrams *d = listening("192.0.2.1:5684");
    int64_t len = hello_with_cookie(d);
    uint8_t good[DATAGRAM];

    memcpy(good, buf, (size_t)len);
    CHECK_EQUAL(32, buf[HELLO_COOKIE - 1]);
    for (int at = 0; at < 32; at++) {
        buf[HELLO_COOKIE + at] ^= 0x80;
        verify_asked(d, listen_to(d, len));
        buf[HELLO_COOKIE + at] ^= 0x80;
    }
    buf[HELLO_COOKIE - 1] =
        31; /* one byte short: another follows it, which OpenSSL looks at later */
    verify_asked(d, listen_to(d, len));
    for (int64_t cut = 1; cut < len; cut++) { /* hellos that are not whole are not answered */
        memcpy(buf, good, (size_t)len);
        CHECK_FAILS(FSSL_E_WANT_READ, listen_to(d, len - cut));
        CHECK_EQUAL(0, datagrams_next(d->server, reply));
    }
    name_peer(d->server, "192.0.2.2:5684"); /* and another's cookie is none */
    memcpy(buf, good, (size_t)len);
    verify_asked(d, listen_to(d, len));
    name_peer(d->server, "192.0.2.1:5684");
    CHECK_IS(1, listen_to(d, len));
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

/* The former secret is good, the one before it no more. */
static void secrets_change(void)
{
    struct datagrams *d = listening("peer");
    int64_t len = hello_with_cookie(d);

    set_secret(d, "ABCDEFGHIJKLMNOP");
    replace_server(d, "peer");
    set_secret(d, "changed once more");
    CHECK_IS(1, listen_to(d, len));
    replace_server(d, "peer");
    verify_asked(d, listen_to(d, len));
    replace_server(d, "peer");
    len = verify_asked(d, listen_to(d, len));
    CHECK_IS(len, fssl_conn_bio_write(d->client, reply, len, &err));
    datagrams_close(d);
}

/* Two servers that share a secret know each other's cookies. */
static void another_server(void)
{
    struct datagrams *d = listening("peer");
    int64_t len = hello_with_cookie(d);

    replace_server(d, "peer");
    CHECK_IS(1, listen_to(d, len));
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

/* A secret alone has cookies demanded in a handshake that did not listen before. */
static void without_listening(void)
{
    struct datagrams *d = listening("peer");

    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
    datagrams_carry(d);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->server, &err));
    CHECK(datagrams_next(d->server, reply) > 0 && reply[MESSAGE] == HELLO_VERIFY);
    d->weather = (struct weather){.lost = 20, .seed = 3};
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

static void states(void)
{
    struct datagrams *d = datagrams_open(&plan);
    fssl_handle server;

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(d->server, &err)); /* no secret */
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(d->client, &err));
    CHECK_GIVES(fssl_ctx_set_options(d->server_ctx, FSSL_OP_COOKIE_EXCHANGE, &err));
    server = CHECK_MADE(fssl_conn_new_memory(d->server_ctx, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(server, &err));
    check_close(server);
    set_secret(d, "0123456789abcdef");
    server = CHECK_MADE(fssl_conn_new_memory(d->server_ctx, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(server, &err)); /* no peer */
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(server, &err));
    check_close(server);
    datagrams_close(d);
    d = datagrams_established(&plan);
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(d->server, &err));
    datagrams_close(d);
}

static void arguments(void)
{
    struct datagrams *d = datagrams_open(&plan);

    for (int64_t len = 0; len < 16; len++)
        CHECK_FAILS(FSSL_E_ARGUMENT,
                    fssl_ctx_set_dtls_cookie_secret(d->server_ctx, buf, len, &err));
    CHECK_OK(fssl_ctx_set_dtls_cookie_secret(d->server_ctx, buf, 1024, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_dtls_cookie_secret(d->server_ctx, buf, 1025, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_dtls_cookie_secret(d->server_ctx, NULL, 16, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_dtls_cookie_secret(d->server_ctx, buf, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_dtls_peer(d->server, buf, 0, &err));
    CHECK_OK(fssl_conn_set_dtls_peer(d->server, buf, 1, &err));
    CHECK_OK(fssl_conn_set_dtls_peer(d->server, buf, 256, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_dtls_peer(d->server, buf, 257, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_dtls_peer(d->server, NULL, 4, &err));
    datagrams_close(d);
}

/* ---- callbacks ---- */

static int64_t cookie_len; /* what the callback answers with; -1 for no answer */
static int32_t generated;  /* what it returns */
static int32_t verified;
static int64_t inside;
static uint8_t cookie[65536];

static int32_t generate(int64_t token, fssl_handle conn, const uint8_t *none, int64_t none_len)
{
    CHECK(token == 7 && !none && none_len == 0);
    inside = fssl_conn_dtls_listen(conn, NULL);
    if (cookie_len >= 0)
        fssl_conn_answer(conn, cookie, cookie_len, NULL);
    return generated;
}

static int32_t verify(int64_t token, fssl_handle conn, const uint8_t *data, int64_t len)
{
    CHECK(token == 8 && conn != 0 && len == cookie_len);
    CHECK_BYTES(cookie, data, (size_t)len);
    return verified;
}

static struct datagrams *called(int64_t len, int32_t generate_answer, int32_t verify_answer)
{
    struct datagrams *d = datagrams_contexts(&plan);

    memset(cookie, 'c', sizeof cookie);
    cookie_len = len;
    generated = generate_answer;
    verified = verify_answer;
    CHECK_OK(fssl_ctx_set_cookie_generate_callback(d->server_ctx, generate, 7, &err));
    CHECK_OK(fssl_ctx_set_cookie_verify_callback(d->server_ctx, verify, 8, &err));
    datagrams_connect(d, &plan);
    return d;
}

static void lengths(void)
{
    static const struct {
        int64_t len;
        int32_t answer;
        bool good;
    } rows[] = {
        {1, 1, true},     {32, 1, true},     {COOKIE_MAX, 1, true}, {COOKIE_MAX + 1, 1, false},
        {4096, 1, false}, {65535, 1, false}, {65536, 1, false},     {0, 1, false},
        {-1, 1, false},   {32, 0, false},    {32, 2, false},        {32, -1, false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct datagrams *d = called(rows[i].len, rows[i].answer, 1);

        if (rows[i].good) {
            CHECK_IS(1, listen_to(d, hello_with_cookie(d)));
            CHECK_EQUAL(rows[i].len, buf[HELLO_COOKIE - 1]);
            CHECK(datagrams_handshake(d));
        } else {
            CHECK_FAILS(FSSL_E_CALLBACK, listen_to(d, hello(d)));
            CHECK_EQUAL(0, datagrams_next(d->server, reply));
            CHECK_FAILS(FSSL_E_CALLBACK, fssl_conn_dtls_listen(d->server, &err));
        }
        CHECK_EQUAL(FSSL_E_IN_CALLBACK, fssl_error_code(inside, NULL));
        datagrams_close(d);
    }
}

static void verdicts(void)
{
    static const int32_t failures[] = {-1, 2, INT32_MIN, INT32_MAX};
    struct datagrams *d = called(COOKIE_MAX, 1, 0);

    verify_asked(d, listen_to(d, hello_with_cookie(d)));
    verified = 1;
    datagrams_close(d);
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        d = called(20, 1, failures[i]);
        CHECK_FAILS(FSSL_E_CALLBACK, listen_to(d, hello_with_cookie(d)));
        datagrams_close(d);
    }
}

/* The same in a handshake that did not listen: there a cookie that is refused is fatal. */
static void verdicts_without_listening(void)
{
    static const struct {
        int32_t generated;
        int32_t verified;
        int32_t code;
    } rows[] = {
        {1, 1, 0},
        {1, 0, FSSL_E_TLS},
        {1, -1, FSSL_E_CALLBACK},
        {-1, 1, FSSL_E_CALLBACK},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct datagrams *d = called(COOKIE_MAX, rows[i].generated, rows[i].verified);
        int64_t result = -FSSL_E_WANT_READ;

        CHECK_GIVES(fssl_conn_set_options(d->server, FSSL_OP_COOKIE_EXCHANGE, &err));
        for (int turn = 0; turn < 8 && result == -FSSL_E_WANT_READ; turn++) {
            fssl_conn_do_handshake(d->client, &err);
            datagrams_carry(d);
            result = fssl_conn_do_handshake(d->server, &err);
            datagrams_carry(d);
        }
        CHECK_EQUAL(rows[i].code, fssl_error_code(result, NULL));
        datagrams_close(d);
    }
}

/* One callback without the other, and none but a secret. */
static void taken_away(void)
{
    struct datagrams *d = called(20, 1, 1);

    CHECK_OK(fssl_ctx_set_cookie_verify_callback(d->server_ctx, NULL, 0, &err));
    check_close(d->server);
    d->server = CHECK_MADE(fssl_conn_new_memory(d->server_ctx, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(d->server, &err));
    CHECK_OK(fssl_ctx_set_cookie_generate_callback(d->server_ctx, NULL, 0, &err));
    set_secret(d, "0123456789abcdef");
    replace_server(d, "peer");
    CHECK_IS(1, listen_to(d, hello_with_cookie(d)));
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

static const struct check_case cases[] = {
    {"listens", listens},
    {"bad cookies", bad_cookies},
    {"secrets change", secrets_change},
    {"another server", another_server},
    {"without listening", without_listening},
    {"states", states},
    {"arguments", arguments},
    {"lengths", lengths},
    {"verdicts", verdicts},
    {"verdicts without listening", verdicts_without_listening},
    {"taken away", taken_away},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
