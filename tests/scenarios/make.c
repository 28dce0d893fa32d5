/* Makes the scenarios, in a directory: for each the server's chain and key and whom the client
   trusts, and one list of all, scenarios.tsv, which the runners read. */
#include "authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { MANY_NAMES = 1, MOST_NAMES = 2, CRL_NONE = 0, CRL_GOOD, CRL_REVOKES, CRL_LACKS, CRL_OLD };

static const struct scenario {
    const char *name;
    const char *expected; /* the code with which a client's handshake ends */
    const char *host;     /* "host.test" */
    struct leaf leaf;
    int crl;
    int names;      /* many of them, the host's the last */
    bool alone;     /* the server sends no issuer */
    bool with_root; /* the server sends a root too */
} scenarios[] = {
#include "scenarios.inc"
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static FILE *create(const char *folder, int number, const char *suffix)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%02d.%s", folder, number, suffix);
    file = fopen(path, "w");
    must(file, path);
    return file;
}

static void write_chain(FILE *file, const struct scenario *scenario, X509 *leaf)
{
    enum issuer at = scenario->leaf.issuer;

    PEM_write_X509(file, leaf);
    for (; at != SELF && authority_issuer(at) != at && !scenario->alone; at = authority_issuer(at))
        PEM_write_X509(file, authority(at)->cert);
    if (scenario->with_root)
        PEM_write_X509(file, authority(at)->cert);
    fclose(file);
}

/* A CRL of the root, which may name the leaf, and may be out of date. */
static void write_crl(FILE *file, int which, X509 *leaf)
{
    const struct identity *root = authority(ROOT);
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = X509_gmtime_adj(NULL, -20L * 86400);
    ASN1_TIME *until = X509_gmtime_adj(NULL, (which == CRL_OLD ? -1L : 20L) * 86400);
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    X509_REVOKED *revoked = X509_REVOKED_new();
    X509V3_CTX context;
    X509_EXTENSION *key_id;

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(root->cert));
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, until);
    X509V3_set_ctx(&context, root->cert, NULL, NULL, crl, 0);
    key_id = X509V3_EXT_conf(NULL, &context, "authorityKeyIdentifier", "keyid:always");
    ASN1_INTEGER_set(number, 7);
    X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(leaf));
    X509_REVOKED_set_revocationDate(revoked, from);
    must(X509_CRL_add_ext(crl, key_id, -1) &&
             X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) &&
             (which != CRL_REVOKES || X509_CRL_add0_revoked(crl, revoked)) &&
             X509_CRL_sign(crl, root->key, EVP_sha256()),
         "a CRL");
    PEM_write_X509_CRL(file, crl);
    X509_EXTENSION_free(key_id);
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    if (which != CRL_REVOKES)
        X509_REVOKED_free(revoked);
    X509_CRL_free(crl);
}

/* Returns alternative names, the last of which is the host's. */
static char *many_names(int which)
{
    int count = which == MANY_NAMES ? 1000 : 10000;
    char *names = malloc((size_t)count * 10 + 20);
    size_t at = 0;

    for (int i = 1; i < count; i++)
        at += (size_t)sprintf(names + at, "DNS:n%04d,", i % 10000);
    strcpy(names + at, "DNS:host.test");
    return names;
}

static void make(const char *folder, int number, FILE *list)
{
    const struct scenario *scenario = &scenarios[number];
    char *names = scenario->names ? many_names(scenario->names) : NULL;
    struct leaf leaf = scenario->leaf;
    struct identity server;
    FILE *file;

    if (names)
        leaf.alt_names = names;
    server = leaf_make(&leaf);
    write_chain(create(folder, number, "chain"), scenario, server.cert);
    file = create(folder, number, "key");
    must(PEM_write_PrivateKey(file, server.key, NULL, NULL, 0, NULL, NULL), "a key's file");
    fclose(file);
    file = create(folder, number, "trust");
    PEM_write_X509(file, authority(ROOT)->cert);
    if (scenario->crl != CRL_NONE && scenario->crl != CRL_LACKS)
        write_crl(file, scenario->crl, server.cert);
    fclose(file);
    fprintf(list, "%02d\t%s\t%s\t%s\t%d\n", number, scenario->name, scenario->expected,
            scenario->host ? scenario->host : "host.test", scenario->crl != CRL_NONE);
    X509_free(server.cert);
    EVP_PKEY_free(server.key);
    free(names);
}

int main(int argc, char **argv)
{
    char path[4096];
    FILE *list;

    must(argc == 2, "anything without a directory");
    snprintf(path, sizeof path, "%s/scenarios.tsv", argv[1]);
    list = fopen(path, "w");
    must(list, path);
    for (int i = 0; i < SCENARIOS; i++)
        make(argv[1], i, list);
    fclose(list);
    return 0;
}
