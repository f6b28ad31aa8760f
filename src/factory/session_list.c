#include "base/base.h"
#include "factory/session_list.h"

#include "base/idgen.h"
#include "factory/leaf.h"
#include "factory/page.h"
#include "factory/sessions.h"
#include "policy/path.h"
#include "policy/rights.h"
#include "store/read.h"

enum { SESSIONS_AT_ONCE = 100, SESSIONS_WALKED_MAX = 10000 };

struct session_walk {
	struct factory *f;
	struct arena *a; /* of the answer */
	const struct snapshot *policy;
	const struct officer *who;
	struct json *items;
	size_t limit;
	int64_t after; /* the last one that was looked at */
	size_t n;      /* of the last page */
};

static bool
is_seen(const struct session_walk *w, const struct session_row *row, const struct officer *o)
{
	return row->officer_id == w->who->id.v ||
	    (o != NULL && may_change(w->policy, w->who, KIND_OFFICER, o->domain, NULL) == RC_OK);
}

static const char *
state_of(const struct session_row *row, const struct officer *o)
{
	if (!bytes_is(row->state, "open") || o == NULL || !o->active)
		return "closed";
	if (row->expires_at <= clock_now_ms())
		return "expired";
	return row->used >= row->maximum ? "used-up" : "open";
}

static struct json *
procedures_json(const struct session_walk *w, struct arena *a, const struct session_body *b)
{
	struct json *list = json_array(a);

	for (size_t i = 0; i < b->procedures_n; i++) {
		const struct document *d = snapshot_document(w->policy, doc_id_of(b->procedures[i]));
		const char *path = d ? path_of(w->policy, a, d) : NULL;
		struct json *o = json_object(a);

		json_set(o, "id", json_int(a, b->procedures[i]));
		json_set(o, "path", path ? json_str(a, bytes_str(path)) : json_null(a));
		json_add(list, o);
	}
	return list;
}

static enum rc
row_json(const struct session_walk *w, struct arena *a, const struct session_row *row,
	 const struct officer *officer, struct json **ret, struct err *e)
{
	struct json *o = json_object(a), *body;
	struct session_body b;

	TRY(json_parse(a, row->body, &body, e));
	TRY(session_body_read(a, body, &b, e));
	json_set(o, "id", json_int(a, row->id));
	json_set(o, "officer", json_int(a, row->officer_id));
	json_set(o, "officer_name", officer ? json_str(a, officer->name) : json_null(a));
	json_set(o, "name", b.name.n > 0 ? json_str(a, b.name) : json_null(a));
	json_set(o, "state", json_str(a, bytes_str(state_of(row, officer))));
	json_set(o, "token_procedures", procedures_json(w, a, &b));
	json_set(o, "certificates_made", json_int(a, row->used));
	json_set(o, "certificates_max", json_int(a, row->maximum));
	json_set(o, "at", json_time(a, id_at_ms(row->id)));
	json_set(o, "expires_at", json_time(a, row->expires_at));
	*ret = o;
	return RC_OK;
}

static enum rc
walk_one(struct session_walk *w, struct arena *scratch, const struct session_row *row, struct err *e)
{
	const struct officer *o = snapshot_officer(w->policy, officer_id_of(row->officer_id));
	struct json *item;

	if (!is_seen(w, row, o))
		return RC_OK;
	TRY(row_json(w, scratch, row, o, &item, e));
	json_add(w->items, json_copy(w->a, item));
	return RC_OK;
}

/* What did not fit is read again from where it came to. */
static enum rc
walk_page(struct session_walk *w, struct arena *scratch, size_t most, struct err *e)
{
	struct session_row *rows;

	TRY(store_sessions(w->f->store, scratch, BYTES_NONE, w->after, most, &rows, &w->n, e));
	for (size_t i = 0; i < w->n && w->items->count < w->limit; i++) {
		TRY(walk_one(w, scratch, &rows[i], e));
		w->after = rows[i].id;
	}
	return RC_OK;
}

static enum rc
walk(struct session_walk *w, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = NULL;
	size_t most = SESSIONS_AT_ONCE;

	for (size_t n = 0; n < SESSIONS_WALKED_MAX && w->items->count < w->limit; n += w->n) {
		TRY(PAGE_READ(scratch, most, PAGE_ARENA, e, walk_page(w, scratch, most, e)));
		if (w->n < most) {
			w->after = w->items->count < w->limit ? 0 : w->after;
			break;
		}
	}
	return RC_OK;
}

enum rc
session_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	     int64_t after, size_t limit, struct json **ret, struct err *e)
{
	struct session_walk w = { f, a, policy, who, json_array(a), limit, after, 0 };

	NEED(w.items != NULL, e, CHY_NO_MEMORY, NULL, "issuing sessions");
	TRY(walk(&w, e));
	*ret = json_object(a);
	json_set(*ret, "items", w.items);
	json_set(*ret, "next", w.after ? json_int(a, w.after) : json_null(a));
	return RC_OK;
}
