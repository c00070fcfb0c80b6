#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The one entry to building, running and testing: `./build.sh help`. What depends on what is in build.mk, what is
# linked in deps/list, which Debian packages it takes in deps/packages.

set -eu
cd "$(dirname "$0")"
unset CDPATH MAKEFLAGS MAKELEVEL
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
# Where nginx is, for who is not root.
PATH=$PATH:/usr/sbin:/sbin

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
./build.sh --target TARGET         build build/TARGET/proxy for another machine: deps/targets has their names
./build.sh cross                   all of them, with their sizes
./build.sh image [--multiarch] [NAME]
                                   a container image without a container engine: build/image.tar, or for all targets
                                   build/image-multiarch.tar; NAME: localhost/proxy and the version
./build.sh deb [TARGET]            a Debian package, build/proxy_VERSION_ARCHITECTURE.deb
./build.sh microvm [--kernel DEB]  a microVM in build/microvm: Debian's cloud kernel, and the binary as its first program;
                                   DEB: another linux-image-*-cloud-amd64 than the one in deps/list
./build.sh run [ARGUMENT...]       build and start it; without arguments, the demo on https://localhost:8443
./build.sh test [--all]            everything that a change must pass; --all adds the long counts
./build.sh test KIND [PATTERN]     only layers, unit, qemu, ct, fuzz, e2e or unikernel; PATTERN: files whose path
                                   contains it, for the last two as pytest -k has it; qemu: unit tests as other
                                   machines' code; ct: that secrets decide no branch and no address, by valgrind;
                                   unikernel: e2e on a machine that denies what unikernels do
./build.sh fuzz [TARGET SECONDS]   fuzz TARGET (tests/fuzz/TARGET_fuzz.c) for SECONDS; without, every one for a minute
./build.sh check                   format, layers, static analysis, shell scripts: no findings
./build.sh size [--readme]         bytes of build/proxy by folder and dependency; --readme: of all targets and of the
                                   image beside others, as README.md has them, and puts them there
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
    jsmn=$(dpkg-query -W -f '${source:Upstream-Version}' libjsmn-dev 2>/dev/null) || jsmn=unknown
    roots=$(dpkg-query -W -f '${Version}' ca-certificates 2>/dev/null) || roots=unknown
    mkdir -p $B/gen
    cat >$B/gen/version.h.new <<EOF
/* Written by build.sh. */
#define PROXY_VERSION         "$(cat VERSION)"
#define PROXY_BUILD_TIME      $(source_date)
#define PROXY_BEARSSL_VERSION "$(upstream_version bearssl)"
#define PROXY_CARES_VERSION   "$(upstream_version c-ares)"
#define PROXY_MUSL_VERSION    "$musl"
#define PROXY_JSMN_VERSION    "$jsmn"
#define PROXY_ROOTS_VERSION   "$roots"
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
    fetch_deps || exit 1
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

# target_column TARGET NUMBER: a word of its line in deps/targets
target_column()
{
    awk -v t="$1" -v n="$2" '$1 == t {print $n}' deps/targets
}

# What fetch_deps takes beside what every build does.
wanted=

# want_target TARGET...: what their builds need. The machine's own needs nothing: it is build/proxy.
want_target()
{
    own=$(uname -m | sed 's/^i.86$/i386/; s/^armv7l$/armv7/')
    sets=build
    for t in "$@"; do
        libc=$(target_column "$t" 3)
        [ -n "$libc" ] || die "no target $t; there are $(all_targets)"
        [ "$t" != "$own" ] || continue
        sets="$sets $t"
        wanted="$wanted $libc"
    done
    # shellcheck disable=SC2086 # a list of names without blanks
    need $sets
}

all_targets()
{
    awk '/^[a-z]/ {printf "%s%s", sep, $1; sep = " "}' deps/targets
}

