#include "base/base.h"
#include "store/postgres.h"

#include <sys/socket.h>

/*
 * A batch travels as one pipeline: BEGIN, the operations (plain rows as arrays), COMMIT; one round trip. What goes wrong in
 * it goes wrong on the server (see sql_checked), which then skips the rest up to the synchronisation point.
 */

struct flight {
	const struct stmt **stmt; /* of each query sent; NULL: BEGIN and the like */
	size_t n, cap;
	bool commit; /* the last one is a COMMIT */
};

static struct postgres_db *
of(struct db *db)
{
	return (struct postgres_db *)(void *)db;
}

static bool
is_bulk(const struct op *op)
{
	return statements[op->stmt].flags & (STMT_BULK | STMT_PG_BULK);
}

/* How many operations from here on are carried out as one. */
static size_t
run_of(const struct op *const *ops, size_t n)
{
	size_t i = 1;

	if (!is_bulk(ops[0]))
		return 1;
	while (i < n && ops[i]->stmt == ops[0]->stmt)
		i++;
	return i;
}

/* Preparing is a round trip of its own, so it is done before; after the first batches there is nothing to prepare. */
static enum rc
prepare_all(struct postgres_db *d, const struct op *const *ops, size_t n, struct err *e)
{
	char name[16];

	for (size_t i = 0; i < n; i += run_of(ops + i, n - i))
		if (!(statements[ops[i]->stmt].flags & STMT_SQLITE_ONLY))
			TRY(postgres_prepare(d, ops[i]->stmt, is_bulk(ops[i]), name, e));
	return RC_OK;
}

static enum rc
lost(struct postgres_db *d, struct err *e)
{
	struct err ignored = { 0 };

	d->db.lost = true;
	(void)postgres_fail(d, NULL, NULL, e ? e : &ignored);
	return RC_AGAIN;
}

static enum rc
note(struct flight *f, const struct stmt *s, struct err *e)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 64;
		void *p = reallocarray(f->stmt, cap, sizeof(*f->stmt));

		NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "a batch of %zu statements", cap);
		f->stmt = p;
		f->cap = cap;
	}
	f->stmt[f->n++] = s;
	return RC_OK;
}

static enum rc
send_text(struct postgres_db *d, struct flight *f, const char *sql, struct err *e)
{
	TRY(note(f, NULL, e));
	if (!PQsendQueryParams(d->c, sql, 0, NULL, NULL, NULL, NULL, 1)) {
		f->n--;
		return lost(d, e);
	}
	return RC_OK;
}

static enum rc
send_ops(struct postgres_db *d, struct flight *f, const struct op *const *ops, size_t n, struct err *e)
{
	const struct stmt *s = &statements[ops[0]->stmt];
	struct postgres_params q;
	char name[16];

	TRY(postgres_prepare(d, ops[0]->stmt, is_bulk(ops[0]), name, e)); /* the name only */
	if (!is_bulk(ops[0]))
		postgres_params(&q, s, ops[0]->v);
	else
		NEED(postgres_arrays(d, &q, s, ops, n), e, CHY_NO_MEMORY, NULL, "a batch of %zu rows", n);
	TRY(note(f, s, e));
	if (!PQsendQueryPrepared(d->c, name, q.n, q.p, q.len, q.format, 1)) {
		f->n--;
		return lost(d, e);
	}
	return RC_OK;
}

static enum rc
send_commit(struct postgres_db *d, struct flight *f, struct err *e)
{
	FAULT("store.before-commit");
	NEED(!fault_fails("store.commit"), e, CHY_STORE_IO, NULL, "the commit was made to fail");
	f->commit = true;
	return send_text(d, f, "COMMIT", e);
}

static enum rc
send_all(struct postgres_db *d, struct flight *f, const struct op *const *ops, size_t n, unsigned flags,
	 struct err *e)
{
	size_t run;

