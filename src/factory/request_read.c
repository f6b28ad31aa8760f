/* Requests read back, and as officers see them before they sign. */
#include "base/base.h"
#include "factory/requests.h"

#include "factory/acts.h"
#include "factory/log.h"
#include "factory/page.h"
#include "factory/try_sample.h"
#include "policy/body.h"
#include "policy/document.h"
#include "policy/approval.h"
#include "policy/rights.h"
#include "store/read.h"

static enum rc
base_read(const struct json *in, struct request *ret, struct err *e)
{
	struct json *base;

	if (json_get(in, "base") == NULL || json_get(in, "base")->type == JSON_NULL)
		return RC_OK;
	TRY(json_need_object(in, "base", &base, e));
	TRY(json_need_int(base, "id", 1, JSON_INT_MAX, &ret->base.id.v, e));
	return json_need_int(base, "version", 1, JSON_INT_MAX, &ret->base.version, e);
}

enum rc
request_read(struct arena *a, const struct request_row *row, struct request *ret, struct err *e)
{
	struct json *in, *body;
	struct bytes act;

	*ret = (struct request){ .id = request_id_of(row->id),
				 .state = request_state_of(row->state),
				 .prepared_by = officer_id_of(row->prepared_by),
				 .prepared_at_ms = row->at,
				 .to_sign = row->body };
	TRY(json_parse(a, row->body, &in, e));
	TRY(json_need_str(in, "act", &act, e));
	ret->act = act_of(act);
	TRY(base_read(in, ret, e));
	TRY(json_need_object(in, "body", &body, e));
	ret->body = body;
	NEED(ret->act.verb != ACT_NONE && act_row_of(ret->act) != NULL && bytes_eq(act, row->act) &&
		 ret->state != REQUEST_STATE_NONE,
	     e, CHY_REQUEST_DAMAGED, NULL, "request %lld", (long long)row->id);
	return RC_OK;
}

enum rc
request_may_see(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		const struct request_row *row, const struct request *r, struct err *e)
{
	struct log_view view;

	TRY(may_know_request(who, r, e));
	if (doc_id_is_none(who->domain)) /* Root: all of them, without looking */
		return RC_OK;
	TRY(log_domains_of_request(f, a, policy, row, &view, e));
	return may_see_request(policy, who, r, view.domains, view.domains_n, e);
}

