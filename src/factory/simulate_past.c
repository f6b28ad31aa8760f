/* Past requests, tried again by a changed policy. */
#include "base/base.h"
#include "factory/try_policy.h"

#include "factory/in_force.h"
#include "crypto/softkey.h"
#include "factory/issue_attribute.h"
#include "factory/issue_facts.h"
#include "factory/leaf.h"
#include "factory/past.h"
#include "factory/sessions.h"
#include "policy/body.h"
#include "policy/find.h"
#include "policy/path.h"
#include "policy/simulate.h"
#include "policy/token.h"
#include "store/read.h"

enum { PAST_ARENA = 512 << 20, NOTED_MAX = 200, STAND_INS = 16 };

/* A key in place of one that was never made, or not of this type. */
struct stand_in {
	char kind[KEY_NAME_MAX];
	struct bytes spki;
};

struct simulating {
	struct factory *f;
	struct arena *a, *mem; /* mem: what was read */
	const struct snapshot *policy;
	const struct officer *who;
	struct snapshot *now, *then;
	struct past *past;
	size_t n, most;
	int64_t since;
	struct stand_in stand_ins[STAND_INS];
	size_t stand_ins_n;
	size_t counts[SIMULATED_COUNT];
	struct json *items;
	struct err *e;
};

/* ---- what there is ---- */

/* Of a token procedure in the officer's domain or below it. */
static bool
is_ours(const void *arg, const struct past *p)
{
	const struct simulating *s = arg;
	const struct document *d;

	return find_document(s->policy, KIND_TOKEN_PROCEDURE, p->token_procedure, s->who->domain, &d, NULL) ==
	    RC_OK &&
	    domain_is_above(s->policy, s->who->domain, d->domain);
}

static int
newest_first(const void *x, const void *y)
{
	const struct past *a = x, *b = y;

	return a->at != b->at ? (a->at < b->at) - (a->at > b->at) : (a->id < b->id) - (a->id > b->id);
}

static enum rc
gather(struct simulating *s)
{
	const struct past_query q = { .f = s->f,
				      .mem = s->mem,
				      .now = s->now,
				      .then = s->then,
				      .since = s->since,
				      .most = s->most,
				      .wanted = is_ours,
				      .arg = s };

	TRY(past_gather(&q, &s->past, &s->n, s->e));
	if (s->n > 0)
		qsort(s->past, s->n, sizeof(*s->past), newest_first);
	s->n = s->n < s->most ? s->n : s->most;
	return RC_OK;
}

/* ---- one ---- */

/* One past request before both policies. */
struct one {
	struct simulating *s;
	struct arena *a;
	const struct past *p;
	struct issue_request request;
	struct csr csr;
	struct issue_facts facts;
	struct session_facts session;
	struct session_body body;
	uint8_t key_id[20];
	struct bytes subject; /* DER */
	struct bytes text;    /* the same in words, where that is what there is */
};

typedef enum rc side_fn(struct one *o, const struct snapshot *policy, struct simulated_side *ret);

/* ---- by a certificate request ---- */

/* The session as it was when it was used: open, with certificates left. */
static enum rc
session_then(struct one *o)
{
	struct err *e = o->s->e;
	struct session_row row;
	struct json *body;

	TRY(store_session(o->s->f->store, o->a, o->p->session, &row, e));
	TRY(json_parse(o->a, row.body, &body, e));
	TRY(session_body_read(o->a, body, &o->body, e));
	o->session = (struct session_facts){ .id = session_id_of(o->p->session),
					     .token_procedures = o->body.procedures,
					     .token_procedures_n = o->body.procedures_n,
					     .certificates_max = INT64_MAX,
					     .expires_at_ms = INT64_MAX };
	o->facts.session = &o->session;
	o->request.word = WORD_SESSION;
	o->request.session = o->session.id;
	o->request.officer = officer_id_of(row.officer_id);
	return RC_OK;
}

