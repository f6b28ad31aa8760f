/* What is filled in with a request: read by the input view, put in place of what the request says itself, and asked for by
   the format's elements. Nothing is done here for requests without input whose procedure has no view. */
#include "base/base.h"
#include "model/choices.h"
#include "policy/document_impl.h"
#include "policy/given.h"
#include "policy/issue_impl.h"
#include "policy/qc.h"

enum { INPUTS_MAX = 64, VALUES_MAX = 100 };

static bool
is_name(const struct choice *c)
{
	return given_is_of(c, "subject.") || given_is_of(c, "san.");
}

static const char *
field_at(struct issuing *i, const struct choice *c)
{
	const char *text = arena_printf(i->a, "input.%s", c->name);

	return text ? text : "input";
}

static const struct given *
given_of(const struct issuing *i, const struct choice *c)
{
	for (size_t k = 0; k < i->given_n; k++)
		if (i->given[k].input == c)
			return &i->given[k];
	return NULL;
}

enum rc
issue_text(struct issuing *i, struct bytes s, const char *where, enum code code)
{
	REFUSE_IF(text_has_control(s), i, where, code, NULL, "a control character");
	REFUSE_IF(!utf8_ok(s), i, where, code, NULL, "damaged text");
	return RC_OK;
}

/* ---- reading ---- */

/* Those that are nothing of a certificate: given beside it, and looked at by token_choices. */
static bool
is_beside(const struct choice *c)
{
	return strcmp(c->name, "publication") == 0 || strcmp(c->name, "pin") == 0 ||
	    strcmp(c->name, "revocation_password") == 0;
}

static enum rc
add_text(struct issuing *i, struct given *g, const struct view_field *f, const struct json *v)
{
	TRY_AT(given_text(i->a, f, v, &g->v[g->n], i->e), i->e, "%s", field_at(i, g->input));
	g->n++;
	return RC_OK;
}

static enum rc
take_qc(struct issuing *i, const struct choice *c, const struct json *v)
{
	struct err why = { 0 };
	struct json *normal;

	REFUSE_FOR(qc_check_value(i->a, v, &normal, &why) != RC_OK, err_exact(&why), i, field_at(i, c),
		   CHY_TOKEN_INPUT, why.std, "%s: %s", why.field, why.text);
	return qc_of(i->a, normal, &i->qc, i->e);
}

static enum rc
take_time(struct issuing *i, const struct given *g)
{
	int64_t *at = strcmp(g->input->name, "validity.not_before") == 0 ? &i->not_before_ms
									 : &i->not_after_ms;
	struct err why = { 0 };

	REFUSE_IF(g->n != 1 || time_parse(g->v[0], at, &why) != RC_OK, i, field_at(i, g->input),
		  CHY_TOKEN_INPUT, NULL, "no time like 2026-11-21T12:00:00Z");
	return RC_OK;
}

static enum rc
take(struct issuing *i, const struct choice *c, const struct json *v)
{
	const struct input_view *view = i->d->token_procedure->view;
	const struct view_field *f = given_field(view, c);
	struct given *g = &i->given[i->given_n];
	size_t n = v->type == JSON_ARRAY ? v->count : 1;

	if (strcmp(c->name, "qc_statements") == 0)
		return take_qc(i, c, v);
	REFUSE_IF(n > VALUES_MAX, i, field_at(i, c), CHY_LIMIT, NULL, "more than %d values", VALUES_MAX);
	*g = (struct given){ .input = c, .v = arena_array(i->a, n, sizeof(*g->v)) };
	ROOM(g->v, i);
	if (v->type != JSON_ARRAY)
		TRY(add_text(i, g, f, v));
	else
		JSON_EACH(x, v)
	TRY(add_text(i, g, f, x));
	if (given_is_of(c, "validity."))
		return take_time(i, g);
	i->given_n += g->n > 0;
	return RC_OK;
}

static bool
is_given(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL;
}

