#include "base/base.h"
#include "factory/status.h"

#include "base/idgen.h"
#include "factory/callers.h"
#include "factory/leaf.h"
#include "factory/ocsp_desk.h"
#include "policy/rights.h"
#include "store/read.h"

_Static_assert(CERT_VALID == (int)CERTIFICATE_VALID && CERT_HELD == (int)CERTIFICATE_HELD &&
		   CERT_REVOKED == (int)CERTIFICATE_REVOKED,
	       "the store's states are the model's");

enum { HISTORY_MAX = 200, GONE_PAGE = 100 };

/* ---- what it is decided by ---- */

static enum rc
asker_of(struct factory *f, struct arena *a, const struct certificate_row *row, int64_t *ret, struct err *e)
{
	struct session_row session;

	*ret = 0;
	if (row->session_id != 0) {
		TRY(store_session(f->store, a, row->session_id, &session, e));
		*ret = session.officer_id;
	} else if (row->request_id != 0) {
		return store_first_signer(f->store, a, row->request_id, ret, e);
	}
	return RC_OK;
}

/* The officer's document as it was then: who moves to another domain does not take along what was issued before. */
enum rc
certificate_asked_from(struct factory *f, struct arena *a, const struct officer *who,
		       const struct certificate_row *row, struct doc_id *ret, struct err *e)
{
	struct document_row asker;
	int64_t id;

	*ret = doc_id_of(0);
	if (doc_id_is_none(who->domain))
		return RC_OK;
	TRY(asker_of(f, a, row, &id, e));
	if (id == 0)
		return RC_OK;
	TRY(store_document_at(f->store, a, id, id_at_ms(row->id), &asker, e));
	*ret = doc_id_of(asker.domain);
	return RC_OK;
}

enum rc
status_facts_of(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		const struct status_subject *x, const struct status_wish *wish, struct status_facts *ret,
		struct err *e)
{
	*ret = (struct status_facts){
		.policy = policy,
		.officer = who,
		.wish = *wish,
		.now_ms = clock_now_ms(),
		.authority = snapshot_of_kind(policy, KIND_AUTHORITY, doc_id_of(x->row.issuer)),
		.token_procedure = snapshot_of_kind(policy, KIND_TOKEN_PROCEDURE,
						    doc_id_of(x->row.token_procedure)),
		.is_authority = x->row.authority != 0,
		.is_attribute = x->row.base != 0,
		.issuer = x->issuer,
		.subject = x->subject,
		.san = &x->san,
		.state = (enum cert_state)x->status.state,
		.since_ms = x->status.at,
		.causes = x->causes,
		.causes_n = x->causes_n,
	};
	return certificate_asked_from(f, a, who, &x->row, &ret->asked_from, e);
}

/* ---- what a decision changes ---- */

static void
count(struct change *c, bool attribute, int64_t state, int64_t delta)
{
	static const char *const names[2][CERT_STATE_COUNT] = {
		{ NULL, "certificates.held", "certificates.revoked" },
		{ NULL, "attribute-certificates.held", "attribute-certificates.revoked" },
	};

	if (names[attribute][state] != NULL)
		change_add_counter(c, names[attribute][state], delta);
}

static void
put_holds(struct change *c, const struct status_subject *x, const struct status_wish *wish, int64_t request,
	  int64_t now_ms)
{
	if (wish->verb == STATUS_HOLD)
		change_put_hold(c, &(struct hold_row){ x->row.id, wish->cause, now_ms, request });
	else if (wish->verb == STATUS_REINSTATE)
		change_drop_hold(c, x->row.id, wish->cause);
	else if (x->causes_n > 0)
		change_drop_holds(c, x->row.id);
}

static void
put_row(struct change *c, const struct status_subject *x, const struct status_decision *d, int64_t invalid_at,
	int64_t leaf)
{
	struct status_row row = x->status;

	row.state = d->to;
	row.reason = d->reason;
	row.at = d->at_ms;
	row.invalid_at = d->to == CERT_REVOKED ? invalid_at : 0;
	row.leaf = leaf;
	if (x->is_new)
		change_put_new_status(c, &row);
	else
		change_put_status(c, &row, x->status.seq);
	if (d->to != (enum cert_state)x->status.state) {
		count(c, x->row.base != 0, x->status.state, -1);
		count(c, x->row.base != 0, d->to, 1);
	}
}

