/* The second call: signatures are judged, and what they come to is committed. */
#include "base/base.h"
#include "factory/requests.h"

#include "crypto/cms_verify.h"
#include "factory/callers.h"
#include "factory/standing.h"
#include "factory/in_force.h"
#include "factory/request_impl.h"
#include "store/change.h"
#include "store/read.h"

/* What a signature says of itself, and of its certificate; *ret_officer: who is bound to that now, NULL: nobody. */
static enum rc
read_signature(struct signing *s, struct bytes cms, struct cms_signed *ret_signed, struct signatory *ret,
	       const struct officer **ret_officer, struct err *e)
{
	TRY(cms_verify(s->a, cms, ret_signed, e));
	TRY(credential_of(s->f, s->a, s->policy, ret_signed->signer, &ret->credential, ret_officer, e));
	ret->signed_at_ms = ret_signed->signed_at_ms;
	if (*ret_officer != NULL)
		ret->boot = (*ret_officer)->boot;
	return RC_OK;
}

/* An officer whose profile or certificate changed since is still the one who signed; the certificate's status counts all the
   same. What cannot be told is no good news: without it there is no second signature. */
static enum rc
signatory_before(struct signing *s, const struct signature_row *row, struct signatory *ret, struct err *e)
{
	struct cms_signed signed_;
	const struct officer *o;

	TRY(read_signature(s, row->cms, &signed_, ret, &o, e));
	return o != NULL ? RC_OK
			 : credential_look_up(s->f, s->a, s->policy, signed_.signer, &ret->credential, e);
}

static bool
is_open(enum request_state s)
{
	return s == REQUEST_PREPARED || s == REQUEST_WAITING;
}

static enum rc
load_before(struct signing *s, struct err *e)
{
	struct signature_row *rows;
	size_t n;

	TRY(store_signatures(s->f->store, s->a, s->row.id, &rows, &n, e));
	NEED(n < SIGNATURES_MAX, e, CHY_REQUEST_DAMAGED, NULL, "too many signatures");
	for (size_t i = 0; i < n; i++) {
		s->signatures[i].officer = officer_id_of(rows[i].officer_id);
		if (is_open(s->request.state)) /* else all that was to be judged is judged */
			TRY(signatory_before(s, &rows[i], &s->signatures[i], e));
		s->request.waiting_at_ms = s->request.waiting_at_ms ? s->request.waiting_at_ms : rows[i].at;
	}
	s->before = s->n = n;
	return RC_OK;
}

