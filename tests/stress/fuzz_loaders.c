#include "fuzz_loaders.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pkcs7.h>

#include "builder.h"
#include "live.h"
#include "pair.h"
#include "surface.h"

enum { SAMPLES_MAX = 32, HARMS_MOST = 4 };

typedef int64_t loader(const uint8_t *data, int64_t len);

struct sample {
    const char *name;
    struct bytes bytes;
    loader *load;
};

static struct sample samples[SAMPLES_MAX];
static int sample_count;
static fssl_handle ctx, trust;

/* ---- what reads a format ---- */

static int64_t key_from_pem(const uint8_t *data, int64_t len)
{
    return fssl_key_from_pem(data, len, BYTES("a passphrase"), NULL);
}

static int64_t pkcs12_from_der(const uint8_t *data, int64_t len)
{
    return fssl_pkcs12_from_der(data, len, BYTES("a passphrase"), NULL);
}

static int64_t session_from_bytes(const uint8_t *data, int64_t len)
{
    return fssl_session_from_bytes(ctx, data, len, NULL);
}

static int64_t ext_from_der(const uint8_t *data, int64_t len)
{
    return fssl_ext_from_der(TEXT("subjectAltName"), 0, data, len, NULL);
}

static int64_t spki_from_base64(const uint8_t *data, int64_t len)
{
    return fssl_spki_from_base64((const char *)data, len, NULL);
}

static int64_t store_of_pem(const uint8_t *data, int64_t len)
{
    fssl_handle store = fssl_store_new(NULL);

    fssl_store_add_pem(store, data, len, NULL);
    return store;
}

static int64_t context_of_chain(const uint8_t *data, int64_t len)
{
    fssl_handle made = fssl_ctx_new(FSSL_TLS_METHOD, NULL);

    fssl_ctx_use_certificate_chain(made, data, len, NULL);
    fssl_ctx_load_verify_pem(made, data, len, NULL);
    fssl_ctx_set_client_ca_list(made, data, len, NULL);
    fssl_ctx_set_alpn_protos(made, data, len, NULL);
    return made;
}

#define LOADER(name) \
    static int64_t load_##name(const uint8_t *d, int64_t len) \
    { \
        return fssl_##name(d, len, NULL); \
    }

LOADER(cert_from_pem)
LOADER(cert_from_der)
LOADER(key_from_der)
LOADER(key_public_from_pem)
LOADER(key_public_from_der)
LOADER(crl_from_pem)
LOADER(crl_from_der)
LOADER(req_from_pem)
LOADER(req_from_der)
LOADER(name_from_der)
LOADER(pkcs7_from_der)

/* ---- what is asked of what was read ---- */

/* Calls every getter of text or bytes, and every list, of a type. */
static void ask(fssl_handle h, const char *noun)
{
    static uint8_t buffer[65536];
    size_t len = strlen(noun);

    for (size_t i = 0; i < COUNT_OF(surface_functions); i++) {
        const struct surface_function *function = &surface_functions[i];

        if (strncmp(function->name + 5, noun, len) != 0 || function->name[5 + len] != '_' ||
            function->parameters[0].kind != SURFACE_HANDLE)
            continue;
        if (function->count == 4 && function->parameters[1].kind == SURFACE_TEXT_OUT)
            ((text_getter *)function->call)(h, (char *)buffer, sizeof buffer, NULL);
        else if (function->count == 4 && function->parameters[1].kind == SURFACE_BYTES_OUT)
            ((bytes_getter *)function->call)(h, buffer, sizeof buffer, NULL);
    }
}

/* Everything of which there is a count. */
static void ask_items(fssl_handle h, int64_t type)
{
    uint8_t buffer[512];

    for (int64_t i = 0; type == FSSL_TYPE_CERT && i < fssl_cert_alt_name_count(h, NULL); i++)
        fssl_cert_alt_name_item(h, i, NULL, buffer, sizeof buffer, NULL);
    for (int64_t i = 0; type == FSSL_TYPE_NAME && i < fssl_name_count(h, NULL); i++)
        fssl_name_item_value(h, i, buffer, sizeof buffer, NULL);
    for (int64_t i = 0; type == FSSL_TYPE_CERT && i < fssl_cert_ext_count(h, NULL); i++) {
        fssl_handle ext = fssl_cert_ext_item(h, i, NULL);

        ask(ext, "ext");
        fssl_handle_close(ext, NULL);
    }
    for (int64_t i = 0; type == FSSL_TYPE_CRL && i < fssl_crl_revoked_count(h, NULL); i++) {
        fssl_handle revoked = fssl_crl_revoked_item(h, i, NULL);

        ask(revoked, "revoked");
        fssl_handle_close(revoked, NULL);
    }
}

