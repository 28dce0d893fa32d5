/* How connections end: in order, by truncation, by a reset, by an error. */
#include "pair.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};
static const uint8_t text[] = "last words";
static uint8_t got[64];

static int64_t recv_now(struct pair *pair, fssl_handle conn)
{
    return pair_recv(pair, conn, got, sizeof got);
}

/* ---- in order ---- */

static void one_after_the_other(void)
{
    for (int i = 0; i < 4; i++) {
        struct pair pair = pair_established(&(struct pair_plan){.version = versions[i % 2]});
        fssl_handle first = i < 2 ? pair.client : pair.server;
        fssl_handle second = i < 2 ? pair.server : pair.client;

        CHECK_IS(0, fssl_conn_shutdown_state(first, &err));
        CHECK_IS(0, fssl_conn_shutdown(first, &err));
        CHECK_IS(FSSL_SENT_SHUTDOWN, fssl_conn_shutdown_state(first, &err));
        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_shutdown(first, &err));
        pair_settle(&pair);
        CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, second));
        CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, second));
        CHECK_IS(FSSL_RECEIVED_SHUTDOWN, fssl_conn_shutdown_state(second, &err));
        CHECK_IS(1, fssl_conn_shutdown(second, &err));
        pair_settle(&pair);
        CHECK_IS(1, fssl_conn_shutdown(first, &err));
        CHECK_IS(1, fssl_conn_shutdown(first, &err));
        CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, first));
        CHECK_FAILS(FSSL_E_STATE, fssl_conn_send(first, text, 1, &err));
        pair_close(&pair);
    }
}

static void both_at_once(void)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct pair pair = pair_established(&(struct pair_plan){.version = versions[i]});

        CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
        CHECK_IS(0, fssl_conn_shutdown(pair.server, &err));
        pair_settle(&pair);
        CHECK_IS(1, fssl_conn_shutdown(pair.client, &err));
        CHECK_IS(1, fssl_conn_shutdown(pair.server, &err));
        pair_close(&pair);
    }
}

/* One direction may go on when the other has ended. */
static void half_closed(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.version = FSSL_TLS1_3_VERSION});

    CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
    pair_settle(&pair);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, pair.server));
    CHECK_IS(sizeof text, fssl_conn_send(pair.server, text, sizeof text, &err));
    CHECK_IS(1, fssl_conn_shutdown(pair.server, &err));
    pair_settle(&pair);
    CHECK_IS(sizeof text, recv_now(&pair, pair.client));
    CHECK_BYTES(text, got, sizeof text);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, pair.client));
    pair_close(&pair);
}

static void data_on_the_way_is_no_shutdown(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});

    CHECK_IS(sizeof text, fssl_conn_send(pair.server, text, sizeof text, &err));
    CHECK_IS(0, fssl_conn_shutdown(pair.client, &err));
    pair_settle(&pair);
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_shutdown(pair.client, &err));
    CHECK_IS(sizeof text, recv_now(&pair, pair.client)); /* nothing was lost */
    CHECK_BYTES(text, got, sizeof text);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, pair.server));
    CHECK_IS(1, fssl_conn_shutdown(pair.server, &err));
    pair_settle(&pair);
    CHECK_IS(1, fssl_conn_shutdown(pair.client, &err));
    pair_close(&pair);
}

static void too_early(void)
{
    struct pair pair = pair_open(&(struct pair_plan){0});

    CHECK_FAILS(FSSL_E_STATE, fssl_conn_shutdown(pair.client, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair.client, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_shutdown(pair.client, &err));
    CHECK(pair_handshake(&pair)); /* nothing was lost */
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_shutdown(pair.client, &err));
}

static void state_set_by_hand(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});

    CHECK_OK(fssl_conn_set_shutdown_state(pair.client, FSSL_RECEIVED_SHUTDOWN, &err));
    CHECK_IS(FSSL_RECEIVED_SHUTDOWN, fssl_conn_shutdown_state(pair.client, &err));
    CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, pair.client));
    CHECK_OK(fssl_conn_set_shutdown_state(pair.client, FSSL_SENT_SHUTDOWN, &err));
    CHECK_FAILS(FSSL_E_STATE, fssl_conn_send(pair.client, text, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_shutdown_state(pair.client, 4, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_conn_set_shutdown_state(pair.client, -1, &err));
    CHECK_IS(FSSL_SENT_SHUTDOWN, fssl_conn_shutdown_state(pair.client, &err));
    pair_close(&pair);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_shutdown_state(pair.client, &err));
}

