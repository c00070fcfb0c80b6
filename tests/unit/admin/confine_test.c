/* SPDX-License-Identifier: MIT
 *
 * What a confined process cannot do, tried by a child that confines itself for good. A child tells by its exit status;
 * it leaves by _exit, as the sanitiser's own end needs what is gone by then. (tests/e2e/test_confine.py looks at the
 * program as it ships.)
 */
#include "admin/confine.h"
#include "admin/landlock.h"
#include "admin/seccomp.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KERNEL_HAS_NONE = 77 };

static char inside[] = "/tmp/confine-test-XXXXXX", outside[] = "/tmp/confine-test-XXXXXX";

/* The number of the check that failed, 0 when none did. */
static int in_child(int (*run)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(run());
    if (!CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)))
        return -1;
    return WEXITSTATUS(status);
}

static int try_exec(void)
{
    char name[] = "/bin/true";
    char *argv[] = {name, NULL};
    char *envp[] = {NULL};
    execve(name, argv, envp);
    return errno;
}

static int filtered(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !seccomp_install())
        return KERNEL_HAS_NONE;
    if (try_exec() != EPERM)
        return 1;
    if (syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0) != -1 || errno != EPERM)
        return 2;
    if (syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) != -1 || errno != EPERM)
        return 3;
    if (syscall(SYS_setuid, 0) != -1 || errno != EPERM)
        return 4;
    if (syscall(SYS_mount, "none", "/", "tmpfs", 0, 0) != -1 || errno != EPERM)
        return 5;
    char key = 'x';
    if (ioctl(0, TIOCSTI, &key) != -1 || errno != EPERM)
        return 8;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) != -1 || errno != EPERM)
        return 9;
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
        errno != EPERM)
        return 10;
    /* What a proxy does goes on. */
    int left;
    if (mprotect(page, 4096, PROT_READ) < 0 || munmap(page, 4096) < 0 ||
        (ioctl(0, FIONREAD, &left) < 0 && errno == EPERM))
        return 11;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || close(fd) < 0)
        return 6;
    fd = open(outside, O_RDONLY | O_DIRECTORY);
    return fd < 0 || close(fd) < 0 ? 7 : 0;
}

static int try_open(const char *folder, const char *name, int flags)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int error = errno;
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : error;
}

static int fenced(void)
{
    struct landlock l;
    char up[128], link[128];

    snprintf(up, sizeof up, "%s/../%s", inside, strrchr(outside, '/') + 1);
    snprintf(link, sizeof link, "%s/link", inside);
    if (!landlock_begin(&l))
        return KERNEL_HAS_NONE;
    landlock_allow(&l, inside, true);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !landlock_enforce(&l))
        return KERNEL_HAS_NONE;
    if (try_open(inside, "file", O_RDWR) || try_open(inside, "new", O_RDWR | O_CREAT))
        return 1;
    if (try_open(outside, "file", O_RDONLY) != EACCES || try_open(outside, "file", O_WRONLY) != EACCES)
        return 2;
    if (try_open(outside, "new", O_WRONLY | O_CREAT) != EACCES)
        return 3;
    if (try_open(up, "file", O_RDONLY) != EACCES)
        return 4;
    if (try_open(inside, "link", O_RDONLY) != EACCES) /* to the file outside */
        return 5;
    if (try_open("/etc", "passwd", O_RDONLY) != EACCES)
        return 6;
    return try_exec() == EACCES ? 0 : 7;
}

static void make(const char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/file", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (CHECK(fd >= 0))
        close(fd);
}

static void clear(const char *folder)
{
    static const char *const NAMES[] = {"file", "new", "link"};
    char path[128];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        (void)unlink(path);
    }
    CHECK_EQ(rmdir(folder), 0);
}

static void check_status(int status)
{
    if (status == KERNEL_HAS_NONE)
        puts("not on this kernel");
    else
        CHECK_EQ(status, 0);
}

TEST(what_may_be_called_and_opened)
{
    char from[128], to[128];

    if (!CHECK(mkdtemp(inside) && mkdtemp(outside)))
        return;
    make(inside);
    make(outside);
    snprintf(from, sizeof from, "%s/link", inside);
    snprintf(to, sizeof to, "%s/file", outside);
    CHECK_EQ(symlink(to, from), 0);
    check_status(in_child(filtered));
    check_status(in_child(fenced));
    clear(inside);
    clear(outside);
}

TEST(user_is_looked_up)
{
    struct conf conf = {.user = "no-such-user-here"};
    struct conf_errors *e = conf_errors_new();

    CHECK(!confine_check(&conf, e));
    CHECK_EQ(conf_errors_count(e), 1);
    conf.user = "nobody";
    CHECK(confine_check(&conf, e));
    conf.user = "12345";
    CHECK(confine_check(&conf, e));
    conf.user = "12345x";
    CHECK(!confine_check(&conf, e));
    conf_errors_free(e);
}

TEST_MAIN(RUN(what_may_be_called_and_opened), RUN(user_is_looked_up))
