/* Decisions, as data, questions and callbacks, and changes to what is in use, unless memory runs
   out. */
#include "oom.h"

#include "check.h"

#define HOST "localhost"

enum { TICKET_KEYS = 160, QUEUE = 100, OPEN = FSSL_VERIFY_PEER };

static const char protos[] = "\x02h2\x08http/1.1";
static uint8_t bytes[16384];
static char text[16384];

static bool make_both(struct scene *scene)
{
    return make_server_ctx(scene, ID_EC, false) && make_client_ctx(scene, ID_CA, ID_NONE);
}

/* ---- data ---- */

static bool set_data(struct scene *scene, fssl_handle ctx)
{
    static const uint8_t keys[TICKET_KEYS] = {1, 2, 3};

    return did(scene, fssl_ctx_set_alpn_protos(ctx, BYTES(protos), &err)) &&
           did(scene, fssl_ctx_set_alpn_preference(ctx, BYTES(protos), &err)) &&
           did(scene, fssl_ctx_set_npn_advertised(ctx, BYTES(protos), &err)) &&
           did(scene, fssl_ctx_set_npn_preference(ctx, BYTES(protos), &err)) &&
           did(scene, fssl_ctx_set_ticket_keys(ctx, keys, sizeof keys, &err)) &&
           did(scene, fssl_ctx_set_ocsp_response(ctx, BYTES("an answer"), &err)) &&
           did(scene, fssl_ctx_set_queue(ctx, FSSL_QUEUE_KEYLOG, QUEUE, &err)) &&
           did(scene, fssl_ctx_set_queue(ctx, FSSL_QUEUE_SESSION, QUEUE, &err)) &&
           did(scene, fssl_ctx_set_queue(ctx, FSSL_QUEUE_INFO, QUEUE, &err));
}

static bool read_queues(struct scene *scene, fssl_handle ctx)
{
    fssl_handle session;
    int64_t conn;
    int32_t where, result;

    return did(scene, fssl_ctx_next_keylog(ctx, text, sizeof text, &err)) &&
           did(scene, fssl_ctx_next_info(ctx, &conn, &where, &result, &err)) &&
           did(scene, fssl_ctx_queue_count(ctx, FSSL_QUEUE_SESSION, &err)) &&
           (scene->last == 0 || kept(scene, fssl_ctx_next_session(ctx, &err), &session));
}

static bool data(struct scene *scene)
{
    enum side victim = scene->victim;

    if (!make_both(scene))
        return false;
    act_as(scene, SERVER);
    if (!set_data(scene, scene->ctx[SERVER]))
        return false;
    act_as(scene, CLIENT);
    if (!set_data(scene, scene->ctx[CLIENT]) || !make_conns(scene, HOST))
        return false;
    act_as(scene, CLIENT);
    if (!did(scene, fssl_conn_request_ocsp(scene->conn[CLIENT], &err)) ||
        !did(scene, fssl_conn_set_server_name(scene->conn[CLIENT], TEXT(HOST), &err)) ||
        !shake_hands(scene) || !exchange(scene))
        return false;
    act_as(scene, victim);
    return did(scene, fssl_conn_alpn_proto(scene->conn[victim], bytes, sizeof bytes, &err)) &&
           (victim == SERVER ||
            did(scene, fssl_conn_ocsp_response(scene->conn[CLIENT], bytes, sizeof bytes, &err))) &&
           read_queues(scene, scene->ctx[victim]);
}

static bool add_psk(struct scene *scene, enum side side)
{
    static const uint8_t key[32] = {7, 7, 7};

    act_as(scene, side);
    return did(scene, fssl_ctx_add_psk(scene->ctx[side], TEXT("device"), key, sizeof key, &err)) &&
           did(scene, fssl_ctx_set_cipher_list(scene->ctx[side], TEXT("kECDHEPSK:kPSK"), &err)) &&
           did(scene,
               fssl_ctx_set_ciphersuites(scene->ctx[side], TEXT("TLS_AES_128_GCM_SHA256"), &err)) &&
           did(scene, fssl_ctx_require_psk(scene->ctx[side], 1, &err));
}

static bool psk(struct scene *scene)
{
    return make_both(scene) && add_psk(scene, SERVER) && add_psk(scene, CLIENT) &&
           make_conns(scene, HOST) && shake_hands(scene) && exchange(scene);
}

