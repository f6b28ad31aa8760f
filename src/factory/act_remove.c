/*
 * certificate.remove: certificates leave the store, with all that is searched by and shown of them. The journal keeps its leaves,
 * and gets one more of each, so that who they were issued to, by whose word and what became of them stays provable. Two officers sign.
 */
#include "base/base.h"
#include "factory/act_each.h"

#include "factory/search_values.h"
#include "policy/body.h"
#include "policy/removal.h"
#include "store/read.h"

static MUST enum rc
judge(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
      int64_t id, struct status_subject *ret, struct err *e)
{
	const struct status_wish wish = { .verb = STATUS_REINSTATE };
	struct removal_facts facts = { .authority = NULL };
	int64_t uses;

	TRY(status_load(f, a, policy, id, who->name_constraints.n > 0, ret, e));
	TRY(status_facts_of(f, a, policy, who, ret, &wish, &facts.status, e));
	TRY(store_certificate_uses(f->store, a, id, &uses, e));
	facts.authority = snapshot_authority(policy, doc_id_of(ret->row.issuer));
	if (facts.status.authority == NULL || facts.authority == NULL)
		FAIL(e, CHY_STATUS_UNSEEN, NULL, "there is no certificate %lld", (long long)id);
	facts.officers = status_officer(a, policy, &ret->row) != NULL;
	facts.uses = (unsigned)uses;
	facts.not_after_ms = ret->row.not_after;
	return decide_removal(a, &facts, e);
}

static MUST enum rc
list_of(const struct json *body, struct json **ret, struct err *e)
{
	static const char *const names[] = { "certificates", "reason", NULL };
	struct bytes reason;

	TRY(json_only(body, names, e));
	TRY(json_need_str(body, "reason", &reason, e));
	if (reason.n < 1 || reason.n > 1000) {
		err_field(e, "reason");
		FAIL(e, CHY_LIMIT, NULL, "1 to 1000 octets");
	}
	return json_need_array(body, "certificates", ret, e);
}

static MUST enum rc
put(struct effect *x, struct change *c, const struct status_subject *s, struct json *leaf,
    struct json *outcome, struct err *e)
{
	const struct removed_row row = { .id = s->row.id,
					 .issuer = s->row.issuer,
					 .serial = s->row.serial,
					 .fingerprint = s->row.fingerprint,
					 .at = clock_now_ms(),
					 .request_id = x->request->id.v,
					 .leaf = factory_new_id(x->f) };

	TRY(search_values_remove(x->f, x->a, c, &s->row, e));
	change_remove_certificate(c, &row, s->row.not_before);
	json_set(outcome, "outcome", json_str(x->a, BYTES("removed")));
	return leaf_add(x->f, x->a, c, LEAF_REMOVED, row.leaf, row.id, leaf, e);
}

static const struct each_act removal = { list_of, judge, put, "in the store",
					 "removed; the journal keeps what is said of it" };

enum rc
remove_act_check(struct preparation *p, struct err *e)
{
	return each_check(p, &removal, e);
}

enum rc
remove_act_apply(struct effect *x, struct change *c, struct err *e)
{
	TRY(each_apply(x, c, &removal, e));
	FAULT("factory.before-removal");
	return RC_OK;
}
