/* An officer has a revocation list built at once, whenever the next one is due. The list itself is the job's, as always. */
#include "base/base.h"
#include "factory/acts.h"

#include "factory/list_wish.h"
#include "policy/find.h"

static MUST enum rc
read_delta(const struct json *body, bool *ret, struct err *e)
{
	static const char *const names[] = { "crl_procedure", "delta", NULL };

	*ret = false;
	TRY(json_only(body, names, e));
	return json_opt_bool(body, "delta", ret, e);
}

static MUST enum rc
check_procedure(const struct snapshot *policy, struct doc_id id, bool delta, struct err *e)
{
	const struct crl_procedure *p = snapshot_crl_procedure(policy, id);

	NEED(p != NULL && !crl_is_over(p, clock_now_ms()) && p->built, e, CHY_CRL_NONE, NULL,
	     "this server builds no list by it");
	NEED(!delta || p->has_delta, e, CHY_CRL_NONE, NULL, "it has no delta lists");
	return RC_OK;
}

static MUST enum rc
difference(struct preparation *p, const struct document *d, bool delta, struct err *e)
{
	p->difference = json_array(p->a);
	act_difference(p->a, p->difference, "crl_procedure",
		       bytes_str(delta ? "Delta list to be built" : "Complete list to be built"), BYTES_NONE,
		       d->name);
	NEED(p->difference != NULL && p->difference->count == 1, e, CHY_NO_MEMORY, NULL, "the difference");
	return RC_OK;
}

enum rc
crl_act_check(struct preparation *p, struct err *e)
{
	const struct document *d;
	bool delta;

	TRY(read_delta(p->in, &delta, e));
	TRY_AT(find_named(p->policy, KIND_CRL_PROCEDURE, p->in, "crl_procedure", p->who->domain, &d, e), e,
	       "crl_procedure");
	TRY_AT(check_procedure(p->policy, d->id, delta, e), e, "crl_procedure");
	p->body = json_object(p->a);
	json_set(p->body, "crl_procedure", json_int(p->a, d->id.v));
	if (delta)
		json_set(p->body, "delta", json_bool(p->a, true));
	return difference(p, d, delta, e);
}

enum rc
crl_act_apply(struct effect *x, struct change *c, struct err *e)
{
	bool delta = false;
	int64_t id;

	TRY(json_need_int(x->request->body, "crl_procedure", 1, JSON_INT_MAX, &id, e));
	TRY(json_opt_bool(x->request->body, "delta", &delta, e));
	TRY(check_procedure(x->policy, (struct doc_id){ id }, delta,
			    e)); /* it may have been closed meanwhile */
	list_wish_put(x->f, c, KIND_CRL_PROCEDURE, doc_id_of(id), delta);
	json_set(x->result, "crl_procedure", json_int(x->a, id));
	return RC_OK;
}