static bool pin(struct scene *scene)
{
    const struct encoded *pem = cert_pem(ID_EC);
    fssl_handle cert, key;
    uint8_t digest[32];

    if (!make_both(scene))
        return false;
    act_as(scene, CLIENT);
    return kept(scene, fssl_cert_from_pem(pem->data, pem->len, &err), &cert) &&
           kept(scene, fssl_cert_public_key(cert, &err), &key) &&
           did(scene, fssl_key_public_to_der(key, bytes, sizeof bytes, &err)) &&
           sha256(bytes, scene->last, digest) &&
           did(scene, fssl_ctx_add_pin(scene->ctx[CLIENT], digest, sizeof digest, &err)) &&
           make_conns(scene, HOST) && shake_hands(scene) && exchange(scene);
}

/* ---- questions ---- */

static bool answer_hello(struct scene *scene, fssl_handle conn)
{
    return did(scene, fssl_conn_hello_bytes(conn, FSSL_HELLO_RAW, bytes, sizeof bytes, &err)) &&
           did(scene,
               fssl_conn_hello_bytes(conn, FSSL_HELLO_VERSIONS, bytes, sizeof bytes, &err)) &&
           did(scene, fssl_conn_server_name(conn, text, sizeof text, &err)) &&
           did(scene, fssl_conn_set_alpn_preference(conn, BYTES(protos), &err)) &&
           use_own(scene, conn, ID_RSA) && did(scene, fssl_conn_answer_hello(conn, 0, &err));
}

static bool answer_certificate(struct scene *scene, fssl_handle conn)
{
    return did(scene, fssl_conn_client_ca_count(conn, &err)) &&
           did(scene, fssl_conn_peer_signature_algorithms(conn, bytes, sizeof bytes, &err)) &&
           (conn == scene->conn[SERVER] || use_own(scene, conn, ID_CLIENT)) &&
           did(scene, fssl_conn_answer_certificate(conn, 1, &err));
}

static bool answer_verify(struct scene *scene, fssl_handle conn)
{
    fssl_handle cert;

    return did(scene, fssl_conn_verify_error_count(conn, &err)) &&
           kept(scene, fssl_conn_peer_chain_item(conn, 0, &err), &cert) &&
           did(scene, fssl_conn_waive_verify_error(conn, -1, &err)) &&
           did(scene, fssl_conn_answer_verify(conn, 0, &err));
}

static bool answer(struct scene *scene, enum side side)
{
    act_as(scene, side);
    switch (-scene->result[side]) {
    case FSSL_E_WANT_CLIENT_HELLO:
        return answer_hello(scene, scene->conn[side]);
    case FSSL_E_WANT_CERTIFICATE:
        return answer_certificate(scene, scene->conn[side]);
    case FSSL_E_WANT_VERIFY:
        return answer_verify(scene, scene->conn[side]);
    default:
        return scene->result[side] == 0;
    }
}

static bool questions(struct scene *scene)
{
    enum { ASK_ALL = FSSL_ASK_CLIENT_HELLO | FSSL_ASK_CERTIFICATE | FSSL_ASK_VERIFY };

    if (!make_server_ctx(scene, ID_EC, true) || !make_client_ctx(scene, ID_OTHER_CA, ID_NONE) ||
        !make_conns(scene, "wrong.example"))
        return false;
    for (enum side side = CLIENT; side <= SERVER; side++) {
        act_as(scene, side);
        if (!did(scene, fssl_conn_ask(scene->conn[side], ASK_ALL, &err)))
            return false;
    }
    for (int i = 0; i < 10; i++) {
        if (shake_hands(scene))
            return exchange(scene);
        for (enum side side = CLIENT; side <= SERVER; side++) {
            if (scene->result[side] != -FSSL_E_WANT_READ && !answer(scene, side))
                return false;
        }
    }
    return false;
}

/* ---- callbacks ---- */

static fssl_handle other_ctx;

static struct scene *scene_of(int64_t token)
{
    return (struct scene *)(intptr_t)token;
}

static int32_t on_server_name(int64_t token, fssl_handle conn)
{
    struct scene *scene = scene_of(token);

    return did(scene, fssl_conn_server_name(conn, text, sizeof text, &err)) &&
           did(scene, fssl_conn_set_context(conn, other_ctx, &err));
}

static int32_t on_alpn(int64_t token, fssl_handle conn, const uint8_t *offered, int64_t len)
{
    return len > 2 && did(scene_of(token), fssl_conn_answer(conn, offered + 1, offered[0], &err))
               ? 1
               : -1;
}

