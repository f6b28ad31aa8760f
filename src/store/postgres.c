#include "base/base.h"
#include "store/postgres.h"

#include <endian.h>
#include <poll.h>

enum { SQL_MAX = 8192 };

static struct postgres_db *
of(struct db *db)
{
	return (struct postgres_db *)(void *)db;
}

static enum code
code_of_state(const char *state, const struct stmt *s)
{
	static const struct {
		const char *state;
		enum code code;
	} known[] = {
		{ "23503", CHY_STORE_NOT_FOUND }, { "40001", CHY_STORE_BUSY },    { "40P01", CHY_STORE_BUSY },
		{ "55P03", CHY_STORE_BUSY },      { "57014", CHY_STORE_BUSY },    { "53100", CHY_STORE_FULL },
		{ "53200", CHY_NO_MEMORY },       { "58030", CHY_STORE_IO },      { "25006", CHY_STORE_DOWN },
		{ "XX001", CHY_STORE_DAMAGED },   { "XX002", CHY_STORE_DAMAGED },
	};

	if (strcmp(state, "23505") == 0)
		return s ? s->dup : CHY_STORE_EXISTS;
	if (strcmp(state, "22012") == 0 && s != NULL && s->none != CHY_NONE)
		return s->none; /* see sql_checked */
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(state, known[i].state) == 0)
			return known[i].code;
	/* 08: connection; 53: resources; 57P: the server is stopped or started */
	if (strncmp(state, "08", 2) == 0 || strncmp(state, "53", 2) == 0 || strncmp(state, "57P", 3) == 0)
		return CHY_STORE_DOWN;
	return CHY_STORE_SQL;
}

/* libpq's messages have several lines and end with one. */
static struct bytes
first_line(const char *message)
{
	struct bytes rest;

	return text_trim(text_cut(bytes_str(message), '\n', &rest));
}

enum rc
postgres_fail(struct postgres_db *d, const PGresult *r, const struct stmt *s, struct err *e)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	enum code code = state ? code_of_state(state, s) : CHY_STORE_DOWN;
	struct bytes text = first_line(r ? PQresultErrorMessage(r) : PQerrorMessage(d->c));

	if (text.n == 0)
		text = BYTES("no answer");
	if (PQstatus(d->c) == CONNECTION_BAD)
		code = CHY_STORE_DOWN;
	if (code == CHY_STORE_DOWN)
		d->db.lost =
		    true; /* also for a server that became read-only: another one may have taken over */
	if (s != NULL && (code == s->none || code == s->dup))
		return err_set(e, code, NULL, "%s", code_title(code));
	return err_set(e, code, NULL, "PostgreSQL: %.*s", BYTES_FMT(text));
}

/* Something to read that is a whole result, or the end of all, by then. */
static bool
await(struct postgres_db *d, int64_t until_us)
{
	while (PQisBusy(d->c)) {
		struct pollfd fd = { PQsocket(d->c), POLLIN, 0 };
		int64_t left_ms = (until_us - clock_mono_us()) / 1000;

		if (fd.fd < 0 || (d->answer_ms > 0 && left_ms <= 0))
			return false;
		if (poll(&fd, 1, d->answer_ms > 0 ? (int)left_ms : -1) > 0 && !PQconsumeInput(d->c))
			return false;
	}
	return true;
}

PGresult *
postgres_answer(struct postgres_db *d, int sent)
{
	int64_t until_us = clock_mono_us() + (int64_t)d->answer_ms * 1000;
	PGresult *last = NULL, *r;

	while (sent && await(d, until_us)) {
		r = PQgetResult(d->c);
		if (r == NULL)
			return last;
		PQclear(last);
		last = r;
	}
	PQclear(last);
	d->db.lost = true;
	return NULL;
}

static enum rc
script(struct db *db, const char *sql, struct err *e)
{
	struct postgres_db *d = of(db);
	PGresult *r = postgres_answer(d, PQsendQuery(d->c, sql));
	ExecStatusType status = PQresultStatus(r);
	enum rc rc = RC_OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		rc = postgres_fail(d, r, NULL, e);
	PQclear(r);
	return rc;
}

