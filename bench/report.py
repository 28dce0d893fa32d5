"""docs/performance.md, from the results alone."""

import subjects
from peers import KINDS

HEAD = """\
# Performance

Measured on {date}, {machine}, {openssl}, by `{command}`.

Everything is compared with OpenSSL called from C, which does the same work in the same run: the two
take turns, and the figure is the ratio of the best runs, with the median of the pairs in brackets.
1.00 is as fast, more is faster. All use the same ECDSA P-256 certificate, or RSA where that is
said, TLS 1.3 unless another is named, TLS_AES_128_GCM_SHA256 and X25519, which they check; clients
verify the certificate. Both ends are the same library in one thread (in Go, goroutines). In memory,
the program carries each packet from one end to the other; over loopback, TCP does. Times are the
processor's, but for handshakes on two threads.
"""

COPIES = """\
glibc copies by its own loop (`GLIBC_TUNABLES={tunables}`): some processors' `rep movsb` takes
thirty times as long where two buffers lie unluckily to each other, which malloc decides.
"""

FEET = ("The figures are in [performance.json](performance.json); `./dev bench --pages` made this "
        "page.")


def figures(results):
    """Returns {name: number} of all that a goal may be about."""
    found = {name: row["ratio"] for name, row in results["compared"].items()}
    found.update({f"handle: {name.replace('_', ' ')}": value
                  for name, value in results["handle"].items()})
    if results["idle"]:
        found["idle: server, socket"] = results["idle"]["thrifty_loopback: flatssl"]["server"]
        found["idle: server, memory"] = results["idle"]["thrifty_memory: flatssl"]["server"]
    if results["trust"]:
        found["trust: second"] = results["trust"]["flatssl"]["second"]
    return found


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def verdict(goal, value):
    if value is None:
        return "not measured"
    met = value >= goal.bound if goal.least else value <= goal.bound
    return "met" if met else "**not met**" + (f": {goal.why}" if goal.why else "")


def goals(results):
    found = figures(results)
    rows = []
    for goal in subjects.GOALS:
        value = found.get(goal.figure)
        unit = f" {goal.unit}" if goal.unit else ""
        rows.append([goal.text, f"{'>=' if goal.least else '<='} {goal.bound:g}{unit}",
                     "" if value is None else f"{value:g}{unit}", verdict(goal, value)])
    return "## Goals\n\n" + table(["", "goal", "measured", ""], rows)


def rivals(results):
    """Where flatssl is behind another binding to OpenSSL in the same language."""
    rows, count = [], 0
    for subject, title in subjects.STREAMS.items():
        for name, kind in KINDS.items():
            ours = results["compared"].get(f"{subject}: {name}")
            if not kind.ours or not ours:
                continue
            for other, its in KINDS.items():
                theirs = results["compared"].get(f"{subject}: {other}")
                if its.language != kind.language or its.ours or not its.binding or not theirs:
                    continue
                count += 1
                if theirs["ratio"] > ours["ratio"]:
                    rows.append([title, f"{kind.label} {ours['ratio']:.2f}",
                                 f"{its.label} {theirs['ratio']:.2f}"])
    text = "## Beside other bindings to OpenSSL in the same language\n\n" \
           "GnuTLS and Go's crypto/tls are no bindings, but TLS of their own. flatssl is ahead " \
           f"in {count - len(rows)} of {count} comparisons"
    return text + (".\n" if not rows else "; behind in these:\n\n" +
                   table(["", "flatssl", "ahead"], rows))


