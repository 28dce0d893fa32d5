/* Keys and certificates for the scenarios, the bad ones above all. */
#ifndef FLATSSL_AUTHORITY_H
#define FLATSSL_AUTHORITY_H

#include <stdbool.h>

#include <openssl/x509.h>

enum issuer {
    ROOT, /* the one that is trusted */
    MIDDLE,
    DEEP_1, /* ten in a row, each issued by the one before */
    DEEP_10 = DEEP_1 + 9,
    STRANGER,
    OLD,       /* ended yesterday */
    BY_SHA1,   /* signed by that digest */
    NO_CA,     /* a server's certificate that issues others */
    NO_SIGN,   /* whose key may not sign certificates */
    CLIENTS,   /* for clients' certificates alone */
    PATH_0,    /* below which no authority may stand */
    BELOW,     /* which does */
    PERMITTED, /* for names in allowed.test and addresses in 10.0.0.0/8 alone */
    EXCLUDED,  /* for all but forbidden.test */
    BY_RSA,    /* with an RSA key */
    ISSUERS,
    SELF = ISSUERS
};

enum kind { EC, RSA_2048, RSA_1024, ED25519 };

/* What a server's certificate says. All zero is a good one for host.test. */
struct leaf {
    enum issuer issuer;
    enum kind kind;
    const char *common_name; /* "host.test"; "" for none */
    const char *alt_names;   /* "DNS:host.test"; "" for none */
    const char *raw_names;   /* the alternative names in DER, */
    int raw_len;             /* so long */
    const char *usage;       /* "serverAuth"; "" for none */
    const char *key_usage;   /* "critical,digitalSignature" */
    const char *constraints; /* "CA:FALSE" */
    const char *extra;       /* another extension, as name=value */
    const char *digest;      /* "sha256" */
    int from;                /* in days from now: -10 */
    int until;               /* 30 */
    bool no_subject;
    bool no_key_id;
    bool spoilt; /* its signature */
};

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

/* Ends the program if something cannot be made. */
void must(bool done, const char *what);

struct identity leaf_make(const struct leaf *leaf);
const struct identity *authority(enum issuer name);

/* Who issued an authority. */
enum issuer authority_issuer(enum issuer name);

#endif
