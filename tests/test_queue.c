/* The queues of a context: filled, bounded, counted, read. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

static struct pair contexts(int32_t version)
{
    struct pair pair;

    memset(&pair, 0, sizeof pair);
    pair_contexts(&pair, &(struct pair_plan){.version = version});
    return pair;
}

static void connect_once(struct pair *pair)
{
    pair_connect(pair, &(struct pair_plan){0});
    CHECK(pair_handshake(pair));
    pair_settle(pair);
    fssl_conn_recv(pair->client, (uint8_t[1]){0}, 1, 0, NULL);
    pair_disconnect(pair);
}

static void keylog(void)
{
    struct pair pair = contexts(FSSL_TLS1_2_VERSION);
    char line[256];
    int64_t len;

    connect_once(&pair);
    CHECK_IS(0, fssl_ctx_next_keylog(pair.client_ctx, line, sizeof line, &err)); /* off at first */
    CHECK_OK(fssl_ctx_set_queue(pair.client_ctx, FSSL_QUEUE_KEYLOG, 2, &err));
    for (int i = 0; i < 3; i++)
        connect_once(&pair);
    CHECK_IS(2, fssl_ctx_queue_count(pair.client_ctx, FSSL_QUEUE_KEYLOG, &err));
    CHECK_IS(1, fssl_ctx_queue_dropped(pair.client_ctx, FSSL_QUEUE_KEYLOG, &err));
    len = CHECK_GIVES(fssl_ctx_next_keylog(pair.client_ctx, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_BUFFER, fssl_ctx_next_keylog(pair.client_ctx, line, len - 1, &err));
    CHECK_IS(len, fssl_ctx_next_keylog(pair.client_ctx, line, sizeof line, &err));
    CHECK_BYTES("CLIENT_RANDOM ", line, 14);
    CHECK_IS(1, fssl_ctx_queue_count(pair.client_ctx, FSSL_QUEUE_KEYLOG, &err));
    CHECK_OK(fssl_ctx_set_queue(pair.client_ctx, FSSL_QUEUE_KEYLOG, 0, &err));
    CHECK_IS(0, fssl_ctx_next_keylog(pair.client_ctx, line, sizeof line, &err));
    pair_close(&pair);
}

