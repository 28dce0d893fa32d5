# Sourced by what runs programs built with sanitizers: "${fixed[@]}" <program> runs one.
# shellcheck shell=bash disable=SC2034

# Those of GCC 12 do not start where the kernel randomizes addresses by more than 28 bits.
fixed=()
if setarch -R true 2>/dev/null; then
    fixed=(setarch -R)
fi

# tsan_starts: whether ThreadSanitizer runs here. A container that forbids setarch -R, on a kernel
# that randomizes addresses widely, stops every program at its start.
tsan_starts() {
    local probe=build/tsan/probe _

    [ ${#fixed[@]} -eq 0 ] || return 0
    mkdir -p build/tsan
    echo 'int main(void) { return 0; }' | gcc -fsanitize=thread -x c -o "$probe" -
    for _ in {1..20}; do
        "$probe" 2>/dev/null || return 1
    done
}
