/* DTLS on memory: datagrams kept apart, bounds, timers, lengths, and what does not apply. */
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "datagrams.h"

enum { TLS_RECORD_MAX = 16384 };

static uint8_t buf[DATAGRAM];

static void kept_apart(void)
{
    struct datagrams *d = datagrams_established(&(struct pair_plan){0});
    static uint8_t large[TLS_RECORD_MAX + 1];
    int64_t len, sent = 7;

    CHECK_IS(3, fssl_conn_send(d->client, BYTES("one"), &err));
    CHECK_OK(fssl_conn_send_all(d->client, BYTES("second"), &sent, &err));
    CHECK_EQUAL(6, sent);
    CHECK(fssl_conn_want(d->client, &err) & FSSL_WANT_WRITE);
    len = CHECK_GIVES(fssl_conn_bio_read(d->client, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_conn_bio_read(d->client, buf, len - 1, &err));
    CHECK_IS(len, fssl_conn_bio_read(d->client, buf, len, &err));
    CHECK_IS(len, fssl_conn_bio_write(d->server, buf, len, &err));
    datagrams_carry(d);
    CHECK_IS(3, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_IS(4, fssl_conn_recv(d->server, buf, 4, 0, &err));
    CHECK_IS(2, fssl_conn_pending(d->server, &err));
    CHECK_IS(2, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_BYTES("nd", buf, 2);
    CHECK_IS(TLS_RECORD_MAX, fssl_conn_send(d->client, large, TLS_RECORD_MAX, &err));
    datagrams_carry(d);
    CHECK_IS(TLS_RECORD_MAX, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send(d->client, large, sizeof large, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_send_all(d->client, large, sizeof large, &sent, &err));
    CHECK_EQUAL(0, sent);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_bio_read(d->client, buf, sizeof buf, &err));
    datagrams_close(d);
}

/* Whatever is thrown at a connection, it goes on. */
static void forged(void)
{
    struct datagrams *d = datagrams_open(&(struct pair_plan){0});
    struct weather weather = {.seed = 5};
    int64_t len;

    for (int established = 0; established < 2; established++) {
        for (int i = 0; i < 2000; i++) {
            len = 1 + dice(&weather, 200);
            for (int64_t at = 0; at < len; at++)
                buf[at] = (uint8_t)dice(&weather, 256);
            if (established) /* before, OpenSSL lets a record end the handshake that looks right */
                memcpy(buf, "\x17\xfe\xfd\0\1\0\0\0\0\0", 3 + (size_t)dice(&weather, 8));
            else
                buf[1] = 3;
            CHECK_IS(len, fssl_conn_bio_write(i % 2 ? d->client : d->server, buf, len, &err));
            if (established)
                CHECK_FAILS(FSSL_E_WANT_READ,
                            fssl_conn_recv(i % 2 ? d->client : d->server, buf, 64, 0, &err));
        }
        CHECK(datagrams_handshake(d));
    }
    CHECK_IS(3, fssl_conn_send(d->client, BYTES("one"), &err));
    len = datagrams_next(d->client, buf);
    buf[len - 1] ^= 1;
    CHECK_IS(len, fssl_conn_bio_write(d->server, buf, len, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_IS(3, fssl_conn_send(d->client, BYTES("two"), &err));
    datagrams_carry(d);
    CHECK_IS(3, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    datagrams_close(d);
}

static void bounds(void)
{
    struct datagrams *d = datagrams_established(&(struct pair_plan){0});
    int64_t taken = 0, got;

    while ((got = fssl_conn_bio_write(d->server, buf, 10000, &err)) > 0)
        taken += got;
    CHECK_FAILS(FSSL_E_LIMIT, got);
    CHECK(taken > 1000000 && taken <= 1 << 20);
    CHECK_IS(0, fssl_conn_bio_write(d->server, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(d->server, buf, 1, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_bio_write(d->server, (const uint8_t *)d, DATAGRAM * 4, &err));
    while ((got = fssl_conn_send(d->client, buf, 10000, &err)) > 0)
        taken += got;
    CHECK_FAILS(FSSL_E_WANT_WRITE, got);
    CHECK(taken > 2000000 && taken < 4 << 20);
    while (datagrams_next(d->client, buf) > 0)
        ;
    CHECK_OK(fssl_conn_bio_shutdown(d->client, &err));
    CHECK_FAILS(FSSL_E_EOF, fssl_conn_recv(d->client, buf, 1, 0, &err));
    datagrams_close(d);
}

static int64_t pump(fssl_handle conn, uint8_t *packet, int64_t *len, uint8_t *plain, int64_t cap)
{
    static uint8_t out[DATAGRAM];
    int64_t taken, given;
    int64_t result =
        fssl_conn_pump(conn, packet, *len, &taken, plain, cap, out, DATAGRAM, &given, &err);

    CHECK_EQUAL(*len, taken);
    memcpy(packet, out, (size_t)given);
    *len = given;
    return result;
}

static void pumped(void)
{
    struct datagrams *d = datagrams_open(&(struct pair_plan){0});
    static uint8_t packet[DATAGRAM];
    int64_t len = 0, client = -1, server = -1, taken, given;
    uint8_t plain[64];

    for (int i = 0; (client < 0 || server < 0) && i < 20; i++) {
        client = pump(d->client, packet, &len, NULL, 0);
        while (len > 0) {
            server = pump(d->server, packet, &len, NULL, 0);
            CHECK_IS(len, fssl_conn_bio_write(d->client, packet, len, &err));
            while ((len = datagrams_next(d->server, packet)) > 0)
                CHECK_IS(len, fssl_conn_bio_write(d->client, packet, len, &err));
            len = datagrams_next(d->client, packet);
        }
    }
    CHECK(client == 0 && server == 0);
    CHECK_IS(4, fssl_conn_send(d->client, BYTES("ping"), &err));
    CHECK_FAILS(FSSL_E_WANT_READ,
                fssl_conn_pump(d->client, NULL, 0, &taken, plain, 1, packet, 10, &given, &err));
    CHECK_EQUAL(0, given);
    CHECK_EQUAL(-FSSL_E_WANT_READ, pump(d->client, packet, &len, plain, sizeof plain));
    CHECK_IS(4, pump(d->server, packet, &len, plain, sizeof plain));
    CHECK_BYTES("ping", plain, 4);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_pump(d->client, (const uint8_t *)d, 65536, &taken, plain,
                                                1, packet, 10, &given, &err));
    datagrams_close(d);
}

/* Seals a message. Returns the length of the datagram that came out. */
static int64_t sealed(fssl_handle conn, const char *text, uint8_t *out, int64_t cap)
{
    int64_t len = (int64_t)strlen(text), given = -1;

    CHECK_IS(len, fssl_conn_seal(conn, (const uint8_t *)text, len, out, cap, &given, &err));
    return given;
}

/* A record is a datagram, which comes out whole, in its turn. */
static void seal(void)
{
    static const char *const texts[] = {"one", "second", "3"};
    struct datagrams *d = datagrams_open(&(struct pair_plan){0});
    uint8_t out[3][512], plain[64];
    int64_t len[3], given;

    CHECK_FAILS(FSSL_E_WANT_READ,
                fssl_conn_seal(d->client, BYTES("x"), out[0], sizeof *out, &given, &err));
    CHECK(given > 0 && out[0][0] == 22); /* a client hello */
    CHECK_IS(given, fssl_conn_bio_write(d->server, out[0], given, &err));
    CHECK(datagrams_handshake(d));

    CHECK_EQUAL(0, sealed(d->client, texts[0], out[0], 3)); /* too small for it */
    CHECK(fssl_conn_want(d->client, &err) & FSSL_WANT_WRITE);
    len[0] = sealed(d->client, texts[1], out[0], sizeof *out);
    len[1] = fssl_conn_bio_read(d->client, NULL, 0, &err);
    CHECK_EQUAL(0, sealed(d->client, texts[2], out[1], len[1] - 1));
    CHECK_EQUAL(len[1], sealed(d->client, "", out[1], len[1]));
    len[2] = sealed(d->client, "", out[2], sizeof *out);
    CHECK_EQUAL(0, fssl_conn_want(d->client, &err) & FSSL_WANT_WRITE);
    CHECK_EQUAL(0, sealed(d->client, "", plain, sizeof plain));
    for (int i = 0; i < 3; i++) {
        CHECK_IS(len[i], fssl_conn_bio_write(d->server, out[i], len[i], &err));
        CHECK_IS((int64_t)strlen(texts[i]), fssl_conn_recv(d->server, plain, 64, 0, &err));
        CHECK_BYTES(texts[i], plain, strlen(texts[i]));
    }
    datagrams_close(d);
}

static void seal_too_long(void)
{
    struct datagrams *d = datagrams_established(&(struct pair_plan){0});
    static uint8_t large[TLS_RECORD_MAX + 1];
    int64_t waiting, given;

    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_conn_seal(d->client, large, sizeof large, buf, DATAGRAM, &given, &err));
    CHECK_EQUAL(0, given);
    CHECK_IS(TLS_RECORD_MAX,
             fssl_conn_seal(d->client, large, TLS_RECORD_MAX, NULL, 0, &given, &err));
    CHECK_EQUAL(0, given);
    waiting = fssl_conn_bio_read(d->client, NULL, 0, &err);
    CHECK(waiting > TLS_RECORD_MAX);
    CHECK_FAILS(FSSL_E_ARGUMENT, /* what waited comes out all the same */
                fssl_conn_seal(d->client, large, sizeof large, buf, DATAGRAM, &given, &err));
    CHECK_EQUAL(waiting, given);
    CHECK_IS(given, fssl_conn_bio_write(d->server, buf, given, &err));
    CHECK_IS(TLS_RECORD_MAX, fssl_conn_recv(d->server, buf, sizeof buf, 0, &err));
    CHECK_BYTES(large, buf, TLS_RECORD_MAX);
    datagrams_close(d);
}

/* ---- timers ---- */

static void timers(void)
{
    struct datagrams *d = datagrams_open(&(struct pair_plan){0});
    int64_t left = 7;

    CHECK_OK(fssl_conn_dtls_timeout(d->client, &left, &err));
    CHECK_EQUAL(-1, left);
    CHECK_IS(0, fssl_conn_handle_dtls_timeout(d->client, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_dtls_timeout(d->client, NULL, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
    CHECK(datagrams_next(d->client, buf) > 0 && datagrams_next(d->client, buf) == 0);
    CHECK_OK(fssl_conn_dtls_timeout(d->client, &left, &err));
    CHECK(left > 900 && left <= 1000);
    CHECK_IS(0, fssl_conn_handle_dtls_timeout(d->client, &err));
    CHECK_EQUAL(0, datagrams_next(d->client, buf));
    datagrams_wait(1000);
    CHECK_OK(fssl_conn_dtls_timeout(d->client, &left, &err));
    CHECK_EQUAL(0, left);
    CHECK_IS(1, fssl_conn_handle_dtls_timeout(d->client, &err));
    CHECK(datagrams_next(d->client, buf) > 0);
    datagrams_wait(2000); /* and a handshake that is called sees to it itself */
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
    CHECK(datagrams_next(d->client, buf) > 0);
    CHECK(datagrams_handshake(d));
    CHECK_OK(fssl_conn_dtls_timeout(d->client, &left, &err));
    CHECK_EQUAL(-1, left);
    datagrams_close(d);
}

static void given_up(void)
{
    struct datagrams *d = datagrams_open(&(struct pair_plan){0});
    int64_t left, result = 1;
    int times = 0;

    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(d->client, &err));
    for (; result > 0 && times < 20; times++) {
        CHECK_OK(fssl_conn_dtls_timeout(d->client, &left, &err));
        datagrams_wait(left);
        result = fssl_conn_handle_dtls_timeout(d->client, &err);
    }
    CHECK_EQUAL(13, times);
    CHECK_FAILS(FSSL_E_TLS, result);
    CHECK_CONTAINS("timeout", error_text(result));
    CHECK_FAILS(FSSL_E_TLS, fssl_conn_do_handshake(d->client, &err));
    CHECK_IS(0, fssl_conn_handle_dtls_timeout(d->server, &err));
    datagrams_close(d);
}

/* ---- lengths ---- */

static void mtu(void)
{
    static const int64_t lengths[] = {208, 300, 576, 1200, 1472, 9000, 65507};

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct pair_plan plan = {.server = ID_CHAINED};
        struct datagrams *d = datagrams_contexts(&plan);
        fssl_handle middle = identity_cert_handle(ID_MIDDLE_CA);
        int64_t fits;

        for (int count = 0; count < 20; count++)
            CHECK_OK(fssl_ctx_add_extra_chain_cert(d->server_ctx, middle, &err));
        check_close(middle);
        datagrams_connect(d, &plan);

        CHECK_IS(0, fssl_conn_cleartext_mtu(d->client, &err));
        CHECK_OK(fssl_conn_set_ciphertext_mtu(d->client, lengths[i], &err));
        CHECK_OK(fssl_conn_set_ciphertext_mtu(d->server, lengths[i], &err));
        CHECK(datagrams_handshake(d) && d->late == 0);
        CHECK(d->longest <= lengths[i] &&
              d->longest > (lengths[i] < 4000 ? lengths[i] : 4000) - 100);
        fits = CHECK_GIVES(fssl_conn_cleartext_mtu(d->client, &err));
        CHECK(fits == TLS_RECORD_MAX || fits > lengths[i] - 100);
        CHECK(fits <= TLS_RECORD_MAX && fits < lengths[i]);
        CHECK_IS(fits, fssl_conn_send(d->client, (const uint8_t *)d, fits, &err));
        CHECK(datagrams_next(d->client, buf) <= lengths[i]);
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_ciphertext_mtu(d->client, 207, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_ciphertext_mtu(d->client, 65508, &err));
        CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_ciphertext_mtu(d->client, -1, &err));
        datagrams_close(d);
    }
}

static void mtu_not_asked(void)
{
    struct datagrams *d = datagrams_open(&(struct pair_plan){0});

    CHECK_GIVES(fssl_conn_set_options(d->client, FSSL_OP_NO_QUERY_MTU, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(d->client, &err));
    CHECK_OK(fssl_conn_set_ciphertext_mtu(d->client, 1000, &err));
    CHECK(datagrams_handshake(d));
    datagrams_close(d);
}

/* ---- what does not apply ---- */

static void not_with_datagrams(void)
{
    struct datagrams *d = datagrams_established(&(struct pair_plan){0});

    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_set_read_ahead(d->client_ctx, 100, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_ctx_set_buffer_release(d->client_ctx, 1, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_set_coalescing(d->client, 100, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_renegotiate(d->client, &err));
    CHECK_FAILS(FSSL_E_UNSUPPORTED, fssl_conn_leftover(d->client, buf, 1, &err));
    datagrams_close(d);
}

static void not_with_streams(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});
    struct datagrams *d = datagrams_contexts(&(struct pair_plan){0});
    int64_t left;

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_listen(pair.server, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_dtls_peer(pair.server, BYTES("peer"), &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_dtls_timeout(pair.client, &left, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_handle_dtls_timeout(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_set_ciphertext_mtu(pair.client, 1400, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_cleartext_mtu(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE,
                fssl_ctx_set_dtls_cookie_secret(pair.server_ctx, BYTES("0123456789abcdef"), &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_context(pair.server, d->server_ctx, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_ctx_add_server_name(pair.server_ctx, TEXT("a.test"), d->server_ctx, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT,
                fssl_ctx_set_min_proto_version(pair.server_ctx, FSSL_DTLS1_2_VERSION, &err));
    CHECK(pair_handshake(&pair));
    check_close(d->client_ctx);
    check_close(d->server_ctx);
    free(d);
    pair_close(&pair);
}

static void bad_handles(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_dtls_server(&err));
    int64_t left;

    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_dtls_listen(0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_set_dtls_peer(0, BYTES("peer"), &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_dtls_timeout(0, &left, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_handle_dtls_timeout(ctx, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_set_ciphertext_mtu(ctx, 1400, &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_conn_cleartext_mtu(ctx, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_dtls_cookie_secret(0, BYTES("0123456789abcdef"), &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_cookie_generate_callback(0, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_set_cookie_verify_callback(0, NULL, 0, &err));
    check_close(ctx);
}

static const struct check_case cases[] = {
    {"kept apart", kept_apart},
    {"forged", forged},
    {"bounds", bounds},
    {"pumped", pumped},
    {"seal", seal},
    {"seal too long", seal_too_long},
    {"timers", timers},
    {"given up", given_up},
    {"mtu", mtu},
    {"mtu not asked", mtu_not_asked},
    {"not with datagrams", not_with_datagrams},
    {"not with streams", not_with_streams},
    {"bad handles", bad_handles},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
