/*
 * certificate.revoke, certificate.hold, certificate.reinstate, and authority.revoke: one request, many certificates, one
 * reason. Each certificate is decided on twice, when it is prepared and again with the last signature; what has changed in
 * between is told of that certificate, and the others are done.
 */
#include "base/base.h"
#include "factory/acts.h"

#include "crypto/kdf.h"
#include "factory/in_force.h"
#include "factory/status.h"
#include "policy/body.h"
#include "policy/import.h"
#include "store/read.h"

enum { NOTE_MAX = 1000, TRIES_FREE = 3, WAIT_FIRST_MS = 1000, WAIT_DOUBLINGS = 12 };

#define UNSEEN "the officer sees no such certificate"

/* ---- the body ---- */

struct asked {
	struct status_wish wish;
	struct json *list; /* certificates */
	bool authority;
};

static enum status_verb
verb_of(struct act act)
{
	return act.verb == ACT_HOLD     ? STATUS_HOLD
	    : act.verb == ACT_REINSTATE ? STATUS_REINSTATE
					: STATUS_REVOKE;
}

static enum rc
read_reason(const struct json *body, struct status_wish *w, struct err *e)
{
	struct bytes name, at = BYTES_NONE;

	TRY(json_need_str(body, "reason", &name, e));
	w->reason = reason_of(name);
	if (w->reason == REASON_NONE) {
		err_field(e, "reason");
		FAIL(e, CHY_FIELD_CHOICE, "RFC 5280 5.3.1", "\"%.*s\" is no reason",
		     BYTES_FMT(bytes_part(name, 0, 60)));
	}
	TRY(json_opt_str(body, "invalid_at", &at, e));
	if (at.n > 0)
		TRY_AT(time_parse(at, &w->invalid_at_ms, e), e, "invalid_at");
	return RC_OK;
}

static enum rc
read_cause(const struct json *body, struct status_wish *w, struct err *e)
{
	w->cause = BYTES_NONE;
	TRY(json_opt_str(body, "cause", &w->cause, e));
	w->cause_named = w->cause.n > 0;
	if (!w->cause_named)
		w->cause = BYTES(HOLD_CAUSE_OFFICER);
	if (w->cause.n > HOLD_CAUSE_MAX || !bytes_eq(text_trim(w->cause), w->cause)) {
		err_field(e, "cause");
		FAIL(e, CHY_FIELD_TEXT, NULL, "a cause has at most %d octets and no blanks around it",
		     HOLD_CAUSE_MAX);
	}
	return RC_OK;
}

static enum rc
read_verification(const struct json *body, struct status_wish *w, struct err *e)
{
	struct bytes name = BYTES_NONE, note = BYTES_NONE;

	TRY(json_opt_str(body, "verification", &name, e));
	TRY(json_opt_str(body, "verification_note", &note, e));
	w->verified = verification_of(name);
	if (w->verified == VERIFICATION_NONE) {
		err_field(e, "verification");
		FAIL(e, CHY_FIELD_CHOICE, NULL, "\"password\" or \"manual\"");
	}
	if ((w->verified == VERIFIED_MANUALLY) != (text_trim(note).n > 0) || note.n > NOTE_MAX) {
		err_field(e, "verification_note");
		FAIL(e, w->verified == VERIFIED_MANUALLY ? CHY_FIELD_MISSING : CHY_FIELD_UNAVAILABLE, NULL,
		     "how it was checked who asks belongs to a manual check, in at most %d octets", NOTE_MAX);
	}
	return RC_OK;
}

static enum rc
read_body(struct act act, const struct json *body, struct asked *ret, struct err *e)
{
	static const char *const of_revoke[] = { "certificates",      "reason", "invalid_at", "verification",
						 "verification_note", NULL };
	static const char *const of_hold[] = { "certificates", "cause", "verification", "verification_note",
					       NULL };
	static const char *const of_authority[] = { "certificates", "reason", "invalid_at", NULL };

	*ret = (struct asked){ .wish = { .verb = verb_of(act) }, .authority = act.verb == ACT_CA_REVOKE };
	TRY(json_only(body,
		      ret->authority                        ? of_authority
			  : ret->wish.verb == STATUS_REVOKE ? of_revoke
							    : of_hold,
		      e));
	TRY(ret->wish.verb == STATUS_REVOKE ? read_reason(body, &ret->wish, e)
					    : read_cause(body, &ret->wish, e));
	TRY(read_verification(body, &ret->wish, e));
	return json_need_array(body, "certificates", &ret->list, e);
}

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

static void
add_line(struct arena *a, struct json *difference, size_t i, const struct status_subject *x,
	 enum cert_state to)
{
	struct json *o = json_object(a);

