# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Part of build.sh: installs the packages that deps/packages names, and fetches what deps/list does, each file held against its
# sum.

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
    find_missing "$@"
    [ -n "$missing" ] || return 0

    command -v apt-get >/dev/null 2>&1 || die "missing: $what; no apt-get here to install it with"
    if [ -n "$as_root" ] && { ! command -v sudo >/dev/null 2>&1 || ! $as_root true 2>/dev/null; }; then
        die "missing: $what; as root: apt-get install --no-install-recommends$missing"
    fi
    say "installing$missing"
    install_packages "$missing"
    find_missing "$@"
    [ -z "$missing" ] || die "still missing after apt-get: $what"
}

# find_missing SET...: the packages in $missing, and in $what the words for people.
find_missing()
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

# Fetches what deps/list names, is wanted and is not there, holds every file against its sum, unpacks. A stamp holds
# the lines that it was made from, so a changed list unpacks anew and an unchanged one costs nothing.
fetch_deps()
(
    for name in $(sources | awk '!seen[$1]++ && $1 !~ /^(musl|linux)/ {print $1}') $wanted; do
        lines=$(sources | awk -v n="$name" '$1 == n')
        [ -e "$B/deps/$name.ok" ] && [ "$lines" = "$(cat "$B/deps/$name.ok")" ] && continue
        fetch_dep "$name" "$lines"
    done
)

fetch_dep()
{
    name=$1
    lines=$2
    downloads=$B/deps/download
    mkdir -p "$downloads"

    version=$(say "$lines" | awk '{print $2; exit}')
    for file in $(say "$lines" | awk '{print $3}'); do
        [ ! -e "$downloads/$file" ] || continue
        case $file in
        *.deb) download_package "$name" "$version" "$file" "$(say "$lines" | awk '{print $4}')" ;;
        *) download "$name" "$version" ;;
        esac
    done
    say "$lines" | while read -r _ _ file sum; do
        [ -e "$downloads/$file" ] || die "$name: $file did not come with version $version"
        got=$(sha256sum <"$downloads/$file")
        [ "${got%% *}" = "$sum" ] || die "$downloads/$file: its SHA-256 is ${got%% *}, deps/list says $sum"
    done || exit 1

    dsc=$(say "$lines" | awk '$3 ~ /\.dsc$/ {print $3}')
    rm -rf "$B/deps/$name" "$B/deps/$name.ok"
    if [ -z "$dsc" ]; then
        package=$(say "$lines" | awk '{print $3}')
        dpkg-deb -x "$downloads/$package" "$B/deps/$name" >"$B/deps/$name.log" 2>&1 ||
            die "$name: dpkg-deb cannot unpack $package: $(tail -n 1 "$B/deps/$name.log")"
        say "$lines" >"$B/deps/$name.ok"
        return 0
    fi
    # The files have been held against deps/list; the archive's signature on the .dsc says nothing more.
    dpkg-source --no-check --no-copy -x "$downloads/$dsc" "$B/deps/$name" >"$B/deps/$name.log" 2>&1 ||
        die "$name: dpkg-source cannot unpack $dsc: $(tail -n 1 "$B/deps/$name.log")"
    say "$lines" >"$B/deps/$name.ok"
}

# The mirrors are the machine's own: what apt would ask for Debian 12, as lines of address and suite.
mirrors()
{
    apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/\(bookworm[a-z-]*\)/InRelease'.*|\1 \2|p" |
        grep -E ' bookworm(-updates|-security)?$'
}

# download_package NAME VERSION FILE SHA-256: a package that is not installed here, maybe of another architecture, whose
# lists nobody needs for it.
download_package()
{
    say "fetching $1 $2"
    pool=m/musl
    [ "$1" = "${1#linux}" ] || pool=l/linux-signed-amd64
    mirror=$(mirrors | sed -n 's/ bookworm$//p' | head -n 1)
    /usr/lib/apt/apt-helper -o APT::Sandbox::User= download-file "$mirror/pool/main/$pool/$3" "$downloads/$3" \
        "SHA256:$4" >"$B/deps/$1.log" 2>&1 </dev/null ||
        die "$1 $2: $3 cannot be fetched: $(grep '^E:' "$B/deps/$1.log" | head -n 1)"
}

# The private list says deb-src for the mirrors, and the system's lists stay as they are.
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
    mirrors | sed "s|.*|deb-src $signed& main|" >$apt/sources.list
    [ -s $apt/sources.list ] ||
        die "$1 $2: apt's sources name no Debian 12 (bookworm) to fetch it from"
    set -- "$1" "$2" -q -o "Dir::Etc::sourcelist=$PWD/$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::Lists=$PWD/$apt/lists" -o "Dir::Cache=$PWD/$apt/cache" -o APT::Sandbox::User= \
        -o Acquire::Languages=none
    (
        name=$1 version=$2
        shift 2
        # set -e does not hold in what stands before ||.
        if [ -z "$(find $apt/updated -mmin -60 2>/dev/null)" ]; then
            apt-get "$@" -o APT::Update::Error-Mode=any update || exit 1
            : >$apt/updated
        fi
        cd "$B/deps/download" || exit 1
        apt-get "$@" --download-only source "$name=$version"
    ) >$apt/log 2>&1 </dev/null || die "$1 $2: cannot be fetched: $(grep "^E:" $apt/log | head -n 1)"
}
