/* DTLS-SRTP (RFC 5764): the handshake of DTLS settles how media are protected beside it, by SRTP.

   A context's list is a part of its settings and never of its SSL_CTX: OpenSSL would read that one
   while handshakes run, without a lock. So a connection gets the list when it is settled whose it
   is: a client as its handshake begins, a server once the client's hello was answered for, as the
   server name in it, or the caller, may bring another context. */
#include "internal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/srtp.h>

#ifdef OPENSSL_NO_SRTP /* it knows no profile, then */
#define SSL_set_tlsext_use_srtp(ssl, profiles) ((void)(profiles), (ssl) != NULL)
#define SSL_get_selected_srtp_profile(ssl) ((SRTP_PROTECTION_PROFILE *)NULL)
#endif

/* Gives a connection the profiles of its settings. False if memory ran out. */
bool srtp_use(struct conn *conn)
{
    const struct blob *profiles = conn->settings->srtp_profiles;

    /* unlike its neighbours, this one answers 0 for success */
    return !profiles || !SSL_set_tlsext_use_srtp(conn->ssl, (const char *)profiles->data);
}

/* Ends a call whose list OpenSSL did not take; it says why. */
static int64_t refuse_profiles(fssl_handle h, int32_t *err)
{
    struct fault fault;

    fault_begin(&fault, FSSL_E_OPENSSL);
    fault_collect(&fault);
    if (fault.code == FSSL_E_OPENSSL) /* and not for lack of memory */
        fault.code = FSSL_E_ARGUMENT;
    fault_say(&fault, "fssl_ctx_set_srtp_profiles", "bad argument", "profiles");
    return finish_fault(h, &fault, err);
}

/* Has OpenSSL take a list on a connection that is never used, and keeps what it took. */
static int64_t set_profiles(fssl_handle h, struct ctx *ctx, const char *list, int32_t *err)
{
    SSL *probe = SSL_new(ctx->ssl);
    int refused = probe ? SSL_set_tlsext_use_srtp(probe, list) : 0;
    struct settings *settings;
    struct blob *blob;

    SSL_free(probe);
    if (!probe)
        return fail(h, FSSL_E_OPENSSL, err);
    if (refused)
        return refuse_profiles(h, err);
    settings = ctx_change(ctx);
    blob = settings ? blob_new((const uint8_t *)list, strlen(list)) : NULL;
    if (!blob)
        return fail(h, FSSL_E_MEMORY, err);
    blob_drop(settings->srtp_profiles);
    settings->srtp_profiles = blob;
    return finish(h, 0, err);
}

int64_t fssl_ctx_set_srtp_profiles(fssl_handle h, const char *profiles, int64_t profiles_len,
                                   int32_t *err)
{
    struct ctx *ctx;
    char *text;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    failed = take_text(h, "profiles", profiles, profiles_len, &text, err);
    if (failed)
        return failed;
    failed = set_profiles(h, ctx, text, err);
    OPENSSL_free(text);
    return failed;
}

/* Returns what was negotiated; NULL for nothing, and until the peer has passed every check, so that
   no media are sent to one that fails. */
static const SRTP_PROTECTION_PROFILE *negotiated(struct conn *conn)
{
    return conn->established ? SSL_get_selected_srtp_profile(conn->ssl) : NULL;
}

int64_t fssl_conn_srtp_profile(fssl_handle h, int32_t *err)
{
    struct conn *conn;
    const SRTP_PROTECTION_PROFILE *profile;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    profile = negotiated(conn);
    return finish(h, profile ? (int64_t)profile->id : 0, err);
}

int64_t fssl_conn_srtp_profile_name(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct conn *conn;
    const SRTP_PROTECTION_PROFILE *profile;
    int64_t failed = acquire(h, KIND_CONN, &conn, err);

    if (failed)
        return failed;
    profile = negotiated(conn);
    return finish_text(h, profile ? profile->name : NULL, buf, cap, err);
}
