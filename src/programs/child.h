/*
 * Starting our other programs: fork and exec with just the descriptors that they get.
 */
#ifndef PROGRAMS_CHILD_H
#define PROGRAMS_CHILD_H

#include <sys/types.h>

#include "base/base.h"

/* Path of a program of ours: in $CHANCERY_LIBEXEC, else beside our own executable, else in ../libexec/chancery of it.
   CHY_PROGRAM_MISSING. */
MUST enum rc child_find(struct arena *a, const char *name, const char **ret, struct err *e);

/* Starts path with `--config config` (NULL: without) and the arguments of more (ends with NULL; may be NULL). Its descriptors are 0 to 2 as ours, fds[i] as 3 + i (they stay open here),
   and no others. It gets a process group of its own, so that Ctrl-C reaches only us, and SIGTERM should we die.
   CHY_PROGRAM_START. */
MUST enum rc child_start(const char *path, const char *config, const char *const *more, const int *fds,
			 size_t nfds, pid_t *ret, struct err *e);

#endif