static enum rc
current_base(struct signing *s, struct doc_version *ret, struct err *e)
{
	struct document_row row;
	enum rc rc;

	*ret = (struct doc_version){ 0 };
	if (s->request.base.id.v == 0)
		return RC_OK;
	rc = store_document(s->f->store, s->a, s->request.base.id.v, 0, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	*ret = (struct doc_version){ doc_id_of(row.id), row.version };
	return RC_OK;
}

/* One new signature: is it one, over these bytes, and does it count? */
static enum rc
judge_one(struct signing *s, struct bytes cms, size_t together, struct err *e)
{
	struct signature_decision d = { .state = s->state };
	struct signature_facts facts = { .policy = s->policy,
					 .request = &s->request,
					 .now_ms = clock_now_ms(),
					 .before = s->signatures,
					 .before_n = s->n,
					 .together = together };
	const struct officer *o;
	struct cms_signed signed_;
	enum rc rc;

	NEED(s->n < SIGNATURES_MAX, e, CHY_REQUEST_STATE, NULL, "too many signatures");
	TRY(read_signature(s, cms, &signed_, &facts.signer, &o, e));
	NEED(o != NULL, e, CHY_NOT_OFFICER, NULL, "no officer is bound to the certificate of the signature");
	facts.signer.officer = o->id;
	NEED(bytes_eq(signed_.content, s->request.to_sign), e, CHY_REQUEST_OTHER_BYTES, "RFC 5652 5.4",
	     "the signature is over other bytes than those of request %lld", (long long)s->row.id);
	TRY(current_base(s, &facts.current, e));
	if (act_needs_pair(s->request.act))
		TRY(officers_gone(s->f, s->a, s->policy, NULL, 0, &facts.gone, e));
	rc = decide_signature(&facts, &d, e);
	s->state = d.state;
	TRY(rc);
	s->cms[s->n] = cms;
	s->signatures[s->n++] = facts.signer;
	s->request.state = d.state;
	if (s->request.waiting_at_ms == 0)
		s->request.waiting_at_ms = facts.now_ms;
	return RC_OK;
}

static enum rc
put_signatures(struct signing *s, struct change *c, struct err *e)
{
	for (size_t i = s->before; i < s->n; i++) {
		struct json *m = json_object(s->a);
		int64_t at_ms = i == 0 ? s->request.waiting_at_ms
				       : clock_now_ms(); /* waiting counts from it */

		change_put_signature(c,
				     &(struct signature_row){ .request_id = s->row.id,
							      .n = (int64_t)i + 1,
							      .officer_id = s->signatures[i].officer.v,
							      .cms = s->cms[i],
							      .at = at_ms });
		json_set(m, "request", json_int(s->a, s->row.id));
		json_set(m, "officer", json_int(s->a, s->signatures[i].officer.v));
		json_set(m, "cms", json_base64(s->a, s->cms[i]));
		TRY(leaf_add(s->f, s->a, c, LEAF_SIGNATURE, 0, s->row.id, m, e));
	}
	return RC_OK;
}

/* What comes beside the signed bytes is durable with the last signature, or the signature is not. */
static enum rc
take_secrets(struct signing *s, struct change *c, struct err *e)
{
	const struct act_row *act = act_row_of(s->request.act);
	struct effect x = effect_of(s);

	if (s->secrets != NULL && act->bring == NULL) {
		err_field(e, "secrets");
		FAIL(e, CHY_SECRETS, NULL, "this act takes none");
	}
	x.secrets = s->secrets;
	x.passwords = s->passwords;
	return s->state == REQUEST_SIGNED && act->bring != NULL ? act->bring(&x, c, e) : RC_OK;
}

/* Signatures, the new state and, where nothing outside the store is to be done, the effect: one commit. */
static enum rc
commit_signatures(struct signing *s, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	bool at_once = s->state == REQUEST_SIGNED && act_row_of(s->request.act)->work == NULL;
	struct change *ready;

	if (s->state == s->request.state && bytes_eq(s->row.state, state_text(s->state)))
		return RC_OK;
	change_request_state(c, s->row.id, s->row.state, state_text(s->state), BYTES_NONE);
	TRY(put_signatures(s, c, e));
	TRY(take_secrets(s, c, e));
	if (at_once) {
		struct effect x = effect_of(s);

		TRY(put_effect(s, &x, c, e));
	}
	FAULT("factory.before-signature");
	ready = c;
	c = NULL;
	TRY(store_commit(s->f->store, ready, e));
	FAULT("factory.after-signature");
	s->row.state = state_text(at_once ? REQUEST_DONE : s->state);
	if (at_once && act_row_of(s->request.act)->after != NULL)
		act_row_of(s->request.act)->after(s->f, s->request.act);
	if (at_once)
		bring_into_force(s);
	return RC_OK;
}

enum rc
load_signing(struct signing *s, struct request_id id, struct err *e)
{
	TRY(store_request(s->f->store, s->a, id.v, &s->row, e));
	TRY(request_read(s->a, &s->row, &s->request, e));
	TRY(request_facts(s->f, s->a, &s->request, e));
	s->state = s->request.state;
	return load_before(s, e);
}

/* What the signatures come to, by the policy that s has, and that written down. */
static enum rc
decide_and_commit(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	TRY(load_signing(s, request_id_of(s->row.id), e));
	for (size_t i = 0; i < n; i++) {
		enum rc rc = judge_one(s, cms[i], n, e);
		struct err also = { 0 };

		if (rc == RC_OK)
			continue;
		if ((s->state == REQUEST_VOID || s->state == REQUEST_EXPIRED) &&
		    end_request(s->f, s->a, &s->row, s->state, e, &also) != RC_OK)
			LOG(ERROR, "request.state-not-written", LI("request", s->row.id), LE(&also));
		return rc;
	}
	return commit_signatures(s, e);
}

static enum rc
take_newest(struct signing *s, struct err *e)
{
	TRY(policy_load(s->f, e));
	snapshot_unref(s->policy);
	s->policy = factory_policy(s->f);
	return RC_OK;
}

static enum rc
decide_on_newest(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	TRY(take_newest(s, e));
	return decide_and_commit(s, cms, n, e);
}

/* Acts that change documents are judged one after the other, each by what the one before has left: of two that are right by
   themselves (a name, a range of numbers, the last but one pair of officers) the second may be wrong. */
static enum rc
decide_in_turn(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&s->f->deciding);
	rc = decide_on_newest(s, cms, n, e);
	pthread_mutex_unlock(&s->f->deciding);
	return rc;
}

