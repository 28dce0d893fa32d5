/* What moves bytes of connections over memory. */
#include "transfer.h"

enum {
    SPARE = 8,          /* less than malloc splits off */
    OVERHEAD_MAX = 256, /* of a record; more comes of a handshake */
    KEPT_MAX = 1280,    /* bytes of a result */
};

PyObject *transfer_bio_read(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                            PyObject *names)
{
    static const struct parameters parameters = {"bio_read", 1, {"bufsize"}};
    struct given given;
    struct sink sink;
    int64_t size, result;
    PyThreadState *state;

    if (!take(&parameters, values, count, names, &given) || !size_of(given.values[0], 0, &size))
        return NULL;
    size = least(size, TAKEN_MAX);
    if (!sink_begin(&sink, size, false))
        return NULL;
    do {
        state = PyEval_SaveThread();
        result = library.bio_read(self->handle, sink.data, size, NULL);
        PyEval_RestoreThread(state);
    } while (result < 0 && again(self, result));
    return sink_end(&sink, result);
}

PyObject *transfer_bio_write(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                             PyObject *names)
{
    static const struct parameters parameters = {"bio_write", 1, {"data"}};

    return transfer_give(self, &parameters, library.bio_write,
                         (struct values){values, count, names});
}

/* ---- one call for a packet, or for a message ---- */

/* Fills the last result anew, if nobody else holds it. Returns whether it could. */
static bool tuple_refill(PyObject *last, PyObject *const items[], int count)
{
    PyObject *former;

    if (!last || Py_REFCNT(last) != 1)
        return false;
    for (int i = 0; i < count; i++) {
        former = PyTuple_GET_ITEM(last, i);
        PyTuple_SET_ITEM(last, i, items[i]);
        Py_DECREF(former);
    }
#if PY_VERSION_HEX >= 0x030E0000
    ((PyTupleObject *)last)->ob_hash = -1; /* that of what it held */
#endif
    return true;
}

/* Makes a result, as tuple.__new__ does, of references that it takes over; NULL if one is missing.
   A small one is kept for the next call to fill anew, since to make one costs more than that. */
static PyObject *tuple_make(struct results *results, PyObject *const items[], int count, bool small)
{
    bool whole = true;
    PyObject *made;

    for (int i = 0; i < count; i++)
        whole = whole && items[i];
    if (whole && small && tuple_refill(results->last, items, count))
        return Py_NewRef(results->last);
    made = whole ? results->type->tp_alloc(results->type, count) : NULL;
    for (int i = 0; i < count; i++) {
        if (made)
            PyTuple_SET_ITEM(made, i, items[i]);
        else
            Py_XDECREF(items[i]);
    }
    if (made && small)
        Py_XSETREF(results->last, Py_NewRef(made));
    return made;
}

/* Tells whether a result may be kept: not its failure, which holds on to those that it was told,
   and not much memory. */
static bool is_small(int64_t result, int64_t given)
{
    return result >= 0 && result <= KEPT_MAX && given <= KEPT_MAX;
}

static PyObject *error_of(struct transfer *self, int64_t result)
{
    return result < 0 ? failure(self, result) : Py_NewRef(Py_None);
}

/* Adds the rest of a packet that is longer than was guessed; a datagram, which comes whole, then
   has not come at all. */
static PyObject *packet_rest(struct transfer *self, PyObject *packet)
{
    PyThreadState *state;
    struct sink sink;
    int64_t size, got;

    if (!packet || !sink_begin(&sink, STREAM_MAX, false))
        return packet;
    size = STREAM_MAX - PyBytes_GET_SIZE(packet);
    state = PyEval_SaveThread();
    got = library.bio_read(self->handle, sink.data, size, NULL);
    PyEval_RestoreThread(state);
    PyBytes_ConcatAndDel(&packet, sink_end(&sink, got > 0 ? got : 0));
    return packet;
}

/* Returns what is to be expected of the next record. */
static int64_t overhead_of(int64_t longer)
{
    return longer < 0 || longer > OVERHEAD_MAX ? OVERHEAD_MAX : longer;
}

static PyObject *seal_bytes(struct transfer *self, const struct bytes *data)
{
    bool direct = data->len > SMALL && data->len <= RECORD_MAX;
    int64_t size = direct ? data->len + self->overhead + SPARE : STREAM_MAX, result, given = 0;
    PyThreadState *state;
    struct sink sink;
    PyObject *packet;

    if (!sink_begin(&sink, size, direct))
        return NULL;
    state = PyEval_SaveThread();
    result = library.seal(self->handle, data->data, data->len, sink.data, size, &given, NULL);
    PyEval_RestoreThread(state);
    packet = sink_end(&sink, given);
    if (direct && (given == 0 || given == size))
        packet = packet_rest(self, packet);
    if (direct && packet && result == data->len)
        self->overhead = overhead_of(PyBytes_GET_SIZE(packet) - result);
    return tuple_make(&self->sealed,
                      (PyObject *[]){packet, PyLong_FromLongLong(result < 0 ? 0 : result),
                                     error_of(self, result)},
                      3, is_small(result, given));
}

PyObject *transfer_seal(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                        PyObject *names)
{
    static const struct parameters parameters = {"seal", 1, {"data"}};
    struct given given;
    struct bytes data;
    PyObject *made;

    if (!take(&parameters, values, count, names, &given) || !bytes_begin(&data, given.values[0]))
        return NULL;
    made = seal_bytes(self, &data);
    bytes_end(&data);
    return made;
}

static PyObject *pump_bytes(struct transfer *self, const struct bytes *data, int64_t size,
                            uint8_t *out)
{
    int64_t result, taken = 0, given = 0;
    PyThreadState *state;
    struct sink sink;
    PyObject *plain;

    if (!sink_begin(&sink, size, self->much && size <= RECORD_MAX))
        return NULL;
    state = PyEval_SaveThread();
    result = library.pump(self->handle, data->data, data->len, &taken, sink.data, size, out,
                          STREAM_MAX, &given, NULL);
    PyEval_RestoreThread(state);
    self->much = result > SMALL;
    plain = sink_end(&sink, result < 0 ? 0 : result);
    return tuple_make(&self->pumped,
                      (PyObject *[]){plain,
                                     PyBytes_FromStringAndSize((char *)out, (Py_ssize_t)given),
                                     PyLong_FromLongLong(taken), error_of(self, result)},
                      4, is_small(result, given));
}

PyObject *transfer_pump(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                        PyObject *names)
{
    static const struct parameters parameters = {"pump", 0, {"data", "size"}};
    struct given given;
    struct bytes data = {NULL, 0, {0}};
    int64_t size;
    uint8_t *out;
    PyObject *made;

    if (!take(&parameters, values, count, names, &given) ||
        !size_of(given.values[1], RECORD_MAX, &size) ||
        (given.values[0] && !bytes_begin(&data, given.values[0])))
        return NULL;
    out = room_take();
    made = out ? pump_bytes(self, &data, least(size, STREAM_MAX), out) : NULL;
    if (out)
        room_give(out);
    bytes_end(&data);
    return made;
}
