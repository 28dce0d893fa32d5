"""Reads abi/flatssl_decl.h for the tests.

    surface.py table <header> <output>      writes its functions, callbacks and constants as tables
                                            for surface.h
    surface.py shim <header> <output>       writes each function as a call of shim_call (ffi_shim.c)
    surface.py tested <header> <test>...    prints which functions no test source calls, or calls
                                            only where it expects success or only where failure
    surface.py called <header> <log>        the same of what ffi_shim.c has logged
"""

import re
import sys

CALLS_THAT_FAIL = re.compile(r"\bCHECK_FAILS\s*\(")
KINDS = {
    "fssl_handle": "HANDLE",
    "int32_t": "INT32",
    "int64_t": "INT64",
    "const char *": "TEXT",
    "const uint8_t *": "BYTES",
    "char *": "TEXT_OUT",
    "uint8_t *": "BYTES_OUT",
    "int32_t *": "INT32_OUT",
    "int64_t *": "INT64_OUT",
}
MOST_PARAMETERS = 16
NEVER_FAIL = ("fssl_error_code",)  # every number is a result of something


def without_comments(source):
    return re.sub(r"/\*.*?\*/", " ", source, flags=re.DOTALL)


def parameter(text, callbacks, before):
    """Returns (kind, name) of one parameter."""
    match = re.fullmatch(r"(.*?)(\w+)", text.strip(), flags=re.DOTALL)
    kind_text, name = " ".join(match.group(1).split()), match.group(2)
    if kind_text in callbacks:
        return "CALLBACK", name
    kind = KINDS.get(kind_text, "UNKNOWN")
    if name == "err" and kind == "INT32_OUT":
        return "ERR", name
    if kind == "INT64" and before in ("TEXT", "BYTES"):
        return "LENGTH", name
    if kind == "INT64" and before in ("TEXT_OUT", "BYTES_OUT"):
        return "CAPACITY", name
    return kind, name


def parameters_of(listed, callbacks):
    parameters = []
    for text in listed.split(","):
        before = parameters[-1][0] if parameters else None
        parameters.append(parameter(text, callbacks, before))
    return parameters


def callback_types(header):
    """Returns the parameters of each type of callback by its name."""
    found = re.findall(r"typedef\s+int32_t\s*\(\s*\*\s*(\w+)\s*\)\s*\(([^;]*)\)\s*;", header)
    return {name: parameters_of(listed, ()) for name, listed in found}


def listed_functions(header):
    return re.findall(r"^int64_t\s+(fssl_\w+)\s*\(([^;]*)\)\s*;", header, re.MULTILINE)


def functions(header):
    """Returns (name, [(kind, name)...]) of each function, in the header's order."""
    callbacks = callback_types(header)
    return [(name, parameters_of(listed, callbacks)) for name, listed in listed_functions(header)]


def callbacks_set(header):
    """Returns (name, parameters of its callback) of each function that takes a callback."""
    types = callback_types(header)
    return [
        (name, types[type_name])
        for name, listed in listed_functions(header)
        for type_name in re.findall(r"\bfssl_\w+_callback\b", listed)
    ]


def constants(header):
    names = []
    for body in re.findall(r"\benum\s*\{([^}]*)\}", header):
        names += re.findall(r"^\s*(\w+)\s*=", body.replace(",", "\n"), re.MULTILINE)
    return names


def function_rows(listed):
    for name, parameters in listed:
        assert len(parameters) <= MOST_PARAMETERS, name
        rows = ", ".join('{SURFACE_%s, "%s"}' % pair for pair in parameters)
        yield '    {"%s", (surface_call)%s, %d, {%s}},' % (name, name, len(parameters), rows)


def table(header, output):
    lines = ["static const struct surface_function surface_functions[] = {"]
    lines += function_rows(functions(header))
    lines += ["};", "static const struct surface_function surface_callbacks[] = {"]
    lines += function_rows(callbacks_set(header))
    lines += ["};", "static const struct surface_constant surface_constants[] = {"]
    lines += ['    {"%s", %s},' % (name, name) for name in constants(header)]
    lines += ["};", ""]
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def shim(header, output):
    """Each function again: its parameters go on as an array of pointers, as libffi wants them."""
    lines = ["static const char *const shim_names[] = {"]
    lines += ['    "%s",' % name for name, _ in functions(header)]
    lines += ["};", ""]
    for at, (name, listed) in enumerate(listed_functions(header)):
        names = [parameter_name for _, parameter_name in parameters_of(listed, ())]
        pointers = ", ".join("(void *)&" + one for one in names)
        lines += [
            "int64_t %s(%s)" % (name, " ".join(listed.split())),
            "{",
            "    void *values[] = {%s};" % pointers,
            "",
            "    return shim_call(%d, values);" % at,
            "}",
            "",
        ]
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def statement_end(source, start):
    """Returns where the parenthesis that opens before start is closed."""
    depth = 1
    for at in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[at], 0)
        if depth == 0:
            return at
    return len(source)


def mentions(source):
    """Returns the functions that a source calls (good, bad): within CHECK_FAILS and elsewhere."""
    bad = []
    for match in CALLS_THAT_FAIL.finditer(source):
        bad.append((match.end(), statement_end(source, match.end())))
    good_names, bad_names = set(), set()
    for match in re.finditer(r"\bfssl_\w+", source):
        inside = any(start <= match.start() < end for start, end in bad)
        (bad_names if inside else good_names).add(match.group())
    return good_names, bad_names


def can_fail(name, parameters):
    return parameters != [("ERR", "err")] and name not in NEVER_FAIL


def report(header, good, bad, where):
    """Prints which functions have no good or no bad case. Returns whether there are any."""
    passed = failed = 0
    for name, parameters in functions(header):
        lacks = []
        if name not in good:
            lacks.append("good")
        if name not in bad and can_fail(name, parameters):
            lacks.append("bad")
        passed += not lacks
        failed += bool(lacks)
        if lacks:
            print("FAILED %s: no %s case in %s" % (name, " and no ".join(lacks), where))
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


def tested(header, *sources):
    good, bad = set(), set()
    for path in sources:
        with open(path, encoding="utf-8") as file:
            names = mentions(without_comments(file.read()))
        good |= names[0]
        bad |= names[1]
    return report(header, good, bad, "tests/test_*.c")


def called(header, log):
    with open(log, encoding="utf-8") as file:
        lines = [line.split() for line in file]
    good = {name for name, how in lines if how == "good"}
    return report(header, good, {name for name, how in lines if how == "bad"}, "what was run")


def main(arguments):
    command, path, *rest = arguments
    with open(path, encoding="utf-8") as file:
        header = without_comments(file.read())
    commands = {"table": table, "shim": shim, "tested": tested, "called": called}
    return commands[command](header, *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
