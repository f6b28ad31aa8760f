#include "base/base.h"
#include "factory/search_impl.h"
#include "factory/search_values.h"

/*
 * Few certificates, by the index of values alone: those that have the values of the walk, and all others that are asked as one value. To read
 * those that have not is what costs: they lie anywhere in the store.
 */

enum { WORTH_NARROWING = 50 /* of fewer the certificates themselves are read as soon as another index */ };

bool
search_is_one_value(const struct search_pattern *p)
{
	return memchr(p->text.p, '*', p->text.n) == NULL && !p->email && p->attribute.n > 0;
}

/* Keeps those that have this value as well. */
static enum rc
narrow_by(struct searching *s, struct bytes attribute, struct bytes text, unsigned covers, struct err *e)
{
	int64_t id = search_value_id(attribute, text);

	if (s->ids_n > 0 && (s->walk.values_n != 1 || id != s->walk.values[0]))
		TRY(store_search_having(s->f->store, s->a, id, s->ids, s->ids_n, &s->ids, &s->ids_n, e));
	s->covers |= covers;
	return RC_OK;
}

static enum rc
narrow_by_number(struct searching *s, const char *attribute, int64_t number, unsigned covers, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return narrow_by(s, bytes_str(attribute), bytes_str(text), covers, e);
}

static enum rc
narrow_by_patterns(struct searching *s, struct err *e)
{
	const struct search_query *q = s->q;
	bool all = true;

	for (size_t i = 0; i < q->patterns_n; i++) {
		if (search_is_one_value(&q->patterns[i]))
			TRY(narrow_by(s, q->patterns[i].attribute, q->patterns[i].text, 0, e));
		else
			all = false;
	}
	s->covers |= all ? GROUP_PATTERNS : 0;
	return RC_OK;
}

static enum rc
narrow(struct searching *s, struct err *e)
{
	const struct search_query *q = s->q;

	if (!(s->covers & GROUP_PATTERNS))
		TRY(narrow_by_patterns(s, e));
	if (q->by_issuer && q->issuers_n == 1)
		TRY(narrow_by_number(s, "issuer", q->issuers[0], GROUP_ISSUER, e));
	if (q->token_procedure != 0)
		TRY(narrow_by_number(s, "token-procedure", q->token_procedure, GROUP_PROCEDURE, e));
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
	return s->ids_n > WORTH_NARROWING ? narrow(s, e) : RC_OK;
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

enum rc
search_gathered_rows(struct searching *s, size_t page, struct found_row **rows, size_t *n, struct err *e)
{
	bool down = s->walk.descending;
	size_t from = down ? 0 : gathered_before(s, s->id), to = down ? gathered_before(s, s->id) : s->ids_n;

	if (!down && from < to && s->ids[from] == s->id)
		from++;
	s->ended = to - from <= page;
	if (down && !s->ended)
		from = to - page;
	else if (!s->ended)
		to = from + page;
	*n = 0;
	if (from == to)
		return RC_OK;
	TRY(store_search_of(s->f->store, s->a, s->ids + from, to - from, s->full, rows, n, e));
	s->id = down ? s->ids[from] : s->ids[to - 1];
	if (down)
		reverse(*rows, *n);
	return RC_OK;
}
