/* Checks, comparison and order of a policy set. */
#include "base/base.h"
#include "cli/policy_impl.h"

#include "policy/document.h"

/* ---- one snapshot of what policy would be ---- */

/* What others see of it: its defaults too, as it will be in force; unless it lacks something. */
static enum rc
with_defaults(struct policy_set *s, struct policy_item *item, struct err *e)
{
	const struct document_check check = { .kind = kind_of(item->kind) };
	struct err why = { 0 };

	if (document_check(s->a, &check, item->wanted, &item->whole, &why) == RC_OK)
		return RC_OK;
	item->whole = item->wanted;
	NEED(why.code != CHY_NO_MEMORY, e, CHY_NO_MEMORY, NULL, "the policy");
	return RC_OK;
}

/* A body that the snapshot can take: its members are of the right types. */
static enum rc
check_alone(struct policy_set *s, struct policy_item *item, struct err *e)
{
	const struct document_check check = { .kind = kind_of(item->kind), .draft = true };
	struct json *normal;

	TRY(policy_with_ids(s, item, &item->wanted, e));
	TRY(document_check(s->a, &check, item->wanted, &normal, e));
	return with_defaults(s, item, e);
}

static void
broken(struct policy_set *s, struct policy_item *item)
{
	s->broken += item->state != POLICY_BROKEN;
	item->state = POLICY_BROKEN;
	item->wanted = item->normal = NULL;
}

static enum rc
document_of(struct policy_set *s, const struct policy_item *item, struct document *ret, struct err *e)
{
	struct json *body = json_copy(s->a, item->wanted ? item->whole : item->current);
	OWN_BUF struct buf text = buf_max(2 * LIMIT_BODY);

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	if (json_get(body, "state") == NULL)
		json_set(body, "state", json_str(s->a, BYTES("active")));
	json_put_canonical(&text, body);
	*ret = (struct document){ .id = doc_id_of(item->id),
				  .version = item->version + 1,
				  .kind = item->kind,
				  .text = arena_dup(s->a, buf_bytes(&text)) };
	NEED(buf_ok(&text) && ret->text.p != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	return RC_OK;
}

static enum rc
build(struct policy_set *s, struct snapshot **ret, struct err *e)
{
	struct document *docs = arena_array(s->a, s->n + 1, sizeof(*docs));
	size_t n = 0;

	NEED(docs != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].wanted != NULL || s->items[i].current != NULL)
			TRY(document_of(s, &s->items[i], &docs[n++], e));
	return snapshot_build(&(struct snapshot_input){ .documents = docs, .documents_n = n }, ret, e);
}

/* ---- states ---- */

/* Keys cannot be copied, authorities stand on them, officers on certificates: what is missing of them is made by hand. */
static bool
is_by_hand(const struct policy_set *s, const struct policy_item *item)
{
	if (item->current != NULL)
		return false;
	if (item->kind == KIND_CA_KEY || item->kind == KIND_AUTHORITY)
		return !s->new_keys;
	return item->kind == KIND_OFFICER;
}

/* What is in force, with defaults that came later. */
static const struct json *
current_normal(struct policy_set *s, const struct policy_item *item)
{
	const struct document_check check = { .kind = kind_of(item->kind), .self = doc_id_of(item->id) };
	struct json *normal;

	return document_check(s->a, &check, item->current, &normal, NULL) == RC_OK ? normal : item->current;
}

static void
compare(struct policy_set *s, struct policy_item *item)
{
	if (item->current == NULL)
		item->state = is_by_hand(s, item) ? POLICY_BY_HAND : POLICY_CREATE;
	else if (json_eq(item->normal, item->current) || json_eq(item->normal, current_normal(s, item)))
		item->state = POLICY_SAME;
	else
		item->state = POLICY_MODIFY;
}

static void
judge_one(struct policy_set *s, const struct snapshot *policy, struct policy_item *item)
{
	const struct document_check check = { .kind = kind_of(item->kind),
					      .policy = policy,
					      .self = doc_id_of(item->id),
					      .before = item->current };

	if (document_check(s->a, &check, item->wanted, &item->normal, &item->err) == RC_OK) {
		compare(s, item);
		return;
	}
	if (item->err.code == CHY_FIELD_MISSING && item->current == NULL && !is_by_hand(s, item))
		item->state = POLICY_INCOMPLETE;
	else
		broken(s, item);
}

