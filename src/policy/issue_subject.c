/* The subject by the format: its attributes in its order, each checked; what it does not name refused, dropped or kept. */
#include "base/base.h"
#include "policy/issue_impl.h"

/* The name under construction. */
struct making {
	struct issuing *i;
	const struct name *asked;
	struct ava v[LIMIT_NAME_ATTRS];
	size_t n;
};

static enum rc
put(struct making *m, struct bytes oid, uint32_t tag, struct bytes value)
{
	NEED(m->n < LIMIT_NAME_ATTRS, m->i->e, CHY_LIMIT, NULL, "more than %d attributes", LIMIT_NAME_ATTRS);
	m->v[m->n] = (struct ava){
		.oid = oid, .known = oid_find(oid), .tag = tag, .value = value, .rdn = (unsigned)m->n
	};
	m->n++;
	return RC_OK;
}

static const char *
label_of(struct issuing *i, struct bytes oid)
{
	const char *text = oid_label(i->a, oid);

	return arena_printf(i->a, "subject.%s", text ? text : "");
}

/* ---- one attribute ---- */

static enum rc
check_value(struct making *m, const struct format_attribute *rule, struct bytes s, const char *where)
{
	struct bytes rest = s;
	size_t characters = 0;

	while (utf8_take(&rest) >= 0)
		characters++;
	REFUSE_IF(rest.n > 0, m->i, where, CHY_SUBJECT_VALUE, NULL, "%s: damaged text", rule->name);
	REFUSE_IF(characters == 0, m->i, where, CHY_SUBJECT_VALUE, NULL, "%s is empty", rule->name);
	REFUSE_IF(text_has_control(s), m->i, where, CHY_SUBJECT_VALUE, NULL, "%s holds a control character",
		  rule->name);
	REFUSE_IF(rule->max_len > 0 && characters > rule->max_len, m->i, where, CHY_SUBJECT_VALUE, NULL,
		  "%s: %zu characters, format \"%.*s\" allows %zu", rule->name, characters,
		  BYTES_FMT(m->i->d->procedure->format->doc->name), rule->max_len);
	return RC_OK;
}

static enum rc
take_one(struct making *m, const struct format_attribute *rule, struct bytes s, const char *where)
{
	TRY_AT(modifiers_apply(m->i->a, &rule->modifiers, s, &s, m->i->e), m->i->e, "%s", where);
	TRY(check_value(m, rule, s, where));
	return put(m, rule->oid, 0, s);
}

/* After what was found: the default, or that it is missing. */
static enum rc
none_found(struct making *m, const struct format_attribute *rule, const char *where)
{
	if (rule->otherwise.p != NULL)
		return take_one(m, rule, rule->otherwise, where);
	REFUSE_IF(rule->mandatory, m->i, where, CHY_SUBJECT_MISSING, NULL, "format \"%.*s\" demands %s%s%s",
		  BYTES_FMT(m->i->d->procedure->format->doc->name), rule->name,
		  rule->source == SOURCE_INPUT ? " of the input " : "",
		  rule->source == SOURCE_INPUT ? rule->input->name : "");
	return RC_OK;
}

static enum rc
from_request(struct making *m, const struct format_attribute *rule)
{
	const char *where = label_of(m->i, rule->oid);
	size_t found = 0;

	ROOM(where, m->i);
	for (size_t k = 0; k < m->asked->n; k++) {
		if (!bytes_eq(m->asked->ava[k].oid, rule->oid))
			continue;
		REFUSE_IF(++found > 1 && !rule->many, m->i, where, CHY_SUBJECT_TWICE, NULL,
			  "%s stands in the request more than once", rule->name);
		TRY(take_one(m, rule, ava_utf8(m->i->a, &m->asked->ava[k]), where));
	}
	return found == 0 ? none_found(m, rule, where) : RC_OK;
}

/* Of several alternative names the first: they stand in the certificate anyway, and an attribute is mostly one. */
static enum rc
from_input(struct making *m, const struct format_attribute *rule)
{
	const char *where = label_of(m->i, rule->oid);
	struct bytes *v;
	size_t n;

	ROOM(where, m->i);
	TRY(issue_values(m->i, rule->input, &v, &n));
	if (!rule->many && n > 1 && strncmp(rule->input->name, "san.", 4) == 0) {
		issue_note(m->i, "%s: the first of %zu values of %s", rule->name, n, rule->input->name);
		n = 1;
	}
	REFUSE_IF(n > 1 && !rule->many, m->i, where, CHY_SUBJECT_TWICE, NULL, "%zu values of %s, %s is one",
		  n, rule->input->name, rule->name);
	for (size_t k = 0; k < n; k++)
		TRY(take_one(m, rule, v[k], where));
	return n == 0 ? none_found(m, rule, where) : RC_OK;
}

static enum rc
by_rule(struct making *m, const struct format_attribute *rule)
{
	switch (rule->source) {
	case SOURCE_REQUEST:
		return from_request(m, rule);
	case SOURCE_INPUT:
		return from_input(m, rule);
	case SOURCE_FIXED:
		return put(m, rule->oid, 0, rule->value);
	case SOURCE_NONE:
		break;
	}
	return RC_OK;
}

/* ---- what the format does not name ---- */

static bool
is_named(const struct format *f, struct bytes oid)
{
	for (size_t k = 0; k < f->attributes_n; k++)
		if (bytes_eq(f->attributes[k].oid, oid))
			return true;
	return false;
}

static enum rc
unknown(struct making *m, const struct ava *x)
{
	const struct format *f = m->i->d->procedure->format;
	const char *where = label_of(m->i, x->oid);

	ROOM(where, m->i);
	switch (f->unknown_attributes) {
	case UNKNOWN_REFUSE:
		REFUSE(m->i, where, CHY_SUBJECT_ATTRIBUTE, NULL, "format \"%.*s\" has no place for %s",
		       BYTES_FMT(f->doc->name), where);
	case UNKNOWN_DROP:
		issue_note(m->i, "%s left out", where);
		break;
	case UNKNOWN_KEEP:
		return put(m, x->oid, x->tag, x->value);
	}
	return RC_OK;
}

static enum rc
finish(struct making *m)
{
	struct issuing *i = m->i;
	struct err why = { 0 };
	struct name name;

	REFUSE_IF(m->n == 0 && !i->d->procedure->format->empty_subject, i, "subject", CHY_SUBJECT_EMPTY,
		  "RFC 5280 4.1.2.6", "no attribute of the subject is left");
	REFUSE_FOR(name_build(i->a, m->v, m->n, &name, &why) != RC_OK ||
		       name_check_bounds(&name, &why) != RC_OK,
		   err_exact(&why), i, "subject", CHY_SUBJECT_VALUE, why.std, "%s", why.text);
	i->d->subject = i->d->inputs.subject = name.der;
	return RC_OK;
}

enum rc
rule_subject(struct issuing *i)
{
	const struct format *f = i->d->procedure->format;
	struct making m = { .i = i };

	TRY(issue_asked(i, &m.asked));
	for (size_t k = 0; k < f->attributes_n; k++)
		TRY(by_rule(&m, &f->attributes[k]));
	for (size_t k = 0; k < m.asked->n; k++)
		if (!is_named(f, m.asked->ava[k].oid))
			TRY(unknown(&m, &m.asked->ava[k]));
	return finish(&m);
}
