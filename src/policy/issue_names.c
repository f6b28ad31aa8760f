/* The alternative names by the format: one rule a type. */
#include "base/base.h"
#include "policy/document_impl.h"
#include "policy/issue_impl.h"

static const struct format_san *
san_rule(const struct format *f, const struct gname *g)
{
	for (size_t k = 0; k < f->san_n; k++)
		if (f->san[k].type == g->type && (g->type != GN_OTHER || f->san[k].other == g->other_known))
			return &f->san[k];
	return NULL;
}

static const char *
text_of(struct issuing *i, const struct gname *g)
{
	OWN_BUF struct buf b = buf_max(4096);
	const char *text;

	gname_put_text(&b, g);
	text = arena_str(i->a, bytes_part(buf_bytes(&b), 0, 120));
	return text ? text : "";
}

static bool
is_there(const struct gnames *l, const struct gname *g)
{
	for (size_t k = 0; k < l->n; k++)
		if (gname_eq(&l->v[k], g))
			return true;
	return false;
}

/* A name that is there already is not taken twice. */
static enum rc
put(struct issuing *i, struct gnames *l, const struct gname *g)
{
	if (is_there(l, g))
		return RC_OK;
	REFUSE_IF(l->n == LIMIT_SAN, i, "csr.subject_alternative_names", CHY_SAN_COUNT, NULL,
		  "more than %d names", LIMIT_SAN);
	l->v[l->n++] = *g;
	return RC_OK;
}

static enum rc
begins_right(struct issuing *i, const struct format_san *rule, const struct gname *g)
{
	REFUSE_IF(!bytes_eq(bytes_part(gname_str(g), 0, rule->begins.n), rule->begins), i,
		  "csr.subject_alternative_names", CHY_SAN_VALUE, NULL,
		  "format \"%.*s\" wants %s to begin with %.*s",
		  BYTES_FMT(i->d->procedure->format->doc->name), text_of(i, g), BYTES_FMT(rule->begins));
	return RC_OK;
}

/* A name as a text that the rule's modifiers change. */
static enum rc
put_text(struct issuing *i, struct gnames *l, const struct format_san *rule, struct bytes s)
{
	static const char where[] = "csr.subject_alternative_names";
	struct err why = { 0 };
	struct gname g;

	TRY_AT(modifiers_apply(i->a, &rule->modifiers, s, &s, i->e), i->e, "%s", where);
	TRY(issue_text(i, s, where, CHY_SAN_VALUE)); /* a NUL would end the name before its end */
	REFUSE_FOR(san_from_text(i->a, rule->name, s, &g, &why) != RC_OK, err_exact(&why), i, where,
		   CHY_SAN_VALUE, why.std, "%s: %s", rule->name, why.text);
	TRY(begins_right(i, rule, &g));
	return put(i, l, &g);
}

static enum rc
take(struct issuing *i, struct gnames *l, const struct gname *g)
{
	const struct format *f = i->d->procedure->format;
	const struct format_san *rule = san_rule(f, g);
	struct err why = { 0 };

	REFUSE_IF(rule == NULL && f->unknown_san == UNKNOWN_REFUSE, i, "csr.subject_alternative_names",
		  CHY_SAN_TYPE, NULL, "format \"%.*s\" has no place for %s", BYTES_FMT(f->doc->name),
		  text_of(i, g));
	if (rule == NULL || rule->source != SOURCE_REQUEST) {
		issue_note(i, "%s left out", text_of(i, g));
		return RC_OK;
	}
	REFUSE_FOR(gname_check(g, GN_NAME, &why) != RC_OK, err_exact(&why), i,
		   "csr.subject_alternative_names", CHY_SAN_VALUE, why.std, "%s: %s", text_of(i, g),
		   why.text);
	if (rule->modifiers.n > 0 && gname_str(g).p != NULL)
		return put_text(i, l, rule, gname_str(g));
	TRY(begins_right(i, rule, g));
	return put(i, l, g);
}

static size_t
count(const struct format *f, const struct format_san *rule, const struct gnames *l)
{
	size_t n = 0;

	for (size_t k = 0; k < l->n; k++)
		n += san_rule(f, &l->v[k]) == rule;
	return n;
}

