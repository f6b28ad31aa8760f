/*
 * certificate.activate-ocsp: from now on the OCSP responder may tell that these certificates are good, where their authority
 * leaves it to an officer. Each is decided on twice, and has an outcome of its own.
 */
#include "base/base.h"
#include "factory/acts.h"

#include "factory/status.h"
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
	TRY(json_need_array(body, "certificates", ret, e));
	if ((*ret)->count >= 1 && (*ret)->count <= LIMIT_BULK_STATUS)
		return RC_OK;
	err_field(e, "certificates");
	FAIL(e, CHY_LIMIT, NULL, "1 to %d certificates", LIMIT_BULK_STATUS);
}

/* ---- preparing ---- */

static void
add_line(struct preparation *p, size_t i, const struct status_subject *x)
{
	struct json *o = json_object(p->a);

	json_set(o, "field", json_str(p->a, bytes_str(arena_printf(p->a, "certificates[%zu]", i))));
	json_set(o, "label",
		 json_str(p->a,
			  bytes_str(arena_printf(p->a, "Certificate %lld, %.*s", (long long)x->row.id,
						 BYTES_FMT(bytes_part(x->row.subject, 0, 300))))));
	json_set(o, "old", json_str(p->a, BYTES("not activated for OCSP")));
	json_set(o, "new", json_str(p->a, BYTES("activated for OCSP")));
	json_add(p->difference, o);
}

static MUST enum rc
prepare_one(struct preparation *p, const struct json *item, size_t i, struct json *list, struct err *e)
{
	struct json *o = json_object(p->a);
	struct status_subject x;
	int64_t id = item->type == JSON_INT ? item->integer : body_int(item, "certificate", 0);

	JSON_EACH(before, list)
	NEED(body_int(before, "certificate", 0) != id, e, CHY_FIELD_TWICE, NULL,
	     "certificate %lld stands twice", (long long)id);
	TRY(judge(p->f, p->a, p->policy, p->who, id, &x, e));
	json_set(o, "certificate", json_int(p->a, x.row.id));
	json_set(o, "certificate_sha256", json_hex(p->a, x.row.fingerprint));
	json_add(list, o);
	add_line(p, i, &x);
	return RC_OK;
}

enum rc
ocsp_act_check(struct preparation *p, struct err *e)
{
	struct json *list = json_array(p->a), *asked;
	size_t n = 0;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(list_of(p->body, &asked, e));
	JSON_EACH(item, asked)
	{
		TRY_AT(prepare_one(p, item, n, list, e), e, "certificates[%zu]", n);
		n++;
	}
	json_set(p->body, "certificates", list);
	return RC_OK;
}

/* ---- taking effect ---- */

static MUST enum rc
take_one(struct effect *x, struct change *c, const struct json *item, struct json *o, struct err *e)
{
	const struct officer *who = snapshot_officer(x->policy, x->signer);
	struct json *m = json_object(x->a);
	int64_t now = clock_now_ms();
	struct status_subject s;
	struct bytes hash;

	NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
	TRY(judge(x->f, x->a, x->policy, who, body_int(item, "certificate", 0), &s, e));
	TRY(json_need_str(item, "certificate_sha256", &hash, e));
	NEED(bytes_eq(json_hex(x->a, s.row.fingerprint)->str, hash), e, CHY_STATUS_UNSEEN, NULL,
	     "it is another certificate");
	change_put_activation(c, &(struct activation_row){ s.row.id, now, x->request->id.v });
	json_set(m, "by", by_request(x->a, x->request->id));
	json_set(m, "certificate", json_int(x->a, s.row.id));
	json_set(m, "certificate_sha256", json_hex(x->a, s.row.fingerprint));
	json_set(o, "state", json_str(x->a, bytes_str(cert_state_name(s.status.state))));
	json_set(o, "ocsp_activated_at", json_time(x->a, now));
	return leaf_add(x->f, x->a, c, LEAF_OCSP_ACTIVATION, 0, s.row.id, m, e);
}

enum rc
ocsp_act_apply(struct effect *x, struct change *c, struct err *e)
{
	struct json *outcomes = json_array(x->a), *asked;
	struct err first = { 0 };
	size_t done = 0;

	TRY(list_of(x->request->body, &asked, e));
	JSON_EACH(item, asked)
	{
		struct json *o = json_object(x->a);
		struct err why = { 0 };
		enum rc rc;

		json_set(o, "certificate", json_int(x->a, body_int(item, "certificate", 0)));
		rc = take_one(x, c, item, o, &why);
		NEED(rc == RC_OK || is_refusal(rc), e, why.code, NULL, "%s", why.text);
		done += rc == RC_OK;
		if (rc != RC_OK)
			json_set(o, "problem", problem_json(x->a, &why));
		if (rc != RC_OK && first.code == CHY_NONE)
			first = why;
		json_add(outcomes, o);
	}
	if (done == 0) {
		err_field(e, "certificates");
		FAIL(e, first.code == CHY_OCSP_ACTIVATED ? CHY_STATUS_STALE : first.code, NULL, "%s",
		     first.text);
	}
	json_set(x->result, "certificates", outcomes);
	return RC_OK;
}