cmd_target()
{
    [ $# = 1 ] || die "--target takes one of $(all_targets)"
    want_target "$1"
    build $B/"$1"/proxy || die "the build failed"
}

# Packed: what a compressed flash or an image's layer has to hold.
cmd_cross()
{
    targets=$(all_targets)
    # shellcheck disable=SC2086 # a list of names without blanks
    want_target $targets
    # shellcheck disable=SC2046,SC2086 # lists of names without blanks
    build $(printf "$B/%s/proxy " $targets) || die "the build failed"
    printf '\n%-10s %9s %9s  %s\n' target bytes gzip file
    for t in $targets; do
        printf '%-10s %9d %9d  %s\n' "$t" "$(wc -c <$B/"$t"/proxy)" "$(gzip -9nc $B/"$t"/proxy | wc -c)" "$B/$t/proxy"
    done
}

# The commit, for the image's label; in a tarball there is none.
revision()
{
    if ! { [ -e .git ] && git -c safe.directory='*' rev-parse HEAD 2>/dev/null; }; then
        say unknown
    fi
}

cmd_image()
{
    file=$B/image.tar
    name=localhost/proxy:$(cat VERSION)
    targets=$(uname -m | sed 's/^i.86$/i386/; s/^armv7l$/armv7/')
    while [ $# -gt 0 ]; do
        case $1 in
        --multiarch)
            # The machine's own first.
            targets="$targets $(all_targets | tr ' ' '\n' | grep -vx "$targets" | tr '\n' ' ')"
            file=$B/image-multiarch.tar
            ;;
        -*) die "image: what is $1? ./build.sh help" ;;
        *)
            # A colon before the last slash is a registry's port.
            case ${1##*/} in
            *:*) name=$1 ;;
            *) name=$1:$(cat VERSION) ;;
            esac
            ;;
        esac
        shift
    done
    need image
    # shellcheck disable=SC2086 # a list of names without blanks
    want_target $targets
    # shellcheck disable=SC2046,SC2086 # lists of names without blanks
    build $(printf "$B/%s/proxy " $targets) || die "the build failed"
    set --
    for t in $targets; do
        set -- "$@" "$(target_column "$t" 5)=$B/$t/proxy"
    done
    /usr/bin/python3 image/oci.py $file --name "$name" --version "$(cat VERSION)" --revision "$(revision)" \
        --time "$(source_date)" "$@"
}

debian_architecture()
{
    case $1 in
    x86_64) say amd64 ;;
    aarch64) say arm64 ;;
    armv7) say armhf ;;
    *) say "$1" ;;
    esac
}

