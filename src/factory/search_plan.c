#include "base/base.h"
#include "factory/search_impl.h"
#include "factory/search_values.h"
#include "model/status.h"
#include "policy/rights.h"

enum {
	VALUES_LIKE_MAX = 1000, /* values that a substring stands for; with more it selects nothing */
	FEW_ENOUGH = 200,       /* rows of a walk that no other is looked for instead of */
	NARROW_ENOUGH = SEARCH_TOTAL_MAX, /* in the order of ids; one call looks at so many */
	NARROW_MAX = 5000, /* rows of several values that are gathered for a page in the order of ids */
	PROBED = 250,      /* of a value, to see how close together its certificates are */
	KEY_ID_MAX = 64    /* octets; nothing longer is entered */
};

/* A walk that can be gone, and how many rows it has. */
struct way {
	struct search_walk walk;
	unsigned covers;
	int64_t n;
	int64_t *ids; /* along several values: their certificates; NULL: not looked for */
	size_t ids_n;
};

/* What has been looked at so far. */
struct ways {
	struct way best;   /* the fewest rows of all; more than SEARCH_TOTAL_MAX are SEARCH_TOTAL_MAX + 1 */
	struct way narrow; /* in the order of ids, along values: the fewest rows; NARROW_MAX: none */
	struct way broad[SEARCH_PATTERNS_MAX +
			 3]; /* where there is no such: along one value each, or what is not valid */
	size_t broad_n;
};

static bool
is_open(int64_t from, int64_t to)
{
	return from == 0 && to == INT64_MAX;
}

static unsigned
groups_of(const struct search_query *q)
{
	bool other = q->serial.n > 0 || q->sha256.n > 0 || q->key_id.n > 0 || q->certificate_procedure != 0 ||
	    q->publication >= 0 || q->kind != 0 || !is_open(q->published_from, q->published_to) ||
	    !is_open(q->activated_from, q->activated_to);

	return (q->patterns_n > 0 ? GROUP_PATTERNS : 0) | (q->by_issuer ? GROUP_ISSUER : 0) |
	    (q->token_procedure != 0 ? GROUP_PROCEDURE : 0) |
	    (q->states != SEARCH_ANY_STATE || q->reasons != 0 || !is_open(q->since_from, q->since_to)
		 ? GROUP_STATE
		 : 0) |
	    (q->is_expired >= 0 || !is_open(q->end_from, q->end_to) ? GROUP_END : 0) |
	    (q->is_not_yet_valid >= 0 || !is_open(q->begin_from, q->begin_to) ? GROUP_BEGIN : 0) |
	    (other ? GROUP_OTHER : 0);
}

/* How many rows it has, up to `most`. Of several values the certificates are found at once: to find them again costs as much. */
static enum rc
look_along(struct searching *s, struct way *w, size_t most, struct err *e)
{
	size_t links;

	if (w->walk.by != WALK_VALUES || w->walk.values_n < 2)
		return store_search_count(s->f->store, s->a, &w->walk, most, &w->n, e);
	TRY(store_search_certificates(s->f->store, s->a, w->walk.values, w->walk.values_n, most, &w->ids,
				      &w->ids_n, &links, e));
	w->n = (int64_t)links;
	return RC_OK;
}

/* Keeps it in mind; of one value only as the narrowest or among the broad ones, of which any may be gone along. */
static void
consider_values(struct ways *c, const struct way *w)
{
	if (w->n < c->narrow.n)
		c->narrow = *w;
	else if (w->walk.values_n == 1)
		c->broad[c->broad_n++] = *w;
}

/* Takes the walk if it has fewer rows than the one before; along values also as one in the order of ids, where there are too many to
   sort. */
