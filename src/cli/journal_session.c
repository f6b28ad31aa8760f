/* Issuing sessions that officers end before their time. */
#include "base/base.h"
#include "cli/journal_state.h"

/* Who opened it, or who may change officers of that one's domain. */
static MUST enum rc
may_close(const struct journal_verifier *v, int64_t officer, int64_t opener, struct err *e)
{
	const struct officer_state *o = pairmap_get(&v->officers, officer, 0),
				   *x = pairmap_get(&v->officers, opener, 0);
	const struct profile_state *p = o ? pairmap_get(&v->profiles, o->profile, 0) : NULL;
	roles needed = act_roles((struct act){ ACT_MODIFY, KIND_OFFICER });

	if (officer == opener)
		return RC_OK;
	NEED(p != NULL && (p->roles & needed) == needed && x != NULL &&
		 journal_domain_is_within(v, x->domain, o->domain),
	     e, CHY_JOURNAL_SIGNATURE, NULL, "officer %lld had not opened it, and may not change who had",
	     (long long)officer);
	return RC_OK;
}

static MUST enum rc
signed_closing(struct journal_verifier *v, const struct leaf_view *l, struct signed_request **ret,
	       struct err *e)
{
	struct json *by;
	int64_t id;

	TRY(json_need_object(l->leaf, "by", &by, e));
	TRY(json_need_int(by, "request", 1, JSON_INT_MAX, &id, e));
	*ret = pairmap_get(&v->requests, id, 0);
	NEED(*ret != NULL && (*ret)->signers_n > 0 && (*ret)->act.verb == ACT_SESSION_CLOSE && !(*ret)->over,
	     e, CHY_JOURNAL_SIGNATURE, NULL, "no officer's request closed it");
	return RC_OK;
}

enum rc
journal_session_closed(struct journal_verifier *v, const struct leaf_view *l, struct err *e)
{
	struct signed_request *r;
	struct session_state *s;
	int64_t id, signed_id;

	TRY(json_need_int(l->leaf, "session", 1, JSON_INT_MAX, &id, e));
	s = pairmap_get(&v->sessions, id, 0);
	NEED(s != NULL && s->closed_at_ms == 0, e, CHY_JOURNAL_SIGNATURE, NULL, "session %lld was not open",
	     (long long)id);
	TRY(signed_closing(v, l, &r, e));
	r->over = true;
	TRY(json_need_int(r->body, "session", 1, JSON_INT_MAX, &signed_id, e));
	NEED(signed_id == id, e, CHY_JOURNAL_SIGNATURE, NULL, "it is not what the officer signed");
	TRY(may_close(v, r->signers[0], s->officer, e));
	s->closed_at_ms = l->at_ms;
	return RC_OK;
}
