#include "base/base.h"
#include "cli/policy_set.h"

#include "cli/policy_impl.h"
#include "policy/path.h"
#include "cli/rest.h"

const char *
policy_state_name(enum policy_state s)
{
	static const char *const names[POLICY_STATE_COUNT] = { "same",          "create",     "modify",
							       "only-in-force", "incomplete", "by-hand",
							       "broken" };

	return s < POLICY_STATE_COUNT ? names[s] : "";
}

/* ---- finding ---- */

static int
by_kind_and_path(const void *x, const void *y)
{
	const struct policy_item *a = x, *b = y;

	return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->path, b->path);
}

struct policy_item *
policy_item_at(const struct policy_set *s, enum kind_id kind, const char *path)
{
	struct policy_item key = { .kind = kind, .path = path };

	return s->n ? bsearch(&key, s->items, s->n, sizeof(key), by_kind_and_path) : NULL;
}

struct policy_item *
policy_item_of(const struct policy_set *s, int64_t id)
{
	for (size_t lo = 0, hi = s->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->by_id[mid]->id == id)
			return s->by_id[mid];
		if (s->by_id[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int
compare_ids(const void *x, const void *y)
{
	int64_t a = (*(struct policy_item *const *)x)->id, b = (*(struct policy_item *const *)y)->id;

	return (a > b) - (a < b);
}

void
policy_sort_ids(struct policy_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->by_id[i] = &s->items[i];
	if (s->n > 0)
		qsort(s->by_id, s->n, sizeof(*s->by_id), compare_ids);
}

/* ---- what is in force ---- */

struct taking {
	struct policy_item *items;
	size_t n, cap;
};

static struct policy_item *
one_more(struct cli *c, struct taking *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 1024;
		struct policy_item *p = arena_array(c->a, cap, sizeof(*p));

		if (p == NULL)
			return NULL;
		if (t->n > 0)
			memcpy(p, t->items, t->n * sizeof(*p));
		t->items = p;
		t->cap = cap;
	}
	return &t->items[t->n++];
}

static enum rc
take_in_force(struct cli *c, struct taking *t, enum kind_id kind, const struct json *d, struct err *e)
{
	struct policy_item *item = one_more(c, t);
	struct json *body;

	NEED(item != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	*item = (struct policy_item){ .kind = kind };
	TRY_AT(json_need_int(d, "id", 1, JSON_INT_MAX, &item->id, e), e, "the server's answer");
	TRY_AT(json_need_int(d, "version", 1, JSON_INT_MAX, &item->version, e), e, "the server's answer");
	TRY_AT(json_need_object(d, "body", &body, e), e, "the server's answer");
	item->current = body;
	return RC_OK;
}

static enum rc
fetch_kind(struct cli *c, struct taking *t, enum kind_id kind, struct err *e)
{
	struct json *page, *items;
	struct rest *r;
	int64_t after = 0;

	TRY(cli_rest(c, &r, e));
	do {
		TRY(rest_json(r, c->a,
			      arena_printf(c->a, "/api/v1/documents/%s?limit=%d&after=%lld", kind_name(kind),
					   LIMIT_PAGE, (long long)after),
			      NULL, &page, e));
		TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
		JSON_EACH(d, items)
		TRY(take_in_force(c, t, kind, d, e));
		after = 0;
		TRY_AT(json_opt_int(page, "next", 1, JSON_INT_MAX, &after, e), e, "the server's answer");
	} while (after != 0);
	return RC_OK;
}

static const struct json *
member_of_place(enum kind_id kind, const struct json *body)
{
	return json_get(body, kind == KIND_DOMAIN ? "parent" : "domain");
}

static struct policy_item *
domain_of_id(struct taking *t, int64_t id)
{
	for (size_t i = 0; i < t->n && t->items[i].kind == KIND_DOMAIN; i++)
		if (t->items[i].id == id)
			return &t->items[i];
	return NULL;
}

/* The path of what lies in a domain; domains were taken first. A domain that is not to be seen is told by its number. */
static const char *
place_of(struct cli *c, struct taking *t, const struct json *in, int depth)
{
	struct policy_item *d = in && in->type == JSON_INT && depth < POLICY_DEPTH_MAX
	    ? domain_of_id(t, in->integer)
	    : NULL;
	struct bytes name = BYTES_NONE;

	if (in == NULL || in->type != JSON_INT)
		return "";
	if (d == NULL)
		return arena_printf(c->a, "domain %lld", (long long)in->integer);
	if (d->path == NULL && json_need_str(d->current, "name", &name, NULL) == RC_OK)
		d->path = path_join(c->a, place_of(c, t, member_of_place(KIND_DOMAIN, d->current), depth + 1),
				    name);
	return d->path;
}

static enum rc
give_path(struct cli *c, struct taking *t, struct policy_item *item, struct err *e)
{
	struct bytes name;

	TRY_AT(json_need_str(item->current, "name", &name, e), e, "the server's answer");
	item->above = place_of(c, t, member_of_place(item->kind, item->current), 0);
	if (item->path == NULL)
		item->path = path_join(c->a, item->above, name);
	NEED(item->path != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	item->file = arena_printf(c->a, "%s/%s.json", kind_name(item->kind), item->path);
	return RC_OK;
}

/* Who does not see all documents could not name what they refer to. */
static enum rc
need_to_see(struct cli *c, struct err *e)
{
	struct json *me, *list;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/whoami", NULL, &me, e));
	TRY_AT(json_need_array(me, "roles", &list, e), e, "the server's answer");
	JSON_EACH(role, list)
	if (role->type == JSON_STR && bytes_is(role->str, role_name(ROLE_USE_AWB)))
		return RC_OK;
	FAIL(e, CHY_ROLE_MISSING, NULL, "the role %s is needed to see the whole policy",
	     role_name(ROLE_USE_AWB));
}

static enum rc
fetch(struct cli *c, struct taking *t, struct err *e)
{
	TRY(need_to_see(c, e));
	for (int k = 0; k < KIND_COUNT; k++)
		if (kind_of((enum kind_id)k) != NULL)
			TRY(fetch_kind(c, t, (enum kind_id)k, e));
	for (size_t i = 0; i < t->n; i++)
		TRY(give_path(c, t, &t->items[i], e));
	return RC_OK;
}

/* ---- beside the folder ---- */

/* Numbers of our own for what is new, above all ids that a server gives. */
static int64_t
number_of_new(size_t i)
{
	return JSON_INT_MAX - POLICY_FILES_MAX + (int64_t)i;
}

static enum rc
put_file(struct cli *c, struct taking *t, size_t in_force, const struct policy_file *f, struct err *e)
{
	struct policy_set known = { .items = t->items, .n = in_force };
	struct policy_item *item = policy_item_at(&known, f->kind, f->path);

	if (item == NULL) {
		item = one_more(c, t);
		NEED(item != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
		*item = (struct policy_item){ .kind = f->kind, .path = f->path, .id = number_of_new(t->n) };
	}
	item->above = f->above;
	item->file = f->file;
	item->file_body = f->body;
	item->err = f->err;
	item->state = f->body ? POLICY_SAME : POLICY_BROKEN;
	return RC_OK;
}

static enum rc
merge(struct cli *c, struct taking *t, const char *folder, policy_kinds kinds, bool *part, struct err *e)
{
	struct policy_file *files;
	size_t n, in_force = t->n;

	for (size_t i = 0; i < t->n; i++)
		t->items[i].state = POLICY_ONLY_IN_FORCE;
	if (folder == NULL)
		return RC_OK;
	TRY(policy_folder_read(c->a, folder, &files, &n, part, e));
	for (; files != NULL; files = files->next)
		if (kinds & (policy_kinds)1 << files->kind)
			TRY(put_file(c, t, in_force, files, e));
	return RC_OK;
}

static enum rc
finish(struct cli *c, struct taking *t, struct policy_set *s, struct err *e)
{
	s->a = c->a;
	s->items = t->items;
	s->n = t->n;
	if (s->n > 0)
		qsort(s->items, s->n, sizeof(*s->items), by_kind_and_path);
	s->by_id = arena_array(c->a, s->n + 1, sizeof(struct policy_item *));
	s->order = arena_array(c->a, s->n + 1, sizeof(struct policy_item *));
	NEED(s->by_id != NULL && s->order != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	policy_sort_ids(s);
	return RC_OK;
}

enum rc
policy_set_load(struct cli *c, const char *folder, policy_kinds kinds, bool new_keys, struct policy_set *ret,
		struct err *e)
{
	struct taking t = { 0 };

	*ret = (struct policy_set){ .new_keys = new_keys, .kinds = kinds };
	TRY(fetch(c, &t, e));
	if (t.n > 0)
		qsort(t.items, t.n, sizeof(*t.items), by_kind_and_path);
	TRY(merge(c, &t, folder, kinds, &ret->part, e));
	TRY(finish(c, &t, ret, e));
	if (folder == NULL)
		return RC_OK;
	TRY(policy_judge(ret, e));
	return policy_put_in_order(ret, e);
}