static enum rc
from_input(struct issuing *i, const struct format_san *rule, struct gnames *l)
{
	struct bytes *v;
	size_t n;

	TRY(issue_values(i, rule->input, &v, &n));
	for (size_t k = 0; k < n; k++)
		TRY(put_text(i, l, rule, v[k]));
	return RC_OK;
}

/* After all names of the request are taken: how many, and the fixed ones behind them. */
static enum rc
by_rule(struct issuing *i, const struct format_san *rule, struct gnames *l)
{
	const struct format *f = i->d->procedure->format;
	bool filled = rule->source == SOURCE_REQUEST || rule->source == SOURCE_INPUT;
	size_t n;

	if (rule->source == SOURCE_INPUT)
		TRY(from_input(i, rule, l));
	n = count(f, rule, l);
	if (filled && n == 0 && rule->otherwise != NULL)
		return put(i, l, rule->otherwise);
	REFUSE_IF(filled && rule->mandatory && n == 0, i, "csr.subject_alternative_names", CHY_SAN_MISSING,
		  NULL, "format \"%.*s\" demands a name of type %s%s%s", BYTES_FMT(f->doc->name), rule->name,
		  rule->source == SOURCE_INPUT ? ", the input " : "",
		  rule->source == SOURCE_INPUT ? rule->input->name : "");
	REFUSE_IF(rule->max_count > 0 && n > rule->max_count, i, "csr.subject_alternative_names",
		  CHY_SAN_COUNT, NULL, "%zu names of type %s, format \"%.*s\" allows %zu", n, rule->name,
		  BYTES_FMT(f->doc->name), rule->max_count);
	for (size_t k = 0; rule->source == SOURCE_FIXED && k < rule->fixed_n; k++)
		TRY(put(i, l, &rule->fixed[k]));
	return RC_OK;
}

/* Room for the names of the request and for what the format may add to them; never more than LIMIT_SAN are put there. */
static size_t
room(const struct format *f, size_t asked)
{
	size_t n = asked;

	for (size_t k = 0; k < f->san_n; k++)
		n += f->san[k].source == SOURCE_INPUT ? LIMIT_SAN : f->san[k].fixed_n + 1;
	return n < LIMIT_SAN ? n : LIMIT_SAN;
}

/* A common name that is no alternative name has been verified by nobody: CA/Browser Forum BR 7.1.4.3. */
static enum rc
common_name_is_there(struct issuing *i, const struct gnames *l)
{
	static const char *const kinds[] = { "dns", "ip", "email" };
	const struct ava *cn;
	struct bytes text;
	struct name subject;

	if (!i->d->procedure->format->common_name_in_san)
		return RC_OK;
	TRY(name_parse(i->a, i->d->subject, &subject, i->e));
	if ((cn = name_get(&subject, OID_AT_CN, 0)) == NULL)
		return RC_OK;
	text = ava_utf8(i->a, cn);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		const char *name = arena_printf(i->a, "%s:%.*s", kinds[k], BYTES_FMT(text));
		struct gname g;

		ROOM(name, i);
		if (gname_from_text(i->a, bytes_str(name), GN_NAME, &g, NULL) == RC_OK && is_there(l, &g))
			return RC_OK;
	}
	REFUSE(i, "subject.CN", CHY_SUBJECT_VALUE, "CA/Browser Forum BR 7.1.4.3",
	       "the common name \"%.*s\" is none of the alternative names",
	       BYTES_FMT(bytes_part(text, 0, 80)));
}

enum rc
rule_names(struct issuing *i)
{
	const struct format *f = i->d->procedure->format;
	const struct gnames *asked = &i->san;
	struct gnames l = { 0 };

	ROOM(l.v = arena_array(i->a, room(f, asked->n), sizeof(*l.v)), i);
	for (size_t k = 0; k < asked->n; k++)
		TRY(take(i, &l, &asked->v[k]));
	for (size_t k = 0; k < f->san_n; k++)
		TRY(by_rule(i, &f->san[k], &l));
	REFUSE_IF(l.n == 0 && name_is_empty(i->d->subject), i, "csr.subject_alternative_names",
		  CHY_SAN_MISSING, "RFC 5280 4.1.2.6", "neither a subject nor an alternative name is left");
	i->d->inputs.san = l;
	return common_name_is_there(i, &l);
}
