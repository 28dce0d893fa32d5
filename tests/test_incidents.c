/* What went wrong in other bindings with callbacks, buffers, lifetimes and leaks: each incident as
   a case that names it. docs/security.md lists them all, and where the others are. */
#include "builder.h"
#include "pair.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKEN = -1, YES = 1, KINDS = 7 };

/* ---- callbacks that fail ---- */

static int32_t fail_verify(int64_t token, fssl_handle conn, int32_t error, int32_t depth,
                           int32_t ok)
{
    (void)token, (void)conn, (void)error, (void)depth, (void)ok;
    return BROKEN;
}

static int32_t fail_name(int64_t token, fssl_handle conn)
{
    (void)token, (void)conn;
    return BROKEN;
}

static int32_t fail_protos(int64_t token, fssl_handle conn, const uint8_t *protos, int64_t len)
{
    (void)token, (void)conn, (void)protos, (void)len;
    return BROKEN;
}

static void install(const struct pair *pair, int kind)
{
    static const uint8_t protos[] = "\2h2";

    CHECK_OK(fssl_ctx_set_alpn_protos(pair->client_ctx, protos, 3, &err));
    switch (kind) {
    case 0:
        CHECK_OK(fssl_ctx_set_verify_callback(pair->client_ctx, fail_verify, 0, &err));
        break;
    case 1:
        CHECK_OK(fssl_ctx_set_server_name_callback(pair->server_ctx, fail_name, 0, &err));
        break;
    case 2:
        CHECK_OK(fssl_ctx_set_alpn_select_callback(pair->server_ctx, fail_protos, 0, &err));
        break;
    case 3:
        CHECK_OK(fssl_ctx_set_ocsp_server_callback(pair->server_ctx, fail_protos, 0, &err));
        break;
    case 4:
        CHECK_OK(fssl_ctx_set_ocsp_client_callback(pair->client_ctx, fail_protos, 0, &err));
        break;
    case 5:
        CHECK_OK(fssl_ctx_set_npn_advertise_callback(pair->server_ctx, fail_protos, 0, &err));
        CHECK_OK(fssl_ctx_set_npn_preference(pair->client_ctx, protos, 3, &err));
        break;
    default:
        CHECK_OK(fssl_ctx_set_npn_advertised(pair->server_ctx, protos, 3, &err));
        CHECK_OK(fssl_ctx_set_npn_select_callback(pair->client_ctx, fail_protos, 0, &err));
    }
}

static const struct {
    const char *name;
    bool client;
    int32_t version;
} kinds[KINDS] = {
    {"verify", true, 0},
    {"server name", false, 0},
    {"ALPN", false, 0},
    {"OCSP, server", false, 0},
    {"OCSP, client", true, 0},
    {"NPN, server", false, FSSL_TLS1_2_VERSION},
    {"NPN, client", true, FSSL_TLS1_2_VERSION},
};

/* One handshake that the callback ends, and what its peer is told. */
static void fails_once(struct pair *pair, int kind, const struct pair_plan *plan)
{
    struct pair_result results;
    uint8_t byte;

    pair_connect(pair, plan);
    CHECK_OK(fssl_conn_request_ocsp(pair->client, &err));
    results = pair_handshake_results(pair);
    CHECK_EQUAL(FSSL_E_CALLBACK,
                fssl_error_code(kinds[kind].client ? results.client : results.server, NULL));
    CHECK_FAILS(FSSL_E_ALERT, fssl_conn_recv(kinds[kind].client ? pair->server : pair->client,
                                             &byte, 1, 0, &err));
    pair_disconnect(pair);
}

