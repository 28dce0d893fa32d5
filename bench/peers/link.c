#include "link.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 64 };

uint8_t message[MESSAGE_MAX], received[MESSAGE_MAX];

/* Ciphertext on its way to the server, and to the client with what waits there. */
static _Thread_local uint8_t *there, *back;
static _Thread_local long waiting;

static void buffers_make(void)
{
    if (there)
        return;
    there = malloc(PACKET);
    back = malloc(PACKET);
    must(there && back, "malloc");
}

void link_thread_ends(void)
{
    free(there);
    free(back);
    there = back = NULL;
}

struct link link_new(const struct plan *plan, bool memory)
{
    struct link link = {.fds = {-1, -1}, .memory = memory};

    buffers_make();
    if (!memory)
        loopback_pair(link.fds);
    link.client = end_new(false, plan, link.fds[0]);
    link.server = end_new(true, plan, link.fds[1]);
    return link;
}

void link_free(struct link *link)
{
    end_free(link->client);
    end_free(link->server);
    for (int i = 0; i < 2; i++) {
        if (link->fds[i] >= 0)
            close(link->fds[i]);
    }
}

/* ---- handshake ---- */

static bool shake_memory(struct link *link)
{
    bool client = false, server = false;

    waiting = 0;
    for (int i = 0; i < STEPS && !(client && server); i++) {
        if (!client)
            waiting = end_shake(link->client, back, waiting, there, &client);
        if (!server)
            waiting = end_shake(link->server, there, waiting, back, &server);
    }
    return client && server;
}

static bool shake_sockets(struct link *link)
{
    bool client = false, server = false;

    for (int i = 0; i < STEPS && !(client && server); i++) {
        client = client || end_handshake(link->client);
        server = server || end_handshake(link->server);
    }
    return client && server;
}

void link_shake(struct link *link)
{
    must(link->memory ? shake_memory(link) : shake_sockets(link), "the handshake");
}

void link_settle(struct link *link)
{
    if (link->memory && waiting > 0)
        end_open(link->client, back, waiting, received, MESSAGE_MAX);
}

struct link link_ready(const struct plan *plan, bool memory)
{
    struct link link = link_new(plan, memory);

    link_shake(&link);
    link_settle(&link);
    must(end_as_agreed(link.client) && end_as_agreed(link.server), "what was agreed");
    link_carry(&link, true, 1);
    link_carry(&link, false, 1);
    return link;
}

struct link *link_kept(bool memory)
{
    static struct link kept[2];

    if (!kept[memory].client)
        kept[memory] = link_ready(&(struct plan){.version = 13}, memory);
    return &kept[memory];
}

/* ---- data ---- */

static void carry_memory(struct end *from, struct end *to, long len)
{
    long sent = 0, got = 0, packet, piece, part;

    while (got < len) {
        part = 0;
        packet = sent < len ? end_seal(from, message + sent, len - sent, &part, there) : 0;
        sent += part;
        piece = end_open(to, there, packet, received, MESSAGE_MAX);
        while (piece > 0) {
            got += piece;
            piece = got < sent ? end_open(to, NULL, 0, received, MESSAGE_MAX) : 0;
        }
        must(part > 0 || got == len, "the transfer");
    }
}

static void carry_sockets(struct end *from, struct end *to, long len)
{
    long sent = 0, got = 0;

    while (got < len) {
        if (sent < len)
            sent += end_send(from, message + sent, len - sent);
        else
            end_flush(from);
        for (long piece = 1; piece > 0 && got < sent; got += piece)
            piece = end_recv(to, received, MESSAGE_MAX);
    }
}

void link_carry(struct link *link, bool from_server, long len)
{
    struct end *from = from_server ? link->server : link->client;
    struct end *to = from_server ? link->client : link->server;

    if (link->memory)
        carry_memory(from, to, len);
    else
        carry_sockets(from, to, len);
}
