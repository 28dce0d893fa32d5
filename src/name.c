/* Names of certificates: lists of (type, value) items, any of which may hold any byte. A name that
   was got from a certificate is a view of it, found anew at each call; the rest own theirs. */
#include "internal.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

enum { OID_TEXT = 128 };

void name_free(struct object *object)
{
    struct name *name = (struct name *)object;

    X509_NAME_free(name->own);
    object_drop(name->cert);
}

/* Makes a name's object of an X509_NAME, which it takes over, also on failure. */
struct name *name_wrap(X509_NAME *own, bool readonly)
{
    struct name *name = own ? object_new(KIND_NAME, sizeof *name) : NULL;

    if (!name) {
        X509_NAME_free(own);
        return NULL;
    }
    name->own = own;
    name->object.readonly = readonly;
    return name;
}

/* Makes a view of the subject or issuer of a certificate. */
struct name *name_of_cert(struct cert *cert, bool issuer)
{
    struct name *name = object_new(KIND_NAME, sizeof *name);

    if (!name)
        return NULL;
    name->cert = object_hold(cert);
    name->issuer = issuer;
    name->object.readonly = cert->object.readonly;
    return name;
}

/* Returns a copy of what the name is now, to be freed. Names are locked before certificates. */
static X509_NAME *name_now(struct name *name)
{
    X509_NAME *copy;

    if (!name->cert)
        return X509_NAME_dup(name->own);
    lock_take(&name->cert->object.lock);
    copy = X509_NAME_dup(name->issuer ? X509_get_issuer_name(name->cert->x509)
                                      : X509_get_subject_name(name->cert->x509));
    lock_give(&name->cert->object.lock);
    return copy;
}

int64_t fssl_name_count(fssl_handle h, int32_t *err)
{
    struct name *name;
    X509_NAME *now;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    now = name_now(name);
    failed = finish(h, now ? X509_NAME_entry_count(now) : -1, err);
    X509_NAME_free(now);
    return failed;
}

static int64_t finish_type(fssl_handle h, const ASN1_OBJECT *type, char *buf, int64_t cap,
                           int32_t *err)
{
    int nid = OBJ_obj2nid(type);
    char number[OID_TEXT];

    if (nid != NID_undef)
        return finish_text(h, OBJ_nid2sn(nid), buf, cap, err);
    if (OBJ_obj2txt(number, sizeof number, type, 1) < 0)
        return fail(h, FSSL_E_OPENSSL, err);
    return finish_text(h, number, buf, cap, err);
}

int64_t fssl_name_item_type(fssl_handle h, int64_t i, char *buf, int64_t cap, int32_t *err)
{
    struct name *name;
    X509_NAME *now;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    now = name_now(name);
    if (!now)
        failed = fail(h, FSSL_E_OPENSSL, err);
    else if (i < 0 || i >= X509_NAME_entry_count(now))
        failed = refuse(h, "i", err);
    else
        failed = finish_type(h, X509_NAME_ENTRY_get_object(X509_NAME_get_entry(now, (int)i)), buf,
                             cap, err);
    X509_NAME_free(now);
    return failed;
}

static int64_t finish_utf8(fssl_handle h, const ASN1_STRING *value, uint8_t *buf, int64_t cap,
                           int32_t *err)
{
    uint8_t *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, value);
    int64_t result;

    if (len < 0)
        return fail(h, FSSL_E_OPENSSL, err);
    result = finish_bytes(h, text, len, buf, cap, err);
    OPENSSL_free(text);
    return result;
}

int64_t fssl_name_item_value(fssl_handle h, int64_t i, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct name *name;
    X509_NAME *now;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    now = name_now(name);
    if (!now)
        failed = fail(h, FSSL_E_OPENSSL, err);
    else if (i < 0 || i >= X509_NAME_entry_count(now))
        failed = refuse(h, "i", err);
    else
        failed = finish_utf8(h, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(now, (int)i)), buf,
                             cap, err);
    X509_NAME_free(now);
    return failed;
}

int64_t fssl_name_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct name *name;
    X509_NAME *now;
    BIO *bio;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    now = name_now(name);
    bio = now ? BIO_new(BIO_s_mem()) : NULL;
    failed = finish_bio(h, bio, bio && X509_NAME_print_ex(bio, now, 0, XN_FLAG_RFC2253) >= 0, buf,
                        cap, err);
    X509_NAME_free(now);
    return failed;
}

int64_t fssl_name_to_der(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct name *name;
    X509_NAME *now;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    now = name_now(name);
    len = now ? i2d_X509_NAME(now, &der) : -1;
    X509_NAME_free(now);
    return finish_der(h, der, len, buf, cap, err);
}
