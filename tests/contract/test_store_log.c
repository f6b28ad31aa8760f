#include "base/base.h"
#include "base/idgen.h"
#include "store_world.h"

/* The request log's questions over 100,000 leaves, on both engines alike: each page is compared with what the same filters
   select of the rows as they were made. */

enum { LEAVES = 100000, OFFICERS = 7, OBJECTS = 501, BATCH = 1000 };

#define T0 1790000000000

/* Leaf i: made up, so that the right answer can be computed. */
struct made {
	int64_t id, at, category, failed, officer, object, domain, below;
};

static struct made
leaf_made(int64_t i)
{
	uint64_t h = (uint64_t)i * 0x9e3779b97f4a7c15u >> 20;
	static const int64_t categories[] = { 101, 101, 101, 102, 202, 301, 303, 401 };

	return (struct made){ .id = id_least(T0 + i * 1000) + 1,
			      .at = T0 + i * 1000,
			      .category = categories[h % 8],
			      .failed = h % 50 == 0,
			      .officer = 1 + (int64_t)(h / 8 % OFFICERS),
			      .object = 1000 + (int64_t)(h / 64 % OBJECTS),
			      .domain = 70 + (int64_t)(h / 640 % 3),
			      .below = h % 4 == 0 ? 80 : 0 };
}

static void
put_made(struct change *c, const struct made *m)
{
	const struct log_link_row links[] = { { LOG_BY_OFFICER, m->officer, m->id },
					      { LOG_BY_OBJECT, m->object, m->id },
					      { LOG_BY_CATEGORY, m->category, m->id },
					      { LOG_BY_GROUP, m->category / 100, m->id },
					      { LOG_BY_DOMAIN, m->domain, m->id } };

	change_put_leaf(c,
			&(struct leaf_row){ .id = m->id,
					    .kind = BYTES("certificate"),
					    .object = m->object,
					    .body = BYTES("{}"),
					    .hash = BYTES("h") });
	change_put_log(c, &(struct log_row){ m->id, m->at, m->category, m->failed });
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		change_put_log_link(c, &links[i]);
	if (m->failed)
		change_put_log_link(c, &(struct log_link_row){ LOG_BY_FAILED, 1, m->id });
	if (m->below != 0)
		change_put_log_link(c, &(struct log_link_row){ LOG_BY_DOMAIN, m->below, m->id });
}

static void
fill(struct world *w, int64_t n)
{
	for (int64_t i = 0; i < n; i += BATCH) {
		struct change *c = change_new();

		for (int64_t k = i; k < i + BATCH && k < n; k++) {
			struct made m = leaf_made(k);

			put_made(c, &m);
		}
		ok(store_commit(w->s, c, &w->e));
	}
}

static bool
selects(const struct log_query *q, const struct made *m)
{
	bool object = q->objects_n == 0;

	for (size_t i = 0; i < q->objects_n; i++)
		object |= q->objects[i] == m->object;
	return object &&
	    (q->category_to == 0 || (m->category >= q->category_from && m->category <= q->category_to)) &&
	    (!q->failed || m->failed) &&
	    (q->domain == 0 || q->domain == m->domain || q->domain == m->below) &&
	    (q->officer == 0 || q->officer == m->officer) && m->at >= q->from_at &&
	    (q->to_at == 0 || m->at < q->to_at) && (q->before == 0 || m->id < q->before);
}

/* All pages of a question, each row in its place, none twice, none missing. */
static void
pages_are_right(struct world *w, struct log_query q, size_t limit)
{
	int64_t i = LEAVES - 1;
	size_t n = limit, seen = 0;

	q.limit = limit;
	while (n == limit) {
		OWN(arena_free)
		struct arena *a = arena_new(16 << 20);
		struct log_entry_row *rows;

		ok(store_log(w->s, a, &q, &rows, &n, &w->e));
		for (size_t k = 0; k < n; k++, seen++, i--) {
			struct made m = leaf_made(i);

			while (i > 0 && !selects(&q, &m))
				m = leaf_made(--i);
			assert_int_equal(rows[k].id, m.id);
			assert_int_equal(rows[k].category, m.category);
			assert_int_equal(rows[k].failed, m.failed);
			same(rows[k].body, "{}");
		}
		if (n > 0)
			q.before = rows[n - 1].id;
	}
	for (; i >= 0; i--) {
		struct made m = leaf_made(i);

		assert_false(selects(&q, &m));
	}
	assert_true(seen > 0);
}

