"""Judges what lcov has gathered of src/.

    coverage.py <info file>

All of src/ together has its targets. What decides over handles and peers must be reached whole:
each line of those files that is not, or not in every direction, needs its reason in coverage.tsv,
and each reason a line that needs it. A reason marked "chance" needs no more than a line that it is
for: which allocations fail differs, and such a line is reached in one run and not in the next.
"""

import collections
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "src"
LINES, BRANCHES = 95, 90  # per cent
CHANCE = "chance"
WHOLE = (
    "handle.c",
    "lock.c",
    "conn_host.c",
    "cert_host.c",
    "conn_policy.c",
    "question.c",
    "chain.c",
)


def read(path):
    """Returns {file: {line: [count...]}} of lines and the same of branches."""
    lines = collections.defaultdict(lambda: collections.defaultdict(list))
    branches = collections.defaultdict(lambda: collections.defaultdict(list))
    name = None
    for entry in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        kind, _, rest = entry.partition(":")
        fields = rest.split(",")
        if kind == "SF":
            name = pathlib.Path(rest).name
        elif kind == "DA":
            lines[name][int(fields[0])].append(int(fields[1]))
        elif kind == "BRDA":
            branches[name][int(fields[0])].append(0 if fields[3] == "-" else int(fields[3]))
    return lines, branches


def share(files):
    counts = [count for lines in files.values() for found in lines.values() for count in found]
    return sum(count > 0 for count in counts), len(counts)


def reasons():
    rows = (HERE / "coverage.tsv").read_text(encoding="utf-8").splitlines()
    return [tuple(row.split("\t")) for row in rows if row and not row.startswith("#")]


def missing(name, lines, branches):
    """Yields number and text of the lines of a file that were not reached in every direction."""
    text = (SOURCES / name).read_text(encoding="utf-8").splitlines()
    for number in sorted({*lines[name], *branches[name]}):
        if 0 in lines[name][number] + branches[name][number]:
            yield number, text[number - 1].strip()


def figure(name, points, failures, note):
    for failure in failures:
        print(f"FAILED {name}: {failure}")
    print(f"figure | {name} | {points} points | {len(failures)} failed | 0.0 s | {note}")
    return not failures


def total(name, files, target):
    reached, count = share(files)
    percent = 100 * reached / max(count, 1)
    short = [] if percent >= target else [f"{percent:.1f} % of {target} %"]
    return figure(f"coverage: {name}", count, short, f"{percent:.1f} %")


def whole(name, lines, branches):
    rows = [row[1:3] for row in reasons() if row[0] == name]
    source = (SOURCES / name).read_text(encoding="utf-8")
    left = list(missing(name, lines, branches))
    unreached = [
        f"line {number}: {text}"
        for number, text in left
        if not any(part in text for part, _ in rows)
    ]
    needing = "\n".join(text for _, text in left)
    stale = [
        f"no line needs: {part}"
        for part, mark in rows
        if part not in (source if mark == CHANCE else needing)
    ]
    note = f"{len(left) - len(unreached)} lines left with a reason"
    return figure(f"coverage: {name}", len(lines[name]), unreached + stale, note)


def main(arguments):
    lines, branches = read(arguments[0])
    passed = [total("lines of src/", lines, LINES), total("branches of src/", branches, BRANCHES)]
    passed += [whole(name, lines, branches) for name in WHOLE]
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed, 0 skipped")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
