#include "base/base.h"
#include "factory/act_each.h"

#include "policy/body.h"

/* ---- what is left out ---- */

enum rc
each_refused(struct preparation *p, const struct json *item, size_t i, const struct err *why, struct err *e)
{
	struct json *o;

	if (!p->skip_refused || !is_refusal(why->rc)) {
		*e = *why;
		err_field(e, "certificates[%zu]", i);
		return why->rc;
	}
	if (p->refused == NULL) {
		p->refused = json_array(p->a);
		p->first_refused = *why;
	}
	o = json_object(p->a);
	json_set(o, "index", json_int(p->a, (int64_t)i));
	json_set(o, "certificate", json_copy(p->a, item));
	json_set(o, "problem", problem_json(p->a, why));
	NEED(p->refused != NULL && o != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	json_add(p->refused, o);
	return RC_OK;
}

enum rc
each_some_left(const struct preparation *p, size_t left, struct err *e)
{
	if (left > 0 || p->refused == NULL)
		return RC_OK;
	err_field(e, "certificates");
	FAIL(e, p->first_refused.code, NULL, "none of %zu can be done, the first: %s", p->refused->count,
	     p->first_refused.text);
}

/* ---- preparing ---- */

static void
add_line(struct preparation *p, const struct each_act *act, size_t i, const struct status_subject *x)
{
	act_difference(p->a, p->difference, arena_printf(p->a, "certificates[%zu]", i),
		       act_certificate_label(p->a, &x->row), bytes_str(act->before), bytes_str(act->after));
}

static MUST enum rc
prepare_one(struct preparation *p, const struct each_act *act, const struct json *item, size_t i,
	    struct json *list, struct err *e)
{
	struct json *o = json_object(p->a);
	struct status_subject x;
	int64_t id = item->type == JSON_INT ? item->integer : body_int(item, "certificate", 0);

	JSON_EACH(before, list)
	NEED(body_int(before, "certificate", 0) != id, e, CHY_FIELD_TWICE, NULL,
	     "certificate %lld stands twice", (long long)id);
	TRY(act->judge(p->f, p->a, p->policy, p->who, id, &x, e));
	json_set(o, "certificate", json_int(p->a, x.row.id));
	json_set(o, "certificate_sha256", json_hex(p->a, x.row.fingerprint));
	json_add(list, o);
	add_line(p, act, i, &x);
	return RC_OK;
}

static MUST enum rc
list_of(const struct each_act *each, struct act act, const struct json *body, size_t least, struct json **ret,
	struct err *e)
{
	size_t most = act_row_of(act)->selects;

	TRY(each->list(body, ret, e));
	if ((*ret)->count >= least && (*ret)->count <= most)
		return RC_OK;
	err_field(e, "certificates");
	FAIL(e, CHY_LIMIT, NULL, "1 to %zu certificates", most);
}

/* Of a selection. */
static MUST enum rc
judge_all(struct preparation *p, const struct each_act *act, const struct json *asked, struct json *list,
	  struct err *e)
{
	JSON_EACH(item, asked)
	{
		struct err why = { 0 };
		enum rc rc = prepare_one(p, act, item, list->count, list, &why);

		TRY(act_verdict(p, item->integer, rc, &why, e));
	}
	return RC_OK;
}

enum rc
each_check(struct preparation *p, const struct each_act *act, struct err *e)
{
	struct json *list = json_array(p->a), *asked;
	size_t n = 0;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(list_of(act, p->act, p->body, p->verdicts == NULL, &asked, e));
	if (p->verdicts != NULL)
		return judge_all(p, act, asked, list, e);
	JSON_EACH(item, asked)
	{
		struct err why = { 0 };

		if (prepare_one(p, act, item, n, list, &why) != RC_OK)
			TRY(each_refused(p, item, n, &why, e));
		n++;
	}
	TRY(each_some_left(p, list->count, e));
	json_set(p->body, "certificates", list);
	return RC_OK;
}

/* ---- taking effect ---- */

static MUST enum rc
take_one(struct effect *x, struct change *c, const struct each_act *act, const struct json *item,
	 struct json *o, struct err *e)
{
	const struct officer *who = snapshot_officer(x->policy, x->signer);
	struct json *leaf = json_object(x->a);
	struct status_subject s;
	struct bytes hash;

	NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
	TRY(act->judge(x->f, x->a, x->policy, who, body_int(item, "certificate", 0), &s, e));
	TRY(json_need_str(item, "certificate_sha256", &hash, e));
	NEED(bytes_eq(json_hex(x->a, s.row.fingerprint)->str, hash), e, CHY_STATUS_UNSEEN, NULL,
	     "it is another certificate");
	json_set(leaf, "by", by_request(x->a, x->request->id));
	json_set(leaf, "certificate", json_int(x->a, s.row.id));
	json_set(leaf, "certificate_sha256", json_hex(x->a, s.row.fingerprint));
	return act->put(x, c, &s, leaf, o, e);
}

enum rc
each_apply(struct effect *x, struct change *c, const struct each_act *act, struct err *e)
{
	struct json *outcomes = json_array(x->a), *asked;
	struct err first = { 0 };
	size_t done = 0;

	TRY(list_of(act, x->request->act, x->request->body, 1, &asked, e));
	JSON_EACH(item, asked)
	{
		struct json *o = json_object(x->a);
		struct err why = { 0 };
		enum rc rc;

		json_set(o, "certificate", json_int(x->a, body_int(item, "certificate", 0)));
		rc = take_one(x, c, act, item, o, &why);
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
	return RC_OK;
}
