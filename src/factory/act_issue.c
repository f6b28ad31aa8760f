#include "base/base.h"
#include "factory/acts.h"

#include "factory/card_serial.h"
#include "factory/choice.h"
#include "factory/issue.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "policy/body.h"
#include "policy/document.h"
#include "policy/find.h"
#include "policy/issue.h"
#include "policy/preview.h"
#include "policy/rights.h"
#include "policy/token.h"
#include "store/read.h"

enum { KEY_MAX = 200 };

/* ---- preparing ---- */

static enum rc
resolve_procedure(struct preparation *p, struct err *e)
{
	const struct document *d;

	TRY_AT(find_named(p->policy, KIND_TOKEN_PROCEDURE, p->body, "token_procedure", p->who->domain, &d, e),
	       e, "token_procedure");
	TRY_AT(may_issue(p->policy, p->who, d, e), e, "token_procedure");
	json_set(p->body, "token_procedure", json_int(p->a, d->id.v));
	return RC_OK;
}

static void
add_line(struct preparation *p, const struct csr *csr, size_t i)
{
	OWN_BUF struct buf subject = buf_max(8 << 10);

	name_put_der_text(&subject, csr->subject);
	act_difference(p->a, p->difference, arena_printf(p->a, "requests[%zu]", i), BYTES("Certificate for"),
		       BYTES_NONE, buf_bytes(&subject));
}

/* Told once, however many requests it holds for. */
static enum rc
add_warning(struct preparation *p, const char *field, const char *text, struct err *e)
{
	struct json *o = document_warning(p->a, field, text);

	if (p->warnings == NULL)
		p->warnings = json_array(p->a);
	NEED(o != NULL && p->warnings != NULL, e, CHY_NO_MEMORY, NULL, "a warning");
	JSON_EACH(before, p->warnings)
	if (bytes_is(body_text(before, "text"), text))
		return RC_OK;
	json_add(p->warnings, o);
	return RC_OK;
}

enum rc
validity_warning(struct preparation *p, const struct procedure *by, int64_t not_after_ms, struct err *e)
{
	const char *text = by ? validity_beyond(p->a, by, clock_now_ms(), not_after_ms) : NULL;

	return text != NULL ? add_warning(p, "validity", text, e) : RC_OK;
}

/* By which procedure the request's certificate would be made, and that its validity is more than there is. */
static enum rc
warn_of_validity(struct preparation *p, const struct csr *csr, struct err *e)
{
	const struct preview_key key = { .name = BYTES("key"),
					 .has_usage = csr->key_usage != 0,
					 .usages = (uint16_t)csr->key_usage };
	const struct token_procedure *t = snapshot_token_procedure(
	    p->policy, doc_id_of(body_int(p->body, "token_procedure", 0)));
	int64_t from, to;

	if (t == NULL)
		return RC_OK;
	TRY(act_validity(p->body, &from, &to, e));
	return validity_warning(p, preview_chosen(p->a, t, &key), to, e);
}

/* One request of the list: read, and written as it will be signed (base64 of the DER). PEM is taken too. */
static enum rc
normalise(struct preparation *p, struct json *item, size_t i, struct err *e)
{
	static const char *const names[] = { "csr", "name", "idempotency_key", "input", "card_serial", NULL };
	struct bytes text, der, name = BYTES_NONE, key = BYTES_NONE, card;
	struct json *input;
	struct csr csr;

	TRY(json_only(item, names, e));
	TRY(json_need_str(item, "csr", &text, e));
	TRY(json_opt_str(item, "name", &name, e));
	TRY(json_opt_str(item, "idempotency_key", &key, e));
	TRY_AT(card_serial_read(item, &card, e), e, "requests[%zu].card_serial", i);
	if (json_get(item, "input") != NULL)
		TRY_AT(json_need_object(item, "input", &input, e), e, "requests[%zu]", i);
	if (key.n > KEY_MAX) {
		err_field(e, "requests[%zu].idempotency_key", i);
		FAIL(e, CHY_FIELD_TOO_LONG, NULL, "at most %d octets", KEY_MAX);
	}
	der = text;
	if (!bytes_starts(text_trim(text), "-----"))
		TRY_AT(base64_parse(p->a, text_trim(text), &der, e), e, "requests[%zu].csr", i);
	TRY_AT(csr_parse_any(p->a, der, &csr, e), e, "requests[%zu].csr", i);
	json_set(item, "csr", json_base64(p->a, csr.der));
	add_line(p, &csr, i);
	if (card.n > 0)
		act_difference(p->a, p->difference, arena_printf(p->a, "requests[%zu].card_serial", i),
			       BYTES("Card serial number"), BYTES_NONE, card);
	return warn_of_validity(p, &csr, e);
}

