#include "base/base.h"
#include "model/field.h"

static const char *const kind_names[] = {
#define X(e, name) [KIND_##e] = name,
	KIND_TABLE(X)
#undef X
};

const char *
kind_name(enum kind_id id)
{
	return id >= 0 && id < KIND_COUNT ? kind_names[id] : "";
}

enum kind_id
kind_id_of(struct bytes name)
{
	for (int i = 0; i < KIND_COUNT; i++)
		if (bytes_is(name, kind_names[i]))
			return (enum kind_id)i;
	return KIND_NONE;
}

const struct kind *
kind_named(struct bytes name)
{
	return kind_of(kind_id_of(name));
}

const struct field *
field_find(const struct field *fields, struct bytes name)
{
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++)
		if (bytes_is(name, f->name))
			return f;
	return NULL;
}

const char *
field_type_name(enum field_type t)
{
	static const char *const names[FIELD_TYPE_COUNT] = {
		[FIELD_BOOL] = "true or false",
		[FIELD_INT] = "a whole number",
		[FIELD_TEXT] = "text",
		[FIELD_CHOICE] = "one of its choices",
		[FIELD_REF] = "a reference",
		[FIELD_OBJECT] = "an object",
		[FIELD_TIME] = "a time",
		[FIELD_DURATION] = "a duration",
		[FIELD_OID] = "an object identifier",
		[FIELD_HEX] = "octets in hexadecimal",
		[FIELD_DN] = "a distinguished name",
		[FIELD_DER] = "DER in base64, or PEM",
		[FIELD_URI] = "an address",
		[FIELD_MODIFIER] = "a modifier",
	};

	return (unsigned)t < FIELD_TYPE_COUNT ? names[t] : "";
}

int
choice_index(const struct choice *choices, struct bytes name)
{
	for (int i = 0; choices != NULL && choices[i].name != NULL; i++)
		if (bytes_is(name, choices[i].name))
			return i;
	return -1;
}

static bool
is_given(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL && !(v->type == JSON_ARRAY && v->count == 0);
}

/* A default stands in the table as JSON; of those that conditions look at, "text", true and false. */
static bool
default_is(const char *dflt, const char *value)
{
	size_t n = strlen(value);

	if (dflt[0] == '"')
		return strncmp(dflt + 1, value, n) == 0 && strcmp(dflt + 1 + n, "\"") == 0;
	return strcmp(dflt, value) == 0;
}

static bool
value_is(const struct field *f, const struct json *v, const char *value)
{
	if (is_given(v) && v->type == JSON_STR)
		return bytes_is(v->str, value);
	if (is_given(v) && v->type == JSON_BOOL)
		return strcmp(v->boolean ? "true" : "false", value) == 0;
	return !is_given(v) && f->dflt != NULL && default_is(f->dflt, value);
}

static bool
is_one_of(const struct field *f, const struct json *v, const char *const values[COND_VALUES_MAX])
{
	for (int i = 0; i < COND_VALUES_MAX && values[i] != NULL; i++)
		if (value_is(f, v, values[i]))
			return true;
	return false;
}

bool
cond_holds(const struct cond *c, const struct field *fields, const struct json *object)
{
	const struct field *other = c->op == COND_NONE ? NULL : field_find(fields, bytes_str(c->field));
	const struct json *v;
	bool there;

	if (other == NULL)
		return true;
	there = field_is_available(other, fields, object);
	v = there ? json_get(object, other->name) : NULL;
	switch (c->op) {
	case COND_IS:
		return there && is_one_of(other, v, c->values);
	case COND_IS_NOT:
		return !there || !is_one_of(other, v, c->values);
	case COND_SET:
		return is_given(v) || (there && other->dflt != NULL && strcmp(other->dflt, "[]") != 0);
	case COND_UNSET:
		return !is_given(v) && (!there || other->dflt == NULL || strcmp(other->dflt, "[]") == 0);
	case COND_NONE:
		break;
	}
	return true;
}

static bool
all_hold(const struct cond conds[FIELD_CONDS_MAX], const struct field *fields, const struct json *object)
{
	for (int i = 0; i < FIELD_CONDS_MAX; i++)
		if (!cond_holds(&conds[i], fields, object))
			return false;
	return true;
}

bool
field_is_available(const struct field *f, const struct field *fields, const struct json *object)
{
	return all_hold(f->only_when, fields, object);
}

bool
field_is_mandatory(const struct field *f, const struct field *fields, const struct json *object)
{
	if (!field_is_available(f, fields, object))
		return false;
	return (f->flags & FIELD_MUST) ||
	    (f->must_when[0].op != COND_NONE && all_hold(f->must_when, fields, object));
}
