/* What measure.py counts the instructions of: sends, receives and handshakes in memory, through
   flatssl or through OpenSSL itself. Counting begins and ends with work(). */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

enum { MESSAGES = 1000, HANDSHAKES = 100, SMALL = 64, WIRE = 1 << 18 };

static uint8_t wire[WIRE], message[SMALL];

/* What each library does, on its own two ends. */
struct library {
    void (*contexts)(void);
    void (*connect)(void); /* makes both ends and shakes hands */
    void (*disconnect)(void);
    void (*send)(void);
    void (*carry)(void);
    void (*recv)(void);
};

static void must(bool held)
{
    if (!held)
        abort();
}

/* ---- flatssl ---- */

static struct pair pair;

static void flatssl_contexts(void)
{
    pair_contexts(&pair, &(struct pair_plan){0});
}

static void flatssl_carry_from(fssl_handle from, fssl_handle to)
{
    int64_t len = fssl_conn_bio_read(from, wire, WIRE, NULL);

    must(len < 0 || fssl_conn_bio_write(to, wire, len, NULL) == len);
}

static void flatssl_carry(void)
{
    flatssl_carry_from(pair.client, pair.server);
    flatssl_carry_from(pair.server, pair.client);
}

static void flatssl_connect(void)
{
    int64_t client, server;

    pair.client = fssl_conn_new_memory(pair.client_ctx, NULL);
    pair.server = fssl_conn_new_memory(pair.server_ctx, NULL);
    fssl_conn_set_host(pair.client, "localhost", 9, NULL);
    do {
        client = fssl_conn_do_handshake(pair.client, NULL);
        flatssl_carry_from(pair.client, pair.server);
        server = fssl_conn_do_handshake(pair.server, NULL);
        flatssl_carry_from(pair.server, pair.client);
    } while (client == -FSSL_E_WANT_READ || server == -FSSL_E_WANT_READ);
    must(client == 0 && server == 0);
}

static void flatssl_disconnect(void)
{
    fssl_handle_close(pair.client, NULL);
    fssl_handle_close(pair.server, NULL);
}

static void flatssl_send(void)
{
    must(fssl_conn_send(pair.client, message, SMALL, NULL) == SMALL);
}

static void flatssl_recv(void)
{
    must(fssl_conn_recv(pair.server, message, SMALL, 0, NULL) == SMALL);
}

static const struct library flatssl = {flatssl_contexts, flatssl_connect, flatssl_disconnect,
                                       flatssl_send,     flatssl_carry,   flatssl_recv};

/* ---- OpenSSL ---- */

static SSL_CTX *client_ctx, *server_ctx;
static SSL *client, *server;

static void openssl_contexts(void)
{
    const struct identity *own = identity(ID_EC);

    client_ctx = SSL_CTX_new(TLS_client_method());
    server_ctx = SSL_CTX_new(TLS_server_method());
    must(X509_STORE_add_cert(SSL_CTX_get_cert_store(client_ctx), identity(ID_CA)->cert));
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    must(SSL_CTX_use_certificate(server_ctx, own->cert) == 1 &&
         SSL_CTX_use_PrivateKey(server_ctx, own->key) == 1);
}

static void openssl_connect(void)
{
    BIO *near, *far;
    int one, other;

    client = SSL_new(client_ctx);
    server = SSL_new(server_ctx);
    must(BIO_new_bio_pair(&near, WIRE, &far, WIRE) == 1);
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    must(X509_VERIFY_PARAM_set1_host(SSL_get0_param(client), "localhost", 0) &&
         SSL_set_tlsext_host_name(client, "localhost"));
    do {
        one = SSL_do_handshake(client);
        other = SSL_do_handshake(server);
    } while (one != 1 || other != 1);
}

static void openssl_disconnect(void)
{
    SSL_free(client);
    SSL_free(server);
}

static void openssl_send(void)
{
    must(SSL_write(client, message, SMALL) == SMALL);
}

static void openssl_carry(void)
{
}

static void openssl_recv(void)
{
    must(SSL_read(server, message, SMALL) == SMALL);
}

static const struct library openssl = {openssl_contexts, openssl_connect, openssl_disconnect,
                                       openssl_send,     openssl_carry,   openssl_recv};

/* ---- the work ---- */

static void handshake(const struct library *library)
{
    library->connect();
    library->disconnect();
}

static void send_one(const struct library *library)
{
    library->send();
}

static void recv_one(const struct library *library)
{
    library->recv();
}

/* Callgrind counts from here on, and until this returns. */
__attribute__((noinline)) void work(const struct library *library,
                                    void (*one)(const struct library *), int times);

void work(const struct library *library, void (*one)(const struct library *), int times)
{
    for (int i = 0; i < times; i++)
        one(library);
}

int main(int argc, char **argv)
{
    const struct library *library;

    if (argc != 3)
        return 2;
    library = strcmp(argv[1], "flatssl") == 0 ? &flatssl : &openssl;
    library->contexts();
    handshake(library); /* what is done once a process is not counted */
    if (strcmp(argv[2], "handshakes") == 0) {
        work(library, handshake, HANDSHAKES);
        return 0;
    }
    library->connect();
    if (strcmp(argv[2], "sends") == 0) {
        work(library, send_one, MESSAGES);
        return 0;
    }
    for (int i = 0; i < MESSAGES; i++)
        library->send();
    library->carry();
    work(library, recv_one, MESSAGES);
    return 0;
}
