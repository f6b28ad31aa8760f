#include "base/base.h"
#include "store/core.h"
#include "store/migrate.h"

#include <time.h>

enum { READERS = 4, READERS_MAX = 64, OUTAGE_MS = 5000 };

static const int64_t mark_kept_ms = 30LL * 24 * 3600 * 1000;

enum rc
store_url(const char *url, const struct db_ops **ret_ops, const char **ret_where, struct err *e)
{
	struct bytes u = bytes_str(url);

	if (bytes_starts(u, "sqlite:")) {
		*ret_ops = &sqlite_ops;
		*ret_where = url + strlen("sqlite:");
		NEED(**ret_where != 0, e, CHY_STORE_URL, NULL, "sqlite: lacks the file");
		return RC_OK;
	}
	NEED(bytes_starts(u, "postgresql://") || bytes_starts(u, "postgres://") ||
		 (u.n > 0 && memchr(u.p, '=', u.n)),
	     e, CHY_STORE_URL, NULL, "neither sqlite:FILE nor postgresql://... nor key=value pairs");
	*ret_ops = &postgres_ops;
	*ret_where = url;
	return RC_OK;
}

static void
set_options(struct store *s, const struct store_options *o)
{
	if (o != NULL)
		s->options = *o;
	if (s->options.readers == 0)
		s->options.readers = READERS;
	if (s->options.readers > READERS_MAX)
		s->options.readers = READERS_MAX;
	if (s->options.outage_ms <= 0)
		s->options.outage_ms = OUTAGE_MS;
}

/* Rows of committers that never came back. */
static enum rc
tidy_marks(struct db *db, struct err *e)
{
	union {
		struct op op;
		uint8_t room[sizeof(struct op) + sizeof(union value)];
	} tidy = { .op = { .stmt = Q_MARK_TIDY } };
	const struct op *ops[] = { &tidy.op };

	tidy.op.v[0].i = mark_kept_ms;
	return db->ops->batch(db, ops, 1, BATCH_BEGIN | BATCH_COMMIT, e);
}

static enum rc
take_yes(void *arg, const union value *cols, struct err *e)
{
	*(bool *)arg = cols[0].i != 0;
	return RC_OK;
}

enum rc
store_take_alone(struct store *s, struct db *db, struct err *e)
{
	bool ours = false;

	if (!s->options.alone || s->ops->form != SQL_POSTGRES)
		return RC_OK;
	TRY(s->ops->query(db, Q_ALONE_POSTGRES, NULL, take_yes, &ours, e));
	NEED(ours, e, CHY_STORE_TAKEN, NULL,
	     "end the factory that is at work on this database first: only one at a time is supported");
	return RC_OK;
}

/* The server may need a moment to notice that the process before has died. */
static enum rc
wait_alone(struct store *s, struct db *db, struct err *e)
{
	const struct timespec pause = { 0, 50 * 1000000L };
	enum rc rc = store_take_alone(s, db, e);

	for (int i = 0; i < 40 && rc != RC_OK && e->code == CHY_STORE_TAKEN; i++) {
		err_clear(e);
		nanosleep(&pause, NULL);
		rc = store_take_alone(s, db, e);
	}
	return rc;
}

static enum rc
open_writer(struct store *s, struct err *e)
{
	struct committer *c = &s->committer;

	TRY(s->ops->open(s->where, DB_WRITER, &c->db, e));
	TRY(wait_alone(s, c->db, e));
	if (!s->options.beside) {
		TRY(migrate_up(c->db, store_schema_known(), e));
		TRY(tidy_marks(c->db, e));
	}
	return committer_start(c, s, e);
}

static enum rc
check_schema(struct store *s, struct err *e)
{
	int64_t version;

	TRY(store_schema_version(s, &version, e));
	NEED(version <= store_schema_known(), e, CHY_STORE_SCHEMA_NEWER, NULL,
	     "the database has schema %lld, this program knows %lld", (long long)version,
	     (long long)store_schema_known());
	NEED(version == store_schema_known(), e, CHY_STORE_SCHEMA, NULL,
	     "the database has schema %lld; it is brought up to %lld when the factory starts",
	     (long long)version, (long long)store_schema_known());
	return RC_OK;
}

static enum rc
open_parts(struct store *s, struct err *e)
{
	struct err why = { 0 };
	struct db *db;

	if (!s->options.read_only)
		TRY(open_writer(s, e));
	TRY(pool_init(&s->pool, s->ops, s->where,
		      s->options.read_only    ? DB_READ_ONLY
			  : s->options.beside ? DB_BRIEF
					      : DB_READER,
		      s->options.readers, e));
	if (pool_take(&s->pool, &db, &why) != RC_OK)
		FAIL(e, why.code == CHY_STORE_DOWN ? CHY_STORE_OPEN : why.code, NULL, "%s", why.text);
	pool_give(&s->pool, db);
	return check_schema(s, e);
}

enum rc
store_open(const char *url, const struct store_options *options, struct store **ret, struct err *e)
{
	const struct db_ops *ops;
	const char *where;
	struct store *s;
	enum rc rc;

	TRY(store_url(url, &ops, &where, e));
	s = calloc(1, sizeof(*s));
	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "a store");
	pthread_mutex_init(&s->search, NULL);
	pthread_mutex_init(&s->sampling, NULL);
	s->search_pace = (struct pace){ .n = 128, .least = 128, .most = 8192 };
	s->ops = ops;
	s->where = strdup(where);
	set_options(s, options);
	rc = s->where ? open_parts(s, e) : err_set(e, CHY_NO_MEMORY, NULL, "a store");
	if (rc != RC_OK) {
		store_close(s);
		return rc;
	}
	*ret = s;
	return RC_OK;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	committer_stop(&s->committer);
	watcher_stop(&s->documents); /* behind the committer, which wakes them */
	watcher_stop(&s->statuses);
	pool_fini(&s->pool);
	pthread_mutex_destroy(&s->search);
	pthread_mutex_destroy(&s->sampling);
	arena_free(s->sample.mem);
	free(s->where);
	free(s);
}

int64_t
store_schema_known(void)
{
	return (int64_t)schema_nsteps;
}

enum rc
store_schema_version(struct store *s, int64_t *ret, struct err *e)
{
	struct db *db;
	enum rc rc;

	TRY(pool_take(&s->pool, &db, e));
	rc = migrate_version(db, ret, e);
	pool_give(&s->pool, db);
	return rc;
}

const char *
store_engine(const struct store *s)
{
	return s->ops->name;
}

enum rc
store_ping(struct store *s, struct err *e)
{
	int64_t one;

	return store_number(s, Q_ONE, NULL, &one, e);
}

enum rc
store_clock_ms(struct store *s, int64_t *ret, struct err *e)
{
	return store_number(s, Q_NOW, NULL, ret, e);
}

void
store_stats(struct store *s, struct store_stats *ret)
{
	struct committer *c = &s->committer;

	*ret = (struct store_stats){
		.changes = atomic_load(&c->changes),
		.failed = atomic_load(&c->failed),
		.commits = atomic_load(&c->commits),
		.retries = atomic_load(&c->retries),
		.reconnects = atomic_load(&c->reconnects),
	};
	if (c->running)
		ret->waiting = mq_count(&c->queue);
	if (c->running && s->ops->stats != NULL)
		s->ops->stats(c->db, ret); /* SQLite's connection stays the same */
}
