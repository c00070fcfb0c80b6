# SPDX-License-Identifier: MIT
#
# Reads GNU ld's map of build/proxy: for each folder and dependency, the bytes in the file and in .bss.

function hex(s,    i, n) {
    n = 0
    s = tolower(substr(s, 3))
    for (i = 1; i <= length(s); i++)
        n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
    return n
}

# build/musl/lib/FOLDER.a(file.o), build/musl/obj/proxy.o, or an archive of the system's. Of acme/, what is no part of the
# built-in client stands apart.
function owner(path) {
    if (path ~ /lib\/acme\.a\((uacme|check|caa)\.o\)/)
        return "acme/ beside the client: --check, the driver of uacme"
    if (sub(/^build\/musl\/lib\//, "", path) && sub(/\.a\(.*/, "", path))
        return path ~ /^(base|crypto|net|tls|conn|http|conf|certs|acme|relay|admin)$/ ? path "/" : path
    if (path ~ /proxy\.o$/)
        return "proxy.c"
    if (path ~ /libgcc|\/crt/)
        return "gcc"
    return "musl"
}

/^Linker script and memory map/ { on = 1 }
!on { next }
/^\.[a-z]/ { section = $1 }
section !~ /^\.(text|rodata|data|data\.rel\.ro|init|fini|init_array|fini_array|eh_frame|bss)$/ { next }
# A long name stands on a line of its own.
/^ [.C][^ ]*$/ { pending = 1; next }
/^ [.C][^ ]* +0x/ { address = $2; size = $3; path = $4; pending = 2 }
/^ +0x[0-9a-f]+ +0x[0-9a-f]+ [^ ]/ && pending == 1 { address = $1; size = $2; path = $3; pending = 2 }
pending == 2 {
    n = hex(size)
    if (n > 0) {
        who = owner(path)
        seen[who] = 1
        if (section == ".bss")
            bss[who] += n
        else
            bytes[who] += n
    }
    pending = 0
}

END {
    for (who in seen)
        printf "%d %d %s\n", bytes[who], bss[who], who
}
