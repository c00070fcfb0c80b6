#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Holds every #include against the layers of docs/architecture.md: a folder knows itself and folders before it,
# some of them fewer. One line for each include that points the wrong way; exit 1 if there is one.
#
#   tests/layers.sh              the project, after a test of this script itself
#   tests/layers.sh self-test    that test alone

set -eu
export LC_ALL=C

# FOLDER: what it may include. The order is the design's, and so is what is left out: TLS and HTTP are bytes in,
# bytes out, and know neither sockets nor each other.
rules()
{
    cat <<'EOF'
base:   base
crypto: base crypto
net:    base crypto net
tls:    base crypto tls
conn:   base crypto net tls conn
http:   base crypto http
conf:   base crypto net tls conn http conf
certs:  base crypto net tls conn http conf certs
acme:   base crypto net tls conn http conf certs acme
relay:  base crypto net tls conn http conf certs acme relay
admin:  base crypto net tls conn http conf certs acme relay admin
.:      base crypto net tls conn http conf certs acme relay admin
EOF
}

# A library's header, and the folders that may not know it.
libraries()
{
    cat <<'EOF'
bearssl base http
ares    base crypto tls conn http conf certs acme relay admin .
EOF
}

# layers ROOT: prints what is wrong in the tree at ROOT.
layers()
{
    (
        cd "$1"
        folders=$(rules | cut -d: -f1)
        files=
        for folder in $folders; do
            for file in "$folder"/*.[ch]; do
                [ -e "$file" ] && files="$files ${file#./}"
            done
        done
        [ -n "$files" ] || exit 0
        # shellcheck disable=SC2086 # a list of names without blanks
        { rules && echo && libraries && echo && grep -Hn '^[[:space:]]*#[[:space:]]*include' /dev/null $files; } | awk '
            /^$/ { part++; next }
            part == 0 {
                sub(":", "", $1)
                known[$1] = 1
                for (i = 2; i <= NF; i++)
                    may[$1, $i] = 1
                next
            }
            part == 1 {
                for (i = 2; i <= NF; i++)
                    library[++n] = $1 SUBSEP $i
                next
            }
            {
                split($0, at, ":")
                where = at[1] ":" at[2]
                folder = at[1]
                if (!sub("/.*", "", folder))
                    folder = "."
                name = $0
                sub(/^[^"<]*["<]/, "", name)
                sub(/[">].*/, "", name)
            }
            /include[[:space:]]*</ {
                for (i = 1; i <= n; i++) {
                    split(library[i], l, SUBSEP)
                    if (l[2] == folder && index(name, l[1]) == 1)
                        print where ": " folder "/ may not know <" name ">"
                }
                next
            }
            name == "version.h" || where ~ /^certs[/]roots[.]c:/ && name == "roots.h" { next }
            {
                target = name
                if (!sub("/.*", "", target) || !(target in known) || target == ".")
                    print where ": \"" name "\" is not \"folder/file.h\" of a folder of the project"
                else if (!((folder, target) in may))
                    print where ": " folder "/ may not include \"" name "\""
            }'
    )
}

# Plants what must be found and what must not.
self_test()
{
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    for folder in $(rules | cut -d: -f1); do
        mkdir -p "$dir/$folder"
    done
    # FILE, the include, and the word that tells what is expected.
    while read -r file include expected; do
        printf '/* A head. */\n#include %s\n' "$include" >"$dir/$file"
        found=$(layers "$dir")
        rm "$dir/$file"
        case $expected:$found in
        right: | wrong:"$file:2: "*) ;;
        *)
            echo "tests/layers.sh: self-test: $include in $file was expected to be $expected, found: ${found:-nothing}"
            return 1
            ;;
        esac
    done <<'EOF'
base/a.c   "base/b.h"    right
base/a.c   <stdio.h>     right
base/a.c   "crypto/b.h"  wrong
base/a.h   "net/b.h"     wrong
base/a.c   <bearssl.h>   wrong
base/a.c   "b.h"         wrong
base/a.c   "other/b.h"   wrong
crypto/a.c <bearssl.h>   right
net/a.c    <ares.h>      right
net/a.c    "tls/b.h"     wrong
tls/a.c    "net/b.h"     wrong
tls/a.c    "conn/b.h"    wrong
tls/a.c    "http/b.h"    wrong
conn/a.c   "net/b.h"     right
conn/a.c   "relay/b.h"   wrong
http/a.c   "net/b.h"     wrong
http/a.c   "tls/b.h"     wrong
http/a.c   "conn/b.h"    wrong
http/a.c   <bearssl.h>   wrong
relay/a.c  "acme/b.h"    right
relay/a.c  "admin/b.h"   wrong
admin/a.c  "relay/b.h"   right
proxy.c    "admin/b.h"   right
proxy.c    "version.h"   right
proxy.c    <ares.h>      wrong
certs/roots.c "roots.h"  right
certs/a.c  "roots.h"     wrong
EOF
}

self_test
[ "${1:-}" = self-test ] && exit 0
found=$(layers "$(dirname "$0")/..")
[ -z "$found" ] && exit 0
printf '%s\n' "$found"
exit 1
