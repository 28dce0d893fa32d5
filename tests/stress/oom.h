/* The parts of the program that fails every allocation: memory (oom_memory.c), the scenarios
   (oom_scene.c, oom_scenarios.c, oom_refusals.c) and the driver (oom.c). */
#ifndef FLATSSL_OOM_H
#define FLATSSL_OOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flatssl.h"
#include "identity.h"

/* ---- memory ---- */

enum memory_plan { FAIL_NEVER, FAIL_ONCE, FAIL_FOR_EVER };

/* Installs our allocator in libcrypto. Call before anything else of OpenSSL's. */
void memory_install(void);

/* From now on allocation number `index` fails, counted while memory_on holds, or all from it on. */
void memory_plan(enum memory_plan plan, int64_t index);
void memory_on(bool on);

/* Returns how many allocations were counted since memory_plan. */
int64_t memory_counted(void);

/* Tells whether flatssl itself made an allocation, by number, of the last run without failures. */
bool memory_ours(int64_t index);

/* Where the allocation was that failed first: file and line, "" if none did. */
const char *memory_failed_at(void);

/* Marks what is allocated now. What is allocated later, and not yet freed, is new. */
void memory_mark(void);

/* New blocks of flatssl's own, those that it keeps for the life of the process apart, and new
   OpenSSL objects (SSL, SSL_CTX, X509, ...). Each is shown to `see`. */
int memory_left(void (*see)(const char *file, int line, size_t size));

/* Bytes that OpenSSL holds newly, its objects included. */
size_t memory_openssl_left(void);

/* ---- scenes ---- */

enum { SCENE_HANDLES = 64, SCENE_FILES = 4 };

enum side { CLIENT, SERVER, BOTH };

/* One run of a scenario. Only calls made on behalf of the victim count allocations. */
struct scene {
    enum side victim;
    int32_t version;
    fssl_handle ctx[2]; /* by side */
    fssl_handle conn[2];
    int64_t result[2]; /* of the handshake */
    fssl_handle handles[SCENE_HANDLES];
    int handle_count;
    int64_t last;  /* the last result of a call */
    int32_t right; /* a code by which the caller is rightly blamed, with memory or without */
    bool let_in;   /* the victim took what it must refuse */
    bool lost;     /* bytes that one end sent and memory did not take */
};

struct scenario {
    const char *name;
    bool (*run)(struct scene *scene);
    enum side victim;
    int32_t version;
    bool refuses; /* must never succeed */
};

struct scenario_list {
    const struct scenario *scenarios;
    int count;
};

#define LIST_OF(...) \
    { \
        (const struct scenario[]){__VA_ARGS__}, \
            (int)(sizeof((const struct scenario[]){__VA_ARGS__}) / sizeof(struct scenario)) \
    }

extern const struct scenario_list whole_connections, decisions, refusals;

/* Runs a scenario and closes all that it made. Returns whether it came to its end; one that must
   be refused, whether the victim let the peer in. */
bool scene_run(const struct scenario *scenario);

/* Notes a failed discipline of a call: see oom_scene.c. */
extern const char *scene_complaint;

/* What the last call that failed said. */
extern char scene_trouble[300];

/* The beginnings of a call: whose allocations count from now on. */
void act_as(struct scene *scene, enum side side);

/* Each call's result goes through one of these. did: succeeded. gave: succeeded, the result is in
   scene->last. kept: made a handle, which is closed at the end. */
bool did(struct scene *scene, int64_t result);
bool kept(struct scene *scene, int64_t result, fssl_handle *out);
void scene_close(struct scene *scene, fssl_handle *h);

bool make_client_ctx(struct scene *scene, enum identity_name trust, enum identity_name own);
bool make_server_ctx(struct scene *scene, enum identity_name own, bool demands_client);
bool use_identity(struct scene *scene, fssl_handle ctx, enum identity_name name);
bool trust(struct scene *scene, fssl_handle ctx, enum identity_name name);
bool make_conns(struct scene *scene, const char *host);
bool make_conns_on_sockets(struct scene *scene, const char *host, int ends[2]);
bool use_own(struct scene *scene, fssl_handle conn, enum identity_name name);
bool sha256(const uint8_t *data, int64_t len, uint8_t *digest);
bool shake_hands(struct scene *scene);
bool exchange(struct scene *scene);
bool shut_down(struct scene *scene);

/* Moves ciphertext between the two ends. Returns whether any moved. */
bool carry(struct scene *scene);

/* PEM of the identities, made before anything fails. */
const struct encoded *cert_pem(enum identity_name name);
const struct encoded *key_pem(enum identity_name name);
const struct encoded *key_pem_encrypted(enum identity_name name);
void prepare_identities(void);
void remove_identities(void);

/* Files of them, for those calls that read one. */
extern const char *ca_file, *chain_file, *key_file, *key_file_encrypted;

#define TEXT(text) (text), FSSL_NUL_TERMINATED
#define BYTES(text) ((const uint8_t *)(text)), (int64_t)(sizeof(text) - 1)

#endif
