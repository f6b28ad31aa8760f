/* References: ids in force, paths in files. */
#include "base/base.h"
#include "cli/policy_impl.h"

struct turning {
	const struct policy_set *s;
	struct arena *a;
	struct err *e;
	/* one value that is a reference */
	enum rc (*one)(struct turning *t, const struct field *f, const struct json *v, struct json **ret);
	policy_ref_fn *fn;
	void *arg;
};

static enum rc turn_object(struct turning *t, const struct field *fields, const struct json *v,
			   struct json **ret);

static enum rc
turn_item(struct turning *t, const struct field *f, const struct json *v, struct json **ret)
{
	if (f->type == FIELD_REF)
		return t->one(t, f, v, ret);
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

/* ---- to paths ---- */

/* What the officer does not see stays a number. */
static enum rc
to_path(struct turning *t, const struct field *f, const struct json *v, struct json **ret)
{
	const struct policy_item *item = v->type == JSON_INT ? policy_item_of(t->s, v->integer) : NULL;

	*ret = item ? json_str(t->a, bytes_str(item->path)) : json_copy(t->a, v);
	return RC_OK;
}

static const char *
place_member(enum kind_id kind)
{
	return kind == KIND_DOMAIN ? "parent" : "domain";
}

enum rc
policy_named(const struct policy_set *s, const struct policy_item *item, const struct json *body,
	     struct json **ret, struct err *e)
{
	struct turning t = { .s = s, .a = s->a, .e = e, .one = to_path };

	TRY(turn_object(&t, kind_of(item->kind)->fields, body, ret));
	json_drop(*ret, place_member(item->kind));
	if (item->kind ==
	    KIND_OFFICER) /* the number of a certificate of this installation; the fingerprint says which */
		json_drop(*ret, "certificate");
	return RC_OK;
}

/* ---- to ids ---- */

static enum rc
to_id(struct turning *t, const struct field *f, const struct json *v, struct json **ret)
{
	const struct policy_item *item;
	const char *path;

	if (v->type != JSON_STR) {
		*ret = json_copy(t->a, v);
		return RC_OK;
	}
	path = arena_str(t->a, v->str);
	NEED(path != NULL, t->e, CHY_NO_MEMORY, NULL, "a document");
	item = policy_item_at(t->s, f->ref, path);
	NEED(item != NULL, t->e, CHY_REF_NOTHING, NULL,
	     "%s: there is no %s \"%.120s\", neither in the folder nor in force", f->label, kind_name(f->ref),
	     path);
	*ret = json_int(t->a, item->id);
	return RC_OK;
}

/* The folder says where it lies. */
static enum rc
put_place(struct turning *t, const struct policy_item *item, struct json *body)
{
	const struct policy_item *domain;

	if (json_get(body, place_member(item->kind)) != NULL) {
		err_field(t->e, "%s", place_member(item->kind));
		FAIL(t->e, CHY_POLICY_FOLDER, NULL, "the folder says where a document lies, not a member");
	}
	if (*item->above == 0)
		return RC_OK;
	domain = policy_item_at(t->s, KIND_DOMAIN, item->above);
	if (domain == NULL) {
		err_field(t->e, "%s", place_member(item->kind));
		FAIL(t->e, CHY_REF_NOTHING, NULL,
		     "there is no domain \"%.120s\", neither in the folder nor in force", item->above);
	}
	json_set(body, place_member(item->kind), json_int(t->a, domain->id));
	return RC_OK;
}

enum rc
policy_with_ids(const struct policy_set *s, struct policy_item *item, struct json **ret, struct err *e)
{
	struct turning t = { .s = s, .a = s->a, .e = e, .one = to_id };
	const struct json *certificate = json_get(item->current, "certificate");

	TRY(turn_object(&t, kind_of(item->kind)->fields, item->file_body, ret));
	TRY(put_place(&t, item, *ret));
	if (item->kind == KIND_OFFICER && certificate != NULL && json_get(*ret, "certificate") == NULL &&
	    json_eq(json_get(item->current, "certificate_sha256"), json_get(*ret, "certificate_sha256")))
		json_set(*ret, "certificate", json_copy(s->a, certificate));
	return RC_OK;
}

/* ---- walking ---- */

static enum rc
visit(struct turning *t, const struct field *f, const struct json *v, struct json **ret)
{
	*ret = json_null(t->a);
	return v->type == JSON_INT ? t->fn(t->arg, v->integer, t->e) : RC_OK;
}

enum rc
policy_each_ref(enum kind_id kind, const struct json *body, policy_ref_fn *fn, void *arg, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = arena_new(64 << 20);
	struct turning t = { .a = scratch, .e = e, .one = visit, .fn = fn, .arg = arg };
	struct json *unused;

	NEED(scratch != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	return turn_object(&t, kind_of(kind)->fields, body, &unused);
}

/* ---- text ---- */

enum rc
policy_text(struct arena *a, const struct json *body, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf canonical = buf_max(2 * LIMIT_BODY), pretty = buf_max(4 * LIMIT_BODY);
	struct json *sorted;

	json_put_canonical(&canonical, body);
	NEED(buf_ok(&canonical), e, CHY_NO_MEMORY, NULL, "a document");
	TRY(json_parse(a, buf_bytes(&canonical), &sorted, e));
	json_put_pretty(&pretty, sorted);
	*ret = arena_dup(a, buf_bytes(&pretty));
	NEED(buf_ok(&pretty) && ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	return RC_OK;
}
