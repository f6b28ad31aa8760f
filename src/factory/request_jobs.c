/* What runs by itself: signed requests are carried on with, unsigned ones lapse. */
#include "base/base.h"
#include "factory/requests.h"

#include "factory/request_impl.h"
#include "store/read.h"

static enum rc
resume_one(struct factory *f, int64_t id, bool *ret_done, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	struct signing s = { .f = f, .a = a, .policy = policy };

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(load_signing(&s, request_id_of(id), e));
	return carry_on(&s, ret_done, e);
}

enum { JOB_PAGE = 100 };

/* Once a cause: requests that wait for a key store are tried every few seconds, for days. */
static void
tell_not_carried_on(struct resuming *r, int64_t id, const struct err *why)
{
	r->failed = true;
	for (size_t i = 0; i < r->told_n; i++)
		if (r->told[i] == why->code)
			return;
	if (r->told_n == ARRAY_LEN(r->told))
		r->told_n = 0;
	r->told[r->told_n++] = why->code;
	LOG(WARNING, "request.not-carried-on", LI("request", id), LE(why));
}

static void
walked_through(struct resuming *r)
{
	if (!r->failed)
		r->told_n = 0;
	r->failed = false;
	r->after = 0;
}

enum rc
requests_resume(struct factory *f, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *a = NULL;
	struct resuming *r = &f->resuming;
	struct number_row *ids;
	size_t n, done = 0;

	*ret_more = false;
	if (!signer_is_there(f->signer)) /* each of them needs it */
		return RC_OK;
	NEED((a = arena_new(LIMIT_REQUEST_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "requests");
	TRY(store_request_ids(f->store, a, state_text(REQUEST_SIGNED), r->after, JOB_PAGE, &ids, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct err why = { 0 };
		bool carried_on = false;

		r->after = ids[i].value;
		if (resume_one(f, ids[i].value, &carried_on, &why) != RC_OK)
			tell_not_carried_on(r, ids[i].value, &why);
		if (!carried_on)
			continue;
		LOG(INFO, "request.carried-on", LI("request", ids[i].value));
		done++;
	}
	if (n < JOB_PAGE)
		walked_through(r);
	*ret_more = n == JOB_PAGE && done > 0;
	return RC_OK;
}

/* The row says when it lapses unsigned; once signed, the time of the first signature counts. */
static enum rc
waited_too_long(struct factory *f, struct arena *a, int64_t id, bool *ret, struct err *e)
{
	struct signature_row *rows;
	size_t n;

	TRY(store_signatures(f->store, a, id, &rows, &n, e));
	*ret = n == 0 || rows[0].at + REQUEST_WAITING_MS <= clock_now_ms();
	return RC_OK;
}

static enum rc
expire_one(struct factory *f, enum request_state state, int64_t id, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	const struct request_row row = { .id = id, .state = state_text(state) };
	struct err why = { 0 };
	bool over = true;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	if (state == REQUEST_WAITING)
		TRY(waited_too_long(f, a, id, &over, e));
	if (!over)
		return RC_OK;
	(void)err_set(&why, CHY_REQUEST_EXPIRED, NULL, "nobody signed it in time");
	rc = end_request(f, a, &row, REQUEST_EXPIRED, &why, e);
	if (rc != RC_OK && e->code == CHY_STORE_STATE) { /* somebody did meanwhile */
		err_clear(e);
		return RC_OK;
	}
	return rc;
}

static enum rc
expire(struct factory *f, enum request_state state, struct err *e)
{
	int64_t after = 0;
	size_t n;

	do {
		OWN(arena_free)
		struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
		struct number_row *ids;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "requests");
		TRY(store_requests_expired(f->store, a, state_text(state), clock_now_ms(), after, JOB_PAGE,
					   &ids, &n, e));
		for (size_t i = 0; i < n; i++) {
			after = ids[i].value;
			TRY(expire_one(f, state, after, e));
		}
	} while (n == JOB_PAGE);
	return RC_OK;
}

enum rc
requests_expire(struct factory *f, struct err *e)
{
	TRY(expire(f, REQUEST_PREPARED, e));
	return expire(f, REQUEST_WAITING, e);
}