static int32_t on_verify(int64_t token, fssl_handle conn, int32_t error, int32_t depth, int32_t ok)
{
    struct scene *scene = scene_of(token);
    fssl_handle cert;
    bool looked = kept(scene, fssl_conn_verify_cert(conn, &err), &cert);

    (void)error;
    (void)depth;
    if (looked)
        scene_close(scene, &cert);
    return looked ? ok : -1;
}

static int32_t on_info(int64_t token, fssl_handle conn, int32_t where, int32_t result)
{
    (void)where;
    (void)result;
    did(scene_of(token), fssl_conn_state_string(conn, text, sizeof text, &err));
    return 1;
}

static int32_t on_keylog(int64_t token, fssl_handle conn, const char *line, int64_t len)
{
    (void)token;
    (void)conn;
    return len > 0 && line[0] != '\0';
}

static bool set_callbacks(struct scene *scene, fssl_handle ctx)
{
    int64_t token = (int64_t)(intptr_t)scene;

    return did(scene, fssl_ctx_set_verify_callback(ctx, on_verify, token, &err)) &&
           did(scene, fssl_ctx_set_info_callback(ctx, on_info, token, &err)) &&
           did(scene, fssl_ctx_set_keylog_callback(ctx, on_keylog, token, &err)) &&
           did(scene, fssl_ctx_set_alpn_select_callback(ctx, on_alpn, token, &err)) &&
           did(scene, fssl_ctx_set_alpn_protos(ctx, BYTES(protos), &err)) &&
           did(scene, fssl_ctx_set_server_name_callback(ctx, on_server_name, token, &err));
}

static bool callbacks(struct scene *scene)
{
    if (!make_server_ctx(scene, ID_RSA, true))
        return false;
    other_ctx = scene->ctx[SERVER];
    act_as(scene, SERVER);
    if (!set_callbacks(scene, other_ctx) || !make_server_ctx(scene, ID_EC, false) ||
        !set_callbacks(scene, scene->ctx[SERVER]) || !make_client_ctx(scene, ID_CA, ID_CLIENT))
        return false;
    act_as(scene, CLIENT);
    return set_callbacks(scene, scene->ctx[CLIENT]) && make_conns(scene, HOST) &&
           shake_hands(scene) && exchange(scene);
}

/* ---- changes to what is in use ---- */

static bool change_ctx(struct scene *scene, fssl_handle ctx)
{
    const struct encoded *middle = cert_pem(ID_MIDDLE_CA);
    fssl_handle cert;

    return kept(scene, fssl_cert_from_pem(middle->data, middle->len, &err), &cert) &&
           did(scene, fssl_ctx_set_cipher_list(ctx, TEXT("ECDHE+AESGCM"), &err)) &&
           did(scene, fssl_ctx_set_ciphersuites(ctx, TEXT("TLS_AES_128_GCM_SHA256"), &err)) &&
           did(scene, fssl_ctx_set_groups(ctx, TEXT("P-256"), &err)) &&
           did(scene, fssl_ctx_add_extra_chain_cert(ctx, cert, &err)) &&
           did(scene, fssl_ctx_add_client_ca(ctx, cert, &err)) && trust(scene, ctx, ID_OTHER_CA) &&
           did(scene, fssl_ctx_set_alpn_preference(ctx, BYTES(protos), &err)) &&
           did(scene, fssl_ctx_set_session_id_context(ctx, BYTES("mine"), &err));
}

/* Something of each kind for a context in use, which a change of it then takes over. */
static bool fill_ctx(struct scene *scene, fssl_handle ctx)
{
    const struct encoded *ca = cert_pem(ID_CA);
    fssl_handle cert, store, other;

    return kept(scene, fssl_cert_from_pem(ca->data, ca->len, &err), &cert) &&
           kept(scene, fssl_store_new(&err), &store) &&
           kept(scene, fssl_ctx_new(FSSL_TLS_METHOD, &err), &other) &&
           did(scene, fssl_store_add_cert(store, cert, &err)) &&
           did(scene, fssl_ctx_set_cert_store(ctx, store, &err)) &&
           did(scene, fssl_ctx_add_extra_chain_cert(ctx, cert, &err)) &&
           did(scene, fssl_ctx_add_client_ca(ctx, cert, &err)) &&
           did(scene, fssl_ctx_add_server_name(ctx, TEXT("other.test"), other, &err)) &&
           did(scene, fssl_ctx_add_psk(ctx, TEXT("first"), BYTES("a key"), &err)) &&
           did(scene, fssl_ctx_add_psk(ctx, TEXT("second"), BYTES("another"), &err));
}

