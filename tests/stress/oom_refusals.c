/* What must never come to its end, whichever allocation fails. The victim's calls are repeated
   after a failure, as a careless program would: nothing may let the peer in later either. */
#include "oom.h"

#include "check.h"

#define HOST "localhost"

/* Tells whether the victim takes the peer: its handshake ends, or data passes either way. */
static bool tempt(struct scene *scene)
{
    enum side victim = scene->victim, other = victim == CLIENT ? SERVER : CLIENT;
    uint8_t byte[16];

    shake_hands(scene);
    for (int i = 0; i < 3 && !scene->let_in; i++) {
        act_as(scene, other);
        fssl_conn_send(scene->conn[other], BYTES("tempting"), &err);
        carry(scene);
        act_as(scene, victim);
        scene->let_in = scene->result[victim] == 0;
        scene->let_in |= did(scene, fssl_conn_do_handshake(scene->conn[victim], &err));
        scene->let_in |=
            did(scene, fssl_conn_recv(scene->conn[victim], byte, sizeof byte, 0, &err));
        scene->let_in |= did(scene, fssl_conn_send(scene->conn[victim], BYTES("secret"), &err));
        carry(scene);
    }
    return scene->let_in;
}

static bool client_refuses(struct scene *scene, enum identity_name server,
                           enum identity_name trusted, const char *host)
{
    return make_server_ctx(scene, server, false) && make_client_ctx(scene, trusted, ID_NONE) &&
           make_conns(scene, host) && tempt(scene);
}

static bool wrong_host(struct scene *scene)
{
    return client_refuses(scene, ID_EC, ID_CA, "wrong.example");
}

static bool wrong_address(struct scene *scene)
{
    return client_refuses(scene, ID_EC, ID_CA, "127.0.0.2");
}

static bool common_name(struct scene *scene)
{
    return client_refuses(scene, ID_COMMON_NAME, ID_CA, HOST);
}

static bool wildcard(struct scene *scene)
{
    return client_refuses(scene, ID_WILDCARD, ID_CA, "two.labels.example.test");
}

static bool untrusted(struct scene *scene)
{
    return client_refuses(scene, ID_OTHER, ID_CA, HOST);
}

static bool expired(struct scene *scene)
{
    return client_refuses(scene, ID_EXPIRED, ID_CA, HOST);
}

static bool wrong_purpose(struct scene *scene)
{
    return client_refuses(scene, ID_CLIENT, ID_CA, HOST);
}

static bool no_host(struct scene *scene)
{
    scene->right = FSSL_E_STATE;
    return client_refuses(scene, ID_EC, ID_CA, NULL);
}

static bool pinned(struct scene *scene)
{
    uint8_t digest[32] = {1};

    if (!make_server_ctx(scene, ID_EC, false) || !make_client_ctx(scene, ID_CA, ID_NONE))
        return false;
    act_as(scene, CLIENT);
    return did(scene, fssl_ctx_add_pin(scene->ctx[CLIENT], digest, sizeof digest, &err)) &&
           make_conns(scene, HOST) && tempt(scene);
}

/* ---- servers that demand a certificate ---- */

static bool server_refuses(struct scene *scene, enum identity_name client)
{
    return make_server_ctx(scene, ID_EC, true) && make_client_ctx(scene, ID_CA, client) &&
           make_conns(scene, HOST) && tempt(scene);
}

static bool no_certificate(struct scene *scene)
{
    return server_refuses(scene, ID_NONE);
}

static bool untrusted_certificate(struct scene *scene)
{
    return server_refuses(scene, ID_OTHER);
}

static bool switched(struct scene *scene)
{
    fssl_handle strict;

    if (!make_server_ctx(scene, ID_EC, true))
        return false;
    strict = scene->ctx[SERVER];
    return make_server_ctx(scene, ID_RSA, false) &&
           did(scene, fssl_ctx_add_server_name(scene->ctx[SERVER], TEXT(HOST), strict, &err)) &&
           make_client_ctx(scene, ID_CA, ID_NONE) && make_conns(scene, HOST) && tempt(scene);
}

static bool no_psk(struct scene *scene)
{
    static const uint8_t key[32] = {7, 7, 7};
    fssl_handle ctx;

    if (!make_server_ctx(scene, ID_EC, false))
        return false;
    ctx = scene->ctx[SERVER];
    return did(scene, fssl_ctx_add_psk(ctx, TEXT("device"), key, sizeof key, &err)) &&
           did(scene, fssl_ctx_require_psk(ctx, 1, &err)) &&
           make_client_ctx(scene, ID_CA, ID_NONE) && make_conns(scene, HOST) && tempt(scene);
}