/* ---- by truncation ---- */

static void cut(struct pair *pair)
{
    if (pair->server_fd < 0) {
        CHECK_OK(fssl_conn_bio_shutdown(pair->client, &err));
        return;
    }
    close(pair->server_fd);
    pair->server_fd = -1;
}

static void truncated(void)
{
    for (int i = 0; i < 4; i++) {
        struct pair pair =
            pair_established(&(struct pair_plan){.version = versions[i % 2], .sockets = i >= 2});
        int64_t first;

        CHECK_IS(sizeof text, fssl_conn_send(pair.server, text, sizeof text, &err));
        pair_settle(&pair);
        cut(&pair);
        CHECK_IS(sizeof text, recv_now(&pair, pair.client));
        first = CHECK_FAILS(FSSL_E_EOF, recv_now(&pair, pair.client));
        CHECK_EQUAL(first, recv_now(&pair, pair.client));
        CHECK_IS(0, fssl_conn_shutdown_state(pair.client, &err) & FSSL_RECEIVED_SHUTDOWN);
        pair_close(&pair);
    }
}

static void truncated_in_the_handshake(void)
{
    for (int i = 0; i < 4; i++) {
        struct pair pair =
            pair_open(&(struct pair_plan){.version = versions[i % 2], .sockets = i >= 2});

        CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_do_handshake(pair.client, &err));
        cut(&pair);
        if (i < 2) /* a socket closed with bytes unread may also be reset */
            CHECK_FAILS(FSSL_E_EOF, fssl_conn_do_handshake(pair.client, &err));
        else
            CHECK(fssl_conn_do_handshake(pair.client, &err) <= -65536);
        CHECK(fssl_conn_recv(pair.client, got, sizeof got, 0, NULL) <= -65536);
        pair_close(&pair);
    }
}

static void truncated_within_a_record(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});
    uint8_t record[200];
    int64_t len;

    CHECK_IS(sizeof text, fssl_conn_send(pair.server, text, sizeof text, &err));
    len = CHECK_GIVES(fssl_conn_bio_read(pair.server, record, sizeof record, &err));
    CHECK_IS(len - 1, fssl_conn_bio_write(pair.client, record, len - 1, &err));
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    cut(&pair);
    CHECK_FAILS(FSSL_E_EOF, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    pair_close(&pair);
}

static void truncation_that_is_to_be_ignored(void)
{
    struct pair pair;

    pair_contexts(&pair, &(struct pair_plan){0});
    CHECK_GIVES(fssl_ctx_set_options(pair.client_ctx, FSSL_OP_IGNORE_UNEXPECTED_EOF, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    pair_settle(&pair);
    cut(&pair);
    CHECK_FAILS(FSSL_E_ZERO_RETURN, recv_now(&pair, pair.client));
    pair_close(&pair);
}

/* Closing a handle writes nothing: the peer sees the stream end without close_notify. */
static void closing_writes_nothing(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.sockets = true});

    CHECK_FAILS(FSSL_E_WANT_READ, recv_now(&pair, pair.client)); /* the tickets */
    check_close(pair.client);
    pair.client = 0;
    CHECK_FAILS(FSSL_E_WANT_READ, recv_now(&pair, pair.server));
    CHECK_EQUAL(-1, recv(pair.server_fd, got, 1, MSG_PEEK | MSG_DONTWAIT));
    CHECK_EQUAL(EAGAIN, errno);
    close(pair.client_fd); /* it was borrowed, and is still open */
    pair.client_fd = -1;
    CHECK_FAILS(FSSL_E_EOF, recv_now(&pair, pair.server));
    pair_close(&pair);
}

/* ---- by a reset ---- */