static int open_fds(void)
{
    DIR *dir = opendir("/dev/fd");
    int count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

static void fails_often(int kind, int32_t version, int64_t rounds)
{
    struct pair_plan plan = {.version = version, .sockets = true};
    int64_t handles;
    struct pair pair;
    int fds;

    pair_contexts(&pair, &plan);
    install(&pair, kind);
    handles = fssl_handle_count(FSSL_TYPE_ANY, NULL);
    fds = open_fds();
    for (int64_t i = 0; i < rounds; i++)
        fails_once(&pair, kind, &plan);
    CHECK_IS(handles, fssl_handle_count(FSSL_TYPE_ANY, &err));
    CHECK_EQUAL(fds, open_fds());
    pair_close(&pair);
}

/* A fatal alert to the peer, a code to the caller, and 10,000 failures leave nothing behind. */
static void a_failing_callback_is_fatal(void)
{
    int64_t rounds = check_rounds(10000 / (2 * KINDS - 2) + 1);

    for (int kind = 0; kind < KINDS; kind++) {
        check_row(kinds[kind].name);
        fails_often(kind, FSSL_TLS1_2_VERSION, rounds);
        if (!kinds[kind].version)
            fails_often(kind, FSSL_TLS1_3_VERSION, rounds);
    }
    check_row(NULL);
}

/* ---- buffers that a caller fills ---- */

static const uint8_t *answered;
static int64_t answered_len;
static int64_t answer_result;

static int32_t answer_protos(int64_t token, fssl_handle conn, const uint8_t *protos, int64_t len)
{
    (void)token, (void)protos, (void)len;
    answer_result = fssl_conn_answer(conn, answered, answered_len, NULL);
    return answer_result < 0 ? BROKEN : YES;
}

/* What is selected by ALPN has 1 to 255 bytes; any other length is the callback's failure. */
static void protocols_answered(uint8_t *data)
{
    static const int64_t lengths[] = {0, 1, 255, 256, 65535, 65536, 1 << 20};
    uint8_t offer[258] = {1, 'a', 255};

    memset(offer + 3, 'a', 255);
    memset(data, 'a', 1 << 20);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        bool fits = lengths[i] == 1 || lengths[i] == 255;
        struct pair pair;

        pair_contexts(&pair, &(struct pair_plan){0});
        answered = data;
        answered_len = lengths[i];
        CHECK_OK(fssl_ctx_set_alpn_protos(pair.client_ctx, offer, sizeof offer, &err));
        CHECK_OK(fssl_ctx_set_alpn_select_callback(pair.server_ctx, answer_protos, 0, &err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_EQUAL(fits ? FSSL_OK : FSSL_E_CALLBACK,
                    fssl_error_code(pair_handshake_results(&pair).server, NULL));
        pair_close(&pair);
    }
}

static int32_t answer_passphrase(int64_t token, fssl_handle ctx, int32_t max, int32_t twice)
{
    (void)token, (void)max, (void)twice;
    answer_result = fssl_ctx_answer_passphrase(ctx, answered, answered_len, NULL);
    return answer_result < 0 ? BROKEN : YES;
}

/* OpenSSL's buffer for a passphrase has 1,024 bytes. */
static void passphrases_answered(const uint8_t *data)
{
    static const struct {
        int64_t len;
        int32_t code;
    } rows[] = {{0, FSSL_E_PASSPHRASE_WRONG},
                {1, FSSL_E_PASSPHRASE_WRONG},
                {1024, FSSL_E_PASSPHRASE_WRONG},
                {1025, FSSL_E_CALLBACK},
                {1 << 20, FSSL_E_CALLBACK}};
    struct encoded key = identity_key_pem(ID_EC, "secret");
    const char *path = scratch_file(key.data, (size_t)key.len);
    fssl_handle ctx = CHECK_MADE(fssl_ctx_new_server(&err));

    CHECK_OK(fssl_ctx_set_passphrase_callback(ctx, answer_passphrase, 0, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        answered = data;
        answered_len = rows[i].len;
        CHECK_FAILS(rows[i].code,
                    fssl_ctx_use_private_key_file(ctx, TEXT(path), FSSL_FILETYPE_PEM, &err));
    }
    CHECK_OK(fssl_ctx_set_passphrase(ctx, data, 1024, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_ctx_set_passphrase(ctx, data, 1025, &err));
    check_close(ctx);
}

static void buffers_at_their_limits(void)
{
    uint8_t *data = malloc(1 << 20);

    protocols_answered(data);
    passphrases_answered(data);
    free(data);
}

/* ---- lifetimes ---- */

static void close_part(struct pair *pair, int part)
{
    fssl_handle *parts[] = {&pair->client, &pair->server, &pair->client_ctx, &pair->server_ctx};

    check_close(*parts[part]);
    *parts[part] = 0;
}

/* Whatever is closed in the midst of a handshake, the rest goes on or says that it cannot. */
static void closed_at_every_step(void)
{
    static const int32_t versions[] = {FSSL_TLS1_2_VERSION, FSSL_TLS1_3_VERSION};

    for (int i = 0; i < 2 * 4 * 8; i++) {
        struct pair pair = pair_open(&(struct pair_plan){.version = versions[i % 2]});
        int part = i / 2 % 4;

        for (int step = 0; step < i / 8; step++) {
            fssl_conn_do_handshake(pair.client, NULL);
            fssl_conn_do_handshake(pair.server, NULL);
            pair_carry(&pair);
        }
        close_part(&pair, part);
        if (part >= 2) {
            CHECK(pair_handshake(&pair));
            CHECK(pair_transfer(&pair, pair.server, BYTES("still here")));
        } else {
            CHECK_FAILS(FSSL_E_HANDLE, fssl_conn_do_handshake(0, &err));
            fssl_conn_do_handshake(part ? pair.client : pair.server, NULL);
        }
        pair_close(&pair);
    }
}

/* The context that a server name led to, and the one that it led from, may both be gone. What was
   given in the caller's memory was copied. */
static void closed_after_a_switch(void)
{
    fssl_handle other = pair_server_ctx(&(struct pair_plan){.server = ID_RSA});
    uint8_t *protos = malloc(3);
    struct pair pair;

    memcpy(protos, "\2h2", 3);
    pair_contexts(&pair, &(struct pair_plan){0});
    CHECK_OK(fssl_ctx_set_alpn_preference(other, protos, 3, &err));
    CHECK_OK(fssl_ctx_set_alpn_protos(pair.client_ctx, protos, 3, &err));
    CHECK_OK(fssl_ctx_add_server_name(pair.server_ctx, TEXT("localhost"), other, &err));
    memset(protos, 0xff, 3);
    free(protos);
    pair_connect(&pair, &(struct pair_plan){0});
    check_close(other);
    close_part(&pair, 2);
    close_part(&pair, 3);
    CHECK(pair_handshake(&pair));
    CHECK_BYTES("h2", bytes_of(fssl_conn_alpn_proto, pair.client)->data, 2);
    CHECK(pair_transfer(&pair, pair.server, BYTES("still here")));
    pair_close(&pair);
}

/* ---- owners that are gone ---- */

static int notified;

static int32_t on_info(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    (void)where, (void)result;
    notified += token == 5 && fssl_conn_protocol_version(conn, NULL) > 0;
    return YES;
}

static int32_t on_line(int64_t token, fssl_handle conn, const char *line, int64_t len)
{
    notified += token == 5 && conn > 0 && line[0] && len > 0;
    return YES;
}

/* The context is closed before its connection receives the tickets that its queue and callbacks
   are told of. */
static void tickets_after_their_owner(void)
{
    struct pair_plan plan = {.version = FSSL_TLS1_3_VERSION};
    fssl_handle session;
    struct pair pair;
    uint8_t byte;

    pair_contexts(&pair, &plan);
    CHECK_OK(fssl_ctx_set_queue(pair.client_ctx, FSSL_QUEUE_SESSION, 8, &err));
    CHECK_OK(fssl_ctx_set_info_callback(pair.client_ctx, on_info, 5, &err));
    CHECK_OK(fssl_ctx_set_keylog_callback(pair.client_ctx, on_line, 5, &err));
    pair_connect(&pair, &plan);
    CHECK(pair_handshake(&pair));
    close_part(&pair, 2);
    notified = 0;
    pair_settle(&pair);
    CHECK_FAILS(FSSL_E_WANT_READ, fssl_conn_recv(pair.client, &byte, 1, 0, &err));
    CHECK(notified > 0);
    session = CHECK_MADE(fssl_conn_session(pair.client, &err));
    CHECK_IS(1, fssl_session_resumable(session, &err));
    close_part(&pair, 0);
    CHECK_IS(1, fssl_session_resumable(session, &err));
    check_close(session);
    pair_close(&pair);
}

/* ---- leaks ---- */

static long resident_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;

    if (file && fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident;
}

static void ask_everything(const struct pair *pair, const struct encoded *der)
{
    fssl_handle cert = fssl_conn_peer_certificate(pair->client, NULL), name, copy;
    fssl_handle item = fssl_conn_peer_chain_item(pair->client, 0, NULL);
    uint8_t buf[256];

    fssl_cert_alt_name_item(cert, 0, NULL, buf, sizeof buf, NULL);
    fssl_cert_matches_host(cert, TEXT("localhost"), NULL);
    name = fssl_cert_subject(cert, NULL);
    fssl_name_item_value(name, 0, buf, sizeof buf, NULL);
    copy = fssl_cert_from_der(der->data, der->len, NULL);
    fssl_cert_from_der(der->data, der->len / 2, NULL);
    fssl_conn_set_host(pair->client, TEXT(""), NULL);
    fssl_handle_close(copy, NULL);
    fssl_handle_close(name, NULL);
    fssl_handle_close(item, NULL);
    fssl_handle_close(cert, NULL);
}

/* The pages that are resident; where rounds are few, a sanitizer looks for what is lost. */
static void a_hundred_thousand_calls(void)
{
    int64_t rounds = check_rounds(10000), page = 4096; /* of 11 calls each */
    struct pair pair = pair_established(&(struct pair_plan){0});
    struct encoded der = identity_cert_der(ID_MANY_NAMES);
    long before;

    for (int64_t i = 0; i < rounds / 10; i++)
        ask_everything(&pair, &der);
    before = resident_pages();
    for (int64_t i = 0; i < rounds; i++)
        ask_everything(&pair, &der);
    if (rounds == 10000)
        CHECK((resident_pages() - before) * page < 1 << 18);
    pair_close(&pair);
}

/* ---- trust ---- */

/* Nothing was loaded, nothing was set: nobody of ours is trusted, and without a host nobody is. */
static void a_fresh_client_trusts_nobody(void)
{
    static const enum identity_name servers[] = {ID_EC, ID_RSA, ID_OTHER, ID_EXPIRED, ID_CLIENT};

    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        struct pair pair;

        pair_contexts(&pair, &(struct pair_plan){.server = servers[i]});
        check_close(pair.client_ctx);
        pair.client_ctx = CHECK_MADE(fssl_ctx_new_client(&err));
        pair_connect(&pair, &(struct pair_plan){0});
        CHECK_EQUAL(FSSL_E_VERIFY, fssl_error_code(pair_handshake_results(&pair).client, NULL));
        check_close(pair.client);
        pair.client = CHECK_MADE(fssl_conn_new_memory(pair.client_ctx, &err));
        CHECK_FAILS(FSSL_E_STATE, fssl_conn_do_handshake(pair.client, &err));
        pair_close(&pair);
    }
}

static const struct check_case cases[] = {
    {"CVE-2026-27448 CVE-2026-21637 a failing callback is fatal", a_failing_callback_is_fatal},
    {"CVE-2026-27459 buffers at their limits", buffers_at_their_limits},
    {"CVE-2018-1000807 CVE-2026-19445 closed at every step", closed_at_every_step},
    {"RUSTSEC-2025-0004 closed after a switch", closed_after_a_switch},
    {"CVE-2021-22901 LuaSec-75 LuaSec-130 tickets after their owner", tickets_after_their_owner},
    {"CVE-2018-1000808 CVE-2025-59464 a hundred thousand calls", a_hundred_thousand_calls},
    {"RUSTSEC-2016-0001 CVE-2014-7143 a fresh client trusts nobody", a_fresh_client_trusts_nobody},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
