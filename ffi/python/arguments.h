/* What the methods of transfer.c are given. */
#ifndef FLATSSL_PYTHON_ARGUMENTS_H
#define FLATSSL_PYTHON_ARGUMENTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

enum { ARGUMENTS_MAX = 3 };

/* By position or by name; NULL for what was not given. */
struct given {
    PyObject *values[ARGUMENTS_MAX];
};

struct parameters {
    const char *method;
    int required;
    const char *names[ARGUMENTS_MAX];
};

/* Bytes that C reads. Those of Python's bytes cannot change, and so need no view. */
struct bytes {
    uint8_t *data;
    int64_t len;
    Py_buffer view;
};

/* Each but bytes_end returns false with an exception raised. */
bool take(const struct parameters *parameters, PyObject *const *values, Py_ssize_t count,
          PyObject *names, struct given *given);
bool size_of(PyObject *value, int64_t missing, int64_t *into);
bool flags_of(PyObject *value, int32_t known, int32_t *into);
bool bytes_begin(struct bytes *bytes, PyObject *value);
void bytes_end(struct bytes *bytes);

#endif
