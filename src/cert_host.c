/* Certificates: whom they are for. */
#include "internal.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509v3.h>

enum { LABEL_MAX = 63 };

/* Reads the alternative names, once: a certificate may have thousands, each asked for alone. False
   if they are malformed. */
static bool alt_names(struct cert *cert, const GENERAL_NAMES **names)
{
    int found = -1;

    if (!cert->alt_names)
        cert->alt_names = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, &found, NULL);
    *names = cert->alt_names;
    return *names || found == -1;
}

int64_t fssl_cert_alt_name_count(fssl_handle h, int32_t *err)
{
    struct cert *cert;
    const GENERAL_NAMES *names;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    if (!alt_names(cert, &names))
        return fail(h, FSSL_E_PARSE, err);
    return finish(h, names ? sk_GENERAL_NAME_num(names) : 0, err);
}

static int64_t finish_alt_name(fssl_handle h, GENERAL_NAME *name, uint8_t *buf, int64_t cap,
                               int32_t *err)
{
    const ASN1_STRING *text = NULL;
    uint8_t *der = NULL;
    int len;

    if (name->type == GEN_DNS || name->type == GEN_EMAIL || name->type == GEN_URI)
        text = name->d.ia5;
    if (name->type == GEN_IPADD)
        text = name->d.iPAddress;
    if (text)
        return finish_bytes(h, ASN1_STRING_get0_data(text), ASN1_STRING_length(text), buf, cap,
                            err);
    len = i2d_GENERAL_NAME(name, &der);
    return finish_der(h, der, len, buf, cap, err);
}

int64_t fssl_cert_alt_name_item(fssl_handle h, int64_t i, int32_t *kind, uint8_t *buf, int64_t cap,
                                int32_t *err)
{
    struct cert *cert;
    const GENERAL_NAMES *names;
    GENERAL_NAME *name;
    int type;
    int64_t result = acquire(h, KIND_CERT, &cert, err);

    if (result)
        return result;
    if (!alt_names(cert, &names))
        return fail(h, FSSL_E_PARSE, err);
    if (!names || i < 0 || i >= sk_GENERAL_NAME_num(names))
        return refuse(h, "i", err);
    name = sk_GENERAL_NAME_value(names, (int)i);
    type = name->type;
    result = finish_alt_name(h, name, buf, cap, err);
    if (result >= 0 && kind)
        *kind = type;
    return result;
}

/* Tells whether a text is a DNS name as hosts have them: labels of 1 to 63 letters, digits, hyphens
   (at neither end) and underscores. So no wildcard, no leading dot (which to OpenSSL means any host
   below), and nothing that is not ASCII. OpenSSL 4 demands the same. */
static bool is_dns_name(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    while (*name) {
        size_t len = strcspn(name, ".");
        size_t inside = strspn(name, plain);

        while (inside > 0 && inside < len && name[inside] == '-')
            inside += 1 + strspn(name + inside + 1, plain);
        if (len == 0 || len > LABEL_MAX || inside != len || name[len - 1] == '-')
            return false;
        name += len;
        if (*name == '.' && *++name == '\0')
            return false;
    }
    return true;
}

/* Brings a host to the form in which it is checked: without a trailing dot. False for one that is
   neither an address nor a name that may be sent, which no check may ever see. */
bool host_prepare(char *host, bool *ip)
{
    uint8_t address[sizeof(struct in6_addr)];
    size_t len = strlen(host);

    *ip = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (*ip)
        return true;
    if (len > 1 && host[len - 1] == '.')
        host[len - 1] = '\0';
    return *host && len <= TLSEXT_MAXLEN_host_name && is_dns_name(host);
}

/* Tells whether a certificate is for a prepared host: 1, 0, or < 0 if OpenSSL failed. */
int cert_is_for(X509 *x509, const char *host, bool ip)
{
    if (ip)
        return X509_check_ip_asc(x509, host, 0);
    return X509_check_host(x509, host, 0, HOST_FLAGS, NULL);
}

int64_t fssl_cert_matches_host(fssl_handle h, const char *host, int64_t host_len, int32_t *err)
{
    struct cert *cert;
    char *text;
    bool ip;
    int match = -2;
    int64_t failed = acquire(h, KIND_CERT, &cert, err);

    if (failed)
        return failed;
    failed = take_text(h, "host", host, host_len, &text, err);
    if (failed)
        return failed;
    if (host_prepare(text, &ip))
        match = cert_is_for(cert->x509, text, ip);
    OPENSSL_free(text);
    return match == -2 ? refuse(h, "host", err) : finish(h, match, err);
}
