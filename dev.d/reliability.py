"""Prints what flatssl must survive as a table: each figure, its target, and what was measured.

    reliability.py <folder of logs> <form> [NAME...]

Reads the lines "figure | what | N points | N failed | time | note" of the programs that were run.
With the form --long a figure below its target is a failure.
"""

import pathlib
import re
import sys

# what, its program, which of its figures, target, the least number of points
ROWS = (
    ("every allocation fails, once and for ever", "oom", "", "80,000 points, 0 failed", 80000),
    ("the same where nothing may succeed", "oom-negative", "", "0 succeed", 1),
    ("every read, write and poll fails", "io-faults", "", "0 failed", 1),
    ("the peer is cut off at every byte", "cuts", "", "9,000 cuts, 0 failed", 9000),
    ("one byte at a time, random pieces", "chunks", "", "10,000 seeds, 0 failed", 10000),
    ("any calls with anything", "fuzz-abi", "", "10^8 calls, 0 failed", 10**8),
    ("changed handshakes and files", "fuzz-bytes", "", "0 failed", 1),
    ("threads on shared connections", "threads", "", "0 reports", 1),
    ("refusals", "refusals", "", "0 failed", 1),
    ("certificate vectors", "vectors", "servers", "9,605 agree, at most 43 accepted", 9770),
    ("the same over handshakes", "vectors", "alike", "189 of 189", 189),
    ("soak", "soak", ": connections", "10^5 connections, < +1 MiB", 10**5),
    ("soak of failures", "soak", ": failing", "10^4 failing, < +1 MiB", 10**4),
    ("unit tests under valgrind", "valgrind", "", "0 errors, 0 leaks", 1),
    ("coverage of lines", "coverage", "lines", "95 %", 1),
    ("coverage of branches", "coverage", "branches", "90 %", 1),
    ("coverage of handles and verification", "coverage", ".c", "100 %", 1),
)
SMALLER = "smaller"  # as it must be in the shorter forms
FIGURE = re.compile(r"figure \| ([^|]*) \| (\d+) points \| (\d+) failed \| ([\d.]+) s \| ?(.*)")


def figures(folder, program):
    log = folder / f"{program}.log"
    found = FIGURE.findall(log.read_text(encoding="utf-8", errors="replace")) if log.exists() else []
    return [(name, int(points), int(failed), note.strip()) for name, points, failed, _, note in found]


def measured(chosen):
    points, failed = sum(row[1] for row in chosen), sum(row[2] for row in chosen)
    notes = [row[3] for row in chosen if row[3]]
    text = f"{points:,} points, {failed} failed"
    return points, failed, f"{text}; {notes[0]}" if len(chosen) == 1 and notes else text


def main(arguments):
    folder, form, names = pathlib.Path(arguments[0]), arguments[1], arguments[2:]
    below = 0
    print(f"{'what':42} {'target':34} {'':8} measured")
    for what, program, part, target, least in ROWS:
        chosen = [row for row in figures(folder, program) if part in row[0]]
        verdict, text = "not run", ""
        if program in names and chosen:
            points, failed, text = measured(chosen)
            verdict = "FAILED" if failed else "reached" if points >= least else SMALLER
        elif program in names:
            verdict = "skipped"
        below += verdict == SMALLER
        print(f"{what:42} {target:34} {verdict:8} {text}")
    return 1 if below and form == "--long" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