def streams(results):
    measured = [name for name in subjects.STREAMS
                if any(row.startswith(name + ":") for row in results["compared"])]
    parts = []
    for stem in dict.fromkeys(name.rsplit("_", 1)[0] for name in measured):
        ways = [name for name in measured if name.rsplit("_", 1)[0] == stem]
        rows = []
        for peer, kind in KINDS.items():
            cells = [results["compared"].get(f"{way}: {peer}") for way in ways]
            if any(cells):
                texts = [f"{cell['ratio']:.2f} ({cell['median']:.2f}), {cell['us']:.4g} µs"
                         if cell else "" for cell in cells]
                rows.append([kind.label, *texts])
        title = subjects.STREAMS[ways[0]].rsplit(" in ", 1)[0]
        heads = [way.rsplit("_", 1)[1] for way in ways]
        parts.append(f"## {title[0].upper()}{title[1:]}\n\n"
                     f"![chart](performance/{stem}.svg)\n\n{table(['', *heads], rows)}")
    return "\n".join(parts)


def features(results):
    rows = []
    for name, base, other in subjects.FEATURES:
        row = results["compared"].get(name)
        if row:
            before = f"{base.peer} {base.subject.replace('_', ' ')}, {row['base_us']:.4g} µs"
            after = f"{other.peer} {other.subject.replace('_', ' ')}, {row['us']:.4g} µs"
            rows.append([name, before, after, f"{row['ratio']:.2f} ({row['median']:.2f})"])
    return "## What a feature saves\n\n![chart](performance/features.svg)\n\n" + \
        table(["", "before", "after", "ratio"], rows)


def memory(results):
    ways = {"idle_loopback": "socket", "idle_memory": "memory",
            "thrifty_loopback": "socket, buffers released", "thrifty_memory":
            "memory, buffers released"}
    rows = []
    for way, title in ways.items():
        cells = [results["idle"][f"{way}: {name}"] for name in ("raw", "flatssl")]
        rows.append([title, *(f"{cell[end]:g}" for end in ("server", "client") for cell in cells)])
    return "## Memory of an idle connection\n\nKilobytes from malloc.\n\n" \
        "![chart](performance/idle.svg)\n\n" + \
        table(["", "server: OpenSSL", "flatssl", "client: OpenSSL", "flatssl"], rows)


def growth(results):
    rows = []
    for level in subjects.LEVELS:
        cells = [results["growth"].get(f"{level}: {name}") for name in ("raw", "flatssl")]
        if all(cells):
            rows.append([level, *(f"{cell[what]:g}" for what in ("us", "kb") for cell in cells)])
    return "## Many live connections\n\nIn one process, in memory: an echo of 64 B, each time on " \
        "another connection, and what each connection holds.\n\n" \
        "![chart](performance/growth.svg)\n\n" + \
        table(["live", "echo: OpenSSL, µs", "flatssl, µs", "held: OpenSSL, KB", "flatssl, KB"],
              rows)


def trust(results):
    rows = [[KINDS[name].label, f"{row['first']:g}", f"{row['second']:g}"]
            for name, row in results["trust"].items()]
    return "## A context with the system's trust\n\nMilliseconds.\n\n" + \
        table(["", "first of a process", "each later one"], rows)


def handle(results):
    rows = [[name.replace("_", " "), f"{value:g}"] for name, value in results["handle"].items()]
    return "## Handles\n\nNanoseconds, unless another unit is named.\n\n" + table(["", ""], rows)


def missing(results):
    rows = [f"- {KINDS[name].label}: {why}" for name, why in results["missing"].items()]
    packages = ", ".join(" ".join(pair) for pair in results["packages"].items())
    return "## Who took part\n\n" + f"Debian's packages: {packages}.\n" + \
        ("\nSkipped:\n\n" + "\n".join(rows) + "\n" if rows else "")


def page(results):
    parts = [HEAD.format(**results)]
    if "tunables" in results:
        parts.append(COPIES.format(**results))
    made = {"compared": (goals, rivals, streams, features), "handle": (handle,),
            "idle": (memory,), "growth": (growth,), "trust": (trust,)}
    for name, functions in made.items():
        parts += [function(results) for function in functions if results[name]]
    return "\n".join([*parts, missing(results), FEET]) + "\n"