static enum rc
consider(struct searching *s, const struct search_walk *walk, unsigned covers, struct ways *c, struct err *e)
{
	bool by_id = walk->by == WALK_VALUES && s->q->order == ORDER_ID;
	struct way w = { .walk = *walk, .covers = covers };

	TRY(look_along(s, &w, by_id ? NARROW_MAX : SEARCH_TOTAL_MAX + 1, e));
	if (by_id)
		consider_values(c, &w);
	if (w.n > SEARCH_TOTAL_MAX) { /* its certificates may not be all */
		w.n = SEARCH_TOTAL_MAX + 1;
		w.ids = NULL;
	}
	if (w.n < c->best.n)
		c->best = w;
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

static bool
is_ascii(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] & 0x80)
			return false;
	return true;
}

/* The longest run of characters that mean nothing to us or to SQL's LIKE: more than was asked for is found, and every candidate is
   checked. Nothing where it is too short for the index of three characters. */
static struct bytes
part_of(struct searching *s, struct bytes pattern)
{
	struct bytes best = BYTES_NONE;

	for (size_t i = 0, from = 0; i <= pattern.n; i++) {
		if (i < pattern.n && memchr("*%_\\", pattern.p[i], 4) == NULL)
			continue;
		if (i - from > best.n)
			best = bytes_part(pattern, from, i - from);
		from = i + 1;
	}
	if (is_ascii(best)) /* no character is cut */
		best = store_search_part(s->f->store, best);
	return characters(best) < 3 || !utf8_ok(best) ? BYTES_NONE : best;
}

static bool
is_of_pattern(const struct search_pattern *p, const struct value_row *value)
{
	bool right = p->email
	    ? search_value_is_of(value, BYTES("emailAddress")) || search_value_is_of(value, BYTES("san"))
	    : search_value_is_of(value, p->attribute);

	return right && search_glob(p->text, value->value);
}

/* Values that a pattern can stand for. */
struct values {
	int64_t *ids;
	size_t n;  /* VALUES_LIKE_MAX: there are more */
	bool sure; /* all of them are its own */
};

/* Those with its beginning; of values that the index has the whole of only its own. */
static enum rc
values_beginning(struct searching *s, const struct search_pattern *p, struct bytes begin, struct values *ret,
		 struct err *e)
{
	struct value_row *rows;
	size_t n;

