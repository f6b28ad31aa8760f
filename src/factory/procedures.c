#include "base/base.h"
#include "factory/procedures.h"

#include "policy/body.h"
#include "policy/document.h"
#include "policy/rights.h"
#include "policy/view.h"
#include "store/read.h"

static struct json *
page_of(struct arena *a, const struct json *all, struct part part)
{
	struct json *o = json_object(a), *items = json_array(a);
	int64_t at = 0, end = part.after + (int64_t)part.limit;

	JSON_EACH(x, all)
	{
		if (at >= part.after && at < end)
			json_add(items, json_copy(a, x));
		at++;
	}
	json_set(o, "items", items);
	json_set(o, "next", at > end ? json_int(a, end) : json_null(a));
	return o;
}

static enum rc
seen(const struct snapshot *policy, const struct officer *who, enum kind_id kind, struct doc_id id,
     const struct document **ret, struct err *e)
{
	*ret = snapshot_of_kind(policy, kind, id);
	NEED(*ret != NULL && may_read(policy, who, *ret, NULL) == RC_OK, e, CHY_STORE_NOT_FOUND, NULL,
	     "no %s %lld is to be seen", kind_name(kind), (long long)id.v);
	return RC_OK;
}

enum rc
document_references(struct arena *a, const struct snapshot *policy, const struct officer *who,
		    enum kind_id kind, struct doc_id id, struct part part, struct json **ret, struct err *e)
{
	struct json *all, *items = json_array(a);
	const struct document *d;

	TRY(seen(policy, who, kind, id, &d, e));
	TRY(document_where_used(a, policy, id, &all, e));
	JSON_EACH(u, all)
	{
		struct json *o;

		d = snapshot_document(policy, doc_id_of(body_int(u, "id", 0)));
		if (d == NULL || may_read(policy, who, d, NULL) != RC_OK)
			continue;
		o = json_copy(a, u);
		json_set(o, "state", json_str(a, d->active ? BYTES("active") : BYTES("closed")));
		json_add(items, o);
	}
	*ret = page_of(a, items, part);
	return RC_OK;
}

enum rc
token_input(struct arena *a, const struct snapshot *policy, const struct officer *who, struct doc_id id,
	    struct json **ret, struct err *e)
{
	const struct document *d;

	TRY(seen(policy, who, KIND_TOKEN_PROCEDURE, id, &d, e));
	return view_show(a, snapshot_token_procedure(policy, id), ret, e);
}

/* ---- serial numbers of cards ---- */

static int
by_first(const void *a, const void *b)
{
	int64_t x = (*(const struct token_procedure *const *)a)->serial_from,
		y = (*(const struct token_procedure *const *)b)->serial_from;

	return (x > y) - (x < y);
}

static enum rc
range_json(struct factory *f, struct arena *a, const struct token_procedure *t, struct json *items,
	   struct err *e)
{
	struct json *o = json_object(a);
	int64_t next;

	TRY(store_card_serial_next(f->store, t->serial_from, t->serial_to, &next, e));
	json_set(o, "token_procedure", json_int(a, t->doc->id.v));
	json_set(o, "name", json_str(a, t->doc->name));
	json_set(o, "state", json_str(a, t->doc->active ? BYTES("active") : BYTES("closed")));
	json_set(o, "from", json_int(a, t->serial_from));
	json_set(o, "to", json_int(a, t->serial_to));
	json_set(o, "next", next <= t->serial_to ? json_int(a, next) : json_null(a));
	json_set(o, "left", json_int(a, t->serial_to + 1 - next));
	json_add(items, o);
	return RC_OK;
}

enum rc
card_serial_ranges(struct factory *f, struct arena *a, const struct snapshot *policy,
		   const struct officer *who, struct part part, struct json **ret, struct err *e)
{
	const struct token_procedure **ranges;
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_TOKEN_PROCEDURE, &all), found = 0;
	struct json *items = json_array(a);

	TRY(may_role(who, kind_of(KIND_TOKEN_PROCEDURE)->needed, e));
	NEED((ranges = arena_array(a, n, sizeof(*ranges))) != NULL, e, CHY_NO_MEMORY, NULL, "ranges");
	for (size_t i = 0; i < n; i++) {
		const struct token_procedure *t = snapshot_token_procedure(policy, all[i]->id);

		if (t != NULL && t->card_serials)
			ranges[found++] = t;
	}
	qsort(ranges, found, sizeof(*ranges), by_first);
	for (size_t i = 0; i < found; i++)
		TRY(range_json(f, a, ranges[i], items, e));
	*ret = page_of(a, items, part);
	return RC_OK;
}

enum rc
card_serial_take(struct store *s, const struct token_procedure *t, int64_t now_ms, struct change *c,
		 int64_t *ret, struct err *e)
{
	int64_t next;

	NEED(t->card_serials, e, CHY_INTERNAL, NULL, "token procedure \"%.*s\" has no serial numbers",
	     BYTES_FMT(t->doc->name));
	TRY(store_card_serial_next(s, t->serial_from, t->serial_to, &next, e));
	NEED(next <= t->serial_to, e, CHY_CARD_SERIALS_EXHAUSTED, NULL,
	     "token procedure \"%.*s\" has no serial number left of %lld to %lld", BYTES_FMT(t->doc->name),
	     (long long)t->serial_from, (long long)t->serial_to);
	change_put_card_serial(c, &(struct card_serial_row){ next, t->doc->id.v, now_ms });
	*ret = next;
	return RC_OK;
}
