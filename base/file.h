/* SPDX-License-Identifier: MIT
 *
 * Whole files: read with a bound, and written so that a power cut at any moment leaves the old file or the
 * new one, never a torn one. Errors are errno's numbers.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/bytes.h"

struct file {
    struct span content; /* a NUL stands behind it that is not counted */
    unsigned mode;       /* permission bits: 0644 */
    int64_t mtime;       /* seconds since 1970 */
};

/* Reads all of a file of at most `max` bytes; what is given at `out` needs file_release. 0, or errno:
 * EFBIG when it is larger, EISDIR for a folder, ENOMEM. A FIFO is read to its end, so it blocks until
 * someone writes. */
int file_read(const char *path, size_t max, struct file *out);
/* Wipes and frees; safe on a zeroed struct and twice. */
void file_release(struct file *file);

/* Makes a folder and those above it that are missing, all with `mode`. 0 also when it is there already;
 * else errno (ENOTDIR when something else has the name). */
int file_make_folder(const char *path, unsigned mode);

/* Writes `dir`/`name` whole: a temporary file beside it, fsync, rename, fsync of the folder. Makes the
 * folder (0700) if it is missing, and clears away what writes that were cut off an hour or more before
 * left behind. `mode` is the file's, whatever the umask. 0, or errno; then the old file stands as it was. */
int state_write(const char *dir, const char *name, unsigned mode, struct bytes content);

/* Removes the files in `dir`, not folders, that are an hour or more older than `dir`/`name`, one that was just written. */
void state_clear_old(const char *dir, const char *name);

/* Gives the file `dir`/`from` the name `to`, and syncs the folder. 0, or errno: ENOENT when it is not there. */
int state_rename(const char *dir, const char *from, const char *to);

/* Why what is written to a folder will not be there for the next process: it cannot be written, it lies in memory or in
 * a container's own layer. Static words that go behind the folder's name; NULL when nothing speaks against it. Makes the
 * folder if it is missing. */
const char *file_why_lost(const char *folder);

#endif
