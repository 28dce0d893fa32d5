/* What scenarios are made of. Every result goes through did(), which keeps the discipline of
   calls: err says what the result says, the error queue is empty, and a lack of memory is never
   called the caller's mistake (but for FSSL_E_UNSUPPORTED: OpenSSL itself may say no more than that
   it could not fetch an algorithm). */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "check.h"

enum { ROUNDS = 200, PIECE = 4096, DATAGRAM = 1000 };

const char *scene_complaint;
char scene_trouble[300];

static struct encoded certs[ID_LIMIT], keys[ID_LIMIT], keys_encrypted[ID_LIMIT];
const char *ca_file, *chain_file, *key_file, *key_file_encrypted;

/* ---- discipline ---- */

static void complain(const char *about, int64_t result)
{
    static char text[600];

    if (scene_complaint)
        return;
    snprintf(text, sizeof text, "%s: %s", about, error_text(result));
    scene_complaint = text;
}

static void look_at_failure(const struct scene *scene, int64_t result)
{
    int64_t code = fssl_error_code(result, NULL);
    int64_t kind = fssl_error_kind((int32_t)code, NULL);

    if (kind != FSSL_KIND_WANT)
        snprintf(scene_trouble, sizeof scene_trouble, "%s", error_text(result));
    if (code != err)
        complain("err and the result differ", result);
    if (kind < FSSL_KIND_WANT || kind > FSSL_KIND_INTERNAL)
        complain("an unknown code", result);
    if (kind == FSSL_KIND_USAGE && code != FSSL_E_UNSUPPORTED && code != scene->right &&
        *memory_failed_at())
        complain("a lack of memory was called a mistake of the caller's", result);
}

bool did(struct scene *scene, int64_t result)
{
    if (ERR_peek_error())
        complain("OpenSSL's error queue is not empty", result);
    if (result < 0)
        look_at_failure(scene, result);
    else if (err != FSSL_OK)
        complain("err is not FSSL_OK after success", result);
    scene->last = result;
    return result >= 0;
}

bool kept(struct scene *scene, int64_t result, fssl_handle *out)
{
    if (!did(scene, result))
        return false;
    if (scene->handle_count == SCENE_HANDLES)
        abort();
    scene->handles[scene->handle_count++] = result;
    *out = result;
    return true;
}

void act_as(struct scene *scene, enum side side)
{
    memory_on(side == BOTH || scene->victim == BOTH || scene->victim == side);
}

void scene_close(struct scene *scene, fssl_handle *h)
{
    for (int i = 0; i < scene->handle_count; i++) {
        if (scene->handles[i] == *h)
            scene->handles[i] = scene->handles[--scene->handle_count];
    }
    if (fssl_handle_close(*h, &err) != 0)
        complain("a handle cannot be closed", 0);
    *h = 0;
}

/* Closing is everybody's, in whatever order. */
bool scene_run(const struct scenario *scenario)
{
    struct scene scene = {.victim = scenario->victim, .version = scenario->version};
    bool done;

    scene_complaint = NULL;
    scene_trouble[0] = '\0';
    done = scenario->run(&scene);
    act_as(&scene, BOTH);
    while (scene.handle_count > 0)
        scene_close(&scene, &(fssl_handle){scene.handles[scene.handle_count - 1]});
    memory_on(false);
    if (ERR_peek_error())
        complain("OpenSSL's error queue is not empty after closing", 0);
    return scenario->refuses ? scene.let_in : done;
}

/* ---- identities ---- */

static char paths[SCENE_FILES][64];
static int path_count;

static const char *file_of(const struct encoded *encoded)
{
    char *path = paths[path_count++];
    int fd;
    ssize_t written;

    snprintf(path, sizeof paths[0], "/tmp/flatssl-oom-XXXXXX");
    fd = mkstemp(path);
    written = write(fd, encoded->data, (size_t)encoded->len);
    if (written != encoded->len)
        abort();
    close(fd);
    return path;
}

