/* libretls: LibreSSL's libtls over OpenSSL. It cannot choose a suite of TLS 1.3, and does not read
   OpenSSL's settings: this does, before it. */
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <tls.h>

#include "engine.h"

struct end {
    struct tls *tls;
    const uint8_t *in;
    long in_len;
    uint8_t *out;
    long out_len;
};

static long done(struct end *end, ssize_t result)
{
    if (result == TLS_WANT_POLLIN || result == TLS_WANT_POLLOUT)
        return 0;
    must(result >= 0, tls_error(end->tls));
    return (long)result;
}

static struct tls_config *config_make(bool server, bool mutual)
{
    bool read = OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
    struct tls_config *made = tls_config_new();
    const char *own = file_path(server ? "server.pem" : "client.pem");

    must(read && made && !tls_config_set_protocols(made, TLS_PROTOCOL_TLSv1_3), "a configuration");
    if (server || mutual)
        must(!tls_config_set_keypair_file(made, own, own), own);
    if (!server || mutual)
        must(!tls_config_set_ca_file(made, file_path("ca.pem")), "ca.pem");
    if (server && mutual)
        tls_config_verify_client(made);
    return made;
}

static struct tls_config *config_of(bool server, bool mutual)
{
    static struct tls_config *made[2][2];

    if (!made[server][mutual])
        made[server][mutual] = config_make(server, mutual);
    return made[server][mutual];
}

bool engine_can(const struct plan *plan)
{
    return plan->version == 13 && !plan->resumed && !plan->coalesced && !plan->read_ahead;
}

bool engine_trust(void)
{
    return false;
}

/* ---- ends ---- */

static ssize_t push(struct tls *tls, const void *data, size_t len, void *given)
{
    struct end *end = given;

    (void)tls;
    must(end->out_len + (long)len <= PACKET, "room");
    memcpy(end->out + end->out_len, data, len);
    end->out_len += (long)len;
    return (ssize_t)len;
}

static ssize_t pull(struct tls *tls, void *buf, size_t cap, void *given)
{
    struct end *end = given;
    size_t len = cap < (size_t)end->in_len ? cap : (size_t)end->in_len;

    (void)tls;
    if (len == 0)
        return TLS_WANT_POLLIN;
    memcpy(buf, end->in, len);
    end->in += len;
    end->in_len -= (long)len;
    return (ssize_t)len;
}

/* The context of a server that accepts, made once for each kind. */
static struct tls *listener_of(bool mutual)
{
    static struct tls *made[2];

    if (!made[mutual]) {
        struct tls_config *config = config_of(true, mutual);

        made[mutual] = tls_server();
        must(!tls_configure(made[mutual], config), tls_error(made[mutual]));
    }
    return made[mutual];
}

struct end *end_new(bool server, const struct plan *plan, int fd)
{
    struct tls_config *config = config_of(server, plan->mutual); /* before all else */
    struct end *end = calloc(1, sizeof *end);
    int failed;

    must(end, "calloc");
    if (server) {
        struct tls *listener = listener_of(plan->mutual);

        failed = fd < 0 ? tls_accept_cbs(listener, &end->tls, pull, push, end)
                        : tls_accept_socket(listener, &end->tls, fd);
        must(!failed, tls_error(listener));
        return end;
    }
    end->tls = tls_client();
    must(!tls_configure(end->tls, config), tls_error(end->tls));
    failed = fd < 0 ? tls_connect_cbs(end->tls, pull, push, end, "localhost")
                    : tls_connect_socket(end->tls, fd, "localhost");
    must(!failed, tls_error(end->tls));
    return end;
}

void end_free(struct end *end)
{
    tls_free(end->tls);
    free(end);
}

void end_remember(struct end *end)
{
    (void)end;
}

bool end_resumed(struct end *end)
{
    return tls_conn_session_resumed(end->tls);
}

/* It tells no group: the settings of the process leave it no other. */
bool end_as_agreed(struct end *end)
{
    return !strcmp(tls_conn_cipher(end->tls), "TLS_AES_128_GCM_SHA256");
}

bool end_handshake(struct end *end)
{
    int result = tls_handshake(end->tls);

    done(end, result);
    return result == 0;
}

long end_send(struct end *end, const uint8_t *data, long len)
{
    return done(end, tls_write(end->tls, data, (size_t)len));
}

long end_recv(struct end *end, uint8_t *buf, long cap)
{
    return done(end, tls_read(end->tls, buf, (size_t)cap));
}

void end_flush(struct end *end)
{
    (void)end;
}

/* ---- memory ---- */

long end_shake(struct end *end, const uint8_t *in, long in_len, uint8_t *out, bool *finished)
{
    end->in = in;
    end->in_len = in_len;
    end->out = out;
    end->out_len = 0;
    *finished = end_handshake(end);
    return end->out_len;
}

long end_seal(struct end *end, const uint8_t *data, long len, long *sent, uint8_t *out)
{
    end->out = out;
    end->out_len = 0;
    *sent = end_send(end, data, len);
    return end->out_len;
}

/* One read handles one message: a ticket comes before the data. */
long end_open(struct end *end, const uint8_t *in, long in_len, uint8_t *plain, long cap)
{
    long got, before;

    if (in_len > 0) {
        end->in = in;
        end->in_len = in_len;
    }
    do {
        before = end->in_len;
        got = end_recv(end, plain, cap);
    } while (got == 0 && end->in_len > 0 && end->in_len < before);
    return got;
}