cmd_deb()
{
    [ $# -lt 2 ] || die "deb takes one of $(all_targets)"
    target=${1:-$(uname -m | sed 's/^i.86$/i386/; s/^armv7l$/armv7/')}
    want_target "$target"
    build $B/"$target"/proxy || die "the build failed"
    package=$B/proxy_$(cat VERSION)_$(debian_architecture "$target").deb
    SOURCE_DATE_EPOCH=$(source_date) image/debian/build.sh $B/"$target"/proxy "$(cat VERSION)" \
        "$(debian_architecture "$target")" "$package"
    say "$package"
}

# The modules are those for the disks, networks and random bytes of a hypervisor; what else it takes is built into that
# kernel.
make_microvm()
{
    unpacked=$B/deps/linux-image-cloud-amd64
    case $#:${1:-} in
    0:) ;;
    2:--kernel)
        unpacked=$B/microvm/unpacked
        rm -rf $unpacked
        mkdir -p $unpacked
        dpkg-deb -x "$2" $unpacked || die "microvm: $2 cannot be unpacked"
        ;;
    *) die "microvm: what is $1? ./build.sh help" ;;
    esac
    want_target x86_64
    [ $# -gt 0 ] || wanted="$wanted linux-image-cloud-amd64"
    need image
    build $B/x86_64/proxy || die "the build failed"
    mkdir -p $B/microvm
    cp $unpacked/boot/vmlinuz-* $B/microvm/kernel || die "microvm: one kernel is wanted in the package"
    /usr/bin/python3 image/initramfs.py $B/microvm/initramfs.cpio.gz --init $B/x86_64/proxy \
        --modules $unpacked/lib/modules/* --time "$(source_date)" virtio_pci virtio_mmio virtio_net virtio_blk virtio_rng
}

cmd_microvm()
{
    make_microvm "$@"
    cat <<EOF
To try it, with qemu-system-x86, at https://localhost:8443 (-accel kvm where that works); docs/microvm.md has the rest:

    qemu-system-x86_64 -accel tcg -cpu max -m 128 -nodefaults -no-reboot -display none -serial stdio \\
        -kernel $B/microvm/kernel -initrd $B/microvm/initramfs.cpio.gz \\
        -append "console=ttyS0 quiet panic=-1 -- --demo --listen :443" \\
        -netdev user,id=net,hostfwd=tcp:127.0.0.1:8443-:443 -device virtio-net-pci,netdev=net,romfile=
EOF
}

# Without arguments the demo, and not the proxy.conf that lies here as an example.
cmd_run()
{
    cmd_build
    [ $# -gt 0 ] || set -- --demo
    exec $B/proxy "$@"
}

# ---- tests ------------------------------------------------------------------------------------------------------

passed=0
failed=0
skipped=0

# tally PASSED FAILED [SKIPPED]
tally()
{
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + ${3:-0}))
}

heading()
{
    printf '\n== %s\n' "$*"
}

cmd_test()
{
    fuzz_seconds=3
    kinds=
    pattern=
    while [ $# -gt 0 ]; do
        case $1 in
        --all)
            export PROXY_TEST_ALL=1
            fuzz_seconds=120
            ;;
        layers | unit | qemu | ct | fuzz | e2e | unikernel) kinds="$kinds $1" ;;
        *) pattern=$1 ;;
        esac
        shift
    done
    [ -z "$pattern" ] || [ -n "$kinds" ] || die "test: what is $pattern? ./build.sh help"
    kinds=${kinds:-layers unit qemu ct fuzz unikernel e2e}

    need build test ${PROXY_TEST_ALL:+all}
    rm -rf $B/test
    mkdir -p $B/test
    for kind in $kinds; do
        "test_$kind"
    done

    printf '\n'
    [ -s $B/test/failures ] && sort -u $B/test/failures
    say "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
    [ $failed = 0 ]
}

# complain WHAT: to be repeated above the closing line.
complain()
{
    say "FAIL $*" >>$B/test/failures
}

test_layers()
{
    heading layers
    if tests/layers.sh; then
        tally 1 0
    else
        complain layers
        tally 0 1
    fi
}

# targets FOLDER PREFIX SUFFIX: the .c files under FOLDER with that ending, as make's targets.
targets()
{
    find "$1" -name "*$3.c" 2>/dev/null | sort | sed "s,^$1/,$2/,; s,\.c\$,,"
}

choose()
{
    if [ -n "$pattern" ]; then grep -e "$pattern" || :; else cat; fi
}

# make_each TARGET...: builds what can be built and counts each of the others as a failure.
make_each()
{
    [ $# -gt 0 ] || return 0
    build -k "$@" && return 0
    for t in "$@"; do
        build "$t" >/dev/null 2>&1 && continue
        complain "$t does not build"
        tally 0 1
        rm -f "$t"
    done
}

# What the sanitisers do when they find something: stop, with a trace.
export ASAN_OPTIONS="${ASAN_OPTIONS:-exitcode=99:detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

test_unit()
{
    heading unit
    run_units unit asan "$(targets tests/unit $B/asan/unit _test | choose)"
}

# What in crypto/ is written for 64-bit ARM, and all else there as that machine's code; what puts bytes together or takes
# them apart, on a big-endian machine; with --all, everything on that and on the 32-bit ones.
test_qemu()
{
    heading qemu
    units_elsewhere aarch64 crypto _test
    if [ -z "${PROXY_TEST_ALL:-}" ]; then
        units_elsewhere s390x base _test
        units_elsewhere s390x crypto '/\(aead\|chacha20\|ec\|gcm_record\|hkdf\|poly1305\|sha256\)_test'
        units_elsewhere s390x tls '/\(client_hello\|key_schedule\|stream\|ticket\)_test'
        units_elsewhere s390x http _test
    else
        for t in s390x armv7 mipsel i386; do
            units_elsewhere $t . _test
        done
    fi
}

# units_elsewhere TARGET FOLDER PATTERN. Left out is what QEMU's processes do not have: filters of system calls
# (random_test.c wants Linux's own headers for one); for MIPS, the numbers of a socket's errors, which are others there:
# QEMU 7.2 hands SO_ERROR through as it is; for s390x, a /proc/net/tcp in its own order of bytes.
units_elsewhere()
{
    want_target "$1"
    [ "$own" != "$1" ] || return 0
    without='/\(base/random\|admin/confine\)_test'
    [ "$1" != s390x ] || without="$without\|/net/socket_test"
    [ "$1" != mipsel ] || without="$without\|/\(net/socket\|conn/conn\|acme/https\(_life\)\{0,1\}\)_test"
    run_units "$1" "$1" "$(targets "tests/unit/$2" "$B/$1/unit/$2" _test | sed 's,/\./,/,' | grep -e "$3" |
        grep -v -e "$without" | choose)"
}

# Those that leak on purpose have to be reported: valgrind then exits with 9.
test_ct()
{
    heading ct
    make_each $B/ct/ct
    [ -x $B/ct/ct ] || return 0
    for name in $($B/ct/ct | choose); do
        case $name in leak_*) expected=9 ;; *) expected=0 ;; esac
        log=$B/test/ct-$name.log
        rc=0
        timeout 300 valgrind -q --error-exitcode=9 $B/ct/ct "$name" >"$log" 2>&1 </dev/null || rc=$?
        if [ $rc = $expected ] && { [ $rc != 0 ] || [ ! -s "$log" ]; }; then
            say "ok   ct $name"
            tally 1 0
        else
            say "FAIL ct $name: exit code $rc"
            sed 's/^/    /' "$log"
            complain "ct $name"
            tally 0 1
        fi
    done
}

# runner_of TARGET: the emulator that runs its programs. Of 64-bit ARM, it shall have all that crypto/ has code for.
runner_of()
{
    case $1 in
    aarch64) echo qemu-aarch64 -cpu max ;;
    *) echo "qemu-$(target_column "$1" 4)" ;;
    esac
}

# run_units KIND BUILD TARGETS: builds and runs unit tests of one build. The long counts of --all are not for the
# emulator, but of tests that have no other place.
run_units()
{
    kind=$1
    units=$3
    prefix=$B/$2/unit/
    logs=$B/test/$1
    runner=
    [ "$kind" = unit ] || runner=$(runner_of "$2")
    # shellcheck disable=SC2086 # a list of names without blanks
    make_each $units
    # shellcheck disable=SC2016 # the inner shell's parameters
    for u in $units; do
        if [ -x "$u" ]; then say "$u"; fi
    done | xargs -r -n 1 -P "$JOBS" sh -c '
        log=$1/${4#"$2"}.log
        mkdir -p "$(dirname "$log")"
        case $3,$4 in
        ,* | *_armv8_test | *_neon_test) ;;
        *) unset PROXY_TEST_ALL ;;
        esac
        limit=300
        [ -z "${PROXY_TEST_ALL-}" ] || limit=1800
        timeout "$limit" $3 "$4" >"$log" 2>&1 </dev/null
        echo "exit code $?" >>"$log"
        true' sh "$logs" "$prefix" "$runner"
    for u in $units; do
        [ -x "$u" ] || continue
        name=${u#"$prefix"}
        log=$logs/$name.log
        [ "$kind" = unit ] || name="$kind $name"
        counts=$(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' "$log" | tail -n 1)
        rc=$(sed -n 's/^exit code //p' "$log" | tail -n 1)
        if [ "$rc" = 0 ] && [ -n "$counts" ]; then
            # shellcheck disable=SC2086 # two numbers
            tally $counts
            say "ok   $name (${counts% *})"
        elif [ "$rc" = 1 ] && [ -n "$counts" ]; then
            # shellcheck disable=SC2086 # two numbers
            tally $counts
            [ "${counts#* }" = 0 ] && tally 0 1
            say "FAIL $name"
            grep -v '^ok ' "$log" | sed 's/^/    /'
            complain "$name: $(grep '^FAIL ' "$log" | sed 's/^FAIL //' | tr '\n' ' ')"
        else
            # It stopped on its way: what it had passed counts, and the stop is one failure.
            tally "$(grep -c '^ok ' "$log")" $(($(grep -c '^FAIL ' "$log") + 1))
            say "FAIL $name: exit code $rc"
            grep -v '^ok ' "$log" | sed 's/^/    /'
            complain "$name: exit code $rc"
        fi
    done
}

test_fuzz()
{
    heading fuzz
    fuzzers=$(targets tests/fuzz $B/fuzz _fuzz | choose)
    # shellcheck disable=SC2086 # a list of names without blanks
    make_each $fuzzers
    for f in $fuzzers; do
        [ -x "$f" ] || continue
        name=${f##*/}
        name=${name%_fuzz}
        if fuzz_one "$name" "$fuzz_seconds" >$B/test/fuzz-"$name".log 2>&1; then
            say "ok   $name"
            tally 1 0
        else
            say "FAIL $name"
            grep -v -e '^#' $B/test/fuzz-"$name".log | tail -n 60 | sed 's/^/    /'
            complain "fuzz $name: $(sed -n 's/.*Test unit written to //p' $B/test/fuzz-"$name".log | tail -n 1)"
            tally 0 1
        fi
    done
}

