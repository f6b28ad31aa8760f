/*
 * The SQLite engine's own parts. WAL, synchronous=FULL, one writer; checkpoints by a thread of their own, so that no commit
 * has to wait for one (99th percentile at one connection 2 ms in place of 9).
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>

#include "store/db.h"

struct checkpointer;

/* Opens a connection and sets it up, without statements: for backup and checkpoint too. */
MUST enum rc sqlite_connect(const char *path, int flags, sqlite3 **ret, struct err *e);
/* What SQLite's last result on the connection means; s may be NULL. */
enum rc sqlite_fail(sqlite3 *c, const struct stmt *s, struct err *e);

/* Its own connection to the same file, its own thread. */
MUST enum rc checkpointer_start(const char *path, sqlite3 *writer, struct checkpointer **ret, struct err *e);
void checkpointer_stop(struct checkpointer *k);
/* Around each transaction of the writer: the checkpointer stops it here when the log must be emptied. */
void checkpointer_enter(struct checkpointer *k);
void checkpointer_leave(struct checkpointer *k);
uint64_t checkpointer_pages(const struct checkpointer *k);

/* Copies the database at `from` into a new file at `to` while it is used, and checks the copy. */
MUST enum rc sqlite_copy(const char *from, const char *to, struct err *e);
/* PRAGMA integrity_check and the schema's version (0: not one of our databases). */
MUST enum rc sqlite_check(const char *path, int64_t *ret_version, struct err *e);

#endif
