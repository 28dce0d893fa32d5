# Sourced by the commands. need <package>... installs the Debian packages that are missing.
# shellcheck shell=bash disable=SC2034

BUILD_PACKAGES=(cmake gcc libc6-dev libffi-dev liblua5.1-0-dev liblua5.4-dev libssl-dev lua5.4
    ninja-build pkgconf)

need() {
    local package missing=()

    if ! command -v dpkg-query >/dev/null; then
        echo "dev: not a Debian system; taking these as installed: $*" >&2
        return
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        install_packages "${missing[@]}"
    fi
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
    local root=()

    if [ "$(id -u)" -ne 0 ]; then
        root=(sudo)
        if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
            echo "dev: packages are missing and this user may not install them. Run as root:" >&2
            echo "    apt-get install $*" >&2
            exit 1
        fi
    fi
    echo "dev: installing $*" >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c '
        apt-get -q update &&
        apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 install "$@"
    ' install "$@" >&2
}
