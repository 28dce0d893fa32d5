/* Keys that need a passphrase, and how nobody is ever asked for one. */
#include "pair.h"

#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

static const uint8_t *bytes(const char *text)
{
    return (const uint8_t *)text;
}

static void passphrases(void)
{
    static uint8_t long_one[2000];
    struct encoded locked = identity_key_pem(ID_EC, "open sesame");
    fssl_handle key =
        CHECK_MADE(fssl_key_from_pem(locked.data, locked.len, bytes("open sesame!"), 11, &err));

    check_close(key);
    CHECK_FAILS(FSSL_E_PASSPHRASE_NEEDED,
                fssl_key_from_pem(locked.data, locked.len, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG,
                fssl_key_from_pem(locked.data, locked.len, bytes("open"), 4, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG,
                fssl_key_from_pem(locked.data, locked.len, bytes(""), 0, &err));
    CHECK_FAILS(FSSL_E_PASSPHRASE_WRONG,
                fssl_key_from_pem(locked.data, locked.len, long_one, sizeof long_one, &err));
}

/* Encrypted DER, for which OpenSSL would ask on the terminal, or on the standard input. */
static int64_t encrypted_der(uint8_t *der, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    uint8_t *data;
    long len;

    CHECK(i2d_PKCS8PrivateKey_bio(bio, identity(ID_EC)->key, EVP_aes_128_cbc(), NULL, 0, NULL,
                                  (void *)(uintptr_t) "open sesame") == 1);
    len = BIO_get_mem_data(bio, &data);
    if (CHECK(len > 0 && (size_t)len <= size))
        memcpy(der, data, (size_t)len);
    BIO_free(bio);
    return len;
}

static void read_without_asking(void *unused)
{
    struct encoded locked = identity_key_pem(ID_EC, "open sesame");
    uint8_t der[2048];
    int64_t len = encrypted_der(der, sizeof der);
    char left[64] = "";
    int ends[2];

    (void)unused;
    setsid(); /* no terminal to ask on */
    CHECK_EQUAL(0, pipe(ends));
    CHECK_EQUAL(12, write(ends[1], "open sesame\n", 12));
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    CHECK_FAILS(FSSL_E_PASSPHRASE_NEEDED,
                fssl_key_from_pem(locked.data, locked.len, NULL, 0, &err));
    CHECK_FAILS(FSSL_E_PARSE, fssl_key_from_der(der, len, &err));
    CHECK_EQUAL(12, read(STDIN_FILENO, left, sizeof left)); /* nobody has read the answer */
}

static void nobody_is_asked(void)
{
    check_child(read_without_asking, NULL);
}

static const struct check_case cases[] = {
    {"trap-passphrase passphrases", passphrases},
    {"trap-passphrase nobody is asked", nobody_is_asked},
};

int main(int argc, char **argv)
{
    return check_run(cases, COUNT_OF(cases), argc, argv);
}
