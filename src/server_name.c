/* Which context a server name leads to: by a map that is data, or by the caller's callback. */
#include "internal.h"

#include <ctype.h>
#include <string.h>

#include <openssl/crypto.h>

enum { NAMES_MAX = 65536 };

/* ---- the map, in the settings ---- */

struct names *names_copy(const struct names *from)
{
    struct names *copy = OPENSSL_zalloc(sizeof *copy + (from->count + 1) * sizeof *copy->item);

    if (!copy)
        return NULL;
    copy->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        copy->item[i].pattern = blob_hold(from->item[i].pattern);
        copy->item[i].ctx = object_hold(from->item[i].ctx);
    }
    return copy;
}

void names_free(struct names *names)
{
    for (size_t i = 0; names && i < names->count; i++) {
        blob_drop(names->item[i].pattern);
        object_drop(names->item[i].ctx);
    }
    OPENSSL_free(names);
}

/* Tells whether a name matches a pattern, whose first label may be "*": without case. */
static bool matches(const char *pattern, const char *name)
{
    const char *dot = strchr(name, '.');

    if (pattern[0] == '*' && pattern[1] == '.')
        return dot && dot > name && OPENSSL_strcasecmp(pattern + 1, dot) == 0;
    return OPENSSL_strcasecmp(pattern, name) == 0;
}

/* Finds the context for a name: one that names it in full goes before one with a wildcard. */
static struct ctx *names_find(const struct names *names, const char *name)
{
    struct ctx *wildcard = NULL;

    for (size_t i = 0; names && i < names->count; i++) {
        const char *pattern = (const char *)names->item[i].pattern->data;

        if (!matches(pattern, name))
            continue;
        if (pattern[0] != '*')
            return names->item[i].ctx;
        if (!wildcard)
            wildcard = names->item[i].ctx;
    }
    return wildcard;
}

/* Decides what the client's server name leads to. False if the handshake must fail. */
bool server_name_decide(struct conn *conn)
{
    const struct settings *settings = conn->settings;
    struct ctx *ctx = NULL;
    bool ok;

    if (settings->on_server_name.fn)
        return call_server_name(conn, &settings->on_server_name);
    if (conn->hello_name)
        ctx = names_find(settings->names, conn->hello_name);
    if (!ctx)
        return true;
    lock_take(&ctx->object.lock);
    ok = conn_use_context(conn, ctx);
    lock_give(&ctx->object.lock);
    conn->name_known = ok;
    return ok;
}

/* ---- filling it ---- */

static bool is_pattern(char *text)
{
    bool ip, wildcard = text[0] == '*' && text[1] == '.';

    return host_prepare(wildcard ? text + 2 : text, &ip) && !ip && !strchr(text + wildcard, '*');
}

/* Adds to the map, or replaces what the pattern led to. False if memory ran out, also where there
   are no settings. */
static bool names_put(struct settings *settings, const char *text, struct ctx *ctx)
{
    const struct names none = {0};
    const struct names *from = settings && settings->names ? settings->names : &none;
    struct blob *pattern = blob_new((const uint8_t *)text, strlen(text));
    struct names *names = settings && pattern ? names_copy(from) : NULL;
    size_t at = 0;

    if (!names || names->count == NAMES_MAX) {
        names_free(names);
        blob_drop(pattern);
        return false;
    }
    while (at < names->count && OPENSSL_strcasecmp((const char *)names->item[at].pattern->data,
                                                   (const char *)pattern->data) != 0)
        at++;
    if (at < names->count) {
        blob_drop(names->item[at].pattern);
        object_drop(names->item[at].ctx);
    } else {
        names->count++;
    }
    names->item[at].pattern = pattern;
    names->item[at].ctx = object_hold(ctx);
    names_free(settings->names);
    settings->names = names;
    return true;
}

/* Takes a reference to the context that a name shall lead to; it must lead nowhere itself, so that
   contexts never hold each other. */
static int64_t take_target(fssl_handle h, struct ctx **out, int32_t *err)
{
    struct ctx *ctx;
    int64_t failed = acquire(h, KIND_CTX, &ctx, err);

    if (failed)
        return failed;
    if (ctx->settings->names)
        return refuse_state(h, "the context has server names of its own", err);
    ctx->named = true;
    *out = object_hold(ctx);
    return finish(h, 0, err);
}

static int64_t finish_name(fssl_handle h, struct ctx *ctx, char *text, struct ctx *target,
                           int32_t *err)
{
    if (!is_pattern(text))
        return refuse(h, "name", err);
    if (!names_put(ctx_change(ctx), text, target))
        return fail(h, FSSL_E_MEMORY, err);
    return finish(h, 0, err);
}

int64_t fssl_ctx_add_server_name(fssl_handle h, const char *name, int64_t name_len,
                                 fssl_handle target, int32_t *err)
{
    struct ctx *ctx, *other = NULL;
    char *text;
    int64_t failed = take_target(target, &other, err);

    if (failed)
        return failed;
    failed = acquire(h, KIND_CTX, &ctx, err);
    if (!failed && (ctx->named || ctx == other))
        failed = refuse_state(h, "another context's name leads here", err);
    if (!failed && ctx->dtls != other->dtls)
        failed = refuse(h, "target", err);
    if (!failed)
        failed = take_text(h, "name", name, name_len, &text, err);
    if (!failed) {
        failed = finish_name(h, ctx, text, other, err);
        OPENSSL_free(text);
    }
    object_drop(other);
    return failed;
}
