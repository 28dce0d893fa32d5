"""./dev bench: runs the subjects and writes what came of them: docs/performance.json, and from it
alone docs/performance.md and its charts."""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

import chart
import identity
import measure
import peers as peering
import report
import subjects
from peers import ROOT, Refused

DOCS = os.path.join(ROOT, "docs")
RESULTS = os.path.join(DOCS, "performance.json")
GROUPS = ("handle", *dict.fromkeys(name.rsplit("_", 1)[0] for name in subjects.STREAMS),
          "features", "idle", "growth", "trust")


class Bench:
    """One run: what is asked of whom, the results, and the line that says how far it is."""

    def __init__(self, peers, effort, groups):
        self.peers, self.effort, self.groups = peers, effort, groups
        self.results = {"compared": {}, "handle": {}, "idle": {}, "growth": {}, "trust": {}}
        self.failures = []
        self._start = time.monotonic()

    def step(self, name, work, *arguments):
        """Returns what one measurement gives; None if its peer cannot do it."""
        passed = int(time.monotonic() - self._start)
        print(f"{passed // 60:3}:{passed % 60:02}  {name}", file=sys.stderr, flush=True)
        try:
            return work(self.peers, *arguments)
        except Refused:
            return None
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"FAILED: {error}", file=sys.stderr, flush=True)
            self.failures.append(str(error))
            return None

    def handle(self):
        self.results["handle"] = self.step("handle", handle_figures, self.effort.handles) or {}

    def streams(self, subject):
        for name in peering.KINDS:
            if name != "raw" and name not in self.peers.missing:
                both = subjects.Run("raw", subject), subjects.Run(name, subject)
                found = self.step(f"{subject}: {name}", measure.compare, *both, self.effort)
                if found:
                    self.results["compared"][f"{subject}: {name}"] = found

    def features(self):
        for name, base, other in subjects.FEATURES:
            found = self.step(name, measure.compare, base, other, self.effort)
            if found:
                self.results["compared"][name] = found

    def idle(self):
        for name in ("raw", "flatssl"):
            for way in ("idle_loopback", "idle_memory", "thrifty_loopback", "thrifty_memory"):
                found = self.step(f"{way}: {name}", measure.idle, name, way, self.effort)
                self.results["idle"][f"{way}: {name}"] = found

    def growth(self):
        for level in self.effort.levels:
            for name in ("raw", "flatssl"):
                found = self.step(f"growth to {level}: {name}", measure.growth, name, level)
                self.results["growth"][f"{level}: {name}"] = found

    def trust(self):
        for name in ("raw", "flatssl"):
            found = self.step(f"trust: {name}", measure.trust, name, self.effort)
            self.results["trust"][name] = found

    def run(self):
        short = self.effort is measure.SHORT and self.groups is GROUPS
        streams = subjects.SHORT if short else list(subjects.STREAMS)
        for group in self.groups:
            of_group = [name for name in streams if name.rsplit("_", 1)[0] == group]
            for subject in of_group:
                self.streams(subject)
            if not of_group and hasattr(self, group):
                getattr(self, group)()


def handle_figures(_, rounds):
    """Returns the lines "name number" of the program bench/handle.c."""
    program = os.path.join(peering.BUILD, "handle")
    done = subprocess.run([program, str(rounds)], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError("handle: " + done.stderr)
    return {name: float(number)
            for name, number in (line.split() for line in done.stdout.splitlines())}


def machine():
    model = platform.processor()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    with open("/etc/os-release") as file:
        system = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return f"{model}, {os.cpu_count()} cores, {system['PRETTY_NAME'].strip(chr(34))}"


def versions():
    """Returns the Debian versions of the peers' packages."""
    names = sorted({kind.package for kind in peering.KINDS.values() if kind.package})
    command = ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${db:Status-Status}\n"]
    done = subprocess.run(command + names, capture_output=True, text=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0]: row[1] for row in rows if row[2:] == ["installed"]}


def circumstances(command):
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "openssl": openssl.split(" (")[0].strip(),
        "command": command,
        "packages": versions(),
        "tunables": peering.COPIES,
    }


def measured(effort, groups, patience):
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        identity.make(folder)
        with peering.Peers(folder, patience) as peers:
            bench = Bench(peers, effort, groups)
            bench.run()
            bench.results["missing"] = peers.missing
    return bench.results, bench.failures


def pages(results):
    """Returns what is written into docs/, by path."""
    made = {f"performance/{name}.svg": text for name, text in chart.charts(results).items()}
    made["performance.md"] = report.page(results)
    return made


def write(results):
    os.makedirs(os.path.join(DOCS, "performance"), exist_ok=True)
    with open(RESULTS, "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
    for path, text in pages(results).items():
        with open(os.path.join(DOCS, path), "w") as file:
            file.write(text)


def stale():
    """Returns which pages of docs/ are not what their JSON makes."""
    if not os.path.exists(RESULTS):
        return ["performance.json"]
    with open(RESULTS) as file:
        made = pages(json.load(file))
    found = []
    for path, text in made.items():
        try:
            with open(os.path.join(DOCS, path)) as file:
                found += [path] if file.read() != text else []
        except FileNotFoundError:
            found.append(path)
    return found


def check():
    """Runs everything once with tiny counts, and compares docs/ with its JSON."""
    results, failures = measured(measure.TINY, GROUPS, 60)
    for name, why in results["missing"].items():
        print(f"skipped: {name}: {why}")
    failures += [f"docs/{path} is not what performance.json makes" for path in stale()]
    for failure in failures:
        print(f"FAILED: {failure}")
    passed = sum(map(len, results.values())) - len(results["missing"])
    print(f"{passed} passed, {len(failures)} failed, {len(results['missing'])} skipped")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help="20 minutes in place of 3")
    parser.add_argument("--write", action="store_true", help="write docs/ after a short form, too")
    parser.add_argument("--check", action="store_true", help="whether everything runs, for a test")
    parser.add_argument("--pages", action="store_true", help="docs/ from its JSON, without a run")
    parser.add_argument("name", nargs="*", choices=[[], *GROUPS], metavar="NAME",
                        help="only this: " + ", ".join(GROUPS))
    given = parser.parse_args()
    if given.check:
        return check()
    if given.pages:
        with open(RESULTS) as file:
            write(json.load(file))
        return 0
    effort = measure.LONG if given.long else measure.SHORT
    results, failures = measured(effort, given.name or GROUPS, 300)
    results = {**circumstances("./dev bench" + " --long" * given.long), **results}
    print(report.page(results))
    if (given.long or given.write) and not given.name:
        write(results)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
