# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Part of build.sh: `./build.sh check`, a function for each of what is looked at.

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
    for c in format layers spdx shell cppcheck tidy globals formats; do
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

# The parts of build.sh are looked at with it: alone they would not know its variables.
check_shell()
{
    own_scripts | grep -vx -e ./deps/fetch.sh -e ./tests/run.sh -e ./tests/check.sh | xargs shellcheck -x -a
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
# the random pool, the clock's floor, the processor.
check_globals()
{
    build $B/proxy >/dev/null || return 1
    bad=$(find $B/musl/obj -name '*.o' | sort | while read -r o; do
        source=${o#"$B/musl/obj/"}
        source=${source%.o}.c
        case $source in proxy.c | base/log.c | base/mem.c | base/random.c | base/time.c | crypto/cpu_x86.c | tests/*) continue ;; esac
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

# In a string, a % begins what base/printf.c knows and nothing else; but for assembly, whose operands look alike, and %2F of
# paths and 100% of style sheets.
check_formats()
{
    bad=$(own_c_files | grep -v -e '^tests/' -e '^base/printf.c' | xargs grep -L __asm__ | xargs grep -HnE '"[^"]*%' |
        sed -E -e 's/%[-0]*([0-9]+|\*)?(%|(ll|[ljz])?[duxo]|c|(\.([0-9]+|\*))?s)//g' -e 's/%" PRI[dux]64//g' \
            -e 's/"%[0-9][0-9A-F]"//g' -e 's/ 100% //g' -e "s/'[^']*'//g" | grep -E '"[^"]*%[^"]*"')
    [ -z "$bad" ] || {
        say "$bad"
        return 1
    }
}
