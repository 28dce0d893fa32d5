/* A program made against FLATSSL_1.0, as it was then.

       consumer get HOST PORT CA            fetches a page; the server is verified
       consumer echo HOST PORT CA CERT KEY  shows a certificate; what it sends comes back
       consumer refuse HOST PORT CA NAME    expects NAME, which the server's certificate is not for

   Exits 0 if it went so. Linked with the library, or with BY_DLOPEN defined loading it. */
#include "flatssl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS(X) \
    X(conn_cipher_name) \
    X(conn_connect) \
    X(conn_do_handshake) \
    X(conn_new) \
    X(conn_protocol_version_name) \
    X(conn_recv) \
    X(conn_send_all) \
    X(conn_set_host) \
    X(conn_set_timeout) \
    X(conn_shutdown) \
    X(conn_verify_result) \
    X(ctx_load_verify_locations) \
    X(ctx_new_client) \
    X(ctx_use_certificate_chain_file) \
    X(ctx_use_private_key_file) \
    X(error_code) \
    X(error_text) \
    X(handle_close) \
    X(handle_count)

enum { PAGE_SIZE = 1 << 16, PATIENCE = 20000 };

#ifdef BY_DLOPEN

#include <dlfcn.h>

#define MEMBER(name) __typeof__(fssl_##name) *name;
static struct {
    CALLS(MEMBER)
} fssl;

/* POSIX has it that a function's address fits a pointer to data. */
#define ENTRY(name) {"fssl_" #name, (void **)&fssl.name},
static const struct {
    const char *name;
    void **at;
} entries[] = {CALLS(ENTRY)};

static const char *load(void)
{
    void *library = dlopen("libflatssl.so.1", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return dlerror();
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        *entries[i].at = dlsym(library, entries[i].name);
        if (!*entries[i].at)
            return entries[i].name;
    }
    return NULL;
}

#else

#define MEMBER(name) __typeof__(fssl_##name) *name;
#define LINKED(name) .name = fssl_##name,
static const struct {
    CALLS(MEMBER)
} fssl = {CALLS(LINKED)};

static const char *load(void)
{
    return NULL;
}

#endif

static int64_t checked(int64_t result, const char *what)
{
    char text[4096];
    int64_t len;

    if (result >= 0)
        return result;
    len = fssl.error_text(result, text, sizeof text, NULL);
    printf("%s: %.*s\n", what, len > 0 ? (int)len : 0, text);
    exit(1);
}

static fssl_handle trusting(const char *ca)
{
    fssl_handle ctx = checked(fssl.ctx_new_client(NULL), "ctx_new_client");

    checked(fssl.ctx_load_verify_locations(ctx, ca, FSSL_NUL_TERMINATED, NULL, 0, NULL), ca);
    return ctx;
}

/* Makes a connection, and gives the context to it. */
static fssl_handle connected(fssl_handle ctx, const char *host, const char *port, const char *name)
{
    fssl_handle conn = checked(fssl.conn_new(ctx, FSSL_NO_FD, NULL), "conn_new");

    checked(fssl.handle_close(ctx, NULL), "handle_close");
    checked(fssl.conn_set_timeout(conn, PATIENCE, NULL), "conn_set_timeout");
    checked(fssl.conn_set_host(conn, name, (int64_t)strlen(name), NULL), name);
    checked(fssl.conn_connect(conn, host, FSSL_NUL_TERMINATED, atoi(port), NULL), host);
    return conn;
}

static void show(fssl_handle conn, int64_t bytes)
{
    char protocol[32], cipher[64];
    int64_t protocol_len =
        checked(fssl.conn_protocol_version_name(conn, protocol, sizeof protocol, NULL), "protocol");
    int64_t cipher_len =
        checked(fssl.conn_cipher_name(conn, cipher, sizeof cipher, NULL), "cipher");

    printf("%.*s %.*s, %lld bytes\n", (int)protocol_len, protocol, (int)cipher_len, cipher,
           (long long)bytes);
}

/* Reads until the buffer is full or the peer ends. Returns how many bytes came. */
static int64_t receive(fssl_handle conn, uint8_t *buf, int64_t cap)
{
    int64_t len = 0;

    while (len < cap) {
        int64_t got = fssl.conn_recv(conn, buf + len, cap - len, 0, NULL);

        if (fssl.error_code(got, NULL) == FSSL_E_ZERO_RETURN)
            break;
        len += checked(got, "conn_recv");
    }
    return len;
}

static int get(char **argument)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    static uint8_t page[PAGE_SIZE];
    fssl_handle conn = connected(trusting(argument[2]), argument[0], argument[1], argument[0]);
    int64_t sent = -1, len;

    checked(fssl.conn_do_handshake(conn, NULL), "conn_do_handshake");
    if (fssl.conn_verify_result(conn, NULL) != 0)
        return 1;
    checked(fssl.conn_send_all(conn, (const uint8_t *)request, sizeof request - 1, &sent, NULL),
            "conn_send_all");
    len = receive(conn, page, sizeof page);
    show(conn, len);
    checked(fssl.handle_close(conn, NULL), "handle_close");
    return sent != sizeof request - 1 || len < 16 || memcmp(page, "HTTP/1.0 200 ", 13) != 0;
}

static int echo(char **argument)
{
    static uint8_t said[10000], heard[sizeof said];
    fssl_handle ctx = trusting(argument[2]), conn;

    checked(fssl.ctx_use_certificate_chain_file(ctx, argument[3], FSSL_NUL_TERMINATED, NULL),
            argument[3]);
    checked(fssl.ctx_use_private_key_file(ctx, argument[4], FSSL_NUL_TERMINATED, FSSL_FILETYPE_PEM,
                                          NULL),
            argument[4]);
    conn = connected(ctx, argument[0], argument[1], argument[0]);
    for (size_t i = 0; i < sizeof said; i++)
        said[i] = (uint8_t)(i * 31);
    checked(fssl.conn_send_all(conn, said, sizeof said, NULL, NULL), "conn_send_all");
    show(conn, receive(conn, heard, sizeof heard));
    checked(fssl.conn_shutdown(conn, NULL), "conn_shutdown");
    checked(fssl.handle_close(conn, NULL), "handle_close");
    return memcmp(said, heard, sizeof said) != 0;
}

static int refuse(char **argument)
{
    fssl_handle conn = connected(trusting(argument[2]), argument[0], argument[1], argument[3]);
    int32_t err = FSSL_OK;
    int64_t result = fssl.conn_do_handshake(conn, &err);
    char text[4096] = "";

    fssl.error_text(result, text, sizeof text - 1, NULL);
    text[strcspn(text, "\n")] = '\0';
    printf("%s refused: %s\n", argument[3], text);
    checked(fssl.handle_close(conn, NULL), "handle_close");
    return result >= 0 || err != FSSL_E_HOST || fssl.error_code(result, NULL) != FSSL_E_HOST;
}

static const struct {
    const char *name;
    int arguments;
    int (*run)(char **argument);
} scenarios[] = {{"get", 3, get}, {"echo", 5, echo}, {"refuse", 4, refuse}};

int main(int argc, char **argv)
{
    const char *missing = load();

    if (missing) {
        printf("not loaded: %s\n", missing);
        return 1;
    }
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (argc == scenarios[i].arguments + 2 && strcmp(argv[1], scenarios[i].name) == 0)
            return scenarios[i].run(argv + 2) || fssl.handle_count(FSSL_TYPE_ANY, NULL) != 0;
    }
    puts("consumer get|echo|refuse HOST PORT CA ...");
    return 2;
}
