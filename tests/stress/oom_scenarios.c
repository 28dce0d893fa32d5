/* What must come to its end unless memory runs out. */
#include "oom.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#define HOST "localhost"

enum { LISTENS = 10 }; /* the load may have flights sent twice */

static char text[16384];
static uint8_t bytes[16384];

static bool read_text(struct scene *scene, text_getter *getter, fssl_handle h)
{
    return did(scene, getter(h, NULL, 0, &err)) && did(scene, getter(h, text, sizeof text, &err));
}

static bool read_bytes(struct scene *scene, bytes_getter *getter, fssl_handle h)
{
    return did(scene, getter(h, NULL, 0, &err)) && did(scene, getter(h, bytes, sizeof bytes, &err));
}

static bool make_both(struct scene *scene, enum identity_name server, enum identity_name client)
{
    return make_server_ctx(scene, server, client != ID_NONE) &&
           make_client_ctx(scene, ID_CA, client);
}

/* ---- whole connections ---- */

static bool talk(struct scene *scene)
{
    return shake_hands(scene) && exchange(scene) && shut_down(scene);
}

static bool plain(struct scene *scene)
{
    return make_both(scene, ID_EC, ID_NONE) && make_conns(scene, HOST) && talk(scene);
}

static bool rsa(struct scene *scene)
{
    return make_both(scene, ID_RSA, ID_NONE) && make_conns(scene, "127.0.0.1") && talk(scene);
}

static bool client_certificate(struct scene *scene)
{
    return make_both(scene, ID_CHAINED, ID_CLIENT) && make_conns(scene, HOST) && talk(scene);
}

static bool server_name(struct scene *scene)
{
    fssl_handle other;

    if (!make_server_ctx(scene, ID_EC, true))
        return false;
    other = scene->ctx[SERVER];
    return make_server_ctx(scene, ID_RSA, false) &&
           did(scene, fssl_ctx_add_server_name(scene->ctx[SERVER], TEXT(HOST), other, &err)) &&
           make_client_ctx(scene, ID_CA, ID_CLIENT) && make_conns(scene, HOST) && talk(scene);
}

static bool use_srtp(struct scene *scene, enum side side)
{
    act_as(scene, side);
    return did(scene,
               fssl_ctx_set_srtp_profiles(scene->ctx[side], TEXT("SRTP_AEAD_AES_128_GCM"), &err));
}

/* Where the handshake has ended well, both have the profile. */
static bool has_srtp(const struct scene *scene)
{
    for (int i = CLIENT; i <= SERVER; i++) {
        if (fssl_conn_srtp_profile(scene->conn[i], &err) <= 0)
            scene_complaint = "the profile of SRTP was lost";
    }
    return true;
}

/* A client of DTLS shows its cookie to a server that listens, before they talk. */
static bool dtls(struct scene *scene)
{
    fssl_handle *ctx = scene->ctx, *conn = scene->conn;
    int64_t listened = -FSSL_E_WANT_READ;

    if (!make_both(scene, ID_EC, ID_CLIENT) || !use_srtp(scene, CLIENT) || !use_srtp(scene, SERVER))
        return false;
    act_as(scene, SERVER);
    if (!did(scene,
             fssl_ctx_set_dtls_cookie_secret(ctx[SERVER], BYTES("0123456789abcdef"), &err)) ||
        !make_conns(scene, HOST))
        return false;
    act_as(scene, SERVER);
    if (!did(scene, fssl_conn_set_dtls_peer(conn[SERVER], BYTES("peer"), &err)))
        return false;
    for (int i = 0; i < LISTENS && listened == -FSSL_E_WANT_READ; i++) {
        act_as(scene, CLIENT);
        did(scene, fssl_conn_do_handshake(conn[CLIENT], &err));
        carry(scene);
        act_as(scene, SERVER);
        did(scene, listened = fssl_conn_dtls_listen(conn[SERVER], &err));
        carry(scene);
    }
    return listened == 1 && talk(scene) && has_srtp(scene);
}

static bool close_in_disorder(struct scene *scene)
{
    if (!make_both(scene, ID_EC, ID_NONE) || !make_conns(scene, HOST))
        return false;
    act_as(scene, CLIENT);
    scene_close(scene, &scene->ctx[CLIENT]);
    act_as(scene, SERVER);
    scene_close(scene, &scene->ctx[SERVER]);
    if (!shake_hands(scene) || !exchange(scene))
        return false;
    act_as(scene, CLIENT);
    scene_close(scene, &scene->conn[CLIENT]);
    return true;
}