enum rc
postgres_prepare(struct postgres_db *d, enum stmt_id id, bool bulk, char *ret_name, struct err *e)
{
	const struct stmt *s = &statements[id];
	OWN_BUF struct buf sql = buf_max(SQL_MAX);
	Oid types[PARAMS_MAX];
	size_t n = stmt_nparams(s);
	enum rc rc = RC_OK;
	PGresult *r;

	snprintf(ret_name, 16, "%c%d", bulk ? 'b' : 's', (int)id);
	if (d->prepared[bulk][id])
		return RC_OK;
	for (size_t i = 0; i < n; i++)
		types[i] = postgres_type(stmt_type(s, i), bulk);
	sql_of_stmt(&sql, s, bulk ? SQL_POSTGRES_BULK : SQL_POSTGRES);
	NEED(buf_cstr(&sql) != NULL, e, CHY_NO_MEMORY, NULL, "statement %d", (int)id);
	r = postgres_answer(d, PQsendPrepare(d->c, ret_name, buf_cstr(&sql), (int)n, types));
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		rc = postgres_fail(d, r, NULL, e);
	PQclear(r);
	d->prepared[bulk][id] = rc == RC_OK;
	return rc;
}

static enum rc
take_row(const PGresult *r, int row, const struct table *t, union value *ret, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *p = PQgetvalue(r, row, (int)i);
		int len = PQgetlength(r, row, (int)i);
		uint64_t number;

		if (t->cols[i].type != 'i') {
			ret[i].b = bytes_of(p, (size_t)len);
			continue;
		}
		NEED(len == sizeof(number), e, CHY_STORE_SQL, NULL, "column %s.%s is no 64-bit integer",
		     t->name, t->cols[i].name);
		memcpy(&number, p, sizeof(number));
		ret[i].i = (int64_t)be64toh(number);
	}
	return RC_OK;
}

static enum rc
take_rows(const PGresult *r, const struct table *t, db_row_fn *fn, void *arg, struct err *e)
{
	union value cols[PARAMS_MAX];
	int n = PQntuples(r);

	NEED((size_t)PQnfields(r) == t->n, e, CHY_STORE_SQL, NULL, "%s: %d columns", t->name, PQnfields(r));
	for (int i = 0; i < n; i++) {
		TRY(take_row(r, i, t, cols, e));
		TRY(fn(arg, cols, e));
	}
	return RC_OK;
}

/* A statement of its own name keeps one plan for all parameters after some uses; one without a name is planned for these. */
static enum rc
execute(struct postgres_db *d, enum stmt_id id, const union value *args, PGresult **ret, struct err *e)
{
	const struct stmt *s = &statements[id];
	OWN_BUF struct buf sql = buf_max(SQL_MAX);
	struct postgres_params q;
	Oid types[PARAMS_MAX];
	char name[16];

	postgres_params(&q, s, args);
	if (!(s->flags & STMT_PLAN_ANEW)) {
		TRY(postgres_prepare(d, id, false, name, e));
		*ret = postgres_answer(d, PQsendQueryPrepared(d->c, name, q.n, q.p, q.len, q.format, 1));
		return RC_OK;
	}
	for (int i = 0; i < q.n; i++)
		types[i] = postgres_type(stmt_type(s, (size_t)i), false);
	sql_of_stmt(&sql, s, SQL_POSTGRES);
	NEED(buf_cstr(&sql) != NULL, e, CHY_NO_MEMORY, NULL, "statement %d", (int)id);
	*ret = postgres_answer(d,
			       PQsendQueryParams(d->c, buf_cstr(&sql), q.n, types, q.p, q.len, q.format, 1));
	return RC_OK;
}

static enum rc
query(struct db *db, enum stmt_id id, const union value *args, db_row_fn *fn, void *arg, struct err *e)
{
	struct postgres_db *d = of(db);
	PGresult *r;
	enum rc rc;

	TRY(execute(d, id, args, &r, e));
	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		rc = take_rows(r, statements[id].table, fn, arg, e);
	else
		rc = postgres_fail(d, r, &statements[id], e);
	PQclear(r);
	return rc;
}

static void
close_db(struct db *db)
{
	struct postgres_db *d = of(db);

	PQfinish(d->c);
	for (size_t i = 0; i < PARAMS_MAX; i++)
		buf_fini(&d->array[i]);
	free(d);
}

/* Every question here is answered by an index, one row at a time. A plan made while a table was empty, or without statistics,
   must not turn into a scan of millions of rows when it is not empty any more. */
