#include "base/base.h"
#include "cli/refs.h"

struct turning {
	struct arena *a;
	struct err *e;
	ref_fn *fn;
	const void *arg;
};

static enum rc turn_object(struct turning *t, const struct field *fields, const struct json *v,
			   struct json **ret);

static enum rc
turn_item(struct turning *t, const struct field *f, const struct json *v, struct json **ret)
{
	if (f->type == FIELD_REF)
		return t->fn(t->arg, t->a, f, v, ret, t->e);
	if (f->type == FIELD_OBJECT && v->type == JSON_OBJECT)
		return turn_object(t, f->members, v, ret);
	*ret = json_copy(t->a, v);
	return RC_OK;
}

static enum rc
turn_list(struct turning *t, const struct field *f, const struct json *v, struct json **ret)
{
	size_t i = 0;

	*ret = json_array(t->a);
	JSON_EACH(x, v)
	{
		struct json *item = NULL;

		TRY_AT(turn_item(t, f, x, &item), t->e, "%s[%zu]", f->name, i);
		NEED(item != NULL && *ret != NULL, t->e, CHY_NO_MEMORY, NULL, "a document");
		json_add(*ret, item);
		i++;
	}
	return RC_OK;
}

/* A member that the kind does not have stays: the check says so. */
static enum rc
turn_object(struct turning *t, const struct field *fields, const struct json *v, struct json **ret)
{
	*ret = json_object(t->a);
	JSON_EACH(m, v)
	{
		const struct field *f = field_find(fields, m->name);
		const char *name = arena_str(t->a, m->name);
		struct json *value = NULL;

		if (f == NULL)
			value = json_copy(t->a, m);
		else if (m->type == JSON_ARRAY)
			TRY(turn_list(t, f, m, &value));
		else
			TRY_AT(turn_item(t, f, m, &value), t->e, "%s", f->name);
		NEED(value != NULL && *ret != NULL && name != NULL, t->e, CHY_NO_MEMORY, NULL, "a document");
		json_set(*ret, name, value);
	}
	return RC_OK;
}

enum rc
refs_turn(struct arena *a, const struct field *fields, const struct json *body, ref_fn *fn, const void *arg,
	  struct json **ret, struct err *e)
{
	struct turning t = { a, e, fn, arg };

	return turn_object(&t, fields, body, ret);
}

static enum rc
by_name(const void *arg, struct arena *a, const struct field *f, const struct json *v, struct json **ret,
	struct err *e)
{
	const struct json *names = arg, *name = NULL;
	char id[24];

	if (v->type == JSON_INT) {
		snprintf(id, sizeof(id), "%lld", (long long)v->integer);
		name = json_get(names, id);
	}
	*ret = json_copy(a, name != NULL ? name : v);
	return RC_OK;
}

enum rc
refs_by_name(struct arena *a, const struct field *fields, const struct json *body, const struct json *names,
	     struct json **ret, struct err *e)
{
	return refs_turn(a, fields, body, by_name, names, ret, e);
}

static enum rc
from_root(const void *arg, struct arena *a, const struct field *f, const struct json *v, struct json **ret,
	  struct err *e)
{
	const char *path = v->type == JSON_STR ? arena_printf(a, "/%.*s", BYTES_FMT(v->str)) : NULL;

	*ret = v->type != JSON_STR ? json_copy(a, v) : path != NULL ? json_str(a, bytes_str(path)) : NULL;
	return RC_OK;
}

enum rc
refs_from_root(struct arena *a, const struct field *fields, const struct json *body, struct json **ret,
	       struct err *e)
{
	return refs_turn(a, fields, body, from_root, NULL, ret, e);
}
