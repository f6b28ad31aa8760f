#include "base/base.h"
#include "store/plan.h"

#include <time.h>
#include <unistd.h>

/*
 * Group commit. One thread takes all the changes that queued during the last commit and carries them out as one transaction, in
 * the hope that none of them fails; when one does, the transaction is undone and done again with a savepoint around each.
 *
 * The outcome of a commit during which the connection breaks: every transaction of this committer begins by writing its
 * batch number into the committer's row of commit_mark, provided that the row still has the epoch that the connection was opened
 * with. After reconnecting we write a new epoch into that row and read the number in it. The row's lock puts the two in
 * an order: either the old transaction came first, then we wait for its end and read whether it was committed; or we came
 * first, then the old one, if it is still to run on the server, fails. So the answer is final.
 */

enum { BACKOFF_FIRST_MS = 20, BACKOFF_MOST_MS = 500, TRANSIENT_TRIES = 5, TRANSIENT_MOST_US = 2000000 };

enum verdict { NOT_COMMITTED, COMMITTED, UNKNOWN };

static bool
is_postgres(const struct committer *c)
{
	return c->store->ops->form == SQL_POSTGRES;
}

static enum rc
take_number(void *arg, const union value *cols, struct err *e)
{
	(void)e;
	*(int64_t *)arg = cols[0].i;
	return RC_OK;
}

/* A new epoch for a new connection, and the number of the last batch that was committed. */
static enum rc
fence(struct committer *c, int64_t *ret_batch, struct err *e)
{
	union value args[] = { INT_VALUE(c->id), INT_VALUE(++c->epoch) };

	*ret_batch = c->batch;
	return is_postgres(c) ? c->db->ops->query(c->db, Q_MARK_FENCE, args, take_number, ret_batch, e)
			      : RC_OK;
}

static void
disconnect(struct committer *c)
{
	if (c->db != NULL)
		c->db->ops->close(c->db);
	c->db = NULL;
}

static enum rc
connect_once(struct committer *c, int64_t *ret_batch, struct err *e)
{
	enum rc rc;

	disconnect(c);
	TRY(c->store->ops->open(c->store->where, DB_WRITER, &c->db, e));
	rc = store_take_alone(c->store, c->db, e);
	if (rc == RC_OK)
		rc = fence(c, ret_batch, e);
	if (rc != RC_OK)
		disconnect(c);
	return rc;
}

static void
sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* Reconnects, for as long as changes may wait for it. */
static enum rc
reconnect(struct committer *c, int64_t *ret_batch, struct err *e)
{
	int wait_ms = BACKOFF_FIRST_MS;

	if (c->down_since_us == 0)
		c->down_since_us = clock_mono_us();
	while (connect_once(c, ret_batch, NULL) != RC_OK) {
		int64_t down_ms = (clock_mono_us() - c->down_since_us) / 1000;

		NEED(down_ms < c->store->options.outage_ms && !atomic_load(&c->closing), e, CHY_STORE_DOWN,
		     NULL, "the database has been away for %lld ms", (long long)down_ms);
		sleep_ms(wait_ms);
		wait_ms = 2 * wait_ms < BACKOFF_MOST_MS ? 2 * wait_ms : BACKOFF_MOST_MS;
	}
	c->down_since_us = 0;
	atomic_fetch_add(&c->reconnects, 1);
	return RC_OK;
}

/* After a lost connection: what became of the batch. */
static enum verdict
look_up(struct committer *c, struct err *e)
{
	int64_t last = 0;

	if (reconnect(c, &last, NULL) != RC_OK) {
		err_clear(e);
		err_set(e, CHY_STORE_UNKNOWN, NULL,
			"the database went away during the commit and has not come back");
		return UNKNOWN;
	}
	return last == c->batch ? COMMITTED : NOT_COMMITTED;
}

