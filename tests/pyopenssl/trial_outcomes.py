"""Runs Twisted's tests and prints, for each, its name and its outcome.

    python3 trial_outcomes.py FOLDER MODULE...

Two things make it quicker and change no test: a test that waits for ever is given up after a few
seconds, and the CAs' keys, which are of 4,096 bits, are drawn from a few that were made before.
"""

import itertools
import signal
import sys

from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.trial import reporter, runner, util

DEFERRED_SECONDS = 4  # for a test that waits
BUSY_SECONDS = 60  # for one that does not come back
POOL = 6
POOLED_BITS = 4096

make_key = rsa.generate_private_key


def pooled():
    keys = [make_key(public_exponent=65537, key_size=2048) for _ in range(POOL)]
    turn = itertools.cycle(keys)

    def generate(public_exponent, key_size, backend=None):
        if key_size == POOLED_BITS:
            return next(turn)
        return make_key(public_exponent, key_size, backend)

    return generate


def give_up(number, frame):
    raise RuntimeError("the test does not come back")


class Outcomes(reporter.Reporter):
    """Keeps the worst outcome of each test."""

    kept = {}

    def keep(self, test, outcome):
        if self.kept.get(test.id(), "passes") == "passes":
            self.kept[test.id()] = outcome

    def startTest(self, test):
        signal.alarm(BUSY_SECONDS)
        super().startTest(test)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.keep(test, "passes")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.keep(test, "is skipped")

    def addFailure(self, test, failure):
        super().addFailure(test, failure)
        self.keep(test, "fails")

    def addError(self, test, error):
        super().addError(test, error)
        self.keep(getattr(test, "original", test), "fails")


def main(folder, *modules):
    util.DEFAULT_TIMEOUT_DURATION = float(DEFERRED_SECONDS)
    rsa.generate_private_key = pooled()
    signal.signal(signal.SIGALRM, give_up)
    suite = runner.TestLoader().loadByNames(modules, True)
    # what the reporter has to say goes to stderr
    runner.TrialRunner(Outcomes, workingDirectory=folder, stream=sys.stderr).run(suite)
    for name, outcome in sorted(Outcomes.kept.items()):
        print(name, outcome)


main(*sys.argv[1:])
