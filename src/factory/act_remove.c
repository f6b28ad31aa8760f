/*
 * certificate.remove: certificates leave the store, with all that is searched by and shown of them. The journal keeps its leaves,
 * and gets one more of each, so that who they were issued to, by whose word and what became of them stays provable. Two officers sign.
 */
#include "base/base.h"
#include "factory/acts.h"

#include "factory/search_values.h"
#include "factory/status.h"
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
	facts.officers = status_is_officers(a, policy, &ret->row);
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
	TRY(json_need_array(body, "certificates", ret, e));
	if ((*ret)->count >= 1 && (*ret)->count <= LIMIT_BULK)
		return RC_OK;
	err_field(e, "certificates");
	FAIL(e, CHY_LIMIT, NULL, "1 to %d certificates", LIMIT_BULK);
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
	json_set(o, "old", json_str(p->a, BYTES("in the store")));
	json_set(o, "new", json_str(p->a, BYTES("removed; the journal keeps what is said of it")));
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
remove_act_check(struct preparation *p, struct err *e)
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
	struct status_subject s;
	struct removed_row row;
	struct bytes hash;

	NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
	TRY(judge(x->f, x->a, x->policy, who, body_int(item, "certificate", 0), &s, e));
	TRY(json_need_str(item, "certificate_sha256", &hash, e));
	NEED(bytes_eq(json_hex(x->a, s.row.fingerprint)->str, hash), e, CHY_STATUS_UNSEEN, NULL,
	     "it is another certificate");
	row = (struct removed_row){ .id = s.row.id,
				    .issuer = s.row.issuer,
				    .serial = s.row.serial,
				    .fingerprint = s.row.fingerprint,
				    .at = clock_now_ms(),
				    .request_id = x->request->id.v,
				    .leaf = factory_new_id(x->f) };
	TRY(search_values_remove(x->f, x->a, c, &s.row, e));
	change_remove_certificate(c, &row, s.row.not_before);
	json_set(m, "by", by_request(x->a, x->request->id));
	json_set(m, "certificate", json_int(x->a, row.id));
	json_set(m, "certificate_sha256", json_hex(x->a, row.fingerprint));
	json_set(o, "outcome", json_str(x->a, BYTES("removed")));
	return leaf_add(x->f, x->a, c, LEAF_REMOVED, row.leaf, row.id, m, e);
}

enum rc
remove_act_apply(struct effect *x, struct change *c, struct err *e)
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
		FAIL(e, first.code, NULL, "%s", first.text);
	}
	json_set(x->result, "certificates", outcomes);
	FAULT("factory.before-removal");
	return RC_OK;
}