	TRY(store_search_beginnings(s->f->store, s->a, begin, VALUES_LIKE_MAX, &rows, &n, e));
	ret->n = n;
	if (n == VALUES_LIKE_MAX)
		return RC_OK;
	*ret = (struct values){ arena_array(s->a, n + 1, sizeof(*ret->ids)), 0, true };
	NEED(ret->ids != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	for (size_t i = 0; i < n; i++) {
		bool whole = characters(rows[i].value) < SEARCH_BEGINNING;

		if (!whole || is_of_pattern(p, &rows[i]))
			ret->ids[ret->n++] = rows[i].id;
		ret->sure &= whole;
	}
	return RC_OK;
}

/* One that is named, those with its beginning, those with its numbers, or those with a part of it. */
static enum rc
values_of_pattern(struct searching *s, const struct search_pattern *p, struct values *ret, struct err *e)
{
	struct bytes rest, begin = text_cut(p->text, '*', &rest), part;
	bool common = false;

	*ret = (struct values){ .n = VALUES_LIKE_MAX };
	if (search_is_one_value(p)) {
		*ret = (struct values){ arena_one(s->a, int64_t), 1, true };
		NEED(ret->ids != NULL, e, CHY_NO_MEMORY, NULL, "a search");
		*ret->ids = search_value_id(p->attribute, p->text);
		return RC_OK;
	}
	if (begin.n > 0)
		TRY(values_beginning(s, p, begin, ret, e));
	part = part_of(s, begin.n > 0 ? rest : p->text); /* of a common beginning no part tells more */
	if (ret->n == VALUES_LIKE_MAX && store_search_has_number(p->text))
		TRY(store_search_numbers(s->f->store, s->a, p->text, VALUES_LIKE_MAX, &ret->ids, &ret->n, e));
	if (ret->n == VALUES_LIKE_MAX && part.n > 0)
		common = store_search_is_common(s->f->store, part, VALUES_LIKE_MAX);
	if (ret->n == VALUES_LIKE_MAX && part.n > 0 && !common)
		TRY(store_search_values(s->f->store, s->a, part, VALUES_LIKE_MAX, &ret->ids, &ret->n, e));
	s->values_n += common ? 0 : ret->n;
	return RC_OK;
}

/* An index brings some that are none of the pattern's. Without them a certificate is what was asked for where it has one. */
static enum rc
keep_right(struct searching *s, const struct search_pattern *p, int64_t *ids, size_t *n, struct err *e)
{
	struct value_row *rows;
	size_t rows_n;

	TRY(store_values_of(s->f->store, s->a, ids, *n, &rows, &rows_n, e));
	*n = 0;
	for (size_t i = 0; i < rows_n; i++)
		if (is_of_pattern(p, &rows[i]))
			ids[(*n)++] = rows[i].id;
	return RC_OK;
}

static enum rc
consider_pattern(struct searching *s, const struct search_pattern *p, struct ways *c, struct err *e)
{
	struct search_walk w = { .by = WALK_VALUES, .descending = s->q->descending };
	bool alone = s->q->patterns_n == 1; /* else the certificates are looked at, whatever the values are */
	struct values found;

	TRY(values_of_pattern(s, p, &found, e));
	if (found.n == VALUES_LIKE_MAX)
		return RC_OK; /* nearly every row has one */
	if (alone && !found.sure && found.n > 0)
		TRY(keep_right(s, p, found.ids, &found.n, e));
	w.values = found.ids;
	w.values_n = found.n;
	return consider(s, &w, alone ? GROUP_PATTERNS : 0, c, e);
}

/* 0: it costs nothing to ask for. 1: digits tell apart. */
static unsigned
rank_of(const struct search_pattern *p)
{
	if (search_is_one_value(p))
		return 0;
	for (size_t i = 0; i < p->text.n; i++)
		if (p->text.p[i] >= '0' && p->text.p[i] <= '9')
			return 1;
	return 2;
}

/* To look for the values of one more costs as much as to look at some hundred certificates. */
static bool
is_enough(const struct ways *c)
{
	return c->best.n <= FEW_ENOUGH || c->narrow.n <= NARROW_ENOUGH;
}

static enum rc
consider_patterns(struct searching *s, struct ways *c, struct err *e)
{
	const struct search_query *q = s->q;

	for (unsigned rank = 0; rank <= 2; rank++)
		for (size_t i = 0; i < q->patterns_n && (rank == 0 || !is_enough(c)); i++)
			if (rank_of(&q->patterns[i]) == rank)
				TRY(consider_pattern(s, &q->patterns[i], c, e));
	return RC_OK;
}

static enum rc
consider_value(struct searching *s, int64_t value, unsigned covers, struct ways *c, struct err *e)
{
	int64_t *id = arena_one(s->a, int64_t);

	NEED(id != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	*id = value;
	return consider(s,
			&(struct search_walk){
			    .by = WALK_VALUES, .descending = s->q->descending, .values = id, .values_n = 1 },
			covers, c, e);
}

/* What was asked of states, reasons and times of change comes down to these: 1 << state. */
static unsigned
states_of(const struct search_query *q)
{
	unsigned states = q->states;

	if (q->reasons != 0)
		states &= q->reasons == 1u << REASON_HOLD ? 1u << CERT_HELD
		    : q->reasons & 1u << REASON_HOLD      ? ~(1u << CERT_VALID)
							  : 1u << CERT_REVOKED;
	else if (q->since_from != 0 || q->since_to != INT64_MAX)
		states &= ~(1u << CERT_VALID);
	return states & ((1u << CERT_STATE_COUNT) - 1);
}

bool
search_is_of_changed(const struct search_query *q)
{
	return !(states_of(q) & 1u << CERT_VALID);
}

bool
search_is_of_none(const struct search_query *q)
{
	return states_of(q) == 0 || (q->by_issuer && q->issuers_n == 0) || q->key_id.n > KEY_ID_MAX;
}

/* Along the changes of state, where none that is valid is asked for: these have no change. */
static bool
state_walk(const struct search_query *q, struct search_walk *ret)
{
	unsigned states = states_of(q);
	bool one = states == 1u << CERT_HELD || states == 1u << CERT_REVOKED;

	*ret = (struct search_walk){ .by = one ? WALK_STATE : WALK_CHANGED,
				     .descending = q->descending,
				     .state = states == 1u << CERT_HELD ? CERT_HELD : CERT_REVOKED,
				     .from = q->since_from,
				     .to = q->since_to };
	return search_is_of_changed(q);
}

static unsigned
state_covers(const struct search_query *q)
{
	return q->reasons == 0 ? GROUP_STATE : 0;
}

static enum rc
consider_states(struct searching *s, struct ways *c, struct err *e)
{
	const struct search_query *q = s->q;
	struct search_walk w;

	if (!state_walk(q, &w))
		return RC_OK;
	TRY(consider(s, &w, state_covers(q), c, e));
	w.state = w.by == WALK_STATE ? w.state : 0;
	w.by = WALK_CHANGED_BY_ID;
	if (q->order == ORDER_ID)
		c->broad[c->broad_n++] = (struct way){ w,
						       is_open(q->since_from, q->since_to) ? state_covers(q)
											   : 0,
						       .n = SEARCH_TOTAL_MAX + 1 };
	return RC_OK;
}

static struct search_walk
between(const struct search_query *q, enum walk_by by, int64_t from, int64_t to)
{
	return (struct search_walk){ .by = by, .descending = q->descending, .from = from, .to = to };
}

/* Whether it is expired or not yet valid is a bound of the range as well. */
static struct search_walk
end_walk(const struct search_query *q)
{
	struct search_walk w = between(q, WALK_NOT_AFTER, q->end_from, q->end_to);

	if (q->is_expired == 1 && q->now_ms < w.to)
		w.to = q->now_ms;
	if (q->is_expired == 0 && q->now_ms > w.from)
		w.from = q->now_ms;
	return w;
}

static struct search_walk
begin_walk(const struct search_query *q)
{
	struct search_walk w = between(q, WALK_NOT_BEFORE, q->begin_from, q->begin_to);

	if (q->is_not_yet_valid == 1 && q->now_ms >= w.from)
		w.from = q->now_ms + 1;
	if (q->is_not_yet_valid == 0 && q->now_ms < w.to)
		w.to = q->now_ms + 1;
	return w;
}

struct search_times
search_times_of(const struct search_query *q)
{
	struct search_walk end = end_walk(q), begin = begin_walk(q);

	return (struct search_times){ end.from, end.to, begin.from, begin.to };
}

static enum rc
consider_between(struct searching *s, struct search_walk w, unsigned covers, struct ways *c, struct err *e)
{
	return is_open(w.from, w.to) ? RC_OK : consider(s, &w, covers, c, e);
}

static enum rc
consider_times(struct searching *s, struct ways *c, struct err *e)
{
	const struct search_query *q = s->q;

	TRY(consider_between(s, between(q, WALK_PUBLISHED, q->published_from, q->published_to), 0, c, e));
	TRY(consider_between(s, between(q, WALK_ACTIVATED, q->activated_from, q->activated_to), 0, c, e));
	TRY(consider_between(s, end_walk(q), GROUP_END, c, e));
	return consider_between(s, begin_walk(q), GROUP_BEGIN, c, e);
}

static enum rc
consider_numbers(struct searching *s, struct ways *c, struct err *e)
{
	const struct search_query *q = s->q;

	if (q->by_issuer && q->issuers_n == 1)
		TRY(consider_value(s, search_number_id("issuer", q->issuers[0]), GROUP_ISSUER, c, e));
	if (q->token_procedure != 0)
		TRY(consider_value(s, search_number_id("token-procedure", q->token_procedure),
				   GROUP_PROCEDURE, c, e));
	return RC_OK;
}

static bool
needs_few(enum search_order order)
{
	return order == ORDER_SUBJECT || order == ORDER_SERIAL || order == ORDER_SINCE;
}

/* Where there are few at all, they can be sorted by anything. */
static enum rc
consider_all(struct searching *s, struct ways *c, struct err *e)
{
	return needs_few(s->q->order) && c->best.n > SEARCH_TOTAL_MAX
	    ? consider(s, &(struct search_walk){ .by = WALK_ALL, .to = INT64_MAX }, 0, c, e)
	    : RC_OK;
}

static void
take_way(struct searching *s, const struct way *w)
{
	s->walk = w->walk;
	s->covers = w->covers;
	s->ids = w->ids;
	s->ids_n = w->ids_n;
	s->gathered = w->ids != NULL;
}

/* Of several broad walks the one whose next certificates lie furthest apart: of these the fewest have to be looked at. */
static enum rc
take_sparsest(struct searching *s, const struct ways *c, struct err *e)
{
	const struct way *best = &c->broad[0];
	bool down = s->q->descending;
	int64_t reach = 0;

	for (size_t i = 0; i < c->broad_n && c->broad_n > 1; i++) {
		int64_t *ids, end = down ? INT64_MIN : INT64_MAX;
		size_t n;

		TRY(store_search_ids(s->f->store, s->a, &c->broad[i].walk, s->id, PROBED, &ids, &n, e));
		if (n == PROBED)
			end = ids[n - 1];
		if (i > 0 && (down ? end >= reach : end <= reach))
			continue;
		reach = end;
		best = &c->broad[i];
	}
	take_way(s, best);
	return RC_OK;
}

static enum rc
plan_by_id(struct searching *s, const struct ways *c, struct err *e)
{
	if (c->narrow.n < NARROW_MAX)
		take_way(s, &c->narrow);
	else if (c->broad_n > 0)
		TRY(take_sparsest(s, c, e));
	else
		take_way(s,
			 &(struct way){
			     .walk = { .by = WALK_ALL, .descending = s->q->descending, .to = INT64_MAX } });
	return RC_OK;
}

/* Of many: along the index of the order that was asked. */
static enum rc
plan_broad(struct searching *s, const struct ways *c, struct err *e)
{
	const struct search_query *q = s->q;
	struct way since = { .covers = state_covers(q) };

	if (q->order == ORDER_ID)
		return plan_by_id(s, c, e);
	NEED(q->key_id.n == 0, e, CHY_SEARCH_BROAD, NULL, "more than %d certificates have this key",
	     SEARCH_TOTAL_MAX);
	if (q->order == ORDER_SINCE && state_walk(q, &since.walk))
		take_way(s, &since);
	else if (q->order == ORDER_NOT_AFTER)
		take_way(s, &(struct way){ .walk = end_walk(q), .covers = GROUP_END });
	else if (q->order == ORDER_NOT_BEFORE)
		take_way(s, &(struct way){ .walk = begin_walk(q), .covers = GROUP_BEGIN });
	else
		FAIL(e, CHY_SEARCH_BROAD, NULL,
		     "more than %d certificates would have to be sorted: narrow it (by a name, an "
		     "authority, a procedure, a time), or take another order (id, valid_to, valid_from)",
		     SEARCH_TOTAL_MAX);
	return RC_OK;
}

/* Its rows come in the order that was asked. */
static bool
is_in_order(const struct search_walk *w, enum search_order order)
{
	switch (w->by) {
	case WALK_NOT_AFTER:
		return order == ORDER_NOT_AFTER;
	case WALK_NOT_BEFORE:
		return order == ORDER_NOT_BEFORE;
	case WALK_STATE:
	case WALK_CHANGED:
		return order == ORDER_SINCE;
	case WALK_VALUES:
	case WALK_CHANGED_BY_ID:
	case WALK_ALL:
		return order == ORDER_ID;
	case WALK_PUBLISHED:
	case WALK_ACTIVATED:
		break;
	}
	return false;
}

/* What candidates are judged by, or come in the order of, is more than the certificate itself says. Where they are taken as they are
   there are few more than the page. */
static bool
is_by_more(const struct searching *s)
{
	const struct search_query *q = s->q;

	return s->mode == SEARCH_TAKEN || q->order == ORDER_SINCE || q->reasons != 0 ||
	    !is_open(q->since_from, q->since_to) || q->publication >= 0 ||
	    !is_open(q->published_from, q->published_to) || !is_open(q->activated_from, q->activated_to);
}

static enum rc
consider_key(struct searching *s, struct ways *c, struct err *e)
{
	char hex[2 * KEY_ID_MAX + 1];

	return consider_value(s, search_value_id(BYTES("ski"), bytes_str(hex_text(hex, s->q->key_id))), 0, c,
			      e);
}

static enum rc
consider_others(struct searching *s, struct ways *c, struct err *e)
{
	TRY(consider_numbers(s, c, e));
	TRY(consider_patterns(s, c, e));
	TRY(consider_states(s, c, e));
	TRY(consider_times(s, c, e));
	return consider_all(s, c, e);
}

/* Every candidate is a hit, and follows the one before in the order that was asked. */
static bool
is_taken(const struct searching *s, unsigned covers)
{
	return (groups_of(s->q) & ~covers) == 0 && is_in_order(&s->walk, s->q->order) &&
	    sees_every_certificate(s->who);
}

/* At most SEARCH_TOTAL_MAX along values: all of their ids are known. */
static enum rc
plan_few(struct searching *s, struct err *e)
{
	unsigned wanted;

	TRY(search_gather(s, e));
	wanted = search_want(s);
	s->mode = is_taken(s, s->covers | wanted) ? SEARCH_TAKEN
	    : s->q->order == ORDER_ID             ? SEARCH_JUDGED
						  : SEARCH_SORTED;
	return s->mode == SEARCH_JUDGED ? RC_OK : search_narrow(s, e);
}

/* Some thousand ids that are known, or any number that come piece by piece; what is wanted is looked at as they come. */
static void
plan_many(struct searching *s)
{
	(void)search_want(s);
	s->mode = is_taken(s, s->covers) ? SEARCH_TAKEN : SEARCH_JUDGED;
}

enum rc
search_plan(struct searching *s, struct err *e)
{
	struct ways c = {
		.best = { .walk = { .by = WALK_ALL, .descending = s->q->descending, .to = INT64_MAX },
			  .n = SEARCH_TOTAL_MAX + 2 },
		.narrow = { .n = NARROW_MAX },
	};

	if (s->q->key_id.n > 0) /* which no candidate is judged by */
		TRY(consider_key(s, &c, e));
	else
		TRY(consider_others(s, &c, e));
	s->few = c.best.n <= SEARCH_TOTAL_MAX;
	take_way(s, &c.best);
	if (!s->few)
		TRY(plan_broad(s, &c, e));
	if (search_is_by_ids(s) && s->few)
		TRY(plan_few(s, e));
	else if (search_is_by_ids(s))
		plan_many(s);
	else
		s->mode = is_taken(s, s->covers) ? SEARCH_TAKEN : s->few ? SEARCH_SORTED : SEARCH_JUDGED;
	s->count = s->gathered ? (int64_t)s->ids_n : c.best.n;
	if (groups_of(s->q) == 0)
		TRY(store_search_count(s->f->store, s->a,
				       &(struct search_walk){ .by = WALK_ALL, .to = INT64_MAX },
				       SEARCH_TOTAL_MAX + 1, &s->count, e));
	s->full = is_by_more(s);
	return RC_OK;
}
