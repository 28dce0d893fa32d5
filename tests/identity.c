#include "identity.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "check.h"

enum { DAY = 86400, RSA_BITS = 2048 };

#define HERE "DNS:localhost,IP:127.0.0.1,IP:::1"

static const struct wish {
    enum identity_name issuer;
    bool rsa;
    const char *common_name;
    const char *alt_names; /* NULL for a CA */
    const char *usage;
    int until; /* in days from now */
} wishes[ID_LIMIT] = {
    [ID_CA] = {ID_CA, false, "flatssl test CA", NULL, NULL, 30},
    [ID_MIDDLE_CA] = {ID_CA, false, "flatssl middle CA", NULL, NULL, 30},
    [ID_OTHER_CA] = {ID_OTHER_CA, false, "another CA", NULL, NULL, 30},
    [ID_EC] = {ID_CA, false, "localhost", HERE, "serverAuth", 30},
    [ID_RSA] = {ID_CA, true, "localhost", HERE, "serverAuth", 30},
    [ID_CHAINED] = {ID_MIDDLE_CA, false, "localhost", HERE, "serverAuth", 30},
    [ID_CLIENT] = {ID_CA, false, "a client", "email:client@example.test", "clientAuth", 30},
    [ID_OTHER] = {ID_OTHER_CA, false, "localhost", HERE, "serverAuth,clientAuth", 30},
    [ID_EXPIRED] = {ID_CA, false, "localhost", HERE, "serverAuth", -1},
    [ID_WILDCARD] = {ID_CA, false, "wildcard", "DNS:*.example.test,DNS:*.2.3.4", "serverAuth", 30},
    [ID_COMMON_NAME] = {ID_CA, false, "localhost", "DNS:elsewhere.test", "serverAuth", 30},
    [ID_MANY_NAMES] = {ID_CA, false, "caf\xc3\xa9",
                       "DNS:one.test,email:two@test,URI:https://three.test/,IP:10.1.2.3,"
                       "IP:::1,RID:1.2.3.4",
                       "serverAuth", 30},
};

static struct identity made[ID_LIMIT];
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* Without its means a test program can only stop. */
static void must(bool done, const char *what)
{
    if (done)
        return;
    printf("cannot make %s\n", what);
    exit(2);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(cert, extension, -1), value);
    X509_EXTENSION_free(extension);
}

/* What X509_V_FLAG_X509_STRICT demands, which the safe contexts set. */
static void add_extensions(X509 *cert, X509 *issuer, const struct wish *wish)
{
    bool ca = !wish->alt_names;

    add_extension(cert, issuer, NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
    add_extension(cert, issuer, NID_key_usage,
                  ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    add_extension(cert, issuer, NID_subject_key_identifier, "hash");
    add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always");
    if (ca)
        return;
    add_extension(cert, issuer, NID_subject_alt_name, wish->alt_names);
    add_extension(cert, issuer, NID_ext_key_usage, wish->usage);
}

static void add_name(X509_NAME *name, const char *type, const char *value)
{
    must(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0),
         value);
}

static void set_subject(X509 *cert, const char *common_name)
{
    X509_NAME *name = X509_NAME_new();

    add_name(name, "O", "flatssl");
    add_name(name, "CN", common_name);
    must(X509_set_subject_name(cert, name), common_name);
    X509_NAME_free(name);
}

static X509 *make_cert(enum identity_name name, EVP_PKEY *key)
{
    const struct wish *wish = &wishes[name];
    const struct identity *issuer = &made[wish->issuer];
    X509 *cert = X509_new();
    X509 *signer = wish->issuer == name ? cert : issuer->cert;

    must(cert && X509_set_version(cert, X509_VERSION_3), "a certificate");
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x1000 + (long)name);
    X509_gmtime_adj(X509_getm_notBefore(cert), -10L * DAY);
    X509_gmtime_adj(X509_getm_notAfter(cert), (long)wish->until * DAY);
    set_subject(cert, wish->common_name);
    X509_set_issuer_name(cert, X509_get_subject_name(signer));
    X509_set_pubkey(cert, key);
    add_extensions(cert, signer, wish);
    must(X509_sign(cert, wish->issuer == name ? key : issuer->key, EVP_sha256()) > 0,
         wish->common_name);
    return cert;
}

static void make(enum identity_name name)
{
    const struct wish *wish = &wishes[name];

    if (made[name].cert)
        return;
    if (wish->issuer != name)
        make(wish->issuer);
    made[name].key = wish->rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
    must(made[name].key, "a key");
    made[name].cert = make_cert(name, made[name].key);
}

const struct identity *identity(enum identity_name name)
{
    pthread_mutex_lock(&making);
    make(name);
    pthread_mutex_unlock(&making);
    return &made[name];
}

/* ---- encoded ---- */

static struct encoded drained(BIO *bio, int written)
{
    struct encoded encoded = {{0}, 0};
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    must(written > 0 && len > 0 && len < (long)sizeof encoded.data, "an encoding");
    memcpy(encoded.data, data, (size_t)len);
    encoded.len = len;
    BIO_free(bio);
    return encoded;
}

struct encoded identity_cert_pem(enum identity_name name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = PEM_write_bio_X509(bio, identity(name)->cert);

    return drained(bio, written);
}

struct encoded identity_cert_der(enum identity_name name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = i2d_X509_bio(bio, identity(name)->cert);

    return drained(bio, written);
}

struct encoded identity_key_pem(enum identity_name name, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = passphrase ? EVP_aes_128_cbc() : NULL;
    int written = PEM_write_bio_PKCS8PrivateKey(bio, identity(name)->key, cipher, NULL, 0, NULL,
                                                (void *)(uintptr_t)passphrase);

    return drained(bio, written);
}

struct encoded identity_key_der(enum identity_name name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int written = i2d_PrivateKey_bio(bio, identity(name)->key);

    return drained(bio, written);
}

struct encoded encoded_join(struct encoded first, struct encoded second)
{
    must(first.len + second.len <= (int64_t)sizeof first.data, "room to join");
    memcpy(first.data + first.len, second.data, (size_t)second.len);
    first.len += second.len;
    return first;
}

fssl_handle identity_cert_handle(enum identity_name name)
{
    struct encoded der = identity_cert_der(name);

    return CHECK_MADE(fssl_cert_from_der(der.data, der.len, &err));
}

fssl_handle identity_key_handle(enum identity_name name)
{
    struct encoded der = identity_key_der(name);

    return CHECK_MADE(fssl_key_from_der(der.data, der.len, &err));
}
