/* flatssl from C, with its safe contexts. */
#include <string.h>

#include "engine.h"
#include "flatssl.h"

/* An end is its handle. */

static int64_t ok(int64_t result, const char *what)
{
    char text[4096];
    int64_t len;

    if (result >= 0)
        return result;
    len = fssl_error_text(result, text, sizeof text - 1, NULL);
    text[len > 0 ? len : 0] = 0;
    must(false, len > 0 ? text : what);
    return 0;
}

static fssl_handle handle_of(struct end *end)
{
    return (fssl_handle)(intptr_t)end;
}

static void use(fssl_handle ctx, const char *file)
{
    const char *path = file_path(file);

    ok(fssl_ctx_use_certificate_chain_file(ctx, path, FSSL_NUL_TERMINATED, NULL), file);
    ok(fssl_ctx_use_private_key_file(ctx, path, FSSL_NUL_TERMINATED, FSSL_FILETYPE_PEM, NULL),
       file);
}

static void trust(fssl_handle ctx)
{
    fssl_handle store = ok(fssl_store_new(NULL), "store");

    ok(fssl_ctx_set_cert_store(ctx, store, NULL), "store");
    ok(fssl_ctx_load_verify_locations(ctx, file_path("ca.pem"), FSSL_NUL_TERMINATED, NULL, 0, NULL),
       "ca.pem");
    fssl_handle_close(store, NULL);
}

static fssl_handle context_make(bool server, const struct plan *plan)
{
    int32_t method = FSSL_SAFE | (server ? FSSL_TLS_SERVER_METHOD : FSSL_TLS_CLIENT_METHOD);
    fssl_handle ctx = ok(fssl_ctx_new_apart(method, plan->apart, NULL), "ctx");
    int32_t number = plan->version == 12 ? FSSL_TLS1_2_VERSION : FSSL_TLS1_3_VERSION;

    ok(fssl_ctx_set_min_proto_version(ctx, number, NULL), "version");
    ok(fssl_ctx_set_max_proto_version(ctx, number, NULL), "version");
    ok(fssl_ctx_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256", FSSL_NUL_TERMINATED, NULL),
       "suites");
    ok(fssl_ctx_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256", FSSL_NUL_TERMINATED, NULL),
       "ciphers");
    ok(fssl_ctx_set_groups(ctx, "X25519:P-256", FSSL_NUL_TERMINATED, NULL), "groups");
    if (!server && !plan->resumed) /* where the plan says so, it resumes by itself */
        ok(fssl_ctx_set_resumption(ctx, 0, NULL), "resumption");
    if (plan->read_ahead)
        ok(fssl_ctx_set_read_ahead(ctx, 16384, NULL), "read-ahead");
    if (plan->thrifty)
        ok(fssl_ctx_set_buffer_release(ctx, 1, NULL), "buffers");
    if (server)
        use(ctx, "server.pem");
    else if (plan->mutual)
        use(ctx, "client.pem");
    if (!server || plan->mutual)
        trust(ctx);
    if (server && plan->mutual)
        ok(fssl_ctx_set_verify(ctx, FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL),
           "verify");
    return ctx;
}

/* Makes each context once, before threads need it. */
static fssl_handle context_of(bool server, const struct plan *plan)
{
    static fssl_handle made[2][2][2][2][2][APART_MAX + 1][2];
    fssl_handle *at = &made[plan->version == 13][plan->mutual][plan->read_ahead][plan->thrifty]
                           [plan->resumed][plan->apart][server];

    if (!*at)
        *at = context_make(server, plan);
    return *at;
}

bool engine_can(const struct plan *plan)
{
    (void)plan;
    return true;
}

bool engine_trust(void)
{
    return fssl_handle_close(fssl_ctx_new_client(NULL), NULL) == 0;
}

/* ---- ends ---- */

struct end *end_new(bool server, const struct plan *plan, int fd)
{
    fssl_handle ctx = context_of(server, plan);
    fssl_handle conn = fd < 0 ? fssl_conn_new_memory(ctx, NULL) : fssl_conn_new(ctx, fd, NULL);

    ok(conn, "conn");
    if (!server)
        ok(fssl_conn_set_host(conn, "localhost", 9, NULL), "host");
    if (plan->coalesced)
        ok(fssl_conn_set_coalescing(conn, 16384, NULL), "coalescing");
    return (struct end *)(intptr_t)conn;
}

void end_free(struct end *end)
{
    ok(fssl_handle_close(handle_of(end), NULL), "close");
}

void end_remember(struct end *end)
{
    (void)end; /* its context does */
}

bool end_resumed(struct end *end)
{
    return fssl_conn_session_reused(handle_of(end), NULL) == 1;
}

bool end_as_agreed(struct end *end)
{
    char cipher[64] = "", group[64] = "";
    bool new = fssl_conn_protocol_version(handle_of(end), NULL) == FSSL_TLS1_3_VERSION;

    fssl_conn_cipher_name(handle_of(end), cipher, sizeof cipher, NULL);
    fssl_conn_group_name(handle_of(end), group, sizeof group, NULL);
    return !strcmp(cipher, new ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256") &&
           (end_resumed(end) || !strcmp(group, "x25519"));
}

/* Returns what was done; 0 for a wish to wait. */
static long done(int64_t result)
{
    if (result == -FSSL_E_WANT_READ || result == -FSSL_E_WANT_WRITE)
        return 0;
    return (long)ok(result, "flatssl");
}

bool end_handshake(struct end *end)
{
    int64_t result = fssl_conn_do_handshake(handle_of(end), NULL);

    done(result);
    return result == 0;
}

long end_send(struct end *end, const uint8_t *data, long len)
{
    return done(fssl_conn_send(handle_of(end), data, len, NULL));
}

long end_recv(struct end *end, uint8_t *buf, long cap)
{
    return done(fssl_conn_recv(handle_of(end), buf, cap, 0, NULL));
}

void end_flush(struct end *end)
{
    done(fssl_conn_flush(handle_of(end), NULL));
}

/* ---- memory ---- */

long end_shake(struct end *end, const uint8_t *in, long in_len, uint8_t *out, bool *finished)
{
    int64_t taken, given;
    int64_t result =
        fssl_conn_pump(handle_of(end), in, in_len, &taken, NULL, 0, out, PACKET, &given, NULL);

    done(result);
    *finished = result == 0;
    return (long)given;
}

long end_seal(struct end *end, const uint8_t *data, long len, long *sent, uint8_t *out)
{
    int64_t given;

    *sent = done(fssl_conn_seal(handle_of(end), data, len, out, PACKET, &given, NULL));
    return (long)given;
}

long end_open(struct end *end, const uint8_t *in, long in_len, uint8_t *plain, long cap)
{
    int64_t taken, given;

    return done(
        fssl_conn_pump(handle_of(end), in, in_len, &taken, plain, cap, NULL, 0, &given, NULL));
}
