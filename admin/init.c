/* SPDX-License-Identifier: MIT
 *
 * The order matters: modules before the disk and the interface that they drive, the clock before anything looks at it. What
 * the kernel's command line says is not read here: of what the kernel itself does not know it makes our environment
 * (NAME=VALUE) and, behind `--`, our arguments.
 */
#include "admin/init.h"

#include "admin/network.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MODULES "/modules/"
#define ORDER   "order" /* of them, a file name in each line */
#define DISK    "/dev/vda"
#define STATE   "/state"

bool init_needed(void)
{
    return getpid() == 1 && access(MODULES ORDER, F_OK) == 0;
}

/* --- the end --- */

static _Noreturn void power_off(void)
{
    log_flush();
    (void)kill(-1, SIGKILL);
    sync();
    (void)umount(STATE);
    (void)reboot(RB_POWER_OFF);
    for (;;) /* a machine that cannot */
        pause();
}

/* --- the beginning --- */

static void mount_all(void)
{
    enum { SAFE = MS_NOSUID | MS_NOEXEC };
    static const struct {
        const char *type, *at;
        unsigned long flags;
    } MOUNTS[] = {
        {"devtmpfs", "/dev",  SAFE           },
        {"proc",     "/proc", SAFE | MS_NODEV},
        {"sysfs",    "/sys",  SAFE | MS_NODEV},
    };

    for (size_t i = 0; i < sizeof MOUNTS / sizeof *MOUNTS; i++)
        if (mount(MOUNTS[i].type, MOUNTS[i].at, MOUNTS[i].type, MOUNTS[i].flags, NULL) < 0 && errno != EBUSY)
            log_warn("init: %s cannot be mounted: %s", MOUNTS[i].at, strerror(errno));
}

static void load_module(const char *name)
{
    char path[256];
    int fd;

    snprintf(path, sizeof path, MODULES "%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
        log_warn("init: %s cannot be loaded: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void load_modules(void)
{
    struct file order;
    char *rest;

    if (file_read(MODULES ORDER, 65536, &order) != 0)
        return;
    for (char *name = strtok_r((char *)order.content.p, "\n", &rest); name;
         name = strtok_r(NULL, "\n", &rest))
        load_module(name);
    file_release(&order);
}

/* A kernel does it by itself, if it has been told to when it was built, and has the driver in it. */
static void set_clock(void)
{
    struct {
        int second, minute, hour, day, month, year, unused[3];
    } rtc = {0};
    int fd;

    if (time_is_sane())
        return;
    fd = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, (int)_IOR('p', 0x09, rtc) /* RTC_RD_TIME */, &rtc) == 0) {
        const struct civil c = {.year = rtc.year + 1900,
                                .month = rtc.month + 1,
                                .day = rtc.day,
                                .hour = rtc.hour,
                                .minute = rtc.minute,
                                .second = rtc.second};
        const struct timespec now = {.tv_sec = time_from_civil(&c)};
        (void)clock_settime(CLOCK_REALTIME, &now);
    }
    if (fd >= 0)
        close(fd);
}

/* With a disk that is not to be used, somebody thinks that his keys are kept. */
static void mount_state(void)
{
    struct stat st;

    if (stat(DISK, &st) < 0) {
        log_warn("init: there is no disk, so " STATE " is in memory");
        return;
    }
    if (mount(DISK, STATE, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, NULL) < 0) {
        log_error("init: " DISK " cannot be mounted as ext4: %s; mkfs.ext4 makes it so", strerror(errno));
        power_off();
    }
    log_info("init: " DISK " is " STATE);
}

/* --- while the proxy runs --- */

static void say_end(int status)
{
    if (WIFSIGNALED(status))
        log_error("init: the proxy was killed by signal %d; turning off", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        log_error("init: the proxy ended with status %d; turning off", WEXITSTATUS(status));
    else
        log_info("init: the proxy has ended; turning off");
}

/* Others that end are those that somebody left behind. */
static bool has_ended(pid_t proxy, int *status)
{
    pid_t pid;

    while ((pid = waitpid(-1, status, WNOHANG)) > 0)
        if (pid == proxy)
            return true;
    return false;
}

static _Noreturn void watch_over(pid_t proxy, struct network *network, const sigset_t *signals)
{
    int status, number;

    while (!has_ended(proxy, &status)) {
        uint64_t wait = network_turn(network);
        const struct timespec time = {.tv_sec = (time_t)(wait / 1000),
                                      .tv_nsec = (long)(wait % 1000) * 1000000};

        log_flush();
        number = sigtimedwait(signals, NULL, &time);
        if (number == SIGTERM || number == SIGINT)
            (void)kill(proxy, SIGTERM);
    }
    say_end(status);
    power_off();
}

void init_start(void)
{
    struct network network;
    sigset_t signals, before;
    pid_t pid;

    (void)umask(022);
    mount_all();
    load_modules();
    set_clock();
    mount_state();
    network_start(&network, getenv("ip"));

    /* Ctrl-Alt-Del shall be SIGINT. */
    (void)reboot(RB_DISABLE_CAD);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    log_flush();
    pid = fork();
    if (pid < 0) {
        log_error("init: the proxy cannot be started: %s; turning off", strerror(errno));
        power_off();
    }
    if (pid > 0)
        watch_over(pid, &network, &signals);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}
