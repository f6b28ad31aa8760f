#include "base/base.h"
#include "policy/document_impl.h"

#include <stdarg.h>

char *
at_text(char *dst, const struct at *at)
{
	const struct at *path[16];
	size_t n = 0, used = 0;

	for (; at != NULL && n < ARRAY_LEN(path); at = at->up)
		path[n++] = at;
	dst[0] = 0;
	while (n-- > 0 && used < ERR_FIELD_MAX) {
		if (path[n]->name == NULL)
			used += (size_t)snprintf(dst + used, ERR_FIELD_MAX - used, "[%zu]", path[n]->index);
		else
			used += (size_t)snprintf(dst + used, ERR_FIELD_MAX - used, "%s%s", used ? "." : "",
						 path[n]->name);
	}
	return dst;
}

enum rc
refuse(struct walk *w, const struct at *at, enum code code, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX], field[ERR_FIELD_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_field(w->e, "%s", at_text(field, at));
	return err_set(w->e, code, NULL, "%s", text);
}

static enum rc object_check(struct walk *w, const struct field *fields, const struct json *v,
			    const struct at *at, struct json **ret);

static enum rc
item_check(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	   struct json **ret)
{
	if (f->type == FIELD_OBJECT) {
		REFUSE_UNLESS(v->type == JSON_OBJECT, w, at, CHY_FIELD_TYPE, "%s: an object is expected",
			      f->label);
		return object_check(w, f->members, v, at, ret);
	}
	if (f->type == FIELD_REF)
		return reference_check(w, f, v, at, ret);
	return value_check(w, f, v, at, ret);
}

static enum rc
list_check(struct walk *w, const struct field *f, const struct json *v, const struct at *at,
	   struct json **ret)
{
	struct at item = { .up = at };

	REFUSE_UNLESS(v->type == JSON_ARRAY, w, at, CHY_FIELD_TYPE, "%s: a list is expected", f->label);
	REFUSE_UNLESS(v->count <= f->list_max && (v->count >= f->list_min || w->c->draft), w, at,
		      CHY_FIELD_COUNT, "%s: %zu items, must be %u to %u", f->label, v->count, f->list_min,
		      f->list_max);
	NEED((*ret = json_array(w->a)) != NULL, w->e, CHY_NO_MEMORY, NULL, "document");
	JSON_EACH(x, v)
	{
		struct json *normal = NULL;

		TRY(item_check(w, f, x, &item, &normal));
		if (f->flags & FIELD_UNIQUE)
			JSON_EACH(before, *ret)
		REFUSE_UNLESS(!json_eq(before, normal), w, &item, CHY_FIELD_TWICE, "%s: the same item twice",
			      f->label);
		json_add(*ret, normal);
		item.index++;
	}
	return RC_OK;
}

static bool
is_given(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL;
}

/* "card_serial_number is true", for messages. */
static const char *
cond_text(struct walk *w, const struct cond conds[FIELD_CONDS_MAX])
{
	static const char *const ops[] = { "", "is", "is not", "is given", "is not given" };
	const char *text = "";

	for (int i = 0; i < FIELD_CONDS_MAX && conds[i].op != COND_NONE; i++) {
		text = arena_printf(w->a, "%s%s%s %s", text, i ? " and " : "", conds[i].field,
				    ops[conds[i].op]);
		for (int j = 0; text && j < COND_VALUES_MAX && conds[i].values[j]; j++)
			text = arena_printf(w->a, "%s %s%s", text, j ? "or " : "", conds[i].values[j]);
		if (text == NULL)
			return "its condition holds";
	}
	return text;
}

static enum rc
default_of(struct walk *w, const struct field *f, struct json **ret)
{
	*ret = NULL;
	if (f->dflt == NULL || w->c->draft)
		return RC_OK;
	return json_parse(w->a, bytes_str(f->dflt), ret, w->e);
}

/* A member that is given, or its default, or nothing. */
static enum rc
member_check(struct walk *w, const struct field *f, const struct field *fields, const struct json *object,
	     const struct at *at, struct json **ret)
{
	const struct json *v = json_get(object, f->name);
	bool available = field_is_available(f, fields, object);
	bool empty = is_given(v) && v->type == JSON_ARRAY && v->count == 0;

	*ret = NULL;
	if (!is_given(v)) {
		if (available && f->dflt != NULL)
			return default_of(w, f, ret);
		REFUSE_UNLESS(w->c->draft || !field_is_mandatory(f, fields, object), w, at, CHY_FIELD_MISSING,
			      "%s is mandatory", f->label);
		return RC_OK;
	}
	REFUSE_UNLESS(available || w->c->draft, w, at, CHY_FIELD_UNAVAILABLE, "%s is available only when %s",
		      f->label, cond_text(w, f->only_when));
	REFUSE_UNLESS(!(f->flags & FIELD_NOT_YET) || empty || w->c->draft, w, at, CHY_FIELD_NOT_YET,
		      "%s cannot be used in this version", f->label);
	return f->flags & FIELD_LIST ? list_check(w, f, v, at, ret) : item_check(w, f, v, at, ret);
}

