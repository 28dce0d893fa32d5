/* Certificates, keys, names and stores. Part of internal.h. */
#ifndef FLATSSL_X509_H
#define FLATSSL_X509_H

#include <openssl/x509v3.h>

struct ctx;
struct conn;

/* A passphrase for PEM, or whom to ask for it, and whether OpenSSL wanted one. Always given, so
   that OpenSSL never asks on the terminal. */
struct passphrase {
    const uint8_t *data;
    size_t len;
    int (*ask)(char *buf, int size, int writing, void *passphrase);
    struct ctx *ctx;
    fssl_handle h;
    bool asked;
    bool failed;
};

int passphrase_give(char *buf, int size, int writing, void *passphrase);
X509 *cert_from_pem(const uint8_t *pem, size_t len);
X509 *cert_from_der(const uint8_t *der, size_t len);
STACK_OF(X509) *certs_from_pem(const uint8_t *pem, size_t len);
EVP_PKEY *key_from_pem(const uint8_t *pem, size_t len, struct passphrase *passphrase);
EVP_PKEY *params_from_pem(const uint8_t *pem, size_t len);
EVP_PKEY *key_from_der(const uint8_t *der, size_t len);
int32_t key_failure(const struct passphrase *passphrase);

/* ---- store.c, cert.c, key.c, name.c, session.c ---- */

struct cert {
    struct object object;
    X509 *x509;
    bool shared; /* others hold x509 too: cert_change copies it first */
};

struct key {
    struct object object;
    EVP_PKEY *pkey;
    bool has_private;
};

struct name {
    struct object object;
    X509_NAME *own;
    struct cert *cert; /* whose subject or issuer it is, where it owns none */
    bool issuer;
};

struct store {
    struct object object;
    X509_STORE *store;
};

struct session {
    struct object object;
    SSL_SESSION *ssl;
    struct ctx *ctx;
    char *host;    /* whom it was verified for, or NULL */
    bool verified; /* the peer passed the checks of a verifying connection */
};

enum { HOST_FLAGS = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS };

struct cert *cert_wrap(X509 *x509, bool readonly);
int64_t take_cert(fssl_handle h, X509 **out, int32_t *err);
void certs_free(STACK_OF(X509) *certs);
bool host_prepare(char *host, bool *ip);
int cert_is_for(X509 *x509, const char *host, bool ip);
BIO *bio_over(const uint8_t *data, size_t len);
int64_t finish_bio(fssl_handle h, BIO *bio, int written, void *buf, int64_t cap, int32_t *err);
int64_t finish_der(fssl_handle h, uint8_t *der, int len, void *buf, int64_t cap, int32_t *err);
int64_t finish_time(fssl_handle h, const ASN1_TIME *when, int64_t *seconds, int32_t *err);
void cert_free(struct object *object);
struct key *key_wrap(EVP_PKEY *pkey, bool has_private);
int64_t take_key(fssl_handle h, EVP_PKEY **out, int32_t *err);
void key_free(struct object *object);
struct name *name_wrap(X509_NAME *own, bool readonly);
struct name *name_of_cert(struct cert *cert, bool issuer);
void name_free(struct object *object);
struct store *store_wrap(X509_STORE *store);
X509_STORE *store_of_system(void);
X509_STORE *store_copy_system(void);
int64_t take_store(fssl_handle h, X509_STORE **out, int32_t *err);
int64_t store_add_pem(X509_STORE *store, const uint8_t *pem, size_t len);
void store_free(struct object *object);
struct session *session_wrap(SSL_SESSION *ssl, struct ctx *ctx, const struct conn *conn);
bool session_fits(const struct session *session, const struct conn *conn);
void session_free(struct object *object);

int64_t take_session(fssl_handle h, struct session **out, const struct ctx *ctx, int32_t *err);

#endif
