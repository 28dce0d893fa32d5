/* Names of certificates: lists of (type, value) items, any of which may hold any byte. A name that
   was got from a certificate, request or CRL is a view of it, found anew at each call, and what is
   changed through it changes there; the rest own theirs. */
#include "internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

enum { OID_TEXT = 128 };

void name_free(struct object *object)
{
    struct name *name = (struct name *)object;

    X509_NAME_free(name->own);
    object_drop(name->of);
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

/* Makes a view of the subject or issuer of a certificate, request or CRL. */
struct name *name_of(void *object, bool issuer)
{
    struct object *of = object;
    struct name *name = object_new(KIND_NAME, sizeof *name);

    if (!name)
        return NULL;
    name->of = object_hold(of);
    name->issuer = issuer;
    name->object.readonly = of->readonly;
    return name;
}

static const X509_NAME *name_now(const struct name *name)
{
    const X509 *x509;

    if (!name->of)
        return name->own;
    if (name->of->kind == KIND_REQ)
        return X509_REQ_get_subject_name(((struct req *)name->of)->x509_req);
    if (name->of->kind == KIND_CRL)
        return X509_CRL_get_issuer(((struct crl *)name->of)->x509_crl);
    x509 = ((struct cert *)name->of)->x509;
    return name->issuer ? X509_get_issuer_name(x509) : X509_get_subject_name(x509);
}

/* Returns what the name is now, which stays so until name_leave: *of, the object that has it, is
   held and locked till then. */
static const X509_NAME *name_enter(struct name *name, struct object **of)
{
    *of = object_hold(name->of ? name->of : &name->object);
    lock_take(&(*of)->lock);
    witness(*of);
    return name_now(name);
}

static void name_leave(struct object *of)
{
    lock_give(&of->lock);
    object_drop(of);
}

/* Takes a copy of the X509_NAME of a handle; on failure returns a result. */
int64_t take_name(fssl_handle h, X509_NAME **out, int32_t *err)
{
    struct name *name;
    struct object *of;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    *out = X509_NAME_dup(name_enter(name, &of));
    name_leave(of);
    return *out ? finish(h, 0, err) : fail(h, FSSL_E_OPENSSL, err);
}

/* ---- making ---- */

int64_t fssl_name_new(int32_t *err)
{
    start();
    return finish_handle(0, name_wrap(X509_NAME_new(), false), err);
}

int64_t fssl_name_from_der(const uint8_t *der, int64_t len, int32_t *err)
{
    const uint8_t *at = der;
    X509_NAME *own;

    start();
    if (!bytes_given(der, len) || len > LONG_MAX)
        return refuse(0, "der", err);
    own = d2i_X509_NAME(NULL, &at, (long)len);
    if (own && at != der + len) {
        X509_NAME_free(own);
        own = NULL;
    }
    return own ? finish_handle(0, name_wrap(own, false), err) : fail(0, FSSL_E_PARSE, err);
}

int64_t fssl_name_copy(fssl_handle h, int32_t *err)
{
    X509_NAME *copy;
    int64_t failed = take_name(h, &copy, err);

    return failed ? failed : finish_handle(0, name_wrap(copy, false), err);
}

/* ---- its items ---- */

int64_t fssl_name_count(fssl_handle h, int32_t *err)
{
    struct name *name;
    struct object *of;
    int count;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    count = X509_NAME_entry_count(name_enter(name, &of));
    name_leave(of);
    return finish(h, count, err);
}

/* Ends with the name of an object identifier: its short or spelled out one, or else its number in
   dots. */
int64_t finish_object(fssl_handle h, const ASN1_OBJECT *object, bool spelled_out, char *buf,
                      int64_t cap, int32_t *err)
{
    int nid = OBJ_obj2nid(object);
    char number[OID_TEXT];
    char *text;
    int len;
    int64_t result;

    if (nid != NID_undef)
        return finish_text(h, spelled_out ? OBJ_nid2ln(nid) : OBJ_nid2sn(nid), buf, cap, err);
    len = OBJ_obj2txt(number, sizeof number, object, 1);
    if (len < 0)
        return fail(h, FSSL_E_OPENSSL, err);
    if (len < OID_TEXT)
        return finish_text(h, number, buf, cap, err);
    text = OPENSSL_malloc((size_t)len + 1);
    if (!text)
        return fail(h, FSSL_E_MEMORY, err);
    OBJ_obj2txt(text, len + 1, object, 1);
    result = finish_text(h, text, buf, cap, err);
    OPENSSL_free(text);
    return result;
}

int64_t fssl_name_item_type(fssl_handle h, int64_t i, char *buf, int64_t cap, int32_t *err)
{
    struct name *name;
    struct object *of;
    const X509_NAME *now;
    int64_t result = acquire(h, KIND_NAME, &name, err);

    if (result)
        return result;
    now = name_enter(name, &of);
    if (i < 0 || i >= X509_NAME_entry_count(now))
        result = refuse(h, "i", err);
    else
        result = finish_object(h, X509_NAME_ENTRY_get_object(X509_NAME_get_entry(now, (int)i)),
                               false, buf, cap, err);
    name_leave(of);
    return result;
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
    struct object *of;
    const X509_NAME *now;
    int64_t result = acquire(h, KIND_NAME, &name, err);

    if (result)
        return result;
    now = name_enter(name, &of);
    if (i < 0 || i >= X509_NAME_entry_count(now))
        result = refuse(h, "i", err);
    else
        result = finish_utf8(h, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(now, (int)i)), buf,
                             cap, err);
    name_leave(of);
    return result;
}

