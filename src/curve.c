/* Elliptic curves: which there are, and which of them TLS has. */
#include "internal.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

int64_t fssl_curve_count(int32_t *err)
{
    start();
    return finish(0, (int64_t)EC_get_builtin_curves(NULL, 0), err);
}

int64_t fssl_curve_item(int64_t i, char *buf, int64_t cap, int32_t *err)
{
    EC_builtin_curve *curves;
    size_t count;
    int nid;

    start();
    count = EC_get_builtin_curves(NULL, 0);
    if (i < 0 || (uint64_t)i >= count)
        return refuse(0, "i", err);
    curves = OPENSSL_malloc(count * sizeof *curves);
    if (!curves)
        return fail(0, FSSL_E_MEMORY, err);
    EC_get_builtin_curves(curves, count);
    nid = curves[i].nid;
    OPENSSL_free(curves);
    return finish_text(0, OBJ_nid2sn(nid), buf, cap, err);
}

/* Knows the names of fssl_curve_item and those of NIST, such as P-256. */
int curve_nid(const char *name)
{
    int nid = OBJ_sn2nid(name);

    return nid == NID_undef ? EC_curve_nist2nid(name) : nid;
}

/* Only OpenSSL's TLS itself knows which curves it has. */
static int tls_takes(int nid)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_method());
    int takes = ssl ? SSL_CTX_set1_groups(ssl, &nid, 1) == 1 : -1;

    SSL_CTX_free(ssl);
    return takes;
}

int64_t fssl_curve_in_tls(const char *name, int64_t name_len, int32_t *err)
{
    EC_GROUP *group;
    char *text;
    int nid;
    int64_t failed;

    start();
    failed = take_text(0, "name", name, name_len, &text, err);
    if (failed)
        return failed;
    nid = curve_nid(text);
    OPENSSL_free(text);
    group = nid == NID_undef ? NULL : EC_GROUP_new_by_curve_name(nid);
    if (!group)
        return refuse(0, "name", err);
    EC_GROUP_free(group);
    return finish(0, tls_takes(nid), err);
}
