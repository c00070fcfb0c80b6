/* SPDX-License-Identifier: MIT
 *
 * The order matters: Landlock's rules are made while everything can still be opened, the user is dropped, then the
 * rules are enforced, and the system-call filter comes last, since the steps before need calls that it refuses.
 */
#include "admin/confine.h"

#include "admin/landlock.h"
#include "admin/seccomp.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534u

#if defined __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* --- the user --- */

static bool find_user(const char *name, uid_t *uid, gid_t *gid)
{
    const struct passwd *pw = getpwnam(name);
    uint64_t number;

    if (pw) {
        *uid = pw->pw_uid;
        *gid = pw->pw_gid;
    } else if (text_u64(bytes_str(name), UINT32_MAX - 1, &number)) { /* -1 is no user */
        *uid = *gid = (uid_t)number;
    } else if (strcmp(name, "nobody") == 0) {
        *uid = *gid = NOBODY; /* an image without /etc/passwd */
    } else {
        return false;
    }
    return true;
}

/* Is it ours to give away? The folder may have been the user's before, who then could have put anything there: a second
 * name of somebody else's file, or another file system. */
static bool may_give(const struct stat *st, dev_t dev)
{
    return st->st_dev == dev &&
           (S_ISDIR(st->st_mode) || ((S_ISREG(st->st_mode) || S_ISSOCK(st->st_mode)) && st->st_nlink == 1));
}

/* What root made in the state folder must stay writable for the user: the folder and three levels below. What is looked
 * at and what is given are the same, whatever its name becomes in between. */
static void hand_over(int at, const char *name, uid_t uid, gid_t gid, const dev_t *dev, int depth)
{
    int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), list = -1;
    struct stat st;
    DIR *dir;

    if (fd < 0)
        return;
    if (fstat(fd, &st) < 0 || !may_give(&st, dev ? *dev : st.st_dev))
        goto out;
    (void)fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
    if (!S_ISDIR(st.st_mode) || depth == 0)
        goto out;
    list = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = list < 0 ? NULL : fdopendir(list);
    if (!dir) {
        if (list >= 0)
            close(list);
        goto out;
    }
    for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            hand_over(fd, d->d_name, uid, gid, &st.st_dev, depth - 1);
    closedir(dir);
out:
    close(fd);
}

static bool is_readable(const char *file)
{
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0)
        close(fd);
    return !file || fd >= 0;
}

/* Can the user that we are now, without capabilities, read again what a reload reads? */
static bool can_reload(const struct conf *conf)
{
    bool readable =
        is_readable(conf->file) && is_readable(conf->ticket_keys) && is_readable(conf->acme.ca_roots);

    for (unsigned i = 0; i < conf->site_count; i++)
        readable = readable && is_readable(conf->sites[i].cert_file) && is_readable(conf->sites[i].key_file);
    return readable;
}

/* Keeps the right to bind low ports and, if it must, to read keys that root owns: a reload needs both. */
static bool set_capabilities(bool read_files)
{
    enum { NET_BIND_SERVICE = 1 << 10, DAC_READ_SEARCH = 1 << 2 };
    struct {
        uint32_t version;
        int pid;
    } header = {0x20080522 /* _LINUX_CAPABILITY_VERSION_3 */, 0};
    uint32_t keep = NET_BIND_SERVICE | (read_files ? DAC_READ_SEARCH : 0u);
    struct {
        uint32_t effective, permitted, inheritable;
    } sets[2] = {
        {keep, keep, 0},
        {0,    0,    0}
    };
    return syscall(SYS_capset, &header, sets) == 0;
}

static bool look_up_user(const struct conf *conf, uid_t *uid, gid_t *gid, struct conf_errors *e)
{
    const struct conf_place nowhere = {"", 0, 0};

    if (find_user(conf->user, uid, gid))
        return true;
    conf_error(e, nowhere, "user", "there is no user %s; name one that /etc/passwd has, or a number",
               conf->user);
    return false;
}

bool confine_check(const struct conf *conf, struct conf_errors *e)
{
    uid_t uid;
    gid_t gid;
    return look_up_user(conf, &uid, &gid, e);
}

