#include "base/base.h"
#include "factory/search_impl.h"

#include <endian.h>

#include "factory/leaf.h"
#include "factory/search_values.h"
#include "model/status.h"
#include "policy/rights.h"
#include "store/read.h"

enum {
	SCAN_PAGE = 250, /* candidates asked for at once, where a few may do */
	SCAN_PAGE_MOST = LIMIT_PAGE,
	SCAN_MOST = 1000, /* candidates that one call looks at */
	SCAN_MOST_APART =
	    500,           /* the same where they lie anywhere in the store, which costs ten times as much */
	VALUES_MANY = 500, /* which took as long to find as to look at so many candidates */
	CATCH_UP_MOST = 500, /* certificates that are entered before a search */
	BEHIND_MOST = 10000, /* of what waits so many are counted */
	KEY_MAX = 2048,      /* of a cursor */
};

/* ---- along it ---- */

static int64_t
key_of(enum walk_by by, const struct found_row *r)
{
	switch (by) {
	case WALK_NOT_AFTER:
		return r->c.not_after;
	case WALK_NOT_BEFORE:
		return r->c.not_before;
	case WALK_STATE:
		return r->at;
	default:
		return 0;
	}
}

/* So certificates lie in the store. */
static bool
is_side_by_side(const struct searching *s)
{
	return s->walk.by == WALK_ALL;
}

/* After a long look for one of several words fewer have to do. */
static size_t
candidates_of(const struct searching *s)
{
	bool apart = !is_side_by_side(s) && s->walk.by != WALK_VALUES;

	return apart || (s->q->patterns_n > 1 && s->values_n > VALUES_MANY) ? SCAN_MOST_APART : SCAN_MOST;
}

/* As many as hits are still wanted, at least some where not every one is a hit; first so many as mostly fill a page. */
static size_t
page_of(const struct searching *s, size_t most)
{
	size_t wanted = most - s->hits_n;

	if (!s->sorts && !s->exact && s->scanned == 0 && !is_side_by_side(s) && wanted > s->q->limit + 1)
		wanted = s->q->limit + 1;
	if (!s->few && !s->exact && wanted > candidates_of(s) - s->scanned)
		wanted = candidates_of(s) - s->scanned;
	if (wanted > SCAN_PAGE_MOST)
		return SCAN_PAGE_MOST;
	return wanted < SCAN_PAGE && !s->exact ? SCAN_PAGE : wanted;
}

static enum rc
next_rows(struct searching *s, size_t page, struct found_row **rows, size_t *n, struct err *e)
{
	if (s->gathered)
		return search_gathered_rows(s, page, rows, n, e);
	TRY(store_search_walk(s->f->store, s->a, &s->walk, s->key, s->id, page, s->full, rows, n, e));
	s->ended = *n < page;
	return RC_OK;
}

static enum rc
step(struct searching *s, size_t most, struct err *e)
{
	struct found_row *rows;
	size_t n;

	TRY(next_rows(s, page_of(s, most), &rows, &n, e));
	for (size_t i = 0; i < n && s->hits_n < most; i++) {
		bool hit;

		s->key = key_of(s->walk.by, &rows[i]);
		s->id = rows[i].c.id;
		s->scanned++;
		TRY(search_matches(s, &rows[i], &hit, e));
		if (hit)
			s->hits[s->hits_n++] = rows[i];
	}
	s->ended = s->ended && s->hits_n < most;
	return RC_OK;
}

/* When the page is full no more are looked at for the total alone, but where that costs little. */
static bool
is_far_enough(const struct searching *s)
{
	if (s->hits_n > s->q->limit && !s->sorts && !is_side_by_side(s))
		return s->scanned >= SCAN_PAGE;
	return !s->few && s->scanned >= candidates_of(s);
}

