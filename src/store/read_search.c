#include "base/base.h"
#include "store/core.h"

/* Questions of the search over many fields. Each walk is along one index; what else is asked is checked on what comes. */

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)
#define LIMIT(n) INT_VALUE((int64_t)((n) < LIMIT_PAGE ? (n) : LIMIT_PAGE))

enum {
	BEGINNING_CHARACTERS = 60,
	PIECE = 3,
	PIECES_MOST = 12 /* characters of the index; of a text so many */
};

/* What FTS5 is asked: each three characters in a row, as a string of its own. To ask it for LIKE would have it read each value. */
static void
put_pieces(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < PIECES_MOST; i++) {
		struct bytes rest = text;

		for (size_t k = 0; k < PIECE; k++)
			if (utf8_take(&rest) < 0)
				return;
		buf_str(out, i ? " \"" : "\"");
		for (size_t k = 0; k < text.n - rest.n; k++)
			buf_str(out, text.p[k] == '"' ? "\"\"" : (const char[]){ (char)text.p[k], 0 });
		buf_u8(out, '"');
		(void)utf8_take(&text);
	}
}

enum rc
store_search_values(struct store *s, struct arena *a, struct bytes text, size_t limit, int64_t **ret,
		    size_t *n, struct err *e)
{
	OWN_BUF struct buf asked = buf_max(text.n + PIECES_MOST * 32);

	if (s->ops->form == SQL_SQLITE)
		put_pieces(&asked, text);
	else
		buf_printf(&asked, "%%%.*s%%", BYTES_FMT(text));
	NEED(buf_ok(&asked), e, CHY_NO_MEMORY, NULL, "values");
	return store_rows(s, a, Q_SEARCH_VALUES, ARGS(BYTES_VALUE(buf_bytes(&asked)), LIMIT(limit)), ret, n,
			  e);
}

/* No character follows the last one that Unicode has, so what begins so stands before it. */
#define LAST_CHARACTER "\xf4\x8f\xbf\xbf"

enum rc
store_search_beginnings(struct store *s, struct arena *a, struct bytes begin, size_t limit,
			struct value_row **ret, size_t *n, struct err *e)
{
	OWN_BUF struct buf end = buf_max(begin.n + sizeof(LAST_CHARACTER));
	struct bytes rest = begin;

	for (size_t i = 0; i < BEGINNING_CHARACTERS && rest.n > 0; i++)
		(void)utf8_take(&rest);
	begin.n -= rest.n;
	buf_put(&end, begin);
	buf_str(&end, LAST_CHARACTER);
	NEED(buf_ok(&end), e, CHY_NO_MEMORY, NULL, "values");
	return store_rows(s, a, Q_SEARCH_BEGINNINGS,
			  ARGS(BYTES_VALUE(begin), BYTES_VALUE(buf_bytes(&end)), LIMIT(limit)), ret, n, e);
}

enum rc
store_values_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n, struct value_row **ret,
		size_t *n, struct err *e)
{
	return store_rows_of(s, a, Q_VALUES_OF, ids, ids_n, ret, n, e);
}

static int
by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

enum rc
store_search_certificates(struct store *s, struct arena *a, const int64_t *values, size_t values_n,
			  size_t most, int64_t **ret, size_t *n, size_t *ret_links, struct err *e)
{
	struct bytes text;
	int64_t *ids;

	TRY(store_ids_text(a, values, values_n, &text, e));
	TRY(store_rows(s, a, Q_SEARCH_CERTIFICATES, ARGS(BYTES_VALUE(text), I((int64_t)most)), &ids,
		       ret_links, e));
	if (*ret_links > 0)
		qsort(ids, *ret_links, sizeof(*ids), by_number);
	*n = 0;
	for (size_t i = 0; i < *ret_links; i++)
		if (*n == 0 || ids[i] != ids[*n - 1])
			ids[(*n)++] = ids[i];
	*ret = ids;
	return RC_OK;
}

