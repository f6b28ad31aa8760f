#include "base/base.h"
#include "factory/search_impl.h"

#include <endian.h>

#include "factory/leaf.h"
#include "factory/search_values.h"
#include "model/status.h"
#include "policy/rights.h"
#include "store/read.h"

enum {
	COUNT_US = 3000, /* so long it is counted on for the total */
	SCAN_FEW = 50,
	SCAN_PAGE = 250,  /* candidates asked for at once */
	SCAN_MOST = 1000, /* candidates that one call looks at */
	SCAN_MOST_APART =
	    500,           /* the same where they lie anywhere in the store, which costs ten times as much */
	VALUES_MANY = 500, /* which took as long to find as to look at so many candidates */
	CATCH_UP_MOST = 500,    /* certificates that are entered before a search */
	BEHIND_MOST = 10000,    /* of what waits so many are counted */
	KEY_MAX = 2048,         /* of a cursor */
	SLICE = 25,             /* of a page, made at once */
	SCAN_MEMORY = 4 << 20,  /* octets of candidates after which no more are looked at */
	ROWS_MEMORY = 64 << 20, /* of what is asked for at once */
	PAGE_MEMORY = 10 << 20  /* and after which a page ends early */
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
	case WALK_CHANGED:
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
	bool apart = !is_side_by_side(s) && !search_is_by_ids(s);

	return apart || (s->q->patterns_n > 1 && s->values_n > VALUES_MANY) ? SCAN_MOST_APART : SCAN_MOST;
}

bool
search_is_late(const struct searching *s)
{
	return clock_mono_us() - s->began_us > COUNT_US || fault_fails("search.slow");
}

static bool
is_far_enough(const struct searching *s)
{
	if (s->mode == SEARCH_SORTED)
		return false;
	if (arena_used(s->rows) > SCAN_MEMORY)
		return true;
	if (s->hits_n > s->q->limit && !is_side_by_side(s) && search_is_late(s))
		return true;
	return s->mode == SEARCH_JUDGED && !s->few && s->scanned >= candidates_of(s);
}

/* Along ids, where each candidate costs most: first so many as may fill a page, then ever more. */
static size_t
page_of(const struct searching *s, size_t most)
{
	bool by_ids = search_is_by_ids(s), judged = s->mode == SEARCH_JUDGED;
	size_t cap = by_ids || is_side_by_side(s) ? 2 * SCAN_PAGE : SCAN_PAGE, rows = cap;

	if (s->mode == SEARCH_TAKEN)
		rows = most - s->hits_n;
	else if (judged && by_ids)
		rows = s->scanned > 0 ? 3 * s->scanned : s->q->limit < SCAN_FEW ? SCAN_FEW : s->q->limit + 1;
	return rows < cap ? rows : cap;
}

static enum rc
next_piece(struct searching *s, size_t page, struct search_piece *ret, struct err *e)
{
	if (search_is_by_ids(s))
		return search_along_ids(s, page, ret, e);
	*ret = (struct search_piece){ .id = s->id };
	TRY(store_search_walk(s->f->store, s->rows, &s->walk, s->key, s->id, page, s->full, &ret->rows,
			      &ret->n, e));
	ret->looked = ret->n;
	ret->ended = ret->n < page;
	if (ret->n > 0)
		ret->id = ret->rows[ret->n - 1].c.id;
	return RC_OK;
}

