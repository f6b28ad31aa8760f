#include "base/base.h"
#include "store/core.h"

enum { ROWS_FIRST = 8, IDS_TEXT_MAX = 24 };

static enum rc
rows_grow(struct rows *r, struct err *e)
{
	size_t cap = r->cap ? 2 * r->cap : ROWS_FIRST;
	uint8_t *p;

	if (r->most > 0 && cap > r->most)
		cap = r->most;
	p = arena_array(r->a, cap, r->t->size);
	NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "%zu rows of %s", cap, r->t->name);
	if (r->n > 0)
		memcpy(p, r->p, r->n * r->t->size);
	r->p = p;
	r->cap = cap;
	return RC_OK;
}

enum rc
rows_add(void *arg, const union value *cols, struct err *e)
{
	struct rows *r = arg;

	if (r->most > 0 && r->n == r->most)
		return RC_OK;
	if (r->n == r->cap)
		TRY(rows_grow(r, e));
	TRY(row_load(r->t, cols, r->a, r->p + r->n * r->t->size, e));
	r->n++;
	return RC_OK;
}

/* Whether rows of a first try were delivered already is the callback's matter: rows are collected anew. */
enum rc
store_query(struct store *s, enum stmt_id id, const union value *args, db_row_fn *fn, void *arg,
	    struct err *e)
{
	struct err first = { 0 };
	bool lost;
	enum rc rc;

	for (int tries = 0;; tries++) {
		struct db *db;

		TRY(pool_take(&s->pool, &db, e));
		rc = db->ops->query(db, id, args, fn, arg, tries ? e : &first);
		lost = db->lost;
		pool_give(&s->pool, db);
		if (rc == RC_OK || tries > 0)
			return rc;
		if (!lost)
			break;
	}
	if (e != NULL && e->code == CHY_NONE)
		*e = first;
	return rc;
}

enum rc
store_rows(struct store *s, struct arena *a, enum stmt_id id, const union value *args, void *ret, size_t *n,
	   struct err *e)
{
	struct rows rows = { .a = a, .t = statements[id].table };

	TRY(store_query(s, id, args, rows_add, &rows, e));
	memcpy(ret, &rows.p, sizeof(rows.p));
	*n = rows.n;
	return RC_OK;
}

enum rc
store_row(struct store *s, struct arena *a, enum stmt_id id, const union value *args, void *ret,
	  struct err *e)
{
	struct rows rows = { .a = a, .t = statements[id].table, .most = 1 };

	TRY(store_query(s, id, args, rows_add, &rows, e));
	NEED(rows.n > 0, e, CHY_STORE_NOT_FOUND, NULL, "no such row of %s", rows.t->name);
	memcpy(ret, rows.p, rows.t->size);
	return RC_OK;
}

static enum rc
take_number(void *arg, const union value *cols, struct err *e)
{
	struct rows *r = arg;

	(void)e;
	memcpy(r->p, &cols[0].i, sizeof(cols[0].i));
	r->n = 1;
	return RC_OK;
}

enum rc
store_number(struct store *s, enum stmt_id id, const union value *args, int64_t *ret, struct err *e)
{
	struct rows one = { .p = (uint8_t *)ret };

	TRY(store_query(s, id, args, take_number, &one, e));
	NEED(one.n > 0, e, CHY_STORE_NOT_FOUND, NULL, "no such row");
	return RC_OK;
}

enum rc
store_ids_text(struct arena *a, const int64_t *ids, size_t n, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max((n + 1) * IDS_TEXT_MAX);

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%lld", i ? "," : "", (long long)ids[i]);
	*ret = arena_dup(a, buf_bytes(&b));
	NEED(buf_ok(&b) && (n == 0 || ret->p != NULL), e, CHY_NO_MEMORY, NULL, "values");
	return RC_OK;
}

enum rc
store_rows_of(struct store *s, struct arena *a, enum stmt_id id, const int64_t *ids, size_t ids_n, void *ret,
	      size_t *n, struct err *e)
{
	struct bytes text;

	NEED(ids_n <= LIMIT_PAGE, e, CHY_LIMIT, NULL, "%zu rows together", ids_n);
	TRY(store_ids_text(a, ids, ids_n, &text, e));
	return store_rows(s, a, id, (const union value[]){ BYTES_VALUE(text) }, ret, n, e);
}
