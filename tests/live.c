#include "live.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "builder.h"
#include "pair.h"
#include "surface.h"

fssl_handle live[LIVE_TYPES];
fssl_handle live_stale;

int64_t live_type_named(const char *parameter)
{
    static const char *const others[][2] = {
        {"target", "ctx"}, {"subject", "cert"}, {"issuer", "cert"}, {"other", "name"}};
    char name[64] = "FSSL_TYPE_";
    size_t len = strlen(name);

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (strcmp(others[i][0], parameter) == 0)
            parameter = others[i][1];
    }
    for (; *parameter && len < sizeof name - 1; parameter++)
        name[len++] = (char)toupper((unsigned char)*parameter);
    for (size_t i = 0; i < COUNT_OF(surface_constants); i++) {
        if (strcmp(surface_constants[i].name, name) == 0)
            return surface_constants[i].value;
    }
    return FSSL_TYPE_ANY;
}

/* ---- what takes time is made once and kept as bytes ---- */

static struct bytes session_bytes, req_bytes, crl_bytes;

static void build_session(void)
{
    struct pair pair = pair_established(&(struct pair_plan){.version = FSSL_TLS1_2_VERSION});
    fssl_handle session = CHECK_MADE(fssl_conn_session(pair.client, &err));

    session_bytes = *bytes_of(fssl_session_to_bytes, session);
    check_close(session);
    pair_close(&pair);
}

static void build_req(fssl_handle key)
{
    fssl_handle req = CHECK_MADE(fssl_req_new(&err)), name = build_name("a request");

    CHECK_OK(fssl_req_set_subject(req, name, &err));
    CHECK_OK(fssl_req_set_public_key(req, key, &err));
    CHECK_OK(fssl_req_sign(req, key, TEXT("sha256"), &err));
    req_bytes = *bytes_of(fssl_req_to_der, req);
    check_close(name);
    check_close(req);
}

static void build_all(void)
{
    fssl_handle key = identity_key_handle(ID_CA), ca = identity_cert_handle(ID_CA);
    fssl_handle crl = build_crl(ca, key, true);

    crl_bytes = *bytes_of(fssl_crl_to_der, crl);
    build_req(key);
    build_session();
    check_close(crl);
    check_close(ca);
    check_close(key);
}

/* ---- one of each type ---- */

static fssl_handle new_revoked(void)
{
    fssl_handle revoked = CHECK_MADE(fssl_revoked_new(&err));

    CHECK_OK(fssl_revoked_set_serial(revoked, TEXT("1234"), 16, &err));
    CHECK_OK(fssl_revoked_set_date(revoked, BUILT_FROM, &err));
    return revoked;
}

/* Whatever else is made of nothing, by fssl_spki_new and its like. */
static void make_the_rest(void)
{
    for (size_t i = 0; i < COUNT_OF(surface_functions); i++) {
        const struct surface_function *function = &surface_functions[i];
        char noun[64] = "", expected[80];
        int64_t type;

        sscanf(function->name, "fssl_%60[a-z0-9]", noun);
        snprintf(expected, sizeof expected, "fssl_%s_new", noun);
        type = live_type_named(noun);
        if (function->count == 1 && strcmp(function->name, expected) == 0 && type > 0 &&
            type < LIVE_TYPES && !live[type])
            live[type] = CHECK_MADE(((int64_t(*)(int32_t *))function->call)(&err));
    }
}

void live_use_memory(int memory)
{
    fssl_handle ctx = live[FSSL_TYPE_CTX];

    if (live[FSSL_TYPE_CONN])
        fssl_handle_close(live[FSSL_TYPE_CONN], NULL);
    live[FSSL_TYPE_CONN] =
        CHECK_MADE(memory ? fssl_conn_new_memory(ctx, &err) : fssl_conn_new(ctx, FSSL_NO_FD, &err));
}

void live_open(void)
{
    if (session_bytes.len == 0)
        build_all();
    memset(live, 0, sizeof live);
    live[FSSL_TYPE_CTX] = CHECK_MADE(fssl_ctx_new(FSSL_TLS_METHOD, &err));
    live[FSSL_TYPE_KEY] = identity_key_handle(ID_CA);
    live[FSSL_TYPE_CERT] = identity_cert_handle(ID_CA);
    live[FSSL_TYPE_NAME] = build_name("a name");
    live[FSSL_TYPE_EXT] = build_ext("basicConstraints", "CA:TRUE", 0, 0);
    live[FSSL_TYPE_REVOKED] = new_revoked();
    live[FSSL_TYPE_REQ] = CHECK_MADE(fssl_req_from_der(req_bytes.data, req_bytes.len, &err));
    live[FSSL_TYPE_CRL] = CHECK_MADE(fssl_crl_from_der(crl_bytes.data, crl_bytes.len, &err));
    live[FSSL_TYPE_SESSION] = CHECK_MADE(
        fssl_session_from_bytes(live[FSSL_TYPE_CTX], session_bytes.data, session_bytes.len, &err));
    make_the_rest();
    live[FSSL_TYPE_CHAIN] =
        CHECK_MADE(fssl_chain_new(live[FSSL_TYPE_STORE], live[FSSL_TYPE_CERT], &err));
    live_use_memory(1);
    live_stale = CHECK_MADE(fssl_store_new(&err));
    check_close(live_stale);
}

void live_close(void)
{
    for (int i = 0; i < LIVE_TYPES; i++) {
        if (live[i])
            check_close(live[i]);
    }
}

void live_renew(void)
{
    for (int i = 0; i < LIVE_TYPES; i++) {
        if (live[i])
            fssl_handle_close(live[i], NULL);
    }
    live_open();
}
