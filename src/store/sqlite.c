#include "base/base.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

struct sqlite_db {
	struct db db;
	sqlite3 *c;
	struct checkpointer *check; /* the writer's */
	size_t bound;               /* octets of this transaction */
	sqlite3_stmt *prepared[STMT_COUNT];
};

enum {
	BUSY_MS = 10000,
	WAL_PAUSE_MS = 10,
	SQL_MAX = 8192,
	BOUND_MUCH = 1
	    << 20, /* pieces of a revocation list, say, that nobody reads through this connection */
};

static struct sqlite_db *
of(struct db *db)
{
	return (struct sqlite_db *)(void *)db;
}

/* A quota or a limit on file size, which SQLite calls an input or output error. What the file itself remembers is asked:
   sqlite3_system_errno is overwritten by what SQLite does next. */
static bool
is_full(sqlite3 *c)
{
	static const int pointers[] = { SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER };

	for (size_t i = 0; i < ARRAY_LEN(pointers); i++) {
		sqlite3_file *file = NULL;
		int err = 0;

		if (sqlite3_file_control(c, "main", pointers[i], &file) == SQLITE_OK && file != NULL &&
		    file->pMethods != NULL)
			file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &err);
		if (err == ENOSPC || err == EDQUOT || err == EFBIG)
			return true;
	}
	return false;
}

static enum code
code_of(sqlite3 *c, const struct stmt *s)
{
	switch (sqlite3_extended_errcode(c)) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return s ? s->dup : CHY_STORE_EXISTS;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return CHY_STORE_NOT_FOUND;
	}
	switch (sqlite3_errcode(c) & 0xff) {
	case SQLITE_FULL:
		return CHY_STORE_FULL;
	case SQLITE_IOERR:
		return is_full(c) ? CHY_STORE_FULL : CHY_STORE_IO;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return CHY_STORE_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return CHY_STORE_DAMAGED;
	case SQLITE_NOMEM:
		return CHY_NO_MEMORY;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		return CHY_STORE_IO;
	default:
		return CHY_STORE_SQL;
	}
}

enum rc
sqlite_fail(sqlite3 *c, const struct stmt *s, struct err *e)
{
	return err_set(e, code_of(c, s), NULL, "SQLite: %s", sqlite3_errmsg(c));
}

static enum rc
script(struct db *db, const char *sql, struct err *e)
{
	sqlite3 *c = of(db)->c;

	if (sqlite3_exec(c, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_fail(c, NULL, e);
	return RC_OK;
}

static enum rc
prepare(struct sqlite_db *d, enum stmt_id id, sqlite3_stmt **ret, struct err *e)
{
	OWN_BUF struct buf sql = buf_max(SQL_MAX);

	if (d->prepared[id] == NULL) {
		sql_of_stmt(&sql, &statements[id], SQL_SQLITE);
		NEED(buf_ok(&sql), e, CHY_NO_MEMORY, NULL, "statement %d", (int)id);
		if (sqlite3_prepare_v3(d->c, (const char *)sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT,
				       &d->prepared[id], NULL) != SQLITE_OK)
			return sqlite_fail(d->c, NULL, e);
	}
	*ret = d->prepared[id];
	return RC_OK;
}

/* The octets of its texts and blobs. */
static size_t
bind(sqlite3_stmt *st, const struct stmt *s, const union value *v)
{
	size_t n = stmt_nparams(s), octets = 0;

	for (size_t i = 0; i < n; i++) {
		const void *p = v[i].b.p ? (const void *)v[i].b.p : ""; /* NULL would be SQL's NULL */

		octets += stmt_type(s, i) == 'i' ? 0 : v[i].b.n;
		if (stmt_type(s, i) == 'i')
			sqlite3_bind_int64(st, (int)i + 1, v[i].i);
		else if (stmt_type(s, i) == 't')
			sqlite3_bind_text64(st, (int)i + 1, p, v[i].b.n, SQLITE_STATIC, SQLITE_UTF8);
		else
			sqlite3_bind_blob64(st, (int)i + 1, p, v[i].b.n, SQLITE_STATIC);
	}
	return octets;
}

static void
take_row(sqlite3_stmt *st, const struct table *t, union value *ret)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->cols[i].type == 'i')
			ret[i].i = sqlite3_column_int64(st, (int)i);
		else {
			const void *p = sqlite3_column_blob(st, (int)i);

			ret[i].b = bytes_of(p, (size_t)sqlite3_column_bytes(st, (int)i));
		}
	}
}

