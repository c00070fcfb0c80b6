/* SPDX-License-Identifier: MIT
 *
 * The allow-list as a table of numbers, from which the BPF program is made. An architecture whose audit number is
 * not known here gets no filter (and a log line that says so). The kernel's headers are not on musl's path, so
 * the few structs of its ABI are written out.
 */
#include "admin/seccomp.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct bpf_insn {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};
struct bpf_prog {
    unsigned short len;
    struct bpf_insn *filter;
};
struct seccomp_data_abi {
    int nr;
    uint32_t arch;
    uint64_t instruction_pointer;
    uint64_t args[6];
};

enum { BPF_LOAD_ABS = 0x20, BPF_JUMP_EQ = 0x15, BPF_JUMP_SET = 0x45, BPF_RETURN = 0x06 };
#define RET_ALLOW   0x7fff0000u
#define RET_EPERM   (0x00050000u | EPERM)
#define RET_KILL    0x80000000u
#define MODE_FILTER 2

#if defined __x86_64__
#define ARCH 0xc000003eu
#elif defined __i386__
#define ARCH 0x40000003u
#elif defined __aarch64__
#define ARCH 0xc00000b7u
#elif defined __arm__
#define ARCH 0x40000028u
#elif defined __riscv && __riscv_xlen == 64
#define ARCH 0xc00000f3u
#elif defined __s390x__
#define ARCH 0x80000016u
#elif defined __mips__ && defined __MIPSEL__ && _MIPS_SIM == _ABIO32
#define ARCH 0x40000008u
#else
#define ARCH 0u
#endif

/* Old calls exist on some architectures alone; 32-bit ones have some calls twice, by the width of time, ids or offsets,
 * and musl turns to the older where the kernel has not the newer. */
static const uint32_t ALLOWED[] = {
    /* bytes */
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_close,
    SYS_lseek,
#ifdef SYS__llseek
    SYS__llseek,
#endif
    SYS_fcntl,
#ifdef SYS_fcntl64
    SYS_fcntl64,
#endif
    SYS_ioctl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    /* files */
    SYS_openat,
#ifdef SYS_open
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_rename,
    SYS_unlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_chmod,
    SYS_access,
    SYS_readlink,
#endif
#ifdef SYS_stat64
    SYS_stat64,
    SYS_lstat64,
    SYS_fstat64,
#endif
#ifdef SYS_fstatat64
    SYS_fstatat64,
#endif
#ifdef SYS_newfstatat
    SYS_newfstatat,
#endif
#ifdef SYS_fstat
    SYS_fstat,
#endif
#ifdef SYS_statx
    SYS_statx,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_renameat2
    SYS_renameat2,
#endif
    SYS_unlinkat,
    SYS_mkdirat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_faccessat,
    SYS_readlinkat,
    SYS_umask,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
#ifdef SYS_ftruncate64
    SYS_ftruncate64,
#endif
    SYS_getdents64,
    SYS_flock,
    SYS_utimensat,
#ifdef SYS_utimensat_time64
    SYS_utimensat_time64,
#endif
    /* sockets and events */
    SYS_socket,
    SYS_bind,
    SYS_listen,
    SYS_connect,
    SYS_accept4,
    SYS_getsockname,
    SYS_getpeername,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_shutdown,
    SYS_setsockopt,
    SYS_getsockopt,
#ifdef SYS_accept
    SYS_accept,
#endif
#ifdef SYS_send
    SYS_send,
#endif
#ifdef SYS_recv
    SYS_recv,
#endif
#ifdef SYS_socketcall
    SYS_socketcall,
#endif
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_ppoll,
#ifdef SYS_ppoll_time64
    SYS_ppoll_time64,
#endif
/* memory, time, chance */
#ifdef SYS_mmap2 /* then the other may hide its arguments in a struct */
    SYS_mmap2,
#else
    SYS_mmap,
#endif
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
#ifdef SYS_clock_gettime64
    SYS_clock_gettime64,
    SYS_clock_gettime32,
    SYS_gettimeofday_time32,
    SYS_clock_nanosleep_time64,
    SYS_clock_nanosleep_time32,
#else
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_clock_nanosleep,
#endif
#ifdef SYS_time
    SYS_time,
#endif
    SYS_nanosleep,
    SYS_getrandom,
    /* the process itself */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_futex,
#ifdef SYS_futex_time64
    SYS_futex_time64,
#endif
    SYS_getpid,
    SYS_gettid,
    SYS_tgkill,
    SYS_tkill,
    SYS_uname,
    SYS_prlimit64,
#ifdef SYS_getrlimit
    SYS_getrlimit,
#endif
#ifdef SYS_ugetrlimit
    SYS_ugetrlimit,
#endif
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
#ifdef SYS_getuid32
    SYS_getuid32,
    SYS_geteuid32,
    SYS_getgid32,
    SYS_getegid32,
#endif
    SYS_sysinfo,
    SYS_sched_yield,
#ifdef SYS_sigreturn
    SYS_sigreturn,
#endif
};