enum rc
request_facts(struct factory *f, struct arena *a, struct request *r, struct err *e)
{
	const struct json *list = body_list(r->body, "certificates");
	struct certificate_row row;
	enum rc rc;

	r->authority = doc_id_of(0);
	if (r->act.verb != ACT_CA_REVOKE || list == NULL || list->count == 0)
		return RC_OK;
	rc = store_certificate(f->store, a, body_int(list->first, "certificate", 0), &row, e);
	if (rc == RC_OK)
		r->authority = doc_id_of(row.issuer);
	else if (rc == RC_NOT_FOUND)
		err_clear(e);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The difference is made again from the base version and the body, so that the second signer sees what the bytes say, not
   what the first one was told. */
static enum rc
difference(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   const struct request *r, const struct json *result, struct json **ret, struct json **warnings,
	   struct json *affected, struct err *e)
{
	const struct telling telling = { f, a, policy, who, r, affected, result };
	const struct act_row *act = act_row_of(r->act);
	struct document_row row;
	struct json *before = NULL;
	bool issued;

	*ret = json_array(a);
	*warnings = json_array(a);
	if (r->act.kind == KIND_NONE)
		return act->tell != NULL ? act->tell(&telling, *ret, e) : RC_OK;
	if (r->base.id.v != 0) {
		TRY(store_document(f->store, a, r->base.id.v, r->base.version, &row, e));
		TRY(json_parse(a, row.body, &before, e));
	}
	TRY(document_issued(f, a, kind_of(r->act.kind), r->body, &issued, e));
	TRY(document_warnings(a, kind_of(r->act.kind), policy, r->base.id, before, r->body, issued, warnings,
			      e));
	if (r->act.kind == KIND_CERTIFICATE_PROCEDURE && !request_state_is_final(r->state))
		TRY(sample_warning(f, a, policy, r->base.id, r->body, *warnings, e));
	TRY(document_difference(a, kind_of(r->act.kind), policy, before, r->body, ret, e));
	return act->tell != NULL ? act->tell(&telling, *ret, e) : RC_OK;
}

static struct json *
signature_list(struct factory *f, struct arena *a, const struct signature_row *rows, size_t n)
{
	struct json *list = json_array(a);

	for (size_t i = 0; i < n; i++) {
		struct json *o = json_object(a);
		struct document_row officer;

		json_set(o, "officer", json_int(a, rows[i].officer_id));
		if (store_document(f->store, a, rows[i].officer_id, 0, &officer, NULL) == RC_OK)
			json_set(o, "name", json_str(a, officer.name));
		json_set(o, "at", json_time(a, rows[i].at));
		json_set(o, "cms", json_base64(a, rows[i].cms));
		json_add(list, o);
	}
	return list;
}

void
affected_officers(struct arena *a, const struct snapshot *policy, struct act act, struct doc_id base,
		  struct json *affected)
{
	const struct document *const *docs;
	size_t n;

	if (act.verb != ACT_MODIFY || act.kind != KIND_OFFICER_PROFILE)
		return;
	n = snapshot_list(policy, KIND_OFFICER, &docs);
	for (size_t i = 0; i < n; i++) {
		const struct officer *o = snapshot_officer(policy, doc_officer(docs[i]->id));

		if (o != NULL && doc_id_eq(o->profile, base))
			act_affects(a, o, affected);
	}
}

static struct bytes
officer_name(const struct snapshot *policy, int64_t id)
{
	const struct document *d = snapshot_of_kind(policy, KIND_OFFICER, doc_id_of(id));

	return d ? d->name : BYTES_NONE;
}

static struct json *
roles_json(struct arena *a, roles set)
{
	struct json *list = json_array(a);

	for (int r = 0; r < ROLE_COUNT; r++)
		if (set & ROLES(r))
			json_add(list, json_str(a, bytes_str(role_name((enum role)r))));
	return list;
}

/* The row says until when it may be signed first; where it waits for another signature, that one counts from the first. */
static int64_t
expires_at(const struct request_row *row, const struct request *r)
{
	return r->state == REQUEST_WAITING && r->waiting_at_ms != 0 ? request_expires_ms(r) : row->expires_at;
}

static struct json *
head_json(struct arena *a, const struct snapshot *policy, const struct request_row *row,
	  const struct request *r)
{
	struct json *o = json_object(a);
	char name[64];

	json_set(o, "id", json_int(a, row->id));
	json_set(o, "act", json_str(a, bytes_str(act_name(name, r->act))));
	json_set(o, "state", json_str(a, row->state));
	json_set(o, "state_label", json_str(a, bytes_str(request_state_label(r->state))));
	json_set(o, "about", json_str(a, request_about(a, policy, r)));
	json_set(o, "prepared_by", json_int(a, row->prepared_by));
	json_set(o, "prepared_by_name", json_str(a, officer_name(policy, row->prepared_by)));
	json_set(o, "prepared_at", json_time(a, row->at));
	json_set(o, "expires_at", json_time(a, expires_at(row, r)));
	json_set(o, "object", row->object ? json_int(a, row->object) : json_null(a));
	json_set(o, "name", json_copy(a, json_get(r->body, "name")));
	json_set(o, "signatures_needed", json_int(a, act_signatures(r->act)));
	json_set(o, "roles", roles_json(a, act_roles(r->act)));
	return o;
}

/* Who ended it without effect, when, and why. Rejecting and withdrawing are signed: by whom, their own request says. */
static enum rc
ended_json(struct factory *f, struct arena *a, const struct snapshot *policy, const struct json *result,
	   struct json **ret, struct err *e)
{
	int64_t request = body_int(json_get(result, "by"), "request", 0);
	struct json *o = *ret = json_object(a);
	struct signature_row *rows;
	size_t n = 0;

	json_set(o, "reason", json_copy(a, json_get(result, "reason")));
	json_set(o, "problem", json_copy(a, json_get(result, "problem")));
	json_set(o, "at", json_copy(a, json_get(result, "at")));
	if (request != 0)
		TRY(store_signatures(f->store, a, request, &rows, &n, e));
	if (n == 0)
		return RC_OK;
	json_set(o, "request", json_int(a, request));
	json_set(o, "by", json_int(a, rows[n - 1].officer_id));
	json_set(o, "by_name", json_str(a, officer_name(policy, rows[n - 1].officer_id)));
	json_set(o, "at", json_time(a, rows[n - 1].at));
	return RC_OK;
}

static enum rc
show_result(struct factory *f, struct arena *a, const struct snapshot *policy, const struct request *r,
	    struct json *result, struct json *o, struct err *e)
{
	struct json *ended;

	if (result == NULL)
		return RC_OK;
	json_set(o, "result", result);
	if (!request_state_is_final(r->state) || r->state == REQUEST_DONE)
		return RC_OK;
	TRY(ended_json(f, a, policy, result, &ended, e));
	json_set(o, "ended", ended);
	return RC_OK;
}

enum rc
request_show(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	     struct request_id id, struct json **ret, struct err *e)
{
	struct signature_row *rows;
	struct json *diff, *warnings, *affected = json_array(a), *names, *result = NULL;
	struct request_row row;
	struct request r;
	size_t n;

	NEED(affected != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(store_request(f->store, a, id.v, &row, e));
	TRY(request_read(a, &row, &r, e));
	TRY(request_may_see(f, a, policy, who, &row, &r, e));
	if (row.result.n > 0)
		TRY(json_parse(a, row.result, &result, e));
	TRY(difference(f, a, policy, who, &r, result, &diff, &warnings, affected, e));
	TRY(store_signatures(f->store, a, row.id, &rows, &n, e));
	r.waiting_at_ms = n > 0 ? rows[0].at : 0;
	*ret = head_json(a, policy, &row, &r);
	json_set(*ret, "to_sign", json_base64(a, row.body));
	if (r.act.kind != KIND_NONE) {
		TRY(document_names(a, policy, who, kind_of(r.act.kind), r.body, &names, e));
		json_set(*ret, "names", names);
	}
	json_set(*ret, "difference", diff);
	json_set(*ret, "warnings", warnings);
	affected_officers(a, policy, r.act, r.base.id, affected);
	if (affected->count > 0 || (r.act.verb == ACT_MODIFY && r.act.kind == KIND_OFFICER_PROFILE))
		json_set(*ret, "affected_officers", affected);
	json_set(*ret, "signatures", signature_list(f, a, rows, n));
	return show_result(f, a, policy, &r, result, *ret, e);
}

/* Waits for a second signature, has not this officer's own, and the officer has roles and domain for it. Whether both are one
   person is looked at when it is signed. */
static enum rc
is_in_inbox(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	    struct request *r, bool *ret, struct err *e)
{
	struct signature_row *rows;
	size_t n;

	TRY(request_facts(f, a, r, e));
	*ret = r->state == REQUEST_WAITING && may_sign(policy, who, r, NULL) == RC_OK;
	if (!*ret)
		return RC_OK;
	TRY(store_signatures(f->store, a, r->id.v, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		*ret = *ret && rows[i].officer_id != who->id.v;
	return RC_OK;
}

struct listing {
	struct factory *f;
	struct arena *a; /* of the answer */
	const struct snapshot *policy;
	const struct officer *who;
	const struct request_filter *filter;
	struct json *items;
	int64_t last; /* the cursor of the next page */
	size_t n;     /* rows that were read, wanted or not */
};

/* With the names of those who have signed what waits. */
static enum rc
add_row(struct listing *l, struct arena *scratch, const struct request_row *row, struct request *r,
	struct err *e)
{
	struct json *o, *names = json_array(l->a);
	struct signature_row *rows;
	size_t n = 0;

	if (r->state == REQUEST_WAITING)
		TRY(store_signatures(l->f->store, scratch, row->id, &rows, &n, e));
	r->waiting_at_ms = n > 0 ? rows[0].at : 0;
	o = head_json(l->a, l->policy, row, r);
	for (size_t i = 0; i < n; i++)
		json_add(names, json_str(l->a, officer_name(l->policy, rows[i].officer_id)));
	json_set(o, "signed_by", names);
	json_add(l->items, o);
	return RC_OK;
}

static enum rc
list_one(struct listing *l, struct arena *scratch, const struct request_row *row, struct err *e)
{
	bool wanted = true;
	struct err why = { 0 };
	struct request r;
	enum rc rc;

	TRY(request_read(scratch, row, &r, e));
	if (l->filter->inbox)
		TRY(is_in_inbox(l->f, scratch, l->policy, l->who, &r, &wanted, e));
	if (!wanted)
		return RC_OK;
	rc = request_may_see(l->f, scratch, l->policy, l->who, row, &r, &why);
	if (rc == RC_OK)
		TRY(add_row(l, scratch, row, &r, e));
	NEED(rc == RC_OK || rc == RC_DENIED || rc == RC_NOT_FOUND, e, why.code, NULL, "%s", why.text);
	return RC_OK;
}

/* Bodies, and what they are read into, stay in the scratch arena: only their heads are answered. */
static enum rc
list_page(struct listing *l, struct arena *scratch, size_t most, struct err *e)
{
	struct bytes state = l->filter->inbox ? bytes_str(request_state_name(REQUEST_WAITING))
					      : l->filter->state;
	struct request_row *rows;

	l->items = json_array(l->a);
	TRY((l->filter->newest ? store_requests_newest : store_requests)(
	    l->f->store, scratch, state, l->filter->after, most, &rows, &l->n, e));
	for (size_t i = 0; i < l->n; i++)
		TRY(list_one(l, scratch, &rows[i], e));
	l->last = l->n > 0 ? rows[l->n - 1].id : 0;
	return RC_OK;
}

enum rc
request_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	     const struct request_filter *filter, struct json **ret, struct err *e)
{
	struct listing l = { .f = f, .a = a, .policy = policy, .who = who, .filter = filter };
	OWN(arena_free)
	struct arena *scratch = NULL;
	size_t most = filter->limit;

	TRY(PAGE_READ(scratch, most, PAGE_ARENA, e, list_page(&l, scratch, most, e)));
	*ret = json_object(a);
	json_set(*ret, "items", l.items);
	json_set(*ret, "next", l.n > 0 && l.n == most ? json_int(a, l.last) : json_null(a));
	return RC_OK;
}
