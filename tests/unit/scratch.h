/* SPDX-License-Identifier: MIT
 *
 * What tests of any folder share: a folder to write in, the log as text.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

/* A fresh empty folder; the path is static until the next. folder_remove takes it away with all in it. */
const char *folder_new(void);
void folder_remove(const char *path);

/* A fresh file with this in it, for the caller to unlink. */
#define SCRATCH_PATH 64
void file_new(char path[SCRATCH_PATH], const char *text);

/* Between the two, log lines are kept; log_taken gives them as text, static until the next. */
void log_take(void);
const char *log_taken(void);

#endif
