/* SPDX-License-Identifier: MIT
 *
 * A machine that answers as unikernels do, for the end-to-end tests: linked into a proxy of its own (build/unikernel/proxy).
 * Before main() it installs a filter under which the calls that unikernels lack fail as they do there; around a few others
 * (ld --wrap) it changes answers that a filter cannot see. What was denied, and met, is a line in the file that
 * PROXY_SHIM_LOG names. x86_64 alone.
 *
 * The measure: Unikraft 0.17 with lwip, and what OSv's sources say.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the shim knows the system calls of x86_64"
#endif

/* Linux's own headers are none of the C library's: what of linux/filter.h and linux/seccomp.h it takes. */
struct sock_filter {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};
struct sock_fprog {
    unsigned short len;
    struct sock_filter *filter;
};
struct seccomp_data {
    int nr;
    uint32_t arch;
    uint64_t instruction_pointer, args[6];
};
#define LOAD_ABS            0x20 /* BPF_LD | BPF_W | BPF_ABS */
#define JUMP_EQ             0x15 /* BPF_JMP | BPF_JEQ | BPF_K */
#define JUMP_SET            0x45 /* BPF_JMP | BPF_JSET | BPF_K */
#define RETURN              0x06 /* BPF_RET | BPF_K */
#define SECCOMP_MODE_FILTER 2
#define SECCOMP_RET_TRAP    0x00030000u
#define SECCOMP_RET_ERRNO   0x00050000u
#define SECCOMP_RET_ALLOW   0x7fff0000u

#define DESCRIPTORS 65 /* 62 sockets beside standard input, output and error */

/* Calls that are not there, or that fail. */
static const struct {
    int call, error;
    const char *name;
} denied[] = {
    {SYS_execve,                  ENOSYS, "execve"        },
    {SYS_signalfd,                ENOSYS, "signalfd"      },
    {SYS_signalfd4,               ENOSYS, "signalfd4"     },
    {SYS_sendfile,                ENOSYS, "sendfile"      },
    {SYS_splice,                  ENOSYS, "splice"        },
    {SYS_recvmmsg,                ENOSYS, "recvmmsg"      },
    {SYS_sendmmsg,                ENOSYS, "sendmmsg"      },
    {SYS_memfd_create,            ENOSYS, "memfd_create"  },
    {SYS_inotify_init1,           ENOSYS, "inotify_init1" },
    {SYS_io_uring_setup,          ENOSYS, "io_uring_setup"},
    {SYS_mremap,                  ENOSYS, "mremap"        },
    {SYS_link,                    EPERM,  "link"          },
    {SYS_linkat,                  EPERM,  "linkat"        },
    {SYS_setresuid,               EPERM,  "setresuid"     },
    {SYS_setresgid,               EPERM,  "setresgid"     },
    {SYS_setsid,                  EPERM,  "setsid"        },
    {SYS_chroot,                  EPERM,  "chroot"        },
    {SYS_seccomp,                 ENOSYS, "seccomp"       },
    {SYS_landlock_create_ruleset, ENOSYS, "landlock"      },
    {SYS_prctl,                   EINVAL, "prctl"         },
    {SYS_capset,                  EPERM,  "capset"        },
};

/* Not there either. The library blocks all signals around them, and a trap would end the process: so the filter fails them
 * by itself, and fork() below is who tells. */
static const int forks[] = {SYS_fork, SYS_vfork, SYS_clone, SYS_clone3};

/* Options that lwip does not have. */
static const struct {
    int level, option;
    const char *name;
} options[] = {
    {SOL_SOCKET,  SO_REUSEPORT,     "SO_REUSEPORT"    },
    {SOL_SOCKET,  SO_SNDBUF,        "SO_SNDBUF"       },
    {SOL_SOCKET,  SO_LINGER,        "SO_LINGER"       },
    {SOL_SOCKET,  SO_RCVTIMEO,      "SO_RCVTIMEO"     },
    {IPPROTO_TCP, TCP_CORK,         "TCP_CORK"        },
    {IPPROTO_TCP, TCP_QUICKACK,     "TCP_QUICKACK"    },
    {IPPROTO_TCP, TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT"},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT"},
};

int __real_epoll_wait(int fd, struct epoll_event *events, int n, int timeout);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int n, int timeout);
int __real_connect(int fd, const struct sockaddr *address, socklen_t n);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t n);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *n);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *n);
int __real_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags);
int __real_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_setgroups(size_t n, const gid_t *groups);
int __wrap_setgid(gid_t gid);
int __wrap_setuid(uid_t uid);
int __real_setrlimit(int resource, const struct rlimit *limit);
int __wrap_setrlimit(int resource, const struct rlimit *limit);

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static int log_fd = -1;

/* From a signal's handler too. */
static void met(const char *what)
{
    char line[64];
    size_t n = strlen(what);

    if (log_fd < 0 || n + 1 > sizeof line)
        return;
    memcpy(line, what, n);
    line[n] = '\n';
    (void)!write(log_fd, line, n + 1);
}

/* ---- the filter ---- */

static void on_trap(int number, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    long error = ENOSYS;
    (void)number;

    if (info->si_syscall == SYS_setsockopt) {
        error = ENOPROTOOPT;
        for (size_t i = 0; i < COUNT(options); i++)
            if (options[i].level == r[REG_RSI] && options[i].option == r[REG_RDX])
                met(options[i].name);
    } else if (info->si_syscall == SYS_socket) {
        error = EAFNOSUPPORT;
        met(r[REG_RDI] == AF_INET6 ? "AF_INET6" : "AF_UNIX");
    } else if (info->si_syscall == SYS_sendmsg) {
        error = EOPNOTSUPP;
        met("MSG_NOSIGNAL");
    }
    for (size_t i = 0; i < COUNT(denied); i++)
        if (denied[i].call == info->si_syscall) {
            error = denied[i].error;
            met(denied[i].name);
        }
    r[REG_RAX] = -error;
}

