/*
 * certificate.activate-ocsp: from now on the OCSP responder may tell that these certificates are good, where their authority
 * leaves it to an officer. Each is decided on twice, and has an outcome of its own.
 */
#include "base/base.h"
#include "factory/act_each.h"

#include "policy/body.h"
#include "policy/ocsp.h"
#include "store/read.h"

/* ---- one certificate ---- */

static MUST enum rc
judge(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
      int64_t id, struct status_subject *ret, struct err *e)
{
	const struct status_wish wish = { .verb = STATUS_REINSTATE };
	struct activation_facts facts;
	struct activation_row row;

	TRY(status_load(f, a, policy, id, who->name_constraints.n > 0, ret, e));
	TRY(store_activation(f->store, a, id, &row, e));
	TRY(status_facts_of(f, a, policy, who, ret, &wish, &facts.status, e));
	facts.activated = row.certificate != 0;
	if (facts.status.authority == NULL)
		FAIL(e, CHY_STATUS_UNSEEN, NULL, "there is no certificate %lld", (long long)id);
	return decide_activation(a, &facts, e);
}

static MUST enum rc
list_of(const struct json *body, struct json **ret, struct err *e)
{
	static const char *const names[] = { "certificates", NULL };

	TRY(json_only(body, names, e));
	return json_need_array(body, "certificates", ret, e);
}

static MUST enum rc
put(struct effect *x, struct change *c, const struct status_subject *s, struct json *leaf,
    struct json *outcome, struct err *e)
{
	int64_t now = clock_now_ms();

	change_put_activation(c, &(struct activation_row){ s->row.id, now, x->request->id.v });
	json_set(outcome, "state", json_str(x->a, bytes_str(cert_state_name(s->status.state))));
	json_set(outcome, "ocsp_activated_at", json_time(x->a, now));
	return leaf_add(x->f, x->a, c, LEAF_OCSP_ACTIVATION, 0, s->row.id, leaf, e);
}

static const struct each_act activation = { list_of, judge, put, "not activated for OCSP",
					    "activated for OCSP" };

enum rc
ocsp_act_check(struct preparation *p, struct err *e)
{
	return each_check(p, &activation, e);
}

enum rc
ocsp_act_apply(struct effect *x, struct change *c, struct err *e)
{
	enum rc rc = each_apply(x, c, &activation, e);

	if (rc == RC_OK || e->code != CHY_OCSP_ACTIVATED)
		return rc;
	err_clear(e); /* somebody else did it since it was prepared */
	err_field(e, "certificates");
	FAIL(e, CHY_STATUS_STALE, NULL, "it is activated for OCSP already");
}