enum rc
status_put(struct factory *f, struct arena *a, struct change *c, const struct status_subject *x,
	   const struct status_decision *d, const struct status_wish *wish, struct json *more, struct err *e)
{
	int64_t leaf = factory_new_id(f), request = 0;

	(void)!json_opt_int(json_get(more, "by"), "request", 1, JSON_INT_MAX, &request, NULL);
	put_row(c, x, d, wish->invalid_at_ms, leaf);
	put_holds(c, x, wish, request, clock_now_ms());
	json_set(more, "certificate", json_int(a, x->row.id));
	json_set(more, "certificate_sha256", json_hex(a, x->row.fingerprint));
	json_set(more, "act", json_str(a, bytes_str(status_verb_name(wish->verb))));
	json_set(more, "from", json_str(a, bytes_str(cert_state_name(x->status.state))));
	json_set(more, "to", json_str(a, bytes_str(cert_state_name(d->to))));
	json_set(more, "reason", json_str(a, bytes_str(reason_name(d->reason))));
	json_set(more, "since", json_time(a, d->at_ms));
	if (wish->verb == STATUS_REVOKE && wish->invalid_at_ms != 0)
		json_set(more, "invalid_at", json_time(a, wish->invalid_at_ms));
	if (wish->verb != STATUS_REVOKE)
		json_set(more, "cause", json_str(a, wish->cause));
	if (x->status.leaf != 0)
		json_set(more, "before", json_int(a, x->status.leaf));
	return leaf_add(f, a, c, LEAF_CERTIFICATE_STATE, leaf, x->row.id, more, e);
}

void
status_changed(struct factory *f)
{
	atomic_fetch_add(&f->status_epoch, 1);
	desk_status_changed(f,
			    0); /* here before anybody hears of it; elsewhere by the store's notification */
}

/* ---- officers ---- */

const struct officer *
status_officer(struct arena *a, const struct snapshot *policy, const struct certificate_row *row)
{
	const struct officer *o = NULL;
	struct name subject;

	if (row->fingerprint.n == FINGERPRINT_LEN)
		o = snapshot_officer_by_fingerprint(policy, row->fingerprint.p);
	if (o == NULL && snapshot_binds_procedure(policy, row->certificate_procedure) &&
	    name_from_text(a, row->subject, &subject, NULL) == RC_OK)
		o = snapshot_officer_of_subject(policy, subject.der, row->certificate_procedure,
						officer_id_of(0));
	return o;
}

/* ---- telling ---- */

enum rc
status_json(struct factory *f, struct arena *a, int64_t certificate, struct json **ret, struct err *e)
{
	struct json *o = json_object(a), *list = json_array(a);
	struct activation_row activation;
	struct hold_row *holds;
	struct status_row row;
	size_t n;

	TRY(store_status(f->store, a, certificate, &row, e));
	json_set(o, "state", json_str(a, bytes_str(cert_state_name(row.state))));
	if (row.state != CERT_VALID) {
		json_set(o, "reason", json_str(a, bytes_str(reason_name(row.reason))));
		json_set(o, "since", json_time(a, row.at));
	}
	if (row.invalid_at != 0)
		json_set(o, "invalid_at", json_time(a, row.invalid_at));
	TRY(store_activation(f->store, a, certificate, &activation, e));
	if (activation.certificate != 0)
		json_set(o, "ocsp_activated_at", json_time(a, activation.at));
	TRY(store_holds(f->store, a, certificate, &holds, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct json *hold = json_object(a);

		json_set(hold, "cause", json_str(a, holds[i].cause));
		json_set(hold, "at", json_time(a, holds[i].at));
		json_add(list, hold);
	}
	if (n > 0)
		json_set(o, "holds", list);
	NEED(o != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "a status");
	*ret = o;
	return RC_OK;
}

/* Who signed the request that the leaf names. */
static enum rc
add_officers(struct factory *f, struct arena *a, struct json *leaf, struct err *e)
{
	struct signature_row *rows;
	struct json *list = json_array(a);
	int64_t request = 0;
	size_t n;

	TRY(json_opt_int(json_get(leaf, "by"), "request", 1, JSON_INT_MAX, &request, e));
	if (request == 0)
		return RC_OK;
	TRY(store_signatures(f->store, a, request, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct json *o = json_object(a);
		struct document_row officer;

		json_set(o, "id", json_int(a, rows[i].officer_id));
		if (store_document(f->store, a, rows[i].officer_id, 0, &officer, NULL) == RC_OK)
			json_set(o, "name", json_str(a, officer.name));
		json_add(list, o);
	}
	json_set(leaf, "officers", list);
	return RC_OK;
}

enum rc
status_history(struct factory *f, struct arena *a, int64_t certificate, struct json **ret, struct err *e)
{
	struct json *list = json_array(a), *leaf;
	struct status_row status;
	int64_t id;

	TRY(store_status(f->store, a, certificate, &status, e));
	id = status.leaf;
	for (int i = 0; i < HISTORY_MAX && id != 0; i++) {
		struct leaf_row row;

		TRY(store_leaf(f->store, a, id, &row, e));
		TRY(json_parse(a, row.body, &leaf, e));
		if (!bytes_is(row.kind, "certificate-state"))
			break;
		TRY(add_officers(f, a, leaf, e));
		json_add(list, leaf);
		id = 0;
		TRY(json_opt_int(leaf, "before", 1, JSON_INT_MAX, &id, e));
	}
	*ret = list;
	return RC_OK;
}
