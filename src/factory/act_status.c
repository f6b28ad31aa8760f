/*
 * certificate.revoke, certificate.hold, certificate.reinstate, and authority.revoke: one request, many certificates, one
 * reason. Each certificate is decided on twice, when it is prepared and again with the last signature; what has changed in
 * between is told of that certificate, and the others are done.
 */
#include "base/base.h"
#include "factory/act_status_impl.h"

#include "base/idgen.h"
#include "factory/act_each.h"
#include "factory/in_force.h"
#include "factory/standing.h"
#include "policy/body.h"
#include "policy/import.h"
#include "store/read.h"

#define UNSEEN "the officer sees no such certificate"

/* ---- preparing ---- */

/* An id, or what else names one certificate: {"certificate", "certificate_sha256"?} or {"authority", "serial"}. */
static enum rc
named(struct preparation *p, const struct json *item, int64_t *ret, struct err *e)
{
	static const char *const names[] = { "certificate", "certificate_sha256", "authority", "serial",
					     NULL };
	const struct document *authority;
	struct certificate_row row;
	struct bytes hex, serial;
	int64_t id = 0;
	enum rc rc;

	*ret = 0;
	if (item->type == JSON_INT) {
		*ret = item->integer;
		return RC_OK;
	}
	TRY(json_only(item, names, e));
	TRY(json_opt_int(item, "certificate", 1, JSON_INT_MAX, ret, e));
	if (*ret != 0)
		return RC_OK;
	TRY(json_need_int(item, "authority", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_str(item, "serial", &hex, e));
	TRY_AT(hex_parse(p->a, hex, &serial, e), e, "serial");
	authority = snapshot_of_kind(p->policy, KIND_AUTHORITY, doc_id_of(id));
	NEED(authority != NULL, e, CHY_STATUS_UNSEEN, NULL, UNSEEN);
	rc = store_certificate_by_serial(p->f->store, p->a, id, serial, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_STATUS_UNSEEN, NULL, UNSEEN);
	}
	TRY(rc);
	*ret = row.id;
	return RC_OK;
}

/* The right act for the kind of certificate. */
static enum rc
right_act(const struct snapshot *policy, const struct status_asked *asked, const struct status_subject *x,
	  struct err *e)
{
	NEED(!authority_is_foreign(snapshot_authority(policy, doc_id_of(x->row.issuer))), e,
	     CHY_STATUS_FOREIGN, NULL,
	     "a foreign CA has issued it: certificate.import and crl.import say what it is");
	NEED(asked->authority || x->row.authority == 0, e, CHY_STATUS_AUTHORITY, NULL,
	     "it is an authority's: authority.revoke, by two officers");
	NEED(!asked->authority || x->row.authority != 0, e, CHY_STATUS_AUTHORITY, NULL,
	     "it is no authority's: certificate.revoke");
	return RC_OK;
}

/* What the officer may not see is not told apart from what is not there, however it was named. */
static enum rc
load_seen(struct preparation *p, const struct status_asked *asked, int64_t id, struct status_subject *ret,
	  struct err *e)
{
	enum rc rc = status_load_of(p->f, p->a, p->policy, &asked->ahead, id, p->who->name_constraints.n > 0,
				    ret, e);

	if ((rc == RC_OK && !status_is_seen(p->policy, p->who, ret)) ||
	    (rc != RC_OK && e->code == CHY_STATUS_UNSEEN)) {
		err_clear(e);
		FAIL(e, CHY_STATUS_UNSEEN, NULL, UNSEEN);
	}
	return rc;
}

/* ids: those that were taken before, *n of them. */
static enum rc
prepare_one(struct preparation *p, const struct status_asked *asked, const struct json *item, size_t i,
	    struct json *list, int64_t *ids, size_t *n, struct err *e)
{
	struct json *o = json_object(p->a);
	struct status_decision d = { 0 };
	struct status_subject x;
	struct status_facts facts;
	struct bytes hash = BYTES_NONE;
	int64_t id;