# fuzz_one TARGET SECONDS: first every input that is known, regressions before all, then new ones, which are kept
# under build/.
fuzz_one()
{
    corpus=$B/corpus/$1
    mkdir -p "$corpus" $B/crashes
    known=
    for dir in tests/fuzz/regressions/"$1" tests/fuzz/corpus/"$1"; do
        [ -d "$dir" ] && known="$known $dir"
    done
    dict=
    [ -e tests/fuzz/"$1".dict ] && dict=-dict=tests/fuzz/$1.dict
    # shellcheck disable=SC2086 # lists of names without blanks
    $B/fuzz/"$1"_fuzz -runs=0 -timeout=10 -rss_limit_mb=1024 -artifact_prefix=$B/crashes/"$1"- $known </dev/null &&
        $B/fuzz/"$1"_fuzz $dict -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 \
            -artifact_prefix=$B/crashes/"$1"- "$corpus" $known </dev/null
}

test_e2e()
{
    heading e2e
    boards='aarch64 armv7 mipsel'
    [ -z "${PROXY_TEST_ALL:-}" ] || boards="$boards i386 riscv64 s390x"
    [ -n "$(find tests/e2e -name 'test_*.py' 2>/dev/null)" ] || return 0
    if [ -e proxy.c ]; then
        make_each $B/proxy $B/asan/proxy
        [ -x $B/proxy ] && [ -x $B/asan/proxy ] || return 0
        # shellcheck disable=SC2086 # a list of names without blanks
        want_target $boards
        for t in $boards; do
            make_each $B/"$t"/proxy
        done
    fi
    case ${pattern:-microvm} in
    *microvm*)
        need microvm
        make_microvm || complain "microvm: it cannot be made"
        ;;
    esac
    export PROXY_BIN="$PWD/$B/proxy" PROXY_BIN_ASAN="$PWD/$B/asan/proxy"
    # Those that watch how this machine's time is shared have it for themselves.
    alone='handshake_flood load'
    set --
    for f in $alone; do
        set -- "$@" --ignore "tests/e2e/test_$f.py"
    done
    run_pytest e2e tests/e2e "$@"
    set --
    for f in $alone; do
        set -- "$@" "tests/e2e/test_$f.py"
    done
    run_pytest e2e-alone -n0 "$@"
    [ -z "${PROXY_TEST_ALL:-}" ] || test_e2e_elsewhere aarch64 armv7 mipsel
}

