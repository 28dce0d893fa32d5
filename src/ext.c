/* Extensions of certificates, requests and CRLs. They are never changed once made.

   fssl_ext_new is the one place where a caller's text reaches OpenSSL's config parser. What that
   language can do beyond describing an extension (read files and other sections of a config, run
   its ASN.1 generator, change the subject's certificate) is refused here, before it is seen:
   names are those of a list, and a word that would start such a thing is a bad value. */
#include "internal.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>

#define SEPARATORS " \t\v\f,;:="

/* The extensions that can be written as text. Those whose text may name files (proxyCertInfo) or
   is nothing but config sections are not among them. */
static const int writable[] = {
    NID_authority_key_identifier,
    NID_basic_constraints,
    NID_certificate_policies,
    NID_crl_distribution_points,
    NID_ext_key_usage,
    NID_freshest_crl,
    NID_id_pkix_OCSP_noCheck,
    NID_info_access,
    NID_inhibit_any_policy,
    NID_issuer_alt_name,
    NID_issuing_distribution_point,
    NID_key_usage,
    NID_name_constraints,
    NID_netscape_base_url,
    NID_netscape_ca_policy_url,
    NID_netscape_ca_revocation_url,
    NID_netscape_cert_type,
    NID_netscape_comment,
    NID_netscape_renewal_url,
    NID_netscape_revocation_url,
    NID_netscape_ssl_server_name,
    NID_policy_constraints,
    NID_policy_mappings,
    NID_sinfo_access,
    NID_subject_alt_name,
    NID_subject_key_identifier,
    NID_tlsfeature,
};

/* What no word of a value may begin with. */
static const char *const refused[] = {"@", "file:", "ASN1:", "DER:", "dirName:", "otherName:"};

void ext_free(struct object *object)
{
    X509_EXTENSION_free(((struct ext *)object)->x509_ext);
}

/* Makes an extension's object of an X509_EXTENSION, which it takes over, also on failure. */
struct ext *ext_wrap(X509_EXTENSION *x509_ext)
{
    struct ext *ext = x509_ext ? object_new(KIND_EXT, sizeof *ext) : NULL;

    if (!ext) {
        X509_EXTENSION_free(x509_ext);
        return NULL;
    }
    ext->x509_ext = x509_ext;
    return ext;
}

/* Takes a copy of the X509_EXTENSION of a handle; on failure returns a result. */
int64_t take_ext(fssl_handle h, X509_EXTENSION **out, int32_t *err)
{
    struct ext *ext;
    int64_t failed = acquire(h, KIND_EXT, &ext, err);

    if (failed)
        return failed;
    *out = X509_EXTENSION_dup(ext->x509_ext);
    return *out ? finish(h, 0, err) : fail(h, FSSL_E_OPENSSL, err);
}

/* Ends with a handle of a copy of extension i of a list, which may be NULL. */
int64_t finish_ext_item(fssl_handle h, const STACK_OF(X509_EXTENSION) *exts, int64_t i,
                        int32_t *err)
{
    if (!exts || i < 0 || i >= sk_X509_EXTENSION_num(exts))
        return refuse(h, "i", err);
    return finish_handle(h, ext_wrap(X509_EXTENSION_dup(sk_X509_EXTENSION_value(exts, (int)i))),
                         err);
}

/* ---- making ---- */

static bool name_allowed(const char *name)
{
    int nid = OBJ_sn2nid(name);

    for (size_t i = 0; i < sizeof writable / sizeof *writable; i++) {
        if (nid == writable[i])
            return true;
    }
    return false;
}

/* The word `move`, in email:move, takes the address out of the subject's name. */
static bool word_allowed(const char *word)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (!strncasecmp(word, refused[i], strlen(refused[i])))
            return false;
    }
    return strncmp(word, "move", 4) || !strchr(SEPARATORS, word[4]);
}

/* Words begin where the parser may look for a keyword: at the start, and after what parts names
   from values and values from each other. */
static bool value_allowed(const char *value)
{
    bool starts = true;

    for (const char *at = value; *at; at++) {
        if (*at == '\n' || *at == '\r')
            return false;
        if (starts && !word_allowed(at))
            return false;
        starts = strchr(SEPARATORS, *at) != NULL;
    }
    return true;
}

/* Makes a config that holds nothing, without which OpenSSL takes no certificatePolicies. */
static CONF *conf_empty(void)
{
    CONF *conf = NCONF_new(NULL);
    BIO *nothing = BIO_new_mem_buf("", 0);
    long line;
    bool ok = conf && nothing && NCONF_load_bio(conf, nothing, &line) > 0;

    BIO_free(nothing);
    if (ok)
        return conf;
    NCONF_free(conf);
    return NULL;
}

/* Has OpenSSL make an extension of text. Its context is never NULL, its config is empty. */
static X509_EXTENSION *ext_from_text(const char *name, bool critical, const char *value,
                                     X509 *subject, X509 *issuer)
{
    CONF *conf = conf_empty();
    X509V3_CTX context;
    X509_EXTENSION *x509_ext;

    if (!conf)
        return NULL;
    X509V3_set_ctx(&context, issuer, subject, NULL, NULL, 0);
    X509V3_set_nconf(&context, conf);
    x509_ext = X509V3_EXT_nconf(NULL, &context, name, value);
    NCONF_free(conf);
    if (!x509_ext || !critical || X509_EXTENSION_set_critical(x509_ext, 1))
        return x509_ext;
    X509_EXTENSION_free(x509_ext);
    return NULL;
}