	TRY(named(p, item, &id, e));
	TRY(load_seen(p, asked, id, &x, e));
	TRY(status_facts_of(p->f, p->a, p->policy, p->who, &x, &asked->wish, &facts, e));
	facts.verification_open = p->verdicts != NULL && asked->wish.verified == VERIFIED_NOT;
	TRY(right_act(p->policy, asked, &x, e));
	TRY(decide_status(p->a, &facts, &d, e));
	json_set(o, "certificate", json_int(p->a, x.row.id));
	json_set(o, "certificate_sha256", json_hex(p->a, x.row.fingerprint));
	if (item->type == JSON_OBJECT && json_get(item, "certificate_sha256") != NULL) {
		TRY(json_need_str(item, "certificate_sha256", &hash, e));
		NEED(bytes_eq(hash, json_get(o, "certificate_sha256")->str), e, CHY_STATUS_UNSEEN, NULL,
		     "certificate %lld is another one", (long long)x.row.id);
	}
	NEED(!id_is_among(ids, *n, x.row.id), e, CHY_FIELD_TWICE, NULL, "certificate %lld stands twice",
	     (long long)x.row.id);
	ids[(*n)++] = x.row.id;
	json_add(list, o);
	status_tell_one(p->a, p->policy, i, &x, d.to, p->difference, p->affected);
	return RC_OK;
}

static enum rc
last_pair(struct factory *f, struct arena *a, const struct snapshot *policy, const struct status_asked *asked,
	  const int64_t *ids, size_t n, struct err *e)
{
	struct officers_gone now, then;

	if (asked->wish.verb == STATUS_REINSTATE)
		return RC_OK;
	TRY(officers_gone(f, a, policy, NULL, 0, &now, e));
	TRY(officers_gone(f, a, policy, ids, n, &then, e));
	return last_pair_stays_without(policy, &now, &then, e);
}

static enum rc
count_check(struct act act, const struct status_asked *asked, struct err *e)
{
	size_t most = asked->wish.verified == VERIFIED_PASSWORD ? LIMIT_BULK_PASSWORD
	    : asked->authority                                  ? 1
								: act_row_of(act)->selects;

	if (asked->list->count >= 1 && asked->list->count <= most)
		return RC_OK;
	err_field(e, "certificates");
	FAIL(e, CHY_LIMIT, NULL, "1 to %zu certificates", most);
}

/* Of a selection. Whether the last two officers would be gone is asked when it is submitted: it is of all of them together. */
static enum rc
judge_all(struct preparation *p, struct status_asked *asked, struct json *list, struct err *e)
{
	if (asked->wish.verb == STATUS_REVOKE)
		TRY_AT(reason_revokes(asked->wish.reason, asked->authority, e), e, "reason");
	TRY(status_read_listed(p->f, p->a, asked, e));
	JSON_EACH(item, asked->list)
	{
		struct err why = { 0 };
		int64_t taken = 0;
		size_t n = 0;
		enum rc rc = prepare_one(p, asked, item, p->verdicts->n, list, &taken, &n, &why);

		TRY(act_verdict(p, item->integer, rc, &why, e));
	}
	return RC_OK;
}

enum rc
status_act_check(struct preparation *p, struct err *e)
{
	struct json *list = json_array(p->a);
	struct status_asked asked;
	int64_t *ids;
	size_t i = 0, n = 0;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	p->affected = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL && p->affected != NULL && list != NULL, e,
	     CHY_NO_MEMORY, NULL, "a request");
	TRY(status_read_body(p->act, p->body, &asked, e));
	if (p->verdicts != NULL)
		return judge_all(p, &asked, list, e);
	TRY(count_check(p->act, &asked, e));
	ids = arena_array(p->a, asked.list->count, sizeof(*ids));
	NEED(ids != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(status_read_listed(p->f, p->a, &asked, e));
	JSON_EACH(item, asked.list)
	{
		struct err why = { 0 };

		if (prepare_one(p, &asked, item, i, list, ids, &n, &why) != RC_OK)
			TRY(each_refused(p, item, i, &why, e));
		i++;
	}
	TRY(each_some_left(p, n, e));
	status_tell_wish(p->a, &asked.wish, p->difference);
	TRY(last_pair(p->f, p->a, p->policy, &asked, ids, n, e));
	json_set(p->body, "certificates", list);
	return RC_OK;
}