	json_set(o, "field", json_str(a, bytes_str(arena_printf(a, "certificates[%zu]", i))));
	json_set(o, "label",
		 json_str(a,
			  bytes_str(arena_printf(a, "Certificate %lld, %.*s", (long long)x->row.id,
						 BYTES_FMT(bytes_part(x->row.subject, 0, 300))))));
	json_set(o, "old", json_str(a, bytes_str(cert_state_label(x->status.state))));
	json_set(o, "new", json_str(a, bytes_str(cert_state_label(to))));
	json_add(difference, o);
}

/* The right act for the kind of certificate. */
static enum rc
right_act(const struct snapshot *policy, const struct asked *asked, const struct status_subject *x,
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

static bool
is_seen(const struct snapshot *policy, const struct officer *who, const struct status_subject *x)
{
	return may_see_certificate(
		   policy, who, snapshot_of_kind(policy, KIND_AUTHORITY, doc_id_of(x->row.issuer)),
		   snapshot_of_kind(policy, KIND_TOKEN_PROCEDURE, doc_id_of(x->row.token_procedure)),
		   NULL) == RC_OK;
}

/* What the officer may not see is not told apart from what is not there, however it was named. */
static enum rc
load_seen(struct preparation *p, int64_t id, struct status_subject *ret, struct err *e)
{
	enum rc rc = status_load(p->f, p->a, p->policy, id, p->who->name_constraints.n > 0, ret, e);

	if ((rc == RC_OK && !is_seen(p->policy, p->who, ret)) ||
	    (rc != RC_OK && e->code == CHY_STATUS_UNSEEN)) {
		err_clear(e);
		FAIL(e, CHY_STATUS_UNSEEN, NULL, UNSEEN);
	}
	return rc;
}

static enum rc
prepare_one(struct preparation *p, const struct asked *asked, const struct json *item, size_t i,
	    struct json *list, int64_t *ret_id, struct err *e)
{
	struct json *o = json_object(p->a);
	struct status_decision d = { 0 };
	struct status_subject x;
	struct status_facts facts;
	struct bytes hash = BYTES_NONE;

	TRY(named(p, item, ret_id, e));
	TRY(load_seen(p, *ret_id, &x, e));
	TRY(status_facts_of(p->f, p->a, p->policy, p->who, &x, &asked->wish, &facts, e));
	TRY(right_act(p->policy, asked, &x, e));
	TRY(decide_status(p->a, &facts, &d, e));
	json_set(o, "certificate", json_int(p->a, x.row.id));
	json_set(o, "certificate_sha256", json_hex(p->a, x.row.fingerprint));
	if (item->type == JSON_OBJECT && json_get(item, "certificate_sha256") != NULL) {
		TRY(json_need_str(item, "certificate_sha256", &hash, e));
		NEED(bytes_eq(hash, json_get(o, "certificate_sha256")->str), e, CHY_STATUS_UNSEEN, NULL,
		     "certificate %lld is another one", (long long)x.row.id);
	}
	json_add(list, o);
	add_line(p->a, p->difference, i, &x, d.to);
	return RC_OK;
}

static enum rc
last_pair(struct factory *f, struct arena *a, const struct snapshot *policy, const struct asked *asked,
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
count_check(const struct asked *asked, struct err *e)
{
	size_t most = asked->wish.verified == VERIFIED_PASSWORD ? LIMIT_BULK_PASSWORD
	    : asked->authority                                  ? 1
								: LIMIT_BULK_STATUS;

	if (asked->list->count >= 1 && asked->list->count <= most)
		return RC_OK;
	err_field(e, "certificates");
	FAIL(e, CHY_LIMIT, NULL, "1 to %zu certificates", most);
}

static bool
is_among(const int64_t *ids, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

enum rc
status_act_check(struct preparation *p, struct err *e)
{
	struct json *list = json_array(p->a);
	struct asked asked;
	int64_t *ids;
	size_t n = 0;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(read_body(p->act, p->body, &asked, e));
	TRY(count_check(&asked, e));
	ids = arena_array(p->a, asked.list->count, sizeof(*ids));
	NEED(ids != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	JSON_EACH(item, asked.list)
	{
		TRY_AT(prepare_one(p, &asked, item, n, list, &ids[n], e), e, "certificates[%zu]", n);
		if (is_among(ids, n, ids[n])) {
			err_field(e, "certificates[%zu]", n);
			FAIL(e, CHY_FIELD_TWICE, NULL, "certificate %lld stands twice", (long long)ids[n]);
		}
		n++;
	}
	TRY(last_pair(p->f, p->a, p->policy, &asked, ids, n, e));
	json_set(p->body, "certificates", list);
	return RC_OK;
}

/* ---- telling who signs later ---- */

/* What it comes to as things stand now; whether it may be done is decided when it is signed. */
static enum cert_state
would_be(const struct status_subject *x, enum status_verb v)
{
	enum cert_state from = (enum cert_state)x->status.state;
	size_t causes = x->causes_n + (v == STATUS_HOLD) - (v == STATUS_REINSTATE && x->causes_n > 0);

	return status_may(from, v) ? status_after(from, v, causes) : from;
}

enum rc
status_act_tell(const struct telling *t, struct json *difference, struct err *e)
{
	size_t i = 0;

	JSON_EACH(item, body_list(t->request->body, "certificates"))
	{
		struct status_subject x;

		TRY(status_load(t->f, t->a, t->policy, body_int(item, "certificate", 0), false, &x, e));
		if (is_seen(t->policy, t->who, &x))
			add_line(t->a, difference, i, &x, would_be(&x, verb_of(t->request->act)));
		i++;
	}
	return RC_OK;
}

/* ---- the revocation password ---- */

static int64_t
wait_after(int64_t tries)
{
	int64_t doublings = tries - TRIES_FREE;

	if (doublings < 0)
		return 0;
	return (int64_t)WAIT_FIRST_MS << (doublings < WAIT_DOUBLINGS ? doublings : WAIT_DOUBLINGS);
}

/* Counted and in the journal before anybody hears of it. */
static enum rc
password_was_wrong(struct effect *x, int64_t id, const struct password_wrong_row *before, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct json *m = json_object(x->a);
	int64_t until = clock_now_ms() + wait_after(before->tries + 1);
	struct change *ready;

	change_password_wrong(c, id, until);
	json_set(m, "certificate", json_int(x->a, id));
	json_set(m, "tries", json_int(x->a, before->tries + 1));
	json_set(m, "until", json_time(x->a, until));
	json_set(m, "officer", json_int(x->a, x->signer.v));
	json_set(m, "by", by_request(x->a, x->request->id));
	TRY(leaf_add(x->f, x->a, c, LEAF_REVOCATION_PASSWORD, 0, id, m, e));
	ready = c;
	c = NULL;
	FAULT("factory.before-password-wrong");
	TRY(store_commit(x->f->store, ready, e));
	FAULT("factory.after-password-wrong");
	FAIL(e, CHY_REVOCATION_PASSWORD_WRONG, NULL, "it is not the revocation password of certificate %lld",
	     (long long)id);
}

/* As it came out before, if the form is still that one. */
static enum rc
compare(const struct effect *x, const struct secret *given, int64_t id, struct bytes form, struct err *e)
{
	for (size_t i = 0; i < x->passwords.n; i++) {
		const struct password_verdict *v = &x->passwords.v[i];

		if (v->certificate != id || !bytes_eq(v->form, form))
			continue;
		return v->right ? RC_OK : err_set(e, CHY_PASSWORD_WRONG, NULL, "it was compared before");
	}
	return password_verify(given, form, e);
}

static enum rc
password_check(struct effect *x, const struct secret *given, int64_t id, struct change *c, struct err *e)
{
	struct password_wrong_row wrong;
	struct choice_row choice;
	struct err why = { 0 };
	enum rc rc;

	rc = store_choice(x->f->store, x->a, id, &choice, &why);
	NEED(rc == RC_OK || rc == RC_NOT_FOUND, e, why.code, NULL, "%s", why.text);
	NEED(rc == RC_OK && choice.revocation_password.n > 0, e, CHY_REVOCATION_PASSWORD_NONE, NULL,
	     "certificate %lld has none", (long long)id);
	TRY(store_password_wrong(x->f->store, x->a, id, &wrong, e));
	NEED(wrong.until_at <= clock_now_ms(), e, CHY_REVOCATION_PASSWORD_LATER, NULL,
	     "%lld wrong ones in a row: in %lld seconds again", (long long)wrong.tries,
	     (long long)((wrong.until_at - clock_now_ms()) / 1000 + 1));
	err_clear(&why);
	rc = compare(x, given, id, choice.revocation_password, &why);
	if (rc != RC_OK && why.code == CHY_PASSWORD_WRONG)
		return password_was_wrong(x, id, &wrong, e);
	NEED(rc == RC_OK, e, why.code, NULL, "%s", why.text);
	if (wrong.tries > 0)
		change_password_right(c, id);
	return RC_OK;
}

static enum rc
read_password(const struct json *secrets, struct secret **ret, struct err *e)
{
	static const char *const names[] = { "revocation_password", NULL };
	struct bytes text = BYTES_NONE;

	if (secrets != NULL) {
		NEED(secrets->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL, "secrets: an object");
		TRY(json_only(secrets, names, e));
		TRY(json_opt_str(secrets, "revocation_password", &text, e));
	}
	NEED(text.n > 0, e, CHY_REVOCATION_PASSWORD_NEEDED, NULL,
	     "secrets.revocation_password comes with the signature");
	*ret = secret_of(text);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "a revocation password");
	return RC_OK;
}

static enum rc
compare_before(struct factory *f, struct arena *a, const struct secret *given, int64_t id,
	       struct password_verdicts *ret, struct err *e)
{
	struct password_wrong_row wrong;
	struct choice_row choice;
	enum rc rc;

	TRY(store_password_wrong(f->store, a, id, &wrong, e));
	if (wrong.until_at > clock_now_ms()) /* it will not be looked at */
		return RC_OK;
	TRY(store_choice(f->store, a, id, &choice, e));
	rc = password_verify(given, choice.revocation_password, e);
	if (rc == RC_OK || e->code == CHY_PASSWORD_WRONG)
		ret->v[ret->n++] = (struct password_verdict){ id, choice.revocation_password, rc == RC_OK };
	return rc;
}

void
status_act_compare(struct factory *f, struct arena *a, const struct request *r, const struct json *secrets,
		   struct password_verdicts *ret)
{
	OWN(secret_free)
	struct secret *given = NULL;
	struct asked asked;

	*ret = (struct password_verdicts){ 0 };
	if (read_body(r->act, r->body, &asked, NULL) != RC_OK || asked.wish.verified != VERIFIED_PASSWORD ||
	    read_password(secrets, &given, NULL) != RC_OK)
		return;
	ret->v = arena_array(a, asked.list->count, sizeof(*ret->v));
	if (ret->v == NULL)
		return;
	JSON_EACH(item, asked.list)
	{
		struct err why = { 0 };

		if (compare_before(f, a, given, body_int(item, "certificate", 0), ret, &why) != RC_OK)
			break; /* one that is wrong decides for all */
	}
}

/* With the mutexes of guesses and of statuses held: no two guesses at once. Every certificate's password must be right, or nothing is done. */
enum rc
status_act_bring(struct effect *x, struct change *c, struct err *e)
{
	OWN(secret_free)
	struct secret *given = NULL;
	struct asked asked;
	size_t i = 0;

	TRY(read_body(x->request->act, x->request->body, &asked, e));
	if (asked.wish.verified != VERIFIED_PASSWORD) {
		NEED(x->secrets == NULL, e, CHY_SECRETS, NULL, "no password is asked by this request");
		return RC_OK;
	}
	TRY_AT(read_password(x->secrets, &given, e), e, "secrets");
	JSON_EACH(item, asked.list)
	{
		TRY_AT(password_check(x, given, body_int(item, "certificate", 0), c, e), e,
		       "certificates[%zu]", i);
		i++;
	}
	return RC_OK;
}

/* ---- taking effect ---- */

struct taking {
	struct effect *x;
	struct asked asked;
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

	TRY(status_load(t->x->f, a, t->x->policy, body_int(item, "certificate", 0), has_constrained_signer(t),
			&s, e));
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

	TRY(read_body(x->request->act, x->request->body, &t.asked, e));
	TRY(last_pair_of(&t, e));
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

static bool
binds_by_subject(const struct snapshot *policy)
{
	const struct document *const *docs;
	size_t n = snapshot_list(policy, KIND_OFFICER, &docs);

	for (size_t i = 0; i < n; i++) {
		const struct officer *o = snapshot_officer(policy, doc_officer(docs[i]->id));

		if (o != NULL && o->entity == ENTITY_SUBJECT)
			return true;
	}
	return false;
}

static enum rc
touches(struct factory *f, struct arena *a, const struct snapshot *policy, const struct json *item,
	bool subjects, bool *ret, struct err *e)
{
	struct certificate_row row;
	struct bytes hex, hash;
	enum rc rc;

	TRY(json_need_str(item, "certificate_sha256", &hex, e));
	TRY(hex_parse(a, hex, &hash, e));
	*ret = hash.n == FINGERPRINT_LEN && snapshot_officer_by_fingerprint(policy, hash.p) != NULL;
	if (*ret || !subjects)
		return RC_OK;
	rc = store_certificate(f->store, a, body_int(item, "certificate", 0), &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	*ret = status_is_officers(a, policy, &row);
	return RC_OK;
}

enum rc
status_act_touches_officers(struct factory *f, struct arena *a, const struct snapshot *policy,
			    const struct request *r, bool *ret, struct err *e)
{
	bool subjects = binds_by_subject(policy);

	*ret = false;
	JSON_EACH(item, body_list(r->body, "certificates"))
	if (!*ret)
		TRY(touches(f, a, policy, item, subjects, ret, e));
	return RC_OK;
}
