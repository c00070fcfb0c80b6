/* SPDX-License-Identifier: MIT
 *
 * Owns .lock and .lease. The kernel ends a lock with the process; a lease says until when it is good, by the wall clock
 * that the machines share, and is believed for LOCK_LEASE at most: one from a clock that ran ahead blocks nobody.
 */
#include "acme/lock.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LEASE_FILE ".lease"

void lock_init(struct lock *l)
{
    uint8_t random[16];
    struct writer w = writer_of(l->id, sizeof l->id - 1);

    l->fd = -1;
    l->is_lease = false;
    random_bytes(random, sizeof random);
    writer_hex(&w, random, sizeof random);
    l->id[sizeof l->id - 1] = '\0';
}

/* "ID UNTIL\n". False: there is no lease, or none that can be read. */
static bool read_lease(const char *state, char id[33], uint64_t *until)
{
    char path[PATH_MAX];
    struct file file = {.mode = 0};
    bool good = false;

    if (snprintf(path, sizeof path, "%s/%s", state, LEASE_FILE) < (int)sizeof path &&
        file_read(path, 128, &file) == 0) {
        const char *text = (const char *)file.content.p;
        size_t n = file.content.n;

        good = n > 34 && text[32] == ' ' && text[n - 1] == '\n' &&
               text_u64(bytes_of(text + 33, n - 34), INT64_MAX, until);
        memcpy(id, text, good ? 32 : 0);
        id[good ? 32 : 0] = '\0';
    }
    file_release(&file);
    return good;
}

enum lock_state lock_take_lease(struct lock *l, const char *state, int64_t now)
{
    char id[33], text[64];
    int64_t end = now + LOCK_LEASE;
    uint64_t until;
    bool is_there = read_lease(state, id, &until) && (int64_t)until > now && (int64_t)until <= end;
    bool is_ours = is_there && l->is_lease && strcmp(id, l->id) == 0;
    int n = snprintf(text, sizeof text, "%s %" PRId64 "\n", l->id, end);

    l->is_lease = is_ours || !is_there;
    if (!l->is_lease)
        return LOCK_BUSY;
    return state_write(state, LEASE_FILE, 0600, bytes_of(text, (size_t)n)) != 0 || is_ours ? LOCK_HELD
                                                                                           : LOCK_CLAIMED;
}

enum lock_state lock_take(struct lock *l, const char *state, int64_t now)
{
    char path[PATH_MAX];

    if (l->fd >= 0 || snprintf(path, sizeof path, "%s/.lock", state) >= (int)sizeof path)
        return LOCK_HELD;
    if (l->is_lease)
        return lock_take_lease(l, state, now);
    (void)file_make_folder(state, 0700);
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->fd < 0 || flock(l->fd, LOCK_EX | LOCK_NB) == 0)
        return LOCK_HELD;
    bool is_busy = errno == EWOULDBLOCK;

    close(l->fd);
    l->fd = -1;
    return is_busy ? LOCK_BUSY : lock_take_lease(l, state, now);
}

void lock_drop(struct lock *l, const char *state)
{
    char path[PATH_MAX], id[33];
    uint64_t until;

    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    if (l->is_lease && read_lease(state, id, &until) && strcmp(id, l->id) == 0 &&
        snprintf(path, sizeof path, "%s/%s", state, LEASE_FILE) < (int)sizeof path)
        (void)unlink(path);
    l->is_lease = false;
}