# On a machine that answers as unikernels do (tests/unikernel/shim.c): what needs no Unix socket, signal or IPv6. Then what
# the shim denied, and was met, so that a test which passes for want of a denial is seen.
test_unikernel()
{
    [ "$(uname -m)" = x86_64 ] || return 0
    heading unikernel
    make_each $B/unikernel/proxy
    [ -x $B/unikernel/proxy ] || return 0
    files='unikernel basic upstream half_close limits'
    [ -z "${PROXY_TEST_ALL:-}" ] || files="$files acme framing hostile log resumption streaming tls tls13 websocket"
    set --
    for f in $files; do
        set -- "$@" "tests/e2e/test_$f.py"
    done
    met=$PWD/$B/test/unikernel-met
    all=${PROXY_TEST_ALL:-}
    unset PROXY_TEST_ALL
    export PROXY_TEST_UNIKERNEL=1 PROXY_BIN="$PWD/$B/unikernel/proxy" PROXY_BIN_ASAN=/nonexistent PROXY_SHIM_LOG="$met"
    run_pytest unikernel "$@"
    unset PROXY_TEST_UNIKERNEL PROXY_SHIM_LOG
    [ -z "$all" ] || export PROXY_TEST_ALL="$all"
    [ -z "$pattern" ] || return 0
    for what in AF_INET6 ECONNREFUSED ENFILE SO_LINGER "accept4's flags" landlock prctl setgroups sigaction; do
        if grep -qsx "$what" "$met"; then
            tally 1 0
        else
            complain "unikernel: $what was never met"
            tally 0 1
        fi
    done
}

