/* Keys and certificates, made by OpenSSL itself when a test first asks for them. */
#ifndef FLATSSL_IDENTITY_H
#define FLATSSL_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "flatssl.h"

/* Who there is. Servers are for localhost, 127.0.0.1 and ::1 unless another name is given. */
enum identity_name {
    ID_NONE,
    ID_CA,
    ID_MIDDLE_CA,   /* issued by ID_CA */
    ID_OTHER_CA,    /* which nobody trusts */
    ID_EC,          /* a server with an ECDSA key */
    ID_RSA,         /* a server with an RSA key */
    ID_CHAINED,     /* a server, issued by ID_MIDDLE_CA */
    ID_CLIENT,      /* a client */
    ID_OTHER,       /* a server and client, issued by ID_OTHER_CA */
    ID_EXPIRED,     /* a server whose certificate ended yesterday */
    ID_WILDCARD,    /* a server for *.example.test, and *.2.3.4 */
    ID_COMMON_NAME, /* a server with localhost as its common name and elsewhere.test in truth */
    ID_MANY_NAMES,  /* a server with an alternative name of each kind and an odd subject */
    ID_LIMIT
};

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

const struct identity *identity(enum identity_name name);

/* Bytes in a form that the library reads. */
struct encoded {
    uint8_t data[8192];
    int64_t len;
};

struct encoded identity_cert_pem(enum identity_name name);
struct encoded identity_cert_der(enum identity_name name);
struct encoded identity_key_pem(enum identity_name name, const char *passphrase);
struct encoded identity_key_der(enum identity_name name);

/* Joins two PEMs. */
struct encoded encoded_join(struct encoded first, struct encoded second);

/* Makes handles of them, for the caller to close. */
fssl_handle identity_cert_handle(enum identity_name name);
fssl_handle identity_key_handle(enum identity_name name);

#endif