/* ---- changing ---- */

struct edit {
    ASN1_OBJECT *type;
    const uint8_t *value;
    int len;
    bool replace; /* the first item of the type goes */
};

/* Appends an item; nothing is changed on failure. */
static bool name_edit(X509_NAME *name, const struct edit *edit)
{
    int old = edit->replace ? X509_NAME_get_index_by_OBJ(name, edit->type, -1) : -1;

    if (!X509_NAME_add_entry_by_OBJ(name, edit->type, MBSTRING_UTF8, edit->value, edit->len, -1, 0))
        return false;
    if (old >= 0)
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, old));
    return true;
}

static int32_t name_put(struct name *name, const X509_NAME *changed)
{
    if (name->of->kind == KIND_REQ)
        return req_set_name((struct req *)name->of, changed);
    if (name->of->kind == KIND_CRL)
        return crl_set_name((struct crl *)name->of, changed);
    return cert_set_name((struct cert *)name->of, changed, name->issuer);
}

/* Changes a view: a copy is changed and put in its place. Returns a code. */
static int32_t view_edit(struct name *name, const struct edit *edit)
{
    struct object *of;
    X509_NAME *copy = X509_NAME_dup(name_enter(name, &of));
    int32_t code = copy && name_edit(copy, edit) ? name_put(name, copy) : FSSL_E_OPENSSL;

    name_leave(of);
    X509_NAME_free(copy);
    return code;
}

static int64_t finish_edit(fssl_handle h, struct name *name, const struct edit *edit, int32_t *err)
{
    int32_t code;

    if (name->of)
        code = view_edit(name, edit);
    else
        code = name_edit(name->own, edit) ? FSSL_OK : FSSL_E_OPENSSL;
    return code ? fail(h, code, err) : finish(h, 0, err);
}

static int64_t edit(fssl_handle h, const char *type, int64_t type_len, const uint8_t *value,
                    int64_t value_len, bool replace, int32_t *err)
{
    struct name *name;
    struct edit edit = {NULL, value, (int)value_len, replace};
    char *text;
    int64_t result = acquire(h, KIND_NAME, &name, err);

    if (result)
        return result;
    if (name->object.readonly)
        return fail(h, FSSL_E_READONLY, err);
    if (!bytes_given(value, value_len) || value_len > INT_MAX ||
        (value_len > 0 && memchr(value, '\0', (size_t)value_len)))
        return refuse(h, "value", err);
    result = take_text(h, "type", type, type_len, &text, err);
    if (result)
        return result;
    edit.type = OBJ_txt2obj(text, 0);
    OPENSSL_free(text);
    if (!edit.type)
        return refuse(h, "type", err);
    result = finish_edit(h, name, &edit, err);
    ASN1_OBJECT_free(edit.type);
    return result;
}

int64_t fssl_name_add_item(fssl_handle h, const char *type, int64_t type_len, const uint8_t *value,
                           int64_t value_len, int32_t *err)
{
    return edit(h, type, type_len, value, value_len, false, err);
}

int64_t fssl_name_set_item(fssl_handle h, const char *type, int64_t type_len, const uint8_t *value,
                           int64_t value_len, int32_t *err)
{
    return edit(h, type, type_len, value, value_len, true, err);
}

/* ---- the whole ---- */

int64_t fssl_name_text(fssl_handle h, char *buf, int64_t cap, int32_t *err)
{
    struct name *name;
    struct object *of;
    const X509_NAME *now;
    BIO *bio;
    int64_t result = acquire(h, KIND_NAME, &name, err);

    if (result)
        return result;
    now = name_enter(name, &of);
    bio = BIO_new(BIO_s_mem());
    result = finish_bio(h, bio, bio && X509_NAME_print_ex(bio, now, 0, XN_FLAG_RFC2253) >= 0, buf,
                        cap, err);
    name_leave(of);
    return result;
}

int64_t fssl_name_to_der(fssl_handle h, uint8_t *buf, int64_t cap, int32_t *err)
{
    struct name *name;
    struct object *of;
    uint8_t *der = NULL;
    int len;
    int64_t failed = acquire(h, KIND_NAME, &name, err);

    if (failed)
        return failed;
    len = i2d_X509_NAME(name_enter(name, &of), &der);
    name_leave(of);
    return finish_der(h, der, len, buf, cap, err);
}

int64_t fssl_name_hash(fssl_handle h, int32_t *err)
{
    X509_NAME *copy;
    unsigned long hash;
    int ok;
    int64_t failed = take_name(h, &copy, err);

    if (failed)
        return failed;
    hash = X509_NAME_hash_ex(copy, NULL, NULL, &ok);
    X509_NAME_free(copy);
    return finish(0, ok ? (int64_t)hash : -1, err);
}

int64_t fssl_name_compare(fssl_handle h, fssl_handle other, int64_t *order, int32_t *err)
{
    X509_NAME *first, *second;
    int difference;
    int64_t failed = take_name(h, &first, err);

    if (failed)
        return failed;
    failed = take_name(other, &second, err);
    if (failed) {
        X509_NAME_free(first);
        return failed;
    }
    difference = X509_NAME_cmp(first, second);
    X509_NAME_free(first);
    X509_NAME_free(second);
    if (difference == -2)
        return fail(0, FSSL_E_OPENSSL, err);
    return finish_value(0, difference, order, err);
}
