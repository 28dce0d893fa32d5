#include "arguments.h"

static int place_of(const struct parameters *parameters, PyObject *name)
{
    for (int i = 0; i < ARGUMENTS_MAX && parameters->names[i]; i++) {
        if (PyUnicode_CompareWithASCIIString(name, parameters->names[i]) == 0)
            return i;
    }
    return -1;
}

static bool refuse(const struct parameters *parameters, const char *why, const char *name)
{
    PyErr_Format(PyExc_TypeError, "%s() %s%s%s", parameters->method, why, name ? " " : "",
                 name ? name : "");
    return false;
}

static bool by_name(const struct parameters *parameters, PyObject *const *values, PyObject *names,
                    struct given *given)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        int at = place_of(parameters, name);

        if (at < 0 || given->values[at])
            return refuse(parameters, "got a wrong or second argument", PyUnicode_AsUTF8(name));
        given->values[at] = values[i];
    }
    return true;
}

/* Sorts the arguments. Those that were not given are NULL. */
bool take(const struct parameters *parameters, PyObject *const *values, Py_ssize_t count,
          PyObject *names, struct given *given)
{
    Py_ssize_t most = ARGUMENTS_MAX;

    while (!parameters->names[most - 1])
        most--;
    if (count > most)
        return refuse(parameters, "got too many arguments", NULL);
    *given = (struct given){{NULL}};
    for (Py_ssize_t i = 0; i < count; i++)
        given->values[i] = values[i];
    if (names && !by_name(parameters, values + count, names, given))
        return false;
    for (int i = 0; i < parameters->required; i++) {
        if (!given->values[i])
            return refuse(parameters, "misses the argument", parameters->names[i]);
    }
    return true;
}

/* Reads a size; one that is too large becomes the largest. */
bool size_of(PyObject *value, int64_t missing, int64_t *into)
{
    int overflow = 0;

    *into = missing;
    if (!value)
        return true;
    *into = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow > 0)
        *into = INT64_MAX;
    else if (overflow < 0)
        PyErr_SetString(PyExc_OverflowError, "the size is negative");
    return *into != -1 || !PyErr_Occurred();
}

/* Reads flags, of which others than the known ones do nothing. */
bool flags_of(PyObject *value, int32_t known, int32_t *into)
{
    *into = value ? (int32_t)(PyLong_AsUnsignedLongLongMask(value) & (uint32_t)known) : 0;
    return !PyErr_Occurred();
}

bool bytes_begin(struct bytes *bytes, PyObject *value)
{
    bytes->view.obj = NULL;
    if (!PyBytes_CheckExact(value)) {
        if (PyObject_GetBuffer(value, &bytes->view, PyBUF_SIMPLE))
            return false;
        bytes->data = bytes->view.buf;
        bytes->len = bytes->view.len;
        return true;
    }
    bytes->data = (uint8_t *)PyBytes_AS_STRING(value);
    bytes->len = PyBytes_GET_SIZE(value);
    return true;
}

void bytes_end(struct bytes *bytes)
{
    if (bytes->view.obj)
        PyBuffer_Release(&bytes->view);
}