static bool verifies(fssl_handle cert)
{
    fssl_handle chain = fssl_chain_new(trust, cert, NULL);
    int64_t result = fssl_chain_verify(chain, NULL);

    fssl_handle_close(chain, NULL);
    return result == 0;
}

static void judge(fssl_handle h, const struct sample *sample, const struct bytes *harmed)
{
    static const char *const nouns[] = {
        [FSSL_TYPE_CTX] = "ctx",       [FSSL_TYPE_SESSION] = "session", [FSSL_TYPE_CERT] = "cert",
        [FSSL_TYPE_KEY] = "key",       [FSSL_TYPE_NAME] = "name",       [FSSL_TYPE_STORE] = "store",
        [FSSL_TYPE_EXT] = "ext",       [FSSL_TYPE_REQ] = "req",         [FSSL_TYPE_CRL] = "crl",
        [FSSL_TYPE_PKCS12] = "pkcs12", [FSSL_TYPE_PKCS7] = "pkcs7",     [FSSL_TYPE_SPKI] = "spki"};
    int64_t type = fssl_handle_type(h, NULL);

    if (type < 1 || type >= (int64_t)COUNT_OF(nouns) || !nouns[type]) {
        figure_failed("%s gives a handle of type %lld", sample->name, (long long)type);
        return;
    }
    ask(h, nouns[type]);
    ask_items(h, type);
    if (type == FSSL_TYPE_CERT && sample->load == load_cert_from_der && verifies(h) &&
        (harmed->len != sample->bytes.len ||
         memcmp(harmed->data, sample->bytes.data, (size_t)harmed->len) != 0))
        figure_failed("a changed certificate is verified");
}

/* ---- harm ---- */

static void harm_once(struct tape *tape, struct bytes *bytes)
{
    int64_t at = (int64_t)(tape_number(tape, 2) % (uint64_t)(bytes->len + 1));
    int64_t many = 1 + tape_below(tape, 16);
    int64_t room = (int64_t)sizeof bytes->data - 1 - bytes->len;

    switch (tape_below(tape, 8)) {
    case 0:
        bytes->len = at;
        break;
    case 1:
        many = many < bytes->len - at ? many : bytes->len - at;
        memmove(bytes->data + at, bytes->data + at + many, (size_t)(bytes->len - at - many));
        bytes->len -= many;
        break;
    case 2:
        many = many < room ? many : room;
        memmove(bytes->data + at + many, bytes->data + at, (size_t)(bytes->len - at));
        memset(bytes->data + at, (int)tape_below(tape, 256), (size_t)many);
        bytes->len += many;
        break;
    default:
        if (at < bytes->len)
            bytes->data[at] ^= (uint8_t)(1 + tape_below(tape, 255));
    }
}

bool load_harmed(struct tape *tape)
{
    const struct sample *sample = &samples[tape_below(tape, sample_count)];
    static struct bytes harmed;
    uint8_t *exact; /* so that a byte read beyond is found */
    int64_t h;

    harmed = sample->bytes;
    for (int64_t i = tape_below(tape, HARMS_MOST); i >= 0; i--)
        harm_once(tape, &harmed);
    exact = malloc(harmed.len > 0 ? (size_t)harmed.len : 1);
    memcpy(exact, harmed.data, (size_t)harmed.len);
    h = sample->load(exact, harmed.len);
    free(exact);
    if (h < 0)
        return false;
    judge(h, sample, &harmed);
    fssl_handle_close(h, NULL);
    return true;
}

/* ---- samples ---- */

static void add(const char *name, const uint8_t *data, int64_t len, loader *load)
{
    struct sample *sample = &samples[sample_count++];

    sample->name = name;
    sample->bytes.len = len;
    memcpy(sample->bytes.data, data, (size_t)len);
    sample->load = load;
}

static void add_encoded(const char *name, struct encoded encoded, loader *load)
{
    add(name, encoded.data, encoded.len, load);
}