static bool drop_user(const struct conf *conf, bool files_confined, struct conf_errors *e)
{
    uid_t uid;
    gid_t gid;

    if (!look_up_user(conf, &uid, &gid, e))
        return false;
    if (uid == 0) {
        log_warn("user: root, as the configuration says");
        return true;
    }
    if (conf->state)
        hand_over(AT_FDCWD, conf->state, uid, gid, NULL, 4);
    (void)prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(uid) < 0) {
        log_warn("user: still root: cannot become %s: %s", conf->user, strerror(errno));
        return true; /* a machine without users: a unikernel, or a user namespace that maps root alone */
    }
    if (getuid() == 0 || geteuid() == 0) {
        log_warn("user: still root: this machine has no other users");
        return true;
    }
    /* Root's files are read again only where Landlock keeps us from all the others, and only if there are such. */
    bool kept = set_capabilities(files_confined && !can_reload(conf));
    log_info("user: %s (%u)%s", conf->user, (unsigned)uid,
             kept ? "" : "; a reload cannot bind ports below 1024");
    return true;
}

bool confine_become_user(const struct conf *conf)
{
    uid_t uid;
    gid_t gid;

    if (geteuid() != 0)
        return true;
    errno = EINVAL;
    if (!find_user(conf->user, &uid, &gid))
        return false;
    return uid == 0 || (setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0);
}

/* --- the folders --- */

/* The folder of a file, since files are replaced by renaming. */
static void allow_folder_of(struct landlock *l, const char *file)
{
    char folder[4096];
    const char *slash = file ? strrchr(file, '/') : NULL;

    if (!file)
        return;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) : 1, slash ? file : ".");
    landlock_allow(l, folder[0] ? folder : "/", false);
}

/* resolv.conf is often a link to where a daemon writes it anew by renaming: then that folder; else the file alone,
 * since /etc as a whole is nobody's business. */
static void allow_resolver(struct landlock *l)
{
    char *real = realpath("/etc/resolv.conf", NULL);

    landlock_allow(l, "/etc/resolv.conf", false);
    if (real && strncmp(real, "/etc/", 5) != 0)
        allow_folder_of(l, real);
    free(real);
}

static void allow_all(struct landlock *l, const struct conf *conf)
{
    if (conf->state)
        landlock_allow(l, conf->state, true);
    if (conf->admin && strncmp(conf->admin, "unix:", 5) == 0) {
        char folder[4096];
        snprintf(folder, sizeof folder, "%s", conf->admin + 5);
        char *slash = strrchr(folder, '/');
        if (slash && slash != folder) {
            *slash = 0;
            landlock_allow(l, folder, true);
        }
    }
    allow_folder_of(l, conf->file);
    allow_folder_of(l, conf->ticket_keys);
    allow_folder_of(l, conf->acme.ca_roots);
    for (unsigned i = 0; i < conf->site_count; i++) {
        allow_folder_of(l, conf->sites[i].cert_file);
        allow_folder_of(l, conf->sites[i].key_file);
    }
    allow_resolver(l);
    /* What else name lookups read. */
    static const char *const READ[] = {"/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/svc.conf",
                                       "/run/systemd/resolve"};
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++)
        landlock_allow(l, READ[i], false);
}

bool confine(const struct conf *conf, struct conf_errors *e)
{
    struct landlock landlock;
    bool fenced = false;

#ifdef SANITIZED
    log_info("confine: off in a build with sanitizers");
    return true;
#endif
    bool have_landlock = conf->confine && landlock_begin(&landlock);
    if (have_landlock)
        allow_all(&landlock, conf);
    if (geteuid() == 0 && !drop_user(conf, have_landlock, e))
        return false;
    if (!conf->confine) {
        log_info("confine: off");
        return true;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        log_info("no-new-privileges: not on this kernel");
    if (have_landlock)
        fenced = landlock_enforce(&landlock);
    if (fenced)
        log_info("landlock: files outside state, configuration and certificates are out of reach");
    else
        log_info("landlock: not on this kernel");
    if (seccomp_install())
        log_info("seccomp: system calls are limited to those a proxy makes");
    else
        log_info("seccomp: not on this kernel");
    return true;
}
