/*
 * Files: read whole, and written so that after a crash either the old or the new contents are there.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"

/* A whole file of at most max bytes into the arena (CHY_FILE_OPEN, CHY_FILE_READ, CHY_TOO_LONG). "-" is stdin. */
MUST enum rc file_read(struct arena *a, const char *path, size_t max, struct bytes *ret, struct err *e);

/* Writes to a new file beside it, syncs, renames, syncs the folder; devices and pipes are written into (CHY_FILE_WRITE). */
MUST enum rc file_write(const char *path, struct bytes what, mode_t mode, struct err *e);

/* Whether file_write could, as far as it can be told before: the folder is there and takes files, path is none
   (CHY_FILE_WRITE). For what must not be made before it can be kept. */
MUST enum rc file_may_write(const char *path, struct err *e);

/* All of n bytes through interruptions and short counts; RC_PEER with CHY_SYSTEM on an error or (reading) early end, with
   CHY_CONTROL_CLOSED where the reading end of a pipe or socket is closed. */
MUST enum rc fd_write_all(int fd, struct bytes what, struct err *e);
MUST enum rc fd_read_all(int fd, void *to, size_t n, struct err *e);

/* Creates a folder and those above it; existing ones are fine. */
MUST enum rc dir_make(const char *path, mode_t mode, struct err *e);

#endif
