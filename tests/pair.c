#include "pair.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Steps after which a pair that gets nowhere is given up. */
enum { STEPS = 20000, IDLE_STEPS = 20, PIECE = 4096 };

static bool wants(int64_t result)
{
    return result == -FSSL_E_WANT_READ || result == -FSSL_E_WANT_WRITE;
}

/* ---- contexts ---- */

void pair_use_identity(fssl_handle ctx, enum identity_name name)
{
    fssl_handle cert = identity_cert_handle(name);
    fssl_handle key = identity_key_handle(name);

    CHECK_OK(fssl_ctx_use_certificate(ctx, cert, &err));
    CHECK_OK(fssl_ctx_use_private_key(ctx, key, &err));
    check_close(cert);
    check_close(key);
}

void pair_trust(fssl_handle ctx, enum identity_name name)
{
    struct encoded pem = identity_cert_pem(name);

    CHECK_IS(1, fssl_ctx_load_verify_pem(ctx, pem.data, pem.len, &err));
}

static void hold_to_version(fssl_handle ctx, int32_t version)
{
    if (!version)
        return;
    CHECK_OK(fssl_ctx_set_min_proto_version(ctx, version, &err));
    CHECK_OK(fssl_ctx_set_max_proto_version(ctx, version, &err));
}

fssl_handle pair_client_ctx(const struct pair_plan *plan)
{
    int32_t method = FSSL_SAFE | FSSL_TLS_CLIENT_METHOD;
    fssl_handle ctx =
        CHECK_MADE(plan->client_place ? fssl_ctx_new_apart(method, plan->client_place, &err)
                                      : fssl_ctx_new_client(&err));

    CHECK_OK(
        fssl_ctx_set_resumption(ctx, 0, &err)); /* test_resume.c has it; here, full handshakes */
    hold_to_version(ctx, plan->version);
    pair_trust(ctx, plan->trust ? plan->trust : ID_CA);
    if (plan->client)
        pair_use_identity(ctx, plan->client);
    return ctx;
}

fssl_handle pair_server_ctx(const struct pair_plan *plan)
{
    int32_t method = FSSL_SAFE | FSSL_TLS_SERVER_METHOD;
    fssl_handle ctx =
        CHECK_MADE(plan->server_place ? fssl_ctx_new_apart(method, plan->server_place, &err)
                                      : fssl_ctx_new_server(&err));

    hold_to_version(ctx, plan->version);
    pair_use_identity(ctx, plan->server ? plan->server : ID_EC);
    if (plan->client) {
        pair_trust(ctx, ID_CA);
        CHECK_OK(
            fssl_ctx_set_verify(ctx, FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT, &err));
    }
    return ctx;
}

void pair_contexts(struct pair *pair, const struct pair_plan *plan)
{
    *pair = (struct pair){.client_fd = -1, .server_fd = -1, .piece = PAIR_RING};
    pair->client_ctx = pair_client_ctx(plan);
    pair->server_ctx = pair_server_ctx(plan);
}

/* ---- connections ---- */

