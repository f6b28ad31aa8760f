/* The act attribute-certificate.issue: attribute certificates for a certificate that is there already. */
#include "base/base.h"
#include "factory/acts.h"

#include "factory/issue_attribute.h"
#include "policy/body.h"
#include "policy/find.h"
#include "policy/issue_attribute.h"
#include "policy/rights.h"
#include "store/read.h"

enum { HITS_MAX = 10, HITS_PAGE = 100 };

/* ---- preparing: the token procedure ---- */

static enum rc
resolve_procedure(struct preparation *p, const struct token_procedure **ret, struct err *e)
{
	struct bytes name = find_text(p->a, json_get(p->body, "token_procedure"));

	if (name.n == 0)
		TRY(json_need_str(p->body, "token_procedure", &name, e));
	TRY(ac_token_procedure(p->policy, p->who, name, ret, e));
	json_set(p->body, "token_procedure", json_int(p->a, (*ret)->doc->id.v));
	return RC_OK;
}

/* ---- the base: by id, by issuer and serial number, by subject ---- */

static bool
may_see(const struct preparation *p, const struct certificate_row *row)
{
	return may_see_certificate(p->policy, p->who, snapshot_document(p->policy, doc_id_of(row->issuer)),
				   snapshot_document(p->policy, doc_id_of(row->token_procedure)),
				   NULL) == RC_OK;
}

static enum rc
find_by_serial(struct preparation *p, const struct json *base, struct certificate_row *ret, struct err *e)
{
	const struct document *authority;
	struct bytes hex, serial;

	TRY_AT(find_named(p->policy, KIND_AUTHORITY, base, "authority", p->who->domain, &authority, e), e,
	       "base.authority");
	TRY(json_need_str(base, "serial", &hex, e));
	TRY_AT(hex_parse(p->a, hex, &serial, e), e, "base.serial");
	return store_certificate_by_serial(p->f->store, p->a, authority->id.v, serial, ret, e);
}

static enum rc
several(const int64_t *found, size_t n, struct err *e)
{
	OWN_BUF struct buf ids = buf_max(256);

	for (size_t i = 0; i < n && i < HITS_MAX; i++)
		buf_printf(&ids, "%s%lld", i ? ", " : "", (long long)found[i]);
	if (n > HITS_MAX)
		buf_str(&ids, " and more");
	err_field(e, "base.subject");
	FAIL(e, CHY_AC_BASE_SEVERAL, NULL, "certificates %.*s have this subject: name one by its id",
	     BYTES_FMT(buf_bytes(&ids)));
}

struct subject_hits {
	int64_t ids[HITS_MAX + 1], after;
	size_t n;
	bool more;
};

/* Only what could be a base is counted: certificates that are valid now, of end entities, to be seen by the officer. */
static enum rc
hits_page(struct preparation *p, struct bytes subject, struct subject_hits *h, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA); /* a subject may have any number of them */
	struct certificate_row *rows;
	int64_t now = clock_now_ms();
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "certificates");
	TRY(store_search(p->f->store, a, SEARCH_SUBJECT, subject, h->after, HITS_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n && h->n <= HITS_MAX; i++)
		if (rows[i].base == 0 && rows[i].authority == 0 && rows[i].status == CERTIFICATE_VALID &&
		    rows[i].not_after >= now && may_see(p, &rows[i]))
			h->ids[h->n++] = rows[i].id;
	h->more = n == HITS_PAGE && h->n <= HITS_MAX;
	h->after = n > 0 ? rows[n - 1].id : 0;
	return RC_OK;
}

static enum rc
find_by_subject(struct preparation *p, struct bytes subject, struct certificate_row *ret, struct err *e)
{
	struct subject_hits h = { .more = true };

	while (h.more)
		TRY(hits_page(p, subject, &h, e));
	if (h.n > 1)
		return several(h.ids, h.n, e);
	err_field(e, "base.subject");
	NEED(h.n == 1, e, CHY_AC_BASE_NONE, NULL, "no valid certificate has this subject");
	err_clear(e);
	return store_certificate(p->f->store, p->a, h.ids[0], ret, e);
}

static enum rc
find_base(struct preparation *p, struct certificate_row *ret, struct err *e)
{
	static const char *const names[] = { "certificate", "authority",          "serial",
					     "subject",     "certificate_sha256", NULL };
	struct bytes subject = BYTES_NONE;
	struct json *base;
	int64_t id = 0;
	enum rc rc;

	TRY(json_need_object(p->body, "base", &base, e));
	TRY_AT(json_only(base, names, e), e, "base");
	TRY_AT(json_opt_int(base, "certificate", 1, JSON_INT_MAX, &id, e), e, "base.certificate");
	TRY_AT(json_opt_str(base, "subject", &subject, e), e, "base.subject");
	if (id != 0)
		rc = store_certificate(p->f->store, p->a, id, ret, e);
	else if (subject.n > 0)
		return find_by_subject(p, subject, ret, e);
	else
		rc = find_by_serial(p, base, ret, e);
	if ((rc == RC_NOT_FOUND && e->code == CHY_STORE_NOT_FOUND) || (rc == RC_OK && !may_see(p, ret))) {
		err_clear(e);
		err_field(e, "base");
		FAIL(e, CHY_AC_BASE_NONE, NULL, "the officer sees no such certificate");
	}
	return rc;
}

/* The officer signs which certificate it is: its id, and the digest that identifies it without the store. */
static enum rc
resolve_base(struct preparation *p, struct certificate_row *row, struct err *e)
{
	struct json *base = json_get(p->body, "base");

	TRY(find_base(p, row, e));
	json_set(base, "certificate", json_int(p->a, row->id));
	json_set(base, "certificate_sha256", json_hex(p->a, row->fingerprint));
	return RC_OK;
}

