/* The module _flatssl: what moves bytes, flatssl/transfer.py once more, for where flatssl is built
   with Python's headers. A call is a method of C, which makes one call of the library and its
   result once. The interpreter's lock is given back meanwhile, since each may wait for the
   connection's own.

   The library is the one that Python has opened, whichever that is: bind takes the addresses of its
   functions. Nothing of Python is kept here, since each interpreter has classes of its own; what a
   failure, a pump or a seal becomes is asked of the object's class. */
#include "transfer.h"

#include <structmember.h>

enum { FORM = 1 }; /* of what transfer.py and this module know of each other */

struct library library;

/* ---- the stream ---- */

/* Hands bytes to a function of the library. Returns what that tells: how many it has accepted. */
PyObject *transfer_give(struct transfer *self, const struct parameters *parameters,
                        give_function *function, struct values values)
{
    struct given given;
    struct bytes data;
    int64_t result;
    PyThreadState *state;

    if (!take(parameters, values.at, values.count, values.names, &given) ||
        !bytes_begin(&data, given.values[0]))
        return NULL;
    do {
        state = PyEval_SaveThread();
        result = function(self->handle, data.data, data.len, NULL);
        PyEval_RestoreThread(state);
    } while (result < 0 && again(self, result));
    bytes_end(&data);
    return result < 0 ? NULL : PyLong_FromLongLong(result);
}

static PyObject *send_some(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                           PyObject *names)
{
    static const struct parameters parameters = {"send", 1, {"data", "flags"}};

    return transfer_give(self, &parameters, library.send, (struct values){values, count, names});
}

/* Adds to the exception that is raised how much had been sent. */
static void tell_sent(int64_t done)
{
    PyObject *type, *error, *traceback, *sent = PyLong_FromLongLong(done);

    PyErr_Fetch(&type, &error, &traceback);
    if (sent && error && PyObject_SetAttrString(error, "sent", sent))
        PyErr_Clear();
    Py_XDECREF(sent);
    PyErr_Restore(type, error, traceback);
}

static PyObject *send_all(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                          PyObject *names)
{
    static const struct parameters parameters = {"sendall", 1, {"data", "flags"}};
    struct given given;
    struct bytes data;
    int64_t result, sent, done = 0;
    PyThreadState *state;

    if (!take(&parameters, values, count, names, &given) || !bytes_begin(&data, given.values[0]))
        return NULL;
    do {
        sent = 0;
        state = PyEval_SaveThread();
        result = library.send_all(self->handle, data.data + done, data.len - done, &sent, NULL);
        PyEval_RestoreThread(state);
        done += sent;
    } while (result < 0 && again(self, result));
    bytes_end(&data);
    if (result >= 0)
        Py_RETURN_NONE;
    if (result != -FSSL_E_INTERRUPTED)
        tell_sent(done);
    return NULL;
}

/* Receives into memory. Returns how much; for the end of the stream 0, where the caller takes that
   for no failure. */
static int64_t receive(struct transfer *self, uint8_t *data, int64_t size, int32_t flags, bool ends)
{
    int64_t result;
    PyThreadState *state;

    do {
        state = PyEval_SaveThread();
        result = library.recv(self->handle, data, size, flags, NULL);
        PyEval_RestoreThread(state);
        if (ends && result == -FSSL_E_ZERO_RETURN)
            return 0;
    } while (result < 0 && again(self, result));
    return result;
}

static PyObject *receive_bytes(struct transfer *self, struct given *given, bool ends)
{
    struct sink sink;
    int64_t size, result;
    int32_t flags;

    if (!size_of(given->values[0], RECORD_MAX, &size) ||
        !flags_of(given->values[1], FSSL_MSG_PEEK, &flags))
        return NULL;
    size = least(size, STREAM_MAX);
    if (!sink_begin(&sink, size, self->much && size <= RECORD_MAX))
        return NULL;
    result = receive(self, sink.data, size, flags, ends);
    self->much = result > SMALL;
    return sink_end(&sink, result);
}

static PyObject *recv_bytes(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                            PyObject *names)
{
    static const struct parameters parameters = {"recv", 1, {"bufsize", "flags"}};
    struct given given;

    if (!take(&parameters, values, count, names, &given))
        return NULL;
    return receive_bytes(self, &given, false);
}

static PyObject *read_bytes(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                            PyObject *names)
{
    static const struct parameters parameters = {"recv", 0, {"bufsize", "flags"}};
    struct given given;

    if (!take(&parameters, values, count, names, &given))
        return NULL;
    return receive_bytes(self, &given, true);
}

static PyObject *receive_into(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                              PyObject *names, bool ends)
{
    static const struct parameters parameters = {"recv_into", 1, {"buffer", "nbytes", "flags"}};
    struct given given;
    Py_buffer view;
    int64_t size, result;
    int32_t flags;

    if (!take(&parameters, values, count, names, &given))
        return NULL;
    if (given.values[1] == Py_None)
        given.values[1] = NULL;
    if (!size_of(given.values[1], 0, &size) || !flags_of(given.values[2], FSSL_MSG_PEEK, &flags))
        return NULL;
    if (PyObject_GetBuffer(given.values[0], &view, PyBUF_WRITABLE)) {
        PyErr_Format(PyExc_TypeError, "a read-write bytes-like object is required, not '%.100s'",
                     Py_TYPE(given.values[0])->tp_name);
        return NULL;
    }
    size = size ? least(size, view.len) : view.len;
    result = receive(self, view.buf, size, flags, ends);
    PyBuffer_Release(&view);
    return result < 0 ? NULL : PyLong_FromLongLong(result);
}

