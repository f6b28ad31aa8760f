/* What a request comes to: its effect, or its end without one. */
#include "base/base.h"
#include "factory/request_impl.h"

#include "factory/in_force.h"
#include "store/change.h"
#include "store/read.h"

struct bytes
state_text(enum request_state s)
{
	return bytes_str(request_state_name(s));
}

enum rc
end_request(struct factory *f, struct arena *a, const struct request_row *row, enum request_state to,
	    const struct err *why, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	const struct act_row *act = act_row_of(act_of(row->act));
	struct json *m = json_object(a), *result = json_object(a);
	OWN_BUF struct buf text = buf_max(16384);
	struct change *ready;

	NEED(request_may_become(request_state_of(row->state), to), e, CHY_REQUEST_STATE, NULL,
	     "request %lld %s and does not become %s", (long long)row->id,
	     request_state_label(request_state_of(row->state)), request_state_name(to));
	json_set(m, "request", json_int(a, row->id));
	json_set(m, "from", json_str(a, row->state));
	json_set(m, "to", json_str(a, state_text(to)));
	json_set(m, "reason", json_str(a, bytes_str(why->text)));
	json_set(result, "reason", json_str(a, bytes_str(why->text)));
	json_set(result, "problem", problem_json(a, why));
	json_set(result, "at", json_time(a, clock_now_ms()));
	json_put(&text, result);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "a request's end");
	change_request_state(c, row->id, row->state, state_text(to), buf_bytes(&text));
	if (to == REQUEST_FAILED && act != NULL && act->abandon != NULL)
		act->abandon(row->id, c);
	TRY(leaf_add(f, a, c, LEAF_REQUEST_STATE, 0, row->id, m, e));
	ready = c;
	c = NULL;
	return store_commit(f->store, ready, e);
}

struct effect
effect_of(struct signing *s)
{
	return (struct effect){ .f = s->f,
				.a = s->a,
				.policy = s->policy,
				.request = &s->request,
				.signer = s->n ? s->signatures[s->n - 1].officer : s->request.prepared_by,
				.signers = s->signatures,
				.signers_n = s->n,
				.result = json_object(s->a) };
}

enum rc
put_effect(struct signing *s, struct effect *x, struct change *c, struct err *e)
{
	const struct act_row *act = act_row_of(s->request.act);
	OWN_BUF struct buf result = buf_max(LIMIT_REQUEST_ARENA);

	TRY(act->apply(x, c, e));
	json_put(&result, x->result);
	NEED(buf_ok(&result), e, CHY_NO_MEMORY, NULL, "the result");
	change_request_state(c, s->row.id, state_text(REQUEST_SIGNED), state_text(REQUEST_DONE),
			     buf_bytes(&result));
	s->row.result = arena_dup(s->a, buf_bytes(&result));
	return RC_OK;
}

void
bring_into_force(struct signing *s)
{
	struct err e = { 0 };
	enum rc rc = fault_fails("factory.load-after-act") ? err_set(&e, CHY_INTERNAL, NULL, "asked to fail")
							   : policy_load(s->f, &e);

	if (rc != RC_OK)
		LOG(ERROR, "policy.not-in-force", LI("request", s->row.id), LE(&e));
}

static bool
is_passing(enum rc rc)
{
	return rc == RC_AGAIN || rc == RC_PEER || rc == RC_NOMEM;
}

static enum rc
work_into(struct signing *s, struct effect *x, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct change *ready;

	x->change = c;
	TRY(act_row_of(s->request.act)->work(x, e));
	FAULT("factory.after-work");
	TRY(put_effect(s, x, c, e));
	NEED(!fault_fails("factory.commit-work"), e, CHY_STORE_DOWN, NULL, "asked to fail");
	ready = c;
	c = NULL;
	return store_commit(s->f->store, ready, e);
}

/* What was signed in vain is taken over before it would be signed again. */
static enum rc
work_once(struct signing *s, struct err *e)
{
	struct effect x = effect_of(s);
	enum rc rc = work_into(s, &x, e);

	if (rc != RC_OK && x.has_signed)
		doubt_raise(&s->f->doubt);
	TRY(rc);
	s->row.state = state_text(REQUEST_DONE);
	bring_into_force(s);
	return RC_OK;
}

/* What reconcile has stored meanwhile is found the second time. */
static enum rc
work_and_apply(struct signing *s, struct err *e)
{
	enum rc rc = work_once(s, e);

	if (rc == RC_OK || (e->code != CHY_STORE_EXISTS && e->code != CHY_STORE_KEY_USED))
		return rc;
	err_clear(e);
	return work_once(s, e);
}

/* Not before the store has all that was signed for it: what becomes of that is said by the end. */
static bool
may_end(const struct signing *s)
{
	return act_row_of(s->request.act)->abandon == NULL || !doubt_is(&s->f->doubt);
}

static enum rc
carry_out_alone(struct signing *s, struct err *e)
{
	struct err also = { 0 };
	enum rc rc;

	TRY(store_request(s->f->store, s->a, s->row.id, &s->row, e));
	if (!bytes_eq(s->row.state, state_text(REQUEST_SIGNED)))
		return RC_OK; /* another thread has done it meanwhile */
	rc = work_and_apply(s, e);
	if (rc == RC_OK || is_passing(rc))
		return rc;
	if (!may_end(s)) {
		err_clear(e);
		FAIL(e, CHY_REPAIRING, NULL, "what was signed for request %lld is put right first: try again",
		     (long long)s->row.id);
	}
	if (end_request(s->f, s->a, &s->row, REQUEST_FAILED, e, &also) != RC_OK)
		LOG(ERROR, "request.state-not-written", LI("request", s->row.id), LE(&also));
	return rc;
}

enum rc
carry_out(struct signing *s, struct err *e)
{
	struct acting_on on = { .request = s->row.id };
	enum rc rc;

	acting_enter(&s->f->acting, &on);
	rc = carry_out_alone(s, e);
	acting_leave(&s->f->acting, &on);
	return rc;
}

enum rc
carry_on(struct signing *s, bool *ret_done, struct err *e)
{
	struct acting_on on = { .request = s->row.id };
	enum rc rc;

	*ret_done = false;
	if (!acting_try(&s->f->acting, &on))
		return RC_OK;
	rc = carry_out_alone(s, e);
	acting_leave(&s->f->acting, &on);
	*ret_done = rc == RC_OK;
	return rc;
}
