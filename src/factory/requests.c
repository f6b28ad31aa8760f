#include "base/base.h"
#include "factory/requests.h"

#include "crypto/rand.h"
#include "crypto/cms_verify.h"
#include "factory/acts.h"
#include "factory/callers.h"
#include "factory/in_force.h"
#include "factory/leaf.h"
#include "policy/approval.h"
#include "store/change.h"
#include "store/read.h"

/* ---- first call ---- */

/* The document that is to be modified, by id or name. */
static enum rc
find_base(struct preparation *p, struct err *e)
{
	const struct json *object = json_get(p->in, "object");
	struct bytes name = BYTES_NONE;
	char id[24];

	if (!act_has_base(p->act)) {
		if (object != NULL && object->type != JSON_NULL) {
			err_field(e, "object");
			FAIL(e, CHY_JSON_UNKNOWN, NULL, "only what is modified is named by \"object\"");
		}
		return RC_OK;
	}
	if (object != NULL && object->type == JSON_INT) {
		snprintf(id, sizeof(id), "%lld", (long long)object->integer);
		name = bytes_str(id);
	} else {
		TRY(json_need_str(p->in, "object", &name, e));
	}
	TRY_AT(snapshot_find(p->policy, p->act.kind, name, p->who->domain, &p->base, e), e, "object");
	return RC_OK;
}

static struct json *
to_sign(struct preparation *p, struct request_id id, struct bytes nonce, int64_t now_ms)
{
	struct arena *a = p->a;
	struct json *o = json_object(a), *base = json_null(a);
	OWN_BUF struct buf text = buf_max(64);
	char name[64];

	if (p->base != NULL) {
		base = json_object(a);
		json_set(base, "id", json_int(a, p->base->id.v));
		json_set(base, "version", json_int(a, p->base->version));
	}
	base64url_put(&text, nonce);
	json_set(o, "act", json_str(a, bytes_str(act_name(name, p->act))));
	json_set(o, "base", base);
	json_set(o, "body", p->body);
	json_set(o, "format", json_str(a, BYTES("chancery-request/1")));
	json_set(o, "instance", json_str(a, bytes_str(p->f->instance)));
	json_set(o, "nonce", json_str(a, buf_bytes(&text)));
	json_set(o, "prepared_at", json_time(a, now_ms));
	json_set(o, "prepared_by", json_int(a, p->who->id.v));
	json_set(o, "request", json_int(a, id.v));
	return o;
}

static enum rc
store_prepared(struct preparation *p, struct request_id id, struct bytes nonce, struct bytes bytes,
	       int64_t now_ms, struct err *e)
{
	struct change *c = change_new();
	char name[64];

	change_put_request(c,
			   &(struct request_row){ .id = id.v,
						  .act = bytes_str(act_name(name, p->act)),
						  .state = bytes_str(request_state_name(REQUEST_PREPARED)),
						  .object = p->base ? p->base->id.v : 0,
						  .base_version = p->base ? p->base->version : 0,
						  .body = bytes,
						  .prepared_by = p->who->id.v,
						  .nonce = nonce,
						  .at = now_ms,
						  .expires_at = now_ms + REQUEST_PREPARED_MS });
	return store_commit(p->f->store, c, e);
}

static struct json *
prepared_answer(struct preparation *p, struct request_id id, struct bytes bytes, int64_t now_ms)
{
	struct json *o = json_object(p->a), *affected;
	char name[64];

	json_set(o, "id", json_int(p->a, id.v));
	json_set(o, "act", json_str(p->a, bytes_str(act_name(name, p->act))));
	json_set(o, "state", json_str(p->a, bytes_str(request_state_name(REQUEST_PREPARED))));
	json_set(o, "to_sign", json_base64(p->a, bytes));
	json_set(o, "difference", p->difference);
	if (p->warnings != NULL)
		json_set(o, "warnings", p->warnings);
	affected = p->base ? affected_officers(p->a, p->policy, p->act, p->base->id) : NULL;
	if (affected != NULL)
		json_set(o, "affected_officers", affected);
	json_set(o, "signatures_needed", json_int(p->a, act_signatures(p->act)));
	json_set(o, "expires_at", json_time(p->a, now_ms + REQUEST_PREPARED_MS));
	return o;
}