static enum rc
query(struct db *db, enum stmt_id id, const union value *args, db_row_fn *fn, void *arg, struct err *e)
{
	struct sqlite_db *d = of(db);
	union value cols[PARAMS_MAX];
	enum rc rc = RC_OK;
	sqlite3_stmt *st;
	int step = SQLITE_DONE;

	TRY(prepare(d, id, &st, e));
	(void)bind(st, &statements[id], args);
	while (rc == RC_OK && (step = sqlite3_step(st)) == SQLITE_ROW) {
		take_row(st, statements[id].table, cols);
		rc = fn(arg, cols, e);
	}
	if (rc == RC_OK && step != SQLITE_DONE)
		rc = sqlite_fail(d->c, &statements[id], e);
	sqlite3_reset(st);
	return rc;
}

static enum rc
run(struct sqlite_db *d, const struct op *op, struct err *e)
{
	const struct stmt *s = &statements[op->stmt];
	enum rc rc = RC_OK;
	sqlite3_stmt *st;

	if (s->flags & STMT_PG_ONLY)
		return RC_OK;
	TRY(prepare(d, op->stmt, &st, e));
	d->bound += bind(st, s, op->v);
	if (sqlite3_step(st) != SQLITE_DONE)
		rc = sqlite_fail(d->c, s, e);
	else if (s->none != CHY_NONE && sqlite3_changes(d->c) == 0)
		rc = err_set(e, s->none, NULL, "%s", code_title(s->none));
	sqlite3_reset(st);
	return rc;
}

static enum rc
run_all(struct sqlite_db *d, const struct op *const *ops, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		TRY(run(d, ops[i], e));
	return RC_OK;
}

static void
rollback(struct db *db)
{
	struct sqlite_db *d = of(db);

	/* a full disk may have ended the transaction already */
	if (!sqlite3_get_autocommit(d->c))
		sqlite3_exec(d->c, "ROLLBACK", NULL, NULL, NULL);
	checkpointer_leave(d->check);
}

static enum rc
begin(struct sqlite_db *d, struct err *e)
{
	enum rc rc;

	d->bound = 0;
	checkpointer_enter(d->check);
	rc = script(&d->db, "BEGIN IMMEDIATE", e);
	if (rc != RC_OK)
		checkpointer_leave(d->check);
	return rc;
}

static enum rc
commit(struct sqlite_db *d, struct err *e)
{
	FAULT("store.before-commit");
	NEED(!fault_fails("store.commit"), e, CHY_STORE_IO, NULL, "the commit was made to fail");
	TRY(script(&d->db, "COMMIT", e));
	checkpointer_leave(d->check);
	if (d->bound > BOUND_MUCH) /* it would push what is needed again out of the cache, and stay there */
		sqlite3_db_release_memory(d->c);
	return RC_OK;
}

static enum rc
in_savepoint(struct sqlite_db *d, const struct op *const *ops, size_t n, struct err *e)
{
	enum rc rc;

	TRY(script(&d->db, "SAVEPOINT one", e));
	rc = run_all(d, ops, n, e);
	if (rc != RC_OK)
		TRY(script(&d->db, "ROLLBACK TO one", NULL));
	TRY(script(&d->db, "RELEASE one", rc == RC_OK ? e : NULL));
	return rc;
}