static void
start(struct one *o)
{
	o->request = (struct issue_request){ .word = WORD_REQUEST,
					     .request = request_id_of(o->p->id),
					     .officer = o->p->officer,
					     .token_procedure = o->p->token_procedure,
					     .csr_der = o->p->csr,
					     .input = o->p->input,
					     .not_before_ms = o->p->not_before,
					     .not_after_ms = o->p->not_after };
	o->facts = (struct issue_facts){ .request = &o->request, .now_ms = o->p->at };
}

static enum rc
certificate_side(struct one *o, const struct snapshot *policy, struct simulated_side *ret)
{
	start(o);
	TRY(csr_parse_any(o->a, o->p->csr, &o->csr, o->s->e));
	issue_facts_of_csr(&o->facts, &o->csr, o->key_id, false);
	o->subject = o->csr.subject;
	if (o->p->session != 0)
		TRY(session_then(o));
	return simulate_certificate(o->a, policy, &o->facts, ret, o->s->e);
}

/* ---- for a key of a soft token ---- */

static enum rc
stand_in(struct simulating *s, const char *kind, struct bytes *ret)
{
	OWN(softkey_free)
	struct softkey *key = NULL;
	struct stand_in *x = &s->stand_ins[s->stand_ins_n];

	for (size_t i = 0; i < s->stand_ins_n; i++)
		if (strcmp(s->stand_ins[i].kind, kind) == 0) {
			*ret = s->stand_ins[i].spki;
			return RC_OK;
		}
	NEED(s->stand_ins_n < STAND_INS, s->e, CHY_LIMIT, NULL, "more than %d types of keys", STAND_INS);
	TRY(softkey_generate(kind, &key, s->e));
	snprintf(x->kind, sizeof(x->kind), "%s", kind);
	x->spki = arena_dup(s->mem, softkey_spki(key));
	NEED(x->spki.p != NULL, s->e, CHY_NO_MEMORY, NULL, "a key");
	s->stand_ins_n++;
	*ret = x->spki;
	return RC_OK;
}

/* The key that was made, where it is of the type that the procedure wants. */
static enum rc
fitting_key(struct one *o, const struct procedure *wanted, struct bytes *ret)
{
	char want[KEY_NAME_MAX] = "p-256", is[KEY_NAME_MAX];
	struct pubkey key;

	if (wanted != NULL && wanted->key_type.alg != KEY_NONE)
		key_type_text(want, wanted->key_type);
	*ret = o->p->spki;
	if (ret->n > 0) {
		TRY(pubkey_parse(*ret, &key, o->s->e));
		if (wanted == NULL || strcmp(key_type_text(is, pubkey_type(&key)), want) == 0)
			return RC_OK;
	}
	return stand_in(o->s, want, ret);
}

static bool
is_made_by(const struct token_procedure *t, struct doc_id procedure)
{
	for (size_t i = 0; i < t->procedures_n; i++)
		if (doc_id_eq(t->procedures[i]->doc->id, procedure))
			return true;
	for (size_t i = 0; i < t->keys_n; i++)
		if (t->keys[i]->renew != NULL && doc_id_eq(t->keys[i]->renew->doc->id, procedure))
			return true;
	return false;
}

/* A refusal before anything is decided. */
static enum rc
refused(struct one *o, struct simulated_side *ret, const char *rule, enum rc rc)
{
	NEED(rc != RC_NOMEM, o->s->e, CHY_NO_MEMORY, NULL, "a simulation");
	ret->rule = rule;
	return RC_OK;
}

static const struct token_procedure *
usable(const struct snapshot *policy, const struct past *p)
{
	const struct token_procedure *t = snapshot_token_procedure(
	    policy, doc_id_of(body_int(p->body, "token_procedure", 0)));

	return t != NULL && t->doc->active && t->why_not.code == CHY_NONE ? t : NULL;
}