enum rc
act_validity(const struct json *body, int64_t *not_before, int64_t *not_after, struct err *e)
{
	static const char *const names[] = { "not_before", "not_after", NULL };
	struct bytes from = BYTES_NONE, to = BYTES_NONE;
	struct json *v;

	*not_before = *not_after = 0;
	if (json_get(body, "validity") == NULL)
		return RC_OK;
	TRY(json_need_object(body, "validity", &v, e));
	TRY(json_only(v, names, e));
	TRY(json_opt_str(v, "not_before", &from, e));
	TRY(json_opt_str(v, "not_after", &to, e));
	if (from.n > 0)
		TRY_AT(time_parse(from, not_before, e), e, "validity.not_before");
	if (to.n > 0)
		TRY_AT(time_parse(to, not_after, e), e, "validity.not_after");
	return RC_OK;
}

/* Refused before anybody signs, where it can be told already. */
static enum rc
choices(struct preparation *p, struct err *e)
{
	const struct token_procedure *t = snapshot_token_procedure(
	    p->policy, doc_id_of(json_get(p->body, "token_procedure")->integer));
	struct choice_asked c;

	TRY(choice_read(p->body, &c, e));
	return t ? token_choices(t, &c.publication_said, &c.publication, c.sha256.n > 0, e) : RC_OK;
}

enum rc
issue_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "token_procedure",
					     "requests",
					     "validity",
					     "attributes",
					     "publication_allowed",
					     "revocation_password_sha256",
					     NULL };
	int64_t from, to;
	struct json *list;
	size_t i = 0;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	TRY(json_only(p->body, names, e));
	TRY(resolve_procedure(p, e));
	TRY(act_validity(p->body, &from, &to, e));
	TRY(choices(p, e));
	if (json_get(p->body, "attributes") != NULL)
		TRY(json_need_array(p->body, "attributes", &list, e));
	TRY(json_need_array(p->body, "requests", &list, e));
	if (list->count < 1 || list->count > LIMIT_BULK) {
		err_field(e, "requests");
		FAIL(e, CHY_LIMIT, NULL, "1 to %d requests", LIMIT_BULK);
	}
	JSON_EACH(item, list)
	TRY(normalise(p, item, i++, e));
	return RC_OK;
}

/* ---- taking effect ---- */

/* All of them are on their way at once; the last one that ends wakes the waiting thread. */
struct bulk {
	pthread_mutex_t lock;
	pthread_cond_t over;
	size_t open;
};

static void
one_done(struct issue_call *c, enum rc rc)
{
	struct bulk *b = c->user;

	pthread_mutex_lock(&b->lock);
	if (rc != RC_OK && c->err.code == CHY_NONE)
		err_set(&c->err, CHY_INTERNAL, NULL, "issuing failed");
	if (--b->open == 0)
		pthread_cond_signal(&b->over);
	pthread_mutex_unlock(&b->lock);
}

/* The key makes a second try of an interrupted request find what the first one issued; one of the officer's own does so for
   another request with it as well, as when a batch is started anew. */
static struct bytes
key_of(struct effect *x, struct arena *a, const struct json *item, size_t i)
{
	struct bytes own = BYTES_NONE;

	(void)!json_opt_str(item, "idempotency_key", &own, NULL);
	if (own.n > 0)
		return bytes_str(arena_printf(a, "own %.*s", BYTES_FMT(own)));
	return bytes_str(arena_printf(a, "request %lld, %zu", (long long)x->request->id.v, i));
}

/* What was chosen: as signed, and the form that came with the signature. */
static enum rc
set_choice(struct effect *x, struct issue_request *r, struct err *e)
{
	struct request_secret_row row;
	struct choice_asked c;

	TRY(choice_read(x->request->body, &c, e));
	r->publication_said = c.publication_said;
	r->publication = c.publication;
	if (c.sha256.n == 0)
		return RC_OK;
	TRY(store_request_secret(x->f->store, x->a, x->request->id.v, &row, e));
	r->revocation_password = row.revocation_password;
	return RC_OK;
}

static enum rc
set_up(struct effect *x, struct issue_call *c, const struct json *item, size_t i, struct bulk *b,
       struct err *e)
{
	const struct json *procedure = json_get(x->request->body, "token_procedure");
	struct bytes text, der;

	c->f = x->f;
	c->arena = arena_new(LIMIT_REQUEST_ARENA);
	NEED(c->arena != NULL, e, CHY_NO_MEMORY, NULL, "issuing");
	TRY(json_need_str(item, "csr", &text, e));
	TRY(base64_parse(c->arena, text, &der, e));
	TRY(act_validity(x->request->body, &c->request.not_before_ms, &c->request.not_after_ms, e));
	TRY(set_choice(x, &c->request, e));
	c->request.attributes = json_get(x->request->body, "attributes");
	c->request.input = json_get(item, "input");
	TRY(card_serial_read(item, &c->request.card_serial, e));
	c->request.word = WORD_REQUEST;
	c->request.request = x->request->id;
	c->request.officer = x->signer;
	c->request.token_procedure = bytes_str(
	    arena_printf(c->arena, "%lld", (long long)(procedure ? procedure->integer : 0)));
	c->request.csr_der = der;
	c->request.idempotency_key = key_of(x, c->arena, item, i);
	c->done = one_done;
	c->user = b;
	return RC_OK;
}

