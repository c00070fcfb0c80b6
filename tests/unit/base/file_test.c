/* SPDX-License-Identifier: MIT
 *
 * Whole files: bounds, modes, what stands when a write fails, what is left behind.
 */
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *folder;

static void begin(void)
{
    folder = folder_new();
}

static void end(void)
{
    folder_remove(folder);
    CHECK_EQ(mem_blocks(), 0);
}

static const char *in(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static unsigned entries(void)
{
    DIR *d = opendir(folder);
    unsigned n = 0;

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

TEST(written_files_read_back)
{
    struct file f;

    begin();
    CHECK_EQ(state_write(folder, "a", 0640, bytes_str("one")), 0);
    CHECK_EQ(file_read(in("a"), 100, &f), 0);
    CHECK_MEM(f.content.p, f.content.n, "one", 3);
    CHECK_EQ(f.content.p[3], 0);
    CHECK_EQ(f.mode, 0640);
    CHECK(f.mtime > 1600000000);
    file_release(&f);
    file_release(&f);
    CHECK_EQ(state_write(folder, "a", 0600, bytes_of(NULL, 0)), 0);
    CHECK_EQ(file_read(in("a"), 0, &f), 0);
    CHECK_EQ(f.content.n, 0);
    CHECK_EQ(f.mode, 0600);
    file_release(&f);
    CHECK_EQ(entries(), 1);
    end();
}

TEST(a_bound_is_kept)
{
    static char large[20000];
    struct file f;

    begin();
    memset(large, 'x', sizeof large);
    CHECK_EQ(state_write(folder, "a", 0600, bytes_of(large, sizeof large)), 0);
    CHECK_EQ(file_read(in("a"), sizeof large, &f), 0);
    CHECK_MEM(f.content.p, f.content.n, large, sizeof large);
    file_release(&f);
    CHECK_EQ(file_read(in("a"), sizeof large - 1, &f), EFBIG);
    CHECK(f.content.p == NULL);
    file_release(&f);
    end();
}

/* What has no size of its own is read to its end, and no further than the bound. */
TEST(devices_and_fifos)
{
    struct file f;
    int fd[2];
    char path[32];
    static char large[20000];

    begin();
    CHECK_EQ(file_read("/dev/null", 10, &f), 0);
    CHECK_EQ(f.content.n, 0);
    file_release(&f);
    CHECK_EQ(file_read("/dev/zero", 50000, &f), EFBIG);
    CHECK_EQ(pipe(fd), 0);
    memset(large, 'x', sizeof large);
    CHECK_EQ(write(fd[1], large, sizeof large), sizeof large);
    close(fd[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", fd[0]);
    CHECK_EQ(file_read(path, 100000, &f), 0);
    CHECK_MEM(f.content.p, f.content.n, large, sizeof large);
    file_release(&f);
    close(fd[0]);
    end();
}

TEST(what_cannot_be_read)
{
    struct file f;

    begin();
    CHECK_EQ(file_read(in("none"), 100, &f), ENOENT);
    CHECK_EQ(file_read(folder, 100, &f), EISDIR);
    CHECK_EQ(state_write(folder, "a", 0600, bytes_str("one")), 0);
    CHECK_EQ(file_read(in("a/b"), 100, &f), ENOTDIR);
    file_release(&f);
    end();
}

/* The folders that were brought to the disk, in place of libc's, that says nothing of it. */
static ino_t synced[20];
static unsigned sync_count;

int fsync(int fd)
{
    struct stat st;

    if (sync_count < sizeof synced / sizeof synced[0] && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        synced[sync_count++] = st.st_ino;
    return (int)syscall(SYS_fsync, fd);
}

static bool was_synced(const char *path)
{
    struct stat st;

    if (!CHECK_EQ(stat(path, &st), 0))
        return false;
    for (unsigned i = 0; i < sync_count; i++)
        if (synced[i] == st.st_ino)
            return true;
    return false;
}

/* A file that lasts in a folder that does not is lost with it. */
TEST(made_folders_last)
{
    begin();
    sync_count = 0;
    CHECK_EQ(state_write(in("x//y/z"), "key", 0600, bytes_str("one")), 0);
    CHECK(was_synced(folder) && was_synced(in("x")) && was_synced(in("x/y")) && was_synced(in("x/y/z")));
    sync_count = 0;
    CHECK_EQ(state_write(in("x/y/z"), "key", 0600, bytes_str("two")), 0);
    CHECK_EQ(sync_count, 1); /* what was there is as it was */
    CHECK_EQ(file_make_folder(in("x/y/other/"), 0700), 0);
    CHECK_EQ(sync_count, 2);
    CHECK(was_synced(in("x/y")));
    end();
}

TEST(folders_are_made_private)
{
    struct stat st;
    mode_t mask = umask(0);

    begin();
    CHECK_EQ(state_write(in("x/y/z"), "key", 0600, bytes_str("one")), 0);
    CHECK_EQ(stat(in("x"), &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700);
    CHECK_EQ(stat(in("x/y/z"), &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0700);
    umask(0777);
    CHECK_EQ(state_write(folder, "open", 0644, bytes_str("one")), 0);
    CHECK_EQ(stat(in("open"), &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0644);
    umask(mask);

    CHECK_EQ(file_make_folder(in("x//y/"), 0700), 0);
    CHECK_EQ(file_make_folder(in("x/y/z/key"), 0700), ENOTDIR);
    CHECK_EQ(file_make_folder(in("x/y/z/key/more"), 0700), ENOTDIR);
    CHECK_EQ(file_make_folder("", 0700), ENOENT);
    CHECK_EQ(file_make_folder("/", 0700), 0);
    end();
}

/* Nothing of a write that failed is to be seen. */
TEST(a_failed_write_leaves_the_old)
{
    struct file f;
    char name[300];

    begin();
    CHECK_EQ(mkdir(in("a"), 0700), 0);
    CHECK_EQ(mkdir(in("a/b"), 0700), 0);
    CHECK_EQ(state_write(folder, "a", 0600, bytes_str("one")), EISDIR);
    CHECK_EQ(entries(), 1);
    CHECK_EQ(state_write(folder, "key", 0600, bytes_str("old")), 0);
    CHECK_EQ(state_write(in("key"), "key", 0600, bytes_str("new")), ENOTDIR);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_EQ(state_write(folder, name, 0600, bytes_str("new")), ENAMETOOLONG);
    CHECK_EQ(file_read(in("key"), 100, &f), 0);
    CHECK_MEM(f.content.p, f.content.n, "old", 3);
    file_release(&f);
    CHECK_EQ(entries(), 2);
    end();
}

/* A link at the file's place is replaced, and what it led to is not touched. */
TEST(a_link_is_replaced)
{
    struct file f;
    struct stat st;

    begin();
    CHECK_EQ(state_write(folder, "other", 0600, bytes_str("old")), 0);
    CHECK_EQ(symlink("other", in("key")), 0);
    CHECK_EQ(state_write(folder, "key", 0600, bytes_str("new")), 0);
    CHECK_EQ(lstat(in("key"), &st), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(file_read(in("other"), 100, &f), 0);
    CHECK_MEM(f.content.p, f.content.n, "old", 3);
    file_release(&f);
    end();
}

TEST(leftovers_go_after_an_hour)
{
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    begin();
    CHECK_EQ(close(open(in(".new-0123456789abcdef"), O_CREAT | O_WRONLY, 0600)), 0);
    CHECK_EQ(close(open(in(".new-fedcba9876543210"), O_CREAT | O_WRONLY, 0600)), 0);
    CHECK_EQ(close(open(in("mine"), O_CREAT | O_WRONLY, 0600)), 0);
    CHECK_EQ(utimensat(AT_FDCWD, in(".new-0123456789abcdef"), old, 0), 0);
    CHECK_EQ(utimensat(AT_FDCWD, in("mine"), old, 0), 0);
    CHECK_EQ(state_write(folder, "key", 0600, bytes_str("one")), 0);
    CHECK(access(in(".new-0123456789abcdef"), F_OK) < 0);
    CHECK_EQ(access(in(".new-fedcba9876543210"), F_OK), 0);
    CHECK_EQ(access(in("mine"), F_OK), 0);
    /* Where all that is there is short-lived. */
    state_clear_old(folder, "nothing");
    CHECK_EQ(access(in("mine"), F_OK), 0);
    state_clear_old(folder, "key");
    CHECK(access(in("mine"), F_OK) < 0);
    CHECK_EQ(access(in("key"), F_OK), 0);
    end();
}

TEST(memory_runs_out)
{
    struct file f;
    int error = ENOMEM;

    begin();
    CHECK_EQ(state_write(folder, "key", 0600, bytes_str("one")), 0);
    for (long n = 0; error != 0; n++) {
        mem_fail_at(n, 1);
        error = file_read(in("key"), 100, &f);
        mem_fail_at(-1, 0);
        CHECK(error == 0 || error == ENOMEM);
        if (!CHECK(n < 10))
            break;
    }
    file_release(&f);
    end();
}

TEST_MAIN(RUN(written_files_read_back), RUN(a_bound_is_kept), RUN(devices_and_fifos),
          RUN(what_cannot_be_read), RUN(made_folders_last), RUN(folders_are_made_private),
          RUN(a_failed_write_leaves_the_old), RUN(a_link_is_replaced), RUN(leftovers_go_after_an_hour),
          RUN(memory_runs_out))