/* What was asked cannot be done any more: the certificates are not what they were when it was prepared. */
static enum rc
void_if_stale(struct signing *s, enum rc rc, struct err *e)
{
	struct err also = { 0 };

	if (rc != RC_OK && e->code == CHY_STATUS_STALE &&
	    end_request(s->f, s->a, &s->row, REQUEST_VOID, e, &also) != RC_OK)
		LOG(ERROR, "request.state-not-written", LI("request", s->row.id), LE(&also));
	return rc;
}

/* By the policy as it is once nothing else can change a status. *ret_officers: an officer's certificate is among them, and
   what changes officers is not held back: then nothing is decided. */
static enum rc
decide_status_now(struct signing *s, const struct bytes *cms, size_t n, bool in_turn, bool *ret_officers,
		  struct err *e)
{
	TRY(take_newest(s, e));
	TRY(status_act_touches_officers(s->f, s->a, s->policy, &s->request, ret_officers, e));
	*ret_officers = *ret_officers && !in_turn;
	return *ret_officers ? RC_OK : decide_and_commit(s, cms, n, e);
}

static enum rc
decide_status_locked(struct signing *s, const struct bytes *cms, size_t n, bool in_turn, bool *ret_officers,
		     struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&s->f->revoking);
	rc = decide_status_now(s, cms, n, in_turn, ret_officers, e);
	pthread_mutex_unlock(&s->f->revoking);
	return void_if_stale(s, rc, e);
}

/* Are the signatures good so far, and all that it needs? Nobody else's guess is worth the time. */
static bool
is_signed_guess(struct signing *s, const struct bytes *cms, size_t n)
{
	struct err why = { 0 };
	enum rc rc = s->secrets != NULL ? load_signing(s, request_id_of(s->row.id), &why) : RC_NOT_FOUND;

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = judge_one(s, cms[i], n, &why);
	return rc == RC_OK && s->state == REQUEST_SIGNED;
}

/* Statuses are decided one after the other; where an officer's certificate is among them, also in turn with what changes
   officers, so that of the last two people neither can go behind the other's back. That is asked with the lock held: an
   officer may just have been bound to one of them. */
static enum rc
decide_status_in_turn(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	bool officers;
	enum rc rc;

	TRY(decide_status_locked(s, cms, n, false, &officers, e));
	if (!officers)
		return RC_OK;
	pthread_mutex_lock(&s->f->deciding);
	rc = decide_status_locked(s, cms, n, true, &officers, e);
	pthread_mutex_unlock(&s->f->deciding);
	return rc;
}

/* One guess at a time, from the comparison to what it comes to; who comes meanwhile is refused rather than kept waiting, or a few
   who guess would hold every worker. What needs no password goes on. */
