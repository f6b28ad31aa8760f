#include "base/base.h"
#include "store/core.h"

#include <endian.h>

/* Leases of jobs, and idempotency keys: read by the pool, written through the committer. */

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })

static enum rc
commit_op(struct store *s, enum stmt_id stmt, const union value *args, struct err *e)
{
	struct change *c = change_new();

	change_op(c, stmt, args);
	return store_commit(s, c, e);
}

enum rc
store_job_take(struct store *s, const char *job, int64_t owner, int64_t lease_ms, int64_t *ret_cursor,
	       struct err *e)
{
	union value name = BYTES_VALUE(bytes_str(job));
	OWN(arena_free)
	struct arena *a = arena_new(64 << 10);
	struct job_row row;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a job");
	TRY(commit_op(s, Q_JOB_TAKE, ARGS(name, INT_VALUE(owner), INT_VALUE(lease_ms)), e));
	TRY(store_row(s, a, Q_JOB, &name, &row, e));
	NEED(row.owner == owner, e, CHY_STORE_LEASE, NULL, "the lease of %s has gone to another process",
	     job);
	if (ret_cursor != NULL)
		*ret_cursor = row.cursor;
	return RC_OK;
}

enum rc
store_job_drop(struct store *s, const char *job, int64_t owner, struct err *e)
{
	return commit_op(s, Q_JOB_DROP, ARGS(BYTES_VALUE(bytes_str(job)), INT_VALUE(owner)), e);
}

static int64_t
slot_of(struct bytes key)
{
	uint64_t slot = 0;

	memcpy(&slot, key.p, key.n < sizeof(slot) ? key.n : sizeof(slot));
	return (int64_t)be64toh(slot);
}

enum rc
store_idempotency(struct store *s, struct arena *a, struct bytes key, struct idempotency_row *ret,
		  struct err *e)
{
	struct slot_row full;

	TRY(store_row(s, a, Q_IDEMPOTENCY, ARGS(INT_VALUE(slot_of(key))), &full, e));
	NEED(bytes_eq(full.row.key, key), e, CHY_STORE_NOT_FOUND, NULL, "no such key");
	*ret = full.row;
	return RC_OK;
}

enum rc
store_idempotency_expire(struct store *s, unsigned slice, int64_t before_at, int64_t *deleted, struct err *e)
{
	int64_t low = (int64_t)((uint64_t)(slice & 255) << 56), high = low | (int64_t)(UINT64_MAX >> 8),
		old = 0;
	const union value args[] = { INT_VALUE(low), INT_VALUE(high), INT_VALUE(before_at) };

	TRY(store_number(s, Q_IDEMPOTENCY_OLD, args, &old, e));
	if (old > 0)
		TRY(commit_op(s, Q_IDEMPOTENCY_EXPIRE, args, e));
	if (deleted != NULL)
		*deleted = old;
	return RC_OK;
}

enum rc
store_selections_forget(struct store *s, int64_t before_at, struct err *e)
{
	const union value args[] = { INT_VALUE(before_at) };
	int64_t old = 0;

	TRY(store_number(s, Q_SELECTIONS_OLD, args, &old, e));
	return old > 0 ? commit_op(s, Q_SELECTIONS_FORGET, args, e) : RC_OK;
}