static int64_t make(const char *name, bool critical, const char *value, X509 *subject, X509 *issuer,
                    int32_t *err)
{
    X509_EXTENSION *x509_ext;

    if (!name_allowed(name))
        return refuse(0, "name", err);
    if (!value_allowed(value))
        return refuse(0, "value", err);
    x509_ext = ext_from_text(name, critical, value, subject, issuer);
    return x509_ext ? finish_handle(0, ext_wrap(x509_ext), err) : fail(0, FSSL_E_PARSE, err);
}

/* Takes two certificates, each of which may be 0; on failure neither. */
static int64_t take_certs(fssl_handle subject, fssl_handle issuer, X509 *certs[2], int32_t *err)
{
    int64_t failed = subject ? take_cert(subject, &certs[0], err) : 0;

    if (failed)
        return failed;
    failed = issuer ? take_cert(issuer, &certs[1], err) : 0;
    if (failed)
        X509_free(certs[0]);
    return failed;
}

int64_t fssl_ext_new(const char *name, int64_t name_len, int32_t critical, const char *value,
                     int64_t value_len, fssl_handle subject, fssl_handle issuer, int32_t *err)
{
    X509 *certs[2] = {NULL, NULL};
    char *name_text, *value_text;
    int64_t result;

    start();
    result = take_text(0, "name", name, name_len, &name_text, err);
    if (result)
        return result;
    result = take_text(0, "value", value, value_len, &value_text, err);
    if (!result) {
        result = take_certs(subject, issuer, certs, err);
        if (!result) {
            result = make(name_text, critical, value_text, certs[0], certs[1], err);
            X509_free(certs[0]);
            X509_free(certs[1]);
        }
        OPENSSL_free(value_text);
    }
    OPENSSL_free(name_text);
    return result;
}

static X509_EXTENSION *ext_from_der(const ASN1_OBJECT *type, bool critical, const uint8_t *der,
                                    int len)
{
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    X509_EXTENSION *x509_ext = NULL;

    if (data && ASN1_OCTET_STRING_set(data, der, len))
        x509_ext = X509_EXTENSION_create_by_OBJ(NULL, type, critical, data);
    ASN1_OCTET_STRING_free(data);
    return x509_ext;
}

int64_t fssl_ext_from_der(const char *type, int64_t type_len, int32_t critical, const uint8_t *der,
                          int64_t len, int32_t *err)
{
    X509_EXTENSION *x509_ext;
    ASN1_OBJECT *object;
    char *text;
    int64_t failed;

    start();
    if (!bytes_given(der, len) || len > INT_MAX)
        return refuse(0, "der", err);
    failed = take_text(0, "type", type, type_len, &text, err);
    if (failed)
        return failed;
    object = OBJ_txt2obj(text, 0);
    OPENSSL_free(text);
    if (!object)
        return refuse(0, "type", err);
    x509_ext = ext_from_der(object, critical, der, (int)len);
    ASN1_OBJECT_free(object);
    return finish_handle(0, ext_wrap(x509_ext), err);
}

/* ---- asking ---- */

int64_t fssl_ext_name(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct ext *ext;
    int64_t failed = acquire(h, KIND_EXT, &ext, err);

    if (failed)
        return failed;
    return finish_object(h, X509_EXTENSION_get_object(ext->x509_ext), false, buf, cap, err);
}

int64_t fssl_ext_critical(fssl_handle h, int32_t *err)
{
    struct ext *ext;
    int64_t failed = acquire(h, KIND_EXT, &ext, err);

    if (failed)
        return failed;
    return finish(h, X509_EXTENSION_get_critical(ext->x509_ext), err);
}

int64_t fssl_ext_data(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct ext *ext;
    const ASN1_OCTET_STRING *data;
    int64_t failed = acquire(h, KIND_EXT, &ext, err);

    if (failed)
        return failed;
    data = X509_EXTENSION_get_data(ext->x509_ext);
    return finish_bytes(h, ASN1_STRING_get0_data(data), ASN1_STRING_length(data), buf, cap, err);
}

/* Writes what an extension says; one that OpenSSL cannot read, or will not print since a name in
   it holds a NUL, as the bytes that it has. */
static int ext_print(BIO *bio, X509_EXTENSION *x509_ext)
{
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(x509_ext);

    if (X509V3_EXT_print(bio, x509_ext, X509V3_EXT_DEFAULT, 0))
        return 1;
    return BIO_reset(bio) == 1 &&
           BIO_dump(bio, (const char *)ASN1_STRING_get0_data(data), ASN1_STRING_length(data)) >= 0;
}

int64_t fssl_ext_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct ext *ext;
    BIO *bio;
    int64_t failed = acquire(h, KIND_EXT, &ext, err);

    if (failed)
        return failed;
    bio = BIO_new(BIO_s_mem());
    return finish_bio(h, bio, bio && ext_print(bio, ext->x509_ext), buf, cap, err);
}