static enum rc
check_act(struct preparation *p, const struct json *in, struct err *e)
{
	static const char *const names[] = { "act", "object", "body", NULL };
	struct json *body;
	struct bytes act;

	TRY(json_only(in, names, e));
	TRY(json_need_str(in, "act", &act, e));
	p->act = act_of(act);
	if (p->act.verb == ACT_NONE || act_row_of(p->act) == NULL) {
		err_field(e, "act");
		FAIL(e, CHY_ACT_UNKNOWN, NULL, "\"%.*s\" is no act", BYTES_FMT(bytes_part(act, 0, 80)));
	}
	p->in = in;
	TRY(find_base(p, e));
	TRY(json_need_object(in, "body", &body, e));
	p->in = body;
	TRY(act_row_of(p->act)->check(p, e));
	return decide_prepare(p->policy, p->who, p->act, p->base, p->body, e);
}

static enum rc
prepare(struct preparation *p, const struct json *in, struct json **ret, struct err *e)
{
	OWN_BUF struct buf bytes = buf_max(LIMIT_CMS);
	struct request_id id = request_id_of(factory_new_id(p->f));
	uint8_t nonce[REQUEST_NONCE_LEN];
	int64_t now_ms = clock_now_ms();

	TRY(check_act(p, in, e));
	TRY(rand_bytes(nonce, sizeof(nonce), e));
	json_put_canonical(&bytes, to_sign(p, id, BYTES_OF(nonce), now_ms));
	NEED(buf_ok(&bytes) && bytes.n <= LIMIT_CMS / 2, e, CHY_TOO_LONG, NULL,
	     "what is to be signed exceeds %d octets", LIMIT_CMS / 2);
	TRY(store_prepared(p, id, BYTES_OF(nonce), buf_bytes(&bytes), now_ms, e));
	*ret = prepared_answer(p, id, buf_bytes(&bytes), now_ms);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "the answer");
	return RC_OK;
}

/* The act's name as far as it can be told, for the journal. */
static const char *
act_text(const struct preparation *p, char dst[64])
{
	return p->act.verb == ACT_NONE ? "unknown" : act_name(dst, p->act);
}

enum rc
request_prepare(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		const struct json *in, struct json **ret, struct err *e)
{
	struct preparation p = {
		.f = f, .a = a, .policy = policy, .who = who, .act = { ACT_NONE, KIND_NONE }
	};
	enum rc rc = prepare(&p, in, ret, e);
	char name[64];

	if (is_refusal(rc))
		leaf_refusal(f,
			     &(struct refusal){
				 .act = act_text(&p, name), .by = "officer", .id = who->id.v, .why = e });
	return rc;
}

/* ---- reading ---- */

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

/* ---- second call ---- */

struct signing {
	struct factory *f;
	struct arena *a;
	struct snapshot *policy; /* with a reference */
	struct request_row row;
	struct request request;
	struct signatory signatures[SIGNATURES_MAX]; /* those it has, then the new ones */
	struct bytes cms[SIGNATURES_MAX];
	size_t before, n;
	enum request_state state; /* what it becomes */
	const struct json *secrets;
};

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

		change_put_signature(c,
				     &(struct signature_row){ .request_id = s->row.id,
							      .n = (int64_t)i + 1,
							      .officer_id = s->signatures[i].officer.v,
							      .cms = s->cms[i],
							      .at = clock_now_ms() });
		json_set(m, "request", json_int(s->a, s->row.id));
		json_set(m, "officer", json_int(s->a, s->signatures[i].officer.v));
		json_set(m, "cms", json_base64(s->a, s->cms[i]));
		TRY(leaf_add(s->f, s->a, c, "signature", 0, s->row.id, m, e));
	}
	return RC_OK;
}

static struct bytes
state_text(enum request_state s)
{
	return bytes_str(request_state_name(s));
}

/* A request that ends without effect, in the store and in the journal. */
static enum rc
end_request(struct factory *f, struct arena *a, const struct request_row *row, enum request_state to,
	    const char *why, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct json *m = json_object(a), *result = json_object(a);
	OWN_BUF struct buf text = buf_max(4096);
	struct change *ready;

	NEED(request_may_become(request_state_of(row->state), to), e, CHY_REQUEST_STATE, NULL,
	     "request %lld %s and does not become %s", (long long)row->id,
	     request_state_label(request_state_of(row->state)), request_state_name(to));
	json_set(m, "request", json_int(a, row->id));
	json_set(m, "from", json_str(a, row->state));
	json_set(m, "to", json_str(a, state_text(to)));
	json_set(m, "reason", json_str(a, bytes_str(why)));
	json_set(result, "reason", json_str(a, bytes_str(why)));
	json_put(&text, result);
	change_request_state(c, row->id, row->state, state_text(to), buf_bytes(&text));
	TRY(leaf_add(f, a, c, "request-state", 0, row->id, m, e));
	ready = c;
	c = NULL;
	return store_commit(f->store, ready, e);
}