static void reset(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.sockets = true});
    int64_t result;

    CHECK_FAILS(FSSL_E_WANT_READ, recv_now(&pair, pair.client));
    CHECK_IS(sizeof text, fssl_conn_send(pair.client, text, sizeof text, &err));
    cut(&pair); /* with bytes unread */
    result = CHECK_FAILS(FSSL_E_SYSCALL, recv_now(&pair, pair.client));
    CHECK_EQUAL(ECONNRESET, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_EQUAL(result, recv_now(&pair, pair.client));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_send(pair.client, text, 1, &err));
    pair_close(&pair);
}

/* What the peer sent before it closed can be read after a send has failed. */
static void a_failed_send_loses_no_input(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.sockets = true});
    int64_t result;

    CHECK_IS(sizeof text, fssl_conn_send(pair.server, text, sizeof text, &err));
    cut(&pair);
    result = CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_send(pair.client, text, 1, &err));
    CHECK_EQUAL(EPIPE, error_int(result, FSSL_ERROR_ERRNO));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_send(pair.client, text, 1, &err));
    CHECK_IS(sizeof text, recv_now(&pair, pair.client));
    CHECK_BYTES(text, got, sizeof text);
    CHECK_FAILS(FSSL_E_EOF, recv_now(&pair, pair.client));
    pair_close(&pair);
}

static void write_to_closed_peer(void *argument)
{
    struct pair *pair = argument;

    signal(SIGPIPE, SIG_DFL);
    CHECK_OK(fssl_conn_adopt(pair->client, &err));
    for (int i = 0; i < 3; i++)
        CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_send(pair->client, text, sizeof text, &err));
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_conn_flush(pair->client, &err));
}

static void no_sigpipe(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.sockets = true});

    cut(&pair);
    check_child(write_to_closed_peer, &pair);
    write_to_closed_peer(&pair);
    pair_close(&pair);
}

/* ---- by an error ---- */

static void a_bad_record_is_fatal(void)
{
    struct pair pair = pair_established(&(struct pair_plan){0});
    uint8_t record[200];
    int64_t len, first;

    CHECK_IS(sizeof text, fssl_conn_send(pair.server, text, sizeof text, &err));
    len = CHECK_GIVES(fssl_conn_bio_read(pair.server, record, sizeof record, &err));
    record[len - 1] ^= 1;
    CHECK_IS(len, fssl_conn_bio_write(pair.client, record, len, &err));
    first = CHECK_FAILS(FSSL_E_TLS, fssl_conn_recv(pair.client, got, sizeof got, 0, &err));
    CHECK_EQUAL(first, fssl_conn_recv(pair.client, got, sizeof got, 0, NULL));
    CHECK_EQUAL(first, fssl_conn_send(pair.client, text, 1, NULL));
    CHECK_EQUAL(first, fssl_conn_shutdown(pair.client, NULL));
    CHECK_EQUAL(first, fssl_conn_do_handshake(pair.client, NULL));
    pair_settle(&pair); /* the alert goes out all the same */
    CHECK_FAILS(FSSL_E_ALERT, recv_now(&pair, pair.server));
    CHECK_EQUAL(20, error_int(recv_now(&pair, pair.server), FSSL_ERROR_ALERT));
    pair_close(&pair);
}

static const struct check_case cases[] = {
    {"one after the other", one_after_the_other},
    {"both at once", both_at_once},
    {"half closed", half_closed},
    {"data on the way is no shutdown", data_on_the_way_is_no_shutdown},
    {"too early", too_early},
    {"state set by hand", state_set_by_hand},
    {"truncated", truncated},
    {"truncated in the handshake", truncated_in_the_handshake},
    {"truncated within a record", truncated_within_a_record},
    {"truncation that is to be ignored", truncation_that_is_to_be_ignored},
    {"closing writes nothing", closing_writes_nothing},
    {"reset", reset},
    {"trap-carrier a failed send loses no input", a_failed_send_loses_no_input},
    {"trap-carrier no SIGPIPE", no_sigpipe},
    {"trap-fatal a bad record is fatal", a_bad_record_is_fatal},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
