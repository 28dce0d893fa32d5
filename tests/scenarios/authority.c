#include "authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

enum { DAY = 86400 };

static const struct wish {
    const char *name;
    enum issuer issuer;
    const char *constraints; /* "critical,CA:TRUE" */
    const char *key_usage;   /* "critical,keyCertSign,cRLSign" */
    const char *extra;
    const char *digest;
    int until;
    enum kind kind;
} wishes[ISSUERS] = {
    [ROOT] = {.name = "root"},
    [MIDDLE] = {.name = "middle"},
    [STRANGER] = {.name = "stranger", .issuer = STRANGER},
    [OLD] = {.name = "old", .until = -1},
    [BY_SHA1] = {.name = "by SHA-1", .digest = "sha1"},
    [BY_RSA] = {.name = "by RSA", .kind = RSA_2048},
    [NO_CA] = {.name = "a server",
               .constraints = "critical,CA:FALSE",
               .key_usage = "critical,digitalSignature"},
    [NO_SIGN] = {.name = "no signer", .key_usage = "critical,cRLSign"},
    [CLIENTS] = {.name = "for clients", .extra = "extendedKeyUsage=clientAuth"},
    [PATH_0] = {.name = "path of 0", .constraints = "critical,CA:TRUE,pathlen:0"},
    [BELOW] = {.name = "below", .issuer = PATH_0},
    [PERMITTED] = {.name = "permitted",
                   .extra = "nameConstraints=critical,permitted;DNS:allowed.test,"
                            "permitted;IP:10.0.0.0/255.0.0.0"},
    [EXCLUDED] = {.name = "excluded",
                  .extra = "nameConstraints=critical,excluded;DNS:forbidden.test"},
};

static struct identity made[ISSUERS];

void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "cannot make %s\n", what);
    exit(2);
}

static EVP_PKEY *key_make(enum kind kind)
{
    EVP_PKEY *key = kind == EC         ? EVP_EC_gen("P-256")
                    : kind == RSA_2048 ? EVP_RSA_gen(2048)
                    : kind == RSA_1024 ? EVP_RSA_gen(1024)
                                       : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    must(key, "a key");
    return key;
}

static void add(X509 *cert, X509 *issuer, const char *name, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    if (!*value)
        return;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf(NULL, &context, name, value);
    must(extension && X509_add_ext(cert, extension, -1), value);
    X509_EXTENSION_free(extension);
}

/* Adds an extension given as name=value. */
static void add_extra(X509 *cert, X509 *issuer, const char *extra)
{
    char name[64];
    const char *equals = extra ? strchr(extra, '=') : NULL;

    if (!equals)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(equals - extra), extra);
    add(cert, issuer, name, equals + 1);
}

static void add_raw_names(X509 *cert, const char *der, int len)
{
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    ASN1_OCTET_STRING_set(data, (const uint8_t *)der, len);
    extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, data);
    must(extension && X509_add_ext(cert, extension, -1), "names");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(data);
}

/* A certificate with all but its extensions and signature. */
static X509 *begin(const char *common_name, bool no_subject, X509 *issuer, EVP_PKEY *key)
{
    static long serial = 0x1000;
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();

    if (!no_subject)
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"flatssl", -1, -1, 0);
    if (!no_subject && *common_name)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)common_name, -1, -1,
                                   0);
    must(X509_set_version(cert, X509_VERSION_3) && X509_set_subject_name(cert, name) &&
             X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name) &&
             X509_set_pubkey(cert, key),
         common_name);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_NAME_free(name);
    return cert;
}

static void valid(X509 *cert, int from, int until)
{
    X509_gmtime_adj(X509_getm_notBefore(cert), (long)from * DAY);
    X509_gmtime_adj(X509_getm_notAfter(cert), (long)until * DAY);
}

static void sign(X509 *cert, EVP_PKEY *key, const char *digest)
{
    const EVP_MD *md = EVP_get_digestbyname(digest ? digest : "sha256");

    must(X509_sign(cert, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : md) > 0, "a signature");
}

/* ---- authorities ---- */

enum issuer authority_issuer(enum issuer name)
{
    if (name > DEEP_1 && name <= DEEP_10)
        return name - 1;
    return wishes[name].issuer;
}

const struct identity *authority(enum issuer name)
{
    const struct wish *wish = &wishes[name];
    enum issuer by = authority_issuer(name);
    const struct identity *issuer = by == name ? NULL : authority(by);
    char deep[32];
    X509 *cert;

    if (made[name].cert)
        return &made[name];
    snprintf(deep, sizeof deep, "deep %d", (int)name);
    made[name].key = key_make(wish->kind);
    cert =
        begin(wish->name ? wish->name : deep, false, issuer ? issuer->cert : NULL, made[name].key);
    valid(cert, -10, wish->until ? wish->until : 30);
    add(cert, cert, "basicConstraints", wish->constraints ? wish->constraints : "critical,CA:TRUE");
    add(cert, cert, "keyUsage", wish->key_usage ? wish->key_usage : "critical,keyCertSign,cRLSign");
    add(cert, cert, "subjectKeyIdentifier", "hash");
    add(cert, issuer ? issuer->cert : cert, "authorityKeyIdentifier", "keyid:always");
    add_extra(cert, cert, wish->extra);
    sign(cert, issuer ? issuer->key : made[name].key, wish->digest);
    made[name].cert = cert;
    return &made[name];
}

/* ---- servers ---- */

static const char * or (const char *given, const char *otherwise)
{
    return given ? given : otherwise;
}

/* Flips a bit of the signature. */
static void spoil(X509 *cert)
{
    const ASN1_BIT_STRING *signature;

    X509_get0_signature(&signature, NULL, cert);
    ((uint8_t *)(uintptr_t)ASN1_STRING_get0_data(signature))[ASN1_STRING_length(signature) - 1] ^=
        1;
}

struct identity leaf_make(const struct leaf *leaf)
{
    const struct identity *issuer = leaf->issuer == SELF ? NULL : authority(leaf->issuer);
    struct identity server = {NULL, key_make(leaf->kind)};
    X509 *cert = begin(or (leaf->common_name, "host.test"), leaf->no_subject,
                       issuer ? issuer->cert : NULL, server.key);
    X509 *signer = issuer ? issuer->cert : cert;

    valid(cert, leaf->from ? leaf->from : -10, leaf->until ? leaf->until : 30);
    add(cert, signer, "basicConstraints", or (leaf->constraints, "CA:FALSE"));
    add(cert, signer, "keyUsage", or (leaf->key_usage, "critical,digitalSignature"));
    add(cert, signer, "extendedKeyUsage", or (leaf->usage, "serverAuth"));
    add(cert, signer, "subjectKeyIdentifier", "hash");
    if (!leaf->no_key_id)
        add(cert, signer, "authorityKeyIdentifier", "keyid:always");
    if (leaf->raw_names)
        add_raw_names(cert, leaf->raw_names, leaf->raw_len);
    else
        add(cert, signer, "subjectAltName", or (leaf->alt_names, "DNS:host.test"));
    add_extra(cert, signer, leaf->extra);
    sign(cert, issuer ? issuer->key : server.key, leaf->digest);
    if (leaf->spoilt)
        spoil(cert);
    server.cert = cert;
    return server;
}
