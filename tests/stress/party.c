#include "party.h"

#include <string.h>

enum { PIECE_MAX = 16384 };

bool party_wants(int64_t result)
{
    return result == -FSSL_E_WANT_READ || result == -FSSL_E_WANT_WRITE ||
           result == -FSSL_E_INTERRUPTED;
}

uint8_t party_byte(uint8_t voice, int64_t i)
{
    uint32_t mixed = (uint32_t)i * 2654435761u ^ (uint32_t)voice << 24;

    return (uint8_t)(mixed >> 16 ^ mixed >> 24);
}

static void end(struct party *party, int64_t result)
{
    party->stage = ENDED;
    party->result = result;
}

/* Takes the result of a call. Returns whether it was a success. */
static bool passed(struct party *party, int64_t result)
{
    party->result = result;
    if (result < 0 && !party_wants(result))
        end(party, result);
    return result >= 0;
}

/* What the other end sent before a send failed can still be received. */
static bool send_some(struct party *party)
{
    uint8_t data[PIECE_MAX];
    int64_t len = party->to_send - party->sent;
    int64_t result;

    if (len > party->piece)
        len = party->piece;
    for (int64_t i = 0; i < len; i++)
        data[i] = party_byte(party->voice, party->sent + i);
    if (len == 0 || party->send_failure)
        return false;
    result = fssl_conn_send(party->conn, data, len, NULL);
    memset(data, 0, sizeof data);
    if (result < 0 && !party_wants(result))
        party->send_failure = result;
    if (party->send_failure && party->blocks)
        end(party, result);
    party->sent += result > 0 ? result : 0;
    return result > 0;
}

/* Takes what a call received, or its failure. */
static bool take(struct party *party, const uint8_t *data, int64_t result)
{
    if (!passed(party, result))
        return false;
    for (int64_t i = 0; i < result; i++)
        party->wrong |= data[i] != party_byte((uint8_t)~party->voice, party->received + i);
    party->received += result;
    return true;
}

static bool recv_some(struct party *party)
{
    uint8_t data[PIECE_MAX];

    if (!party->stays && party->received == party->to_recv)
        return false; /* where it blocks, it would wait for nothing */
    return take(party, data, fssl_conn_recv(party->conn, data, party->piece, 0, NULL));
}

/* Tells whether the talk has gone on, or is over. */
static bool talked(struct party *party, bool moved)
{
    if (party->stays && party->stage == ENDED && party->result == -FSSL_E_ZERO_RETURN)
        party->stage = SHUTS_DOWN;
    else if (!party->stays && party->stage == TALKS && party->sent == party->to_send &&
             party->received == party->to_recv)
        party->stage = SHUTS_DOWN;
    return moved || party->stage != TALKS;
}

static bool talk(struct party *party)
{
    bool moved = send_some(party);

    if (party->stage == TALKS)
        moved |= recv_some(party);
    return talked(party, moved);
}

static bool shut_down(struct party *party)
{
    if (!passed(party, fssl_conn_shutdown(party->conn, NULL)))
        return party->stage == ENDED;
    if (party->result == 1)
        end(party, 0);
    return true;
}

bool party_step(struct party *party)
{
    switch (party->stage) {
    case SHAKES_HANDS:
        if (!passed(party, fssl_conn_do_handshake(party->conn, NULL)))
            return party->stage == ENDED;
        party->stage = TALKS;
        return true;
    case TALKS:
        return talk(party);
    case SHUTS_DOWN:
        return shut_down(party);
    default:
        return false;
    }
}

static bool pump(struct party *party, struct packet *packet)
{
    uint8_t data[PIECE_MAX];
    int64_t cap = party->stage == TALKS ? party->piece : 0;
    int64_t result = fssl_conn_pump(party->conn, packet->in, packet->in_len, &packet->taken, data,
                                    cap, packet->out, packet->out_cap, &packet->given, NULL);
    bool moved = take(party, data, result);

    if (moved && party->stage == SHAKES_HANDS)
        party->stage = TALKS;
    return (party->stage == TALKS || party->stage == ENDED) && cap > 0 ? talked(party, moved)
                                                                       : moved;
}

bool party_pump(struct party *party, struct packet *packet)
{
    bool moved = false;

    packet->taken = packet->given = 0;
    if (party->stage == TALKS)
        moved = send_some(party);
    if (party->stage < SHUTS_DOWN)
        moved |= pump(party, packet);
    else
        moved |= party_step(party);
    return moved || packet->taken > 0 || packet->given > 0;
}

const char *party_stays_failed(const struct party *party)
{
    uint8_t byte[16];
    int64_t code = fssl_error_code(party->result, NULL);

    if (fssl_error_code(fssl_conn_recv(party->conn, byte, sizeof byte, 0, NULL), NULL) != code)
        return "recv gives another code later";
    if (code == FSSL_E_ZERO_RETURN)
        return NULL;
    if (fssl_error_code(fssl_conn_send(party->conn, byte, sizeof byte, NULL), NULL) != code)
        return "send gives another code later";
    if (fssl_error_code(fssl_conn_do_handshake(party->conn, NULL), NULL) != code)
        return "the handshake gives another code later";
    if (fssl_error_code(fssl_conn_shutdown(party->conn, NULL), NULL) != code)
        return "shutdown gives another code later";
    return NULL;
}