enum rc
store_search_ids(struct store *s, struct arena *a, const struct search_walk *w, int64_t id, size_t limit,
		 int64_t **ret, size_t *n, struct err *e)
{
	bool d = w->descending;

	if (w->by == WALK_VALUES)
		return store_rows(s, a, d ? Q_SEARCH_LINKS_DOWN : Q_SEARCH_LINKS_UP,
				  ARGS(I(w->values[0]), I(id), LIMIT(limit)), ret, n, e);
	return store_rows(s, a, d ? Q_SEARCH_CHANGED_DOWN : Q_SEARCH_CHANGED_UP,
			  ARGS(I(id), I(w->state ? w->state : CERTIFICATE_HELD),
			       I(w->state ? w->state : CERTIFICATE_REVOKED), LIMIT(limit)),
			  ret, n, e);
}

enum rc
store_search_having(struct store *s, struct arena *a, int64_t value, const int64_t *ids, size_t ids_n,
		    int64_t **ret, size_t *n, struct err *e)
{
	struct bytes text;

	TRY(store_ids_text(a, ids, ids_n, &text, e));
	TRY(store_rows(s, a, Q_SEARCH_HAVING, ARGS(BYTES_VALUE(text), I(value)), ret, n, e));
	if (*n > 0)
		qsort(*ret, *n, sizeof(**ret), by_number);
	return RC_OK;
}

enum rc
store_search_changed(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n, int64_t **ret,
		     size_t *n, struct err *e)
{
	struct bytes text;

	TRY(store_ids_text(a, ids, ids_n, &text, e));
	return store_rows(s, a, Q_SEARCH_CHANGED, ARGS(BYTES_VALUE(text)), ret, n, e);
}

enum rc
store_search_within(struct store *s, struct arena *a, const struct search_times *times, const int64_t *ids,
		    size_t ids_n, int64_t **ret, size_t *n, struct err *e)
{
	struct bytes text;

	TRY(store_ids_text(a, ids, ids_n, &text, e));
	return store_rows(s, a, Q_SEARCH_WITHIN,
			  ARGS(BYTES_VALUE(text), I(times->end_from), I(times->end_to), I(times->begin_from),
			       I(times->begin_to)),
			  ret, n, e);
}

enum rc
store_search_count(struct store *s, struct arena *a, const struct search_walk *w, size_t most, int64_t *ret,
		   struct err *e)
{
	struct bytes ids;

	switch (w->by) {
	case WALK_VALUES:
		TRY(store_ids_text(a, w->values, w->values_n, &ids, e));
		return store_number(s, Q_COUNT_VALUES, ARGS(BYTES_VALUE(ids), I((int64_t)most)), ret, e);
	case WALK_NOT_AFTER:
		return store_number(s, Q_COUNT_NOT_AFTER, ARGS(I(w->from), I(w->to), I((int64_t)most)), ret,
				    e);
	case WALK_NOT_BEFORE:
		return store_number(s, Q_COUNT_NOT_BEFORE, ARGS(I(w->from), I(w->to), I((int64_t)most)), ret,
				    e);
	case WALK_STATE:
		return store_number(s, Q_COUNT_STATE,
				    ARGS(I(w->state), I(w->from), I(w->to), I((int64_t)most)), ret, e);
	case WALK_CHANGED:
		return store_number(s, Q_COUNT_CHANGED, ARGS(I(w->from), I(w->to), I((int64_t)most)), ret, e);
	case WALK_PUBLISHED:
		return store_number(s, Q_COUNT_PUBLISHED, ARGS(I(w->from), I(w->to), I((int64_t)most)), ret,
				    e);
	case WALK_ACTIVATED:
		return store_number(s, Q_COUNT_ACTIVATED, ARGS(I(w->from), I(w->to), I((int64_t)most)), ret,
				    e);
	case WALK_CHANGED_BY_ID:
		return store_number(s, Q_COUNT_CHANGED, ARGS(I(0), I(INT64_MAX), I((int64_t)most)), ret, e);
	case WALK_ALL:
		break;
	}
	return store_number(s, Q_COUNT_ALL, ARGS(I((int64_t)most)), ret, e);
}

bool
walk_is_keyed(enum walk_by by)
{
	return by == WALK_NOT_AFTER || by == WALK_NOT_BEFORE || by == WALK_STATE || by == WALK_CHANGED;
}

/* What lies behind (key, id) lies behind the key, and none before the walk's beginning: both databases go along the index from one bound
   alone, SQLite from the range's and PostgreSQL from that of the pair, so each says as much as the other. */