static void keylog_to_an_fd(void)
{
    struct pair pair = contexts(FSSL_TLS1_3_VERSION);
    int ends[2];
    char text[4096];
    ssize_t len;

    CHECK(pipe(ends) == 0);
    CHECK_OK(fssl_ctx_set_keylog_fd(pair.server_ctx, ends[1], &err));
    close(ends[1]); /* the context has its own copy */
    connect_once(&pair);
    CHECK_OK(fssl_ctx_set_keylog_fd(pair.server_ctx, FSSL_NO_FD, &err));
    len = read(ends[0], text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    CHECK_CONTAINS("SERVER_TRAFFIC_SECRET_0 ", text);
    CHECK(len > 0 && text[len - 1] == '\n');
    CHECK_EQUAL(0, read(ends[0], text, sizeof text)); /* and has closed it */
    close(ends[0]);
    CHECK_FAILS(FSSL_E_SYSCALL, fssl_ctx_set_keylog_fd(pair.server_ctx, 9999, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_keylog_fd(pair.server_ctx, -2, &err));
    pair_close(&pair);
}

/* Raises no SIGPIPE, whose default would end this program, and delays no handshake. */
static void keylog_to_a_pipe_that_takes_nothing(void)
{
    struct pair pair = contexts(FSSL_TLS1_3_VERSION);
    static const char filling[4096];
    int64_t lost;
    int ends[2];

    CHECK(pipe(ends) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(ends[1], filling, sizeof filling) > 0)
        ;
    CHECK(fcntl(ends[1], F_SETFL, 0) == 0); /* a write would wait */
    CHECK_OK(fssl_ctx_set_keylog_fd(pair.server_ctx, ends[1], &err));
    connect_once(&pair);
    lost = CHECK_GIVES(fssl_ctx_queue_dropped(pair.server_ctx, FSSL_QUEUE_KEYLOG, &err));
    CHECK(lost > 0);
    close(ends[0]);
    connect_once(&pair);
    CHECK_IS(2 * lost, fssl_ctx_queue_dropped(pair.server_ctx, FSSL_QUEUE_KEYLOG, &err));
    close(ends[1]);
    pair_close(&pair);
}

static void sessions(void)
{
    struct pair pair = contexts(FSSL_TLS1_3_VERSION);
    fssl_handle session;

    CHECK_OK(fssl_ctx_set_queue(pair.client_ctx, FSSL_QUEUE_SESSION, 1, &err));
    CHECK_IS(0, fssl_ctx_next_session(pair.client_ctx, &err));
    connect_once(&pair); /* which brings two tickets */
    CHECK_IS(1, fssl_ctx_queue_dropped(pair.client_ctx, FSSL_QUEUE_SESSION, &err));
    session = CHECK_MADE(fssl_ctx_next_session(pair.client_ctx, &err));
    CHECK_IS(1, fssl_session_resumable(session, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK_OK(fssl_conn_set_session(pair.client, session, &err));
    CHECK(pair_handshake(&pair));
    CHECK_IS(1, fssl_conn_session_reused(pair.client, &err));
    check_close(session);
    pair_close(&pair); /* with a session left in the queue */
}

static void events(void)
{
    struct pair pair = contexts(0);
    int64_t conn = 0;
    int32_t where = 0, result = 0;

    CHECK_OK(fssl_ctx_set_queue(pair.server_ctx, FSSL_QUEUE_INFO, 100, &err));
    CHECK_IS(0, fssl_ctx_next_info(pair.server_ctx, &conn, &where, &result, &err));
    pair_connect(&pair, &(struct pair_plan){0});
    CHECK(pair_handshake(&pair));
    CHECK_IS(1, fssl_ctx_next_info(pair.server_ctx, &conn, &where, &result, &err));
    CHECK_EQUAL(pair.server, conn);
    CHECK(where > 0);
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_next_info(pair.server_ctx, NULL, NULL, NULL, &err));
    pair_close(&pair);
}

static void resize(void *argument)
{
    fssl_handle ctx = *(fssl_handle *)argument;

    for (int64_t i = check_rounds(2000); i > 0; i--) {
        CHECK_OK(fssl_ctx_set_queue(ctx, FSSL_QUEUE_KEYLOG, 1 + i % 9, &err));
        CHECK_GIVES(fssl_ctx_queue_count(ctx, FSSL_QUEUE_KEYLOG, &err));
    }
}

static void shake_hands(void *argument)
{
    for (int64_t i = check_rounds(50); i > 0; i--)
        connect_once(argument);
}

/* One thread changes the size of a queue that the handshakes of another fill. */
static void resized_in_use(void)
{
    struct pair pair = contexts(FSSL_TLS1_3_VERSION);
    struct check_thread threads[] = {{resize, &pair.client_ctx}, {shake_hands, &pair}};

    CHECK_OK(fssl_ctx_set_queue(pair.client_ctx, FSSL_QUEUE_KEYLOG, 9, &err));
    check_threads(threads, COUNT_OF(threads));
    CHECK(CHECK_GIVES(fssl_ctx_queue_count(pair.client_ctx, FSSL_QUEUE_KEYLOG, &err)) > 0);
    pair_close(&pair);
}

static void bad_arguments(void)
{
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_server(&err));

    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_queue(ctx, 3, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_queue(ctx, -1, 1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_queue(ctx, FSSL_QUEUE_INFO, -1, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_queue(ctx, FSSL_QUEUE_INFO, 1 << 21, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_queue_count(ctx, 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_queue_dropped(ctx, -1, &err));
    check_close(ctx);
    CHECK_FAILS(FSSL_E_HANDLE, fssl_ctx_next_session(ctx, &err));
}

static const struct check_case cases[] = {
    {"key log", keylog},
    {"key log to an fd", keylog_to_an_fd},
    {"key log to a pipe that takes nothing", keylog_to_a_pipe_that_takes_nothing},
    {"sessions", sessions},
    {"events", events},
    {"resized in use", resized_in_use},
    {"bad arguments", bad_arguments},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