void prepare_identities(void)
{
    for (int name = ID_CA; name < ID_LIMIT; name++) {
        certs[name] = identity_cert_pem((enum identity_name)name);
        keys[name] = identity_key_pem((enum identity_name)name, NULL);
        keys_encrypted[name] = identity_key_pem((enum identity_name)name, "secret");
    }
    certs[ID_CHAINED] = encoded_join(certs[ID_CHAINED], certs[ID_MIDDLE_CA]);
    ca_file = file_of(&certs[ID_CA]);
    chain_file = file_of(&certs[ID_CHAINED]);
    key_file = file_of(&keys[ID_CHAINED]);
    key_file_encrypted = file_of(&keys_encrypted[ID_CHAINED]);
}

void remove_identities(void)
{
    while (path_count > 0)
        unlink(paths[--path_count]);
}

const struct encoded *cert_pem(enum identity_name name)
{
    return &certs[name];
}

const struct encoded *key_pem(enum identity_name name)
{
    return &keys[name];
}

const struct encoded *key_pem_encrypted(enum identity_name name)
{
    return &keys_encrypted[name];
}

/* ---- steps ---- */

bool use_identity(struct scene *scene, fssl_handle ctx, enum identity_name name)
{
    const struct encoded *cert = cert_pem(name), *key = key_pem(name);
    fssl_handle made;

    return did(scene, fssl_ctx_use_certificate_chain(ctx, cert->data, cert->len, &err)) &&
           kept(scene, fssl_key_from_pem(key->data, key->len, NULL, 0, &err), &made) &&
           did(scene, fssl_ctx_use_private_key(ctx, made, &err));
}

bool use_own(struct scene *scene, fssl_handle conn, enum identity_name name)
{
    const struct encoded *cert = cert_pem(name), *key = key_pem(name);
    fssl_handle made;

    return kept(scene, fssl_cert_from_pem(cert->data, cert->len, &err), &made) &&
           did(scene, fssl_conn_use_certificate(conn, made, &err)) &&
           kept(scene, fssl_key_from_pem(key->data, key->len, NULL, 0, &err), &made) &&
           did(scene, fssl_conn_use_private_key(conn, made, &err));
}

