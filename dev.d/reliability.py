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
    ("each allocation fails, once or for ever", "oom", "", "80,000 points, 0 failed", 80000),
    ("the same, where a peer must be refused", "oom-negative", "", "0 peers let in", 1),
    ("each read, write and poll fails", "io-faults", "", "0 failed", 1),
    ("the peer is cut off after each byte", "cuts", "", "9,000 cuts, 0 failed", 9000),
    ("exchanges byte by byte, in random pieces", "chunks", "", "10,000 exchanges, 0 failed", 10000),
    ("random calls with hostile arguments", "fuzz-abi", "", "10^8 calls, 0 failed", 10**8),
    ("damaged handshakes and files", "fuzz-bytes", "", "0 failed", 1),
    ("threads that share connections", "threads", "", "0 races, 0 failed", 1),
    ("peers refused one after another", "refusals", "", "0 failed, nothing left behind", 1),
    ("public certificate vectors", "vectors", "servers", "9,605 agree, 43 accepted at most", 9770),
    ("the same vectors, over handshakes", "vectors", "alike", "189 of 189 alike", 189),
    ("connections one after another", "soak", ": connections", "10^5, +1 MiB at most", 10**5),
    ("connections that fail", "soak", ": failing", "10^4, +1 MiB at most", 10**4),
    ("unit tests under valgrind", "valgrind", "", "0 errors, 0 leaks", 1),
    ("lines of src/ that tests reach", "coverage", "lines", "95 %", 1),
    ("branches of src/ that tests reach", "coverage", "branches", "90 %", 1),
    ("lines of handles and verification", "coverage", ".c", "100 %, or a reason given", 1),
)
SMALLER = "smaller"  # fewer points than the target wants
LEGEND = """\
reached   as many points as the target wants, or more, and none failed
smaller   none failed, but there were fewer points: shorter forms try less, --long tries all
FAILED    some point failed; the lines above that begin with FAILED say which
skipped   it cannot be measured here; the program's lines above say why
left out  this run did not measure it"""
FIGURE = re.compile(r"figure \| ([^|]*) \| (\d+) points \| (\d+) failed \| ([\d.]+) s \| ?(.*)")


def figures(folder, program):
    log = folder / f"{program}.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return [(name, int(points), int(failed), note.strip())
            for name, points, failed, _, note in FIGURE.findall(text)]


def measured(chosen):
    points, failed = sum(row[1] for row in chosen), sum(row[2] for row in chosen)
    notes = [row[3] for row in chosen if row[3]]
    text = f"{points:,} points, {failed} failed"
    return points, failed, f"{text}; {notes[0]}" if len(chosen) == 1 and notes else text


def main(arguments):
    folder, form, names = pathlib.Path(arguments[0]), arguments[1], arguments[2:]
    below = 0
    print(f"{'what':42} {'target':34} {'':8} measured (points are what was tried)")
    for what, program, part, target, least in ROWS:
        chosen = [row for row in figures(folder, program) if part in row[0]]
        verdict, text = "left out", f"./dev stress {program} measures it"
        if program in names and chosen:
            points, failed, text = measured(chosen)
            verdict = "FAILED" if failed else "reached" if points >= least else SMALLER
        elif program in names:
            verdict, text = "skipped", ""
        below += verdict == SMALLER
        print(f"{what:42} {target:34} {verdict:8} {text}")
    print(f"\n{LEGEND}")
    return 1 if below and form == "--long" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
