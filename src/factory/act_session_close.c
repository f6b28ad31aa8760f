/* Ending an issuing session before its time: a token that has got out, a machine that is gone. */
#include "base/base.h"
#include "factory/acts.h"

#include "policy/body.h"
#include "policy/rights.h"
#include "store/read.h"

enum { REASON_LONGEST = 1000 };

struct closing {
	struct session_row row;
	struct bytes reason;
};

/* Of whoever may not know of it, it is not told apart from one that is not there. */
static MUST enum rc
read_closing(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	     const struct json *body, struct closing *ret, struct err *e)
{
	static const char *const names[] = { "session", "reason", NULL };
	int64_t id;

	TRY(json_only(body, names, e));
	TRY(json_need_int(body, "session", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_str(body, "reason", &ret->reason, e));
	NEED(text_trim(ret->reason).n > 0, e, CHY_FIELD_EMPTY, NULL, "a reason is needed");
	NEED(ret->reason.n <= REASON_LONGEST, e, CHY_FIELD_TOO_LONG, NULL, "at most %d octets",
	     REASON_LONGEST);
	if (store_session(f->store, a, id, &ret->row, NULL) != RC_OK ||
	    may_close_session(policy, who, officer_id_of(ret->row.officer_id),
			      snapshot_officer(policy, officer_id_of(ret->row.officer_id)), NULL) != RC_OK)
		FAIL(e, CHY_STORE_NOT_FOUND, NULL, "no issuing session %lld that you may end", (long long)id);
	NEED(bytes_is(ret->row.state, "open"), e, CHY_SESSION_CLOSED, NULL, "it is closed already");
	return RC_OK;
}

enum rc
session_close_check(struct preparation *p, struct err *e)
{
	struct closing x;

	TRY(read_closing(p->f, p->a, p->policy, p->who, p->in, &x, e));
	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	act_difference(p->a, p->difference, "session",
		       bytes_str(arena_printf(p->a, "Issuing session %lld", (long long)x.row.id)),
		       BYTES("open"), BYTES("closed"));
	NEED(p->body != NULL && p->difference != NULL && p->difference->count == 1, e, CHY_NO_MEMORY, NULL,
	     "a request");
	return RC_OK;
}

enum rc
session_close_apply(struct effect *x, struct change *c, struct err *e)
{
	const struct officer *who = snapshot_officer(x->policy, x->signer);
	struct json *m = json_object(x->a);
	struct closing was;

	NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
	TRY(read_closing(x->f, x->a, x->policy, who, x->request->body, &was, e));
	change_session_state(c, was.row.id, BYTES("open"), BYTES("closed"));
	json_set(m, "session", json_int(x->a, was.row.id));
	json_set(m, "reason", json_str(x->a, was.reason));
	json_set(m, "by", by_request(x->a, x->request->id));
	TRY(leaf_add(x->f, x->a, c, LEAF_SESSION_CLOSED, 0, was.row.id, m, e));
	json_set(x->result, "session", json_int(x->a, was.row.id));
	return RC_OK;
}

/* What is kept of sessions is asked for again: its next certificate is refused already. */
void
session_close_after(struct factory *f, struct act act)
{
	atomic_fetch_add(&f->status_epoch, 1);
}
