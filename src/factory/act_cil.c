/* An officer has an issuance list built at once, whenever the next one is due. The list itself is the job's, as always. */
#include "base/base.h"
#include "factory/acts.h"

#include "factory/list_wish.h"
#include "policy/find.h"

static MUST enum rc
check_procedure(const struct snapshot *policy, struct doc_id id, struct err *e)
{
	const struct cil_procedure *p = snapshot_cil_procedure(policy, id);

	NEED(p != NULL && !cil_is_over(p, clock_now_ms()), e, CHY_CIL_NONE, NULL,
	     "it is closed, or its authority is");
	return RC_OK;
}

static MUST enum rc
difference(struct preparation *p, const struct document *d, struct err *e)
{
	p->difference = json_array(p->a);
	act_difference(p->a, p->difference, "cil_procedure", BYTES("Issuance list to be built"), BYTES_NONE,
		       d->name);
	NEED(p->difference != NULL && p->difference->count == 1, e, CHY_NO_MEMORY, NULL, "the difference");
	return RC_OK;
}

enum rc
cil_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "cil_procedure", NULL };
	const struct document *d;

	TRY(json_only(p->in, names, e));
	TRY_AT(find_named(p->policy, KIND_CIL_PROCEDURE, p->in, "cil_procedure", p->who->domain, &d, e), e,
	       "cil_procedure");
	TRY_AT(check_procedure(p->policy, d->id, e), e, "cil_procedure");
	p->body = json_object(p->a);
	json_set(p->body, "cil_procedure", json_int(p->a, d->id.v));
	return difference(p, d, e);
}

enum rc
cil_act_apply(struct effect *x, struct change *c, struct err *e)
{
	int64_t id;

	TRY(json_need_int(x->request->body, "cil_procedure", 1, JSON_INT_MAX, &id, e));
	TRY(check_procedure(x->policy, doc_id_of(id), e)); /* it may have been closed meanwhile */
	list_wish_put(x->f, c, KIND_CIL_PROCEDURE, doc_id_of(id), false);
	json_set(x->result, "cil_procedure", json_int(x->a, id));
	return RC_OK;
}
