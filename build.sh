#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The one entry to building, running and testing: `./build.sh help`. What depends on what is in build.mk, what is
# linked in deps/list, which Debian packages it takes in deps/packages.

set -eu
cd "$(dirname "$0")"
unset CDPATH MAKEFLAGS MAKELEVEL
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

B=build
JOBS=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}

say()
{
    printf '%s\n' "$*"
}

die()
{
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

usage()
{
    cat <<'EOF'
./build.sh                         build build/proxy
./build.sh run [ARGUMENT...]       build and start it; without arguments, the demo on https://localhost:8443
./build.sh test [--all]            everything that a change must pass; --all adds the long counts
./build.sh test KIND [PATTERN]     only layers, unit, fuzz or e2e; unit and fuzz: files whose path contains PATTERN,
                                   e2e: pytest -k PATTERN
./build.sh fuzz [TARGET SECONDS]   fuzz TARGET (tests/fuzz/TARGET_fuzz.c) for SECONDS; without, every one for a minute
./build.sh check                   format, layers, static analysis, shell scripts: no findings
./build.sh size                    bytes of build/proxy by folder and dependency
./build.sh clean [--all]           remove what was built; --all: what was downloaded too
./build.sh help                    this text

V=1 shows the compiler's commands, JOBS=N sets how many run at once.
EOF
}

# ---- packages ---------------------------------------------------------------------------------------------------

as_root=
if [ "$(id -u)" != 0 ]; then
    # Without a terminal nobody can type a password.
    if [ -t 0 ]; then as_root=sudo; else as_root='sudo -n'; fi
fi

is_there()
{
    case $1 in
    /*)
        for f in $1; do
            [ -e "$f" ] && return 0
        done
        return 1
        ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# need SET...: installs what the sets in deps/packages name and the machine lacks.
need()
{
    missing=
    what=
    while read -r set package probe; do
        case " $* " in
        *" $set "*) ;;
        *) continue ;;
        esac
        is_there "$probe" || {
            missing="$missing $package"
            what="$what${what:+, }${probe##*/} ($package)"
        }
    done <<EOF
$(grep -v '^#' deps/packages)
EOF
    [ -n "$missing" ] || return 0

    command -v apt-get >/dev/null 2>&1 || die "missing: $what; no apt-get here to install them with"
    if [ -n "$as_root" ] && { ! command -v sudo >/dev/null 2>&1 || ! $as_root true 2>/dev/null; }; then
        die "missing: $what; as root: apt-get install --no-install-recommends$missing"
    fi
    say "installing$missing"
    install_packages "$missing"
}

# Installs without starting a service: a policy-rc.d that says no, for the time of it, unless there is one already.
install_packages()
{
    policy=/usr/sbin/policy-rc.d
    had_nginx=$(command -v nginx || :)
    own_policy=
    if [ ! -e $policy ]; then
        own_policy=yes
        trap '$as_root rm -f $policy' EXIT
        trap 'exit 1' HUP INT TERM
        $as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    fi
    log=$B/install.log
    mkdir -p $B
    # shellcheck disable=SC2086 # $1 is a list
    if ! {
        $as_root apt-get -q update &&
            $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
                apt-get -qy install --no-install-recommends $1
    } >$log 2>&1 </dev/null; then
        die "apt-get cannot install$1: $(grep '^E:' $log | head -n 1)"
    fi
    if [ -z "$had_nginx" ] && command -v nginx >/dev/null && command -v systemctl >/dev/null; then
        $as_root systemctl disable nginx >/dev/null 2>&1 || :
    fi
    if [ -n "$own_policy" ]; then
        $as_root rm -f $policy
        trap - EXIT HUP INT TERM
    fi
}

# ---- dependencies -----------------------------------------------------------------------------------------------

sources()
{
    grep -v -e '^#' -e '^$' deps/list
}

# Fetches what deps/list names and is not there, holds every file against its sum, unpacks. A stamp holds the lines
# that it was made from, so a changed list unpacks anew and an unchanged one costs nothing.
fetch_deps()
{
    for name in $(sources | awk '!seen[$1]++ {print $1}'); do
        lines=$(sources | awk -v n="$name" '$1 == n')
        [ -e "$B/deps/$name.ok" ] && [ "$lines" = "$(cat "$B/deps/$name.ok")" ] && continue
        fetch_dep "$name" "$lines"
    done
}

