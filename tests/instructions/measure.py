"""Counts the instructions of sends, receives and handshakes, by callgrind, and compares those that
are spent inside libflatssl with what is committed in figures.tsv.

    measure.py <program> <figures.tsv>             fails where a figure grew by more than 10 %
    measure.py <program> <figures.tsv> --update    writes the figures of this machine
"""

import collections
import csv
import platform
import re
import subprocess
import sys
import tempfile

WORKS = {"sends": 1000, "receives": 1000, "handshakes": 100}
GROWTH = 1.10


def self_costs(path):
    """Sums up callgrind's own costs (without those of calls) by the object they were spent in."""
    names, costs, current, called = {}, collections.Counter(), None, False
    for line in open(path):
        if match := re.match(r"ob=\((\d+)\)(?: (.*))?", line):
            if match[2]:
                names[match[1]] = match[2]
            current = match[1]
        elif match := re.match(r"cob=\((\d+)\) (.*)", line):
            names[match[1]] = match[2]
        elif line.startswith("calls="):
            called = True
        elif match := re.match(r"[+*-]?\d* ?(\d+)$", line):
            if not called:
                costs[current] += int(match[1])
            called = False
    return {names[number]: cost for number, cost in costs.items()}


def count(program, library, work):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", "--quiet",
             "--toggle-collect=work", "--compress-pos=no", program, library, work], check=True)
        return self_costs(out.name)


def measure(program):
    """Returns for each work how much one takes: in libflatssl, in all, and through OpenSSL
    alone."""
    figures = {}
    for work, times in WORKS.items():
        flatssl, openssl = count(program, "flatssl", work), count(program, "openssl", work)
        own = sum(cost for name, cost in flatssl.items() if "libflatssl" in name)
        figures[work] = (own // times, sum(flatssl.values()) // times,
                         sum(openssl.values()) // times)
        print(f"{work}: {own // times} instructions in libflatssl, {figures[work][1]} in all, "
              f"{figures[work][2]} through OpenSSL alone")
    return figures


def here():
    version = subprocess.run(["openssl", "version"], check=True, capture_output=True, text=True)
    return [platform.machine(), ".".join(version.stdout.split()[1].split(".")[:2])]


def read(path):
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter="\t"))


def update(path, figures):
    rows = [row for row in read(path) if row[:2] != here()]
    rows += [here() + [work, str(own)] for work, (own, _, _) in figures.items()]
    with open(path, "w", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows(rows)


def compare(path, figures):
    committed = {row[2]: int(row[3]) for row in read(path) if row[:2] == here()}
    passed = failed = skipped = 0
    for work, (own, _, _) in figures.items():
        if work not in committed:
            skipped += 1
            print(f"skipped {work}: no figure is committed for {' and OpenSSL '.join(here())}")
        elif own > committed[work] * GROWTH:
            failed += 1
            print(f"FAILED {work}: {own} instructions in libflatssl, {committed[work]} committed")
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


if __name__ == "__main__":
    found = measure(sys.argv[1])
    if sys.argv[3:] == ["--update"]:
        update(sys.argv[2], found)
    else:
        sys.exit(compare(sys.argv[2], found))
