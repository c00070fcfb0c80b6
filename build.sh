#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The one entry to building, running and testing: `./build.sh help`. What depends on what is in build.mk, what is
# linked in deps/list, which Debian packages it takes in deps/packages. deps/fetch.sh, tests/run.sh and tests/check.sh are
# parts of it.

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

# What it takes to build, and what is done with the result, each in a file of its own.
# shellcheck source=deps/fetch.sh
. deps/fetch.sh
# shellcheck source=tests/run.sh
. tests/run.sh
# shellcheck source=tests/check.sh
. tests/check.sh

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

# That of this system: what its kernel is does not matter.
own_target()
{
    awk -v a="$(dpkg --print-architecture)" '$6 == a {print $1}' deps/targets
}

# What fetch_deps takes beside what every build does.
wanted=

# want_target TARGET...: what their builds need. The machine's own needs nothing: it is build/proxy.
want_target()
{
    own=$(own_target)
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
    targets=$(own_target)
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

cmd_deb()
{
    [ $# -lt 2 ] || die "deb takes one of $(all_targets)"
    target=${1:-$(own_target)}
    want_target "$target"
    build $B/"$target"/proxy || die "the build failed"
    package=$B/proxy_$(cat VERSION)_$(target_column "$target" 6).deb
    SOURCE_DATE_EPOCH=$(source_date) image/debian/build.sh $B/"$target"/proxy "$(cat VERSION)" \
        "$(target_column "$target" 6)" "$package"
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

# ---- fuzz, size ------------------------------------------------------------------------------------------

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