static bool talk_on_sockets(struct scene *scene, int ends[2])
{
    fssl_handle *conn = scene->conn;

    if (!make_conns_on_sockets(scene, HOST, ends))
        return false;
    shake_hands(scene);
    act_as(scene, BOTH);
    return scene->result[CLIENT] == 0 && scene->result[SERVER] == 0 &&
           did(scene, fssl_conn_send(conn[CLIENT], BYTES("hello"), &err)) &&
           did(scene, fssl_conn_recv(conn[SERVER], bytes, sizeof bytes, 0, &err)) &&
           did(scene, fssl_conn_setblocking(conn[CLIENT], 0, &err)) &&
           did(scene, fssl_conn_getsockname(conn[CLIENT], text, sizeof text, NULL, &err));
}

static bool sockets(struct scene *scene)
{
    int ends[2];
    bool done;

    if (!make_both(scene, ID_EC, ID_NONE) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
        return false;
    done = talk_on_sockets(scene, ends);
    close(ends[0]);
    close(ends[1]);
    return done;
}

/* ---- resumption ---- */

static bool take_session(struct scene *scene, fssl_handle *session)
{
    fssl_handle first;
    int64_t len;

    act_as(scene, CLIENT);
    if (!kept(scene, fssl_conn_session(scene->conn[CLIENT], &err), &first) ||
        !did(scene, fssl_session_to_bytes(first, bytes, sizeof bytes, &err)))
        return false;
    len = scene->last;
    return read_bytes(scene, fssl_session_id, first) &&
           did(scene, fssl_session_to_bytes(first, bytes, sizeof bytes, &err)) &&
           kept(scene, fssl_session_from_bytes(scene->ctx[CLIENT], bytes, len, &err), session);
}

static bool resumption(struct scene *scene)
{
    fssl_handle session;

    if (!make_both(scene, ID_EC, ID_NONE) || !make_conns(scene, HOST) || !shake_hands(scene) ||
        !exchange(scene) || !take_session(scene, &session) || !make_conns(scene, HOST))
        return false;
    act_as(scene, CLIENT);
    return did(scene, fssl_conn_set_session(scene->conn[CLIENT], session, &err)) && talk(scene) &&
           did(scene, fssl_conn_session_reused(scene->conn[CLIENT], &err));
}

/* Both contexts store sessions by their ids, and have to let go of what they stored. */
static bool storing(struct scene *scene)
{
    if (!make_both(scene, ID_EC, ID_NONE))
        return false;
    for (enum side side = CLIENT; side <= SERVER; side++) {
        act_as(scene, side);
        if (!did(scene, fssl_ctx_set_options(scene->ctx[side], FSSL_OP_NO_TICKET, &err)) ||
            !did(scene,
                 fssl_ctx_set_session_cache_mode(scene->ctx[side], FSSL_SESS_CACHE_BOTH, &err)))
            return false;
    }
    return make_conns(scene, HOST) && talk(scene) && make_conns(scene, HOST) && talk(scene);
}

/* ---- loading ---- */

static bool load_keys(struct scene *scene)
{
    const struct encoded *pem = key_pem_encrypted(ID_RSA);
    fssl_handle key, public;
    int64_t len;

    act_as(scene, BOTH);
    if (!kept(scene, fssl_key_from_pem(pem->data, pem->len, BYTES("secret"), &err), &key) ||
        !did(scene, fssl_key_to_der(key, bytes, sizeof bytes, &err)))
        return false;
    len = scene->last;
    return kept(scene, fssl_key_from_der(bytes, len, &err), &key) &&
           did(scene, fssl_key_to_pem(key, TEXT("aes-256-cbc"), BYTES("secret"), bytes,
                                      sizeof bytes, &err)) &&
           did(scene, fssl_key_public_to_pem(key, bytes, sizeof bytes, &err)) &&
           kept(scene, fssl_key_public_from_pem(bytes, scene->last, &err), &public) &&
           did(scene, fssl_key_public_to_der(key, bytes, sizeof bytes, &err)) &&
           kept(scene, fssl_key_public_from_der(bytes, scene->last, &err), &public) &&
           kept(scene, fssl_key_generate(FSSL_KEY_EC, 0, TEXT("P-256"), &err), &key) &&
           kept(scene, fssl_key_generate(FSSL_KEY_ED25519, 0, NULL, 0, &err), &key);
}

static bool load_files(struct scene *scene)
{
    fssl_handle *server = &scene->ctx[SERVER], *client = &scene->ctx[CLIENT];

    act_as(scene, BOTH);
    return kept(scene, fssl_ctx_new(FSSL_TLS_METHOD, &err), server) &&
           did(scene, fssl_ctx_set_passphrase(*server, BYTES("secret"), &err)) &&
           did(scene, fssl_ctx_use_certificate_chain_file(*server, TEXT(chain_file), &err)) &&
           did(scene, fssl_ctx_use_private_key_file(*server, TEXT(key_file_encrypted),
                                                    FSSL_FILETYPE_PEM, &err)) &&
           did(scene, fssl_ctx_check_private_key(*server, &err)) &&
           did(scene,
               fssl_ctx_use_certificate_file(*server, TEXT(chain_file), FSSL_FILETYPE_PEM, &err)) &&
           did(scene, fssl_ctx_load_client_ca(*server, TEXT(ca_file), &err)) &&
           kept(scene, fssl_ctx_new(FSSL_TLS_METHOD, &err), client) &&
           did(scene, fssl_ctx_load_verify_locations(*client, TEXT(ca_file), TEXT("/tmp"), &err)) &&
           did(scene, fssl_ctx_set_default_verify_paths(*client, &err));
}

static bool apart(struct scene *scene)
{
    int32_t serves = FSSL_SAFE | FSSL_TLS_SERVER_METHOD, asks = FSSL_SAFE | FSSL_TLS_CLIENT_METHOD;
    fssl_handle *server = &scene->ctx[SERVER], *client = &scene->ctx[CLIENT];

    act_as(scene, BOTH);
    return kept(scene, fssl_ctx_new_apart(serves, 1, &err), server) &&
           use_identity(scene, *server, ID_EC) &&
           kept(scene, fssl_ctx_new_apart(asks, 1, &err), client) && trust(scene, *client, ID_CA) &&
           make_conns(scene, "localhost") && shake_hands(scene) && exchange(scene);
}

/* In a place that is new to the process; after a failure, there again. */
static bool first_apart(struct scene *scene)
{
    static int64_t place = 2;
    fssl_handle ctx;

    act_as(scene, BOTH);
    if (!kept(scene, fssl_ctx_new_apart(FSSL_SAFE | FSSL_TLS_CLIENT_METHOD, place, &err), &ctx))
        return false;
    place++;
    return true;
}

static bool load_trust(struct scene *scene)
{
    const struct encoded *ca = cert_pem(ID_CA), *middle = cert_pem(ID_MIDDLE_CA);
    fssl_handle ctx, store, cert, copy;

    act_as(scene, BOTH);
    return kept(scene, fssl_ctx_new_client(&err), &ctx) &&
           kept(scene, fssl_store_new(&err), &store) &&
           did(scene, fssl_store_add_pem(store, ca->data, ca->len, &err)) &&
           kept(scene, fssl_cert_from_pem(middle->data, middle->len, &err), &cert) &&
           kept(scene, fssl_cert_copy(cert, &err), &copy) &&
           did(scene, fssl_store_add_cert(store, copy, &err)) &&
           did(scene, fssl_ctx_set_cert_store(ctx, store, &err)) &&
           kept(scene, fssl_ctx_cert_store(ctx, &err), &store) &&
           did(scene, fssl_ctx_add_client_ca(ctx, cert, &err)) &&
           did(scene, fssl_ctx_add_extra_chain_cert(ctx, cert, &err));
}

/* ---- looking ---- */

static bool look_at_name(struct scene *scene, fssl_handle name)
{
    return did(scene, fssl_name_item_type(name, 1, text, sizeof text, &err)) &&
           did(scene, fssl_name_item_value(name, 1, bytes, sizeof bytes, &err)) &&
           read_text(scene, fssl_name_text, name) && read_bytes(scene, fssl_name_to_der, name);
}

static bool look_at_cert(struct scene *scene, fssl_handle cert)
{
    fssl_handle subject, issuer, key;
    int64_t seconds;
    int32_t kind;

    return kept(scene, fssl_cert_subject(cert, &err), &subject) && look_at_name(scene, subject) &&
           kept(scene, fssl_cert_issuer(cert, &err), &issuer) && look_at_name(scene, issuer) &&
           read_text(scene, fssl_cert_serial, cert) && read_bytes(scene, fssl_cert_to_pem, cert) &&
           read_bytes(scene, fssl_cert_to_der, cert) &&
           did(scene, fssl_cert_not_before(cert, &seconds, &err)) &&
           did(scene, fssl_cert_not_after(cert, &seconds, &err)) &&
           did(scene, fssl_cert_digest(cert, TEXT("sha256"), bytes, sizeof bytes, &err)) &&
           kept(scene, fssl_cert_public_key(cert, &err), &key) &&
           did(scene, fssl_cert_alt_name_count(cert, &err)) &&
           did(scene, fssl_cert_alt_name_item(cert, 0, &kind, bytes, sizeof bytes, &err)) &&
           did(scene, fssl_cert_matches_host(cert, TEXT(HOST), &err));
}

static bool look_at_conn(struct scene *scene, fssl_handle conn)
{
    fssl_handle made;

    return read_text(scene, fssl_conn_cipher_name, conn) &&
           read_text(scene, fssl_conn_state_string, conn) &&
           read_text(scene, fssl_conn_group_name, conn) &&
           read_bytes(scene, fssl_conn_master_key, conn) &&
           read_bytes(scene, fssl_conn_finished, conn) &&
           did(scene,
               fssl_conn_export_keying_material(conn, TEXT("label"), NULL, 0, bytes, 32, &err)) &&
           kept(scene, fssl_conn_context(conn, &err), &made) &&
           did(scene, fssl_conn_verify_result(conn, &err)) &&
           did(scene, fssl_conn_cipher_list_count(conn, &err)) &&
           did(scene, fssl_conn_cipher_list_item(conn, 0, text, sizeof text, &err)) &&
           did(scene, fssl_conn_peer_chain_count(conn, &err)) &&
           kept(scene, fssl_conn_peer_chain_item(conn, 0, &err), &made) &&
           kept(scene, fssl_conn_verified_chain_item(conn, 1, &err), &made) &&
           kept(scene, fssl_conn_peer_certificate(conn, &err), &made);
}

static bool looking(struct scene *scene)
{
    if (!make_both(scene, ID_CHAINED, ID_NONE) || !make_conns(scene, HOST) || !shake_hands(scene))
        return false;
    act_as(scene, CLIENT);
    return look_at_conn(scene, scene->conn[CLIENT]) &&
           look_at_cert(scene, scene->handles[scene->handle_count - 1]);
}

const struct scenario_list whole_connections =
    LIST_OF({"client 1.3", plain, CLIENT, FSSL_TLS1_3_VERSION, false},
            {"client 1.2", plain, CLIENT, FSSL_TLS1_2_VERSION, false},
            {"server 1.3", plain, SERVER, FSSL_TLS1_3_VERSION, false},
            {"server 1.2", plain, SERVER, FSSL_TLS1_2_VERSION, false},
            {"client of rsa", rsa, CLIENT, 0, false},
            {"server with rsa", rsa, SERVER, FSSL_TLS1_2_VERSION, false},
            {"client with certificate", client_certificate, CLIENT, 0, false},
            {"server of certificate", client_certificate, SERVER, 0, false},
            {"server of certificate 1.2", client_certificate, SERVER, FSSL_TLS1_2_VERSION, false},
            {"server name", server_name, SERVER, 0, false},
            {"server name 1.2", server_name, SERVER, FSSL_TLS1_2_VERSION, false},
            {"resuming client 1.3", resumption, CLIENT, FSSL_TLS1_3_VERSION, false},
            {"resuming client 1.2", resumption, CLIENT, FSSL_TLS1_2_VERSION, false},
            {"resuming server 1.3", resumption, SERVER, FSSL_TLS1_3_VERSION, false},
            {"resuming server 1.2", resumption, SERVER, FSSL_TLS1_2_VERSION, false},
            {"storing client 1.3", storing, CLIENT, FSSL_TLS1_3_VERSION, false},
            {"storing client 1.2", storing, CLIENT, FSSL_TLS1_2_VERSION, false},
            {"storing server 1.3", storing, SERVER, FSSL_TLS1_3_VERSION, false},
            {"storing server 1.2", storing, SERVER, FSSL_TLS1_2_VERSION, false},
            {"dtls client", dtls, CLIENT, FSSL_DTLS1_2_VERSION, false},
            {"dtls server", dtls, SERVER, FSSL_DTLS1_2_VERSION, false},
            {"closing in disorder", close_in_disorder, BOTH, 0, false},
            {"sockets", sockets, BOTH, 0, false}, {"loading keys", load_keys, BOTH, 0, false},
            {"loading files", load_files, BOTH, 0, false},
            {"loading trust", load_trust, BOTH, 0, false}, {"apart", apart, BOTH, 0, false},
            {"first apart", first_apart, BOTH, 0, false}, {"looking", looking, CLIENT, 0, false});