/* ---- decisions that refuse ---- */

static int32_t refuse_peer(int64_t token, fssl_handle conn, int32_t error, int32_t depth,
                           int32_t ok)
{
    (void)conn;
    (void)error;
    (void)ok;
    return depth == 0 ? (int32_t)token : 1;
}

static bool by_callback(struct scene *scene)
{
    if (!make_server_ctx(scene, ID_EC, true) || !make_client_ctx(scene, ID_CA, ID_CLIENT))
        return false;
    act_as(scene, scene->victim);
    return did(scene,
               fssl_ctx_set_verify_callback(scene->ctx[scene->victim], refuse_peer, 0, &err)) &&
           make_conns(scene, HOST) && tempt(scene);
}

static bool by_answer(struct scene *scene)
{
    fssl_handle conn;

    if (!make_server_ctx(scene, ID_EC, true) || !make_client_ctx(scene, ID_CA, ID_CLIENT) ||
        !make_conns(scene, HOST))
        return false;
    act_as(scene, scene->victim);
    conn = scene->conn[scene->victim];
    if (!did(scene, fssl_conn_ask(conn, FSSL_ASK_VERIFY, &err)))
        return false;
    shake_hands(scene);
    act_as(scene, scene->victim);
    fssl_conn_waive_verify_error(conn, -1, &err);
    fssl_conn_answer_verify(conn, 1, &err);
    return tempt(scene);
}

/* A session from before its host was verified must not stand in for the verification. */
static bool resumed(struct scene *scene)
{
    fssl_handle session;

    if (!make_server_ctx(scene, ID_EC, false) || !make_client_ctx(scene, ID_CA, ID_NONE) ||
        !make_conns(scene, HOST) || !shake_hands(scene) || !exchange(scene))
        return false;
    act_as(scene, CLIENT);
    return kept(scene, fssl_conn_session(scene->conn[CLIENT], &err), &session) &&
           make_conns(scene, "wrong.example") &&
           did(scene, fssl_conn_set_session(scene->conn[CLIENT], session, &err)) && tempt(scene);
}

const struct scenario_list refusals =
    LIST_OF({"wrong host 1.3", wrong_host, CLIENT, FSSL_TLS1_3_VERSION, true},
            {"wrong host 1.2", wrong_host, CLIENT, FSSL_TLS1_2_VERSION, true},
            {"wrong address 1.3", wrong_address, CLIENT, FSSL_TLS1_3_VERSION, true},
            {"wrong address 1.2", wrong_address, CLIENT, FSSL_TLS1_2_VERSION, true},
            {"common name", common_name, CLIENT, 0, true}, {"wildcard", wildcard, CLIENT, 0, true},
            {"untrusted 1.3", untrusted, CLIENT, FSSL_TLS1_3_VERSION, true},
            {"untrusted 1.2", untrusted, CLIENT, FSSL_TLS1_2_VERSION, true},
            {"expired 1.3", expired, CLIENT, FSSL_TLS1_3_VERSION, true},
            {"expired 1.2", expired, CLIENT, FSSL_TLS1_2_VERSION, true},
            {"wrong purpose", wrong_purpose, CLIENT, 0, true},
            {"no host", no_host, CLIENT, 0, true}, {"not pinned", pinned, CLIENT, 0, true},
            {"no client certificate 1.3", no_certificate, SERVER, FSSL_TLS1_3_VERSION, true},
            {"no client certificate 1.2", no_certificate, SERVER, FSSL_TLS1_2_VERSION, true},
            {"untrusted client 1.3", untrusted_certificate, SERVER, FSSL_TLS1_3_VERSION, true},
            {"untrusted client 1.2", untrusted_certificate, SERVER, FSSL_TLS1_2_VERSION, true},
            {"switched 1.3", switched, SERVER, FSSL_TLS1_3_VERSION, true},
            {"switched 1.2", switched, SERVER, FSSL_TLS1_2_VERSION, true},
            {"no psk", no_psk, SERVER, 0, true},
            {"client's callback refuses", by_callback, CLIENT, 0, true},
            {"server's callback refuses", by_callback, SERVER, 0, true},
            {"client's answer refuses", by_answer, CLIENT, 0, true},
            {"server's answer refuses", by_answer, SERVER, 0, true},
            {"resumed 1.3", resumed, CLIENT, FSSL_TLS1_3_VERSION, true},
            {"resumed 1.2", resumed, CLIENT, FSSL_TLS1_2_VERSION, true});
