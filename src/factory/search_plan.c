#include "base/base.h"
#include "factory/search_impl.h"
#include "factory/search_values.h"
#include "model/status.h"

enum {
	VALUES_LIKE_MAX = 1000, /* values that a substring stands for; with more it selects nothing */
	LIKE_LEN = 8,           /* of a text's part that the index is asked for */
};

/* Takes the walk if it has fewer rows than the one before; *best: how many. */
static enum rc
consider(struct searching *s, const struct search_walk *w, int64_t *best, struct err *e)
{
	int64_t n;

	TRY(store_search_count(s->f->store, s->a, w, SEARCH_TOTAL_MAX + 1, &n, e));
	if (n < *best) {
		*best = n;
		s->walk = *w;
	}
	return RC_OK;
}

static size_t
characters(struct bytes text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += (text.p[i] & 0xc0) != 0x80; /* UTF-8: what continues a character is none */
	return n;
}

/* The index intersects the lists of all three-character pieces of a pattern, and those of common words are long: a part of a
   long text is enough, best the one with the most digits, for digits tell apart. */
static struct bytes
telling_part(struct bytes text)
{
	size_t best = 0, most = 0;

	if (text.n <= LIKE_LEN)
		return text;
	for (size_t i = 0; i + LIKE_LEN <= text.n; i++) {
		size_t digits = 0;

		for (size_t k = i; k < i + LIKE_LEN; k++) {
			if (text.p[k] & 0x80)
				return text; /* no character is cut */
			digits += text.p[k] >= '0' && text.p[k] <= '9';
		}
		if (digits > most) {
			most = digits;
			best = i;
		}
	}
	return bytes_part(text, best, LIKE_LEN);
}

/* The longest run of characters that mean nothing to us or to SQL's LIKE, as a pattern of it: more than was asked for is
   found, and every candidate is checked. Nothing where it is too short for the index of three characters. */
static struct bytes
like_of(struct arena *a, struct bytes pattern)
{
	struct bytes best = BYTES_NONE;
	uint8_t *p;

	for (size_t i = 0, from = 0; i <= pattern.n; i++) {
		if (i < pattern.n && memchr("*%_\\", pattern.p[i], 4) == NULL)
			continue;
		if (i - from > best.n)
			best = bytes_part(pattern, from, i - from);
		from = i + 1;
	}
	best = telling_part(best);
	p = arena_alloc(a, best.n + 2);
	if (p == NULL || characters(best) < 3 || !utf8_ok(best))
		return BYTES_NONE;
	p[0] = p[best.n + 1] = '%';
	memcpy(p + 1, best.p, best.n);
	return bytes_of(p, best.n + 2);
}

/* The values that a pattern can stand for: one that is named, those with its beginning, or those with a part of it. *n
   VALUES_LIKE_MAX: there are more. */
static enum rc
values_of_pattern(struct searching *s, const struct search_pattern *p, int64_t **ids, size_t *n,
		  struct err *e)
{
	struct bytes rest, begin = text_cut(p->text, '*', &rest), like;

	*n = VALUES_LIKE_MAX;
	if (rest.p == NULL && !p->email && p->attribute.n > 0) {
		*ids = arena_one(s->a, int64_t);
		NEED(*ids != NULL, e, CHY_NO_MEMORY, NULL, "a search");
		**ids = search_value_id(p->attribute, p->text);
		*n = 1;
		return RC_OK;
	}
	if (begin.n > 0)
		TRY(store_search_beginnings(s->f->store, s->a, begin, VALUES_LIKE_MAX, ids, n, e));
	like = like_of(s->a, begin.n > 0 ? rest : p->text); /* of a common beginning no part tells more */
	if (*n == VALUES_LIKE_MAX && like.n > 0)
		TRY(store_search_values(s->f->store, s->a, like, VALUES_LIKE_MAX, ids, n, e));
	return RC_OK;
}

static enum rc
consider_pattern(struct searching *s, const struct search_pattern *p, int64_t *best, struct err *e)
{
	struct search_walk w = { .by = WALK_VALUES, .descending = s->q->descending };
	int64_t *ids;

	TRY(values_of_pattern(s, p, &ids, &w.values_n, e));
	if (w.values_n == VALUES_LIKE_MAX)
		return RC_OK; /* nearly every row has one */
	w.values = ids;
	return consider(s, &w, best, e);
}