static PyObject *recv_into(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                           PyObject *names)
{
    return receive_into(self, values, count, names, false);
}

static PyObject *read_into(struct transfer *self, PyObject *const *values, Py_ssize_t count,
                           PyObject *names)
{
    return receive_into(self, values, count, names, true);
}

/* ---- the module ---- */

enum { NAMED = METH_FASTCALL | METH_KEYWORDS };

/* What transfer.py says of them is true here, too. */
static PyMethodDef methods[] = {
    {"send", (PyCFunction)(void (*)(void))send_some, NAMED, "send($self, data, flags=0)\n--\n\n"},
    {"sendall", (PyCFunction)(void (*)(void))send_all, NAMED,
     "sendall($self, data, flags=0)\n--\n\n"},
    {"recv", (PyCFunction)(void (*)(void))recv_bytes, NAMED,
     "recv($self, bufsize, flags=0)\n--\n\n"},
    {"recv_into", (PyCFunction)(void (*)(void))recv_into, NAMED,
     "recv_into($self, buffer, nbytes=None, flags=0)\n--\n\n"},
    {"_read", (PyCFunction)(void (*)(void))read_bytes, NAMED,
     "_read($self, bufsize=16384, flags=0)\n--\n\n"},
    {"_read_into", (PyCFunction)(void (*)(void))read_into, NAMED,
     "_read_into($self, buffer, nbytes=None, flags=0)\n--\n\n"},
    {"bio_read", (PyCFunction)(void (*)(void))transfer_bio_read, NAMED,
     "bio_read($self, bufsize)\n--\n\n"},
    {"bio_write", (PyCFunction)(void (*)(void))transfer_bio_write, NAMED,
     "bio_write($self, data)\n--\n\n"},
    {"_seal", (PyCFunction)(void (*)(void))transfer_seal, NAMED, "_seal($self, data)\n--\n\n"},
    {"_pump", (PyCFunction)(void (*)(void))transfer_pump, NAMED,
     "_pump($self, data=b'', size=16384)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"_handle", T_LONGLONG, offsetof(struct transfer, handle), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* Returns what a class of Python's names, which is to be a class of tuples. */
static PyTypeObject *result_type(PyTypeObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString((PyObject *)type, name);

    if (found && PyType_Check(found) && PyType_IsSubtype((PyTypeObject *)found, &PyTuple_Type))
        return (PyTypeObject *)found;
    if (found)
        PyErr_Format(PyExc_TypeError, "%s is no class of tuples", name);
    Py_XDECREF(found);
    return NULL;
}

static void results_end(struct results *results)
{
    Py_CLEAR(results->last);
    Py_CLEAR(results->type);
}

static void transfer_dealloc(struct transfer *self)
{
    results_end(&self->pumped);
    results_end(&self->sealed);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *transfer_new(PyTypeObject *type, PyObject *values, PyObject *names)
{
    struct transfer *self = (struct transfer *)PyType_GenericNew(type, values, names);

    if (self) {
        self->pumped.type = result_type(type, "_Pumped");
        self->sealed.type = self->pumped.type ? result_type(type, "_Sealed") : NULL;
        if (!self->sealed.type)
            Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyTypeObject transfer_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_flatssl.Transfer",
    .tp_basicsize = sizeof(struct transfer),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = transfer_new,
    .tp_dealloc = (destructor)transfer_dealloc,
    .tp_methods = methods,
    .tp_members = members,
};

/* Asks for the address of a function of the library; NULL with an exception raised. */
static void *address(PyObject *find, const char *name)
{
    PyObject *found = PyErr_Occurred() ? NULL : PyObject_CallFunction(find, "s", name);
    void *at = found ? PyLong_AsVoidPtr(found) : NULL;

    Py_XDECREF(found);
    return at;
}

/* Returns the class, which needs the functions. */
static PyObject *bind(PyObject *module, PyObject *find)
{
    (void)module;
    library.send = (__typeof__(library.send))address(find, "fssl_conn_send");
    library.send_all = (__typeof__(library.send_all))address(find, "fssl_conn_send_all");
    library.recv = (__typeof__(library.recv))address(find, "fssl_conn_recv");
    library.bio_read = (__typeof__(library.bio_read))address(find, "fssl_conn_bio_read");
    library.bio_write = (__typeof__(library.bio_write))address(find, "fssl_conn_bio_write");
    library.pump = (__typeof__(library.pump))address(find, "fssl_conn_pump");
    library.seal = (__typeof__(library.seal))address(find, "fssl_conn_seal");
    return PyErr_Occurred() ? NULL : Py_NewRef(&transfer_type);
}

static PyMethodDef functions[] = {
    {"bind", bind, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_flatssl",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__flatssl(void);

PyMODINIT_FUNC PyInit__flatssl(void)
{
    PyObject *module = PyType_Ready(&transfer_type) ? NULL : PyModule_Create(&definition);

    if (module && PyModule_AddIntConstant(module, "FORM", FORM))
        Py_CLEAR(module);
    return module;
}
