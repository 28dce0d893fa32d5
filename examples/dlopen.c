/* dlopen HOST PORT [CA]: a client that needs no flatssl to be built or started; it loads the
   library when it runs. Build it with  cc -Iabi examples/dlopen.c -ldl  and no other library. */
#include <dlfcn.h>
#include <flatssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The functions that are used. Their types come from the header; nothing is declared twice. */
static struct {
    __typeof__(fssl_ctx_new_client) *ctx_new_client;
    __typeof__(fssl_ctx_load_verify_locations) *ctx_load_verify_locations;
    __typeof__(fssl_conn_new) *conn_new;
    __typeof__(fssl_conn_connect) *conn_connect;
    __typeof__(fssl_conn_do_handshake) *conn_do_handshake;
    __typeof__(fssl_conn_send_all) *conn_send_all;
    __typeof__(fssl_conn_recv) *conn_recv;
    __typeof__(fssl_error_text) *error_text;
    __typeof__(fssl_handle_close) *handle_close;
} fssl;

/* POSIX has it that a function's address fits a pointer to data. */
static const struct {
    const char *name;
    void **at;
} functions[] = {
    {"fssl_ctx_new_client", (void **)&fssl.ctx_new_client},
    {"fssl_ctx_load_verify_locations", (void **)&fssl.ctx_load_verify_locations},
    {"fssl_conn_new", (void **)&fssl.conn_new},
    {"fssl_conn_connect", (void **)&fssl.conn_connect},
    {"fssl_conn_do_handshake", (void **)&fssl.conn_do_handshake},
    {"fssl_conn_send_all", (void **)&fssl.conn_send_all},
    {"fssl_conn_recv", (void **)&fssl.conn_recv},
    {"fssl_error_text", (void **)&fssl.error_text},
    {"fssl_handle_close", (void **)&fssl.handle_close},
};

static void load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; library && i < sizeof functions / sizeof *functions; i++) {
        *functions[i].at = dlsym(library, functions[i].name);
        if (!*functions[i].at)
            library = NULL;
    }
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
}

/* A negative result alone tells what failed: the last argument of every call may be NULL. */
static int64_t checked(int64_t result)
{
    char text[4096];
    int64_t len;

    if (result >= 0)
        return result;
    len = fssl.error_text(result, text, sizeof text, NULL);
    fprintf(stderr, "%.*s\n", len > 0 ? (int)len : 0, text);
    exit(1);
}

static fssl_handle connected(const char *host, int port, const char *ca)
{
    fssl_handle ctx = checked(fssl.ctx_new_client(NULL)), conn;

    if (ca)
        checked(fssl.ctx_load_verify_locations(ctx, ca, FSSL_NUL_TERMINATED, NULL, 0, NULL));
    conn = checked(fssl.conn_new(ctx, FSSL_NO_FD, NULL));
    fssl.handle_close(ctx, NULL); /* the connection holds it */
    checked(fssl.conn_connect(conn, host, FSSL_NUL_TERMINATED, port, NULL));
    checked(fssl.conn_do_handshake(conn, NULL));
    return conn;
}

int main(int argc, char **argv)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    uint8_t data[16384];
    int64_t got;
    fssl_handle conn;

    if (argc < 3) {
        fputs("dlopen HOST PORT [CA]\n", stderr);
        return 2;
    }
    load("libflatssl.so.1");
    conn = connected(argv[1], atoi(argv[2]), argc > 3 ? argv[3] : NULL);
    checked(fssl.conn_send_all(conn, (const uint8_t *)request, sizeof request - 1, NULL, NULL));
    while ((got = fssl.conn_recv(conn, data, sizeof data, 0, NULL)) > 0)
        fwrite(data, 1, (size_t)got, stdout);
    if (got != -FSSL_E_ZERO_RETURN) /* anything else may have cut the page short */
        checked(got);
    fssl.handle_close(conn, NULL);
    return 0;
}