static enum rc
consider_value(struct searching *s, const char *attribute, struct bytes text, int64_t *best, struct err *e)
{
	int64_t *id = arena_one(s->a, int64_t);

	NEED(id != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	*id = search_value_id(bytes_str(attribute), text);
	return consider(s,
			&(struct search_walk){
			    .by = WALK_VALUES, .descending = s->q->descending, .values = id, .values_n = 1 },
			best, e);
}

static enum rc
consider_states(struct searching *s, int64_t *best, struct err *e)
{
	const struct search_query *q = s->q;
	unsigned states = q->states ? q->states : ~0u;

	if (q->reasons != 0)
		states &= q->reasons == 1u << REASON_HOLD ? 1u << CERT_HELD
		    : q->reasons & 1u << REASON_HOLD      ? ~(1u << CERT_VALID)
							  : 1u << CERT_REVOKED;
	else if (q->since_from != 0 || q->since_to != INT64_MAX)
		states &= ~(1u << CERT_VALID);
	states &= (1u << CERT_STATE_COUNT) - 1;
	if (states != 1u << CERT_HELD && states != 1u << CERT_REVOKED)
		return RC_OK; /* two indexes' worth, or the many that are valid */
	return consider(s,
			&(struct search_walk){ .by = WALK_STATE,
					       .descending = q->descending,
					       .state = states == 1u << CERT_HELD ? CERT_HELD : CERT_REVOKED,
					       .from = q->since_from,
					       .to = q->since_to },
			best, e);
}

static enum rc
consider_between(struct searching *s, enum walk_by by, int64_t from, int64_t to, int64_t *best, struct err *e)
{
	const struct search_walk w = { .by = by, .descending = s->q->descending, .from = from, .to = to };

	return from > 0 || to != INT64_MAX ? consider(s, &w, best, e) : RC_OK;
}

static enum rc
consider_times(struct searching *s, int64_t *best, struct err *e)
{
	const struct search_query *q = s->q;
	int64_t end_from = q->end_from, end_to = q->end_to, begin_from = q->begin_from;

	if (q->is_expired == 1 && q->now_ms < end_to)
		end_to = q->now_ms;
	if (q->is_expired == 0 && q->now_ms > end_from)
		end_from = q->now_ms;
	if (q->is_not_yet_valid == 1 && q->now_ms > begin_from)
		begin_from = q->now_ms;
	TRY(consider_between(s, WALK_PUBLISHED, q->published_from, q->published_to, best, e));
	TRY(consider_between(s, WALK_ACTIVATED, q->activated_from, q->activated_to, best, e));
	TRY(consider_between(s, WALK_NOT_AFTER, end_from, end_to, best, e));
	return consider_between(s, WALK_NOT_BEFORE, begin_from, q->begin_to, best, e);
}

static enum rc
consider_numbers(struct searching *s, int64_t *best, struct err *e)
{
	const struct search_query *q = s->q;
	char hex[2 * 64 + 1], number[24];

	if (q->key_id.n > 0 && q->key_id.n <= 64)
		TRY(consider_value(s, "ski", bytes_str(hex_text(hex, q->key_id)), best, e));
	if (q->by_issuer && q->issuers_n == 1) {
		snprintf(number, sizeof(number), "%lld", (long long)q->issuers[0]);
		TRY(consider_value(s, "issuer", bytes_str(number), best, e));
	}
	if (q->token_procedure != 0) {
		snprintf(number, sizeof(number), "%lld", (long long)q->token_procedure);
		TRY(consider_value(s, "token-procedure", bytes_str(number), best, e));
	}
	return RC_OK;
}

static bool
is_broad_order(enum search_order order)
{
	return order == ORDER_SUBJECT || order == ORDER_SERIAL;
}

/* Of many: along the index of the order that was asked. */
static enum rc
plan_broad(struct searching *s, struct err *e)
{
	const struct search_query *q = s->q;
	struct search_walk w = { .descending = q->descending, .to = INT64_MAX };

	NEED(!is_broad_order(q->order) && (q->order != ORDER_SINCE || s->walk.by == WALK_STATE), e,
	     CHY_SEARCH_BROAD, NULL, "more than %d certificates: ask for fewer, or for another order",
	     SEARCH_TOTAL_MAX);
	NEED(q->key_id.n == 0 || s->walk.by == WALK_VALUES, e, CHY_SEARCH_BROAD, NULL,
	     "more than %d certificates have this key", SEARCH_TOTAL_MAX);
	if (q->order == ORDER_SINCE ||
	    (q->order == ORDER_ID && s->walk.by == WALK_VALUES && s->walk.values_n == 1))
		return RC_OK;
	w.by = q->order == ORDER_NOT_AFTER ? WALK_NOT_AFTER
	    : q->order == ORDER_NOT_BEFORE ? WALK_NOT_BEFORE
					   : WALK_ALL;
	if (w.by == WALK_NOT_AFTER) {
		w.from = q->end_from;
		w.to = q->end_to;
	}
	if (w.by == WALK_NOT_BEFORE) {
		w.from = q->begin_from;
		w.to = q->begin_to;
	}
	s->walk = w;
	return RC_OK;
}

enum rc
search_plan(struct searching *s, struct err *e)
{
	int64_t best = SEARCH_TOTAL_MAX + 2;

	s->walk = (struct search_walk){ .by = WALK_ALL, .descending = s->q->descending, .to = INT64_MAX };
	TRY(consider_numbers(s, &best, e));
	for (size_t i = 0; i < s->q->patterns_n; i++)
		TRY(consider_pattern(s, &s->q->patterns[i], &best, e));
	TRY(consider_states(s, &best, e));
	TRY(consider_times(s, &best, e));
	s->few = best <= SEARCH_TOTAL_MAX;
	return s->few ? RC_OK : plan_broad(s, e);
}