/* *most* hits, or as far as one call goes. */
static enum rc
scan(struct searching *s, size_t most, struct err *e)
{
	s->hits = arena_array(s->a, most + 1, sizeof(*s->hits));
	NEED(s->hits != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	while (!s->ended && s->hits_n < most && !is_far_enough(s))
		TRY(step(s, most, e));
	return RC_OK;
}

/* ---- order ---- */

static uint64_t
ordered(int64_t v)
{
	return htobe64((uint64_t)v ^ (uint64_t)1 << 63);
}

/* Bytes that compare as the rows do. */
static struct bytes
order_key(struct arena *a, enum search_order order, const struct found_row *r)
{
	uint64_t n;

	switch (order) {
	case ORDER_SUBJECT:
		return bytes_part(r->c.subject, 0, KEY_MAX / 4);
	case ORDER_SERIAL:
		return r->c.serial;
	case ORDER_NOT_AFTER:
		n = ordered(r->c.not_after);
		break;
	case ORDER_NOT_BEFORE:
		n = ordered(r->c.not_before);
		break;
	case ORDER_SINCE:
		n = ordered(r->at);
		break;
	default:
		return BYTES_NONE;
	}
	return arena_dup(a, bytes_of((const uint8_t *)&n, sizeof(n)));
}

struct sorted {
	struct bytes key;
	const struct found_row *row;
};

static int
compare(struct bytes k1, int64_t id1, struct bytes k2, int64_t id2)
{
	int c = bytes_cmp(k1, k2);

	return c != 0 ? c : (id1 > id2) - (id1 < id2);
}

static int
by_key(const void *x, const void *y)
{
	const struct sorted *p = x, *q = y;

	return compare(p->key, p->row->c.id, q->key, q->row->c.id);
}

static int
by_key_down(const void *x, const void *y)
{
	return by_key(y, x);
}

/* ---- pages ---- */

/* "hexkey.id" */
static enum rc
cursor_read(struct arena *a, struct bytes text, struct bytes *key, int64_t *id, struct err *e)
{
	struct bytes number, hex = text_cut(text, '.', &number);

	*key = BYTES_NONE;
	if (hex.n > 0)
		TRY_AT(hex_parse(a, hex, key, e), e, "after");
	TRY_AT(int_parse(number, INT64_MIN, INT64_MAX, id, e), e, "after");
	return RC_OK;
}

static enum rc
start_at(struct searching *s, struct err *e)
{
	struct bytes key;
	uint64_t n;

	s->key = s->id = s->q->descending ? INT64_MAX : INT64_MIN;
	if (s->q->after.n == 0)
		return RC_OK;
	TRY(cursor_read(s->a, s->q->after, &key, &s->id, e));
	if (key.n == sizeof(n)) {
		memcpy(&n, key.p, sizeof(n));
		s->key = (int64_t)(be64toh(n) ^ (uint64_t)1 << 63);
	}
	return RC_OK;
}

static struct json *
cursor_json(struct arena *a, struct bytes key, int64_t id)
{
	OWN_BUF struct buf b = buf_max(2 * KEY_MAX + 64);

	hex_put(&b, key);
	buf_printf(&b, ".%lld", (long long)id);
	return json_str(a, buf_bytes(&b));
}

struct page {
	const struct found_row *rows[LIMIT_PAGE];
	size_t n;
};

static int
of_found(const void *key, const void *row)
{
	int64_t id = *(const int64_t *)key, other = ((const struct found_row *)row)->c.id;

	return (id > other) - (id < other);
}

/* As they are now. One that has left the store meanwhile is shown as it was judged. */
static enum rc
put_page(struct searching *s, const struct page *p, struct json *items, struct err *e)
{
	struct found_row *full = NULL;
	int64_t ids[LIMIT_PAGE];
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		ids[i] = p->rows[i]->c.id;
	if (!s->full && p->n > 0)
		TRY(store_search_of(s->f->store, s->a, ids, p->n, true, &full, &n, e));
	for (size_t i = 0; i < p->n; i++) {
		const struct found_row *row = n > 0 ? bsearch(&ids[i], full, n, sizeof(*full), of_found)
						    : NULL;

		json_add(items, search_item_json(s, row != NULL ? row : p->rows[i]));
	}
	return RC_OK;
}

/* Few: all of them, sorted; the page is what stands behind the cursor. */
static enum rc
run_few(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	struct sorted *list;
	struct bytes key = BYTES_NONE;
	struct page page = { .n = 0 };
	int64_t id = 0;

	s->walk.descending = false;
	s->key = s->id = INT64_MIN;
	TRY(scan(s, SEARCH_TOTAL_MAX + 1, e));
	list = arena_array(s->a, s->hits_n + 1, sizeof(*list));
	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	for (size_t i = 0; i < s->hits_n; i++)
		list[i] = (struct sorted){ order_key(s->a, s->q->order, &s->hits[i]), &s->hits[i] };
	qsort(list, s->hits_n, sizeof(*list), s->q->descending ? by_key_down : by_key);
	if (s->q->after.n > 0)
		TRY(cursor_read(s->a, s->q->after, &key, &id, e));
	for (size_t i = 0; i < s->hits_n; i++) {
		int c = compare(list[i].key, list[i].row->c.id, key, id);

		if (s->q->after.n > 0 && (s->q->descending ? c >= 0 : c <= 0))
			continue;
		if (page.n == s->q->limit) {
			const struct sorted *last = &list[i - 1];

			*next = cursor_json(s->a, last->key, last->row->c.id);
			break;
		}
		page.rows[page.n++] = list[i].row;
	}
	return put_page(s, &page, items, e);
}

static struct json *
walk_cursor(struct searching *s, int64_t key, int64_t id)
{
	uint64_t n = ordered(key);
	bool keyed = s->walk.by == WALK_NOT_AFTER || s->walk.by == WALK_NOT_BEFORE ||
	    s->walk.by == WALK_STATE;

	return cursor_json(s->a, keyed ? bytes_of((const uint8_t *)&n, sizeof(n)) : BYTES_NONE, id);
}

/* Along the index. Where its rows are not just what was asked for, the total of the first page is counted by looking at them, as
   far as one call goes. */
static enum rc
run_many(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	bool counting = s->q->after.n == 0 && !s->exact;
	const struct found_row *last;
	struct page page = { .n = 0 };

	TRY(scan(s, counting ? SEARCH_TOTAL_MAX + 1 : s->q->limit + 1, e));
	while (page.n < s->hits_n && page.n < s->q->limit) {
		page.rows[page.n] = &s->hits[page.n];
		page.n++;
	}
	TRY(put_page(s, &page, items, e));
	if (s->hits_n > s->q->limit) {
		last = &s->hits[s->q->limit - 1];
		*next = walk_cursor(s, key_of(s->walk.by, last), last->c.id);
	} else if (!s->ended || s->cut) {
		*next = walk_cursor(s, s->key, s->id);
	}
	return RC_OK;
}

/* ---- one by its number ---- */

static enum rc
add_one(struct searching *s, int64_t id, struct json *items, struct err *e)
{
	struct found_row row;
	bool hit;

	TRY(store_search_one(s->f->store, s->a, id, &row, e));
	TRY(search_matches(s, &row, &hit, e));
	if (!hit)
		return RC_OK;
	s->hits_n++;
	json_add(items, search_item_json(s, &row));
	return RC_OK;
}

/* A serial number is one certificate of each authority; a digest one of all. */
static enum rc
run_exact(struct searching *s, struct json *items, struct err *e)
{
	const struct document *const *docs;
	size_t n = snapshot_list(s->policy, KIND_AUTHORITY, &docs);
	struct certificate_row row;
	enum rc rc;

	s->ended = true;
	for (size_t i = 0; i < n && s->q->serial.n > 0; i++) {
		rc = store_certificate_by_serial(s->f->store, s->a, docs[i]->id.v, s->q->serial, &row, e);
		if (rc == RC_OK)
			rc = add_one(s, row.id, items, e);
		if (rc == RC_NOT_FOUND)
			err_clear(e);
		else
			TRY(rc);
	}
	if (s->q->serial.n > 0)
		return RC_OK;
	rc = store_certificate_by_fingerprint(s->f->store, s->a, s->q->sha256, &row, e);
	if (rc == RC_OK)
		rc = add_one(s, row.id, items, e);
	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(e);
	return RC_OK;
}

static enum rc
run(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	size_t done;

	if (s->q->serial.n > 0 || s->q->sha256.n > 0)
		return run_exact(s, items, e);
	if (s->q->by_issuer && s->q->issuers_n == 0) {
		s->ended = true;
		return RC_OK;
	}
	TRY(search_values_catch_up(s->f, CATCH_UP_MOST, &done, e));
	TRY(store_values_behind(s->f->store, BEHIND_MOST, &s->behind,
				e)); /* before it is asked: others enter too */
	TRY(start_at(s, e));
	TRY(search_plan(s, e));
	return s->sorts ? run_few(s, items, next, e) : run_many(s, items, next, e);
}

/* The total, up to SEARCH_TOTAL_MAX, and whether there are more; both null where this call did not count. */
static void
put_total(struct searching *s, struct json *o)
{
	bool counted = s->q->after.n == 0 || s->sorts || (s->exact && s->wanted_n == 0);
	int64_t n = s->exact ? s->count : (int64_t)s->hits_n;
	bool more = n > SEARCH_TOTAL_MAX || s->cut || !(s->exact || s->sorts || s->ended);

	json_set(o, "total",
		 counted ? json_int(s->a, n < SEARCH_TOTAL_MAX ? n : SEARCH_TOTAL_MAX) : json_null(s->a));
	json_set(o, "more", counted ? json_bool(s->a, more) : json_null(s->a));
}

enum rc
search_run(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   const struct search_query *q, struct json **ret, struct err *e)
{
	struct searching s = { .f = f, .a = a, .policy = policy, .who = who, .q = q };
	struct json *items = json_array(a), *next = json_null(a), *o = json_object(a);
	enum rc rc = run(&s, items, &next, e);

	arena_free(s.scratch);
	TRY(rc);
	json_set(o, "items", items);
	json_set(o, "next", next);
	put_total(&s, o);
	json_set(o, "behind", json_int(a, s.behind));
	NEED(o != NULL && items != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	*ret = o;
	return RC_OK;
}