static void add_getter(const char *name, bytes_getter *getter, int64_t type, loader *load)
{
    const struct bytes *bytes = bytes_of(getter, live[type]);

    add(name, bytes->data, bytes->len, load);
}

static void add_pkcs12(void)
{
    static uint8_t der[16384];
    fssl_handle container = fssl_pkcs12_new(NULL), key = identity_key_handle(ID_EC);
    fssl_handle cert = identity_cert_handle(ID_EC);
    int64_t len;

    fssl_pkcs12_set_certificate(container, cert, NULL);
    fssl_pkcs12_set_private_key(container, key, NULL);
    len = fssl_pkcs12_to_der(container, BYTES("a passphrase"), 1, 1, der, sizeof der, NULL);
    add("pkcs12", der, len, pkcs12_from_der);
    check_close(container);
    check_close(key);
    check_close(cert);
}

static void add_spki(void)
{
    fssl_handle spki = fssl_spki_new(NULL);
    const char *text;

    fssl_spki_set_public_key(spki, live[FSSL_TYPE_KEY], NULL);
    fssl_spki_sign(spki, live[FSSL_TYPE_KEY], TEXT("sha256"), NULL);
    text = text_of(fssl_spki_to_base64, spki);
    add("spki", (const uint8_t *)text, (int64_t)strlen(text), spki_from_base64);
    check_close(spki);
}

static void add_pkcs7(void)
{
    const struct identity *signer = identity(ID_RSA);
    BIO *content = BIO_new_mem_buf("content", 7);
    PKCS7 *message = PKCS7_sign(signer->cert, signer->key, NULL, content, 0);
    uint8_t *der = NULL;
    int len = i2d_PKCS7(message, &der);

    add("PKCS#7 DER", der, len, load_pkcs7_from_der);
    OPENSSL_free(der);
    PKCS7_free(message);
    BIO_free(content);
}

static void add_identities(void)
{
    struct encoded chain = encoded_join(identity_cert_pem(ID_CHAINED), identity_cert_pem(ID_CA));

    add_encoded("cert PEM", identity_cert_pem(ID_MANY_NAMES), load_cert_from_pem);
    add_encoded("cert DER", identity_cert_der(ID_EC), load_cert_from_der);
    add_encoded("cert DER", identity_cert_der(ID_MANY_NAMES), load_cert_from_der);
    add_encoded("cert DER", identity_cert_der(ID_RSA), load_cert_from_der);
    add_encoded("key DER", identity_key_der(ID_EC), load_key_from_der);
    add_encoded("key DER", identity_key_der(ID_RSA), load_key_from_der);
    add_encoded("key PEM", identity_key_pem(ID_EC, NULL), key_from_pem);
    add_encoded("encrypted key", identity_key_pem(ID_EC, "a passphrase"), key_from_pem);
    add_encoded("chain in a context", chain, context_of_chain);
    add_encoded("chain in a store", chain, store_of_pem);
}

static void trust_ca(void)
{
    fssl_handle ca = identity_cert_handle(ID_CA);

    trust = fssl_store_new(NULL);
    fssl_store_add_cert(trust, ca, NULL);
    check_close(ca);
}

void loaders_begin(void)
{
    live_open();
    trust_ca();
    add_identities();
    add_pkcs12();
    add_spki();
    add_pkcs7();
    add_getter("public key DER", fssl_key_public_to_der, FSSL_TYPE_KEY, load_key_public_from_der);
    add_getter("public key PEM", fssl_key_public_to_pem, FSSL_TYPE_KEY, load_key_public_from_pem);
    add_getter("CRL DER", fssl_crl_to_der, FSSL_TYPE_CRL, load_crl_from_der);
    add_getter("CRL PEM", fssl_crl_to_pem, FSSL_TYPE_CRL, load_crl_from_pem);
    add_getter("request DER", fssl_req_to_der, FSSL_TYPE_REQ, load_req_from_der);
    add_getter("request PEM", fssl_req_to_pem, FSSL_TYPE_REQ, load_req_from_pem);
    add_getter("name", fssl_name_to_der, FSSL_TYPE_NAME, load_name_from_der);
    add_getter("extension", fssl_ext_data, FSSL_TYPE_EXT, ext_from_der);
    add_getter("session", fssl_session_to_bytes, FSSL_TYPE_SESSION, session_from_bytes);
    ctx = fssl_ctx_new(FSSL_TLS_METHOD, NULL);
    live_close();
}
