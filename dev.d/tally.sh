# Sourced by the sections of ./dev test. Adds up what a section's programs report:
#     try <name> <command>...    runs it; counts what its last "N passed, N failed, N skipped"
#                                says, or one test if it says nothing (77: skipped)
#     skip <reason> [how many]   counts as skipped
#     tally                      ends the section: prints the sum, exits 1 if anything failed
# shellcheck shell=bash

passed=0 failed=0 skipped=0

try() {
    local name=$1 log status=0 counts='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'
    local p=0 f=0 s=0

    shift
    log=$(mktemp)
    echo "--- $name"
    set +e # or the || that would be needed here would hide failures inside a function
    (set -e && "$@") 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    set -e
    if [[ "$(grep -E "$counts" "$log" | tail -n 1)" =~ $counts ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
        if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
            f=1
        fi
    elif [ "$status" -eq 0 ]; then
        p=1
    elif [ "$status" -eq 77 ]; then
        s=1
    else
        f=1
    fi
    [ "$f" -eq 0 ] || echo "FAILED: $name (exit status $status)"
    rm -f "$log"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

skip() {
    echo "skipped: $1"
    skipped=$((skipped + ${2:-1}))
}

tally() {
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ]
    exit
}
