/* What moves bytes, in C: an object of it, how a call of the library ends, and where it writes. */
#ifndef FLATSSL_PYTHON_TRANSFER_H
#define FLATSSL_PYTHON_TRANSFER_H

#include "arguments.h"
#include "flatssl.h"

enum {
    RECORD_MAX = 16384,   /* the plaintext of one record of TLS */
    STREAM_MAX = 1 << 16, /* what one call returns at most */
    TAKEN_MAX = 1 << 20,  /* the same, of ciphertext */
    SMALL = 4096,         /* what is rather copied than read into memory of its own */
};

/* What a method returns: the class of tuples, and the last one if it was small. */
struct results {
    PyTypeObject *type;
    PyObject *last;
};

struct transfer {
    PyObject object;
    struct results pumped, sealed;
    int64_t handle;
    bool much;        /* plaintext came the last time */
    int64_t overhead; /* of a record that was sent */
};

/* The library's functions, by the names that they have there. */
struct library {
    __typeof__(&fssl_conn_send) send;
    __typeof__(&fssl_conn_send_all) send_all;
    __typeof__(&fssl_conn_recv) recv;
    __typeof__(&fssl_conn_bio_read) bio_read;
    __typeof__(&fssl_conn_bio_write) bio_write;
    __typeof__(&fssl_conn_pump) pump;
    __typeof__(&fssl_conn_seal) seal;
};

extern struct library library;

int64_t least(int64_t one, int64_t other);
PyObject *failure(struct transfer *self, int64_t result);
bool again(struct transfer *self, int64_t result);

/* Where a call writes to: bytes that are to be the result, or a room, from which the result is
   copied. */
struct sink {
    PyObject *bytes;
    uint8_t *data;
};

uint8_t *room_take(void);
void room_give(uint8_t *room);
bool sink_begin(struct sink *sink, int64_t size, bool direct);
PyObject *sink_end(struct sink *sink, int64_t size);

/* What a method was called with. */
struct values {
    PyObject *const *at;
    Py_ssize_t count;
    PyObject *names;
};

typedef int64_t give_function(fssl_handle, const uint8_t *, int64_t, int32_t *);

PyObject *transfer_give(struct transfer *self, const struct parameters *parameters,
                        give_function *function, struct values values);
PyObject *transfer_bio_read(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                            PyObject *names);
PyObject *transfer_bio_write(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                             PyObject *names);
PyObject *transfer_seal(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                        PyObject *names);
PyObject *transfer_pump(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                        PyObject *names);

#endif