static enum rc
decide_status_act(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	enum rc rc;

	TRY(request_read(s->a, &s->row, &s->request, e));
	if (!is_signed_guess(s, cms, n))
		return decide_status_in_turn(s, cms, n, e);
	NEED(pthread_mutex_trylock(&s->f->guessing) == 0, e, CHY_REVOCATION_PASSWORD_BUSY, NULL,
	     "another revocation password is being compared: try again");
	FAULT("factory.comparing-password");
	status_act_compare(s->f, s->a, &s->request, s->secrets, &s->passwords);
	rc = decide_status_in_turn(s, cms, n, e);
	pthread_mutex_unlock(&s->f->guessing);
	return rc;
}

/* Imports are decided in turn with statuses, by the newest policy; no officer is bound to what a foreign CA has issued. */
static enum rc
decide_import_act(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&s->f->revoking);
	rc = take_newest(s, e);
	if (rc == RC_OK)
		rc = decide_and_commit(s, cms, n, e);
	pthread_mutex_unlock(&s->f->revoking);
	return rc;
}

static enum rc
decide(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	if (status_act_is(s->request.act))
		return decide_status_act(s, cms, n, e);
	if (s->request.act.verb == ACT_IMPORT || s->request.act.verb == ACT_IMPORT_CRL)
		return decide_import_act(s, cms, n, e);
	return act_has_document(s->request.act) || act_begins_with_own(s->request.act)
	    ? decide_in_turn(s, cms, n, e)
	    : decide_and_commit(s, cms, n, e);
}

static enum rc
sign(struct signing *s, struct request_id id, const struct bytes *cms, size_t n, struct err *e)
{
	TRY(store_request(s->f->store, s->a, id.v, &s->row, e));
	s->request.act = act_of(s->row.act);
	NEED(n >= 1 && n <= SIGNATURES_MAX, e, CHY_REQUEST_STATE, NULL, "one to %d signatures",
	     SIGNATURES_MAX);
	TRY(decide(s, cms, n, e));
	return bytes_eq(s->row.state, state_text(REQUEST_SIGNED)) ? carry_out(s, e) : RC_OK;
}

static struct json *
signed_answer(const struct signing *s)
{
	struct json *o = json_object(s->a), *by = json_array(s->a), *result;
	char name[64];

	json_set(o, "id", json_int(s->a, s->row.id));
	json_set(o, "act", json_str(s->a, bytes_str(act_name(name, s->request.act))));
	json_set(o, "state", json_str(s->a, s->row.state));
	json_set(o, "signatures_needed", json_int(s->a, act_signatures(s->request.act)));
	for (size_t i = 0; i < s->n; i++)
		json_add(by, json_int(s->a, s->signatures[i].officer.v));
	json_set(o, "signatures", by);
	if (bytes_eq(s->row.state, state_text(REQUEST_WAITING)))
		json_set(o, "expires_at", json_time(s->a, request_expires_ms(&s->request)));
	if (s->row.result.n > 0 && json_parse(s->a, s->row.result, &result, NULL) == RC_OK)
		json_set(o, "result", result);
	return o;
}

/* The word of a request that is there; else of who called. */
static void
signing_refused(const struct signing *s, struct officer_id caller, const struct err *e)
{
	bool known = s->request.act.verb != ACT_NONE;
	char name[64];

	leaf_refusal(s->f,
		     &(struct refusal){ .act = known ? act_name(name, s->request.act) : "unknown",
					.by = known ? "request" : "officer",
					.id = known ? s->row.id : caller.v,
					.why = e });
}

enum rc
request_sign(struct factory *f, struct arena *a, struct officer_id caller, struct request_id id,
	     const struct bytes *cms, size_t n, const struct json *secrets, struct json **ret, struct err *e)
{
	struct signing s = { .f = f,
			     .a = a,
			     .policy = factory_policy(f),
			     .request = { .act = { ACT_NONE, KIND_NONE } },
			     .secrets = secrets };
	enum rc rc = sign(&s, id, cms, n, e);

	snapshot_unref(s.policy);
	if (is_refusal(rc))
		signing_refused(&s, caller, e);
	TRY(rc);
	*ret = signed_answer(&s);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "the answer");
	return RC_OK;
}
