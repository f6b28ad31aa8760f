#include "base/base.h"
#include "store/core.h"

/* Questions about what is to go out. */

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)
#define B(x) BYTES_VALUE(x)
#define LIMIT(n) INT_VALUE((int64_t)((n) < LIMIT_PAGE ? (n) : LIMIT_PAGE))

enum rc
store_outbox_list(struct store *s, struct arena *a, const struct outbox_query *q, struct outbox_row **ret,
		  size_t *n, struct err *e)
{
	if (q->object != 0)
		return store_rows(s, a, Q_OUTBOX_OBJECT, ARGS(I(q->object), I(q->after), LIMIT(q->limit)),
				  ret, n, e);
	if (q->state.n > 0)
		return store_rows(
		    s, a, Q_OUTBOX_STATE,
		    ARGS(B(q->state), I(q->destination), I(q->request), I(q->after), LIMIT(q->limit)), ret, n,
		    e);
	return store_rows(s, a, Q_OUTBOX_ALL,
			  ARGS(I(q->destination), I(q->request), I(q->after), LIMIT(q->limit)), ret, n, e);
}

enum rc
store_outbox(struct store *s, struct arena *a, int64_t id, struct outbox_row *ret, struct err *e)
{
	return store_row(s, a, Q_OUTBOX, ARGS(I(id)), ret, e);
}

enum rc
store_outbox_any(struct store *s, bool *ret, struct err *e)
{
	int64_t n;

	TRY(store_number(s, Q_OUTBOX_ANY, NULL, &n, e));
	*ret = n > 0;
	return RC_OK;
}

enum rc
store_outbox_due(struct store *s, struct arena *a, int64_t destination, int64_t now_at, size_t limit,
		 struct outbox_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_OUTBOX_DUE, ARGS(I(destination), I(now_at), LIMIT(limit)), ret, n, e);
}

enum rc
store_outbox_older(struct store *s, struct arena *a, const struct outbox_row *row, size_t limit,
		   struct outbox_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_OUTBOX_OLDER,
			  ARGS(I(row->object), I(row->destination), I(row->id), LIMIT(limit)), ret, n, e);
}

enum rc
store_outbox_overtaken(struct store *s, const struct outbox_row *row, bool *ret, struct err *e)
{
	int64_t n;

	TRY(store_number(s, Q_OUTBOX_NEWER, ARGS(I(row->object), I(row->destination), I(row->id)), &n, e));
	*ret = n > 0;
	return RC_OK;
}

enum rc
store_outbox_counts(struct store *s, struct arena *a, struct outbox_count_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_OUTBOX_COUNTS, NULL, ret, n, e);
}

enum rc
store_publications(struct store *s, struct arena *a, int64_t certificate, struct publication_row **ret,
		   size_t *n, struct err *e)
{
	return store_rows(s, a, Q_PUBLICATIONS, ARGS(I(certificate)), ret, n, e);
}

enum rc
store_published_between(struct store *s, struct arena *a, int64_t procedure, int64_t from, int64_t to,
			int64_t after, size_t limit, struct publication_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_PUBLISHED_BETWEEN,
			  ARGS(I(procedure), I(from), I(to), I(after), LIMIT(limit)), ret, n, e);
}