/* ---- preparing: all of it ---- */

static enum rc
facts_of(struct factory *f, struct arena *a, const struct snapshot *policy, struct officer_id officer,
	 const struct json *body, const struct token_procedure *t, size_t which, const struct ac_base *base,
	 struct ac_facts *ret, struct err *e)
{
	*ret = (struct ac_facts){ .policy = policy,
				  .officer = officer,
				  .which = which,
				  .base = base,
				  .attributes = ac_attributes_for(a, t, which, body_list(body, "attributes")),
				  .now_ms = clock_now_ms() };
	ac_facts_here(f, ret);
	ret->token_procedure = bytes_str(arena_printf(a, "%lld", (long long)t->doc->id.v));
	NEED(ret->attributes != NULL && ret->token_procedure.p != NULL, e, CHY_NO_MEMORY, NULL, "facts");
	return act_validity(body, &ret->not_before_ms, &ret->not_after_ms, e);
}

static void
tell(struct preparation *p, const struct certificate_row *base, const struct ac_decision *d)
{
	act_difference(p->a, p->difference, "base", BYTES("Attributes for"), BYTES_NONE, base->subject);
	for (size_t i = 0; i < d->inputs.attrs.n; i++) {
		OWN_BUF struct buf text = buf_max(4096);

		ac_attr_put_text(&text, &d->inputs.attrs.v[i]);
		act_difference(p->a, p->difference, "attributes",
			       bytes_str(oid_title(d->inputs.attrs.v[i].known)), BYTES_NONE,
			       buf_bytes(&text));
	}
}

/* Everything is decided once already when it is prepared, so that nobody signs what cannot be issued. */
enum rc
attribute_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "token_procedure", "base", "attributes", "validity", NULL };
	const struct token_procedure *t;
	struct certificate_row row;
	struct ac_base base;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(json_only(p->body, names, e));
	TRY(resolve_procedure(p, &t, e));
	TRY(resolve_base(p, &row, e));
	TRY(ac_base_load(p->f, p->a, row.id, &base, e));
	for (size_t i = 0; i < t->acs_n; i++) {
		struct ac_facts facts;
		struct ac_decision d;

		TRY(facts_of(p->f, p->a, p->policy, p->who->id, p->body, t, i, &base, &facts, e));
		TRY(decide_attribute_certificate(p->a, &facts, &d, e));
		tell(p, &row, &d);
	}
	return RC_OK;
}

/* ---- taking effect ---- */

/* What an interrupted try of this request has made by this procedure already; 0: nothing. */
static int64_t
made_before(const struct certificate_row *rows, size_t n, const struct ac_procedure *p)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].certificate_procedure == p->doc->id.v)
			return rows[i].id;
	return 0;
}

/* What was chosen for the base holds for what is said about its holder. */
static enum rc
is_unpublished(struct effect *x, int64_t base, bool *ret, struct err *e)
{
	struct choice_row choice;
	enum rc rc = store_choice(x->f->store, x->a, base, &choice, e);

	*ret = rc == RC_OK && choice.publication == 0;
	if (rc == RC_NOT_FOUND)
		err_clear(e);
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc
make_one(struct effect *x, const struct token_procedure *t, size_t which, const struct ac_base *base,
	 int64_t *ret, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct ac_word word = { .request = x->request->id, .base = base->id };
	struct change *ready;
	struct ac_facts facts;
	struct ac_plan plan = { .context = BYTES_NONE };

	TRY(is_unpublished(x, base->id, &word.unpublished, e));
	TRY(facts_of(x->f, x->a, x->policy, x->signer, x->request->body, t, which, base, &facts, e));
	TRY(ac_plan_make(x->f, x->a, &facts, &word, &plan, NULL, e));
	TRY(ac_plan_sign(x->f, x->a, &plan, e));
	TRY(ac_plan_add(x->a, &plan, c, e));
	ready = c;
	c = NULL;
	FAULT("factory.before-commit-attribute");
	TRY(store_commit(x->f->store, ready, e));
	FAULT("factory.after-commit-attribute");
	*ret = plan.pending.id;
	return RC_OK;
}

static enum rc
tell_result(struct effect *x, struct json *list, int64_t id, struct err *e)
{
	struct json *o = json_object(x->a);
	struct bytes der;

	TRY(store_der(x->f->store, x->a, id, &der, e));
	json_set(o, "certificate", json_int(x->a, id));
	json_set(o, "der", json_base64(x->a, der));
	json_add(list, o);
	return RC_OK;
}

enum rc
attribute_act_work(struct effect *x, struct err *e)
{
	const struct token_procedure *t = snapshot_token_procedure(
	    x->policy, doc_id_of(body_int(x->request->body, "token_procedure", 0)));
	struct json *list = json_array(x->a);
	struct certificate_row *rows;
	struct ac_base base;
	size_t n;

	NEED(t != NULL, e, CHY_ISSUE_TOKEN_PROCEDURE, NULL, "the token procedure is gone");
	TRY(ac_base_load(x->f, x->a, body_int(json_get(x->request->body, "base"), "certificate", 0), &base,
			 e));
	TRY(store_certificates_by_request(x->f->store, x->a, x->request->id.v, 0, LIMIT_PAGE, &rows, &n, e));
	for (size_t i = 0; i < t->acs_n; i++) {
		int64_t id = made_before(rows, n, t->acs[i]);

		if (id == 0)
			TRY(make_one(x, t, i, &base, &id, e));
		TRY(tell_result(x, list, id, e));
	}
	json_set(x->result, "attribute_certificates", list);
	return RC_OK;
}

enum rc
attribute_act_apply(struct effect *x, struct change *c, struct err *e)
{
	return RC_OK; /* each was stored by itself */
}