static enum rc
key_facts(struct one *o, const struct snapshot *policy, const struct token_input *in)
{
	start(o);
	TRY(fitting_key(o, snapshot_procedure(policy, o->p->procedure), &o->request.spki));
	o->request.not_before_ms = in->not_before_ms;
	o->request.not_after_ms = in->not_after_ms;
	o->request.subject = in->subject;
	o->request.san = in->san;
	o->request.input = json_get(o->p->body, "input");
	o->request.certificate_procedure = o->p->procedure;
	o->csr = (struct csr){ .subject = in->subject, .san = in->san };
	TRY(pubkey_parse(o->request.spki, &o->csr.key, o->s->e));
	issue_facts_of_csr(&o->facts, &o->csr, o->key_id, true);
	if (in->subject.n > 0)
		o->subject = in->subject;
	return RC_OK;
}

/* What is wrong with the token procedure itself is found by the rules of issuing. */
static enum rc
key_side(struct one *o, const struct snapshot *policy, struct simulated_side *ret)
{
	const struct token_procedure *t = usable(policy, o->p);
	struct token_input in = { .subject = BYTES_NONE };
	enum rc rc;

	*ret = (struct simulated_side){ .rule = NULL };
	if (t != NULL && t->storage == STORAGE_PKCS12) {
		rc = token_input_read(o->a, t, json_get(o->p->body, "input"), &in, &ret->why);
		if (rc != RC_OK)
			return refused(o, ret, "token-input", rc);
		if (!is_made_by(t, o->p->procedure))
			return refused(o, ret, "selection",
				       err_set(&ret->why, CHY_SELECT_NONE, NULL,
					       "the token procedure makes no such key"));
	}
	TRY(key_facts(o, policy, &in));
	return simulate_certificate(o->a, policy, &o->facts, ret, o->s->e);
}

/* ---- an attribute certificate ---- */

static enum rc
attribute_side(struct one *o, const struct snapshot *policy, struct simulated_side *ret)
{
	const struct token_procedure *t = usable(policy, o->p);
	struct ac_base base;
	struct ac_facts facts = { .officer = o->p->officer,
				  .token_procedure = o->p->token_procedure,
				  .base = &base,
				  .not_before_ms = o->p->not_before,
				  .not_after_ms = o->p->not_after,
				  .now_ms = o->p->at };

	*ret = (struct simulated_side){ .rule = NULL };
	TRY(ac_base_load(o->s->f, o->a, body_int(json_get(o->p->body, "base"), "certificate", 0), &base,
			 o->s->e));
	ac_facts_here(o->s->f, &facts);
	base.held = base.revoked = false; /* as it was then */
	o->text = base.subject;
	while (t != NULL && facts.which < t->acs_n &&
	       !doc_id_eq(t->acs[facts.which]->doc->id, o->p->procedure))
		facts.which++;
	if (t != NULL && facts.which == t->acs_n)
		return refused(o, ret, "token-procedure",
			       err_set(&ret->why, CHY_SELECT_NONE, NULL,
				       "the token procedure makes no such attribute certificate"));
	if (t != NULL)
		facts.attributes = ac_attributes_for(o->a, t, facts.which,
						     body_list(o->p->body, "attributes"));
	return simulate_attribute_certificate(o->a, policy, &facts, ret, o->s->e);
}

/* ---- each of them ---- */

static void
note(struct one *o, const struct json *found)
{
	struct simulating *s = o->s;
	const struct past *p = o->p;
	struct json *item = json_copy(s->a, found);
	OWN_BUF struct buf subject = buf_max(16 << 10);

	buf_put(&subject, o->text);
	if (o->text.n == 0)
		name_put_der_text(&subject, o->subject);
	json_set(item, "at", json_time(s->a, p->at));
	json_set(item, p->session ? "session" : "request", json_int(s->a, p->session ? p->session : p->id));
	json_set(item, "subject", json_buf(s->a, &subject));
	json_add(s->items, item);
}

static enum rc
try_one(struct simulating *s, const struct past *p)
{
	static side_fn *const sides[] = { [PAST_CERTIFICATE] = certificate_side,
					  [PAST_KEY] = key_side,
					  [PAST_ATTRIBUTE] = attribute_side };
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct one *o = a ? arena_one(a, struct one) : NULL;
	struct simulated_side now, then;
	enum simulated outcome;
	struct json *found;

	NEED(o != NULL, s->e, CHY_NO_MEMORY, NULL, "a simulation");
	*o = (struct one){ .s = s, .a = a, .p = p };
	TRY(sides[p->what](o, s->now, &now));
	TRY(sides[p->what](o, s->then, &then));
	TRY(simulate_compare(a, &now, &then, &outcome, &found, s->e));
	s->counts[outcome]++;
	if (outcome != SIMULATED_SAME && s->items->count < NOTED_MAX)
		note(o, found);
	return RC_OK;
}

