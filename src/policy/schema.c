#include "base/base.h"
#include "model/choices.h"
#include "policy/modifier.h"
#include "policy/schema.h"

/* A tree grows out of many small parts: that one of them is missing is kept here and asked once at the end. */
struct maker {
	struct arena *a;
	bool out_of_memory;
};

static struct json *
made(struct maker *m, struct json *v)
{
	m->out_of_memory = m->out_of_memory || v == NULL;
	return v;
}

static struct json *
object(struct maker *m)
{
	return made(m, json_object(m->a));
}

static struct json *
array(struct maker *m)
{
	return made(m, json_array(m->a));
}

static struct json *
text(struct maker *m, const char *s)
{
	return made(m, json_str(m->a, bytes_str(s)));
}

static struct json *
boolean(struct maker *m, bool v)
{
	return made(m, json_bool(m->a, v));
}

static void
put_text(struct maker *m, struct json *o, const char *name, const char *s)
{
	if (s != NULL)
		json_set(o, name, text(m, s));
}

static void
put_int(struct maker *m, struct json *o, const char *name, int64_t v)
{
	json_set(o, name, made(m, json_int(m->a, v)));
}

static struct json *object_schema(struct maker *m, const struct field *fields);

/* ---- types ---- */

static void
bounds(struct maker *m, struct json *o, const struct field *f, const char *least, const char *most,
       int64_t factor)
{
	if (f->min == 0 && f->max == 0)
		return;
	put_int(m, o, least, f->min * factor);
	put_int(m, o, most, f->max * factor);
}

static void
choices(struct maker *m, struct json *o, const struct choice *c)
{
	struct json *names = array(m), *labels = object(m);

	for (; c != NULL && c->name != NULL; c++) {
		json_add(names, text(m, c->name));
		json_set(labels, c->name, text(m, c->label));
	}
	json_set(o, "enum", names);
	json_set(o, "x-labels", labels);
}

/* "^(http|https):" */
static void
schemes(struct maker *m, struct json *o, const struct choice *c)
{
	OWN_BUF struct buf list = buf_max(256);
	const char *pattern;

	for (; c != NULL && c->name != NULL; c++)
		buf_printf(&list, "%s%s", list.n ? "|" : "^(", c->name);
	buf_str(&list, "):");
	pattern = buf_cstr(&list);
	m->out_of_memory = m->out_of_memory || pattern == NULL;
	put_text(m, o, "pattern", pattern);
	put_text(m, o, "format", "uri");
}

/* "^(trim|prefix:.+)$" */
static void
modifiers(struct maker *m, struct json *o, const struct choice *c)
{
	OWN_BUF struct buf list = buf_max(1024);
	struct json *labels = object(m);
	const char *pattern;

	for (size_t i = 0; c != NULL && c[i].name != NULL; i++) {
		buf_printf(&list, "%s%s%s", list.n ? "|" : "^(", c[i].name,
			   modifier_has_argument((enum modifier_kind)i) ? ":.+" : "");
		json_set(labels, c[i].name, text(m, c[i].label));
	}
	buf_str(&list, ")$");
	pattern = buf_cstr(&list);
	m->out_of_memory = m->out_of_memory || pattern == NULL;
	put_text(m, o, "pattern", pattern);
	json_set(o, "x-labels", labels);
}

/* A reference is an id, or a name that is visible. */
static struct json *
reference(struct maker *m, const struct field *f)
{
	struct json *o = object(m), *types = array(m);

	json_add(types, text(m, "integer"));
	json_add(types, text(m, "string"));
	json_set(o, "type", types);
	put_int(m, o, "minimum", 1);
	put_int(m, o, "minLength", 1);
	put_text(m, o, "x-ref", kind_name(f->ref));
	return o;
}

static struct json *
typed(struct maker *m, const char *type)
{
	struct json *o = object(m);

	put_text(m, o, "type", type);
	return o;
}

static struct json *
string_schema(struct maker *m, const struct field *f)
{
	struct json *o = typed(m, "string");

	switch (f->type) {
	case FIELD_CHOICE:
		choices(m, o, f->choices);
		break;
	case FIELD_TIME:
		put_text(m, o, "format", "date-time");
		break;
	case FIELD_DURATION:
		put_text(m, o, "format", "duration");
		break;
	case FIELD_HEX:
		put_text(m, o, "pattern", "^([0-9A-Fa-f]{2})*$");
		bounds(m, o, f, "minLength", "maxLength", 2);
		break;
	case FIELD_DER:
		put_text(m, o, "contentEncoding", "base64");
		break;
	case FIELD_URI:
		schemes(m, o, f->choices);
		bounds(m, o, f, "minLength", "maxLength", 1);
		break;
	case FIELD_MODIFIER:
		modifiers(m, o, f->choices);
		break;
	case FIELD_OID:
		put_int(m, o, "minLength", 1);
		put_int(m, o, "maxLength", 255);
		break;
	default:
		bounds(m, o, f, "minLength", "maxLength", 1);
	}
	return o;
}

static struct json *
item_schema(struct maker *m, const struct field *f)
{
	struct json *o;

	switch (f->type) {
	case FIELD_BOOL:
		return typed(m, "boolean");
	case FIELD_INT:
		o = typed(m, "integer");
		bounds(m, o, f, "minimum", "maximum", 1);
		return o;
	case FIELD_REF:
		return reference(m, f);
	case FIELD_OBJECT:
		return object_schema(m, f->members);
	default:
		return string_schema(m, f);
	}
}

