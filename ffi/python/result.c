#include "transfer.h"

enum { ROOMS = 8 }; /* buffers that wait for the next call */

int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* Makes the exception for a failure. */
PyObject *failure(struct transfer *self, int64_t result)
{
    return PyObject_CallMethod((PyObject *)self, "_failure", "L", (long long)result);
}

/* Raises the exception for a failure. Returns whether the call is to be made again in place of
   that: a signal had interrupted it, and Python has run its handlers. */
bool again(struct transfer *self, int64_t result)
{
    PyObject *error;

    if (result == -FSSL_E_INTERRUPTED)
        return PyErr_CheckSignals() == 0;
    error = failure(self, result);
    if (error) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return false;
}

static uint8_t *rooms[ROOMS]; /* guarded by the interpreter's lock */
static int waiting;

uint8_t *room_take(void)
{
    uint8_t *room = waiting > 0 ? rooms[--waiting] : PyMem_Malloc(STREAM_MAX);

    if (!room)
        PyErr_NoMemory();
    return room;
}

void room_give(uint8_t *room)
{
    if (waiting < ROOMS)
        rooms[waiting++] = room;
    else
        PyMem_Free(room);
}

/* Direct is for what is about to be filled: memory that is only given back wanders between malloc
   and the system, and costs more than a copy. */
bool sink_begin(struct sink *sink, int64_t size, bool direct)
{
    sink->bytes = NULL;
    if (size > STREAM_MAX || (direct && size > 0)) {
        sink->bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
        sink->data = sink->bytes ? (uint8_t *)PyBytes_AS_STRING(sink->bytes) : NULL;
    } else {
        sink->data = room_take();
    }
    return sink->data != NULL;
}

/* Returns what was written, NULL after a failure. */
PyObject *sink_end(struct sink *sink, int64_t size)
{
    PyObject *copy;

    if (sink->bytes) {
        if (size < 0)
            Py_CLEAR(sink->bytes);
        else if (size != PyBytes_GET_SIZE(sink->bytes))
            _PyBytes_Resize(&sink->bytes, (Py_ssize_t)size);
        return sink->bytes;
    }
    copy = size < 0 ? NULL : PyBytes_FromStringAndSize((char *)sink->data, (Py_ssize_t)size);
    room_give(sink->data);
    return copy;
}
