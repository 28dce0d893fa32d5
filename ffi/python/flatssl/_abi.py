"""How the functions of the library are called, by rule.

Every function of the header is here under its name without the prefix, made when first asked for:
conn_cipher_name(conn) calls fssl_conn_cipher_name. A handle goes in as its object or number, text
as str, bytes or path, bytes as any buffer. Text comes out as str, bytes as bytes, a number that is
an output as the result. A failure is raised. What streams (recv, bio_read, send_all) does not fit
the rule: its class calls it.
"""

import os
import re
import typing

from . import errors
from ._load import NULL, SHAPES, ffi, lib

INTERRUPTED = -lib.FSSL_E_INTERRUPTED
SHORT = -lib.FSSL_E_BUFFER
FIRST_CAPACITY = 512
FIRST_HANDLE = 1 << 24

Made = typing.TypeVar("Made", bound="Handle")

allocate = ffi.new_allocator(should_clear_after_alloc=False)


class Handle:
    """What every object of the library is in Python: the owner of one handle."""

    _handle = 0  # none, or closed

    @classmethod
    def _wrap(cls, handle: int) -> typing.Any:
        """Makes an object of a new handle; None of 0."""
        if not handle:
            return None
        self = cls.__new__(cls)
        self._handle = handle
        return self

    def close(self) -> None:
        """Closes the handle. Closing twice is no error."""
        handle, self._handle = self._handle, 0
        if handle:
            lib.fssl_handle_close(handle, NULL)

    def __del__(self, _close=lib.fssl_handle_close, _null=NULL):
        if self._handle:
            _close(self._handle, _null)

    def __reduce__(self) -> typing.NoReturn:
        raise TypeError(f"cannot copy or pickle a {type(self).__name__}")


def call(function, *arguments):
    """Calls a function of lib, to which err is added. Returns its result or raises."""
    return passed(attempt(function, *arguments))


def attempt(function, *arguments):
    """Calls a function of lib and returns its result, be it a failure."""
    result = function(*arguments, NULL)
    while result == INTERRUPTED:  # Python runs its signal handlers here, and they may raise
        result = function(*arguments, NULL)
    return result


def passed(result):
    if result < 0:
        raise errors.from_result(result)
    return result


def failed(result, function, *arguments):
    """Raises for the negative result of a function of lib, or calls it again if it was
    interrupted."""
    return passed(attempt(function, *arguments) if result == INTERRUPTED else result)


# ---- what goes in and comes out ----


def handle_in(value):
    if isinstance(value, Handle):
        return (value._handle,)
    if not isinstance(value, int) or 0 < value < FIRST_HANDLE:
        raise TypeError(f"an object of flatssl is required, not {value!r:.100}")
    return (value,)


def number_in(value):
    return (value,)


def bytes_in(data):
    """Returns pointer and length of bytes; another buffer is copied, so that nothing holds it."""
    if data is None:
        return NULL, 0
    if not isinstance(data, bytes):
        with view_of(data) as view:
            data = ffi.buffer(view)[:]
    return data, len(data)


def view_of(data, writable=False):
    """Returns a buffer as C sees it, for use in a with statement: until its end the buffer cannot
    change its size, and a traceback that outlives the call must not hold it."""
    if isinstance(data, str):
        raise TypeError("a bytes-like object is required, not 'str'")
    if writable and memoryview(data).readonly:
        raise TypeError("a read-write bytes-like object is required")
    return ffi.from_buffer("uint8_t[]", data, writable)


def required(data):
    """Refuses None, which elsewhere stands for no bytes at all."""
    if data is None:
        raise TypeError("a bytes-like object is required, not 'NoneType'")
    return data


def text_in(text):
    if text is None:
        return NULL, 0
    data = os.fsencode(text)
    return data, len(data)


def whole_out(function, before, after):
    """Calls a function that writes a whole, and returns it as bytes."""
    room = FIRST_CAPACITY
    while True:
        buffer = allocate("uint8_t[]", room)
        result = attempt(function, *before, buffer, room, *after)
        if result != SHORT:
            return ffi.buffer(buffer, passed(result))[:]
        room = call(function, *before, buffer, 0, *after)


def stream_out(function, size, handle, *after):
    """Calls a function that writes at most size bytes of a stream, and returns them."""
    buffer = allocate("uint8_t[]", size)
    return ffi.buffer(buffer, call(function, handle, buffer, size, *after))[:]


# ---- functions by rule ----

INPUTS = {"h": handle_in, "i": number_in, "f": number_in, "t": text_in, "b": bytes_in}
CELLS = {"O": "int64_t *", "o": "int32_t *"}


def _arguments(shape, given):
    """Returns the C arguments before and after the buffer, if any, and the cells among them."""
    given = iter(given)
    before, after, cells = [], [], []
    arguments = before
    for kind in shape:
        if kind in INPUTS:
            arguments.extend(INPUTS[kind](next(given)))
        elif kind in CELLS:
            cells.append(ffi.new(CELLS[kind]))
            arguments.append(cells[-1])
        else:
            arguments = after
    return before, after, cells


def _numbers(function, count, name):
    """The most common of all: a handle, and numbers behind it."""

    def bound(owner, *numbers):
        if len(numbers) != count:
            _refuse(name, count + 1, len(numbers) + 1)
        handle = owner._handle if isinstance(owner, Handle) else handle_in(owner)[0]
        result = function(handle, *numbers, NULL)
        return result if result >= 0 else failed(result, function, handle, *numbers)

    return bound


def _inputs(function, shape):
    """What has inputs alone."""
    converters = [INPUTS[kind] for kind in shape]

    def bound(*given):
        arguments = []
        for convert, value in zip(converters, given):
            arguments += convert(value)
        result = function(*arguments, NULL)
        return result if result >= 0 else failed(result, function, *arguments)

    return bound


def _plain(function, shape, returns):
    if not set(shape) & set(CELLS):
        return _inputs(function, shape)

    def bound(*given):
        arguments, _, cells = _arguments(shape, given)
        result = call(function, *arguments)
        numbers = tuple(cell[0] for cell in cells)
        return (result, *numbers) if returns else numbers if len(numbers) > 1 else numbers[0]

    return bound


def _writer(function, shape, returns):
    def bound(*given):
        before, after, cells = _arguments(shape, given)
        whole = whole_out(function, before, after)
        if "T" in shape:
            whole = whole.decode("utf-8", "surrogateescape")
        return (whole, *(cell[0] for cell in cells)) if cells else whole

    return bound


def _refuse(name, expected, count):
    raise TypeError(f"{name} takes {expected} arguments, {count} were given")


def _counting(bound, expected, name):
    def function(*given):
        if len(given) != expected:
            _refuse(name, expected, len(given))
        return bound(*given)

    return function


def _bind(name, shape):
    returns = shape.endswith("r")
    shape = shape.rstrip("r")
    found = getattr(lib, "fssl_" + name)
    if re.fullmatch("hi*", shape):
        function = _numbers(found, len(shape) - 1, name)
    else:
        make = _writer if "T" in shape or "B" in shape else _plain
        expected = sum(kind in INPUTS for kind in shape)
        function = _counting(make(found, shape, returns), expected, name)
    function.__name__ = function.__qualname__ = name
    return function


def __getattr__(name: str) -> typing.Callable[..., typing.Any]:
    if name not in SHAPES:
        raise AttributeError(f"flatssl has no function fssl_{name}")
    return globals().setdefault(name, _bind(name, SHAPES[name]))
