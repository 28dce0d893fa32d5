/* Runs the scenarios of a directory from C. Prints a line for each: its number and the code with
   which the handshake of a fresh client ended. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flatssl.h"

enum { ROUNDS = 100, ROOM = 1 << 18 };

/* Reads a file whole. Returns its length. */
static int64_t slurp(const char *folder, const char *number, const char *suffix, uint8_t *buf)
{
    char path[4096];
    FILE *file;
    size_t len;

    snprintf(path, sizeof path, "%s/%s.%s", folder, number, suffix);
    file = fopen(path, "r");
    if (!file)
        exit(2);
    len = fread(buf, 1, ROOM, file);
    fclose(file);
    return (int64_t)len;
}

/* Ends the program with what went wrong outside of the handshake. */
static int64_t must(int64_t result)
{
    char text[4096];

    if (result >= 0)
        return result;
    fprintf(stderr, "%.*s\n", (int)fssl_error_text(result, text, sizeof text, NULL), text);
    exit(2);
}

static fssl_handle client_ctx(const char *folder, const char *number, bool crl)
{
    static uint8_t pem[ROOM];
    int64_t len = slurp(folder, number, "trust", pem);
    fssl_handle ctx = must(fssl_ctx_new_client(NULL)), store;

    must(fssl_ctx_load_verify_pem(ctx, pem, len, NULL));
    if (crl) {
        store = must(fssl_ctx_cert_store(ctx, NULL));
        must(fssl_store_set_flags(store, FSSL_STORE_CRL_CHECK, NULL));
        fssl_handle_close(store, NULL);
    }
    return ctx;
}

/* A server as lax as can be: what it shows is for the client to judge. */
static fssl_handle server_ctx(const char *folder, const char *number)
{
    static uint8_t pem[ROOM];
    int64_t len = slurp(folder, number, "chain", pem);
    fssl_handle ctx = must(fssl_ctx_new(FSSL_TLS_SERVER_METHOD, NULL)), key;

    must(fssl_ctx_set_security_level(ctx, 0, NULL));
    must(fssl_ctx_use_certificate_chain(ctx, pem, len, NULL));
    len = slurp(folder, number, "key", pem);
    key = must(fssl_key_from_pem(pem, len, NULL, 0, NULL));
    must(fssl_ctx_use_private_key(ctx, key, NULL));
    fssl_handle_close(key, NULL);
    return ctx;
}

static void carry(fssl_handle from, fssl_handle to)
{
    static uint8_t buf[ROOM];
    int64_t len = fssl_conn_bio_read(from, buf, sizeof buf, NULL);

    if (len > 0)
        must(fssl_conn_bio_write(to, buf, len, NULL));
}

static int64_t shake_hands(fssl_handle client, fssl_handle server)
{
    int64_t result = -FSSL_E_WANT_READ;

    for (int i = 0; i < ROUNDS && result == -FSSL_E_WANT_READ; i++) {
        result = fssl_conn_do_handshake(client, NULL);
        carry(client, server);
        fssl_conn_do_handshake(server, NULL);
        carry(server, client);
    }
    return result;
}

static int64_t run(const char *folder, const char *number, const char *host, bool crl)
{
    fssl_handle their_ctx = server_ctx(folder, number), ctx = client_ctx(folder, number, crl);
    fssl_handle client = must(fssl_conn_new_memory(ctx, NULL));
    fssl_handle server = must(fssl_conn_new_memory(their_ctx, NULL));
    int64_t result = fssl_conn_set_host(client, host, (int64_t)strlen(host), NULL);

    must(fssl_conn_set_accept_state(server, NULL));
    if (result == 0)
        result = shake_hands(client, server);
    fssl_handle_close(client, NULL);
    fssl_handle_close(server, NULL);
    fssl_handle_close(ctx, NULL);
    fssl_handle_close(their_ctx, NULL);
    return fssl_error_code(result, NULL);
}

int main(int argc, char **argv)
{
    char path[4096], line[1024];
    FILE *list;

    if (argc != 2)
        return 2;
    snprintf(path, sizeof path, "%s/scenarios.tsv", argv[1]);
    list = fopen(path, "r");
    while (list && fgets(line, sizeof line, list)) {
        char *field[5], *at = line, name[64] = "";
        int64_t code;

        for (int i = 0; i < 5; i++) {
            field[i] = at;
            at += strcspn(at, "\t\n");
            *at++ = '\0';
        }
        code = run(argv[1], field[0], field[3], *field[4] == '1');
        fssl_error_name((int32_t)code, name, sizeof name - 1, NULL);
        printf("%s\t%s\n", field[0], name);
    }
    return list ? fclose(list) : 2;
}