static void
bound(const struct search_walk *w, int64_t *key, int64_t *id, int64_t *from, int64_t *to)
{
	if (walk_is_keyed(w->by) && (w->descending ? *key >= w->to : *key < w->from)) {
		*key = w->descending ? w->to : w->from;
		*id = INT64_MIN; /* (to, id) is out of the range, (from, id) in it */
	}
	*from = w->descending ? w->from : *key;
	*to = w->descending && *key < w->to ? *key + 1 : w->to;
}

/* Behind (key, id) in the walk's direction. */
enum rc
store_search_walk(struct store *s, struct arena *a, const struct search_walk *w, int64_t key, int64_t id,
		  size_t limit, bool full, struct found_row **ret, size_t *n, struct err *e)
{
	bool d = w->descending;
	int64_t from, to;

	bound(w, &key, &id, &from, &to);

	switch (w->by) {
	case WALK_NOT_AFTER:
		return store_rows(s, a, d ? Q_FOUND_NOT_AFTER_DOWN : Q_FOUND_NOT_AFTER_UP,
				  ARGS(I(from), I(to), I(key), I(id), LIMIT(limit), I(full)), ret, n, e);
	case WALK_NOT_BEFORE:
		return store_rows(s, a, d ? Q_FOUND_NOT_BEFORE_DOWN : Q_FOUND_NOT_BEFORE_UP,
				  ARGS(I(from), I(to), I(key), I(id), LIMIT(limit), I(full)), ret, n, e);
	case WALK_STATE:
		return store_rows(s, a, d ? Q_FOUND_STATE_DOWN : Q_FOUND_STATE_UP,
				  ARGS(I(w->state), I(from), I(to), I(key), I(id), LIMIT(limit), I(full)),
				  ret, n, e);
	case WALK_CHANGED:
		return store_rows(s, a, d ? Q_FOUND_CHANGED_DOWN : Q_FOUND_CHANGED_UP,
				  ARGS(I(from), I(to), I(key), I(id), LIMIT(limit), I(full)), ret, n, e);
	case WALK_PUBLISHED:
		return store_rows(s, a, d ? Q_FOUND_PUBLISHED_DOWN : Q_FOUND_PUBLISHED_UP,
				  ARGS(I(w->from), I(w->to), I(id), LIMIT(limit), I(full)), ret, n, e);
	case WALK_ACTIVATED:
		return store_rows(s, a, d ? Q_FOUND_ACTIVATED_DOWN : Q_FOUND_ACTIVATED_UP,
				  ARGS(I(w->from), I(w->to), I(id), LIMIT(limit), I(full)), ret, n, e);
	case WALK_VALUES:
	case WALK_CHANGED_BY_ID:
		FAIL(e, CHY_INTERNAL, NULL, "a walk by ids");
	case WALK_ALL:
		break;
	}
	return store_rows(s, a, d ? Q_FOUND_ALL_DOWN : Q_FOUND_ALL_UP, ARGS(I(id), LIMIT(limit), I(full)),
			  ret, n, e);
}

enum rc
store_search_one(struct store *s, struct arena *a, int64_t id, struct found_row *ret, struct err *e)
{
	return store_row(s, a, Q_FOUND_ONE, ARGS(I(id)), ret, e);
}

enum rc
store_search_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n, bool full,
		struct found_row **ret, size_t *n, struct err *e)
{
	struct bytes text;

	NEED(ids_n <= LIMIT_PAGE, e, CHY_LIMIT, NULL, "%zu rows together", ids_n);
	TRY(store_ids_text(a, ids, ids_n, &text, e));
	return store_rows(s, a, Q_FOUND_OF, ARGS(BYTES_VALUE(text), I(full)), ret, n, e);
}

enum rc
store_values_waiting(struct store *s, struct arena *a, size_t limit, struct certificate_row **ret, size_t *n,
		     struct err *e)
{
	return store_rows(s, a, Q_VALUES_WAITING, ARGS(LIMIT(limit)), ret, n, e);
}

enum rc
store_values_behind(struct store *s, size_t most, int64_t *ret, struct err *e)
{
	return store_number(s, Q_VALUES_BEHIND, ARGS(I((int64_t)most)), ret, e);
}
