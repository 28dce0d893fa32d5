/* Contexts, and the settings that connections take from them. Part of internal.h. */
#ifndef FLATSSL_CTX_H
#define FLATSSL_CTX_H

#include "x509.h"

/* ---- settings.c ---- */

struct blob {
    atomic_int refs;
    size_t len;
    uint8_t data[];
};

struct blob *blob_new(const uint8_t *data, size_t len);
struct blob *blob_hold(struct blob *blob);
void blob_drop(struct blob *blob);

/* A function of the caller's, cast back to its type where it is called. */
struct push {
    void (*fn)(void);
    int64_t token;
};

struct psk {
    struct psk *next;
    struct blob *identity;
    struct blob *key;
};

void psk_free(struct psk *psk);
bool psk_copy(const struct psk *from, struct psk **copy);
bool psk_used(const SSL *ssl);

/* Where server names lead: see server_name.c. */
struct names {
    size_t count;
    struct {
        struct blob *pattern;
        struct ctx *ctx;
    } item[];
};

struct queue_item;

/* See queue.c. */
struct queue {
    pthread_mutex_t mutex;
    atomic_bool on;
    int64_t capacity;
    int64_t count;
    int64_t dropped;
    int fd; /* where key log lines go too, or -1 */
    struct queue_item *first;
    struct queue_item *last;
};

/* The sessions that a safe client remembers, newest first: see resume.c. */
struct memory {
    pthread_mutex_t mutex;
    atomic_int_least64_t capacity;
    struct remembered *first;
};

void memory_start(struct memory *memory);
void memory_free(struct memory *memory);

void queue_start(struct queue *queue);
void queue_free(struct queue *queue);

struct names *names_copy(const struct names *from);
void names_free(struct names *names);

/* What connections take from a context. Each holds the block that was current when it was made;
   a setter changes the block only while nobody else holds it, and else replaces it (ctx_change).
   The members from cipher_list on are set once the context is in use: OpenSSL reads the context's
   own lists without a lock while handshakes run, so from then on each new connection gets them
   as its own. */
struct settings {
    atomic_int refs;
    bool safe; /* of fssl_ctx_new_client or _server */
    bool buffer_release;
    bool psk_required;
    int32_t queues; /* which are in use, 1 << FSSL_QUEUE_ */
    int64_t read_ahead;
    struct push on_verify;
    struct push on_info;
    struct push on_server_name;
    struct push on_alpn_select;
    struct push on_npn_advertise;
    struct push on_npn_select;
    struct push on_keylog;
    struct push on_ocsp_server;
    struct push on_ocsp_client;
    struct push on_cookie_generate;
    struct push on_cookie_verify;
    struct blob *alpn_preference;
    struct blob *npn_advertised;
    struct blob *npn_preference;
    struct blob *ticket_keys;
    struct blob *cookie_secret;
    struct blob *cookie_former;
    struct blob *ocsp_response;
    struct blob *pins; /* SHA-256 of public keys, one after another */
    struct blob *srtp_profiles;
    struct psk *psk;
    struct names *names;
    STACK_OF(X509_NAME) *client_cas;
    struct blob *cipher_list;
    struct blob *ciphersuites;
    STACK_OF(X509) *extra_chain;
    X509_STORE *trust;
};

struct settings *settings_new(void);
struct settings *settings_copy(const struct settings *from);
struct settings *settings_hold(struct settings *settings);
void settings_drop(struct settings *settings);

/* ---- callback.c: our trampolines, installed once in every SSL_CTX ---- */

void install_trampolines(SSL_CTX *ssl);
void install_on(SSL *ssl, const struct settings *settings);
void install_late(SSL_CTX *ssl, const struct settings *settings);

/* ---- ctx.c, ctx_apart.c, ctx_credential.c, ctx_trust.c ---- */

struct ctx {
    struct object object;
    SSL_CTX *ssl;
    struct settings *settings;
    bool used;         /* a connection was made of it */
    bool system_trust; /* its store is the shared one of the system */
    bool named;        /* a server name of another context leads to it */
    bool dtls;         /* its method is one of DTLS */
    bool client;       /* its method allows only this side */
    bool server;
    int64_t mode; /* as the caller sees it */
    int64_t app_data;
    struct blob *passphrase;
    struct push on_passphrase;
    struct asking *asking; /* threads inside on_passphrase */
    struct queue queue[FSSL_QUEUE_INFO + 1];
    struct memory memory;
};

/* A bit of ours in OpenSSL's session cache mode: the caller wants no session stored. */
enum { CACHE_STORES_NONE = 1 << 30 };

int32_t method_code(int32_t method);
struct ctx *ctx_make(int32_t method, OSSL_LIB_CTX *library);
struct settings *ctx_change(struct ctx *ctx);
SSL *ctx_make_ssl(struct ctx *ctx, struct settings **settings);
bool settings_apply(const struct settings *settings, SSL *ssl);
void ctx_free(struct object *object);
bool options_known(int64_t options);
bool version_known(int32_t version, bool dtls);
bool protos_valid(const uint8_t *protos, int64_t len);
int ctx_trust_system(struct ctx *ctx);
bool file_read(const char *path, uint8_t **data, size_t *len);
int64_t take_file(fssl_handle h, const char *path, int64_t path_len, uint8_t **data, size_t *len,
                  int32_t *err);

/* A thread inside the passphrase callback of a context. */
struct asking {
    struct asking *next;
    pthread_t thread;
    char *buf;
    int size;
    int len;
};

#endif
