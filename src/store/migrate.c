#include "base/base.h"
#include "store/migrate.h"

enum { STEP_MAX = 64 << 10 };

static enum rc
take_number(void *arg, const union value *cols, struct err *e)
{
	(void)e;
	*(int64_t *)arg = cols[0].i;
	return RC_OK;
}

enum rc
migrate_version(struct db *db, int64_t *ret, struct err *e)
{
	int64_t there = 0;

	*ret = 0;
	TRY(db->ops->query(db, db->ops->form == SQL_SQLITE ? Q_HAS_SCHEMA_SQLITE : Q_HAS_SCHEMA_POSTGRES,
			   NULL, take_number, &there, e));
	return there ? db->ops->query(db, Q_SCHEMA_VERSION, NULL, take_number, ret, e) : RC_OK;
}

static enum rc
need_known(int64_t version, struct err *e)
{
	NEED(version <= (int64_t)schema_nsteps, e, CHY_STORE_SCHEMA_NEWER, NULL,
	     "the database has schema %lld, this program knows %zu", (long long)version, schema_nsteps);
	return RC_OK;
}

static enum rc
apply(struct db *db, const struct schema_step *step, struct err *e)
{
	OWN_BUF struct buf sql = buf_max(STEP_MAX);

	sql_expand(&sql, step->sql, NULL, db->ops->form);
	buf_str(&sql, ";\n");
	sql_expand(&sql, "INSERT INTO schema_version (version, name, at) VALUES (", NULL, db->ops->form);
	buf_printf(&sql, "%lld, '%s', ", (long long)step->version, step->name);
	sql_expand(&sql, "$NOW)", NULL, db->ops->form);
	NEED(buf_cstr(&sql) != NULL, e, CHY_NO_MEMORY, NULL, "schema step %s", step->name);
	return db->ops->script(db, buf_cstr(&sql), e);
}

/* In a transaction that holds off the others: the next step, if there is one. */
static enum rc
next_step(struct db *db, int64_t upto, bool *ret_more, struct err *e)
{
	OWN_BUF struct buf first = buf_max(STEP_MAX);
	int64_t version;

	*ret_more = false;
	TRY(migrate_version(db, &version, e));
	TRY(need_known(version, e));
	if (version >= upto)
		return RC_OK;
	if (version == 0) {
		sql_expand(
		    &first,
		    "CREATE TABLE schema_version (version $ID NOT NULL PRIMARY KEY, name $TEXT NOT NULL, "
		    "at $INT NOT NULL)",
		    NULL, db->ops->form);
		NEED(buf_cstr(&first) != NULL, e, CHY_NO_MEMORY, NULL, "schema");
		TRY(db->ops->script(db, buf_cstr(&first), e));
	}
	*ret_more = true;
	return apply(db, &schema_steps[version], e);
}

enum rc
migrate_up(struct db *db, int64_t upto, struct err *e)
{
	const char *begin = db->ops->form == SQL_SQLITE
	    ? "BEGIN IMMEDIATE"
	    : "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT "
	      "pg_advisory_xact_lock(4849273811)";
	bool more = true;

	while (more) {
		enum rc rc;

		TRY(db->ops->script(db, begin, e));
		rc = next_step(db, upto, &more, e);
		if (rc == RC_OK)
			rc = db->ops->script(db, "COMMIT", e);
		if (rc != RC_OK) {
			(void)!db->ops->script(db, "ROLLBACK", NULL);
			return rc;
		}
	}
	return RC_OK;
}