static void
answer(struct committer *c, struct change *list, enum rc rc, const struct err *e)
{
	while (list != NULL) {
		struct change *next = change_next(list);
		enum rc own = list->rc != RC_OK ? list->rc : rc;

		atomic_fetch_add(own == RC_OK ? &c->changes : &c->failed, 1);
		if (own == RC_OK && list->documents)
			watcher_wake(&c->store->documents);
		if (own == RC_OK && list->statuses)
			watcher_wake(&c->store->statuses);
		list->done(list->arg, own, list->rc != RC_OK ? &list->err : e);
		change_free(list);
		list = next;
	}
}

static struct op *
mark_of(struct committer *c, void *room)
{
	struct op *op = room;

	*op = (struct op){ .stmt = Q_MARK };
	op->v[0].i = c->id;
	op->v[1].i = c->epoch;
	op->v[2].i = ++c->batch;
	return op;
}

static enum rc
commit_whole(struct committer *c, struct change *list, const struct op *mark, struct err *e)
{
	struct plan plan;
	enum rc rc = plan_make(&plan, list, false, mark, c->store->options.node, c->store->ops->form, e);

	if (rc == RC_OK)
		rc = c->db->ops->batch(c->db, plan.ops, plan.n, BATCH_BEGIN | BATCH_COMMIT, e);
	plan_fini(&plan);
	return rc;
}

/* One change in a savepoint. Its own failure is noted with it; any other is returned. */
static enum rc
apply_one(struct committer *c, struct change *one, struct err *e)
{
	struct plan plan;
	enum rc rc;

	one->rc = RC_OK;
	err_clear(&one->err);
	rc = plan_make(&plan, one, true, NULL, c->store->options.node, c->store->ops->form, &one->err);
	if (rc == RC_OK)
		rc = c->db->ops->batch(c->db, plan.ops, plan.n, BATCH_SAVEPOINT, &one->err);
	plan_fini(&plan);
	if (rc == RC_OK)
		return RC_OK;
	if (c->db->lost || code_is_systemic(one->err.code)) {
		*e = one->err;
		return rc;
	}
	one->rc = rc;
	return RC_OK;
}

static enum rc
apply_singly(struct committer *c, struct change *list, const struct op *mark, struct err *e)
{
	enum rc rc = c->db->ops->batch(c->db, &mark, is_postgres(c), BATCH_BEGIN, e);

	if (rc != RC_OK)
		return rc;
	for (struct change *one = list; one != NULL && rc == RC_OK; one = change_next(one))
		rc = apply_one(c, one, e);
	if (rc != RC_OK) {
		c->db->ops->rollback(c->db);
		return rc;
	}
	return c->db->ops->batch(c->db, NULL, 0, BATCH_COMMIT, e);
}

/* Nobody's answer before the outcome is known: a failure of the whole takes the noted ones back. */
static void
forget(struct change *list)
{
	for (; list != NULL; list = change_next(list))
		list->rc = RC_OK;
}

static enum rc
attempt(struct committer *c, struct change *list, struct err *e)
{
	union {
		struct op op;
		uint8_t room[sizeof(struct op) + 3 * sizeof(union value)];
	} mark;
	enum rc rc;

	FAULT("store.before-begin");
	rc = commit_whole(c, list, mark_of(c, &mark), e);
	if (rc != RC_OK && !c->db->lost && !code_is_systemic(e->code)) {
		atomic_fetch_add(&c->retries, 1);
		err_clear(e);
		rc = apply_singly(c, list, mark_of(c, &mark), e);
	}
	return rc;
}

/* Carries the list out; RC_OK: committed, but for the changes that have an rc of their own. */
static enum rc
commit_list(struct committer *c, struct change *list, struct err *e)
{
	int64_t last, begun_us;
	enum rc rc;

	for (int tries = 0;; tries++) {
		err_clear(e);
		if (c->db == NULL || c->db->lost)
			TRY(reconnect(c, &last, e));
		begun_us = clock_mono_us();
		rc = attempt(c, list, e);
		if (rc == RC_OK)
			return RC_OK;
		if (c->db->lost) {
			enum verdict v = look_up(c, e);

			if (v == COMMITTED)
				return RC_OK;
			forget(list);
			if (v == UNKNOWN)
				return RC_PEER;
			tries = 0;
			continue;
		}
		forget(list);
		/* a deadlock comes at once and is gone the next time; who holds a lock for long will hold it longer */
		if (e->code != CHY_STORE_BUSY || tries == TRANSIENT_TRIES ||
		    clock_mono_us() - begun_us > TRANSIENT_MOST_US)
			return rc;
	}
}