static struct effect
effect_of(struct signing *s)
{
	return (struct effect){ .f = s->f,
				.a = s->a,
				.policy = s->policy,
				.request = &s->request,
				.signer = s->n ? s->signatures[s->n - 1].officer : s->request.prepared_by,
				.result = json_object(s->a) };
}

/* The effect's own part of the change and the state that it ends in. */
static enum rc
put_effect(struct signing *s, struct effect *x, struct change *c, struct err *e)
{
	const struct act_row *act = act_row_of(s->request.act);
	OWN_BUF struct buf result = buf_max(LIMIT_REQUEST_ARENA);

	TRY(act->apply(x, c, e));
	json_put(&result, x->result);
	NEED(buf_ok(&result), e, CHY_NO_MEMORY, NULL, "the result");
	change_request_state(c, s->row.id, state_text(REQUEST_SIGNED), state_text(REQUEST_DONE),
			     buf_bytes(&result));
	s->row.result = arena_dup(s->a, buf_bytes(&result));
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
	return s->state == REQUEST_SIGNED && act->bring != NULL ? act->bring(&x, c, e) : RC_OK;
}

/* What is committed has happened, whether or not the policy can be read just now: its job tries again each second. */
static void
bring_into_force(struct signing *s)
{
	struct err e = { 0 };
	enum rc rc = fault_fails("factory.load-after-act") ? err_set(&e, CHY_INTERNAL, NULL, "asked to fail")
							   : policy_load(s->f, &e);

	if (rc != RC_OK)
		LOG(ERROR, "policy.not-in-force", LI("request", s->row.id), LE(&e));
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
	if (at_once) {
		struct effect x = effect_of(s);

		TRY(put_effect(s, &x, c, e));
	}
	TRY(take_secrets(s, c, e));
	FAULT("factory.before-signature");
	ready = c;
	c = NULL;
	TRY(store_commit(s->f->store, ready, e));
	FAULT("factory.after-signature");
	s->row.state = state_text(at_once ? REQUEST_DONE : s->state);
	if (at_once)
		bring_into_force(s);
	return RC_OK;
}

static bool
is_passing(enum rc rc)
{
	return rc == RC_AGAIN || rc == RC_PEER || rc == RC_NOMEM;
}

static enum rc
work_once(struct signing *s, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct effect x = effect_of(s);
	struct change *ready;

	x.change = c;
	TRY(act_row_of(s->request.act)->work(&x, e));
	FAULT("factory.after-work");
	TRY(put_effect(s, &x, c, e));
	ready = c;
	c = NULL;
	TRY(store_commit(s->f->store, ready, e));
	s->row.state = state_text(REQUEST_DONE);
	bring_into_force(s);
	return RC_OK;
}

/* What reconcile has stored meanwhile is found the second time. */
static enum rc
work_and_apply(struct signing *s, struct err *e)
{
	enum rc rc = work_once(s, e);

	if (rc == RC_OK || (e->code != CHY_STORE_EXISTS && e->code != CHY_STORE_KEY_USED))
		return rc;
	err_clear(e);
	return work_once(s, e);
}

/* A request that has its signatures takes effect, or fails for good; what is only late stays and is tried again. */
static enum rc
carry_out_locked(struct signing *s, struct err *e)
{
	struct err also = { 0 };
	enum rc rc;

	TRY(store_request(s->f->store, s->a, s->row.id, &s->row, e));
	if (!bytes_eq(s->row.state, state_text(REQUEST_SIGNED)))
		return RC_OK; /* another thread has done it meanwhile */
	rc = work_and_apply(s, e);
	if (rc == RC_OK || is_passing(rc))
		return rc;
	if (end_request(s->f, s->a, &s->row, REQUEST_FAILED, e->text, &also) != RC_OK)
		LOG(ERROR, "request.state-not-written", LI("request", s->row.id), LE(&also));
	return rc;
}

/* One at a time: the job that carries on must not do what a call is doing. */
static enum rc
carry_out(struct signing *s, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&s->f->acting);
	rc = carry_out_locked(s, e);
	pthread_mutex_unlock(&s->f->acting);
	return rc;
}

static enum rc
load_signing(struct signing *s, struct request_id id, struct err *e)
{
	TRY(store_request(s->f->store, s->a, id.v, &s->row, e));
	TRY(request_read(s->a, &s->row, &s->request, e));
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
		    end_request(s->f, s->a, &s->row, s->state, e->text, &also) != RC_OK)
			LOG(ERROR, "request.state-not-written", LI("request", s->row.id), LE(&also));
		return rc;
	}
	return commit_signatures(s, e);
}