/* Of the calls above, those that are refused for an argument: its low word is, or has a bit of, `value`. */
static const struct {
    uint32_t nr;
    unsigned arg;
    uint16_t test;
    uint32_t value;
} REFUSED[] = {
    {SYS_ioctl,    1, BPF_JUMP_EQ,  TIOCSTI  }, /* typing into the terminal that we were started from */
    {SYS_ioctl,    1, BPF_JUMP_EQ,  TIOCLINUX},
    {SYS_mprotect, 2, BPF_JUMP_SET, PROT_EXEC}, /* no new code */
#ifdef SYS_mmap2
    {SYS_mmap2,    2, BPF_JUMP_SET, PROT_EXEC},
#elif !defined __s390x__  /* whose mmap takes a struct */
    {SYS_mmap, 2, BPF_JUMP_SET, PROT_EXEC},
#endif
};

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_WORD 4u
#else
#define LOW_WORD 0u
#endif

#define REFUSALS (sizeof REFUSED / sizeof *REFUSED)
#define COUNT    (sizeof ALLOWED / sizeof *ALLOWED)
_Static_assert(COUNT < 250, "a jump goes at most 255 instructions ahead");

bool seccomp_install(void)
{
    struct bpf_insn code[COUNT + 6 + 5 * REFUSALS];
    unsigned short n = 0;

    if (!ARCH) {
        errno = ENOSYS;
        return false;
    }
    code[n++] = (struct bpf_insn){BPF_LOAD_ABS, 0, 0, offsetof(struct seccomp_data_abi, arch)};
    code[n++] = (struct bpf_insn){BPF_JUMP_EQ, 1, 0, ARCH};
    code[n++] = (struct bpf_insn){BPF_RETURN, 0, 0, RET_KILL}; /* another ABI's numbers mean other calls */
    code[n++] = (struct bpf_insn){BPF_LOAD_ABS, 0, 0, offsetof(struct seccomp_data_abi, nr)};
    for (size_t i = 0; i < REFUSALS; i++) {
        uint32_t at = (uint32_t)(offsetof(struct seccomp_data_abi, args) + 8 * REFUSED[i].arg) + LOW_WORD;
        code[n++] = (struct bpf_insn){BPF_JUMP_EQ, 0, 4, REFUSED[i].nr};
        code[n++] = (struct bpf_insn){BPF_LOAD_ABS, 0, 0, at};
        code[n++] = (struct bpf_insn){REFUSED[i].test, 0, 1, REFUSED[i].value};
        code[n++] = (struct bpf_insn){BPF_RETURN, 0, 0, RET_EPERM};
        code[n++] = (struct bpf_insn){BPF_LOAD_ABS, 0, 0, offsetof(struct seccomp_data_abi, nr)};
    }
    for (size_t i = 0; i < COUNT; i++) {
        /* Over the rest of the table and the refusal behind it. */
        code[n++] = (struct bpf_insn){BPF_JUMP_EQ, (uint8_t)(COUNT - i), 0, ALLOWED[i]};
    }
    code[n++] = (struct bpf_insn){BPF_RETURN, 0, 0, RET_EPERM};
    code[n++] = (struct bpf_insn){BPF_RETURN, 0, 0, RET_ALLOW};
    struct bpf_prog program = {n, code};
    return prctl(PR_SET_SECCOMP, MODE_FILTER, &program) == 0;
}