/* ---- taking effect ---- */

struct taking {
	struct effect *x;
	struct status_asked asked;
	struct change *c;
	struct json *outcomes;
	struct err first;
	size_t done;
};

/* Every officer who signed. */
static enum rc
decide_for_all(struct taking *t, const struct status_subject *s, struct status_decision *d, struct err *e)
{
	for (size_t i = 0; i < t->x->signers_n; i++) {
		const struct officer *who = snapshot_officer(t->x->policy, t->x->signers[i].officer);
		struct status_facts facts;

		NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
		TRY(status_facts_of(t->x->f, t->x->a, t->x->policy, who, s, &t->asked.wish, &facts, e));
		TRY(decide_status(t->x->a, &facts, d, e));
	}
	NEED(t->x->signers_n > 0, e, CHY_OFFICER_UNKNOWN, NULL, "nobody has signed it");
	return RC_OK;
}

static bool
has_constrained_signer(const struct taking *t)
{
	for (size_t i = 0; i < t->x->signers_n; i++) {
		const struct officer *who = snapshot_officer(t->x->policy, t->x->signers[i].officer);

		if (who != NULL && who->name_constraints.n > 0)
			return true;
	}
	return false;
}

static enum rc
take_one(struct taking *t, const struct json *item, struct json *o, struct err *e)
{
	struct arena *a = t->x->a;
	struct json *more = json_object(a);
	struct status_subject s;
	struct status_decision d;
	struct bytes hash;

	TRY(status_load_of(t->x->f, a, t->x->policy, &t->asked.ahead, body_int(item, "certificate", 0),
			   has_constrained_signer(t), &s, e));
	TRY(json_need_str(item, "certificate_sha256", &hash, e));
	NEED(bytes_eq(json_hex(a, s.row.fingerprint)->str, hash), e, CHY_STATUS_UNSEEN, NULL,
	     "it is another certificate");
	TRY(right_act(t->x->policy, &t->asked, &s, e));
	TRY(decide_for_all(t, &s, &d, e));
	if (t->asked.wish.verified != VERIFIED_NOT)
		json_set(more, "verification",
			 json_str(a, bytes_str(verification_name(t->asked.wish.verified))));
	json_set(more, "by", by_request(a, t->x->request->id));
	TRY(status_put(t->x->f, a, t->c, &s, &d, &t->asked.wish, more, e));
	json_set(o, "state", json_str(a, bytes_str(cert_state_name(d.to))));
	json_set(o, "reason", json_str(a, bytes_str(reason_name(d.reason))));
	json_set(o, "since", json_time(a, d.at_ms));
	return RC_OK;
}

/* A refusal is this certificate's outcome; what fails for another cause fails all. */
static enum rc
take(struct taking *t, const struct json *item, struct err *e)
{
	struct json *o = json_object(t->x->a);
	struct err why = { 0 };
	enum rc rc;

	json_set(o, "certificate", json_int(t->x->a, body_int(item, "certificate", 0)));
	rc = take_one(t, item, o, &why);
	if (rc != RC_OK && !is_refusal(rc)) {
		*e = why;
		return rc;
	}
	t->done += rc == RC_OK;
	if (rc != RC_OK) {
		json_set(o, "problem", problem_json(t->x->a, &why));
		if (t->first.code == CHY_NONE)
			t->first = why;
	}
	json_add(t->outcomes, o);
	return RC_OK;
}