static enum rc
batch(struct db *db, const struct op *const *ops, size_t n, unsigned flags, struct err *e)
{
	struct sqlite_db *d = of(db);
	enum rc rc = RC_OK;

	if (flags & BATCH_BEGIN)
		TRY(begin(d, e));
	if (flags & BATCH_SAVEPOINT)
		return in_savepoint(d, ops, n, e);
	rc = run_all(d, ops, n, e);
	if (rc == RC_OK && flags & BATCH_COMMIT)
		rc = commit(d, e);
	if (rc != RC_OK)
		rollback(db);
	return rc;
}

static void
stats(struct db *db, struct store_stats *ret)
{
	ret->wal_pages = checkpointer_pages(of(db)->check);
}

static void
close_db(struct db *db)
{
	struct sqlite_db *d = of(db);

	checkpointer_stop(d->check);
	for (size_t i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(d->prepared[i]);
	sqlite3_close(d->c);
	free(d);
}

enum rc
sqlite_connect(const char *path, int flags, sqlite3 **ret, struct err *e)
{
	sqlite3 *c = NULL;

	if (sqlite3_open_v2(path, &c, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) !=
	    SQLITE_OK) {
		err_set(e, CHY_STORE_OPEN, NULL, "%s: %s", path, c ? sqlite3_errmsg(c) : "no memory");
		sqlite3_close(c);
		return RC_PEER;
	}
	sqlite3_extended_result_codes(c, 1);
	sqlite3_busy_timeout(c, BUSY_MS);
	sqlite3_db_config(c, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	*ret = c;
	return RC_OK;
}

/* The file is made here, so that it and its log (which takes the same mode) are nobody else's to read. */
static enum rc
make_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	NEED(fd >= 0, e, CHY_STORE_OPEN, NULL, "%s: %s", path, strerror(errno));
	close(fd);
	return RC_OK;
}

/* SQLite's own waiting does not cover the change of a new file's journal mode, which several may want at once. */
static enum rc
set_wal(struct sqlite_db *d, struct err *e)
{
	static const struct timespec pause = { 0, WAL_PAUSE_MS * 1000000L };
	struct err why = { 0 };

	for (int waited_ms = 0; script(&d->db, "PRAGMA journal_mode=WAL", &why) != RC_OK;
	     waited_ms += WAL_PAUSE_MS) {
		NEED(why.code == CHY_STORE_BUSY && waited_ms < BUSY_MS, e, why.code, NULL, "%s", why.text);
		err_clear(&why);
		nanosleep(&pause, NULL);
	}
	return RC_OK;
}

static enum rc
set_up(struct sqlite_db *d, const char *path, enum db_mode mode, struct err *e)
{
	static const char writer[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
				     "PRAGMA trusted_schema=OFF; PRAGMA wal_autocheckpoint=0; "
				     "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY";
	static const char reader[] =
	    "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cache_size=-8192; "
	    "PRAGMA temp_store=MEMORY";

	if (mode == DB_WRITER)
		TRY(set_wal(d, e));
	TRY(script(&d->db, mode == DB_WRITER ? writer : reader, e));
	if (mode == DB_WRITER)
		TRY(checkpointer_start(path, d->c, &d->check, e));
	return RC_OK;
}

static enum rc
open_db(const char *path, enum db_mode mode, struct db **ret, struct err *e)
{
	struct sqlite_db *d;
	enum rc rc;

	if (mode == DB_WRITER)
		TRY(make_file(path, e));
	d = calloc(1, sizeof(*d));
	NEED(d != NULL, e, CHY_NO_MEMORY, NULL, "a database connection");
	d->db.ops = &sqlite_ops;
	rc = sqlite_connect(path, SQLITE_OPEN_READWRITE, &d->c, e);
	if (rc == RC_OK)
		rc = set_up(d, path, mode, e);
	if (rc != RC_OK) {
		close_db(&d->db);
		return rc;
	}
	*ret = &d->db;
	return RC_OK;
}

const struct db_ops sqlite_ops = {
	.name = "sqlite",
	.begin_read = "BEGIN",
	.form = SQL_SQLITE,
	.open = open_db,
	.close = close_db,
	.script = script,
	.query = query,
	.batch = batch,
	.rollback = rollback,
	.stats = stats,
};
