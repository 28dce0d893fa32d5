/* Sessions that a safe client's context remembers, so that connecting again is cheap.

   A session stands for a verification that was done before. So it is remembered only where that was
   complete (the peer passed every check of a connection that verifies and expects a host, nothing
   waived, nobody asked, no session of the caller's resumed), and offered only under the same
   policy: the same host and server name, the same settings, trust, own certificate, verify mode,
   flags and versions. Whatever the policy does not cover (pins, pre-shared keys, callbacks,
   questions, a stapled response that is wanted) keeps a connection out of it. ALPN is negotiated
   anew in every handshake and needs no part in it.

   TLS 1.3 sessions are offered once, as RFC 8446 wants it, so that connections cannot be linked. */
#include "internal.h"

#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

enum { REMEMBERED_MAX = 1 << 20, REMEMBERED_ALIKE = 4 };

/* What a peer was verified under. The first members are compared as they are. */
struct policy {
    struct {
        struct settings *settings;
        X509_STORE *store;
        X509 *own;
        uint64_t options;
        unsigned long flags;
        unsigned long store_flags;
        int store_objects; /* a revocation list may have come */
        int mode;
        int depth;
        int lowest;
        int highest;
        int level;
    } plain;
    char *host;
    char *name; /* sent as server name, or NULL */
    atomic_int refs;
};

struct remembered {
    struct remembered *next;
    SSL_SESSION *session;
    struct policy *policy;
};

/* ---- policies ---- */

void policy_drop(struct policy *policy)
{
    if (!policy || atomic_fetch_sub_explicit(&policy->refs, 1, memory_order_acq_rel) > 1)
        return;
    settings_drop(policy->plain.settings);
    X509_STORE_free(policy->plain.store);
    X509_free(policy->plain.own);
    OPENSSL_free(policy->host);
    OPENSSL_free(policy->name);
    OPENSSL_free(policy);
}

static bool read_store(struct policy *policy, X509_STORE *store)
{
    policy->plain.store_objects = store_size(store);
    X509_STORE_lock(store);
    policy->plain.store_flags = X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store));
    X509_STORE_unlock(store);
    return policy->plain.store_objects >= 0;
}

/* Reads the policy of a connection as it is now; NULL if memory ran out. */
static struct policy *policy_of(const struct conn *conn)
{
    struct policy *policy = OPENSSL_zalloc(sizeof *policy);
    const char *name = SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name);
    X509_STORE *store = conn->settings->trust;
    X509 *own = SSL_get_certificate(conn->ssl);

    if (!policy)
        return NULL;
    if (!store)
        store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(conn->ssl));
    policy->refs = 1;
    policy->plain.settings = settings_hold(conn->settings);
    policy->plain.store = X509_STORE_up_ref(store) ? store : NULL;
    policy->plain.own = own && X509_up_ref(own) ? own : NULL;
    policy->plain.options = SSL_get_options(conn->ssl);
    policy->plain.flags = X509_VERIFY_PARAM_get_flags(SSL_get0_param(conn->ssl));
    policy->plain.mode = SSL_get_verify_mode(conn->ssl);
    policy->plain.depth = SSL_get_verify_depth(conn->ssl);
    policy->plain.lowest = (int)SSL_get_min_proto_version(conn->ssl);
    policy->plain.highest = (int)SSL_get_max_proto_version(conn->ssl);
    policy->plain.level = SSL_get_security_level(conn->ssl);
    policy->host = OPENSSL_strdup(conn->host);
    policy->name = name ? OPENSSL_strdup(name) : NULL;
    if (read_store(policy, store) && policy->host && !name == !policy->name &&
        policy->plain.store && !own == !policy->plain.own)
        return policy;
    policy_drop(policy);
    return NULL;
}

static bool policy_same(const struct policy *a, const struct policy *b)
{
    return memcmp(&a->plain, &b->plain, sizeof a->plain) == 0 && strcmp(a->host, b->host) == 0 &&
           !a->name == !b->name && (!a->name || strcmp(a->name, b->name) == 0);
}

/* ---- a context's memory ---- */

void memory_start(struct memory *memory)
{
    pthread_mutex_init(&memory->mutex, NULL);
}

static void remembered_free(struct remembered *item)
{
    SSL_SESSION_free(item->session);
    policy_drop(item->policy);
    OPENSSL_free(item);
}

/* Takes out all items that are of a policy (of any for NULL) behind the first `keep` of them. */
static void memory_cut(struct memory *memory, const struct policy *policy, int64_t keep)
{
    struct remembered **at = &memory->first;

    while (*at) {
        struct remembered *item = *at;

        if ((policy && !policy_same(item->policy, policy)) || keep-- > 0) {
            at = &item->next;
            continue;
        }
        *at = item->next;
        remembered_free(item);
    }
}

void memory_free(struct memory *memory)
{
    memory_cut(memory, NULL, 0);
    pthread_mutex_destroy(&memory->mutex);
}

/* Tells whether a session may be offered now. Each resumption makes a new one, so that its own time
   may never be up: what was verified once is good until the peer's certificate expires. */