fetch_dep()
{
    name=$1
    lines=$2
    downloads=$B/deps/download
    mkdir -p "$downloads"

    version=$(say "$lines" | awk '{print $2; exit}')
    for file in $(say "$lines" | awk '{print $3}'); do
        if [ ! -e "$downloads/$file" ]; then
            download "$name" "$version"
            break
        fi
    done
    say "$lines" | while read -r _ _ file sum; do
        [ -e "$downloads/$file" ] || die "$name: $file did not come with version $version"
        got=$(sha256sum <"$downloads/$file")
        [ "${got%% *}" = "$sum" ] || die "$downloads/$file: its SHA-256 is ${got%% *}, deps/list says $sum"
    done || exit 1

    dsc=$(say "$lines" | awk '$3 ~ /\.dsc$/ {print $3}')
    rm -rf "$B/deps/$name" "$B/deps/$name.ok"
    # The files have been held against deps/list; the archive's signature on the .dsc says nothing more.
    dpkg-source --no-check -x "$downloads/$dsc" "$B/deps/$name" >"$B/deps/$name.log" 2>&1 ||
        die "$name: dpkg-source cannot unpack $dsc: $(tail -n 1 "$B/deps/$name.log")"
    say "$lines" >"$B/deps/$name.ok"
}

# The mirrors are the machine's own: what apt would ask for Debian 12. The private list says deb-src for them, and
# the system's lists stay as they are.
download()
{
    apt=$B/deps/apt
    command -v apt-get >/dev/null 2>&1 ||
        die "$1 $2: no apt-get here to fetch it with; put the files that deps/list names into $B/deps/download"
    say "fetching $1 $2"
    mkdir -p $apt/lists/partial $apt/cache/archives/partial
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    signed=
    if [ -e $keyring ] && ! is_there '/etc/apt/trusted.gpg.d/debian-archive-*'; then
        signed="[signed-by=$keyring] "
    fi
    apt-get update --print-uris 2>$apt/log |
        sed -n "s|^'\(.*\)/dists/\(bookworm[a-z-]*\)/InRelease'.*|deb-src $signed\1 \2 main|p" |
        grep -E ' bookworm(-updates|-security)? main$' >$apt/sources.list ||
        die "$1 $2: apt's sources name no Debian 12 (bookworm) to fetch it from"
    set -- "$1" "$2" -q -o "Dir::Etc::sourcelist=$PWD/$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::Lists=$PWD/$apt/lists" -o "Dir::Cache=$PWD/$apt/cache" -o APT::Sandbox::User= \
        -o Acquire::Languages=none
    (
        name=$1 version=$2
        shift 2
        [ -n "$(find $apt/updated -mmin -60 2>/dev/null)" ] || apt-get "$@" update
        : >$apt/updated
        cd "$B/deps/download"
        apt-get "$@" --download-only source "$name=$version"
    ) >$apt/log 2>&1 </dev/null || die "$1 $2: cannot be fetched: $(grep -e '^E:' -e '^W:' $apt/log | tail -n 1)"
}

# ---- what the build knows of itself -----------------------------------------------------------------------------

# The commit's time, so that a build can be repeated; in a tarball, the newest file's.
source_date()
{
    if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
        say "$SOURCE_DATE_EPOCH"
    elif [ -e .git ] && git -c safe.directory='*' log -1 --format=%ct 2>/dev/null; then
        :
    else
        find . -path ./$B -prune -o -type f -printf '%T@\n' | sort -n | tail -n 1 | cut -d. -f1
    fi
}

upstream_version()
{
    sources | awk -v n="$1" '$1 == n {sub(/[+]dfsg.*/, "", $2); sub(/-[^-]*$/, "", $2); print $2; exit}'
}

version_header()
{
    musl=$(dpkg-query -W -f '${source:Upstream-Version}' musl-dev 2>/dev/null) || musl=unknown
    mkdir -p $B/gen
    cat >$B/gen/version.h.new <<EOF
/* Written by build.sh. */
#define PROXY_VERSION         "$(cat VERSION)"
#define PROXY_BUILD_TIME      $(source_date)
#define PROXY_BEARSSL_VERSION "$(upstream_version bearssl)"
#define PROXY_CARES_VERSION   "$(upstream_version c-ares)"
#define PROXY_MUSL_VERSION    "$musl"
EOF
    if cmp -s $B/gen/version.h.new $B/gen/version.h; then
        rm $B/gen/version.h.new
    else
        mv $B/gen/version.h.new $B/gen/version.h
    fi
}

# ---- building ---------------------------------------------------------------------------------------------------

# One build at a time in one folder: a second waits.
build()
{
    mkdir -p $B
    exec 9>$B/.lock
    flock -n 9 || {
        say "waiting for another build in this folder"
        flock 9
    }
    fetch_deps
    version_header
    rc=0
    make -f build.mk -j"$JOBS" "$@" 9>&- || rc=$?
    exec 9>&-
    return $rc
}

cmd_build()
{
    need build
    [ -e proxy.c ] || die "there is no proxy.c here yet, so nothing to link; ./build.sh test unit builds the parts"
    build proxy || die "the build failed"
}

cmd_run()
{
    cmd_build
    exec $B/proxy "$@"
}

cmd_clean()
{
    [ "${1:-}" = --all ] && rm -rf $B
    [ -e $B ] || return 0
    find $B -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +
    rm -rf $B/deps/apt
}

# ---- the command line -------------------------------------------------------------------------------------------

command=${1:-build}
[ $# = 0 ] || shift
case $command in
build | run | clean) "cmd_$command" "$@" ;;
help | --help | -h) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