static struct json *
attributes_json(struct arena *a, const struct issue_call *c)
{
	struct json *list = json_array(a);

	for (size_t i = 0; i < c->acs_n; i++) {
		struct json *o = json_object(a);

		json_set(o, "certificate", json_int(a, c->acs[i].pending.id));
		json_set(o, "der", json_base64(a, c->acs[i].done.der));
		json_add(list, o);
	}
	return list;
}

struct json *
problem_json(struct arena *a, const struct err *e)
{
	struct json *o = json_object(a);

	json_set(o, "code", json_str(a, bytes_str(arena_printf(a, "CHY-%d", (int)e->code))));
	if (e->cause != CHY_NONE)
		json_set(o, "cause", json_str(a, bytes_str(arena_printf(a, "CHY-%d", (int)e->cause))));
	json_set(o, "detail", json_str(a, bytes_str(e->text)));
	json_set(o, "field", json_str(a, bytes_str(e->field)));
	json_set(o, "rule", e->rule ? json_str(a, bytes_str(e->rule)) : json_null(a));
	return o;
}

static struct json *
outcome(struct arena *a, const struct issue_call *c, const struct json *item)
{
	struct json *o = json_object(a);

	json_set(o, "name", json_copy(a, json_get(item, "name")));
	if (c->err.code == CHY_NONE) {
		json_set(o, "certificate", json_int(a, c->id));
		json_set(o, "der", json_base64(a, c->certificate));
		if (c->acs_n > 0)
			json_set(o, "attribute_certificates", attributes_json(a, c));
		return o;
	}
	json_set(o, "problem", problem_json(a, &c->err));
	return o;
}

static bool
is_passing(const struct err *e)
{
	return e->code != CHY_NONE && (e->rc == RC_AGAIN || e->rc == RC_PEER || e->rc == RC_NOMEM);
}

static void
run(struct issue_call *calls, size_t n, struct bulk *b)
{
	b->open = n + 1;
	for (size_t i = 0; i < n; i++)
		issue_start(&calls[i]);
	pthread_mutex_lock(&b->lock);
	b->open--;
	while (b->open > 0)
		pthread_cond_wait(&b->over, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static enum rc
issue_all(struct effect *x, struct issue_call *calls, const struct json *list, struct err *e)
{
	struct bulk b = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
	struct json *outcomes = json_array(x->a);
	size_t i = 0;

	JSON_EACH(item, list)
	{
		TRY(set_up(x, &calls[i], item, i, &b, e));
		i++;
	}
	run(calls, i, &b);
	i = 0;
	JSON_EACH(item, list)
	{
		if (is_passing(
			&calls[i]
			     .err)) { /* what is done stays done; the rest follows when it is carried on */
			*e = calls[i].err;
			return e->rc;
		}
		json_add(outcomes, outcome(x->a, &calls[i], item));
		i++;
	}
	json_set(x->result, "certificates", outcomes);
	return RC_OK;
}

enum rc
issue_act_work(struct effect *x, struct err *e)
{
	struct issue_call *calls;
	struct json *list;
	enum rc rc;

	TRY(json_need_array(x->request->body, "requests", &list, e));
	calls = arena_array(x->a, list->count, sizeof(*calls));
	NEED(calls != NULL, e, CHY_NO_MEMORY, NULL, "issuing");
	rc = issue_all(x, calls, list, e);
	for (size_t i = 0; i < list->count; i++)
		arena_free(calls[i].arena);
	return rc;
}

enum rc
issue_act_apply(struct effect *x, struct change *c, struct err *e)
{
	struct choice_asked choice;

	TRY(choice_read(x->request->body, &choice, e));
	if (choice.sha256.n > 0)
		change_drop_request_secret(c, x->request->id.v); /* each certificate has it now */
	return RC_OK;                                            /* each certificate was stored by itself */
}

void
issue_act_abandon(int64_t request, struct change *c)
{
	change_drop_request_secret(c, request);
}

enum rc
issue_act_bring(struct effect *x, struct change *c, struct err *e)
{
	static const char *const names[] = { "revocation_password", NULL };
	struct choice_asked choice;
	struct bytes form;

	TRY(choice_read(x->request->body, &choice, e));
	if (x->secrets != NULL)
		TRY_AT(json_only(x->secrets, names, e), e, "secrets");
	TRY_AT(choice_form(&choice, x->secrets, &form, e), e, "secrets");
	if (form.n > 0)
		change_put_request_secret(
		    c,
		    &(struct request_secret_row){ .request = x->request->id.v, .revocation_password = form });
	return RC_OK;
}
