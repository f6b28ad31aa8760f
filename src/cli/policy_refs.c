/* References: ids in force, paths in files. */
#include "base/base.h"
#include "cli/policy_impl.h"
#include "cli/refs.h"

/* ---- to paths ---- */

/* What the officer does not see stays a number. */
static enum rc
to_path(const void *arg, struct arena *a, const struct field *f, const struct json *v, struct json **ret,
	struct err *e)
{
	const struct policy_item *item = v->type == JSON_INT ? policy_item_of(arg, v->integer) : NULL;

	*ret = item ? json_str(a, bytes_str(item->path)) : json_copy(a, v);
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
	TRY(refs_turn(s->a, kind_of(item->kind)->fields, body, to_path, s, ret, e));
	json_drop(*ret, place_member(item->kind));
	if (item->kind ==
	    KIND_OFFICER) /* the number of a certificate of this installation; the fingerprint says which */
		json_drop(*ret, "certificate");
	return RC_OK;
}

/* ---- to ids ---- */

static enum rc
to_id(const void *arg, struct arena *a, const struct field *f, const struct json *v, struct json **ret,
      struct err *e)
{
	const struct policy_item *item;
	const char *path;

	if (v->type != JSON_STR) {
		*ret = json_copy(a, v);
		return RC_OK;
	}
	path = arena_str(a, v->str);
	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	item = policy_item_at(arg, f->ref, path);
	NEED(item != NULL, e, CHY_REF_NOTHING, NULL,
	     "%s: there is no %s \"%.120s\", neither in the folder nor in force", f->label, kind_name(f->ref),
	     path);
	*ret = json_int(a, item->id);
	return RC_OK;
}

static enum rc
put_root(const struct policy_set *s, const struct policy_item *item, struct json *body, struct err *e)
{
	struct json *none = json_null(s->a);

	NEED(none != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	json_set(body, place_member(item->kind), none);
	return RC_OK;
}

/* The folder says where it lies. */
static enum rc
put_place(const struct policy_set *s, const struct policy_item *item, struct json *body, struct err *e)
{
	const struct policy_item *domain;

	if (json_get(body, place_member(item->kind)) != NULL) {
		err_field(e, "%s", place_member(item->kind));
		FAIL(e, CHY_POLICY_FOLDER, NULL, "the folder says where a document lies, not a member");
	}
	if (*item->above == 0) /* said, since a domain's officer who says nothing means the own domain */
		return item->current ? RC_OK : put_root(s, item, body, e);
	domain = policy_item_at(s, KIND_DOMAIN, item->above);
	if (domain == NULL) {
		err_field(e, "%s", place_member(item->kind));
		FAIL(e, CHY_REF_NOTHING, NULL,
		     "there is no domain \"%.120s\", neither in the folder nor in force", item->above);
	}
	json_set(body, place_member(item->kind), json_int(s->a, domain->id));
	return RC_OK;
}

enum rc
policy_with_ids(const struct policy_set *s, struct policy_item *item, struct json **ret, struct err *e)
{
	const struct json *certificate = json_get(item->current, "certificate");

	TRY(refs_turn(s->a, kind_of(item->kind)->fields, item->file_body, to_id, s, ret, e));
	TRY(put_place(s, item, *ret, e));
	if (item->kind == KIND_OFFICER && certificate != NULL && json_get(*ret, "certificate") == NULL &&
	    json_eq(json_get(item->current, "certificate_sha256"), json_get(*ret, "certificate_sha256")))
		json_set(*ret, "certificate", json_copy(s->a, certificate));
	return RC_OK;
}

/* ---- walking ---- */

struct visiting {
	policy_ref_fn *fn;
	void *arg;
};

static enum rc
visit(const void *arg, struct arena *a, const struct field *f, const struct json *v, struct json **ret,
      struct err *e)
{
	const struct visiting *x = arg;

	*ret = json_null(a);
	return v->type == JSON_INT ? x->fn(x->arg, v->integer, e) : RC_OK;
}

enum rc
policy_each_ref(enum kind_id kind, const struct json *body, policy_ref_fn *fn, void *arg, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = arena_new(64 << 20);
	struct visiting x = { fn, arg };
	struct json *unused;

	NEED(scratch != NULL, e, CHY_NO_MEMORY, NULL, "a document");
	return refs_turn(scratch, kind_of(kind)->fields, body, visit, &x, &unused, e);
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