static bool change_conn(struct scene *scene, fssl_handle conn, fssl_handle ctx)
{
    return did(scene, fssl_conn_set_alpn_preference(conn, BYTES(protos), &err)) &&
           did(scene, fssl_conn_set_ocsp_response(conn, BYTES("an answer"), &err)) &&
           did(scene, fssl_conn_ask(conn, 0, &err)) &&
           did(scene, fssl_conn_set_context(conn, ctx, &err));
}

static bool changes_in_use(struct scene *scene)
{
    if (!make_both(scene) || !make_conns(scene, HOST))
        return false;
    act_as(scene, SERVER);
    if (!fill_ctx(scene, scene->ctx[SERVER]) || !make_conns(scene, HOST) ||
        !change_conn(scene, scene->conn[SERVER], scene->ctx[SERVER]) || !shake_hands(scene))
        return false;
    act_as(scene, SERVER);
    if (!change_ctx(scene, scene->ctx[SERVER]))
        return false;
    act_as(scene, CLIENT);
    return change_ctx(scene, scene->ctx[CLIENT]) && exchange(scene) && make_conns(scene, HOST) &&
           shake_hands(scene) && exchange(scene);
}

static bool renegotiation(struct scene *scene)
{
    if (!make_both(scene))
        return false;
    act_as(scene, BOTH);
    if (!did(scene, fssl_ctx_clear_options(scene->ctx[CLIENT], FSSL_OP_NO_RENEGOTIATION, &err)) ||
        !did(scene, fssl_ctx_clear_options(scene->ctx[SERVER], FSSL_OP_NO_RENEGOTIATION, &err)) ||
        !make_conns(scene, HOST) || !shake_hands(scene))
        return false;
    act_as(scene, SERVER);
    if (!did(scene, fssl_conn_renegotiate(scene->conn[SERVER], &err)))
        return false;
    fssl_conn_do_handshake(scene->conn[SERVER], &err);
    while (carry(scene)) {
        for (enum side side = CLIENT; side <= SERVER; side++) {
            act_as(scene, side);
            fssl_conn_recv(scene->conn[side], bytes, sizeof bytes, 0, &err);
        }
    }
    act_as(scene, SERVER);
    return exchange(scene) &&
           did(scene, fssl_conn_total_renegotiations(scene->conn[SERVER], &err)) &&
           scene->last == 1;
}

const struct scenario_list decisions =
    LIST_OF({"client with data 1.3", data, CLIENT, FSSL_TLS1_3_VERSION, false},
            {"client with data 1.2", data, CLIENT, FSSL_TLS1_2_VERSION, false},
            {"server with data 1.3", data, SERVER, FSSL_TLS1_3_VERSION, false},
            {"server with data 1.2", data, SERVER, FSSL_TLS1_2_VERSION, false},
            {"client with psk 1.3", psk, CLIENT, FSSL_TLS1_3_VERSION, false},
            {"client with psk 1.2", psk, CLIENT, FSSL_TLS1_2_VERSION, false},
            {"server with psk 1.3", psk, SERVER, FSSL_TLS1_3_VERSION, false},
            {"server with psk 1.2", psk, SERVER, FSSL_TLS1_2_VERSION, false},
            {"pin", pin, CLIENT, 0, false}, {"client that asks", questions, CLIENT, 0, false},
            {"client that asks 1.2", questions, CLIENT, FSSL_TLS1_2_VERSION, false},
            {"server that asks", questions, SERVER, 0, false},
            {"server that asks 1.2", questions, SERVER, FSSL_TLS1_2_VERSION, false},
            {"client with callbacks", callbacks, CLIENT, 0, false},
            {"server with callbacks", callbacks, SERVER, 0, false},
            {"server with callbacks 1.2", callbacks, SERVER, FSSL_TLS1_2_VERSION, false},
            {"changes in use", changes_in_use, BOTH, 0, false},
            {"renegotiating client", renegotiation, CLIENT, FSSL_TLS1_2_VERSION, false},
            {"renegotiating server", renegotiation, SERVER, FSSL_TLS1_2_VERSION, false});