static enum rc
read_input(struct issuing *i)
{
	const struct json *input = i->f->request->input;
	bool made = i->f->request->spki.n > 0;

	NEED(input == NULL || input->type == JSON_OBJECT, i->e, CHY_JSON_TYPE, NULL,
	     "input: an object, each member an input");
	JSON_EACH(v, input)
	REFUSE_IF(choice_index(input_choices, v->name) < 0, i,
		  arena_printf(i->a, "input.%.*s", BYTES_FMT(bytes_part(v->name, 0, 60))), CHY_TOKEN_INPUT,
		  NULL, "no input is called so");
	for (const struct choice *c = input_choices; c->name != NULL; c++) {
		const struct json *v = json_get(input, c->name);

		if (!is_given(v) || (made && is_beside(c)))
			continue;
		TRY_AT(given_may(i->d->token_procedure, c, made, i->e), i->e, "%s", field_at(i, c));
		TRY(take(i, c, v));
	}
	return RC_OK;
}

/* ---- what the request says itself ---- */

enum rc
issue_asked(struct issuing *i, const struct name **ret)
{
	if (i->asked.der.p == NULL)
		TRY_AT(name_parse(i->a, i->f->csr->subject, &i->asked, i->e), i->e, "csr.subject");
	*ret = &i->asked;
	return RC_OK;
}

/* The type of alternative names that an input is called after. */
static bool
is_type(const struct choice *c, const struct gname *g)
{
	enum oid other;
	enum gn_type type;

	return san_type(c->help, &type, &other) && g->type == type &&
	    (type != GN_OTHER || g->other_known == other);
}

static enum rc
text_of(struct issuing *i, const struct gname *g, struct bytes *ret)
{
	OWN_BUF struct buf b = buf_max(GIVEN_VALUE_MAX);
	struct bytes rest;

	*ret = gname_str(g);
	if (ret->p != NULL)
		return RC_OK;
	gname_put_text(&b, g);
	text_cut(buf_bytes(&b), ':', &rest);
	*ret = arena_dup(i->a, rest);
	ROOM(ret->p, i);
	return RC_OK;
}

static enum rc
own_values(struct issuing *i, const struct choice *c, struct bytes *v, size_t *n)
{
	const struct name *asked;

	*n = 0;
	if (given_is_of(c, "subject.")) {
		TRY(issue_asked(i, &asked));
		for (size_t k = 0; k < asked->n; k++)
			if (asked->ava[k].known == oid_by_text(bytes_str(c->help)))
				v[(*n)++] = ava_utf8(i->a, &asked->ava[k]);
	}
	for (size_t k = 0; given_is_of(c, "san.") && k < i->san.n; k++)
		if (is_type(c, &i->san.v[k]))
			TRY(text_of(i, &i->san.v[k], &v[(*n)++]));
	return RC_OK;
}

enum rc
issue_values(struct issuing *i, const struct choice *c, struct bytes **ret, size_t *n)
{
	const struct given *g = given_of(i, c);

	if (g != NULL) {
		*ret = g->v;
		*n = g->n;
		return RC_OK;
	}
	ROOM(*ret = arena_array(i->a, LIMIT_NAME_ATTRS + i->san.n, sizeof(**ret)), i);
	return own_values(i, c, *ret, n);
}

/* ---- the view ---- */

static enum rc
is_present(struct issuing *i, const struct choice *c, bool *ret)
{
	const struct csr *csr = i->f->csr;
	struct bytes *v;
	size_t n = 0;

	TRY(issue_values(i, c, &v, &n));
	*ret = n > 0 || (strcmp(c->name, "validity.not_before") == 0 && i->not_before_ms != 0) ||
	    (strcmp(c->name, "validity.not_after") == 0 && i->not_after_ms != 0) ||
	    (strcmp(c->name, "key_usage") == 0 && csr->key_usage != 0) ||
	    (strcmp(c->name, "extended_key_usage") == 0 && csr->eku.n > 0) ||
	    (strcmp(c->name, "qc_statements") == 0 &&
	     (i->qc.n > 0 || exts_find(&csr->exts, OID_PE_QC_STATEMENTS) != NULL));
	return RC_OK;
}

/* Its defaults stand where nothing is given, and its mandatory fields must be there. */
static enum rc
by_view(struct issuing *i, const struct input_view *view)
{
	for (size_t k = 0; k < view->fields_n; k++) {
		const struct view_field *f = &view->fields[k];
		bool present;

		if (is_beside(f->input))
			continue;
		TRY(is_present(i, f->input, &present));
		if (!present && f->value.n > 0) {
			TRY(take(i, f->input, &(struct json){ .type = JSON_STR, .str = f->value }));
			continue;
		}
		REFUSE_IF(!present && f->mandatory, i, field_at(i, f->input), CHY_TOKEN_INPUT_MISSING, NULL,
			  "input view \"%.*s\" demands \"%s\"", BYTES_FMT(view->doc->name), f->label);
	}
	return RC_OK;
}

