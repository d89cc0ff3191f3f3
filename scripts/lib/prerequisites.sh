# shellcheck shell=bash
# Finds what building, running and testing tandem needs, and installs what is missing. Sourced by the scripts. Exit code 2:
# something has to be installed by hand, and the message names it.

# What is missing, and the Debian package that brings it; filled by need.
missing_things=()
missing_packages=()

# Ends the script: it could not begin.
cannot() {
    printf '%s: %s\n' "$0" "$1" >&2
    exit 2
}

# need THING PACKAGE COMMAND...: notes THING as missing where COMMAND fails.
need() {
    local thing=$1 package=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    missing_things+=("$thing")
    missing_packages+=("$package")
}

# at_least WANTED FOUND: compares versions.
at_least() {
    [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

# The Rust toolchain is the one thing that is never installed here: which one, and where, is its owner's choice.
require_rust() {
    local wanted found advice
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    advice="Get it from https://rustup.rs:
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    if ! command -v cargo >/dev/null && [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        cannot "Rust $wanted or later is needed, and there is none on PATH.
$advice"
    fi
    found=$(rustc --version 2>&1 | sed -n 's/^rustc \([0-9.]*\).*/\1/p')
    [[ -n $found ]] || cannot "rustc does not work: $(rustc --version 2>&1 | head -n 1)"
    at_least "$wanted" "$found" || cannot "Rust $wanted or later is needed, and $(command -v rustc) is $found.
If it came with rustup:
    rustup update stable
$advice"
}

# The client library is C, and its configure script insists on a C++ compiler as well.
need_build_tools() {
    need "a C and C++ compiler" g++ has_compilers
    need "make" make command -v make
    need "pkg-config" pkg-config command -v pkg-config
    need "OpenSSL with its headers" libssl-dev has_openssl
    need "zlib with its headers" zlib1g-dev has_library zlib zlib.h
}

# The brokers' Java, and Maven to fetch them where they are not here yet.
need_kafka() {
    need "Java 17 or later" java has_java
    if [[ -z ${KAFKA_HOME:-} ]] && ! has_cached_kafka; then
        need "Maven, which fetches Apache Kafka (or set KAFKA_HOME to an unpacked distribution)" maven command -v mvn
    fi
}

has_compilers() {
    command -v "${CC:-cc}" && command -v "${CXX:-c++}"
}

has_openssl() {
    [[ -n ${OPENSSL_DIR:-} ]] || has_library openssl openssl/ssl.h
}

# has_library NAME HEADER: as pkg-config knows it, or as the compiler finds it.
has_library() {
    pkg-config --exists "$1" || printf '#include <%s>\n' "$2" | "${CC:-cc}" -E -
}

# The Java that tandem will take: JAVA_HOME's, or else the first on PATH.
java_program() {
    if [[ -n ${JAVA_HOME:-} && -f $JAVA_HOME/bin/java ]]; then
        printf '%s\n' "$JAVA_HOME/bin/java"
    else
        printf 'java\n'
    fi
}

has_java() {
    local said release
    said=$("$(java_program)" -version 2>&1) || return 1
    release=$(sed -n 's/.*version "\([0-9]*\).*/\1/p' <<<"$said" | head -n 1)
    [[ -n $release && $release -ge 17 ]]
}

# The programs of a server, where tandem looks for them.
has_postgresql() {
    { command -v initdb && command -v postgres; } || compgen -G "/usr/lib/postgresql/[0-9]*/bin/initdb" ||
        compgen -G "/usr/pgsql-[0-9]*/bin/initdb"
}

has_cached_kafka() {
    compgen -G "${XDG_CACHE_HOME:-$HOME/.cache}/tandem/kafka/[0-9]*/libs" >/dev/null
}

# Installs what need has found missing, or says how to and ends.
install_missing() {
    ((${#missing_packages[@]})) || return 0
    local things
    things=$(printf '    %s\n' "${missing_things[@]}")
    local as_root=()
    if ! command -v apt-get >/dev/null; then
        cannot "these are missing; install them and run this again (Debian's names: ${missing_packages[*]/#java/openjdk-17-jre-headless}):
$things"
    fi
    if [[ $(id -u) != 0 ]]; then
        if ! sudo -n true >/dev/null 2>&1; then
            cannot "these are missing:
$things
Install them and run this again:
    sudo apt-get install ${missing_packages[*]/#java/openjdk-17-jre-headless}"
        fi
        as_root=(sudo -n)
    fi
    printf '%s: installing what is missing:\n%s\n' "$0" "$things" >&2
    # Where the lists cannot be renewed, the old ones may still do.
    "${as_root[@]}" apt-get update -qq </dev/null >&2 || printf '%s: apt-get update failed; trying all the same\n' "$0" >&2
    local packages=() package
    for package in "${missing_packages[@]}"; do
        [[ $package != java ]] || package=$(java_package)
        packages+=("$package")
    done
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" \
        </dev/null >&2 || cannot "apt-get could not install ${packages[*]}; see above"
    hash -r
    if [[ ${missing_packages[*]} == *java* ]] && ! has_java; then
        cannot "Java 17 or later was installed but is not the one found first; set JAVA_HOME to it"
    fi
}

# The release of Java that this distribution has.
java_package() {
    local package
    for package in openjdk-17-jre-headless openjdk-21-jre-headless; do
        if apt-cache show "$package" >/dev/null 2>&1; then
            printf '%s\n' "$package"
            return
        fi
    done
    printf 'default-jre-headless\n'
}