static struct json *
list_schema(struct maker *m, const struct field *f)
{
	struct json *o = typed(m, "array");

	json_set(o, "items", item_schema(m, f));
	if (f->list_min > 0)
		put_int(m, o, "minItems", f->list_min);
	put_int(m, o, "maxItems", f->list_max);
	if (f->flags & FIELD_UNIQUE)
		json_set(o, "uniqueItems", boolean(m, true));
	return o;
}

static struct json *
default_value(struct maker *m, const struct field *f)
{
	struct json *v = NULL;

	if (f->dflt != NULL && json_parse(m->a, bytes_str(f->dflt), &v, NULL) != RC_OK)
		m->out_of_memory = true;
	return v;
}

static struct json *
field_schema(struct maker *m, const struct field *f)
{
	struct json *o = f->flags & FIELD_LIST ? list_schema(m, f) : item_schema(m, f);

	put_text(m, o, "title", f->label);
	put_text(m, o, "description", f->help);
	put_text(m, o, "x-standard", f->standard);
	json_set(o, "default", default_value(m, f));
	if (f->flags & FIELD_FIXED)
		json_set(o, "x-fixed", boolean(m, true));
	if (f->flags & FIELD_NOT_YET)
		json_set(o, "x-not-yet", boolean(m, true));
	return o;
}

/* ---- conditions: if / then ---- */

static struct json *
value_of(struct maker *m, const struct field *f, const char *value)
{
	return f->type == FIELD_BOOL ? boolean(m, strcmp(value, "true") == 0) : text(m, value);
}

/* What makes a condition hold, as a schema of the object. */
static struct json *
cond_schema(struct maker *m, const struct cond *c, const struct field *fields)
{
	const struct field *other = field_find(fields, bytes_str(c->field));
	struct json *o = object(m), *props = object(m), *one = object(m);
	struct json *values = array(m), *need = array(m), *not = object(m);
	bool by_default = false;

	json_add(need, text(m, c->field));
	if (c->op == COND_SET || c->op == COND_UNSET) {
		json_set(o, "required", need);
		json_set(not, "not", o);
		return c->op == COND_SET ? o : not ;
	}
	for (int i = 0; i < COND_VALUES_MAX && c->values[i] != NULL; i++) {
		struct json *v = value_of(m, other, c->values[i]);

		by_default = by_default || json_eq(v, default_value(m, other));
		json_add(values, v);
	}
	json_set(one, "enum", values);
	json_set(props, c->field, one);
	json_set(o, "properties", props);
	if (!by_default)
		json_set(o, "required", need);
	json_set(not, "not", o);
	return c->op == COND_IS ? o : not ;
}

static struct json *
all_of(struct maker *m, const struct cond conds[FIELD_CONDS_MAX], const struct field *fields)
{
	struct json *o = object(m), *list = array(m);

	for (int i = 0; i < FIELD_CONDS_MAX; i++)
		if (conds[i].op != COND_NONE)
			json_add(list, cond_schema(m, &conds[i], fields));
	json_set(o, "allOf", list);
	return o;
}

static struct json *requires(struct maker *m, const struct field *f)
{
	struct json *o = object(m), *list = array(m);

	json_add(list, text(m, f->name));
	json_set(o, "required", list);
	return o;
}

/* A member that is not there or null. */
static struct json *
absent(struct maker *m, const struct field *f)
{
	struct json *o = object(m), *props = object(m);

	json_set(props, f->name, typed(m, "null"));
	json_set(o, "properties", props);
	return o;
}

static void
rule(struct maker *m, struct json *rules, struct json *when, struct json *then, struct json *otherwise)
{
	struct json *o = object(m);

	json_set(o, "if", when);
	json_set(o, "then", then);
	json_set(o, "else", otherwise);
	json_add(rules, o);
}

static void
conditions(struct maker *m, struct json *rules, const struct field *f, const struct field *fields)
{
	bool only = f->only_when[0].op != COND_NONE, must = f->must_when[0].op != COND_NONE;

	if (only && (f->flags & FIELD_MUST) && f->dflt == NULL)
		rule(m, rules, all_of(m, f->only_when, fields), requires(m, f), absent(m, f));
	else if (only)
		rule(m, rules, all_of(m, f->only_when, fields), object(m), absent(m, f));
	if (must && f->dflt == NULL)
		rule(m, rules, all_of(m, f->must_when, fields), requires(m, f), object(m));
}

static struct json *
object_schema(struct maker *m, const struct field *fields)
{
	struct json *o = typed(m, "object"), *props = object(m), *need = array(m), *rules = array(m);

	for (const struct field *f = fields; f->name != NULL; f++) {
		json_set(props, f->name, field_schema(m, f));
		if ((f->flags & FIELD_MUST) && f->only_when[0].op == COND_NONE && f->dflt == NULL)
			json_add(need, text(m, f->name));
		conditions(m, rules, f, fields);
	}
	json_set(o, "properties", props);
	json_set(o, "required", need);
	json_set(o, "additionalProperties", boolean(m, false));
	if (rules != NULL && rules->count > 0)
		json_set(o, "allOf", rules);
	return o;
}

enum rc
schema_of(struct arena *a, const struct kind *kind, struct json **ret, struct err *e)
{
	struct maker m = { .a = a };
	struct json *o = object_schema(&m, kind->fields);
	const char *id = arena_printf(a, "urn:chancery:kind:%s", kind->name);

	put_text(&m, o, "$schema", "https://json-schema.org/draft/2020-12/schema");
	put_text(&m, o, "$id", id);
	put_text(&m, o, "title", kind->title);
	put_text(&m, o, "description", kind->help);
	NEED(!m.out_of_memory && id != NULL, e, CHY_NO_MEMORY, NULL, "schema");
	*ret = o;
	return RC_OK;
}