static void
pages_of_a_hundred_thousand_leaves_are_right(void **state)
{
	struct world *w = *state;
	const int64_t from = T0 + 20000 * 1000LL, to = T0 + 60000 * 1000LL;

	fill(w, LEAVES);
	pages_are_right(w, (struct log_query){ 0 }, 1000);
	pages_are_right(w, (struct log_query){ .category_from = 101, .category_to = 101, .category = 101 },
			1000);
	pages_are_right(w, (struct log_query){ .category_from = 300, .category_to = 399, .group = 3 }, 999);
	pages_are_right(w, (struct log_query){ .failed = true }, 100);
	pages_are_right(w, (struct log_query){ .officer = 3, .from_at = from, .to_at = to }, 700);
	pages_are_right(w,
			(struct log_query){ .category_from = 101,
					    .category_to = 101,
					    .category = 101,
					    .failed = true,
					    .officer = 5,
					    .from_at = from,
					    .to_at = to },
			7);
	pages_are_right(w, (struct log_query){ .objects = { 1007 }, .objects_n = 1 }, 10);
	pages_are_right(
	    w, (struct log_query){ .objects = { 1007, 1400, 1300 }, .objects_n = 3, .officer = 2 }, 11);
	pages_are_right(w, (struct log_query){ .domain = 71 }, 1000);
	pages_are_right(w, (struct log_query){ .domain = 80, .officer = 4, .failed = true }, 5);
	pages_are_right(w,
			(struct log_query){ .category_from = 101,
					    .category_to = 101,
					    .category = 101,
					    .domain = 72,
					    .from_at = from,
					    .to_at = to },
			1000);
	pages_are_right(w, (struct log_query){ .failed = true, .domain = 70 }, 13);
	pages_are_right(w, (struct log_query){ .objects = { 1007, 1300 }, .objects_n = 2, .domain = 80 }, 3);
}

static void
nothing_is_found_where_nothing_is(void **state)
{
	struct world *w = *state;
	struct log_entry_row *rows;
	size_t n;

	fill(w, 3000);
	ok(store_log(w->s, w->a, &(struct log_query){ .officer = 99, .limit = 10 }, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_log(w->s, w->a, &(struct log_query){ .objects = { 5 }, .objects_n = 1, .limit = 10 }, &rows,
		     &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_log(w->s, w->a, &(struct log_query){ .domain = 99, .limit = 10 }, &rows, &n, &w->e));
	assert_int_equal(n, 0);
	ok(store_log(w->s, w->a, &(struct log_query){ .from_at = T0 + 3000 * 1000LL, .limit = 10 }, &rows, &n,
		     &w->e));
	assert_int_equal(n, 0);
	ok(store_log(w->s, w->a, &(struct log_query){ .to_at = T0, .limit = 10 }, &rows, &n, &w->e));
	assert_int_equal(n, 0);
}

/* Two factories that read the same leaves: the slower one's work is void, and rows entered twice stand once. */
static void
the_cursor_moves_once(void **state)
{
	struct world *w = *state;
	struct made m = leaf_made(1);
	struct log_entry_row *rows;
	struct change *c = change_new();
	int64_t at;
	size_t n;

	ok(store_log_cursor(w->s, &at, &w->e));
	assert_int_equal(at, 0);
	put_made(c, &m);
	change_log_cursor(c, 0, 1);
	ok(store_commit(w->s, c, &w->e));
	c = change_new();
	change_put_log(c, &(struct log_row){ m.id, m.at, m.category, m.failed });
	change_log_cursor(c, 0, 1);
	fails(store_commit(w->s, c, &w->e), STORE_STATE);
	c = change_new();
	change_put_log(c, &(struct log_row){ m.id, m.at, m.category, m.failed });
	ok(store_commit(w->s, c, &w->e));
	ok(store_log(w->s, w->a, &(struct log_query){ .limit = 10 }, &rows, &n, &w->e));
	assert_int_equal(n, 1);
	ok(store_log_cursor(w->s, &at, &w->e));
	assert_int_equal(at, 1);
}

static void
only_the_newest_requests_are_remembered(void **state)
{
	struct world *w = *state;
	struct remembered_row *rows;
	struct change *c;
	size_t n;

	for (int64_t i = 1; i <= 30; i++) {
		c = change_new();
		change_put_remembered(c,
				      &(struct remembered_row){ .id = i,
								.at = 1000 * i,
								.session_id = 5,
								.token_procedure = BYTES("Web"),
								.certificate = i % 2,
								.csr = BYTES("csr"),
								.input = i % 2 ? BYTES("{}") : BYTES_NONE });
		change_forget(c, 10);
		ok(store_commit(w->s, c, &w->e));
	}
	ok(store_remembered(w->s, w->a, 0, 0, 100, &rows, &n, &w->e));
	assert_in_range(n, 10, 11); /* rows are put behind what is forgotten */
	assert_int_equal(rows[0].id, 30);
	same(rows[0].csr, "csr");
	same(rows[0].input, "");
	same(rows[1].input, "{}");
	ok(store_remembered(w->s, w->a, 29, 25000, 100, &rows, &n, &w->e));
	assert_int_equal(n, 4);
	assert_int_equal(rows[3].id, 25);
}

int
main(void)
{
	static const struct world_test tests[] = {
		{ "pages_of_a_hundred_thousand_leaves_are_right rows=CM-O-25,CM-O-12",
		  pages_of_a_hundred_thousand_leaves_are_right, BOTH },
		{ "nothing_is_found_where_nothing_is", nothing_is_found_where_nothing_is, BOTH },
		{ "the_cursor_moves_once", the_cursor_moves_once, BOTH },
		{ "only_the_newest_requests_are_remembered", only_the_newest_requests_are_remembered, BOTH },
	};

	return world_run("store_log", tests, ARRAY_LEN(tests));
}
