#include "base/base.h"
#include "store/core.h"
#include "store/migrate.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

/* Backup and restore of the SQLite store. */

enum { STEP_PAGES = 2048, BUSY_SLEEP_MS = 5 };

static enum rc
copy_pages(sqlite3 *from, sqlite3 *to, struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK;

	if (b == NULL)
		return sqlite_fail(to, NULL, e);
	while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
		rc = sqlite3_backup_step(b, STEP_PAGES);
		if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
			sqlite3_sleep(BUSY_SLEEP_MS);
	}
	sqlite3_backup_finish(b);
	if (rc != SQLITE_DONE)
		return sqlite_fail(to, NULL, e);
	return RC_OK;
}

/* The reader's transaction keeps the state that is copied; else each write by others would start the copy anew. */
enum rc
sqlite_copy(const char *from, const char *to, struct err *e)
{
	sqlite3 *source = NULL, *copy = NULL;
	enum rc rc = sqlite_connect(from, SQLITE_OPEN_READWRITE, &source, e);

	if (rc == RC_OK)
		rc = sqlite_connect(to, SQLITE_OPEN_READWRITE, &copy, e);
	if (rc == RC_OK &&
	    sqlite3_exec(source, "BEGIN; SELECT 1 FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
		rc = sqlite_fail(source, NULL, e);
	if (rc == RC_OK)
		rc = copy_pages(source, copy, e);
	/* a copy without a log of its own: one file */
	if (rc == RC_OK && sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
		rc = sqlite_fail(copy, NULL, e);
	sqlite3_close(copy);
	sqlite3_close(source);
	return rc;
}

static int
take_answer(void *arg, int n, char **values, char **names)
{
	(void)names;
	snprintf(arg, 128, "%s", n > 0 && values[0] ? values[0] : "");
	return 1; /* the first line is enough */
}

enum rc
sqlite_check(const char *path, int64_t *ret_version, struct err *e)
{
	char integrity[128] = "no answer", version[128] = "0";
	sqlite3 *c;

	TRY(sqlite_connect(path, SQLITE_OPEN_READWRITE, &c, e));
	sqlite3_exec(c, "PRAGMA integrity_check", take_answer, integrity, NULL);
	sqlite3_exec(c, "SELECT max(version) FROM schema_version", take_answer, version, NULL);
	sqlite3_close(c);
	NEED(strcmp(integrity, "ok") == 0, e, CHY_STORE_DAMAGED, NULL, "%s: %s", path, integrity);
	TRY(int_parse(bytes_str(version), 0, INT_MAX, ret_version, e));
	NEED(*ret_version > 0, e, CHY_STORE_DAMAGED, NULL, "%s is not a store of ours", path);
	return RC_OK;
}

static enum rc
sync_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), bad;

	NEED(fd >= 0, e, CHY_STORE_BACKUP, NULL, "%s: %s", path, strerror(errno));
	bad = fsync(fd);
	close(fd);
	NEED(bad == 0, e, CHY_STORE_BACKUP, NULL, "%s: %s", path, strerror(errno));
	return RC_OK;
}

static enum rc
sync_folder_of(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return sync_file(dir, e);
}

static enum rc
make_empty(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	NEED(fd >= 0, e, CHY_STORE_BACKUP, NULL, "%s: %s", path, strerror(errno));
	close(fd);
	return RC_OK;
}

/* A checked copy of `from` under the name of `to`, which must not exist. */
static enum rc
copy_to(const char *from, const char *to, struct err *e)
{
	char part[PATH_MAX];
	int64_t version;
	enum rc rc;

	NEED(snprintf(part, sizeof(part), "%s.part", to) < (int)sizeof(part), e, CHY_STORE_BACKUP, NULL,
	     "path too long");
	NEED(access(to, F_OK) != 0, e, CHY_STORE_BACKUP, NULL, "%s exists already", to);
	TRY(make_empty(part, e));
	rc = sqlite_copy(from, part, e);
	if (rc == RC_OK)
		rc = sqlite_check(part, &version, e);
	if (rc == RC_OK)
		rc = sync_file(part, e);
	/* link, not rename: what came to be there meanwhile is not replaced */
	if (rc == RC_OK && link(part, to) != 0)
		rc = err_set(e, CHY_STORE_BACKUP, NULL, "%s: %s", to, strerror(errno));
	unlink(part);
	return rc == RC_OK ? sync_folder_of(to, e) : rc;
}

enum rc
store_backup(struct store *s, const char *to_path, struct err *e)
{
	NEED(s->ops->form == SQL_SQLITE, e, CHY_STORE_BACKUP, NULL,
	     "PostgreSQL is backed up by its own means (pg_basebackup with WAL archiving, or pg_dump)");
	return copy_to(s->where, to_path, e);
}

/* Nobody may have it open: a writer's lock is got, and only then. */
static enum rc
need_unused(const char *path, struct err *e)
{
	sqlite3 *c;
	bool ok;

	if (access(path, F_OK) != 0)
		return RC_OK;
	TRY(sqlite_connect(path, SQLITE_OPEN_READWRITE, &c, e));
	sqlite3_busy_timeout(c, 0);
	/* leaving WAL mode needs to be the only connection */
	ok = sqlite3_exec(c, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE", NULL, NULL, NULL) ==
	    SQLITE_OK;
	sqlite3_close(c);
	NEED(ok, e, CHY_STORE_BACKUP, NULL, "%s is in use: stop the factory first", path);
	return RC_OK;
}

static enum rc
put_aside(const char *path, const char *suffix, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX];

	NEED(snprintf(from, sizeof(from), "%s%s", path, suffix) < (int)sizeof(from) &&
		 snprintf(to, sizeof(to), "%s%s.before-restore", path, suffix) < (int)sizeof(to),
	     e, CHY_STORE_BACKUP, NULL, "path too long");
	if (access(from, F_OK) != 0)
		return RC_OK;
	NEED(access(to, F_OK) != 0, e, CHY_STORE_BACKUP, NULL, "%s exists already", to);
	NEED(rename(from, to) == 0, e, CHY_STORE_BACKUP, NULL, "%s: %s", from, strerror(errno));
	return RC_OK;
}

enum rc
store_restore(const char *url, const char *from_path, struct err *e)
{
	const struct db_ops *ops;
	const char *path;
	int64_t version;

	TRY(store_url(url, &ops, &path, e));
	NEED(ops->form == SQL_SQLITE, e, CHY_STORE_BACKUP, NULL, "PostgreSQL is restored by its own means");
	NEED(access(from_path, R_OK) == 0, e, CHY_STORE_BACKUP, NULL, "%s: %s", from_path, strerror(errno));
	TRY(sqlite_check(from_path, &version, e));
	NEED(version <= store_schema_known(), e, CHY_STORE_SCHEMA_NEWER, NULL,
	     "the backup has schema %lld, this program knows %lld", (long long)version,
	     (long long)store_schema_known());
	TRY(need_unused(path, e));
	TRY(put_aside(path, "", e));
	TRY(put_aside(path, "-wal", e));
	TRY(put_aside(path, "-shm", e));
	return copy_to(from_path, path, e);
}