static bool usable(SSL_SESSION *session)
{
    const X509 *peer = SSL_SESSION_get0_peer(session);

    return SSL_SESSION_is_resumable(session) &&
           time(NULL) - session_made(session) < SSL_SESSION_get_timeout(session) && peer &&
           ASN1_TIME_cmp_time_t(X509_get0_notAfter(peer), time(NULL)) > 0;
}

/* Returns the newest session of a policy that is still good, or NULL. The caller frees it. */
static SSL_SESSION *recall(struct memory *memory, const struct policy *policy)
{
    struct remembered **at = &memory->first, *item;
    SSL_SESSION *session = NULL;

    pthread_mutex_lock(&memory->mutex);
    while (!session && (item = *at)) {
        if (!policy_same(item->policy, policy)) {
            at = &item->next;
            continue;
        }
        if (usable(item->session) && SSL_SESSION_up_ref(item->session))
            session = item->session;
        if (session && SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
            break;
        *at = item->next;
        remembered_free(item);
    }
    pthread_mutex_unlock(&memory->mutex);
    return session;
}

/* ---- connections ---- */

/* Tells whether a connection's policy says all about what its peer must be. */
static bool resumes(const struct conn *conn)
{
    const struct settings *settings = conn->settings;

    return conn->client && settings->safe && conn->host && !conn->inquiry && !settings->pins &&
           !settings->psk && !settings->on_verify.fn &&
           (SSL_get_verify_mode(conn->ssl) & SSL_VERIFY_PEER) &&
           SSL_get_tlsext_status_type(conn->ssl) == -1 &&
           atomic_load_explicit(&conn->ctx->memory.capacity, memory_order_relaxed) > 0;
}

/* At the beginning of a client's handshake: offers a session that fits, unless the caller did. */
void resume_begin(struct conn *conn, bool offered)
{
    SSL_SESSION *session;

    if (!resumes(conn))
        return;
    conn->policy = policy_of(conn);
    session = conn->policy && !offered ? recall(&conn->ctx->memory, conn->policy) : NULL;
    if (session)
        SSL_set_session(conn->ssl, session);
    conn->seen = session;
    SSL_SESSION_free(session); /* the connection holds it */
}

static void remember(struct conn *conn, SSL_SESSION *session)
{
    struct memory *memory = &conn->ctx->memory;
    struct policy *now = resumes(conn) ? policy_of(conn) : NULL;
    struct remembered *item = OPENSSL_zalloc(sizeof *item);
    bool same = now && policy_same(now, conn->policy);

    policy_drop(now);
    if (!item || !same || !SSL_SESSION_is_resumable(session) || conn->waived || conn->host_waived ||
        SSL_get_verify_result(conn->ssl) != X509_V_OK || !SSL_SESSION_up_ref(session)) {
        OPENSSL_free(item);
        return;
    }
    atomic_fetch_add(&conn->policy->refs, 1);
    item->policy = conn->policy;
    item->session = session;
    pthread_mutex_lock(&memory->mutex);
    item->next = memory->first;
    memory->first = item;
    memory_cut(memory, item->policy, REMEMBERED_ALIKE);
    memory_cut(memory, NULL, atomic_load(&memory->capacity));
    pthread_mutex_unlock(&memory->mutex);
}

/* Looks whether a ticket of TLS 1.3 has come: each makes a session of its own. (OpenSSL would call
   us for new sessions, but only of contexts whose used sessions it then takes out of use, also
   those that a caller offers twice.) */
void resume_look(struct conn *conn)
{
    SSL_SESSION *session = SSL_get_session(conn->ssl);

    if (session == conn->seen || !conn->established || SSL_version(conn->ssl) < TLS1_3_VERSION)
        return;
    conn->seen = session;
    remember(conn, session);
}

/* The handshake has ended well, and before TLS 1.3 the session is whole. */
void resume_end(struct conn *conn)
{
    SSL_SESSION *session = SSL_get_session(conn->ssl);

    if (!conn->policy)
        return;
    if (!conn->seen && SSL_session_reused(conn->ssl)) {
        policy_drop(conn->policy); /* it is the caller's, verified under who knows what policy */
        conn->policy = NULL;
        return;
    }
    if (session != conn->seen && SSL_version(conn->ssl) < TLS1_3_VERSION)
        remember(conn, session);
    conn->seen = session;
}

/* It has failed, maybe for the session: the next one is a full one. */
void resume_fail(struct conn *conn)
{
    struct memory *memory = &conn->ctx->memory;

    if (!conn->policy || conn->established)
        return;
    pthread_mutex_lock(&memory->mutex);
    memory_cut(memory, conn->policy, 0);
    pthread_mutex_unlock(&memory->mutex);
}

int64_t fssl_ctx_set_resumption(fssl_handle h, int64_t sessions, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (sessions < 0 || sessions > REMEMBERED_MAX)
        return refuse(h, "sessions", err);
    if (!ctx->client || !ctx->settings->safe || ctx->dtls)
        return refuse_state(h, "not a context of fssl_ctx_new_client", err);
    pthread_mutex_lock(&ctx->memory.mutex);
    atomic_store(&ctx->memory.capacity, sessions);
    memory_cut(&ctx->memory, NULL, sessions);
    pthread_mutex_unlock(&ctx->memory.mutex);
    return finish(h, 0, err);
}
