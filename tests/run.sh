# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Part of build.sh: `./build.sh test`, a function for each kind.

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
        # In a shell of its own: a kernel that the archive has no more is one failure, and not the end of all. What an
        # earlier run made has another program in it.
        (need microvm && make_microvm) || {
            complain "microvm: it cannot be made"
            tally 0 1
            rm -f $B/microvm/initramfs.cpio.gz
        }
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
    files='unikernel basic certificates config upstream half_close limits tls_wire'
    [ -z "${PROXY_TEST_ALL:-}" ] || files="$files acme acme_caa acme_commands acme_directories \
        acme_durability framing hostile log resumption streaming tls tls13 websocket"
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
    for what in AF_INET6 AF_UNIX ECONNREFUSED ENFILE SO_LINGER "accept4's flags" fork landlock prctl setgroups sigaction; do
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
