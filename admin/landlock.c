/* SPDX-License-Identifier: MIT
 *
 * The system calls by number and the structs of their ABI written out, as musl has neither.
 */
#include "admin/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same number on every architecture, but for an offset. */
#if defined __mips__ && _MIPS_SIM == _ABIO32
#define CALL(n) (4000 + (n))
#else
#define CALL(n) (n)
#endif
enum { CREATE_RULESET = CALL(444), ADD_RULE = CALL(445), RESTRICT_SELF = CALL(446) };

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_ALL_V1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,    /* v2 */
    FS_TRUNCATE = 1 << 14, /* v3 */
};

struct ruleset_attr {
    uint64_t handled_access_fs;
};
struct __attribute__((packed)) path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
};

static uint64_t handled(int abi)
{
    return FS_ALL_V1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0);
}

bool landlock_begin(struct landlock *l)
{
    l->fd = -1;
    l->abi = (int)syscall(CREATE_RULESET, NULL, 0, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (l->abi < 1)
        return false;
    struct ruleset_attr attr = {handled(l->abi)};
    l->fd = (int)syscall(CREATE_RULESET, &attr, sizeof attr, 0u);
    return l->fd >= 0;
}

void landlock_allow(struct landlock *l, const char *path, bool writable)
{
    uint64_t file = FS_READ_FILE | (writable ? FS_WRITE_FILE | (l->abi >= 3 ? FS_TRUNCATE : 0) : 0);
    uint64_t folder = FS_READ_DIR | (writable ? FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG |
                                                    FS_MAKE_SOCK | (l->abi >= 2 ? FS_REFER : 0)
                                              : 0);
    struct path_beneath_attr attr = {0, open(path, O_PATH | O_CLOEXEC)};
    struct stat st;

    if (attr.parent_fd < 0)
        return;
    if (fstat(attr.parent_fd, &st) == 0) {
        attr.allowed_access = S_ISDIR(st.st_mode) ? file | folder : file;
        (void)syscall(ADD_RULE, l->fd, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &attr, 0u);
    }
    close(attr.parent_fd);
}

bool landlock_enforce(struct landlock *l)
{
    bool done = syscall(RESTRICT_SELF, l->fd, 0u) == 0;
    int error = errno;
    close(l->fd);
    l->fd = -1;
    errno = error;
    return done;
}