bool sha256(const uint8_t *data, int64_t len, uint8_t *digest)
{
    memory_on(false);
    return EVP_Digest(data, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1;
}

bool trust(struct scene *scene, fssl_handle ctx, enum identity_name name)
{
    const struct encoded *cert = cert_pem(name);

    return did(scene, fssl_ctx_load_verify_pem(ctx, cert->data, cert->len, &err));
}

static bool hold_to_version(struct scene *scene, fssl_handle ctx)
{
    return !scene->version ||
           (did(scene, fssl_ctx_set_min_proto_version(ctx, scene->version, &err)) &&
            did(scene, fssl_ctx_set_max_proto_version(ctx, scene->version, &err)));
}

static bool is_dtls(const struct scene *scene)
{
    return scene->version == FSSL_DTLS1_2_VERSION;
}

bool make_client_ctx(struct scene *scene, enum identity_name whom, enum identity_name own)
{
    fssl_handle *ctx = &scene->ctx[CLIENT];

    act_as(scene, CLIENT);
    return kept(scene, is_dtls(scene) ? fssl_ctx_new_dtls_client(&err) : fssl_ctx_new_client(&err),
                ctx) &&
           hold_to_version(scene, *ctx) && trust(scene, *ctx, whom) &&
           (!own || use_identity(scene, *ctx, own));
}

bool make_server_ctx(struct scene *scene, enum identity_name own, bool demands_client)
{
    enum { DEMAND = FSSL_VERIFY_PEER | FSSL_VERIFY_FAIL_IF_NO_PEER_CERT };
    fssl_handle *ctx = &scene->ctx[SERVER];

    act_as(scene, SERVER);
    return kept(scene, is_dtls(scene) ? fssl_ctx_new_dtls_server(&err) : fssl_ctx_new_server(&err),
                ctx) &&
           hold_to_version(scene, *ctx) && (!own || use_identity(scene, *ctx, own)) &&
           (!demands_client ||
            (trust(scene, *ctx, ID_CA) && did(scene, fssl_ctx_set_verify(*ctx, DEMAND, &err))));
}

bool make_conns(struct scene *scene, const char *host)
{
    act_as(scene, SERVER);
    if (!kept(scene, fssl_conn_new_memory(scene->ctx[SERVER], &err), &scene->conn[SERVER]))
        return false;
    act_as(scene, CLIENT);
    return kept(scene, fssl_conn_new_memory(scene->ctx[CLIENT], &err), &scene->conn[CLIENT]) &&
           (!host || did(scene, fssl_conn_set_host(scene->conn[CLIENT], TEXT(host), &err)));
}

bool make_conns_on_sockets(struct scene *scene, const char *host, int ends[2])
{
    fssl_handle *client = &scene->conn[CLIENT], *server = &scene->conn[SERVER];

    act_as(scene, BOTH);
    return kept(scene, fssl_conn_new(scene->ctx[CLIENT], ends[0], &err), client) &&
           did(scene, fssl_conn_set_host(*client, TEXT(host), &err)) &&
           kept(scene, fssl_conn_new(scene->ctx[SERVER], ends[1], &err), server);
}

static bool carry_from(struct scene *scene, enum side from)
{
    enum side to = from == CLIENT ? SERVER : CLIENT;
    uint8_t piece[PIECE];
    int64_t got, taken = 0;

    act_as(scene, from);
    got = fssl_conn_bio_read(scene->conn[from], piece, sizeof piece, &err);
    act_as(scene, to);
    while (got > taken) {
        int64_t more = fssl_conn_bio_write(scene->conn[to], piece + taken, got - taken, &err);

        if (more < 0) {
            scene->lost = true; /* a program would keep the rest, and try again */
            return did(scene, more);
        }
        taken += more;
    }
    return got > 0;
}

bool carry(struct scene *scene)
{
    bool there = carry_from(scene, CLIENT);

    return carry_from(scene, SERVER) || there;
}

static bool again(int64_t result)
{
    return result == -FSSL_E_WANT_READ || result == -FSSL_E_WANT_WRITE;
}

static bool step(struct scene *scene, enum side side)
{
    act_as(scene, side);
    if (again(scene->result[side]))
        did(scene, scene->result[side] = fssl_conn_do_handshake(scene->conn[side], &err));
    return again(scene->result[side]);
}

bool shake_hands(struct scene *scene)
{
    bool going = true;

    scene->result[CLIENT] = scene->result[SERVER] = -FSSL_E_WANT_READ;
    for (int i = 0; i < ROUNDS && going; i++) {
        bool client = step(scene, CLIENT);
        bool server = step(scene, SERVER);

        going = (carry(scene) || i == 0) && (client || server);
    }
    while (carry(scene))
        ;
    return scene->result[CLIENT] == 0 && scene->result[SERVER] == 0;
}

static bool one_way(struct scene *scene, enum side from)
{
    enum side to = from == CLIENT ? SERVER : CLIENT;
    uint8_t data[PIECE], got[PIECE];
    int64_t have = 0, len = is_dtls(scene) ? DATAGRAM : PIECE;

    memset(data, 'd', sizeof data);
    act_as(scene, from);
    if (!did(scene, fssl_conn_send_all(scene->conn[from], data, len, NULL, &err)))
        return false;
    for (int i = 0; i < ROUNDS && have < len; i++) {
        int64_t more;

        carry(scene);
        act_as(scene, to);
        more = fssl_conn_recv(scene->conn[to], got + have, len - have, 0, &err);
        if (more < 0 && !again(more))
            return did(scene, more);
        have += more > 0 ? more : 0;
    }
    if (scene->lost)
        return false;
    if (have != len || memcmp(data, got, (size_t)len) != 0)
        complain("data came wrong", 0);
    return have == len;
}

bool exchange(struct scene *scene)
{
    return one_way(scene, CLIENT) && one_way(scene, SERVER);
}

bool shut_down(struct scene *scene)
{
    int64_t ended[2] = {0, 0};

    for (int i = 0; i < ROUNDS && (ended[CLIENT] != 1 || ended[SERVER] != 1); i++) {
        for (enum side side = CLIENT; side <= SERVER; side++) {
            act_as(scene, side);
            if (ended[side] == 1)
                continue;
            ended[side] = fssl_conn_shutdown(scene->conn[side], &err);
            if (!again(ended[side]) && !did(scene, ended[side]))
                return false;
        }
        carry(scene);
    }
    return ended[CLIENT] == 1 && ended[SERVER] == 1;
}
