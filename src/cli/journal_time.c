/* The times that leaves claim, against those of the heads around them. */
#include "base/base.h"
#include "cli/journal_state.h"

/* The sequencer found the clock set back: what comes is older than the last head. Whoever verifies is told. */
enum rc
journal_time_clock(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct bytes was;
	int64_t was_ms;

	TRY(json_need_str(l->leaf, "was", &was, e));
	TRY(time_parse(was, &was_ms, e));
	NEED(was_ms == v->sum.head_at_ms, e, CHY_JOURNAL_ALTERED, NULL,
	     "it says that the clock was set back, but from another time than the last head's");
	v->sum.clocks++;
	if (l->at_ms < v->floor_ms)
		v->floor_ms = l->at_ms;
	return RC_OK;
}

/* Taken over from the signer's journal after a failure: its own leaf is as old as the signature. */
enum rc
journal_time_adopted(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct certificate_state *certificate;
	struct row_state *late;
	int64_t id;

	TRY(json_need_int(l->leaf, "certificate", 1, JSON_INT_MAX, &id, e));
	late = pairmap_get(&v->late, id, 0);
	if (late != NULL)
		late->found = true;
	certificate = pairmap_get(&v->certificates, id, 0);
	if (certificate != NULL)
		certificate->adopted = l->id;
	return RC_OK;
}

/* Is its time one at which it can have come here? */
enum rc
journal_time_leaf(struct journal_verifier *v, const struct leaf_view *l, struct bytes kind, struct err *e)
{
	if (l->at_ms > v->newest_ms)
		v->newest_ms = l->at_ms;
	if (l->at_ms >= v->floor_ms - LEAF_LATE_MS || bytes_is(kind, "clock"))
		return RC_OK;
	if (bytes_is(kind, "certificate") || bytes_is(kind, "ca-certificate") ||
	    bytes_is(kind, "ocsp-certificate")) {
		struct row_state *late = arena_one(v->mem, struct row_state);

		NEED(late != NULL, e, CHY_NO_MEMORY, NULL, "leaf");
		return pairmap_put(&v->late, l->id, 0, late, e);
	}
	FAIL(e, CHY_JOURNAL_ALTERED, NULL, "it claims to be %lld minutes older than the head before it",
	     (long long)(v->floor_ms - l->at_ms) / 60000);
}

enum rc
journal_time_head(struct journal_verifier *v, const struct journal_head *h, struct err *e)
{
	int64_t newest = v->newest_ms;

	v->newest_ms = 0;
	if (h->at_ms > v->sum.head_at_ms)
		v->floor_ms =
		    h->at_ms; /* the same time again: the clock was set back, and is not where it was */
	NEED(newest <= h->at_ms + LEAF_EARLY_MS, e, CHY_JOURNAL_ALTERED, NULL,
	     "a leaf that it covers claims to be %lld minutes younger",
	     (long long)(newest - h->at_ms) / 60000);
	return RC_OK;
}

enum rc
journal_time_end(struct journal_verifier *v, struct err *e)
{
	PAIRMAP_EACH(x, &v->late)
	{
		const struct row_state *late = x->value;
		struct err why = { 0 };

		if (late->found)
			continue;
		snprintf(v->where, sizeof(v->where), "certificate %lld", (long long)x->a);
		TRY(journal_found(
		    v,
		    err_set(&why, CHY_JOURNAL_ALTERED, NULL,
			    "its leaf claims to be much older than the head before it, and was not "
			    "taken over from the signer's journal"),
		    &why, e));
	}
	return RC_OK;
}