static enum rc
step(struct searching *s, size_t most, struct err *e)
{
	struct search_piece p;
	size_t i;

	TRY(next_piece(s, page_of(s, most), &p, e));
	for (i = 0; i < p.n && s->hits_n < most; i++) {
		bool hit;

		s->key = key_of(s->walk.by, &p.rows[i]);
		s->id = p.rows[i].c.id;
		TRY(search_matches(s, &p.rows[i], &hit, e));
		if (hit)
			s->hits[s->hits_n++] = p.rows[i];
	}
	s->scanned += p.looked;
	if (i == p.n) /* behind the last row some may have been passed over, but never where there is a key */
		s->id = p.id;
	s->ended = p.ended && i == p.n && s->hits_n < most;
	return RC_OK;
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
	return json_buf(a, &b);
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
put_slice(struct searching *s, const struct found_row *const *rows, size_t rows_n, struct json *items,
	  struct err *e)
{
	struct found_row *full = NULL;
	int64_t ids[SLICE];
	size_t n = 0;

	for (size_t i = 0; i < rows_n; i++)
		ids[i] = rows[i]->c.id;
	if (!s->full)
		TRY(store_search_of(s->f->store, s->a, ids, rows_n, true, &full, &n, e));
	for (size_t i = 0; i < rows_n; i++) {
		const struct found_row *row = n > 0 ? bsearch(&ids[i], full, n, sizeof(*full), of_found)
						    : NULL;

		json_add(items, search_item_json(s, row != NULL ? row : rows[i]));
	}
	return RC_OK;
}

/* Where they are so large that the call's memory might not do, the page ends early. */
static enum rc
put_page(struct searching *s, struct page *p, struct json *items, struct err *e)
{
	for (size_t i = 0; i < p->n; i += SLICE) {
		size_t n = p->n - i < SLICE ? p->n - i : SLICE;

		TRY(put_slice(s, p->rows + i, n, items, e));
		if (arena_used(s->a) > PAGE_MEMORY)
			p->n = i + n;
	}
	return RC_OK;
}

/* Those behind the cursor begin here. */
static enum rc
find_begin(struct searching *s, const struct sorted *list, size_t *ret, struct err *e)
{
	struct bytes key = BYTES_NONE;
	int64_t id = 0;

	*ret = 0;
	if (s->q->after.n == 0)
		return RC_OK;
	TRY(cursor_read(s->a, s->q->after, &key, &id, e));
	for (; *ret < s->hits_n; ++*ret) {
		int c = compare(list[*ret].key, list[*ret].row->c.id, key, id);

		if (s->q->descending ? c < 0 : c > 0)
			break;
	}
	return RC_OK;
}

/* Few: all of them, sorted. */
static enum rc
run_sorted(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	struct page page = { .n = 0 };
	struct sorted *list;
	size_t begin, end;

	s->walk.descending = false;
	s->key = s->id = INT64_MIN;
	TRY(scan(s, SEARCH_TOTAL_MAX + 1, e));
	list = arena_array(s->a, s->hits_n + 1, sizeof(*list));
	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	for (size_t i = 0; i < s->hits_n; i++)
		list[i] = (struct sorted){ order_key(s->a, s->q->order, &s->hits[i]), &s->hits[i] };
	qsort(list, s->hits_n, sizeof(*list), s->q->descending ? by_key_down : by_key);
	TRY(find_begin(s, list, &begin, e));
	for (size_t i = begin; i < s->hits_n && page.n < s->q->limit; i++)
		page.rows[page.n++] = list[i].row;
	TRY(put_page(s, &page, items, e));
	end = begin + page.n;
	if (page.n > 0 && end < s->hits_n)
		*next = cursor_json(s->a, list[end - 1].key, list[end - 1].row->c.id);
	return RC_OK;
}

static struct json *
walk_cursor(struct searching *s, int64_t key, int64_t id)
{
	uint64_t n = ordered(key);

	return cursor_json(
	    s->a, walk_is_keyed(s->walk.by) ? bytes_of((const uint8_t *)&n, sizeof(n)) : BYTES_NONE, id);
}

/* Along the index. Where candidates are judged, the total of the first page is counted by looking at them, as far as one call goes. */
static enum rc
run_along(struct searching *s, struct json *items, struct json **next, struct err *e)
{
	bool counting = s->q->after.n == 0 && s->mode == SEARCH_JUDGED;
	const struct found_row *last;
	struct page page = { .n = 0 };

	TRY(scan(s, counting ? SEARCH_TOTAL_MAX + 1 : s->q->limit + 1, e));
	while (page.n < s->hits_n && page.n < s->q->limit) {
		page.rows[page.n] = &s->hits[page.n];
		page.n++;
	}
	TRY(put_page(s, &page, items, e));
	if (s->hits_n > page.n) {
		last = page.rows[page.n - 1];
		*next = walk_cursor(s, key_of(s->walk.by, last), last->c.id);
	} else if (!s->ended || s->cut) {
		*next = walk_cursor(s, s->key, s->id);
	}
	return RC_OK;
}

/* ---- one by its number ---- */

/* By the certificate itself: the index may not have it yet. */
static enum rc
has_key(struct searching *s, int64_t id, bool *ret, struct err *e)
{
	struct bytes der;
	struct cert cert;

	TRY(store_der(s->f->store, s->a, id, &der, e));
	*ret = cert_parse(s->a, der, &cert, NULL) == RC_OK && bytes_eq(cert_key_id(&cert), s->q->key_id);
	return RC_OK;
}

static enum rc
add_one(struct searching *s, int64_t id, struct json *items, struct err *e)
{
	struct found_row row;
	bool hit;

	TRY(store_search_one(s->f->store, s->a, id, &row, e));
	TRY(search_matches(s, &row, &hit, e));
	if (hit && s->q->key_id.n > 0)
		TRY(has_key(s, id, &hit, e));
	if (!hit)
		return RC_OK;
	s->hits_n++;
	json_add(items, search_item_json(s, &row));
	return RC_OK;
}

/* A serial number is one certificate of each authority; a digest one of all. */
static enum rc
run_by_number(struct searching *s, struct json *items, struct err *e)
{
	const struct document *const *docs;
	size_t n = snapshot_list(s->policy, KIND_AUTHORITY, &docs);
	struct certificate_row row;
	enum rc rc;

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

	s->mode = SEARCH_SORTED; /* until there is a plan: all that there are */
	if (search_is_of_none(s->q))
		return RC_OK;
	if (s->q->serial.n > 0 || s->q->sha256.n > 0)
		return run_by_number(s, items, e);
	TRY(search_values_catch_up(s->f, CATCH_UP_MOST, &done, e));
	TRY(store_values_behind(s->f->store, BEHIND_MOST, &s->behind,
				e)); /* before it is asked: others enter too */
	TRY(start_at(s, e));
	TRY(search_plan(s, e));
	return s->mode == SEARCH_SORTED ? run_sorted(s, items, next, e) : run_along(s, items, next, e);
}

/* The total, up to SEARCH_TOTAL_MAX, and whether there may be more; both null where this call did not count. */
static void
put_total(struct searching *s, struct json *o)
{
	bool taken = s->mode == SEARCH_TAKEN;
	bool counted = s->q->after.n == 0 || s->mode == SEARCH_SORTED || (taken && !s->narrowed);
	int64_t n = taken ? s->count : (int64_t)s->hits_n;
	bool more = n > SEARCH_TOTAL_MAX || s->cut || (s->mode == SEARCH_JUDGED && !s->ended);

	json_set(o, "total",
		 counted ? json_int(s->a, n < SEARCH_TOTAL_MAX ? n : SEARCH_TOTAL_MAX) : json_null(s->a));
	json_set(o, "more", counted ? json_bool(s->a, more) : json_null(s->a));
}

enum rc
search_run(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	   const struct search_query *q, struct json **ret, struct err *e)
{
	struct searching s = {
		.f = f, .a = a, .policy = policy, .who = who, .q = q, .began_us = clock_mono_us()
	};
	struct json *items = json_array(a), *next = json_null(a), *o = json_object(a);
	enum rc rc;

	s.rows = arena_new(ROWS_MEMORY);
	NEED(s.rows != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	rc = run(&s, items, &next, e);
	arena_free(s.scratch);
	arena_free(s.rows);
	TRY(rc);
	json_set(o, "items", items);
	json_set(o, "next", next);
	put_total(&s, o);
	json_set(o, "behind", json_int(a, s.behind));
	NEED(!arena_failed(a), e, CHY_NO_MEMORY, NULL, "a search"); /* nothing was left out */
	*ret = o;
	return RC_OK;
}
