"""Prints "N passed, N failed, N skipped" for a JUnit file of pytest or ctest, and what failed.

A test program that counts its own cases, in a last line of that form, counts for as many.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


def outcome(case):
    """Returns (passed, failed, skipped) of one test case."""
    bad = case.find("failure") is not None or case.find("error") is not None
    if case.find("skipped") is not None:
        return 0, 0, 1
    lines = COUNTS.findall(case.findtext("system-out") or "")
    if not lines:
        return int(not bad), int(bad), 0
    passed, failed, skipped = (int(number or 0) for number in lines[-1])
    return passed, max(failed, int(bad)), skipped


def main(path):
    total = [0, 0, 0]
    for case in ElementTree.parse(path).iter("testcase"):
        counts = outcome(case)
        total = [sum(pair) for pair in zip(total, counts)]
        if counts[1]:
            print("FAILED:", case.get("classname"), case.get("name"))
    print("{} passed, {} failed, {} skipped".format(*total))
    return total[1] != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
