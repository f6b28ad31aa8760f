#include "base/base.h"
#include "factory/unclaimed.h"

#include "factory/status.h"
#include "store/read.h"

enum { UNCLAIMED_PAGE = 100 };

enum rc
unclaimed_claim(struct factory *f, struct arena *a, int64_t certificate, struct err *e)
{
	struct change *c;
	bool there;
	enum rc rc;

	TRY(store_is_unclaimed(f->store, a, certificate, &there, e));
	if (!there)
		return RC_OK;
	c = change_new();
	change_drop_unclaimed(c, certificate);
	rc = store_commit(f->store, c, e);
	if (rc == RC_OK || e->code != CHY_STORE_STATE)
		return rc;
	err_clear(e); /* somebody else had it, or it was revoked: it is not unclaimed any more */
	return RC_OK;
}

static bool
is_due(const struct snapshot *policy, const struct unclaimed_row *row, const struct status_subject *x)
{
	const struct document *authority = snapshot_document(policy, doc_id_of(x->row.issuer));
	struct revocation_policy p = revocation_policy_of(policy,
							  authority ? authority->domain : doc_id_of(0));

	return duration_add(row->at, p.unclaimed_after) <= clock_now_ms();
}

static enum rc
put_revocation(struct factory *f, struct arena *a, struct change *c, const struct unclaimed_row *row,
	       const struct status_subject *x, struct err *e)
{
	const struct status_wish wish = { .verb = STATUS_REVOKE, .reason = REASON_CESSATION };
	struct json *more = json_object(a), *by = json_object(a);
	struct status_decision d;

	change_drop_unclaimed(c, row->certificate);
	if (decide_unclaimed((enum cert_state)x->status.state, x->status.at, clock_now_ms(), &d, NULL) !=
	    RC_OK)
		return RC_OK; /* an officer was faster */
	json_set(by, "adopted", json_int(a, row->leaf));
	json_set(more, "by", by);
	return status_put(f, a, c, x, &d, &wish, more, e);
}

/* CHY_STORE_STATE: it was claimed meanwhile, or an officer has changed its state; nothing was done. */
static enum rc
revoke_one(struct factory *f, const struct snapshot *policy, const struct unclaimed_row *row, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	OWN(change_free)
	struct change *c = change_new();
	struct status_subject x;
	struct change *ready;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an unclaimed certificate");
	TRY(status_load(f, a, policy, row->certificate, false, &x, e));
	if (!is_due(policy, row, &x))
		return RC_OK;
	TRY(put_revocation(f, a, c, row, &x, e));
	FAULT("factory.before-unclaimed");
	ready = c;
	c = NULL;
	TRY(store_commit(f->store, ready, e));
	FAULT("factory.after-unclaimed");
	status_changed(f);
	LOG(WARNING, "unclaimed.revoked", LI("certificate", row->certificate));
	return RC_OK;
}

static enum rc
revoke_page(struct factory *f, const struct snapshot *policy, int64_t *after, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct unclaimed_row *rows;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "unclaimed certificates");
	TRY(store_unclaimed(f->store, a, *after, UNCLAIMED_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n; i++) { /* one that fails does not keep the others waiting; it comes again */
		struct err why = { 0 };
		enum rc rc;

		*after = rows[i].certificate;
		pthread_mutex_lock(&f->revoking);
		rc = revoke_one(f, policy, &rows[i], &why);
		pthread_mutex_unlock(&f->revoking);
		if (rc != RC_OK && why.code != CHY_STORE_STATE)
			LOG(ERROR, "unclaimed.not-revoked", LI("certificate", rows[i].certificate), LE(&why));
	}
	*ret_more = n == UNCLAIMED_PAGE;
	return RC_OK;
}

enum rc
unclaimed_revoke(struct factory *f, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	int64_t after = 0;
	bool more = true;

	while (more)
		TRY(revoke_page(f, policy, &after, &more, e));
	return RC_OK;
}