static enum rc
known_members(struct walk *w, const struct field *fields, const struct json *v, const struct at *up)
{
	JSON_EACH(m, v)
	{
		struct at at = { .up = up, .name = (const char *)bytes_part(m->name, 0, 64).p };

		REFUSE_UNLESS(field_find(fields, m->name) != NULL, w, &at, CHY_FIELD_UNKNOWN,
			      "\"%.*s\" is no field here", BYTES_FMT(bytes_part(m->name, 0, 64)));
	}
	return RC_OK;
}

/* Fixed members stay as they were made, or as the default of a member that came later; a draft is no change yet. */
static enum rc
fixed_check(struct walk *w, const struct field *f, const struct json *now, const struct at *at)
{
	const struct json *was = json_get(w->c->before, f->name);
	struct json *dflt = NULL;

	if (at->up != NULL || w->c->before == NULL || w->c->draft || !(f->flags & FIELD_FIXED))
		return RC_OK;
	if (!is_given(was) && field_is_available(f, w->c->kind->fields, w->c->before)) {
		TRY(default_of(w, f, &dflt));
		was = dflt;
	}
	REFUSE_UNLESS(json_eq(was, now) || (!is_given(was) && !is_given(now)), w, at, CHY_FIELD_FIXED,
		      "%s cannot be changed after creation", f->label);
	return RC_OK;
}

/* Later fields are judged by these. */
static void
remember(struct walk *w, const struct field *f, const struct json *normal)
{
	if (strcmp(f->name, w->c->kind->id == KIND_DOMAIN ? "parent" : "domain") == 0 && is_given(normal))
		w->from = doc_id_of(normal->integer);
	if (strcmp(f->name, "state") == 0 && is_given(normal))
		w->closed = bytes_is(normal->str, "closed");
}

static enum rc
object_check(struct walk *w, const struct field *fields, const struct json *v, const struct at *up,
	     struct json **ret)
{
	TRY(known_members(w, fields, v, up));
	NEED((*ret = json_object(w->a)) != NULL, w->e, CHY_NO_MEMORY, NULL, "document");
	for (const struct field *f = fields; f->name != NULL; f++) {
		struct at at = { .up = up, .name = f->name };
		struct json *normal = NULL;

		TRY(member_check(w, f, fields, v, &at, &normal));
		TRY(fixed_check(w, f, normal, &at));
		if (up == NULL)
			remember(w, f, normal);
		json_set(*ret, f->name, normal);
	}
	return RC_OK;
}

static enum rc
name_is_free(struct walk *w, const struct json *body)
{
	struct at at = { .name = "name" };
	const struct json *name = json_get(body, "name");
	const struct document *other;

	if (w->c->policy == NULL || !is_given(name))
		return RC_OK;
	other = snapshot_in_domain(w->c->policy, w->c->kind->id, name->str, w->from);
	REFUSE_UNLESS(other == NULL || doc_id_eq(other->id, w->c->self), w, &at, CHY_NAME_TAKEN,
		      "%s %lld of the same domain has this name", w->c->kind->title,
		      other ? (long long)other->id.v : 0LL);
	return RC_OK;
}

enum rc
fields_check(struct arena *a, const struct field *fields, const struct json *v, struct json **ret,
	     struct err *e)
{
	static const struct kind none = { .id = KIND_NONE };
	const struct document_check c = { .kind = &none };
	struct walk w = { .a = a, .c = &c, .e = e };

	NEED(v->type == JSON_OBJECT, e, CHY_FIELD_TYPE, NULL, "an object is expected");
	return object_check(&w, fields, v, NULL, ret);
}

enum rc
document_check(struct arena *a, const struct document_check *c, const struct json *body, struct json **ret,
	       struct err *e)
{
	struct walk w = { .a = a, .c = c, .e = e };
	struct err late = { 0 };

	NEED(c->kind != NULL, e, CHY_KIND_UNKNOWN, NULL, "no kind");
	NEED(body != NULL && body->type == JSON_OBJECT, e, CHY_FIELD_TYPE, NULL, "a document is an object");
	if (e == NULL)
		w.e = &late;
	TRY(object_check(&w, c->kind->fields, body, NULL, ret));
	if (c->draft)
		return RC_OK;
	TRY(name_is_free(&w, *ret));
	return kind_check(&w, *ret);
}