# The suite on what ships for other machines. Left out are the files that look at builds, at speed, or at the kernel's
# filters, which QEMU's processes do not have; and tests that say that they do not fit (native, in conftest.py).
test_e2e_elsewhere()
{
    unset PROXY_TEST_ALL
    export PROXY_TEST_EMULATED=1 PROXY_BIN_ASAN=/nonexistent
    for t in "$@"; do
        [ "$t" != "$own" ] || continue
        heading "e2e $t"
        export PROXY_BIN="$PWD/$B/test/emulated-$t"
        printf '#!/bin/sh\nexec %s %s "$@"\n' "$(runner_of "$t")" "'$PWD/$B/$t/proxy'" >"$PROXY_BIN"
        chmod 755 "$PROXY_BIN"
        set -- tests/e2e
        for f in build image deploy packages targets browser testssl load handshake_flood confine; do
            set -- "$@" --ignore "tests/e2e/test_$f.py"
        done
        run_pytest "e2e-$t" "$@"
    done
    unset PROXY_TEST_EMULATED
}

# run_pytest NAME PATH|OPTION...: NAME is its log's, and stands before what failed.
run_pytest()
{
    log=$B/test/$1.log
    suite=$1
    shift
    # Most tests wait for somebody. A file is one worker's: what its tests share is made once. One alone where few are chosen.
    workers=${pattern:+0}
    workers=${workers:-$(($(getconf _NPROCESSORS_ONLN) + 1))}
    [ "$workers" -le 8 ] || workers=8
    {
        rc=0
        timeout 7200 /usr/bin/python3 -m pytest -p no:cacheprovider -o faulthandler_timeout=300 --color=no --tb=short -ra -q \
            --durations=5 --durations-min=5 -n "$workers" --dist loadfile \
            ${pattern:+-k "$pattern"} "$@" </dev/null || rc=$?
        echo "exit code $rc"
    } 2>&1 | tee "$log" | grep -v '^exit code '
    rc=$(sed -n 's/^exit code //p' "$log" | tail -n 1)
    summary=$(grep -E '^(=+ )?[0-9]+ [a-z]+.* in [0-9.]+s' "$log" | tail -n 1)
    count()
    {
        say "$summary" | sed -n "s/.*[^0-9]\{0,1\}\b\([0-9][0-9]*\) $1.*/\1/p"
    }
    p=$(count passed) f=$(count failed) e=$(count error) k=$(count skipped)
    tally "${p:-0}" $((${f:-0} + ${e:-0})) "${k:-0}"
    grep -E '^(FAILED|ERROR) ' "$log" | sed -e 's/^FAILED //' -e 's/^ERROR //' | cut -c 1-150 |
        while read -r line; do complain "$([ "$suite" = e2e ] || echo "${suite#e2e-}: ")$line"; done
    # 5: no test was chosen.
    if [ "$rc" != 0 ] && [ "$rc" != 5 ] && [ $((${f:-0} + ${e:-0})) = 0 ]; then
        complain "$suite: pytest ended with exit code $rc"
        tally 0 1
    fi
}

# ---- fuzz, check, size ------------------------------------------------------------------------------------------

cmd_fuzz()
{
    need build test
    pattern=
    seconds=${2:-60}
    if [ $# -gt 0 ]; then
        [ -e "tests/fuzz/$1_fuzz.c" ] ||
            die "fuzz: no target $1; there are:$(targets tests/fuzz '' _fuzz | sed 's,^/, ,; s,_fuzz$,,' | tr -d '\n')"
        names=$1
    else
        names=$(targets tests/fuzz '' _fuzz | sed 's,^/,,; s,_fuzz$,,')
    fi
    for name in $names; do
        build $B/fuzz/"$name"_fuzz || die "the build failed"
        fuzz_one "$name" "$seconds" || die "fuzz: $name: see above; keep the input in tests/fuzz/regressions/$name/"
    done
}

own_c_files()
{
    find . -path ./$B -prune -o -path ./deps -prune -o -name '*.[ch]' -print | sed 's,^\./,,' | sort
}

own_scripts()
{
    find . -path ./$B -prune -o -path ./.git -prune -o -name '*.sh' -print | sort
    say .ci/run
}

cmd_check()
{
    need build test check
    mkdir -p $B/test
    findings=0
    for c in format layers spdx shell cppcheck tidy globals; do
        if "check_$c" >$B/test/check-$c.log 2>&1; then
            say "ok   $c"
        else
            say "FAIL $c"
            sed 's/^/    /' $B/test/check-$c.log
            findings=$((findings + 1))
        fi
    done
    [ $findings = 0 ] || die "check: findings in $findings of the checks"
}

check_format()
{
    own_c_files | xargs -r clang-format --dry-run -Werror
}

check_layers()
{
    tests/layers.sh
}

# Every source file says its licence in its first lines.
check_spdx()
{
    bad=$(for f in $(own_c_files) $(own_scripts) build.mk; do
        head -n 3 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f: no SPDX line"
    done)
    [ -z "$bad" ] || {
        say "$bad"
        return 1
    }
}

check_shell()
{
    own_scripts | xargs shellcheck
}

# Found once and answered here, each with its reason:
#   missingIncludeSystem, missingInclude   the system's headers are not its business
#   unusedFunction is not asked for: a function may have its tests alone while its caller is being written
check_cppcheck()
{
    own_c_files | grep -v -e '^tests/' -e '\.h$' | xargs -r cppcheck --std=c11 --quiet --error-exitcode=1 \
        --enable=warning,performance,portability --inline-suppr -j "$JOBS" -D_GNU_SOURCE -D__linux__ -D__GNUC__=12 \
        -D__x86_64__ -D__LP64__ -I. -I$B/gen --suppress=missingIncludeSystem --suppress=missingInclude
}

# What is asked for, and why the rest is not, is in .clang-tidy. One file at a time: clang-tidy 14 takes a va_list
# for uninitialised in every file after its first. Not the tests: a check there that fails lets the test go on, and the
# analyser then follows the broken state; what they really do, the sanitisers see on every run.
check_tidy()
{
    build $B/gen/version.h >/dev/null
    own_c_files | grep -v -e '\.h$' -e '^\(\./\)\{0,1\}tests/' |
        xargs -r -n 1 -P "$JOBS" sh -c 'clang-tidy --quiet "$@" -- -std=c11 -D_GNU_SOURCE -I. -Ibuild/gen \
            -isystem build/deps/bearssl/inc -isystem build/deps/c-ares/include 2>/dev/null || exit 1' sh
}

# No writable globals outside proxy.c and what a process has one of by its nature: the log, the allocator's count,
# the random pool, the clock's floor.
check_globals()
{
    build $B/proxy >/dev/null || return 1
    bad=$(find $B/musl/obj -name '*.o' | sort | while read -r o; do
        source=${o#"$B/musl/obj/"}
        source=${source%.o}.c
        case $source in proxy.c | base/log.c | base/mem.c | base/random.c | base/time.c | tests/*) continue ;; esac
        [ -e "$source" ] || continue
        objdump -t "$o" | awk -v f="$source" '
            $3 == "O" && $4 ~ /^\.(bss|data)/ && $4 !~ /^\.data\.rel\.ro/ || $3 ~ /^\.(tbss|tdata)/ {
                print f ": " $NF " is a writable global"
            }'
    done)
    [ -z "$bad" ] || {
        say "$bad"
        return 1
    }
}

# Thousands of bytes, as shops and flash chips count them.
kilobytes()
{
    echo $((($1 + 500) / 1000))
}

# The image is one layer of the file and an empty folder: what is pulled is the file, packed.
sizes_table()
{
    say '| image, linux/amd64 | pulled, kB |'
    say '|---|---:|'
    say "| this one | $(kilobytes "$(gzip -9c $B/image.tar | wc -c)") |"
    grep -v '^#' image/others | while read -r name tag version _ bytes; do
        say "| $name:$tag ($version) | $(kilobytes "$bytes") |"
    done
    say ''
    say '| binary | kB | packed, kB |'
    say '|---|---:|---:|'
    for t in $(all_targets); do
        say "| $t | $(kilobytes "$(wc -c <$B/"$t"/proxy)") | $(kilobytes "$(gzip -9nc $B/"$t"/proxy | wc -c)") |"
    done
}

cmd_size()
{
    if [ "${1:-}" = --readme ]; then
        cmd_cross >/dev/null
        cmd_image >/dev/null
        sizes_table >$B/sizes
        sed -i -e '/^<!-- sizes/,/^<!-- end/{/^<!-- sizes/!{/^<!-- end/!d}}' -e "/^<!-- sizes/r $B/sizes" README.md
        cat $B/sizes
        return 0
    fi
    cmd_build
    awk -f deps/size.awk $B/proxy.map | sort -k 1,1nr -k 2 >$B/size
    file=$(wc -c <$B/proxy)
    awk -v file="$file" '
        BEGIN { printf "%8s  %8s\n", "bytes", "bss" }
        { sum += $1; printf "%8d  %8d  ", $1, $2; $1 = $2 = ""; print substr($0, 3) }
        END {
            printf "%8d            headers, padding, relocations\n", file - sum
            printf "%8d            build/proxy\n", file
        }' $B/size
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
build | run | test | fuzz | check | size | clean | cross | image | deb | microvm) "cmd_$command" "$@" ;;
--target) cmd_target "$@" ;;
--target=*) cmd_target "${command#*=}" ;;
help | --help | -h) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
