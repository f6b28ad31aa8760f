#include "base/base.h"
#include "factory/acts.h"

#include "policy/approval.h"
#include "store/read.h"

/*
 * Withdrawing and rejecting: acts that end another request before it takes effect. They are signed like every act, so that
 * who ended it, and why, is as certain as who asked for it.
 */

enum { REASON_MAX = 1000 };

/* {"request": id, "reason": text} */
struct ending {
	struct bytes reason;
	struct request_row row;
	struct request request;
	enum request_state to;
};

static enum rc
reason_check(struct bytes reason, struct err *e)
{
	NEED(text_trim(reason).n > 0, e, CHY_FIELD_EMPTY, NULL, "a reason is needed");
	NEED(reason.n <= REASON_MAX, e, CHY_FIELD_TOO_LONG, NULL, "at most %d octets", REASON_MAX);
	return RC_OK;
}

static enum rc
ending_read(struct factory *f, struct arena *a, struct act act, const struct json *body, struct ending *ret,
	    struct err *e)
{
	static const char *const names[] = { "request", "reason", NULL };
	int64_t id;

	TRY(json_only(body, names, e));
	TRY(json_need_int(body, "request", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_str(body, "reason", &ret->reason, e));
	TRY_AT(reason_check(ret->reason, e), e, "reason");
	TRY_AT(store_request(f->store, a, id, &ret->row, e), e, "request");
	ret->to = act.verb == ACT_REJECT ? REQUEST_REJECTED : REQUEST_WITHDRAWN;
	TRY(request_read(a, &ret->row, &ret->request, e));
	return request_facts(f, a, &ret->request, e);
}

/* Asked when it is prepared and again of whoever has signed it. */
static enum rc
ending_may(struct factory *f, struct arena *a, const struct ending *x, const struct snapshot *policy,
	   const struct officer *who, struct err *e)
{
	NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "no such officer");
	if (x->to != REQUEST_REJECTED)
		return decide_withdraw(&x->request, who->id, e);
	TRY(decide_reject(policy, &x->request, who, e));
	return request_may_see(f, a, policy, who, &x->row, &x->request, e);
}

static struct json *
ending_difference(struct arena *a, const struct ending *x)
{
	struct json *list = json_array(a);
	char act[64];

	act_difference(a, list, "state",
		       bytes_str(arena_printf(a, "Request %lld, %s", (long long)x->row.id,
					      act_name(act, x->request.act))),
		       x->row.state, bytes_str(request_state_name(x->to)));
	return list;
}

enum rc
ending_act_check(struct preparation *p, struct err *e)
{
	struct ending x = { 0 };

	TRY(ending_read(p->f, p->a, p->act, p->in, &x, e));
	TRY(ending_may(p->f, p->a, &x, p->policy, p->who, e));
	p->body = json_copy(p->a, p->in);
	p->difference = ending_difference(p->a, &x);
	NEED(p->body != NULL && p->difference != NULL, e, CHY_NO_MEMORY, NULL, "a request's end");
	return RC_OK;
}

static struct bytes
ending_result(struct effect *x, const struct ending *end, struct buf *text)
{
	struct json *o = json_object(x->a);

	json_set(o, "reason", json_str(x->a, end->reason));
	json_set(o, "by", by_request(x->a, x->request->id));
	json_put(text, o);
	return buf_bytes(text);
}

enum rc
ending_act_apply(struct effect *x, struct change *c, struct err *e)
{
	OWN_BUF struct buf text = buf_max(8 * REASON_MAX);
	struct json *m = json_object(x->a);
	struct bytes to, result;
	struct ending end = { 0 };

	TRY(ending_read(x->f, x->a, x->request->act, x->request->body, &end, e));
	TRY(ending_may(x->f, x->a, &end, x->policy, snapshot_officer(x->policy, x->signer), e));
	to = bytes_str(request_state_name(end.to));
	result = ending_result(x, &end, &text);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "a request's end");
	change_request_state(c, end.row.id, end.row.state, to, result);
	json_set(m, "request", json_int(x->a, end.row.id));
	json_set(m, "from", json_str(x->a, end.row.state));
	json_set(m, "to", json_str(x->a, to));
	json_set(m, "reason", json_str(x->a, end.reason));
	json_set(m, "by", by_request(x->a, x->request->id));
	json_set(x->result, "request", json_int(x->a, end.row.id));
	json_set(x->result, "state", json_str(x->a, to));
	return leaf_add(x->f, x->a, c, LEAF_REQUEST_STATE, 0, end.row.id, m, e);
}
