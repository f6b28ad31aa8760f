/* Past requests, tried again by a changed policy. */
#include "base/base.h"
#include "factory/try_policy.h"

#include "factory/in_force.h"
#include "factory/issue_facts.h"
#include "factory/leaf.h"
#include "factory/requests.h"
#include "factory/sessions.h"
#include "policy/simulate.h"
#include "store/read.h"

enum { PAST_ARENA = 512 << 20, NOTED_MAX = 200 };

/* One past request for one certificate. */
struct past {
	int64_t at, id;  /* of the officers' request, or of the remembered one */
	int64_t session; /* 0: an officer's request */
	struct officer_id officer;
	struct bytes csr, token_procedure;
	int64_t not_before, not_after;
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
	size_t counts[SIMULATED_COUNT];
	struct json *items;
	struct err *e;
};

/* ---- what there is ---- */

static int64_t
time_of(const struct json *validity, const char *name)
{
	const struct json *v = json_get(validity, name);
	int64_t at = 0;

	if (v == NULL || v->type != JSON_STR || time_parse(v->str, &at, NULL) != RC_OK)
		return 0;
	return at;
}

/* All certificate requests in one signed act. */
static enum rc
take_request(struct simulating *s, const struct request_row *row)
{
	struct signature_row *signatures;
	struct request r;
	size_t n;

	TRY(request_read(s->mem, row, &r, s->e));
	TRY(store_signatures(s->f->store, s->mem, row->id, &signatures, &n, s->e));
	JSON_EACH(item, json_get(r.body, "requests"))
	{
		const struct json *procedure = json_get(r.body, "token_procedure"),
				  *validity = json_get(r.body, "validity");
		struct past *p = &s->past[s->n];
		struct bytes text;

		if (s->n == 2 * s->most || n == 0 || procedure == NULL || procedure->type != JSON_INT)
			return RC_OK;
		*p = (struct past){ .at = row->at,
				    .id = row->id,
				    .officer = officer_id_of(signatures[n - 1].officer_id) };
		p->token_procedure = bytes_str(arena_printf(s->mem, "%lld", (long long)procedure->integer));
		p->not_before = time_of(validity, "not_before");
		p->not_after = time_of(validity, "not_after");
		if (json_need_str(item, "csr", &text, NULL) == RC_OK &&
		    base64_parse(s->mem, text, &p->csr, NULL) == RC_OK)
			s->n++;
	}
	return RC_OK;
}

static enum rc
take_requests(struct simulating *s)
{
	struct request_row *rows;
	size_t n;

	TRY(store_requests_of_act(s->f->store, s->mem, BYTES("certificate.issue"), 0, s->since, s->most,
				  &rows, &n, s->e));
	for (size_t i = 0; i < n && s->n < s->most; i++)
		TRY(take_request(s, &rows[i]));
	return RC_OK;
}

static enum rc
take_remembered(struct simulating *s)
{
	struct remembered_row *rows;
	size_t n;

	TRY(store_remembered(s->f->store, s->mem, 0, s->since, s->most, &rows, &n, s->e));
	for (size_t i = 0; i < n; i++)
		s->past[s->n++] = (struct past){ .at = rows[i].at,
						 .id = rows[i].id,
						 .session = rows[i].session_id,
						 .csr = rows[i].csr,
						 .token_procedure = rows[i].token_procedure,
						 .not_before = rows[i].not_before,
						 .not_after = rows[i].not_after };
	return RC_OK;
}

/* Of a token procedure in the officer's domain or below it. */
static bool
is_ours(const struct simulating *s, const struct past *p)
{
	const struct document *d;

	return snapshot_find(s->policy, KIND_TOKEN_PROCEDURE, p->token_procedure, s->who->domain, &d, NULL) ==
	    RC_OK &&
	    domain_is_above(s->policy, s->who->domain, d->domain);
}

static void
leave_out_others(struct simulating *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		if (is_ours(s, &s->past[i]))
			s->past[kept++] = s->past[i];
	s->n = kept;
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
	/* as many of officers' (a bulk request may go beyond by what one holds) as of sessions' */
	s->past = arena_array(s->mem, 3 * s->most + LIMIT_BULK, sizeof(*s->past));
	NEED(s->past != NULL, s->e, CHY_NO_MEMORY, NULL, "past requests");
	TRY(take_requests(s));
	TRY(take_remembered(s));
	leave_out_others(s);
	if (s->n > 0)
		qsort(s->past, s->n, sizeof(*s->past), newest_first);
	s->n = s->n < s->most ? s->n : s->most;
	return RC_OK;
}

/* ---- one ---- */

struct one {
	struct issue_request request;
	struct csr csr;
	struct issue_facts facts;
	struct session_facts session;
	struct session_body body;
	uint8_t key_id[20];
};

/* The session as it was when it was used: open, with certificates left. */
static enum rc
session_then(struct simulating *s, struct arena *a, struct one *o, const struct past *p)
{
	struct session_row row;
	struct json *body;

	TRY(store_session(s->f->store, a, p->session, &row, s->e));
	TRY(json_parse(a, row.body, &body, s->e));
	TRY(session_body_read(a, body, &o->body, s->e));
	o->session = (struct session_facts){ .id = session_id_of(p->session),
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

static enum rc
facts_of(struct simulating *s, struct arena *a, struct one *o, const struct past *p)
{
	o->request = (struct issue_request){ .word = WORD_REQUEST,
					     .request = request_id_of(p->id),
					     .officer = p->officer,
					     .token_procedure = p->token_procedure,
					     .csr_der = p->csr,
					     .not_before_ms = p->not_before,
					     .not_after_ms = p->not_after };
	TRY(csr_parse_any(a, p->csr, &o->csr, s->e));
	o->facts = (struct issue_facts){ .request = &o->request, .now_ms = p->at };
	issue_facts_of_csr(&o->facts, &o->csr, o->key_id, false);
	return p->session ? session_then(s, a, o, p) : RC_OK;
}

static void
note(struct simulating *s, const struct past *p, const struct one *o, const struct json *found)
{
	struct json *item = json_copy(s->a, found);
	OWN_BUF struct buf subject = buf_max(16 << 10);

	name_put_der_text(&subject, o->csr.subject);
	json_set(item, "at", json_time(s->a, p->at));
	json_set(item, p->session ? "session" : "request", json_int(s->a, p->session ? p->session : p->id));
	json_set(item, "subject", buf_ok(&subject) ? json_str(s->a, buf_bytes(&subject)) : NULL);
	json_add(s->items, item);
}

static enum rc
try_one(struct simulating *s, const struct past *p)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct one *o = a ? arena_one(a, struct one) : NULL;
	enum simulated outcome;
	struct json *found;

	NEED(o != NULL, s->e, CHY_NO_MEMORY, NULL, "a simulation");
	TRY(facts_of(s, a, o, p));
	TRY(simulate(a, s->now, s->then, &o->facts, &outcome, &found, s->e));
	s->counts[outcome]++;
	if (outcome != SIMULATED_SAME && s->items->count < NOTED_MAX)
		note(s, p, o, found);
	return RC_OK;
}

/* ---- all ---- */

static struct json *
answer(struct simulating *s, struct doc_id id)
{
	static const char *const names[SIMULATED_COUNT] = { "same", "different", "refused", "accepted",
							    "refused_otherwise" };
	struct unusable why = snapshot_unusable(s->then, id);
	struct json *o = json_object(s->a);

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