#define ARGUMENT(n)  ((uint32_t)offsetof(struct seccomp_data, args) + 8u * (n))
#define LOAD(at)     ((struct sock_filter){LOAD_ABS, 0, 0, (at)})
#define UNLESS(v, n) ((struct sock_filter){JUMP_EQ, 0, (n), (v)})
#define ANSWER(v)    ((struct sock_filter){RETURN, 0, 0, (v)})

static void install(void)
{
    struct sock_filter code[300];
    unsigned short n = 0;

    code[n++] = LOAD((uint32_t)offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < COUNT(denied); i++) {
        code[n++] = UNLESS((uint32_t)denied[i].call, 1);
        code[n++] = ANSWER(SECCOMP_RET_TRAP);
    }
    for (size_t i = 0; i < COUNT(forks); i++) {
        code[n++] = UNLESS((uint32_t)forks[i], 1);
        code[n++] = ANSWER(SECCOMP_RET_ERRNO | ENOSYS);
    }
    for (size_t i = 0; i < COUNT(options); i++) {
        code[n++] = UNLESS(SYS_setsockopt, 6);
        code[n++] = LOAD(ARGUMENT(1));
        code[n++] = UNLESS((uint32_t)options[i].level, 3);
        code[n++] = LOAD(ARGUMENT(2));
        code[n++] = UNLESS((uint32_t)options[i].option, 1);
        code[n++] = ANSWER(SECCOMP_RET_TRAP);
        code[n++] = LOAD((uint32_t)offsetof(struct seccomp_data, nr));
    }
    for (size_t i = 0; i < 2; i++) {
        code[n++] = UNLESS(SYS_socket, 4);
        code[n++] = LOAD(ARGUMENT(0));
        code[n++] = UNLESS(i == 0 ? AF_UNIX : AF_INET6, 1);
        code[n++] = ANSWER(SECCOMP_RET_TRAP);
        code[n++] = LOAD((uint32_t)offsetof(struct seccomp_data, nr));
    }
    code[n++] = UNLESS(SYS_sendmsg, 4);
    code[n++] = LOAD(ARGUMENT(2));
    code[n++] = (struct sock_filter){JUMP_SET, 0, 1, MSG_NOSIGNAL};
    code[n++] = ANSWER(SECCOMP_RET_TRAP);
    code[n++] = LOAD((uint32_t)offsetof(struct seccomp_data, nr));
    code[n++] = ANSWER(SECCOMP_RET_ALLOW);

    struct sock_fprog program = {n, code};
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};

    if (__real_sigaction(SIGSYS, &action, NULL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("the shim's filter");
        abort();
    }
}

__attribute__((constructor)) static void begin(void)
{
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    const char *path = getenv("PROXY_SHIM_LOG");

    if (path != NULL) {
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

        log_fd = fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTORS - 1); /* beside those that there are */
        close(fd);
    }
    if (__real_setrlimit(RLIMIT_NOFILE, &limit) < 0)
        perror("the shim's limit");
    install();
}

/* ---- answers that are others ---- */

/* A half-closed peer is seen by reading alone. */
int __wrap_epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
    int got = __real_epoll_wait(fd, events, n, timeout);

    for (int i = 0; i < got; i++)
        if (events[i].events & EPOLLRDHUP) {
            events[i].events &= ~(uint32_t)EPOLLRDHUP;
            met("EPOLLRDHUP");
        }
    return got;
}

static int refused(int error)
{
    if (error == ECONNREFUSED)
        met("ECONNREFUSED");
    return error == ECONNREFUSED ? ECONNRESET : error;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t n)
{
    int r = __real_connect(fd, address, n);

    if (r < 0)
        errno = refused(errno);
    return r;
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *n)
{
    int r = __real_getsockopt(fd, level, option, value, n);

    if (r == 0 && level == SOL_SOCKET && option == SO_ERROR)
        *(int *)value = refused(*(int *)value);
    return r;
}

/* Its flags are ignored; that the table is full is told by another number. */
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags)
{
    int r = __real_accept4(fd, address, n, 0);

    if (r >= 0 && flags != 0)
        met("accept4's flags");
    if (r < 0 && errno == EMFILE) {
        met("ENFILE");
        errno = ENFILE;
    }
    return r;
}

/* Handlers install, and no signal arrives. */
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    (void)number, (void)action, (void)old;
    met("sigaction");
    return 0;
}

/* In the place of the library's. */
pid_t fork(void)
{
    met("fork");
    return (pid_t)syscall(SYS_fork);
}

/* The library blocks all signals around these too. */
static int not_permitted(const char *what)
{
    met(what);
    errno = EPERM;
    return -1;
}

int __wrap_setgroups(size_t n, const gid_t *groups)
{
    (void)n, (void)groups;
    return not_permitted("setgroups");
}

int __wrap_setgid(gid_t gid)
{
    (void)gid;
    return not_permitted("setgid");
}

int __wrap_setuid(uid_t uid)
{
    (void)uid;
    return not_permitted("setuid");
}

/* It succeeds, which means nothing. */
int __wrap_setrlimit(int resource, const struct rlimit *limit)
{
    (void)resource, (void)limit;
    return 0;
}