	if (flags & BATCH_BEGIN)
		TRY(send_text(d, f, "BEGIN", e));
	if (flags & BATCH_SAVEPOINT)
		TRY(send_text(d, f, "SAVEPOINT one", e));
	for (size_t i = 0; i < n; i += run) {
		run = run_of(ops + i, n - i);
		if (!(statements[ops[i]->stmt].flags & STMT_SQLITE_ONLY))
			TRY(send_ops(d, f, ops + i, run, e));
	}
	if (flags & BATCH_SAVEPOINT)
		TRY(send_text(d, f, "RELEASE one", e));
	if (flags & BATCH_COMMIT)
		TRY(send_commit(d, f, e));
	return RC_OK;
}

/* One query's results; the first failure counts, what was skipped because of it does not. */
static enum rc
take_result(struct postgres_db *d, const struct stmt *s, bool is_commit, struct err *e)
{
	PGresult *r = PQgetResult(d->c);
	ExecStatusType status = PQresultStatus(r);
	enum rc rc = RC_OK;

	if (r == NULL)
		return lost(d, e);
	if (status == PGRES_PIPELINE_ABORTED)
		rc = err_set(e, CHY_STORE_SQL, NULL, "skipped");
	else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		rc = postgres_fail(d, r, s, e);
	else if (is_commit && strcmp(PQcmdStatus(r), "COMMIT") != 0)
		rc = err_set(e, CHY_STORE_SQL, NULL, "the server rolled back: %s", PQcmdStatus(r));
	PQclear(r);
	while ((r = PQgetResult(d->c)) != NULL)
		PQclear(r);
	return rc;
}

static enum rc
take_all(struct postgres_db *d, const struct flight *f, struct err *e)
{
	enum rc rc = RC_OK;
	PGresult *r;

	for (size_t i = 0; i < f->n && !d->db.lost; i++) {
		enum rc one = take_result(d, f->stmt[i], f->commit && i + 1 == f->n, rc == RC_OK ? e : NULL);

		rc = rc == RC_OK ? one : rc;
	}
	if (d->db.lost)
		return rc;
	r = PQgetResult(d->c); /* the synchronisation point */
	if (PQresultStatus(r) != PGRES_PIPELINE_SYNC)
		rc = lost(d, rc == RC_OK ? e : NULL);
	PQclear(r);
	return rc;
}

static enum rc
fly(struct postgres_db *d, const struct op *const *ops, size_t n, unsigned flags, struct err *e)
{
	struct flight f = { 0 };
	enum rc rc, taken;

	if (!PQenterPipelineMode(d->c))
		return lost(d, e);
	rc = send_all(d, &f, ops, n, flags, e);
	if (fault_fails("store.lose-request"))
		shutdown(PQsocket(d->c), SHUT_RDWR);
	if (!d->db.lost && !PQpipelineSync(d->c))
		rc = lost(d, rc == RC_OK ? e : NULL);
	if (fault_fails("store.lose-answer"))
		shutdown(PQsocket(d->c), SHUT_RDWR);
	taken = d->db.lost ? rc : take_all(d, &f, rc == RC_OK ? e : NULL);
	free(f.stmt);
	if (!d->db.lost && !PQexitPipelineMode(d->c))
		taken = lost(d, NULL);
	return rc != RC_OK ? rc : taken;
}

void
postgres_rollback(struct db *db)
{
	struct postgres_db *d = of(db);

	if (!db->lost && PQtransactionStatus(d->c) != PQTRANS_IDLE)
		(void)!db->ops->script(db, "ROLLBACK", NULL);
}

enum rc
postgres_batch(struct db *db, const struct op *const *ops, size_t n, unsigned flags, struct err *e)
{
	struct postgres_db *d = of(db);
	enum rc rc = prepare_all(d, ops, n, e);

	if (rc == RC_OK)
		rc = fly(d, ops, n, flags, e);
	if (rc == RC_OK || d->db.lost)
		return rc;
	if (flags & BATCH_SAVEPOINT)
		(void)!db->ops->script(db, "ROLLBACK TO one; RELEASE one", NULL);
	else
		postgres_rollback(db);
	return rc;
}