static void *
committer_run(void *arg)
{
	struct committer *c = arg;
	struct mq_item *item;

	pthread_setname_np(pthread_self(), "committer");
	while ((item = mq_take(&c->queue, LIMIT_COMMIT_BATCH, -1)) != NULL) {
		struct change *list = (struct change *)(void *)item;
		struct err e = { 0 };
		enum rc rc = commit_list(c, list, &e);

		if (rc == RC_OK) {
			atomic_fetch_add(&c->commits, 1);
			FAULT("store.after-commit");
		}
		answer(c, list, rc, rc == RC_OK ? NULL : &e);
	}
	return NULL;
}

enum rc
committer_start(struct committer *c, struct store *s, struct err *e)
{
	int64_t last;

	c->store = s;
	NEED(getentropy(&c->id, sizeof(c->id)) == 0, e, CHY_SYSTEM, NULL, "no random numbers");
	c->id &= INT64_MAX;
	mq_init(&c->queue, LIMIT_COMMIT_QUEUE);
	c->running = true;
	TRY(fence(c, &last, e));
	if (pthread_create(&c->thread, NULL, committer_run, c) != 0) {
		c->running = false;
		FAIL(e, CHY_SYSTEM, NULL, "no thread for commits");
	}
	return RC_OK;
}

void
committer_stop(struct committer *c)
{
	union value id = INT_VALUE(c->id);

	if (c->running) {
		mq_close(&c->queue);
		atomic_store(&c->closing, true);
		pthread_join(c->thread, NULL);
		mq_fini(&c->queue);
	}
	if (c->running && c->db != NULL && !c->db->lost && is_postgres(c)) {
		union {
			struct op op;
			uint8_t room[sizeof(struct op) + sizeof(union value)];
		} drop = { .op = { .stmt = Q_MARK_DROP } };
		const struct op *ops[] = { &drop.op };

		drop.op.v[0] = id;
		(void)!c->db->ops->batch(c->db, ops, 1, BATCH_BEGIN | BATCH_COMMIT, NULL);
	}
	disconnect(c);
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
	enum rc rc;
	struct err err;
};

static void
wake(void *arg, enum rc rc, const struct err *e)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->rc = rc;
	if (e != NULL)
		w->err = *e;
	w->is_done = true;
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
}

enum rc
store_submit(struct store *s, struct change *c, change_done *done, void *arg, struct err *e)
{
	NEED(c != NULL && !c->no_memory, e, CHY_NO_MEMORY, NULL, "a change");
	NEED(!c->bad_text, e, CHY_STORE_TEXT, NULL, "text is not UTF-8 or holds a NUL");
	NEED(s->committer.running, e, CHY_STORE_CLOSED, NULL, "the store was opened for reading only");
	c->done = done;
	c->arg = arg;
	if (mq_put(&s->committer.queue, &c->item))
		return RC_OK;
	NEED(!mq_is_closed(&s->committer.queue), e, CHY_STORE_CLOSED, NULL, "the store is being closed");
	FAIL(e, CHY_QUEUE_FULL, NULL, "%d changes are waiting for the database", LIMIT_COMMIT_QUEUE);
}

enum rc
store_commit(struct store *s, struct change *c, struct err *e)
{
	struct waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };
	enum rc rc = store_submit(s, c, wake, &w, e);

	if (rc != RC_OK) {
		change_free(c);
		return rc;
	}
	pthread_mutex_lock(&w.lock);
	while (!w.is_done)
		pthread_cond_wait(&w.done, &w.lock);
	pthread_mutex_unlock(&w.lock);
	if (w.rc != RC_OK && e != NULL && e->code == CHY_NONE)
		*e = w.err;
	return w.rc;
}