static enum rc
decide_on_newest(struct signing *s, const struct bytes *cms, size_t n, struct err *e)
{
	TRY(policy_load(s->f, e));
	snapshot_unref(s->policy);
	s->policy = factory_policy(s->f);
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

static enum rc
sign(struct signing *s, struct request_id id, const struct bytes *cms, size_t n, struct err *e)
{
	TRY(store_request(s->f->store, s->a, id.v, &s->row, e));
	s->request.act = act_of(s->row.act);
	NEED(n >= 1 && n <= SIGNATURES_MAX, e, CHY_REQUEST_STATE, NULL, "one to %d signatures",
	     SIGNATURES_MAX);
	TRY(act_has_document(s->request.act) ? decide_in_turn(s, cms, n, e)
					     : decide_and_commit(s, cms, n, e));
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

/* ---- jobs ---- */

static enum rc
resume_one(struct factory *f, int64_t id, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	struct signing s = { .f = f, .a = a, .policy = policy };

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(load_signing(&s, request_id_of(id), e));
	return carry_out(&s, e);
}

enum { JOB_PAGE = 100 };

/* Once a cause: requests that wait for a key store are tried every few seconds, for days. */
static void
tell_not_carried_on(struct resuming *r, int64_t id, const struct err *why)
{
	r->failed = true;
	for (size_t i = 0; i < r->told_n; i++)
		if (r->told[i] == why->code)
			return;
	if (r->told_n == ARRAY_LEN(r->told))
		r->told_n = 0;
	r->told[r->told_n++] = why->code;
	LOG(WARNING, "request.not-carried-on", LI("request", id), LE(why));
}

static void
walked_through(struct resuming *r)
{
	if (!r->failed)
		r->told_n = 0;
	r->failed = false;
	r->after = 0;
}

static enum rc
resume_next(struct factory *f, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *a = NULL;
	struct resuming *r = &f->resuming;
	struct number_row *ids;
	size_t n, done = 0;

	*ret_more = false;
	if (!signer_is_there(f->signer)) /* each of them needs it */
		return RC_OK;
	NEED((a = arena_new(LIMIT_REQUEST_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "requests");
	TRY(store_request_ids(f->store, a, state_text(REQUEST_SIGNED), r->after, JOB_PAGE, &ids, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct err why = { 0 };

		r->after = ids[i].value;
		if (resume_one(f, ids[i].value, &why) != RC_OK) {
			tell_not_carried_on(r, ids[i].value, &why);
			continue;
		}
		LOG(INFO, "request.carried-on", LI("request", ids[i].value));
		done++;
	}
	if (n < JOB_PAGE)
		walked_through(r);
	*ret_more = n == JOB_PAGE && done > 0;
	return RC_OK;
}

enum rc
requests_resume(struct factory *f, bool *ret_more, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&f->resuming.lock);
	rc = resume_next(f, ret_more, e);
	pthread_mutex_unlock(&f->resuming.lock);
	return rc;
}

/* The row says when it lapses unsigned; once signed, the time of the first signature counts. */
static enum rc
waited_too_long(struct factory *f, struct arena *a, int64_t id, bool *ret, struct err *e)
{
	struct signature_row *rows;
	size_t n;

	TRY(store_signatures(f->store, a, id, &rows, &n, e));
	*ret = n == 0 || rows[0].at + REQUEST_WAITING_MS <= clock_now_ms();
	return RC_OK;
}

static enum rc
expire_one(struct factory *f, enum request_state state, int64_t id, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	const struct request_row row = { .id = id, .state = state_text(state) };
	bool over = true;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	if (state == REQUEST_WAITING)
		TRY(waited_too_long(f, a, id, &over, e));
	if (!over)
		return RC_OK;
	rc = end_request(f, a, &row, REQUEST_EXPIRED, "nobody signed it in time", e);
	if (rc != RC_OK && e->code == CHY_STORE_STATE) { /* somebody did meanwhile */
		err_clear(e);
		return RC_OK;
	}
	return rc;
}

static enum rc
expire(struct factory *f, enum request_state state, struct err *e)
{
	int64_t after = 0;
	size_t n;

	do {
		OWN(arena_free)
		struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
		struct number_row *ids;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "requests");
		TRY(store_requests_expired(f->store, a, state_text(state), clock_now_ms(), after, JOB_PAGE,
					   &ids, &n, e));
		for (size_t i = 0; i < n; i++) {
			after = ids[i].value;
			TRY(expire_one(f, state, after, e));
		}
	} while (n == JOB_PAGE);
	return RC_OK;
}

enum rc
requests_expire(struct factory *f, struct err *e)
{
	TRY(expire(f, REQUEST_PREPARED, e));
	return expire(f, REQUEST_WAITING, e);
}
