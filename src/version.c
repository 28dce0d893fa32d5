/* Versions: of flatssl, and of the OpenSSL that it runs on. */
#include "internal.h"

#include <openssl/crypto.h>

#define VERSION_TEXT "1.0.0"
enum { VERSION_NUMBER = 10000 };

int64_t fssl_version_number(int32_t *err)
{
    return finish_own(0, VERSION_NUMBER, err);
}

int64_t fssl_version_text(char *buf, int64_t cap, int32_t *err)
{
    start();
    return finish_text(0, VERSION_TEXT, buf, cap, err);
}

int64_t fssl_version_openssl(int32_t *err)
{
    start();
    return finish(0, (int64_t)OpenSSL_version_num(), err);
}

int64_t fssl_version_openssl_text(int32_t which, char *buf, int64_t cap, int32_t *err)
{
    static const int asked[] = {
        [FSSL_OPENSSL_VERSION] = OPENSSL_VERSION,   [FSSL_OPENSSL_CFLAGS] = OPENSSL_CFLAGS,
        [FSSL_OPENSSL_BUILT_ON] = OPENSSL_BUILT_ON, [FSSL_OPENSSL_PLATFORM] = OPENSSL_PLATFORM,
        [FSSL_OPENSSL_DIR] = OPENSSL_DIR,
    };

    start();
    if (which < FSSL_OPENSSL_VERSION || which > FSSL_OPENSSL_DIR)
        return refuse(0, "which", err);
    return finish_text(0, OpenSSL_version(asked[which]), buf, cap, err);
}