/* ---- all ---- */

static struct json *
document_json(struct simulating *s, struct doc_id id)
{
	const struct document *d = snapshot_document(s->then, id);
	const char *path = d ? path_of(s->then, s->a, d) : NULL;
	struct json *o = json_object(s->a);

	if (path == NULL)
		return json_null(s->a);
	json_set(o, "id", json_int(s->a, d->id.v));
	json_set(o, "path", json_str(s->a, bytes_str(path)));
	json_set(o, "version", json_int(s->a, d->version));
	return o;
}

static struct json *
answer(struct simulating *s, struct doc_id id)
{
	static const char *const names[SIMULATED_COUNT] = { "same", "different", "refused", "accepted",
							    "refused_otherwise" };
	struct unusable why = snapshot_unusable(s->then, id);
	struct json *o = json_object(s->a);

	json_set(o, "document", document_json(s, id));
	json_set(o, "tried", json_int(s->a, (int64_t)s->n));
	for (int i = 0; i < SIMULATED_COUNT; i++)
		json_set(o, names[i], json_int(s->a, (int64_t)s->counts[i]));
	json_set(o, "oldest", s->n ? json_time(s->a, s->past[s->n - 1].at) : json_null(s->a));
	json_set(o, "unusable", why.code != CHY_NONE ? json_str(s->a, bytes_str(why.text)) : json_null(s->a));
	json_set(o, "items", s->items);
	return o;
}

static enum rc
run(struct simulating *s)
{
	s->items = json_array(s->a);
	NEED(s->items != NULL, s->e, CHY_NO_MEMORY, NULL, "a simulation");
	TRY(policy_with(s->f, NULL, &s->now, s->e));
	TRY(gather(s));
	for (size_t i = 0; i < s->n; i++)
		TRY(try_one(s, &s->past[i]));
	return RC_OK;
}

static enum rc
read_range(struct simulating *s, const struct json *in)
{
	struct bytes since = BYTES_NONE;
	int64_t last = SIMULATE_LAST;

	TRY(json_opt_int(in, "last", 1, SIMULATE_LAST_MAX, &last, s->e));
	TRY(json_opt_str(in, "since", &since, s->e));
	if (since.n > 0)
		TRY_AT(time_parse(since, &s->since, s->e), s->e, "since");
	s->most = (size_t)last;
	return RC_OK;
}

enum rc
policy_simulate(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		const struct json *in, struct json **ret, struct err *e)
{
	static const char *const names[] = { "kind", "draft", "body", "object", "since", "last", NULL };
	OWN(arena_free)
	struct arena *mem = arena_new(PAST_ARENA);
	struct simulating s = { .f = f, .a = a, .mem = mem, .policy = policy, .who = who, .e = e };
	struct bytes kind;
	struct doc_id id;
	enum rc rc;

	NEED(mem != NULL, e, CHY_NO_MEMORY, NULL, "a simulation");
	TRY(json_only(in, names, e));
	TRY(json_need_str(in, "kind", &kind, e));
	if (kind_named(kind) == NULL) {
		err_field(e, "kind");
		FAIL(e, CHY_KIND_UNKNOWN, NULL, "\"%.*s\" is no kind of document",
		     BYTES_FMT(bytes_part(kind, 0, 60)));
	}
	TRY(read_range(&s, in));
	TRY(policy_changed(f, a, policy, who, kind_id_of(kind), in, false, &id, &s.then, e));
	rc = run(&s);
	if (rc == RC_OK)
		*ret = answer(&s, id);
	snapshot_unref(s.now);
	snapshot_unref(s.then);
	return rc;
}