enum rc
policy_judge(struct policy_set *s, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;

	for (size_t i = 0; i < s->n; i++) {
		struct policy_item *item = &s->items[i];

		s->broken += item->state == POLICY_BROKEN;
		if (item->file_body != NULL && check_alone(s, item, &item->err) != RC_OK)
			broken(s, item);
	}
	TRY(build(s, &policy, e));
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].wanted != NULL)
			judge_one(s, policy, &s->items[i]);
	return RC_OK;
}

/* ---- order ---- */

enum { MARK_NONE, MARK_OPEN, MARK_DONE, DEPTH_MAX = 200 };

static bool
changes(const struct policy_item *item)
{
	return item->state == POLICY_CREATE || item->state == POLICY_MODIFY ||
	    item->state == POLICY_INCOMPLETE || item->state == POLICY_BY_HAND;
}

struct ordering {
	struct policy_set *s;
	struct policy_item *item;
};

static enum rc order_one(struct policy_set *s, struct policy_item *item, struct err *e);

/* Whether the other has to be signed before the item can be asked for: it is not there yet, or closed. */
static bool
stands_before(const struct policy_item *other)
{
	const struct json *state = json_get(other->current, "state");

	if (other->current == NULL)
		return true;
	return other->state == POLICY_MODIFY && state != NULL && state->type == JSON_STR &&
	    bytes_is(state->str, "closed");
}

static enum rc
order_reference(void *arg, int64_t id, struct err *e)
{
	struct ordering *o = arg;
	struct policy_item *other = policy_item_of(o->s, id);

	if (other == NULL || other == o->item || !changes(other))
		return RC_OK;
	if (other->mark == MARK_OPEN) {
		if (!stands_before(other))
			return RC_OK; /* both are in force: any order will do */
		FAIL(e, CHY_REF_CIRCULAR, NULL, "%.120s and %.120s need one another", o->item->file,
		     other->file);
	}
	TRY(order_one(o->s, other, e));
	if (stands_before(other) && (o->item->wait == NULL || other->wave + 1 > o->item->wave)) {
		o->item->wave = other->wave + 1;
		o->item->wait = other;
	}
	return RC_OK;
}

static enum rc
order_one(struct policy_set *s, struct policy_item *item, struct err *e)
{
	struct ordering o = { s, item };
	const struct json *body = item->normal ? item->normal : item->wanted;

	if (item->mark == MARK_DONE)
		return RC_OK;
	NEED(s->depth < DEPTH_MAX, e, CHY_LIMIT, NULL,
	     "more than %d documents that need one another in a row", DEPTH_MAX);
	item->mark = MARK_OPEN;
	s->depth++;
	if (body != NULL)
		TRY(policy_each_ref(item->kind, body, order_reference, &o, e));
	s->depth--;
	item->mark = MARK_DONE;
	s->order[s->order_n++] = item;
	return RC_OK;
}

enum rc
policy_put_in_order(struct policy_set *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct err why = { 0 };

		if (!changes(&s->items[i]) || order_one(s, &s->items[i], &why) == RC_OK)
			continue;
		NEED(why.code != CHY_NO_MEMORY, e, why.code, NULL, "%s", why.text);
		s->depth = 0;
		s->items[i].err = why;
		broken(s, &s->items[i]);
		s->items[i].mark = MARK_DONE;
	}
	return RC_OK;
}

/* ---- differences ---- */

static bool
is_given(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL;
}

static enum rc
add_difference(const struct policy_set *s, struct json *list, const char *name, const struct json *was,
	       const struct json *is, struct err *e)
{
	struct json *o = json_object(s->a);

	json_set(o, "field", json_str(s->a, bytes_str(name)));
	json_set(o, "in_force", was ? json_copy(s->a, was) : json_null(s->a));
	json_set(o, "folder", is ? json_copy(s->a, is) : json_null(s->a));
	NEED(o != NULL && o->count == 3, e, CHY_NO_MEMORY, NULL, "difference");
	json_add(list, o);
	return RC_OK;
}

enum rc
policy_difference(const struct policy_set *s, const struct policy_item *item, struct json **ret,
		  struct err *e)
{
	struct json *was = NULL, *is = NULL;

	*ret = json_array(s->a);
	if (item->current != NULL)
		TRY(policy_named(s, item, item->current, &was, e));
	if (item->wanted != NULL)
		TRY(policy_named(s, item, item->normal ? item->normal : item->wanted, &is, e));
	for (const struct field *f = kind_of(item->kind)->fields; f->name != NULL; f++) {
		const struct json *a = json_get(was, f->name), *b = json_get(is, f->name);

		if ((is_given(a) || is_given(b)) && !json_eq(a, b))
			TRY(add_difference(s, *ret, f->name, a, b, e));
	}
	return RC_OK;
}
