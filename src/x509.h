/* Certificates and their kin: names, keys, extensions, requests, CRLs, stores and containers of
   them. Part of internal.h.

   A call that needs several objects takes what it needs of the others first, one by one (take_),
   and only then acquires the one that it works on, so no two are locked at once. The exception
   are names that are views: they are locked before what they are a part of. */
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

struct cert {
    struct object object;
    X509 *x509;
    bool shared;              /* others hold x509 too: cert_change copies it first */
    bool changed;             /* x509 is encoded anew, not as it was read */
    GENERAL_NAMES *alt_names; /* as last asked for, NULL before */
};

struct key {
    struct object object;
    EVP_PKEY *pkey;
    bool has_private;
};

struct name {
    struct object object;
    X509_NAME *own;
    struct object *of; /* whose subject or issuer it is, where it owns none */
    bool issuer;
};

struct store {
    struct object object;
    X509_STORE *store;
};

struct ext {
    struct object object;
    X509_EXTENSION *x509_ext; /* never changed */
};

struct req {
    struct object object;
    X509_REQ *x509_req;
};

struct crl {
    struct object object;
    X509_CRL *x509_crl;
};

struct revoked {
    struct object object;
    X509_REVOKED *x509_revoked;
};

/* What a store is to trust: the content of a file, a hashed directory, or both. */
struct places {
    uint8_t *data;
    size_t len;
    char *dir;
};

/* What signs: a private key, and the digest or NULL for the key's own. */
struct signing {
    EVP_PKEY *pkey;
    const EVP_MD *md;
};

enum { HOST_FLAGS = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS };

/* ---- cert.c, cert_build.c ---- */

struct cert *cert_wrap(X509 *x509, bool readonly);
int64_t take_cert(fssl_handle h, X509 **out, int32_t *err);
X509 *cert_dup(const X509 *from);
int32_t cert_change(struct cert *cert);
int32_t cert_set_name(struct cert *cert, const X509_NAME *name, bool issuer);
int64_t take_serial(fssl_handle h, const char *text, int64_t len, int32_t base, ASN1_INTEGER **out,
                    int32_t *err);
int64_t finish_serial(fssl_handle h, const ASN1_INTEGER *serial, char *buf, int64_t cap,
                      int32_t *err);
void certs_free(STACK_OF(X509) *certs);
bool host_prepare(char *host, bool *ip);
int cert_is_for(X509 *x509, const char *host, bool ip);
BIO *bio_over(const uint8_t *data, size_t len);
int64_t finish_bio(fssl_handle h, BIO *bio, int written, void *buf, int64_t cap, int32_t *err);
int64_t finish_der(fssl_handle h, uint8_t *der, int len, void *buf, int64_t cap, int32_t *err);
void cert_free(struct object *object);

/* ---- time.c ---- */

bool seconds_valid(int64_t seconds);
int64_t take_seconds(fssl_handle h, int64_t seconds, ASN1_TIME **out, int32_t *err);
int64_t take_time(fssl_handle h, const char *text, int64_t len, ASN1_TIME **out, int32_t *err);
int64_t finish_time(fssl_handle h, const ASN1_TIME *when, int64_t *seconds, int32_t *err);
int64_t finish_time_text(fssl_handle h, const ASN1_TIME *when, char *buf, int64_t cap,
                         int32_t *err);

/* ---- key.c, key_sign.c ---- */

int curve_nid(const char *name);
struct key *key_wrap(EVP_PKEY *pkey, bool has_private);
int64_t take_key(fssl_handle h, EVP_PKEY **out, int32_t *err);
int64_t take_digest_at(fssl_handle h, const char *function, const char *digest, int64_t len,
                       const EVP_MD **out, int32_t *err);
int64_t take_signing_at(const char *function, fssl_handle key, const char *digest, int64_t len,
                        struct signing *out, int32_t *err);
int64_t finish_verified_at(fssl_handle h, const char *function, int ok, int32_t *err);
void key_free(struct object *object);

/* Finds a digest by its name; on failure the call has ended. */
#define take_digest(h, digest, len, out, err) take_digest_at(h, __func__, digest, len, out, err)

/* Takes what signs; on failure the call has ended. */
#define take_signing(key, digest, len, out, err) \
    take_signing_at(__func__, key, digest, len, out, err)

/* Ends a call with OpenSSL's verdict on a signature: anything but 1 is FSSL_E_VERIFY. */
#define finish_verified(h, ok, err) finish_verified_at(h, __func__, ok, err)

/* ---- name.c ---- */

struct name *name_wrap(X509_NAME *own, bool readonly);
struct name *name_of(void *object, bool issuer);
int64_t take_name(fssl_handle h, X509_NAME **out, int32_t *err);
int64_t finish_object(fssl_handle h, const ASN1_OBJECT *object, bool spelled_out, char *buf,
                      int64_t cap, int32_t *err);
void name_free(struct object *object);

/* ---- ext.c ---- */

struct ext *ext_wrap(X509_EXTENSION *x509_ext);
int64_t take_ext(fssl_handle h, X509_EXTENSION **out, int32_t *err);
int64_t finish_ext_item(fssl_handle h, const STACK_OF(X509_EXTENSION) *exts, int64_t i,
                        int32_t *err);
void ext_free(struct object *object);

/* ---- req.c ---- */

int32_t req_set_name(struct req *req, const X509_NAME *name);
void req_free(struct object *object);

/* ---- crl.c, crl_time.c, revoked.c ---- */

struct crl *crl_wrap(X509_CRL *x509_crl, bool readonly);
int64_t take_crl(fssl_handle h, X509_CRL **out, int32_t *err);
int64_t change_crl(fssl_handle h, struct crl **crl, int32_t *err);
int32_t crl_set_name(struct crl *crl, const X509_NAME *name);
void crl_free(struct object *object);
struct revoked *revoked_wrap(X509_REVOKED *x509_revoked);
int64_t take_revoked(fssl_handle h, X509_REVOKED **out, int32_t *err);
void revoked_free(struct object *object);

/* ---- store.c, chain.c ---- */

struct store *store_wrap(X509_STORE *store);
int store_size(X509_STORE *store);
X509_STORE *store_of_system(void);
X509_STORE *store_copy_system(void);
int64_t take_store(fssl_handle h, X509_STORE **out, int32_t *err);
int64_t store_add_pem(X509_STORE *store, const uint8_t *pem, size_t len);
int64_t take_places(fssl_handle h, const char *file, int64_t file_len, const char *dir,
                    int64_t dir_len, struct places *out, int32_t *err);
bool places_add(const struct places *places, X509_STORE *store);
void places_free(struct places *places);
bool verify_flags_known(int64_t flags);
void chain_free(struct object *object);
void store_free(struct object *object);

/* ---- pkcs12.c, pkcs7.c, spki.c ---- */

void pkcs12_free(struct object *object);
void pkcs7_free(struct object *object);
void spki_free(struct object *object);

/* ---- session.c ---- */

struct session {
    struct object object;
    SSL_SESSION *ssl;
    struct ctx *ctx;
    char *host;    /* whom it was verified for, or NULL */
    bool verified; /* the peer passed the checks of a verifying connection */
};

struct session *session_wrap(SSL_SESSION *ssl, struct ctx *ctx, const struct conn *conn);
bool session_fits(const struct session *session, const struct conn *conn);
int64_t take_session(fssl_handle h, struct session **out, const struct ctx *ctx, int32_t *err);
int64_t session_made(const SSL_SESSION *session);
void session_free(struct object *object);

#endif
