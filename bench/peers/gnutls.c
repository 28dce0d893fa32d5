/* GnuTLS. Its records come and go by functions of ours: to a socket, or to buffers. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine.h"

#define PRIORITY \
    "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+GROUP-X25519:+SIGN-ECDSA-SECP256R1-SHA256:" \
    "+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256:+CTYPE-X509"

struct end {
    gnutls_session_t session;
    int fd;
    const uint8_t *in;
    long in_len;
    uint8_t *out;
    long out_len;
};

static long done(long result)
{
    if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED)
        return 0;
    must(result >= 0, gnutls_strerror((int)result));
    return result;
}

static gnutls_certificate_credentials_t credentials_make(bool server, bool mutual)
{
    gnutls_certificate_credentials_t made;
    char path[4096];

    must(gnutls_certificate_allocate_credentials(&made) == 0, "credentials");
    strncpy(path, file_path(server ? "server.pem" : "client.pem"), sizeof path - 1);
    path[sizeof path - 1] = 0;
    if (server || mutual)
        done(gnutls_certificate_set_x509_key_file(made, path, path, GNUTLS_X509_FMT_PEM));
    if (!server || mutual)
        done(
            gnutls_certificate_set_x509_trust_file(made, file_path("ca.pem"), GNUTLS_X509_FMT_PEM));
    return made;
}

static gnutls_certificate_credentials_t credentials_of(bool server, bool mutual)
{
    static gnutls_certificate_credentials_t made[2][2];

    if (!made[server][mutual])
        made[server][mutual] = credentials_make(server, mutual);
    return made[server][mutual];
}

bool engine_can(const struct plan *plan)
{
    return plan->version == 13 && !plan->resumed && !plan->coalesced && !plan->read_ahead;
}

bool engine_trust(void)
{
    gnutls_certificate_credentials_t made;
    bool trusted;

    must(gnutls_certificate_allocate_credentials(&made) == 0, "credentials");
    trusted = gnutls_certificate_set_x509_system_trust(made) > 0;
    gnutls_certificate_free_credentials(made);
    return trusted;
}

/* ---- ends ---- */

static ssize_t push(gnutls_transport_ptr_t given, const void *data, size_t len)
{
    struct end *end = given;

    if (end->fd >= 0)
        return send(end->fd, data, len, MSG_NOSIGNAL);
    must(end->out_len + (long)len <= PACKET, "room");
    memcpy(end->out + end->out_len, data, len);
    end->out_len += (long)len;
    return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t given, void *buf, size_t cap)
{
    struct end *end = given;
    size_t len = cap < (size_t)end->in_len ? cap : (size_t)end->in_len;

    if (end->fd >= 0)
        return recv(end->fd, buf, cap, 0);
    if (len == 0) {
        gnutls_transport_set_errno(end->session, EAGAIN);
        return -1;
    }
    memcpy(buf, end->in, len);
    end->in += len;
    end->in_len -= (long)len;
    return (ssize_t)len;
}

struct end *end_new(bool server, const struct plan *plan, int fd)
{
    static gnutls_priority_t priority;
    struct end *end = calloc(1, sizeof *end);

    must(end, "calloc");
    end->fd = fd;
    if (!priority)
        must(!gnutls_priority_init(&priority, PRIORITY, NULL), "the priority");
    must(!gnutls_init(&end->session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                                         GNUTLS_NO_SIGNAL),
         "gnutls_init");
    gnutls_priority_set(end->session, priority);
    gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE,
                           credentials_of(server, plan->mutual));
    gnutls_transport_set_ptr(end->session, end);
    gnutls_transport_set_push_function(end->session, push);
    gnutls_transport_set_pull_function(end->session, pull);
    if (server) {
        gnutls_certificate_server_set_request(end->session, plan->mutual ? GNUTLS_CERT_REQUIRE
                                                                         : GNUTLS_CERT_IGNORE);
        if (plan->mutual)
            gnutls_session_set_verify_cert(end->session, NULL, 0);
        return end;
    }
    gnutls_server_name_set(end->session, GNUTLS_NAME_DNS, "localhost", 9);
    gnutls_session_set_verify_cert(end->session, "localhost", 0);
    return end;
}

void end_free(struct end *end)
{
    gnutls_deinit(end->session);
    free(end);
}

void end_remember(struct end *end)
{
    (void)end;
}

bool end_resumed(struct end *end)
{
    return gnutls_session_is_resumed(end->session) != 0;
}

bool end_as_agreed(struct end *end)
{
    return gnutls_protocol_get_version(end->session) == GNUTLS_TLS1_3 &&
           gnutls_cipher_get(end->session) == GNUTLS_CIPHER_AES_128_GCM &&
           gnutls_group_get(end->session) == GNUTLS_GROUP_X25519;
}

bool end_handshake(struct end *end)
{
    int result = gnutls_handshake(end->session);

    done(result);
    return result == 0;
}

/* Where the socket would not take all, GnuTLS wants the same call again, which work.c makes. */
long end_send(struct end *end, const uint8_t *data, long len)
{
    return done(gnutls_record_send(end->session, data, (size_t)len));
}

long end_recv(struct end *end, uint8_t *buf, long cap)
{
    return done(gnutls_record_recv(end->session, buf, (size_t)cap));
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

long end_open(struct end *end, const uint8_t *in, long in_len, uint8_t *plain, long cap)
{
    if (in_len > 0) {
        end->in = in;
        end->in_len = in_len;
    }
    return end_recv(end, plain, cap);
}