/* ---- in place of what the request says ---- */

static enum rc
subject_with(struct issuing *i)
{
	struct ava v[LIMIT_NAME_ATTRS];
	const struct name *asked;
	struct name built;
	size_t n = 0;

	TRY(issue_asked(i, &asked));
	for (size_t k = 0; k < asked->n; k++) {
		bool again = false;

		for (size_t j = 0; j < i->given_n; j++)
			again = again ||
			    (given_is_of(i->given[j].input, "subject.") &&
			     oid_by_text(bytes_str(i->given[j].input->help)) == asked->ava[k].known);
		if (again)
			continue;
		v[n] = asked->ava[k];
		v[n].rdn = (unsigned)n;
		n++;
	}
	for (size_t j = 0; j < i->given_n; j++) {
		const struct given *g = &i->given[j];
		enum oid known = oid_by_text(bytes_str(g->input->help ? g->input->help : ""));

		for (size_t k = 0; given_is_of(g->input, "subject.") && k < g->n; k++) {
			NEED(n < LIMIT_NAME_ATTRS, i->e, CHY_LIMIT, NULL, "more than %d attributes",
			     LIMIT_NAME_ATTRS);
			v[n] = (struct ava){
				.known = known, .oid = oid_der(known), .value = g->v[k], .rdn = (unsigned)n
			};
			n++;
		}
	}
	TRY_AT(name_build(i->a, v, n, &built, i->e), i->e, "input");
	i->asked = built;
	return RC_OK;
}

static enum rc
names_with(struct issuing *i)
{
	struct gnames l = { 0 };

	ROOM(l.v = arena_array(i->a, i->san.n + i->given_n * VALUES_MAX, sizeof(*l.v)), i);
	for (size_t k = 0; k < i->san.n; k++) {
		bool again = false;

		for (size_t j = 0; j < i->given_n; j++)
			again = again ||
			    (given_is_of(i->given[j].input, "san.") &&
			     is_type(i->given[j].input, &i->san.v[k]));
		if (!again)
			l.v[l.n++] = i->san.v[k];
	}
	for (size_t j = 0; j < i->given_n; j++) {
		const struct given *g = &i->given[j];

		for (size_t k = 0; given_is_of(g->input, "san.") && k < g->n; k++)
			TRY_AT(san_from_text(i->a, g->input->help, g->v[k], &l.v[l.n++], i->e), i->e, "%s",
			       field_at(i, g->input));
	}
	i->san = l;
	return RC_OK;
}

enum rc
rule_input(struct issuing *i)
{
	const struct input_view *view = i->d->token_procedure->view;
	bool by = view != NULL && view->purpose == VIEW_ISSUE;
	bool names = false;

	if (i->f->request->input == NULL && !by)
		return RC_OK;
	ROOM(i->given = arena_array(i->a, INPUTS_MAX, sizeof(*i->given)), i);
	TRY(read_input(i));
	if (by)
		TRY(by_view(i, view));
	for (size_t j = 0; j < i->given_n; j++) {
		names = names || is_name(i->given[j].input);
		issue_note(i, "%s filled in", i->given[j].input->name);
	}
	if (!names)
		return RC_OK;
	TRY(subject_with(i));
	return names_with(i);
}

enum rc
issue_fields(struct issuing *i)
{
	for (size_t j = 0; j < i->given_n; j++) {
		const struct given *g = &i->given[j];
		size_t n;

		if (!given_is_of(g->input, "field") || g->n == 0)
			continue;
		n = (size_t)(g->input->name[strlen("field")] - '1');
		REFUSE_IF(n >= SEARCH_FIELDS || g->n > 1 || g->v[0].n > SEARCH_FIELD_MAX, i,
			  field_at(i, g->input), CHY_TOKEN_INPUT, NULL, "one text of at most %d octets",
			  SEARCH_FIELD_MAX);
		i->d->fields[n] = g->v[0];
	}
	return RC_OK;
}
