/*
 * The log's follower: leaves in the order of the tree, from a cursor in the store. Whoever comes reads on; of two that read
 * the same leaves the slower one's work is void.
 */
#include "base/base.h"
#include "factory/log.h"

#include "factory/page.h"
#include "store/change.h"

/* So many are committed at once: what is issued meanwhile waits for it. */
enum { PIECE = 256 };
/* A leaf with a signature over a hundred requests takes a megabyte. */
enum { WAITING_ARENA = 1 << 30 };

static void
put_links(struct change *c, int64_t id, enum log_link_kind kind, const int64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		change_put_log_link(c, &(struct log_link_row){ kind, values[i], id });
}

static void
put_view(struct change *c, int64_t id, const struct log_view *v)
{
	int64_t category = v->category, group = v->category / 100, one = 1;

	change_put_log(c, &(struct log_row){ id, v->at, category, v->failed });
	put_links(c, id, LOG_BY_OFFICER, v->officers, v->officers_n);
	put_links(c, id, LOG_BY_OBJECT, v->objects, v->objects_n);
	put_links(c, id, LOG_BY_CATEGORY, &category, 1);
	put_links(c, id, LOG_BY_GROUP, &group, 1);
	put_links(c, id, LOG_BY_FAILED, &one, v->failed);
	put_links(c, id, LOG_BY_DOMAIN, v->domains, v->domains_n);
}

static enum rc
read_leaf(struct factory *f, const struct snapshot *policy, struct change *c, int64_t id, struct bytes kind,
	  int64_t object, struct bytes body, struct log_memo *memo, struct err *e)
{
	OWN(arena_free)
	struct arena *scratch = arena_new(LIMIT_REQUEST_ARENA);
	struct log_view v;

	NEED(scratch != NULL, e, CHY_NO_MEMORY, NULL, "the log's follower");
	TRY(log_view_of(f, scratch, policy, kind, object, body, memo, &v, e));
	TRY(log_domains_above(f, scratch, policy, &v, e));
	put_view(c, id, &v);
	return RC_OK;
}

/* What the leaves are about, as far as that is certificates. */
static enum rc
read_ahead(struct factory *f, struct arena *a, const int64_t *objects, size_t n, struct log_memo *memo,
	   struct err *e)
{
	struct certificate_row *rows;

	TRY(store_certificates_of(f->store, a, objects, n, &rows, &memo->certificates_n, e));
	memo->certificates = rows;
	return RC_OK;
}

static enum rc
put_piece(struct factory *f, const struct snapshot *policy, int64_t from,
	  const struct placed_leaf_row *leaves, size_t n, struct log_memo *memo, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct change *ready;

	for (size_t i = 0; i < n; i++)
		TRY(read_leaf(f, policy, c, leaves[i].id, leaves[i].kind, leaves[i].object, leaves[i].body,
			      memo, e));
	change_log_cursor(c, from, leaves[n - 1].idx + 1);
	ready = c;
	c = NULL;
	return store_commit(f->store, ready, e);
}

static enum rc
put_page(struct factory *f, int64_t from, const struct placed_leaf_row *leaves, size_t n,
	 struct log_memo *memo, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);

	for (size_t i = 0; i < n; i += PIECE) {
		size_t piece = n - i < PIECE ? n - i : PIECE;

		TRY(put_piece(f, policy, i == 0 ? from : leaves[i - 1].idx + 1, leaves + i, piece, memo, e));
	}
	return RC_OK;
}

/* What the leaves of one act have in common is looked up once a page. *ret_more: there may be another page. */
static enum rc
read_placed(struct factory *f, size_t *ret_n, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *a = NULL;
	OWN_LOG_MEMO struct log_memo memo = { 0 };
	struct placed_leaf_row *leaves;
	size_t page = LIMIT_PAGE;
	int64_t from, *objects;

	TRY(store_log_cursor(f->store, &from, e));
	TRY(PAGE_READ(a, page, PAGE_ARENA, e, store_leaves(f->store, a, from, page, &leaves, ret_n, e)));
	*ret_more = *ret_n == page;
	objects = arena_array(a, *ret_n + 1, sizeof(*objects));
	NEED(objects != NULL, e, CHY_NO_MEMORY, NULL, "the log's follower");
	for (size_t i = 0; i < *ret_n; i++)
		objects[i] = leaves[i].object;
	if (*ret_n > 1)
		TRY(read_ahead(f, a, objects, *ret_n, &memo, e));
	return put_page(f, from, leaves, *ret_n, &memo, e);
}

enum rc
log_catch_up(struct factory *f, size_t most, size_t *done, struct err *e)
{
	size_t sum = 0, n = 0;
	bool more = true;

	while (more && sum < most) {
		enum rc rc = read_placed(f, &n, &more, e);

		/* Somebody else was faster with the same leaves, and may have found fewer there: on from where they ended. */
		if (rc != RC_OK && e->code == CHY_STORE_STATE) {
			err_clear(e);
			more = true;
		} else {
			TRY(rc);
		}
		sum += n;
	}
	if (done != NULL)
		*done = sum;
	return RC_OK;
}

/* The newest of them. They are read again in their place; rows that are there are left alone. */
static enum rc
read_waiting(struct factory *f, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(WAITING_ARENA);
	OWN(change_free)
	struct change *c = change_new();
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	OWN_LOG_MEMO struct log_memo memo = { 0 };
	struct leaf_row *leaves;
	struct change *ready;
	int64_t objects[PIECE];
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the log's follower");
	TRY(store_leaves_newest(f->store, a, PIECE, &leaves, &n, e));
	for (size_t i = 0; i < n; i++)
		objects[i] = leaves[n - 1 - i].object;
	if (n > 1)
		TRY(read_ahead(f, a, objects, n, &memo, e));
	for (size_t i = n; i-- > 0;)
		TRY(read_leaf(f, policy, c, leaves[i].id, leaves[i].kind, leaves[i].object, leaves[i].body,
			      &memo, e));
	if (n == 0)
		return RC_OK;
	ready = c;
	c = NULL;
	return store_commit(f->store, ready, e);
}

/* First what waits: it gets its place at any moment, and is met there then. The other way round it would be met nowhere. */
enum rc
log_read_all(struct factory *f, size_t most, struct err *e)
{
	TRY(read_waiting(f, e));
	FAULT("factory.log-read-waiting");
	return log_catch_up(f, most, NULL, e);
}