#define BY_INDEX \
	"SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET jit = off; "

/* A committer must never believe in a commit that is not on the disk, whatever the server's default says. */
static const char writer_settings[] = BY_INDEX
    "SET plan_cache_mode = force_generic_plan; "
    "SET statement_timeout = '30s'; SET lock_timeout = '10s'; "
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; "
    "SET tcp_keepalives_count = 3; "
    "SELECT set_config('synchronous_commit', CASE WHEN "
    "current_setting('synchronous_commit') = 'off' THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, false); "
    /* of large values, where the server has it: the older way takes five times as long for an act with a thousand certificates */
    "SELECT set_config(name, 'lz4', false) FROM pg_settings "
    "WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";
const char postgres_reader_settings[] = BY_INDEX
    "SET default_transaction_read_only = on; SET statement_timeout = '30s'";
static const char brief_settings[] = "SET statement_timeout = '4s'";

enum { ANSWER_MS = 40000, BRIEF_ANSWER_MS = 5000 /* the server's own limits, and some */ };

static void
no_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

static enum rc
set_up(struct postgres_db *d, enum db_mode mode, struct err *e)
{
	const char *encoding = PQparameterStatus(d->c, "server_encoding");

	NEED(encoding != NULL && strcmp(encoding, "UTF8") == 0, e, CHY_STORE_OPEN, NULL,
	     "the database's encoding is %s; it must be UTF8", encoding ? encoding : "unknown");
	NEED(PQserverVersion(d->c) >= 130000, e, CHY_STORE_OPEN, NULL,
	     "PostgreSQL %d is too old, 13 is needed", PQserverVersion(d->c) / 10000);
	TRY(script(&d->db, mode == DB_WRITER ? writer_settings : postgres_reader_settings, e));
	return mode == DB_BRIEF ? script(&d->db, brief_settings, e) : RC_OK;
}

static enum rc
open_db(const char *where, enum db_mode mode, struct db **ret, struct err *e)
{
	static const char *const names[] = { "dbname",           "connect_timeout",  "client_encoding",
					     "application_name", "tcp_user_timeout", NULL };
	const char *const values[] = { where, "5", "UTF8", "chancery", "15000", NULL };
	struct postgres_db *d = calloc(1, sizeof(*d));
	enum rc rc = RC_OK;

	NEED(d != NULL, e, CHY_NO_MEMORY, NULL, "a database connection");
	d->db.ops = &postgres_ops;
	d->answer_ms = mode == DB_BRIEF ? BRIEF_ANSWER_MS : mode == DB_WRITER ? 0 : ANSWER_MS;
	for (size_t i = 0; i < PARAMS_MAX; i++)
		d->array[i] = buf_max(256U << 20);
	d->c = PQconnectdbParams(names, values, 1);
	if (PQstatus(d->c) != CONNECTION_OK)
		rc = err_set(e, CHY_STORE_OPEN, NULL, "PostgreSQL: %.*s",
			     BYTES_FMT(first_line(PQerrorMessage(d->c))));
	else
		PQsetNoticeReceiver(d->c, no_notice, NULL);
	if (rc == RC_OK)
		rc = set_up(d, mode, e);
	if (rc != RC_OK) {
		close_db(&d->db);
		return rc;
	}
	*ret = &d->db;
	return RC_OK;
}

/* Waits for a notification, for wake_fd to become readable, or for the time to pass. */
static void
listen_db(struct db *db, int wait_ms, int wake_fd)
{
	struct postgres_db *d = of(db);
	struct pollfd fds[] = { { wake_fd, POLLIN, 0 }, { PQsocket(d->c), POLLIN, 0 } };
	PGnotify *note = PQnotifies(d->c);

	if (note == NULL && poll(fds, 2, wait_ms) > 0 && fds[1].revents != 0 && PQconsumeInput(d->c) == 0)
		d->db.lost = true;
	for (; note != NULL || (note = PQnotifies(d->c)) != NULL; note = NULL)
		PQfreemem(note);
}

const struct db_ops postgres_ops = {
	.name = "postgresql",
	.begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	.form = SQL_POSTGRES,
	.open = open_db,
	.close = close_db,
	.script = script,
	.query = query,
	.batch = postgres_batch,
	.rollback = postgres_rollback,
	.listen = listen_db,
};
