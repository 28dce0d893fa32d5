#include "builder.h"

#include <string.h>

#include <openssl/x509.h>

static void signed_and_read_back(void)
{
    fssl_handle key = build_key(), other = build_key();
    fssl_handle spki = CHECK_MADE(fssl_spki_new(&err)), again, public;
    NETSCAPE_SPKI *parsed;
    char text[1024];

    CHECK_OK(fssl_spki_set_public_key(spki, key, &err));
    CHECK_OK(fssl_spki_sign(spki, key, TEXT("sha256"), &err));
    strcpy(text, text_of(fssl_spki_to_base64, spki));
    parsed = NETSCAPE_SPKI_b64_decode(text, -1);
    CHECK(parsed != NULL);
    NETSCAPE_SPKI_free(parsed);
    again = CHECK_MADE(fssl_spki_from_base64(TEXT(text), &err));
    public = CHECK_MADE(fssl_spki_public_key(again, &err));
    CHECK_OK(fssl_spki_verify(again, public, &err));
    CHECK_OK(fssl_spki_verify(spki, key, &err));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_spki_verify(again, other, &err));
    CHECK_TEXT(text, text_of(fssl_spki_to_base64, again));
    CHECK_FAILS(FSSL_E_STATE, fssl_spki_sign(spki, public, TEXT("sha256"), &err));
    check_close(public);
    check_close(again);
    check_close(spki);
    check_close(other);
    check_close(key);
}

static void bad_input(void)
{
    fssl_handle spki = CHECK_MADE(fssl_spki_new(&err)), key = build_key();

    CHECK_FAILS(FSSL_E_STATE, fssl_spki_to_base64(spki, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_OPENSSL, fssl_spki_public_key(spki, &err));
    CHECK_FAILS(FSSL_E_VERIFY, fssl_spki_verify(spki, key, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_spki_sign(spki, key, TEXT("nonsense"), &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_spki_sign(spki, spki, TEXT("sha256"), &err));
    CHECK_FAILS(FSSL_E_HANDLE_TYPE, fssl_spki_set_public_key(spki, spki, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_spki_set_public_key(0, key, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_spki_from_base64(TEXT("nonsense"), &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_spki_from_base64(TEXT(""), &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_spki_from_base64(NULL, 0, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_spki_from_base64("MI\0", 3, &err));
    CHECK_FAILS(FSSL_E_ARGUMENT, fssl_spki_from_base64(NULL, 3, &err));
    CHECK_FAILS(FSSL_E_HANDLE, fssl_spki_to_base64(0, NULL, 0, &err));
    check_close(key);
    check_close(spki);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"signed and read back", signed_and_read_back},
        {"bad input", bad_input},
    };

    return check_run(cases, COUNT_OF(cases), argc, argv);
}