static enum rc
last_pair_of(struct taking *t, struct err *e)
{
	int64_t *ids = arena_array(t->x->a, t->asked.list->count, sizeof(*ids));
	size_t n = 0;

	NEED(ids != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	JSON_EACH(item, t->asked.list)
	ids[n++] = body_int(item, "certificate", 0);
	return last_pair(t->x->f, t->x->a, t->x->policy, &t->asked, ids, n, e);
}

enum rc
status_act_apply(struct effect *x, struct change *c, struct err *e)
{
	struct taking t = { .x = x, .c = c, .outcomes = json_array(x->a) };

	TRY(status_read_body(x->request->act, x->request->body, &t.asked, e));
	TRY(last_pair_of(&t, e));
	TRY(status_read_listed(x->f, x->a, &t.asked, e));
	JSON_EACH(item, t.asked.list)
	TRY(take(&t, item, e));
	if (t.done == 0) {
		bool stale = t.first.code == CHY_STATUS_NOT_CANDIDATE ||
		    t.first.code == CHY_STATUS_HOLD_CAUSE;

		err_field(e, "certificates");
		FAIL(e, stale ? CHY_STATUS_STALE : t.first.code, NULL, "%s", t.first.text);
	}
	json_set(x->result, "certificates", t.outcomes);
	FAULT("factory.before-status");
	return RC_OK;
}

void
status_act_after(struct factory *f, struct act act)
{
	struct err e = { 0 };

	FAULT("factory.after-status");
	status_changed(f);
	if (act.verb == ACT_CA_REVOKE && policy_load_again(f, &e) != RC_OK)
		LOG(ERROR, "policy.not-in-force", LE(&e));
}

/* ---- in turn ---- */

bool
status_act_is(struct act act)
{
	return act.verb == ACT_REVOKE || act.verb == ACT_HOLD || act.verb == ACT_REINSTATE ||
	    act.verb == ACT_CA_REVOKE;
}

/* By a procedure that nobody is bound by there is nothing to compare. */
static enum rc
bind_by_subject(struct factory *f, struct arena *a, const struct snapshot *policy, const int64_t *ids,
		size_t n, bool *ret, struct err *e)
{
	struct number_row *rows;

	TRY(store_procedures_of(f->store, a, ids, n, &rows, &n, e));
	for (size_t i = 0; i < n && !*ret; i++)
		*ret = snapshot_binds_procedure(policy, rows[i].value);
	return RC_OK;
}

static enum rc
is_bound_to(const struct snapshot *policy, struct arena *a, const struct json *item, bool *ret, struct err *e)
{
	struct bytes hex, hash;

	TRY(json_need_str(item, "certificate_sha256", &hex, e));
	TRY(hex_parse(a, hex, &hash, e));
	*ret = hash.n == FINGERPRINT_LEN && snapshot_officer_by_fingerprint(policy, hash.p) != NULL;
	return RC_OK;
}

/* By their subjects. One that is not there any more is nobody's. */
static enum rc
subjects_are_bound(struct factory *f, struct arena *a, const struct snapshot *policy, const struct json *list,
		   bool *ret, struct err *e)
{
	int64_t *ids = arena_array(a, list->count + 1, sizeof(*ids));
	struct certificate_row *rows;
	bool may_be = false;
	size_t n = 0;

	NEED(ids != NULL, e, CHY_NO_MEMORY, NULL, "a request's certificates");
	JSON_EACH(item, list)
	ids[n++] = body_int(item, "certificate", 0);
	TRY(bind_by_subject(f, a, policy, ids, n, &may_be, e));
	if (!may_be)
		return RC_OK;
	TRY(store_certificates_of(f->store, a, ids, n, &rows, &n, e));
	for (size_t i = 0; i < n && !*ret; i++)
		*ret = status_officer(a, policy, &rows[i]) != NULL;
	return RC_OK;
}

enum rc
status_act_touches_officers(struct factory *f, struct arena *a, const struct snapshot *policy,
			    const struct request *r, bool *ret, struct err *e)
{
	const struct json *list = body_list(r->body, "certificates");

	*ret = false;
	JSON_EACH(item, list)
	if (!*ret)
		TRY(is_bound_to(policy, a, item, ret, e));
	if (*ret || list == NULL)
		return RC_OK;
	return subjects_are_bound(f, a, policy, list, ret, e);
}
