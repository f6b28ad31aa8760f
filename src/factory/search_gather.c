#include "base/base.h"
#include "factory/search_impl.h"
#include "factory/search_values.h"

/*
 * Certificates along their ids, by indexes alone: those that have the walk's value, or are of its state, and all that else is asked as one
 * value, of states and times. To read those that do not fit is what costs: they lie anywhere in the store.
 */

enum {
	WORTH_NARROWING = 50, /* of fewer the certificates themselves are read as soon as another index */
	NARROWED_AT_ONCE = 250
};

bool
search_is_by_ids(const struct searching *s)
{
	return s->gathered || s->walk.by == WALK_VALUES || s->walk.by == WALK_CHANGED_BY_ID;
}

/* ---- what else they are to have ---- */

bool
search_is_one_value(const struct search_pattern *p)
{
	return memchr(p->text.p, '*', p->text.n) == NULL && !p->email && p->attribute.n > 0;
}

static void
want(struct searching *s, int64_t value)
{
	if (s->walk.values_n != 1 || value != s->walk.values[0])
		s->wanted[s->wanted_n++] = value;
}

/* Whether these are all. */
static bool
want_patterns(struct searching *s)
{
	const struct search_query *q = s->q;
	bool all = true;

	for (size_t i = 0; i < q->patterns_n; i++) {
		if (search_is_one_value(&q->patterns[i]))
			want(s, search_value_id(q->patterns[i].attribute, q->patterns[i].text));
		else
			all = false;
	}
	return all;
}

unsigned
search_want(struct searching *s)
{
	static const struct search_times any = { 0, INT64_MAX, 0, INT64_MAX };
	const struct search_query *q = s->q;
	unsigned covers = 0;

	if (s->gathered && s->ids_n <= WORTH_NARROWING)
		return 0;
	if (!(s->covers & GROUP_PATTERNS) && want_patterns(s))
		covers |= GROUP_PATTERNS;
	if (q->by_issuer && q->issuers_n == 1) {
		want(s, search_number_id("issuer", q->issuers[0]));
		covers |= GROUP_ISSUER;
	}
	if (q->token_procedure != 0) {
		want(s, search_number_id("token-procedure", q->token_procedure));
		covers |= GROUP_PROCEDURE;
	}
	s->not_valid = search_is_of_changed(q) && s->walk.by != WALK_CHANGED_BY_ID;
	s->times = search_times_of(q);
	s->timed = memcmp(&s->times, &any, sizeof(any)) != 0;
	return covers | GROUP_END | GROUP_BEGIN;
}

/* ---- ids ---- */

/* In their order. */
struct ids {
	int64_t *p;
	size_t n;
};

/* Keeps those that have what is wanted. */
static enum rc
keep_wanted(struct searching *s, struct ids *x, struct err *e)
{
	if (s->not_valid && x->n > 0)
		TRY(store_search_changed(s->f->store, s->a, x->p, x->n, &x->p, &x->n, e));
	if (s->timed && x->n > 0)
		TRY(store_search_within(s->f->store, s->a, &s->times, x->p, x->n, &x->p, &x->n, e));
	for (size_t i = 0; i < s->wanted_n && x->n > 0; i++)
		TRY(store_search_having(s->f->store, s->a, s->wanted[i], x->p, x->n, &x->p, &x->n, e));
	return RC_OK;
}

enum rc
search_gather(struct searching *s, struct err *e)
{
	size_t links;

	if (!s->gathered)
		TRY(store_search_certificates(s->f->store, s->a, s->walk.values, s->walk.values_n,
					      SEARCH_TOTAL_MAX, &s->ids, &s->ids_n, &links, e));
	s->gathered = true;
	return RC_OK;
}

/* How many of the gathered lie before this one. */
static size_t
gathered_before(const struct searching *s, int64_t id)
{
	size_t from = 0, to = s->ids_n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (s->ids[middle] < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Of the gathered, those behind s->id in the walk's direction. */
static struct ids
gathered_behind(const struct searching *s)
{
	size_t at = gathered_before(s, s->id);

	if (s->walk.descending)
		return (struct ids){ s->ids, at };
	at += at < s->ids_n && s->ids[at] == s->id;
	return (struct ids){ s->ids + at, s->ids_n - at };
}

/* The first of them in the walk's direction, at most n; the others stay. */
static struct ids
take_first(const struct searching *s, struct ids *x, size_t n)
{
	struct ids first = { x->p, n < x->n ? n : x->n };

	x->n -= first.n;
	if (s->walk.descending)
		first.p += x->n;
	else
		x->p += first.n;
	return first;
}

/* Each costs a way down an index that may not be in memory: when they fill the page, the others only as long as that is quick. */
static enum rc
narrow_for_page(struct searching *s, struct err *e)
{
	struct ids left = gathered_behind(s);
	size_t room = left.n, n = 0, first = s->q->limit + 1;
	int64_t *kept = arena_array(s->a, room + 1, sizeof(*kept));
	bool down = s->walk.descending;

	NEED(kept != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	while (left.n > 0 && !s->cut) {
		struct ids x = take_first(s, &left, n == 0 ? first : NARROWED_AT_ONCE);

		TRY(keep_wanted(s, &x, e));
		for (size_t i = 0; i < x.n; i++)
			kept[(down ? room - n - x.n : n) + i] = x.p[i];
		n += x.n;
		s->cut = left.n > 0 && n > s->q->limit && search_is_late(s);
	}
	s->ids = down ? kept + room - n : kept;
	s->ids_n = n;
	return RC_OK;
}

enum rc
search_narrow(struct searching *s, struct err *e)
{
	struct ids all = { s->ids, s->ids_n };

	if (s->wanted_n == 0 && !s->not_valid && !s->timed)
		return RC_OK;
	s->narrowed = true;
	if (s->mode == SEARCH_TAKEN)
		return narrow_for_page(s, e);
	TRY(keep_wanted(s, &all, e));
	s->ids = all.p;
	s->ids_n = all.n;
	return RC_OK;
}

/* ---- their rows ---- */

static void
reverse(struct found_row *rows, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct found_row x = rows[i];

		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = x;
	}
}

/* Candidates in the order of their ids. */
static enum rc
next_ids(struct searching *s, size_t page, struct ids *ret, struct search_piece *piece, struct err *e)
{
	bool down = s->walk.descending;
	struct ids rest;

	if (s->gathered) {
		rest = gathered_behind(s);
		*ret = take_first(s, &rest, page);
		piece->ended = rest.n == 0;
	} else { /* the first comes first, whatever the direction */
		TRY(store_search_ids(s->f->store, s->a, &s->walk, s->id, page, &ret->p, &ret->n, e));
		piece->ended = ret->n < page;
		down = false;
	}
	piece->looked = ret->n;
	piece->id = ret->n == 0 ? s->id : ret->p[down ? 0 : ret->n - 1];
	return RC_OK;
}

enum rc
search_along_ids(struct searching *s, size_t page, struct search_piece *ret, struct err *e)
{
	struct ids ids;

	*ret = (struct search_piece){ .n = 0 };
	TRY(next_ids(s, page, &ids, ret, e));
	if (!s->narrowed)
		TRY(keep_wanted(s, &ids, e));
	if (ids.n == 0)
		return RC_OK;
	TRY(store_search_of(s->f->store, s->rows, ids.p, ids.n, s->full, &ret->rows, &ret->n, e));
	if (s->walk.descending)
		reverse(ret->rows, ret->n);
	return RC_OK;
}
