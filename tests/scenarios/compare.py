"""Makes the scenarios, runs them from C, Python and Lua, and prints one table.

    compare.py <program that makes them> <program that runs them>
"""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent


def outcomes(*command):
    """What a runner prints: a code for each number. What it lacks, it has not run."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    if done.returncode:
        print(*command, "failed:", done.stderr[-2000:], sep="\n")
    return dict(line.split("\t") for line in done.stdout.splitlines())


def main(make, run):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([make, folder], check=True, timeout=300)
        rows = [line.split("\t") for line in
                pathlib.Path(folder, "scenarios.tsv").read_text("utf-8").splitlines()]
        runs = [outcomes(run, folder), outcomes(sys.executable, HERE / "run.py", folder),
                outcomes("luajit", HERE / "run.lua", folder)]
    failed = 0
    print(f"{'scenario':40} {'expected':16} {'C':16} {'Python':16} {'Lua':16}")
    for number, name, expected, _, _ in rows:
        codes = [run.get(number, "not run") for run in runs]
        alike = codes == [expected] * 3
        failed += not alike
        print(f"{name:40} {expected:16}", *(f"{code:16}" for code in codes),
              "" if alike else "FAILED")
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed or len(rows) < 33 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
