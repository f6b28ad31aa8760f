#include "base/base.h"
#include "factory/search_impl.h"
#include "factory/search_values.h"

/*
 * Few certificates, by the index of values alone: those that have the values of the walk, and all others that are asked as one value. To read
 * those that have not is what costs: they lie anywhere in the store.
 */

enum {
	WORTH_NARROWING = 50, /* of fewer the certificates themselves are read as soon as another index */
	NARROWED_FIRST = 250  /* most often they fill a page */
};

bool
search_is_one_value(const struct search_pattern *p)
{
	return memchr(p->text.p, '*', p->text.n) == NULL && !p->email && p->attribute.n > 0;
}

static void
want(struct searching *s, struct bytes attribute, struct bytes text)
{
	int64_t id = search_value_id(attribute, text);

	if (s->walk.values_n != 1 || id != s->walk.values[0])
		s->wanted[s->wanted_n++] = id;
}

static void
want_number(struct searching *s, const char *attribute, int64_t number, unsigned covers)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	want(s, bytes_str(attribute), bytes_str(text));
	s->covers |= covers;
}

static void
want_patterns(struct searching *s)
{
	const struct search_query *q = s->q;
	bool all = true;

	for (size_t i = 0; i < q->patterns_n; i++) {
		if (search_is_one_value(&q->patterns[i]))
			want(s, q->patterns[i].attribute, q->patterns[i].text);
		else
			all = false;
	}
	s->covers |= all ? GROUP_PATTERNS : 0;
}

static void
want_others(struct searching *s)
{
	const struct search_query *q = s->q;

	if (!(s->covers & GROUP_PATTERNS))
		want_patterns(s);
	if (q->by_issuer && q->issuers_n == 1)
		want_number(s, "issuer", q->issuers[0], GROUP_ISSUER);
	if (q->token_procedure != 0)
		want_number(s, "token-procedure", q->token_procedure, GROUP_PROCEDURE);
}

enum rc
search_gather(struct searching *s, struct err *e)
{
	size_t links;

	if (!s->gathered)
		TRY(store_search_certificates(s->f->store, s->a, s->walk.values, s->walk.values_n,
					      SEARCH_TOTAL_MAX, &s->ids, &s->ids_n, &links, e));
	s->gathered = true;
	if (s->ids_n > WORTH_NARROWING) {
		want_others(s);
		s->changed = search_is_of_changed(s->q);
	}
	return RC_OK;
}

/* How many of the gathered ids lie before this one. */
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

/* Ids in their order. */
struct ids {
	int64_t *p;
	size_t n;
};

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

/* Keeps those that are what is wanted. */
static enum rc
keep_wanted(struct searching *s, struct ids *x, struct err *e)
{
	if (s->changed && x->n > 0)
		TRY(store_search_changed(s->f->store, s->a, x->p, x->n, &x->p, &x->n, e));
	for (size_t i = 0; i < s->wanted_n && x->n > 0; i++)
		TRY(store_search_having(s->f->store, s->a, s->wanted[i], x->p, x->n, &x->p, &x->n, e));
	return RC_OK;
}

/* Each of them costs a way down an index that is not in memory, so no more than fill the page where some do. */
static enum rc
narrow_for_page(struct searching *s, struct err *e)
{
	struct ids far = gathered_behind(s), near = take_first(s, &far, NARROWED_FIRST), low, high;

	TRY(keep_wanted(s, &near, e));
	s->cut = near.n > s->q->limit && far.n > 0;
	if (s->cut)
		far.n = 0;
	TRY(keep_wanted(s, &far, e));
	low = s->walk.descending ? far : near;
	high = s->walk.descending ? near : far;
	s->ids_n = low.n + high.n;
	s->ids = arena_array(s->a, s->ids_n + 1, sizeof(*s->ids));
	NEED(s->ids != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	for (size_t i = 0; i < s->ids_n; i++)
		s->ids[i] = i < low.n ? low.p[i] : high.p[i - low.n];
	return RC_OK;
}

enum rc
search_narrow(struct searching *s, struct err *e)
{
	struct ids all = { s->ids, s->ids_n };

	if (s->wanted_n == 0 && !s->changed)
		return RC_OK;
	if (s->exact)
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

enum rc
search_gathered_rows(struct searching *s, size_t page, struct found_row **rows, size_t *n, struct err *e)
{
	struct ids rest = gathered_behind(s), first = take_first(s, &rest, page);

	s->ended = rest.n == 0;
	*n = 0;
	if (first.n == 0)
		return RC_OK;
	TRY(store_search_of(s->f->store, s->a, first.p, first.n, s->full, rows, n, e));
	s->id = s->walk.descending ? first.p[0] : first.p[first.n - 1];
	if (s->walk.descending)
		reverse(*rows, *n);
	return RC_OK;
}