static void connect_sockets(struct pair *pair)
{
    int ends[2] = {-1, -1};

    CHECK_EQUAL(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    pair->client_fd = ends[0];
    pair->server_fd = ends[1];
    pair->client = CHECK_MADE(fssl_conn_new(pair->client_ctx, ends[0], &err));
    pair->server = CHECK_MADE(fssl_conn_new(pair->server_ctx, ends[1], &err));
}

void pair_connect(struct pair *pair, const struct pair_plan *plan)
{
    const char *host = plan->host ? plan->host : "localhost";

    if (plan->sockets) {
        connect_sockets(pair);
    } else {
        pair->client = CHECK_MADE(fssl_conn_new_memory(pair->client_ctx, &err));
        pair->server = CHECK_MADE(fssl_conn_new_memory(pair->server_ctx, &err));
    }
    CHECK_OK(fssl_conn_set_host(pair->client, host, FSSL_NUL_TERMINATED, &err));
}

struct pair pair_open(const struct pair_plan *plan)
{
    struct pair pair;

    pair_contexts(&pair, plan);
    pair_connect(&pair, plan);
    return pair;
}

struct pair pair_established(const struct pair_plan *plan)
{
    struct pair pair = pair_open(plan);

    CHECK(pair_handshake(&pair));
    pair_settle(&pair);
    return pair;
}

static void close_one(fssl_handle *h)
{
    if (*h)
        check_close(*h);
    *h = 0;
}

void pair_disconnect(struct pair *pair)
{
    close_one(&pair->client);
    close_one(&pair->server);
    if (pair->client_fd >= 0)
        close(pair->client_fd);
    if (pair->server_fd >= 0)
        close(pair->server_fd);
    pair->client_fd = pair->server_fd = -1;
    pair->to_client.count = pair->to_server.count = 0;
}

void pair_close(struct pair *pair)
{
    pair_disconnect(pair);
    close_one(&pair->client_ctx);
    close_one(&pair->server_ctx);
}

/* ---- carrying ---- */

/* Reads what `from` has for its peer, as far as the ring has room. */
static int64_t fill(struct pair_ring *ring, fssl_handle from, int64_t most)
{
    uint8_t piece[PAIR_RING];
    int64_t room = PAIR_RING - ring->count;
    int64_t got = fssl_conn_bio_read(from, piece, room < most ? room : most, &err);

    if (got <= 0)
        return 0;
    for (int64_t i = 0; i < got; i++)
        ring->data[(ring->start + ring->count + i) % PAIR_RING] = piece[i];
    ring->count += got;
    return got;
}

/* Gives `to` what lies in the ring, as far as it takes it. */
static int64_t drain(struct pair_ring *ring, fssl_handle to, int64_t most)
{
    uint8_t piece[PAIR_RING];
    int64_t len = ring->count < most ? ring->count : most;
    int64_t taken;

    for (int64_t i = 0; i < len; i++)
        piece[i] = ring->data[(ring->start + i) % PAIR_RING];
    taken = len > 0 ? fssl_conn_bio_write(to, piece, len, &err) : 0;
    if (taken <= 0)
        return 0;
    ring->start = (ring->start + taken) % PAIR_RING;
    ring->count -= taken;
    return taken;
}

int64_t pair_carry(struct pair *pair)
{
    int64_t moved = 0;

    if (pair->client_fd >= 0)
        return 0;
    moved += fill(&pair->to_server, pair->client, pair->piece);
    moved += drain(&pair->to_server, pair->server, pair->piece);
    moved += fill(&pair->to_client, pair->server, pair->piece);
    moved += drain(&pair->to_client, pair->client, pair->piece);
    pair->carried += moved;
    return moved;
}

void pair_settle(struct pair *pair)
{
    while (pair_carry(pair) > 0)
        ;
}

/* ---- handshake ---- */

struct pair_result pair_handshake_results(struct pair *pair)
{
    struct pair_result results = {-FSSL_E_WANT_READ, -FSSL_E_WANT_READ};
    int idle = 0;

    for (int i = 0; i < STEPS && idle < IDLE_STEPS; i++) {
        if (wants(results.client))
            results.client = fssl_conn_do_handshake(pair->client, &err);
        if (wants(results.server))
            results.server = fssl_conn_do_handshake(pair->server, &err);
        idle = pair_carry(pair) > 0 ? 0 : idle + 1;
        if (!wants(results.client) && !wants(results.server))
            break;
    }
    return results;
}

bool pair_handshake(struct pair *pair)
{
    struct pair_result results = pair_handshake_results(pair);

    return CHECK_EQUAL(0, results.client) && CHECK_EQUAL(0, results.server);
}

/* ---- data ---- */

int64_t pair_send(struct pair *pair, fssl_handle from, const void *data, int64_t len)
{
    int64_t sent = fssl_conn_send(from, data, len, &err);

    pair_carry(pair);
    return sent;
}

int64_t pair_recv(struct pair *pair, fssl_handle to, void *buf, int64_t cap)
{
    int64_t got = fssl_conn_recv(to, buf, cap, 0, &err);

    while (got == -FSSL_E_WANT_READ && pair_carry(pair) > 0)
        got = fssl_conn_recv(to, buf, cap, 0, &err);
    return got;
}

static bool arrived(const uint8_t *data, int64_t received, const uint8_t *piece, int64_t got)
{
    return got > 0 && memcmp(data + received, piece, (size_t)got) == 0;
}

bool pair_transfer(struct pair *pair, fssl_handle from, const uint8_t *data, int64_t len)
{
    fssl_handle to = from == pair->client ? pair->server : pair->client;
    int64_t sent = 0, received = 0, result = 0;
    uint8_t piece[PIECE];
    int idle = 0;

    while (received < len && idle < IDLE_STEPS) {
        if (sent < len)
            result = pair_send(pair, from, data + sent, len - sent);
        if (sent < len && result > 0)
            sent += result;
        else if (sent == len && pair->client_fd >= 0)
            fssl_conn_flush(from, &err);
        result = pair_recv(pair, to, piece, sizeof piece);
        if (result > 0 &&
            !CHECK(received + result <= sent && arrived(data, received, piece, result)))
            return false;
        received += result > 0 ? result : 0;
        idle = result > 0 ? 0 : idle + 1;
    }
    if (received < len)
        CHECK_TEXT("all bytes arrived", error_text(result));
    return received == len;
}

/* ---- ending ---- */

static bool shut_down(struct pair *pair, fssl_handle conn)
{
    int64_t result = fssl_conn_shutdown(conn, &err);

    pair_carry(pair);
    return result == 1;
}

void pair_shutdown(struct pair *pair)
{
    bool client = false, server = false;

    for (int i = 0; i < STEPS && !(client && server); i++) {
        client = client || shut_down(pair, pair->client);
        server = server || shut_down(pair, pair->server);
    }
    CHECK(client && server);
}

void pair_block(struct pair *pair)
{
    CHECK_OK(fssl_conn_setblocking(pair->client, 1, &err));
    CHECK_OK(fssl_conn_setblocking(pair->server, 1, &err));
}
